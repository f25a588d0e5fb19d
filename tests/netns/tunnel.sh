#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tunnel makes of its underlay: two nodes with a router between them.
#
#   p1 - n1 - r - n2 - p2
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
head -c 1000000 /dev/urandom >"$work/data"
sum=$(sha256sum <"$work/data")

# uplink NODE ADDR4 GATEWAY4 ADDR6 GATEWAY6: NODE is NODE's device in the router, too
uplink()
{
	namespace "$1"
	ip link add eth0 netns "wt-$1" type veth peer name "$1" netns wt-r
	at "$1" ip link set eth0 up
	at r ip link set "$1" up
	at "$1" ip addr add "$2/24" dev eth0
	at "$1" ip addr add "$4/64" dev eth0 nodad
	at r ip addr add "$3/24" dev "$1"
	at r ip addr add "$5/64" dev "$1" nodad
	at "$1" ip route add default via "$3"
	at "$1" ip -6 route add default via "$5"
}

# fabric UNDERLAY: the devices and all that they know
fabric()
{
	local i o addr4=(- 192.0.2.1 198.51.100.2) addr6=(- 2001:db8:1::1 2001:db8:2::2)

	for i in 1 2; do
		o=$((3 - i))
		if [ "$1" = 4 ]; then
			ctl n$i device add w0 local "${addr4[i]}" ${WATTLE_CACHE:+cache "$WATTLE_CACHE"}
		else
			ctl n$i device add w0 local "${addr6[i]}" ${WATTLE_CACHE:+cache "$WATTLE_CACHE"}
		fi
		at n$i ip link set w0 up
		{
			echo "node add n$o addr ${addr4[o]} addr ${addr6[o]} cidr 10.$o.0.0/24 cidr fd00:$o::/64"
			echo "endpoint add p$i ip 10.$i.0.2 ip fd00:$i::2"
			for j in 1 2; do
				echo "identity add 10.$j.0.2/32 id 30$j"
				echo "identity add fd00:$j::2/128 id 30$j"
			done
		} | ctl n$i -b -
	done
}

pings() { at p1 ping -q -c 2 -i 0.2 -W 2 "$@" >/dev/null; }
no_ping() { ! at p1 ping -q -c 1 -W 1 "$@" >/dev/null; }

# bulk ADDR [PORT]: from p1 to p2, every byte as it was sent
bulk()
{
	local pid

	at p2 timeout 60 socat -u "TCP6-LISTEN:${2:-5001},reuseaddr,ipv6only=0" STDOUT \
		>"$work/got" &
	pid=$!
	eventually 60 eval "at p2 ss -Hltn 'sport = :${2:-5001}' | grep -q ." || return
	at p1 timeout 60 socat -u "FILE:$work/data" "TCP:$1:${2:-5001}" || return
	wait "$pid"
	[ "$(sha256sum <"$work/got")" = "$sum" ]
}

# seen REGEX COMMAND...: while it runs, the router sees such a packet of n1's
seen()
{
	local regex=$1 pid

	shift
	at r timeout 80 python3 tests/netns/wire.py capture n1 "${count:-4}" 60 >"$work/seen" &
	pid=$!
	eventually 60 grep -q ready "$work/seen" || return
	"$@" >/dev/null 2>&1
	eventually 20 grep -qE -- "$regex" "$work/seen"
	sleep 0.5
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	grep -qE -- "$regex" "$work/seen" || { cat "$work/seen"; return 1; }
}

counts() # NODE NAME COMMAND...: the counter grows while COMMAND runs
{
	local node=$1 name=$2 before

	shift 2
	before=$(stat_of "$node" "$name")
	"$@" >/dev/null 2>&1
	[ "$(stat_of "$node" "$name")" -gt "$before" ]
}

namespace r
at r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
uplink n1 192.0.2.1 192.0.2.254 2001:db8:1::1 2001:db8:1::fe
uplink n2 198.51.100.2 198.51.100.254 2001:db8:2::2 2001:db8:2::fe
pod n1 p1 10.1.0.2 fd00:1::2
pod n2 p2 10.2.0.2 fd00:2::2
fabric 4

# On the wire ------------------------------------------------------------------------
check "pods meet behind a router" pings 10.2.0.2
check "over IPv6 too" pings fd00:2::2
check "outer header" seen 'tos=0 .*id=0 df=1 ttl=64 .*ipsum=0 .*src=192.0.2.1 dst=198.51.100.2 ' \
	pings 10.2.0.2
check "a checksum that the card may finish" seen 'dport=8472 usum=(good|partial) ' pings 10.2.0.2
check "the identity and nothing else" seen 'flags=08000000 vni=301 low=0 ' pings 10.2.0.2
check "inner MAC addresses made of the nodes'" \
	seen 'dmac=02:57:c6:33:64:02 smac=02:57:c0:00:02:01 type=0800' pings 10.2.0.2
check "ECN is copied, the DSCP is not" seen 'tos=2 .*itos=186 ' pings -Q 186 10.2.0.2
check "over IPv6 too" seen 'tos=1 .*itos=185 ' pings -Q 185 fd00:2::2

# flows COUNT: as many datagrams, each from a port of its own
flows()
{
	at p1 python3 -c "import socket
for i in range($1):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((\"\", 20000 + i % ${2:-$1}))
    s.sendto(b\"x\", (\"10.2.0.2\", 9))
    s.close()"
	sleep 1
}
ports() { grep 'src=192.0.2.1 .*iproto=17' "$work/seen" | grep -oE ' sport=[0-9]+' | sort -u; }
count=100 check "flows" seen 'iproto=17' flows 40
check "spread over source ports" test "$(ports | wc -l)" -gt 20
check_not "all of them dynamic" eval 'ports | grep -vE "=(49(1[5-9]|[2-9])|5|6)"'
count=100 check "a flow" seen 'iproto=17' flows 5 1
equals "keeps its source port" 1 "$(ports | wc -l)"

# Bulk ----------------------------------------------------------------------------------
check "segments, with an outer checksum" bulk 10.2.0.2
check "over IPv6" bulk "[fd00:2::2]"
for i in 1 2; do link n$i set w0 udp_csum 0; done
check "none where none is wanted" seen 'usum=none ' pings 10.2.0.2
check "segments without one" bulk 10.2.0.2
check "over IPv6" bulk "[fd00:2::2]"
at n1 ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1
check "a card that can do nothing" bulk 10.2.0.2
link n1 set w0 udp_csum 1
check "nor sums" bulk 10.2.0.2
at n1 ethtool -K eth0 tx on tso on gso on >/dev/null 2>&1
link n2 set w0 udp_csum 1

# Options ------------------------------------------------------------------------------
link n1 set w0 ttl 9
check "the TTL changes" seen 'ttl=9 ' pings 10.2.0.2
link n1 set w0 ttl 64
for i in 1 2; do link n$i set w0 port 4790; done
check "so does the port, under way" pings 10.2.0.2
for i in 1 2; do link n$i set w0 port 8472; done
at n1 ip link set w0 address 02:00:00:00:00:99
check "and the MAC address" seen 'smac=02:00:00:00:00:99' pings 10.2.0.2

# The underlay changes ----------------------------------------------------------------------
at r ip link set n2 mtu 1400
at n2 ip link set eth0 mtu 1400
pings -M do -s 1400 10.2.0.2
check "a smaller MTU on the way is learned" \
	eval 'at p1 ping -c 1 -W 2 -M do -s 1400 10.2.0.2 2>&1 | grep -q "mtu *= *1350"'
check "what fits passes" pings -M do -s 1322 10.2.0.2
check "bulk passes" bulk 10.2.0.2
check "over IPv6" bulk "[fd00:2::2]"
at r ip link set n2 mtu 1500
at n2 ip link set eth0 mtu 1500
at n1 ip route flush cache

at n1 ip route replace 198.51.100.2 via 192.0.2.254 mtu lock 1400
check "a locked MTU leaves the output to the stack" seen 'id=[1-9][0-9]* df=0 ' pings 10.2.0.2
check "bulk" bulk 10.2.0.2
at n1 ip route del 198.51.100.2

sent() { at n1 ip -j -s link show w0 | jq '.[0].stats64.tx.packets'; }
before=$(sent)
pings 10.2.0.2
check "what is sent is counted" test "$(sent)" -ge $((before + 2))

at r ip link set n1 address 02:00:00:00:00:aa
at n1 ip neigh flush dev eth0
check "the router gets another MAC address" pings 10.2.0.2

at n1 ip route add 198.51.100.2 dev w0
check "a route through the tunnel itself is none" counts n1 no_route no_ping 10.2.0.2
at n1 ip route del 198.51.100.2
check "and without it" pings 10.2.0.2
at n1 ip route del default
check "no route" counts n1 no_route no_ping 10.2.0.2
at n1 ip route add default via 192.0.2.254
check "and with one" pings 10.2.0.2
at n1 ip addr del 192.0.2.1/24 dev eth0
check "local is no address of the node any more" no_ping 10.2.0.2
at n1 ip addr add 192.0.2.1/24 dev eth0
at n1 ip route replace default via 192.0.2.254
check "and is again" pings 10.2.0.2
at n1 ip link set eth0 down
check "the card down" no_ping 10.2.0.2
at n1 ip link set eth0 up
at n1 ip route replace default via 192.0.2.254
at n1 ip addr replace 2001:db8:1::1/64 dev eth0 nodad
at n1 ip -6 route replace default via 2001:db8:1::fe
check "and up" pings 10.2.0.2
at n1 ip link set w0 down
check "the device down" counts n1 device_down no_ping 10.2.0.2
at n1 ip link set w0 up
check "and up" pings 10.2.0.2

# from ADDR: what p2 might have sent, in a packet of that source
from()
{
	at r python3 tests/netns/wire.py send "src=$1" dst=2001:db8:1::1 vni=302 isrc=10.2.0.2 idst=10.1.0.2
	sleep 1
}
check "a node is known by both of its addresses" counts n1 to_pod from 2001:db8:2::2
check "but not by that of IPv4 in IPv6" counts n1 unknown_node from ::ffff:198.51.100.2

# A tunnel inside -----------------------------------------------------------------------
nest() # POD REMOTE ADDR [NUMBER [OPTION...]]
{
	local vx=vx${4:-0}

	at "$1" ip link add $vx mtu 1300 type vxlan id "${4:-5}" remote "$2" dstport 4789 dev eth0 \
		"${@:5}" && at "$1" ip addr add "$3/24" dev $vx &&
		at "$1" ip link set $vx up
}
check "pods have a tunnel of their own" nest p1 10.2.0.2 10.99.0.1
nest p2 10.1.0.2 10.99.0.2
check "it works" pings 10.99.0.2
check "bulk through both" bulk 10.99.0.2
ctl n1 service add 10.96.0.9:4789/udp
ctl n1 backend add 10.96.0.9:4789/udp to 10.2.0.2:4789
check "one that ends at a service" nest p1 10.96.0.9 10.98.0.1 6 nolearning noudpcsum
nest p2 10.1.0.2 10.98.0.2 6 noudpcsum
check "bulk through that, without a sum of its own" bulk 10.98.0.2

# Over IPv6 -----------------------------------------------------------------------------
for i in 1 2; do ctl n$i device del w0; done
fabric 6
check "an IPv6 underlay" pings 10.2.0.2
check "outer header" seen 'tos=0 ttl=64 proto=17 label=0 .*src=2001:db8:1::1 dst=2001:db8:2::2 ' \
	pings 10.2.0.2
check "with a checksum always" seen 'usum=(good|partial) .*vni=301' pings fd00:2::2
check "bulk" bulk 10.2.0.2
check "over IPv6" bulk "[fd00:2::2]"
at r ip link set n2 mtu 1400
at n2 ip link set eth0 mtu 1400
# What the pod has learned above is forgotten.
at p1 ip route flush cache
pings -M do -s 1400 10.2.0.2
check "a smaller MTU on the way is learned" \
	eval 'at p1 ping -c 8 -W 2 -M do -s 1400 10.2.0.2 2>&1 | grep -q "mtu *= *1330"'
check "bulk passes" bulk 10.2.0.2
check "the namespace of a node ends under traffic" eval 'background p1 ping -q -f 10.2.0.2
	sleep 0.3; ip netns del wt-n1'
rm -rf "$work"
