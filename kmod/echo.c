// SPDX-License-Identifier: GPL-2.0-only
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/checksum.h>
#include <net/flow.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "compat.h"
#include "echo.h"
#include "stats.h"

/* Type and code are the first word of the message; the checksum follows it. */
static void wattle_echo_type(struct sk_buff *skb, void *message, u8 from, u8 to)
{
	struct icmphdr *icmp = message;

	icmp->type = to;
	inet_proto_csum_replace2(&icmp->checksum, skb, htons(from << 8), htons(to << 8), false);
}

static void wattle_echo_turn4(struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);

	swap(iph->saddr, iph->daddr);
	iph->ttl = IPDEFTTL;
	ip_send_check(iph);
	wattle_echo_type(skb, iph + 1, ICMP_ECHO, ICMP_ECHOREPLY);
}

static void wattle_echo_turn6(struct sk_buff *skb)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	swap(ip6h->saddr, ip6h->daddr);
	ip6h->hop_limit = IPV6_DEFAULT_HOPLIMIT;
	wattle_echo_type(skb, ip6h + 1, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY);
}

static bool wattle_echo_is_v4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

bool wattle_echo_turn(struct sk_buff *skb)
{
	bool v4 = wattle_echo_is_v4(skb);
	unsigned int hlen = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST ||
	    skb_ensure_writable(skb, hlen + sizeof(struct icmphdr)))
		return false;
	if (v4)
		wattle_echo_turn4(skb);
	else
		wattle_echo_turn6(skb);
	/* What the device has summed up is not what is there now. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return true;
}

/* Without options or extension headers, and not put together from fragments. */
static bool wattle_echo_is_plain(const struct sk_buff *skb)
{
	if (wattle_echo_is_v4(skb))
		return ip_hdr(skb)->ihl == 5 && !IPCB(skb)->frag_max_size;
	return ipv6_hdr(skb)->nexthdr == IPPROTO_ICMPV6 && !IP6CB(skb)->frag_max_size;
}

/* The way back to who has sent @key, from an address that is not ours; NULL: there is none. */
static struct dst_entry *wattle_echo_route(struct net *net, const struct sk_buff *skb,
					   const struct net_device *dev,
					   const struct wattle_key *key)
{
	struct flowi fl = { .u.__fl_common = { .flowic_flags = FLOWI_FLAG_ANYSRC } };
	bool v4 = wattle_addr_is_v4(&key->saddr);
	struct dst_entry *dst = NULL;

	fl.flowi_oif = l3mdev_master_ifindex_rcu(dev);
	fl.flowi_proto = key->proto;
	if (v4) {
		fl.flowi_mark = IP4_REPLY_MARK(net, skb->mark);
		fl.u.ip4.saddr = wattle_addr_v4(&key->daddr);
		fl.u.ip4.daddr = wattle_addr_v4(&key->saddr);
	} else {
		fl.flowi_mark = IP6_REPLY_MARK(net, skb->mark);
		fl.u.ip6.saddr = key->daddr;
		fl.u.ip6.daddr = key->saddr;
	}
	if (nf_route(net, &dst, &fl, false, v4 ? AF_INET : AF_INET6))
		return NULL;
	/* Nobody makes us call a whole network. */
	if (v4 && dst_rtable(dst)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		dst_release(dst);
		return NULL;
	}
	return dst;
}

/* It is an answer of its own now, of the connection that its request would have begun. */
static void wattle_echo_send(struct net *net, struct sk_buff *skb, struct dst_entry *dst)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	nf_conntrack_get(&ct->ct_general);
	skb_orphan(skb);
	skb_scrub_packet(skb, false);
	skb_clear_tstamp(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	nf_ct_set(skb, ct, IP_CT_ESTABLISHED_REPLY);
	skb_dst_set(skb, dst);
	if (wattle_echo_is_v4(skb))
		ip_local_out(net, NULL, skb);
	else
		ip6_local_out(net, NULL, skb);
}

bool wattle_echo_answer(struct wattle *w, struct sk_buff *skb, const struct nf_hook_state *state,
			const struct wattle_key *key)
{
	struct dst_entry *dst;

	if (!wattle_echo_is_plain(skb) || !wattle_addr_is_host(&key->saddr))
		return false;
	dst = wattle_echo_route(w->net, skb, state->in ?: state->out, key);
	if (!dst)
		return false;
	if (!wattle_echo_turn(skb)) {
		dst_release(dst);
		return false;
	}
	wattle_count(w, WATTLE_COUNT_ECHO, 1, skb->len);
	wattle_echo_send(w->net, skb, dst);
	return true;
}
