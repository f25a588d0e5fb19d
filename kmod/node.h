/* SPDX-License-Identifier: GPL-2.0-only */
/* Nodes: tunnel end points, and the prefixes of pods that live behind them. */
#ifndef WATTLE_NODE_H
#define WATTLE_NODE_H

#include <linux/rhashtable.h>
#include <net/dst_cache.h>
#include "change.h"
#include "lpm.h"

/* A node in words, as netlink gives it. */
struct wattle_node_spec {
	const char *name;
	struct in6_addr addr4;		/* :: for none */
	struct in6_addr addr6;
	unsigned int cidr_count;
	const struct wattle_prefix *cidrs;
};

struct wattle_node;

/* A tunnel end point of a node version. */
struct wattle_node_addr {
	struct rhlist_head link;
	struct in6_addr addr;
	struct wattle_node *node;
};

/* A prefix of a node version. */
struct wattle_node_cidr {
	struct wattle_lpm_entry entry;
	struct wattle_prefix prefix;
	struct wattle_node *node;
};

/*
 * One version of a node. Immutable once linked, but for the fields below the
 * line, which belong to the datapath.
 *
 * @serial is never used twice within a device: flow keys tell nodes by it. A
 * replaced node is a new version with a new serial.
 */
struct wattle_node {
	struct wattle_life life;
	struct rhlist_head by_name;
	char name[WATTLE_NAME_MAX + 1];
	struct in6_addr addr4;		/* tunnel end point, IPv4 mapped; :: for none */
	struct in6_addr addr6;
	u32 serial;
	unsigned int cidr_count;
	struct wattle_node_cidr *cidrs;
	struct wattle_node_addr by_addr[2];	/* private to node.c */

	/* ---- */
	struct dst_cache dst_cache;	/* route to the tunnel end point, */
	u16 dst_port;			/* of that UDP port, host byte order */
	u64 lladdr;			/* inner MAC of the peer, as learned; 0: not known */
};

/**
 * struct wattle_nodes - all nodes of a device
 * @by_name: of versions
 * @by_addr: of tunnel end points
 * @by_cidr: of prefixes
 * @next_serial: not yet used; under the config lock
 * @count: versions linked; under the config lock
 */
struct wattle_nodes {
	struct rhltable by_name;
	struct rhltable by_addr;
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

int wattle_nodes_init(struct wattle_nodes *nodes, struct wattle_log *log);

/* Context: may sleep; no readers are left, and nothing is in the log. */
void wattle_nodes_exit(struct wattle_nodes *nodes);

/*
 * Stage a change; what was done is in the log, also where the result is an error:
 * the caller rolls back. Context: writer.
 */
int wattle_node_add(struct wattle_nodes *nodes, struct wattle_log *log,
		    const struct wattle_node_spec *spec, bool replace,
		    struct wattle_refusal *why);
int wattle_node_del(struct wattle_nodes *nodes, struct wattle_log *log, const char *name,
		    struct wattle_refusal *why);

#endif /* WATTLE_NODE_H */
