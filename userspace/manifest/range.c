// SPDX-License-Identifier: GPL-2.0-only
/* ServiceCIDR: the prefixes that addresses of services are from. */
#include <stdlib.h>

#include "internal.h"

void read_service_cidr(struct reader *r, struct node *node)
{
	static const char *const top[] = {
		"apiVersion", "kind", "metadata", "spec", "status", NULL
	};
	static const char *const fields[] = { "cidrs", NULL };
	struct node *spec = node_map(r, node, "spec"), *list, *child;
	struct range *range;

	node_fields(r, node, top);
	if (!spec) {
		bad(r, node, "spec: is missing");
		return;
	}
	node_fields(r, spec, fields);
	list = node_list(r, spec, "cidrs");
	if (!list || !list->count)
		bad(r, spec, "cidrs: %s", list ? "is empty" : "is missing");
	for_each_node(child, list) {
		range = APPEND(r->m->range, r->m->range_count);
		range->where = where_is(r, child);
		if (read_prefix(r, child, false, &range->prefix) && !range->prefix.len)
			bad(r, child, "a range of all addresses leaves none to anybody else");
	}
}

void read_foreign_service(struct reader *r, struct node *spec)
{
	struct node *list = node_get(spec, "clusterIPs"), *one = node_get(spec, "clusterIP"), *child;
	struct wattle_addr addr;

	/* "None", and what is no address, is for its own proxy to complain of. */
	if (one && one->type == NODE_SCALAR && !wattle_addr_parse(&addr, one->text))
		*APPEND(r->m->foreign, r->m->foreign_count) = addr;
	for_each_node(child, list)
		if (child->type == NODE_SCALAR && !wattle_addr_parse(&addr, child->text))
			*APPEND(r->m->foreign, r->m->foreign_count) = addr;
}

/* A service of it that another proxy serves: here nobody has its address. */
static const struct wattle_addr *range_foreigner(const struct manifest *m, const struct range *range)
{
	unsigned int i;

	for (i = 0; i < m->foreign_count; i++)
		if (wattle_prefix_has(&range->prefix, &m->foreign[i]))
			return &m->foreign[i];
	return NULL;
}

static bool has_prefix(const struct wattle_prefix *all, size_t count,
		       const struct wattle_prefix *prefix)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (wattle_prefix_equal(&all[i], prefix))
			return true;
	return false;
}

void manifest_ranges(struct manifest *m, struct wattle_prefix **ranges, size_t *count)
{
	const struct wattle_addr *foreigner;
	char text[WATTLE_ADDR_STRLEN];
	unsigned int i;

	*ranges = NULL;
	*count = 0;
	for (i = 0; i < m->range_count; i++) {
		foreigner = range_foreigner(m, &m->range[i]);
		if (foreigner)
			warn_at(m, "%s: left out, for another proxy serves %s",
				m->range[i].where, wattle_addr_text(text, foreigner));
		else if (!has_prefix(*ranges, *count, &m->range[i].prefix))
			*APPEND(*ranges, *count) = m->range[i].prefix;
	}
}
