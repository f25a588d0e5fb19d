// SPDX-License-Identifier: GPL-2.0-only
/* Questions about a packet, and events, which tell of one. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int wattle_explain_ask(struct nl_msg *msg, const struct wattle_explain *question)
{
	wattle_msg_begin(msg, WATTLE_CMD_EXPLAIN, 0);
	if (wattle_put_addr(msg, WATTLE_A_EXPLAIN_SRC, &question->src) ||
	    wattle_put_addr(msg, WATTLE_A_EXPLAIN_DST, &question->dst) ||
	    nla_put_u8(msg, WATTLE_A_EXPLAIN_PROTO, question->proto) ||
	    nla_put_u16(msg, WATTLE_A_EXPLAIN_SPORT, question->sport) ||
	    nla_put_u16(msg, WATTLE_A_EXPLAIN_DPORT, question->dport))
		return -EMSGSIZE;
	return 0;
}

static void wattle_decision_get(struct wattle_decision *decision, const struct nlattr *nest)
{
	struct nlattr *tb[WATTLE_A_DECISION_MAX + 1];

	memset(decision, 0, sizeof(*decision));
	if (wattle_nest_parse(nest, tb, WATTLE_A_DECISION_MAX))
		return;
	decision->present = true;
	decision->enforced = wattle_get_u8(tb[WATTLE_A_DECISION_ENFORCED]);
	decision->action = wattle_get_u8(tb[WATTLE_A_DECISION_ACTION]);
	decision->has_rule = tb[WATTLE_A_DECISION_RULE];
	if (decision->has_rule)
		wattle_rule_get(&decision->rule, tb[WATTLE_A_DECISION_RULE]);
}

int wattle_explain_parse(const struct nlmsghdr *nlh, struct wattle_explain *explain)
{
	struct nlattr *tb[WATTLE_A_EXPLAIN_MAX + 1];

	memset(explain, 0, sizeof(*explain));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_EXPLAIN_MAX))
		return -EBADMSG;
	wattle_get_addr(&explain->src, tb[WATTLE_A_EXPLAIN_SRC]);
	wattle_get_addr(&explain->dst, tb[WATTLE_A_EXPLAIN_DST]);
	explain->proto = wattle_get_u8(tb[WATTLE_A_EXPLAIN_PROTO]);
	explain->sport = wattle_get_u16(tb[WATTLE_A_EXPLAIN_SPORT]);
	explain->dport = wattle_get_u16(tb[WATTLE_A_EXPLAIN_DPORT]);
	explain->verdict = wattle_get_u8(tb[WATTLE_A_EXPLAIN_VERDICT]);
	explain->reason = wattle_get_u32(tb[WATTLE_A_EXPLAIN_REASON]);
	wattle_get_text(explain->reason_name, sizeof(explain->reason_name),
			tb[WATTLE_A_EXPLAIN_REASON_NAME]);
	explain->src_identity = wattle_get_u32(tb[WATTLE_A_EXPLAIN_SRC_IDENTITY]);
	explain->dst_identity = wattle_get_u32(tb[WATTLE_A_EXPLAIN_DST_IDENTITY]);
	wattle_get_addr(&explain->service_addr, tb[WATTLE_A_EXPLAIN_SERVICE_ADDR]);
	explain->service_port = wattle_get_u16(tb[WATTLE_A_EXPLAIN_SERVICE_PORT]);
	wattle_get_addr(&explain->backend_addr, tb[WATTLE_A_EXPLAIN_BACKEND_ADDR]);
	explain->backend_port = wattle_get_u16(tb[WATTLE_A_EXPLAIN_BACKEND_PORT]);
	wattle_get_addr(&explain->via, tb[WATTLE_A_EXPLAIN_VIA]);
	wattle_get_text(explain->node, sizeof(explain->node), tb[WATTLE_A_EXPLAIN_NODE]);
	wattle_get_addr(&explain->masquerade, tb[WATTLE_A_EXPLAIN_MASQUERADE]);
	explain->gateway = tb[WATTLE_A_EXPLAIN_GATEWAY];
	explain->dsr = tb[WATTLE_A_EXPLAIN_DSR];
	wattle_decision_get(&explain->egress, tb[WATTLE_A_EXPLAIN_EGRESS]);
	wattle_decision_get(&explain->ingress, tb[WATTLE_A_EXPLAIN_INGRESS]);
	explain->ifindex = wattle_get_u32(tb[WATTLE_A_EXPLAIN_IFINDEX]);
	explain->length = wattle_get_u32(tb[WATTLE_A_EXPLAIN_LENGTH]);
	explain->lost = wattle_get_u64(tb[WATTLE_A_EXPLAIN_LOST]);
	explain->time = wattle_get_u64(tb[WATTLE_A_EXPLAIN_TIME]);
	return 0;
}
