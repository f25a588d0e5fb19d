# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Words in variables are numbers, addresses and names, without blanks.
# shellcheck disable=SC2034,SC2086,SC2153
#
# The same work done by Wattle: 1,000 services, 1,000 pods each with an
# identity of its own, a rule for each of them, on both nodes. Sourced in the
# guest.

PODS=${PODS-1000}
RULES=${RULES-1000}
WATTLECTL=${WATTLECTL-build/wattlectl}
MODULE=${MODULE-build/$(uname -r)/wattle.ko}
ID1=300 ID2=301 ID3=302

# Says why not, where Wattle cannot be measured. Loaded with the first of its
# rows: nothing of it is there while the kernel's are measured.
wattle_ready()
{
	local dep

	[ ! -d /sys/module/wattle ] || return 0
	[ -e "$MODULE" ] || { echo "no $MODULE"; return 1; }
	[ -x "$WATTLECTL" ] || { echo "no $WATTLECTL"; return 1; }
	for dep in $(modinfo -F depends "$MODULE" | tr ',' ' '); do
		modprobe -q "$dep" || { echo "no module $dep"; return 1; }
	done
	insmod "$MODULE" || { echo "$MODULE does not load"; return 1; }
}

wattle_services()
{
	all_services "${BEFORE-$((SERVICES - 1))}" | awk -v vport=$VIP_PORT -v port=$PORT '{
		printf "service add %s:%d/udp\n", $2, vport
		printf "backend add %s:%d/udp to %s:%d\n", $2, vport, $3, port
	}'
}

# The crowd: pods elsewhere in the cluster that the measured ones may talk to.
# There are fewer identities than addresses may be asked for: a second rule for
# one of them is about another port.
wattle_identities() # COUNT VIA
{
	awk -v n="$1" -v via="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "identity add 10.%d.%d.%d/32 id %d via %s\n", 64 + i / 62500,
				i / 250 % 250, i % 250 + 1, 1000 + i % 50000, via
	}'
}

wattle_rules() # COUNT SUBJECT DIRECTION
{
	awk -v n="$1" -v id="$2" -v dir="$3" -v port=$PORT 'BEGIN {
		for (i = 0; i < n; i++)
			printf "policy add id %d %s peer id %d proto udp port %d allow\n",
				id, dir, 1000 + i % 50000, port + int(i / 50000)
	}'
}

wattle_crowd() # SUBJECT DIRECTION VIA
{
	wattle_identities "$PODS" "$3"
	wattle_rules "$RULES" "$1" "$2"
}

wattle_config_n1()
{
	cat <<-END
	node add n2 addr $N2 cidr 10.2.0.0/24 cidr 10.64.0.0/11
	endpoint add veth1 ip $P1 id $ID1 pod bench/p1
	identity add $P2/32 id $ID2 via $N2
	policy add id $ID1 egress peer id $ID2 proto udp port $PORT allow
	END
	wattle_services
	wattle_crowd $ID1 egress $N2
}

wattle_config_n2()
{
	cat <<-END
	node add n1 addr $N1 cidr 10.1.0.0/24 cidr 10.64.0.0/11
	endpoint add veth2 ip $P2 id $ID2 pod bench/p2
	identity add $P1/32 id $ID1 via $N1
	policy add id $ID2 ingress peer id $ID1 proto udp port $PORT allow
	END
	wattle_services
	wattle_crowd $ID2 ingress $N1
}

wattle_config_p3()
{
	cat <<-END
	endpoint add veth3 ip $P3 id $ID3 pod bench/p3
	policy add id $ID1 egress peer id $ID3 proto udp port $PORT allow
	policy add id $ID3 ingress peer id $ID1 proto udp port $PORT allow
	END
}

wattle_add()
{
	local n addr

	for n in 1 2; do
		addr=N$n
		"$WATTLECTL" -n n$n device add wattle0 local "${!addr}"
		ip -n n$n link set wattle0 up
		wattle_config_n$n | "$WATTLECTL" -n n$n -b -
	done
}

# A row that loses packets tells where they went.
wattle_row() # MEASURE FROM TO DST DPORT
{
	local measure=$1 why n

	shift
	why=$(wattle_ready) || { skip "$ROW" "$why"; return 0; }
	wattle_add
	if [ "$2" = p3 ]; then
		pod_add p3 n1 veth3 $P3
		wattle_config_p3 | "$WATTLECTL" -n n1 -b -
	fi
	"$measure" "$@"
	if ! delivered; then
		for n in n1 n2; do
			say "$ROW: $n: $("$WATTLECTL" -j -n $n stats show | jq -c . || true)"
		done
	fi
}

row_wattle_direct() { wattle_row measure_established p1 p2 $P2 $PORT; }
row_wattle_service() { wattle_row measure_established p1 p2 $VIP $VIP_PORT; }
row_wattle_direct_new() { wattle_row measure_new p1 p2 $P2 $PORT; }
row_wattle_service_new() { wattle_row measure_new p1 p2 $VIP $VIP_PORT; }
row_wattle_service_flood() { wattle_row measure_flooded p1 p2 $VIP $VIP_PORT; }
row_wattle_local() { wattle_row measure_established p1 p3 $P3 $PORT; }
row_wattle_local_new() { wattle_row measure_new p1 p3 $P3 $PORT; }

# The answers of a service's connection, on the way from the backend back to
# the client: the address is turned back at the client's node.
row_wattle_reply()
{
	wattle_row measure_reply p1 p2 $VIP $VIP_PORT
}
