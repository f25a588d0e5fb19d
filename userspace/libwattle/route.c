// SPDX-License-Identifier: GPL-2.0-only
/* Routes of our own protocol number, in the main table. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

static void wattle_route_begin(struct nl_msg *msg, uint16_t type, uint16_t flags,
			       const struct rtmsg *rtm)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	memset(nlh, 0, sizeof(*nlh));
	nlh->nlmsg_len = NLMSG_HDRLEN;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlmsg_append(msg, (void *)rtm, sizeof(*rtm), NLMSG_ALIGNTO);
}

int wattle_route_encode(struct nl_msg *msg, enum wattle_how how,
			const struct wattle_route *route)
{
	const struct wattle_addr *addr = &route->dst.addr;
	struct rtmsg rtm = {
		.rtm_family = addr->len == 4 ? AF_INET : AF_INET6,
		.rtm_dst_len = route->dst.len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = WATTLE_RTPROT,
		.rtm_scope = addr->len == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};

	if (how == WATTLE_DEL)
		wattle_route_begin(msg, RTM_DELROUTE, 0, &rtm);
	else
		wattle_route_begin(msg, RTM_NEWROUTE, NLM_F_CREATE |
				   (how == WATTLE_ADD ? NLM_F_EXCL : NLM_F_REPLACE), &rtm);
	if ((route->dst.len && wattle_put_addr(msg, RTA_DST, addr)) ||
	    nla_put_u32(msg, RTA_OIF, route->ifindex))
		return -EMSGSIZE;
	return 0;
}

int wattle_route_ask(struct nl_msg *msg, uint8_t addr_len)
{
	/* The kernel picks them out where it checks requests strictly. */
	const struct rtmsg rtm = {
		.rtm_family = addr_len == 4 ? AF_INET : AF_INET6,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = WATTLE_RTPROT,
	};

	wattle_route_begin(msg, RTM_GETROUTE, 0, &rtm);
	return 0;
}

int wattle_route_ask_best(struct nl_msg *msg, const struct wattle_addr *addr)
{
	const struct rtmsg rtm = {
		.rtm_family = addr->len == 4 ? AF_INET : AF_INET6,
		.rtm_dst_len = wattle_addr_bits(addr),
		.rtm_flags = RTM_F_FIB_MATCH,
	};

	wattle_route_begin(msg, RTM_GETROUTE, 0, &rtm);
	return wattle_put_addr(msg, RTA_DST, addr) ? -EMSGSIZE : 0;
}

int wattle_route_parse(const struct nlmsghdr *nlh, struct wattle_route *route)
{
	struct nlattr *tb[RTA_MAX + 1] = {};
	struct rtmsg *rtm = NLMSG_DATA(nlh);
	uint32_t table;

	memset(route, 0, sizeof(*route));
	if (nlh->nlmsg_type != RTM_NEWROUTE || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*rtm)))
		return -EBADMSG;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), tb, RTA_MAX, NULL))
		return -EBADMSG;
	wattle_get_addr(&route->dst.addr, tb[RTA_DST]);
	route->dst.addr.len = rtm->rtm_family == AF_INET ? 4 : 16;
	route->dst.len = rtm->rtm_dst_len;
	route->ifindex = tb[RTA_OIF] ? wattle_get_u32(tb[RTA_OIF]) : 0;
	table = tb[RTA_TABLE] ? wattle_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	return table == RT_TABLE_MAIN && rtm->rtm_protocol == WATTLE_RTPROT &&
	       rtm->rtm_type == RTN_UNICAST && route->ifindex ? 0 : -ENOENT;
}
