// SPDX-License-Identifier: GPL-2.0-only
#include "wattlectl.h"

static const struct column stats_columns[] = {
	{ "NAME", "name" }, { "PACKETS", "packets" }, { "BYTES", "bytes" }, { "DROP", "drop" },
	{ "HELP", "help" }, { NULL, NULL }
};

static json_t *stats_row(const struct nlmsghdr *nlh)
{
	struct wattle_stat stat;

	wattle_stat_parse(nlh, &stat);
	return json_pack("{s:s, s:I, s:I, s:b, s:s}", "name", stat.name,
			 "packets", (json_int_t)stat.packets, "bytes", (json_int_t)stat.bytes,
			 "drop", stat.drop, "help", stat.help);
}

static int stats_show(struct call *call)
{
	wattle_stat_ask(scratch());
	return show_dump(call, scratch(), false, stats_columns, stats_row);
}

static const struct verb stats_verbs[] = {
	{
		.name = "show", .alias = "list", .help = "every reason for drops, every counter",
		.run = stats_show,
	},
};

const struct object stats_object = {
	.name = "stats", .help = "counters",
	.verbs = stats_verbs, .count = ARRAY_SIZE(stats_verbs),
};
