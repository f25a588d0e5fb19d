// SPDX-License-Identifier: GPL-2.0-only
/* From words to a call. */
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

const struct object *const objects[] = {
	&device_object, &node_object, &identity_object, &endpoint_object, &policy_object,
	&service_object, &backend_object, &range_object, &egress_object, &apply_object,
	&explain_object, &flow_object, &monitor_object, &stats_object, &health_object,
	&route_object, &version_object, NULL
};

static bool begins(const char *name, const char *word)
{
	return name && !strncmp(name, word, strlen(word));
}

const struct object *object_find(const char *word, bool *ambiguous)
{
	const struct object *found = NULL;
	int i, count = 0;

	*ambiguous = false;
	for (i = 0; *word && objects[i]; i++) {
		if (!strcmp(objects[i]->name, word))
			return objects[i];
		if (begins(objects[i]->name, word)) {
			found = objects[i];
			count++;
		}
	}
	*ambiguous = count > 1;
	return count == 1 ? found : NULL;
}

const struct verb *verb_find(const struct object *object, const char *word, bool *ambiguous)
{
	const struct verb *found = NULL;
	unsigned int i, count = 0;

	*ambiguous = false;
	for (i = 0; *word && i < object->count; i++) {
		const struct verb *verb = &object->verbs[i];

		if (!strcmp(verb->name, word) || (verb->alias && !strcmp(verb->alias, word)))
			return verb;
		if (begins(verb->name, word) || begins(verb->alias, word)) {
			found = verb;
			count++;
		}
	}
	*ambiguous = count > 1;
	return count == 1 ? found : NULL;
}

const struct param *param_find(const struct verb *verb, const char *key)
{
	unsigned int i;

	for (i = 0; i < verb->count; i++)
		if (verb->params[i].key && !strcmp(verb->params[i].key, key))
			return &verb->params[i];
	return NULL;
}

/* ---- values ---- */

static struct value *call_add(struct call *call)
{
	struct value *value;

	if (call->count == call->room)
		return NULL;
	value = &call->values[call->count++];
	memset(value, 0, sizeof(*value));
	return value;
}

static void call_link(struct call *call, struct value *value)
{
	enum slot slot = value->param->slot;

	if (call->last[slot])
		call->last[slot]->next = value;
	else
		call->first[slot] = value;
	call->last[slot] = value;
}

void call_reset(struct call *call)
{
	memset(call->first, 0, sizeof(call->first));
	memset(call->last, 0, sizeof(call->last));
	call->object = NULL;
	call->verb = NULL;
	call->count = 0;
}

void call_release(struct call *call)
{
	free(call->values);
	memset(call, 0, sizeof(*call));
}

/* The choice without key that @word is one of. */
static const struct param *param_choice(const struct verb *verb, const char *word)
{
	unsigned int i, j;

	for (i = 0; i < verb->count; i++) {
		const struct param *param = &verb->params[i];

		if (param->key || param->kind != KIND_CHOICE)
			continue;
		for (j = 0; param->choices[j]; j++)
			if (!strcmp(param->choices[j], word))
				return param;
	}
	return NULL;
}

/* The next value that stands in its place, and has not come. */
static const struct param *param_place(const struct call *call)
{
	unsigned int i;

	for (i = 0; i < call->verb->count; i++) {
		const struct param *param = &call->verb->params[i];

		if (!param->key && param->kind != KIND_CHOICE && !call->first[param->slot])
			return param;
	}
	return NULL;
}

/* What the next word begins: in its place comes before every key, as it is first. */
static const struct param *param_next(const struct call *call, const char *word)
{
	const struct param *place = param_place(call), *param;

	if (place && place->flags & PARAM_REQUIRED)
		return place;
	param = param_find(call->verb, word);
	if (!param)
		param = param_choice(call->verb, word);
	return param ? param : place;
}

static int call_word(struct call *call, int argc, char **argv)
{
	const struct param *param = param_next(call, argv[0]);
	struct value *value;
	char why[256];
	int used, key = 0;

	if (!param) {
		report(call, NULL, "what is \"%s\"?", argv[0]);
		return -EXIT_USAGE;
	}
	if (call->first[param->slot] && !(param->flags & PARAM_MANY)) {
		report(call, param->key, param->key ? "given twice" : "\"%s\" is one too many",
		       argv[0]);
		return -EXIT_USAGE;
	}
	if (param->key && param->kind != KIND_FLAG)
		key = 1;
	if (key && (argc < 2 || !argv[1])) {
		report(call, param->key, "the value is missing");
		return -EXIT_USAGE;
	}
	value = call_add(call);
	if (!value) {
		report(call, NULL, "too many words");
		return -EXIT_USAGE;
	}
	value->param = param;
	value->text = argv[key];
	used = value_parse(value, param, argc - key, argv + key, why, sizeof(why));
	/* What names the object is known to the report from here on. */
	call_link(call, value);
	if (used < 0) {
		char meta[64];

		report(call, param->key ? param->key : value_meta(param, meta, sizeof(meta)),
		       "%s", why);
		return used == -2 ? -EXIT_USAGE : -EXIT_REFUSED;
	}
	return key + used;
}

static int call_complete(const struct call *call)
{
	char text[128];
	const char *meta;
	unsigned int i;

	for (i = 0; i < call->verb->count; i++) {
		const struct param *param = &call->verb->params[i];

		if (!(param->flags & PARAM_REQUIRED) || call->first[param->slot])
			continue;
		meta = value_meta(param, text, sizeof(text));
		if (param->key)
			report(call, NULL, "\"%s %s\" is missing", param->key, meta);
		else
			report(call, NULL, "%s is missing", meta);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int call_object(struct call *call, const char *word)
{
	bool ambiguous;

	call->object = object_find(word, &ambiguous);
	if (call->object)
		return EXIT_DONE;
	report(call, NULL, ambiguous ? "\"%s\" may be several objects: try \"wattlectl help\"" :
	       "there is no object \"%s\": try \"wattlectl help\"", word);
	return EXIT_USAGE;
}

static int call_verb(struct call *call, const char *word)
{
	bool ambiguous;

	call->verb = verb_find(call->object, word, &ambiguous);
	if (call->verb)
		return EXIT_DONE;
	report(call, NULL, ambiguous ? "\"%s\" may be several verbs: try \"wattlectl %s help\"" :
	       "there is no verb \"%s\": try \"wattlectl %s help\"", word, call->object->name);
	return EXIT_USAGE;
}

/* Room for every value that @argc words can make. */
static int call_room(struct call *call, int argc)
{
	struct value *values;

	if (call->room >= (unsigned int)argc)
		return EXIT_DONE;
	values = realloc(call->values, argc * sizeof(*values));
	if (!values) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	call->values = values;
	call->room = argc;
	return EXIT_DONE;
}

int call_parse(struct call *call, int argc, char **argv)
{
	int i = 0, used, code;

	call_reset(call);
	code = call_room(call, argc);
	if (!code)
		code = call_object(call, argv[i++]);
	if (code)
		return code;
	if (!call->object->verbs[0].name[0]) {
		call->verb = &call->object->verbs[0];
	} else if (i < argc) {
		code = call_verb(call, argv[i++]);
		if (code)
			return code;
	} else {
		report(call, NULL, "the verb is missing: try \"wattlectl %s help\"",
		       call->object->name);
		return EXIT_USAGE;
	}
	while (i < argc) {
		used = call_word(call, argc - i, argv + i);
		if (used < 0)
			return -used;
		i += used;
	}
	return call_complete(call);
}
