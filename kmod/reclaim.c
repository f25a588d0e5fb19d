// SPDX-License-Identifier: GPL-2.0-only
/* The way out of what died: unlinked after a grace period, freed after another. */

#include "config_private.h"
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
void wattle_config_reclaim(struct work_struct *work)
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
	if (!list_empty(&config->services.gone))
		wattle_config_cut_later(config);
	mutex_unlock(&config->lock);
}

/* Too many versions of one key are linked: wait, once, for what is dead to be so to all. */
void wattle_config_settle(struct wattle_log *log)
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
void wattle_config_retire(struct wattle_config *config, struct wattle_batch *batch)
{
	struct wattle_log *log = &config->log;

	batch->unlinked = !log->dels;
	wattle_log_take(log, &batch->chunks);
	list_add_tail(&batch->list, &config->dead);
	queue_work(config->queue, &config->reclaim);
}

struct wattle_batch *wattle_batch_create(void)
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
void wattle_config_undo(struct wattle_config *config)
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

/* Free the open change and all that waits. Nobody reads any more, and no worker runs. */
void wattle_config_drain(struct wattle_config *config)
{
	struct wattle_batch *batch, *next;

	mutex_lock(&config->lock);
	wattle_log_rollback(&config->log, 0);
	wattle_config_clear(config);
	list_for_each_entry_safe(batch, next, &config->dead, list) {
		wattle_batch_unlink(config, batch, false);
		wattle_batch_reap(config, batch);
	}
	mutex_unlock(&config->lock);
}
