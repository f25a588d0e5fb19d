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
#include "policy_count.h"

#define WATTLE_TALLY_BITS	8
#define WATTLE_TALLY_SLOTS	BIT(WATTLE_TALLY_BITS)

/* Counters of a rule, held, and what is still to be added to them; or nothing. */
struct wattle_tally {
	struct wattle_rule_count *count;
	u64 packets;
	u64 bytes;
};

/* The slot gets the counters of @rule; what is in it goes where it belongs. False: no memory. */
bool wattle_tally_take(struct wattle_policies *policies, struct wattle_tally *slot,
		       const struct wattle_rule *rule);

/*
 * The slot for @rule; what another rule had in it is added to that one's counters. NULL: no
 * memory at the moment. Context: as for wattle_rule_count_get(), BH disabled.
 */
static __always_inline struct wattle_tally *wattle_tally_get(struct wattle_policies *policies,
							     struct wattle_tally *tallies,
							     const struct wattle_rule *rule)
{
	struct wattle_tally *slot = &tallies[hash_ptr(rule, WATTLE_TALLY_BITS)];

	if (unlikely(!slot->count || !wattle_rule_count_is(slot->count, rule)) &&
	    !wattle_tally_take(policies, slot, rule))
		return NULL;
	return slot;
}

/* Add all of it, and let the counters go. */
void wattle_tally_flush(struct wattle_tally *tallies);

#endif /* WATTLE_TALLY_H */
