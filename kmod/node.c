// SPDX-License-Identifier: GPL-2.0-only
/* Nodes: tunnel end points, and the prefixes of pods that live behind them. */

#include <linux/ctype.h>
#include <linux/jhash.h>
#include "node.h"
#include "alloc.h"

static inline u32 wattle_node_name_hash(const void *name, u32 len, u32 seed)
{
	const char *key = name;

	/* Seen through rhashtable's arithmetic, the name lies outside of its object. */
	OPTIMIZER_HIDE_VAR(key);
	return jhash(key, strnlen(key, WATTLE_NAME_MAX), seed);
}

static inline int wattle_node_name_compare(struct rhashtable_compare_arg *arg,
					   const void *object)
{
	const struct wattle_node *node = object;

	return strncmp(node->name, arg->key, WATTLE_NAME_MAX);
}

static const struct rhashtable_params wattle_node_name_params = {
	.head_offset = offsetof(struct wattle_node, by_name),
	.key_offset = offsetof(struct wattle_node, name),
	.key_len = WATTLE_NAME_MAX + 1,
	.hashfn = wattle_node_name_hash,
	.obj_cmpfn = wattle_node_name_compare,
	.automatic_shrinking = true,
};

static const struct rhashtable_params wattle_node_addr_params = {
	.head_offset = offsetof(struct wattle_node_addr, link),
	.key_offset = offsetof(struct wattle_node_addr, addr),
	.key_len = sizeof(struct in6_addr),
	.automatic_shrinking = true,
};

struct wattle_node *wattle_node_by_name(struct wattle_nodes *nodes, const char *name, u64 gen)
{
	struct rhlist_head *list, *pos;
	struct wattle_node *node;

	list = rhltable_lookup(&nodes->by_name, name, wattle_node_name_params);
	rhl_for_each_entry_rcu(node, pos, list, by_name) {
		if (wattle_alive(&node->life, gen))
			return node;
	}
	return NULL;
}

struct wattle_node *wattle_node_by_addr(struct wattle_nodes *nodes,
					const struct in6_addr *addr, u64 gen)
{
	struct rhlist_head *list, *pos;
	struct wattle_node_addr *at;

	list = rhltable_lookup(&nodes->by_addr, addr, wattle_node_addr_params);
	rhl_for_each_entry_rcu(at, pos, list, link) {
		if (wattle_alive(&at->node->life, gen))
			return at->node;
	}
	return NULL;
}

static struct wattle_node *wattle_node_of(struct wattle_lpm_entry *entry)
{
	return entry ? container_of(entry, struct wattle_node_cidr, entry)->node : NULL;
}

struct wattle_node *wattle_node_by_cidr(struct wattle_nodes *nodes,
					const struct in6_addr *addr, u64 gen)
{
	return wattle_node_of(wattle_lpm_lookup(&nodes->by_cidr, addr, gen));
}

/* Unlink what of a node is linked: the first prefixes, the first addresses, maybe the name. */
static void wattle_node_unlink_parts(struct wattle_nodes *nodes, struct wattle_node *node,
				     unsigned int cidrs, unsigned int addrs, bool name)
{
	unsigned int i;

	if (name)
		rhltable_remove(&nodes->by_name, &node->by_name, wattle_node_name_params);
	for (i = 0; i < addrs; i++) {
		if (node->by_addr[i].node)
			rhltable_remove(&nodes->by_addr, &node->by_addr[i].link,
					wattle_node_addr_params);
	}
	for (i = 0; i < cidrs; i++)
		wattle_lpm_remove(&nodes->by_cidr, &node->cidrs[i].prefix,
				  &node->cidrs[i].entry);
}

static void wattle_node_unlink(void *table, void *object)
{
	struct wattle_nodes *nodes = table;
	struct wattle_node *node = object;

	wattle_node_unlink_parts(nodes, node, node->cidr_count, ARRAY_SIZE(node->by_addr), true);
	nodes->count--;
}

static void wattle_node_set_died(struct wattle_node *node, u64 died)
{
	unsigned int i;

	WRITE_ONCE(node->life.died, died);
	for (i = 0; i < node->cidr_count; i++)
		WRITE_ONCE(node->cidrs[i].entry.life.died, died);
}

static void wattle_node_revive(void *table, void *object)
{
	wattle_node_set_died(object, WATTLE_FOREVER);
}

static void wattle_node_destroy(struct wattle_node *node)
{
	dst_cache_destroy(&node->dst_cache);
	kvfree(node->cidrs);
	kfree(node);
}

static void wattle_node_free(void *table, void *object)
{
	wattle_node_destroy(object);
}

static const struct wattle_kind_ops wattle_node_ops = {
	.withdraw = wattle_node_unlink,
	.revive = wattle_node_revive,
	.unlink = wattle_node_unlink,
	.free = wattle_node_free,
};

/**
 * wattle_nodes_init() - make an empty table
 * @nodes: the table
 * @log: logs its changes
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_nodes_init(struct wattle_nodes *nodes, struct wattle_log *log)
{
	int err;

	err = rhltable_init(&nodes->by_name, &wattle_node_name_params);
	if (err)
		return err;
	err = rhltable_init(&nodes->by_addr, &wattle_node_addr_params);
	if (err) {
		rhltable_destroy(&nodes->by_name);
		return err;
	}
	wattle_lpm_init(&nodes->by_cidr, log->lock);
	nodes->next_serial = 1;
	nodes->count = 0;
	wattle_log_kind(log, WATTLE_KIND_NODE, &wattle_node_ops, nodes);
	return 0;
}

static void wattle_node_destroy_linked(void *object, void *arg)
{
	wattle_node_destroy(object);
}

/**
 * wattle_nodes_exit() - free a table that nobody reads any more
 * @nodes: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_nodes_exit(struct wattle_nodes *nodes)
{
	wattle_lpm_exit(&nodes->by_cidr, NULL);
	rhltable_destroy(&nodes->by_addr);
	rhltable_free_and_destroy(&nodes->by_name, wattle_node_destroy_linked, NULL);
}

static int wattle_node_name_check(const char *name, struct wattle_refusal *why)
{
	const char *c;

	if (!*name)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NAME, "a node needs a name");
	if (strnlen(name, WATTLE_NAME_MAX + 1) > WATTLE_NAME_MAX)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NAME, "name is too long");
	for (c = name; *c; c++) {
		if (!isascii(*c) || !isgraph(*c) || *c == '/')
			return wattle_refuse(why, -EINVAL, WATTLE_FIELD_NAME,
					     "name has a character that no node name has");
	}
	return 0;
}

static int wattle_node_check(const struct wattle_node_spec *spec, struct wattle_refusal *why)
{
	bool has4 = !ipv6_addr_any(&spec->addr4), has6 = !ipv6_addr_any(&spec->addr6);
	unsigned int i;
	int err;

	err = wattle_node_name_check(spec->name, why);
	if (err)
		return err;
	if (!has4 && !has6)
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_ADDR, "a node needs an address");
	if (has4 && (!wattle_addr_is_v4(&spec->addr4) || !wattle_addr_is_host(&spec->addr4)))
		return wattle_refuse_at(why, -EINVAL, WATTLE_FIELD_ADDR, 0,
					"this cannot be the address of a node");
	if (has6 && (wattle_addr_is_v4(&spec->addr6) || !wattle_addr_is_host(&spec->addr6)))
		return wattle_refuse_at(why, -EINVAL, WATTLE_FIELD_ADDR, has4,
					"this cannot be the address of a node");
	for (i = 0; i < spec->cidr_count; i++) {
		err = wattle_prefix_check(&spec->cidrs[i], WATTLE_FIELD_CIDR, i, why);
		if (err)
			return err;
	}
	return 0;
}

static struct wattle_node *wattle_node_create(const struct wattle_node_spec *spec, u64 born)
{
	struct wattle_node *node;
	unsigned int i;

	node = wattle_alloc(sizeof(*node));
	if (!node)
		return NULL;
	node->life.born = born;
	node->life.died = WATTLE_FOREVER;
	strscpy(node->name, spec->name, sizeof(node->name));
	node->addr4 = spec->addr4;
	node->addr6 = spec->addr6;
	node->cidr_count = spec->cidr_count;
	if (node->cidr_count) {
		node->cidrs = wattle_alloc_array(node->cidr_count, sizeof(*node->cidrs));
		if (!node->cidrs)
			goto err;
	}
	for (i = 0; i < node->cidr_count; i++) {
		node->cidrs[i].prefix = spec->cidrs[i];
		node->cidrs[i].node = node;
		node->cidrs[i].entry.life = node->life;
	}
	if (dst_cache_init(&node->dst_cache, GFP_KERNEL_ACCOUNT))
		goto err;
	return node;

err:
	kvfree(node->cidrs);
	kfree(node);
	return NULL;
}

/* The prefixes of another node are refused; those of the version that goes are not. */
static int wattle_node_link_cidrs(struct wattle_nodes *nodes, struct wattle_node *node,
				  const struct wattle_node *old, unsigned int *linked,
				  struct wattle_refusal *why)
{
	struct wattle_node *other;
	struct wattle_node_cidr *cidr;

	for (*linked = 0; *linked < node->cidr_count; (*linked)++) {
		cidr = &node->cidrs[*linked];
		other = wattle_node_of(wattle_lpm_find(&nodes->by_cidr, &cidr->prefix,
						       node->life.born));
		if (other == node)
			return wattle_refuse_at(why, -EEXIST, WATTLE_FIELD_CIDR, *linked,
						"this prefix is given twice");
		if (other && other != old)
			return wattle_refuse_at(why, -EEXIST, WATTLE_FIELD_CIDR, *linked,
						"this prefix belongs to another node");
		if (wattle_lpm_insert(&nodes->by_cidr, &cidr->prefix, &cidr->entry))
			return wattle_refuse_nomem(why);
	}
	return 0;
}

static int wattle_node_link_addrs(struct wattle_nodes *nodes, struct wattle_node *node,
				  const struct wattle_node *old, unsigned int *linked,
				  struct wattle_refusal *why)
{
	const struct in6_addr *addrs[] = { &node->addr4, &node->addr6 };
	struct wattle_node *other;
	int err;

	for (*linked = 0; *linked < ARRAY_SIZE(addrs); (*linked)++) {
		struct wattle_node_addr *at = &node->by_addr[*linked];

		if (ipv6_addr_any(addrs[*linked]))
			continue;
		rcu_read_lock();
		other = wattle_node_by_addr(nodes, addrs[*linked], node->life.born);
		rcu_read_unlock();
		if (other && other != old)
			return wattle_refuse_at(why, -EEXIST, WATTLE_FIELD_ADDR, *linked,
						"this address belongs to another node");
		at->addr = *addrs[*linked];
		at->node = node;
		err = wattle_hash_insert(rhltable_insert(&nodes->by_addr, &at->link,
							 wattle_node_addr_params));
		if (err)
			return wattle_refuse_nomem(why);
	}
	return 0;
}

static int wattle_node_link(struct wattle_nodes *nodes, struct wattle_log *log,
			    struct wattle_node *node, const struct wattle_node *old,
			    struct wattle_refusal *why)
{
	unsigned int cidrs = 0, addrs = 0;
	int err;

	err = wattle_node_link_cidrs(nodes, node, old, &cidrs, why);
	if (err)
		goto err_unlink;
	err = wattle_node_link_addrs(nodes, node, old, &addrs, why);
	if (err)
		goto err_unlink;
	if (wattle_hash_insert(rhltable_insert(&nodes->by_name, &node->by_name,
					       wattle_node_name_params))) {
		err = wattle_refuse_nomem(why);
		goto err_unlink;
	}
	nodes->count++;
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_NODE, node);
	return 0;

err_unlink:
	wattle_node_unlink_parts(nodes, node, cidrs, addrs, false);
	wattle_log_push(log, WATTLE_OP_FREE, WATTLE_KIND_NODE, node);
	return err;
}

static void wattle_node_bury(struct wattle_log *log, struct wattle_node *node)
{
	wattle_node_set_died(node, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_NODE, node);
}

/**
 * wattle_node_add() - stage a node
 * @nodes: table
 * @log: the change
 * @spec: name, addresses, prefixes
 * @replace: take the place of what is there
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_node_add(struct wattle_nodes *nodes, struct wattle_log *log,
		    const struct wattle_node_spec *spec, bool replace,
		    struct wattle_refusal *why)
{
	struct wattle_node *old, *node;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_node_check(spec, why);
	if (err)
		return err;
	rcu_read_lock();
	old = wattle_node_by_name(nodes, spec->name, log->next);
	rcu_read_unlock();
	if (old && !replace)
		return wattle_refuse(why, -EEXIST, WATTLE_FIELD_NAME, "this node exists already");
	if (!nodes->next_serial)
		return wattle_refuse(why, -ENOSPC, WATTLE_FIELD_NONE,
				     "no numbers are left for nodes");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	node = wattle_node_create(spec, log->next);
	if (!node)
		return wattle_refuse_nomem(why);
	node->serial = nodes->next_serial++;
	err = wattle_node_link(nodes, log, node, old, why);
	if (err)
		return err;
	if (old)
		wattle_node_bury(log, old);
	return 0;
}

/**
 * wattle_node_del() - stage the end of a node
 * @nodes: table
 * @log: the change
 * @name: which
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_node_del(struct wattle_nodes *nodes, struct wattle_log *log, const char *name,
		    struct wattle_refusal *why)
{
	struct wattle_node *node;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_node_name_check(name, why);
	if (err)
		return err;
	rcu_read_lock();
	node = wattle_node_by_name(nodes, name, log->next);
	rcu_read_unlock();
	if (!node)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_NAME, "there is no such node");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	wattle_node_bury(log, node);
	return 0;
}
