/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Longest-prefix match: a path-compressed binary trie over 128 bit addresses.
 * Readers walk it under RCU; one writer, who holds a lock that is named to it.
 *
 * The trie keeps prefixes, not their versions: a slot lists every version of
 * the entry for its prefix, and the reader picks the one alive at its
 * generation.
 */
#ifndef WATTLE_LPM_H
#define WATTLE_LPM_H

#include <linux/mutex.h>
#include "types.h"

/* Embedded in what the trie holds. */
struct wattle_lpm_entry {
	struct wattle_lpm_entry __rcu *next;	/* other versions of this prefix */
	struct wattle_life life;
};

struct wattle_lpm_node;

/**
 * struct wattle_lpm - a trie
 * @root: shortest prefix, or where the first two part
 * @lock: the writer holds it
 * @count: linked entries, of all versions
 */
struct wattle_lpm {
	struct wattle_lpm_node __rcu *root;
	struct mutex *lock;		/* the writer holds it */
	size_t count;
};

void wattle_lpm_init(struct wattle_lpm *lpm, struct mutex *lock);

/*
 * Free the trie; entries that are still linked are handed to @free, which may be
 * NULL. Context: may sleep; no readers are left.
 */
void wattle_lpm_exit(struct wattle_lpm *lpm, void (*free)(struct wattle_lpm_entry *entry));

/*
 * Link and unlink one version. insert returns 0 or -ENOMEM. Readers may still
 * see an unlinked entry until a grace period has passed: the caller frees it
 * after that. Inner nodes are freed by the trie itself. Context: writer.
 */
int wattle_lpm_insert(struct wattle_lpm *lpm, const struct wattle_prefix *prefix,
		      struct wattle_lpm_entry *entry);
void wattle_lpm_remove(struct wattle_lpm *lpm, const struct wattle_prefix *prefix,
		       struct wattle_lpm_entry *entry);

/* Longest prefix with an entry alive at @gen, or NULL. Context: RCU reader. */
struct wattle_lpm_entry *wattle_lpm_lookup(const struct wattle_lpm *lpm,
					   const struct in6_addr *addr, u64 gen);

/* That very prefix. Context: RCU reader, or writer. */
struct wattle_lpm_entry *wattle_lpm_find(const struct wattle_lpm *lpm,
					 const struct wattle_prefix *prefix, u64 gen);

/*
 * Every prefix that covers @addr, longest last. Calls @visit with each entry
 * alive at @gen until it returns true. Context: RCU reader.
 */
void wattle_lpm_cover(const struct wattle_lpm *lpm, const struct in6_addr *addr, u64 gen,
		      bool (*visit)(struct wattle_lpm_entry *entry, void *arg), void *arg);

/*
 * In order of address, shorter prefixes first: the entry alive at @gen of the first
 * prefix behind *@after (NULL: of all), or NULL. The order does not depend on what else
 * is in the trie, so that a walk survives changes. Context: RCU reader.
 */
struct wattle_lpm_entry *wattle_lpm_next(const struct wattle_lpm *lpm,
					 const struct wattle_prefix *after, u64 gen,
					 struct wattle_prefix *prefix);

#endif /* WATTLE_LPM_H */
