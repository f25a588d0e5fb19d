// SPDX-License-Identifier: GPL-2.0-only
/* Decisions in words that name policies and pods. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "because.h"
#include "notes.h"

bool decision_is_default(const struct wattle_decision *decision)
{
	return !decision->has_rule || decision->rule.priority >= MANIFEST_EXCLUDE;
}

/* "KIND NAMESPACE/NAME SECTION[N]; KIND ..." is what manifests leave. */
static bool is_of_manifests(const char *origin)
{
	return !strncmp(origin, "NetworkPolicy ", 14) ||
	       !strncmp(origin, "CiliumNetworkPolicy ", 20) ||
	       !strncmp(origin, "CiliumClusterwideNetworkPolicy ", 31);
}

char *policy_names(char *text, size_t size, const char *origin)
{
	const char *at = origin, *name, *last = "";
	size_t len = 0, word, last_len = 0;

	text[0] = '\0';
	if (!is_of_manifests(origin)) {
		snprintf(text, size, "%s", origin);
		return text;
	}
	while (at && len < size) {
		if (!is_of_manifests(at))
			break;	/* "..." */
		name = strchr(at, ' ') + 1;
		word = strcspn(name, " ;");
		if (word != last_len || strncmp(name, last, word))
			len += snprintf(text + len, size - len, "%s%.*s", len ? ", " : "",
					(int)word, name);
		last = name;
		last_len = word;
		at = strstr(name, "; ");
		if (at)
			at += 2;
	}
	return text;
}

static const char *who(const struct wattle_addr *addr, char *text)
{
	const struct note_pod *pod = notes_addr(notes_known(), addr);

	return pod ? pod->name : wattle_addr_text(text, addr);
}

/* "80/TCP", "ICMP type 8" */
static void what(char *text, size_t size, uint8_t proto, uint16_t port)
{
	char name[WATTLE_PROTO_STRLEN], *c;

	wattle_proto_text(name, proto);
	for (c = name; *c; c++)
		*c = toupper((unsigned char)*c);
	if (wattle_proto_is_icmp(proto))
		snprintf(text, size, "%s type %u", name, port >> 8);
	else
		snprintf(text, size, "%u/%s", port, name);
}

char *because(char *text, size_t size, const struct wattle_explain *e)
{
	bool egress = e->egress.present && e->egress.action == WATTLE_ACTION_DENY;
	bool ingress = !egress && e->ingress.present && e->ingress.action == WATTLE_ACTION_DENY;
	const struct wattle_decision *decision = egress ? &e->egress : &e->ingress;
	const struct wattle_addr *to = e->backend_addr.len ? &e->backend_addr : &e->dst;
	char src[WATTLE_ADDR_STRLEN], dst[WATTLE_ADDR_STRLEN], names[300], packet[64];
	size_t len;

	text[0] = '\0';
	if (!egress && !ingress)
		return text;
	what(packet, sizeof(packet), e->proto, e->backend_addr.len ? e->backend_port : e->dport);
	policy_names(names, sizeof(names), decision->rule.origin);
	if (!decision_is_default(decision)) {
		snprintf(text, size, "denied on %s: %s denies %s -> %s:%s",
			 egress ? "egress" : "ingress", names[0] ? names : "a rule",
			 who(&e->src, src), who(to, dst), packet);
		return text;
	}
	len = egress ? snprintf(text, size, "denied on egress: no policy of %s allows %s:%s",
				who(&e->src, src), who(to, dst), packet) :
		       snprintf(text, size, "denied on ingress: no policy of %s allows %s from %s",
				who(to, dst), packet, who(&e->src, src));
	if (names[0] && len < size)
		snprintf(text + len, size - len, "; %s select%s it", names,
			 strchr(names, ',') ? "" : "s");
	return text;
}
