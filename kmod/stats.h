/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters. Each CPU writes its own only; who reads adds them up. */
#ifndef WATTLE_STATS_H
#define WATTLE_STATS_H

#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include "types.h"
#include "wattle.h"

/* Packets are counted as they are on the wire: a GSO packet counts as its segments. */
struct wattle_counts {
	u64_stats_t packets;
	u64_stats_t bytes;
};

/**
 * struct wattle_stats - counters of one CPU, written with BH disabled
 * @sync: for readers, where 64 bits are two words
 * @drops: by reason
 * @counts: by counter, but for packets that @hits counts
 * @hits: packets that the flow cache decided, by where they were met and where they went: one
 *	addition in place of three
 * @event_window: jiffies at which the current window of event.c began
 * @event_sent: events sent in it
 * @event_lost: events lost since this CPU last sent one
 * @verdict_asked: jiffies (low bits) at which it was found out whether verdicts are wanted
 * @verdict_wanted: they are
 */
struct wattle_stats {
	struct u64_stats_sync sync;
	struct wattle_counts drops[WATTLE_REASON_COUNT];
	struct wattle_counts counts[WATTLE_COUNT_COUNT];
	struct wattle_counts hits[WATTLE_ORIGIN_COUNT][WATTLE_NEXT_COUNT];
	unsigned long event_window;
	unsigned int event_sent;
	u64 event_lost;
	u32 verdict_asked;
	bool verdict_wanted;
};

int wattle_stats_init(struct wattle *w);
void wattle_stats_exit(struct wattle *w);

/* Sums over all CPUs. Context: any. */
void wattle_stats_drops(const struct wattle *w, enum wattle_reason reason, u64 *packets,
			u64 *bytes);
void wattle_stats_counts(const struct wattle *w, enum wattle_counter counter, u64 *packets,
			 u64 *bytes);

static inline unsigned int wattle_skb_packets(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? max_t(u16, skb_shinfo(skb)->gso_segs, 1) : 1;
}

static inline void wattle_counts_add(struct wattle_stats *s, struct wattle_counts *counts,
				     unsigned int packets, unsigned int bytes)
{
	u64_stats_update_begin(&s->sync);
	u64_stats_add(&counts->packets, packets);
	u64_stats_add(&counts->bytes, bytes);
	u64_stats_update_end(&s->sync);
}

static inline void wattle_count(struct wattle *w, enum wattle_counter c, unsigned int packets,
				unsigned int bytes)
{
	struct wattle_stats *s = this_cpu_ptr(w->stats);

	wattle_counts_add(s, &s->counts[c], packets, bytes);
}

#endif /* WATTLE_STATS_H */
