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
#include <linux/xarray.h>
#include "affinity.h"
#include "change.h"
#include "service_stats.h"
#include "types.h"

#define WATTLE_MAGLEV_SIZE	16381	/* default table size M; a prime */

#define WATTLE_MAGLEV_MAX	131071	/* largest, a prime as well */

/**
 * struct wattle_service_key - what a frontend is told by
 * @addr: address; 0.0.0.0 and :: stand for every address of this host, but loopback
 * @port: port
 * @proto: IP protocol
 * @scope: enum wattle_scope
 *
 * 20 bytes without holes.
 */
struct wattle_service_key {
	struct in6_addr addr;
	__be16 port;
	u8 proto;
	u8 scope;
};

static_assert(sizeof(struct wattle_service_key) == 20);

/* A frontend in words, as netlink gives it. */
struct wattle_service_spec {
	struct wattle_service_key key;
	u8 alg;
	u8 empty;			/* enum wattle_empty */
	u8 source_policy;		/* enum wattle_source_policy */
	bool dsr;
	u32 affinity;
	u32 maglev_size;		/* 0: WATTLE_MAGLEV_SIZE */
	struct wattle_service_key remembers;	/* port 0: @key */
	unsigned int source_count;
	const struct wattle_prefix *sources;
};

struct wattle_backend {
	struct in6_addr addr;
	__be16 port;
	u16 weight;		/* 0: takes no new connections */
	u8 state;		/* enum wattle_backend_state */
	struct wattle_service_stats *stats;	/* the table's own; NULL in words */
};

/* Prefixes of clients; shared by the versions of a service. */
struct wattle_sources {
	refcount_t users;
	unsigned int count;
	struct wattle_prefix prefixes[] __counted_by(count);
};

/* An address that has services, from the first to the last of them. */
struct wattle_service_front {
	struct wattle_life life;
	struct rhlist_head link;
	struct in6_addr addr;
	unsigned int services;	/* alive at the next generation; under the config lock */
};

/**
 * struct wattle_service - one version of a frontend
 * @life: when it is visible
 * @link: hash of frontends
 * @key: @addr, @port, @proto and @scope, as one thing
 * @alg: enum wattle_alg
 * @empty: enum wattle_empty
 * @source_policy: enum wattle_source_policy
 * @sources: prefixes that @source_policy is about; NULL: everybody reaches it
 * @id: number of the frontend, the same in all versions
 * @affinity: seconds
 * @remembers: the frontend, this or another, as whose clients those of this one are remembered
 * @maglev_size: entries of @maglev
 * @count: how many @backends
 * @usable: backends that take new connections: the first @usable of @backends
 *	(active with a weight; where there is none: those that are terminating)
 * @total_weight: of the usable ones; random choice is by weight
 * @maglev: table of @maglev_size backend indices (Maglev, NSDI 2016, 3.4), each of
 *	@maglev_width bytes, or NULL
 * @cumulative: random: running sums of weights; NULL: all equal
 * @backends: the usable ones by address and port, then the others so
 * @room: how many fit in @backends
 * @stats: counters, the same in all versions
 * @took: the version before took connections; also where there was none
 * @dsr: clients from outside are answered by the node of the backend: see dsr.h
 * @front: of the address
 * @staged: list of versions that are not yet published, later of those that are gone
 *
 * Immutable once published. A staged version has all @backends by address and port, and
 * the look-up tables are made when it is published.
 */
struct wattle_service {
	struct wattle_life life;
	struct rhlist_head link;
	union {
		struct wattle_service_key key;
		struct {
			struct in6_addr addr;
			__be16 port;
			u8 proto;
			u8 scope;
		};
	};
	u8 alg;
	u8 empty;
	u8 source_policy;
	u8 maglev_width;
	bool took;
	bool dsr;
	u32 id;
	u32 affinity;
	struct wattle_service_key remembers;
	u32 maglev_size;
	u32 count;
	u32 usable;
	u32 total_weight;
	void *maglev;
	u32 *cumulative;
	struct wattle_backend *backends;
	struct wattle_sources *sources;
	u32 room;
	struct wattle_service_stats *stats;
	struct wattle_service_front *front;
	struct list_head staged;
};

/*
 * Who talks to an address that becomes a frontend is looked for twice: an answer that was on its
 * way when the conversation ended begins another.
 */
#define WATTLE_SERVICE_PASSES	2

/**
 * struct wattle_services - all services of a device
 * @by_frontend: versions
 * @by_addr: addresses that have services
 * @ids: how many versions have a number
 * @next_id: where to look for a free number
 * @staged: versions that are not yet published
 * @gone: versions that nobody reads any more, but conversations may use still (cut.c)
 * @affinities: which clients were sent where
 * @count: versions linked
 * @dsr: some service has, or had, direct server return
 * @fresh: a frontend for UDP was staged where there was none
 * @passed: one was published: there may be conversations that go past it, which have to be
 *	looked for as often (cut.c)
 * @turned: told of a frontend that takes no connections any more, or takes them again, once
 *	that is published; NULL: nobody is. Called under the config lock, may sleep.
 *
 * All but the hashes and @dsr: under the config lock.
 */
struct wattle_services {
	struct rhltable by_frontend;
	struct rhltable by_addr;
	struct xarray ids;
	u32 next_id;
	struct list_head staged;
	struct list_head gone;
	struct wattle_affinities affinities;
	unsigned int count;
	bool dsr;
	bool fresh;
	u8 passed;
	void (*turned)(struct wattle_services *services, const struct wattle_service *service);
};

/* Context: RCU reader. */
const struct wattle_service *wattle_service_lookup(struct wattle_services *services,
						   const struct wattle_service_key *key, u64 gen);

/* Is @addr the address of some service, of any scope? Context: RCU reader. */
bool wattle_service_has_addr(struct wattle_services *services, const struct in6_addr *addr,
			     u64 gen);

/*
 * Choose a backend for a new connection, or NULL where none is usable. @hash: of the
 * connection; it alone decides under Maglev, and for random too (the caller brings
 * randomness there), so that the choice is a pure function.
 */
const struct wattle_backend *wattle_service_choose(const struct wattle_service *service,
						   u32 hash);

/* That backend of @service, where it takes new connections, else NULL. */
const struct wattle_backend *wattle_service_usable(const struct wattle_service *service,
						   const struct in6_addr *addr, __be16 port);

/* That backend of @service, whatever its state, else NULL. */
const struct wattle_backend *wattle_service_backend(const struct wattle_service *service,
						    const struct in6_addr *addr, __be16 port);

/* May a client at @addr reach @service? */
bool wattle_service_admits(const struct wattle_service *service, const struct in6_addr *addr);

/* Does @service have that backend, in a state that lets a connection live on? */
bool wattle_service_keeps(const struct wattle_service *service, const struct in6_addr *addr,
			  __be16 port);

/* Free a version that nobody reads any more; its number has been given back. */
void wattle_service_destroy(struct wattle_service *service);

int wattle_services_init(struct wattle_services *services, struct wattle_log *log);
void wattle_services_exit(struct wattle_services *services);

/*
 * Stage a change, as in node.h. A service that is replaced keeps its backends.
 */
int wattle_service_add(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_spec *spec, bool replace,
		       struct wattle_refusal *why);
int wattle_service_del(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key, struct wattle_refusal *why);
int wattle_backend_add(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key,
		       const struct wattle_backend *backend, bool replace,
		       struct wattle_refusal *why);
int wattle_backend_del(struct wattle_services *services, struct wattle_log *log,
		       const struct wattle_service_key *key,
		       const struct wattle_backend *backend, struct wattle_refusal *why);

/*
 * Before a commit: make the look-up tables of all staged versions; -ENOMEM: nothing may
 * be published. After it: wattle_services_published().
 */
int wattle_services_prepare(struct wattle_services *services, struct wattle_log *log);
void wattle_services_published(struct wattle_services *services);

/*
 * Fill @table, @size numbers of @width bytes, with indices of @backends by Maglev, by weight;
 * 0 or -ENOMEM. Context: may sleep. (maglev.c)
 */
int wattle_maglev_fill(void *table, u8 width, u32 size, const struct wattle_backend *backends,
		       u32 count);

static inline u32 wattle_maglev_get(const void *table, u8 width, u32 slot)
{
	switch (width) {
	case 1:
		return ((const u8 *)table)[slot];
	case 2:
		return ((const u16 *)table)[slot];
	default:
		return ((const u32 *)table)[slot];
	}
}

#endif /* WATTLE_SERVICE_H */
