// SPDX-License-Identifier: GPL-2.0-only
/* The module: its rooms are opened from the ground up and closed from the top. */

#include <linux/module.h>
#include <linux/rcupdate.h>
#include "device.h"
#include "netlink.h"
#include "wattle.h"

static int __init wattle_init(void)
{
	int err;

	err = wattle_device_init();
	if (err)
		return err;

	err = wattle_netlink_init();
	if (err)
		goto err_device;

	return 0;

err_device:
	wattle_device_exit();
	rcu_barrier();
	return err;
}

static void __exit wattle_exit(void)
{
	wattle_netlink_exit();
	wattle_device_exit();
	/* Callbacks of call_rcu() are code of this module. */
	rcu_barrier();
}

module_init(wattle_init);
module_exit(wattle_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Overlay network with identity policy and service load balancing");
MODULE_VERSION(WATTLE_VERSION);
MODULE_ALIAS_RTNL_LINK("wattle");
MODULE_ALIAS_GENL_FAMILY(WATTLE_GENL_NAME);
