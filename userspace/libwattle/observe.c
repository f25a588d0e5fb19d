// SPDX-License-Identifier: GPL-2.0-only
/* What can only be looked at: module and device, flows, counters. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int wattle_info_ask(struct nl_msg *msg)
{
	wattle_msg_begin(msg, WATTLE_CMD_INFO_GET, 0);
	return 0;
}

int wattle_info_parse(const struct nlmsghdr *nlh, struct wattle_info *info)
{
	struct nlattr *tb[WATTLE_A_INFO_MAX + 1];

	memset(info, 0, sizeof(*info));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_INFO_MAX))
		return -EBADMSG;
	wattle_get_text(info->version, sizeof(info->version), tb[WATTLE_A_INFO_VERSION]);
	info->abi = wattle_get_u32(tb[WATTLE_A_INFO_ABI]);
	info->generation = wattle_get_u64(tb[WATTLE_A_INFO_GENERATION]);
	info->ifindex = wattle_get_u32(tb[WATTLE_A_INFO_IFINDEX]);
	return 0;
}

int wattle_flow_ask(struct nl_msg *msg)
{
	wattle_msg_begin(msg, WATTLE_CMD_FLOW_GET, 0);
	return 0;
}

int wattle_flow_flush(struct nl_msg *msg)
{
	wattle_msg_begin(msg, WATTLE_CMD_FLOW_FLUSH, 0);
	return 0;
}

int wattle_flow_parse(const struct nlmsghdr *nlh, struct wattle_flow *flow)
{
	struct nlattr *tb[WATTLE_A_FLOW_MAX + 1];

	memset(flow, 0, sizeof(*flow));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_FLOW_MAX))
		return -EBADMSG;
	flow->cpu = wattle_get_u32(tb[WATTLE_A_FLOW_CPU]);
	wattle_get_addr(&flow->src, tb[WATTLE_A_FLOW_SRC]);
	wattle_get_addr(&flow->dst, tb[WATTLE_A_FLOW_DST]);
	flow->proto = wattle_get_u8(tb[WATTLE_A_FLOW_PROTO]);
	flow->sport = wattle_get_u16(tb[WATTLE_A_FLOW_SPORT]);
	flow->dport = wattle_get_u16(tb[WATTLE_A_FLOW_DPORT]);
	flow->src_identity = wattle_get_u32(tb[WATTLE_A_FLOW_SRC_IDENTITY]);
	flow->dst_identity = wattle_get_u32(tb[WATTLE_A_FLOW_DST_IDENTITY]);
	flow->verdict = wattle_get_u8(tb[WATTLE_A_FLOW_VERDICT]);
	wattle_get_text(flow->reason_name, sizeof(flow->reason_name),
			tb[WATTLE_A_FLOW_REASON_NAME]);
	wattle_get_addr(&flow->nat_src, tb[WATTLE_A_FLOW_NAT_SRC]);
	wattle_get_addr(&flow->nat_dst, tb[WATTLE_A_FLOW_NAT_DST]);
	flow->nat_sport = wattle_get_u16(tb[WATTLE_A_FLOW_NAT_SPORT]);
	flow->nat_dport = wattle_get_u16(tb[WATTLE_A_FLOW_NAT_DPORT]);
	wattle_get_addr(&flow->via, tb[WATTLE_A_FLOW_VIA]);
	flow->ifindex = wattle_get_u32(tb[WATTLE_A_FLOW_IFINDEX]);
	flow->packets = wattle_get_u64(tb[WATTLE_A_FLOW_PACKETS]);
	flow->bytes = wattle_get_u64(tb[WATTLE_A_FLOW_BYTES]);
	flow->generation = wattle_get_u64(tb[WATTLE_A_FLOW_GENERATION]);
	return 0;
}

int wattle_stat_ask(struct nl_msg *msg)
{
	wattle_msg_begin(msg, WATTLE_CMD_STATS_GET, 0);
	return 0;
}

int wattle_stat_parse(const struct nlmsghdr *nlh, struct wattle_stat *stat)
{
	struct nlattr *tb[WATTLE_A_STAT_MAX + 1];

	memset(stat, 0, sizeof(*stat));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_STAT_MAX))
		return -EBADMSG;
	wattle_get_text(stat->name, sizeof(stat->name), tb[WATTLE_A_STAT_NAME]);
	wattle_get_text(stat->help, sizeof(stat->help), tb[WATTLE_A_STAT_HELP]);
	stat->drop = tb[WATTLE_A_STAT_DROP];
	stat->packets = wattle_get_u64(tb[WATTLE_A_STAT_PACKETS]);
	stat->bytes = wattle_get_u64(tb[WATTLE_A_STAT_BYTES]);
	return 0;
}
