/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands that read manifests share. */
#ifndef WATTLECTL_MANIFESTS_H
#define WATTLECTL_MANIFESTS_H

#include "manifest/manifest.h"
#include "wattlectl.h"

/* All that "-f" names, compiled; NULL: what is wrong has been said. */
struct manifest *manifests_load(struct call *call);

/* A set of ports as JSON: an array of "tcp/80" and the like, or of "any". */
json_t *json_reach(const struct reach *reach);

int policy_check(struct call *call);

#endif /* WATTLECTL_MANIFESTS_H */
