/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the tool share. */
#ifndef WATTLECTL_WATTLECTL_H
#define WATTLECTL_WATTLECTL_H

#include <jansson.h>

#include "grammar.h"

#ifndef WATTLE_VERSION
#define WATTLE_VERSION "0.1.0"
#endif

/**
 * struct options - what stands before the object
 * @json: print JSON
 * @pretty: for people
 */
struct options {
	bool json;
	bool pretty;
	const char *netns;
	const char *batch;
};

extern struct options options;

/* The whole tool but main(): EXIT_*. */
int wattlectl(int argc, char **argv);

extern const struct object apply_object;
extern const struct object backend_object;
extern const struct object device_object;
extern const struct object egress_object;
extern const struct object range_object;
extern const struct object endpoint_object;
extern const struct object explain_object;
extern const struct object flow_object;
extern const struct object health_object;
extern const struct object route_object;
extern const struct object identity_object;
extern const struct object monitor_object;
extern const struct object node_object;
extern const struct object policy_object;
extern const struct object service_object;
extern const struct object stats_object;
extern const struct object version_object;

/* ---- kernel.c: one socket to the family, opened when it is first needed ---- */

struct wattle_sock *family(const struct call *call);	/* NULL: reported */
struct nl_msg *scratch(void);				/* one message, never NULL */
int change(struct call *call);
/* EXIT_*; what it is that cannot be encoded has been reported. */
int encode_call(struct call *call, struct nl_msg *msg);
void kernel_close(void);

int batch_run(const char *file);

/* ---- show.c ---- */

/* @key: of the object; @head: over the column. */
struct column {
	const char *head;
	const char *key;
};

struct show;

/* An array of objects in JSON, a table else. */
struct show *show_begin(const struct column *columns);
/* Takes @object. Non-zero: out of memory, or nobody reads. */
int show_row(struct show *show, json_t *object);
int show_end(struct show *show);
/* One object, or one line of many. Takes it. */
int show_object(json_t *object);
int show_line(json_t *object);

/*
 * Send @msg as a dump, or as a question for one, and show what @row makes of each
 * reply; @row returns NULL for what is not shown.
 */
typedef json_t *row_fn(const struct nlmsghdr *nlh);
int show_dump(struct call *call, struct nl_msg *msg, bool one, const struct column *columns,
	      row_fn *row);
/* The same, where the array @list may go on in the next reply, of the same first column. */
int show_dump_lists(struct call *call, struct nl_msg *msg, bool one,
		    const struct column *columns, row_fn *row, const char *list);

json_t *json_addr(const struct wattle_addr *addr);	/* null where there is none */
json_t *json_prefix(const struct wattle_prefix *prefix);
json_t *json_sockaddr(const struct wattle_addr *addr, uint16_t port);
json_t *json_frontend(const struct wattle_frontend *frontend);
/* Members for both directions, and for all that was counted for a backend. */
void json_carried(json_t *object, const struct wattle_carried *in,
		  const struct wattle_carried *out);
void json_backend_counted(json_t *object, const struct wattle_backend *backend);
json_t *json_proto(uint8_t proto);
json_t *json_text(const char *text);			/* null where empty */
json_t *json_dev(uint32_t ifindex);

/* ---- words that several objects use ---- */

extern const char *const words_off_on[];
extern const char *const words_mode[];
extern const char *const words_direction[];
extern const char *const words_action[];
extern const char *const words_verdict[];
extern const char *const words_enforce[];
extern const char *const words_alg[];
extern const char *const words_scope[];
extern const char *const words_empty[];
extern const char *const words_source_policy[];
extern const char *const words_state[];
extern const char *const words_identity_by[];
extern const char *const words_egress[];

#define RULE_STRLEN 512
/* A rule in the words of "policy add". */
char *rule_text(char *text, size_t size, const struct wattle_rule *rule);

/* ---- the device and the routes ---- */

/* The wattle device of this namespace. False: none. */
bool device_find(struct wattle_link *link);
/*
 * Make the host's routes what the tables say; @identities: new ones of identities, too. Failing is
 * said, and no more.
 */
int routes_sync(struct call *call, bool identities);

#endif /* WATTLECTL_WATTLECTL_H */
