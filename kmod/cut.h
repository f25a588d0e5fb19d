/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of conversations whose service has given up their backend. */
#ifndef WATTLE_CUT_H
#define WATTLE_CUT_H

#include <linux/workqueue.h>

/* The work of wattle_config.cut: end the conversations that the services in @gone leave behind. */
void wattle_cut(struct work_struct *work);

#endif /* WATTLE_CUT_H */
