// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the tables: nodes, identities, endpoints and rules. One entry by its key, or all.
 *
 * Nodes and endpoints have lists that may not fit a message: then the dump goes on in the
 * next one, which has the same key.
 */
#include <linux/in.h>
#include "flow.h"
#include "nat.h"
#include "netlink.h"

/* --- nodes --- */

static int wattle_nl_put_node(struct sk_buff *skb, const struct wattle_node *node)
{
	if (nla_put_string(skb, WATTLE_A_NODE_NAME, node->name) ||
	    (!ipv6_addr_any(&node->addr4) &&
	     wattle_nl_put_addr(skb, WATTLE_A_NODE_ADDR, &node->addr4)) ||
	    (!ipv6_addr_any(&node->addr6) &&
	     wattle_nl_put_addr(skb, WATTLE_A_NODE_ADDR, &node->addr6)))
		return -EMSGSIZE;
	return 0;
}

/* From the *@i-th on; *@i is then the first that did not fit. */
static int wattle_nl_put_cidrs(struct sk_buff *skb, const struct wattle_node *node, u32 *i)
{
	for (; *i < node->cidr_count; ++*i) {
		if (wattle_nl_put_prefix_nest(skb, WATTLE_A_NODE_CIDR, &node->cidrs[*i].prefix))
			return -EMSGSIZE;
	}
	return 0;
}

static int wattle_nl_node_fill(struct wattle *w, struct genl_info *info, u64 gen,
			       struct sk_buff *skb)
{
	const struct nlattr *name = info->attrs[WATTLE_A_NODE_NAME];
	struct wattle_node *node;
	u32 first = 0;

	node = wattle_node_by_name(&w->config.nodes, nla_data(name), gen);
	if (!node)
		return wattle_nl_refuse(info->extack, name, -ENOENT, "there is no such node");
	return wattle_nl_put_node(skb, node) ?: wattle_nl_put_cidrs(skb, node, &first);
}

/* Bytes of attributes that a node may need. */
static size_t wattle_nl_node_size(struct wattle *w, const char *name)
{
	struct wattle_node *node;
	size_t cidrs;

	rcu_read_lock();
	node = wattle_node_by_name(&w->config.nodes, name, wattle_generation(&w->config));
	cidrs = node ? node->cidr_count : 0;
	rcu_read_unlock();
	return NLMSG_DEFAULT_SIZE + cidrs * nla_total_size(nla_total_size(sizeof(struct in6_addr)) +
							   nla_total_size(sizeof(u8)));
}

static int wattle_nl_node_get(struct wattle *w, struct genl_info *info)
{
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_NODE_NAME,
			    "a node is told by its name; for all nodes ask for a dump"))
		return -EINVAL;
	return wattle_nl_reply(w, info, WATTLE_CMD_NODE_GET,
			       wattle_nl_node_size(w, nla_data(info->attrs[WATTLE_A_NODE_NAME])),
			       wattle_nl_node_fill);
}

int wattle_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_node_get);
}

static int wattle_nl_node_visit(const struct wattle_node *node, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	u32 first = walk->dump->sub;
	void *hdr;
	int err;

	if (walk->tb[WATTLE_A_NODE_NAME] &&
	    strcmp(nla_data(walk->tb[WATTLE_A_NODE_NAME]), node->name))
		return 0;
	hdr = wattle_nl_dump_begin(walk);
	if (!hdr)
		return -EMSGSIZE;
	err = wattle_nl_put_node(walk->skb, node);
	if (err)
		return wattle_nl_dump_end(walk, hdr, err);
	err = wattle_nl_put_cidrs(walk->skb, node, &walk->dump->sub);
	if (err && walk->dump->sub == first)
		return wattle_nl_dump_end(walk, hdr, err);
	wattle_nl_dump_end(walk, hdr, 0);
	if (!err)
		walk->dump->sub = 0;
	return err;
}

static int wattle_nl_node_walk(struct wattle_nl_walk *walk)
{
	return wattle_walk_nodes(walk->dump->walk, wattle_nl_node_visit, walk);
}

int wattle_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_NODE_GET, WATTLE_A_NODE_NAME,
			      wattle_node_get_nl_policy, wattle_nl_node_walk);
}

/* --- identities --- */

/* Context: RCU reader. */
static int wattle_nl_put_identity(struct wattle *w, struct sk_buff *skb,
				  const struct wattle_identity_spec *spec)
{
	u64 gen = wattle_generation(&w->config);
	bool has_via = !ipv6_addr_any(&spec->via);
	struct wattle_node *node;

	node = has_via ? wattle_node_by_addr(&w->config.nodes, &spec->via, gen) :
	       wattle_node_by_cidr(&w->config.nodes, &spec->prefix.addr, gen);
	if (wattle_nl_put_addr(skb, WATTLE_A_IDENTITY_ADDR, &spec->prefix.addr) ||
	    nla_put_u8(skb, WATTLE_A_IDENTITY_LEN, wattle_nl_prefix_len(&spec->prefix)) ||
	    nla_put_u32(skb, WATTLE_A_IDENTITY_ID, spec->id) ||
	    (has_via && wattle_nl_put_addr(skb, WATTLE_A_IDENTITY_VIA, &spec->via)) ||
	    (node && nla_put_string(skb, WATTLE_A_IDENTITY_NODE, node->name)))
		return -EMSGSIZE;
	return 0;
}

/* What packets of @addr have: the word of the table, or what decide.c goes by without it. */
static int wattle_nl_identity_of(struct wattle *w, struct sk_buff *skb,
				 const struct in6_addr *addr)
{
	struct wattle_identity_spec spec = { .prefix = { .addr = *addr, .len = 128 } };
	struct wattle_identity_info found;
	struct wattle_place place;
	struct wattle_view view;
	u8 by = WATTLE_IDENTITY_BY_WORLD;

	wattle_view_init(w, NULL, &view);
	wattle_decide_place(&view, addr, &place);
	spec.id = place.id;
	if (place.endpoint && place.endpoint->id) {
		by = WATTLE_IDENTITY_BY_ENDPOINT;
	} else if (wattle_identity_lookup(&w->config.identities, addr, view.gen, &found) &&
		   found.id == place.id) {
		by = WATTLE_IDENTITY_BY_PREFIX;
		ipv6_addr_prefix(&spec.prefix.addr, addr, found.prefix_len);
		spec.prefix.len = found.prefix_len;
		if (found.via)
			spec.via = *found.via;
	} else if (place.host) {
		by = WATTLE_IDENTITY_BY_HOST;
	} else if (place.own) {
		by = WATTLE_IDENTITY_BY_NODE;
		spec.via = *addr;
	}
	return wattle_nl_put_identity(w, skb, &spec) ?:
	       nla_put_u8(skb, WATTLE_A_IDENTITY_BY, by);
}

static int wattle_nl_identity_fill(struct wattle *w, struct genl_info *info, u64 gen,
				   struct sk_buff *skb)
{
	const struct nlattr *addr = info->attrs[WATTLE_A_IDENTITY_ADDR];
	const struct nlattr *len = info->attrs[WATTLE_A_IDENTITY_LEN];
	struct wattle_identity_spec spec = {};
	struct wattle_identity_info found;
	int err;

	err = wattle_nl_get_prefix(addr, len, &spec.prefix, info->extack);
	if (err)
		return err;
	if (!len)
		return wattle_nl_identity_of(w, skb, &spec.prefix.addr);
	if (!wattle_identity_find(&w->config.identities, &spec.prefix, gen, &found))
		return wattle_nl_refuse(info->extack, addr, -ENOENT,
					"there is no identity for that very prefix");
	spec.id = found.id;
	if (found.via)
		spec.via = *found.via;
	return wattle_nl_put_identity(w, skb, &spec);
}

static int wattle_nl_identity_get(struct wattle *w, struct genl_info *info)
{
	if (wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_IDENTITY_ADDR,
			    "the address is missing; for all identities ask for a dump"))
		return -EINVAL;
	return wattle_nl_reply(w, info, WATTLE_CMD_IDENTITY_GET, NLMSG_DEFAULT_SIZE,
			       wattle_nl_identity_fill);
}

int wattle_nl_identity_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_identity_get);
}

static int wattle_nl_identity_visit(const struct wattle_identity_spec *spec, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	void *hdr = wattle_nl_dump_begin(walk);

	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_identity(walk->w, walk->skb, spec));
}

static int wattle_nl_identity_walk(struct wattle_nl_walk *walk)
{
	const struct nlattr *attr = walk->tb[WATTLE_A_IDENTITY_ADDR] ?:
				    walk->tb[WATTLE_A_IDENTITY_LEN];

	if (attr)
		return wattle_nl_refuse(walk->cb->extack, attr, -EINVAL,
					"a dump shows all identities; one is asked for without it");
	return wattle_walk_identities(walk->dump->walk, wattle_nl_identity_visit, walk);
}

int wattle_nl_identity_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_IDENTITY_GET, WATTLE_A_IDENTITY_LEN,
			      wattle_identity_get_nl_policy, wattle_nl_identity_walk);
}

/* --- endpoints --- */

static int wattle_nl_put_endpoint(struct sk_buff *skb, const struct wattle_endpoint *ep)
{
	if (nla_put_u32(skb, WATTLE_A_ENDPOINT_IFINDEX, ep->port->dev->ifindex) ||
	    nla_put_string(skb, WATTLE_A_ENDPOINT_IFNAME, ep->port->dev->name) ||
	    (*ep->pod && nla_put_string(skb, WATTLE_A_ENDPOINT_POD, ep->pod)) ||
	    (ep->id && nla_put_u32(skb, WATTLE_A_ENDPOINT_ID, ep->id)) ||
	    nla_put_u8(skb, WATTLE_A_ENDPOINT_ENFORCE, ep->enforce))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_put_ips(struct sk_buff *skb, const struct wattle_endpoint *ep, u32 *i)
{
	for (; *i < ep->ip_count; ++*i) {
		if (wattle_nl_put_addr(skb, WATTLE_A_ENDPOINT_IP, &ep->ips[*i]))
			return -EMSGSIZE;
	}
	return 0;
}

/* Is that the endpoint which a request names, by number or name? Naming nothing means all. */
static bool wattle_nl_endpoint_is(const struct wattle_endpoint *ep, struct nlattr **tb)
{
	const struct nlattr *ifindex = tb[WATTLE_A_ENDPOINT_IFINDEX];
	const struct nlattr *ifname = tb[WATTLE_A_ENDPOINT_IFNAME];
	const struct net_device *dev = ep->port->dev;

	return (!ifindex || nla_get_u32(ifindex) == dev->ifindex) &&
	       (!ifname || !strcmp(nla_data(ifname), dev->name));
}

struct wattle_nl_endpoint_search {
	struct nlattr **tb;
	struct sk_buff *skb;
	int err;
};

static int wattle_nl_endpoint_seek(const struct wattle_endpoint *ep, void *arg)
{
	struct wattle_nl_endpoint_search *search = arg;
	u32 first = 0;

	if (!wattle_nl_endpoint_is(ep, search->tb))
		return 0;
	search->err = wattle_nl_put_endpoint(search->skb, ep) ?:
		      wattle_nl_put_ips(search->skb, ep, &first);
	return 1;
}

static int wattle_nl_endpoint_find(struct wattle *w, struct genl_info *info,
				   struct sk_buff *skb)
{
	struct wattle_nl_endpoint_search search = { .tb = info->attrs, .skb = skb };
	struct wattle_walk *walk = wattle_walk_begin(&w->config);
	int found;

	if (!walk)
		return -ENOMEM;
	found = wattle_walk_endpoints(walk, wattle_nl_endpoint_seek, &search);
	wattle_walk_end(walk);
	if (found)
		return search.err;
	return wattle_nl_refuse(info->extack, info->attrs[WATTLE_A_ENDPOINT_IFINDEX] ?:
				info->attrs[WATTLE_A_ENDPOINT_IFNAME], -ENOENT,
				"that device is no endpoint");
}

static int wattle_nl_endpoint_get(struct wattle *w, struct genl_info *info)
{
	size_t size = NLMSG_DEFAULT_SIZE + U8_MAX * nla_total_size(sizeof(struct in6_addr));
	struct sk_buff *skb;
	void *hdr;
	int err;

	if (!info->attrs[WATTLE_A_ENDPOINT_IFINDEX] && !info->attrs[WATTLE_A_ENDPOINT_IFNAME] &&
	    wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_ENDPOINT_IFINDEX,
			    "the device is missing; for all endpoints ask for a dump"))
		return -EINVAL;
	skb = wattle_nl_reply_begin(info, WATTLE_CMD_ENDPOINT_GET, size, &hdr);
	if (!skb)
		return -ENOMEM;
	err = wattle_nl_endpoint_find(w, info, skb);
	return wattle_nl_reply_end(info, skb, hdr, err);
}

int wattle_nl_endpoint_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_endpoint_get);
}

static int wattle_nl_endpoint_visit(const struct wattle_endpoint *ep, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	u32 first = walk->dump->sub;
	void *hdr;
	int err;

	if (!wattle_nl_endpoint_is(ep, walk->tb))
		return 0;
	hdr = wattle_nl_dump_begin(walk);
	if (!hdr)
		return -EMSGSIZE;
	err = wattle_nl_put_endpoint(walk->skb, ep);
	if (err)
		return wattle_nl_dump_end(walk, hdr, err);
	err = wattle_nl_put_ips(walk->skb, ep, &walk->dump->sub);
	if (err && walk->dump->sub == first)
		return wattle_nl_dump_end(walk, hdr, err);
	wattle_nl_dump_end(walk, hdr, 0);
	if (!err)
		walk->dump->sub = 0;
	return err;
}

static int wattle_nl_endpoint_walk(struct wattle_nl_walk *walk)
{
	return wattle_walk_endpoints(walk->dump->walk, wattle_nl_endpoint_visit, walk);
}

int wattle_nl_endpoint_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_ENDPOINT_GET, WATTLE_A_ENDPOINT_IFNAME,
			      wattle_endpoint_get_nl_policy, wattle_nl_endpoint_walk);
}

/* --- rules --- */

static int wattle_nl_rule_visit(const struct wattle_rule_spec *spec, const char *origin,
				const struct wattle_rule_total *total, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	void *hdr = wattle_nl_dump_begin(walk);

	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_rule(walk->skb, WATTLE_A_POLICY_RULE,
								spec, origin, total));
}

static int wattle_nl_policy_walk(struct wattle_nl_walk *walk)
{
	const struct nlattr *id = walk->tb[WATTLE_A_POLICY_ID];

	if (id && !nla_get_u32(id))
		return wattle_nl_refuse(walk->cb->extack, id, -EINVAL,
					"no rule is for identity 0; for all rules leave it out");
	/*
	 * At the beginning, what the flow caches have counted for rules. Every CPU has to
	 * interrupt its work for that, so it is not for everybody.
	 */
	if (!walk->dump->sub++ &&
	    netlink_ns_capable(walk->cb->skb, walk->w->net->user_ns, CAP_NET_ADMIN))
		wattle_flows_bill(walk->w);
	return wattle_walk_rules(walk->dump->walk, id ? nla_get_u32(id) : 0, wattle_nl_rule_visit,
				 walk);
}

int wattle_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_POLICY_GET, WATTLE_A_POLICY_ID,
			      wattle_policy_get_nl_policy, wattle_nl_policy_walk);
}
