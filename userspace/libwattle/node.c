// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int wattle_node_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_node *node)
{
	unsigned int i;

	wattle_msg_change(msg, how, WATTLE_CMD_NODE_NEW, WATTLE_CMD_NODE_DEL);
	if (nla_put_string(msg, WATTLE_A_NODE_NAME, node->name))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	for (i = 0; i < node->addr_count; i++)
		if (wattle_put_addr(msg, WATTLE_A_NODE_ADDR, &node->addr[i]))
			return -EMSGSIZE;
	for (i = 0; i < node->cidr_count; i++)
		if (wattle_put_prefix(msg, WATTLE_A_NODE_CIDR, &node->cidr[i]))
			return -EMSGSIZE;
	return 0;
}

int wattle_node_ask(struct nl_msg *msg, const char *name)
{
	wattle_msg_begin(msg, WATTLE_CMD_NODE_GET, 0);
	return name && nla_put_string(msg, WATTLE_A_NODE_NAME, name) ? -EMSGSIZE : 0;
}

int wattle_node_parse(const struct nlmsghdr *nlh, struct wattle_node *node)
{
	struct nlattr *tb[WATTLE_A_NODE_MAX + 1], *attr;
	unsigned int cidrs = 0;
	int rest;

	memset(node, 0, sizeof(*node));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_NODE_MAX))
		return -EBADMSG;
	wattle_get_text(node->name, sizeof(node->name), tb[WATTLE_A_NODE_NAME]);
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest)
		cidrs += nla_type(attr) == WATTLE_A_NODE_CIDR;
	if (cidrs) {
		node->cidr = calloc(cidrs, sizeof(*node->cidr));
		if (!node->cidr)
			return -ENOMEM;
	}
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) == WATTLE_A_NODE_CIDR)
			wattle_get_prefix(&node->cidr[node->cidr_count++], attr);
		else if (nla_type(attr) == WATTLE_A_NODE_ADDR && node->addr_count < 2)
			wattle_get_addr(&node->addr[node->addr_count++], attr);
	}
	return 0;
}

void wattle_node_release(struct wattle_node *node)
{
	free(node->cidr);
	node->cidr = NULL;
}
