// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rtnl kind "wattle": how devices come, change and go.
 *
 * A device comes whole: newlink makes all of its rooms, and registers it last. It goes in
 * the order in which nothing is left to come in: ndo_stop closes the sockets, the core sees
 * to it that ndo_start_xmit is not called any more, and ndo_uninit then ends requests, hooks
 * and tables, waits for the packets on their way, and frees what they used. That is the
 * same by "ip link del", by the end of the namespace and by rtnl_link_unregister().
 */

#include "device.h"
#include "compat.h"
#include "cut.h"
#include "event.h"
#include "flow.h"
#include "hooks.h"
#include "stats.h"
#include "uplink.h"
#include "vxlan.h"
#include "wattle.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/netns/generic.h>

/* Longest inner packet that an outer IPv4 header can tell of. */
#define WATTLE_MAX_MTU		(IP_MAX_MTU - WATTLE_OVERHEAD4)
#define WATTLE_VNI_MAX		((1U << 24) - 1)

struct wattle_net {
	struct wattle __rcu *wattle;
};

static unsigned int wattle_net_id __read_mostly;

static struct pernet_operations wattle_net_ops = {
	.id = &wattle_net_id,
	.size = sizeof(struct wattle_net),
};

static struct wattle_net *wattle_net(const struct net *net)
{
	return net_generic(net, wattle_net_id);
}

/**
 * wattle_of() - the device of a namespace
 * @net: the namespace
 *
 * Context: RCU reader or RTNL.
 * Return: the device or NULL.
 */
struct wattle *wattle_of(const struct net *net)
{
	return rcu_dereference_rtnl(wattle_net(net)->wattle);
}

/* Options ---------------------------------------------------------------------------- */

static const struct nla_policy wattle_device_policy[IFLA_WATTLE_MAX + 1] = {
	[IFLA_WATTLE_LOCAL4] = { .type = NLA_U32 },
	[IFLA_WATTLE_LOCAL6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[IFLA_WATTLE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[IFLA_WATTLE_MODE] = NLA_POLICY_MAX(NLA_U8, WATTLE_MODE_PLAIN),
	[IFLA_WATTLE_VNI] = { .type = NLA_U32 },
	[IFLA_WATTLE_UNDERLAY] = { .type = NLA_U8 },
	[IFLA_WATTLE_STRICT] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_WATTLE_CACHE] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_WATTLE_UDP_CSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_WATTLE_TTL] = NLA_POLICY_MIN(NLA_U8, 1),
	[IFLA_WATTLE_AUDIT] = NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct wattle_options wattle_default_options = {
	.port = WATTLE_PORT,
	.mode = WATTLE_MODE_IDENTITY,
	.ttl = 64,
	.strict = true,
	.cache = true,
	/* As the kernel's vxlan does: the card's checksum of the outer packet covers the inner. */
	.udp_csum = true,
};

/* Of the tunnels that a device with these options sends. */
static u16 wattle_device_family(const struct wattle_options *opt)
{
	if (opt->underlay)
		return opt->underlay == 6 ? AF_INET6 : AF_INET;
	return ipv6_addr_any(&opt->local4) && !ipv6_addr_any(&opt->local6) ? AF_INET6 : AF_INET;
}

static int wattle_device_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
				const char *message)
{
	if (extack) {
		extack->_msg = message;
		extack->bad_attr = attr;
	}
	return -EINVAL;
}

static int wattle_device_parse_local4(const struct nlattr *attr, struct in6_addr *local,
				      struct netlink_ext_ack *extack)
{
	__be32 addr = nla_get_in_addr(attr);

	if (!addr) {
		*local = in6addr_any;
		return 0;
	}
	if (ipv4_is_multicast(addr) || ipv4_is_lbcast(addr) || ipv4_is_loopback(addr) ||
	    ipv4_is_zeronet(addr))
		return wattle_device_refuse(extack, attr,
					    "local is not an address that others can send to");
	wattle_addr_set_v4(local, addr);
	return 0;
}

static int wattle_device_parse_local6(const struct nlattr *attr, struct in6_addr *local,
				      struct netlink_ext_ack *extack)
{
	struct in6_addr addr = nla_get_in6_addr(attr);

	if (ipv6_addr_is_multicast(&addr) || ipv6_addr_loopback(&addr) ||
	    ipv6_addr_v4mapped(&addr))
		return wattle_device_refuse(extack, attr,
					    "local is not an address that others can send to");
	if (ipv6_addr_type(&addr) & IPV6_ADDR_LINKLOCAL)
		return wattle_device_refuse(extack, attr,
					    "local is a link-local address, which names no link");
	*local = addr;
	return 0;
}

static int wattle_device_parse_wire(struct wattle_options *opt, struct nlattr **data,
				    struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;

	attr = data[IFLA_WATTLE_MODE];
	if (attr)
		opt->mode = nla_get_u8(attr);

	attr = data[IFLA_WATTLE_VNI];
	if (attr) {
		if (nla_get_u32(attr) > WATTLE_VNI_MAX)
			return wattle_device_refuse(extack, attr, "vni has 24 bits");
		if (nla_get_u32(attr) && opt->mode == WATTLE_MODE_IDENTITY)
			return wattle_device_refuse(extack, attr,
						    "in mode identity the VNI is the sender's identity");
		opt->vni = nla_get_u32(attr);
	}

	attr = data[IFLA_WATTLE_UNDERLAY];
	if (attr) {
		u8 underlay = nla_get_u8(attr);

		if (underlay && underlay != 4 && underlay != 6)
			return wattle_device_refuse(extack, attr,
						    "underlay is 4, 6, or 0 for either");
		opt->underlay = underlay;
	}
	return 0;
}

/* Change @opt as @data says. On error @opt is of no use. */
static int wattle_device_parse(struct wattle_options *opt, struct nlattr **data,
			       struct netlink_ext_ack *extack)
{
	int err;

	if (!data)
		return 0;

	if (data[IFLA_WATTLE_LOCAL4]) {
		err = wattle_device_parse_local4(data[IFLA_WATTLE_LOCAL4], &opt->local4, extack);
		if (err)
			return err;
	}
	if (data[IFLA_WATTLE_LOCAL6]) {
		err = wattle_device_parse_local6(data[IFLA_WATTLE_LOCAL6], &opt->local6, extack);
		if (err)
			return err;
	}
	err = wattle_device_parse_wire(opt, data, extack);
	if (err)
		return err;

	if (data[IFLA_WATTLE_PORT])
		opt->port = nla_get_u16(data[IFLA_WATTLE_PORT]);
	if (data[IFLA_WATTLE_STRICT])
		opt->strict = nla_get_u8(data[IFLA_WATTLE_STRICT]);
	if (data[IFLA_WATTLE_CACHE])
		opt->cache = nla_get_u8(data[IFLA_WATTLE_CACHE]);
	if (data[IFLA_WATTLE_UDP_CSUM])
		opt->udp_csum = nla_get_u8(data[IFLA_WATTLE_UDP_CSUM]);
	if (data[IFLA_WATTLE_TTL])
		opt->ttl = nla_get_u8(data[IFLA_WATTLE_TTL]);
	if (data[IFLA_WATTLE_AUDIT])
		opt->audit = nla_get_u8(data[IFLA_WATTLE_AUDIT]);
	return 0;
}

static int wattle_device_validate(struct nlattr *tb[], struct nlattr *data[],
				  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[IFLA_ADDRESS];

	if (attr && (nla_len(attr) != ETH_ALEN || !is_valid_ether_addr(nla_data(attr))))
		return wattle_device_refuse(extack, attr,
					    "address is not the MAC address of one station");
	return 0;
}

static size_t wattle_device_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(__be32)) +		/* LOCAL4 */
	       nla_total_size(sizeof(struct in6_addr)) + /* LOCAL6 */
	       nla_total_size(sizeof(u16)) +		/* PORT */
	       nla_total_size(sizeof(u32)) +		/* VNI */
	       nla_total_size(sizeof(u8)) * 7;		/* MODE ... AUDIT */
}

static int wattle_device_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct wattle *w = netdev_priv(dev);
	const struct wattle_options *opt = &w->opt;

	if (!ipv6_addr_any(&opt->local4) &&
	    nla_put_in_addr(skb, IFLA_WATTLE_LOCAL4, wattle_addr_v4(&opt->local4)))
		return -EMSGSIZE;
	if (!ipv6_addr_any(&opt->local6) &&
	    nla_put_in6_addr(skb, IFLA_WATTLE_LOCAL6, &opt->local6))
		return -EMSGSIZE;
	if (nla_put_u16(skb, IFLA_WATTLE_PORT, opt->port) ||
	    nla_put_u8(skb, IFLA_WATTLE_MODE, opt->mode) ||
	    nla_put_u32(skb, IFLA_WATTLE_VNI, opt->vni) ||
	    nla_put_u8(skb, IFLA_WATTLE_UNDERLAY, opt->underlay) ||
	    nla_put_u8(skb, IFLA_WATTLE_STRICT, opt->strict) ||
	    nla_put_u8(skb, IFLA_WATTLE_CACHE, opt->cache) ||
	    nla_put_u8(skb, IFLA_WATTLE_UDP_CSUM, opt->udp_csum) ||
	    nla_put_u8(skb, IFLA_WATTLE_TTL, opt->ttl) ||
	    nla_put_u8(skb, IFLA_WATTLE_AUDIT, opt->audit))
		return -EMSGSIZE;
	return 0;
}

/* Operations ------------------------------------------------------------------------- */

static int wattle_device_open(struct net_device *dev)
{
	struct wattle *w = netdev_priv(dev);
	struct inet6_dev *idev = __in6_dev_get(dev);
	int err;

	/* Nobody on the other side would hear of an address that we made up. */
	if (idev)
		idev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;

	err = wattle_vxlan_open(w, wattle_uplink_socket, NULL);
	if (err)
		net_notice_ratelimited("%s: cannot open UDP port %u: error %d\n", dev->name,
				       w->opt.port, err);
	return err;
}

static int wattle_device_stop(struct net_device *dev)
{
	wattle_vxlan_close(netdev_priv(dev));
	return 0;
}

/* Undo wattle_device_fill(). No more requests come, nor packets from the device's stack side. */
static void wattle_device_drain(struct wattle *w)
{
	wattle_hooks_exit(w);
	/* Waits for the packets that began before the hooks were gone. */
	wattle_config_exit(&w->config);
	wattle_flows_exit(w);
	wattle_vxlan_exit(w);
	wattle_stats_exit(w);
}

static void wattle_device_uninit(struct net_device *dev)
{
	struct wattle *w = netdev_priv(dev);
	struct wattle_net *wn = wattle_net(w->net);

	/* Not published: newlink has failed, and unwinds what it has done. */
	if (rtnl_dereference(wn->wattle) != w)
		return;

	RCU_INIT_POINTER(wn->wattle, NULL);
	wattle_users_wait(w);
	wattle_device_drain(w);
}

/* What passes through the tunnel is counted once, and shown here as the device's. */
static void wattle_device_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	const struct wattle *w = netdev_priv(dev);

	wattle_stats_counts(w, WATTLE_COUNT_FROM_TUNNEL, &stats->rx_packets, &stats->rx_bytes);
	wattle_stats_counts(w, WATTLE_COUNT_TO_TUNNEL, &stats->tx_packets, &stats->tx_bytes);
	stats->rx_bytes += stats->rx_packets * ETH_HLEN;
	stats->tx_bytes += stats->tx_packets * ETH_HLEN;
}

static const struct net_device_ops wattle_device_ops = {
	.ndo_uninit = wattle_device_uninit,
	.ndo_open = wattle_device_open,
	.ndo_stop = wattle_device_stop,
	.ndo_start_xmit = wattle_hook_device,
	.ndo_get_stats64 = wattle_device_get_stats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void wattle_device_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, WATTLE_VERSION, sizeof(info->version));
}

static const struct ethtool_ops wattle_device_ethtool_ops = {
	.get_drvinfo = wattle_device_get_drvinfo,
	.get_link = ethtool_op_get_link,
};

static const struct device_type wattle_device_type = {
	.name = "wattle",
};

/*
 * The last we hear of a device, without RTNL. rtnl_link_unregister() waits for it to
 * return, so giving back the module here is safe.
 */
static void wattle_device_free(struct net_device *dev)
{
	module_put(THIS_MODULE);
}

static void wattle_device_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_FRAGLIST |
					   NETIF_F_RXCSUM | NETIF_F_GSO_SOFTWARE;

	ether_setup(dev);
	dev->netdev_ops = &wattle_device_ops;
	dev->ethtool_ops = &wattle_device_ethtool_ops;
	SET_NETDEV_DEVTYPE(dev, &wattle_device_type);

	/* Addresses are looked up in tables: there is nobody to ask, or to broadcast to. */
	dev->flags |= IFF_NOARP;
	dev->flags &= ~(IFF_BROADCAST | IFF_MULTICAST);
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE;
	dev->features |= features;
	dev->hw_features |= features;
	/* Who sends what is too big for the path is told by the route it came by. */
	netif_keep_dst(dev);
	wattle_dev_set_lltx(dev);
	wattle_dev_pin_netns(dev);
	/* Not shown: the kernel's UDP tunnels count there, too. */
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;

	dev->needed_headroom = LL_MAX_HEADER + WATTLE_OVERHEAD6;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = WATTLE_MAX_MTU;
}

static void wattle_device_set_lladdr(struct wattle *w)
{
	const struct in6_addr *local;
	u8 lladdr[ETH_ALEN];

	local = w->family == AF_INET6 ? &w->opt.local6 : &w->opt.local4;
	if (ipv6_addr_any(local)) {
		eth_hw_addr_random(w->dev);
		return;
	}
	wattle_vxlan_lladdr(local, lladdr);
	eth_hw_addr_set(w->dev, lladdr);
}

/* Make what a device has, from the ground up. */
static int wattle_device_fill(struct wattle *w, struct netlink_ext_ack *extack)
{
	int err;

	err = wattle_stats_init(w);
	if (err)
		return err;
	err = wattle_vxlan_init(w);
	if (err)
		goto err_stats;
	err = wattle_flows_init(w);
	if (err)
		goto err_vxlan;
	err = wattle_config_init(&w->config, w, &wattle_port_ops, wattle_cut);
	if (err)
		goto err_flows;
	w->config.services.turned = wattle_event_service;
	err = wattle_hooks_init(w, extack);
	if (err)
		goto err_config;
	return 0;

err_config:
	wattle_config_exit(&w->config);
err_flows:
	wattle_flows_exit(w);
err_vxlan:
	wattle_vxlan_exit(w);
err_stats:
	wattle_stats_exit(w);
	return err;
}

int wattle_device_newlink(struct net_device *dev, struct nlattr **tb, struct nlattr **data,
			  struct netlink_ext_ack *extack)
{
	struct wattle *w = netdev_priv(dev);
	struct wattle_net *wn = wattle_net(dev_net(dev));
	int err;

	if (rtnl_dereference(wn->wattle)) {
		NL_SET_ERR_MSG(extack, "this network namespace has a wattle device already");
		return -EEXIST;
	}

	w->dev = dev;
	w->net = dev_net(dev);
	w->opt = wattle_default_options;
	err = wattle_device_parse(&w->opt, data, extack);
	if (err)
		return err;

	w->family = wattle_device_family(&w->opt);
	w->hash_seed = get_random_u64();
	wattle_users_init(w);
	if (!tb[IFLA_ADDRESS])
		wattle_device_set_lladdr(w);
	if (!tb[IFLA_MTU])
		dev->mtu = ETH_DATA_LEN - (w->family == AF_INET6 ? WATTLE_OVERHEAD6 :
								   WATTLE_OVERHEAD4);

	if (!try_module_get(THIS_MODULE)) {
		NL_SET_ERR_MSG(extack, "the module is being removed");
		return -ENODEV;
	}

	err = wattle_device_fill(w, extack);
	if (err)
		goto err_module;

	err = register_netdevice(dev);
	if (err)
		goto err_drain;

	/* From here on it is the core that undoes all. */
	dev->priv_destructor = wattle_device_free;
	dev->needs_free_netdev = true;
	rcu_assign_pointer(wn->wattle, w);
	return 0;

err_drain:
	wattle_device_drain(w);
err_module:
	module_put(THIS_MODULE);
	return err;
}

static int wattle_device_changelink(struct net_device *dev, struct nlattr *tb[],
				    struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct wattle *w = netdev_priv(dev);
	struct wattle_options opt = w->opt, old = w->opt;
	int err;

	/* The sender may be at home in another namespace than the device. */
	if (!ns_capable(w->net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack, "no rights in the network namespace of the device");
		return -EPERM;
	}

	err = wattle_device_parse(&opt, data, extack);
	if (err)
		return err;

	w->opt = opt;
	WRITE_ONCE(w->family, wattle_device_family(&opt));
	if (netif_running(dev)) {
		err = wattle_vxlan_open(w, wattle_uplink_socket, extack);
		if (err) {
			w->opt = old;
			WRITE_ONCE(w->family, wattle_device_family(&old));
		}
	}

	/* Packets may have seen half of it, or what was taken back. */
	wattle_vxlan_touch(w);
	wattle_config_touch(&w->config);
	return err;
}

static void wattle_device_dellink(struct net_device *dev, struct list_head *head)
{
	unregister_netdevice_queue(dev, head);
}

static struct rtnl_link_ops wattle_link_ops __read_mostly = {
	.kind = "wattle",
	.maxtype = IFLA_WATTLE_MAX,
	.policy = wattle_device_policy,
	.priv_size = sizeof(struct wattle),
	.setup = wattle_device_setup,
	.validate = wattle_device_validate,
	.newlink = wattle_newlink,
	.changelink = wattle_device_changelink,
	.dellink = wattle_device_dellink,
	.get_size = wattle_device_get_size,
	.fill_info = wattle_device_fill_info,
};

/* What happens around us ------------------------------------------------------------- */

/*
 * Cached decisions hold endpoints, nodes, and whether an address is the host's own.
 * Devices of endpoints and addresses are watched here. Routes and neighbours need no
 * watching: no decision depends on them, and each packet looks at its neighbour, and
 * at whether its route to the tunnel end point is still good.
 */
static int wattle_device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct wattle *w = wattle_of(dev_net(dev));

	if (!w)
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_UNREGISTER:
		/* Also when it moves to another namespace. */
		if (dev == w->dev)
			break;
		wattle_uplink_gone(w, dev);
		wattle_config_device_gone(&w->config, dev);
		break;
	case NETDEV_UDP_TUNNEL_PUSH_INFO:
		wattle_vxlan_offer_port(w, dev, true);
		break;
	case NETDEV_UDP_TUNNEL_DROP_INFO:
		wattle_vxlan_offer_port(w, dev, false);
		break;
	case NETDEV_CHANGEADDR:
		if (dev == w->dev)
			wattle_vxlan_touch(w);
		wattle_config_touch(&w->config);
		break;
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGEMTU:
		wattle_config_touch(&w->config);
		break;
	}
	return NOTIFY_DONE;
}

static void wattle_device_addr_event(const struct net_device *dev)
{
	struct wattle *w;

	rcu_read_lock();
	w = wattle_of(dev_net(dev));
	if (w)
		wattle_config_touch(&w->config);
	rcu_read_unlock();
}

static int wattle_device_addr4_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;

	wattle_device_addr_event(ifa->ifa_dev->dev);
	return NOTIFY_DONE;
}

static int wattle_device_addr6_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifa = ptr;

	wattle_device_addr_event(ifa->idev->dev);
	return NOTIFY_DONE;
}

static struct notifier_block wattle_device_notifier = {
	.notifier_call = wattle_device_event,
};

static struct notifier_block wattle_device_addr4_notifier = {
	.notifier_call = wattle_device_addr4_event,
};

static struct notifier_block wattle_device_addr6_notifier = {
	.notifier_call = wattle_device_addr6_event,
};

/**
 * wattle_device_init() - make the kind known
 *
 * Return: 0 or a negative errno.
 */
int __init wattle_device_init(void)
{
	int err;

	err = register_pernet_subsys(&wattle_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&wattle_device_notifier);
	if (err)
		goto err_pernet;
	err = register_inetaddr_notifier(&wattle_device_addr4_notifier);
	if (err)
		goto err_notifier;
	err = register_inet6addr_notifier(&wattle_device_addr6_notifier);
	if (err)
		goto err_addr4;
	err = rtnl_link_register(&wattle_link_ops);
	if (err)
		goto err_addr6;
	return 0;

err_addr6:
	unregister_inet6addr_notifier(&wattle_device_addr6_notifier);
err_addr4:
	unregister_inetaddr_notifier(&wattle_device_addr4_notifier);
err_notifier:
	unregister_netdevice_notifier(&wattle_device_notifier);
err_pernet:
	unregister_pernet_subsys(&wattle_net_ops);
	return err;
}

/**
 * wattle_device_exit() - forget the kind; devices keep the module, so there are none left
 */
void wattle_device_exit(void)
{
	rtnl_link_unregister(&wattle_link_ops);
	unregister_inet6addr_notifier(&wattle_device_addr6_notifier);
	unregister_inetaddr_notifier(&wattle_device_addr4_notifier);
	unregister_netdevice_notifier(&wattle_device_notifier);
	unregister_pernet_subsys(&wattle_net_ops);
}
