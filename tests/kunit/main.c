// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unit tests as a module: loading it runs them. Every suite is named at the end.
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

static char *wattle_only;
module_param_named(only, wattle_only, charp, 0444);
MODULE_PARM_DESC(only, "run this suite alone");

/* One mistake may show at each of a thousand random steps: some say enough. */
#define WATTLE_KUNIT_TOLD	10

void wattle_kunit_fail(struct kunit *test, const char *file, int line, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	if (test->failures++ >= WATTLE_KUNIT_TOLD)
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_info("    # %s: EXPECTATION FAILED at %s:%d\n", test->name, kbasename(file), line);
	pr_info("    # %s: %pV\n", test->name, &vaf);
	va_end(args);
}

static void wattle_kunit_run_case(struct kunit_suite *suite, struct kunit_case *one,
				  struct kunit *test)
{
	if (suite->init && suite->init(test)) {
		KUNIT_FAIL(test, "init");
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
		struct kunit test = { .name = one->name, .failures = broken };

		if (!broken)
			wattle_kunit_run_case(suite, one, &test);
		pr_info("    %sok %u %s%s\n", test.failures ? "not " : "", ++n, one->name,
			test.skipped ? " # SKIP" : "");
		failed |= test.failures;
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
	for (i = 0; i < count; i++) {
		if (!wattle_only || !strcmp(wattle_only, suites[i]->name))
			failed |= !wattle_kunit_run_suite(suites[i], i + 1);
	}
	return failed ? -ENOTRECOVERABLE : 0;
}

#endif /* !CONFIG_KUNIT */

kunit_test_suites(&wattle_lpm_suite,
		  &wattle_node_suite,
		  &wattle_identity_suite,
		  &wattle_policy_suite,
		  &wattle_policy_hash_suite,
		  &wattle_service_suite,
		  &wattle_affinity_suite,
		  &wattle_egress_suite,
		  &wattle_range_suite,
		  &wattle_endpoint_suite,
		  &wattle_config_suite,
		  &wattle_decide_suite,
		  &wattle_flow_table_suite,
		  &wattle_parse_suite,
		  &wattle_echo_suite,
		  &wattle_dsr_suite,
		  &wattle_vxlan_suite);

MODULE_DESCRIPTION("Wattle: unit tests");
MODULE_LICENSE("GPL");
