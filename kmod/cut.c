// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations outlive the service's choice of a backend in conntrack's table. When a service
 * has given up a backend, those to it have to end: a client that never pauses would send
 * into the void for ever (UDP), and nobody would tell it (TCP). Packets of pods find that out
 * themselves (wattle_packet_forsake()); this is for all others: of the host, from outside,
 * or of a service that is gone altogether.
 *
 * What died in the table of services is kept until here, so that only connections that were
 * made by it are touched.
 *
 * The other way round, who talks to an address before there is a service goes past it for as long
 * as he does not pause. Those end as well: the next datagram finds the service. TCP finds it with
 * its next connection. An answer that was on its way makes a conversation in which all is the
 * other way round, and his next datagram would be an answer to that: so they are looked for both
 * ways, and twice.
 */
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "alloc.h"
#include "cut.h"
#include "nat.h"

static const struct rhashtable_params wattle_cut_params = {
	.head_offset = offsetof(struct wattle_service, link),
	.key_offset = offsetof(struct wattle_service, key),
	.key_len = sizeof(struct wattle_service_key),
};

/*
 * What is asked of every connection: @gone holds the versions that died, by frontend. @passed: are
 * there frontends that conversations may go past? Those of @view.
 */
struct wattle_cut {
	struct wattle *w;
	struct rhltable gone;
	bool passed;
	struct wattle_view view;
};

static bool wattle_cut_had(struct wattle_cut *cut, const struct wattle_service_key *key,
			   const struct in6_addr *addr, __be16 port)
{
	struct rhlist_head *list, *pos;
	struct wattle_service *service;

	list = rhltable_lookup(&cut->gone, key, wattle_cut_params);
	rhl_for_each_entry_rcu(service, pos, list, link) {
		if (wattle_service_keeps(service, addr, port))
			return true;
	}
	return false;
}

static bool wattle_cut_has(struct wattle_cut *cut, const struct wattle_service_key *key,
			   const struct in6_addr *addr, __be16 port)
{
	struct wattle_config *config = &cut->w->config;
	const struct wattle_service *service;

	service = wattle_service_lookup(&config->services, key, wattle_generation(config));
	return service && wattle_service_keeps(service, addr, port);
}

/*
 * By which frontend a connection to @key came nobody remembers: ask those that may have been, of
 * the address and of every address, for anybody and for the outside.
 */
static bool wattle_cut_any(struct wattle_cut *cut, struct wattle_service_key key,
			   const struct in6_addr *addr, __be16 port,
			   bool (*ask)(struct wattle_cut *cut, const struct wattle_service_key *key,
				       const struct in6_addr *addr, __be16 port))
{
	int wild;

	for (wild = 0; wild <= 1; wild++) {
		if (wild)
			key.addr = wattle_addr_any(wattle_addr_is_v4(&key.addr));
		for (key.scope = 0; key.scope <= WATTLE_SCOPE_OUTSIDE; key.scope++) {
			if (ask(cut, &key, addr, port))
				return true;
		}
	}
	return false;
}

/* Does @ct go past the frontend that it, or what answers it, would be for today? */
static bool wattle_cut_passes(struct wattle_cut *cut, const struct nf_conn *ct)
{
	struct wattle_key key = { .origin = WATTLE_FROM_STACK };
	bool served;

	if (!cut->passed || nf_ct_protonum(ct) != IPPROTO_UDP)
		return false;
	wattle_track_key(ct, &key);
	rcu_read_lock();
	served = wattle_decide_is_served(&cut->view, &key);
	if (!served && !(ct->status & IPS_NAT_MASK)) {
		swap(key.saddr, key.daddr);
		swap(key.sport, key.dport);
		served = wattle_decide_is_served(&cut->view, &key);
	}
	rcu_read_unlock();
	return served;
}

/* Is @ct to a backend that its service had, and has no more? */
static int wattle_cut_ends(struct nf_conn *ct, void *data)
{
	struct wattle_cut *cut = data;
	struct wattle_service_key frontend;
	struct wattle_key key = {};
	bool ends;

	if (!(ct->status & IPS_DST_NAT))
		return wattle_cut_passes(cut, ct);
	wattle_track_key(ct, &key);
	wattle_track_frontend(ct, &frontend);
	rcu_read_lock();
	ends = wattle_cut_any(cut, frontend, &key.daddr, key.dport, wattle_cut_had) &&
	       !wattle_cut_any(cut, frontend, &key.daddr, key.dport, wattle_cut_has);
	rcu_read_unlock();
	return ends;
}

/* Does the service of today keep what @dead kept? Then no conversation has to end. */
static bool wattle_cut_spares(struct wattle_services *services, const struct wattle_service *dead,
			      u64 gen)
{
	const struct wattle_service *service;
	const struct wattle_backend *backend;
	u32 i;

	service = wattle_service_lookup(services, &dead->key, gen);
	for (i = 0; i < dead->count; i++) {
		backend = &dead->backends[i];
		if (backend->state == WATTLE_BACKEND_STATE_QUARANTINED)
			continue;
		if (!service || !wattle_service_keeps(service, &backend->addr, backend->port))
			return false;
	}
	return true;
}

/*
 * Sort out @dead: into @cut where conversations may have to end. What there is no memory for at
 * the moment stays in @dead. True: there is something in @cut.
 */
static bool wattle_cut_collect(struct wattle_cut *cut, struct list_head *dead)
{
	struct wattle_config *config = &cut->w->config;
	struct wattle_service *service, *next;
	bool any = false, spared;

	list_for_each_entry_safe(service, next, dead, staged) {
		rcu_read_lock();
		spared = wattle_cut_spares(&config->services, service, wattle_generation(config));
		rcu_read_unlock();
		if (!spared && wattle_hash_insert(rhltable_insert(&cut->gone, &service->link,
								  wattle_cut_params)))
			continue;
		list_del_init(&service->staged);
		if (spared)
			wattle_service_destroy(service);
		else
			any = true;
		cond_resched();
	}
	return any;
}

/* Once more, later. */
static void wattle_cut_retry(struct wattle_config *config, struct list_head *dead)
{
	if (list_empty(dead))
		return;
	mutex_lock(&config->lock);
	list_splice(dead, &config->services.gone);
	mutex_unlock(&config->lock);
	wattle_config_cut_later(config);
}

static void wattle_cut_free(void *object, void *arg)
{
	wattle_service_destroy(object);
}

/* On the heap, for a table has work of its own. NULL: out of memory. */
static struct wattle_cut *wattle_cut_create(struct wattle *w)
{
	struct wattle_cut *cut = wattle_alloc(sizeof(*cut));

	if (!cut)
		return NULL;
	cut->w = w;
	if (rhltable_init(&cut->gone, &wattle_cut_params)) {
		kfree(cut);
		return NULL;
	}
	return cut;
}

static void wattle_cut_destroy(struct wattle_cut *cut)
{
	rhltable_free_and_destroy(&cut->gone, wattle_cut_free, NULL);
	kfree(cut);
}

void wattle_cut(struct work_struct *work)
{
	struct wattle_config *config = container_of(to_delayed_work(work), struct wattle_config,
						    cut);
	struct wattle_cut *cut = wattle_cut_create(container_of(config, struct wattle, config));
	struct nf_ct_iter_data what = { .data = cut };
	LIST_HEAD(dead);

	if (!cut) {
		wattle_config_cut_later(config);
		return;
	}
	what.net = cut->w->net;
	mutex_lock(&config->lock);
	list_splice_init(&config->services.gone, &dead);
	cut->passed = config->services.passed;
	if (cut->passed && --config->services.passed)
		wattle_config_cut_later(config);
	wattle_view_init(cut->w, NULL, &cut->view);
	mutex_unlock(&config->lock);

	if (wattle_cut_collect(cut, &dead) || cut->passed) {
		nf_ct_iterate_cleanup_net(wattle_cut_ends, &what);
		/* The caches hold some of what has ended. */
		wattle_config_touch(config);
	}
	wattle_cut_retry(config, &dead);
	wattle_cut_destroy(cut);
}
