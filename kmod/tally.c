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

struct wattle_tally *wattle_tally_get(struct wattle_policies *policies,
				      struct wattle_tally *tallies,
				      const struct wattle_rule *rule)
{
	struct wattle_tally *slot = &tallies[hash_ptr(rule, WATTLE_TALLY_BITS)];

	if (likely(slot->count && wattle_rule_count_is(slot->count, rule)))
		return slot;
	wattle_tally_empty(slot);
	slot->count = wattle_rule_count_get(policies, rule);
	return slot->count ? slot : NULL;
}

void wattle_tally_flush(struct wattle_tally *tallies)
{
	unsigned int i;

	for (i = 0; i < WATTLE_TALLY_SLOTS; i++)
		wattle_tally_empty(&tallies[i]);
}
