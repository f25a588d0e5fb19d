// SPDX-License-Identifier: GPL-2.0-only
/* What would be done with a packet, what is being done with flows, and the counters. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include "flow.h"
#include "nat.h"
#include "netlink.h"
#include "parse.h"
#include "stats.h"
#include "vxlan.h"

/* --- explain: the question --- */

/* The node that packets from @addr come through, or NULL. */
static struct wattle_node *wattle_nl_node_of(struct wattle_config *config, u64 gen,
					     const struct in6_addr *addr)
{
	struct wattle_identity_info info;
	struct wattle_node *node;

	if (wattle_identity_lookup(&config->identities, addr, gen, &info) && info.via)
		return wattle_node_by_addr(&config->nodes, info.via, gen);
	node = wattle_node_by_addr(&config->nodes, addr, gen);
	return node ?: wattle_node_by_cidr(&config->nodes, addr, gen);
}

/* The identity that a sender there puts on the wire. */
static u32 wattle_nl_wire_of(struct wattle *w, u64 gen, const struct in6_addr *addr)
{
	struct wattle_config *config = &w->config;
	struct wattle_identity_info info;
	bool exact, own;

	own = wattle_node_by_addr(&config->nodes, addr, gen);
	if (!wattle_identity_lookup(&config->identities, addr, gen, &info))
		return own ? WATTLE_ID_REMOTE_NODE : WATTLE_ID_WORLD;
	exact = info.prefix_len == 128;
	if (own && !exact)
		return WATTLE_ID_REMOTE_NODE;
	return READ_ONCE(w->opt.mode) == WATTLE_MODE_GBP ? info.id & 0xffff : info.id;
}

/* As wattle_tunnel_receive() does: a header of mode gbp may have no identity. */
static void wattle_nl_question_wire(struct wattle *w, u64 gen, struct wattle_key *key)
{
	u8 mode = READ_ONCE(w->opt.mode);

	if (mode == WATTLE_MODE_PLAIN)
		return;
	key->wire = wattle_nl_wire_of(w, gen, &key->saddr);
	if (mode == WATTLE_MODE_IDENTITY || key->wire)
		key->flags |= WATTLE_KEY_WIRE;
}

void wattle_key_from_question(struct wattle *w, u64 gen, struct wattle_key *key)
{
	struct wattle_config *config = &w->config;
	struct wattle_endpoint *src, *dst;
	struct wattle_node *node;

	src = wattle_endpoint_by_ip(&config->endpoints, &key->saddr, gen);
	if (src) {
		key->origin = WATTLE_FROM_POD;
		key->in = src->port->serial;
		return;
	}
	if (wattle_is_host(w->net, &key->saddr)) {
		key->flags |= WATTLE_KEY_SRC_HOST;
	} else {
		node = wattle_nl_node_of(config, gen, &key->saddr);
		if (node) {
			/* Who is behind another node comes by the tunnel, if at all. */
			key->origin = WATTLE_FROM_TUNNEL;
			key->in = node->serial;
			wattle_nl_question_wire(w, gen, key);
			return;
		}
		key->flags |= WATTLE_KEY_OUTSIDE;
	}
	dst = wattle_endpoint_by_ip(&config->endpoints, &key->daddr, gen);
	if (!dst && wattle_nl_node_of(config, gen, &key->daddr)) {
		key->origin = WATTLE_FROM_DEVICE;
		return;
	}
	key->origin = WATTLE_FROM_STACK;
	if (dst)
		key->in = dst->port->serial;
}

/* Destination port, or what stands in its place. */
static int wattle_nl_question_port(struct genl_info *info, struct wattle_key *key)
{
	const struct nlattr *attr = info->attrs[WATTLE_A_EXPLAIN_DPORT];

	if (attr) {
		key->dport = htons(nla_get_u16(attr));
		return 0;
	}
	if (key->proto == IPPROTO_ICMP)
		key->dport = htons(ICMP_ECHO << 8);
	else if (key->proto == IPPROTO_ICMPV6)
		key->dport = htons(ICMPV6_ECHO_REQUEST << 8);
	else if (wattle_nl_has_ports(key->proto) &&
		 wattle_nl_lacks(info->extack, NULL, info->attrs, WATTLE_A_EXPLAIN_DPORT,
				 "a packet of that protocol has a destination port"))
		return -EINVAL;
	return 0;
}

static int wattle_nl_question(struct genl_info *info, struct wattle_key *key)
{
	struct nlattr **tb = info->attrs;
	int err;

	if (wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_EXPLAIN_SRC,
			    "the source address is missing") ||
	    wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_EXPLAIN_DST,
			    "the destination address is missing") ||
	    wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_EXPLAIN_PROTO,
			    "the protocol is missing"))
		return -EINVAL;
	memset(key, 0, sizeof(*key));
	err = wattle_nl_get_addr(tb[WATTLE_A_EXPLAIN_SRC], &key->saddr, info->extack) ?:
	      wattle_nl_get_addr(tb[WATTLE_A_EXPLAIN_DST], &key->daddr, info->extack);
	if (err)
		return err;
	if (wattle_addr_is_v4(&key->saddr) != wattle_addr_is_v4(&key->daddr))
		return wattle_nl_refuse(info->extack, tb[WATTLE_A_EXPLAIN_DST], -EINVAL,
					"source and destination are of different families");
	key->proto = nla_get_u8(tb[WATTLE_A_EXPLAIN_PROTO]);
	if (tb[WATTLE_A_EXPLAIN_SPORT])
		key->sport = htons(nla_get_u16(tb[WATTLE_A_EXPLAIN_SPORT]));
	return wattle_nl_question_port(info, key);
}

/* --- explain: the answer --- */

static int wattle_nl_put_service_of(struct sk_buff *skb, const struct wattle_decision *d)
{
	if (!d->service)
		return 0;
	if (wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_SERVICE_ADDR, &d->service->addr) ||
	    nla_put_u16(skb, WATTLE_A_EXPLAIN_SERVICE_PORT, ntohs(d->service->port)))
		return -EMSGSIZE;
	if (d->reason == WATTLE_REASON_NO_BACKEND || d->reason == WATTLE_REASON_SOURCE_RANGE)
		return 0;
	if (wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_BACKEND_ADDR, &d->daddr) ||
	    nla_put_u16(skb, WATTLE_A_EXPLAIN_BACKEND_PORT, ntohs(d->dport)))
		return -EMSGSIZE;
	return 0;
}

/* By which rule it leaves the cluster: what becomes of it. */
static int wattle_nl_put_outward(struct sk_buff *skb, struct wattle *w,
				 const struct wattle_decision *d)
{
	struct in6_addr from;

	if (d->node)
		return nla_put_flag(skb, WATTLE_A_EXPLAIN_GATEWAY);
	if (!wattle_masquerade_source(w, d, &from))
		return 0;
	return wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_MASQUERADE, &from);
}

static int wattle_nl_put_way(struct sk_buff *skb, struct wattle *w,
			     const struct wattle_decision *d)
{
	const struct in6_addr *via = d->node ? wattle_vxlan_remote(w, d->node) : NULL;

	if ((via && wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_VIA, via)) ||
	    (d->node && nla_put_string(skb, WATTLE_A_EXPLAIN_NODE, d->node->name)))
		return -EMSGSIZE;
	return d->outward ? wattle_nl_put_outward(skb, w, d) : 0;
}

int wattle_nl_put_key(struct sk_buff *skb, const struct wattle_key *key)
{
	if (wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_SRC, &key->saddr) ||
	    wattle_nl_put_addr(skb, WATTLE_A_EXPLAIN_DST, &key->daddr) ||
	    nla_put_u8(skb, WATTLE_A_EXPLAIN_PROTO, key->proto) ||
	    nla_put_u16(skb, WATTLE_A_EXPLAIN_SPORT, ntohs(key->sport)) ||
	    nla_put_u16(skb, WATTLE_A_EXPLAIN_DPORT, ntohs(key->dport)))
		return -EMSGSIZE;
	return 0;
}

int wattle_nl_put_verdict(struct sk_buff *skb, u8 verdict, enum wattle_reason reason)
{
	if (nla_put_u8(skb, WATTLE_A_EXPLAIN_VERDICT, verdict) ||
	    nla_put_u32(skb, WATTLE_A_EXPLAIN_REASON, reason) ||
	    nla_put_string(skb, WATTLE_A_EXPLAIN_REASON_NAME, wattle_reason_name(reason)))
		return -EMSGSIZE;
	return 0;
}

int wattle_nl_put_decision(struct sk_buff *skb, struct wattle *w, const struct wattle_decision *d)
{
	struct wattle_policies *policies = &w->config.policies;

	if (nla_put_u32(skb, WATTLE_A_EXPLAIN_SRC_IDENTITY, d->src_id) ||
	    nla_put_u32(skb, WATTLE_A_EXPLAIN_DST_IDENTITY, d->dst_id) ||
	    wattle_nl_put_service_of(skb, d) ||
	    wattle_nl_put_way(skb, w, d) ||
	    (d->has_egress && wattle_nl_put_judgement(skb, WATTLE_A_EXPLAIN_EGRESS, policies,
						      &d->egress)) ||
	    (d->has_ingress && wattle_nl_put_judgement(skb, WATTLE_A_EXPLAIN_INGRESS, policies,
						       &d->ingress)))
		return -EMSGSIZE;
	return 0;
}

/* What comes out of the tunnel for this host goes up the stack, and meets services there. */
static void wattle_nl_explain_stack(const struct wattle_view *view, const struct wattle_key *key,
				    struct wattle_decision *d)
{
	struct wattle_key up = *key;

	if (key->origin != WATTLE_FROM_TUNNEL || d->next != WATTLE_TO_STACK || d->outward)
		return;
	up.origin = WATTLE_FROM_STACK;
	up.flags = 0;
	up.wire = 0;
	up.in = 0;
	wattle_decide(view, &up, d);
}

/*
 * With the device down: pods' packets go nowhere, and nobody is at the tunnel port. The host's
 * own stack goes on, without services.
 */
static void wattle_nl_explain_down(const struct wattle_view *view, const struct wattle_key *key,
				   struct wattle_decision *d)
{
	struct wattle_place place;

	memset(d, 0, sizeof(*d));
	wattle_decide_place(view, &key->saddr, &place);
	d->src_id = place.id;
	wattle_decide_place(view, &key->daddr, &place);
	d->dst_id = place.id;
	if (key->origin == WATTLE_FROM_STACK && !key->in) {
		d->verdict = WATTLE_VERDICT_ALLOW;
		d->next = WATTLE_TO_STACK;
		return;
	}
	d->verdict = WATTLE_VERDICT_DROP;
	d->reason = WATTLE_REASON_DEVICE_DOWN;
	d->next = WATTLE_TO_NOWHERE;
}

/* As wattle_deliver() finds it: the device of a pod, or its end in there. */
static bool wattle_nl_is_down(const struct wattle_endpoint *ep)
{
	const struct net_device *peer;
	struct net_device *dev = ep->port->dev;

	if (!(dev->flags & IFF_UP) || READ_ONCE(ep->port->gone))
		return true;
	if (!dev->netdev_ops->ndo_get_peer_dev)
		return false;
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return !peer || !(peer->flags & IFF_UP);
}

/* What packets meet before anything is decided, and after. */
static void wattle_nl_explain_hooks(struct wattle *w, const struct wattle_key *key,
				    struct wattle_decision *d)
{
	enum wattle_reason reason = wattle_parse_check(key);
	struct in6_addr from;

	if (!reason && d->next == WATTLE_TO_NODE && !wattle_vxlan_remote(w, d->node))
		reason = WATTLE_REASON_NO_ROUTE;
	if (!reason && d->next == WATTLE_TO_ENDPOINT && wattle_nl_is_down(d->endpoint))
		reason = WATTLE_REASON_DEVICE_DOWN;
	if (!reason && d->next == WATTLE_TO_STACK && d->outward &&
	    !wattle_masquerade_source(w, d, &from))
		reason = WATTLE_REASON_NO_ROUTE;
	if (!reason)
		return;
	d->verdict = WATTLE_VERDICT_DROP;
	d->reason = reason;
	d->next = WATTLE_TO_NOWHERE;
}

/* Does the node that it goes to answer itself? */
static int wattle_nl_put_dsr(struct sk_buff *skb, const struct wattle_view *view,
			     const struct wattle_key *key, const struct wattle_decision *d)
{
	struct wattle_place place;

	if (!d->service || d->next != WATTLE_TO_NODE)
		return 0;
	wattle_decide_place(view, &d->daddr, &place);
	return wattle_decide_is_dsr(view, d->service, key, &place) ?
	       nla_put_flag(skb, WATTLE_A_EXPLAIN_DSR) : 0;
}

static int wattle_nl_explain_fill(struct wattle *w, struct genl_info *info, u64 gen,
				  struct sk_buff *skb)
{
	struct wattle_decision decision;
	struct wattle_view view;
	struct wattle_key key;
	int err;

	err = wattle_nl_question(info, &key);
	if (err)
		return err;
	wattle_view_init(w, NULL, &view);
	wattle_key_from_question(w, view.gen, &key);
	if (netif_running(w->dev)) {
		wattle_decide(&view, &key, &decision);
		wattle_nl_explain_stack(&view, &key, &decision);
		wattle_nl_explain_hooks(w, &key, &decision);
	} else {
		wattle_nl_explain_down(&view, &key, &decision);
	}
	return wattle_nl_put_key(skb, &key) ?:
	       wattle_nl_put_verdict(skb, decision.verdict, decision.reason) ?:
	       wattle_nl_put_decision(skb, w, &decision) ?:
	       wattle_nl_put_dsr(skb, &view, &key, &decision);
}

static int wattle_nl_explain(struct wattle *w, struct genl_info *info)
{
	return wattle_nl_reply(w, info, WATTLE_CMD_EXPLAIN, NLMSG_DEFAULT_SIZE,
			       wattle_nl_explain_fill);
}

int wattle_nl_explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_explain);
}

/* --- flows --- */

static int wattle_nl_put_flow_nat(struct sk_buff *skb, const struct wattle_flow_info *flow)
{
	if (!flow->nat)
		return 0;
	if (wattle_nl_put_addr(skb, WATTLE_A_FLOW_NAT_SRC, &flow->nat_saddr) ||
	    wattle_nl_put_addr(skb, WATTLE_A_FLOW_NAT_DST, &flow->nat_daddr) ||
	    nla_put_u16(skb, WATTLE_A_FLOW_NAT_SPORT, ntohs(flow->nat_sport)) ||
	    nla_put_u16(skb, WATTLE_A_FLOW_NAT_DPORT, ntohs(flow->nat_dport)))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_put_flow(struct sk_buff *skb, const struct wattle_flow_info *flow)
{
	const struct wattle_key *key = &flow->key;

	if (nla_put_u32(skb, WATTLE_A_FLOW_CPU, flow->cpu) ||
	    wattle_nl_put_addr(skb, WATTLE_A_FLOW_SRC, &key->saddr) ||
	    wattle_nl_put_addr(skb, WATTLE_A_FLOW_DST, &key->daddr) ||
	    nla_put_u8(skb, WATTLE_A_FLOW_PROTO, key->proto) ||
	    nla_put_u16(skb, WATTLE_A_FLOW_SPORT, ntohs(key->sport)) ||
	    nla_put_u16(skb, WATTLE_A_FLOW_DPORT, ntohs(key->dport)) ||
	    nla_put_u32(skb, WATTLE_A_FLOW_SRC_IDENTITY, flow->src_id) ||
	    nla_put_u32(skb, WATTLE_A_FLOW_DST_IDENTITY, flow->dst_id) ||
	    nla_put_u8(skb, WATTLE_A_FLOW_VERDICT, flow->verdict) ||
	    nla_put_string(skb, WATTLE_A_FLOW_REASON_NAME, wattle_reason_name(flow->reason)) ||
	    wattle_nl_put_flow_nat(skb, flow) ||
	    (!ipv6_addr_any(&flow->via) &&
	     wattle_nl_put_addr(skb, WATTLE_A_FLOW_VIA, &flow->via)) ||
	    (flow->ifindex && nla_put_u32(skb, WATTLE_A_FLOW_IFINDEX, flow->ifindex)) ||
	    nla_put_u64_64bit(skb, WATTLE_A_FLOW_PACKETS, flow->packets, WATTLE_A_FLOW_PAD) ||
	    nla_put_u64_64bit(skb, WATTLE_A_FLOW_BYTES, flow->bytes, WATTLE_A_FLOW_PAD) ||
	    nla_put_u64_64bit(skb, WATTLE_A_FLOW_GENERATION, flow->gen, WATTLE_A_FLOW_PAD))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_flow_visit(const struct wattle_flow_info *flow, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	void *hdr;

	if (walk->tb[WATTLE_A_FLOW_CPU] && nla_get_u32(walk->tb[WATTLE_A_FLOW_CPU]) != flow->cpu)
		return 0;
	hdr = wattle_nl_dump_begin(walk);
	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_flow(walk->skb, flow));
}

static int wattle_nl_flow_walk(struct wattle_nl_walk *walk)
{
	return wattle_flows_walk(walk->w, &walk->dump->cursor, wattle_nl_flow_visit, walk);
}

int wattle_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_FLOW_GET, WATTLE_A_FLOW_CPU,
			      wattle_flow_get_nl_policy, wattle_nl_flow_walk);
}

static int wattle_nl_flow_flush(struct wattle *w, struct genl_info *info)
{
	if (info->attrs[WATTLE_A_FLOW_CPU])
		return wattle_nl_refuse(info->extack, info->attrs[WATTLE_A_FLOW_CPU], -EOPNOTSUPP,
					"flows are forgotten on every CPU, not on one");
	wattle_flows_flush(w);
	return 0;
}

int wattle_nl_flow_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_flow_flush);
}

/* --- counters --- */

struct wattle_nl_stat {
	const char *name;
	const char *help;
	bool drop;
	u64 packets;
	u64 bytes;
};

/* The @i-th in the order in which they are shown. */
static void wattle_nl_stat_at(const struct wattle *w, unsigned int i, struct wattle_nl_stat *stat)
{
	stat->drop = i < WATTLE_REASON_COUNT;
	if (!stat->drop)
		i -= WATTLE_REASON_COUNT;
	stat->name = stat->drop ? wattle_reason_name(i) : wattle_counter_name(i);
	stat->help = stat->drop ? wattle_reason_help(i) : wattle_counter_help(i);
	if (stat->drop)
		wattle_stats_drops(w, i, &stat->packets, &stat->bytes);
	else
		wattle_stats_counts(w, i, &stat->packets, &stat->bytes);
}

static int wattle_nl_put_stat(struct sk_buff *skb, const struct wattle_nl_stat *stat)
{
	if (nla_put_string(skb, WATTLE_A_STAT_NAME, stat->name) ||
	    nla_put_string(skb, WATTLE_A_STAT_HELP, stat->help) ||
	    (stat->drop && nla_put_flag(skb, WATTLE_A_STAT_DROP)) ||
	    nla_put_u64_64bit(skb, WATTLE_A_STAT_PACKETS, stat->packets, WATTLE_A_STAT_PAD) ||
	    nla_put_u64_64bit(skb, WATTLE_A_STAT_BYTES, stat->bytes, WATTLE_A_STAT_PAD))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_stats_walk(struct wattle_nl_walk *walk)
{
	const struct nlattr *name = walk->tb[WATTLE_A_STAT_NAME];
	unsigned long *i = &walk->dump->cursor.pos[0];
	struct wattle_nl_stat stat;
	void *hdr;
	int err;

	/* Reason 0 is none. */
	for (*i = max(*i, 1UL); *i < WATTLE_REASON_COUNT + WATTLE_COUNT_COUNT; ++*i) {
		wattle_nl_stat_at(walk->w, *i, &stat);
		if (name && nla_strcmp(name, stat.name))
			continue;
		hdr = wattle_nl_dump_begin(walk);
		if (!hdr)
			return -EMSGSIZE;
		err = wattle_nl_dump_end(walk, hdr, wattle_nl_put_stat(walk->skb, &stat));
		if (err)
			return err;
	}
	return 0;
}

int wattle_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_STATS_GET, WATTLE_A_STAT_NAME,
			      wattle_stats_get_nl_policy, wattle_nl_stats_walk);
}
