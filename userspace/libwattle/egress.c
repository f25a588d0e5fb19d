// SPDX-License-Identifier: GPL-2.0-only
/* Rules for what leaves the cluster. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int wattle_egress_put_key(struct nl_msg *msg, const struct wattle_egress *egress)
{
	if ((egress->id && nla_put_u32(msg, WATTLE_A_EGRESS_ID, egress->id)) ||
	    (egress->source.len && wattle_put_addr(msg, WATTLE_A_EGRESS_SOURCE, &egress->source)) ||
	    wattle_put_prefix(msg, WATTLE_A_EGRESS_TO, &egress->to))
		return -EMSGSIZE;
	return 0;
}

int wattle_egress_encode(struct nl_msg *msg, enum wattle_how how,
			 const struct wattle_egress *egress)
{
	wattle_msg_change(msg, how, WATTLE_CMD_EGRESS_NEW, WATTLE_CMD_EGRESS_DEL);
	if (wattle_egress_put_key(msg, egress))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	if (nla_put_u8(msg, WATTLE_A_EGRESS_ACTION, egress->action) ||
	    (egress->as.len && wattle_put_addr(msg, WATTLE_A_EGRESS_AS, &egress->as)) ||
	    (egress->via.len && wattle_put_addr(msg, WATTLE_A_EGRESS_VIA, &egress->via)))
		return -EMSGSIZE;
	return 0;
}

int wattle_egress_ask(struct nl_msg *msg, uint32_t id)
{
	wattle_msg_begin(msg, WATTLE_CMD_EGRESS_GET, NLM_F_DUMP);
	return id ? nla_put_u32(msg, WATTLE_A_EGRESS_ID, id) : 0;
}

int wattle_egress_parse(const struct nlmsghdr *nlh, struct wattle_egress *egress)
{
	struct nlattr *tb[WATTLE_A_EGRESS_MAX + 1];

	memset(egress, 0, sizeof(*egress));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_EGRESS_MAX))
		return -EBADMSG;
	egress->id = wattle_get_u32(tb[WATTLE_A_EGRESS_ID]);
	wattle_get_addr(&egress->source, tb[WATTLE_A_EGRESS_SOURCE]);
	wattle_get_prefix(&egress->to, tb[WATTLE_A_EGRESS_TO]);
	egress->action = wattle_get_u8(tb[WATTLE_A_EGRESS_ACTION]);
	wattle_get_addr(&egress->as, tb[WATTLE_A_EGRESS_AS]);
	wattle_get_addr(&egress->via, tb[WATTLE_A_EGRESS_VIA]);
	wattle_get_text(egress->node, sizeof(egress->node), tb[WATTLE_A_EGRESS_NODE]);
	return 0;
}
