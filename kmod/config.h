/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration: the tables of a device as one thing that changes by
 * transactions.
 *
 * DOC: Locking
 *
 * Readers (packets, explain, dumps) hold rcu_read_lock(), read the generation once
 * with wattle_generation() and hand it to every look-up: they see the tables as of
 * one commit. Writers hold wattle_config.lock, a mutex; RTNL may be held around
 * it, never taken inside it.
 *
 * A change links new entries (born at the next generation) and marks old ones
 * (died at it). Commit is one store of the generation. What died is unlinked after a
 * grace period, when nobody can be reading at an older generation, and freed after
 * another, by a worker; add of a key whose dead version is still linked is fine.
 * Abort unlinks what was staged and revives what was marked. Both cost what the
 * change holds, not what the tables hold.
 */
#ifndef WATTLE_CONFIG_H
#define WATTLE_CONFIG_H

#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/workqueue.h>
#include "endpoint.h"
#include "identity.h"
#include "node.h"
#include "policy.h"
#include "service.h"

/**
 * struct wattle_config - all tables of a device
 * @gen: the published generation; grows by one with each commit
 * @epoch: grows with each commit and each event that makes cached decisions stale
 *	(a route, a neighbour, an address, a device); flow caches compare it
 * @lock: serialises writers
 * @owner: netlink port that has a transaction open, or 0; protected by @lock
 */
struct wattle_config {
	u64 gen;
	u64 epoch;
	struct mutex lock;
	u32 owner;
	struct wattle_nodes nodes;
	struct wattle_identities identities;
	struct wattle_endpoints endpoints;
	struct wattle_policies policies;
	struct wattle_services services;
	/* the change log of the open transaction, and what awaits reclaim: config.c */
};

static inline u64 wattle_generation(const struct wattle_config *config)
{
	return smp_load_acquire(&config->gen);
}

/* Which part of a request was refused; netlink.c makes an attribute of it. */
enum wattle_field {
	WATTLE_FIELD_NONE,
	WATTLE_FIELD_NAME,
	WATTLE_FIELD_ADDR,
	WATTLE_FIELD_CIDR,
	WATTLE_FIELD_PREFIX_LEN,
	WATTLE_FIELD_ID,
	WATTLE_FIELD_VIA,
	WATTLE_FIELD_DEVICE,
	WATTLE_FIELD_POD,
	WATTLE_FIELD_IP,
	WATTLE_FIELD_PEER,
	WATTLE_FIELD_PROTO,
	WATTLE_FIELD_PORT,
	WATTLE_FIELD_ACTION,
	WATTLE_FIELD_PRIORITY,
	WATTLE_FIELD_ORIGIN,
	WATTLE_FIELD_ALG,
	WATTLE_FIELD_MAGLEV_SIZE,
	WATTLE_FIELD_BACKEND_ADDR,
	WATTLE_FIELD_BACKEND_PORT,
	WATTLE_FIELD_WEIGHT,
	WATTLE_FIELD_STATE,
	WATTLE_FIELD_GENERATION,
};

/* Why a change was refused: a whole sentence for a person, and where. */
struct wattle_refusal {
	const char *message;
	enum wattle_field field;
	unsigned int index;	/* which of several (CIDR, IP) */
};

struct wattle_node_spec {
	const char *name;
	struct in6_addr addr4;		/* :: for none */
	struct in6_addr addr6;
	unsigned int cidr_count;
	const struct wattle_prefix *cidrs;
};

struct wattle_identity_spec {
	struct wattle_prefix prefix;
	u32 id;
	struct in6_addr via;		/* :: for none */
};

struct wattle_endpoint_spec {
	struct net_device *dev;		/* caller holds a reference for the call */
	const char *pod;		/* "" for none */
	u32 id;
	u8 enforce;
	u8 ip_count;
	const struct in6_addr *ips;
};

struct wattle_service_spec {
	struct in6_addr addr;
	__be16 port;
	u8 proto;
	u8 alg;
	u32 affinity;
	u32 maglev_size;
};

/*
 * What makes ports work: called with the config lock held, from process context.
 * attach may fail; detach returns when no hook of the port runs any more.
 */
struct wattle_port_ops {
	int (*attach)(struct wattle_port *port);
	void (*detach)(struct wattle_port *port);
};

int wattle_config_init(struct wattle_config *config, struct wattle *wattle,
		       const struct wattle_port_ops *ops);

/*
 * Unlink and free everything, transactions included. No readers are left, no
 * writers come any more. Context: process, may sleep, RTNL may be held.
 */
void wattle_config_exit(struct wattle_config *config);

/* Make every cached decision stale. Context: any. */
void wattle_config_touch(struct wattle_config *config);

/*
 * Transactions. @owner is the netlink port of the caller. A change whose owner has
 * no transaction open is committed before it returns; while another has one open,
 * -EBUSY. All return 0 or a negative errno with @why filled in, and then nothing
 * has changed: -EEXIST, -ENOENT, -EINVAL, -ENOSPC, -ENOMEM, -EBUSY, -EAGAIN (commit:
 * the generation is not *@expect any more; @expect may be NULL).
 * Context: process, may sleep.
 */
int wattle_config_begin(struct wattle_config *config, u32 owner, struct wattle_refusal *why);
int wattle_config_commit(struct wattle_config *config, u32 owner, const u64 *expect,
			 struct wattle_refusal *why);
int wattle_config_abort(struct wattle_config *config, u32 owner, struct wattle_refusal *why);
/* The socket of @owner was closed: abort what it has open, if anything. */
void wattle_config_release(struct wattle_config *config, u32 owner);

int wattle_config_node_add(struct wattle_config *config, u32 owner,
			   const struct wattle_node_spec *spec, bool replace,
			   struct wattle_refusal *why);
int wattle_config_node_del(struct wattle_config *config, u32 owner, const char *name,
			   struct wattle_refusal *why);
int wattle_config_identity_add(struct wattle_config *config, u32 owner,
			       const struct wattle_identity_spec *spec, bool replace,
			       struct wattle_refusal *why);
int wattle_config_identity_del(struct wattle_config *config, u32 owner,
			       const struct wattle_prefix *prefix, struct wattle_refusal *why);
int wattle_config_endpoint_add(struct wattle_config *config, u32 owner,
			       const struct wattle_endpoint_spec *spec, bool replace,
			       struct wattle_refusal *why);
int wattle_config_endpoint_del(struct wattle_config *config, u32 owner, int ifindex,
			       struct wattle_refusal *why);
int wattle_config_rule_add(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, const char *origin, bool replace,
			   struct wattle_refusal *why);
int wattle_config_rule_del(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, struct wattle_refusal *why);
/* @subject 0: all rules. */
int wattle_config_rule_flush(struct wattle_config *config, u32 owner, u32 subject,
			     struct wattle_refusal *why);
int wattle_config_service_add(struct wattle_config *config, u32 owner,
			      const struct wattle_service_spec *spec, bool replace,
			      struct wattle_refusal *why);
int wattle_config_service_del(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      struct wattle_refusal *why);
int wattle_config_backend_add(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      const struct wattle_backend *backend, bool replace,
			      struct wattle_refusal *why);
int wattle_config_backend_del(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      const struct wattle_backend *backend, struct wattle_refusal *why);

/*
 * @dev is being unregistered or leaves the namespace: its port is gone from this
 * moment on, hooks and reference are given back. The table entry follows by a
 * worker as a change of its own; a transaction that is open is not disturbed.
 * Context: RTNL.
 */
void wattle_config_device_gone(struct wattle_config *config, struct net_device *dev);

/*
 * Dumps: call @visit for each entry alive at @gen, from *@cursor on, until it
 * returns non-zero, which is returned (the entry is visited again next time); 0 at
 * the end. A cursor is 4 longs of cb->ctx, zero at the start; it survives changes of
 * the table between calls, without missing or repeating entries that were there all
 * the time. Entered in RCU read section or not at all: they take it themselves, and
 * give it up every few hundred entries.
 */
struct wattle_cursor {
	unsigned long pos[4];
};

int wattle_config_walk_nodes(struct wattle_config *config, u64 gen, struct wattle_cursor *cursor,
			     int (*visit)(const struct wattle_node *node, void *arg), void *arg);
int wattle_config_walk_identities(struct wattle_config *config, u64 gen,
				  struct wattle_cursor *cursor,
				  int (*visit)(const struct wattle_identity_spec *spec, void *arg),
				  void *arg);
int wattle_config_walk_endpoints(struct wattle_config *config, u64 gen,
				 struct wattle_cursor *cursor,
				 int (*visit)(const struct wattle_endpoint *ep, void *arg),
				 void *arg);
/* @subject 0: all. */
int wattle_config_walk_rules(struct wattle_config *config, u64 gen, u32 subject,
			     struct wattle_cursor *cursor,
			     int (*visit)(const struct wattle_rule_spec *spec, const char *origin,
					  void *arg), void *arg);
int wattle_config_walk_services(struct wattle_config *config, u64 gen,
				struct wattle_cursor *cursor,
				int (*visit)(const struct wattle_service *service, void *arg),
				void *arg);

#endif /* WATTLE_CONFIG_H */
