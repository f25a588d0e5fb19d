/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the tables: charged to who configures, and able to fail on command
 * in the unit tests.
 */
#ifndef WATTLE_ALLOC_H
#define WATTLE_ALLOC_H

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>

#ifdef WATTLE_TEST
bool wattle_alloc_denied(void);
#else
static inline bool wattle_alloc_denied(void)
{
	return false;
}
#endif

/* Zeroed memory for what users create; free with kfree(). Context: may sleep. */
static inline void *wattle_alloc(size_t size)
{
	return wattle_alloc_denied() ? NULL : kzalloc(size, GFP_KERNEL_ACCOUNT);
}

/* Same for arrays, large ones too; free with kvfree(). */
static inline void *wattle_alloc_array(size_t n, size_t size)
{
	return wattle_alloc_denied() ? NULL :
	       kvmalloc_array(n, size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

/**
 * struct wattle_cache - memory for objects of one kind that come by the thousand
 * @slab: of just their size, while there are users
 * @users: tables
 * @name: of the slab
 * @size: of an object
 */
struct wattle_cache {
	struct kmem_cache *slab;
	unsigned int users;
	const char *name;
	unsigned int size;
};

#define WATTLE_CACHE(type)	{ .name = #type, .size = sizeof(struct type) }

/* A table begins to use it: 0 or -ENOMEM; and is done with it. Context: may sleep. */
int wattle_cache_get(struct wattle_cache *cache);
void wattle_cache_put(struct wattle_cache *cache);

/* Zeroed memory for an object. Context: may sleep; a user. */
static inline void *wattle_cache_alloc(struct wattle_cache *cache)
{
	return wattle_alloc_denied() ? NULL : kmem_cache_zalloc(cache->slab, GFP_KERNEL);
}

static inline void wattle_cache_free(struct wattle_cache *cache, void *object)
{
	kmem_cache_free(cache->slab, object);
}

#define WATTLE_HASH_TRIES	8

/*
 * Insert into an rhashtable, as the expression @insert does. A table that has to
 * grow allocates atomically, and refuses while it is being rehashed: both pass in
 * a moment, in which a writer can wait.
 */
#define wattle_hash_insert(insert)						\
({										\
	unsigned int __left = WATTLE_HASH_TRIES;				\
	int __err = -ENOMEM;							\
										\
	if (!wattle_alloc_denied()) {						\
		while ((__err = (insert)) && (__err == -EBUSY || __err == -ENOMEM) && \
		       __left--)						\
			msleep(1u << (WATTLE_HASH_TRIES - __left));		\
	}									\
	__err == -EBUSY ? -ENOMEM : __err == -E2BIG ? -ENOSPC : __err;		\
})

#endif /* WATTLE_ALLOC_H */
