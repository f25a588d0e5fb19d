#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Service addresses: chosen, translated, answered, refused; for pods and for the nodes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

world 4
for p in $PODS1 $PODS2; do
	ask serve "$p" tcp 8080
	ask serve "$p" udp 8053
	! modprobe -q sctp || ask serve "$p" sctp 8090
done
ask name vip $VIP $VIP6

both <<-END
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:8080
backend add $VIP:80/tcp to 10.2.0.8:8080
service add $VIP:53/udp alg maglev
backend add $VIP:53/udp to 10.2.0.7:8053
backend add $VIP:53/udp to 10.1.0.6:8053
service add $VIP:90/sctp
backend add $VIP:90/sctp to 10.2.0.8:8090
service add [$VIP6]:80/tcp alg maglev
backend add [$VIP6]:80/tcp to [fd00:2::7]:8080
backend add [$VIP6]:80/tcp to [fd00:2::8]:8080
service add [$VIP6]:53/udp
backend add [$VIP6]:53/udp to [fd00:2::7]:8053
backend add [$VIP6]:53/udp to [fd00:1::6]:8053
service add [$VIP6]:90/sctp
backend add [$VIP6]:90/sctp to [fd00:2::8]:8090
service add $VIP:81/tcp
backend add $VIP:81/tcp to 10.1.0.6:8080
service add [$VIP6]:81/tcp
backend add [$VIP6]:81/tcp to [fd00:1::6]:8080
service add $VIP:81/udp
backend add $VIP:81/udp to 10.1.0.6:8053
service add [$VIP6]:81/udp
backend add [$VIP6]:81/udp to [fd00:1::6]:8053
service add $VIP:82/tcp
service add $VIP:82/udp
service add [$VIP6]:82/tcp
service add [$VIP6]:82/udp
service add $VIP:5353/udp
backend add $VIP:5353/udp to 10.2.0.7:5353
service add [$VIP6]:5353/udp
backend add [$VIP6]:5353/udp to [fd00:2::7]:5353
END

# From pods and from nodes -----------------------------------------------------------------
for f in "" /6; do
	v=${f:+ over IPv6}
	[ "$f" ] && shown="[$VIP6]" || shown=$VIP
	check "a pod, TCP$v" ask tcp p1a "vip$f" 80
	check "a large answer$v" ask tcp p1a "vip$f" 80 size=500000
	check "a pod, UDP$v" ask udp p1a "vip$f" 53
	check "a datagram in pieces$v" ask udp p1a "vip$f" 53 size=9000
	check "a node, TCP$v" ask tcp n1 "vip$f" 80 size=200000
	check "a node, UDP$v" ask udp n1 "vip$f" 53
	check "a node with the backends on it$v" ask tcp n2 "vip$f" 80 size=100000
	check "a node, to a pod of its own$v" ask tcp n1 "vip$f" 81
	check "a pod, to one beside it$v" ask tcp p1a "vip$f" 81 size=100000
	if modprobe -q sctp; then
		check "a pod, SCTP$v" ask sctp p1a "vip$f" 90 size=10000
		check "a node, SCTP$v" ask sctp n1 "vip$f" 90
	else
		skip "a pod, SCTP$v" "this kernel has none"
		skip "a node, SCTP$v" "this kernel has none"
	fi
	check "explain knows frontend and backend$v" ask explain n1 "p1a$f" "vip$f" tcp 80 verdict=allow \
		"service=${shown//[\[\]]/.}:80/tcp" "backend=.*(7|8)\]?:8080" 'via=192.0.2.2' \
		'dst_identity=40[12]'
	# Everybody gets something to do.
	equals "random: all backends$v" "p2a p2b " "$(answers 24 tcp p1a "vip$f" 80)"
	check "a pod that reaches itself$v" ask tcp p1b "vip$f" 81 size=50000
	equals "sees the service as the other end$v" "p1b ${shown//[\[\]]/}" \
		"$(ask tcp p1b "vip$f" 81 | cut -d ' ' -f 1,2)"
done
equals "maglev: all backends" "p1b p2a " "$(answers 24 udp p1a vip 53)"
equals "maglev: the same port, the same backend" 1 \
	"$(answers 6 udp p1a vip 53 sport=25678 | wc -w)"
equals "the client's address is kept" "10.1.0.5" "$(ask tcp p1a vip 80 | cut -d ' ' -f 2)"
equals "also where the backend is near" "10.1.0.5" "$(ask tcp p1a vip 81 | cut -d ' ' -f 2)"
check "a pod that reaches itself, UDP" ask udp p1b vip 81
check "backends may be talked to beside the service" ask tcp p1a p2a 8080

# Not there -----------------------------------------------------------------------------------
for f in "" /6; do
	v=${f:+ over IPv6}
	addr=$VIP icmp=icmp other=13
	[ -z "$f" ] || addr=$VIP6 icmp=icmpv6 other=139
	before=$(ask count n1 no_backend)
	equals "no backend, TCP: refused$v" "refused" "$(ask tcp p1a "vip$f" 82)"
	equals "no backend, UDP: port unreachable$v" "refused $addr" "$(ask udp p1a "vip$f" 82)"
	check "both are counted$v" test "$(ask count n1 no_backend)" -ge $((before + 2))
	check "explain: no backend$v" ask explain n1 "p1a$f" "vip$f" tcp 82 verdict=reject reason=no_backend \
		backend=null
	equals "no backend, a node's TCP: refused$v" "refused" "$(ask tcp n1 "vip$f" 82 | tr 'A-Z' 'a-z' | sed s/econn//)"
	check_not "no backend, a node's UDP$v" ask udp n1 "vip$f" 82
	check "are counted too$v" test "$(ask count n1 no_backend)" -ge $((before + 4))
	before=$(ask count n1 no_service_port)
	equals "no such port, TCP: refused$v" "refused" "$(ask tcp p1a "vip$f" 99)"
	equals "no such port, UDP: port unreachable$v" "refused $addr" "$(ask udp p1a "vip$f" 99)"
	equals "no such port, a node's TCP: refused$v" "refused" "$(ask tcp n1 "vip$f" 99 | tr 'A-Z' 'a-z' | sed s/econn//)"
	check "any other ICMP$v" ask emit p1a "src=p1a$f" "dst=vip$f" proto=$icmp type=$other \
		drop=n1:no_service_port
	check "they are counted$v" test "$(ask count n1 no_service_port)" -ge $((before + 3))
	check "explain: no such port$v" ask explain n1 "p1a$f" "vip$f" udp 99 verdict=reject \
		reason=no_service_port
done

# Pings of the address ---------------------------------------------------------------------------
ask capture ear p1a eth0 >/dev/null
for f in "" /6; do
	v=${f:+ over IPv6}
	addr=$VIP icmp=icmp len=484 type=0 options=options=01010101
	[ -z "$f" ] || addr=$VIP6 icmp=icmpv6 len=504 type=129 options=ext=hbh
	before=$(ask count n1 echo_reply)
	equals "a ping is answered$v" $addr "$(ask ping p1a "vip$f" size=456)"
	equals "so is a node's$v" $addr "$(ask ping n1 "vip$f" size=1)"
	equals "and an empty one$v" $addr "$(ask ping p1b "vip$f" size=0)"
	equals "each once$v" $((before + 3)) "$(ask count n1 echo_reply)"
	check "by as many bytes$v" ask seen ear "in .* $addr > .* ttl 64 tos 0 len $len $icmp type $type"
	check "not one with options$v" ask emit p1a "src=p1a$f" "dst=vip$f" proto=$icmp "$options" \
		drop=n1:no_service_port
	check "nor one in pieces$v" ask emit p1a "src=p1a$f" "dst=vip$f" proto=$icmp size=64 frag=40 \
		drop=n1:no_service_port
	check "nor one to everybody$v" ask emit p1a "src=p1a$f" "dst=vip$f" proto=$icmp \
		mac=ffffffffffff drop=n1:no_service_port
	check "nor another's$v" ask emit p1a "src=p1b$f" "dst=vip$f" proto=$icmp drop=n1:spoofed_source
	equals "of these none$v" $((before + 3)) "$(ask count n1 echo_reply)"
	check "explain: a ping$v" ask explain n1 "p1a$f" "vip$f" $icmp "" verdict=allow reason=none \
		service=null backend=null via=null
done
ask uncapture ear >/dev/null
check "a backend's own address is another matter" ask ping p1a p2a

# Errors of the backend --------------------------------------------------------------------------
equals "an error is the service's" "refused $VIP" "$(ask udp p1a vip 5353)"
equals "an error is the service's, over IPv6" "refused $VIP6" "$(ask udp p1a vip/6 5353)"
ip -n wt-p1a link set eth0 mtu 3000
ip -n wt-n1 link set p1a mtu 3000
equals "so is the path's MTU" "toobig 1450 $VIP" "$(ask udp p1a vip 5353 size=2000 df=1)"
check "and TCP learns it" ask tcp p1a vip 80 size=300000
ip -n wt-p1a link set eth0 mtu 1450
ip -n wt-n1 link set p1a mtu 1450

# As any other NAT ---------------------------------------------------------------------------------
check "a connection to look at" ask open look p1a tcp vip 80 sport=21234
check "which talks" ask talk look size=20000
check "conntrack shows the translation" eval \
	'at n1 conntrack -L -p tcp 2>/dev/null | grep -qE "src=10.1.0.5 dst=10.96.0.10 sport=21234 dport=80 src=10.2.0.[78] dst=10.1.0.5 sport=8080 dport=21234"'
check "conntrack keeps it for days, whatever it has not seen" eval \
	'[ "$(at n1 conntrack -L -p tcp --orig-port-src 21234 2>/dev/null | awk "{ print \$3 }")" -gt 10000 ]'
cached "flow show does" eval 'w n1 -j flow show | jq -e ".. | objects | select(.dport? == 80)"'

# One port of a client, for a service and for its backend ----------------------------------------
port=21300
together() # PROTO FAMILY FIRST PORT SECOND PORT
{
	local proto=$1 v=${2:+ over IPv6}

	port=$((port + 1))
	check "from a port, $proto to $3$v" ask open first p1a "$proto" "$3$2" "$4" sport=$port
	check "and from the same to $5$v" ask open second p1a "$proto" "$5$2" "$6" sport=$port
	check "both talk, $proto to $5 and $3$v" eval 'ask talk first 900 && ask talk second 900 && ask talk first'
	ask close first >/dev/null
	ask close second >/dev/null
}
for f in "" /6; do
	together tcp "$f" vip 81 p1b 8080
	together tcp "$f" p1b 8080 vip 81
	together udp "$f" vip 81 p1b 8053
	together udp "$f" p1b 8053 vip 81
done

# Programs of a node with an address that other nodes do not know -------------------------------
at n1 ip link add other type dummy
at n1 ip link set other up
at n1 ip addr add 203.0.113.5/32 dev other
at n1 ip -6 addr add 2001:db8:113::5/128 dev other nodad
at n1 ip route add $VIP/32 dev other src 203.0.113.5
at n1 ip -6 route add $VIP6/128 dev other src 2001:db8:113::5
check "the tunnel's address, of both families" w n1 device set wattle0 local $N1 local $N16
equals "they are seen with the tunnel's" $N1 "$(ask tcp n1 vip 80 | cut -d ' ' -f 2)"
check "and talk" ask udp n1 vip 53
equals "over IPv6 as well" $N16 "$(ask tcp n1 vip/6 80 | cut -d ' ' -f 2)"
equals "by pods of their own as what they are" 203.0.113.5 "$(ask tcp n1 vip 81 | cut -d ' ' -f 2)"
at n1 ip link del other

# Backends go and come -------------------------------------------------------------------------------
# The one that the connection is with goes.
at=$(at n1 conntrack -L -p tcp --orig-port-src 21234 2>/dev/null | grep -oE 'src=10.2.0.[78]' | cut -d = -f 2)
[ "$at" = 10.2.0.7 ] && stays=p2b || stays=p2a
both <<<"backend del $VIP:80/tcp to $at:8080"
equals "a backend that is gone gets nothing new" "$stays " "$(answers 12 tcp p1a vip 80)"
equals "from a node either" "$stays " "$(answers 6 tcp n1 vip 80)"
ask close look >/dev/null
both <<<"backend add $VIP:80/tcp to $at:8080 weight 0"
equals "nor does one without weight" "$stays " "$(answers 12 tcp p1a vip 80)"
both <<<"backend set $VIP:80/tcp to $at:8080 weight 100"
equals "with weight it does" "p2a p2b " "$(answers 24 tcp p1a vip 80)"
both <<<"backend set $VIP:80/tcp to $at:8080 state terminating"
equals "not when it is terminating" "$stays " "$(answers 12 tcp p1a vip 80)"
both <<<"backend set $VIP:80/tcp to $at:8080 state active"
both <<-END
service add $VIP:84/tcp affinity 300
backend add $VIP:84/tcp to 10.2.0.7:8080
backend add $VIP:84/tcp to 10.2.0.8:8080
END
equals "affinity: one client, one backend" 1 "$(answers 8 tcp p1a vip 84 | wc -w)"
both <<<"service del $VIP:84/tcp"
check_not "a service that is gone" ask tcp p1a vip 84

# Counted, and in which health ------------------------------------------------------------------------
both <<-END
service add $VIP:85/tcp
backend add $VIP:85/tcp to 10.2.0.7:8080
backend add $VIP:85/tcp to 10.1.0.6:8080 weight 0
END
shown() { w n1 -j service show $VIP:85/tcp | jq -r ".[0] | \"$1\""; }
states='\(.health) \(.usable) \(.active) \(.terminating) \(.quarantined)'
for from in p1a p1a p1b n1; do ask tcp $from vip 85 size=20000 >/dev/null; done
equals "connections are counted" "4 0" "$(shown '\(.connections) \(.refused)')"
equals "those of each backend" "10.1.0.6:8080 0 10.2.0.7:8080 4 " \
	"$(w n1 -j backend show $VIP:85/tcp | jq -r '.[] | "\(.backend) \(.connections)"' | sort | tr '\n' ' ')"
equals "with the frontend, too" "0 4 " \
	"$(w n1 -j service show $VIP:85/tcp | jq -r '.[0].backends[].connections' | sort | tr '\n' ' ')"
equals "an active backend: up" "up 1 2 0 0" "$(shown "$states")"
both <<<"backend set $VIP:85/tcp to 10.2.0.7:8080 state terminating"
equals "one that is terminating: draining" "draining 1 1 1 0" "$(shown "$states")"
both <<<"backend set $VIP:85/tcp to 10.2.0.7:8080 state quarantined"
equals "nobody: down" "down 0 1 0 1" "$(shown "$states")"
equals "it refuses" refused "$(ask tcp p1a vip 85)"
check_not "nodes, too" ask tcp n1 vip 85
equals "that is counted" "4 2" "$(shown '\(.connections) \(.refused)')"
both <<-END
backend del $VIP:85/tcp to 10.2.0.7:8080
backend set $VIP:85/tcp to 10.1.0.6:8080 weight 10
END
equals "another takes over" p1b "$(who tcp p1a vip 85)"
equals "what is gone stays counted" "up 1 1 0 0 5" "$(shown "$states \(.connections)")"
check "a table shows it" eval "w n1 service show $VIP:85/tcp | grep -qE ' up +1 +0 +0 +5 +2 '"
check "of backends, too" eval "w n1 backend show $VIP:85/tcp | grep -qE ' active +1 '"

# Policy sees ports after translation --------------------------------------------------------------------
w n1 policy add id 301 egress peer id 401 proto tcp port 8080 allow
w n1 policy add id 301 egress peer id 402 proto tcp port 8080 allow
w n2 policy add id 401 ingress peer id 301 proto tcp port 8080 allow
check "the backend's port is what counts" ask tcp p1a vip 80
check "the backend's pod too" ask blocked n1 policy_egress p1a tcp vip 81
check "explain says so" ask explain n1 p1a vip tcp 81 verdict=deny reason=policy_egress dst_identity=302
w n1 policy flush
w n1 policy add id 301 egress peer any proto tcp port 80 allow
check "not the service's" ask blocked n1 policy_egress p1a tcp vip 80
w n1 policy flush
w n2 policy flush

# A conversation with a backend that policy forbids, and one that was deleted -----------------------------
check "a conversation through the service" ask open udp p1a udp vip 53
check "talks" eval 'for i in 1 2 3; do ask talk udp || exit; done'
both <<-END
policy add id 301 egress peer id 1 allow
END
check "is cut by policy like any" ask cut udp n1 policy_egress
w n1 policy flush
check "and goes on" ask talk udp
ask close udp >/dev/null

# With less luck: no cache -----------------------------------------------------------------------------------
w n1 device set wattle0 cache off
w n2 device set wattle0 cache off
check "without the cache, TCP" ask tcp p1a vip 80 size=200000
check "without the cache, UDP" ask udp p1a vip/6 53
check "without the cache, itself" ask tcp p1b vip 81 size=20000

finish
