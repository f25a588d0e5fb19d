/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules decided on one CPU, before it is added to their counters: so that many packets for
 * one rule, be it a flood that it drops, do not make CPUs fight for the rule's line.
 *
 * Only its own CPU touches it, BH disabled; see flow.c for who else may read it.
 */
#ifndef WATTLE_TALLY_H
#define WATTLE_TALLY_H

#include <linux/hash.h>
#include "policy.h"

#define WATTLE_TALLY_BITS	8
#define WATTLE_TALLY_SLOTS	BIT(WATTLE_TALLY_BITS)

/* Counters of a rule, held, and what is still to be added to them; or nothing. */
struct wattle_tally {
	struct wattle_rule_count *count;
	u64 packets;
	u64 bytes;
};

/*
 * The slot for @rule; what another rule had in it is added to that one's counters. NULL: no
 * memory at the moment. Context: as for wattle_rule_count_get(), BH disabled.
 */
struct wattle_tally *wattle_tally_get(struct wattle_policies *policies,
				      struct wattle_tally *tallies,
				      const struct wattle_rule *rule);

/* Add all of it, and let the counters go. */
void wattle_tally_flush(struct wattle_tally *tallies);

#endif /* WATTLE_TALLY_H */
