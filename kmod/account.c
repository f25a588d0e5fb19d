// SPDX-License-Identifier: GPL-2.0-only
#include "account.h"
#include "nat.h"
#include "stats.h"

/*
 * By which frontend a connection came nobody remembers: the one that it would come by today, of
 * those that have the backend. @key as in struct wattle_memo_backend.
 */
static struct wattle_service_stats *wattle_account_look_up(const struct wattle_view *view,
							   const struct wattle_key *key)
{
	struct wattle_service_key ask = {
		.addr = key->saddr, .port = key->sport, .proto = key->proto,
	};
	int scope, last = key->flags ? WATTLE_SCOPE_OUTSIDE : WATTLE_SCOPE_ANY, wild;
	const struct wattle_backend *backend = NULL;
	const struct wattle_service *service;

	for (wild = 0; wild <= 1; wild++) {
		if (wild)
			ask.addr = wattle_addr_any(wattle_addr_is_v4(&key->saddr));
		for (scope = last; scope >= WATTLE_SCOPE_ANY && !backend; scope--) {
			ask.scope = scope;
			service = wattle_service_lookup(&view->config->services, &ask, view->gen);
			if (service)
				backend = wattle_service_backend(service, &key->daddr, key->dport);
		}
	}
	return backend ? backend->stats : NULL;
}

struct wattle_service_stats *wattle_account_find(const struct wattle_view *view,
						 const struct nf_conn *ct, bool outside)
{
	struct wattle_memo_backend *slot;
	struct wattle_service_key frontend;
	struct wattle_key key = {};

	if (!(ct->status & IPS_DST_NAT))
		return NULL;
	wattle_track_key(ct, &key);
	if (outside && wattle_decide_is_outside(view, &key.saddr))
		key.flags = WATTLE_KEY_OUTSIDE;
	wattle_track_frontend(ct, &frontend);
	key.saddr = frontend.addr;
	key.sport = frontend.port;
	if (!view->memo)
		return wattle_account_look_up(view, &key);
	slot = wattle_memo_backend(view->memo, &key);
	if (unlikely(slot->gen != view->gen || slot->epoch != view->epoch ||
		     !wattle_key_equal(&slot->key, &key))) {
		slot->stats = wattle_account_look_up(view, &key);
		slot->key = key;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
	}
	return slot->stats;
}

static void wattle_account_add(struct wattle *w, const struct sk_buff *skb,
			       const struct nf_conn *ct)
{
	struct wattle_service_stats *stats;
	struct wattle_view view;

	wattle_view_init(w, this_cpu_ptr(w->flows)->memo, &view);
	stats = wattle_account_find(&view, ct, true);
	if (stats)
		wattle_service_stats_add(stats, IP_CT_DIR_REPLY, wattle_skb_packets(skb), skb->len);
}

unsigned int wattle_account_answer(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	struct wattle *w = wattle_of(state->net);
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct;

	if (!w || state->in != w->dev)
		return NF_ACCEPT;
	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || ctinfo != IP_CT_ESTABLISHED_REPLY || !(ct->status & IPS_DST_NAT))
		return NF_ACCEPT;
	/* What somebody has queued for a program comes on with BH enabled. */
	local_bh_disable();
	wattle_account_add(w, skb, ct);
	local_bh_enable();
	return NF_ACCEPT;
}
