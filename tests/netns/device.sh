#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The life of a device: made, changed, taken down, in every way that it can end.
. "$(dirname "$0")/lib.sh"

value() { link "$1" show "$2" | awk -v k="$3" '$1 == k { print $2 }'; }
listens() { at "$1" ss -Hlun${3-} "sport = :$2" | grep -q .; }
has_device() { at "$1" ip link show "$2"; }

namespace a
namespace b

# Made, with nothing said --------------------------------------------------------
check "a device is made with defaults" at a ip link add w0 type wattle
check "ip shows its kind" eval 'at a ip -d link show w0 | grep -qw wattle'
equals "defaults" "port 8472 mode identity vni 0 underlay 0 strict 1 cache 1 udp_csum 1 ttl 64 audit 0" \
	"$(link a show w0 | tr '\n' ' ' | sed 's/ $//')"
check "the MTU leaves room for the tunnel" eval 'at a ip link show w0 | grep -qw "mtu 1450"'
check "nobody asks it for neighbours" eval 'at a ip link show w0 | grep -q NOARP'
check "it is not a station of a broadcast network" \
	eval '! at a ip link show w0 | grep -qE "BROADCAST|MULTICAST"'
refuses "a second one in the same namespace" 'has a wattle device already' \
	at a ip link add w1 type wattle
refuses "a second one, by errno" '^EEXIST: .*already' link a add w1
check "another namespace has its own" at b ip link add w0 type wattle
refuses "the module while devices exist" 'in use' rmmod wattle
refuses "moving it to another namespace" '.' at a ip link set w0 netns wt-b

# Up and down ----------------------------------------------------------------------
check_not "down, it does not listen" listens a 8472
check "it goes up" at a ip link set w0 up
check "up, it listens over IPv4" listens a 8472 4
check "and over IPv6" listens a 8472 6
check "it makes up no address" eval '! at a ip -6 addr show dev w0 | grep -q inet6'
check "IPv4 routes go through it" at a ip route add 10.9.0.0/24 dev w0
check "IPv6 routes go through it" at a ip -6 route add fd09::/64 dev w0
check "packets may be sent to it" eval '! at a ping -c 1 -W 1 10.9.0.1'
check "it goes down" at a ip link set w0 down
check_not "then it does not listen any more" listens a 8472
check "up and down, again and again" eval 'for i in {1..15}; do
	at a ip link set w0 up && at a ip link set w0 down || exit; done'

# Changed ----------------------------------------------------------------------------
at a ip link set w0 up
check "the port changes while it is up" link a set w0 port 4789
check "it listens at the new port" listens a 4789
check_not "and not at the old one" listens a 8472
equals "what was not named stays" 64 "$(value a w0 ttl)"
check "all at once" link a set w0 local4 192.0.2.1 local6 2001:db8::1 port 8473 mode gbp vni 77 \
	underlay 6 strict 0 cache 0 udp_csum 0 ttl 9 audit 1
equals "is all shown" "local4 192.0.2.1 local6 2001:db8::1 port 8473 mode gbp vni 77 underlay 6 strict 0 cache 0 udp_csum 0 ttl 9 audit 1" \
	"$(link a show w0 | tr '\n' ' ' | sed 's/ $//')"
check "local can be taken back" link a set w0 local4 0.0.0.0 local6 ::
equals "then it is not shown" "" "$(value a w0 local4)$(value a w0 local6)"
check "the MTU changes" at a ip link set w0 mtu 8000
check "the MAC address changes" at a ip link set w0 address 02:00:00:00:00:01

# Port taken by another ------------------------------------------------------------
background a python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 9000)); time.sleep(600)'
eventually 60 listens a 9000
refuses "a port that another socket has" '^EADDRINUSE: another socket' \
	link a set w0 port 9000 underlay 4
equals "changes nothing" "8473 6" "$(value a w0 port) $(value a w0 underlay)"
check "it listens where it did" listens a 8473
at a ip link set w0 down
check "down, it takes the port's number" link a set w0 port 9000 underlay 4
refuses "but does not go up" 'in use' at a ip link set w0 up
stop "$bg"
eventually 60 eval '! listens a 9000'
check "it goes up when the port is free" at a ip link set w0 up

# What is refused names the attribute ------------------------------------------------
while read -r what regex words; do
	# shellcheck disable=SC2086
	refuses "$what" "$regex" link a set w0 $words
	# shellcheck disable=SC2086
	refuses "$what, at the beginning" "$regex" link c add w0 $words
done < <(
	ip netns list | grep -q wt-c || namespace c >/dev/null
	cat <<-'END'
	port_0 ^ERANGE.*attribute.3. port 0
	mode_3 ^ERANGE.*attribute.4. mode 3
	vni_of_25_bits ^EINVAL:.vni.*attribute.5. mode gbp vni 16777216
	vni_in_mode_identity ^EINVAL:.in.mode.*attribute.5. mode identity vni 5
	underlay_5 ^EINVAL:.underlay.*attribute.6. underlay 5
	ttl_0 ^ERANGE.*attribute.10. ttl 0
	strict_2 ^ERANGE.*attribute.7. strict 2
	a_multicast_local ^EINVAL:.local.*attribute.1. local4 224.0.0.1
	a_loopback_local ^EINVAL:.local.*attribute.1. local4 127.0.0.1
	a_broadcast_local ^EINVAL:.local.*attribute.1. local4 255.255.255.255
	an_IPv6_multicast_local ^EINVAL:.local.*attribute.2. local6 ff02::1
	a_link_local_local ^EINVAL:.local.*attribute.2. local6 fe80::1
	a_mapped_local ^EINVAL:.local.*attribute.2. local6 ::ffff:192.0.2.1
	a_short_port ^E raw:3 01
	a_short_local6 ^E.*attribute.2. raw:2 20010db8
	a_long_local6 ^E.*attribute.2. raw:2 20010db80000000000000000000000000000
	an_empty_mode ^E raw:4 -
	END
)
refuses "a MAC address of a group" 'MAC address' at c ip link add w0 address 01:00:5e:00:00:01 type wattle
check_not "nothing is left of what was refused" has_device c w0
refuses "an MTU that no outer header can tell of" '.' at a ip link set w0 mtu 65536

# Local addresses decide family, MTU and MAC -------------------------------------------
link c add w0 local4 192.0.2.7
check "the MAC address is made from local" eval 'at c ip link show w0 | grep -q 02:57:c0:00:02:07'
at c ip link del w0
link c add w0 local6 2001:db8::7
check "an IPv6 underlay leaves a smaller MTU" eval 'at c ip link show w0 | grep -qw "mtu 1430"'
at c ip link del w0
check "an MTU that was asked for is kept" eval 'at c ip link add w0 mtu 1300 type wattle &&
	at c ip link show w0 | grep -qw "mtu 1300"'
at c ip link del w0

# The ways to end ------------------------------------------------------------------------
check "deleted while up" at a ip link del w0
check_not "it is gone" has_device a w0
check "made again" at a ip link add w0 type wattle
check "made and deleted, again and again" eval 'for i in {1..15}; do
	at c ip link add w$i up type wattle && at c ip link del w$i || exit; done'

at a ip link set w0 up
at a ip route add 10.9.0.0/24 dev w0
background a ping -q -f -W 1 10.9.0.1
sleep 0.5
check "deleted under traffic" at a ip link del w0
stop "$bg"

churn()
{
	local i

	for i in $(seq "$1"); do
		ip netns add "wt-x$i"
		ip netns exec "wt-x$i" ip link set lo up
		ip netns exec "wt-x$i" ip link add w0 up type wattle || return
		ip netns exec "wt-x$i" ip route add 10.9.0.0/16 dev w0
		timeout 2 ip netns exec "wt-x$i" ping -q -f -c 200 -W 1 10.9.0.1 &
	done >/dev/null 2>&1
	sleep 0.3
	for i in $(seq "$1"); do
		ip netns del "wt-x$i" || return
	done
	wait
}
check "five namespaces end under traffic" churn 5

ns_and_kind()
{
	unshare -r -n sh -c 'ip link add w0 type wattle && ip link set w0 up &&
		ip link del w0'
}
check "a user namespace may have its own" ns_and_kind
refuses "but not touch that of another" 'not permitted|EPERM' \
	at b unshare -r python3 tests/netns/link.py set w0 ttl 1
equals "which stays as it was" 64 "$(value b w0 ttl)"

renamed() { at b ip link set w0 down && at b ip link set w0 name overlay && at b ip link set overlay up; }
check "it may be renamed" renamed
check "and goes with its namespace" ip netns del wt-b

race()
{
	local i pids=()

	for i in 1 2 3 4; do
		(for _ in {1..8}; do
			at c ip link add "w$i" up type wattle && at c ip link del "w$i"
		done) >/dev/null 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(at c ip -o link show type wattle 2>/dev/null | wc -l)" = 0 ]
}
check "four who want it at once" race
