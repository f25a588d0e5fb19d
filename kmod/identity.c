// SPDX-License-Identifier: GPL-2.0-only
/* Identities, the readers' side: what an address is, and where. */

#include "identity_private.h"

static inline struct wattle_identity_host *
wattle_host_lookup(struct wattle_identities *ids, const struct in6_addr *addr, u64 gen)
{
	struct wattle_host_key key = { .addr = *addr, .gen = gen };

	return rhashtable_lookup(&ids->hosts, &key, wattle_host_params);
}

/* Found by the number in an entry that is visible: that entry keeps it. */
static const struct in6_addr *wattle_via_addr(struct wattle_identities *ids, u32 number)
{
	const struct wattle_via *via = number ? xa_load(&ids->vias, number) : NULL;

	return via ? &via->addr : NULL;
}

/**
 * wattle_identity_lookup() - what is an address, and where?
 * @ids: table
 * @addr: IPv4 mapped
 * @gen: generation to read at
 * @info: what was found
 *
 * Context: RCU reader.
 * Return: whether a prefix covers @addr; the longest is in @info then.
 */
bool wattle_identity_lookup(struct wattle_identities *ids, const struct in6_addr *addr, u64 gen,
			    struct wattle_identity_info *info)
{
	const struct wattle_identity_host *host = wattle_host_lookup(ids, addr, gen);
	const struct wattle_identity_net *net;
	struct wattle_lpm_entry *entry;

	if (host) {
		info->id = wattle_packed_payload(&host->born_id);
		info->prefix_len = 128;
		info->via = wattle_via_addr(ids, wattle_packed_payload(&host->died_via));
		return true;
	}
	entry = wattle_lpm_lookup(&ids->nets, addr, gen);
	if (!entry)
		return false;
	net = container_of(entry, struct wattle_identity_net, entry);
	info->id = net->id;
	info->prefix_len = net->prefix.len;
	info->via = wattle_via_addr(ids, net->via);
	return true;
}

bool wattle_identity_find(struct wattle_identities *ids, const struct wattle_prefix *prefix,
			  u64 gen, struct wattle_identity_info *info)
{
	const struct wattle_identity_host *host;
	const struct wattle_identity_net *net;
	struct wattle_lpm_entry *entry;

	info->prefix_len = prefix->len;
	if (prefix->len == 128) {
		host = wattle_host_lookup(ids, &prefix->addr, gen);
		if (!host)
			return false;
		info->id = wattle_packed_payload(&host->born_id);
		info->via = wattle_via_addr(ids, wattle_packed_payload(&host->died_via));
		return true;
	}
	entry = wattle_lpm_find(&ids->nets, prefix, gen);
	if (!entry)
		return false;
	net = container_of(entry, struct wattle_identity_net, entry);
	info->id = net->id;
	info->via = wattle_via_addr(ids, net->via);
	return true;
}

static void wattle_identity_describe(struct wattle_identities *ids, u32 id, u32 via,
				     struct wattle_identity_spec *spec)
{
	const struct in6_addr *addr = wattle_via_addr(ids, via);

	spec->id = id;
	spec->via = addr ? *addr : in6addr_any;
}

void wattle_identity_host_describe(struct wattle_identities *ids,
				   const struct wattle_identity_host *host,
				   struct wattle_identity_spec *spec)
{
	spec->prefix.addr = host->addr;
	spec->prefix.len = 128;
	wattle_identity_describe(ids, wattle_packed_payload(&host->born_id),
				 wattle_packed_payload(&host->died_via), spec);
}

void wattle_identity_net_describe(struct wattle_identities *ids,
				  const struct wattle_identity_net *net,
				  struct wattle_identity_spec *spec)
{
	spec->prefix = net->prefix;
	wattle_identity_describe(ids, net->id, net->via, spec);
}
