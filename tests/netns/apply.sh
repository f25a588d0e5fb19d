#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Manifests on the live datapath: what they promise, traffic gets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

files=tests/netns/manifests
dir=$(mktemp -d)
trap 'rm -rf "$dir"; wt_finish' EXIT

apply() { local node=$1; shift; w "$node" apply --node "$node" "$@"; }
says() { local node=$1 regex=$2; shift 2; apply "$node" "$@" | grep -qE -- "$regex"; }
why() { w "$1" -j explain src "$2" dst "$3" proto tcp dport "$4" | jq -r "$5"; }
generation() { w "$1" -j device show | jq '.[0].generation'; }

world_empty
for p in $PODS1 $PODS2; do
	for port in 80 81; do ask serve "$p" tcp $port; done
	ask serve "$p" udp 53
done

# A device may be named before the apply, or after it -----------------------------------
for p in $PODS1; do w n1 endpoint add "$p" pod "x/$p" || not_ok "endpoint of $p"; done
check "apply to n1" apply n1 -f $files/cluster.yaml
check "apply to n2" apply n2 -f $files/cluster.yaml
w n2 endpoint add p2a pod x/p2a || not_ok "endpoint of p2a"
w n2 endpoint add p2b pod y/p2b || not_ok "endpoint of p2b"
passes "a device named before the apply" p1a p2a tcp 80
passes "the other way" p2a p1a tcp 81
passes "IPv6" p1a p2b/6 tcp 80
passes "a pod of the same node" p1a p1b udp 53
check "the service that a manifest has" ask tcp p1a $VIP 8080
check "a node reaches remote pods: routes" ask tcp n1 p2a 80
check "applied twice, nothing changes" says n1 '^nothing changed$' -f $files/cluster.yaml
check "applied after a device was named, nothing changes" says n2 '^nothing changed$' \
	-f $files/cluster.yaml
equals "identities are the same on both nodes" \
	"$(w n1 -j identity show | jq -c '[.[] | {prefix, id, labels}] | sort')" \
	"$(w n2 -j identity show | jq -c '[.[] | {prefix, id, labels}] | sort')"
equals "pods of the same labels are the same" "$(why n1 10.1.0.5 10.2.0.7 80 .src_identity)" \
	"$(why n1 10.1.0.5 10.2.0.7 80 .dst_identity)"
check "identities tell labels" grep -q 'k8s:app=web' <<<"$(w n1 identity show)"

# Pods outside of their node's prefixes, as where addresses are not given by node ---------
outside() { at n1 ip route show 10.77.0.8 proto 87; at n1 ip -6 route show fd00:77::8 proto 87; }
sed 's/10\.2\.0\.8/10.77.0.8/g; s/fd00:2::8/fd00:77::8/g' $files/cluster.yaml >"$dir/outside.yaml"
at p2b ip addr add 10.77.0.8/32 dev eth0
at p2b ip -6 addr add fd00:77::8/128 dev eth0 nodad
check "a pod outside of its node's prefixes" apply_both -f "$dir/outside.yaml"
check "a node reaches it" ask tcp n1 10.77.0.8 80 size=100000
check "over IPv6" ask tcp n1 fd00:77::8 80 size=100000
check "another command" w n1 node add other addr 192.0.2.99 cidr 10.99.0.0/24
equals "leaves its routes" 2 "$(outside | wc -l)"
check "and those of others" w n1 node del other
w n1 identity add 10.88.0.8 id 300 via $N2
equals "an identity by hand" "" "$(at n1 ip route show 10.88.0.8)"
w n1 identity add 10.88.0.9 id 300 via $N1
w n1 identity add 192.0.2.0/28 id 301 via $N2
check "is for route sync" w n1 route sync
equals "to see" "10.88.0.8 dev wattle0 proto 87" "$(at n1 ip route show 10.88.0.8 | cut -d' ' -f1-5)"
equals "but what is here, and where nodes are, has none" "" \
	"$(at n1 ip route show 10.88.0.9)$(at n1 ip route show 192.0.2.0/28)"
printf '# what another has read\nnode add n2 addr 192.0.2.98\n' >"$dir/batch"
check "a batch is told of from where it begins" grep -q '^-:1: node n2: .*this node exists already' \
	<<<"$({ read -r _; w n1 -b - 2>&1; } <"$dir/batch")"
check "back into its prefixes" apply_both -f $files/cluster.yaml
equals "there are no such routes" "" "$(outside; at n1 ip route show 10.88.0.8)"
at p2b ip addr del 10.77.0.8/32 dev eth0
at p2b ip -6 addr del fd00:77::8/128 dev eth0

# A pod whose address the manifests do not tell yet ----------------------------------------
sed '/name: p1b/,/podIP/s/podIP: .*}$/hostIP: 192.0.2.1}/' $files/cluster.yaml >"$dir/pending.yaml"
w n1 endpoint del p1b
check "a pod that has no address yet" apply n1 -f "$dir/pending.yaml"
check "its device is named, and its addresses" w n1 endpoint add p1b pod x/p1b \
	ip "${POD4[p1b]}" ip "${POD6[p1b]}"
passes "it is who it is at once" p1b p2a tcp 80
check "with its address" apply n1 -f $files/cluster.yaml

# Policies ---------------------------------------------------------------------------------
generation=$(generation n2)
check "a dry run tells the reach" says n2 'x/p1a -> x/p2a loses any' -f $files --dry-run --diff
equals "a dry run changes nothing" "$generation" "$(generation n2)"
ip -n wt-n1 route flush proto 87
check "what cannot be said is an error" eval \
	'! stdbuf -o0 "$WATTLECTL" -n wt-n1 -j apply --node n1 -f $files --diff >/dev/full 2>&1'
check "but done, routes and all" eval 'ip -n wt-n1 route show 10.2.0.0/24 proto 87 | grep -q wattle0'
check "policies on both" apply_both -f $files/cluster.yaml -f $files/policies.yaml
passes "who is allowed" p1b p2a tcp 80
passes "who is allowed by namespace" p2b p1a tcp 80
passes "through the service" p1b p2a tcp 80
blocks "another port" p1b p2a tcp 81 n2 policy_ingress
blocks "another pod" p1a p2a tcp 80 n2 policy_ingress
blocks "IPv6" p1a p2a/6 tcp 80 n2 policy_ingress
blocks "a pod that nobody may talk to" p2a p1b tcp 80 n1 policy_ingress
blocks "what is denied by name" p2b p1b tcp 80 n2 deny_egress
passes "what is not" p2b p1a tcp 80
check "the node itself always may" ask tcp n2 p2a 81
equals "explain names the policy that selects" "x/deny-all, x/web" \
	"$(why n2 10.1.0.5 10.2.0.7 80 .ingress.policy)"
check "and says it in words" grep -q \
	'denied on ingress: no policy of x/p2a allows 80/TCP from x/p1a; x/deny-all, x/web select it' \
	<<<"$(w n2 explain src 10.1.0.5 dst 10.2.0.7 proto tcp dport 80)"
equals "explain names the policy that allows" "x/web" \
	"$(why n2 10.1.0.6 10.2.0.7 80 .ingress.policy)"
equals "explain names the policy that denies" "y/quiet" \
	"$(why n2 10.2.0.8 10.1.0.6 80 .egress.policy)"
timeout 90 "$WATTLECTL" -n wt-n2 monitor drop >"$dir/events" 2>&1 &
monitor=$!
heard()
{
	ask blocked n2 policy_ingress p1a tcp p2a 80 >/dev/null
	grep -q 'no policy of x/p2a allows 80/TCP from x/p1a; x/deny-all, x/web select it' \
		"$dir/events" || { cat "$dir/events"; return 1; }
}
check "monitor says it in the same words" eventually 60 heard
heard >"$dir/heard" || note "$(cat "$dir/heard")"
kill $monitor
check "twice is nothing" says n2 '^nothing changed$' -f $files

# Errors change nothing ----------------------------------------------------------------------
generation=$(generation n2)
sed 's/podSelector: {matchLabels: {app: web}}/podSelektor: {}/' $files/policies.yaml >"$dir/bad.yaml"
refuses "an unknown field, by file, line, object and field" \
	'bad.yaml:[0-9]+: NetworkPolicy x/web: spec.podSelektor: unknown field' \
	apply n2 -f $files/cluster.yaml -f "$dir/bad.yaml"
equals "and nothing has changed" "$generation" "$(generation n2)"

# A small change is small ----------------------------------------------------------------------
sed 's/name: p1b, namespace: x, labels: {app: db}/name: p1b, namespace: x, labels: {app: other}/' \
	$files/cluster.yaml >"$dir/relabelled.yaml"
apply n2 -f "$dir/relabelled.yaml" -f $files/policies.yaml --diff >"$dir/diff"
check "a label changes the difference only" [ "$(wc -l <"$dir/diff")" -lt 16 ]
apply n1 -f "$dir/relabelled.yaml" -f $files/policies.yaml >/dev/null
blocks "and what it was allowed" p1b p2a tcp 80 n2 policy_ingress
check "and back" apply_both -f $files
passes "all is as before" p1b p2a tcp 80
check "no policies: all passes again" apply_both -f $files/cluster.yaml
passes "all pods again" p1a p2a tcp 81

# "All pods" of a big cluster: rules by exclusion --------------------------------------------------
{
	for i in $(seq 100); do
		printf -- '---\n{apiVersion: v1, kind: Pod, metadata: {name: d%d, namespace: y, labels: {app: d%d}}}\n' \
			"$i" "$i"
	done
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {name: pods, namespace: x}
	spec:
	  podSelector: {}
	  policyTypes: [Ingress, Egress]
	  ingress: [{from: [{namespaceSelector: {}}]}]
	  egress: [{to: [{namespaceSelector: {}}]}]
	END
} >"$dir/big.yaml"
check "a hundred more" apply_both -f $files/cluster.yaml -f "$dir/big.yaml"
check "few rules for them" [ "$(w n1 -j policy show | jq length)" -lt 100 ]
passes "a pod to a pod" p2b p1a tcp 80
passes "and back" p1a p2b tcp 80
ask sysctl n1 net.ipv4.ip_forward=1
blocks "the outside to a pod" net p1a tcp 80 n1 policy_ingress
blocks "another node to a pod" n2 p1a tcp 80 n1 policy_ingress
check "its own node to a pod" ask tcp n1 p1a 80
ask serve net tcp 80
ask serve n2 tcp 80
blocks "a pod to the outside" p1a net tcp 80 n1 policy_egress
blocks "a pod to another node" p1a n2 tcp 80 n1 policy_egress

# Two at once: one after the other ------------------------------------------------------------------
together()
{
	local i a b

	for i in 1 2 3 4 5; do
		apply n1 -f $files/cluster.yaml >/dev/null & a=$!
		apply n1 -f $files >/dev/null & b=$!
		wait $a && wait $b || return
	done
}
check "two applies at once" together
check "and one more" apply n1 -f $files/cluster.yaml
check "leaves what it wants" says n1 '^nothing changed$' -f $files/cluster.yaml
check "of both" apply n2 -f $files/cluster.yaml

# A pod that nobody knows gets nothing ---------------------------------------------------------
w n1 endpoint del p1a
check "a device for a pod that no manifest has" w n1 endpoint add p1a pod x/new ip "${POD4[p1a]}"
blocks "it gets nothing out" p1a p2b tcp 80 n1 policy_egress
blocks "nor in" p1b p1a tcp 80 n1 policy_ingress
check "an apply does not change that" apply n1 -f $files/cluster.yaml
blocks "still nothing" p1a p2b tcp 80 n1 policy_egress
sed 's/name: p1a, namespace: x/name: new, namespace: x/' $files/cluster.yaml >"$dir/new.yaml"
check "a manifest has it" apply n1 -f "$dir/new.yaml"
passes "it may all at once" p1a p2b tcp 80
check "and the old one again" apply n1 -f $files/cluster.yaml
w n1 endpoint del p1a
at n1 ip route del "${POD4[p1a]}"
check "a device let go and named again finds its pod" w n1 endpoint add p1a pod x/p1a
check "and the node does" ask tcp n1 p1a 80
passes "it works at once" p1a p2a tcp 80

# Addresses that go from one device to another -------------------------------------------------
ips() { w n1 -j endpoint show "$1" | jq -r '.[0].ip | join(" ")'; }
w n1 endpoint del p1a
check "a device for a pod that has no address yet" w n1 endpoint add p1a pod x/new
sed 's/name: p1b, namespace: x/name: new, namespace: x/' $files/cluster.yaml >"$dir/moved.yaml"
check "it gets those of a device behind it" apply n1 -f "$dir/moved.yaml"
equals "it has them" "${POD4[p1b]} ${POD6[p1b]}" "$(ips p1a)"
equals "the other has let go" "" "$(ips p1b)"
w n1 endpoint del p1a
w n1 endpoint del p1b
check "the pod's device" w n1 endpoint add p1a pod x/p1a ip 10.1.0.98
check "and another of the same pod, while the first goes" w n1 endpoint add p1b pod x/p1a ip 10.1.0.99
check "an apply is not stopped by that" apply n1 -f $files/cluster.yaml
equals "the newer has the addresses" "${POD4[p1a]} ${POD6[p1a]}" "$(ips p1b)"
equals "the older none" "" "$(ips p1a)"
w n1 endpoint del p1a
w n1 endpoint del p1b
check "each its own again" eval 'w n1 endpoint add p1a pod x/p1a && w n1 endpoint add p1b pod x/p1b'
check "as it was" says n1 '^nothing changed$' -f $files/cluster.yaml

# A list that does not fit a message goes on in the next ------------------------------------------
cidrs=$(for ((i = 0; i < 1500; i++)); do echo "cidr 10.$((128 + i / 256)).$((i % 256)).0/24"; done)
# shellcheck disable=SC2086
check "a node of many prefixes" w n1 node add big addr 192.0.2.77 $cidrs
equals "is shown as one" "big 1500" \
	"$(w n1 -j node show | jq -r '.[] | select(.name == "big") | "\(.name) \(.cidr | length)"')"
equals "an apply takes it for one" 1 \
	"$(apply n1 -f $files/cluster.yaml --dry-run --diff | grep -c ' big')"
check "and removes it" apply n1 -f $files/cluster.yaml
check "all of it" says n1 '^nothing changed$' -f $files/cluster.yaml

# Where all pods are the node's own, there has been an apply as well ----------------------------
cat >"$dir/first.yaml" <<END
$(sed -n '1,/^- {apiVersion: v1, kind: Namespace/p' $files/cluster.yaml)
- apiVersion: v1
  kind: Pod
  metadata: {name: proxy, namespace: x}
  spec: {nodeName: n1, hostNetwork: true, containers: [{name: c}]}
  status: {phase: Running, podIP: $N1}
END
check "a cluster that begins" apply n1 -f "$dir/first.yaml"
w n1 endpoint del p1a
check "a device for a pod that it does not have" w n1 endpoint add p1a pod x/early ip "${POD4[p1a]}"
equals "is closed" "5 both" "$(w n1 -j endpoint show p1a | jq -r '.[0] | "\(.id) \(.enforce)"')"
check "and twice is nothing" says n1 '^nothing changed$' -f "$dir/first.yaml"
finish
