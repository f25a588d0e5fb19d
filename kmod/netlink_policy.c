// SPDX-License-Identifier: GPL-2.0-only
/* Changes of policy: rules as attributes, and back. */
#include <linux/in.h>
#include "netlink.h"

static const struct wattle_nl_field wattle_nl_rule_fields[] = {
	{ WATTLE_FIELD_ID, WATTLE_A_RULE_ID },
	{ WATTLE_FIELD_PEER, WATTLE_A_RULE_PEER },
	{ WATTLE_FIELD_PEER, WATTLE_A_RULE_PEER_ID },
	{ WATTLE_FIELD_PEER, WATTLE_A_RULE_PEER_KIND },
	{ WATTLE_FIELD_PREFIX_LEN, WATTLE_A_RULE_PEER },
	{ WATTLE_FIELD_PROTO, WATTLE_A_RULE_PROTO },
	{ WATTLE_FIELD_PORT, WATTLE_A_RULE_PORT_MIN },
	{ WATTLE_FIELD_PORT, WATTLE_A_RULE_PORT_MAX },
	{ WATTLE_FIELD_ACTION, WATTLE_A_RULE_ACTION },
	{ WATTLE_FIELD_PRIORITY, WATTLE_A_RULE_PRIORITY },
	{ WATTLE_FIELD_ORIGIN, WATTLE_A_RULE_ORIGIN },
};

bool wattle_nl_has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

/* Who is the other side? Its kind follows from what is given, and may be said as well. */
static int wattle_nl_rule_peer(struct nlattr **tb, const struct nlattr *nest,
			       struct wattle_rule_spec *spec, struct netlink_ext_ack *extack)
{
	const struct nlattr *id = tb[WATTLE_A_RULE_PEER_ID], *peer = tb[WATTLE_A_RULE_PEER];
	const struct nlattr *kind = tb[WATTLE_A_RULE_PEER_KIND];

	if (id && peer)
		return wattle_nl_refuse(extack, id, -EINVAL,
					"a peer is an identity or a prefix, not both");
	spec->peer_kind = id ? WATTLE_PEER_KIND_IDENTITY :
			  peer ? WATTLE_PEER_KIND_PREFIX : WATTLE_PEER_KIND_ANY;
	if (kind && nla_get_u8(kind) != spec->peer_kind)
		return wattle_nl_refuse(extack, kind, -EINVAL,
					"the kind of the peer does not fit what names it");
	spec->outside = tb[WATTLE_A_RULE_OUTSIDE];
	if (spec->outside && !peer)
		return wattle_nl_refuse(extack, tb[WATTLE_A_RULE_OUTSIDE], -EINVAL,
					"only a prefix can mean what is outside the cluster");
	if (id) {
		spec->peer_id = nla_get_u32(id);
		if (!spec->peer_id)
			return wattle_nl_refuse(extack, id, -EINVAL,
						"identity 0 is nobody; for anybody leave out the peer");
	}
	return peer ? wattle_nl_get_prefix_nest(peer, &spec->peer, extack) : 0;
}

static int wattle_nl_rule_ports(struct nlattr **tb, struct wattle_rule_spec *spec,
				struct netlink_ext_ack *extack)
{
	const struct nlattr *min = tb[WATTLE_A_RULE_PORT_MIN], *max = tb[WATTLE_A_RULE_PORT_MAX];

	spec->port_max = U16_MAX;
	if (!min && !max)
		return 0;
	if (!min)
		return wattle_nl_refuse(extack, max, -EINVAL,
					"a range of ports needs its first port");
	spec->port_min = nla_get_u16(min);
	spec->port_max = max ? nla_get_u16(max) : spec->port_min;
	if (spec->port_min > spec->port_max)
		return wattle_nl_refuse(extack, max, -EINVAL,
					"the last port is less than the first");
	if (!spec->port_min && spec->port_max == U16_MAX)
		return 0;
	if (spec->any_proto || (!wattle_nl_has_ports(spec->proto) &&
				spec->proto != IPPROTO_ICMP && spec->proto != IPPROTO_ICMPV6))
		return wattle_nl_refuse(extack, min, -EINVAL,
					"ports need a protocol that has them: TCP, UDP, SCTP, DCCP, ICMP");
	return 0;
}

static int wattle_nl_rule_spec(struct genl_info *info, struct wattle_rule_spec *spec,
			       const char **origin)
{
	struct nlattr *tb[WATTLE_A_RULE_MAX + 1], *nest = info->attrs[WATTLE_A_POLICY_RULE];
	struct netlink_ext_ack *extack = info->extack;
	int err;

	if (wattle_nl_lacks(extack, NULL, info->attrs, WATTLE_A_POLICY_RULE, "the rule is missing"))
		return -EINVAL;
	err = nla_parse_nested(tb, WATTLE_A_RULE_MAX, nest, wattle_rule_nl_policy, extack);
	if (err)
		return err;
	if (wattle_nl_lacks(extack, nest, tb, WATTLE_A_RULE_ID,
			    "a rule needs the identity of the endpoints that it is for") ||
	    wattle_nl_lacks(extack, nest, tb, WATTLE_A_RULE_DIRECTION,
			    "a rule needs its direction, ingress or egress") ||
	    wattle_nl_lacks(extack, nest, tb, WATTLE_A_RULE_ACTION,
			    "a rule needs its action, allow or deny"))
		return -EINVAL;

	memset(spec, 0, sizeof(*spec));
	spec->subject = nla_get_u32(tb[WATTLE_A_RULE_ID]);
	if (!spec->subject)
		return wattle_nl_refuse(extack, tb[WATTLE_A_RULE_ID], -EINVAL,
					"a rule is for the endpoints of an identity, and 0 is none");
	spec->direction = nla_get_u8(tb[WATTLE_A_RULE_DIRECTION]);
	spec->action = nla_get_u8(tb[WATTLE_A_RULE_ACTION]);
	spec->any_proto = !tb[WATTLE_A_RULE_PROTO];
	if (!spec->any_proto)
		spec->proto = nla_get_u8(tb[WATTLE_A_RULE_PROTO]);
	if (tb[WATTLE_A_RULE_PRIORITY])
		spec->priority = nla_get_u16(tb[WATTLE_A_RULE_PRIORITY]);
	*origin = tb[WATTLE_A_RULE_ORIGIN] ? nla_data(tb[WATTLE_A_RULE_ORIGIN]) : "";
	return wattle_nl_rule_peer(tb, nest, spec, extack) ?:
	       wattle_nl_rule_ports(tb, spec, extack);
}

static int wattle_nl_rule_refused(struct genl_info *info, int err,
				  const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, info->attrs[WATTLE_A_POLICY_RULE],
				 wattle_nl_rule_fields, ARRAY_SIZE(wattle_nl_rule_fields));
}

static int wattle_nl_policy_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_rule_spec spec;
	const char *origin;
	int err;

	err = wattle_nl_rule_spec(info, &spec, &origin);
	if (err)
		return err;
	err = wattle_config_rule_add(&w->config, info->snd_portid, &spec, origin,
				     info->nlhdr->nlmsg_flags & NLM_F_REPLACE, &why);
	return wattle_nl_rule_refused(info, err, &why);
}

static int wattle_nl_policy_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_rule_spec spec;
	const char *origin;
	int err;

	err = wattle_nl_rule_spec(info, &spec, &origin);
	if (err)
		return err;
	err = wattle_config_rule_del(&w->config, info->snd_portid, &spec, &why);
	return wattle_nl_rule_refused(info, err, &why);
}

static int wattle_nl_policy_flush(struct wattle *w, struct genl_info *info)
{
	static const struct wattle_nl_field fields[] = { { WATTLE_FIELD_ID, WATTLE_A_POLICY_ID } };
	const struct nlattr *id = info->attrs[WATTLE_A_POLICY_ID];
	struct wattle_refusal why = {};
	int err;

	if (id && !nla_get_u32(id))
		return wattle_nl_refuse(info->extack, id, -EINVAL,
					"no rule is for identity 0; for all rules leave it out");
	err = wattle_config_rule_flush(&w->config, info->snd_portid, id ? nla_get_u32(id) : 0,
				       &why);
	return wattle_nl_refused(info, err, &why, NULL, fields, ARRAY_SIZE(fields));
}

int wattle_nl_policy_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_policy_new);
}

int wattle_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_policy_del);
}

int wattle_nl_policy_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_policy_flush);
}

static int wattle_nl_put_rule_peer(struct sk_buff *skb, const struct wattle_rule_spec *spec)
{
	switch (spec->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		return nla_put_u32(skb, WATTLE_A_RULE_PEER_ID, spec->peer_id);
	case WATTLE_PEER_KIND_PREFIX:
		return wattle_nl_put_prefix_nest(skb, WATTLE_A_RULE_PEER, &spec->peer) ?:
		       (spec->outside ? nla_put_flag(skb, WATTLE_A_RULE_OUTSIDE) : 0);
	default:
		return 0;
	}
}

static int wattle_nl_put_rule_fields(struct sk_buff *skb, const struct wattle_rule_spec *spec,
				     const char *origin)
{
	bool any_port = !spec->port_min && spec->port_max == U16_MAX;

	if (nla_put_u32(skb, WATTLE_A_RULE_ID, spec->subject) ||
	    nla_put_u8(skb, WATTLE_A_RULE_DIRECTION, spec->direction) ||
	    nla_put_u8(skb, WATTLE_A_RULE_PEER_KIND, spec->peer_kind) ||
	    wattle_nl_put_rule_peer(skb, spec) ||
	    (!spec->any_proto && nla_put_u8(skb, WATTLE_A_RULE_PROTO, spec->proto)) ||
	    (!any_port && (nla_put_u16(skb, WATTLE_A_RULE_PORT_MIN, spec->port_min) ||
			   nla_put_u16(skb, WATTLE_A_RULE_PORT_MAX, spec->port_max))) ||
	    nla_put_u8(skb, WATTLE_A_RULE_ACTION, spec->action) ||
	    nla_put_u16(skb, WATTLE_A_RULE_PRIORITY, spec->priority) ||
	    (origin && *origin && nla_put_string(skb, WATTLE_A_RULE_ORIGIN, origin)))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_put_rule_total(struct sk_buff *skb, const struct wattle_rule_total *total)
{
	return nla_put_u64_64bit(skb, WATTLE_A_RULE_PACKETS, total->packets,
				 WATTLE_A_RULE_PAD) ?:
	       nla_put_u64_64bit(skb, WATTLE_A_RULE_BYTES, total->bytes, WATTLE_A_RULE_PAD);
}

int wattle_nl_put_rule(struct sk_buff *skb, int type, const struct wattle_rule_spec *spec,
		       const char *origin, const struct wattle_rule_total *total)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (wattle_nl_put_rule_fields(skb, spec, origin) ||
	    (total && wattle_nl_put_rule_total(skb, total))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int wattle_nl_put_judgement(struct sk_buff *skb, int type, struct wattle_policies *policies,
			    const struct wattle_judgement *judgement)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	struct wattle_rule_spec spec;
	const char *origin;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, WATTLE_A_DECISION_ENFORCED, judgement->enforced) ||
	    nla_put_u8(skb, WATTLE_A_DECISION_ACTION,
		       judgement->allow ? WATTLE_ACTION_ALLOW : WATTLE_ACTION_DENY))
		goto full;
	if (judgement->rule) {
		wattle_rule_describe(policies, judgement->rule, &spec, &origin);
		if (wattle_nl_put_rule(skb, WATTLE_A_DECISION_RULE, &spec, origin, NULL))
			goto full;
	}
	nla_nest_end(skb, nest);
	return 0;
full:
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}
