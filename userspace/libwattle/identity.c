// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "internal.h"

int wattle_identity_encode(struct nl_msg *msg, enum wattle_how how,
			   const struct wattle_identity *identity)
{
	wattle_msg_change(msg, how, WATTLE_CMD_IDENTITY_NEW, WATTLE_CMD_IDENTITY_DEL);
	if (wattle_put_addr(msg, WATTLE_A_IDENTITY_ADDR, &identity->prefix.addr) ||
	    nla_put_u8(msg, WATTLE_A_IDENTITY_LEN, identity->prefix.len))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	if (nla_put_u32(msg, WATTLE_A_IDENTITY_ID, identity->id))
		return -EMSGSIZE;
	if (identity->via.len && wattle_put_addr(msg, WATTLE_A_IDENTITY_VIA, &identity->via))
		return -EMSGSIZE;
	return 0;
}

int wattle_identity_ask(struct nl_msg *msg, const struct wattle_addr *addr)
{
	wattle_msg_begin(msg, WATTLE_CMD_IDENTITY_GET, 0);
	return addr ? wattle_put_addr(msg, WATTLE_A_IDENTITY_ADDR, addr) : 0;
}

int wattle_identity_parse(const struct nlmsghdr *nlh, struct wattle_identity *identity)
{
	struct nlattr *tb[WATTLE_A_IDENTITY_MAX + 1];

	memset(identity, 0, sizeof(*identity));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_IDENTITY_MAX))
		return -EBADMSG;
	wattle_get_addr(&identity->prefix.addr, tb[WATTLE_A_IDENTITY_ADDR]);
	identity->prefix.len = wattle_addr_bits(&identity->prefix.addr);
	if (tb[WATTLE_A_IDENTITY_LEN])
		identity->prefix.len = wattle_get_u8(tb[WATTLE_A_IDENTITY_LEN]);
	identity->id = wattle_get_u32(tb[WATTLE_A_IDENTITY_ID]);
	wattle_get_addr(&identity->via, tb[WATTLE_A_IDENTITY_VIA]);
	wattle_get_text(identity->node, sizeof(identity->node), tb[WATTLE_A_IDENTITY_NODE]);
	identity->has_by = tb[WATTLE_A_IDENTITY_BY];
	identity->by = wattle_get_u8(tb[WATTLE_A_IDENTITY_BY]);
	return 0;
}
