// SPDX-License-Identifier: GPL-2.0-only
/* Services, from staged to published: who takes connections, and how one is chosen. */

#include "alloc.h"
#include "service.h"

/* Which state backends need to take new connections: terminating ones, if no other does. */
static u8 wattle_service_usable_state(const struct wattle_service *service)
{
	u32 i;

	for (i = 0; i < service->count; i++) {
		if (service->backends[i].state == WATTLE_BACKEND_STATE_ACTIVE &&
		    service->backends[i].weight)
			return WATTLE_BACKEND_STATE_ACTIVE;
	}
	return WATTLE_BACKEND_STATE_TERMINATING;
}

/* Usable backends first, in an array that just fits. */
static int wattle_service_arrange(struct wattle_service *service)
{
	u8 state = wattle_service_usable_state(service);
	struct wattle_backend *backends, *backend;
	u32 i, usable = 0, others = 0;

	service->total_weight = 0;
	service->usable = 0;
	if (!service->count)
		return 0;
	for (i = 0; i < service->count; i++)
		usable += service->backends[i].state == state && service->backends[i].weight;
	backends = wattle_alloc_array(service->count, sizeof(*backends));
	if (!backends)
		return -ENOMEM;
	for (i = 0; i < service->count; i++) {
		backend = &service->backends[i];
		if (backend->state == state && backend->weight) {
			backends[service->usable++] = *backend;
			service->total_weight += backend->weight;
		} else {
			backends[usable + others++] = *backend;
		}
	}
	kvfree(service->backends);
	service->backends = backends;
	service->room = service->count;
	return 0;
}

static int wattle_service_sum_up(struct wattle_service *service)
{
	u32 i, sum = 0;

	for (i = 1; i < service->usable; i++) {
		if (service->backends[i].weight != service->backends[0].weight)
			break;
	}
	if (i >= service->usable)
		return 0;
	service->cumulative = wattle_alloc_array(service->usable, sizeof(*service->cumulative));
	if (!service->cumulative)
		return -ENOMEM;
	for (i = 0; i < service->usable; i++) {
		sum += service->backends[i].weight;
		service->cumulative[i] = sum;
	}
	return 0;
}

static int wattle_service_make_maglev(struct wattle_service *service)
{
	service->maglev_width = service->usable <= 0x100 ? 1 :
				service->usable <= 0x10000 ? 2 : 4;
	service->maglev = wattle_alloc_array(service->maglev_size, service->maglev_width);
	if (!service->maglev)
		return -ENOMEM;
	return wattle_maglev_fill(service->maglev, service->maglev_width, service->maglev_size,
				  service->backends, service->usable);
}

static int wattle_service_prepare(struct wattle_service *service)
{
	int err = wattle_service_arrange(service);

	if (err || !service->usable)
		return err;
	if (service->alg == WATTLE_ALG_MAGLEV)
		return wattle_service_make_maglev(service);
	return wattle_service_sum_up(service);
}

/**
 * wattle_services_prepare() - make staged versions ready to be published
 * @services: table
 * @log: the change
 *
 * Where that fails the change cannot go on: it has to be rolled back.
 *
 * Context: writer, may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_services_prepare(struct wattle_services *services, struct wattle_log *log)
{
	struct wattle_service *service;
	int err;

	lockdep_assert_held(log->lock);

	list_for_each_entry(service, &services->staged, staged) {
		if (!wattle_alive(&service->life, log->next))
			continue;
		err = wattle_service_prepare(service);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * wattle_services_published() - staged versions are what readers see now
 * @services: table
 *
 * Context: writer.
 */
void wattle_services_published(struct wattle_services *services)
{
	struct wattle_service *service, *next;

	if (services->fresh)
		services->passed = WATTLE_SERVICE_PASSES;
	services->fresh = false;
	list_for_each_entry_safe(service, next, &services->staged, staged) {
		list_del_init(&service->staged);
		/* Not of what was added and deleted at once. */
		if (services->turned && service->life.died == WATTLE_FOREVER &&
		    service->took != !!service->usable)
			services->turned(services, service);
	}
}
