// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes: requests into the words of config.h, refusals back into attributes. What
 * a request means by itself is checked here, what it means beside the rest
 * of the tables by the configuration.
 */
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "netlink.h"

static bool wattle_nl_replace(const struct genl_info *info)
{
	return info->nlhdr->nlmsg_flags & NLM_F_REPLACE;
}

/* --- nodes --- */

static const struct wattle_nl_field wattle_nl_node_fields[] = {
	{ WATTLE_FIELD_NAME, WATTLE_A_NODE_NAME },
	{ WATTLE_FIELD_ADDR, WATTLE_A_NODE_ADDR },
	{ WATTLE_FIELD_CIDR, WATTLE_A_NODE_CIDR },
	{ WATTLE_FIELD_PREFIX_LEN, WATTLE_A_NODE_CIDR },
};

static int wattle_nl_node_refused(struct genl_info *info, int err,
				  const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_node_fields,
				 ARRAY_SIZE(wattle_nl_node_fields));
}

static int wattle_nl_node_addr(struct wattle_node_spec *spec, const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	struct in6_addr addr, *where;
	int err;

	err = wattle_nl_get_addr(attr, &addr, extack);
	if (err)
		return err;
	if (ipv6_addr_any(&addr))
		return wattle_nl_refuse(extack, attr, -EINVAL,
					"the unspecified address is no tunnel end point");
	where = wattle_addr_is_v4(&addr) ? &spec->addr4 : &spec->addr6;
	if (!ipv6_addr_any(where))
		return wattle_nl_refuse(extack, attr, -EINVAL,
					"a node has at most one address of each family");
	*where = addr;
	return 0;
}

/* @cidrs has room for all that there are. */
static int wattle_nl_node_spec(struct genl_info *info, struct wattle_node_spec *spec,
			       struct wattle_prefix *cidrs)
{
	const struct nlattr *attr;
	int rem, err = 0;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		switch (nla_type(attr)) {
		case WATTLE_A_NODE_ADDR:
			err = wattle_nl_node_addr(spec, attr, info->extack);
			break;
		case WATTLE_A_NODE_CIDR:
			err = wattle_nl_get_prefix_nest(attr, &cidrs[spec->cidr_count++],
							info->extack);
			break;
		}
		if (err)
			return err;
	}
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_NODE_ADDR,
			    "a node needs the address of its tunnel end point"))
		return -EINVAL;
	return 0;
}

static int wattle_nl_node_name(struct genl_info *info, const char **name)
{
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_NODE_NAME,
			    "a node is told by its name"))
		return -EINVAL;
	*name = nla_data(info->attrs[WATTLE_A_NODE_NAME]);
	if (!**name)
		return wattle_nl_refuse(info->extack, info->attrs[WATTLE_A_NODE_NAME], -EINVAL,
					"the name of a node is 1 to 63 bytes long");
	return 0;
}

static int wattle_nl_node_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_node_spec spec = {};
	struct wattle_prefix *cidrs = NULL;
	struct wattle_refusal why = {};
	unsigned int count;
	int err;

	err = wattle_nl_node_name(info, &spec.name);
	if (err)
		return err;
	count = wattle_nl_count(info, WATTLE_A_NODE_CIDR);
	if (count) {
		cidrs = kvmalloc_array(count, sizeof(*cidrs), GFP_KERNEL);
		if (!cidrs)
			return -ENOMEM;
	}
	spec.cidrs = cidrs;
	err = wattle_nl_node_spec(info, &spec, cidrs);
	if (!err) {
		err = wattle_config_node_add(&w->config, info->snd_portid, &spec,
					     wattle_nl_replace(info), &why);
		wattle_nl_node_refused(info, err, &why);
	}
	kvfree(cidrs);
	return err;
}

static int wattle_nl_node_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	const char *name;
	int err;

	err = wattle_nl_node_name(info, &name);
	if (err)
		return err;
	return wattle_nl_node_refused(info, wattle_config_node_del(&w->config, info->snd_portid,
								   name, &why), &why);
}

int wattle_nl_node_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_node_new);
}

int wattle_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_node_del);
}

/* --- identities --- */

static const struct wattle_nl_field wattle_nl_identity_fields[] = {
	{ WATTLE_FIELD_ADDR, WATTLE_A_IDENTITY_ADDR },
	{ WATTLE_FIELD_PREFIX_LEN, WATTLE_A_IDENTITY_LEN },
	{ WATTLE_FIELD_PREFIX_LEN, WATTLE_A_IDENTITY_ADDR },
	{ WATTLE_FIELD_ID, WATTLE_A_IDENTITY_ID },
	{ WATTLE_FIELD_VIA, WATTLE_A_IDENTITY_VIA },
};

static int wattle_nl_identity_refused(struct genl_info *info, int err,
				      const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_identity_fields,
				 ARRAY_SIZE(wattle_nl_identity_fields));
}

static int wattle_nl_identity_prefix(struct genl_info *info, struct wattle_prefix *prefix)
{
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_IDENTITY_ADDR,
			    "an identity belongs to a prefix: its address is missing"))
		return -EINVAL;
	return wattle_nl_get_prefix(info->attrs[WATTLE_A_IDENTITY_ADDR],
				    info->attrs[WATTLE_A_IDENTITY_LEN], prefix, info->extack);
}

static int wattle_nl_identity_new(struct wattle *w, struct genl_info *info)
{
	const struct nlattr *via = info->attrs[WATTLE_A_IDENTITY_VIA];
	struct wattle_identity_spec spec = {};
	struct wattle_refusal why = {};
	int err;

	err = wattle_nl_identity_prefix(info, &spec.prefix);
	if (err)
		return err;
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_IDENTITY_ID,
			    "the number of the identity is missing"))
		return -EINVAL;
	spec.id = nla_get_u32(info->attrs[WATTLE_A_IDENTITY_ID]);
	if (via) {
		err = wattle_nl_get_addr(via, &spec.via, info->extack);
		if (err)
			return err;
		if (ipv6_addr_any(&spec.via))
			return wattle_nl_refuse(info->extack, via, -EINVAL,
						"the unspecified address is no tunnel end point");
	}
	err = wattle_config_identity_add(&w->config, info->snd_portid, &spec,
					 wattle_nl_replace(info), &why);
	return wattle_nl_identity_refused(info, err, &why);
}

static int wattle_nl_identity_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_prefix prefix;
	int err;

	err = wattle_nl_identity_prefix(info, &prefix);
	if (err)
		return err;
	err = wattle_config_identity_del(&w->config, info->snd_portid, &prefix, &why);
	return wattle_nl_identity_refused(info, err, &why);
}

int wattle_nl_identity_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_identity_new);
}

int wattle_nl_identity_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_identity_del);
}

/* --- endpoints --- */

static const struct wattle_nl_field wattle_nl_endpoint_fields[] = {
	{ WATTLE_FIELD_DEVICE, WATTLE_A_ENDPOINT_IFINDEX },
	{ WATTLE_FIELD_DEVICE, WATTLE_A_ENDPOINT_IFNAME },
	{ WATTLE_FIELD_POD, WATTLE_A_ENDPOINT_POD },
	{ WATTLE_FIELD_IP, WATTLE_A_ENDPOINT_IP },
	{ WATTLE_FIELD_ADDR, WATTLE_A_ENDPOINT_IP },
	{ WATTLE_FIELD_ID, WATTLE_A_ENDPOINT_ID },
};

static int wattle_nl_endpoint_refused(struct genl_info *info, int err,
				      const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_endpoint_fields,
				 ARRAY_SIZE(wattle_nl_endpoint_fields));
}

/* @ips has room for all that there are. */
static int wattle_nl_endpoint_ips(struct genl_info *info, struct in6_addr *ips)
{
	const struct nlattr *attr;
	unsigned int i = 0;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != WATTLE_A_ENDPOINT_IP)
			continue;
		err = wattle_nl_get_addr(attr, &ips[i], info->extack);
		if (err)
			return err;
		if (ipv6_addr_any(&ips[i]) || ipv6_addr_is_multicast(&ips[i]) ||
		    (wattle_addr_is_v4(&ips[i]) &&
		     (ipv4_is_zeronet(wattle_addr_v4(&ips[i])) ||
		      ipv4_is_lbcast(wattle_addr_v4(&ips[i])) ||
		      ipv4_is_multicast(wattle_addr_v4(&ips[i])))))
			return wattle_nl_refuse(info->extack, attr, -EINVAL,
						"the address of a pod is a unicast address");
		i++;
	}
	return 0;
}

/* RTNL keeps both devices. -ERESTART: another change is being made. */
static int wattle_nl_endpoint_try(struct genl_info *info, struct wattle_endpoint_spec *spec)
{
	const struct nlattr *ifindex = info->attrs[WATTLE_A_ENDPOINT_IFINDEX];
	struct net *net = genl_info_net(info);
	struct wattle_refusal why = {};
	struct wattle *w;
	int err;

	rtnl_lock();
	w = wattle_of(net);
	spec->dev = __dev_get_by_index(net, nla_get_u32(ifindex));
	if (!w) {
		err = wattle_nl_no_device(info->extack);
	} else if (!spec->dev) {
		err = wattle_nl_refuse(info->extack, ifindex, -ENODEV,
				       "there is no such network device in this namespace");
	} else {
		err = wattle_config_endpoint_add(&w->config, info->snd_portid, spec,
						 wattle_nl_replace(info), &why);
		if (err != -ERESTART)
			wattle_nl_endpoint_refused(info, err, &why);
	}
	rtnl_unlock();
	return err;
}

static int wattle_nl_endpoint_add(struct genl_info *info, struct wattle_endpoint_spec *spec)
{
	struct wattle *w;
	int err;

	while ((err = wattle_nl_endpoint_try(info, spec)) == -ERESTART) {
		w = wattle_get(genl_info_net(info));
		if (w) {
			wattle_config_wait(&w->config);
			wattle_put(w);
		}
	}
	return err;
}

int wattle_nl_endpoint_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct wattle_endpoint_spec spec = { .pod = "" };
	struct in6_addr *ips = NULL;
	unsigned int count;
	int err;

	if (wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_ENDPOINT_IFINDEX,
			    "an endpoint is told by the number of its device"))
		return -EINVAL;
	count = wattle_nl_count(info, WATTLE_A_ENDPOINT_IP);
	if (count > U8_MAX)
		return wattle_nl_refuse(info->extack, tb[WATTLE_A_ENDPOINT_IP], -EINVAL,
					"an endpoint has at most 255 addresses");
	if (count) {
		ips = kvmalloc_array(count, sizeof(*ips), GFP_KERNEL);
		if (!ips)
			return -ENOMEM;
	}
	err = wattle_nl_endpoint_ips(info, ips);
	if (err)
		goto out;
	spec.ips = ips;
	spec.ip_count = count;
	if (tb[WATTLE_A_ENDPOINT_POD])
		spec.pod = nla_data(tb[WATTLE_A_ENDPOINT_POD]);
	if (tb[WATTLE_A_ENDPOINT_ID])
		spec.id = nla_get_u32(tb[WATTLE_A_ENDPOINT_ID]);
	if (tb[WATTLE_A_ENDPOINT_ENFORCE])
		spec.enforce = nla_get_u8(tb[WATTLE_A_ENDPOINT_ENFORCE]);
	err = wattle_nl_endpoint_add(info, &spec);
out:
	kvfree(ips);
	return err;
}

static int wattle_nl_endpoint_del(struct wattle *w, struct genl_info *info)
{
	const struct nlattr *name = info->attrs[WATTLE_A_ENDPOINT_IFNAME];
	struct wattle_refusal why = {};
	struct net_device *dev;
	int ifindex, err;

	if (info->attrs[WATTLE_A_ENDPOINT_IFINDEX]) {
		ifindex = nla_get_u32(info->attrs[WATTLE_A_ENDPOINT_IFINDEX]);
	} else if (name) {
		dev = dev_get_by_name(genl_info_net(info), nla_data(name));
		if (!dev)
			return wattle_nl_refuse(info->extack, name, -ENOENT,
						"there is no such network device");
		ifindex = dev->ifindex;
		dev_put(dev);
	} else {
		wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_ENDPOINT_IFINDEX,
				"an endpoint is told by the number or the name of its device");
		return -EINVAL;
	}
	err = wattle_config_endpoint_del(&w->config, info->snd_portid, ifindex, &why);
	return wattle_nl_endpoint_refused(info, err, &why);
}

int wattle_nl_endpoint_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_endpoint_del);
}
