/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files for the kinds of cilium.io share. */
#ifndef MANIFEST_CILIUM_H
#define MANIFEST_CILIUM_H

#include "internal.h"

/* toPorts and icmps of one rule. */
void cilium_read_ports(struct reader *r, struct node *node, struct rule *rule);

#endif /* MANIFEST_CILIUM_H */
