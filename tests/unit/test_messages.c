// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool makes of words, read back; addresses and the like from text and
 * to text; refusals with the name of their attribute; the names of attributes as
 * the specification has them. TAP, no kernel.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "libwattle/internal.h"
#include "parse_all.h"
#include "tap.h"
#include "wattlectl/wattlectl.h"

/* ---- text ---- */

static void test_addr(const char *text, const char *want)
{
	char buf[WATTLE_ADDR_STRLEN];
	struct wattle_addr addr;
	int err = wattle_addr_parse(&addr, text);

	if (want)
		ok(!err && !strcmp(wattle_addr_text(buf, &addr), want), "address %s is %s", text, want);
	else
		ok(err, "\"%s\" is no address", text);
}

static void test_prefix(const char *text, int want_err, const char *want)
{
	char buf[WATTLE_PREFIX_STRLEN];
	struct wattle_prefix prefix;
	int err = wattle_prefix_parse(&prefix, text);

	ok(err == want_err && (!want || !strcmp(wattle_prefix_text(buf, &prefix), want)),
	   "prefix %s is %s (%d)", text, want ? want : "none", want_err);
}

static void test_text(void)
{
	static const char *const bad[] = {
		"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", " 1.2.3.4", "1.2.3.4 ", "0x1.2.3.4",
		"1.2.3.4/32", ":::", "g::", "fe80::1%lo", "::ffff:10.0.0.1", "12345::", "1.2.3.-4",
	};
	uint64_t number;
	uint8_t proto;
	unsigned int i;

	test_addr("192.0.2.1", "192.0.2.1");
	test_addr("0.0.0.0", "0.0.0.0");
	test_addr("FD00:0:0::1", "fd00::1");
	test_addr("::", "::");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		test_addr(bad[i], NULL);
	test_prefix("10.0.0.0/8", 0, "10.0.0.0/8");
	test_prefix("10.0.0.1", 0, "10.0.0.1/32");
	test_prefix("fd00::1", 0, "fd00::1/128");
	test_prefix("0.0.0.0/0", 0, "0.0.0.0/0");
	test_prefix("::/0", 0, "::/0");
	test_prefix("10.1.2.3/9", -EDOM, "10.0.0.0/9");
	test_prefix("fd00::1/127", -EDOM, "fd00::/127");
	test_prefix("10.0.0.0/33", -ERANGE, NULL);
	test_prefix("10.0.0.0/", -ERANGE, NULL);
	test_prefix("10.0.0.0/-1", -ERANGE, NULL);
	test_prefix("10.0.0.0/08", -ERANGE, NULL);
	test_prefix("10.0.0.0/8/8", -ERANGE, NULL);
	test_prefix("/8", -EINVAL, NULL);
	ok(!wattle_proto_parse(&proto, "icmpv6") && proto == 58, "icmpv6 is 58");
	ok(!wattle_proto_parse(&proto, "TCP") && proto == 6, "TCP is 6");
	ok(!wattle_proto_parse(&proto, "0") && !proto, "protocol 0 is one");
	ok(wattle_proto_parse(&proto, "256") && wattle_proto_parse(&proto, ""), "256 is none");
	ok(!wattle_number_parse(&number, "0xfF", 0, 255) && number == 255, "0xfF is 255");
	ok(wattle_number_parse(&number, "18446744073709551616", 0, UINT64_MAX) == -ERANGE,
	   "2^64 is too much");
	ok(wattle_number_parse(&number, "+1", 0, 9) == -EINVAL &&
	   wattle_number_parse(&number, "1 ", 0, 9) == -EINVAL &&
	   wattle_number_parse(&number, "0x", 0, 9) == -EINVAL, "no sign, no blank, no bare 0x");
}

/* ---- words into a request ---- */

static struct call call;

/* The request that @line makes, or NULL. */
static const struct nlmsghdr *request(const char *line)
{
	static char copy[1024];
	char *words[64], *word, *rest = copy;
	int count = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while (count < 64 && (word = strsep(&rest, " ")))
		words[count++] = word;
	if (call_parse(&call, count, words) || encode_call(&call, scratch()))
		return NULL;
	return nlmsg_hdr(scratch());
}

static void test_node(void)
{
	const struct nlmsghdr *nlh;
	struct wattle_node node = {};
	char text[WATTLE_PREFIX_STRLEN];

	nlh = request("node add n2 addr 192.0.2.2 addr fd00::2 cidr 10.2.0.0/24 cidr fd02::/64");
	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_NODE_NEW && nlh->nlmsg_flags ==
	   (NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL), "\"node add\" is a node-new that creates");
	if (!nlh)
		return;
	wattle_node_parse(nlh, &node);
	ok(!strcmp(node.name, "n2") && node.addr_count == 2 && node.addr[0].len == 4 &&
	   node.addr[1].len == 16 && node.cidr_count == 2 &&
	   !strcmp(wattle_prefix_text(text, &node.cidr[0]), "10.2.0.0/24") &&
	   !strcmp(wattle_prefix_text(text, &node.cidr[1]), "fd02::/64"), "it holds all that was said");
	wattle_node_release(&node);
	nlh = request("node replace n2 addr 192.0.2.2");
	ok(nlh && nlh->nlmsg_flags & NLM_F_REPLACE, "\"node replace\" replaces");
	nlh = request("node del n2");
	wattle_node_parse(nlh, &node);
	ok(wattle_msg_cmd(nlh) == WATTLE_CMD_NODE_DEL && !strcmp(node.name, "n2") &&
	   !node.addr_count, "\"node del\" says which");
	wattle_node_release(&node);
}

static void test_egress(void)
{
	const struct nlmsghdr *nlh = request("egress add id 300 to 0.0.0.0/0 gateway as 192.0.2.9");
	struct wattle_egress egress;
	char text[WATTLE_PREFIX_STRLEN];

	ok(nlh && !wattle_egress_parse(nlh, &egress) && egress.id == 300 && !egress.source.len &&
	   !strcmp(wattle_prefix_text(text, &egress.to), "0.0.0.0/0") &&
	   egress.action == WATTLE_EGRESS_ACTION_GATEWAY && !egress.via.len &&
	   !strcmp(wattle_addr_text(text, &egress.as), "192.0.2.9"), "\"egress add\" is read back");
	nlh = request("egress replace fd00::5 to fd01::/16 via 192.0.2.2");
	ok(nlh && nlh->nlmsg_flags & NLM_F_REPLACE && !wattle_egress_parse(nlh, &egress) &&
	   !egress.id && !strcmp(wattle_addr_text(text, &egress.source), "fd00::5") &&
	   egress.action == WATTLE_EGRESS_ACTION_VIA && !egress.as.len &&
	   !strcmp(wattle_addr_text(text, &egress.via), "192.0.2.2"), "\"via\" is an action");
	nlh = request("egress del any to 10.0.0.0/8 keep");
	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_EGRESS_DEL &&
	   !wattle_egress_parse(nlh, &egress) && !egress.id && !egress.source.len &&
	   !strcmp(wattle_prefix_text(text, &egress.to), "10.0.0.0/8"), "\"egress del\" says which");
}

static void test_range(void)
{
	const struct nlmsghdr *nlh = request("range add fd00:96::/108");
	struct wattle_prefix prefix;
	char text[WATTLE_PREFIX_STRLEN];

	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_RANGE_NEW && !wattle_range_parse(nlh, &prefix) &&
	   !strcmp(wattle_prefix_text(text, &prefix), "fd00:96::/108"), "\"range add\" is read back");
	nlh = request("range del 10.96.0.0/12");
	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_RANGE_DEL && !wattle_range_parse(nlh, &prefix) &&
	   !strcmp(wattle_prefix_text(text, &prefix), "10.96.0.0/12"), "\"range del\" says which");
}

static void test_identity(void)
{
	const struct nlmsghdr *nlh = request("identity add 10.2.0.7 id 0x12c via 192.0.2.2");
	struct wattle_identity identity;
	char text[WATTLE_PREFIX_STRLEN];

	ok(nlh && !wattle_identity_parse(nlh, &identity) && identity.id == 300 &&
	   !strcmp(wattle_prefix_text(text, &identity.prefix), "10.2.0.7/32") &&
	   !strcmp(wattle_addr_text(text, &identity.via), "192.0.2.2"), "\"identity add\" is read back");
	nlh = request("identity del fd00::/8");
	ok(nlh && !wattle_identity_parse(nlh, &identity) &&
	   !strcmp(wattle_prefix_text(text, &identity.prefix), "fd00::/8") && !identity.via.len,
	   "\"identity del\" says which");
}

static void test_endpoint(void)
{
	const struct nlmsghdr *nlh = request("endpoint add lo pod a/b ip 10.0.0.1 ip fd00::1 id 300 enforce both");
	struct wattle_endpoint endpoint = {};

	ok(nlh && !wattle_endpoint_parse(nlh, &endpoint) && endpoint.ifindex == if_nametoindex("lo") &&
	   !strcmp(endpoint.pod, "a/b") && endpoint.ip_count == 2 && endpoint.id == 300 &&
	   endpoint.enforce == (WATTLE_ENFORCE_INGRESS | WATTLE_ENFORCE_EGRESS),
	   "\"endpoint add\" is read back");
	wattle_endpoint_release(&endpoint);
	nlh = request("endpoint del nosuchdev");
	ok(nlh && !wattle_endpoint_parse(nlh, &endpoint) && !endpoint.ifindex &&
	   !strcmp(endpoint.ifname, "nosuchdev"), "a device that has gone is told by its name");
	wattle_endpoint_release(&endpoint);
}

/* A rule comes back in its own words, and these make the same rule. */
static void test_rule(const char *words)
{
	struct wattle_rule rule;
	const struct nlmsghdr *nlh;
	char line[RULE_STRLEN + 16], text[RULE_STRLEN];

	snprintf(line, sizeof(line), "policy add %s", words);
	nlh = request(line);
	text[0] = '\0';
	ok(nlh && !wattle_rule_parse(nlh, &rule) &&
	   !strcmp(rule_text(text, sizeof(text), &rule), words), "rule \"%s\" reads \"%s\"", words, text);
}

static void test_policy(void)
{
	const struct nlmsghdr *nlh;
	struct wattle_rule rule;

	test_rule("id 300 ingress peer any allow");
	test_rule("id 300 egress peer id 4294967295 proto tcp port 80 allow");
	test_rule("id 300 ingress peer 10.0.0.0/8 outside proto udp port 1-65535 deny priority 65535");
	test_rule("id 300 ingress peer fd00::/8 proto sctp port 80-90 allow");
	test_rule("id 300 ingress peer any proto icmp type 8 code 0 allow");
	test_rule("id 300 ingress peer any proto icmpv6 type 128 deny");
	test_rule("id 300 ingress peer any proto icmp type 0 allow");
	test_rule("id 300 ingress peer any proto icmp type 255 code 255 allow");
	test_rule("id 300 ingress peer any proto 47 allow");
	test_rule("id 300 ingress peer any proto 0 allow");
	nlh = request("policy add allow origin ns/name proto tcp egress id 300 peer any");
	ok(nlh && !wattle_rule_parse(nlh, &rule) && rule.id == 300 && rule.direction ==
	   WATTLE_DIRECTION_EGRESS && !strcmp(rule.origin, "ns/name"), "the order of words is free");
	nlh = request("policy del id 300 ingress allow origin x");
	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_POLICY_DEL && !wattle_rule_parse(nlh, &rule) &&
	   !rule.origin[0], "\"policy del\" does not look at the origin");
	nlh = request("policy flush id 300");
	ok(nlh && wattle_msg_cmd(nlh) == WATTLE_CMD_POLICY_FLUSH, "\"policy flush\" is a flush");
}

static bool service_read(const char *line, struct wattle_service *service)
{
	const struct nlmsghdr *nlh = request(line);

	memset(service, 0, sizeof(*service));
	return nlh && !wattle_service_parse(nlh, service);
}

static void test_service_sources(void)
{
	struct wattle_service service;
	char text[WATTLE_PREFIX_STRLEN];

	ok(service_read("service replace [::]:30080/tcp source fd00::/8 empty reject source 2001:db8::1 source-policy deny",
			&service) &&
	   !strcmp(wattle_frontend_text(text, &service.frontend), "[::]:30080/tcp") &&
	   service.has_empty && service.empty == WATTLE_EMPTY_REJECT &&
	   service.has_source_policy && service.source_policy == WATTLE_SOURCE_POLICY_DENY &&
	   service.source_count == 2 &&
	   !strcmp(wattle_prefix_text(text, &service.source[0]), "fd00::/8") &&
	   !strcmp(wattle_prefix_text(text, &service.source[1]), "2001:db8::1/128"),
	   "sources of a service are read back, in their order");
	wattle_service_release(&service);
	ok(!service.source && !service.source_count, "and let go");
	ok(service_read("service add 10.96.0.1:80/tcp source 0.0.0.0/0", &service) &&
	   service.source_count == 1 && !service.source[0].len && service.source[0].addr.len == 4,
	   "everybody is a source, too");
	wattle_service_release(&service);
	ok(service_read("service add 10.96.0.1:80/tcp", &service) && !service.frontend.scope &&
	   !service.has_empty && !service.has_source_policy && !service.has_dsr &&
	   !service.source_count, "of none of them where none is given");
	ok(service_read("service add 10.96.0.1:80/tcp dsr on", &service) && service.has_dsr &&
	   service.dsr, "who answers is read back");
	ok(service_read("service add [::]:30080/tcp affinity 9 affinity-with [fd00::1]:80/tcp",
			&service) && service.affinity == 9 &&
	   !strcmp(wattle_frontend_text(text, &service.affinity_with), "[fd00::1]:80/tcp"),
	   "with whom affinity is shared is read back");
	ok(service_read("service add 10.96.0.1:80/tcp affinity 9", &service) &&
	   !service.affinity_with.port, "with nobody where none is given");
	ok(!request("service add 10.96.0.1:80/tcp affinity 9 affinity-with 10.96.0.1:80/udp"),
	   "with a service of another protocol it is not");
	ok(!request("service add 10.96.0.1:80/tcp source fd00::/8"),
	   "a source of another family is refused");
}

static void test_service_scope(void)
{
	struct wattle_frontend key = { .port = 80, .proto = 6 };
	struct wattle_service service;
	struct wattle_backend backend;
	const struct nlmsghdr *nlh;
	char text[WATTLE_FRONTEND_STRLEN];

	ok(service_read("service add 0.0.0.0:30080/tcp scope outside empty drop", &service) &&
	   !strcmp(wattle_frontend_text(text, &service.frontend), "0.0.0.0:30080/tcp") &&
	   service.frontend.scope == WATTLE_SCOPE_OUTSIDE && service.empty == WATTLE_EMPTY_DROP,
	   "a node port for outside is read back");
	ok(service_read("service del 0.0.0.0:30080/tcp scope outside", &service) &&
	   service.frontend.scope == WATTLE_SCOPE_OUTSIDE, "\"service del\" knows the scope");
	nlh = request("backend replace 10.96.0.1:80/tcp scope outside to 10.2.0.7:8080");
	ok(nlh && !wattle_backend_parse(nlh, &backend) &&
	   backend.service.scope == WATTLE_SCOPE_OUTSIDE &&
	   !strcmp(wattle_sockaddr_text(text, &backend.addr, backend.port), "10.2.0.7:8080"),
	   "\"backend replace\" knows the scope");
	nlh = request("backend del 10.96.0.1:80/tcp scope outside to 10.2.0.7:8080");
	ok(nlh && !wattle_backend_parse(nlh, &backend) &&
	   backend.service.scope == WATTLE_SCOPE_OUTSIDE, "so does \"backend del\"");
	wattle_addr_parse(&key.addr, "10.96.0.1");
	key.scope = WATTLE_SCOPE_OUTSIDE;
	wattle_service_ask(scratch(), &key);
	ok(!wattle_service_parse(nlmsg_hdr(scratch()), &service) &&
	   service.frontend.scope == WATTLE_SCOPE_OUTSIDE, "a question knows the scope");
	wattle_backend_ask(scratch(), &key);
	ok(!wattle_backend_parse(nlmsg_hdr(scratch()), &backend) &&
	   backend.service.scope == WATTLE_SCOPE_OUTSIDE, "and one about backends");
	test_service_sources();
}

/* What the kernel tells beside the words of a request. */
static void test_service_told(void)
{
	struct wattle_frontend key = { .port = 80, .proto = 6 };
	struct wattle_service service;
	struct wattle_backend backend;

	wattle_addr_parse(&key.addr, "10.96.0.1");
	wattle_service_ask(scratch(), &key);
	nla_put_u32(scratch(), WATTLE_A_SERVICE_BACKENDS, 3);
	nla_put_u32(scratch(), WATTLE_A_SERVICE_USABLE, 2);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_CONNECTIONS, 5000000000);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_REFUSED, 7);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_IN_PACKETS, 1);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_IN_BYTES, 7000000000);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_OUT_PACKETS, 2);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_OUT_BYTES, 8000000000);
	nla_put_u64(scratch(), WATTLE_A_SERVICE_TIME, 1);
	ok(!wattle_service_parse(nlmsg_hdr(scratch()), &service) && service.backends == 3 &&
	   service.usable == 2 && service.connections == 5000000000 && service.refused == 7 &&
	   service.time == 1, "counters and health of a service are read");
	ok(service.in.packets == 1 && service.in.bytes == 7000000000 && service.out.packets == 2 &&
	   service.out.bytes == 8000000000, "so is what it has carried");
	wattle_backend_ask(scratch(), &key);
	nla_put_u64(scratch(), WATTLE_A_BACKEND_CONNECTIONS, 6000000000);
	nla_put_u64(scratch(), WATTLE_A_BACKEND_IN_PACKETS, 3);
	nla_put_u64(scratch(), WATTLE_A_BACKEND_IN_BYTES, 7000000001);
	nla_put_u64(scratch(), WATTLE_A_BACKEND_OUT_PACKETS, 4);
	nla_put_u64(scratch(), WATTLE_A_BACKEND_OUT_BYTES, 8000000001);
	ok(!wattle_backend_parse(nlmsg_hdr(scratch()), &backend) &&
	   backend.connections == 6000000000, "and those of a backend");
	ok(backend.in.packets == 3 && backend.in.bytes == 7000000001 && backend.out.packets == 4 &&
	   backend.out.bytes == 8000000001, "and what that has carried");
	ok(!backend.has_live, "nobody has counted its connections");
	nla_put_u32(scratch(), WATTLE_A_BACKEND_LIVE, 9);
	ok(!wattle_backend_parse(nlmsg_hdr(scratch()), &backend) && backend.has_live &&
	   backend.live == 9, "or there are so many");
}

/* Does the message in scratch() have that flag? */
static bool asks(int flag)
{
	return nlmsg_find_attr(nlmsg_hdr(scratch()), GENL_HDRLEN, flag);
}

/* Only who shows counters makes CPUs and conntrack tell. */
static void test_counters_asked(void)
{
	struct wattle_frontend key = { .port = 80, .proto = 6 };

	wattle_addr_parse(&key.addr, "10.96.0.1");
	wattle_service_ask(scratch(), &key);
	ok(!asks(WATTLE_A_SERVICE_COUNTERS), "a question about a service asks for no counting");
	wattle_backend_ask(scratch(), NULL);
	ok(!asks(WATTLE_A_BACKEND_COUNTERS), "nor does one about backends");
	ok(!wattle_service_ask_counters(scratch(), &key) && asks(WATTLE_A_SERVICE_COUNTERS) &&
	   asks(WATTLE_A_SERVICE_ADDR), "unless it is meant to");
	ok(!wattle_backend_ask_counters(scratch(), NULL) && asks(WATTLE_A_BACKEND_COUNTERS),
	   "both of them");
}

static void test_service(void)
{
	const struct nlmsghdr *nlh = request("service add [fd00::1]:53/udp alg maglev affinity 30 maglev-size 251");
	struct wattle_service service;
	struct wattle_backend backend;
	char text[WATTLE_FRONTEND_STRLEN];

	ok(nlh && !wattle_service_parse(nlh, &service) &&
	   !strcmp(wattle_frontend_text(text, &service.frontend), "[fd00::1]:53/udp") &&
	   service.alg == WATTLE_ALG_MAGLEV && service.affinity == 30 && service.maglev_size == 251,
	   "\"service add\" is read back");
	nlh = request("backend add 10.96.0.1:80/tcp to 10.2.0.7:8080 weight 0 state quarantined");
	ok(nlh && !wattle_backend_parse(nlh, &backend) &&
	   !strcmp(wattle_frontend_text(text, &backend.service), "10.96.0.1:80/tcp") &&
	   !strcmp(wattle_sockaddr_text(text, &backend.addr, backend.port), "10.2.0.7:8080") &&
	   backend.has_weight && !backend.weight && backend.state == WATTLE_BACKEND_STATE_QUARANTINED,
	   "\"backend add\" is read back");
	nlh = request("backend add 10.96.0.1:80/tcp to 10.2.0.7:8080");
	ok(nlh && !wattle_backend_parse(nlh, &backend) && !backend.has_weight && !backend.has_state,
	   "what is not said is not sent");
	test_service_scope();
}

static void test_device(void)
{
	const struct nlmsghdr *nlh;
	struct wattle_link link;
	struct nl_msg *msg;

	nlh = request("device add w0 local 192.0.2.1 local fd00::1 port 4789 mode gbp vni 7 mtu 1400 strict off underlay 6 cache off csum off ttl 9 audit on");
	/* As the kernel would show it. */
	ok(nlh && !wattle_link_parse(nlh, &link) && !strcmp(link.name, "w0") &&
	   link.local4.len == 4 && link.local6.len == 16 && link.port == 4789 &&
	   link.mode == WATTLE_MODE_GBP && link.vni == 7 && link.mtu == 1400 && !link.strict &&
	   link.underlay == 6 && !link.cache && !link.csum && link.ttl == 9 && link.audit,
	   "\"device add\" is read back");
	msg = nlmsg_alloc();
	ok(wattle_link_ask(msg) == 0 && wattle_link_parse(nlmsg_hdr(msg), &link) == -EBADMSG,
	   "a question is no device");
	nlmsg_free(msg);
}

/* ---- what does not fit ---- */

static void test_sizes(void)
{
	struct nl_msg *small = nlmsg_alloc_size(32);
	struct wattle_node node = { .name = "n2", .addr_count = 1, .addr = { { .len = 16 } } };
	struct wattle_rule rule = { .id = 300 };
	struct nl_msg *msg = wattle_msg_alloc();
	unsigned int i, good = 0;

	ok(wattle_node_encode(small, WATTLE_ADD, &node) == -EMSGSIZE, "too small a message is told");
	ok(wattle_rule_encode(small, WATTLE_ADD, &rule) == -EMSGSIZE, "in a nest, too");
	nlmsg_free(small);
	node.cidr_count = 5000;
	node.cidr = calloc(node.cidr_count, sizeof(*node.cidr));
	for (i = 0; i < node.cidr_count; i++)
		node.cidr[i] = (struct wattle_prefix){ { 4, { 10, i >> 8, i } }, 24 };
	ok(!wattle_node_encode(msg, WATTLE_ADD, &node), "5000 prefixes fit");
	free(node.cidr);
	wattle_node_parse(nlmsg_hdr(msg), &node);
	for (i = 0; i < node.cidr_count; i++)
		good += node.cidr[i].addr.bytes[1] == i >> 8 && node.cidr[i].len == 24;
	ok(good == 5000, "and are read back");
	wattle_node_release(&node);
	nlmsg_free(msg);
}

/* Messages cut anywhere, and with every byte turned: no crash, whatever is read. */
static void test_garbage(void)
{
	static const char *const lines[] = {
		"node add n2 addr 192.0.2.2 addr fd00::2 cidr 10.2.0.0/24",
		"policy add id 300 ingress peer 10.0.0.0/8 outside proto tcp port 80-90 deny origin x",
		"endpoint add lo pod a/b ip 10.0.0.1 ip fd00::1 id 300",
		"device add w0 local 192.0.2.1 mode gbp",
		"service add 10.0.0.1:80/tcp scope outside empty drop source 10.0.0.0/8 source 192.0.2.1",
		"backend add 10.0.0.1:80/tcp scope outside to 10.0.0.2:80",
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct nlmsghdr *nlh = request(lines[i]);
		uint32_t len = nlh->nlmsg_len, cut;
		unsigned char *copy;

		for (cut = NLMSG_HDRLEN; cut <= len; cut++) {
			/* of its own size, so that reading beyond is seen */
			copy = malloc(cut);
			memcpy(copy, nlh, cut);
			((struct nlmsghdr *)copy)->nlmsg_len = cut;
			parse_all((void *)copy);
			for (j = NLMSG_HDRLEN; j < cut; j++) {
				copy[j] ^= 0xff;
				parse_all((void *)copy);
				copy[j] ^= 0xff;
			}
			free(copy);
		}
		ok(true, "no crash on pieces of: %s", lines[i]);
	}
}

/* ---- refusals ---- */

/* An error that the kernel would send about the attribute at @offset of @request. */
static void refuse(struct wattle_error *err, const struct nlmsghdr *request, int attr_type,
		   uint32_t offset, uint32_t missing)
{
	struct nlmsgerr e = { .error = -EINVAL, .msg = *request };
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_hdr(msg)->nlmsg_type = NLMSG_ERROR;
	nlmsg_hdr(msg)->nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	nlmsg_append(msg, &e, sizeof(e), NLMSG_ALIGNTO);
	nla_put_string(msg, NLMSGERR_ATTR_MSG, "the reason");
	nla_put_u32(msg, attr_type, offset);
	if (missing)
		nla_put_u32(msg, NLMSGERR_ATTR_MISS_TYPE, missing);
	wattle_error_parse(err, nlmsg_hdr(msg), request);
	nlmsg_free(msg);
}

/* Where @path of types is in @nlh. */
static uint32_t offset_of(const struct nlmsghdr *nlh, int type, int nested)
{
	struct nlattr *attr, *inner;
	int rest, inner_rest;

	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != type)
			continue;
		if (!nested)
			return (char *)attr - (char *)nlh;
		nla_for_each_nested(inner, attr, inner_rest)
			if (nla_type(inner) == nested)
				return (char *)inner - (char *)nlh;
	}
	return 0;
}

static void test_refusals(void)
{
	const struct nlmsghdr *nlh;
	struct wattle_error err;

	nlh = request("node add n2 addr 192.0.2.2 cidr 10.2.0.0/24");
	refuse(&err, nlh, NLMSGERR_ATTR_OFFS, offset_of(nlh, WATTLE_A_NODE_ADDR, 0), 0);
	ok(err.code == EINVAL && !strcmp(err.attr, "addr") && !strcmp(err.text, "the reason"),
	   "an attribute is named: %s", err.attr);
	refuse(&err, nlh, NLMSGERR_ATTR_OFFS,
	       offset_of(nlh, WATTLE_A_NODE_CIDR, WATTLE_A_PREFIX_LEN), 0);
	ok(!strcmp(err.attr, "cidr.len"), "so is one in a nest: %s", err.attr);
	nlh = request("policy add id 300 ingress peer 10.0.0.0/8 allow");
	refuse(&err, nlh, NLMSGERR_ATTR_OFFS,
	       offset_of(nlh, WATTLE_A_POLICY_RULE, WATTLE_A_RULE_PEER), 0);
	ok(!strcmp(err.attr, "rule.peer"), "so is a nest in a nest: %s", err.attr);
	refuse(&err, nlh, NLMSGERR_ATTR_MISS_NEST, offset_of(nlh, WATTLE_A_POLICY_RULE, 0),
	       WATTLE_A_RULE_ACTION);
	ok(err.missing && !strcmp(err.attr, "rule.action"), "and what is missing: %s", err.attr);
	refuse(&err, nlh, NLMSGERR_ATTR_OFFS, nlh->nlmsg_len + 100, 0);
	ok(!err.attr[0] && !strcmp(err.text, "the reason"), "a place beyond the end has no name");
	nlh = request("device add w0 local 192.0.2.1 mode gbp");
	ok(wattle_attr_at(nlh, nlh->nlmsg_len - 8, err.attr, sizeof(err.attr)) &&
	   !strcmp(err.attr, "mode"), "an option of a device is named: %s", err.attr);
}

/* ---- the specification ---- */

static const struct {
	const char *set;
	uint8_t cmd;
} sets[] = {
	{ "info", WATTLE_CMD_TXN_COMMIT }, { "node", WATTLE_CMD_NODE_NEW },
	{ "identity", WATTLE_CMD_IDENTITY_NEW }, { "endpoint", WATTLE_CMD_ENDPOINT_NEW },
	{ "policy", WATTLE_CMD_POLICY_NEW }, { "service", WATTLE_CMD_SERVICE_NEW },
	{ "backend", WATTLE_CMD_BACKEND_NEW }, { "egress", WATTLE_CMD_EGRESS_NEW },
	{ "range", WATTLE_CMD_RANGE_NEW },
};

/* A request that holds nothing but the attribute @type. */
static bool named(uint8_t cmd, int type, char *name, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc();
	bool found;

	wattle_msg_begin(msg, cmd, 0);
	nla_put_u32(msg, type, 0);
	found = wattle_attr_at(nlmsg_hdr(msg), NLMSG_HDRLEN + GENL_HDRLEN, name, size);
	nlmsg_free(msg);
	return found;
}

static const char *scalar(yaml_document_t *doc, yaml_node_t *map, const char *key, yaml_node_t **out)
{
	yaml_node_pair_t *pair;

	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		yaml_node_t *k = yaml_document_get_node(doc, pair->key);
		yaml_node_t *v = yaml_document_get_node(doc, pair->value);

		if (strcmp((char *)k->data.scalar.value, key))
			continue;
		if (out)
			*out = v;
		return v->type == YAML_SCALAR_NODE ? (char *)v->data.scalar.value : NULL;
	}
	return NULL;
}

static void test_set(yaml_document_t *doc, yaml_node_t *list, const char *set, uint8_t cmd)
{
	yaml_node_item_t *item;
	char name[64];
	int type = 0;

	for (item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++, type++) {
		yaml_node_t *attr = yaml_document_get_node(doc, *item);
		const char *want = scalar(doc, attr, "name", NULL);
		const char *kind = scalar(doc, attr, "type", NULL);

		if (!strcmp(kind, "unused") || !strcmp(kind, "pad"))
			continue;
		ok(named(cmd, type, name, sizeof(name)) && !strcmp(name, want),
		   "attribute %d of %s is %s", type, set, want);
	}
}

static void test_specification(void)
{
	FILE *file = fopen("Documentation/netlink/specs/wattle.yaml", "re");
	yaml_node_t *list = NULL, *attrs = NULL;
	yaml_node_item_t *item;
	yaml_document_t doc;
	yaml_parser_t parser;
	unsigned int i;

	if (!file || !yaml_parser_initialize(&parser)) {
		ok(false, "the specification is read");
		return;
	}
	yaml_parser_set_input_file(&parser, file);
	ok(yaml_parser_load(&parser, &doc), "the specification is read");
	scalar(&doc, yaml_document_get_root_node(&doc), "attribute-sets", &list);
	for (item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
		yaml_node_t *set = yaml_document_get_node(&doc, *item);
		const char *name = scalar(&doc, set, "name", NULL);

		scalar(&doc, set, "attributes", &attrs);
		for (i = 0; i < ARRAY_SIZE(sets); i++)
			if (!strcmp(sets[i].set, name))
				test_set(&doc, attrs, name, sets[i].cmd);
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	fclose(file);
}

int main(void)
{
	test_text();
	test_node();
	test_identity();
	test_egress();
	test_range();
	test_endpoint();
	test_policy();
	test_service();
	test_service_told();
	test_counters_asked();
	test_device();
	test_sizes();
	test_garbage();
	test_refusals();
	test_specification();
	call_release(&call);
	kernel_close();
	return tap_end();
}
