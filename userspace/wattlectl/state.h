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

/**
 * struct state - all tables, each sorted by its key
 * @generation: of the kernel's; 0 for wanted ones
 * @notes: who is who, as the rules tell
 */
struct state {
	uint64_t generation;
	STATE_ARRAY(struct wattle_node) node;
	STATE_ARRAY(struct wattle_identity) identity;
	STATE_ARRAY(struct state_endpoint) endpoint;
	STATE_ARRAY(struct manifest_rule) rule;
	STATE_ARRAY(struct wattle_service) service;
	STATE_ARRAY(struct wattle_backend) backend;
	STATE_ARRAY(struct wattle_egress) egress;	/* of identities */
	struct notes *notes;
};

/* Room for one more; ends the program where there is no memory: nothing is changed yet. */
void *state_grow(void *at, size_t count, size_t *room, size_t size);
#define STATE_ADD(array) \
	((array).at = state_grow((array).at, (array).count, &(array).room, sizeof(*(array).at)), \
	 &(array).at[(array).count++])

void state_sort(struct state *state);
void state_release(struct state *state);

/* What the kernel has; texts are kept with @m. EXIT_*. */
int state_read(struct call *call, struct manifest *m, struct state *state);
int state_generation(struct call *call, uint64_t *generation);
/* What @m wants of @node, which has @now's endpoints. EXIT_*. */
int state_want(struct call *call, struct manifest *m, const char *node, const struct state *now,
	       struct state *want);

int compare_nodes(const void *a, const void *b);
int compare_identities(const void *a, const void *b);
int compare_endpoints(const void *a, const void *b);
int compare_services(const void *a, const void *b);
int compare_backends(const void *a, const void *b);
int compare_egress(const void *a, const void *b);

/* ---- plan.c ---- */

/* One change, for people: sign, table, and what, where that is @told. */
struct plan_line {
	char sign;		/* + - ~ */
	const char *table;
	char *text;
};

struct plan {
	struct wattle_batch *batch;
	STATE_ARRAY(struct plan_line) line;
	bool told;
	bool failed;
};

void plan_make(struct plan *plan, const struct state *now, const struct state *want, bool told);
void plan_release(struct plan *plan);

/* ---- reachdiff.c ---- */

/* Pairs of which one is local: what passes before and after. Rows into @show. */
int reach_diff(const struct state *now, const struct state *want, struct show *show);

#endif /* WATTLECTL_STATE_H */
