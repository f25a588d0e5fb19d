// SPDX-License-Identifier: GPL-2.0-only
/* Connections that get a source of this host. */
#include <linux/ipv6.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>

#include "compat.h"
#include "nat.h"

/* As the host's own programs would speak to @to. */
static bool wattle_source4(struct wattle *w, const struct in6_addr *to, struct in6_addr *from)
{
	struct flowi4 fl4 = { .daddr = wattle_addr_v4(to) };
	struct rtable *rt = ip_route_output_key(w->net, &fl4);

	if (IS_ERR(rt))
		return false;
	wattle_addr_set_v4(from, fl4.saddr);
	ip_rt_put(rt);
	return true;
}

static bool wattle_source6(struct wattle *w, const struct in6_addr *to, struct in6_addr *from)
{
	struct flowi6 fl6 = { .daddr = *to };
	struct dst_entry *dst;

	if (!ipv6_mod_enabled())
		return false;
	dst = ip6_dst_lookup_flow(w->net, NULL, &fl6, NULL);
	if (IS_ERR(dst))
		return false;
	*from = fl6.saddr;
	dst_release(dst);
	return true;
}

/* Other nodes know this one by the tunnel's own address, if it has one of that family. */
static bool wattle_source_find(struct wattle *w, const struct in6_addr *to,
			       const struct wattle_node *node, struct in6_addr *from)
{
	bool v4 = wattle_addr_is_v4(to);
	const struct in6_addr *local = v4 ? &w->opt.local4 : &w->opt.local6;

	if (node && !ipv6_addr_any(local)) {
		*from = *local;
		return true;
	}
	return v4 ? wattle_source4(w, to, from) : wattle_source6(w, to, from);
}

static enum wattle_reason wattle_bind_source(struct nf_conn *ct, const struct in6_addr *from)
{
	struct nf_nat_range2 range;

	wattle_range(&range, from);
	return nf_nat_setup_info(ct, &range, NF_NAT_MANIP_SRC) == NF_ACCEPT ? WATTLE_REASON_NONE :
									    WATTLE_REASON_NAT;
}

enum wattle_reason wattle_masquerade(struct wattle *w, struct nf_conn *ct,
				     const struct in6_addr *to, const struct wattle_node *node)
{
	struct in6_addr from;

	return wattle_source_find(w, to, node, &from) ? wattle_bind_source(ct, &from) :
							WATTLE_REASON_NO_ROUTE;
}

bool wattle_masquerade_source(struct wattle *w, const struct wattle_decision *decision,
			      struct in6_addr *from)
{
	*from = decision->outward->spec.addr;
	return !ipv6_addr_any(from) || wattle_source_find(w, &decision->daddr, NULL, from);
}

enum wattle_reason wattle_masquerade_outward(struct wattle *w, struct nf_conn *ct,
					     const struct wattle_decision *decision)
{
	struct in6_addr from;

	if (nf_nat_initialized(ct, NF_NAT_MANIP_SRC))
		return WATTLE_REASON_NONE;
	return wattle_masquerade_source(w, decision, &from) ? wattle_bind_source(ct, &from) :
							      WATTLE_REASON_NO_ROUTE;
}
