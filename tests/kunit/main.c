// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unit tests as a module: loading it runs them. Every suite is named here.
 */

#include "kunit_compat.h"
#include "suites.h"

static u64 wattle_seed;
module_param_named(seed, wattle_seed, ullong, 0444);
MODULE_PARM_DESC(seed, "repeat a run: the number that it printed");

u64 wattle_test_seed(void)
{
	return wattle_seed;
}

/* Allocations that are yet to succeed; -1: all do. */
static int wattle_deny_after = -1;
static bool wattle_deny_happened;

int wattle_test_deny(int after)
{
	int old = wattle_deny_after;

	wattle_deny_after = after;
	wattle_deny_happened = false;
	return old;
}

bool wattle_test_denied(void)
{
	return wattle_deny_happened;
}

/* Asked by the tables for each allocation; the tests have one writer at a time. */
bool wattle_alloc_denied(void);
bool wattle_alloc_denied(void)
{
	if (wattle_deny_after < 0)
		return false;
	if (wattle_deny_after-- > 0)
		return false;
	wattle_deny_happened = true;
	return true;
}

#if !IS_ENABLED(CONFIG_KUNIT)

static void wattle_kunit_run_case(struct kunit_suite *suite, struct kunit_case *one,
				  struct kunit *test)
{
	if (suite->init && suite->init(test)) {
		WATTLE_KUNIT_FAIL(test, "init failed\n");
		return;
	}
	one->run_case(test);
	if (suite->exit)
		suite->exit(test);
}

static bool wattle_kunit_run_suite(struct kunit_suite *suite, unsigned int number)
{
	bool broken, failed = false;
	struct kunit_case *one;
	unsigned int n = 0;

	while (suite->test_cases[n].run_case)
		n++;
	pr_info("    KTAP version 1\n");
	pr_info("    # Subtest: %s\n", suite->name);
	pr_info("    1..%u\n", n);
	broken = suite->suite_init && suite->suite_init(suite);
	n = 0;
	for (one = suite->test_cases; one->run_case; one++) {
		struct kunit test = { .name = one->name, .failed = broken };

		if (!broken)
			wattle_kunit_run_case(suite, one, &test);
		pr_info("    %sok %u %s%s\n", test.failed ? "not " : "", ++n, one->name,
			test.skipped ? " # SKIP" : "");
		failed |= test.failed;
		cond_resched();
	}
	if (suite->suite_exit && !broken)
		suite->suite_exit(suite);
	pr_info("%sok %u %s\n", failed ? "not " : "", number, suite->name);
	return !failed;
}

int wattle_kunit_run(struct kunit_suite **suites, unsigned int count)
{
	bool failed = false;
	unsigned int i;

	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", count);
	for (i = 0; i < count; i++)
		failed |= !wattle_kunit_run_suite(suites[i], i + 1);
	return failed ? -ENOTRECOVERABLE : 0;
}

#endif /* !CONFIG_KUNIT */

kunit_test_suites(WATTLE_SUITES);

MODULE_DESCRIPTION("Wattle: unit tests");
MODULE_LICENSE("GPL");
