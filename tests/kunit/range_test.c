// SPDX-License-Identifier: GPL-2.0-only
/* Service ranges against a list that is searched from one end to the other. */

#include "fixture.h"
#include "suites.h"
#include "range.c"

#define WATTLE_RANGE_TEST_COUNT	20	/* prefixes that nest, of both families */

struct wattle_range_model {
	bool there[2][WATTLE_RANGE_TEST_COUNT];	/* published, staged */
};

/* The first ones of each family are all of its addresses, which is refused. */
static struct wattle_prefix wattle_range_test_prefix(unsigned int i)
{
	struct in6_addr v6 = wattle_test_v6(0x0a600000 + (i % 3));
	struct wattle_prefix prefix = { .len = min(15 * (i / 2), 128u) };

	if (i % 2)
		return wattle_test_prefix4(0x0a600000 + (i % 3), min(4 * (i / 2), 32u));
	ipv6_addr_prefix(&prefix.addr, &v6, prefix.len);
	return prefix;
}

static struct in6_addr wattle_range_test_addr(struct wattle_random *random)
{
	u32 low = 0x0a600000 ^ (wattle_random(random) & wattle_random(random) &
				wattle_random(random));

	return wattle_random_below(random, 2) ? wattle_test_v4(low) : wattle_test_v6(low);
}

static void wattle_range_model_step(struct wattle_range_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;

	if (step == WATTLE_STEP_COMMIT || step == WATTLE_STEP_ABORT)
		memcpy(m->there[!from], m->there[from], sizeof(m->there[0]));
}

static void wattle_range_test_change(struct kunit *test, struct wattle_range_model *m, bool open)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i = wattle_random_below(&f->random, WATTLE_RANGE_TEST_COUNT);
	struct wattle_prefix prefix = wattle_range_test_prefix(i);
	bool replace = wattle_random_below(&f->random, 2);
	bool *there = &m->there[1][i];
	int err, want;

	wattle_fixture_deny(f);
	if (wattle_random_below(&f->random, 3)) {
		want = i < 2 ? -EINVAL : *there && !replace ? -EEXIST : 0;
		err = wattle_config_range_add(f->config, WATTLE_TEST_OWNER, &prefix, replace,
					      &f->why);
		*there |= !err;
	} else {
		want = i < 2 ? -EINVAL : *there ? 0 : -ENOENT;
		err = wattle_config_range_del(f->config, WATTLE_TEST_OWNER, &prefix, &f->why);
		*there &= !!err;
	}
	if (!(err == -ENOMEM && wattle_test_denied()))
		KUNIT_EXPECT_EQ(test, err, want);
	wattle_test_deny(-1);
	if (!open)
		wattle_range_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

static void wattle_range_test_check(struct kunit *test, const struct wattle_range_model *m,
				    bool staged)
{
	struct wattle_fixture *f = test->priv;
	struct in6_addr addr = wattle_range_test_addr(&f->random);
	struct wattle_prefix prefix;
	bool want = false;
	unsigned int i;

	for (i = 0; i < WATTLE_RANGE_TEST_COUNT; i++) {
		prefix = wattle_range_test_prefix(i);
		want |= m->there[staged][i] &&
			wattle_addr_is_v4(&prefix.addr) == wattle_addr_is_v4(&addr) &&
			ipv6_prefix_equal(&prefix.addr, &addr, prefix.len);
	}
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_range_has(&f->config->ranges, &addr,
					       wattle_fixture_gen(f, staged)), want);
	rcu_read_unlock();
}

static int wattle_range_test_visit(const struct wattle_prefix *prefix, void *arg)
{
	++*(unsigned int *)arg;
	return 0;
}

/* A dump shows those that are published, each once. */
static void wattle_range_test_dump(struct kunit *test, const struct wattle_range_model *m)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_walk *walk = wattle_walk_begin(f->config);
	unsigned int i, seen = 0, want = 0;

	KUNIT_ASSERT_NOT_NULL(test, walk);
	KUNIT_EXPECT_EQ(test, wattle_walk_ranges(walk, wattle_range_test_visit, &seen), 0);
	KUNIT_EXPECT_FALSE(test, wattle_walk_torn(walk));
	wattle_walk_end(walk);
	for (i = 0; i < WATTLE_RANGE_TEST_COUNT; i++)
		want += m->there[0][i];
	KUNIT_EXPECT_EQ(test, seen, want);
}

/* Any sequence of changes, transactions and failures leaves what a list would hold. */
static void wattle_range_test_random(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_range_model m = {};
	enum wattle_test_step step;
	struct wattle_prefix prefix;
	bool open = false;
	unsigned int i;

	for (i = 0; i < WATTLE_TEST_STEPS(4000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_range_test_change(test, &m, open);
		else
			wattle_range_model_step(&m, step);
		wattle_range_test_check(test, &m, false);
		wattle_range_test_check(test, &m, true);
		if (i % 50 == 0)
			wattle_range_test_dump(test, &m);
		cond_resched();
	}
	if (open)
		wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	for (i = 0; i < WATTLE_RANGE_TEST_COUNT; i++) {
		prefix = wattle_range_test_prefix(i);
		wattle_config_range_del(f->config, 0, &prefix, &f->why);
	}
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->config->ranges.by_prefix.count, (size_t)0);
}

static void wattle_range_test_refusals(struct kunit *test)
{
	struct wattle_prefix prefix = wattle_test_prefix4(0, 0);
	struct wattle_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, wattle_config_range_add(f->config, 0, &prefix, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_CIDR);
	prefix = wattle_test_prefix4(0x0a600000, 12);
	prefix.addr.s6_addr[15] = 1;
	KUNIT_EXPECT_EQ(test, wattle_config_range_add(f->config, 0, &prefix, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_CIDR);
	prefix.addr.s6_addr[15] = 0;
	KUNIT_EXPECT_EQ(test, wattle_config_range_add(f->config, 0, &prefix, false, &f->why), 0);
	/* What is there already is no change. */
	KUNIT_EXPECT_EQ(test, wattle_config_range_add(f->config, 0, &prefix, true, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_generation(f->config), 2ULL);
}

static struct kunit_case wattle_range_cases[] = {
	KUNIT_CASE(wattle_range_test_random),
	KUNIT_CASE(wattle_range_test_refusals),
	{}
};

struct kunit_suite wattle_range_suite = {
	.name = "range",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_range_cases,
};
