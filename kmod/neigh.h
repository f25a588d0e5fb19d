/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pods need an address and a default route only: whatever neighbour they ask for, the
 * host side of their device says that it is that (RFC 826, RFC 1027; RFC 4861, 7.2.8).
 */
#ifndef WATTLE_NEIGH_H
#define WATTLE_NEIGH_H

#include "wattle.h"

/* What becomes of a packet that was looked at. */
enum wattle_neigh {
	WATTLE_NEIGH_DONE,	/* answered, or not worth an answer; @skb stays the caller's */
	WATTLE_NEIGH_PASS,	/* an answer to the host's own question */
	WATTLE_NEIGH_SPOOFED,
	WATTLE_NEIGH_BAD,
	WATTLE_NEIGH_LOCAL,	/* link-local talk that is not carried */
};

/*
 * ARP, and IPv6 neighbour discovery, from the pod @ep. Data at the network header; @offset: of
 * the ICMPv6 header from there. Header pointers are stale after it. Context: softirq, RCU.
 */
enum wattle_neigh wattle_neigh_arp(struct wattle *w, const struct wattle_endpoint *ep,
				   struct sk_buff *skb);
enum wattle_neigh wattle_neigh_nd(struct wattle *w, const struct wattle_endpoint *ep,
				  struct sk_buff *skb, unsigned int offset);

/*
 * The same out of the tunnel from @node, where that asks (wattle_vxlan_asks()): we answer for the
 * pods here and for the host, by the device's address.
 */
enum wattle_neigh wattle_neigh_tunnel(struct wattle *w, struct wattle_node *node,
				      struct sk_buff *skb, unsigned int offset);

#endif /* WATTLE_NEIGH_H */
