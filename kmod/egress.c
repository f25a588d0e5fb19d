// SPDX-License-Identifier: GPL-2.0-only
/* Egress: how pods' packets leave the cluster. */

#include "egress.h"
#include "alloc.h"

static const struct rhashtable_params wattle_egress_source_params = {
	.head_offset = offsetof(struct wattle_egress_source, link),
	.key_offset = offsetof(struct wattle_egress_source, from),
	.key_len = sizeof(struct wattle_egress_from),
	.automatic_shrinking = true,
};

static const struct rhashtable_params wattle_egress_rule_params = {
	.head_offset = offsetof(struct wattle_egress_rule, link),
	.key_offset = offsetof(struct wattle_egress_rule, serial),
	.key_len = sizeof(u64),
	.automatic_shrinking = true,
};

static struct wattle_egress_rule *wattle_egress_rule_of(struct wattle_lpm_entry *entry)
{
	return entry ? container_of(entry, struct wattle_egress_rule, entry) : NULL;
}

/* What the rules for those very pods say about @to, or NULL where others are asked. */
static const struct wattle_egress_rule *wattle_egress_ask(struct wattle_egress *egress,
							  const struct wattle_egress_from *from,
							  const struct in6_addr *to, u64 gen)
{
	struct wattle_egress_source *source;
	struct wattle_egress_rule *rule;

	source = rhashtable_lookup(&egress->sources, from, wattle_egress_source_params);
	if (!source)
		return NULL;
	rule = wattle_egress_rule_of(wattle_lpm_lookup(&source->rules, to, gen));
	return rule && rule->spec.action != WATTLE_EGRESS_ACTION_SKIP ? rule : NULL;
}

/**
 * wattle_egress_lookup() - how do packets leave the cluster?
 * @egress: table
 * @from: address of the pod, and its identity
 * @to: destination
 * @gen: generation to read at
 *
 * Context: RCU reader.
 * Return: the rule, or NULL where none says anything.
 */
const struct wattle_egress_rule *wattle_egress_lookup(struct wattle_egress *egress,
						      const struct wattle_egress_from *from,
						      const struct in6_addr *to, u64 gen)
{
	const struct wattle_egress_from by_addr = { .addr = from->addr };
	const struct wattle_egress_from by_id = { .id = from->id };
	const struct wattle_egress_from any = {};

	return wattle_egress_ask(egress, &by_addr, to, gen) ?:
	       wattle_egress_ask(egress, &by_id, to, gen) ?:
	       wattle_egress_ask(egress, &any, to, gen);
}

static struct wattle_egress_source *wattle_egress_source_find(struct wattle_egress *egress,
							      const struct wattle_egress_from *from)
{
	return rhashtable_lookup_fast(&egress->sources, from, wattle_egress_source_params);
}

static struct wattle_egress_source *wattle_egress_source_get(struct wattle_egress *egress,
							     struct wattle_log *log,
							     const struct wattle_egress_from *from)
{
	struct wattle_egress_source *source = wattle_egress_source_find(egress, from);

	if (source) {
		source->users++;
		return source;
	}
	source = wattle_alloc(sizeof(*source));
	if (!source)
		return NULL;
	source->from = *from;
	source->users = 1;
	wattle_lpm_init(&source->rules, log->lock);
	if (wattle_hash_insert(rhashtable_insert_fast(&egress->sources, &source->link,
						      wattle_egress_source_params))) {
		kfree(source);
		return NULL;
	}
	return source;
}

/* Its trie is empty when the last rule has gone. */
static void wattle_egress_source_put(struct wattle_egress *egress,
				     struct wattle_egress_source *source)
{
	if (--source->users)
		return;
	rhashtable_remove_fast(&egress->sources, &source->link, wattle_egress_source_params);
	kfree_rcu(source, rcu);
}

static void wattle_egress_unlink(void *table, void *object)
{
	struct wattle_egress *egress = table;
	struct wattle_egress_rule *rule = object;

	rhashtable_remove_fast(&egress->rules, &rule->link, wattle_egress_rule_params);
	wattle_lpm_remove(&rule->source->rules, &rule->spec.to, &rule->entry);
	WRITE_ONCE(egress->count, egress->count - 1);
}

static void wattle_egress_revive(void *table, void *object)
{
	struct wattle_egress_rule *rule = object;

	WRITE_ONCE(rule->entry.life.died, WATTLE_FOREVER);
}

static void wattle_egress_free(void *table, void *object)
{
	struct wattle_egress_rule *rule = object;

	wattle_egress_source_put(table, rule->source);
	kfree(rule);
}

static const struct wattle_kind_ops wattle_egress_ops = {
	.withdraw = wattle_egress_unlink,
	.revive = wattle_egress_revive,
	.unlink = wattle_egress_unlink,
	.free = wattle_egress_free,
};

/**
 * wattle_egress_init() - make an empty table
 * @egress: the table
 * @log: logs its changes
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_egress_init(struct wattle_egress *egress, struct wattle_log *log)
{
	int err;

	err = rhashtable_init(&egress->sources, &wattle_egress_source_params);
	if (err)
		return err;
	err = rhashtable_init(&egress->rules, &wattle_egress_rule_params);
	if (err) {
		rhashtable_destroy(&egress->sources);
		return err;
	}
	egress->next_serial = 1;
	egress->count = 0;
	wattle_log_kind(log, WATTLE_KIND_EGRESS, &wattle_egress_ops, egress);
	return 0;
}

static void wattle_egress_rule_destroy(struct wattle_lpm_entry *entry)
{
	kfree(wattle_egress_rule_of(entry));
}

static void wattle_egress_source_destroy(void *object, void *arg)
{
	struct wattle_egress_source *source = object;

	wattle_lpm_exit(&source->rules, wattle_egress_rule_destroy);
	kfree(source);
}

/**
 * wattle_egress_exit() - free a table that nobody reads any more
 * @egress: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_egress_exit(struct wattle_egress *egress)
{
	rhashtable_destroy(&egress->rules);
	rhashtable_free_and_destroy(&egress->sources, wattle_egress_source_destroy, NULL);
}

static bool wattle_egress_is_kin(const struct in6_addr *addr, const struct wattle_prefix *to)
{
	return wattle_addr_is_v4(addr) == wattle_addr_is_v4(&to->addr);
}

static int wattle_egress_check_key(const struct wattle_egress_from *from,
				   const struct wattle_prefix *to, struct wattle_refusal *why)
{
	int err;

	err = wattle_prefix_check(to, WATTLE_FIELD_CIDR, 0, why);
	if (err || ipv6_addr_any(&from->addr))
		return err;
	if (from->id)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_SOURCE,
				     "a rule is for an address or for an identity, not both");
	if (!wattle_addr_is_host(&from->addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_SOURCE,
				     "this cannot be the address of a pod");
	if (!wattle_egress_is_kin(&from->addr, to))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_SOURCE,
				     "source and destination are of different families");
	return 0;
}

/* The address that goes with the action. */
static int wattle_egress_check_addr(const struct wattle_egress_spec *spec,
				    struct wattle_refusal *why)
{
	bool via = spec->action == WATTLE_EGRESS_ACTION_VIA;
	enum wattle_field field = via ? WATTLE_FIELD_VIA : WATTLE_FIELD_ADDR;

	if (ipv6_addr_any(&spec->addr))
		return via ? wattle_refuse(why, -EINVAL, field,
					   "the tunnel end point of the gateway is missing") : 0;
	if (spec->action == WATTLE_EGRESS_ACTION_KEEP || spec->action == WATTLE_EGRESS_ACTION_SKIP)
		return wattle_refuse(why, -EINVAL, field,
				     "only what is masqueraded takes another address");
	if (!wattle_addr_is_host(&spec->addr))
		return wattle_refuse(why, -EINVAL, field, "this cannot be the address of a node");
	if (!via && !wattle_egress_is_kin(&spec->addr, &spec->to))
		return wattle_refuse(why, -EINVAL, field,
				     "the address to take is of another family than the destination");
	return 0;
}

static int wattle_egress_check(const struct wattle_egress_spec *spec, struct wattle_refusal *why)
{
	int err;

	err = wattle_egress_check_key(&spec->from, &spec->to, why);
	if (err)
		return err;
	if (spec->action > WATTLE_EGRESS_ACTION_VIA)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ACTION,
				     "there is no such action");
	if (spec->action == WATTLE_EGRESS_ACTION_SKIP && !spec->from.id &&
	    ipv6_addr_any(&spec->from.addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ACTION,
				     "what is for any pod has no other rules to skip to");
	return wattle_egress_check_addr(spec, why);
}

static struct wattle_egress_rule *wattle_egress_find(struct wattle_egress *egress,
						     const struct wattle_egress_from *from,
						     const struct wattle_prefix *to, u64 gen)
{
	struct wattle_egress_source *source = wattle_egress_source_find(egress, from);

	return source ? wattle_egress_rule_of(wattle_lpm_find(&source->rules, to, gen)) : NULL;
}

static struct wattle_egress_rule *wattle_egress_create(struct wattle_egress *egress,
						       struct wattle_log *log,
						       const struct wattle_egress_spec *spec)
{
	struct wattle_egress_rule *rule = wattle_alloc(sizeof(*rule));

	if (!rule)
		return NULL;
	rule->entry.life.born = log->next;
	rule->entry.life.died = WATTLE_FOREVER;
	rule->serial = egress->next_serial++;
	rule->spec = *spec;
	rule->source = wattle_egress_source_get(egress, log, &spec->from);
	if (!rule->source) {
		kfree(rule);
		return NULL;
	}
	return rule;
}

static int wattle_egress_link(struct wattle_egress *egress, struct wattle_egress_rule *rule)
{
	int err;

	err = wattle_hash_insert(rhashtable_insert_fast(&egress->rules, &rule->link,
							wattle_egress_rule_params));
	if (err)
		return err;
	err = wattle_lpm_insert(&rule->source->rules, &rule->spec.to, &rule->entry);
	if (err) {
		rhashtable_remove_fast(&egress->rules, &rule->link, wattle_egress_rule_params);
		return err;
	}
	WRITE_ONCE(egress->count, egress->count + 1);
	return 0;
}

static void wattle_egress_bury(struct wattle_log *log, struct wattle_egress_rule *rule)
{
	WRITE_ONCE(rule->entry.life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_EGRESS, rule);
}

/**
 * wattle_egress_add() - stage a rule
 * @egress: table
 * @log: the change
 * @spec: pods, destination, what becomes of the packets
 * @replace: take the place of what is there
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_egress_add(struct wattle_egress *egress, struct wattle_log *log,
		      const struct wattle_egress_spec *spec, bool replace,
		      struct wattle_refusal *why)
{
	struct wattle_egress_rule *old, *rule;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_egress_check(spec, why);
	if (err)
		return err;
	old = wattle_egress_find(egress, &spec->from, &spec->to, log->next);
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_CIDR,
				     "there is a rule for these pods and that prefix already");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	rule = wattle_egress_create(egress, log, spec);
	if (!rule)
		return wattle_refuse_nomem(why);
	if (wattle_egress_link(egress, rule)) {
		/* Dumps may be walking past. */
		wattle_log_push(log, WATTLE_OP_FREE, WATTLE_KIND_EGRESS, rule);
		return wattle_refuse_nomem(why);
	}
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_EGRESS, rule);
	if (old)
		wattle_egress_bury(log, old);
	return 0;
}

/**
 * wattle_egress_del() - stage the end of a rule
 * @egress: table
 * @log: the change
 * @from: its pods
 * @to: that very prefix
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_egress_del(struct wattle_egress *egress, struct wattle_log *log,
		      const struct wattle_egress_from *from, const struct wattle_prefix *to,
		      struct wattle_refusal *why)
{
	struct wattle_egress_rule *rule;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_egress_check_key(from, to, why);
	if (err)
		return err;
	rule = wattle_egress_find(egress, from, to, log->next);
	if (!rule)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_CIDR,
				     "there is no rule for these pods and that prefix");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	wattle_egress_bury(log, rule);
	return 0;
}
