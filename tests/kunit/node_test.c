// SPDX-License-Identifier: GPL-2.0-only
/* Nodes against a list. */

#include "fixture.h"
#include "suites.h"
#include "node.c"

#define WATTLE_NODE_TEST_NODES	8
#define WATTLE_NODE_TEST_CIDRS	4
#define WATTLE_NODE_TEST_POOL	12	/* prefixes and addresses that nodes contend for */

struct wattle_node_state {
	bool there;
	int addr4;			/* of the pool, or -1 */
	int addr6;
	unsigned int cidr_count;
	unsigned int cidrs[WATTLE_NODE_TEST_CIDRS];	/* of the pool */
};

struct wattle_node_model {
	struct wattle_node_state states[2][WATTLE_NODE_TEST_NODES];	/* published, staged */
};

static struct wattle_prefix wattle_node_test_cidr(unsigned int i)
{
	return wattle_test_prefix4(0x0a000000 + ((i % 4) << 16), i < 4 ? 16 : 20 + i / 4);
}

static struct in6_addr wattle_node_test_addr4(int i)
{
	return i < 0 ? in6addr_any : wattle_test_v4(0xc0000201 + i);
}

static struct in6_addr wattle_node_test_addr6(int i)
{
	return i < 0 ? in6addr_any : wattle_test_v6(1 + i);
}

static void wattle_node_test_name(unsigned int n, char *name)
{
	sprintf(name, "node-%u", n);
}

static void wattle_node_test_spec(struct wattle_random *random, struct wattle_node_state *s)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	s->there = true;
	s->addr4 = (int)wattle_random_below(random, WATTLE_NODE_TEST_POOL + 2) - 2;
	s->addr6 = (int)wattle_random_below(random, WATTLE_NODE_TEST_POOL + 2) - 2;
	s->cidr_count = wattle_random_below(random, WATTLE_NODE_TEST_CIDRS);
	for (i = 0; i < s->cidr_count; i++)
		s->cidrs[i] = wattle_random_below(random, WATTLE_NODE_TEST_POOL);
}

static bool wattle_node_test_has_cidr(const struct wattle_node_state *s, unsigned int cidr,
				      unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (s->cidrs[i] == cidr)
			return true;
	}
	return false;
}

/* What the contract says of adding @s as node @n to what is staged. */
static int wattle_node_model_check(const struct wattle_node_model *m,
				   const struct wattle_node_state *s, unsigned int n,
				   bool replace)
{
	const struct wattle_node_state *other;
	unsigned int i, j;

	if (s->addr4 < 0 && s->addr6 < 0)
		return -EINVAL;
	if (m->states[1][n].there && !replace)
		return -EEXIST;
	for (i = 0; i < s->cidr_count; i++) {
		if (wattle_node_test_has_cidr(s, s->cidrs[i], i))
			return -EEXIST;
	}
	for (i = 0; i < WATTLE_NODE_TEST_NODES; i++) {
		other = &m->states[1][i];
		if (i == n || !other->there)
			continue;
		if ((s->addr4 >= 0 && s->addr4 == other->addr4) ||
		    (s->addr6 >= 0 && s->addr6 == other->addr6))
			return -EEXIST;
		for (j = 0; j < s->cidr_count; j++) {
			if (wattle_node_test_has_cidr(other, s->cidrs[j], other->cidr_count))
				return -EEXIST;
		}
	}
	return 0;
}

static void wattle_node_model_step(struct wattle_node_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;

	if (step == WATTLE_STEP_COMMIT || step == WATTLE_STEP_ABORT)
		memcpy(m->states[!from], m->states[from], sizeof(m->states[0]));
}

static void wattle_node_test_change(struct kunit *test, struct wattle_node_model *m, bool open)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i, n = wattle_random_below(&f->random, WATTLE_NODE_TEST_NODES);
	struct wattle_prefix cidrs[WATTLE_NODE_TEST_CIDRS];
	bool replace = wattle_random_below(&f->random, 2);
	struct wattle_node_spec spec = { .cidrs = cidrs };
	struct wattle_node_state s;
	char name[16];
	int err, want;

	wattle_node_test_name(n, name);
	wattle_fixture_deny(f);
	if (wattle_random_below(&f->random, 3)) {
		wattle_node_test_spec(&f->random, &s);
		spec.name = name;
		spec.addr4 = wattle_node_test_addr4(s.addr4);
		spec.addr6 = wattle_node_test_addr6(s.addr6);
		spec.cidr_count = s.cidr_count;
		for (i = 0; i < s.cidr_count; i++)
			cidrs[i] = wattle_node_test_cidr(s.cidrs[i]);
		want = wattle_node_model_check(m, &s, n, replace);
		err = wattle_config_node_add(f->config, WATTLE_TEST_OWNER, &spec, replace,
					     &f->why);
		if (!err)
			m->states[1][n] = s;
	} else {
		want = m->states[1][n].there ? 0 : -ENOENT;
		err = wattle_config_node_del(f->config, WATTLE_TEST_OWNER, name, &f->why);
		if (!err)
			m->states[1][n].there = false;
	}
	/* What is refused may have run out of memory first. */
	if (!(err == -ENOMEM && wattle_test_denied()))
		KUNIT_EXPECT_EQ(test, err, want);
	wattle_test_deny(-1);
	if (!open)
		wattle_node_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

static int wattle_node_model_by_cidr(const struct wattle_node_model *m,
				     const struct in6_addr *addr, bool staged)
{
	const struct wattle_node_state *s;
	struct wattle_prefix cidr;
	int best = -1, len = -1;
	unsigned int i, j;

	for (i = 0; i < WATTLE_NODE_TEST_NODES; i++) {
		s = &m->states[staged][i];
		for (j = 0; s->there && j < s->cidr_count; j++) {
			cidr = wattle_node_test_cidr(s->cidrs[j]);
			if (ipv6_prefix_equal(&cidr.addr, addr, cidr.len) && cidr.len > len) {
				best = i;
				len = cidr.len;
			}
		}
	}
	return best;
}

static void wattle_node_test_expect(struct kunit *test, const struct wattle_node *node, int want)
{
	char name[16];

	KUNIT_EXPECT_EQ(test, !!node, want >= 0);
	if (!node || want < 0)
		return;
	wattle_node_test_name(want, name);
	KUNIT_EXPECT_STREQ(test, node->name, name);
}

static void wattle_node_test_check(struct kunit *test, const struct wattle_node_model *m,
				   bool staged)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_nodes *nodes = &f->config->nodes;
	unsigned int i, n = wattle_random_below(&f->random, WATTLE_NODE_TEST_NODES);
	int at = wattle_random_below(&f->random, WATTLE_NODE_TEST_POOL);
	int by_addr4 = -1, by_addr6 = -1;
	struct in6_addr addr;
	char name[WATTLE_NAME_MAX + 1] = "";
	u64 gen;

	for (i = 0; i < WATTLE_NODE_TEST_NODES; i++) {
		if (m->states[staged][i].there && m->states[staged][i].addr4 == at)
			by_addr4 = i;
		if (m->states[staged][i].there && m->states[staged][i].addr6 == at)
			by_addr6 = i;
	}
	rcu_read_lock();
	gen = wattle_fixture_gen(f, staged);
	wattle_node_test_name(n, name);
	wattle_node_test_expect(test, wattle_node_by_name(nodes, name, gen),
				m->states[staged][n].there ? (int)n : -1);
	addr = wattle_node_test_addr4(at);
	wattle_node_test_expect(test, wattle_node_by_addr(nodes, &addr, gen), by_addr4);
	addr = wattle_node_test_addr6(at);
	wattle_node_test_expect(test, wattle_node_by_addr(nodes, &addr, gen), by_addr6);
	addr = wattle_test_v4(0x0a000000 + (wattle_random(&f->random) & 0x7ffff));
	wattle_node_test_expect(test, wattle_node_by_cidr(nodes, &addr, gen),
				wattle_node_model_by_cidr(m, &addr, staged));
	rcu_read_unlock();
}

/* Any sequence of changes, transactions and failures leaves what a list would hold. */
static void wattle_node_test_random(struct kunit *test)
{
	struct wattle_node_model *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	struct wattle_nodes *nodes = &f->config->nodes;
	enum wattle_test_step step;
	bool open = false;
	unsigned int i;
	char name[16];

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < WATTLE_TEST_STEPS(6000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_node_test_change(test, m, open);
		else
			wattle_node_model_step(m, step);
		wattle_node_test_check(test, m, false);
		wattle_node_test_check(test, m, true);
		cond_resched();
	}
	if (open)
		wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	for (i = 0; i < WATTLE_NODE_TEST_NODES; i++) {
		wattle_node_test_name(i, name);
		wattle_config_node_del(f->config, 0, name, &f->why);
	}
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, nodes->count, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&nodes->by_name.ht.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&nodes->by_addr.ht.nelems), 0);
	KUNIT_EXPECT_EQ(test, nodes->by_cidr.count, (size_t)0);
	kfree(m);
}

static void wattle_node_test_refusals(struct kunit *test)
{
	static const char *const names[] = { "", "a b", "a/b", "a\n", "\xc3\xa4" };
	struct wattle_prefix cidrs[] = {
		wattle_test_prefix4(0x0a000000, 24), wattle_test_prefix4(0x0a000000, 24),
	};
	struct wattle_node_spec spec = { .name = "n1", .cidrs = cidrs };
	struct wattle_fixture *f = test->priv;
	unsigned int i;
	char *name;

	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_ADDR);
	spec.addr4 = wattle_test_v4(0xc0000201);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		spec.name = names[i];
		KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_NAME);
	}
	name = kzalloc(WATTLE_NAME_MAX + 2, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, name);
	memset(name, 'x', WATTLE_NAME_MAX + 1);
	spec.name = name;
	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	name[WATTLE_NAME_MAX] = 0;
	spec.cidr_count = 2;
	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_CIDR);
	KUNIT_EXPECT_EQ(test, f->why.index, 1u);
	cidrs[1].addr = wattle_test_v4(0x0a000001);
	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	spec.cidr_count = 1;
	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &spec, false, &f->why), 0);
	kfree(name);
}

static struct kunit_case wattle_node_cases[] = {
	KUNIT_CASE(wattle_node_test_random),
	KUNIT_CASE(wattle_node_test_refusals),
	{}
};

struct kunit_suite wattle_node_suite = {
	.name = "node",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_node_cases,
};
