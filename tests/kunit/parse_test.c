// SPDX-License-Identifier: GPL-2.0-only
/* The parser: hand-made packets, and any bytes at all against limits it must keep. */

#include <linux/if_ether.h>
#include "kunit_compat.h"
#include "suites.h"
#include "parse.c"

static const u8 wattle_tcp4[] = {
	0x45, 0x00, 0x00, 0x28, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0x00, 0x00,
	10, 1, 0, 5, 10, 2, 0, 7,
	0x9c, 0x40, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0,
};

static const u8 wattle_udp6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x08, 17, 64,
	0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5,
	0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	0x9c, 0x40, 0x00, 0x35, 0x00, 0x08, 0, 0,
};

/* @linear: how much of it is in the linear area; the rest is in a page. */
static struct sk_buff *wattle_parse_packet(const u8 *bytes, unsigned int len, unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(linear + 64, GFP_KERNEL);
	struct page *page;

	if (!skb)
		return NULL;
	skb_reserve(skb, 64);
	skb_reset_network_header(skb);
	skb_put_data(skb, bytes, linear);
	skb->protocol = htons(len && bytes[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	if (linear == len)
		return skb;
	page = alloc_page(GFP_KERNEL);
	if (!page) {
		kfree_skb(skb);
		return NULL;
	}
	memcpy(page_address(page), bytes + linear, len - linear);
	skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	return skb;
}

static enum wattle_reason wattle_parse_bytes(struct kunit *test, const u8 *bytes, unsigned int len,
					     unsigned int linear, struct wattle_key *key,
					     struct wattle_parsed *parsed)
{
	struct sk_buff *skb = wattle_parse_packet(bytes, len, linear);
	enum wattle_reason reason;

	if (!skb) {
		KUNIT_FAIL(test, "no memory");
		return WATTLE_REASON_NO_MEMORY;
	}
	reason = wattle_parse(skb, key, parsed);
	kfree_skb(skb);
	return reason;
}

static void wattle_parse_test_plain(struct kunit *test)
{
	struct wattle_parsed parsed;
	struct wattle_key key;
	unsigned int linear;
	int reason;

	/* Wherever the linear area ends. */
	for (linear = 0; linear <= sizeof(wattle_tcp4); linear++) {
		reason = wattle_parse_bytes(test, wattle_tcp4, sizeof(wattle_tcp4), linear, &key,
					    &parsed);
		KUNIT_EXPECT_EQ(test, reason, 0);
		KUNIT_EXPECT_EQ(test, wattle_addr_v4(&key.saddr), htonl(0x0a010005));
		KUNIT_EXPECT_EQ(test, wattle_addr_v4(&key.daddr), htonl(0x0a020007));
		KUNIT_EXPECT_EQ(test, key.sport, htons(40000));
		KUNIT_EXPECT_EQ(test, key.dport, htons(80));
		KUNIT_EXPECT_EQ(test, key.proto, (u8)IPPROTO_TCP);
		KUNIT_EXPECT_EQ(test, parsed.len, 40u);
		KUNIT_EXPECT_EQ(test, parsed.hlen, (u16)20);
		KUNIT_EXPECT_EQ(test, parsed.flags, (u16)WATTLE_PARSED_DF);
	}
	for (linear = 0; linear <= sizeof(wattle_udp6); linear++) {
		reason = wattle_parse_bytes(test, wattle_udp6, sizeof(wattle_udp6), linear, &key,
					    &parsed);
		KUNIT_EXPECT_EQ(test, reason, 0);
		KUNIT_EXPECT_EQ(test, key.dport, htons(53));
		KUNIT_EXPECT_EQ(test, parsed.hlen, (u16)40);
	}
}

/* One byte changed, and what comes of it. */
static void wattle_parse_test_header(struct kunit *test)
{
	static const struct {
		const char *what;
		u8 at, value;
		enum wattle_reason reason;
		u16 flags;
	} cases[] = {
		{ "version", 0, 0x55, WATTLE_REASON_BAD_HEADER },
		{ "header of 16 bytes", 0, 0x44, WATTLE_REASON_BAD_HEADER },
		{ "header beyond the packet", 0, 0x4f, WATTLE_REASON_BAD_HEADER },
		{ "longer than it is", 3, 0x29, WATTLE_REASON_BAD_HEADER },
		{ "shorter than its header", 3, 0x13, WATTLE_REASON_BAD_HEADER },
		{ "no room for TCP", 3, 0x27, WATTLE_REASON_BAD_HEADER },
		{ "options", 0, 0x46, WATTLE_REASON_BAD_HEADER },
		{ "more fragments", 6, 0x20, 0, WATTLE_PARSED_FRAGMENT },
		{ "later fragment", 7, 0x01, 0, WATTLE_PARSED_FRAGMENT | WATTLE_PARSED_DF },
		{ "to a group", 16, 224, WATTLE_REASON_NOT_UNICAST, WATTLE_PARSED_DF },
		{ "from a group", 12, 239, WATTLE_REASON_NOT_UNICAST, WATTLE_PARSED_DF },
		{ "SYN", 33, 0x02, 0, WATTLE_PARSED_STATE | WATTLE_PARSED_DF },
		{ "FIN", 33, 0x11, 0, WATTLE_PARSED_STATE | WATTLE_PARSED_DF },
		{ "RST", 33, 0x04, 0, WATTLE_PARSED_STATE | WATTLE_PARSED_DF },
		{ "SCTP", 9, 132, 0, WATTLE_PARSED_STATE | WATTLE_PARSED_DF },
		{ "something else", 9, 47, 0, WATTLE_PARSED_DF },
	};
	u8 bytes[sizeof(wattle_tcp4)];
	struct wattle_parsed parsed;
	struct wattle_key key;
	unsigned int i;
	int reason;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(bytes, wattle_tcp4, sizeof(bytes));
		bytes[cases[i].at] = cases[i].value;
		reason = wattle_parse_bytes(test, bytes, sizeof(bytes), sizeof(bytes), &key,
					    &parsed);
		KUNIT_EXPECT_EQ_MSG(test, reason, (int)cases[i].reason, "%s", cases[i].what);
		if (!reason)
			KUNIT_EXPECT_EQ_MSG(test, parsed.flags, cases[i].flags, "%s",
					    cases[i].what);
	}
	/* IPv4 in disguise must not be taken for IPv4. */
	{
		u8 mapped[sizeof(wattle_udp6)];

		memcpy(mapped, wattle_udp6, sizeof(mapped));
		memset(mapped + 8, 0, 10);
		memset(mapped + 18, 0xff, 2);
		reason = wattle_parse_bytes(test, mapped, sizeof(mapped), sizeof(mapped), &key,
					    &parsed);
		KUNIT_EXPECT_EQ(test, reason, (int)WATTLE_REASON_BAD_HEADER);
	}
}

/* Where an offload may be told to write a sum, behind a network header of 20 bytes. */
static void wattle_parse_test_sum(struct kunit *test)
{
	static const struct {
		const char *what;
		u8 proto, start, offset;
		u16 flags;
		bool sound;
	} cases[] = {
		{ "TCP", IPPROTO_TCP, 20, 16, 0, true },
		{ "TCP, its flags", IPPROTO_TCP, 20, 13 },
		{ "TCP, from behind its ports", IPPROTO_TCP, 24, 12 },
		{ "TCP of a fragment", IPPROTO_TCP, 20, 16, WATTLE_PARSED_FRAGMENT },
		{ "UDP", IPPROTO_UDP, 20, 6, 0, true },
		{ "UDP, its port", IPPROTO_UDP, 20, 2 },
		{ "UDP, its length", IPPROTO_UDP, 20, 4 },
		{ "UDP, an address", IPPROTO_UDP, 12, 4 },
		{ "UDP, its own place from elsewhere", IPPROTO_UDP, 16, 10 },
		{ "UDP, a packet inside", IPPROTO_UDP, 70, 16, 0, true },
		{ "ICMP", IPPROTO_ICMP, 20, 2, 0, true },
		{ "ICMP, its type", IPPROTO_ICMP, 20, 0 },
		{ "ICMP, its number", IPPROTO_ICMP, 20, 4 },
		{ "ICMP, behind", IPPROTO_ICMP, 20, 8, 0, true },
		{ "ICMP, of an error", IPPROTO_ICMP, 20, 2, WATTLE_PARSED_ERROR },
		{ "SCTP", IPPROTO_SCTP, 20, 8, 0, true },
		{ "SCTP, its port", IPPROTO_SCTP, 20, 2 },
		{ "IP in IP", IPPROTO_IPIP, 40, 16, 0, true },
	};
	struct sk_buff *skb = wattle_parse_packet(wattle_tcp4, sizeof(wattle_tcp4),
						  sizeof(wattle_tcp4));
	struct wattle_parsed parsed = { .hlen = 20, .len = sizeof(wattle_tcp4) };
	struct wattle_key key = {};
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		key.proto = cases[i].proto;
		parsed.flags = cases[i].flags;
		skb->csum_start = skb_headroom(skb) + cases[i].start;
		skb->csum_offset = cases[i].offset;
		skb->ip_summed = CHECKSUM_PARTIAL;
		KUNIT_EXPECT_EQ_MSG(test, wattle_parse_sum(skb, &key, &parsed), cases[i].sound,
				    "%s", cases[i].what);
		/* What has ports is asked in short, first. */
		if (i < 9 && !cases[i].flags)
			KUNIT_EXPECT_EQ_MSG(test, wattle_parse_plain_sum(skb, &key, &parsed),
					    cases[i].sound, "%s", cases[i].what);
		skb->ip_summed = CHECKSUM_NONE;
		KUNIT_EXPECT_TRUE(test, wattle_parse_sum(skb, &key, &parsed));
	}
	kfree_skb(skb);
}

/* Whatever it is: no read beyond it, and what is said of it is within it. */
static void wattle_parse_test_random(struct kunit *test)
{
	struct wattle_random random;
	struct wattle_parsed parsed;
	struct wattle_key key;
	unsigned int i, j, len, linear;
	u8 bytes[96];

	wattle_random_begin(test, &random);
	for (i = 0; i < 20000; i++) {
		len = wattle_random_below(&random, sizeof(bytes) + 1);
		for (j = 0; j < len; j++)
			bytes[j] = wattle_random(&random);
		if (len >= 40 && wattle_random_below(&random, 4)) {
			/* Mostly something that looks like IP. */
			const u8 *seed = wattle_udp6;

			if (wattle_random_below(&random, 2))
				seed = wattle_tcp4;
			memcpy(bytes, seed, 40);
			bytes[wattle_random_below(&random, 40)] = wattle_random(&random);
			if (seed == wattle_udp6)
				bytes[6] = (const u8 []){ 0, 43, 44, 51, 60, 17, 58, 59 }
						[wattle_random_below(&random, 8)];
		}
		linear = wattle_random_below(&random, len + 1);
		if (wattle_parse_bytes(test, bytes, len, linear, &key, &parsed))
			continue;
		KUNIT_EXPECT_LE(test, parsed.len, len);
		KUNIT_EXPECT_GE(test, parsed.hlen, (u16)20);
		if (!(parsed.flags & WATTLE_PARSED_FRAGMENT))
			KUNIT_EXPECT_LE(test, (unsigned int)parsed.hlen, parsed.len);
		if (!(i % 256))
			cond_resched();
	}
}

static struct kunit_case wattle_parse_cases[] = {
	KUNIT_CASE(wattle_parse_test_plain),
	KUNIT_CASE(wattle_parse_test_header),
	KUNIT_CASE(wattle_parse_test_random),
	KUNIT_CASE(wattle_parse_test_sum),
	{}
};

struct kunit_suite wattle_parse_suite = {
	.name = "parse",
	.test_cases = wattle_parse_cases,
};
