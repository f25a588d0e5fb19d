// SPDX-License-Identifier: GPL-2.0-only
#include <netlink/msg.h>
#include <string.h>

#include "wattlectl.h"

static const struct param backend_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
	{ SLOT_SCOPE, KIND_CHOICE, 0, "scope", NULL, words_scope, 0, 0 },
	{ SLOT_TO, KIND_SOCKADDR, PARAM_REQUIRED, "to", NULL, NULL, 0, 0 },
	{ SLOT_WEIGHT, KIND_NUMBER, 0, "weight", NULL, NULL, 0, 65535 },
	{ SLOT_STATE, KIND_CHOICE, 0, "state", NULL, words_state, 0, 0 },
};

static const struct param backend_show_params[] = {
	{ SLOT_FRONTEND, KIND_FRONTEND, 0, NULL, NULL, NULL, 0, 0 },
	{ SLOT_SCOPE, KIND_CHOICE, 0, "scope", NULL, words_scope, 0, 0 },
};

static const struct column backend_columns[] = {
	{ "SERVICE", "frontend" }, { "SCOPE", "scope" }, { "BACKEND", "backend" }, { "WEIGHT", "weight" },
	{ "STATE", "state" }, { "CONNECTIONS", "connections" }, { "LIVE", "live" },
	{ "IN", "in_bytes" }, { "OUT", "out_bytes" }, { NULL, NULL }
};

struct wanted {
	const struct wattle_backend *key;
	struct wattle_backend found;
	bool any;
};

static int backend_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct wanted *wanted = arg;
	struct wattle_backend backend;

	if (wattle_backend_parse(nlh, &backend) || backend.port != wanted->key->port ||
	    !wattle_addr_equal(&backend.addr, &wanted->key->addr))
		return 0;
	wanted->found = backend;
	wanted->any = true;
	return 1;
}

/* "set" changes what is given and leaves the rest: the family replaces all. */
static int backend_fill(struct call *call, struct wattle_backend *backend)
{
	struct wanted wanted = { .key = backend };
	struct wattle_sock *sock = family(call);
	struct wattle_error err;
	struct nl_msg *msg;
	int code;

	if (!sock)
		return EXIT_REFUSED;
	msg = nlmsg_alloc();
	if (!msg) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	wattle_backend_ask(msg, &backend->service);
	code = wattle_dump(sock, msg, backend_reply, &wanted, &err);
	nlmsg_free(msg);
	if (code < 0) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	if (!wanted.any) {
		report(call, "to", "the service has no such backend%s",
		       call->file ? " before this batch: use \"replace\"" : "");
		return EXIT_REFUSED;
	}
	if (!backend->has_weight)
		backend->weight = wanted.found.weight;
	if (!backend->has_state)
		backend->state = wanted.found.state;
	backend->has_weight = true;
	backend->has_state = true;
	return EXIT_DONE;
}

static int backend_encode(struct call *call, struct nl_msg *msg)
{
	const struct value *to = value_of(call, SLOT_TO);
	struct wattle_backend backend = {
		.service = frontend_of(call),
		.addr = to->frontend.addr,
		.port = to->frontend.port,
		.has_weight = given(call, SLOT_WEIGHT),
		.weight = number_of(call, SLOT_WEIGHT, 0),
		.has_state = given(call, SLOT_STATE),
		.state = number_of(call, SLOT_STATE, 0),
	};
	int code = EXIT_DONE;

	if (backend.addr.len != backend.service.addr.len) {
		report(call, "to", "%s is of another family than the service", to->text);
		return EXIT_REFUSED;
	}
	if (call->verb->how == WATTLE_SET)
		code = backend_fill(call, &backend);
	return code ? code : wattle_backend_encode(msg, call->verb->how, &backend);
}

static json_t *backend_row(const struct nlmsghdr *nlh)
{
	struct wattle_backend b;
	json_t *object;

	wattle_backend_parse(nlh, &b);
	object = json_pack("{s:o, s:s, s:o, s:o, s:i, s:i, s:s}",
			   "frontend", json_frontend(&b.service),
			   "scope", choice_text(words_scope, b.service.scope),
			   "backend", json_sockaddr(&b.addr, b.port), "addr", json_addr(&b.addr),
			   "port", b.port, "weight", b.weight,
			   "state", choice_text(words_state, b.state));
	json_backend_counted(object, &b);
	return object;
}

static int backend_show(struct call *call)
{
	const struct wattle_frontend service = frontend_of(call);
	bool one = given(call, SLOT_FRONTEND);

	if (given(call, SLOT_SCOPE) && !one) {
		report(call, "scope", "is for one service: ADDR:PORT/PROTO is missing");
		return EXIT_USAGE;
	}
	wattle_backend_ask_counters(scratch(), one ? &service : NULL);
	return show_dump(call, scratch(), false, backend_columns, backend_row);
}

static const struct verb backend_verbs[] = {
	{
		.name = "add", .help = "add a backend to a service",
		.params = backend_params, .count = ARRAY_SIZE(backend_params),
		.how = WATTLE_ADD, .encode = backend_encode,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = backend_params, .count = ARRAY_SIZE(backend_params),
		.how = WATTLE_REPLACE, .encode = backend_encode,
	},
	{
		.name = "set", .help = "change the weight or the state of a backend",
		.params = backend_params, .count = ARRAY_SIZE(backend_params),
		.how = WATTLE_SET, .encode = backend_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "remove a backend from a service",
		.params = backend_params, .count = 3,
		.how = WATTLE_DEL, .encode = backend_encode,
	},
	{
		.name = "show", .alias = "list", .help = "the backends, or those of a service",
		.params = backend_show_params, .count = ARRAY_SIZE(backend_show_params),
		.run = backend_show,
	},
};

const struct object backend_object = {
	.name = "backend", .help = "what is behind a service",
	.verbs = backend_verbs, .count = ARRAY_SIZE(backend_verbs),
};
