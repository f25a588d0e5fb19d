// SPDX-License-Identifier: GPL-2.0-only
/* Service ranges. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int wattle_range_encode(struct nl_msg *msg, enum wattle_how how,
			const struct wattle_prefix *prefix)
{
	wattle_msg_change(msg, how, WATTLE_CMD_RANGE_NEW, WATTLE_CMD_RANGE_DEL);
	return wattle_put_prefix(msg, WATTLE_A_RANGE_PREFIX, prefix) ? -EMSGSIZE : 0;
}

int wattle_range_ask(struct nl_msg *msg)
{
	wattle_msg_begin(msg, WATTLE_CMD_RANGE_GET, NLM_F_DUMP);
	return 0;
}

int wattle_range_parse(const struct nlmsghdr *nlh, struct wattle_prefix *prefix)
{
	struct nlattr *tb[WATTLE_A_RANGE_MAX + 1];

	memset(prefix, 0, sizeof(*prefix));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_RANGE_MAX))
		return -EBADMSG;
	wattle_get_prefix(prefix, tb[WATTLE_A_RANGE_PREFIX]);
	return 0;
}
