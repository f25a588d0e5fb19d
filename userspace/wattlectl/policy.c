// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "manifests.h"
#include "notes.h"

#define POLICY_KEY \
	{ SLOT_ID, KIND_NUMBER, PARAM_REQUIRED, "id", NULL, NULL, 1, UINT32_MAX }, \
	{ SLOT_DIRECTION, KIND_CHOICE, PARAM_REQUIRED, NULL, NULL, words_direction, 0, 0 }, \
	{ SLOT_PEER, KIND_PEER, 0, "peer", NULL, NULL, 0, 0 }, \
	{ SLOT_OUTSIDE, KIND_FLAG, 0, "outside", NULL, NULL, 0, 0 }, \
	{ SLOT_PROTO, KIND_PROTO, 0, "proto", NULL, NULL, 0, 0 }, \
	{ SLOT_PORT, KIND_PORTS, 0, "port", NULL, NULL, 0, 0 }, \
	{ SLOT_TYPE, KIND_NUMBER, 0, "type", NULL, NULL, 0, 255 }, \
	{ SLOT_CODE, KIND_NUMBER, 0, "code", NULL, NULL, 0, 255 }, \
	{ SLOT_ACTION, KIND_CHOICE, PARAM_REQUIRED, NULL, NULL, words_action, 0, 0 }, \
	{ SLOT_PRIORITY, KIND_NUMBER, 0, "priority", NULL, NULL, 0, 65535 }

/* "del" takes an origin too, and does not look at it: rules can be pasted. */
static const struct param policy_params[] = {
	POLICY_KEY,
	{ SLOT_ORIGIN, KIND_TEXT, 0, "origin", NULL, NULL, 0, 255 },
};

static const struct param policy_id_params[] = {
	{ SLOT_ID, KIND_NUMBER, 0, "id", NULL, NULL, 1, UINT32_MAX },
};

static const struct param policy_check_params[] = {
	{ SLOT_FILE, KIND_TEXT, PARAM_REQUIRED | PARAM_MANY, "-f", "FILE|DIR|-", NULL, 0, 4095 },
	{ SLOT_SRC, KIND_TEXT, 0, "from", "NAMESPACE/NAME", NULL, 0, MANIFEST_POD_MAX },
	{ SLOT_DST, KIND_TEXT, 0, "to", "NAMESPACE/NAME", NULL, 0, MANIFEST_POD_MAX },
	{ SLOT_IGNORE, KIND_FLAG, 0, "--ignore-unknown", NULL, NULL, 0, 0 },
};

static const struct column policy_columns[] = {
	{ "ID", "id" }, { "DIRECTION", "direction" }, { "PEER", "peer" }, { "PROTO", "proto" },
	{ "PORT", "port" }, { "TYPE", "type" }, { "CODE", "code" }, { "ACTION", "action" },
	{ "PRIORITY", "priority" }, { "PACKETS", "packets" }, { "BYTES", "bytes" },
	{ "ORIGIN", "origin" }, { NULL, NULL }
};

static int policy_icmp(struct call *call, struct wattle_rule *rule)
{
	unsigned int type = number_of(call, SLOT_TYPE, 0);

	if (given(call, SLOT_PORT)) {
		report(call, "port", "ICMP has no ports, but type N and code N");
		return EXIT_REFUSED;
	}
	if (!given(call, SLOT_TYPE)) {
		if (!given(call, SLOT_CODE))
			return EXIT_DONE;
		report(call, "code", "a code is of a type: \"type N\" is missing");
		return EXIT_USAGE;
	}
	rule->has_port = true;
	rule->port_min = type << 8 | number_of(call, SLOT_CODE, 0);
	rule->port_max = type << 8 | number_of(call, SLOT_CODE, 255);
	return EXIT_DONE;
}

static bool policy_has_ports(const struct wattle_rule *rule)
{
	return rule->has_proto && (rule->proto == IPPROTO_TCP || rule->proto == IPPROTO_UDP ||
				   rule->proto == IPPROTO_SCTP || rule->proto == IPPROTO_DCCP ||
				   rule->proto == IPPROTO_UDPLITE);
}

static int policy_ports(struct call *call, struct wattle_rule *rule)
{
	const struct value *port = value_of(call, SLOT_PORT);

	if (rule->has_proto && wattle_proto_is_icmp(rule->proto))
		return policy_icmp(call, rule);
	if (given(call, SLOT_TYPE) || given(call, SLOT_CODE)) {
		report(call, given(call, SLOT_TYPE) ? "type" : "code",
		       "is for \"proto icmp\" and \"proto icmpv6\"");
		return EXIT_REFUSED;
	}
	if (!port)
		return EXIT_DONE;
	if (!policy_has_ports(rule)) {
		report(call, "port", "is for \"proto tcp\", \"udp\", \"sctp\", \"33\" (DCCP) and \"136\" (UDP-Lite)");
		return EXIT_REFUSED;
	}
	rule->has_port = true;
	rule->port_min = port->ports[0];
	rule->port_max = port->ports[1];
	return EXIT_DONE;
}

static int policy_peer(struct call *call, struct wattle_rule *rule)
{
	const struct value *peer = value_of(call, SLOT_PEER);

	rule->peer_kind = peer ? peer->peer.kind : WATTLE_PEER_KIND_ANY;
	if (peer) {
		rule->peer_id = peer->peer.id;
		rule->peer = peer->peer.prefix;
	}
	rule->outside = given(call, SLOT_OUTSIDE);
	if (!rule->outside || rule->peer_kind == WATTLE_PEER_KIND_PREFIX)
		return EXIT_DONE;
	report(call, "outside", "is for a peer that is a prefix");
	return EXIT_REFUSED;
}

static int policy_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_rule rule = {
		.id = number_of(call, SLOT_ID, 0),
		.direction = number_of(call, SLOT_DIRECTION, 0),
		.has_proto = given(call, SLOT_PROTO),
		.proto = number_of(call, SLOT_PROTO, 0),
		.action = number_of(call, SLOT_ACTION, 0),
		.has_priority = given(call, SLOT_PRIORITY),
		.priority = number_of(call, SLOT_PRIORITY, 0),
	};
	int code;

	code = policy_peer(call, &rule);
	if (!code)
		code = policy_ports(call, &rule);
	if (code)
		return code;
	if (given(call, SLOT_ORIGIN) && call->verb->how != WATTLE_DEL)
		snprintf(rule.origin, sizeof(rule.origin), "%s",
			 value_of(call, SLOT_ORIGIN)->text);
	return wattle_rule_encode(msg, call->verb->how, &rule);
}

static int policy_flush(struct call *call, struct nl_msg *msg)
{
	return wattle_rule_flush(msg, number_of(call, SLOT_ID, 0));
}

static json_t *policy_peer_json(const struct wattle_rule *rule)
{
	switch (rule->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		return json_sprintf("id %u", rule->peer_id);
	case WATTLE_PEER_KIND_PREFIX:
		return json_prefix(&rule->peer);
	default:
		return json_string("any");
	}
}

static void policy_ports_json(json_t *object, const struct wattle_rule *rule)
{
	bool any = !rule->has_port || (!rule->port_min && rule->port_max == UINT16_MAX);
	bool icmp = rule->has_proto && wattle_proto_is_icmp(rule->proto);
	json_t *port = json_null(), *type = json_null(), *code = json_null();

	if (icmp && !any) {
		type = json_integer(rule->port_min >> 8);
		if (rule->port_min == rule->port_max)
			code = json_integer(rule->port_min & 0xff);
	} else if (!any && rule->port_min == rule->port_max) {
		port = json_sprintf("%u", rule->port_min);
	} else if (!any) {
		port = json_sprintf("%u-%u", rule->port_min, rule->port_max);
	}
	json_object_set_new(object, "port", port);
	json_object_set_new(object, "type", type);
	json_object_set_new(object, "code", code);
}

static json_t *policy_row(const struct nlmsghdr *nlh)
{
	struct wattle_rule rule;
	char text[RULE_STRLEN];
	json_t *object;

	wattle_rule_parse(nlh, &rule);
	object = json_pack("{s:I, s:s, s:o}", "id", (json_int_t)rule.id,
			   "direction", choice_text(words_direction, rule.direction),
			   "peer", policy_peer_json(&rule));
	if (!object)
		return NULL;
	json_object_set_new(object, "peer_id", rule.peer_kind == WATTLE_PEER_KIND_IDENTITY ?
			    json_integer(rule.peer_id) : json_null());
	json_object_set_new(object, "outside", json_boolean(rule.outside));
	json_object_set_new(object, "proto", rule.has_proto ? json_proto(rule.proto) : json_null());
	policy_ports_json(object, &rule);
	json_object_set_new(object, "action", json_string(choice_text(words_action, rule.action)));
	json_object_set_new(object, "priority", json_integer(rule.priority));
	json_object_set_new(object, "origin", json_text(rule.origin));
	json_object_set_new(object, "packets", json_integer(rule.packets));
	json_object_set_new(object, "bytes", json_integer(rule.bytes));
	json_object_set_new(object, "rule", json_text(rule_text(text, sizeof(text), &rule)));
	return object;
}

/* Notes are no rules: who wants to see them asks for them. */
static json_t *policy_rule_row(const struct nlmsghdr *nlh)
{
	struct wattle_rule rule;

	return wattle_rule_parse(nlh, &rule) || is_note(rule.id) ? NULL : policy_row(nlh);
}

static int policy_show(struct call *call)
{
	uint32_t id = number_of(call, SLOT_ID, 0);

	wattle_rule_ask(scratch(), id);
	return show_dump(call, scratch(), false, policy_columns,
			 is_note(id) ? policy_row : policy_rule_row);
}

static const struct verb policy_verbs[] = {
	{
		.name = "add", .help = "add a rule for the endpoints of an identity",
		.params = policy_params, .count = ARRAY_SIZE(policy_params),
		.how = WATTLE_ADD, .encode = policy_encode,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = policy_params, .count = ARRAY_SIZE(policy_params),
		.how = WATTLE_REPLACE, .encode = policy_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "remove a rule",
		.params = policy_params, .count = ARRAY_SIZE(policy_params),
		.how = WATTLE_DEL, .encode = policy_encode,
	},
	{
		.name = "flush", .help = "remove all rules, or those of an identity",
		.params = policy_id_params, .count = ARRAY_SIZE(policy_id_params),
		.encode = policy_flush,
	},
	{
		.name = "show", .alias = "list", .help = "the rules, or those of an identity",
		.params = policy_id_params, .count = ARRAY_SIZE(policy_id_params),
		.run = policy_show,
	},
	{
		.name = "check", .help = "who may talk to whom by manifests, without a kernel",
		.params = policy_check_params, .count = ARRAY_SIZE(policy_check_params),
		.run = policy_check,
	},
};

const struct object policy_object = {
	.name = "policy", .help = "who may talk to whom",
	.verbs = policy_verbs, .count = ARRAY_SIZE(policy_verbs),
};
