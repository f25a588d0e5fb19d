/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the library share, and nobody else sees. */
#ifndef LIBWATTLE_INTERNAL_H
#define LIBWATTLE_INTERNAL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "wattle.h"

#define WATTLE_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define WATTLE_GROUPS_MAX	4

/**
 * struct wattle_sock - one netlink socket
 * @nl: libnl's socket; it opens, binds and resolves, and is not used to receive
 * @family: of generic netlink; 0 for rtnetlink
 * @seq: of the last request
 * @buf: what is received
 * @groups: whose events are wanted
 */
struct wattle_sock {
	struct nl_sock *nl;
	int family;
	uint32_t seq;
	char *buf;
	const char *groups[WATTLE_GROUPS_MAX];
};

#define WATTLE_RECV_SIZE	(256 * 1024)
#define WATTLE_MSG_SIZE		(512 * 1024)	/* of a request, at most */

/* One datagram into @sock->buf: its length, or a negative errno. */
int wattle_recv(struct wattle_sock *sock, int flags);
int wattle_send(struct wattle_sock *sock, const void *data, size_t len);

/*
 * What an NLMSG_ERROR or NLMSG_DONE says: 0, or a negative errno with @err filled in.
 * @request: what it answers, or NULL.
 */
int wattle_error_parse(struct wattle_error *err, const struct nlmsghdr *nlh,
		       const struct nlmsghdr *request);

/* Complete the header of a request that goes out by @sock. */
void wattle_msg_finish(struct wattle_sock *sock, struct nlmsghdr *nlh);

/* A change of @how; SET and REPLACE look the same to the family. */
void wattle_msg_change(struct nl_msg *msg, enum wattle_how how, uint8_t cmd_new, uint8_t cmd_del);

/* Attributes: all return 0 or -EMSGSIZE, so that they can be chained by ||. */
int wattle_put_addr(struct nl_msg *msg, int type, const struct wattle_addr *addr);
int wattle_put_prefix(struct nl_msg *msg, int type, const struct wattle_prefix *prefix);
struct nlattr *wattle_nest_start(struct nl_msg *msg, int type);
int wattle_nest_end(struct nl_msg *msg, struct nlattr *nest);

/*
 * Attributes of @nlh into @tb, which has @max + 1 places; those of a later kernel
 * are skipped. -EBADMSG where it is no message of the family.
 */
int wattle_attrs_parse(const struct nlmsghdr *nlh, struct nlattr **tb, int max);
int wattle_nest_parse(const struct nlattr *nest, struct nlattr **tb, int max);

/* What is missing, or too short, is 0 or empty. */
uint8_t wattle_get_u8(const struct nlattr *attr);
uint16_t wattle_get_u16(const struct nlattr *attr);
uint32_t wattle_get_u32(const struct nlattr *attr);
uint64_t wattle_get_u64(const struct nlattr *attr);
void wattle_get_addr(struct wattle_addr *addr, const struct nlattr *attr);
void wattle_get_prefix(struct wattle_prefix *prefix, const struct nlattr *nest);
void wattle_get_text(char *text, size_t size, const struct nlattr *attr);

int wattle_rule_put(struct nl_msg *msg, int type, const struct wattle_rule *rule);
void wattle_rule_get(struct wattle_rule *rule, const struct nlattr *nest);

/* ---- names of attributes ---- */

struct wattle_attrs;

struct wattle_attr {
	const char *name;
	const struct wattle_attrs *nested;
};

struct wattle_attrs {
	unsigned int count;
	const struct wattle_attr *attr;
};

/*
 * The name of what stands at @offset of @request, or of what is missing there: type
 * @missing of the nest at @nest (0: of the message). False where there is no name.
 */
bool wattle_attr_at(const struct nlmsghdr *request, uint32_t offset, char *name, size_t size);
bool wattle_attr_missing(const struct nlmsghdr *request, uint32_t nest, uint32_t missing,
			 char *name, size_t size);

#endif /* LIBWATTLE_INTERNAL_H */
