// SPDX-License-Identifier: GPL-2.0-only
/* Which backend a client comes back to, and for how long. */

#include "fixture.h"
#include "suites.h"
#include "affinity.c"

#define WATTLE_AFF_TEST_BACKENDS	4
#define WATTLE_AFF_TEST_SECONDS		100

static struct in6_addr wattle_aff_test_backend(unsigned int n)
{
	return wattle_test_v4(0x0a010001 + n);
}

static struct wattle_service_key wattle_aff_test_key(void)
{
	return (struct wattle_service_key){
		.addr = wattle_test_v4(0x0a600001), .port = htons(80), .proto = IPPROTO_TCP,
	};
}

static void wattle_aff_test_set_of(struct kunit *test, const struct wattle_service_key *key,
				   unsigned int n, u8 state, bool replace)
{
	struct wattle_backend backend = {
		.addr = wattle_aff_test_backend(n), .port = htons(8080), .weight = 1,
		.state = state,
	};
	struct wattle_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(f->config, 0, key, &backend, replace,
							&f->why), 0);
}

static void wattle_aff_test_set(struct kunit *test, unsigned int n, u8 state, bool replace)
{
	struct wattle_service_key key = wattle_aff_test_key();

	wattle_aff_test_set_of(test, &key, n, state, replace);
}

static int wattle_aff_test_init(struct kunit *test)
{
	struct wattle_service_spec spec = {
		.key = wattle_aff_test_key(), .affinity = WATTLE_AFF_TEST_SECONDS,
	};
	struct wattle_fixture *f;
	unsigned int i;
	int err = wattle_fixture_init(test);

	if (err)
		return err;
	f = test->priv;
	err = wattle_config_service_add(f->config, 0, &spec, false, &f->why);
	for (i = 0; !err && i < WATTLE_AFF_TEST_BACKENDS; i++)
		wattle_aff_test_set(test, i, WATTLE_BACKEND_STATE_ACTIVE, false);
	return err;
}

/* The backend that @client is sent to: a number, or -1. Context: RCU. */
static int wattle_aff_test_where(struct wattle_fixture *f, const struct wattle_service *service,
				 const struct in6_addr *client)
{
	const struct wattle_backend *backend;
	struct in6_addr addr;
	int i;

	backend = wattle_affinity_lookup(&f->config->services.affinities, service, client);
	for (i = 0; backend && i < WATTLE_AFF_TEST_BACKENDS; i++) {
		addr = wattle_aff_test_backend(i);
		if (ipv6_addr_equal(&addr, &backend->addr))
			return i;
	}
	return -1;
}

static int wattle_aff_test_keep(struct wattle_fixture *f, const struct wattle_service *service,
				const struct in6_addr *client, unsigned int n)
{
	struct in6_addr addr = wattle_aff_test_backend(n);
	int err;

	local_bh_disable();
	err = wattle_affinity_keep(&f->config->services.affinities, service, client, &addr,
				   htons(8080));
	local_bh_enable();
	return err;
}

static const struct wattle_service *
wattle_aff_test_service_of(struct wattle_fixture *f, const struct wattle_service_key *key)
{
	return wattle_service_lookup(&f->config->services, key, wattle_generation(f->config));
}

static const struct wattle_service *wattle_aff_test_service(struct wattle_fixture *f)
{
	struct wattle_service_key key = wattle_aff_test_key();

	return wattle_aff_test_service_of(f, &key);
}

/* As if the last connection had been @seconds ago. Context: RCU. */
static void wattle_aff_test_age(struct wattle_fixture *f, const struct wattle_service *service,
				const struct in6_addr *client, u32 seconds)
{
	struct wattle_affinity_key key = { .service = service->remembers, .client = *client };
	struct wattle_affinity *entry;

	entry = rhashtable_lookup(&f->config->services.affinities.by_client, &key,
				  wattle_affinity_params);
	if (entry)
		WRITE_ONCE(entry->used, get_jiffies_64() - (u64)seconds * HZ);
}

static void wattle_aff_test_time(struct kunit *test)
{
	struct in6_addr a = wattle_test_v4(0x0a020001), b = wattle_test_v4(0x0a020002);
	struct wattle_fixture *f = test->priv;
	const struct wattle_service *service;

	rcu_read_lock();
	service = wattle_aff_test_service(f);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), -1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, service, &a, 2), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), 2);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &b), -1);
	/* Somebody was quicker. */
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, service, &a, 1), -EAGAIN);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), 2);
	/* A new connection begins the time anew. */
	wattle_aff_test_age(f, service, &a, WATTLE_AFF_TEST_SECONDS - 10);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), 2);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, service, &a, 2), 0);
	wattle_aff_test_age(f, service, &a, WATTLE_AFF_TEST_SECONDS + 1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), -1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, service, &a, 3), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &a), 3);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&f->config->services.affinities.by_client.nelems), 1);
}

/* Only a backend that takes new connections is come back to. */
static void wattle_aff_test_backends(struct kunit *test)
{
	struct in6_addr a = wattle_test_v4(0x0a020001);
	struct wattle_fixture *f = test->priv;

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, wattle_aff_test_service(f), &a, 1), 0);
	rcu_read_unlock();
	wattle_aff_test_set(test, 1, WATTLE_BACKEND_STATE_TERMINATING, true);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, wattle_aff_test_service(f), &a), -1);
	rcu_read_unlock();
	wattle_aff_test_set(test, 1, WATTLE_BACKEND_STATE_ACTIVE, true);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, wattle_aff_test_service(f), &a), 1);
	rcu_read_unlock();
	wattle_aff_test_set(test, 1, WATTLE_BACKEND_STATE_QUARANTINED, true);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, wattle_aff_test_service(f), &a, 0), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, wattle_aff_test_service(f), &a), 0);
	rcu_read_unlock();
}

/* Many clients, of whom most stay away: what is over is let go of, what is not is not. */
static void wattle_aff_test_sweep(struct kunit *test)
{
	const unsigned int clients = WATTLE_TEST_STEPS(4000);
	struct wattle_fixture *f = test->priv;
	struct wattle_affinities *affinities = &f->config->services.affinities;
	const struct wattle_service *service;
	unsigned int i, home;
	struct in6_addr client;
	int where;

	for (i = 0; i < clients; i++) {
		client = wattle_test_v4(0x0a020001 + i);
		home = i % WATTLE_AFF_TEST_BACKENDS;
		rcu_read_lock();
		service = wattle_aff_test_service(f);
		KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, service, &client, home), 0);
		if (i % 3)
			wattle_aff_test_age(f, service, &client, WATTLE_AFF_TEST_SECONDS);
		rcu_read_unlock();
		cond_resched();
	}
	/* A hash that grows meanwhile may hide one from a sweep; the next finds it. */
	for (i = 0; i < 2; i++) {
		mod_delayed_work(system_wq, &affinities->sweep, 0);
		flush_delayed_work(&affinities->sweep);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&affinities->by_client.nelems),
			(int)DIV_ROUND_UP(clients, 3));
	for (i = 0; i < clients; i += clients / 50) {
		client = wattle_test_v4(0x0a020001 + i);
		where = i % 3 ? -1 : (int)(i % WATTLE_AFF_TEST_BACKENDS);
		rcu_read_lock();
		service = wattle_aff_test_service(f);
		KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, service, &client), where);
		rcu_read_unlock();
	}
}

/* Another frontend, @with whose clients its own are remembered; the first two backends are its. */
static void wattle_aff_test_add(struct kunit *test, const struct wattle_service_key *key,
				const struct wattle_service_key *with)
{
	struct wattle_service_spec spec = {
		.key = *key, .affinity = WATTLE_AFF_TEST_SECONDS, .remembers = *with,
	};
	struct wattle_fixture *f = test->priv;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, wattle_config_service_add(f->config, 0, &spec, false, &f->why), 0);
	for (i = 0; i < 2; i++)
		wattle_aff_test_set_of(test, key, i, WATTLE_BACKEND_STATE_ACTIVE, false);
}

/* Frontends that remember as one send a client to the same backend, if they have it. */
static void wattle_aff_test_shared(struct kunit *test)
{
	struct wattle_service_key key = wattle_aff_test_key(), with = key, alone = key;
	struct in6_addr a = wattle_test_v4(0x0a020001), b = wattle_test_v4(0x0a020002);
	const struct wattle_service *first, *other, *third;
	struct wattle_fixture *f = test->priv;

	with.port = htons(30080);
	with.scope = WATTLE_SCOPE_OUTSIDE;
	alone.port = htons(30081);
	wattle_aff_test_add(test, &with, &key);
	wattle_aff_test_add(test, &alone, &(struct wattle_service_key){});
	rcu_read_lock();
	first = wattle_aff_test_service(f);
	other = wattle_aff_test_service_of(f, &with);
	third = wattle_aff_test_service_of(f, &alone);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, first, &a, 1), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, other, &a), 1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, third, &a), -1);
	/* The other way round, and it is renewed by either. */
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, other, &b, 0), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, first, &b), 0);
	wattle_aff_test_age(f, first, &b, WATTLE_AFF_TEST_SECONDS - 10);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, other, &b, 0), 0);
	wattle_aff_test_age(f, first, &a, WATTLE_AFF_TEST_SECONDS + 1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, first, &b), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, other, &a), -1);
	/* A backend that one of them alone has. */
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, first, &a, 3), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, other, &a), -1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, other, &a, 0), 0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, first, &a), 0);
	rcu_read_unlock();
	/* Another version of a frontend remembers as before. */
	wattle_aff_test_set_of(test, &with, 2, WATTLE_BACKEND_STATE_ACTIVE, false);
	rcu_read_lock();
	other = wattle_aff_test_service_of(f, &with);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, other, &b), 0);
	rcu_read_unlock();
}

/* Without memory a client is not remembered, and nothing else happens. */
static void wattle_aff_test_memory(struct kunit *test)
{
	struct in6_addr a = wattle_test_v4(0x0a020001);
	struct wattle_fixture *f = test->priv;

	rcu_read_lock();
	wattle_test_deny(0);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_keep(f, wattle_aff_test_service(f), &a, 1), -ENOSPC);
	wattle_test_deny(-1);
	KUNIT_EXPECT_EQ(test, wattle_aff_test_where(f, wattle_aff_test_service(f), &a), -1);
	rcu_read_unlock();
}

static struct kunit_case wattle_aff_test_cases[] = {
	KUNIT_CASE(wattle_aff_test_time),
	KUNIT_CASE(wattle_aff_test_backends),
	KUNIT_CASE(wattle_aff_test_sweep),
	KUNIT_CASE(wattle_aff_test_shared),
	KUNIT_CASE(wattle_aff_test_memory),
	{}
};

struct kunit_suite wattle_affinity_suite = {
	.name = "affinity",
	.init = wattle_aff_test_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_aff_test_cases,
};
