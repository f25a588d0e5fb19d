// SPDX-License-Identifier: GPL-2.0-only
/* Tables of a device that is none, for the suites that need all of them. */

#include "fixture.h"
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

static int wattle_fixture_attach(struct wattle_port *port)
{
	struct wattle_fixture *f = container_of(port->wattle, struct wattle_fixture, wattle);

	if (f->attach_fails)
		return -EOPNOTSUPP;
	f->attached++;
	return 0;
}

static void wattle_fixture_detach(struct wattle_port *port)
{
	struct wattle_fixture *f = container_of(port->wattle, struct wattle_fixture, wattle);

	f->attached--;
}

static const struct wattle_port_ops wattle_fixture_ops = {
	.attach = wattle_fixture_attach,
	.detach = wattle_fixture_detach,
};

/* There are no conversations: what is gone goes. */
static void wattle_fixture_cut(struct work_struct *work)
{
	struct wattle_config *config =
		container_of(to_delayed_work(work), struct wattle_config, cut);
	struct wattle_service *service, *next;

	mutex_lock(&config->lock);
	list_for_each_entry_safe(service, next, &config->services.gone, staged) {
		list_del(&service->staged);
		wattle_service_destroy(service);
	}
	mutex_unlock(&config->lock);
}

int wattle_fixture_init(struct kunit *test)
{
	struct wattle_fixture *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int err;

	if (!f)
		return -ENOMEM;
	f->wattle.net = &init_net;
	f->config = &f->wattle.config;
	err = wattle_config_init(f->config, &f->wattle, &wattle_fixture_ops, wattle_fixture_cut);
	if (err) {
		kfree(f);
		return err;
	}
	wattle_random_begin(test, &f->random);
	test->priv = f;
	return 0;
}

void wattle_fixture_exit(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;

	wattle_test_deny(-1);
	if (!f)
		return;
	wattle_config_exit(f->config);
	KUNIT_EXPECT_EQ(test, f->attached, 0);
	kfree(f);
}

int wattle_fixture_endpoint_add(struct wattle_fixture *f, u32 owner,
				const struct wattle_endpoint_spec *spec, bool replace)
{
	int err;

	for (;;) {
		rtnl_lock();
		err = wattle_config_endpoint_add(f->config, owner, spec, replace, &f->why);
		rtnl_unlock();
		if (err != -ERESTART)
			return err;
		wattle_config_wait(f->config);
	}
}

void wattle_fixture_settle(struct wattle_fixture *f)
{
	flush_work(&f->config->sweep);
	do {
		flush_work(&f->config->reclaim);
	} while (!list_empty_careful(&f->config->dead));
	flush_delayed_work(&f->config->cut);
}

enum wattle_test_step wattle_fixture_step(struct kunit *test, bool *open)
{
	struct wattle_fixture *f = test->priv;
	u64 gen = wattle_generation(f->config);
	int err;

	if (!*open) {
		if (wattle_random_below(&f->random, 8))
			return WATTLE_STEP_CHANGE;
		KUNIT_EXPECT_EQ(test, wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why),
				0);
		*open = true;
		return WATTLE_STEP_BEGIN;
	}
	if (wattle_random_below(&f->random, 24))
		return WATTLE_STEP_CHANGE;
	*open = false;
	if (wattle_random_below(&f->random, 2)) {
		wattle_fixture_deny(f);
		err = wattle_config_commit(f->config, WATTLE_TEST_OWNER, &gen, &f->why);
		/* What changed nothing in the end does without the memory. */
		KUNIT_EXPECT_EQ(test, err, err && wattle_test_denied() ? -ENOMEM : 0);
		wattle_test_deny(-1);
		return err ? WATTLE_STEP_ABORT : WATTLE_STEP_COMMIT;
	}
	wattle_fixture_deny(f);
	KUNIT_EXPECT_EQ(test, wattle_config_abort(f->config, WATTLE_TEST_OWNER, &f->why), 0);
	wattle_test_deny(-1);
	return WATTLE_STEP_ABORT;
}

void wattle_fixture_deny(struct wattle_fixture *f)
{
	if (!wattle_random_below(&f->random, 4))
		wattle_test_deny(wattle_random_below(&f->random, 8));
	else
		wattle_test_deny(-1);
}
