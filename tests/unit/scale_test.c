// SPDX-License-Identifier: GPL-2.0-only
/*
 * A big cluster from manifests to messages: what memory that takes, and what a small change of
 * it sends. TAP, no kernel; times are told, and judge nothing.
 */
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tap.h"
#include "wattlectl/state.h"

#define MEGABYTES	200	/* of all there is, messages too */
#define NODE		"n7"
#define LOCAL		"7"	/* pods by number: on the node, */
#define REMOTE		"8"	/* and elsewhere */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void say(bool error, const char *text, void *arg)
{
	(void)arg;
	printf("# %s%s\n", error ? "" : "warning: ", text);
}

struct cluster {
	struct manifest *m;
	struct state want;
};

static void bail(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

/* What big-cluster makes of @options, as it comes through a pipe. */
static void cluster_make(struct cluster *cluster, const char *options, const char *node)
{
	static const struct state none;
	char command[128], *text = malloc(16 << 20);
	size_t len = 0, got;
	FILE *from;

	snprintf(command, sizeof(command), "tests/policy/big-cluster %s", options);
	from = popen(command, "r");
	while (text && from && (got = fread(text + len, 1, 65536, from)))
		len += got;
	if (!text || !from || pclose(from))
		bail("no cluster");
	cluster->m = manifest_create(say, NULL);
	if (!cluster->m || !manifest_load_text(cluster->m, "cluster", text, len) ||
	    !manifest_compile(cluster->m) ||
	    state_want(NULL, cluster->m, node, &none, &cluster->want))
		bail("the cluster does not compile");
	free(text);
}

static void cluster_release(struct cluster *cluster)
{
	state_release(&cluster->want);
	manifest_destroy(cluster->m);
}

/* Messages from one to the other: all of them are one transaction. */
static size_t messages(const struct state *now, const struct state *want)
{
	static const struct plan_how how;
	struct plan plan;
	size_t count;

	plan_make(&plan, now, want, &how);
	count = plan.failed ? SIZE_MAX : wattle_batch_count(plan.batch);
	plan_release(&plan);
	return count;
}

/* Rules of @want that are about an identity, as subject or peer; 0: any. */
static size_t rules_about(const struct state *want, uint32_t id)
{
	struct rule_walk walk = { .state = want };
	const struct manifest_rule *rule;
	size_t count = 0;

	while ((rule = rule_walk_next(&walk)))
		count += !id || rule->subject == id || rule->peer_id == id;
	return count;
}

static void test_memory(const char *what)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	ok(usage.ru_maxrss < MEGABYTES << 10, "%s within %d MB: %ld", what, MEGABYTES,
	   usage.ru_maxrss >> 10);
}

/* All rules of all identities are here: millions, of which only some are there at a time. */
static void test_one_node(void)
{
	static const struct state none;
	struct cluster cluster = {};
	double start = seconds();
	size_t count;

	cluster_make(&cluster, "--nodes 1", "n0");
	printf("# compiled for the only node in %.2f s\n", seconds() - start);
	ok(cluster.want.local.count == 5000, "5,000 pods on one node, none of which is like another");
	start = seconds();
	count = messages(&none, &cluster.want);
	printf("# messages in %.2f s\n", seconds() - start);
	ok(count > 2000000, "all of it: %zu messages", count);
	test_memory("the only node");
	cluster_release(&cluster);
}

static uint32_t identity_of(const struct cluster *cluster, const char *number)
{
	struct manifest_pod pod;

	manifest_pod(cluster->m, atoi(number), &pod);
	return pod.id;
}

/* Relabelled, a pod is another identity: what is about the old one goes, and comes for the new. */
static void test_relabel(const struct cluster *before, const char *number, const char *what)
{
	size_t count, most, back;
	struct cluster after = {};
	char options[64];

	snprintf(options, sizeof(options), "--relabel %s", number);
	cluster_make(&after, options, NODE);
	count = messages(&before->want, &after.want);
	back = messages(&after.want, &before->want);
	most = rules_about(&before->want, identity_of(before, number)) +
	       rules_about(&after.want, identity_of(&after, number)) +
	       2;	/* its addresses */
	ok(count && count <= most, "another label of %s: %zu messages of %zu, %zu about it", what,
	   count, rules_about(&before->want, 0), most);
	ok(back == count, "and back: %zu", back);
	cluster_release(&after);
}

int main(void)
{
	static const struct state none;
	struct cluster cluster = {};
	double start;
	size_t count;

	test_one_node();
	start = seconds();
	cluster_make(&cluster, "", NODE);
	printf("# compiled in %.2f s\n", seconds() - start);
	ok(manifest_pod_count(cluster.m) == 5000 && manifest_identity_count(cluster.m) == 5000,
	   "5,000 pods, none of which is like another");
	start = seconds();
	count = messages(&none, &cluster.want);
	printf("# messages in %.2f s\n", seconds() - start);
	ok(count > rules_about(&cluster.want, 0), "all of it: %zu messages", count);
	test_memory("one of fifty nodes");
	ok(!messages(&cluster.want, &cluster.want), "the same again: no message");
	test_relabel(&cluster, REMOTE, "a pod elsewhere");
	test_relabel(&cluster, LOCAL, "a pod here");
	cluster_release(&cluster);
	return tap_end();
}
