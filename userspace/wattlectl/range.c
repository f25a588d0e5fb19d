// SPDX-License-Identifier: GPL-2.0-only
#include "wattlectl.h"

static const struct param range_params[] = {
	{ SLOT_PREFIX, KIND_PREFIX, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
};

static const struct column range_columns[] = {
	{ "PREFIX", "prefix" }, { NULL, NULL }
};

static int range_encode(struct call *call, struct nl_msg *msg)
{
	return wattle_range_encode(msg, call->verb->how, &value_of(call, SLOT_PREFIX)->prefix);
}

static json_t *range_row(const struct nlmsghdr *nlh)
{
	struct wattle_prefix prefix;

	wattle_range_parse(nlh, &prefix);
	return json_pack("{s:o}", "prefix", json_prefix(&prefix));
}

static int range_show(struct call *call)
{
	wattle_range_ask(scratch());
	return show_dump(call, scratch(), false, range_columns, range_row);
}

static const struct verb range_verbs[] = {
	{
		.name = "add", .help = "addresses of this prefix are for services",
		.params = range_params, .count = ARRAY_SIZE(range_params),
		.how = WATTLE_ADD, .encode = range_encode,
	},
	{
		.name = "replace", .help = "the same, and it may be there already",
		.params = range_params, .count = ARRAY_SIZE(range_params),
		.how = WATTLE_REPLACE, .encode = range_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "they are for anybody",
		.params = range_params, .count = ARRAY_SIZE(range_params),
		.how = WATTLE_DEL, .encode = range_encode,
	},
	{
		.name = "show", .alias = "list", .help = "the ranges",
		.run = range_show,
	},
};

const struct object range_object = {
	.name = "range", .help = "prefixes that the addresses of services are from",
	.verbs = range_verbs, .count = ARRAY_SIZE(range_verbs),
};
