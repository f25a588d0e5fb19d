#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# CiliumEgressGatewayPolicy: which rules it makes on a node, and what is refused. No kernel. TAP.
set -u
. "$(dirname "$0")/lib.bash"

cat >"$dir/cluster.yaml" <<'END'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.1.0.0/24]},
   status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n2, labels: {egress: "yes"}}, spec: {podCIDRs: [10.2.0.0/24]},
   status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n3, labels: {egress: "yes"}}, spec: {podCIDRs: [10.3.0.0/24]},
   status: {addresses: [{type: InternalIP, address: 192.0.2.3}]}}
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}
- {apiVersion: cilium.io/v2, kind: CiliumIdentity, metadata: {name: "1001"},
   security-labels: {"k8s:app": web, "k8s:io.kubernetes.pod.namespace": shop}}
- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}},
   spec: {nodeName: n1}, status: {podIP: 10.1.0.5}}
- {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}},
   spec: {nodeName: n3}, status: {podIP: 10.3.0.5}}
END

policy() # SPEC [NAME]
{
	printf -- '---\napiVersion: cilium.io/v2\nkind: CiliumEgressGatewayPolicy\nmetadata: {name: %s}\nspec: %s\n' \
		"${2-out}" "$1"
}

plan() { $tool apply --node "$1" -f "$dir/cluster.yaml" -f "$dir/m.yaml" --dry-run --diff >"$dir/json" 2>"$dir/err"; }

# leaves WHAT NODE LINES POLICIES: just these rules, identities left out
leaves()
{
	printf '%s\n' "$4" >"$dir/m.yaml"
	rm -f "$dir/out"
	plan "$2" && sed -nE 's/^ *\+ *egress +id [0-9]+ to (.*[^ ]) *$/\1/p' "$dir/json" | sort >"$dir/out" &&
		diff <(sed '/^$/d; s/^[ \t]*//' <<<"$3" | sort) "$dir/out" >>"$dir/err"
	tap $? "$1"
}

web='selectors: [{podSelector: {matchLabels: {app: web}}}]'
to='destinationCIDRs: [198.51.100.0/24]'
by='egressGateway: {nodeSelector: {matchLabels: {egress: "yes"}}}'
as='egressGateway: {nodeSelector: {matchLabels: {egress: "yes"}}, egressIP: 192.0.2.72}'

leaves "a node with such pods" n1 '198.51.100.0/24 via 192.0.2.2' "$(policy "{$web, $to, $by}")"
leaves "the gateway, the first by its name" n2 '198.51.100.0/24 gateway as 192.0.2.72' "$(policy "{$web, $to, $as}")"
leaves "without an address given" n2 '198.51.100.0/24 gateway' "$(policy "{$web, $to, $by}")"
leaves "a node without such pods" n3 '' "$(policy "{$web, $to, $as}")"
leaves "exceptions" n1 '198.51.100.0/24 via 192.0.2.2
	198.51.100.7/32 skip' "$(policy "{$web, $to, $by, excludedCIDRs: [198.51.100.7/32]}")"
leaves "exceptions at the gateway" n2 '198.51.100.0/24 gateway
	198.51.100.7/32 skip' "$(policy "{$web, $to, $by, excludedCIDRs: [198.51.100.7]}")"
leaves "IPv6" n1 '2001:db8:100::/48 via 192.0.2.2
	198.51.100.0/24 via 192.0.2.2' "$(policy "{$web, destinationCIDRs: [\"2001:db8:100::/48\", 198.51.100.0/24], $by}")"
leaves "by namespace" n3 '198.51.100.0/24 via 192.0.2.2' \
	"$(policy "{selectors: [{namespaceSelector: {matchLabels: {team: a}}}], $to, $by}")"
leaves "by the name of a namespace" n1 '198.51.100.0/24 via 192.0.2.2' \
	"$(policy "{selectors: [{podSelector: {matchLabels: {app: web, io.kubernetes.pod.namespace: shop}}}], $to, $by}")"
leaves "another namespace" n1 '' \
	"$(policy "{selectors: [{podSelector: {matchLabels: {app: web}}, namespaceSelector: {matchLabels: {team: b}}}], $to, $by}")"
leaves "several selectors, each pod once" n1 '198.51.100.0/24 via 192.0.2.2' \
	"$(policy "{selectors: [{podSelector: {}}, {podSelector: {matchLabels: {app: web}}}], $to, $by}")"
leaves "the same twice" n1 '198.51.100.0/24 via 192.0.2.2' \
	"$(policy "{$web, $to, $by}"; policy "{$web, $to, $by}" more)"
leaves "without a gateway nobody gets out" n1 '198.51.100.0/24 via 100::' \
	"$(policy "{$web, $to, egressGateway: {nodeSelector: {matchLabels: {egress: \"no\"}}}}")"
grep -q '^warning: .*CiliumEgressGatewayPolicy out: spec.egressGateway: there is no such node' "$dir/err"
tap $? "which is said"

refused 'CiliumEgressGatewayPolicy out: spec.selectors: is missing|spec: selectors: is missing' "$(policy "{$to, $by}")"
refused 'destinationCIDRs: is missing, or empty' "$(policy "{$web, $by}")"
refused 'destinationCIDRs: is missing, or empty' "$(policy "{$web, excludedCIDRs: [10.0.0.0/8], $by}")"
refused 'spec: egressGateway: is missing' "$(policy "{$web, $to}")"
refused 'egressGateway: nodeSelector: is missing' "$(policy "{$web, $to, egressGateway: {egressIP: 192.0.2.72}}")"
refused 'egressGateways: several gateways are not supported' "$(policy "{$web, $to, $by, egressGateways: [{}]}")"
refused 'spec.selectors\[0\].nodeSelector: selecting pods by their node' \
	"$(policy "{selectors: [{podSelector: {}, nodeSelector: {}}], $to, $by}")"
refused 'spec.selectors\[0\]: podSelector or namespaceSelector' "$(policy "{selectors: [{}], $to, $by}")"
refused 'spec.sources: unknown field' "$(policy "{$web, $to, $by, sources: []}")"
refused 'one of interface and egressIP' \
	"$(policy "{$web, $to, egressGateway: {nodeSelector: {}, interface: lo, egressIP: 192.0.2.72}}")"
refused 'destinationCIDRs\[0\]: is of another family than egressIP' \
	"$(policy "{$web, destinationCIDRs: [\"::/0\"], $as}")"
refused 'destinationCIDRs\[0\]: "ten" is not' "$(policy "{$web, destinationCIDRs: [ten], $by}")"
refused 'more: spec.excludedCIDRs\[0\]: 198.51.100.0/24 has another way out for the same pods by .*out: spec.destinationCIDRs|out: spec.destinationCIDRs.*another way out' \
	"$(policy "{$web, $to, $by}"; policy "{$web, destinationCIDRs: [0.0.0.0/0], excludedCIDRs: [198.51.100.0/24], $by}" more)"

# An interface of the gateway.
printf '%s\n' "$(policy "{$web, $to, egressGateway: {nodeSelector: {matchLabels: {egress: \"yes\"}}, interface: lo}}")" >"$dir/m.yaml"
plan n2 && grep -q '198.51.100.0/24 gateway as 127.0.0.1' "$dir/json"
tap $? "the address of an interface"
sed -i 's/interface: lo/interface: nothere/' "$dir/m.yaml"
! plan n2 && grep -q 'interface nothere of this node has no address' "$dir/err"
tap $? "one that is not there"
tap_end
