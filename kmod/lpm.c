// SPDX-License-Identifier: GPL-2.0-only
/* Longest-prefix match: a path-compressed binary trie over 128 bit addresses. */

#include <asm/byteorder.h>
#include "lpm.h"
#include "alloc.h"

/**
 * struct wattle_lpm_node - a prefix, or a place where prefixes part
 * @key: its bits in host order, most significant word first; zero behind @len
 * @len: how many of them
 * @entries: versions of the entry for this prefix; none where prefixes only part
 * @child: longer prefixes, by their first bit behind @len
 * @rcu: to be freed, readers may be left
 * @todo: to be freed, no readers are left
 */
struct wattle_lpm_node {
	u64 key[2];
	u8 len;
	struct wattle_lpm_entry __rcu *entries;
	struct wattle_lpm_node __rcu *child[2];
	union {
		struct rcu_head rcu;
		struct wattle_lpm_node *todo;
	};
};

struct wattle_lpm_key {
	u64 word[2];
};

static inline void wattle_lpm_key_set(struct wattle_lpm_key *key, const struct in6_addr *addr)
{
	key->word[0] = (u64)be32_to_cpu(addr->s6_addr32[0]) << 32 | be32_to_cpu(addr->s6_addr32[1]);
	key->word[1] = (u64)be32_to_cpu(addr->s6_addr32[2]) << 32 | be32_to_cpu(addr->s6_addr32[3]);
}

static void wattle_lpm_prefix_set(struct wattle_prefix *prefix, const struct wattle_lpm_node *node)
{
	prefix->addr.s6_addr32[0] = cpu_to_be32(node->key[0] >> 32);
	prefix->addr.s6_addr32[1] = cpu_to_be32(node->key[0]);
	prefix->addr.s6_addr32[2] = cpu_to_be32(node->key[1] >> 32);
	prefix->addr.s6_addr32[3] = cpu_to_be32(node->key[1]);
	prefix->len = node->len;
}

/* Leading bits that two keys have in common. */
static inline unsigned int wattle_lpm_common(const u64 *a, const u64 *b)
{
	u64 x = a[0] ^ b[0];

	if (x)
		return 64 - fls64(x);
	return 128 - fls64(a[1] ^ b[1]);
}

static inline bool wattle_lpm_covers(const struct wattle_lpm_node *node, const u64 *key)
{
	return wattle_lpm_common(node->key, key) >= node->len;
}

/* Bit @at of a key, counted from the first. */
static inline unsigned int wattle_lpm_bit(const u64 *key, unsigned int at)
{
	return key[at >> 6] >> (63 - (at & 63)) & 1;
}

static inline struct wattle_lpm_node *wattle_lpm_locked(const struct wattle_lpm *lpm,
							struct wattle_lpm_node __rcu *node)
{
	return rcu_dereference_protected(node, lockdep_is_held(lpm->lock));
}

/* For what readers and the writer call alike. */
static inline struct wattle_lpm_node *wattle_lpm_read(const struct wattle_lpm *lpm,
						      struct wattle_lpm_node __rcu *node)
{
	return rcu_dereference_check(node, lockdep_is_held(lpm->lock));
}

static inline struct wattle_lpm_entry *wattle_lpm_alive(const struct wattle_lpm *lpm,
							const struct wattle_lpm_node *node,
							u64 gen)
{
	struct wattle_lpm_entry *entry;

	for (entry = rcu_dereference_check(node->entries, lockdep_is_held(lpm->lock)); entry;
	     entry = rcu_dereference_check(entry->next, lockdep_is_held(lpm->lock))) {
		if (wattle_alive(&entry->life, gen))
			return entry;
	}
	return NULL;
}

/**
 * wattle_lpm_init() - make an empty trie
 * @lpm: the trie
 * @lock: held by whoever changes it
 */
void wattle_lpm_init(struct wattle_lpm *lpm, struct mutex *lock)
{
	RCU_INIT_POINTER(lpm->root, NULL);
	lpm->lock = lock;
	lpm->count = 0;
}

/**
 * wattle_lpm_exit() - free a trie that nobody reads any more
 * @lpm: the trie
 * @free: what to do with entries that are linked still, or NULL
 */
void wattle_lpm_exit(struct wattle_lpm *lpm, void (*free)(struct wattle_lpm_entry *entry))
{
	struct wattle_lpm_node *node, *child, *todo = rcu_dereference_protected(lpm->root, true);
	struct wattle_lpm_entry *entry, *next;
	unsigned int i;

	RCU_INIT_POINTER(lpm->root, NULL);
	lpm->count = 0;
	if (todo)
		todo->todo = NULL;
	while ((node = todo)) {
		todo = node->todo;
		for (i = 0; i < 2; i++) {
			child = rcu_dereference_protected(node->child[i], true);
			if (child) {
				child->todo = todo;
				todo = child;
			}
		}
		for (entry = rcu_dereference_protected(node->entries, true); entry && free;
		     entry = next) {
			next = rcu_dereference_protected(entry->next, true);
			free(entry);
		}
		kfree(node);
		cond_resched();
	}
}

static struct wattle_lpm_node *wattle_lpm_node_create(const u64 *key, unsigned int len)
{
	struct wattle_lpm_node *node = wattle_alloc(sizeof(*node));

	if (!node)
		return NULL;
	node->len = len;
	if (len)
		node->key[0] = key[0] & (len < 64 ? ~(~0ULL >> len) : ~0ULL);
	if (len > 64)
		node->key[1] = key[1] & (len < 128 ? ~(~0ULL >> (len - 64)) : ~0ULL);
	return node;
}

/*
 * Where @key/@len is, or is to be: the link whose node is that prefix, or is longer
 * than it, or parts from it, or is none.
 */
static struct wattle_lpm_node __rcu **wattle_lpm_place(struct wattle_lpm *lpm, const u64 *key,
						       unsigned int len)
{
	struct wattle_lpm_node __rcu **link = &lpm->root;
	struct wattle_lpm_node *node;

	while ((node = wattle_lpm_locked(lpm, *link)) && node->len < len &&
	       wattle_lpm_covers(node, key))
		link = &node->child[wattle_lpm_bit(key, node->len)];
	return link;
}

static void wattle_lpm_link_entry(struct wattle_lpm *lpm, struct wattle_lpm_node *node,
				  struct wattle_lpm_entry *entry)
{
	RCU_INIT_POINTER(entry->next, rcu_dereference_protected(node->entries,
								lockdep_is_held(lpm->lock)));
	rcu_assign_pointer(node->entries, entry);
	lpm->count++;
}

/**
 * wattle_lpm_insert() - link a version of a prefix's entry
 * @lpm: the trie
 * @prefix: host bits are zero
 * @entry: its life is set
 *
 * Context: writer, may sleep.
 * Return: 0 or -ENOMEM, and then nothing has changed.
 */
int wattle_lpm_insert(struct wattle_lpm *lpm, const struct wattle_prefix *prefix,
		      struct wattle_lpm_entry *entry)
{
	struct wattle_lpm_node *down, *node, *fork;
	struct wattle_lpm_node __rcu **link;
	struct wattle_lpm_key key;
	unsigned int common;

	lockdep_assert_held(lpm->lock);

	wattle_lpm_key_set(&key, &prefix->addr);
	link = wattle_lpm_place(lpm, key.word, prefix->len);
	down = wattle_lpm_locked(lpm, *link);
	common = down ? min3((unsigned int)prefix->len, (unsigned int)down->len,
			     wattle_lpm_common(down->key, key.word)) : 0;
	if (down && down->len == prefix->len && common == prefix->len) {
		wattle_lpm_link_entry(lpm, down, entry);
		return 0;
	}

	node = wattle_lpm_node_create(key.word, prefix->len);
	if (!node)
		return -ENOMEM;
	if (!down) {
		fork = node;
	} else if (common == prefix->len) {
		RCU_INIT_POINTER(node->child[wattle_lpm_bit(down->key, common)], down);
		fork = node;
	} else {
		fork = wattle_lpm_node_create(key.word, common);
		if (!fork) {
			kfree(node);
			return -ENOMEM;
		}
		RCU_INIT_POINTER(fork->child[wattle_lpm_bit(down->key, common)], down);
		RCU_INIT_POINTER(fork->child[wattle_lpm_bit(key.word, common)], node);
	}
	wattle_lpm_link_entry(lpm, node, entry);
	rcu_assign_pointer(*link, fork);
	return 0;
}

/* Take out a node that has no entries and does not part prefixes. */
static bool wattle_lpm_prune(struct wattle_lpm *lpm, struct wattle_lpm_node __rcu **link)
{
	struct wattle_lpm_node *node = wattle_lpm_locked(lpm, *link);
	struct wattle_lpm_node *left = wattle_lpm_locked(lpm, node->child[0]);
	struct wattle_lpm_node *right = wattle_lpm_locked(lpm, node->child[1]);

	if (rcu_access_pointer(node->entries) || (left && right))
		return false;
	rcu_assign_pointer(*link, left ?: right);
	kfree_rcu(node, rcu);
	return true;
}

/**
 * wattle_lpm_remove() - unlink a version of a prefix's entry
 * @lpm: the trie
 * @prefix: as it was inserted with
 * @entry: what was inserted; may be freed after a grace period
 *
 * Context: writer.
 */
void wattle_lpm_remove(struct wattle_lpm *lpm, const struct wattle_prefix *prefix,
		       struct wattle_lpm_entry *entry)
{
	struct wattle_lpm_node __rcu **link = &lpm->root, **above = NULL;
	struct wattle_lpm_entry __rcu **at;
	struct wattle_lpm_node *node;
	struct wattle_lpm_key key;

	lockdep_assert_held(lpm->lock);

	wattle_lpm_key_set(&key, &prefix->addr);
	while ((node = wattle_lpm_locked(lpm, *link)) && node->len < prefix->len) {
		above = link;
		link = &node->child[wattle_lpm_bit(key.word, node->len)];
	}
	if (WARN_ON_ONCE(!node || node->len != prefix->len || !wattle_lpm_covers(node, key.word)))
		return;
	for (at = &node->entries; rcu_access_pointer(*at) && rcu_access_pointer(*at) != entry; )
		at = &rcu_dereference_protected(*at, lockdep_is_held(lpm->lock))->next;
	if (WARN_ON_ONCE(!rcu_access_pointer(*at)))
		return;
	rcu_assign_pointer(*at, rcu_dereference_protected(entry->next,
							  lockdep_is_held(lpm->lock)));
	lpm->count--;
	if (wattle_lpm_prune(lpm, link) && above)
		wattle_lpm_prune(lpm, above);
}

/*
 * Whether a prefix that covers @key is of its family: ::/0 means all of IPv6, and not the
 * IPv4 addresses that are mapped into it.
 */
static inline bool wattle_lpm_is_kin(const struct wattle_lpm_node *node, const u64 *key)
{
	return node->len >= 96 || key[0] || key[1] >> 32 != 0xffff;
}

struct wattle_lpm_entry *wattle_lpm_lookup(const struct wattle_lpm *lpm,
					   const struct in6_addr *addr, u64 gen)
{
	struct wattle_lpm_entry *entry, *found = NULL;
	const struct wattle_lpm_node *node;
	struct wattle_lpm_key key;

	wattle_lpm_key_set(&key, addr);
	for (node = rcu_dereference(lpm->root); node && wattle_lpm_covers(node, key.word);
	     node = rcu_dereference(node->child[wattle_lpm_bit(key.word, node->len)])) {
		entry = wattle_lpm_alive(lpm, node, gen);
		if (entry && wattle_lpm_is_kin(node, key.word))
			found = entry;
		if (node->len == 128)
			break;
	}
	return found;
}

struct wattle_lpm_entry *wattle_lpm_find(const struct wattle_lpm *lpm,
					 const struct wattle_prefix *prefix, u64 gen)
{
	const struct wattle_lpm_node *node;
	struct wattle_lpm_key key;

	wattle_lpm_key_set(&key, &prefix->addr);
	for (node = wattle_lpm_read(lpm, lpm->root);
	     node && node->len < prefix->len && wattle_lpm_covers(node, key.word);
	     node = wattle_lpm_read(lpm, node->child[wattle_lpm_bit(key.word, node->len)]))
		;
	if (!node || node->len != prefix->len || !wattle_lpm_covers(node, key.word))
		return NULL;
	return wattle_lpm_alive(lpm, node, gen);
}

void wattle_lpm_cover(const struct wattle_lpm *lpm, const struct in6_addr *addr, u64 gen,
		      bool (*visit)(struct wattle_lpm_entry *entry, void *arg), void *arg)
{
	const struct wattle_lpm_node *node;
	struct wattle_lpm_entry *entry;
	struct wattle_lpm_key key;

	wattle_lpm_key_set(&key, addr);
	for (node = rcu_dereference(lpm->root); node && wattle_lpm_covers(node, key.word);
	     node = rcu_dereference(node->child[wattle_lpm_bit(key.word, node->len)])) {
		entry = wattle_lpm_alive(lpm, node, gen);
		if (entry && wattle_lpm_is_kin(node, key.word) && visit(entry, arg))
			break;
		if (node->len == 128)
			break;
	}
}

/* First node behind @key/@len in order of address, shorter prefixes first. */
static const struct wattle_lpm_node *wattle_lpm_behind(const struct wattle_lpm *lpm,
						       const u64 *key, unsigned int len)
{
	const struct wattle_lpm_node *node = rcu_dereference(lpm->root);
	const struct wattle_lpm_node *child, *right = NULL;
	unsigned int common;

	while (node) {
		common = wattle_lpm_common(node->key, key);
		if (node->len > len && common >= len)
			return node;		/* inside the prefix */
		if (node->len == len && common >= len)
			return rcu_dereference(node->child[0]) ?:
			       rcu_dereference(node->child[1]) ?: right;
		if (common < node->len)		/* they part */
			return wattle_lpm_bit(node->key, common) ? node : right;
		/* The node covers the prefix. */
		child = rcu_dereference(node->child[1]);
		if (wattle_lpm_bit(key, node->len)) {
			node = child;
		} else {
			right = child ?: right;
			node = rcu_dereference(node->child[0]);
		}
	}
	return right;
}

struct wattle_lpm_entry *wattle_lpm_next(const struct wattle_lpm *lpm,
					 const struct wattle_prefix *after, u64 gen,
					 struct wattle_prefix *prefix)
{
	const struct wattle_lpm_node *node;
	struct wattle_lpm_entry *entry;
	struct wattle_lpm_key key;

	if (after) {
		wattle_lpm_key_set(&key, &after->addr);
		node = wattle_lpm_behind(lpm, key.word, after->len);
	} else {
		node = rcu_dereference(lpm->root);
	}
	while (node) {
		entry = wattle_lpm_alive(lpm, node, gen);
		if (entry) {
			wattle_lpm_prefix_set(prefix, node);
			return entry;
		}
		node = wattle_lpm_behind(lpm, node->key, node->len);
	}
	return NULL;
}
