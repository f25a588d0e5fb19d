// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of one identity, as the kernel has them. They are made when they are
 * asked for: all rules of all identities of a big cluster would not fit anywhere.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "internal.h"

#define ORIGIN_MAX	255

/* Rules of one identity on their way out. */
struct expand {
	struct manifest *m;
	const struct group *group;
	const struct rule *rule;
	struct manifest_rule *out;
	size_t count;
	bool wide[2];		/* by direction: "all pods but nobody else" is among them */
};

static struct manifest_rule *emit(struct expand *e, const struct port *port, uint16_t number)
{
	struct manifest_rule *out = APPEND(e->out, e->count);

	memset(out, 0, sizeof(*out));
	out->subject = e->group->id;
	out->direction = e->rule->direction;
	out->any_proto = port->any;
	out->proto = port->proto;
	out->port_min = number ? number : port->min;
	out->port_max = number ? number : port->max;
	out->action = e->rule->deny ? WATTLE_ACTION_DENY : WATTLE_ACTION_ALLOW;
	out->origin = e->rule->origin;
	return out;
}

static void emit_id(struct expand *e, uint32_t id, const struct port *port, uint16_t number)
{
	struct manifest_rule *out = emit(e, port, number);

	out->peer_kind = WATTLE_PEER_KIND_IDENTITY;
	out->peer_id = id;
}

static void emit_prefix(struct expand *e, const struct wattle_prefix *prefix, bool outside,
			const struct port *port, uint16_t number)
{
	struct manifest_rule *out = emit(e, port, number);

	out->peer_kind = WATTLE_PEER_KIND_PREFIX;
	out->peer = *prefix;
	out->outside = outside;
}

static bool has_name(const struct named_port *named, const struct port *port)
{
	/* Interned: the same name is the same pointer. */
	return named->name == port->name && named->proto == port->proto;
}

/* ---- ports by number ---- */

static void emit_set(struct expand *e, const struct target *target, const struct port *port,
		     uint16_t number)
{
	const struct manifest *m = e->m;
	unsigned int i;
	uint64_t bits;

	if (target->all && !e->rule->deny && m->group_count >= m->wide) {
		emit(e, port, number)->priority = MANIFEST_WIDE;
		e->wide[e->rule->direction] = true;
		return;
	}
	for (i = 0; i < m->words; i++)
		for (bits = target->set[i]; bits; bits &= bits - 1)
			emit_id(e, m->group[i * 64 + __builtin_ctzll(bits)].id, port, number);
}

static void emit_target(struct expand *e, const struct target *target, const struct port *port,
			uint16_t number)
{
	switch (target->kind) {
	case TARGET_ANY:
		emit(e, port, number);
		break;
	case TARGET_ID:
		emit_id(e, target->id, port, number);
		break;
	case TARGET_PREFIX:
		emit_prefix(e, &target->prefix, target->outside, port, number);
		break;
	case TARGET_SET:
		emit_set(e, target, port, number);
		break;
	}
}

/* ---- ports by name: of the receiver ---- */

/* The subject receives. */
static void emit_own_name(struct expand *e, const struct target *target, const struct port *port)
{
	unsigned int i;

	for (i = 0; i < e->group->port_count; i++)
		if (has_name(&e->group->port[i], port))
			emit_target(e, target, port, e->group->port[i].port);
}

/* Each of a set receives, or, without one, each pod. */
static void emit_their_names(struct expand *e, const uint64_t *set, const struct port *port)
{
	const struct manifest *m = e->m;
	unsigned int i, j;

	for (i = 0; i < m->group_count; i++) {
		const struct group *group = &m->group[i];

		if (!group->port_count || (set && !(set[i / 64] & 1ULL << (i % 64))))
			continue;
		for (j = 0; j < group->port_count; j++)
			if (has_name(&group->port[j], port))
				emit_id(e, group->id, port, group->port[j].port);
	}
}

/* Pods within a prefix. */
static void emit_prefix_names(struct expand *e, const struct target *target,
			      const struct port *port)
{
	const struct manifest *m = e->m;
	struct wattle_prefix host;
	unsigned int i, j, k;

	for (i = 0; !target->outside && i < m->pod_count; i++) {
		const struct pod *pod = &m->pod[i];

		for (j = 0; !pod->done && !pod->host && j < pod->ip_count; j++) {
			if (!wattle_prefix_has(&target->prefix, &pod->ip[j]))
				continue;
			host.addr = pod->ip[j];
			host.len = wattle_addr_bits(&host.addr);
			for (k = 0; k < pod->port_count; k++)
				if (has_name(&pod->port[k], port))
					emit_prefix(e, &host, false, port, pod->port[k].port);
		}
	}
}

static void emit_name(struct expand *e, const struct target *target, const struct port *port)
{
	if (e->rule->direction == WATTLE_DIRECTION_INGRESS)
		emit_own_name(e, target, port);
	else if (target->kind == TARGET_SET)
		emit_their_names(e, target->set, port);
	else if (target->kind == TARGET_ANY)
		emit_their_names(e, NULL, port);
	else if (target->kind == TARGET_PREFIX)
		emit_prefix_names(e, target, port);
}

static void expand_rule(struct expand *e, const struct rule *rule)
{
	unsigned int i, j;

	e->rule = rule;
	for (i = 0; i < rule->target_count; i++) {
		for (j = 0; j < rule->port_count; j++) {
			if (rule->port[j].name)
				emit_name(e, &rule->target[i], &rule->port[j]);
			else
				emit_target(e, &rule->target[i], &rule->port[j], 0);
		}
	}
}

/* ---- what happens where no rule says anything ---- */

static void origin_add(char *text, const char *more)
{
	size_t len = strlen(text), add = strlen(more);

	if (len + 2 + add > ORIGIN_MAX) {
		if (len && len + 5 <= ORIGIN_MAX && text[len - 1] != '.')
			strcpy(text + len, "; ...");
		else if (!len)
			memcpy(text, more, ORIGIN_MAX);
		return;
	}
	if (len)
		strcpy(text + len, "; ");
	strcat(text, more);
}

/* Policies that close a direction, or that speak of it without closing it. */
static const char *default_origin(struct expand *e, uint8_t direction, bool isolates)
{
	char text[ORIGIN_MAX + 1] = "";
	const char *last = NULL;
	unsigned int i;

	for (i = 0; i < e->group->spec_count; i++) {
		const struct spec *spec = e->group->specs[i].spec;

		if (spec->isolates[direction] != isolates || (last && !strcmp(last, spec->origin)))
			continue;
		last = spec->origin;
		origin_add(text, last);
	}
	return intern(e->m, text);
}

static void emit_default(struct expand *e, uint8_t direction, bool isolated)
{
	/* Reserved identities, none of which is a pod; the host (1) always reaches its own. */
	uint8_t other = direction == WATTLE_DIRECTION_INGRESS ? 2 : 1;
	static const struct port any = { .any = true, .max = UINT16_MAX };
	const struct rule last = {
		.direction = direction, .deny = isolated,
		.origin = default_origin(e, direction, isolated),
	};

	e->rule = &last;
	emit(e, &any, 0)->priority = MANIFEST_DEFAULT;
	for (; e->wide[direction] && other <= 10; other++) {
		emit_id(e, other, &any, 0);
		e->out[e->count - 1].priority = MANIFEST_EXCLUDE;
	}
}

static void expand_direction(struct expand *e, uint8_t direction)
{
	const struct group *group = e->group;
	bool isolated = false;
	size_t before = e->count;
	unsigned int i, j;

	for (i = 0; i < group->spec_count; i++)
		isolated |= group->specs[i].spec->isolates[direction];
	for (i = 0; i < group->spec_count; i++) {
		const struct spec *spec = group->specs[i].spec;

		for (j = 0; j < spec->rule_count; j++) {
			const struct rule *rule = &spec->rule[j];

			/* Where all else passes, only denials say anything. */
			if (rule->direction == direction && !rule->silent &&
			    (isolated || rule->deny))
				expand_rule(e, rule);
		}
	}
	if (isolated || e->count > before)
		emit_default(e, direction, isolated);
}

/* ---- sorted, without doubles ---- */

#define COMPARE(field) \
	do { \
		if (x->field != y->field) \
			return x->field < y->field ? -1 : 1; \
	} while (0)

int manifest_rule_compare(const void *a, const void *b)
{
	const struct manifest_rule *x = a, *y = b;
	int diff;

	COMPARE(subject);
	COMPARE(direction);
	COMPARE(priority);
	COMPARE(peer_kind);
	COMPARE(peer_id);
	diff = memcmp(&x->peer, &y->peer, sizeof(x->peer));
	if (diff)
		return diff;
	COMPARE(outside);
	COMPARE(any_proto);
	COMPARE(proto);
	COMPARE(port_min);
	COMPARE(port_max);
	COMPARE(action);
	return 0;
}

static int compare_origins(const void *a, const void *b)
{
	const struct manifest_rule *x = a, *y = b;
	int diff = manifest_rule_compare(a, b);

	return diff ? diff : strcmp(x->origin, y->origin);
}

/* One rule of many policies names them all. */
static void merge_origins(struct expand *e, struct manifest_rule *rule,
			  const struct manifest_rule *others, size_t count)
{
	char text[ORIGIN_MAX + 1] = "";
	const char *last = rule->origin;
	size_t i;

	origin_add(text, rule->origin);
	for (i = 0; i < count; i++) {
		if (!strcmp(last, others[i].origin))
			continue;
		last = others[i].origin;
		origin_add(text, last);
	}
	rule->origin = intern(e->m, text);
}

static size_t unique(struct expand *e)
{
	size_t kept = 0, i, next;

	if (e->count)
		qsort(e->out, e->count, sizeof(*e->out), compare_origins);
	for (i = 0; i < e->count; i = next) {
		for (next = i + 1; next < e->count &&
		     !manifest_rule_compare(&e->out[i], &e->out[next]); next++)
			;
		if (next > i + 1 || strlen(e->out[i].origin) > ORIGIN_MAX)
			merge_origins(e, &e->out[i], &e->out[i + 1], next - i - 1);
		e->out[kept++] = e->out[i];
	}
	return kept;
}

size_t manifest_rules(struct manifest *m, unsigned int group, struct manifest_rule **rules)
{
	struct expand e = { .m = m, .group = &m->group[group] };

	expand_direction(&e, WATTLE_DIRECTION_INGRESS);
	expand_direction(&e, WATTLE_DIRECTION_EGRESS);
	e.count = unique(&e);
	*rules = e.out;
	return e.count;
}
