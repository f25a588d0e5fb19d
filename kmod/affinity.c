// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "affinity.h"
#include "alloc.h"
#include "service.h"

#define WATTLE_AFFINITY_SWEEP	(10 * HZ)

/* No holes: a key. */
struct wattle_affinity_key {
	struct wattle_service_key service;	/* that remembers */
	struct in6_addr client;
};

static_assert(sizeof(struct wattle_affinity_key) == 36);

/*
 * One client of one service, or of those that remember as one. Where it goes is fixed: a client
 * that is sent elsewhere gets another entry in place of this.
 */
struct wattle_affinity {
	struct rhash_head link;
	struct wattle_affinity_key key;
	u32 seconds;		/* the service's, when it was @used */
	struct in6_addr addr;
	__be16 port;
	u64 used;		/* jiffies of the last new connection */
	struct rcu_head rcu;
};

static const struct rhashtable_params wattle_affinity_params = {
	.head_offset = offsetof(struct wattle_affinity, link),
	.key_offset = offsetof(struct wattle_affinity, key),
	.key_len = sizeof(struct wattle_affinity_key),
	.max_size = WATTLE_AFFINITY_MAX / 2,	/* buckets, of two entries */
	.automatic_shrinking = true,
};

static bool wattle_affinity_is_over(const struct wattle_affinity *entry, u32 seconds)
{
	return get_jiffies_64() - READ_ONCE(entry->used) >= (u64)seconds * HZ;
}

static bool wattle_affinity_is_to(const struct wattle_affinity *entry,
				  const struct in6_addr *addr, __be16 port)
{
	return entry->port == port && ipv6_addr_equal(&entry->addr, addr);
}

/* Where @entry leads, if it still counts. */
static const struct wattle_backend *wattle_affinity_backend(const struct wattle_affinity *entry,
							    const struct wattle_service *service)
{
	if (wattle_affinity_is_over(entry, service->affinity))
		return NULL;
	return wattle_service_usable(service, &entry->addr, entry->port);
}

const struct wattle_backend *wattle_affinity_lookup(struct wattle_affinities *affinities,
						    const struct wattle_service *service,
						    const struct in6_addr *client)
{
	struct wattle_affinity_key key = { .service = service->remembers, .client = *client };
	struct wattle_affinity *entry;

	entry = rhashtable_lookup(&affinities->by_client, &key, wattle_affinity_params);
	return entry ? wattle_affinity_backend(entry, service) : NULL;
}

static struct wattle_affinity *wattle_affinity_create(const struct wattle_service *service,
						      const struct wattle_affinity_key *key,
						      const struct in6_addr *addr, __be16 port)
{
	struct wattle_affinity *entry = NULL;

	if (!wattle_alloc_denied())
		entry = kmalloc(sizeof(*entry), GFP_ATOMIC | __GFP_NOWARN);
	if (!entry)
		return NULL;
	entry->key = *key;
	entry->seconds = service->affinity;
	entry->addr = *addr;
	entry->port = port;
	entry->used = get_jiffies_64();
	return entry;
}

/* @entry in the place of @old, or in a place of its own. Consumes @entry. */
static int wattle_affinity_insert(struct wattle_affinities *affinities,
				  struct wattle_affinity *entry, struct wattle_affinity *old)
{
	struct rhashtable *table = &affinities->by_client;
	struct wattle_affinity *other;
	int err;

	if (old) {
		err = rhashtable_replace_fast(table, &old->link, &entry->link,
					      wattle_affinity_params);
		if (!err) {
			kfree_rcu(old, rcu);
			return 0;
		}
		kfree(entry);
		return -EAGAIN;
	}
	other = rhashtable_lookup_get_insert_fast(table, &entry->link, wattle_affinity_params);
	if (!other) {
		schedule_delayed_work(&affinities->sweep, WATTLE_AFFINITY_SWEEP);
		return 0;
	}
	err = IS_ERR(other) ? -ENOSPC : -EAGAIN;
	if (err == -EAGAIN && wattle_affinity_is_to(other, &entry->addr, entry->port))
		err = 0;
	kfree(entry);
	return err;
}

int wattle_affinity_keep(struct wattle_affinities *affinities,
			 const struct wattle_service *service, const struct in6_addr *client,
			 const struct in6_addr *addr, __be16 port)
{
	struct wattle_affinity_key key = { .service = service->remembers, .client = *client };
	struct wattle_affinity *entry, *old;

	old = rhashtable_lookup(&affinities->by_client, &key, wattle_affinity_params);
	if (old && wattle_affinity_is_to(old, addr, port)) {
		WRITE_ONCE(old->seconds, service->affinity);
		WRITE_ONCE(old->used, get_jiffies_64());
		return 0;
	}
	if (old && wattle_affinity_backend(old, service))
		return -EAGAIN;
	entry = wattle_affinity_create(service, &key, addr, port);
	return entry ? wattle_affinity_insert(affinities, entry, old) : -ENOSPC;
}

static void wattle_affinities_sweep(struct work_struct *work)
{
	struct wattle_affinities *affinities =
		container_of(to_delayed_work(work), struct wattle_affinities, sweep);
	struct rhashtable *table = &affinities->by_client;
	struct wattle_affinity *entry;
	struct rhashtable_iter iter;

	rhashtable_walk_enter(table, &iter);
	rhashtable_walk_start(&iter);
	while ((entry = rhashtable_walk_next(&iter))) {
		if (IS_ERR(entry))
			continue;	/* resized: some are seen twice */
		if (wattle_affinity_is_over(entry, READ_ONCE(entry->seconds)) &&
		    !rhashtable_remove_fast(table, &entry->link, wattle_affinity_params))
			kfree_rcu(entry, rcu);
		if (need_resched()) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			if (rhashtable_walk_start_check(&iter))
				iter.p = NULL;	/* as in wattle_walk_resume() */
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	if (atomic_read(&table->nelems))
		schedule_delayed_work(&affinities->sweep, WATTLE_AFFINITY_SWEEP);
}

int wattle_affinities_init(struct wattle_affinities *affinities)
{
	INIT_DELAYED_WORK(&affinities->sweep, wattle_affinities_sweep);
	return rhashtable_init(&affinities->by_client, &wattle_affinity_params);
}

static void wattle_affinity_free(void *object, void *arg)
{
	kfree(object);
}

void wattle_affinities_exit(struct wattle_affinities *affinities)
{
	cancel_delayed_work_sync(&affinities->sweep);
	rhashtable_free_and_destroy(&affinities->by_client, wattle_affinity_free, NULL);
}
