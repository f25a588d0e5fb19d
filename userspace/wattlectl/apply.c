// SPDX-License-Identifier: GPL-2.0-only
/* Manifests in, one atomic change out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define APPLY_TRIES	20	/* while others change the tables, too */
#define APPLY_ERRORS	20	/* how many are told */

static const struct param apply_params[] = {
	{ SLOT_NODE, KIND_TEXT, PARAM_REQUIRED, "--node", "NAME", NULL, 0, WATTLE_NAME_MAX },
	{ SLOT_FILE, KIND_TEXT, PARAM_REQUIRED | PARAM_MANY, "-f", "FILE|DIR|-", NULL, 0, 4095 },
	{ SLOT_DRY_RUN, KIND_FLAG, 0, "--dry-run", NULL, NULL, 0, 0 },
	{ SLOT_DIFF, KIND_FLAG, 0, "--diff", NULL, NULL, 0, 0 },
	{ SLOT_IGNORE, KIND_FLAG, 0, "--ignore-unknown", NULL, NULL, 0, 0 },
};

static const struct column apply_columns[] = {
	{ "CHANGE", "change" }, { "TABLE", "table" }, { "WHAT", "what" }, { NULL, NULL }
};

/* What would be, or has been, done. */
static int apply_show(const struct plan *plan, const struct state *now, const struct state *want)
{
	struct show *show = show_begin(apply_columns);
	char sign[2] = "";
	int err = 0;
	size_t i;

	if (!show)
		return EXIT_REFUSED;
	for (i = 0; !err && i < plan->line.count; i++) {
		const struct plan_line *line = &plan->line.at[i];

		sign[0] = line->sign;
		err = show_row(show, json_pack("{s:s, s:s, s:o}", "change", sign, "table",
					       line->table, "what",
					       json_text(line->text ? line->text : "")));
	}
	if (!err)
		err = reach_diff(now, want, show);
	if (show_end(show))
		err = -1;
	return err ? EXIT_REFUSED : EXIT_DONE;
}

/* What the kernel did not take: told where it is not another's change that is at fault. */
struct refusals {
	unsigned int line[APPLY_ERRORS];
	struct wattle_error err[APPLY_ERRORS];
	unsigned int count;
};

static int apply_refused(unsigned int line, const struct wattle_error *err, void *arg)
{
	struct refusals *refusals = arg;

	/* Of the requests that are about one line the first says it. */
	if (refusals->count && refusals->line[refusals->count - 1] == line)
		return 0;
	refusals->line[refusals->count] = line;
	refusals->err[refusals->count++] = *err;
	return refusals->count == APPLY_ERRORS;
}

/* The same plan once more, these in words: those of all of a big change would fill memory. */
static void refusals_report(const struct refusals *refusals, const struct state *now,
			    const struct state *want)
{
	const struct plan_how how = {
		.told = true, .only = refusals->line, .only_count = refusals->count,
	};
	struct plan plan;
	size_t i;

	plan_make(&plan, now, want, &how);
	for (i = 0; i < plan.line.count; i++) {
		const struct plan_line *line = &plan.line.at[i];
		const struct wattle_error *err = &refusals->err[i];

		report(NULL, line->table, "%s: %s%s%s", line->text ? line->text : "", err->attr,
		       err->attr[0] ? ": " : "", err->text);
	}
	plan_release(&plan);
}

static void apply_say(const struct plan *plan, bool dry)
{
	if (options.json)
		return;
	if (plan->lines)
		printf("%s: %u added, %u removed, %u changed\n", dry ? "would change" : "changed",
		       plan->added, plan->removed, plan->changed);
	else
		puts("nothing changed");
}

/* The tables are no longer those that the plan was made from. */
static bool apply_is_late(struct call *call, const struct state *now)
{
	uint64_t generation = now->generation;

	return !state_generation(call, &generation) && generation != now->generation;
}

/* EXIT_*, or -EAGAIN. */
static int apply_commit(struct call *call, const struct plan *plan, const struct state *now,
			const struct state *want)
{
	struct wattle_error err;
	int code;

	code = wattle_batch_finish(plan->batch, &now->generation, &err);
	if (code == -ECANCELED && apply_is_late(call, now))
		code = -EAGAIN;
	if (code && code != -EAGAIN) {
		if (code == -ECANCELED)
			refusals_report(plan->how.arg, now, want);
		else
			report_error(NULL, &err);
		code = EXIT_REFUSED;
	}
	return code;
}

/* One attempt. EXIT_*, or -EAGAIN. */
static int apply_once(struct call *call, struct manifest *m, struct plan *plan,
		      struct state *now, struct state *want)
{
	bool dry = given(call, SLOT_DRY_RUN);
	struct refusals refusals = {};
	struct plan_how how = {
		.told = given(call, SLOT_DIFF), .dry = dry, .fn = apply_refused, .arg = &refusals,
	};
	int code;

	code = state_read(call, m, now);
	if (!code)
		code = state_want(call, m, value_of(call, SLOT_NODE)->text, now, want);
	if (code)
		return code;
	if (!dry)
		how.sock = family(call);
	plan_make(plan, now, want, &how);
	if (plan->failed)
		return EXIT_REFUSED;
	return dry ? EXIT_DONE : apply_commit(call, plan, now, want);
}

static int apply_kernel(struct call *call, struct manifest *m)
{
	struct state now = {}, want = {};
	struct plan plan = {};
	int code, tries = 0;
	bool dry = given(call, SLOT_DRY_RUN);

	do {
		state_release(&now);
		state_release(&want);
		plan_release(&plan);
		code = apply_once(call, m, &plan, &now, &want);
	} while (code == -EAGAIN && ++tries < APPLY_TRIES);
	if (code == -EAGAIN) {
		report(NULL, NULL, "apply: the tables are changed by others all the time: nothing changed");
		code = EXIT_REFUSED;
	}
	/* Before anything is said: whoever reads that may go away. */
	if (!code && !dry)
		code = routes_sync(NULL, true);
	if (!code && given(call, SLOT_DIFF))
		code = apply_show(&plan, &now, &want);
	if (!code)
		apply_say(&plan, dry);
	state_release(&now);
	state_release(&want);
	plan_release(&plan);
	return code;
}

/* Whether the manifests are good, and what they make of tables with nothing in them. */
static int apply_dry(struct call *call, struct manifest *m)
{
	const struct plan_how how = { .told = given(call, SLOT_DIFF), .dry = true };
	struct state none = {}, want = {};
	struct plan plan = {};
	int code = state_want(call, m, value_of(call, SLOT_NODE)->text, &none, &want);

	if (!code) {
		state_sort(&none);
		plan_make(&plan, &none, &want, &how);
		if (plan.failed)
			code = EXIT_REFUSED;
		else if (how.told)
			code = apply_show(&plan, &none, &want);
		plan_release(&plan);
	}
	state_release(&none);
	state_release(&want);
	return code;
}

static bool apply_has_kernel(void)
{
	struct wattle_sock *sock;
	struct wattle_error err;
	struct wattle_link link;

	if (wattle_open(&sock, &err))
		return false;
	wattle_close(sock);
	return device_find(&link);
}

static int apply_run(struct call *call)
{
	struct manifest *m = manifests_load(call);
	int code;

	if (!m)
		return EXIT_REFUSED;
	if (given(call, SLOT_DRY_RUN) && !apply_has_kernel())
		code = apply_dry(call, m);
	else
		code = apply_kernel(call, m);
	manifest_destroy(m);
	return code;
}

static const struct verb apply_verbs[] = {
	{
		.name = "", .help = "make the tables what Kubernetes manifests want",
		.params = apply_params, .count = ARRAY_SIZE(apply_params), .run = apply_run,
	},
};

const struct object apply_object = {
	.name = "apply", .help = "make the tables what Kubernetes manifests want, as one change",
	.verbs = apply_verbs, .count = ARRAY_SIZE(apply_verbs),
};
