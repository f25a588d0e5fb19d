#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cases of Kubernetes' conformance tests of network policy, every pair of nine pods. TAP.
set -u
. "$(dirname "$0")/lib.bash"

exec python3 tests/policy/conformance.py $tool
