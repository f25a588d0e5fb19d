// SPDX-License-Identifier: GPL-2.0-only
/*
 * commit TIMES: adds ten identities as one change, and takes them out again, so often.
 * Prints the nanoseconds that the quickest of the additions took, from the first request
 * to the answer to the commit.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libwattle/wattle.h"

#define CHANGES	10

static int refused(unsigned int tag, const struct wattle_error *why, void *arg)
{
	(void)arg;
	errx(1, "request %u: %s", tag, why->text);
}

static struct wattle_batch *make(enum wattle_how how)
{
	struct wattle_batch *batch = wattle_batch_create();
	struct nl_msg *msg = wattle_msg_alloc();
	unsigned int i;

	if (!batch || !msg)
		errx(1, "out of memory");
	for (i = 0; i < CHANGES; i++) {
		/* 10.127.0.i, where nobody else is. */
		struct wattle_identity identity = {
			.prefix = { .addr = { .bytes = { 10, 127, 0, i }, .len = 4 }, .len = 32 },
			.id = 60000 + i,
		};

		if (wattle_identity_encode(msg, how, &identity) || wattle_batch_add(batch, msg, i))
			errx(1, "out of memory");
	}
	return batch;
}

/* What is not there cannot be taken out: whoever adds and deletes in turn sees both done. */
static long commit(struct wattle_sock *sock, enum wattle_how how)
{
	struct wattle_batch *batch = make(how);
	struct timespec start, end;
	struct wattle_error why;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (wattle_batch_commit(sock, batch, refused, NULL, &why))
		errx(1, "%s", why.text);
	clock_gettime(CLOCK_MONOTONIC, &end);
	wattle_batch_destroy(batch);
	return (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
}

int main(int argc, char **argv)
{
	struct wattle_sock *sock;
	struct wattle_error why;
	long best = 0, took;
	int i, times;

	times = argc == 2 ? atoi(argv[1]) : 0;
	if (times < 1)
		errx(2, "commit TIMES");
	if (wattle_open(&sock, &why))
		errx(1, "%s", why.text);
	for (i = 0; i < times; i++) {
		took = commit(sock, WATTLE_ADD);
		if (!i || took < best)
			best = took;
		commit(sock, WATTLE_DEL);
	}
	printf("%ld\n", best);
	return 0;
}
