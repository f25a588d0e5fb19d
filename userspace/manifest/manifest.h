/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kubernetes manifests in, tables out: what a node has to enforce, and who may talk
 * to whom. Nothing here knows of netlink or prints.
 *
 * All memory belongs to struct manifest and goes with it. A manifest that has been
 * told an error is good for nothing but manifest_destroy().
 */
#ifndef MANIFEST_MANIFEST_H
#define MANIFEST_MANIFEST_H

#include <linux/wattle.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libwattle/addr.h"

struct manifest;

/* A whole sentence: "FILE:LINE: KIND NAMESPACE/NAME: FIELD: what is wrong". */
typedef void manifest_say_fn(bool error, const char *text, void *arg);

struct manifest *manifest_create(manifest_say_fn *say, void *arg);
void manifest_destroy(struct manifest *m);

/* Kinds that are not known are passed over, not refused. */
void manifest_ignore_unknown(struct manifest *m);
/* "All pods" become rules by exclusion from so many identities on; for tests. */
void manifest_set_wide(struct manifest *m, unsigned int groups);

/* A file, a directory, or "-". False where something was wrong, which has been said. */
bool manifest_load(struct manifest *m, const char *path);
bool manifest_load_text(struct manifest *m, const char *name, const char *text, size_t len);
/* When all is loaded: identities, policies. False as above. */
bool manifest_compile(struct manifest *m);

/* ---- what there is ---- */

#define MANIFEST_POD_MAX	(63 + 1 + 253)	/* bytes of NAMESPACE/NAME (RFC 1123) */

struct manifest_pod {
	const char *name;		/* NAMESPACE/NAME */
	const char *node;		/* "" where it is on none */
	const struct wattle_addr *ip;
	unsigned int ip_count;
	uint32_t id;			/* 0: it is nobody, or its node */
	unsigned int group;
	bool host;			/* on its node's network */
	bool done;			/* completed */
	bool dying;			/* being deleted */
	const char *where;		/* FILE:LINE */
};

/* One identity. */
struct manifest_identity {
	uint32_t id;
	const char *labels;		/* "k8s:app=web k8s:..." */
	unsigned int pods;
};

struct manifest_node {
	const char *name;
	struct wattle_addr addr[2];
	unsigned int addr_count;
	struct wattle_prefix *cidr;
	unsigned int cidr_count;
	const char *zone;		/* interned; NULL: not known */
};

/*
 * A frontend. @name: of the service, NULL for a port of a pod; @where: FILE:LINE: KIND
 * NAMESPACE/NAME: FIELD that asks for it; @affinity_with: as whose clients those of this one are
 * remembered, no port: by itself; @health_port: where a load balancer asks whether the
 * node has backends of it, or 0; @source: prefixes of its family.
 */
struct manifest_service {
	struct wattle_frontend frontend;
	const char *name;
	const char *where;
	uint16_t health_port;
	uint8_t alg;
	uint32_t affinity;
	struct wattle_frontend affinity_with;
	uint8_t empty;
	uint8_t source_policy;
	bool dsr;
	struct wattle_prefix *source;
	unsigned int source_count;
	struct manifest_backend *backend;
	unsigned int backend_count;
	/* Who has it where several objects want it. */
	const void *owner;
	uint8_t claim;
	const char *created;
	unsigned int order;		/* in which they came */
};

/* One that is terminating and has no weight is only wanted where it is there already. */
struct manifest_backend {
	struct wattle_addr addr;
	uint16_t port;
	uint16_t weight;
	uint8_t state;
};

/*
 * A rule as the kernel has it. Priorities: where everything but what is outside
 * the cluster's pods may pass, exclusion and rule are late; the last word, of
 * MANIFEST_DEFAULT, is what happens where no policy says anything.
 */
#define MANIFEST_EXCLUDE	65533	/* WATTLE_PRIORITY_LAST: from here on nobody is denied by name */
#define MANIFEST_WIDE		65534
#define MANIFEST_DEFAULT	65535

struct manifest_rule {
	uint32_t subject;
	uint8_t direction;
	uint8_t peer_kind;
	bool outside;
	bool any_proto;
	uint8_t proto;
	uint8_t action;
	uint16_t priority;
	uint16_t port_min;
	uint16_t port_max;
	uint32_t peer_id;
	struct wattle_prefix peer;
	const char *origin;
};

/* A copy that is kept as long as @m, one for equal texts. */
const char *manifest_text(struct manifest *m, const char *text);

size_t manifest_pod_count(const struct manifest *m);
void manifest_pod(const struct manifest *m, size_t i, struct manifest_pod *pod);
size_t manifest_identity_count(const struct manifest *m);
void manifest_identity(const struct manifest *m, size_t i, struct manifest_identity *identity);
size_t manifest_node_count(const struct manifest *m);
const struct manifest_node *manifest_node(const struct manifest *m, size_t i);
bool manifest_has_node(const struct manifest *m, const char *name);
/*
 * As seen from @node: which endpoints are local, or in its zone. Sorted by frontend. False where
 * two claim one, which has been said; *@services is to be freed all the same.
 */
bool manifest_services(struct manifest *m, const char *node, struct manifest_service **services,
		       size_t *count);
void manifest_services_free(struct manifest_service *services, size_t count);

/* What services' addresses are from, each once; the caller frees *@ranges. */
void manifest_ranges(struct manifest *m, struct wattle_prefix **ranges, size_t *count);

/* How pods of an identity leave the cluster. @interface: the address is the one that it has. */
struct manifest_egress {
	uint32_t id;
	struct wattle_prefix to;
	uint8_t action;
	struct wattle_addr addr;	/* to leave with, or the gateway's; length 0: none */
	const char *interface;
	const char *where;		/* FILE:LINE: KIND NAME: FIELD */
};

/*
 * As seen from @node, sorted by identity and prefix. False where two say different things about the
 * same, which has been said; the caller frees *@rules all the same.
 */
bool manifest_egress(struct manifest *m, const char *node, struct manifest_egress **rules,
		     size_t *count);

/*
 * Rules of one identity, both directions, sorted by manifest_rule_compare() and without doubles.
 * The caller frees *@rules.
 */
size_t manifest_rules(struct manifest *m, unsigned int group, struct manifest_rule **rules);
int manifest_rule_compare(const void *a, const void *b);	/* all but the origin */

/* ---- who may talk to whom ---- */

/* One side of a conversation, and the rules for it (manifest_rules(), or the kernel's). */
struct reach_end {
	uint32_t id;
	const struct wattle_addr *ip;	/* NULL: unknown, in no prefix */
	const struct manifest_rule *rule;
	size_t rules;
	bool ignore;			/* this side's rules are not known: all passes */
};

struct reach_verdict {
	bool enforced;
	bool allow;
	const struct manifest_rule *rule;
};

/* What kmod/policy.c does, one rule after the other. */
void reach_judge(const struct reach_end *subject, uint8_t direction, uint32_t peer_id,
		 const struct wattle_addr *peer, uint8_t proto, uint16_t port,
		 struct reach_verdict *verdict);

/* Ports of one protocol that pass, as ranges. */
struct reach_range {
	uint8_t proto;
	uint16_t min;
	uint16_t max;
};

struct reach {
	struct reach_range *range;
	size_t count;
	bool all;		/* any protocol, any port */
};

/* Both sides together; @reach->range is kept and grown from call to call. */
void reach_between(const struct reach_end *src, const struct reach_end *dst, struct reach *reach);
/* What @a has and @b has not. */
void reach_minus(const struct reach *a, const struct reach *b, struct reach *out);
void reach_release(struct reach *reach);
/* "any", "none" or "tcp/80 tcp/8000-8010 udp icmp"; the caller frees it. */
char *reach_text(const struct reach *reach);

#endif /* MANIFEST_MANIFEST_H */
