// SPDX-License-Identifier: GPL-2.0-only
/* The entries of a flow cache against a list of where each of them was put. */

#include "kunit_compat.h"
#include "suites.h"
#include "flow_table.c"

#define WATTLE_FT_TEST_BUCKETS	1024
#define WATTLE_FT_TEST_ITEMS	256
#define WATTLE_FT_TEST_STEPS	20000
#define WATTLE_FT_TEST_KINDS	5

struct wattle_ft_item {
	struct wattle_key key;
	u32 hash;
	u32 kind;	/* what it does, in src_id */
	bool used;	/* it carries something as soon as it is there */
	int index;	/* negative: it is not in the table */
};

struct wattle_ft_test {
	struct wattle_flow_table table;
	struct wattle_random random;
	struct wattle_ft_item items[WATTLE_FT_TEST_ITEMS];
};

static int wattle_ft_test_init(struct kunit *test)
{
	struct wattle_ft_test *t = kvzalloc(sizeof(*t), GFP_KERNEL);
	unsigned int i;

	if (!t)
		return -ENOMEM;
	test->priv = t;
	wattle_random_begin(test, &t->random);
	if (!wattle_flow_table_alloc(&t->table, WATTLE_FT_TEST_BUCKETS, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++) {
		struct wattle_ft_item *item = &t->items[i];

		item->index = -1;
		item->key.sport = htons(i + 1);
		item->kind = i % WATTLE_FT_TEST_KINDS;
		item->used = i % 2;
		/* Few buckets and fewer tags, one of which stands for none, so that all collide. */
		item->hash = wattle_random_below(&t->random, 8) |
			     wattle_random_below(&t->random, 3) << 24;
	}
	return 0;
}

static void wattle_ft_test_exit(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;

	wattle_flow_table_clear_all(&t->table);
	wattle_flow_table_free(&t->table);
	kvfree(t);
}

static u32 wattle_ft_test_other(const struct wattle_ft_test *t, u32 hash)
{
	return wattle_flow_other(&t->table, hash & t->table.mask, wattle_flow_tag(hash));
}

/* How many items are in @bucket. */
static unsigned int wattle_ft_test_fill(const struct wattle_ft_test *t, u32 bucket)
{
	unsigned int i, n = 0;

	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++)
		n += t->items[i].index >= 0 &&
		     t->items[i].index / WATTLE_FLOW_WAYS == bucket;
	return n;
}

static void wattle_ft_test_find(struct kunit *test, const struct wattle_ft_item *item)
{
	struct wattle_ft_test *t = test->priv;
	struct wattle_flow *flow = wattle_flow_table_find(&t->table, &item->key, item->hash);

	KUNIT_EXPECT_PTR_EQ(test, flow, item->index < 0 ? NULL : &t->table.flows[item->index]);
}

static bool wattle_ft_test_insert(struct wattle_flow_table *table, u32 index,
				  const struct wattle_ft_item *item)
{
	struct wattle_flow_action action = { .src_id = item->kind };
	const struct wattle_flow flow = { .key = item->key, .action = &action };

	return wattle_flow_table_put(table, index, &flow, item->hash);
}

/* Who was at @index, if anybody, has made room: he is in his other bucket. */
static void wattle_ft_test_follow(struct kunit *test, int index)
{
	struct wattle_ft_test *t = test->priv;
	struct wattle_ft_item *item;
	u32 i, way, bucket;

	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++) {
		item = &t->items[i];
		if (index < 0 || item->index != index)
			continue;
		KUNIT_EXPECT_EQ(test, index / WATTLE_FLOW_WAYS, item->hash & t->table.mask);
		item->index = -1;
		bucket = wattle_ft_test_other(t, item->hash);
		for (way = bucket * WATTLE_FLOW_WAYS; way < (bucket + 1) * WATTLE_FLOW_WAYS; way++)
			if (wattle_flow_table_has(&t->table, way) &&
			    wattle_key_equal(&t->table.flows[way].key, &item->key))
				item->index = way;
		KUNIT_EXPECT_GE(test, item->index, 0);
		KUNIT_EXPECT_FALSE(test, item->used);
	}
}

static void wattle_ft_test_put(struct kunit *test, struct wattle_ft_item *item)
{
	struct wattle_ft_test *t = test->priv;
	int index = wattle_flow_table_place(&t->table, &item->key, item->hash);
	u32 home = item->hash & t->table.mask;
	u32 other = wattle_ft_test_other(t, item->hash);

	if (item->index >= 0) {
		KUNIT_EXPECT_EQ(test, index, item->index);
		return;
	}
	if (index < 0) {
		KUNIT_EXPECT_EQ(test, wattle_ft_test_fill(t, home), WATTLE_FLOW_WAYS);
		KUNIT_EXPECT_EQ(test, wattle_ft_test_fill(t, other), WATTLE_FLOW_WAYS);
		return;
	}
	wattle_ft_test_follow(test, index);
	KUNIT_EXPECT_FALSE(test, wattle_flow_table_has(&t->table, index));
	/* Whatever was there, nothing of it can be found any more. */
	KUNIT_EXPECT_TRUE(test, !memchr_inv(&t->table.flows[index], 0, sizeof(*t->table.flows)));
	if (index / WATTLE_FLOW_WAYS != home) {
		KUNIT_EXPECT_EQ(test, index / WATTLE_FLOW_WAYS, other);
		KUNIT_EXPECT_EQ(test, wattle_ft_test_fill(t, home), WATTLE_FLOW_WAYS);
	}
	KUNIT_EXPECT_TRUE(test, wattle_ft_test_insert(&t->table, index, item));
	t->table.flows[index].packets += item->used;
	item->index = index;
}

static void wattle_ft_test_clear(struct kunit *test, struct wattle_ft_item *item)
{
	struct wattle_ft_test *t = test->priv;

	if (item->index >= 0)
		wattle_flow_table_clear(&t->table, item->index);
	item->index = -1;
}

/* Every item is where it was put, and nothing else is anywhere. */
static void wattle_ft_test_check(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;
	unsigned int i, used = 0, astray = 0, spilled = 0, has = 0;

	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++) {
		const struct wattle_ft_item *item = &t->items[i];

		wattle_ft_test_find(test, item);
		used += item->index >= 0;
		astray += item->index >= 0 &&
			  item->index / WATTLE_FLOW_WAYS != (item->hash & t->table.mask);
	}
	for (i = 0; i < WATTLE_FT_TEST_BUCKETS; i++)
		spilled += t->table.spilled[i];
	for (i = 0; i < wattle_flow_table_size(&t->table); i++)
		has += wattle_flow_table_has(&t->table, i);
	KUNIT_EXPECT_EQ(test, t->table.used, used);
	KUNIT_EXPECT_EQ(test, has, used);
	KUNIT_EXPECT_EQ(test, spilled, astray);
}

/* Entries that do the same share it, for as long as one of them is there. */
static void wattle_ft_test_shared(struct kunit *test)
{
	const struct wattle_flow_action *of[WATTLE_FT_TEST_KINDS] = {};
	struct wattle_ft_test *t = test->priv;
	u32 users[WATTLE_FT_TEST_KINDS] = {};
	unsigned int i, kinds = 0, slots = 0;

	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++) {
		const struct wattle_ft_item *item = &t->items[i];
		const struct wattle_flow_action *action;

		if (item->index < 0)
			continue;
		action = t->table.flows[item->index].action;
		KUNIT_ASSERT_EQ(test, action->src_id, item->kind);
		if (of[item->kind])
			KUNIT_EXPECT_PTR_EQ(test, action, of[item->kind]);
		of[item->kind] = action;
		users[item->kind]++;
	}
	for (i = 0; i < WATTLE_FT_TEST_KINDS; i++) {
		if (of[i])
			KUNIT_EXPECT_EQ(test, of[i]->users, users[i]);
		kinds += !!of[i];
	}
	for (i = 0; i < WATTLE_FT_TEST_BUCKETS; i++)
		slots += !!t->table.actions[i];
	KUNIT_EXPECT_EQ(test, slots, kinds);
}

/* Up to all that there is room for, and down to nothing, several times. */
static void wattle_ft_test_random(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;
	unsigned int i, spills = 0;

	for (i = 0; i < WATTLE_FT_TEST_STEPS; i++) {
		struct wattle_ft_item *item;
		bool rising = i / (4 * WATTLE_FT_TEST_ITEMS) % 2 == 0;

		item = &t->items[wattle_random_below(&t->random, WATTLE_FT_TEST_ITEMS)];
		if (wattle_random_below(&t->random, 8) ? rising : !rising)
			wattle_ft_test_put(test, item);
		else
			wattle_ft_test_clear(test, item);
		wattle_ft_test_find(test, item);
		if (i % WATTLE_FT_TEST_ITEMS == 0) {
			wattle_ft_test_check(test);
			wattle_ft_test_shared(test);
		}
		spills += item->index >= 0 &&
			  item->index / WATTLE_FLOW_WAYS != (item->hash & t->table.mask);
	}
	KUNIT_EXPECT_GT(test, spills, 0);
	wattle_flow_table_clear_all(&t->table);
	for (i = 0; i < WATTLE_FT_TEST_ITEMS; i++)
		t->items[i].index = -1;
	wattle_ft_test_check(test);
	wattle_ft_test_shared(test);
}

/* Actions that want the same place are not shared, and right all the same. */
static void wattle_ft_test_crowd(struct kunit *test)
{
	struct wattle_flow_table table;
	struct wattle_ft_test *t = test->priv;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, wattle_flow_table_alloc(&table, 1, GFP_KERNEL));
	for (i = 0; i < WATTLE_FLOW_WAYS; i++)
		KUNIT_EXPECT_TRUE(test, wattle_ft_test_insert(&table, i, &t->items[i]));
	for (i = 0; i < WATTLE_FLOW_WAYS; i++) {
		KUNIT_EXPECT_EQ(test, table.flows[i].action->src_id, t->items[i].kind);
		KUNIT_EXPECT_EQ(test, table.flows[i].action->users, 1u);
	}
	/* The last one is in the place; one that is like it joins. */
	wattle_flow_table_clear(&table, 0);
	t->items[0].kind = t->items[WATTLE_FLOW_WAYS - 1].kind;
	KUNIT_EXPECT_TRUE(test, wattle_ft_test_insert(&table, 0, &t->items[0]));
	KUNIT_EXPECT_PTR_EQ(test, table.flows[0].action, table.flows[WATTLE_FLOW_WAYS - 1].action);
	KUNIT_EXPECT_EQ(test, table.flows[0].action->users, 2u);
	wattle_flow_table_clear_all(&table);
	KUNIT_EXPECT_NULL(test, table.actions[0]);
	KUNIT_EXPECT_EQ(test, table.used, 0u);
	wattle_flow_table_free(&table);
}

/* A full bucket: who is not used goes to the other one; where all are used, who comes does. */
static void wattle_ft_test_vacate(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;
	u32 hash = t->items[0].hash, home = hash & t->table.mask, i;

	for (i = 0; i < WATTLE_FLOW_WAYS + 2; i++) {
		t->items[i].hash = hash;
		t->items[i].used = i != 3;
		wattle_ft_test_put(test, &t->items[i]);
		KUNIT_EXPECT_EQ(test, t->items[i].index / WATTLE_FLOW_WAYS == home,
				i <= WATTLE_FLOW_WAYS);
	}
	KUNIT_EXPECT_EQ(test, t->items[WATTLE_FLOW_WAYS].index, home * WATTLE_FLOW_WAYS + 3);
	KUNIT_EXPECT_EQ(test, t->items[3].index / WATTLE_FLOW_WAYS, wattle_ft_test_other(t, hash));
	wattle_ft_test_check(test);
	wattle_ft_test_shared(test);
}

/* Who has carried nothing goes first, wherever it is; who has is asked again the next time. */
static void wattle_ft_test_victim(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;
	u32 hash = t->items[0].hash, home = hash & t->table.mask, i, other;
	u8 spilled;

	/* Both buckets are full, and all that is in them is used. */
	other = wattle_ft_test_other(t, hash);
	for (i = 0; i < 2 * WATTLE_FLOW_WAYS; i++) {
		t->items[i].hash = hash;
		t->items[i].used = true;
		wattle_ft_test_put(test, &t->items[i]);
	}
	KUNIT_ASSERT_EQ(test, wattle_ft_test_fill(t, home), WATTLE_FLOW_WAYS);
	KUNIT_ASSERT_EQ(test, wattle_ft_test_fill(t, other), WATTLE_FLOW_WAYS);
	KUNIT_EXPECT_EQ(test, wattle_flow_table_victim(&t->table, hash, 11),
			home * WATTLE_FLOW_WAYS + 3);
	/* That was looked at: but for one they have not been used since. */
	for (i = 0; i < WATTLE_FLOW_WAYS; i++)
		t->table.flows[home * WATTLE_FLOW_WAYS + i].packets += i != 5;
	KUNIT_EXPECT_EQ(test, wattle_flow_table_victim(&t->table, hash, 6),
			home * WATTLE_FLOW_WAYS + 5);
	t->table.flows[home * WATTLE_FLOW_WAYS + 5].packets++;
	t->table.paid[other * WATTLE_FLOW_WAYS + 2].packets++;
	KUNIT_EXPECT_EQ(test, wattle_flow_table_victim(&t->table, hash, 6),
			other * WATTLE_FLOW_WAYS + 2);
	/* There is no counting of one more that is not in its own bucket. */
	spilled = t->table.spilled[home];
	t->table.spilled[home] = U8_MAX;
	KUNIT_EXPECT_EQ(test, wattle_flow_table_victim(&t->table, hash, 6) / WATTLE_FLOW_WAYS,
			home);
	t->table.spilled[home] = spilled;
}

/* Without memory there is no entry, and nothing is left of it. */
static void wattle_ft_test_denied(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;

	wattle_test_deny(0);
	KUNIT_EXPECT_FALSE(test, wattle_ft_test_insert(&t->table, 0, &t->items[0]));
	wattle_test_deny(-1);
	wattle_ft_test_check(test);
	wattle_ft_test_shared(test);
}

/* An entry is made anew: of the same kind it needs no memory, of another it does. */
static void wattle_ft_test_renew(struct kunit *test)
{
	struct wattle_ft_test *t = test->priv;
	struct wattle_ft_item item = t->items[0];

	KUNIT_ASSERT_TRUE(test, wattle_ft_test_insert(&t->table, 0, &item));
	wattle_test_deny(0);
	KUNIT_EXPECT_TRUE(test, wattle_ft_test_insert(&t->table, 0, &item));
	KUNIT_EXPECT_EQ(test, t->table.used, 1u);
	item.kind++;
	KUNIT_EXPECT_FALSE(test, wattle_ft_test_insert(&t->table, 0, &item));
	wattle_test_deny(-1);
	KUNIT_EXPECT_EQ(test, t->table.used, 0u);
	wattle_ft_test_check(test);
	wattle_ft_test_shared(test);
}

/* Tags that are equal, and neighbours of a tag that is found. */
static void wattle_ft_test_match(struct kunit *test)
{
	const u64 tags = 0x0102000180ff0001ULL;

	KUNIT_EXPECT_EQ(test, wattle_flow_way(wattle_flow_match(tags, 1)), 0);
	KUNIT_EXPECT_EQ(test, wattle_flow_way(wattle_flow_match(tags, 0)), 1);
	KUNIT_EXPECT_EQ(test, wattle_flow_way(wattle_flow_match(tags, 0xff)), 2);
	KUNIT_EXPECT_EQ(test, wattle_flow_way(wattle_flow_match(tags, 0x80)), 3);
	KUNIT_EXPECT_EQ(test, wattle_flow_way(wattle_flow_match(tags, 2)), 6);
	KUNIT_EXPECT_EQ(test, wattle_flow_match(tags, 3), 0);
	KUNIT_EXPECT_EQ(test, wattle_flow_match(tags, 0x7f), 0);
	KUNIT_EXPECT_NE(test, wattle_flow_tag(0), 0);
}

/* An entry that has carried as much, and what its backend has been told of it. */
static void wattle_ft_test_carry(struct kunit *test, struct wattle_service_stats *backend,
				 u64 packets, u64 want)
{
	struct wattle_ft_test *t = test->priv;
	u32 index = t->items[0].index;
	struct wattle_service_total total;
	int dir = t->table.flows[index].reply;

	t->table.flows[index].packets += packets;
	t->table.flows[index].bytes += packets * 100;
	wattle_flow_table_bill(&t->table, index);
	wattle_service_stats_total(backend, &total);
	KUNIT_EXPECT_EQ(test, total.packets[dir], want);
	KUNIT_EXPECT_EQ(test, total.bytes[dir], want * 100);
	KUNIT_EXPECT_EQ(test, total.packets[!dir], 0ULL);
	KUNIT_EXPECT_EQ(test, total.bytes[!dir], 0ULL);
}

/* What a flow owes a backend is paid once, in its direction, and at the latest when it goes. */
static void wattle_ft_test_backend(struct kunit *test)
{
	struct wattle_service_stats *frontend = wattle_service_stats_create(NULL), *backend;
	struct wattle_ft_test *t = test->priv;
	struct wattle_service_total total;
	struct wattle_flow_action action = {};
	struct wattle_flow flow = {
		.key = t->items[0].key, .action = &action, .packets = 5, .bytes = 500,
	};
	int reply;

	KUNIT_ASSERT_NOT_NULL(test, frontend);
	for (reply = 0; reply <= 1; reply++) {
		backend = wattle_service_stats_create(frontend);
		KUNIT_ASSERT_NOT_NULL(test, backend);
		flow.reply = reply;
		action.backend = backend;
		/* What it carried before it owed anything is nobody's. */
		KUNIT_EXPECT_TRUE(test, wattle_flow_table_put(&t->table, 0, &flow, 0));
		t->items[0].index = 0;
		wattle_ft_test_carry(test, backend, 0, 0);
		wattle_ft_test_carry(test, backend, 3, 3);
		wattle_ft_test_carry(test, backend, 0, 3);
		t->table.flows[0].packets += 4;
		t->table.flows[0].bytes += 400;
		/* The table is the last that has it. */
		wattle_service_stats_put(backend);
		wattle_ft_test_clear(test, &t->items[0]);
		wattle_service_stats_total(frontend, &total);
		KUNIT_EXPECT_EQ(test, total.packets[reply], 7ULL);
		KUNIT_EXPECT_EQ(test, total.bytes[reply], 700ULL);
		KUNIT_EXPECT_TRUE(test, list_empty(&frontend->list));
		KUNIT_EXPECT_EQ(test, refcount_read(&frontend->users), 1u);
	}
	wattle_service_stats_put(frontend);
}

static struct kunit_case wattle_ft_cases[] = {
	KUNIT_CASE(wattle_ft_test_backend),
	KUNIT_CASE(wattle_ft_test_crowd),
	KUNIT_CASE(wattle_ft_test_denied),
	KUNIT_CASE(wattle_ft_test_match),
	KUNIT_CASE(wattle_ft_test_random),
	KUNIT_CASE(wattle_ft_test_renew),
	KUNIT_CASE(wattle_ft_test_vacate),
	KUNIT_CASE(wattle_ft_test_victim),
	{}
};

struct kunit_suite wattle_flow_table_suite = {
	.name = "wattle_flow_table",
	.init = wattle_ft_test_init,
	.exit = wattle_ft_test_exit,
	.test_cases = wattle_ft_cases,
};
