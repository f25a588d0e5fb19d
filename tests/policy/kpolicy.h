/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's own policy table, kmod/policy*.c, in user space. */
#ifndef TESTS_POLICY_KPOLICY_H
#define TESTS_POLICY_KPOLICY_H

#include "manifest/manifest.h"

struct kpolicy;

struct kpolicy *kpolicy_create(void);
void kpolicy_destroy(struct kpolicy *k);
/* 0 or a negative errno, as the module would answer. */
int kpolicy_add(struct kpolicy *k, const struct manifest_rule *rule);
/* All that was added is there from now on. */
void kpolicy_commit(struct kpolicy *k);
void kpolicy_judge(struct kpolicy *k, uint32_t subject, uint8_t direction, uint32_t peer_id,
		   const struct wattle_addr *peer, uint8_t proto, uint16_t port,
		   bool *enforced, bool *allow);

#endif /* TESTS_POLICY_KPOLICY_H */
