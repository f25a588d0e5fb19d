/* SPDX-License-Identifier: GPL-2.0-only */
/* What the readers and the writers of services share, and nobody else. */
#ifndef WATTLE_SERVICE_PRIVATE_H
#define WATTLE_SERVICE_PRIVATE_H

#include "service.h"

static const struct rhashtable_params wattle_service_params = {
	.head_offset = offsetof(struct wattle_service, link),
	.key_offset = offsetof(struct wattle_service, key),
	.key_len = sizeof(struct wattle_service_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params wattle_front_params = {
	.head_offset = offsetof(struct wattle_service_front, link),
	.key_offset = offsetof(struct wattle_service_front, addr),
	.key_len = sizeof(struct in6_addr),
	.automatic_shrinking = true,
};

static inline int wattle_backend_compare(const struct wattle_backend *a,
					 const struct wattle_backend *b)
{
	int diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return diff ?: memcmp(&a->port, &b->port, sizeof(a->port));
}

/* Is @key among @backends, which are in order? @at: where it is, or is to be. */
static inline bool wattle_backend_find(const struct wattle_backend *backends, u32 count,
				       const struct wattle_backend *key, u32 *at)
{
	u32 low = 0, high = count, middle;
	int diff;

	while (low < high) {
		middle = low + (high - low) / 2;
		diff = wattle_backend_compare(&backends[middle], key);
		if (!diff) {
			*at = middle;
			return true;
		}
		if (diff < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

/* Versions alive at @gen, or NULL. Context: RCU reader. */
struct wattle_service *wattle_service_find(struct wattle_services *services,
					   const struct wattle_service_key *key, u64 gen);
struct wattle_service_front *wattle_service_front_find(struct wattle_services *services,
						       const struct in6_addr *addr, u64 gen);

/* A number for a new frontend, and for another version of it. Context: writer. */
int wattle_service_id_create(struct wattle_services *services, u32 *id);
void wattle_service_id_get(struct wattle_services *services, u32 id);

/* Another version uses @sources, or does so no more. NULL: nothing. */
struct wattle_sources *wattle_sources_get(struct wattle_sources *sources);
void wattle_sources_put(struct wattle_sources *sources);

#endif /* WATTLE_SERVICE_PRIVATE_H */
