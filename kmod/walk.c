// SPDX-License-Identifier: GPL-2.0-only
/* Dumps: walks over the tables that take many calls, in small RCU read sections. */

#include "config.h"
#include "alloc.h"
#include "policy_hash.h"

/* Entries in an RCU read section: a dump does not hold up grace periods. */
#define WATTLE_WALK_BURST	256

/**
 * struct wattle_walk - a walk over one table
 * @config: tables
 * @gen: generation at the beginning
 * @torn: the table changed meanwhile
 * @entered: @iter is to be left
 * @again: the entry that @iter is at was refused, and comes again
 * @left: entries that this RCU read section has room for
 * @hash_done: @iter is at the end
 * @begun: the trie was walked up to and with @last
 * @iter: place in a hash
 * @rules: place among the rules of the subject that @iter is at
 * @last: place in a trie
 * @serial: place in the list of ports: the last that was visited
 */
struct wattle_walk {
	struct wattle_config *config;
	u64 gen;
	bool torn;
	bool entered;
	bool again;
	bool hash_done;
	bool begun;
	unsigned int left;
	struct rhashtable_iter iter;
	struct wattle_rule_place rules;
	struct wattle_prefix last;
	u32 serial;
};

/* Shows an object to the visitor in @arg where it is alive at @gen; returns what he said. */
typedef int (*wattle_walk_show)(struct wattle_walk *walk, void *object, u64 gen, void *arg);

struct wattle_walk *wattle_walk_begin(struct wattle_config *config)
{
	struct wattle_walk *walk = wattle_alloc(sizeof(*walk));

	if (!walk)
		return NULL;
	walk->config = config;
	walk->gen = wattle_generation(config);
	return walk;
}

void wattle_walk_end(struct wattle_walk *walk)
{
	if (!walk)
		return;
	if (walk->entered)
		rhashtable_walk_exit(&walk->iter);
	kfree(walk);
}

bool wattle_walk_torn(const struct wattle_walk *walk)
{
	return walk->torn;
}

u64 wattle_walk_gen(struct wattle_walk *walk)
{
	u64 gen = wattle_generation(walk->config);

	if (gen != walk->gen)
		walk->torn = true;
	return gen;
}

/* A table that was resized is begun anew; an entry that is gone has taken the place with it. */
static void wattle_walk_resume(struct wattle_walk *walk)
	__acquires(RCU)
{
	bool somewhere = walk->iter.p;

	if (rhashtable_walk_start_check(&walk->iter))
		walk->iter.p = NULL;	/* kernels leave it, though it may have been freed */
	else if (!somewhere || walk->iter.p)
		return;
	walk->torn = true;
	walk->again = false;
	walk->rules = (struct wattle_rule_place){};
}

static int wattle_walk_burst(struct wattle_walk *walk, wattle_walk_show show, void *arg)
{
	void *object;
	int err = 0;
	u64 gen;

	wattle_walk_resume(walk);
	gen = wattle_walk_gen(walk);
	walk->left = WATTLE_WALK_BURST;
	while (!err && walk->left) {
		walk->left--;
		object = walk->again ? rhashtable_walk_peek(&walk->iter) :
				       rhashtable_walk_next(&walk->iter);
		walk->again = false;
		if (!object) {
			walk->hash_done = true;
			break;
		}
		if (IS_ERR(object)) {		/* the rest is in the table that it grows into */
			walk->torn = true;
			continue;
		}
		err = show(walk, object, gen, arg);
		walk->again |= err;
	}
	rhashtable_walk_stop(&walk->iter);
	return err;
}

static int wattle_walk_hash(struct wattle_walk *walk, struct rhashtable *ht,
			    wattle_walk_show show, void *arg)
{
	int err = 0;

	if (!walk->entered) {
		rhashtable_walk_enter(ht, &walk->iter);
		walk->entered = true;
	}
	while (!err && !walk->hash_done) {
		err = wattle_walk_burst(walk, show, arg);
		cond_resched();
	}
	return err;
}

struct wattle_walk_nodes_arg {
	int (*visit)(const struct wattle_node *node, void *arg);
	void *arg;
};

static int wattle_walk_show_node(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_walk_nodes_arg *to = arg;
	const struct wattle_node *node = object;

	return wattle_alive(&node->life, gen) ? to->visit(node, to->arg) : 0;
}

int wattle_walk_nodes(struct wattle_walk *walk,
		      int (*visit)(const struct wattle_node *node, void *arg), void *arg)
{
	struct wattle_walk_nodes_arg to = { .visit = visit, .arg = arg };

	return wattle_walk_hash(walk, &walk->config->nodes.by_name.ht, wattle_walk_show_node,
				&to);
}

struct wattle_walk_identities_arg {
	int (*visit)(const struct wattle_identity_spec *spec, void *arg);
	void *arg;
};

static int wattle_walk_show_host(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_walk_identities_arg *to = arg;
	const struct wattle_identity_host *host = object;
	struct wattle_identity_spec spec;

	if (!wattle_packed_alive(&host->born_id, &host->died_via, gen))
		return 0;
	wattle_identity_host_describe(&walk->config->identities, host, &spec);
	return to->visit(&spec, to->arg);
}

/* One RCU read section of prefixes; *@done at the last. */
static int wattle_walk_prefixes(struct wattle_walk *walk, const struct wattle_lpm *lpm,
				wattle_walk_show show, void *arg, bool *done)
{
	unsigned int left = WATTLE_WALK_BURST;
	struct wattle_lpm_entry *entry;
	struct wattle_prefix prefix;
	int err = 0;
	u64 gen;

	rcu_read_lock();
	gen = wattle_walk_gen(walk);
	while (left--) {
		entry = wattle_lpm_next(lpm, walk->begun ? &walk->last : NULL, gen, &prefix);
		*done = !entry;
		if (!entry)
			break;
		err = show(walk, entry, gen, arg);
		if (err)
			break;
		walk->last = prefix;
		walk->begun = true;
	}
	rcu_read_unlock();
	return err;
}

static int wattle_walk_lpm(struct wattle_walk *walk, const struct wattle_lpm *lpm,
			   wattle_walk_show show, void *arg)
{
	bool done = false;
	int err = 0;

	while (!err && !done) {
		err = wattle_walk_prefixes(walk, lpm, show, arg, &done);
		cond_resched();
	}
	return err;
}

static int wattle_walk_show_net(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_identity_net *net = container_of(object, struct wattle_identity_net,
							     entry);
	const struct wattle_walk_identities_arg *to = arg;
	struct wattle_identity_spec spec;

	wattle_identity_net_describe(&walk->config->identities, net, &spec);
	return to->visit(&spec, to->arg);
}

int wattle_walk_identities(struct wattle_walk *walk,
			   int (*visit)(const struct wattle_identity_spec *spec, void *arg),
			   void *arg)
{
	struct wattle_walk_identities_arg to = { .visit = visit, .arg = arg };
	struct wattle_identities *ids = &walk->config->identities;

	return wattle_walk_hash(walk, &ids->hosts, wattle_walk_show_host, &to) ?:
	       wattle_walk_lpm(walk, &ids->nets, wattle_walk_show_net, &to);
}

/* Ports are few, and in order of their serial numbers. */
int wattle_walk_endpoints(struct wattle_walk *walk,
			  int (*visit)(const struct wattle_endpoint *ep, void *arg), void *arg)
{
	struct wattle_endpoints *eps = &walk->config->endpoints;
	const struct wattle_endpoint *ep;
	struct wattle_port *port;
	int err = 0;

	mutex_lock(&eps->lock);
	list_for_each_entry(port, &eps->ports, list) {
		if (port->serial <= walk->serial)
			continue;
		rcu_read_lock();
		ep = wattle_endpoint_on_port(port, wattle_walk_gen(walk));
		err = ep ? visit(ep, arg) : 0;
		rcu_read_unlock();
		if (err)
			break;
		walk->serial = port->serial;
	}
	mutex_unlock(&eps->lock);
	return err;
}

struct wattle_walk_rules_arg {
	int (*visit)(const struct wattle_rule_spec *spec, const char *origin,
		     const struct wattle_rule_total *total, void *arg);
	void *arg;
	u32 subject;
};

static int wattle_walk_show_rule(struct wattle_walk *walk, const struct wattle_rule *rule, u64 gen,
				 const struct wattle_walk_rules_arg *to)
{
	struct wattle_rule_total total;
	struct wattle_rule_spec spec;
	const char *origin;

	if (!wattle_rule_alive(rule, gen))
		return 0;
	wattle_rule_describe(&walk->config->policies, rule, &spec, &origin);
	wattle_rule_total(&walk->config->policies, rule, &total);
	return to->visit(&spec, origin, &total, to->arg);
}

/* A subject may have more rules than there is room for: it comes again then. */
static int wattle_walk_show_subject(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_walk_rules_arg *to = arg;
	const struct wattle_subject *subject = object;
	const struct wattle_rule *rule;
	int err;

	if (to->subject && subject->key >> 1 != to->subject)
		return 0;
	rule = wattle_rules_behind(subject, &walk->rules);
	for (; rule; rule = rcu_dereference(rule->next)) {
		walk->again = !walk->left;
		if (walk->again)
			return 0;
		walk->left--;
		err = wattle_walk_show_rule(walk, rule, gen, to);
		if (err)
			return err;
		wattle_rule_place_set(&walk->rules, rule);
	}
	walk->rules = (struct wattle_rule_place){};
	return 0;
}

int wattle_walk_rules(struct wattle_walk *walk, u32 subject,
		      int (*visit)(const struct wattle_rule_spec *spec, const char *origin,
				   const struct wattle_rule_total *total, void *arg), void *arg)
{
	struct wattle_walk_rules_arg to = { .visit = visit, .arg = arg, .subject = subject };

	return wattle_walk_hash(walk, &walk->config->policies.subjects.ht,
				wattle_walk_show_subject, &to);
}

struct wattle_walk_services_arg {
	int (*visit)(const struct wattle_service *service, void *arg);
	void *arg;
};

static int wattle_walk_show_service(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_walk_services_arg *to = arg;
	const struct wattle_service *service = object;

	return wattle_alive(&service->life, gen) ? to->visit(service, to->arg) : 0;
}

int wattle_walk_services(struct wattle_walk *walk,
			 int (*visit)(const struct wattle_service *service, void *arg), void *arg)
{
	struct wattle_walk_services_arg to = { .visit = visit, .arg = arg };

	return wattle_walk_hash(walk, &walk->config->services.by_frontend.ht,
				wattle_walk_show_service, &to);
}

struct wattle_walk_egress_arg {
	int (*visit)(const struct wattle_egress_spec *spec, void *arg);
	void *arg;
};

static int wattle_walk_show_egress(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_walk_egress_arg *to = arg;
	const struct wattle_egress_rule *rule = object;

	return wattle_alive(&rule->entry.life, gen) ? to->visit(&rule->spec, to->arg) : 0;
}

int wattle_walk_egress(struct wattle_walk *walk,
		       int (*visit)(const struct wattle_egress_spec *spec, void *arg), void *arg)
{
	struct wattle_walk_egress_arg to = { .visit = visit, .arg = arg };

	return wattle_walk_hash(walk, &walk->config->egress.rules, wattle_walk_show_egress, &to);
}

struct wattle_walk_ranges_arg {
	int (*visit)(const struct wattle_prefix *prefix, void *arg);
	void *arg;
};

static int wattle_walk_show_range(struct wattle_walk *walk, void *object, u64 gen, void *arg)
{
	const struct wattle_range *range = container_of(object, struct wattle_range, entry);
	const struct wattle_walk_ranges_arg *to = arg;

	return to->visit(&range->prefix, to->arg);
}

int wattle_walk_ranges(struct wattle_walk *walk,
		       int (*visit)(const struct wattle_prefix *prefix, void *arg), void *arg)
{
	struct wattle_walk_ranges_arg to = { .visit = visit, .arg = arg };

	return wattle_walk_lpm(walk, &walk->config->ranges.by_prefix, wattle_walk_show_range, &to);
}
