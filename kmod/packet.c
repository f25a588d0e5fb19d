// SPDX-License-Identifier: GPL-2.0-only
/* The long way of a packet: conntrack, decision, translation, and out. */
#include <linux/tcp.h>

#include "account.h"
#include "compat.h"
#include "echo.h"
#include "event.h"
#include "packet.h"
#include "vxlan.h"

void wattle_packet_begin(struct wattle_packet *p, struct wattle *w, struct sk_buff *skb,
			 struct wattle_port *port)
{
	struct wattle_decision *d = &p->decision;

	p->w = w;
	p->skb = skb;
	p->port = port;
	p->ep = NULL;
	p->decided = false;
	p->known = false;
	p->reply = false;
	/* What is told of packets that are dropped before anything is decided. */
	d->verdict = WATTLE_VERDICT_ALLOW;
	d->reason = WATTLE_REASON_NONE;
	d->src_id = 0;
	d->dst_id = 0;
	wattle_view_init(p->w, this_cpu_ptr(p->w->flows)->memo, &p->view);
}

enum wattle_outcome wattle_packet_drop(struct wattle_packet *p, enum wattle_reason reason)
{
	wattle_drop(p->w, p->skb, reason, &p->key, &p->decision);
	return WATTLE_TAKEN;
}

/* The rule by which one side let it pass; a node reaches its pods by none. */
static const struct wattle_rule *wattle_passed_by(const struct wattle_judgement *j)
{
	return j->allow && j->rule && j->rule->allow ? j->rule : NULL;
}

/* Rules let pass what goes their way; answers pass because it did. */
static bool wattle_packet_is_answer(const struct wattle_packet *p)
{
	return p->reply || (p->parsed.flags & WATTLE_PARSED_ERROR);
}

static __always_inline struct wattle_tally *wattle_packet_tally_of(const struct wattle_packet *p,
								   const struct wattle_rule *rule)
{
	return wattle_tally_get(&p->w->config.policies, this_cpu_ptr(p->w->flows)->tallies, rule);
}

static __always_inline void wattle_packet_tally_for(const struct wattle_packet *p,
						    const struct wattle_rule *rule)
{
	struct wattle_tally *tally;

	if (!rule)
		return;
	tally = wattle_packet_tally_of(p, rule);
	if (unlikely(!tally))
		return;
	tally->packets += wattle_skb_packets(p->skb);
	tally->bytes += p->parsed.len;
}

/* The counters of @rule, which stay while that is there; NULL: no rule, or no memory. */
static struct wattle_rule_count *wattle_packet_rule_count(const struct wattle_packet *p,
							  const struct wattle_rule *rule)
{
	const struct wattle_tally *tally = rule ? wattle_packet_tally_of(p, rule) : NULL;

	return tally ? tally->count : NULL;
}

static noinline void wattle_packet_tally_denied(const struct wattle_packet *p)
{
	const struct wattle_decision *d = &p->decision;

	switch (d->reason) {
	case WATTLE_REASON_POLICY_EGRESS:
	case WATTLE_REASON_DENY_EGRESS:
		wattle_packet_tally_for(p, d->egress.rule);
		break;
	case WATTLE_REASON_POLICY_INGRESS:
	case WATTLE_REASON_DENY_INGRESS:
		wattle_packet_tally_for(p, d->ingress.rule);
		break;
	default:
		break;
	}
}

/* Count it for the rules that decided: the one that drops it, or those that let it pass. */
static __always_inline void wattle_packet_tally(const struct wattle_packet *p)
{
	const struct wattle_decision *d = &p->decision;

	if (unlikely(d->reason)) {
		wattle_packet_tally_denied(p);
	} else if (!wattle_packet_is_answer(p)) {
		wattle_packet_tally_for(p, wattle_passed_by(&d->egress));
		wattle_packet_tally_for(p, wattle_passed_by(&d->ingress));
	}
}

/* The backend of a connection that exists, if a service has sent it there. */
static noinline void wattle_packet_find_backend(struct wattle_packet *p, const struct nf_conn *ct)
{
	struct wattle_decision *d = &p->decision;
	bool by_stack = p->key.origin >= WATTLE_FROM_STACK || d->next == WATTLE_TO_STACK;

	d->stats = wattle_account_find(&p->view, ct, by_stack);
}

void wattle_packet_account(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct;

	if (!d->stats) {
		ct = nf_ct_get(p->skb, &ctinfo);
		if (!ct || !(ct->status & IPS_DST_NAT))
			return;
		wattle_packet_find_backend(p, ct);
	}
	if (d->stats && !(p->parsed.flags & WATTLE_PARSED_ERROR))
		wattle_service_stats_add(d->stats, p->reply, wattle_skb_packets(p->skb),
					 p->parsed.len);
}

/*
 * How long an entry is believed. Conntrack must see a packet now and then, or it gives the
 * connection up; one that has shown that it lasts is seen several times before that.
 */
static u32 wattle_packet_refresh(const struct nf_conn *ct)
{
	if (!test_bit(IPS_ASSURED_BIT, &ct->status))
		return WATTLE_FLOW_REFRESH;
	return clamp_t(u32, nf_ct_expires(ct) / 4, WATTLE_FLOW_REFRESH, WATTLE_FLOW_REFRESH_MAX);
}

/* What flows like that of @p have in common: where they go, and who counts them. */
static void wattle_packet_action(const struct wattle_packet *p, enum wattle_next next,
				 struct wattle_flow_action *action)
{
	const struct wattle_decision *d = &p->decision;
	unsigned int n = 0;

	action->src_id = d->src_id;
	action->dst_id = d->dst_id;
	if (next == WATTLE_TO_ENDPOINT) {
		action->endpoint = d->endpoint;
	} else if (next == WATTLE_TO_NODE) {
		action->node = d->node;
		action->identity = wattle_wire_identity(d->src_id);
	}
	if (!wattle_packet_is_answer(p)) {
		action->count[n] = wattle_packet_rule_count(p, wattle_passed_by(&d->egress));
		n += !!action->count[n];
		action->count[n] = wattle_packet_rule_count(p, wattle_passed_by(&d->ingress));
	}
	action->backend = d->stats;
}

void wattle_packet_remember_known(struct wattle_packet *p, enum wattle_next next)
{
	const struct wattle_decision *d = &p->decision;
	struct wattle_flow_action action = {};
	struct wattle_translation to = {};
	struct wattle_flow flow;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	if (!READ_ONCE(p->w->opt.cache) || d->reason ||
	    !wattle_parsed_is_fast(&p->parsed) || !wattle_track_offload(ct))
		return;
	/* What the stack rewrites is shown; what it has rewritten is in the key. */
	if ((next != WATTLE_TO_STACK || p->key.origin == WATTLE_FROM_POD) &&
	    !wattle_nat_translation(ct, CTINFO2DIR(ctinfo), &to) && next != WATTLE_TO_STACK)
		return;
	wattle_packet_action(p, next, &action);
	action.addr = to.addr;
	flow = (struct wattle_flow){
		.key = p->key,
		.epoch = p->view.epoch,
		.expires = (u32)jiffies + wattle_packet_refresh(ct),
		.next = next,
		.rewrite = to.rewrite,
		.port = to.port,
		.reply = p->reply,
		.action = &action,
		.ct = ct,
		.packets = wattle_skb_packets(p->skb),
		.bytes = p->parsed.len,
	};
	if (wattle_flow_insert(p->w, &flow, p->hash))
		wattle_event_flow(p->w, p->skb, &p->key, d);
}

/*
 * Does @ct know why a node sends what is from outside? It leaves by that gateway, or has been
 * handed on to a service here. @orig: its original direction.
 */
static noinline_for_stack bool wattle_packet_vouched(const struct wattle_packet *p,
						     const struct nf_conn *ct,
						     const struct wattle_key *orig)
{
	if (p->reply)
		return wattle_decide_is_gateway(&p->view, orig, p->key.in);
	return p->key.in && (ct->status & IPS_DST_NAT) &&
	       wattle_decide_is_stranger(&p->view, &orig->saddr);
}

/*
 * Not strict, who has asked may be known by its wire alone, which an answer does not tell: if it
 * goes back to another node, what ingress policy says of who it seems to be does not count.
 */
static bool wattle_packet_may_answer(const struct wattle_packet *p, enum wattle_reason denied)
{
	return p->reply && !p->view.strict && p->key.origin == WATTLE_FROM_POD &&
	       (denied == WATTLE_REASON_POLICY_INGRESS || denied == WATTLE_REASON_DENY_INGRESS);
}

/* Of a connection that exists policy is asked about the original direction, as translated. */
static noinline_for_stack void wattle_packet_decide_known(struct wattle_packet *p,
							  const struct nf_conn *ct)
{
	struct wattle_key orig = { .origin = WATTLE_FROM_POD }, sent;
	struct wattle_decision *d = &p->decision;
	enum wattle_reason denied;
	u32 sender;

	wattle_track_key(ct, &orig);
	if (!p->reply && !(p->parsed.flags & WATTLE_PARSED_ERROR)) {
		orig.origin = p->key.origin;
		orig.flags = p->key.flags;
		/* What the host forwards may have got the host's address: who was it? */
		sent = orig.origin >= WATTLE_FROM_STACK ? orig : p->key;
	} else {
		sent = p->key;
		sent.flags |= WATTLE_KEY_ANSWER;
	}
	if (sent.origin == WATTLE_FROM_TUNNEL && wattle_packet_vouched(p, ct, &orig))
		sent.flags |= WATTLE_KEY_VOUCHED;
	if (!wattle_decide_sender(&p->view, &sent, d))
		return;
	sender = d->src_id;
	if (orig.origin == WATTLE_FROM_TUNNEL)
		orig.wire = sender;
	wattle_decide_known(&p->view, &orig, d);
	denied = d->verdict == WATTLE_VERDICT_ALLOW ? WATTLE_REASON_NONE : d->reason;
	if (denied && !wattle_packet_may_answer(p, denied))
		return;
	if (p->reply) {
		/* Where the answer goes is where the question came from. */
		orig.daddr = orig.saddr;
		orig.origin = p->key.origin;
		wattle_decide_next(&p->view, &orig, d);
		if (denied && d->next != WATTLE_TO_NODE) {
			d->verdict = WATTLE_VERDICT_DENY;
			d->reason = denied;
			return;
		}
		/* To others it is who it is, whoever asked. */
		d->src_id = sender;
		/* What came by the stack to a service of this host goes back so, as the service. */
		if (p->key.origin == WATTLE_FROM_POD && d->next == WATTLE_TO_NODE &&
		    (ct->status & IPS_DST_NAT)) {
			d->next = WATTLE_TO_STACK;
			d->node = NULL;
		}
	}
}

/* A new connection, for which a backend may have to be chosen. */
static void wattle_packet_decide_new(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	int err, tries = 2;

	do {
		wattle_decide(&p->view, &p->key, d);
		err = d->service && d->verdict == WATTLE_VERDICT_ALLOW ?
		      wattle_nat_remember(p->w, d->service, &p->key.saddr, &d->daddr,
					  d->dport) : 0;
	} while (err == -EAGAIN && --tries);
}

/* A new connection is decided as it stands. */
void wattle_packet_decide(struct wattle_packet *p)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	p->known = ct && nf_ct_is_confirmed(ct);
	p->reply = ct && CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY;
	if (ct && (p->known || (ct->status & IPS_NAT_DONE_MASK)))
		wattle_packet_decide_known(p, ct);
	else if (!p->decided)
		wattle_packet_decide_new(p);
}

bool wattle_packet_allowed(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;

	if (!p->known && wattle_event_verdict_wanted(p->w))
		wattle_event_verdict(p->w, p->skb, &p->key, d);
	wattle_packet_tally(p);
	if (d->verdict != WATTLE_VERDICT_ALLOW) {
		if (d->reason == WATTLE_REASON_NO_BACKEND)
			atomic64_inc(&d->service->stats->refused);
		if (d->verdict == WATTLE_VERDICT_REJECT && p->key.origin == WATTLE_FROM_POD)
			wattle_tell_refused(p->w, p->ep, p->skb, p->key.proto);
		wattle_packet_drop(p, d->reason);
		return false;
	}
	if (d->reason)
		wattle_count(p->w, WATTLE_COUNT_AUDITED, 1, p->parsed.len);
	return true;
}

bool wattle_packet_defrag(struct wattle_packet *p, enum wattle_defrag_user user)
{
	u8 origin = p->key.origin;
	u16 flags = p->key.flags;
	u32 in = p->key.in, wire = p->key.wire;
	enum wattle_reason reason;
	int err;

	err = wattle_defrag(p->w, p->skb, user);
	if (err) {
		if (err != -EINPROGRESS)
			wattle_drop_note(p->w, NULL, p->parsed.len, WATTLE_REASON_BAD_FRAGMENT,
					 &p->key, NULL);
		return false;
	}
	reason = wattle_parse(p->skb, &p->key, &p->parsed);
	p->key.origin = origin;
	p->key.flags = flags;
	p->key.in = in;
	p->key.wire = wire;
	if (!reason && (p->parsed.flags & WATTLE_PARSED_FRAGMENT))
		reason = WATTLE_REASON_BAD_FRAGMENT;
	if (reason) {
		wattle_packet_drop(p, reason);
		return false;
	}
	p->parsed.flags |= WATTLE_PARSED_WHOLE;
	return true;
}

/* The first of a connection knows its backend. */
static __always_inline void wattle_packet_account_bound(struct wattle_packet *p)
{
	struct wattle_service_stats *stats = p->decision.stats;

	if (stats)
		wattle_service_stats_add(stats, IP_CT_DIR_ORIGINAL, wattle_skb_packets(p->skb),
					 p->parsed.len);
	else
		wattle_packet_account(p);
}

/* Bring the connection into force: enter it into conntrack's table, and translate. */
static enum wattle_reason wattle_packet_commit(struct wattle_packet *p)
{
	enum wattle_reason reason = wattle_confirm(p->skb, &p->decision);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	if (reason)
		return reason;
	ct = nf_ct_get(p->skb, &ctinfo);
	if (!ct || !(ct->status & IPS_NAT_MASK))
		return WATTLE_REASON_NONE;
	reason = wattle_nat_packet(p->skb, p->parsed.hlen);
	if (!reason)
		wattle_packet_account_bound(p);
	return reason;
}

static enum wattle_outcome wattle_packet_too_big(struct wattle_packet *p, unsigned int mtu)
{
	if (p->ep && !(p->parsed.flags & WATTLE_PARSED_ERROR))
		wattle_tell_too_big(p->w, p->ep, p->skb, mtu);
	return wattle_packet_drop(p, WATTLE_REASON_TOO_BIG);
}

static enum wattle_outcome wattle_packet_to_node(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	unsigned int mtu = wattle_vxlan_mtu(p->w, d->node);
	enum wattle_reason reason;
	u32 identity = wattle_wire_identity(d->src_id);

	if (!mtu)
		return wattle_packet_drop(p, WATTLE_REASON_NO_ROUTE);
	/* What came in pieces goes out in pieces. */
	if (!wattle_fits(p->skb, &p->parsed, mtu) &&
	    (p->parsed.flags & (WATTLE_PARSED_DF | WATTLE_PARSED_WHOLE)) == WATTLE_PARSED_DF)
		return wattle_packet_too_big(p, mtu);
	reason = wattle_packet_commit(p);
	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_packet_remember(p, WATTLE_TO_NODE);
	__skb_set_sw_hash(p->skb, p->hash, true);
	if (wattle_fits(p->skb, &p->parsed, mtu))
		wattle_send(p->w, d->node, p->skb, identity);
	else
		wattle_send_fragments(p->w, d->node, p->skb, identity, mtu);
	return WATTLE_TAKEN;
}

static enum wattle_outcome wattle_packet_to_endpoint(struct wattle_packet *p)
{
	enum wattle_reason reason = wattle_packet_commit(p);

	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_packet_remember(p, WATTLE_TO_ENDPOINT);
	wattle_deliver(p->w, p->decision.endpoint, p->skb);
	return WATTLE_TAKEN;
}

static noinline_for_stack bool wattle_packet_backend_gone(const struct wattle_packet *p,
							  const struct nf_conn *ct)
{
	struct wattle_key known = {};

	wattle_track_key(ct, &known);
	return wattle_decide_forsaken(&p->view, &p->key, &known.daddr, known.dport);
}

/* A connection through a service, of a pod here, whose backend the service has given up. */
static bool wattle_packet_is_forsaken(const struct wattle_packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	return unlikely(ct->status & IPS_DST_NAT) && ctinfo == IP_CT_ESTABLISHED &&
	       p->key.origin == WATTLE_FROM_POD && wattle_packet_backend_gone(p, ct);
}

/*
 * TCP is told to give up, unless it begins anew; anything else goes on with another
 * backend. Drops the packet, or returns WATTLE_REASON_NONE with another connection, or why
 * there is none.
 */
static enum wattle_reason wattle_packet_forsake(struct wattle_packet *p)
{
	enum ip_conntrack_info ctinfo;
	struct tcphdr buffer, *th = NULL;

	if (p->key.proto == IPPROTO_TCP)
		th = skb_header_pointer(p->skb, p->parsed.hlen, sizeof(buffer), &buffer);
	if (!th || (th->syn && !th->ack))
		return wattle_track_anew(p->w, p->skb);
	nf_ct_kill(nf_ct_get(p->skb, &ctinfo));
	wattle_tell_refused(p->w, p->ep, p->skb, IPPROTO_TCP);
	return WATTLE_REASON_BACKEND_GONE;
}

/* A new connection gets the addresses that were decided. */
static enum wattle_reason wattle_packet_bind(struct wattle_packet *p)
{
	const struct wattle_decision *d = &p->decision;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);
	enum wattle_reason reason = WATTLE_REASON_NONE;

	if (d->service)
		reason = wattle_nat_bind(ct, d);
	else if (d->next == WATTLE_TO_ENDPOINT || d->next == WATTLE_TO_NODE)
		wattle_nat_settle(ct);
	if (!reason && d->outward && d->next == WATTLE_TO_STACK)
		reason = wattle_masquerade_outward(p->w, ct, d);
	return reason;
}

/* Does a pod tell of an error of a connection that it has no part in? */
static noinline_for_stack bool wattle_packet_meddles(const struct wattle_packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);
	struct in6_addr from;

	wattle_track_sender(ct, CTINFO2DIR(ctinfo), &from);
	return !wattle_endpoint_has_ip(p->ep, &from);
}

/* A ping of a service's address: there is such a service. */
static enum wattle_outcome wattle_packet_echo(struct wattle_packet *p)
{
	if ((p->parsed.flags & (WATTLE_PARSED_OPTIONS | WATTLE_PARSED_WHOLE)) ||
	    !wattle_echo_turn(p->skb)) {
		wattle_tell_refused(p->w, p->ep, p->skb, p->key.proto);
		return wattle_packet_drop(p, WATTLE_REASON_NO_SERVICE_PORT);
	}
	wattle_count(p->w, WATTLE_COUNT_ECHO, 1, p->parsed.len);
	wattle_deliver(p->w, p->ep, p->skb);
	return WATTLE_TAKEN;
}

enum wattle_outcome wattle_packet_apply(struct wattle_packet *p)
{
	struct wattle_decision *d = &p->decision;
	enum wattle_reason reason;

	wattle_count(p->w, WATTLE_COUNT_CACHE_MISS, wattle_skb_packets(p->skb), p->parsed.len);
	if (wattle_trim(p->skb, &p->parsed))
		return wattle_packet_drop(p, WATTLE_REASON_NO_MEMORY);
	reason = wattle_track(p->w, p->skb);
	if (!reason && wattle_packet_is_forsaken(p))
		reason = wattle_packet_forsake(p);
	if (!reason && unlikely(p->parsed.flags & WATTLE_PARSED_ERROR) &&
	    p->key.origin == WATTLE_FROM_POD && wattle_packet_meddles(p))
		reason = WATTLE_REASON_CONNTRACK;
	if (reason)
		return wattle_packet_drop(p, reason);
	wattle_packet_decide(p);
	if (!wattle_packet_allowed(p))
		return WATTLE_TAKEN;
	if (!p->known) {
		reason = wattle_packet_bind(p);
		if (reason)
			return wattle_packet_drop(p, reason);
	}
	switch (d->next) {
	case WATTLE_TO_ENDPOINT:
		return wattle_packet_to_endpoint(p);
	case WATTLE_TO_NODE:
		return wattle_packet_to_node(p);
	case WATTLE_TO_SENDER:
		return wattle_packet_echo(p);
	default:
		/* The stack's own NAT hooks rewrite, and confirm. */
		if (p->key.origin != WATTLE_FROM_TUNNEL) {
			wattle_packet_account(p);
			wattle_packet_remember(p, WATTLE_TO_STACK);
		}
		wattle_count(p->w, WATTLE_COUNT_TO_STACK, wattle_skb_packets(p->skb),
			     p->parsed.len);
		return WATTLE_PASS;
	}
}
