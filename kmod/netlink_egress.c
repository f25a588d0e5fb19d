// SPDX-License-Identifier: GPL-2.0-only
/* Rules for what leaves the cluster: as attributes, and back. */
#include "netlink.h"

static const struct wattle_nl_field wattle_nl_egress_fields[] = {
	{ WATTLE_FIELD_ID, WATTLE_A_EGRESS_ID },
	{ WATTLE_FIELD_SOURCE, WATTLE_A_EGRESS_SOURCE },
	{ WATTLE_FIELD_CIDR, WATTLE_A_EGRESS_TO },
	{ WATTLE_FIELD_ACTION, WATTLE_A_EGRESS_ACTION },
	{ WATTLE_FIELD_ADDR, WATTLE_A_EGRESS_AS },
	{ WATTLE_FIELD_VIA, WATTLE_A_EGRESS_VIA },
	{ WATTLE_FIELD_VIA, WATTLE_A_EGRESS_ACTION },
};

static int wattle_nl_egress_refused(struct genl_info *info, int err,
				    const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_egress_fields,
				 ARRAY_SIZE(wattle_nl_egress_fields));
}

/* Whose packets, and where to. */
static int wattle_nl_egress_key(struct genl_info *info, struct wattle_egress_from *from,
				struct wattle_prefix *to)
{
	struct nlattr **tb = info->attrs;
	int err;

	*from = (struct wattle_egress_from){};
	if (wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_EGRESS_TO,
			    "a rule needs the prefix of its destinations"))
		return -EINVAL;
	if (tb[WATTLE_A_EGRESS_ID]) {
		from->id = nla_get_u32(tb[WATTLE_A_EGRESS_ID]);
		if (!from->id)
			return wattle_nl_refuse(info->extack, tb[WATTLE_A_EGRESS_ID], -EINVAL,
						"identity 0 is nobody; for any pod leave it out");
	}
	if (tb[WATTLE_A_EGRESS_SOURCE]) {
		err = wattle_nl_get_addr(tb[WATTLE_A_EGRESS_SOURCE], &from->addr, info->extack);
		if (err)
			return err;
		if (ipv6_addr_any(&from->addr))
			return wattle_nl_refuse(info->extack, tb[WATTLE_A_EGRESS_SOURCE], -EINVAL,
						"no pod has the unspecified address");
	}
	return wattle_nl_get_prefix_nest(tb[WATTLE_A_EGRESS_TO], to, info->extack);
}

/* The address that goes with the action. */
static int wattle_nl_egress_addr(struct genl_info *info, struct wattle_egress_spec *spec)
{
	bool by_node = spec->action == WATTLE_EGRESS_ACTION_VIA;
	const struct nlattr *as = info->attrs[WATTLE_A_EGRESS_AS];
	const struct nlattr *via = info->attrs[WATTLE_A_EGRESS_VIA];
	const struct nlattr *attr = by_node ? via : as;
	int err;

	if (by_node && as)
		return wattle_nl_refuse(info->extack, as, -EINVAL,
					"it is the gateway that says with which address it leaves");
	if (!by_node && via)
		return wattle_nl_refuse(info->extack, via, -EINVAL,
					"only action via goes by a gateway");
	if (!attr)
		return 0;
	err = wattle_nl_get_addr(attr, &spec->addr, info->extack);
	if (err)
		return err;
	return !ipv6_addr_any(&spec->addr) ? 0 :
	       wattle_nl_refuse(info->extack, attr, -EINVAL,
				"the unspecified address is nobody's");
}

static int wattle_nl_egress_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_egress_spec spec = {};
	struct wattle_refusal why = {};
	int err;

	err = wattle_nl_egress_key(info, &spec.from, &spec.to);
	if (err)
		return err;
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_EGRESS_ACTION,
			    "a rule needs its action"))
		return -EINVAL;
	spec.action = nla_get_u8(info->attrs[WATTLE_A_EGRESS_ACTION]);
	err = wattle_nl_egress_addr(info, &spec);
	if (err)
		return err;
	err = wattle_config_egress_add(&w->config, info->snd_portid, &spec,
				       info->nlhdr->nlmsg_flags & NLM_F_REPLACE, &why);
	return wattle_nl_egress_refused(info, err, &why);
}

static int wattle_nl_egress_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_egress_from from;
	struct wattle_prefix to;
	int err;

	err = wattle_nl_egress_key(info, &from, &to);
	if (err)
		return err;
	err = wattle_config_egress_del(&w->config, info->snd_portid, &from, &to, &why);
	return wattle_nl_egress_refused(info, err, &why);
}

int wattle_nl_egress_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_egress_new);
}

int wattle_nl_egress_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_egress_del);
}

/* Context: RCU reader. */
static int wattle_nl_put_egress_addr(struct wattle *w, struct sk_buff *skb,
				     const struct wattle_egress_spec *spec)
{
	struct wattle_node *node;

	if (ipv6_addr_any(&spec->addr))
		return 0;
	if (spec->action != WATTLE_EGRESS_ACTION_VIA)
		return wattle_nl_put_addr(skb, WATTLE_A_EGRESS_AS, &spec->addr);
	node = wattle_node_by_addr(&w->config.nodes, &spec->addr, wattle_generation(&w->config));
	return wattle_nl_put_addr(skb, WATTLE_A_EGRESS_VIA, &spec->addr) ?:
	       (node ? nla_put_string(skb, WATTLE_A_EGRESS_NODE, node->name) : 0);
}

static int wattle_nl_put_egress(struct wattle *w, struct sk_buff *skb,
				const struct wattle_egress_spec *spec)
{
	if ((spec->from.id && nla_put_u32(skb, WATTLE_A_EGRESS_ID, spec->from.id)) ||
	    (!ipv6_addr_any(&spec->from.addr) &&
	     wattle_nl_put_addr(skb, WATTLE_A_EGRESS_SOURCE, &spec->from.addr)) ||
	    wattle_nl_put_prefix_nest(skb, WATTLE_A_EGRESS_TO, &spec->to) ||
	    nla_put_u8(skb, WATTLE_A_EGRESS_ACTION, spec->action) ||
	    wattle_nl_put_egress_addr(w, skb, spec))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_egress_visit(const struct wattle_egress_spec *spec, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	const struct nlattr *id = walk->tb[WATTLE_A_EGRESS_ID];
	void *hdr;

	if (id && nla_get_u32(id) != spec->from.id)
		return 0;
	hdr = wattle_nl_dump_begin(walk);
	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_egress(walk->w, walk->skb, spec));
}

static int wattle_nl_egress_walk(struct wattle_nl_walk *walk)
{
	return wattle_walk_egress(walk->dump->walk, wattle_nl_egress_visit, walk);
}

int wattle_nl_egress_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_EGRESS_GET, WATTLE_A_EGRESS_ID,
			      wattle_egress_get_nl_policy, wattle_nl_egress_walk);
}
