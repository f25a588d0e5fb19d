/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Session affinity: which backend of a service a client was sent to last. A client comes
 * back there for as many seconds as the service says, counted from its last new connection, and
 * as long as the backend takes new ones. Several frontends may remember as one.
 *
 * What packets leave behind, not what users configure: it is no part of a transaction. Bounded:
 * where there is no room a client is sent to any backend, as if it were new.
 */
#ifndef WATTLE_AFFINITY_H
#define WATTLE_AFFINITY_H

#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include "types.h"

struct wattle_backend;
struct wattle_service;

#define WATTLE_AFFINITY_MAX	131072	/* clients that are remembered, of all services */

/**
 * struct wattle_affinities - the clients that are remembered
 * @by_client: by the frontend that remembers, and address
 * @sweep: lets go of those whose time is over
 */
struct wattle_affinities {
	struct rhashtable by_client;
	struct delayed_work sweep;
};

int wattle_affinities_init(struct wattle_affinities *affinities);

/* No packet comes any more. Context: process, may sleep. */
void wattle_affinities_exit(struct wattle_affinities *affinities);

/* The backend that @client was sent to, or NULL: it may go to any. Context: RCU reader. */
const struct wattle_backend *wattle_affinity_lookup(struct wattle_affinities *affinities,
						    const struct wattle_service *service,
						    const struct in6_addr *client);

/*
 * @client begins a connection to the backend at @addr and @port. 0: that is remembered, for
 * the time of the service from now on. -EAGAIN: somebody else has just sent it to
 * another: choose again. -ENOSPC: it is not remembered. Context: RCU reader, BH disabled.
 */
int wattle_affinity_keep(struct wattle_affinities *affinities,
			 const struct wattle_service *service, const struct in6_addr *client,
			 const struct in6_addr *addr, __be16 port);

#endif /* WATTLE_AFFINITY_H */
