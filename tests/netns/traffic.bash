# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the suites that send traffic, over lib.sh: two nodes, two pods on each, and an
# outside host, all served by one process (agent.py).
#
#   world [4|6] [DEVICE OPTION]...    n1 and n2 with wattle0, over that underlay
#     p1a p1b on n1, p2a p2b on n2, identities 301 302 401 402; `net` is the outside host
#   world_empty           the same two nodes and pods, but wattle0 has no tables: for manifests
#   AGENT=MODULE          before these: an agent that can do more than agent.py
#   ask COMMAND...        of the agent; prints what it answers, fails where it says no
#   w NODE WORDS...       wattlectl in a node; without words, a batch on stdin
#   both <<<TEXT          that batch in both nodes
#   who PROTO FROM DST PORT        the one who answers
#   answers COUNT PROTO FROM DST PORT [KEY=VALUE]     those who answered COUNT times, sorted, each once
#   apply_both OPTION...  `wattlectl apply` in both nodes, one after the other
#   listen FILE WORDS...  `wattlectl -j monitor WORDS` of n1 into FILE
#   passes "what" FROM TO PROTO [PORT] [KEY=VALUE]...     traffic, and explain on both nodes
#   blocks "what" FROM TO PROTO PORT NODE REASON          is dropped there for that, and explain agrees
#   cached "what" COMMAND...       a check of what the flow cache does; not without one (WATTLE_CACHE=off)
#   finish                says that there are no more tests to come

N1=192.0.2.1 N2=192.0.2.2 OUT=192.0.2.9
N16=2001:db8:f::1 N26=2001:db8:f::2 OUT6=2001:db8:f::9
VIP=10.96.0.10 VIP6=fd00:96::10
PODS1="p1a p1b" PODS2="p2a p2b"
declare -A POD4=([p1a]=10.1.0.5 [p1b]=10.1.0.6 [p2a]=10.2.0.7 [p2b]=10.2.0.8)
declare -A POD6=([p1a]=fd00:1::5 [p1b]=fd00:1::6 [p2a]=fd00:2::7 [p2b]=fd00:2::8)
declare -A POD_ID=([p1a]=301 [p1b]=302 [p2a]=401 [p2b]=402)
declare -A NODE_OF=([p1a]=n1 [p1b]=n1 [p2a]=n2 [p2b]=n2 [n1]=n1 [n2]=n2)
# The slow kernel gets more time before something counts as lost.
[ "${WATTLE_KERNEL-}" = debug ] && export WATTLE_LIMIT=60
export WATTLECTL

cached()
{
	if [ "${WATTLE_CACHE-}" = off ]; then
		skip "$1" "the flow cache is off"
	else
		check "$@"
	fi
}

# The agent -------------------------------------------------------------------

agent_start()
{
	local dir

	dir=$(mktemp -d)
	mkfifo "$dir/in" "$dir/out"
	setsid python3 -BI -c "import sys; sys.path.insert(0, 'tests/netns')
import ${AGENT-agent} as agent; agent.Agent().run()" <"$dir/in" >"$dir/out" &
	wt_pids+=($!)
	exec 8>"$dir/in" 9<"$dir/out"
	rm -r "$dir"
}

ask()
{
	local IFS=$'\t' answer

	printf '%s\n' "$*" >&8
	read -r -t 600 answer <&9 || answer="no the agent is gone"
	[ "${answer#* }" = "" ] || printf '%s\n' "${answer#* }"
	[ "${answer%% *}" = ok ]
}

w()
{
	local node=$1

	shift
	if [ $# -gt 0 ]; then
		"$WATTLECTL" -n "wt-$node" "$@"
	else
		"$WATTLECTL" -n "wt-$node" -b -
	fi
}

both() { local words; words=$(cat); w n1 <<<"$words" && w n2 <<<"$words"; }
who() { ask "$@" | cut -d ' ' -f 1; }

answers()
{
	local i n=$1

	shift
	for ((i = 0; i < n; i++)); do who "$@" || exit; done | sort -u | tr '\n' ' '
}

apply_both() { local n; for n in n1 n2; do w $n apply --node $n "$@" || return; done; }

# The world --------------------------------------------------------------------

# One process for many settings.
batch() { if [ "$1" = - ]; then ip -b -; else ip -n "wt-$1" -b -; fi; }

world_namespaces()
{
	local ns

	{
		for ns in net n1 n2 $PODS1 $PODS2; do echo "netns add wt-$ns"; done
	} | batch -
	for ns in net n1 n2 $PODS1 $PODS2; do
		ask sysctl "$ns" net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
	done
	ask sysctl n1 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	ask sysctl n2 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
}

# The bridge is the underlay, and its own address the outside host.
world_underlay()
{
	local n

	batch - <<-END
	link add br0 netns wt-net type bridge mcast_snooping 0
	link add eth0 netns wt-n1 type veth peer name n1 netns wt-net
	link add eth0 netns wt-n2 type veth peer name n2 netns wt-net
	END
	batch net <<-END
	link set lo up
	link set n1 master br0 up
	link set n2 master br0 up
	link set br0 up
	addr add $OUT/24 dev br0
	addr add $OUT6/64 dev br0 nodad
	route add 10.1.0.0/24 via $N1
	route add 10.2.0.0/24 via $N2
	route add fd00:1::/64 via $N16
	route add fd00:2::/64 via $N26
	END
	for n in 1 2; do
		batch n$n <<-END
		link set lo up
		link set eth0 up
		addr add 192.0.2.$n/24 dev eth0
		addr add 2001:db8:f::$n/64 dev eth0 nodad
		route add default via $OUT
		route add default via $OUT6
		END
	done
}

# A pod has its addresses and a default route, no more.
world_pod() # NODE POD [MTU]
{
	batch - <<-END
	link add $2 netns wt-$1 mtu ${3-1450} type veth peer name eth0 netns wt-$2 mtu ${3-1450}
	END
	batch "$2" <<-END
	link set lo up
	link set eth0 up
	addr add ${POD4[$2]}/32 dev eth0
	addr add ${POD6[$2]}/128 dev eth0 nodad
	route add default via 169.254.1.1 dev eth0 onlink
	route add default via fe80::ecee:eeff:feee:eeee dev eth0 onlink
	END
	batch "$1" <<-END
	link set $2 up
	route add ${POD4[$2]}/32 dev $2
	route add ${POD6[$2]}/128 dev $2
	END
	ask name "$2" "${POD4[$2]}" "${POD6[$2]}"
}

world_link() # NODE 4|6 OPTION...
{
	local node=$1 under=$2 addr=192.0.2.${1#n}

	shift 2
	[ "$under" != 6 ] || addr=2001:db8:f::${node#n}
	w "$node" device add wattle0 local "$addr" ${WATTLE_CACHE:+cache "$WATTLE_CACHE"} "$@" || return
	ip -n "wt-$node" link set wattle0 up
}

# The same, and the other node is known.
world_device() # NODE 4|6 OPTION...
{
	local o=$((3 - ${1#n}))

	world_link "$@" || return
	w "$1" <<-END
	node add n$o addr 192.0.2.$o addr 2001:db8:f::$o cidr 10.$o.0.0/24 cidr fd00:$o::/64
	END
}

world_tables() # NODE
{
	local p

	{
		for p in $PODS1 $PODS2; do
			if [ "${NODE_OF[$p]}" = "$1" ]; then
				echo "endpoint add $p pod test/$p ip ${POD4[$p]} ip ${POD6[$p]} id ${POD_ID[$p]}"
			else
				echo "identity add ${POD4[$p]}/32 id ${POD_ID[$p]}"
				echo "identity add ${POD6[$p]}/128 id ${POD_ID[$p]}"
			fi
		done
	} | w "$1"
}

# Namespaces, the underlay and the pods, but no device.
world_bare()
{
	local p

	agent_start
	world_namespaces
	world_underlay
	for p in $PODS1; do world_pod n1 "$p" "${POD_MTU-1450}"; done
	for p in $PODS2; do world_pod n2 "$p" "${POD_MTU-1450}"; done
	ask name n1 $N1 $N16
	ask name n2 $N2 $N26
	ask name net $OUT $OUT6
}

# For manifests: devices that know of nothing.
world_empty()
{
	local n

	world_bare
	for n in n1 n2; do world_link $n 4 || fatal "a device on $n"; done
}

world()
{
	local under=${1:-4}

	shift
	world_bare
	world_device n1 "$under" "$@" || fatal "a device on n1"
	world_device n2 "$under" "$@" || fatal "a device on n2"
	world_tables n1 || fatal "the tables of n1"
	world_tables n2 || fatal "the tables of n2"
}

# Wattle's half of it anew: other options, no pods lost.
again() # 4|6 OPTION...
{
	local n

	for n in n1 n2; do
		w "$n" device del wattle0 || fatal "the device of $n goes"
		world_device "$n" "$@" || fatal "a device on $n: $*"
		world_tables "$n" || fatal "the tables of $n"
	done
}

# listen FILE WORDS...: a monitor of n1 that writes there, listening when this returns
listen()
{
	local file=$1 before

	shift
	before=$(listeners)
	setsid "$WATTLECTL" -n wt-n1 -j monitor "$@" >"$file" 2>&1 8>&- 9<&- &
	wt_pids+=($!)
	eventually 60 eval '[ "$(listeners)" -gt "$before" ]' || fatal "a monitor of n1 listens"
}
# Generic netlink sockets that have joined a group.
listeners() { at n1 awk '$2 == 16 && $4 !~ /^0+$/' /proc/net/netlink | wc -l; }

# Pairs of a traffic and what explain says of it ---------------------------------

protocol() { case $1/$2 in ping/*/6) echo icmpv6 ;; ping/*) echo icmp ;; *) echo "$1" ;; esac; }

base() { echo "${1%/6}"; }

# What explain says on the nodes of both; a wire apart, each decides its half.
explained() # FROM TO PROTO PORT VERDICT [NODE REASON]
{
	local from=$1 to=$2 port=$4 verdict=$5 where=${6-} reason=${7-none} proto n

	proto=$(protocol "$3" "$to")
	[ "$proto" != "${proto#icmp}" ] && port=
	[[ $to == */6 && $from != */6 ]] && from=$from/6
	for n in $(printf '%s\n' "${NODE_OF[$(base "$from")]}" "${NODE_OF[$(base "$to")]-}" | sort -u); do
		if [ "$verdict" = allow ]; then
			ask explain "$n" "$from" "$to" "$proto" "$port" verdict=allow || return
		elif [ "$n" = "$where" ]; then
			ask explain "$n" "$from" "$to" "$proto" "$port" "verdict=$verdict" "reason=$reason" || return
		fi
	done
}

passes()
{
	local what=$1 from=$2 to=$3 proto=$4 port=${5-}

	shift 4
	[[ $port == *=* ]] && port=
	if [ "$proto" = ping ]; then
		[ -z "$port" ] || shift
		check "$what" ask ping "$from" "$to" "$@"
	else
		check "$what" ask "$proto" "$from" "$to" "$@"
	fi
	check "$what: explain agrees" explained "$from" "$to" "$proto" "$port" allow
}

blocks() # WHAT FROM TO PROTO PORT NODE REASON
{
	local verdict=deny

	check "$1" ask blocked "$6" "$7" "$2" "$4" "$3" "$5"
	case $7 in no_backend | no_service_port) verdict=reject ;; policy_* | deny_*) ;; *) verdict=drop ;; esac
	check "$1: explain agrees" explained "$2" "$3" "$4" "$5" $verdict "$6" "$7"
}

# At the end there is nothing ------------------------------------------------------

cleared()
{
	local n

	for n in n1 n2; do
		[ -e "/run/netns/wt-$n" ] || continue
		ip -n "wt-$n" link show wattle0 >/dev/null 2>&1 || continue
		w "$n" device del wattle0 || return
		if ip -n "wt-$n" route | grep -q wattle0; then
			echo "routes are left"
			return 1
		fi
	done
}

finish()
{
	check "the devices can be removed" cleared
	exec 8>&-
}
