/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of the kernel and those that are wanted, in the same words, and the way
 * from one to the other.
 */
#ifndef WATTLECTL_STATE_H
#define WATTLECTL_STATE_H

#include "manifests.h"
#include "notes.h"

/* An array that grows. */
#define STATE_ARRAY(type) struct { type *at; size_t count; size_t room; }

struct state_endpoint {
	uint32_t ifindex;
	const char *dev;
	const char *pod;
	struct wattle_addr *ip;
	unsigned int ip_count;
	uint32_t id;
	uint8_t enforce;
};

/* An identity that is here. */
struct state_local {
	uint32_t id;
	unsigned int group;
};

/**
 * struct state - all tables, each sorted by its key
 * @generation: of the kernel's; 0 for wanted ones
 * @rule: all of those that there are, or those that are wanted beside those of @local
 * @local: identities whose rules @m makes when they are asked for: all at once they may not
 *	fit in memory. They come before those of @rule.
 * @notes: who is who, as the rules tell
 */
struct state {
	uint64_t generation;
	STATE_ARRAY(struct wattle_node) node;
	STATE_ARRAY(struct wattle_identity) identity;
	STATE_ARRAY(struct state_endpoint) endpoint;
	STATE_ARRAY(struct manifest_rule) rule;
	STATE_ARRAY(struct state_local) local;
	struct manifest *m;
	STATE_ARRAY(struct wattle_service) service;
	STATE_ARRAY(struct wattle_backend) backend;
	STATE_ARRAY(struct wattle_egress) egress;	/* of identities */
	STATE_ARRAY(struct wattle_prefix) range;
	struct notes *notes;
};

/* Room for one more; ends the program where there is no memory: nothing is changed yet. */
void *state_grow(void *at, size_t count, size_t *room, size_t size);
#define STATE_ADD(array) \
	((array).at = state_grow((array).at, (array).count, &(array).room, sizeof(*(array).at)), \
	 &(array).at[(array).count++])
/* NULL where there is none. */
#define STATE_LAST(array) ((array).count ? &(array).at[(array).count - 1] : NULL)

void state_sort(struct state *state);
void state_release(struct state *state);

/* What the kernel has; texts are kept with @m. EXIT_*. */
int state_read(struct call *call, struct manifest *m, struct state *state);
int state_generation(struct call *call, uint64_t *generation);
/* What @m wants of @node, which has @now's endpoints. EXIT_*. */
int state_want(struct call *call, struct manifest *m, const char *node, const struct state *now,
	       struct state *want);

/* All rules of a state, in their order. @made: those of the identity in hand. */
struct rule_walk {
	const struct state *state;
	struct manifest_rule *made;
	size_t count;
	size_t at;
	size_t local;
	size_t rule;
};

/* The next one, until it is asked once more; NULL at the end, where all is released. */
const struct manifest_rule *rule_walk_next(struct rule_walk *walk);

int compare_nodes(const void *a, const void *b);
int compare_identities(const void *a, const void *b);
int compare_endpoints(const void *a, const void *b);
int compare_services(const void *a, const void *b);
int compare_backends(const void *a, const void *b);
int compare_egress(const void *a, const void *b);
int compare_prefixes(const void *a, const void *b);

/* ---- plan.c ---- */

/* One change, for people: sign, table, and what, where that is @told. */
struct plan_line {
	char sign;		/* + - ~ */
	const char *table;
	char *text;
};

/**
 * struct plan_how - what becomes of a plan
 * @told: lines are kept, in words
 * @dry: rules, which always fit into a request, are made and counted, no more
 * @only: but just these, by number and in order; NULL: all
 * @sock: where requests go as they come, in an open transaction; NULL: they are only counted
 * @fn: is told of those that the kernel refuses, by the number of their line
 */
struct plan_how {
	bool told;
	bool dry;
	const unsigned int *only;
	size_t only_count;
	struct wattle_sock *sock;
	wattle_refused_fn *fn;
	void *arg;
};

/**
 * struct plan - the way from one state to another
 * @lines: how many there are
 * @added: of these; @removed and @changed are the others
 * @line: those that are kept
 * @failed: it cannot be said in requests, which has been reported
 */
struct plan {
	struct plan_how how;
	struct wattle_batch *batch;
	unsigned int lines;
	unsigned int added;
	unsigned int removed;
	unsigned int changed;
	STATE_ARRAY(struct plan_line) line;
	bool failed;
};

void plan_make(struct plan *plan, const struct state *now, const struct state *want,
	       const struct plan_how *how);
void plan_release(struct plan *plan);

/* ---- reachdiff.c ---- */

/* Pairs of which one is local: what passes before and after. Rows into @show. */
int reach_diff(const struct state *now, const struct state *want, struct show *show);

#endif /* WATTLECTL_STATE_H */
