// SPDX-License-Identifier: GPL-2.0-only
/* Configuration: the tables of a device as one thing that changes by transactions. */

#include "config.h"
#include "alloc.h"

/*
 * What died with commits, on its way out. A batch is first unlinked and then freed, a
 * grace period before each; @round is the round of reclaim in which it began to
 * wait, 0 where it does not wait yet.
 */
struct wattle_batch {
	struct list_head list;
	struct list_head chunks;
	unsigned int round;
	bool unlinked;
};

void wattle_config_touch(struct wattle_config *config)
{
	u64 old = READ_ONCE(config->epoch), seen;

	/* Two at once count as two: one may have changed what the other was asked about. */
	while ((seen = cmpxchg(&config->epoch, old, old + 1)) != old)
		old = seen;
}

static void wattle_batch_free(struct wattle_batch *batch)
{
	struct wattle_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &batch->chunks, list) {
		kfree(chunk);
		cond_resched();
	}
	kfree(batch);
}

/* Unlink what is dead to all readers. @slow: give way to others between the chunks. */
static void wattle_batch_unlink(struct wattle_config *config, struct wattle_batch *batch,
				bool slow)
{
	struct wattle_chunk *chunk;

	list_for_each_entry(chunk, &batch->chunks, list) {
		wattle_chunk_unlink(&config->log, chunk);
		if (!slow) {
			cond_resched();
			continue;
		}
		mutex_unlock(&config->lock);
		cond_resched();
		mutex_lock(&config->lock);
	}
	batch->unlinked = true;
	batch->round = 0;
}

/* Free what was unlinked a grace period ago, and the batch. */
static void wattle_batch_reap(struct wattle_config *config, struct wattle_batch *batch)
{
	struct wattle_chunk *chunk;

	list_del(&batch->list);
	list_for_each_entry(chunk, &batch->chunks, list) {
		wattle_chunk_free(&config->log, chunk);
		mutex_unlock(&config->lock);
		cond_resched();
		mutex_lock(&config->lock);
	}
	wattle_batch_free(batch);
}

/*
 * One round: everything that waits moves on by one step. Batches stay in the list while
 * they are unlinked, without the lock now and then: only this worker takes them out.
 */
static void wattle_config_reclaim(struct work_struct *work)
{
	struct wattle_config *config = container_of(work, struct wattle_config, reclaim);
	struct wattle_batch *batch, *next;
	unsigned int round;

	mutex_lock(&config->lock);
	round = ++config->round;
	list_for_each_entry(batch, &config->dead, list)
		batch->round = round;
	mutex_unlock(&config->lock);

	synchronize_rcu();

	mutex_lock(&config->lock);
	list_for_each_entry_safe(batch, next, &config->dead, list) {
		if (batch->round != round)
			continue;
		if (batch->unlinked)
			wattle_batch_reap(config, batch);
		else
			wattle_batch_unlink(config, batch, true);
	}
	if (!list_empty(&config->dead))
		queue_work(config->queue, &config->reclaim);
	mutex_unlock(&config->lock);
}

/* Too many versions of one key are linked: wait, once, for what is dead to be so to all. */
static void wattle_config_settle(struct wattle_log *log)
{
	struct wattle_config *config = container_of(log, struct wattle_config, log);
	struct wattle_batch *batch;

	lockdep_assert_held(&config->lock);

	synchronize_rcu_expedited();
	list_for_each_entry(batch, &config->dead, list) {
		if (!batch->unlinked)
			wattle_batch_unlink(config, batch, false);
	}
}

/*
 * The log goes the way of what is in it. Memory for the batch is there before the change is
 * published: @batch.
 */
static void wattle_config_retire(struct wattle_config *config, struct wattle_batch *batch)
{
	struct wattle_log *log = &config->log;

	batch->unlinked = !log->dels;
	wattle_log_take(log, &batch->chunks);
	list_add_tail(&batch->list, &config->dead);
	queue_work(config->queue, &config->reclaim);
}

static struct wattle_batch *wattle_batch_create(void)
{
	struct wattle_batch *batch = wattle_alloc(sizeof(*batch));

	if (batch) {
		INIT_LIST_HEAD(&batch->list);
		INIT_LIST_HEAD(&batch->chunks);
	}
	return batch;
}

/* Empty a log that was rolled back; nobody can be reading what is unlinked any more. */
static void wattle_config_clear(struct wattle_config *config)
{
	struct wattle_chunk *chunk, *next;
	LIST_HEAD(chunks);

	wattle_log_take(&config->log, &chunks);
	list_for_each_entry_safe(chunk, next, &chunks, list) {
		wattle_chunk_free(&config->log, chunk);
		kfree(chunk);
		cond_resched();
	}
}

/*
 * Take back the open change, whole. Without memory for a batch what was unlinked
 * waits for its grace period here and now.
 */
static void wattle_config_undo(struct wattle_config *config)
{
	struct wattle_batch *batch;

	wattle_log_rollback(&config->log, 0);
	if (config->log.frees) {
		batch = wattle_batch_create();
		if (batch) {
			wattle_config_retire(config, batch);
			return;
		}
		synchronize_rcu_expedited();
	}
	wattle_config_clear(config);
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
	wattle_config_retire(config, batch);
	return 0;
}

/* Enter to make a change; *@mark: where to go back to. The lock is held where this is 0. */
static int wattle_config_enter(struct wattle_config *config, u32 owner, size_t *mark,
			       struct wattle_refusal *why)
{
	mutex_lock(&config->lock);
	if (config->owner && config->owner != owner) {
		mutex_unlock(&config->lock);
		return wattle_refuse(why, -EBUSY, WATTLE_FIELD_NONE,
				     "another transaction is open");
	}
	*mark = config->log.count;
	return 0;
}

/* Leave after a change: outside of a transaction it is one of its own. */
static int wattle_config_leave(struct wattle_config *config, size_t mark, int err,
			       struct wattle_refusal *why)
{
	if (err && config->owner)
		wattle_log_rollback(&config->log, mark);
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
 * -ENOMEM it is not.
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
#define WATTLE_CONFIG_CHANGE(config, owner, why, stage)				\
({										\
	size_t __mark;								\
	int __err = wattle_config_enter(config, owner, &__mark, why);		\
										\
	if (!__err)								\
		__err = wattle_config_leave(config, __mark, stage, why);	\
	__err;									\
})

int wattle_config_node_add(struct wattle_config *config, u32 owner,
			   const struct wattle_node_spec *spec, bool replace,
			   struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_node_add(&config->nodes, &config->log, spec, replace, why));
}

int wattle_config_node_del(struct wattle_config *config, u32 owner, const char *name,
			   struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_node_del(&config->nodes, &config->log, name, why));
}

int wattle_config_identity_add(struct wattle_config *config, u32 owner,
			       const struct wattle_identity_spec *spec, bool replace,
			       struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_identity_add(&config->identities, &config->log, spec, replace, why));
}

int wattle_config_identity_del(struct wattle_config *config, u32 owner,
			       const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_identity_del(&config->identities, &config->log, prefix, why));
}

int wattle_config_endpoint_add(struct wattle_config *config, u32 owner,
			       const struct wattle_endpoint_spec *spec, bool replace,
			       struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_endpoint_add(&config->endpoints, &config->log, spec, replace, why));
}

int wattle_config_endpoint_del(struct wattle_config *config, u32 owner, int ifindex,
			       struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_endpoint_del(&config->endpoints, &config->log, ifindex, why));
}

int wattle_config_rule_add(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, const char *origin, bool replace,
			   struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_rule_add(&config->policies, &config->log, spec, origin, replace, why));
}

int wattle_config_rule_del(struct wattle_config *config, u32 owner,
			   const struct wattle_rule_spec *spec, struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_rule_del(&config->policies, &config->log, spec, why));
}

int wattle_config_rule_flush(struct wattle_config *config, u32 owner, u32 subject,
			     struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_rule_flush(&config->policies, &config->log, subject, why));
}

int wattle_config_service_add(struct wattle_config *config, u32 owner,
			      const struct wattle_service_spec *spec, bool replace,
			      struct wattle_refusal *why)
{
	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_service_add(&config->services, &config->log, spec, replace, why));
}

int wattle_config_service_del(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      struct wattle_refusal *why)
{
	const struct wattle_service_key key = { .addr = *addr, .port = port, .proto = proto };

	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_service_del(&config->services, &config->log, &key, why));
}

int wattle_config_backend_add(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      const struct wattle_backend *backend, bool replace,
			      struct wattle_refusal *why)
{
	const struct wattle_service_key key = { .addr = *addr, .port = port, .proto = proto };

	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_backend_add(&config->services, &config->log, &key, backend, replace,
				   why));
}

int wattle_config_backend_del(struct wattle_config *config, u32 owner,
			      const struct in6_addr *addr, __be16 port, u8 proto,
			      const struct wattle_backend *backend, struct wattle_refusal *why)
{
	const struct wattle_service_key key = { .addr = *addr, .port = port, .proto = proto };

	return WATTLE_CONFIG_CHANGE(config, owner, why,
		wattle_backend_del(&config->services, &config->log, &key, backend, why));
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
	return 0;

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
 *
 * Context: process, may sleep, RTNL may be held.
 * Return: 0 or -ENOMEM, and then there is nothing to exit.
 */
int wattle_config_init(struct wattle_config *config, struct wattle *wattle,
		       const struct wattle_port_ops *ops)
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
 * Context: process, may sleep, RTNL may be held; no readers are left, no writers come.
 */
void wattle_config_exit(struct wattle_config *config)
{
	struct wattle_batch *batch, *next;

	cancel_work_sync(&config->sweep);
	cancel_work_sync(&config->reclaim);

	destroy_workqueue(config->queue);

	mutex_lock(&config->lock);
	wattle_log_rollback(&config->log, 0);
	wattle_config_clear(config);
	list_for_each_entry_safe(batch, next, &config->dead, list) {
		wattle_batch_unlink(config, batch, false);
		wattle_batch_reap(config, batch);
	}
	mutex_unlock(&config->lock);

	wattle_services_exit(&config->services);
	wattle_policies_exit(&config->policies);
	wattle_endpoints_exit(&config->endpoints);
	wattle_identities_exit(&config->identities);
	wattle_nodes_exit(&config->nodes);
	mutex_destroy(&config->lock);
}
