// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "internal.h"

static int wattle_rule_put_peer(struct nl_msg *msg, const struct wattle_rule *rule)
{
	if (nla_put_u8(msg, WATTLE_A_RULE_PEER_KIND, rule->peer_kind))
		return -EMSGSIZE;
	switch (rule->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		return nla_put_u32(msg, WATTLE_A_RULE_PEER_ID, rule->peer_id) ? -EMSGSIZE : 0;
	case WATTLE_PEER_KIND_PREFIX:
		return wattle_put_prefix(msg, WATTLE_A_RULE_PEER, &rule->peer);
	}
	return 0;
}

int wattle_rule_put(struct nl_msg *msg, int type, const struct wattle_rule *rule)
{
	struct nlattr *nest = wattle_nest_start(msg, type);

	if (!nest || nla_put_u32(msg, WATTLE_A_RULE_ID, rule->id) ||
	    nla_put_u8(msg, WATTLE_A_RULE_DIRECTION, rule->direction) ||
	    wattle_rule_put_peer(msg, rule) ||
	    (rule->outside && nla_put_flag(msg, WATTLE_A_RULE_OUTSIDE)) ||
	    (rule->has_proto && nla_put_u8(msg, WATTLE_A_RULE_PROTO, rule->proto)) ||
	    (rule->has_port && (nla_put_u16(msg, WATTLE_A_RULE_PORT_MIN, rule->port_min) ||
				nla_put_u16(msg, WATTLE_A_RULE_PORT_MAX, rule->port_max))) ||
	    nla_put_u8(msg, WATTLE_A_RULE_ACTION, rule->action) ||
	    (rule->has_priority && nla_put_u16(msg, WATTLE_A_RULE_PRIORITY, rule->priority)) ||
	    (rule->origin[0] && nla_put_string(msg, WATTLE_A_RULE_ORIGIN, rule->origin)))
		return -EMSGSIZE;
	return wattle_nest_end(msg, nest);
}

void wattle_rule_get(struct wattle_rule *rule, const struct nlattr *nest)
{
	struct nlattr *tb[WATTLE_A_RULE_MAX + 1];

	memset(rule, 0, sizeof(*rule));
	if (wattle_nest_parse(nest, tb, WATTLE_A_RULE_MAX))
		return;
	rule->id = wattle_get_u32(tb[WATTLE_A_RULE_ID]);
	rule->direction = wattle_get_u8(tb[WATTLE_A_RULE_DIRECTION]);
	rule->peer_id = wattle_get_u32(tb[WATTLE_A_RULE_PEER_ID]);
	wattle_get_prefix(&rule->peer, tb[WATTLE_A_RULE_PEER]);
	rule->peer_kind = tb[WATTLE_A_RULE_PEER] ? WATTLE_PEER_KIND_PREFIX :
			  tb[WATTLE_A_RULE_PEER_ID] ? WATTLE_PEER_KIND_IDENTITY :
			  WATTLE_PEER_KIND_ANY;
	if (tb[WATTLE_A_RULE_PEER_KIND])
		rule->peer_kind = wattle_get_u8(tb[WATTLE_A_RULE_PEER_KIND]);
	rule->outside = tb[WATTLE_A_RULE_OUTSIDE];
	rule->has_proto = tb[WATTLE_A_RULE_PROTO];
	rule->proto = wattle_get_u8(tb[WATTLE_A_RULE_PROTO]);
	rule->has_port = tb[WATTLE_A_RULE_PORT_MIN];
	rule->port_min = wattle_get_u16(tb[WATTLE_A_RULE_PORT_MIN]);
	rule->port_max = tb[WATTLE_A_RULE_PORT_MAX] ? wattle_get_u16(tb[WATTLE_A_RULE_PORT_MAX]) :
			 rule->port_min;
	rule->action = wattle_get_u8(tb[WATTLE_A_RULE_ACTION]);
	rule->has_priority = tb[WATTLE_A_RULE_PRIORITY];
	rule->priority = wattle_get_u16(tb[WATTLE_A_RULE_PRIORITY]);
	wattle_get_text(rule->origin, sizeof(rule->origin), tb[WATTLE_A_RULE_ORIGIN]);
	rule->packets = wattle_get_u64(tb[WATTLE_A_RULE_PACKETS]);
	rule->bytes = wattle_get_u64(tb[WATTLE_A_RULE_BYTES]);
}

int wattle_rule_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_rule *rule)
{
	wattle_msg_change(msg, how, WATTLE_CMD_POLICY_NEW, WATTLE_CMD_POLICY_DEL);
	return wattle_rule_put(msg, WATTLE_A_POLICY_RULE, rule);
}

int wattle_rule_ask(struct nl_msg *msg, uint32_t id)
{
	wattle_msg_begin(msg, WATTLE_CMD_POLICY_GET, 0);
	return id && nla_put_u32(msg, WATTLE_A_POLICY_ID, id) ? -EMSGSIZE : 0;
}

int wattle_rule_flush(struct nl_msg *msg, uint32_t id)
{
	wattle_msg_begin(msg, WATTLE_CMD_POLICY_FLUSH, 0);
	return id && nla_put_u32(msg, WATTLE_A_POLICY_ID, id) ? -EMSGSIZE : 0;
}

int wattle_rule_parse(const struct nlmsghdr *nlh, struct wattle_rule *rule)
{
	struct nlattr *tb[WATTLE_A_POLICY_MAX + 1];

	memset(rule, 0, sizeof(*rule));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_POLICY_MAX) || !tb[WATTLE_A_POLICY_RULE])
		return -EBADMSG;
	wattle_rule_get(rule, tb[WATTLE_A_POLICY_RULE]);
	return 0;
}
