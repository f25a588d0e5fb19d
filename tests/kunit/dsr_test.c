// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors about answers of another node, and pieces, before they are handed on: addressed to the
 * service again, with right checksums, whatever their length.
 */

#include <net/ip6_checksum.h>
#include "kunit_compat.h"
#include "suites.h"
#include "dsr.c"

/* Whole packets are the affair of nat.c, which is not here. */
enum wattle_reason wattle_nat_rewrite(struct sk_buff *skb, unsigned int hlen, u8 proto,
				      enum wattle_rewrite rewrite, const struct in6_addr *addr,
				      __be16 port)
{
	return WATTLE_REASON_NONE;
}

#define WATTLE_DSR_TEST_MAX	160

/* A router's error to the backend, 10.2.0.7, about what that sent to 203.0.113.9. */
static const u8 wattle_dsr_error_head4[] = {
	0x45, 0x00, 0x00, 0x00, 0x12, 0x34, 0x00, 0x00, 60, IPPROTO_ICMP, 0x00, 0x00,
	192, 0, 2, 9, 10, 2, 0, 7,
	ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 0x00, 0x00, 0x00, 0x00, 0x05, 0x14,
};

static const u8 wattle_dsr_about4[] = {
	0x46, 0x00, 0x05, 0xdc, 0x43, 0x21, 0x40, 0x00, 62, IPPROTO_TCP, 0x00, 0x00,
	10, 2, 0, 7, 203, 0, 113, 9, 0x94, 0x04, 0x00, 0x00,
};

static const u8 wattle_dsr_error_head6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x00, IPPROTO_ICMPV6, 60,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	ICMPV6_PKT_TOOBIG, 0, 0x00, 0x00, 0x00, 0x00, 0x05, 0x14,
};

static const u8 wattle_dsr_about6[] = {
	0x60, 0x00, 0x00, 0x00, 0x05, 0xb4, IPPROTO_DSTOPTS, 62,
	0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	0x20, 0x01, 0x0d, 0xb8, 0, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0,
};

/* Ports of the backend and, as conntrack had to change it, of the client. */
static const u8 wattle_dsr_ports[] = { 0x1f, 0x90, 0x0f, 0xa0, 1, 2, 3, 4 };

struct wattle_dsr_packet {
	u8 data[WATTLE_DSR_TEST_MAX];
	unsigned int len;
	unsigned int hlen;	/* of the outer header */
	unsigned int ports;	/* where they are */
};

static void wattle_dsr_append(struct wattle_dsr_packet *p, const void *data, unsigned int len)
{
	memcpy(p->data + p->len, data, len);
	p->len += len;
}

/* Folded into the field it makes the checksum; with that in place it is zero. */
static __sum16 wattle_dsr_sum(const u8 *data, unsigned int hlen, unsigned int len)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)data;

	if (data[0] >> 4 == 4)
		return ip_compute_csum(data + hlen, len - hlen);
	return csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len - hlen, IPPROTO_ICMPV6,
			       csum_partial(data + hlen, len - hlen, 0));
}

static void wattle_dsr_make(struct wattle_dsr_packet *p, bool v4)
{
	struct iphdr *inner;

	memset(p, 0, sizeof(*p));
	p->hlen = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	if (v4) {
		wattle_dsr_append(p, wattle_dsr_error_head4, sizeof(wattle_dsr_error_head4));
		wattle_dsr_append(p, wattle_dsr_about4, sizeof(wattle_dsr_about4));
	} else {
		wattle_dsr_append(p, wattle_dsr_error_head6, sizeof(wattle_dsr_error_head6));
		wattle_dsr_append(p, wattle_dsr_about6, sizeof(wattle_dsr_about6));
	}
	p->ports = p->len;
	wattle_dsr_append(p, wattle_dsr_ports, sizeof(wattle_dsr_ports));
	if (v4) {
		((struct iphdr *)p->data)->tot_len = htons(p->len);
		ip_send_check((struct iphdr *)p->data);
		inner = (struct iphdr *)(p->data + p->hlen + sizeof(struct icmphdr));
		ip_send_check(inner);
	} else {
		((struct ipv6hdr *)p->data)->payload_len = htons(p->len - p->hlen);
	}
	((struct icmphdr *)(p->data + p->hlen))->checksum =
		wattle_dsr_sum(p->data, p->hlen, p->len);
}

/* 203.0.113.9:3999 to 10.96.0.10:80, or the same of IPv6: as the client sees it. */
static void wattle_dsr_orig(struct nf_conntrack_tuple *orig, bool v4)
{
	memset(orig, 0, sizeof(*orig));
	orig->src.u.all = htons(3999);
	orig->dst.u.all = htons(80);
	if (v4)
		orig->dst.u3.ip = htonl(0x0a60000a);
	else
		orig->dst.u3.in6.s6_addr32[0] = htonl(0xfd000096);
}

/* The first @head of @len bytes are in the linear part, the others in a page. */
static struct sk_buff *wattle_dsr_skb(const struct wattle_dsr_packet *p, unsigned int len,
				      unsigned int head)
{
	struct sk_buff *skb = alloc_skb(WATTLE_DSR_TEST_MAX, GFP_KERNEL);
	struct page *page;

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	skb_put_data(skb, p->data, head);
	skb->protocol = htons(p->data[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
	if (head == len)
		return skb;
	page = alloc_page(GFP_KERNEL);
	if (!page) {
		kfree_skb(skb);
		return NULL;
	}
	memcpy(page_address(page), p->data + head, len - head);
	skb_add_rx_frag(skb, 0, page, 0, len - head, PAGE_SIZE);
	return skb;
}

static enum wattle_reason wattle_dsr_turn(struct sk_buff *skb, const struct wattle_dsr_packet *p,
					  const struct nf_conntrack_tuple *orig)
{
	return p->data[0] >> 4 == 4 ? wattle_dsr_error4(skb, p->hlen, orig) :
				      wattle_dsr_error6(skb, p->hlen, orig);
}

static void wattle_dsr_check_turned(struct kunit *test, const struct sk_buff *skb,
				    const struct wattle_dsr_packet *p,
				    const struct nf_conntrack_tuple *orig)
{
	unsigned int inner = p->hlen + sizeof(struct icmphdr);
	struct wattle_dsr_packet want = *p;
	u8 got[WATTLE_DSR_TEST_MAX] = {};

	KUNIT_ASSERT_EQ(test, skb->len, p->len);
	KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, 0, got, p->len), 0);
	if (got[0] >> 4 == 4) {
		((struct iphdr *)want.data)->daddr = orig->dst.u3.ip;
		ip_send_check((struct iphdr *)want.data);
		((struct iphdr *)(want.data + inner))->saddr = orig->dst.u3.ip;
		ip_send_check((struct iphdr *)(want.data + inner));
	} else {
		((struct ipv6hdr *)want.data)->daddr = orig->dst.u3.in6;
		((struct ipv6hdr *)(want.data + inner))->saddr = orig->dst.u3.in6;
	}
	memcpy(want.data + p->ports, &orig->dst.u.all, 2);
	memcpy(want.data + p->ports + 2, &orig->src.u.all, 2);
	((struct icmphdr *)(want.data + p->hlen))->checksum = 0;
	((struct icmphdr *)(want.data + p->hlen))->checksum =
		wattle_dsr_sum(want.data, p->hlen, p->len);
	KUNIT_EXPECT_EQ(test, memcmp(got, want.data, p->len), 0);
}

/* Wherever the linear part ends, and also where somebody else has the packet. */
static void wattle_dsr_test_errors(struct kunit *test)
{
	struct nf_conntrack_tuple orig;
	struct wattle_dsr_packet p;
	struct sk_buff *skb, *clone;
	unsigned int head;
	u8 kept[WATTLE_DSR_TEST_MAX];
	int v4;

	for (v4 = 0; v4 <= 1; v4++) {
		wattle_dsr_make(&p, v4);
		wattle_dsr_orig(&orig, v4);
		for (head = p.hlen; head <= p.len; head++) {
			skb = wattle_dsr_skb(&p, p.len, head);
			KUNIT_ASSERT_NOT_NULL(test, skb);
			clone = skb_clone(skb, GFP_KERNEL);
			KUNIT_EXPECT_EQ(test, (int)wattle_dsr_turn(skb, &p, &orig),
					(int)WATTLE_REASON_NONE);
			wattle_dsr_check_turned(test, skb, &p, &orig);
			KUNIT_EXPECT_EQ(test, skb_copy_bits(clone, 0, kept, p.len), 0);
			KUNIT_EXPECT_EQ(test, memcmp(kept, p.data, p.len), 0);
			kfree_skb(clone);
			kfree_skb(skb);
		}
	}
}

/* What ends before the ports is no error that tells anything, and stays as it is. */
static void wattle_dsr_test_short(struct kunit *test)
{
	struct nf_conntrack_tuple orig;
	struct wattle_dsr_packet p;
	struct sk_buff *skb;
	u8 kept[WATTLE_DSR_TEST_MAX];
	unsigned int len;
	int v4;

	for (v4 = 0; v4 <= 1; v4++) {
		wattle_dsr_make(&p, v4);
		wattle_dsr_orig(&orig, v4);
		for (len = p.hlen + sizeof(struct icmphdr); len < p.ports + 4; len++) {
			skb = wattle_dsr_skb(&p, len, len);
			KUNIT_ASSERT_NOT_NULL(test, skb);
			KUNIT_EXPECT_EQ_MSG(test, (int)wattle_dsr_turn(skb, &p, &orig),
					    (int)WATTLE_REASON_BAD_HEADER, "%u bytes", len);
			KUNIT_EXPECT_EQ(test, skb_copy_bits(skb, 0, kept, len), 0);
			KUNIT_EXPECT_EQ(test, memcmp(kept, p.data, len), 0);
			kfree_skb(skb);
		}
	}
	wattle_dsr_make(&p, true);
	wattle_dsr_orig(&orig, true);
	/* A header that would end inside of itself. */
	p.data[p.hlen + sizeof(struct icmphdr)] = 0x44;
	skb = wattle_dsr_skb(&p, p.len, p.len);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_EQ(test, (int)wattle_dsr_turn(skb, &p, &orig),
			(int)WATTLE_REASON_BAD_HEADER);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data, p.data, p.len), 0);
	kfree_skb(skb);
}

/* Of a later piece the address changes alone, and what the header adds up to. */
static void wattle_dsr_test_pieces(struct kunit *test)
{
	struct nf_conntrack_tuple orig;
	struct wattle_dsr_packet p;
	struct sk_buff *skb;
	struct iphdr *iph;

	wattle_dsr_make(&p, true);
	wattle_dsr_orig(&orig, true);
	iph = (struct iphdr *)p.data;
	iph->frag_off = htons(IP_MF);
	ip_send_check(iph);
	skb = wattle_dsr_skb(&p, p.len, p.len);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_FALSE(test, wattle_dsr_is_later_piece(skb));
	iph = ip_hdr(skb);
	iph->frag_off = htons(185);
	ip_send_check(iph);
	KUNIT_EXPECT_TRUE(test, wattle_dsr_is_later_piece(skb));
	KUNIT_EXPECT_EQ(test, (int)wattle_dsr_piece(skb, &orig.dst.u3), (int)WATTLE_REASON_NONE);
	iph = ip_hdr(skb);
	KUNIT_EXPECT_EQ(test, (__force u32)iph->daddr, (__force u32)orig.dst.u3.ip);
	KUNIT_EXPECT_EQ(test, (__force u16)ip_fast_csum(iph, iph->ihl), 0);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data + p.hlen, p.data + p.hlen, p.len - p.hlen), 0);
	kfree_skb(skb);
}

static struct kunit_case wattle_dsr_cases[] = {
	KUNIT_CASE(wattle_dsr_test_errors),
	KUNIT_CASE(wattle_dsr_test_short),
	KUNIT_CASE(wattle_dsr_test_pieces),
	{}
};

struct kunit_suite wattle_dsr_suite = {
	.name = "dsr",
	.test_cases = wattle_dsr_cases,
};
