// SPDX-License-Identifier: GPL-2.0-only
/* Files and directories into objects. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "internal.h"

#define SOURCE_ERRORS	20	/* then the rest is not read */

struct manifest *manifest_create(manifest_say_fn *say, void *arg)
{
	struct manifest *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->say = say;
	m->say_arg = arg;
	m->wide = 64;
	return m;
}

static void slices_release(struct manifest *m)
{
	unsigned int i;

	for (i = 0; i < m->slice_count; i++) {
		free(m->slice[i].end);
		free(m->slice[i].port);
	}
	for (i = 0; i < m->service_count; i++) {
		free(m->service[i].vip);
		free(m->service[i].source);
		free(m->service[i].port);
	}
	free(m->slice);
	free(m->service);
	free(m->range);
	free(m->foreign);
}

static void policies_release(struct manifest *m)
{
	unsigned int i, j;

	for (i = 0; i < m->spec_count; i++) {
		for (j = 0; j < m->spec[i].rule_count; j++) {
			free(m->spec[i].rule[j].peer);
			free(m->spec[i].rule[j].port);
			free(m->spec[i].rule[j].target);
		}
		free(m->spec[i].rule);
	}
	free(m->spec);
	free(m->cidr);
	free(m->given);
}

void manifest_destroy(struct manifest *m)
{
	struct named *named[] = {
		m->strings, m->objects, m->namespaces, m->pod_keys, m->ns_keys, m->port_names,
		m->cidr_by_name,
	};
	unsigned int i;

	for (i = 0; i < COUNT(named); i++)
		named_release(named[i]);
	slices_release(m);
	policies_release(m);
	egress_release(m);
	for (i = 0; i < m->pod_count; i++) {
		free(m->pod[i].port);
		free(m->pod[i].host_port);
	}
	for (i = 0; i < m->node_count; i++)
		free(m->node[i].cidr);
	for (i = 0; i < m->group_count; i++)
		free(m->group[i].specs);
	free(m->pod);
	free(m->node);
	free(m->group);
	free(m->ns);
	free(m->by_group);
	arena_release(&m->arena);
	free(m);
}

void manifest_ignore_unknown(struct manifest *m)
{
	m->ignore_unknown = true;
}

void manifest_set_wide(struct manifest *m, unsigned int groups)
{
	m->wide = groups;
}

struct namespace *namespace_of(struct manifest *m, const char *name)
{
	struct namespace *ns = named_get(m->namespaces, name), **at;

	if (ns)
		return ns;
	ns = arena_alloc(&m->arena, sizeof(*ns));
	ns->name = intern(m, name);
	named_put(&m->namespaces, ns->name, ns);
	at = APPEND(m->ns, m->ns_count);
	*at = ns;
	return ns;
}

/* ---- one file ---- */

static bool source_value(struct reader *r, struct node *node)
{
	bool taken = true;

	r->kind = NULL;
	r->ns = NULL;
	r->name = NULL;
	if (r->m->errors < SOURCE_ERRORS)
		taken = object_read(r, node);
	r->kind = NULL;
	r->name = NULL;
	return taken;
}

bool manifest_load_text(struct manifest *m, const char *name, const char *text, size_t len)
{
	struct reader r = { .m = m, .file = intern(m, name), .fn = source_value };
	unsigned int before = m->errors;

	if (json_is(text, len))
		json_read(&r, text, len);
	else
		yaml_read(&r, text, len);
	return m->errors == before;
}

static char *file_text(FILE *in, size_t *len)
{
	char *text = NULL, chunk[65536];
	size_t got;
	FILE *out = open_memstream(&text, len);

	while (out && (got = fread(chunk, 1, sizeof(chunk), in)))
		fwrite(chunk, 1, got, out);
	if (!out || fclose(out) || ferror(in)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool load_file(struct manifest *m, const char *path)
{
	bool standard = !strcmp(path, "-");
	char *text = NULL;
	size_t len = 0;
	FILE *in;
	bool fine;

	errno = 0;
	in = standard ? stdin : fopen(path, "re");
	if (in)
		text = file_text(in, &len);
	if (in && !standard)
		fclose(in);
	if (!text) {
		bad_at(m, "%s: %s", path, errno ? strerror(errno) : "cannot be read");
		return false;
	}
	fine = manifest_load_text(m, standard ? "stdin" : path, text, len);
	free(text);
	return fine;
}

/* ---- directories ---- */

static int is_manifest(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

static bool load_directory(struct manifest *m, const char *path)
{
	struct dirent **entries;
	int i, count = scandir(path, &entries, is_manifest, alphasort);
	bool fine = true;

	if (count < 0) {
		bad_at(m, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!count)
		bad_at(m, "%s: there is no .yaml, .yml or .json in this directory", path);
	for (i = 0; i < count; i++) {
		fine &= load_file(m, arena_printf(&m->arena, "%s/%s", path, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return fine && count;
}

bool manifest_load(struct manifest *m, const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return load_file(m, path);
	if (stat(path, &st)) {
		bad_at(m, "%s: %s", path, strerror(errno));
		return false;
	}
	return S_ISDIR(st.st_mode) ? load_directory(m, path) : load_file(m, path);
}

bool manifest_compile(struct manifest *m)
{
	if (m->errors)
		return false;
	policies_register(m);
	return identities_make(m) && policies_resolve(m);
}
