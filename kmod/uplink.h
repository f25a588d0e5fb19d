/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Uplinks: devices by which the tunnel's packets come in. They are met there, before the
 * host's IP stack, its conntrack and its UDP look-up.
 */
#ifndef WATTLE_UPLINK_H
#define WATTLE_UPLINK_H

#include "wattle.h"

/* Context: RTNL. exit waits for the hooks that run. */
void wattle_uplinks_init(struct wattle *w);
void wattle_uplinks_exit(struct wattle *w);

/* @dev is being unregistered. Context: RTNL. */
void wattle_uplink_gone(struct wattle *w, struct net_device *dev);

/*
 * UDP encap_rcv of the tunnel sockets; sk_user_data is the struct wattle. Whoever comes the same
 * way is met earlier from then on. Context: softirq, RCU.
 */
int wattle_uplink_socket(struct sock *sk, struct sk_buff *skb);

#endif /* WATTLE_UPLINK_H */
