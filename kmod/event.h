/* SPDX-License-Identifier: GPL-2.0-only */
/* Events: what users see of single packets, and of services that run dry. */
#ifndef WATTLE_EVENT_H
#define WATTLE_EVENT_H

#include <linux/jiffies.h>
#include <linux/skbuff.h>
#include "stats.h"
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

/* Find out whether verdicts are wanted. Context: BH disabled. */
void wattle_event_ask(struct wattle *w, struct wattle_stats *s);

/* Does somebody listen to verdicts, or trace them? Who begins to is noticed within a tick. */
static inline bool wattle_event_verdict_wanted(struct wattle *w)
{
	struct wattle_stats *s = this_cpu_ptr(w->stats);

	if (unlikely(s->verdict_asked != (u32)jiffies))
		wattle_event_ask(w, s);
	return unlikely(s->verdict_wanted);
}

/* A new connection was decided, and that is wanted; a flow entered the cache. */
void wattle_event_verdict(struct wattle *w, const struct sk_buff *skb,
			  const struct wattle_key *key, const struct wattle_decision *decision);
void wattle_event_flow(struct wattle *w, const struct sk_buff *skb,
		       const struct wattle_key *key, const struct wattle_decision *decision);

/* For struct wattle_services.turned. */
void wattle_event_service(struct wattle_services *services, const struct wattle_service *service);

#endif /* WATTLE_EVENT_H */
