#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets get from everyone to everyone: pods, nodes, the outside; over either underlay, in
# every mode, whole and in pieces.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

serve_all()
{
	local p

	for p in $PODS1 $PODS2 n1 n2 net; do
		ask serve "$p" udp 7
		ask serve "$p" tcp 80
	done
	for p in $PODS1 $PODS2; do
		! modprobe -q sctp || ask serve "$p" sctp 9
	done
}

# Everything that a pair of pods may want of each other.
pair() # FROM TO WHAT
{
	local what=$3

	check "$what: ping" ask ping "$1" "$2"
	check "$what: the largest ping" ask ping "$1" "$2" size=1400
	check "$what: a ping in pieces" ask ping "$1" "$2" size=5000
	check "$what: UDP" ask udp "$1" "$2" 7
	check "$what: UDP in pieces" ask udp "$1" "$2" 7 size=20000
	check "$what: TCP, there and back" ask tcp "$1" "$2" 80 size=300000
}

# A few, where only the wire differs.
mesh() # WHAT
{
	local f

	for f in "" /6; do
		check "$1: ping ${f:+over IPv6}" ask ping p1a "p2a$f"
		check "$1: TCP to the other node ${f:+over IPv6}" ask tcp p1a "p2a$f" 80 size=150000
		check "$1: TCP from there ${f:+over IPv6}" ask tcp p2b "p1b$f" 80 size=150000
		check "$1: UDP ${f:+over IPv6}" ask udp p2a "p1a$f" 7 size=1000
		check "$1: a node to a pod elsewhere ${f:+over IPv6}" ask tcp n1 "p2a$f" 80
		check "$1: a pod to another node ${f:+over IPv6}" ask tcp p2a "n1$f" 80
	done
}

# What the headers on the wire say. PODS: the words for 301, NODE: for 6.
wire() # WHAT OUTER PODS NODE
{
	ask capture wire n2 eth0 >/dev/null
	ask ping p1a p2a >/dev/null
	check "$1: the pod's identity is on the wire" ask seen wire \
		"in .* $2 ttl 64 .*udp (4[9][0-9]{3}|5[0-9]{4}|6[0-9]{4}) > 8472 vxlan $3 \[ .*10.1.0.5 > 10.2.0.7 ttl 64 .*icmp type 8"
	ask ping n1 p2a >/dev/null
	check "$1: and the node's" ask seen wire "in .* $2 .*vxlan $4 \[ .* > 10.2.0.7 .*icmp type 8"
	ask uncapture wire >/dev/null
}

world 4
serve_all

pair p1a p2a "pod to pod"
pair p2a/6 p1a/6 "pod to pod over IPv6"
if modprobe -q sctp; then
	check "pod to pod: SCTP" ask sctp p1a p2a 9 size=20000
	check "pod to pod over IPv6: SCTP" ask sctp p2b p1b/6 9 size=20000
else
	skip "pod to pod: SCTP" "this kernel has none"
fi
pair p1a p1b "pods of one node"
pair p1b p1a/6 "pods of one node over IPv6"
equals "a pod is seen by its own address" "p2a 10.1.0.5" \
	"$(ask tcp p1a p2a 80 | cut -d ' ' -f 1,2)"
equals "and by its own IPv6 address" "p2a fd00:1::5" \
	"$(ask tcp p1a p2a/6 80 | cut -d ' ' -f 1,2)"

# Nodes ------------------------------------------------------------------------------
for f in "" /6; do
	v=${f:+ over IPv6}
	check "a node to its pod$v" ask tcp n1 "p1a$f" 80 size=100000
	check "a node pings its pod$v" ask ping n1 "p1b$f"
	check "a node to a pod elsewhere$v" ask tcp n1 "p2a$f" 80 size=100000
	check "a node pings a pod elsewhere$v" ask ping n1 "p2b$f"
	check "a node's datagram in pieces$v" ask udp n1 "p2b$f" 7 size=9000
	check "a pod to its node$v" ask tcp p1a "n1$f" 80 size=100000
	check "a pod pings its node$v" ask ping p1a "n1$f"
	check "a pod to another node$v" ask tcp p1a "n2$f" 80 size=100000
	check "a pod pings another node$v" ask ping p1a "n2$f"
	check "a pod's datagram in pieces to another node$v" ask udp p1a "n2$f" 7 size=9000
done
equals "another node sees the pod's address" "n2 10.1.0.5" \
	"$(ask tcp p1a n2 80 | cut -d ' ' -f 1,2)"

# A pod needs an address and a default route -------------------------------------------
check "the module answers ARP for the gateway" eval \
	'ip -n wt-p1a neigh show 169.254.1.1 | grep -q "lladdr $(ip -n wt-n1 -br link show p1a | awk "{ print \$3 }")"'
check "and solicitations" eval \
	'ip -n wt-p1a -6 neigh show fe80::ecee:eeff:feee:eeee | grep -q "lladdr $(ip -n wt-n1 -br link show p1a | awk "{ print \$3 }")"'
check "which is counted" test "$(ask count n1 neighbour_reply)" -ge 4
equals "the node's routes are not needed to forward" 0 \
	"$(at n1 cat /proc/sys/net/ipv4/ip_forward)"

# Routes for the node's own programs -----------------------------------------------------
has_route() { at n1 ip route show "$1" | grep "$2"; }
at n1 ip route add 10.78.0.0/24 dev eth0
at n1 ip route add 10.79.0.0/24 dev eth0 metric 100
at n1 ip -6 route add fd00:79::/64 dev eth0 metric 100
at n1 ip route add blackhole 10.80.0.0/24
said=$(w n1 node add n3 addr 192.0.2.3 cidr 10.78.0.0/24 cidr 10.79.0.0/24 cidr fd00:79::/64 \
	cidr 10.80.0.0/24 cidr 192.0.2.0/25 cidr 0.0.0.0/0 2>&1)
for p in 10.78.0.0/24 10.79.0.0/24 fd00:79::/64 10.80.0.0/24; do
	check "somebody else's route to $p stays alone" eval '! ip -n wt-n1 route show '$p' proto 87 | grep .'
	check "which is said" grep "to $p by wattle0 is not: somebody else's route" <<<"$said"
done
check_not "the way to a node does not lead through the tunnel" has_route 192.0.2.0/25 wattle0
check_not "nor does the default route" has_route default wattle0
at n1 ip route del 10.78.0.0/24
at n1 ip route del 10.79.0.0/24
at n1 ip -6 route del fd00:79::/64
at n1 ip route del blackhole 10.80.0.0/24
check "where it is gone" w n1 route sync
check "ours is there" has_route 10.78.0.0/24 "dev wattle0 proto 87"
at n1 ip route replace 10.78.0.0/24 dev wattle0 src $N1
equals "with a source of one's own it may stay" "" "$(w n1 route sync 2>&1)"
check "and does" has_route 10.78.0.0/24 "dev wattle0 .*src $N1"
at n1 ip route del 10.78.0.0/24
w n1 node del n3

# The outside ----------------------------------------------------------------------------
for n in n1 n2; do ask sysctl $n net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
for f in "" /6; do
	v=${f:+ over IPv6}
	check "a pod to the outside$v" ask tcp p1a "net$f" 80 size=100000
	check "a pod pings the outside$v" ask ping p2b "net$f"
	# Routers do not cut IPv6: the first is told so, unless too many were told just now,
	# and a later one gets there.
	check "a datagram in pieces to the outside$v" eventually 200 ask udp p1a "net$f" 7 size=9000
	check "the outside to a pod$v" ask tcp net "p1b$f" 80 size=100000
	check "a datagram in pieces from the outside$v" eventually 60 ask udp net "p1b$f" 7 size=9000
done
equals "the outside sees the pod's address" "net 10.1.0.5" \
	"$(ask tcp p1a net 80 | cut -d ' ' -f 1,2)"

# Pieces in any order ----------------------------------------------------------------------
id=100
for f in "" /6; do
	for to in p2a p1b; do
		for order in forward reverse shuffle twice; do
			id=$((id + 1))
			check "fragments ${f:+of IPv6 }to $to: $order" ask emit p1a "src=p1a$f" "dst=$to$f" \
				proto=udp dport=7 size=5000 frag=1024 order=$order ipid=$id arrive=$to:7
		done
	done
	check "a single byte in the last${f:+ of IPv6}" ask emit p1a "src=p1a$f" "dst=p2a$f" \
		proto=udp dport=7 size=1017 frag=1024 ipid=$((id += 1)) arrive=p2a:7
done
check "a datagram of 65507 bytes" ask udp p1a p2a 7 size=65000
# Bigger than the tunnel, and nobody asked for it to stay whole.
for p in p1a p1b; do
	ip -n wt-$p link set eth0 mtu 9000
	ip -n wt-n1 link set $p mtu 9000
done
check "a packet that does not fit is cut" ask emit p1a src=p1a dst=p2a proto=udp dport=7 size=4000 arrive=p2a:7

# Path MTU -----------------------------------------------------------------------------------
equals "a ping that may not be cut is answered with the MTU" "toobig 1450 10.2.0.7" \
	"$(ask ping p1a p2a size=3000 df=1)"
equals "packet too big" "toobig 1450 fd00:2::7" "$(ask ping p1a p2a/6 size=3000 df=1)"
equals "UDP, told of the MTU" "toobig 1450" "$(ask udp p1b p2a 7 size=1440 df=1 >/dev/null
	ask udp p1a p2b 7 size=3000 df=1 | cut -d ' ' -f 1,2)"
check "the largest that fits" ask ping p1a p2a size=1422 df=1
check "it is counted" test "$(ask count n1 too_big)" -ge 3
check "TCP whose segments may be cut" ask tcp p1b p2a 80 size=300000 cut=1
check "TCP learns it" ask tcp p1a p2b 80 size=300000
check "TCP over IPv6 learns it" ask tcp p1a p2b/6 80 size=300000
for p in p1a p1b; do
	ip -n wt-$p link set eth0 mtu 1450
	ip -n wt-n1 link set $p mtu 1450
done
for n in n1 n2; do ip -n wt-$n link set eth0 mtu 1300; done
check "a smaller underlay is noticed" eval \
	'eventually 20 eval "[[ \$(ask ping p1b p2a size=1400 df=1) == \"toobig 1250 10.2.0.7\" ]]"'
check "TCP passes it" ask tcp p1b p2a 80 size=300000
check "that of the node, too" ask tcp n1 p2a 80 size=300000
for n in n1 n2; do ip -n wt-$n link set eth0 mtu 1400; done
check "that of the node over IPv6" ask tcp n1 p2a/6 80 size=300000
for n in n1 n2; do ip -n wt-$n link set eth0 mtu 1500; done
at n1 ip route flush cache
at n1 ip -6 route flush cache
check "and its end" eval 'eventually 20 ask ping p1b p2a size=1422 df=1'

# Seen by who listens ------------------------------------------------------------------------
ask capture pod n1 p1a >/dev/null
ask capture dev n1 wattle0 >/dev/null
check "a bulk to look at" ask tcp p1a p2a 80 size=1000000
check "the pod's device shows what it sends" ask seen pod "in .*10.1.0.5 > 10.2.0.7 .*tcp [0-9]+ > 80"
check "and what it gets" ask seen pod "out .*10.2.0.7 > 10.1.0.5 .*tcp 80 >"
check "the device shows what goes into the tunnel" ask seen dev "10.1.0.5 > 10.2.0.7 .*tcp [0-9]+ > 80"
check "and what comes out" ask seen dev "10.2.0.7 > 10.1.0.5 .*tcp 80 >"
# How much goes at once is TCP's to say, and on a slow kernel two segments: until it has.
check "segments go out whole" eventually 60 eval 'ask tcp p1a p2a 80 size=1000000 &&
	ask seen dev "10.1.0.5 > 10.2.0.7 .*len ([2-9][0-9]{3}|[0-9]{5})"'
check "and come in so" eventually 60 eval 'ask tcp p1a p2a 80 size=1000000 &&
	ask seen pod "out .*10.2.0.7 > 10.1.0.5 .*len ([2-9][0-9]{3}|[0-9]{5})"'
ask uncapture pod >/dev/null
ask uncapture dev >/dev/null

dumped()
{
	local log pid

	log=$(mktemp)
	timeout 60 ip netns exec wt-n1 tcpdump -lnni wattle0 -c 2 icmp >"$log" 2>&1 &
	pid=$!
	eventually 30 grep -q listening "$log"
	ask ping p1a p2a
	wait $pid || { cat "$log"; return 1; }
	grep -q '10.1.0.5 > 10.2.0.7: ICMP echo request' "$log" &&
		grep -q '10.2.0.7 > 10.1.0.5: ICMP echo reply' "$log" || { cat "$log"; return 1; }
}
check "tcpdump does" dumped

# Other wires -----------------------------------------------------------------------------------
v4="192.0.2.1 > 192.0.2.2"
v6="2001:db8:f::1 > 2001:db8:f::2"
wire "mode identity" "$v4" "flags 08000000 vni 301 gbp 0" "flags 08000000 vni 6 gbp 0"
again 4 mode gbp vni 42
mesh "mode gbp"
wire "mode gbp" "$v4" "flags 88000000 vni 42 gbp 301" "flags 88000000 vni 42 gbp 6"
again 4 mode plain vni 42
mesh "mode plain"
wire "mode plain" "$v4" "flags 08000000 vni 42 gbp 0" "flags 08000000 vni 42 gbp 0"
again 4 port 4789
mesh "another port"
again 4 strict off
mesh "strict off"
again 6
mesh "IPv6 underlay"
wire "IPv6 underlay" "$v6" "flags 08000000 vni 301 gbp 0" "flags 08000000 vni 6 gbp 0"
equals "IPv6 underlay: its MTU" "toobig 1430 10.2.0.7" "$(ask ping p1a p2a size=1422 df=1)"
check "IPv6 underlay: fragments" ask emit p1b src=p1b dst=p2a proto=udp dport=7 size=5000 \
	frag=1400 order=reverse ipid=$((id += 1)) arrive=p2a:7
again 6 mode gbp vni 42
mesh "mode gbp over IPv6"
again 6 mode plain vni 42
mesh "mode plain over IPv6"

finish
