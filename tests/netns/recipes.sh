#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The policy recipes on the live datapath: what "policy check" says of pairs of pods by a
# recipe (tests/unit/recipes.sh holds that to the recipe's promise), traffic gets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

recipes=tests/policy/recipes
dir=$(mktemp -d)
trap 'rm -rf "$dir"; wt_finish' EXIT

# The pods of the recipes, over two nodes.
PODS1="p1a p1b p1c" PODS2="p2a p2b p2c"
POD4+=([p1c]=10.1.0.9 [p2c]=10.2.0.9)
POD6+=([p1c]=fd00:1::9 [p2c]=fd00:2::9)
NODE_OF+=([p1c]=n1 [p2c]=n2)
declare -A NAME=([p1a]=shop/web [p2a]=shop/api [p1b]=shop/db [p2b]=test/web [p1c]=ops/monitor [p2c]=ops/dns)
declare -A DEV
for p in "${!NAME[@]}"; do DEV[${NAME[$p]}]=$p; done

# The manifests of the cluster, with these addresses and nodes.
cluster()
{
	local p edit=()

	for p in "${!NAME[@]}"; do
		edit+=(-e "/name: ${NAME[$p]#*/}, namespace: ${NAME[$p]%/*},/{
			s/podIP: [0-9.]*/podIP: ${POD4[$p]}/; s/nodeName: n1/nodeName: ${NODE_OF[$p]}/}")
	done
	sed "${edit[@]}" -e 's|10.1.0.0/16\]|10.1.0.0/24]|' $recipes/cluster.yaml
	echo '- {apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDRs: [10.2.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}'
}

# A port of what passes, as $port: 80 where all does, the first of TCP else. No process.
port_of()
{
	port=
	case $1 in
	any) port=80 ;;
	tcp/*)
		port=${1#tcp/}
		port=${port%%[ -]*}
		;;
	esac
}

denied() # FROM TO PORT: on the node of either
{
	ask explain "${NODE_OF[$1]}" "$1" "$2" tcp "$3" verdict=deny >/dev/null ||
		ask explain "${NODE_OF[$2]}" "$1" "$2" tcp "$3" verdict=deny >/dev/null
}

# One recipe: every pair that it is about, some of the others, and what is wrong
pairs()
{
	local from to ports a b port others=0

	while read -r from to ports; do
		[ "$from" != world ] && [ "$to" != world ] || continue
		[ "$ports" != any ] || others=$((others + 1))
		[ "$ports" != any ] || [ $others -le 5 ] || continue
		a=${DEV[$from]} b=${DEV[$to]}
		port_of "$ports"
		if [ "$port" ]; then
			ask tcp "$a" "$b" "$port" || { echo "$from -> $to port $port does not pass"; return 1; }
		fi
		[ "$ports" = any ] || denied "$a" "$b" 8443 ||
			{ echo "$from -> $to port 8443 is not denied"; return 1; }
	done < <(w n1 -j policy check -f "$dir/cluster.yaml" -f "$1" |
		jq -r '.[] | "\(.from) \(.to) \(.allowed | join(" "))"')
}

recipe()
{
	apply_both -f "$dir/cluster.yaml" -f "$1" >/dev/null && pairs "$1"
}

world_empty
for p in $PODS1; do w n1 endpoint add "$p" pod "${NAME[$p]}"; done
for p in $PODS2; do w n2 endpoint add "$p" pod "${NAME[$p]}"; done
for p in $PODS1 $PODS2; do
	for port in 53 80 5000 5978 6379 32000; do ask serve "$p" tcp $port; done
done
cluster >"$dir/cluster.yaml"

for r in "$recipes"/[0-9]*.yaml; do
	check "$(basename "$r" .yaml)" recipe "$r"
done
finish
