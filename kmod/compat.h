/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that Wattle is built for, and the only place that
 * knows. WATTLE_HAVE_* come from Kbuild, which looks for the feature in the headers:
 * versions do not tell, because distributions carry interfaces back.
 */
#ifndef WATTLE_COMPAT_H
#define WATTLE_COMPAT_H

#include <linux/netdevice.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/ip6_fib.h>
#include <net/route.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>
#if __has_include(<net/gso.h>)
#include <net/gso.h>
#endif
#if __has_include(<linux/unaligned.h>)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "Wattle needs Linux 6.1 or newer"
#endif

/* 6.10: from a route to what it is embedded in, as macros. */
#ifndef dst_rtable
#define dst_rtable(dst)		container_of(dst, struct rtable, dst)
#endif
#ifndef dst_rt6_info
#define dst_rt6_info(dst)	container_of(dst, struct rt6_info, dst)
#endif

/* 6.15: what newlink is told comes in a struct. */
#ifdef WATTLE_HAVE_NEWLINK_PARAMS
#define WATTLE_NEWLINK(name, dev, tb, data, extack)				\
static int name(struct net_device *dev, struct nlattr **tb,			\
		struct nlattr **data, struct netlink_ext_ack *extack);		\
static int name##_op(struct net_device *dev, struct rtnl_newlink_params *params, \
		     struct netlink_ext_ack *extack)				\
{										\
	return name(dev, params->tb, params->data, extack);			\
}										\
static int name(struct net_device *dev, struct nlattr **tb,			\
		struct nlattr **data, struct netlink_ext_ack *extack)
#else
#define WATTLE_NEWLINK(name, dev, tb, data, extack)				\
static int name(struct net_device *dev, struct nlattr **tb,			\
		struct nlattr **data, struct netlink_ext_ack *extack);		\
static int name##_op(struct net *src_net, struct net_device *dev,		\
		     struct nlattr *tb[], struct nlattr *data[],		\
		     struct netlink_ext_ack *extack)				\
{										\
	return name(dev, tb, data, extack);					\
}										\
static int name(struct net_device *dev, struct nlattr **tb,			\
		struct nlattr **data, struct netlink_ext_ack *extack)
#endif

/* 7: the functions of UDP tunnels take the inner half of a socket. */
#ifdef WATTLE_HAVE_TUNNEL_SOCK
#define wattle_tunnel_sock(socket)	((socket)->sk)
#else
#define wattle_tunnel_sock(socket)	(socket)
#endif

/* 6.17: flags for the control block. */
#ifdef WATTLE_HAVE_TUNNEL_CB_FLAGS
#define WATTLE_TUNNEL_CB_FLAGS		, 0
#else
#define WATTLE_TUNNEL_CB_FLAGS
#endif

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

/* 6.2: operations split by what they do. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define genl_split_ops	genl_ops
#endif

/* 6.9: routes are born with one reference, always. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define wattle_dst_init(dst, ops) \
	dst_init(dst, ops, NULL, 1, DST_OBSOLETE_NONE, DST_NOCOUNT)
#else
#define wattle_dst_init(dst, ops) \
	dst_init(dst, ops, NULL, DST_OBSOLETE_NONE, DST_NOCOUNT)
#endif

#endif /* WATTLE_COMPAT_H */
