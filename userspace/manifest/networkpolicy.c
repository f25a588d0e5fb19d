// SPDX-License-Identifier: GPL-2.0-only
/* NetworkPolicy of networking.k8s.io/v1. */
#include <netinet/in.h>
#include <stdlib.h>

#include "internal.h"

struct peer *rule_add_peer(struct reader *r, struct rule *rule, const struct node *node,
			   enum peer_kind kind)
{
	struct peer *peer = APPEND(rule->peer, rule->peer_count);

	memset(peer, 0, sizeof(*peer));
	peer->kind = kind;
	peer->where = where_is(r, node);
	return peer;
}

static int compare_prefixes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct wattle_prefix));
}

bool read_excepts(struct reader *r, const struct node *list, struct peer *peer)
{
	struct wattle_prefix *except;
	struct node *child;

	if (!list)
		return true;
	peer->except = arena_alloc(&r->m->arena, (list->count + 1) * sizeof(*peer->except));
	for_each_node(child, list) {
		except = &peer->except[peer->except_count];
		if (!read_prefix(r, child, false, except))
			return false;
		if (peer->kind == PEER_PREFIX && !prefix_covers(&peer->prefix, except)) {
			bad(r, child, "%s is not within the prefix that it is an exception of",
			    child->text);
			return false;
		}
		peer->except_count++;
	}
	qsort(peer->except, peer->except_count, sizeof(*peer->except), compare_prefixes);
	return true;
}

static bool read_ip_block(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "cidr", "except", NULL };
	struct node *cidr = node_get(node, "cidr");
	struct peer *peer;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return false;
	if (!cidr) {
		bad(r, node, "cidr: is missing");
		return false;
	}
	peer = rule_add_peer(r, rule, node, PEER_PREFIX);
	return read_prefix(r, cidr, false, &peer->prefix) &&
	       read_excepts(r, node_list(r, node, "except"), peer);
}

static bool read_peer(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = {
		"podSelector", "namespaceSelector", "ipBlock", NULL
	};
	struct node *pods, *spaces, *block;
	struct peer *peer;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return false;
	pods = node_get(node, "podSelector");
	spaces = node_get(node, "namespaceSelector");
	block = node_get(node, "ipBlock");
	if (block && (pods || spaces)) {
		bad(r, block, "a peer is an ipBlock or selectors, not both");
		return false;
	}
	if (block)
		return read_ip_block(r, block, rule);
	if (!pods && !spaces) {
		bad(r, node, "a peer needs podSelector, namespaceSelector or ipBlock");
		return false;
	}
	peer = rule_add_peer(r, rule, node, PEER_SELECT);
	if (!spaces)
		peer->select.ns = intern(r->m, r->ns);
	return selector_read(r, spaces, SPACE_NAMESPACE, &peer->select) &&
	       selector_read(r, pods, SPACE_POD, &peer->select);
}

/* ---- ports ---- */

bool port_name_is_valid(const char *name)
{
	const char *c;
	bool letter = false;

	if (!*name || strlen(name) > 15 || name[0] == '-' || name[strlen(name) - 1] == '-' ||
	    strstr(name, "--"))
		return false;
	for (c = name; *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *c))
			return false;
		letter |= *c >= 'a' && *c <= 'z';
	}
	return letter;
}

static bool read_port_name(struct reader *r, const struct node *node, struct port *port)
{
	const char *name;

	if (!node_string(r, node, &name))
		return false;
	if (!port_name_is_valid(name)) {
		bad(r, node, "\"%s\" is neither a number from 1 to 65535 nor the name of a port",
		    name);
		return false;
	}
	port->name = intern(r->m, name);
	port->where = where_is(r, node);
	return true;
}

static bool read_port(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "protocol", "port", "endPort", NULL };
	struct port port = { .max = UINT16_MAX };
	struct node *number, *end;
	long value;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields) ||
	    !read_proto(r, node_get(node, "protocol"), &port.proto))
		return false;
	number = node_get(node, "port");
	end = node_get(node, "endPort");
	if (end && (!number || !node_is_number(number))) {
		bad(r, end, "needs a port that is a number");
		return false;
	}
	if (number && !node_is_number(number)) {
		if (!read_port_name(r, number, &port))
			return false;
	} else if (number) {
		if (!node_number(r, number, 1, 65535, &value))
			return false;
		port.min = value;
		port.max = value;
	}
	if (end) {
		if (!node_number(r, end, 1, 65535, &value))
			return false;
		port.max = value;
		if (port.max < port.min) {
			bad(r, end, "%u is less than the port, %u", port.max, port.min);
			return false;
		}
	}
	*APPEND(rule->port, rule->port_count) = port;
	return true;
}

/* ---- rules ---- */

static void read_rule(struct reader *r, struct node *node, uint8_t direction, struct rule *rule)
{
	const char *peers = direction == WATTLE_DIRECTION_INGRESS ? "from" : "to";
	const char *const fields[] = { peers, "ports", NULL };
	struct node *list, *child;

	if (!node_expect(r, node, NODE_MAP))
		return;
	node_fields(r, node, fields);
	list = node_list(r, node, peers);
	if (!list || !list->count)
		rule_add_peer(r, rule, node, PEER_ANY);
	for_each_node(child, list)
		read_peer(r, child, rule);
	list = node_list(r, node, "ports");
	if (!list || !list->count)
		*APPEND(rule->port, rule->port_count) =
			(struct port){ .any = true, .max = UINT16_MAX };
	for_each_node(child, list)
		read_port(r, child, rule);
}

static void read_rules(struct reader *r, struct node *spec_node, uint8_t direction,
		       struct spec *spec)
{
	const char *section = direction == WATTLE_DIRECTION_INGRESS ? "ingress" : "egress";
	struct node *list = node_list(r, spec_node, section), *child;
	struct rule *rule;

	for_each_node(child, list) {
		rule = APPEND(spec->rule, spec->rule_count);
		memset(rule, 0, sizeof(*rule));
		rule->direction = direction;
		rule->origin = arena_printf(&r->m->arena, "%s %s[%u]", spec->origin, section,
					    child->index);
		read_rule(r, child, direction, rule);
	}
}

static void read_types(struct reader *r, struct node *spec_node, struct spec *spec)
{
	struct node *types = node_list(r, spec_node, "policyTypes"), *child;
	struct node *egress = node_get(spec_node, "egress");
	const char *text;

	if (!types || !types->count) {
		spec->isolates[WATTLE_DIRECTION_INGRESS] = true;
		spec->isolates[WATTLE_DIRECTION_EGRESS] = egress && egress->count;
		return;
	}
	for_each_node(child, types) {
		if (!node_string(r, child, &text))
			continue;
		if (!strcmp(text, "Ingress"))
			spec->isolates[WATTLE_DIRECTION_INGRESS] = true;
		else if (!strcmp(text, "Egress"))
			spec->isolates[WATTLE_DIRECTION_EGRESS] = true;
		else
			bad(r, child, "\"%s\" is not Ingress or Egress", text);
	}
}

/* Rules of a direction that policyTypes does not name are read, and mean nothing. */
static void drop_unnamed(struct spec *spec)
{
	unsigned int i, kept = 0;

	for (i = 0; i < spec->rule_count; i++) {
		if (spec->isolates[spec->rule[i].direction]) {
			spec->rule[kept++] = spec->rule[i];
			continue;
		}
		free(spec->rule[i].peer);
		free(spec->rule[i].port);
	}
	spec->rule_count = kept;
}

static void read_spec(struct reader *r, struct node *node, struct spec *spec)
{
	static const char *const fields[] = {
		"podSelector", "policyTypes", "ingress", "egress", NULL
	};

	node_fields(r, node, fields);
	spec->subject.ns = intern(r->m, r->ns);
	selector_read(r, node_get(node, "podSelector"), SPACE_POD, &spec->subject);
	read_types(r, node, spec);
	read_rules(r, node, WATTLE_DIRECTION_INGRESS, spec);
	read_rules(r, node, WATTLE_DIRECTION_EGRESS, spec);
	if (r->m->errors)
		return;
	drop_unnamed(spec);
}

void read_network_policy(struct reader *r, struct node *node)
{
	static const char *const fields[] = {
		"apiVersion", "kind", "metadata", "spec", "status", NULL
	};
	struct node *spec_node = node_map(r, node, "spec");
	struct spec *spec;

	node_fields(r, node, fields);
	if (!spec_node) {
		bad(r, node, "spec: is missing");
		return;
	}
	spec = APPEND(r->m->spec, r->m->spec_count);
	memset(spec, 0, sizeof(*spec));
	spec->origin = arena_printf(&r->m->arena, "NetworkPolicy %s/%s", r->ns, r->name);
	read_spec(r, spec_node, spec);
}
