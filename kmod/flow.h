/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The per-CPU flow cache: what was decided for the last packet of a flow, so that the
 * next one costs one look-up in memory of its own CPU.
 *
 * Only its own CPU reads or writes a cache, with BH disabled: no lock, no atomic. An
 * entry is good while the device's epoch is the one it was made at, for a while: then
 * the packet goes the long way once, which also keeps conntrack's view of the flow
 * fresh. Caches can be lost at any moment and only cost time; that is how they grow, and
 * shrink again: an empty one takes the place of the full one.
 */
#ifndef WATTLE_FLOW_H
#define WATTLE_FLOW_H

#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include "flow_table.h"
#include "memo.h"
#include "tally.h"
#include "wattle.h"

#define WATTLE_FLOW_REFRESH	HZ		/* an entry is believed that long at least */
#define WATTLE_FLOW_REFRESH_MAX	(30 * HZ)
#define WATTLE_FLOW_BUCKETS	1024		/* per CPU at first; a power of two */
#define WATTLE_FLOW_BUCKETS_MAX	16384

/**
 * struct wattle_flows - what a CPU keeps for a device
 * @table: the flow cache
 * @memo: look-ups in front of the identity and policy tables
 * @tallies: what rules decided of packets that no entry did
 * @victim: which way to evict next
 * @crowded: @table was found too small, and that will be seen to
 * @sparse: how many sweeps in a row found it too large
 * @direct: a packet is on its way to an endpoint's device from us: see apply.c
 * @depth: how often this CPU is inside of a delivery
 * @uplink: ifindex by which the last packet came to the tunnel's socket, for the outer
 *	destination @uplink_addr, as of @uplink_epoch: see uplink.c
 * @node: of the outer source @node_addr, as of the device's epoch @node_epoch
 */
struct wattle_flows {
	struct wattle_flow_table table;
	struct wattle_memo *memo;
	struct wattle_tally *tallies;
	u32 victim;
	bool crowded;
	bool direct;
	u8 sparse;
	u8 depth;
	u32 node_epoch;
	struct in6_addr node_addr;
	struct wattle_node *node;
	u32 uplink_epoch;
	int uplink;
	struct in6_addr uplink_addr;
};

int wattle_flows_init(struct wattle *w);

/* No hook of @w runs any more. Context: process, may sleep. */
void wattle_flows_exit(struct wattle *w);

/* Forget everything, on every CPU. Context: process, may sleep. */
void wattle_flows_flush(struct wattle *w);

#ifdef CONFIG_ARCH_SUPPORTS_INT128
static inline u64 wattle_flow_mix(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}
#endif

/* Of a key, secret: nobody can aim at a bucket. */
static inline u32 wattle_flow_hash(const struct wattle *w, const struct wattle_key *key)
{
#ifdef CONFIG_ARCH_SUPPORTS_INT128
	const u64 *k = (const u64 *)key;
	u64 seed = w->hash_seed, h;

	h = wattle_flow_mix(k[0] ^ seed, k[1] ^ ~seed);
	h = wattle_flow_mix(k[2] ^ seed, k[3] ^ h ^ ~seed);
	h = wattle_flow_mix(k[4] ^ seed, k[5] ^ h ^ ~seed);
	return h ^ h >> 32;
#else
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), w->hash_seed);
#endif
}

/*
 * Is there a good entry for @key? Then it is @flow. Context: BH disabled, RCU; the entry is
 * stable until the next wattle_flow_insert() on this CPU.
 */
static __always_inline bool wattle_flow_lookup(struct wattle *w, const struct wattle_key *key,
					       u32 hash, struct wattle_flow **flow)
{
	const struct wattle_flow_table *table = &this_cpu_ptr(w->flows)->table;

	if (unlikely(!wattle_flow_table_first(table, key, hash, flow))) {
		*flow = wattle_flow_table_search(table, key, hash);
		if (!*flow)
			return false;
	}
	return likely((*flow)->epoch == (u32)READ_ONCE(w->config.epoch) &&
		      (s32)((*flow)->expires - (u32)jiffies) > 0);
}

/*
 * An entry as @flow says, for its key, of that @hash; in the place of what was there for it before,
 * whose counters it goes on with. What @flow has carried is the packet that makes it, which is
 * counted already. False: there is no memory, and no entry. Context: as for wattle_flow_lookup();
 * what the action points to is alive at the generation that is read at.
 */
bool wattle_flow_insert(struct wattle *w, struct wattle_flow *flow, u32 hash);

/*
 * Add what all CPUs have counted to the counters of rules and backends. Context: process, may
 * sleep.
 */
void wattle_flows_bill(struct wattle *w);

/* What flow show tells of an entry. */
struct wattle_flow_info {
	unsigned int cpu;
	struct wattle_key key;
	u8 verdict;
	enum wattle_reason reason;
	u32 src_id;
	u32 dst_id;
	bool nat;
	struct in6_addr nat_saddr;
	struct in6_addr nat_daddr;
	__be16 nat_sport;
	__be16 nat_dport;
	struct in6_addr via;		/* :: where not to a node */
	int ifindex;			/* 0 where not to an endpoint */
	u64 packets;
	u64 bytes;
	u64 gen;
};

/*
 * Visit the good entries of all CPUs from *@cursor on (zero at first) until @visit returns
 * non-zero, which is returned. Entries are copied while their CPU may change them: what
 * is shown is of the moment. Context: process, may sleep.
 */
int wattle_flows_walk(struct wattle *w, struct wattle_cursor *cursor,
		      int (*visit)(const struct wattle_flow_info *info, void *arg), void *arg);

#endif /* WATTLE_FLOW_H */
