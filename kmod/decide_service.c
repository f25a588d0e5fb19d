// SPDX-License-Identifier: GPL-2.0-only
/* Which frontend a packet is for, and which backend of it. */
#include <linux/jhash.h>

#include "compat.h"
#include "decide_private.h"

const struct wattle_backend *wattle_decide_backend(struct wattle_services *services,
						   const struct wattle_service *service,
						   const struct in6_addr *saddr, u32 hash)
{
	const struct wattle_backend *backend = NULL;

	if (service->affinity)
		backend = wattle_affinity_lookup(&services->affinities, service, saddr);
	return backend ?: wattle_service_choose(service, hash);
}

/* Every bit of the words counts for every bit of the hash. */
u32 wattle_decide_hash(const struct wattle_key *key)
{
	const u64 *addrs = (const u64 *)&key->saddr;
	u64 hash = (__force u32)key->sport << 16 ^ (__force u32)key->dport ^ (u64)key->proto << 32;
	int i;

	for (i = 0; i < 4; i++) {
		hash = (hash ^ addrs[i]) * GOLDEN_RATIO_64;
		hash ^= hash >> 32;
	}
	return hash * GOLDEN_RATIO_64 >> 32;
}

bool wattle_decide_is_stranger(const struct wattle_view *view, const struct in6_addr *addr)
{
	const struct wattle_place *place;
	struct wattle_place room;

	place = wattle_locate(view, addr, false, &room);
	return !place->endpoint && !place->node && !place->host && !place->lost;
}

bool wattle_decide_is_outside(const struct wattle_view *view, const struct in6_addr *client)
{
	const struct wattle_place *place;
	struct wattle_place room;

	place = wattle_locate(view, client, false, &room);
	return !place->endpoint && (!place->node || place->own) && !place->host && !place->lost;
}

static bool wattle_is_outside(const struct wattle_view *view, const struct wattle_key *key)
{
	return key->origin != WATTLE_FROM_POD && !(key->flags & WATTLE_KEY_SRC_HOST) &&
	       wattle_decide_is_outside(view, &key->saddr);
}

/*
 * An address goes before every address, if @wild, and then what is for those from outside before
 * what is for any.
 */
static const struct wattle_service *wattle_look_up_frontend(const struct wattle_view *view,
							    const struct wattle_key *key,
							    bool outside, bool wild)
{
	struct wattle_services *services = &view->config->services;
	struct wattle_service_key ask = {
		.addr = key->daddr, .port = key->dport, .proto = key->proto,
	};
	const struct wattle_service *service = NULL;
	int i;

	for (i = 0; i <= wild && !service; i++) {
		if (i)
			ask.addr = wattle_addr_any(wattle_addr_is_v4(&key->daddr));
		if (outside) {
			ask.scope = WATTLE_SCOPE_OUTSIDE;
			service = wattle_service_lookup(services, &ask, view->gen);
		}
		ask.scope = WATTLE_SCOPE_ANY;
		if (!service)
			service = wattle_service_lookup(services, &ask, view->gen);
	}
	return service;
}

/* Why @addr, where no service answers, leads nowhere. NONE: it is a node's as well, or a pod's. */
static enum wattle_reason wattle_look_up_nobody(const struct wattle_view *view,
						const struct in6_addr *addr,
						const struct wattle_place *place)
{
	if (!place->service && !place->vacant)
		return WATTLE_REASON_NONE;
	if (place->host || place->node || place->endpoint || wattle_place_is_host(view, addr))
		return WATTLE_REASON_NONE;
	return place->service ? WATTLE_REASON_NO_SERVICE_PORT : WATTLE_REASON_NO_SERVICE;
}

static void wattle_look_up_service(const struct wattle_view *view, const struct wattle_key *key,
				   bool outside, struct wattle_memo_service *found)
{
	const struct wattle_place *place;
	struct wattle_place room;

	found->service = NULL;
	found->reason = WATTLE_REASON_NONE;
	place = wattle_locate(view, &key->daddr, false, &room);
	if (place->service)
		found->service = wattle_look_up_frontend(view, key, outside, place->wild);
	if (!found->service)
		found->reason = wattle_look_up_nobody(view, &key->daddr, place);
}

/* What there is for @key; @room is where the answer may be put, as for wattle_locate(). */
static const struct wattle_memo_service *wattle_find_service(const struct wattle_view *view,
							     const struct wattle_key *key,
							     struct wattle_memo_service *room)
{
	bool outside = wattle_is_outside(view, key);
	struct wattle_memo_service *slot;

	if (!view->memo) {
		wattle_look_up_service(view, key, outside, room);
		return room;
	}
	slot = wattle_memo_service(view->memo, key);
	if (unlikely(!wattle_memo_service_is(slot, key, outside, view->gen, view->epoch))) {
		wattle_look_up_service(view, key, outside, slot);
		slot->addr = key->daddr;
		slot->port = key->dport;
		slot->proto = key->proto;
		slot->outside = outside;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
	}
	return slot;
}

bool wattle_decide_forsaken(const struct wattle_view *view, const struct wattle_key *key,
			    const struct in6_addr *addr, __be16 port)
{
	const struct wattle_service *service;
	struct wattle_memo_service room;

	service = wattle_find_service(view, key, &room)->service;
	return service && !wattle_service_keeps(service, addr, port);
}

bool wattle_decide_is_served(const struct wattle_view *view, const struct wattle_key *key)
{
	struct wattle_memo_service room;

	return wattle_find_service(view, key, &room)->service;
}

/* Pods' packets do not go astray; of others only those that a service could be for. */
static bool wattle_is_for_service(const struct wattle_key *key)
{
	return key->origin == WATTLE_FROM_POD || key->proto == IPPROTO_TCP ||
	       key->proto == IPPROTO_UDP || key->proto == IPPROTO_SCTP || wattle_key_is_echo(key);
}

/*
 * Programs of this host are clients like any other. But where it has the service's address itself,
 * as with a load balancer that stands there, that is what they are seen with.
 */
static bool wattle_is_admitted(const struct wattle_key *key, const struct wattle_service *service)
{
	return wattle_service_admits(service, &key->saddr) ||
	       ((key->flags & WATTLE_KEY_SRC_HOST) && ipv6_addr_equal(&key->saddr, &key->daddr));
}

enum wattle_reason wattle_decide_service(const struct wattle_view *view,
					 const struct wattle_key *key,
					 const struct wattle_service **service)
{
	struct wattle_memo_service room wattle_uninit;
	const struct wattle_memo_service *found = wattle_find_service(view, key, &room);

	*service = found->service;
	if (!found->service)
		return unlikely(found->reason) && wattle_is_for_service(key) ?
		       found->reason : WATTLE_REASON_NONE;
	if (!wattle_is_admitted(key, found->service))
		return WATTLE_REASON_SOURCE_RANGE;
	return WATTLE_REASON_NONE;
}

u8 wattle_decide_refusal(const struct wattle_service *service, enum wattle_reason reason)
{
	if (reason == WATTLE_REASON_NO_SERVICE_PORT ||
	    (reason == WATTLE_REASON_NO_BACKEND && service->empty == WATTLE_EMPTY_REJECT))
		return WATTLE_VERDICT_REJECT;
	return WATTLE_VERDICT_DROP;
}

bool wattle_decide_is_dsr(const struct wattle_view *view, const struct wattle_service *service,
			  const struct wattle_key *key, const struct wattle_place *place)
{
	/* Programs of another node's own do not hear of what is in the tunnel. */
	return service->dsr && place->node && !place->own &&
	       !(key->flags & WATTLE_KEY_SRC_HOST) &&
	       wattle_decide_is_stranger(view, &key->saddr);
}

/*
 * The frontend that another node has handed a connection from outside on to, or NULL. Node ports
 * are at addresses of that node, which this one need not know.
 */
static const struct wattle_service *wattle_dsr_frontend(const struct wattle_view *view,
							const struct wattle_key *key)
{
	const struct wattle_service *service;
	const struct wattle_place *dst;
	struct wattle_place room;

	if (!key->in || !wattle_decide_is_stranger(view, &key->saddr))
		return NULL;
	dst = wattle_locate(view, &key->daddr, false, &room);
	if (dst->endpoint || (dst->node && !dst->own))
		return NULL;
	service = wattle_look_up_frontend(view, key, true, true);
	return service && service->dsr ? service : NULL;
}

/* How often to choose, and how many of all to look at, for a backend that is here. */
#define WATTLE_DSR_CHOICES	32
#define WATTLE_DSR_LOOKS	512

/*
 * The first choice is that of the node that has handed it on, by the same hash; there may have
 * been a change, or affinity, so others follow as likely as their weight says.
 */
static const struct wattle_backend *wattle_dsr_backend(const struct wattle_view *view,
						       const struct wattle_service *service,
						       const struct wattle_key *key)
{
	struct wattle_config *config = view->config;
	const struct wattle_backend *backend;
	u32 hash = wattle_decide_hash(key), i;

	backend = wattle_decide_backend(&config->services, service, &key->saddr, hash);
	for (i = 0; backend && i < WATTLE_DSR_CHOICES; i++) {
		if (wattle_endpoint_by_ip(&config->endpoints, &backend->addr, view->gen))
			return backend;
		backend = wattle_service_choose(service, jhash_1word(i, hash));
	}
	for (i = 0; i < min_t(u32, service->usable, WATTLE_DSR_LOOKS); i++) {
		backend = &service->backends[i];
		if (wattle_endpoint_by_ip(&config->endpoints, &backend->addr, view->gen))
			return backend;
	}
	return NULL;
}

static void wattle_target_backend(struct wattle_target *target,
				  const struct wattle_backend *backend)
{
	if (!backend) {
		target->reason = WATTLE_REASON_NO_BACKEND;
		return;
	}
	target->stats = backend->stats;
	target->addr = backend->addr;
	target->port = backend->port;
}

/* Of what comes out of the tunnel: it is for a service only where that is for it to answer. */
static void wattle_translate_dsr(const struct wattle_view *view, const struct wattle_key *key,
				 struct wattle_target *target)
{
	target->service = wattle_dsr_frontend(view, key);
	if (target->service)
		wattle_target_backend(target, wattle_dsr_backend(view, target->service, key));
}

void wattle_translate(const struct wattle_view *view, const struct wattle_key *key,
		      struct wattle_target *target)
{
	if (key->origin == WATTLE_FROM_TUNNEL) {
		wattle_translate_dsr(view, key, target);
		return;
	}
	target->reason = wattle_decide_service(view, key, &target->service);
	if (!target->reason && target->service)
		wattle_target_backend(target,
				      wattle_decide_backend(&view->config->services,
							    target->service, &key->saddr,
							    wattle_decide_hash(key)));
}
