// SPDX-License-Identifier: GPL-2.0-only
/* The life of the counters of frontends and backends, and their sums. */

#include <linux/slab.h>
#include "alloc.h"
#include "service_stats.h"

/**
 * wattle_service_stats_create() - counters that begin at nothing
 * @frontend: whose backend it is for; NULL: for a frontend
 *
 * Context: may sleep.
 * Return: with one user; NULL: out of memory.
 */
struct wattle_service_stats *wattle_service_stats_create(struct wattle_service_stats *frontend)
{
	struct wattle_service_stats *stats = wattle_alloc(sizeof(*stats));

	if (!stats)
		return NULL;
	refcount_set(&stats->users, 1);
	spin_lock_init(&stats->lock);
	INIT_LIST_HEAD(&stats->list);
	if (frontend) {
		stats->frontend = wattle_service_stats_get(frontend);
		spin_lock_bh(&frontend->lock);
		list_add(&stats->list, &frontend->list);
		spin_unlock_bh(&frontend->lock);
	}
	return stats;
}

static void wattle_service_stats_sum(struct wattle_service_total *total,
				     const struct wattle_service_stats *stats)
{
	int dir;

	total->connections += atomic64_read(&stats->connections);
	for (dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		total->packets[dir] += atomic64_read(&stats->traffic[dir].packets);
		total->bytes[dir] += atomic64_read(&stats->traffic[dir].bytes);
	}
}

/* A backend that nobody adds to any more leaves what it has counted to its frontend. */
static void wattle_service_stats_bequeath(struct wattle_service_stats *backend)
{
	struct wattle_service_stats *frontend = backend->frontend;
	struct wattle_service_total last = {};
	int dir;

	wattle_service_stats_sum(&last, backend);
	spin_lock_bh(&frontend->lock);
	list_del(&backend->list);
	atomic64_add(last.connections, &frontend->connections);
	for (dir = 0; dir < IP_CT_DIR_MAX; dir++)
		wattle_service_stats_add(frontend, dir, last.packets[dir], last.bytes[dir]);
	spin_unlock_bh(&frontend->lock);
}

/**
 * wattle_service_stats_put() - one user less
 * @stats: counters, or NULL
 *
 * Versions let go of it when nobody reads them any more, so the last who does needs no grace
 * period.
 *
 * Context: any but hard interrupts.
 */
void wattle_service_stats_put(struct wattle_service_stats *stats)
{
	struct wattle_service_stats *frontend;

	for (; stats && refcount_dec_and_test(&stats->users); stats = frontend) {
		frontend = stats->frontend;
		if (frontend)
			wattle_service_stats_bequeath(stats);
		kfree(stats);
	}
}

/**
 * wattle_service_stats_total() - what was counted
 * @stats: of a backend, or of a frontend
 * @total: is written
 *
 * Context: RCU reader of a version that has @stats.
 */
void wattle_service_stats_total(struct wattle_service_stats *stats,
				struct wattle_service_total *total)
{
	const struct wattle_service_stats *backend;

	*total = (struct wattle_service_total){};
	if (stats->frontend) {
		wattle_service_stats_sum(total, stats);
		return;
	}
	spin_lock_bh(&stats->lock);
	wattle_service_stats_sum(total, stats);
	list_for_each_entry(backend, &stats->list, list)
		wattle_service_stats_sum(total, backend);
	spin_unlock_bh(&stats->lock);
}
