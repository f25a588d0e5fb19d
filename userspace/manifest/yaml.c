// SPDX-License-Identifier: GPL-2.0-only
/*
 * YAML into values. An element of a top-level "items" is handed on as soon as it
 * is whole, so that a list of thousands of pods takes the memory of one.
 */
#include <stdlib.h>
#include <yaml.h>

#include "internal.h"

struct anchor {
	char *name;
	struct node *node;
};

/**
 * struct yaml - a stream on its way in
 * @open: containers that are not closed, the document's root first
 * @key: of the next value in the innermost map, by depth
 * @anchors: of the document
 * @aliased: values that aliases have repeated
 * @mark: of the memory, at the beginning of "items"
 */
struct yaml {
	struct reader *r;
	yaml_parser_t parser;
	struct node *open[NODE_DEPTH];
	const char *key[NODE_DEPTH];
	unsigned int depth;
	struct anchor *anchors;
	unsigned int anchor_count;
	size_t aliased;
	struct arena mark;
	bool failed;
};

static bool yaml_bad(struct yaml *y, unsigned int line, const char *what)
{
	struct node at = { .line = line };

	bad(y->r, &at, "%s", what);
	y->failed = true;
	return false;
}

static void anchors_release(struct yaml *y)
{
	unsigned int i;

	for (i = 0; i < y->anchor_count; i++)
		free(y->anchors[i].name);
	free(y->anchors);
	y->anchors = NULL;
	y->anchor_count = 0;
	y->aliased = 0;
}

static void anchor_set(struct yaml *y, const yaml_char_t *name, struct node *node)
{
	struct anchor *anchor;

	if (!name)
		return;
	anchor = APPEND(y->anchors, y->anchor_count);
	anchor->name = strdup((const char *)name);
	anchor->node = node;
}

/* True where @list is the top-level "items" of a document. */
static bool is_items(const struct yaml *y, const struct node *list)
{
	return y->depth == 2 && list->type == NODE_LIST && list->key &&
	       !strcmp(list->key, "items");
}

/* An element of "items" is whole. */
static void yaml_item(struct yaml *y, struct node *item)
{
	struct node *list = item->parent;
	bool taken;

	/* Others wait already. */
	if (list->first != item)
		return;
	item->parent = NULL;
	y->r->list = list->parent;
	taken = y->r->fn(y->r, item);
	y->r->list = NULL;
	if (!taken) {
		item->parent = list;
		return;
	}
	list->first = NULL;
	list->last = NULL;
	/* Others may be made of it by alias. */
	if (!y->anchor_count)
		arena_rollback(&y->r->arena, &y->mark);
}

/* Put a value where it belongs. */
static bool yaml_value(struct yaml *y, struct node *node)
{
	struct node *parent;

	if (!y->depth)
		return true;
	parent = y->open[y->depth - 1];
	if (parent->type == NODE_MAP) {
		node->key = y->key[y->depth - 1];
		y->key[y->depth - 1] = NULL;
	}
	node_add(parent, node);
	parent->size += node->size;
	return true;
}

/* A scalar in the place of a key. */
static bool yaml_key(struct yaml *y, const yaml_event_t *event)
{
	unsigned int line = event->start_mark.line + 1;
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return yaml_bad(y, line, "a name with a zero byte in it");
	if (!strcmp(text, "<<") && event->data.scalar.plain_implicit)
		return yaml_bad(y, line, "merge keys (<<) are not supported: write it out");
	y->key[y->depth - 1] = arena_text(&y->r->arena, text, event->data.scalar.length);
	return true;
}

static bool expects_key(const struct yaml *y)
{
	return y->depth && y->open[y->depth - 1]->type == NODE_MAP && !y->key[y->depth - 1];
}

static bool yaml_scalar(struct yaml *y, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	struct node *node;

	if (expects_key(y))
		return yaml_key(y, event);
	node = node_new(y->r, NODE_SCALAR, event->start_mark.line + 1);
	node->len = event->data.scalar.length;
	node->text = arena_text(&y->r->arena, (const char *)event->data.scalar.value, node->len);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (tag && !strcmp(tag, "tag:yaml.org,2002:str"))
		node->quoted = true;
	else if (tag && *tag && strcmp(tag, "!"))
		return yaml_bad(y, node->line, "tags are not supported");
	anchor_set(y, event->data.scalar.anchor, node);
	if (!yaml_value(y, node))
		return false;
	if (!y->depth)
		y->r->fn(y->r, node);
	else if (is_items(y, y->open[y->depth - 1]))
		yaml_item(y, node);
	return true;
}

static bool yaml_open(struct yaml *y, const yaml_event_t *event, enum node_type type,
		      const yaml_char_t *anchor)
{
	struct node *node;

	if (expects_key(y))
		return yaml_bad(y, event->start_mark.line + 1, "a key has to be a string");
	if (y->depth == NODE_DEPTH)
		return yaml_bad(y, event->start_mark.line + 1, "nested too deeply");
	node = node_new(y->r, type, event->start_mark.line + 1);
	if (y->depth && y->open[y->depth - 1]->type == NODE_MAP)
		node->key = y->key[y->depth - 1];
	/* Its size is added when it closes. */
	if (y->depth) {
		y->key[y->depth - 1] = NULL;
		node_add(y->open[y->depth - 1], node);
	}
	anchor_set(y, anchor, node);
	y->open[y->depth] = node;
	y->key[y->depth++] = NULL;
	if (is_items(y, node))
		y->mark = y->r->arena;
	return true;
}

static bool yaml_close(struct yaml *y)
{
	struct node *node = y->open[--y->depth];

	if (node->type == NODE_MAP && !node_unique(y->r, node)) {
		y->failed = true;
		return false;
	}
	if (!y->depth) {
		y->r->fn(y->r, node);
		return true;
	}
	y->open[y->depth - 1]->size += node->size;
	if (is_items(y, y->open[y->depth - 1]))
		yaml_item(y, node);
	return true;
}

static bool yaml_alias(struct yaml *y, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	unsigned int i = y->anchor_count;
	struct node *node;

	if (expects_key(y))
		return yaml_bad(y, event->start_mark.line + 1, "a key has to be a string");
	while (i && strcmp(y->anchors[i - 1].name, name))
		i--;
	if (!i)
		return yaml_bad(y, event->start_mark.line + 1, "there is no such anchor");
	node = arena_alloc(&y->r->arena, sizeof(*node));
	*node = *y->anchors[i - 1].node;
	node->next = NULL;
	node->key = NULL;
	y->aliased += node->size;
	if (y->aliased > NODE_ALIASED)
		return yaml_bad(y, event->start_mark.line + 1, "aliases repeat too much");
	for (i = 0; i < y->depth; i++)
		if (y->open[i]->first == node->first && node->first)
			return yaml_bad(y, event->start_mark.line + 1, "an alias in its own anchor");
	if (!yaml_value(y, node))
		return false;
	if (y->depth && is_items(y, y->open[y->depth - 1]))
		yaml_item(y, node);
	return true;
}

static void yaml_document_end(struct yaml *y)
{
	anchors_release(y);
	arena_release(&y->r->arena);
}

static bool yaml_event(struct yaml *y, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return yaml_scalar(y, event);
	case YAML_SEQUENCE_START_EVENT:
		return yaml_open(y, event, NODE_LIST, event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return yaml_open(y, event, NODE_MAP, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return yaml_close(y);
	case YAML_ALIAS_EVENT:
		return yaml_alias(y, event);
	case YAML_DOCUMENT_END_EVENT:
		yaml_document_end(y);
		return true;
	default:
		return true;
	}
}

static bool yaml_syntax(struct yaml *y)
{
	const yaml_parser_t *p = &y->parser;
	char text[300];

	snprintf(text, sizeof(text), "not YAML: %s%s%s", p->problem ? p->problem : "unreadable",
		 p->context ? ", " : "", p->context ? p->context : "");
	return yaml_bad(y, p->problem_mark.line + 1, text);
}

bool yaml_read(struct reader *r, const char *text, size_t len)
{
	struct yaml y = { .r = r };
	yaml_event_t event;
	bool end = false;

	if (!yaml_parser_initialize(&y.parser)) {
		bad_at(r->m, "out of memory");
		return false;
	}
	yaml_parser_set_input_string(&y.parser, (const unsigned char *)text, len);
	while (!end && !y.failed) {
		if (!yaml_parser_parse(&y.parser, &event)) {
			yaml_syntax(&y);
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event(&y, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&y.parser);
	yaml_document_end(&y);
	return !y.failed;
}
