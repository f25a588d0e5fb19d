/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What frontends and their backends have been asked for, and what they have carried. Versions of
 * a service come and go with each change; these counters stay, as long as any version has the
 * frontend, or the backend, or somebody has something to add.
 *
 * They are apart from what look-ups read. CPUs share them, for only new connections and the long
 * way of packets count here; known flows pay later (flow_table.h). Only a backend is counted for:
 * a frontend's are the sum of its backends', and of those that are gone.
 */
#ifndef WATTLE_SERVICE_STATS_H
#define WATTLE_SERVICE_STATS_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

/* What was carried in one direction. */
struct wattle_traffic {
	atomic64_t packets;
	atomic64_t bytes;
};

/**
 * struct wattle_service_stats - of a frontend, or of a backend of one
 * @connections: new ones that were bound to it; a frontend's: to backends that are gone
 * @traffic: by enum ip_conntrack_dir: to it, and its answers; a frontend's as above
 * @refused: new ones that no backend could take; of a frontend
 * @live: connections that there were at the counts with the numbers @round; of a backend (live.c)
 * @round: of @live; the one counts while the other is read
 * @users: versions that have it, flows that owe it, and a frontend's backends
 * @lock: of a frontend: protects @list, and the backends' places in it
 * @list: of a frontend, its backends; of a backend, its place there
 * @frontend: of a backend; NULL: it is a frontend
 */
struct wattle_service_stats {
	atomic64_t connections;
	struct wattle_traffic traffic[IP_CT_DIR_MAX];
	atomic64_t refused;
	u32 live[2];
	u32 round[2];
	refcount_t users;
	spinlock_t lock;	/* a frontend's @list */
	struct list_head list;
	struct wattle_service_stats *frontend;
};

/* The counters of a frontend, or of a backend, read. */
struct wattle_service_total {
	u64 connections;
	u64 packets[IP_CT_DIR_MAX];
	u64 bytes[IP_CT_DIR_MAX];
};

struct wattle_service_stats *wattle_service_stats_create(struct wattle_service_stats *frontend);
void wattle_service_stats_put(struct wattle_service_stats *stats);
void wattle_service_stats_total(struct wattle_service_stats *stats,
				struct wattle_service_total *total);

/* Context: any; somebody has it, be it a version that the RCU reader sees. */
static inline struct wattle_service_stats *
wattle_service_stats_get(struct wattle_service_stats *stats)
{
	refcount_inc(&stats->users);
	return stats;
}

/* A connection was bound to @backend. Context: RCU reader. */
static inline void wattle_service_stats_bind(struct wattle_service_stats *backend)
{
	atomic64_inc(&backend->connections);
}

/* Its connections have carried so much more in direction @dir. Context: any. */
static inline void wattle_service_stats_add(struct wattle_service_stats *backend,
					    enum ip_conntrack_dir dir, u64 packets, u64 bytes)
{
	atomic64_add(packets, &backend->traffic[dir].packets);
	atomic64_add(bytes, &backend->traffic[dir].bytes);
}

#endif /* WATTLE_SERVICE_STATS_H */
