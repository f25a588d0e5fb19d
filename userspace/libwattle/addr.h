/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of both families, prefixes, protocols: to and from text. */
#ifndef LIBWATTLE_ADDR_H
#define LIBWATTLE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @len: 4 or 16 bytes, as on the wire; 0 where there is none. */
struct wattle_addr {
	uint8_t len;
	uint8_t bytes[16];
};

/* @len: in bits, of the address's own family. */
struct wattle_prefix {
	struct wattle_addr addr;
	uint8_t len;
};

/* A service's address; @port in host byte order, @scope as in enum wattle_scope. */
struct wattle_frontend {
	struct wattle_addr addr;
	uint16_t port;
	uint8_t proto;
	uint8_t scope;
};

#define WATTLE_ADDR_STRLEN	48
#define WATTLE_PREFIX_STRLEN	52
#define WATTLE_SOCKADDR_STRLEN	56
#define WATTLE_FRONTEND_STRLEN	64
#define WATTLE_PROTO_STRLEN	8

static inline int wattle_addr_bits(const struct wattle_addr *addr)
{
	return addr->len * 8;
}

/* -EINVAL: no address; -EAFNOSUPPORT: IPv4 mapped into IPv6. */
int wattle_addr_parse(struct wattle_addr *addr, const char *text);
/* -EINVAL where @len is neither 4 nor 16. */
int wattle_addr_set(struct wattle_addr *addr, const void *bytes, size_t len);
bool wattle_addr_equal(const struct wattle_addr *a, const struct wattle_addr *b);
/* Nodes, pods and backends have no other: the kernel refuses what this does. */
bool wattle_addr_can_host(const struct wattle_addr *addr);

/*
 * A prefix without length is one address. As above, and -ERANGE: no such
 * length; -EDOM: bits are set behind the length, @prefix is what it would be
 * without them.
 */
int wattle_prefix_parse(struct wattle_prefix *prefix, const char *text);
/* Clears the bits behind the length; true where any were set. */
bool wattle_prefix_mask(struct wattle_prefix *prefix);
bool wattle_prefix_has(const struct wattle_prefix *prefix, const struct wattle_addr *addr);
bool wattle_prefix_equal(const struct wattle_prefix *a, const struct wattle_prefix *b);

/* Any order that is always the same; by family first. */
int wattle_prefix_compare(const struct wattle_prefix *a, const struct wattle_prefix *b);
/* The same of frontends: those that only their scope tells apart are neighbours. */
int wattle_frontend_compare(const struct wattle_frontend *a, const struct wattle_frontend *b);

/* Text into @text, which is returned. Sizes as above. The scope of a frontend is not in it. */
char *wattle_addr_text(char *text, const struct wattle_addr *addr);
char *wattle_prefix_text(char *text, const struct wattle_prefix *prefix);
char *wattle_sockaddr_text(char *text, const struct wattle_addr *addr, uint16_t port);
char *wattle_frontend_text(char *text, const struct wattle_frontend *frontend);

/* "tcp" or "6"; -EINVAL. */
int wattle_proto_parse(uint8_t *proto, const char *text);
char *wattle_proto_text(char *text, uint8_t proto);
bool wattle_proto_is_icmp(uint8_t proto);

/* Decimal, hexadecimal with 0x; nothing else, no sign, no space. -EINVAL, -ERANGE. */
int wattle_number_parse(uint64_t *number, const char *text, uint64_t min, uint64_t max);

#endif /* LIBWATTLE_ADDR_H */
