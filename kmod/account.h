/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose packets are those of connections that services have bound? The first packet of one knows
 * (struct wattle_decision), what is in the flow cache too; this is for all others.
 */
#ifndef WATTLE_ACCOUNT_H
#define WATTLE_ACCOUNT_H

#include <net/netfilter/nf_conntrack.h>
#include "decide.h"

/*
 * The counters of the backend that @ct goes to by a service; NULL: by none, or by one that has not
 * got it any more. @outside: its client may be from outside the cluster. Context: RCU reader; BH
 * disabled where @view has a memory.
 */
struct wattle_service_stats *wattle_account_find(const struct wattle_view *view,
						 const struct nf_conn *ct, bool outside);

/*
 * A hook of the host's stack, behind conntrack: answers that came out of the tunnel to this host,
 * be it in the name of others.
 */
unsigned int wattle_account_answer(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state);

#endif /* WATTLE_ACCOUNT_H */
