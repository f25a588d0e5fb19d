/* SPDX-License-Identifier: GPL-2.0-only */
/* How many connections each backend has at the moment: counted when somebody asks. */
#ifndef WATTLE_LIVE_H
#define WATTLE_LIVE_H

#include "wattle.h"

/* Count them all. Context: process, may sleep. */
void wattle_live_count(struct wattle *w);

/* How many there were of a backend when they were last counted. Context: RCU reader. */
u32 wattle_live_read(const struct wattle *w, const struct wattle_service_stats *backend);

#endif /* WATTLE_LIVE_H */
