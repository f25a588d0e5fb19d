// SPDX-License-Identifier: GPL-2.0-only
/*
 * Services in the host's stack: NAT look-up functions, for what its own programs dial and
 * what comes from outside, or out of the tunnel to an address of the host.
 */
#include <linux/icmp.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include <net/netfilter/nf_nat.h>

#include "dsr.h"
#include "echo.h"
#include "event.h"
#include "nat.h"

/* Tell who dials a service without backends from outside. */
static void wattle_nat_refuse(struct sk_buff *skb, const struct nf_hook_state *state, u8 proto)
{
	bool tcp = proto == IPPROTO_TCP;

	if (state->pf == NFPROTO_IPV4 && tcp)
		nf_send_reset(state->net, NULL, skb, state->hook);
	else if (state->pf == NFPROTO_IPV4)
		nf_send_unreach(skb, ICMP_PORT_UNREACH, state->hook);
	else if (tcp)
		nf_send_reset6(state->net, NULL, skb, state->hook);
	else
		nf_send_unreach6(state->net, skb, ICMPV6_PORT_UNREACH, state->hook);
}

/* Does the host's own program wait for the answer to the packet itself? Else it must be told. */
static bool wattle_nat_hears(const struct nf_conn *ct, const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_OUT &&
	       (nf_ct_protonum(ct) != IPPROTO_TCP ||
		READ_ONCE(ct->proto.tcp.state) == TCP_CONNTRACK_SYN_SENT);
}

/* A connection to a service that leads nowhere. Of the host's own programs: they are told. */
static unsigned int wattle_nat_deny(struct wattle *w, struct sk_buff *skb,
				    struct nf_conn *ct, const struct nf_hook_state *state,
				    const struct wattle_key *key, const struct wattle_decision *d)
{
	wattle_drop_note(w, skb, skb->len, d->reason, key, d);
	if (d->verdict == WATTLE_VERDICT_DROP)
		return NF_DROP;
	if (wattle_nat_hears(ct, state))
		return NF_DROP_ERR(-ECONNREFUSED);
	wattle_nat_refuse(skb, state, key->proto);
	return NF_DROP;
}

/*
 * Programs of this host have the address that they get where the service's own is routed to; the
 * node of the backend need not know that, but knows the tunnel's.
 */
static bool wattle_nat_is_known(const struct wattle *w, const struct wattle_key *key)
{
	const struct in6_addr *local = wattle_addr_is_v4(&key->saddr) ? &w->opt.local4 :
									&w->opt.local6;

	return ipv6_addr_any(local) || ipv6_addr_equal(local, &key->saddr);
}

/*
 * Answers of a pod here, and of this host itself, come by here. Those of others would go past
 * it, unless the one who asks is this host as well, by an address that it has for outside. With
 * direct server return they are meant to.
 */
static enum wattle_reason wattle_nat_source(struct wattle *w, const struct wattle_view *view,
					    struct nf_conn *ct, const struct wattle_key *key,
					    const struct wattle_service *service,
					    const struct wattle_backend *backend)
{
	struct wattle_place place;
	bool own = false;

	if (key->flags & WATTLE_KEY_SRC_HOST) {
		wattle_decide_place(view, &key->daddr, &place);
		own = !place.host;
	}
	wattle_decide_place(view, &backend->addr, &place);
	if (place.endpoint || place.host)
		return WATTLE_REASON_NONE;
	if (own && (!place.node || place.own || wattle_nat_is_known(w, key)))
		return WATTLE_REASON_NONE;
	if (wattle_decide_is_dsr(view, service, key, &place))
		return wattle_dsr_begin(ct);
	return wattle_masquerade(w, ct, &backend->addr, place.node);
}

/* Where a new connection goes, and its client's next. Context: BH disabled. */
static const struct wattle_backend *wattle_nat_backend(struct wattle *w,
						       const struct wattle_service *service,
						       const struct wattle_key *key)
{
	const struct wattle_backend *backend;
	int err, tries = 2;

	do {
		backend = wattle_decide_backend(&w->config.services, service, &key->saddr,
						wattle_decide_hash(key));
		err = backend ? wattle_nat_remember(w, service, &key->saddr, &backend->addr,
						    backend->port) : 0;
	} while (err == -EAGAIN && --tries);
	return backend;
}

/* Bind a connection to a backend of the @service that it is for, if it is for any. */
static enum wattle_reason wattle_nat_choose(struct wattle *w, const struct wattle_view *view,
					    struct nf_conn *ct, const struct wattle_key *key,
					    const struct wattle_service **service)
{
	enum wattle_reason reason = wattle_decide_service(view, key, service);
	const struct wattle_backend *backend;

	if (reason || !*service)
		return reason;
	backend = wattle_nat_backend(w, *service, key);
	if (!backend)
		return WATTLE_REASON_NO_BACKEND;
	if (wattle_bind_backend(ct, &backend->addr, backend->port) != NF_ACCEPT)
		return WATTLE_REASON_NAT;
	wattle_service_stats_bind(backend->stats);
	return wattle_nat_source(w, view, ct, key, *service, backend);
}

/*
 * A ping of a service's address, which leads nowhere either: answered, unless somebody poses as a
 * pod or as this host. What gets no answer goes where routes take it.
 */
static unsigned int wattle_nat_echo(struct wattle *w, struct sk_buff *skb,
				    const struct nf_hook_state *state,
				    const struct wattle_key *key, const struct wattle_place *src)
{
	if (!(key->flags & WATTLE_KEY_SRC_HOST) &&
	    (src->endpoint || src->host || (src->node && !src->own)))
		return NF_ACCEPT;
	return wattle_echo_answer(w, skb, state, key) ? NF_STOLEN : NF_ACCEPT;
}

/* Context: BH disabled, for what is remembered belongs to the CPU. */
static unsigned int wattle_nat_to_service(struct wattle *w, struct sk_buff *skb,
					  struct nf_conn *ct, const struct nf_hook_state *state,
					  const struct wattle_key *key)
{
	struct wattle_decision d = {};
	struct wattle_place place;
	struct wattle_view view;

	wattle_view_init(w, this_cpu_ptr(w->flows)->memo, &view);
	d.reason = wattle_nat_choose(w, &view, ct, key, &d.service);
	if (!d.reason)
		return NF_ACCEPT;
	if (d.reason == WATTLE_REASON_NO_BACKEND)
		atomic64_inc(&d.service->stats->refused);
	wattle_decide_place(&view, &key->saddr, &place);
	if (d.reason == WATTLE_REASON_NO_SERVICE_PORT && wattle_key_is_echo(key))
		return wattle_nat_echo(w, skb, state, key, &place);
	d.src_id = place.id;
	d.verdict = wattle_decide_refusal(d.service, d.reason);
	return wattle_nat_deny(w, skb, ct, state, key, &d);
}

/*
 * The host's own programs, and what comes from outside: called by the NAT core for the
 * first packet of connections that nobody has bound yet.
 */
static unsigned int wattle_nat_service(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct wattle_key key = { .origin = WATTLE_FROM_STACK };
	unsigned int verdict;
	struct wattle *w;

	if (!ct || nf_nat_initialized(ct, NF_NAT_MANIP_DST))
		return NF_ACCEPT;
	/* A reset of ours, of a connection that has led nowhere, belongs to that. */
	if (CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL)
		return NF_ACCEPT;
	w = wattle_of(state->net);
	if (!w || !netif_running(w->dev))
		return NF_ACCEPT;
	wattle_track_key(ct, &key);
	if (state->hook == NF_INET_LOCAL_OUT)
		key.flags = WATTLE_KEY_SRC_HOST;
	/* Programs come here with BH enabled. */
	local_bh_disable();
	verdict = wattle_nat_to_service(w, skb, ct, state, &key);
	local_bh_enable();
	return verdict;
}

#define WATTLE_NAT_OPS(family, FAMILY, WHERE) { \
	.hook = wattle_nat_service, \
	.pf = NFPROTO_##FAMILY, \
	.hooknum = NF_INET_##WHERE, \
	.priority = NF_##family##_PRI_NAT_DST - 1, \
}

static const struct nf_hook_ops wattle_nat_ops4[] = {
	WATTLE_NAT_OPS(IP, IPV4, PRE_ROUTING),
	WATTLE_NAT_OPS(IP, IPV4, LOCAL_OUT),
};

static const struct nf_hook_ops wattle_nat_ops6[] = {
	WATTLE_NAT_OPS(IP6, IPV6, PRE_ROUTING),
	WATTLE_NAT_OPS(IP6, IPV6, LOCAL_OUT),
};

int wattle_nat_register(struct wattle *w)
{
	int i, j, err = 0;

	for (i = 0; i < ARRAY_SIZE(wattle_nat_ops4); i++) {
		err = nf_nat_ipv4_register_fn(w->net, &wattle_nat_ops4[i]);
		if (err)
			goto err_ipv4;
	}
	for (j = 0; j < ARRAY_SIZE(wattle_nat_ops6); j++) {
		err = nf_nat_ipv6_register_fn(w->net, &wattle_nat_ops6[j]);
		if (err)
			goto err_ipv6;
	}
	return 0;

err_ipv6:
	while (j--)
		nf_nat_ipv6_unregister_fn(w->net, &wattle_nat_ops6[j]);
err_ipv4:
	while (i--)
		nf_nat_ipv4_unregister_fn(w->net, &wattle_nat_ops4[i]);
	return err;
}

void wattle_nat_unregister(struct wattle *w)
{
	int i;

	for (i = ARRAY_SIZE(wattle_nat_ops6) - 1; i >= 0; i--)
		nf_nat_ipv6_unregister_fn(w->net, &wattle_nat_ops6[i]);
	for (i = ARRAY_SIZE(wattle_nat_ops4) - 1; i >= 0; i--)
		nf_nat_ipv4_unregister_fn(w->net, &wattle_nat_ops4[i]);
}
