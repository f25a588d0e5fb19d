// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the tables that there are to those that are wanted: what goes, then what comes
 * or changes, so that nothing new meets what is in its place. All of it is one
 * transaction: no packet sees the middle.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* Whether a line is to be kept; they come in order. */
static bool plan_tells(struct plan *plan, unsigned int number)
{
	struct plan_how *how = &plan->how;

	if (!how->told || !how->only)
		return how->told;
	while (how->only_count && *how->only < number) {
		how->only++;
		how->only_count--;
	}
	return how->only_count && *how->only == number;
}

static void plan_count(struct plan *plan, char sign)
{
	plan->lines++;
	if (sign == '+')
		plan->added++;
	else if (sign == '-')
		plan->removed++;
	else
		plan->changed++;
}

/* A request, and the line that tells of it, if asked for. @encoded: what encoding returned. */
static void plan_add(struct plan *plan, int encoded, char sign, const char *table,
		     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void plan_add(struct plan *plan, int encoded, char sign, const char *table,
		     const char *fmt, ...)
{
	unsigned int number = plan->lines;
	char *text = NULL;
	va_list args;
	bool failed, tells = plan_tells(plan, number);

	plan_count(plan, sign);
	failed = encoded || wattle_batch_add(plan->batch, scratch(), number);
	if (!failed && !tells)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (failed) {
		report(NULL, table, "%s: %s", text ? text : "",
		       encoded ? "is too big for one request" : "out of memory");
		plan->failed = true;
	}
	if (tells)
		*STATE_ADD(plan->line) = (struct plan_line){ sign, table, text };
	else
		free(text);
}

/* A request that belongs to the last line. */
static void plan_more(struct plan *plan, int encoded)
{
	if (encoded || wattle_batch_add(plan->batch, scratch(), plan->lines - 1))
		plan->failed = true;
}

/* Walk two sorted arrays: negative: only in @now, positive: only in @want, 0: in both. */
struct walk {
	size_t now;
	size_t want;
};

static int walk_next(struct walk *walk, const void *now, size_t now_count, const void *want,
		     size_t want_count, size_t size,
		     int (*compare)(const void *a, const void *b), const void **old,
		     const void **new)
{
	int diff;

	*old = walk->now < now_count ? (const char *)now + walk->now * size : NULL;
	*new = walk->want < want_count ? (const char *)want + walk->want * size : NULL;
	if (!*old && !*new)
		return 0;
	diff = !*old ? 1 : !*new ? -1 : compare(*old, *new);
	if (diff > 0)
		*old = NULL;
	else
		walk->now++;
	if (diff < 0)
		*new = NULL;
	else
		walk->want++;
	return 1;
}

#define WALK(walk, table, compare, now, want, old, new) \
	for (walk = (struct walk){}; \
	     walk_next(&(walk), (now)->table.at, (now)->table.count, (want)->table.at, \
		       (want)->table.count, sizeof(*(now)->table.at), compare, \
		       (const void **)&(old), (const void **)&(new));)

/* ---- nodes ---- */

static bool same_node(const struct wattle_node *a, const struct wattle_node *b)
{
	unsigned int i, j;

	if (a->addr_count != b->addr_count || a->cidr_count != b->cidr_count)
		return false;
	for (i = 0; i < a->addr_count; i++) {
		for (j = 0; j < b->addr_count && !wattle_addr_equal(&a->addr[i], &b->addr[j]); j++)
			;
		if (j == b->addr_count)
			return false;
	}
	for (i = 0; i < a->cidr_count; i++) {
		for (j = 0; j < b->cidr_count &&
		     !wattle_prefix_equal(&a->cidr[i], &b->cidr[j]); j++)
			;
		if (j == b->cidr_count)
			return false;
	}
	return true;
}

static void node_text(char *text, size_t size, const struct wattle_node *node)
{
	char buf[WATTLE_PREFIX_STRLEN];
	unsigned int i;
	size_t len;

	len = snprintf(text, size, "%s", node->name);
	for (i = 0; i < node->addr_count && len < size; i++)
		len += snprintf(text + len, size - len, " addr %s",
				wattle_addr_text(buf, &node->addr[i]));
	for (i = 0; i < node->cidr_count && len < size; i++)
		len += snprintf(text + len, size - len, " cidr %s",
				wattle_prefix_text(buf, &node->cidr[i]));
}

static void plan_nodes(struct plan *plan, const struct state *now, const struct state *want,
		       bool dels)
{
	const struct wattle_node *old, *new;
	struct walk walk;
	char text[512];

	WALK(walk, node, compare_nodes, now, want, old, new) {
		if (old && new && same_node(old, new))
			continue;
		/* What changes goes first: its prefixes may become another's. */
		if (dels && old && new)
			plan_add(plan, wattle_node_encode(scratch(), WATTLE_DEL, old), '~', "node",
				 "%s", new->name);
		else if (dels && old)
			plan_add(plan, wattle_node_encode(scratch(), WATTLE_DEL, old), '-', "node",
				 "%s", old->name);
		if (dels || !new)
			continue;
		node_text(text, sizeof(text), new);
		plan_add(plan, wattle_node_encode(scratch(), WATTLE_ADD, new), '+', "node", "%s",
			 text);
	}
}

/* ---- identities ---- */

static void plan_identities(struct plan *plan, const struct state *now,
			    const struct state *want, bool dels)
{
	char text[WATTLE_PREFIX_STRLEN], via[WATTLE_ADDR_STRLEN];
	const struct wattle_identity *old, *new;
	struct walk walk;

	WALK(walk, identity, compare_identities, now, want, old, new) {
		if (dels && !new)
			plan_add(plan, wattle_identity_encode(scratch(), WATTLE_DEL, old), '-',
				 "identity", "%s id %u", wattle_prefix_text(text, &old->prefix),
				 old->id);
		if (dels || !new || (old && old->id == new->id &&
				     wattle_addr_equal(&old->via, &new->via)))
			continue;
		plan_add(plan, wattle_identity_encode(scratch(), WATTLE_REPLACE, new),
			 old ? '~' : '+', "identity", "%s id %u%s%s",
			 wattle_prefix_text(text, &new->prefix), new->id,
			 new->via.len ? " via " : "",
			 new->via.len ? wattle_addr_text(via, &new->via) : "");
	}
}

/* ---- endpoints ---- */

static bool same_addresses(const struct state_endpoint *a, const struct state_endpoint *b)
{
	unsigned int i;

	if (a->ip_count != b->ip_count)
		return false;
	for (i = 0; i < a->ip_count; i++)
		if (!wattle_addr_equal(&a->ip[i], &b->ip[i]))
			return false;
	return true;
}

static bool same_endpoint(const struct state_endpoint *a, const struct state_endpoint *b)
{
	return a->id == b->id && a->enforce == b->enforce && same_addresses(a, b);
}

static int endpoint_encode(const struct state_endpoint *from, bool bare)
{
	struct wattle_endpoint endpoint = {
		.ifindex = from->ifindex, .ip = from->ip, .ip_count = bare ? 0 : from->ip_count,
		.id = from->id, .has_id = true, .enforce = from->enforce,
	};

	snprintf(endpoint.pod, sizeof(endpoint.pod), "%s", from->pod);
	return wattle_endpoint_encode(scratch(), WATTLE_REPLACE, &endpoint);
}

static void plan_endpoints(struct plan *plan, const struct state *now, const struct state *want)
{
	const struct state_endpoint *old, *new;
	char buf[WATTLE_ADDR_STRLEN];
	struct walk walk;

	/* An address may go from one to the other: first all let go, then they take. */
	WALK(walk, endpoint, compare_endpoints, now, want, old, new) {
		if (!old || !new || same_endpoint(old, new))
			continue;
		plan_add(plan, endpoint_encode(new, !same_addresses(old, new)), '~', "endpoint",
			 "%s pod %s id %u%s%s", new->dev, new->pod, new->id,
			 new->ip_count ? " ip " : "",
			 new->ip_count ? wattle_addr_text(buf, new->ip) : "");
	}
	WALK(walk, endpoint, compare_endpoints, now, want, old, new)
		if (old && new && !same_addresses(old, new) && new->ip_count)
			plan_more(plan, endpoint_encode(new, false));
}

/* ---- rules ---- */

static void rule_fill(struct wattle_rule *out, const struct manifest_rule *rule)
{
	memset(out, 0, sizeof(*out));
	out->id = rule->subject;
	out->direction = rule->direction;
	out->peer_kind = rule->peer_kind;
	out->peer_id = rule->peer_id;
	out->peer = rule->peer;
	out->outside = rule->outside;
	out->has_proto = !rule->any_proto;
	out->proto = rule->proto;
	out->has_port = rule->port_min || rule->port_max != UINT16_MAX;
	out->port_min = rule->port_min;
	out->port_max = rule->port_max;
	out->action = rule->action;
	out->has_priority = true;
	out->priority = rule->priority;
	snprintf(out->origin, sizeof(out->origin), "%s", rule->origin);
}

static void plan_rule(struct plan *plan, enum wattle_how how, char sign,
		      const struct manifest_rule *from)
{
	struct wattle_rule rule;
	char text[RULE_STRLEN] = "";
	int encoded;

	if (plan->how.dry && !plan->how.told) {
		plan_count(plan, sign);
		return;
	}
	rule_fill(&rule, from);
	encoded = wattle_rule_encode(scratch(), how, &rule);
	/* There may be millions. */
	if (plan->how.told)
		rule_text(text, sizeof(text), &rule);
	if (is_note(rule.id))
		plan_add(plan, encoded, sign, rule.direction == WATTLE_DIRECTION_EGRESS ?
			 "name" : "labels", "id %u %s", rule.peer_id, rule.origin);
	else
		plan_add(plan, encoded, sign, "rule", "%s (%s)", text, rule.origin);
}

static void plan_rules(struct plan *plan, const struct state *now, const struct state *want,
		       bool dels)
{
	struct rule_walk olds = { .state = now }, news = { .state = want };
	const struct manifest_rule *old = rule_walk_next(&olds), *new;
	int diff;

	/* To make rules that replace nothing takes time. */
	if (dels && !old)
		return;
	for (new = rule_walk_next(&news); old || new;) {
		diff = !old ? 1 : !new ? -1 : manifest_rule_compare(old, new);
		if (dels && diff < 0)
			plan_rule(plan, WATTLE_DEL, '-', old);
		else if (!dels && diff > 0)
			plan_rule(plan, WATTLE_ADD, '+', new);
		else if (!dels && !diff && strcmp(old->origin, new->origin))
			plan_rule(plan, WATTLE_REPLACE, '~', new);
		if (diff <= 0)
			old = rule_walk_next(&olds);
		if (diff >= 0)
			new = rule_walk_next(&news);
	}
}

/* ---- services ---- */

static bool same_service(const struct wattle_service *a, const struct wattle_service *b)
{
	unsigned int i;

	/* What to do with sources is nothing to say where there are none. */
	if (a->alg != b->alg || a->affinity != b->affinity || a->empty != b->empty ||
	    wattle_frontend_compare(&a->affinity_with, &b->affinity_with) ||
	    a->dsr != b->dsr || a->source_count != b->source_count ||
	    (a->source_count && a->source_policy != b->source_policy))
		return false;
	for (i = 0; i < a->source_count; i++)
		if (!wattle_prefix_equal(&a->source[i], &b->source[i]))
			return false;
	return true;
}

static const char *scope_text(const struct wattle_frontend *frontend)
{
	return frontend->scope == WATTLE_SCOPE_OUTSIDE ? " scope outside" : "";
}

/* In the words of "service add", but for what is as always. */
static void service_text(char *text, size_t size, const struct wattle_service *service)
{
	char buf[WATTLE_FRONTEND_STRLEN];
	unsigned int i;
	size_t len;

	len = snprintf(text, size, "%s%s alg %s", wattle_frontend_text(buf, &service->frontend),
		       scope_text(&service->frontend), choice_text(words_alg, service->alg));
	if (service->affinity)
		len += snprintf(text + len, size - len, " affinity %u", service->affinity);
	if (service->affinity_with.port)
		len += snprintf(text + len, size - len, " affinity-with %s",
				wattle_frontend_text(buf, &service->affinity_with));
	if (service->empty)
		len += snprintf(text + len, size - len, " empty %s",
				choice_text(words_empty, service->empty));
	if (service->dsr)
		len += snprintf(text + len, size - len, " dsr on");
	if (service->source_count)
		len += snprintf(text + len, size - len, " source-policy %s",
				choice_text(words_source_policy, service->source_policy));
	for (i = 0; i < service->source_count && len < size; i++)
		len += snprintf(text + len, size - len, " source %s",
				wattle_prefix_text(buf, &service->source[i]));
}

static void plan_services(struct plan *plan, const struct state *now, const struct state *want,
			  bool dels)
{
	const struct wattle_service *old, *new;
	char text[512];
	struct walk walk;

	WALK(walk, service, compare_services, now, want, old, new) {
		if (dels && !new)
			plan_add(plan, wattle_service_encode(scratch(), WATTLE_DEL, old), '-',
				 "service", "%s%s", wattle_frontend_text(text, &old->frontend),
				 scope_text(&old->frontend));
		if (dels || !new || (old && same_service(old, new)))
			continue;
		service_text(text, sizeof(text), new);
		plan_add(plan, wattle_service_encode(scratch(), WATTLE_REPLACE, new),
			 old ? '~' : '+', "service", "%s", text);
	}
}

/* Backends go with their service. */
static bool service_stays(const struct state *want, const struct wattle_backend *backend)
{
	const struct wattle_service service = { .frontend = backend->service };

	return want->service.count && bsearch(&service, want->service.at, want->service.count,
					      sizeof(service), compare_services);
}

/* Who would get nothing, and has nothing: manifests name all that could have connections. */
static bool backend_idles(const struct wattle_backend *backend)
{
	return !backend->weight && backend->state == WATTLE_BACKEND_STATE_TERMINATING;
}

static void plan_backends(struct plan *plan, const struct state *now, const struct state *want,
			  bool dels)
{
	char text[WATTLE_FRONTEND_STRLEN], to[WATTLE_SOCKADDR_STRLEN];
	const struct wattle_backend *old, *new;
	struct walk walk;

	WALK(walk, backend, compare_backends, now, want, old, new) {
		if (dels && !new && service_stays(want, old))
			plan_add(plan, wattle_backend_encode(scratch(), WATTLE_DEL, old), '-',
				 "backend", "%s%s to %s",
				 wattle_frontend_text(text, &old->service),
				 scope_text(&old->service),
				 wattle_sockaddr_text(to, &old->addr, old->port));
		if (dels || !new ||
		    (old && old->weight == new->weight && old->state == new->state) ||
		    (!old && backend_idles(new)))
			continue;
		plan_add(plan, wattle_backend_encode(scratch(), WATTLE_REPLACE, new),
			 old ? '~' : '+', "backend", "%s%s to %s weight %u state %s",
			 wattle_frontend_text(text, &new->service), scope_text(&new->service),
			 wattle_sockaddr_text(to, &new->addr, new->port), new->weight,
			 choice_text(words_state, new->state));
	}
}

/* ---- egress ---- */

static bool same_egress(const struct wattle_egress *a, const struct wattle_egress *b)
{
	return a->action == b->action && wattle_addr_equal(&a->as, &b->as) &&
	       wattle_addr_equal(&a->via, &b->via);
}

static void plan_egress(struct plan *plan, const struct state *now, const struct state *want,
			bool dels)
{
	char text[WATTLE_PREFIX_STRLEN], addr[WATTLE_ADDR_STRLEN];
	const struct wattle_egress *old, *new;
	struct walk walk;

	WALK(walk, egress, compare_egress, now, want, old, new) {
		if (dels && !new)
			plan_add(plan, wattle_egress_encode(scratch(), WATTLE_DEL, old), '-',
				 "egress", "id %u to %s", old->id,
				 wattle_prefix_text(text, &old->to));
		if (dels || !new || (old && same_egress(old, new)))
			continue;
		plan_add(plan, wattle_egress_encode(scratch(), WATTLE_REPLACE, new),
			 old ? '~' : '+', "egress", "id %u to %s %s%s%s%s", new->id,
			 wattle_prefix_text(text, &new->to),
			 choice_text(words_egress, new->action), new->as.len ? " as" : "",
			 new->as.len || new->via.len ? " " : "",
			 new->as.len || new->via.len ?
			 wattle_addr_text(addr, new->as.len ? &new->as : &new->via) : "");
	}
}

/* ---- ranges ---- */

static void plan_ranges(struct plan *plan, const struct state *now, const struct state *want,
			bool dels)
{
	const struct wattle_prefix *old, *new;
	char text[WATTLE_PREFIX_STRLEN];
	struct walk walk;

	WALK(walk, range, compare_prefixes, now, want, old, new) {
		if (dels && !new)
			plan_add(plan, wattle_range_encode(scratch(), WATTLE_DEL, old), '-',
				 "range", "%s", wattle_prefix_text(text, old));
		if (!dels && !old)
			plan_add(plan, wattle_range_encode(scratch(), WATTLE_ADD, new), '+',
				 "range", "%s", wattle_prefix_text(text, new));
	}
}

/* ---- all of it ---- */

void plan_make(struct plan *plan, const struct state *now, const struct state *want,
	       const struct plan_how *how)
{
	*plan = (struct plan){ .how = *how };
	plan->batch = wattle_batch_create();
	if (!plan->batch) {
		report(NULL, NULL, "out of memory");
		plan->failed = true;
		return;
	}
	wattle_batch_stream(plan->batch, how->sock, how->fn, how->arg);
	plan_ranges(plan, now, want, true);
	plan_egress(plan, now, want, true);
	plan_backends(plan, now, want, true);
	plan_services(plan, now, want, true);
	plan_rules(plan, now, want, true);
	plan_identities(plan, now, want, true);
	plan_nodes(plan, now, want, true);
	plan_nodes(plan, now, want, false);
	plan_identities(plan, now, want, false);
	plan_rules(plan, now, want, false);
	plan_services(plan, now, want, false);
	plan_backends(plan, now, want, false);
	plan_egress(plan, now, want, false);
	plan_ranges(plan, now, want, false);
	plan_endpoints(plan, now, want);
}

void plan_release(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->line.count; i++)
		free(plan->line.at[i].text);
	free(plan->line.at);
	wattle_batch_destroy(plan->batch);
	memset(plan, 0, sizeof(*plan));
}
