# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Words in variables are numbers, addresses and names, without blanks.
# shellcheck disable=SC2034,SC2086,SC2153
#
# What every row of the benchmark shares: the namespaces, the generator and
# the sink. Sourced in the guest.
#
#   p1 eth0 --- veth1 n1 uplink --- uplink n2 veth2 --- eth0 p2      (p3: beside p1)

P1=10.1.0.5 P2=10.2.0.7 P3=10.1.0.6
N1=192.0.2.1 N2=192.0.2.2
PORT=9000                       # where the pods listen
FLOWS=64
FIRST=10000                     # first source port of the 64 flows
PKT_SIZE=128
SLICES=5

say() { echo "bench: $*" >&2; }
die() { say "$*"; exit 1; }
in_ns() { ip netns exec "$@"; }

# Locally administered addresses that one can read in a dump.
mac() { printf '02:00:00:00:%02x:%02x' "$1" "$2"; }

declare -A MAC=(
	[p1]=$(mac 1 1) [veth1]=$(mac 1 2) [up1]=$(mac 1 3)
	[p2]=$(mac 2 1) [veth2]=$(mac 2 2) [up2]=$(mac 2 3)
	[p3]=$(mac 3 1) [veth3]=$(mac 3 2) [vx1]=$(mac 1 4) [vx2]=$(mac 2 4)
)

netns_add()
{
	ip netns add "$1"
	# Nothing but the measured packets: no router solicitations, no MLD.
	in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward="$2"
	ip -n "$1" link set lo up
}

# A conversation must not end before it is measured: while a guest that counts
# instructions waits for a file, minutes may pass for it.
node_add()
{
	netns_add "$1" 1
	in_ns "$1" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1000000 \
		net.netfilter.nf_conntrack_udp_timeout_stream=1000000
	# The flow table's own, where its module is loaded.
	in_ns "$1" sysctl -qew net.netfilter.nf_flowtable_udp_timeout=1000000
}

# A pod behind a routed veth, its address resolved once and for all: a lookup
# that waits for ARP would be counted.
pod_add() # POD NODE DEV ADDR
{
	local pod=$1 node=$2 dev=$3 addr=$4

	netns_add "$pod" 0
	ip link add "$dev" netns "$node" address "${MAC[$dev]}" type veth \
		peer name eth0 netns "$pod" address "${MAC[$pod]}"
	ip -n "$pod" addr add "$addr/32" dev eth0
	ip -n "$pod" link set eth0 up
	ip -n "$pod" route add default via 169.254.1.1 dev eth0 onlink
	ip -n "$pod" neigh add 169.254.1.1 lladdr "${MAC[$dev]}" dev eth0 nud permanent
	ip -n "$node" link set "$dev" up
	ip -n "$node" route add "$addr/32" dev "$dev"
	ip -n "$node" neigh add "$addr" lladdr "${MAC[$pod]}" dev "$dev" nud permanent
	sink_add "$pod"
}

sink_add()
{
	in_ns "$1" nft -f - <<-END
	table netdev sink {
		counter got { }
		chain in {
			type filter hook ingress device "eth0" priority 0; policy accept;
			counter name "got" drop;
		}
	}
	END
}

sink_reset() { in_ns "$1" nft reset counter netdev sink got >/dev/null; }
sink_count()
{
	in_ns "$1" nft -j list counter netdev sink got |
		jq '[.nftables[] | .counter // empty | .packets] | add'
}

topology_add()
{
	node_add n1
	node_add n2
	ip link add uplink netns n1 address "${MAC[up1]}" type veth \
		peer name uplink netns n2 address "${MAC[up2]}"
	ip -n n1 addr add $N1/24 dev uplink
	ip -n n2 addr add $N2/24 dev uplink
	ip -n n1 link set uplink up
	ip -n n2 link set uplink up
	ip -n n1 neigh add $N2 lladdr "${MAC[up2]}" dev uplink nud permanent
	ip -n n2 neigh add $N1 lladdr "${MAC[up1]}" dev uplink nud permanent
	pod_add p1 n1 veth1 $P1
	pod_add p2 n2 veth2 $P2
}

# Namespaces go in the background. What a row leaves must be gone before the
# next one is measured: sleeping costs no time here, instructions do.
topology_del()
{
	local ns

	for ns in p1 p2 p3 n1 n2; do
		if [ -e "/run/netns/$ns" ]; then ip netns del "$ns"; fi
	done
	sleep 5
}

# flannel's settings: no outer checksum, no learning, a neighbour and a
# forwarding entry for each node.
vxlan_add()
{
	local node

	for node in 1 2; do
		local other=$((3 - node)) self=N$node peer=N$((3 - node))

		ip -n n$node link add vx address "${MAC[vx$node]}" type vxlan id 1 \
			local "${!self}" dev uplink dstport 8472 nolearning noudpcsum
		ip -n n$node link set vx up
		ip -n n$node route add 10.$other.0.0/24 via 10.$other.0.0 dev vx onlink
		ip -n n$node neigh add 10.$other.0.0 lladdr "${MAC[vx$other]}" \
			dev vx nud permanent
		bridge -n n$node fdb append "${MAC[vx$other]}" dev vx dst "${!peer}"
	done
}

# --- the generator ----------------------------------------------------------

pg() { echo "$2" >"/proc/net/pktgen/$1" || die "pktgen $1: $2"; }

# Runs in the namespace that sends. The packets go in slices, each with source
# ports of its own where FRESH is 1. Prints how many were sent and the median of
# the slices' instructions per packet, for once in a while the kernel does
# something else for ten milliseconds. No program is started in between: a guest
# that waits for a file ages by minutes, and so do the caches that are measured.
pktgen_run() # SLICES COUNT SRC DST DST_MAC SPORT_MIN SPORT_MAX DPORT_MIN DPORT_MAX FRESH
{
	local i line total=0 per=() sport_min=$6 sport_max=$7

	pg pgctrl reset
	pg kpktgend_0 "add_device eth0"
	pg eth0 "count $2"
	pg eth0 "delay 0"
	pg eth0 "clone_skb 0"
	# Otherwise every packet arrives shared and is copied on the way.
	pg eth0 "flag !SHARED"
	pg eth0 "pkt_size $PKT_SIZE"
	pg eth0 "src_min $3"
	pg eth0 "src_max $3"
	pg eth0 "dst_min $4"
	pg eth0 "dst_max $4"
	pg eth0 "dst_mac $5"
	pg eth0 "udp_dst_min $8"
	pg eth0 "udp_dst_max $9"
	for ((i = 0; i < $1; i++)); do
		pg eth0 "udp_src_min $sport_min"
		pg eth0 "udp_src_max $sport_max"
		pg pgctrl start
		line=$(</proc/net/pktgen/eth0)
		[[ $line =~ Result:\ OK:\ ([0-9]+)\([^$'\n']*\ usec,\ ([0-9]+)\  ]] ||
			die "pktgen: $line"
		total=$((total + BASH_REMATCH[2]))
		per+=("$((BASH_REMATCH[1] * 10000 / BASH_REMATCH[2]))")
		if [ "${10}" = 1 ]; then
			sport_max=$((2 * sport_max - sport_min))
			sport_min=$(((sport_min + sport_max) / 2))
		fi
	done
	pg pgctrl reset
	line=$(printf '%s\n' "${per[@]}" | sort -n | sed -n "$(($1 / 2 + 1))p")
	echo "$total ${line%?}.${line: -1}"
}

# What of a pod is the same for all that it sends.
pktgen_from() # POD SLICES COUNT DST SPORT_MIN SPORT_MAX DPORT_MIN DPORT_MAX FRESH
{
	local src=P${1#p} dev=veth${1#p}

	export PKT_SIZE
	export -f pktgen_run pg die say
	in_ns "$1" bash -euc 'pktgen_run "$@"' pktgen \
		"$2" "$3" "${!src}" "$4" "${MAC[$dev]}" "$5" "$6" "$7" "$8" "$9"
}

# Packets of the 64 flows, one after the other.
send() # FROM_POD SLICES COUNT DST DPORT
{
	pktgen_from "$1" "$2" "$3" "$4" $FIRST $((FIRST + FLOWS)) "$5" "$5" 0
}

# Their answers: a source port that stays, a destination that counts up.
send_replies() # FROM_POD SLICES COUNT DST
{
	pktgen_from "$1" "$2" "$3" "$4" $PORT $PORT $FIRST $((FIRST + FLOWS)) 0
}

# Packets that are the first of their flow, each.
send_new() # FROM_POD SLICES COUNT DST DPORT SPORT_MIN
{
	pktgen_from "$1" "$2" "$3" "$4" "$6" $(($6 + $3)) "$5" "$5" 1
}

# --- a row ------------------------------------------------------------------

# One line for each row: name, instructions per packet, sent, delivered, note.
result() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$RESULTS"; }
skip() { say "$1: skipped: $2"; result "$1" 0 0 0 "$2"; }

measure_with() # TO_POD COMMAND...
{
	local to=$1 sent per got

	shift
	sink_reset "$to"
	[ -z "${PROFILE-}" ] || profile_start
	read -r sent per < <("$@")
	[ -z "${PROFILE-}" ] || profile_stop
	got=$(sink_count "$to")
	say "$ROW: $per a packet, $sent sent, $got delivered"
	result "$ROW" "$per" "$sent" "$got" ""
}

# Whether the last row's packets all arrived.
delivered() { tail -n 1 "$RESULTS" | awk -F '\t' '{ exit $3 != $4 }'; }

# Both ends know the conversations: every flow is sent once, answered once and
# sent again, so that conntrack has seen the reply.
establish() # FROM_POD TO_POD DST DPORT
{
	local from=P${1#p}

	send "$1" 1 $FLOWS "$3" "$4" >/dev/null
	send_replies "$2" 1 $FLOWS "${!from}" >/dev/null
	send "$1" 1 $((4 * FLOWS)) "$3" "$4" >/dev/null
}

measure_established() # FROM_POD TO_POD DST DPORT
{
	establish "$1" "$2" "$3" "$4"
	measure_with "$2" send "$1" $SLICES $((COUNT / SLICES)) "$3" "$4"
}

# The way back of such conversations.
measure_reply() # FROM_POD TO_POD DST DPORT
{
	local from=P${1#p}

	establish "$1" "$2" "$3" "$4"
	send_replies "$2" 1 $((4 * FLOWS)) "${!from}" >/dev/null
	measure_with "$1" send_replies "$2" $SLICES $((COUNT / SLICES)) "${!from}"
}

# A few others go before, for what is set up once. Many flows are there before.
measure_new() # FROM_POD TO_POD DST DPORT
{
	local first=$FIRST

	if [ $FLOWS -gt 64 ]; then
		establish "$1" "$2" "$3" "$4"
		first=$((FIRST + FLOWS))
	fi
	send_new "$1" 1 64 "$3" "$4" 65000 >/dev/null
	measure_with "$2" send_new "$1" $SLICES $((COUNT_NEW / SLICES)) "$3" "$4" $first
}

# In the namespace that sends: thousands of flows of one packet, then one packet
# of each known flow, which alone is measured; a few times. All are counted as sent.
pktgen_flooded() # ROUNDS FLOOD FLOWS FIRST SRC DST DST_MAC DPORT
{
	local i flood sent per all=() total=0 from=$(($4 + $3))

	for ((i = 0; i < $1; i++)); do
		read -r flood per < <(pktgen_run 1 "$2" "$5" "$6" "$7" \
			$((from + i * $2)) $((from + (i + 1) * $2)) "$8" "$8" 0)
		read -r sent per < <(pktgen_run 1 "$3" "$5" "$6" "$7" \
			"$4" $(($4 + $3)) "$8" "$8" 0)
		total=$((total + flood + sent))
		all+=("$per")
	done
	echo "$total $(printf '%s\n' "${all[@]}" | sort -n | sed -n "$(($1 / 2 + 1))p")"
}

send_flooded() # FROM_POD DST DPORT
{
	local src=P${1#p} dev=veth${1#p}

	export PKT_SIZE
	export -f pktgen_flooded pktgen_run pg die say
	in_ns "$1" bash -euc 'pktgen_flooded "$@"' pktgen 9 5000 $FLOWS $FIRST \
		"${!src}" "$2" "${MAC[$dev]}" "$3"
}

# Known flows in the midst of a flood of others that never come back.
measure_flooded() # FROM_POD TO_POD DST DPORT
{
	establish "$1" "$2" "$3" "$4"
	measure_with "$2" send_flooded "$1" "$3" "$4"
}
