#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What one can see: counters, events, explain, flows, tracepoints; with the cache and without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

said=$(mktemp -d)
# told FILE FILTER: a line of that monitor for which the jq FILTER holds comes
told()
{
	# The last line may not be whole yet.
	local file=$said/$1 filter=$2

	eventually 60 eval 'grep "}$" "$file" | jq -es "any(.[]; $filter)"' || {
		tail -n 3 "$file"
		return 1
	}
}
names() { sed -n "/define $1(X)/,/^\$/s/.*X([A-Z_]*, \"\([a-z_0-9]*\)\".*/\1/p" kmod/reason.h; }

world 4
for p in $PODS1 $PODS2 n1; do
	ask serve "$p" udp 7
	ask serve "$p" tcp 80
done
listen "$said/drop" drop
listen "$said/verdict" verdict
listen "$said/flow" flow
listen "$said/service" service
listen "$said/all"
w n1 <<-END
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:80
service add $VIP:81/tcp
policy add id 302 egress peer id 401 proto udp port 7 allow
policy add id 302 egress peer id 402 deny origin "for tests"
END

# Counters --------------------------------------------------------------------------------
stats=$(ask json n1 "" stats show)
missing()
{
	local n bad=0

	for n in $(names WATTLE_REASONS | grep -v '^none$') $(names WATTLE_COUNTERS); do
		grep -q "\"name\": \"$n\"" <<<"$stats" || { echo "$n"; bad=1; }
	done
	[ $bad = 0 ] && [ "$(names WATTLE_REASONS | wc -l)" -gt 20 ]
}
check "stats show has every reason and counter" missing
check "as a table too" eval 'w n1 stats show | grep -q policy_egress'
for c in from_pod to_tunnel; do before[${#before[@]}]=$(ask count n1 $c); done
ask ping p1a p2a >/dev/null
check "from_pod counts" test "$(ask count n1 from_pod)" -gt "${before[0]}"
check "to_tunnel counts" test "$(ask count n1 to_tunnel)" -gt "${before[1]}"
n2in=$(ask count n2 from_tunnel) n2out=$(ask count n2 to_pod)
ask ping p1a p2a >/dev/null
check "from_tunnel counts" test "$(ask count n2 from_tunnel)" -gt "$n2in"
check "to_pod counts" test "$(ask count n2 to_pod)" -gt "$n2out"
from=$(ask count n1 to_tunnel)
check "the tool says what the kernel does" eval '
	shown=$(ask json n1 "" stats show | jq ".[] | select(.name == \"to_tunnel\") | .packets")
	[ "$shown" -ge "$from" ] && [ "$shown" -le "$(ask count n1 to_tunnel)" ]'
check "ip -s -d link shows the device" eval 'ip -n wt-n1 -s -d link show wattle0 | grep -q wattle'
check "and its packets" eval '[ "$(ip -n wt-n1 -j -s link show wattle0 | jq ".[0].stats64.tx.packets")" -gt 0 ]'
check "and what came in" eval '[ "$(ip -n wt-n1 -j -s link show wattle0 | jq ".[0].stats64.rx.packets")" -gt 0 ]'

# Events ------------------------------------------------------------------------------------
check "dropped: no rule" ask blocked n1 policy_egress p1b udp p1a 7
check "monitor drop tells" told drop '.reason == "policy_egress" and .src == "10.1.0.6" and .dst == "10.1.0.5"
	and .proto == "udp" and .dport == 7 and .src_identity == 302 and .dst_identity == 301'
check "dropped: a rule" ask blocked n1 deny_egress p1b udp p2b 7
check "monitor drop tells that" told drop '.reason == "deny_egress" and .verdict == "deny"'
check "monitor verdict tells which" told verdict '.reason == "deny_egress" and .verdict == "deny" and
	(.egress.rule | type == "string") and .egress.policy == "for tests"'
check "and its device" told drop '.reason == "deny_egress" and .dev == "p1b"'
check "monitor verdict tells of what is allowed" eval 'ask tcp p1a p2a 80 &&
	told verdict ".verdict == \"allow\" and .dst == \"10.2.0.7\" and .dport == 80"'
check "and what is not" told verdict '.verdict == "deny" and .reason == "deny_egress"'
cached "monitor flow tells of flows" told flow '.src == "10.1.0.5" and .dst == "10.2.0.7" and .dport == 80'
check "monitor without a word tells of all" told all '.reason == "deny_egress"'
ask name vip $VIP
equals "a service without a backend" refused "$(ask tcp p1a vip 81)"
check "monitor drop tells" told drop '.reason == "no_backend" and .verdict == "reject"'
w n1 backend set $VIP:80/tcp to 10.2.0.7:80 state quarantined
check "monitor service tells who runs dry" told service '.event == "service" and .health == "down" and
	.frontend == "10.96.0.10:80/tcp" and .scope == "any" and .usable == 0 and .backends == 1'
w n1 <<-END
backend set $VIP:80/tcp to 10.2.0.7:80 state active
backend add $VIP:80/tcp to 10.2.0.8:80
END
check "and who recovers" told service '.health == "up" and .frontend == "10.96.0.10:80/tcp" and
	.usable == 2'
check "so does monitor without a word" told all '.event == "service" and .health == "up"'
w n1 backend del $VIP:80/tcp to 10.2.0.8:80
w n1 backend add $VIP:81/tcp to 10.2.0.8:80
check "once each" told service '.frontend == "10.96.0.10:81/tcp" and .health == "up"'
equals "of no backend by itself" "down up" \
	"$(jq -rs '[.[] | select(.frontend == "10.96.0.10:80/tcp") | .health] | join(" ")' "$said/service")"
w n1 backend del $VIP:81/tcp to 10.2.0.8:80
killall_listeners() { kill "${wt_pids[@]:1}"; wait "${wt_pids[@]:1}" 2>/dev/null; wt_pids=("${wt_pids[0]}"); }
killall_listeners
check "nobody listens, packets are dropped all the same" ask blocked n1 deny_egress p1b udp p2b 7

# Explain ------------------------------------------------------------------------------------
answer=$(ask explain n1 p1a vip tcp 80 verdict=allow)
equals "explain says what the interface promises" \
	"backend dst_identity egress ingress reason service src_identity verdict via" \
	"$(jq -r 'keys - ["node"] | .[]' <<<"$answer" | tr '\n' ' ' | sed 's/ $//')"
check "the service" ask explain n1 p1a vip tcp 80 service=10.96.0.10:80/tcp backend=10.2.0.7:80 via=192.0.2.2 \
	reason=none src_identity=301 dst_identity=401 ingress=null egress.enforced=false \
	egress.verdict=allow egress.rule=null egress.policy=null
check "the rule" ask explain n1 p1b p2b udp 7 verdict=deny reason=deny_egress egress.enforced=true \
	egress.verdict=deny 'egress.rule=.*402.*deny.*' 'egress.policy=for tests'
check "from another node" ask explain n1 p2a p1a tcp 80 verdict=allow egress=null ingress.enforced=false \
	src_identity=401
check "the outside" ask explain n1 net p1a tcp 80 src_identity=2 dst_identity=301
check "the host" ask explain n1 n1 p1a tcp 80 src_identity=1 verdict=allow
check "another node's address" ask explain n1 p1a n2 tcp 80 dst_identity=6 via=192.0.2.2
check "IPv6" ask explain n1 p1a/6 p2a/6 tcp 80 verdict=allow via=192.0.2.2 dst_identity=401
check "ICMP" ask explain n1 p1a p2a icmp "" verdict=allow
ip -n wt-p1b link set eth0 down
check "a pod's device that is down" ask explain n1 p1a p1b udp 7 verdict=drop reason=device_down dst_identity=302
check "which is so" ask blocked n1 device_down p1a udp p1b 7
ip -n wt-p1b link set eth0 up
ip -n wt-p1b route add default via 169.254.1.1 dev eth0 onlink
ip -n wt-p1b route add default via fe80::ecee:eeff:feee:eeee dev eth0 onlink 2>/dev/null
ip -n wt-p1b addr replace fd00:1::6/128 dev eth0 nodad
check "and up again" ask explain n1 p1a p1b udp 7 verdict=allow
check "a table for people" eval 'w n1 explain src 10.1.0.6 dst 10.2.0.8 proto udp dport 7 | grep -q deny_egress'
refuses "explain of two families" "family" w n1 explain src 10.1.0.6 dst fd00::1 proto tcp dport 80

# Flows -------------------------------------------------------------------------------------------
flow() { ask json n1 "" flow show | jq -e "any(.[]; $1)"; }
check "a connection" ask open look p1a tcp vip 80
check "which talks" ask talk look size=20000
cached "flow show has it, translated" flow '.src == "10.1.0.5" and .dst == "10.96.0.10" and .dport == 80
	and .nat_dst == "10.2.0.7:80" and .packets > 0 and .bytes > 0 and .src_identity == 301'
cached "and its answers" flow '.src == "10.2.0.7" and .dst == "10.1.0.5" and .sport == 80'
hits=$(ask count n1 cache_hit)
check "it talks on" ask talk look size=20000
cached "out of the cache" test "$(ask count n1 cache_hit)" -gt "$hits"
check "flow flush" w n1 flow flush
check_not "empties it" flow '.dst == "10.96.0.10"'
check "which cuts nothing" ask talk look size=20000
w n1 policy add id 999 egress deny
check "nor does a change that is none of its" ask talk look size=20000
ask close look >/dev/null

# Identities, versions -------------------------------------------------------------------------------
check "identity get finds a pod elsewhere" eval 'ask json n1 "" identity get 10.2.0.7 | grep -q 401'
known() # ADDR ID BY
{
	local got

	got=$(ask json n1 "" identity get "$1" | jq -r '"\(.id) \(.by)"')
	[ "$got" = "$2 $3" ] || { echo "$1: $got"; return 1; }
}
check "by a prefix" known 10.2.0.7 401 prefix
check "a pod here" known 10.1.0.5 301 endpoint
check "this host" known 192.0.2.1 1 host
check "another node" known 192.0.2.2 6 node
check "the world, as packets from there have it" eval 'known 203.0.113.77 2 world && known 2001:db8:77::1 2 world'
check "identity get for people" eval 'w n1 identity get 203.0.113.77 | grep -q world'
check "conntrack shows what is translated" eval \
	'at n1 conntrack -L 2>/dev/null | grep -q "dst=10.96.0.10.*src=10.2.0.7"'
check "version tells tool and module" eval 'ask json n1 "" version | jq -e ".tool and .module and .upgrade == null"'

# Tracepoints -----------------------------------------------------------------------------------------
events=/sys/kernel/tracing/events/wattle
traced()
{
	echo 1 >$events/enable || return
	ask blocked n1 deny_egress p1b udp p2b 7 && ask tcp p1a p2b 80
	echo 0 >$events/enable
	grep -q 'wattle_drop:.*deny_egress' /sys/kernel/tracing/trace || { tail /sys/kernel/tracing/trace; return 1; }
	grep -q 'wattle_verdict:' /sys/kernel/tracing/trace
}
if [ -d /sys/kernel/tracing/events ]; then
	check "tracepoints" traced
else
	skip "tracepoints" "this kernel has no tracing"
fi

# Audit ------------------------------------------------------------------------------------------------
w n1 device set wattle0 audit on
audited=$(ask count n1 audited)
check "audit lets pass what policy forbids" ask udp p1b p2b 7
check "and counts it" test "$(ask count n1 audited)" -gt "$audited"
check "explain says so" ask explain n1 p1b p2b udp 7 verdict=allow reason=deny_egress
w n1 device set wattle0 audit off
check "and no more" ask blocked n1 deny_egress p1b udp p2b 7

# Without the cache all is the same -------------------------------------------------------------------------
w n1 device set wattle0 cache off
w n2 device set wattle0 cache off
hits=$(ask count n1 cache_hit)
for f in "" /6; do
	check "no cache: TCP ${f:+over IPv6}" ask tcp p1a "p2a$f" 80 size=200000
	check "no cache: UDP ${f:+over IPv6}" ask udp p1a "p2a$f" 7
	check "no cache: ping ${f:+over IPv6}" ask ping p1a "p2a$f"
	check "no cache: a pod beside ${f:+over IPv6}" ask tcp p1a "p1b$f" 80 size=100000
	check "no cache: its node ${f:+over IPv6}" ask tcp p1a "n1$f" 80 size=100000
done
check "no cache: a service" ask tcp p1a vip 80 size=100000
check "no cache: policy" ask blocked n1 policy_egress p1b udp p1a 7
check "no cache: a conversation" ask open talk p1b udp p2a 7
check "no cache: talks" ask talk talk
w n1 policy add id 302 egress peer id 401 deny
check "no cache: is cut" ask cut talk n1 deny_egress
ask close talk >/dev/null
equals "nothing came out of the cache" "$hits" "$(ask count n1 cache_hit)"
check "flow show is empty" eval '[ "$(ask json n1 "" flow show | jq length)" = 0 ]'
w n1 device set wattle0 cache on
check "the cache is used again" eval 'ask tcp p1a p2a 80 size=200000 && [ "$(ask count n1 cache_hit)" -gt "$hits" ]'

# With the device down ------------------------------------------------------------------------------------
ip -n wt-n1 link set wattle0 down
check "explain: out of a pod" ask explain n1 p1a p1b udp 7 verdict=drop reason=device_down src_identity=301 \
	dst_identity=302 service=null via=null egress=null ingress=null
check "which is so" ask blocked n1 device_down p1a udp p1b 7
check "explain: to a service, too" ask explain n1 p1a vip tcp 80 verdict=drop reason=device_down service=null
check "explain: from the host to a pod" ask explain n1 n1 p1a udp 7 verdict=drop reason=device_down src_identity=1
check "which is so" ask blocked n1 device_down n1 udp p1a 7
check "explain: out of the tunnel" ask explain n1 p2a p1a tcp 80 verdict=drop reason=device_down src_identity=401
check "explain: the host's own stack goes on" ask explain n1 n1 vip tcp 80 verdict=allow service=null
ip -n wt-n1 link set wattle0 up
check "explain: up again" ask explain n1 p1a p2a tcp 80 verdict=allow

# The module anew, for those who listen -------------------------------------------------------------------
listen "$said/anew" drop
w n1 device del wattle0
w n2 device del wattle0
check "the module goes while somebody listens" eventually 30 rmmod wattle
check "and comes back" wt_load
world_link n1 4
world_tables n1
ip -n wt-n1 link set wattle0 down
check "a packet goes out, and is dropped" ask emit p1a src=p1a dst=p1b proto=udp dport=7
check "monitor goes on" eventually 60 grep -q '"udp".*device_down' "$said/anew"

finish
