// SPDX-License-Identifier: GPL-2.0-only
/* Identities, the writers' side. */

#include "identity_private.h"
#include "alloc.h"

/*
 * Dead versions of one address that may be linked at a time. A hash whose chains grow
 * beyond 16 rehashes itself, which helps nothing against versions of one key.
 */
#define WATTLE_HOST_VERSIONS	4

static const struct rhashtable_params wattle_via_params = {
	.head_offset = offsetof(struct wattle_via, link),
	.key_offset = offsetof(struct wattle_via, addr),
	.key_len = sizeof(struct in6_addr),
	.automatic_shrinking = true,
};

static struct wattle_cache wattle_host_cache = WATTLE_CACHE(wattle_identity_host);

/* Number of a tunnel end point, with a reference to it; 0 for none. Or an error. */
static int wattle_via_get(struct wattle_identities *ids, const struct in6_addr *addr,
			  u32 *number)
{
	struct wattle_via *via;
	int err;

	*number = 0;
	if (ipv6_addr_any(addr))
		return 0;
	via = rhashtable_lookup_fast(&ids->via_by_addr, addr, wattle_via_params);
	if (via) {
		via->users++;
		*number = via->number;
		return 0;
	}
	via = wattle_alloc(sizeof(*via));
	if (!via)
		return -ENOMEM;
	via->addr = *addr;
	via->users = 1;
	err = wattle_alloc_denied() ? -ENOMEM :
	      xa_alloc(&ids->vias, &via->number, via,
		       XA_LIMIT(1, WATTLE_PACKED_MASK), GFP_KERNEL_ACCOUNT);
	if (err)
		goto err_free;
	err = wattle_hash_insert(rhashtable_insert_fast(&ids->via_by_addr, &via->link,
							wattle_via_params));
	if (err)
		goto err_erase;
	*number = via->number;
	return 0;

err_erase:
	xa_erase(&ids->vias, via->number);
err_free:
	kfree(via);
	return err == -EBUSY ? -ENOSPC : err;
}

static void wattle_via_put(struct wattle_identities *ids, u32 number)
{
	struct wattle_via *via;

	if (!number)
		return;
	via = xa_load(&ids->vias, number);
	if (--via->users)
		return;
	xa_erase(&ids->vias, number);
	rhashtable_remove_fast(&ids->via_by_addr, &via->link, wattle_via_params);
	kfree_rcu(via, rcu);
}

static void wattle_host_unlink(void *table, void *object)
{
	struct wattle_identities *ids = table;
	struct wattle_identity_host *host = object;

	rhashtable_remove_fast(&ids->hosts, &host->link, wattle_host_params);
}

static void wattle_host_revive(void *table, void *object)
{
	struct wattle_identity_host *host = object;

	wattle_packed_set(&host->died_via, WATTLE_PACKED_FOREVER);
}

static void wattle_host_free(void *table, void *object)
{
	struct wattle_identities *ids = table;
	struct wattle_identity_host *host = object;

	wattle_via_put(ids, wattle_packed_payload(&host->died_via));
	wattle_cache_free(&wattle_host_cache, host);
}

static bool wattle_host_stillborn(const void *object)
{
	const struct wattle_identity_host *host = object;

	return wattle_packed_gen(&host->born_id) == wattle_packed_gen(&host->died_via);
}

static const struct wattle_kind_ops wattle_host_ops = {
	.withdraw = wattle_host_unlink,
	.revive = wattle_host_revive,
	.unlink = wattle_host_unlink,
	.free = wattle_host_free,
	.stillborn = wattle_host_stillborn,
};

static void wattle_net_unlink(void *table, void *object)
{
	struct wattle_identities *ids = table;
	struct wattle_identity_net *net = object;

	wattle_lpm_remove(&ids->nets, &net->prefix, &net->entry);
}

static void wattle_net_revive(void *table, void *object)
{
	struct wattle_identity_net *net = object;

	WRITE_ONCE(net->entry.life.died, WATTLE_FOREVER);
}

static void wattle_net_free(void *table, void *object)
{
	struct wattle_identities *ids = table;
	struct wattle_identity_net *net = object;

	wattle_via_put(ids, net->via);
	kfree(net);
}

static const struct wattle_kind_ops wattle_net_ops = {
	.withdraw = wattle_net_unlink,
	.revive = wattle_net_revive,
	.unlink = wattle_net_unlink,
	.free = wattle_net_free,
};

/**
 * wattle_identities_init() - make an empty table
 * @ids: the table
 * @log: logs its changes
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_identities_init(struct wattle_identities *ids, struct wattle_log *log)
{
	int err;

	err = wattle_cache_get(&wattle_host_cache);
	if (err)
		return err;
	err = rhashtable_init(&ids->hosts, &wattle_host_params);
	if (err)
		goto err_cache;
	err = rhashtable_init(&ids->via_by_addr, &wattle_via_params);
	if (err)
		goto err_hosts;
	xa_init_flags(&ids->vias, XA_FLAGS_ALLOC1);
	wattle_lpm_init(&ids->nets, log->lock);
	wattle_log_kind(log, WATTLE_KIND_HOST, &wattle_host_ops, ids);
	wattle_log_kind(log, WATTLE_KIND_NET, &wattle_net_ops, ids);
	return 0;

err_hosts:
	rhashtable_destroy(&ids->hosts);
err_cache:
	wattle_cache_put(&wattle_host_cache);
	return err;
}

static void wattle_host_destroy(void *object, void *arg)
{
	wattle_cache_free(&wattle_host_cache, object);
}

static void wattle_net_destroy(struct wattle_lpm_entry *entry)
{
	kfree(container_of(entry, struct wattle_identity_net, entry));
}

static void wattle_via_destroy(void *object, void *arg)
{
	kfree(object);
}

/**
 * wattle_identities_exit() - free a table that nobody reads any more
 * @ids: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_identities_exit(struct wattle_identities *ids)
{
	rhashtable_free_and_destroy(&ids->hosts, wattle_host_destroy, NULL);
	wattle_lpm_exit(&ids->nets, wattle_net_destroy);
	xa_destroy(&ids->vias);
	rhashtable_free_and_destroy(&ids->via_by_addr, wattle_via_destroy, NULL);
	wattle_cache_put(&wattle_host_cache);
}

/*
 * The version of a host route that the writer sees, or one that was added and
 * deleted by the same change and can be used again.
 */
struct wattle_host_found {
	struct wattle_identity_host *alive;
	struct wattle_identity_host *stillborn;
	unsigned int linked;
};

struct wattle_host_search {
	struct in6_addr addr;
	u64 next;
	struct wattle_host_found found;
};

static int wattle_host_gather(struct rhashtable_compare_arg *arg, const void *object)
{
	struct wattle_host_search *search = (void *)arg->key;
	struct wattle_identity_host *host = (void *)object;

	if (!ipv6_addr_equal(&host->addr, &search->addr))
		return 1;
	search->found.linked++;
	if (wattle_packed_alive(&host->born_id, &host->died_via, search->next))
		search->found.alive = host;
	else if (wattle_packed_gen(&host->born_id) == search->next)
		search->found.stillborn = host;
	return 1;
}

static void wattle_host_search(struct wattle_identities *ids, const struct in6_addr *addr,
			       u64 next, struct wattle_host_found *found)
{
	struct wattle_host_search search = { .addr = *addr, .next = next };
	struct rhashtable_params params = wattle_host_params;

	params.obj_cmpfn = wattle_host_gather;
	rhashtable_lookup_fast(&ids->hosts, &search, params);
	*found = search.found;
}

/* Nobody sees @host yet: it can be changed where it is. */
static void wattle_host_set(struct wattle_identities *ids, struct wattle_identity_host *host,
			    u64 next, u32 id, u32 via)
{
	u32 old = wattle_packed_payload(&host->died_via);

	WRITE_ONCE(host->born_id, wattle_pack(next, id));
	WRITE_ONCE(host->died_via, wattle_pack(WATTLE_PACKED_FOREVER, via));
	wattle_via_put(ids, old);
}

static void wattle_host_bury(struct wattle_log *log, struct wattle_identity_host *host)
{
	bool staged = wattle_packed_gen(&host->born_id) == log->next;

	wattle_packed_set(&host->died_via, log->next);
	if (staged)
		log->stillborn = true;
	else
		wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_HOST, host);
}

static int wattle_host_link(struct wattle_identities *ids, struct wattle_log *log,
			    const struct in6_addr *addr, u32 id, u32 via)
{
	struct wattle_identity_host *host;
	int err;

	host = wattle_cache_alloc(&wattle_host_cache);
	if (!host)
		return -ENOMEM;
	host->addr = *addr;
	host->born_id = wattle_pack(log->next, id);
	host->died_via = wattle_pack(WATTLE_PACKED_FOREVER, via);
	err = wattle_hash_insert(rhashtable_insert_fast(&ids->hosts, &host->link,
							wattle_host_params));
	if (err) {
		wattle_cache_free(&wattle_host_cache, host);
		return err;
	}
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_HOST, host);
	return 0;
}

static int wattle_host_add(struct wattle_identities *ids, struct wattle_log *log,
			   const struct wattle_identity_spec *spec, bool replace,
			   struct wattle_refusal *why)
{
	struct wattle_host_found found;
	u32 via;
	int err;

	wattle_host_search(ids, &spec->prefix.addr, log->next, &found);
	if (found.alive && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_ADDR,
				     "this prefix has an identity already");
	if (found.linked >= WATTLE_HOST_VERSIONS && log->settle)
		log->settle(log);

	err = wattle_via_get(ids, &spec->via, &via);
	if (err)
		goto err_via;
	if (found.alive && wattle_packed_gen(&found.alive->born_id) == log->next) {
		wattle_host_set(ids, found.alive, log->next, spec->id, via);
		return 0;
	}
	if (found.stillborn) {
		wattle_host_set(ids, found.stillborn, log->next, spec->id, via);
	} else {
		err = wattle_host_link(ids, log, &spec->prefix.addr, spec->id, via);
		if (err)
			goto err_link;
	}
	if (found.alive)
		wattle_host_bury(log, found.alive);
	return 0;

err_link:
	wattle_via_put(ids, via);
err_via:
	if (err == -ENOSPC)
		return wattle_refuse(why, err, WATTLE_FIELD_NONE, "no room for more identities");
	return wattle_refuse_nomem(why);
}

static struct wattle_identity_net *wattle_net_find(struct wattle_identities *ids,
						   const struct wattle_prefix *prefix, u64 gen)
{
	struct wattle_lpm_entry *entry = wattle_lpm_find(&ids->nets, prefix, gen);

	return entry ? container_of(entry, struct wattle_identity_net, entry) : NULL;
}

static void wattle_net_bury(struct wattle_log *log, struct wattle_identity_net *net)
{
	WRITE_ONCE(net->entry.life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_NET, net);
}

static int wattle_net_add(struct wattle_identities *ids, struct wattle_log *log,
			  const struct wattle_identity_spec *spec, bool replace,
			  struct wattle_refusal *why)
{
	struct wattle_identity_net *old, *net;
	int err;

	old = wattle_net_find(ids, &spec->prefix, log->next);
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_ADDR,
				     "this prefix has an identity already");
	net = wattle_alloc(sizeof(*net));
	if (!net)
		return wattle_refuse_nomem(why);
	net->prefix = spec->prefix;
	net->id = spec->id;
	net->entry.life.born = log->next;
	net->entry.life.died = WATTLE_FOREVER;
	err = wattle_via_get(ids, &spec->via, &net->via);
	if (err)
		goto err_free;
	err = wattle_lpm_insert(&ids->nets, &net->prefix, &net->entry);
	if (err)
		goto err_via;
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_NET, net);
	if (old)
		wattle_net_bury(log, old);
	return 0;

err_via:
	wattle_via_put(ids, net->via);
err_free:
	kfree(net);
	if (err == -ENOSPC)
		return wattle_refuse(why, err, WATTLE_FIELD_NONE, "no room for more identities");
	return wattle_refuse_nomem(why);
}

/**
 * wattle_identity_add() - stage the identity of a prefix
 * @ids: table
 * @log: the change
 * @spec: prefix, identity, tunnel end point
 * @replace: take the place of what is there
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_identity_add(struct wattle_identities *ids, struct wattle_log *log,
			const struct wattle_identity_spec *spec, bool replace,
			struct wattle_refusal *why)
{
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_prefix_check(&spec->prefix, WATTLE_FIELD_ADDR, 0, why);
	if (err)
		return err;
	if (!spec->id || spec->id >= WATTLE_ID_LOCAL_MIN)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ID,
				     "an identity is a number from 1 to 16777215");
	if (!ipv6_addr_any(&spec->via) && !wattle_addr_is_host(&spec->via))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_VIA,
				     "this cannot be the address of a node");
	err = wattle_log_reserve(log);
	if (err)
		return wattle_refuse_nomem(why);
	if (spec->prefix.len == 128)
		return wattle_host_add(ids, log, spec, replace, why);
	return wattle_net_add(ids, log, spec, replace, why);
}

/**
 * wattle_identity_del() - stage the end of a prefix's identity
 * @ids: table
 * @log: the change
 * @prefix: that very prefix
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_identity_del(struct wattle_identities *ids, struct wattle_log *log,
			const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	struct wattle_host_found found = {};
	struct wattle_identity_net *net = NULL;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_prefix_check(prefix, WATTLE_FIELD_ADDR, 0, why);
	if (err)
		return err;
	if (prefix->len == 128)
		wattle_host_search(ids, &prefix->addr, log->next, &found);
	else
		net = wattle_net_find(ids, prefix, log->next);
	if (!found.alive && !net)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_ADDR,
				     "this prefix has no identity");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	if (net)
		wattle_net_bury(log, net);
	else
		wattle_host_bury(log, found.alive);
	return 0;
}
