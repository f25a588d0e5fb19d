/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/wattle.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_WATTLE_GEN_H
#define _LINUX_WATTLE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <linux/wattle.h>

/* Common nested types */
extern const struct nla_policy wattle_prefix_nl_policy[WATTLE_A_PREFIX_LEN + 1];
extern const struct nla_policy wattle_rule_nl_policy[WATTLE_A_RULE_PAD + 1];

extern const struct nla_policy wattle_info_get_nl_policy[WATTLE_A_INFO_ABI + 1];

extern const struct nla_policy wattle_txn_begin_nl_policy[WATTLE_A_INFO_GENERATION + 1];

extern const struct nla_policy wattle_txn_commit_nl_policy[WATTLE_A_INFO_GENERATION + 1];

extern const struct nla_policy wattle_txn_abort_nl_policy[WATTLE_A_INFO_GENERATION + 1];

extern const struct nla_policy wattle_node_new_nl_policy[WATTLE_A_NODE_CIDR + 1];

extern const struct nla_policy wattle_node_del_nl_policy[WATTLE_A_NODE_NAME + 1];

extern const struct nla_policy wattle_node_get_nl_policy[WATTLE_A_NODE_NAME + 1];

extern const struct nla_policy wattle_identity_new_nl_policy[WATTLE_A_IDENTITY_VIA + 1];

extern const struct nla_policy wattle_identity_del_nl_policy[WATTLE_A_IDENTITY_LEN + 1];

extern const struct nla_policy wattle_identity_get_nl_policy[WATTLE_A_IDENTITY_LEN + 1];

extern const struct nla_policy wattle_endpoint_new_nl_policy[WATTLE_A_ENDPOINT_ENFORCE + 1];

extern const struct nla_policy wattle_endpoint_del_nl_policy[WATTLE_A_ENDPOINT_IFNAME + 1];

extern const struct nla_policy wattle_endpoint_get_nl_policy[WATTLE_A_ENDPOINT_IFNAME + 1];

extern const struct nla_policy wattle_policy_new_nl_policy[WATTLE_A_POLICY_RULE + 1];

extern const struct nla_policy wattle_policy_del_nl_policy[WATTLE_A_POLICY_RULE + 1];

extern const struct nla_policy wattle_policy_get_nl_policy[WATTLE_A_POLICY_ID + 1];

extern const struct nla_policy wattle_policy_flush_nl_policy[WATTLE_A_POLICY_ID + 1];

extern const struct nla_policy wattle_service_new_nl_policy[WATTLE_A_SERVICE_AFFINITY_PORT + 1];

extern const struct nla_policy wattle_service_del_nl_policy[WATTLE_A_SERVICE_SCOPE + 1];

extern const struct nla_policy wattle_service_get_nl_policy[WATTLE_A_SERVICE_COUNTERS + 1];

extern const struct nla_policy wattle_backend_new_nl_policy[WATTLE_A_BACKEND_SERVICE_SCOPE + 1];

extern const struct nla_policy wattle_backend_del_nl_policy[WATTLE_A_BACKEND_SERVICE_SCOPE + 1];

extern const struct nla_policy wattle_backend_get_nl_policy[WATTLE_A_BACKEND_COUNTERS + 1];

extern const struct nla_policy wattle_explain_nl_policy[WATTLE_A_EXPLAIN_DPORT + 1];

extern const struct nla_policy wattle_flow_get_nl_policy[WATTLE_A_FLOW_CPU + 1];

extern const struct nla_policy wattle_flow_flush_nl_policy[WATTLE_A_FLOW_CPU + 1];

extern const struct nla_policy wattle_stats_get_nl_policy[WATTLE_A_STAT_NAME + 1];

extern const struct nla_policy wattle_egress_new_nl_policy[WATTLE_A_EGRESS_VIA + 1];

extern const struct nla_policy wattle_egress_del_nl_policy[WATTLE_A_EGRESS_TO + 1];

extern const struct nla_policy wattle_egress_get_nl_policy[WATTLE_A_EGRESS_ID + 1];

extern const struct nla_policy wattle_range_new_nl_policy[WATTLE_A_RANGE_PREFIX + 1];

extern const struct nla_policy wattle_range_del_nl_policy[WATTLE_A_RANGE_PREFIX + 1];

extern const struct nla_policy wattle_range_get_nl_policy[WATTLE_A_RANGE_PREFIX + 1];

/* Ops table for wattle */
extern const struct genl_ops wattle_nl_ops[33];

int wattle_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_txn_begin_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_txn_commit_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_txn_abort_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_node_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int wattle_nl_identity_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_identity_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_identity_get_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_identity_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int wattle_nl_endpoint_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_endpoint_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_endpoint_get_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_endpoint_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int wattle_nl_policy_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_policy_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int wattle_nl_policy_flush_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_service_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_service_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_service_get_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_service_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int wattle_nl_backend_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_backend_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_backend_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int wattle_nl_explain_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int wattle_nl_flow_flush_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_stats_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int wattle_nl_egress_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_egress_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_egress_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int wattle_nl_range_new_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_range_del_doit(struct sk_buff *skb, struct genl_info *info);
int wattle_nl_range_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

int wattle_nl_dump_room(struct netlink_callback *cb);
int wattle_nl_dump_done(struct netlink_callback *cb);

enum {
	WATTLE_NLGRP_DROP,
	WATTLE_NLGRP_VERDICT,
	WATTLE_NLGRP_FLOW,
	WATTLE_NLGRP_SERVICE,
};

#endif /* _LINUX_WATTLE_GEN_H */
