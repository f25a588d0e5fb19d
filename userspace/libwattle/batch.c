// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many requests as one change.
 *
 * They go out many to a datagram. The kernel works through a datagram before
 * sendmsg() returns, and says of a request only that it was refused; the last
 * one of a datagram is acknowledged in any case, which tells that all are through.
 * A batch that streams sends a datagram as soon as it is full: the messages of a big
 * change would not all fit in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define WATTLE_CHUNK_BYTES	(64 * 1024)
#define WATTLE_CHUNK_COUNT	1024

/**
 * struct wattle_batch - requests, one after the other
 * @data: the messages, aligned
 * @offset: where each begins
 * @tag: the caller's name for each
 * @count: of those that are kept
 * @total: those that have been sent, too
 * @streams: what fills a datagram is sent, or, without @sock, forgotten
 * @open: the transaction has begun
 * @fn: is told of those that are refused, until it has had enough
 * @err: why nothing can be sent any more
 */
struct wattle_batch {
	char *data;
	size_t len;
	size_t size;
	size_t *offset;
	unsigned int *tag;
	size_t count;
	size_t room;
	size_t total;
	bool streams;
	bool open;
	bool refused;
	bool enough;
	struct wattle_sock *sock;
	wattle_refused_fn *fn;
	void *arg;
	int code;
	struct wattle_error err;
};

struct wattle_batch *wattle_batch_create(void)
{
	return calloc(1, sizeof(struct wattle_batch));
}

size_t wattle_batch_count(const struct wattle_batch *batch)
{
	return batch->total;
}

/* Grow an array to twice @room elements of @size. */
static int wattle_grow(void *array, size_t room, size_t size)
{
	void **p = array, *bigger = realloc(*p, room * size);

	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	return 0;
}

static struct nlmsghdr *wattle_batch_at(struct wattle_batch *batch, size_t i)
{
	return (struct nlmsghdr *)(batch->data + batch->offset[i]);
}

/* A chunk in flight: requests @first to @end. */
struct wattle_chunk {
	struct wattle_batch *batch;
	size_t first;
	size_t end;
};

static size_t wattle_chunk_end(const struct wattle_batch *batch, size_t first)
{
	size_t i = first + 1;

	while (i < batch->count && i - first < WATTLE_CHUNK_COUNT &&
	       (i + 1 < batch->count ? batch->offset[i + 1] : batch->len) - batch->offset[first] <=
	       WATTLE_CHUNK_BYTES)
		i++;
	return i;
}

/* True where this says that the whole chunk is through. */
static bool wattle_chunk_answer(struct wattle_chunk *chunk, const struct nlmsghdr *nlh)
{
	struct wattle_batch *batch = chunk->batch;
	uint32_t base = wattle_batch_at(batch, chunk->first)->nlmsg_seq;
	uint32_t i = nlh->nlmsg_seq - base;
	struct wattle_error why;

	if (nlh->nlmsg_type != NLMSG_ERROR || i >= chunk->end - chunk->first)
		return false;
	i += chunk->first;
	if (wattle_error_parse(&why, nlh, wattle_batch_at(batch, i))) {
		batch->refused = true;
		if (!batch->enough)
			batch->enough = batch->fn(batch->tag[i], &why, batch->arg);
	}
	return i == chunk->end - 1;
}

static int wattle_chunk_send(struct wattle_chunk *chunk)
{
	struct wattle_batch *batch = chunk->batch;
	struct wattle_sock *sock = batch->sock;
	size_t i, len, start = batch->offset[chunk->first];
	struct nlmsghdr *nlh;
	bool through = false;
	int code;

	for (i = chunk->first; i < chunk->end; i++)
		wattle_msg_finish(sock, wattle_batch_at(batch, i));
	wattle_batch_at(batch, chunk->end - 1)->nlmsg_flags |= NLM_F_ACK;
	len = (chunk->end < batch->count ? batch->offset[chunk->end] : batch->len) - start;
	code = wattle_send(sock, batch->data + start, len);
	if (code)
		return wattle_error_set(&batch->err, -code, "netlink: %s", strerror(-code));
	while (!through) {
		code = wattle_recv(sock, 0);
		if (code < 0)
			return wattle_error_set(&batch->err, -code, "netlink: %s",
						strerror(-code));
		for (nlh = (void *)sock->buf; NLMSG_OK(nlh, (unsigned int)code);
		     nlh = NLMSG_NEXT(nlh, code))
			through |= wattle_chunk_answer(chunk, nlh);
	}
	return 0;
}

static int wattle_txn(struct wattle_sock *sock, uint8_t cmd, const uint64_t *generation,
		      struct wattle_error *err)
{
	struct nl_msg *msg = nlmsg_alloc();
	int code = 0;

	if (!msg)
		return wattle_error_set(err, ENOMEM, "out of memory");
	wattle_msg_begin(msg, cmd, 0);
	if (generation)
		code = nla_put_u64(msg, WATTLE_A_INFO_GENERATION, *generation);
	if (!code)
		code = wattle_call(sock, msg, NULL, NULL, err);
	nlmsg_free(msg);
	return code;
}

/* Send what is kept; without a socket it is forgotten. */
static void wattle_batch_flush(struct wattle_batch *batch)
{
	struct wattle_chunk chunk = { .batch = batch };

	if (batch->sock && batch->count && !batch->code && !batch->open) {
		batch->code = wattle_txn(batch->sock, WATTLE_CMD_TXN_BEGIN, NULL, &batch->err);
		batch->open = !batch->code;
	}
	while (batch->open && !batch->code && !batch->refused && chunk.first < batch->count) {
		chunk.end = wattle_chunk_end(batch, chunk.first);
		batch->code = wattle_chunk_send(&chunk);
		chunk.first = chunk.end;
	}
	batch->count = 0;
	batch->len = 0;
}

static void wattle_batch_abort(struct wattle_batch *batch)
{
	if (batch->open)
		wattle_txn(batch->sock, WATTLE_CMD_TXN_ABORT, NULL, NULL);
	batch->open = false;
}

void wattle_batch_destroy(struct wattle_batch *batch)
{
	if (!batch)
		return;
	wattle_batch_abort(batch);
	free(batch->data);
	free(batch->offset);
	free(batch->tag);
	free(batch);
}

void wattle_batch_stream(struct wattle_batch *batch, struct wattle_sock *sock,
			 wattle_refused_fn *fn, void *arg)
{
	batch->streams = true;
	batch->sock = sock;
	batch->fn = fn;
	batch->arg = arg;
}

int wattle_batch_add(struct wattle_batch *batch, struct nl_msg *msg, unsigned int tag)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);
	size_t len = NLMSG_ALIGN(nlh->nlmsg_len);

	if (batch->streams && (batch->count == WATTLE_CHUNK_COUNT ||
			       batch->len + len > WATTLE_CHUNK_BYTES))
		wattle_batch_flush(batch);
	if (batch->count == batch->room) {
		size_t room = batch->room ? batch->room * 2 : 256;

		if (wattle_grow(&batch->offset, room, sizeof(*batch->offset)) ||
		    wattle_grow(&batch->tag, room, sizeof(*batch->tag)))
			return -ENOMEM;
		batch->room = room;
	}
	if (batch->len + len > batch->size) {
		size_t size = (batch->size + len) * 2;

		if (wattle_grow(&batch->data, size, 1))
			return -ENOMEM;
		batch->size = size;
	}
	memset(batch->data + batch->len, 0, len);
	memcpy(batch->data + batch->len, nlh, nlh->nlmsg_len);
	batch->offset[batch->count] = batch->len;
	batch->tag[batch->count++] = tag;
	batch->len += len;
	batch->total++;
	return 0;
}

int wattle_batch_finish(struct wattle_batch *batch, const uint64_t *generation,
			struct wattle_error *err)
{
	int code;

	wattle_batch_flush(batch);
	code = batch->code ? batch->code : batch->refused ? -ECANCELED : 0;
	if (batch->open && !code) {
		code = wattle_txn(batch->sock, WATTLE_CMD_TXN_COMMIT, generation, err);
		/* After that it is still open. */
		batch->open = code == -EAGAIN;
	} else if (batch->code && err) {
		*err = batch->err;
	}
	wattle_batch_abort(batch);
	return code;
}

int wattle_batch_commit(struct wattle_sock *sock, struct wattle_batch *batch,
			wattle_refused_fn *fn, void *arg, struct wattle_error *err)
{
	batch->sock = sock;
	batch->fn = fn;
	batch->arg = arg;
	return wattle_batch_finish(batch, NULL, err);
}
