/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit, for kernels that have it; for those that do not, the part of its API that the
 * suites here use, with the same output (KTAP).
 *
 * What differs: an assertion that fails returns from the function it is in, so
 * assertions belong into functions without a result; and the module does not
 * load where a test has failed (-ENOTRECOVERABLE).
 *
 * Comes first in each file: it has the sources under test ask wattle_alloc_denied().
 */
#ifndef WATTLE_KUNIT_COMPAT_H
#define WATTLE_KUNIT_COMPAT_H

#define WATTLE_TEST

#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

/*
 * Failing allocations: the next but @after ones that a table asks for. Negative: none fails.
 * Returns what was set before; 0 tells that one has failed.
 */
int wattle_test_deny(int after);

/* Whether a denial that was asked for has happened. */
bool wattle_test_denied(void);

#if IS_ENABLED(CONFIG_KUNIT)

#include <kunit/test.h>

#else

struct kunit {
	const char *name;
	void *priv;
	unsigned int failures;
	bool skipped;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function)		{ .run_case = function, .name = #function }
#define KUNIT_CASE_SLOW(function)	KUNIT_CASE(function)

int wattle_kunit_run(struct kunit_suite **suites, unsigned int count);

#define kunit_test_suites(...)						\
static struct kunit_suite *wattle_kunit_suites[] = { __VA_ARGS__ };	\
static int __init wattle_kunit_init(void)				\
{									\
	return wattle_kunit_run(wattle_kunit_suites,			\
				ARRAY_SIZE(wattle_kunit_suites));	\
}									\
module_init(wattle_kunit_init);						\
static void __exit wattle_kunit_exit(void)				\
{									\
}									\
module_exit(wattle_kunit_exit)

#define kunit_info(test, fmt, ...)	pr_info("    # %s: " fmt, (test)->name, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...)	pr_info("    # %s: " fmt, (test)->name, ##__VA_ARGS__)

static inline void wattle_kunit_skip(struct kunit *test, const char *why)
{
	test->skipped = true;
	kunit_info(test, "%s\n", why);
}

/* @why is plain text here. */
#define kunit_skip(test, why)						\
do {									\
	wattle_kunit_skip(test, why);					\
	return;								\
} while (0)

__printf(4, 5)
void wattle_kunit_fail(struct kunit *test, const char *file, int line, const char *fmt, ...);

#define WATTLE_KUNIT_CHECK(test, condition, what, fmt, ...)		\
({									\
	bool __ok = (condition);					\
									\
	if (!__ok)							\
		wattle_kunit_fail(test, __FILE__, __LINE__, "%s. " fmt, what, ##__VA_ARGS__); \
	__ok;								\
})

#define WATTLE_KUNIT_COMPARE(test, left, op, right, fmt, ...)		\
({									\
	typeof(left) __left = (left);					\
	typeof(right) __right = (right);				\
	bool __ok = __left op __right;					\
									\
	if (!__ok)							\
		wattle_kunit_fail(test, __FILE__, __LINE__,		\
				  #left " " #op " " #right ": %lld, %lld. " fmt, \
				  (long long)__left, (long long)__right, ##__VA_ARGS__); \
	__ok;								\
})

#define WATTLE_KUNIT_TEXTS(test, left, right)				\
({									\
	const char *__left = (left), *__right = (right);		\
									\
	WATTLE_KUNIT_CHECK(test, !strcmp(__left, __right), #left " is not " #right, \
			   "\"%s\", \"%s\"", __left, __right);		\
})

#define WATTLE_KUNIT_ASSERT(ok)						\
do {									\
	if (!(ok))							\
		return;							\
} while (0)

#define KUNIT_FAIL(t, fmt, ...) \
	((void)WATTLE_KUNIT_CHECK(t, false, "failed", fmt, ##__VA_ARGS__))

#define KUNIT_EXPECT_TRUE_MSG(t, c, fmt, ...) \
	((void)WATTLE_KUNIT_CHECK(t, c, #c " is false", fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_FALSE_MSG(t, c, fmt, ...) \
	((void)WATTLE_KUNIT_CHECK(t, !(c), #c " is true", fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_TRUE(t, c)		KUNIT_EXPECT_TRUE_MSG(t, c, "")
#define KUNIT_EXPECT_FALSE(t, c)	KUNIT_EXPECT_FALSE_MSG(t, c, "")
#define KUNIT_EXPECT_NULL(t, p) \
	((void)WATTLE_KUNIT_CHECK(t, !(p), #p " is not NULL", ""))
#define KUNIT_EXPECT_NOT_NULL(t, p) \
	((void)WATTLE_KUNIT_CHECK(t, p, #p " is NULL", ""))
#define KUNIT_EXPECT_PTR_EQ(t, a, b) \
	((void)WATTLE_KUNIT_CHECK(t, (a) == (b), #a " is not " #b, ""))
#define KUNIT_EXPECT_PTR_NE(t, a, b) \
	((void)WATTLE_KUNIT_CHECK(t, (a) != (b), #a " is " #b, ""))
#define KUNIT_EXPECT_MEMEQ(t, a, b, n) \
	((void)WATTLE_KUNIT_CHECK(t, !memcmp(a, b, n), #a " is not " #b, ""))
#define KUNIT_EXPECT_STREQ(t, a, b)	((void)WATTLE_KUNIT_TEXTS(t, a, b))

#define KUNIT_EXPECT_EQ_MSG(t, a, b, fmt, ...) \
	((void)WATTLE_KUNIT_COMPARE(t, a, ==, b, fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_NE_MSG(t, a, b, fmt, ...) \
	((void)WATTLE_KUNIT_COMPARE(t, a, !=, b, fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_LE_MSG(t, a, b, fmt, ...) \
	((void)WATTLE_KUNIT_COMPARE(t, a, <=, b, fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_GE_MSG(t, a, b, fmt, ...) \
	((void)WATTLE_KUNIT_COMPARE(t, a, >=, b, fmt, ##__VA_ARGS__))
#define KUNIT_EXPECT_EQ(t, a, b)	KUNIT_EXPECT_EQ_MSG(t, a, b, "")
#define KUNIT_EXPECT_NE(t, a, b)	KUNIT_EXPECT_NE_MSG(t, a, b, "")
#define KUNIT_EXPECT_LE(t, a, b)	KUNIT_EXPECT_LE_MSG(t, a, b, "")
#define KUNIT_EXPECT_GE(t, a, b)	KUNIT_EXPECT_GE_MSG(t, a, b, "")
#define KUNIT_EXPECT_LT(t, a, b)	((void)WATTLE_KUNIT_COMPARE(t, a, <, b, ""))
#define KUNIT_EXPECT_GT(t, a, b)	((void)WATTLE_KUNIT_COMPARE(t, a, >, b, ""))

#define KUNIT_ASSERT_TRUE_MSG(t, c, fmt, ...) \
	WATTLE_KUNIT_ASSERT(WATTLE_KUNIT_CHECK(t, c, #c " is false", fmt, ##__VA_ARGS__))
#define KUNIT_ASSERT_TRUE(t, c)		KUNIT_ASSERT_TRUE_MSG(t, c, "")
#define KUNIT_ASSERT_FALSE(t, c)	KUNIT_ASSERT_TRUE_MSG(t, !(c), "")
#define KUNIT_ASSERT_NOT_NULL(t, p) \
	WATTLE_KUNIT_ASSERT(WATTLE_KUNIT_CHECK(t, p, #p " is NULL", ""))
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(t, p) \
	WATTLE_KUNIT_ASSERT(WATTLE_KUNIT_CHECK(t, !IS_ERR_OR_NULL(p), #p " is none", ""))
#define KUNIT_ASSERT_EQ_MSG(t, a, b, fmt, ...) \
	WATTLE_KUNIT_ASSERT(WATTLE_KUNIT_COMPARE(t, a, ==, b, fmt, ##__VA_ARGS__))
#define KUNIT_ASSERT_EQ(t, a, b)	KUNIT_ASSERT_EQ_MSG(t, a, b, "")
#define KUNIT_ASSERT_NE(t, a, b) \
	WATTLE_KUNIT_ASSERT(WATTLE_KUNIT_COMPARE(t, a, !=, b, ""))

#endif /* !CONFIG_KUNIT */

/*
 * Random input that a line in the log lets one repeat: pass wattle_seed to the module.
 */
struct wattle_random {
	struct rnd_state state;
};

/* Steps of a random sequence: fewer where each of them is checked by the kernel. */
#define WATTLE_TEST_STEPS(n)	((n) / (IS_ENABLED(CONFIG_KASAN) ? 4 : 1))

/* 0: none given. */
u64 wattle_test_seed(void);

static inline void wattle_random_begin(struct kunit *test, struct wattle_random *random)
{
	u64 seed = wattle_test_seed() ?: get_random_u64();

	prandom_seed_state(&random->state, seed);
	kunit_info(test, "seed=%llu\n", seed);
}

static inline u32 wattle_random(struct wattle_random *random)
{
	return prandom_u32_state(&random->state);
}

/* A number below @limit. */
static inline u32 wattle_random_below(struct wattle_random *random, u32 limit)
{
	return (u64)wattle_random(random) * limit >> 32;
}

#endif /* WATTLE_KUNIT_COMPAT_H */
