/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Endpoints: pods of this node, and the ports (host-side devices) behind which
 * they are.
 *
 * A port is made when its first endpoint version is staged and goes with the
 * last: it carries the netfilter hooks and the reference to the device. When
 * the device vanishes the port is marked gone at once, and with it every version
 * of its endpoint stops to be visible.
 */
#ifndef WATTLE_ENDPOINT_H
#define WATTLE_ENDPOINT_H

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rhashtable.h>
#include "change.h"
#include "types.h"

struct wattle;

/* An endpoint in words, as netlink gives it. */
struct wattle_endpoint_spec {
	struct net_device *dev;
	const char *pod;		/* "" for none */
	u32 id;
	u8 enforce;
	u8 ip_count;
	const struct in6_addr *ips;
};

/**
 * struct wattle_port - host-side device of an endpoint
 * @wattle: the wattle device this belongs to
 * @dev: the device; stays valid for RCU readers that saw @gone false
 * @serial: never used twice: flow keys tell ports by it
 * @gone: the device is being unregistered or has left the namespace
 * @attached: the hooks are registered
 * @users: endpoint versions that use the port; under the config lock
 * @endpoints: versions, newest first; RCU list through wattle_endpoint.on_port
 * @list: all ports of the device; under wattle_endpoints.lock
 * @lladdr: address the pod sends from; written by the datapath
 * @ingress: hook on what the pod sends
 * @egress: hook on what the host sends to the pod
 */
struct wattle_port {
	struct wattle *wattle;
	struct net_device *dev;
	netdevice_tracker tracker;
	u32 serial;
	bool gone;
	bool attached;
	unsigned int users;
	struct hlist_head endpoints;
	struct list_head list;
	u8 lladdr[ETH_ALEN];
	struct nf_hook_ops ingress;
	struct nf_hook_ops egress;
	struct rcu_head rcu;
};

/*
 * What makes ports work. Called with the ports' lock held, and attach with the config
 * lock and RTNL as well, from process context; detach under RTNL or not. attach may fail. After
 * detach no new hook of the port starts: one that runs already is waited for by a
 * grace period before the port is freed.
 */
struct wattle_port_ops {
	int (*attach)(struct wattle_port *port);
	void (*detach)(struct wattle_port *port);
};

/**
 * struct wattle_endpoint - one version of an endpoint; immutable once linked
 * @pod: NAMESPACE/NAME or ""
 * @id: identity; 0 where none was given: then the identity table tells
 * @enforce: WATTLE_ENFORCE_* directions that are enforced without a policy
 * @ip_count: how many @ips; an endpoint without any can neither send nor receive
 */
struct wattle_endpoint {
	struct wattle_life life;
	struct wattle_port *port;
	struct hlist_node on_port;
	u32 id;
	u8 enforce;
	u8 ip_count;
	char pod[WATTLE_POD_MAX + 1];
	struct wattle_endpoint_ip *by_ip;	/* private to endpoint.c, @ip_count of them */
	struct in6_addr ips[] __counted_by(ip_count);
};

/**
 * struct wattle_endpoints - all endpoints and ports of a device
 * @by_ip: of addresses of endpoint versions
 * @lock: protects @ports, and attaching and detaching. Taken inside the config lock, and
 *	by itself where a device goes: never held for long, so that a long change does not
 *	delay the end of a device
 * @ports: all ports
 * @wattle: the device
 * @ops: what makes ports work
 * @next_serial: of ports, not yet used; under the config lock
 * @count: versions linked; under the config lock
 */
struct wattle_endpoints {
	struct rhltable by_ip;
	struct mutex lock;		/* ports, attaching, detaching */
	struct list_head ports;
	struct wattle *wattle;
	const struct wattle_port_ops *ops;
	u32 next_serial;
	unsigned int count;
};

/* Alive at @gen and not gone. Context: RCU reader. */
struct wattle_endpoint *wattle_endpoint_by_ip(struct wattle_endpoints *eps,
					      const struct in6_addr *addr, u64 gen);
struct wattle_endpoint *wattle_endpoint_on_port(const struct wattle_port *port, u64 gen);
bool wattle_endpoint_has_ip(const struct wattle_endpoint *ep, const struct in6_addr *addr);

int wattle_endpoints_init(struct wattle_endpoints *eps, struct wattle_log *log,
			  struct wattle *wattle, const struct wattle_port_ops *ops);
void wattle_endpoints_exit(struct wattle_endpoints *eps);

/*
 * Let go of all devices: no hook begins any more; those that run, and what they hold, are waited
 * for by a grace period. Context: may sleep, RTNL may be held.
 */
void wattle_endpoints_detach(struct wattle_endpoints *eps);

/* Stage a change, as in node.h; add with RTNL held. */
int wattle_endpoint_add(struct wattle_endpoints *eps, struct wattle_log *log,
			const struct wattle_endpoint_spec *spec, bool replace,
			struct wattle_refusal *why);
int wattle_endpoint_del(struct wattle_endpoints *eps, struct wattle_log *log, int ifindex,
			struct wattle_refusal *why);

/* Stage the end of all endpoints whose ports are gone. */
int wattle_endpoint_sweep(struct wattle_endpoints *eps, struct wattle_log *log);

/* @dev goes: true where it was a port. Context: RTNL; takes the ports' lock alone. */
bool wattle_endpoint_device_gone(struct wattle_endpoints *eps, struct net_device *dev);

#endif /* WATTLE_ENDPOINT_H */
