#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The well-known recipes: each of tests/policy/recipes says in comments what reach it
# promises, "# reach: FROM -> TO PORTS", the first line that fits a pair counting. TAP.
set -u
. "$(dirname "$0")/lib.bash"

# promised FROM TO: what the recipe in $promises says of the pair
promised()
{
	local from to ports arrow

	while read -r from arrow to ports; do
		# shellcheck disable=SC2053
		[[ $1 == $from && $2 == $to ]] || continue
		echo "$ports"
		return
	done <<<"$promises"
}

for recipe in tests/policy/recipes/[0-9]*.yaml; do
	promises=$(sed -n 's/^# reach: //p' "$recipe")
	wrong=
	got=$($tool -j policy check -f tests/policy/recipes/cluster.yaml -f "$recipe" 2>&1) &&
		got=$(jq -r '.[] | "\(.from) \(.to) \(if .allowed == [] then "none" else .allowed | join(" ") end)"' \
			<<<"$got") || wrong=$got$'\n'
	while [ -z "$wrong" ] && read -r from to ports; do
		want=$(promised "$from" "$to")
		[ "$ports" = "$want" ] || wrong+="$from -> $to: promised $want, got $ports"$'\n'
	done <<<"$got"
	name=$(basename "$recipe" .yaml)
	printf '%s' "$wrong" >"$dir/out"
	[ -z "$wrong" ] && [ "$(wc -l <<<"$got")" -eq 42 ]
	tap $? "recipe $name: $(sed -n '1s/^# //p' "$recipe")"
done
tap_end
