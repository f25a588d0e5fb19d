// SPDX-License-Identifier: GPL-2.0-only
/* Services, and what is behind them. */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

/* ---- from documents ---- */

static void read_service_port(struct reader *r, struct node *node, bool named,
			      struct service_port *port)
{
	long number;

	memset(port, 0, sizeof(*port));
	port->name = "";
	if (!node_expect(r, node, NODE_MAP) ||
	    !node_number(r, node_get(node, "port"), 1, 65535, &number) ||
	    !read_proto(r, node_get(node, "protocol"), &port->proto))
		return;
	if (!number && named)
		bad(r, node, "port: is missing");
	port->name = intern(r->m, node_get_string(r, node, "name"));
	port->port = number;
}

static void service_add_vip(struct reader *r, struct node *node, struct service *service)
{
	struct wattle_addr addr;
	unsigned int i;

	/* Empty: not given one yet. */
	if (!node || (node->type == NODE_SCALAR && !node->len) || !read_addr(r, node, &addr))
		return;
	for (i = 0; i < service->vip_count; i++)
		if (wattle_addr_equal(&service->vip[i], &addr))
			return;
	*APPEND(service->vip, service->vip_count) = addr;
}

static void service_vips(struct reader *r, struct node *node, struct service *service)
{
	struct node *spec = node_map(r, node, "spec"), *list, *child, *one;

	list = node_list(r, spec, "clusterIPs");
	one = node_get(spec, "clusterIP");
	service->headless = one && one->type == NODE_SCALAR && !strcmp(one->text, "None");
	if (service->headless)
		return;
	service_add_vip(r, one, service);
	for_each_node(child, list)
		service_add_vip(r, child, service);
	list = node_list(r, spec, "externalIPs");
	for_each_node(child, list)
		service_add_vip(r, child, service);
	list = node_list(r, node_map(r, node_map(r, node, "status"), "loadBalancer"), "ingress");
	one = node_list(r, spec, "loadBalancerSourceRanges");
	/* Better not reached at all than by everybody. */
	if (one && one->count && list && list->count) {
		warn(r, one, "is not supported: the load balancer's addresses are left out");
		return;
	}
	for_each_node(child, list)
		if (node_expect(r, child, NODE_MAP) &&
		    strcmp(node_get_string(r, child, "ipMode"), "Proxy"))
			service_add_vip(r, node_get(child, "ip"), service);
}

static void service_affinity(struct reader *r, struct node *spec, struct service *service)
{
	struct node *config = node_map(r, node_map(r, spec, "sessionAffinityConfig"), "clientIP");
	long seconds;

	if (strcmp(node_get_string(r, spec, "sessionAffinity"), "ClientIP"))
		return;
	service->affinity = 10800;
	if (config && node_get(config, "timeoutSeconds") &&
	    node_number(r, node_get(config, "timeoutSeconds"), 1, 86400, &seconds))
		service->affinity = seconds;
}

static void service_annotations(struct reader *r, struct node *node, struct service *service)
{
	struct node *notes = node_map(r, node_map(r, node, "metadata"), "annotations");
	struct node *alg = node_get(notes, "service.cilium.io/lb-algorithm");
	const char *text;

	service->alg = WATTLE_ALG_RANDOM;
	if (!alg || !node_string(r, alg, &text))
		return;
	if (!strcmp(text, "maglev"))
		service->alg = WATTLE_ALG_MAGLEV;
	else if (strcmp(text, "random"))
		bad(r, alg, "\"%s\" is not random or maglev", text);
}

void read_service(struct reader *r, struct node *node)
{
	struct node *spec = node_map(r, node, "spec"), *ports, *child;
	struct service *service = APPEND(r->m->service, r->m->service_count);

	memset(service, 0, sizeof(*service));
	service->ns = intern(r->m, r->ns);
	service->name = intern(r->m, r->name);
	labels_read(r, node_map(r, node_map(r, node, "metadata"), "labels"), &service->labels);
	child = node_map(r, spec, "selector");
	service->has_selector = child && child->count;
	labels_read(r, child, &service->selector);
	if (!strcmp(node_get_string(r, spec, "type"), "ExternalName"))
		return;
	service_vips(r, node, service);
	service_affinity(r, spec, service);
	service_annotations(r, node, service);
	service->local = !strcmp(node_get_string(r, spec, "internalTrafficPolicy"), "Local");
	node_bool(r, node_get(spec, "publishNotReadyAddresses"), &service->publish);
	ports = node_list(r, spec, "ports");
	for_each_node(child, ports)
		read_service_port(r, child, true, APPEND(service->port, service->port_count));
}

/* ---- endpoints ---- */

static void slice_ports(struct reader *r, struct node *list, struct slice *slice)
{
	struct node *child;

	for_each_node(child, list)
		read_service_port(r, child, false, APPEND(slice->port, slice->port_count));
}

static void slice_endpoint(struct reader *r, struct node *node, struct slice *slice)
{
	struct node *conditions, *list, *child;
	struct slice_endpoint *end;

	if (!node_expect(r, node, NODE_MAP))
		return;
	end = APPEND(slice->end, slice->end_count);
	memset(end, 0, sizeof(*end));
	conditions = node_map(r, node, "conditions");
	end->ready = true;
	node_bool(r, node_get(conditions, "ready"), &end->ready);
	end->serving = end->ready;
	node_bool(r, node_get(conditions, "serving"), &end->serving);
	node_bool(r, node_get(conditions, "terminating"), &end->terminating);
	end->node = intern(r->m, node_get_string(r, node, "nodeName"));
	list = node_list(r, node, "addresses");
	end->addr = arena_alloc(&r->m->arena, ((list ? list->count : 0) + 1) * sizeof(*end->addr));
	for_each_node(child, list) {
		if (!read_addr(r, child, &end->addr[end->addr_count]))
			return;
		if (end->addr[end->addr_count].len != slice->addr_len)
			bad(r, child, "%s is not of the slice's addressType", child->text);
		end->addr_count++;
	}
}

void read_slice(struct reader *r, struct node *node)
{
	struct node *meta = node_map(r, node, "metadata"), *type = node_get(node, "addressType");
	struct node *list, *child;
	struct slice *slice;
	const char *text, *service;
	uint64_t weight = 100;

	service = node_get_string(r, node_map(r, meta, "labels"), "kubernetes.io/service-name");
	if (!node_string(r, type, &text))
		return;
	if (!strcmp(text, "FQDN") || !*service)
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
		if (node_get(child, "ip") && read_addr(r, node_get(child, "ip"), end->addr))
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

/* ---- what a node serves ---- */

static bool slice_is_of(const struct slice *slice, const struct service *service)
{
	/* Interned: the same name is the same pointer. */
	return slice->ns == service->ns && slice->service == service->name;
}

static int compare_slices(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int diff = strcmp(x->ns, y->ns);

	if (!diff)
		diff = strcmp(x->service, y->service);
	return diff ? diff : x->legacy - y->legacy;
}

/* Slices of a service are neighbours, those that count first. */
static const struct slice *slices_of(const struct manifest *m, const struct service *service,
				     unsigned int *count)
{
	unsigned int low = 0, high = m->slice_count;
	const struct slice want = { .ns = service->ns, .service = service->name };

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (compare_slices(&m->slice[mid], &want) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*count = 0;
	if (low == m->slice_count)
		return NULL;
	/* Endpoints only count where there are no slices. */
	for (; low + *count < m->slice_count; (*count)++)
		if (!slice_is_of(&m->slice[low + *count], service) ||
		    m->slice[low + *count].legacy != m->slice[low].legacy)
			break;
	return &m->slice[low];
}

static void backend_add(struct manifest_service *out, const struct wattle_addr *addr,
			uint16_t port, uint16_t weight, uint8_t state)
{
	struct manifest_backend *backend;
	unsigned int i;

	for (i = 0; i < out->backend_count; i++) {
		backend = &out->backend[i];
		if (!wattle_addr_equal(&backend->addr, addr) || backend->port != port)
			continue;
		if (state == WATTLE_BACKEND_STATE_ACTIVE)
			backend->state = state;
		return;
	}
	backend = APPEND(out->backend, out->backend_count);
	*backend = (struct manifest_backend){ *addr, port, weight, state };
}

static void backends_of(const struct service *service, const struct slice *slice,
			uint16_t port, const char *node, struct manifest_service *out)
{
	unsigned int i, j;

	for (i = 0; i < slice->end_count; i++) {
		const struct slice_endpoint *end = &slice->end[i];
		bool active = end->ready || service->publish;

		if ((!active && !(end->serving && end->terminating)) ||
		    (service->local && strcmp(end->node, node)))
			continue;
		for (j = 0; j < end->addr_count; j++)
			if (end->addr[j].len == out->frontend.addr.len)
				backend_add(out, &end->addr[j], port, slice->weight,
					    active ? WATTLE_BACKEND_STATE_ACTIVE :
						     WATTLE_BACKEND_STATE_TERMINATING);
	}
}

static void service_fill(const struct manifest *m, const struct service *service,
			 const struct service_port *port, const char *node,
			 struct manifest_service *out)
{
	unsigned int i, j, count;
	const struct slice *slice = slices_of(m, service, &count);

	for (i = 0; i < count; i++)
		for (j = 0; j < slice[i].port_count; j++)
			if (slice[i].port[j].name == port->name && slice[i].port[j].port &&
			    slice[i].port[j].proto == port->proto)
				backends_of(service, &slice[i], slice[i].port[j].port, node, out);
}

struct manifest_service *manifest_services(struct manifest *m, const char *node, size_t *count)
{
	struct manifest_service *all = NULL, *out;
	unsigned int i, j, k;

	*count = 0;
	if (m->slice_count)
		qsort(m->slice, m->slice_count, sizeof(*m->slice), compare_slices);
	for (i = 0; i < m->service_count; i++) {
		const struct service *service = &m->service[i];

		for (j = 0; j < service->vip_count; j++) {
			for (k = 0; k < service->port_count; k++) {
				out = APPEND(all, *count);
				memset(out, 0, sizeof(*out));
				out->name = arena_printf(&m->arena, "%s/%s", service->ns,
							 service->name);
				out->frontend.addr = service->vip[j];
				out->frontend.port = service->port[k].port;
				out->frontend.proto = service->port[k].proto;
				out->alg = service->alg;
				out->affinity = service->affinity;
				service_fill(m, service, &service->port[k], node, out);
			}
		}
	}
	return all;
}

void manifest_services_free(struct manifest_service *services, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(services[i].backend);
	free(services);
}
