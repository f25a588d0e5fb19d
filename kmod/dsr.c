// SPDX-License-Identifier: GPL-2.0-only
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_nat.h>

#include "compat.h"
#include "dsr.h"

/*
 * How long a connection is kept that shows only one side. TCP: longer than what keeps others alive
 * is silent (tcp_keepalive_time, two hours); UDP: as one that is answered.
 */
#define WATTLE_DSR_TCP_IDLE	(8000 * HZ)
#define WATTLE_DSR_UDP_IDLE	(120 * HZ)

enum wattle_reason wattle_dsr_begin(struct nf_conn *ct)
{
	/* Nobody else shall give it another source. */
	if (nf_nat_alloc_null_binding(ct, NF_INET_POST_ROUTING) != NF_ACCEPT)
		return WATTLE_REASON_NAT;
	if (nf_ct_protonum(ct) != IPPROTO_TCP)
		return WATTLE_REASON_NONE;
	/* To one who sees no answer, all but the first packet would be invalid. */
	ct->proto.tcp.state = TCP_CONNTRACK_ESTABLISHED;
	ct->proto.tcp.seen[0].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	ct->proto.tcp.seen[1].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	return WATTLE_REASON_NONE;
}

/*
 * Conntrack gives what is not answered little time, and a look at the table at its end might find
 * another backend.
 */
static void wattle_dsr_keep(struct nf_conn *ct)
{
	/* As nf_ct_refresh_acct(): nobody changes the time of what ctnetlink has given one. */
	if (!nf_ct_is_confirmed(ct) || test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	if (nf_ct_protonum(ct) == IPPROTO_UDP)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + WATTLE_DSR_UDP_IDLE);
	else if (READ_ONCE(ct->proto.tcp.state) == TCP_CONNTRACK_ESTABLISHED)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + WATTLE_DSR_TCP_IDLE);
}

/* Does another node answer @ct, of somebody outside? Masqueraded, it is answered by this one. */
static bool wattle_dsr_is(const struct nf_conn *ct)
{
	u8 proto = nf_ct_protonum(ct);

	return (ct->status & IPS_DST_NAT) && (proto == IPPROTO_TCP || proto == IPPROTO_UDP) &&
	       nf_inet_addr_cmp(&ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.src.u3,
				&ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u3);
}

/* A piece that is not the first has neither ports nor the checksum over them. */
static bool wattle_dsr_is_later_piece(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;
	__be16 offset = 0;
	u8 proto;

	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->frag_off & htons(IP_OFFSET);
	ip6h = ipv6_hdr(skb);
	proto = ip6h->nexthdr;
	ipv6_skip_exthdr(skb, sizeof(*ip6h), &proto, &offset);
	return offset & htons(IP6_OFFSET);
}

/* Have the first @len bytes there, to be written. Pointers into the packet are stale after it. */
static enum wattle_reason wattle_dsr_write(struct sk_buff *skb, unsigned int len)
{
	if (len > skb->len)
		return WATTLE_REASON_BAD_HEADER;
	return skb_ensure_writable(skb, len) ? WATTLE_REASON_NO_MEMORY : WATTLE_REASON_NONE;
}

static enum wattle_reason wattle_dsr_piece(struct sk_buff *skb, const union nf_inet_addr *to)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	enum wattle_reason reason;

	reason = wattle_dsr_write(skb, v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	if (reason)
		return reason;
	if (v4) {
		csum_replace4(&ip_hdr(skb)->check, ip_hdr(skb)->daddr, to->ip);
		ip_hdr(skb)->daddr = to->ip;
	} else {
		ipv6_hdr(skb)->daddr = to->in6;
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
	}
	return WATTLE_REASON_NONE;
}

/* One side of @skb becomes that of the original direction. */
static enum wattle_reason wattle_dsr_side(struct sk_buff *skb, unsigned int hlen, u8 proto,
					  enum wattle_rewrite rewrite,
					  const union nf_inet_addr *addr, __be16 port)
{
	struct in6_addr to;

	if (skb->protocol == htons(ETH_P_IP))
		wattle_addr_set_v4(&to, addr->ip);
	else
		to = addr->in6;
	return wattle_nat_rewrite(skb, hlen, proto, rewrite, &to, port);
}

static enum wattle_reason wattle_dsr_packet(struct sk_buff *skb, unsigned int hlen,
					    const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	u8 proto = nf_ct_protonum(ct);
	enum wattle_reason reason;

	if (wattle_dsr_is_later_piece(skb))
		return wattle_dsr_piece(skb, &orig->dst.u3);
	reason = wattle_dsr_side(skb, hlen, proto, WATTLE_REWRITE_DESTINATION, &orig->dst.u3,
				 orig->dst.u.all);
	/* Where the port was taken, conntrack has given the client another. */
	if (!reason && orig->src.u.all != ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.all)
		reason = wattle_dsr_side(skb, hlen, proto, WATTLE_REWRITE_SOURCE, &orig->src.u3,
					 orig->src.u.all);
	return reason;
}

/*
 * An error is about an answer, which begins inside of it, with its ports at @at. A checksum behind
 * them stays as it is: there is not enough of the answer to check it by.
 */
static void wattle_dsr_inner_ports(struct sk_buff *skb, unsigned int at, __sum16 *check,
				   const struct nf_conntrack_tuple *orig)
{
	__be16 *ports = (__be16 *)(skb->data + at);

	csum_replace2(check, ports[0], orig->dst.u.all);
	ports[0] = orig->dst.u.all;
	csum_replace2(check, ports[1], orig->src.u.all);
	ports[1] = orig->src.u.all;
}

static enum wattle_reason wattle_dsr_error4(struct sk_buff *skb, unsigned int hlen,
					    const struct nf_conntrack_tuple *orig)
{
	unsigned int at = hlen + sizeof(struct icmphdr), ports;
	struct iphdr *iph, *inner;
	enum wattle_reason reason;
	struct icmphdr *icmp;

	reason = wattle_dsr_write(skb, at + sizeof(*inner));
	if (reason)
		return reason;
	inner = (struct iphdr *)(skb->data + at);
	if (inner->ihl < 5)
		return WATTLE_REASON_BAD_HEADER;
	ports = at + inner->ihl * 4;
	reason = wattle_dsr_write(skb, ports + 2 * sizeof(__be16));
	if (reason)
		return reason;
	iph = (struct iphdr *)skb->data;
	icmp = (struct icmphdr *)(skb->data + hlen);
	inner = (struct iphdr *)(skb->data + at);
	csum_replace4(&iph->check, iph->daddr, orig->dst.u3.ip);
	iph->daddr = orig->dst.u3.ip;
	/* A header and its checksum add up to the same as before. */
	csum_replace4(&inner->check, inner->saddr, orig->dst.u3.ip);
	inner->saddr = orig->dst.u3.ip;
	wattle_dsr_inner_ports(skb, ports, &icmp->checksum, orig);
	return WATTLE_REASON_NONE;
}

static enum wattle_reason wattle_dsr_error6(struct sk_buff *skb, unsigned int hlen,
					    const struct nf_conntrack_tuple *orig)
{
	unsigned int at = hlen + sizeof(struct icmp6hdr);
	const struct in6_addr *to = &orig->dst.u3.in6;
	struct ipv6hdr *ip6h, *inner;
	enum wattle_reason reason;
	struct icmp6hdr *icmp;
	__be16 offset;
	u8 proto;
	int ports;

	reason = wattle_dsr_write(skb, at + sizeof(*inner));
	if (reason)
		return reason;
	proto = ((struct ipv6hdr *)(skb->data + at))->nexthdr;
	ports = ipv6_skip_exthdr(skb, at + sizeof(*inner), &proto, &offset);
	if (ports < 0)
		return WATTLE_REASON_BAD_HEADER;
	reason = wattle_dsr_write(skb, ports + 2 * sizeof(__be16));
	if (reason)
		return reason;
	ip6h = (struct ipv6hdr *)skb->data;
	icmp = (struct icmp6hdr *)(skb->data + hlen);
	inner = (struct ipv6hdr *)(skb->data + at);
	inet_proto_csum_replace16(&icmp->icmp6_cksum, skb, ip6h->daddr.s6_addr32, to->s6_addr32,
				  true);
	ip6h->daddr = *to;
	inet_proto_csum_replace16(&icmp->icmp6_cksum, skb, inner->saddr.s6_addr32,
				  to->s6_addr32, false);
	inner->saddr = *to;
	wattle_dsr_inner_ports(skb, ports, &icmp->icmp6_cksum, orig);
	return WATTLE_REASON_NONE;
}

static enum wattle_reason wattle_dsr_error(struct sk_buff *skb, unsigned int hlen,
					   const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;

	if (skb->protocol == htons(ETH_P_IP))
		return wattle_dsr_error4(skb, hlen, orig);
	return wattle_dsr_error6(skb, hlen, orig);
}

enum wattle_reason wattle_dsr_hand_on(struct sk_buff *skb, const struct wattle_parsed *parsed)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct || !wattle_dsr_is(ct))
		return WATTLE_REASON_NONE;
	if (parsed->flags & WATTLE_PARSED_ERROR)
		return wattle_dsr_error(skb, parsed->hlen, ct);
	wattle_dsr_keep(ct);
	return wattle_dsr_packet(skb, parsed->hlen, ct);
}
