/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pings of service addresses. Nobody has such an address who could answer, and people ping what
 * they cannot reach: so the answer comes from here, one of the same size for each request.
 * Softirq or BH disabled, RCU.
 */
#ifndef WATTLE_ECHO_H
#define WATTLE_ECHO_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include "wattle.h"

/*
 * Make of an echo request the answer to it (RFC 792; RFC 4443, 4.2). @skb has its data at the
 * network header, no options and no extension headers. False: @skb is as it was, for many got it
 * or there is no memory.
 */
bool wattle_echo_turn(struct sk_buff *skb);

/*
 * The same in a hook of the host's stack: @skb, of @key, goes back as its answer. False: it does
 * not, and is as it was.
 */
bool wattle_echo_answer(struct wattle *w, struct sk_buff *skb, const struct nf_hook_state *state,
			const struct wattle_key *key);

#endif /* WATTLE_ECHO_H */
