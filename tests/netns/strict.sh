#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What nobody may send: from the wire, from a pod, from outside. Everything is dropped, and
# counted under its reason.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

mac_of() { ip -n "wt-$1" -br link show "$2" | awk '{ print $3 }'; }

# wire WHAT REASON WORDS...: out of n2, which is a node that n1 knows
wire()
{
	local what=$1 reason=$2

	shift 2
	check "$what" ask vxlan n2 from=n2 to=n1 "$@" "drop=n1:$reason"
}

# pod WHAT REASON WORDS...: out of p1a
from_pod()
{
	local what=$1 reason=$2

	shift 2
	check "$what" ask emit p1a "$@" "drop=n1:$reason"
}

world 4
for p in $PODS1 $PODS2 net; do
	ask serve "$p" udp 7
	ask serve "$p" tcp 80
done
udp="proto=udp dport=7"
good="src=p2a dst=p1a $udp"
good6="src=p2a/6 dst=p1a/6 $udp"
drops=$(mktemp)
listen "$drops" drop

# shellcheck disable=SC2086
{
check "the right packet arrives" ask vxlan n2 from=n2 to=n1 vni=401 $good arrive=p1a:7
check "and that of IPv6" ask vxlan n2 from=n2 to=n1 vni=401 $good6 arrive=p1a:7

# Who says so ---------------------------------------------------------------------------
check "an outer source that is no node" ask vxlan net from=net to=n1 vni=401 $good drop=n1:unknown_node
ip -n wt-n2 addr add 192.0.2.77/24 dev eth0
check "a node's other address" ask vxlan n2 from=192.0.2.77 to=n1 vni=401 $good drop=n1:unknown_node
wire "another's identity" wrong_identity vni=402 $good
wire "the host's" wrong_identity vni=1 $good
wire "that of a node" wrong_identity vni=6 $good
wire "none" wrong_identity vni=0 $good
wire "all ones" wrong_identity vni=0xffffff $good
wire "a pod of ours as the source" foreign_source vni=302 src=p1b dst=p1a $udp
wire "the receiver as the source" foreign_source vni=301 src=p1a dst=p1a $udp
wire "our own address as the source" foreign_source vni=1 src=n1 dst=p1a $udp
wire "the outside as the source" foreign_source vni=2 src=net dst=p1a $udp
wire "the outside as the source, over IPv6" foreign_source vni=2 src=net/6 dst=p1a/6 $udp
wire "an address of the other node that is no pod" wrong_identity vni=401 src=10.2.0.99 dst=p1a $udp
check "the other node itself" ask vxlan n2 from=n2 to=n1 vni=6 src=n2 dst=p1a $udp arrive=p1a:7
wire "the other node as a pod" wrong_identity vni=401 src=n2 dst=p1a $udp

# To whom --------------------------------------------------------------------------------
wire "to no pod" no_endpoint vni=401 src=p2a dst=10.1.0.99 $udp
wire "back into the tunnel" no_endpoint vni=401 src=p2a dst=p2b $udp
wire "through us to the outside" no_endpoint vni=401 src=p2a dst=net $udp
wire "multicast" not_unicast vni=401 src=p2a dst=224.0.0.251 $udp
wire "broadcast" not_unicast vni=401 src=p2a dst=255.255.255.255 $udp
wire "IPv6 multicast" not_unicast vni=401 src=p2a/6 dst=ff02::1 $udp
wire "a neighbour solicitation" not_unicast vni=401 src=p2a/6 dst=p1a/6 proto=icmpv6 type=135 size=16

# The VXLAN header ---------------------------------------------------------------------------
for cut in 0 1 4 7; do
	wire "a VXLAN header of $cut bytes" bad_vxlan vni=401 $good cut=$cut
done
wire "no VNI flag" bad_vxlan vni=401 $good flags=00000000
wire "a reserved flag" bad_vxlan vni=401 $good flags=18000000
wire "GPE" bad_vxlan vni=401 $good flags=0c000000
wire "a group where none is spoken" bad_vxlan vni=401 $good flags=88000191
wire "reserved bits behind the flags" bad_vxlan vni=401 $good flags=08000001
wire "reserved bits behind the VNI" bad_vxlan vni=401 $good reserved=1

# The frame ---------------------------------------------------------------------------------
for cut in 8 21 22 27 41; do
	wire "a frame of $((cut - 8)) bytes" bad_frame vni=401 $good cut=$cut
done
wire "VLAN" bad_frame vni=401 $good vlan=5
wire "ARP" bad_frame vni=401 $good ethertype=0806
wire "MPLS" bad_frame vni=401 $good ethertype=8847
wire "a length instead of a type" bad_frame vni=401 $good ethertype=0040

# The headers inside ------------------------------------------------------------------------
wire "a packet that ends early" bad_header vni=401 $good cut=60
wire "IPv6 that ends early" bad_header vni=401 $good6 cut=80
wire "IPv6 shorter than its header" bad_header vni=401 $good6 cut=50
wire "version 5" bad_header vni=401 $good version=5
wire "IPv6 of version 4" bad_header vni=401 $good6 version=4
wire "IPv4 called IPv6" bad_header vni=401 $good ethertype=86dd
wire "IPv6 called IPv4" bad_header vni=401 $good6 ethertype=0800
wire "a header of 16 bytes" bad_header vni=401 $good ihl=4
wire "a header longer than the packet" bad_header vni=401 $good ihl=15 totlen=40
wire "a length less than the header" bad_header vni=401 $good totlen=19
wire "a length beyond the end" bad_header vni=401 $good totlen=100
wire "an IPv6 length beyond the end" bad_header vni=401 $good6 paylen=100
wire "UDP of 7 bytes" bad_header vni=401 $good short=7
wire "TCP of 19 bytes" bad_header vni=401 src=p2a dst=p1a proto=tcp dport=80 short=19
wire "TCP whose header is longer than it" conntrack vni=401 src=p2a dst=p1a proto=tcp dport=80 size=0 doff=15
wire "ICMP of 4 bytes" bad_header vni=401 src=p2a dst=p1a proto=icmp short=4
wire "UDP that is longer than it" conntrack vni=401 $good ulen=500
wire "a mapped address" bad_header vni=401 src=::ffff:10.2.0.7 dst=p1a/6 $udp
wire "IPv6 options that do not end" bad_header vni=401 $good6 next=0 size=0
wire "fragments that overlap" bad_fragment vni=401 $good size=400 frag=128 order=overlap ipid=901
wire "IPv6 fragments that overlap" bad_fragment vni=401 $good6 size=400 frag=128 order=overlap ipid=902
wire "a fragment with a bad length" bad_fragment vni=401 $good6 size=5 fragoff=1 ipid=903
check "behind the packet there may be padding" ask vxlan n2 from=n2 to=n1 vni=401 $good size=1 arrive=p1a:7
check "options" ask vxlan n2 from=n2 to=n1 vni=401 $good options=01010101 arrive=p1a:7
check "IPv6 options" ask vxlan n2 from=n2 to=n1 vni=401 $good6 ext=hbh arrive=p1a:7
check "fragments of a known sender" ask vxlan n2 from=n2 to=n1 vni=401 $good size=400 frag=128 \
	order=reverse ipid=904 arrive=p1a:7

# Congestion marks (RFC 6040) -------------------------------------------------------------------
wire "marked, but it cannot be" bad_ecn vni=401 $good tos=3
ask capture ecn p1a eth0 >/dev/null
check "marked, and it can be" ask vxlan n2 from=n2 to=n1 vni=401 $good itos=2 tos=3 arrive=p1a:7
check "it is marked inside" ask seen ecn "10.2.0.7 > 10.1.0.5 .*tos 3 .*udp"
check "marked over IPv6" ask vxlan n2 from=n2 to=n1 vni=401 $good6 itos=1 tos=3 arrive=p1a:7
check "it is marked inside" ask seen ecn "fd00:2::7 > fd00:1::5 .*tos 3 .*udp"
check "ECT(1) outside" ask vxlan n2 from=n2 to=n1 vni=401 $good itos=2 tos=1 arrive=p1a:7
check "is kept" ask seen ecn "10.2.0.7 > 10.1.0.5 .*tos 1 .*udp"
check "what is not marked stays" ask vxlan n2 from=n2 to=n1 vni=401 $good itos=2 tos=0 arrive=p1a:7
check "as it is" ask seen ecn "10.2.0.7 > 10.1.0.5 .*tos 2 .*udp"
ask uncapture ecn >/dev/null

# A pod -------------------------------------------------------------------------------------------
check "the right packet" ask emit p1a src=p1a dst=p2a $udp arrive=p2a:7
from_pod "the address of its neighbour" spoofed_source src=p1b dst=p2a $udp
from_pod "the address of a pod elsewhere" spoofed_source src=p2a dst=p1b $udp
from_pod "its node's" spoofed_source src=n1 dst=p2a $udp
from_pod "one of the outside" spoofed_source src=8.8.8.8 dst=p2a $udp
from_pod "an IPv6 address of its neighbour" spoofed_source src=p1b/6 dst=p2a/6 $udp
from_pod "a link-local one" spoofed_source src=fe80::1 dst=p2a/6 $udp
from_pod "spoofed in pieces" spoofed_source src=p1b dst=p2a $udp size=400 frag=128 ipid=910 by=4
from_pod "spoofed to its node" spoofed_source src=p1b dst=n1 $udp
arp=ffffffffffff0257000000990806000108000604
from_pod "ARP with the address of its neighbour" spoofed_source \
	hex=${arp}00010257000000990a010006000000000000a9fe0101
from_pod "an ARP answer for the gateway" spoofed_source \
	hex=${arp}0002025700000099a9fe0101025700000001c0000201
from_pod "a short ARP" bad_header hex=${arp}0001
from_pod "the tunnel's port of its node" tunnel_port src=p1a dst=n1 proto=udp dport=8472
from_pod "that of another node" tunnel_port src=p1a dst=n2 proto=udp dport=8472
from_pod "over IPv6" tunnel_port src=p1a/6 dst=n1/6 proto=udp dport=8472
from_pod "by an address that no table has" tunnel_port src=p1a dst=203.0.113.9 proto=udp dport=8472
from_pod "in pieces" tunnel_port src=p1a dst=n2 proto=udp dport=8472 size=400 frag=128 order=reverse ipid=911
w n1 <<-END
service add $VIP:7777/udp
backend add $VIP:7777/udp to 192.0.2.2:8472
END
from_pod "through a service" tunnel_port src=p1a dst=$VIP proto=udp dport=7777
w n1 service del $VIP:7777/udp
check "explain knows" ask explain n1 p1a n2 udp 8472 verdict=drop reason=tunnel_port
# An offload would write the sum after the verdict: into ports, into addresses.
check "a sum that is left to the device" ask emit p1a src=p1a dst=p2a $udp offload=34:6 arrive=p2a:7
from_pod "a sum in place of the port" bad_header src=p1a dst=p2a $udp offload=34:2
from_pod "in place of the address" bad_header src=p1a dst=p2a $udp offload=20:12
from_pod "in place of its own" bad_header src=p1a dst=p2a $udp offload=20:6
from_pod "of TCP elsewhere" bad_header src=p1a dst=p2a proto=tcp dport=80 offload=34:6
from_pod "of a fragment" bad_header src=p1a dst=p2a $udp size=400 frag=128 ipid=913 offload=34:6
from_pod "over IPv6" bad_header src=p1a/6 dst=p2a/6 $udp offload=54:2
check "a flow that the cache knows" eval 'for i in 1 2 3; do
	ask emit p1a src=p1a dst=p2a $udp arrive=p2a:7 || exit; done'
# An error of somebody else's conversation: 10.1.0.6:21700 > 10.2.0.7:7, and who tells is neither.
check "a conversation" ask open theirs p1b udp p2a 7 sport=21700
about=4500002412340000401100000a0100060a02000754c4000700100000$(printf '%016d' 0)
from_pod "an error of others" conntrack src=p1a dst=p1b proto=icmp type=3 code=3 "payload=$about"
check "which goes on" ask talk theirs
ask close theirs >/dev/null
check "a tag on the way to a pod" ask emit n1 dev=p1b src=net dst=p1b $udp vlan=0 drop=n1:bad_frame
from_pod "VLAN of a pod" bad_frame src=p1a dst=p2a $udp vlan=7
from_pod "neither IP nor ARP" bad_frame src=p1a dst=p2a $udp ethertype=88cc
from_pod "a pod's multicast" not_unicast src=p1a dst=224.0.0.251 $udp
from_pod "a pod's broadcast" not_unicast src=p1a dst=255.255.255.255 $udp
from_pod "that of its node's network" not_unicast src=p1a dst=192.0.2.255 $udp
from_pod "a pod's router solicitation" not_unicast src=p1a/6 dst=ff02::2 proto=icmpv6 type=133 size=16
from_pod "a pod's bad header" bad_header src=p1a dst=p2a $udp ihl=4
from_pod "a pod's bad length" bad_header src=p1a dst=p2a $udp totlen=200
from_pod "a pod's short IPv6" bad_header src=p1a/6 dst=p2a/6 $udp paylen=200
from_pod "a frame without a packet" bad_header src=p1a dst=p2a $udp frame=20
from_pod "a pod's fragments that overlap" bad_fragment src=p1a dst=p2a $udp size=400 frag=128 \
	order=overlap ipid=912
w n1 identity add 10.77.0.1/32 id 900 via 192.0.2.99
from_pod "to a node that nobody knows" no_node src=p1a dst=10.77.0.1 $udp
} 3>&1

# From outside nobody speaks for a pod -------------------------------------------------------
ask sysctl n1 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.eth0.rp_filter=0
mac=$(mac_of n1 eth0)
# shellcheck disable=SC2086
{
check "the outside as itself" ask emit net dev=br0 "mac=$mac" src=net dst=p1a $udp arrive=p1a:7
check "the outside as a pod elsewhere" ask emit net dev=br0 "mac=$mac" src=p2a dst=p1a $udp \
	drop=n1:foreign_source
check "the outside as a pod here" ask emit net dev=br0 "mac=$mac" src=p1b dst=p1a $udp \
	drop=n1:foreign_source
check "the outside as a pod elsewhere, over IPv6" ask emit net dev=br0 "mac=$mac" src=p2a/6 dst=p1a/6 \
	$udp drop=n1:foreign_source
check "the outside as this node, in pieces over IPv6" ask emit net dev=br0 "mac=$mac" src=n1/6 dst=p1a/6 \
	$udp size=400 frag=128 ipid=914 drop=n1:foreign_source
check "which are cut anew for the tunnel" ask emit net dev=br0 "mac=$mac" src=n1/6 dst=p2a/6 \
	$udp size=400 frag=128 ipid=915 drop=n1:foreign_source
from_pod "to all routers of a network" not_unicast src=p1a/6 dst=2001:db8:f:: $udp
check "the outside through us into the tunnel" ask emit net dev=br0 "mac=$mac" src=p1b dst=p2a $udp \
	drop=n1:foreign_source
}

# Nothing is kept of what the node's programs send to the port ------------------------------
kept()
{
	at n1 python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(200): s.sendto(b'x', ('127.0.0.1', 8472))"
	at n1 conntrack -F
	eventually 60 eval 'at n1 conntrack -F; [ "$(at n1 cat /proc/sys/net/netfilter/nf_conntrack_count)" -lt 50 ]'
}
check "connections to the tunnel's port are let go" kept

# Told to who listens ---------------------------------------------------------------------------
for reason in unknown_node wrong_identity foreign_source no_endpoint not_unicast bad_vxlan bad_frame \
	bad_header bad_fragment bad_ecn spoofed_source tunnel_port conntrack; do
	check "monitor told of $reason" eventually 60 grep -q "\"reason\": *\"$reason\"" "$drops"
done
check "each line is an object" jq -e .reason "$drops"

# Other modes -------------------------------------------------------------------------------------
again 4 mode gbp vni 42
# shellcheck disable=SC2086
{
check "gbp: the right packet" ask vxlan n2 from=n2 to=n1 vni=42 flags=88000191 $good arrive=p1a:7
wire "gbp: another VNI" wrong_vni vni=43 flags=88000191 $good
wire "gbp: another's group" wrong_identity vni=42 flags=88000192 $good
wire "gbp: a reserved flag" bad_vxlan vni=42 flags=98000191 $good
wire "gbp: no VNI flag" bad_vxlan vni=42 flags=80000191 $good
again 4 mode plain vni 42
check "plain: the right packet" ask vxlan n2 from=n2 to=n1 vni=42 $good arrive=p1a:7
wire "plain: another VNI" wrong_vni vni=43 $good
wire "plain: a group" bad_vxlan vni=42 flags=88000191 $good
wire "plain: a pod that is not of that node" foreign_source vni=42 src=p1b dst=p1a $udp
again 4 strict off
check "not strict: any outer source" ask vxlan net from=net to=n1 vni=401 $good arrive=p1a:7
check "not strict: any identity" ask vxlan n2 from=n2 to=n1 vni=999 $good arrive=p1a:7
wire "not strict: nobody speaks for our pods" foreign_source vni=302 src=p1b dst=p1a $udp
wire "not strict: nor for us" foreign_source vni=1 src=n1 dst=p1a $udp
# Nor does an answer make good what was denied.
w n1 endpoint replace p1a pod test/p1a ip ${POD4[p1a]} ip ${POD6[p1a]} id 301 enforce both
check "not strict: from outside, denied" ask emit net dev=br0 "mac=$mac" src=net dst=p1a proto=udp sport=21500 \
	dport=7 drop=n1:policy_ingress
from_pod "not strict: so is the answer" policy_ingress src=p1a dst=net proto=udp sport=7 dport=21500
w n1 policy add id 301 ingress peer id 999 allow
check "not strict: who is allowed by its wire alone" ask vxlan n2 from=n2 to=n1 vni=999 src=p2a dst=p1a \
	proto=udp sport=21502 dport=7 arrive=p1a:7
check "not strict: is answered" ask emit p1a src=p1a dst=p2a proto=udp sport=7 dport=21502 count=n1:to_tunnel
again 6
check "IPv6 underlay: the right packet" ask vxlan n2 from=n2/6 to=n1/6 vni=401 $good arrive=p1a:7
check "IPv6 underlay: no node" ask vxlan net from=net/6 to=n1/6 vni=401 $good drop=n1:unknown_node
check "IPv6 underlay: marked, but it cannot be" ask vxlan n2 from=n2/6 to=n1/6 vni=401 $good tos=3 \
	drop=n1:bad_ecn
check "IPv6 underlay: another's identity" ask vxlan n2 from=n2/6 to=n1/6 vni=402 $good \
	drop=n1:wrong_identity
}
check "after all that, traffic passes" ask tcp p1a p2a 80 size=100000

finish
