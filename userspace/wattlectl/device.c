// SPDX-License-Identifier: GPL-2.0-only
/* The device: an rtnl link, so that no transaction holds it. */
#include <errno.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

static const char *const words_underlay[] = { "4", "6", NULL };

/* What the outer headers can tell of. The kernel would refuse it after it has set the rest. */
#define WATTLE_MTU_MAX	(65535 - 50)

#define DEVICE_OPTIONS \
	{ SLOT_LOCAL, KIND_ADDR, PARAM_MANY, "local", NULL, NULL, 0, 0 }, \
	{ SLOT_PORT, KIND_NUMBER, 0, "port", NULL, NULL, 1, 65535 }, \
	{ SLOT_MODE, KIND_CHOICE, 0, "mode", NULL, words_mode, 0, 0 }, \
	{ SLOT_VNI, KIND_NUMBER, 0, "vni", NULL, NULL, 0, 0xffffff }, \
	{ SLOT_MTU, KIND_NUMBER, 0, "mtu", NULL, NULL, 68, WATTLE_MTU_MAX }, \
	{ SLOT_STRICT, KIND_CHOICE, 0, "strict", NULL, words_off_on, 0, 0 }, \
	{ SLOT_UNDERLAY, KIND_CHOICE, 0, "underlay", NULL, words_underlay, 0, 0 }, \
	{ SLOT_CACHE, KIND_CHOICE, 0, "cache", NULL, words_off_on, 0, 0 }, \
	{ SLOT_CSUM, KIND_CHOICE, 0, "csum", NULL, words_off_on, 0, 0 }, \
	{ SLOT_TTL, KIND_NUMBER, 0, "ttl", NULL, NULL, 1, 255 }, \
	{ SLOT_AUDIT, KIND_CHOICE, 0, "audit", NULL, words_off_on, 0, 0 }

static const struct param device_add_params[] = {
	{ SLOT_NAME, KIND_DEV, PARAM_REQUIRED, NULL, "NAME", NULL, 0, 0 },
	DEVICE_OPTIONS,
};

static const struct param device_del_params[] = {
	{ SLOT_NAME, KIND_DEV, PARAM_REQUIRED, NULL, "NAME", NULL, 0, 0 },
};

static const struct column device_columns[] = {
	{ "NAME", "name" }, { "STATE", "state" }, { "MTU", "mtu" }, { "LOCAL", "local" },
	{ "PORT", "port" }, { "MODE", "mode" }, { "VNI", "vni" }, { "STRICT", "strict" },
	{ "CACHE", "cache" }, { "AUDIT", "audit" }, { "GENERATION", "generation" },
	{ NULL, NULL }
};

/* ---- what there is ---- */

static int device_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct wattle_link link;

	if (wattle_link_parse(nlh, &link))
		return 0;
	*(struct wattle_link *)arg = link;
	return 1;
}

bool device_find(struct wattle_link *link)
{
	struct wattle_sock *sock;
	struct wattle_error err;
	int code;

	memset(link, 0, sizeof(*link));
	if (wattle_open_route(&sock, &err))
		return false;
	code = wattle_link_ask(scratch());
	if (!code)
		code = wattle_dump(sock, scratch(), device_reply, link, &err);
	wattle_close(sock);
	return code >= 0 && link->ifindex;
}

static int device_info(const struct nlmsghdr *nlh, void *arg)
{
	return wattle_info_parse(nlh, arg);
}

static json_t *device_generation(void)
{
	struct wattle_info info = {};
	struct wattle_sock *sock;
	struct wattle_error err;

	if (wattle_open(&sock, &err))
		return json_null();
	wattle_info_ask(scratch());
	if (wattle_call(sock, scratch(), device_info, &info, &err))
		memset(&info, 0, sizeof(info));
	wattle_close(sock);
	return info.ifindex ? json_integer(info.generation) : json_null();
}

static json_t *device_json(const struct wattle_link *link)
{
	json_t *local = json_array(), *object;

	if (link->local4.len)
		json_array_append_new(local, json_addr(&link->local4));
	if (link->local6.len)
		json_array_append_new(local, json_addr(&link->local6));
	object = json_pack("{s:o, s:i, s:s, s:I, s:o, s:i, s:s, s:I, s:b, s:b, s:b, s:i, s:b, s:i}",
			   "name", json_text(link->name), "ifindex", link->ifindex,
			   "state", link->flags & IFF_UP ? "up" : "down",
			   "mtu", (json_int_t)link->mtu, "local", local, "port", link->port,
			   "mode", choice_text(words_mode, link->mode),
			   "vni", (json_int_t)link->vni, "strict", link->strict,
			   "cache", link->cache, "csum", link->csum, "ttl", link->ttl,
			   "audit", link->audit, "underlay", link->underlay);
	if (!object)
		return NULL;
	json_object_set_new(object, "generation", device_generation());
	json_object_set_new(object, "stats",
			    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}",
				      "rx_packets", (json_int_t)link->rx_packets,
				      "rx_bytes", (json_int_t)link->rx_bytes,
				      "rx_dropped", (json_int_t)link->rx_dropped,
				      "tx_packets", (json_int_t)link->tx_packets,
				      "tx_bytes", (json_int_t)link->tx_bytes,
				      "tx_dropped", (json_int_t)link->tx_dropped));
	return object;
}

static int device_show(struct call *call)
{
	struct wattle_link link;
	struct show *show;

	if (!device_find(&link)) {
		link.ifindex = 0;
		/* None is an answer, but not where there can be none. */
		if (!family(call))
			return EXIT_REFUSED;
	}
	show = show_begin(device_columns);
	if (!show || (link.ifindex && show_row(show, device_json(&link))) || show_end(show)) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

/* ---- changes ---- */

static int device_locals(struct call *call, struct wattle_link *link)
{
	const struct value *value;

	for (value = value_of(call, SLOT_LOCAL); value; value = value->next) {
		struct wattle_addr *local = value->addr.len == 4 ? &link->local4 : &link->local6;

		if (local->len) {
			report(call, "local", "at most one address of each family");
			return EXIT_REFUSED;
		}
		*local = value->addr;
	}
	return EXIT_DONE;
}

static int device_encode(struct call *call, struct nl_msg *msg)
{
	static const struct {
		enum slot slot;
		unsigned int given;
	} slots[] = {
		{ SLOT_PORT, WATTLE_LINK_PORT }, { SLOT_MODE, WATTLE_LINK_MODE },
		{ SLOT_VNI, WATTLE_LINK_VNI }, { SLOT_MTU, WATTLE_LINK_MTU },
		{ SLOT_STRICT, WATTLE_LINK_STRICT }, { SLOT_UNDERLAY, WATTLE_LINK_UNDERLAY },
		{ SLOT_CACHE, WATTLE_LINK_CACHE }, { SLOT_CSUM, WATTLE_LINK_CSUM },
		{ SLOT_TTL, WATTLE_LINK_TTL }, { SLOT_AUDIT, WATTLE_LINK_AUDIT },
	};
	struct wattle_link link = {
		.port = number_of(call, SLOT_PORT, 0),
		.mode = number_of(call, SLOT_MODE, 0),
		.vni = number_of(call, SLOT_VNI, 0),
		.mtu = number_of(call, SLOT_MTU, 0),
		.strict = number_of(call, SLOT_STRICT, 0),
		.underlay = number_of(call, SLOT_UNDERLAY, 0) ? 6 : 4,
		.cache = number_of(call, SLOT_CACHE, 0),
		.csum = number_of(call, SLOT_CSUM, 0),
		.ttl = number_of(call, SLOT_TTL, 0),
		.audit = number_of(call, SLOT_AUDIT, 0),
	};
	unsigned int i;
	int code;

	strcpy(link.name, value_of(call, SLOT_NAME)->text);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (given(call, slots[i].slot))
			link.given |= slots[i].given;
	code = device_locals(call, &link);
	return code ? code : wattle_link_encode(msg, call->verb->how, &link);
}

static void device_refused(struct call *call, struct wattle_error *err)
{
	/* rtnetlink's own words are about kinds and modules. */
	if (err->code == EOPNOTSUPP && call->verb->how == WATTLE_ADD && !err->attr[0])
		report(call, NULL, "the wattle module is not loaded (modprobe wattle)");
	else
		report_error(call, err);
}

/* A link of another kind is none of ours to change or delete. */
static bool device_is(struct call *call)
{
	const char *name = value_of(call, SLOT_NAME)->text;
	struct wattle_link link;

	if (device_find(&link) && !strcmp(link.name, name))
		return true;
	if (link.ifindex)
		report(call, NULL, "is not the wattle device of this network namespace, which is %s",
		       link.name);
	else
		report(call, NULL, "there is no wattle device in this network namespace");
	return false;
}

static int device_change(struct call *call)
{
	struct wattle_sock *sock;
	struct wattle_error err;
	int code;

	if (call->verb->how != WATTLE_ADD && !device_is(call))
		return EXIT_REFUSED;
	code = encode_call(call, scratch());
	if (code)
		return code;
	code = wattle_open_route(&sock, &err);
	if (!code) {
		code = wattle_call(sock, scratch(), NULL, NULL, &err);
		wattle_close(sock);
	}
	if (code) {
		device_refused(call, &err);
		return EXIT_REFUSED;
	}
	return call->verb->how == WATTLE_SET ? routes_sync(call, false) : EXIT_DONE;
}

static const struct verb device_verbs[] = {
	{
		.name = "add", .help = "make the device; it is down",
		.params = device_add_params, .count = ARRAY_SIZE(device_add_params),
		.how = WATTLE_ADD, .encode = device_encode, .run = device_change,
	},
	{
		.name = "set", .help = "change its options",
		.params = device_add_params, .count = ARRAY_SIZE(device_add_params),
		.how = WATTLE_SET, .encode = device_encode, .run = device_change,
	},
	{
		.name = "del", .alias = "delete", .help = "remove it, and all of its tables",
		.params = device_del_params, .count = ARRAY_SIZE(device_del_params),
		.how = WATTLE_DEL, .encode = device_encode, .run = device_change,
	},
	{
		.name = "show", .alias = "list", .help = "the device and its options",
		.run = device_show,
	},
};

const struct object device_object = {
	.name = "device", .help = "the overlay device, one in a network namespace",
	.verbs = device_verbs, .count = ARRAY_SIZE(device_verbs),
};
