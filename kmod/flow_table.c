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
static u32 wattle_flow_other(const struct wattle_flow_table *table, u32 bucket, u8 tag)
{
	return (bucket + 2 * tag + 1) & table->mask;
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

/* In the other bucket. */
static noinline struct wattle_flow *
wattle_flow_table_search_other(const struct wattle_flow_table *table, const struct wattle_key *key,
			       u32 hash)
{
	u8 tag = wattle_flow_tag(hash);

	return wattle_flow_bucket_find(table, wattle_flow_other(table, hash & table->mask, tag),
				       key, tag);
}

/* In its own bucket, of which the first with its tag was another, and in the other. */
static noinline struct wattle_flow *
wattle_flow_table_search_all(const struct wattle_flow_table *table, const struct wattle_key *key,
			     u32 hash)
{
	u32 bucket = hash & table->mask;
	struct wattle_flow *flow;

	flow = wattle_flow_bucket_find(table, bucket, key, wattle_flow_tag(hash));
	if (flow || !table->spilled[bucket])
		return flow;
	return wattle_flow_table_search_other(table, key, hash);
}

/* Without a loop, so that it needs few registers: the first that has the tag, as a rule. */
struct wattle_flow *wattle_flow_table_search(const struct wattle_flow_table *table,
					     const struct wattle_key *key, u32 hash)
{
	u32 bucket = hash & table->mask;
	u64 match = wattle_flow_match(table->tags[bucket], wattle_flow_tag(hash));
	struct wattle_flow *flow = &table->flows[bucket * WATTLE_FLOW_WAYS];

	if (likely(match)) {
		flow += wattle_flow_way(match);
		if (likely(wattle_key_equal(&flow->key, key)))
			return flow;
		return wattle_flow_table_search_all(table, key, hash);
	}
	if (likely(!table->spilled[bucket]))
		return NULL;
	return wattle_flow_table_search_other(table, key, hash);
}

/* A place in @bucket where there is no entry; negative: none. */
static int wattle_flow_bucket_room(const struct wattle_flow_table *table, u32 bucket)
{
	u64 empty = wattle_flow_match(table->tags[bucket], 0);

	return empty ? bucket * WATTLE_FLOW_WAYS + wattle_flow_way(empty) : -1;
}

static void wattle_flow_set_tag(struct wattle_flow_table *table, u32 index, u8 tag)
{
	u64 *tags = &table->tags[index / WATTLE_FLOW_WAYS];
	unsigned int shift = index % WATTLE_FLOW_WAYS * 8;

	*tags = (*tags & ~(0xffULL << shift)) | (u64)tag << shift;
}

/* Has it carried anything since it paid last? */
static bool wattle_flow_is_idle(const struct wattle_flow_table *table, u32 index)
{
	return table->flows[index].packets == table->paid[index].packets;
}

/*
 * Move an entry of @bucket that is not used into its other one, and give back its place; negative:
 * there is none that could be moved. Those who are used stay where they are found at once.
 */
static int wattle_flow_bucket_vacate(struct wattle_flow_table *table, u32 bucket)
{
	u32 i = bucket * WATTLE_FLOW_WAYS, end = i + WATTLE_FLOW_WAYS;
	int room;
	u8 tag;

	for (; i < end && table->spilled[bucket] < U8_MAX; i++) {
		if (table->flows[i].home != bucket || !wattle_flow_is_idle(table, i))
			continue;
		tag = table->tags[bucket] >> i % WATTLE_FLOW_WAYS * 8;
		room = wattle_flow_bucket_room(table, wattle_flow_other(table, bucket, tag));
		if (room < 0)
			continue;
		table->flows[room] = table->flows[i];
		table->paid[room] = table->paid[i];
		wattle_flow_set_tag(table, room, tag);
		wattle_flow_set_tag(table, i, 0);
		/* Tags that match may be of empty places: nothing must be found there. */
		memset(&table->flows[i], 0, sizeof(table->flows[i]));
		table->spilled[bucket]++;
		return i;
	}
	return -1;
}

int wattle_flow_table_place(struct wattle_flow_table *table, const struct wattle_key *key,
			    u32 hash)
{
	const struct wattle_flow *flow = wattle_flow_table_find(table, key, hash);
	u32 bucket = hash & table->mask;
	int index;

	if (flow)
		return flow - table->flows;
	index = wattle_flow_bucket_room(table, bucket);
	if (index < 0)
		index = wattle_flow_bucket_vacate(table, bucket);
	if (index < 0 && table->spilled[bucket] < U8_MAX)
		index = wattle_flow_bucket_room(table,
						wattle_flow_other(table, bucket,
								  wattle_flow_tag(hash)));
	return index;
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

	/* Only now: what the old entry had alone may be what the new one has. */
	wattle_flow_table_clear(table, index);
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

/* A clock of one bucket: who pays has to show again that he is used. */
u32 wattle_flow_table_victim(struct wattle_flow_table *table, u32 hash, u32 turn)
{
	u32 bucket = hash & table->mask, home = bucket * WATTLE_FLOW_WAYS, other, i, way;

	other = wattle_flow_other(table, bucket, wattle_flow_tag(hash)) * WATTLE_FLOW_WAYS;
	if (table->spilled[bucket] == U8_MAX)
		other = home;
	for (i = 0; i < WATTLE_FLOW_WAYS; i++) {
		way = (turn + i) % WATTLE_FLOW_WAYS;
		if (wattle_flow_is_idle(table, home + way))
			return home + way;
		if (wattle_flow_is_idle(table, other + way))
			return other + way;
	}
	for (i = 0; i < WATTLE_FLOW_WAYS; i++)
		wattle_flow_table_bill(table, home + i);
	return home + turn % WATTLE_FLOW_WAYS;
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
