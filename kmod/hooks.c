// SPDX-License-Identifier: GPL-2.0-only
/* Where packets of pods and of the host come in. tunnel.c has those of the tunnel. */
#include <linux/if_vlan.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_netdev.h>
#include <net/icmp.h>

#include "compat.h"
#include "dsr.h"
#include "event.h"
#include "hooks.h"
#include "neigh.h"
#include "packet.h"
#include "vxlan.h"

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

	ep = wattle_endpoint_on_port(p->port, p->view.gen);
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

static __always_inline enum wattle_outcome wattle_pod(struct wattle_port *port, struct sk_buff *skb)
{
	bool tagged = skb_vlan_tag_present(skb), plain;
	struct wattle *w = port->wattle;
	enum wattle_reason reason wattle_uninit;
	struct wattle_packet p wattle_uninit;
	struct wattle_flow *flow wattle_uninit;

	plain = likely(!tagged) && wattle_parse_plain(skb, &p.key, &p.parsed) &&
		likely(wattle_parse_plain_sum(skb, &p.key, &p.parsed));
	if (unlikely(!plain)) {
		reason = wattle_parse(skb, &p.key, &p.parsed);
		if (!reason && unlikely(!wattle_parse_sum(skb, &p.key, &p.parsed)))
			reason = WATTLE_REASON_BAD_HEADER;
	}
	p.key.origin = WATTLE_FROM_POD;
	p.key.in = port->serial;
	p.hash = wattle_flow_hash(w, &p.key);
	if ((likely(plain) || (!reason && !tagged && wattle_parsed_is_fast(&p.parsed))) &&
	    likely(wattle_flow_lookup(w, &p.key, p.hash, &flow))) {
		if (unlikely(flow->next == WATTLE_TO_STACK)) {
			/* The stack would make another, and nobody would bind that. */
			if (likely(!nf_ct_is_dying(flow->ct))) {
				wattle_flow_count(w, flow, skb, p.parsed.len);
				return WATTLE_PASS;
			}
		} else if (likely(wattle_hit(w, skb, &p.parsed, flow, p.hash))) {
			return WATTLE_TAKEN;
		}
	}
	wattle_count(w, WATTLE_COUNT_FROM_POD, wattle_skb_packets(skb), skb->len);
	if (plain)
		reason = wattle_parse_check(&p.key);
	wattle_packet_begin(&p, w, skb, port);
	return wattle_pod_slow(&p, reason);
}

/* Is that the first packet of a connection that has got another source? */
static bool wattle_hook_is_bound(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ct && !nf_ct_is_confirmed(ct) && (ct->status & IPS_SRC_NAT);
}

/*
 * Somebody else holds @skb as well (pktgen does): work on a clone, and let the original go up
 * the stack, to meet conntrack and services there, where that is where it goes. It would leave
 * with the pod's address, so the first packet of what is masqueraded does not.
 */
static noinline unsigned int wattle_hook_shared(struct wattle_port *port, struct sk_buff *skb)
{
	struct sk_buff *clone = skb_clone(skb, GFP_ATOMIC);

	if (!clone) {
		wattle_drop(port->wattle, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
		return NF_STOLEN;
	}
	if (wattle_pod(port, clone) == WATTLE_PASS) {
		if (unlikely(wattle_hook_is_bound(clone))) {
			wattle_drop(port->wattle, clone, WATTLE_REASON_NAT, NULL, NULL);
			consume_skb(skb);
			return NF_STOLEN;
		}
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

/*
 * Did this host send what came in by no device? Of pieces into which it has cut what it forwards
 * ip6_fragment() does not say where they came from; but those have no socket, as its own have. Of
 * what else has none the connection knows who it is from, whatever address it has been lent.
 */
static noinline bool wattle_stack_is_own(struct wattle *w, const struct sk_buff *skb,
					 const struct wattle_parsed *parsed,
					 const struct in6_addr *saddr)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct in6_addr from = *saddr;

	if (parsed->flags & WATTLE_PARSED_FRAGMENT)
		return false;
	if (ct)
		wattle_track_sender(ct, CTINFO2DIR(ctinfo), &from);
	return wattle_is_host(w->net, &from);
}

/* Who may speak through the stack: itself, the tunnel, and a pod by its own device. */
static u16 wattle_stack_flags(struct wattle *w, const struct sk_buff *skb,
			      const struct wattle_parsed *parsed, const struct in6_addr *saddr)
{
	const struct wattle_endpoint *ep;

	if (!skb->skb_iif)
		return skb->sk || wattle_stack_is_own(w, skb, parsed, saddr) ?
		       WATTLE_KEY_SRC_HOST : WATTLE_KEY_OUTSIDE;
	if (skb->skb_iif == w->dev->ifindex)
		return 0;
	ep = wattle_endpoint_by_ip(&w->config.endpoints, saddr, wattle_generation(&w->config));
	return ep && ep->port->dev->ifindex == skb->skb_iif ? 0 : WATTLE_KEY_OUTSIDE;
}

static enum wattle_outcome wattle_stack_slow(struct wattle_packet *p)
{
	const struct wattle_endpoint *ep;

	ep = wattle_endpoint_on_port(p->port, p->view.gen);
	if (!ep)
		return WATTLE_PASS;
	if (!netif_running(p->w->dev))
		return wattle_packet_drop(p, WATTLE_REASON_DEVICE_DOWN);
	if (!wattle_endpoint_has_ip(ep, &p->key.daddr))
		return wattle_packet_drop(p, WATTLE_REASON_NO_ENDPOINT);
	wattle_count(p->w, WATTLE_COUNT_CACHE_MISS, wattle_skb_packets(p->skb), p->parsed.len);
	wattle_packet_decide(p);
	if (!wattle_packet_allowed(p))
		return WATTLE_TAKEN;
	wattle_packet_account(p);
	wattle_packet_remember(p, WATTLE_TO_STACK);
	wattle_count(p->w, WATTLE_COUNT_TO_POD, wattle_skb_packets(p->skb), p->parsed.len);
	return WATTLE_PASS;
}

static unsigned int wattle_hook_egress(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	struct wattle_port *port = priv;
	struct wattle *w = port->wattle;
	struct wattle_packet p wattle_uninit;
	enum wattle_reason reason;
	struct wattle_flow *flow;

	if (this_cpu_ptr(w->flows)->direct)
		return NF_ACCEPT;
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6)) {
		if (likely(!eth_type_vlan(skb->protocol)))
			return NF_ACCEPT;	/* ARP: the host asks for its pod */
		/* The pod would look for IP below a tag that means nothing. */
		wattle_drop(w, skb, WATTLE_REASON_BAD_FRAME, NULL, NULL);
		return NF_STOLEN;
	}
	reason = wattle_parse(skb, &p.key, &p.parsed);
	/* What the host itself says to its neighbour; what it forwards is no such thing. */
	if (!reason && (p.parsed.flags & WATTLE_PARSED_LOCAL) && !skb->skb_iif)
		return NF_ACCEPT;
	p.key.origin = WATTLE_FROM_STACK;
	p.key.flags = wattle_stack_flags(w, skb, &p.parsed, &p.key.saddr);
	p.key.in = port->serial;
	p.hash = wattle_flow_hash(w, &p.key);
	if (!reason && wattle_parsed_is_fast(&p.parsed) &&
	    wattle_flow_lookup(w, &p.key, p.hash, &flow)) {
		wattle_flow_count(w, flow, skb, p.parsed.len);
		return NF_ACCEPT;
	}
	wattle_count(w, WATTLE_COUNT_FROM_STACK, wattle_skb_packets(skb), skb->len);
	wattle_packet_begin(&p, w, skb, port);
	if (reason) {
		wattle_packet_drop(&p, reason);
		return NF_STOLEN;
	}
	return wattle_stack_slow(&p) == WATTLE_PASS ? NF_ACCEPT : NF_STOLEN;
}

/* ---- from the host's stack to a pod elsewhere ---- */

/* To other nodes it is who it says it is: the host, where that lent it an address. */
static u32 wattle_device_identity(const struct wattle_packet *p)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	if (ct && !p->reply && (ct->status & IPS_SRC_NAT) &&
	    wattle_is_host(p->w->net, &p->key.saddr))
		return WATTLE_ID_HOST;
	return p->decision.src_id;
}

static enum wattle_outcome wattle_device_too_big(struct wattle_packet *p, unsigned int mtu)
{
	struct sk_buff *skb = p->skb;

	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	else
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return wattle_packet_drop(p, WATTLE_REASON_TOO_BIG);
}

/* An answer was counted before it came to the stack, which sends it on to another node. */
static void wattle_device_account(struct wattle_packet *p)
{
	if (!p->reply)
		wattle_packet_account(p);
}

/* May it be for direct server return? */
static bool wattle_device_hands_on(const struct wattle_packet *p)
{
	return !p->reply && (p->key.flags & WATTLE_KEY_OUTSIDE) &&
	       READ_ONCE(p->w->config.services.dsr);
}

static enum wattle_outcome wattle_device_slow(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	struct sk_buff *skb = p->skb;
	enum wattle_reason reason;
	unsigned int mtu;
	bool fits;
	u32 identity;

	wattle_packet_decide(p);
	if (!wattle_packet_allowed(p))
		return WATTLE_TAKEN;
	if (d->next != WATTLE_TO_NODE)
		return wattle_packet_drop(p, WATTLE_REASON_NO_NODE);
	mtu = wattle_vxlan_mtu(p->w, d->node);
	if (!mtu)
		return wattle_packet_drop(p, WATTLE_REASON_NO_ROUTE);
	identity = wattle_wire_identity(wattle_device_identity(p));
	__skb_set_sw_hash(skb, p->hash, true);
	fits = wattle_fits(skb, &p->parsed, mtu);
	if (!fits && (p->parsed.flags & WATTLE_PARSED_DF))
		return wattle_device_too_big(p, mtu);
	wattle_device_account(p);
	if (wattle_device_hands_on(p)) {
		reason = wattle_dsr_hand_on(skb, &p->parsed);
		if (reason)
			return wattle_packet_drop(p, reason);
	}
	if (!fits) {
		wattle_send_fragments(p->w, d->node, skb, identity, mtu);
		return WATTLE_TAKEN;
	}
	skb_dst_drop(skb);
	wattle_send(p->w, d->node, skb, identity);
	return WATTLE_TAKEN;
}

netdev_tx_t wattle_hook_device(struct sk_buff *skb, struct net_device *dev)
{
	struct wattle *w = netdev_priv(dev);
	enum wattle_reason reason;
	struct wattle_packet p wattle_uninit;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		wattle_drop_note(w, NULL, 0, WATTLE_REASON_NO_MEMORY, NULL, NULL);
		return NETDEV_TX_OK;
	}
	rcu_read_lock();
	skb_pull(skb, skb_network_offset(skb));
	wattle_count(w, WATTLE_COUNT_FROM_DEVICE, wattle_skb_packets(skb), skb->len);
	wattle_packet_begin(&p, w, skb, NULL);
	reason = wattle_parse(skb, &p.key, &p.parsed);
	if (!reason && (p.parsed.flags & WATTLE_PARSED_LOCAL))
		reason = WATTLE_REASON_NOT_UNICAST;
	p.key.origin = WATTLE_FROM_DEVICE;
	p.key.flags = wattle_stack_flags(w, skb, &p.parsed, &p.key.saddr);
	p.hash = wattle_flow_hash(w, &p.key);
	if (reason)
		wattle_packet_drop(&p, reason);
	else
		wattle_device_slow(&p);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* ---- ports ---- */

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
}

const struct wattle_port_ops wattle_port_ops = {
	.attach = wattle_port_attach,
	.detach = wattle_port_detach,
};
