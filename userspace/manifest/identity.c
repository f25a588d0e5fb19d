// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identities: pods that no selector can tell apart share one. Its number is made
 * from its labels alone, so every node comes to the same, whatever the order of the
 * input; only where two fall on one number, the later in order of labels moves on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define ID_MIN		256
#define ID_COUNT	(65536 - ID_MIN)

/* ---- which labels count ---- */

/* As in Cilium's default filter: what differs from pod to pod, or says nothing of it. */
static bool label_is_noise(const char *key)
{
	static const char *const begin[] = {
		"io.kubernetes", "kubernetes.io", "k8s.io", "pod-template-generation",
		"pod-template-hash", "controller-revision-hash", "annotation.", "etcd_node",
		"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
		"batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid",
		"controller-uid", "topology.kubernetes.io",
	};
	unsigned int i;

	for (i = 0; i < COUNT(begin); i++)
		if (!strncmp(key, begin[i], strlen(begin[i])))
			return true;
	return strstr(key, "beta.kubernetes.io");
}

static bool label_counts(struct manifest *m, const char *key)
{
	return !label_is_noise(key) || named_get(m->pod_keys, key);
}

static void pod_filter(struct manifest *m, const struct pod *pod, struct labels *out)
{
	unsigned int i;

	out->count = 0;
	out->at = arena_alloc(&m->arena, (pod->labels.count + 1) * sizeof(*out->at));
	for (i = 0; i < pod->labels.count; i++)
		if (label_counts(m, pod->labels.at[i].key))
			out->at[out->count++] = pod->labels.at[i];
}

/* ---- namespaces ---- */

/* The API server gives every namespace this label. */
static void namespace_name_label(struct manifest *m, struct namespace *ns)
{
	struct labels *labels = &ns->labels;
	struct label *at;
	unsigned int i = 0;

	if (labels_get(labels, NS_NAME_LABEL))
		return;
	at = arena_alloc(&m->arena, (labels->count + 1) * sizeof(*at));
	while (i < labels->count && strcmp(labels->at[i].key, NS_NAME_LABEL) < 0) {
		at[i] = labels->at[i];
		i++;
	}
	at[i].key = intern(m, NS_NAME_LABEL);
	at[i].value = ns->name;
	if (i < labels->count)
		memcpy(&at[i + 1], &labels->at[i], (labels->count - i) * sizeof(*at));
	labels->at = at;
	labels->count++;
}

static int compare_namespaces(const void *a, const void *b)
{
	return strcmp((*(struct namespace *const *)a)->name, (*(struct namespace *const *)b)->name);
}

static void namespaces_make(struct manifest *m)
{
	unsigned int i;

	if (m->ns_count)
		qsort(m->ns, m->ns_count, sizeof(*m->ns), compare_namespaces);
	for (i = 0; i < m->ns_count; i++) {
		if (!m->ns[i]->given && m->ns_keys)
			warn_at(m, "Namespace %s: is not there: its labels are not known, and policies select namespaces by labels",
				m->ns[i]->name);
		namespace_name_label(m, m->ns[i]);
	}
}

/* ---- groups ---- */

/* A pod on its way into a group. */
struct member {
	const struct pod *pod;
	struct labels labels;
	const char *text;
	unsigned int index;
};

/* All that tells its identity, in the words of Cilium. */
static char *labels_text(const struct pod *pod, const struct labels *labels)
{
	const struct labels *ns = &pod->ns->labels;
	char *text = NULL;
	unsigned int i;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (i = 0; i < labels->count; i++)
		fprintf(out, "k8s:%s=%s ", labels->at[i].key, labels->at[i].value);
	for (i = 0; i < ns->count; i++)
		fprintf(out, "k8s:io.cilium.k8s.namespace.labels.%s=%s ", ns->at[i].key,
			ns->at[i].value);
	fprintf(out, "k8s:io.cilium.k8s.policy.cluster=default "
		"k8s:io.cilium.k8s.policy.serviceaccount=%s k8s:io.kubernetes.pod.namespace=%s",
		pod->account, pod->ns->name);
	fclose(out);
	return text;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int diff;

	diff = x->pod->ns == y->pod->ns ? 0 : strcmp(x->pod->ns->name, y->pod->ns->name);
	if (!diff)
		diff = x->text == y->text ? 0 : strcmp(x->text, y->text);
	if (!diff)
		diff = x->pod->ports == y->pod->ports ? 0 : strcmp(x->pod->ports, y->pod->ports);
	return diff ? diff : strcmp(x->pod->name, y->pod->name);
}

static struct member *members_make(struct manifest *m, unsigned int *count)
{
	struct member *members = calloc(m->pod_count + 1, sizeof(*members)), *member;
	unsigned int i;
	char *text;

	*count = 0;
	for (i = 0; members && i < m->pod_count; i++) {
		if (m->pod[i].host || m->pod[i].done)
			continue;
		member = &members[(*count)++];
		member->pod = &m->pod[i];
		member->index = i;
		pod_filter(m, member->pod, &member->labels);
		text = labels_text(member->pod, &member->labels);
		member->text = intern(m, text ? text : "");
		free(text);
	}
	if (members)
		qsort(members, *count, sizeof(*members), compare_members);
	return members;
}

static bool same_group(const struct member *a, const struct member *b)
{
	return a->pod->ns == b->pod->ns && a->text == b->text && a->pod->ports == b->pod->ports;
}

static void group_begin(struct manifest *m, const struct member *member,
			const struct member *before, unsigned int first_pod)
{
	struct group *group = APPEND(m->group, m->group_count);
	struct namespace *ns = member->pod->ns;

	memset(group, 0, sizeof(*group));
	group->ns = ns;
	group->account = member->pod->account;
	group->labels = member->labels;
	group->text = member->text;
	group->key = member->text;
	/* Ports always count: pods of others that come or go rename nobody. */
	if (*member->pod->ports)
		group->key = arena_printf(&m->arena, "%s ports:%s", member->text,
					  member->pod->ports);
	/* Same labels, other named ports: an identity of its own, or names would be wrong. */
	if (before && before->pod->ns == ns && before->text == member->text)
		group->text = group->key;
	group->port = member->pod->port;
	group->port_count = member->pod->port_count;
	group->first_pod = first_pod;
	if (!ns->group_count++)
		ns->first_group = m->group_count - 1;
}

static bool groups_make(struct manifest *m)
{
	unsigned int count, i;
	struct member *members = members_make(m, &count);

	m->by_group = calloc(count + 1, sizeof(*m->by_group));
	if (!members || !m->by_group) {
		bad_at(m, "out of memory");
		free(members);
		return false;
	}
	for (i = 0; i < count; i++) {
		if (!i || !same_group(&members[i], &members[i - 1]))
			group_begin(m, &members[i], i ? &members[i - 1] : NULL, i);
		m->by_group[i] = members[i].index;
		m->pod[members[i].index].group = m->group_count - 1;
		m->group[m->group_count - 1].pods++;
	}
	free(members);
	m->words = (m->group_count + 63) / 64;
	return true;
}

/* ---- numbers ---- */

/* Labels of a CiliumIdentity that a group has; 0: it is not that group's. */
static unsigned int given_fits(const struct manifest *m, const struct given_identity *given,
			       const struct group *group)
{
	static const char ns_labels[] = "io.cilium.k8s.namespace.labels.";
	const struct labels *all = &m->pod[m->by_group[group->first_pod]].labels;
	unsigned int i, own = 0;
	bool ns = false;

	for (i = 0; i < given->labels.count; i++) {
		const char *key = given->labels.at[i].key, *value = given->labels.at[i].value;
		const char *has;

		if (strncmp(key, "k8s:", 4))
			return 0;
		key += 4;
		if (!strcmp(key, "io.cilium.k8s.policy.cluster")) {
			continue;
		} else if (!strcmp(key, "io.kubernetes.pod.namespace")) {
			has = group->ns->name;
			ns = true;
		} else if (!strcmp(key, "io.cilium.k8s.policy.serviceaccount")) {
			has = group->account;
		} else if (!strncmp(key, ns_labels, strlen(ns_labels))) {
			has = labels_get(&group->ns->labels, key + strlen(ns_labels));
		} else {
			has = labels_get(all, key);
			own += !!labels_get(&group->labels, key);
		}
		if (!has || strcmp(has, value))
			return 0;
	}
	return ns && own == group->labels.count ? given->labels.count : 0;
}

static void numbers_given(struct manifest *m, struct group *group)
{
	struct given_identity *best = NULL;
	unsigned int i, fits, most = 0;

	for (i = 0; i < m->given_count; i++) {
		struct given_identity *given = &m->given[i];

		/* Interned: the same name is the same pointer. */
		if (given->taken || given->ns != group->ns->name)
			continue;
		fits = given_fits(m, given, group);
		if (fits > most || (fits && fits == most && given->id < best->id)) {
			most = fits;
			best = given;
		}
	}
	if (!best)
		return;
	best->taken = true;
	group->id = best->id;
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
	uint64_t hash = 0xcbf29ce484222325 ^ seed;

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 0x100000001b3;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccd;
	return hash ^ hash >> 33;
}

static uint32_t number_free(const char *text, uint8_t *used)
{
	uint64_t try;
	uint32_t id;

	for (try = 0;; try++) {
		id = ID_MIN + hash_text(text, try) % ID_COUNT;
		if (!used[id])
			break;
	}
	used[id] = 1;
	return id;
}

static int compare_group_keys(const void *a, const void *b)
{
	return strcmp((*(struct group *const *)a)->key, (*(struct group *const *)b)->key);
}

static bool numbers_make(struct manifest *m)
{
	uint8_t *used = calloc(1, ID_MIN + ID_COUNT);
	struct group **sorted = calloc(m->group_count + 1, sizeof(*sorted));
	unsigned int i;
	bool fine = used && sorted && m->group_count + m->given_count < ID_COUNT;

	if (!fine)
		bad_at(m, "%u identities are more than there are numbers",
		       m->group_count + m->given_count);
	for (i = 0; fine && i < m->given_count; i++)
		if (m->given[i].id < ID_MIN + ID_COUNT)
			used[m->given[i].id] = 1;
	for (i = 0; fine && i < m->group_count; i++) {
		sorted[i] = &m->group[i];
		if (m->given_count)
			numbers_given(m, sorted[i]);
	}
	if (fine && m->group_count)
		qsort(sorted, m->group_count, sizeof(*sorted), compare_group_keys);
	for (i = 0; fine && i < m->group_count; i++)
		if (!sorted[i]->id)
			sorted[i]->id = number_free(sorted[i]->key, used);
	free(used);
	free(sorted);
	return fine;
}

bool identities_make(struct manifest *m)
{
	namespaces_make(m);
	return groups_make(m) && numbers_make(m);
}
