/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libwattle: what the kernel module understands, as C.
 *
 * Functions return 0 or a negative errno; those that take a struct wattle_error
 * say in it what went wrong, in words for a person. Nothing here prints.
 */
#ifndef LIBWATTLE_WATTLE_H
#define LIBWATTLE_WATTLE_H

#include <linux/netlink.h>
#include <linux/wattle.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct nl_msg;

/* ---- errors ---- */

/**
 * struct wattle_error - why a request was refused
 * @code: positive errno
 * @attr: name of the attribute that it is about, as in the specification, with those
 *	that hold it: "rule.peer.addr"; empty where there is none
 * @missing: @attr is not wrong but missing
 * @text: the reason; never empty
 */
struct wattle_error {
	int code;
	bool missing;
	char attr[64];
	char text[256];
};

int wattle_error_set(struct wattle_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- sockets ---- */

struct wattle_sock;

/* Enter /run/netns/NAME, or the namespace at a path; everything after is there. */
int wattle_netns_enter(const char *name, struct wattle_error *err);

/* -ENODEV: the family is not there, so the module is not loaded. */
int wattle_open(struct wattle_sock **sock, struct wattle_error *err);
/* The same for rtnetlink; module or not. */
int wattle_open_route(struct wattle_sock **sock, struct wattle_error *err);
void wattle_close(struct wattle_sock *sock);

/* A reply or event: the message is valid during the call. Non-zero ends it. */
typedef int wattle_reply_fn(const struct nlmsghdr *nlh, void *arg);

/**
 * wattle_call() - send one request, wait for its answer
 * @sock: socket
 * @msg: the request; header completed here
 * @fn: gets the replies; may be NULL
 * @arg: for @fn
 * @err: what went wrong
 *
 * While somebody else has a transaction open, changes are tried again for a few
 * seconds.
 */
int wattle_call(struct wattle_sock *sock, struct nl_msg *msg, wattle_reply_fn *fn, void *arg,
		struct wattle_error *err);

/*
 * A dump, which is collected first: where the tables changed under it, it is
 * taken again. Returns 1 where they never stopped to change, and what @fn got may
 * be no state that ever was.
 */
int wattle_dump(struct wattle_sock *sock, struct nl_msg *msg, wattle_reply_fn *fn, void *arg,
		struct wattle_error *err);

/* For those who wait themselves. */
int wattle_sock_fd(const struct wattle_sock *sock);

/* ---- events ---- */

/* @group: WATTLE_MCGRP_*, of a module that is loaded anew meanwhile, too; its text stays */
int wattle_subscribe(struct wattle_sock *sock, const char *group, struct wattle_error *err);
/* What has come. -EAGAIN: nothing; -ENOBUFS: the socket overflowed, events were lost. */
int wattle_events(struct wattle_sock *sock, wattle_reply_fn *fn, void *arg);

/* ---- many requests ---- */

struct wattle_batch;

struct wattle_batch *wattle_batch_create(void);
void wattle_batch_destroy(struct wattle_batch *batch);
/* Takes a copy; @tag is given back with an error. */
int wattle_batch_add(struct wattle_batch *batch, struct nl_msg *msg, unsigned int tag);
/* All that have been added. */
size_t wattle_batch_count(const struct wattle_batch *batch);

/* One request of a batch was refused. Non-zero: that is enough. */
typedef int wattle_refused_fn(unsigned int tag, const struct wattle_error *err, void *arg);

/*
 * All of it as one change, or none. Returns 0, or -ECANCELED where @fn has been told
 * why, or another error with @err filled in.
 */
int wattle_batch_commit(struct wattle_sock *sock, struct wattle_batch *batch,
			wattle_refused_fn *fn, void *arg, struct wattle_error *err);

/*
 * For those that do not fit in memory: what is added from now on goes out in between, in
 * a transaction that wattle_batch_finish() commits. Without @sock it is only counted.
 */
void wattle_batch_stream(struct wattle_batch *batch, struct wattle_sock *sock,
			 wattle_refused_fn *fn, void *arg);
/*
 * Returns the same as wattle_batch_commit(), or -EAGAIN where the tables are no longer of
 * @generation, if that is given: nothing is changed.
 */
int wattle_batch_finish(struct wattle_batch *batch, const uint64_t *generation,
			struct wattle_error *err);

/* ---- what a request is made of ---- */

/* What to do with an object. SET changes what exists. */
enum wattle_how {
	WATTLE_ADD,
	WATTLE_REPLACE,
	WATTLE_SET,
	WATTLE_DEL,
};

/* Big enough for every request. The caller frees it with nlmsg_free(). */
struct nl_msg *wattle_msg_alloc(void);
/* Start a request in @msg, whatever it held. */
void wattle_msg_begin(struct nl_msg *msg, uint8_t cmd, uint16_t flags);
uint8_t wattle_msg_cmd(const struct nlmsghdr *nlh);

struct wattle_node {
	char name[WATTLE_NAME_MAX + 1];
	unsigned int addr_count;
	struct wattle_addr addr[2];
	unsigned int cidr_count;
	struct wattle_prefix *cidr;
};

struct wattle_identity {
	struct wattle_prefix prefix;
	uint32_t id;
	struct wattle_addr via;
	char node[WATTLE_NAME_MAX + 1];
	bool has_by;
	uint8_t by;
};

struct wattle_endpoint {
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	char pod[WATTLE_POD_MAX + 1];
	unsigned int ip_count;
	struct wattle_addr *ip;
	uint32_t id;
	bool has_id;
	uint8_t enforce;
};

struct wattle_rule {
	uint32_t id;
	uint8_t direction;
	uint8_t peer_kind;
	uint32_t peer_id;
	struct wattle_prefix peer;
	bool outside;
	bool has_proto;
	uint8_t proto;
	bool has_port;
	uint16_t port_min;
	uint16_t port_max;
	uint8_t action;
	bool has_priority;
	uint16_t priority;
	char origin[256];
	uint64_t packets;
	uint64_t bytes;
};

/* What was carried in one direction. */
struct wattle_carried {
	uint64_t packets;
	uint64_t bytes;
};

/* @affinity_with: as whose clients those of this one are remembered; no port: by itself. */
struct wattle_service {
	struct wattle_frontend frontend;
	uint8_t alg;
	bool has_alg;
	uint32_t affinity;
	bool has_affinity;
	struct wattle_frontend affinity_with;
	uint32_t maglev_size;
	uint8_t empty;
	bool has_empty;
	unsigned int source_count;
	struct wattle_prefix *source;
	uint8_t source_policy;
	bool has_source_policy;
	bool has_dsr;
	bool dsr;
	uint32_t backends;
	uint32_t usable;
	uint32_t id;
	uint64_t connections;
	uint64_t refused;
	struct wattle_carried in;
	struct wattle_carried out;
	uint64_t time;
};

/* @live: connections that it has; only where counters were asked for, by who may. */
struct wattle_backend {
	struct wattle_frontend service;
	struct wattle_addr addr;
	uint16_t port;
	bool has_weight;
	uint16_t weight;
	bool has_state;
	uint8_t state;
	uint64_t connections;
	struct wattle_carried in;
	struct wattle_carried out;
	bool has_live;
	uint32_t live;
};

/* A rule for what leaves the cluster: of the pod at @source, of identity @id, or of any. */
struct wattle_egress {
	uint32_t id;
	struct wattle_addr source;
	struct wattle_prefix to;
	uint8_t action;
	struct wattle_addr as;
	struct wattle_addr via;
	char node[WATTLE_NAME_MAX + 1];
};

struct wattle_decision {
	bool present;
	bool enforced;
	bool has_rule;
	uint8_t action;
	struct wattle_rule rule;
};

/* Question and answer of explain, and an event of a packet. */
struct wattle_explain {
	struct wattle_addr src;
	struct wattle_addr dst;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	uint8_t verdict;
	uint32_t reason;
	char reason_name[32];
	uint32_t src_identity;
	uint32_t dst_identity;
	struct wattle_addr service_addr;
	uint16_t service_port;
	struct wattle_addr backend_addr;
	uint16_t backend_port;
	struct wattle_addr via;
	char node[WATTLE_NAME_MAX + 1];
	struct wattle_addr masquerade;
	bool gateway;
	bool dsr;
	struct wattle_decision egress;
	struct wattle_decision ingress;
	uint32_t ifindex;
	uint32_t length;
	uint64_t lost;
	uint64_t time;
};

struct wattle_flow {
	uint32_t cpu;
	struct wattle_addr src;
	struct wattle_addr dst;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	uint32_t src_identity;
	uint32_t dst_identity;
	uint8_t verdict;
	char reason_name[32];
	struct wattle_addr nat_src;
	struct wattle_addr nat_dst;
	uint16_t nat_sport;
	uint16_t nat_dport;
	struct wattle_addr via;
	uint32_t ifindex;
	uint64_t packets;
	uint64_t bytes;
	uint64_t generation;
};

struct wattle_stat {
	char name[64];
	char help[256];
	bool drop;
	uint64_t packets;
	uint64_t bytes;
};

struct wattle_info {
	char version[64];
	uint32_t abi;
	uint64_t generation;
	uint32_t ifindex;
};

/*
 * Requests into @msg: -EMSGSIZE where an object is too big for one message. With
 * WATTLE_DEL only what names the object counts.
 */
int wattle_node_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_node *node);
int wattle_identity_encode(struct nl_msg *msg, enum wattle_how how,
			   const struct wattle_identity *identity);
int wattle_endpoint_encode(struct nl_msg *msg, enum wattle_how how,
			   const struct wattle_endpoint *endpoint);
int wattle_rule_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_rule *rule);
int wattle_service_encode(struct nl_msg *msg, enum wattle_how how,
			  const struct wattle_service *service);
int wattle_backend_encode(struct nl_msg *msg, enum wattle_how how,
			  const struct wattle_backend *backend);
int wattle_egress_encode(struct nl_msg *msg, enum wattle_how how,
			 const struct wattle_egress *egress);
int wattle_range_encode(struct nl_msg *msg, enum wattle_how how,
			const struct wattle_prefix *prefix);

/* Questions: of one object, or of all (for wattle_dump()) where the key is NULL or 0. */
int wattle_info_ask(struct nl_msg *msg);
int wattle_node_ask(struct nl_msg *msg, const char *name);
int wattle_identity_ask(struct nl_msg *msg, const struct wattle_addr *addr);
int wattle_endpoint_ask(struct nl_msg *msg, uint32_t ifindex);
int wattle_rule_ask(struct nl_msg *msg, uint32_t id);
int wattle_service_ask(struct nl_msg *msg, const struct wattle_frontend *frontend);
/* A dump in any case: @service says of which. */
int wattle_backend_ask(struct nl_msg *msg, const struct wattle_frontend *service);
/* The same, with counters as of now: what CPUs and conntrack know is added up for it. */
int wattle_service_ask_counters(struct nl_msg *msg, const struct wattle_frontend *frontend);
int wattle_backend_ask_counters(struct nl_msg *msg, const struct wattle_frontend *service);
/* Dumps in any case. */
int wattle_egress_ask(struct nl_msg *msg, uint32_t id);
int wattle_range_ask(struct nl_msg *msg);
int wattle_explain_ask(struct nl_msg *msg, const struct wattle_explain *question);
int wattle_flow_ask(struct nl_msg *msg);
int wattle_stat_ask(struct nl_msg *msg);

int wattle_rule_flush(struct nl_msg *msg, uint32_t id);
int wattle_flow_flush(struct nl_msg *msg);

/*
 * Replies, and requests too. -EBADMSG where the message is not one. A node, an
 * endpoint and a service hold memory, which _release() frees.
 */
int wattle_info_parse(const struct nlmsghdr *nlh, struct wattle_info *info);
int wattle_node_parse(const struct nlmsghdr *nlh, struct wattle_node *node);
void wattle_node_release(struct wattle_node *node);
int wattle_identity_parse(const struct nlmsghdr *nlh, struct wattle_identity *identity);
int wattle_endpoint_parse(const struct nlmsghdr *nlh, struct wattle_endpoint *endpoint);
void wattle_endpoint_release(struct wattle_endpoint *endpoint);
int wattle_rule_parse(const struct nlmsghdr *nlh, struct wattle_rule *rule);
int wattle_service_parse(const struct nlmsghdr *nlh, struct wattle_service *service);
void wattle_service_release(struct wattle_service *service);
int wattle_backend_parse(const struct nlmsghdr *nlh, struct wattle_backend *backend);
int wattle_egress_parse(const struct nlmsghdr *nlh, struct wattle_egress *egress);
int wattle_range_parse(const struct nlmsghdr *nlh, struct wattle_prefix *prefix);
int wattle_explain_parse(const struct nlmsghdr *nlh, struct wattle_explain *explain);
int wattle_flow_parse(const struct nlmsghdr *nlh, struct wattle_flow *flow);
int wattle_stat_parse(const struct nlmsghdr *nlh, struct wattle_stat *stat);

/* ---- the device ---- */

/* Which of the options below are given. */
enum wattle_link_given {
	WATTLE_LINK_PORT = 1 << 0,
	WATTLE_LINK_MODE = 1 << 1,
	WATTLE_LINK_VNI = 1 << 2,
	WATTLE_LINK_UNDERLAY = 1 << 3,
	WATTLE_LINK_STRICT = 1 << 4,
	WATTLE_LINK_CACHE = 1 << 5,
	WATTLE_LINK_CSUM = 1 << 6,
	WATTLE_LINK_TTL = 1 << 7,
	WATTLE_LINK_AUDIT = 1 << 8,
	WATTLE_LINK_MTU = 1 << 9,
};

struct wattle_link {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	uint32_t flags;		/* IFF_* */
	uint32_t given;
	struct wattle_addr local4;
	struct wattle_addr local6;
	uint32_t vni;
	uint32_t mtu;
	uint16_t port;
	uint8_t mode;
	uint8_t underlay;
	uint8_t ttl;
	bool strict;
	bool cache;
	bool csum;
	bool audit;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_dropped;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_dropped;
};

int wattle_link_encode(struct nl_msg *msg, enum wattle_how how, const struct wattle_link *link);
int wattle_link_ask(struct nl_msg *msg);
/* -ENOENT where it is another kind's link. */
int wattle_link_parse(const struct nlmsghdr *nlh, struct wattle_link *link);

/* ---- routes ---- */

#define WATTLE_RTPROT	87

struct wattle_route {
	struct wattle_prefix dst;
	uint32_t ifindex;
};

int wattle_route_encode(struct nl_msg *msg, enum wattle_how how,
			const struct wattle_route *route);
/* Ours of one family, in the main table; for wattle_dump(). */
int wattle_route_ask(struct nl_msg *msg, uint8_t addr_len);
/* The one that packets to @addr take, as it is in its table; for wattle_call(). */
int wattle_route_ask_best(struct nl_msg *msg, const struct wattle_addr *addr);
/* -ENOENT where it is not one of ours; @ifindex is 0 where it leads through no one device. */
int wattle_route_parse(const struct nlmsghdr *nlh, struct wattle_route *route);

#endif /* LIBWATTLE_WATTLE_H */
