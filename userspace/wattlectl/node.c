// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "wattlectl.h"

static const struct param node_params[] = {
	{ SLOT_NAME, KIND_TEXT, PARAM_REQUIRED, NULL, "NAME", NULL, 0, WATTLE_NAME_MAX },
	{ SLOT_ADDR, KIND_ADDR, PARAM_REQUIRED | PARAM_MANY, "addr", NULL, NULL, 0, 0 },
	{ SLOT_CIDR, KIND_PREFIX, PARAM_MANY, "cidr", NULL, NULL, 0, 0 },
};

static const struct param node_show_params[] = {
	{ SLOT_NAME, KIND_TEXT, 0, NULL, "NAME", NULL, 0, WATTLE_NAME_MAX },
};

static const struct column node_columns[] = {
	{ "NAME", "name" }, { "ADDR", "addr" }, { "CIDR", "cidr" }, { NULL, NULL }
};

/* Count the values of @slot. */
static unsigned int node_count(const struct call *call, enum slot slot)
{
	const struct value *value;
	unsigned int count = 0;

	for (value = value_of(call, slot); value; value = value->next)
		count++;
	return count;
}

static int node_addrs(struct call *call, struct wattle_node *node)
{
	const struct value *value;

	for (value = value_of(call, SLOT_ADDR); value; value = value->next) {
		if (node->addr_count && (node->addr_count > 1 ||
					 node->addr[0].len == value->addr.len)) {
			report(call, "addr", "at most one address of each family");
			return EXIT_REFUSED;
		}
		node->addr[node->addr_count++] = value->addr;
	}
	return EXIT_DONE;
}

static int node_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_node node = {};
	const struct value *value;
	int code;

	snprintf(node.name, sizeof(node.name), "%s", value_of(call, SLOT_NAME)->text);
	code = node_addrs(call, &node);
	if (code)
		return code;
	node.cidr = calloc(node_count(call, SLOT_CIDR) + 1, sizeof(*node.cidr));
	if (!node.cidr) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	for (value = value_of(call, SLOT_CIDR); value; value = value->next)
		node.cidr[node.cidr_count++] = value->prefix;
	code = wattle_node_encode(msg, call->verb->how, &node);
	wattle_node_release(&node);
	return code;
}

static json_t *node_row(const struct nlmsghdr *nlh)
{
	json_t *addrs = json_array(), *cidrs = json_array();
	struct wattle_node node;
	unsigned int i;
	json_t *object;

	wattle_node_parse(nlh, &node);
	for (i = 0; i < node.addr_count; i++)
		json_array_append_new(addrs, json_addr(&node.addr[i]));
	for (i = 0; i < node.cidr_count; i++)
		json_array_append_new(cidrs, json_prefix(&node.cidr[i]));
	object = json_pack("{s:o, s:o, s:o}", "name", json_text(node.name), "addr", addrs,
			   "cidr", cidrs);
	wattle_node_release(&node);
	return object;
}

static int node_show(struct call *call)
{
	const struct value *name = value_of(call, SLOT_NAME);

	wattle_node_ask(scratch(), name ? name->text : NULL);
	return show_dump_lists(call, scratch(), name, node_columns, node_row, "cidr");
}

static const struct verb node_verbs[] = {
	{
		.name = "add", .help = "make another node known",
		.params = node_params, .count = ARRAY_SIZE(node_params),
		.how = WATTLE_ADD, .encode = node_encode, .routes = true,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = node_params, .count = ARRAY_SIZE(node_params),
		.how = WATTLE_REPLACE, .encode = node_encode, .routes = true,
	},
	{
		.name = "del", .alias = "delete", .help = "forget a node",
		.params = node_params, .count = 1,
		.how = WATTLE_DEL, .encode = node_encode, .routes = true,
	},
	{
		.name = "show", .alias = "list", .help = "the nodes",
		.params = node_show_params, .count = ARRAY_SIZE(node_show_params),
		.run = node_show,
	},
};

const struct object node_object = {
	.name = "node", .help = "other nodes: where their tunnels end, which prefixes are theirs",
	.verbs = node_verbs, .count = ARRAY_SIZE(node_verbs),
};
