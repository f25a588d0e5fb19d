// SPDX-License-Identifier: GPL-2.0-only
/* The tunnel: sockets, GRO, and what comes in. vxlan_xmit.c sends. */

#include "vxlan.h"
#include "compat.h"

#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <net/dsfield.h>
#include <net/gro.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/udp.h>
#include <net/vxlan.h>

/* Flags that may be set in mode gbp besides I; their meaning is for those who trust senders. */
#define WATTLE_GBP_FLAGS	cpu_to_be32(BIT(31) | BIT(22) | BIT(19))
#define WATTLE_GBP_IDENTITY	cpu_to_be32(0xffff)
#define WATTLE_GBP_PRESENT	cpu_to_be32(BIT(31))

#define WATTLE_INNER_MIN	sizeof(struct iphdr)

/*
 * Read a VXLAN header. Reserved bits must be zero: what an extension of the future means by
 * them we cannot know, and a policy must not be fooled by it.
 */
static enum wattle_reason wattle_vxlan_read(const struct wattle *w, const struct vxlanhdr *vh,
					    u32 *identity)
{
	u8 mode = READ_ONCE(w->opt.mode);
	__be32 flags = vh->vx_flags;
	u32 vni = ntohl(vh->vx_vni);

	*identity = 0;

	if (unlikely(!(flags & VXLAN_HF_VNI) || vni & 0xff))
		return WATTLE_REASON_BAD_VXLAN;
	flags &= ~VXLAN_HF_VNI;
	vni >>= 8;

	if (mode == WATTLE_MODE_GBP) {
		/* Without the G bit, the kernel's vxlan ignores the others. */
		if (flags & WATTLE_GBP_PRESENT)
			*identity = ntohl(flags & WATTLE_GBP_IDENTITY);
		flags &= ~(WATTLE_GBP_FLAGS | WATTLE_GBP_IDENTITY);
	}
	if (unlikely(flags))
		return WATTLE_REASON_BAD_VXLAN;

	if (mode == WATTLE_MODE_IDENTITY)
		*identity = vni;
	else if (unlikely(vni != READ_ONCE(w->opt.vni)))
		return WATTLE_REASON_WRONG_VNI;

	return WATTLE_REASON_NONE;
}

/*
 * RFC 6040, 4.2: merge the outer ECN field into the inner. The inner header is at
 * skb->data, at least 20 bytes of it linear.
 */
static enum wattle_reason wattle_vxlan_ecn(struct sk_buff *skb, u8 outer)
{
	unsigned int len;
	u8 inner;

	if (skb->protocol == htons(ETH_P_IP)) {
		inner = ip_hdr(skb)->tos;
		len = sizeof(struct iphdr);
	} else {
		inner = ipv6_get_dsfield(ipv6_hdr(skb));
		len = sizeof(struct ipv6hdr);
	}

	if (outer == INET_ECN_CE && INET_ECN_is_not_ect(inner))
		return WATTLE_REASON_BAD_ECN;
	if (outer == INET_ECN_ECT_0 ||
	    (outer == INET_ECN_ECT_1 && (inner & INET_ECN_MASK) != INET_ECN_ECT_0))
		return WATTLE_REASON_NONE;

	if (!pskb_may_pull(skb, len))
		return WATTLE_REASON_BAD_FRAME;
	if (skb_ensure_writable(skb, len))
		return WATTLE_REASON_NO_MEMORY;

	if (outer == INET_ECN_CE)
		INET_ECN_set_ce(skb);
	else
		INET_ECN_set_ect1(skb);
	return WATTLE_REASON_NONE;
}

static noinline_for_stack void wattle_vxlan_tap_in(struct wattle *w, struct sk_buff *skb)
{
	__skb_push(skb, ETH_HLEN);
	dev_queue_xmit_nit(skb, w->dev);
	__skb_pull(skb, ETH_HLEN);
}

/**
 * wattle_vxlan_decap() - take the outer headers off
 * @w: the device
 * @skb: packet at its UDP header
 * @wire: what the outer headers said
 *
 * Return: WATTLE_REASON_NONE, or why the packet is to be dropped.
 */
enum wattle_reason wattle_vxlan_decap(struct wattle *w, struct sk_buff *skb,
				      struct wattle_wire *wire)
{
	const unsigned int outer = sizeof(struct udphdr) + sizeof(struct vxlanhdr);
	const struct ipv6hdr *ip6h;
	const struct iphdr *iph;
	enum wattle_reason reason;
	const void *start;
	__be16 proto;

	if (unlikely(!pskb_may_pull(skb, outer)))
		return WATTLE_REASON_BAD_VXLAN;

	reason = wattle_vxlan_read(w, (struct vxlanhdr *)(udp_hdr(skb) + 1), &wire->identity);
	if (unlikely(reason))
		return reason;

	if (unlikely(!pskb_may_pull(skb, outer + ETH_HLEN + WATTLE_INNER_MIN)))
		return WATTLE_REASON_BAD_FRAME;

	iph = ip_hdr(skb);
	if (iph->version == 4) {
		wattle_addr_set_v4(&wire->saddr, iph->saddr);
		wire->ecn = iph->tos & INET_ECN_MASK;
	} else {
		ip6h = ipv6_hdr(skb);
		/* No IPv6 host has an IPv4 address, but nodes are known by such (RFC 4942, 2.2). */
		if (unlikely(ipv6_addr_v4mapped(&ip6h->saddr)))
			return WATTLE_REASON_UNKNOWN_NODE;
		wire->saddr = ip6h->saddr;
		wire->ecn = ipv6_get_dsfield(ip6h) & INET_ECN_MASK;
	}

	proto = ((struct ethhdr *)(skb->data + outer))->h_proto;
	if (unlikely(proto != htons(ETH_P_IP) && proto != htons(ETH_P_IPV6) &&
		     (proto != htons(ETH_P_ARP) || !wattle_vxlan_asks(w))))
		return WATTLE_REASON_BAD_FRAME;

	/* As __iptunnel_pull_header() does, for both headers at once. */
	start = skb->data;
	__skb_pull(skb, outer + ETH_HLEN);
	skb_postpull_rcsum(skb, start, outer + ETH_HLEN);
	skb_clear_hash_if_not_l4(skb);
	skb_set_queue_mapping(skb, 0);
	__vlan_hwaccel_clear_tag(skb);
	wattle_scrub(skb);
	if (unlikely(iptunnel_pull_offloads(skb)))
		return WATTLE_REASON_NO_MEMORY;

	skb->protocol = proto;
	skb->dev = w->dev;
	skb_set_mac_header(skb, -ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);

	if (unlikely(wire->ecn) && proto != htons(ETH_P_ARP)) {
		reason = wattle_vxlan_ecn(skb, wire->ecn);
		if (reason)
			return reason;
	}

	if (unlikely(dev_nit_active(w->dev)))
		wattle_vxlan_tap_in(w, skb);

	return WATTLE_REASON_NONE;
}

void wattle_vxlan_learn_slow(struct wattle *w, struct wattle_node *node,
			     const struct sk_buff *skb)
{
	const u8 *source = eth_hdr(skb)->h_source;
	u64 lladdr = ether_addr_to_u64(source);

	if (likely(READ_ONCE(node->lladdr) == lladdr) || !is_valid_ether_addr(source))
		return;

	WRITE_ONCE(node->lladdr, lladdr);
	wattle_vxlan_touch(w);
}

/*
 * GRO: packets of one inner flow become one, before anybody looks at them. The headers
 * are judged later; here they need only be the same.
 */
static struct sk_buff *wattle_vxlan_gro_receive(struct sock *sk, struct list_head *head,
						struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb);
	struct sk_buff *pp = NULL;
	struct vxlanhdr *vh, *other;
	struct sk_buff *p;
	int flush = 1;

	vh = skb_gro_header(skb, off + sizeof(*vh), off);
	if (unlikely(!vh))
		goto out;

	skb_gro_postpull_rcsum(skb, vh, sizeof(*vh));
	skb_gro_pull(skb, sizeof(*vh));

	list_for_each_entry(p, head, list) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;

		other = (struct vxlanhdr *)(p->data + off);
		if (vh->vx_flags != other->vx_flags || vh->vx_vni != other->vx_vni)
			NAPI_GRO_CB(p)->same_flow = 0;
	}

	pp = call_gro_receive(eth_gro_receive, head, skb);
	flush = 0;
out:
	skb_gro_flush_final(skb, pp, flush);
	return pp;
}

static int wattle_vxlan_gro_complete(struct sock *sk, struct sk_buff *skb, int nhoff)
{
	return eth_gro_complete(skb, nhoff + sizeof(struct vxlanhdr));
}

/* Is this ICMP error about a packet of ours? Then routes learn the MTU from it. */
static int wattle_vxlan_err_lookup(struct sock *sk, struct sk_buff *skb)
{
	const unsigned int hlen = sizeof(struct udphdr) + sizeof(struct vxlanhdr);
	const struct vxlanhdr *vh;

	if (!pskb_may_pull(skb, skb_transport_offset(skb) + hlen))
		return -EINVAL;

	vh = (struct vxlanhdr *)(udp_hdr(skb) + 1);
	return vh->vx_flags & VXLAN_HF_VNI ? 0 : -EINVAL;
}

/* Sockets --------------------------------------------------------------------------- */

static struct socket *wattle_vxlan_bind(struct wattle *w, int family,
					int (*rcv)(struct sock *sk, struct sk_buff *skb))
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = w,
		.encap_type = 1,
		.encap_rcv = rcv,
		.encap_err_lookup = wattle_vxlan_err_lookup,
		.gro_receive = wattle_vxlan_gro_receive,
		.gro_complete = wattle_vxlan_gro_complete,
	};
	struct udp_port_cfg cfg = {
		.family = family,
		.local_udp_port = htons(w->opt.port),
	};
	struct socket *sock;
	int err;

	if (family == AF_INET6) {
		if (!ipv6_mod_enabled())
			return ERR_PTR(-EAFNOSUPPORT);
		cfg.ipv6_v6only = 1;
		cfg.use_udp6_tx_checksums = 1;
		/* Open vSwitch sends none unless told to (RFC 6935 lets tunnels do so). */
		cfg.use_udp6_rx_checksums = 0;
	}

	err = udp_sock_create(w->net, &cfg, &sock);
	if (err)
		return ERR_PTR(err);

	udp_allow_gso(sock->sk);
	setup_udp_tunnel_sock(w->net, wattle_tunnel_sock(sock), &tunnel);
	return sock;
}

static void wattle_vxlan_release(struct socket *sock)
{
	udp_tunnel_notify_del_rx_port(wattle_tunnel_sock(sock), UDP_TUNNEL_TYPE_VXLAN);
	udp_tunnel_sock_release(wattle_tunnel_sock(sock));
}

static bool wattle_vxlan_is_at(const struct socket *sock, u16 port)
{
	return sock && inet_sk(sock->sk)->inet_sport == htons(port);
}

/* Give back a socket that was made for nothing. Nobody has been told of it. */
static void wattle_vxlan_unbind(struct socket *sock)
{
	if (!IS_ERR_OR_NULL(sock))
		udp_tunnel_sock_release(wattle_tunnel_sock(sock));
}

static void wattle_vxlan_install(struct socket __rcu **slot, struct socket *sock)
{
	struct socket *old = rtnl_dereference(*slot);

	if (IS_ERR(sock))
		sock = NULL;
	rcu_assign_pointer(*slot, sock);
	if (sock)
		udp_tunnel_notify_add_rx_port(wattle_tunnel_sock(sock), UDP_TUNNEL_TYPE_VXLAN);
	if (old)
		wattle_vxlan_release(old);
}

/**
 * wattle_vxlan_open() - open the sockets of a device, or move them
 * @w: the device
 * @rcv: gets what arrives
 * @extack: why not
 *
 * We listen in both families where we can; only that of the tunnels we send must succeed.
 *
 * Context: RTNL.
 * Return: 0 or a negative errno, and then nothing has changed.
 */
int wattle_vxlan_open(struct wattle *w, int (*rcv)(struct sock *sk, struct sk_buff *skb),
		      struct netlink_ext_ack *extack)
{
	bool keep4 = wattle_vxlan_is_at(rtnl_dereference(w->sock4), w->opt.port);
	bool keep6 = wattle_vxlan_is_at(rtnl_dereference(w->sock6), w->opt.port);
	struct socket *sock4 = NULL, *sock6 = NULL;
	int err = 0;

	if (!keep4)
		sock4 = wattle_vxlan_bind(w, AF_INET, rcv);
	if (!keep6)
		sock6 = wattle_vxlan_bind(w, AF_INET6, rcv);

	if (w->family == AF_INET6 && IS_ERR(sock6))
		err = PTR_ERR(sock6);
	else if (w->family == AF_INET && IS_ERR(sock4))
		err = PTR_ERR(sock4);
	if (err)
		goto err_unbind;

	if (!keep4)
		wattle_vxlan_install(&w->sock4, sock4);
	if (!keep6)
		wattle_vxlan_install(&w->sock6, sock6);
	return 0;

err_unbind:
	wattle_vxlan_unbind(sock4);
	wattle_vxlan_unbind(sock6);
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "another socket of this namespace has the UDP port");
	else if (err == -EAFNOSUPPORT)
		NL_SET_ERR_MSG(extack, "this kernel runs without IPv6, and the underlay is IPv6");
	else
		NL_SET_ERR_MSG(extack, "the tunnel's UDP socket cannot be opened");
	return err;
}

/**
 * wattle_vxlan_close() - close the sockets of a device
 * @w: the device
 *
 * Context: RTNL. When it returns no packet is being received any more.
 */
void wattle_vxlan_close(struct wattle *w)
{
	wattle_vxlan_install(&w->sock4, NULL);
	wattle_vxlan_install(&w->sock6, NULL);
}

/**
 * wattle_vxlan_offer_port() - tell a network card of our ports, or that it should forget them
 * @w: the device
 * @dev: the card
 * @add: tell
 *
 * Context: RTNL, from NETDEV_UDP_TUNNEL_*_INFO.
 */
void wattle_vxlan_offer_port(struct wattle *w, struct net_device *dev, bool add)
{
	struct socket *socks[] = { rtnl_dereference(w->sock4), rtnl_dereference(w->sock6) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(socks); i++) {
		if (!socks[i])
			continue;
		if (add)
			udp_tunnel_push_rx_port(dev, wattle_tunnel_sock(socks[i]),
						UDP_TUNNEL_TYPE_VXLAN);
		else
			udp_tunnel_drop_rx_port(dev, wattle_tunnel_sock(socks[i]),
						UDP_TUNNEL_TYPE_VXLAN);
	}
}
