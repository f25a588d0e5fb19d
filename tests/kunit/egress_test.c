// SPDX-License-Identifier: GPL-2.0-only
/* Egress rules against a list that is searched from one end to the other. */

#include "fixture.h"
#include "suites.h"
#include "egress.c"

#define WATTLE_EGRESS_TEST_FROMS	6	/* two addresses, three identities, any */
#define WATTLE_EGRESS_TEST_TOS		11	/* prefixes that nest */

struct wattle_egress_state {
	bool there;
	struct wattle_egress_spec spec;
};

struct wattle_egress_model {
	/* published, staged */
	struct wattle_egress_state states[2][WATTLE_EGRESS_TEST_FROMS][WATTLE_EGRESS_TEST_TOS];
};

static struct wattle_egress_from wattle_egress_test_from(unsigned int i)
{
	struct wattle_egress_from from = {};

	if (i < 2)
		from.addr = wattle_test_v4(0x0a010005 + i);
	else if (i < 5)
		from.id = 300 + i;
	return from;
}

static struct wattle_prefix wattle_egress_test_to(unsigned int i)
{
	return wattle_test_prefix4(0xc6336400 + (i % 3), i < 3 ? 32 : 4 * (i - 3));
}

static void wattle_egress_test_spec(struct wattle_random *random, unsigned int from,
				    unsigned int to, struct wattle_egress_spec *spec)
{
	*spec = (struct wattle_egress_spec){
		.from = wattle_egress_test_from(from),
		.to = wattle_egress_test_to(to),
		.action = wattle_random_below(random, WATTLE_EGRESS_ACTION_VIA + 2),
	};
	if (wattle_random_below(random, 2))
		spec->addr = wattle_test_v4(0xc0000201);
}

/* What the contract says of a rule by itself. */
static bool wattle_egress_model_fits(const struct wattle_egress_spec *spec, unsigned int from)
{
	bool addr = !ipv6_addr_any(&spec->addr);

	switch (spec->action) {
	case WATTLE_EGRESS_ACTION_KEEP:
		return !addr;
	case WATTLE_EGRESS_ACTION_MASQUERADE:
	case WATTLE_EGRESS_ACTION_GATEWAY:
		return true;
	case WATTLE_EGRESS_ACTION_SKIP:
		return !addr && from != 5;
	case WATTLE_EGRESS_ACTION_VIA:
		return addr;
	default:
		return false;
	}
}

static void wattle_egress_model_step(struct wattle_egress_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;

	if (step == WATTLE_STEP_COMMIT || step == WATTLE_STEP_ABORT)
		memcpy(m->states[!from], m->states[from], sizeof(m->states[0]));
}

static void wattle_egress_test_change(struct kunit *test, struct wattle_egress_model *m, bool open)
{
	struct wattle_fixture *f = test->priv;
	unsigned int from = wattle_random_below(&f->random, WATTLE_EGRESS_TEST_FROMS);
	unsigned int to = wattle_random_below(&f->random, WATTLE_EGRESS_TEST_TOS);
	struct wattle_egress_state *s = &m->states[1][from][to];
	bool replace = wattle_random_below(&f->random, 2);
	struct wattle_egress_spec spec;
	int err, want;

	wattle_egress_test_spec(&f->random, from, to, &spec);
	wattle_fixture_deny(f);
	if (wattle_random_below(&f->random, 3)) {
		want = !wattle_egress_model_fits(&spec, from) ? -EINVAL :
		       s->there && !replace ? -EEXIST : 0;
		err = wattle_config_egress_add(f->config, WATTLE_TEST_OWNER, &spec, replace,
					       &f->why);
		if (!err)
			*s = (struct wattle_egress_state){ .there = true, .spec = spec };
	} else {
		want = s->there ? 0 : -ENOENT;
		err = wattle_config_egress_del(f->config, WATTLE_TEST_OWNER, &spec.from, &spec.to,
					       &f->why);
		if (!err)
			s->there = false;
	}
	/* What is refused may have run out of memory first. */
	if (!(err == -ENOMEM && wattle_test_denied()))
		KUNIT_EXPECT_EQ(test, err, want);
	wattle_test_deny(-1);
	if (!open)
		wattle_egress_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

/* The longest prefix of one source, unless that says to skip. */
static const struct wattle_egress_spec *
wattle_egress_model_ask(const struct wattle_egress_model *m, bool staged, unsigned int from,
			const struct in6_addr *to)
{
	const struct wattle_egress_state *s;
	const struct wattle_egress_spec *best = NULL;
	unsigned int i;

	for (i = 0; i < WATTLE_EGRESS_TEST_TOS; i++) {
		s = &m->states[staged][from][i];
		if (s->there && ipv6_prefix_equal(&s->spec.to.addr, to, s->spec.to.len) &&
		    (!best || s->spec.to.len > best->to.len))
			best = &s->spec;
	}
	return best && best->action != WATTLE_EGRESS_ACTION_SKIP ? best : NULL;
}

static void wattle_egress_test_check(struct kunit *test, const struct wattle_egress_model *m,
				     bool staged)
{
	struct wattle_fixture *f = test->priv;
	unsigned int addr = wattle_random_below(&f->random, 3);	/* the third has no rules */
	unsigned int id = 2 + wattle_random_below(&f->random, 3);
	struct in6_addr to = wattle_test_v4(0xc6336400 ^ (wattle_random(&f->random) &
							  wattle_random(&f->random)));
	struct wattle_egress_from from = { .addr = wattle_test_v4(0x0a010005 + addr),
					   .id = wattle_egress_test_from(id).id };
	const struct wattle_egress_spec *want;
	const struct wattle_egress_rule *rule;

	want = addr < 2 ? wattle_egress_model_ask(m, staged, addr, &to) : NULL;
	want = want ?: wattle_egress_model_ask(m, staged, id, &to);
	want = want ?: wattle_egress_model_ask(m, staged, 5, &to);
	rcu_read_lock();
	rule = wattle_egress_lookup(&f->config->egress, &from, &to, wattle_fixture_gen(f, staged));
	KUNIT_EXPECT_EQ(test, !!rule, !!want);
	if (rule && want) {
		KUNIT_EXPECT_EQ(test, rule->spec.action, want->action);
		KUNIT_EXPECT_EQ(test, rule->spec.to.len, want->to.len);
		KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&rule->spec.addr, &want->addr));
	}
	rcu_read_unlock();
}

/* Any sequence of changes, transactions and failures leaves what a list would hold. */
static void wattle_egress_test_random(struct kunit *test)
{
	struct wattle_egress_model *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	struct wattle_egress *egress = &f->config->egress;
	struct wattle_egress_from from;
	enum wattle_test_step step;
	struct wattle_prefix to;
	bool open = false;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < WATTLE_TEST_STEPS(6000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_egress_test_change(test, m, open);
		else
			wattle_egress_model_step(m, step);
		wattle_egress_test_check(test, m, false);
		wattle_egress_test_check(test, m, true);
		cond_resched();
	}
	if (open)
		wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	for (i = 0; i < WATTLE_EGRESS_TEST_FROMS * WATTLE_EGRESS_TEST_TOS; i++) {
		from = wattle_egress_test_from(i / WATTLE_EGRESS_TEST_TOS);
		to = wattle_egress_test_to(i % WATTLE_EGRESS_TEST_TOS);
		wattle_config_egress_del(f->config, 0, &from, &to, &f->why);
	}
	wattle_fixture_settle(f);
	KUNIT_EXPECT_TRUE(test, wattle_egress_is_empty(egress));
	KUNIT_EXPECT_EQ(test, atomic_read(&egress->rules.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&egress->sources.nelems), 0);
	kfree(m);
}

static void wattle_egress_test_refusals(struct kunit *test)
{
	struct wattle_egress_spec spec = {
		.from = { .addr = wattle_test_v6(5) },
		.to = wattle_test_prefix4(0, 0),
	};
	struct wattle_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_SOURCE);
	spec.from.addr = wattle_test_v4(0x0a010005);
	spec.from.id = 300;
	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_SOURCE);
	spec.from.addr = in6addr_any;
	spec.action = WATTLE_EGRESS_ACTION_MASQUERADE;
	spec.addr = wattle_test_v6(1);
	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_ADDR);
	spec.to.len = 95;
	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_CIDR);
	spec.to.len = 96;
	/* The tunnel and what goes through it need not be of one family. */
	spec.action = WATTLE_EGRESS_ACTION_VIA;
	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why), 0);
}

static struct kunit_case wattle_egress_cases[] = {
	KUNIT_CASE(wattle_egress_test_random),
	KUNIT_CASE(wattle_egress_test_refusals),
	{}
};

struct kunit_suite wattle_egress_suite = {
	.name = "egress",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_egress_cases,
};
