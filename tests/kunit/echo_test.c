// SPDX-License-Identifier: GPL-2.0-only
/* An echo request becomes its answer: as long, addressed to who asked, with right checksums. */

#include <net/ip6_checksum.h>
#include "kunit_compat.h"
#include "suites.h"
#include "echo.c"

#define WATTLE_ECHO_TEST_MAX	80

static const u8 wattle_echo_head4[] = {
	0x45, 0x00, 0x00, 0x00, 0x12, 0x34, 0x40, 0x00, 3, IPPROTO_ICMP, 0x00, 0x00,
	10, 1, 0, 5, 10, 96, 0, 10,
};

static const u8 wattle_echo_head6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x00, IPPROTO_ICMPV6, 3,
	0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5,
	0xfd, 0, 0, 0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
};

/* Folded into the field it makes the checksum; with that in place it is zero. */
static __sum16 wattle_echo_sum(const u8 *packet, unsigned int len)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)packet;

	if (packet[0] >> 4 == 4)
		return ip_compute_csum(packet + sizeof(struct iphdr),
				       len - sizeof(struct iphdr));
	len -= sizeof(*ip6h);
	return csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, IPPROTO_ICMPV6,
			       csum_partial(ip6h + 1, len, 0));
}

/* A request that carries @size bytes, of which @size ^ @i is the one at @i. */
static unsigned int wattle_echo_request(u8 *packet, bool v4, unsigned int size)
{
	unsigned int hlen = v4 ? sizeof(wattle_echo_head4) : sizeof(wattle_echo_head6), i;
	struct icmphdr *icmp = (struct icmphdr *)(packet + hlen);
	unsigned int len = hlen + sizeof(*icmp) + size;

	memset(packet, 0, WATTLE_ECHO_TEST_MAX);
	memcpy(packet, v4 ? wattle_echo_head4 : wattle_echo_head6, hlen);
	icmp->type = v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST;
	icmp->un.echo.id = htons(77);
	for (i = 0; i < size; i++)
		packet[hlen + sizeof(*icmp) + i] = size ^ i;
	if (v4) {
		((struct iphdr *)packet)->tot_len = htons(len);
		ip_send_check((struct iphdr *)packet);
	} else {
		((struct ipv6hdr *)packet)->payload_len = htons(len - hlen);
	}
	icmp->checksum = wattle_echo_sum(packet, len);
	return len;
}

static struct sk_buff *wattle_echo_packet(const u8 *packet, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	skb_put_data(skb, packet, len);
	skb->protocol = htons(packet[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
	return skb;
}

static void wattle_echo_check(struct kunit *test, const u8 *asked, const u8 *answer,
			      unsigned int len)
{
	bool v4 = asked[0] >> 4 == 4;
	unsigned int hlen = v4 ? sizeof(wattle_echo_head4) : sizeof(wattle_echo_head6);
	unsigned int from = v4 ? 12 : 8, size = v4 ? 4 : 16;

	KUNIT_EXPECT_EQ(test, memcmp(answer + from, asked + from + size, size), 0);
	KUNIT_EXPECT_EQ(test, memcmp(answer + from + size, asked + from, size), 0);
	KUNIT_EXPECT_EQ(test, answer[v4 ? 8 : 7], (u8)64);
	KUNIT_EXPECT_EQ(test, answer[hlen], (u8)(v4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY));
	KUNIT_EXPECT_EQ(test, memcmp(answer + hlen + 4, asked + hlen + 4, len - hlen - 4), 0);
	KUNIT_EXPECT_EQ(test, (__force u16)wattle_echo_sum(answer, len), (u16)0);
	if (v4)
		KUNIT_EXPECT_EQ(test, (__force u16)ip_compute_csum(answer, hlen), (u16)0);
}

static void wattle_echo_test_turn(struct kunit *test)
{
	u8 packet[WATTLE_ECHO_TEST_MAX];
	struct sk_buff *skb;
	unsigned int i, len;

	/* Both families, with nothing in it and with more. */
	for (i = 0; i < 2 * 32; i++) {
		len = wattle_echo_request(packet, i & 1, i / 2);
		skb = wattle_echo_packet(packet, len);
		if (!skb) {
			KUNIT_FAIL(test, "no memory");
			return;
		}
		KUNIT_EXPECT_TRUE(test, wattle_echo_turn(skb));
		KUNIT_EXPECT_EQ(test, skb->len, len);
		wattle_echo_check(test, packet, skb->data, len);
		kfree_skb(skb);
	}
}

/* What many got is not answered, and stays as it is. */
static void wattle_echo_test_many(struct kunit *test)
{
	u8 packet[WATTLE_ECHO_TEST_MAX];
	unsigned int len = wattle_echo_request(packet, true, 16);
	struct sk_buff *skb = wattle_echo_packet(packet, len);

	if (!skb) {
		KUNIT_FAIL(test, "no memory");
		return;
	}
	skb->pkt_type = PACKET_BROADCAST;
	KUNIT_EXPECT_FALSE(test, wattle_echo_turn(skb));
	skb->pkt_type = PACKET_MULTICAST;
	KUNIT_EXPECT_FALSE(test, wattle_echo_turn(skb));
	KUNIT_EXPECT_EQ(test, memcmp(skb->data, packet, len), 0);
	kfree_skb(skb);
}

static struct kunit_case wattle_echo_cases[] = {
	KUNIT_CASE(wattle_echo_test_turn),
	KUNIT_CASE(wattle_echo_test_many),
	{}
};

struct kunit_suite wattle_echo_suite = {
	.name = "echo",
	.test_cases = wattle_echo_cases,
};
