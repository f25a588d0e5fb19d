// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: its life, and what its requests have in common.
 *
 * DOC: Locking
 *
 * Requests run in parallel. A change is serialised by wattle_config.lock, which
 * the functions of config.h take; a question is an RCU reader. The device is held
 * for the length of a request by wattle_get(), which whoever removes it waits for with RTNL
 * held: so RTNL is never taken then. The one request that needs RTNL, endpoint-new, finds
 * the device under it instead. Dumps hang from the device between their messages, under
 * wattle_nl_dumps_lock, which is the innermost lock but for those of walks.
 */
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "netlink.h"

#define WATTLE_NL_ATTR_MAX	32	/* attributes that the request of a dump may have */

static const struct genl_multicast_group wattle_nl_groups[] = {
	[WATTLE_NLGRP_DROP] = {
		.name = WATTLE_MCGRP_DROP, .flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[WATTLE_NLGRP_VERDICT] = {
		.name = WATTLE_MCGRP_VERDICT, .flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[WATTLE_NLGRP_FLOW] = {
		.name = WATTLE_MCGRP_FLOW, .flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[WATTLE_NLGRP_SERVICE] = {
		.name = WATTLE_MCGRP_SERVICE, .flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family wattle_nl_family __ro_after_init = {
	.name		= WATTLE_GENL_NAME,
	.version	= WATTLE_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	/* From that operation on, genetlink refuses NLM_F_REPLACE, which we give a meaning. */
	.resv_start_op	= WATTLE_CMD_MAX + 1,
	.module		= THIS_MODULE,
	.ops		= wattle_nl_ops,
	.n_ops		= ARRAY_SIZE(wattle_nl_ops),
	.mcgrps		= wattle_nl_groups,
	.n_mcgrps	= ARRAY_SIZE(wattle_nl_groups),
};

/* --- requests --- */

int wattle_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		     const char *message)
{
	if (extack) {
		extack->_msg = message;
		if (attr)
			NL_SET_BAD_ATTR(extack, attr);
	}
	return err;
}

bool wattle_nl_lacks(struct netlink_ext_ack *extack, const struct nlattr *nest,
		     struct nlattr **tb, int type, const char *message)
{
	if (tb[type])
		return false;
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
	wattle_nl_refuse(extack, nest, -EINVAL, message);
	return true;
}

int wattle_nl_no_device(struct netlink_ext_ack *extack)
{
	return wattle_nl_refuse(extack, NULL, -ENODEV,
				"there is no wattle device in this network namespace");
}

int wattle_nl_with_device(struct genl_info *info,
			  int (*fn)(struct wattle *w, struct genl_info *info))
{
	struct wattle *w = wattle_get(genl_info_net(info));
	int err;

	if (!w)
		return wattle_nl_no_device(info->extack);
	err = fn(w, info);
	wattle_put(w);
	return err;
}

unsigned int wattle_nl_count(const struct genl_info *info, int type)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		count += nla_type(attr) == type;
	return count;
}

/* The @index-th attribute of @type, counted from 0, or the last one. */
static const struct nlattr *wattle_nl_nth(const struct nlattr *head, int len, int type,
					  unsigned int index)
{
	const struct nlattr *attr, *found = NULL;
	int rem;

	nla_for_each_attr(attr, head, len, rem) {
		if (nla_type(attr) != type)
			continue;
		found = attr;
		if (!index--)
			break;
	}
	return found;
}

int wattle_nl_refused(struct genl_info *info, int err, const struct wattle_refusal *why,
		      const struct nlattr *nest, const struct wattle_nl_field *fields,
		      unsigned int count)
{
	const struct nlattr *head, *attr = NULL;
	unsigned int i;
	int len;

	if (!err)
		return 0;
	head = nest ? nla_data(nest) : genlmsg_data(info->genlhdr);
	len = nest ? nla_len(nest) : genlmsg_len(info->genlhdr);
	for (i = 0; i < count && why->field != WATTLE_FIELD_NONE; i++) {
		if (fields[i].field == why->field)
			attr = wattle_nl_nth(head, len, fields[i].attr, why->index);
		if (attr)
			break;
	}
	return wattle_nl_refuse(info->extack, attr ?: nest, err, why->message);
}

/* --- addresses --- */

int wattle_nl_get_addr(const struct nlattr *attr, struct in6_addr *addr,
		       struct netlink_ext_ack *extack)
{
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		wattle_addr_set_v4(addr, nla_get_in_addr(attr));
		return 0;
	case sizeof(struct in6_addr):
		*addr = nla_get_in6_addr(attr);
		if (!wattle_addr_is_v4(addr))
			return 0;
		return wattle_nl_refuse(extack, attr, -EINVAL,
					"an IPv4 address has 4 bytes here, not 16 (IPv4-mapped)");
	default:
		return wattle_nl_refuse(extack, attr, -EINVAL,
					"an address has 4 bytes (IPv4) or 16 (IPv6)");
	}
}

int wattle_nl_put_addr(struct sk_buff *skb, int type, const struct in6_addr *addr)
{
	if (wattle_addr_is_v4(addr))
		return nla_put_in_addr(skb, type, wattle_addr_v4(addr));
	return nla_put_in6_addr(skb, type, addr);
}

int wattle_nl_get_prefix(const struct nlattr *addr, const struct nlattr *len,
			 struct wattle_prefix *prefix, struct netlink_ext_ack *extack)
{
	struct in6_addr masked;
	int err, max;

	err = wattle_nl_get_addr(addr, &prefix->addr, extack);
	if (err)
		return err;
	max = wattle_addr_is_v4(&prefix->addr) ? 32 : 128;
	if (len && nla_get_u8(len) > max)
		return wattle_nl_refuse(extack, len, -EINVAL, max == 32 ?
					"the length of an IPv4 prefix is 0 to 32" :
					"the length of an IPv6 prefix is 0 to 128");
	prefix->len = 128 - max + (len ? nla_get_u8(len) : max);
	ipv6_addr_prefix(&masked, &prefix->addr, prefix->len);
	if (!ipv6_addr_equal(&masked, &prefix->addr))
		return wattle_nl_refuse(extack, addr, -EINVAL,
					"a prefix has no bits set beyond its length");
	return 0;
}

int wattle_nl_get_prefix_nest(const struct nlattr *nest, struct wattle_prefix *prefix,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[WATTLE_A_PREFIX_MAX + 1];
	int err;

	err = nla_parse_nested(tb, WATTLE_A_PREFIX_MAX, nest, wattle_prefix_nl_policy, extack);
	if (err)
		return err;
	if (wattle_nl_lacks(extack, nest, tb, WATTLE_A_PREFIX_ADDR, "a prefix needs its address"))
		return -EINVAL;
	return wattle_nl_get_prefix(tb[WATTLE_A_PREFIX_ADDR], tb[WATTLE_A_PREFIX_LEN], prefix,
				    extack);
}

u8 wattle_nl_prefix_len(const struct wattle_prefix *prefix)
{
	/* ::/0 is not IPv4, and neither is any other prefix shorter than the mapping. */
	if (prefix->len >= 96 && wattle_addr_is_v4(&prefix->addr))
		return prefix->len - 96;
	return prefix->len;
}

int wattle_nl_put_prefix_nest(struct sk_buff *skb, int type, const struct wattle_prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (wattle_nl_put_addr(skb, WATTLE_A_PREFIX_ADDR, &prefix->addr) ||
	    nla_put_u8(skb, WATTLE_A_PREFIX_LEN, wattle_nl_prefix_len(prefix))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* --- answers --- */

struct sk_buff *wattle_nl_reply_begin(struct genl_info *info, u8 cmd, size_t size, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put_reply(skb, info, &wattle_nl_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

int wattle_nl_reply_end(struct genl_info *info, struct sk_buff *skb, void *hdr, int err)
{
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

int wattle_nl_reply(struct wattle *w, struct genl_info *info, u8 cmd, size_t size,
		    int (*fill)(struct wattle *w, struct genl_info *info, u64 gen,
				struct sk_buff *skb))
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	skb = wattle_nl_reply_begin(info, cmd, size, &hdr);
	if (!skb)
		return -ENOMEM;
	rcu_read_lock();
	err = fill(w, info, wattle_generation(&w->config), skb);
	rcu_read_unlock();
	return wattle_nl_reply_end(info, skb, hdr, err);
}

/* --- dumps --- */

/*
 * Protects wattle.dumps and wattle_nl_dump.w: a dump may be left in the middle for as
 * long as a socket is open, and must not keep the device for that.
 */
static DEFINE_MUTEX(wattle_nl_dumps_lock);

void *wattle_nl_dump_begin(struct wattle_nl_walk *walk)
{
	void *hdr = genlmsg_put(walk->skb, NETLINK_CB(walk->cb->skb).portid,
				walk->cb->nlh->nlmsg_seq, &wattle_nl_family, NLM_F_MULTI,
				walk->cmd);

	if (hdr)
		genl_dump_check_consistent(walk->cb, hdr);
	return hdr;
}

int wattle_nl_dump_end(struct wattle_nl_walk *walk, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(walk->skb, hdr);
	else
		genlmsg_end(walk->skb, hdr);
	return err;
}

static struct wattle_nl_dump **wattle_nl_dump_slot(struct netlink_callback *cb)
{
	return (void *)cb->ctx;
}

static int wattle_nl_dump_start(struct wattle *w, struct netlink_callback *cb)
{
	struct wattle_nl_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);

	if (!dump)
		return -ENOMEM;
	dump->walk = wattle_walk_begin(&w->config);
	if (!dump->walk) {
		kfree(dump);
		return -ENOMEM;
	}
	mutex_lock(&wattle_nl_dumps_lock);
	dump->w = w;
	list_add(&dump->list, &w->dumps);
	mutex_unlock(&wattle_nl_dumps_lock);
	*wattle_nl_dump_slot(cb) = dump;
	return 0;
}

/* Context: the lock of dumps. */
static void wattle_nl_dump_detach(struct wattle_nl_dump *dump)
{
	list_del(&dump->list);
	wattle_walk_end(dump->walk);
	dump->walk = NULL;
	dump->w = NULL;
}

/* A page, which is what a dump begins with, may not hold the first entry. */
int wattle_nl_dump_room(struct netlink_callback *cb)
{
	cb->min_dump_alloc = WATTLE_NL_ENTRY_SIZE;
	return 0;
}

int wattle_nl_dump_done(struct netlink_callback *cb)
{
	struct wattle_nl_dump *dump = *wattle_nl_dump_slot(cb);

	if (!dump)
		return 0;
	mutex_lock(&wattle_nl_dumps_lock);
	if (dump->w)
		wattle_nl_dump_detach(dump);
	mutex_unlock(&wattle_nl_dumps_lock);
	kfree(dump);
	return 0;
}

void wattle_users_wait(struct wattle *w)
{
	struct wattle_nl_dump *dump, *next;

	wattle_put(w);
	wait_for_completion(&w->idle);

	mutex_lock(&wattle_nl_dumps_lock);
	list_for_each_entry_safe(dump, next, &w->dumps, list)
		wattle_nl_dump_detach(dump);
	mutex_unlock(&wattle_nl_dumps_lock);
}

/* Mark what is said from now on, be it only the end, as inconsistent with the beginning. */
static void wattle_nl_dump_torn(struct netlink_callback *cb)
{
	if (!cb->prev_seq)
		cb->prev_seq = 1;
	cb->seq = 2;
}

static int wattle_nl_dump_more(struct wattle_nl_walk *walk,
			       int (*fn)(struct wattle_nl_walk *walk))
{
	struct netlink_callback *cb = walk->cb;
	int err;

	if (!*wattle_nl_dump_slot(cb)) {
		err = wattle_nl_dump_start(walk->w, cb);
		if (err)
			return err;
	}
	walk->dump = *wattle_nl_dump_slot(cb);
	/* Stable while we hold a device: it is detached from one that nobody holds. */
	if (READ_ONCE(walk->dump->w) != walk->w)
		return wattle_nl_refuse(cb->extack, NULL, -ENODEV,
					"the wattle device was replaced by another");
	if (!cb->seq)
		cb->seq = 1;
	err = fn(walk);
	if (wattle_walk_torn(walk->dump->walk))
		wattle_nl_dump_torn(cb);
	if (err == -EMSGSIZE && walk->skb->len)
		return walk->skb->len;
	return err;
}

int wattle_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		   int maxattr, const struct nla_policy *policy,
		   int (*fn)(struct wattle_nl_walk *walk))
{
	struct nlattr *tb[WATTLE_NL_ATTR_MAX];
	struct wattle_nl_walk walk = {
		.skb = skb,
		.cb = cb,
		.tb = tb,
		.cmd = cmd,
	};
	int err;

	if (WARN_ON_ONCE(maxattr >= WATTLE_NL_ATTR_MAX))
		return -EINVAL;
	err = genlmsg_parse(cb->nlh, &wattle_nl_family, tb, maxattr, policy, cb->extack);
	if (err)
		return err;

	walk.w = wattle_get(sock_net(skb->sk));
	if (!walk.w)
		return wattle_nl_no_device(cb->extack);
	err = wattle_nl_dump_more(&walk, fn);
	wattle_put(walk.w);
	return err;
}

/* --- the device itself --- */

int wattle_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	struct wattle *w;
	void *hdr;
	int err;

	reply = wattle_nl_reply_begin(info, WATTLE_CMD_INFO_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	err = nla_put_string(reply, WATTLE_A_INFO_VERSION, WATTLE_VERSION) ?:
	      nla_put_u32(reply, WATTLE_A_INFO_ABI, WATTLE_ABI);
	/* The module can be asked what it is where there is no device. */
	w = wattle_get(genl_info_net(info));
	if (w) {
		err = err ?: nla_put_u64_64bit(reply, WATTLE_A_INFO_GENERATION,
					       wattle_generation(&w->config),
					       WATTLE_A_INFO_PAD);
		err = err ?: nla_put_u32(reply, WATTLE_A_INFO_IFINDEX, w->dev->ifindex);
		wattle_put(w);
	}
	return wattle_nl_reply_end(info, reply, hdr, err);
}

/* --- transactions --- */

static const struct wattle_nl_field wattle_nl_txn_fields[] = {
	{ WATTLE_FIELD_GENERATION, WATTLE_A_INFO_GENERATION },
};

static int wattle_nl_txn_refused(struct genl_info *info, int err,
				 const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_txn_fields,
				 ARRAY_SIZE(wattle_nl_txn_fields));
}

static int wattle_nl_txn_no_generation(struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[WATTLE_A_INFO_GENERATION];

	if (!attr)
		return 0;
	return wattle_nl_refuse(info->extack, attr, -EINVAL,
				"the generation that is expected is told to txn-commit");
}

static int wattle_nl_txn_begin(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};

	if (wattle_nl_txn_no_generation(info))
		return -EINVAL;
	return wattle_nl_txn_refused(info, wattle_config_begin(&w->config, info->snd_portid, &why),
				     &why);
}

static int wattle_nl_txn_commit(struct wattle *w, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[WATTLE_A_INFO_GENERATION];
	u64 expect = attr ? nla_get_u64(attr) : 0;
	struct wattle_refusal why = {};

	return wattle_nl_txn_refused(info, wattle_config_commit(&w->config, info->snd_portid,
								attr ? &expect : NULL, &why),
				     &why);
}

static int wattle_nl_txn_abort(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};

	if (wattle_nl_txn_no_generation(info))
		return -EINVAL;
	return wattle_nl_txn_refused(info, wattle_config_abort(&w->config, info->snd_portid, &why),
				     &why);
}

int wattle_nl_txn_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_txn_begin);
}

int wattle_nl_txn_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_txn_commit);
}

int wattle_nl_txn_abort_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_txn_abort);
}

/* A socket was closed: its transaction dies with it. Context: process, may sleep. */
static int wattle_nl_socket_closed(struct notifier_block *nb, unsigned long event, void *data)
{
	struct netlink_notify *notify = data;
	struct wattle *w;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	w = wattle_get(notify->net);
	if (w) {
		wattle_config_release(&w->config, notify->portid);
		wattle_put(w);
	}
	return NOTIFY_DONE;
}

static struct notifier_block wattle_nl_notifier = {
	.notifier_call = wattle_nl_socket_closed,
};

int wattle_netlink_init(void)
{
	int err;

	err = netlink_register_notifier(&wattle_nl_notifier);
	if (err)
		return err;
	err = genl_register_family(&wattle_nl_family);
	if (err)
		netlink_unregister_notifier(&wattle_nl_notifier);
	return err;
}

void wattle_netlink_exit(void)
{
	genl_unregister_family(&wattle_nl_family);
	netlink_unregister_notifier(&wattle_nl_notifier);
}
