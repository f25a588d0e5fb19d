// SPDX-License-Identifier: GPL-2.0-only
/* Whom policies mean: peers into sets of identities and prefixes. */
#include <stdlib.h>

#include "internal.h"

static struct target *rule_add_target(struct rule *rule, enum target_kind kind)
{
	struct target *target = APPEND(rule->target, rule->target_count);

	memset(target, 0, sizeof(*target));
	target->kind = kind;
	return target;
}

/* ---- prefixes ---- */

/* @prefix without @except: the halves of what an exception is in, and so on. */
static void add_prefix(struct rule *rule, const struct wattle_prefix *prefix, bool outside,
		       const struct wattle_prefix *except, unsigned int count)
{
	struct wattle_prefix half;
	struct target *target;
	bool within = false;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (prefix_covers(&except[i], prefix))
			return;
		within |= prefix_covers(prefix, &except[i]);
	}
	if (!within) {
		target = rule_add_target(rule, TARGET_PREFIX);
		target->prefix = *prefix;
		target->outside = outside;
		return;
	}
	half = *prefix;
	half.len++;
	add_prefix(rule, &half, outside, except, count);
	half.addr.bytes[prefix->len / 8] |= 0x80 >> prefix->len % 8;
	add_prefix(rule, &half, outside, except, count);
}

static void add_cidr_group(struct rule *rule, const struct peer *peer,
			   const struct cidr_group *group)
{
	unsigned int i;

	for (i = 0; i < group->cidr_count; i++)
		add_prefix(rule, &group->cidr[i], true, peer->except, peer->except_count);
}

static void add_cidr_groups(struct manifest *m, struct rule *rule, const struct peer *peer)
{
	unsigned int i, found = 0;

	for (i = 0; i < m->cidr_count; i++) {
		if (peer->ref ? peer->ref != m->cidr[i].name :
		    !selector_matches_labels(&peer->select, &m->cidr[i].labels))
			continue;
		found++;
		add_cidr_group(rule, peer, &m->cidr[i]);
	}
	if (!found && peer->ref)
		bad_at(m, "%s: cidrGroupRef: there is no CiliumCIDRGroup \"%s\"", peer->where,
		       peer->ref);
}

/* ---- pods ---- */

static struct target *rule_set(struct manifest *m, struct rule *rule)
{
	struct target *target;
	unsigned int i;

	for (i = 0; i < rule->target_count; i++)
		if (rule->target[i].kind == TARGET_SET)
			return &rule->target[i];
	target = rule_add_target(rule, TARGET_SET);
	target->set = arena_alloc(&m->arena, m->words * sizeof(*target->set) + 1);
	return target;
}

static void add_pods(struct manifest *m, struct rule *rule, const struct selector *sel)
{
	set add = selector_resolve(m, sel), all = rule_set(m, rule)->set;
	unsigned int i;

	for (i = 0; i < m->words; i++)
		all[i] |= add[i];
}

/* ---- services ---- */

static void add_endpoints(struct manifest *m, struct rule *rule, const char *ns,
			  const char *name)
{
	struct wattle_prefix host;
	unsigned int i, j, k;

	for (i = 0; i < m->slice_count; i++) {
		const struct slice *slice = &m->slice[i];

		if (strcmp(slice->ns, ns) || strcmp(slice->service, name))
			continue;
		for (j = 0; j < slice->end_count; j++) {
			for (k = 0; k < slice->end[j].addr_count; k++) {
				host.addr = slice->end[j].addr[k];
				host.len = wattle_addr_bits(&host.addr);
				add_prefix(rule, &host, false, NULL, 0);
			}
		}
	}
}

/* The pods of its selector; without one, the addresses that it is given. */
static void add_service(struct manifest *m, struct rule *rule, const struct service *service)
{
	struct selector sel = { .ns = service->ns };
	unsigned int i;

	if (!service->has_selector) {
		add_endpoints(m, rule, service->ns, service->name);
		return;
	}
	sel.req = arena_alloc(&m->arena, (service->selector.count + 1) * sizeof(*sel.req));
	for (i = 0; i < service->selector.count; i++) {
		struct requirement *req = &sel.req[sel.req_count++];

		req->space = SPACE_POD;
		req->op = OP_IN;
		req->key = service->selector.at[i].key;
		req->value = &service->selector.at[i].value;
		req->value_count = 1;
	}
	add_pods(m, rule, &sel);
}

static void add_services(struct manifest *m, struct rule *rule, const struct peer *peer)
{
	unsigned int i;

	for (i = 0; i < m->service_count; i++) {
		const struct service *service = &m->service[i];

		if ((peer->ns && strcmp(peer->ns, service->ns)) ||
		    (peer->ref ? strcmp(peer->ref, service->name) :
		     !selector_matches_labels(&peer->select, &service->labels)))
			continue;
		add_service(m, rule, service);
	}
}

/* ---- rules ---- */

static void add_peer(struct manifest *m, struct rule *rule, const struct peer *peer)
{
	switch (peer->kind) {
	case PEER_ANY:
		rule_add_target(rule, TARGET_ANY);
		break;
	case PEER_SELECT:
		add_pods(m, rule, &peer->select);
		break;
	case PEER_PREFIX:
		add_prefix(rule, &peer->prefix, peer->outside, peer->except, peer->except_count);
		break;
	case PEER_ID:
		rule_add_target(rule, TARGET_ID)->id = peer->id;
		break;
	case PEER_GROUP:
		add_cidr_groups(m, rule, peer);
		break;
	case PEER_SERVICE:
		add_services(m, rule, peer);
		break;
	case PEER_APISERVER:
		add_endpoints(m, rule, "default", "kubernetes");
		break;
	}
}

static bool set_is_all(const struct manifest *m, const uint64_t *set)
{
	unsigned int i, count = 0;

	for (i = 0; i < m->words; i++)
		count += __builtin_popcountll(set[i]);
	return count == m->group_count;
}

/* Names that nobody gave a port are mistakes; those of some pods only mean just them. */
static void check_names(struct manifest *m, const struct rule *rule)
{
	unsigned int i;

	for (i = 0; m->pod_count && i < rule->port_count; i++)
		if (rule->port[i].name && !named_get(m->port_names, rule->port[i].name))
			bad_at(m, "%s: no container has a port of the name \"%s\"",
			       rule->port[i].where, rule->port[i].name);
}

static void targets_make(struct manifest *m, struct rule *rule)
{
	unsigned int i;

	for (i = 0; i < rule->peer_count; i++)
		add_peer(m, rule, &rule->peer[i]);
	for (i = 0; i < rule->target_count; i++)
		if (rule->target[i].kind == TARGET_SET)
			rule->target[i].all = set_is_all(m, rule->target[i].set);
	check_names(m, rule);
}

/* ---- whom they are for ---- */

static int compare_specs(const void *a, const void *b)
{
	return strcmp(((const struct spec *)a)->origin, ((const struct spec *)b)->origin);
}

static void spec_assign(struct manifest *m, const struct spec *spec)
{
	set subjects = selector_resolve(m, &spec->subject);
	unsigned int i;

	for (i = 0; i < m->group_count; i++) {
		struct group *group = &m->group[i];

		if (!(subjects[i / 64] & 1ULL << (i % 64)))
			continue;
		APPEND(group->specs, group->spec_count)->spec = spec;
	}
}

/* Labels that only services select pods by tell pods apart as well. */
static void services_register(struct manifest *m)
{
	unsigned int i, j;

	for (i = 0; i < m->service_count; i++)
		for (j = 0; j < m->service[i].selector.count; j++)
			named_put(&m->pod_keys, m->service[i].selector.at[j].key, m);
}

static bool names_services(const struct manifest *m)
{
	unsigned int i, j, k;

	for (i = 0; i < m->spec_count; i++)
		for (j = 0; j < m->spec[i].rule_count; j++)
			for (k = 0; k < m->spec[i].rule[j].peer_count; k++)
				if (m->spec[i].rule[j].peer[k].kind == PEER_SERVICE)
					return true;
	return false;
}

void policies_register(struct manifest *m)
{
	if (names_services(m))
		services_register(m);
}

bool policies_resolve(struct manifest *m)
{
	unsigned int i, j;

	/* In the order of names, whatever the order of the input. */
	if (m->spec_count)
		qsort(m->spec, m->spec_count, sizeof(*m->spec), compare_specs);
	for (i = 0; i < m->spec_count; i++) {
		spec_assign(m, &m->spec[i]);
		for (j = 0; j < m->spec[i].rule_count; j++)
			targets_make(m, &m->spec[i].rule[j]);
	}
	return !m->errors;
}
