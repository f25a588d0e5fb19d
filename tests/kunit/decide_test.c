// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decision, on a small cluster that has one of everything: two pods here, two on another
 * node, that node itself, this host, an outside; services; rules.
 */

#include <linux/etherdevice.h>
#include "fixture.h"
#include "suites.h"
#include "decide.c"
#include "decide_service.c"
#include "place.c"

#define A	0x0a010005	/* pod here, 300 */
#define B	0x0a010006	/* pod here, 301 */
#define C	0x0a020005	/* pod on n2, 302, by its own entry */
#define D	0x0a020006	/* in n2's prefix, identity by a prefix of its own: 303 */
#define NODE2	0xc0000202
#define HOST	0xc0000201
#define WORLD	0x08080808
#define VIP	0xac1e000a
#define PORT	80
#define BPORT	8080
#define ECHO	(ICMP_ECHO << 8)	/* in place of a port: a ping */
#define IDLE	0xac1e000b	/* service without backends */
#define SELF	0xac1e000c	/* service whose only backend is A */
#define LOST	0x0a030005	/* behind a tunnel end point that no node has */
#define LOOP	0x7f000001
#define ALL	0xc00002ff	/* the host hears it, as others do */

struct wattle_decide_test {
	struct net_device *devs[2];
	struct wattle_memo *memo;
	u32 node_serial;
};

static enum wattle_local wattle_decide_test_local(struct net *net, const struct in6_addr *addr)
{
	if (!wattle_addr_is_v4(addr))
		return WATTLE_LOCAL_NO;
	switch (ntohl(wattle_addr_v4(addr))) {
	case HOST:
	case LOOP:
		return WATTLE_LOCAL_HOST;
	case ALL:
		return WATTLE_LOCAL_SHARED;
	default:
		return WATTLE_LOCAL_NO;
	}
}

static void wattle_decide_test_identity(struct kunit *test, u32 addr, u8 len, u32 id, u32 via)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_identity_spec spec = {
		.prefix = wattle_test_prefix4(addr, len), .id = id,
	};

	if (via)
		spec.via = wattle_test_v4(via);
	KUNIT_EXPECT_EQ(test, wattle_config_identity_add(f->config, 0, &spec, false, &f->why), 0);
}

static void wattle_decide_test_backend(struct kunit *test, const struct wattle_service_key *key,
				       u32 backend)
{
	struct wattle_backend b = {
		.addr = wattle_test_v4(backend), .port = htons(BPORT), .weight = 100,
	};
	struct wattle_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, wattle_config_backend_add(f->config, 0, key, &b, false, &f->why), 0);
}

/* A frontend of @spec, whose address is @vip, and port PORT if it has none. */
static void wattle_decide_test_frontend(struct kunit *test, u32 vip, u32 backend,
					struct wattle_service_spec spec)
{
	struct wattle_fixture *f = test->priv;

	spec.key.addr = wattle_test_v4(vip);
	spec.key.port = spec.key.port ?: htons(PORT);
	spec.key.proto = IPPROTO_TCP;
	KUNIT_EXPECT_EQ(test, wattle_config_service_add(f->config, 0, &spec, false, &f->why), 0);
	if (backend)
		wattle_decide_test_backend(test, &spec.key, backend);
}

static void wattle_decide_test_service(struct kunit *test, u32 vip, u32 backend)
{
	wattle_decide_test_frontend(test, vip, backend, (struct wattle_service_spec){});
}

static void wattle_decide_test_rule_at(struct kunit *test, u32 subject, u8 direction, u32 peer,
				       u8 action, u16 priority)
{
	struct wattle_fixture *f = test->priv;
	const struct wattle_rule_spec spec = {
		.subject = subject, .direction = direction, .action = action,
		.peer_kind = peer ? WATTLE_PEER_KIND_IDENTITY : WATTLE_PEER_KIND_ANY,
		.peer_id = peer, .proto = IPPROTO_TCP, .port_min = BPORT, .port_max = BPORT,
		.priority = priority,
	};

	KUNIT_EXPECT_EQ(test, wattle_config_rule_add(f->config, 0, &spec, "", false, &f->why), 0);
}

static void wattle_decide_test_rule(struct kunit *test, u32 subject, u8 direction, u32 peer,
				    u8 action)
{
	wattle_decide_test_rule_at(test, subject, direction, peer, action, 0);
}

static bool wattle_decide_test_pods(struct kunit *test, struct wattle_decide_test *t)
{
	static const u32 ips[] = { A, B };
	struct wattle_fixture *f = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(t->devs); i++) {
		struct in6_addr addr = wattle_test_v4(ips[i]);
		struct wattle_endpoint_spec spec = {
			.pod = "", .id = 300 + i, .ip_count = 1, .ips = &addr,
		};

		t->devs[i] = alloc_etherdev(0);
		if (!t->devs[i])
			return false;
		t->devs[i]->ifindex = 200000 + i;
		t->devs[i]->reg_state = NETREG_REGISTERED;
		spec.dev = t->devs[i];
		KUNIT_EXPECT_EQ(test, wattle_fixture_endpoint_add(f, 0, &spec, false), 0);
	}
	return true;
}

static bool wattle_decide_test_begin(struct kunit *test, struct wattle_decide_test *t)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_prefix cidr = wattle_test_prefix4(0x0a020000, 24);
	struct in6_addr addr = wattle_test_v4(NODE2);
	struct wattle_node_spec node = {
		.name = "n2", .addr4 = addr, .cidr_count = 1, .cidrs = &cidr,
	};

	t->memo = kvzalloc(sizeof(*t->memo), GFP_KERNEL);
	if (!t->memo)
		return false;
	KUNIT_EXPECT_EQ(test, wattle_config_node_add(f->config, 0, &node, false, &f->why), 0);
	rcu_read_lock();
	t->node_serial = wattle_node_by_addr(&f->config->nodes, &addr,
					     wattle_generation(f->config))->serial;
	rcu_read_unlock();
	wattle_decide_test_identity(test, C, 32, 302, NODE2);
	wattle_decide_test_identity(test, D, 31, 303, 0);
	wattle_decide_test_identity(test, LOST, 32, 304, 0xc0000263);
	wattle_decide_test_service(test, VIP, C);
	wattle_decide_test_service(test, IDLE, 0);
	wattle_decide_test_service(test, SELF, A);
	return wattle_decide_test_pods(test, t);
}

static void wattle_decide_test_end(struct kunit *test, struct wattle_decide_test *t)
{
	struct wattle_fixture *f = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(t->devs); i++) {
		if (!t->devs[i])
			continue;
		rtnl_lock();
		wattle_config_device_gone(f->config, t->devs[i]);
		rtnl_unlock();
	}
	wattle_fixture_settle(f);
	synchronize_rcu();
	kvfree(t->memo);
	for (i = 0; i < ARRAY_SIZE(t->devs); i++) {
		if (!t->devs[i])
			continue;
		t->devs[i]->reg_state = NETREG_UNINITIALIZED;
		free_netdev(t->devs[i]);
	}
}

/* A question, and the answer that is right. */
struct wattle_decide_case {
	const char *what;
	u8 origin;
	u32 saddr;
	u32 daddr;
	u16 dport;
	u16 flags;
	u32 wire;
	bool from_node2;
	u8 verdict;
	enum wattle_reason reason;
	u8 next;
	u32 src_id;
	u32 dst_id;
};

static void wattle_decide_ask(struct kunit *test, const struct wattle_decide_test *t,
			      const struct wattle_decide_case *c, struct wattle_memo *memo,
			      bool strict, bool audit, struct wattle_decision *d)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_view view = {
		.config = f->config,
		.epoch = wattle_epoch(f->config),
		.gen = wattle_generation(f->config),
		.memo = memo,
		.local = wattle_decide_test_local,
		.port = 8472,
		.strict = strict,
		.audit = audit,
	};
	struct wattle_key key = {
		.saddr = wattle_test_v4(c->saddr), .daddr = wattle_test_v4(c->daddr),
		.sport = htons(40000), .dport = htons(c->dport),
		.proto = c->dport == 8472 ? IPPROTO_UDP :
			 c->dport == ECHO ? IPPROTO_ICMP : IPPROTO_TCP,
		.origin = c->origin, .flags = c->flags, .wire = c->wire,
		.in = c->from_node2 ? t->node_serial : 0,
	};

	wattle_decide(&view, &key, d);
}

static void wattle_decide_check(struct kunit *test, const struct wattle_decide_test *t,
				const struct wattle_decide_case *cases, unsigned int count)
{
	struct wattle_decision d;
	unsigned int i;

	/* From the tables, from what was remembered of others, and from what was of itself. */
	for (i = 0; i < 3 * count; i++) {
		const struct wattle_decide_case *c = &cases[i % count];

		rcu_read_lock();
		wattle_decide_ask(test, t, c, i < count ? NULL : t->memo, true, false, &d);
		rcu_read_unlock();
		KUNIT_EXPECT_EQ_MSG(test, d.verdict, c->verdict, "%s: verdict", c->what);
		KUNIT_EXPECT_EQ_MSG(test, (int)d.reason, (int)c->reason, "%s: reason", c->what);
		KUNIT_EXPECT_EQ_MSG(test, d.next, c->next, "%s: next", c->what);
		KUNIT_EXPECT_EQ_MSG(test, d.src_id, c->src_id, "%s: source", c->what);
		KUNIT_EXPECT_EQ_MSG(test, d.dst_id, c->dst_id, "%s: destination", c->what);
	}
}

#define ALLOW	.verdict = WATTLE_VERDICT_ALLOW
#define DROP(why) .verdict = WATTLE_VERDICT_DROP, .reason = WATTLE_REASON_##why
#define DENY(why) .verdict = WATTLE_VERDICT_DENY, .reason = WATTLE_REASON_##why
#define REJECT(why) .verdict = WATTLE_VERDICT_REJECT, .reason = WATTLE_REASON_##why
#define POD	.origin = WATTLE_FROM_POD
#define TUNNEL	.flags = WATTLE_KEY_WIRE, .origin = WATTLE_FROM_TUNNEL
#define STACK	.origin = WATTLE_FROM_STACK

static void wattle_decide_test_ways(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "to a pod here", POD, A, B, 1, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 300, .dst_id = 301 },
		{ "to itself", POD, A, A, 1, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 300, .dst_id = 300 },
		{ "to a pod there", POD, A, C, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 302 },
		{ "to a pod by its node's prefix", POD, A, D, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 303 },
		{ "to nobody in that prefix", POD, A, 0x0a0200f0, 1, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "to the other node", POD, A, NODE2, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = WATTLE_ID_REMOTE_NODE },
		{ "to this host", POD, A, HOST, 1, ALLOW, .next = WATTLE_TO_STACK,
		  .src_id = 300, .dst_id = WATTLE_ID_HOST },
		{ "to the world", POD, A, WORLD, 1, ALLOW, .next = WATTLE_TO_STACK,
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "to all of a network of this host", POD, A, ALL, 1, DROP(NOT_UNICAST),
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "the host to those", STACK, HOST, ALL, 1, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_STACK, .src_id = WATTLE_ID_HOST, .dst_id = WATTLE_ID_WORLD },
		{ "to a lost one", POD, A, LOST, 1, DROP(NO_NODE), .src_id = 300, .dst_id = 304 },
		{ "to the tunnel of this host", POD, A, HOST, 8472, DROP(TUNNEL_PORT),
		  .src_id = 300, .dst_id = WATTLE_ID_HOST },
		{ "to the tunnel of the other", POD, A, NODE2, 8472, DROP(TUNNEL_PORT),
		  .src_id = 300, .dst_id = WATTLE_ID_REMOTE_NODE },
		{ "from the host", STACK, HOST, A, 1, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_HOST, .dst_id = 300 },
		{ "from outside", STACK, WORLD, A, 1, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t))
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	wattle_decide_test_end(test, &t);
}

static void wattle_decide_test_senders(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "as it should be", TUNNEL, C, A, 1, .wire = 302, .from_node2 = true, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = 302, .dst_id = 300 },
		{ "the node itself", TUNNEL, NODE2, A, 1, .wire = WATTLE_ID_REMOTE_NODE,
		  .from_node2 = true, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = WATTLE_ID_REMOTE_NODE, .dst_id = 300 },
		{ "unknown node", TUNNEL, C, A, 1, .wire = 302, DROP(UNKNOWN_NODE), .src_id = 302 },
		{ "another's identity", TUNNEL, C, A, 1, .wire = 303, .from_node2 = true,
		  DROP(WRONG_IDENTITY), .src_id = 302 },
		{ "says it is the host", TUNNEL, C, A, 1, .wire = WATTLE_ID_HOST,
		  .from_node2 = true, DROP(WRONG_IDENTITY), .src_id = 302 },
		{ "says nothing", TUNNEL, C, A, 1, .wire = 0, .from_node2 = true,
		  DROP(WRONG_IDENTITY), .src_id = 302 },
		{ "no identity known for it", TUNNEL, 0x0a0200f0, A, 1, .wire = 2,
		  .from_node2 = true, DROP(WRONG_IDENTITY), .src_id = WATTLE_ID_WORLD },
		{ "source of nobody", TUNNEL, WORLD, A, 1, .wire = 2, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
		{ "speaks for a pod here", TUNNEL, B, A, 1, .wire = 301, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = 301 },
		{ "speaks for this host", TUNNEL, HOST, A, 1, .wire = 6, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_HOST },
		{ "to a pod that is not here", TUNNEL, C, D, 1, .wire = 302, .from_node2 = true,
		  DROP(NO_ENDPOINT), .src_id = 302, .dst_id = 303 },
		{ "from outside as a pod there", STACK, C, A, 1, WATTLE_KEY_OUTSIDE,
		  DROP(FOREIGN_SOURCE), .src_id = 302 },
		{ "from outside as a pod here", STACK, B, A, 1, WATTLE_KEY_OUTSIDE,
		  DROP(FOREIGN_SOURCE), .src_id = 301 },
		{ "from outside as the other node", STACK, NODE2, A, 1, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_REMOTE_NODE, .dst_id = 300 },
	};
	struct wattle_decide_test t = {};
	struct wattle_decision d;

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
		/* Not strict: who it says it is, but still not one of ours. */
		rcu_read_lock();
		wattle_decide_ask(test, &t, &cases[3], NULL, false, false, &d);
		KUNIT_EXPECT_EQ(test, d.verdict, (u8)WATTLE_VERDICT_ALLOW);
		KUNIT_EXPECT_EQ(test, d.src_id, 303u);
		wattle_decide_ask(test, &t, &cases[8], NULL, false, false, &d);
		KUNIT_EXPECT_EQ(test, (int)d.reason, (int)WATTLE_REASON_FOREIGN_SOURCE);
		rcu_read_unlock();
	}
	wattle_decide_test_end(test, &t);
}

static void wattle_decide_test_services(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "service", POD, A, VIP, PORT, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 302 },
		{ "its other port", POD, A, VIP, PORT + 1, REJECT(NO_SERVICE_PORT),
		  .src_id = 300 },
		{ "nobody behind it", POD, A, IDLE, PORT, REJECT(NO_BACKEND), .src_id = 300 },
		{ "hairpin", POD, A, SELF, PORT, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 300, .dst_id = 300 },
		{ "a ping", POD, A, VIP, ECHO, ALLOW, .next = WATTLE_TO_SENDER,
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "of one with nobody", POD, A, IDLE, ECHO, ALLOW, .next = WATTLE_TO_SENDER,
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "by the host", STACK, HOST, VIP, ECHO, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_SENDER, .src_id = WATTLE_ID_HOST, .dst_id = WATTLE_ID_WORLD },
		{ "from outside", STACK, WORLD, VIP, ECHO, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_SENDER, .src_id = WATTLE_ID_WORLD,
		  .dst_id = WATTLE_ID_WORLD },
		{ "as a pod", STACK, B, VIP, ECHO, WATTLE_KEY_OUTSIDE, DROP(FOREIGN_SOURCE),
		  .src_id = 301 },
		{ "no service in the tunnel", TUNNEL, C, VIP, PORT, .wire = 302,
		  .from_node2 = true, DROP(NO_ENDPOINT), .src_id = 302,
		  .dst_id = WATTLE_ID_WORLD },
	};
	struct wattle_decide_test t = {};
	struct wattle_decision d;

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
		rcu_read_lock();
		wattle_decide_ask(test, &t, &cases[0], NULL, true, false, &d);
		KUNIT_EXPECT_EQ(test, wattle_addr_v4(&d.daddr), htonl(C));
		KUNIT_EXPECT_EQ(test, d.dport, htons(BPORT));
		KUNIT_EXPECT_FALSE(test, d.hairpin);
		wattle_decide_ask(test, &t, &cases[3], NULL, true, false, &d);
		KUNIT_EXPECT_TRUE(test, d.hairpin);
		rcu_read_unlock();
	}
	wattle_decide_test_end(test, &t);
}

/* Addresses that services are from, of which one alone is a service's. */
static void wattle_decide_test_ranges(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "nobody's", POD, A, VIP + 99, PORT, DROP(NO_SERVICE), .src_id = 300 },
		{ "a ping", POD, A, VIP + 99, ECHO, DROP(NO_SERVICE), .src_id = 300 },
		{ "from outside", STACK, WORLD, VIP + 99, PORT, WATTLE_KEY_OUTSIDE,
		  DROP(NO_SERVICE), .src_id = WATTLE_ID_WORLD },
		{ "by the host", STACK, HOST, VIP + 99, PORT, WATTLE_KEY_SRC_HOST,
		  DROP(NO_SERVICE), .src_id = WATTLE_ID_HOST },
		{ "out of the tunnel", TUNNEL, C, VIP + 99, PORT, .wire = 302, .from_node2 = true,
		  DROP(NO_ENDPOINT), .src_id = 302, .dst_id = WATTLE_ID_WORLD },
		{ "a service", POD, A, VIP, PORT, ALLOW, .next = WATTLE_TO_NODE, .src_id = 300,
		  .dst_id = 302 },
		{ "its other port", POD, A, VIP, PORT + 1, REJECT(NO_SERVICE_PORT),
		  .src_id = 300 },
		{ "a pod here", POD, A, B, 1, ALLOW, .next = WATTLE_TO_ENDPOINT, .src_id = 300,
		  .dst_id = 301 },
		{ "a pod elsewhere", POD, A, C, 1, ALLOW, .next = WATTLE_TO_NODE, .src_id = 300,
		  .dst_id = 302 },
		{ "another node", POD, A, NODE2, 1, ALLOW, .next = WATTLE_TO_NODE, .src_id = 300,
		  .dst_id = WATTLE_ID_REMOTE_NODE },
		{ "this host", POD, A, HOST, 1, ALLOW, .next = WATTLE_TO_STACK, .src_id = 300,
		  .dst_id = WATTLE_ID_HOST },
		{ "outside", POD, A, WORLD, 1, ALLOW, .next = WATTLE_TO_STACK, .src_id = 300,
		  .dst_id = WATTLE_ID_WORLD },
	};
	/* The second has pods in it, the third nodes. */
	const struct wattle_prefix prefixes[] = {
		wattle_test_prefix4(VIP, 16), wattle_test_prefix4(A, 8),
		wattle_test_prefix4(HOST, 24),
	};
	struct wattle_fixture *f = test->priv;
	struct wattle_decide_test t = {};
	int i;

	if (wattle_decide_test_begin(test, &t)) {
		for (i = 0; i < ARRAY_SIZE(prefixes); i++)
			KUNIT_EXPECT_EQ(test, wattle_config_range_add(f->config, 0, &prefixes[i],
								      false, &f->why), 0);
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	}
	wattle_decide_test_end(test, &t);
}

#define OUTSIDE	.key.scope = WATTLE_SCOPE_OUTSIDE
#define SPEC(...) ((struct wattle_service_spec){ __VA_ARGS__ })

/* Frontends at every address of the host, at one of them, and for those from outside. */
static void wattle_decide_test_frontends(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "a pod", POD, A, HOST, PORT, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 300, .dst_id = 301 },
		{ "outside", STACK, WORLD, HOST, PORT, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_WORLD, .dst_id = 302 },
		{ "another node", STACK, NODE2, HOST, PORT, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_REMOTE_NODE, .dst_id = 302 },
		{ "a pod elsewhere", STACK, C, HOST, PORT, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 302, .dst_id = 301 },
		{ "a lost one", STACK, LOST, HOST, PORT, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 304, .dst_id = 301 },
		{ "this host", STACK, HOST, HOST, PORT, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_HOST, .dst_id = 301 },
		{ "never on loopback", STACK, LOOP, LOOP, PORT, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_STACK, .src_id = WATTLE_ID_HOST, .dst_id = WATTLE_ID_HOST },
		{ "other ports of the host", POD, A, HOST, PORT + 3, ALLOW,
		  .next = WATTLE_TO_STACK, .src_id = 300, .dst_id = WATTLE_ID_HOST },
		{ "not of other hosts", POD, A, NODE2, PORT, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = WATTLE_ID_REMOTE_NODE },
		{ "one address before every, a pod", POD, A, HOST, PORT + 1, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = 300, .dst_id = 303 },
		{ "one address before every, outside", STACK, WORLD, HOST, PORT + 1,
		  WATTLE_KEY_OUTSIDE, ALLOW, .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_WORLD,
		  .dst_id = 303 },
		{ "for outside alone, a pod", POD, A, HOST, PORT + 2, ALLOW,
		  .next = WATTLE_TO_STACK, .src_id = 300, .dst_id = WATTLE_ID_HOST },
		{ "for outside alone, outside", STACK, WORLD, HOST, PORT + 2, WATTLE_KEY_OUTSIDE,
		  ALLOW, .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
		{ "at another node's address", POD, A, NODE2, PORT + 1, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = 300, .dst_id = 301 },
		{ "whose other ports are its own", POD, A, NODE2, PORT + 2, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = 300, .dst_id = WATTLE_ID_REMOTE_NODE },
		{ "elsewhere for outside alone, a pod", POD, A, VIP, PORT + 2,
		  REJECT(NO_SERVICE_PORT), .src_id = 300 },
		{ "elsewhere for outside alone, outside", STACK, WORLD, VIP, PORT + 2,
		  WATTLE_KEY_OUTSIDE, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
		{ "elsewhere for any, outside", STACK, WORLD, VIP, PORT, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_WORLD, .dst_id = 302 },
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_frontend(test, 0, B, SPEC());
		wattle_decide_test_frontend(test, 0, C, SPEC(OUTSIDE));
		wattle_decide_test_frontend(test, 0, B, SPEC(OUTSIDE, .key.port = htons(PORT + 1)));
		wattle_decide_test_frontend(test, HOST, D, SPEC(.key.port = htons(PORT + 1)));
		wattle_decide_test_frontend(test, NODE2, B, SPEC(.key.port = htons(PORT + 1)));
		wattle_decide_test_frontend(test, 0, A, SPEC(OUTSIDE, .key.port = htons(PORT + 2)));
		wattle_decide_test_frontend(test, VIP, A,
					    SPEC(OUTSIDE, .key.port = htons(PORT + 2)));
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	}
	wattle_decide_test_end(test, &t);
}

/* Who may, and what becomes of those who lead nowhere. */
static void wattle_decide_test_sources(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "a pod that may", POD, A, VIP, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 302 },
		{ "a pod that may not", POD, B, VIP, 1, DROP(SOURCE_RANGE), .src_id = 301 },
		{ "outside", STACK, WORLD, VIP, 1, WATTLE_KEY_OUTSIDE, DROP(SOURCE_RANGE),
		  .src_id = WATTLE_ID_WORLD },
		{ "the host's programs", STACK, HOST, VIP, 1, WATTLE_KEY_SRC_HOST,
		  DROP(SOURCE_RANGE), .src_id = WATTLE_ID_HOST },
		{ "by the service's address", STACK, VIP, VIP, 1, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_HOST, .dst_id = 302 },
		{ "denied", POD, A, VIP, 2, DROP(SOURCE_RANGE), .src_id = 300 },
		{ "not denied", POD, B, VIP, 2, ALLOW, .next = WATTLE_TO_NODE, .src_id = 301,
		  .dst_id = 302 },
		{ "not denied, outside", STACK, WORLD, VIP, 2, WATTLE_KEY_OUTSIDE, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = WATTLE_ID_WORLD, .dst_id = 302 },
		{ "nobody, silently", POD, A, VIP, 3, DROP(NO_BACKEND), .src_id = 300 },
		{ "nobody, silently, outside", STACK, WORLD, VIP, 3, WATTLE_KEY_OUTSIDE,
		  DROP(NO_BACKEND), .src_id = WATTLE_ID_WORLD },
		{ "nobody, told", STACK, WORLD, IDLE, PORT, WATTLE_KEY_OUTSIDE, REJECT(NO_BACKEND),
		  .src_id = WATTLE_ID_WORLD },
	};
	const struct wattle_prefix prefixes[] = {
		wattle_test_prefix4(0xc6336400, 24), wattle_test_prefix4(A, 32),
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_frontend(test, VIP, C,
					    SPEC(.key.port = htons(1), .source_count = 2,
						 .sources = prefixes));
		wattle_decide_test_frontend(test, VIP, C,
					    SPEC(.key.port = htons(2), .source_count = 2,
						 .sources = prefixes,
						 .source_policy = WATTLE_SOURCE_POLICY_DENY));
		wattle_decide_test_frontend(test, VIP, 0, SPEC(.key.port = htons(3),
							       .empty = WATTLE_EMPTY_DROP));
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	}
	wattle_decide_test_end(test, &t);
}

/* What another node hands on: from outside, for a service that is answered from here. */
static void wattle_decide_test_dsr(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "to the pod that is here", TUNNEL, WORLD, VIP, 1, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
		{ "at a port of that node", TUNNEL, WORLD, NODE2, 2, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
		{ "at an address that is not known", TUNNEL, WORLD, 0xc6336409, 2,
		  .wire = WATTLE_ID_WORLD, .from_node2 = true, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_WORLD, .dst_id = 300 },
		{ "to none that is here", TUNNEL, WORLD, VIP, 3, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, REJECT(NO_BACKEND), .src_id = WATTLE_ID_WORLD },
		{ "says it is one of us", TUNNEL, WORLD, VIP, 1, .wire = 302, .from_node2 = true,
		  DROP(WRONG_IDENTITY), .src_id = WATTLE_ID_WORLD },
		{ "by who is no node", TUNNEL, WORLD, VIP, 1, .wire = WATTLE_ID_WORLD,
		  DROP(UNKNOWN_NODE), .src_id = WATTLE_ID_WORLD },
		{ "from a pod here", TUNNEL, B, VIP, 1, .wire = 301, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = 301 },
		{ "from this host", TUNNEL, HOST, VIP, 1, .wire = 6, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_HOST },
		{ "from a pod there", TUNNEL, C, VIP, 1, .wire = 302, .from_node2 = true,
		  DROP(NO_ENDPOINT), .src_id = 302, .dst_id = WATTLE_ID_WORLD },
		{ "to a pod", TUNNEL, WORLD, A, 2, .wire = WATTLE_ID_WORLD, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
		{ "to a pod that is not here", TUNNEL, WORLD, D, 2, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
		{ "to another service", TUNNEL, WORLD, SELF, PORT, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
		{ "to another port", TUNNEL, WORLD, VIP, 4, .wire = WATTLE_ID_WORLD,
		  .from_node2 = true, DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
		{ "pods' own connections are as ever", POD, B, VIP, 1, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = 301, .dst_id = 300 },
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_frontend(test, VIP, A, SPEC(.key.port = htons(1), .dsr = true));
		wattle_decide_test_frontend(test, 0, A, SPEC(.key.port = htons(2), .dsr = true));
		wattle_decide_test_frontend(test, VIP, C, SPEC(.key.port = htons(3), .dsr = true));
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	}
	wattle_decide_test_end(test, &t);
}

/* A node that hands on and the one that answers choose the same backend, where that is there. */
static void wattle_decide_test_dsr_choice(struct kunit *test)
{
	struct wattle_decide_case c = {
		"", TUNNEL, WORLD, VIP, 1, .wire = WATTLE_ID_WORLD, .from_node2 = true,
	};
	struct wattle_decide_case first = { "", STACK, WORLD, VIP, 1, WATTLE_KEY_OUTSIDE };
	const struct wattle_service_key key = {
		.addr = wattle_test_v4(VIP), .port = htons(1), .proto = IPPROTO_TCP,
	};
	struct wattle_decide_test t = {};
	struct wattle_decision d, there;
	unsigned int here[2] = {}, i, same = 0;

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_frontend(test, VIP, A, SPEC(.key.port = htons(1), .dsr = true));
		wattle_decide_test_backend(test, &key, B);
		wattle_decide_test_backend(test, &key, C);
		for (i = 0; i < 600; i++) {
			first.saddr = WORLD + i;
			c.saddr = WORLD + i;
			rcu_read_lock();
			wattle_decide_ask(test, &t, &first, NULL, true, false, &there);
			wattle_decide_ask(test, &t, &c, NULL, true, false, &d);
			rcu_read_unlock();
			KUNIT_EXPECT_EQ(test, d.next, (u8)WATTLE_TO_ENDPOINT);
			if (there.next == WATTLE_TO_ENDPOINT)
				KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&d.daddr, &there.daddr));
			else
				here[d.dst_id == 301]++;
			same += there.next == WATTLE_TO_ENDPOINT;
		}
		/* Two of three are here; those that the other would keep are spread evenly. */
		KUNIT_EXPECT_GT(test, same, 300u);
		KUNIT_EXPECT_GT(test, here[0], 50u);
		KUNIT_EXPECT_GT(test, here[1], 50u);
	}
	wattle_decide_test_end(test, &t);
}

static void wattle_decide_test_policy(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "egress allows", POD, A, C, BPORT, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 302 },
		{ "the port after translation counts", POD, A, VIP, PORT, ALLOW,
		  .next = WATTLE_TO_NODE, .src_id = 300, .dst_id = 302 },
		{ "another port", POD, A, C, BPORT + 1, DENY(POLICY_EGRESS),
		  .src_id = 300, .dst_id = 302 },
		{ "another peer", POD, A, D, BPORT, DENY(POLICY_EGRESS),
		  .src_id = 300, .dst_id = 303 },
		{ "always itself", POD, A, A, 1, ALLOW, .next = WATTLE_TO_ENDPOINT,
		  .src_id = 300, .dst_id = 300 },
		{ "ingress denies by name", TUNNEL, C, B, BPORT, .wire = 302, .from_node2 = true,
		  DENY(DENY_INGRESS), .src_id = 302, .dst_id = 301 },
		{ "ingress has no rule", TUNNEL, D, B, BPORT, .wire = 303, .from_node2 = true,
		  DENY(POLICY_INGRESS), .src_id = 303, .dst_id = 301 },
		{ "the host may", STACK, HOST, B, 1, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_HOST, .dst_id = 301 },
		{ "unless denied by name", STACK, HOST, B, BPORT, WATTLE_KEY_SRC_HOST,
		  DENY(DENY_INGRESS), .src_id = WATTLE_ID_HOST, .dst_id = 301 },
	};
	struct wattle_decide_test t = {};
	struct wattle_decision d;

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_rule(test, 300, WATTLE_DIRECTION_EGRESS, 302,
					WATTLE_ACTION_ALLOW);
		wattle_decide_test_rule(test, 301, WATTLE_DIRECTION_INGRESS, 302,
					WATTLE_ACTION_DENY);
		wattle_decide_test_rule(test, 301, WATTLE_DIRECTION_INGRESS, WATTLE_ID_HOST,
					WATTLE_ACTION_DENY);
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
		/* Audit lets it pass, and says why it would not. */
		rcu_read_lock();
		wattle_decide_ask(test, &t, &cases[2], NULL, true, true, &d);
		KUNIT_EXPECT_EQ(test, d.verdict, (u8)WATTLE_VERDICT_ALLOW);
		KUNIT_EXPECT_EQ(test, d.next, (u8)WATTLE_TO_NODE);
		KUNIT_EXPECT_EQ(test, (int)d.reason, (int)WATTLE_REASON_POLICY_EGRESS);
		rcu_read_unlock();
	}
	wattle_decide_test_end(test, &t);
}

/* Rules of the last priorities deny nobody by name. */
static void wattle_decide_test_last(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "who is allowed", TUNNEL, C, B, BPORT, .wire = 302, .from_node2 = true, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = 302, .dst_id = 301 },
		{ "who is not", TUNNEL, D, B, BPORT, .wire = 303, .from_node2 = true,
		  DENY(POLICY_INGRESS), .src_id = 303, .dst_id = 301 },
		{ "the host may all the same", STACK, HOST, B, BPORT, WATTLE_KEY_SRC_HOST, ALLOW,
		  .next = WATTLE_TO_ENDPOINT, .src_id = WATTLE_ID_HOST, .dst_id = 301 },
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_rule(test, 301, WATTLE_DIRECTION_INGRESS, 302,
					WATTLE_ACTION_ALLOW);
		wattle_decide_test_rule_at(test, 301, WATTLE_DIRECTION_INGRESS, 0,
					   WATTLE_ACTION_DENY, U16_MAX);
		wattle_decide_test_rule_at(test, 301, WATTLE_DIRECTION_INGRESS, WATTLE_ID_HOST,
					   WATTLE_ACTION_DENY, WATTLE_PRIORITY_LAST);
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
	}
	wattle_decide_test_end(test, &t);
}

static void wattle_decide_test_egress_rule(struct kunit *test, u32 id, u32 to, u8 len, u8 action,
					   u32 addr)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_egress_spec spec = {
		.from.id = id, .to = wattle_test_prefix4(to, len), .action = action,
	};

	if (addr)
		spec.addr = wattle_test_v4(addr);
	KUNIT_EXPECT_EQ(test, wattle_config_egress_add(f->config, 0, &spec, false, &f->why), 0);
}

/* An answer out of the tunnel to A from WORLD is that of its gateway, and of nobody else. */
static void wattle_decide_test_gateway(struct kunit *test, const struct wattle_decide_test *t,
				       u32 from, u32 to, bool is_gateway)
{
	struct wattle_fixture *f = test->priv;
	struct wattle_view view = {
		.config = f->config, .gen = wattle_generation(f->config),
		.local = wattle_decide_test_local, .port = 8472, .strict = true,
	};
	struct wattle_key key = {
		.saddr = wattle_test_v4(from), .daddr = wattle_test_v4(to), .dport = htons(1),
		.proto = IPPROTO_TCP, .origin = WATTLE_FROM_POD,
	};

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, wattle_decide_is_gateway(&view, &key, t->node_serial), is_gateway);
	KUNIT_EXPECT_FALSE(test, wattle_decide_is_gateway(&view, &key, t->node_serial + 1));
	rcu_read_unlock();
}

#define FAR	0xc6336409
#define GONE	0xcb007109

static void wattle_decide_test_egress(struct kunit *test)
{
	static const struct wattle_decide_case cases[] = {
		{ "masqueraded", POD, A, WORLD, 1, ALLOW, .next = WATTLE_TO_STACK,
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "by the gateway", POD, A, FAR, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "another pod not", POD, B, FAR, 1, ALLOW, .next = WATTLE_TO_STACK,
		  .src_id = 301, .dst_id = WATTLE_ID_WORLD },
		{ "by a gateway that is gone", POD, A, GONE, 1, DROP(NO_GATEWAY),
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "to a tunnel by the gateway", POD, A, FAR, 8472, DROP(TUNNEL_PORT),
		  .src_id = 300, .dst_id = WATTLE_ID_WORLD },
		{ "a pod is no outside", POD, A, C, 1, ALLOW, .next = WATTLE_TO_NODE,
		  .src_id = 300, .dst_id = 302 },
		{ "nor is this host", POD, A, HOST, 1, ALLOW, .next = WATTLE_TO_STACK,
		  .src_id = 300, .dst_id = WATTLE_ID_HOST },
		{ "a pod there that leaves here", TUNNEL, C, WORLD, 1, .wire = 302,
		  .from_node2 = true, ALLOW, .next = WATTLE_TO_STACK, .src_id = 302,
		  .dst_id = WATTLE_ID_WORLD },
		{ "to a tunnel from here", TUNNEL, C, WORLD, 8472, .wire = 302,
		  .from_node2 = true, DROP(TUNNEL_PORT), .src_id = 302,
		  .dst_id = WATTLE_ID_WORLD },
		{ "one that does not", TUNNEL, D, WORLD, 1, .wire = 303, .from_node2 = true,
		  DROP(NO_ENDPOINT), .src_id = 303, .dst_id = WATTLE_ID_WORLD },
		{ "the other node itself", TUNNEL, NODE2, WORLD, 1, .wire = WATTLE_ID_REMOTE_NODE,
		  .from_node2 = true, DROP(NO_ENDPOINT), .src_id = WATTLE_ID_REMOTE_NODE,
		  .dst_id = WATTLE_ID_WORLD },
		{ "who is not what it says", TUNNEL, C, WORLD, 1, .wire = 303, .from_node2 = true,
		  DROP(WRONG_IDENTITY), .src_id = 302 },
		{ "no answer yet", TUNNEL, FAR, A, 1, .wire = 2, .from_node2 = true,
		  DROP(FOREIGN_SOURCE), .src_id = WATTLE_ID_WORLD },
	};
	struct wattle_decide_test t = {};

	if (wattle_decide_test_begin(test, &t)) {
		wattle_decide_test_egress_rule(test, 0, 0, 0, WATTLE_EGRESS_ACTION_MASQUERADE, 0);
		wattle_decide_test_egress_rule(test, 300, 0xc6336400, 24,
					       WATTLE_EGRESS_ACTION_VIA, NODE2);
		wattle_decide_test_egress_rule(test, 300, 0xcb007100, 24,
					       WATTLE_EGRESS_ACTION_VIA, 0xc0000263);
		wattle_decide_test_egress_rule(test, 302, 0, 0, WATTLE_EGRESS_ACTION_GATEWAY, 0);
		wattle_decide_check(test, &t, cases, ARRAY_SIZE(cases));
		wattle_decide_test_gateway(test, &t, A, FAR, true);
		wattle_decide_test_gateway(test, &t, A, WORLD, false);
		wattle_decide_test_gateway(test, &t, A, C, false);
		wattle_decide_test_gateway(test, &t, B, FAR, false);
	}
	wattle_decide_test_end(test, &t);
}

static struct kunit_case wattle_decide_cases[] = {
	KUNIT_CASE(wattle_decide_test_ways),
	KUNIT_CASE(wattle_decide_test_senders),
	KUNIT_CASE(wattle_decide_test_services),
	KUNIT_CASE(wattle_decide_test_ranges),
	KUNIT_CASE(wattle_decide_test_frontends),
	KUNIT_CASE(wattle_decide_test_sources),
	KUNIT_CASE(wattle_decide_test_dsr),
	KUNIT_CASE(wattle_decide_test_dsr_choice),
	KUNIT_CASE(wattle_decide_test_policy),
	KUNIT_CASE(wattle_decide_test_last),
	KUNIT_CASE(wattle_decide_test_egress),
	{}
};

struct kunit_suite wattle_decide_suite = {
	.name = "decide",
	.init = wattle_fixture_init,
	.exit = wattle_fixture_exit,
	.test_cases = wattle_decide_cases,
};
