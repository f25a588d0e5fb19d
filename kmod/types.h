/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses, generations, flow keys and decisions: the words that every
 * other room uses. Plain data; nothing here allocates, locks or sleeps.
 */
#ifndef WATTLE_TYPES_H
#define WATTLE_TYPES_H

#include <linux/cache.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/types.h>
#include <net/ipv6.h>
#include <linux/wattle.h>

#include "reason.h"

/* Reserved identities, as in Cilium. */
enum wattle_reserved_identity {
	WATTLE_ID_UNKNOWN = 0,		/* in a policy: any peer */
	WATTLE_ID_HOST = 1,
	WATTLE_ID_WORLD = 2,
	WATTLE_ID_UNMANAGED = 3,
	WATTLE_ID_HEALTH = 4,
	WATTLE_ID_INIT = 5,
	WATTLE_ID_REMOTE_NODE = 6,
	WATTLE_ID_KUBE_APISERVER = 7,
	WATTLE_ID_INGRESS = 8,
	WATTLE_ID_WORLD_IPV4 = 9,
	WATTLE_ID_WORLD_IPV6 = 10,
	WATTLE_ID_POD_MIN = 256,
	WATTLE_ID_LOCAL_MIN = 0x01000000, /* local to the node, never on the wire */
	WATTLE_ID_LOCAL_MAX = 0x01ffffff,
};

/**
 * wattle_identity_is_outside() - is an identity outside the cluster?
 * @id: identity of an address
 *
 * World, and the prefixes that only this node has numbers for.
 */
static inline bool wattle_identity_is_outside(u32 id)
{
	return id == WATTLE_ID_WORLD || id == WATTLE_ID_WORLD_IPV4 ||
	       id == WATTLE_ID_WORLD_IPV6 || id == WATTLE_ID_UNKNOWN ||
	       id >= WATTLE_ID_LOCAL_MIN;
}

/*
 * Addresses of both families are kept as 16 bytes, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291, 2.5.5.2), so that one table and one comparison serve both. A
 * prefix length always counts from the first of the 128 bits: 10.0.0.0/8 is
 * ::ffff:10.0.0.0/104.
 */
struct wattle_prefix {
	struct in6_addr addr;
	u8 len;
};

static inline void wattle_addr_set_v4(struct in6_addr *a, __be32 v4)
{
	ipv6_addr_set_v4mapped(v4, a);
}

static inline bool wattle_addr_is_v4(const struct in6_addr *a)
{
	return ipv6_addr_v4mapped(a);
}

static inline __be32 wattle_addr_v4(const struct in6_addr *a)
{
	return a->s6_addr32[3];
}

/* The unspecified address of its family. */
static inline bool wattle_addr_is_any(const struct in6_addr *a)
{
	return wattle_addr_is_v4(a) ? !wattle_addr_v4(a) : ipv6_addr_any(a);
}

static inline struct in6_addr wattle_addr_any(bool v4)
{
	struct in6_addr any = {};

	if (v4)
		wattle_addr_set_v4(&any, 0);
	return any;
}

/*
 * The life of a table entry, in generations: visible to a reader at
 * generation g when born <= g < died. A staged entry is born at the next
 * generation, a removed one dies at it, so one store of the generation
 * publishes a whole change. Readers must hold rcu_read_lock() from reading
 * the generation to the last use of an entry. @born is fixed while an entry
 * is linked; @died is written by the one writer.
 */
#define WATTLE_FOREVER	U64_MAX

struct wattle_life {
	u64 born;
	u64 died;
};

static inline bool wattle_alive(const struct wattle_life *life, u64 gen)
{
	return READ_ONCE(life->born) <= gen && gen < READ_ONCE(life->died);
}

/* Where a packet is met. */
enum wattle_origin {
	WATTLE_FROM_POD,	/* ingress of an endpoint's device */
	WATTLE_FROM_TUNNEL,	/* the VXLAN socket */
	WATTLE_FROM_STACK,	/* egress of an endpoint's device, from the host */
	WATTLE_FROM_DEVICE,	/* ndo_start_xmit of the wattle device */
	WATTLE_ORIGIN_COUNT,
};

/**
 * struct wattle_key - what a decision is made from: one direction of a flow
 * @saddr: source address, IPv4 mapped
 * @daddr: destination address, IPv4 mapped
 * @sport: source port, ICMP identifier of a query, else 0
 * @dport: destination port; for ICMP type << 8 | code
 * @proto: IP protocol number (the upper-layer one for IPv6)
 * @origin: enum wattle_origin
 * @flags: WATTLE_KEY_*
 * @wire: identity from the tunnel header (FROM_TUNNEL in the modes identity and
 *	gbp), else 0
 * @in: serial of the port (FROM_POD, FROM_STACK) or node (FROM_TUNNEL), else 0
 *
 * 48 bytes without holes: hashed and compared as six 64 bit words. Made by
 * wattle_parse() and completed by the hooks.
 */
struct wattle_key {
	struct in6_addr saddr;
	struct in6_addr daddr;
	__be16 sport;
	__be16 dport;
	u8 proto;
	u8 origin;
	u16 flags;
	u32 wire;
	u32 in;
} __aligned(8);

#define WATTLE_KEY_SRC_HOST	0x0001	/* sent by this host's own programs */
#define WATTLE_KEY_OUTSIDE	0x0002	/* came in by a device that is not ours */
#define WATTLE_KEY_WIRE		0x0004	/* the header told an identity: @wire */
#define WATTLE_KEY_ANSWER	0x0010	/* of a connection that exists, against its direction */
#define WATTLE_KEY_SERVICE	0x0008	/* decide.c's: a service was asked for */
#define WATTLE_KEY_VOUCHED	0x0020	/* its connection knows why a node sends it from outside */

static_assert(sizeof(struct wattle_key) == 48);

static inline bool wattle_key_equal(const struct wattle_key *a, const struct wattle_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) |
		 (x[3] ^ y[3]) | (x[4] ^ y[4]) | (x[5] ^ y[5]));
}

struct wattle_egress_rule;
struct wattle_endpoint;
struct wattle_node;
struct wattle_rule;
struct wattle_service;
struct wattle_service_stats;

/* What one direction of policy says. */
struct wattle_judgement {
	const struct wattle_rule *rule;	/* that decided; NULL: none matched */
	bool enforced;
	bool allow;
};

/* Where an allowed packet goes next. */
enum wattle_next {
	WATTLE_TO_NOWHERE,	/* verdict is not allow */
	WATTLE_TO_ENDPOINT,	/* a pod here */
	WATTLE_TO_NODE,		/* a pod on another node, or that node itself */
	WATTLE_TO_STACK,	/* the host's stack */
	WATTLE_TO_SENDER,	/* back, as its answer: an echo request to a service */
	WATTLE_NEXT_COUNT,
};

/**
 * struct wattle_decision - what to do with the packets of one key
 * @verdict: enum wattle_verdict
 * @reason: why, when @verdict is not allow
 * @next: where to
 * @has_egress: source is an endpoint here, so @egress was judged
 * @has_ingress: destination is an endpoint here, so @ingress was judged
 * @from_host: source is this host itself
 * @hairpin: a pod reaches itself through a service: needs source NAT
 * @src_id: identity of the source
 * @dst_id: identity of the destination, after service translation
 * @daddr: destination after service translation
 * @dport: same, the port
 * @service: frontend that @key's destination is, or NULL
 * @stats: of the backend of @service that was chosen, or NULL
 * @endpoint: destination endpoint (TO_ENDPOINT)
 * @node: destination node (TO_NODE)
 * @source: endpoint that the packet is from, if it is here
 * @outward: rule by which it leaves the cluster, masqueraded (TO_STACK) or by a gateway
 *	(TO_NODE); NULL: as it is, or not at all
 * @gen: generation that all of this was read at
 *
 * Pointers are valid inside the RCU read section in which the decision was
 * made.
 */
struct wattle_decision {
	u8 verdict;
	u8 next;
	bool has_egress;
	bool has_ingress;
	bool from_host;
	bool hairpin;
	enum wattle_reason reason;
	u32 src_id;
	u32 dst_id;
	struct in6_addr daddr;
	__be16 dport;
	const struct wattle_service *service;
	struct wattle_service_stats *stats;
	struct wattle_endpoint *endpoint;
	struct wattle_endpoint *source;
	struct wattle_node *node;
	const struct wattle_egress_rule *outward;
	struct wattle_judgement egress;
	struct wattle_judgement ingress;
	u64 gen;
};

#endif /* WATTLE_TYPES_H */
