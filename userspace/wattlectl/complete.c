// SPDX-License-Identifier: GPL-2.0-only
/*
 * "wattlectl complete WORDS...": what may stand in place of the last of the words,
 * one candidate a line. The shell's completion asks this, so it knows no grammar.
 */
#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

static void candidate(const char *word, const char *begun)
{
	if (word && *word && !strncmp(word, begun, strlen(begun)))
		puts(word);
}

static void candidates(const char *const *words, const char *begun)
{
	int i;

	for (i = 0; words[i]; i++)
		candidate(words[i], begun);
}

static void complete_devs(const char *begun)
{
	struct if_nameindex *devs = if_nameindex(), *dev;

	for (dev = devs; dev && dev->if_index; dev++)
		candidate(dev->if_name, begun);
	if_freenameindex(devs);
}

static void complete_netns(const char *begun)
{
	DIR *dir = opendir("/run/netns");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			candidate(entry->d_name, begun);
	if (dir)
		closedir(dir);
}

static void complete_value(const struct param *param, const char *begun)
{
	static const char *const protos[] = { "tcp", "udp", "sctp", "icmp", "icmpv6", NULL };
	static const char *const peers[] = { "any", "id", NULL };

	switch (param->kind) {
	case KIND_DEV:
		complete_devs(begun);
		break;
	case KIND_PROTO:
		candidates(protos, begun);
		break;
	case KIND_PEER:
		candidates(peers, begun);
		break;
	case KIND_CHOICE:
		candidates(param->choices, begun);
		break;
	default:
		break;
	}
}

/* Which parameter a word belongs to that does not follow a key. */
static const struct param *complete_bare(const struct verb *verb, const bool *seen,
					 const char *word)
{
	unsigned int i;
	int j;

	for (i = 0; i < verb->count; i++) {
		const struct param *param = &verb->params[i];

		if (param->key || seen[param->slot])
			continue;
		if (param->kind != KIND_CHOICE)
			return param;
		for (j = 0; param->choices[j]; j++)
			if (!strcmp(param->choices[j], word))
				return param;
	}
	return NULL;
}

/* Keys that have not come, and what stands alone. */
static void complete_keys(const struct verb *verb, const bool *seen, const char *begun)
{
	unsigned int i;

	for (i = 0; i < verb->count; i++) {
		const struct param *param = &verb->params[i];

		if (seen[param->slot] && !(param->flags & PARAM_MANY))
			continue;
		if (param->key)
			candidate(param->key, begun);
		else
			complete_value(param, begun);
		/* The name of the object comes first, and nothing before it. */
		if (!param->key && param->kind != KIND_CHOICE && param->flags & PARAM_REQUIRED)
			return;
	}
}

static void complete_verb(const struct verb *verb, int argc, char **argv)
{
	bool seen[SLOT_COUNT] = {};
	int i = 0;

	while (i < argc - 1) {
		const struct param *param = param_find(verb, argv[i]);

		if (!param) {
			param = complete_bare(verb, seen, argv[i]);
			if (param)
				seen[param->slot] = true;
			i++;
			continue;
		}
		seen[param->slot] = true;
		i++;
		if (param->kind == KIND_FLAG)
			continue;
		if (i == argc - 1) {
			complete_value(param, argv[i]);
			return;
		}
		if (param->kind == KIND_PEER && !strcmp(argv[i], "id")) {
			if (++i == argc - 1)
				return;
		}
		i++;
	}
	complete_keys(verb, seen, argv[argc - 1]);
}

static void complete_object(const struct object *object, int argc, char **argv)
{
	const struct verb *verb;
	bool ambiguous;
	unsigned int i;

	if (!object->verbs[0].name[0]) {
		complete_verb(&object->verbs[0], argc, argv);
		return;
	}
	if (argc == 1) {
		for (i = 0; i < object->count; i++) {
			candidate(object->verbs[i].name, argv[0]);
			if (*argv[0])
				candidate(object->verbs[i].alias, argv[0]);
		}
		candidate("help", argv[0]);
		return;
	}
	verb = verb_find(object, argv[0], &ambiguous);
	if (verb)
		complete_verb(verb, argc - 1, argv + 1);
}

/* How many words of options there are; -1: the last word belongs to one. */
static int complete_options(int argc, char **argv)
{
	static const char *const words[] = { "-n", "-j", "-p", "-b", "-V", "-h", NULL };
	int i;

	for (i = 0; i < argc - 1 && argv[i][0] == '-'; i++) {
		if (argv[i][1] != 'n' && argv[i][1] != 'b')
			continue;
		if (++i < argc - 1)
			continue;
		if (argv[i - 1][1] == 'n')
			complete_netns(argv[i]);
		return -1;
	}
	if (i == argc - 1 && argv[i][0] == '-') {
		candidates(words, argv[i]);
		return -1;
	}
	return i;
}

int complete(int argc, char **argv)
{
	const struct object *object;
	bool ambiguous;
	int i;

	if (!argc)
		return EXIT_DONE;
	i = complete_options(argc, argv);
	if (i < 0)
		return EXIT_DONE;
	argc -= i;
	argv += i;
	if (argc == 1) {
		for (i = 0; objects[i]; i++)
			candidate(objects[i]->name, argv[0]);
		candidate("help", argv[0]);
		return EXIT_DONE;
	}
	object = object_find(argv[0], &ambiguous);
	if (object)
		complete_object(object, argc - 1, argv + 1);
	return EXIT_DONE;
}
