/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: a pure function of the tables and a key. The datapath, explain
 * and the tests call the same one, so what explain says is what a packet gets.
 */
#ifndef WATTLE_DECIDE_H
#define WATTLE_DECIDE_H

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include "config.h"
#include "memo.h"

/* Does this host hear what is sent to an address? */
enum wattle_local {
	WATTLE_LOCAL_NO,
	WATTLE_LOCAL_HOST,	/* it is one of its own */
	WATTLE_LOCAL_SHARED,	/* as one of several: broadcast of a network, anycast of routers */
};

/**
 * struct wattle_view - what to decide by
 * @config: the tables
 * @gen: generation of them
 * @epoch: of the device, read before @gen; @memo only
 * @memo: look-ups of this CPU, or NULL; with it BH must be disabled
 * @net: namespace of the device
 * @local: what is that address to this host? Asked only where the tables do not place it;
 *	NULL: nothing
 * @port: UDP port of the tunnel, host byte order
 * @gbp: identities on the wire have 16 bits only
 * @strict: believe no sender: see wattle_decide()
 * @audit: let pass what policy denies
 */
struct wattle_view {
	struct wattle_config *config;
	u64 gen;
	u32 epoch;
	struct wattle_memo *memo;
	struct net *net;
	enum wattle_local (*local)(struct net *net, const struct in6_addr *addr);
	u16 port;
	bool gbp;
	bool strict;
	bool audit;
};

/**
 * wattle_decide() - what to do with the packets of a connection that begins
 * @view: tables, generation and options to decide by
 * @key: as the packet was met, before any translation
 * @out: the decision
 *
 * Out of the tunnel, strict: outer source (@key->in), identity on the wire and inner
 * source must belong together. Not strict: the identity is the one on the wire.
 *
 * Context: RCU reader; touches no packet, allocates nothing.
 */
void wattle_decide(const struct wattle_view *view, const struct wattle_key *key,
		   struct wattle_decision *out);

/**
 * wattle_decide_sender() - may this packet have come from where it came from?
 * @view: as above
 * @key: as the packet was met
 * @out: @src_id, @verdict and @reason are written
 *
 * The first step of wattle_decide(), for packets of connections that exist.
 * Context: RCU reader. Return: true if so.
 */
bool wattle_decide_sender(const struct wattle_view *view, const struct wattle_key *key,
			  struct wattle_decision *out);

/**
 * wattle_decide_known() - the decision for a connection that exists
 * @view: as above
 * @key: its original direction, with the destination that conntrack has translated it
 *	to; @key->origin is WATTLE_FROM_TUNNEL for a packet in that direction out of the
 *	tunnel, then @key->wire is the identity that was found for its sender
 * @out: the decision for the original direction
 *
 * No service is chosen again, the sender has been checked. Policy acts on connections
 * that exist: one that is no longer allowed is cut.
 *
 * Context: RCU reader.
 */
void wattle_decide_known(const struct wattle_view *view, const struct wattle_key *key,
			 struct wattle_decision *out);

/**
 * wattle_decide_next() - where a packet goes, without judging it: for replies
 * @view: as above
 * @key: only @daddr and @origin count
 * @out: @next, @endpoint, @node, @dst_id, @verdict and @reason are written
 *
 * Context: RCU reader.
 */
void wattle_decide_next(const struct wattle_view *view, const struct wattle_key *key,
			struct wattle_decision *out);

/**
 * wattle_decide_service() - the frontend that a new connection is for
 * @view: as above
 * @key: as its client sends it
 * @service: the frontend; NULL: it is for none
 *
 * Frontends with scope outside are for those alone who come from outside the cluster, and
 * those at 0.0.0.0 and :: for every address of this host.
 *
 * Context: RCU reader.
 * Return: NONE, or why the connection leads nowhere: NO_SERVICE_PORT, NO_SERVICE, or SOURCE_RANGE
 * where @service is not for that client.
 */
enum wattle_reason wattle_decide_service(const struct wattle_view *view,
					 const struct wattle_key *key,
					 const struct wattle_service **service);

/*
 * Is @key an echo request? One for which wattle_decide_service() says NO_SERVICE_PORT is for the
 * address of a service, which nobody has who could answer: the answer comes from here.
 */
static inline bool wattle_key_is_echo(const struct wattle_key *key)
{
	if (wattle_addr_is_v4(&key->daddr))
		return key->proto == IPPROTO_ICMP && key->dport == htons(ICMP_ECHO << 8);
	return key->proto == IPPROTO_ICMPV6 && key->dport == htons(ICMPV6_ECHO_REQUEST << 8);
}

/*
 * Is a connection of @key to a backend at @place for that backend's node to answer: direct server
 * return? Context: RCU reader.
 */
bool wattle_decide_is_dsr(const struct wattle_view *view, const struct wattle_service *service,
			  const struct wattle_key *key, const struct wattle_place *place);

/*
 * Does a @client come from outside the cluster, to services? Who is here, or behind a known node,
 * does not. That node itself does, as for kube-proxy: its own services have had their say there.
 * Context: RCU reader.
 */
bool wattle_decide_is_outside(const struct wattle_view *view, const struct in6_addr *client);

/* Is @addr that of nobody of the cluster, neither pod nor node? Context: RCU reader. */
bool wattle_decide_is_stranger(const struct wattle_view *view, const struct in6_addr *addr);

/* What becomes of a connection to @service that leads nowhere: WATTLE_VERDICT_REJECT or _DROP. */
u8 wattle_decide_refusal(const struct wattle_service *service, enum wattle_reason reason);

/*
 * May @key, which came out of the tunnel from a source that does not belong there, be an answer
 * from outside to a pod here, by a gateway; or, where its ports are not known (@portless), a piece
 * of what is handed on to a service here, or an error about such a connection? It will tell, as a
 * whole and by its connection. Context: RCU reader.
 */
bool wattle_decide_may_belong(const struct wattle_view *view, const struct wattle_key *key,
			      bool portless);

/*
 * Does a connection of a pod here leave by the gateway that is the node with that @serial? @key is
 * as for wattle_decide_known(). Context: RCU reader.
 */
bool wattle_decide_is_gateway(const struct wattle_view *view, const struct wattle_key *key,
			      u32 serial);

/* What @addr is, and where. Context: RCU reader. */
void wattle_decide_place(const struct wattle_view *view, const struct in6_addr *addr,
			 struct wattle_place *place);

/*
 * The backend for a new connection from @saddr: the one it was sent to before, with affinity, or
 * by @hash. NULL where none is usable. Context: RCU reader.
 */
const struct wattle_backend *wattle_decide_backend(struct wattle_services *services,
						   const struct wattle_service *service,
						   const struct in6_addr *saddr, u32 hash);

/*
 * Has the service that @key is for forsaken its backend at @addr and @port? Of a connection that
 * exists, as its client sends it. Context: RCU reader.
 */
bool wattle_decide_forsaken(const struct wattle_view *view, const struct wattle_key *key,
			    const struct in6_addr *addr, __be16 port);

/* Is @key for a frontend, as one begins today? Context: RCU reader. */
bool wattle_decide_is_served(const struct wattle_view *view, const struct wattle_key *key);

/* Of a connection, chooses its backend: the same on every node and over restarts, for Maglev. */
u32 wattle_decide_hash(const struct wattle_key *key);

#endif /* WATTLE_DECIDE_H */
