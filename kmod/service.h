/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services: frontends, and the backends that they are spread over.
 *
 * A service version is immutable once published: changing one backend makes a new
 * version of its service, sharing what it can. Frontend numbers are 32 bit and
 * stay over versions.
 */
#ifndef WATTLE_SERVICE_H
#define WATTLE_SERVICE_H

#include <linux/rhashtable.h>
#include "types.h"

#define WATTLE_MAGLEV_SIZE	16381	/* default table size M; a prime */

struct wattle_backend {
	struct in6_addr addr;
	__be16 port;
	u16 weight;		/* 0: takes no new connections */
	u8 state;		/* enum wattle_backend_state */
};

/**
 * struct wattle_service - one version of a frontend
 * @usable: backends that take new connections: the first @usable of @backends
 *	(active with a weight; where there is none: those that are terminating)
 * @total_weight: of the usable ones; random choice is by weight
 * @maglev: table of @maglev_size backend indices (Maglev, NSDI 2016, 3.4), or NULL
 */
struct wattle_service {
	struct wattle_life life;
	struct rhash_head by_frontend;
	struct in6_addr addr;
	__be16 port;
	u8 proto;
	u8 alg;			/* enum wattle_alg */
	u32 id;
	u32 affinity;		/* seconds */
	u32 maglev_size;
	u32 count;
	u32 usable;
	u32 total_weight;
	u32 *maglev;
	u32 *cumulative;	/* random: running sums of weights; NULL: all equal */
	struct wattle_backend *backends;
};

struct wattle_services;

/* Context: RCU reader. */
const struct wattle_service *wattle_service_lookup(struct wattle_services *services,
						   const struct in6_addr *addr, __be16 port,
						   u8 proto, u64 gen);

/* Is @addr the address of some service? Context: RCU reader. */
bool wattle_service_has_addr(struct wattle_services *services, const struct in6_addr *addr,
			     u64 gen);

/*
 * Choose a backend for a new connection, or NULL where none is usable. @hash: of the
 * connection; it alone decides under Maglev, and for random too (the caller brings
 * randomness there), so that the choice is a pure function.
 */
const struct wattle_backend *wattle_service_choose(const struct wattle_service *service,
						   u32 hash);

/* Does @service have that backend, in a state that lets a connection live on? */
bool wattle_service_keeps(const struct wattle_service *service, const struct in6_addr *addr,
			  __be16 port);

#endif /* WATTLE_SERVICE_H */
