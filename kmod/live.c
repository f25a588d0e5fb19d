// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is kept for connections that last: conntrack knows them, and is walked over once. Each
 * count has a number; a backend that it did not meet has none. What one count has found stays to
 * be read until another is complete.
 */
#include <linux/mutex.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "account.h"
#include "live.h"
#include "nat.h"

/* One at a time: protects @live and @round of all counters. Innermost but for conntrack's. */
static DEFINE_MUTEX(wattle_live_lock);

struct wattle_live {
	struct wattle *w;
	u32 round;
};

/* Is it over for both sides, and only remembered for late packets? */
static bool wattle_live_is_over(const struct nf_conn *ct)
{
	if (nf_ct_is_dying(ct) || nf_ct_is_expired(ct))
		return true;
	if (nf_ct_protonum(ct) != IPPROTO_TCP)
		return false;
	switch (READ_ONCE(ct->proto.tcp.state)) {
	case TCP_CONNTRACK_LAST_ACK:
	case TCP_CONNTRACK_TIME_WAIT:
	case TCP_CONNTRACK_CLOSE:
		return true;
	default:
		return false;
	}
}

static void wattle_live_add(struct wattle_service_stats *stats, u32 round)
{
	unsigned int i = round & 1;

	if (stats->round[i] != round) {
		WRITE_ONCE(stats->live[i], 0);
		WRITE_ONCE(stats->round[i], round);
	}
	WRITE_ONCE(stats->live[i], stats->live[i] + 1);
}

/* For nf_ct_iterate_cleanup_net(): nothing is cleaned up. An RCU read section each. */
static int wattle_live_visit(struct nf_conn *ct, void *data)
{
	const struct wattle_live *live = data;
	struct wattle_service_stats *stats;
	struct wattle_view view;

	if (!(ct->status & IPS_DST_NAT) || wattle_live_is_over(ct))
		return 0;
	rcu_read_lock();
	wattle_view_init(live->w, NULL, &view);
	stats = wattle_account_find(&view, ct, true);
	if (stats)
		wattle_live_add(stats, live->round);
	rcu_read_unlock();
	return 0;
}

void wattle_live_count(struct wattle *w)
{
	struct wattle_live live = { .w = w };
	struct nf_ct_iter_data what = { .net = w->net, .data = &live };

	mutex_lock(&wattle_live_lock);
	live.round = w->live_round + 1;
	nf_ct_iterate_cleanup_net(wattle_live_visit, &what);
	WRITE_ONCE(w->live_round, live.round);
	mutex_unlock(&wattle_live_lock);
}

u32 wattle_live_read(const struct wattle *w, const struct wattle_service_stats *backend)
{
	u32 round = READ_ONCE(w->live_round);
	unsigned int i = round & 1;

	return round && READ_ONCE(backend->round[i]) == round ? READ_ONCE(backend->live[i]) : 0;
}
