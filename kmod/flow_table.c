// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>

#include "flow_table.h"

bool wattle_flow_table_alloc(struct wattle_flow_table *table, u32 buckets, gfp_t gfp)
{
	*table = (struct wattle_flow_table){ .mask = buckets - 1 };
	table->tags = kvcalloc(buckets, sizeof(*table->tags), gfp);
	table->spilled = kvcalloc(buckets, sizeof(*table->spilled), gfp);
	table->flows = kvcalloc(wattle_flow_table_size(table), sizeof(*table->flows), gfp);
	table->bills = kvcalloc(wattle_flow_table_size(table), sizeof(*table->bills), gfp);
	if (table->tags && table->spilled && table->flows && table->bills)
		return true;
	wattle_flow_table_free(table);
	return false;
}

void wattle_flow_table_free(struct wattle_flow_table *table)
{
	kvfree(table->tags);
	kvfree(table->spilled);
	kvfree(table->flows);
	kvfree(table->bills);
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

struct wattle_flow *wattle_flow_table_put(struct wattle_flow_table *table, u32 index,
					  const struct wattle_key *key, u32 hash)
{
	struct wattle_flow *flow = &table->flows[index];

	wattle_flow_set_tag(table, index, wattle_flow_tag(hash));
	table->used++;
	flow->key = *key;
	flow->home = hash & table->mask;
	if (index / WATTLE_FLOW_WAYS != flow->home)
		table->spilled[flow->home]++;
	return flow;
}

void wattle_flow_table_bill(struct wattle_flow_table *table, u32 index)
{
	const struct wattle_flow *flow = &table->flows[index];
	struct wattle_flow_bill *bill = &table->bills[index];
	u64 packets = flow->packets - bill->packets;
	u64 bytes = flow->bytes - bill->bytes;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bill->count) && bill->count[i]; i++)
		wattle_rule_count_add(bill->count[i], packets, bytes);
	if (bill->backend && packets)
		wattle_service_stats_add(bill->backend, flow->reply, packets, bytes);
	bill->packets = flow->packets;
	bill->bytes = flow->bytes;
}

static void wattle_flow_settle(struct wattle_flow_table *table, u32 index)
{
	struct wattle_flow_bill *bill = &table->bills[index];
	unsigned int i;

	wattle_flow_table_bill(table, index);
	for (i = 0; i < ARRAY_SIZE(bill->count); i++)
		wattle_rule_count_put(bill->count[i]);
	wattle_service_stats_put(bill->backend);
	memset(bill, 0, sizeof(*bill));
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
	wattle_flow_settle(table, index);
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
