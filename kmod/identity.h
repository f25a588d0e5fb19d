/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identities: what an address is, and where. Host routes live in an exact-match
 * hash, which is asked first; all other prefixes in a trie.
 */
#ifndef WATTLE_IDENTITY_H
#define WATTLE_IDENTITY_H

#include "lpm.h"

/*
 * What a look-up finds. @via: tunnel end point the entry names, or NULL where it
 * names none (the node's prefixes then tell). @prefix_len counts from 128 bits.
 */
struct wattle_identity_info {
	u32 id;
	u8 prefix_len;
	const struct in6_addr *via;
};

struct wattle_identities;	/* defined below; hash, trie, interned via addresses */

/* Longest prefix. False, and @info untouched, where none covers @addr. Context: RCU reader. */
bool wattle_identity_lookup(struct wattle_identities *ids, const struct in6_addr *addr, u64 gen,
			    struct wattle_identity_info *info);

/* That very prefix. Context: RCU reader. */
bool wattle_identity_find(struct wattle_identities *ids, const struct wattle_prefix *prefix,
			  u64 gen, struct wattle_identity_info *info);

#endif /* WATTLE_IDENTITY_H */
