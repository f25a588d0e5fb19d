// SPDX-License-Identifier: GPL-2.0-only
/* The wire format: hand-made bytes in and out, and any bytes at all against the rules said anew. */

#include "kunit_compat.h"
#include "suites.h"
#include "vxlan.c"
#include "vxlan_xmit.c"

/* What the tunnel calls when it drops; nothing here gets so far. */
void wattle_drop(struct wattle *w, struct sk_buff *skb, enum wattle_reason reason,
		 const struct wattle_key *key, const struct wattle_decision *decision)
{
	kfree_skb(skb);
}

/* From 192.0.2.1 to 192.0.2.2, VNI 301, IPv4 inside. */
static const u8 wattle_wire4[] = {
	0x45, 0x00, 0x00, 0x4e, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb6, 0x9b,
	192, 0, 2, 1, 192, 0, 2, 2,
	0xc1, 0x23, 0x21, 0x18, 0x00, 0x3a, 0x00, 0x00,
	0x08, 0x00, 0x00, 0x00, 0x00, 0x01, 0x2d, 0x00,
	0x02, 0x57, 192, 0, 2, 2, 0x02, 0x57, 192, 0, 2, 1, 0x08, 0x00,
	0x45, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11, 0x66, 0xcb,
	10, 1, 0, 2, 10, 2, 0, 2,
	0x1e, 0x61, 0x00, 0x09, 0x00, 0x08, 0x00, 0x00,
};

/* From 2001:db8::1 to 2001:db8::2, VNI 0x123456, IPv6 inside. */
static const u8 wattle_wire6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x4e, 17, 64,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0xc1, 0x23, 0x21, 0x18, 0x00, 0x4e, 0x12, 0x34,
	0x08, 0x00, 0x00, 0x00, 0x12, 0x34, 0x56, 0x00,
	0x02, 0x57, 0x20, 0x01, 0x0d, 0xba, 0x02, 0x57, 0x20, 0x01, 0x0d, 0xb9, 0x86, 0xdd,
	0x60, 0x00, 0x00, 0x00, 0x00, 0x08, 17, 64,
	0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0x1e, 0x61, 0x00, 0x09, 0x00, 0x08, 0x00, 0x00,
};

#define WATTLE_WIRE_VXLAN4	28	/* where the VXLAN header is */
#define WATTLE_WIRE_VXLAN6	48
#define WATTLE_WIRE_TYPE4	(WATTLE_WIRE_VXLAN4 + 8 + 12)
#define WATTLE_WIRE_INNER4	(WATTLE_WIRE_VXLAN4 + 8 + 14)
#define WATTLE_WIRE_INNER6	(WATTLE_WIRE_VXLAN6 + 8 + 14)

static int wattle_vxlan_test_init(struct kunit *test)
{
	struct wattle *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	test->priv = w;
	w->dev = alloc_netdev(0, "wattle-test", NET_NAME_UNKNOWN, ether_setup);
	if (!w->dev)
		goto err_free;
	w->dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!w->dev->tstats)
		goto err_dev;
	w->net = &init_net;
	w->opt.port = WATTLE_PORT;
	w->opt.ttl = 64;
	w->family = AF_INET;
	return 0;

err_dev:
	free_netdev(w->dev);
err_free:
	kfree(w);
	return -ENOMEM;
}

static void wattle_vxlan_test_exit(struct kunit *test)
{
	struct wattle *w = test->priv;

	free_percpu(w->dev->tstats);
	free_netdev(w->dev);
	kfree(w);
}

/* As UDP hands it on: at the UDP header. @linear: what of it is in the linear area. */
static struct sk_buff *wattle_vxlan_packet(const u8 *bytes, unsigned int len, unsigned int linear)
{
	unsigned int hlen = bytes[0] >> 4 == 6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	struct sk_buff *skb = alloc_skb(linear + 128, GFP_KERNEL);
	struct page *page;

	if (!skb)
		return NULL;
	skb_reserve(skb, 128);
	skb_reset_network_header(skb);
	skb_put_data(skb, bytes, linear);
	skb->protocol = htons(hlen == sizeof(struct ipv6hdr) ? ETH_P_IPV6 : ETH_P_IP);
	if (linear < len) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			kfree_skb(skb);
			return NULL;
		}
		memcpy(page_address(page), bytes + linear, len - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}
	__skb_pull(skb, hlen);
	skb_reset_transport_header(skb);
	return skb;
}

/* Decapsulate; what is left is in @out where that is given. */
static enum wattle_reason wattle_vxlan_take(struct kunit *test, const u8 *bytes, unsigned int len,
					    unsigned int linear, struct wattle_wire *wire,
					    struct sk_buff **out)
{
	struct sk_buff *skb = wattle_vxlan_packet(bytes, len, linear);
	enum wattle_reason reason;

	if (out)
		*out = NULL;
	if (!skb) {
		KUNIT_FAIL(test, "no memory");
		return WATTLE_REASON_NO_MEMORY;
	}
	memset(wire, 0, sizeof(*wire));
	rcu_read_lock();
	local_bh_disable();
	reason = wattle_vxlan_decap(test->priv, skb, wire);
	local_bh_enable();
	rcu_read_unlock();
	if (out)
		*out = skb;
	else
		kfree_skb(skb);
	return reason;
}

static void wattle_vxlan_expect(struct kunit *test, const u8 *bytes, unsigned int len,
				unsigned int linear, unsigned int inner, u32 identity)
{
	struct wattle *w = test->priv;
	struct wattle_wire wire;
	enum wattle_reason reason;
	struct sk_buff *skb;
	u8 left[64];

	reason = wattle_vxlan_take(test, bytes, len, linear, &wire, &skb);
	KUNIT_EXPECT_EQ_MSG(test, (int)reason, 0, "linear %u", linear);
	if (!skb)
		return;
	KUNIT_EXPECT_EQ(test, wire.identity, identity);
	KUNIT_EXPECT_EQ(test, skb->len, len - inner);
	KUNIT_EXPECT_GE(test, skb_headlen(skb), 20u);
	KUNIT_EXPECT_EQ(test, skb_network_offset(skb), 0);
	KUNIT_EXPECT_EQ(test, skb_mac_offset(skb), -ETH_HLEN);
	KUNIT_EXPECT_TRUE(test, !memcmp(eth_hdr(skb), bytes + inner - ETH_HLEN, ETH_HLEN));
	KUNIT_EXPECT_TRUE(test, skb->dev == w->dev);
	KUNIT_EXPECT_EQ(test, skb->protocol, eth_hdr(skb)->h_proto);
	KUNIT_EXPECT_EQ(test, (int)skb->pkt_type, PACKET_HOST);
	if (skb->len <= sizeof(left)) {
		KUNIT_EXPECT_EQ(test, skb_copy_bits(skb, 0, left, skb->len), 0);
		KUNIT_EXPECT_TRUE(test, !memcmp(left, bytes + inner, skb->len));
	}
	kfree_skb(skb);
}

static void wattle_vxlan_test_plain(struct kunit *test)
{
	struct in6_addr node4 = {}, node6 = {};
	struct wattle_wire wire;
	unsigned int linear;

	/* Wherever the linear area ends behind UDP. */
	for (linear = 28; linear <= sizeof(wattle_wire4); linear++)
		wattle_vxlan_expect(test, wattle_wire4, sizeof(wattle_wire4), linear,
				    WATTLE_WIRE_INNER4, 301);
	for (linear = 48; linear <= sizeof(wattle_wire6); linear++)
		wattle_vxlan_expect(test, wattle_wire6, sizeof(wattle_wire6), linear,
				    WATTLE_WIRE_INNER6, 0x123456);

	wattle_addr_set_v4(&node4, htonl(0xc0000201));
	wattle_vxlan_take(test, wattle_wire4, sizeof(wattle_wire4), 28, &wire, NULL);
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&wire.saddr, &node4));
	KUNIT_EXPECT_EQ(test, wire.ecn, (u8)0);
	memcpy(&node6, wattle_wire6 + 8, sizeof(node6));
	wattle_vxlan_take(test, wattle_wire6, sizeof(wattle_wire6), 48, &wire, NULL);
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&wire.saddr, &node6));
}

static void wattle_vxlan_test_short(struct kunit *test)
{
	struct wattle_wire wire;
	unsigned int len;

	for (len = 28; len < sizeof(wattle_wire4); len++) {
		enum wattle_reason want = WATTLE_REASON_NONE, got;

		if (len < WATTLE_WIRE_VXLAN4 + 8)
			want = WATTLE_REASON_BAD_VXLAN;
		else if (len < WATTLE_WIRE_INNER4 + 20)
			want = WATTLE_REASON_BAD_FRAME;
		got = wattle_vxlan_take(test, wattle_wire4, len, len, &wire, NULL);
		KUNIT_EXPECT_EQ_MSG(test, (int)got, (int)want, "length %u", len);
		got = wattle_vxlan_take(test, wattle_wire4, len, 28, &wire, NULL);
		KUNIT_EXPECT_EQ_MSG(test, (int)got, (int)want, "length %u, in a page", len);
	}
}

/* Inner frames that are not plain IP. */
static void wattle_vxlan_test_frame(struct kunit *test)
{
	static const u16 types[] = {
		0x0806, 0x8100, 0x88a8, 0x8847, 0x8863, 0x0000, 0x05dc, 0xffff,
	};
	u8 bytes[sizeof(wattle_wire4)];
	struct wattle_wire wire;
	unsigned int i;

	memcpy(bytes, wattle_wire4, sizeof(bytes));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		bytes[WATTLE_WIRE_TYPE4] = types[i] >> 8;
		bytes[WATTLE_WIRE_TYPE4 + 1] = types[i];
		KUNIT_EXPECT_EQ_MSG(test, (int)wattle_vxlan_take(test, bytes, sizeof(bytes),
								 sizeof(bytes), &wire, NULL),
				    (int)WATTLE_REASON_BAD_FRAME, "type %04x", types[i]);
	}
}

/* The rules of INTERFACE and of the kernel's vxlan, written down a second time. */
static enum wattle_reason wattle_vxlan_oracle(const struct wattle *w, u32 flags, u32 vni,
					      u32 *identity)
{
	u32 allowed = 0x08000000;

	*identity = 0;
	if (w->opt.mode == WATTLE_MODE_GBP)
		allowed |= 0x80000000 | 0x00400000 | 0x00080000 | 0xffff;
	if (!(flags & 0x08000000) || flags & ~allowed || vni & 0xff)
		return WATTLE_REASON_BAD_VXLAN;
	if (w->opt.mode == WATTLE_MODE_IDENTITY) {
		*identity = vni >> 8;
		return WATTLE_REASON_NONE;
	}
	if (vni >> 8 != w->opt.vni)
		return WATTLE_REASON_WRONG_VNI;
	if (w->opt.mode == WATTLE_MODE_GBP && flags & 0x80000000)
		*identity = flags & 0xffff;
	return WATTLE_REASON_NONE;
}

static void wattle_vxlan_header_is(struct kunit *test, u32 flags, u32 vni)
{
	struct wattle *w = test->priv;
	u8 bytes[sizeof(wattle_wire4)];
	enum wattle_reason want, got;
	struct wattle_wire wire;
	u32 identity;

	memcpy(bytes, wattle_wire4, sizeof(bytes));
	put_unaligned_be32(flags, bytes + WATTLE_WIRE_VXLAN4);
	put_unaligned_be32(vni, bytes + WATTLE_WIRE_VXLAN4 + 4);
	want = wattle_vxlan_oracle(w, flags, vni, &identity);
	got = wattle_vxlan_take(test, bytes, sizeof(bytes), sizeof(bytes), &wire, NULL);
	KUNIT_EXPECT_EQ_MSG(test, (int)got, (int)want, "mode %u flags %08x vni %08x", w->opt.mode,
			    flags, vni);
	if (!want && !got)
		KUNIT_EXPECT_EQ_MSG(test, wire.identity, identity, "mode %u flags %08x vni %08x",
				    w->opt.mode, flags, vni);
}

/* Every bit by itself, then bits at random. */
static void wattle_vxlan_test_header(struct kunit *test)
{
	struct wattle *w = test->priv;
	struct wattle_random random;
	unsigned int i, mode;

	wattle_random_begin(test, &random);
	w->opt.vni = 77;
	for (mode = WATTLE_MODE_IDENTITY; mode <= WATTLE_MODE_PLAIN; mode++) {
		w->opt.mode = mode;
		wattle_vxlan_header_is(test, 0, 77 << 8);
		for (i = 0; i < 32; i++) {
			wattle_vxlan_header_is(test, 0x08000000 ^ BIT(i), 77 << 8);
			wattle_vxlan_header_is(test, 0x88000000 ^ BIT(i), 77 << 8);
			wattle_vxlan_header_is(test, 0x08000000, 77 << 8 ^ BIT(i));
		}
		for (i = 0; i < 2000; i++) {
			u32 flags = wattle_random(&random), vni = wattle_random(&random);

			if (i & 1)
				flags = (flags & 0x8048ffff) | 0x08000000;
			if (i & 2)
				vni = 77 << 8;
			wattle_vxlan_header_is(test, flags, vni);
		}
	}
}

/* RFC 6040, figure 4, for IPv4 and IPv6 inside; the inner checksum stays right. */
static void wattle_vxlan_test_ecn(struct kunit *test)
{
	static const int merged[4][4] = {	/* [inner][outer]; -1: dropped */
		[INET_ECN_NOT_ECT] = { 0, 0, 0, -1 },
		[INET_ECN_ECT_1] = { 1, 1, 1, 3 },
		[INET_ECN_ECT_0] = { 2, 1, 2, 3 },
		[INET_ECN_CE] = { 3, 3, 3, 3 },
	};
	u8 bytes[sizeof(wattle_wire6)];
	struct wattle_wire wire;
	unsigned int i, o;

	for (i = 0; i < 4; i++) {
		for (o = 0; o < 4; o++) {
			enum wattle_reason got;
			struct sk_buff *skb;

			memcpy(bytes, wattle_wire4, sizeof(wattle_wire4));
			bytes[1] = o;
			bytes[WATTLE_WIRE_INNER4 + 1] = 0xb8 | i;
			ip_send_check((struct iphdr *)(bytes + WATTLE_WIRE_INNER4));
			got = wattle_vxlan_take(test, bytes, sizeof(wattle_wire4), 28, &wire, &skb);
			KUNIT_EXPECT_EQ_MSG(test, got == WATTLE_REASON_BAD_ECN, merged[i][o] < 0,
					    "inner %u outer %u", i, o);
			if (skb && !got) {
				KUNIT_EXPECT_EQ_MSG(test, (int)ip_hdr(skb)->tos,
						    0xb8 | merged[i][o], "inner %u outer %u", i, o);
				KUNIT_EXPECT_EQ(test, (int)ip_fast_csum(ip_hdr(skb), 5), 0);
			}
			kfree_skb(skb);

			memcpy(bytes, wattle_wire6, sizeof(bytes));
			bytes[1] = o << 4;
			bytes[WATTLE_WIRE_INNER6] = 0x60 | 0xb8 >> 4;
			bytes[WATTLE_WIRE_INNER6 + 1] = (0x8 | i) << 4 | 0xf;
			got = wattle_vxlan_take(test, bytes, sizeof(bytes), 48, &wire, &skb);
			KUNIT_EXPECT_EQ_MSG(test, got == WATTLE_REASON_BAD_ECN, merged[i][o] < 0,
					    "IPv6, inner %u outer %u", i, o);
			if (skb && !got) {
				KUNIT_EXPECT_EQ_MSG(test, (int)ipv6_get_dsfield(ipv6_hdr(skb)),
						    0xb8 | merged[i][o], "IPv6, inner %u outer %u",
						    i, o);
				KUNIT_EXPECT_EQ(test, (int)(ip6_flowlabel(ipv6_hdr(skb)) >>
							    16), 0);
				KUNIT_EXPECT_EQ(test, skb->data[1] & 0xf, 0xf);
			}
			kfree_skb(skb);
		}
	}
}

/* A mark is set in memory of our own: who holds a clone does not see it. */
static void wattle_vxlan_test_clone(struct kunit *test)
{
	u8 bytes[sizeof(wattle_wire4)];
	struct sk_buff *skb, *clone;
	struct wattle_wire wire;

	memcpy(bytes, wattle_wire4, sizeof(bytes));
	bytes[1] = INET_ECN_CE;
	bytes[WATTLE_WIRE_INNER4 + 1] = INET_ECN_ECT_0;
	skb = wattle_vxlan_packet(bytes, sizeof(bytes), sizeof(bytes));
	KUNIT_ASSERT_NOT_NULL(test, skb);
	clone = skb_clone(skb, GFP_KERNEL);
	rcu_read_lock();
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, (int)wattle_vxlan_decap(test->priv, skb, &wire), 0);
	local_bh_enable();
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, (int)ip_hdr(skb)->tos, INET_ECN_CE);
	if (clone)
		KUNIT_EXPECT_EQ(test, (int)clone->data[8 + 8 + 14 + 1], INET_ECN_ECT_0);
	kfree_skb(clone);
	kfree_skb(skb);
}

/* Any bytes: a reason or a packet, and never a look outside of it (KASAN watches). */
static void wattle_vxlan_test_random(struct kunit *test)
{
	struct wattle *w = test->priv;
	struct wattle_random random;
	unsigned int i, j, passed = 0;
	u8 bytes[160];

	wattle_random_begin(test, &random);
	for (i = 0; i < 20000; i++) {
		bool v6 = wattle_random_below(&random, 2);
		unsigned int from = v6 ? 48 : 28;
		unsigned int len = from + wattle_random_below(&random, sizeof(bytes) - from);
		struct wattle_wire wire;
		enum wattle_reason reason;
		struct sk_buff *skb;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, v6 ? wattle_wire6 : wattle_wire4,
		       v6 ? sizeof(wattle_wire6) : sizeof(wattle_wire4));
		for (j = wattle_random_below(&random, 6); j; j--)
			bytes[from + wattle_random_below(&random, sizeof(bytes) - from)] =
				wattle_random(&random);
		bytes[1] = wattle_random(&random) & 0x33;
		w->opt.mode = wattle_random_below(&random, 3);
		w->opt.vni = wattle_random_below(&random, 2) ? 301 : 0x123456;
		reason = wattle_vxlan_take(test, bytes, len,
					   from + wattle_random_below(&random, len - from + 1),
					   &wire, &skb);
		if (skb && !reason) {
			passed++;
			KUNIT_EXPECT_TRUE(test, skb->protocol == htons(ETH_P_IP) ||
					  skb->protocol == htons(ETH_P_IPV6) ||
					  (skb->protocol == htons(ETH_P_ARP) &&
					   wattle_vxlan_asks(w)));
			KUNIT_EXPECT_GE(test, skb_headlen(skb), 20u);
			KUNIT_EXPECT_EQ(test, skb->len + from + 22, len);
		}
		kfree_skb(skb);
	}
	KUNIT_EXPECT_GT(test, passed, 100u);
}

/* Out -------------------------------------------------------------------------------- */

/* A packet as wattle_vxlan_xmit_direct() makes it, but for the checksum of UDP. */
static struct sk_buff *wattle_vxlan_made(struct kunit *test, const u8 *want, unsigned int len,
					 u8 tos, u32 identity, struct wattle_path *path)
{
	bool v6 = want[0] >> 4 == 6;
	unsigned int inner = v6 ? WATTLE_WIRE_INNER6 : WATTLE_WIRE_INNER4;
	struct wattle *w = test->priv;
	struct wattle_node node = {};
	struct in6_addr local = {}, remote = {};
	struct wattle_header *rest;
	u8 lladdr[ETH_ALEN];
	struct sk_buff *skb;

	memset(path, 0, sizeof(*path));
	path->mode = w->opt.mode;
	skb = alloc_skb(len + 64, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, 64 + inner);
	skb_put_data(skb, want + inner, len - inner);
	if (v6) {
		memcpy(&local, want + 8, sizeof(local));
		memcpy(&remote, want + 24, sizeof(remote));
		wattle_vxlan_lladdr(&local, lladdr);
		eth_hw_addr_set(w->dev, lladdr);
		wattle_path_prepare6(w, path, &local, &remote);
		wattle_path_prepare_rest(w, &node, &remote, &path->v6.rest);
		wattle_vxlan_push6(path, skb, tos, &rest);
	} else {
		wattle_addr_set_v4(&local, htonl(0xc0000201));
		wattle_addr_set_v4(&remote, htonl(0xc0000202));
		wattle_vxlan_lladdr(&local, lladdr);
		eth_hw_addr_set(w->dev, lladdr);
		wattle_path_prepare4(w, path, wattle_addr_v4(&local), wattle_addr_v4(&remote));
		wattle_path_prepare_rest(w, &node, &remote, &path->v4.rest);
		wattle_vxlan_push4(path, skb, tos, &rest);
	}
	rest->udp.source = htons(0xc123);
	rest->udp.len = htons(skb->len - skb_transport_offset(skb));
	wattle_vxlan_set_identity(path, &rest->vxlan, identity);
	rest->eth.h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6)
		rest->udp.check = htons(0x1234);
	return skb;
}

static void wattle_vxlan_test_made(struct kunit *test)
{
	struct wattle_path *path = kzalloc(sizeof(*path), GFP_KERNEL);
	struct sk_buff *skb;
	unsigned int tos;

	KUNIT_ASSERT_NOT_NULL(test, path);
	skb = wattle_vxlan_made(test, wattle_wire4, sizeof(wattle_wire4), 0, 301, path);
	if (skb) {
		KUNIT_EXPECT_EQ(test, skb->len, (unsigned int)sizeof(wattle_wire4));
		KUNIT_EXPECT_TRUE(test, !memcmp(skb->data, wattle_wire4, sizeof(wattle_wire4)));
		KUNIT_EXPECT_EQ(test, skb_transport_offset(skb), 20);
		KUNIT_EXPECT_EQ(test, skb->protocol, htons(ETH_P_IP));
	}
	kfree_skb(skb);
	skb = wattle_vxlan_made(test, wattle_wire6, sizeof(wattle_wire6), 0, 0x123456, path);
	if (skb) {
		KUNIT_EXPECT_EQ(test, skb->len, (unsigned int)sizeof(wattle_wire6));
		KUNIT_EXPECT_TRUE(test, !memcmp(skb->data, wattle_wire6, sizeof(wattle_wire6)));
		KUNIT_EXPECT_EQ(test, skb_transport_offset(skb), 40);
		KUNIT_EXPECT_EQ(test, skb->protocol, htons(ETH_P_IPV6));
	}
	kfree_skb(skb);

	/* The IPv4 checksum is made of parts: it must be right for all of them. */
	for (tos = 0; tos < 4; tos++) {
		unsigned int len;

		for (len = 50; len <= sizeof(wattle_wire4); len++) {
			skb = wattle_vxlan_made(test, wattle_wire4, len, tos, 301, path);
			if (!skb)
				continue;
			KUNIT_EXPECT_EQ(test, (int)ip_fast_csum(ip_hdr(skb), 5), 0);
			KUNIT_EXPECT_EQ(test, ntohs(ip_hdr(skb)->tot_len), (u16)len);
			KUNIT_EXPECT_EQ(test, (unsigned int)ip_hdr(skb)->tos, tos);
			kfree_skb(skb);
		}
	}
	kfree(path);
}

static void wattle_vxlan_test_identity(struct kunit *test)
{
	struct wattle_path *path = kzalloc(sizeof(*path), GFP_KERNEL);
	struct vxlanhdr vh;

	KUNIT_ASSERT_NOT_NULL(test, path);
	path->mode = WATTLE_MODE_IDENTITY;
	vh = (struct vxlanhdr){ VXLAN_HF_VNI, 0 };
	wattle_vxlan_set_identity(path, &vh, 0xabcdef);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_flags), 0x08000000u);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_vni), 0xabcdef00u);

	path->mode = WATTLE_MODE_GBP;
	vh = (struct vxlanhdr){ VXLAN_HF_VNI, htonl(77 << 8) };
	wattle_vxlan_set_identity(path, &vh, 0xffff);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_flags), 0x8800ffffu);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_vni), 77u << 8);

	/* Must not look like another identity. */
	vh = (struct vxlanhdr){ VXLAN_HF_VNI, htonl(77 << 8) };
	wattle_vxlan_set_identity(path, &vh, 0x10100);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_flags), 0x08000000u);

	path->mode = WATTLE_MODE_PLAIN;
	vh = (struct vxlanhdr){ VXLAN_HF_VNI, htonl(77 << 8) };
	wattle_vxlan_set_identity(path, &vh, 301);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_flags), 0x08000000u);
	KUNIT_EXPECT_EQ(test, ntohl(vh.vx_vni), 77u << 8);
	kfree(path);
}

/* The source port: in range, the same for a flow, and spread. */
static void wattle_vxlan_test_source_port(struct kunit *test)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	struct wattle_random random;
	unsigned long *seen;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	seen = bitmap_zalloc(16384, GFP_KERNEL);
	wattle_random_begin(test, &random);
	for (i = 0; seen && i < 65536; i++) {
		u32 hash = wattle_random(&random) | 1;
		u16 port;

		__skb_set_sw_hash(skb, hash, true);
		port = ntohs(wattle_vxlan_source_port(skb));
		KUNIT_EXPECT_GE(test, port, (u16)0xc000);
		KUNIT_EXPECT_EQ(test, port, ntohs(wattle_vxlan_source_port(skb)));
		__set_bit(port & 0x3fff, seen);
	}
	/* 65536 throws at 16384: all but some 300 are hit by chance. */
	if (seen)
		KUNIT_EXPECT_GT(test, bitmap_weight(seen, 16384), 15500);
	bitmap_free(seen);
	kfree_skb(skb);
}

static struct kunit_case wattle_vxlan_cases[] = {
	KUNIT_CASE(wattle_vxlan_test_plain),
	KUNIT_CASE(wattle_vxlan_test_short),
	KUNIT_CASE(wattle_vxlan_test_frame),
	KUNIT_CASE(wattle_vxlan_test_header),
	KUNIT_CASE(wattle_vxlan_test_ecn),
	KUNIT_CASE(wattle_vxlan_test_clone),
	KUNIT_CASE(wattle_vxlan_test_random),
	KUNIT_CASE(wattle_vxlan_test_made),
	KUNIT_CASE(wattle_vxlan_test_identity),
	KUNIT_CASE(wattle_vxlan_test_source_port),
	{}
};

struct kunit_suite wattle_vxlan_suite = {
	.name = "wattle_vxlan",
	.init = wattle_vxlan_test_init,
	.exit = wattle_vxlan_test_exit,
	.test_cases = wattle_vxlan_cases,
};
