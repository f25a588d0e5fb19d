#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A short while of tests/fuzz/tool; longer by hand.
exec "$(dirname "$0")/../fuzz/tool/run" "${FUZZ_SECONDS:-5}"
