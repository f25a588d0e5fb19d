/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that Wattle is built for, and the only place that
 * knows. WATTLE_HAVE_* come from Kbuild, which looks for the feature in the headers:
 * versions do not tell, because distributions carry interfaces back.
 */
#ifndef WATTLE_COMPAT_H
#define WATTLE_COMPAT_H

#include <linux/netdevice.h>
#include <net/ip6_fib.h>
#include <net/route.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>
#ifdef WATTLE_HAVE_GSO_H
#include <net/gso.h>
#endif
#ifdef WATTLE_HAVE_IPV6_STUBS
#include <net/ipv6_stubs.h>
#else
#include <net/ip6_route.h>
#endif

/*
 * Kernels may be built to clear every variable; on the fast path, not those that are filled in
 * anyway.
 */
#if __has_attribute(__uninitialized__)
#define wattle_uninit	__attribute__((__uninitialized__))
#else
#define wattle_uninit
#endif

/* 6.10: from a route to what it is embedded in, as macros. */
#ifndef dst_rtable
static inline struct rtable *dst_rtable(const struct dst_entry *dst)
{
	return container_of((struct dst_entry *)dst, struct rtable, dst);
}
#endif

#ifndef dst_rt6_info
static inline struct rt6_info *dst_rt6_info(const struct dst_entry *dst)
{
	return container_of((struct dst_entry *)dst, struct rt6_info, dst);
}
#endif

/* 6.15: what newlink is told comes in a struct. */
int wattle_device_newlink(struct net_device *dev, struct nlattr **tb, struct nlattr **data,
			  struct netlink_ext_ack *extack);

#ifdef WATTLE_HAVE_NEWLINK_PARAMS
static inline int wattle_newlink(struct net_device *dev, struct rtnl_newlink_params *params,
				 struct netlink_ext_ack *extack)
{
	return wattle_device_newlink(dev, params->tb, params->data, extack);
}
#else
static inline int wattle_newlink(struct net *src_net, struct net_device *dev, struct nlattr *tb[],
				 struct nlattr *data[], struct netlink_ext_ack *extack)
{
	return wattle_device_newlink(dev, tb, data, extack);
}
#endif

/* 7: the functions of UDP tunnels take the inner half of a socket. */
#ifdef WATTLE_HAVE_TUNNEL_SOCK
static inline struct sock *wattle_tunnel_sock(struct socket *socket)
{
	return socket->sk;
}
#else
static inline struct socket *wattle_tunnel_sock(struct socket *socket)
{
	return socket;
}
#endif

/* 6.17: flags for the control block. */
static inline void wattle_udp_xmit4(struct rtable *rt, struct sock *sk, struct sk_buff *skb,
				    __be32 saddr, __be32 daddr, u8 tos, u8 ttl, __be16 df,
				    __be16 sport, __be16 dport, bool nocheck)
{
#ifdef WATTLE_HAVE_TUNNEL_CB_FLAGS
	udp_tunnel_xmit_skb(rt, sk, skb, saddr, daddr, tos, ttl, df, sport, dport, false, nocheck,
			    0);
#else
	udp_tunnel_xmit_skb(rt, sk, skb, saddr, daddr, tos, ttl, df, sport, dport, false, nocheck);
#endif
}

static inline void wattle_udp_xmit6(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb,
				    struct net_device *dev, struct in6_addr *saddr,
				    struct in6_addr *daddr, u8 prio, u8 ttl, __be16 sport,
				    __be16 dport)
{
#ifdef WATTLE_HAVE_TUNNEL_CB_FLAGS
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, 0, sport, dport, false, 0);
#else
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, 0, sport, dport, false);
#endif
}

/* 6.12: feature bits that no user could change became fields. */
static inline void wattle_dev_set_lltx(struct net_device *dev)
{
#ifdef NETIF_F_LLTX
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

static inline void wattle_dev_pin_netns(struct net_device *dev)
{
#ifdef NETIF_F_NETNS_LOCAL
	dev->features |= NETIF_F_NETNS_LOCAL;
#elif defined(WATTLE_HAVE_NETNS_IMMUTABLE)
	dev->netns_immutable = true;
#else
	dev->netns_local = true;
#endif
}

/* 6.9: routes are born with one reference, always. */
static inline void wattle_dst_init(struct dst_entry *dst, struct dst_ops *ops)
{
#ifdef WATTLE_HAVE_DST_INITIAL_REF
	dst_init(dst, ops, NULL, 1, DST_OBSOLETE_NONE, DST_NOCOUNT);
#else
	dst_init(dst, ops, NULL, DST_OBSOLETE_NONE, DST_NOCOUNT);
#endif
}

/* 7.1: IPv6 is called directly. */
static inline int wattle_ip6_fragment(struct net *net, struct sk_buff *skb,
				      int (*output)(struct net *, struct sock *, struct sk_buff *))
{
#ifdef WATTLE_HAVE_IPV6_STUBS
	return ipv6_stub->ipv6_fragment(net, NULL, skb, output);
#else
	return ip6_fragment(net, NULL, skb, output);
#endif
}

#endif /* WATTLE_COMPAT_H */
