/* SPDX-License-Identifier: GPL-2.0-only */
/* From a packet to the key of its flow. */
#ifndef WATTLE_PARSE_H
#define WATTLE_PARSE_H

#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include "types.h"

/* What wattle_parse() found besides the key. */
struct wattle_parsed {
	u16 hlen;		/* network header with options or extension headers, in bytes */
	u16 flags;		/* WATTLE_PARSED_* */
	unsigned int len;	/* of the IP packet, in bytes */
};

#define WATTLE_PARSED_FRAGMENT	0x0001	/* some fragment: ports may be unknown, 0 in the key */
#define WATTLE_PARSED_STATE	0x0002	/* TCP SYN, FIN or RST; SCTP: conntrack must see it */
#define WATTLE_PARSED_ERROR	0x0004	/* ICMP error about another packet */
#define WATTLE_PARSED_OPTIONS	0x0008	/* IPv4 options or IPv6 extension headers */
#define WATTLE_PARSED_DF	0x0010	/* may not be fragmented on its way */
#define WATTLE_PARSED_LOCAL	0x0020	/* neighbour discovery, not to be carried */

#define WATTLE_PARSED_WHOLE	0x0040	/* put together from fragments here */

/* Packets with any of these never go by the flow cache. */
#define WATTLE_PARSED_SLOW	(WATTLE_PARSED_FRAGMENT | WATTLE_PARSED_STATE | \
				 WATTLE_PARSED_ERROR | WATTLE_PARSED_OPTIONS | \
				 WATTLE_PARSED_LOCAL | WATTLE_PARSED_WHOLE)

/**
 * wattle_parse() - read addresses, protocol and ports
 * @skb: network header set, skb->protocol ETH_P_IP or ETH_P_IPV6
 * @key: addresses, ports and protocol are filled in; the rest is zeroed
 * @parsed: filled in
 *
 * Pulls headers into the linear area, so pointers into the packet are stale
 * after it; writes nothing, so @skb may be shared or cloned.
 * Context: any. Return: WATTLE_REASON_NONE, BAD_HEADER, NOT_UNICAST.
 */
enum wattle_reason wattle_parse(struct sk_buff *skb, struct wattle_key *key,
				struct wattle_parsed *parsed);

/* Ports of UDP, or of TCP that neither begins nor ends a connection. False: something else. */
static __always_inline bool wattle_parse_plain_ports(const struct sk_buff *skb, unsigned int hlen,
						     u8 proto, struct wattle_key *key,
						     struct wattle_parsed *parsed)
{
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + hlen);
	unsigned int need = sizeof(struct udphdr);

	if (proto != IPPROTO_UDP) {
		need = sizeof(struct tcphdr);
		if (proto != IPPROTO_TCP)
			return false;
	}
	if (skb_headlen(skb) < hlen + need || parsed->len < hlen + need || parsed->len > skb->len)
		return false;
	if (proto == IPPROTO_TCP && (th->syn | th->fin | th->rst))
		return false;
	parsed->hlen = hlen;
	key->sport = th->source;
	key->dport = th->dest;
	key->proto = proto;
	key->origin = 0;
	key->flags = 0;
	key->wire = 0;
	key->in = 0;
	return true;
}

/**
 * wattle_parse_plain() - wattle_parse() of the packets that most are
 * @skb: data at the network header
 * @key: as wattle_parse() would fill it in
 * @parsed: same
 *
 * IPv4 without options, IPv6 without extension headers, no fragment, headers in the linear
 * area. It does not look whether the addresses make sense: the key is good for asking the flow
 * cache, which has only what was found good; beyond that, wattle_parse_check() has to agree.
 *
 * Context: any. Return: false where the packet is not plain, and wattle_parse() has to be asked.
 */
static __always_inline bool wattle_parse_plain(const struct sk_buff *skb, struct wattle_key *key,
					       struct wattle_parsed *parsed)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;

	if (likely(skb->protocol == htons(ETH_P_IP))) {
		if (unlikely(skb_headlen(skb) < sizeof(*iph) || *(const u8 *)iph != 0x45 ||
			     ip_is_fragment(iph)))
			return false;
		parsed->len = ntohs(iph->tot_len);
		parsed->flags = iph->frag_off & htons(IP_DF) ? WATTLE_PARSED_DF : 0;
		wattle_addr_set_v4(&key->saddr, iph->saddr);
		wattle_addr_set_v4(&key->daddr, iph->daddr);
		return wattle_parse_plain_ports(skb, sizeof(*iph), iph->protocol, key, parsed);
	}
	/* A mapped address would be taken for one of IPv4. */
	if (unlikely(skb->protocol != htons(ETH_P_IPV6) || skb_headlen(skb) < sizeof(*ip6h) ||
		     ip6h->version != 6 || ipv6_addr_v4mapped(&ip6h->saddr) ||
		     ipv6_addr_v4mapped(&ip6h->daddr)))
		return false;
	parsed->len = sizeof(*ip6h) + ntohs(ip6h->payload_len);
	parsed->flags = WATTLE_PARSED_DF;
	key->saddr = ip6h->saddr;
	key->daddr = ip6h->daddr;
	return wattle_parse_plain_ports(skb, sizeof(*ip6h), ip6h->nexthdr, key, parsed);
}

/**
 * wattle_parse_sum() - is the sum that an offload is to fill in where it may be?
 * @skb: data at the network header
 * @key: what was read from it
 * @parsed: same
 *
 * Whoever may send frames says where it is to be written; a device, or the kernel, does that once
 * we have let the packet go. That must be where the protocol has it, and nothing that we go by.
 *
 * Context: any.
 */
bool wattle_parse_sum(const struct sk_buff *skb, const struct wattle_key *key,
		      const struct wattle_parsed *parsed);

/* The same of what is plain. False: ask wattle_parse_sum(). */
static __always_inline bool wattle_parse_plain_sum(const struct sk_buff *skb,
						   const struct wattle_key *key,
						   const struct wattle_parsed *parsed)
{
	return skb->ip_summed != CHECKSUM_PARTIAL ||
	       (skb_checksum_start_offset(skb) == parsed->hlen &&
		skb->csum_offset == (key->proto == IPPROTO_TCP ? offsetof(struct tcphdr, check) :
								 offsetof(struct udphdr, check)));
}

/*
 * Are those the addresses of a packet that can be carried?
 * Context: any. Return: WATTLE_REASON_NONE, BAD_HEADER, NOT_UNICAST.
 */
enum wattle_reason wattle_parse_check(const struct wattle_key *key);

#endif /* WATTLE_PARSE_H */
