/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU memory of look-ups, in front of the shared tables: what the last packets
 * asked about an address, and what was decided about new connections. Each slot knows what
 * it was read at, so a change makes all of them stale without anybody walking them.
 *
 * Used by wattle_decide() where it is given one; only its own CPU touches it, BH disabled.
 */
#ifndef WATTLE_MEMO_H
#define WATTLE_MEMO_H

#include <linux/hash.h>
#include "types.h"

#define WATTLE_MEMO_BITS	10
#define WATTLE_MEMO_SLOTS	BIT(WATTLE_MEMO_BITS)
#define WATTLE_MEMO_BACKEND_BITS	8

/**
 * struct wattle_place - what an address is, and where
 * @endpoint: it is a pod here
 * @node: it is behind that node, or an address of it
 * @id: identity
 * @host: it is an address of this host
 * @shared: this host hears it as one of several, see enum wattle_local
 * @own: it is the address of @node itself
 * @listed: the identity table or an endpoint names @id
 * @lost: the table says behind which tunnel end point, but no node has that
 * @service: services have it, or @wild
 * @wild: services at every address of this host have it
 * @vacant: nobody has it, and it is of a range for services
 */
struct wattle_place {
	struct wattle_endpoint *endpoint;
	struct wattle_node *node;
	u32 id;
	bool host;
	bool shared;
	bool own;
	bool listed;
	bool lost;
	bool service;
	bool wild;
	bool vacant;
};

/*
 * @gen and @epoch of what was read: both, for addresses of the host come and go without a
 * commit. Generations begin at 1, so an empty slot is never right.
 */
struct wattle_memo_place {
	struct in6_addr addr;
	u64 gen;
	u32 epoch;
	struct wattle_place place;
};

/*
 * The service at an address and port, for those from @outside or for others; NULL: none. @reason:
 * NONE, or why nobody else is there either.
 */
struct wattle_memo_service {
	struct in6_addr addr;
	u64 gen;
	const struct wattle_service *service;
	u32 epoch;
	__be16 port;
	u8 proto;
	bool outside;
	u8 reason;
};

/*
 * What was decided about the packets from one address to a port of another, whoever the port
 * of the sender: @key has none, and its destination is translated.
 */
struct wattle_memo_decision {
	struct wattle_key key;
	u64 gen;
	u32 epoch;
	u32 options;
	struct wattle_decision decision;
};

/*
 * The counters of a backend; NULL: there are none. @key: frontend in place of the source, backend
 * in that of the destination; WATTLE_KEY_OUTSIDE: the client is from there.
 */
struct wattle_memo_backend {
	struct wattle_key key;
	u64 gen;
	u32 epoch;
	struct wattle_service_stats *stats;
};

/**
 * struct wattle_memo - what a CPU remembers
 * @seed: secret: nobody can aim at a slot
 * @places: of addresses
 * @services: of frontends
 * @decisions: of new connections
 * @backends: of connections that exist, through services
 */
struct wattle_memo {
	u64 seed;
	struct wattle_memo_place places[WATTLE_MEMO_SLOTS];
	struct wattle_memo_service services[WATTLE_MEMO_SLOTS];
	struct wattle_memo_decision decisions[WATTLE_MEMO_SLOTS];
	struct wattle_memo_backend backends[BIT(WATTLE_MEMO_BACKEND_BITS)];
};

/* The slot for @addr, filled in or not. */
static inline struct wattle_memo_place *wattle_memo_place(struct wattle_memo *memo,
							  const struct in6_addr *addr)
{
	const u64 *a = (const u64 *)addr;

	return &memo->places[hash_64(a[1] ^ (a[0] * GOLDEN_RATIO_64) ^ memo->seed,
				     WATTLE_MEMO_BITS)];
}

static inline struct wattle_memo_service *wattle_memo_service(struct wattle_memo *memo,
							      const struct wattle_key *key)
{
	const u64 *a = (const u64 *)&key->daddr;
	u64 hash = a[1] ^ ((u64)(__force u16)key->dport << 8 | key->proto) ^ memo->seed;

	return &memo->services[hash_64(hash ^ (a[0] * GOLDEN_RATIO_64), WATTLE_MEMO_BITS)];
}

static inline bool wattle_memo_service_is(const struct wattle_memo_service *slot,
					  const struct wattle_key *key, bool outside,
					  u64 gen, u32 epoch)
{
	return slot->gen == gen && slot->epoch == epoch && slot->port == key->dport &&
	       slot->proto == key->proto && slot->outside == outside &&
	       ipv6_addr_equal(&slot->addr, &key->daddr);
}

static inline bool wattle_memo_place_is(const struct wattle_memo_place *slot,
					const struct in6_addr *addr, u64 gen, u32 epoch)
{
	return slot->gen == gen && slot->epoch == epoch && ipv6_addr_equal(&slot->addr, addr);
}

static inline u64 wattle_memo_hash(const struct wattle_memo *memo, const struct wattle_key *key)
{
	const u64 *k = (const u64 *)key;
	u64 hash = k[1] ^ memo->seed;

	hash = hash * GOLDEN_RATIO_64 ^ k[3];
	hash = hash * GOLDEN_RATIO_64 ^ k[0] ^ k[2] ^ k[4] ^ k[5];
	return hash ^ hash >> 32;
}

/* The slot for @key, filled in or not. */
static inline struct wattle_memo_decision *wattle_memo_decision(struct wattle_memo *memo,
								const struct wattle_key *key)
{
	return &memo->decisions[hash_64(wattle_memo_hash(memo, key), WATTLE_MEMO_BITS)];
}

static inline struct wattle_memo_backend *wattle_memo_backend(struct wattle_memo *memo,
							      const struct wattle_key *key)
{
	return &memo->backends[hash_64(wattle_memo_hash(memo, key), WATTLE_MEMO_BACKEND_BITS)];
}

#endif /* WATTLE_MEMO_H */
