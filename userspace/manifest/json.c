// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON into values: what YAML's reader would not take (surrogate pairs, tabs), and
 * with the line of every value, which other readers of JSON do not tell.
 */
#include <stdlib.h>

#include "internal.h"

struct json {
	struct reader *r;	/* NULL: only look whether it is JSON */
	const char *at;
	const char *end;
	unsigned int line;
	unsigned int depth;
};

static bool json_bad(struct json *j, const char *what)
{
	struct node at = { .line = j->line };

	if (j->r)
		bad(j->r, &at, "not JSON: %s", what);
	return false;
}

static void json_space(struct json *j)
{
	for (; j->at < j->end && strchr(" \t\r\n", *j->at) && *j->at; j->at++)
		j->line += *j->at == '\n';
}

static bool json_next(struct json *j, char c)
{
	json_space(j);
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static int hex4(struct json *j)
{
	int value = 0, i;

	if (j->end - j->at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char c = *j->at++;

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static size_t utf8(char *out, unsigned int c)
{
	if (c < 0x80) {
		out[0] = c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = 0xc0 | c >> 6;
		out[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	if (c < 0x10000) {
		out[0] = 0xe0 | c >> 12;
		out[1] = 0x80 | (c >> 6 & 0x3f);
		out[2] = 0x80 | (c & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | c >> 18;
	out[1] = 0x80 | (c >> 12 & 0x3f);
	out[2] = 0x80 | (c >> 6 & 0x3f);
	out[3] = 0x80 | (c & 0x3f);
	return 4;
}

/* After the backslash. Returns bytes written, 0: it is none. */
static size_t json_escape(struct json *j, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int c, low;

	if (j->at == j->end)
		return 0;
	found = *j->at ? strchr(from, *j->at) : NULL;
	if (found) {
		j->at++;
		*out = to[found - from];
		return 1;
	}
	if (*j->at++ != 'u')
		return 0;
	c = hex4(j);
	if (c >= 0xd800 && c < 0xdc00 && j->end - j->at > 2 && j->at[0] == '\\' &&
	    j->at[1] == 'u') {
		j->at += 2;
		low = hex4(j);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return c < 0 || (c >= 0xd800 && c <= 0xdfff) ? 0 : utf8(out, c);
}

/* After the opening quote. */
static bool json_text(struct json *j, const char **text, size_t *len)
{
	const char *close = j->at;
	char *out, *start, none[8];
	size_t used;

	while (close < j->end && *close != '"')
		close += *close == '\\' && close + 1 < j->end ? 2 : 1;
	if (close >= j->end)
		return json_bad(j, "the string does not end");
	/* No escape is shorter than what it stands for. */
	start = out = j->r ? arena_alloc(&j->r->arena, close - j->at + 1) : none;
	while (j->at < close) {
		if ((unsigned char)*j->at < 0x20)
			return json_bad(j, "a control character in a string");
		if (*j->at != '\\') {
			*out = *j->at++;
			out += !!j->r;
			continue;
		}
		j->at++;
		used = json_escape(j, out);
		if (!used)
			return json_bad(j, "a bad escape in a string");
		out += j->r ? used : 0;
	}
	j->at = close + 1;
	*text = start;
	*len = out - start;
	return true;
}

static struct node *json_node(struct json *j, enum node_type type)
{
	static struct node none;

	return j->r ? node_new(j->r, type, j->line) : &none;
}

static struct node *json_value(struct json *j, bool top, const struct node *items);

/* All below @node are where they belong: so it can be told where a field is twice. */
static bool json_unique(struct json *j, const struct node *node)
{
	const struct node *child;

	if (node->type == NODE_MAP && !node_unique(j->r, node))
		return false;
	for_each_node(child, node)
		if (!json_unique(j, child))
			return false;
	return true;
}

/* False: it has to wait for the rest of @items. */
static bool json_item(struct json *j, const struct node *items, struct node *child)
{
	bool taken;

	if (!json_unique(j, child))
		return true;
	j->r->list = items;
	taken = j->r->fn(j->r, child);
	j->r->list = NULL;
	return taken;
}

/* @items: what this is the top-level "items" of, or NULL. */
static struct node *json_list(struct json *j, const struct node *items)
{
	struct node *list = json_node(j, NODE_LIST), *child;
	struct arena mark = {};

	if (j->r)
		mark = j->r->arena;
	if (json_next(j, ']'))
		return list;
	do {
		child = json_value(j, false, NULL);
		if (!child)
			return NULL;
		if (!j->r)
			continue;
		if (!items || list->first || !json_item(j, items, child))
			node_add(list, child);
		else
			arena_rollback(&j->r->arena, &mark);
	} while (json_next(j, ','));
	if (json_next(j, ']'))
		return list;
	json_bad(j, "expected , or ] in a list");
	return NULL;
}

static struct node *json_map(struct json *j, bool top)
{
	struct node *map = json_node(j, NODE_MAP), *child;
	const char *key;
	size_t len;

	if (json_next(j, '}'))
		return map;
	do {
		if (!json_next(j, '"')) {
			json_bad(j, "expected the name of a field");
			return NULL;
		}
		if (!json_text(j, &key, &len))
			return NULL;
		if (j->r && strlen(key) != len) {
			json_bad(j, "a name with a zero byte in it");
			return NULL;
		}
		if (!json_next(j, ':')) {
			json_bad(j, "expected : after the name of a field");
			return NULL;
		}
		child = json_value(j, false, top && j->r && !strcmp(key, "items") ? map : NULL);
		if (!child)
			return NULL;
		if (!j->r)
			continue;
		child->key = key;
		node_add(map, child);
	} while (json_next(j, ','));
	if (!json_next(j, '}')) {
		json_bad(j, "expected , or } in an object");
		return NULL;
	}
	return map;
}

/* true, false, null; with a number it is told that it is one. */
static bool json_is_word(const char *text, bool *number)
{
	char *end;

	*number = false;
	if (!strcmp(text, "true") || !strcmp(text, "false") || !strcmp(text, "null"))
		return true;
	*number = true;
	strtod(text, &end);
	return !*end && *text && strchr("-0123456789", *text);
}

static struct node *json_word(struct json *j)
{
	const char *start = j->at;
	struct node *node = json_node(j, NODE_SCALAR);
	char text[64];
	bool number;

	while (j->at < j->end && *j->at && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *j->at))
		j->at++;
	if ((size_t)(j->at - start) < sizeof(text)) {
		memcpy(text, start, j->at - start);
		text[j->at - start] = '\0';
		if (json_is_word(text, &number)) {
			if (j->r) {
				node->len = j->at - start;
				node->text = arena_text(&j->r->arena, start, node->len);
				node->number = number;
			}
			return node;
		}
	}
	json_bad(j, "expected a value");
	return NULL;
}

static struct node *json_value(struct json *j, bool top, const struct node *items)
{
	struct node *node;

	if (++j->depth > NODE_DEPTH) {
		json_bad(j, "nested too deeply");
		return NULL;
	}
	if (json_next(j, '{')) {
		node = json_map(j, top);
	} else if (json_next(j, '[')) {
		node = json_list(j, items);
	} else if (json_next(j, '"')) {
		node = json_node(j, NODE_SCALAR);
		node->quoted = true;
		if (!json_text(j, &node->text, &node->len))
			node = NULL;
	} else {
		node = json_word(j);
	}
	j->depth--;
	return node;
}

static bool json_all(struct json *j)
{
	struct node *node;

	for (;;) {
		json_space(j);
		if (j->at == j->end)
			return true;
		node = json_value(j, true, NULL);
		if (!node)
			return false;
		if (!j->r)
			continue;
		if (json_unique(j, node))
			j->r->fn(j->r, node);
		arena_release(&j->r->arena);
	}
}

bool json_read(struct reader *r, const char *text, size_t len)
{
	struct json j = { .r = r, .at = text, .end = text + len, .line = 1 };
	bool fine = json_all(&j);

	arena_release(&r->arena);
	return fine;
}

bool json_is(const char *text, size_t len)
{
	struct json j = { .at = text, .end = text + len, .line = 1 };

	json_space(&j);
	return j.at < j.end && (*j.at == '{' || *j.at == '[') && json_all(&j);
}
