/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What frontends and their backends have been asked for. Versions of a service come and go with
 * each change; these counters stay, as long as any version has the frontend, or the backend.
 *
 * They are apart from what look-ups read, and each CPU writes its own: who counts a connection
 * disturbs nobody.
 */
#ifndef WATTLE_SERVICE_STATS_H
#define WATTLE_SERVICE_STATS_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct wattle_service_stats - of a frontend
 * @refused: new connections that no backend could take, by CPU
 * @lock: protects @backends and @past
 * @backends: counters of those that some version has
 * @past: connections to others, which are gone
 * @users: versions of the frontend
 */
struct wattle_service_stats {
	u64 __percpu *refused;
	spinlock_t lock;		/* protects @backends and @past */
	struct list_head backends;
	u64 past;
	refcount_t users;
};

/**
 * struct wattle_backend_stats - of a backend of a frontend
 * @connections: new ones that were bound to it, by CPU
 * @list: on @backends of the frontend's
 * @users: versions of the frontend that have it
 */
struct wattle_backend_stats {
	u64 __percpu *connections;
	struct list_head list;
	refcount_t users;
};

/* With one user; NULL: out of memory. Context: may sleep. */
struct wattle_service_stats *wattle_service_stats_create(void);
struct wattle_backend_stats *wattle_backend_stats_create(struct wattle_service_stats *of);

static inline struct wattle_service_stats *
wattle_service_stats_get(struct wattle_service_stats *stats)
{
	refcount_inc(&stats->users);
	return stats;
}

static inline void wattle_backend_stats_get(struct wattle_backend_stats *stats)
{
	refcount_inc(&stats->users);
}

/* One user less; both may be NULL. Context: process, nobody reads the version that has it. */
void wattle_service_stats_put(struct wattle_service_stats *stats);
void wattle_backend_stats_put(struct wattle_service_stats *of, struct wattle_backend_stats *stats);

/* A connection was bound; one was refused. Context: RCU reader. */
static inline void wattle_backend_stats_count(const struct wattle_backend_stats *stats)
{
	this_cpu_inc(*stats->connections);
}

static inline void wattle_service_stats_refuse(const struct wattle_service_stats *stats)
{
	this_cpu_inc(*stats->refused);
}

/*
 * Sums. Those of a frontend never become less, whichever backends come and go. Context: RCU
 * reader, process.
 */
u64 wattle_backend_stats_connections(const struct wattle_backend_stats *stats);
u64 wattle_service_stats_connections(struct wattle_service_stats *stats);
u64 wattle_service_stats_refused(const struct wattle_service_stats *stats);

#endif /* WATTLE_SERVICE_STATS_H */
