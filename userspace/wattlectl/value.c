// SPDX-License-Identifier: GPL-2.0-only
/* Values: from words to what they mean. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

const char *choice_text(const char *const *choices, uint64_t number)
{
	uint64_t i;

	for (i = 0; choices[i]; i++)
		if (i == number)
			return choices[i];
	return "?";
}

const char *value_meta(const struct param *param, char *text, size_t size)
{
	static const char *const metas[] = {
		[KIND_TEXT] = "TEXT", [KIND_DEV] = "DEV", [KIND_ADDR] = "ADDR",
		[KIND_PREFIX] = "PREFIX", [KIND_NUMBER] = "N", [KIND_PORTS] = "A[-B]",
		[KIND_PROTO] = "tcp|udp|sctp|icmp|icmpv6|N", [KIND_FRONTEND] = "ADDR:PORT/PROTO",
		[KIND_SOCKADDR] = "ADDR:PORT", [KIND_PEER] = "any|id N|PREFIX",
		[KIND_FLAG] = "",
	};
	size_t len = 0;
	int i;

	if (param->meta)
		return param->meta;
	if (param->kind != KIND_CHOICE) {
		snprintf(text, size, "%s", metas[param->kind]);
		return text;
	}
	text[0] = '\0';
	for (i = 0; param->choices[i] && len < size; i++)
		len += snprintf(text + len, size - len, "%s%s", i ? "|" : "", param->choices[i]);
	return text;
}

/* Each returns how many words it took; -1: bad value; -2: words missing. */

static int parse_text(struct value *value, const struct param *param, const char *word,
		      char *why, size_t size)
{
	const unsigned char *c;

	(void)value;
	if (!*word) {
		snprintf(why, size, "is empty");
		return -1;
	}
	if (strlen(word) > param->max) {
		snprintf(why, size, "\"%.32s%s\" is longer than %u bytes", word,
			 strlen(word) > 32 ? "..." : "", (unsigned int)param->max);
		return -1;
	}
	for (c = (const unsigned char *)word; *c; c++) {
		if (*c < 0x20 || *c == 0x7f) {
			snprintf(why, size, "has a control character in it");
			return -1;
		}
	}
	return 1;
}

static int parse_dev(const char *word, char *why, size_t size)
{
	if (*word && strlen(word) < IFNAMSIZ && strcmp(word, ".") && strcmp(word, "..") &&
	    !strpbrk(word, "/: \t\n"))
		return 1;
	snprintf(why, size, "\"%.32s\" is not the name of a network device", word);
	return -1;
}

static int parse_addr(struct wattle_addr *addr, const char *word, char *why, size_t size)
{
	switch (wattle_addr_parse(addr, word)) {
	case 0:
		return 1;
	case -EAFNOSUPPORT:
		snprintf(why, size, "%.64s is an IPv4 address mapped into IPv6: write it as IPv4",
			 word);
		return -1;
	default:
		snprintf(why, size, "%.64s is not an IPv4 or IPv6 address", word);
		return -1;
	}
}

static int parse_prefix(struct wattle_prefix *prefix, const char *word, char *why, size_t size)
{
	char text[WATTLE_PREFIX_STRLEN];

	switch (wattle_prefix_parse(prefix, word)) {
	case 0:
		return 1;
	case -EAFNOSUPPORT:
		snprintf(why, size, "%.64s is IPv4 mapped into IPv6: write it as IPv4", word);
		return -1;
	case -ERANGE:
		snprintf(why, size, "%.64s: the length of the prefix is 0 to %d", word,
			 wattle_addr_bits(&prefix->addr));
		return -1;
	case -EDOM:
		snprintf(why, size, "%.64s has bits set beyond its length: %s?", word,
			 wattle_prefix_text(text, prefix));
		return -1;
	default:
		snprintf(why, size, "%.64s is not an IPv4 or IPv6 prefix", word);
		return -1;
	}
}

static int parse_number(struct value *value, const struct param *param, const char *word,
			char *why, size_t size)
{
	uint64_t max = param->max ? param->max : UINT32_MAX;

	switch (wattle_number_parse(&value->number, word, param->min, max)) {
	case 0:
		return 1;
	case -ERANGE:
		snprintf(why, size, "%.32s is not from %llu to %llu", word,
			 (unsigned long long)param->min, (unsigned long long)max);
		return -1;
	default:
		snprintf(why, size, "%.32s is not a number", word);
		return -1;
	}
}

static int parse_port(uint16_t *port, const char *word, char *why, size_t size)
{
	uint64_t number;

	switch (wattle_number_parse(&number, word, 1, UINT16_MAX)) {
	case 0:
		*port = number;
		return 1;
	case -ERANGE:
		snprintf(why, size, "port %.32s is not from 1 to 65535", word);
		return -1;
	default:
		snprintf(why, size, "%.32s is not a port", word);
		return -1;
	}
}

static int parse_ports(struct value *value, const char *word, char *why, size_t size)
{
	const char *dash = strchr(word, '-');
	size_t len = dash ? (size_t)(dash - word) : strlen(word);
	char low[16];

	if (len >= sizeof(low)) {
		snprintf(why, size, "%.32s is not a port", word);
		return -1;
	}
	snprintf(low, sizeof(low), "%.*s", (int)len, word);
	if (parse_port(&value->ports[0], low, why, size) < 0)
		return -1;
	value->ports[1] = value->ports[0];
	if (dash && parse_port(&value->ports[1], dash + 1, why, size) < 0)
		return -1;
	if (value->ports[1] >= value->ports[0])
		return 1;
	snprintf(why, size, "%.32s: the range ends before it begins", word);
	return -1;
}

/* ADDR:PORT or [ADDR6]:PORT, and /PROTO where @proto. */
static int parse_sockaddr(struct wattle_frontend *out, bool proto, const char *word, char *why,
			  size_t size)
{
	const char *form = proto ? "ADDR:PORT/PROTO or [ADDR6]:PORT/PROTO" :
				   "ADDR:PORT or [ADDR6]:PORT";
	char text[128], *addr = text, *port, *slash;

	if (snprintf(text, sizeof(text), "%s", word) >= (int)sizeof(text))
		goto form;
	slash = strchr(text, '/');
	if (!slash != !proto)
		goto form;
	if (slash)
		*slash++ = '\0';
	if (*addr == '[') {
		addr++;
		port = strchr(addr, ']');
		if (!port || port[1] != ':')
			goto form;
		*port++ = '\0';
	} else {
		port = strchr(addr, ':');
		if (!port || strchr(port + 1, ':'))
			goto form;
	}
	*port++ = '\0';
	if (parse_addr(&out->addr, addr, why, size) < 0)
		return -1;
	if ((out->addr.len == 16) != (addr != text))
		goto form;
	if (parse_port(&out->port, port, why, size) < 0)
		return -1;
	if (!slash || !wattle_proto_parse(&out->proto, slash))
		return 1;
	snprintf(why, size, "%.32s is not a protocol", slash);
	return -1;
form:
	snprintf(why, size, "%.80s is not %s", word, form);
	return -1;
}

static int parse_peer(struct value *value, int argc, char **argv, char *why, size_t size)
{
	static const struct param id = { .kind = KIND_NUMBER, .max = UINT32_MAX };
	struct value number;

	memset(&value->peer, 0, sizeof(value->peer));
	if (!strcmp(argv[0], "any")) {
		value->peer.kind = WATTLE_PEER_KIND_ANY;
		return 1;
	}
	if (strcmp(argv[0], "id")) {
		value->peer.kind = WATTLE_PEER_KIND_PREFIX;
		return parse_prefix(&value->peer.prefix, argv[0], why, size);
	}
	if (argc < 2) {
		snprintf(why, size, "the number of the identity is missing");
		return -2;
	}
	if (parse_number(&number, &id, argv[1], why, size) < 0)
		return -1;
	/* 0 is anybody. */
	value->peer.kind = number.number ? WATTLE_PEER_KIND_IDENTITY : WATTLE_PEER_KIND_ANY;
	value->peer.id = number.number;
	return 2;
}

static int parse_choice(struct value *value, const struct param *param, const char *word,
			char *why, size_t size)
{
	char meta[128];
	int i;

	for (i = 0; param->choices[i]; i++) {
		if (!strcmp(param->choices[i], word)) {
			value->number = i;
			return 1;
		}
	}
	snprintf(why, size, "%.32s is not %s", word, value_meta(param, meta, sizeof(meta)));
	return -1;
}

int value_parse(struct value *value, const struct param *param, int argc, char **argv,
		char *why, size_t size)
{
	uint8_t proto;

	switch (param->kind) {
	case KIND_TEXT:
		return parse_text(value, param, argv[0], why, size);
	case KIND_DEV:
		return parse_dev(argv[0], why, size);
	case KIND_ADDR:
		return parse_addr(&value->addr, argv[0], why, size);
	case KIND_PREFIX:
		return parse_prefix(&value->prefix, argv[0], why, size);
	case KIND_NUMBER:
		return parse_number(value, param, argv[0], why, size);
	case KIND_PORTS:
		return parse_ports(value, argv[0], why, size);
	case KIND_PROTO:
		if (!wattle_proto_parse(&proto, argv[0])) {
			value->number = proto;
			return 1;
		}
		snprintf(why, size, "%.32s is not a protocol", argv[0]);
		return -1;
	case KIND_FRONTEND:
		return parse_sockaddr(&value->frontend, true, argv[0], why, size);
	case KIND_SOCKADDR:
		return parse_sockaddr(&value->frontend, false, argv[0], why, size);
	case KIND_PEER:
		return parse_peer(value, argc, argv, why, size);
	case KIND_CHOICE:
		return parse_choice(value, param, argv[0], why, size);
	case KIND_FLAG:
		value->number = 1;
		return 1;
	}
	return -1;
}
