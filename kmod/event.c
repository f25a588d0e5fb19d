// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told of single packets: counters, tracepoints, and messages to those who
 * listen. A CPU touches only its own memory here as long as nobody listens. And of services that
 * run dry.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include "event.h"
#include "netlink.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * A flood must not become a flood of messages. All CPUs together send about
 * WATTLE_EVENT_RATE a second, but each may send WATTLE_EVENT_RATE_MIN, so that one
 * busy CPU among many is heard.
 */
#define WATTLE_EVENT_RATE	10000
#define WATTLE_EVENT_RATE_MIN	1000
#define WATTLE_EVENT_WINDOWS	10	/* budgets a second */
#define WATTLE_EVENT_SIZE	1536	/* two rules with origins of 255 bytes fit */

/* What a drop is called where no decision was made. */
static u8 wattle_reason_verdict(enum wattle_reason reason)
{
	switch (reason) {
	case WATTLE_REASON_NONE:
		return WATTLE_VERDICT_ALLOW;
	case WATTLE_REASON_POLICY_EGRESS:
	case WATTLE_REASON_POLICY_INGRESS:
	case WATTLE_REASON_DENY_EGRESS:
	case WATTLE_REASON_DENY_INGRESS:
		return WATTLE_VERDICT_DENY;
	case WATTLE_REASON_NO_BACKEND:
	case WATTLE_REASON_NO_SERVICE_PORT:
	case WATTLE_REASON_BACKEND_GONE:
		return WATTLE_VERDICT_REJECT;
	default:
		return WATTLE_VERDICT_DROP;
	}
}

/* What the rest of the kernel is told when the packet is freed. */
static enum skb_drop_reason wattle_reason_skb(enum wattle_reason reason)
{
	switch (reason) {
	case WATTLE_REASON_NO_MEMORY:
		return SKB_DROP_REASON_NOMEM;
	case WATTLE_REASON_NO_ROUTE:
	case WATTLE_REASON_NO_NODE:
		return SKB_DROP_REASON_IP_OUTNOROUTES;
	case WATTLE_REASON_TOO_BIG:
		return SKB_DROP_REASON_PKT_TOO_BIG;
	case WATTLE_REASON_BAD_HEADER:
		return SKB_DROP_REASON_IP_INHDR;
	case WATTLE_REASON_DEVICE_DOWN:
		return SKB_DROP_REASON_DEV_READY;
	default:
		return SKB_DROP_REASON_NETFILTER_DROP;
	}
}

/* --- messages --- */

/**
 * struct wattle_event - a packet that is told of
 * @key: its key, or NULL
 * @decision: what was decided, or NULL
 * @reason: why it was dropped
 * @verdict: enum wattle_verdict
 * @ifindex: where it was met
 * @len: its length
 */
struct wattle_event {
	const struct wattle_key *key;
	const struct wattle_decision *decision;
	enum wattle_reason reason;
	u8 verdict;
	int ifindex;
	unsigned int len;
};

static void wattle_event_set(struct wattle_event *event, const struct wattle *w,
			     const struct sk_buff *skb, unsigned int len,
			     const struct wattle_key *key, const struct wattle_decision *decision)
{
	event->key = key;
	event->decision = decision;
	event->reason = decision ? decision->reason : WATTLE_REASON_NONE;
	event->verdict = decision ? decision->verdict : WATTLE_VERDICT_ALLOW;
	event->len = skb ? skb->len : len;
	event->ifindex = w->dev->ifindex;
	if (skb && skb->dev)
		event->ifindex = skb->dev->ifindex;
	else if (skb && skb->skb_iif)
		event->ifindex = skb->skb_iif;
}

static unsigned int wattle_event_budget(void)
{
	return max_t(unsigned int, WATTLE_EVENT_RATE / num_online_cpus(),
		     WATTLE_EVENT_RATE_MIN) / WATTLE_EVENT_WINDOWS;
}

/* May this CPU send one more? */
static bool wattle_event_admit(struct wattle_stats *s)
{
	if (time_after_eq(jiffies, s->event_window + HZ / WATTLE_EVENT_WINDOWS) ||
	    !s->event_window) {
		s->event_window = jiffies ?: 1;
		s->event_sent = 0;
	}
	if (s->event_sent >= wattle_event_budget())
		return false;
	s->event_sent++;
	return true;
}

static int wattle_event_put(struct sk_buff *skb, struct wattle *w,
			    const struct wattle_event *event, bool whole, u64 lost)
{
	const struct wattle_decision *d = event->decision;

	if (event->key && wattle_nl_put_key(skb, event->key))
		return -EMSGSIZE;
	if (wattle_nl_put_verdict(skb, event->verdict, event->reason))
		return -EMSGSIZE;
	if (d && whole && wattle_nl_put_decision(skb, w, d))
		return -EMSGSIZE;
	if (d && !whole && (nla_put_u32(skb, WATTLE_A_EXPLAIN_SRC_IDENTITY, d->src_id) ||
			    nla_put_u32(skb, WATTLE_A_EXPLAIN_DST_IDENTITY, d->dst_id)))
		return -EMSGSIZE;
	if (nla_put_u32(skb, WATTLE_A_EXPLAIN_IFINDEX, event->ifindex) ||
	    nla_put_u32(skb, WATTLE_A_EXPLAIN_LENGTH, event->len) ||
	    (lost && nla_put_u64_64bit(skb, WATTLE_A_EXPLAIN_LOST, lost, WATTLE_A_EXPLAIN_PAD)) ||
	    nla_put_u64_64bit(skb, WATTLE_A_EXPLAIN_TIME, ktime_get_real_ns(),
			      WATTLE_A_EXPLAIN_PAD))
		return -EMSGSIZE;
	return 0;
}

static int wattle_event_multicast(struct wattle *w, u8 cmd, unsigned int group,
				  const struct wattle_event *event, u64 lost)
{
	struct sk_buff *skb = genlmsg_new(WATTLE_EVENT_SIZE, GFP_ATOMIC);
	void *hdr;
	int err;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &wattle_nl_family, 0, cmd);
	if (!hdr || wattle_event_put(skb, w, event, group == WATTLE_NLGRP_VERDICT, lost)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	err = genlmsg_multicast_netns(&wattle_nl_family, w->net, skb, 0, group, GFP_ATOMIC);
	return err == -ESRCH ? 0 : err;
}

static bool wattle_event_is_heard(const struct wattle *w, unsigned int group)
{
	return genl_has_listeners(&wattle_nl_family, w->net, group);
}

static void wattle_event_send(struct wattle *w, u8 cmd, unsigned int group,
			      const struct wattle_event *event)
{
	struct wattle_stats *s = this_cpu_ptr(w->stats);

	if (!wattle_event_is_heard(w, group))
		return;
	if (wattle_event_admit(s) &&
	    !wattle_event_multicast(w, cmd, group, event, s->event_lost)) {
		s->event_lost = 0;
		return;
	}
	s->event_lost++;
	wattle_count(w, WATTLE_COUNT_EVENT_LOST, 1, event->len);
}

/* --- drops --- */

void wattle_drop_note(struct wattle *w, const struct sk_buff *skb, unsigned int len,
		      enum wattle_reason reason, const struct wattle_key *key,
		      const struct wattle_decision *decision)
{
	struct wattle_stats *s = this_cpu_ptr(w->stats);
	struct wattle_event event;

	wattle_event_set(&event, w, skb, len, key, decision);
	event.reason = reason;
	/* A packet may be allowed, and lost on its way. */
	if (!decision || event.verdict == WATTLE_VERDICT_ALLOW)
		event.verdict = wattle_reason_verdict(reason);

	wattle_counts_add(s, &s->drops[reason], skb ? wattle_skb_packets(skb) : 1, event.len);
	trace_wattle_drop(w, key, decision, reason, event.verdict, event.ifindex, event.len);
	wattle_event_send(w, WATTLE_CMD_DROP_NTF, WATTLE_NLGRP_DROP, &event);
}

void wattle_drop(struct wattle *w, struct sk_buff *skb, enum wattle_reason reason,
		 const struct wattle_key *key, const struct wattle_decision *decision)
{
	wattle_drop_note(w, skb, 0, reason, key, decision);
	kfree_skb_reason(skb, wattle_reason_skb(reason));
}

/* --- decisions --- */

void wattle_event_ask(struct wattle *w, struct wattle_stats *s)
{
	s->verdict_asked = jiffies;
	s->verdict_wanted = trace_wattle_verdict_enabled() ||
			    wattle_event_is_heard(w, WATTLE_NLGRP_VERDICT);
}

void wattle_event_verdict(struct wattle *w, const struct sk_buff *skb,
			  const struct wattle_key *key, const struct wattle_decision *decision)
{
	struct wattle_event event;

	wattle_event_set(&event, w, skb, 0, key, decision);
	trace_wattle_verdict(w, key, decision, event.reason, event.verdict, event.ifindex,
			     event.len);
	wattle_event_send(w, WATTLE_CMD_VERDICT_NTF, WATTLE_NLGRP_VERDICT, &event);
}

void wattle_event_flow(struct wattle *w, const struct sk_buff *skb,
		       const struct wattle_key *key, const struct wattle_decision *decision)
{
	struct wattle_event event;

	if (!wattle_event_is_heard(w, WATTLE_NLGRP_FLOW))
		return;
	wattle_event_set(&event, w, skb, 0, key, decision);
	wattle_event_send(w, WATTLE_CMD_FLOW_NTF, WATTLE_NLGRP_FLOW, &event);
}

/* --- services --- */

static int wattle_event_service_multicast(struct wattle *w, const struct wattle_service *service)
{
	struct sk_buff *skb = genlmsg_new(WATTLE_EVENT_SIZE, GFP_KERNEL);
	void *hdr;
	int err;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &wattle_nl_family, 0, WATTLE_CMD_SERVICE_NTF);
	if (!hdr || wattle_nl_put_frontend(skb, service) ||
	    nla_put_u64_64bit(skb, WATTLE_A_SERVICE_TIME, ktime_get_real_ns(),
			      WATTLE_A_SERVICE_PAD)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	err = genlmsg_multicast_netns(&wattle_nl_family, w->net, skb, 0, WATTLE_NLGRP_SERVICE,
				      GFP_KERNEL);
	return err == -ESRCH ? 0 : err;
}

/* No budget: there are no more of these than frontends in the change. */
void wattle_event_service(struct wattle_services *services, const struct wattle_service *service)
{
	struct wattle *w = container_of(services, struct wattle, config.services);

	if (!wattle_event_is_heard(w, WATTLE_NLGRP_SERVICE) ||
	    !wattle_event_service_multicast(w, service))
		return;
	local_bh_disable();
	wattle_count(w, WATTLE_COUNT_EVENT_LOST, 1, 0);
	local_bh_enable();
}
