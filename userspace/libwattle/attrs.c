// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of attributes, as Documentation/netlink/specs/wattle.yaml has them:
 * the kernel says at which place of a request it took offence, people want to
 * know what stands there. tests/unit compares the tables with the specification.
 */
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define WATTLE_ATTRS(set) \
	static const struct wattle_attrs set##_attrs = { WATTLE_ARRAY_SIZE(set), set }

static const struct wattle_attr wattle_prefix[] = {
	[WATTLE_A_PREFIX_ADDR] = { "addr", NULL },
	[WATTLE_A_PREFIX_LEN] = { "len", NULL },
};
WATTLE_ATTRS(wattle_prefix);

static const struct wattle_attr wattle_info[] = {
	[WATTLE_A_INFO_VERSION] = { "version", NULL },
	[WATTLE_A_INFO_ABI] = { "abi", NULL },
	[WATTLE_A_INFO_GENERATION] = { "generation", NULL },
	[WATTLE_A_INFO_IFINDEX] = { "ifindex", NULL },
};
WATTLE_ATTRS(wattle_info);

static const struct wattle_attr wattle_node[] = {
	[WATTLE_A_NODE_NAME] = { "name", NULL },
	[WATTLE_A_NODE_ADDR] = { "addr", NULL },
	[WATTLE_A_NODE_CIDR] = { "cidr", &wattle_prefix_attrs },
};
WATTLE_ATTRS(wattle_node);

static const struct wattle_attr wattle_identity[] = {
	[WATTLE_A_IDENTITY_ADDR] = { "addr", NULL },
	[WATTLE_A_IDENTITY_LEN] = { "len", NULL },
	[WATTLE_A_IDENTITY_ID] = { "id", NULL },
	[WATTLE_A_IDENTITY_VIA] = { "via", NULL },
	[WATTLE_A_IDENTITY_NODE] = { "node", NULL },
	[WATTLE_A_IDENTITY_BY] = { "by", NULL },
};
WATTLE_ATTRS(wattle_identity);

static const struct wattle_attr wattle_endpoint[] = {
	[WATTLE_A_ENDPOINT_IFINDEX] = { "ifindex", NULL },
	[WATTLE_A_ENDPOINT_IFNAME] = { "ifname", NULL },
	[WATTLE_A_ENDPOINT_POD] = { "pod", NULL },
	[WATTLE_A_ENDPOINT_IP] = { "ip", NULL },
	[WATTLE_A_ENDPOINT_ID] = { "id", NULL },
	[WATTLE_A_ENDPOINT_ENFORCE] = { "enforce", NULL },
};
WATTLE_ATTRS(wattle_endpoint);

static const struct wattle_attr wattle_rule[] = {
	[WATTLE_A_RULE_ID] = { "id", NULL },
	[WATTLE_A_RULE_DIRECTION] = { "direction", NULL },
	[WATTLE_A_RULE_PEER_KIND] = { "peer-kind", NULL },
	[WATTLE_A_RULE_PEER_ID] = { "peer-id", NULL },
	[WATTLE_A_RULE_PEER] = { "peer", &wattle_prefix_attrs },
	[WATTLE_A_RULE_OUTSIDE] = { "outside", NULL },
	[WATTLE_A_RULE_PROTO] = { "proto", NULL },
	[WATTLE_A_RULE_PORT_MIN] = { "port-min", NULL },
	[WATTLE_A_RULE_PORT_MAX] = { "port-max", NULL },
	[WATTLE_A_RULE_ACTION] = { "action", NULL },
	[WATTLE_A_RULE_PRIORITY] = { "priority", NULL },
	[WATTLE_A_RULE_ORIGIN] = { "origin", NULL },
	[WATTLE_A_RULE_PACKETS] = { "packets", NULL },
	[WATTLE_A_RULE_BYTES] = { "bytes", NULL },
};
WATTLE_ATTRS(wattle_rule);

static const struct wattle_attr wattle_policy[] = {
	[WATTLE_A_POLICY_RULE] = { "rule", &wattle_rule_attrs },
	[WATTLE_A_POLICY_ID] = { "id", NULL },
};
WATTLE_ATTRS(wattle_policy);

static const struct wattle_attr wattle_service[] = {
	[WATTLE_A_SERVICE_ADDR] = { "addr", NULL },
	[WATTLE_A_SERVICE_PORT] = { "port", NULL },
	[WATTLE_A_SERVICE_PROTO] = { "proto", NULL },
	[WATTLE_A_SERVICE_ALG] = { "alg", NULL },
	[WATTLE_A_SERVICE_AFFINITY] = { "affinity", NULL },
	[WATTLE_A_SERVICE_MAGLEV_SIZE] = { "maglev-size", NULL },
	[WATTLE_A_SERVICE_BACKENDS] = { "backends", NULL },
	[WATTLE_A_SERVICE_ID] = { "id", NULL },
	[WATTLE_A_SERVICE_SCOPE] = { "scope", NULL },
	[WATTLE_A_SERVICE_EMPTY] = { "empty", NULL },
	[WATTLE_A_SERVICE_SOURCE] = { "source", &wattle_prefix_attrs },
	[WATTLE_A_SERVICE_SOURCE_POLICY] = { "source-policy", NULL },
	[WATTLE_A_SERVICE_DSR] = { "dsr", NULL },
	[WATTLE_A_SERVICE_USABLE] = { "usable", NULL },
	[WATTLE_A_SERVICE_CONNECTIONS] = { "connections", NULL },
	[WATTLE_A_SERVICE_REFUSED] = { "refused", NULL },
	[WATTLE_A_SERVICE_TIME] = { "time", NULL },
	[WATTLE_A_SERVICE_COUNTERS] = { "counters", NULL },
	[WATTLE_A_SERVICE_IN_PACKETS] = { "in-packets", NULL },
	[WATTLE_A_SERVICE_IN_BYTES] = { "in-bytes", NULL },
	[WATTLE_A_SERVICE_OUT_PACKETS] = { "out-packets", NULL },
	[WATTLE_A_SERVICE_OUT_BYTES] = { "out-bytes", NULL },
	[WATTLE_A_SERVICE_AFFINITY_ADDR] = { "affinity-addr", NULL },
	[WATTLE_A_SERVICE_AFFINITY_PORT] = { "affinity-port", NULL },
};
WATTLE_ATTRS(wattle_service);

static const struct wattle_attr wattle_backend[] = {
	[WATTLE_A_BACKEND_SERVICE_ADDR] = { "service-addr", NULL },
	[WATTLE_A_BACKEND_SERVICE_PORT] = { "service-port", NULL },
	[WATTLE_A_BACKEND_SERVICE_PROTO] = { "service-proto", NULL },
	[WATTLE_A_BACKEND_ADDR] = { "addr", NULL },
	[WATTLE_A_BACKEND_PORT] = { "port", NULL },
	[WATTLE_A_BACKEND_WEIGHT] = { "weight", NULL },
	[WATTLE_A_BACKEND_STATE] = { "state", NULL },
	[WATTLE_A_BACKEND_SERVICE_SCOPE] = { "service-scope", NULL },
	[WATTLE_A_BACKEND_CONNECTIONS] = { "connections", NULL },
	[WATTLE_A_BACKEND_COUNTERS] = { "counters", NULL },
	[WATTLE_A_BACKEND_IN_PACKETS] = { "in-packets", NULL },
	[WATTLE_A_BACKEND_IN_BYTES] = { "in-bytes", NULL },
	[WATTLE_A_BACKEND_OUT_PACKETS] = { "out-packets", NULL },
	[WATTLE_A_BACKEND_OUT_BYTES] = { "out-bytes", NULL },
	[WATTLE_A_BACKEND_LIVE] = { "live", NULL },
};
WATTLE_ATTRS(wattle_backend);

static const struct wattle_attr wattle_egress[] = {
	[WATTLE_A_EGRESS_ID] = { "id", NULL },
	[WATTLE_A_EGRESS_SOURCE] = { "source", NULL },
	[WATTLE_A_EGRESS_TO] = { "to", &wattle_prefix_attrs },
	[WATTLE_A_EGRESS_ACTION] = { "action", NULL },
	[WATTLE_A_EGRESS_AS] = { "as", NULL },
	[WATTLE_A_EGRESS_VIA] = { "via", NULL },
	[WATTLE_A_EGRESS_NODE] = { "node", NULL },
};
WATTLE_ATTRS(wattle_egress);

static const struct wattle_attr wattle_explain[] = {
	[WATTLE_A_EXPLAIN_SRC] = { "src", NULL },
	[WATTLE_A_EXPLAIN_DST] = { "dst", NULL },
	[WATTLE_A_EXPLAIN_PROTO] = { "proto", NULL },
	[WATTLE_A_EXPLAIN_SPORT] = { "sport", NULL },
	[WATTLE_A_EXPLAIN_DPORT] = { "dport", NULL },
};
WATTLE_ATTRS(wattle_explain);

static const struct wattle_attr wattle_flow[] = {
	[WATTLE_A_FLOW_CPU] = { "cpu", NULL },
};
WATTLE_ATTRS(wattle_flow);

static const struct wattle_attr wattle_stat[] = {
	[WATTLE_A_STAT_NAME] = { "name", NULL },
};
WATTLE_ATTRS(wattle_stat);

static const struct wattle_attr wattle_range[] = {
	[WATTLE_A_RANGE_PREFIX] = { "prefix", &wattle_prefix_attrs },
};
WATTLE_ATTRS(wattle_range);

static const struct wattle_attr wattle_link_data[] = {
	[IFLA_WATTLE_LOCAL4] = { "local4", NULL },
	[IFLA_WATTLE_LOCAL6] = { "local6", NULL },
	[IFLA_WATTLE_PORT] = { "port", NULL },
	[IFLA_WATTLE_MODE] = { "mode", NULL },
	[IFLA_WATTLE_VNI] = { "vni", NULL },
	[IFLA_WATTLE_UNDERLAY] = { "underlay", NULL },
	[IFLA_WATTLE_STRICT] = { "strict", NULL },
	[IFLA_WATTLE_CACHE] = { "cache", NULL },
	[IFLA_WATTLE_UDP_CSUM] = { "csum", NULL },
	[IFLA_WATTLE_TTL] = { "ttl", NULL },
	[IFLA_WATTLE_AUDIT] = { "audit", NULL },
};
WATTLE_ATTRS(wattle_link_data);

static const struct wattle_attr wattle_link_info[] = {
	[IFLA_INFO_KIND] = { "kind", NULL },
	[IFLA_INFO_DATA] = { "", &wattle_link_data_attrs },
};
WATTLE_ATTRS(wattle_link_info);

static const struct wattle_attr wattle_link[] = {
	[IFLA_IFNAME] = { "name", NULL },
	[IFLA_MTU] = { "mtu", NULL },
	[IFLA_LINKINFO] = { "", &wattle_link_info_attrs },
};
WATTLE_ATTRS(wattle_link);

static const struct wattle_attr wattle_route[] = {
	[RTA_DST] = { "cidr", NULL },
	[RTA_OIF] = { "dev", NULL },
};
WATTLE_ATTRS(wattle_route);

static const struct wattle_attrs *wattle_attrs_of_cmd(uint8_t cmd)
{
	switch (cmd) {
	case WATTLE_CMD_INFO_GET ... WATTLE_CMD_TXN_ABORT:
		return &wattle_info_attrs;
	case WATTLE_CMD_NODE_NEW ... WATTLE_CMD_NODE_GET:
		return &wattle_node_attrs;
	case WATTLE_CMD_IDENTITY_NEW ... WATTLE_CMD_IDENTITY_GET:
		return &wattle_identity_attrs;
	case WATTLE_CMD_ENDPOINT_NEW ... WATTLE_CMD_ENDPOINT_GET:
		return &wattle_endpoint_attrs;
	case WATTLE_CMD_POLICY_NEW ... WATTLE_CMD_POLICY_FLUSH:
		return &wattle_policy_attrs;
	case WATTLE_CMD_SERVICE_NEW ... WATTLE_CMD_SERVICE_GET:
		return &wattle_service_attrs;
	case WATTLE_CMD_BACKEND_NEW ... WATTLE_CMD_BACKEND_GET:
		return &wattle_backend_attrs;
	case WATTLE_CMD_EXPLAIN:
		return &wattle_explain_attrs;
	case WATTLE_CMD_FLOW_GET ... WATTLE_CMD_FLOW_FLUSH:
		return &wattle_flow_attrs;
	case WATTLE_CMD_STATS_GET:
		return &wattle_stat_attrs;
	case WATTLE_CMD_EGRESS_NEW ... WATTLE_CMD_EGRESS_GET:
		return &wattle_egress_attrs;
	case WATTLE_CMD_RANGE_NEW ... WATTLE_CMD_RANGE_GET:
		return &wattle_range_attrs;
	}
	return NULL;
}

/* The attributes of a request, and where they begin. */
static const struct wattle_attrs *wattle_attrs_of(const struct nlmsghdr *request, uint32_t *start)
{
	switch (request->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		*start = NLMSG_SPACE(sizeof(struct ifinfomsg));
		return &wattle_link_attrs;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		*start = NLMSG_SPACE(sizeof(struct rtmsg));
		return &wattle_route_attrs;
	default:
		*start = NLMSG_HDRLEN + GENL_HDRLEN;
		return wattle_attrs_of_cmd(wattle_msg_cmd(request));
	}
}

static const struct wattle_attr *wattle_attr_of(const struct wattle_attrs *attrs, uint32_t type)
{
	if (!attrs || type >= attrs->count || !attrs->attr[type].name)
		return NULL;
	return &attrs->attr[type];
}

static void wattle_attr_append(char *name, size_t size, const char *word)
{
	size_t len = strlen(name);

	if (*word)
		snprintf(name + len, size - len, "%s%s", len ? "." : "", word);
}

/* Follow @offset down into nests; what @offset itself names is included. */
static const struct wattle_attrs *wattle_attr_walk(const struct nlmsghdr *request,
						   uint32_t offset, char *name, size_t size,
						   bool *found)
{
	uint32_t pos, end = request->nlmsg_len;
	const struct wattle_attrs *attrs = wattle_attrs_of(request, &pos);

	name[0] = '\0';
	*found = false;
	while (pos + NLA_HDRLEN <= end && pos <= offset) {
		const struct nlattr *nla = (const void *)((const char *)request + pos);
		const struct wattle_attr *attr;

		if (nla->nla_len < NLA_HDRLEN || pos + nla->nla_len > end)
			break;
		if (offset >= pos + NLA_ALIGN(nla->nla_len)) {
			pos += NLA_ALIGN(nla->nla_len);
			continue;
		}
		attr = wattle_attr_of(attrs, nla_type(nla));
		if (!attr)
			break;
		wattle_attr_append(name, size, attr->name);
		attrs = attr->nested;
		*found = true;
		if (offset == pos || !attrs)
			break;
		end = pos + nla->nla_len;
		pos += NLA_HDRLEN;
	}
	return attrs;
}

bool wattle_attr_at(const struct nlmsghdr *request, uint32_t offset, char *name, size_t size)
{
	bool found;

	wattle_attr_walk(request, offset, name, size, &found);
	return found && name[0];
}

bool wattle_attr_missing(const struct nlmsghdr *request, uint32_t nest, uint32_t missing,
			 char *name, size_t size)
{
	const struct wattle_attrs *attrs;
	const struct wattle_attr *attr;
	uint32_t start;
	bool found;

	name[0] = '\0';
	if (nest)
		attrs = wattle_attr_walk(request, nest, name, size, &found);
	else
		attrs = wattle_attrs_of(request, &start);
	attr = wattle_attr_of(attrs, missing);
	if (!attr)
		return false;
	wattle_attr_append(name, size, attr->name);
	return name[0];
}
