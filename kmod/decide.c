// SPDX-License-Identifier: GPL-2.0-only
#include "compat.h"
#include "decide.h"

static bool wattle_place_is_host(const struct wattle_view *view, const struct in6_addr *addr)
{
	return view->is_host && view->is_host(view->net, addr);
}

/* May others reach this host by @addr, and get answers from elsewhere? */
static bool wattle_addr_is_open(const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr))
		return !ipv4_is_loopback(wattle_addr_v4(addr));
	return !(ipv6_addr_type(addr) & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL));
}

/* What services there are at @addr, of which the rest is known. */
static void wattle_place_find_services(const struct wattle_view *view, const struct in6_addr *addr,
				       struct wattle_place *place)
{
	struct wattle_services *services = &view->config->services;
	struct in6_addr any = wattle_addr_any(wattle_addr_is_v4(addr));

	place->wild = place->host && wattle_addr_is_open(addr) &&
		      wattle_service_has_addr(services, &any, view->gen);
	place->service = place->wild || wattle_service_has_addr(services, addr, view->gen);
}

static void wattle_place_identify(const struct wattle_view *view, const struct in6_addr *addr,
				  bool host, struct wattle_place *place)
{
	struct wattle_config *config = view->config;
	struct wattle_identity_info info;
	bool exact;

	*place = (struct wattle_place){ .id = WATTLE_ID_WORLD, .host = host };
	place->endpoint = host ? NULL : wattle_endpoint_by_ip(&config->endpoints, addr, view->gen);
	if (place->endpoint && place->endpoint->id) {
		place->id = place->endpoint->id;
		place->listed = true;
		return;
	}
	place->listed = wattle_identity_lookup(&config->identities, addr, view->gen, &info);
	exact = place->listed && info.prefix_len == 128;
	if (place->listed)
		place->id = info.id;
	if (place->endpoint)
		return;
	if (place->listed && info.via && !host) {
		place->node = wattle_node_by_addr(&config->nodes, info.via, view->gen);
		place->lost = !place->node;
		return;
	}
	/* A wide prefix, such as that of a site, renames neither this host nor other nodes. */
	if (!exact && (host || wattle_place_is_host(view, addr))) {
		place->host = true;
		place->id = WATTLE_ID_HOST;
		return;
	}
	if (host)
		return;
	place->node = wattle_node_by_addr(&config->nodes, addr, view->gen);
	if (place->node) {
		place->own = true;
		place->listed = true;
		if (!exact)
			place->id = WATTLE_ID_REMOTE_NODE;
		return;
	}
	place->node = wattle_node_by_cidr(&config->nodes, addr, view->gen);
	if (!place->node && exact)
		place->host = wattle_place_is_host(view, addr);
}

static void wattle_place_find(const struct wattle_view *view, const struct in6_addr *addr,
			      bool host, struct wattle_place *place)
{
	wattle_place_identify(view, addr, host, place);
	wattle_place_find_services(view, addr, place);
}

/*
 * What @addr is, and where; @host: it is this host's, who says so knows. The answer is good
 * until the next is asked for; @room is where it may be put.
 */
static const struct wattle_place *wattle_locate(const struct wattle_view *view,
						const struct in6_addr *addr, bool host,
						struct wattle_place *room)
{
	struct wattle_memo_place *slot;

	if (host || !view->memo) {
		wattle_place_find(view, addr, host, room);
		return room;
	}
	slot = wattle_memo_place(view->memo, addr);
	if (unlikely(!wattle_memo_place_is(slot, addr, view->gen, view->epoch))) {
		wattle_place_find(view, addr, false, &slot->place);
		slot->addr = *addr;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
	}
	return &slot->place;
}

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
 * An answer from outside, by the gateway of its connection: it is who this node says, and the
 * gateway may not claim that it is one of the cluster.
 */
static bool wattle_check_from_gateway(const struct wattle_key *key, const struct wattle_place *src,
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
 * tunnel, outer source, identity and inner source must belong together. False: @out says why
 * not.
 */
static bool wattle_check_sender(const struct wattle_view *view, const struct wattle_key *key,
				const struct wattle_place *src, struct wattle_decision *out)
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
	if ((key->flags & WATTLE_KEY_GATEWAY) && !src->node && !src->lost)
		return wattle_check_from_gateway(key, src, out);
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
	return !place->endpoint && !place->node && !place->host && !place->lost &&
	       !place->service;
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

const struct wattle_backend *wattle_decide_backend(struct wattle_services *services,
						   const struct wattle_service *service,
						   const struct in6_addr *saddr, u32 hash)
{
	const struct wattle_backend *backend = NULL;

	if (service->affinity)
		backend = wattle_affinity_lookup(&services->affinities, service, saddr);
	return backend ?: wattle_service_choose(service, hash);
}

/* Every bit of the words counts for every bit of the hash. */
u32 wattle_decide_hash(const struct wattle_key *key)
{
	const u64 *addrs = (const u64 *)&key->saddr;
	u64 hash = (__force u32)key->sport << 16 ^ (__force u32)key->dport ^ (u64)key->proto << 32;
	int i;

	for (i = 0; i < 4; i++) {
		hash = (hash ^ addrs[i]) * GOLDEN_RATIO_64;
		hash ^= hash >> 32;
	}
	return hash * GOLDEN_RATIO_64 >> 32;
}

/* Where a packet is for: @key's destination, or that of the backend that was chosen. */
struct wattle_target {
	const struct wattle_service *service;
	const struct wattle_backend_stats *stats;	/* of the backend */
	struct in6_addr addr;
	__be16 port;
	enum wattle_reason reason;	/* why nowhere */
};

/* Is @key from outside the cluster? Who is here, or at or behind a known node, is not. */
static bool wattle_is_outside(const struct wattle_view *view, const struct wattle_key *key)
{
	const struct wattle_place *src;
	struct wattle_place room;

	if (key->origin == WATTLE_FROM_POD || (key->flags & WATTLE_KEY_SRC_HOST))
		return false;
	src = wattle_locate(view, &key->saddr, false, &room);
	return !src->endpoint && !src->node && !src->host && !src->lost;
}

/*
 * An address goes before every address, if @wild, and then what is for those from outside before
 * what is for any.
 */
static const struct wattle_service *wattle_look_up_frontend(const struct wattle_view *view,
							    const struct wattle_key *key,
							    bool outside, bool wild)
{
	struct wattle_services *services = &view->config->services;
	struct wattle_service_key ask = {
		.addr = key->daddr, .port = key->dport, .proto = key->proto,
	};
	const struct wattle_service *service = NULL;
	int i;

	for (i = 0; i <= wild && !service; i++) {
		if (i)
			ask.addr = wattle_addr_any(wattle_addr_is_v4(&key->daddr));
		if (outside) {
			ask.scope = WATTLE_SCOPE_OUTSIDE;
			service = wattle_service_lookup(services, &ask, view->gen);
		}
		ask.scope = WATTLE_SCOPE_ANY;
		if (!service)
			service = wattle_service_lookup(services, &ask, view->gen);
	}
	return service;
}

static void wattle_look_up_service(const struct wattle_view *view, const struct wattle_key *key,
				   bool outside, struct wattle_memo_service *found)
{
	const struct wattle_place *place;
	struct wattle_place room;

	found->service = NULL;
	found->lost = false;
	place = wattle_locate(view, &key->daddr, false, &room);
	if (!place->service)
		return;
	found->service = wattle_look_up_frontend(view, key, outside, place->wild);
	/* It may be the address of a node as well, for the outside, or of a pod. */
	if (!found->service && !place->host && !place->node && !place->endpoint)
		found->lost = !wattle_place_is_host(view, &key->daddr);
}

/* What there is for @key; @room is where the answer may be put, as for wattle_locate(). */
static const struct wattle_memo_service *wattle_find_service(const struct wattle_view *view,
							     const struct wattle_key *key,
							     struct wattle_memo_service *room)
{
	bool outside = wattle_is_outside(view, key);
	struct wattle_memo_service *slot;

	if (!view->memo) {
		wattle_look_up_service(view, key, outside, room);
		return room;
	}
	slot = wattle_memo_service(view->memo, key);
	if (unlikely(!wattle_memo_service_is(slot, key, outside, view->gen, view->epoch))) {
		wattle_look_up_service(view, key, outside, slot);
		slot->addr = key->daddr;
		slot->port = key->dport;
		slot->proto = key->proto;
		slot->outside = outside;
		slot->gen = view->gen;
		slot->epoch = view->epoch;
	}
	return slot;
}

bool wattle_decide_forsaken(const struct wattle_view *view, const struct wattle_key *key,
			    const struct in6_addr *addr, __be16 port)
{
	const struct wattle_service *service;
	struct wattle_memo_service room;

	service = wattle_find_service(view, key, &room)->service;
	return service && !wattle_service_keeps(service, addr, port);
}

/* Pods' packets do not go astray; of others only those that a service could be for. */
static bool wattle_is_for_service(const struct wattle_key *key)
{
	return key->origin == WATTLE_FROM_POD || key->proto == IPPROTO_TCP ||
	       key->proto == IPPROTO_UDP || key->proto == IPPROTO_SCTP || wattle_key_is_echo(key);
}

enum wattle_reason wattle_decide_service(const struct wattle_view *view,
					 const struct wattle_key *key,
					 const struct wattle_service **service)
{
	struct wattle_memo_service room wattle_uninit;
	const struct wattle_memo_service *found = wattle_find_service(view, key, &room);

	*service = found->service;
	if (!found->service)
		return unlikely(found->lost) && wattle_is_for_service(key) ?
		       WATTLE_REASON_NO_SERVICE_PORT : WATTLE_REASON_NONE;
	if (!(key->flags & WATTLE_KEY_SRC_HOST) &&
	    !wattle_service_admits(found->service, &key->saddr))
		return WATTLE_REASON_SOURCE_RANGE;
	return WATTLE_REASON_NONE;
}

u8 wattle_decide_refusal(const struct wattle_service *service, enum wattle_reason reason)
{
	if (reason == WATTLE_REASON_NO_SERVICE_PORT ||
	    (reason == WATTLE_REASON_NO_BACKEND && service->empty == WATTLE_EMPTY_REJECT))
		return WATTLE_VERDICT_REJECT;
	return WATTLE_VERDICT_DROP;
}

static void wattle_translate(const struct wattle_view *view, const struct wattle_key *key,
			     struct wattle_target *target)
{
	const struct wattle_backend *backend;

	target->service = NULL;
	target->stats = NULL;
	target->addr = key->daddr;
	target->port = key->dport;
	target->reason = WATTLE_REASON_NONE;
	if (key->origin == WATTLE_FROM_TUNNEL)
		return;
	target->reason = wattle_decide_service(view, key, &target->service);
	if (target->reason || !target->service)
		return;
	backend = wattle_decide_backend(&view->config->services, target->service, &key->saddr,
					wattle_decide_hash(key));
	if (!backend) {
		target->reason = WATTLE_REASON_NO_BACKEND;
		return;
	}
	target->stats = backend->stats;
	target->addr = backend->addr;
	target->port = backend->port;
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
	if (!wattle_check_sender(view, key, src, out))
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
	return wattle_check_sender(view, key, wattle_locate_sender(view, key, &room), out);
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

bool wattle_decide_may_answer(const struct wattle_view *view, const struct wattle_key *key)
{
	struct wattle_place room;

	if (wattle_egress_is_empty(&view->config->egress) ||
	    !wattle_place_is_outside(wattle_locate(view, &key->saddr, false, &room)))
		return false;
	return wattle_locate(view, &key->daddr, false, &room)->endpoint;
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
