/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a rule has let pass and dropped. Who adds to it holds a reference, and the rule may go
 * meanwhile.
 */
#ifndef WATTLE_POLICY_COUNT_H
#define WATTLE_POLICY_COUNT_H

#include <linux/atomic.h>
#include <linux/refcount.h>
#include "policy.h"

/**
 * struct wattle_rule_count - counters of a rule
 * @link: hash of all of them
 * @rule: whose; NULL when that is gone, and who holds a reference finds nothing here
 * @packets: so many
 * @bytes: of them
 * @users: the table, and those who still have to add something
 * @rcu: frees it
 */
struct wattle_rule_count {
	struct rhash_head link;
	const struct wattle_rule *rule;
	atomic64_t packets;
	atomic64_t bytes;
	refcount_t users;
	struct rcu_head rcu;
};

struct wattle_rule_count *wattle_rule_count_get(struct wattle_policies *policies,
						const struct wattle_rule *rule);
void wattle_rule_count_hold(struct wattle_rule_count *count);
void wattle_rule_count_put(struct wattle_rule_count *count);
void wattle_rule_count_add(struct wattle_rule_count *count, u64 packets, u64 bytes);

/*
 * Are @count, which the caller holds, the counters of @rule, which is not freed? Not where they
 * are of another that was at the same address.
 */
static inline bool wattle_rule_count_is(const struct wattle_rule_count *count,
					const struct wattle_rule *rule)
{
	return READ_ONCE(count->rule) == rule;
}

#endif /* WATTLE_POLICY_COUNT_H */
