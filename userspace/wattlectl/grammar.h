/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grammar of the tool: one registry of objects, verbs and the words after
 * them. Parsing, help and completion are made from it, so they cannot differ.
 */
#ifndef WATTLECTL_GRAMMAR_H
#define WATTLECTL_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libwattle/wattle.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What a value is; value.c reads them. */
enum kind {
	KIND_TEXT,		/* anything, at most @max bytes */
	KIND_DEV,		/* name of a network device */
	KIND_ADDR,
	KIND_PREFIX,
	KIND_NUMBER,		/* @min to @max */
	KIND_PORTS,		/* 80 or 80-90 */
	KIND_PROTO,
	KIND_FRONTEND,		/* ADDR:PORT/PROTO */
	KIND_SOCKADDR,		/* ADDR:PORT */
	KIND_PEER,		/* any, id N or PREFIX */
	KIND_CHOICE,		/* one of @choices; its number */
	KIND_FLAG,		/* the key alone */
};

/* What a value is for. */
enum slot {
	SLOT_NAME,
	SLOT_LOCAL,
	SLOT_PORT,
	SLOT_MODE,
	SLOT_VNI,
	SLOT_MTU,
	SLOT_STRICT,
	SLOT_UNDERLAY,
	SLOT_CACHE,
	SLOT_CSUM,
	SLOT_TTL,
	SLOT_AUDIT,
	SLOT_ADDR,
	SLOT_CIDR,
	SLOT_PREFIX,
	SLOT_ID,
	SLOT_VIA,
	SLOT_DEV,
	SLOT_POD,
	SLOT_IP,
	SLOT_ENFORCE,
	SLOT_DIRECTION,
	SLOT_PEER,
	SLOT_OUTSIDE,
	SLOT_PROTO,
	SLOT_TYPE,
	SLOT_CODE,
	SLOT_ACTION,
	SLOT_PRIORITY,
	SLOT_ORIGIN,
	SLOT_FRONTEND,
	SLOT_ALG,
	SLOT_AFFINITY,
	SLOT_AFFINITY_WITH,
	SLOT_MAGLEV_SIZE,
	SLOT_SCOPE,
	SLOT_EMPTY,
	SLOT_SOURCE,
	SLOT_SOURCE_POLICY,
	SLOT_DSR,
	SLOT_TO,
	SLOT_WEIGHT,
	SLOT_STATE,
	SLOT_AS,
	SLOT_SRC,
	SLOT_DST,
	SLOT_SPORT,
	SLOT_DPORT,
	SLOT_DROP,
	SLOT_VERDICT,
	SLOT_FLOW,
	SLOT_SERVICE,
	SLOT_NODE,
	SLOT_FILE,
	SLOT_DRY_RUN,
	SLOT_DIFF,
	SLOT_IGNORE,
	SLOT_COUNT,
};

#define PARAM_REQUIRED	0x1
#define PARAM_MANY	0x2

/**
 * struct param - a word of a call, or a key and its value
 * @slot: what it is for
 * @key: word before the value; NULL: the value stands alone, in its place (a choice:
 *	anywhere)
 * @meta: what usage calls the value; NULL: by its kind
 * @choices: NULL-terminated, for KIND_CHOICE
 */
struct param {
	enum slot slot;
	enum kind kind;
	unsigned int flags;
	const char *key;
	const char *meta;
	const char *const *choices;
	uint64_t min;
	uint64_t max;
};

struct peer {
	uint8_t kind;
	uint32_t id;
	struct wattle_prefix prefix;
};

/* @next: of the same slot, in the order of the call. */
struct value {
	const struct param *param;
	const char *text;
	struct value *next;
	union {
		uint64_t number;
		uint16_t ports[2];
		struct wattle_addr addr;
		struct wattle_prefix prefix;
		struct wattle_frontend frontend;
		struct peer peer;
	};
};

struct call;

/**
 * struct verb - what can be done with an object
 * @alias: other name, or NULL
 * @params: NULL-terminated by a zero @count
 * @encode: makes a request of the call, for verbs that change something
 * @how: for @encode
 * @run: for verbs that do not, or not by one request; NULL: send what @encode made
 * @routes: what it changes has routes of the host
 */
struct verb {
	const char *name;
	const char *alias;
	const char *help;
	const struct param *params;
	unsigned int count;
	enum wattle_how how;
	int (*encode)(struct call *call, struct nl_msg *msg);
	int (*run)(struct call *call);
	bool routes;
};

/* A verb of "" means that the object has none, as in "explain src ...". */
struct object {
	const char *name;
	const char *help;
	const struct verb *verbs;
	unsigned int count;
};

extern const struct object *const objects[];	/* NULL at the end */

/* What one line, or the command line, asks for. */
struct call {
	const struct object *object;
	const struct verb *verb;
	const char *file;	/* of a batch, or NULL */
	unsigned int line;
	struct value *first[SLOT_COUNT];
	struct value *last[SLOT_COUNT];
	struct value *values;	/* all of them */
	unsigned int count;
	unsigned int room;
};

/* Exit codes. */
#define EXIT_DONE	0
#define EXIT_REFUSED	1
#define EXIT_USAGE	2

/* All of these return EXIT_*; what is wrong has been reported. */
int call_parse(struct call *call, int argc, char **argv);
void call_reset(struct call *call);
void call_release(struct call *call);

static inline bool given(const struct call *call, enum slot slot)
{
	return call->first[slot];
}

static inline const struct value *value_of(const struct call *call, enum slot slot)
{
	return call->first[slot];
}

static inline uint64_t number_of(const struct call *call, enum slot slot, uint64_t otherwise)
{
	return call->first[slot] ? call->first[slot]->number : otherwise;
}

/* Of a service: its scope is a word of its own. */
static inline struct wattle_frontend frontend_of(const struct call *call)
{
	struct wattle_frontend frontend = {};

	if (call->first[SLOT_FRONTEND])
		frontend = call->first[SLOT_FRONTEND]->frontend;
	frontend.scope = number_of(call, SLOT_SCOPE, WATTLE_SCOPE_ANY);
	return frontend;
}

const struct object *object_find(const char *word, bool *ambiguous);
const struct verb *verb_find(const struct object *object, const char *word, bool *ambiguous);
const struct param *param_find(const struct verb *verb, const char *key);

/* One value from @argv[0] on: how many words it took, or -1 with the reason in @why. */
int value_parse(struct value *value, const struct param *param, int argc, char **argv,
		char *why, size_t size);
/* What usage calls the value of a parameter. */
const char *value_meta(const struct param *param, char *text, size_t size);
/* The word for a number, or "?". */
const char *choice_text(const char *const *choices, uint64_t number);

/* ---- help.c ---- */

#include <stdio.h>

void usage_all(FILE *out);
void usage_object(FILE *out, const struct object *object);
void usage_verb(FILE *out, const struct object *object, const struct verb *verb);
/* The words that may come after @argv: "wattlectl complete WORDS...". */
int complete(int argc, char **argv);

/* ---- report.c ---- */

/* "wattlectl: node n2: addr: reason", or "FILE:LINE: ..." */
void report(const struct call *call, const char *attr, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void report_error(const struct call *call, const struct wattle_error *err);

#endif /* WATTLECTL_GRAMMAR_H */
