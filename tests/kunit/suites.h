/* SPDX-License-Identifier: GPL-2.0-only */
/* Every suite. main.c lists them in the order in which they run: from the ground up. */
#ifndef WATTLE_SUITES_H
#define WATTLE_SUITES_H

#include "kunit_compat.h"

extern struct kunit_suite wattle_lpm_suite;
extern struct kunit_suite wattle_node_suite;
extern struct kunit_suite wattle_identity_suite;
extern struct kunit_suite wattle_policy_suite;
extern struct kunit_suite wattle_policy_hash_suite;
extern struct kunit_suite wattle_service_suite;
extern struct kunit_suite wattle_affinity_suite;
extern struct kunit_suite wattle_egress_suite;
extern struct kunit_suite wattle_range_suite;
extern struct kunit_suite wattle_endpoint_suite;
extern struct kunit_suite wattle_config_suite;
extern struct kunit_suite wattle_decide_suite;
extern struct kunit_suite wattle_flow_table_suite;
extern struct kunit_suite wattle_parse_suite;
extern struct kunit_suite wattle_echo_suite;
extern struct kunit_suite wattle_dsr_suite;
extern struct kunit_suite wattle_vxlan_suite;

#endif /* WATTLE_SUITES_H */
