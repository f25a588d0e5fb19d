# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Words in variables are numbers, addresses and names, without blanks.
# shellcheck disable=SC2034,SC2086,SC2153
#
# What the kernel does without Wattle, set up the way kube-proxy, flannel and
# the usual policy agents do it. Sourced in the guest.

SERVICES=${SERVICES-1000}
VIP_PORT=80
VIP=10.96.200.1                 # the service that is measured
PROTO=udp                       # of services and policy

# Services stand on the sending node alone and in the fewest rules that do the
# work: kube-proxy's own sets have more chains to pass, on both nodes. That is
# to the kernel's advantage here.

# Each service: its number, its address, its one backend. The one that is
# measured has BEFORE others before it.
all_services() # BEFORE
{
	awk -v n="$SERVICES" -v before="$1" -v vip=$VIP -v pod=$P2 'BEGIN {
		for (i = 0; i < n; i++) {
			more = int(i / 50000)
			address = sprintf("%d.%d", i / 250 % 200, i % 250 + 1)
			if (i == before)
				print i, vip, pod
			else
				print i, "10." (96 + more) "." address, "10." (3 + more) "." address
		}
	}'
}

# --- services, iptables -----------------------------------------------------

iptables_rules() # BEFORE
{
	all_services "$1" | awk -v vport=$VIP_PORT -v port=$PORT '
		BEGIN { print "*nat\n:KUBE-MARK-MASQ -\n:KUBE-SERVICES -" }
		{
			print ":KUBE-SVC-" $1 " -\n:KUBE-SEP-" $1 " -"
			rule[NR] = sprintf( \
				"-A KUBE-SERVICES -d %s/32 -p udp -m comment --comment \"ns/svc%d cluster IP\" -m udp --dport %d -j KUBE-SVC-%d\n" \
				"-A KUBE-SVC-%d -m comment --comment \"ns/svc%d\" -j KUBE-SEP-%d\n" \
				"-A KUBE-SEP-%d -s %s/32 -j KUBE-MARK-MASQ\n" \
				"-A KUBE-SEP-%d -p udp -m udp -j DNAT --to-destination %s:%d", \
				$2, $1, vport, $1, $1, $1, $1, $1, $3, $1, $3, port)
		}
		END {
			print "-A PREROUTING -j KUBE-SERVICES"
			print "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"
			for (i = 1; i <= NR; i++)
				print rule[i]
			print "COMMIT"
		}'
}

services_iptables()
{
	iptables_rules $((SERVICES - 1)) | in_ns n1 "$IPTABLES-restore"
}

# Where a service is waited for half as long: the mean of all of them.
services_iptables_middle()
{
	iptables_rules $((SERVICES / 2)) | in_ns n1 "$IPTABLES-restore"
}

# --- services, nftables -----------------------------------------------------

# One map from address, protocol and port to the service's chain.
nftables_rules()
{
	all_services $((SERVICES - 1)) | awk -v vport=$VIP_PORT -v port=$PORT -v proto=$PROTO '
		BEGIN {
			print "add table ip kube-proxy"
			print "add chain ip kube-proxy mark-for-masquerade"
			print "add rule ip kube-proxy mark-for-masquerade meta mark set meta mark or 0x4000"
			print "add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }"
			print "add chain ip kube-proxy services"
			print "add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips"
			print "add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100; }"
			print "add rule ip kube-proxy nat-prerouting jump services"
		}
		{
			print "add chain ip kube-proxy endpoint-" $1
			print "add rule ip kube-proxy endpoint-" $1 " ip saddr " $3 " jump mark-for-masquerade"
			print "add rule ip kube-proxy endpoint-" $1 " meta l4proto " proto " dnat to " $3 ":" port
			print "add chain ip kube-proxy service-" $1
			print "add rule ip kube-proxy service-" $1 " numgen random mod 1 vmap { 0 : goto endpoint-" $1 " }"
			element[NR] = $2 " . " proto " . " vport " : goto service-" $1
		}
		END {
			printf "add element ip kube-proxy service-ips { %s", element[1]
			for (i = 2; i <= NR; i++)
				printf ", %s", element[i]
			print " }"
		}'
}

services_nftables() { nftables_rules | in_ns n1 nft -f -; }

# --- services, ipvs ---------------------------------------------------------

ipvs_rules()
{
	all_services $((SERVICES - 1)) | awk -v vport=$VIP_PORT -v port=$PORT '{
		printf "-A -u %s:%d -s rr\n-a -u %s:%d -r %s:%d -m -w 1\n", \
			$2, vport, $2, vport, $3, port
	}'
}

services_ipvs()
{
	ip -n n1 link add kube-ipvs0 type dummy
	all_services $((SERVICES - 1)) |
		awk '{ print "addr add " $2 "/32 dev kube-ipvs0" }' | ip -n n1 -b -
	ipvs_rules | in_ns n1 ipvsadm -R
	in_ns n1 sysctl -qw net.ipv4.vs.conntrack=1
}

# --- policy -----------------------------------------------------------------

# Policy agents' rules, in Calico's shape: a chain for each pod device; what
# conntrack knows passes, the rest is looked up in a set of pod addresses.
policy_rules() # DEV
{
	cat <<-END
	*filter
	:POL-FORWARD -
	:POL-FROM -
	:POL-TO -
	:POL-FW -
	:POL-TW -
	-I FORWARD -j POL-FORWARD
	-A POL-FORWARD -j MARK --set-xmark 0x0/0xe0000
	-A POL-FORWARD -i veth+ -j POL-FROM
	-A POL-FORWARD -o veth+ -j POL-TO
	-A POL-FROM -i $1 -g POL-FW
	-A POL-FROM -j DROP
	-A POL-TO -o $1 -g POL-TW
	-A POL-TO -j DROP
	-A POL-FW -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A POL-FW -m conntrack --ctstate INVALID -j DROP
	-A POL-FW -p udp -m udp --dport 8472 -j DROP
	-A POL-FW -p udp -m udp --dport $PORT -m set --match-set POL-PODS dst -j ACCEPT
	-A POL-FW -j DROP
	-A POL-TW -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A POL-TW -m conntrack --ctstate INVALID -j DROP
	-A POL-TW -p udp -m udp --dport $PORT -m set --match-set POL-PODS src -j ACCEPT
	-A POL-TW -j DROP
	COMMIT
	END
}

# A thousand pods that may talk: of what size the set is matters little to a
# hash.
pods()
{
	printf '%s\n' $P1 $P2
	awk 'BEGIN { for (i = 0; i < 998; i++) printf "10.4.%d.%d\n", i / 250, i % 250 + 1 }'
}

policy_set()
{
	echo "create POL-PODS hash:net"
	pods | sed 's/^/add POL-PODS /'
}

policy_iptables()
{
	local n

	policy_set >/tmp/ipset
	for n in 1 2; do
		in_ns n$n ipset restore </tmp/ipset
		policy_rules veth$n >/tmp/rules
		in_ns n$n "$IPTABLES-restore" --noflush </tmp/rules
	done
}

policy_nft_rules() # DEV
{
	cat <<-END
	table ip pol {
		set pods { type ipv4_addr; elements = { $(pods | paste -sd,) }; }
		chain fw {
			ct state vmap { established : accept, related : accept, invalid : drop }
			udp dport 8472 drop
			$PROTO dport $PORT ip daddr @pods accept
			drop
		}
		chain tw {
			ct state vmap { established : accept, related : accept, invalid : drop }
			$PROTO dport $PORT ip saddr @pods accept
			drop
		}
		chain forward {
			type filter hook forward priority 0;
			iifname vmap { "$1" : goto fw }
			oifname vmap { "$1" : goto tw }
		}
	}
	END
}

policy_nft()
{
	local n

	for n in 1 2; do
		policy_nft_rules veth$n >/tmp/rules
		in_ns n$n nft -f /tmp/rules
	done
}

# --- flowtable --------------------------------------------------------------

# Established flows jump from one device's ingress to the next one's output;
# around the tunnel, for the flow table knows vxlan devices as any other.
flowtable_add()
{
	local n

	for n in 1 2; do
		in_ns n$n nft -f - <<-END
		table ip ft {
			flowtable f { hook ingress priority 0; devices = { veth$n, vx }; }
			chain forward {
				type filter hook forward priority -5; policy accept;
				meta l4proto { tcp, udp } flow add @f
			}
		}
		END
	done
}

# --- the rows ---------------------------------------------------------------

row_generator()
{
	# Up to the node's end of the pod's device, one veth crossing.
	in_ns n1 nft -f - <<-END
	table netdev sink {
		counter got { }
		chain in {
			type filter hook ingress device "veth1" priority 0; policy accept;
			counter name "got" drop;
		}
	}
	END
	send p1 1 1000 $P2 $PORT >/dev/null
	measure_with n1 send p1 $SLICES $((COUNT / SLICES)) $P2 $PORT
}

row_floor()
{
	vxlan_add
	measure_established p1 p2 $P2 $PORT
}

kernel_service() # STYLE NEW [POLICY]
{
	local measure=measure_established

	vxlan_add
	"services_$1"
	[ -z "${3-}" ] || "policy_$3"
	[ -z "$2" ] || measure=measure_new
	$measure p1 p2 $VIP $VIP_PORT
}

row_iptables() { kernel_service iptables ''; }
row_nftables() { kernel_service nftables ''; }
row_ipvs() { kernel_service ipvs ''; }
row_iptables_policy() { kernel_service iptables '' iptables; }
row_nftables_policy() { kernel_service nftables '' iptables; }
row_nftables_nftpolicy() { kernel_service nftables '' nft; }
row_ipvs_policy() { kernel_service ipvs '' iptables; }
row_iptables_new() { kernel_service iptables 1; }
row_iptables_middle_new() { kernel_service iptables_middle 1; }
row_nftables_new() { kernel_service nftables 1; }
row_ipvs_new() { kernel_service ipvs 1; }
row_iptables_policy_new() { kernel_service iptables 1 iptables; }
row_nftables_nftpolicy_new() { kernel_service nftables 1 nft; }
row_ipvs_policy_new() { kernel_service ipvs 1 iptables; }

# That flows are not offloaded would show as a slow row, not as an error.
flowtable_check()
{
	local n count

	for n in n1 n2; do
		count=$(in_ns $n conntrack -L -p udp 2>/dev/null | grep -c OFFLOAD || true)
		[ "$count" -ge $FLOWS ] || die "$n: $count flows offloaded"
	done
}

row_flowtable()
{
	vxlan_add
	flowtable_add
	measure_established p1 p2 $P2 $PORT
	flowtable_check
}

row_flowtable_service()
{
	vxlan_add
	services_nftables
	policy_nft
	flowtable_add
	measure_established p1 p2 $VIP $VIP_PORT
	flowtable_check
}

row_ipvs_reply()
{
	vxlan_add
	services_ipvs
	measure_reply p1 p2 $VIP $VIP_PORT
}

row_local_floor()
{
	pod_add p3 n1 veth3 $P3
	measure_established p1 p3 $P3 $PORT
}
