// SPDX-License-Identifier: GPL-2.0-only
/* Configuration: the tables of a device as one thing that changes by transactions. */

#include "config_private.h"
#include "alloc.h"

void wattle_config_touch(struct wattle_config *config)
{
	u64 old = READ_ONCE(config->epoch), seen;

	/* Two at once count as two: one may have changed what the other was asked about. */
	while ((seen = cmpxchg(&config->epoch, old, old + 1)) != old)
		old = seen;
}

/* Does the log hold anything that readers are to see? */
static bool wattle_config_changed(const struct wattle_config *config)
{
	const struct wattle_chunk *chunk;
	unsigned int i;

	list_for_each_entry(chunk, &config->log.chunks, list) {
		for (i = 0; i < chunk->used; i++) {
			if (chunk->changes[i].op == WATTLE_OP_ADD ||
			    chunk->changes[i].op == WATTLE_OP_DEL)
				return true;
		}
	}
	return false;
}

/* Publish the open change, or take it back. */
static int wattle_config_publish(struct wattle_config *config, struct wattle_refusal *why)
{
	struct wattle_log *log = &config->log;
	struct wattle_batch *batch;

	if (!wattle_config_changed(config)) {
		wattle_config_undo(config);
		return 0;
	}
	if (log->next >= WATTLE_PACKED_LAST) {
		wattle_config_undo(config);
		return wattle_refuse(why, -ENOSPC, WATTLE_FIELD_NONE,
				     "no generations are left: make the device anew");
	}
	batch = wattle_batch_create();
	if (!batch || wattle_services_prepare(&config->services, log)) {
		kfree(batch);
		wattle_config_undo(config);
		return wattle_refuse_nomem(why);
	}
	wattle_log_bury(log);
	/* Pairs with wattle_generation(): who reads it sees all that it publishes. */
	smp_store_release(&config->gen, log->next);
	log->next++;
	wattle_config_touch(config);
	wattle_services_published(&config->services);
	if (config->services.passed)
		wattle_config_cut_later(config);
	wattle_config_retire(config, batch);
	return 0;
}

/* What is common to both ways to enter; the lock is held, and given back on error. */
static int wattle_config_entered(struct wattle_config *config, u32 owner,
				 struct wattle_refusal *why)
{
	if (config->owner && config->owner != owner) {
		mutex_unlock(&config->lock);
		return wattle_refuse(why, -EBUSY, WATTLE_FIELD_NONE,
				     "another transaction is open");
	}
	config->mark = config->log.count;
	return 0;
}

/* Enter to make a change. The lock is held where this is 0. */
static int wattle_config_enter(struct wattle_config *config, u32 owner,
			       struct wattle_refusal *why)
{
	mutex_lock(&config->lock);
	return wattle_config_entered(config, owner, why);
}

/* Leave after a change, staged with @err: outside of a transaction it is one of its own. */
static int wattle_config_leave(struct wattle_config *config, int err,
			       struct wattle_refusal *why)
{
	if (err && config->owner)
		wattle_log_rollback(&config->log, config->mark);
	else if (err)
		wattle_config_undo(config);
	else if (!config->owner)
		err = wattle_config_publish(config, why);
	mutex_unlock(&config->lock);
	return err;
}

/* An endpoint may have lost its device while a transaction was open. */
static void wattle_config_close(struct wattle_config *config)
{
	config->owner = 0;
	queue_work(config->queue, &config->sweep);
}

/**
 * wattle_config_begin() - open a transaction
 * @config: tables
 * @owner: netlink port that it belongs to
 * @why: why not
 *
 * Context: process, may sleep.
 * Return: 0 or -EBUSY.
 */
int wattle_config_begin(struct wattle_config *config, u32 owner, struct wattle_refusal *why)
{
	int err = 0;

	mutex_lock(&config->lock);
	if (config->owner)
		err = wattle_refuse(why, -EBUSY, WATTLE_FIELD_NONE,
				    config->owner == owner ?
				    "this socket has a transaction open already" :
				    "another transaction is open");
	else
		config->owner = owner;
	mutex_unlock(&config->lock);
	return err;
}

static int wattle_config_check_owner(const struct wattle_config *config, u32 owner,
				     struct wattle_refusal *why)
{
	if (owner && config->owner == owner)
		return 0;
	return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NONE,
			     "this socket has no transaction open");
}

/**
 * wattle_config_commit() - publish a transaction
 * @config: tables
 * @owner: netlink port that it belongs to
 * @expect: generation that it has to be made from, or NULL
 * @why: why not
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; after -EAGAIN the transaction is still open, after
 * -ENOMEM and -ENOSPC it is not.
 */
int wattle_config_commit(struct wattle_config *config, u32 owner, const u64 *expect,
			 struct wattle_refusal *why)
{
	int err;

	mutex_lock(&config->lock);
	err = wattle_config_check_owner(config, owner, why);
	if (err)
		goto out;
	if (expect && *expect != config->gen) {
		err = wattle_refuse(why, -EAGAIN, WATTLE_FIELD_GENERATION,
				    "tables have changed since that generation");
		goto out;
	}
	err = wattle_config_publish(config, why);
	wattle_config_close(config);
out:
	mutex_unlock(&config->lock);
	return err;
}

/**
 * wattle_config_abort() - take back a transaction
 * @config: tables
 * @owner: netlink port that it belongs to
 * @why: why not
 *
 * Context: process, may sleep.
 * Return: 0 or -EINVAL: it has none open.
 */
int wattle_config_abort(struct wattle_config *config, u32 owner, struct wattle_refusal *why)
{
	int err;

	mutex_lock(&config->lock);
	err = wattle_config_check_owner(config, owner, why);
	if (!err) {
		wattle_config_undo(config);
		wattle_config_close(config);
	}
	mutex_unlock(&config->lock);
	return err;
}

/**
 * wattle_config_release() - a socket was closed: abort what it has open, if anything
 * @config: tables
 * @owner: its netlink port
 *
 * Context: process, may sleep.
 */
void wattle_config_release(struct wattle_config *config, u32 owner)
{
	wattle_config_abort(config, owner, NULL);
}

/* Every change has the same frame: enter, stage, leave. */
int wattle_config_node_add(struct wattle_config *config, u32 owner,
			   const struct wattle_node_spec *spec, bool replace,
			   struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_node_add(&config->nodes, &config->log, spec, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_node_del(struct wattle_config *config, u32 owner, const char *name,
			   struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_node_del(&config->nodes, &config->log, name, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_identity_add(struct wattle_config *config, u32 owner,
			       const struct wattle_identity_spec *spec, bool replace,
			       struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_identity_add(&config->identities, &config->log, spec, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_identity_del(struct wattle_config *config, u32 owner,
			       const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_identity_del(&config->identities, &config->log, prefix, why);
	return wattle_config_leave(config, err, why);
}

/* With RTNL held nobody waits for a change that takes long: all of the machine would. */
int wattle_config_endpoint_add(struct wattle_config *config, u32 owner,
			       const struct wattle_endpoint_spec *spec, bool replace,
			       struct wattle_refusal *why)
{
	int err;

	if (!mutex_trylock(&config->lock))
		return -ERESTART;
	err = wattle_config_entered(config, owner, why);
	if (err)
		return err;
	err = wattle_endpoint_add(&config->endpoints, &config->log, spec, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_endpoint_del(struct wattle_config *config, u32 owner, int ifindex,
			       struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_endpoint_del(&config->endpoints, &config->log, ifindex, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_rule_add(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, const char *origin, bool replace,
			   struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_rule_add(&config->policies, &config->log, spec, origin, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_rule_del(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_rule_del(&config->policies, &config->log, spec, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_rule_flush(struct wattle_config *config, u32 owner, u32 subject,
			     struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_rule_flush(&config->policies, &config->log, subject, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_service_add(struct wattle_config *config, u32 owner,
			      const struct wattle_service_spec *spec, bool replace,
			      struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_service_add(&config->services, &config->log, spec, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_service_del(struct wattle_config *config, u32 owner,
			      const struct wattle_service_key *key,
			      struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_service_del(&config->services, &config->log, key, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_backend_add(struct wattle_config *config, u32 owner,
			      const struct wattle_service_key *key,
			      const struct wattle_backend *backend, bool replace,
			      struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_backend_add(&config->services, &config->log, key, backend, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_backend_del(struct wattle_config *config, u32 owner,
			      const struct wattle_service_key *key,
			      const struct wattle_backend *backend, struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_backend_del(&config->services, &config->log, key, backend, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_egress_add(struct wattle_config *config, u32 owner,
			     const struct wattle_egress_spec *spec, bool replace,
			     struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_egress_add(&config->egress, &config->log, spec, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_egress_del(struct wattle_config *config, u32 owner,
			     const struct wattle_egress_from *from,
			     const struct wattle_prefix *to, struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_egress_del(&config->egress, &config->log, from, to, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_range_add(struct wattle_config *config, u32 owner,
			    const struct wattle_prefix *prefix, bool replace,
			    struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_range_add(&config->ranges, &config->log, prefix, replace, why);
	return wattle_config_leave(config, err, why);
}

int wattle_config_range_del(struct wattle_config *config, u32 owner,
			    const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	int err;

	err = wattle_config_enter(config, owner, why);
	if (err)
		return err;
	err = wattle_range_del(&config->ranges, &config->log, prefix, why);
	return wattle_config_leave(config, err, why);
}

/* Endpoints without a device go as a change of its own, when nobody else makes one. */
static void wattle_config_sweep(struct work_struct *work)
{
	struct wattle_config *config = container_of(work, struct wattle_config, sweep);
	int err;

	mutex_lock(&config->lock);
	if (config->owner)
		goto out;	/* wattle_config_close() comes back to it */
	err = wattle_endpoint_sweep(&config->endpoints, &config->log);
	if (err)
		wattle_config_undo(config);
	else
		wattle_config_publish(config, NULL);
out:
	mutex_unlock(&config->lock);
}

/**
 * wattle_config_device_gone() - a device is unregistered or leaves the namespace
 * @config: tables
 * @dev: the device
 *
 * Context: RTNL.
 */
void wattle_config_device_gone(struct wattle_config *config, struct net_device *dev)
{
	if (!wattle_endpoint_device_gone(&config->endpoints, dev))
		return;
	wattle_config_touch(config);
	queue_work(config->queue, &config->sweep);
}

/**
 * wattle_config_wait() - wait for the change that is being made
 * @config: tables
 *
 * Context: process, may sleep, without RTNL.
 */
void wattle_config_wait(struct wattle_config *config)
{
	mutex_lock(&config->lock);
	mutex_unlock(&config->lock);
}

/* A change of many services, or many changes of one, end as one walk over all connections. */
#define WATTLE_CUT_DELAY	(HZ / 5)

void wattle_config_cut_later(struct wattle_config *config)
{
	queue_delayed_work(config->queue, &config->cut, WATTLE_CUT_DELAY);
}

static int wattle_config_init_tables(struct wattle_config *config, struct wattle *wattle,
				     const struct wattle_port_ops *ops)
{
	int err;

	err = wattle_nodes_init(&config->nodes, &config->log);
	if (err)
		return err;
	err = wattle_identities_init(&config->identities, &config->log);
	if (err)
		goto err_nodes;
	err = wattle_endpoints_init(&config->endpoints, &config->log, wattle, ops);
	if (err)
		goto err_identities;
	err = wattle_policies_init(&config->policies, &config->log);
	if (err)
		goto err_endpoints;
	err = wattle_services_init(&config->services, &config->log);
	if (err)
		goto err_policies;
	err = wattle_egress_init(&config->egress, &config->log);
	if (err)
		goto err_services;
	wattle_ranges_init(&config->ranges, &config->log);
	return 0;

err_services:
	wattle_services_exit(&config->services);
err_policies:
	wattle_policies_exit(&config->policies);
err_endpoints:
	wattle_endpoints_exit(&config->endpoints);
err_identities:
	wattle_identities_exit(&config->identities);
err_nodes:
	wattle_nodes_exit(&config->nodes);
	return err;
}

/**
 * wattle_config_init() - make empty tables
 * @config: tables
 * @wattle: their device
 * @ops: what makes ports work
 * @cut: what struct wattle_config.cut does
 *
 * Context: process, may sleep, RTNL may be held.
 * Return: 0 or -ENOMEM, and then there is nothing to exit.
 */
int wattle_config_init(struct wattle_config *config, struct wattle *wattle,
		       const struct wattle_port_ops *ops, work_func_t cut)
{
	int err;

	config->gen = 1;
	config->epoch = 1;
	config->owner = 0;
	config->round = 0;
	mutex_init(&config->lock);
	INIT_LIST_HEAD(&config->dead);
	INIT_WORK(&config->reclaim, wattle_config_reclaim);
	INIT_WORK(&config->sweep, wattle_config_sweep);
	INIT_DELAYED_WORK(&config->cut, cut);
	wattle_log_init(&config->log, &config->lock);
	config->log.next = config->gen + 1;
	config->log.settle = wattle_config_settle;

	config->queue = alloc_workqueue("wattle", WQ_UNBOUND, 0);
	if (!config->queue)
		return -ENOMEM;
	err = wattle_config_init_tables(config, wattle, ops);
	if (err)
		destroy_workqueue(config->queue);
	return err;
}

/**
 * wattle_config_exit() - free everything, open changes included
 * @config: tables
 *
 * Context: process, may sleep, RTNL may be held; no reader and no writer comes any more.
 * When it returns, those that were on their way have been waited for.
 */
void wattle_config_exit(struct wattle_config *config)
{
	/* Hooks of ports look at tables until here. */
	wattle_endpoints_detach(&config->endpoints);
	synchronize_net();
	cancel_work_sync(&config->sweep);
	cancel_work_sync(&config->reclaim);
	cancel_delayed_work_sync(&config->cut);
	destroy_workqueue(config->queue);
	wattle_config_drain(config);

	wattle_ranges_exit(&config->ranges);
	wattle_egress_exit(&config->egress);
	wattle_services_exit(&config->services);
	wattle_policies_exit(&config->policies);
	wattle_endpoints_exit(&config->endpoints);
	wattle_identities_exit(&config->identities);
	wattle_nodes_exit(&config->nodes);
	mutex_destroy(&config->lock);
}
