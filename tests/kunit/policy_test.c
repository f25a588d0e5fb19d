// SPDX-License-Identifier: GPL-2.0-only
/* Policy against a list of rules that is read from one end to the other. */

#include "fixture.h"
#include "suites.h"
#include "policy.c"
#include "policy_write.c"
#include "policy_names.c"
#include "policy_count.c"
#include "tally.c"

#define WATTLE_RULE_TEST_RULES	192

struct wattle_rule_item {
	struct wattle_rule_spec spec;
	bool there[2];		/* published, staged */
};

struct wattle_rule_model {
	struct wattle_rule_item items[WATTLE_RULE_TEST_RULES];
};

static const u16 wattle_rule_test_ranges[][2] = {
	{ 0, 65535 }, { 80, 80 }, { 443, 443 }, { 80, 443 }, { 1, 65535 }, { 0, 0 },
	{ 1024, 2047 }, { 1000, 3000 }, { 65535, 65535 }, { 8080, 8081 }, { 2048, 2048 },
};

static const u32 wattle_rule_test_ids[] = { 1, 2, 6, 300, 301, 0xffffff };

static u32 wattle_rule_test_id(struct wattle_random *random)
{
	unsigned int i = wattle_random_below(random, ARRAY_SIZE(wattle_rule_test_ids));

	return wattle_rule_test_ids[i];
}

static void wattle_rule_test_spec(struct wattle_random *random, struct wattle_rule_spec *spec)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	unsigned int i = wattle_random_below(random, ARRAY_SIZE(wattle_rule_test_ranges));
	const u16 *range = wattle_rule_test_ranges[i];
	u32 addr = 0x0a000000 + wattle_random_below(random, 4) * 0x100;

	*spec = (struct wattle_rule_spec){
		.subject = 300 + wattle_random_below(random, 2),
		.direction = wattle_random_below(random, 2),
		.peer_kind = wattle_random_below(random, 3),
		.outside = !wattle_random_below(random, 4),
		.any_proto = !wattle_random_below(random, 6),
		.action = wattle_random_below(random, 2),
		.priority = wattle_random_below(random, 3) * 255,
		.port_max = U16_MAX,
	};
	if (!spec->any_proto) {
		spec->proto = protos[wattle_random_below(random, ARRAY_SIZE(protos))];
		spec->port_min = range[0];
		spec->port_max = range[1];
	}
	if (spec->peer_kind == WATTLE_PEER_KIND_IDENTITY)
		spec->peer_id = wattle_rule_test_id(random);
	if (spec->peer_kind == WATTLE_PEER_KIND_PREFIX)
		spec->peer = wattle_test_prefix4(addr, wattle_random_below(random, 4) * 8 + 8);
}

static bool wattle_rule_test_same(const struct wattle_rule_spec *a,
				  const struct wattle_rule_spec *b)
{
	return a->subject == b->subject && a->direction == b->direction &&
	       a->peer_kind == b->peer_kind && a->outside == b->outside &&
	       a->any_proto == b->any_proto && a->proto == b->proto && a->action == b->action &&
	       a->priority == b->priority && a->port_min == b->port_min &&
	       a->port_max == b->port_max && a->peer_id == b->peer_id &&
	       a->peer.len == b->peer.len && ipv6_addr_equal(&a->peer.addr, &b->peer.addr);
}

static void wattle_rule_model_begin(struct wattle_random *random, struct wattle_rule_model *m)
{
	unsigned int i, j;

	for (i = 0; i < WATTLE_RULE_TEST_RULES; i++) {
again:
		wattle_rule_test_spec(random, &m->items[i].spec);
		for (j = 0; j < i; j++) {
			if (wattle_rule_test_same(&m->items[i].spec, &m->items[j].spec))
				goto again;
		}
	}
}

static bool wattle_rule_test_matches(const struct wattle_rule_spec *spec,
				     const struct wattle_question *q)
{
	if (spec->subject != q->subject || spec->direction != q->direction)
		return false;
	if (!spec->any_proto && (spec->proto != q->proto || q->port < spec->port_min ||
				 q->port > spec->port_max))
		return false;
	if (spec->outside && !wattle_identity_is_outside(q->peer_id))
		return false;
	switch (spec->peer_kind) {
	case WATTLE_PEER_KIND_IDENTITY:
		return spec->peer_id == q->peer_id;
	case WATTLE_PEER_KIND_PREFIX:
		return ipv6_prefix_equal(&spec->peer.addr, q->peer, spec->peer.len);
	default:
		return true;
	}
}

/* The words of the contract, as plainly as can be. */
static void wattle_rule_test_judge(const struct wattle_rule_model *m,
				   const struct wattle_question *q, bool staged,
				   struct wattle_judgement *out,
				   const struct wattle_rule_spec **decided)
{
	const struct wattle_rule_spec *spec, *best = NULL;
	unsigned int i;

	*out = (struct wattle_judgement){
		.enforced = q->enforce & (q->direction == WATTLE_DIRECTION_EGRESS ?
					  WATTLE_ENFORCE_EGRESS : WATTLE_ENFORCE_INGRESS),
	};
	for (i = 0; i < WATTLE_RULE_TEST_RULES; i++) {
		spec = &m->items[i].spec;
		if (!m->items[i].there[staged])
			continue;
		if (spec->subject == q->subject && spec->direction == q->direction)
			out->enforced = true;
		if (!wattle_rule_test_matches(spec, q))
			continue;
		if (!best || spec->priority < best->priority ||
		    (spec->priority == best->priority && spec->action < best->action))
			best = spec;
	}
	out->allow = best ? best->action == WATTLE_ACTION_ALLOW : !out->enforced;
	*decided = best;
}

static void wattle_rule_test_question(struct wattle_random *random, struct wattle_question *q,
				      struct in6_addr *peer)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_GRE };
	static const u16 ports[] = { 0, 1, 79, 80, 81, 442, 443, 444, 1000, 1023, 1024, 2047,
				     2048, 3000, 3001, 8080, 8081, 8082, 65534, 65535 };

	*peer = wattle_test_v4(0x0a000000 + (wattle_random(random) & 0x01000701));
	*q = (struct wattle_question){
		.subject = 300 + wattle_random_below(random, 3),
		.peer_id = wattle_rule_test_id(random),
		.peer = peer,
		.port = ports[wattle_random_below(random, ARRAY_SIZE(ports))],
		.direction = wattle_random_below(random, 2),
		.proto = protos[wattle_random_below(random, ARRAY_SIZE(protos))],
		.enforce = wattle_random_below(random, 4),
	};
	if (!wattle_random_below(random, 8))
		q->peer_id = WATTLE_ID_UNKNOWN;
	else if (!wattle_random_below(random, 8))
		q->peer_id = WATTLE_ID_LOCAL_MIN + wattle_random_below(random, 4);
}

static void wattle_rule_test_check(struct kunit *test, const struct wattle_rule_model *m,
				   bool staged)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_judgement got, want;
	const struct wattle_rule_spec *decided;
	struct wattle_rule_spec spec;
	struct wattle_question q;
	struct in6_addr peer;
	const char *origin;

	wattle_rule_test_question(&f->random, &q, &peer);
	wattle_rule_test_judge(m, &q, staged, &want, &decided);
	rcu_read_lock();
	wattle_policy_judge(&f->config->policies, &q, wattle_fixture_gen(f, staged), &got);
	KUNIT_EXPECT_EQ(test, got.enforced, want.enforced);
	KUNIT_EXPECT_EQ(test, got.allow, want.allow);
	KUNIT_EXPECT_EQ(test, !got.rule, !decided);
	if (got.rule && decided) {
		wattle_rule_describe(&f->config->policies, got.rule, &spec, &origin);
		KUNIT_EXPECT_TRUE(test, wattle_rule_test_matches(&spec, &q));
		KUNIT_EXPECT_EQ(test, spec.priority, decided->priority);
		KUNIT_EXPECT_EQ(test, spec.action, decided->action);
	}
	rcu_read_unlock();
}

static void wattle_rule_model_step(struct wattle_rule_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;
	unsigned int i;

	if (step != WATTLE_STEP_COMMIT && step != WATTLE_STEP_ABORT)
		return;
	for (i = 0; i < WATTLE_RULE_TEST_RULES; i++)
		m->items[i].there[!from] = m->items[i].there[from];
}

static int wattle_rule_test_flush(struct wattle_fixture *f, struct wattle_rule_model *m)
{
	u32 subject = wattle_random_below(&f->random, 3);
	unsigned int i;
	int err;

	if (subject)
		subject += 299;
	err = wattle_config_rule_flush(f->config, WATTLE_TEST_OWNER, subject, &f->why);
	for (i = 0; !err && i < WATTLE_RULE_TEST_RULES; i++) {
		if (!subject || m->items[i].spec.subject == subject)
			m->items[i].there[1] = false;
	}
	return err;
}

static void wattle_rule_test_change(struct kunit *test, struct wattle_rule_model *m, bool open)
{
	static const char *const origins[] = { "", "default/a", "kube-system/b" };
	struct wattle_fixture *f = test->priv;
	bool replace = wattle_random_below(&f->random, 2);
	struct wattle_rule_item *item;
	int err, want = 0;

	item = &m->items[wattle_random_below(&f->random, WATTLE_RULE_TEST_RULES)];
	wattle_fixture_deny(f);
	if (!wattle_random_below(&f->random, 64)) {
		err = wattle_rule_test_flush(f, m);
	} else if (wattle_random_below(&f->random, 2)) {
		err = wattle_config_rule_add(f->config, WATTLE_TEST_OWNER, &item->spec,
					     origins[wattle_random_below(&f->random, 3)],
					     replace, &f->why);
		want = item->there[1] && !replace ? -EEXIST : 0;
		item->there[1] |= !err;
	} else {
		err = wattle_config_rule_del(f->config, WATTLE_TEST_OWNER, &item->spec, &f->why);
		want = item->there[1] ? 0 : -ENOENT;
		item->there[1] &= !!err;
	}
	/* The worker may be the one that is denied memory, and does without. */
	KUNIT_EXPECT_TRUE(test, err == want || (err == -ENOMEM && wattle_test_denied()));
	wattle_test_deny(-1);
	if (!open)
		wattle_rule_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

/* Any sequence of changes, transactions and failures judges as a list would. */
static void wattle_rule_test_random(struct kunit *test)
{
	struct wattle_rule_model *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	struct wattle_policies *policies = &f->config->policies;
	enum wattle_test_step step;
	bool open = false;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	wattle_rule_model_begin(&f->random, m);
	for (i = 0; i < WATTLE_TEST_STEPS(8000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_rule_test_change(test, m, open);
		else
			wattle_rule_model_step(m, step);
		wattle_rule_test_check(test, m, false);
		wattle_rule_test_check(test, m, false);
		wattle_rule_test_check(test, m, true);
		cond_resched();
	}
	if (open)
		wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	KUNIT_EXPECT_EQ(test, wattle_config_rule_flush(f->config, 0, 0, &f->why), 0);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, policies->count, 0u);
	KUNIT_EXPECT_EQ(test, policies->linked, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&policies->subjects.ht.nelems), 0);
	KUNIT_EXPECT_EQ(test, policies->prefixes.count, (size_t)0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&policies->peers));
	KUNIT_EXPECT_TRUE(test, xa_empty(&policies->origins));
	kfree(m);
}

/* A range of ports is in its bin, and in no smaller one. */
static void wattle_rule_test_bins(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_slot low, high;
	unsigned int i, bin;
	u16 a, b;

	for (i = 0; i < 5000; i++) {
		a = wattle_random(&f->random) >> wattle_random_below(&f->random, 17);
		b = a + (wattle_random_below(&f->random, 0x10000 - a) >>
			 wattle_random_below(&f->random, 16));
		bin = wattle_bin_size(a, b);
		wattle_slot_set(&low, 0, IPPROTO_TCP, a, bin);
		wattle_slot_set(&high, 0, IPPROTO_TCP, b, bin);
		KUNIT_EXPECT_EQ(test, low.ports, high.ports);
		if (!bin)
			continue;
		wattle_slot_set(&low, 0, IPPROTO_TCP, a, bin - 1);
		wattle_slot_set(&high, 0, IPPROTO_TCP, b, bin - 1);
		KUNIT_EXPECT_NE(test, low.ports, high.ports);
	}
}

static void wattle_rule_test_refuse(struct kunit *test, struct wattle_rule_spec spec,
				    enum wattle_field field)
{
	struct wattle_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &spec, "", false, &f->why),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, field);
	KUNIT_EXPECT_NOT_NULL(test, f->why.message);
}

static void wattle_rule_test_refusals(struct kunit *test)
{
	const struct wattle_rule_spec good = {
		.subject = 300, .proto = IPPROTO_TCP, .port_min = 80, .port_max = 80,
	};
	struct wattle_fixture *f = test->priv;
	struct wattle_rule_spec spec;

	spec = good;
	spec.subject = 0;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_ID);
	spec = good;
	spec.subject = WATTLE_ID_LOCAL_MIN;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_ID);
	spec = good;
	spec.port_min = 81;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_PORT);
	spec = good;
	spec.any_proto = true;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_PORT);
	spec = good;
	spec.proto = IPPROTO_GRE;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_PORT);
	spec = good;
	spec.peer_kind = WATTLE_PEER_KIND_IDENTITY;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_PEER);
	spec = good;
	spec.peer_kind = WATTLE_PEER_KIND_PREFIX;
	spec.peer.addr = wattle_test_v4(0x0a000001);
	spec.peer.len = 104;
	wattle_rule_test_refuse(test, spec, WATTLE_FIELD_PEER);
	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &good, "a/b", false, &f->why),
			0);
	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &good, "a/c", false, &f->why),
			-EEXIST);
}

/* Replacing a rule changes where it is from, and nothing else. */
static void wattle_rule_test_origin(struct kunit *test)
{
	const struct wattle_rule_spec rule = {
		.subject = 300, .proto = IPPROTO_TCP, .port_min = 80, .port_max = 80,
		.action = WATTLE_ACTION_ALLOW, .priority = 0x1234,
	};
	const struct wattle_question q = { .subject = 300, .proto = IPPROTO_TCP, .port = 80 };
	static const char *const origins[] = { "a/b", "a/c", "" };
	struct wattle_fixture *f = test->priv;
	struct wattle_judgement judgement;
	struct wattle_rule_spec spec;
	const char *origin;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(origins); i++) {
		KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &rule, origins[i], i,
							     &f->why), 0);
		rcu_read_lock();
		wattle_policy_judge(&f->config->policies, &q, wattle_generation(f->config),
				    &judgement);
		KUNIT_EXPECT_TRUE(test, judgement.enforced && judgement.allow);
		KUNIT_EXPECT_NOT_NULL(test, judgement.rule);
		if (judgement.rule) {
			wattle_rule_describe(&f->config->policies, judgement.rule, &spec, &origin);
			KUNIT_EXPECT_STREQ(test, origin, origins[i]);
			KUNIT_EXPECT_TRUE(test, wattle_rule_test_same(&spec, &rule));
		}
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, f->config->policies.count, 1u);
}

#define WATTLE_COUNT_TEST_RULES	600	/* more than slots */

static struct wattle_rule_spec wattle_count_test_spec(unsigned int i)
{
	return (struct wattle_rule_spec){
		.subject = 300, .proto = IPPROTO_TCP, .port_min = i + 1, .port_max = i + 1,
		.action = i & 1,
	};
}

/* The rule for a port, at what is published. */
static const struct wattle_rule *wattle_count_test_rule(struct wattle_fixture *f, unsigned int i)
{
	const struct wattle_question q = {
		.subject = 300, .peer_id = 301, .proto = IPPROTO_TCP, .port = i + 1,
	};
	struct wattle_judgement out;

	wattle_policy_judge(&f->config->policies, &q, wattle_fixture_gen(f, false), &out);
	return out.rule;
}

static void wattle_count_test_tally(struct kunit *test, struct wattle_tally *tallies,
				    unsigned int i, unsigned int packets)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_tally *tally;

	tally = wattle_tally_get(&f->config->policies, tallies, wattle_count_test_rule(f, i));
	KUNIT_EXPECT_NOT_NULL(test, tally);
	if (!tally)
		return;
	tally->packets += packets;
	tally->bytes += packets * 100;
}

/* Nothing gets lost where more rules count than there are slots. */
static void wattle_rule_test_counters(struct kunit *test)
{
	struct wattle_tally *tallies = kcalloc(WATTLE_TALLY_SLOTS, sizeof(*tallies), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	struct wattle_rule_total total;
	struct wattle_rule_spec spec;
	unsigned int i, round;

	KUNIT_ASSERT_NOT_NULL(test, tallies);
	for (i = 0; i < WATTLE_COUNT_TEST_RULES; i++) {
		spec = wattle_count_test_spec(i);
		KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &spec, "", false,
							     &f->why), 0);
	}
	rcu_read_lock();
	for (round = 0; round < 3; round++)
		for (i = 1; i < WATTLE_COUNT_TEST_RULES; i++)
			wattle_count_test_tally(test, tallies, i, i);
	wattle_tally_flush(tallies);
	for (i = 0; i < WATTLE_COUNT_TEST_RULES; i++) {
		wattle_rule_total(&f->config->policies, wattle_count_test_rule(f, i), &total);
		KUNIT_EXPECT_EQ(test, total.packets, 3ULL * i);
		KUNIT_EXPECT_EQ(test, total.bytes, 300ULL * i);
	}
	rcu_read_unlock();
	/* That which never matched has none. */
	KUNIT_EXPECT_EQ(test, atomic_read(&f->config->policies.counts.nelems),
			WATTLE_COUNT_TEST_RULES - 1);
	kfree(tallies);
}

/* Who holds counters may add to them when the rule is gone; another rule gets none of it. */
static void wattle_rule_test_counters_stay(struct kunit *test)
{
	struct wattle_tally *tallies = kcalloc(WATTLE_TALLY_SLOTS, sizeof(*tallies), GFP_KERNEL);
	const struct wattle_rule_spec spec = wattle_count_test_spec(0);
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;
	const struct wattle_rule *rule;
	struct wattle_rule_total total;
	struct wattle_tally *tally;

	KUNIT_ASSERT_NOT_NULL(test, tallies);
	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(c, 0, &spec, "", false, &f->why), 0);
	rcu_read_lock();
	wattle_count_test_tally(test, tallies, 0, 1);
	rule = wattle_count_test_rule(f, 0);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, wattle_config_rule_del(c, 0, &spec, &f->why), 0);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->policies.counts.nelems), 0);
	tally = &tallies[hash_ptr(rule, WATTLE_TALLY_BITS)];
	KUNIT_EXPECT_FALSE(test, wattle_rule_count_is(tally->count, rule));
	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(c, 0, &spec, "", false, &f->why), 0);
	rcu_read_lock();
	wattle_count_test_tally(test, tallies, 0, 7);
	wattle_tally_flush(tallies);
	wattle_rule_total(&c->policies, wattle_count_test_rule(f, 0), &total);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, total.packets, 7ULL);
	kfree(tallies);
}

static struct kunit_case wattle_policy_cases[] = {
	KUNIT_CASE(wattle_rule_test_random),
	KUNIT_CASE(wattle_rule_test_bins),
	KUNIT_CASE(wattle_rule_test_refusals),
	KUNIT_CASE(wattle_rule_test_origin),
	KUNIT_CASE(wattle_rule_test_counters),
	KUNIT_CASE(wattle_rule_test_counters_stay),
	{}
};

struct kunit_suite wattle_policy_suite = {
	.name = "policy",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_policy_cases,
};
