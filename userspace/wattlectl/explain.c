// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel would do with a packet, and why. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "because.h"
#include "event.h"

static const struct param explain_params[] = {
	{ SLOT_SRC, KIND_ADDR, PARAM_REQUIRED, "src", NULL, NULL, 0, 0 },
	{ SLOT_DST, KIND_ADDR, PARAM_REQUIRED, "dst", NULL, NULL, 0, 0 },
	{ SLOT_PROTO, KIND_PROTO, PARAM_REQUIRED, "proto", NULL, NULL, 0, 0 },
	{ SLOT_SPORT, KIND_NUMBER, 0, "sport", NULL, NULL, 0, 65535 },
	{ SLOT_DPORT, KIND_NUMBER, 0, "dport", NULL, NULL, 0, 65535 },
	{ SLOT_TYPE, KIND_NUMBER, 0, "type", NULL, NULL, 0, 255 },
	{ SLOT_CODE, KIND_NUMBER, 0, "code", NULL, NULL, 0, 255 },
};

/* ---- as JSON ---- */

/* In the words of "policy add", with the place in a manifest that it is from. */
static json_t *decision_rule(const struct wattle_decision *decision)
{
	char text[RULE_STRLEN + sizeof(decision->rule.origin)];
	size_t len;

	/* What happens where no rule says anything is not a rule to people. */
	if (decision_is_default(decision))
		return json_null();
	rule_text(text, RULE_STRLEN, &decision->rule);
	len = strlen(text);
	if (decision->rule.origin[0])
		snprintf(text + len, sizeof(text) - len, " origin \"%s\"",
			 decision->rule.origin);
	return json_text(text);
}

static json_t *decision_json(const struct wattle_decision *decision)
{
	char names[sizeof(decision->rule.origin)];
	bool open = decision_is_default(decision) && decision->has_rule &&
		    decision->action == WATTLE_ACTION_ALLOW;

	if (!decision->present)
		return json_null();
	return json_pack("{s:b, s:s, s:o, s:o}", "enforced", decision->enforced && !open,
			 "verdict", choice_text(words_action, decision->action),
			 "rule", decision_rule(decision),
			 "policy", json_text(policy_names(names, sizeof(names),
							  decision->rule.origin)));
}

static json_t *service_json(const struct wattle_explain *e)
{
	const struct wattle_frontend frontend = {
		.addr = e->service_addr, .port = e->service_port, .proto = e->proto,
	};

	return json_frontend(&frontend);
}

json_t *explain_json(const struct wattle_explain *e)
{
	json_t *json;

	json = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
			 "verdict", choice_text(words_verdict, e->verdict),
			 "reason", e->reason_name,
			 "src_identity", (json_int_t)e->src_identity,
			 "dst_identity", (json_int_t)e->dst_identity,
			 "service", service_json(e),
			 "backend", json_sockaddr(&e->backend_addr, e->backend_port),
			 "via", json_addr(&e->via),
			 "egress", decision_json(&e->egress),
			 "ingress", decision_json(&e->ingress));
	/* Where it is so alone. */
	if (e->gateway)
		json_object_set_new(json, "gateway", json_true());
	if (e->dsr)
		json_object_set_new(json, "dsr", json_true());
	if (e->masquerade.len)
		json_object_set_new(json, "masquerade", json_addr(&e->masquerade));
	return json;
}

/* ---- for people ---- */

static void explain_text_policy(const char *direction, const struct wattle_decision *decision)
{
	char text[RULE_STRLEN];

	if (!decision->present)
		return;
	printf("  %-8s ", direction);
	if (!decision->enforced)
		printf("not enforced: allow");
	else if (decision_is_default(decision))
		printf("%s: no rule matches", choice_text(words_action, decision->action));
	else
		printf("%s by rule: %s", choice_text(words_action, decision->action),
		       rule_text(text, sizeof(text), &decision->rule));
	if (decision->has_rule && decision->rule.origin[0])
		printf(" (%s)", decision->rule.origin);
	putchar('\n');
}

static void explain_text(const struct wattle_explain *e)
{
	const struct wattle_frontend frontend = {
		.addr = e->service_addr, .port = e->service_port, .proto = e->proto,
	};
	char text[WATTLE_FRONTEND_STRLEN], proto[WATTLE_PROTO_STRLEN], words[BECAUSE_STRLEN];

	printf("%s", choice_text(words_verdict, e->verdict));
	if (e->verdict != WATTLE_VERDICT_ALLOW)
		printf(": %s", e->reason_name);
	putchar('\n');
	if (because(words, sizeof(words), e)[0])
		printf("  %s\n", words);
	printf("  %-8s %s, identity %u\n", "from", wattle_addr_text(text, &e->src),
	       e->src_identity);
	printf("  %-8s %s", "to", wattle_addr_text(text, &e->dst));
	printf(", identity %u, %s", e->dst_identity, wattle_proto_text(proto, e->proto));
	if (wattle_proto_is_icmp(e->proto))
		printf(" type %u code %u\n", e->dport >> 8, e->dport & 0xff);
	else
		printf(" port %u\n", e->dport);
	if (e->service_addr.len) {
		printf("  %-8s %s", "service", wattle_frontend_text(text, &frontend));
		if (e->backend_addr.len)
			printf(", backend %s", wattle_sockaddr_text(text, &e->backend_addr,
								    e->backend_port));
		else
			printf(", no backend");
		putchar('\n');
	}
	explain_text_policy("egress", &e->egress);
	explain_text_policy("ingress", &e->ingress);
	if (e->via.len)
		printf("  %-8s tunnel to %s%s%s%s%s\n", "via", wattle_addr_text(text, &e->via),
		       e->node[0] ? ", node " : "", e->node, e->gateway ? ", the gateway" : "",
		       e->dsr ? ", which answers itself" : "");
	if (e->masquerade.len)
		printf("  %-8s masqueraded as %s\n", "leaves",
		       wattle_addr_text(text, &e->masquerade));
}

/* ---- asked ---- */

static int explain_question(struct call *call, struct wattle_explain *question)
{
	bool icmp;

	question->src = value_of(call, SLOT_SRC)->addr;
	question->dst = value_of(call, SLOT_DST)->addr;
	question->proto = number_of(call, SLOT_PROTO, 0);
	question->sport = number_of(call, SLOT_SPORT, 0);
	question->dport = number_of(call, SLOT_DPORT, 0);
	if (question->src.len != question->dst.len) {
		report(call, "dst", "%s is of another family than the source",
		       value_of(call, SLOT_DST)->text);
		return EXIT_REFUSED;
	}
	icmp = wattle_proto_is_icmp(question->proto);
	if (!icmp && (given(call, SLOT_TYPE) || given(call, SLOT_CODE))) {
		report(call, given(call, SLOT_TYPE) ? "type" : "code",
		       "is for \"proto icmp\" and \"proto icmpv6\"");
		return EXIT_REFUSED;
	}
	if (given(call, SLOT_DPORT) && (given(call, SLOT_TYPE) || given(call, SLOT_CODE))) {
		report(call, "dport", "is type and code of ICMP in one: say one or the other");
		return EXIT_REFUSED;
	}
	/* Without a type, an echo request: it is what people mean. */
	if (icmp && !given(call, SLOT_DPORT))
		question->dport = number_of(call, SLOT_TYPE,
					    question->proto == IPPROTO_ICMP ? 8 : 128) << 8 |
				  number_of(call, SLOT_CODE, 0);
	return EXIT_DONE;
}

static int explain_reply(const struct nlmsghdr *nlh, void *arg)
{
	wattle_explain_parse(nlh, arg);
	return 1;
}

static int explain_run(struct call *call)
{
	struct wattle_explain e = {}, answer = {};
	struct wattle_sock *sock;
	struct wattle_error err;
	int code;

	code = explain_question(call, &e);
	if (code)
		return code;
	sock = family(call);
	if (!sock)
		return EXIT_REFUSED;
	wattle_explain_ask(scratch(), &e);
	if (wattle_call(sock, scratch(), explain_reply, &answer, &err)) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	if (options.json)
		return show_object(explain_json(&answer));
	explain_text(&answer);
	return EXIT_DONE;
}

static const struct verb explain_verbs[] = {
	{
		.name = "", .help = "ask what would become of a packet, on the live tables",
		.params = explain_params, .count = ARRAY_SIZE(explain_params),
		.run = explain_run,
	},
};

const struct object explain_object = {
	.name = "explain", .help = "what the kernel would do with a packet, and why",
	.verbs = explain_verbs, .count = ARRAY_SIZE(explain_verbs),
};
