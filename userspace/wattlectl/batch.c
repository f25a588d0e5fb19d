// SPDX-License-Identifier: GPL-2.0-only
/* -b FILE: one command a line, all of them one change or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

#define BATCH_ERRORS	20	/* how many are told */
#define BATCH_WORDS	4096	/* in a line */

/**
 * struct batch - a file on its way in
 * @call: of the line in hand
 * @start: where in the file the first line is
 * @code: the worst so far: EXIT_*
 * @errors: how many lines are wrong
 * @routes: something in it has routes
 */
struct batch {
	struct call call;
	struct wattle_batch *requests;
	char **words;
	long start;
	int code;
	unsigned int errors;
	bool routes;
};

/*
 * Cut @line into words, in place: blanks part them, '...' and "..." keep them, # at
 * the beginning of one ends the line. Returns how many, or -1.
 */
static int batch_words(struct call *call, char *line, char **words)
{
	char *in = line, *out;
	int count = 0;

	for (;;) {
		in += strspn(in, " \t\r\n");
		if (!*in || *in == '#')
			return count;
		if (count == BATCH_WORDS) {
			report(call, NULL, "more than %d words", BATCH_WORDS);
			return -1;
		}
		words[count++] = out = in;
		while (*in && !strchr(" \t\r\n", *in)) {
			if (*in == '"' || *in == '\'') {
				char *end = strchr(in + 1, *in);

				if (!end) {
					report(call, NULL, "the quote is not closed");
					return -1;
				}
				memmove(out, in + 1, end - in - 1);
				out += end - in - 1;
				in = end + 1;
			} else {
				*out++ = *in++;
			}
		}
		if (*in)
			in++;
		*out = '\0';
	}
}

static int batch_request(struct batch *batch)
{
	struct call *call = &batch->call;
	int code;

	if (call->object == &device_object) {
		report(call, NULL, "a device cannot be part of a batch: it is no part of a transaction");
		return EXIT_REFUSED;
	}
	if (!call->verb->encode) {
		report(call, NULL, "only changes can be part of a batch");
		return EXIT_REFUSED;
	}
	code = encode_call(call, scratch());
	if (code)
		return code;
	if (wattle_batch_add(batch->requests, scratch(), call->line)) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	batch->routes |= call->verb->routes;
	return EXIT_DONE;
}

static int batch_line(struct batch *batch, char *line, size_t len)
{
	struct call *call = &batch->call;
	int count, code;

	call_reset(call);
	if (memchr(line, '\0', len)) {
		report(call, NULL, "there is a zero byte in the line");
		return EXIT_USAGE;
	}
	count = batch_words(call, line, batch->words);
	if (count < 0)
		return EXIT_USAGE;
	if (!count)
		return EXIT_DONE;
	code = call_parse(call, count, batch->words);
	return code ? code : batch_request(batch);
}

static void batch_read(struct batch *batch, FILE *in)
{
	size_t size = 0;
	char *line = NULL;
	ssize_t len;
	int code;

	while ((len = getline(&line, &size, in)) >= 0 && batch->errors < BATCH_ERRORS) {
		batch->call.line++;
		code = batch_line(batch, line, len);
		if (!code)
			continue;
		batch->errors++;
		if (code > batch->code)
			batch->code = code;
	}
	if (batch->errors == BATCH_ERRORS)
		fprintf(stderr, "%s: that is enough: the rest was not read\n", batch->call.file);
	if (ferror(in)) {
		call_reset(&batch->call);
		report(&batch->call, NULL, "%s", strerror(errno));
		batch->code = EXIT_REFUSED;
	}
	free(line);
}

/* ---- commit ---- */

struct refusals {
	const char *file;
	unsigned int count;
	struct refused {
		unsigned int line;
		struct wattle_error err;
	} at[BATCH_ERRORS];
};

static int batch_refused(unsigned int line, const struct wattle_error *err, void *arg)
{
	struct refusals *refusals = arg;

	refusals->at[refusals->count].line = line;
	refusals->at[refusals->count++].err = *err;
	return refusals->count == BATCH_ERRORS;
}

/* Say of each refused line what it was about: so it is read once more, if it can be. */
static void batch_report(struct batch *batch, const struct refusals *refusals, FILE *in)
{
	bool again = !fseek(in, batch->start, SEEK_SET);
	unsigned int i = 0, number = 0;
	size_t size = 0;
	char *line = NULL;

	for (i = 0; i < refusals->count; i++) {
		int words = 0;

		while (again && number < refusals->at[i].line) {
			again = getline(&line, &size, in) >= 0;
			number++;
		}
		batch->call.line = refusals->at[i].line;
		call_reset(&batch->call);
		if (again)
			words = batch_words(&batch->call, line, batch->words);
		if (words > 0)
			call_parse(&batch->call, words, batch->words);
		report_error(&batch->call, &refusals->at[i].err);
	}
	free(line);
}

static int batch_commit(struct batch *batch, FILE *in)
{
	struct refusals refusals = { .file = batch->call.file };
	struct wattle_sock *sock;
	struct wattle_error err;
	int code;

	if (!wattle_batch_count(batch->requests))
		return EXIT_DONE;
	sock = family(NULL);
	if (!sock)
		return EXIT_REFUSED;
	code = wattle_batch_commit(sock, batch->requests, batch_refused, &refusals, &err);
	if (code == -ECANCELED && refusals.count) {
		batch_report(batch, &refusals, in);
		return EXIT_REFUSED;
	}
	call_reset(&batch->call);
	if (code) {
		report_error(NULL, &err);
		return EXIT_REFUSED;
	}
	return batch->routes ? routes_sync(NULL, false) : EXIT_DONE;
}

/* All that @in still has, in *@held. Returns 0, or why there is no more: half of it is nothing. */
static int batch_hold(FILE *in, char **held, size_t *size)
{
	FILE *copy = open_memstream(held, size);
	char chunk[65536];
	size_t len;
	int err = 0;

	while (copy && (len = fread(chunk, 1, sizeof(chunk), in)))
		fwrite(chunk, 1, len, copy);
	if (!copy || ferror(in))
		err = errno ? errno : EIO;
	if (copy && fclose(copy) && !err)
		err = errno;
	return err;
}

/* Something that can be read twice, for what is said of a refused line. */
static FILE *batch_open(const char *file, char **held)
{
	FILE *in = strcmp(file, "-") ? fopen(file, "re") : stdin;
	size_t size;
	int err;

	*held = NULL;
	if (!in || !fseek(in, 0, SEEK_CUR))
		return in;
	err = batch_hold(in, held, &size);
	if (in != stdin)
		fclose(in);
	if (err) {
		errno = err;
		return NULL;
	}
	/* It takes no empty buffer; a line end changes nothing. */
	return size ? fmemopen(*held, size, "r") : fmemopen("\n", 1, "r");
}

int batch_run(const char *file)
{
	struct batch batch = { .call.file = file };
	char *held;
	FILE *in;

	errno = 0;
	in = batch_open(file, &held);
	if (!in) {
		report(NULL, NULL, "%s: %s", file, strerror(errno));
		free(held);
		return EXIT_REFUSED;
	}
	batch.start = ftell(in);
	batch.requests = wattle_batch_create();
	batch.words = calloc(BATCH_WORDS, sizeof(*batch.words));
	if (!batch.requests || !batch.words) {
		report(NULL, NULL, "out of memory");
		batch.code = EXIT_REFUSED;
	} else {
		batch_read(&batch, in);
	}
	if (!batch.code)
		batch.code = batch_commit(&batch, in);
	wattle_batch_destroy(batch.requests);
	call_release(&batch.call);
	free(batch.words);
	if (in != stdin)
		fclose(in);
	free(held);
	return batch.code;
}
