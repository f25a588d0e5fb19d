// SPDX-License-Identifier: GPL-2.0-only
/* The trie against a list that is searched from one end to the other. */

#include "kunit_compat.h"
#include "suites.h"
#include "lpm.c"

#define WATTLE_LPM_TEST_ITEMS	256
#define WATTLE_LPM_TEST_GENS	8

struct wattle_lpm_item {
	struct wattle_lpm_entry entry;
	struct wattle_prefix prefix;
	bool linked;
};

struct wattle_lpm_test {
	struct mutex lock;		/* the trie's writer holds it */
	struct wattle_lpm lpm;
	struct wattle_random random;
	struct wattle_lpm_item items[WATTLE_LPM_TEST_ITEMS];
};

/* Addresses that have much in common, so that prefixes nest and part everywhere. */
static void wattle_lpm_test_addr(struct wattle_random *random, struct in6_addr *addr)
{
	unsigned int i;

	if (wattle_random_below(random, 3)) {
		wattle_addr_set_v4(addr, htonl(0x0a000000 | (wattle_random(random) & 0x0103070f)));
		return;
	}
	for (i = 0; i < 4; i++)
		addr->s6_addr32[i] = htonl(0xfd000000 | (wattle_random(random) & 0x01000003));
	if (!wattle_random_below(random, 8))
		addr->s6_addr[wattle_random_below(random, 16)] ^= wattle_random(random);
}

static void wattle_lpm_test_prefix(struct wattle_random *random, struct wattle_prefix *prefix)
{
	struct in6_addr addr;

	wattle_lpm_test_addr(random, &addr);
	prefix->len = wattle_addr_is_v4(&addr) && wattle_random_below(random, 8) ?
		      96 + wattle_random_below(random, 33) : wattle_random_below(random, 129);
	ipv6_addr_prefix(&prefix->addr, &addr, prefix->len);
}

static bool wattle_lpm_test_same(const struct wattle_prefix *a, const struct wattle_prefix *b)
{
	return a->len == b->len && ipv6_addr_equal(&a->addr, &b->addr);
}

static struct wattle_lpm_item *wattle_lpm_item_of(struct wattle_lpm_entry *entry)
{
	return entry ? container_of(entry, struct wattle_lpm_item, entry) : NULL;
}

/* Of two versions of a prefix, lives must not overlap: that is for the tables to keep. */
static bool wattle_lpm_test_fits(struct wattle_lpm_test *t, const struct wattle_lpm_item *item)
{
	unsigned int i;

	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++) {
		const struct wattle_lpm_item *other = &t->items[i];

		if (other->linked && wattle_lpm_test_same(&other->prefix, &item->prefix) &&
		    other->entry.life.born < item->entry.life.died &&
		    item->entry.life.born < other->entry.life.died)
			return false;
	}
	return true;
}

static bool wattle_lpm_test_covers(const struct wattle_lpm_item *item,
				   const struct in6_addr *addr, u64 gen)
{
	/* Prefixes of IPv6 do not cover the IPv4 addresses that are mapped into it. */
	return item->linked && wattle_alive(&item->entry.life, gen) &&
	       (item->prefix.len >= 96 || !ipv6_addr_v4mapped(addr)) &&
	       ipv6_prefix_equal(&item->prefix.addr, addr, item->prefix.len);
}

static struct wattle_lpm_item *wattle_lpm_test_longest(struct wattle_lpm_test *t,
						       const struct in6_addr *addr, u64 gen)
{
	struct wattle_lpm_item *best = NULL;
	unsigned int i;

	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++) {
		if (wattle_lpm_test_covers(&t->items[i], addr, gen) &&
		    (!best || t->items[i].prefix.len > best->prefix.len))
			best = &t->items[i];
	}
	return best;
}

static void wattle_lpm_test_toggle(struct kunit *test, struct wattle_lpm_test *t)
{
	struct wattle_lpm_item *item;
	bool deny;
	int err;

	item = &t->items[wattle_random_below(&t->random, WATTLE_LPM_TEST_ITEMS)];
	if (item->linked) {
		wattle_lpm_remove(&t->lpm, &item->prefix, &item->entry);
		item->linked = false;
		/* It may be used again at once: nobody reads but this thread. */
		return;
	}
	wattle_lpm_test_prefix(&t->random, &item->prefix);
	if (!wattle_random_below(&t->random, 3))
		item->prefix = t->items[wattle_random_below(&t->random,
							    WATTLE_LPM_TEST_ITEMS)].prefix;
	item->entry.life.born = wattle_random_below(&t->random, WATTLE_LPM_TEST_GENS);
	item->entry.life.died = wattle_random_below(&t->random, 2) ? WATTLE_FOREVER :
				item->entry.life.born +
				wattle_random_below(&t->random, WATTLE_LPM_TEST_GENS);
	if (!wattle_lpm_test_fits(t, item))
		return;
	deny = !wattle_random_below(&t->random, 4);
	if (deny)
		wattle_test_deny(wattle_random_below(&t->random, 2));
	err = wattle_lpm_insert(&t->lpm, &item->prefix, &item->entry);
	KUNIT_EXPECT_EQ(test, err, deny && wattle_test_denied() ? -ENOMEM : 0);
	wattle_test_deny(-1);
	item->linked = !err;
}

struct wattle_lpm_test_cover {
	struct wattle_lpm_test *t;
	const struct in6_addr *addr;
	u64 gen;
	unsigned int seen;
	unsigned int wrong;
	int len;
};

static bool wattle_lpm_test_visit(struct wattle_lpm_entry *entry, void *arg)
{
	struct wattle_lpm_test_cover *cover = arg;
	struct wattle_lpm_item *item = wattle_lpm_item_of(entry);

	cover->wrong += !wattle_lpm_test_covers(item, cover->addr, cover->gen) ||
			item->prefix.len <= cover->len;
	cover->len = item->prefix.len;
	cover->seen++;
	return false;
}

static void wattle_lpm_test_ask(struct kunit *test, struct wattle_lpm_test *t)
{
	u64 gen = wattle_random_below(&t->random, 2 * WATTLE_LPM_TEST_GENS);
	struct wattle_lpm_test_cover cover = { .t = t, .gen = gen, .len = -1 };
	struct wattle_lpm_item *item;
	struct in6_addr addr;
	unsigned int i, count = 0;

	wattle_lpm_test_addr(&t->random, &addr);
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, wattle_lpm_item_of(wattle_lpm_lookup(&t->lpm, &addr, gen)),
			    wattle_lpm_test_longest(t, &addr, gen));

	cover.addr = &addr;
	wattle_lpm_cover(&t->lpm, &addr, gen, wattle_lpm_test_visit, &cover);
	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++)
		count += wattle_lpm_test_covers(&t->items[i], &addr, gen);
	KUNIT_EXPECT_EQ(test, cover.seen, count);
	KUNIT_EXPECT_EQ(test, cover.wrong, 0u);

	item = &t->items[wattle_random_below(&t->random, WATTLE_LPM_TEST_ITEMS)];
	if (item->linked && item->entry.life.born < item->entry.life.died)
		KUNIT_EXPECT_PTR_EQ(test,
				    wattle_lpm_find(&t->lpm, &item->prefix,
						    item->entry.life.born), &item->entry);
	rcu_read_unlock();
}

static int wattle_lpm_test_order(const struct wattle_prefix *a, const struct wattle_prefix *b)
{
	int diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return diff ?: (int)a->len - (int)b->len;
}

/* A walk shows all that is alive, once, in order. */
static void wattle_lpm_test_walk(struct kunit *test, struct wattle_lpm_test *t)
{
	u64 gen = wattle_random_below(&t->random, WATTLE_LPM_TEST_GENS);
	unsigned int i, seen = 0, count = 0;
	struct wattle_prefix last, prefix;
	struct wattle_lpm_entry *entry;

	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++)
		count += t->items[i].linked && wattle_alive(&t->items[i].entry.life, gen);
	rcu_read_lock();
	while ((entry = wattle_lpm_next(&t->lpm, seen ? &last : NULL, gen, &prefix))) {
		if (seen)
			KUNIT_EXPECT_LT(test, wattle_lpm_test_order(&last, &prefix), 0);
		KUNIT_EXPECT_TRUE(test, wattle_lpm_test_same(&prefix,
							     &wattle_lpm_item_of(entry)->prefix));
		last = prefix;
		if (++seen > count)
			break;
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, seen, count);
}

static void wattle_lpm_test_random(struct kunit *test)
{
	struct wattle_lpm_test *t = kzalloc(sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	mutex_init(&t->lock);
	mutex_lock(&t->lock);
	wattle_lpm_init(&t->lpm, &t->lock);
	wattle_random_begin(test, &t->random);
	for (i = 0; i < WATTLE_TEST_STEPS(6000); i++) {
		wattle_lpm_test_toggle(test, t);
		wattle_lpm_test_ask(test, t);
		if (i % 64 == 0)
			wattle_lpm_test_walk(test, t);
		cond_resched();
	}
	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++) {
		if (t->items[i].linked)
			wattle_lpm_remove(&t->lpm, &t->items[i].prefix, &t->items[i].entry);
	}
	/* Inner nodes do not outlive what they lead to. */
	KUNIT_EXPECT_EQ(test, t->lpm.count, (size_t)0);
	KUNIT_EXPECT_TRUE(test, !rcu_access_pointer(t->lpm.root));
	wattle_lpm_exit(&t->lpm, NULL);
	mutex_unlock(&t->lock);
	kfree(t);
}

static unsigned int wattle_lpm_test_freed;

static void wattle_lpm_test_free(struct wattle_lpm_entry *entry)
{
	wattle_lpm_test_freed++;
}

/* An end with entries linked hands all of them back. */
static void wattle_lpm_test_exit(struct kunit *test)
{
	struct wattle_lpm_test *t = kzalloc(sizeof(*t), GFP_KERNEL);
	unsigned int i, linked = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	mutex_init(&t->lock);
	mutex_lock(&t->lock);
	wattle_lpm_init(&t->lpm, &t->lock);
	wattle_random_begin(test, &t->random);
	for (i = 0; i < 500; i++)
		wattle_lpm_test_toggle(test, t);
	for (i = 0; i < WATTLE_LPM_TEST_ITEMS; i++)
		linked += t->items[i].linked;
	wattle_lpm_test_freed = 0;
	wattle_lpm_exit(&t->lpm, wattle_lpm_test_free);
	KUNIT_EXPECT_EQ(test, wattle_lpm_test_freed, linked);
	mutex_unlock(&t->lock);
	kfree(t);
}

static struct kunit_case wattle_lpm_cases[] = {
	KUNIT_CASE(wattle_lpm_test_random),
	KUNIT_CASE(wattle_lpm_test_exit),
	{}
};

struct kunit_suite wattle_lpm_suite = {
	.name = "lpm",
	.test_cases = wattle_lpm_cases,
};
