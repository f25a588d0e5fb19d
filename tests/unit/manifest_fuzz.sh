#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A minute of tests/fuzz/manifest; longer by hand.
exec "$(dirname "$0")/../fuzz/manifest/run" "${MANIFEST_FUZZ_SECONDS:-60}"
