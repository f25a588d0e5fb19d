/* SPDX-License-Identifier: GPL-2.0-only */
/* Where packets come in. */
#ifndef WATTLE_HOOKS_H
#define WATTLE_HOOKS_H

#include "wattle.h"

extern const struct wattle_port_ops wattle_port_ops;

/* UDP encap_rcv of the tunnel sockets; sk_user_data is the struct wattle. */
int wattle_hook_tunnel(struct sock *sk, struct sk_buff *skb);

/* Same for a packet of the tunnel that was met on its way to the socket. Takes @skb. */
void wattle_hook_tunnel_packet(struct wattle *w, struct sk_buff *skb);

/* ndo_start_xmit of the wattle device. */
netdev_tx_t wattle_hook_device(struct sk_buff *skb, struct net_device *dev);

/* Conntrack, defragmentation and NAT of a namespace that has a device. Context: RTNL, may sleep. */
int wattle_hooks_init(struct wattle *w, struct netlink_ext_ack *extack);
void wattle_hooks_exit(struct wattle *w);

#endif /* WATTLE_HOOKS_H */
