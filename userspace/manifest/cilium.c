// SPDX-License-Identifier: GPL-2.0-only
/*
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of cilium.io/v2, layers 3
 * and 4. What needs more than that is refused by its name.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "cilium.h"

/* One of the four lists of a policy. */
struct section {
	const char *name;
	uint8_t direction;
	bool deny;
};

static const struct section sections[] = {
	{ "ingress", WATTLE_DIRECTION_INGRESS, false },
	{ "ingressDeny", WATTLE_DIRECTION_INGRESS, true },
	{ "egress", WATTLE_DIRECTION_EGRESS, false },
	{ "egressDeny", WATTLE_DIRECTION_EGRESS, true },
};

/* ---- peers ---- */

static void add_ids(struct reader *r, struct rule *rule, const struct node *node,
		    const uint8_t *ids)
{
	for (; *ids; ids++)
		rule_add_peer(r, rule, node, PEER_ID)->id = *ids;
}

/* What is outside the cluster, of one family. */
static void add_world(struct reader *r, struct rule *rule, const struct node *node, uint8_t len)
{
	struct peer *peer = rule_add_peer(r, rule, node, PEER_PREFIX);

	peer->outside = true;
	peer->prefix.addr.len = len;
}

static bool add_entity(struct reader *r, struct rule *rule, const struct node *node,
		       const char *name)
{
	static const uint8_t cluster[] = { 1, 3, 4, 5, 6, 7, 8, 0 };
	static const struct {
		const char *name;
		uint8_t ids[2];
	} simple[] = {
		{ "host", { 1 } }, { "remote-node", { 6 } }, { "init", { 5 } },
		{ "ingress", { 8 } }, { "unmanaged", { 3 } }, { "health", { 4 } },
		{ "none", { 0 } },
	};
	unsigned int i;

	for (i = 0; i < COUNT(simple); i++) {
		if (strcmp(simple[i].name, name))
			continue;
		add_ids(r, rule, node, simple[i].ids);
		return true;
	}
	if (!strcmp(name, "all")) {
		rule_add_peer(r, rule, node, PEER_ANY);
	} else if (!strcmp(name, "cluster")) {
		rule_add_peer(r, rule, node, PEER_SELECT);
		add_ids(r, rule, node, cluster);
	} else if (!strcmp(name, "kube-apiserver")) {
		rule_add_peer(r, rule, node, PEER_APISERVER);
		rule_add_peer(r, rule, node, PEER_ID)->id = 7;
	} else if (!strcmp(name, "world")) {
		add_world(r, rule, node, 4);
		add_world(r, rule, node, 16);
	} else if (!strcmp(name, "world-ipv4") || !strcmp(name, "world-ipv6")) {
		add_world(r, rule, node, name[9] == '4' ? 4 : 16);
	} else {
		return false;
	}
	return true;
}

static void read_endpoints_peer(struct reader *r, struct node *node, struct rule *rule)
{
	struct peer *peer = rule_add_peer(r, rule, node, PEER_SELECT);
	uint16_t reserved;
	unsigned int i;

	if (!node_expect(r, node, NODE_MAP) ||
	    !selector_read_cilium(r, node, r->ns, false, &peer->select))
		return;
	/* Peers move as others are added. */
	reserved = peer->select.reserved;
	for (i = 1; i <= 10; i++)
		if (reserved & 1 << i)
			add_entity(r, rule, node, reserved_name(i));
}

static void read_entity(struct reader *r, struct node *node, struct rule *rule)
{
	const char *name;

	if (!node_string(r, node, &name) || add_entity(r, rule, node, name))
		return;
	bad(r, node, "there is no entity \"%s\": all, world, world-ipv4, world-ipv6, cluster, host, remote-node, kube-apiserver, health, init, ingress, unmanaged or none is meant",
	    name);
}

static void read_cidr(struct reader *r, struct node *node, struct rule *rule)
{
	struct peer *peer = rule_add_peer(r, rule, node, PEER_PREFIX);

	peer->outside = true;
	read_prefix(r, node, true, &peer->prefix);
}

static void read_cidr_set(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = {
		"cidr", "cidrGroupRef", "cidrGroupSelector", "except", NULL
	};
	struct node *cidr, *ref, *select;
	struct peer *peer;
	bool fine;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return;
	cidr = node_get(node, "cidr");
	ref = node_get(node, "cidrGroupRef");
	select = node_get(node, "cidrGroupSelector");
	if (!!cidr + !!ref + !!select != 1) {
		bad(r, node, "one of cidr, cidrGroupRef and cidrGroupSelector is needed");
		return;
	}
	peer = rule_add_peer(r, rule, node, cidr ? PEER_PREFIX : PEER_GROUP);
	peer->outside = true;
	if (cidr) {
		fine = read_prefix(r, cidr, true, &peer->prefix);
	} else if (ref) {
		fine = node_string(r, ref, &peer->ref);
		peer->ref = intern(r->m, peer->ref);
	} else {
		fine = selector_read(r, select, SPACE_CLUSTER, &peer->select);
	}
	if (fine)
		read_excepts(r, node_list(r, node, "except"), peer);
}

static void read_service_peer(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "k8sService", "k8sServiceSelector", NULL };
	static const char *const named[] = { "serviceName", "namespace", NULL };
	static const char *const selected[] = { "selector", "namespace", NULL };
	struct node *service, *select, *of;
	struct peer *peer;
	const char *ns;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return;
	service = node_map(r, node, "k8sService");
	select = node_map(r, node, "k8sServiceSelector");
	if (!service == !select) {
		bad(r, node, "one of k8sService and k8sServiceSelector is needed");
		return;
	}
	of = service ? service : select;
	if (!node_fields(r, of, service ? named : selected))
		return;
	peer = rule_add_peer(r, rule, node, PEER_SERVICE);
	ns = node_get_string(r, of, "namespace");
	/* None: any, of that name or those labels, as in Cilium. */
	if (*ns)
		peer->ns = intern(r->m, ns);
	if (service) {
		peer->ref = intern(r->m, node_get_string(r, service, "serviceName"));
		if (!*peer->ref)
			bad(r, service, "serviceName: is missing");
	} else if (!node_get(select, "selector")) {
		bad(r, select, "selector: is missing");
	} else {
		selector_read(r, node_get(select, "selector"), SPACE_CLUSTER, &peer->select);
	}
}

/*
 * Lists of peers: one that is there and empty means nobody, none at all everybody:
 * then true.
 */
static bool read_peers(struct reader *r, struct node *node, struct rule *rule)
{
	static const struct {
		const char *name;
		void (*read)(struct reader *r, struct node *node, struct rule *rule);
		bool egress;
	} lists[] = {
		{ "Endpoints", read_endpoints_peer, false },
		{ "CIDR", read_cidr, false },
		{ "CIDRSet", read_cidr_set, false },
		{ "Entities", read_entity, false },
		{ "Services", read_service_peer, true },
	};
	bool egress = rule->direction == WATTLE_DIRECTION_EGRESS, any = true;
	struct node *list, *child;
	char name[32];
	unsigned int i;

	for (i = 0; i < COUNT(lists); i++) {
		if (lists[i].egress && !egress)
			continue;
		snprintf(name, sizeof(name), "%s%s", egress ? "to" : "from", lists[i].name);
		list = node_list(r, node, name);
		any &= !node_get(node, name);
		for_each_node(child, list)
			lists[i].read(r, child, rule);
	}
	if (any)
		rule_add_peer(r, rule, node, PEER_ANY);
	return any;
}

/* ---- rules ---- */

static void read_rule(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const ingress[] = {
		"fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "toPorts", "icmps",
		"fromNodes", "fromGroups", "fromRequires", "authentication", NULL
	};
	static const char *const egress[] = {
		"toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toServices", "toPorts",
		"icmps", "toFQDNs", "toNodes", "toGroups", "toRequires", "authentication", NULL
	};
	static const char *const nodes[] = { "fromNodes", "toNodes", NULL };
	static const char *const groups[] = { "fromGroups", "toGroups", NULL };
	static const char *const requires[] = { "fromRequires", "toRequires", NULL };
	static const char *const fqdns[] = { "toFQDNs", NULL };
	static const char *const auth[] = { "authentication", NULL };
	bool in = rule->direction == WATTLE_DIRECTION_INGRESS;

	if (!node_expect(r, node, NODE_MAP))
		return;
	node_fields(r, node, in ? ingress : egress);
	node_refuse(r, node, nodes, "selecting nodes by label is not supported");
	node_refuse(r, node, groups, "groups of a cloud provider are not supported");
	node_refuse(r, node, requires, "requirements are not supported: Cilium has given them up");
	node_refuse(r, node, fqdns, "rules by DNS name (FQDN) are not supported");
	if (strcmp(node_get_string(r, node_map(r, node, "authentication"), "mode"), "disabled"))
		node_refuse(r, node, auth, "mutual authentication is not supported");
	rule->silent = read_peers(r, node, rule);
	cilium_read_ports(r, node, rule);
	rule->silent &= rule->port_count == 1 && rule->port[0].any;
}

static void read_section(struct reader *r, struct node *list, const struct section *section,
			 const char *prefix, struct spec *spec)
{
	struct node *child;
	struct rule *rule;

	for_each_node(child, list) {
		rule = APPEND(spec->rule, spec->rule_count);
		memset(rule, 0, sizeof(*rule));
		rule->direction = section->direction;
		rule->deny = section->deny;
		rule->origin = arena_printf(&r->m->arena, "%s %s%s[%u]", spec->origin, prefix,
					    section->name, child->index);
		read_rule(r, child, rule);
	}
	/* A direction with a rule is closed to what no rule allows. */
	if (list && list->count)
		spec->isolates[section->direction] = true;
}

static void read_default_deny(struct reader *r, struct node *spec_node, struct spec *spec)
{
	static const char *const fields[] = { "ingress", "egress", NULL };
	struct node *node = node_map(r, spec_node, "enableDefaultDeny");

	if (!node)
		return;
	node_fields(r, node, fields);
	node_bool(r, node_get(node, "ingress"), &spec->isolates[WATTLE_DIRECTION_INGRESS]);
	node_bool(r, node_get(node, "egress"), &spec->isolates[WATTLE_DIRECTION_EGRESS]);
}

/* @prefix: "" or "specs[N]." */
static void read_spec(struct reader *r, struct node *node, const char *prefix)
{
	static const char *const fields[] = {
		"endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress",
		"egressDeny", "enableDefaultDeny", "labels", "description", "log", NULL
	};
	static const char *const hosts[] = { "nodeSelector", NULL };
	struct node *select;
	struct spec *spec;
	unsigned int i;

	if (!node_expect(r, node, NODE_MAP))
		return;
	node_fields(r, node, fields);
	if (!node_refuse(r, node, hosts, "host policies are not supported"))
		return;
	select = node_get(node, "endpointSelector");
	if (!select) {
		bad(r, node, "endpointSelector: is missing");
		return;
	}
	spec = APPEND(r->m->spec, r->m->spec_count);
	memset(spec, 0, sizeof(*spec));
	spec->origin = arena_printf(&r->m->arena, "%s %s%s%s", r->kind, r->ns ? r->ns : "",
				    r->ns ? "/" : "", r->name);
	selector_read_cilium(r, select, r->ns, true, &spec->subject);
	for (i = 0; i < COUNT(sections); i++)
		read_section(r, node_list(r, node, sections[i].name), &sections[i], prefix,
			     spec);
	read_default_deny(r, node, spec);
}

void read_cilium_policy(struct reader *r, struct node *node)
{
	static const char *const fields[] = {
		"apiVersion", "kind", "metadata", "spec", "specs", "status", NULL
	};
	struct node *spec = node_get(node, "spec"), *specs = node_list(r, node, "specs"), *child;

	node_fields(r, node, fields);
	r->kind = intern(r->m, r->kind);
	if (!spec && (!specs || !specs->count)) {
		bad(r, node, "spec: is missing");
		return;
	}
	if (spec)
		read_spec(r, spec, "");
	for_each_node(child, specs)
		read_spec(r, child, arena_printf(&r->m->arena, "specs[%u].", child->index));
}

/* ---- groups of prefixes, identities ---- */

void read_cidr_group(struct reader *r, struct node *node)
{
	static const char *const top[] = {
		"apiVersion", "kind", "metadata", "spec", "status", NULL
	};
	static const char *const fields[] = { "externalCIDRs", NULL };
	struct node *spec = node_map(r, node, "spec"), *list, *child;
	struct cidr_group *group = APPEND(r->m->cidr, r->m->cidr_count);

	memset(group, 0, sizeof(*group));
	group->name = intern(r->m, r->name);
	node_fields(r, node, top);
	node_fields(r, spec, fields);
	labels_read(r, node_map(r, node_map(r, node, "metadata"), "labels"), &group->labels);
	list = node_list(r, spec, "externalCIDRs");
	group->cidr = arena_alloc(&r->m->arena, sizeof(*group->cidr) * (list ? list->count + 1 : 1));
	for_each_node(child, list)
		if (read_prefix(r, child, true, &group->cidr[group->cidr_count]))
			group->cidr_count++;
}

void read_given_identity(struct reader *r, struct node *node)
{
	struct given_identity *given = APPEND(r->m->given, r->m->given_count);
	struct node *labels = node_map(r, node, "security-labels");
	uint64_t number;

	memset(given, 0, sizeof(*given));
	if (wattle_number_parse(&number, r->name, 256, 0xfffffe) || r->name[0] == '0') {
		bad(r, node, "metadata.name: the name of an identity is its number, from 256 to 16777214");
		return;
	}
	given->id = number;
	if (!labels)
		bad(r, node, "security-labels: is missing");
	labels_read(r, labels, &given->labels);
	given->ns = labels_get(&given->labels, "k8s:io.kubernetes.pod.namespace");
}
