// SPDX-License-Identifier: GPL-2.0-only
#include "compat.h"
#include "decide_private.h"

static void wattle_decide_fail(struct wattle_decision *out, enum wattle_verdict verdict,
			       enum wattle_reason reason)
{
	out->verdict = verdict;
	out->reason = reason;
	out->next = WATTLE_TO_NOWHERE;
}

/*
 * From outside nobody may speak for a pod, nor for this host. An answer may be from the host's
 * address, where conntrack has turned it back to that.
 */
static bool wattle_is_posing(const struct wattle_key *key, const struct wattle_place *src)
{
	if (!(key->flags & WATTLE_KEY_OUTSIDE))
		return false;
	return src->endpoint || (src->node && !src->own) ||
	       (src->host && !(key->flags & WATTLE_KEY_ANSWER));
}

/*
 * From outside, by a node that may send that: the gateway of a connection, or who hands one on to
 * a service here. It is who this node says, and nobody may claim that it is one of the cluster.
 */
static bool wattle_check_vouched(const struct wattle_key *key, const struct wattle_place *src,
				 struct wattle_decision *out)
{
	if ((key->flags & WATTLE_KEY_WIRE) && key->wire != src->id &&
	    !wattle_identity_is_outside(key->wire)) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_WRONG_IDENTITY);
		return false;
	}
	return true;
}

/*
 * Whether what came in may have come from there, and who it is from: out of the
 * tunnel, outer source, identity and inner source must belong together, unless what is from
 * outside is @vouched for. False: @out says why not.
 */
static bool wattle_check_sender(const struct wattle_view *view, const struct wattle_key *key,
				bool vouched, const struct wattle_place *src,
				struct wattle_decision *out)
{
	u32 known = src->id;

	out->src_id = src->id;
	out->from_host = src->host;
	if (key->origin == WATTLE_FROM_STACK || key->origin == WATTLE_FROM_DEVICE) {
		if (wattle_is_posing(key, src)) {
			wattle_decide_fail(out, WATTLE_VERDICT_DROP,
					   WATTLE_REASON_FOREIGN_SOURCE);
			return false;
		}
		return true;
	}
	if (key->origin != WATTLE_FROM_TUNNEL)
		return true;
	if (src->endpoint || src->host) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_FOREIGN_SOURCE);
		return false;
	}
	if (unlikely(vouched) && !src->node && !src->lost)
		return wattle_check_vouched(key, src, out);
	/* No node says that of another. */
	if (key->wire == WATTLE_ID_HOST) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_WRONG_IDENTITY);
		return false;
	}
	if (!view->strict) {
		if (key->wire)
			out->src_id = key->wire;
		return true;
	}
	if (!key->in) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_UNKNOWN_NODE);
		return false;
	}
	if (!src->node || src->node->serial != key->in) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_FOREIGN_SOURCE);
		return false;
	}
	if (!(key->flags & WATTLE_KEY_WIRE) || (src->own && key->wire == WATTLE_ID_REMOTE_NODE))
		return true;
	if (view->gbp)
		known &= 0xffff;
	if (key->wire != known || !src->listed) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_WRONG_IDENTITY);
		return false;
	}
	return true;
}

/* Where a packet to @dst goes. False: nowhere, and @out says why. */
static bool wattle_route(const struct wattle_key *key, const struct wattle_place *dst,
			 struct wattle_decision *out)
{
	out->dst_id = dst->id;
	out->endpoint = dst->endpoint;
	out->node = dst->node;
	if (dst->host) {
		out->next = WATTLE_TO_STACK;
		return true;
	}
	/* The host would hear it, past what policy says of it. Its own does not come by us. */
	if (dst->shared && key->origin <= WATTLE_FROM_TUNNEL) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_NOT_UNICAST);
		return false;
	}
	if (dst->endpoint) {
		out->next = WATTLE_TO_ENDPOINT;
		return true;
	}
	/* What came out of the tunnel never goes back into it: no loops. */
	if (key->origin == WATTLE_FROM_TUNNEL) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_NO_ENDPOINT);
		return false;
	}
	if (dst->node) {
		out->next = WATTLE_TO_NODE;
		return true;
	}
	if (dst->lost || key->origin == WATTLE_FROM_DEVICE) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_NO_NODE);
		return false;
	}
	out->next = WATTLE_TO_STACK;
	return true;
}

/* Is that nobody of the cluster, nor a service of it? */
static bool wattle_place_is_outside(const struct wattle_place *place)
{
	return !place->endpoint && !place->node && !place->host && !place->shared &&
	       !place->lost && !place->service && !place->vacant;
}

/* Is it for the egress rules to say how a packet to @dst goes on? */
static bool wattle_is_leaving(const struct wattle_view *view, const struct wattle_key *key,
			      const struct wattle_place *dst, const struct wattle_decision *out)
{
	if (likely(wattle_egress_is_empty(&view->config->egress)) ||
	    !wattle_place_is_outside(dst))
		return false;
	if (key->origin == WATTLE_FROM_POD)
		return out->source;
	/* A gateway is for pods of other nodes, not for those nodes, nor for who is none of us. */
	return key->origin == WATTLE_FROM_TUNNEL && out->src_id != WATTLE_ID_REMOTE_NODE &&
	       !wattle_identity_is_outside(out->src_id);
}

static const struct wattle_egress_rule *wattle_find_egress(const struct wattle_view *view,
							   const struct wattle_key *key,
							   const struct wattle_decision *out)
{
	const struct wattle_egress_from from = { .addr = key->saddr, .id = out->src_id };

	return wattle_egress_lookup(&view->config->egress, &from, &out->daddr, view->gen);
}

/* By the tunnel to the gateway, and never otherwise. */
static bool wattle_leave_by_gateway(const struct wattle_view *view,
				    const struct wattle_egress_rule *rule,
				    struct wattle_decision *out)
{
	out->node = wattle_node_by_addr(&view->config->nodes, &rule->spec.addr, view->gen);
	if (!out->node) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_NO_GATEWAY);
		return false;
	}
	out->outward = rule;
	out->next = WATTLE_TO_NODE;
	return true;
}

/* How a packet leaves the cluster. As wattle_route(). */
static bool wattle_leave(const struct wattle_view *view, const struct wattle_key *key,
			 const struct wattle_place *dst, struct wattle_decision *out)
{
	const struct wattle_egress_rule *rule = wattle_find_egress(view, key, out);
	bool here = key->origin == WATTLE_FROM_POD;

	out->dst_id = dst->id;
	if (rule && rule->spec.action == WATTLE_EGRESS_ACTION_VIA && here)
		return wattle_leave_by_gateway(view, rule, out);
	if (rule && (rule->spec.action == WATTLE_EGRESS_ACTION_GATEWAY ||
		     (rule->spec.action == WATTLE_EGRESS_ACTION_MASQUERADE && here))) {
		out->outward = rule;
		out->next = WATTLE_TO_STACK;
		return true;
	}
	return wattle_route(key, dst, out);
}

/* A node's own processes reach its pods, unless a rule denies them by name. */
static bool wattle_host_denied(const struct wattle_view *view, const struct wattle_judgement *j)
{
	struct wattle_rule_spec spec;
	const char *origin;

	if (!j->rule || wattle_rule_is_last(j->rule))
		return false;
	wattle_rule_describe(&view->config->policies, j->rule, &spec, &origin);
	return spec.action == WATTLE_ACTION_DENY && spec.peer_kind == WATTLE_PEER_KIND_IDENTITY;
}

static void wattle_judge_egress(const struct wattle_view *view, const struct wattle_key *key,
				struct wattle_decision *out)
{
	struct wattle_question q = {
		.subject = out->src_id,
		.peer_id = out->dst_id,
		.peer = &out->daddr,
		.port = ntohs(out->dport),
		.direction = WATTLE_DIRECTION_EGRESS,
		.proto = key->proto,
		.enforce = out->source->enforce,
	};

	out->has_egress = true;
	wattle_policy_judge(&view->config->policies, &q, view->gen, &out->egress);
}

static void wattle_judge_ingress(const struct wattle_view *view, const struct wattle_key *key,
				 struct wattle_decision *out)
{
	struct wattle_question q = {
		.subject = out->dst_id,
		.peer_id = out->src_id,
		.peer = &key->saddr,
		.port = ntohs(out->dport),
		.direction = WATTLE_DIRECTION_INGRESS,
		.proto = key->proto,
		.enforce = out->endpoint->enforce,
	};

	out->has_ingress = true;
	wattle_policy_judge(&view->config->policies, &q, view->gen, &out->ingress);
	if (!out->ingress.allow && out->from_host &&
	    !wattle_host_denied(view, &out->ingress))
		out->ingress.allow = true;
}

static bool wattle_denied_by_name(const struct wattle_judgement *j)
{
	return j->rule && !wattle_rule_is_last(j->rule);
}

/* Policy of both sides, as far as they are here. */
static void wattle_judge(const struct wattle_view *view, const struct wattle_key *key,
			 struct wattle_decision *out)
{
	enum wattle_reason reason = WATTLE_REASON_NONE;

	/* A pod always reaches itself. */
	if (out->source && out->source == out->endpoint)
		return;
	if (out->source)
		wattle_judge_egress(view, key, out);
	if (out->endpoint)
		wattle_judge_ingress(view, key, out);
	if (out->has_egress && !out->egress.allow)
		reason = wattle_denied_by_name(&out->egress) ? WATTLE_REASON_DENY_EGRESS
							     : WATTLE_REASON_POLICY_EGRESS;
	else if (out->has_ingress && !out->ingress.allow)
		reason = wattle_denied_by_name(&out->ingress) ? WATTLE_REASON_DENY_INGRESS
							      : WATTLE_REASON_POLICY_INGRESS;
	if (!reason)
		return;
	if (view->audit)
		out->reason = reason;	/* allowed all the same; whoever looks is told */
	else
		wattle_decide_fail(out, WATTLE_VERDICT_DENY, reason);
}

/*
 * Nobody but nodes may speak to the tunnel port of a node, and not all addresses of other nodes
 * are known: what leaves for the outside may be for one of them.
 */
static bool wattle_is_tunnel_port(const struct wattle_view *view, const struct wattle_key *key,
				  const struct wattle_place *dst,
				  const struct wattle_decision *out)
{
	return key->proto == IPPROTO_UDP && ntohs(out->dport) == view->port &&
	       (out->next == WATTLE_TO_STACK || out->outward || dst->own);
}

static void wattle_decide_init(const struct wattle_view *view, const struct wattle_key *key,
			       struct wattle_decision *out)
{
	*out = (struct wattle_decision){
		.verdict = WATTLE_VERDICT_ALLOW,
		.daddr = key->daddr,
		.dport = key->dport,
		.gen = view->gen,
	};
}

static void wattle_decide_common(const struct wattle_view *view, const struct wattle_key *key,
				 struct wattle_decision *out)
{
	const struct wattle_place *dst;
	struct wattle_place room;

	dst = wattle_locate(view, &out->daddr, false, &room);
	if (!(wattle_is_leaving(view, key, dst, out) ? wattle_leave(view, key, dst, out) :
						       wattle_route(key, dst, out)))
		return;
	out->hairpin = out->service && out->source && out->source == out->endpoint;
	if ((out->source || out->outward) && wattle_is_tunnel_port(view, key, dst, out)) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_TUNNEL_PORT);
		return;
	}
	wattle_judge(view, key, out);
}

/* Somebody asks whether there is such a service. That is no connection: policy has no say. */
static void wattle_decide_echo(const struct wattle_view *view, const struct wattle_key *key,
			       struct wattle_decision *out)
{
	struct wattle_place room;

	out->dst_id = wattle_locate(view, &key->daddr, false, &room)->id;
	out->next = WATTLE_TO_SENDER;
}

static const struct wattle_place *wattle_locate_sender(const struct wattle_view *view,
						       const struct wattle_key *key,
						       struct wattle_place *room)
{
	return wattle_locate(view, &key->saddr, key->flags & WATTLE_KEY_SRC_HOST, room);
}

static void wattle_decide_find(const struct wattle_view *view, const struct wattle_key *key,
			       const struct wattle_target *target, struct wattle_decision *out)
{
	const struct wattle_place *src;
	struct wattle_place room;

	wattle_decide_init(view, key, out);
	src = wattle_locate_sender(view, key, &room);
	out->source = src->endpoint;
	if (!wattle_check_sender(view, key, target->service, src, out))
		return;
	out->service = target->service;
	out->stats = target->stats;
	out->daddr = target->addr;
	out->dport = target->port;
	if (target->reason == WATTLE_REASON_NO_SERVICE_PORT && wattle_key_is_echo(key))
		wattle_decide_echo(view, key, out);
	else if (target->reason)
		wattle_decide_fail(out, wattle_decide_refusal(target->service, target->reason),
				   target->reason);
	else
		wattle_decide_common(view, key, out);
}

/* Of options, what a decision depends on. */
static u32 wattle_view_options(const struct wattle_view *view)
{
	return view->port << 16 | view->gbp << 2 | view->strict << 1 | view->audit;
}

/*
 * The same for a packet of a pod or out of the tunnel, remembered: what is new about most new
 * connections is the port that they come from.
 */
static void wattle_decide_recall(const struct wattle_view *view, const struct wattle_key *key,
				 const struct wattle_target *target, struct wattle_decision *out)
{
	struct wattle_memo_decision *slot;
	struct wattle_key ask = {
		.saddr = key->saddr,
		.daddr = target->addr,
		.dport = target->port,
		.proto = key->proto,
		.origin = key->origin,
		/* A service can make a pod talk to itself. */
		.flags = key->flags | (target->service ? WATTLE_KEY_SERVICE : 0),
		.wire = key->wire,
		.in = key->in,
	};

	slot = wattle_memo_decision(view->memo, &ask);
	if (unlikely(slot->gen != view->gen || slot->epoch != view->epoch ||
		     slot->options != wattle_view_options(view) ||
		     !wattle_key_equal(&slot->key, &ask))) {
		wattle_decide_find(view, key, target, &slot->decision);
		slot->key = ask;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
		slot->options = wattle_view_options(view);
	}
	*out = slot->decision;
	out->service = target->service;
	out->stats = target->stats;
}

void wattle_decide(const struct wattle_view *view, const struct wattle_key *key,
		   struct wattle_decision *out)
{
	struct wattle_target target wattle_uninit;

	target.service = NULL;
	target.stats = NULL;
	target.addr = key->daddr;
	target.port = key->dport;
	target.reason = WATTLE_REASON_NONE;
	/* What comes out of the tunnel has been through services, but for direct server return. */
	if (key->origin != WATTLE_FROM_TUNNEL || unlikely(READ_ONCE(view->config->services.dsr)))
		wattle_translate(view, key, &target);
	if (view->memo && key->origin <= WATTLE_FROM_TUNNEL && !target.reason)
		wattle_decide_recall(view, key, &target, out);
	else
		wattle_decide_find(view, key, &target, out);
}

bool wattle_decide_sender(const struct wattle_view *view, const struct wattle_key *key,
			  struct wattle_decision *out)
{
	struct wattle_place room;

	wattle_decide_init(view, key, out);
	return wattle_check_sender(view, key, key->flags & WATTLE_KEY_VOUCHED,
				   wattle_locate_sender(view, key, &room), out);
}

void wattle_decide_known(const struct wattle_view *view, const struct wattle_key *key,
			 struct wattle_decision *out)
{
	const struct wattle_place *src;
	struct wattle_place room;

	wattle_decide_init(view, key, out);
	src = wattle_locate_sender(view, key, &room);
	out->source = src->endpoint;
	out->src_id = key->origin == WATTLE_FROM_TUNNEL ? key->wire : src->id;
	out->from_host = src->host;
	wattle_decide_common(view, key, out);
}

bool wattle_decide_may_belong(const struct wattle_view *view, const struct wattle_key *key,
			      bool portless)
{
	bool gateways = !wattle_egress_is_empty(&view->config->egress);
	bool dsr = portless && READ_ONCE(view->config->services.dsr);
	struct wattle_place room;

	if (!(gateways || dsr) ||
	    !wattle_place_is_outside(wattle_locate(view, &key->saddr, false, &room)))
		return false;
	return wattle_locate(view, &key->daddr, false, &room)->endpoint ? gateways : dsr;
}

bool wattle_decide_is_gateway(const struct wattle_view *view, const struct wattle_key *key,
			      u32 serial)
{
	struct wattle_decision d;

	if (wattle_egress_is_empty(&view->config->egress))
		return false;
	wattle_decide_known(view, key, &d);
	return d.outward && d.node && d.node->serial == serial;
}

void wattle_decide_place(const struct wattle_view *view, const struct in6_addr *addr,
			 struct wattle_place *place)
{
	struct wattle_place room;

	*place = *wattle_locate(view, addr, false, &room);
}

void wattle_decide_next(const struct wattle_view *view, const struct wattle_key *key,
			struct wattle_decision *out)
{
	struct wattle_place room;

	out->verdict = WATTLE_VERDICT_ALLOW;
	out->reason = WATTLE_REASON_NONE;
	out->outward = NULL;
	wattle_route(key, wattle_locate(view, &key->daddr, false, &room), out);
}
