// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

/* What "via" says is said by its key. */
static const char *const egress_actions[] = { "keep", "masquerade", "gateway", "skip", NULL };

/* "del" takes the rest too, and does not look at it: rules can be pasted. */
static const struct param egress_params[] = {
	{ SLOT_PEER, KIND_PEER, PARAM_REQUIRED, NULL, "PODS", NULL, 0, 0 },
	{ SLOT_TO, KIND_PREFIX, PARAM_REQUIRED, "to", NULL, NULL, 0, 0 },
	{ SLOT_ACTION, KIND_CHOICE, 0, NULL, NULL, egress_actions, 0, 0 },
	{ SLOT_AS, KIND_ADDR, 0, "as", NULL, NULL, 0, 0 },
	{ SLOT_VIA, KIND_ADDR, 0, "via", NULL, NULL, 0, 0 },
};

static const struct param egress_id_params[] = {
	{ SLOT_ID, KIND_NUMBER, 0, "id", NULL, NULL, 1, UINT32_MAX },
};

static const struct column egress_columns[] = {
	{ "FROM", "from" }, { "TO", "to" }, { "ACTION", "action" }, { "AS", "as" },
	{ "VIA", "via" }, { "NODE", "node" }, { NULL, NULL }
};

static int egress_from(struct call *call, struct wattle_egress *egress)
{
	const struct peer *peer = &value_of(call, SLOT_PEER)->peer;

	egress->id = peer->id;
	if (peer->kind == WATTLE_PEER_KIND_ANY && strcmp(value_of(call, SLOT_PEER)->text, "any")) {
		report(call, NULL, "identity 0 is nobody; all pods are \"any\"");
		return EXIT_REFUSED;
	}
	if (peer->kind != WATTLE_PEER_KIND_PREFIX)
		return EXIT_DONE;
	if (peer->prefix.len == wattle_addr_bits(&peer->prefix.addr)) {
		egress->source = peer->prefix.addr;
		return EXIT_DONE;
	}
	report(call, NULL, "the pods are any, those of an identity, or the one at an address");
	return EXIT_REFUSED;
}

static int egress_action(struct call *call, struct wattle_egress *egress)
{
	bool via = given(call, SLOT_VIA);

	if (via == given(call, SLOT_ACTION)) {
		report(call, NULL, via ? "what goes via a gateway has no other action" :
		       "keep|masquerade|gateway|skip or \"via ADDR\" is missing");
		return EXIT_USAGE;
	}
	egress->action = number_of(call, SLOT_ACTION, WATTLE_EGRESS_ACTION_VIA);
	if (via)
		egress->via = value_of(call, SLOT_VIA)->addr;
	if (given(call, SLOT_AS))
		egress->as = value_of(call, SLOT_AS)->addr;
	if (!given(call, SLOT_AS) || egress->action == WATTLE_EGRESS_ACTION_MASQUERADE ||
	    egress->action == WATTLE_EGRESS_ACTION_GATEWAY)
		return EXIT_DONE;
	report(call, "as", "is for masquerade and gateway");
	return EXIT_REFUSED;
}

static int egress_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_egress egress = { .to = value_of(call, SLOT_TO)->prefix };
	int code;

	code = egress_from(call, &egress);
	if (!code && call->verb->how != WATTLE_DEL)
		code = egress_action(call, &egress);
	return code ? code : wattle_egress_encode(msg, call->verb->how, &egress);
}

static json_t *egress_from_json(const struct wattle_egress *egress)
{
	if (egress->source.len)
		return json_addr(&egress->source);
	return egress->id ? json_sprintf("id %u", egress->id) : json_string("any");
}

static json_t *egress_row(const struct nlmsghdr *nlh)
{
	struct wattle_egress egress;

	wattle_egress_parse(nlh, &egress);
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "from", egress_from_json(&egress),
			 "id", egress.id ? json_integer(egress.id) : json_null(),
			 "to", json_prefix(&egress.to),
			 "action", choice_text(words_egress, egress.action),
			 "as", json_addr(&egress.as), "via", json_addr(&egress.via),
			 "node", json_text(egress.node));
}

static int egress_show(struct call *call)
{
	wattle_egress_ask(scratch(), number_of(call, SLOT_ID, 0));
	return show_dump(call, scratch(), false, egress_columns, egress_row);
}

static const struct verb egress_verbs[] = {
	{
		.name = "add", .help = "how packets of PODS (any, id N or ADDR) to a prefix leave",
		.params = egress_params, .count = ARRAY_SIZE(egress_params),
		.how = WATTLE_ADD, .encode = egress_encode,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = egress_params, .count = ARRAY_SIZE(egress_params),
		.how = WATTLE_REPLACE, .encode = egress_encode,
	},
	{
		.name = "del", .alias = "delete", .help = "remove a rule",
		.params = egress_params, .count = ARRAY_SIZE(egress_params),
		.how = WATTLE_DEL, .encode = egress_encode,
	},
	{
		.name = "show", .alias = "list", .help = "the rules, or those of an identity",
		.params = egress_id_params, .count = ARRAY_SIZE(egress_id_params),
		.run = egress_show,
	},
};

const struct object egress_object = {
	.name = "egress", .help = "how pods' packets leave the cluster",
	.verbs = egress_verbs, .count = ARRAY_SIZE(egress_verbs),
};
