// SPDX-License-Identifier: GPL-2.0-only
#include "service_stats.h"
#include "alloc.h"

static u64 __percpu *wattle_counter_alloc(void)
{
	return wattle_alloc_denied() ? NULL : alloc_percpu_gfp(u64, GFP_KERNEL_ACCOUNT);
}

static u64 wattle_counter_sum(const u64 __percpu *counter)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

struct wattle_service_stats *wattle_service_stats_create(void)
{
	struct wattle_service_stats *stats = wattle_alloc(sizeof(*stats));

	if (!stats)
		return NULL;
	stats->refused = wattle_counter_alloc();
	if (!stats->refused) {
		kfree(stats);
		return NULL;
	}
	spin_lock_init(&stats->lock);
	INIT_LIST_HEAD(&stats->backends);
	refcount_set(&stats->users, 1);
	return stats;
}

void wattle_service_stats_put(struct wattle_service_stats *stats)
{
	if (!stats || !refcount_dec_and_test(&stats->users))
		return;
	free_percpu(stats->refused);
	kfree(stats);
}

struct wattle_backend_stats *wattle_backend_stats_create(struct wattle_service_stats *of)
{
	struct wattle_backend_stats *stats = wattle_alloc(sizeof(*stats));

	if (!stats)
		return NULL;
	stats->connections = wattle_counter_alloc();
	if (!stats->connections) {
		kfree(stats);
		return NULL;
	}
	refcount_set(&stats->users, 1);
	spin_lock(&of->lock);
	list_add(&stats->list, &of->backends);
	spin_unlock(&of->lock);
	return stats;
}

void wattle_backend_stats_put(struct wattle_service_stats *of, struct wattle_backend_stats *stats)
{
	if (!stats || !refcount_dec_and_test(&stats->users))
		return;
	spin_lock(&of->lock);
	of->past += wattle_counter_sum(stats->connections);
	list_del(&stats->list);
	spin_unlock(&of->lock);
	free_percpu(stats->connections);
	kfree(stats);
}

u64 wattle_backend_stats_connections(const struct wattle_backend_stats *stats)
{
	return wattle_counter_sum(stats->connections);
}

u64 wattle_service_stats_connections(struct wattle_service_stats *stats)
{
	const struct wattle_backend_stats *backend;
	u64 sum;

	spin_lock(&stats->lock);
	sum = stats->past;
	list_for_each_entry(backend, &stats->backends, list)
		sum += wattle_counter_sum(backend->connections);
	spin_unlock(&stats->lock);
	return sum;
}

u64 wattle_service_stats_refused(const struct wattle_service_stats *stats)
{
	return wattle_counter_sum(stats->refused);
}
