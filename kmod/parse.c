// SPDX-License-Identifier: GPL-2.0-only
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "parse.h"

static bool wattle_icmp_is_error(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

static bool wattle_icmp_is_query(u8 type)
{
	return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_TIMESTAMP ||
	       type == ICMP_TIMESTAMPREPLY;
}

/* Router and neighbour discovery (RFC 4861), multicast listeners (RFC 2710, 3810). */
static bool wattle_icmp6_is_local(u8 type)
{
	return (type >= NDISC_ROUTER_SOLICITATION && type <= NDISC_REDIRECT) ||
	       (type >= ICMPV6_MGM_QUERY && type <= ICMPV6_MGM_REDUCTION) ||
	       type == ICMPV6_MLD2_REPORT;
}

static void wattle_parse_icmp(const struct icmphdr *icmp, struct wattle_key *key,
			      struct wattle_parsed *parsed)
{
	key->dport = htons(icmp->type << 8 | icmp->code);
	if (wattle_icmp_is_query(icmp->type))
		key->sport = icmp->un.echo.id;
	else if (wattle_icmp_is_error(icmp->type))
		parsed->flags |= WATTLE_PARSED_ERROR;
}

static void wattle_parse_icmp6(const struct icmp6hdr *icmp, struct wattle_key *key,
			       struct wattle_parsed *parsed)
{
	u8 type = icmp->icmp6_type;

	key->dport = htons(type << 8 | icmp->icmp6_code);
	if (type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY)
		key->sport = icmp->icmp6_identifier;
	else if (!(type & ICMPV6_INFOMSG_MASK))
		parsed->flags |= WATTLE_PARSED_ERROR;
	else if (wattle_icmp6_is_local(type))
		parsed->flags |= WATTLE_PARSED_LOCAL;
}

/* @offset: of the transport header, from skb->data. Every header read here is at least 8 bytes. */
static enum wattle_reason wattle_parse_transport(struct sk_buff *skb, unsigned int offset,
						 struct wattle_key *key,
						 struct wattle_parsed *parsed)
{
	unsigned int need = key->proto == IPPROTO_TCP ? sizeof(struct tcphdr) : 8;
	const __be16 *ports;

	switch (key->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		break;
	default:
		return WATTLE_REASON_NONE;
	}
	if (parsed->hlen + need > parsed->len || !pskb_may_pull(skb, offset + need))
		return WATTLE_REASON_BAD_HEADER;
	ports = (const __be16 *)(skb->data + offset);

	if (key->proto == IPPROTO_ICMP) {
		wattle_parse_icmp((const struct icmphdr *)ports, key, parsed);
		return WATTLE_REASON_NONE;
	}
	if (key->proto == IPPROTO_ICMPV6) {
		wattle_parse_icmp6((const struct icmp6hdr *)ports, key, parsed);
		return WATTLE_REASON_NONE;
	}
	key->sport = ports[0];
	key->dport = ports[1];
	if (key->proto == IPPROTO_TCP) {
		const struct tcphdr *th = (const struct tcphdr *)ports;

		if (th->syn | th->fin | th->rst)
			parsed->flags |= WATTLE_PARSED_STATE;
	} else if (key->proto == IPPROTO_SCTP || key->proto == IPPROTO_DCCP) {
		/* Chunks change the connection's state anywhere in a packet. */
		parsed->flags |= WATTLE_PARSED_STATE;
	}
	return WATTLE_REASON_NONE;
}

bool wattle_parse_sum(const struct sk_buff *skb, const struct wattle_key *key,
		      const struct wattle_parsed *parsed)
{
	int start, place;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	start = skb_checksum_start_offset(skb) - parsed->hlen;
	place = start + skb->csum_offset;
	/* Who makes fragments makes the sum before that; errors are judged by what is inside. */
	if (start < 0 || (parsed->flags & (WATTLE_PARSED_FRAGMENT | WATTLE_PARSED_ERROR)))
		return false;
	/* Ports, and the number that ICMP has in place of them, are in the first bytes. */
	switch (key->proto) {
	case IPPROTO_TCP:
		return !start && place == offsetof(struct tcphdr, check);
	case IPPROTO_UDP:	/* or a tunnel of the pod's own */
		return start ? start >= (int)sizeof(struct udphdr) :
			       place == offsetof(struct udphdr, check);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return place == offsetof(struct icmphdr, checksum) ||
		       place >= (int)sizeof(struct icmphdr);
	default:
		return place >= 2 * (int)sizeof(__be16);
	}
}

enum wattle_reason wattle_parse_check(const struct wattle_key *key)
{
	__be32 saddr, daddr;

	if (!wattle_addr_is_v4(&key->daddr)) {
		if (ipv6_addr_is_multicast(&key->saddr))
			return WATTLE_REASON_BAD_HEADER;
		return ipv6_addr_is_multicast(&key->daddr) ? WATTLE_REASON_NOT_UNICAST :
							     WATTLE_REASON_NONE;
	}
	saddr = wattle_addr_v4(&key->saddr);
	daddr = wattle_addr_v4(&key->daddr);
	if (ipv4_is_multicast(daddr) || ipv4_is_lbcast(daddr) || ipv4_is_multicast(saddr) ||
	    ipv4_is_lbcast(saddr))
		return WATTLE_REASON_NOT_UNICAST;
	return WATTLE_REASON_NONE;
}

static enum wattle_reason wattle_parse_ip4(struct sk_buff *skb, struct wattle_key *key,
					   struct wattle_parsed *parsed)
{
	unsigned int offset = skb_network_offset(skb);
	enum wattle_reason reason;
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, offset + sizeof(*iph)))
		return WATTLE_REASON_BAD_HEADER;
	iph = (const struct iphdr *)(skb->data + offset);
	parsed->hlen = iph->ihl * 4;
	parsed->len = ntohs(iph->tot_len);
	if (!parsed->len && skb_is_gso(skb))	/* BIG TCP */
		parsed->len = skb->len - offset;
	if (iph->version != 4 || iph->ihl < 5 || parsed->len < parsed->hlen ||
	    skb->len - offset < parsed->len)
		return WATTLE_REASON_BAD_HEADER;
	if (iph->ihl > 5) {
		parsed->flags |= WATTLE_PARSED_OPTIONS;
		if (!pskb_may_pull(skb, offset + parsed->hlen))
			return WATTLE_REASON_BAD_HEADER;
		iph = (const struct iphdr *)(skb->data + offset);
	}
	if (iph->frag_off & htons(IP_DF))
		parsed->flags |= WATTLE_PARSED_DF;
	key->proto = iph->protocol;
	wattle_addr_set_v4(&key->saddr, iph->saddr);
	wattle_addr_set_v4(&key->daddr, iph->daddr);
	reason = wattle_parse_check(key);
	if (reason)
		return reason;
	if (ip_is_fragment(iph)) {
		parsed->flags |= WATTLE_PARSED_FRAGMENT;
		return WATTLE_REASON_NONE;
	}
	return wattle_parse_transport(skb, offset + parsed->hlen, key, parsed);
}

static enum wattle_reason wattle_parse_ip6(struct sk_buff *skb, struct wattle_key *key,
					   struct wattle_parsed *parsed)
{
	unsigned int offset = skb_network_offset(skb);
	enum wattle_reason reason;
	const struct ipv6hdr *ip6h;
	bool multicast;

	if (!pskb_may_pull(skb, offset + sizeof(*ip6h)))
		return WATTLE_REASON_BAD_HEADER;
	ip6h = (const struct ipv6hdr *)(skb->data + offset);
	parsed->len = sizeof(*ip6h) + ntohs(ip6h->payload_len);
	if (!ip6h->payload_len && skb_is_gso(skb))
		parsed->len = skb->len - offset;
	if (ip6h->version != 6 || skb->len - offset < parsed->len)
		return WATTLE_REASON_BAD_HEADER;
	/* A mapped address on the wire would be taken for IPv4 (RFC 4942, 2.2). */
	if (ipv6_addr_v4mapped(&ip6h->saddr) || ipv6_addr_v4mapped(&ip6h->daddr) ||
	    ipv6_addr_is_multicast(&ip6h->saddr))
		return WATTLE_REASON_BAD_HEADER;
	key->saddr = ip6h->saddr;
	key->daddr = ip6h->daddr;
	multicast = ipv6_addr_is_multicast(&ip6h->daddr);
	key->proto = ip6h->nexthdr;
	parsed->hlen = sizeof(*ip6h);
	parsed->flags |= WATTLE_PARSED_DF;
	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP &&
	    key->proto != IPPROTO_ICMPV6 && ipv6_ext_hdr(key->proto)) {
		int flags = IP6_FH_F_AUTH;
		unsigned short frag_off = 0;
		unsigned int hdr = 0;
		int proto;

		parsed->flags |= WATTLE_PARSED_OPTIONS;
		proto = ipv6_find_hdr(skb, &hdr, -1, &frag_off, &flags);
		if (proto < 0)
			return WATTLE_REASON_BAD_HEADER;
		if (frag_off || (flags & IP6_FH_F_FRAG))
			parsed->flags |= WATTLE_PARSED_FRAGMENT;
		key->proto = proto;
		if (hdr)	/* not told for later fragments */
			parsed->hlen = hdr - offset;
		/* Extension headers in what lies behind the packet are none of it. */
		if (parsed->hlen > parsed->len)
			return WATTLE_REASON_BAD_HEADER;
	}
	if (parsed->flags & WATTLE_PARSED_FRAGMENT)
		return multicast ? WATTLE_REASON_NOT_UNICAST : WATTLE_REASON_NONE;
	reason = wattle_parse_transport(skb, offset + parsed->hlen, key, parsed);
	if (!reason && multicast && !(parsed->flags & WATTLE_PARSED_LOCAL))
		return WATTLE_REASON_NOT_UNICAST;
	return reason;
}

enum wattle_reason wattle_parse(struct sk_buff *skb, struct wattle_key *key,
				struct wattle_parsed *parsed)
{
	*parsed = (struct wattle_parsed){};
	*key = (struct wattle_key){};
	if (skb->protocol == htons(ETH_P_IP))
		return wattle_parse_ip4(skb, key, parsed);
	if (skb->protocol == htons(ETH_P_IPV6))
		return wattle_parse_ip6(skb, key, parsed);
	return WATTLE_REASON_BAD_FRAME;
}
