// SPDX-License-Identifier: GPL-2.0-only
/* Values of documents: what they are, and what is said where they are something else. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

struct node *node_new(struct reader *r, enum node_type type, unsigned int line)
{
	struct node *node = arena_alloc(&r->arena, sizeof(*node));

	node->type = type;
	node->line = line;
	node->size = 1;
	node->text = "";
	return node;
}

void node_add(struct node *parent, struct node *child)
{
	child->parent = parent;
	child->index = parent->count++;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

bool node_unique(struct reader *r, const struct node *map)
{
	struct node **sorted, *child;
	unsigned int i = 0;
	bool unique = true;

	if (map->count < 2)
		return true;
	sorted = calloc(map->count, sizeof(*sorted));
	for_each_node(child, map)
		if (sorted)
			sorted[i++] = child;
	if (!sorted)
		return true;
	qsort(sorted, i, sizeof(*sorted), compare_keys);
	for (i = 1; i < map->count; i++) {
		if (strcmp(sorted[i]->key, sorted[i - 1]->key))
			continue;
		bad(r, sorted[i], "the field is there twice, in lines %u and %u",
		    sorted[i - 1]->line, sorted[i]->line);
		unique = false;
		break;
	}
	free(sorted);
	return unique;
}

/* ---- what is wrong ---- */

static void say(struct manifest *m, bool error, char *text)
{
	char *c;

	/* Words of the input are in it: nothing that a terminal obeys. */
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (error)
		m->errors++;
	m->say(error, text, m->say_arg);
}

static size_t path_text(const struct node *node, char *text, size_t size)
{
	size_t len;

	if (!node || !node->parent)
		return 0;
	len = path_text(node->parent, text, size);
	if (len + 80 > size)
		return len;
	if (node->key)
		len += snprintf(text + len, 80, "%s%.64s", len ? "." : "", node->key);
	else
		len += snprintf(text + len, 80, "[%u]", node->index);
	return len;
}

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	return node && node->type == NODE_SCALAR && node->len ? node->text : NULL;
}

/* An object that is not whole yet, as far as it has told what it is. */
static void object_of(struct reader *r, const struct node *node, struct reader *out)
{
	const struct node *top = node, *meta;

	for (; node; node = node->parent) {
		top = node;
		if (node->parent && node->parent->key && !strcmp(node->parent->key, "items") &&
		    node->parent->parent && !node->parent->parent->parent)
			break;
	}
	meta = node_get(top, "metadata");
	*out = (struct reader){ .m = r->m, .file = r->file, .kind = text_of(top, "kind"),
				.ns = text_of(meta, "namespace"), .name = text_of(meta, "name") };
}

/* "FILE:LINE: KIND NAMESPACE/NAME: FIELD" */
static void where_text(struct reader *r, const struct node *node, char *text, size_t size)
{
	struct reader early;
	char path[512] = "";
	size_t len;

	if (!r->kind) {
		object_of(r, node, &early);
		r = &early;
	}
	path_text(node, path, sizeof(path));
	len = snprintf(text, size, "%.200s:%u", r->file, node ? node->line : 1);
	if (r->kind && r->name)
		len += snprintf(text + len, size - len, ": %.64s %.63s%s%.253s", r->kind,
				r->ns ? r->ns : "", r->ns ? "/" : "", r->name);
	else if (r->kind)
		len += snprintf(text + len, size - len, ": %.64s", r->kind);
	if (path[0])
		snprintf(text + len, size - len, ": %s", path);
}

const char *where_is(struct reader *r, const struct node *node)
{
	char text[1200];

	where_text(r, node, text, sizeof(text));
	return arena_text(&r->m->arena, text, strlen(text));
}

static void say_of(struct reader *r, const struct node *node, bool error, const char *fmt,
		   va_list args)
{
	char where[1200], what[800], text[2048];

	where_text(r, node, where, sizeof(where));
	vsnprintf(what, sizeof(what), fmt, args);
	snprintf(text, sizeof(text), "%s: %s", where, what);
	say(r->m, error, text);
}

void bad(struct reader *r, const struct node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_of(r, node, true, fmt, args);
	va_end(args);
}

void warn(struct reader *r, const struct node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_of(r, node, false, fmt, args);
	va_end(args);
}

void bad_at(struct manifest *m, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(m, true, text);
}

void warn_at(struct manifest *m, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(m, false, text);
}

/* ---- what it is ---- */

static bool one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };

	return node->type == NODE_SCALAR && !node->quoted && one_of(node->text, nulls);
}

/* -1: no boolean. */
static int node_truth(const struct node *node)
{
	static const char *const yes[] = {
		"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL
	};
	static const char *const no[] = {
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL
	};

	if (node->type != NODE_SCALAR || node->quoted)
		return -1;
	return one_of(node->text, yes) ? 1 : one_of(node->text, no) ? 0 : -1;
}

/* Digits, a point, digits, an exponent: what YAML 1.1 takes for a number, and no more. */
static bool is_fraction(const char *text)
{
	size_t before = strspn(text, "0123456789_"), after;

	if (text[before] != '.')
		return false;
	text += before + 1;
	after = strspn(text, "0123456789_");
	text += after;
	if (!before && !after)
		return false;
	if (*text != 'e' && *text != 'E')
		return !*text;
	text++;
	text += *text == '-' || *text == '+';
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* After "0": "x", "o" or "b", and digits of that base, as many as 64 bits take. */
static bool is_based(const char *text)
{
	const char *digits = *text == 'x' ? "0123456789abcdefABCDEF_" :
			     *text == 'o' ? "01234567_" : "01_";
	size_t most = *text == 'x' ? 16 : *text == 'o' ? 22 : 64, len = strlen(text + 1);

	return len && len <= most && strspn(text + 1, digits) == len;
}

/* A plain scalar that YAML takes for a number of any kind. */
bool node_is_number(const struct node *node)
{
	static const char *const words[] = {
		".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL
	};
	const char *text = node->text;

	if (node->number)
		return true;
	if (node->type != NODE_SCALAR || node->quoted)
		return false;
	text += *text == '-' || *text == '+';
	if (one_of(text, words) || is_fraction(text))
		return true;
	if (text[0] == '0' && text[1] && strchr("xob", text[1]))
		return is_based(text + 1);
	return isdigit((unsigned char)*text) && !text[strspn(text, "0123456789_")];
}

static const char *node_words(const struct node *node)
{
	if (node->type == NODE_MAP)
		return "an object";
	if (node->type == NODE_LIST)
		return "a list";
	if (node_is_null(node))
		return "null";
	if (node_truth(node) >= 0)
		return "a boolean";
	return node_is_number(node) ? "a number" : "a string";
}

bool node_expect(struct reader *r, const struct node *node, enum node_type type)
{
	if (node->type == type)
		return true;
	bad(r, node, "is %s, and should be %s", node_words(node),
	    type == NODE_MAP ? "an object" : type == NODE_LIST ? "a list" : "a single value");
	return false;
}

struct node *node_get(const struct node *map, const char *key)
{
	struct node *child;

	if (!map || map->type != NODE_MAP)
		return NULL;
	for_each_node(child, map)
		if (!strcmp(child->key, key))
			return node_is_null(child) ? NULL : child;
	return NULL;
}

struct node *node_map(struct reader *r, const struct node *map, const char *key)
{
	struct node *node = node_get(map, key);

	return node && node_expect(r, node, NODE_MAP) ? node : NULL;
}

struct node *node_list(struct reader *r, const struct node *map, const char *key)
{
	struct node *node = node_get(map, key);

	return node && node_expect(r, node, NODE_LIST) ? node : NULL;
}

bool node_string(struct reader *r, const struct node *node, const char **text)
{
	*text = "";
	if (!node)
		return true;
	if (node->type != NODE_SCALAR || node_is_null(node) || node_truth(node) >= 0 ||
	    node_is_number(node)) {
		bad(r, node, "is %s, and should be a string%s", node_words(node),
		    node->type == NODE_SCALAR ? ": put it in quotes" : "");
		return false;
	}
	if (strlen(node->text) != node->len) {
		bad(r, node, "has a zero byte in it");
		return false;
	}
	*text = node->text;
	return true;
}

bool node_number(struct reader *r, const struct node *node, long min, long max, long *number)
{
	uint64_t value;

	*number = 0;
	if (!node)
		return true;
	if (node->type != NODE_SCALAR || node->quoted || !node_is_number(node) ||
	    wattle_number_parse(&value, node->text, 0, INT64_MAX) ||
	    (node->text[0] == '0' && node->text[1])) {
		bad(r, node, "is %s, and should be a whole number from %ld to %ld",
		    node_words(node), min, max);
		return false;
	}
	if ((long)value < min || (long)value > max) {
		bad(r, node, "%s is not from %ld to %ld", node->text, min, max);
		return false;
	}
	*number = value;
	return true;
}

bool node_bool(struct reader *r, const struct node *node, bool *value)
{
	int truth;

	if (!node)
		return true;
	truth = node_truth(node);
	if (truth < 0) {
		bad(r, node, "is %s, and should be true or false", node_words(node));
		return false;
	}
	*value = truth;
	return true;
}

const char *node_get_string(struct reader *r, const struct node *map, const char *key)
{
	const char *text;

	node_string(r, node_get(map, key), &text);
	return text;
}

bool node_fields(struct reader *r, const struct node *map, const char *const *known)
{
	char list[400];
	struct node *child;
	bool fine = true;
	size_t len;
	int i;

	for_each_node(child, map) {
		if (one_of(child->key, known))
			continue;
		for (len = 0, i = 0; known[i] && len < sizeof(list); i++)
			len += snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					known[i]);
		bad(r, child, "unknown field; known here: %s", list);
		fine = false;
	}
	return fine;
}

bool node_refuse(struct reader *r, const struct node *map, const char *const *refused,
		 const char *why)
{
	struct node *child;
	bool fine = true;

	for_each_node(child, map) {
		if (!one_of(child->key, refused) || node_is_null(child))
			continue;
		bad(r, child, "%s", why);
		fine = false;
	}
	return fine;
}
