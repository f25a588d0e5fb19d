# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Words in variables are numbers, addresses and names, without blanks.
# shellcheck disable=SC2034,SC2086,SC2153
#
# What Wattle's tables take: time to load and to change them, and memory. On n1
# alone. Sourced in the guest.

RULES_MANY=${RULES_MANY-100000}
SERVICES_MANY=${SERVICES_MANY-30000}
BACKENDS=${BACKENDS-10}
IDENTITIES_MANY=${IDENTITIES_MANY-1000000}
PODS_OF_NODE=${PODS_OF_NODE-1000}
COMMIT=${COMMIT-build/bench/commit}

wattle_n1() { "$WATTLECTL" -n n1 "$@"; }

tables_add()
{
	wattle_n1 device add wattle0 local $N1
	ip -n n1 link set wattle0 up
	wattle_n1 node add n2 addr $N2 cidr 10.2.0.0/24 cidr 10.64.0.0/11
}

tables_del()
{
	wattle_n1 device del wattle0
	sleep 5
}

# Bytes that the kernel itself has: what is neither free nor a file's nor a
# program's. Pages that a CPU keeps at hand are free, though not counted as such.
kernel_memory_now()
{
	awk -v page=$(($(getconf PAGESIZE) / 1024)) '
	FILENAME == "/proc/meminfo" { kb[$1] = $2 }
	$1 == "count:" { kept += page * $2 }
	END {
		used = kb["MemTotal:"] - kb["MemFree:"] - kb["Buffers:"] - kb["Cached:"]
		used -= kb["AnonPages:"] + kb["PageTables:"] + kb["KernelStack:"] + kept
		printf "%.0f\n", 1024 * used
	}' /proc/meminfo /proc/zoneinfo
}

# The same once caches that it would give back are emptied.
kernel_memory()
{
	local i

	sync
	# What one round lets go of holds what the next one can.
	for i in 1 2 3 4 5; do
		echo 3 >/proc/sys/vm/drop_caches
		sleep 2
	done
	kernel_memory_now
}

# Loads what comes on stdin. Sets took, in seconds, and held, in bytes.
load()
{
	local start end before

	cat >/tmp/batch
	before=$(kernel_memory)
	start=${EPOCHREALTIME/./}
	wattle_n1 -b /tmp/batch
	end=${EPOCHREALTIME/./}
	held=$(($(kernel_memory) - before))
	took=$(awk -v us=$((end - start)) 'BEGIN { printf "%.3f", us / 1e6 }')
	rm /tmp/batch
}

figure_as() # NAME VALUE
{
	ROW=$1 figure "$2"
}

per() { awk -v of="$1" -v n="$2" 'BEGIN { printf "%.1f", of / n }'; }

# A tenth into a fresh device and the whole into another: is it linear?
load_row() # COUNT GENERATOR...
{
	local count=$1 why

	shift
	why=$(wattle_ready) || { skip "$ROW" "$why"; return 1; }
	tables_add
	# Once for what is set up once, pages of the tool for one.
	load < <("$1" 100 "${@:2}")
	tables_del
	tables_add
	load < <("$1" $((count / 10)) "${@:2}")
	figure_as "${ROW}_tenth" "$took"
	tables_del
	tables_add
	load < <("$1" "$count" "${@:2}")
	figure "$took"
}

many_services() # COUNT
{
	awk -v n="$1" -v backends=$BACKENDS -v port=$PORT 'BEGIN {
		for (i = 0; i < n; i++) {
			service = sprintf("10.%d.%d.%d:80/tcp", 96 + i / 62500, i / 250 % 250, i % 250 + 1)
			print "service add " service
			for (b = 0; b < backends; b++) {
				pod = i * backends + b
				printf "backend add %s to 10.%d.%d.%d:%d\n", service,
					64 + pod / 62500, pod / 250 % 250, pod % 250 + 1, port
			}
		}
	}'
}

row_load_rules()
{
	load_row $RULES_MANY wattle_rules $ID1 egress || return 0
	figure_as memory_rule "$(per $held $RULES_MANY)"
}

row_load_services()
{
	load_row $SERVICES_MANY many_services || return 0
}

row_load_identities()
{
	load_row $IDENTITIES_MANY wattle_identities $N2 || return 0
	figure_as memory_identity "$(per $held $IDENTITIES_MANY)"
	figure_as commit_million "$(in_ns n1 "$COMMIT" 20)"
}

row_commit_empty()
{
	local why

	why=$(wattle_ready) || { skip "$ROW" "$why"; return 0; }
	tables_add
	figure "$(in_ns n1 "$COMMIT" 20)"
}

# A node's pods, each with an address, an identity of fifty, and rules for
# those; and as many pods again on each of nine other nodes. Their devices and
# namespaces are there before.
node_pods()
{
	awk -v n=$PODS_OF_NODE 'BEGIN {
		for (i = 0; i < n; i++)
			printf "endpoint add pod%d ip 10.1.%d.%d id %d pod bench/pod%d\n",
				i, 1 + i / 250, i % 250 + 1, 1000 + i % 50, i
		for (i = 0; i < 50; i++)
			for (k = 0; k < 20; k++)
				printf "policy add id %d ingress peer id %d proto tcp port %d allow\n",
					1000 + i, 1000 + (i + k) % 50, 8000 + k
	}'
	wattle_identities $((9 * PODS_OF_NODE)) $N2
	wattle_services
}

row_memory_node()
{
	local why before i

	why=$(wattle_ready) || { skip "$ROW" "$why"; return 0; }
	for ((i = 0; i < PODS_OF_NODE; i++)); do
		echo "link add pod$i type dummy"
	done | ip -n n1 -b -
	# Once for what is set up once.
	tables_add
	load < <(node_pods)
	tables_del
	before=$(kernel_memory)
	tables_add
	load < <(node_pods)
	figure "$(per $(($(kernel_memory) - before)) 1048576)"
}

# What n1's device gives back when it goes, connections left alone.
memory_of_device()
{
	local before

	before=$(kernel_memory_now)
	tables_del
	echo $((before - $(kernel_memory_now)))
}

# A flow cache that is full: as many conversations as there are source ports, each direction an
# entry. A fresh device has room for 8,192, which are the node's. No program is read from a
# file after they have begun, for the cache ages meanwhile.
row_memory_flow()
{
	local why fresh full entries

	FLOWS=65000 FIRST=500
	why=$(wattle_ready) || { skip "$ROW" "$why"; return 0; }
	for fresh in - -; do
		wattle_add
		wattle_n1 flow show | wc -l >/dev/null
		fresh=$(memory_of_device)
		"$WATTLECTL" -n n2 device del wattle0
	done
	wattle_add
	establish p1 p2 $P2 $PORT
	send_replies p2 1 $((4 * FLOWS)) $P1 >/dev/null
	send p1 1 $FLOWS $P2 $PORT >/dev/null
	entries=$(wattle_n1 flow show | wc -l)
	full=$(memory_of_device)
	say "$ROW: $entries entries, $((full - fresh)) bytes"
	figure "$(per $((full - fresh)) $((entries - 8192)))"
}
