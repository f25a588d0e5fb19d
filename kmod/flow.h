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

#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <net/netfilter/nf_conntrack.h>
#include "memo.h"
#include "tally.h"
#include "wattle.h"

#define WATTLE_FLOW_REFRESH	HZ		/* an entry is believed that long at least */
#define WATTLE_FLOW_REFRESH_MAX	(30 * HZ)
#define WATTLE_FLOW_WAYS	8
#define WATTLE_FLOW_BUCKETS	1024		/* per CPU at first; a power of two */
#define WATTLE_FLOW_BUCKETS_MAX	16384

/* What of a packet is rewritten (@addr, @port of struct wattle_flow). */
enum wattle_rewrite {
	WATTLE_REWRITE_NONE,
	WATTLE_REWRITE_SOURCE,
	WATTLE_REWRITE_DESTINATION,
};

/**
 * struct wattle_flow - one direction of one flow; two cache lines
 * @key: what it is for
 * @epoch: of the device when it was made (low bits); 0: no entry yet
 * @expires: jiffies (low bits) after which it is not believed
 * @next: enum wattle_next
 * @rewrite: enum wattle_rewrite
 * @identity: of the sender, as it goes on the wire (TO_NODE)
 * @addr: new address
 * @port: new port
 * @dst_id: identity of the destination, for those who look
 * @endpoint: TO_ENDPOINT
 * @node: TO_NODE
 * @ct: the connection; a reference is held
 * @bytes: carried by this entry, and @packets
 * @src_id: identity of the source, for those who look
 * @index: of a copy: where it was
 */
struct wattle_flow {
	struct wattle_key key;
	u32 epoch;
	u32 expires;
	u8 next;
	u8 rewrite;
	u16 reserved;
	u32 identity;
	/* second line */
	struct in6_addr addr;
	__be16 port;
	u16 reserved2;
	u32 dst_id;
	union {
		struct wattle_endpoint *endpoint;
		struct wattle_node *node;
	};
	struct nf_conn *ct;
	u64 bytes;
	u64 packets;
	u32 src_id;
	u32 index;
} ____cacheline_aligned;

static_assert(sizeof(struct wattle_flow) <= 128);

/*
 * The rules that let a flow pass, and how much of what it has carried they have counted; beside
 * the entries, for no packet that the cache decides has to look at it.
 */
struct wattle_flow_bill {
	struct wattle_rule_count *count[2];	/* held; or NULL */
	u64 packets;
	u64 bytes;
};

/* The tags of a bucket fill half a line: a miss touches no entry. Tag 0: empty. */
struct wattle_flow_tags {
	u32 tag[WATTLE_FLOW_WAYS];
};

/**
 * struct wattle_flow_table - the entries of a CPU
 * @mask: number of buckets, less one
 * @used: how many entries there are
 * @tags: of @flows
 * @flows: WATTLE_FLOW_WAYS entries for each bucket
 * @bills: of @flows
 */
struct wattle_flow_table {
	u32 mask;
	u32 used;
	struct wattle_flow_tags *tags;
	struct wattle_flow *flows;
	struct wattle_flow_bill *bills;
};

/**
 * struct wattle_flows - what a CPU keeps for a device
 * @table: the flow cache
 * @memo: look-ups in front of the identity and policy tables
 * @tallies: what rules decided of packets that no entry did
 * @victim: which way to evict next
 * @crowded: @table was found too small, and that will be seen to
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
 * The entry for @key if it is good, else NULL. Context: BH disabled, RCU; the entry is
 * stable until the next wattle_flow_insert() on this CPU.
 */
static inline struct wattle_flow *wattle_flow_lookup(struct wattle *w, const struct wattle_key *key,
						     u32 hash)
{
	const struct wattle_flow_table *table = &this_cpu_ptr(w->flows)->table;
	size_t bucket = hash & table->mask;
	const u32 *tags = table->tags[bucket].tag;
	struct wattle_flow *flow = &table->flows[bucket * WATTLE_FLOW_WAYS];
	u32 tag = hash | 1;
	int way;

	for (way = 0; way < WATTLE_FLOW_WAYS; way++, flow++) {
		if (tags[way] != tag)
			continue;
		if (likely(flow->epoch == (u32)READ_ONCE(w->config.epoch) &&
			   (s32)(flow->expires - (u32)jiffies) > 0 &&
			   wattle_key_equal(&flow->key, key)))
			return flow;
	}
	return NULL;
}

/*
 * A place for @key, emptied, which the caller fills in; in the place of what was there
 * for @key before, keeping its counters. Context: as above.
 */
struct wattle_flow *wattle_flow_insert(struct wattle *w, const struct wattle_key *key, u32 hash);

/*
 * From now on, what @flow carries is let pass by @rule, besides others that were named; what it
 * has carried so far is counted already. Context: as for wattle_flow_lookup(), @rule alive at
 * the generation that is read at, or NULL.
 */
void wattle_flow_owe(struct wattle *w, const struct wattle_flow *flow,
		     const struct wattle_rule *rule);

/* Add what all CPUs have counted to the counters of the rules. Context: process, may sleep. */
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
