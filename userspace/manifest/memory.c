// SPDX-License-Identifier: GPL-2.0-only
/* Memory that goes as a whole, arrays that grow, texts that are kept once. */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define ARENA_BLOCK	(64 * 1024)

struct arena_block {
	struct arena_block *next;
	char data[] __attribute__((aligned(16)));
};

static void *keep(void *memory)
{
	if (memory)
		return memory;
	fputs("wattlectl: out of memory\n", stderr);
	exit(1);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *at;

	size = (size + 15) & ~(size_t)15;
	if (size > arena->left) {
		size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
		struct arena_block *block = keep(malloc(sizeof(*block) + room));

		block->next = arena->blocks;
		arena->blocks = block;
		arena->at = block->data;
		arena->left = room;
	}
	at = arena->at;
	arena->at += size;
	arena->left -= size;
	return memset(at, 0, size);
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = arena_alloc(arena, len + 1);
	vsnprintf(text, len + 1, fmt, again);
	va_end(again);
	return text;
}

void arena_release(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	memset(arena, 0, sizeof(*arena));
}

void arena_rollback(struct arena *arena, const struct arena *mark)
{
	while (arena->blocks != mark->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = *mark;
}

void *grow(void *array, size_t count, size_t size)
{
	/* Full at 0 and at every power of two from 8 on. */
	if (count && (count < 8 || count & (count - 1)))
		return array;
	return keep(realloc(array, (count ? count * 2 : 8) * size));
}

/* ---- texts to pointers ---- */

struct named {
	struct named_slot {
		const char *key;
		void *value;
	} *slot;
	size_t size;
	size_t count;
};

static size_t named_hash(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325;

	while (*key)
		hash = (hash ^ (unsigned char)*key++) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static struct named_slot *named_find(const struct named *named, const char *key)
{
	size_t i = named_hash(key);

	for (;; i++) {
		struct named_slot *slot = &named->slot[i & (named->size - 1)];

		if (!slot->key || !strcmp(slot->key, key))
			return slot;
	}
}

void *named_get(struct named *named, const char *key)
{
	return named ? named_find(named, key)->value : NULL;
}

static void named_grow(struct named *named)
{
	struct named old = *named;
	size_t i;

	named->size = old.size ? old.size * 2 : 64;
	named->slot = keep(calloc(named->size, sizeof(*named->slot)));
	for (i = 0; i < old.size; i++)
		if (old.slot[i].key)
			*named_find(named, old.slot[i].key) = old.slot[i];
	free(old.slot);
}

/* False where the key is there already: it keeps its value. @key is not copied. */
bool named_put(struct named **named, const char *key, void *value)
{
	struct named_slot *slot;

	if (!*named)
		*named = keep(calloc(1, sizeof(**named)));
	if ((*named)->count * 2 >= (*named)->size)
		named_grow(*named);
	slot = named_find(*named, key);
	if (slot->key)
		return false;
	slot->key = key;
	slot->value = value;
	(*named)->count++;
	return true;
}

void named_release(struct named *named)
{
	if (named)
		free(named->slot);
	free(named);
}

const char *intern(struct manifest *m, const char *text)
{
	const char *found = named_get(m->strings, text);

	if (found)
		return found;
	found = arena_text(&m->arena, text, strlen(text));
	named_put(&m->strings, found, (void *)found);
	return found;
}
