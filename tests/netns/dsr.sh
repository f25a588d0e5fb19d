#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Direct server return: a client from outside comes to n1, a pod of n2 answers it, by n2. Who is
# seen as the client; which way answers and errors about them take; what becomes of connections when
# backends change; that no other way is opened by it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

# PORT POD...: a node port of both families and protocols, on both nodes
node_port()
{
	local port=$1 pod

	shift
	echo "service add 0.0.0.0:$port/tcp dsr on"
	echo "service add 0.0.0.0:$port/udp dsr on"
	echo "service add [::]:$port/tcp dsr on"
	echo "service add [::]:$port/udp dsr on"
	for pod; do
		echo "backend add 0.0.0.0:$port/tcp to ${POD4[$pod]}:8080"
		echo "backend add 0.0.0.0:$port/udp to ${POD4[$pod]}:8053"
		echo "backend add [::]:$port/tcp to [${POD6[$pod]}]:8080"
		echo "backend add [::]:$port/udp to [${POD6[$pod]}]:8053"
	done
}

at_address()
{
	case $1 in
	n1) echo $N1 ;; n1/6) echo $N16 ;;
	net) echo $OUT ;; net/6) echo $OUT6 ;;
	*/6) echo "${POD6[${1%/6}]}" ;;
	*) echo "${POD4[$1]}" ;;
	esac
}

# Who answers, and whom it takes for the client; both protocols, both families.
comes() # WHAT FROM TO PORT POD CLIENT
{
	local f proto

	for f in "" /6; do
		for proto in tcp udp; do
			equals "$1, $proto${f:+ over IPv6}" "$5 $(at_address "$6$f")" \
				"$(ask $proto "$2" "$3$f" "$4" | cut -d ' ' -f 1,2)"
		done
	done
}

# A host behind the outside one, over a way that is narrower there than back.
far()
{
	namespace far
	batch net <<-END
	link add far type veth peer name eth0 netns wt-far
	link set far up
	addr add 198.51.100.1/32 dev far
	addr add 2001:db8:a::1/128 dev far nodad
	route add 198.51.100.0/24 dev far mtu lock 1300
	route add 2001:db8:a::/64 dev far mtu 1300
	END
	batch far <<-END
	link set eth0 up
	addr add 198.51.100.7/24 dev eth0
	addr add 2001:db8:a::7/64 dev eth0 nodad
	route add default via 198.51.100.1
	route add default via 2001:db8:a::1
	END
	ask name far 198.51.100.7 2001:db8:a::7
}

# The pod knows how narrow the way to the far host is.
narrow()
{
	local far=198.51.100.7

	[ -z "$1" ] || far=2001:db8:a::7
	ip -n wt-p2a route get "$far" | grep -q 'mtu 1300'
}

resets() { ! ask talk "$1"; }

# kept PROTO SECONDS: by n1, at least
kept()
{
	at n1 conntrack -L -p "$1" --orig-dst $N1 2>/dev/null |
		awk -v least="$2" '/UNREPLIED/ && $3 > least { found = 1 } END { exit !found }'
}

# The backend that n1 has for them.
bound_to()
{
	at n1 conntrack -L -p "$1" --orig-dst $N1 2>/dev/null | grep -q "src=$2 dst=$OUT"
}

# wire WHAT TARGET WORDS...: out of n1, which is a node that n2 knows
wire()
{
	local what=$1 target=$2

	shift 2
	check "$what" ask vxlan n1 from=n1 to=n2 "$@" "$target"
}

world 4
for n in n1 n2 net; do ask sysctl $n net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
far
for p in $PODS1 $PODS2; do
	ask serve "$p" tcp 8080
	ask serve "$p" udp 8053
done
ask name vip $VIP $VIP6
at net ip route add $VIP/32 via $N1
at net ip -6 route add $VIP6/128 via $N16
both <<<"$(node_port 30001 p2a)"

# The way ------------------------------------------------------------------------------------
ask capture n1 n1 eth0 >/dev/null
ask capture n2 n2 eth0 >/dev/null
comes "outside, to a pod elsewhere, which sees who asks" net n1 30001 p2a net
for proto in tcp udp; do
	check "the question goes through the tunnel as it is, $proto" ask seen n1 \
		"192.0.2.1 > 192.0.2.2 .*\[ .*192.0.2.9 > 192.0.2.1 .*$proto [0-9]+ > 30001 "
	check "the answer comes from the other node, $proto" ask seen n2 \
		"192.0.2.1 > 192.0.2.9 .*$proto 30001 > "
	check "over IPv6 as well, $proto" ask seen n2 "f::1 > 2001:db8:f::9 .*$proto 30001 > "
done
check "and not by the first" ask unseen n1 "(192.0.2.1|f::1) > (192.0.2.9|2001:db8:f::9) .*(tcp|udp) 30001 > "
ask uncapture n1 >/dev/null
ask uncapture n2 >/dev/null
for f in "" /6; do
	v=${f:+ over IPv6}
	check "explain: the other node answers$v" ask explain n1 "net$f" "n1$f" tcp 30001 \
		verdict=allow dsr=true via=192.0.2.2 "backend=.*${f:+\[}$(at_address p2a$f)${f:+\]}:8080"
	check "but not by the other node itself$v" ask explain n2 "net$f" "n2$f" tcp 30001 verdict=allow dsr=-
	check "nor for a pod$v" ask explain n1 "p1a$f" "n1$f" tcp 30001 verdict=allow dsr=-
	check "much both ways, TCP$v" ask tcp net "n1$f" 30001 size=300000
	check "a datagram in pieces$v" eventually 60 ask udp net "n1$f" 30001 size=4000
	check "a narrow way of the answers$v" ask tcp far "n1$f" 30001 size=300000
	check "which the pod was told$v" narrow "$f"
	check "explain names a far client's way$v" ask explain n1 "far$f" "n1$f" udp 30001 dsr=true
done
comes "outside, by the node of the pod" net n2 30001 p2a net
comes "a pod, by its node" p1a n1 30001 p2a p1a
comes "a pod, by another node, to one beside it" p2b n1 30001 p2a n1
comes "a node" n1 n1 30001 p2a n1

# A connection that lasts: known flows, counted where they pass.
for f in "" /6; do
	for proto in tcp udp; do
		v=", $proto${f:+ over IPv6}"
		check "a connection that stays$v" ask open "c$proto$f" net $proto "n1$f" 30001
		for _ in {1..20}; do ask talk "c$proto$f" 900 >/dev/null || break; done
		check "goes on$v" ask talk "c$proto$f" 900
		ask forget n2
		check "also where its node forgets$v" ask talk "c$proto$f" 900
	done
done
check "conntrack shows the backend" eval \
	"at n1 conntrack -L -p udp --orig-dst $N1 2>/dev/null | grep -q 'src=10.2.0.7 dst=192.0.2.9 sport=8053'"
# Of a connection that shows one side only it knows little, and keeps it all the same.
check "TCP is kept for longer than keepalive is silent" kept tcp 7000
check "UDP for longer than what is not answered" eval "ask talk cudp && kept udp 31"
w n2 device set wattle0 cache off
check "without the cache" ask talk ctcp 900
check "without the cache, UDP" ask talk cudp 900
w n2 device set wattle0 cache on

# Policy ------------------------------------------------------------------------------------------
w n2 policy add id 401 ingress peer $OUT/32 proto tcp port 8080 allow
check "policy knows who asks" ask tcp net n1 30001
check "which goes on by TCP" ask talk ctcp
check "and cuts the conversation by UDP" ask cut cudp n2 policy_ingress
check "others are denied" ask blocked n2 policy_ingress far tcp n1 30001
w n2 policy flush
check "until they are not" ask talk cudp

# Backends change -------------------------------------------------------------------------------------
both <<<"$(node_port 30002 p2a p2b p1a)"
equals "all are chosen, TCP" "p1a p2a p2b " "$(answers 60 tcp net n1 30002)"
equals "all are chosen, UDP over IPv6" "p1a p2a p2b " "$(answers 60 udp net n1/6 30002)"
both <<-END
backend del 0.0.0.0:30001/tcp to 10.2.0.7:8080
backend add 0.0.0.0:30001/tcp to 10.2.0.8:8080
backend del 0.0.0.0:30001/udp to 10.2.0.7:8053
backend add 0.0.0.0:30001/udp to 10.2.0.8:8053
END
check "a backend goes: TCP is reset" eventually 20 resets ctcp
equals "and begins with another" "p2b $OUT" "$(ask tcp net n1 30001 | cut -d ' ' -f 1,2)"
check "a backend goes: UDP goes on" eventually 20 ask talk cudp
check "with another" bound_to udp 10.2.0.8
check "others do not notice" ask talk ctcp/6
check "nor by UDP" ask talk cudp/6
w n2 backend del 0.0.0.0:30001/udp to 10.2.0.8:8053
check "a node that has no backend yet, or any more" ask blocked n2 no_backend net udp n1 30001
w n2 backend add 0.0.0.0:30001/udp to 10.2.0.8:8053
check "until it has" eventually 20 ask udp net n1 30001

# Addresses, affinity, Maglev ------------------------------------------------------------------------------
both <<-END
service add $VIP:80/tcp dsr on affinity 600
service add [$VIP6]:53/udp dsr on alg maglev maglev-size 251
$(for p in p1a p1b p2a p2b; do
	echo "backend add $VIP:80/tcp to ${POD4[$p]}:8080"
	echo "backend add [$VIP6]:53/udp to [${POD6[$p]}]:8053"
done)
END
# Two conversations that differ in the service alone: one has to get another port on the way.
both <<-END
service add $VIP:53/udp dsr on
backend add $VIP:53/udp to 10.2.0.8:8053
END
check "a client's port" ask open one net udp n1 30001 sport=5353
check "by two services to one backend" ask open two net udp vip 53 sport=5353
check "both are answered" eval "ask talk one && ask talk two && ask talk one"
one=$(answers 12 tcp net vip 80)
equals "affinity: one for all" 1 "$(wc -w <<<"$one")"
equals "Maglev: each" "p1a p1b p2a p2b " "$(answers 100 udp net vip/6 53)"

# Off again, and what there is not ----------------------------------------------------------------------------
both <<<"service replace 0.0.0.0:30002/tcp"
both <<<"backend del 0.0.0.0:30002/tcp to 10.1.0.5:8080"
equals "off: as the node" "$N1" "$(ask tcp net n1 30002 | cut -d ' ' -f 2)"
check "off: explain" ask explain n1 net n1 tcp 30002 verdict=allow dsr=-
equals "it is shown" "true false" "$(w n1 -j service show | jq -r \
	'[.[] | select(.proto == "tcp" and .addr == "0.0.0.0")] | sort_by(.port) | map(.dsr) | join(" ")')"

# By another node comes what is from outside and for such a service; nothing else.
handed="vni=2 src=net dst=n1 proto=udp"
# shellcheck disable=SC2086
{
wire "handed on" arrive=p2b:8053 $handed dport=30001
wire "as a pod here" drop=n2:wrong_identity vni=401 src=net dst=n1 proto=udp dport=30001
wire "as a pod of that node" drop=n2:wrong_identity vni=301 src=net dst=n1 proto=udp dport=30001
check "by who is no node" ask vxlan net from=net to=n2 $handed dport=30001 drop=n2:unknown_node
wire "to another port" drop=n2:foreign_source $handed dport=30077
wire "to a pod" drop=n2:foreign_source vni=2 src=net dst=p2b proto=udp dport=8053
wire "of a pod here" drop=n2:foreign_source vni=402 src=p2b dst=n1 proto=udp dport=30001
wire "of an address of this node" drop=n2:foreign_source vni=1 src=n2 dst=n1 proto=udp dport=30001
}
for n in n1 n2; do w $n device set wattle0 strict off; done
for f in "" /6; do
	check "where senders are believed, in pieces${f:+ over IPv6}" eventually 60 ask udp net "n1$f" 30001 size=4000
done
for n in n1 n2; do w $n device set wattle0 strict on; done
refuses "SCTP" "direct server return is for TCP and UDP" w n1 service add 0.0.0.0:30009/sctp dsr on
refuses "another word" "maybe is not off\|on|off\\|on" w n1 service add 0.0.0.0:30009/tcp dsr maybe
finish
