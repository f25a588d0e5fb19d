#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What leaves the cluster: masqueraded or not, by which rule; through a gateway, and never otherwise;
# and what is never masqueraded.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

# Others outside, all of them `net`, and addresses that the nodes can leave with.
FAR=198.51.100.9 FAR6=2001:db8:100::9
OTHER=203.0.113.9 OTHER6=2001:db8:113::9
declare -A LEND4=([n1]=192.0.2.71 [n2]=192.0.2.72)
declare -A LEND6=([n1]=2001:db8:f::71 [n2]=2001:db8:f::72)

outside()
{
	local a n

	ask name far $FAR $FAR6
	ask name other $OTHER $OTHER6
	for a in $FAR/32 $OTHER/32 $FAR6/128 $OTHER6/128; do at net ip addr add $a dev br0 || return; done
	for n in n1 n2; do
		at $n ip addr add "${LEND4[$n]}/32" dev eth0 || return
		at $n ip -6 addr add "${LEND6[$n]}/128" dev eth0 nodad preferred_lft 0 || return
		ask sysctl $n net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 || return
	done
	for a in far far/6 other other/6; do
		ask serve net tcp 9000 $a && ask serve net udp 9000 $a || return
	done
}

at_address()
{
	case $1 in
	n1) echo $N1 ;; n1/6) echo $N16 ;;
	n2) echo $N2 ;; n2/6) echo $N26 ;;
	lend[12]) echo "${LEND4[n${1#lend}]}" ;;
	lend[12]/6) a=${1#lend}; echo "${LEND6[n${a%/6}]}" ;;
	*/6) echo "${POD6[${1%/6}]}" ;;
	*) echo "${POD4[$1]}" ;;
	esac
}

# As whom others see a pod, over both families and three protocols.
leaves() # WHAT FROM TO AS
{
	local f proto v

	for f in "" /6; do
		v=${f:+ over IPv6}
		for proto in tcp udp; do
			equals "$1, $proto$v" "net $(at_address "$4$f")" \
				"$(ask $proto "$2" "$3$f" 9000 | cut -d ' ' -f 1,2)"
		done
		check "$1, ping$v" ask ping "$2" "$3$f"
	done
}

# The same of explain: KEY=VALUE of both families, AS for the address that it gets
tells() # WHAT NODE FROM TO AS|null [KEY=VALUE]...
{
	local what=$1 node=$2 from=$3 to=$4 as=$5 f

	shift 5
	for f in "" /6; do
		check "$what: explain agrees${f:+ over IPv6}" ask explain "$node" "$from$f" "$to$f" tcp 9000 \
			verdict=allow "masquerade=$([ "$as" = null ] && echo - || at_address "$as$f")" "$@"
	done
}

world 4
check "there is an outside" outside
ask serve p2a tcp 8080
ask serve p2a udp 8053
ask serve n2 tcp 8022

# Into which pieces the host has cut what it forwards, it is from outside ----------------------------
ask serve p1a udp 8055
for f in "" /6; do
	v=${f:+ over IPv6}
	# The path's MTU is learned first.
	check "from outside, in pieces$v" eventually 100 ask udp net "p1a$f" 8055 size=4000
	w n1 policy add id 301 ingress peer id 302 allow
	before=$(ask count n1 policy_ingress)
	check_not "which are no words of the host$v" ask udp net "p1a$f" 8055 size=4000
	check "and counted$v" test "$(ask count n1 policy_ingress)" -gt "$before"
	w n1 policy del id 301 ingress peer id 302 allow
done

# Masquerading -----------------------------------------------------------------------------------
leaves "without rules a pod keeps its address" p1a far p1a
tells "without rules" n1 p1a far null via=null gateway=-
w n1 <<-END
egress add any to 0.0.0.0/0 masquerade
egress add any to ::/0 masquerade
egress add any to 203.0.113.0/24 keep
egress add any to 2001:db8:113::/48 keep
END
leaves "masqueraded" p1a far n1
tells "masqueraded" n1 p1a far n1 via=null gateway=-
leaves "but not to those of the list" p1a other p1a
tells "but not to those of the list" n1 p1a other null
for f in "" /6; do
	v=${f:+ over IPv6}
	check "much, masqueraded$v" ask tcp p1a "far$f" 9000 size=300000
	check "in pieces, masqueraded$v" eventually 100 ask udp p1a "far$f" 9000 size=4000
	check "an error comes back$v" grep -q '^refused' <<<"$(ask udp p1a "far$f" 9099)"
	equals "a pod elsewhere sees a pod$v" "p2a $(at_address "p1a$f")" \
		"$(ask tcp p1a "p2a$f" 8080 | cut -d ' ' -f 1,2)"
	equals "another node sees a pod$v" "n2 $(at_address "p1a$f")" \
		"$(ask tcp p1a "n2$f" 8022 | cut -d ' ' -f 1,2)"
done

# One that conntrack has let go is another connection, also where the cache knew it.
for f in "" /6; do
	v=${f:+ over IPv6}
	for _ in {1..10}; do ask udp p1a "far$f" 9000 sport=21400 >/dev/null; done
	at n1 conntrack -F -f "$([ -z "$f" ] && echo ipv4 || echo ipv6)" 2>/dev/null
	equals "masqueraded, forgotten, masqueraded$v" "net $(at_address "n1$f")" \
		"$(ask udp p1a "far$f" 9000 sport=21400 | cut -d ' ' -f 1,2)"
done

# The more exactly named the pod, the sooner its rule; then the longest prefix.
w n1 <<-END
egress add id 301 to 198.51.100.0/24 masquerade as ${LEND4[n1]}
egress add id 301 to 2001:db8:100::/48 masquerade as ${LEND6[n1]}
END
leaves "an identity before any pod, with an address given" p1a far lend1
tells "an identity before any pod" n1 p1a far lend1
leaves "others as before" p1b far n1
w n1 <<-END
egress add ${POD4[p1a]} to 198.51.100.0/24 keep
egress add ${POD6[p1a]} to 2001:db8:100::/48 keep
END
leaves "an address before its identity" p1a far p1a
w n1 <<-END
egress replace ${POD4[p1a]} to 198.51.100.0/24 skip
egress replace ${POD6[p1a]} to 2001:db8:100::/48 skip
END
leaves "skipped, the next one" p1a far lend1
w n1 <<-END
egress replace id 301 to 198.51.100.0/24 skip
egress replace id 301 to 2001:db8:100::/48 skip
egress add id 301 to 198.51.0.0/16 keep
egress add id 301 to 2001:db8::/32 keep
END
leaves "the longest prefix, skipped, and then those of any pod" p1a far n1
w n1 <<-END
egress del ${POD4[p1a]} to 198.51.100.0/24
egress del ${POD6[p1a]} to 2001:db8:100::/48 skip
egress del id 301 to 198.51.100.0/24
egress del id 301 to 2001:db8:100::/48
END
leaves "and without it" p1a far p1a
w n1 <<-END
egress del id 301 to 198.51.0.0/16
egress del id 301 to 2001:db8::/32
END

# A rule is about connections that begin.
for f in "" /6; do
	v=${f:+ over IPv6}
	check "a connection that is masqueraded$v" ask open tcp p1a tcp "far$f" 9000
	check "one over UDP$v" ask open udp p1a udp "far$f" 9000
	[ -n "$f" ] && any=::/0 || any=0.0.0.0/0
	w n1 egress replace any to $any masquerade as "$(at_address "lend1$f")"
	check "goes on when the rule is another$v" ask talk tcp size=10000
	equals "over UDP as well, as it was$v" "net $(at_address "n1$f")" "$(ask talk udp | cut -d ' ' -f 1,2)"
	equals "the next one is as the rule says$v" "net $(at_address "lend1$f")" \
		"$(ask tcp p1a "far$f" 9000 | cut -d ' ' -f 1,2)"
	w n1 egress replace any to $any masquerade
	ask close tcp
	ask close udp
done
translated() { w n1 -j flow show | grep -oE '\{[^}]*\}' | grep '"dst": *"198.51.100.9"' | grep '"nat_src": *"192.0.2.1:'; }
ask open tcp p1a tcp far 9000 >/dev/null
ask talk tcp size=300000
cached "flow show tells the translation" translated
ask close tcp

# Policy is asked about who it is, not as whom it leaves.
w n1 policy add id 301 egress peer 203.0.113.0/24 allow
check "policy allows" ask tcp p1a other 9000
check "policy denies what is masqueraded" ask blocked n1 policy_egress p1a tcp far 9000
w n1 policy flush

# A service that leads outside; who asks from there.
w n1 <<-END
service add $VIP:80/tcp
backend add $VIP:80/tcp to $FAR:9000
END
ask name vip $VIP $VIP6
equals "a service whose backend is outside" "net $N1" "$(ask tcp p1a vip 80 | cut -d ' ' -f 1,2)"
w n1 service del $VIP:80/tcp
ask serve p1a tcp 8080
check "who comes from outside has its answer" ask tcp net p1a 8080
check "over IPv6" ask tcp net p1a/6 8080

# By words, and what is no rule ----------------------------------------------------------------------
equals "show" "$(printf '%s\n' "any 0.0.0.0/0 masquerade" "any 2001:db8:113::/48 keep" \
	"any 203.0.113.0/24 keep" "any ::/0 masquerade" | sort)" \
	"$(w n1 egress show | awk 'NR > 1 { print $1, $2, $3 }' | sort)"
refuses "twice" "there is a rule .* already" w n1 egress add any to ::/0 keep
refuses "what is not there" "there is no rule" w n1 egress del any to 10.0.0.0/8
refuses "another family" "as: .*another family" w n1 egress add id 3 to ::/0 masquerade as 192.0.2.1
refuses "a pod of another family" "source: .*different families" w n1 egress add 10.1.0.5 to ::/0 keep
refuses "nothing to skip to" "action: .*any pod" w n1 egress add any to 10.0.0.0/8 skip
refuses "nobody" "as: this cannot be" w n1 egress add any to 10.0.0.0/8 masquerade as 224.0.0.1
refuses "a batch, whole" "there is no rule" w n1 <<-END
egress add any to 10.0.0.0/8 keep
egress del any to 11.0.0.0/8
END
check "of which nothing has come" eval '! w n1 egress show | grep -q 10.0.0.0/8'

# Gateways -----------------------------------------------------------------------------------------
# The pods of n1 that have identity 301 leave by n2 for one prefix; the rest is masqueraded by n1.
w n1 <<-END
egress add id 301 to 198.51.100.0/24 via $N2
egress add id 301 to 2001:db8:100::/48 via $N2
END
check "a node is a gateway for nobody unless it says so" ask blocked n2 no_endpoint p1a tcp far 9000
check "explain: nor does it say that it is" ask explain n2 p1a far tcp 9000 verdict=drop reason=no_endpoint
w n2 <<-END
egress add any to 0.0.0.0/0 masquerade
egress add any to ::/0 masquerade
END
check "masquerading its own pods it is none for others" ask blocked n2 no_endpoint p1a tcp far/6 9000
w n2 <<-END
egress add id 301 to 198.51.100.0/24 gateway as ${LEND4[n2]}
egress add id 301 to 2001:db8:100::/48 gateway as ${LEND6[n2]}
END
leaves "by the gateway" p1a far lend2
tells "by the gateway" n1 p1a far null "via=$N2" gateway=true
tells "and there" n2 p1a far lend2 via=null gateway=-
leaves "to others as before" p1a other p1a
leaves "other pods as before" p1b far n1
leaves "the gateway's own pods as before" p2a far n2
for f in "" /6; do
	v=${f:+ over IPv6}
	check "much, by the gateway$v" ask tcp p1a "far$f" 9000 size=300000
	check "in pieces, by the gateway$v" eventually 100 ask udp p1a "far$f" 9000 size=4000
	check "an error comes back by the gateway$v" grep -q '^refused' <<<"$(ask udp p1a "far$f" 9099)"
	check "the tunnel's port is not reached by it$v" ask blocked n1 tunnel_port p1a udp "far$f" 8472
	check "a pod elsewhere is no outside$v" ask tcp p1a "p2a$f" 8080
done

# Nobody comes in by that way: only answers do.
batch net <<-END
route replace 10.1.0.0/24 via $N2
route replace fd00:1::/64 via $N26
END
for f in "" /6; do
	v=${f:+ over IPv6}
	check "the gateway does not open the way in$v" ask blocked n1 foreign_source net tcp "p1a$f" 8080 "src=far$f"
	check "nor to other pods$v" ask blocked n1 foreign_source net udp "p1b$f" 8080 "src=far$f"
	check "its own connection has answers$v" ask tcp p1a "far$f" 9000
done
w n1 <<-END
egress replace id 301 to 198.51.100.0/24 keep
egress replace id 301 to 2001:db8:100::/48 keep
END
for a in $FAR $FAR6; do
	before=$(ask count n1 foreign_source)
	at p1a bash -c "echo >/dev/udp/$a/9000"
	check "answers to what left by another way do not come by it, $a" \
		eventually 60 eval '[ "$(ask count n1 foreign_source)" -gt "$before" ]'
done
w n1 <<-END
egress replace id 301 to 198.51.100.0/24 via $N2
egress replace id 301 to 2001:db8:100::/48 via $N2
END
batch net <<-END
route replace 10.1.0.0/24 via $N1
route replace fd00:1::/64 via $N16
END

# Exceptions, a pod by its address, the gateway's own pods.
w n1 <<-END
egress add id 301 to $FAR/32 skip
egress add id 301 to $FAR6/128 skip
END
leaves "an exception goes as if there were no gateway" p1a far n1
w n1 <<-END
egress del id 301 to $FAR/32
egress del id 301 to $FAR6/128
egress add ${POD4[p1b]} to 203.0.113.0/24 via $N2
egress add ${POD6[p1b]} to 2001:db8:113::/48 via $N2
END
w n2 <<-END
egress add ${POD4[p1b]} to 203.0.113.0/24 gateway
egress add ${POD6[p1b]} to 2001:db8:113::/48 gateway
egress add id 401 to 198.51.100.0/24 gateway as ${LEND4[n2]}
egress add id 401 to 2001:db8:100::/48 gateway as ${LEND6[n2]}
END
leaves "a pod by its address, with the address that the gateway has" p1b other n2
leaves "pods of the gateway itself" p2a far lend2

# Policy is that of the pod's own node.
w n1 policy add id 301 egress peer 203.0.113.0/24 allow
check "policy denies before the gateway" ask blocked n1 policy_egress p1a tcp far 9000
w n1 policy flush

# Connections that exist, with and without the gateway; a gateway that is gone.
check "a connection by the gateway" ask open tcp p1a tcp far 9000
check "goes on when the gateway masquerades with another address" eval \
	'w n2 egress replace id 301 to 198.51.100.0/24 gateway && ask talk tcp size=10000'
equals "which new ones get" "net $N2" "$(ask tcp p1a far 9000 | cut -d ' ' -f 1,2)"
check "is not let out when the gateway is none any more" eval \
	'w n2 egress del id 301 to 198.51.100.0/24 && ask cut tcp n2 no_endpoint'
ask close tcp
w n2 egress add id 301 to 198.51.100.0/24 gateway as "${LEND4[n2]}"
check "without the cache" eval 'w n1 device set wattle0 cache off && w n2 device set wattle0 cache off &&
	ask tcp p1a far 9000 size=50000 && ask tcp p1a far/6 9000 size=50000'
ask capture wire net br0 >/dev/null
w n1 node del n2
for f in "" /6; do
	v=${f:+ over IPv6}
	check "without the gateway there is no way out$v" ask blocked n1 no_gateway p1a tcp "far$f" 9000
	check "explain: none$v" ask explain n1 p1a$f far$f tcp 9000 verdict=drop reason=no_gateway \
		masquerade=- via=null
done
check "of which nothing is seen outside" ask unseen wire " > (198.51.100.9|2001:db8:100::9) "
ask uncapture wire >/dev/null
w n1 node add n2 addr $N2 addr $N26 cidr 10.2.0.0/24 cidr fd00:2::/64
leaves "it is back" p1a far lend2

# By manifests --------------------------------------------------------------------------------------
manifests()
{
	local n p

	for n in 1 2; do
		echo "- {apiVersion: v1, kind: Node, metadata: {name: n$n, labels: {name: n$n}},"
		echo "   spec: {podCIDRs: [10.$n.0.0/24, 'fd00:$n::/64']}, status: {addresses: ["
		echo "   {type: InternalIP, address: 192.0.2.$n}, {type: InternalIP, address: '2001:db8:f::$n'}]}}"
	done
	for p in $PODS1 $PODS2; do
		echo "- {apiVersion: v1, kind: Pod, metadata: {name: $p, namespace: test, labels: {app: $p}},"
		echo "   spec: {nodeName: ${NODE_OF[$p]}}, status: {podIPs: [{ip: ${POD4[$p]}}, {ip: '${POD6[$p]}'}]}}"
	done
}
policy() # NAME PREFIX ADDR
{
	echo "- {apiVersion: cilium.io/v2, kind: CiliumEgressGatewayPolicy, metadata: {name: $1}, spec: {"
	echo "   selectors: [{podSelector: {matchLabels: {app: p1a}}}], destinationCIDRs: ['$2'],"
	echo "   egressGateway: {nodeSelector: {matchLabels: {name: n2}}, egressIP: '$3'}}}"
}
list() { printf 'apiVersion: v1\nkind: List\nitems:\n'; "$@"; }
both_policies() { manifests; policy four 198.51.100.0/24 "${LEND4[n2]}"; policy six 2001:db8:100::/48 "${LEND6[n2]}"; }

files=$(mktemp -d)
list both_policies >"$files/with.yaml"
list manifests >"$files/without.yaml"
check "manifests are applied" apply_both -f "$files/with.yaml"
leaves "by the gateway of a policy" p1a far lend2
leaves "others by the rules made by hand" p1b far n1
check_not "a second time there is nothing to do" eval \
	'w n1 apply --node n1 -f "$files/with.yaml" --dry-run --diff | grep egress'
check "without the policy" apply_both -f "$files/without.yaml"
leaves "by the rules made by hand" p1a far n1
rm -r "$files"

finish
