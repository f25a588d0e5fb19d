#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tests/fuzz/netlink for a while: with one seed that is always the same, and with one
# that never was.
set -u
cd "$(dirname "$0")/../.."

[ -d /sys/module/wattle ] || insmod "${WATTLE_KO:?}" || exit
echo 1..2
n=0 status=0
for seed in --seed=1 ''; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	unshare --net tests/fuzz/netlink $seed --count 6000 --seconds "${FUZZ_SECONDS:-40}" \
		>/tmp/fuzz.$n 2>&1 || status=1
	sed "s/^\(not \)\?ok 1/\1ok $n/" /tmp/fuzz.$n
done
exit $status
