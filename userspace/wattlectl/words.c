// SPDX-License-Identifier: GPL-2.0-only
/* Words for the numbers of the family, by number; and a rule in words. */
#include <stdarg.h>
#include <string.h>

#include "wattlectl.h"

const char *const words_off_on[] = { "off", "on", NULL };

const char *const words_mode[] = {
	[WATTLE_MODE_IDENTITY] = "identity",
	[WATTLE_MODE_GBP] = "gbp",
	[WATTLE_MODE_PLAIN] = "plain",
	NULL
};

const char *const words_direction[] = {
	[WATTLE_DIRECTION_INGRESS] = "ingress",
	[WATTLE_DIRECTION_EGRESS] = "egress",
	NULL
};

const char *const words_action[] = {
	[WATTLE_ACTION_DENY] = "deny",
	[WATTLE_ACTION_ALLOW] = "allow",
	NULL
};

const char *const words_verdict[] = {
	[WATTLE_VERDICT_ALLOW] = "allow",
	[WATTLE_VERDICT_DENY] = "deny",
	[WATTLE_VERDICT_REJECT] = "reject",
	[WATTLE_VERDICT_DROP] = "drop",
	NULL
};

const char *const words_enforce[] = {
	"none",
	[WATTLE_ENFORCE_INGRESS] = "ingress",
	[WATTLE_ENFORCE_EGRESS] = "egress",
	[WATTLE_ENFORCE_INGRESS | WATTLE_ENFORCE_EGRESS] = "both",
	NULL
};

const char *const words_alg[] = {
	[WATTLE_ALG_RANDOM] = "random",
	[WATTLE_ALG_MAGLEV] = "maglev",
	NULL
};

const char *const words_scope[] = {
	[WATTLE_SCOPE_ANY] = "any",
	[WATTLE_SCOPE_OUTSIDE] = "outside",
	NULL
};

const char *const words_empty[] = {
	[WATTLE_EMPTY_REJECT] = "reject",
	[WATTLE_EMPTY_DROP] = "drop",
	NULL
};

const char *const words_source_policy[] = {
	[WATTLE_SOURCE_POLICY_ALLOW] = "allow",
	[WATTLE_SOURCE_POLICY_DENY] = "deny",
	NULL
};

const char *const words_state[] = {
	[WATTLE_BACKEND_STATE_ACTIVE] = "active",
	[WATTLE_BACKEND_STATE_TERMINATING] = "terminating",
	[WATTLE_BACKEND_STATE_QUARANTINED] = "quarantined",
	NULL
};

const char *const words_identity_by[] = {
	[WATTLE_IDENTITY_BY_PREFIX] = "prefix",
	[WATTLE_IDENTITY_BY_ENDPOINT] = "endpoint",
	[WATTLE_IDENTITY_BY_HOST] = "host",
	[WATTLE_IDENTITY_BY_NODE] = "node",
	[WATTLE_IDENTITY_BY_WORLD] = "world",
	NULL
};

const char *const words_egress[] = {
	[WATTLE_EGRESS_ACTION_KEEP] = "keep",
	[WATTLE_EGRESS_ACTION_MASQUERADE] = "masquerade",
	[WATTLE_EGRESS_ACTION_GATEWAY] = "gateway",
	[WATTLE_EGRESS_ACTION_SKIP] = "skip",
	[WATTLE_EGRESS_ACTION_VIA] = "via",
	NULL
};

struct text {
	char *at;
	size_t left;
};

static void text_add(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void text_add(struct text *text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text->at, text->left, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= text->left)
		len = text->left - 1;
	text->at += len;
	text->left -= len;
}

static void text_add_ports(struct text *text, const struct wattle_rule *rule)
{
	if (!rule->has_port || (!rule->port_min && rule->port_max == UINT16_MAX))
		return;
	if (rule->has_proto && wattle_proto_is_icmp(rule->proto)) {
		text_add(text, " type %u", rule->port_min >> 8);
		if (rule->port_min == rule->port_max)
			text_add(text, " code %u", rule->port_min & 0xff);
	} else if (rule->port_min == rule->port_max) {
		text_add(text, " port %u", rule->port_min);
	} else {
		text_add(text, " port %u-%u", rule->port_min, rule->port_max);
	}
}

char *rule_text(char *text, size_t size, const struct wattle_rule *rule)
{
	struct text out = { text, size };
	char buf[WATTLE_PREFIX_STRLEN];

	text_add(&out, "id %u %s", rule->id, choice_text(words_direction, rule->direction));
	switch (rule->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		text_add(&out, " peer id %u", rule->peer_id);
		break;
	case WATTLE_PEER_KIND_PREFIX:
		text_add(&out, " peer %s", wattle_prefix_text(buf, &rule->peer));
		break;
	default:
		text_add(&out, " peer any");
	}
	if (rule->outside)
		text_add(&out, " outside");
	if (rule->has_proto)
		text_add(&out, " proto %s", wattle_proto_text(buf, rule->proto));
	text_add_ports(&out, rule);
	text_add(&out, " %s", choice_text(words_action, rule->action));
	if (rule->priority)
		text_add(&out, " priority %u", rule->priority);
	return text;
}
