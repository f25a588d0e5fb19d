/* SPDX-License-Identifier: GPL-2.0-only */
/* What the readers and the writers of identities share, and nobody else. */
#ifndef WATTLE_IDENTITY_PRIVATE_H
#define WATTLE_IDENTITY_PRIVATE_H

#include <linux/jhash.h>
#include "identity.h"

/**
 * struct wattle_via - a tunnel end point that entries name
 * @link: hash of addresses
 * @addr: IPv4 mapped
 * @number: in xarray of numbers
 * @users: entries that name it, freed when none is left
 * @rcu: to be freed
 */
struct wattle_via {
	struct rhash_head link;
	struct in6_addr addr;
	u32 number;
	unsigned int users;
	struct rcu_head rcu;
};

/* What a host route is looked up by; the address comes first, as the hash wants it. */
struct wattle_host_key {
	struct in6_addr addr;
	u64 gen;
};

static inline u32 wattle_host_hash(const void *data, u32 len, u32 seed)
{
	return jhash2(data, sizeof(struct in6_addr) / sizeof(u32), seed);
}

static inline int wattle_host_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct wattle_identity_host *host = object;
	const struct wattle_host_key *key = arg->key;

	if (!ipv6_addr_equal(&host->addr, &key->addr))
		return 1;
	return !wattle_packed_alive(&host->born_id, &host->died_via, key->gen);
}

static const struct rhashtable_params wattle_host_params = {
	.head_offset = offsetof(struct wattle_identity_host, link),
	.key_offset = offsetof(struct wattle_identity_host, addr),
	.key_len = sizeof(struct in6_addr),
	.hashfn = wattle_host_hash,
	.obj_cmpfn = wattle_host_compare,
	.automatic_shrinking = true,
};

#endif /* WATTLE_IDENTITY_PRIVATE_H */
