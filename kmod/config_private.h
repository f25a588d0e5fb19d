/* SPDX-License-Identifier: GPL-2.0-only */
/* What config.c and reclaim.c share, and nobody else. */
#ifndef WATTLE_CONFIG_PRIVATE_H
#define WATTLE_CONFIG_PRIVATE_H

#include "config.h"

struct wattle_batch;

/* Memory for wattle_config_retire(), or NULL; kfree() where it is not needed. */
struct wattle_batch *wattle_batch_create(void);

/* What was published, or taken back, goes the way of the dead. Context: config lock. */
void wattle_config_retire(struct wattle_config *config, struct wattle_batch *batch);

/* Take back the open change, whole. Cannot fail. Context: config lock. */
void wattle_config_undo(struct wattle_config *config);

/* wattle_log.settle */
void wattle_config_settle(struct wattle_log *log);

/* wattle_config.reclaim */
void wattle_config_reclaim(struct work_struct *work);

void wattle_config_drain(struct wattle_config *config);

#endif /* WATTLE_CONFIG_PRIVATE_H */
