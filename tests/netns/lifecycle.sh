#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Things that go while they are used, and changes that are made or not, never in part.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

floods()
{
	ask flood a p1a p2a 7 size=1000
	ask flood b p2b p1b 7
	ask flood c p1a p1b 7
	ask flood d n1 p2b 7
	ask flood e p1b p2a/6 7
}
has_endpoint() { ask json n1 "" endpoint show | grep -q "\"dev\": \"$1\""; }
generation() { ask json "$1" 0.generation device show; }
tables() { for t in node identity endpoint policy service backend; do ask json "$1" "" $t show; done; }

world 4
for p in $PODS1 $PODS2 n1 n2; do
	ask serve "$p" udp 7
	ask serve "$p" udp 9
	ask serve "$p" tcp 80
done
check "traffic before" ask tcp p1a p2a 80 size=50000
# A CPU's cache has room for 8,192 flows at first. What is told of a flow's first packet is
# not kept, so there are two.
many_flows()
{
	at p1a taskset -c 0 python3 - <<-END
	import socket
	for port in range(20000, 30000):
	    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
	        s.bind(("10.1.0.5", port))
	        for _ in range(2):
	            s.sendto(b"x", ("10.2.0.7", 10))
	END
	[ "$(w n1 -j flow show | jq '[.. | objects | select(.dport? == 10)] | length')" -gt 9000 ]
}
# All of them within thirty seconds, after which a flow without packets is let go.
if [ "${WATTLE_KERNEL-}" = debug ]; then
	skip "a cache grows with what it has to hold" "this kernel is too slow to have so many at once"
else
	check "a cache grows with what it has to hold" eventually 300 many_flows
fi
floods

# A device of a pod ------------------------------------------------------------------------
check "a pod's device goes under traffic" ip -n wt-n1 link del p1b
check_not "and the endpoint with it" has_endpoint p1b
check "its address is free" ask explain n1 p1a p1b udp 7 'ingress=null'
ask unflood b >/dev/null; ask unflood c >/dev/null; ask unflood e >/dev/null
check "another pod gets the address at once" eval 'world_pod n1 p1b && w n1 endpoint add p1b \
	pod test/other ip 10.1.0.6 ip fd00:1::6 id 303'
w n2 identity replace 10.1.0.6/32 id 303
w n2 identity replace fd00:1::6/128 id 303
check "and can be reached" ask tcp p2a p1b 80 size=20000
check "by its neighbour" ask tcp p1a p1b 80
check "with its own identity" ask explain n1 p1a p1b tcp 80 dst_identity=303
w n2 identity replace 10.1.0.6/32 id 302
w n2 identity replace fd00:1::6/128 id 302
w n1 endpoint replace p1b pod test/p1b ip 10.1.0.6 ip fd00:1::6 id 302
floods
ip -n wt-n1 link set p1b down
check "renamed" ip -n wt-n1 link set p1b name other
ip -n wt-n1 link set other up
check "the endpoint is shown by the new name" has_endpoint other
check "and works" ask tcp p2a p1b 80
ip -n wt-n1 link set other down
ip -n wt-n1 link set other name p1b
check "down: what is for it is dropped" ask blocked n1 device_down p1a udp p1b 9
ip -n wt-n1 link set p1b up
check "up again" ask tcp p2a p1b 80
ip -n wt-p1b link set eth0 down
check "the other end down: likewise" ask blocked n1 device_down p1a udp p1b 9
ip -n wt-p1b link set eth0 up
ip -n wt-p1b route add default via 169.254.1.1 dev eth0 onlink
ip -n wt-p1b route add default via fe80::ecee:eeff:feee:eeee dev eth0 onlink 2>/dev/null
ip -n wt-p1b addr replace fd00:1::6/128 dev eth0 nodad
check "and up" ask tcp p2a p1b 80
check "moved to another namespace" ip -n wt-n1 link set p1b netns wt-net
check_not "the endpoint is gone" has_endpoint p1b
check "packets for it find nobody" ask blocked n1 no_endpoint p2a udp p1b 9
ip -n wt-net link set p1b netns wt-n1
ip -n wt-n1 link set p1b up
check "moved back, it is nobody's" eval '! has_endpoint p1b'
check "added again" w n1 endpoint add p1b pod test/p1b ip 10.1.0.6 ip fd00:1::6 id 302
check "it works" ask tcp p2a p1b 80
churn()
{
	local i

	for i in 1 2 3 4 5 6 7 8 9 10; do
		w n1 endpoint del p1b && w n1 endpoint add p1b pod test/p1b ip 10.1.0.6 \
			ip fd00:1::6 id 302 || return
	done
}
check "an endpoint comes and goes under traffic" churn
check "and works at the end" ask tcp p2a p1b 80
check "a pod's namespace goes under traffic" ip netns del wt-p1b
# It lives as long as sockets are open in it.
ask unflood b >/dev/null; ask unflood c >/dev/null; ask unflood e >/dev/null
ask forget p1b >/dev/null
check "and its endpoint" eventually 30 eval '! has_endpoint p1b'
ip netns add wt-p1b
ask sysctl p1b net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
world_pod n1 p1b
w n1 endpoint add p1b pod test/p1b ip 10.1.0.6 ip fd00:1::6 id 302
ask serve p1b udp 7
ask serve p1b udp 9
ask serve p1b tcp 80
floods

# A node --------------------------------------------------------------------------------------
check "another node is forgotten under traffic" w n1 node del n2
check "then packets go nowhere" eval '[ "$(ask explain n1 p1a p2a tcp 80 verdict=drop)" ] ||
	ask explain n1 p1a p2a tcp 80 via=null'
check "and is known again" w n1 node add n2 addr 192.0.2.2 addr 2001:db8:f::2 cidr 10.2.0.0/24 cidr fd00:2::/64
check "it works" ask tcp p1a p2a 80 size=20000
check "a node gets another prefix under traffic" w n1 node replace n2 addr 192.0.2.2 \
	addr 2001:db8:f::2 cidr 10.2.0.0/24 cidr fd00:2::/64 cidr 10.3.0.0/24
check "a route for it is there" eval 'ip -n wt-n1 route show 10.3.0.0/24 proto 87 | grep -q wattle0'
check "and the others are" eval 'ip -n wt-n1 route show 10.2.0.0/24 proto 87 | grep -q wattle0'

# The underlay, the device ------------------------------------------------------------------------
ip -n wt-n1 link set eth0 down
check "without an underlay" ask blocked n1 no_route p1a udp p2a 9
ip -n wt-n1 link set eth0 up
check "with it" eventually 20 ask ping p1a p2a
ip -n wt-n1 link set wattle0 down
check "the device down" ask blocked n1 device_down p1a udp p1b 9
said=$(w n1 node replace n2 addr 192.0.2.2 addr 2001:db8:f::2 cidr 10.2.0.0/24 cidr fd00:2::/64 2>&1)
check "a change says that there are no routes" grep -q 'wattle0 is down: the host has no route to 2 prefixes' \
	<<<"$said"
refuses "route sync" "wattle0 is down, and takes no routes" w n1 route sync
ip -n wt-n1 link set wattle0 up
check "the device up" ask tcp p1a p2a 80
check "without routes for the node itself" eval '! ip -n wt-n1 route show 10.2.0.0/24 proto 87 | grep -q .'
check "route sync" eval '[ -z "$(w n1 route sync 2>&1)" ]'
check "brings them back" ask ping n1 p2a
check "of both families" eval 'ip -n wt-n1 -6 route show fd00:2::/64 proto 87 | grep -q wattle0'
settings()
{
	local i

	for i in 1 2 3 4 5; do
		w n1 device set wattle0 cache off && w n1 device set wattle0 cache on &&
			w n1 device set wattle0 strict off && w n1 device set wattle0 strict on || return
	done
}
check "settings change under traffic" settings

# Changes, whole or not at all ----------------------------------------------------------------------
before=$(tables n1) gen=$(generation n1)
refuses "a batch with an error in it" "." w n1 <<-END
policy add id 301 egress peer id 401 allow
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:80
backend add $VIP:81/tcp to 10.2.0.7:80
END
equals "changes nothing" "$before" "$(tables n1)"
equals "not even the generation" "$gen" "$(generation n1)"
check "without it" w n1 <<-END
policy add id 301 egress peer id 401 allow
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:80
END
check "it is one change" test "$(generation n1)" = $((gen + 1))
check "and works" ask tcp p1a $VIP 80
# Requests go out many to a datagram, which some lengths fill to the last byte.
full_datagrams()
{
	local origin=o

	while [ ${#origin} -lt 20 ]; do
		awk -v origin=$origin 'BEGIN {
			for (i = 0; i < 1100; i++)
				printf "policy add id 9000 egress peer id %d allow origin %s\n",
					10000 + i, origin
		}' | w n1 && w n1 policy flush id 9000 || return
		origin+=oooo
	done
}
check "a batch of many datagrams, whatever the length of its requests" full_datagrams
check "a transaction that is given up" ask txn n1 abort
check "changes nothing" ask explain n1 p1a p1b tcp 80 reason=policy_egress
check "a client that dies in the middle" ask txn n1 die
check "changes nothing" ask explain n1 p1a p1b tcp 80 reason=policy_egress
check "others wait while one is open, or are told" ask txn n1 busy
check "one that is committed" ask txn n1 commit
check "does" ask explain n1 p1a p1b tcp 80 verdict=allow
killed()
{
	local pid

	# A group of its own, the tool in it: it has read half of the lines at the most.
	setsid bash -c '{ seq 1 20000 | awk "{ printf \"identity add 172.16.%d.%d/32 id 900 via 192.0.2.2\\n\",
		\$1 / 250, \$1 % 250 + 1 }"; sleep 100; } | "$0" -n wt-n1 -b -' "$WATTLECTL" >/dev/null 2>&1 &
	pid=$!
	eventually 60 pgrep -g $pid -f wattlectl || return
	sleep 0.5
	pgrep -g $pid -f "wattlectl -n" >/dev/null || return
	kill -9 -- -$pid
	wait $pid 2>/dev/null
	! ask json n1 "" identity show | grep -q 172.16
}
check "the tool, killed in the middle" killed

# Many at once ------------------------------------------------------------------------------------------
many()
{
	seq 0 4999 | awk '{ printf "identity add 172.16.%d.%d/32 id %d via 192.0.2.2\n", $1 / 250, $1 % 250 + 1, 1000 + $1 % 97 }'
}
check "five thousand entries under traffic" w n1 < <(many)
equals "are all there" 5000 "$(ask json n1 "" identity show | grep -o '"172.16.' | wc -l)"
check "and go" w n1 < <(many | awk '{ print "identity del", $3 }')
equals "all of them" 0 "$(ask json n1 "" identity show | grep -c '172.16.')"

# The device goes, and the node ------------------------------------------------------------------------------
refuses "the module, while it is used" "in use" rmmod wattle
check "the device goes under traffic" w n1 device del wattle0
check "and comes back" eval 'world_device n1 4 && world_tables n1'
check "traffic goes on" ask tcp p1a p2a 80 size=20000
check "it goes with another one in place" eval 'ip -n wt-n2 link del wattle0 && world_device n2 4 && world_tables n2'
check "traffic goes on" ask tcp p2a p1a 80 size=20000
check "the node's namespace goes under traffic" ip netns del wt-n1
for f in a c d e; do ask unflood $f >/dev/null; done
ask forget n1 >/dev/null

emptied()
{
	w n2 policy flush
	w n2 endpoint del p2a && w n2 endpoint del p2b && w n2 node del n1 || return
	w n2 identity del 10.1.0.5/32 && w n2 identity del 10.1.0.6/32 &&
		w n2 identity del fd00:1::5/128 && w n2 identity del fd00:1::6/128 || return
	[ "$(tables n2 | tr -d '[] \n')" = "" ]
}
check "everything can be removed one by one" emptied
check "no route is left" eval '! ip -n wt-n2 route show proto 87 | grep -q .'

finish
