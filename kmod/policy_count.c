// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rules have let pass, and dropped. Most rules of most tables never match, so a rule has
 * counters from the first packet on that it decides, in a table beside the rules.
 */

#include "alloc.h"
#include "policy_count.h"
#include "policy_private.h"

static const struct rhashtable_params wattle_rule_count_params = {
	.head_offset = offsetof(struct wattle_rule_count, link),
	.key_offset = offsetof(struct wattle_rule_count, rule),
	.key_len = sizeof(struct wattle_rule *),
	.automatic_shrinking = true,
};

static struct wattle_rule_count *wattle_rule_count_find(struct wattle_policies *policies,
							const struct wattle_rule *rule)
{
	return rhashtable_lookup(&policies->counts, &rule, wattle_rule_count_params);
}

static struct wattle_rule_count *wattle_rule_count_make(struct wattle_policies *policies,
							const struct wattle_rule *rule)
{
	struct wattle_rule_count *count = kzalloc(sizeof(*count), GFP_ATOMIC | __GFP_NOWARN), *old;

	if (!count)
		return NULL;
	count->rule = rule;
	refcount_set(&count->users, 1);
	/* Another CPU may have been faster. */
	old = rhashtable_lookup_get_insert_fast(&policies->counts, &count->link,
						wattle_rule_count_params);
	if (!old)
		return count;
	kfree(count);
	return IS_ERR(old) ? NULL : old;
}

/**
 * wattle_rule_count_get() - the counters of a rule, made where there are none yet
 * @policies: table
 * @rule: whose
 *
 * Context: RCU reader that reads at a generation in which @rule is alive: so it is not freed
 * meanwhile, and its counters stay in the table.
 * Return: a reference, or NULL where there is no memory at the moment.
 */
struct wattle_rule_count *wattle_rule_count_get(struct wattle_policies *policies,
						const struct wattle_rule *rule)
{
	struct wattle_rule_count *count = wattle_rule_count_find(policies, rule);

	if (!count)
		count = wattle_rule_count_make(policies, rule);
	return count && refcount_inc_not_zero(&count->users) ? count : NULL;
}

/**
 * wattle_rule_count_hold() - one reference more
 * @count: counters that the caller holds already
 *
 * Context: any.
 */
void wattle_rule_count_hold(struct wattle_rule_count *count)
{
	refcount_inc(&count->users);
}

/**
 * wattle_rule_count_put() - let a reference go
 * @count: counters, or NULL
 *
 * Context: any.
 */
void wattle_rule_count_put(struct wattle_rule_count *count)
{
	if (count && refcount_dec_and_test(&count->users))
		kfree_rcu(count, rcu);
}

/**
 * wattle_rule_count_add() - count
 * @count: counters that the caller holds
 * @packets: so many more
 * @bytes: of them
 *
 * Context: any.
 */
void wattle_rule_count_add(struct wattle_rule_count *count, u64 packets, u64 bytes)
{
	if (!packets)
		return;
	atomic64_add(packets, &count->packets);
	atomic64_add(bytes, &count->bytes);
}

/**
 * wattle_rule_total() - what a rule has counted
 * @policies: table
 * @rule: the rule
 * @total: zeroes where it has decided nothing yet
 *
 * Context: RCU reader.
 */
void wattle_rule_total(struct wattle_policies *policies, const struct wattle_rule *rule,
		       struct wattle_rule_total *total)
{
	const struct wattle_rule_count *count = wattle_rule_count_find(policies, rule);

	total->packets = count ? atomic64_read(&count->packets) : 0;
	total->bytes = count ? atomic64_read(&count->bytes) : 0;
}

/* The rule is freed: nobody reads it any more, so nobody makes counters for it. */
void wattle_rule_count_forget(struct wattle_policies *policies, const struct wattle_rule *rule)
{
	struct wattle_rule_count *count;

	rcu_read_lock();
	count = wattle_rule_count_find(policies, rule);
	rcu_read_unlock();
	if (!count)
		return;
	rhashtable_remove_fast(&policies->counts, &count->link, wattle_rule_count_params);
	WRITE_ONCE(count->rule, NULL);
	wattle_rule_count_put(count);
}

int wattle_rule_counts_init(struct wattle_policies *policies)
{
	return rhashtable_init(&policies->counts, &wattle_rule_count_params);
}

static void wattle_rule_count_destroy(void *object, void *arg)
{
	wattle_rule_count_put(object);
}

void wattle_rule_counts_exit(struct wattle_policies *policies)
{
	rhashtable_free_and_destroy(&policies->counts, wattle_rule_count_destroy, NULL);
}
