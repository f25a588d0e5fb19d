// SPDX-License-Identifier: GPL-2.0-only
/* The device, an rtnl link of the kind "wattle". */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "internal.h"

#define WATTLE_KIND	"wattle"

static void wattle_link_begin(struct nl_msg *msg, uint16_t type, uint16_t flags)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	memset(nlh, 0, sizeof(*nlh));
	nlh->nlmsg_len = NLMSG_HDRLEN;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
}

static int wattle_link_put_data(struct nl_msg *msg, const struct wattle_link *link)
{
	uint32_t given = link->given, local4;

	memcpy(&local4, link->local4.bytes, sizeof(local4));
	if ((link->local4.len && nla_put_u32(msg, IFLA_WATTLE_LOCAL4, local4)) ||
	    (link->local6.len && nla_put(msg, IFLA_WATTLE_LOCAL6, 16, link->local6.bytes)) ||
	    (given & WATTLE_LINK_PORT && nla_put_u16(msg, IFLA_WATTLE_PORT, link->port)) ||
	    (given & WATTLE_LINK_MODE && nla_put_u8(msg, IFLA_WATTLE_MODE, link->mode)) ||
	    (given & WATTLE_LINK_VNI && nla_put_u32(msg, IFLA_WATTLE_VNI, link->vni)) ||
	    (given & WATTLE_LINK_UNDERLAY &&
	     nla_put_u8(msg, IFLA_WATTLE_UNDERLAY, link->underlay)) ||
	    (given & WATTLE_LINK_STRICT && nla_put_u8(msg, IFLA_WATTLE_STRICT, link->strict)) ||
	    (given & WATTLE_LINK_CACHE && nla_put_u8(msg, IFLA_WATTLE_CACHE, link->cache)) ||
	    (given & WATTLE_LINK_CSUM && nla_put_u8(msg, IFLA_WATTLE_UDP_CSUM, link->csum)) ||
	    (given & WATTLE_LINK_TTL && nla_put_u8(msg, IFLA_WATTLE_TTL, link->ttl)) ||
	    (given & WATTLE_LINK_AUDIT && nla_put_u8(msg, IFLA_WATTLE_AUDIT, link->audit)))
		return -EMSGSIZE;
	return 0;
}

int wattle_link_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_link *link)
{
	struct nlattr *info, *data;

	wattle_link_begin(msg, how == WATTLE_DEL ? RTM_DELLINK : RTM_NEWLINK,
			  how == WATTLE_ADD ? NLM_F_CREATE | NLM_F_EXCL : 0);
	if (nla_put_string(msg, IFLA_IFNAME, link->name))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	if (link->given & WATTLE_LINK_MTU && nla_put_u32(msg, IFLA_MTU, link->mtu))
		return -EMSGSIZE;
	info = wattle_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, WATTLE_KIND))
		return -EMSGSIZE;
	data = wattle_nest_start(msg, IFLA_INFO_DATA);
	if (!data || wattle_link_put_data(msg, link))
		return -EMSGSIZE;
	nla_nest_end_keep_empty(msg, data);
	return wattle_nest_end(msg, info);
}

int wattle_link_ask(struct nl_msg *msg)
{
	struct nlattr *info;

	wattle_link_begin(msg, RTM_GETLINK, 0);
	info = wattle_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, WATTLE_KIND))
		return -EMSGSIZE;
	return wattle_nest_end(msg, info);
}

static void wattle_link_get_data(struct wattle_link *link, const struct nlattr *nest)
{
	struct nlattr *tb[IFLA_WATTLE_MAX + 1];

	if (wattle_nest_parse(nest, tb, IFLA_WATTLE_MAX))
		return;
	wattle_get_addr(&link->local4, tb[IFLA_WATTLE_LOCAL4]);
	wattle_get_addr(&link->local6, tb[IFLA_WATTLE_LOCAL6]);
	link->port = wattle_get_u16(tb[IFLA_WATTLE_PORT]);
	link->mode = wattle_get_u8(tb[IFLA_WATTLE_MODE]);
	link->vni = wattle_get_u32(tb[IFLA_WATTLE_VNI]);
	link->underlay = wattle_get_u8(tb[IFLA_WATTLE_UNDERLAY]);
	link->strict = wattle_get_u8(tb[IFLA_WATTLE_STRICT]);
	link->cache = wattle_get_u8(tb[IFLA_WATTLE_CACHE]);
	link->csum = wattle_get_u8(tb[IFLA_WATTLE_UDP_CSUM]);
	link->ttl = wattle_get_u8(tb[IFLA_WATTLE_TTL]);
	link->audit = wattle_get_u8(tb[IFLA_WATTLE_AUDIT]);
}

static void wattle_link_get_stats(struct wattle_link *link, const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats = {};
	size_t len = attr ? nla_len(attr) : 0;

	if (len > sizeof(stats))
		len = sizeof(stats);
	if (len)
		memcpy(&stats, nla_data(attr), len);
	link->rx_packets = stats.rx_packets;
	link->rx_bytes = stats.rx_bytes;
	link->rx_dropped = stats.rx_dropped;
	link->tx_packets = stats.tx_packets;
	link->tx_bytes = stats.tx_bytes;
	link->tx_dropped = stats.tx_dropped;
}

int wattle_link_parse(const struct nlmsghdr *nlh, struct wattle_link *link)
{
	struct nlattr *tb[IFLA_MAX + 1] = {}, *info[IFLA_INFO_MAX + 1];
	struct ifinfomsg *ifi = NLMSG_DATA(nlh);
	char kind[16];

	memset(link, 0, sizeof(*link));
	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*ifi)))
		return -EBADMSG;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), tb, IFLA_MAX, NULL))
		return -EBADMSG;
	if (wattle_nest_parse(tb[IFLA_LINKINFO], info, IFLA_INFO_MAX))
		return -ENOENT;
	wattle_get_text(kind, sizeof(kind), info[IFLA_INFO_KIND]);
	if (strcmp(kind, WATTLE_KIND))
		return -ENOENT;
	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	wattle_get_text(link->name, sizeof(link->name), tb[IFLA_IFNAME]);
	link->mtu = wattle_get_u32(tb[IFLA_MTU]);
	link->given = WATTLE_LINK_MTU;
	wattle_link_get_data(link, info[IFLA_INFO_DATA]);
	wattle_link_get_stats(link, tb[IFLA_STATS64]);
	return 0;
}
