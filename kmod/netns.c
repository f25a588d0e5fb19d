// SPDX-License-Identifier: GPL-2.0-only
/* What a device asks of the kernel in its namespace: conntrack, NAT, peace for the tunnel. */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "account.h"
#include "hooks.h"
#include "nat.h"
#include "uplink.h"

/*
 * The tunnel's own packets are no connections of the host: conntrack would make one for
 * each source port, and gain nothing by it. Those that only pass through, or have been seen by
 * conntrack already, are none of the tunnel's.
 */
static bool wattle_is_tunnel(const struct wattle *w, struct sk_buff *skb, unsigned int offset,
			     u8 proto)
{
	const struct udphdr *uh;
	struct udphdr buffer;

	if (proto != IPPROTO_UDP || skb->pkt_type != PACKET_HOST)
		return false;
	uh = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	return uh && ntohs(uh->dest) == READ_ONCE(w->opt.port);
}

static unsigned int wattle_hook_untrack4(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	const struct wattle *w = wattle_of(state->net);
	const struct iphdr *iph = ip_hdr(skb);

	if (w && !skb_nfct(skb) && !ip_is_fragment(iph) &&
	    wattle_is_tunnel(w, skb, ip_hdrlen(skb), iph->protocol) &&
	    inet_addr_type(state->net, iph->daddr) == RTN_LOCAL)
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

static unsigned int wattle_hook_untrack6(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	const struct wattle *w = wattle_of(state->net);
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	if (w && !skb_nfct(skb) && wattle_is_tunnel(w, skb, sizeof(*ip6h), ip6h->nexthdr) &&
	    ipv6_chk_addr(state->net, &ip6h->daddr, NULL, 0))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

static const struct nf_hook_ops wattle_netns_ops[] = {
	{
		.hook = wattle_hook_untrack4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	}, {
		.hook = wattle_hook_untrack6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_RAW_BEFORE_DEFRAG,
	}, {
		.hook = wattle_account_answer,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK + 1,
	}, {
		.hook = wattle_account_answer,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_CONNTRACK + 1,
	},
};

int wattle_hooks_init(struct wattle *w, struct netlink_ext_ack *extack)
{
	int err;

	err = nf_ct_netns_get(w->net, NFPROTO_INET);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "Connection tracking is not available");
		return err;
	}
	err = nf_defrag_ipv4_enable(w->net);
	if (err)
		goto err_conntrack;
	err = nf_defrag_ipv6_enable(w->net);
	if (err)
		goto err_defrag4;
	err = wattle_nat_register(w);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "Address translation is not available");
		goto err_defrag6;
	}
	err = nf_register_net_hooks(w->net, wattle_netns_ops, ARRAY_SIZE(wattle_netns_ops));
	if (err)
		goto err_nat;
	wattle_uplinks_init(w);
	return 0;

err_nat:
	wattle_nat_unregister(w);
err_defrag6:
	nf_defrag_ipv6_disable(w->net);
err_defrag4:
	nf_defrag_ipv4_disable(w->net);
err_conntrack:
	nf_ct_netns_put(w->net, NFPROTO_INET);
	return err;
}

void wattle_hooks_exit(struct wattle *w)
{
	wattle_uplinks_exit(w);
	nf_unregister_net_hooks(w->net, wattle_netns_ops, ARRAY_SIZE(wattle_netns_ops));
	wattle_nat_unregister(w);
	nf_defrag_ipv6_disable(w->net);
	nf_defrag_ipv4_disable(w->net);
	nf_ct_netns_put(w->net, NFPROTO_INET);
}
