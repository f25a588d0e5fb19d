/* SPDX-License-Identifier: GPL-2.0-only */
/* Decisions in words that name policies and pods. */
#ifndef WATTLECTL_BECAUSE_H
#define WATTLECTL_BECAUSE_H

#include "wattlectl.h"

#define BECAUSE_STRLEN	1024

/* Priorities that mean: no other rule says anything (WATTLE_PRIORITY_LAST). */
bool decision_is_default(const struct wattle_decision *decision);
/* The names of the policies of an origin: "x/a, x/b"; other origins stay as they are. */
char *policy_names(char *text, size_t size, const char *origin);
/* Why it is denied, "" where it is not. */
char *because(char *text, size_t size, const struct wattle_explain *e);

#endif /* WATTLECTL_BECAUSE_H */
