// SPDX-License-Identifier: GPL-2.0-only
/* Memory of the tables: slabs for what comes by the thousand, while a device exists. */

#include <linux/mutex.h>
#include "alloc.h"

/* Protects what a cache has, and how many use it. */
static DEFINE_MUTEX(wattle_cache_lock);

/**
 * wattle_cache_get() - a table begins to use a cache
 * @cache: the cache
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_cache_get(struct wattle_cache *cache)
{
	int err = 0;

	mutex_lock(&wattle_cache_lock);
	if (!cache->slab)
		cache->slab = kmem_cache_create(cache->name, cache->size, 0, SLAB_ACCOUNT, NULL);
	if (cache->slab)
		cache->users++;
	else
		err = -ENOMEM;
	mutex_unlock(&wattle_cache_lock);
	return err;
}

/**
 * wattle_cache_put() - a table is done with a cache
 * @cache: the cache, to which all that the table had was given back
 *
 * Context: may sleep.
 */
void wattle_cache_put(struct wattle_cache *cache)
{
	mutex_lock(&wattle_cache_lock);
	if (!--cache->users) {
		kmem_cache_destroy(cache->slab);
		cache->slab = NULL;
	}
	mutex_unlock(&wattle_cache_lock);
}
