// SPDX-License-Identifier: GPL-2.0-only
/* Endpoints: pods of this node, and the ports behind which they are. */

#include <linux/ctype.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include "endpoint.h"
#include "alloc.h"
#include "wattle.h"

/* An address of an endpoint version. */
struct wattle_endpoint_ip {
	struct rhlist_head link;
	struct in6_addr addr;
	struct wattle_endpoint *endpoint;
};

static const struct rhashtable_params wattle_endpoint_ip_params = {
	.head_offset = offsetof(struct wattle_endpoint_ip, link),
	.key_offset = offsetof(struct wattle_endpoint_ip, addr),
	.key_len = sizeof(struct in6_addr),
	.automatic_shrinking = true,
};

static bool wattle_endpoint_visible(const struct wattle_endpoint *ep, u64 gen)
{
	return wattle_alive(&ep->life, gen) && !READ_ONCE(ep->port->gone);
}

struct wattle_endpoint *wattle_endpoint_by_ip(struct wattle_endpoints *eps,
					      const struct in6_addr *addr, u64 gen)
{
	struct rhlist_head *list, *pos;
	struct wattle_endpoint_ip *at;

	list = rhltable_lookup(&eps->by_ip, addr, wattle_endpoint_ip_params);
	rhl_for_each_entry_rcu(at, pos, list, link) {
		if (wattle_endpoint_visible(at->endpoint, gen))
			return at->endpoint;
	}
	return NULL;
}

struct wattle_endpoint *wattle_endpoint_on_port(const struct wattle_port *port, u64 gen)
{
	struct wattle_endpoint *ep;

	hlist_for_each_entry_rcu(ep, &port->endpoints, on_port) {
		if (wattle_endpoint_visible(ep, gen))
			return ep;
	}
	return NULL;
}

bool wattle_endpoint_has_ip(const struct wattle_endpoint *ep, const struct in6_addr *addr)
{
	unsigned int i;

	for (i = 0; i < ep->ip_count; i++) {
		if (ipv6_addr_equal(&ep->ips[i], addr))
			return true;
	}
	return false;
}

/* Give back what a port holds. Once; the port itself stays. */
static void wattle_port_detach(struct wattle_endpoints *eps, struct wattle_port *port)
{
	lockdep_assert_held(&eps->lock);

	if (port->gone)
		return;
	WRITE_ONCE(port->gone, true);
	if (port->attached)
		eps->ops->detach(port);
	port->attached = false;
	netdev_put(port->dev, &port->tracker);
}

void wattle_endpoints_detach(struct wattle_endpoints *eps)
{
	struct wattle_port *port;

	mutex_lock(&eps->lock);
	list_for_each_entry(port, &eps->ports, list)
		wattle_port_detach(eps, port);
	mutex_unlock(&eps->lock);
}

static void wattle_port_put(struct wattle_endpoints *eps, struct wattle_port *port)
{
	if (--port->users)
		return;
	mutex_lock(&eps->lock);
	list_del(&port->list);
	wattle_port_detach(eps, port);
	mutex_unlock(&eps->lock);
	kfree_rcu(port, rcu);
}

static void wattle_endpoint_unlink_ips(struct wattle_endpoints *eps,
				       struct wattle_endpoint *ep, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		rhltable_remove(&eps->by_ip, &ep->by_ip[i].link, wattle_endpoint_ip_params);
}

static void wattle_endpoint_unlink(void *table, void *object)
{
	struct wattle_endpoints *eps = table;
	struct wattle_endpoint *ep = object;

	wattle_endpoint_unlink_ips(eps, ep, ep->ip_count);
	hlist_del_rcu(&ep->on_port);
	eps->count--;
}

static void wattle_endpoint_revive(void *table, void *object)
{
	struct wattle_endpoint *ep = object;

	WRITE_ONCE(ep->life.died, WATTLE_FOREVER);
}

static void wattle_endpoint_free(void *table, void *object)
{
	struct wattle_endpoints *eps = table;
	struct wattle_endpoint *ep = object;

	wattle_port_put(eps, ep->port);
	kfree(ep->by_ip);
	kfree(ep);
}

static const struct wattle_kind_ops wattle_endpoint_ops = {
	.withdraw = wattle_endpoint_unlink,
	.revive = wattle_endpoint_revive,
	.unlink = wattle_endpoint_unlink,
	.free = wattle_endpoint_free,
};

/**
 * wattle_endpoints_init() - make an empty table
 * @eps: the table
 * @log: logs its changes
 * @wattle: the device
 * @ops: what makes ports work
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_endpoints_init(struct wattle_endpoints *eps, struct wattle_log *log,
			  struct wattle *wattle, const struct wattle_port_ops *ops)
{
	int err;

	err = rhltable_init(&eps->by_ip, &wattle_endpoint_ip_params);
	if (err)
		return err;
	mutex_init(&eps->lock);
	INIT_LIST_HEAD(&eps->ports);
	eps->wattle = wattle;
	eps->ops = ops;
	eps->next_serial = 1;
	eps->count = 0;
	wattle_log_kind(log, WATTLE_KIND_ENDPOINT, &wattle_endpoint_ops, eps);
	return 0;
}

/**
 * wattle_endpoints_exit() - free a table that nobody reads any more
 * @eps: the table
 *
 * Context: may sleep, RTNL may be held; nothing is in the log, nor waits for reclaim.
 */
void wattle_endpoints_exit(struct wattle_endpoints *eps)
{
	struct wattle_port *port, *next_port;
	struct wattle_endpoint *ep;
	struct hlist_node *next_ep;

	list_for_each_entry_safe(port, next_port, &eps->ports, list) {
		hlist_for_each_entry_safe(ep, next_ep, &port->endpoints, on_port) {
			wattle_endpoint_unlink(eps, ep);
			wattle_endpoint_free(eps, ep);
		}
	}
	WARN_ON_ONCE(!list_empty(&eps->ports));
	rhltable_destroy(&eps->by_ip);
	mutex_destroy(&eps->lock);
}

static int wattle_endpoint_check_pod(const char *pod, struct wattle_refusal *why)
{
	const char *c;

	if (strnlen(pod, WATTLE_POD_MAX + 1) > WATTLE_POD_MAX)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_POD, "name is too long");
	for (c = pod; *c; c++) {
		if (!isascii(*c) || !isgraph(*c))
			return wattle_refuse(why, -EINVAL, WATTLE_FIELD_POD,
					     "name has a character that no pod name has");
	}
	return 0;
}

static int wattle_endpoint_check_dev(const struct wattle_endpoints *eps,
				     const struct net_device *dev, struct wattle_refusal *why)
{
	const struct wattle *w = eps->wattle;

	if (dev == w->dev)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_DEVICE,
				     "no pod is behind the wattle device itself");
	if (dev->flags & IFF_LOOPBACK)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_DEVICE,
				     "no pod is behind a loopback device");
	if (dev->type != ARPHRD_ETHER)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_DEVICE,
				     "no pod is behind a device that is not Ethernet");
	if (!net_eq(dev_net(dev), w->net))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_DEVICE,
				     "device is in another network namespace");
	if (dev->reg_state != NETREG_REGISTERED)
		return wattle_refuse(why, -ENODEV, WATTLE_FIELD_DEVICE, "device is going away");
	return 0;
}

static int wattle_endpoint_check(const struct wattle_endpoints *eps,
				 const struct wattle_endpoint_spec *spec,
				 struct wattle_refusal *why)
{
	unsigned int i, j;
	int err;

	err = wattle_endpoint_check_dev(eps, spec->dev, why);
	if (err)
		return err;
	err = wattle_endpoint_check_pod(spec->pod, why);
	if (err)
		return err;
	if (spec->id >= WATTLE_ID_LOCAL_MIN)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ID,
				     "an identity is a number from 1 to 16777215");
	if (spec->enforce & ~(WATTLE_ENFORCE_INGRESS | WATTLE_ENFORCE_EGRESS))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NONE,
				     "only ingress and egress can be enforced");
	for (i = 0; i < spec->ip_count; i++) {
		if (!wattle_addr_is_host(&spec->ips[i]))
			return wattle_refuse_at(why, -EINVAL, WATTLE_FIELD_IP, i,
						"this cannot be the address of a pod");
		for (j = 0; j < i; j++) {
			if (ipv6_addr_equal(&spec->ips[i], &spec->ips[j]))
				return wattle_refuse_at(why, -EINVAL, WATTLE_FIELD_IP, i,
							"this address is given twice");
		}
	}
	return 0;
}

/* The port of a device that is not gone. Context: config lock. */
static struct wattle_port *wattle_port_find(struct wattle_endpoints *eps,
					    const struct net_device *dev, int ifindex)
{
	struct wattle_port *port, *found = NULL;

	mutex_lock(&eps->lock);
	list_for_each_entry(port, &eps->ports, list) {
		if (!port->gone && (dev ? port->dev == dev : port->dev->ifindex == ifindex)) {
			found = port;
			break;
		}
	}
	mutex_unlock(&eps->lock);
	return found;
}

static struct wattle_endpoint *wattle_endpoint_of(const struct wattle_port *port, u64 gen)
{
	struct wattle_endpoint *ep;

	if (!port)
		return NULL;
	rcu_read_lock();
	ep = wattle_endpoint_on_port(port, gen);
	rcu_read_unlock();
	return ep;
}

/* A new port of one user. Context: config lock, RTNL: the device does not go meanwhile. */
static int wattle_port_create(struct wattle_endpoints *eps, struct net_device *dev,
			      struct wattle_port **out, struct wattle_refusal *why)
{
	struct wattle_port *port;
	int err;

	if (!eps->next_serial)
		return wattle_refuse(why, -ENOSPC, WATTLE_FIELD_NONE,
				     "no numbers are left for endpoints");
	port = wattle_alloc(sizeof(*port));
	if (!port)
		return wattle_refuse_nomem(why);
	port->wattle = eps->wattle;
	port->dev = dev;
	port->serial = eps->next_serial++;
	port->users = 1;
	INIT_HLIST_HEAD(&port->endpoints);

	mutex_lock(&eps->lock);
	err = eps->ops->attach(port);
	if (!err) {
		port->attached = true;
		netdev_hold(dev, &port->tracker, GFP_KERNEL);
		list_add_tail(&port->list, &eps->ports);
	}
	mutex_unlock(&eps->lock);
	if (err) {
		kfree_rcu(port, rcu);
		return wattle_refuse(why, err, WATTLE_FIELD_DEVICE,
				     "device cannot be made the port of an endpoint");
	}
	*out = port;
	return 0;
}

static int wattle_endpoint_link_ips(struct wattle_endpoints *eps, struct wattle_endpoint *ep,
				    unsigned int *linked, struct wattle_refusal *why)
{
	struct wattle_endpoint *other;
	struct wattle_endpoint_ip *at;

	for (*linked = 0; *linked < ep->ip_count; (*linked)++) {
		at = &ep->by_ip[*linked];
		at->addr = ep->ips[*linked];
		at->endpoint = ep;
		rcu_read_lock();
		other = wattle_endpoint_by_ip(eps, &at->addr, ep->life.born);
		rcu_read_unlock();
		if (other && other->port != ep->port)
			return wattle_refuse_at(why, -EEXIST, WATTLE_FIELD_IP, *linked,
						"this address belongs to another endpoint");
		if (wattle_hash_insert(rhltable_insert(&eps->by_ip, &at->link,
						       wattle_endpoint_ip_params)))
			return wattle_refuse_nomem(why);
	}
	return 0;
}

static struct wattle_endpoint *wattle_endpoint_create(const struct wattle_endpoint_spec *spec,
						      u64 born)
{
	struct wattle_endpoint *ep;

	ep = wattle_alloc(struct_size(ep, ips, spec->ip_count));
	if (!ep)
		return NULL;
	ep->life.born = born;
	ep->life.died = WATTLE_FOREVER;
	ep->id = spec->id;
	ep->enforce = spec->enforce;
	ep->ip_count = spec->ip_count;
	strscpy(ep->pod, spec->pod, sizeof(ep->pod));
	memcpy(ep->ips, spec->ips, array_size(spec->ip_count, sizeof(*spec->ips)));
	if (ep->ip_count) {
		ep->by_ip = wattle_alloc(array_size(ep->ip_count, sizeof(*ep->by_ip)));
		if (!ep->by_ip) {
			kfree(ep);
			return NULL;
		}
	}
	return ep;
}

static void wattle_endpoint_bury(struct wattle_log *log, struct wattle_endpoint *ep)
{
	WRITE_ONCE(ep->life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_ENDPOINT, ep);
}

/* Stage @ep, which takes the place of @old. It belongs to the log in any case. */
static int wattle_endpoint_link(struct wattle_endpoints *eps, struct wattle_log *log,
				struct wattle_endpoint *ep, struct wattle_endpoint *old,
				struct wattle_refusal *why)
{
	unsigned int linked;
	int err;

	err = wattle_endpoint_link_ips(eps, ep, &linked, why);
	if (err) {
		wattle_endpoint_unlink_ips(eps, ep, linked);
		wattle_log_push(log, WATTLE_OP_FREE, WATTLE_KIND_ENDPOINT, ep);
		return err;
	}
	hlist_add_head_rcu(&ep->on_port, &ep->port->endpoints);
	eps->count++;
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_ENDPOINT, ep);
	if (old)
		wattle_endpoint_bury(log, old);
	return 0;
}

/**
 * wattle_endpoint_add() - stage an endpoint
 * @eps: table
 * @log: the change
 * @spec: device, pod, identity, addresses
 * @replace: take the place of what is there
 * @why: why not
 *
 * The port's hooks come with the first version, before it is published.
 *
 * Context: writer, RTNL.
 * Return: 0 or a negative errno.
 */
int wattle_endpoint_add(struct wattle_endpoints *eps, struct wattle_log *log,
			const struct wattle_endpoint_spec *spec, bool replace,
			struct wattle_refusal *why)
{
	struct wattle_endpoint *ep, *old;
	struct wattle_port *port;
	int err;

	lockdep_assert_held(log->lock);
	ASSERT_RTNL();

	err = wattle_endpoint_check(eps, spec, why);
	if (err)
		return err;
	port = wattle_port_find(eps, spec->dev, 0);
	old = wattle_endpoint_of(port, log->next);
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_DEVICE,
				     "this device has an endpoint already");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	ep = wattle_endpoint_create(spec, log->next);
	if (!ep)
		return wattle_refuse_nomem(why);
	if (port) {
		port->users++;
	} else {
		err = wattle_port_create(eps, spec->dev, &port, why);
		if (err) {
			kfree(ep->by_ip);
			kfree(ep);
			return err;
		}
	}
	ep->port = port;
	return wattle_endpoint_link(eps, log, ep, old, why);
}

/**
 * wattle_endpoint_del() - stage the end of an endpoint
 * @eps: table
 * @log: the change
 * @ifindex: its device
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_endpoint_del(struct wattle_endpoints *eps, struct wattle_log *log, int ifindex,
			struct wattle_refusal *why)
{
	struct wattle_endpoint *ep;

	lockdep_assert_held(log->lock);

	ep = wattle_endpoint_of(wattle_port_find(eps, NULL, ifindex), log->next);
	if (!ep)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_DEVICE,
				     "this device has no endpoint");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	wattle_endpoint_bury(log, ep);
	return 0;
}

/**
 * wattle_endpoint_sweep() - stage the end of endpoints whose devices are gone
 * @eps: table
 * @log: the change
 *
 * Context: writer.
 * Return: 0 or -ENOMEM: some were left.
 */
int wattle_endpoint_sweep(struct wattle_endpoints *eps, struct wattle_log *log)
{
	struct wattle_endpoint *ep;
	struct wattle_port *port;
	int err = 0;

	lockdep_assert_held(log->lock);

	mutex_lock(&eps->lock);
	list_for_each_entry(port, &eps->ports, list) {
		if (!port->gone)
			continue;
		hlist_for_each_entry(ep, &port->endpoints, on_port) {
			if (!wattle_alive(&ep->life, log->next))
				continue;
			err = wattle_log_reserve(log);
			if (err)
				goto out;
			wattle_endpoint_bury(log, ep);
		}
	}
out:
	mutex_unlock(&eps->lock);
	return err;
}

/**
 * wattle_endpoint_device_gone() - a device is unregistered or leaves the namespace
 * @eps: table
 * @dev: the device
 *
 * Context: RTNL; does not wait for writers.
 * Return: whether it was a port.
 */
bool wattle_endpoint_device_gone(struct wattle_endpoints *eps, struct net_device *dev)
{
	struct wattle_port *port;
	bool found = false;

	mutex_lock(&eps->lock);
	list_for_each_entry(port, &eps->ports, list) {
		if (port->dev == dev && !port->gone) {
			wattle_port_detach(eps, port);
			found = true;
			break;
		}
	}
	mutex_unlock(&eps->lock);
	return found;
}
