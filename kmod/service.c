// SPDX-License-Identifier: GPL-2.0-only
/* Services, the readers' side, and the life of versions. service_write.c makes them. */

#include "service_private.h"
#include "alloc.h"

const struct wattle_service *wattle_service_lookup(struct wattle_services *services,
						   const struct wattle_service_key *key, u64 gen)
{
	return wattle_service_find(services, key, gen);
}

struct wattle_service *wattle_service_find(struct wattle_services *services,
					   const struct wattle_service_key *key, u64 gen)
{
	struct wattle_service *service;
	struct rhlist_head *list, *pos;

	list = rhltable_lookup(&services->by_frontend, key, wattle_service_params);
	rhl_for_each_entry_rcu(service, pos, list, link) {
		if (wattle_alive(&service->life, gen))
			return service;
	}
	return NULL;
}

struct wattle_service_front *wattle_service_front_find(struct wattle_services *services,
						       const struct in6_addr *addr, u64 gen)
{
	struct wattle_service_front *front;
	struct rhlist_head *list, *pos;

	list = rhltable_lookup(&services->by_addr, addr, wattle_front_params);
	rhl_for_each_entry_rcu(front, pos, list, link) {
		if (wattle_alive(&front->life, gen))
			return front;
	}
	return NULL;
}

bool wattle_service_has_addr(struct wattle_services *services, const struct in6_addr *addr,
			     u64 gen)
{
	return wattle_service_front_find(services, addr, gen);
}

/* The first of the running sums that is more than @at. */
static u32 wattle_service_weighted(const struct wattle_service *service, u32 at)
{
	u32 low = 0, high = service->usable - 1, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (service->cumulative[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/**
 * wattle_service_choose() - choose a backend for a new connection
 * @service: a published version
 * @hash: of the connection, or random
 *
 * Context: RCU reader.
 * Return: the backend, or NULL where none takes connections.
 */
const struct wattle_backend *wattle_service_choose(const struct wattle_service *service,
						   u32 hash)
{
	u32 i;

	if (!service->usable)
		return NULL;
	if (service->maglev)
		i = wattle_maglev_get(service->maglev, service->maglev_width,
				      reciprocal_scale(hash, service->maglev_size));
	else if (service->cumulative)
		i = wattle_service_weighted(service,
					    reciprocal_scale(hash, service->total_weight));
	else
		i = reciprocal_scale(hash, service->usable);
	return &service->backends[i];
}

const struct wattle_backend *wattle_service_usable(const struct wattle_service *service,
						   const struct in6_addr *addr, __be16 port)
{
	const struct wattle_backend key = { .addr = *addr, .port = port };
	u32 at;

	if (!wattle_backend_find(service->backends, service->usable, &key, &at))
		return NULL;
	return &service->backends[at];
}

bool wattle_service_admits(const struct wattle_service *service, const struct in6_addr *addr)
{
	const struct wattle_sources *sources = service->sources;
	unsigned int i;

	if (!sources)
		return true;
	for (i = 0; i < sources->count; i++) {
		if (ipv6_prefix_equal(addr, &sources->prefixes[i].addr, sources->prefixes[i].len))
			return service->source_policy == WATTLE_SOURCE_POLICY_ALLOW;
	}
	return service->source_policy == WATTLE_SOURCE_POLICY_DENY;
}

const struct wattle_backend *wattle_service_backend(const struct wattle_service *service,
						    const struct in6_addr *addr, __be16 port)
{
	const struct wattle_backend *backend = wattle_service_usable(service, addr, port);
	const struct wattle_backend key = { .addr = *addr, .port = port };
	u32 at;

	if (backend)
		return backend;
	if (!wattle_backend_find(service->backends + service->usable,
				 service->count - service->usable, &key, &at))
		return NULL;
	return &service->backends[service->usable + at];
}

bool wattle_service_keeps(const struct wattle_service *service, const struct in6_addr *addr,
			  __be16 port)
{
	const struct wattle_backend *backend = wattle_service_backend(service, addr, port);

	return backend && backend->state != WATTLE_BACKEND_STATE_QUARANTINED;
}

/* Numbers of frontends: the tree holds how many versions have each. */
int wattle_service_id_create(struct wattle_services *services, u32 *id)
{
	int err;

	if (wattle_alloc_denied())
		return -ENOMEM;
	err = xa_alloc_cyclic(&services->ids, id, xa_mk_value(1), XA_LIMIT(1, U32_MAX),
			      &services->next_id, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	return 0;
}

void wattle_service_id_get(struct wattle_services *services, u32 id)
{
	unsigned long users = xa_to_value(xa_load(&services->ids, id));

	/* The entry is there: nothing is allocated. */
	xa_store(&services->ids, id, xa_mk_value(users + 1), GFP_KERNEL);
}

static void wattle_service_id_put(struct wattle_services *services, u32 id)
{
	unsigned long users = xa_to_value(xa_load(&services->ids, id));

	if (users > 1)
		xa_store(&services->ids, id, xa_mk_value(users - 1), GFP_KERNEL);
	else
		xa_erase(&services->ids, id);
}

static void wattle_service_unlink(void *table, void *object)
{
	struct wattle_services *services = table;
	struct wattle_service *service = object;

	rhltable_remove(&services->by_frontend, &service->link, wattle_service_params);
	services->count--;
}

static void wattle_service_withdraw(void *table, void *object)
{
	struct wattle_service *service = object;

	service->front->services--;
	list_del_init(&service->staged);
	wattle_service_unlink(table, object);
}

static void wattle_service_revive(void *table, void *object)
{
	struct wattle_service *service = object;

	WRITE_ONCE(service->life.died, WATTLE_FOREVER);
	service->front->services++;
}

struct wattle_sources *wattle_sources_get(struct wattle_sources *sources)
{
	if (sources)
		refcount_inc(&sources->users);
	return sources;
}

void wattle_sources_put(struct wattle_sources *sources)
{
	if (sources && refcount_dec_and_test(&sources->users))
		kfree(sources);
}

void wattle_service_destroy(struct wattle_service *service)
{
	u32 i;

	for (i = 0; i < service->count; i++)
		wattle_service_stats_put(service->backends[i].stats);
	wattle_service_stats_put(service->stats);
	wattle_sources_put(service->sources);
	kvfree(service->maglev);
	kvfree(service->cumulative);
	kvfree(service->backends);
	kfree(service);
}

static void wattle_service_free(void *table, void *object)
{
	struct wattle_services *services = table;
	struct wattle_service *service = object;

	wattle_service_id_put(services, service->id);
	if (service->life.died == WATTLE_FOREVER)
		wattle_service_destroy(service);	/* staged, and taken back */
	else
		list_add_tail(&service->staged, &services->gone);
}

static const struct wattle_kind_ops wattle_service_ops = {
	.withdraw = wattle_service_withdraw,
	.revive = wattle_service_revive,
	.unlink = wattle_service_unlink,
	.free = wattle_service_free,
};

static void wattle_front_unlink(void *table, void *object)
{
	struct wattle_services *services = table;
	struct wattle_service_front *front = object;

	rhltable_remove(&services->by_addr, &front->link, wattle_front_params);
}

static void wattle_front_revive(void *table, void *object)
{
	struct wattle_service_front *front = object;

	WRITE_ONCE(front->life.died, WATTLE_FOREVER);
}

static void wattle_front_free(void *table, void *object)
{
	kfree(object);
}

static const struct wattle_kind_ops wattle_front_ops = {
	.withdraw = wattle_front_unlink,
	.revive = wattle_front_revive,
	.unlink = wattle_front_unlink,
	.free = wattle_front_free,
};

/**
 * wattle_services_init() - make an empty table
 * @services: the table
 * @log: logs its changes
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_services_init(struct wattle_services *services, struct wattle_log *log)
{
	int err;

	err = rhltable_init(&services->by_frontend, &wattle_service_params);
	if (err)
		return err;
	err = rhltable_init(&services->by_addr, &wattle_front_params);
	if (err) {
		rhltable_destroy(&services->by_frontend);
		return err;
	}
	err = wattle_affinities_init(&services->affinities);
	if (err) {
		rhltable_destroy(&services->by_addr);
		rhltable_destroy(&services->by_frontend);
		return err;
	}
	xa_init_flags(&services->ids, XA_FLAGS_ALLOC1);
	services->next_id = 0;
	INIT_LIST_HEAD(&services->staged);
	INIT_LIST_HEAD(&services->gone);
	services->count = 0;
	services->dsr = false;
	services->fresh = false;
	services->passed = 0;
	services->turned = NULL;
	wattle_log_kind(log, WATTLE_KIND_FRONT, &wattle_front_ops, services);
	wattle_log_kind(log, WATTLE_KIND_SERVICE, &wattle_service_ops, services);
	return 0;
}

static void wattle_service_destroy_linked(void *object, void *arg)
{
	wattle_service_destroy(object);
}

static void wattle_front_destroy_linked(void *object, void *arg)
{
	kfree(object);
}

/**
 * wattle_services_exit() - free a table that nobody reads any more
 * @services: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_services_exit(struct wattle_services *services)
{
	struct wattle_service *service, *next;

	list_for_each_entry_safe(service, next, &services->gone, staged)
		wattle_service_destroy(service);
	wattle_affinities_exit(&services->affinities);
	rhltable_free_and_destroy(&services->by_frontend, wattle_service_destroy_linked, NULL);
	rhltable_free_and_destroy(&services->by_addr, wattle_front_destroy_linked, NULL);
	xa_destroy(&services->ids);
}
