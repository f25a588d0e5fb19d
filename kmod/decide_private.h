/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that decide share, and nobody else. Context: RCU reader. */
#ifndef WATTLE_DECIDE_PRIVATE_H
#define WATTLE_DECIDE_PRIVATE_H

#include "decide.h"

/* Is @addr one of this host? Asked of the stack, so it costs. */
bool wattle_place_is_host(const struct wattle_view *view, const struct in6_addr *addr);

/*
 * What @addr is, and where; @host: it is this host's, who says so knows. The answer is good
 * until the next is asked for; @room is where it may be put.
 */
const struct wattle_place *wattle_locate(const struct wattle_view *view,
					 const struct in6_addr *addr, bool host,
					 struct wattle_place *room);

/* Where a packet is for: @key's destination, or that of the backend that was chosen. */
struct wattle_target {
	const struct wattle_service *service;
	struct wattle_service_stats *stats;	/* of the backend */
	struct in6_addr addr;
	__be16 port;
	enum wattle_reason reason;	/* why nowhere */
};

/* What services make of where a new connection goes: @target, which says where it is sent to. */
void wattle_translate(const struct wattle_view *view, const struct wattle_key *key,
		      struct wattle_target *target);

#endif /* WATTLE_DECIDE_PRIVATE_H */
