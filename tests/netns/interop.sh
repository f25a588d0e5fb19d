#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The other end is not Wattle: the kernel's vxlan device, and Open vSwitch. n2 has no module;
# one of its pods lives on its tunnel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

mac1=02:57:c0:00:02:01

world_peer()
{
	agent_start
	world_namespaces
	world_underlay
	world_pod n1 p1a
	ask name n1 $N1 $N16
	ask name n2 $N2 $N26
	# What is behind the tunnel answers in n2 itself.
	ask name p2a 10.2.0.7 fd00:2::7
	ask serve p1a tcp 80
	ask serve p1a udp 7
	ask serve n2 tcp 80
	ask serve n2 udp 7
}

# wattle UNDERLAY OPTION...: n1 with the tables for one pod on each side
wattle()
{
	! ip -n wt-n1 link show wattle0 >/dev/null 2>&1 || w n1 device del wattle0
	world_device n1 "$@" || return
	w n1 <<-END
	identity add 10.2.0.7/32 id 401
	identity add fd00:2::7/128 id 401
	endpoint add p1a pod test/p1a ip 10.1.0.5 ip fd00:1::5 id 301
	policy add id 301 ingress peer id 401 allow
	END
}

# The address on the tunnel, and the way to the pods over there.
tunnel_up() # DEV MTU
{
	batch n2 <<-END
	link set $1 mtu $2 up
	addr add 10.2.0.7/32 dev $1
	addr add fd00:2::7/128 dev $1 nodad
	route replace 10.1.0.0/24 dev $1 src 10.2.0.7
	route replace fd00:1::/64 dev $1 src fd00:2::7
	neigh replace 10.1.0.5 lladdr ${3-$mac1} dev $1 nud permanent
	neigh replace fd00:1::5 lladdr ${3-$mac1} dev $1 nud permanent
	END
}

# The group is the packet's mark, set on what goes out and counted on what comes in.
marks()
{
	at n2 nft -f - <<-END
	table inet group
	delete table inet group
	table inet group {
		counter got { }
		chain out {
			type route hook output priority mangle; policy accept;
			oifname "vx0" meta mark set $1;
		}
		chain in {
			type filter hook input priority 0; policy accept;
			iifname "vx0" meta mark 301 counter name "got";
		}
	}
	END
}
marked() { [ "$(at n2 nft -j list counter inet group got | jq '[.nftables[] | .counter // empty | .packets] | add')" -gt 0 ]; }

both_ways() # WHAT
{
	local f v

	for f in "" /6; do
		v=${f:+ over IPv6}
		check "$1: ping from here$v" ask ping p1a "p2a$f"
		check "$1: ping from there$v" ask ping n2 "p1a$f"
		check "$1: TCP from here$v" ask tcp p1a "p2a$f" 80 size=200000
		check "$1: TCP from there$v" ask tcp n2 "p1a$f" 80 size=200000 "src=p2a$f"
		check "$1: UDP from here$v" ask udp p1a "p2a$f" 7 size=1000
		check "$1: UDP in pieces from there$v" ask udp n2 "p1a$f" 7 size=5000 "src=p2a$f"
	done
}

# The kernel's ---------------------------------------------------------------------------------
kernel_vxlan() # 4|6 WHAT MODE-OPTIONS VXLAN-OPTIONS MAC
{
	local under=$1 what=$2 mac=$5 local=$N2 remote=$N1 mtu=1450

	[ "$under" = 4 ] || { local=$N26 remote=$N16 mtu=1430; }
	# shellcheck disable=SC2086
	check "$what: n1 is Wattle" wattle "$under" $3
	ip -n wt-n2 link del vx0 2>/dev/null
	# shellcheck disable=SC2086
	check "$what: n2 is the kernel's" ip -n wt-n2 link add vx0 address "$mac" type vxlan id 42 \
		local "$local" remote "$remote" dstport 8472 nolearning $4
	tunnel_up vx0 $mtu
	marks 401
}

world_peer
for under in 4 6; do
	t="gbp, IPv$under underlay"
	[ $under = 4 ] && mac=02:57:c0:00:02:02 || mac=$(printf '02:57:%02x:%02x:%02x:%02x' 0x2d 0x07 0x0d 0xb8)
	if [ $under = 6 ]; then
		# The last 32 bits of the address, folded with the others.
		mac=$(python3 -Ic 'import socket, struct
a, b, c, d = struct.unpack("!IIII", socket.inet_pton(socket.AF_INET6, "2001:db8:f::2"))
print("02:57:" + struct.pack("!I", a ^ b ^ c ^ d).hex(":"))')
	fi
	kernel_vxlan $under "$t" "mode gbp vni 42" gbp "$mac"
	both_ways "$t"
	check "$t: the group arrives there" marked
	marks 402
	check "$t: another group is refused" ask blocked n1 wrong_identity n2 udp p1a 7 src=10.2.0.7
	marks 401
	check "$t: and the right one passes again" ask udp n2 p1a 7 src=p2a
	w n1 policy add id 301 ingress peer id 401 proto udp port 7 deny
	check "$t: policy decides by it" ask blocked n1 deny_ingress n2 udp p1a 7 src=10.2.0.7
	t="plain, IPv$under underlay"
	kernel_vxlan $under "$t" "mode plain vni 42" "" "$mac"
	both_ways "$t"
	check "$t: another VNI" ask vxlan n2 "from=$([ $under = 4 ] && echo $N2 || echo $N26)" \
		"to=$([ $under = 4 ] && echo $N1 || echo $N16)" vni=43 src=p2a dst=p1a proto=udp dport=7 \
		drop=n1:wrong_vni
	t="plain with a MAC address of its own, IPv$under underlay"
	kernel_vxlan $under "$t" "mode plain vni 42" "" 02:11:22:33:44:55
	# Neither has been told the other's MAC address.
	ip -n wt-n2 neigh flush dev vx0 nud permanent
	check "$t: reached before anything was heard of it" eventually 20 ask ping p1a p2a
	check "$t: asked for addresses" eval 'ip -n wt-n2 neigh show 10.1.0.5 dev vx0 |
		grep -q "lladdr $(ip -n wt-n1 -br link show wattle0 | awk "{ print \$3 }")"'
	check "$t: over IPv6, too" eventually 20 ask ping p1a p2a/6
	check "$t: learned from the first packet" eventually 20 ask ping n2 p1a
	both_ways "$t"
done

# With the other's options
kernel_vxlan 4 "without outer checksums" "mode gbp vni 42 csum off" "gbp noudpcsum" 02:57:c0:00:02:02
both_ways "without outer checksums"
kernel_vxlan 6 "with no outer checksum from there" "mode gbp vni 42" "gbp udp6zerocsumtx udp6zerocsumrx" 02:11:22:33:44:56
check "with no outer checksum from there: it is taken" eventually 20 ask ping n2 p1a
ip -n wt-n2 link del vx0

# Open vSwitch -----------------------------------------------------------------------------------
ovs=$(mktemp -d)
ovs_start()
{
	export OVS_RUNDIR=$ovs OVS_DBDIR=$ovs OVS_LOGDIR=$ovs
	modprobe -q openvswitch || return
	ovsdb-tool create "$ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema || return
	ovsdb-server "$ovs/conf.db" --remote="punix:$ovs/db.sock" --pidfile="$ovs/ovsdb-server.pid" \
		--unixctl="$ovs/db.ctl" --detach --log-file="$ovs/db.log" --no-chdir || return
	ovs-vsctl --db="unix:$ovs/db.sock" --no-wait init || return
	at n2 ovs-vswitchd "unix:$ovs/db.sock" --pidfile="$ovs/ovs-vswitchd.pid" --unixctl="$ovs/vs.ctl" \
		--detach --log-file="$ovs/vs.log" --no-chdir || return
}
vsctl() { timeout 60 ovs-vsctl --db="unix:$ovs/db.sock" "$@"; }
flows() { timeout 60 ovs-ofctl "$@"; }
ovs_stop()
{
	vsctl del-br br0
	[ ! -e "$ovs/ovs-vswitchd.pid" ] || kill "$(<"$ovs/ovs-vswitchd.pid")"
	[ ! -e "$ovs/ovsdb-server.pid" ] || kill "$(<"$ovs/ovsdb-server.pid")"
	eventually 20 eval '! pgrep -f "$ovs"'
}
ovs_bridge() # LOCAL REMOTE
{
	vsctl --may-exist add-br br0 -- set bridge br0 fail_mode=secure \
		'other_config:hwaddr="02:57:c0:00:02:02"' -- \
		--if-exists del-port vx1 -- add-port br0 vx1 -- set interface vx1 type=vxlan ofport_request=5 \
		"options:local_ip=$1" "options:remote_ip=$2" options:key=42 options:exts=gbp \
		options:dst_port=8472 || return
	flows del-flows "$ovs/br0.mgmt" || return
	# A group from the other side is required to be that of its pod.
	flows add-flow "$ovs/br0.mgmt" "in_port=LOCAL,actions=set_field:401->tun_gbp_id,output:5" || return
	flows add-flow "$ovs/br0.mgmt" "in_port=5,tun_gbp_id=301,actions=LOCAL"
}

if ! command -v ovs-vswitchd >/dev/null; then
	skip "Open vSwitch" "it is not installed"
elif ! modprobe -q openvswitch && [ ! -d /sys/module/openvswitch ]; then
	skip "Open vSwitch" "this kernel has no datapath for it"
else
	level=$(cut -f 1 /proc/sys/kernel/printk)
	dmesg -n 1
	check "n1 is Wattle" wattle 4 mode gbp vni 42
	check "Open vSwitch starts" ovs_start
	check "n2 is its bridge" ovs_bridge $N2 $N1
	tunnel_up br0 1450
	both_ways "Open vSwitch, IPv4 underlay"
	flows add-flow "$ovs/br0.mgmt" "in_port=LOCAL,actions=set_field:402->tun_gbp_id,output:5"
	check "Open vSwitch: another group is refused" ask blocked n1 wrong_identity n2 udp p1a 7 src=10.2.0.7
	check "n1 is Wattle over IPv6" wattle 6 mode gbp vni 42
	check "n2 is its bridge over IPv6" ovs_bridge $N26 $N16
	ip -n wt-n2 link set br0 mtu 1430
	check "Open vSwitch, IPv6 underlay: it is heard" eventually 20 ask ping n2 p1a
	both_ways "Open vSwitch, IPv6 underlay"
	check "Open vSwitch goes" ovs_stop
	check "the kernel has nothing to complain about" tests/vm/console /dev/fd/0 < <(dmesg)
	dmesg -C
	dmesg -n "$level"
fi

finish
