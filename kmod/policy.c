// SPDX-License-Identifier: GPL-2.0-only
/* Policy, the readers' side: what the rules say. policy_write.c makes them. */

#include "policy_private.h"

static inline bool wattle_rule_has_port(const struct wattle_rule *rule, u16 port)
{
	return wattle_rule_port_min(rule) <= port && port <= wattle_rule_port_max(rule);
}

bool wattle_rule_alive(const struct wattle_rule *rule, u64 gen)
{
	return wattle_packed_alive(&rule->born_ports, &rule->died_ports, gen);
}

/**
 * wattle_rule_is_last() - is a rule only what happens where no other says anything?
 * @rule: the rule
 *
 * Context: any.
 * Return: true where its priority is one of the last.
 */
bool wattle_rule_is_last(const struct wattle_rule *rule)
{
	return wattle_rule_priority(rule) >= WATTLE_PRIORITY_LAST;
}

struct wattle_subject *wattle_subject_lookup(struct wattle_policies *policies, u32 subject,
					     u8 direction, u64 gen)
{
	u32 key = wattle_subject_key(subject, direction);
	struct wattle_subject *found;
	struct rhlist_head *list, *pos;

	list = rhltable_lookup(&policies->subjects, &key, wattle_subject_params);
	rhl_for_each_entry_rcu(found, pos, list, link) {
		if (wattle_alive(&found->life, gen))
			return found;
	}
	return NULL;
}

/* One question on its way through the slots. */
struct wattle_search {
	const struct wattle_question *q;
	const struct wattle_subject *subject;
	const struct wattle_rule_index *index;
	u32 seed;
	u64 gen;
	const struct wattle_rule *best;
};

/* The smaller priority number first; at the same, deny before allow. */
static bool wattle_rule_beats(const struct wattle_rule *rule, const struct wattle_rule *best)
{
	u16 a, b;

	if (!best)
		return true;
	a = wattle_rule_priority(rule);
	b = wattle_rule_priority(best);
	if (a != b)
		return a < b;
	return !rule->allow && best->allow;
}

/*
 * Rules of other slots may have the same hash. Whether one is of this very slot need not be
 * asked: what says something about the packet does so wherever it was found.
 */
static void wattle_search_slot(struct wattle_search *search, const struct wattle_slot *slot)
{
	const struct wattle_question *q = search->q;
	const struct wattle_rule *rule;

	rule = wattle_rules_first_of(search->index, wattle_slot_hash(slot, search->seed));
	for (; rule; rule = wattle_rules_next_of(rule)) {
		if (rule->peer != slot->peer || !(rule->any_proto || rule->proto == q->proto) ||
		    !wattle_rule_alive(rule, search->gen) ||
		    !wattle_rule_has_port(rule, q->port) ||
		    (rule->outside && !wattle_identity_is_outside(q->peer_id)) ||
		    !wattle_rule_beats(rule, search->best))
			continue;
		search->best = rule;
	}
}

/* All slots for one peer: each size of bin that some rule of the subject has. */
static void wattle_search_peer(struct wattle_search *search, u8 kind, u32 peer)
{
	unsigned long bins = READ_ONCE(search->subject->bins[kind]);
	const struct wattle_question *q = search->q;
	struct wattle_slot slot;
	unsigned int bin;

	for_each_set_bit(bin, &bins, WATTLE_BINS) {
		wattle_slot_set(&slot, peer, q->proto, q->port, bin);
		wattle_search_slot(search, &slot);
	}
}

static bool wattle_search_prefix(struct wattle_lpm_entry *entry, void *arg)
{
	struct wattle_peer *peer = container_of(entry, struct wattle_peer, entry);

	wattle_search_peer(arg, WATTLE_PEER_KIND_PREFIX, WATTLE_ID_LOCAL_MIN + peer->number);
	return false;
}

/**
 * wattle_policy_judge() - judge one direction of one packet
 * @policies: table
 * @q: what is asked
 * @gen: generation to read at
 * @out: the answer; its rule is NULL where none matched
 *
 * Context: RCU reader, softirq.
 */
void wattle_policy_judge(struct wattle_policies *policies, const struct wattle_question *q,
			 u64 gen, struct wattle_judgement *out)
{
	struct wattle_search search = { .q = q, .seed = policies->seed, .gen = gen };
	u8 bit = q->direction == WATTLE_DIRECTION_EGRESS ? WATTLE_ENFORCE_EGRESS :
							   WATTLE_ENFORCE_INGRESS;

	search.subject = wattle_subject_lookup(policies, q->subject, q->direction, gen);
	if (search.subject) {
		search.index = rcu_dereference(search.subject->index);
		if (q->peer_id && q->peer_id < WATTLE_ID_LOCAL_MIN)
			wattle_search_peer(&search, WATTLE_PEER_KIND_IDENTITY, q->peer_id);
		if (q->peer && READ_ONCE(search.subject->bins[WATTLE_PEER_KIND_PREFIX]))
			wattle_lpm_cover(&policies->prefixes, q->peer, gen,
					 wattle_search_prefix, &search);
		wattle_search_peer(&search, WATTLE_PEER_KIND_ANY, 0);
	}
	out->enforced = search.subject || (q->enforce & bit);
	out->rule = search.best;
	out->allow = search.best ? search.best->allow : !out->enforced;
}

static const char *wattle_rule_origin(struct wattle_policies *policies,
				      const struct wattle_rule *rule)
{
	const struct wattle_text *text = rule->origin ? xa_load(&policies->origins,
								rule->origin) : NULL;

	return text ? text->text : "";
}

/**
 * wattle_rule_describe() - a rule in words
 * @policies: its table
 * @rule: the rule
 * @spec: what it says
 * @origin: where it is from, "" where nobody said; valid as long as the rule
 *
 * Context: RCU reader.
 */
void wattle_rule_describe(struct wattle_policies *policies, const struct wattle_rule *rule,
			  struct wattle_rule_spec *spec, const char **origin)
{
	const struct wattle_peer *peer;

	*spec = (struct wattle_rule_spec){
		.subject = rule->subject->key >> 1,
		.direction = rule->subject->key & 1,
		.peer_kind = wattle_rule_kind(rule),
		.outside = rule->outside,
		.any_proto = rule->any_proto,
		.proto = rule->proto,
		.action = rule->allow ? WATTLE_ACTION_ALLOW : WATTLE_ACTION_DENY,
		.priority = wattle_rule_priority(rule),
		.port_min = wattle_rule_port_min(rule),
		.port_max = wattle_rule_port_max(rule),
	};
	if (spec->peer_kind == WATTLE_PEER_KIND_IDENTITY) {
		spec->peer_id = rule->peer;
	} else if (spec->peer_kind == WATTLE_PEER_KIND_PREFIX) {
		peer = xa_load(&policies->peers, rule->peer - WATTLE_ID_LOCAL_MIN);
		if (peer)
			spec->peer = peer->prefix;
	}
	*origin = wattle_rule_origin(policies, rule);
}
