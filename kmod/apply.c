// SPDX-License-Identifier: GPL-2.0-only
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>

#include "apply.h"
#include "event.h"
#include "stats.h"

/* A delivery into a pod may run its stack, and so come back here: not without end. */
#define WATTLE_DEPTH_MAX	4

/* Write an Ethernet header before the network header; data stays at the latter. */
static bool wattle_ether(struct sk_buff *skb, const u8 *dst, const u8 *src)
{
	struct ethhdr *eth;

	if (skb_cow_head(skb, ETH_HLEN))
		return false;
	eth = (struct ethhdr *)(skb->data - ETH_HLEN);
	ether_addr_copy(eth->h_dest, dst);
	ether_addr_copy(eth->h_source, src);
	eth->h_proto = skb->protocol;
	skb_set_mac_header(skb, -ETH_HLEN);
	skb_reset_mac_len(skb);
	return true;
}

/* Let those who listen on the device see what passes it by. */
static void wattle_tap(struct sk_buff *skb, struct net_device *dev)
{
	struct net_device *old = skb->dev;

	skb->dev = dev;
	skb_push(skb, ETH_HLEN);
	dev_queue_xmit_nit(skb, dev);
	skb_pull(skb, ETH_HLEN);
	skb->dev = old;
}

static void wattle_stats_received(struct net_device *dev, unsigned int len)
{
	if (dev->pcpu_stat_type == NETDEV_PCPU_STAT_TSTATS && dev->tstats)
		dev_sw_netstats_rx_add(dev, len);
}

/* By the device itself, past our own hook on it: for those without a peer (tap). */
static void wattle_deliver_by_device(struct wattle *w, struct net_device *dev, struct sk_buff *skb)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);

	skb_scrub_packet(skb, false);
	skb->dev = dev;
	skb_push(skb, ETH_HLEN);
	flows->direct = true;
	dev_queue_xmit(skb);
	flows->direct = false;
}

/* What a packet must not take along; out of the tunnel it has nothing but conntrack's. */
static void wattle_deliver_scrub(struct wattle *w, struct sk_buff *skb, bool xnet)
{
	if (skb->dev != w->dev || skb_nfct(skb))
		skb_scrub_packet(skb, xnet);
}

void wattle_deliver_counted(struct wattle *w, const struct wattle_endpoint *ep,
			    struct sk_buff *skb)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);
	struct net_device *dev = ep->port->dev, *peer = NULL;
	const u8 *lladdr;

	if (unlikely(!(dev->flags & IFF_UP) || READ_ONCE(ep->port->gone)))
		goto down;
	if (likely(dev->netdev_ops->ndo_get_peer_dev)) {
		peer = dev->netdev_ops->ndo_get_peer_dev(dev);
		if (unlikely(!peer || !(peer->flags & IFF_UP)))
			goto down;
		lladdr = peer->dev_addr;
	} else {
		lladdr = ep->port->lladdr;
	}
	if (unlikely(flows->depth >= WATTLE_DEPTH_MAX)) {
		wattle_drop(w, skb, WATTLE_REASON_RECURSION, NULL, NULL);
		return;
	}
	if (unlikely(!wattle_ether(skb, lladdr, dev->dev_addr))) {
		wattle_drop(w, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
		return;
	}
	if (unlikely(dev_nit_active(dev)))
		wattle_tap(skb, dev);
	flows->depth++;
	if (likely(peer)) {
		wattle_deliver_scrub(w, skb, !net_eq(dev_net(dev), dev_net(peer)));
		skb->dev = peer;
		wattle_stats_received(peer, skb->len + ETH_HLEN);
		/* As bpf_redirect_peer() does it: received on this CPU, whatever RPS says. */
		netif_receive_skb_core(skb);
	} else {
		wattle_deliver_by_device(w, dev, skb);
	}
	flows->depth--;
	return;

down:
	wattle_drop(w, skb, WATTLE_REASON_DEVICE_DOWN, NULL, NULL);
}

void wattle_deliver(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb)
{
	wattle_count(w, WATTLE_COUNT_TO_POD, wattle_skb_packets(skb), skb->len);
	wattle_deliver_counted(w, ep, skb);
}

void wattle_send(struct wattle *w, struct wattle_node *node, struct sk_buff *skb, u32 identity)
{
	wattle_count(w, WATTLE_COUNT_TO_TUNNEL, wattle_skb_packets(skb), skb->len);
	wattle_vxlan_xmit(w, node, skb, identity);
}

void wattle_receive_tracked(struct wattle *w, struct sk_buff *skb)
{
	unsigned long connection = skb_get_nfct(skb);
	bool pieces = skb->ignore_df;

	skb_set_nfct(skb, 0);
	skb_scrub_packet(skb, false);
	skb_set_nfct(skb, connection);
	/* What came in pieces may go on in pieces. */
	skb->ignore_df = pieces;
	skb->dev = w->dev;
	netif_rx(skb);
}

void wattle_receive(struct wattle *w, struct sk_buff *skb)
{
	wattle_count(w, WATTLE_COUNT_TO_STACK, wattle_skb_packets(skb), skb->len);
	skb_scrub_packet(skb, false);
	skb->dev = w->dev;
	skb->pkt_type = PACKET_HOST;
	netif_rx(skb);
}

/*
 * ip_do_fragment() and ip6_fragment() ask the route how long pieces may be and hand each
 * to a function: both get a route of our own that is never seen outside, and where the pieces go
 * stands in memory of this CPU meanwhile.
 */
struct wattle_fragmenting {
	struct wattle *w;
	struct wattle_node *node;
	u32 identity;
	unsigned int mtu;
};

static DEFINE_PER_CPU(struct wattle_fragmenting *, wattle_fragmenting);

static unsigned int wattle_dst_mtu(const struct dst_entry *dst)
{
	return __this_cpu_read(wattle_fragmenting)->mtu;
}

static struct dst_ops wattle_dst_ops = {
	.family = AF_UNSPEC,
	.mtu = wattle_dst_mtu,
};

static int wattle_fragment_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct wattle_fragmenting *f = __this_cpu_read(wattle_fragmenting);

	skb_dst_drop(skb);
	wattle_send(f->w, f->node, skb, f->identity);
	return 0;
}

static void wattle_fragment(struct wattle *w, struct wattle_node *node, struct sk_buff *skb,
			    u32 identity, unsigned int mtu)
{
	struct wattle_fragmenting f = { w, node, identity, mtu };
	struct wattle_fragmenting *outer = __this_cpu_read(wattle_fragmenting);
	union {
		struct dst_entry dst;
		struct rtable rt4;
		struct rt6_info rt6;
	} route = {};

	wattle_dst_init(&route.dst, &wattle_dst_ops);
	route.dst.dev = w->dev;
	skb_orphan(skb);
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, &route.dst);
	skb->ignore_df = 1;
	__this_cpu_write(wattle_fragmenting, &f);
	if (skb->protocol == htons(ETH_P_IP)) {
		memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
		IPCB(skb)->frag_max_size = min_t(unsigned int, mtu, U16_MAX);
		ip_do_fragment(w->net, NULL, skb, wattle_fragment_output);
	} else {
		memset(IP6CB(skb), 0, sizeof(struct inet6_skb_parm));
		IP6CB(skb)->frag_max_size = min_t(unsigned int, mtu, U16_MAX);
		wattle_ip6_fragment(w->net, skb, wattle_fragment_output);
	}
	__this_cpu_write(wattle_fragmenting, outer);
}

void wattle_send_fragments(struct wattle *w, struct wattle_node *node, struct sk_buff *skb,
			   u32 identity, unsigned int mtu)
{
	struct sk_buff *segs = skb, *next;

	/* As ip_finish_output_gso() does: nobody can cut a packet that is still many. */
	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, NETIF_F_SG);
		if (IS_ERR_OR_NULL(segs)) {
			wattle_drop(w, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
			return;
		}
		consume_skb(skb);
	}
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		if (skb->len <= mtu)
			wattle_send(w, node, skb, identity);
		else
			wattle_fragment(w, node, skb, identity, mtu);
	}
}

/* An error of ours to the pod, made by the kernel's reject helpers, which swap the addresses. */
static void wattle_tell(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *error,
			__be16 protocol)
{
	if (!error)
		return;
	error->protocol = protocol;
	wattle_count(w, WATTLE_COUNT_ICMP_SENT, 1, error->len);
	wattle_deliver(w, ep, error);
}

static struct sk_buff *wattle_too_big4(struct wattle *w, struct net_device *dev,
				       struct sk_buff *skb, unsigned int mtu)
{
	struct sk_buff *error;
	struct icmphdr *icmp;
	unsigned int hlen;

	error = nf_reject_skb_v4_unreach(w->net, skb, dev, NF_INET_PRE_ROUTING, ICMP_FRAG_NEEDED);
	if (!error)
		return NULL;
	hlen = ip_hdrlen(error);
	icmp = (struct icmphdr *)(skb_network_header(error) + hlen);
	icmp->un.frag.mtu = htons(mtu);
	icmp->checksum = 0;
	icmp->checksum = csum_fold(skb_checksum(error, skb_network_offset(error) + hlen,
						error->len - hlen, 0));
	return error;
}

static struct sk_buff *wattle_too_big6(struct wattle *w, struct net_device *dev,
				       struct sk_buff *skb, unsigned int mtu)
{
	struct icmp6hdr *icmp;
	struct ipv6hdr *ip6h;
	struct sk_buff *error;
	unsigned int len;

	error = nf_reject_skb_v6_unreach(w->net, skb, dev, NF_INET_PRE_ROUTING, 0);
	if (!error)
		return NULL;
	ip6h = ipv6_hdr(error);
	icmp = (struct icmp6hdr *)(ip6h + 1);
	len = error->len - sizeof(*ip6h);
	icmp->icmp6_type = ICMPV6_PKT_TOOBIG;
	icmp->icmp6_code = 0;
	icmp->icmp6_mtu = htonl(mtu);
	icmp->icmp6_cksum = 0;
	icmp->icmp6_cksum = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, IPPROTO_ICMPV6,
					    skb_checksum(error, sizeof(*ip6h), len, 0));
	return error;
}

void wattle_tell_too_big(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb,
			 unsigned int mtu)
{
	struct net_device *dev = ep->port->dev;
	struct sk_buff *error;

	if (skb->protocol == htons(ETH_P_IP))
		error = wattle_too_big4(w, dev, skb, mtu);
	else
		error = wattle_too_big6(w, dev, skb, max_t(unsigned int, mtu, IPV6_MIN_MTU));
	wattle_tell(w, ep, error, skb->protocol);
}

void wattle_tell_refused(struct wattle *w, const struct wattle_endpoint *ep, struct sk_buff *skb,
			 u8 proto)
{
	struct net_device *dev = ep->port->dev;
	int hook = NF_INET_PRE_ROUTING;
	struct sk_buff *error;

	if (skb->protocol == htons(ETH_P_IP))
		error = proto == IPPROTO_TCP ?
			nf_reject_skb_v4_tcp_reset(w->net, skb, dev, hook) :
			nf_reject_skb_v4_unreach(w->net, skb, dev, hook, ICMP_PORT_UNREACH);
	else
		error = proto == IPPROTO_TCP ?
			nf_reject_skb_v6_tcp_reset(w->net, skb, dev, hook) :
			nf_reject_skb_v6_unreach(w->net, skb, dev, hook, ICMPV6_PORT_UNREACH);
	wattle_tell(w, ep, error, skb->protocol);
}
