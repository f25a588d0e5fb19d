// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

static const struct param service_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
	{ SLOT_SCOPE, KIND_CHOICE, 0, "scope", NULL, words_scope, 0, 0 },
	{ SLOT_ALG, KIND_CHOICE, 0, "alg", NULL, words_alg, 0, 0 },
	{ SLOT_AFFINITY, KIND_NUMBER, 0, "affinity", "SECONDS", NULL, 0, UINT32_MAX },
	{ SLOT_AFFINITY_WITH, KIND_FRONTEND, 0, "affinity-with", NULL, NULL, 0, 0 },
	{ SLOT_MAGLEV_SIZE, KIND_NUMBER, 0, "maglev-size", "PRIME", NULL, 1, UINT32_MAX },
	{ SLOT_EMPTY, KIND_CHOICE, 0, "empty", NULL, words_empty, 0, 0 },
	{ SLOT_SOURCE, KIND_PREFIX, PARAM_MANY, "source", NULL, NULL, 0, 0 },
	{ SLOT_SOURCE_POLICY, KIND_CHOICE, 0, "source-policy", NULL, words_source_policy, 0, 0 },
	{ SLOT_DSR, KIND_CHOICE, 0, "dsr", NULL, words_off_on, 0, 0 },
};

static const struct param service_show_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, 0, NULL, NULL, NULL, 0, 0 },
	{ SLOT_SCOPE, KIND_CHOICE, 0, "scope", NULL, words_scope, 0, 0 },
};

static const struct column service_columns[] = {
	{ "FRONTEND", "frontend" }, { "SCOPE", "scope" }, { "ID", "id" }, { "ALG", "alg" },
	{ "AFFINITY", "affinity" }, { "EMPTY", "empty" }, { "POLICY", "source_policy" },
	{ "SOURCES", "sources" }, { "DSR", "dsr" }, { "HEALTH", "health" }, { "ACTIVE", "active" },
	{ "TERMINATING", "terminating" }, { "QUARANTINED", "quarantined" },
	{ "CONNECTIONS", "connections" }, { "REFUSED", "refused" }, { "LIVE", "live" },
	{ "IN", "in_bytes" }, { "OUT", "out_bytes" }, { "BACKENDS", "backends" },
	{ NULL, NULL }
};

static int service_sources(struct call *call, struct wattle_service *service)
{
	const struct value *value;
	unsigned int count = 1;

	for (value = value_of(call, SLOT_SOURCE); value; value = value->next)
		count++;
	service->source = calloc(count, sizeof(*service->source));
	if (!service->source) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	for (value = value_of(call, SLOT_SOURCE); value; value = value->next) {
		if (value->prefix.addr.len != service->frontend.addr.len) {
			report(call, "source", "%s is of another family than the service",
			       value->text);
			return EXIT_REFUSED;
		}
		service->source[service->source_count++] = value->prefix;
	}
	return EXIT_DONE;
}

/* Its own protocol goes without saying. */
static int service_affinity(struct call *call, struct wattle_service *service)
{
	const struct value *with = value_of(call, SLOT_AFFINITY_WITH);

	if (!with)
		return EXIT_DONE;
	if (with->frontend.proto != service->frontend.proto) {
		report(call, "affinity-with", "%s is of another protocol than the service",
		       with->text);
		return EXIT_REFUSED;
	}
	service->affinity_with = with->frontend;
	return EXIT_DONE;
}

static int service_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_service service = {
		.frontend = frontend_of(call),
		.has_alg = given(call, SLOT_ALG),
		.alg = number_of(call, SLOT_ALG, 0),
		.has_affinity = given(call, SLOT_AFFINITY),
		.affinity = number_of(call, SLOT_AFFINITY, 0),
		.maglev_size = number_of(call, SLOT_MAGLEV_SIZE, 0),
		.has_empty = given(call, SLOT_EMPTY),
		.empty = number_of(call, SLOT_EMPTY, 0),
		.has_source_policy = given(call, SLOT_SOURCE_POLICY),
		.source_policy = number_of(call, SLOT_SOURCE_POLICY, 0),
		.has_dsr = given(call, SLOT_DSR),
		.dsr = number_of(call, SLOT_DSR, 0),
	};
	int code;

	code = service_affinity(call, &service);
	if (!code)
		code = service_sources(call, &service);
	if (!code)
		code = wattle_service_encode(msg, call->verb->how, &service);
	wattle_service_release(&service);
	return code;
}

/* ---- shown with their backends, which are a dump of their own ---- */

struct backends {
	struct wattle_backend *at;
	size_t count;
	size_t room;
	bool full;
};

static struct backends backends;

static int backend_compare(const void *x, const void *y)
{
	const struct wattle_backend *a = x, *b = y;
	int diff = wattle_frontend_compare(&a->service, &b->service);

	if (!diff)
		diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));
	return diff ? diff : (int)a->port - b->port;
}

static int backends_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct backends *b = arg;

	if (b->count == b->room) {
		size_t room = b->room ? b->room * 2 : 256;
		void *at = realloc(b->at, room * sizeof(*b->at));

		b->full = !at;
		if (!at)
			return 1;
		b->at = at;
		b->room = room;
	}
	return wattle_backend_parse(nlh, &b->at[b->count++]);
}

static int backends_load(struct call *call, const struct wattle_frontend *service)
{
	struct wattle_sock *sock = family(call);
	struct wattle_error err;

	if (!sock)
		return EXIT_REFUSED;
	wattle_backend_ask_counters(scratch(), service);
	if (wattle_dump(sock, scratch(), backends_reply, &backends, &err) < 0) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	if (backends.full) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	if (backends.count)
		qsort(backends.at, backends.count, sizeof(*backends.at), backend_compare);
	return EXIT_DONE;
}

/* How many are in which state, whether an active one takes connections, and how many they have. */
struct tally {
	json_int_t states[WATTLE_BACKEND_STATE_QUARANTINED + 1];
	bool active;
	bool unknown;
	json_int_t live;
};

static void tally_add(struct tally *tally, const struct wattle_backend *b)
{
	if (b->state < ARRAY_SIZE(tally->states))
		tally->states[b->state]++;
	tally->active |= b->state == WATTLE_BACKEND_STATE_ACTIVE && b->weight;
	tally->unknown |= !b->has_live;
	tally->live += b->live;
}

/* Backends that are terminating take connections where no other does. */
static const char *health_text(const struct wattle_service *service, const struct tally *tally)
{
	if (!service->usable)
		return "down";
	return tally->active ? "up" : "draining";
}

static json_t *service_backends(const struct wattle_frontend *frontend, struct tally *tally)
{
	size_t low = 0, high = backends.count;
	json_t *array = json_array();

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (wattle_frontend_compare(&backends.at[mid].service, frontend) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < backends.count; low++) {
		const struct wattle_backend *b = &backends.at[low];
		json_t *object;

		if (wattle_frontend_compare(&b->service, frontend))
			break;
		tally_add(tally, b);
		object = json_pack("{s:o, s:i, s:s}", "backend", json_sockaddr(&b->addr, b->port),
				   "weight", b->weight,
				   "state", choice_text(words_state, b->state));
		json_backend_counted(object, b);
		json_array_append_new(array, object);
	}
	return array;
}

/* What it does, after what it is. */
static void service_does(json_t *object, const struct wattle_service *s)
{
	struct tally tally = {};
	json_t *behind = service_backends(&s->frontend, &tally), *does;

	does = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			 "health", health_text(s, &tally),
			 "usable", (json_int_t)s->usable,
			 "active", tally.states[WATTLE_BACKEND_STATE_ACTIVE],
			 "terminating", tally.states[WATTLE_BACKEND_STATE_TERMINATING],
			 "quarantined", tally.states[WATTLE_BACKEND_STATE_QUARANTINED],
			 "connections", (json_int_t)s->connections,
			 "refused", (json_int_t)s->refused,
			 "live", tally.unknown ? json_null() : json_integer(tally.live));
	json_object_update(object, does);
	json_decref(does);
	json_carried(object, &s->in, &s->out);
	json_object_set_new(object, "backends", behind);
}

static json_t *affinity_with(const struct wattle_service *service)
{
	return service->affinity_with.port ? json_frontend(&service->affinity_with) : json_null();
}

static json_t *service_row(const struct nlmsghdr *nlh)
{
	json_t *sources = json_array(), *object;
	struct wattle_service s;
	unsigned int i;

	wattle_service_parse(nlh, &s);
	for (i = 0; i < s.source_count; i++)
		json_array_append_new(sources, json_prefix(&s.source[i]));
	object = json_pack("{s:o, s:o, s:i, s:o, s:s, s:s, s:I, s:o, s:I, s:s, s:o, s:s, s:b, s:I}",
			   "frontend", json_frontend(&s.frontend),
			   "addr", json_addr(&s.frontend.addr), "port", s.frontend.port,
			   "proto", json_proto(s.frontend.proto),
			   "scope", choice_text(words_scope, s.frontend.scope),
			   "alg", choice_text(words_alg, s.alg),
			   "affinity", (json_int_t)s.affinity,
			   "affinity_with", affinity_with(&s),
			   "maglev_size", (json_int_t)s.maglev_size,
			   "empty", choice_text(words_empty, s.empty), "sources", sources,
			   "source_policy", choice_text(words_source_policy, s.source_policy),
			   "dsr", s.dsr,
			   "id", (json_int_t)s.id);
	service_does(object, &s);
	wattle_service_release(&s);
	return object;
}

static int service_show(struct call *call)
{
	const struct wattle_frontend frontend = frontend_of(call);
	bool one = given(call, SLOT_FRONTEND);
	int code;

	if (given(call, SLOT_SCOPE) && !one) {
		report(call, "scope", "is for one frontend: ADDR:PORT/PROTO is missing");
		return EXIT_USAGE;
	}
	code = backends_load(call, one ? &frontend : NULL);
	if (!code) {
		wattle_service_ask_counters(scratch(), one ? &frontend : NULL);
		code = show_dump(call, scratch(), one, service_columns, service_row);
	}
	free(backends.at);
	memset(&backends, 0, sizeof(backends));
	return code;
}

static const struct verb service_verbs[] = {
	{
		.name = "add", .help = "make an address and port a service",
		.params = service_params, .count = ARRAY_SIZE(service_params),
		.how = WATTLE_ADD, .encode = service_encode,
	},
	{
		.name = "replace", .help = "the same, or change the settings of what there is",
		.params = service_params, .count = ARRAY_SIZE(service_params),
		.how = WATTLE_REPLACE, .encode = service_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "remove a service and its backends",
		.params = service_params, .count = 2,
		.how = WATTLE_DEL, .encode = service_encode,
	},
	{
		.name = "show", .alias = "list", .help = "the services and their backends",
		.params = service_show_params, .count = ARRAY_SIZE(service_show_params),
		.run = service_show,
	},
};

const struct object service_object = {
	.name = "service", .help = "addresses that stand for the backends behind them",
	.verbs = service_verbs, .count = ARRAY_SIZE(service_verbs),
};
