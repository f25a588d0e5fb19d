// SPDX-License-Identifier: GPL-2.0-only
/* The log of a change that is not yet published, and how it is taken back. */

#include "change.h"
#include "alloc.h"

/* A change of one message is small and comes alone; others come by the thousand. */
#define WATTLE_CHUNK_FIRST	12
#define WATTLE_CHUNK_LATER	\
	((PAGE_SIZE - sizeof(struct wattle_chunk)) / sizeof(struct wattle_change))

int wattle_refuse_at(struct wattle_refusal *why, int err, enum wattle_field field,
		     unsigned int index, const char *message)
{
	if (why) {
		why->message = message;
		why->field = field;
		why->index = index;
	}
	return err;
}

int wattle_refuse(struct wattle_refusal *why, int err, enum wattle_field field,
		  const char *message)
{
	return wattle_refuse_at(why, err, field, 0, message);
}

int wattle_refuse_nomem(struct wattle_refusal *why)
{
	return wattle_refuse(why, -ENOMEM, WATTLE_FIELD_NONE, "out of memory");
}

int wattle_prefix_check(const struct wattle_prefix *prefix, enum wattle_field field,
			unsigned int index, struct wattle_refusal *why)
{
	struct in6_addr masked;

	if (prefix->len > 128)
		return wattle_refuse_at(why, -EINVAL, field, index, "prefix length is too long");
	ipv6_addr_prefix(&masked, &prefix->addr, prefix->len);
	if (!ipv6_addr_equal(&masked, &prefix->addr))
		return wattle_refuse_at(why, -EINVAL, field, index, "prefix has host bits set");
	return 0;
}

bool wattle_addr_is_host(const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr)) {
		__be32 v4 = wattle_addr_v4(addr);

		return v4 && !ipv4_is_multicast(v4) && !ipv4_is_lbcast(v4) &&
		       !ipv4_is_loopback(v4);
	}
	return !ipv6_addr_any(addr) && !ipv6_addr_is_multicast(addr) &&
	       !ipv6_addr_loopback(addr);
}

void wattle_log_init(struct wattle_log *log, struct mutex *lock)
{
	memset(log, 0, sizeof(*log));
	log->lock = lock;
	INIT_LIST_HEAD(&log->chunks);
}

void wattle_log_kind(struct wattle_log *log, enum wattle_kind kind,
		     const struct wattle_kind_ops *ops, void *table)
{
	log->kinds[kind].ops = ops;
	log->kinds[kind].table = table;
}

static struct wattle_chunk *wattle_log_tail(struct wattle_log *log)
{
	return list_empty(&log->chunks) ? NULL :
	       list_last_entry(&log->chunks, struct wattle_chunk, list);
}

int wattle_log_reserve(struct wattle_log *log)
{
	struct wattle_chunk *tail = wattle_log_tail(log), *chunk;
	unsigned int size = tail ? WATTLE_CHUNK_LATER : WATTLE_CHUNK_FIRST;

	lockdep_assert_held(log->lock);

	if (tail && tail->size - tail->used >= WATTLE_LOG_SPARE)
		return 0;
	chunk = wattle_alloc(struct_size(chunk, changes, size));
	if (!chunk)
		return -ENOMEM;
	chunk->first = log->count;
	chunk->size = size;
	list_add_tail(&chunk->list, &log->chunks);
	return 0;
}

void wattle_log_push(struct wattle_log *log, enum wattle_op op, enum wattle_kind kind,
		     void *object)
{
	struct wattle_chunk *tail = wattle_log_tail(log);

	lockdep_assert_held(log->lock);

	if (WARN_ON_ONCE(!tail || tail->used == tail->size))
		return;
	tail->changes[tail->used++] = (struct wattle_change){
		.object = object, .kind = kind, .op = op,
	};
	log->count++;
	log->dels += op == WATTLE_OP_DEL;
	log->frees += op == WATTLE_OP_FREE;
}

/*
 * Entries stay in the log when they are taken back: what was linked has to
 * wait there for a grace period.
 */
static void wattle_log_undo(struct wattle_log *log, struct wattle_change *change)
{
	const struct wattle_kind_ops *ops = log->kinds[change->kind].ops;
	void *table = log->kinds[change->kind].table;

	switch (change->op) {
	case WATTLE_OP_ADD:
		ops->withdraw(table, change->object);
		change->op = WATTLE_OP_FREE;
		log->frees++;
		break;
	case WATTLE_OP_DEL:
		ops->revive(table, change->object);
		change->op = WATTLE_OP_NONE;
		log->dels--;
		break;
	}
}

void wattle_log_rollback(struct wattle_log *log, size_t mark)
{
	struct wattle_chunk *chunk;
	unsigned int i;

	lockdep_assert_held(log->lock);

	list_for_each_entry_reverse(chunk, &log->chunks, list) {
		for (i = chunk->used; i-- > 0; ) {
			if (chunk->first + i < mark)
				return;
			wattle_log_undo(log, &chunk->changes[i]);
		}
		cond_resched();
	}
}

void wattle_log_bury(struct wattle_log *log)
{
	const struct wattle_kind_ops *ops;
	struct wattle_change *change;
	struct wattle_chunk *chunk;
	unsigned int i;

	lockdep_assert_held(log->lock);

	if (!log->stillborn)
		return;
	list_for_each_entry(chunk, &log->chunks, list) {
		for (i = 0; i < chunk->used; i++) {
			change = &chunk->changes[i];
			ops = log->kinds[change->kind].ops;
			if (change->op != WATTLE_OP_ADD || !ops->stillborn ||
			    !ops->stillborn(change->object))
				continue;
			change->op = WATTLE_OP_DEL;
			log->dels++;
		}
		cond_resched();
	}
}

void wattle_log_take(struct wattle_log *log, struct list_head *chunks)
{
	lockdep_assert_held(log->lock);

	list_splice_tail_init(&log->chunks, chunks);
	log->count = 0;
	log->dels = 0;
	log->frees = 0;
	log->stillborn = false;
}

void wattle_chunk_unlink(struct wattle_log *log, struct wattle_chunk *chunk)
{
	struct wattle_change *change;
	unsigned int i;

	lockdep_assert_held(log->lock);

	for (i = 0; i < chunk->used; i++) {
		change = &chunk->changes[i];
		if (change->op != WATTLE_OP_DEL)
			continue;
		log->kinds[change->kind].ops->unlink(log->kinds[change->kind].table,
						     change->object);
		change->op = WATTLE_OP_FREE;
	}
}

void wattle_chunk_free(struct wattle_log *log, struct wattle_chunk *chunk)
{
	struct wattle_change *change;
	unsigned int i;

	lockdep_assert_held(log->lock);

	for (i = 0; i < chunk->used; i++) {
		change = &chunk->changes[i];
		if (change->op != WATTLE_OP_FREE)
			continue;
		log->kinds[change->kind].ops->free(log->kinds[change->kind].table,
						   change->object);
		change->op = WATTLE_OP_NONE;
	}
}
