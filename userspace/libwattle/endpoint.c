// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int wattle_endpoint_encode(struct nl_msg *msg, enum wattle_how how,
			   const struct wattle_endpoint *endpoint)
{
	unsigned int i;

	wattle_msg_change(msg, how, WATTLE_CMD_ENDPOINT_NEW, WATTLE_CMD_ENDPOINT_DEL);
	/* A device that has gone has no number any more. */
	if (endpoint->ifindex) {
		if (nla_put_u32(msg, WATTLE_A_ENDPOINT_IFINDEX, endpoint->ifindex))
			return -EMSGSIZE;
	} else if (nla_put_string(msg, WATTLE_A_ENDPOINT_IFNAME, endpoint->ifname)) {
		return -EMSGSIZE;
	}
	if (how == WATTLE_DEL)
		return 0;
	if (endpoint->pod[0] && nla_put_string(msg, WATTLE_A_ENDPOINT_POD, endpoint->pod))
		return -EMSGSIZE;
	for (i = 0; i < endpoint->ip_count; i++)
		if (wattle_put_addr(msg, WATTLE_A_ENDPOINT_IP, &endpoint->ip[i]))
			return -EMSGSIZE;
	if (endpoint->has_id && nla_put_u32(msg, WATTLE_A_ENDPOINT_ID, endpoint->id))
		return -EMSGSIZE;
	if (endpoint->enforce && nla_put_u8(msg, WATTLE_A_ENDPOINT_ENFORCE, endpoint->enforce))
		return -EMSGSIZE;
	return 0;
}

int wattle_endpoint_ask(struct nl_msg *msg, uint32_t ifindex)
{
	wattle_msg_begin(msg, WATTLE_CMD_ENDPOINT_GET, 0);
	return ifindex && nla_put_u32(msg, WATTLE_A_ENDPOINT_IFINDEX, ifindex) ? -EMSGSIZE : 0;
}

int wattle_endpoint_parse(const struct nlmsghdr *nlh, struct wattle_endpoint *endpoint)
{
	struct nlattr *tb[WATTLE_A_ENDPOINT_MAX + 1], *attr;
	unsigned int ips = 0;
	int rest;

	memset(endpoint, 0, sizeof(*endpoint));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_ENDPOINT_MAX))
		return -EBADMSG;
	endpoint->ifindex = wattle_get_u32(tb[WATTLE_A_ENDPOINT_IFINDEX]);
	wattle_get_text(endpoint->ifname, sizeof(endpoint->ifname), tb[WATTLE_A_ENDPOINT_IFNAME]);
	wattle_get_text(endpoint->pod, sizeof(endpoint->pod), tb[WATTLE_A_ENDPOINT_POD]);
	endpoint->has_id = tb[WATTLE_A_ENDPOINT_ID];
	endpoint->id = wattle_get_u32(tb[WATTLE_A_ENDPOINT_ID]);
	endpoint->enforce = wattle_get_u8(tb[WATTLE_A_ENDPOINT_ENFORCE]);
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest)
		ips += nla_type(attr) == WATTLE_A_ENDPOINT_IP;
	if (ips) {
		endpoint->ip = calloc(ips, sizeof(*endpoint->ip));
		if (!endpoint->ip)
			return -ENOMEM;
	}
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest)
		if (nla_type(attr) == WATTLE_A_ENDPOINT_IP)
			wattle_get_addr(&endpoint->ip[endpoint->ip_count++], attr);
	return 0;
}

void wattle_endpoint_release(struct wattle_endpoint *endpoint)
{
	free(endpoint->ip);
	endpoint->ip = NULL;
}
