// SPDX-License-Identifier: GPL-2.0-only
/* Selectors: from documents, and to the pods that they mean. */
#include <ctype.h>
#include <stdlib.h>

#include "internal.h"

#define NS_LABELS	"io.cilium.k8s.namespace.labels."
#define NS_NAME		"io.kubernetes.pod.namespace"
#define ACCOUNT		"io.cilium.k8s.policy.serviceaccount"
#define CLUSTER		"io.cilium.k8s.policy.cluster"
#define CLUSTER_NAME	"default"

static const char *const reserved_names[] = {
	[1] = "host", [2] = "world", [3] = "unmanaged", [4] = "health", [5] = "init",
	[6] = "remote-node", [7] = "kube-apiserver", [8] = "ingress", [9] = "world-ipv4",
	[10] = "world-ipv6",
};

static struct requirement *selector_add(struct manifest *m, struct selector *sel,
					enum label_space space, enum label_op op,
					const char *key, unsigned int values)
{
	struct requirement *req = &sel->req[sel->req_count++];

	req->space = space;
	req->op = op;
	req->key = intern(m, key);
	req->value = arena_alloc(&m->arena, (values + 1) * sizeof(*req->value));
	/* Labels that somebody selects by tell pods apart, whatever the filter says. */
	if (space == SPACE_POD)
		named_put(&m->pod_keys, req->key, m);
	else if (space == SPACE_NAMESPACE && strcmp(key, NS_NAME_LABEL))
		named_put(&m->ns_keys, req->key, m);
	return req;
}

/* ---- from documents ---- */

/* What a key of a selector is about; NULL in place of the key: said. */
typedef const char *key_fn(struct reader *r, const struct node *node, const char *key,
			   enum label_space *space, struct selector *sel);

/* Letters, digits, and @more between them; 63 at most, as all names in Kubernetes. */
static bool is_word(const char *text, size_t len, const char *more)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (!i || i == len - 1 || !strchr(more, text[i])))
			return false;
	return len && len <= 63;
}

/* Nobody can have another: a policy for it would be one for nobody. */
static bool value_is_fine(struct reader *r, const struct node *node, const char *value)
{
	if (!*value || is_word(value, strlen(value), "-_."))
		return true;
	bad(r, node, "\"%s\" cannot be the value of a label", value);
	return false;
}

/* PREFIX/NAME or NAME. */
static bool key_is_fine(struct reader *r, const struct node *node, const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
	size_t i, prefix = slash ? slash - key : 0;
	bool fine = is_word(name, strlen(name), "-_.") && (!slash || (prefix && prefix <= 253));

	for (i = 0; i < prefix; i++)
		fine &= isdigit((unsigned char)key[i]) || islower((unsigned char)key[i]) ||
			key[i] == '-' || key[i] == '.';
	if (!fine)
		bad(r, node, "\"%s\" cannot be the name of a label", key);
	return fine;
}

static bool read_values(struct reader *r, struct node *list, struct requirement *req)
{
	struct node *child;
	const char *text;

	for_each_node(child, list) {
		if (!node_string(r, child, &text) || !value_is_fine(r, child, text))
			return false;
		req->value[req->value_count++] = intern(r->m, text);
	}
	return true;
}

static bool read_operator(struct reader *r, struct node *expr, enum label_op *op)
{
	static const char *const words[] = {
		[OP_IN] = "In", [OP_NOT_IN] = "NotIn", [OP_EXISTS] = "Exists",
		[OP_NOT_EXISTS] = "DoesNotExist",
	};
	struct node *node = node_get(expr, "operator");
	const char *text;
	unsigned int i;

	if (!node) {
		bad(r, expr, "operator: is missing");
		return false;
	}
	if (!node_string(r, node, &text))
		return false;
	for (i = 0; i < COUNT(words); i++) {
		if (!strcmp(words[i], text)) {
			*op = i;
			return true;
		}
	}
	bad(r, node, "\"%s\" is not In, NotIn, Exists or DoesNotExist", text);
	return false;
}

static bool read_expression(struct reader *r, struct node *expr, enum label_space space,
			    key_fn *translate, struct selector *sel)
{
	static const char *const fields[] = { "key", "operator", "values", NULL };
	struct node *key, *values;
	struct requirement *req;
	enum label_op op;
	const char *text;
	bool lists;

	if (!node_expect(r, expr, NODE_MAP) || !node_fields(r, expr, fields) ||
	    !read_operator(r, expr, &op))
		return false;
	key = node_get(expr, "key");
	if (!node_string(r, key, &text))
		return false;
	if (!*text) {
		bad(r, key ? key : expr, "%s", key ? "is empty" : "key: is missing");
		return false;
	}
	values = node_list(r, expr, "values");
	lists = op == OP_IN || op == OP_NOT_IN;
	if (lists != (values && values->count)) {
		bad(r, values ? values : expr, lists ? "values: In and NotIn need at least one" :
		    "Exists and DoesNotExist take no values");
		return false;
	}
	text = translate(r, key, text, &space, sel);
	if (!text)
		return false;
	req = selector_add(r->m, sel, space, op, text, values ? values->count : 0);
	return read_values(r, values, req);
}

static bool read_label(struct reader *r, struct node *label, enum label_space space,
		       key_fn *translate, struct selector *sel)
{
	const char *key = label->key, *value;
	struct requirement *req;

	if (!node_string(r, node_is_null(label) ? NULL : label, &value) ||
	    !value_is_fine(r, label, value))
		return false;
	key = translate(r, label, key, &space, sel);
	if (!key)
		return false;
	req = selector_add(r->m, sel, space, OP_IN, key, 1);
	req->value[req->value_count++] = intern(r->m, value);
	return true;
}

/* Adds what @node says to what @sel has. */
static bool selector_parse(struct reader *r, const struct node *node, enum label_space space,
			   key_fn *translate, struct selector *sel)
{
	static const char *const fields[] = { "matchLabels", "matchExpressions", NULL };
	struct node *labels, *exprs, *child;
	struct requirement *req;
	bool fine;

	if (!node)
		return true;
	if (!node_expect(r, node, NODE_MAP))
		return false;
	fine = node_fields(r, node, fields);
	labels = node_map(r, node, "matchLabels");
	exprs = node_list(r, node, "matchExpressions");
	req = arena_alloc(&r->m->arena, sizeof(*req) * (sel->req_count + 2 +
			  (labels ? labels->count : 0) + (exprs ? exprs->count : 0)));
	if (sel->req_count)
		memcpy(req, sel->req, sel->req_count * sizeof(*req));
	sel->req = req;
	for_each_node(child, labels)
		fine &= read_label(r, child, space, translate, sel);
	for_each_node(child, exprs)
		fine &= read_expression(r, child, space, translate, sel);
	return fine;
}

/* Nothing else than it says. */
static const char *plain_key(struct reader *r, const struct node *node, const char *key,
			     enum label_space *space, struct selector *sel)
{
	(void)space;
	(void)sel;
	return key_is_fine(r, node, key) ? key : NULL;
}

bool selector_read(struct reader *r, const struct node *node, enum label_space space,
		   struct selector *sel)
{
	return selector_parse(r, node, space, plain_key, sel);
}

/* ---- Cilium's ---- */

const char *reserved_name(unsigned int number)
{
	return reserved_names[number];
}

static int reserved_number(const char *name)
{
	unsigned int i;

	for (i = 1; i < COUNT(reserved_names); i++)
		if (!strcmp(reserved_names[i], name))
			return i;
	return 0;
}

/* "SOURCE:KEY", and the keys that stand for something other than a pod's label. */
static const char *cilium_key(struct reader *r, const struct node *node, const char *key,
			      enum label_space *space, struct selector *sel)
{
	int number;

	*space = SPACE_POD;
	if (!strncmp(key, "reserved:", 9)) {
		number = reserved_number(key + 9);
		if (number) {
			sel->reserved |= 1 << number;
			return key;
		}
		bad(r, node, "there is no reserved identity \"%s\"", key + 9);
		return NULL;
	}
	if (!strncmp(key, "k8s:", 4) || !strncmp(key, "any:", 4)) {
		key += 4;
	} else if (strchr(key, ':')) {
		bad(r, node, "labels of source \"%.*s\" are not known here: k8s, any or reserved",
		    (int)(strchr(key, ':') - key), key);
		return NULL;
	}
	if (!strncmp(key, NS_LABELS, strlen(NS_LABELS))) {
		*space = SPACE_NAMESPACE;
		return plain_key(r, node, key + strlen(NS_LABELS), space, sel);
	}
	if (!strcmp(key, NS_NAME))
		*space = SPACE_NAME;
	else if (!strcmp(key, ACCOUNT))
		*space = SPACE_ACCOUNT;
	else if (!strcmp(key, CLUSTER))
		*space = SPACE_CLUSTER;
	return plain_key(r, node, key, space, sel);
}

static bool names_namespace(const struct selector *sel)
{
	unsigned int i;

	for (i = 0; i < sel->req_count; i++)
		if (sel->req[i].space == SPACE_NAME || sel->req[i].space == SPACE_NAMESPACE)
			return true;
	return false;
}

static bool names_another(const struct selector *sel, const char *ns)
{
	unsigned int i;

	for (i = 0; i < sel->req_count; i++)
		if (sel->req[i].space == SPACE_NAME &&
		    (sel->req[i].op != OP_IN || sel->req[i].value_count != 1 ||
		     strcmp(sel->req[i].value[0], ns)))
			return true;
	return false;
}

/* A reserved identity has one label, that of its name. */
static bool selector_reserved(struct reader *r, const struct node *node, struct selector *sel)
{
	unsigned int i;

	for (i = 0; i < sel->req_count; i++) {
		if (sel->req[i].op == OP_NOT_IN || sel->req[i].op == OP_NOT_EXISTS ||
		    strncmp(sel->req[i].key, "reserved:", 9)) {
			bad(r, node, "reserved identities are selected by their one label alone");
			return false;
		}
		if (sel->req[i].op == OP_IN && *sel->req[i].value[0])
			sel->reserved = 0;
	}
	if (sel->req_count > 1)
		sel->reserved = 0;
	return true;
}

/* Pods of other clusters are not here: whoever means them must not think that it works. */
static bool is_of_cluster(struct reader *r, const struct node *node, const struct selector *sel)
{
	const struct requirement *req;
	unsigned int i, j;

	for (i = 0; i < sel->req_count; i++) {
		req = &sel->req[i];
		for (j = 0; req->space == SPACE_CLUSTER && j < req->value_count; j++) {
			if (!strcmp(req->value[j], CLUSTER_NAME))
				continue;
			bad(r, node, "%s: \"%s\": there is one cluster here, \"" CLUSTER_NAME "\"",
			    req->key, req->value[j]);
			return false;
		}
	}
	return true;
}

bool selector_read_cilium(struct reader *r, const struct node *node, const char *ns,
			  bool subject, struct selector *sel)
{
	if (!selector_parse(r, node, SPACE_POD, cilium_key, sel) || !is_of_cluster(r, node, sel))
		return false;
	if (sel->reserved && subject) {
		bad(r, node, "policies for reserved identities (the host among them) are not supported");
		return false;
	}
	if (sel->reserved)
		return selector_reserved(r, node, sel);
	if (!ns)
		return true;
	if (subject && names_another(sel, ns)) {
		bad(r, node, "selects by namespace, and a policy selects in its own, %s", ns);
		return false;
	}
	if (subject || !names_namespace(sel))
		sel->ns = intern(r->m, ns);
	return true;
}

/* ---- to pods ---- */

static bool requirement_holds(const struct requirement *req, const char *value)
{
	unsigned int i;

	switch (req->op) {
	case OP_EXISTS:
		return value;
	case OP_NOT_EXISTS:
		return !value;
	default:
		for (i = 0; value && i < req->value_count; i++)
			if (!strcmp(req->value[i], value))
				return req->op == OP_IN;
		return req->op == OP_NOT_IN;
	}
}

static const char *value_for(const struct requirement *req, const struct group *group)
{
	switch (req->space) {
	case SPACE_POD:
		return labels_get(&group->labels, req->key);
	case SPACE_NAMESPACE:
		return labels_get(&group->ns->labels, req->key);
	case SPACE_NAME:
		return group->ns->name;
	case SPACE_ACCOUNT:
		return group->account;
	default:
		return CLUSTER_NAME;
	}
}

static bool of_namespace(const struct requirement *req)
{
	return req->space == SPACE_NAMESPACE || req->space == SPACE_NAME;
}

/* What a selector says of namespaces is asked once for each. */
static bool selector_has_namespace(const struct selector *sel, const struct namespace *ns)
{
	const struct group group = { .ns = (struct namespace *)ns };
	unsigned int i;

	if (sel->ns && strcmp(sel->ns, ns->name))
		return false;
	for (i = 0; i < sel->req_count; i++)
		if (of_namespace(&sel->req[i]) &&
		    !requirement_holds(&sel->req[i], value_for(&sel->req[i], &group)))
			return false;
	return true;
}

static bool selector_has_group(const struct selector *sel, const struct group *group)
{
	unsigned int i;

	for (i = 0; i < sel->req_count; i++)
		if (!of_namespace(&sel->req[i]) &&
		    !requirement_holds(&sel->req[i], value_for(&sel->req[i], group)))
			return false;
	return true;
}

set selector_resolve(struct manifest *m, const struct selector *sel)
{
	set out = arena_alloc(&m->arena, m->words * sizeof(*out) + 1);
	unsigned int i, j;

	if (sel->reserved)
		return out;
	for (i = 0; i < m->ns_count; i++) {
		const struct namespace *ns = m->ns[i];

		if (!ns->group_count || !selector_has_namespace(sel, ns))
			continue;
		for (j = ns->first_group; j < ns->first_group + ns->group_count; j++)
			if (selector_has_group(sel, &m->group[j]))
				out[j / 64] |= 1ULL << (j % 64);
	}
	return out;
}

/* Of things that are no pods: CIDR groups, services. */
bool selector_matches_labels(const struct selector *sel, const struct labels *labels)
{
	unsigned int i;

	for (i = 0; i < sel->req_count; i++)
		if (!requirement_holds(&sel->req[i], labels_get(labels, sel->req[i].key)))
			return false;
	return true;
}
