// SPDX-License-Identifier: GPL-2.0-only
/* Endpoints: on devices that are never registered, and one that is, and goes. */

#include <linux/etherdevice.h>
#include "fixture.h"
#include "suites.h"
#include "endpoint.c"

#define WATTLE_EP_TEST_DEVICES	4

struct wattle_ep_test {
	struct net_device *devs[WATTLE_EP_TEST_DEVICES];
};

static const struct net_device_ops wattle_ep_test_ops = {};

/* Devices as the tables see them, but unknown to the kernel. */
static bool wattle_ep_test_begin(struct wattle_ep_test *t)
{
	unsigned int i;

	for (i = 0; i < WATTLE_EP_TEST_DEVICES; i++) {
		t->devs[i] = alloc_etherdev(0);
		if (!t->devs[i])
			return false;
		t->devs[i]->netdev_ops = &wattle_ep_test_ops;
		t->devs[i]->ifindex = 100000 + i;
		t->devs[i]->reg_state = NETREG_REGISTERED;
	}
	return true;
}

static void wattle_ep_test_end(struct wattle_fixture *f, struct wattle_ep_test *t)
{
	unsigned int i;

	for (i = 0; i < WATTLE_EP_TEST_DEVICES; i++) {
		if (!t->devs[i])
			continue;
		rtnl_lock();
		wattle_config_device_gone(f->config, t->devs[i]);
		rtnl_unlock();
	}
	wattle_fixture_settle(f);
	synchronize_rcu();
	for (i = 0; i < WATTLE_EP_TEST_DEVICES; i++) {
		if (!t->devs[i])
			continue;
		t->devs[i]->reg_state = NETREG_UNINITIALIZED;
		free_netdev(t->devs[i]);
	}
}

static int wattle_ep_test_add(struct wattle_fixture *f, u32 owner, struct net_device *dev,
			      u32 ip, u32 id, bool replace)
{
	const struct in6_addr addr = wattle_test_v4(ip);
	const struct wattle_endpoint_spec spec = {
		.dev = dev, .pod = "ns/pod", .id = id, .ip_count = !!ip, .ips = &addr,
	};

	return wattle_fixture_endpoint_add(f, owner, &spec, replace);
}

/* Identity of the endpoint that has an address, or 0. */
static u32 wattle_ep_test_id(struct wattle_fixture *f, u32 ip, bool staged)
{
	const struct in6_addr addr = wattle_test_v4(ip);
	struct wattle_endpoint *ep;
	u32 id = 0;

	rcu_read_lock();
	ep = wattle_endpoint_by_ip(&f->config->endpoints, &addr, wattle_fixture_gen(f, staged));
	if (ep && wattle_endpoint_has_ip(ep, &addr) &&
	    wattle_endpoint_on_port(ep->port, wattle_fixture_gen(f, staged)) == ep)
		id = ep->id;
	rcu_read_unlock();
	return id;
}

static void wattle_ep_test_life(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;
	struct wattle_ep_test t = {};

	KUNIT_ASSERT_TRUE(test, wattle_ep_test_begin(&t));
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false), 0);
	KUNIT_EXPECT_EQ(test, f->attached, 1);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000001, false), 300u);
	/* One endpoint a device, one device an address. */
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000002, 301, false),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_DEVICE);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0x0a000001, 301, false),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_IP);
	/* A new version stays on the port. */
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000002, 302, true), 0);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000001, false), 0u);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000002, false), 302u);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->attached, 1);
	/* An address moves within one change. */
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, WATTLE_TEST_OWNER, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_endpoint_del(c, WATTLE_TEST_OWNER,
							 t.devs[0]->ifindex, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_endpoint_del(c, WATTLE_TEST_OWNER,
							 t.devs[0]->ifindex, &f->why), -ENOENT);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, WATTLE_TEST_OWNER, t.devs[1], 0x0a000002, 303,
						 false), 0);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000002, false), 302u);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000002, true), 303u);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, WATTLE_TEST_OWNER, NULL, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000002, false), 303u);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->attached, 1);
	wattle_ep_test_end(f, &t);
	KUNIT_EXPECT_EQ(test, f->attached, 0);
}

/* A port that was only staged goes with the change. */
static void wattle_ep_test_abort(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_ep_test t = {};

	KUNIT_ASSERT_TRUE(test, wattle_ep_test_begin(&t));
	KUNIT_EXPECT_EQ(test, wattle_config_begin(f->config, WATTLE_TEST_OWNER, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, WATTLE_TEST_OWNER, t.devs[0], 0x0a000001, 300,
						 false), 0);
	KUNIT_EXPECT_EQ(test, f->attached, 1);
	wattle_config_release(f->config, WATTLE_TEST_OWNER);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->attached, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->config->endpoints.ports));
	f->attach_fails = true;
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false),
			-EOPNOTSUPP);
	f->attach_fails = false;
	KUNIT_EXPECT_TRUE(test, list_empty(&f->config->endpoints.ports));
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false), 0);
	wattle_ep_test_end(f, &t);
}

/*
 * A device goes while somebody has a transaction open: the endpoint is gone from that
 * moment, its address is free, and the transaction is as it was.
 */
static void wattle_ep_test_gone(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_config *c = f->config;
	struct wattle_identity_spec identity = {
		.prefix = wattle_test_prefix4(0x0a000009, 32), .id = 9,
	};
	struct wattle_ep_test t = {};
	u64 epoch, gen;

	KUNIT_ASSERT_TRUE(test, wattle_ep_test_begin(&t));
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_begin(c, WATTLE_TEST_OWNER, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(c, WATTLE_TEST_OWNER, &identity, false,
							 &f->why), 0);
	epoch = READ_ONCE(c->epoch);
	gen = wattle_generation(c);
	rtnl_lock();
	wattle_config_device_gone(c, t.devs[0]);
	rtnl_unlock();
	KUNIT_EXPECT_NE(test, READ_ONCE(c->epoch), epoch);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000001, false), 0u);
	KUNIT_EXPECT_EQ(test, f->attached, 0);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, wattle_generation(c), gen);
	KUNIT_EXPECT_EQ(test, c->endpoints.count, 1u);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, WATTLE_TEST_OWNER, t.devs[1], 0x0a000001, 301,
						 false), 0);
	KUNIT_EXPECT_EQ(test, wattle_config_commit(c, WATTLE_TEST_OWNER, &gen, &f->why), 0);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000001, false), 301u);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, c->endpoints.count, 1u);
	wattle_ep_test_end(f, &t);
	KUNIT_EXPECT_TRUE(test, list_empty(&c->endpoints.ports));
}

static void wattle_ep_test_refusals(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_ep_test t = {};

	KUNIT_ASSERT_TRUE(test, wattle_ep_test_begin(&t));
	f->wattle.dev = t.devs[0];
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, init_net.loopback_dev, 0x0a000001, 300,
						 false), -EINVAL);
	t.devs[1]->type = ARPHRD_NONE;
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0x0a000001, 300, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_DEVICE);
	t.devs[1]->type = ARPHRD_ETHER;
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0xe0000001, 300, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->why.field, WATTLE_FIELD_IP);
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0x0a000001,
						 WATTLE_ID_LOCAL_MIN, false), -EINVAL);
	t.devs[1]->reg_state = NETREG_UNREGISTERING;
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0x0a000001, 300, false), -ENODEV);
	t.devs[1]->reg_state = NETREG_REGISTERED;
	f->wattle.net = NULL;
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0x0a000001, 300, false), -EINVAL);
	f->wattle.net = &init_net;
	KUNIT_EXPECT_EQ(test, f->attached, 0);
	KUNIT_EXPECT_EQ(test, wattle_config_endpoint_del(f->config, 0, 1, &f->why), -ENOENT);
	/* Without an address it can neither send nor receive, but exist. */
	KUNIT_EXPECT_EQ(test, wattle_ep_test_add(f, 0, t.devs[1], 0, 300, false), 0);
	f->wattle.dev = NULL;
	wattle_ep_test_end(f, &t);
}

/* Allocations fail at each place in turn; whatever was begun is taken back. */
static void wattle_ep_test_memory(struct kunit *test)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_ep_test t = {};
	unsigned int i;
	int err;

	KUNIT_ASSERT_TRUE(test, wattle_ep_test_begin(&t));
	for (i = 0; i < 32; i++) {
		wattle_test_deny(i);
		err = wattle_ep_test_add(f, 0, t.devs[0], 0x0a000001, 300, false);
		wattle_test_deny(-1);
		if (!err)
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, wattle_ep_test_id(f, 0x0a000001, true), 0u);
	}
	KUNIT_EXPECT_GT(test, i, 3u);
	KUNIT_EXPECT_LT(test, i, 32u);
	wattle_fixture_settle(f);
	KUNIT_EXPECT_EQ(test, f->attached, 1);
	wattle_ep_test_end(f, &t);
}

static struct kunit_case wattle_endpoint_cases[] = {
	KUNIT_CASE(wattle_ep_test_life),
	KUNIT_CASE(wattle_ep_test_abort),
	KUNIT_CASE(wattle_ep_test_gone),
	KUNIT_CASE(wattle_ep_test_refusals),
	KUNIT_CASE(wattle_ep_test_memory),
	{}
};

struct kunit_suite wattle_endpoint_suite = {
	.name = "endpoint",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_endpoint_cases,
};
