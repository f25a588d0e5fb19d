// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

static const struct param service_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
	{ SLOT_ALG, KIND_CHOICE, 0, "alg", NULL, words_alg, 0, 0 },
	{ SLOT_AFFINITY, KIND_NUMBER, 0, "affinity", "SECONDS", NULL, 0, UINT32_MAX },
	{ SLOT_MAGLEV_SIZE, KIND_NUMBER, 0, "maglev-size", "PRIME", NULL, 1, UINT32_MAX },
};

static const struct param service_show_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, 0, NULL, NULL, NULL, 0, 0 },
};

static const struct column service_columns[] = {
	{ "FRONTEND", "frontend" }, { "ID", "id" }, { "ALG", "alg" }, { "AFFINITY", "affinity" },
	{ "BACKENDS", "backends" }, { NULL, NULL }
};

static int service_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_service service = {
		.frontend = value_of(call, SLOT_FRONTEND)->frontend,
		.has_alg = given(call, SLOT_ALG),
		.alg = number_of(call, SLOT_ALG, 0),
		.has_affinity = given(call, SLOT_AFFINITY),
		.affinity = number_of(call, SLOT_AFFINITY, 0),
		.maglev_size = number_of(call, SLOT_MAGLEV_SIZE, 0),
	};

	return wattle_service_encode(msg, call->verb->how, &service);
}

/* ---- shown with their backends, which are a dump of their own ---- */

struct backends {
	struct wattle_backend *at;
	size_t count;
	size_t room;
	bool full;
};

static struct backends backends;

static int frontend_compare(const struct wattle_frontend *a, const struct wattle_frontend *b)
{
	int diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	if (!diff)
		diff = (int)a->port - b->port;
	return diff ? diff : (int)a->proto - b->proto;
}

static int backend_compare(const void *x, const void *y)
{
	const struct wattle_backend *a = x, *b = y;
	int diff = frontend_compare(&a->service, &b->service);

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
	wattle_backend_ask(scratch(), service);
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

static json_t *service_backends(const struct wattle_frontend *frontend)
{
	size_t low = 0, high = backends.count;
	json_t *array = json_array();

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (frontend_compare(&backends.at[mid].service, frontend) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < backends.count; low++) {
		const struct wattle_backend *b = &backends.at[low];

		if (frontend_compare(&b->service, frontend))
			break;
		json_array_append_new(array, json_pack("{s:o, s:i, s:s}", "backend",
						       json_sockaddr(&b->addr, b->port),
						       "weight", b->weight, "state",
						       choice_text(words_state, b->state)));
	}
	return array;
}

static json_t *service_row(const struct nlmsghdr *nlh)
{
	struct wattle_service s;

	wattle_service_parse(nlh, &s);
	return json_pack("{s:o, s:o, s:i, s:o, s:s, s:I, s:I, s:I, s:o}",
			 "frontend", json_frontend(&s.frontend), "addr", json_addr(&s.frontend.addr),
			 "port", s.frontend.port, "proto", json_proto(s.frontend.proto),
			 "alg", choice_text(words_alg, s.alg), "affinity", (json_int_t)s.affinity,
			 "maglev_size", (json_int_t)s.maglev_size, "id", (json_int_t)s.id,
			 "backends", service_backends(&s.frontend));
}

static int service_show(struct call *call)
{
	const struct value *value = value_of(call, SLOT_FRONTEND);
	int code;

	code = backends_load(call, value ? &value->frontend : NULL);
	if (!code) {
		wattle_service_ask(scratch(), value ? &value->frontend : NULL);
		code = show_dump(call, scratch(), value, service_columns, service_row);
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
		.params = service_params, .count = 1,
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
