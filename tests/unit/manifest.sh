#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The manifest reader: what it takes, what it refuses, and in which words; identities.
# No kernel. TAP.
set -u
. "$(dirname "$0")/lib.bash"

check() { $tool -j policy check -f tests/policy/recipes/cluster.yaml "$@" >"$dir/out" 2>"$dir/err"; }

# refused REGEX TEXT: a manifest is refused, and that is said
refused()
{
	local status=0

	printf '%b' "$2" >"$dir/m.yaml"
	check -f "$dir/m.yaml" || status=$?
	[ $status -eq 1 ] && grep -qE -- "$1" "$dir/err" && [ ! -s "$dir/out" ]
	tap $? "refused: $1"
}

taken() # WHAT TEXT [OPTION...]
{
	local what=$1

	printf '%b' "$2" >"$dir/m.yaml"
	shift 2
	check -f "$dir/m.yaml" "$@"
	tap $? "taken: $what"
}

np() { printf 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: %s\n' "$1"; }
cnp() { printf 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: %s\n' "$1"; }

# Syntax, documents, kinds ---------------------------------------------------------------
refused 'm.yaml:2: not YAML' 'a: [1\n'
refused 'm.yaml:1: not YAML' '{"a": "\\q"}'
refused 'm.yaml:1: .*kind: is missing' 'apiVersion: v1\nmetadata: {name: x}\n'
refused 'm.yaml:1: is a list, and should be an object' '[1, 2]'
refused 'm.yaml:2: Pod: kind: the field is there twice, in lines 1 and 2' 'kind: Pod\nkind: Pod\n'
refused 'merge keys' 'a: {<<: {b: c}}\n'
refused 'no such anchor' 'a: *b\n'
refused 'aliases repeat too much' "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n$(for i in 1 2 3 4 5 6 7; do
	printf 'a%d: &a%d [' $i $i; for j in 1 2 3 4 5 6 7 8 9 10; do printf '*a%d,' $((i - 1)); done
	printf ']\n'; done)"
refused 'Deployment web: Deployment of apps/v1 is not a kind that is read here' \
	'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n'
refused 'NetworkPolicy p: NetworkPolicy of extensions/v1beta1 is not a kind' \
	'apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\n'
refused 'Deployment shop/web: Deployment of apps/v1' \
	'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n'
taken "another kind where that is asked for" \
	'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n' --ignore-unknown
refused 'Pod .*: metadata.name: "a/b" is not a name' 'apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}\n'
refused 'nodeName: "a.b" is not a name' 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: "a b"}\n'
refused 'Pod shop/a: metadata.labels.a: "1 k8s:b=2" is not the value of a label' \
	'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {a: "1 k8s:b=2"}}\n'
refused 'metadata.labels.a=b: "a=b" is not the name of a label' \
	'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {a=b: c}}\n'
for hash in 0b12f3a 0o189ab 0x$(printf 'a%.0s' {1..40}); do
	taken "$hash, which is no number" \
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {a: $hash}}\n"
done
for number in 0b101 0o17 0xab12; do
	refused 'labels.a: is a number, and should be a string: put it in quotes' \
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {a: $number}}\n"
done
long=$(printf 'a%.0s' {1..2000})
taken "a namespace of a long name" "$(np '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}' |
	sed "s/namespace: shop/namespace: $long/")"
refused 'm.yaml:4: NetworkPolicy a+/p: spec.podSelektor: unknown field' \
	"$(np '{podSelektor: {}}' | sed "s/namespace: shop/namespace: $long/")"
refused 'the name of an identity is its number, from 256 to 16777214' \
	'apiVersion: cilium.io/v2\nkind: CiliumIdentity\nmetadata: {name: "16777215"}\nsecurity-labels: {k8s:a: b}\n'
refused 'Pod: metadata.name: is missing' 'apiVersion: v1\nkind: Pod\nmetadata: {}\n'
refused 'Pod shop/web: is there already, in .*cluster.yaml:[0-9]+' \
	'apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n'
taken "nothing at all" '---\n---\n'
taken "anchors" 'apiVersion: v1\nkind: Namespace\nmetadata: {name: &n new, labels: {a: *n}}\n'
check -f "$dir/none.yaml"
[ $? -eq 1 ] && grep -q 'none.yaml: No such file' "$dir/err"
tap $? "a file that is not there"
mkdir "$dir/dangling"
ln -s nowhere "$dir/dangling/m.yaml"
check -f "$dir/dangling"
[ $? -eq 1 ] && grep -q 'dangling/m.yaml: No such file' "$dir/err"
tap $? "a link to a file that is not there"
mkdir "$dir/empty"
check -f "$dir/empty"
[ $? -eq 1 ] && grep -q 'there is no .yaml, .yml or .json' "$dir/err"
tap $? "a directory without manifests"

# NetworkPolicy ------------------------------------------------------------------------
refused 'm.yaml:4: NetworkPolicy shop/p: spec.podSelektor: unknown field; known here: podSelector, policyTypes' \
	"$(np '{podSelektor: {}}')"
refused 'NetworkPolicy shop/p: sepc: unknown field' "$(np '{podSelector: {}}' | sed 's/^spec/sepc/')"
refused 'spec.podSelector.matchLabels.a: is a number, and should be a string: put it in quotes' \
	"$(np '{podSelector: {matchLabels: {a: 1}}}')"
refused 'spec.podSelector.matchLabels.a: is a boolean' "$(np '{podSelector: {matchLabels: {a: true}}}')"
refused 'spec.podSelector.matchLabels.app : "app " cannot be the name of a label' \
	"$(np '{podSelector: {matchLabels: {"app ": web}}}')"
refused 'matchExpressions\[0\].values\[1\]: "b c" cannot be the value of a label' \
	"$(np '{podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [a, b c]}]}}')"
refused 'm.yaml:4: NetworkPolicy shop/p: spec.ingress: the field is there twice' \
	"$(np '{podSelector: {}, ingress: [], ingress: [{}]}')"
refused 'm.yaml:2: NetworkPolicy shop/p: spec.ingress: the field is there twice' \
	'{"items": [{"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "p", "namespace": "shop"},\n"spec": {"ingress": [], "ingress": [{}]}}]}'
refused 'matchExpressions\[0\].operator: "Gt" is not In, NotIn, Exists or DoesNotExist' \
	"$(np '{podSelector: {matchExpressions: [{key: a, operator: Gt, values: [b]}]}}')"
refused 'matchExpressions\[0\]: values: In and NotIn need at least one' \
	"$(np '{podSelector: {matchExpressions: [{key: a, operator: In}]}}')"
refused 'Exists and DoesNotExist take no values' \
	"$(np '{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}')"
refused 'matchExpressions\[0\]: key: is missing' \
	"$(np '{podSelector: {matchExpressions: [{operator: Exists}]}}')"
refused 'spec.policyTypes\[0\]: "ingress" is not Ingress or Egress' \
	"$(np '{podSelector: {}, policyTypes: [ingress]}')"
refused 'spec.ingress: is an object, and should be a list' "$(np '{podSelector: {}, ingress: {}}')"
refused 'spec.ingress\[0\].to: unknown field; known here: from, ports' \
	"$(np '{podSelector: {}, ingress: [{to: []}]}')"
refused 'spec.ingress\[0\].from\[0\]: a peer needs podSelector, namespaceSelector or ipBlock' \
	"$(np '{podSelector: {}, ingress: [{from: [{}]}]}')"
refused 'ipBlock: a peer is an ipBlock or selectors, not both' \
	"$(np '{podSelector: {}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}')"
refused 'ipBlock.cidr: "10.0.0.0/33|10.0.0.0/33: the length of the prefix is 0 to 32' \
	"$(np '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}')"
refused 'ipBlock.cidr: "10.0.0.1" is not a prefix' \
	"$(np '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]}')"
refused 'ipBlock.except\[0\]: 11.0.0.0/24 is not within' \
	"$(np '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/24]}}]}]}')"
refused 'ports\[0\].port: is a number|ports\[0\].port: 0 is not from 1 to 65535' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: 0}]}]}')"
refused 'ports\[0\].port: 65536 is not from 1 to 65535' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: 65536}]}]}')"
refused 'ports\[0\].port: "80" is neither a number from 1 to 65535 nor the name of a port' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: "80"}]}]}')"
refused 'ports\[0\].protocol: "tcp" is not TCP, UDP or SCTP' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: 80, protocol: tcp}]}]}')"
refused 'ports\[0\].endPort: needs a port that is a number' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: http, endPort: 90}]}]}')"
refused 'ports\[0\].endPort: 79 is less than the port, 80' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 79}]}]}')"
refused 'm.yaml:4: NetworkPolicy shop/p: spec.ingress\[0\].ports\[0\].port: no container has a port of the name "nowhere"' \
	"$(np '{podSelector: {}, ingress: [{ports: [{port: nowhere}]}]}')"
refused 'spec: is missing' "$(np '' )"
refused 'spec.egress\[0\].port: unknown field' \
	"$(np '{podSelector: {}, policyTypes: [Ingress], egress: [{port: 1}]}')"
taken "host bits, with a warning" "$(np '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.5/24}}]}]}')"
grep -q 'warning: .*10.1.0.5/24 has bits set beyond its length: taken for 10.1.0.0/24' "$dir/err"
tap $? "which names both"

# Cilium -----------------------------------------------------------------------------------
refused 'CiliumNetworkPolicy shop/p: spec.ingress\[0\].fromEndpoint: unknown field' \
	"$(cnp '{endpointSelector: {}, ingress: [{fromEndpoint: [{}]}]}')"
refused 'fromEndpoints\[0\].matchLabels.k8s:a/b/c: "a/b/c" cannot be the name of a label' \
	"$(cnp '{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:a/b/c": d}}]}]}')"
refused 'CiliumNetworkPolicy shop/p: spec: is missing' "$(cnp '' | sed '/^spec/d')\nspecs: []\n"
refused 'spec: endpointSelector: is missing' "$(cnp '{ingress: [{}]}')"
refused 'spec.nodeSelector: host policies are not supported' "$(cnp '{nodeSelector: {}, ingress: [{}]}')"
refused 'toFQDNs: rules by DNS name \(FQDN\) are not supported' \
	"$(cnp '{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example}]}]}')"
refused 'toPorts\[0\].rules: layer 7 rules are not supported' \
	"$(cnp '{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "80"}], rules: {http: [{}]}}]}]}')"
refused 'authentication: mutual authentication is not supported' \
	"$(cnp '{endpointSelector: {}, ingress: [{fromEntities: [all], authentication: {mode: required}}]}')"
refused 'fromRequires: requirements are not supported' \
	"$(cnp '{endpointSelector: {}, ingress: [{fromRequires: [{}]}]}')"
refused 'toGroups: groups of a cloud provider' "$(cnp '{endpointSelector: {}, egress: [{toGroups: [{}]}]}')"
refused 'there is no entity "moon"' "$(cnp '{endpointSelector: {}, ingress: [{fromEntities: [moon]}]}')"
refused 'cidrGroupRef: there is no CiliumCIDRGroup "none"' \
	"$(cnp '{endpointSelector: {}, ingress: [{fromCIDRSet: [{cidrGroupRef: none}]}]}')"
refused 'icmps and toPorts cannot be in one rule' \
	"$(cnp '{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "80"}]}], icmps: [{fields: [{type: 8}]}]}]}')"
refused 'ports\[0\].port: is a number, and should be a string' \
	"$(cnp '{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: 80}]}]}]}')"
refused 'protocol "GRE" is not supported here' \
	"$(cnp '{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "0", protocol: GRE}]}]}]}')"
refused 'selects by namespace, and a policy selects in its own, shop' \
	"$(cnp '{endpointSelector: {matchLabels: {"k8s:io.kubernetes.pod.namespace": ops}}, ingress: [{}]}')"
refused 'io.cilium.k8s.policy.cluster: "prod": there is one cluster here, "default"' \
	"$(cnp '{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: bad, io.cilium.k8s.policy.cluster: prod}}]}]}')"
taken "a selector that names this cluster" \
	"$(cnp '{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {k8s:io.cilium.k8s.policy.cluster: default}}]}]}')"
refused 'policies for reserved identities' \
	"$(cnp '{endpointSelector: {matchLabels: {"reserved:host": ""}}, ingress: [{}]}')"
refused 'ports\[0\].port: "010" is neither a number' \
	"$(cnp '{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "010"}]}]}]}')"
refused 'specs\[0\].ingress\[0\].toPorts\[0\].ports\[0\].protocol' \
	"$(cnp '{}' | sed '/^spec/d')\nspecs: [{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: \"1\", protocol: X}]}]}]}]\n"
taken "labels, description, log, null" "$(cnp '{endpointSelector: {}, description: x, labels: [{key: a}], log: {value: b}, ingress: null, egress: [{toEntities: [world], toPorts: null}]}')"

# reach FROM TO WANT: of the manifest that was taken last
reach() { jq -e --arg f "$1" --arg t "$2" --argjson w "$3" \
	'[.[] | select(.from == $f and .to == $t) | .allowed] | all(. == $w) and length > 0' "$dir/out" >/dev/null; }
taken "a reserved identity that is the world of a family" \
	"$(cnp '{endpointSelector: {}, egressDeny: [{toEndpoints: [{matchLabels: {"reserved:world-ipv4": ""}}]}], enableDefaultDeny: {egress: false}}')"
reach shop/web world '[]' && reach shop/web ops/dns '["any"]'
tap $? "is what the entity of its name is"
taken "services of no namespace" \
	"$(cnp '{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: dns}}]}]}')
---
{apiVersion: v1, kind: Service, metadata: {name: dns, namespace: ops}, spec: {clusterIP: None, selector: {app: dns}}}
"
reach shop/web ops/dns '["any"]' && reach shop/web ops/monitor '[]'
tap $? "are those of all, by name too"

# Formats: the same from YAML and JSON, whatever the order ------------------------------------
python3 - "$dir" <<'END'
import json, sys, yaml
docs = [d for f in ("tests/netns/manifests/cluster.yaml", "tests/netns/manifests/policies.yaml")
        for d in yaml.safe_load_all(open(f))]
items = [i for d in docs for i in (d["items"] if d["kind"] == "List" else [d])]
json.dump({"kind": "List", "apiVersion": "v1", "items": items[::-1]}, open(sys.argv[1] + "/r.json", "w"), indent="\t")
with open(sys.argv[1] + "/d.json", "w") as f:
    for i in items:
        json.dump(i, f, ensure_ascii=True)
yaml.safe_dump_all(items, open(sys.argv[1] + "/d.yaml", "w"))
END
$tool -j policy check -f tests/netns/manifests >"$dir/want" 2>"$dir/err"
for f in r.json d.json d.yaml; do
	$tool -j policy check -f "$dir/$f" >"$dir/out" 2>"$dir/err" && cmp -s "$dir/want" "$dir/out"
	tap $? "the same from $f, identities too"
done
# As the API server has them: elements of a typed list do not tell their kind.
taken "a typed list" '{"kind": "NamespaceList", "apiVersion": "v1", "items": [{"metadata": {"name": "ns"}}]}'
taken "an empty list" '{"apiVersion": "v1", "items": [], "kind": "List"}\n---\n{"kind": "List", "items": null, "apiVersion": "v1"}'
$tool -j policy check -f - <"$dir/d.yaml" >"$dir/out" 2>"$dir/err" && cmp -s "$dir/want" "$dir/out"
tap $? "the same from standard input"

# closes WHAT TEXT: a policy that closes shop to everybody is found there
closes()
{
	printf '%b' "$2" >"$dir/m.yaml"
	check -f "$dir/m.yaml" && jq -e '[.[] | select(.to == "shop/web") | .allowed[]] == []' \
		"$dir/out" >/dev/null
	tap $? "read: $1"
}
closed='{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}}}'
kindless='{"metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": {}}}'
closes "a list in a list" "kind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - $closed\n"
closes "a list that is an alias" "kind: List\napiVersion: v1\nx: &a [$closed]\nitems: *a\n"
closes "an element that is an alias" "kind: List\napiVersion: v1\nx: &a $closed\nitems: [*a]\n"
closes "a typed list, sorted by key" "apiVersion: networking.k8s.io/v1\nitems: [null, $kindless]\nkind: NetworkPolicyList\n"
closes "the same in JSON, in a list" '{"apiVersion": "v1", "items": [{"apiVersion": "networking.k8s.io/v1",
	"items": ['"$kindless"'], "kind": "NetworkPolicyList"}], "kind": "List"}'
refused 'm.yaml:4: NetworkPolicy shop/p: spec.podSelektor: unknown field' \
	'apiVersion: networking.k8s.io/v1\nitems:\n- metadata: {name: p, namespace: shop}\n  spec: {podSelektor: {}}\nkind: NetworkPolicyList\n'
refused 'm.yaml:1: kind: is missing' '{items: [{metadata: {name: p}}]}\n'
closes "byte order mark, carriage returns, comments" "\\xef\\xbb\\xbf# a\r\n---\r\n$closed # b\r\n...\r\n---\r\n# c\r\n"

# Namespaces that are not there: their names are known, their labels are not.
where='{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: lost}}'
taken "a namespace that is not there, by its name" "$(np '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: lost}}}]}]}')\n---\n$where\n"
reach lost/a shop/web '["any"]' && [ ! -s "$dir/err" ]
tap $? "is found, without a warning"
taken "by a label" "$(np '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}}]}]}')\n---\n$where\n"
reach lost/a shop/web '[]' && grep -q '^warning: Namespace lost: is not there' "$dir/err"
tap $? "is not, with one"

# Identities -------------------------------------------------------------------------------
cat >"$dir/id.yaml" <<'END'
apiVersion: cilium.io/v2
kind: CiliumIdentity
metadata: {name: "4711"}
security-labels:
  k8s:app: dns
  k8s:io.kubernetes.pod.namespace: ops
  k8s:io.cilium.k8s.policy.cluster: kind
END
check -f "$dir/id.yaml"
[ "$(jq -r '.[] | select(.from == "ops/dns") | .from_identity' "$dir/out" | sort -u)" = 4711 ]
tap $? "CiliumIdentity decides"
cat >"$dir/pods.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web-2, namespace: shop, labels: {app: shop, role: web, pod-template-hash: abc}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}, {name: metrics, containerPort: 5000}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-3, namespace: shop, labels: {app: shop, role: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop, labels: {app: shop}}
status: {phase: Succeeded}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: shop}}
spec: {hostNetwork: true}
END
check -f "$dir/pods.yaml"
id() { jq -r --arg n "$1" '[.[] | select(.from == $n) | .from_identity] | first' "$dir/out"; }
[ "$(id shop/web)" = "$(id shop/web-2)" ]
tap $? "the hash of a template makes no identity"
[ "$(id shop/web)" != "$(id shop/web-3)" ]
tap $? "other named ports do"
[ "$(id shop/done)" = null ] && [ "$(id shop/agent)" = null ]
tap $? "completed pods are nobody, hostNetwork pods their node"
before=$(id shop/web)
sed 's/web-3/web-4/; s/http, containerPort: 8080/a, containerPort: 1/' "$dir/pods.yaml" >"$dir/more.yaml"
sed -i '/web-2/,/^---/d' "$dir/more.yaml"
check -f "$dir/pods.yaml" -f <(sed -n '/web-4/,/^---/p' "$dir/more.yaml" | sed '1i apiVersion: v1\nkind: Pod')
[ "$before" = "$(id shop/web)" ] && [ "$(id shop/web-4)" != "$before" ]
tap $? "pods of the same labels and other ports rename nobody"
check -f "$dir/pods.yaml"
before=$(id shop/web)
np '{podSelector: {matchLabels: {pod-template-hash: abc}}}' >"$dir/hash.yaml"
check -f "$dir/pods.yaml" -f "$dir/hash.yaml"
[ "$(id shop/web)" != "$(id shop/web-2)" ] && [ "$(id shop/web)" = "$before" ]
tap $? "unless a policy selects by it, and nobody else is renamed"
jq -e '.[] | select(.from == "ops/dns" and .to == "shop/web-2") | .allowed == []' "$dir/out" >/dev/null
tap $? "which then selects that pod alone"

# apply without a kernel ---------------------------------------------------------------------
$tool apply --node n1 -f tests/netns/manifests --dry-run >"$dir/out" 2>"$dir/err"
tap $? "a dry run needs no kernel"
cat >"$dir/dual.yaml" <<'END'
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x}, spec: {nodeName: n1}, status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: y}, spec: {nodeName: n2}, status: {podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: p, namespace: x}
  spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "fd00::/64"}}], ports: [{port: 80}]}]}
END
$tool apply --node n1 -f "$dir/dual.yaml" --dry-run --diff 2>"$dir/err" | sed -n 's/^+ *reach *//p' |
	sed 's/ *$//' | sort >"$dir/out"
diff "$dir/out" - >"$dir/err" <<'END'
x/a -> y/b gains any
y/b -> x/a by ipv6 gains tcp/80
END
tap $? "and tells the reach, by family where they differ"
$tool apply --node n9 -f tests/netns/manifests --dry-run >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && grep -q -- '--node: there is no Node n9' "$dir/err"
tap $? "a node that nobody knows"
$tool apply -f tests/netns/manifests >"$dir/out" 2>"$dir/err"
[ $? -eq 2 ] && grep -q -- '--node NAME" is missing' "$dir/err"
tap $? "no node"
sed 's/10.1.0.6/10.1.0.5/' tests/netns/manifests/cluster.yaml >"$dir/twice.yaml"
$tool apply --node n1 -f "$dir/twice.yaml" --dry-run >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && grep -qE 'Pod x/p1[ab]: status.podIP: 10.1.0.5 is the address of x/p1[ab]' "$dir/err"
tap $? "two pods of one address"
python3 - tests/netns/manifests/cluster.yaml >"$dir/twice.yaml" <<'END'
import sys, yaml
objects = [o for d in yaml.safe_load_all(open(sys.argv[1])) for o in d.get("items", [d])]
for o in objects[:]:
    if o["kind"] == "Pod" and o["metadata"]["name"] == "p1a":
        for i in "12":
            objects.append(o | {"metadata": o["metadata"] | {"name": "p1a-" + i, "deletionTimestamp": "2026-01-01T00:00:00Z"}})
yaml.safe_dump_all(objects, sys.stdout)
END
$tool apply --node n1 -f "$dir/twice.yaml" --dry-run >"$dir/out" 2>"$dir/err"
tap $? "unless all but one are leaving"

# Scale; tests/unit/scale_test.c has the messages, tests/bench/manifests the times ----------------
fits() # WHAT OPTION...
{
	local what=$1 status

	shift
	tests/policy/big-cluster "$@" >"$dir/scale.yaml"
	bash -c "ulimit -v 200000; exec $tool apply --node n0 -f $dir/scale.yaml --dry-run" \
		>"$dir/out" 2>"$dir/err"
	status=$?
	tap $status "5,000 pods, 500 namespaces, 2,000 policies: $what"
}
fits "fifty nodes"
fits "three nodes" --nodes 3
fits "all on one node" --nodes 1
fits "ten of each pod, as kubectl prints them" --alike 10 --yaml
tests/policy/big-cluster >"$dir/scale.yaml"
bash -c "ulimit -v 150000; exec $tool -j policy check -f $dir/scale.yaml from ns0/p0" \
	2>"$dir/err" | jq length >"$dir/out"
[ "$(cat "$dir/out")" = 5000 ]
tap $? "whom one of them reaches, in no more memory"
tap_end
