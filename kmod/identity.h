/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identities: what an address is, and where. Host routes live in an exact-match
 * hash, which is asked first; all other prefixes in a trie.
 *
 * There may be a million host routes, so one takes 40 bytes and its share of the hash's
 * buckets (11 to 22 bytes): lives are packed, and tunnel end points are kept once
 * and named by number.
 */
#ifndef WATTLE_IDENTITY_H
#define WATTLE_IDENTITY_H

#include <linux/rhashtable.h>
#include <linux/xarray.h>
#include "change.h"
#include "lpm.h"

/* An entry in words, as netlink gives and shows it. */
struct wattle_identity_spec {
	struct wattle_prefix prefix;
	u32 id;
	struct in6_addr via;		/* :: for none */
};

/*
 * What a look-up finds. @via: tunnel end point the entry names, or NULL where it
 * names none (the node's prefixes then tell). @prefix_len counts from 128 bits.
 */
struct wattle_identity_info {
	u32 id;
	u8 prefix_len;
	const struct in6_addr *via;
};

/* One version of a host route. */
struct wattle_identity_host {
	struct rhash_head link;
	struct in6_addr addr;
	u64 born_id;		/* packed: generation, identity */
	u64 died_via;		/* packed: generation, number of the tunnel end point */
};

static_assert(sizeof(struct wattle_identity_host) == 40);

/* One version of any other prefix. */
struct wattle_identity_net {
	struct wattle_lpm_entry entry;
	struct wattle_prefix prefix;
	u32 id;
	u32 via;
};

/**
 * struct wattle_identities - what every address is
 * @hosts: of host routes
 * @nets: of other prefixes
 * @via_by_addr: tunnel end points that entries name
 * @vias: same by number, 1 and up; RCU for readers
 */
struct wattle_identities {
	struct rhashtable hosts;
	struct wattle_lpm nets;
	struct rhashtable via_by_addr;
	struct xarray vias;
};

/* Longest prefix. False, and @info untouched, where none covers @addr. Context: RCU reader. */
bool wattle_identity_lookup(struct wattle_identities *ids, const struct in6_addr *addr, u64 gen,
			    struct wattle_identity_info *info);

/* That very prefix. Context: RCU reader. */
bool wattle_identity_find(struct wattle_identities *ids, const struct wattle_prefix *prefix,
			  u64 gen, struct wattle_identity_info *info);

int wattle_identities_init(struct wattle_identities *ids, struct wattle_log *log);
void wattle_identities_exit(struct wattle_identities *ids);

/* Stage a change, as in node.h. */
int wattle_identity_add(struct wattle_identities *ids, struct wattle_log *log,
			const struct wattle_identity_spec *spec, bool replace,
			struct wattle_refusal *why);
int wattle_identity_del(struct wattle_identities *ids, struct wattle_log *log,
			const struct wattle_prefix *prefix, struct wattle_refusal *why);

/* Entries in words, for dumps. Context: RCU reader. */
void wattle_identity_host_describe(struct wattle_identities *ids,
				   const struct wattle_identity_host *host,
				   struct wattle_identity_spec *spec);
void wattle_identity_net_describe(struct wattle_identities *ids,
				  const struct wattle_identity_net *net,
				  struct wattle_identity_spec *spec);

#endif /* WATTLE_IDENTITY_H */
