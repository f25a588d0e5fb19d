#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random policies against a naive reading of the documents; more of them by hand:
# RANDOM_PACKETS=10000000 RANDOM_SEED=1 tests/unit/policy_random.sh
set -u
cd "$(dirname "$0")/../.." || exit 1

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags="-std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -Iuapi -Iuserspace"
# shellcheck disable=SC2086
gcc $flags -Itests/policy/shim -Ikmod -c -o "$dir/kpolicy.o" tests/policy/kpolicy.c &&
	gcc $flags -D_GNU_SOURCE -o "$dir/random" tests/policy/{random,model,naive}.c \
		userspace/manifest/*.c userspace/libwattle/addr.c "$dir/kpolicy.o" -lyaml ||
	{ echo "Bail out! does not build"; exit 1; }
# shellcheck disable=SC2086
SHOW=1 "$dir/random" "${RANDOM_PACKETS:-200000}" ${RANDOM_SEED-}
