// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy as the documents have it, sentence by sentence, for one pod and one packet.
 * Slow and simple; knows nothing of identities or of how the kernel does it.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static const char *value_of(const struct mlabels *labels, const char *key)
{
	int i;

	for (i = 0; i < labels->count; i++)
		if (!strcmp(labels->at[i].key, key))
			return labels->at[i].value;
	return NULL;
}

/* "The requirements are ANDed; NotIn matches an object without the key." */
static bool selects(const struct mselector *sel, const struct mlabels *labels)
{
	int i, j;

	for (i = 0; i < sel->count; i++) {
		const struct mreq *req = &sel->req[i];
		const char *value = value_of(labels, req->key);
		bool in = false;

		for (j = 0; j < req->count; j++)
			in |= value && !strcmp(value, req->value[j]);
		if ((req->op == MIN && !in) || (req->op == MNOT_IN && in) ||
		    (req->op == MEXISTS && !value) || (req->op == MNOT_EXISTS && value))
			return false;
	}
	return true;
}

static bool in_cidr(const char *cidr, const char *addr)
{
	unsigned char net[16], bytes[16];
	char text[64], *slash;
	int family = strchr(cidr, ':') ? AF_INET6 : AF_INET, i, len;

	strcpy(text, cidr);
	slash = strchr(text, '/');
	*slash = '\0';
	len = atoi(slash + 1);
	if (inet_pton(family, text, net) != 1 || inet_pton(family, addr, bytes) != 1)
		return false;
	for (i = 0; i < len; i++)
		if ((net[i / 8] ^ bytes[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* ---- peers ---- */

static bool entity_is(const char *entity, const struct mend *peer)
{
	bool v6 = strchr(peer->addr, ':');

	if (!strcmp(entity, "all"))
		return true;
	if (!strcmp(entity, "cluster"))
		return peer->kind != MEND_WORLD;
	if (!strcmp(entity, "host"))
		return peer->kind == MEND_HOST;
	if (!strcmp(entity, "remote-node"))
		return peer->kind == MEND_REMOTE;
	if (peer->kind != MEND_WORLD)
		return false;
	return !strcmp(entity, "world") || !strcmp(entity, v6 ? "world-ipv6" : "world-ipv4");
}

static bool peer_is(const struct model *m, const struct mpolicy *policy,
		    const struct mpeer *mine, const struct mend *peer)
{
	const struct mpod *pod = peer->kind == MEND_POD ? &m->pod[peer->pod] : NULL;
	bool v1 = policy->kind == MNETPOL;

	switch (mine->kind) {
	case MCIDR:
		/* "CIDR rules of Cilium's kinds only what is outside the cluster" */
		return in_cidr(mine->cidr, peer->addr) &&
		       !(mine->except && in_cidr(mine->except, peer->addr)) &&
		       (v1 || peer->kind == MEND_WORLD);
	case MENTITY:
		return entity_is(mine->entity, peer);
	case MSERVICE:
		return pod && pod->ns == mine->service &&
		       value_of(&pod->labels, "pod") && !strcmp(value_of(&pod->labels, "pod"), "a");
	case MPODS:
		break;
	}
	if (!pod)
		return false;
	if (mine->has_spaces) {
		if (!selects(&mine->spaces, &m->ns[pod->ns]))
			return false;
	} else if (mine->space >= 0) {
		if (pod->ns != mine->space)
			return false;
	} else if (policy->kind != MCCNP && pod->ns != policy->ns) {
		return false;
	}
	return !mine->has_pods || selects(&mine->pods, &pod->labels);
}

/* ---- ports: of the receiver ---- */

static bool port_is(const struct mport *mine, const struct mpod *receiver, int proto, int port)
{
	int number;

	if (port >= MICMP && proto == 1)
		return false;
	if (mine->proto && mine->proto != proto)
		return false;
	if (!mine->proto && proto != 6 && proto != 17 && proto != 132)
		return false;
	if (mine->name) {
		if (!receiver)
			return false;
		/* The container's port has a protocol as well. */
		if (!strcmp(mine->name, "web"))
			number = proto == 6 ? receiver->web : 0;
		else
			number = proto == 17 ? receiver->dns : 0;
		return number && number == port;
	}
	return !mine->min || (mine->min <= port && port <= mine->max);
}

static bool ports_are(const struct mrule *rule, const struct mpod *receiver, int proto, int port)
{
	int i;

	if (rule->icmp >= 0)
		return proto == 1 && port == MICMP + rule->icmp;
	if (!rule->has_ports)
		return true;	/* "every protocol" */
	for (i = 0; i < rule->ports; i++)
		if (port_is(&rule->port[i], receiver, proto, port))
			return true;
	return false;
}

static bool rule_is(const struct model *m, const struct mpolicy *policy, int subject,
		    const struct mrule *rule, const struct mend *peer, int proto, int port)
{
	const struct mpod *receiver = rule->ingress ? &m->pod[subject] :
				      peer->kind == MEND_POD ? &m->pod[peer->pod] : NULL;
	bool v1 = policy->kind == MNETPOL, fits = false;
	int i;

	/* An empty rule of Cilium's allows, and denies, nobody. */
	if (!v1 && !rule->has_peers && !rule->has_ports && rule->icmp < 0)
		return false;
	if (!ports_are(rule, receiver, proto, port))
		return false;
	/* v1: "empty or missing matches all"; Cilium: an empty list selects nothing. */
	if (!rule->has_peers || (v1 && !rule->peers))
		return true;
	for (i = 0; i < rule->peers; i++)
		fits |= peer_is(m, policy, &rule->peer[i], peer);
	return fits;
}

/* ---- policies ---- */

static bool is_subject(const struct model *m, const struct mpolicy *policy, int subject)
{
	const struct mpod *pod = &m->pod[subject];

	return (policy->kind == MCCNP || pod->ns == policy->ns) &&
	       selects(&policy->subject, &pod->labels);
}

static bool has_rules(const struct mpolicy *policy, bool ingress)
{
	int i;

	for (i = 0; i < policy->rules; i++)
		if (policy->rule[i].ingress == ingress)
			return true;
	return false;
}

static bool isolates(const struct mpolicy *policy, bool ingress)
{
	int said = ingress ? policy->deny_in : policy->deny_out;

	if (policy->kind != MNETPOL)
		return said >= 0 ? said : has_rules(policy, ingress);
	if (policy->has_types)
		return ingress ? policy->type_in : policy->type_out;
	return ingress || has_rules(policy, false);
}

bool naive_passes(const struct model *m, int subject, bool ingress, const struct mend *peer,
		  int proto, int port)
{
	bool isolated = false, allowed = false, denied = false;
	int i, j;

	for (i = 0; i < m->policies; i++) {
		const struct mpolicy *policy = &m->policy[i];
		bool closes = isolates(policy, ingress);

		if (!is_subject(m, policy, subject))
			continue;
		isolated |= closes;
		/* "a section whose direction policyTypes does not name is ignored" */
		if (policy->kind == MNETPOL && !closes)
			continue;
		for (j = 0; j < policy->rules; j++) {
			const struct mrule *rule = &policy->rule[j];

			if (rule->ingress != ingress ||
			    !rule_is(m, policy, subject, rule, peer, proto, port))
				continue;
			if (rule->deny)
				denied = true;
			else
				allowed = true;
		}
	}
	return !denied && (allowed || !isolated);
}
