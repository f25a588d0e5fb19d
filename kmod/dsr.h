/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct server return: the node that a client from outside has come to hands its packets on to
 * the node of the backend as they are, for the address of the service; that one translates them,
 * and answers the client itself.
 *
 * The first node chooses as always, and binds the connection to the backend, so that conntrack
 * remembers it and shows it. What the stack has translated by that is turned back before it goes
 * into the tunnel. The choice of the second node is in decide_service.c.
 */
#ifndef WATTLE_DSR_H
#define WATTLE_DSR_H

#include "nat.h"

/*
 * A new connection is bound to a backend whose node will answer itself: the client's address is
 * kept, and conntrack is not to wait for answers. Context: softirq or BH disabled; @ct is not
 * confirmed yet.
 */
enum wattle_reason wattle_dsr_begin(struct nf_conn *ct);

/*
 * A packet from outside, in the original direction of its connection, is about to go into the
 * tunnel: where that is such a connection, the packet, or an error about it, becomes as its sender
 * has sent it. Data at the network header; header pointers are stale after it. Context: softirq.
 */
enum wattle_reason wattle_dsr_hand_on(struct sk_buff *skb, const struct wattle_parsed *parsed);

#endif /* WATTLE_DSR_H */
