/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that "-f" names, watched: has one of them changed? */
#ifndef WATTLECTL_WATCH_H
#define WATTLECTL_WATCH_H

#include "wattlectl.h"

struct watch;

/* NULL where the kernel has no more of these. What is made anew follows links anew. */
struct watch *watch_create(const struct value *files);
void watch_destroy(struct watch *watch);
int watch_fd(const struct watch *watch);
/* Takes what has come: is any of it about the files? */
bool watch_read(struct watch *watch);

#endif /* WATTLECTL_WATCH_H */
