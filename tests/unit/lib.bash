# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034
#
# For the scripts in tests/unit that ask the tool: it is there, and results are TAP.
#
#   . "$(dirname "$0")/lib.bash"
#   $tool                  wattlectl, built if it was not
#   $dir                   is gone at the end; a failure shows `err` and `out` there, if they are
#   tap STATUS "what"      the next result: passes if STATUS is 0
#   refused REGEX TEXT     the next result: the script's own `plan n1` refuses such manifests, in
#                          such words
#   tap_end                says that there are no more tests to come
#
# The script is in the top directory afterwards.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

tool=build/wattlectl
[ -x $tool ] || make -s tool || { echo "Bail out! no $tool"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tap_n=0

tap()
{
	local status=$1 what=$2

	tap_n=$((tap_n + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $tap_n - $what"
	else
		echo "not ok $tap_n - $what"
		# What is cut has no end of its line, and the next result would be in it.
		{ head -c 3000 "$dir/err" "$dir/out" 2>/dev/null; echo; } | sed 's/^/# /'
	fi
}

refused() # REGEX TEXT
{
	local status=0

	printf '%s\n' "$2" >"$dir/m.yaml"
	: >"$dir/out"
	plan n1 || status=$?
	[ $status -eq 1 ] && grep -qE -- "$1" "$dir/err"
	tap $? "refused: $1"
}

tap_end() { echo "1..$tap_n"; }
