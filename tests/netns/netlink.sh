#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink family, driven by the kernel's own client from the specification
# alone, and by hand where no client would go.
set -u
cd "$(dirname "$0")/../.."

[ -d /sys/module/wattle ] || insmod "${WATTLE_KO:?}" || exit
tree=$(scripts/ynl-regen --tree) || {
	echo "1..0 # SKIP no kernel source, so no client"
	exit 4
}
exec unshare --net python3 tests/netns/netlink.py "$tree/tools/net/ynl"
