// SPDX-License-Identifier: GPL-2.0-only
/*
 * random [TRIPLES [SEED]]: random clusters through the manifest compiler, its rules
 * through the module's own policy table and through the tool's, compared packet by packet
 * with the naive reading of the documents. TAP.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kpolicy.h"
#include "model.h"

static char said[4096];

static void say(bool error, const char *text, void *arg)
{
	(void)arg;
	if (error)
		snprintf(said, sizeof(said), "%s", text);
}

/* One cluster, compiled. */
struct world {
	struct model model;
	struct manifest *m;
	struct kpolicy *k;
	struct reach_end end[9];
	uint32_t id[9];
	char *text;
	size_t size;
};

static void world_rules(struct world *w)
{
	struct manifest_rule *rules;
	size_t i, j, count;
	struct manifest_pod pod;

	w->k = kpolicy_create();
	for (i = 0; i < manifest_identity_count(w->m); i++) {
		count = manifest_rules(w->m, i, &rules);
		for (j = 0; j < count; j++)
			if (kpolicy_add(w->k, &rules[j]))
				snprintf(said, sizeof(said), "the module refuses a rule of %s",
					 rules[j].origin);
		free(rules);
	}
	kpolicy_commit(w->k);
	for (i = 0; i < manifest_pod_count(w->m); i++) {
		manifest_pod(w->m, i, &pod);
		w->id[i] = pod.id;
		memset(&w->end[i], 0, sizeof(w->end[i]));
		if (!pod.id)
			continue;
		w->end[i].rules = manifest_rules(w->m, pod.group, &rules);
		w->end[i].rule = rules;
	}
}

static bool world_make(struct world *w, uint64_t seed)
{
	FILE *out;

	memset(w, 0, sizeof(*w));
	said[0] = '\0';
	model_make(&w->model, seed);
	out = open_memstream(&w->text, &w->size);
	model_write(&w->model, out);
	fclose(out);
	w->m = manifest_create(say, NULL);
	/* Both ways of "all pods". */
	manifest_set_wide(w->m, seed & 1 ? 1 : 64);
	if (!manifest_load_text(w->m, "random", w->text, w->size) || !manifest_compile(w->m))
		return false;
	world_rules(w);
	return !said[0];
}

static void world_release(struct world *w)
{
	int i;

	for (i = 0; i < 9; i++)
		free((void *)w->end[i].rule);
	if (w->k)
		kpolicy_destroy(w->k);
	manifest_destroy(w->m);
	free(w->text);
}

/* ---- packets ---- */

static const struct { int proto, port; } packets[] = {
	{ 6, 80 }, { 6, 81 }, { 6, 53 }, { 6, 8080 }, { 6, 9000 }, { 17, 80 }, { 17, 53 },
	{ 17, 81 }, { 132, 80 }, { 132, 8080 }, { 1, MICMP + 8 }, { 1, MICMP + 3 }, { 47, 0 },
};

static uint32_t end_id(const struct world *w, const struct mend *end)
{
	switch (end->kind) {
	case MEND_POD:
		return w->id[end->pod];
	case MEND_HOST:
		return 1;
	case MEND_REMOTE:
		return 6;
	default:
		return 2;
	}
}

static unsigned long compare(struct world *w, uint64_t seed, int subject, bool ingress,
			     const struct mend *peer, int packet)
{
	int proto = packets[packet].proto, port = packets[packet].port;
	uint16_t number = port >= MICMP && proto == 1 ? (port - MICMP) << 8 : port;
	uint8_t direction = ingress ? WATTLE_DIRECTION_INGRESS : WATTLE_DIRECTION_EGRESS;
	uint32_t id = end_id(w, peer);
	struct reach_verdict verdict;
	struct wattle_addr addr;
	bool want, enforced, allow;

	wattle_addr_parse(&addr, peer->addr);
	want = naive_passes(&w->model, subject, ingress, peer, proto, port);
	kpolicy_judge(w->k, w->id[subject], direction, id, &addr, proto, number, &enforced,
		      &allow);
	reach_judge(&w->end[subject], direction, id, &addr, proto, number, &verdict);
	if (want == allow && want == verdict.allow)
		return 1;
	printf("# seed %llu: %s of %s/%s, peer %s (identity %u), protocol %d port %d:\n"
	       "# documents %s, module %s, tool %s%s%s\n", (unsigned long long)seed,
	       ingress ? "ingress" : "egress", mspaces[w->model.pod[subject].ns],
	       w->model.pod[subject].name, peer->addr, id, proto, port,
	       want ? "allow" : "deny", allow ? "allow" : "deny",
	       verdict.allow ? "allow" : "deny", verdict.rule ? " by " : "",
	       verdict.rule ? verdict.rule->origin : "");
	return 0;
}

static const struct mend outside[] = {
	{ MEND_WORLD, 0, "203.0.113.9" }, { MEND_WORLD, 0, "203.0.113.200" },
	{ MEND_WORLD, 0, "198.51.100.7" }, { MEND_WORLD, 0, "2001:db8::1" },
	{ MEND_WORLD, 0, "10.99.0.1" }, { MEND_REMOTE, 0, "192.0.2.2" },
	{ MEND_HOST, 0, "192.0.2.1" },
};

static const struct mend *peer_at(const struct world *w, int i, struct mend *end)
{
	const struct mpod *pod;

	if (i >= 18)
		return &outside[i - 18];
	pod = &w->model.pod[i / 2];
	if (pod->host || pod->done)
		return NULL;
	*end = (struct mend){ MEND_POD, i / 2, i % 2 ? pod->ip6 : pod->ip4 };
	return end;
}

/* All packets of one cluster; 0: a difference, which is told. */
static unsigned long check(struct world *w, uint64_t seed)
{
	const int peers = 18 + sizeof(outside) / sizeof(outside[0]);
	const int kinds = sizeof(packets) / sizeof(packets[0]);
	unsigned long count = 0;
	const struct mend *peer;
	struct mend end;
	int s, p, k, d;

	for (s = 0; s < w->model.pods; s++) {
		for (p = 0; w->id[s] && p < peers; p++) {
			peer = peer_at(w, p, &end);
			if (!peer || (peer->kind == MEND_POD && peer->pod == s))
				continue;
			for (d = 0; d < 2; d++) {
				/* The host always reaches its own: decide() sees to it. */
				if (d && peer->kind == MEND_HOST)
					continue;
				for (k = 0; k < kinds; k++, count++)
					if (!compare(w, seed, s, d, peer, k))
						return 0;
			}
		}
	}
	return count ? count : 1;
}

int main(int argc, char **argv)
{
	unsigned long want = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000, done = 0, got;
	uint64_t seed = 0, first;
	struct world w;
	bool fine = true;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	else if (getrandom(&seed, 6, 0) != 6)
		seed = 1;
	first = seed;
	while (fine && done < want) {
		fine = world_make(&w, seed);
		if (!fine)
			printf("# seed %llu: %s\n", (unsigned long long)seed, said);
		got = fine ? check(&w, seed) : 0;
		fine = fine && got;
		if (!fine && getenv("SHOW"))
			fputs(w.text, stderr);
		done += got;
		world_release(&w);
		seed++;
	}
	printf("%s 1 - %lu random packets, from seed %llu on, as the documents have it\n1..1\n",
	       fine ? "ok" : "not ok", done, (unsigned long long)first);
	return !fine;
}
