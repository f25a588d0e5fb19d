// SPDX-License-Identifier: GPL-2.0-only
/* Rules of one subject: found, shown and sound while their list and its index change. */

#include "fixture.h"
#include "suites.h"
#include <linux/kthread.h>
#include "policy_hash.c"
#include "policy_private.h"

#define WATTLE_HASH_TEST_RULES	WATTLE_TEST_STEPS(2000)

/* The @i-th of rules of which @same are in each slot. */
static struct wattle_rule_spec wattle_hash_test_spec(unsigned int i, unsigned int same)
{
	return (struct wattle_rule_spec){
		.subject = 300, .peer_kind = WATTLE_PEER_KIND_IDENTITY,
		.peer_id = 1 + i / 2 / same, .proto = IPPROTO_TCP, .port_min = 80 + (i & 1),
		.port_max = 80 + (i & 1), .action = WATTLE_ACTION_ALLOW,
		.priority = i / 2 % same,
	};
}

static unsigned int wattle_hash_test_number(const struct wattle_rule_spec *spec,
					    unsigned int same)
{
	return ((spec->peer_id - 1) * same + spec->priority) * 2 + spec->port_min - 80;
}

static int wattle_hash_test_add(struct wattle_fixture *f, u32 owner, unsigned int i,
				unsigned int same, bool replace)
{
	struct wattle_rule_spec spec = wattle_hash_test_spec(i, same);

	return wattle_config_rule_add(f->config, owner, &spec, replace ? "a/b" : "", replace,
				      &f->why);
}

static int wattle_hash_test_del(struct wattle_fixture *f, u32 owner, unsigned int i,
				unsigned int same)
{
	struct wattle_rule_spec spec = wattle_hash_test_spec(i, same);

	return wattle_config_rule_del(f->config, owner, &spec, &f->why);
}

/* In order, the index leads to the first rule of each part, and is as large as it ought to be. */
static void wattle_hash_test_subject(struct kunit *test, struct wattle_policies *policies,
				     struct wattle_subject *subject, bool fits)
{
	const struct wattle_rule_index *index = wattle_rules_locked(policies, subject->index);
	size_t bytes = struct_size(index, first, index->size);
	unsigned int count = 0, parts = 0, wrong = 0;
	struct wattle_rule *rule, *last = NULL;
	u32 part;

	for (rule = wattle_rules_first(policies, subject); rule;
	     rule = wattle_rules_next(policies, rule)) {
		part = wattle_rule_part(index, rule->hash);
		wrong += last && !wattle_rule_before(last, rule->hash, (unsigned long)rule);
		wrong += rule->subject != subject;
		if (!last || wattle_rule_part(index, last->hash) != part) {
			wrong += wattle_rules_locked(policies, index->first[part]) != rule;
			parts++;
		}
		last = rule;
		count++;
	}
	for (part = 0; part < index->size; part++)
		parts -= !!wattle_rules_locked(policies, index->first[part]);
	KUNIT_EXPECT_EQ(test, wrong, 0u);
	KUNIT_EXPECT_EQ(test, parts, 0u);
	KUNIT_EXPECT_EQ(test, count, subject->linked);
	KUNIT_EXPECT_LE(test, count, 2 * index->size);
	if (fits)		/* 64 bytes for a rule and its share */
		KUNIT_EXPECT_LE(test, bytes, max_t(size_t, 64, 16 * count));
}

static void wattle_hash_test_sound(struct kunit *test, bool fits)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_policies *policies = &f->config->policies;
	struct wattle_subject *subject;

	mutex_lock(&f->config->lock);
	list_for_each_entry(subject, &policies->all_subjects, list)
		wattle_hash_test_subject(test, policies, subject, fits);
	mutex_unlock(&f->config->lock);
}

/* What is published is found, by the writer and by readers. */
static bool wattle_hash_test_found(struct wattle_policies *policies, unsigned int i,
				   unsigned int same, u64 gen)
{
	const struct wattle_rule_spec spec = wattle_hash_test_spec(i, same);
	const struct wattle_question q = {
		.subject = 300, .peer_id = spec.peer_id, .proto = IPPROTO_TCP,
		.port = spec.port_min,
	};
	struct wattle_judgement out;

	wattle_policy_judge(policies, &q, gen, &out);
	return out.rule && out.rule->peer == spec.peer_id &&
	       wattle_rule_port_min(out.rule) == spec.port_min &&
	       wattle_rule_priority(out.rule) <= spec.priority;
}

static void wattle_hash_test_find_all(struct kunit *test, const bool *there, unsigned int same)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i, lost = 0;

	for (i = 0; i < WATTLE_HASH_TEST_RULES; i++) {
		rcu_read_lock();
		lost += there[i] && !wattle_hash_test_found(&f->config->policies, i, same,
							    wattle_generation(f->config));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, lost, 0u);
}

/* One change by chance, @grow of four times an addition; allocations fail where @deny. */
static void wattle_hash_test_change(struct kunit *test, bool *there, unsigned int same,
				    unsigned int grow, bool deny)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i = wattle_random_below(&f->random, WATTLE_HASH_TEST_RULES);
	bool add = wattle_random_below(&f->random, 4) < grow;
	int err, want = add || there[i] ? 0 : -ENOENT;

	if (deny)
		wattle_fixture_deny(f);
	err = add ? wattle_hash_test_add(f, 0, i, same, there[i]) :
		    wattle_hash_test_del(f, 0, i, same);
	/* The worker may be the one that is denied memory, and does without. */
	KUNIT_EXPECT_TRUE(test, err == want || (err == -ENOMEM && wattle_test_denied()));
	wattle_test_deny(-1);
	if (!err)
		there[i] = add;
}

static void wattle_hash_test_grow_and_shrink(struct kunit *test, unsigned int same, bool deny)
{
	bool *there = kvcalloc(WATTLE_HASH_TEST_RULES, sizeof(*there), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	unsigned int round, i;

	KUNIT_ASSERT_NOT_NULL(test, there);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < WATTLE_HASH_TEST_RULES; i++) {
			wattle_hash_test_change(test, there, same, round & 1 ? 1 : 3, deny);
			if (!(i % 256))
				wattle_hash_test_sound(test, !deny);
			cond_resched();
		}
		wattle_hash_test_find_all(test, there, same);
		wattle_fixture_settle(f);
		wattle_hash_test_sound(test, !deny);
		wattle_hash_test_find_all(test, there, same);
	}
	for (i = 0; i < WATTLE_HASH_TEST_RULES; i++)
		if (there[i])
			KUNIT_EXPECT_EQ(test, wattle_hash_test_del(f, 0, i, same), 0);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->config->policies.linked, 0u);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->config->policies.all_subjects));
	kvfree(there);
}

static void wattle_hash_test_random(struct kunit *test)
{
	wattle_hash_test_grow_and_shrink(test, 1, false);
	wattle_hash_test_grow_and_shrink(test, 1, true);
}

/* Many in a slot, most parts of the index without any. */
static void wattle_hash_test_slots(struct kunit *test)
{
	wattle_hash_test_grow_and_shrink(test, 50, false);
	wattle_hash_test_grow_and_shrink(test, 50, true);
}

/* Without memory for a larger index a rule is refused, and everything is as before. */
static void wattle_hash_test_refused(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i;

	/* Two fit in the first index; memory for a third itself there is, and for the log. */
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, wattle_hash_test_add(f, 0, i, 1, false), 0);
	for (i = 0; i < 10; i++) {
		wattle_test_deny(i);
		if (!wattle_hash_test_add(f, 0, 2, 1, false))
			break;
		KUNIT_EXPECT_TRUE(test, wattle_test_denied());
		KUNIT_EXPECT_EQ(test, f->config->policies.count, 2u);
		wattle_test_deny(-1);
		wattle_fixture_settle(f);
		KUNIT_EXPECT_EQ(test, f->config->policies.linked, 2u);
		wattle_hash_test_sound(test, true);
	}
	wattle_test_deny(-1);
	KUNIT_EXPECT_GE(test, i, 3u);
	KUNIT_EXPECT_EQ(test, f->config->policies.count, 3u);
	wattle_hash_test_sound(test, true);
}

#define WATTLE_HASH_TEST_STAY	64	/* rules that are there all the time */

struct wattle_hash_reader {
	struct task_struct *task;
	struct wattle_config *config;
	unsigned long looked;
	unsigned long lost;
};

static int wattle_hash_test_read(void *data)
{
	struct wattle_hash_reader *reader = data;
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < WATTLE_HASH_TEST_STAY; i++) {
			rcu_read_lock();
			reader->lost += !wattle_hash_test_found(&reader->config->policies, i, 1,
							wattle_generation(reader->config));
			rcu_read_unlock();
			WRITE_ONCE(reader->looked, reader->looked + 1);
		}
		cond_resched();
	}
	return 0;
}

/* Grows from what stays to all and back; that gets new versions on the way. */
static void wattle_hash_test_swing(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i, stay;

	for (i = WATTLE_HASH_TEST_STAY; i < WATTLE_HASH_TEST_RULES; i++) {
		stay = i / 8 % WATTLE_HASH_TEST_STAY;
		KUNIT_EXPECT_EQ(test, wattle_hash_test_add(f, 0, i, 1, false), 0);
		if (!(i % 8))
			KUNIT_EXPECT_EQ(test, wattle_hash_test_add(f, 0, stay, 1, true), 0);
		cond_resched();
	}
	for (i = WATTLE_HASH_TEST_STAY; i < WATTLE_HASH_TEST_RULES; i++) {
		KUNIT_EXPECT_EQ(test, wattle_hash_test_del(f, 0, i, 1), 0);
		cond_resched();
	}
	wattle_fixture_settle(f);
}

/* Whoever looks meanwhile finds what was there all the time. */
static void wattle_hash_test_readers(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_hash_reader readers[2] = {};
	unsigned int i;

	for (i = 0; i < WATTLE_HASH_TEST_STAY; i++)
		KUNIT_EXPECT_EQ(test, wattle_hash_test_add(f, 0, i, 1, false), 0);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i].config = f->config;
		readers[i].task = kthread_run(wattle_hash_test_read, &readers[i], "wattle_read");
		KUNIT_EXPECT_FALSE(test, IS_ERR(readers[i].task));
	}
	for (i = 0; i < 3; i++)
		wattle_hash_test_swing(test);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		if (IS_ERR(readers[i].task))
			continue;
		while (!READ_ONCE(readers[i].looked))
			cond_resched();
		kthread_stop(readers[i].task);
		KUNIT_EXPECT_EQ(test, readers[i].lost, 0ul);
	}
	wattle_hash_test_sound(test, true);
}

struct wattle_hash_dump {
	u8 *seen;
	unsigned int same;
	unsigned int left;	/* until the visitor is full */
};

static int wattle_hash_test_visit(const struct wattle_rule_spec *spec, const char *origin,
				  const struct wattle_rule_total *total, void *arg)
{
	struct wattle_hash_dump *dump = arg;

	if (!dump->left--)
		return -EMSGSIZE;
	dump->seen[wattle_hash_test_number(spec, dump->same)]++;
	return 0;
}

/* Half of the rules are there; a change of all is staged, and taken back, while they are shown. */
static void wattle_hash_test_disturb(struct kunit *test, unsigned int same, unsigned int call)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i;

	if (!(call % 8)) {
		if (call)
			KUNIT_EXPECT_EQ(test, wattle_config_abort(f->config, WATTLE_TEST_OWNER,
								  &f->why), 0);
		KUNIT_EXPECT_EQ(test, wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why),
				0);
	}
	for (i = call % 8; i < WATTLE_HASH_TEST_RULES; i += 8) {
		if (i & 4)
			wattle_hash_test_add(f, WATTLE_TEST_OWNER, i, same, false);
		else
			wattle_hash_test_del(f, WATTLE_TEST_OWNER, i, same);
		cond_resched();
	}
}

static void wattle_hash_test_walk(struct kunit *test, unsigned int same)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_walk *walk = wattle_walk_begin(f->config);
	struct wattle_hash_dump dump = { .same = same };
	unsigned int i, call = 0, wrong = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, walk);
	dump.seen = kvzalloc(WATTLE_HASH_TEST_RULES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dump.seen);
	do {
		dump.left = 1 + wattle_random_below(&f->random, 100);
		err = wattle_walk_rules(walk, 0, wattle_hash_test_visit, &dump);
		wattle_hash_test_disturb(test, same, call++);
	} while (err == -EMSGSIZE && call < 10000);
	KUNIT_EXPECT_EQ(test, err, 0);
	for (i = 0; i < WATTLE_HASH_TEST_RULES; i++)
		wrong += dump.seen[i] != !(i & 4);
	KUNIT_EXPECT_EQ(test, wrong, 0u);
	KUNIT_EXPECT_FALSE(test, wattle_walk_torn(walk));
	KUNIT_EXPECT_EQ(test, wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why), 0);
	wattle_walk_end(walk);
	kvfree(dump.seen);
}

/* Every rule once, however often the dump stops and whatever becomes of the index meanwhile. */
static void wattle_hash_test_dump(struct kunit *test)
{
	static const unsigned int sames[] = { 1, 500 };
	struct wattle_fixture *f = test->priv;
	unsigned int i, round;

	for (round = 0; round < ARRAY_SIZE(sames); round++) {
		wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why);
		for (i = 0; i < WATTLE_HASH_TEST_RULES; i++)
			if (!(i & 4))
				wattle_hash_test_add(f, WATTLE_TEST_OWNER, i, sames[round], false);
		wattle_config_commit(f->config, WATTLE_TEST_OWNER, NULL, &f->why);
		wattle_hash_test_walk(test, sames[round]);
		wattle_config_rule_flush(f->config, 0, 0, &f->why);
		wattle_fixture_settle(f);
	}
}

static struct kunit_case wattle_policy_hash_cases[] = {
	KUNIT_CASE(wattle_hash_test_random),
	KUNIT_CASE(wattle_hash_test_slots),
	KUNIT_CASE(wattle_hash_test_refused),
	KUNIT_CASE(wattle_hash_test_readers),
	KUNIT_CASE(wattle_hash_test_dump),
	{}
};

struct kunit_suite wattle_policy_hash_suite = {
	.name = "policy_hash",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_policy_hash_cases,
};
