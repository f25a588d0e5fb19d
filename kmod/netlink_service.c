// SPDX-License-Identifier: GPL-2.0-only
/* Services and backends: changes of them, and what there is. */
#include <linux/in.h>
#include <linux/mm.h>
#include "flow.h"
#include "live.h"
#include "netlink.h"

static const struct wattle_nl_field wattle_nl_service_fields[] = {
	{ WATTLE_FIELD_ADDR, WATTLE_A_SERVICE_ADDR },
	{ WATTLE_FIELD_PORT, WATTLE_A_SERVICE_PORT },
	{ WATTLE_FIELD_PROTO, WATTLE_A_SERVICE_PROTO },
	{ WATTLE_FIELD_ALG, WATTLE_A_SERVICE_ALG },
	{ WATTLE_FIELD_MAGLEV_SIZE, WATTLE_A_SERVICE_MAGLEV_SIZE },
	{ WATTLE_FIELD_SCOPE, WATTLE_A_SERVICE_SCOPE },
	{ WATTLE_FIELD_EMPTY, WATTLE_A_SERVICE_EMPTY },
	{ WATTLE_FIELD_SOURCE, WATTLE_A_SERVICE_SOURCE },
	{ WATTLE_FIELD_SOURCE_POLICY, WATTLE_A_SERVICE_SOURCE_POLICY },
	{ WATTLE_FIELD_DSR, WATTLE_A_SERVICE_DSR },
	{ WATTLE_FIELD_AFFINITY_ADDR, WATTLE_A_SERVICE_AFFINITY_ADDR },
};

static const struct wattle_nl_field wattle_nl_backend_fields[] = {
	{ WATTLE_FIELD_ADDR, WATTLE_A_BACKEND_SERVICE_ADDR },
	{ WATTLE_FIELD_PORT, WATTLE_A_BACKEND_SERVICE_PORT },
	{ WATTLE_FIELD_PROTO, WATTLE_A_BACKEND_SERVICE_PROTO },
	{ WATTLE_FIELD_SCOPE, WATTLE_A_BACKEND_SERVICE_SCOPE },
	{ WATTLE_FIELD_BACKEND_ADDR, WATTLE_A_BACKEND_ADDR },
	{ WATTLE_FIELD_BACKEND_PORT, WATTLE_A_BACKEND_PORT },
	{ WATTLE_FIELD_WEIGHT, WATTLE_A_BACKEND_WEIGHT },
	{ WATTLE_FIELD_STATE, WATTLE_A_BACKEND_STATE },
};

static int wattle_nl_get_frontend(struct netlink_ext_ack *extack, struct nlattr **tb,
				  int addr, int port, int proto, int scope,
				  struct wattle_service_key *out)
{
	int err;

	if (wattle_nl_lacks(extack, NULL, tb, addr, "a service is told by its address") ||
	    wattle_nl_lacks(extack, NULL, tb, port, "a service is told by its port") ||
	    wattle_nl_lacks(extack, NULL, tb, proto, "a service is told by its protocol"))
		return -EINVAL;
	err = wattle_nl_get_addr(tb[addr], &out->addr, extack);
	if (err)
		return err;
	out->port = htons(nla_get_u16(tb[port]));
	if (!out->port)
		return wattle_nl_refuse(extack, tb[port], -EINVAL,
					"the port of a service is 1 to 65535");
	out->proto = nla_get_u8(tb[proto]);
	if (out->proto != IPPROTO_TCP && out->proto != IPPROTO_UDP && out->proto != IPPROTO_SCTP)
		return wattle_nl_refuse(extack, tb[proto], -EINVAL,
					"the protocol of a service is TCP, UDP or SCTP");
	out->scope = tb[scope] ? nla_get_u8(tb[scope]) : WATTLE_SCOPE_ANY;
	return 0;
}

static int wattle_nl_service_key(struct netlink_ext_ack *extack, struct nlattr **tb,
				 struct wattle_service_key *out)
{
	return wattle_nl_get_frontend(extack, tb, WATTLE_A_SERVICE_ADDR, WATTLE_A_SERVICE_PORT,
				      WATTLE_A_SERVICE_PROTO, WATTLE_A_SERVICE_SCOPE, out);
}

static int wattle_nl_backend_service(struct netlink_ext_ack *extack, struct nlattr **tb,
				     struct wattle_service_key *out)
{
	return wattle_nl_get_frontend(extack, tb, WATTLE_A_BACKEND_SERVICE_ADDR,
				      WATTLE_A_BACKEND_SERVICE_PORT,
				      WATTLE_A_BACKEND_SERVICE_PROTO,
				      WATTLE_A_BACKEND_SERVICE_SCOPE, out);
}

/* --- changes --- */

static int wattle_nl_service_refused(struct genl_info *info, int err,
				     const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_service_fields,
				 ARRAY_SIZE(wattle_nl_service_fields));
}

/* As whose clients those of @spec are to be remembered. */
static int wattle_nl_service_remembers(struct genl_info *info, struct wattle_service_spec *spec)
{
	struct wattle_service_key *with = &spec->remembers;
	struct nlattr **tb = info->attrs;
	int err;

	if (!tb[WATTLE_A_SERVICE_AFFINITY_ADDR] && !tb[WATTLE_A_SERVICE_AFFINITY_PORT])
		return 0;
	if (wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_SERVICE_AFFINITY_ADDR,
			    "the address of the service to share affinity with is missing") ||
	    wattle_nl_lacks(info->extack, NULL, tb, WATTLE_A_SERVICE_AFFINITY_PORT,
			    "the port of the service to share affinity with is missing"))
		return -EINVAL;
	err = wattle_nl_get_addr(tb[WATTLE_A_SERVICE_AFFINITY_ADDR], &with->addr, info->extack);
	if (err)
		return err;
	with->port = htons(nla_get_u16(tb[WATTLE_A_SERVICE_AFFINITY_PORT]));
	if (!with->port)
		return wattle_nl_refuse(info->extack, tb[WATTLE_A_SERVICE_AFFINITY_PORT], -EINVAL,
					"the port of a service is 1 to 65535");
	with->proto = spec->key.proto;
	with->scope = WATTLE_SCOPE_ANY;
	return 0;
}

static int wattle_nl_service_spec(struct genl_info *info, struct wattle_service_spec *spec)
{
	struct nlattr **tb = info->attrs;
	int err;

	err = wattle_nl_service_key(info->extack, tb, &spec->key);
	if (err)
		return err;
	if (tb[WATTLE_A_SERVICE_ALG])
		spec->alg = nla_get_u8(tb[WATTLE_A_SERVICE_ALG]);
	if (tb[WATTLE_A_SERVICE_AFFINITY])
		spec->affinity = nla_get_u32(tb[WATTLE_A_SERVICE_AFFINITY]);
	if (tb[WATTLE_A_SERVICE_MAGLEV_SIZE])
		spec->maglev_size = nla_get_u32(tb[WATTLE_A_SERVICE_MAGLEV_SIZE]);
	if (tb[WATTLE_A_SERVICE_EMPTY])
		spec->empty = nla_get_u8(tb[WATTLE_A_SERVICE_EMPTY]);
	if (tb[WATTLE_A_SERVICE_SOURCE_POLICY])
		spec->source_policy = nla_get_u8(tb[WATTLE_A_SERVICE_SOURCE_POLICY]);
	if (tb[WATTLE_A_SERVICE_DSR])
		spec->dsr = nla_get_u8(tb[WATTLE_A_SERVICE_DSR]);
	return wattle_nl_service_remembers(info, spec);
}

/* @sources has room for @spec->source_count. */
static int wattle_nl_service_sources(struct genl_info *info, const struct wattle_service_spec *spec,
				     struct wattle_prefix *sources)
{
	unsigned int i = 0;
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != WATTLE_A_SERVICE_SOURCE)
			continue;
		err = wattle_nl_get_prefix_nest(attr, &sources[i++], info->extack);
		if (err)
			return err;
	}
	return 0;
}

static int wattle_nl_service_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_service_spec spec = { .maglev_size = WATTLE_MAGLEV_SIZE };
	struct wattle_prefix *sources = NULL;
	struct wattle_refusal why = {};
	int err;

	err = wattle_nl_service_spec(info, &spec);
	if (err)
		return err;
	spec.source_count = wattle_nl_count(info, WATTLE_A_SERVICE_SOURCE);
	if (spec.source_count) {
		sources = kvmalloc_array(spec.source_count, sizeof(*sources), GFP_KERNEL);
		if (!sources)
			return -ENOMEM;
		spec.sources = sources;
		err = wattle_nl_service_sources(info, &spec, sources);
	}
	if (!err) {
		err = wattle_config_service_add(&w->config, info->snd_portid, &spec,
						info->nlhdr->nlmsg_flags & NLM_F_REPLACE, &why);
		wattle_nl_service_refused(info, err, &why);
	}
	kvfree(sources);
	return err;
}

static int wattle_nl_service_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_refusal why = {};
	struct wattle_service_key key;
	int err;

	err = wattle_nl_service_key(info->extack, info->attrs, &key);
	if (err)
		return err;
	err = wattle_config_service_del(&w->config, info->snd_portid, &key, &why);
	return wattle_nl_service_refused(info, err, &why);
}

static int wattle_nl_backend_refused(struct genl_info *info, int err,
				     const struct wattle_refusal *why)
{
	return wattle_nl_refused(info, err, why, NULL, wattle_nl_backend_fields,
				 ARRAY_SIZE(wattle_nl_backend_fields));
}

static int wattle_nl_backend_spec(struct genl_info *info, struct wattle_service_key *service,
				  struct wattle_backend *backend)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr **tb = info->attrs;
	int err;

	err = wattle_nl_backend_service(extack, tb, service);
	if (err)
		return err;
	if (wattle_nl_lacks(extack, NULL, tb, WATTLE_A_BACKEND_ADDR,
			    "the address of the backend is missing") ||
	    wattle_nl_lacks(extack, NULL, tb, WATTLE_A_BACKEND_PORT,
			    "the port of the backend is missing"))
		return -EINVAL;
	err = wattle_nl_get_addr(tb[WATTLE_A_BACKEND_ADDR], &backend->addr, extack);
	if (err)
		return err;
	if (wattle_addr_is_v4(&backend->addr) != wattle_addr_is_v4(&service->addr))
		return wattle_nl_refuse(extack, tb[WATTLE_A_BACKEND_ADDR], -EINVAL,
					"a backend is of the same family as its service");
	backend->port = htons(nla_get_u16(tb[WATTLE_A_BACKEND_PORT]));
	if (!backend->port)
		return wattle_nl_refuse(extack, tb[WATTLE_A_BACKEND_PORT], -EINVAL,
					"the port of a backend is 1 to 65535");
	return 0;
}

static int wattle_nl_backend_new(struct wattle *w, struct genl_info *info)
{
	struct wattle_backend backend = { .weight = 100, .state = WATTLE_BACKEND_STATE_ACTIVE };
	struct nlattr **tb = info->attrs;
	struct wattle_service_key service;
	struct wattle_refusal why = {};
	int err;

	err = wattle_nl_backend_spec(info, &service, &backend);
	if (err)
		return err;
	if (tb[WATTLE_A_BACKEND_WEIGHT])
		backend.weight = nla_get_u16(tb[WATTLE_A_BACKEND_WEIGHT]);
	if (tb[WATTLE_A_BACKEND_STATE])
		backend.state = nla_get_u8(tb[WATTLE_A_BACKEND_STATE]);
	err = wattle_config_backend_add(&w->config, info->snd_portid, &service, &backend,
					info->nlhdr->nlmsg_flags & NLM_F_REPLACE, &why);
	return wattle_nl_backend_refused(info, err, &why);
}

static int wattle_nl_backend_del(struct wattle *w, struct genl_info *info)
{
	struct wattle_backend backend = {};
	struct wattle_service_key service;
	struct wattle_refusal why = {};
	int err;

	err = wattle_nl_backend_spec(info, &service, &backend);
	if (err)
		return err;
	err = wattle_config_backend_del(&w->config, info->snd_portid, &service, &backend, &why);
	return wattle_nl_backend_refused(info, err, &why);
}

int wattle_nl_service_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_service_new);
}

int wattle_nl_service_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_service_del);
}

int wattle_nl_backend_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_backend_new);
}

int wattle_nl_backend_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return wattle_nl_with_device(info, wattle_nl_backend_del);
}

/* --- services, shown --- */

static int wattle_nl_put_sources(struct sk_buff *skb, const struct wattle_service *s)
{
	unsigned int i;

	for (i = 0; s->sources && i < s->sources->count; i++) {
		if (wattle_nl_put_prefix_nest(skb, WATTLE_A_SERVICE_SOURCE,
					      &s->sources->prefixes[i]))
			return -EMSGSIZE;
	}
	return nla_put_u8(skb, WATTLE_A_SERVICE_SOURCE_POLICY, s->source_policy);
}

int wattle_nl_put_frontend(struct sk_buff *skb, const struct wattle_service *s)
{
	if (wattle_nl_put_addr(skb, WATTLE_A_SERVICE_ADDR, &s->addr) ||
	    nla_put_u16(skb, WATTLE_A_SERVICE_PORT, ntohs(s->port)) ||
	    nla_put_u8(skb, WATTLE_A_SERVICE_PROTO, s->proto) ||
	    nla_put_u8(skb, WATTLE_A_SERVICE_SCOPE, s->scope) ||
	    nla_put_u32(skb, WATTLE_A_SERVICE_BACKENDS, s->count) ||
	    nla_put_u32(skb, WATTLE_A_SERVICE_USABLE, s->usable) ||
	    nla_put_u32(skb, WATTLE_A_SERVICE_ID, s->id))
		return -EMSGSIZE;
	return 0;
}

/*
 * Does the request @skb ask by @flag for counters as of now? Every CPU has to interrupt its work
 * for what its flows owe, so it is not for everybody.
 */
static bool wattle_nl_wants_counters(const struct net *net, const struct sk_buff *skb,
				     const struct nlattr *flag)
{
	return flag && netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN);
}

/* By which attributes a frontend, or a backend, tells what it was asked for and has carried. */
struct wattle_nl_counters {
	int connections;
	int packets[IP_CT_DIR_MAX];
	int bytes[IP_CT_DIR_MAX];
	int pad;
};

static const struct wattle_nl_counters wattle_nl_service_counters = {
	.connections = WATTLE_A_SERVICE_CONNECTIONS,
	.packets = { WATTLE_A_SERVICE_IN_PACKETS, WATTLE_A_SERVICE_OUT_PACKETS },
	.bytes = { WATTLE_A_SERVICE_IN_BYTES, WATTLE_A_SERVICE_OUT_BYTES },
	.pad = WATTLE_A_SERVICE_PAD,
};

static const struct wattle_nl_counters wattle_nl_backend_counters = {
	.connections = WATTLE_A_BACKEND_CONNECTIONS,
	.packets = { WATTLE_A_BACKEND_IN_PACKETS, WATTLE_A_BACKEND_OUT_PACKETS },
	.bytes = { WATTLE_A_BACKEND_IN_BYTES, WATTLE_A_BACKEND_OUT_BYTES },
	.pad = WATTLE_A_BACKEND_PAD,
};

static int wattle_nl_put_counters(struct sk_buff *skb, const struct wattle_nl_counters *as,
				  struct wattle_service_stats *stats)
{
	struct wattle_service_total total;
	int dir;

	wattle_service_stats_total(stats, &total);
	if (nla_put_u64_64bit(skb, as->connections, total.connections, as->pad))
		return -EMSGSIZE;
	for (dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		if (nla_put_u64_64bit(skb, as->packets[dir], total.packets[dir], as->pad) ||
		    nla_put_u64_64bit(skb, as->bytes[dir], total.bytes[dir], as->pad))
			return -EMSGSIZE;
	}
	return 0;
}

/* Nothing where it remembers by itself. */
static int wattle_nl_put_remembers(struct sk_buff *skb, const struct wattle_service *s)
{
	if (!memcmp(&s->remembers, &s->key, sizeof(s->key)))
		return 0;
	if (wattle_nl_put_addr(skb, WATTLE_A_SERVICE_AFFINITY_ADDR, &s->remembers.addr) ||
	    nla_put_u16(skb, WATTLE_A_SERVICE_AFFINITY_PORT, ntohs(s->remembers.port)))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_put_service(struct sk_buff *skb, const struct wattle_service *s)
{
	if (wattle_nl_put_frontend(skb, s) ||
	    nla_put_u8(skb, WATTLE_A_SERVICE_ALG, s->alg) ||
	    nla_put_u32(skb, WATTLE_A_SERVICE_AFFINITY, s->affinity) ||
	    wattle_nl_put_remembers(skb, s) ||
	    nla_put_u32(skb, WATTLE_A_SERVICE_MAGLEV_SIZE, s->maglev_size) ||
	    nla_put_u8(skb, WATTLE_A_SERVICE_EMPTY, s->empty) ||
	    nla_put_u8(skb, WATTLE_A_SERVICE_DSR, s->dsr) ||
	    wattle_nl_put_sources(skb, s) ||
	    wattle_nl_put_counters(skb, &wattle_nl_service_counters, s->stats) ||
	    nla_put_u64_64bit(skb, WATTLE_A_SERVICE_REFUSED, atomic64_read(&s->stats->refused),
			      WATTLE_A_SERVICE_PAD))
		return -EMSGSIZE;
	return 0;
}

static int wattle_nl_service_fill(struct wattle *w, struct genl_info *info, u64 gen,
				  struct sk_buff *skb)
{
	const struct wattle_service *service;
	struct wattle_service_key key;
	int err;

	err = wattle_nl_service_key(info->extack, info->attrs, &key);
	if (err)
		return err;
	service = wattle_service_lookup(&w->config.services, &key, gen);
	if (!service)
		return wattle_nl_refuse(info->extack, info->attrs[WATTLE_A_SERVICE_ADDR], -ENOENT,
					"there is no such service");
	return wattle_nl_put_service(skb, service);
}

static int wattle_nl_service_get(struct wattle *w, struct genl_info *info)
{
	return wattle_nl_reply(w, info, WATTLE_CMD_SERVICE_GET, WATTLE_NL_ENTRY_SIZE,
			       wattle_nl_service_fill);
}

static int wattle_nl_service_count(struct wattle *w, struct genl_info *info)
{
	wattle_flows_bill(w);
	return 0;
}

int wattle_nl_service_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (wattle_nl_wants_counters(genl_info_net(info), skb,
				     info->attrs[WATTLE_A_SERVICE_COUNTERS])) {
		err = wattle_nl_with_device(info, wattle_nl_service_count);
		if (err)
			return err;
	}
	return wattle_nl_with_device(info, wattle_nl_service_get);
}

static int wattle_nl_service_visit(const struct wattle_service *service, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	void *hdr = wattle_nl_dump_begin(walk);

	if (!hdr)
		return -EMSGSIZE;
	return wattle_nl_dump_end(walk, hdr, wattle_nl_put_service(walk->skb, service));
}

static int wattle_nl_service_walk(struct wattle_nl_walk *walk)
{
	if (!walk->dump->begun && wattle_nl_wants_counters(walk->w->net, walk->cb->skb,
							   walk->tb[WATTLE_A_SERVICE_COUNTERS]))
		wattle_flows_bill(walk->w);
	walk->dump->begun = true;
	return wattle_walk_services(walk->dump->walk, wattle_nl_service_visit, walk);
}

int wattle_nl_service_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_SERVICE_GET, WATTLE_A_SERVICE_COUNTERS,
			      wattle_service_get_nl_policy, wattle_nl_service_walk);
}

/* --- backends, shown --- */

static int wattle_nl_put_backend(struct wattle_nl_walk *walk, const struct wattle_service *s,
				 const struct wattle_backend *b)
{
	struct sk_buff *skb = walk->skb;

	if (wattle_nl_put_addr(skb, WATTLE_A_BACKEND_SERVICE_ADDR, &s->addr) ||
	    nla_put_u16(skb, WATTLE_A_BACKEND_SERVICE_PORT, ntohs(s->port)) ||
	    nla_put_u8(skb, WATTLE_A_BACKEND_SERVICE_PROTO, s->proto) ||
	    nla_put_u8(skb, WATTLE_A_BACKEND_SERVICE_SCOPE, s->scope) ||
	    wattle_nl_put_addr(skb, WATTLE_A_BACKEND_ADDR, &b->addr) ||
	    nla_put_u16(skb, WATTLE_A_BACKEND_PORT, ntohs(b->port)) ||
	    nla_put_u16(skb, WATTLE_A_BACKEND_WEIGHT, b->weight) ||
	    nla_put_u8(skb, WATTLE_A_BACKEND_STATE, b->state) ||
	    wattle_nl_put_counters(skb, &wattle_nl_backend_counters, b->stats) ||
	    (walk->dump->counted && nla_put_u32(skb, WATTLE_A_BACKEND_LIVE,
						wattle_live_read(walk->w, b->stats))))
		return -EMSGSIZE;
	return 0;
}

/* One service's backends, from where the last message ended. */
static int wattle_nl_backends_visit(const struct wattle_service *service, void *arg)
{
	struct wattle_nl_walk *walk = arg;
	u32 *i = &walk->dump->sub;
	void *hdr;
	int err;

	for (; *i < service->count; ++*i) {
		hdr = wattle_nl_dump_begin(walk);
		if (!hdr)
			return -EMSGSIZE;
		err = wattle_nl_put_backend(walk, service, &service->backends[*i]);
		if (wattle_nl_dump_end(walk, hdr, err))
			return err;
	}
	*i = 0;
	return 0;
}

static int wattle_nl_backends_of(struct wattle_nl_walk *walk)
{
	struct netlink_ext_ack *extack = walk->cb->extack;
	const struct wattle_service *service;
	struct wattle_service_key key;
	int err;

	err = wattle_nl_backend_service(extack, walk->tb, &key);
	if (err)
		return err;
	rcu_read_lock();
	service = wattle_service_lookup(&walk->w->config.services, &key,
					wattle_walk_gen(walk->dump->walk));
	if (service)
		err = wattle_nl_backends_visit(service, walk);
	else if (!walk->dump->sub)	/* else it was removed meanwhile: torn */
		err = wattle_nl_refuse(extack, walk->tb[WATTLE_A_BACKEND_SERVICE_ADDR], -ENOENT,
				       "there is no such service");
	rcu_read_unlock();
	return err;
}

/* At the beginning, what has to be counted first. */
static void wattle_nl_backend_count(struct wattle_nl_walk *walk)
{
	struct wattle_nl_dump *dump = walk->dump;

	if (!dump->begun && wattle_nl_wants_counters(walk->w->net, walk->cb->skb,
						     walk->tb[WATTLE_A_BACKEND_COUNTERS])) {
		wattle_flows_bill(walk->w);
		wattle_live_count(walk->w);
		dump->counted = true;
	}
	dump->begun = true;
}

static int wattle_nl_backend_walk(struct wattle_nl_walk *walk)
{
	wattle_nl_backend_count(walk);
	if (walk->tb[WATTLE_A_BACKEND_SERVICE_ADDR] || walk->tb[WATTLE_A_BACKEND_SERVICE_PORT] ||
	    walk->tb[WATTLE_A_BACKEND_SERVICE_PROTO] || walk->tb[WATTLE_A_BACKEND_SERVICE_SCOPE])
		return wattle_nl_backends_of(walk);
	return wattle_walk_services(walk->dump->walk, wattle_nl_backends_visit, walk);
}

int wattle_nl_backend_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return wattle_nl_dump(skb, cb, WATTLE_CMD_BACKEND_GET, WATTLE_A_BACKEND_COUNTERS,
			      wattle_backend_get_nl_policy, wattle_nl_backend_walk);
}
