/* SPDX-License-Identifier: GPL-2.0-only */
/* Where packets of the tunnel come in. */
#ifndef WATTLE_TUNNEL_H
#define WATTLE_TUNNEL_H

#include "wattle.h"

/* A packet of the tunnel, at its UDP header. Takes @skb. Context: softirq, RCU. */
void wattle_tunnel_receive(struct wattle *w, struct sk_buff *skb);

#endif /* WATTLE_TUNNEL_H */
