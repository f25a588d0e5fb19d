/* SPDX-License-Identifier: GPL-2.0-only */
/* For those who have messages of any kind, broken ones too. */
#ifndef PARSE_ALL_H
#define PARSE_ALL_H

#include "libwattle/internal.h"

/* Whatever it is read as. */
static void parse_all(const struct nlmsghdr *nlh)
{
	struct wattle_node node;
	struct wattle_identity identity;
	struct wattle_endpoint endpoint;
	struct wattle_rule rule;
	struct wattle_service service;
	struct wattle_backend backend;
	struct wattle_egress egress;
	struct wattle_prefix range;
	struct wattle_explain explain;
	struct wattle_flow flow;
	struct wattle_stat stat;
	struct wattle_info info;
	struct wattle_link link;
	struct wattle_route route;
	struct wattle_error err;

	wattle_node_parse(nlh, &node);
	wattle_node_release(&node);
	wattle_endpoint_parse(nlh, &endpoint);
	wattle_endpoint_release(&endpoint);
	wattle_identity_parse(nlh, &identity);
	wattle_rule_parse(nlh, &rule);
	wattle_service_parse(nlh, &service);
	wattle_service_release(&service);
	wattle_backend_parse(nlh, &backend);
	wattle_egress_parse(nlh, &egress);
	wattle_range_parse(nlh, &range);
	wattle_explain_parse(nlh, &explain);
	wattle_flow_parse(nlh, &flow);
	wattle_stat_parse(nlh, &stat);
	wattle_info_parse(nlh, &info);
	wattle_link_parse(nlh, &link);
	wattle_route_parse(nlh, &route);
	wattle_error_parse(&err, nlh, nlh);
}

#endif /* PARSE_ALL_H */
