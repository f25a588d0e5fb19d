/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a change that is not yet published, and how it is taken back.
 *
 * A table logs each entry that it links or marks dead. The log can then be rolled
 * back, whole or to a mark, in the reverse order: what was linked is unlinked, what
 * was marked is revived. Nothing of that needs memory, so it cannot fail.
 */
#ifndef WATTLE_CHANGE_H
#define WATTLE_CHANGE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include "types.h"

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
	WATTLE_FIELD_SCOPE,
	WATTLE_FIELD_EMPTY,
	WATTLE_FIELD_SOURCE,
	WATTLE_FIELD_SOURCE_POLICY,
	WATTLE_FIELD_DSR,
	WATTLE_FIELD_AFFINITY_ADDR,
	WATTLE_FIELD_GENERATION,
};

/* Why a change was refused: a whole sentence for a person, and where. */
struct wattle_refusal {
	const char *message;
	enum wattle_field field;
	unsigned int index;	/* which of several (CIDR, IP) */
};

/* Fill in @why, which may be NULL; returns @err. */
int wattle_refuse_at(struct wattle_refusal *why, int err, enum wattle_field field,
		     unsigned int index, const char *message);
int wattle_refuse(struct wattle_refusal *why, int err, enum wattle_field field,
		  const char *message);
int wattle_refuse_nomem(struct wattle_refusal *why);

/*
 * Host bits of a prefix have to be zero, and an IPv4 one (mapped) has to keep the
 * mapping: 96 bits or more.
 */
int wattle_prefix_check(const struct wattle_prefix *prefix, enum wattle_field field,
			unsigned int index, struct wattle_refusal *why);

/* An address that one host can have. */
bool wattle_addr_is_host(const struct in6_addr *addr);

/*
 * Lives of the small and many: a generation in the upper 40 bits of a word, 24
 * bits for anything else below it. config.c stops at WATTLE_PACKED_LAST.
 */
#define WATTLE_PACKED_SHIFT	24
#define WATTLE_PACKED_MASK	((1ULL << WATTLE_PACKED_SHIFT) - 1)
#define WATTLE_PACKED_FOREVER	((1ULL << (64 - WATTLE_PACKED_SHIFT)) - 1)
#define WATTLE_PACKED_LAST	(WATTLE_PACKED_FOREVER - 1)

static inline u64 wattle_pack(u64 gen, u32 payload)
{
	return gen << WATTLE_PACKED_SHIFT | payload;
}

static inline u64 wattle_packed_gen(const u64 *word)
{
	return READ_ONCE(*word) >> WATTLE_PACKED_SHIFT;
}

static inline u32 wattle_packed_payload(const u64 *word)
{
	return READ_ONCE(*word) & WATTLE_PACKED_MASK;
}

static inline bool wattle_packed_alive(const u64 *born, const u64 *died, u64 gen)
{
	return wattle_packed_gen(born) <= gen && gen < wattle_packed_gen(died);
}

static inline void wattle_packed_set(u64 *word, u64 gen)
{
	WRITE_ONCE(*word, wattle_pack(gen, *word & WATTLE_PACKED_MASK));
}

/* What a change is about. */
enum wattle_kind {
	WATTLE_KIND_NODE,
	WATTLE_KIND_HOST,	/* identity of one address */
	WATTLE_KIND_NET,	/* identity of any other prefix */
	WATTLE_KIND_ENDPOINT,
	WATTLE_KIND_SUBJECT,	/* a direction that is enforced */
	WATTLE_KIND_RULE,
	WATTLE_KIND_FRONT,	/* an address that has services */
	WATTLE_KIND_SERVICE,
	WATTLE_KIND_EGRESS,
	WATTLE_KIND_RANGE,
	WATTLE_KIND_COUNT,
};

enum wattle_op {
	WATTLE_OP_NONE,		/* taken back, or done with */
	WATTLE_OP_ADD,		/* linked, born at the next generation */
	WATTLE_OP_DEL,		/* dies at the next generation */
	WATTLE_OP_FREE,		/* unlinked, readers may be walking past */
};

/**
 * struct wattle_kind_ops - what the log does to the entries of a table
 * @withdraw: unlink an entry that was added; nobody has seen it
 * @revive: let an entry live on that was marked to die
 * @unlink: unlink an entry that is dead to every reader
 * @free: free an entry, a grace period after it was unlinked
 * @stillborn: NULL, or: was an entry that was added deleted again, without a trace in
 *	the log? Asked when the log says that there are such
 *
 * None may fail or need memory. Context: writer, config lock held.
 */
struct wattle_kind_ops {
	void (*withdraw)(void *table, void *object);
	void (*revive)(void *table, void *object);
	void (*unlink)(void *table, void *object);
	void (*free)(void *table, void *object);
	bool (*stillborn)(const void *object);
};

struct wattle_change {
	void *object;
	u8 kind;
	u8 op;
};

struct wattle_chunk {
	struct list_head list;
	size_t first;		/* number of changes in the chunks before */
	unsigned int used;
	unsigned int size;
	struct wattle_change changes[];
};

/**
 * struct wattle_log - a change that is being made
 * @lock: the one writer holds it
 * @next: generation that the change will be published at
 * @chunks: of changes, oldest first
 * @count: changes logged
 * @dels: of them, entries that die
 * @frees: of them, entries that are unlinked already and wait to be freed
 * @stillborn: there may be entries that were added and deleted without a trace
 * @kinds: tables that take part
 * @settle: unlinks now what died with earlier changes, or NULL; sleeps
 */
struct wattle_log {
	struct mutex *lock;		/* the one writer holds it */
	u64 next;
	struct list_head chunks;
	size_t count;
	size_t dels;
	size_t frees;
	bool stillborn;
	struct {
		const struct wattle_kind_ops *ops;
		void *table;
	} kinds[WATTLE_KIND_COUNT];
	void (*settle)(struct wattle_log *log);
};

void wattle_log_init(struct wattle_log *log, struct mutex *lock);
void wattle_log_kind(struct wattle_log *log, enum wattle_kind kind,
		     const struct wattle_kind_ops *ops, void *table);

/* Make sure that the next WATTLE_LOG_SPARE changes can be logged. 0 or -ENOMEM. */
#define WATTLE_LOG_SPARE	4
int wattle_log_reserve(struct wattle_log *log);
void wattle_log_push(struct wattle_log *log, enum wattle_op op, enum wattle_kind kind,
		     void *object);

/* Take back all that was logged since @mark, a former @count. */
void wattle_log_rollback(struct wattle_log *log, size_t mark);

/* The change is published: have the stillborn die as well. */
void wattle_log_bury(struct wattle_log *log);

/* Move all chunks to @chunks and begin anew. */
void wattle_log_take(struct wattle_log *log, struct list_head *chunks);

/* Unlink what one chunk says has died; free what one chunk says is unlinked. */
void wattle_chunk_unlink(struct wattle_log *log, struct wattle_chunk *chunk);
void wattle_chunk_free(struct wattle_log *log, struct wattle_chunk *chunk);

#endif /* WATTLE_CHANGE_H */
