// SPDX-License-Identifier: GPL-2.0-only
/* What rules name: prefixes of peers and the texts that say where rules are from. */

#include "policy_private.h"
#include "alloc.h"

static inline u32 wattle_text_hash(const void *text, u32 len, u32 seed)
{
	return jhash(text, strlen(text), seed);
}

static inline u32 wattle_text_hash_object(const void *data, u32 len, u32 seed)
{
	const struct wattle_text *text = data;

	return wattle_text_hash(text->text, len, seed);
}

static inline int wattle_text_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct wattle_text *text = object;

	return strcmp(text->text, arg->key);
}

static const struct rhashtable_params wattle_text_params = {
	.head_offset = offsetof(struct wattle_text, link),
	.key_len = 1,		/* not used: texts end themselves */
	.hashfn = wattle_text_hash,
	.obj_hashfn = wattle_text_hash_object,
	.obj_cmpfn = wattle_text_compare,
	.automatic_shrinking = true,
};

/* xa_alloc() says -EBUSY where no number is left. */
static int wattle_number_alloc(struct xarray *xa, u32 *number, void *object, u32 min, u32 max)
{
	int err;

	if (wattle_alloc_denied())
		return -ENOMEM;
	err = xa_alloc(xa, number, object, XA_LIMIT(min, max), GFP_KERNEL_ACCOUNT);
	return err == -EBUSY ? -ENOSPC : err;
}

int wattle_text_get(struct wattle_policies *policies, const char *origin, u32 *number)
{
	struct wattle_text *text;
	size_t size = strlen(origin) + 1;
	int err;

	*number = 0;
	if (size == 1)
		return 0;
	text = rhashtable_lookup_fast(&policies->origin_by_text, origin, wattle_text_params);
	if (text) {
		text->users++;
		*number = text->number;
		return 0;
	}
	text = wattle_alloc(struct_size(text, text, size));
	if (!text)
		return -ENOMEM;
	memcpy(text->text, origin, size);
	text->users = 1;
	err = wattle_number_alloc(&policies->origins, &text->number, text, 1, 0xffffff);
	if (err)
		goto err_free;
	err = wattle_hash_insert(rhashtable_insert_fast(&policies->origin_by_text, &text->link,
							wattle_text_params));
	if (err)
		goto err_erase;
	*number = text->number;
	return 0;

err_erase:
	xa_erase(&policies->origins, text->number);
err_free:
	kfree(text);
	return err;
}

void wattle_text_put(struct wattle_policies *policies, u32 number)
{
	struct wattle_text *text;

	if (!number)
		return;
	text = xa_load(&policies->origins, number);
	if (--text->users)
		return;
	xa_erase(&policies->origins, number);
	rhashtable_remove_fast(&policies->origin_by_text, &text->link, wattle_text_params);
	kfree_rcu(text, rcu);
}

/*
 * The number of a prefix only leads to slots, whose rules have lives: so it needs none
 * itself, and is there as long as any version of a rule names it.
 */
int wattle_peer_get(struct wattle_policies *policies, const struct wattle_prefix *prefix,
		    u32 *number)
{
	struct wattle_lpm_entry *entry;
	struct wattle_peer *peer;
	int err;

	entry = wattle_lpm_find(&policies->prefixes, prefix, 0);
	if (entry) {
		peer = container_of(entry, struct wattle_peer, entry);
		peer->users++;
		*number = WATTLE_ID_LOCAL_MIN + peer->number;
		return 0;
	}
	peer = wattle_alloc(sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->prefix = *prefix;
	peer->users = 1;
	peer->entry.life.died = WATTLE_FOREVER;
	err = wattle_number_alloc(&policies->peers, &peer->number, peer, 0,
				  WATTLE_ID_LOCAL_MAX - WATTLE_ID_LOCAL_MIN);
	if (err)
		goto err_free;
	err = wattle_lpm_insert(&policies->prefixes, prefix, &peer->entry);
	if (err)
		goto err_erase;
	*number = WATTLE_ID_LOCAL_MIN + peer->number;
	return 0;

err_erase:
	xa_erase(&policies->peers, peer->number);
err_free:
	kfree(peer);
	return err;
}

void wattle_peer_put(struct wattle_policies *policies, u32 number)
{
	struct wattle_peer *peer;

	if (number < WATTLE_ID_LOCAL_MIN)
		return;
	peer = xa_load(&policies->peers, number - WATTLE_ID_LOCAL_MIN);
	if (--peer->users)
		return;
	wattle_lpm_remove(&policies->prefixes, &peer->prefix, &peer->entry);
	xa_erase(&policies->peers, peer->number);
	kfree_rcu(peer, rcu);
}

/* Same without a reference; false: no rule names @prefix. */
bool wattle_peer_find(struct wattle_policies *policies, const struct wattle_prefix *prefix,
		      u32 *number)
{
	struct wattle_lpm_entry *entry = wattle_lpm_find(&policies->prefixes, prefix, 0);

	if (!entry)
		return false;
	*number = WATTLE_ID_LOCAL_MIN + container_of(entry, struct wattle_peer, entry)->number;
	return true;
}

int wattle_policy_names_init(struct wattle_policies *policies, struct wattle_log *log)
{
	int err = rhashtable_init(&policies->origin_by_text, &wattle_text_params);

	if (err)
		return err;
	xa_init_flags(&policies->peers, XA_FLAGS_ALLOC);
	xa_init_flags(&policies->origins, XA_FLAGS_ALLOC1);
	wattle_lpm_init(&policies->prefixes, log->lock);
	return 0;
}

static void wattle_text_destroy(void *object, void *arg)
{
	kfree(object);
}

static void wattle_peer_destroy(struct wattle_lpm_entry *entry)
{
	kfree(container_of(entry, struct wattle_peer, entry));
}

void wattle_policy_names_exit(struct wattle_policies *policies)
{
	wattle_lpm_exit(&policies->prefixes, wattle_peer_destroy);
	xa_destroy(&policies->peers);
	xa_destroy(&policies->origins);
	rhashtable_free_and_destroy(&policies->origin_by_text, wattle_text_destroy, NULL);
}
