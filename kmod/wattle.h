/* SPDX-License-Identifier: GPL-2.0-only */
/* The device: one per network namespace, and all state hangs from it. */
#ifndef WATTLE_WATTLE_H
#define WATTLE_WATTLE_H

#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>
#include <net/gro_cells.h>
#include "config.h"

#define WATTLE_VERSION		"0.1.0"
#define WATTLE_ABI		1
#define WATTLE_PORT		8472

/*
 * Set by rtnl under RTNL, read by packets with READ_ONCE. Addresses are IPv4 mapped;
 * :: where not set. @vni in host order.
 */
struct wattle_options {
	struct in6_addr local4;
	struct in6_addr local6;
	u32 vni;
	u16 port;		/* host byte order */
	u8 mode;		/* enum wattle_mode */
	u8 underlay;		/* 4 or 6; 0: chosen by the local addresses */
	u8 ttl;
	bool strict;
	bool cache;
	bool udp_csum;
	bool audit;
};

/* Counters of one CPU, written by that CPU only, BH disabled. */
struct wattle_stats {
	struct u64_stats_sync sync;
	u64_stats_t drop_packets[WATTLE_REASON_COUNT];
	u64_stats_t drop_bytes[WATTLE_REASON_COUNT];
	u64_stats_t count_packets[WATTLE_COUNT_COUNT];
	u64_stats_t count_bytes[WATTLE_COUNT_COUNT];
};

struct wattle_flows;

/**
 * struct wattle - private data of the wattle device
 * @dev: the device
 * @net: its namespace; the device never changes it
 * @opt: options
 * @config: all tables
 * @stats: per-CPU counters
 * @flows: per-CPU flow caches and look-up tables (flow.c)
 * @sock4: tunnel socket over IPv4, while the device is up; RTNL writes, RCU reads
 * @sock6: same over IPv6
 * @hash_seed: secret of the flow hashes
 * @event_lost: events not sent since the last that was
 */
struct wattle {
	struct net_device *dev;
	struct net *net;
	struct wattle_options opt;
	struct wattle_config config;
	struct wattle_stats __percpu *stats;
	struct wattle_flows __percpu *flows;
	struct socket __rcu *sock4;
	struct socket __rcu *sock6;
	u64 hash_seed;
	atomic64_t event_lost;
};

/* The device of a namespace, or NULL. Context: RCU reader or RTNL (device.c). */
struct wattle *wattle_of(const struct net *net);

static inline void wattle_count(struct wattle *w, enum wattle_counter c, unsigned int packets,
				unsigned int bytes)
{
	struct wattle_stats *s = this_cpu_ptr(w->stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_add(&s->count_packets[c], packets);
	u64_stats_add(&s->count_bytes[c], bytes);
	u64_stats_update_end(&s->sync);
}

static inline unsigned int wattle_skb_packets(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? max_t(u16, skb_shinfo(skb)->gso_segs, 1) : 1;
}

#endif /* WATTLE_WATTLE_H */
