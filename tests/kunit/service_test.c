// SPDX-License-Identifier: GPL-2.0-only
/* Services against a list; shares by weight; how little a Maglev table is disturbed. */

#include <linux/jhash.h>
#include "fixture.h"
#include "suites.h"
#include "service.c"
#include "service_stats.c"
#include "service_write.c"
#include "service_ready.c"
#include "maglev.c"

#define WATTLE_SVC_TEST_SERVICES	8
#define WATTLE_SVC_TEST_BACKENDS	12

struct wattle_svc_state {
	bool there;
	u8 alg;
	u8 empty;
	u8 policy;
	unsigned int sources;
	bool has[WATTLE_SVC_TEST_BACKENDS];
	u16 weight[WATTLE_SVC_TEST_BACKENDS];
	u8 state[WATTLE_SVC_TEST_BACKENDS];
};

struct wattle_svc_model {
	struct wattle_svc_state states[2][WATTLE_SVC_TEST_SERVICES];	/* published, staged */
};

/* Two addresses, each with two ports, each for any and for those from outside. */
static struct wattle_service_spec wattle_svc_test_spec(unsigned int n)
{
	return (struct wattle_service_spec){
		.key.addr = wattle_test_v4(n / 4 ? 0x0a600001 : 0),
		.key.port = htons(80 + (n >> 1 & 1)),
		.key.proto = IPPROTO_TCP,
		.key.scope = n & 1,
		.maglev_size = 251,
	};
}

/* 10.@i.0.0/16. */
static void wattle_svc_test_prefixes(struct wattle_prefix *prefixes, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		prefixes[i] = wattle_test_prefix4(0x0a000000 | i << 16, 16);
}

static struct wattle_backend wattle_svc_test_backend(unsigned int n)
{
	return (struct wattle_backend){
		.addr = wattle_test_v4(0x0a010001 + n * 77),
		.port = htons(8000 + (n * 5) % 3),
		.weight = 1,
	};
}

static bool wattle_svc_test_usable(const struct wattle_svc_state *s, unsigned int i, u8 state)
{
	return s->has[i] && s->weight[i] && s->state[i] == state;
}

/* Which backends the contract lets be chosen. */
static unsigned int wattle_svc_test_choices(const struct wattle_svc_state *s, bool *choices)
{
	unsigned int i, n = 0;
	u8 state;

	for (state = 0; state <= WATTLE_BACKEND_STATE_TERMINATING && !n; state++) {
		for (i = 0; i < WATTLE_SVC_TEST_BACKENDS; i++) {
			choices[i] = wattle_svc_test_usable(s, i, state);
			n += choices[i];
		}
	}
	return n;
}

static int wattle_svc_test_index(const struct wattle_backend *backend)
{
	struct wattle_backend one;
	unsigned int i;

	for (i = 0; i < WATTLE_SVC_TEST_BACKENDS; i++) {
		one = wattle_svc_test_backend(i);
		if (ipv6_addr_equal(&one.addr, &backend->addr) && one.port == backend->port)
			return i;
	}
	return -1;
}

static void wattle_svc_test_check_sources(struct kunit *test, const struct wattle_svc_state *s,
					  const struct wattle_service *service)
{
	struct wattle_fixture *f = test->priv;
	unsigned int n = wattle_random_below(&f->random, 4);
	struct in6_addr client = wattle_test_v4(0x0a000007 | n << 16);
	bool named = n < s->sources;

	KUNIT_EXPECT_EQ(test, service->sources ? service->sources->count : 0, s->sources);
	KUNIT_EXPECT_EQ(test, wattle_service_admits(service, &client),
			!s->sources || named == (s->policy == WATTLE_SOURCE_POLICY_ALLOW));
}

static void wattle_svc_test_check_one(struct kunit *test, const struct wattle_svc_state *s,
				      const struct wattle_service *service)
{
	struct wattle_fixture *f = test->priv;
	bool choices[WATTLE_SVC_TEST_BACKENDS];
	unsigned int i, n = 0, usable = wattle_svc_test_choices(s, choices);
	const struct wattle_backend *chosen;
	struct wattle_backend backend;

	for (i = 0; i < WATTLE_SVC_TEST_BACKENDS; i++) {
		backend = wattle_svc_test_backend(i);
		n += s->has[i];
		KUNIT_EXPECT_EQ(test,
				wattle_service_keeps(service, &backend.addr, backend.port),
				s->has[i] && s->state[i] != WATTLE_BACKEND_STATE_QUARANTINED);
	}
	KUNIT_EXPECT_EQ(test, service->count, n);
	KUNIT_EXPECT_EQ(test, service->usable, usable);
	KUNIT_EXPECT_EQ(test, service->alg, s->alg);
	KUNIT_EXPECT_EQ(test, service->empty, s->empty);
	wattle_svc_test_check_sources(test, s, service);
	for (i = 0; i < 4; i++) {
		chosen = wattle_service_choose(service, wattle_random(&f->random));
		KUNIT_EXPECT_EQ(test, !!chosen, usable != 0);
		if (!chosen)
			break;
		KUNIT_EXPECT_TRUE(test, choices[wattle_svc_test_index(chosen)]);
	}
}

/* Does the address of service @n have any? */
static bool wattle_svc_test_has_addr(const struct wattle_svc_state *states, unsigned int n)
{
	unsigned int i;

	for (i = n & ~3; i < (n & ~3) + 4; i++) {
		if (states[i].there)
			return true;
	}
	return false;
}

static void wattle_svc_test_check(struct kunit *test, const struct wattle_svc_model *m)
{
	struct wattle_fixture *f = test->priv;
	unsigned int n = wattle_random_below(&f->random, WATTLE_SVC_TEST_SERVICES);
	struct wattle_service_spec spec = wattle_svc_test_spec(n);
	struct wattle_services *services = &f->config->services;
	const struct wattle_svc_state *s = &m->states[0][n];
	const struct wattle_service *service;
	u64 gen;

	rcu_read_lock();
	gen = wattle_generation(f->config);
	service = wattle_service_lookup(services, &spec.key, gen);
	KUNIT_EXPECT_EQ(test, !!service, s->there);
	if (service && s->there)
		wattle_svc_test_check_one(test, s, service);
	KUNIT_EXPECT_EQ(test, wattle_service_has_addr(services, &spec.key.addr, gen),
			wattle_svc_test_has_addr(m->states[0], n));
	KUNIT_EXPECT_EQ(test, wattle_service_has_addr(services, &spec.key.addr, gen + 1),
			wattle_svc_test_has_addr(m->states[1], n));
	spec.key.proto = IPPROTO_UDP;
	KUNIT_EXPECT_NULL(test, wattle_service_lookup(services, &spec.key, gen));
	rcu_read_unlock();
}

static void wattle_svc_model_step(struct wattle_svc_model *m, enum wattle_test_step step)
{
	bool from = step == WATTLE_STEP_COMMIT;

	if (step == WATTLE_STEP_COMMIT || step == WATTLE_STEP_ABORT)
		memcpy(m->states[!from], m->states[from], sizeof(m->states[0]));
}

static int wattle_svc_test_service(struct wattle_fixture *f, struct wattle_svc_state *s,
				   struct wattle_service_spec *spec, bool replace, int *want)
{
	struct wattle_prefix sources[3];
	int err;

	if (wattle_random_below(&f->random, 4)) {
		spec->alg = wattle_random_below(&f->random, 2);
		spec->empty = wattle_random_below(&f->random, 2);
		spec->source_policy = wattle_random_below(&f->random, 2);
		spec->source_count = wattle_random_below(&f->random, ARRAY_SIZE(sources) + 1);
		spec->sources = sources;
		wattle_svc_test_prefixes(sources, spec->source_count);
		*want = s->there && !replace ? -EEXIST : 0;
		err = wattle_config_service_add(f->config, WATTLE_TEST_OWNER, spec, replace,
						&f->why);
		if (!err && !s->there)
			memset(s, 0, sizeof(*s));
		if (!err) {
			s->there = true;
			s->alg = spec->alg;
			s->empty = spec->empty;
			s->policy = spec->source_policy;
			s->sources = spec->source_count;
		}
		return err;
	}
	*want = s->there ? 0 : -ENOENT;
	err = wattle_config_service_del(f->config, WATTLE_TEST_OWNER, &spec->key, &f->why);
	if (!err)
		s->there = false;
	return err;
}

static int wattle_svc_test_backends(struct wattle_fixture *f, struct wattle_svc_state *s,
				    const struct wattle_service_spec *spec, bool replace,
				    int *want)
{
	unsigned int i = wattle_random_below(&f->random, WATTLE_SVC_TEST_BACKENDS);
	struct wattle_backend backend = wattle_svc_test_backend(i);
	int err;

	if (wattle_random_below(&f->random, 3)) {
		backend.weight = wattle_random_below(&f->random, 4);
		backend.state = wattle_random_below(&f->random, 3);
		*want = !s->there ? -ENOENT : s->has[i] && !replace ? -EEXIST : 0;
		err = wattle_config_backend_add(f->config, WATTLE_TEST_OWNER, &spec->key,
						&backend, replace, &f->why);
		if (!err) {
			s->has[i] = true;
			s->weight[i] = backend.weight;
			s->state[i] = backend.state;
		}
		return err;
	}
	*want = s->there && s->has[i] ? 0 : -ENOENT;
	err = wattle_config_backend_del(f->config, WATTLE_TEST_OWNER, &spec->key, &backend,
					&f->why);
	if (!err)
		s->has[i] = false;
	return err;
}

static void wattle_svc_test_change(struct kunit *test, struct wattle_svc_model *m, bool open)
{
	struct wattle_fixture *f = test->priv;
	unsigned int n = wattle_random_below(&f->random, WATTLE_SVC_TEST_SERVICES);
	struct wattle_service_spec spec = wattle_svc_test_spec(n);
	struct wattle_svc_state *s = &m->states[1][n];
	bool replace = wattle_random_below(&f->random, 2);
	int err, want;

	wattle_fixture_deny(f);
	if (!wattle_random_below(&f->random, 4))
		err = wattle_svc_test_service(f, s, &spec, replace, &want);
	else
		err = wattle_svc_test_backends(f, s, &spec, replace, &want);
	KUNIT_EXPECT_EQ(test, err, wattle_test_denied() && err ? -ENOMEM : want);
	wattle_test_deny(-1);
	if (!open)
		wattle_svc_model_step(m, err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT);
}

/* Any sequence of changes, transactions and failures leaves what a list would hold. */
static void wattle_svc_test_random(struct kunit *test)
{
	struct wattle_svc_model *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct wattle_fixture *f = test->priv;
	struct wattle_services *services = &f->config->services;
	struct wattle_service_spec spec;
	enum wattle_test_step step;
	bool open = false;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < WATTLE_TEST_STEPS(6000); i++) {
		step = wattle_fixture_step(test, &open);
		if (step == WATTLE_STEP_CHANGE)
			wattle_svc_test_change(test, m, open);
		else
			wattle_svc_model_step(m, step);
		wattle_svc_test_check(test, m);
		cond_resched();
	}
	if (open)
		wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	for (i = 0; i < WATTLE_SVC_TEST_SERVICES; i++) {
		spec = wattle_svc_test_spec(i);
		wattle_config_service_del(f->config, 0, &spec.key, &f->why);
	}
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, services->count, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&services->by_frontend.ht.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&services->by_addr.ht.nelems), 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&services->ids));
	KUNIT_EXPECT_TRUE(test, list_empty(&services->staged));
	kfree(m);
}

#define WATTLE_MAGLEV_TEST_BACKENDS	10
/* As many as the table is for. */
#define WATTLE_MAGLEV_TEST_MOST		(WATTLE_MAGLEV_SIZE / 100)

struct wattle_maglev_test {
	struct wattle_backend backends[WATTLE_MAGLEV_TEST_MOST];
	struct wattle_backend rest[WATTLE_MAGLEV_TEST_MOST];
	u8 before[WATTLE_MAGLEV_SIZE];
	u8 after[WATTLE_MAGLEV_SIZE];
	unsigned int share[WATTLE_MAGLEV_TEST_MOST];
};

static struct wattle_maglev_test *wattle_maglev_test_begin(struct kunit *test)
{
	struct wattle_maglev_test *t = kvzalloc(sizeof(*t), GFP_KERNEL);
	unsigned int i;

	for (i = 0; t && i < WATTLE_MAGLEV_TEST_MOST; i++) {
		t->backends[i].addr = wattle_test_v4(0x0a010000 + 3 * i);
		t->backends[i].port = htons(8080);
		t->backends[i].weight = 1;
	}
	return t;
}

/* The first @count backends fill @before. */
static void wattle_maglev_test_fill(struct kunit *test, struct wattle_maglev_test *t,
				    unsigned int count)
{
	unsigned int i, nobody = 0;

	memset(t->before, 0xff, sizeof(t->before));
	KUNIT_EXPECT_EQ(test, wattle_maglev_fill(t->before, 1, WATTLE_MAGLEV_SIZE, t->backends,
						 count), 0);
	memset(t->share, 0, sizeof(t->share));
	for (i = 0; i < WATTLE_MAGLEV_SIZE; i++) {
		if (t->before[i] < count)
			t->share[t->before[i]]++;
		else
			nobody++;
	}
	KUNIT_EXPECT_EQ(test, nobody, 0u);
}

/* Equal weights, equal shares, to a slot. */
static void wattle_maglev_test_equal(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_BACKENDS);
	for (i = 0; i < WATTLE_MAGLEV_TEST_BACKENDS; i++) {
		KUNIT_EXPECT_GE(test, t->share[i],
				WATTLE_MAGLEV_SIZE / WATTLE_MAGLEV_TEST_BACKENDS);
		KUNIT_EXPECT_LE(test, t->share[i],
				WATTLE_MAGLEV_SIZE / WATTLE_MAGLEV_TEST_BACKENDS + 1);
	}
	kvfree(t);
}

/* Shares go by weights, to a hundredth. */
static void wattle_maglev_test_weights(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	unsigned int i, total = 0, want;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < WATTLE_MAGLEV_TEST_BACKENDS; i++) {
		t->backends[i].weight = 1 + 7 * i;
		total += t->backends[i].weight;
	}
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_BACKENDS);
	for (i = 0; i < WATTLE_MAGLEV_TEST_BACKENDS; i++) {
		want = WATTLE_MAGLEV_SIZE * t->backends[i].weight / total;
		KUNIT_EXPECT_LE(test, abs((int)t->share[i] - (int)want),
				WATTLE_MAGLEV_SIZE / 100);
	}
	kvfree(t);
}

/* Many backends: chance makes the shares, up to an eighth more. */
static void wattle_maglev_test_bounded(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	const unsigned int share = WATTLE_MAGLEV_SIZE / WATTLE_MAGLEV_TEST_MOST;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_MOST);
	for (i = 0; i < WATTLE_MAGLEV_TEST_MOST; i++) {
		KUNIT_EXPECT_GT(test, t->share[i], share / 2);
		KUNIT_EXPECT_LE(test, t->share[i], share + share / 8 + 1);
	}
	kvfree(t);
}

/* How many slots of @before, for @count backends, point elsewhere without number @gone. */
static unsigned int wattle_maglev_test_moved(struct kunit *test, struct wattle_maglev_test *t,
					     unsigned int count, unsigned int gone)
{
	unsigned int i, n, moved;

	for (i = 0, n = 0; i < count; i++) {
		if (i != gone)
			t->rest[n++] = t->backends[i];
	}
	KUNIT_EXPECT_EQ(test, wattle_maglev_fill(t->after, 1, WATTLE_MAGLEV_SIZE, t->rest, n), 0);
	for (i = 0, moved = 0; i < WATTLE_MAGLEV_SIZE; i++)
		moved += !ipv6_addr_equal(&t->backends[t->before[i]].addr,
					  &t->rest[t->after[i]].addr);
	return moved;
}

/* One of N goes: its slots have to move, about 1/N of all, and half of 1/N may beside them. */
static void wattle_maglev_test_disruption(struct kunit *test)
{
	static const unsigned int counts[] = { 2, 3, 10, 25, 40, 80, WATTLE_MAGLEV_TEST_MOST };
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	unsigned int count, gone, moved, i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		count = counts[i];
		wattle_maglev_test_fill(test, t, count);
		for (gone = 0; gone < count; gone += 1 + count / 10) {
			moved = wattle_maglev_test_moved(test, t, count, gone);
			KUNIT_EXPECT_GE(test, moved, t->share[gone]);
			KUNIT_EXPECT_LE_MSG(test, moved, WATTLE_MAGLEV_SIZE * 3 / 2 / count,
					    "backend %u of %u", gone, count);
		}
	}
	kvfree(t);
}

/* The same by weights: who has most of it goes, and half as much as its share may move beside. */
static void wattle_maglev_test_heaviest(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < WATTLE_MAGLEV_TEST_MOST; i++)
		t->backends[i].weight = 1 + i % 5;
	t->backends[20].weight = 10;
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_MOST);
	KUNIT_EXPECT_LE(test, wattle_maglev_test_moved(test, t, WATTLE_MAGLEV_TEST_MOST, 20),
			t->share[20] * 3 / 2);
	kvfree(t);
}

/* The largest weight beside the smallest: who has most takes what is his, and leaves the rest. */
static void wattle_maglev_test_extremes(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->backends[1].weight = U16_MAX;
	wattle_maglev_test_fill(test, t, 2);
	KUNIT_EXPECT_EQ(test, t->share[0], 1u);
	for (i = 0; i < WATTLE_MAGLEV_TEST_MOST; i++)
		t->backends[i].weight = i % 2 ? U16_MAX : 1;
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_MOST);
	kvfree(t);
}

/* The widths of an entry hold the same table; more backends than slots are no trouble. */
static void wattle_maglev_test_widths(struct kunit *test)
{
	struct wattle_maglev_test *t = wattle_maglev_test_begin(test);
	u32 *wide = kvcalloc(WATTLE_MAGLEV_SIZE, sizeof(*wide), GFP_KERNEL);
	u32 i, differ = 0;

	KUNIT_ASSERT_TRUE(test, t && wide);
	wattle_maglev_test_fill(test, t, WATTLE_MAGLEV_TEST_BACKENDS);
	KUNIT_EXPECT_EQ(test, wattle_maglev_fill(wide, 4, WATTLE_MAGLEV_SIZE, t->backends,
						 WATTLE_MAGLEV_TEST_BACKENDS), 0);
	for (i = 0; i < WATTLE_MAGLEV_SIZE; i++)
		differ += wattle_maglev_get(t->before, 1, i) != wattle_maglev_get(wide, 4, i);
	KUNIT_EXPECT_EQ(test, differ, 0u);
	KUNIT_EXPECT_EQ(test, wattle_maglev_fill(wide, 2, WATTLE_MAGLEV_SIZE, t->backends,
						 WATTLE_MAGLEV_TEST_BACKENDS), 0);
	for (i = 0; i < WATTLE_MAGLEV_SIZE; i++)
		differ += wattle_maglev_get(t->before, 1, i) != wattle_maglev_get(wide, 2, i);
	KUNIT_EXPECT_EQ(test, differ, 0u);
	KUNIT_EXPECT_EQ(test, wattle_maglev_fill(wide, 4, 3, t->backends,
						 WATTLE_MAGLEV_TEST_BACKENDS), 0);
	KUNIT_EXPECT_EQ(test, BIT(wide[0]) | BIT(wide[1]) | BIT(wide[2]), 7ul);
	kvfree(wide);
	kvfree(t);
}

/* Random choice goes by weight, and by nothing else than the hash. */
static void wattle_svc_test_shares(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	const struct wattle_service *service;
	const struct wattle_backend *backend;
	unsigned int share[4] = {}, i;
	struct wattle_backend one;

	KUNIT_EXPECT_EQ(test, wattle_config_service_add(f->config, 0, &spec, false, &f->why), 0);
	for (i = 0; i < 4; i++) {
		one = wattle_svc_test_backend(i);
		one.weight = 1 + i;
		KUNIT_EXPECT_EQ(test, wattle_config_backend_add(f->config, 0, &spec.key,
								&one, false, &f->why), 0);
	}
	rcu_read_lock();
	service = wattle_service_lookup(&f->config->services, &spec.key,
					wattle_generation(f->config));
	for (i = 0; service && i < 10000; i++) {
		backend = wattle_service_choose(service, i * 429497u);
		KUNIT_EXPECT_PTR_EQ(test, backend, wattle_service_choose(service, i * 429497u));
		share[wattle_svc_test_index(backend)]++;
	}
	rcu_read_unlock();
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_LE(test, abs((int)share[i] - 1000 * (int)(1 + i)), 100);
}

static void wattle_svc_test_refusals(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	struct wattle_backend backend = wattle_svc_test_backend(0);
	struct wattle_config *c = f->config;

	spec.maglev_size = 16384;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_MAGLEV_SIZE);
	spec.maglev_size = 0;
	spec.key.port = 0;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_PORT);
	spec.key.port = htons(80);
	spec.key.proto = IPPROTO_ICMP;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	spec.key.proto = IPPROTO_SCTP;
	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(c, 0, &spec.key, &backend, false,
							&f->why), -ENOENT);
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), 0);
	backend.port = 0;
	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(c, 0, &spec.key, &backend, false,
							&f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_BACKEND_PORT);
	backend.port = htons(80);
	backend.addr = wattle_test_v6(1);
	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(c, 0, &spec.key, &backend, false,
							&f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_BACKEND_ADDR);
}

/* Prefixes of clients are checked, and shared by the versions of a service. */
static void wattle_svc_test_sources(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	struct wattle_backend backend = wattle_svc_test_backend(0);
	const struct wattle_service *service;
	struct wattle_config *c = f->config;
	const struct wattle_sources *sources;
	struct wattle_prefix *prefixes;

	prefixes = kcalloc(WATTLE_SOURCES_MAX + 1, sizeof(*prefixes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, prefixes);
	wattle_svc_test_prefixes(prefixes, WATTLE_SOURCES_MAX);
	spec.sources = prefixes;
	spec.source_count = WATTLE_SOURCES_MAX + 1;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -ENOSPC);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_SOURCE);
	spec.source_count = 2;
	prefixes[1].addr.s6_addr32[3] |= htonl(1);
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_SOURCE);
	KUNIT_EXPECT_EQ(test, f->why.index, 1u);
	prefixes[1] = (struct wattle_prefix){ .addr = wattle_test_v6(0), .len = 64 };
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	spec.source_policy = WATTLE_SOURCE_POLICY_DENY + 1;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_SOURCE_POLICY);
	spec.source_policy = WATTLE_SOURCE_POLICY_DENY;
	spec.dsr = true;
	spec.key.proto = IPPROTO_SCTP;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_DSR);
	spec.key.proto = IPPROTO_TCP;
	spec.dsr = false;
	wattle_svc_test_prefixes(prefixes, WATTLE_SOURCES_MAX);
	spec.source_count = WATTLE_SOURCES_MAX;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(c, 0, &spec, false, &f->why), 0);
	rcu_read_lock();
	service = wattle_service_lookup(&c->services, &spec.key, wattle_generation(c));
	sources = service->sources;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(c, 0, &spec.key, &backend, false, &f->why),
			0);
	wattle_fixture_settle(f);
	rcu_read_lock();
	service = wattle_service_lookup(&c->services, &spec.key, wattle_generation(c));
	KUNIT_EXPECT_PTR_EQ(test, (const struct wattle_sources *)service->sources, sources);
	KUNIT_EXPECT_EQ(test, refcount_read(&sources->users), 1u);
	rcu_read_unlock();
	kfree(prefixes);
}

/* A number stays with its frontend, whatever changes. */
static void wattle_svc_test_numbers(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	const struct wattle_service *service;
	struct wattle_backend backend;
	unsigned int i;
	u32 id = 0;

	KUNIT_EXPECT_EQ(test, wattle_config_service_add(f->config, 0, &spec, false, &f->why), 0);
	for (i = 0; i < WATTLE_SVC_TEST_BACKENDS; i++) {
		backend = wattle_svc_test_backend(i);
		wattle_config_backend_add(f->config, 0, &spec.key, &backend, false, &f->why);
		rcu_read_lock();
		service = wattle_service_lookup(&f->config->services, &spec.key,
						wattle_generation(f->config));
		KUNIT_EXPECT_NOT_NULL(test, service);
		if (service) {
			KUNIT_EXPECT_EQ(test, service->count, i + 1);
			id = id ?: service->id;
			KUNIT_EXPECT_EQ(test, service->id, id);
		}
		rcu_read_unlock();
	}
	KUNIT_EXPECT_NE(test, id, 0u);
}

/* What is published of the frontend of @spec; in an RCU read section. */
static const struct wattle_service *wattle_svc_test_now(struct wattle_fixture *f,
							const struct wattle_service_spec *spec)
{
	return wattle_service_lookup(&f->config->services, &spec->key,
				     wattle_generation(f->config));
}

/* @backend, which takes connections, gets @add; then it has @want, and the frontend @all. */
static void wattle_svc_test_bind(struct kunit *test, const struct wattle_service_spec *spec,
				 const struct wattle_backend *backend, unsigned int add, u64 want,
				 u64 all)
{
	const struct wattle_service *service;
	const struct wattle_backend *found = NULL;
	struct wattle_service_total total;

	rcu_read_lock();
	service = wattle_svc_test_now(test->priv, spec);
	if (service)
		found = wattle_service_usable(service, &backend->addr, backend->port);
	KUNIT_EXPECT_NOT_NULL(test, found);
	if (found) {
		while (add--)
			wattle_service_stats_bind(found->stats);
		wattle_service_stats_total(found->stats, &total);
		KUNIT_EXPECT_EQ(test, total.connections, want);
		wattle_service_stats_total(service->stats, &total);
		KUNIT_EXPECT_EQ(test, total.connections, all);
	}
	rcu_read_unlock();
}

/* Counters outlive versions, and the frontend's those of its backends. */
static void wattle_svc_test_stats(struct kunit *test)
{
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	struct wattle_backend backend = wattle_svc_test_backend(0);
	struct wattle_backend other = wattle_svc_test_backend(1);
	struct wattle_fixture *f = test->priv;
	const struct wattle_service *service;

	wattle_config_service_add(f->config, 0, &spec, false, &f->why);
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, false, &f->why);
	wattle_config_backend_add(f->config, 0, &spec.key, &other, false, &f->why);
	wattle_svc_test_bind(test, &spec, &backend, 3, 3, 3);
	wattle_svc_test_bind(test, &spec, &other, 1, 1, 4);
	backend.weight = 5;
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, true, &f->why);
	wattle_svc_test_bind(test, &spec, &backend, 0, 3, 4);
	spec.alg = WATTLE_ALG_MAGLEV;
	wattle_config_service_add(f->config, 0, &spec, true, &f->why);
	wattle_svc_test_bind(test, &spec, &backend, 1, 4, 5);
	/* What is gone counts, before and after its memory is. */
	wattle_config_backend_del(f->config, 0, &spec.key, &backend, &f->why);
	wattle_svc_test_bind(test, &spec, &other, 0, 1, 5);
	wattle_fixture_settle(f);
	wattle_svc_test_bind(test, &spec, &other, 1, 2, 6);
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, false, &f->why);
	wattle_svc_test_bind(test, &spec, &backend, 0, 0, 6);

	rcu_read_lock();
	service = wattle_svc_test_now(f, &spec);
	atomic64_inc(&service->stats->refused);
	KUNIT_EXPECT_EQ(test, atomic64_read(&service->stats->refused), 1LL);
	rcu_read_unlock();
}

/* The frontend of @spec has carried @want packets of 100 bytes, and twice as many answers. */
static void wattle_svc_test_carried(struct kunit *test, const struct wattle_service_spec *spec,
				    u64 want)
{
	struct wattle_service_total total;

	rcu_read_lock();
	wattle_service_stats_total(wattle_svc_test_now(test->priv, spec)->stats, &total);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, total.packets[IP_CT_DIR_ORIGINAL], want);
	KUNIT_EXPECT_EQ(test, total.bytes[IP_CT_DIR_ORIGINAL], 100 * want);
	KUNIT_EXPECT_EQ(test, total.packets[IP_CT_DIR_REPLY], 2 * want);
	KUNIT_EXPECT_EQ(test, total.bytes[IP_CT_DIR_REPLY], 200 * want);
}

static void wattle_svc_test_carry(struct wattle_service_stats *stats, u64 packets)
{
	wattle_service_stats_add(stats, IP_CT_DIR_ORIGINAL, packets, 100 * packets);
	wattle_service_stats_add(stats, IP_CT_DIR_REPLY, 2 * packets, 200 * packets);
}

/* Who holds the counters of a backend may add to them when it is gone, and the service, too. */
static void wattle_svc_test_held(struct kunit *test)
{
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	struct wattle_backend backend = wattle_svc_test_backend(0);
	struct wattle_fixture *f = test->priv;
	struct wattle_service_stats *held;
	const struct wattle_backend *found;

	wattle_config_service_add(f->config, 0, &spec, false, &f->why);
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, false, &f->why);
	rcu_read_lock();
	found = wattle_service_backend(wattle_svc_test_now(f, &spec), &backend.addr, backend.port);
	held = wattle_service_stats_get(found->stats);
	rcu_read_unlock();
	wattle_svc_test_carry(held, 1);
	backend.state = WATTLE_BACKEND_STATE_QUARANTINED;
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, true, &f->why);
	wattle_fixture_settle(f);
	rcu_read_lock();
	found = wattle_service_backend(wattle_svc_test_now(f, &spec), &backend.addr, backend.port);
	KUNIT_EXPECT_PTR_EQ(test, found->stats, held);
	rcu_read_unlock();
	wattle_svc_test_carry(held, 1);
	wattle_svc_test_carried(test, &spec, 2);
	wattle_config_backend_del(f->config, 0, &spec.key, &backend, &f->why);
	wattle_fixture_settle(f);
	wattle_svc_test_carry(held, 1);
	wattle_svc_test_carried(test, &spec, 3);
	/* One that has its address and port is another. */
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, false, &f->why);
	rcu_read_lock();
	found = wattle_service_backend(wattle_svc_test_now(f, &spec), &backend.addr, backend.port);
	KUNIT_EXPECT_PTR_NE(test, found->stats, held);
	rcu_read_unlock();
	wattle_svc_test_carried(test, &spec, 3);
	wattle_service_stats_put(held);
	wattle_svc_test_carried(test, &spec, 3);
	rcu_read_lock();
	found = wattle_service_backend(wattle_svc_test_now(f, &spec), &backend.addr, backend.port);
	held = wattle_service_stats_get(found->stats);
	rcu_read_unlock();
	wattle_config_service_del(f->config, 0, &spec.key, &f->why);
	wattle_fixture_settle(f);
	wattle_svc_test_carry(held, 1);
	wattle_service_stats_put(held);
}

static unsigned int wattle_svc_turned[2];	/* to down, to up */

static void wattle_svc_test_turn(struct wattle_services *services,
				 const struct wattle_service *service)
{
	wattle_svc_turned[!!service->usable]++;
}

static void wattle_svc_test_told(struct kunit *test, unsigned int down, unsigned int up)
{
	KUNIT_EXPECT_EQ(test, wattle_svc_turned[0], down);
	KUNIT_EXPECT_EQ(test, wattle_svc_turned[1], up);
}

/* Told once, when a commit turns it, and of what was taken back never. */
static void wattle_svc_test_turns(struct kunit *test)
{
	struct wattle_service_spec spec = wattle_svc_test_spec(0);
	struct wattle_backend backend = wattle_svc_test_backend(0);
	struct wattle_backend other = wattle_svc_test_backend(1);
	struct wattle_fixture *f = test->priv;

	memset(wattle_svc_turned, 0, sizeof(wattle_svc_turned));
	f->config->services.turned = wattle_svc_test_turn;
	wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why);
	wattle_config_service_add(f->config, WATTLE_TEST_OWNER, &spec, false, &f->why);
	wattle_config_backend_add(f->config, WATTLE_TEST_OWNER, &spec.key, &backend, false,
				  &f->why);
	wattle_config_backend_add(f->config, WATTLE_TEST_OWNER, &spec.key, &other, false, &f->why);
	wattle_config_commit(f->config, WATTLE_TEST_OWNER, NULL, &f->why);
	wattle_svc_test_told(test, 0, 0);
	/* One is enough, and one that is terminating will do. */
	wattle_config_backend_del(f->config, 0, &spec.key, &other, &f->why);
	backend.state = WATTLE_BACKEND_STATE_TERMINATING;
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, true, &f->why);
	wattle_svc_test_told(test, 0, 0);
	backend.state = WATTLE_BACKEND_STATE_QUARANTINED;
	wattle_config_backend_add(f->config, 0, &spec.key, &backend, true, &f->why);
	wattle_svc_test_told(test, 1, 0);
	wattle_config_service_add(f->config, 0, &spec, true, &f->why);
	wattle_svc_test_told(test, 1, 0);
	wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why);
	wattle_config_backend_add(f->config, WATTLE_TEST_OWNER, &spec.key, &other, false, &f->why);
	wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why);
	wattle_svc_test_told(test, 1, 0);
	wattle_config_backend_add(f->config, 0, &spec.key, &other, false, &f->why);
	wattle_svc_test_told(test, 1, 1);
	wattle_config_service_del(f->config, 0, &spec.key, &f->why);
	wattle_svc_test_told(test, 1, 1);
	wattle_config_service_add(f->config, 0, &spec, false, &f->why);
	wattle_svc_test_told(test, 2, 1);
}

static struct kunit_case wattle_service_cases[] = {
	KUNIT_CASE(wattle_svc_test_random),
	KUNIT_CASE(wattle_svc_test_shares),
	KUNIT_CASE(wattle_svc_test_refusals),
	KUNIT_CASE(wattle_svc_test_sources),
	KUNIT_CASE(wattle_svc_test_numbers),
	KUNIT_CASE(wattle_svc_test_stats),
	KUNIT_CASE(wattle_svc_test_held),
	KUNIT_CASE(wattle_svc_test_turns),
	KUNIT_CASE(wattle_maglev_test_equal),
	KUNIT_CASE(wattle_maglev_test_weights),
	KUNIT_CASE(wattle_maglev_test_bounded),
	KUNIT_CASE(wattle_maglev_test_disruption),
	KUNIT_CASE(wattle_maglev_test_heaviest),
	KUNIT_CASE(wattle_maglev_test_extremes),
	KUNIT_CASE(wattle_maglev_test_widths),
	{}
};

struct kunit_suite wattle_service_suite = {
	.name = "service",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_service_cases,
};
