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
 * it, never taken inside it. wattle_endpoints.lock comes last, and is taken without the
 * config lock where a device goes.
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
#include "change.h"
#include "egress.h"
#include "endpoint.h"
#include "identity.h"
#include "node.h"
#include "policy.h"
#include "range.h"
#include "service.h"

/**
 * struct wattle_config - all tables of a device
 * @gen: the published generation; grows by one with each commit
 * @epoch: grows with each commit and each event that makes cached decisions stale
 *	(a route, a neighbour, an address, a device); flow caches compare it
 * @lock: serialises writers
 * @owner: netlink port that has a transaction open, or 0
 * @log: the open change
 * @mark: where in @log the message began that is being staged
 * @dead: batches of what died with commits, and awaits reclaim
 * @round: how often reclaim has come round
 * @reclaim: unlinks and frees @dead, a grace period each
 * @sweep: deletes endpoints whose devices are gone
 * @cut: ends conversations that services have left behind, and frees wattle_services.gone (cut.c)
 * @queue: where all of them run
 *
 * @owner to @round: protected by @lock.
 */
struct wattle_config {
	u64 gen;
	u64 epoch;
	struct mutex lock;		/* serialises writers */
	u32 owner;
	struct wattle_nodes nodes;
	struct wattle_identities identities;
	struct wattle_endpoints endpoints;
	struct wattle_policies policies;
	struct wattle_services services;
	struct wattle_egress egress;
	struct wattle_ranges ranges;
	struct wattle_log log;
	size_t mark;
	struct list_head dead;
	unsigned int round;
	struct work_struct reclaim;
	struct work_struct sweep;
	struct delayed_work cut;
	struct workqueue_struct *queue;
};

static inline u64 wattle_generation(const struct wattle_config *config)
{
	/* Pairs with wattle_config_publish(): what is published is there. */
	return smp_load_acquire(&config->gen);
}

/* Read it before the generation: what is decided after is at least that new. */
static inline u32 wattle_epoch(const struct wattle_config *config)
{
	/* Pairs with the full barrier in wattle_config_touch(). */
	return smp_load_acquire(&config->epoch);
}

int wattle_config_init(struct wattle_config *config, struct wattle *wattle,
		       const struct wattle_port_ops *ops, work_func_t cut);

/*
 * Unlink and free everything, transactions included. No readers are left, no
 * writers come any more. Context: process, may sleep, RTNL may be held.
 */
void wattle_config_exit(struct wattle_config *config);

/* Services have left conversations behind: have them ended soon, many at once. Context: any. */
void wattle_config_cut_later(struct wattle_config *config);

/* Make every cached decision stale. Context: any. */
void wattle_config_touch(struct wattle_config *config);

/*
 * Transactions. @owner is the netlink port of the caller. A change whose owner has
 * no transaction open is committed before it returns; while another has one open,
 * -EBUSY. All return 0 or a negative errno with @why filled in, and then nothing
 * has changed: -EEXIST, -ENOENT, -EINVAL, -ENOSPC, -ENOMEM, -EBUSY, -EAGAIN (commit:
 * the generation is not *@expect any more; @expect may be NULL). A commit that fails with
 * -EAGAIN leaves the transaction open; one that fails for memory or numbers has aborted
 * it. A change that changes nothing is no new generation.
 * Context: process, may sleep.
 */
int wattle_config_begin(struct wattle_config *config, u32 owner, struct wattle_refusal *why);
int wattle_config_commit(struct wattle_config *config, u32 owner, const u64 *expect,
			 struct wattle_refusal *why);
int wattle_config_abort(struct wattle_config *config, u32 owner, struct wattle_refusal *why);
/* The socket of @owner was closed: abort what it has open, if anything. */
void wattle_config_wait(struct wattle_config *config);
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
/*
 * Context: RTNL as well: the device must not go before its port is known. -ERESTART: another change
 * is being made; wattle_config_wait() without RTNL, and again.
 */
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
			      const struct wattle_service_key *key,
			      struct wattle_refusal *why);
int wattle_config_backend_add(struct wattle_config *config, u32 owner,
			      const struct wattle_service_key *key,
			      const struct wattle_backend *backend, bool replace,
			      struct wattle_refusal *why);
int wattle_config_backend_del(struct wattle_config *config, u32 owner,
			      const struct wattle_service_key *key,
			      const struct wattle_backend *backend, struct wattle_refusal *why);
int wattle_config_egress_add(struct wattle_config *config, u32 owner,
			     const struct wattle_egress_spec *spec, bool replace,
			     struct wattle_refusal *why);
int wattle_config_egress_del(struct wattle_config *config, u32 owner,
			     const struct wattle_egress_from *from,
			     const struct wattle_prefix *to, struct wattle_refusal *why);
int wattle_config_range_add(struct wattle_config *config, u32 owner,
			    const struct wattle_prefix *prefix, bool replace,
			    struct wattle_refusal *why);
int wattle_config_range_del(struct wattle_config *config, u32 owner,
			    const struct wattle_prefix *prefix, struct wattle_refusal *why);

/*
 * @dev is being unregistered or leaves the namespace: its port is gone from this
 * moment on, hooks and reference are given back. The table entry follows by a
 * worker as a change of its own; a transaction that is open is not disturbed.
 * Context: RTNL.
 */
void wattle_config_device_gone(struct wattle_config *config, struct net_device *dev);

/*
 * Dumps. A walk is begun (netlink: .start), asked for more as often as one likes
 * (.dumpit), and ended (.done); it lives on the heap, for the place in a hash that is
 * being resized does not fit a netlink callback.
 *
 * Each call goes on where the last stopped, and visits every entry alive at the
 * published generation until @visit returns non-zero, which is returned: that
 * entry comes again with the next call. 0 at the end, and ever after. @visit runs in
 * an RCU read section that is given up every few hundred entries: it must not sleep.
 *
 * Entries that are there from the first call to the last come exactly once, unless
 * wattle_walk_torn(): then the tables changed meanwhile, entries may be missing or
 * come twice, and the reader of the dump has to be told (NLM_F_DUMP_INTR).
 *
 * Context of begin and end: may sleep. One walk is for one of the functions below, and
 * ends before wattle_config_exit().
 */
struct wattle_walk;

/* NULL: out of memory. */
struct wattle_walk *wattle_walk_begin(struct wattle_config *config);
/* @walk may be NULL. */
void wattle_walk_end(struct wattle_walk *walk);
bool wattle_walk_torn(const struct wattle_walk *walk);
/* The published generation, where it is @walk's; else that, and @walk is torn. RCU reader. */
u64 wattle_walk_gen(struct wattle_walk *walk);

int wattle_walk_nodes(struct wattle_walk *walk,
		      int (*visit)(const struct wattle_node *node, void *arg), void *arg);
int wattle_walk_identities(struct wattle_walk *walk,
			   int (*visit)(const struct wattle_identity_spec *spec, void *arg),
			   void *arg);
int wattle_walk_endpoints(struct wattle_walk *walk,
			  int (*visit)(const struct wattle_endpoint *ep, void *arg), void *arg);
/* @subject 0: all. */
int wattle_walk_rules(struct wattle_walk *walk, u32 subject,
		      int (*visit)(const struct wattle_rule_spec *spec, const char *origin,
				   const struct wattle_rule_total *total, void *arg), void *arg);
int wattle_walk_services(struct wattle_walk *walk,
			 int (*visit)(const struct wattle_service *service, void *arg),
			 void *arg);
int wattle_walk_egress(struct wattle_walk *walk,
		       int (*visit)(const struct wattle_egress_spec *spec, void *arg), void *arg);
int wattle_walk_ranges(struct wattle_walk *walk,
		       int (*visit)(const struct wattle_prefix *prefix, void *arg), void *arg);

#endif /* WATTLE_CONFIG_H */
