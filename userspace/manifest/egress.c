// SPDX-License-Identifier: GPL-2.0-only
/* CiliumEgressGatewayPolicy of cilium.io/v2: which pods leave by which node, and how. */
#include <stdlib.h>

#include "internal.h"

/* ---- from documents ---- */

static void read_pods(struct reader *r, struct node *node, struct egress_policy *policy)
{
	static const char *const fields[] = {
		"podSelector", "namespaceSelector", "nodeSelector", NULL
	};
	static const char *const nodes[] = { "nodeSelector", NULL };
	struct node *pods, *spaces;
	struct selector *select;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields) ||
	    !node_refuse(r, node, nodes, "selecting pods by their node is not supported"))
		return;
	pods = node_get(node, "podSelector");
	spaces = node_get(node, "namespaceSelector");
	if (!pods && !spaces) {
		bad(r, node, "podSelector or namespaceSelector is needed");
		return;
	}
	select = APPEND(policy->select, policy->select_count);
	memset(select, 0, sizeof(*select));
	if (pods && !selector_read_cilium(r, pods, NULL, true, select))
		return;
	selector_read(r, spaces, SPACE_NAMESPACE, select);
}

static void read_prefixes(struct reader *r, struct node *list, bool except,
			  struct egress_policy *policy)
{
	struct egress_prefix *prefix;
	struct node *child;

	for_each_node(child, list) {
		prefix = APPEND(policy->prefix, policy->prefix_count);
		memset(prefix, 0, sizeof(*prefix));
		prefix->except = except;
		prefix->where = where_is(r, child);
		read_prefix(r, child, true, &prefix->to);
	}
}

static void read_gateway(struct reader *r, struct node *node, struct egress_policy *policy)
{
	static const char *const fields[] = { "nodeSelector", "interface", "egressIP", NULL };
	const char *interface = node_get_string(r, node, "interface");
	struct node *addr = node_get(node, "egressIP"), *select = node_get(node, "nodeSelector");
	unsigned int i;

	if (!node_fields(r, node, fields))
		return;
	if (!select) {
		bad(r, node, "nodeSelector: is missing");
		return;
	}
	selector_read(r, select, SPACE_CLUSTER, &policy->gateway);
	if (*interface && addr) {
		bad(r, addr, "one of interface and egressIP says with which address");
		return;
	}
	if (*interface)
		policy->interface = intern(r->m, interface);
	if (!addr || !read_addr(r, addr, &policy->addr))
		return;
	for (i = 0; i < policy->prefix_count; i++)
		if (policy->prefix[i].to.addr.len != policy->addr.len)
			bad_at(r->m, "%s: is of another family than egressIP",
			       policy->prefix[i].where);
}

void read_egress_policy(struct reader *r, struct node *node)
{
	static const char *const top[] = {
		"apiVersion", "kind", "metadata", "spec", "status", NULL
	};
	static const char *const fields[] = {
		"selectors", "destinationCIDRs", "excludedCIDRs", "egressGateway",
		"egressGateways", NULL
	};
	static const char *const several[] = { "egressGateways", NULL };
	struct node *spec = node_map(r, node, "spec"), *gateway, *child, *list;
	struct egress_policy *policy = APPEND(r->m->egress, r->m->egress_count);

	memset(policy, 0, sizeof(*policy));
	policy->name = intern(r->m, r->name);
	policy->where = where_is(r, node);
	node_fields(r, node, top);
	if (!spec) {
		bad(r, node, "spec: is missing");
		return;
	}
	node_fields(r, spec, fields);
	node_refuse(r, spec, several, "several gateways are not supported");
	list = node_list(r, spec, "selectors");
	for_each_node(child, list)
		read_pods(r, child, policy);
	read_prefixes(r, node_list(r, spec, "destinationCIDRs"), false, policy);
	read_prefixes(r, node_list(r, spec, "excludedCIDRs"), true, policy);
	gateway = node_map(r, spec, "egressGateway");
	if (!list || !list->count)
		bad(r, spec, "selectors: %s", list ? "is empty" : "is missing");
	else if (!policy->prefix_count || policy->prefix[0].except)
		bad(r, spec, "destinationCIDRs: is missing, or empty");
	else if (!gateway)
		bad(r, spec, "egressGateway: is missing");
	else
		read_gateway(r, gateway, policy);
}

void egress_release(struct manifest *m)
{
	unsigned int i;

	for (i = 0; i < m->egress_count; i++) {
		free(m->egress[i].select);
		free(m->egress[i].prefix);
	}
	free(m->egress);
	free(m->node_labels);
}

/* ---- for a node ---- */

struct making {
	struct manifest *m;
	struct manifest_egress *all;
	size_t count;
	const char *node;
};

/* The first by name of those that are meant; NULL: none is. */
static const struct manifest_node *gateway_of(const struct manifest *m,
					      const struct egress_policy *policy)
{
	const struct manifest_node *first = NULL;
	unsigned int i;

	for (i = 0; i < m->node_count; i++)
		if (selector_matches_labels(&policy->gateway, &m->node_labels[i]) &&
		    (!first || strcmp(m->node[i].name, first->name) < 0))
			first = &m->node[i];
	return first;
}

/* Is there a pod of that identity on the node? */
static bool has_pods(const struct making *k, unsigned int group)
{
	unsigned int i, pod;

	for (i = 0; i < k->m->group[group].pods; i++) {
		pod = k->m->by_group[k->m->group[group].first_pod + i];
		if (k->m->pod[pod].node == k->node)
			return true;
	}
	return false;
}

static void group_make(struct making *k, const struct egress_policy *policy,
		       const struct manifest_node *gateway, uint32_t id)
{
	bool here = gateway && gateway->name == k->node;
	/* From the prefix that is for discarding (RFC 6666): no node has it. */
	static const struct wattle_addr nobody = { 16, { 1 } };
	struct manifest_egress *rule;
	unsigned int i;

	for (i = 0; i < policy->prefix_count; i++) {
		rule = APPEND(k->all, k->count);
		memset(rule, 0, sizeof(*rule));
		rule->id = id;
		rule->to = policy->prefix[i].to;
		rule->where = policy->prefix[i].where;
		if (policy->prefix[i].except) {
			rule->action = WATTLE_EGRESS_ACTION_SKIP;
		} else if (here) {
			rule->action = WATTLE_EGRESS_ACTION_GATEWAY;
			rule->addr = policy->addr;
			rule->interface = policy->interface;
		} else {
			rule->action = WATTLE_EGRESS_ACTION_VIA;
			rule->addr = gateway && gateway->addr_count ? gateway->addr[0] : nobody;
		}
	}
}

static void policy_make(struct making *k, const struct egress_policy *policy)
{
	const struct manifest_node *gateway = gateway_of(k->m, policy);
	bool here = gateway && gateway->name == k->node;
	set all = arena_alloc(&k->m->arena, k->m->words * sizeof(*all) + 1), some;
	unsigned int i, j;

	if (!gateway || !gateway->addr_count)
		warn_at(k->m, "%s: spec.egressGateway: there is no such node with an InternalIP: its pods do not get out",
			policy->where);
	for (i = 0; i < policy->select_count; i++) {
		some = selector_resolve(k->m, &policy->select[i]);
		for (j = 0; j < k->m->words; j++)
			all[j] |= some[j];
	}
	for (i = 0; i < k->m->group_count; i++)
		if (all[i / 64] & 1ULL << (i % 64) && (here || has_pods(k, i)))
			group_make(k, policy, gateway, k->m->group[i].id);
}

static int compare_rules(const void *a, const void *b)
{
	const struct manifest_egress *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return wattle_prefix_compare(&x->to, &y->to);
}

static bool same_rule(const struct manifest_egress *a, const struct manifest_egress *b)
{
	return a->action == b->action && wattle_addr_equal(&a->addr, &b->addr) &&
	       a->interface == b->interface;
}

/* Each once; two that say something else about the same are an error. */
static void rules_check(struct making *k)
{
	char text[WATTLE_PREFIX_STRLEN];
	size_t i, kept = 0;

	if (k->count)
		qsort(k->all, k->count, sizeof(*k->all), compare_rules);
	for (i = 0; i < k->count; i++) {
		const struct manifest_egress *before = kept ? &k->all[kept - 1] : NULL;

		if (!before || compare_rules(before, &k->all[i]))
			k->all[kept++] = k->all[i];
		else if (!same_rule(before, &k->all[i]))
			bad_at(k->m, "%s: %s has another way out for the same pods by %s",
			       k->all[i].where, wattle_prefix_text(text, &k->all[i].to),
			       before->where);
	}
	k->count = kept;
}

bool manifest_egress(struct manifest *m, const char *node, struct manifest_egress **rules,
		     size_t *count)
{
	struct making k = { .m = m, .node = intern(m, node) };
	unsigned int i, errors = m->errors;

	for (i = 0; i < m->egress_count; i++)
		policy_make(&k, &m->egress[i]);
	rules_check(&k);
	*rules = k.all;
	*count = k.count;
	return m->errors == errors;
}
