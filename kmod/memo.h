/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU memory of look-ups, in front of the shared tables: what the last packets
 * asked of the identity table and of policy. Each slot knows the generation that
 * it was read at, so a change makes all of them stale without anybody walking them.
 *
 * Used by wattle_decide() where it is given one; only its own CPU touches it, BH disabled.
 */
#ifndef WATTLE_MEMO_H
#define WATTLE_MEMO_H

#include <linux/jhash.h>
#include "identity.h"
#include "policy.h"

#define WATTLE_MEMO_SLOTS	256	/* a power of two */

/* @gen + 1 of what was read, 0: empty. */
struct wattle_memo_identity {
	struct in6_addr addr;
	u64 stamp;
	struct wattle_identity_info info;
	bool found;
};

struct wattle_memo_policy {
	u64 stamp;
	u32 subject;
	u32 peer_id;
	u16 port;
	u8 direction;
	u8 proto;
	u8 enforce;
	struct in6_addr peer;
	struct wattle_judgement judgement;
};

struct wattle_memo {
	u32 seed;
	struct wattle_memo_identity identity[WATTLE_MEMO_SLOTS];
	struct wattle_memo_policy policy[WATTLE_MEMO_SLOTS];
};

static inline u32 wattle_memo_slot(const struct in6_addr *addr, u32 seed)
{
	return jhash_2words((__force u32)addr->s6_addr32[2] ^ (__force u32)addr->s6_addr32[0],
			    (__force u32)addr->s6_addr32[3] ^ (__force u32)addr->s6_addr32[1],
			    seed) & (WATTLE_MEMO_SLOTS - 1);
}

/* wattle_identity_lookup() through @memo, which may be NULL. Context: RCU reader, BH disabled. */
static inline bool wattle_memo_identity(struct wattle_memo *memo, struct wattle_identities *ids,
					const struct in6_addr *addr, u64 gen,
					struct wattle_identity_info *info)
{
	struct wattle_memo_identity *slot;

	if (!memo)
		return wattle_identity_lookup(ids, addr, gen, info);
	slot = &memo->identity[wattle_memo_slot(addr, memo->seed)];
	if (slot->stamp != gen + 1 || !ipv6_addr_equal(&slot->addr, addr)) {
		slot->found = wattle_identity_lookup(ids, addr, gen, &slot->info);
		slot->addr = *addr;
		slot->stamp = gen + 1;
	}
	*info = slot->info;
	return slot->found;
}

/* wattle_policy_judge() through @memo, which may be NULL. Context: RCU reader, BH disabled. */
static inline void wattle_memo_judge(struct wattle_memo *memo, struct wattle_policies *policies,
				     const struct wattle_question *q, u64 gen,
				     struct wattle_judgement *out)
{
	struct wattle_memo_policy *slot;
	u32 hash;

	if (!memo) {
		wattle_policy_judge(policies, q, gen, out);
		return;
	}
	hash = jhash_3words(q->subject, q->peer_id, q->port << 16 | q->proto << 8 | q->direction,
			    memo->seed);
	slot = &memo->policy[hash & (WATTLE_MEMO_SLOTS - 1)];
	if (slot->stamp != gen + 1 || slot->subject != q->subject ||
	    slot->peer_id != q->peer_id || slot->port != q->port ||
	    slot->direction != q->direction || slot->proto != q->proto ||
	    slot->enforce != q->enforce || !ipv6_addr_equal(&slot->peer, q->peer)) {
		slot->stamp = 0;
		wattle_policy_judge(policies, q, gen, &slot->judgement);
		slot->subject = q->subject;
		slot->peer_id = q->peer_id;
		slot->port = q->port;
		slot->direction = q->direction;
		slot->proto = q->proto;
		slot->enforce = q->enforce;
		slot->peer = *q->peer;
		slot->stamp = gen + 1;
	}
	*out = slot->judgement;
}

#endif /* WATTLE_MEMO_H */
