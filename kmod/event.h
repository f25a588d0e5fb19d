/* SPDX-License-Identifier: GPL-2.0-only */
/* Events: what users see of single packets, and of services that run dry. */
#ifndef WATTLE_EVENT_H
#define WATTLE_EVENT_H

#include <linux/skbuff.h>
#include "wattle.h"

/*
 * Count a drop, tell tracepoint and listeners, free the packet. @key may be NULL where the
 * packet could not be parsed, @decision where none was made. Context: softirq or BH disabled, RCU.
 */
void wattle_drop(struct wattle *w, struct sk_buff *skb, enum wattle_reason reason,
		 const struct wattle_key *key, const struct wattle_decision *decision);

/* Same without freeing; @skb may be NULL (then @len counts). */
void wattle_drop_note(struct wattle *w, const struct sk_buff *skb, unsigned int len,
		      enum wattle_reason reason, const struct wattle_key *key,
		      const struct wattle_decision *decision);

/* A new connection was decided; a flow entered the cache. Cheap without listeners. */
void wattle_event_verdict(struct wattle *w, const struct sk_buff *skb,
			  const struct wattle_key *key, const struct wattle_decision *decision);
void wattle_event_flow(struct wattle *w, const struct sk_buff *skb,
		       const struct wattle_key *key, const struct wattle_decision *decision);

/* For struct wattle_services.turned. */
void wattle_event_service(struct wattle_services *services, const struct wattle_service *service);

#endif /* WATTLE_EVENT_H */
