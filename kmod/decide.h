/* SPDX-License-Identifier: GPL-2.0-only */
/* The decision: a pure function of the tables and a key. */
#ifndef WATTLE_DECIDE_H
#define WATTLE_DECIDE_H

#include "config.h"

/* How a decision is to be made; see wattle_decide(). */
struct wattle_view {
	struct wattle_config *config;
	u64 gen;
	bool strict;
	bool audit;
};

/**
 * wattle_decide() - what to do with the packets of a key that begins a connection
 * @view: tables, generation and options to decide by
 * @key: as the packet was met, before any translation
 * @hash: chooses the backend where @key's destination is a service
 * @out: the decision
 *
 * Context: RCU reader; touches no packet, allocates nothing.
 */
void wattle_decide(const struct wattle_view *view, const struct wattle_key *key, u32 hash,
		   struct wattle_decision *out);

/**
 * wattle_decide_known() - same for a connection that exists, whose translation is made
 * @view: as above
 * @key: original direction of the connection, destination already translated
 * @out: the decision for the original direction
 *
 * Policy acts on connections that exist: one that is no longer allowed is cut.
 */
void wattle_decide_known(const struct wattle_view *view, const struct wattle_key *key,
			 struct wattle_decision *out);

/* Where does a packet to @daddr go, without judging it: for replies. Fills next,
 * endpoint, node, dst_id.
 */
void wattle_decide_next(const struct wattle_view *view, const struct wattle_key *key,
			struct wattle_decision *out);

#endif /* WATTLE_DECIDE_H */
