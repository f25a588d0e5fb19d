/* SPDX-License-Identifier: GPL-2.0-only */
/* An event tells of a packet what explain tells of one. */
#ifndef WATTLECTL_EVENT_H
#define WATTLECTL_EVENT_H

#include "wattlectl.h"

json_t *explain_json(const struct wattle_explain *explain);

#endif /* WATTLECTL_EVENT_H */
