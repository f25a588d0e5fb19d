// SPDX-License-Identifier: GPL-2.0-only
/* Services, the writers' side: versions are staged and changed. service_ready.c has them ready. */

#include <linux/in.h>

#include "service_private.h"
#include "alloc.h"

static int wattle_service_check_key(const struct wattle_service_key *key,
				    struct wattle_refusal *why)
{
	/* The unspecified address stands for all that the host has. */
	if (!wattle_addr_is_host(&key->addr) && !wattle_addr_is_any(&key->addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ADDR,
				     "this cannot be the address of a service");
	if (!key->port)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PORT, "a service needs a port");
	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP &&
	    key->proto != IPPROTO_SCTP)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_PROTO,
				     "services are for tcp, udp and sctp");
	if (key->scope > WATTLE_SCOPE_OUTSIDE)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_SCOPE, "unknown scope");
	return 0;
}

static bool wattle_is_prime(u32 n)
{
	u32 i;

	for (i = 2; i <= n / i; i++) {
		if (n % i == 0)
			return false;
	}
	return n > 1;
}

static int wattle_service_check_sources(const struct wattle_service_spec *spec,
					struct wattle_refusal *why)
{
	const struct wattle_prefix *prefix = spec->sources;
	unsigned int i;
	int err = 0;

	if (spec->source_policy > WATTLE_SOURCE_POLICY_DENY)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_SOURCE_POLICY,
				     "unknown policy for sources");
	if (spec->source_count > WATTLE_SOURCES_MAX)
		return wattle_refuse_at(why, -ENOSPC, WATTLE_FIELD_SOURCE, WATTLE_SOURCES_MAX,
					"a service has at most 256 source prefixes");
	for (i = 0; i < spec->source_count && !err; i++, prefix++) {
		if (wattle_addr_is_v4(&prefix->addr) != wattle_addr_is_v4(&spec->key.addr))
			return wattle_refuse_at(why, -EINVAL, WATTLE_FIELD_SOURCE, i,
						"service and source prefix are of different address families");
		err = wattle_prefix_check(prefix, WATTLE_FIELD_SOURCE, i, why);
	}
	return err;
}

static int wattle_service_check_affinity(const struct wattle_service_spec *spec,
					 struct wattle_refusal *why)
{
	const struct wattle_service_key *with = &spec->remembers;

	if (!with->port)
		return 0;
	if (!spec->affinity)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_AFFINITY_ADDR,
				     "there is no affinity to share");
	if (!wattle_addr_is_host(&with->addr) && !wattle_addr_is_any(&with->addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_AFFINITY_ADDR,
				     "this cannot be the address of a service");
	if (wattle_addr_is_v4(&with->addr) != wattle_addr_is_v4(&spec->key.addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_AFFINITY_ADDR,
				     "affinity is shared by services of one address family");
	return 0;
}

static int wattle_service_check(const struct wattle_service_spec *spec,
				struct wattle_refusal *why)
{
	if (spec->alg > WATTLE_ALG_MAGLEV)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ALG, "unknown algorithm");
	if (spec->maglev_size && (spec->maglev_size > WATTLE_MAGLEV_MAX ||
				  spec->maglev_size < 3 || !wattle_is_prime(spec->maglev_size)))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_MAGLEV_SIZE,
				     "size of a Maglev table is a prime from 3 to 131071");
	if (spec->dsr && spec->key.proto == IPPROTO_SCTP)
		return wattle_refuse(why, -EOPNOTSUPP, WATTLE_FIELD_DSR,
				     "direct server return is for TCP and UDP");
	if (spec->empty > WATTLE_EMPTY_DROP)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_EMPTY,
				     "without a backend a service rejects or drops");
	return wattle_service_check_affinity(spec, why) ?:
	       wattle_service_check_sources(spec, why);
}

/* The address at the next generation, which begins to have services where it had none. */
static struct wattle_service_front *wattle_front_get(struct wattle_services *services,
						     struct wattle_log *log,
						     const struct in6_addr *addr)
{
	struct wattle_service_front *front;

	rcu_read_lock();
	front = wattle_service_front_find(services, addr, log->next);
	rcu_read_unlock();
	if (front)
		return front;
	front = wattle_alloc(sizeof(*front));
	if (!front)
		return NULL;
	front->life.born = log->next;
	front->life.died = WATTLE_FOREVER;
	front->addr = *addr;
	if (wattle_hash_insert(rhltable_insert(&services->by_addr, &front->link,
					       wattle_front_params))) {
		kfree(front);
		return NULL;
	}
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_FRONT, front);
	return front;
}

static void wattle_service_bury(struct wattle_log *log, struct wattle_service *service)
{
	struct wattle_service_front *front = service->front;

	WRITE_ONCE(service->life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_SERVICE, service);
	if (--front->services)
		return;
	WRITE_ONCE(front->life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_FRONT, front);
}

static int wattle_service_link(struct wattle_services *services, struct wattle_log *log,
			       struct wattle_service *service)
{
	int err;

	service->front = wattle_front_get(services, log, &service->addr);
	if (!service->front)
		return -ENOMEM;
	err = wattle_hash_insert(rhltable_insert(&services->by_frontend, &service->link,
						 wattle_service_params));
	if (err)
		return err;
	service->front->services++;
	services->count++;
	list_add_tail(&service->staged, &services->staged);
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_SERVICE, service);
	return 0;
}

/* The backends of a published version, all in order again. */
static int wattle_service_copy_backends(struct wattle_service *to,
					const struct wattle_service *from)
{
	const struct wattle_backend *a = from->backends, *a_end = a + from->usable;
	const struct wattle_backend *b = a_end, *b_end = from->backends + from->count;
	u32 i;

	if (!from->count)
		return 0;
	to->room = from->count + 1;
	to->backends = wattle_alloc_array(to->room, sizeof(*to->backends));
	if (!to->backends)
		return -ENOMEM;
	to->count = from->count;
	for (i = 0; i < to->count; i++) {
		if (b == b_end || (a < a_end && wattle_backend_compare(a, b) < 0))
			to->backends[i] = *a++;
		else
			to->backends[i] = *b++;
		wattle_service_stats_get(to->backends[i].stats);
		to->total_weight += to->backends[i].weight;
	}
	return 0;
}

/*
 * The version of @old that can be changed: itself where nobody has seen it, or a
 * copy that takes its place.
 */
static struct wattle_service *wattle_service_stage(struct wattle_services *services,
						   struct wattle_log *log,
						   struct wattle_service *old)
{
	struct wattle_service *service;

	if (old->life.born == log->next)
		return old;
	service = wattle_alloc(sizeof(*service));
	if (!service)
		return NULL;
	service->life.born = log->next;
	service->life.died = WATTLE_FOREVER;
	service->key = old->key;
	service->alg = old->alg;
	service->empty = old->empty;
	service->source_policy = old->source_policy;
	service->dsr = old->dsr;
	service->sources = wattle_sources_get(old->sources);
	service->affinity = old->affinity;
	service->remembers = old->remembers;
	service->maglev_size = old->maglev_size;
	service->id = old->id;
	service->stats = wattle_service_stats_get(old->stats);
	service->took = old->usable;
	if (wattle_service_copy_backends(service, old) ||
	    wattle_service_link(services, log, service)) {
		wattle_service_destroy(service);
		return NULL;
	}
	wattle_service_id_get(services, service->id);
	wattle_service_bury(log, old);
	return service;
}

static struct wattle_service *wattle_service_find_next(struct wattle_services *services,
						       const struct wattle_log *log,
						       const struct wattle_service_key *key)
{
	struct wattle_service *service;

	rcu_read_lock();
	service = wattle_service_find(services, key, log->next);
	rcu_read_unlock();
	return service;
}

static int wattle_service_create(struct wattle_services *services, struct wattle_log *log,
				 const struct wattle_service_key *key,
				 struct wattle_service **out)
{
	struct wattle_service *service;
	u32 id;
	int err;

	err = wattle_service_id_create(services, &id);
	if (err)
		return err;
	service = wattle_alloc(sizeof(*service));
	if (!service) {
		err = -ENOMEM;
		goto err_id;
	}
	service->life.born = log->next;
	service->life.died = WATTLE_FOREVER;
	service->key = *key;
	service->id = id;
	service->took = true;
	service->stats = wattle_service_stats_create(NULL);
	err = service->stats ? wattle_service_link(services, log, service) : -ENOMEM;
	if (err)
		goto err_service;
	services->fresh |= key->proto == IPPROTO_UDP;
	*out = service;
	return 0;

err_service:
	wattle_service_destroy(service);
err_id:
	xa_erase(&services->ids, id);
	return err;
}

static struct wattle_sources *wattle_sources_create(const struct wattle_service_spec *spec)
{
	struct wattle_sources *sources;

	sources = wattle_alloc(struct_size(sources, prefixes, spec->source_count));
	if (!sources)
		return NULL;
	refcount_set(&sources->users, 1);
	sources->count = spec->source_count;
	memcpy(sources->prefixes, spec->sources,
	       array_size(spec->source_count, sizeof(*spec->sources)));
	return sources;
}

/* What @spec says of a staged version, which takes @sources over. */
static void wattle_service_set(struct wattle_service *service,
			       const struct wattle_service_spec *spec,
			       struct wattle_sources *sources)
{
	service->alg = spec->alg;
	service->empty = spec->empty;
	service->affinity = spec->affinity;
	service->remembers = spec->remembers.port ? spec->remembers : spec->key;
	service->maglev_size = spec->maglev_size ?: WATTLE_MAGLEV_SIZE;
	service->source_policy = spec->source_policy;
	service->dsr = spec->dsr;
	wattle_sources_put(service->sources);
	service->sources = sources;
}

/**
 * wattle_service_add() - stage a frontend
 * @services: table
 * @log: the change
 * @spec: the frontend
 * @replace: change what is there; its backends stay
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_service_add(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_spec *spec, bool replace,
		       struct wattle_refusal *why)
{
	struct wattle_service *old, *service = NULL;
	struct wattle_sources *sources = NULL;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_service_check_key(&spec->key, why) ?: wattle_service_check(spec, why);
	if (err)
		return err;
	old = wattle_service_find_next(services, log, &spec->key);
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_ADDR,
				     "this service exists already");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	if (spec->source_count) {
		sources = wattle_sources_create(spec);
		if (!sources)
			return wattle_refuse_nomem(why);
	}
	if (old)
		service = wattle_service_stage(services, log, old);
	else
		err = wattle_service_create(services, log, &spec->key, &service);
	if (!service) {
		wattle_sources_put(sources);
		return err != -ENOSPC ? wattle_refuse_nomem(why) :
		       wattle_refuse(why, err, WATTLE_FIELD_NONE,
				     "no numbers are left for services");
	}
	wattle_service_set(service, spec, sources);
	if (spec->dsr)
		WRITE_ONCE(services->dsr, true);
	return 0;
}

/**
 * wattle_service_del() - stage the end of a frontend and its backends
 * @services: table
 * @log: the change
 * @key: which
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_service_del(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key, struct wattle_refusal *why)
{
	struct wattle_service *service;

	lockdep_assert_held(log->lock);

	service = wattle_service_find_next(services, log, key);
	if (!service)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_ADDR,
				     "there is no such service");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	wattle_service_bury(log, service);
	return 0;
}

static int wattle_backend_check(const struct wattle_service_key *key,
				const struct wattle_backend *backend,
				struct wattle_refusal *why)
{
	if (!wattle_addr_is_host(&backend->addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_BACKEND_ADDR,
				     "this cannot be the address of a backend");
	if (wattle_addr_is_v4(&backend->addr) != wattle_addr_is_v4(&key->addr))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_BACKEND_ADDR,
				     "service and backend are of different address families");
	if (!backend->port)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_BACKEND_PORT,
				     "a backend needs a port");
	if (backend->state > WATTLE_BACKEND_STATE_QUARANTINED)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_STATE, "unknown state");
	return 0;
}

/* Make room for one more in a staged version: twice as much, so that many cost little. */
static int wattle_service_grow(struct wattle_service *service)
{
	struct wattle_backend *backends;
	u32 room;

	if (service->count < service->room)
		return 0;
	room = max(4u, 2 * service->room);
	backends = wattle_alloc_array(room, sizeof(*backends));
	if (!backends)
		return -ENOMEM;
	if (service->count)
		memcpy(backends, service->backends,
		       array_size(service->count, sizeof(*backends)));
	kvfree(service->backends);
	service->backends = backends;
	service->room = room;
	return 0;
}

/* Is @key a backend of @service? @at: in the order of a staged version. */
static bool wattle_service_find_backend(const struct wattle_service *service, u64 next,
					const struct wattle_backend *key)
{
	u32 at;

	if (service->life.born == next)
		return wattle_backend_find(service->backends, service->count, key, &at);
	return wattle_backend_find(service->backends, service->usable, key, &at) ||
	       wattle_backend_find(service->backends + service->usable,
				   service->count - service->usable, key, &at);
}

/* Put @backend into a staged version. */
static int wattle_service_put_backend(struct wattle_service *service,
				      const struct wattle_backend *backend)
{
	struct wattle_service_stats *stats;
	struct wattle_backend *place;
	u32 at;

	if (wattle_backend_find(service->backends, service->count, backend, &at)) {
		place = &service->backends[at];
		stats = place->stats;
		service->total_weight -= place->weight;
	} else {
		stats = wattle_service_stats_create(service->stats);
		if (!stats || wattle_service_grow(service)) {
			wattle_service_stats_put(stats);
			return -ENOMEM;
		}
		place = &service->backends[at];
		memmove(place + 1, place, array_size(service->count - at, sizeof(*place)));
		service->count++;
	}
	*place = *backend;
	place->stats = stats;
	service->total_weight += backend->weight;
	return 0;
}

/**
 * wattle_backend_add() - stage a backend of a service
 * @services: table
 * @log: the change
 * @key: the service
 * @backend: the backend
 * @replace: take the place of what is there
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_backend_add(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key,
		       const struct wattle_backend *backend, bool replace,
		       struct wattle_refusal *why)
{
	struct wattle_service *service;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_backend_check(key, backend, why);
	if (err)
		return err;
	service = wattle_service_find_next(services, log, key);
	if (!service)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_ADDR,
				     "there is no such service");
	if (!replace && wattle_service_find_backend(service, log->next, backend))
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_BACKEND_ADDR,
				     "this service has the backend already");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	service = wattle_service_stage(services, log, service);
	if (!service)
		return wattle_refuse_nomem(why);
	if (service->total_weight > U32_MAX - backend->weight || service->count == U32_MAX / 2)
		return wattle_refuse(why, -ENOSPC, WATTLE_FIELD_WEIGHT,
				     "weights of the service's backends add up to too much");
	if (wattle_service_put_backend(service, backend))
		return wattle_refuse_nomem(why);
	return 0;
}

/**
 * wattle_backend_del() - stage the end of a backend of a service
 * @services: table
 * @log: the change
 * @key: the service
 * @backend: its address and port
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_backend_del(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key,
		       const struct wattle_backend *backend, struct wattle_refusal *why)
{
	struct wattle_service *service;
	struct wattle_backend *place;
	u32 at;

	lockdep_assert_held(log->lock);

	service = wattle_service_find_next(services, log, key);
	if (!service)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_ADDR,
				     "there is no such service");
	if (!wattle_service_find_backend(service, log->next, backend))
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_BACKEND_ADDR,
				     "this service has no such backend");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	service = wattle_service_stage(services, log, service);
	if (!service)
		return wattle_refuse_nomem(why);
	wattle_backend_find(service->backends, service->count, backend, &at);
	place = &service->backends[at];
	service->total_weight -= place->weight;
	wattle_service_stats_put(place->stats);
	service->count--;
	memmove(place, place + 1, array_size(service->count - at, sizeof(*place)));
	return 0;
}
