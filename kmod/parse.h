/* SPDX-License-Identifier: GPL-2.0-only */
/* From a packet to the key of its flow. */
#ifndef WATTLE_PARSE_H
#define WATTLE_PARSE_H

#include <linux/skbuff.h>
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

#endif /* WATTLE_PARSE_H */
