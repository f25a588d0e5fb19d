// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

static int version_reply(const struct nlmsghdr *nlh, void *arg)
{
	return wattle_info_parse(nlh, arg);
}

/* Without a device the family may not answer; sysfs does. */
static void version_from_sysfs(char *text, size_t size)
{
	FILE *file = fopen("/sys/module/wattle/version", "re");

	text[0] = '\0';
	if (!file)
		return;
	if (!fgets(text, size, file))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static void version_of_module(char *text, size_t size)
{
	struct wattle_info info = {};
	struct wattle_sock *sock;
	struct wattle_error err;

	text[0] = '\0';
	if (wattle_open(&sock, &err))
		return;
	wattle_info_ask(scratch());
	if (!wattle_call(sock, scratch(), version_reply, &info, &err))
		snprintf(text, size, "%s", info.version);
	wattle_close(sock);
	if (!text[0])
		version_from_sysfs(text, size);
}

static int version_run(struct call *call)
{
	const char *old = NULL;
	char module[64];
	int order;

	(void)call;
	version_of_module(module, sizeof(module));
	order = module[0] ? strverscmp(WATTLE_VERSION, module) : 0;
	if (order)
		old = order > 0 ? "module" : "tool";
	if (options.json)
		return show_object(json_pack("{s:s, s:o, s:o}", "tool", WATTLE_VERSION,
					     "module", json_text(module),
					     "upgrade", old ? json_string(old) : json_null()));
	printf("wattlectl %s\n", WATTLE_VERSION);
	if (module[0])
		printf("module    %s\n", module);
	else
		printf("module    not loaded\n");
	if (old)
		printf("They differ: upgrade the %s.\n", old);
	return EXIT_DONE;
}

static const struct verb version_verbs[] = {
	{ .name = "", .help = "the versions of the tool and of the module", .run = version_run },
};

const struct object version_object = {
	.name = "version", .help = "of the tool and of the module",
	.verbs = version_verbs, .count = ARRAY_SIZE(version_verbs),
};
