/* SPDX-License-Identifier: GPL-2.0-only */
/* The tunnel's wire format: VXLAN (RFC 7348), with the group policy extension. */
#ifndef WATTLE_VXLAN_H
#define WATTLE_VXLAN_H

#include <linux/skbuff.h>
#include "wattle.h"

/* Bytes in front of the inner IP packet: outer IP, UDP, VXLAN, inner Ethernet. */
#define WATTLE_OVERHEAD4	(20 + 8 + 8 + 14)
#define WATTLE_OVERHEAD6	(40 + 8 + 8 + 14)

/* What the outer headers said. */
struct wattle_wire {
	struct in6_addr saddr;	/* outer source, IPv4 mapped */
	u32 identity;		/* modes identity and gbp; else 0 */
	u8 ecn;			/* outer ECN bits */
};

/*
 * skb_scrub_packet() between namespaces, for a packet that no stack has seen: there is little that
 * it can have to be taken off, but for the connection of one that begins.
 */
static inline void wattle_scrub(struct sk_buff *skb)
{
	if (unlikely(skb->_skb_refdst || skb_has_extensions(skb) ||
		     skb->pkt_type != PACKET_HOST)) {
		skb_scrub_packet(skb, true);
		return;
	}
	nf_reset_ct(skb);
	skb->skb_iif = 0;
	skb->ignore_df = 0;
	skb->mark = 0;
	skb_clear_tstamp(skb);
	nf_reset_trace(skb);
}

/* Prepared outer headers of a device. Context: process. */
int wattle_vxlan_init(struct wattle *w);
void wattle_vxlan_exit(struct wattle *w);

/*
 * Options, addresses or what else the prepared headers are made of have changed; the
 * writes of the caller come first. Context: any.
 */
void wattle_vxlan_touch(struct wattle *w);

/*
 * Take the outer headers off. @skb: as the UDP encap_rcv callback gets it, at the UDP
 * header. On WATTLE_REASON_NONE skb->data is at the inner IP header, network and mac
 * header are set, skb->protocol is ETH_P_IP or ETH_P_IPV6 (ETH_P_ARP where
 * wattle_vxlan_asks()), skb->dev is the device; any other reason: the packet is to be
 * dropped for it. Never consumes @skb; header pointers are stale. At least 20 bytes of the
 * inner packet are linear; what they say is for the
 * caller to check. Context: softirq, RCU.
 */
enum wattle_reason wattle_vxlan_decap(struct wattle *w, struct sk_buff *skb,
				      struct wattle_wire *wire);

/*
 * Encapsulate and send to @node. @skb: at the inner IP header, network header set, not
 * shared; ownership passes here whatever happens (drops are counted and freed here).
 * The outer source port is made from skb->hash; where the caller knows a hash of the inner
 * flow it should set it (__skb_set_sw_hash()), for finding one here is expensive.
 * @identity goes on the wire as the device's mode says. The caller has checked the
 * length against wattle_vxlan_mtu(). Context: softirq, RCU, BH disabled.
 */
void wattle_vxlan_xmit(struct wattle *w, struct wattle_node *node, struct sk_buff *skb,
		       u32 identity);

/* Largest inner IP packet that reaches @node unfragmented, 0 without a route. Context: RCU, BH. */
unsigned int wattle_vxlan_mtu(struct wattle *w, struct wattle_node *node);

/* Tunnel end point of @node in the family of the underlay, or NULL. */
const struct in6_addr *wattle_vxlan_remote(const struct wattle *w, const struct wattle_node *node);

/* Inner MAC address of the node with tunnel end point @addr, unless it is told otherwise. */
void wattle_vxlan_lladdr(const struct in6_addr *addr, u8 *lladdr);

/*
 * Is the other side perhaps one that looks at inner MAC addresses, and asks for them? Wattle in
 * mode identity does neither. Context: any.
 */
static inline bool wattle_vxlan_asks(const struct wattle *w)
{
	return READ_ONCE(w->opt.mode) != WATTLE_MODE_IDENTITY;
}

void wattle_vxlan_learn_slow(struct wattle *w, struct wattle_node *node,
			     const struct sk_buff *skb);

/*
 * Remember the MAC address that @node's frames come from: what we send it is then
 * addressed to that. @skb: came from @node, after wattle_vxlan_decap(), and was found
 * to be genuine. Nodes that run Wattle do not look at it. Context: softirq.
 */
static inline void wattle_vxlan_learn(struct wattle *w, struct wattle_node *node,
				      const struct sk_buff *skb)
{
	if (wattle_vxlan_asks(w))
		wattle_vxlan_learn_slow(w, node, skb);
}

/*
 * Open and close the sockets of the device. @rcv: encap_rcv. While they are open, open
 * moves them to where the options now say; if that fails, all is as before.
 * Context: RTNL.
 */
int wattle_vxlan_open(struct wattle *w, int (*rcv)(struct sock *sk, struct sk_buff *skb),
		      struct netlink_ext_ack *extack);
void wattle_vxlan_close(struct wattle *w);

/* A network card asks for the ports whose packets it might parse. Context: RTNL. */
void wattle_vxlan_offer_port(struct wattle *w, struct net_device *dev, bool add);

#endif /* WATTLE_VXLAN_H */
