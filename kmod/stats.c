// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

int wattle_stats_init(struct wattle *w)
{
	int cpu;

	w->stats = alloc_percpu_gfp(struct wattle_stats, GFP_KERNEL_ACCOUNT);
	if (!w->stats)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(w->stats, cpu)->sync);
	return 0;
}

void wattle_stats_exit(struct wattle *w)
{
	free_percpu(w->stats);
}

static void wattle_stats_add(const struct wattle_stats *s, const struct wattle_counts *counts,
			     u64 *packets, u64 *bytes)
{
	unsigned int start;
	u64 p, b;

	do {
		start = u64_stats_fetch_begin(&s->sync);
		p = u64_stats_read(&counts->packets);
		b = u64_stats_read(&counts->bytes);
	} while (u64_stats_fetch_retry(&s->sync, start));
	*packets += p;
	*bytes += b;
}

void wattle_stats_drops(const struct wattle *w, enum wattle_reason reason, u64 *packets,
			u64 *bytes)
{
	const struct wattle_stats *s;
	int cpu;

	*packets = 0;
	*bytes = 0;
	for_each_possible_cpu(cpu) {
		s = per_cpu_ptr(w->stats, cpu);
		wattle_stats_add(s, &s->drops[reason], packets, bytes);
	}
}

/* Does a hit from @origin to @next count for @counter? */
static bool wattle_hit_counts(enum wattle_counter counter, unsigned int origin, unsigned int next)
{
	/* What the host sends to a pod, its stack goes on with. */
	bool to_pod = next == WATTLE_TO_ENDPOINT || origin == WATTLE_FROM_STACK;

	switch (counter) {
	case WATTLE_COUNT_FROM_POD:
		return origin == WATTLE_FROM_POD;
	case WATTLE_COUNT_FROM_TUNNEL:
		return origin == WATTLE_FROM_TUNNEL;
	case WATTLE_COUNT_FROM_STACK:
		return origin == WATTLE_FROM_STACK;
	case WATTLE_COUNT_FROM_DEVICE:
		return origin == WATTLE_FROM_DEVICE;
	case WATTLE_COUNT_TO_POD:
		return to_pod;
	case WATTLE_COUNT_TO_TUNNEL:
		return next == WATTLE_TO_NODE;
	case WATTLE_COUNT_TO_STACK:
		return next == WATTLE_TO_STACK && !to_pod;
	case WATTLE_COUNT_CACHE_HIT:
		return true;
	default:
		return false;
	}
}

static void wattle_stats_add_hits(const struct wattle_stats *s, enum wattle_counter counter,
				  u64 *packets, u64 *bytes)
{
	unsigned int origin, next;

	for (origin = 0; origin < WATTLE_ORIGIN_COUNT; origin++)
		for (next = 0; next < WATTLE_NEXT_COUNT; next++)
			if (wattle_hit_counts(counter, origin, next))
				wattle_stats_add(s, &s->hits[origin][next], packets, bytes);
}

void wattle_stats_counts(const struct wattle *w, enum wattle_counter counter, u64 *packets,
			 u64 *bytes)
{
	const struct wattle_stats *s;
	int cpu;

	*packets = 0;
	*bytes = 0;
	for_each_possible_cpu(cpu) {
		s = per_cpu_ptr(w->stats, cpu);
		wattle_stats_add(s, &s->counts[counter], packets, bytes);
		wattle_stats_add_hits(s, counter, packets, bytes);
	}
}
