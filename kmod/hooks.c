// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where packets come in, and the way they go from there: parse, look into the flow cache,
 * and on a miss ask conntrack and the tables.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netfilter_netdev.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack.h>

#include "apply.h"
#include "compat.h"
#include "decide.h"
#include "event.h"
#include "flow.h"
#include "hooks.h"
#include "nat.h"
#include "neigh.h"
#include "parse.h"
#include "uplink.h"
#include "vxlan.h"

/* What becomes of a packet for the one who handed it to us. */
enum wattle_outcome {
	WATTLE_TAKEN,
	WATTLE_PASS,	/* on its way up (or down) the host's stack */
};

/**
 * struct wattle_packet - a packet on its way through here
 * @w: device
 * @skb: the packet, data at the network header
 * @port: of the endpoint it comes from (FROM_POD) or goes to (FROM_STACK)
 * @ep: that endpoint; NULL out of the tunnel
 * @epoch: read before anything else was
 * @hash: of @key
 * @key: as it was met
 * @parsed: what else its headers say
 * @known: the connection was in conntrack's table before this packet
 * @reply: the packet goes in reply direction
 * @decision: what to do
 */
struct wattle_packet {
	struct wattle *w;
	struct sk_buff *skb;
	struct wattle_port *port;
	const struct wattle_endpoint *ep;
	u32 epoch;
	u32 hash;
	struct wattle_key key;
	struct wattle_parsed parsed;
	bool known;
	bool reply;
	struct wattle_decision decision;
};

/* Only the long way needs the rest of it: a hit in the cache leaves it as it is. */
static void wattle_packet_init(struct wattle_packet *p)
{
	p->ep = NULL;
	p->known = false;
	p->reply = false;
	p->decision = (struct wattle_decision){};
}

static enum wattle_outcome wattle_packet_drop(struct wattle_packet *p, enum wattle_reason reason)
{
	wattle_drop(p->w, p->skb, reason, &p->key, &p->decision);
	return WATTLE_TAKEN;
}

/* ---- the cache ---- */

static void wattle_remember(struct wattle_packet *p, enum wattle_next next, unsigned int mtu)
{
	const struct wattle_decision *d = &p->decision;
	struct wattle_flow *flow, made = {};
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	if (!p->known || !READ_ONCE(p->w->opt.cache) || d->reason ||
	    (p->parsed.flags & WATTLE_PARSED_SLOW) || !wattle_track_offload(ct))
		return;
	if (next != WATTLE_TO_STACK && !wattle_nat_flow(ct, CTINFO2DIR(ctinfo), &made))
		return;
	flow = wattle_flow_insert(p->w, &p->key, p->hash);
	flow->rewrite = made.rewrite;
	flow->addr = made.addr;
	flow->port = made.port;
	flow->next = next;
	flow->mtu = min_t(unsigned int, mtu, U16_MAX);
	flow->src_id = d->src_id;
	flow->dst_id = d->dst_id;
	if (next == WATTLE_TO_ENDPOINT) {
		flow->endpoint = d->endpoint;
	} else if (next == WATTLE_TO_NODE) {
		flow->node = d->node;
		flow->identity = wattle_wire_identity(d->src_id);
	}
	nf_conntrack_get(&ct->ct_general);
	flow->ct = ct;
	flow->packets += wattle_skb_packets(p->skb);
	flow->bytes += p->parsed.len;
	flow->expires = (u32)jiffies + WATTLE_FLOW_REFRESH;
	flow->epoch = p->epoch;
	wattle_event_flow(p->w, p->skb, &p->key, d);
}

/*
 * A packet of a known flow. False: it has to go the long way, and is as it was. The entry
 * is not touched any more once the packet is handed on, for that may come back here.
 */
static bool wattle_hit(struct wattle *w, struct sk_buff *skb, const struct wattle_parsed *parsed,
		       struct wattle_flow *flow, u32 hash)
{
	struct wattle_endpoint *ep;

	if (unlikely(flow->mtu && !wattle_fits(skb, parsed, flow->mtu)))
		return false;
	if (unlikely(skb->len > parsed->len) && wattle_trim(skb, parsed))
		return false;
	if (flow->rewrite && unlikely(wattle_nat_rewrite(skb, parsed->hlen, flow)))
		return false;
	flow->packets += wattle_skb_packets(skb);
	flow->bytes += parsed->len;
	wattle_count(w, WATTLE_COUNT_CACHE_HIT, 1, parsed->len);
	if (flow->next == WATTLE_TO_NODE) {
		__skb_set_sw_hash(skb, hash, true);
		wattle_send(w, flow->node, skb, flow->identity);
	} else {
		ep = flow->endpoint;
		wattle_deliver(w, ep, skb);
	}
	return true;
}

/* The same where the stack does the rest: conntrack and NAT of its own find the connection. */
static void wattle_hit_stack(struct wattle *w, const struct sk_buff *skb,
			     const struct wattle_parsed *parsed, struct wattle_flow *flow)
{
	flow->packets += wattle_skb_packets(skb);
	flow->bytes += parsed->len;
	wattle_count(w, WATTLE_COUNT_CACHE_HIT, 1, parsed->len);
}

/* ---- the long way ---- */

static void wattle_packet_view(struct wattle_packet *p, struct wattle_view *view)
{
	wattle_view_init(p->w, this_cpu_ptr(p->w->flows)->memo, view);
}

/*
 * Judge a packet by its connection. New ones are decided as they stand; of others, policy is
 * asked again about the original direction, translated as conntrack has it.
 */
static void wattle_packet_decide(struct wattle_packet *p)
{
	struct wattle_key orig = { .origin = WATTLE_FROM_POD };
	struct wattle_decision *d = &p->decision;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);
	struct wattle_view view;
	u32 sender;

	wattle_packet_view(p, &view);
	p->known = ct && nf_ct_is_confirmed(ct);
	p->reply = ct && CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY;
	if (!ct || (!p->known && !(ct->status & IPS_NAT_DONE_MASK))) {
		wattle_decide(&view, &p->key, wattle_decide_hash(&p->key), d);
		return;
	}
	if (!wattle_decide_sender(&view, &p->key, d))
		return;
	sender = d->src_id;
	wattle_track_key(ct, &orig);
	if (!p->reply && !(p->parsed.flags & WATTLE_PARSED_ERROR)) {
		orig.origin = p->key.origin;
		orig.flags = p->key.flags;
		orig.wire = sender;
	}
	wattle_decide_known(&view, &orig, d);
	if (d->verdict != WATTLE_VERDICT_ALLOW && (!p->reply || view.strict ||
						   d->reason == WATTLE_REASON_DENY_EGRESS))
		return;
	if (p->reply) {
		/* Where the answer goes is where the question came from. */
		orig.daddr = orig.saddr;
		orig.origin = p->key.origin;
		wattle_decide_next(&view, &orig, d);
		/* To others it is who it is, whoever asked. */
		d->src_id = sender;
	}
}

/* Fragments are judged whole. False: @skb is gone. */
static bool wattle_packet_defrag(struct wattle_packet *p, enum wattle_defrag_user user)
{
	u8 origin = p->key.origin;
	u16 flags = p->key.flags;
	u32 in = p->key.in, wire = p->key.wire;
	enum wattle_reason reason;
	int err;

	err = wattle_defrag(p->w, p->skb, user);
	if (err) {
		if (err != -EINPROGRESS)
			wattle_drop_note(p->w, NULL, p->parsed.len, WATTLE_REASON_BAD_FRAGMENT,
					 &p->key, NULL);
		return false;
	}
	reason = wattle_parse(p->skb, &p->key, &p->parsed);
	p->key.origin = origin;
	p->key.flags = flags;
	p->key.in = in;
	p->key.wire = wire;
	if (!reason && (p->parsed.flags & WATTLE_PARSED_FRAGMENT))
		reason = WATTLE_REASON_BAD_FRAGMENT;
	if (reason) {
		wattle_packet_drop(p, reason);
		return false;
	}
	p->parsed.flags |= WATTLE_PARSED_WHOLE;
	return true;
}

/* Bring the connection into force: translate, and enter it into conntrack's table. */
static enum wattle_reason wattle_packet_commit(struct wattle_packet *p)
{
	enum wattle_reason reason;

	reason = wattle_nat_packet(p->skb, p->parsed.hlen);
	if (!reason)
		reason = wattle_confirm(p->skb);
	return reason;
}

static enum wattle_outcome wattle_packet_too_big(struct wattle_packet *p, unsigned int mtu)
{
	if (p->ep && !(p->parsed.flags & WATTLE_PARSED_ERROR))
		wattle_tell_too_big(p->w, p->ep, p->skb, mtu);
	return wattle_packet_drop(p, WATTLE_REASON_TOO_BIG);
}

static enum wattle_outcome wattle_packet_to_node(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	unsigned int mtu = wattle_vxlan_mtu(p->w, d->node);
	enum wattle_reason reason;
	u32 identity = wattle_wire_identity(d->src_id);

	if (!mtu)
		return wattle_packet_drop(p, WATTLE_REASON_NO_ROUTE);
	/* What came in pieces goes out in pieces. */
	if (!wattle_fits(p->skb, &p->parsed, mtu) &&
	    (p->parsed.flags & (WATTLE_PARSED_DF | WATTLE_PARSED_WHOLE)) == WATTLE_PARSED_DF)
		return wattle_packet_too_big(p, mtu);
	reason = wattle_packet_commit(p);
	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_remember(p, WATTLE_TO_NODE, mtu);
	__skb_set_sw_hash(p->skb, p->hash, true);
	if (wattle_fits(p->skb, &p->parsed, mtu))
		wattle_send(p->w, d->node, p->skb, identity);
	else
		wattle_send_fragments(p->w, d->node, p->skb, identity, mtu);
	return WATTLE_TAKEN;
}

static enum wattle_outcome wattle_packet_to_endpoint(struct wattle_packet *p)
{
	enum wattle_reason reason = wattle_packet_commit(p);

	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_remember(p, WATTLE_TO_ENDPOINT, 0);
	wattle_deliver(p->w, p->decision.endpoint, p->skb);
	return WATTLE_TAKEN;
}

/* What is common to packets out of pods and out of the tunnel, once they are whole. */
static enum wattle_outcome wattle_packet_apply(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	enum ip_conntrack_info ctinfo;
	enum wattle_reason reason;
	struct nf_conn *ct;

	wattle_count(p->w, WATTLE_COUNT_CACHE_MISS, 1, p->parsed.len);
	if (wattle_trim(p->skb, &p->parsed))
		return wattle_packet_drop(p, WATTLE_REASON_NO_MEMORY);
	reason = wattle_track(p->w, p->skb);
	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_packet_decide(p);
	if (!p->known)
		wattle_event_verdict(p->w, p->skb, &p->key, d);
	if (d->verdict != WATTLE_VERDICT_ALLOW) {
		if (d->verdict == WATTLE_VERDICT_REJECT && p->ep)
			wattle_tell_refused(p->w, p->ep, p->skb, p->key.proto);
		return wattle_packet_drop(p, d->reason);
	}
	if (d->reason)
		wattle_count(p->w, WATTLE_COUNT_AUDITED, 1, p->parsed.len);
	ct = nf_ct_get(p->skb, &ctinfo);
	if (d->service && !p->known) {
		reason = wattle_nat_bind(ct, d);
		if (reason)
			return wattle_packet_drop(p, reason);
	}
	switch (d->next) {
	case WATTLE_TO_ENDPOINT:
		return wattle_packet_to_endpoint(p);
	case WATTLE_TO_NODE:
		return wattle_packet_to_node(p);
	default:
		/* The stack's own NAT hooks rewrite, and confirm. */
		wattle_remember(p, WATTLE_TO_STACK, 0);
		wattle_count(p->w, WATTLE_COUNT_TO_STACK, wattle_skb_packets(p->skb),
			     p->parsed.len);
		return WATTLE_PASS;
	}
}

/* ---- out of a pod ---- */

static enum wattle_outcome wattle_pod_neigh(struct wattle_packet *p, enum wattle_neigh neigh)
{
	switch (neigh) {
	case WATTLE_NEIGH_PASS:
		return WATTLE_PASS;
	case WATTLE_NEIGH_DONE:
		consume_skb(p->skb);
		return WATTLE_TAKEN;
	case WATTLE_NEIGH_SPOOFED:
		return wattle_packet_drop(p, WATTLE_REASON_SPOOFED_SOURCE);
	case WATTLE_NEIGH_LOCAL:
		return wattle_packet_drop(p, WATTLE_REASON_NOT_UNICAST);
	default:
		return wattle_packet_drop(p, WATTLE_REASON_BAD_HEADER);
	}
}

static void wattle_pod_learn(struct wattle_port *port, const struct sk_buff *skb)
{
	if (!ether_addr_equal(port->lladdr, eth_hdr(skb)->h_source))
		ether_addr_copy(port->lladdr, eth_hdr(skb)->h_source);
}

static enum wattle_outcome wattle_pod_slow(struct wattle_packet *p, enum wattle_reason reason)
{
	const struct wattle_endpoint *ep;

	ep = wattle_endpoint_on_port(p->port, wattle_generation(&p->w->config));
	if (!ep)
		return WATTLE_PASS;	/* staged, but not committed yet */
	p->ep = ep;
	if (!netif_running(p->w->dev))
		return wattle_packet_drop(p, WATTLE_REASON_DEVICE_DOWN);
	if (skb_vlan_tag_present(p->skb))
		return wattle_packet_drop(p, WATTLE_REASON_BAD_FRAME);
	wattle_pod_learn(p->port, p->skb);
	if (p->skb->protocol == htons(ETH_P_ARP))
		return wattle_pod_neigh(p, wattle_neigh_arp(p->w, ep, p->skb));
	if (reason)
		return wattle_packet_drop(p, reason);
	if (p->parsed.flags & WATTLE_PARSED_LOCAL)
		return wattle_pod_neigh(p, wattle_neigh_nd(p->w, ep, p->skb, p->parsed.hlen));
	if (!wattle_endpoint_has_ip(ep, &p->key.saddr))
		return wattle_packet_drop(p, WATTLE_REASON_SPOOFED_SOURCE);
	if ((p->parsed.flags & WATTLE_PARSED_FRAGMENT) &&
	    !wattle_packet_defrag(p, WATTLE_DEFRAG_POD))
		return WATTLE_TAKEN;
	return wattle_packet_apply(p);
}

static enum wattle_outcome wattle_pod(struct wattle_port *port, struct sk_buff *skb)
{
	enum wattle_reason reason;
	struct wattle_packet p;
	struct wattle_flow *flow;

	p.w = port->wattle;
	p.skb = skb;
	p.port = port;
	p.epoch = wattle_epoch(&p.w->config);
	wattle_count(p.w, WATTLE_COUNT_FROM_POD, wattle_skb_packets(skb), skb->len);
	reason = wattle_parse(skb, &p.key, &p.parsed);
	p.key.origin = WATTLE_FROM_POD;
	p.key.in = port->serial;
	p.hash = wattle_flow_hash(p.w, &p.key);
	if (likely(!reason && !(p.parsed.flags & WATTLE_PARSED_SLOW))) {
		flow = wattle_flow_lookup(p.w, &p.key, p.hash);
		if (flow && unlikely(flow->next == WATTLE_TO_STACK)) {
			wattle_hit_stack(p.w, skb, &p.parsed, flow);
			wattle_count(p.w, WATTLE_COUNT_TO_STACK, wattle_skb_packets(skb),
				     p.parsed.len);
			return WATTLE_PASS;
		}
		if (likely(flow && wattle_hit(p.w, skb, &p.parsed, flow, p.hash)))
			return WATTLE_TAKEN;
	}
	wattle_packet_init(&p);
	return wattle_pod_slow(&p, reason);
}

/*
 * Somebody else holds @skb as well (pktgen does): work on a clone, and let the original go up
 * the stack, to meet conntrack and services there, where that is where it goes.
 */
static unsigned int wattle_hook_shared(struct wattle_port *port, struct sk_buff *skb)
{
	struct sk_buff *clone = skb_clone(skb, GFP_ATOMIC);

	if (!clone) {
		wattle_drop(port->wattle, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
		return NF_STOLEN;
	}
	if (wattle_pod(port, clone) == WATTLE_PASS) {
		consume_skb(clone);
		return NF_ACCEPT;
	}
	consume_skb(skb);
	return NF_STOLEN;
}

static unsigned int wattle_hook_ingress(void *priv, struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	struct wattle_port *port = priv;

	if (unlikely(skb_shared(skb)))
		return wattle_hook_shared(port, skb);
	return wattle_pod(port, skb) == WATTLE_PASS ? NF_ACCEPT : NF_STOLEN;
}

/* ---- from the host's stack to a pod here ---- */

/* Who may speak through the stack: itself, the tunnel, and a pod by its own device. */
static u16 wattle_stack_flags(struct wattle *w, const struct sk_buff *skb,
			      const struct in6_addr *saddr)
{
	const struct wattle_endpoint *ep;

	if (!skb->skb_iif)
		return WATTLE_KEY_SRC_HOST;
	if (skb->skb_iif == w->dev->ifindex)
		return 0;
	ep = wattle_endpoint_by_ip(&w->config.endpoints, saddr, wattle_generation(&w->config));
	return ep && ep->port->dev->ifindex == skb->skb_iif ? 0 : WATTLE_KEY_OUTSIDE;
}

static enum wattle_outcome wattle_stack_slow(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	const struct wattle_endpoint *ep;

	ep = wattle_endpoint_on_port(p->port, wattle_generation(&p->w->config));
	if (!ep)
		return WATTLE_PASS;
	if (!netif_running(p->w->dev))
		return wattle_packet_drop(p, WATTLE_REASON_DEVICE_DOWN);
	if (!wattle_endpoint_has_ip(ep, &p->key.daddr))
		return wattle_packet_drop(p, WATTLE_REASON_NO_ENDPOINT);
	wattle_count(p->w, WATTLE_COUNT_CACHE_MISS, 1, p->parsed.len);
	wattle_packet_decide(p);
	if (!p->known)
		wattle_event_verdict(p->w, p->skb, &p->key, d);
	if (d->verdict != WATTLE_VERDICT_ALLOW)
		return wattle_packet_drop(p, d->reason);
	if (d->reason)
		wattle_count(p->w, WATTLE_COUNT_AUDITED, 1, p->parsed.len);
	wattle_remember(p, WATTLE_TO_STACK, 0);
	wattle_count(p->w, WATTLE_COUNT_TO_POD, wattle_skb_packets(p->skb), p->parsed.len);
	return WATTLE_PASS;
}

static unsigned int wattle_hook_egress(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	struct wattle_port *port = priv;
	enum wattle_reason reason;
	struct wattle_packet p;
	struct wattle_flow *flow;

	p.w = port->wattle;
	p.skb = skb;
	p.port = port;
	if (this_cpu_ptr(p.w->flows)->direct)
		return NF_ACCEPT;
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		return NF_ACCEPT;	/* ARP: the host asks for its pod */
	p.epoch = wattle_epoch(&p.w->config);
	wattle_count(p.w, WATTLE_COUNT_FROM_STACK, wattle_skb_packets(skb), skb->len);
	reason = wattle_parse(skb, &p.key, &p.parsed);
	if (!reason && (p.parsed.flags & WATTLE_PARSED_LOCAL))
		return NF_ACCEPT;
	p.key.origin = WATTLE_FROM_STACK;
	p.key.flags = wattle_stack_flags(p.w, skb, &p.key.saddr);
	p.key.in = port->serial;
	wattle_packet_init(&p);
	if (reason) {
		wattle_packet_drop(&p, reason);
		return NF_STOLEN;
	}
	p.hash = wattle_flow_hash(p.w, &p.key);
	if (!(p.parsed.flags & WATTLE_PARSED_SLOW)) {
		flow = wattle_flow_lookup(p.w, &p.key, p.hash);
		if (flow) {
			wattle_hit_stack(p.w, skb, &p.parsed, flow);
			return NF_ACCEPT;
		}
	}
	return wattle_stack_slow(&p) == WATTLE_PASS ? NF_ACCEPT : NF_STOLEN;
}

/* ---- from the host's stack to a pod elsewhere ---- */

static enum wattle_outcome wattle_device_slow(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	struct sk_buff *skb = p->skb;
	unsigned int mtu;
	u32 identity;

	wattle_packet_decide(p);
	if (!p->known)
		wattle_event_verdict(p->w, skb, &p->key, d);
	if (d->verdict != WATTLE_VERDICT_ALLOW)
		return wattle_packet_drop(p, d->reason);
	if (d->next != WATTLE_TO_NODE)
		return wattle_packet_drop(p, WATTLE_REASON_NO_NODE);
	mtu = wattle_vxlan_mtu(p->w, d->node);
	if (!mtu)
		return wattle_packet_drop(p, WATTLE_REASON_NO_ROUTE);
	identity = wattle_wire_identity(d->src_id);
	__skb_set_sw_hash(skb, wattle_flow_hash(p->w, &p->key), true);
	if (wattle_fits(skb, &p->parsed, mtu)) {
		skb_dst_drop(skb);
		wattle_send(p->w, d->node, skb, identity);
		return WATTLE_TAKEN;
	}
	if (!(p->parsed.flags & WATTLE_PARSED_DF)) {
		wattle_send_fragments(p->w, d->node, skb, identity, mtu);
		return WATTLE_TAKEN;
	}
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	else
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return wattle_packet_drop(p, WATTLE_REASON_TOO_BIG);
}

netdev_tx_t wattle_hook_device(struct sk_buff *skb, struct net_device *dev)
{
	struct wattle_packet p = { .w = netdev_priv(dev) };
	enum wattle_reason reason;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		wattle_drop_note(p.w, NULL, 0, WATTLE_REASON_NO_MEMORY, NULL, NULL);
		return NETDEV_TX_OK;
	}
	p.skb = skb;
	rcu_read_lock();
	p.epoch = wattle_epoch(&p.w->config);
	skb_pull(skb, skb_network_offset(skb));
	wattle_count(p.w, WATTLE_COUNT_FROM_DEVICE, wattle_skb_packets(skb), skb->len);
	reason = wattle_parse(skb, &p.key, &p.parsed);
	if (!reason && (p.parsed.flags & WATTLE_PARSED_LOCAL))
		reason = WATTLE_REASON_NOT_UNICAST;
	p.key.origin = WATTLE_FROM_DEVICE;
	p.key.flags = wattle_stack_flags(p.w, skb, &p.key.saddr);
	if (reason)
		wattle_packet_drop(&p, reason);
	else
		wattle_device_slow(&p);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* ---- out of the tunnel ---- */

static enum wattle_outcome wattle_tunnel_slow(struct wattle_packet *p, struct wattle_node *node,
					      enum wattle_reason reason)
{
	struct wattle_decision *d = &p->decision;
	struct wattle_view view;

	if (reason)
		return wattle_packet_drop(p, reason);
	if (p->parsed.flags & WATTLE_PARSED_LOCAL)
		return wattle_packet_drop(p, WATTLE_REASON_NOT_UNICAST);
	/* Nothing of it is believed, nor kept, before the sender is known. */
	wattle_packet_view(p, &view);
	if (!wattle_decide_sender(&view, &p->key, d))
		return wattle_packet_drop(p, d->reason);
	if (node)
		wattle_vxlan_learn(p->w, node, p->skb);
	wattle_decide_next(&view, &p->key, d);
	if (d->verdict != WATTLE_VERDICT_ALLOW)
		return wattle_packet_drop(p, d->reason);
	if (d->next == WATTLE_TO_STACK) {
		wattle_receive(p->w, p->skb);
		return WATTLE_TAKEN;
	}
	if ((p->parsed.flags & WATTLE_PARSED_FRAGMENT) &&
	    !wattle_packet_defrag(p, WATTLE_DEFRAG_TUNNEL))
		return WATTLE_TAKEN;
	return wattle_packet_apply(p);
}

/* The node behind an outer source; the last one asked for is remembered per CPU. */
static u32 wattle_tunnel_node(struct wattle *w, const struct wattle_wire *wire, u32 epoch,
			      struct wattle_node **node)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);
	u64 gen = wattle_generation(&w->config);

	if (flows->node_epoch != epoch || !ipv6_addr_equal(&flows->node_addr, &wire->saddr) ||
	    !flows->node) {
		flows->node = wattle_node_by_addr(&w->config.nodes, &wire->saddr, gen);
		flows->node_addr = wire->saddr;
		flows->node_epoch = epoch;
	}
	*node = flows->node;
	return flows->node ? flows->node->serial : 0;
}

void wattle_hook_tunnel_packet(struct wattle *w, struct sk_buff *skb)
{
	enum wattle_reason reason;
	struct wattle_packet p;
	struct wattle_node *node;
	struct wattle_flow *flow;
	struct wattle_wire wire;

	p.w = w;
	p.skb = skb;
	p.port = NULL;
	p.epoch = wattle_epoch(&w->config);
	reason = wattle_vxlan_decap(w, skb, &wire);
	wattle_count(w, WATTLE_COUNT_FROM_TUNNEL, wattle_skb_packets(skb), skb->len);
	if (unlikely(reason)) {
		wattle_drop(w, skb, reason, NULL, NULL);
		return;
	}
	reason = wattle_parse(skb, &p.key, &p.parsed);
	p.key.origin = WATTLE_FROM_TUNNEL;
	p.key.wire = wire.identity;
	if (READ_ONCE(w->opt.mode) == WATTLE_MODE_IDENTITY || wire.identity)
		p.key.flags |= WATTLE_KEY_WIRE;
	p.key.in = wattle_tunnel_node(w, &wire, p.epoch, &node);
	p.hash = wattle_flow_hash(w, &p.key);
	if (likely(!reason && !(p.parsed.flags & WATTLE_PARSED_SLOW))) {
		flow = wattle_flow_lookup(w, &p.key, p.hash);
		if (likely(flow && wattle_hit(w, skb, &p.parsed, flow, p.hash)))
			return;
	}
	wattle_packet_init(&p);
	wattle_tunnel_slow(&p, node, reason);
}

int wattle_hook_tunnel(struct sock *sk, struct sk_buff *skb)
{
	struct wattle *w = rcu_dereference_sk_user_data(sk);

	if (unlikely(!w)) {
		kfree_skb(skb);
		return 0;
	}
	wattle_uplink_learn(w, skb);
	wattle_hook_tunnel_packet(w, skb);
	return 0;
}

/* ---- ports and namespaces ---- */

static int wattle_port_attach(struct wattle_port *port)
{
	struct net *net = dev_net(port->dev);
	int err;

	port->ingress = (struct nf_hook_ops){
		.hook = wattle_hook_ingress,
		.priv = port,
		.dev = port->dev,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = NF_IP_PRI_FIRST,
	};
	port->egress = port->ingress;
	port->egress.hook = wattle_hook_egress;
	port->egress.hooknum = NF_NETDEV_EGRESS;
	port->egress.priority = NF_IP_PRI_LAST;
	err = nf_register_net_hook(net, &port->ingress);
	if (err)
		return err;
	err = nf_register_net_hook(net, &port->egress);
	if (err) {
		nf_unregister_net_hook(net, &port->ingress);
		return err;
	}
	/* The pod leaves room for the outer headers: no copy when they are pushed. */
	netdev_set_rx_headroom(port->dev, LL_MAX_HEADER + WATTLE_OVERHEAD6);
	return 0;
}

static void wattle_port_detach(struct wattle_port *port)
{
	struct net *net = port->wattle->net;

	nf_unregister_net_hook(net, &port->egress);
	nf_unregister_net_hook(net, &port->ingress);
	netdev_reset_rx_headroom(port->dev);
	synchronize_net();
}

const struct wattle_port_ops wattle_port_ops = {
	.attach = wattle_port_attach,
	.detach = wattle_port_detach,
};

/*
 * The tunnel's own packets are no connections of the host: conntrack would make one for
 * each source port, and gain nothing by it.
 */
static bool wattle_is_tunnel(const struct wattle *w, struct sk_buff *skb, unsigned int offset,
			     u8 proto)
{
	const struct udphdr *uh;
	struct udphdr buffer;

	if (proto != IPPROTO_UDP || skb->pkt_type != PACKET_HOST)
		return false;
	uh = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	return uh && ntohs(uh->dest) == READ_ONCE(w->opt.port);
}

static unsigned int wattle_hook_untrack4(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	const struct wattle *w = wattle_of(state->net);

	if (w && !ip_is_fragment(ip_hdr(skb)) &&
	    wattle_is_tunnel(w, skb, ip_hdrlen(skb), ip_hdr(skb)->protocol))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

static unsigned int wattle_hook_untrack6(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	const struct wattle *w = wattle_of(state->net);

	if (w && wattle_is_tunnel(w, skb, sizeof(struct ipv6hdr), ipv6_hdr(skb)->nexthdr))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

static const struct nf_hook_ops wattle_untrack_ops[] = {
	{
		.hook = wattle_hook_untrack4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	}, {
		.hook = wattle_hook_untrack6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_RAW_BEFORE_DEFRAG,
	},
};

int wattle_hooks_init(struct wattle *w, struct netlink_ext_ack *extack)
{
	int err;

	err = nf_ct_netns_get(w->net, NFPROTO_INET);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "Connection tracking is not available");
		return err;
	}
	err = nf_defrag_ipv4_enable(w->net);
	if (err)
		goto err_conntrack;
	err = nf_defrag_ipv6_enable(w->net);
	if (err)
		goto err_defrag4;
	err = wattle_nat_register(w);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "Address translation is not available");
		goto err_defrag6;
	}
	err = nf_register_net_hooks(w->net, wattle_untrack_ops, ARRAY_SIZE(wattle_untrack_ops));
	if (err)
		goto err_nat;
	wattle_uplinks_init(w);
	return 0;

err_nat:
	wattle_nat_unregister(w);
err_defrag6:
	nf_defrag_ipv6_disable(w->net);
err_defrag4:
	nf_defrag_ipv4_disable(w->net);
err_conntrack:
	nf_ct_netns_put(w->net, NFPROTO_INET);
	return err;
}

void wattle_hooks_exit(struct wattle *w)
{
	wattle_uplinks_exit(w);
	nf_unregister_net_hooks(w->net, wattle_untrack_ops, ARRAY_SIZE(wattle_untrack_ops));
	wattle_nat_unregister(w);
	nf_defrag_ipv6_disable(w->net);
	nf_defrag_ipv4_disable(w->net);
	nf_ct_netns_put(w->net, NFPROTO_INET);
}
