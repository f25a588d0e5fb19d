/* SPDX-License-Identifier: GPL-2.0-only */
/* Where packets come in. */
#ifndef WATTLE_HOOKS_H
#define WATTLE_HOOKS_H

#include "wattle.h"

extern const struct wattle_port_ops wattle_port_ops;

/* ndo_start_xmit of the wattle device. */
netdev_tx_t wattle_hook_device(struct sk_buff *skb, struct net_device *dev);

/* Conntrack, defragmentation and NAT of a namespace that has a device. Context: RTNL, may sleep. */
int wattle_hooks_init(struct wattle *w, struct netlink_ext_ack *extack);
void wattle_hooks_exit(struct wattle *w);

#endif /* WATTLE_HOOKS_H */
