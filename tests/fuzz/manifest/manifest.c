// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a manifest: read, compiled, and asked for everything. For libFuzzer. */
#include <stdlib.h>

#include "manifest/manifest.h"

static void say(bool error, const char *text, void *arg)
{
	(void)error;
	(void)text;
	(void)arg;
}

static void ask(struct manifest *m)
{
	struct manifest_service *services;
	struct manifest_rule *rules;
	struct reach reach = {};
	struct reach_end end = {};
	size_t i, count;

	for (i = 0; i < manifest_identity_count(m) && i < 64; i++) {
		end.rules = manifest_rules(m, i, &rules);
		end.rule = rules;
		reach_between(&end, &end, &reach);
		free(reach_text(&reach));
		free(rules);
	}
	reach_release(&reach);
	manifest_services(m, "n1", &services, &count);
	manifest_services_free(services, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest *m = manifest_create(say, NULL);

	if (size && data[0] == '#')
		manifest_ignore_unknown(m);
	if (manifest_load_text(m, "fuzz", (const char *)data, size) && manifest_compile(m))
		ask(m);
	manifest_destroy(m);
	return 0;
}
