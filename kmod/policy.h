/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy: rules shared by all endpoints of an identity.
 *
 * A direction of a subject is enforced when a rule for it is alive. Among the
 * rules that match, the smallest priority number decides; at the same priority
 * deny beats allow, however specific.
 *
 * How it is found: rules hang in one hash by {subject, direction, peer, protocol,
 * bin}, where the bin is the smallest aligned power-of-two block of ports that
 * holds the rule's whole range. A header for each {subject, direction} knows which
 * bin sizes exist, so a look-up probes only those: single ports and "any port"
 * cost one probe each, whatever the number of rules. Peers are tried as the exact
 * identity, as "any", and as each prefix named by a policy that covers the
 * address: those have local numbers (WATTLE_ID_LOCAL_MIN and up), found in a trie.
 */
#ifndef WATTLE_POLICY_H
#define WATTLE_POLICY_H

#include <linux/rhashtable.h>
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

struct wattle_rule;		/* at most 64 bytes; private to policy.c */
struct wattle_policies;		/* defined by policy.c's writer below */

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

#endif /* WATTLE_POLICY_H */
