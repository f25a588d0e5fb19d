// SPDX-License-Identifier: GPL-2.0-only
/* The tables of the kernel, read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

void *state_grow(void *at, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 64;
	at = realloc(at, *room * size);
	if (at)
		return at;
	report(NULL, NULL, "out of memory");
	exit(EXIT_REFUSED);
}

/* ---- order ---- */

int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct wattle_node *)a)->name, ((const struct wattle_node *)b)->name);
}

int compare_identities(const void *a, const void *b)
{
	return memcmp(&((const struct wattle_identity *)a)->prefix,
		      &((const struct wattle_identity *)b)->prefix, sizeof(struct wattle_prefix));
}

int compare_endpoints(const void *a, const void *b)
{
	const struct state_endpoint *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int compare_services(const void *a, const void *b)
{
	return wattle_frontend_compare(&((const struct wattle_service *)a)->frontend,
				       &((const struct wattle_service *)b)->frontend);
}

int compare_backends(const void *a, const void *b)
{
	const struct wattle_backend *x = a, *y = b;
	int diff = wattle_frontend_compare(&x->service, &y->service);

	if (!diff)
		diff = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return diff ? diff : x->port - y->port;
}

int compare_egress(const void *a, const void *b)
{
	const struct wattle_egress *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return wattle_prefix_compare(&x->to, &y->to);
}

int compare_prefixes(const void *a, const void *b)
{
	return wattle_prefix_compare(a, b);
}

/* What is in order already, as rules mostly are, needs no memory to sort it in. */
static void sort(void *at, size_t count, size_t size,
		 int (*compare)(const void *a, const void *b))
{
	const char *entry = at;
	size_t i;

	for (i = 1; i < count; i++) {
		if (compare(entry + (i - 1) * size, entry + i * size) > 0) {
			qsort(at, count, size, compare);
			return;
		}
	}
}

#define SORT(array, compare) sort((array).at, (array).count, sizeof(*(array).at), compare)

static void state_notes(struct state *state)
{
	size_t i;

	state->notes = notes_create();
	for (i = 0; i < state->rule.count; i++) {
		const struct manifest_rule *rule = &state->rule.at[i];

		if (is_note(rule->subject))
			notes_add(state->notes, rule->peer_id, rule->direction, rule->priority,
				  rule->origin);
	}
	notes_sort(state->notes);
}

void state_sort(struct state *state)
{
	size_t i;

	SORT(state->node, compare_nodes);
	SORT(state->identity, compare_identities);
	SORT(state->endpoint, compare_endpoints);
	SORT(state->rule, manifest_rule_compare);
	SORT(state->service, compare_services);
	for (i = 0; i < state->service.count; i++)
		if (state->service.at[i].source_count)
			qsort(state->service.at[i].source, state->service.at[i].source_count,
			      sizeof(struct wattle_prefix), compare_prefixes);
	SORT(state->backend, compare_backends);
	SORT(state->egress, compare_egress);
	SORT(state->range, compare_prefixes);
	state_notes(state);
}

void state_release(struct state *state)
{
	size_t i;

	for (i = 0; i < state->node.count; i++)
		wattle_node_release(&state->node.at[i]);
	for (i = 0; i < state->endpoint.count; i++)
		free(state->endpoint.at[i].ip);
	for (i = 0; i < state->service.count; i++)
		wattle_service_release(&state->service.at[i]);
	free(state->node.at);
	free(state->identity.at);
	free(state->endpoint.at);
	free(state->rule.at);
	free(state->local.at);
	free(state->service.at);
	free(state->backend.at);
	free(state->egress.at);
	free(state->range.at);
	notes_release(state->notes);
	memset(state, 0, sizeof(*state));
}

/* ---- rules ---- */

const struct manifest_rule *rule_walk_next(struct rule_walk *walk)
{
	const struct state *state = walk->state;

	while (walk->at == walk->count && walk->local < state->local.count) {
		free(walk->made);
		walk->count = manifest_rules(state->m, state->local.at[walk->local++].group,
					     &walk->made);
		walk->at = 0;
	}
	if (walk->at < walk->count)
		return &walk->made[walk->at++];
	free(walk->made);
	walk->made = NULL;
	return walk->rule < state->rule.count ? &state->rule.at[walk->rule++] : NULL;
}

/* ---- read ---- */

struct reading {
	struct manifest *m;
	struct state *state;
};

static int read_info(const struct nlmsghdr *nlh, void *arg)
{
	struct wattle_info info;

	if (!wattle_info_parse(nlh, &info))
		*(uint64_t *)arg = info.generation;
	return 1;
}

/* A list that does not fit a message goes on in the next one, of the same key. Takes @more. */
static void *list_go_on(void *list, unsigned int *count, void *more, unsigned int more_count,
			size_t size)
{
	if (!more_count)
		return list;
	list = realloc(list, (*count + more_count) * size);
	if (!list) {
		report(NULL, NULL, "out of memory");
		exit(EXIT_REFUSED);
	}
	memcpy((char *)list + *count * size, more, more_count * size);
	*count += more_count;
	free(more);
	return list;
}

static int read_node(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_node node, *last = STATE_LAST(reading->state->node);

	if (wattle_node_parse(nlh, &node))
		return 0;
	if (last && !strcmp(last->name, node.name))
		last->cidr = list_go_on(last->cidr, &last->cidr_count, node.cidr, node.cidr_count,
					sizeof(*node.cidr));
	else
		*STATE_ADD(reading->state->node) = node;
	return 0;
}

static int read_identity(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_identity identity;

	if (!wattle_identity_parse(nlh, &identity))
		*STATE_ADD(reading->state->identity) = identity;
	return 0;
}

static int read_endpoint(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct state_endpoint *last = STATE_LAST(reading->state->endpoint);
	struct wattle_endpoint endpoint;

	if (wattle_endpoint_parse(nlh, &endpoint))
		return 0;
	if (last && last->ifindex == endpoint.ifindex) {
		last->ip = list_go_on(last->ip, &last->ip_count, endpoint.ip, endpoint.ip_count,
				      sizeof(*endpoint.ip));
		return 0;
	}
	/* Its addresses are ours now. */
	*STATE_ADD(reading->state->endpoint) = (struct state_endpoint){
		.ifindex = endpoint.ifindex, .dev = manifest_text(reading->m, endpoint.ifname),
		.pod = manifest_text(reading->m, endpoint.pod), .ip = endpoint.ip,
		.ip_count = endpoint.ip_count, .id = endpoint.id, .enforce = endpoint.enforce,
	};
	return 0;
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_rule rule;

	if (wattle_rule_parse(nlh, &rule))
		return 0;
	*STATE_ADD(reading->state->rule) = (struct manifest_rule){
		.subject = rule.id, .direction = rule.direction, .peer_kind = rule.peer_kind,
		.outside = rule.outside, .any_proto = !rule.has_proto, .proto = rule.proto,
		.action = rule.action, .priority = rule.priority,
		.port_min = rule.has_port ? rule.port_min : 0,
		.port_max = rule.has_port ? rule.port_max : UINT16_MAX,
		.peer_id = rule.peer_id, .peer = rule.peer,
		.origin = manifest_text(reading->m, rule.origin),
	};
	return 0;
}

static int read_service(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_service service;

	if (!wattle_service_parse(nlh, &service))
		*STATE_ADD(reading->state->service) = service;
	return 0;
}

static int read_backend(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_backend backend;

	if (!wattle_backend_parse(nlh, &backend))
		*STATE_ADD(reading->state->backend) = backend;
	return 0;
}

/* Rules for any pod, and for one by its address, are made by hand and stay. */
static int read_egress(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_egress egress;

	if (!wattle_egress_parse(nlh, &egress) && egress.id)
		*STATE_ADD(reading->state->egress) = egress;
	return 0;
}

static int read_range(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct wattle_prefix prefix;

	if (!wattle_range_parse(nlh, &prefix))
		*STATE_ADD(reading->state->range) = prefix;
	return 0;
}

/* Each table as a whole: what comes between is told by the generation. */
static int read_tables(struct wattle_sock *sock, struct reading *reading,
		       struct wattle_error *err)
{
	static wattle_reply_fn *const readers[] = {
		read_node, read_identity, read_endpoint, read_rule, read_service, read_backend,
		read_egress, read_range,
	};
	unsigned int i;
	int code;

	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		switch (i) {
		case 0:
			wattle_node_ask(scratch(), NULL);
			break;
		case 1:
			wattle_identity_ask(scratch(), NULL);
			break;
		case 2:
			wattle_endpoint_ask(scratch(), 0);
			break;
		case 3:
			wattle_rule_ask(scratch(), 0);
			break;
		case 4:
			wattle_service_ask(scratch(), NULL);
			break;
		case 5:
			wattle_backend_ask(scratch(), NULL);
			break;
		case 6:
			wattle_egress_ask(scratch(), 0);
			break;
		default:
			wattle_range_ask(scratch());
		}
		code = wattle_dump(sock, scratch(), readers[i], reading, err);
		if (code > 0)
			code = wattle_error_set(err, EAGAIN,
						"the tables do not stop to change");
		if (code < 0)
			return code;
	}
	return 0;
}

int state_generation(struct call *call, uint64_t *generation)
{
	struct wattle_sock *sock = family(call);
	struct wattle_error err;

	if (!sock)
		return EXIT_REFUSED;
	wattle_info_ask(scratch());
	if (!wattle_call(sock, scratch(), read_info, generation, &err))
		return EXIT_DONE;
	report_error(call, &err);
	return EXIT_REFUSED;
}

int state_read(struct call *call, struct manifest *m, struct state *state)
{
	struct reading reading = { m, state };
	struct wattle_error err;
	int code;

	code = state_generation(call, &state->generation);
	if (code)
		return code;
	code = read_tables(family(call), &reading, &err);
	if (code) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	state_sort(state);
	return EXIT_DONE;
}
