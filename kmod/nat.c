// SPDX-License-Identifier: GPL-2.0-only
#include <linux/icmp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>

#include "compat.h"
#include "nat.h"
#include "stats.h"

/*
 * All routers of a link hear the first address of its prefix (RFC 4291, 2.6.1), but for prefixes of
 * two addresses or one (RFC 6164). That this host is one may turn out later, and nobody tells.
 */
static bool wattle_route_is_anycast(const struct rt6_info *rt, const struct in6_addr *addr)
{
	return rt->rt6i_flags & RTF_ANYCAST ||
	       (!(rt->rt6i_flags & RTF_GATEWAY) && rt->rt6i_dst.plen > 0 &&
		rt->rt6i_dst.plen < 127 && ipv6_addr_equal(&rt->rt6i_dst.addr, addr));
}

static bool wattle_is_anycast(struct net *net, const struct in6_addr *addr)
{
	struct flowi6 fl6 = { .daddr = *addr };
	struct dst_entry *dst;
	bool anycast;

	if (addr->s6_addr[15] & 3)
		return false;
	dst = ip6_route_lookup(net, &fl6, NULL, 0);
	anycast = !dst->error && wattle_route_is_anycast(dst_rt6_info(dst), addr);
	dst_release(dst);
	return anycast;
}

static enum wattle_local wattle_local_type4(struct net *net, __be32 addr)
{
	switch (inet_addr_type(net, addr)) {
	case RTN_LOCAL:
		return WATTLE_LOCAL_HOST;
	case RTN_BROADCAST:
		return WATTLE_LOCAL_SHARED;
	default:
		return WATTLE_LOCAL_NO;
	}
}

/*
 * Nobody tells when an address is no longer tentative, so it is the host's from the beginning,
 * unless it has turned out to be another's.
 */
static bool wattle_is_host6(struct net *net, const struct in6_addr *addr)
{
	return ipv6_chk_addr_and_flags(net, addr, NULL, true, 0, IFA_F_DADFAILED);
}

static enum wattle_local wattle_local_type(struct net *net, const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr))
		return wattle_local_type4(net, wattle_addr_v4(addr));
	/* Without IPv6 there is not even a table to look into. */
	if (!ipv6_mod_enabled())
		return WATTLE_LOCAL_NO;
	if (wattle_is_host6(net, addr))
		return WATTLE_LOCAL_HOST;
	return wattle_is_anycast(net, addr) ? WATTLE_LOCAL_SHARED : WATTLE_LOCAL_NO;
}

bool wattle_is_host(struct net *net, const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr))
		return inet_addr_type(net, wattle_addr_v4(addr)) == RTN_LOCAL;
	return ipv6_mod_enabled() && wattle_is_host6(net, addr);
}

void wattle_view_init(struct wattle *w, struct wattle_memo *memo, struct wattle_view *view)
{
	u32 epoch = wattle_epoch(&w->config);

	*view = (struct wattle_view){
		.config = &w->config,
		.epoch = epoch,
		.gen = wattle_generation(&w->config),
		.memo = memo,
		.net = w->net,
		.local = wattle_local_type,
		.port = READ_ONCE(w->opt.port),
		.gbp = READ_ONCE(w->opt.mode) == WATTLE_MODE_GBP,
		.strict = READ_ONCE(w->opt.strict),
		.audit = READ_ONCE(w->opt.audit),
	};
}

static u8 wattle_skb_family(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6) ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

int wattle_defrag(struct wattle *w, struct sk_buff *skb, enum wattle_defrag_user user)
{
	int err;

	if (wattle_skb_family(skb) == NFPROTO_IPV4) {
		memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
		return ip_defrag(w->net, skb, IP_DEFRAG_CONNTRACK_IN + user);
	}
	memset(IP6CB(skb), 0, sizeof(struct inet6_skb_parm));
	err = nf_ct_frag6_gather(w->net, skb, IP6_DEFRAG_CONNTRACK_IN + user);
	if (err && err != -EINPROGRESS)
		kfree_skb(skb);
	return err;
}

int wattle_trim(struct sk_buff *skb, const struct wattle_parsed *parsed)
{
	unsigned int len = skb_network_offset(skb) + parsed->len;

	return skb->len > len ? pskb_trim_rcsum(skb, len) : 0;
}

enum wattle_reason wattle_track(struct wattle *w, struct sk_buff *skb)
{
	struct nf_hook_state state = {
		.hook = NF_INET_PRE_ROUTING,
		.pf = wattle_skb_family(skb),
		.in = skb->dev,
		.net = w->net,
	};
	enum ip_conntrack_info ctinfo;

	if (nf_conntrack_in(skb, &state) != NF_ACCEPT || !nf_ct_get(skb, &ctinfo))
		return WATTLE_REASON_CONNTRACK;
	return WATTLE_REASON_NONE;
}

static void wattle_addr_set_inet(struct in6_addr *addr, const union nf_inet_addr *inet, u8 family)
{
	if (family == NFPROTO_IPV4)
		wattle_addr_set_v4(addr, inet->ip);
	else
		*addr = inet->in6;
}

void wattle_track_key(const struct nf_conn *ct, struct wattle_key *key)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const struct nf_conntrack_tuple *reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	u8 family = orig->src.l3num;

	wattle_addr_set_inet(&key->saddr, &orig->src.u3, family);
	wattle_addr_set_inet(&key->daddr, &reply->src.u3, family);
	key->proto = orig->dst.protonum;
	switch (key->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		key->sport = orig->src.u.icmp.id;
		key->dport = htons(orig->dst.u.icmp.type << 8 | orig->dst.u.icmp.code);
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		key->sport = orig->src.u.all;
		key->dport = reply->src.u.all;
		break;
	default:
		key->sport = 0;
		key->dport = 0;
	}
}

void wattle_track_sender(const struct nf_conn *ct, enum ip_conntrack_dir dir,
			 struct in6_addr *addr)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[dir].tuple;

	wattle_addr_set_inet(addr, &tuple->src.u3, tuple->src.l3num);
}

void wattle_track_frontend(const struct nf_conn *ct, struct wattle_service_key *key)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;

	*key = (struct wattle_service_key){
		.port = orig->dst.u.all,
		.proto = orig->dst.protonum,
	};
	wattle_addr_set_inet(&key->addr, &orig->dst.u3, orig->src.l3num);
}

enum wattle_reason wattle_track_anew(struct wattle *w, struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	nf_ct_kill(ct);
	nf_reset_ct(skb);
	return wattle_track(w, skb);
}

void wattle_range(struct nf_nat_range2 *range, const struct in6_addr *addr)
{
	*range = (struct nf_nat_range2){ .flags = NF_NAT_RANGE_MAP_IPS };
	if (wattle_addr_is_v4(addr))
		range->min_addr.ip = wattle_addr_v4(addr);
	else
		range->min_addr.in6 = *addr;
	range->max_addr = range->min_addr;
}

unsigned int wattle_bind_backend(struct nf_conn *ct, const struct in6_addr *addr, __be16 port)
{
	struct nf_nat_range2 range;

	wattle_range(&range, addr);
	range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	range.min_proto.all = port;
	range.max_proto.all = port;
	return nf_nat_setup_info(ct, &range, NF_NAT_MANIP_DST);
}

static void wattle_reply_from(struct nf_conn *ct, const union nf_inet_addr *addr, __be16 port)
{
	struct nf_conntrack_tuple *reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;

	reply->src.u3 = *addr;
	reply->src.u.all = port;
}

/*
 * A connection that is not in the table yet, and whose source stays: only the answer that we
 * wait for is another. nf_nat_setup_info() would look whether somebody else waits for it; the
 * table finds that out by itself, see wattle_confirm().
 */
static void wattle_bind_simply(struct nf_conn *ct, const struct wattle_decision *decision)
{
	union nf_inet_addr addr = {};

	if (wattle_addr_is_v4(&decision->daddr))
		addr.ip = wattle_addr_v4(&decision->daddr);
	else
		addr.in6 = decision->daddr;
	wattle_reply_from(ct, &addr, decision->dport);
	ct->status |= IPS_DST_NAT | IPS_DST_NAT_DONE;
}

static void wattle_unbind_simply(struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;

	ct->status &= ~(IPS_DST_NAT | IPS_DST_NAT_DONE);
	wattle_reply_from(ct, &orig->dst.u3, orig->dst.u.all);
}

/* Up the stack the host's own rules say what becomes of the source, and helpers have wishes. */
static bool wattle_bind_is_simple(const struct nf_conn *ct, const struct wattle_decision *decision)
{
	return decision->next != WATTLE_TO_STACK && !decision->hairpin &&
	       !nf_ct_is_confirmed(ct) && !nfct_help(ct) && !ct->master &&
	       !(ct->status & (IPS_NAT_MASK | IPS_NAT_DONE_MASK));
}

static enum wattle_reason wattle_bind_fully(struct nf_conn *ct,
					    const struct wattle_decision *decision)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	struct nf_nat_range2 range;

	if (wattle_bind_backend(ct, &decision->daddr, decision->dport) != NF_ACCEPT)
		return WATTLE_REASON_NAT;
	if (decision->next == WATTLE_TO_STACK)
		return WATTLE_REASON_NONE;
	/*
	 * A pod that reaches itself sees the service as the other end, so that its answers
	 * come back here. Otherwise the source stays, but for the port where a connection
	 * to the backend itself has it already.
	 */
	if (decision->hairpin) {
		range = (struct nf_nat_range2){
			.flags = NF_NAT_RANGE_MAP_IPS,
			.min_addr = orig->dst.u3,
			.max_addr = orig->dst.u3,
		};
		if (nf_nat_setup_info(ct, &range, NF_NAT_MANIP_SRC) != NF_ACCEPT)
			return WATTLE_REASON_NAT;
	} else if (nf_nat_alloc_null_binding(ct, NF_INET_POST_ROUTING) != NF_ACCEPT) {
		return WATTLE_REASON_NAT;
	}
	return WATTLE_REASON_NONE;
}

enum wattle_reason wattle_nat_bind(struct nf_conn *ct, const struct wattle_decision *decision)
{
	enum wattle_reason reason = WATTLE_REASON_NONE;

	if (nf_nat_initialized(ct, NF_NAT_MANIP_DST))
		return WATTLE_REASON_NONE;
	if (wattle_bind_is_simple(ct, decision))
		wattle_bind_simply(ct, decision);
	else
		reason = wattle_bind_fully(ct, decision);
	if (!reason)
		wattle_service_stats_bind(decision->stats);
	return reason;
}

/*
 * Somebody else waits for the answers of @skb's connection, which is new: its source port has to
 * give way.
 */
static noinline enum wattle_reason wattle_give_way(struct sk_buff *skb,
						   const struct wattle_decision *decision)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	/* Unless its source has been bound, or it is too late. */
	if (!ct || nf_ct_is_confirmed(ct) || nf_ct_is_dying(ct) ||
	    (ct->status & IPS_NAT_DONE_MASK) != IPS_DST_NAT_DONE ||
	    !decision->service != !(ct->status & IPS_DST_NAT))
		return WATTLE_REASON_CONNTRACK;
	if (decision->service) {
		wattle_unbind_simply(ct);
		return wattle_bind_fully(ct, decision);
	}
	return nf_nat_alloc_null_binding(ct, NF_INET_POST_ROUTING) == NF_ACCEPT ?
	       WATTLE_REASON_NONE : WATTLE_REASON_NAT;
}

enum wattle_reason wattle_confirm(struct sk_buff *skb, const struct wattle_decision *decision)
{
	enum wattle_reason reason;

	if (likely(nf_conntrack_confirm(skb) == NF_ACCEPT))
		return WATTLE_REASON_NONE;
	reason = wattle_give_way(skb, decision);
	if (reason)
		return reason;
	return nf_conntrack_confirm(skb) == NF_ACCEPT ? WATTLE_REASON_NONE
						      : WATTLE_REASON_CONNTRACK;
}

static enum wattle_reason wattle_nat_error(struct sk_buff *skb, struct nf_conn *ct,
					   enum ip_conntrack_info ctinfo, unsigned int hlen,
					   unsigned int hook)
{
	int ok;

	if (wattle_skb_family(skb) == NFPROTO_IPV4)
		ok = nf_nat_icmp_reply_translation(skb, ct, ctinfo, hook);
	else
		ok = nf_nat_icmpv6_reply_translation(skb, ct, ctinfo, hook, hlen);
	return ok ? WATTLE_REASON_NONE : WATTLE_REASON_NAT;
}

/* What one address and one port do not tell. */
static enum wattle_reason wattle_nat_packet_slow(struct sk_buff *skb, struct nf_conn *ct,
						 enum ip_conntrack_info ctinfo, unsigned int hlen)
{
	static const unsigned int hooks[] = { NF_INET_PRE_ROUTING, NF_INET_POST_ROUTING };
	enum wattle_reason reason;
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (ctinfo == IP_CT_RELATED || ctinfo == IP_CT_RELATED_REPLY) {
			reason = wattle_nat_error(skb, ct, ctinfo, hlen, hooks[i]);
			if (reason)
				return reason;
		} else if (nf_nat_packet(ct, ctinfo, hooks[i], skb) != NF_ACCEPT) {
			return WATTLE_REASON_NAT;
		}
	}
	return WATTLE_REASON_NONE;
}

enum wattle_reason wattle_nat_packet(struct sk_buff *skb, unsigned int hlen)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct wattle_translation to wattle_uninit;

	if (ctinfo == IP_CT_RELATED || ctinfo == IP_CT_RELATED_REPLY ||
	    !wattle_nat_translation(ct, CTINFO2DIR(ctinfo), &to))
		return wattle_nat_packet_slow(skb, ct, ctinfo, hlen);
	if (to.rewrite == WATTLE_REWRITE_NONE)
		return WATTLE_REASON_NONE;
	return wattle_nat_rewrite(skb, hlen, nf_ct_protonum(ct), to.rewrite, &to.addr, to.port);
}

bool wattle_nat_translation(const struct nf_conn *ct, enum ip_conntrack_dir dir,
			    struct wattle_translation *to)
{
	const struct nf_conntrack_tuple *sent = &ct->tuplehash[dir].tuple;
	const struct nf_conntrack_tuple *answer = &ct->tuplehash[!dir].tuple;
	u8 family = sent->src.l3num, proto = sent->dst.protonum;
	bool source, destination;

	to->rewrite = WATTLE_REWRITE_NONE;
	if (!(ct->status & IPS_NAT_MASK))
		return true;
	/* Only what has its port in the first bytes and a checksum that can be adjusted. */
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return false;
	source = !nf_inet_addr_cmp(&sent->src.u3, &answer->dst.u3) ||
		 sent->src.u.all != answer->dst.u.all;
	destination = !nf_inet_addr_cmp(&sent->dst.u3, &answer->src.u3) ||
		      sent->dst.u.all != answer->src.u.all;
	if (source && destination)
		return false;
	if (source) {
		to->rewrite = WATTLE_REWRITE_SOURCE;
		wattle_addr_set_inet(&to->addr, &answer->dst.u3, family);
		to->port = answer->dst.u.all;
	} else if (destination) {
		to->rewrite = WATTLE_REWRITE_DESTINATION;
		wattle_addr_set_inet(&to->addr, &answer->src.u3, family);
		to->port = answer->src.u.all;
	}
	return true;
}

/*
 * Conntrack misses most of what follows. It must not wait for an acknowledgment that it will not
 * see, and keep the connection for minutes only, nor measure a reset by how far it was when it saw
 * it last: the next packet that it sees is where it begins anew.
 */
static void wattle_track_loosely(struct nf_conn *ct)
{
	const unsigned int *timeouts = nf_ct_timeout_lookup(ct);
	struct ip_ct_tcp *tcp = &ct->proto.tcp;
	int i;

	if (!timeouts)
		timeouts = nf_tcp_pernet(nf_ct_net(ct))->timeouts;
	spin_lock(&ct->lock);
	for (i = 0; i < ARRAY_SIZE(tcp->seen); i++) {
		tcp->seen[i].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
		tcp->seen[i].flags &= ~(IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED |
					IP_CT_TCP_FLAG_MAXACK_SET);
		tcp->seen[i].td_maxwin = 0;
	}
	spin_unlock(&ct->lock);
	if (!test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		WRITE_ONCE(ct->timeout, nfct_time_stamp + timeouts[TCP_CONNTRACK_ESTABLISHED]);
}

bool wattle_track_offload(struct nf_conn *ct)
{
	const struct nf_conn_help *help = nfct_help(ct);

	if (help && rcu_access_pointer(help->helper))
		return false;
	if (test_bit(IPS_SEQ_ADJUST_BIT, &ct->status) || nf_ct_is_dying(ct))
		return false;
	if (nf_ct_protonum(ct) != IPPROTO_TCP)
		return true;
	if (READ_ONCE(ct->proto.tcp.state) != TCP_CONNTRACK_ESTABLISHED)
		return false;
	wattle_track_loosely(ct);
	return true;
}

/* The transport checksum that covers the pseudo header, or NULL where there is none. */
static __sum16 *wattle_transport_check(struct sk_buff *skb, unsigned int hlen, u8 proto)
{
	if (proto == IPPROTO_TCP)
		return &((struct tcphdr *)(skb->data + hlen))->check;
	if (proto == IPPROTO_UDP) {
		struct udphdr *uh = (struct udphdr *)(skb->data + hlen);

		/*
		 * Zero means none (RFC 768). What an offload is to fill in is not zero: it may be
		 * about a sum further inside.
		 */
		return uh->check ? &uh->check : NULL;
	}
	return NULL;
}

enum wattle_reason wattle_nat_rewrite(struct sk_buff *skb, unsigned int hlen, u8 proto,
				      enum wattle_rewrite rewrite, const struct in6_addr *addr,
				      __be16 port)
{
	bool source = rewrite == WATTLE_REWRITE_SOURCE;
	unsigned int len = hlen + (proto == IPPROTO_TCP ? sizeof(struct tcphdr) :
							  sizeof(struct udphdr));
	__sum16 *check;
	__be16 *place;

	if (unlikely(skb_cloned(skb) || skb_headlen(skb) < len) && skb_ensure_writable(skb, len))
		return WATTLE_REASON_NO_MEMORY;
	check = wattle_transport_check(skb, hlen, proto);
	place = (__be16 *)(skb->data + hlen) + !source;
	if (skb->protocol == htons(ETH_P_IP)) {
		struct iphdr *iph = (struct iphdr *)skb->data;
		__be32 *old = source ? &iph->saddr : &iph->daddr;
		__be32 to = wattle_addr_v4(addr);

		if (check)
			inet_proto_csum_replace4(check, skb, *old, to, true);
		csum_replace4(&iph->check, *old, to);
		*old = to;
	} else {
		struct ipv6hdr *ip6h = (struct ipv6hdr *)skb->data;
		struct in6_addr *old = source ? &ip6h->saddr : &ip6h->daddr;

		if (check)
			inet_proto_csum_replace16(check, skb, old->s6_addr32, addr->s6_addr32,
						  true);
		*old = *addr;
	}
	if (check) {
		inet_proto_csum_replace2(check, skb, *place, port, false);
		if (proto == IPPROTO_UDP && !*check)
			*check = CSUM_MANGLED_0;
	}
	*place = port;
	return WATTLE_REASON_NONE;
}

int wattle_nat_remember(struct wattle *w, const struct wattle_service *service,
			const struct in6_addr *client, const struct in6_addr *addr, __be16 port)
{
	int err;

	if (likely(!service->affinity))
		return 0;
	err = wattle_affinity_keep(&w->config.services.affinities, service, client, addr, port);
	if (err == -ENOSPC)
		wattle_count(w, WATTLE_COUNT_AFFINITY_FULL, 1, 0);
	return err;
}
