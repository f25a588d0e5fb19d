// SPDX-License-Identifier: GPL-2.0-only
/* Service ranges: as attributes, and back. */
#include "netlink.h"

static const struct wattle_nl_field wattle_nl_range_fields[] = {
	{ WATTLE_FIELD_CIDR, WATTLE_A_RANGE_PREFIX },
};

static int wattle_nl_range_prefix(struct genl_info *info, struct wattle_prefix *prefix)
{
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_RANGE_PREFIX,
			    "a range is told by its prefix"))
		return -EINVAL;
	return wattle_nl_get_prefix_nest(info->attrs[WATTLE_A_RANGE_PREFIX], prefix, info->extack);
}

static int wattle_nl_range_refused(struct genl_info *info, int err,
				   const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_range_fields,
				 ARRAY_SIZE(wattle_nl_range_fields));
}

static int wattle_nl_range_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_prefix prefix;
	int err;

	err = wattle_nl_range_prefix(info, &prefix);
	if (err)
		return err;
	err = wattle_config_range_add(&w->config, info->snd_portid, &prefix,
				      info->nlhdr->nlmsg_flags & NLM_F_REPLACE, &why);
	return wattle_nl_range_refused(info, err, &why);
}

static int wattle_nl_range_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_prefix prefix;
	int err;

	err = wattle_nl_range_prefix(info, &prefix);
	if (err)
		return err;
	err = wattle_config_range_del(&w->config, info->snd_portid, &prefix, &why);
	return wattle_nl_range_refused(info, err, &why);
}

int wattle_nl_range_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_range_new);
}

int wattle_nl_range_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_range_del);
}

struct wattle_nl_range_arg {
	struct wattle_nl_walk *walk;
	const struct wattle_prefix *only;	/* NULL: all */
};

static int wattle_nl_range_visit(const struct wattle_prefix *prefix, void *arg)
{
	const struct wattle_nl_range_arg *to = arg;
	struct wattle_nl_walk *walk = to->walk;
	void *hdr;

	if (to->only && (prefix->len != to->only->len ||
			 !ipv6_addr_equal(&prefix->addr, &to->only->addr)))
		return 0;
	hdr = wattle_nl_dump_begin(walk);
	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_prefix_nest(walk->skb,
								       WATTLE_A_RANGE_PREFIX,
								       prefix));
}

static int wattle_nl_range_walk(struct wattle_nl_walk *walk)
{
	const struct nlattr *attr = walk->tb[WATTLE_A_RANGE_PREFIX];
	struct wattle_nl_range_arg arg = { .walk = walk };
	struct wattle_prefix only;
	int err;

	if (attr) {
		err = wattle_nl_get_prefix_nest(attr, &only, walk->cb->extack);
		if (err)
			return err;
		arg.only = &only;
	}
	return wattle_walk_ranges(walk->dump->walk, wattle_nl_range_visit, &arg);
}

int wattle_nl_range_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_RANGE_GET, WATTLE_A_RANGE_PREFIX,
			      wattle_range_get_nl_policy, wattle_nl_range_walk);
}
