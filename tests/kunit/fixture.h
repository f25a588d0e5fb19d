/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of a device that is none, for the suites that need all of them. */
#ifndef WATTLE_FIXTURE_H
#define WATTLE_FIXTURE_H

#include "kunit_compat.h"
#include "wattle.h"

#define WATTLE_TEST_OWNER	4711	/* a netlink port */

/**
 * struct wattle_fixture - what test->priv points to
 * @wattle: the device
 * @config: its tables
 * @random: begun
 * @why: of the last refusal
 * @attached: ports that have hooks
 * @attach_fails: the next port gets none
 */
struct wattle_fixture {
	struct wattle wattle;
	struct wattle_config *config;
	struct wattle_random random;
	struct wattle_refusal why;
	int attached;
	bool attach_fails;
};

/* For struct kunit_suite. */
int wattle_fixture_init(struct kunit *test);
void wattle_fixture_exit(struct kunit *test);

/* wattle_config_endpoint_add(), after whatever the worker is at. */
int wattle_fixture_endpoint_add(struct wattle_fixture *f, u32 owner,
				const struct wattle_endpoint_spec *spec, bool replace);

/* Wait until nothing that died is left in the tables. */
void wattle_fixture_settle(struct wattle_fixture *f);

/* Between the generation that is published and the one that is staged. */
static inline u64 wattle_fixture_gen(const struct wattle_fixture *f, bool staged)
{
	return wattle_generation(f->config) + staged;
}

static inline struct in6_addr wattle_test_v4(u32 addr)
{
	struct in6_addr v6;

	wattle_addr_set_v4(&v6, htonl(addr));
	return v6;
}

static inline struct in6_addr wattle_test_v6(u32 host)
{
	return (struct in6_addr){ .s6_addr32 = { htonl(0xfd00abcd), 0, 0, htonl(host) } };
}

static inline struct wattle_prefix wattle_test_prefix4(u32 addr, u8 len)
{
	struct in6_addr full = wattle_test_v4(addr);
	struct wattle_prefix prefix = { .len = 96 + len };

	ipv6_addr_prefix(&prefix.addr, &full, prefix.len);
	return prefix;
}

/* What a random sequence does next. */
enum wattle_test_step {
	WATTLE_STEP_CHANGE,
	WATTLE_STEP_BEGIN,
	WATTLE_STEP_COMMIT,
	WATTLE_STEP_ABORT,
};

/*
 * Transactions of a random sequence: begins, commits or aborts one now and then. Tells the
 * model by the result what to do with its staged state. @open: whether one is.
 */
enum wattle_test_step wattle_fixture_step(struct kunit *test, bool *open);

/* Now and then some allocation of the next call fails; wattle_test_denied() tells after. */
void wattle_fixture_deny(struct wattle_fixture *f);

#endif /* WATTLE_FIXTURE_H */
