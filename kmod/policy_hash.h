/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the rules of a subject are found.
 *
 * They are in one list, in the order of their hashes; an index says where in it to begin: at the
 * first rule of each of @size equal parts of what a hash can be. (It is known as a split-ordered
 * list.) A reader goes from there to the first rule whose hash is larger than that which
 * it looks for. A larger or smaller index is made beside the one in use, over the same list, and
 * takes its place by one store: no rule is ever moved, whoever reads by the old one finds the
 * same, and nothing has to wait for readers but the memory of the old one.
 *
 * The place of a rule depends neither on the index nor on the others: equal hashes
 * are in the order of addresses. So a dump that was interrupted goes on behind the rule that
 * it showed last, whether or not that is still there, and shows every rule once.
 *
 * A rule costs 48 bytes and its share of the index. That has as many parts as there are rules
 * when it is made; the next is made at twice or half as many rules. So there are from half a rule
 * to two in a part, 64 bytes for a rule at most, and 52 to 56 in a table that only grows.
 */
#ifndef WATTLE_POLICY_HASH_H
#define WATTLE_POLICY_HASH_H

#include <linux/kernel.h>
#include <linux/sizes.h>
#include "policy.h"

/**
 * struct wattle_rule_index - where to begin in the list of a subject's rules
 * @rcu: frees it
 * @size: parts
 * @first: the first rule of each part; NULL: it has none
 */
struct wattle_rule_index {
	struct rcu_head rcu;
	u32 size;
	struct wattle_rule __rcu *first[];
};

/* Sizes in bytes are powers of two: to that large allocations are rounded up anyway. */
#define WATTLE_RULE_INDEX_MIN	32
#define WATTLE_RULE_INDEX_MAX	SZ_1G

static_assert(sizeof(struct wattle_rule_index) + sizeof(void *) == WATTLE_RULE_INDEX_MIN);

/* Parts are in the order of hashes, whatever the size. */
static inline u32 wattle_rule_part(const struct wattle_rule_index *index, u32 hash)
{
	return reciprocal_scale(hash, index->size);
}

/* @rule, or the first behind it, whose hash is @hash; NULL: none. Context: RCU reader. */
static inline struct wattle_rule *wattle_rule_of_hash(struct wattle_rule *rule, u32 hash)
{
	while (rule && rule->hash < hash)
		rule = rcu_dereference(rule->next);
	return rule && rule->hash == hash ? rule : NULL;
}

/* The first rule whose hash is @hash, and the one behind @rule with the same; NULL: none. */
static inline struct wattle_rule *wattle_rules_first_of(const struct wattle_rule_index *index,
							u32 hash)
{
	u32 part = wattle_rule_part(index, hash);

	return wattle_rule_of_hash(rcu_dereference(index->first[part]), hash);
}

static inline struct wattle_rule *wattle_rules_next_of(const struct wattle_rule *rule)
{
	return wattle_rule_of_hash(rcu_dereference(rule->next), rule->hash);
}

/**
 * struct wattle_rule_place - how far a dump is
 * @hash: of the rule that was shown last
 * @behind: its address and one, only to be compared; 0: none was shown
 */
struct wattle_rule_place {
	u32 hash;
	unsigned long behind;
};

static inline void wattle_rule_place_set(struct wattle_rule_place *place,
					 const struct wattle_rule *rule)
{
	place->hash = rule->hash;
	place->behind = (unsigned long)rule + 1;
}

/* The first rule behind @place, NULL: that was the last. Context: RCU reader. */
struct wattle_rule *wattle_rules_behind(const struct wattle_subject *subject,
					const struct wattle_rule_place *place);

/* An empty list. 0 or -ENOMEM. Its end: nobody reads it any more. Context: may sleep. */
int wattle_rules_init(struct wattle_subject *subject);
void wattle_rules_exit(struct wattle_subject *subject);

/*
 * Context: writer. Room for one more has to be made before it is inserted: 0 or -ENOMEM. To
 * remove one needs no memory; where there is some the index gets smaller.
 */
int wattle_rules_make_room(struct wattle_policies *policies, struct wattle_subject *subject);
void wattle_rules_insert(struct wattle_policies *policies, struct wattle_rule *rule);
void wattle_rules_remove(struct wattle_policies *policies, struct wattle_rule *rule);

/* Through the list. Context: writer. */
#define wattle_rules_locked(policies, pointer) \
	rcu_dereference_protected(pointer, lockdep_is_held((policies)->lock))

static inline struct wattle_rule *wattle_rules_first(const struct wattle_policies *policies,
						     const struct wattle_subject *subject)
{
	return wattle_rules_locked(policies, subject->rules);
}

static inline struct wattle_rule *wattle_rules_next(const struct wattle_policies *policies,
						    const struct wattle_rule *rule)
{
	return wattle_rules_locked(policies, rule->next);
}

#endif /* WATTLE_POLICY_HASH_H */
