/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The entries of a flow cache: buckets of eight. An entry is in the bucket that its hash says or,
 * if that was full, in another that its hash says too. No lock: who uses a table sees to it that
 * nobody else does.
 *
 * What many flows have in common they share, and what no packet looks at is beside the entries, so
 * that a known packet touches little.
 */
#ifndef WATTLE_FLOW_TABLE_H
#define WATTLE_FLOW_TABLE_H

#include <linux/bitops.h>
#include <net/netfilter/nf_conntrack.h>
#include "policy_count.h"
#include "service_stats.h"
#include "types.h"

#define WATTLE_FLOW_WAYS	8

/* What of a packet is rewritten: @addr of its action, @port of its flow. */
enum wattle_rewrite {
	WATTLE_REWRITE_NONE,
	WATTLE_REWRITE_SOURCE,
	WATTLE_REWRITE_DESTINATION,
};

/**
 * struct wattle_flow_action - what flows of a kind have in common; a cache line
 * @endpoint: TO_ENDPOINT
 * @node: TO_NODE
 * @count: of the rules that let them pass; held, or NULL
 * @backend: that a service sends them to, or that they come from; held, or NULL
 * @addr: new address
 * @identity: of the sender, as it goes on the wire (TO_NODE)
 * @src_id: identity of the source, for those who look
 * @dst_id: of the destination
 * @users: entries of the table that have it
 */
struct wattle_flow_action {
	union {
		struct wattle_endpoint *endpoint;
		struct wattle_node *node;
	};
	struct wattle_rule_count *count[2];
	struct wattle_service_stats *backend;
	struct in6_addr addr;
	u32 identity;
	u32 src_id;
	u32 dst_id;
	u32 users;
};

static_assert(sizeof(struct wattle_flow_action) <= 64);

/**
 * struct wattle_flow - one direction of one flow; one and a half cache lines, in two of them
 * @key: what it is for
 * @epoch: of the device when it was made (low bits); 0: no entry yet
 * @expires: jiffies (low bits) after which it is not believed
 * @next: enum wattle_next
 * @rewrite: enum wattle_rewrite
 * @port: new port
 * @home: the bucket that its hash says
 * @reply: the direction of @ct that it is for
 * @action: shared
 * @ct: the connection; a reference is held
 * @packets: carried by this entry, and @bytes
 */
struct wattle_flow {
	struct wattle_key key;
	u32 epoch;
	u32 expires;
	u8 next;
	u8 rewrite;
	__be16 port;
	u32 home : 31;
	u32 reply : 1;
	struct wattle_flow_action *action;
	struct nf_conn *ct;
	u64 packets;
	u64 bytes;
} __aligned(32);

static_assert(sizeof(struct wattle_flow) <= 96);

/* How much of what a flow has carried its rules and its backend have counted. */
struct wattle_flow_paid {
	u64 packets;
	u64 bytes;
};

/**
 * struct wattle_flow_table - entries of flows
 * @mask: number of buckets, less one
 * @used: how many entries there are
 * @tags: of each bucket: bits of the hash of each entry, the first in the lowest byte; 0: none.
 *	A look-up that finds nothing touches no entry
 * @spilled: of each bucket: how many of its entries are in another
 * @actions: some of those that entries have, each where its hash says, for others to share; as
 *	many as buckets
 * @flows: WATTLE_FLOW_WAYS for each bucket
 * @paid: of @flows
 */
struct wattle_flow_table {
	u32 mask;
	u32 used;
	u64 *tags;
	u8 *spilled;
	struct wattle_flow_action **actions;
	struct wattle_flow *flows;
	struct wattle_flow_paid *paid;
};

/* The memory of an entry, a share of its bucket included. */
#define WATTLE_FLOW_BYTES							\
	(sizeof(struct wattle_flow) + sizeof(struct wattle_flow_paid) +		\
	 DIV_ROUND_UP(sizeof(u64) + sizeof(u8) + sizeof(struct wattle_flow_action *), \
		      WATTLE_FLOW_WAYS))

static_assert(WATTLE_FLOW_BYTES <= 128);

/* Room for @buckets, a power of two. Context: may sleep if @gfp does. */
bool wattle_flow_table_alloc(struct wattle_flow_table *table, u32 buckets, gfp_t gfp);

/* There is nothing in it any more. */
void wattle_flow_table_free(struct wattle_flow_table *table);

static inline u32 wattle_flow_table_size(const struct wattle_flow_table *table)
{
	return (table->mask + 1) * WATTLE_FLOW_WAYS;
}

/* Is there an entry at @index, below wattle_flow_table_size()? */
static inline bool wattle_flow_table_has(const struct wattle_flow_table *table, u32 index)
{
	return table->tags[index / WATTLE_FLOW_WAYS] >> index % WATTLE_FLOW_WAYS * 8 & 0xff;
}

static inline u8 wattle_flow_tag(u32 hash)
{
	return hash >> 24 | 1;
}

/* As wattle_flow_table_find(). */
struct wattle_flow *wattle_flow_table_search(const struct wattle_flow_table *table,
					     const struct wattle_key *key, u32 hash);

/* Is the entry for @key the first of its bucket, as most are where there are few? */
static __always_inline bool wattle_flow_table_first(const struct wattle_flow_table *table,
						    const struct wattle_key *key, u32 hash,
						    struct wattle_flow **flow)
{
	size_t bucket = hash & table->mask;

	*flow = &table->flows[bucket * WATTLE_FLOW_WAYS];
	return likely((u8)table->tags[bucket] == wattle_flow_tag(hash)) &&
	       likely(wattle_key_equal(&(*flow)->key, key));
}

/* The entry for @key, or NULL. */
static inline struct wattle_flow *wattle_flow_table_find(const struct wattle_flow_table *table,
							 const struct wattle_key *key, u32 hash)
{
	struct wattle_flow *flow;

	if (wattle_flow_table_first(table, key, hash, &flow))
		return flow;
	return wattle_flow_table_search(table, key, hash);
}

/*
 * Where the entry for @key is, or may be put, for which another may have to move; negative: there
 * is no room.
 */
int wattle_flow_table_place(struct wattle_flow_table *table, const struct wattle_key *key,
			    u32 hash);

/*
 * Where both buckets for @hash are full: the place of an entry that has carried nothing since it
 * was made, or since somebody looked here last; if there is none, that of the @turn-th.
 */
u32 wattle_flow_table_victim(struct wattle_flow_table *table, u32 hash, u32 turn);

/*
 * Make an entry as @flow says, of that @hash, at @index, in place of one that is there. Its
 * connection is held from then on; its action is copied, or one that is the same shared; what it
 * has carried so far is paid. False: no memory; then there is none. Context: any; what the action
 * points to is alive.
 */
bool wattle_flow_table_put(struct wattle_flow_table *table, u32 index,
			   const struct wattle_flow *flow, u32 hash);

/* Empty @index: its counters go to the rules and the backend, its connection is let go. */
void wattle_flow_table_clear(struct wattle_flow_table *table, u32 index);

void wattle_flow_table_clear_all(struct wattle_flow_table *table);

/* Tell them what the entry at @index has carried since they were told last. */
void wattle_flow_table_bill(struct wattle_flow_table *table, u32 index);

#endif /* WATTLE_FLOW_TABLE_H */
