// SPDX-License-Identifier: GPL-2.0-only
/* Transactions over all tables: who may, what readers see, what dumps show. */

#include <linux/kthread.h>
#include <linux/ktime.h>
#include "fixture.h"
#include "suites.h"
#include "alloc.c"
#include "change.c"
#include "config.c"
#include "reclaim.c"
#include "walk.c"
#include "reason.c"

static int wattle_cfg_test_identity(struct wattle_fixture *f, u32 owner, u32 addr, u32 id)
{
	const struct wattle_identity_spec spec = {
		.prefix = wattle_test_prefix4(addr, 32), .id = id,
	};

	return wattle_config_identity_add(f->config, owner, &spec, true, &f->why);
}

static u32 wattle_cfg_test_lookup(struct wattle_fixture *f, u32 addr, u64 gen)
{
	const struct in6_addr v6 = wattle_test_v4(addr);
	struct wattle_identity_info info;

	return wattle_identity_lookup(&f->config->identities, &v6, gen, &info) ? info.id : 0;
}

static u32 wattle_cfg_test_now(struct wattle_fixture *f, u32 addr)
{
	u32 id;

	rcu_read_lock();
	id = wattle_cfg_test_lookup(f, addr, wattle_generation(f->config));
	rcu_read_unlock();
	return id;
}

/* One transaction at a time, and only its owner ends it. */
static void wattle_cfg_test_owners(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;
	u64 gen = wattle_generation(c), wrong = gen + 5;

	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, 1, NULL, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, wattle_config_abort(c, 1, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, wattle_config_abort(c, 0, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, 1, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, 1, &f->why), -EBUSY);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, 2, &f->why), -EBUSY);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 2, 1, 7), -EBUSY);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, 2, NULL, &f->why), -EINVAL);
	wattle_config_release(c, 2);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 1, 1, 7), 0);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 0u);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, 1, &wrong, &f->why), -EAGAIN);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_GENERATION);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, 1, &gen, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_generation(c), gen + 1);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 7u);
	/* A socket that is closed takes its transaction with it. */
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, 1, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 1, 1, 8), 0);
	wattle_config_release(c, 1);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 7u);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 2, 1, 9), 0);
	/* What changes nothing is no generation. */
	gen = wattle_generation(c);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, 1, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, 1, NULL, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_generation(c), gen);
}

/* No generation is published that a packed life cannot hold. */
static void wattle_cfg_test_last(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;

	c->gen = WATTLE_PACKED_LAST - 2;
	c->log.next = c->gen + 1;
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 0, 1, 7), 0);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 7u);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 0, 2, 7), -ENOSPC);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 2), 0u);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 7u);
}

/*
 * Readers of many tables at once: with each commit all of them say the same number, so a
 * reader who sees two numbers saw half a change.
 */
#define WATTLE_CFG_TEST_ADDRS	32

struct wattle_cfg_readers {
	struct wattle_fixture *f;
	atomic64_t looks;
	atomic_t torn;
	atomic_t missing;
};

static struct wattle_service_key wattle_cfg_test_vip(void)
{
	return (struct wattle_service_key){
		.addr = wattle_test_v4(0x0a600001), .port = htons(80),
		.proto = IPPROTO_TCP,
	};
}

static void wattle_cfg_test_look(struct wattle_cfg_readers *r)
{
	struct wattle_fixture *f = r->f;
	struct wattle_question q = { .subject = 300, .proto = IPPROTO_TCP, .port = 80 };
	struct wattle_service_key vip = wattle_cfg_test_vip();
	const struct wattle_service *service;
	const struct wattle_backend *backend;
	struct wattle_judgement judgement;
	struct wattle_rule_spec spec;
	const char *origin;
	unsigned int i;
	u32 id;
	u64 gen;

	rcu_read_lock();
	gen = wattle_generation(f->config);
	id = wattle_cfg_test_lookup(f, 0, gen);
	if (!id)
		atomic_inc(&r->missing);
	for (i = 1; i < WATTLE_CFG_TEST_ADDRS; i++) {
		if (wattle_cfg_test_lookup(f, i, gen) != id)
			atomic_inc(&r->torn);
	}
	wattle_policy_judge(&f->config->policies, &q, gen, &judgement);
	if (judgement.rule) {
		wattle_rule_describe(&f->config->policies, judgement.rule, &spec, &origin);
		if (spec.priority != id)
			atomic_inc(&r->torn);
	} else {
		atomic_inc(&r->missing);
	}
	service = wattle_service_lookup(&f->config->services, &vip, gen);
	backend = service ? wattle_service_choose(service, 0) : NULL;
	if (!backend)
		atomic_inc(&r->missing);
	else if (ntohs(backend->port) != id)
		atomic_inc(&r->torn);
	rcu_read_unlock();
	atomic64_inc(&r->looks);
}

static int wattle_cfg_test_reader(void *arg)
{
	while (!kthread_should_stop()) {
		wattle_cfg_test_look(arg);
		cond_resched();
	}
	return 0;
}

/* A transaction that gives all tables the number @n, which is not that of the last. */
static void wattle_cfg_test_write(struct kunit *test, u16 n, u16 last, bool commit)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;
	struct wattle_rule_spec rule = {
		.subject = 300, .any_proto = true, .port_max = U16_MAX, .priority = last,
	};
	struct wattle_service_key vip = wattle_cfg_test_vip();
	struct wattle_backend backend = { .addr = wattle_test_v4(0x0a010001), .weight = 1 };
	const u32 owner = WATTLE_TEST_OWNER;
	unsigned int i;
	int bad = 0;

	bad |= wattle_config_begin(c, owner, &f->why);
	for (i = 0; i < WATTLE_CFG_TEST_ADDRS; i++)
		bad |= wattle_cfg_test_identity(f, owner, i, n);
	if (last)
		bad |= wattle_config_rule_del(c, owner, &rule, &f->why);
	rule.priority = n;
	bad |= wattle_config_rule_add(c, owner, &rule, "a/b", false, &f->why);
	backend.port = htons(last);
	if (last)
		bad |= wattle_config_backend_del(c, owner, &vip, &backend,
						 &f->why);
	backend.port = htons(n);
	bad |= wattle_config_backend_add(c, owner, &vip, &backend, false, &f->why);
	bad |= commit ? wattle_config_commit(c, owner, NULL, &f->why) :
			wattle_config_abort(c, owner, &f->why);
	KUNIT_EXPECT_EQ(test, bad, 0);
}

static void wattle_cfg_test_readers(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_service_spec service = {
		.key.addr = wattle_test_v4(0x0a600001), .key.port = htons(80),
		.key.proto = IPPROTO_TCP,
	};
	struct wattle_cfg_readers r = { .f = f };
	struct task_struct *tasks[3] = {};
	ktime_t end = ktime_add_ms(ktime_get(), 1500);
	unsigned int i, commits = 0;
	u16 n = 1;

	KUNIT_EXPECT_EQ(test, wattle_config_service_add(f->config, 0, &service, false, &f->why), 0);
	wattle_cfg_test_write(test, n, 0, true);
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = kthread_run(wattle_cfg_test_reader, &r, "wattle-test-%u", i);
		if (IS_ERR(tasks[i]))
			tasks[i] = NULL;
	}
	while (ktime_before(ktime_get(), end) || commits < 20) {
		u16 next = n == 60000 ? 1 : n + 1;

		wattle_cfg_test_write(test, next, n, false);
		wattle_cfg_test_write(test, next, n, true);
		n = next;
		commits++;
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		if (tasks[i])
			kthread_stop(tasks[i]);
	}
	kunit_info(test, "%u commits, %lld looks\n", commits, (long long)atomic64_read(&r.looks));
	KUNIT_EXPECT_GT(test, (long long)atomic64_read(&r.looks), 0LL);
	KUNIT_EXPECT_EQ(test, atomic_read(&r.torn), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r.missing), 0);
}

/* A reader that began before a commit goes on seeing what was, until it ends. */
struct wattle_cfg_old_reader {
	struct wattle_fixture *f;
	bool began;
	bool committed;
	bool asked_after;
	u32 before;
	u32 after;
};

static int wattle_cfg_test_old_reader(void *arg)
{
	struct wattle_cfg_old_reader *r = arg;
	ktime_t end;
	u64 gen;

	rcu_read_lock();
	gen = wattle_generation(r->f->config);
	r->before = wattle_cfg_test_lookup(r->f, 1, gen);
	/* Pairs with the wait for it: what was seen before is written. */
	smp_store_release(&r->began, true);
	end = ktime_add_ms(ktime_get(), 3000);
	/* Pairs with the release behind the commit. */
	while (!smp_load_acquire(&r->committed) && ktime_before(ktime_get(), end))
		cpu_relax();
	r->asked_after = READ_ONCE(r->committed);
	mdelay(20);
	r->after = wattle_cfg_test_lookup(r->f, 1, gen);
	rcu_read_unlock();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void wattle_cfg_test_old_generation(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_cfg_old_reader r = { .f = f };
	struct task_struct *task;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 0, 1, 7), 0);
	wattle_fixture_settle(f);
	task = kthread_run(wattle_cfg_test_old_reader, &r, "wattle-test-old");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	/* Pairs with the release in the reader. */
	while (!smp_load_acquire(&r.began))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_identity(f, 0, 1, 8), 0);
	/* Pairs with the reader's wait: the commit comes before. */
	smp_store_release(&r.committed, true);
	KUNIT_EXPECT_EQ(test, wattle_cfg_test_now(f, 1), 8u);
	kthread_stop(task);
	KUNIT_EXPECT_TRUE(test, r.asked_after);
	KUNIT_EXPECT_EQ(test, r.before, 7u);
	KUNIT_EXPECT_EQ(test, r.after, 7u);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->config->identities.hosts.nelems), 1);
}

/* Dumps show each entry once, in as many calls as one likes. */
#define WATTLE_CFG_TEST_DUMPED	3000

struct wattle_cfg_dump {
	u8 *seen;
	unsigned int left;	/* until the visitor is full */
	unsigned int wrong;
};

static int wattle_cfg_test_visit(const struct wattle_identity_spec *spec, void *arg)
{
	struct wattle_cfg_dump *dump = arg;
	u32 n = ntohl(wattle_addr_v4(&spec->prefix.addr));

	if (!dump->left--)
		return -EMSGSIZE;
	if (spec->prefix.len != 128)
		n = (n >> 8) + WATTLE_CFG_TEST_DUMPED;
	if (n >= 2 * WATTLE_CFG_TEST_DUMPED || dump->seen[n]++)
		dump->wrong++;
	return 0;
}

static void wattle_cfg_test_dump_all(struct kunit *test, struct wattle_cfg_dump *dump,
				     bool disturb, bool *torn)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_walk *walk = wattle_walk_begin(f->config);
	unsigned int calls = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, walk);
	memset(dump->seen, 0, 2 * WATTLE_CFG_TEST_DUMPED);
	dump->wrong = 0;
	do {
		dump->left = 1 + wattle_random_below(&f->random, 700);
		err = wattle_walk_identities(walk, wattle_cfg_test_visit, dump);
		if (disturb && calls++ == 1)
			wattle_cfg_test_identity(f, 0, 0xff000000, 1 + calls);
	} while (err == -EMSGSIZE && calls < 10000);
	KUNIT_EXPECT_EQ(test, err, 0);
	dump->left = 1;
	KUNIT_EXPECT_EQ(test, wattle_walk_identities(walk, wattle_cfg_test_visit, dump), 0);
	*torn = wattle_walk_torn(walk);
	wattle_walk_end(walk);
}

static void wattle_cfg_test_dumps(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_identity_spec net = { .id = 7 };
	struct wattle_cfg_dump dump = {};
	unsigned int i, tries = 0;
	bool torn;

	dump.seen = kvzalloc(2 * WATTLE_CFG_TEST_DUMPED, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dump.seen);
	wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why);
	for (i = 0; i < WATTLE_CFG_TEST_DUMPED; i++) {
		wattle_cfg_test_identity(f, WATTLE_TEST_OWNER, i, 1 + i);
		net.prefix = wattle_test_prefix4(i << 8, 24);
		wattle_config_identity_add(f->config, WATTLE_TEST_OWNER, &net, false, &f->why);
	}
	wattle_config_commit(f->config, WATTLE_TEST_OWNER, NULL, &f->why);
	do {		/* the hash may still be growing into its size */
		wattle_cfg_test_dump_all(test, &dump, false, &torn);
		if (torn)
			msleep(20);
	} while (torn && ++tries < 100);
	KUNIT_EXPECT_FALSE(test, torn);
	KUNIT_EXPECT_EQ(test, dump.wrong, 0u);
	for (i = 0; i < 2 * WATTLE_CFG_TEST_DUMPED; i++) {
		if (dump.seen[i] != 1) {
			KUNIT_EXPECT_EQ(test, dump.seen[i], 1);
			break;
		}
	}
	wattle_cfg_test_dump_all(test, &dump, true, &torn);
	KUNIT_EXPECT_TRUE(test, torn);
	kvfree(dump.seen);
}

/* The names that users see are there, and are different. */
static void wattle_cfg_test_names(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < WATTLE_REASON_COUNT; i++) {
		KUNIT_ASSERT_NOT_NULL(test, wattle_reason_name(i));
		KUNIT_ASSERT_NOT_NULL(test, wattle_reason_help(i));
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, strcmp(wattle_reason_name(i),
						     wattle_reason_name(j)), 0);
	}
	for (i = 0; i < WATTLE_COUNT_COUNT; i++) {
		KUNIT_ASSERT_NOT_NULL(test, wattle_counter_name(i));
		KUNIT_ASSERT_NOT_NULL(test, wattle_counter_help(i));
	}
	KUNIT_EXPECT_STREQ(test, wattle_reason_name(WATTLE_REASON_COUNT), "unknown");
	KUNIT_EXPECT_STREQ(test, wattle_counter_name(WATTLE_COUNT_COUNT), "unknown");
}

/*
 * As many entries as asked for (module parameter "load"), in one transaction: how long, and how
 * big. Not part of a normal run.
 */
static unsigned int wattle_load;
module_param_named(load, wattle_load, uint, 0444);
MODULE_PARM_DESC(load, "identities to load and to measure; fewer rules and services");

struct wattle_cfg_meter {
	unsigned long free;
	ktime_t begun;
	ktime_t staged;
};

static unsigned long wattle_cfg_test_free(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

static void wattle_cfg_meter_begin(struct wattle_fixture *f, struct wattle_cfg_meter *meter)
{
	wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why);
	meter->free = wattle_cfg_test_free();
	meter->begun = ktime_get();
}

static void wattle_cfg_meter_end(struct kunit *test, struct wattle_cfg_meter *meter, u32 count,
				 const char *what)
{
	struct wattle_fixture *f = test->priv;
	ktime_t done;

	meter->staged = ktime_get();
	KUNIT_EXPECT_EQ(test, wattle_config_commit(f->config, WATTLE_TEST_OWNER, NULL, &f->why), 0);
	done = ktime_get();
	wattle_fixture_settle(f);
	msleep(1000);		/* hashes find their size by a worker */
	kunit_info(test, "%u %s: staged in %lld ms, committed in %lld us, %llu bytes each\n", count,
		   what, ktime_ms_delta(meter->staged, meter->begun),
		   ktime_us_delta(done, meter->staged),
		   div_u64((u64)(meter->free - wattle_cfg_test_free()) * PAGE_SIZE, count));
}

static void wattle_cfg_test_load_identities(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_cfg_meter meter;
	ktime_t start;
	unsigned int i;

	if (!wattle_load)
		kunit_skip(test, "parameter load not given");
	wattle_cfg_meter_begin(f, &meter);
	for (i = 0; i < wattle_load; i++) {
		const struct wattle_identity_spec spec = {
			.prefix = wattle_test_prefix4(i, 32), .id = 256 + i % 60000,
			.via = wattle_test_v4(0xc0000000 + i % 5000 + 1),
		};

		if (wattle_config_identity_add(f->config, WATTLE_TEST_OWNER, &spec, false, &f->why))
			break;
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, i, wattle_load);
	wattle_cfg_meter_end(test, &meter, wattle_load, "identities");
	start = ktime_get();
	for (i = 0; i < 10; i++)
		wattle_cfg_test_identity(f, 0, i, 9);
	kunit_info(test, "10 commits of one into them: %lld us\n",
		   ktime_us_delta(ktime_get(), start));
	start = ktime_get();
	for (i = 0; i < 100000; i++)
		wattle_cfg_test_now(f, (u32)i * 2654435761u % wattle_load);
	kunit_info(test, "%lld ns a look-up\n",
		   div_s64(ktime_to_ns(ktime_sub(ktime_get(), start)), 100000));
}

static void wattle_cfg_test_load_rules(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i, count = wattle_load / 4;
	struct wattle_question q = { .direction = WATTLE_DIRECTION_INGRESS, .proto = IPPROTO_TCP };
	struct wattle_judgement judgement;
	struct wattle_cfg_meter meter;
	ktime_t start;

	if (!wattle_load)
		kunit_skip(test, "parameter load not given");
	wattle_cfg_meter_begin(f, &meter);
	for (i = 0; i < count; i++) {
		const struct wattle_rule_spec spec = {
			.subject = 256 + i % 1000, .peer_kind = WATTLE_PEER_KIND_IDENTITY,
			.peer_id = 256 + i / 1000, .proto = IPPROTO_TCP, .port_min = 80 + i % 16,
			.port_max = 80 + i % 16, .action = WATTLE_ACTION_ALLOW,
		};

		if (wattle_config_rule_add(f->config, WATTLE_TEST_OWNER, &spec, "a/b", false,
					   &f->why))
			break;
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, i, count);
	wattle_cfg_meter_end(test, &meter, count, "rules");
	start = ktime_get();
	for (i = 0; i < 100000; i++) {
		q.subject = 256 + i % 1000;
		q.peer_id = 256 + i / 1000;
		q.port = 80 + i % 16;
		rcu_read_lock();
		wattle_policy_judge(&f->config->policies, &q, wattle_generation(f->config),
				    &judgement);
		rcu_read_unlock();
		KUNIT_EXPECT_TRUE(test, judgement.allow);
	}
	kunit_info(test, "%lld ns a judgement\n",
		   div_s64(ktime_to_ns(ktime_sub(ktime_get(), start)), 100000));
	start = ktime_get();
	KUNIT_EXPECT_EQ(test, wattle_config_rule_flush(f->config, 0, 256, &f->why), 0);
	kunit_info(test, "%u rules of one subject flushed in %lld us\n", count / 1000,
		   ktime_us_delta(ktime_get(), start));
}

static void wattle_cfg_test_load_services(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	unsigned int i, j, count = wattle_load / 32, bad = 0;
	struct wattle_backend backend = { .port = htons(8080), .weight = 1 };
	struct wattle_cfg_meter meter;

	if (!wattle_load)
		kunit_skip(test, "parameter load not given");
	wattle_cfg_meter_begin(f, &meter);
	for (i = 0; i < count; i++) {
		const struct wattle_service_spec spec = {
			.key.addr = wattle_test_v4(0x0a000000 + i), .key.port = htons(80),
			.key.proto = IPPROTO_TCP,
		};

		bad += !!wattle_config_service_add(f->config, WATTLE_TEST_OWNER, &spec, false,
						   &f->why);
		for (j = 0; j < 10; j++) {
			backend.addr = wattle_test_v4(0x0b000000 + 10 * i + j);
			bad += !!wattle_config_backend_add(f->config, WATTLE_TEST_OWNER, &spec.key,
							   &backend, false, &f->why);
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, bad, 0u);
	wattle_cfg_meter_end(test, &meter, count, "services of ten backends");
}

static struct kunit_case wattle_config_cases[] = {
	KUNIT_CASE(wattle_cfg_test_owners),
	KUNIT_CASE(wattle_cfg_test_last),
	KUNIT_CASE_SLOW(wattle_cfg_test_readers),
	KUNIT_CASE(wattle_cfg_test_old_generation),
	KUNIT_CASE(wattle_cfg_test_dumps),
	KUNIT_CASE(wattle_cfg_test_names),
	KUNIT_CASE_SLOW(wattle_cfg_test_load_identities),
	KUNIT_CASE_SLOW(wattle_cfg_test_load_rules),
	KUNIT_CASE_SLOW(wattle_cfg_test_load_services),
	{}
};

struct kunit_suite wattle_config_suite = {
	.name = "config",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_config_cases,
};
