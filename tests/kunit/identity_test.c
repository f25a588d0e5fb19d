// SPDX-License-Identifier: GPL-2.0-only
/* Identities against a list; and that a host route is as small as it has to be. */

#include "fixture.h"
#include "suites.h"
#include "identity.c"
#include "identity_write.c"

#define WATTLE_ID_TEST_PREFIXES	48

struct wattle_id_item {
	struct wattle_prefix prefix;
	struct {
		bool there;
		u32 id;
		struct in6_addr via;
	} state[2];		/* published, staged */
};

struct wattle_id_model {
	struct wattle_id_item items[WATTLE_ID_TEST_PREFIXES];
};

static void wattle_id_model_begin(struct wattle_id_model *m)
{
	unsigned int i;

	for (i = 0; i < WATTLE_ID_TEST_PREFIXES; i++) {
		u8 len = i < WATTLE_ID_TEST_PREFIXES / 2 ? 32 : 8 + i / 2;

		m->items[i].prefix = wattle_test_prefix4(0x0a000000 + (i % 7) * 0x10001, len);
		if (i % 5 == 0) {
			m->items[i].prefix.addr = wattle_test_v6(i % 7);
			m->items[i].prefix.len = 128;
		}
	}
	/* Each once. */
	for (i = 1; i < WATTLE_ID_TEST_PREFIXES; i++) {
		unsigned int j;

		for (j = 0; j < i; j++) {
			if (m->items[i].prefix.len == m->items[j].prefix.len &&
			    ipv6_addr_equal(&m->items[i].prefix.addr, &m->items[j].prefix.addr)) {
				m->items[i].prefix.addr = wattle_test_v4(0x0a010000 + i);
				m->items[i].prefix.len = 128;
			}
		}
	}
}

static const struct wattle_id_item *wattle_id_model_lookup(const struct wattle_id_model *m,
							   const struct in6_addr *addr,
							   bool staged)
{
	const struct wattle_id_item *best = NULL, *item;

	for (item = m->items; item < m->items + WATTLE_ID_TEST_PREFIXES; item++) {
		if (item->state[staged].there &&
		    ipv6_prefix_equal(&item->prefix.addr, addr, item->prefix.len) &&
		    (!best || item->prefix.len > best->prefix.len))
			best = item;
	}
	return best;
}

static void wattle_id_test_check(struct kunit *test, const struct wattle_id_model *m,
				 const struct in6_addr *addr, bool staged)
{
	const struct wattle_id_item *want = wattle_id_model_lookup(m, addr, staged);
	struct wattle_fixture *f = test->priv;
	struct wattle_identity_info info;
	bool found;

	rcu_read_lock();
	found = wattle_identity_lookup(&f->config->identities, addr,
				       wattle_fixture_gen(f, staged), &info);
	KUNIT_EXPECT_EQ(test, found, !!want);
	if (found && want) {
		KUNIT_EXPECT_EQ(test, info.id, want->state[staged].id);
		KUNIT_EXPECT_EQ(test, info.prefix_len, want->prefix.len);
		KUNIT_EXPECT_EQ(test, !info.via, ipv6_addr_any(&want->state[staged].via));
		if (info.via)
			KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(info.via,
								&want->state[staged].via));
	}
	rcu_read_unlock();
}

static void wattle_id_model_step(struct wattle_id_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;
	unsigned int i;

	if (step != WATTLE_STEP_COMMIT && step != WATTLE_STEP_ABORT)
		return;
	for (i = 0; i < WATTLE_ID_TEST_PREFIXES; i++)
		m->items[i].state[!from] = m->items[i].state[from];
}

static void wattle_id_test_change(struct kunit *test, struct wattle_id_model *m, bool open)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_id_item *item;
	struct wattle_identity_spec spec = {};
	bool replace = wattle_random_below(&f->random, 2);
	int err, want;

	item = &m->items[wattle_random_below(&f->random, WATTLE_ID_TEST_PREFIXES)];
	spec.prefix = item->prefix;
	spec.id = 1 + wattle_random_below(&f->random, 0xffffff);
	if (wattle_random_below(&f->random, 2))
		spec.via = wattle_test_v4(0xc0000200 + 1 + wattle_random_below(&f->random, 5));
	wattle_fixture_deny(f);
	if (wattle_random_below(&f->random, 3)) {
		err = wattle_config_identity_add(f->config, WATTLE_TEST_OWNER, &spec, replace,
						 &f->why);
		want = item->state[1].there && !replace ? -EEXIST : 0;
		if (!err) {
			item->state[1].there = true;
			item->state[1].id = spec.id;
			item->state[1].via = spec.via;
		}
	} else {
		err = wattle_config_identity_del(f->config, WATTLE_TEST_OWNER, &spec.prefix,
						 &f->why);
		want = item->state[1].there ? 0 : -ENOENT;
		if (!err)
			item->state[1].there = false;
	}
	KUNIT_EXPECT_EQ(test, err, wattle_test_denied() && err ? -ENOMEM : want);
	wattle_test_deny(-1);
	if (!open)
		wattle_id_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

/* Any sequence of changes, transactions and failures leaves what a list would hold. */
static void wattle_id_test_random(struct kunit *test)
{
	struct wattle_id_model *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	enum wattle_test_step step;
	struct in6_addr addr;
	bool open = false;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	wattle_id_model_begin(m);
	for (i = 0; i < WATTLE_TEST_STEPS(8000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_id_test_change(test, m, open);
		else
			wattle_id_model_step(m, step);
		addr = m->items[wattle_random_below(&f->random,
						    WATTLE_ID_TEST_PREFIXES)].prefix.addr;
		if (!wattle_random_below(&f->random, 4))
			addr.s6_addr[15] ^= 1;
		wattle_id_test_check(test, m, &addr, false);
		wattle_id_test_check(test, m, &addr, true);
		cond_resched();
	}
	kfree(m);
}

/* When all is deleted and reclaimed, nothing is left: no version, no tunnel end point. */
static void wattle_id_test_empty(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_identities *ids = &f->config->identities;
	struct wattle_identity_spec spec = { .id = 7 };
	unsigned int i, round;

	for (round = 0; round < 40; round++) {
		for (i = 0; i < 20; i++) {
			spec.prefix = wattle_test_prefix4(0x0a000000 + (i << 8), i & 1 ? 32 : 24);
			spec.via = wattle_test_v4(0xc0000200 + i + 1);
			KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, true,
									 &f->why), 0);
		}
	}
	for (i = 0; i < 20; i++) {
		spec.prefix = wattle_test_prefix4(0x0a000000 + (i << 8), i & 1 ? 32 : 24);
		KUNIT_EXPECT_EQ(test, wattle_config_identity_del(f->config, 0, &spec.prefix,
								 &f->why), 0);
	}
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, atomic_read(&ids->hosts.nelems), 0);
	KUNIT_EXPECT_EQ(test, ids->nets.count, (size_t)0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ids->via_by_addr.nelems), 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ids->vias));
}

/* A change that is refused says where and why, and changes nothing. */
static void wattle_id_test_refusals(struct kunit *test)
{
	struct wattle_identity_spec spec = {
		.id = 7, .prefix = wattle_test_prefix4(0x0a000000, 8),
	};
	struct wattle_fixture *f = test->priv;
	u64 gen = wattle_generation(f->config);

	spec.prefix.addr = wattle_test_v4(0x0a000001);
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_ADDR);
	spec.prefix.len = 128;
	spec.id = 0;
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_ID);
	spec.id = WATTLE_ID_LOCAL_MIN;
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	spec.id = 0xffffff;
	spec.via = wattle_test_v4(0xe0000001);
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_VIA);
	KUNIT_EXPECT_EQ(test, wattle_generation(f->config), gen);
	spec.via = in6addr_any;
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, wattle_generation(f->config), gen + 1);
}

/* One address, changed over and over within and between transactions, does not pile up. */
static void wattle_id_test_flapping(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_identity_spec spec = { .prefix = wattle_test_prefix4(0x0a000001, 32) };
	struct wattle_identities *ids = &f->config->identities;
	unsigned int i;

	for (i = 1; i <= 500; i++) {
		spec.id = i;
		KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, true,
								 &f->why), 0);
	}
	KUNIT_EXPECT_LE(test, atomic_read(&ids->hosts.nelems), WATTLE_HOST_VERSIONS + 2);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why), 0);
	for (i = 1; i <= 500; i++) {
		spec.id = i;
		if (i & 1)
			wattle_config_identity_del(f->config, WATTLE_TEST_OWNER, &spec.prefix,
						   &f->why);
		KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, WATTLE_TEST_OWNER,
								 &spec, true, &f->why), 0);
	}
	KUNIT_EXPECT_LE(test, atomic_read(&ids->hosts.nelems), WATTLE_HOST_VERSIONS + 2);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(f->config, WATTLE_TEST_OWNER, NULL, &f->why),
			0);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, atomic_read(&ids->hosts.nelems), 1);
}

static struct kunit_case wattle_identity_cases[] = {
	KUNIT_CASE(wattle_id_test_random),
	KUNIT_CASE(wattle_id_test_empty),
	KUNIT_CASE(wattle_id_test_refusals),
	KUNIT_CASE(wattle_id_test_flapping),
	{}
};

struct kunit_suite wattle_identity_suite = {
	.name = "identity",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_identity_cases,
};
