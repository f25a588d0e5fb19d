// SPDX-License-Identifier: GPL-2.0-only
/* What a manifest has, for those who ask. */
#include "internal.h"

const char *manifest_text(struct manifest *m, const char *text)
{
	return intern(m, text);
}

size_t manifest_pod_count(const struct manifest *m)
{
	return m->pod_count;
}

void manifest_pod(const struct manifest *m, size_t i, struct manifest_pod *out)
{
	const struct pod *pod = &m->pod[i];

	*out = (struct manifest_pod){
		.name = pod->full,
		.node = pod->node,
		.ip = pod->ip,
		.ip_count = pod->ip_count,
		.group = pod->group,
		.host = pod->host,
		.done = pod->done,
		.dying = pod->dying,
		.where = pod->where,
	};
	if (!pod->host && !pod->done)
		out->id = m->group[pod->group].id;
}

size_t manifest_identity_count(const struct manifest *m)
{
	return m->group_count;
}

void manifest_identity(const struct manifest *m, size_t i, struct manifest_identity *out)
{
	*out = (struct manifest_identity){
		.id = m->group[i].id, .labels = m->group[i].text, .pods = m->group[i].pods,
	};
}

size_t manifest_node_count(const struct manifest *m)
{
	return m->node_count;
}

const struct manifest_node *manifest_node(const struct manifest *m, size_t i)
{
	return &m->node[i];
}

bool manifest_has_node(const struct manifest *m, const char *name)
{
	unsigned int i;

	for (i = 0; i < m->node_count; i++)
		if (!strcmp(m->node[i].name, name))
			return true;
	return false;
}
