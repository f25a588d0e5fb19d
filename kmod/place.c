// SPDX-License-Identifier: GPL-2.0-only
/* What an address is, and where. */
#include "decide_private.h"

static enum wattle_local wattle_place_local(const struct wattle_view *view,
					    const struct in6_addr *addr)
{
	return view->local ? view->local(view->net, addr) : WATTLE_LOCAL_NO;
}

bool wattle_place_is_host(const struct wattle_view *view, const struct in6_addr *addr)
{
	return wattle_place_local(view, addr) == WATTLE_LOCAL_HOST;
}

/* May others reach this host by @addr, and get answers from elsewhere? */
static bool wattle_addr_is_open(const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr))
		return !ipv4_is_loopback(wattle_addr_v4(addr));
	return !(ipv6_addr_type(addr) & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL));
}

/* What services there are at @addr, of which the rest is known. */
static void wattle_place_find_services(const struct wattle_view *view, const struct in6_addr *addr,
				       struct wattle_place *place)
{
	struct wattle_services *services = &view->config->services;
	struct in6_addr any = wattle_addr_any(wattle_addr_is_v4(addr));

	place->wild = place->host && wattle_addr_is_open(addr) &&
		      wattle_service_has_addr(services, &any, view->gen);
	place->service = place->wild || wattle_service_has_addr(services, addr, view->gen);
	place->vacant = !place->service && !place->host && !place->node && !place->endpoint &&
			!place->lost && wattle_range_has(&view->config->ranges, addr, view->gen);
}

static void wattle_place_identify(const struct wattle_view *view, const struct in6_addr *addr,
				  bool host, struct wattle_place *place)
{
	struct wattle_config *config = view->config;
	enum wattle_local local = host ? WATTLE_LOCAL_HOST : WATTLE_LOCAL_NO;
	struct wattle_identity_info info;
	bool exact;

	*place = (struct wattle_place){ .id = WATTLE_ID_WORLD, .host = host };
	place->endpoint = host ? NULL : wattle_endpoint_by_ip(&config->endpoints, addr, view->gen);
	if (place->endpoint && place->endpoint->id) {
		place->id = place->endpoint->id;
		place->listed = true;
		return;
	}
	place->listed = wattle_identity_lookup(&config->identities, addr, view->gen, &info);
	exact = place->listed && info.prefix_len == 128;
	if (place->listed)
		place->id = info.id;
	if (place->endpoint)
		return;
	if (place->listed && info.via && !host) {
		place->node = wattle_node_by_addr(&config->nodes, info.via, view->gen);
		place->lost = !place->node;
		return;
	}
	/* A wide prefix, such as that of a site, renames neither this host nor other nodes. */
	if (!exact && !host)
		local = wattle_place_local(view, addr);
	if (!exact && local == WATTLE_LOCAL_HOST) {
		place->host = true;
		place->id = WATTLE_ID_HOST;
		return;
	}
	if (host)
		return;
	place->node = wattle_node_by_addr(&config->nodes, addr, view->gen);
	if (place->node) {
		place->own = true;
		place->listed = true;
		if (!exact)
			place->id = WATTLE_ID_REMOTE_NODE;
		return;
	}
	place->node = wattle_node_by_cidr(&config->nodes, addr, view->gen);
	if (place->node)
		return;
	if (exact)
		local = wattle_place_local(view, addr);
	place->host = local == WATTLE_LOCAL_HOST;
	place->shared = local == WATTLE_LOCAL_SHARED;
}

static void wattle_place_find(const struct wattle_view *view, const struct in6_addr *addr,
			      bool host, struct wattle_place *place)
{
	wattle_place_identify(view, addr, host, place);
	wattle_place_find_services(view, addr, place);
}

const struct wattle_place *wattle_locate(const struct wattle_view *view,
					 const struct in6_addr *addr, bool host,
					 struct wattle_place *room)
{
	struct wattle_memo_place *slot;

	if (host || !view->memo) {
		wattle_place_find(view, addr, host, room);
		return room;
	}
	slot = wattle_memo_place(view->memo, addr);
	if (unlikely(!wattle_memo_place_is(slot, addr, view->gen, view->epoch))) {
		wattle_place_find(view, addr, false, &slot->place);
		slot->addr = *addr;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
	}
	return &slot->place;
}
