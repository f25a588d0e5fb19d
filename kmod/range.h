/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Service ranges: prefixes that the addresses of services are from (ServiceCIDR of Kubernetes).
 * An address of them that no service has is nobody's: what is sent to it goes nowhere, where a
 * route to the outside would send it round in circles.
 */
#ifndef WATTLE_RANGE_H
#define WATTLE_RANGE_H

#include "change.h"
#include "lpm.h"

/* One version of a range. */
struct wattle_range {
	struct wattle_lpm_entry entry;
	struct wattle_prefix prefix;
};

/**
 * struct wattle_ranges - the service ranges of a device
 * @by_prefix: all versions
 */
struct wattle_ranges {
	struct wattle_lpm by_prefix;
};

/* Is @addr one of a range? Context: RCU reader. */
bool wattle_range_has(const struct wattle_ranges *ranges, const struct in6_addr *addr, u64 gen);

void wattle_ranges_init(struct wattle_ranges *ranges, struct wattle_log *log);
void wattle_ranges_exit(struct wattle_ranges *ranges);

/* Stage a change, as in node.h. */
int wattle_range_add(struct wattle_ranges *ranges, struct wattle_log *log,
		     const struct wattle_prefix *prefix, bool replace, struct wattle_refusal *why);
int wattle_range_del(struct wattle_ranges *ranges, struct wattle_log *log,
		     const struct wattle_prefix *prefix, struct wattle_refusal *why);

#endif /* WATTLE_RANGE_H */
