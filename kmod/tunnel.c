// SPDX-License-Identifier: GPL-2.0-only
/* Where packets of the tunnel come in, by the socket or, earlier, by an uplink. */
#include "compat.h"
#include "event.h"
#include "neigh.h"
#include "packet.h"
#include "tunnel.h"
#include "vxlan.h"

/* A node asks for a MAC address; no others are told anything. */
static enum wattle_outcome wattle_tunnel_neigh(struct wattle_packet *p, struct wattle_node *node)
{
	if (!node)
		return wattle_packet_drop(p, WATTLE_REASON_UNKNOWN_NODE);
	wattle_vxlan_learn(p->w, node, p->skb);
	switch (wattle_neigh_tunnel(p->w, node, p->skb, p->parsed.hlen)) {
	case WATTLE_NEIGH_DONE:
		consume_skb(p->skb);
		return WATTLE_TAKEN;
	case WATTLE_NEIGH_LOCAL:
		return wattle_packet_drop(p, WATTLE_REASON_NOT_UNICAST);
	default:
		return wattle_packet_drop(p, WATTLE_REASON_BAD_HEADER);
	}
}

static enum wattle_outcome wattle_tunnel_slow(struct wattle_packet *p, struct wattle_node *node,
					      enum wattle_reason reason)
{
	struct wattle_decision *d = &p->decision;
	bool belongs;

	if (wattle_vxlan_asks(p->w) && (p->skb->protocol == htons(ETH_P_ARP) ||
					(!reason && (p->parsed.flags & WATTLE_PARSED_LOCAL))))
		return wattle_tunnel_neigh(p, node);
	if (reason)
		return wattle_packet_drop(p, reason);
	if (p->parsed.flags & WATTLE_PARSED_LOCAL)
		return wattle_packet_drop(p, WATTLE_REASON_NOT_UNICAST);
	/*
	 * Nothing of it is believed, nor kept, before the sender is known. What policy says is for
	 * later: it may be an answer; so may what has come from outside by a gateway, which has
	 * to prove it by its connection then. Nor do backends for new connections matter yet.
	 */
	wattle_decide(&p->view, &p->key, d);
	belongs = (d->reason == WATTLE_REASON_FOREIGN_SOURCE ||
		   (d->reason == WATTLE_REASON_NO_ENDPOINT && !p->view.strict)) && node &&
		  wattle_decide_may_belong(&p->view, &p->key,
					   p->parsed.flags & (WATTLE_PARSED_ERROR |
							      WATTLE_PARSED_FRAGMENT));
	if (d->verdict == WATTLE_VERDICT_DROP && !belongs &&
	    d->reason != WATTLE_REASON_NO_BACKEND)
		return wattle_packet_drop(p, d->reason);
	if (node)
		wattle_vxlan_learn(p->w, node, p->skb);
	if (d->next == WATTLE_TO_STACK && !d->outward) {
		wattle_receive(p->w, p->skb);
		return WATTLE_TAKEN;
	}
	if (!(p->parsed.flags & WATTLE_PARSED_FRAGMENT))
		p->decided = !belongs && !d->service;
	else if (!wattle_packet_defrag(p, WATTLE_DEFRAG_TUNNEL))
		return WATTLE_TAKEN;
	return wattle_packet_apply(p);
}

/* The node behind an outer source, or NULL; the last one that was found is remembered per CPU. */
static u32 wattle_tunnel_node(struct wattle *w, const struct wattle_wire *wire,
			      struct wattle_node **node)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);
	u32 epoch = wattle_epoch(&w->config);

	if (unlikely(flows->node_epoch != epoch ||
		     !ipv6_addr_equal(&flows->node_addr, &wire->saddr))) {
		*node = wattle_node_by_addr(&w->config.nodes, &wire->saddr,
					    wattle_generation(&w->config));
		if (!*node)
			return 0;
		flows->node = *node;
		flows->node_addr = wire->saddr;
		flows->node_epoch = epoch;
	}
	*node = flows->node;
	return flows->node->serial;
}

/*
 * The tables have changed since the node was looked up, which may have been replaced. A packet
 * sees all of them before a change or after it.
 */
static noinline_for_stack struct wattle_node *wattle_tunnel_renew(struct wattle_packet *p,
								  const struct wattle_wire *wire)
{
	struct wattle_node *node = wattle_node_by_addr(&p->w->config.nodes, &wire->saddr,
						       p->view.gen);

	p->key.in = node ? node->serial : 0;
	p->hash = wattle_flow_hash(p->w, &p->key);
	return node;
}

void wattle_tunnel_receive(struct wattle *w, struct sk_buff *skb)
{
	enum wattle_reason reason;
	struct wattle_packet p wattle_uninit;
	struct wattle_flow *flow wattle_uninit;
	struct wattle_node *node;
	struct wattle_wire wire wattle_uninit;
	bool plain;

	reason = wattle_vxlan_decap(w, skb, &wire);
	if (unlikely(reason)) {
		wattle_drop(w, skb, reason, NULL, NULL);
		return;
	}
	plain = wattle_parse_plain(skb, &p.key, &p.parsed);
	if (unlikely(!plain))
		reason = wattle_parse(skb, &p.key, &p.parsed);
	p.key.origin = WATTLE_FROM_TUNNEL;
	if (READ_ONCE(w->opt.mode) == WATTLE_MODE_IDENTITY || wire.identity)
		p.key.flags = WATTLE_KEY_WIRE;
	p.key.wire = wire.identity;
	p.key.in = wattle_tunnel_node(w, &wire, &node);
	p.hash = wattle_flow_hash(w, &p.key);
	if ((likely(plain) || (!reason && wattle_parsed_is_fast(&p.parsed))) &&
	    likely(wattle_flow_lookup(w, &p.key, p.hash, &flow)) &&
	    likely(wattle_hit(w, skb, &p.parsed, flow, p.hash)))
		return;
	wattle_count(w, WATTLE_COUNT_FROM_TUNNEL, wattle_skb_packets(skb), skb->len);
	if (plain)
		reason = wattle_parse_check(&p.key);
	wattle_packet_begin(&p, w, skb, NULL);
	if (unlikely(p.key.in && !wattle_alive(&node->life, p.view.gen)))
		node = wattle_tunnel_renew(&p, &wire);
	/* It became the host's meanwhile, or leaves here for the outside. */
	if (wattle_tunnel_slow(&p, node, reason) == WATTLE_PASS)
		wattle_receive_tracked(w, skb);
}
