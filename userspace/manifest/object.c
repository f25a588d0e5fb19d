// SPDX-License-Identifier: GPL-2.0-only
/* Objects by their kind: nodes, namespaces, pods. Policies and services are elsewhere. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

/* ---- values that many have ---- */

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* Labels become one text: it has to be clear where each begins and ends. */
static bool label_is_plain(struct reader *r, const struct node *node, const char *value)
{
	const char *key = node->key, *c;

	for (c = key; *c > ' ' && *c < 0x7f && *c != '='; c++)
		;
	if (*c || !*key) {
		bad(r, node, "\"%s\" is not the name of a label", key);
		return false;
	}
	for (c = value; *c > ' ' && *c < 0x7f; c++)
		;
	if (*c)
		bad(r, node, "\"%s\" is not the value of a label", value);
	return !*c;
}

bool labels_read(struct reader *r, const struct node *map, struct labels *labels)
{
	const char *value;
	struct node *child;
	bool fine = true;

	labels->count = 0;
	if (!map)
		return true;
	labels->at = arena_alloc(&r->m->arena, (map->count + 1) * sizeof(*labels->at));
	for_each_node(child, map) {
		/* An empty value may be written as nothing at all. */
		if (!node_string(r, node_is_null(child) ? NULL : child, &value) ||
		    !label_is_plain(r, child, value)) {
			fine = false;
			continue;
		}
		labels->at[labels->count].key = intern(r->m, child->key);
		labels->at[labels->count++].value = intern(r->m, value);
	}
	qsort(labels->at, labels->count, sizeof(*labels->at), compare_labels);
	return fine;
}

const char *labels_get(const struct labels *labels, const char *key)
{
	const struct label want = { .key = key }, *found;

	if (!labels->count)
		return NULL;
	found = bsearch(&want, labels->at, labels->count, sizeof(want), compare_labels);
	return found ? found->value : NULL;
}

bool read_addr(struct reader *r, const struct node *node, struct wattle_addr *addr)
{
	const char *text;

	if (!node_string(r, node, &text))
		return false;
	if (!wattle_addr_parse(addr, text))
		return true;
	bad(r, node, "\"%s\" is not an IPv4 or IPv6 address", text);
	return false;
}

bool read_prefix(struct reader *r, const struct node *node, bool bare,
		 struct wattle_prefix *prefix)
{
	char masked[WATTLE_PREFIX_STRLEN];
	const char *text;

	if (!node_string(r, node, &text))
		return false;
	if (!bare && !strchr(text, '/')) {
		bad(r, node, "\"%s\" is not a prefix: ADDRESS/LENGTH is meant", text);
		return false;
	}
	switch (wattle_prefix_parse(prefix, text)) {
	case 0:
		return true;
	case -EDOM:
		warn(r, node, "%s has bits set beyond its length: taken for %s", text,
		     wattle_prefix_text(masked, prefix));
		return true;
	case -ERANGE:
		bad(r, node, "%s: the length of the prefix is 0 to %d", text,
		    wattle_addr_bits(&prefix->addr));
		return false;
	default:
		bad(r, node, "\"%s\" is not an IPv4 or IPv6 prefix", text);
		return false;
	}
}

bool prefix_covers(const struct wattle_prefix *outer, const struct wattle_prefix *inner)
{
	return outer->len <= inner->len && wattle_prefix_has(outer, &inner->addr);
}

bool read_proto(struct reader *r, const struct node *node, uint8_t *proto)
{
	const char *text;

	*proto = IPPROTO_TCP;
	if (!node)
		return true;
	if (!node_string(r, node, &text))
		return false;
	if (!strcmp(text, "UDP"))
		*proto = IPPROTO_UDP;
	else if (!strcmp(text, "SCTP"))
		*proto = IPPROTO_SCTP;
	else if (strcmp(text, "TCP")) {
		bad(r, node, "\"%s\" is not TCP, UDP or SCTP", text);
		return false;
	}
	return true;
}

/* Names are parts of texts, here and in the kernel: no blanks, no slashes, nothing to obey. */
static bool name_is_plain(struct reader *r, const struct node *node, const char *name)
{
	const char *c;

	for (c = name; *c > ' ' && *c < 0x7f && !strchr("/;", *c); c++)
		;
	if (!*c)
		return true;
	bad(r, node, "\"%s\" is not a name", name);
	return false;
}

/* ---- nodes and namespaces ---- */

static void node_addresses(struct reader *r, struct node *list, struct manifest_node *out)
{
	struct wattle_addr addr;
	struct node *child;

	for_each_node(child, list) {
		if (!node_expect(r, child, NODE_MAP) ||
		    strcmp(node_get_string(r, child, "type"), "InternalIP"))
			continue;
		if (!read_addr(r, node_get(child, "address"), &addr))
			return;
		/* The first of each family, as everywhere. */
		if (out->addr_count == 2 ||
		    (out->addr_count && out->addr[0].len == addr.len))
			continue;
		out->addr[out->addr_count++] = addr;
	}
}

static void node_cidrs(struct reader *r, struct node *spec, struct manifest_node *out)
{
	struct node *list = node_list(r, spec, "podCIDRs"), *child;
	struct wattle_prefix prefix;

	for_each_node(child, list)
		if (read_prefix(r, child, false, &prefix))
			*APPEND(out->cidr, out->cidr_count) = prefix;
	child = node_get(spec, "podCIDR");
	if (!list && child && read_prefix(r, child, false, &prefix))
		*APPEND(out->cidr, out->cidr_count) = prefix;
}

void read_node(struct reader *r, struct node *node)
{
	struct manifest *m = r->m;
	struct manifest_node *out = APPEND(m->node, m->node_count);
	struct labels *of_node;
	struct node *labels;
	const char *zone;

	memset(out, 0, sizeof(*out));
	out->name = intern(m, r->name);
	if (strlen(r->name) > WATTLE_NAME_MAX)
		bad(r, node, "the name is longer than %d bytes", WATTLE_NAME_MAX);
	node_addresses(r, node_list(r, node_map(r, node, "status"), "addresses"), out);
	node_cidrs(r, node_map(r, node, "spec"), out);
	labels = node_map(r, node_map(r, node, "metadata"), "labels");
	of_node = APPEND(m->node_labels, m->node_labels_count);
	memset(of_node, 0, sizeof(*of_node));
	labels_read(r, labels, of_node);
	if (node_string(r, node_get(labels, "topology.kubernetes.io/zone"), &zone) && *zone)
		out->zone = intern(m, zone);
}

static void read_namespace(struct reader *r, struct node *node)
{
	struct namespace *ns = namespace_of(r->m, r->name);

	ns->given = true;
	labels_read(r, node_map(r, node_map(r, node, "metadata"), "labels"), &ns->labels);
}

/* ---- pods ---- */

static bool addr_is_any(const struct wattle_addr *addr)
{
	static const uint8_t none[16];

	return !memcmp(addr->bytes, none, addr->len);
}

static void pod_add_host_port(struct reader *r, struct node *node, const struct named_port *port,
			      struct pod *pod)
{
	struct node *at = node_get(node, "hostPort"), *ip = node_get(node, "hostIP");
	static const struct wattle_prefix loopback[] = {
		{ { 4, { 127 } }, 8 }, { { 16, { [15] = 1 } }, 128 },
	};
	struct host_port host = { .proto = port->proto, .to = port->port };
	long number;

	/* On its node's network the port is its own. */
	if (!at || pod->host || !node_number(r, at, 0, 65535, &number) || !number)
		return;
	if (ip && !(ip->type == NODE_SCALAR && !ip->len) && !read_addr(r, ip, &host.addr))
		return;
	if (wattle_prefix_has(&loopback[0], &host.addr) ||
	    wattle_prefix_has(&loopback[1], &host.addr)) {
		warn(r, at, "at %s is not served: left out", ip->text);
		return;
	}
	/* Which of the host's addresses it is may be left open. */
	if (!addr_is_any(&host.addr) && !wattle_addr_can_host(&host.addr)) {
		bad(r, ip, "%s cannot be the address of a service", ip->text);
		return;
	}
	host.port = number;
	host.where = where_is(r, at);
	*APPEND(pod->host_port, pod->host_port_count) = host;
}

static void pod_add_port(struct reader *r, struct node *node, struct pod *pod)
{
	const char *name = node_get_string(r, node, "name");
	struct named_port port = {};
	long number;

	if (!node_number(r, node_get(node, "containerPort"), 1, 65535, &number) ||
	    !read_proto(r, node_get(node, "protocol"), &port.proto) || !number)
		return;
	port.port = number;
	pod_add_host_port(r, node, &port, pod);
	/* No policy can say another. */
	if (!port_name_is_valid(name))
		return;
	port.name = intern(r->m, name);
	named_put(&r->m->port_names, port.name, r->m);
	*APPEND(pod->port, pod->port_count) = port;
}

static void pod_ports(struct reader *r, struct node *containers, bool sidecars, struct pod *pod)
{
	struct node *container, *port, *ports;

	for_each_node(container, containers) {
		if (!node_expect(r, container, NODE_MAP))
			continue;
		if (sidecars && strcmp(node_get_string(r, container, "restartPolicy"), "Always"))
			continue;
		ports = node_list(r, container, "ports");
		for_each_node(port, ports)
			if (node_expect(r, port, NODE_MAP))
				pod_add_port(r, port, pod);
	}
}

static int compare_ports(const void *a, const void *b)
{
	const struct named_port *x = a, *y = b;
	int diff = strcmp(x->name, y->name);

	if (!diff)
		diff = x->proto - y->proto;
	return diff ? diff : x->port - y->port;
}

/* All named ports, to compare pods by. */
static void pod_ports_text(struct manifest *m, struct pod *pod)
{
	char *text = NULL;
	unsigned int i;
	size_t size;
	FILE *out;

	pod->ports = "";
	if (!pod->port_count)
		return;
	qsort(pod->port, pod->port_count, sizeof(*pod->port), compare_ports);
	out = open_memstream(&text, &size);
	for (i = 0; out && i < pod->port_count; i++)
		fprintf(out, "%s=%u/%u ", pod->port[i].name, pod->port[i].port,
			pod->port[i].proto);
	if (out)
		fclose(out);
	pod->ports = intern(m, text ? text : "");
	free(text);
}

static void pod_add_ip(struct reader *r, struct node *node, struct pod *pod)
{
	struct wattle_addr addr;
	unsigned int i;

	/* Empty: not given one yet. */
	if (!node || (node->type == NODE_SCALAR && !node->len) || !read_addr(r, node, &addr))
		return;
	if (!pod->host && !pod->done && !wattle_addr_can_host(&addr)) {
		bad(r, node, "%s cannot be the address of a pod", node->text);
		return;
	}
	for (i = 0; i < pod->ip_count; i++)
		if (wattle_addr_equal(&pod->ip[i], &addr))
			return;
	pod->ip[pod->ip_count++] = addr;
}

static void pod_ips(struct reader *r, struct node *status, struct pod *pod)
{
	struct node *list = node_list(r, status, "podIPs"), *child;

	pod->ip = arena_alloc(&r->m->arena, ((list ? list->count : 0) + 1) * sizeof(*pod->ip));
	pod_add_ip(r, node_get(status, "podIP"), pod);
	for_each_node(child, list)
		if (node_expect(r, child, NODE_MAP))
			pod_add_ip(r, node_get(child, "ip"), pod);
}

void read_pod(struct reader *r, struct node *node)
{
	struct node *meta = node_map(r, node, "metadata"), *spec = node_map(r, node, "spec");
	struct node *status = node_map(r, node, "status");
	const char *account, *phase = node_get_string(r, status, "phase");
	struct manifest *m = r->m;
	struct pod *pod = APPEND(m->pod, m->pod_count);

	memset(pod, 0, sizeof(*pod));
	pod->ns = namespace_of(m, r->ns);
	pod->name = intern(m, r->name);
	pod->full = arena_printf(&m->arena, "%s/%s", r->ns, r->name);
	pod->where = arena_printf(&m->arena, "%s:%u", r->file, node->line);
	pod->node = intern(m, node_get_string(r, spec, "nodeName"));
	account = node_get_string(r, spec, "serviceAccountName");
	name_is_plain(r, node_get(spec, "nodeName"), pod->node);
	name_is_plain(r, node_get(spec, "serviceAccountName"), account);
	pod->account = intern(m, *account ? account : "default");
	node_bool(r, node_get(spec, "hostNetwork"), &pod->host);
	pod->done = !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
	pod->dying = node_get(meta, "deletionTimestamp");
	pod->created = read_created(r, meta);
	labels_read(r, node_map(r, meta, "labels"), &pod->labels);
	pod_ips(r, status, pod);
	pod_ports(r, node_list(r, spec, "containers"), false, pod);
	pod_ports(r, node_list(r, spec, "initContainers"), true, pod);
	pod_ports_text(m, pod);
}

/* ---- any object ---- */

const char *read_created(struct reader *r, const struct node *meta)
{
	const struct node *created = node_get(meta, "creationTimestamp");

	return created && created->type == NODE_SCALAR && !node_is_null(created) ?
	       intern(r->m, created->text) : "";
}

struct kind {
	const char *api;	/* versions, between blanks */
	const char *name;
	bool namespaced;
	void (*read)(struct reader *r, struct node *node);
};

static const struct kind kinds[] = {
	{ " v1 ", "Node", false, read_node },
	{ " v1 ", "Namespace", false, read_namespace },
	{ " v1 ", "Pod", true, read_pod },
	{ " v1 ", "Service", true, read_service },
	{ " v1 ", "Endpoints", true, read_endpoints },
	{ " discovery.k8s.io/v1 ", "EndpointSlice", true, read_slice },
	{ " networking.k8s.io/v1 ", "NetworkPolicy", true, read_network_policy },
	{ " networking.k8s.io/v1 networking.k8s.io/v1beta1 ", "ServiceCIDR", false,
	  read_service_cidr },
	{ " cilium.io/v2 ", "CiliumNetworkPolicy", true, read_cilium_policy },
	{ " cilium.io/v2 ", "CiliumClusterwideNetworkPolicy", false, read_cilium_policy },
	{ " cilium.io/v2 cilium.io/v2alpha1 ", "CiliumCIDRGroup", false, read_cidr_group },
	{ " cilium.io/v2 ", "CiliumIdentity", false, read_given_identity },
	{ " cilium.io/v2 ", "CiliumEgressGatewayPolicy", false, read_egress_policy },
};

static void read_object(struct reader *r, struct node *node, const struct kind *kind)
{
	struct node *meta = node_map(r, node, "metadata");
	const char *ns = node_get_string(r, meta, "namespace"), *key, *before;
	struct manifest *m = r->m;

	r->name = node_get_string(r, meta, "name");
	if (!*r->name) {
		r->name = NULL;
		bad(r, node, "metadata.name: is missing");
		return;
	}
	r->ns = kind->namespaced ? *ns ? ns : "default" : NULL;
	if (!name_is_plain(r, node_get(meta, "name"), r->name) ||
	    !name_is_plain(r, node_get(meta, "namespace"), ns))
		return;
	key = arena_printf(&m->arena, "%s %s/%s", kind->name, r->ns ? r->ns : "", r->name);
	before = named_get(m->objects, key);
	if (before) {
		bad(r, node, "is there already, in %s", before);
		return;
	}
	named_put(&m->objects, key, arena_printf(&m->arena, "%s:%u", r->file, node->line));
	kind->read(r, node);
}

/* "List", or "PodList". */
static bool is_list(const struct node *node, const char *kind)
{
	size_t len = strlen(kind);
	struct node *child;

	if (len < 4 || strcmp(kind + len - 4, "List"))
		return false;
	for_each_node(child, node)
		if (!strcmp(child->key, "items"))
			return true;
	return false;
}

/* What has not been taken as it came: lists in lists, aliases, objects without a kind. */
static void read_list(struct reader *r, struct node *node)
{
	struct node *list = node_list(r, node, "items"), *child, *next;
	const struct node *outer = r->list;

	for (child = list ? list->first : NULL; child; child = next) {
		next = child->next;
		child->parent = NULL;
		r->list = node;
		r->fn(r, child);
	}
	r->list = outer;
}

/* In a "PodList" of the API server pods do not say that they are pods. */
static void of_list(struct reader *r, const char **kind, const char **api)
{
	const char *list = r->list ? node_get_string(r, r->list, "kind") : "";
	size_t len = strlen(list);

	if (**kind || **api || len <= 4 || strcmp(list + len - 4, "List"))
		return;
	*kind = arena_text(&r->m->arena, list, len - 4);
	*api = node_get_string(r, r->list, "apiVersion");
}

static void read_kind(struct reader *r, struct node *node, const char *kind, const char *api)
{
	struct node *meta;
	char padded[80];
	unsigned int i;

	snprintf(padded, sizeof(padded), " %s ", api);
	for (i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, kind))
			continue;
		if (strstr(kinds[i].api, padded)) {
			read_object(r, node, &kinds[i]);
			return;
		}
	}
	if (r->m->ignore_unknown)
		return;
	meta = node_map(r, node, "metadata");
	r->ns = node_get_string(r, meta, "namespace");
	if (!*r->ns)
		r->ns = NULL;
	r->name = node_get_string(r, meta, "name");
	if (!*r->name)
		r->name = NULL;
	bad(r, node, "%s of %s is not a kind that is read here (--ignore-unknown passes over it)",
	    kind, api);
}

bool object_read(struct reader *r, struct node *node)
{
	const char *kind, *api;

	if (node_is_null(node))
		return true;
	if (!node_expect(r, node, NODE_MAP))
		return true;
	kind = node_get_string(r, node, "kind");
	api = node_get_string(r, node, "apiVersion");
	/* In the order of the alphabet the kind of a list comes after its items. */
	if (!*kind && !*api && r->list && !node_get(r->list, "kind"))
		return false;
	of_list(r, &kind, &api);
	if (!*kind || !*api) {
		bad(r, node, "%s: is missing: not a Kubernetes object",
		    *kind ? "apiVersion" : "kind");
		return true;
	}
	r->kind = kind;
	if (is_list(node, kind))
		read_list(r, node);
	else
		read_kind(r, node, kind, api);
	return true;
}
