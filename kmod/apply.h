/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done to packets once it is decided: knows packets and no tables. All of it:
 * softirq or BH disabled, RCU. Packets have their data at the network header; functions
 * that take a packet own it from then on.
 */
#ifndef WATTLE_APPLY_H
#define WATTLE_APPLY_H

#include "compat.h"
#include "flow.h"
#include "parse.h"
#include "vxlan.h"
#include "wattle.h"

/* Straight into the pod; the second for those who have counted it. Both take @skb. */
void wattle_deliver(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb);
void wattle_deliver_counted(struct wattle *w, const struct wattle_endpoint *ep,
			    struct sk_buff *skb);

/* Into the tunnel, in the sender's name: @identity is already what goes on the wire. Takes @skb. */
void wattle_send(struct wattle *w, struct wattle_node *node, struct sk_buff *skb, u32 identity);

/* Up the host's stack, as if the wattle device had received it. Takes @skb. */
void wattle_receive(struct wattle *w, struct sk_buff *skb);

/* The same for a packet that is counted already, and goes on with its connection. Takes @skb. */
void wattle_receive_tracked(struct wattle *w, struct sk_buff *skb);

/* Does a packet of @parsed fit into @mtu, segmented or whole? */
static inline bool wattle_fits(const struct sk_buff *skb, const struct wattle_parsed *parsed,
			       unsigned int mtu)
{
	if (likely(parsed->len <= mtu))
		return true;
	return skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu);
}

/*
 * Send as pieces that fit into @mtu (RFC 791, 2.3; RFC 8200, 4.5 for what came in pieces).
 * Takes @skb.
 */
void wattle_send_fragments(struct wattle *w, struct wattle_node *node, struct sk_buff *skb,
			   u32 identity, unsigned int mtu);

/*
 * Tell the pod @ep that its packet @skb did not fit into @mtu (RFC 1191, RFC 8201), or that
 * nobody is there (ICMP port unreachable, TCP reset). @skb stays the caller's.
 */
void wattle_tell_too_big(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb,
			 unsigned int mtu);
void wattle_tell_refused(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb,
			 u8 proto);

/* Identity on the wire: the host is a remote node to others, local numbers are the world. */
static inline u32 wattle_wire_identity(u32 id)
{
	if (id == WATTLE_ID_HOST)
		return WATTLE_ID_REMOTE_NODE;
	if (id >= WATTLE_ID_LOCAL_MIN || id == WATTLE_ID_WORLD_IPV4 || id == WATTLE_ID_WORLD_IPV6)
		return WATTLE_ID_WORLD;
	return id;
}

#endif /* WATTLE_APPLY_H */
