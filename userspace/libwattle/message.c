// SPDX-License-Identifier: GPL-2.0-only
/* Messages and the attributes in them. */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "internal.h"

struct nl_msg *wattle_msg_alloc(void)
{
	return nlmsg_alloc_size(WATTLE_MSG_SIZE);
}

void wattle_msg_begin(struct nl_msg *msg, uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr ghdr = { .cmd = cmd, .version = WATTLE_GENL_VERSION };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	memset(nlh, 0, sizeof(*nlh));
	nlh->nlmsg_len = NLMSG_HDRLEN;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlmsg_append(msg, &ghdr, sizeof(ghdr), NLMSG_ALIGNTO);
}

void wattle_msg_change(struct nl_msg *msg, enum wattle_how how, uint8_t cmd_new, uint8_t cmd_del)
{
	switch (how) {
	case WATTLE_ADD:
		wattle_msg_begin(msg, cmd_new, NLM_F_CREATE | NLM_F_EXCL);
		break;
	case WATTLE_REPLACE:
		wattle_msg_begin(msg, cmd_new, NLM_F_CREATE | NLM_F_REPLACE);
		break;
	case WATTLE_SET:
		wattle_msg_begin(msg, cmd_new, NLM_F_REPLACE);
		break;
	case WATTLE_DEL:
		wattle_msg_begin(msg, cmd_del, 0);
		break;
	}
}

uint8_t wattle_msg_cmd(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *ghdr = NLMSG_DATA(nlh);

	return nlh->nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN ? ghdr->cmd : 0;
}

void wattle_msg_finish(struct wattle_sock *sock, struct nlmsghdr *nlh)
{
	if (sock->family)
		nlh->nlmsg_type = sock->family;
	nlh->nlmsg_seq = ++sock->seq;
	nlh->nlmsg_pid = 0;
}

/* ---- out ---- */

struct nlattr *wattle_nest_start(struct nl_msg *msg, int type)
{
	return nla_nest_start(msg, type | NLA_F_NESTED);
}

int wattle_nest_end(struct nl_msg *msg, struct nlattr *nest)
{
	return nla_nest_end(msg, nest) ? -EMSGSIZE : 0;
}

int wattle_put_addr(struct nl_msg *msg, int type, const struct wattle_addr *addr)
{
	return nla_put(msg, type, addr->len, addr->bytes) ? -EMSGSIZE : 0;
}

int wattle_put_prefix(struct nl_msg *msg, int type, const struct wattle_prefix *prefix)
{
	struct nlattr *nest = wattle_nest_start(msg, type);

	if (!nest || wattle_put_addr(msg, WATTLE_A_PREFIX_ADDR, &prefix->addr) ||
	    nla_put_u8(msg, WATTLE_A_PREFIX_LEN, prefix->len))
		return -EMSGSIZE;
	return wattle_nest_end(msg, nest);
}

/* ---- in ---- */

int wattle_attrs_parse(const struct nlmsghdr *nlh, struct nlattr **tb, int max)
{
	const int hdrlen = NLMSG_HDRLEN + GENL_HDRLEN;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (nlh->nlmsg_len < (uint32_t)hdrlen)
		return -EBADMSG;
	if (nla_parse(tb, max, (struct nlattr *)((char *)nlh + hdrlen), nlh->nlmsg_len - hdrlen,
		      NULL))
		return -EBADMSG;
	return 0;
}

int wattle_nest_parse(const struct nlattr *nest, struct nlattr **tb, int max)
{
	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (!nest || nla_parse(tb, max, nla_data(nest), nla_len(nest), NULL))
		return -EBADMSG;
	return 0;
}

static void wattle_get(void *value, size_t size, const struct nlattr *attr)
{
	memset(value, 0, size);
	if (attr && (size_t)nla_len(attr) >= size)
		memcpy(value, nla_data(attr), size);
}

uint8_t wattle_get_u8(const struct nlattr *attr)
{
	uint8_t value;

	wattle_get(&value, sizeof(value), attr);
	return value;
}

uint16_t wattle_get_u16(const struct nlattr *attr)
{
	uint16_t value;

	wattle_get(&value, sizeof(value), attr);
	return value;
}

uint32_t wattle_get_u32(const struct nlattr *attr)
{
	uint32_t value;

	wattle_get(&value, sizeof(value), attr);
	return value;
}

uint64_t wattle_get_u64(const struct nlattr *attr)
{
	uint64_t value;

	wattle_get(&value, sizeof(value), attr);
	return value;
}

void wattle_get_addr(struct wattle_addr *addr, const struct nlattr *attr)
{
	if (!attr || wattle_addr_set(addr, nla_data(attr), nla_len(attr)))
		memset(addr, 0, sizeof(*addr));
}

void wattle_get_prefix(struct wattle_prefix *prefix, const struct nlattr *nest)
{
	struct nlattr *tb[WATTLE_A_PREFIX_MAX + 1];

	memset(prefix, 0, sizeof(*prefix));
	if (wattle_nest_parse(nest, tb, WATTLE_A_PREFIX_MAX))
		return;
	wattle_get_addr(&prefix->addr, tb[WATTLE_A_PREFIX_ADDR]);
	prefix->len = wattle_addr_bits(&prefix->addr);
	if (tb[WATTLE_A_PREFIX_LEN] && wattle_get_u8(tb[WATTLE_A_PREFIX_LEN]) < prefix->len)
		prefix->len = wattle_get_u8(tb[WATTLE_A_PREFIX_LEN]);
}

void wattle_get_text(char *text, size_t size, const struct nlattr *attr)
{
	size_t len = attr ? strnlen(nla_data(attr), nla_len(attr)) : 0;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(text, nla_data(attr), len);
	text[len] = '\0';
}
