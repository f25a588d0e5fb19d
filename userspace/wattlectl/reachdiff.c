// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change does to who may talk to whom: pairs of pods of which one is here,
 * as far as this node decides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* The rules of an identity, made when they are first asked for. */
struct side_rules {
	struct manifest_rule *at;
	size_t count;
	bool made;
};

/**
 * struct side - the tables before or after
 * @local: names of the pods that are on this node, sorted
 * @rules: one for each of the state's local identities
 */
struct side {
	const struct state *state;
	STATE_ARRAY(const char *) local;
	struct side_rules *rules;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those of this node, whether or not their devices have been named yet. */
static void side_make(struct side *side, const struct state *state)
{
	size_t i;

	memset(side, 0, sizeof(*side));
	side->state = state;
	side->rules = calloc(state->local.count + 1, sizeof(*side->rules));
	if (!side->rules)
		exit(EXIT_REFUSED);
	for (i = 0; i < notes_count(state->notes); i++)
		if (notes_at(state->notes, i)->local && notes_at(state->notes, i)->ip_count)
			*STATE_ADD(side->local) = notes_at(state->notes, i)->name;
	if (side->local.count)
		qsort(side->local.at, side->local.count, sizeof(*side->local.at), compare_names);
}

static void side_release(struct side *side)
{
	size_t i;

	for (i = 0; i < side->state->local.count; i++)
		free(side->rules[i].at);
	free(side->rules);
	free(side->local.at);
}

static bool side_is_local(const struct side *side, const char *name)
{
	return side->local.count && bsearch(&name, side->local.at, side->local.count,
					    sizeof(name), compare_names);
}

/* False: its rules are not to be made. */
static bool side_made(const struct side *side, uint32_t id, struct reach_end *end)
{
	const struct state *state = side->state;
	struct side_rules *rules;
	size_t low = 0, high = state->local.count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (state->local.at[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == state->local.count || state->local.at[low].id != id)
		return false;
	rules = &side->rules[low];
	if (!rules->made)
		rules->count = manifest_rules(state->m, state->local.at[low].group, &rules->at);
	rules->made = true;
	end->rule = rules->at;
	end->rules = rules->count;
	return true;
}

/* Rules are sorted by their subject. */
static void side_rules(const struct side *side, uint32_t id, struct reach_end *end)
{
	const struct manifest_rule *rules = side->state->rule.at;
	size_t low = 0, high = side->state->rule.count;

	if (side_made(side, id, end))
		return;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (rules[mid].subject < id)
			low = mid + 1;
		else
			high = mid;
	}
	end->rule = rules + low;
	for (high = low; high < side->state->rule.count && rules[high].subject == id;)
		high++;
	end->rules = high - low;
}

static const struct wattle_addr *pod_addr(const struct note_pod *pod, uint8_t len)
{
	unsigned int i;

	for (i = 0; pod && i < pod->ip_count; i++)
		if (pod->ip[i].len == len)
			return &pod->ip[i];
	return NULL;
}

/* @len: of its address. False: there is no such pod, or nobody can reach it yet. */
static bool side_end(const struct side *side, const char *name, uint8_t len,
		     struct reach_end *end)
{
	const struct note_pod *pod = notes_pod(side->state->notes, name);

	memset(end, 0, sizeof(*end));
	if (!pod || !pod->ip_count)
		return false;
	end->id = pod->id;
	end->ip = pod_addr(pod, len);
	end->ignore = !side_is_local(side, name);
	if (!end->ignore)
		side_rules(side, pod->id, end);
	return true;
}

static bool side_talks(const struct side *side, const char *from, const char *to, uint8_t len)
{
	return pod_addr(notes_pod(side->state->notes, from), len) &&
	       pod_addr(notes_pod(side->state->notes, to), len);
}

static void side_reach(const struct side *side, const char *from, const char *to, uint8_t len,
		       struct reach *reach)
{
	struct reach_end src, dst;

	reach->count = 0;
	reach->all = false;
	if (side_end(side, from, len, &src) && side_end(side, to, len, &dst))
		reach_between(&src, &dst, reach);
}

/* ---- what cannot have changed need not be asked ---- */

static bool same_ips(const struct note_pod *a, const struct note_pod *b)
{
	unsigned int i;

	if (a->ip_count != b->ip_count)
		return false;
	for (i = 0; i < a->ip_count; i++)
		if (!wattle_addr_equal(&a->ip[i], &b->ip[i]))
			return false;
	return true;
}

static bool same_rules(const struct reach_end *a, const struct reach_end *b)
{
	size_t i;

	if (a->ignore != b->ignore || a->rules != b->rules)
		return false;
	for (i = 0; i < a->rules; i++)
		if (manifest_rule_compare(&a->rule[i], &b->rule[i]))
			return false;
	return true;
}

/* The same pod with the same rules, before and after. */
static bool same_end(const struct side *before, const struct side *after, const char *name)
{
	const struct note_pod *old = notes_pod(before->state->notes, name);
	const struct note_pod *new = notes_pod(after->state->notes, name);
	struct reach_end was, is;

	if (!old || !new || old->id != new->id || !same_ips(old, new))
		return false;
	side_end(before, name, 4, &was);
	side_end(after, name, 4, &is);
	return same_rules(&was, &is);
}

/* ---- rows ---- */

struct diff {
	struct side before;
	struct side after;
	struct reach was;
	struct reach is;
	struct reach gains;
	struct reach loses;
	struct show *show;
	bool same;		/* the local one of the pairs in hand is */
};

/* By addresses of one family: "gains X loses Y", or "". The caller frees it. */
static char *diff_family(struct diff *diff, const char *from, const char *to, uint8_t len)
{
	char *gains, *loses, *text = NULL;

	side_reach(&diff->before, from, to, len, &diff->was);
	side_reach(&diff->after, from, to, len, &diff->is);
	reach_minus(&diff->is, &diff->was, &diff->gains);
	reach_minus(&diff->was, &diff->is, &diff->loses);
	gains = diff->gains.count ? reach_text(&diff->gains) : NULL;
	loses = diff->loses.count ? reach_text(&diff->loses) : NULL;
	if (asprintf(&text, "%s%s%s%s", gains ? " gains " : "", gains ? gains : "",
		     loses ? " loses " : "", loses ? loses : "") < 0)
		exit(EXIT_REFUSED);
	free(gains);
	free(loses);
	return text;
}

/* @what: as diff_family() has just made it. */
static int diff_row(struct diff *diff, const char *from, const char *to, const char *family,
		    const char *what)
{
	char *text = NULL;
	int err;

	if (!*what)
		return 0;
	if (asprintf(&text, "%s -> %s%s%s%s", from, to, family ? " by " : "",
		     family ? family : "", what) < 0)
		text = NULL;
	err = show_row(diff->show, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}",
					     "change", diff->loses.count ? diff->gains.count ?
					     "~" : "-" : "+", "table", "reach",
					     "what", text ? text : "", "from", from, "to", to,
					     "family", family,
					     "gains", json_reach(&diff->gains),
					     "loses", json_reach(&diff->loses)));
	free(text);
	return err;
}

/* Identities do not tell the families apart: prefixes may. */
static bool side_has_prefixes(const struct side *side, const char *name)
{
	struct reach_end end;
	size_t i;

	if (!side_end(side, name, 4, &end))
		return false;
	for (i = 0; i < end.rules; i++)
		if (end.rule[i].peer_kind == WATTLE_PEER_KIND_PREFIX)
			return true;
	return false;
}

/* Then there may be two rows. */
static bool diff_by_prefix(const struct diff *diff, const char *from, const char *to)
{
	return side_has_prefixes(&diff->before, from) || side_has_prefixes(&diff->before, to) ||
	       side_has_prefixes(&diff->after, from) || side_has_prefixes(&diff->after, to);
}

static int diff_pair(struct diff *diff, const char *from, const char *to)
{
	bool v6 = side_talks(&diff->before, from, to, 16) || side_talks(&diff->after, from, to, 16);
	bool v4 = side_talks(&diff->before, from, to, 4) || side_talks(&diff->after, from, to, 4);
	const char *family = NULL;
	char *what, *other;
	int err = 0;

	what = diff_family(diff, from, to, v6 && !v4 ? 16 : 4);
	if (v4 && v6 && diff_by_prefix(diff, from, to)) {
		other = diff_family(diff, from, to, 16);
		if (strcmp(what, other)) {
			err = diff_row(diff, from, to, "ipv6", other);
			family = "ipv4";
			free(what);
			what = diff_family(diff, from, to, 4);
		}
		free(other);
	}
	if (!err)
		err = diff_row(diff, from, to, family, what);
	free(what);
	return err;
}

static int diff_with(struct diff *diff, const char *local, const char *other)
{
	if (!strcmp(local, other) ||
	    (diff->same && same_end(&diff->before, &diff->after, other)))
		return 0;
	if (diff_pair(diff, local, other))
		return -1;
	/* Of two that are both here each comes by itself. */
	if (side_is_local(&diff->after, other) || side_is_local(&diff->before, other))
		return 0;
	return diff_pair(diff, other, local);
}

static int diff_local(struct diff *diff, const char *local)
{
	const struct notes *old = diff->before.state->notes, *new = diff->after.state->notes;
	size_t i;

	diff->same = same_end(&diff->before, &diff->after, local);
	for (i = 0; i < notes_count(new); i++)
		if (diff_with(diff, local, notes_at(new, i)->name))
			return -1;
	for (i = 0; i < notes_count(old); i++)
		if (!notes_pod(new, notes_at(old, i)->name) &&
		    diff_with(diff, local, notes_at(old, i)->name))
			return -1;
	return 0;
}

int reach_diff(const struct state *now, const struct state *want, struct show *show)
{
	struct diff diff = { .show = show };
	size_t i;
	int err = 0;

	side_make(&diff.before, now);
	side_make(&diff.after, want);
	for (i = 0; !err && i < diff.after.local.count; i++)
		err = diff_local(&diff, diff.after.local.at[i]);
	for (i = 0; !err && i < diff.before.local.count; i++)
		if (!side_is_local(&diff.after, diff.before.local.at[i]))
			err = diff_local(&diff, diff.before.local.at[i]);
	side_release(&diff.before);
	side_release(&diff.after);
	reach_release(&diff.was);
	reach_release(&diff.is);
	reach_release(&diff.gains);
	reach_release(&diff.loses);
	return err;
}
