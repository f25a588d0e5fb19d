// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frontends of a node: which addresses and ports of services, and of its pods, and which
 * backends each of them has there.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

/*
 * What a frontend is asked for by, the strongest first: addresses and ports that the cluster has
 * allocated, those that a load balancer was given, what an object asks for by itself, and a pod
 * that is being deleted.
 */
enum claim { CLAIM_CLUSTER, CLAIM_BALANCER, CLAIM_EXTERNAL, CLAIM_POD, CLAIM_POD_DYING };

/* A backend of a port, for whichever frontend may use it. @open: takes new connections. */
struct candidate {
	struct manifest_backend backend;
	const struct slice_endpoint *end;
	bool local;
	bool open;
};

/* Whom hints of the endpoints are followed for. */
enum topology { TOPOLOGY_NONE, TOPOLOGY_ZONE, TOPOLOGY_NODE };

/**
 * struct making - frontends in the making
 * @node: as seen from there; interned
 * @zone: of the node; interned, or NULL
 * @service: in hand, with its @name
 * @candidate: of the port and family in hand, @open of them
 * @first: frontend of those, which remembers clients for all of them; no port: there is none
 */
struct making {
	struct manifest *m;
	const char *node;
	const char *zone;
	struct manifest_service *all;
	size_t count;
	const struct service *service;
	const char *name;
	struct candidate *candidate;
	unsigned int candidates;
	unsigned int open;
	enum topology topology;
	struct wattle_frontend first;
};

/* ---- slices ---- */

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

/* ---- candidates ---- */

static void candidate_add(struct making *k, const struct slice_endpoint *end, uint16_t port,
			  uint16_t weight, uint8_t state, bool open)
{
	struct candidate *c;
	unsigned int i;

	/* On its way from one slice to another it is in both. */
	for (i = 0; i < k->candidates; i++) {
		c = &k->candidate[i];
		if (!wattle_addr_equal(&c->backend.addr, &end->addr[0]) ||
		    c->backend.port != port)
			continue;
		/* Not every slice says where it is. */
		c->local |= end->node == k->node;
		k->open += open && !c->open;
		c->open |= open;
		if (state == WATTLE_BACKEND_STATE_ACTIVE && c->backend.state != state) {
			c->backend.state = state;
			c->end = end;
		}
		return;
	}
	c = APPEND(k->candidate, k->candidates);
	*c = (struct candidate){
		.backend = { end->addr[0], port, weight, state },
		.end = end, .local = end->node == k->node, .open = open,
	};
	k->open += open;
}

/*
 * All that a connection could go to, those that are leaving while they still serve as well, and who
 * may have connections.
 */
static void candidates_of(struct making *k, const struct slice *slice, uint16_t port,
			  uint8_t addr_len)
{
	unsigned int i;

	for (i = 0; i < slice->end_count; i++) {
		const struct slice_endpoint *end = &slice->end[i];
		bool active = end->ready || k->service->publish;

		/* More addresses than one would be the same once more. */
		if (!end->addr_count || end->addr[0].len != addr_len)
			continue;
		candidate_add(k, end, port, slice->weight,
			      active ? WATTLE_BACKEND_STATE_ACTIVE :
				       WATTLE_BACKEND_STATE_TERMINATING,
			      active || (end->serving && end->terminating));
	}
}

static bool has_name(const struct names *names, const char *name)
{
	unsigned int i;

	for (i = 0; i < names->count; i++)
		if (names->at[i] == name)
			return true;
	return false;
}

/* Hints hold where every endpoint has one, and some are meant for here. */
static enum topology topology_of(const struct making *k)
{
	bool nodes = true, zones = true, in_node = false, in_zone = false;
	unsigned int i;

	for (i = 0; i < k->candidates; i++) {
		const struct slice_endpoint *end = k->candidate[i].end;

		if (k->candidate[i].backend.state != WATTLE_BACKEND_STATE_ACTIVE)
			continue;
		nodes &= end->nodes.count > 0;
		zones &= end->zones.count > 0;
		in_node |= has_name(&end->nodes, k->node);
		in_zone |= has_name(&end->zones, k->zone);
	}
	if (nodes && in_node)
		return TOPOLOGY_NODE;
	return zones && in_zone ? TOPOLOGY_ZONE : TOPOLOGY_NONE;
}

static void candidates_make(struct making *k, const struct service_port *port, uint8_t addr_len)
{
	unsigned int i, j, count;
	const struct slice *slice = slices_of(k->m, k->service, &count);

	k->candidates = 0;
	k->open = 0;
	free(k->candidate);
	k->candidate = NULL;
	for (i = 0; i < count; i++)
		for (j = 0; j < slice[i].port_count; j++)
			if (slice[i].port[j].name == port->name && slice[i].port[j].port &&
			    slice[i].port[j].proto == port->proto)
				candidates_of(k, &slice[i], slice[i].port[j].port, addr_len);
	k->topology = topology_of(k);
}

/* Hints choose among the active ones: who is leaving is only asked where those are none. */
static bool candidate_fits(const struct making *k, const struct candidate *c, bool local)
{
	if (!c->open)
		return false;
	if (local)
		return c->local;
	if (c->backend.state != WATTLE_BACKEND_STATE_ACTIVE)
		return true;
	switch (k->topology) {
	case TOPOLOGY_NODE:
		return has_name(&c->end->nodes, k->node);
	case TOPOLOGY_ZONE:
		return has_name(&c->end->zones, k->zone);
	default:
		return true;
	}
}

/*
 * Who gets no new connections here and yet is there keeps those that he has, as with kube-proxy:
 * one that is not ready at the moment, one that hints are not for any more. Conversations of UDP
 * go elsewhere once he does not serve.
 */
static bool candidate_lingers(const struct candidate *c, uint8_t proto)
{
	return proto != IPPROTO_UDP || c->end->ready || c->end->serving;
}

static void candidate_use(const struct making *k, const struct candidate *c, bool local,
			  struct manifest_service *out)
{
	struct manifest_backend backend = c->backend;

	if (!candidate_fits(k, c, local)) {
		if (!candidate_lingers(c, out->frontend.proto))
			return;
		backend.weight = 0;
		backend.state = WATTLE_BACKEND_STATE_TERMINATING;
	}
	*APPEND(out->backend, out->backend_count) = backend;
}

/* ---- frontends ---- */

static enum claim claim_of(const struct vip *vip)
{
	/* A node port has no address. */
	if (!vip->kinds || vip->kinds & VIP_CLUSTER)
		return CLAIM_CLUSTER;
	return vip->kinds & VIP_BALANCER ? CLAIM_BALANCER : CLAIM_EXTERNAL;
}

static struct manifest_service *frontend_add(struct making *k, const struct wattle_addr *addr,
					     uint16_t port, uint8_t proto, const char *where)
{
	struct manifest_service *out = APPEND(k->all, k->count);

	memset(out, 0, sizeof(*out));
	out->frontend.addr = *addr;
	out->frontend.port = port;
	out->frontend.proto = proto;
	out->where = where;
	out->order = k->count;
	return out;
}

/*
 * A client who comes back does so by whichever address of the port. The first frontend keeps its own
 * clients, so where there is no other nobody is named.
 */
static void affinity_share(struct making *k, struct manifest_service *out)
{
	out->affinity = k->service->affinity;
	if (!out->affinity)
		return;
	if (k->first.port)
		out->affinity_with = k->first;
	else
		k->first = out->frontend;
}

static void service_add(struct making *k, const struct vip *vip, uint16_t number, uint8_t proto,
			uint8_t scope, bool local)
{
	struct manifest_service *out = frontend_add(k, &vip->addr, number, proto, vip->where);
	const struct service *service = k->service;
	unsigned int i;

	out->frontend.scope = scope;
	out->name = k->name;
	out->owner = service;
	out->created = service->created;
	out->claim = claim_of(vip);
	out->health_port = scope == WATTLE_SCOPE_OUTSIDE ? service->health_port : 0;
	out->alg = service->alg;
	affinity_share(k, out);
	out->dsr = service->dsr && proto != IPPROTO_SCTP;
	for (i = 0; i < k->candidates; i++)
		candidate_use(k, &k->candidate[i], local, out);
	/* Others could answer: elsewhere is asked, once a load balancer has seen that none is here. */
	out->empty = local && k->open ? WATTLE_EMPTY_DROP : WATTLE_EMPTY_REJECT;
	if (!(vip->kinds & VIP_BALANCER))
		return;
	out->source_policy = service->deny ? WATTLE_SOURCE_POLICY_DENY : WATTLE_SOURCE_POLICY_ALLOW;
	for (i = 0; i < service->source_count; i++)
		if (service->source[i].addr.len == vip->addr.len)
			*APPEND(out->source, out->source_count) = service->source[i];
}

/* More than the kernel takes of a frontend, which is of one family. */
static void sources_check(struct making *k, uint8_t addr_len)
{
	const struct service *service = k->service;
	unsigned int i, count = 0, balanced = 0;

	for (i = 0; i < service->vip_count; i++)
		balanced += service->vip[i].kinds & VIP_BALANCER &&
			    service->vip[i].addr.len == addr_len;
	for (i = 0; i < service->source_count; i++)
		count += service->source[i].addr.len == addr_len;
	if (balanced && service->port_count && count > WATTLE_SOURCES_MAX)
		bad_at(k->m, "%s: %u prefixes of IPv%c: a service takes at most %u",
		       service->source_where, count, addr_len == 4 ? '4' : '6',
		       WATTLE_SOURCES_MAX);
}

static void service_serve(struct making *k, const struct vip *vip, uint16_t number, uint8_t proto)
{
	const struct service *service = k->service;
	bool inside = vip->kinds & VIP_CLUSTER;

	if (vip->kinds & VIP_BALANCER && service_is_closed(service, vip->addr.len))
		return;
	service_add(k, vip, number, proto, WATTLE_SCOPE_ANY, inside && service->inside_local);
	/* Who is in the cluster needs no second node on the way, and reaches all. */
	if (!inside && service->outside_local)
		service_add(k, vip, number, proto, WATTLE_SCOPE_OUTSIDE, true);
}

static void service_port_make(struct making *k, const struct service_port *port, uint8_t addr_len)
{
	const struct service *service = k->service;
	struct vip all = { .addr.len = addr_len, .where = port->where };
	unsigned int i;

	candidates_make(k, port, addr_len);
	k->first.port = 0;
	for (i = 0; i < service->vip_count; i++)
		if (service->vip[i].addr.len == addr_len)
			service_serve(k, &service->vip[i], port->port, port->proto);
	if (port->node_port && service->families & (addr_len == 4 ? FAMILY_4 : FAMILY_6))
		service_serve(k, &all, port->node_port, port->proto);
}

/* ---- host ports ---- */

static void host_port_make(struct making *k, const struct pod *pod, const struct host_port *port,
			   const struct wattle_addr *ip)
{
	const struct wattle_addr all = { .len = ip->len };
	struct manifest_service *out;

	if (port->addr.len && port->addr.len != ip->len)
		return;
	out = frontend_add(k, port->addr.len ? &port->addr : &all, port->port, port->proto,
			   port->where);
	out->alg = WATTLE_ALG_RANDOM;
	out->owner = pod;
	out->created = pod->created;
	out->claim = pod->dying ? CLAIM_POD_DYING : CLAIM_POD;
	*APPEND(out->backend, out->backend_count) = (struct manifest_backend){
		*ip, port->to, 100,
		pod->dying ? WATTLE_BACKEND_STATE_TERMINATING : WATTLE_BACKEND_STATE_ACTIVE,
	};
}

/* The first address of each family, as in services. */
static void host_ports_make(struct making *k, const struct pod *pod)
{
	unsigned int i, j, l;

	for (i = 0; i < pod->host_port_count; i++) {
		for (j = 0; j < pod->ip_count; j++) {
			for (l = 0; l < j && pod->ip[l].len != pod->ip[j].len; l++)
				;
			if (l == j)
				host_port_make(k, pod, &pod->host_port[i], &pod->ip[j]);
		}
	}
}

/* ---- who claims what ---- */

/* Whatever the scope: who has an address and port has both. */
static int compare_places(const struct manifest_service *a, const struct manifest_service *b)
{
	struct wattle_frontend x = a->frontend, y = b->frontend;

	x.scope = y.scope = 0;
	return wattle_frontend_compare(&x, &y);
}

/* Claims to a place are neighbours: the strongest first, of equals the older, then as they came. */
static int compare_claims(const void *a, const void *b)
{
	const struct manifest_service *x = a, *y = b;
	int diff = compare_places(x, y);

	if (!diff)
		diff = x->claim - y->claim;
	if (!diff)
		diff = strcmp(x->created, y->created);
	return diff ? diff : x->order < y->order ? -1 : 1;
}

/* A pod that leaves, and its successor. False: @from is one too many. */
static bool frontend_merge(struct manifest_service *to, const struct manifest_service *from)
{
	if (to->claim < CLAIM_POD || from->claim != CLAIM_POD_DYING)
		return false;
	*APPEND(to->backend, to->backend_count) = from->backend[0];
	return true;
}

/*
 * What the cluster allocates it gives to one: that is an error. Else anybody can ask for what
 * another has, which must not stop the node from being configured.
 */
static void claim_lost(struct making *k, const struct manifest_service *has,
			 const struct manifest_service *wants)
{
	char text[WATTLE_FRONTEND_STRLEN];

	/* What is for outside has a neighbour for any, that has been told. */
	if (wants->frontend.scope != WATTLE_SCOPE_ANY)
		return;
	wattle_frontend_text(text, &wants->frontend);
	if (wants->claim == CLAIM_CLUSTER || wants->owner == has->owner)
		bad_at(k->m, "%s: %s is claimed twice, as well by %s", wants->where, text,
		       has->where);
	else
		warn_at(k->m, "%s: %s is left out: %s has it", wants->where, text, has->where);
}

static void frontends_check(struct making *k)
{
	struct manifest_service *s, *has = NULL;
	size_t i, kept = 0;

	if (k->count)
		qsort(k->all, k->count, sizeof(*k->all), compare_claims);
	for (i = 0; i < k->count; i++) {
		s = &k->all[i];
		if (!has || compare_places(s, has)) {
			k->all[kept] = *s;
			has = &k->all[kept++];
			continue;
		}
		/* Right behind his own for any, which came first: the one for outside. */
		if (s->owner == has->owner && has == &k->all[kept - 1] &&
		    s->frontend.scope != has->frontend.scope) {
			k->all[kept++] = *s;
			continue;
		}
		if (!frontend_merge(has, s))
			claim_lost(k, has, s);
		free(s->source);
		free(s->backend);
	}
	k->count = kept;
}

/* ---- all of it ---- */

static const char *zone_of(const struct manifest *m, const char *node)
{
	unsigned int i;

	for (i = 0; i < m->node_count; i++)
		if (m->node[i].name == node)
			return m->node[i].zone;
	return NULL;
}

bool manifest_services(struct manifest *m, const char *node, struct manifest_service **services,
		       size_t *count)
{
	struct making k = { .m = m, .node = intern(m, node) };
	unsigned int i, j, errors = m->errors;

	k.zone = zone_of(m, k.node);
	if (m->slice_count)
		qsort(m->slice, m->slice_count, sizeof(*m->slice), compare_slices);
	for (i = 0; i < m->service_count; i++) {
		k.service = &m->service[i];
		k.name = arena_printf(&m->arena, "%s/%s", k.service->ns, k.service->name);
		sources_check(&k, 4);
		sources_check(&k, 16);
		for (j = 0; j < k.service->port_count; j++) {
			service_port_make(&k, &k.service->port[j], 4);
			service_port_make(&k, &k.service->port[j], 16);
		}
	}
	for (i = 0; i < m->pod_count; i++)
		if (m->pod[i].node == k.node && !m->pod[i].done)
			host_ports_make(&k, &m->pod[i]);
	frontends_check(&k);
	free(k.candidate);
	*services = k.all;
	*count = k.count;
	return m->errors == errors;
}

void manifest_services_free(struct manifest_service *services, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(services[i].source);
		free(services[i].backend);
	}
	free(services);
}
