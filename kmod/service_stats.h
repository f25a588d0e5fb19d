/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What frontends and their backends have been asked for. Versions of a service come and go with
 * each change; these counters stay, as long as any version has the frontend, or the backend.
 *
 * They are apart from what look-ups read. CPUs share them, for only new connections count.
 */
#ifndef WATTLE_SERVICE_STATS_H
#define WATTLE_SERVICE_STATS_H

#include <linux/atomic.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "alloc.h"

/**
 * struct wattle_service_stats - of a frontend, or of a backend of one
 * @connections: new ones that were bound to it; a frontend's have those of backends that are gone
 * @refused: new ones that no backend could take; of a frontend
 * @users: versions that have it
 */
struct wattle_service_stats {
	atomic64_t connections;
	atomic64_t refused;
	refcount_t users;
};

/* With one user; NULL: out of memory. Context: may sleep. */
static inline struct wattle_service_stats *wattle_service_stats_create(void)
{
	struct wattle_service_stats *stats = wattle_alloc(sizeof(*stats));

	if (stats)
		refcount_set(&stats->users, 1);
	return stats;
}

static inline struct wattle_service_stats *
wattle_service_stats_get(struct wattle_service_stats *stats)
{
	refcount_inc(&stats->users);
	return stats;
}

/* One user less; may be NULL. Nobody reads the version that had it. */
static inline void wattle_service_stats_put(struct wattle_service_stats *stats)
{
	if (stats && refcount_dec_and_test(&stats->users))
		kfree(stats);
}

/* A connection to a frontend was bound to a backend. Context: RCU reader. */
static inline void wattle_service_stats_bind(struct wattle_service_stats *frontend,
					     struct wattle_service_stats *backend)
{
	atomic64_inc(&frontend->connections);
	atomic64_inc(&backend->connections);
}

#endif /* WATTLE_SERVICE_STATS_H */
