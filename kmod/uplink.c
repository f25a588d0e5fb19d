// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet that came to the tunnel's socket has shown that its outer destination is ours, and
 * by which device such packets come. From then on a hook on that device takes what is
 * alike straight into the tunnel. Everything else, and anything odd, goes on to the stack and
 * the socket, which keeps the port and makes GRO work. Each CPU learns for itself, and anew with
 * each epoch (an address may have been taken away).
 */
#include <linux/if_vlan.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/udp.h>
#include <net/xfrm.h>

#include "flow.h"
#include "tunnel.h"
#include "uplink.h"

#define WATTLE_UPLINKS_MAX	16

struct wattle_uplink {
	struct wattle *wattle;
	struct net_device *dev;
	netdevice_tracker tracker;
	struct nf_hook_ops ops;
	struct list_head list;
};

static void wattle_uplink_learn(struct wattle *w, const struct sk_buff *skb)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->version == 4)
		wattle_addr_set_v4(&flows->uplink_addr, iph->daddr);
	else
		flows->uplink_addr = ipv6_hdr(skb)->daddr;
	flows->uplink_epoch = wattle_epoch(&w->config);
	if (likely(flows->uplink == skb->skb_iif))
		return;
	flows->uplink = skb->skb_iif;
	if (!READ_ONCE(w->uplink_wanted)) {
		WRITE_ONCE(w->uplink_wanted, skb->skb_iif);
		schedule_delayed_work(&w->uplink_work, 0);
	}
}

/* Where IPsec has a say, it is the stack that asks for it. */
static bool wattle_uplink_is_guarded(const struct net *net)
{
#ifdef CONFIG_XFRM
	return READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_IN]) ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_IN]) != XFRM_USERPOLICY_ACCEPT;
#else
	return false;
#endif
}

/* Length of the outer IP header if the socket would get @skb, and nothing is odd; else 0. */
static unsigned int wattle_uplink_match(struct wattle *w, struct sk_buff *skb)
{
	const struct wattle_flows *flows = this_cpu_ptr(w->flows);
	unsigned int hlen, len;
	const struct udphdr *uh;

	if (flows->uplink != skb->dev->ifindex || !netif_running(w->dev) ||
	    flows->uplink_epoch != wattle_epoch(&w->config) ||
	    skb->pkt_type != PACKET_HOST || skb_shared(skb) || skb_vlan_tag_present(skb) ||
	    wattle_uplink_is_guarded(w->net))
		return 0;
	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph = ip_hdr(skb);

		hlen = sizeof(*iph);
		if (!pskb_may_pull(skb, hlen + sizeof(*uh)))
			return 0;
		iph = ip_hdr(skb);
		if (*(u8 *)iph != 0x45 || iph->protocol != IPPROTO_UDP || ip_is_fragment(iph) ||
		    iph->daddr != flows->uplink_addr.s6_addr32[3] ||
		    !wattle_addr_is_v4(&flows->uplink_addr) ||
		    ip_fast_csum(iph, sizeof(*iph) / 4))
			return 0;
		len = ntohs(iph->tot_len);
	} else {
		const struct ipv6hdr *ip6h;

		hlen = sizeof(*ip6h);
		if (skb->protocol != htons(ETH_P_IPV6) ||
		    !pskb_may_pull(skb, hlen + sizeof(*uh)))
			return 0;
		ip6h = ipv6_hdr(skb);
		if (ip6h->version != 6 || ip6h->nexthdr != IPPROTO_UDP ||
		    !ipv6_addr_equal(&ip6h->daddr, &flows->uplink_addr))
			return 0;
		len = hlen + ntohs(ip6h->payload_len);
	}
	uh = (const struct udphdr *)(skb->data + hlen);
	/* A sum that nobody has checked is for the stack; none at all only IPv4 may have. */
	if (ntohs(uh->dest) != READ_ONCE(w->opt.port) ||
	    (uh->check ? !skb_csum_unnecessary(skb) : hlen != sizeof(struct iphdr)))
		return 0;
	/* Datagrams of the tunnel that somebody has joined are for the stack to take apart. */
	if (skb_is_gso(skb) && !(skb_shinfo(skb)->gso_type & (SKB_GSO_UDP_TUNNEL |
							       SKB_GSO_UDP_TUNNEL_CSUM)))
		return 0;
	/* Ethernet padding, and lengths that lie; BIG TCP says 0. */
	if (len != skb->len && !(skb_is_gso(skb) && skb->len > IP_MAX_MTU))
		return 0;
	return hlen;
}

static unsigned int wattle_hook_uplink(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	struct wattle_uplink *uplink = priv;
	unsigned int hlen = wattle_uplink_match(uplink->wattle, skb);

	if (!hlen)
		return NF_ACCEPT;
	__skb_pull(skb, hlen);
	skb_reset_transport_header(skb);
	/*
	 * As UDP would, whose sum may be none, too: from here on what has been checked, if any, is
	 * the sum of the inner packet.
	 */
	__skb_decr_checksum_unnecessary(skb);
	wattle_tunnel_receive(uplink->wattle, skb);
	return NF_STOLEN;
}

int wattle_uplink_socket(struct sock *sk, struct sk_buff *skb)
{
	struct wattle *w = rcu_dereference_sk_user_data(sk);

	if (unlikely(!w)) {
		kfree_skb(skb);
		return 0;
	}
	wattle_uplink_learn(w, skb);
	wattle_tunnel_receive(w, skb);
	return 0;
}

static void wattle_uplink_add(struct wattle *w, int ifindex)
{
	struct wattle_uplink *uplink;
	struct net_device *dev;
	unsigned int count = 0;

	list_for_each_entry(uplink, &w->uplinks, list) {
		if (uplink->dev->ifindex == ifindex)
			return;
		count++;
	}
	dev = __dev_get_by_index(w->net, ifindex);
	if (!dev || dev->reg_state != NETREG_REGISTERED || dev == w->dev ||
	    count >= WATTLE_UPLINKS_MAX)
		return;
	uplink = kzalloc(sizeof(*uplink), GFP_KERNEL);
	if (!uplink)
		return;
	uplink->wattle = w;
	uplink->dev = dev;
	uplink->ops = (struct nf_hook_ops){
		.hook = wattle_hook_uplink,
		.priv = uplink,
		.dev = dev,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = NF_IP_PRI_FIRST,
	};
	if (nf_register_net_hook(w->net, &uplink->ops)) {
		kfree(uplink);
		return;
	}
	netdev_hold(dev, &uplink->tracker, GFP_KERNEL);
	list_add(&uplink->list, &w->uplinks);
}

static void wattle_uplink_del(struct wattle_uplink *uplink)
{
	nf_unregister_net_hook(uplink->wattle->net, &uplink->ops);
	list_del(&uplink->list);
	synchronize_net();
	netdev_put(uplink->dev, &uplink->tracker);
	kfree(uplink);
}

static void wattle_uplink_work(struct work_struct *work)
{
	struct wattle *w = container_of(to_delayed_work(work), struct wattle, uplink_work);

	/* Who tears down holds RTNL and waits for us. */
	if (!rtnl_trylock()) {
		schedule_delayed_work(&w->uplink_work, HZ / 20);
		return;
	}
	wattle_uplink_add(w, READ_ONCE(w->uplink_wanted));
	WRITE_ONCE(w->uplink_wanted, 0);
	rtnl_unlock();
}

void wattle_uplink_gone(struct wattle *w, struct net_device *dev)
{
	struct wattle_uplink *uplink, *next;

	list_for_each_entry_safe(uplink, next, &w->uplinks, list)
		if (uplink->dev == dev)
			wattle_uplink_del(uplink);
}

void wattle_uplinks_init(struct wattle *w)
{
	INIT_LIST_HEAD(&w->uplinks);
	INIT_DELAYED_WORK(&w->uplink_work, wattle_uplink_work);
}

void wattle_uplinks_exit(struct wattle *w)
{
	struct wattle_uplink *uplink, *next;

	cancel_delayed_work_sync(&w->uplink_work);
	list_for_each_entry_safe(uplink, next, &w->uplinks, list)
		wattle_uplink_del(uplink);
}
