/* SPDX-License-Identifier: GPL-2.0-only */
/* What the readers and the writers of policy share, and nobody else. */
#ifndef WATTLE_POLICY_PRIVATE_H
#define WATTLE_POLICY_PRIVATE_H

#include <linux/bitops.h>
#include <linux/jhash.h>
#include "policy.h"
#include "policy_hash.h"

/*
 * Sizes of bins: 2^0 to 2^16 ports of one protocol, and everything of any protocol.
 * Where nothing but WATTLE_BIN_ALL is in a slot, its protocol is 0.
 */
#define WATTLE_BIN_ANY_PORT	16
#define WATTLE_BIN_ALL		17
#define WATTLE_BINS		18

/* Where a subject has a rule: hashed as two words. */
struct wattle_slot {
	u32 peer;
	u32 ports;		/* first port of the bin << 16 | size << 8 | protocol */
};

/* A prefix that rules name. Its number is not used again before its last rule is freed. */
struct wattle_peer {
	struct wattle_lpm_entry entry;
	struct wattle_prefix prefix;
	u32 number;		/* from WATTLE_ID_LOCAL_MIN on */
	unsigned int users;
	struct rcu_head rcu;
};

/* Where rules are from; many are from the same. */
struct wattle_text {
	struct rhash_head link;
	u32 number;
	unsigned int users;
	struct rcu_head rcu;
	char text[];
};

static inline u32 wattle_subject_key(u32 subject, u8 direction)
{
	return subject << 1 | (direction & 1);
}

/* Smallest size of bin, as a power of two, that holds all of a range. */
static inline unsigned int wattle_bin_size(u16 port_min, u16 port_max)
{
	return fls(port_min ^ port_max);
}

static inline void wattle_slot_set(struct wattle_slot *slot, u32 peer, u8 proto, u16 port,
				   unsigned int bin)
{
	slot->peer = peer;
	if (bin >= WATTLE_BIN_ANY_PORT)
		slot->ports = bin << 8 | (bin == WATTLE_BIN_ALL ? 0 : proto);
	else
		slot->ports = (u32)(port >> bin << bin) << 16 | bin << 8 | proto;
}

/*
 * Ports and priority are kept beside generations: 16 bits of port above 8 bits of
 * priority.
 */
static inline u16 wattle_rule_port_min(const struct wattle_rule *rule)
{
	return wattle_packed_payload(&rule->born_ports) >> 8;
}

static inline u16 wattle_rule_port_max(const struct wattle_rule *rule)
{
	return wattle_packed_payload(&rule->died_ports) >> 8;
}

static inline u16 wattle_rule_priority(const struct wattle_rule *rule)
{
	return (wattle_packed_payload(&rule->born_ports) & 0xff) << 8 |
	       (wattle_packed_payload(&rule->died_ports) & 0xff);
}

static inline u8 wattle_rule_kind(const struct wattle_rule *rule)
{
	if (!rule->peer)
		return WATTLE_PEER_KIND_ANY;
	return rule->peer < WATTLE_ID_LOCAL_MIN ? WATTLE_PEER_KIND_IDENTITY :
						  WATTLE_PEER_KIND_PREFIX;
}

static inline unsigned int wattle_rule_bin(const struct wattle_rule *rule)
{
	return rule->any_proto ? WATTLE_BIN_ALL :
	       wattle_bin_size(wattle_rule_port_min(rule), wattle_rule_port_max(rule));
}

static inline u32 wattle_slot_hash(const struct wattle_slot *slot, u32 seed)
{
	return jhash_2words(slot->peer, slot->ports, seed);
}

static const struct rhashtable_params wattle_subject_params __maybe_unused = {
	.head_offset = offsetof(struct wattle_subject, link),
	.key_offset = offsetof(struct wattle_subject, key),
	.key_len = sizeof(u32),
	.automatic_shrinking = true,
};

/* The direction that is enforced at @gen, or NULL. Context: RCU reader. */
struct wattle_subject *wattle_subject_lookup(struct wattle_policies *policies, u32 subject,
					     u8 direction, u64 gen);

/*
 * What rules name, by number (policy_names.c). _get takes a reference, and makes what is
 * not there yet: 0, -ENOMEM or -ENOSPC. Readers may see it until a grace period
 * after the last _put. Context: writer.
 */
int wattle_text_get(struct wattle_policies *policies, const char *origin, u32 *number);
void wattle_text_put(struct wattle_policies *policies, u32 number);
int wattle_peer_get(struct wattle_policies *policies, const struct wattle_prefix *prefix,
		    u32 *number);
void wattle_peer_put(struct wattle_policies *policies, u32 number);
bool wattle_peer_find(struct wattle_policies *policies, const struct wattle_prefix *prefix,
		      u32 *number);
int wattle_policy_names_init(struct wattle_policies *policies, struct wattle_log *log);
void wattle_policy_names_exit(struct wattle_policies *policies);

/* Counters (policy_count.c). Context: writer. */
int wattle_rule_counts_init(struct wattle_policies *policies);
void wattle_rule_counts_exit(struct wattle_policies *policies);
void wattle_rule_count_forget(struct wattle_policies *policies, const struct wattle_rule *rule);

#endif /* WATTLE_POLICY_PRIVATE_H */
