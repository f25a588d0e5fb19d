/* SPDX-License-Identifier: GPL-2.0-only */
/* The rtnl kind "wattle": how devices come, change and go. */
#ifndef WATTLE_DEVICE_H
#define WATTLE_DEVICE_H

/* Context: module init and exit. */
int wattle_device_init(void);
void wattle_device_exit(void);

#endif /* WATTLE_DEVICE_H */
