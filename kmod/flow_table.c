// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jhash.h>
#include <linux/mm.h>

#include "alloc.h"
#include "flow_table.h"

bool wattle_flow_table_alloc(struct wattle_flow_table *table, u32 buckets, gfp_t gfp)
{
	*table = (struct wattle_flow_table){ .mask = buckets - 1 };
	table->tags = kvcalloc(buckets, sizeof(*table->tags), gfp);
	table->spilled = kvcalloc(buckets, sizeof(*table->spilled), gfp);
	table->actions = kvcalloc(buckets, sizeof(*table->actions), gfp);
	table->flows = kvcalloc(wattle_flow_table_size(table), sizeof(*table->flows), gfp);
	table->paid = kvcalloc(wattle_flow_table_size(table), sizeof(*table->paid), gfp);
	if (table->tags && table->spilled && table->actions && table->flows && table->paid)
		return true;
	wattle_flow_table_free(table);
	return false;
}

void wattle_flow_table_free(struct wattle_flow_table *table)
{
	kvfree(table->tags);
	kvfree(table->spilled);
	kvfree(table->actions);
	kvfree(table->flows);
	kvfree(table->paid);
	*table = (struct wattle_flow_table){};
}

/* Never the bucket itself, for there are more than twice as many buckets as tags. */
static u32 wattle_flow_other(const struct wattle_flow_table *table, u32 hash)
{
	return (hash + 2 * wattle_flow_tag(hash) + 1) & table->mask;
}

/*
 * The top bit of each byte of @tags that is @tag. Above such a byte it may be set where it should
 * not be.
 */
static u64 wattle_flow_match(u64 tags, u8 tag)
{
	const u64 ones = 0x0101010101010101ULL;
	u64 differ = tags ^ tag * ones;

	return (differ - ones) & ~differ & ones << 7;
}

static u32 wattle_flow_way(u64 match)
{
	return __ffs64(match) / 8;
}

static struct wattle_flow *wattle_flow_bucket_find(const struct wattle_flow_table *table,
						   u32 bucket, const struct wattle_key *key,
						   u8 tag)
{
	struct wattle_flow *flows = &table->flows[bucket * WATTLE_FLOW_WAYS], *flow;
	u64 match = wattle_flow_match(table->tags[bucket], tag);

	for (; match; match &= match - 1) {
		flow = &flows[wattle_flow_way(match)];
		if (wattle_key_equal(&flow->key, key))
			return flow;
	}
	return NULL;
}

/* Wherever it is. */
static noinline struct wattle_flow *
wattle_flow_table_search_all(const struct wattle_flow_table *table, const struct wattle_key *key,
			     u32 hash)
{
	u32 bucket = hash & table->mask;
	u8 tag = wattle_flow_tag(hash);
	struct wattle_flow *flow = wattle_flow_bucket_find(table, bucket, key, tag);

	if (flow || !table->spilled[bucket])
		return flow;
	return wattle_flow_bucket_find(table, wattle_flow_other(table, hash), key, tag);
}

/* Without a loop, so that it needs few registers: the first that has the tag, as a rule. */
struct wattle_flow *wattle_flow_table_search(const struct wattle_flow_table *table,
					     const struct wattle_key *key, u32 hash)
{
	u32 bucket = hash & table->mask;
	u64 match = wattle_flow_match(table->tags[bucket], wattle_flow_tag(hash));
	struct wattle_flow *flow = &table->flows[bucket * WATTLE_FLOW_WAYS];

	if (match) {
		flow += wattle_flow_way(match);
		if (likely(wattle_key_equal(&flow->key, key)))
			return flow;
		match &= match - 1;
	}
	if (likely(!match && !table->spilled[bucket]))
		return NULL;
	return wattle_flow_table_search_all(table, key, hash);
}

/* A place in @bucket where there is no entry; negative: none. */
static int wattle_flow_bucket_room(const struct wattle_flow_table *table, u32 bucket)
{
	u64 empty = wattle_flow_match(table->tags[bucket], 0);

	return empty ? bucket * WATTLE_FLOW_WAYS + wattle_flow_way(empty) : -1;
}

int wattle_flow_table_place(const struct wattle_flow_table *table, const struct wattle_key *key,
			    u32 hash)
{
	const struct wattle_flow *flow = wattle_flow_table_find(table, key, hash);
	u32 bucket = hash & table->mask;
	int index;

	if (flow)
		return flow - table->flows;
	index = wattle_flow_bucket_room(table, bucket);
	if (index < 0 && table->spilled[bucket] < U8_MAX)
		index = wattle_flow_bucket_room(table, wattle_flow_other(table, hash));
	return index;
}

static void wattle_flow_set_tag(struct wattle_flow_table *table, u32 index, u8 tag)
{
	u64 *tags = &table->tags[index / WATTLE_FLOW_WAYS];
	unsigned int shift = index % WATTLE_FLOW_WAYS * 8;

	*tags = (*tags & ~(0xffULL << shift)) | (u64)tag << shift;
}

/* ---- what flows have in common ---- */

/* What comes before the number of its users says what it is. */
#define WATTLE_FLOW_ACTION_SIZE	offsetof(struct wattle_flow_action, users)

static_assert(WATTLE_FLOW_ACTION_SIZE % sizeof(u32) == 0);

static struct wattle_flow_action **wattle_flow_action_slot(const struct wattle_flow_table *table,
							   const struct wattle_flow_action *action)
{
	u32 hash = jhash2((const u32 *)action, WATTLE_FLOW_ACTION_SIZE / sizeof(u32), 0);

	return &table->actions[hash & table->mask];
}

static struct wattle_flow_action *wattle_flow_action_make(const struct wattle_flow_action *action)
{
	struct wattle_flow_action *made;
	unsigned int i;

	made = wattle_alloc_denied() ? NULL :
	       kmemdup(action, sizeof(*action), GFP_ATOMIC | __GFP_NOWARN);
	if (!made)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(made->count) && made->count[i]; i++)
		wattle_rule_count_hold(made->count[i]);
	if (made->backend)
		wattle_service_stats_get(made->backend);
	made->users = 0;
	return made;
}

/* One user more of what is as @action; NULL: no memory. Two that want one slot do not share. */
static struct wattle_flow_action *wattle_flow_action_get(struct wattle_flow_table *table,
							 const struct wattle_flow_action *action)
{
	struct wattle_flow_action **slot = wattle_flow_action_slot(table, action), *found = *slot;

	if (!found || memcmp(found, action, WATTLE_FLOW_ACTION_SIZE)) {
		found = wattle_flow_action_make(action);
		if (!found)
			return NULL;
		*slot = found;
	}
	found->users++;
	return found;
}

static void wattle_flow_action_put(struct wattle_flow_table *table,
				   struct wattle_flow_action *action)
{
	struct wattle_flow_action **slot;
	unsigned int i;

	if (--action->users)
		return;
	slot = wattle_flow_action_slot(table, action);
	if (*slot == action)
		*slot = NULL;
	for (i = 0; i < ARRAY_SIZE(action->count); i++)
		wattle_rule_count_put(action->count[i]);
	wattle_service_stats_put(action->backend);
	kfree(action);
}

/* ---- entries come and go ---- */

bool wattle_flow_table_put(struct wattle_flow_table *table, u32 index,
			   const struct wattle_flow *flow, u32 hash)
{
	struct wattle_flow_action *action = wattle_flow_action_get(table, flow->action);
	struct wattle_flow *place = &table->flows[index];
	u32 home = hash & table->mask;

	if (!action)
		return false;
	wattle_flow_set_tag(table, index, wattle_flow_tag(hash));
	table->used++;
	if (index / WATTLE_FLOW_WAYS != home)
		table->spilled[home]++;
	*place = *flow;
	place->home = home;
	place->action = action;
	if (place->ct)
		nf_conntrack_get(&place->ct->ct_general);
	table->paid[index] = (struct wattle_flow_paid){ flow->packets, flow->bytes };
	return true;
}

void wattle_flow_table_bill(struct wattle_flow_table *table, u32 index)
{
	const struct wattle_flow *flow = &table->flows[index];
	const struct wattle_flow_action *action = flow->action;
	struct wattle_flow_paid *paid = &table->paid[index];
	u64 packets = flow->packets - paid->packets;
	u64 bytes = flow->bytes - paid->bytes;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(action->count) && action->count[i]; i++)
		wattle_rule_count_add(action->count[i], packets, bytes);
	if (action->backend && packets)
		wattle_service_stats_add(action->backend, flow->reply, packets, bytes);
	*paid = (struct wattle_flow_paid){ flow->packets, flow->bytes };
}

void wattle_flow_table_clear(struct wattle_flow_table *table, u32 index)
{
	struct wattle_flow *flow = &table->flows[index];

	if (!wattle_flow_table_has(table, index))
		return;
	wattle_flow_set_tag(table, index, 0);
	table->used--;
	if (index / WATTLE_FLOW_WAYS != flow->home)
		table->spilled[flow->home]--;
	wattle_flow_table_bill(table, index);
	wattle_flow_action_put(table, flow->action);
	if (flow->ct)
		nf_ct_put(flow->ct);
	memset(flow, 0, sizeof(*flow));
}

void wattle_flow_table_clear_all(struct wattle_flow_table *table)
{
	u32 i;

	for (i = 0; i < wattle_flow_table_size(table) && table->used; i++)
		wattle_flow_table_clear(table, i);
}
