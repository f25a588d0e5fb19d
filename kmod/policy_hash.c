// SPDX-License-Identifier: GPL-2.0-only
/* How the rules of a subject are found: see policy_hash.h. */

#include <linux/log2.h>
#include "alloc.h"
#include "policy_hash.h"

/* Does @rule come before one with @hash at @address? */
static inline bool wattle_rule_before(const struct wattle_rule *rule, u32 hash,
				      unsigned long address)
{
	return rule->hash != hash ? rule->hash < hash : (unsigned long)rule < address;
}

/**
 * wattle_rules_behind() - where a dump goes on
 * @subject: whose rules
 * @place: how far it is
 *
 * Context: RCU reader.
 * Return: the first rule behind @place, or NULL: it was the last.
 */
struct wattle_rule *wattle_rules_behind(const struct wattle_subject *subject,
					const struct wattle_rule_place *place)
{
	const struct wattle_rule_index *index = rcu_dereference(subject->index);
	struct wattle_rule *rule = NULL;
	u32 part;

	if (!place->behind)
		return rcu_dereference(subject->rules);
	for (part = wattle_rule_part(index, place->hash); !rule && part < index->size; part++)
		rule = rcu_dereference(index->first[part]);
	while (rule && wattle_rule_before(rule, place->hash, place->behind))
		rule = rcu_dereference(rule->next);
	return rule;
}

static struct wattle_rule_index *wattle_rule_index_create(size_t bytes)
{
	struct wattle_rule_index *index = wattle_alloc_array(1, bytes);

	if (index)
		index->size = (bytes - sizeof(*index)) / sizeof(index->first[0]);
	return index;
}

/* Another index takes the place of that which is in use. */
static int wattle_rule_index_replace(struct wattle_policies *policies,
				     struct wattle_subject *subject, size_t bytes)
{
	struct wattle_rule_index *old = wattle_rules_locked(policies, subject->index);
	struct wattle_rule_index *index = wattle_rule_index_create(bytes);
	u32 part, last = U32_MAX;
	struct wattle_rule *rule;

	if (!index)
		return -ENOMEM;
	for (rule = wattle_rules_first(policies, subject); rule;
	     rule = wattle_rules_next(policies, rule)) {
		part = wattle_rule_part(index, rule->hash);
		if (part != last)
			RCU_INIT_POINTER(index->first[part], rule);
		last = part;
		cond_resched();
	}
	rcu_assign_pointer(subject->index, index);
	kvfree_rcu(old, rcu);
	return 0;
}

/**
 * wattle_rules_init() - make an empty list
 * @subject: whose
 *
 * Context: may sleep; nobody sees @subject yet.
 * Return: 0 or -ENOMEM.
 */
int wattle_rules_init(struct wattle_subject *subject)
{
	struct wattle_rule_index *index = wattle_rule_index_create(WATTLE_RULE_INDEX_MIN);

	if (!index)
		return -ENOMEM;
	RCU_INIT_POINTER(subject->index, index);
	RCU_INIT_POINTER(subject->rules, NULL);
	return 0;
}

/**
 * wattle_rules_exit() - free what a list has beside its rules
 * @subject: whose
 *
 * Context: nobody sees @subject any more.
 */
void wattle_rules_exit(struct wattle_subject *subject)
{
	kvfree(rcu_dereference_protected(subject->index, true));
}

/**
 * wattle_rules_make_room() - have the index fit one rule more
 * @policies: table
 * @subject: whose
 *
 * Where there is no memory for a larger index the rule is refused: so look-ups stay short.
 * Context: writer.
 * Return: 0 or -ENOMEM.
 */
int wattle_rules_make_room(struct wattle_policies *policies, struct wattle_subject *subject)
{
	const struct wattle_rule_index *index = wattle_rules_locked(policies, subject->index);
	size_t bytes = struct_size(index, first, index->size);

	if (subject->linked / 2 < index->size || bytes >= WATTLE_RULE_INDEX_MAX)
		return 0;
	return wattle_rule_index_replace(policies, subject, 2 * bytes);
}

/*
 * The pointer that leads to the first rule that does not come before @rule: to @rule itself where
 * it is in the list. The rule in front is in the same part or in the closest that has any.
 */
static struct wattle_rule __rcu **wattle_rules_link(struct wattle_policies *policies,
						    const struct wattle_rule *rule)
{
	struct wattle_subject *subject = rule->subject;
	const struct wattle_rule_index *index = wattle_rules_locked(policies, subject->index);
	unsigned long address = (unsigned long)rule;
	u32 part = wattle_rule_part(index, rule->hash) + 1;
	struct wattle_rule __rcu **link = &subject->rules;
	struct wattle_rule *at;

	while (part--) {
		at = wattle_rules_locked(policies, index->first[part]);
		if (at && wattle_rule_before(at, rule->hash, address)) {
			link = &at->next;
			break;
		}
	}
	while ((at = wattle_rules_locked(policies, *link)) &&
	       wattle_rule_before(at, rule->hash, address))
		link = &at->next;
	return link;
}

/**
 * wattle_rules_insert() - insert a rule
 * @policies: table
 * @rule: its hash and subject are set
 *
 * Whoever reads by an older index may not find it: he reads at a generation before it
 * is born. The generation is read first.
 * Context: writer, after wattle_rules_make_room().
 */
void wattle_rules_insert(struct wattle_policies *policies, struct wattle_rule *rule)
{
	struct wattle_subject *subject = rule->subject;
	struct wattle_rule_index *index = wattle_rules_locked(policies, subject->index);
	struct wattle_rule __rcu **link = wattle_rules_link(policies, rule);
	struct wattle_rule __rcu **first = &index->first[wattle_rule_part(index, rule->hash)];
	const struct wattle_rule *front = wattle_rules_locked(policies, *first);

	RCU_INIT_POINTER(rule->next, wattle_rules_locked(policies, *link));
	rcu_assign_pointer(*link, rule);
	if (!front || wattle_rule_before(rule, front->hash, (unsigned long)front))
		rcu_assign_pointer(*first, rule);
	subject->linked++;
}

/* Of the rules of a part the first is to go. */
static void wattle_rule_index_forget(struct wattle_policies *policies,
				     struct wattle_rule_index *index,
				     const struct wattle_rule *rule)
{
	u32 part = wattle_rule_part(index, rule->hash);
	struct wattle_rule *next;

	if (wattle_rules_locked(policies, index->first[part]) != rule)
		return;
	next = wattle_rules_locked(policies, rule->next);
	if (next && wattle_rule_part(index, next->hash) != part)
		next = NULL;
	rcu_assign_pointer(index->first[part], next);
}

/**
 * wattle_rules_remove() - remove a rule
 * @policies: table
 * @rule: in the list; readers may stand on it until a grace period has passed
 *
 * There may be no memory for a smaller index, and the attempt may take long then: it is made at
 * powers of two only.
 * Context: writer.
 */
void wattle_rules_remove(struct wattle_policies *policies, struct wattle_rule *rule)
{
	struct wattle_subject *subject = rule->subject;
	struct wattle_rule_index *index = wattle_rules_locked(policies, subject->index);
	struct wattle_rule __rcu **link = wattle_rules_link(policies, rule);
	size_t bytes;

	wattle_rule_index_forget(policies, index, rule);
	rcu_assign_pointer(*link, wattle_rules_locked(policies, rule->next));
	subject->linked--;
	if (!is_power_of_2(subject->linked))
		return;
	/* Rounded up that is one part for a rule. */
	bytes = roundup_pow_of_two(struct_size(index, first, subject->linked / 2 + 1));
	if (bytes < struct_size(index, first, index->size))
		wattle_rule_index_replace(policies, subject, bytes);
}
