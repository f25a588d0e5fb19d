// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tunnel: what goes out.
 *
 * Each CPU keeps the outer headers for the nodes it has lately sent to, prepared but for
 * lengths, checksums, entropy and identity, next to the route. A packet gets them by one
 * copy and is handed to the neighbour: the stack's way of output (LOCAL_OUT and POST_ROUTING
 * hooks, fragmentation) is left out, because an outer packet is ours, fits, and has
 * nothing to be decided. Where the route is anything but plain (IPsec, lightweight tunnels,
 * VRF, our own address, a locked MTU), it is the stack that sends.
 */

#include "vxlan.h"
#include "compat.h"
#include "event.h"

#include <linux/etherdevice.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ndisc.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/vxlan.h>

/* A power of two; nodes share slots by serial. 128 * 128 bytes is half of what percpu gives. */
#define WATTLE_PATHS		128

/* Packets inside packets inside packets: how often on one stack, until it must be a loop. */
#define WATTLE_MAX_DEPTH	4

struct wattle_header {
	struct udphdr udp;
	struct vxlanhdr vxlan;
	struct ethhdr eth;
} __packed;

struct wattle_header4 {
	struct iphdr ip;
	struct wattle_header rest;
} __packed;

struct wattle_header6 {
	struct ipv6hdr ip;
	struct wattle_header rest;
} __packed;

static_assert(sizeof(struct wattle_header4) == WATTLE_OVERHEAD4);
static_assert(sizeof(struct wattle_header6) == WATTLE_OVERHEAD6);

/**
 * struct wattle_path - how to reach one node, as one CPU knows it
 * @serial: of the node; this and @seq say whether the rest is about it
 * @seq: wattle.path_seq that it was made at; 0: empty
 * @dst: route, with a reference
 * @mtu_tick: jiffies (low bits) when @mtu was looked up
 * @cookie: of @dst (IPv6)
 * @mtu: largest inner IP packet that fits
 * @headroom: what must be free in front of it
 * @sum: of the IPv4 header, without length and TOS, folded, not inverted
 * @direct: the neighbour may be given the packet
 * @mode: enum wattle_mode
 * @udp_csum: outer UDP checksum is wanted
 * @v4: prepared headers, where @dst is of IPv4
 * @v6: same for IPv6; the version is at the same place in both
 *
 * Written and read by one CPU with BH disabled.
 */
struct wattle_path {
	u32 serial;
	u32 seq;
	struct dst_entry *dst;
	u32 mtu_tick;
	u32 mtu;
	u32 cookie;
	u16 headroom;
	u16 sum;
	bool direct;
	u8 mode;
	bool udp_csum;
	union {
		struct wattle_header4 v4;
		struct wattle_header6 v6;
	} __aligned(8);
} ____cacheline_aligned;

static_assert(sizeof(struct wattle_path) == 128);

static DEFINE_PER_CPU(unsigned int, wattle_vxlan_depth);

int wattle_vxlan_init(struct wattle *w)
{
	atomic_set(&w->path_seq, 1);
	w->paths = __alloc_percpu_gfp(WATTLE_PATHS * sizeof(struct wattle_path), SMP_CACHE_BYTES,
				      GFP_KERNEL_ACCOUNT);
	return w->paths ? 0 : -ENOMEM;
}

/* Nobody sends any more. */
void wattle_vxlan_exit(struct wattle *w)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < WATTLE_PATHS; i++)
			dst_release(per_cpu_ptr(w->paths, cpu)[i].dst);
	free_percpu(w->paths);
}

void wattle_vxlan_touch(struct wattle *w)
{
	/* Pairs with smp_rmb() in wattle_path_fill(): who sees the number sees the change. */
	smp_wmb();
	atomic_inc(&w->path_seq);
}

const struct in6_addr *wattle_vxlan_remote(const struct wattle *w, const struct wattle_node *node)
{
	const struct in6_addr *addr;

	addr = READ_ONCE(w->family) == AF_INET6 ? &node->addr6 : &node->addr4;
	return ipv6_addr_any(addr) ? NULL : addr;
}

/**
 * wattle_vxlan_lladdr() - inner MAC address of a node
 * @addr: its tunnel end point
 * @lladdr: where to put it
 *
 * Both sides derive it, so nobody need ask: locally administered, "W", IPv4 address.
 */
void wattle_vxlan_lladdr(const struct in6_addr *addr, u8 *lladdr)
{
	__be32 tail = addr->s6_addr32[3];

	if (!wattle_addr_is_v4(addr))
		tail ^= addr->s6_addr32[0] ^ addr->s6_addr32[1] ^ addr->s6_addr32[2];

	lladdr[0] = 0x02;
	lladdr[1] = 0x57;
	memcpy(lladdr + 2, &tail, sizeof(tail));
}

/* Routes ----------------------------------------------------------------------------- */

/* Rules of routing and policies of IPsec may tell ports apart. */
static void wattle_path_expire(struct wattle *w, struct wattle_node *node)
{
	u16 port = READ_ONCE(w->opt.port);

	/* Pairs with the release below: who sees the port sees that what is older is void. */
	if (likely(smp_load_acquire(&node->dst_port) == port))
		return;
	dst_cache_reset(&node->dst_cache);
	/* Pairs with the acquire above. */
	smp_store_release(&node->dst_port, port);
}

static struct dst_entry *wattle_path_route4(struct wattle *w, struct wattle_node *node,
					    const struct in6_addr *remote, __be32 *saddr)
{
	__be32 local = wattle_addr_v4(&w->opt.local4);
	struct flowi4 fl4 = {
		.flowi4_proto = IPPROTO_UDP,
		.daddr = wattle_addr_v4(remote),
		.saddr = local,
		.fl4_dport = htons(w->opt.port),
	};
	struct rtable *rt;

	/* The node's cache may be of other options. */
	rt = dst_cache_get_ip4(&node->dst_cache, saddr);
	if (rt) {
		if (rt->dst.ops->family == AF_INET && (!local || *saddr == local))
			return &rt->dst;
		dst_release(&rt->dst);
	}

	rt = ip_route_output_flow(w->net, &fl4, NULL);
	if (IS_ERR(rt))
		return ERR_CAST(rt);

	*saddr = fl4.saddr;
	dst_cache_set_ip4(&node->dst_cache, &rt->dst, fl4.saddr);
	return &rt->dst;
}

static struct dst_entry *wattle_path_route6(struct wattle *w, struct wattle_node *node,
					    const struct in6_addr *remote, struct in6_addr *saddr)
{
	const struct in6_addr *local = &w->opt.local6;
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.daddr = *remote,
		.saddr = *local,
		.fl6_dport = htons(w->opt.port),
	};
	struct dst_entry *dst;

	if (!ipv6_mod_enabled())
		return ERR_PTR(-EAFNOSUPPORT);

	dst = dst_cache_get_ip6(&node->dst_cache, saddr);
	if (dst) {
		if (dst->ops->family == AF_INET6 &&
		    (ipv6_addr_any(local) || ipv6_addr_equal(saddr, local)))
			return dst;
		dst_release(dst);
	}

	dst = ip6_dst_lookup_flow(w->net, NULL, &fl6, NULL);
	if (IS_ERR(dst))
		return dst;

	*saddr = fl6.saddr;
	dst_cache_set_ip6(&node->dst_cache, dst, &fl6.saddr);
	return dst;
}

/* May we bypass the stack's output? */
static bool wattle_path_is_plain(const struct dst_entry *dst)
{
	const struct net_device *dev = dst_dev(dst);

	if (dst_xfrm(dst) || dst->lwtstate || dst->header_len || dev->flags & IFF_LOOPBACK ||
	    netif_is_l3_master(dev) || netif_is_l3_slave(dev))
		return false;

	if (dst->ops->family == AF_INET6)
		return dst->output == ip6_output &&
		       !(dst_rt6_info(dst)->rt6i_flags & (RTF_REJECT | RTF_LOCAL | RTF_ANYCAST));

	return dst->output == ip_output && !ip_mtu_locked(dst) &&
	       dst_rtable(dst)->rt_type == RTN_UNICAST;
}

static void wattle_path_prepare_rest(struct wattle *w, const struct wattle_node *node,
				     const struct in6_addr *remote, struct wattle_header *h)
{
	u64 lladdr = READ_ONCE(node->lladdr);

	h->udp.dest = htons(w->opt.port);
	h->vxlan.vx_flags = VXLAN_HF_VNI;
	h->vxlan.vx_vni = htonl(w->opt.vni << 8);
	if (lladdr)
		u64_to_ether_addr(lladdr, h->eth.h_dest);
	else if (w->opt.mode != WATTLE_MODE_IDENTITY)
		eth_broadcast_addr(h->eth.h_dest);	/* until its own is learned */
	else
		wattle_vxlan_lladdr(remote, h->eth.h_dest);
	ether_addr_copy(h->eth.h_source, w->dev->dev_addr);
}

static void wattle_path_prepare4(struct wattle *w, struct wattle_path *path, __be32 saddr,
				 __be32 daddr)
{
	struct iphdr *iph = &path->v4.ip;

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	/* Fits, or is not sent (RFC 7348, 4.3). Never in fragments: needs no number (RFC 6864). */
	iph->frag_off = htons(IP_DF);
	iph->ttl = w->opt.ttl;
	iph->protocol = IPPROTO_UDP;
	iph->saddr = saddr;
	iph->daddr = daddr;
	path->sum = (__force u16)~csum_fold(csum_partial(iph, sizeof(*iph), 0));
}

static void wattle_path_prepare6(struct wattle *w, struct wattle_path *path,
				 const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	struct ipv6hdr *ip6h = &path->v6.ip;

	ip6_flow_hdr(ip6h, 0, 0);
	ip6h->nexthdr = IPPROTO_UDP;
	ip6h->hop_limit = w->opt.ttl;
	ip6h->saddr = *saddr;
	ip6h->daddr = *daddr;
}

/* Make the path of @node anew. NULL and *@reason: there is none. */
static noinline_for_stack struct wattle_path *
wattle_path_fill(struct wattle *w, struct wattle_node *node, struct wattle_path *path,
		 enum wattle_reason *reason)
{
	u32 seq = atomic_read(&w->path_seq);
	const struct in6_addr *remote;
	struct in6_addr saddr;
	struct dst_entry *dst;
	bool v6;

	smp_rmb();	/* pairs with wattle_vxlan_touch() */

	*reason = WATTLE_REASON_NO_ROUTE;
	remote = wattle_vxlan_remote(w, node);
	if (!remote)
		return NULL;

	wattle_path_expire(w, node);
	v6 = !wattle_addr_is_v4(remote);
	if (v6)
		dst = wattle_path_route6(w, node, remote, &saddr);
	else
		dst = wattle_path_route4(w, node, remote, &saddr.s6_addr32[3]);
	if (IS_ERR(dst))
		return NULL;

	if (dst_dev(dst) == w->dev) {
		dst_release(dst);
		*reason = WATTLE_REASON_RECURSION;
		return NULL;
	}

	dst_release(path->dst);
	memset(path, 0, sizeof(*path));
	path->dst = dst;
	path->mtu_tick = (u32)jiffies - 1;
	path->direct = wattle_path_is_plain(dst);
	path->mode = w->opt.mode;
	path->headroom = LL_RESERVED_SPACE(dst_dev(dst)) + dst->header_len;
	if (v6) {
		path->cookie = rt6_get_cookie(dst_rt6_info(dst));
		path->headroom += WATTLE_OVERHEAD6;
		path->udp_csum = true;
		wattle_path_prepare6(w, path, &saddr, remote);
		wattle_path_prepare_rest(w, node, remote, &path->v6.rest);
	} else {
		path->headroom += WATTLE_OVERHEAD4;
		path->udp_csum = w->opt.udp_csum;
		wattle_path_prepare4(w, path, saddr.s6_addr32[3], wattle_addr_v4(remote));
		wattle_path_prepare_rest(w, node, remote, &path->v4.rest);
	}

	path->serial = node->serial;
	path->seq = seq;
	return path;
}

/* What dst_check() finds out, for IPv4 without the call. */
static bool wattle_path_is_valid(const struct wattle *w, const struct wattle_path *path)
{
	struct dst_entry *dst = path->dst;

	if (likely(path->v4.ip.version == 4))
		return READ_ONCE(dst->obsolete) == DST_OBSOLETE_FORCE_CHK &&
		       dst_rtable(dst)->rt_genid == rt_genid_ipv4(w->net);
	return dst_check(dst, path->cookie);
}

static struct wattle_path *wattle_path_get(struct wattle *w, struct wattle_node *node,
					   enum wattle_reason *reason)
{
	struct wattle_path *path;

	path = this_cpu_ptr(w->paths) + (node->serial & (WATTLE_PATHS - 1));
	if (likely(path->serial == node->serial && path->seq == (u32)atomic_read(&w->path_seq) &&
		   wattle_path_is_valid(w, path)))
		return path;
	return wattle_path_fill(w, node, path, reason);
}

static noinline_for_stack void wattle_path_measure(struct wattle_path *path)
{
	u32 overhead = path->v4.ip.version == 4 ? WATTLE_OVERHEAD4 : WATTLE_OVERHEAD6;
	u32 mtu = min_t(u32, dst_mtu(path->dst), READ_ONCE(dst_dev(path->dst)->mtu));

	path->mtu_tick = (u32)jiffies;
	path->mtu = mtu > overhead ? mtu - overhead : 0;
}

/* A new MTU that comes with a new route is seen at once; that of a device with the next tick. */
static u32 wattle_path_mtu(struct wattle_path *path)
{
	if (unlikely(path->mtu_tick != (u32)jiffies))
		wattle_path_measure(path);
	return path->mtu;
}

unsigned int wattle_vxlan_mtu(struct wattle *w, struct wattle_node *node)
{
	enum wattle_reason reason;
	struct wattle_path *path = wattle_path_get(w, node, &reason);

	return path ? wattle_path_mtu(path) : 0;
}

/* Packets ---------------------------------------------------------------------------- */

/* Entropy of the inner flow: 14 bits, in the range that RFC 7348 recommends. */
static __be16 wattle_vxlan_source_port(struct sk_buff *skb)
{
	u32 hash = skb_get_hash(skb);

	hash ^= hash >> 16;
	return htons(0xc000 | (hash & 0x3fff));
}

static void wattle_vxlan_set_identity(const struct wattle_path *path, struct vxlanhdr *vh,
				      u32 identity)
{
	if (path->mode == WATTLE_MODE_IDENTITY)
		vh->vx_vni = htonl(identity << 8);
	else if (path->mode == WATTLE_MODE_GBP && identity <= 0xffff)
		/* One that does not fit is not sent at all: the other side then denies. */
		vh->vx_flags = VXLAN_HF_VNI | VXLAN_HF_GBP | htonl(identity);
}

/*
 * Leave to whoever comes after us what he can do for us: segments and checksums, inner
 * and outer. @skb is at the inner IP header, the Ethernet header still to come.
 */
static void wattle_vxlan_offload(struct sk_buff *skb, bool udp_csum)
{
	if (likely(skb->ip_summed != CHECKSUM_PARTIAL && !skb_is_gso(skb))) {
		skb->ip_summed = CHECKSUM_NONE;
		skb->encapsulation = 0;
		return;
	}

	skb->encapsulation = 1;
	skb_set_inner_protocol(skb, htons(ETH_P_TEB));
	skb_set_inner_mac_header(skb, -ETH_HLEN);
	skb_set_inner_network_header(skb, 0);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb_set_inner_transport_header(skb, skb_checksum_start_offset(skb));
	else
		skb->inner_transport_header = skb->transport_header;
	if (skb_is_gso(skb))
		skb_shinfo(skb)->gso_type |= udp_csum ? SKB_GSO_UDP_TUNNEL_CSUM :
							SKB_GSO_UDP_TUNNEL;
}

/* Show the inner frame to who listens on the device; @eth is not in the packet yet. */
static noinline_for_stack int wattle_vxlan_tap_out(struct wattle *w, struct sk_buff *skb,
						   const struct ethhdr *eth,
						   unsigned int headroom)
{
	__be16 proto = skb->protocol;

	skb->dev = w->dev;
	memcpy(__skb_push(skb, ETH_HLEN), eth, ETH_HLEN);
	((struct ethhdr *)skb->data)->h_proto = proto;
	skb_reset_mac_header(skb);
	dev_queue_xmit_nit(skb, w->dev);
	__skb_pull(skb, ETH_HLEN);
	return skb_cow_head(skb, headroom);
}

/* Let the stack send what is not plain. */
static noinline_for_stack void wattle_vxlan_xmit_stack(struct wattle *w, struct sock *sk,
						       struct wattle_path *path,
						       struct sk_buff *skb, u8 tos, __be16 sport,
						       u32 identity)
{
	bool v4 = path->v4.ip.version == 4;
	const struct wattle_header *rest = v4 ? &path->v4.rest : &path->v6.rest;
	struct dst_entry *dst = dst_clone(path->dst);
	__be16 proto = skb->protocol;
	struct vxlanhdr *vh;
	struct ethhdr *eth;

	eth = __skb_push(skb, sizeof(*eth));
	*eth = rest->eth;
	eth->h_proto = proto;
	skb_reset_mac_header(skb);
	vh = __skb_push(skb, sizeof(*vh));
	*vh = rest->vxlan;
	wattle_vxlan_set_identity(path, vh, identity);
	skb->dev = w->dev;

	if (v4) {
		const struct iphdr *iph = &path->v4.ip;

		wattle_udp_xmit4(dst_rtable(dst), sk, skb, iph->saddr, iph->daddr, tos, iph->ttl,
				 htons(IP_DF), sport, rest->udp.dest, !path->udp_csum);
	} else {
		struct in6_addr saddr = path->v6.ip.saddr;
		struct in6_addr daddr = path->v6.ip.daddr;

		wattle_udp_xmit6(dst, sk, skb, w->dev, &saddr, &daddr, tos,
				 path->v6.ip.hop_limit, sport, rest->udp.dest);
	}
}

static void wattle_vxlan_push4(struct wattle_path *path, struct sk_buff *skb, u8 tos,
			       struct wattle_header **rest)
{
	struct wattle_header4 *h = __skb_push(skb, sizeof(*h));
	u32 sum;

	*h = path->v4;
	h->ip.tos = tos;
	/* A GSO packet may be longer than the field: its segments get their own. */
	h->ip.tot_len = skb->len <= IP_MAX_MTU ? htons(skb->len) : 0;
	sum = path->sum + (__force u16)h->ip.tot_len + (__force u16)htons(tos);
	h->ip.check = csum_fold((__force __wsum)sum);

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(h->ip));
	skb->protocol = htons(ETH_P_IP);
	*rest = &h->rest;
}

static void wattle_vxlan_push6(struct wattle_path *path, struct sk_buff *skb, u8 tos,
			       struct wattle_header **rest)
{
	unsigned int len = skb->len + sizeof(struct wattle_header);
	struct wattle_header6 *h = __skb_push(skb, sizeof(*h));

	*h = path->v6;
	ip6_flow_hdr(&h->ip, tos, 0);
	h->ip.payload_len = len <= IPV6_MAXPLEN ? htons(len) : 0;

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(h->ip));
	skb->protocol = htons(ETH_P_IPV6);
	*rest = &h->rest;
}

/* Put the prepared headers in front of the inner packet and hand it to the neighbour. */
static void wattle_vxlan_xmit_direct(struct wattle *w, struct wattle_path *path,
				     struct sk_buff *skb, u8 tos, __be16 sport, u32 identity)
{
	struct dst_entry *dst = path->dst;
	struct net_device *dev = dst_dev(dst);
	bool v4 = path->v4.ip.version == 4;
	struct wattle_header *rest;
	struct neighbour *neigh;
	__be16 proto = skb->protocol;
	bool skip_cache = false;
	int len;

	if (likely(v4))
		wattle_vxlan_push4(path, skb, tos, &rest);
	else
		wattle_vxlan_push6(path, skb, tos, &rest);

	len = skb->len - skb_transport_offset(skb);
	rest->udp.source = sport;
	rest->udp.len = htons(len);
	wattle_vxlan_set_identity(path, &rest->vxlan, identity);
	rest->eth.h_proto = proto;

	if (likely(v4))
		udp_set_csum(!path->udp_csum, skb, path->v4.ip.saddr, path->v4.ip.daddr, len);
	else
		udp6_set_csum(false, skb, &path->v6.ip.saddr, &path->v6.ip.daddr, len);

	skb->dev = dev;
	skb_dst_set_noref(skb, dst);
	memset(skb->cb, 0, max(sizeof(struct inet_skb_parm), sizeof(struct inet6_skb_parm)));

	if (likely(v4))
		neigh = ip_neigh_for_gw(dst_rtable(dst), skb, &skip_cache);
	else
		neigh = ip_neigh_gw6(dev, rt6_nexthop(dst_rt6_info(dst), &path->v6.ip.daddr));
	if (IS_ERR(neigh)) {
		wattle_drop(w, skb, WATTLE_REASON_NO_ROUTE, NULL, NULL);
		return;
	}
	neigh_output(neigh, skb, skip_cache);
}

/*
 * What no header of ours can describe: a tunnel's segments inside a tunnel, checksums that
 * are not sums under one that is, more than 64 KiB. Done here, in software.
 */
static bool wattle_vxlan_is_odd(struct sk_buff *skb)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL && !skb_is_gso(skb))
		return false;
	return skb->encapsulation || skb_csum_is_sctp(skb) ||
	       skb->len > IP_MAX_MTU;
}

static noinline_for_stack void wattle_vxlan_xmit_odd(struct wattle *w, struct wattle_node *node,
						     struct sk_buff *skb, u32 identity)
{
	struct sk_buff *segs = skb, *next;

	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, NETIF_F_SG);
		if (IS_ERR_OR_NULL(segs)) {
			wattle_drop(w, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
			return;
		}
		consume_skb(skb);
	}

	skb_list_walk_safe(segs, skb, next) {
		int err = 0;

		skb_mark_not_on_list(skb);
		if (skb->ip_summed == CHECKSUM_PARTIAL)
			err = skb_csum_is_sctp(skb) ? skb_crc32c_csum_help(skb) :
						      skb_checksum_help(skb);
		if (err) {
			wattle_drop(w, skb, WATTLE_REASON_NO_MEMORY, NULL, NULL);
			continue;
		}
		skb->encapsulation = 0;
		wattle_vxlan_xmit(w, node, skb, identity);
	}
}

/**
 * wattle_vxlan_xmit() - encapsulate and send
 * @w: the device
 * @node: to whom
 * @skb: inner packet, at its IP header
 * @identity: of the sender
 *
 * Context: softirq, RCU, BH disabled. Takes @skb.
 */
void wattle_vxlan_xmit(struct wattle *w, struct wattle_node *node, struct sk_buff *skb,
		       u32 identity)
{
	enum wattle_reason reason;
	struct wattle_path *path;
	struct socket *sock;
	__be16 sport;
	u8 tos;

	path = wattle_path_get(w, node, &reason);
	if (unlikely(!path))
		goto drop;

	sock = path->v4.ip.version == 4 ? rcu_dereference(w->sock4) : rcu_dereference(w->sock6);
	reason = WATTLE_REASON_DEVICE_DOWN;
	if (unlikely(!sock))
		goto drop;

	reason = WATTLE_REASON_RECURSION;
	if (unlikely(__this_cpu_read(wattle_vxlan_depth) >= WATTLE_MAX_DEPTH))
		goto drop;

	reason = WATTLE_REASON_TOO_BIG;
	if (unlikely(skb->len > wattle_path_mtu(path) && !skb_is_gso(skb)))
		goto drop;

	if (unlikely(wattle_vxlan_is_odd(skb))) {
		wattle_vxlan_xmit_odd(w, node, skb, identity);
		return;
	}

	/* RFC 6040, 4.1, normal mode: the outer field is the inner one. ARP has none. */
	if (skb->protocol == htons(ETH_P_IP))
		tos = ip_hdr(skb)->tos & INET_ECN_MASK;
	else if (skb->protocol == htons(ETH_P_IPV6))
		tos = ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK;
	else
		tos = 0;
	sport = wattle_vxlan_source_port(skb);

	reason = WATTLE_REASON_NO_MEMORY;
	if (unlikely(skb_cow_head(skb, path->headroom)))
		goto drop;

	if (unlikely(dev_nit_active(w->dev)) && skb->dev != w->dev) {
		const struct wattle_header *rest;

		rest = path->v4.ip.version == 4 ? &path->v4.rest : &path->v6.rest;
		if (wattle_vxlan_tap_out(w, skb, &rest->eth, path->headroom))
			goto drop;
	}

	wattle_scrub(skb);
	__vlan_hwaccel_clear_tag(skb);
	wattle_vxlan_offload(skb, path->udp_csum);

	__this_cpu_inc(wattle_vxlan_depth);
	if (likely(path->direct))
		wattle_vxlan_xmit_direct(w, path, skb, tos, sport, identity);
	else
		wattle_vxlan_xmit_stack(w, sock->sk, path, skb, tos, sport, identity);
	__this_cpu_dec(wattle_vxlan_depth);
	return;

drop:
	wattle_drop(w, skb, reason, NULL, NULL);
}
