// SPDX-License-Identifier: GPL-2.0-only
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <net/arp.h>
#include <net/ip6_checksum.h>
#include <net/ndisc.h>

#include "apply.h"
#include "nat.h"
#include "neigh.h"
#include "stats.h"

/* ARP over Ethernet for IPv4 (RFC 826), behind struct arphdr. */
struct wattle_arp {
	struct arphdr hdr;
	u8 sha[ETH_ALEN];
	__be32 sip;
	u8 tha[ETH_ALEN];
	__be32 tip;
} __packed;

static bool wattle_arp_ok(const struct arphdr *hdr)
{
	return hdr->ar_hrd == htons(ARPHRD_ETHER) && hdr->ar_pro == htons(ETH_P_IP) &&
	       hdr->ar_hln == ETH_ALEN && hdr->ar_pln == sizeof(__be32);
}

enum wattle_neigh wattle_neigh_arp(struct wattle *w, const struct wattle_endpoint *ep,
				   struct sk_buff *skb)
{
	struct net_device *dev = ep->port->dev;
	struct wattle_arp arp;
	struct in6_addr addr;
	struct sk_buff *reply;

	if (skb_copy_bits(skb, 0, &arp, sizeof(arp)) || !wattle_arp_ok(&arp.hdr))
		return WATTLE_NEIGH_BAD;
	wattle_addr_set_v4(&addr, arp.sip);
	if (arp.sip && !wattle_endpoint_has_ip(ep, &addr))
		return WATTLE_NEIGH_SPOOFED;
	if (arp.hdr.ar_op == htons(ARPOP_REPLY))
		return arp.sip ? WATTLE_NEIGH_PASS : WATTLE_NEIGH_BAD;
	/* A probe for its own address (RFC 5227), or an announcement: nobody answers. */
	wattle_addr_set_v4(&addr, arp.tip);
	if (arp.hdr.ar_op != htons(ARPOP_REQUEST) || !arp.sip ||
	    wattle_endpoint_has_ip(ep, &addr))
		return WATTLE_NEIGH_DONE;

	reply = arp_create(ARPOP_REPLY, ETH_P_ARP, arp.sip, dev, arp.tip, arp.sha,
			   dev->dev_addr, arp.sha);
	if (reply) {
		skb_pull(reply, skb_network_offset(reply));
		wattle_count(w, WATTLE_COUNT_REPLY, 1, reply->len);
		wattle_deliver(w, ep, reply);
	}
	return WATTLE_NEIGH_DONE;
}

/* A neighbour advertisement with its one option (RFC 4861, 4.4 and 4.6.1). */
struct wattle_advertisement {
	struct ipv6hdr ip;
	struct icmp6hdr icmp;
	struct in6_addr target;
	u8 option_type;
	u8 option_len;		/* in 8 bytes */
	u8 lladdr[ETH_ALEN];
} __packed;

static struct sk_buff *wattle_advertise(const struct net_device *dev, const struct in6_addr *target,
					const struct in6_addr *to)
{
	struct wattle_advertisement *na;
	unsigned int len = sizeof(*na) - sizeof(na->ip);
	struct sk_buff *skb;

	skb = alloc_skb(LL_MAX_HEADER + sizeof(*na), GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IPV6);
	na = skb_put_zero(skb, sizeof(*na));
	na->ip.version = 6;
	na->ip.payload_len = htons(len);
	na->ip.nexthdr = IPPROTO_ICMPV6;
	na->ip.hop_limit = 255;
	na->ip.saddr = *target;
	na->ip.daddr = *to;
	na->icmp.icmp6_type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	na->icmp.icmp6_router = 1;
	na->icmp.icmp6_solicited = 1;
	na->icmp.icmp6_override = 1;
	na->target = *target;
	na->option_type = ND_OPT_TARGET_LL_ADDR;
	na->option_len = 1;
	ether_addr_copy(na->lladdr, dev->dev_addr);
	na->icmp.icmp6_cksum = csum_ipv6_magic(target, to, len, IPPROTO_ICMPV6,
					       csum_partial(&na->icmp, len, 0));
	return skb;
}

enum wattle_neigh wattle_neigh_nd(struct wattle *w, const struct wattle_endpoint *ep,
				  struct sk_buff *skb, unsigned int offset)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct in6_addr from = ip6h->saddr, to = ip6h->daddr;
	struct sk_buff *reply;
	struct nd_msg msg;
	bool own;

	if (skb_copy_bits(skb, offset, &msg.icmph, sizeof(msg.icmph)))
		return WATTLE_NEIGH_BAD;
	if (msg.icmph.icmp6_type != NDISC_NEIGHBOUR_SOLICITATION &&
	    msg.icmph.icmp6_type != NDISC_NEIGHBOUR_ADVERTISEMENT)
		return WATTLE_NEIGH_LOCAL;
	if (skb_copy_bits(skb, offset, &msg, sizeof(msg)) ||
	    ip6h->hop_limit != 255 || msg.icmph.icmp6_code ||
	    ipv6_addr_is_multicast(&msg.target))
		return WATTLE_NEIGH_BAD;
	own = ipv6_addr_type(&from) & IPV6_ADDR_LINKLOCAL || wattle_endpoint_has_ip(ep, &from);
	if (msg.icmph.icmp6_type == NDISC_NEIGHBOUR_ADVERTISEMENT) {
		if (!own || !(ipv6_addr_type(&msg.target) & IPV6_ADDR_LINKLOCAL ||
			      wattle_endpoint_has_ip(ep, &msg.target)))
			return WATTLE_NEIGH_SPOOFED;
		/* An answer to the host; the host would forward any other. */
		if (!(ipv6_addr_type(&to) & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MULTICAST)) &&
		    !wattle_is_host(w->net, &to))
			return WATTLE_NEIGH_LOCAL;
		return WATTLE_NEIGH_PASS;
	}
	/* It looks whether its own address is free (RFC 4862, 5.4). */
	if (ipv6_addr_any(&from) || wattle_endpoint_has_ip(ep, &msg.target))
		return WATTLE_NEIGH_DONE;
	if (!own)
		return WATTLE_NEIGH_SPOOFED;

	reply = wattle_advertise(ep->port->dev, &msg.target, &from);
	if (reply) {
		wattle_count(w, WATTLE_COUNT_REPLY, 1, reply->len);
		wattle_deliver(w, ep, reply);
	}
	return WATTLE_NEIGH_DONE;
}

/* Questions out of the tunnel -------------------------------------------------------- */

/* Does what is sent to @addr come to somebody here? */
static bool wattle_neigh_is_here(struct wattle *w, const struct in6_addr *addr)
{
	return wattle_endpoint_by_ip(&w->config.endpoints, addr,
				     wattle_generation(&w->config)) ||
	       wattle_is_host(w->net, addr);
}

static void wattle_neigh_answer(struct wattle *w, struct wattle_node *node,
				struct sk_buff *reply)
{
	if (!reply)
		return;
	/* It is of no flow, and the kernel would look for the namespace to find a hash of it. */
	__skb_set_sw_hash(reply, w->hash_seed, false);
	wattle_count(w, WATTLE_COUNT_REPLY, 1, reply->len);
	wattle_send(w, node, reply, WATTLE_ID_UNKNOWN);
}

static enum wattle_neigh wattle_neigh_tunnel_arp(struct wattle *w, struct wattle_node *node,
						 struct sk_buff *skb)
{
	struct net_device *dev = w->dev;
	struct wattle_arp arp;
	struct in6_addr addr;
	struct sk_buff *reply;

	if (skb_copy_bits(skb, 0, &arp, sizeof(arp)) || !wattle_arp_ok(&arp.hdr))
		return WATTLE_NEIGH_BAD;
	wattle_addr_set_v4(&addr, arp.tip);
	if (arp.hdr.ar_op != htons(ARPOP_REQUEST) || !arp.sip || !wattle_neigh_is_here(w, &addr))
		return WATTLE_NEIGH_DONE;
	reply = arp_create(ARPOP_REPLY, ETH_P_ARP, arp.sip, dev, arp.tip, arp.sha, dev->dev_addr,
			   arp.sha);
	if (reply)
		skb_pull(reply, skb_network_offset(reply));
	wattle_neigh_answer(w, node, reply);
	return WATTLE_NEIGH_DONE;
}

static enum wattle_neigh wattle_neigh_tunnel_nd(struct wattle *w, struct wattle_node *node,
						struct sk_buff *skb, unsigned int offset)
{
	struct in6_addr from = ipv6_hdr(skb)->saddr;
	u8 hop_limit = ipv6_hdr(skb)->hop_limit;
	struct nd_msg msg;

	if (skb_copy_bits(skb, offset, &msg.icmph, sizeof(msg.icmph)))
		return WATTLE_NEIGH_BAD;
	if (msg.icmph.icmp6_type == NDISC_NEIGHBOUR_ADVERTISEMENT)
		return WATTLE_NEIGH_DONE;
	if (msg.icmph.icmp6_type != NDISC_NEIGHBOUR_SOLICITATION)
		return WATTLE_NEIGH_LOCAL;
	if (skb_copy_bits(skb, offset, &msg, sizeof(msg)) || hop_limit != 255 ||
	    msg.icmph.icmp6_code || ipv6_addr_is_multicast(&msg.target))
		return WATTLE_NEIGH_BAD;
	if (!ipv6_addr_any(&from) && wattle_neigh_is_here(w, &msg.target))
		wattle_neigh_answer(w, node, wattle_advertise(w->dev, &msg.target, &from));
	return WATTLE_NEIGH_DONE;
}

enum wattle_neigh wattle_neigh_tunnel(struct wattle *w, struct wattle_node *node,
				      struct sk_buff *skb, unsigned int offset)
{
	if (skb->protocol == htons(ETH_P_ARP))
		return wattle_neigh_tunnel_arp(w, node, skb);
	return wattle_neigh_tunnel_nd(w, node, skb, offset);
}
