// SPDX-License-Identifier: GPL-2.0-only
/* The tables that manifests want of a node. */
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

struct want {
	struct call *call;
	struct manifest *m;
	const char *node;
	struct state *state;
	STATE_ARRAY(const char *) missing;	/* nodes that pods are on, and that are not there */
	bool failed;
};

/* ---- nodes ---- */

static const struct manifest_node *node_named(const struct manifest *m, const char *name)
{
	size_t i;

	for (i = 0; i < manifest_node_count(m); i++)
		if (!strcmp(manifest_node(m, i)->name, name))
			return manifest_node(m, i);
	return NULL;
}

static void want_nodes(struct want *want)
{
	const struct manifest_node *from;
	struct wattle_node *node;
	size_t i;

	for (i = 0; i < manifest_node_count(want->m); i++) {
		from = manifest_node(want->m, i);
		/* Its own pods are not behind the tunnel. */
		if (!strcmp(from->name, want->node))
			continue;
		if (!from->addr_count) {
			fprintf(stderr, "warning: Node %s: has no InternalIP: its pods cannot be reached\n",
				from->name);
			continue;
		}
		node = STATE_ADD(want->state->node);
		memset(node, 0, sizeof(*node));
		snprintf(node->name, sizeof(node->name), "%s", from->name);
		node->addr_count = from->addr_count;
		memcpy(node->addr, from->addr, sizeof(node->addr));
		node->cidr = calloc(from->cidr_count + 1, sizeof(*node->cidr));
		if (!node->cidr)
			exit(EXIT_REFUSED);
		node->cidr_count = from->cidr_count;
		if (from->cidr_count)
			memcpy(node->cidr, from->cidr, from->cidr_count * sizeof(*node->cidr));
	}
}

/* An address or a prefix of a node, to find those that two have. */
struct node_claim {
	struct wattle_prefix prefix;
	const char *node;
	const char *field;
};

static int compare_node_claims(const void *a, const void *b)
{
	const struct node_claim *x = a, *y = b;
	int diff = strcmp(x->field, y->field);

	if (!diff)
		diff = wattle_prefix_compare(&x->prefix, &y->prefix);
	return diff ? diff : strcmp(x->node, y->node);
}

static void node_claims_check(struct want *want, const struct node_claim *a,
			      const struct node_claim *b)
{
	char text[WATTLE_PREFIX_STRLEN];

	if (strcmp(a->field, b->field) || !wattle_prefix_equal(&a->prefix, &b->prefix))
		return;
	if (a->prefix.len == wattle_addr_bits(&a->prefix.addr))
		wattle_addr_text(text, &a->prefix.addr);
	else
		wattle_prefix_text(text, &a->prefix);
	fprintf(stderr, "Node %s: %s: %s is of Node %s as well\n", b->node, b->field, text,
		a->node);
	want->failed = true;
}

/* What the kernel would refuse of the nodes, in the words of the manifests. */
static void check_nodes(struct want *want)
{
	STATE_ARRAY(struct node_claim) claims = {};
	const struct wattle_node *node;
	struct wattle_prefix host;
	char text[WATTLE_ADDR_STRLEN];
	unsigned int j;
	size_t i;

	for (i = 0; i < want->state->node.count; i++) {
		node = &want->state->node.at[i];
		for (j = 0; j < node->addr_count; j++) {
			host.addr = node->addr[j];
			host.len = wattle_addr_bits(&host.addr);
			*STATE_ADD(claims) = (struct node_claim){ host, node->name,
								  "status.addresses" };
			if (wattle_addr_can_host(&host.addr))
				continue;
			fprintf(stderr, "Node %s: status.addresses: %s cannot be the address of a node\n",
				node->name, wattle_addr_text(text, &host.addr));
			want->failed = true;
		}
		for (j = 0; j < node->cidr_count; j++)
			*STATE_ADD(claims) = (struct node_claim){ node->cidr[j], node->name,
								  "spec.podCIDRs" };
	}
	if (claims.count)
		qsort(claims.at, claims.count, sizeof(*claims.at), compare_node_claims);
	for (i = 1; i < claims.count; i++)
		node_claims_check(want, &claims.at[i - 1], &claims.at[i]);
	free(claims.at);
}

static bool node_has(const struct manifest_node *node, const struct wattle_addr *addr)
{
	unsigned int i;

	for (i = 0; i < node->cidr_count; i++)
		if (wattle_prefix_has(&node->cidr[i], addr))
			return true;
	return false;
}

/* ---- pods ---- */

/* An address of a pod, to find those that two have. */
struct claim {
	struct wattle_addr addr;
	size_t pod;
	bool dying;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int diff = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	if (!diff)
		diff = x->dying - y->dying;
	return diff ? diff : x->pod < y->pod ? -1 : x->pod > y->pod;
}

/* Once for a node, however many pods are on it. */
static void warn_node(struct want *want, const struct manifest_pod *pod)
{
	size_t i;

	for (i = 0; i < want->missing.count; i++)
		if (!strcmp(want->missing.at[i], pod->node))
			return;
	*STATE_ADD(want->missing) = pod->node;
	fprintf(stderr, "warning: %s: Pod %s: its node %s is not there: pods on it cannot be reached\n",
		pod->where, pod->name, pod->node);
}

static void want_identity(struct want *want, const struct claim *claim)
{
	const struct manifest_node *node;
	struct wattle_identity *identity;
	struct manifest_pod pod;

	manifest_pod(want->m, claim->pod, &pod);
	identity = STATE_ADD(want->state->identity);
	memset(identity, 0, sizeof(*identity));
	identity->prefix.addr = claim->addr;
	identity->prefix.len = wattle_addr_bits(&claim->addr);
	identity->id = pod.id;
	if (!*pod.node || !strcmp(pod.node, want->node))
		return;
	node = node_named(want->m, pod.node);
	if (!node)
		warn_node(want, &pod);
	else if (!node_has(node, &claim->addr) && node->addr_count)
		identity->via = node->addr[0];
}

static void claims_check(struct want *want, const struct claim *a, const struct claim *b)
{
	char text[WATTLE_ADDR_STRLEN];
	struct manifest_pod x, y;

	if (b->dying)
		return;
	manifest_pod(want->m, a->pod, &x);
	manifest_pod(want->m, b->pod, &y);
	fprintf(stderr, "%s: Pod %s: status.podIP: %s is the address of %s (%s) as well\n",
		y.where, y.name, wattle_addr_text(text, &b->addr), x.name, x.where);
	want->failed = true;
}

static void want_identities(struct want *want)
{
	STATE_ARRAY(struct claim) claims = {};
	struct manifest_pod pod;
	unsigned int j;
	size_t i;

	for (i = 0; i < manifest_pod_count(want->m); i++) {
		manifest_pod(want->m, i, &pod);
		for (j = 0; pod.id && j < pod.ip_count; j++)
			*STATE_ADD(claims) = (struct claim){ pod.ip[j], i, pod.dying };
	}
	if (claims.count)
		qsort(claims.at, claims.count, sizeof(*claims.at), compare_claims);
	/* An address belongs to who lives on. */
	for (i = 0; i < claims.count; i++) {
		if (i && wattle_addr_equal(&claims.at[i].addr, &claims.at[i - 1].addr))
			claims_check(want, &claims.at[i - 1], &claims.at[i]);
		else
			want_identity(want, &claims.at[i]);
	}
	free(claims.at);
}

/* ---- endpoints: those that devices have been named for ---- */

/* Addresses that the pod does not tell are those that it was given by hand. */
static void endpoint_pod(struct state_endpoint *endpoint, const struct state_endpoint *now,
			 const struct manifest_pod *pod)
{
	const struct wattle_addr *ip = pod->ip_count ? pod->ip : now->ip;

	endpoint->id = pod->id;
	/* It was closed because nobody knew it. */
	if (now->id == NOTE_UNKNOWN_POD)
		endpoint->enforce = 0;
	endpoint->ip_count = pod->ip_count ? pod->ip_count : now->ip_count;
	if (endpoint->ip_count > 255)
		endpoint->ip_count = 255;
	if (endpoint->ip_count)
		memcpy(endpoint->ip, ip, endpoint->ip_count * sizeof(*ip));
}

static void endpoint_forget(struct state_endpoint *endpoint, const struct wattle_addr *addr)
{
	unsigned int i, kept = 0;

	for (i = 0; i < endpoint->ip_count; i++)
		if (!wattle_addr_equal(&endpoint->ip[i], addr))
			endpoint->ip[kept++] = endpoint->ip[i];
	endpoint->ip_count = kept;
}

/* A pod may have two devices while the one before goes: its addresses are at the newer. */
static void endpoints_yield(struct state *state)
{
	struct state_endpoint *old, *new;
	unsigned int k;
	size_t i, j;

	for (i = 0; i < state->endpoint.count; i++) {
		old = &state->endpoint.at[i];
		for (j = 0; *old->pod && j < state->endpoint.count; j++) {
			new = &state->endpoint.at[j];
			for (k = 0; *new->pod && new->ifindex > old->ifindex && k < new->ip_count; k++)
				endpoint_forget(old, &new->ip[k]);
		}
	}
}

static void want_endpoints(struct want *want, const struct state *now)
{
	struct state_endpoint *endpoint;
	struct manifest_pod pod;
	size_t i, j;

	for (i = 0; i < now->endpoint.count; i++) {
		endpoint = STATE_ADD(want->state->endpoint);
		*endpoint = now->endpoint.at[i];
		endpoint->ip = calloc(256, sizeof(*endpoint->ip));
		if (!endpoint->ip)
			exit(EXIT_REFUSED);
		if (endpoint->ip_count)
			memcpy(endpoint->ip, now->endpoint.at[i].ip,
			       endpoint->ip_count * sizeof(*endpoint->ip));
		/* Somebody's own business. */
		if (!*endpoint->pod)
			continue;
		if (endpoint->id != NOTE_UNKNOWN_POD) {
			endpoint->ip_count = 0;
			endpoint->id = 0;
		}
		for (j = 0; j < manifest_pod_count(want->m); j++) {
			manifest_pod(want->m, j, &pod);
			if (!pod.id || strcmp(pod.name, endpoint->pod) ||
			    strcmp(pod.node, want->node))
				continue;
			endpoint_pod(endpoint, &now->endpoint.at[i], &pod);
		}
	}
	endpoints_yield(want->state);
}

/* ---- rules: for the identities that are here ---- */

static int compare_locals(const void *a, const void *b)
{
	const struct state_local *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* By number, each once: so all rules come in order. */
static void want_locals(struct want *want)
{
	struct state *state = want->state;
	struct manifest_pod pod;
	size_t i, kept = 0;

	for (i = 0; i < manifest_pod_count(want->m); i++) {
		manifest_pod(want->m, i, &pod);
		if (!pod.id || strcmp(pod.node, want->node))
			continue;
		*STATE_ADD(state->local) = (struct state_local){ pod.id, pod.group };
		if (strlen(pod.name) > WATTLE_POD_MAX)
			fprintf(stderr, "warning: %s: Pod %s: no endpoint can be named for it: longer than %d bytes\n",
				pod.where, pod.name, WATTLE_POD_MAX);
	}
	if (state->local.count)
		qsort(state->local.at, state->local.count, sizeof(*state->local.at),
		      compare_locals);
	for (i = 0; i < state->local.count; i++)
		if (!i || state->local.at[i].id != state->local.at[i - 1].id)
			state->local.at[kept++] = state->local.at[i];
	state->local.count = kept;
}

/* Notes are of an identity behind all others. */
static void want_rules(struct want *want)
{
	want->state->m = want->m;
	want_locals(want);
	if (!notes_make(want->m, want->node, &want->state->rule.at, &want->state->rule.count,
			&want->state->rule.room))
		exit(EXIT_REFUSED);
}

/* ---- services ---- */

static void want_services(struct want *want)
{
	struct manifest_service *services;
	struct wattle_service *service;
	struct wattle_backend *backend;
	size_t i, count;
	unsigned int j;

	want->failed |= !manifest_services(want->m, want->node, &services, &count);
	for (i = 0; i < count; i++) {
		service = STATE_ADD(want->state->service);
		memset(service, 0, sizeof(*service));
		service->frontend = services[i].frontend;
		service->has_alg = true;
		service->alg = services[i].alg;
		service->has_affinity = true;
		service->affinity = services[i].affinity;
		service->affinity_with = services[i].affinity_with;
		service->has_empty = true;
		service->empty = services[i].empty;
		service->has_source_policy = true;
		service->source_policy = services[i].source_policy;
		service->has_dsr = true;
		service->dsr = services[i].dsr;
		/* They are ours now. */
		service->source = services[i].source;
		service->source_count = services[i].source_count;
		services[i].source = NULL;
		for (j = 0; j < services[i].backend_count; j++) {
			backend = STATE_ADD(want->state->backend);
			memset(backend, 0, sizeof(*backend));
			backend->service = services[i].frontend;
			backend->addr = services[i].backend[j].addr;
			backend->port = services[i].backend[j].port;
			backend->has_weight = true;
			backend->weight = services[i].backend[j].weight;
			backend->has_state = true;
			backend->state = services[i].backend[j].state;
		}
	}
	manifest_services_free(services, count);
}

/* ---- egress ---- */

/* The first address of that family, as the kernel has them in order. */
static bool interface_addr(const char *name, uint8_t len, struct wattle_addr *addr)
{
	struct ifaddrs *all, *at;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (at = all; at && !found; at = at->ifa_next) {
		const void *from;

		if (!at->ifa_addr || strcmp(at->ifa_name, name) ||
		    at->ifa_addr->sa_family != (len == 4 ? AF_INET : AF_INET6))
			continue;
		from = len == 4 ? (const void *)&((struct sockaddr_in *)at->ifa_addr)->sin_addr :
				  (const void *)&((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr;
		if (len == 16 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)from))
			continue;
		addr->len = len;
		memcpy(addr->bytes, from, len);
		found = true;
	}
	freeifaddrs(all);
	return found;
}

static void want_egress(struct want *want)
{
	struct manifest_egress *rules;
	struct wattle_egress *egress;
	size_t i, count;

	want->failed |= !manifest_egress(want->m, want->node, &rules, &count);
	for (i = 0; i < count; i++) {
		egress = STATE_ADD(want->state->egress);
		memset(egress, 0, sizeof(*egress));
		egress->id = rules[i].id;
		egress->to = rules[i].to;
		egress->action = rules[i].action;
		if (rules[i].action == WATTLE_EGRESS_ACTION_VIA)
			egress->via = rules[i].addr;
		else
			egress->as = rules[i].addr;
		if (!rules[i].interface ||
		    interface_addr(rules[i].interface, rules[i].to.addr.len, &egress->as))
			continue;
		fprintf(stderr, "%s: the interface %s of this node has no address of that family\n",
			rules[i].where, rules[i].interface);
		want->failed = true;
	}
	free(rules);
}

/* ---- ranges ---- */

static void want_ranges(struct want *want)
{
	struct wattle_prefix *ranges;
	size_t i, count;

	manifest_ranges(want->m, &ranges, &count);
	for (i = 0; i < count; i++)
		*STATE_ADD(want->state->range) = ranges[i];
	free(ranges);
}

/* ---- all of it ---- */

static bool node_is_known(const struct manifest *m, const char *name)
{
	struct manifest_pod pod;
	size_t i;

	if (manifest_has_node(m, name))
		return true;
	for (i = 0; i < manifest_pod_count(m); i++) {
		manifest_pod(m, i, &pod);
		if (!strcmp(pod.node, name))
			return true;
	}
	return false;
}

/* The names of nodes are in lower case; those of their hosts, which $(hostname) gives, need not be. */
static bool node_find(struct want *want)
{
	char name[WATTLE_NAME_MAX + 1];
	size_t i;

	if (node_is_known(want->m, want->node))
		return true;
	for (i = 0; want->node[i]; i++)
		name[i] = tolower((unsigned char)want->node[i]);
	name[i] = '\0';
	if (node_is_known(want->m, name)) {
		want->node = manifest_text(want->m, name);
		return true;
	}
	report(want->call, "--node", "there is no Node %s in what was given, and no pod on it",
	       want->node);
	return false;
}

int state_want(struct call *call, struct manifest *m, const char *node, const struct state *now,
	       struct state *state)
{
	struct want want = { .call = call, .m = m, .node = node, .state = state };

	if (!node_find(&want))
		return EXIT_REFUSED;
	want_nodes(&want);
	check_nodes(&want);
	want_identities(&want);
	want_endpoints(&want, now);
	want_rules(&want);
	want_services(&want);
	want_egress(&want);
	want_ranges(&want);
	state_sort(state);
	free(want.missing.at);
	return want.failed ? EXIT_REFUSED : EXIT_DONE;
}
