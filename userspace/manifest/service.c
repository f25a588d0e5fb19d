// SPDX-License-Identifier: GPL-2.0-only
/* Services: the addresses and ports that they claim, and what is meant to become of them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

bool labels_are_ignored(const struct node *labels)
{
	const struct node *child;

	for_each_node(child, labels)
		if (!strcmp(child->key, "service.kubernetes.io/service-proxy-name") ||
		    !strcmp(child->key, "service.kubernetes.io/headless"))
			return true;
	return false;
}

bool read_service_port(struct reader *r, struct node *node, long min, struct service_port *port)
{
	long number;

	memset(port, 0, sizeof(*port));
	port->name = "";
	if (!node_expect(r, node, NODE_MAP) ||
	    !node_number(r, node_get(node, "port"), min, 65535, &number) ||
	    !read_proto(r, node_get(node, "protocol"), &port->proto))
		return false;
	port->name = intern(r->m, node_get_string(r, node, "name"));
	port->port = number;
	return true;
}

/* Which of @words it is; what is missing is the first. */
static unsigned int read_choice(struct reader *r, const struct node *map, const char *key,
				const char *const *words)
{
	struct node *node = node_get(map, key);
	const char *text;
	char list[200];
	unsigned int i;
	size_t len = 0;

	if (!node_string(r, node, &text) || !*text)
		return 0;
	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	for (i = 0; words[i] && len < sizeof(list); i++)
		len += snprintf(list + len, sizeof(list) - len, "%s%s",
				!i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	bad(r, node, "\"%s\" is not %s", text, list);
	return 0;
}

static const char *const policies[] = { "Cluster", "Local", NULL };

/* ---- annotations ---- */

#define CILIUM "service.cilium.io/"

/* They narrow where a service is reached: without them it would be open. */
static const char *const refused[] = { CILIUM "node", CILIUM "node-selector", CILIUM "type", NULL };

static void service_annotations(struct reader *r, struct node *notes, struct service *service)
{
	static const char *const algs[] = { "random", "maglev", NULL };
	static const char *const modes[] = { "snat", "dsr", NULL };
	static const char *const ranges[] = { "allow", "deny", NULL };
	static const char *const proxied[] = { CILIUM "lb-l7", CILIUM "proxy-delegation" };
	unsigned int i;

	node_refuse(r, notes, refused, "is not supported: the service would be reached where it should not");
	service->alg = read_choice(r, notes, CILIUM "lb-algorithm", algs) ? WATTLE_ALG_MAGLEV :
									   WATTLE_ALG_RANDOM;
	service->deny = read_choice(r, notes, CILIUM "src-ranges-policy", ranges);
	service->dsr = read_choice(r, notes, CILIUM "forwarding-mode", modes);
	for (i = 0; i < COUNT(proxied); i++)
		if (node_get(notes, proxied[i]))
			warn(r, node_get(notes, proxied[i]),
			     "is not supported: no proxy sees the requests, connections are balanced");
}

/* ---- addresses ---- */

/* What never comes to a node from elsewhere, or is not one address. */
static bool addr_is_odd(const struct wattle_addr *addr)
{
	static const struct wattle_prefix odd[] = {
		{ { 4, { 0 } }, 8 }, { { 4, { 127 } }, 8 }, { { 4, { 224 } }, 4 },
		{ { 4, { 255, 255, 255, 255 } }, 32 }, { { 16, { 0 } }, 127 },
		{ { 16, { 0xff } }, 8 },
	};
	unsigned int i;

	for (i = 0; i < COUNT(odd); i++)
		if (wattle_prefix_has(&odd[i], addr))
			return true;
	return false;
}

static bool service_has_family(const struct service *service, uint8_t len)
{
	return service->families & (len == 4 ? FAMILY_4 : FAMILY_6);
}

static void service_add_vip(struct reader *r, struct node *node, struct service *service,
			    uint8_t kind)
{
	struct wattle_addr addr;
	unsigned int i;

	/* Empty: not given one yet. */
	if (!node || (node->type == NODE_SCALAR && !node->len) || !read_addr(r, node, &addr))
		return;
	if (addr_is_odd(&addr)) {
		/* Some that stand in for a load balancer say that it is at 127.0.0.1. */
		if (kind == VIP_BALANCER)
			warn(r, node, "%s cannot be the address of a service: left out", node->text);
		else
			bad(r, node, "%s cannot be the address of a service", node->text);
		return;
	}
	for (i = 0; i < service->vip_count; i++) {
		if (!wattle_addr_equal(&service->vip[i].addr, &addr))
			continue;
		service->vip[i].kinds |= kind;
		return;
	}
	*APPEND(service->vip, service->vip_count) = (struct vip){ addr, kind, where_is(r, node) };
}

/* The API server calls for one address of each family that the service is of. */
static void service_add_external(struct reader *r, struct node *node, struct service *service,
				 uint8_t kind)
{
	struct wattle_addr addr;

	if (node && node->type == NODE_SCALAR && !wattle_addr_parse(&addr, node->text) &&
	    !service_has_family(service, addr.len))
		warn(r, node, "%s is of a family that the service is not of: left out", node->text);
	else
		service_add_vip(r, node, service, kind);
}

static void service_cluster_ips(struct reader *r, struct node *spec, struct service *service)
{
	struct node *list = node_list(r, spec, "clusterIPs"), *one = node_get(spec, "clusterIP");
	struct node *child;

	if (!one && list)
		one = list->first;
	service->headless = one && one->type == NODE_SCALAR && !strcmp(one->text, "None");
	if (service->headless)
		return;
	service_add_vip(r, one, service, VIP_CLUSTER);
	for_each_node(child, list)
		service_add_vip(r, child, service, VIP_CLUSTER);
}

/* Of the addresses that it has; before it has any, of what it asks for. */
static void service_families(struct reader *r, struct node *spec, struct service *service)
{
	struct node *list = node_list(r, spec, "ipFamilies"), *child;
	const char *text;
	unsigned int i;

	for (i = 0; i < service->vip_count; i++)
		service->families |= service->vip[i].addr.len == 4 ? FAMILY_4 : FAMILY_6;
	for_each_node(child, service->vip_count ? NULL : list) {
		if (!node_string(r, child, &text))
			continue;
		if (!strcmp(text, "IPv4"))
			service->families |= FAMILY_4;
		else if (!strcmp(text, "IPv6"))
			service->families |= FAMILY_6;
		else
			bad(r, child, "\"%s\" is not IPv4 or IPv6", text);
	}
	if (!service->families)
		service->families = FAMILY_4 | FAMILY_6;
}

bool service_has_sources(const struct service *service, uint8_t len)
{
	unsigned int i;

	for (i = 0; i < service->source_count; i++)
		if (service->source[i].addr.len == len)
			return true;
	return false;
}

/* Prefixes of one family let nobody of the other in, and there is no way to say nobody. */
bool service_is_closed(const struct service *service, uint8_t len)
{
	return service->source_count && !service->deny && !service_has_sources(service, len);
}

static void service_balancers(struct reader *r, struct node *list, struct service *service)
{
	static const char *const modes[] = { "VIP", "Proxy", NULL };
	struct node *child, *ip;
	struct wattle_addr addr;

	for_each_node(child, list) {
		if (!node_expect(r, child, NODE_MAP) || read_choice(r, child, "ipMode", modes))
			continue;
		ip = node_get(child, "ip");
		service_add_external(r, ip, service, VIP_BALANCER);
		if (ip && ip->type == NODE_SCALAR && !wattle_addr_parse(&addr, ip->text) &&
		    service_is_closed(service, addr.len))
			warn(r, ip, "loadBalancerSourceRanges has no prefix of its family: left out");
	}
}

static bool is_space(char c)
{
	return isspace((unsigned char)c);
}

/* The API server takes blanks around them. */
static void service_sources(struct reader *r, struct node *list, struct service *service)
{
	struct wattle_prefix prefix;
	struct node *child;
	unsigned int i;

	if (list)
		service->source_where = where_is(r, list);
	for_each_node(child, list) {
		if (child->type == NODE_SCALAR) {
			while (child->len && is_space(child->text[child->len - 1]))
				child->len--;
			for (; child->len && is_space(*child->text); child->len--)
				child->text++;
			child->text = arena_text(&r->arena, child->text, child->len);
		}
		if (!read_prefix(r, child, false, &prefix))
			continue;
		for (i = 0; i < service->source_count; i++)
			if (wattle_prefix_equal(&service->source[i], &prefix))
				break;
		if (i == service->source_count)
			*APPEND(service->source, service->source_count) = prefix;
	}
}

/* ---- the rest ---- */

static void service_affinity(struct reader *r, struct node *spec, struct service *service)
{
	static const char *const kinds[] = { "None", "ClientIP", NULL };
	struct node *config = node_map(r, node_map(r, spec, "sessionAffinityConfig"), "clientIP");
	long seconds;

	if (!read_choice(r, spec, "sessionAffinity", kinds))
		return;
	service->affinity = 10800;
	if (config && node_get(config, "timeoutSeconds") &&
	    node_number(r, node_get(config, "timeoutSeconds"), 1, 86400, &seconds))
		service->affinity = seconds;
}

static void service_port(struct reader *r, struct node *node, bool node_ports,
			 struct service_port *port)
{
	struct node *at;
	long number;

	if (!read_service_port(r, node, 1, port))
		return;
	if (!port->port)
		bad(r, node, "port: is missing");
	at = node_get(node, "nodePort");
	if (!at || !node_number(r, at, 0, 65535, &number) || !number)
		return;
	if (!node_ports)
		bad(r, at, "is for services of type NodePort or LoadBalancer");
	port->node_port = number;
	port->where = where_is(r, at);
}

/* Only such a service has nodes that are of no use to its load balancer. */
static void service_health(struct reader *r, struct node *spec, bool balancer,
			   struct service *service)
{
	long number;

	if (node_number(r, node_get(spec, "healthCheckNodePort"), 0, 65535, &number) &&
	    balancer && service->outside_local)
		service->health_port = number;
}

static void service_addresses(struct reader *r, struct node *node, struct node *spec,
			      struct service *service)
{
	struct node *status = node_map(r, node_map(r, node, "status"), "loadBalancer"), *list, *child;

	service_cluster_ips(r, spec, service);
	if (service->headless)
		return;
	service_families(r, spec, service);
	service_sources(r, node_list(r, spec, "loadBalancerSourceRanges"), service);
	list = node_list(r, spec, "externalIPs");
	for_each_node(child, list)
		service_add_external(r, child, service, VIP_EXTERNAL);
	service_balancers(r, node_list(r, status, "ingress"), service);
}

void read_service(struct reader *r, struct node *node)
{
	static const char *const types[] = {
		"ClusterIP", "ExternalName", "NodePort", "LoadBalancer", NULL
	};
	struct node *spec = node_map(r, node, "spec"), *meta = node_map(r, node, "metadata");
	struct service *service = APPEND(r->m->service, r->m->service_count);
	struct node *labels = node_map(r, meta, "labels"), *ports, *child;
	unsigned int type;

	memset(service, 0, sizeof(*service));
	service->ns = intern(r->m, r->ns);
	service->name = intern(r->m, r->name);
	service->created = read_created(r, meta);
	labels_read(r, labels, &service->labels);
	child = node_map(r, spec, "selector");
	service->has_selector = child && child->count;
	labels_read(r, child, &service->selector);
	type = read_choice(r, spec, "type", types);
	if (type == 1)
		return;
	if (labels_are_ignored(labels)) {
		read_foreign_service(r, spec);
		return;
	}
	service_annotations(r, node_map(r, meta, "annotations"), service);
	service_addresses(r, node, spec, service);
	service_affinity(r, spec, service);
	service->inside_local = read_choice(r, spec, "internalTrafficPolicy", policies);
	service->outside_local = read_choice(r, spec, "externalTrafficPolicy", policies);
	service_health(r, spec, type == 3, service);
	node_bool(r, node_get(spec, "publishNotReadyAddresses"), &service->publish);
	ports = node_list(r, spec, "ports");
	for_each_node(child, ports)
		service_port(r, child, type > 1, APPEND(service->port, service->port_count));
}
