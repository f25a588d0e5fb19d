# SPDX-License-Identifier: GPL-2.0-only
#
# For the scripts in tests/netns: results as TAP, nodes and pods made of namespaces.
#
#   . "$(dirname "$0")/lib.sh"
#   check "what is true" COMMAND...        passes if COMMAND does
#   check_not "what is not" COMMAND...     passes if it fails
#   refuses "what" REGEX COMMAND...        fails, and says so
#   equals "what" EXPECTED ACTUAL
#   ok "..."; not_ok "..." [DETAIL]; skip "..." WHY; fatal WHY
#
#   node NAME ADDR[/LEN]...    a namespace on the underlay; `at NAME COMMAND...` runs there
#   pod NODE NAME ADDR...      a namespace behind device NAME of NODE
#   note TEXT
#
# The module is loaded when this file is read; at the end namespaces go, then the
# module, and both must go without a trace. Everything lives in namespaces whose
# names begin with "wt-".

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

WATTLE_KO=${WATTLE_KO:-build/$(uname -r)/wattle.ko}
WATTLECTL=${WATTLECTL:-$PWD/build/wattlectl}
wt_n=0
wt_bad=0
wt_pids=()
wt_done=

note() { sed 's/^/# /' <<<"$*"; }
ok() { wt_n=$((wt_n + 1)); echo "ok $wt_n - $1"; }
skip() { wt_n=$((wt_n + 1)); echo "ok $wt_n - $1 # SKIP $2"; }

not_ok()
{
	wt_n=$((wt_n + 1))
	wt_bad=$((wt_bad + 1))
	echo "not ok $wt_n - $1"
	[ -z "${2-}" ] || note "$2"
	return 0
}

check()
{
	local what=$1 out status=0

	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status -eq 0 ]; then ok "$what"; else not_ok "$what" "$* -> $status: $out"; fi
}

check_not()
{
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then not_ok "$what" "$* succeeded: $out"; else ok "$what"; fi
}

refuses()
{
	local what=$1 regex=$2 out

	shift 2
	if out=$("$@" 2>&1); then
		not_ok "$what" "$* succeeded: $out"
	elif grep -qE -- "$regex" <<<"$out"; then
		ok "$what"
	else
		not_ok "$what" "$* said: $out"
	fi
}

equals()
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$3'"; fi
}

# eventually SECONDS COMMAND...: until it succeeds; at least three times
eventually()
{
	local until=$((SECONDS + $1)) tries=0

	shift
	until "$@" >/dev/null 2>&1; do
		[ $((++tries)) -lt 3 ] || [ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

# background NODE COMMAND...: ends with the script, or by `stop $bg`
background()
{
	local ns=$1

	shift
	setsid ip netns exec "wt-$ns" "$@" >/dev/null 2>&1 &
	bg=$!
	wt_pids+=("$bg")
}

stop() { kill -- "-$1" 2>/dev/null; wait "$1" 2>/dev/null; return 0; }

# Nodes and pods -------------------------------------------------------------

at() { local ns=$1; shift; ip netns exec "wt-$ns" "$@"; }

# Namespaces are quiet: no addresses of their own making, nothing that waits.
namespace()
{
	ip netns add "wt-$1"
	at "$1" sysctl -qew net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0
	at "$1" ip link set lo up
}

# What joins the nodes: a bridge.
underlay()
{
	namespace net
	at net ip link add br0 type bridge mcast_snooping 0
	at net ip link set br0 up mtu 9000
}

# node NAME ADDR/LEN...
node()
{
	local name=$1 addr

	shift
	ip netns list | grep -q '^wt-net\b' || underlay
	namespace "$name"
	ip link add eth0 netns "wt-$name" type veth peer name "$name" netns wt-net
	at net ip link set "$name" master br0 up
	at "$name" ip link set eth0 up
	for addr; do
		at "$name" ip addr add "$addr" dev eth0 nodad 2>/dev/null
	done
}

# pod NODE NAME ADDR...: the device is NAME on the node, eth0 in the pod; addresses
# are host addresses, and everything goes by a gateway that is nobody's
pod()
{
	local node=$1 name=$2 addr

	shift 2
	namespace "$name"
	ip link add "$name" netns "wt-$node" type veth peer name eth0 netns "wt-$name"
	at "$node" ip link set "$name" up
	at "$name" ip link set eth0 up
	for addr; do
		case $addr in
		*:*)
			at "$name" ip -6 addr add "$addr/128" dev eth0 nodad 2>/dev/null
			at "$name" ip -6 route replace default via fe80::ecee:eeff:feee:eeee dev eth0 onlink
			;;
		*)
			at "$name" ip addr add "$addr/32" dev eth0
			at "$name" ip route replace default via 169.254.1.1 dev eth0 onlink
			;;
		esac
	done
}

ctl() { local ns=$1; shift; at "$ns" "$WATTLECTL" "$@"; }
link() { local ns=$1; shift; at "$ns" python3 tests/netns/link.py "$@"; }

# stat_of NODE NAME: packets of a counter or reason
stat_of()
{
	ctl "$1" -j stats show | jq -r --arg n "$2" \
		'[.. | objects | select(.name? == $n) | .packets] | add // 0'
}

# Beginning and end ------------------------------------------------------------

wt_loaded() { grep -q '^wattle ' /proc/modules; }

fatal()
{
	not_ok "$1"
	exit 1
}

wt_clear()
{
	local ns pid

	for pid in "${wt_pids[@]}"; do
		stop "$pid"
	done
	for ns in $(ip netns list | awk '/^wt-/ { print $1 }'); do
		ip netns pids "$ns" | xargs -r kill -9 2>/dev/null
		ip netns del "$ns"
	done
	wait 2>/dev/null
	return 0
}

# Namespaces are taken down by a worker; the module is free when it is through.
wt_unload()
{
	! wt_loaded || eventually 30 rmmod wattle
}

wt_finish()
{
	[ -z "$wt_done" ] || return
	wt_done=1
	wt_clear
	check "the module can be unloaded at the end" wt_unload
	check_not "nothing of it is left" wt_loaded
	check "the kernel has nothing to complain about" tests/vm/console /dev/fd/0 < <(dmesg)
	echo "1..$wt_n"
	[ $wt_bad -eq 0 ] || exit 1
}

wt_depends()
{
	local dep

	for dep in $(modinfo -F depends "$WATTLE_KO" | tr ',' ' '); do
		modprobe -q "$dep" || return
	done
}

wt_load()
{
	wt_loaded && return
	wt_depends
	insmod "$WATTLE_KO"
}

trap wt_finish EXIT
trap 'exit 1' INT TERM
wt_clear
wt_load || fatal "the module loads"
