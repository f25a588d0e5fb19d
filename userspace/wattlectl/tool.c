// SPDX-License-Identifier: GPL-2.0-only
/* The command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

struct options options;

static int usage_error(const char *what, const char *which)
{
	report(NULL, NULL, "%s \"%s\": try \"wattlectl help\"", what, which);
	return EXIT_USAGE;
}

/* EXIT_DONE to go on, else the exit code, or -1: that was all. */
static int options_parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "netns", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "batch", required_argument, NULL, 'b' },
		{ "version", no_argument, NULL, 'V' },
		{ "Version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool version = false;
	int c;

	memset(&options, 0, sizeof(options));
	opterr = 0;
	optind = 0;
	while ((c = getopt_long_only(argc, argv, "+:n:jpb:Vh", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			options.netns = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'p':
			options.pretty = true;
			break;
		case 'b':
			options.batch = optarg;
			break;
		case 'V':
			version = true;
			break;
		case 'h':
			usage_all(stdout);
			return -1;
		case ':':
			return usage_error("the value is missing after", argv[optind - 1]);
		default:
			return usage_error("unknown option", argv[optind - 1]);
		}
	}
	if (!version)
		return EXIT_DONE;
	version_object.verbs[0].run(NULL);
	return -1;
}

static int netns_enter(void)
{
	struct wattle_error err;

	if (!options.netns || !wattle_netns_enter(options.netns, &err))
		return EXIT_DONE;
	report(NULL, NULL, "%s", err.text);
	return EXIT_REFUSED;
}

static int help(int argc, char **argv)
{
	const struct object *object;
	const struct verb *verb;
	bool ambiguous;

	if (!argc) {
		usage_all(stdout);
		return EXIT_DONE;
	}
	object = object_find(argv[0], &ambiguous);
	if (!object)
		return usage_error("there is no object", argv[0]);
	verb = argc > 1 && object->verbs[0].name[0] ?
	       verb_find(object, argv[1], &ambiguous) : NULL;
	if (verb)
		usage_verb(stdout, object, verb);
	else
		usage_object(stdout, object);
	return EXIT_DONE;
}

/* "wattlectl node help", where nothing has a verb of that name; -h and --help after any word. */
static bool wants_help(int argc, char **argv)
{
	const char *last = argv[argc - 1];

	if (argc == 2 && !strcmp(last, "help"))
		return true;
	return argc > 1 && (!strcmp(last, "-h") || !strcmp(last, "--help"));
}

static int command(int argc, char **argv)
{
	struct call call = {};
	int code;

	if (!strcmp(argv[0], "help"))
		return help(argc - 1, argv + 1);
	if (wants_help(argc, argv))
		return help(argc - 1, argv);
	code = call_parse(&call, argc, argv);
	if (code == EXIT_USAGE && call.verb)
		usage_verb(stderr, call.object, call.verb);
	if (!code)
		code = netns_enter();
	if (!code)
		code = call.verb->run ? call.verb->run(&call) : change(&call);
	call_release(&call);
	return code;
}

int wattlectl(int argc, char **argv)
{
	int code;

	if (argc > 1 && !strcmp(argv[1], "complete"))
		return complete(argc - 2, argv + 2);
	code = options_parse(argc, argv);
	if (code)
		return code < 0 ? EXIT_DONE : code;
	argc -= optind;
	argv += optind;
	if (options.batch) {
		if (argc)
			return usage_error("with -b, commands come from the file, not", argv[0]);
		code = netns_enter();
		return code ? code : batch_run(options.batch);
	}
	if (!argc) {
		usage_all(stderr);
		return EXIT_USAGE;
	}
	return command(argc, argv);
}
