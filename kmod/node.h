/* SPDX-License-Identifier: GPL-2.0-only */
/* Nodes: tunnel end points, and the prefixes of pods that live behind them. */
#ifndef WATTLE_NODE_H
#define WATTLE_NODE_H

#include <linux/rhashtable.h>
#include <net/dst_cache.h>
#include "lpm.h"

/*
 * One version of a node. Immutable once linked, but for the fields below the
 * line, which belong to the datapath.
 *
 * @serial is never used twice within a device: flow keys tell nodes by it. A
 * replaced node is a new version with a new serial.
 */
struct wattle_node {
	struct wattle_life life;
	char name[WATTLE_NAME_MAX + 1];
	struct in6_addr addr4;		/* tunnel end point, IPv4 mapped; :: for none */
	struct in6_addr addr6;
	u32 serial;
	unsigned int cidr_count;
	struct wattle_node_cidr *cidrs;
	struct wattle_node_name *by_name;	/* private to node.c */
	struct wattle_node_addr *by_addr;

	/* ---- */
	struct dst_cache dst_cache;	/* route to the tunnel end point */
	u64 lladdr;			/* inner MAC of the peer, as learned; 0: not known */
};

struct wattle_nodes {
	struct rhashtable by_name;
	struct rhashtable by_addr;
	struct wattle_lpm by_cidr;
	u32 next_serial;
	unsigned int count;
};

/* Context for all three: RCU reader. */
struct wattle_node *wattle_node_by_name(struct wattle_nodes *nodes, const char *name, u64 gen);
struct wattle_node *wattle_node_by_addr(struct wattle_nodes *nodes,
					const struct in6_addr *addr, u64 gen);
struct wattle_node *wattle_node_by_cidr(struct wattle_nodes *nodes,
					const struct in6_addr *addr, u64 gen);

#endif /* WATTLE_NODE_H */
