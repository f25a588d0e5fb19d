/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy: rules shared by all endpoints of an identity.
 *
 * A direction of a subject is enforced when a rule for it is alive. Among the
 * rules that match, the smallest priority number decides; at the same priority
 * deny beats allow, however specific.
 *
 * How it is found: a header for each {subject, direction} has its rules, hashed by
 * {peer, protocol, bin} (policy_hash.h), where the bin is the smallest aligned power-of-two
 * block of ports that holds the rule's whole range. The header knows which
 * bin sizes exist, so a look-up probes only those: single ports and "any port"
 * cost one probe each, whatever the number of rules. Peers are tried as the exact
 * identity, as "any", and as each prefix named by a policy that covers the
 * address: those have local numbers (WATTLE_ID_LOCAL_MIN and up), found in a trie.
 */
#ifndef WATTLE_POLICY_H
#define WATTLE_POLICY_H

#include <linux/rhashtable.h>
#include <linux/xarray.h>
#include "change.h"
#include "lpm.h"

/**
 * struct wattle_rule_spec - a rule in words, as netlink gives and shows it
 * @subject: identity of the endpoints that the rule is for; 0 is not allowed
 * @direction: enum wattle_direction
 * @peer_kind: enum wattle_peer_kind
 * @peer_id: for WATTLE_PEER_KIND_IDENTITY; not 0
 * @peer: for WATTLE_PEER_KIND_PREFIX; host bits are zero
 * @outside: @peer matches only what is outside the cluster
 * @proto: IP protocol, or @any_proto
 * @port_min: destination port, host byte order; ICMP: type << 8 | code
 * @port_max: inclusive; 0 and 65535 where any port is meant
 * @action: enum wattle_action
 * @priority: 0 first
 *
 * All of it is the key: two rules that differ in anything are two rules.
 */
struct wattle_rule_spec {
	u32 subject;
	u8 direction;
	u8 peer_kind;
	bool outside;
	bool any_proto;
	u8 proto;
	u8 action;
	u16 priority;
	u16 port_min;
	u16 port_max;
	u32 peer_id;
	struct wattle_prefix peer;
};

/**
 * struct wattle_subject - a direction of a subject that is enforced
 * @life: from the first rule alive to the last
 * @link: hash of subjects
 * @list: all subjects; under the config lock
 * @key: subject << 1 | direction
 * @bins: which bin sizes rules have (WATTLE_BIN_*), by kind of peer. A bit may stay for
 *	a while without a rule: that costs a probe
 * @index: where to begin in @rules
 * @rules: of any version, linked, in the order of their hashes
 * @alive: rules alive at the next generation; under the config lock
 * @linked: how many @rules; under the config lock
 * @unlinked: rules unlinked since @bins was counted; under the config lock
 */
struct wattle_subject {
	struct wattle_life life;
	struct rhlist_head link;
	struct list_head list;
	u32 key;
	u32 bins[3];
	struct wattle_rule_index __rcu *index;
	struct wattle_rule __rcu *rules;
	unsigned int alive;
	unsigned int linked;
	unsigned int unlinked;
};

static_assert(sizeof(struct wattle_subject) <= 96);

/**
 * struct wattle_rule - one version of a rule; 48 bytes, immutable but for @died_ports
 * @next: in the list of the subject's rules
 * @hash: of its slot, which the list is in the order of
 * @peer: identity, local number of a prefix, or 0: any
 * @any_proto: whatever the protocol
 * @allow: else deny
 * @outside: only peers outside the cluster
 * @origin: number of the text that says where it is from; 0: nobody said
 * @proto: IP protocol, 0 where @any_proto
 * @born_ports: packed: generation, port_min and the upper half of priority
 * @died_ports: packed: generation, port_max and the lower half of priority
 * @subject: whom it is for
 */
struct wattle_rule {
	struct wattle_rule __rcu *next;
	u32 hash;
	u32 peer : 25;
	u32 any_proto : 1;
	u32 allow : 1;
	u32 outside : 1;
	u32 origin : 24;
	u32 proto : 8;
	u64 born_ports;
	u64 died_ports;
	struct wattle_subject *subject;
};

static_assert(sizeof(struct wattle_rule) == 48);

/**
 * struct wattle_policies - all rules of a device
 * @lock: the config lock
 * @seed: of the hashes of slots; secret
 * @subjects: directions that are enforced, with their rules
 * @all_subjects: same as a list
 * @prefixes: trie of the prefixes that rules name
 * @peers: same by local number (from 0)
 * @origins: texts by number, 1 and up
 * @origin_by_text: same by text
 * @counts: counters of the rules that have decided something (policy_count.c)
 * @count: rules alive at the next generation
 * @linked: rules linked
 *
 * Lists and counts: under the config lock.
 */
struct wattle_policies {
	struct mutex *lock;	/* the config lock */
	u32 seed;
	struct rhltable subjects;
	struct list_head all_subjects;
	struct wattle_lpm prefixes;
	struct xarray peers;
	struct xarray origins;
	struct rhashtable origin_by_text;
	struct rhashtable counts;
	unsigned int count;
	unsigned int linked;
};

/* What a packet is judged by. @peer is the other side. */
struct wattle_question {
	u32 subject;
	u32 peer_id;
	const struct in6_addr *peer;
	u16 port;		/* host byte order; ICMP: type << 8 | code */
	u8 direction;
	u8 proto;
	u8 enforce;		/* WATTLE_ENFORCE_* of the endpoint */
};

/*
 * Judge one direction of one packet. Where the direction is not enforced, allow.
 * Context: RCU reader, softirq; no allocation.
 */
void wattle_policy_judge(struct wattle_policies *policies, const struct wattle_question *q,
			 u64 gen, struct wattle_judgement *out);

/* The rule in words; "" where it has no origin. Context: RCU reader. */
void wattle_rule_describe(struct wattle_policies *policies, const struct wattle_rule *rule,
			  struct wattle_rule_spec *spec, const char **origin);

bool wattle_rule_alive(const struct wattle_rule *rule, u64 gen);

/*
 * Rules of these priorities are what happens where no other says anything: whom they
 * deny, no rule denies by name.
 */
#define WATTLE_PRIORITY_LAST	65533

bool wattle_rule_is_last(const struct wattle_rule *rule);

/* What a rule has let pass and dropped, as far as it has been added up: see policy_count.h. */
struct wattle_rule_total {
	u64 packets;
	u64 bytes;
};

void wattle_rule_total(struct wattle_policies *policies, const struct wattle_rule *rule,
		       struct wattle_rule_total *total);

int wattle_policies_init(struct wattle_policies *policies, struct wattle_log *log);
void wattle_policies_exit(struct wattle_policies *policies);

/* Stage a change, as in node.h. @origin: "" for none. */
int wattle_rule_add(struct wattle_policies *policies, struct wattle_log *log,
		    const struct wattle_rule_spec *spec, const char *origin, bool replace,
		    struct wattle_refusal *why);
int wattle_rule_del(struct wattle_policies *policies, struct wattle_log *log,
		    const struct wattle_rule_spec *spec, struct wattle_refusal *why);
int wattle_rule_flush(struct wattle_policies *policies, struct wattle_log *log, u32 subject,
		      struct wattle_refusal *why);

#endif /* WATTLE_POLICY_H */
