/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family: configuration in, tables out.
 *
 * netlink.c has the family, the life of requests and the words that the others
 * share; netlink_config.c takes changes; netlink_show.c answers questions about
 * the tables; netlink_explain.c those about packets, flows and counters. Policies
 * and the table of operations are generated (netlink_gen.c).
 */
#ifndef WATTLE_NETLINK_H
#define WATTLE_NETLINK_H

#include <net/genetlink.h>
#include "decide.h"
#include "netlink_gen.h"
#include "wattle.h"

extern struct genl_family wattle_nl_family;

/* Room for the biggest entry: a service with WATTLE_SOURCES_MAX prefixes of 32 bytes each. */
#define WATTLE_NL_ENTRY_SIZE	SKB_WITH_OVERHEAD(16384)

/*
 * Register and unregister the family. A request may come as soon as init is called,
 * so wattle_of() must work by then. Context: module init and exit.
 */
int wattle_netlink_init(void);
void wattle_netlink_exit(void);

/*
 * Complete the key of the packet that an explain request asks about: where it would
 * be met on this node, and what the hooks would add. Addresses, protocol and ports
 * of @key are given, the rest is zero. Context: RCU reader.
 */
void wattle_key_from_question(struct wattle *w, u64 gen, struct wattle_key *key);

/* ---- shared by the files of the family only ---- */

/* Which attribute tells of a field that the configuration refused. */
struct wattle_nl_field {
	enum wattle_field field;
	u16 attr;
};

/* Find the device of the sender's namespace, hold it, call @fn. */
int wattle_nl_with_device(struct genl_info *info,
			  int (*fn)(struct wattle *w, struct genl_info *info));

/*
 * Fail a request with @err: @message says what would be right, and is static; @attr is what
 * it is about, or NULL.
 */
int wattle_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		     const char *message);

int wattle_nl_no_device(struct netlink_ext_ack *extack);

/* Is attribute @type missing from @tb (of @nest, or NULL for the request)? Then says so. */
bool wattle_nl_lacks(struct netlink_ext_ack *extack, const struct nlattr *nest,
		     struct nlattr **tb, int type, const char *message);

/* How many attributes of @type a request has. */
unsigned int wattle_nl_count(const struct genl_info *info, int type);

/* What the configuration says against a request; returns @err. @nest has the fields, or NULL. */
int wattle_nl_refused(struct genl_info *info, int err, const struct wattle_refusal *why,
		      const struct nlattr *nest, const struct wattle_nl_field *fields,
		      unsigned int count);

/*
 * An address: 4 or 16 bytes. IPv4 mapped into IPv6 is refused: there are two families on
 * the outside, and a length of 104 must not mean the same as one of 8.
 */
int wattle_nl_get_addr(const struct nlattr *attr, struct in6_addr *addr,
		       struct netlink_ext_ack *extack);
int wattle_nl_put_addr(struct sk_buff *skb, int type, const struct in6_addr *addr);

/*
 * A prefix, its length counted within the family. Without @len a host route. No bits
 * may be set beyond the length.
 */
int wattle_nl_get_prefix(const struct nlattr *addr, const struct nlattr *len,
			 struct wattle_prefix *prefix, struct netlink_ext_ack *extack);
int wattle_nl_get_prefix_nest(const struct nlattr *nest, struct wattle_prefix *prefix,
			      struct netlink_ext_ack *extack);
u8 wattle_nl_prefix_len(const struct wattle_prefix *prefix);
int wattle_nl_put_prefix_nest(struct sk_buff *skb, int type, const struct wattle_prefix *prefix);

/* Ports of transport protocols; ICMP has type and code in their place. */
bool wattle_nl_has_ports(u8 proto);

/* @total: what it has counted, or NULL. */
int wattle_nl_put_rule(struct sk_buff *skb, int type, const struct wattle_rule_spec *spec,
		       const char *origin, const struct wattle_rule_total *total);

/* Put nest @type: one direction of a decision. Context: RCU reader. */
int wattle_nl_put_judgement(struct sk_buff *skb, int type, struct wattle_policies *policies,
			    const struct wattle_judgement *judgement);

/* What explain and events tell: a packet, what becomes of it, and how. Context: RCU reader. */
int wattle_nl_put_key(struct sk_buff *skb, const struct wattle_key *key);
int wattle_nl_put_verdict(struct sk_buff *skb, u8 verdict, enum wattle_reason reason);
int wattle_nl_put_decision(struct sk_buff *skb, struct wattle *w,
			   const struct wattle_decision *d);

/* Put what names a frontend, and how many backends it has. */
int wattle_nl_put_frontend(struct sk_buff *skb, const struct wattle_service *service);

/*
 * A reply of one message: begin returns NULL when out of memory; end sends it, or frees it and
 * returns @err where that is not 0.
 */
struct sk_buff *wattle_nl_reply_begin(struct genl_info *info, u8 cmd, size_t size, void **hdr);
int wattle_nl_reply_end(struct genl_info *info, struct sk_buff *skb, void *hdr, int err);

/*
 * Reply with one message of @cmd, of at most @size bytes of attributes. @fill puts
 * them in an RCU read section; its errors are those of the request.
 */
int wattle_nl_reply(struct wattle *w, struct genl_info *info, u8 cmd, size_t size,
		    int (*fill)(struct wattle *w, struct genl_info *info, u64 gen,
				struct sk_buff *skb));

/**
 * struct wattle_nl_dump - what a dump keeps between its messages
 * @w: the device; NULL when it has gone
 * @list: on its @dumps, while @w; under the lock of dumps
 * @walk: of a table, or NULL until one is begun; ended with the dump or the device
 * @cursor: of what is no table
 * @sub: position within the entry that the walk is at
 * @begun: this is not its first message
 * @counted: connections were counted for it
 */
struct wattle_nl_dump {
	struct wattle *w;
	struct list_head list;
	struct wattle_walk *walk;
	struct wattle_cursor cursor;
	u32 sub;
	bool begun;
	bool counted;
};

/**
 * struct wattle_nl_walk - one call of a dump, and what visitors of tables get
 * @w: the device
 * @skb: where it goes
 * @cb: the dump
 * @dump: state of @cb
 * @tb: attributes of the request
 * @cmd: of the messages
 */
struct wattle_nl_walk {
	struct wattle *w;
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct wattle_nl_dump *dump;
	struct nlattr **tb;
	u8 cmd;
};

/*
 * One call of a dump: what all dumpit functions come to. @walk returns 0 at the end,
 * -EMSGSIZE when @skb is full, or an error.
 */
int wattle_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		   int maxattr, const struct nla_policy *policy,
		   int (*walk)(struct wattle_nl_walk *walk));

/* Begin and end a message of a dump; end with an error takes the message back. Returns @err. */
void *wattle_nl_dump_begin(struct wattle_nl_walk *walk);
int wattle_nl_dump_end(struct wattle_nl_walk *walk, void *hdr, int err);

#endif /* WATTLE_NETLINK_H */
