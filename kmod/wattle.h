/* SPDX-License-Identifier: GPL-2.0-only */
/* The device: one per network namespace, and all state hangs from it. */
#ifndef WATTLE_WATTLE_H
#define WATTLE_WATTLE_H

#include <linux/completion.h>
#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <net/gro_cells.h>
#include "config.h"

#define WATTLE_VERSION		"0.1.0"
#define WATTLE_ABI		1
#define WATTLE_PORT		8472

/*
 * Set by rtnl under RTNL, read by packets with READ_ONCE. Addresses are IPv4 mapped;
 * :: where not set. @vni in host order.
 */
struct wattle_options {
	struct in6_addr local4;
	struct in6_addr local6;
	u32 vni;
	u16 port;		/* host byte order */
	u8 mode;		/* enum wattle_mode */
	u8 underlay;		/* 4 or 6; 0: chosen by the local addresses */
	u8 ttl;
	bool strict;
	bool cache;
	bool udp_csum;
	bool audit;
};

struct wattle_stats;
struct wattle_flows;
struct wattle_path;

/**
 * struct wattle - private data of the wattle device
 * @dev: the device
 * @net: its namespace; the device never changes it
 * @opt: options
 * @config: all tables
 * @stats: per-CPU counters (stats.h)
 * @flows: per-CPU flow caches and look-up tables (flow.c)
 * @sock4: tunnel socket over IPv4, while the device is up; RTNL writes, RCU reads
 * @sock6: same over IPv6
 * @family: of the tunnels we send, AF_INET or AF_INET6
 * @path_seq: grows with every change that makes prepared outer headers wrong
 * @paths: per-CPU outer headers, prepared (vxlan.c)
 * @hash_seed: secret of the flow hashes
 * @uplinks: devices on which the tunnel's packets are met early (uplink.c); under RTNL
 * @uplink_wanted: ifindex of one to add by @uplink_work, or 0
 * @flow_lock: taken by who visits a CPU's cache from outside
 * @flow_sweep: lets go of what the flow caches hold for nothing (flow.c)
 * @flow_grow: makes flow caches larger that have become too small
 * @users: netlink requests that use the device, and one for its being there
 * @idle: completed when @users falls to zero
 * @dumps: dumps that have begun a walk of the tables; under a lock of netlink.c
 * @live_round: number of the last count of connections that is complete; under a lock of live.c
 */
struct wattle {
	struct net_device *dev;
	struct net *net;
	struct wattle_options opt;
	struct wattle_config config;
	struct wattle_stats __percpu *stats;
	struct wattle_flows __percpu *flows;
	struct socket __rcu *sock4;
	struct socket __rcu *sock6;
	u16 family;
	atomic_t path_seq;
	struct wattle_path __percpu *paths;
	u64 hash_seed;
	struct mutex flow_lock;		/* visits from outside */
	struct delayed_work flow_sweep;
	struct work_struct flow_grow;
	struct delayed_work uplink_work;
	struct list_head uplinks;
	int uplink_wanted;
	refcount_t users;
	struct completion idle;
	struct list_head dumps;
	u32 live_round;
};

/* The device of a namespace, or NULL. Context: RCU reader or RTNL (device.c). */
struct wattle *wattle_of(const struct net *net);

/* Where a walk over what is no table has got to; zero at the start. */
struct wattle_cursor {
	unsigned long pos[4];
};

/*
 * What keeps the device alive during a netlink request. device.c, in this order:
 * wattle_users_init() before wattle_of() finds the device; when it goes, under RTNL,
 * after wattle_of() has stopped to find it and before the tables go,
 * wattle_users_wait(). So nobody takes RTNL, nor waits for who holds it, between
 * wattle_get() and wattle_put(). Who holds RTNL needs neither.
 */
static inline void wattle_users_init(struct wattle *w)
{
	refcount_set(&w->users, 1);
	init_completion(&w->idle);
	INIT_LIST_HEAD(&w->dumps);
}

/* Context: process. The device of @net, or NULL. */
static inline struct wattle *wattle_get(const struct net *net)
{
	struct wattle *w;

	rcu_read_lock();
	w = wattle_of(net);
	if (w && !refcount_inc_not_zero(&w->users))
		w = NULL;
	rcu_read_unlock();
	return w;
}

static inline void wattle_put(struct wattle *w)
{
	if (refcount_dec_and_test(&w->users))
		complete(&w->idle);
}

/* Wait for requests, and end the dumps that nobody has read to the end (netlink.c). */
void wattle_users_wait(struct wattle *w);

#endif /* WATTLE_WATTLE_H */
