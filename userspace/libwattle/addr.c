// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"

static const struct {
	const char *name;
	uint8_t proto;
} wattle_protos[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
};

#define WATTLE_PROTO_COUNT (sizeof(wattle_protos) / sizeof(wattle_protos[0]))

int wattle_addr_set(struct wattle_addr *addr, const void *bytes, size_t len)
{
	if (len != 4 && len != 16)
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	addr->len = len;
	memcpy(addr->bytes, bytes, len);
	return 0;
}

int wattle_addr_parse(struct wattle_addr *addr, const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->bytes) == 1) {
		addr->len = 4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, addr->bytes) != 1)
		return -EINVAL;
	addr->len = 16;
	return memcmp(addr->bytes, mapped, sizeof(mapped)) ? 0 : -EAFNOSUPPORT;
}

bool wattle_addr_equal(const struct wattle_addr *a, const struct wattle_addr *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* As kmod/change.c has it: not unspecified, multicast, broadcast or loopback. */
bool wattle_addr_can_host(const struct wattle_addr *addr)
{
	static const uint8_t none[16], loopback[16] = { [15] = 1 };
	const uint8_t *bytes = addr->bytes;

	if (addr->len == 4)
		return memcmp(bytes, none, 4) && (bytes[0] & 0xf0) != 0xe0 && bytes[0] != 127 &&
		       memcmp(bytes, "\xff\xff\xff\xff", 4);
	return memcmp(bytes, none, 16) && memcmp(bytes, loopback, 16) && bytes[0] != 0xff;
}

bool wattle_prefix_mask(struct wattle_prefix *prefix)
{
	bool set = false;
	int bit;

	for (bit = prefix->len; bit < wattle_addr_bits(&prefix->addr); bit++) {
		uint8_t mask = 0x80 >> (bit % 8);

		set |= prefix->addr.bytes[bit / 8] & mask;
		prefix->addr.bytes[bit / 8] &= ~mask;
	}
	return set;
}

int wattle_prefix_parse(struct wattle_prefix *prefix, const char *text)
{
	const char *slash = strchr(text, '/');
	char addr[WATTLE_ADDR_STRLEN];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;
	int err;

	memset(prefix, 0, sizeof(*prefix));
	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	err = wattle_addr_parse(&prefix->addr, addr);
	if (err)
		return err;
	prefix->len = wattle_addr_bits(&prefix->addr);
	if (!slash)
		return 0;
	if (slash[1] == '0' && slash[2])
		return -ERANGE;
	if (wattle_number_parse(&bits, slash + 1, 0, prefix->len))
		return -ERANGE;
	prefix->len = bits;
	return wattle_prefix_mask(prefix) ? -EDOM : 0;
}

bool wattle_prefix_has(const struct wattle_prefix *prefix, const struct wattle_addr *addr)
{
	struct wattle_prefix cut = { .addr = *addr, .len = prefix->len };

	if (addr->len != prefix->addr.len)
		return false;
	wattle_prefix_mask(&cut);
	return wattle_addr_equal(&cut.addr, &prefix->addr);
}

bool wattle_prefix_equal(const struct wattle_prefix *a, const struct wattle_prefix *b)
{
	return a->len == b->len && wattle_addr_equal(&a->addr, &b->addr);
}

char *wattle_addr_text(char *text, const struct wattle_addr *addr)
{
	if (addr->len != 4 && addr->len != 16)
		snprintf(text, WATTLE_ADDR_STRLEN, "none");
	else
		inet_ntop(addr->len == 4 ? AF_INET : AF_INET6, addr->bytes, text,
			  WATTLE_ADDR_STRLEN);
	return text;
}

char *wattle_prefix_text(char *text, const struct wattle_prefix *prefix)
{
	char addr[WATTLE_ADDR_STRLEN];

	snprintf(text, WATTLE_PREFIX_STRLEN, "%s/%u", wattle_addr_text(addr, &prefix->addr),
		 prefix->len);
	return text;
}

int wattle_prefix_compare(const struct wattle_prefix *a, const struct wattle_prefix *b)
{
	int diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return diff ? diff : a->len - b->len;
}

int wattle_frontend_compare(const struct wattle_frontend *a, const struct wattle_frontend *b)
{
	int diff = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	if (!diff)
		diff = a->port - b->port;
	if (!diff)
		diff = a->proto - b->proto;
	return diff ? diff : a->scope - b->scope;
}

char *wattle_sockaddr_text(char *text, const struct wattle_addr *addr, uint16_t port)
{
	char name[WATTLE_ADDR_STRLEN];

	snprintf(text, WATTLE_SOCKADDR_STRLEN, addr->len == 16 ? "[%s]:%u" : "%s:%u",
		 wattle_addr_text(name, addr), port);
	return text;
}

char *wattle_frontend_text(char *text, const struct wattle_frontend *frontend)
{
	char sockaddr[WATTLE_SOCKADDR_STRLEN];
	char proto[WATTLE_PROTO_STRLEN];

	snprintf(text, WATTLE_FRONTEND_STRLEN, "%s/%s",
		 wattle_sockaddr_text(sockaddr, &frontend->addr, frontend->port),
		 wattle_proto_text(proto, frontend->proto));
	return text;
}

int wattle_proto_parse(uint8_t *proto, const char *text)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < WATTLE_PROTO_COUNT; i++) {
		if (!strcasecmp(text, wattle_protos[i].name)) {
			*proto = wattle_protos[i].proto;
			return 0;
		}
	}
	if (wattle_number_parse(&number, text, 0, 255))
		return -EINVAL;
	*proto = number;
	return 0;
}

char *wattle_proto_text(char *text, uint8_t proto)
{
	size_t i;

	for (i = 0; i < WATTLE_PROTO_COUNT; i++) {
		if (wattle_protos[i].proto == proto) {
			snprintf(text, WATTLE_PROTO_STRLEN, "%s", wattle_protos[i].name);
			return text;
		}
	}
	snprintf(text, WATTLE_PROTO_STRLEN, "%u", proto);
	return text;
}

bool wattle_proto_is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

int wattle_number_parse(uint64_t *number, const char *text, uint64_t min, uint64_t max)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	*number = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *number < min || *number > max)
		return -ERANGE;
	return 0;
}
