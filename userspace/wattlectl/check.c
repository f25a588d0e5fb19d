// SPDX-License-Identifier: GPL-2.0-only
/* "policy check": who may talk to whom, by manifests alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests.h"

static void manifests_say(bool error, const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s%s\n", error ? "" : "warning: ", text);
}

struct manifest *manifests_load(struct call *call)
{
	struct manifest *m = manifest_create(manifests_say, NULL);
	const struct value *file;
	bool fine = true;

	if (!m) {
		report(call, NULL, "out of memory");
		return NULL;
	}
	if (given(call, SLOT_IGNORE))
		manifest_ignore_unknown(m);
	for (file = value_of(call, SLOT_FILE); file; file = file->next)
		fine &= manifest_load(m, file->text);
	if (fine && manifest_compile(m))
		return m;
	manifest_destroy(m);
	return NULL;
}

json_t *json_reach(const struct reach *reach)
{
	char *text = reach_text(reach), *rest = text, *word;
	json_t *array = json_array();

	while (text && reach->count && (word = strsep(&rest, " ")))
		json_array_append_new(array, json_string(word));
	free(text);
	return array;
}

/* ---- one row for each pair ---- */

static const struct column check_columns[] = {
	{ "FROM", "from" }, { "TO", "to" }, { "FAMILY", "family" }, { "ALLOWED", "allowed" },
	{ NULL, NULL }
};

/**
 * struct check - the question in hand
 * @order: pods by name
 * @ends: rules of each identity, made when they are first needed
 */
struct check {
	struct manifest *m;
	struct show *show;
	size_t *order;
	size_t count;
	struct reach_end *ends;
	bool *made;
	struct reach reach;
};

static struct manifest *check_sorted_by;

/*
 * Beside the pods, the rest of the world: addresses that no prefix of a policy means but
 * those that mean about everything.
 */
#define WORLD		SIZE_MAX
#define WORLD_ID	2

static void check_pod(const struct manifest *m, size_t i, struct manifest_pod *pod)
{
	static const struct wattle_addr rest[] = {
		{ .len = 4, .bytes = { [3] = 1 } }, { .len = 16, .bytes = { [15] = 2 } },
	};

	if (i != WORLD) {
		manifest_pod(m, i, pod);
		return;
	}
	*pod = (struct manifest_pod){
		.name = "world", .id = WORLD_ID, .ip = rest, .ip_count = ARRAY_SIZE(rest),
	};
}

static int compare_pods(const void *a, const void *b)
{
	struct manifest_pod x, y;

	check_pod(check_sorted_by, *(const size_t *)a, &x);
	check_pod(check_sorted_by, *(const size_t *)b, &y);
	return strcmp(x.name, y.name);
}

/* Pods that are somebody: not completed, not their node. */
static void check_pods(struct check *check)
{
	size_t i, all = manifest_pod_count(check->m);
	struct manifest_pod pod;

	check->order = calloc(all + 2, sizeof(*check->order));
	for (i = 0; check->order && i < all; i++) {
		manifest_pod(check->m, i, &pod);
		if (pod.id)
			check->order[check->count++] = i;
	}
	if (check->order && check->count)
		check->order[check->count++] = WORLD;
	check_sorted_by = check->m;
	if (check->order)
		qsort(check->order, check->count, sizeof(*check->order), compare_pods);
}

static struct reach_end check_end(struct check *check, const struct manifest_pod *pod,
				  const struct wattle_addr *ip)
{
	struct reach_end *end = &check->ends[pod->group], out = { .id = pod->id, .ip = ip };
	struct manifest_rule *rules;

	/* Nobody decides for it. */
	if (pod->id == WORLD_ID) {
		out.ignore = true;
		return out;
	}
	if (!check->made[pod->group]) {
		end->rules = manifest_rules(check->m, pod->group, &rules);
		end->rule = rules;
		end->id = pod->id;
		check->made[pod->group] = true;
	}
	out = *end;
	out.ip = ip;
	return out;
}

/* Takes @allowed. */
static int check_row(struct check *check, const struct manifest_pod *src,
		     const struct manifest_pod *dst, json_t *allowed, const char *family)
{
	return show_row(check->show, json_pack("{s:s, s:s, s:I, s:I, s:s?, s:o}",
					       "from", src->name, "to", dst->name,
					       "from_identity", (json_int_t)src->id,
					       "to_identity", (json_int_t)dst->id,
					       "family", family, "allowed", allowed));
}

static const struct wattle_addr *address_of(const struct manifest_pod *pod, uint8_t len)
{
	unsigned int i;

	for (i = 0; i < pod->ip_count; i++)
		if (pod->ip[i].len == len)
			return &pod->ip[i];
	return NULL;
}

static json_t *check_allowed(struct check *check, const struct manifest_pod *src,
			     const struct manifest_pod *dst, uint8_t len)
{
	struct reach_end from = check_end(check, src, address_of(src, len));
	struct reach_end to = check_end(check, dst, address_of(dst, len));

	reach_between(&from, &to, &check->reach);
	return json_reach(&check->reach);
}

/* Prefixes may tell the families apart: then there are two rows. */
static int check_pair(struct check *check, const struct manifest_pod *src,
		      const struct manifest_pod *dst)
{
	bool v4 = address_of(src, 4) && address_of(dst, 4);
	bool v6 = address_of(src, 16) && address_of(dst, 16);
	json_t *allowed = check_allowed(check, src, dst, v4 || !v6 ? 4 : 16), *other;
	const char *family = NULL;
	int err;

	if (v4 && v6) {
		other = check_allowed(check, src, dst, 16);
		if (!json_equal(allowed, other)) {
			family = "ipv4";
			err = check_row(check, src, dst, other, "ipv6");
			if (err) {
				json_decref(allowed);
				return err;
			}
		} else {
			json_decref(other);
		}
	}
	return check_row(check, src, dst, allowed, family);
}

/* Nobody will ask for its rules again: those of all of a big cluster are some memory. */
static void check_forget(struct check *check, const struct manifest_pod *pod,
			 const struct manifest_pod *other)
{
	if (pod->id == WORLD_ID || (other->id != WORLD_ID && pod->group == other->group))
		return;
	free((void *)check->ends[pod->group].rule);
	check->ends[pod->group].rule = NULL;
	check->made[pod->group] = false;
}

static bool check_wants(const struct call *call, enum slot slot, const char *name)
{
	return !given(call, slot) || !strcmp(value_of(call, slot)->text, name);
}

static int check_pairs(struct call *call, struct check *check)
{
	struct manifest_pod src, dst;
	size_t i, j;

	for (i = 0; i < check->count; i++) {
		check_pod(check->m, check->order[i], &src);
		if (!check_wants(call, SLOT_SRC, src.name))
			continue;
		for (j = 0; j < check->count; j++) {
			check_pod(check->m, check->order[j], &dst);
			/* A pod always reaches itself. */
			if (i == j || !check_wants(call, SLOT_DST, dst.name))
				continue;
			if (check_pair(check, &src, &dst))
				return -1;
			if (given(call, SLOT_SRC))
				check_forget(check, &dst, &src);
			else if (given(call, SLOT_DST))
				check_forget(check, &src, &dst);
		}
	}
	return 0;
}

static bool check_known(struct call *call, struct check *check, enum slot slot)
{
	const struct value *value = value_of(call, slot);
	struct manifest_pod pod;
	size_t i;

	for (i = 0; value && i < check->count; i++) {
		check_pod(check->m, check->order[i], &pod);
		if (!strcmp(pod.name, value->text))
			return true;
	}
	if (value)
		report(call, value->param->key, "there is no running pod %s", value->text);
	return !value;
}

static void check_release(struct check *check)
{
	size_t i;

	for (i = 0; check->ends && check->made && i < manifest_identity_count(check->m); i++)
		if (check->made[i])
			free((void *)check->ends[i].rule);
	free(check->ends);
	free(check->made);
	free(check->order);
	reach_release(&check->reach);
	manifest_destroy(check->m);
}

int policy_check(struct call *call)
{
	struct check check = { .m = manifests_load(call) };
	int code = EXIT_REFUSED;
	size_t groups;

	if (!check.m)
		return EXIT_REFUSED;
	groups = manifest_identity_count(check.m);
	check_pods(&check);
	check.ends = calloc(groups + 1, sizeof(*check.ends));
	check.made = calloc(groups + 1, sizeof(*check.made));
	if (!check.order || !check.ends || !check.made)
		report(call, NULL, "out of memory");
	else if (check_known(call, &check, SLOT_SRC) && check_known(call, &check, SLOT_DST))
		check.show = show_begin(check_columns);
	if (check.show) {
		code = check_pairs(call, &check) ? EXIT_REFUSED : EXIT_DONE;
		if (show_end(check.show))
			code = EXIT_REFUSED;
	}
	check_release(&check);
	return code;
}
