// SPDX-License-Identifier: GPL-2.0-only
/* The module's source, in one piece, with the shim in place of the kernel. */
#include "kernel.h"

/* Its prefixes are not those of the library. */
#define wattle_prefix kernel_prefix
#include "../../kmod/alloc.c"
#include "../../kmod/change.c"
#include "../../kmod/lpm.c"
#include "../../kmod/policy.c"
#include "../../kmod/policy_hash.c"
#include "../../kmod/policy_names.c"
#include "../../kmod/policy_write.c"
#undef wattle_prefix

#include "kpolicy.h"

/* No packets, no counters. */
int wattle_rule_counts_init(struct wattle_policies *policies)
{
	return 0;
}

void wattle_rule_counts_exit(struct wattle_policies *policies)
{
}

void wattle_rule_count_forget(struct wattle_policies *policies, const struct wattle_rule *rule)
{
}

struct kpolicy {
	struct mutex lock;
	struct wattle_log log;
	struct wattle_policies policies;
	u64 gen;
};

struct kpolicy *kpolicy_create(void)
{
	struct kpolicy *k = calloc(1, sizeof(*k));

	wattle_log_init(&k->log, &k->lock);
	k->log.next = 1;
	wattle_policies_init(&k->policies, &k->log);
	return k;
}

void kpolicy_destroy(struct kpolicy *k)
{
	struct wattle_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &k->log.chunks, list)
		free(chunk);
	wattle_policies_exit(&k->policies);
	free(k);
}

static void kpolicy_addr(struct in6_addr *to, const struct wattle_addr *from)
{
	__be32 v4;

	if (from->len == 16) {
		memcpy(to, from->bytes, 16);
		return;
	}
	memcpy(&v4, from->bytes, 4);
	ipv6_addr_set_v4mapped(v4, to);
}

int kpolicy_add(struct kpolicy *k, const struct manifest_rule *rule)
{
	struct wattle_rule_spec spec = {
		.subject = rule->subject, .direction = rule->direction,
		.peer_kind = rule->peer_kind, .outside = rule->outside,
		.any_proto = rule->any_proto, .proto = rule->proto, .action = rule->action,
		.priority = rule->priority, .port_min = rule->port_min,
		.port_max = rule->port_max, .peer_id = rule->peer_id,
	};
	struct wattle_refusal why = {};

	if (rule->peer_kind == WATTLE_PEER_KIND_PREFIX) {
		kpolicy_addr(&spec.peer.addr, &rule->peer.addr);
		spec.peer.len = rule->peer.len + (rule->peer.addr.len == 4 ? 96 : 0);
	}
	return wattle_rule_add(&k->policies, &k->log, &spec, rule->origin, false, &why);
}

void kpolicy_commit(struct kpolicy *k)
{
	k->gen = k->log.next;
}

void kpolicy_judge(struct kpolicy *k, uint32_t subject, uint8_t direction, uint32_t peer_id,
		   const struct wattle_addr *peer, uint8_t proto, uint16_t port,
		   bool *enforced, bool *allow)
{
	struct wattle_judgement out = {};
	struct in6_addr addr;
	const struct wattle_question q = {
		.subject = subject, .peer_id = peer_id, .peer = peer ? &addr : NULL,
		.port = port, .direction = direction, .proto = proto,
	};

	if (peer)
		kpolicy_addr(&addr, peer);
	wattle_policy_judge(&k->policies, &q, k->gen, &out);
	*enforced = out.enforced;
	*allow = out.allow;
}
