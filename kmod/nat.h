/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conntrack, the record of connections, and NAT, called from hooks of our own as Open
 * vSwitch and act_ct do it. All of it: softirq or BH disabled, RCU.
 */
#ifndef WATTLE_NAT_H
#define WATTLE_NAT_H

#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_nat.h>
#include "decide.h"
#include "flow.h"
#include "parse.h"
#include "wattle.h"

/* Whose fragments are put together; the host's own are another matter. */
enum wattle_defrag_user {
	WATTLE_DEFRAG_POD = 1,
	WATTLE_DEFRAG_TUNNEL,
};

/*
 * Put fragments together. 0: @skb is the whole packet; otherwise @skb has been taken: -EINPROGRESS
 * keeps it until the rest comes, anything else has freed it. @skb must not be shared, its data
 * at the network header.
 */
int wattle_defrag(struct wattle *w, struct sk_buff *skb, enum wattle_defrag_user user);

/* Cut off what lies behind the IP packet (Ethernet padding). */
int wattle_trim(struct sk_buff *skb, const struct wattle_parsed *parsed);

/*
 * Find or make the connection of @skb, and attach it. Return: WATTLE_REASON_NONE with
 * nf_ct_get() giving it; CONNTRACK where it is invalid or the table full.
 */
enum wattle_reason wattle_track(struct wattle *w, struct sk_buff *skb);

/*
 * The original direction of a connection, its destination translated: what policy is
 * about. Writes addresses, ports and protocol.
 */
void wattle_track_key(const struct nf_conn *ct, struct wattle_key *key);

/* Who sends the packets of that direction, before any translation. */
void wattle_track_sender(const struct nf_conn *ct, enum ip_conntrack_dir dir,
			 struct in6_addr *addr);

/* What a connection was for before any translation, as the key of a service. */
void wattle_track_frontend(const struct nf_conn *ct, struct wattle_service_key *key);

/*
 * Forget the connection of @skb, and find or make another, as wattle_track() does. @skb is in
 * the original direction.
 */
enum wattle_reason wattle_track_anew(struct wattle *w, struct sk_buff *skb);

/*
 * A client of a service with affinity goes to that backend; nothing where the service has none.
 * -EAGAIN: it has just been sent to another, choose again; -ENOSPC: counted.
 */
int wattle_nat_remember(struct wattle *w, const struct wattle_service *service,
			const struct in6_addr *client, const struct in6_addr *addr, __be16 port);

/*
 * Give a new connection to @to, which is bound to it already, a source of this host as well, so
 * that its answers come back here; @node: where @to is, or NULL. (masquerade.c)
 */
enum wattle_reason wattle_masquerade(struct wattle *w, struct nf_conn *ct,
				     const struct in6_addr *to, const struct wattle_node *node);

/* The source that a connection which leaves by @decision's rule gets. False: no route. */
bool wattle_masquerade_source(struct wattle *w, const struct wattle_decision *decision,
			      struct in6_addr *from);

/* Give a new connection that source. */
enum wattle_reason wattle_masquerade_outward(struct wattle *w, struct nf_conn *ct,
					     const struct wattle_decision *decision);

/* For nf_nat_setup_info(): that address, and any port. */
void wattle_range(struct nf_nat_range2 *range, const struct in6_addr *addr);

/* The destination of a new connection becomes a backend. Return: a verdict of netfilter. */
unsigned int wattle_bind_backend(struct nf_conn *ct, const struct in6_addr *addr, __be16 port);

/*
 * A new connection goes where it was sent to: that is its destination, for conntrack of 6.1 takes
 * one whose NAT is open for any other that waits for the same answer.
 */
static inline void wattle_nat_settle(struct nf_conn *ct)
{
	ct->status |= IPS_DST_NAT_DONE;
}

/* Bind a new connection to the backend that was chosen for it, which counts. */
enum wattle_reason wattle_nat_bind(struct nf_conn *ct, const struct wattle_decision *decision);

/*
 * Rewrite @skb as its connection, which is translated, says: both source and destination; ICMP
 * errors inside too. Data at the network header; header pointers are stale after it.
 */
enum wattle_reason wattle_nat_packet(struct sk_buff *skb, unsigned int hlen);

/*
 * Enter a new connection into the table, and tell listeners of conntrack events: before the
 * packet is rewritten, for here wattle_nat_bind() may turn out to have promised too much.
 */
enum wattle_reason wattle_confirm(struct sk_buff *skb, const struct wattle_decision *decision);

/* One address and one port that are rewritten (@rewrite: enum wattle_rewrite, or nothing is). */
struct wattle_translation {
	struct in6_addr addr;
	__be16 port;
	u8 rewrite;
};

/*
 * What wattle_nat_packet() does to packets of @ct in direction @dir. False: it can't be told by
 * one address and one port, so such flows are not cached.
 */
bool wattle_nat_translation(const struct nf_conn *ct, enum ip_conntrack_dir dir,
			    struct wattle_translation *to);

/* May packets of @ct go past conntrack for a while? From then on it does not check TCP windows. */
bool wattle_track_offload(struct nf_conn *ct);

/*
 * Rewrite @skb of TCP or UDP (@proto), whose transport header is at @hlen: the side @rewrite gets
 * @addr and @port. Data at the network header.
 */
enum wattle_reason wattle_nat_rewrite(struct sk_buff *skb, unsigned int hlen, u8 proto,
				      enum wattle_rewrite rewrite, const struct in6_addr *addr,
				      __be16 port);

/* NAT look-up functions in the host's stack: see nat_stack.c. */
int wattle_nat_register(struct wattle *w);
void wattle_nat_unregister(struct wattle *w);

/* Is that an address of this host? For struct wattle_view. */
bool wattle_is_host(struct net *net, const struct in6_addr *addr);

/* The view of the tables that packets of @w are decided by, from now on. */
void wattle_view_init(struct wattle *w, struct wattle_memo *memo, struct wattle_view *view);

#endif /* WATTLE_NAT_H */
