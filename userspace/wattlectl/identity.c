// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

static const struct param identity_params[] = {
	{ SLOT_PREFIX, KIND_PREFIX, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
	{ SLOT_ID, KIND_NUMBER, PARAM_REQUIRED, "id", NULL, NULL, 0, UINT32_MAX },
	{ SLOT_VIA, KIND_ADDR, 0, "via", NULL, NULL, 0, 0 },
};

static const struct param identity_get_params[] = {
	{ SLOT_ADDR, KIND_ADDR, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
};

static const struct column identity_columns[] = {
	{ "PREFIX", "prefix" }, { "ID", "id" }, { "VIA", "via" }, { "NODE", "node" },
	{ "LABELS", "labels" }, { NULL, NULL }
};

static int identity_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_identity identity = {
		.prefix = value_of(call, SLOT_PREFIX)->prefix,
		.id = number_of(call, SLOT_ID, 0),
	};

	if (given(call, SLOT_VIA))
		identity.via = value_of(call, SLOT_VIA)->addr;
	return wattle_identity_encode(msg, call->verb->how, &identity);
}

/* What the number stands for, where manifests have told it. */
static json_t *identity_labels(uint32_t id)
{
	const char *text = notes_labels(notes_known(), id);
	char *copy = strdup(text ? text : ""), *rest = copy, *word;
	json_t *array = json_array();

	while (copy && (word = strsep(&rest, " ")))
		if (*word)
			json_array_append_new(array, json_text(word));
	free(copy);
	return array;
}

static json_t *identity_row(const struct nlmsghdr *nlh)
{
	struct wattle_identity identity;
	json_t *object;

	wattle_identity_parse(nlh, &identity);
	object = json_pack("{s:o, s:I, s:o, s:o, s:o}", "prefix", json_prefix(&identity.prefix),
			   "id", (json_int_t)identity.id, "via", json_addr(&identity.via),
			   "node", json_text(identity.node),
			   "labels", identity_labels(identity.id));
	/* Only of an address that was asked for. */
	if (object && identity.has_by)
		json_object_set_new(object, "by",
				    json_text(choice_text(words_identity_by, identity.by)));
	return object;
}

static int identity_show(struct call *call)
{
	wattle_identity_ask(scratch(), NULL);
	return show_dump(call, scratch(), false, identity_columns, identity_row);
}

static int identity_reply(const struct nlmsghdr *nlh, void *arg)
{
	*(json_t **)arg = identity_row(nlh);
	return 1;
}

static int identity_get(struct call *call)
{
	struct wattle_sock *sock = family(call);
	json_t *object = NULL;
	struct wattle_error err;

	if (!sock)
		return EXIT_REFUSED;
	wattle_identity_ask(scratch(), &value_of(call, SLOT_ADDR)->addr);
	if (wattle_call(sock, scratch(), identity_reply, &object, &err)) {
		json_decref(object);
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	return show_object(object);
}

static const struct verb identity_verbs[] = {
	{
		.name = "add", .help = "say what the addresses of a prefix are, and where",
		.params = identity_params, .count = ARRAY_SIZE(identity_params),
		.how = WATTLE_ADD, .encode = identity_encode,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = identity_params, .count = ARRAY_SIZE(identity_params),
		.how = WATTLE_REPLACE, .encode = identity_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "forget a prefix",
		.params = identity_params, .count = 1,
		.how = WATTLE_DEL, .encode = identity_encode,
	},
	{
		.name = "get", .help = "the identity of an address, and what it has it by",
		.params = identity_get_params, .count = ARRAY_SIZE(identity_get_params),
		.run = identity_get,
	},
	{
		.name = "show", .alias = "list", .help = "the prefixes", .run = identity_show,
	},
};

const struct object identity_object = {
	.name = "identity", .help = "what an address is, by the longest prefix",
	.verbs = identity_verbs, .count = ARRAY_SIZE(identity_verbs),
};
