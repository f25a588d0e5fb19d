/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Egress: how pods' packets leave the cluster. A rule is for a destination prefix and for pods: one
 * by its address, those of an identity, or any. Who is told more exactly goes first, and then
 * the longest prefix.
 *
 * Destinations that are pods, nodes, services or this host are never asked about.
 */
#ifndef WATTLE_EGRESS_H
#define WATTLE_EGRESS_H

#include <linux/rhashtable.h>
#include "change.h"
#include "lpm.h"

/* Which pods: that address, that identity, or any where there is neither. No holes: a key. */
struct wattle_egress_from {
	struct in6_addr addr;		/* :: for none */
	u32 id;
};

static_assert(sizeof(struct wattle_egress_from) == 20);

/* A rule in words, as netlink gives and shows it. */
struct wattle_egress_spec {
	struct wattle_egress_from from;
	struct wattle_prefix to;
	u8 action;			/* enum wattle_egress_action */
	struct in6_addr addr;		/* source to take, or tunnel end point; :: for none */
};

/* The rules for some pods; there while there is one. */
struct wattle_egress_source {
	struct rhash_head link;
	struct wattle_egress_from from;
	unsigned int users;
	struct wattle_lpm rules;
	struct rcu_head rcu;
};

/* One version of a rule. Immutable once linked, but for its death. */
struct wattle_egress_rule {
	struct wattle_lpm_entry entry;
	struct rhash_head link;
	u64 serial;
	struct wattle_egress_source *source;
	struct wattle_egress_spec spec;
};

/**
 * struct wattle_egress - the rules of a device
 * @sources: that there are rules for
 * @rules: all versions by serial number, for dumps
 * @next_serial: not yet used; under the config lock
 * @count: versions linked; written under the config lock
 */
struct wattle_egress {
	struct rhashtable sources;
	struct rhashtable rules;
	u64 next_serial;
	unsigned int count;
};

/* Versions are linked before they are published, so none is missed. Context: any. */
static inline bool wattle_egress_is_empty(const struct wattle_egress *egress)
{
	return !READ_ONCE(egress->count);
}

/*
 * The rule for packets of the pod at @from->addr, with identity @from->id, to @to, or NULL.
 * Context: RCU reader.
 */
const struct wattle_egress_rule *wattle_egress_lookup(struct wattle_egress *egress,
						      const struct wattle_egress_from *from,
						      const struct in6_addr *to, u64 gen);

int wattle_egress_init(struct wattle_egress *egress, struct wattle_log *log);
void wattle_egress_exit(struct wattle_egress *egress);

/* Stage a change, as in node.h. */
int wattle_egress_add(struct wattle_egress *egress, struct wattle_log *log,
		      const struct wattle_egress_spec *spec, bool replace,
		      struct wattle_refusal *why);
int wattle_egress_del(struct wattle_egress *egress, struct wattle_log *log,
		      const struct wattle_egress_from *from, const struct wattle_prefix *to,
		      struct wattle_refusal *why);

#endif /* WATTLE_EGRESS_H */
