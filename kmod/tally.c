// SPDX-License-Identifier: GPL-2.0-only
#include "tally.h"

static void wattle_tally_empty(struct wattle_tally *slot)
{
	if (!slot->count)
		return;
	wattle_rule_count_add(slot->count, slot->packets, slot->bytes);
	wattle_rule_count_put(slot->count);
	*slot = (struct wattle_tally){};
}

bool wattle_tally_take(struct wattle_policies *policies, struct wattle_tally *slot,
		       const struct wattle_rule *rule)
{
	wattle_tally_empty(slot);
	slot->count = wattle_rule_count_get(policies, rule);
	return slot->count;
}

void wattle_tally_flush(struct wattle_tally *tallies)
{
	unsigned int i;

	for (i = 0; i < WATTLE_TALLY_SLOTS; i++)
		wattle_tally_empty(&tallies[i]);
}
