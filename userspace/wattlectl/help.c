// SPDX-License-Identifier: GPL-2.0-only
/* Usage, in the manner of ip: made from the grammar. */
#include <string.h>

#include "wattlectl.h"

#define HELP_WIDTH	78

/* A word of usage, on the next line where this one is full. */
static void usage_word(FILE *out, int *column, int indent, const char *word)
{
	int len = strlen(word);

	if (*column > indent && *column + 1 + len > HELP_WIDTH) {
		fprintf(out, "\n%*s", indent, "");
		*column = indent;
	}
	*column += fprintf(out, " %s", word);
}

/* "[ cidr PREFIX ]..." and the like. */
static void usage_param(FILE *out, int *column, int indent, const struct param *param)
{
	char meta[128], value[192], word[512];

	snprintf(meta, sizeof(meta), "%s", value_meta(param, value, sizeof(value)));
	snprintf(value, sizeof(value), "%s%s%s", param->key ? param->key : "",
		 param->key && meta[0] ? " " : "", meta);
	if (param->kind == KIND_CHOICE || strchr(meta, '|')) {
		if (param->key)
			snprintf(value, sizeof(value), "%s { %s }", param->key, meta);
		else
			snprintf(value, sizeof(value), "{ %s }", meta);
	}
	switch (param->flags) {
	case PARAM_REQUIRED:
		snprintf(word, sizeof(word), "%s", value);
		break;
	case PARAM_REQUIRED | PARAM_MANY:
		snprintf(word, sizeof(word), "%s [ %s ]...", value, value);
		break;
	case PARAM_MANY:
		snprintf(word, sizeof(word), "[ %s ]...", value);
		break;
	default:
		snprintf(word, sizeof(word), "[ %s ]", value);
	}
	usage_word(out, column, indent, word);
}

static void usage_line(FILE *out, const struct object *object, const struct verb *verb,
		       const char *begin)
{
	unsigned int i;
	int column, indent;

	column = fprintf(out, "%s wattlectl %s", begin, object->name);
	indent = strlen(begin) + 4;
	if (verb->name[0])
		usage_word(out, &column, indent, verb->name);
	for (i = 0; i < verb->count; i++)
		usage_param(out, &column, indent, &verb->params[i]);
	fputc('\n', out);
}

void usage_verb(FILE *out, const struct object *object, const struct verb *verb)
{
	usage_line(out, object, verb, "Usage:");
}

void usage_object(FILE *out, const struct object *object)
{
	unsigned int i;

	for (i = 0; i < object->count; i++)
		usage_line(out, object, &object->verbs[i], i ? "      " : "Usage:");
	fputc('\n', out);
	for (i = 0; i < object->count; i++)
		fprintf(out, "  %-8s %s\n", object->verbs[i].name, object->verbs[i].help);
}

void usage_all(FILE *out)
{
	unsigned int i;

	fprintf(out,
		"Usage: wattlectl [ OPTION ]... OBJECT VERB [ KEY VALUE ]...\n"
		"       wattlectl [ OPTION ]... -b FILE\n"
		"       wattlectl OBJECT help\n"
		"\n"
		"OPTION := { -n[etns] NETNS | -j[son] | -p[retty] | -b[atch] FILE |\n"
		"            -V[ersion] | -h[elp] }\n"
		"OBJECT :=\n");
	for (i = 0; objects[i]; i++)
		fprintf(out, "  %-10s %s\n", objects[i]->name, objects[i]->help);
	fprintf(out,
		"\n"
		"-b FILE (- for stdin) reads one command a line, and makes all of them one\n"
		"change, or none. See wattlectl(8).\n");
}
