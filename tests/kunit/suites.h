/* SPDX-License-Identifier: GPL-2.0-only */
/* Every suite, in the order in which they run: from the ground up. */
#ifndef WATTLE_SUITES_H
#define WATTLE_SUITES_H

#include "kunit_compat.h"

extern struct kunit_suite wattle_lpm_suite;
extern struct kunit_suite wattle_node_suite;
extern struct kunit_suite wattle_identity_suite;
extern struct kunit_suite wattle_policy_suite;
extern struct kunit_suite wattle_service_suite;
extern struct kunit_suite wattle_endpoint_suite;
extern struct kunit_suite wattle_config_suite;

/* One a line: others add theirs at the end. */
#define WATTLE_SUITES \
	&wattle_lpm_suite, \
	&wattle_node_suite, \
	&wattle_identity_suite, \
	&wattle_policy_suite, \
	&wattle_service_suite, \
	&wattle_endpoint_suite, \
	&wattle_config_suite

#endif /* WATTLE_SUITES_H */
