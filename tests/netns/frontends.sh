#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Node ports and addresses for the outside: reached from there, by pods and by the nodes; who is
# seen as the client; for whom a frontend is; what becomes of those whom nobody takes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

refused() { tr 'A-Z' 'a-z' <<<"$1" | sed -E 's/^econn//; s/^refused .*/refused/'; }

# PORT BACKEND...: a node port of both families and protocols, on both nodes
node_port() # PORT OPTION... to POD...
{
	local port=$1 pod words="" scope=""

	shift
	while [ "$1" != to ]; do words+=" $1"; shift; done
	shift
	[[ $words == *"scope outside"* ]] && scope=" scope outside"
	echo "service add 0.0.0.0:$port/tcp$words"
	echo "service add 0.0.0.0:$port/udp$words"
	echo "service add [::]:$port/tcp$words"
	echo "service add [::]:$port/udp$words"
	for pod; do
		echo "backend add 0.0.0.0:$port/tcp$scope to ${POD4[$pod]}:8080"
		echo "backend add 0.0.0.0:$port/udp$scope to ${POD4[$pod]}:8053"
		echo "backend add [::]:$port/tcp$scope to [${POD6[$pod]}]:8080"
		echo "backend add [::]:$port/udp$scope to [${POD6[$pod]}]:8053"
	done
}

# Who answers, and whom it takes for the client.
comes() # WHAT FROM TO PORT POD CLIENT [PROTO]...
{
	local f proto v client

	[ $# -gt 6 ] || set -- "$@" tcp udp
	for f in "" /6; do
		v=${f:+ over IPv6}
		client=$(at_address "$6$f")
		for proto in "${@:7}"; do
			equals "$1, $proto$v" "$5 $client" \
				"$(ask $proto "$2" "$3$f" "$4" | cut -d ' ' -f 1,2)"
		done
	done
}

at_address()
{
	case $1 in
	n1) echo $N1 ;; n1/6) echo $N16 ;;
	n2) echo $N2 ;; n2/6) echo $N26 ;;
	net) echo $OUT ;; net/6) echo $OUT6 ;;
	*/6) echo "${POD6[${1%/6}]}" ;;
	*) echo "${POD4[$1]}" ;;
	esac
}

# The same by explain, on NODE.
says() # WHAT NODE FROM TO PORT POD [KEY=VALUE]...
{
	local what=$1 node=$2 from=$3 to=$4 port=$5 pod=$6

	shift 6
	check "$what: explain agrees" ask explain "$node" "$from" "$to" tcp "$port" verdict=allow \
		"service=0.0.0.0:$port/tcp" "backend=${POD4[$pod]}:8080" "$@"
	check "$what, over IPv6: explain agrees" ask explain "$node" "$from/6" "$to/6" udp "$port" \
		verdict=allow "service=.*:$port/udp" "backend=.*${POD6[$pod]}.*:8053" "$@"
}

world 4
for n in n1 n2; do ask sysctl $n net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
for p in $PODS1 $PODS2; do
	ask serve "$p" tcp 8080
	ask serve "$p" udp 8053
done
ask serve n1 tcp 8022
ask serve n1 udp 8022
ask name vip $VIP $VIP6
at net ip route add $VIP/32 via $N1
at net ip -6 route add $VIP6/128 via $N16

both <<-END
$(node_port 30001 to p1a)
$(node_port 30002 to p2a)
END

# Node ports: who reaches them, and as whom -------------------------------------------------
comes "outside, to a pod there" net n1 30001 p1a net
says "outside, to a pod there" n1 net n1 30001 p1a via=null
comes "outside, to a pod elsewhere" net n1 30002 p2a n1
says "outside, to a pod elsewhere" n1 net n1 30002 p2a via=192.0.2.2
comes "outside, by the other node" net n2 30002 p2a net
comes "a pod, by its node, to a pod elsewhere" p1b n1 30002 p2a p1b
says "a pod, by its node, to a pod elsewhere" n1 p1b n1 30002 p2a via=192.0.2.2
comes "a pod, by its node, to one beside it" p1b n1 30001 p1a p1b
comes "a pod, by its node, to itself" p1a n1 30001 p1a n1
comes "a pod, by another node, to a pod there" p1a n2 30002 p2a p1a
says "a pod, by another node, to a pod there" n2 p1a n2 30002 p2a via=null
comes "a pod, by another node, to one beside it" p1b n2 30001 p1a n2
comes "a pod, by another node, to itself" p1a n2 30001 p1a n2
comes "a node, by itself, to its pod" n1 n1 30001 p1a n1
comes "a node, by itself, to a pod elsewhere" n1 n1 30002 p2a n1
says "a node, by itself, to a pod elsewhere" n1 n1 n1 30002 p2a via=192.0.2.2
comes "a node, by another, to a pod there" n1 n2 30002 p2a n1
comes "a node, by another, to its own pod" n1 n2 30001 p1a n2
for f in "" /6; do
	v=${f:+ over IPv6}
	check "a large answer from elsewhere$v" ask tcp net "n1$f" 30002 size=300000
	check "a large answer to a pod by another node$v" ask tcp p1a "n2$f" 30002 size=300000
	check "a node's large answer$v" ask tcp n1 "n1$f" 30002 size=300000
	check "a datagram in pieces$v" eventually 60 ask udp net "n1$f" 30001 size=4000
	equals "other ports of the host$v" n1 "$(ask tcp net "n1$f" 8022 | cut -d ' ' -f 1)"
	equals "for pods$v" n1 "$(ask udp p1a "n1$f" 8022 | cut -d ' ' -f 1)"
	equals "for pods elsewhere$v" n1 "$(ask tcp p2a "n1$f" 8022 | cut -d ' ' -f 1)"
	equals "ports that nobody has are refused by the host$v" refused \
		"$(refused "$(ask tcp p1a "n1$f" 8023)")"
done
if modprobe -q sctp; then
	for p in p1a p2a; do ask serve $p sctp 8090; done
	both <<-END
	service add 0.0.0.0:30001/sctp
	service add 0.0.0.0:30002/sctp
	service add [::]:30001/sctp
	service add [::]:30002/sctp
	backend add 0.0.0.0:30001/sctp to ${POD4[p1a]}:8090
	backend add 0.0.0.0:30002/sctp to ${POD4[p2a]}:8090
	backend add [::]:30001/sctp to [${POD6[p1a]}]:8090
	backend add [::]:30002/sctp to [${POD6[p2a]}]:8090
	END
	comes "outside, to a pod there" net n1 30001 p1a net sctp
	comes "outside, to a pod elsewhere" net n1 30002 p2a n1 sctp
	comes "a pod, by its node, to a pod elsewhere" p1b n1 30002 p2a p1b sctp
	comes "a node, by itself, to a pod elsewhere" n1 n1 30002 p2a n1 sctp
	check "a large answer from elsewhere, sctp" ask sctp net n1 30002 size=100000
else
	skip "node ports, sctp" "this kernel has none"
fi
for a in 127.0.0.1 ::1; do
	equals "not on $a, TCP" refused "$(refused "$(ask tcp n1 $a 30001)")"
	equals "not on $a, UDP" refused "$(refused "$(ask udp n1 $a 30001)")"
	check "explain: not on $a" ask explain n1 $a $a tcp 30001 verdict=allow service=null
done

# All addresses that the host has, and those it gets.
ip -n wt-n1 addr add 198.51.100.1/32 dev lo
at net ip route add 198.51.100.1/32 via $N1
equals "an address that the host gets" "p1a $OUT" "$(ask tcp net 198.51.100.1 30001 | cut -d ' ' -f 1,2)"
equals "by which a node asks, too" "p2a $N1" "$(ask tcp n1 198.51.100.1 30002 | cut -d ' ' -f 1,2)"
equals "and its pods" "p2a ${POD4[p1b]}" "$(ask tcp p1b 198.51.100.1 30002 | cut -d ' ' -f 1,2)"
ip -n wt-n1 addr del 198.51.100.1/32 dev lo
check "not one that it has lost" ask explain n1 p1b 198.51.100.1 tcp 30002 service=null

# Policy knows a client that was given the node's address as that node.
w n2 policy add id 401 ingress peer id 2 allow
check "the outside is who it is" ask tcp net n2 30002
check "by another node it is that" ask blocked n2 policy_ingress net tcp n1 30002
w n2 policy add id 401 ingress peer id 6 allow
check "which may be allowed" ask tcp net n1 30002
w n2 policy flush

# Backends change ----------------------------------------------------------------------------
both <<-END
backend add 0.0.0.0:30002/tcp to 10.2.0.8:8080
backend del 0.0.0.0:30002/tcp to 10.2.0.7:8080
END
equals "another backend, from outside" "p2b $N1" "$(ask tcp net n1 30002 | cut -d ' ' -f 1,2)"
equals "from a pod" "p2b ${POD4[p1a]}" "$(ask tcp p1a n1 30002 | cut -d ' ' -f 1,2)"
both <<<"service add $N1:30002/tcp"
w n1 backend add $N1:30002/tcp to 10.1.0.6:8080
equals "one address before all" "p1b $OUT" "$(ask tcp net n1 30002 | cut -d ' ' -f 1,2)"
both <<-END
service del $N1:30002/tcp
service del 0.0.0.0:30002/tcp
END
equals "a node port that is gone" refused "$(refused "$(ask tcp net n1 30002)")"

# For whom ---------------------------------------------------------------------------------------
both <<<"$(node_port 30003 to p1a p2a)"
w n1 <<<"$(node_port 30003 scope outside to p1a)"
w n2 <<<"$(node_port 30003 scope outside empty drop to)"
for f in "" /6; do
	v=${f:+ over IPv6}
	equals "outside, its own frontend$v" "p1a $(at_address "net$f") " "$(
		for _ in {1..8}; do ask tcp net "n1$f" 30003 || exit; done | cut -d ' ' -f 1,2 | sort -u | tr '\n' ' ')"
	equals "a pod, the other$v" "p1a p2a " "$(answers 16 tcp p1b "n1$f" 30003)"
	equals "a node by itself, the other$v" "p1a p2a " "$(answers 16 udp n1 "n1$f" 30003)"
	equals "by another node it is outside$v" "p1a $(at_address "n2$f") " "$(
		for _ in {1..8}; do ask udp n2 "n1$f" 30003 || exit; done | cut -d ' ' -f 1,2 | sort -u | tr '\n' ' ')"
	check "explain: outside$v" ask explain n1 "net$f" "n1$f" tcp 30003 verdict=allow \
		"backend=.*$(at_address "p1a$f").*" via=null
done
ask capture wire net br0 >/dev/null
for f in "" /6; do
	v=${f:+ over IPv6}
	for proto in tcp udp; do
		check "nobody for those from outside, $proto$v" ask blocked n2 no_backend net $proto "n2$f" 30003
		check "nor for another node, $proto$v" ask blocked n2 no_backend n1 $proto "n2$f" 30003
	done
	check "explain: nobody$v" ask explain n2 "net$f" "n2$f" udp 30003 verdict=drop reason=no_backend
	check "but for a pod$v" ask tcp p2b "n2$f" 30003
done
check "of which they hear nothing" ask unseen wire "(tcp|udp) 30003 > |192.0.2.2 > 192.0.2.9 .*icmp|f::2 > .*f::9 .*icmpv6 type 1 "
both <<<"$(node_port 30004 to)"
for f in "" /6; do
	v=${f:+ over IPv6}
	for from in net p1a p2a; do
		equals "nobody, $from is told by TCP$v" refused "$(refused "$(ask tcp $from "n1$f" 30004)")"
		equals "nobody, $from is told by UDP$v" refused "$(refused "$(ask udp $from "n1$f" 30004)")"
	done
	equals "nobody, a node is told by TCP$v" refused "$(refused "$(ask tcp n1 "n1$f" 30004)")"
	check_not "nobody, a node by UDP$v" ask udp n1 "n1$f" 30004
	check "explain: told$v" ask explain n1 "net$f" "n1$f" tcp 30004 verdict=reject reason=no_backend
done
ask uncapture wire >/dev/null

# From where ---------------------------------------------------------------------------------------
both <<-END
service add 0.0.0.0:30005/tcp source 198.51.100.0/24 source $OUT/32 source ${POD4[p1a]}/32
backend add 0.0.0.0:30005/tcp to 10.2.0.7:8080
service add [::]:30005/tcp source $OUT6/128 source ${POD6[p1a]}/128 source-policy allow
backend add [::]:30005/tcp to [fd00:2::7]:8080
service add 0.0.0.0:30006/tcp source $OUT/32 source ${POD4[p1a]}/32 source-policy deny
backend add 0.0.0.0:30006/tcp to 10.2.0.7:8080
service add [::]:30006/tcp source $OUT6/128 source ${POD6[p1a]}/128 source-policy deny
backend add [::]:30006/tcp to [fd00:2::7]:8080
END
for f in "" /6; do
	v=${f:+ over IPv6}
	check "outside that may$v" ask tcp net "n1$f" 30005
	check "a pod that may$v" ask tcp p1a "n1$f" 30005
	check "by another node$v" ask tcp p1a "n2$f" 30005
	check "a pod that may not$v" ask blocked n1 source_range p1b tcp "n1$f" 30005
	check "by another node it may not either$v" ask blocked n2 source_range p1b tcp "n2$f" 30005
	check "another node, which is not named$v" ask blocked n1 source_range n2 tcp "n1$f" 30005
	check "the host's own programs by itself$v" ask tcp n1 "n1$f" 30005
	check "outside that may not$v" ask blocked n1 source_range net tcp "n1$f" 30006
	check "a pod that is named$v" ask blocked n1 source_range p1a tcp "n1$f" 30006
	check "one that is not$v" ask tcp p1b "n1$f" 30006
	check "explain: may$v" ask explain n1 "net$f" "n1$f" tcp 30005 verdict=allow
	check "explain: may not$v" ask explain n1 "p1b$f" "n1$f" tcp 30005 verdict=drop \
		reason=source_range "service=.*:30005/tcp" backend=null
	check "explain: may not, from outside$v" ask explain n1 "net$f" "n1$f" tcp 30006 verdict=drop \
		reason=source_range
done
both <<-END
service add $VIP:86/tcp source $N2/32
backend add $VIP:86/tcp to 10.2.0.7:8080
service add [$VIP6]:86/tcp source $N26/128
backend add [$VIP6]:86/tcp to [fd00:2::7]:8080
END
for f in "" /6; do
	v=${f:+ over IPv6}
	check "programs of a host that may$v" ask tcp n2 "vip$f" 86
	check "and may not$v" ask blocked n1 source_range n1 tcp "vip$f" 86
	check "explain: may not$v" ask explain n1 "n1$f" "vip$f" tcp 86 verdict=drop reason=source_range
done
both <<<"service replace 0.0.0.0:30006/tcp"
check "without sources everybody" ask tcp net n1 30006

# Addresses for the outside ------------------------------------------------------------------------
both <<-END
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:8080
service add [$VIP6]:80/tcp
backend add [$VIP6]:80/tcp to [fd00:2::7]:8080
service add $VIP:81/tcp
backend add $VIP:81/tcp to 10.1.0.5:8080
service add [$VIP6]:81/tcp scope outside
backend add [$VIP6]:81/tcp scope outside to [fd00:1::5]:8080
service add $N1:8088/tcp
backend add $N1:8088/tcp to 10.1.0.6:8080
END
equals "an address for the outside, a pod elsewhere" "p2a $N1" "$(ask tcp net vip 80 | cut -d ' ' -f 1,2)"
equals "over IPv6" "p2a $N16" "$(ask tcp net vip/6 80 | cut -d ' ' -f 1,2)"
equals "a pod here" "p1a $OUT" "$(ask tcp net vip 81 | cut -d ' ' -f 1,2)"
equals "for the outside alone, over IPv6" "p1a $OUT6" "$(ask tcp net vip/6 81 | cut -d ' ' -f 1,2)"
equals "which pods have none of" refused "$(refused "$(ask tcp p1b vip/6 81)")"
equals "a port of a host" "p1b $OUT" "$(ask tcp net n1 8088 | cut -d ' ' -f 1,2)"
equals "by another node, which knows of it" "p1b ${POD4[p2b]}" "$(ask tcp p2b n1 8088 | cut -d ' ' -f 1,2)"
equals "and whose pods reach the host's own ports" n1 "$(ask tcp p2b n1 8022 | cut -d ' ' -f 1)"
for f in "" /6; do
	v=${f:+ over IPv6}
	equals "other ports are refused, TCP$v" refused "$(refused "$(ask tcp net "vip$f" 99)")"
	equals "other ports are refused, UDP$v" refused "$(refused "$(ask udp net "vip$f" 99)")"
	check "explain: refused$v" ask explain n1 "net$f" "vip$f" udp 99 verdict=reject reason=no_service_port
done

# The path's MTU, of the tunnel, is told to who is outside, about the packet that he sent.
for f in "" /6; do
	v=${f:+ over IPv6}
	equals "what is too big for the tunnel$v" "toobig 1450 $(at_address "n1$f")" \
		"$(ask udp net "n1$f" 30002 size=1440 df=1)"
done
at n1 ip route add $N2 dev eth0 mtu 1400
for f in "" /6; do
	v=${f:+ over IPv6}
	equals "what is too big for the way of the tunnel$v" "toobig 1350 $(at_address "n1$f")" \
		"$(ask udp net "n1$f" 30002 size=1390 df=1)"
done
at n1 ip route del $N2 dev eth0 mtu 1400

# Backends that are no pods: nodes, as those of the API server, and who is outside ------------------------
for n in n2 net; do ask serve $n tcp 8022; done
both <<-END
service add $VIP:87/tcp
backend add $VIP:87/tcp to $N1:8022
service add [$VIP6]:87/tcp
backend add [$VIP6]:87/tcp to [$N16]:8022
service add $VIP:88/tcp
backend add $VIP:88/tcp to $N2:8022
service add [$VIP6]:88/tcp
backend add [$VIP6]:88/tcp to [$N26]:8022
service add $VIP:89/tcp
backend add $VIP:89/tcp to $OUT:8022
service add [$VIP6]:89/tcp
backend add [$VIP6]:89/tcp to [$OUT6]:8022
END
reaches() # FROM PORT WHO CLIENT
{
	equals "$1 to $3 by a service$v" "$3 $(at_address "$4$f")" \
		"$(ask tcp "$1" "vip$f" "$2" | cut -d ' ' -f 1,2)"
}
for f in "" /6; do
	v=${f:+ over IPv6}
	for from in p1a p2a n1 n2 net; do reaches $from 87 n1 $from; done
	reaches p1a 88 n2 p1a
	reaches n1 88 n2 n1
	reaches net 88 n2 n1
	reaches p1a 89 net p1a
	reaches n1 89 net n1
	reaches net 89 net n1
done

# Addresses of a range for services that no service has: who is outside would send them back.
at net ip route add 10.96.0.0/16 via $N1
at net ip -6 route add fd00:96::/64 via $N16
both <<-END
range add 10.96.0.0/16
range add fd00:96::/64
END
ask capture wire net br0 >/dev/null
for to in 10.96.0.99 fd00:96::99; do
	for from in p1a n1 net; do
		check "$from to $to, of a range" ask blocked n1 no_service $from tcp $to 80
		check "$from to $to, of a range, UDP" ask blocked n1 no_service $from udp $to 53
		check "$from to $to, of a range, a ping" ask blocked n1 no_service $from ping $to
	done
done
check "explain: nobody's" ask explain n1 p1a 10.96.0.99 tcp 80 verdict=drop reason=no_service
check "explain: over IPv6" ask explain n1 p1a/6 fd00:96::99 tcp 80 verdict=drop reason=no_service
check "it goes nowhere else" ask unseen wire "in .*(10.96.0.99|fd00:96::99)"
for f in "" /6; do
	v="${f:+ over IPv6}, beside that"
	for from in p1a n1 net; do reaches $from 88 n2 "${from/net/n1}"; done
	equals "other ports of a service are refused$v" refused "$(refused "$(ask tcp p1a "vip$f" 99)")"
done
ask uncapture wire >/dev/null
both <<-END
range del 10.96.0.0/16
range del fd00:96::/64
END
check "explain: without the range it is outside" ask explain n1 p1a 10.96.0.99 tcp 80 verdict=allow
# Without a range a route to the device has them end there.
at n1 ip route add 10.96.0.0/16 dev wattle0
at n1 ip -6 route add fd00:96::/64 dev wattle0
ask capture wire net br0 >/dev/null
for to in 10.96.0.99 fd00:96::99; do
	for from in p1a n1 net; do
		check "$from to $to" ask blocked n1 no_node $from udp $to 53
	done
done
check "it goes nowhere else" ask unseen wire "in .*(10.96.0.99|fd00:96::99)"
for f in "" /6; do
	v="${f:+ over IPv6}, beside that"
	for from in p1a n1 net; do reaches $from 88 n2 "${from/net/n1}"; done
done
ask uncapture wire >/dev/null
at n1 ip route del 10.96.0.0/16
at n1 ip -6 route del fd00:96::/64
at net ip route del 10.96.0.0/16
at net ip -6 route del fd00:96::/64

# Pings of the address: by whom there is to answer -----------------------------------------------------
ask serve p1a udp 8054
both <<-END
service add $VIP:83/udp
backend add $VIP:83/udp to 10.1.0.5:8054
service add [$VIP6]:83/udp
backend add [$VIP6]:83/udp to [fd00:1::5]:8054
END
mac=$(at n1 cat /sys/class/net/eth0/address)
for f in "" /6; do
	v=${f:+ over IPv6}
	addr=$VIP icmp=icmp options=options=01010101 nobody="src=192.0.2.255 src=0.0.0.0 src=255.255.255.255"
	[ -z "$f" ] || addr=$VIP6 icmp=icmpv6 options=ext=hbh nobody="src=ff02::1 src=::"
	before=$(ask count n1 echo_reply)
	for bad in "src=p1b$f" "src=p2b$f" "src=n1$f" "src=net$f $options" "src=net$f size=64 frag=40" \
		"src=net$f mac=ffffffffffff" $nobody; do
		# shellcheck disable=SC2086
		ask emit net dev=br0 mac=$mac "dst=vip$f" proto=$icmp $bad >/dev/null
	done
	equals "a ping from outside is answered$v" $addr "$(ask ping net "vip$f" size=1000)"
	equals "an empty one$v" $addr "$(ask ping net "vip$f" size=0)"
	equals "a pod's$v" $addr "$(ask ping p1b "vip$f")"
	equals "nobody else's$v" $((before + 3)) "$(ask count n1 echo_reply)"
	check "not of the host, for node ports$v" ask ping net "n1$f"
	check "that is the host's own affair$v" test "$(ask count n1 echo_reply)" = $((before + 3))
	check "explain: from outside$v" ask explain n1 "net$f" "vip$f" $icmp "" verdict=allow reason=none \
		service=null
	check "explain: of the host$v" ask explain n1 "net$f" "n1$f" $icmp "" verdict=allow dst_identity=1

	# traceroute: who is on the way tells, about the packet that was sent; then the backend answers.
	for proto in tcp/81 udp/83; do
		[ $proto = tcp/81 ] && told=EHOSTUNREACH || told="icmp $([ "$f" ] && echo 3 || echo 11) 0"
		equals "traceroute, the first hop, $proto$v" "$told" \
			"$(ask ${proto%/*} net "vip$f" ${proto#*/} ttl=1 | cut -d ' ' -f 1-3)"
		equals "and the next, $proto$v" p1a "$(who ${proto%/*} net "vip$f" ${proto#*/} ttl=2)"
	done
	[ "$f" ] && front="[$VIP6]:83/udp" || front=$VIP:83/udp
	before=$(ask json n1 0.connections service show "$front")
	check "from outside as well$v" ask udp net "vip$f" 83
	equals "connections are counted$v" $((before + 1)) "$(ask json n1 0.connections service show "$front")"
	equals "of a pod here there is but one hop$v" p1a "$(who udp p1b "vip$f" 83 ttl=1)"
done

# With less luck: no cache ----------------------------------------------------------------------------
for n in n1 n2; do w $n device set wattle0 cache off; done
check "without the cache, from outside" ask tcp net n2 30001 size=50000
check "without the cache, a pod by another node" ask tcp p2a n1 30001 size=50000
check "without the cache, a node" ask tcp n2 n2/6 30001 size=50000

finish
