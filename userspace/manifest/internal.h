/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the manifest compiler share, and nobody else sees. */
#ifndef MANIFEST_INTERNAL_H
#define MANIFEST_INTERNAL_H

#include <stdarg.h>
#include <string.h>

#include "manifest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- memory (memory.c) ---- */

struct arena_block;

/* Freed as a whole. Running out of memory ends the program: nothing has been changed yet. */
struct arena {
	struct arena_block *blocks;
	char *at;
	size_t left;
};

void *arena_alloc(struct arena *arena, size_t size);	/* zeroed */
char *arena_text(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void arena_release(struct arena *arena);
/* Give back what was taken since *@mark was copied from it. */
void arena_rollback(struct arena *arena, const struct arena *mark);
void *grow(void *array, size_t count, size_t size);	/* by doubling, from 8 on */

#define APPEND(array, count) \
	((array) = grow((array), (count), sizeof(*(array))), &(array)[(count)++])

/* ---- documents (node.c, yaml.c, json.c) ---- */

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

/**
 * struct node - a value of a document
 * @parent: what it is in
 * @key: its name in a map, else NULL
 * @index: its place in a list
 * @next: its next sibling
 * @text: of a scalar
 * @quoted: a scalar that can only be a string
 * @number: one that can only be a number
 * @size: it and all below it, those that aliases repeat counted each time
 */
struct node {
	enum node_type type;
	bool quoted;
	bool number;
	unsigned int line;
	unsigned int index;
	struct node *parent;
	const char *key;
	struct node *next;
	struct node *first;
	struct node *last;
	unsigned int count;
	size_t size;
	const char *text;
	size_t len;
};

#define NODE_DEPTH	64
#define NODE_ALIASED	1000000

struct reader;

/*
 * A value of its own: a document, or an element of a top-level "items". False: it can only be
 * taken with the whole list, whose kind is still to come.
 */
typedef bool node_fn(struct reader *r, struct node *node);

/**
 * struct reader - a file on its way in
 * @m: whom it is read for
 * @file: its name, kept
 * @arena: of the value in hand
 * @fn: takes values
 * @list: what the value is an element of, as far as it has been read; or NULL
 * @kind: of the object in hand, with @ns and @name for errors
 */
struct reader {
	struct manifest *m;
	const char *file;
	struct arena arena;
	node_fn *fn;
	const struct node *list;
	const char *kind;
	const char *ns;
	const char *name;
};

/* False: said what was wrong. */
bool yaml_read(struct reader *r, const char *text, size_t len);
bool json_read(struct reader *r, const char *text, size_t len);
/* The same without a word: is it JSON at all? */
bool json_is(const char *text, size_t len);

struct node *node_new(struct reader *r, enum node_type type, unsigned int line);
void node_add(struct node *parent, struct node *child);
/* No key twice; false: said. */
bool node_unique(struct reader *r, const struct node *map);

/* What is wrong with @node, or beside it. */
void bad(struct reader *r, const struct node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void warn(struct reader *r, const struct node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void bad_at(struct manifest *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void warn_at(struct manifest *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool node_is_null(const struct node *node);
/* Of a map; NULL where it is missing or null. */
struct node *node_get(const struct node *map, const char *key);
/* Same, and there has to be a value of that type: NULL has been said where it is another. */
struct node *node_map(struct reader *r, const struct node *map, const char *key);
struct node *node_list(struct reader *r, const struct node *map, const char *key);
/* "" and 0 in place of what is missing; false: said. */
bool node_string(struct reader *r, const struct node *node, const char **text);
bool node_number(struct reader *r, const struct node *node, long min, long max, long *number);
bool node_bool(struct reader *r, const struct node *node, bool *value);
const char *node_get_string(struct reader *r, const struct node *map, const char *key);
bool node_is_number(const struct node *node);
/* Only these keys, or it is said which one is not known. */
bool node_fields(struct reader *r, const struct node *map, const char *const *known);
/* These are known and cannot be done. */
bool node_refuse(struct reader *r, const struct node *map, const char *const *refused,
		 const char *why);
bool node_expect(struct reader *r, const struct node *node, enum node_type type);

#define for_each_node(child, parent) \
	for (child = (parent) ? (parent)->first : NULL; child; child = child->next)

/* ---- objects ---- */

/* Sorted by key; texts are interned, so equal ones are the same. */
struct label {
	const char *key;
	const char *value;
};

struct labels {
	struct label *at;
	unsigned int count;
};

const char *intern(struct manifest *m, const char *text);
bool labels_read(struct reader *r, const struct node *map, struct labels *labels);
const char *labels_get(const struct labels *labels, const char *key);

#define NS_NAME_LABEL	"kubernetes.io/metadata.name"

struct namespace {
	const char *name;
	struct labels labels;
	bool given;
	unsigned int first_group;	/* groups of it are neighbours */
	unsigned int group_count;
};

struct named_port {
	const char *name;
	uint8_t proto;
	uint16_t port;
};

/* A port of the pod's node that leads to it. @addr: length 0: at every address. */
struct host_port {
	struct wattle_addr addr;
	uint8_t proto;
	uint16_t port;
	uint16_t to;
	const char *where;
};

struct pod {
	struct namespace *ns;
	const char *name;
	const char *full;
	const char *node;
	const char *account;
	const char *where;	/* FILE:LINE */
	const char *created;	/* as in struct service */
	struct labels labels;
	struct wattle_addr *ip;
	unsigned int ip_count;
	struct named_port *port;
	unsigned int port_count;
	const char *ports;	/* all of them, as text to compare */
	struct host_port *host_port;
	unsigned int host_port_count;
	bool host;
	bool done;
	bool dying;
	unsigned int group;	/* where it is not @host and not @done */
};

/* Pods that nothing can tell apart: an identity. */
struct group {
	uint32_t id;
	struct namespace *ns;
	const char *account;
	struct labels labels;	/* of the pods, as far as they count */
	const char *text;
	const char *key;		/* the same, and all named ports: its number is made of it */
	const struct named_port *port;
	unsigned int port_count;
	unsigned int pods;
	unsigned int first_pod;
	struct spec_ref *specs;
	unsigned int spec_count;
};

enum label_space { SPACE_POD, SPACE_NAMESPACE, SPACE_NAME, SPACE_ACCOUNT, SPACE_CLUSTER };
enum label_op { OP_IN, OP_NOT_IN, OP_EXISTS, OP_NOT_EXISTS };

struct requirement {
	enum label_space space;
	enum label_op op;
	const char *key;
	const char **value;
	unsigned int value_count;
};

/**
 * struct selector - which pods are meant
 * @ns: only those of that namespace, or NULL
 * @reserved: identities 1 to 10 by bit, instead of pods
 */
struct selector {
	const char *ns;
	struct requirement *req;
	unsigned int req_count;
	uint16_t reserved;
};

/* A set of groups, by bit. */
typedef uint64_t *set;

bool selector_read(struct reader *r, const struct node *node, enum label_space space,
		   struct selector *sel);
/* As in the kinds of cilium.io; @ns: of the policy, NULL where it has none. */
bool selector_read_cilium(struct reader *r, const struct node *node, const char *ns,
			  bool subject, struct selector *sel);
/* Of 1 to 10; the entity of that name is the same. */
const char *reserved_name(unsigned int number);
set selector_resolve(struct manifest *m, const struct selector *sel);
bool selector_matches_labels(const struct selector *sel, const struct labels *labels);

struct port {
	bool any;		/* any protocol */
	uint8_t proto;
	uint16_t min;
	uint16_t max;
	const char *name;
	const char *where;	/* of a name, for what can only be said later */
};

enum peer_kind {
	PEER_ANY, PEER_SELECT, PEER_PREFIX, PEER_ID, PEER_GROUP, PEER_SERVICE, PEER_APISERVER,
};

/**
 * struct peer - the other side of a rule, as the document has it
 * @where: FILE:LINE: KIND NAME: FIELD, for what can only be said later
 * @outside: only what is outside the cluster (PEER_PREFIX)
 * @except: of @prefix, or of all prefixes of a group
 * @ref: name of a CIDR group or a service; NULL: by @select
 * @ns: of services; NULL: any
 */
struct peer {
	enum peer_kind kind;
	const char *where;
	struct selector select;
	struct wattle_prefix prefix;
	bool outside;
	struct wattle_prefix *except;
	unsigned int except_count;
	uint32_t id;
	const char *ref;
	const char *ns;
};

enum target_kind { TARGET_ANY, TARGET_SET, TARGET_PREFIX, TARGET_ID };

/* A peer, resolved. */
struct target {
	enum target_kind kind;
	set set;
	bool all;		/* @set is every pod */
	bool outside;
	struct wattle_prefix prefix;
	uint32_t id;
};

/**
 * struct rule - one element of an ingress or egress list
 * @silent: an empty rule of Cilium's, which allows nobody
 */
struct rule {
	uint8_t direction;
	bool deny;
	bool silent;
	const char *origin;
	struct peer *peer;
	unsigned int peer_count;
	struct port *port;
	unsigned int port_count;
	struct target *target;
	unsigned int target_count;
};

/* Whom rules are for. @isolates: by direction. */
struct spec {
	const char *origin;	/* "NetworkPolicy NAMESPACE/NAME" */
	struct selector subject;
	bool isolates[2];
	struct rule *rule;
	unsigned int rule_count;
};

struct spec_ref {
	const struct spec *spec;
};

/* A prefix of an egress policy: of destinations, or of exceptions from them. */
struct egress_prefix {
	struct wattle_prefix to;
	bool except;
	const char *where;
};

/**
 * struct egress_policy - pods that leave by a gateway
 * @select: any of these
 * @gateway: by labels of nodes
 * @addr: to leave with; length 0: that of @interface, or what the gateway has
 */
struct egress_policy {
	const char *name;
	const char *where;
	struct selector *select;
	unsigned int select_count;
	struct egress_prefix *prefix;
	unsigned int prefix_count;
	struct selector gateway;
	struct wattle_addr addr;
	const char *interface;
};

/* Of a ServiceCIDR. */
struct range {
	struct wattle_prefix prefix;
	const char *where;
};

struct cidr_group {
	const char *name;
	struct labels labels;
	struct wattle_prefix *cidr;
	unsigned int cidr_count;
};

struct given_identity {
	uint32_t id;
	const char *ns;
	struct labels labels;
	bool taken;
};

/**
 * struct service_port - of a service or a slice
 * @node_port: on every address of every node, or 0
 * @where: FILE:LINE: KIND NAME: FIELD of that
 */
struct service_port {
	const char *name;
	uint8_t proto;
	uint16_t port;
	uint16_t node_port;
	const char *where;
};

#define VIP_CLUSTER	0x1
#define VIP_EXTERNAL	0x2
#define VIP_BALANCER	0x4

/* An address of a service, which it may have for more than one reason. */
struct vip {
	struct wattle_addr addr;
	uint8_t kinds;
	const char *where;
};

#define FAMILY_4	0x1
#define FAMILY_6	0x2

/* @created: a time as text, of which the earlier is the lesser; "": it is not told. */
struct service {
	const char *ns;
	const char *name;
	const char *created;
	struct labels labels;
	struct labels selector;
	bool has_selector;
	bool headless;
	bool inside_local;	/* internalTrafficPolicy */
	bool outside_local;	/* externalTrafficPolicy */
	bool publish;		/* publishNotReadyAddresses */
	bool deny;		/* @source are those that do not reach it */
	bool dsr;
	uint8_t families;
	uint16_t health_port;	/* healthCheckNodePort, or 0 */
	uint8_t alg;
	uint32_t affinity;
	struct vip *vip;
	unsigned int vip_count;
	struct wattle_prefix *source;
	unsigned int source_count;
	const char *source_where;
	struct service_port *port;
	unsigned int port_count;
};

/* Interned: the same name is the same pointer. */
struct names {
	const char **at;
	unsigned int count;
};

/* @zones, @nodes: whom it is meant for. */
struct slice_endpoint {
	struct wattle_addr *addr;
	unsigned int addr_count;
	const char *node;
	struct names zones;
	struct names nodes;
	bool ready;
	bool serving;
	bool terminating;
};

/* An EndpointSlice, or a subset of Endpoints. */
struct slice {
	const char *ns;
	const char *service;
	bool legacy;
	uint8_t addr_len;	/* 0: both */
	uint16_t weight;
	struct service_port *port;
	unsigned int port_count;
	struct slice_endpoint *end;
	unsigned int end_count;
};

struct named;			/* a hash of texts to pointers (memory.c) */
void *named_get(struct named *named, const char *key);
bool named_put(struct named **named, const char *key, void *value);
void named_release(struct named *named);

struct manifest {
	struct arena arena;
	manifest_say_fn *say;
	void *say_arg;
	unsigned int errors;
	bool ignore_unknown;
	unsigned int wide;

	struct named *strings;
	struct named *objects;		/* "KIND NS/NAME" to "FILE:LINE" */
	struct named *namespaces;
	struct named *pod_keys;		/* label keys that selectors name */
	struct named *ns_keys;		/* but for NS_NAME_LABEL, which can be told */
	struct named *port_names;	/* of all containers */
	struct named *cidr_by_name;

	struct namespace **ns;
	unsigned int ns_count;
	struct pod *pod;
	unsigned int pod_count;
	struct manifest_node *node;
	unsigned int node_count;
	struct labels *node_labels;	/* of @node */
	unsigned int node_labels_count;
	struct spec *spec;
	unsigned int spec_count;
	struct cidr_group *cidr;
	unsigned int cidr_count;
	struct given_identity *given;
	unsigned int given_count;
	struct egress_policy *egress;
	unsigned int egress_count;
	struct service *service;
	unsigned int service_count;
	struct slice *slice;
	unsigned int slice_count;
	struct range *range;
	unsigned int range_count;
	struct wattle_addr *foreign;	/* of services that another proxy serves */
	unsigned int foreign_count;

	struct group *group;
	unsigned int group_count;
	unsigned int words;		/* of a set */
	unsigned int *by_group;		/* pods, those of a group being neighbours */
};

struct namespace *namespace_of(struct manifest *m, const char *name);

/* One object, or a list of them; says what is wrong. False: as of node_fn. */
bool object_read(struct reader *r, struct node *node);
void read_node(struct reader *r, struct node *node);
void read_pod(struct reader *r, struct node *node);
void read_service(struct reader *r, struct node *node);
/* One that another proxy serves: all that counts is that its addresses are taken. */
void read_foreign_service(struct reader *r, struct node *spec);
void read_service_cidr(struct reader *r, struct node *node);
/* metadata.creationTimestamp */
const char *read_created(struct reader *r, const struct node *meta);
void read_slice(struct reader *r, struct node *node);
void read_endpoints(struct reader *r, struct node *node);
void read_network_policy(struct reader *r, struct node *node);
void read_cilium_policy(struct reader *r, struct node *node);
void read_cidr_group(struct reader *r, struct node *node);
void read_given_identity(struct reader *r, struct node *node);
void read_egress_policy(struct reader *r, struct node *node);
void egress_release(struct manifest *m);

/* @min: the least number that it may have; 0: none at all. */
bool read_service_port(struct reader *r, struct node *node, long min, struct service_port *port);
/* Objects that kube-proxy does not ask for: those of another proxy, and of headless services. */
bool labels_are_ignored(const struct node *labels);
bool service_has_sources(const struct service *service, uint8_t len);
bool service_is_closed(const struct service *service, uint8_t len);

bool read_addr(struct reader *r, const struct node *node, struct wattle_addr *addr);
/* Host bits are masked, with a warning. @bare: an address alone is one, too. */
bool read_prefix(struct reader *r, const struct node *node, bool bare,
		 struct wattle_prefix *prefix);
bool read_excepts(struct reader *r, const struct node *list, struct peer *peer);
bool read_proto(struct reader *r, const struct node *node, uint8_t *proto);
bool port_name_is_valid(const char *name);
bool prefix_covers(const struct wattle_prefix *outer, const struct wattle_prefix *inner);
const char *where_is(struct reader *r, const struct node *node);

struct peer *rule_add_peer(struct reader *r, struct rule *rule, const struct node *node,
			   enum peer_kind kind);

/* Before identities are made: which labels policies tell pods apart by. */
void policies_register(struct manifest *m);
bool identities_make(struct manifest *m);
bool policies_resolve(struct manifest *m);

#endif /* MANIFEST_INTERNAL_H */
