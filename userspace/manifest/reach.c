// SPDX-License-Identifier: GPL-2.0-only
/* Who may talk to whom, by the rules of both sides. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

/* As wattle_identity_is_outside() has it. */
static bool is_outside(uint32_t id)
{
	return id == 0 || id == 2 || id == 9 || id == 10 || id >= 0x01000000;
}

static bool peer_fits(const struct manifest_rule *rule, uint32_t peer_id,
		      const struct wattle_addr *peer)
{
	switch (rule->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		return peer_id && rule->peer_id == peer_id;
	case WATTLE_PEER_KIND_PREFIX:
		return peer && wattle_prefix_has(&rule->peer, peer) &&
		       (!rule->outside || is_outside(peer_id));
	default:
		return true;
	}
}

static bool beats(const struct manifest_rule *rule, const struct manifest_rule *best)
{
	if (!best)
		return true;
	if (rule->priority != best->priority)
		return rule->priority < best->priority;
	return rule->action == WATTLE_ACTION_DENY && best->action != WATTLE_ACTION_DENY;
}

void reach_judge(const struct reach_end *subject, uint8_t direction, uint32_t peer_id,
		 const struct wattle_addr *peer, uint8_t proto, uint16_t port,
		 struct reach_verdict *verdict)
{
	const struct manifest_rule *rule, *best = NULL;
	bool enforced = false;
	size_t i;

	for (i = 0; i < subject->rules; i++) {
		rule = &subject->rule[i];
		if (rule->direction != direction)
			continue;
		enforced = true;
		if (peer_fits(rule, peer_id, peer) &&
		    (rule->any_proto ||
		     (rule->proto == proto && rule->port_min <= port && port <= rule->port_max)) &&
		    beats(rule, best))
			best = rule;
	}
	verdict->enforced = enforced;
	verdict->rule = best;
	verdict->allow = best ? best->action == WATTLE_ACTION_ALLOW : !enforced;
}

/* ---- ports where something may change ---- */

struct edges {
	uint32_t *at;
	size_t count;
};

static void edges_add(struct edges *edges, const struct reach_end *end, uint8_t direction,
		      uint8_t proto, const struct reach_end *other)
{
	size_t i;

	for (i = 0; i < end->rules; i++) {
		const struct manifest_rule *rule = &end->rule[i];

		if (rule->direction != direction || rule->any_proto || rule->proto != proto ||
		    !peer_fits(rule, other->id, other->ip))
			continue;
		*APPEND(edges->at, edges->count) = rule->port_min;
		*APPEND(edges->at, edges->count) = rule->port_max + 1u;
	}
}

static int compare_edges(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool passes(const struct reach_end *src, const struct reach_end *dst, uint8_t proto,
		   uint16_t port)
{
	struct reach_verdict out = { .allow = true }, in = { .allow = true };

	if (!src->ignore)
		reach_judge(src, WATTLE_DIRECTION_EGRESS, dst->id, dst->ip, proto, port, &out);
	if (!dst->ignore)
		reach_judge(dst, WATTLE_DIRECTION_INGRESS, src->id, src->ip, proto, port, &in);
	return out.allow && in.allow;
}

static void reach_add(struct reach *reach, uint8_t proto, uint32_t min, uint32_t max)
{
	struct reach_range *range = reach->count ? &reach->range[reach->count - 1] : NULL;

	if (range && range->proto == proto && range->max + 1u == min) {
		range->max = max;
		return;
	}
	*APPEND(reach->range, reach->count) =
		(struct reach_range){ .proto = proto, .min = min, .max = max };
}

static void reach_proto(const struct reach_end *src, const struct reach_end *dst, uint8_t proto,
			struct reach *reach)
{
	struct edges edges = {};
	uint32_t from, to;
	size_t i;

	*APPEND(edges.at, edges.count) = 0;
	*APPEND(edges.at, edges.count) = 65536;
	if (!src->ignore)
		edges_add(&edges, src, WATTLE_DIRECTION_EGRESS, proto, dst);
	if (!dst->ignore)
		edges_add(&edges, dst, WATTLE_DIRECTION_INGRESS, proto, src);
	qsort(edges.at, edges.count, sizeof(*edges.at), compare_edges);
	for (i = 0; i + 1 < edges.count; i++) {
		from = edges.at[i];
		to = edges.at[i + 1];
		if (from < to && passes(src, dst, proto, from))
			reach_add(reach, proto, from, to - 1);
	}
	free(edges.at);
}

/* Protocol numbers beside those are "other", told by one that nobody has. */
static const uint8_t reach_protos[] = {
	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_RAW,
};

void reach_between(const struct reach_end *src, const struct reach_end *dst, struct reach *reach)
{
	unsigned int i, whole = 0;

	reach->count = 0;
	for (i = 0; i < COUNT(reach_protos); i++) {
		size_t before = reach->count;

		reach_proto(src, dst, reach_protos[i], reach);
		if (reach->count == before + 1 && !reach->range[before].min &&
		    reach->range[before].max == UINT16_MAX)
			whole++;
	}
	reach->all = whole == COUNT(reach_protos);
}

/* Both are in the order of protocols and ports. */
void reach_minus(const struct reach *a, const struct reach *b, struct reach *out)
{
	size_t i, j;

	out->count = 0;
	out->all = a->all && !b->count;
	for (i = 0; i < a->count; i++) {
		const struct reach_range *range = &a->range[i];
		uint32_t from = range->min;

		for (j = 0; j < b->count; j++) {
			const struct reach_range *cut = &b->range[j];

			if (cut->proto != range->proto || cut->max < from || cut->min > range->max)
				continue;
			if (cut->min > from)
				reach_add(out, range->proto, from, cut->min - 1u);
			from = cut->max + 1u;
		}
		if (from <= range->max)
			reach_add(out, range->proto, from, range->max);
	}
}

void reach_release(struct reach *reach)
{
	free(reach->range);
	memset(reach, 0, sizeof(*reach));
}

static void range_text(FILE *out, const struct reach_range *range)
{
	char text[WATTLE_PROTO_STRLEN];

	if (range->proto == IPPROTO_RAW)
		fputs("other", out);
	else
		fputs(wattle_proto_text(text, range->proto), out);
	if (!range->min && range->max == UINT16_MAX)
		return;
	if (!wattle_proto_is_icmp(range->proto)) {
		fprintf(out, "/%u", range->min);
		if (range->max != range->min)
			fprintf(out, "-%u", range->max);
		return;
	}
	fprintf(out, "/type-%u", range->min >> 8);
	if (range->max >> 8 != range->min >> 8)
		fprintf(out, "-%u", range->max >> 8);
}

char *reach_text(const struct reach *reach)
{
	char *text = NULL;
	size_t size, i;
	FILE *out;

	if (reach->all)
		return strdup("any");
	if (!reach->count)
		return strdup("none");
	out = open_memstream(&text, &size);
	for (i = 0; out && i < reach->count; i++) {
		if (i)
			fputc(' ', out);
		range_text(out, &reach->range[i]);
	}
	if (out)
		fclose(out);
	return text;
}
