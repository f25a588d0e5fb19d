/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet on its way through here: the flow cache's answer to it, and the long way of those
 * that the cache does not know. Where packets are met is in hooks.c and tunnel.c. All of it:
 * softirq or BH disabled, RCU.
 */
#ifndef WATTLE_PACKET_H
#define WATTLE_PACKET_H

#include "apply.h"
#include "decide.h"
#include "flow.h"
#include "nat.h"
#include "parse.h"
#include "stats.h"
#include "wattle.h"

/* What becomes of a packet for the one who handed it to us. */
enum wattle_outcome {
	WATTLE_TAKEN,
	WATTLE_PASS,	/* on its way up (or down) the host's stack */
};

/**
 * struct wattle_packet - a packet on the long way
 * @w: device
 * @skb: the packet, data at the network header
 * @port: of the endpoint it comes from (FROM_POD) or goes to (FROM_STACK)
 * @ep: that endpoint; NULL out of the tunnel
 * @hash: of @key
 * @key: as it was met
 * @parsed: what else its headers say
 * @view: of the tables; its epoch was read before anything else
 * @decided: @decision was made from @key
 * @known: the connection was in conntrack's table before this packet
 * @reply: the packet goes in reply direction
 * @decision: what to do
 */
struct wattle_packet {
	struct wattle *w;
	struct sk_buff *skb;
	struct wattle_port *port;
	const struct wattle_endpoint *ep;
	u32 hash;
	struct wattle_key key;
	struct wattle_parsed parsed;
	struct wattle_view view;
	bool decided;
	bool known;
	bool reply;
	struct wattle_decision decision;
};

/* Begin the long way. @p->key, @parsed and @hash are the caller's to set. */
void wattle_packet_begin(struct wattle_packet *p, struct wattle *w, struct sk_buff *skb,
			 struct wattle_port *port);

/* Count, tell and free. Returns WATTLE_TAKEN. */
enum wattle_outcome wattle_packet_drop(struct wattle_packet *p, enum wattle_reason reason);

/* Judge a packet by its connection, if it has one: @p->decision, @known, @reply. */
void wattle_packet_decide(struct wattle_packet *p);

/* Tell whether policy lets it pass. Where not it is dropped, and the answer is false. */
bool wattle_packet_allowed(struct wattle_packet *p);

/*
 * It goes on: where a service has bound its connection, it is counted for the backend. Answers to
 * this host, out of the tunnel, are not met here: see wattle_account_answer().
 */
void wattle_packet_account(struct wattle_packet *p);

/* Put fragments together. False: @p->skb is gone. */
bool wattle_packet_defrag(struct wattle_packet *p, enum wattle_defrag_user user);

void wattle_packet_remember_known(struct wattle_packet *p, enum wattle_next next);

/* Remember what was decided, for the packets that follow. */
static inline void wattle_packet_remember(struct wattle_packet *p, enum wattle_next next)
{
	/* Until the connection is in the table, conntrack may give it up. */
	if (p->known)
		wattle_packet_remember_known(p, next);
}

/* All the rest, for packets out of pods and out of the tunnel once they are whole. */
enum wattle_outcome wattle_packet_apply(struct wattle_packet *p);

/* May the flow cache be asked about a packet of @parsed? */
static inline bool wattle_parsed_is_fast(const struct wattle_parsed *parsed)
{
	return !(parsed->flags & WATTLE_PARSED_SLOW);
}

static inline void wattle_flow_count(struct wattle *w, struct wattle_flow *flow,
				     const struct sk_buff *skb, unsigned int len)
{
	unsigned int packets = wattle_skb_packets(skb);
	struct wattle_stats *s = this_cpu_ptr(w->stats);

	flow->packets += packets;
	flow->bytes += len;
	wattle_counts_add(s, &s->hits[flow->key.origin][flow->next], packets, len);
}

/* Inner packets that fit any path (RFC 791, 3.2: 576 bytes), so that nobody need look at it. */
#define WATTLE_MTU_ANY	(576 - WATTLE_OVERHEAD6)

/* Is what was remembered still so? The path may have become narrower, the connection may end. */
static __always_inline bool wattle_hit_holds(struct wattle *w, const struct sk_buff *skb,
					     const struct wattle_parsed *parsed,
					     const struct wattle_flow *flow)
{
	if (flow->key.proto == IPPROTO_TCP &&
	    unlikely(READ_ONCE(flow->ct->proto.tcp.state) != TCP_CONNTRACK_ESTABLISHED))
		return false;
	return flow->next != WATTLE_TO_NODE || parsed->len <= WATTLE_MTU_ANY ||
	       wattle_fits(skb, parsed, wattle_vxlan_mtu(w, flow->action->node));
}

/*
 * A packet of a known flow that goes to a pod here or to a node. False: it has to go the long
 * way, and is as it was. The entry is not touched any more once the packet is handed on, for
 * that may come back here.
 */
static __always_inline bool wattle_hit(struct wattle *w, struct sk_buff *skb,
				       const struct wattle_parsed *parsed,
				       struct wattle_flow *flow, u32 hash)
{
	const struct wattle_flow_action *action = flow->action;

	if (unlikely(!wattle_hit_holds(w, skb, parsed, flow)))
		return false;
	if (unlikely(skb->len > parsed->len) && wattle_trim(skb, parsed))
		return false;
	if (flow->rewrite &&
	    unlikely(wattle_nat_rewrite(skb, parsed->hlen, flow->key.proto, flow->rewrite,
					&action->addr, flow->port)))
		return false;
	wattle_flow_count(w, flow, skb, parsed->len);
	if (flow->next == WATTLE_TO_NODE) {
		__skb_set_sw_hash(skb, hash, true);
		wattle_vxlan_xmit(w, action->node, skb, action->identity);
	} else {
		wattle_deliver_counted(w, action->endpoint, skb);
	}
	return true;
}

#endif /* WATTLE_PACKET_H */
