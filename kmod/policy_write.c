// SPDX-License-Identifier: GPL-2.0-only
/* Policy, the writers' side: rules, the directions that they enforce, what they name. */

#include <linux/random.h>
#include "policy_private.h"
#include "alloc.h"

static struct wattle_cache wattle_rule_cache = WATTLE_CACHE(wattle_rule);

/* Sizes of bins are counted anew when as many rules have gone as there are. */
static void wattle_subject_count_bins(struct wattle_policies *policies,
				      struct wattle_subject *subject)
{
	u32 bins[ARRAY_SIZE(subject->bins)] = {};
	struct wattle_rule *rule;
	unsigned int i;

	for (rule = wattle_rules_first(policies, subject); rule;
	     rule = wattle_rules_next(policies, rule)) {
		bins[wattle_rule_kind(rule)] |= BIT(wattle_rule_bin(rule));
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(bins); i++)
		WRITE_ONCE(subject->bins[i], bins[i]);
	subject->unlinked = 0;
}

static void wattle_rule_unlink(void *table, void *object)
{
	struct wattle_policies *policies = table;
	struct wattle_rule *rule = object;
	struct wattle_subject *subject = rule->subject;

	wattle_rules_remove(policies, rule);
	policies->linked--;
	if (++subject->unlinked >= subject->linked)
		wattle_subject_count_bins(policies, subject);
}

static void wattle_rule_withdraw(void *table, void *object)
{
	struct wattle_policies *policies = table;
	struct wattle_rule *rule = object;

	rule->subject->alive--;
	policies->count--;
	wattle_rule_unlink(table, object);
}

static void wattle_rule_revive(void *table, void *object)
{
	struct wattle_policies *policies = table;
	struct wattle_rule *rule = object;

	wattle_packed_set(&rule->died_ports, WATTLE_PACKED_FOREVER);
	rule->subject->alive++;
	policies->count++;
}

static void wattle_rule_free(void *table, void *object)
{
	struct wattle_policies *policies = table;
	struct wattle_rule *rule = object;

	wattle_rule_count_forget(policies, rule);
	wattle_text_put(policies, rule->origin);
	wattle_peer_put(policies, rule->peer);
	wattle_cache_free(&wattle_rule_cache, rule);
}

static const struct wattle_kind_ops wattle_rule_ops = {
	.withdraw = wattle_rule_withdraw,
	.revive = wattle_rule_revive,
	.unlink = wattle_rule_unlink,
	.free = wattle_rule_free,
};

static void wattle_subject_unlink(void *table, void *object)
{
	struct wattle_policies *policies = table;
	struct wattle_subject *subject = object;

	rhltable_remove(&policies->subjects, &subject->link, wattle_subject_params);
	list_del(&subject->list);
}

static void wattle_subject_revive(void *table, void *object)
{
	struct wattle_subject *subject = object;

	WRITE_ONCE(subject->life.died, WATTLE_FOREVER);
}

static void wattle_subject_free(void *table, void *object)
{
	wattle_rules_exit(object);
	kfree(object);
}

static const struct wattle_kind_ops wattle_subject_ops = {
	.withdraw = wattle_subject_unlink,
	.revive = wattle_subject_revive,
	.unlink = wattle_subject_unlink,
	.free = wattle_subject_free,
};

/**
 * wattle_policies_init() - make an empty table
 * @policies: the table
 * @log: logs its changes
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_policies_init(struct wattle_policies *policies, struct wattle_log *log)
{
	int err;

	err = wattle_cache_get(&wattle_rule_cache);
	if (err)
		return err;
	err = rhltable_init(&policies->subjects, &wattle_subject_params);
	if (err)
		goto err_cache;
	err = wattle_rule_counts_init(policies);
	if (err)
		goto err_subjects;
	err = wattle_policy_names_init(policies, log);
	if (err)
		goto err_counts;
	INIT_LIST_HEAD(&policies->all_subjects);
	policies->lock = log->lock;
	policies->seed = get_random_u32();
	policies->count = 0;
	policies->linked = 0;
	wattle_log_kind(log, WATTLE_KIND_SUBJECT, &wattle_subject_ops, policies);
	wattle_log_kind(log, WATTLE_KIND_RULE, &wattle_rule_ops, policies);
	return 0;

err_counts:
	wattle_rule_counts_exit(policies);
err_subjects:
	rhltable_destroy(&policies->subjects);
err_cache:
	wattle_cache_put(&wattle_rule_cache);
	return err;
}

static void wattle_subject_destroy(void *object, void *arg)
{
	struct wattle_subject *subject = object;
	struct wattle_rule *rule, *next;

	for (rule = rcu_dereference_protected(subject->rules, true); rule; rule = next) {
		next = rcu_dereference_protected(rule->next, true);
		wattle_cache_free(&wattle_rule_cache, rule);
		cond_resched();
	}
	wattle_subject_free(arg, subject);
}

/**
 * wattle_policies_exit() - free a table that nobody reads any more
 * @policies: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_policies_exit(struct wattle_policies *policies)
{
	rhltable_free_and_destroy(&policies->subjects, wattle_subject_destroy, policies);
	wattle_rule_counts_exit(policies);
	wattle_policy_names_exit(policies);
	wattle_cache_put(&wattle_rule_cache);
}

static bool wattle_rule_proto_has_ports(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return true;
	default:
		return false;
	}
}

static int wattle_rule_check_peer(const struct wattle_rule_spec *spec,
				  struct wattle_refusal *why)
{
	switch (spec->peer_kind) {
	case WATTLE_PEER_KIND_ANY:
		return 0;
	case WATTLE_PEER_KIND_IDENTITY:
		if (spec->peer_id && spec->peer_id < WATTLE_ID_LOCAL_MIN)
			return 0;
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PEER,
				     "an identity is a number from 1 to 16777215");
	case WATTLE_PEER_KIND_PREFIX:
		return wattle_prefix_check(&spec->peer, WATTLE_FIELD_PEER, 0, why);
	}
	return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PEER, "unknown kind of peer");
}

static int wattle_rule_check(const struct wattle_rule_spec *spec, struct wattle_refusal *why)
{
	bool any_port = !spec->port_min && spec->port_max == U16_MAX;

	if (!spec->subject || spec->subject >= WATTLE_ID_LOCAL_MIN)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ID,
				     "an identity is a number from 1 to 16777215");
	if (spec->direction > WATTLE_DIRECTION_EGRESS)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NONE, "unknown direction");
	if (spec->action > WATTLE_ACTION_ALLOW)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ACTION, "unknown action");
	if (spec->port_min > spec->port_max)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PORT,
				     "range of ports ends before it begins");
	if (!any_port && spec->any_proto)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PORT,
				     "ports need a protocol");
	if (!any_port && !wattle_rule_proto_has_ports(spec->proto))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PORT,
				     "this protocol has no ports");
	return wattle_rule_check_peer(spec, why);
}

/* Number of the peer, with a reference to it where it is a prefix. */
static int wattle_rule_peer_get(struct wattle_policies *policies,
				const struct wattle_rule_spec *spec, u32 *peer)
{
	*peer = 0;
	if (spec->peer_kind == WATTLE_PEER_KIND_IDENTITY)
		*peer = spec->peer_id;
	else if (spec->peer_kind == WATTLE_PEER_KIND_PREFIX)
		return wattle_peer_get(policies, &spec->peer, peer);
	return 0;
}

/* Same without a reference; false: nobody names that prefix. */
static bool wattle_rule_peer_find(struct wattle_policies *policies,
				  const struct wattle_rule_spec *spec, u32 *peer)
{
	*peer = 0;
	if (spec->peer_kind == WATTLE_PEER_KIND_IDENTITY)
		*peer = spec->peer_id;
	else if (spec->peer_kind == WATTLE_PEER_KIND_PREFIX)
		return wattle_peer_find(policies, &spec->peer, peer);
	return true;
}

static bool wattle_rule_equal(const struct wattle_rule *rule,
			      const struct wattle_rule_spec *spec, u32 peer)
{
	return rule->peer == peer && rule->any_proto == spec->any_proto &&
	       (spec->any_proto || rule->proto == spec->proto) &&
	       rule->outside == spec->outside &&
	       rule->allow == (spec->action == WATTLE_ACTION_ALLOW) &&
	       wattle_rule_priority(rule) == spec->priority &&
	       wattle_rule_port_min(rule) == spec->port_min &&
	       wattle_rule_port_max(rule) == spec->port_max;
}

/* The rule that says just that, as the writer sees it. */
static struct wattle_rule *wattle_rule_find(struct wattle_policies *policies,
					    const struct wattle_rule_spec *spec, u64 gen)
{
	const struct wattle_subject *subject;
	struct wattle_rule *rule = NULL;
	struct wattle_slot slot;
	u32 peer;

	if (!wattle_rule_peer_find(policies, spec, &peer))
		return NULL;
	wattle_slot_set(&slot, peer, spec->proto, spec->port_min,
			spec->any_proto ? WATTLE_BIN_ALL :
			wattle_bin_size(spec->port_min, spec->port_max));
	rcu_read_lock();
	subject = wattle_subject_lookup(policies, spec->subject, spec->direction, gen);
	if (subject)
		rule = wattle_rules_first_of(rcu_dereference(subject->index),
					     wattle_slot_hash(&slot, policies->seed));
	while (rule && !(wattle_rule_alive(rule, gen) && wattle_rule_equal(rule, spec, peer)))
		rule = wattle_rules_next_of(rule);
	rcu_read_unlock();
	return rule;
}

/* The subject at the next generation, which begins to be enforced where it was not. */
static struct wattle_subject *wattle_subject_get(struct wattle_policies *policies,
						 struct wattle_log *log,
						 const struct wattle_rule_spec *spec)
{
	struct wattle_subject *subject;

	rcu_read_lock();
	subject = wattle_subject_lookup(policies, spec->subject, spec->direction, log->next);
	rcu_read_unlock();
	if (subject)
		return subject;
	subject = wattle_alloc(sizeof(*subject));
	if (!subject)
		return NULL;
	subject->life.born = log->next;
	subject->life.died = WATTLE_FOREVER;
	subject->key = wattle_subject_key(spec->subject, spec->direction);
	if (wattle_rules_init(subject))
		goto err_free;
	if (wattle_hash_insert(rhltable_insert(&policies->subjects, &subject->link,
					       wattle_subject_params)))
		goto err_rules;
	list_add_tail(&subject->list, &policies->all_subjects);
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_SUBJECT, subject);
	return subject;

err_rules:
	wattle_rules_exit(subject);
err_free:
	kfree(subject);
	return NULL;
}

static void wattle_rule_bury(struct wattle_policies *policies, struct wattle_log *log,
			     struct wattle_rule *rule)
{
	struct wattle_subject *subject = rule->subject;

	wattle_packed_set(&rule->died_ports, log->next);
	policies->count--;
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_RULE, rule);
	if (--subject->alive)
		return;
	WRITE_ONCE(subject->life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_SUBJECT, subject);
}

/* The bins are told before the rule is visible to anybody. */
static int wattle_rule_link(struct wattle_policies *policies, struct wattle_log *log,
			    struct wattle_rule *rule)
{
	struct wattle_subject *subject = rule->subject;
	u32 *bins = &subject->bins[wattle_rule_kind(rule)];
	unsigned int bin = wattle_rule_bin(rule);
	struct wattle_slot slot;
	int err;

	err = wattle_rules_make_room(policies, subject);
	if (err)
		return err;
	wattle_slot_set(&slot, rule->peer, rule->proto, wattle_rule_port_min(rule), bin);
	rule->hash = wattle_slot_hash(&slot, policies->seed);
	WRITE_ONCE(*bins, *bins | BIT(bin));
	wattle_rules_insert(policies, rule);
	subject->alive++;
	policies->linked++;
	policies->count++;
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_RULE, rule);
	return 0;
}

static int wattle_rule_create(struct wattle_policies *policies, struct wattle_log *log,
			      const struct wattle_rule_spec *spec, const char *origin,
			      struct wattle_rule **out)
{
	struct wattle_rule *rule;
	u32 peer, text;
	int err;

	rule = wattle_cache_alloc(&wattle_rule_cache);
	if (!rule)
		return -ENOMEM;
	err = wattle_rule_peer_get(policies, spec, &peer);
	if (err)
		goto err_free;
	err = wattle_text_get(policies, origin, &text);
	if (err)
		goto err_peer;
	rule->born_ports = wattle_pack(log->next, spec->port_min << 8 | spec->priority >> 8);
	rule->died_ports = wattle_pack(WATTLE_PACKED_FOREVER,
				       spec->port_max << 8 | (spec->priority & 0xff));
	rule->peer = peer;
	rule->origin = text;
	rule->any_proto = spec->any_proto;
	rule->proto = spec->any_proto ? 0 : spec->proto;
	rule->allow = spec->action == WATTLE_ACTION_ALLOW;
	rule->outside = spec->outside;
	*out = rule;
	return 0;

err_peer:
	wattle_peer_put(policies, peer);
err_free:
	wattle_cache_free(&wattle_rule_cache, rule);
	return err;
}

static int wattle_rule_stage(struct wattle_policies *policies, struct wattle_log *log,
			     const struct wattle_rule_spec *spec, const char *origin)
{
	struct wattle_rule *rule;
	int err;

	err = wattle_rule_create(policies, log, spec, origin, &rule);
	if (err)
		return err;
	rule->subject = wattle_subject_get(policies, log, spec);
	err = rule->subject ? wattle_rule_link(policies, log, rule) : -ENOMEM;
	if (err)
		wattle_rule_free(policies, rule);
	return err;
}

/**
 * wattle_rule_add() - stage a rule
 * @policies: table
 * @log: the change
 * @spec: the rule
 * @origin: where it is from, "" for none
 * @replace: an equal rule gets this origin
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_rule_add(struct wattle_policies *policies, struct wattle_log *log,
		    const struct wattle_rule_spec *spec, const char *origin, bool replace,
		    struct wattle_refusal *why)
{
	struct wattle_rule *old;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_rule_check(spec, why);
	if (err)
		return err;
	old = wattle_rule_find(policies, spec, log->next);
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_NONE, "this rule exists already");
	if (policies->linked == UINT_MAX)
		return wattle_refuse(why, -ENOSPC, WATTLE_FIELD_NONE, "no room for more rules");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	err = wattle_rule_stage(policies, log, spec, origin);
	if (err == -ENOSPC)
		return wattle_refuse(why, err, WATTLE_FIELD_NONE, "no room for more rules");
	if (err)
		return wattle_refuse_nomem(why);
	if (old)
		wattle_rule_bury(policies, log, old);
	return 0;
}

/**
 * wattle_rule_del() - stage the end of a rule
 * @policies: table
 * @log: the change
 * @spec: the rule
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_rule_del(struct wattle_policies *policies, struct wattle_log *log,
		    const struct wattle_rule_spec *spec, struct wattle_refusal *why)
{
	struct wattle_rule *rule;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_rule_check(spec, why);
	if (err)
		return err;
	rule = wattle_rule_find(policies, spec, log->next);
	if (!rule)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_NONE, "there is no such rule");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	wattle_rule_bury(policies, log, rule);
	return 0;
}

static int wattle_subject_flush(struct wattle_policies *policies, struct wattle_log *log,
				struct wattle_subject *subject)
{
	struct wattle_rule *rule;

	for (rule = wattle_rules_first(policies, subject); rule;
	     rule = wattle_rules_next(policies, rule)) {
		if (!wattle_rule_alive(rule, log->next))
			continue;
		if (wattle_log_reserve(log))
			return -ENOMEM;
		wattle_rule_bury(policies, log, rule);
		cond_resched();
	}
	return 0;
}

/**
 * wattle_rule_flush() - stage the end of all rules, or of those of a subject
 * @policies: table
 * @log: the change
 * @subject: which, or 0: all
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_rule_flush(struct wattle_policies *policies, struct wattle_log *log, u32 subject,
		      struct wattle_refusal *why)
{
	struct wattle_subject *at;
	unsigned int direction;

	lockdep_assert_held(log->lock);

	if (!subject) {
		list_for_each_entry(at, &policies->all_subjects, list) {
			if (wattle_subject_flush(policies, log, at))
				return wattle_refuse_nomem(why);
		}
		return 0;
	}
	for (direction = 0; direction <= WATTLE_DIRECTION_EGRESS; direction++) {
		rcu_read_lock();
		at = wattle_subject_lookup(policies, subject, direction, log->next);
		rcu_read_unlock();
		if (at && wattle_subject_flush(policies, log, at))
			return wattle_refuse_nomem(why);
	}
	return 0;
}
