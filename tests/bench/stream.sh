# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Words in variables are numbers, addresses and names, without blanks.
# shellcheck disable=SC2034,SC2086,SC2153
#
# Programs in the pods instead of generator and sink: throughput, and how often
# a question is answered. In the guest's own time, an instruction a nanosecond,
# sender, both nodes and receiver on one processor. Sourced in the guest.

STREAM_BYTES=${STREAM_BYTES-256M}
UDP_BYTES=${UDP_BYTES-32M}
EXCHANGES=${EXCHANGES-2000}
PINGPONG=${PINGPONG-build/bench/pingpong}

# A row that is one figure, see FIGURES in report.
figure() { say "$ROW: $1"; result "$ROW" "$1" 1 1 ""; }

pods_open()
{
	local pod

	for pod in p1 p2; do
		in_ns $pod nft delete table netdev sink
	done
	# Datagrams wait for the receiver, who has the same processor.
	sysctl -qw net.core.rmem_max=33554432 net.core.wmem_max=33554432
}

# Where nothing is encapsulated.
plain_add()
{
	ip -n n1 route add 10.2.0.0/24 via $N2 dev uplink
	ip -n n2 route add 10.1.0.0/24 via $N1 dev uplink
}

pods_mtu()
{
	ip -n p1 link set eth0 mtu "$1"
	ip -n p2 link set eth0 mtu "$1"
}

listening() # POD
{
	while ! in_ns "$1" ss -Hlnt "sport = :$PORT" | grep -q .; do
		sleep 0.1
	done
}

# Not one of a shell's functions, whose process would be another.
serve_end()
{
	kill $1
	wait $1 2>/dev/null || true
}

# Prints what arrived, in bits a second. Once for what is set up once.
iperf() # DST DPORT OPTION...
{
	local dst=$1 dport=$2 server i

	shift 2
	ip netns exec p2 iperf3 -s -p $PORT >/dev/null &
	server=$!
	listening p2
	for i in 1 2; do
		in_ns p1 iperf3 -c "$dst" -p "$dport" -J "$@" >/tmp/iperf ||
			die "iperf3: $(jq -r .error /tmp/iperf)"
	done
	serve_end $server
	jq '.end | (.sum_received // .sum) | .bits_per_second / 1e6 * 10 | round / 10' /tmp/iperf
}

tcp_stream() { iperf "$1" "$2" -n "$STREAM_BYTES"; }

# As fast as the sender can: what arrives counts.
udp_stream() { iperf "$1" "$2" -u -b 0 -l 1400 -w 16M -n "$UDP_BYTES"; }

rr() { pingpong rr "$@"; }
crr() { pingpong crr "$@"; }

pingpong() # HOW DST DPORT
{
	local server

	ip netns exec p2 "$PINGPONG" serve $PORT >/dev/null &
	server=$!
	listening p2
	in_ns p1 "$PINGPONG" "$1" "$2" "$3" "$EXCHANGES"
	serve_end $server
}

plain_row() # WHAT
{
	pods_open
	plain_add
	figure "$("$1" $P2 $PORT)"
}

# kube-proxy's nftables mode, policy, vxlan.
nftables_row() # WHAT
{
	pods_open
	PROTO=tcp
	vxlan_add
	services_nftables
	policy_nft
	figure "$("$1" $VIP $VIP_PORT)"
}

wattle_stream_config() # SUBJECT DIRECTION PEER
{
	cat <<-END
	service add $VIP:$VIP_PORT/tcp
	backend add $VIP:$VIP_PORT/tcp to $P2:$PORT
	policy add id $1 $2 peer id $3 proto tcp port $PORT allow
	END
}

wattle_stream_row() # WHAT MTU
{
	local why

	why=$(wattle_ready) || { skip "$ROW" "$why"; return 0; }
	pods_open
	pods_mtu "$2"
	wattle_add
	wattle_stream_config $ID1 egress $ID2 | "$WATTLECTL" -n n1 -b -
	wattle_stream_config $ID2 ingress $ID1 | "$WATTLECTL" -n n2 -b -
	figure "$("$1" $VIP $VIP_PORT)"
}

row_plain_tcp() { plain_row tcp_stream; }
row_plain_udp() { plain_row udp_stream; }
row_nftables_rr() { nftables_row rr; }
row_nftables_crr() { nftables_row crr; }
row_wattle_tcp() { wattle_stream_row tcp_stream 1450; }
row_wattle_tcp_1500() { wattle_stream_row tcp_stream 1500; }
row_wattle_udp() { wattle_stream_row udp_stream 1450; }
row_wattle_rr() { wattle_stream_row rr 1450; }
row_wattle_crr() { wattle_stream_row crr 1450; }
