// SPDX-License-Identifier: GPL-2.0-only
/* What is behind services: EndpointSlices, and Endpoints. */
#include "internal.h"

static void slice_ports(struct reader *r, struct node *list, struct slice *slice)
{
	struct node *child;

	for_each_node(child, list)
		read_service_port(r, child, 0, APPEND(slice->port, slice->port_count));
}

/* Names in a list of objects that have nothing else. */
static void slice_hints(struct reader *r, struct node *list, struct names *names)
{
	struct node *child;

	names->at = arena_alloc(&r->m->arena, ((list ? list->count : 0) + 1) * sizeof(*names->at));
	for_each_node(child, list)
		if (node_expect(r, child, NODE_MAP))
			names->at[names->count++] = intern(r->m, node_get_string(r, child, "name"));
}

static bool read_backend(struct reader *r, const struct node *node, struct wattle_addr *addr)
{
	if (!read_addr(r, node, addr))
		return false;
	if (wattle_addr_can_host(addr))
		return true;
	bad(r, node, "%s cannot be the address of a backend", node->text);
	return false;
}

static void slice_endpoint(struct reader *r, struct node *node, struct slice *slice)
{
	struct node *conditions, *hints, *list, *child;
	struct slice_endpoint *end;

	if (!node_expect(r, node, NODE_MAP))
		return;
	end = APPEND(slice->end, slice->end_count);
	memset(end, 0, sizeof(*end));
	conditions = node_map(r, node, "conditions");
	end->ready = true;
	node_bool(r, node_get(conditions, "ready"), &end->ready);
	end->serving = true;
	node_bool(r, node_get(conditions, "serving"), &end->serving);
	node_bool(r, node_get(conditions, "terminating"), &end->terminating);
	end->node = intern(r->m, node_get_string(r, node, "nodeName"));
	hints = node_map(r, node, "hints");
	slice_hints(r, node_list(r, hints, "forZones"), &end->zones);
	slice_hints(r, node_list(r, hints, "forNodes"), &end->nodes);
	list = node_list(r, node, "addresses");
	end->addr = arena_alloc(&r->m->arena, ((list ? list->count : 0) + 1) * sizeof(*end->addr));
	for_each_node(child, list) {
		if (!read_backend(r, child, &end->addr[end->addr_count]))
			return;
		if (end->addr[end->addr_count].len != slice->addr_len)
			bad(r, child, "%s is not of the slice's addressType", child->text);
		end->addr_count++;
	}
}

void read_slice(struct reader *r, struct node *node)
{
	struct node *meta = node_map(r, node, "metadata"), *type = node_get(node, "addressType");
	struct node *labels = node_map(r, meta, "labels"), *list, *child;
	struct slice *slice;
	const char *text, *service;
	uint64_t weight = 100;

	service = node_get_string(r, labels, "kubernetes.io/service-name");
	if (!node_string(r, type, &text))
		return;
	if (!strcmp(text, "FQDN") || !*service || labels_are_ignored(labels))
		return;		/* of nobody's */
	if (strcmp(text, "IPv4") && strcmp(text, "IPv6")) {
		bad(r, type ? type : node, "addressType: \"%s\" is not IPv4, IPv6 or FQDN", text);
		return;
	}
	slice = APPEND(r->m->slice, r->m->slice_count);
	memset(slice, 0, sizeof(*slice));
	slice->ns = intern(r->m, r->ns);
	slice->service = intern(r->m, service);
	slice->addr_len = text[3] == '4' ? 4 : 16;
	child = node_get(node_map(r, meta, "annotations"), "service.cilium.io/weight");
	if (child && (!node_string(r, child, &text) ||
		      wattle_number_parse(&weight, text, 0, UINT16_MAX)))
		bad(r, child, "is not a number from 0 to 65535 in quotes");
	slice->weight = weight;
	slice_ports(r, node_list(r, node, "ports"), slice);
	list = node_list(r, node, "endpoints");
	for_each_node(child, list)
		slice_endpoint(r, child, slice);
}

static void endpoints_addresses(struct reader *r, struct node *list, bool ready,
				struct slice *slice)
{
	struct slice_endpoint *end;
	struct node *child;

	for_each_node(child, list) {
		if (!node_expect(r, child, NODE_MAP))
			continue;
		end = APPEND(slice->end, slice->end_count);
		memset(end, 0, sizeof(*end));
		end->ready = ready;
		end->serving = ready;
		end->node = intern(r->m, node_get_string(r, child, "nodeName"));
		end->addr = arena_alloc(&r->m->arena, sizeof(*end->addr));
		if (node_get(child, "ip") && read_backend(r, node_get(child, "ip"), end->addr))
			end->addr_count = 1;
	}
}

void read_endpoints(struct reader *r, struct node *node)
{
	struct node *subsets = node_list(r, node, "subsets"), *subset;
	struct slice *slice;

	for_each_node(subset, subsets) {
		if (!node_expect(r, subset, NODE_MAP))
			continue;
		slice = APPEND(r->m->slice, r->m->slice_count);
		memset(slice, 0, sizeof(*slice));
		slice->ns = intern(r->m, r->ns);
		slice->service = intern(r->m, r->name);
		slice->legacy = true;
		slice->weight = 100;
		slice_ports(r, node_list(r, subset, "ports"), slice);
		endpoints_addresses(r, node_list(r, subset, "addresses"), true, slice);
		endpoints_addresses(r, node_list(r, subset, "notReadyAddresses"), false, slice);
	}
}
