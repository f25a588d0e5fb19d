// SPDX-License-Identifier: GPL-2.0-only
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/wattle.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <linux/wattle.h>

/* Common nested types */
const struct nla_policy wattle_prefix_nl_policy[WATTLE_A_PREFIX_LEN + 1] = {
	[WATTLE_A_PREFIX_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_PREFIX_LEN] = { .type = NLA_U8, },
};

const struct nla_policy wattle_rule_nl_policy[WATTLE_A_RULE_PAD + 1] = {
	[WATTLE_A_RULE_ID] = { .type = NLA_U32, },
	[WATTLE_A_RULE_DIRECTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_RULE_PEER_KIND] = NLA_POLICY_MAX(NLA_U8, 2),
	[WATTLE_A_RULE_PEER_ID] = { .type = NLA_U32, },
	[WATTLE_A_RULE_PEER] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
	[WATTLE_A_RULE_OUTSIDE] = { .type = NLA_FLAG, },
	[WATTLE_A_RULE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_RULE_PORT_MIN] = { .type = NLA_U16, },
	[WATTLE_A_RULE_PORT_MAX] = { .type = NLA_U16, },
	[WATTLE_A_RULE_ACTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_RULE_PRIORITY] = { .type = NLA_U16, },
	[WATTLE_A_RULE_ORIGIN] = { .type = NLA_NUL_STRING, .len = 255, },
	[WATTLE_A_RULE_PACKETS] = { .type = NLA_U64, },
	[WATTLE_A_RULE_BYTES] = { .type = NLA_U64, },
};

/* WATTLE_CMD_INFO_GET - do */
const struct nla_policy wattle_info_get_nl_policy[WATTLE_A_INFO_ABI + 1] = {
	[WATTLE_A_INFO_ABI] = { .type = NLA_U32, },
};

/* WATTLE_CMD_TXN_BEGIN - do */
const struct nla_policy wattle_txn_begin_nl_policy[WATTLE_A_INFO_GENERATION + 1] = {
	[WATTLE_A_INFO_GENERATION] = { .type = NLA_U64, },
};

/* WATTLE_CMD_TXN_COMMIT - do */
const struct nla_policy wattle_txn_commit_nl_policy[WATTLE_A_INFO_GENERATION + 1] = {
	[WATTLE_A_INFO_GENERATION] = { .type = NLA_U64, },
};

/* WATTLE_CMD_TXN_ABORT - do */
const struct nla_policy wattle_txn_abort_nl_policy[WATTLE_A_INFO_GENERATION + 1] = {
	[WATTLE_A_INFO_GENERATION] = { .type = NLA_U64, },
};

/* WATTLE_CMD_NODE_NEW - do */
const struct nla_policy wattle_node_new_nl_policy[WATTLE_A_NODE_CIDR + 1] = {
	[WATTLE_A_NODE_NAME] = { .type = NLA_NUL_STRING, .len = WATTLE_NAME_MAX, },
	[WATTLE_A_NODE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_NODE_CIDR] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
};

/* WATTLE_CMD_NODE_DEL - do */
const struct nla_policy wattle_node_del_nl_policy[WATTLE_A_NODE_NAME + 1] = {
	[WATTLE_A_NODE_NAME] = { .type = NLA_NUL_STRING, .len = WATTLE_NAME_MAX, },
};

/* WATTLE_CMD_NODE_GET - do */
const struct nla_policy wattle_node_get_nl_policy[WATTLE_A_NODE_NAME + 1] = {
	[WATTLE_A_NODE_NAME] = { .type = NLA_NUL_STRING, .len = WATTLE_NAME_MAX, },
};

/* WATTLE_CMD_IDENTITY_NEW - do */
const struct nla_policy wattle_identity_new_nl_policy[WATTLE_A_IDENTITY_VIA + 1] = {
	[WATTLE_A_IDENTITY_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_IDENTITY_LEN] = { .type = NLA_U8, },
	[WATTLE_A_IDENTITY_ID] = { .type = NLA_U32, },
	[WATTLE_A_IDENTITY_VIA] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
};

/* WATTLE_CMD_IDENTITY_DEL - do */
const struct nla_policy wattle_identity_del_nl_policy[WATTLE_A_IDENTITY_LEN + 1] = {
	[WATTLE_A_IDENTITY_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_IDENTITY_LEN] = { .type = NLA_U8, },
};

/* WATTLE_CMD_IDENTITY_GET - do */
const struct nla_policy wattle_identity_get_nl_policy[WATTLE_A_IDENTITY_LEN + 1] = {
	[WATTLE_A_IDENTITY_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_IDENTITY_LEN] = { .type = NLA_U8, },
};

/* WATTLE_CMD_ENDPOINT_NEW - do */
const struct nla_policy wattle_endpoint_new_nl_policy[WATTLE_A_ENDPOINT_ENFORCE + 1] = {
	[WATTLE_A_ENDPOINT_IFINDEX] = { .type = NLA_U32, },
	[WATTLE_A_ENDPOINT_POD] = { .type = NLA_NUL_STRING, .len = WATTLE_POD_MAX, },
	[WATTLE_A_ENDPOINT_IP] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_ENDPOINT_ID] = { .type = NLA_U32, },
	[WATTLE_A_ENDPOINT_ENFORCE] = NLA_POLICY_MASK(NLA_U8, 0x3),
};

/* WATTLE_CMD_ENDPOINT_DEL - do */
const struct nla_policy wattle_endpoint_del_nl_policy[WATTLE_A_ENDPOINT_IFNAME + 1] = {
	[WATTLE_A_ENDPOINT_IFINDEX] = { .type = NLA_U32, },
	[WATTLE_A_ENDPOINT_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* WATTLE_CMD_ENDPOINT_GET - do */
const struct nla_policy wattle_endpoint_get_nl_policy[WATTLE_A_ENDPOINT_IFNAME + 1] = {
	[WATTLE_A_ENDPOINT_IFINDEX] = { .type = NLA_U32, },
	[WATTLE_A_ENDPOINT_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* WATTLE_CMD_POLICY_NEW - do */
const struct nla_policy wattle_policy_new_nl_policy[WATTLE_A_POLICY_RULE + 1] = {
	[WATTLE_A_POLICY_RULE] = NLA_POLICY_NESTED(wattle_rule_nl_policy),
};

/* WATTLE_CMD_POLICY_DEL - do */
const struct nla_policy wattle_policy_del_nl_policy[WATTLE_A_POLICY_RULE + 1] = {
	[WATTLE_A_POLICY_RULE] = NLA_POLICY_NESTED(wattle_rule_nl_policy),
};

/* WATTLE_CMD_POLICY_GET - dump */
const struct nla_policy wattle_policy_get_nl_policy[WATTLE_A_POLICY_ID + 1] = {
	[WATTLE_A_POLICY_ID] = { .type = NLA_U32, },
};

/* WATTLE_CMD_POLICY_FLUSH - do */
const struct nla_policy wattle_policy_flush_nl_policy[WATTLE_A_POLICY_ID + 1] = {
	[WATTLE_A_POLICY_ID] = { .type = NLA_U32, },
};

/* WATTLE_CMD_SERVICE_NEW - do */
const struct nla_policy wattle_service_new_nl_policy[WATTLE_A_SERVICE_AFFINITY_PORT + 1] = {
	[WATTLE_A_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_SERVICE_ALG] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_SERVICE_AFFINITY] = { .type = NLA_U32, },
	[WATTLE_A_SERVICE_AFFINITY_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_SERVICE_AFFINITY_PORT] = { .type = NLA_U16, },
	[WATTLE_A_SERVICE_MAGLEV_SIZE] = { .type = NLA_U32, },
	[WATTLE_A_SERVICE_EMPTY] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_SERVICE_SOURCE] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
	[WATTLE_A_SERVICE_SOURCE_POLICY] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_SERVICE_DSR] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* WATTLE_CMD_SERVICE_DEL - do */
const struct nla_policy wattle_service_del_nl_policy[WATTLE_A_SERVICE_SCOPE + 1] = {
	[WATTLE_A_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* WATTLE_CMD_SERVICE_GET - do */
const struct nla_policy wattle_service_get_nl_policy[WATTLE_A_SERVICE_COUNTERS + 1] = {
	[WATTLE_A_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_SERVICE_COUNTERS] = { .type = NLA_FLAG, },
};

/* WATTLE_CMD_BACKEND_NEW - do */
const struct nla_policy wattle_backend_new_nl_policy[WATTLE_A_BACKEND_SERVICE_SCOPE + 1] = {
	[WATTLE_A_BACKEND_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_BACKEND_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_BACKEND_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_BACKEND_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_BACKEND_PORT] = { .type = NLA_U16, },
	[WATTLE_A_BACKEND_WEIGHT] = { .type = NLA_U16, },
	[WATTLE_A_BACKEND_STATE] = NLA_POLICY_MAX(NLA_U8, 2),
};

/* WATTLE_CMD_BACKEND_DEL - do */
const struct nla_policy wattle_backend_del_nl_policy[WATTLE_A_BACKEND_SERVICE_SCOPE + 1] = {
	[WATTLE_A_BACKEND_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_BACKEND_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_BACKEND_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_BACKEND_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_BACKEND_PORT] = { .type = NLA_U16, },
};

/* WATTLE_CMD_BACKEND_GET - dump */
const struct nla_policy wattle_backend_get_nl_policy[WATTLE_A_BACKEND_COUNTERS + 1] = {
	[WATTLE_A_BACKEND_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_BACKEND_SERVICE_PORT] = { .type = NLA_U16, },
	[WATTLE_A_BACKEND_SERVICE_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_BACKEND_SERVICE_SCOPE] = NLA_POLICY_MAX(NLA_U8, 1),
	[WATTLE_A_BACKEND_COUNTERS] = { .type = NLA_FLAG, },
};

/* WATTLE_CMD_EXPLAIN - do */
const struct nla_policy wattle_explain_nl_policy[WATTLE_A_EXPLAIN_DPORT + 1] = {
	[WATTLE_A_EXPLAIN_SRC] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_EXPLAIN_DST] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_EXPLAIN_PROTO] = { .type = NLA_U8, },
	[WATTLE_A_EXPLAIN_SPORT] = { .type = NLA_U16, },
	[WATTLE_A_EXPLAIN_DPORT] = { .type = NLA_U16, },
};

/* WATTLE_CMD_FLOW_GET - dump */
const struct nla_policy wattle_flow_get_nl_policy[WATTLE_A_FLOW_CPU + 1] = {
	[WATTLE_A_FLOW_CPU] = { .type = NLA_U32, },
};

/* WATTLE_CMD_FLOW_FLUSH - do */
const struct nla_policy wattle_flow_flush_nl_policy[WATTLE_A_FLOW_CPU + 1] = {
	[WATTLE_A_FLOW_CPU] = { .type = NLA_U32, },
};

/* WATTLE_CMD_STATS_GET - dump */
const struct nla_policy wattle_stats_get_nl_policy[WATTLE_A_STAT_NAME + 1] = {
	[WATTLE_A_STAT_NAME] = { .type = NLA_NUL_STRING, },
};

/* WATTLE_CMD_EGRESS_NEW - do */
const struct nla_policy wattle_egress_new_nl_policy[WATTLE_A_EGRESS_VIA + 1] = {
	[WATTLE_A_EGRESS_ID] = { .type = NLA_U32, },
	[WATTLE_A_EGRESS_SOURCE] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_EGRESS_TO] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
	[WATTLE_A_EGRESS_ACTION] = NLA_POLICY_MAX(NLA_U8, 4),
	[WATTLE_A_EGRESS_AS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_EGRESS_VIA] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
};

/* WATTLE_CMD_EGRESS_DEL - do */
const struct nla_policy wattle_egress_del_nl_policy[WATTLE_A_EGRESS_TO + 1] = {
	[WATTLE_A_EGRESS_ID] = { .type = NLA_U32, },
	[WATTLE_A_EGRESS_SOURCE] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[WATTLE_A_EGRESS_TO] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
};

/* WATTLE_CMD_EGRESS_GET - dump */
const struct nla_policy wattle_egress_get_nl_policy[WATTLE_A_EGRESS_ID + 1] = {
	[WATTLE_A_EGRESS_ID] = { .type = NLA_U32, },
};

/* WATTLE_CMD_RANGE_NEW - do */
const struct nla_policy wattle_range_new_nl_policy[WATTLE_A_RANGE_PREFIX + 1] = {
	[WATTLE_A_RANGE_PREFIX] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
};

/* WATTLE_CMD_RANGE_DEL - do */
const struct nla_policy wattle_range_del_nl_policy[WATTLE_A_RANGE_PREFIX + 1] = {
	[WATTLE_A_RANGE_PREFIX] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
};

/* WATTLE_CMD_RANGE_GET - dump */
const struct nla_policy wattle_range_get_nl_policy[WATTLE_A_RANGE_PREFIX + 1] = {
	[WATTLE_A_RANGE_PREFIX] = NLA_POLICY_NESTED(wattle_prefix_nl_policy),
};

/* Ops table for wattle */
const struct genl_ops wattle_nl_ops[33] = {
	{
		.cmd		= WATTLE_CMD_INFO_GET,
		.doit		= wattle_nl_info_get_doit,
		.policy		= wattle_info_get_nl_policy,
		.maxattr	= WATTLE_A_INFO_ABI,
	},
	{
		.cmd		= WATTLE_CMD_TXN_BEGIN,
		.doit		= wattle_nl_txn_begin_doit,
		.policy		= wattle_txn_begin_nl_policy,
		.maxattr	= WATTLE_A_INFO_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_TXN_COMMIT,
		.doit		= wattle_nl_txn_commit_doit,
		.policy		= wattle_txn_commit_nl_policy,
		.maxattr	= WATTLE_A_INFO_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_TXN_ABORT,
		.doit		= wattle_nl_txn_abort_doit,
		.policy		= wattle_txn_abort_nl_policy,
		.maxattr	= WATTLE_A_INFO_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_NODE_NEW,
		.doit		= wattle_nl_node_new_doit,
		.policy		= wattle_node_new_nl_policy,
		.maxattr	= WATTLE_A_NODE_CIDR,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_NODE_DEL,
		.doit		= wattle_nl_node_del_doit,
		.policy		= wattle_node_del_nl_policy,
		.maxattr	= WATTLE_A_NODE_NAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_NODE_GET,
		.doit		= wattle_nl_node_get_doit,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_node_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_node_get_nl_policy,
		.maxattr	= WATTLE_A_NODE_NAME,
	},
	{
		.cmd		= WATTLE_CMD_IDENTITY_NEW,
		.doit		= wattle_nl_identity_new_doit,
		.policy		= wattle_identity_new_nl_policy,
		.maxattr	= WATTLE_A_IDENTITY_VIA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_IDENTITY_DEL,
		.doit		= wattle_nl_identity_del_doit,
		.policy		= wattle_identity_del_nl_policy,
		.maxattr	= WATTLE_A_IDENTITY_LEN,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_IDENTITY_GET,
		.doit		= wattle_nl_identity_get_doit,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_identity_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_identity_get_nl_policy,
		.maxattr	= WATTLE_A_IDENTITY_LEN,
	},
	{
		.cmd		= WATTLE_CMD_ENDPOINT_NEW,
		.doit		= wattle_nl_endpoint_new_doit,
		.policy		= wattle_endpoint_new_nl_policy,
		.maxattr	= WATTLE_A_ENDPOINT_ENFORCE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_ENDPOINT_DEL,
		.doit		= wattle_nl_endpoint_del_doit,
		.policy		= wattle_endpoint_del_nl_policy,
		.maxattr	= WATTLE_A_ENDPOINT_IFNAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_ENDPOINT_GET,
		.doit		= wattle_nl_endpoint_get_doit,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_endpoint_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_endpoint_get_nl_policy,
		.maxattr	= WATTLE_A_ENDPOINT_IFNAME,
	},
	{
		.cmd		= WATTLE_CMD_POLICY_NEW,
		.doit		= wattle_nl_policy_new_doit,
		.policy		= wattle_policy_new_nl_policy,
		.maxattr	= WATTLE_A_POLICY_RULE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_POLICY_DEL,
		.doit		= wattle_nl_policy_del_doit,
		.policy		= wattle_policy_del_nl_policy,
		.maxattr	= WATTLE_A_POLICY_RULE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_POLICY_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_policy_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_policy_get_nl_policy,
		.maxattr	= WATTLE_A_POLICY_ID,
	},
	{
		.cmd		= WATTLE_CMD_POLICY_FLUSH,
		.doit		= wattle_nl_policy_flush_doit,
		.policy		= wattle_policy_flush_nl_policy,
		.maxattr	= WATTLE_A_POLICY_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_SERVICE_NEW,
		.doit		= wattle_nl_service_new_doit,
		.policy		= wattle_service_new_nl_policy,
		.maxattr	= WATTLE_A_SERVICE_AFFINITY_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_SERVICE_DEL,
		.doit		= wattle_nl_service_del_doit,
		.policy		= wattle_service_del_nl_policy,
		.maxattr	= WATTLE_A_SERVICE_SCOPE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_SERVICE_GET,
		.doit		= wattle_nl_service_get_doit,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_service_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_service_get_nl_policy,
		.maxattr	= WATTLE_A_SERVICE_COUNTERS,
	},
	{
		.cmd		= WATTLE_CMD_BACKEND_NEW,
		.doit		= wattle_nl_backend_new_doit,
		.policy		= wattle_backend_new_nl_policy,
		.maxattr	= WATTLE_A_BACKEND_SERVICE_SCOPE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_BACKEND_DEL,
		.doit		= wattle_nl_backend_del_doit,
		.policy		= wattle_backend_del_nl_policy,
		.maxattr	= WATTLE_A_BACKEND_SERVICE_SCOPE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_BACKEND_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_backend_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_backend_get_nl_policy,
		.maxattr	= WATTLE_A_BACKEND_COUNTERS,
	},
	{
		.cmd		= WATTLE_CMD_EXPLAIN,
		.doit		= wattle_nl_explain_doit,
		.policy		= wattle_explain_nl_policy,
		.maxattr	= WATTLE_A_EXPLAIN_DPORT,
	},
	{
		.cmd		= WATTLE_CMD_FLOW_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_flow_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_flow_get_nl_policy,
		.maxattr	= WATTLE_A_FLOW_CPU,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_FLOW_FLUSH,
		.doit		= wattle_nl_flow_flush_doit,
		.policy		= wattle_flow_flush_nl_policy,
		.maxattr	= WATTLE_A_FLOW_CPU,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_STATS_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_stats_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_stats_get_nl_policy,
		.maxattr	= WATTLE_A_STAT_NAME,
	},
	{
		.cmd		= WATTLE_CMD_EGRESS_NEW,
		.doit		= wattle_nl_egress_new_doit,
		.policy		= wattle_egress_new_nl_policy,
		.maxattr	= WATTLE_A_EGRESS_VIA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_EGRESS_DEL,
		.doit		= wattle_nl_egress_del_doit,
		.policy		= wattle_egress_del_nl_policy,
		.maxattr	= WATTLE_A_EGRESS_TO,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_EGRESS_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_egress_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_egress_get_nl_policy,
		.maxattr	= WATTLE_A_EGRESS_ID,
	},
	{
		.cmd		= WATTLE_CMD_RANGE_NEW,
		.doit		= wattle_nl_range_new_doit,
		.policy		= wattle_range_new_nl_policy,
		.maxattr	= WATTLE_A_RANGE_PREFIX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_RANGE_DEL,
		.doit		= wattle_nl_range_del_doit,
		.policy		= wattle_range_del_nl_policy,
		.maxattr	= WATTLE_A_RANGE_PREFIX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= WATTLE_CMD_RANGE_GET,
		.start		= wattle_nl_dump_room,
		.dumpit		= wattle_nl_range_get_dumpit,
		.done		= wattle_nl_dump_done,
		.policy		= wattle_range_get_nl_policy,
		.maxattr	= WATTLE_A_RANGE_PREFIX,
	},
};
