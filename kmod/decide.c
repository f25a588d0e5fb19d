// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jhash.h>

#include "decide.h"

/**
 * struct wattle_place - what an address is, and where
 * @id: identity
 * @endpoint: it is a pod here
 * @node: it is behind that node, or an address of it
 * @host: it is an address of this host
 * @own: it is the address of @node itself
 * @listed: the identity table or an endpoint names @id
 * @lost: the table says behind which tunnel end point, but no node has that
 */
struct wattle_place {
	u32 id;
	struct wattle_endpoint *endpoint;
	struct wattle_node *node;
	bool host;
	bool own;
	bool listed;
	bool lost;
};

static bool wattle_place_is_host(const struct wattle_view *view, const struct in6_addr *addr)
{
	return view->is_host && view->is_host(view->net, addr);
}

static void wattle_locate(const struct wattle_view *view, const struct in6_addr *addr, bool host,
			  struct wattle_place *place)
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
	place->listed = wattle_memo_identity(view->memo, &config->identities, addr, view->gen,
					     &info);
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

static void wattle_decide_fail(struct wattle_decision *out, enum wattle_verdict verdict,
			       enum wattle_reason reason)
{
	out->verdict = verdict;
	out->reason = reason;
	out->next = WATTLE_TO_NOWHERE;
}

/*
 * Whether what came in may have come from there, and who it is from: out of the
 * tunnel, outer source, identity and inner source must belong together; from outside
 * nobody may speak for a pod. False: @out says why not.
 */
static bool wattle_check_sender(const struct wattle_view *view, const struct wattle_key *key,
				const struct wattle_place *src, struct wattle_decision *out)
{
	u32 known = src->id;

	out->src_id = src->id;
	if (key->origin == WATTLE_FROM_STACK || key->origin == WATTLE_FROM_DEVICE) {
		if ((key->flags & WATTLE_KEY_OUTSIDE) &&
		    (src->endpoint || (src->node && !src->own))) {
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

const struct wattle_backend *wattle_decide_backend(const struct wattle_service *service,
						   const struct in6_addr *saddr, u32 hash)
{
	if (service->affinity)
		hash = jhash2((const u32 *)saddr, sizeof(*saddr) / sizeof(u32), 0);
	return wattle_service_choose(service, hash);
}

u32 wattle_decide_hash(const struct wattle_key *key)
{
	u32 ports = (__force u32)key->sport << 16 | (__force u32)key->dport;
	u32 hash = jhash2((const u32 *)&key->saddr, 2 * sizeof(key->saddr) / sizeof(u32),
			  key->proto);

	return jhash_1word(ports, hash);
}

/* Services: false where there is none to choose from, and @out says why. */
static bool wattle_translate(const struct wattle_view *view, const struct wattle_key *key,
			     u32 hash, struct wattle_decision *out)
{
	struct wattle_services *services = &view->config->services;
	const struct wattle_backend *backend;

	if (key->origin == WATTLE_FROM_TUNNEL)
		return true;
	out->service = wattle_service_lookup(services, &key->daddr, key->dport, key->proto,
					     view->gen);
	if (!out->service) {
		if (!wattle_service_has_addr(services, &key->daddr, view->gen) ||
		    wattle_place_is_host(view, &key->daddr))
			return true;
		wattle_decide_fail(out, WATTLE_VERDICT_REJECT, WATTLE_REASON_NO_SERVICE_PORT);
		return false;
	}
	backend = wattle_decide_backend(out->service, &key->saddr, hash);
	if (!backend) {
		wattle_decide_fail(out, WATTLE_VERDICT_REJECT, WATTLE_REASON_NO_BACKEND);
		return false;
	}
	out->daddr = backend->addr;
	out->dport = backend->port;
	return true;
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
	wattle_memo_judge(view->memo, &view->config->policies, &q, view->gen, &out->egress);
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
	wattle_memo_judge(view->memo, &view->config->policies, &q, view->gen, &out->ingress);
	if (!out->ingress.allow && out->src_id == WATTLE_ID_HOST &&
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

/* Nobody but nodes may speak to the tunnel port of a node. */
static bool wattle_is_tunnel_port(const struct wattle_view *view, const struct wattle_key *key,
				  const struct wattle_place *dst,
				  const struct wattle_decision *out)
{
	return key->proto == IPPROTO_UDP && ntohs(out->dport) == view->port &&
	       (dst->host || dst->own);
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
	struct wattle_place dst;

	wattle_locate(view, &out->daddr, false, &dst);
	if (!wattle_route(key, &dst, out))
		return;
	out->hairpin = out->service && out->source && out->source == out->endpoint;
	if (out->source && wattle_is_tunnel_port(view, key, &dst, out)) {
		wattle_decide_fail(out, WATTLE_VERDICT_DROP, WATTLE_REASON_TUNNEL_PORT);
		return;
	}
	wattle_judge(view, key, out);
}

void wattle_decide(const struct wattle_view *view, const struct wattle_key *key, u32 hash,
		   struct wattle_decision *out)
{
	struct wattle_place src;

	wattle_decide_init(view, key, out);
	wattle_locate(view, &key->saddr, key->flags & WATTLE_KEY_SRC_HOST, &src);
	out->source = src.endpoint;
	if (!wattle_check_sender(view, key, &src, out))
		return;
	if (!wattle_translate(view, key, hash, out))
		return;
	wattle_decide_common(view, key, out);
}

bool wattle_decide_sender(const struct wattle_view *view, const struct wattle_key *key,
			  struct wattle_decision *out)
{
	struct wattle_place src;

	wattle_decide_init(view, key, out);
	wattle_locate(view, &key->saddr, key->flags & WATTLE_KEY_SRC_HOST, &src);
	return wattle_check_sender(view, key, &src, out);
}

void wattle_decide_known(const struct wattle_view *view, const struct wattle_key *key,
			 struct wattle_decision *out)
{
	struct wattle_place src;

	wattle_decide_init(view, key, out);
	wattle_locate(view, &key->saddr, key->flags & WATTLE_KEY_SRC_HOST, &src);
	out->source = src.endpoint;
	out->src_id = key->origin == WATTLE_FROM_TUNNEL ? key->wire : src.id;
	wattle_decide_common(view, key, out);
}

void wattle_decide_next(const struct wattle_view *view, const struct wattle_key *key,
			struct wattle_decision *out)
{
	struct wattle_place dst;

	out->verdict = WATTLE_VERDICT_ALLOW;
	out->reason = WATTLE_REASON_NONE;
	wattle_locate(view, &key->daddr, false, &dst);
	wattle_route(key, &dst, out);
}
