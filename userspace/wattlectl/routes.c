// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes, so that the host's own programs reach pods: a remote node's prefixes
 * through the wattle device, a local pod's addresses through its device. Pods'
 * packets do not need them.
 *
 * What is elsewhere by its identity alone has routes, too. Identities may be a million, so not
 * every command reads them: an apply and "route sync" make these routes, the others keep them.
 *
 * All of them have a protocol number of their own, so the tables and the routes can be
 * compared as a whole, whatever happened in between: the kernel removes the
 * routes of a device that goes down, and takes none for one that is down.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

struct routes {
	struct wattle_route *at;
	size_t count;
	size_t room;
	bool full;
};

/**
 * struct wanted - what there should be
 * @ends: where tunnels end, as routes to them
 * @have: what there is
 * @identities: new routes to what is elsewhere by its identity
 * @torn: the tables never stopped to change
 */
struct wanted {
	struct routes routes;
	struct routes ends;
	struct routes have;
	struct wattle_link link;
	bool identities;
	bool torn;
};

static int routes_add(struct routes *routes, const struct wattle_prefix *dst, uint32_t ifindex)
{
	if (routes->count == routes->room) {
		size_t room = routes->room ? routes->room * 2 : 64;
		void *at = realloc(routes->at, room * sizeof(*routes->at));

		routes->full = !at;
		if (!at)
			return 1;
		routes->at = at;
		routes->room = room;
	}
	routes->at[routes->count].dst = *dst;
	routes->at[routes->count++].ifindex = ifindex;
	return 0;
}

static int routes_add_host(struct routes *routes, const struct wattle_addr *addr,
			   uint32_t ifindex)
{
	const struct wattle_prefix host = { .addr = *addr, .len = wattle_addr_bits(addr) };

	return routes_add(routes, &host, ifindex);
}

static int route_compare_dst(const void *x, const void *y)
{
	const struct wattle_route *a = x, *b = y;

	return memcmp(&a->dst, &b->dst, sizeof(a->dst));
}

static int route_compare(const void *x, const void *y)
{
	const struct wattle_route *a = x, *b = y;

	return route_compare_dst(x, y) ?:
	       (a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex);
}

static void routes_sort(struct routes *routes)
{
	if (routes->count)
		qsort(routes->at, routes->count, sizeof(*routes->at), route_compare);
}

static bool routes_find(const struct routes *routes, const struct wattle_route *route,
			int (*compare)(const void *x, const void *y))
{
	return routes->count && bsearch(route, routes->at, routes->count, sizeof(*route), compare);
}

static bool routes_hold(const struct routes *routes, const struct wattle_route *route)
{
	return routes_find(routes, route, route_compare);
}

/* ---- what there should be ---- */

static bool is_here(const struct wattle_addr *addr, const struct wattle_link *link)
{
	return wattle_addr_equal(addr, &link->local4) || wattle_addr_equal(addr, &link->local6);
}

/* This node may be among the nodes; the way to its pods is not the tunnel. */
static bool node_is_here(const struct wattle_node *node, const struct wattle_link *link)
{
	unsigned int i;

	for (i = 0; i < node->addr_count; i++)
		if (is_here(&node->addr[i], link))
			return true;
	return false;
}

static int want_node(const struct nlmsghdr *nlh, void *arg)
{
	struct wanted *wanted = arg;
	struct wattle_node node;
	unsigned int i;
	int stop = 0;

	if (wattle_node_parse(nlh, &node))
		return 0;
	for (i = 0; !stop && i < node.addr_count; i++)
		stop = routes_add_host(&wanted->ends, &node.addr[i], 0);
	for (i = 0; !stop && i < node.cidr_count && !node_is_here(&node, &wanted->link); i++)
		stop = routes_add(&wanted->routes, &node.cidr[i], wanted->link.ifindex);
	wattle_node_release(&node);
	return stop;
}

static int want_endpoint(const struct nlmsghdr *nlh, void *arg)
{
	struct wanted *wanted = arg;
	struct wattle_endpoint endpoint;
	unsigned int i;
	int stop = 0;

	if (wattle_endpoint_parse(nlh, &endpoint))
		return 0;
	for (i = 0; !stop && i < endpoint.ip_count; i++)
		stop = routes_add_host(&wanted->routes, &endpoint.ip[i], endpoint.ifindex);
	wattle_endpoint_release(&endpoint);
	return stop;
}

static int want_identity(const struct nlmsghdr *nlh, void *arg)
{
	struct wanted *wanted = arg;
	struct wattle_route route = { .ifindex = wanted->link.ifindex };
	struct wattle_identity identity;

	if (wattle_identity_parse(nlh, &identity) || !identity.via.len ||
	    is_here(&identity.via, &wanted->link))
		return 0;
	route.dst = identity.prefix;
	if (!wanted->identities && !routes_hold(&wanted->have, &route))
		return 0;
	return routes_add(&wanted->routes, &route.dst, route.ifindex);
}

/* Is one of @ends, which are in order, in @dst? The first from its lowest address on, or none. */
static bool routes_end_in(const struct routes *ends, const struct wattle_prefix *dst)
{
	size_t low = 0, high = ends->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(&ends->at[mid].dst.addr, &dst->addr, sizeof(dst->addr)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ends->count && wattle_prefix_has(dst, &ends->at[low].dst.addr);
}

/*
 * One for each prefix, in order: a pod's own device comes before the tunnel. What the tunnel needs
 * itself must not lead through it: the way to its ends, and the host's default route.
 */
static void routes_settle(struct wanted *wanted)
{
	uint32_t tunnel = wanted->link.ifindex;
	struct wattle_route *at = wanted->routes.at;
	size_t i, kept = 0;

	routes_sort(&wanted->routes);
	routes_sort(&wanted->ends);
	for (i = 0; i < wanted->routes.count; i++) {
		if (at[i].ifindex == tunnel &&
		    (!at[i].dst.len || routes_end_in(&wanted->ends, &at[i].dst)))
			continue;
		if (!kept || route_compare_dst(&at[kept - 1], &at[i]))
			at[kept++] = at[i];
		else if (at[kept - 1].ifindex == tunnel)
			at[kept - 1] = at[i];
	}
	wanted->routes.count = kept;
}

/* What @fn makes of a dump that was asked for by scratch(). */
static int routes_want(struct wattle_sock *sock, struct wanted *wanted, wattle_reply_fn *fn,
		       struct wattle_error *err)
{
	int code = wattle_dump(sock, scratch(), fn, wanted, err);

	wanted->torn |= code > 0;
	if (code >= 0 && (wanted->routes.full || wanted->ends.full))
		return wattle_error_set(err, ENOMEM, "out of memory");
	return code;
}

/* Are there routes through the tunnel that are of no node? Then an identity may want them. */
static bool routes_of_identities(const struct wanted *wanted)
{
	const struct routes *have = &wanted->have;
	size_t i;

	for (i = 0; i < have->count; i++)
		if (have->at[i].ifindex == wanted->link.ifindex &&
		    !routes_hold(&wanted->routes, &have->at[i]))
			return true;
	return false;
}

static int routes_read(struct wattle_sock *sock, struct wanted *wanted, struct wattle_error *err)
{
	int code;

	wattle_node_ask(scratch(), NULL);
	code = routes_want(sock, wanted, want_node, err);
	if (code < 0)
		return code;
	wattle_endpoint_ask(scratch(), 0);
	code = routes_want(sock, wanted, want_endpoint, err);
	routes_settle(wanted);
	if (code < 0 || !(wanted->identities || routes_of_identities(wanted)))
		return code;
	wattle_identity_ask(scratch(), NULL);
	code = routes_want(sock, wanted, want_identity, err);
	routes_settle(wanted);
	return code;
}

/* ---- what there is ---- */

static int have_route(const struct nlmsghdr *nlh, void *arg)
{
	struct wattle_route route;

	if (wattle_route_parse(nlh, &route))
		return 0;
	return routes_add(arg, &route.dst, route.ifindex);
}

static int routes_have(struct wattle_sock *sock, struct routes *have, struct wattle_error *err)
{
	int code;

	wattle_route_ask(scratch(), 4);
	code = wattle_dump(sock, scratch(), have_route, have, err);
	if (code < 0)
		return code;
	wattle_route_ask(scratch(), 16);
	code = wattle_dump(sock, scratch(), have_route, have, err);
	/* A kernel without IPv6 has no such routes. */
	if (code < 0 && code != -EOPNOTSUPP && code != -EAFNOSUPPORT)
		return code;
	routes_sort(have);
	return have->full ? wattle_error_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- from the one to the other ---- */

/* Who cannot have a route now gets it with a later command, or it is gone already. */
static bool route_later(int code)
{
	return code == -ENETDOWN || code == -ENODEV || code == -ESRCH || code == -ENOENT ||
	       code == -EAFNOSUPPORT;
}

static int others_route(const struct nlmsghdr *nlh, void *arg)
{
	struct wattle_route route;

	if (wattle_route_parse(nlh, &route) == -ENOENT)
		*(struct wattle_route *)arg = route;
	return 0;
}

/* The device of somebody else's route to the very prefix of @route; 0: there is none. */
static uint32_t route_others(struct wattle_sock *sock, const struct wattle_route *route)
{
	struct wattle_route best = {};
	struct wattle_error err;

	wattle_route_ask_best(scratch(), &route->dst.addr);
	wattle_call(sock, scratch(), others_route, &best, &err);
	return best.dst.len == route->dst.len ? best.ifindex : 0;
}

static void route_refused(struct call *call, const struct wattle_route *route, const char *why)
{
	char text[WATTLE_PREFIX_STRLEN], dev[IF_NAMESIZE];

	report(call, NULL, "done, but the host's route to %s by %s is not: %s",
	       wattle_prefix_text(text, &route->dst),
	       if_indextoname(route->ifindex, dev) ? dev : "a device that has gone", why);
}

static int route_send(struct call *call, struct wattle_sock *sock, enum wattle_how how,
		      const struct wattle_route *route)
{
	struct wattle_error err;
	int code;

	wattle_route_encode(scratch(), how, route);
	code = wattle_call(sock, scratch(), NULL, NULL, &err);
	if (code && code != -EEXIST && !route_later(code))
		route_refused(call, route, err.text);
	return code;
}

/* Where somebody has a route through the same device, it is as good as ours. */
static void route_add(struct call *call, struct wattle_sock *sock, const struct wattle_route *route)
{
	static const char why[] = "somebody else's route is there, and stays";
	uint32_t others = route_others(sock, route);
	struct routes ours = {};
	struct wattle_error err;

	if (others && others != route->ifindex)
		route_refused(call, route, why);
	if (others || route_send(call, sock, WATTLE_ADD, route) != -EEXIST)
		return;
	/* Ours, by a call at the same time, or one that leads nowhere. */
	routes_have(sock, &ours, &err);
	if (!routes_find(&ours, route, route_compare_dst))
		route_refused(call, route, why);
	else if (!routes_hold(&ours, route))
		route_send(call, sock, WATTLE_REPLACE, route);
	free(ours.at);
}

/*
 * In this order a prefix that moves between devices always has a route. Of tables that never
 * stopped to change one cannot tell what is too much: another time.
 */
static void routes_apply(struct call *call, struct wattle_sock *sock, const struct wanted *wanted)
{
	const struct routes *want = &wanted->routes, *have = &wanted->have;
	size_t i;

	for (i = 0; i < want->count; i++) {
		if (routes_hold(have, &want->at[i]))
			continue;
		if (routes_find(have, &want->at[i], route_compare_dst))
			route_send(call, sock, WATTLE_REPLACE, &want->at[i]);
		else
			route_add(call, sock, &want->at[i]);
	}
	for (i = 0; i < have->count && !wanted->torn; i++)
		if (!routes_hold(want, &have->at[i]))
			route_send(call, sock, WATTLE_DEL, &have->at[i]);
}

/* How many prefixes elsewhere have no route, because the device is down. */
static size_t routes_missing(const struct wanted *wanted)
{
	size_t i, missing = 0;

	for (i = 0; i < wanted->routes.count && !(wanted->link.flags & IFF_UP); i++)
		missing += wanted->routes.at[i].ifindex == wanted->link.ifindex &&
			   !routes_hold(&wanted->have, &wanted->routes.at[i]);
	return missing;
}

/* @missing: how many the device that is down does without. Negative: what has been reported. */
static int routes_make(struct call *call, struct wattle_sock *sock, struct wanted *wanted,
		       size_t *missing)
{
	struct wattle_sock *route_sock;
	struct wattle_error err;
	int code;

	code = wattle_open_route(&route_sock, &err);
	if (code)
		goto out;
	/* In this order: a route that is there was wanted by tables that we then see, too. */
	code = routes_have(route_sock, &wanted->have, &err);
	if (code >= 0)
		code = routes_read(sock, wanted, &err);
	if (code >= 0) {
		routes_apply(call, route_sock, wanted);
		*missing = routes_missing(wanted);
	}
	wattle_close(route_sock);
out:
	if (code < 0)
		report(call, NULL, "done, but the host's routes are not: %s", err.text);
	free(wanted->routes.at);
	free(wanted->ends.at);
	free(wanted->have.at);
	return code;
}

int routes_sync(struct call *call, bool identities)
{
	struct wanted wanted = { .identities = identities };
	struct wattle_sock *sock = family(call);
	size_t missing = 0;

	if (!sock || !device_find(&wanted.link))
		return EXIT_DONE;
	if (routes_make(call, sock, &wanted, &missing) >= 0 && missing)
		fprintf(stderr, "warning: %s is down: the host has no route to %zu prefix%s elsewhere until \"ip link set %s up\" and \"wattlectl route sync\"\n",
			wanted.link.name, missing, missing == 1 ? "" : "es", wanted.link.name);
	/* The change itself is made: whoever called must not think that it is not. */
	return EXIT_DONE;
}

/* ---- the same, asked for ---- */

static int route_sync(struct call *call)
{
	struct wanted wanted = { .identities = true };
	struct wattle_sock *sock = family(call);
	size_t missing = 0;

	if (!sock)
		return EXIT_REFUSED;
	if (!device_find(&wanted.link)) {
		report(call, NULL, "there is no wattle device in this network namespace");
		return EXIT_REFUSED;
	}
	if (routes_make(call, sock, &wanted, &missing) < 0)
		return EXIT_REFUSED;
	if (!missing)
		return EXIT_DONE;
	report(call, NULL, "%s is down, and takes no routes: first \"ip link set %s up\"",
	       wanted.link.name, wanted.link.name);
	return EXIT_REFUSED;
}

static const struct verb route_verbs[] = {
	{
		.name = "sync", .help = "make them what nodes, identities and endpoints want",
		.run = route_sync,
	},
};

const struct object route_object = {
	.name = "route", .help = "routes to pods, for the node's own programs",
	.verbs = route_verbs, .count = ARRAY_SIZE(route_verbs),
};
