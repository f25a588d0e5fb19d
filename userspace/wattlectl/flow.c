// SPDX-License-Identifier: GPL-2.0-only
/* The flow caches of the CPUs. */
#include "wattlectl.h"

static const struct column flow_columns[] = {
	{ "CPU", "cpu" }, { "SRC", "src" }, { "SPORT", "sport" }, { "DST", "dst" },
	{ "DPORT", "dport" }, { "PROTO", "proto" }, { "SRC-ID", "src_identity" },
	{ "DST-ID", "dst_identity" }, { "VERDICT", "verdict" }, { "NAT-DST", "nat_dst" },
	{ "VIA", "via" }, { "DEV", "dev" }, { "PACKETS", "packets" }, { "BYTES", "bytes" },
	{ NULL, NULL }
};

static json_t *flow_row(const struct nlmsghdr *nlh)
{
	struct wattle_flow f;
	json_t *object;

	wattle_flow_parse(nlh, &f);
	object = json_pack("{s:o, s:o, s:o, s:i, s:i, s:I, s:I, s:I, s:s, s:o}",
			   "src", json_addr(&f.src), "dst", json_addr(&f.dst),
			   "proto", json_proto(f.proto), "sport", f.sport, "dport", f.dport,
			   "cpu", (json_int_t)f.cpu, "src_identity", (json_int_t)f.src_identity,
			   "dst_identity", (json_int_t)f.dst_identity,
			   "verdict", choice_text(words_verdict, f.verdict),
			   "reason", json_text(f.reason_name));
	if (!object)
		return NULL;
	json_object_set_new(object, "nat_src", json_sockaddr(&f.nat_src, f.nat_sport));
	json_object_set_new(object, "nat_dst", json_sockaddr(&f.nat_dst, f.nat_dport));
	json_object_set_new(object, "via", json_addr(&f.via));
	json_object_set_new(object, "dev", json_dev(f.ifindex));
	json_object_set_new(object, "ifindex", f.ifindex ? json_integer(f.ifindex) : json_null());
	json_object_set_new(object, "packets", json_integer(f.packets));
	json_object_set_new(object, "bytes", json_integer(f.bytes));
	json_object_set_new(object, "generation", json_integer(f.generation));
	return object;
}

static int flow_show(struct call *call)
{
	wattle_flow_ask(scratch());
	return show_dump(call, scratch(), false, flow_columns, flow_row);
}

static int flow_flush(struct call *call, struct nl_msg *msg)
{
	(void)call;
	return wattle_flow_flush(msg);
}

static const struct verb flow_verbs[] = {
	{
		.name = "show", .alias = "list", .help = "what the caches of all CPUs hold",
		.run = flow_show,
	},
	{
		.name = "flush", .help = "empty them, which costs time only",
		.encode = flow_flush,
	},
};

const struct object flow_object = {
	.name = "flow", .help = "decisions that are kept, one a flow and CPU",
	.verbs = flow_verbs, .count = ARRAY_SIZE(flow_verbs),
};
