// SPDX-License-Identifier: GPL-2.0-only
/* Random clusters, and how they are written. */
#include <string.h>

#include "model.h"

const char *const mspaces[3] = { "x", "y", "z" };
const char *const mnode_ip[2] = { "192.0.2.1", "192.0.2.2" };

static uint64_t state;

static uint32_t any(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static bool chance(int percent)
{
	return any(100) < (uint32_t)percent;
}

/* ---- made ---- */

static void add_label(struct mlabels *labels, const char *key, const char *value)
{
	labels->at[labels->count++] = (struct mlabel){ key, value };
}

static const char *const tiers[] = { "web", "db", "cache" };
static const char *const letters[] = { "a", "b", "c" };

static void make_selector(struct mselector *sel, bool spaces)
{
	static const char *const pod_keys[] = { "pod", "tier", "pod-template-hash" };
	static const char *const ns_keys[] = { "ns", "team", "kubernetes.io/metadata.name" };
	int i, j;

	memset(sel, 0, sizeof(*sel));
	sel->count = chance(25) ? 0 : chance(70) ? 1 : 2;
	for (i = 0; i < sel->count; i++) {
		struct mreq *req = &sel->req[i];
		int key = any(20) < 18 ? any(2) : 2;

		req->op = chance(60) ? MIN : any(4);
		req->key = spaces ? ns_keys[key] : pod_keys[key];
		if (req->op == MEXISTS || req->op == MNOT_EXISTS)
			continue;
		req->count = 1 + any(2);
		for (j = 0; j < req->count; j++)
			req->value[j] = spaces ? (key == 1 ? tiers : mspaces)[any(3)] :
					(key == 1 ? tiers : letters)[any(3)];
	}
	/* One key twice in matchLabels cannot be written. */
	if (sel->count == 2 && !strcmp(sel->req[0].key, sel->req[1].key))
		sel->count = 1;
}

static void make_pod(struct mpod *pod, int i)
{
	memset(pod, 0, sizeof(*pod));
	pod->ns = i / 3;
	pod->node = any(2);
	snprintf(pod->name, sizeof(pod->name), "%s", letters[i % 3]);
	add_label(&pod->labels, "pod", letters[chance(90) ? i % 3 : (int)any(3)]);
	if (chance(60))
		add_label(&pod->labels, "tier", tiers[any(3)]);
	if (chance(30))
		add_label(&pod->labels, "pod-template-hash", letters[any(3)]);
	pod->account = chance(80) ? "default" : "robot";
	snprintf(pod->ip4, sizeof(pod->ip4), "10.%d.%d.%d", pod->node + 1, pod->ns, i % 3 + 1);
	snprintf(pod->ip6, sizeof(pod->ip6), "fd00:%d::%d:%d", pod->node + 1, pod->ns, i % 3 + 1);
	pod->web = chance(80) ? 80 : chance(50) ? 81 : 0;
	pod->dns = chance(50) ? 53 : 0;
	pod->host = chance(4);
	pod->done = !pod->host && chance(4);
}

static void make_port(struct mport *port, bool cilium)
{
	static const int protos[] = { 6, 17, 132 }, numbers[] = { 80, 81, 53, 8080 };

	memset(port, 0, sizeof(*port));
	port->proto = cilium && chance(30) ? 0 : protos[chance(60) ? 0 : any(3)];
	if (chance(15))
		return;
	if (chance(25)) {
		port->name = chance(70) ? "web" : "dns";
		return;
	}
	port->min = port->max = numbers[any(4)];
	if (chance(25))
		port->max = port->min + any(2000);
}

static void make_cidr(struct mpeer *peer)
{
	static const char *const cidrs[][2] = {
		{ "0.0.0.0/0", "10.0.0.0/8" }, { "10.0.0.0/8", "10.1.0.0/16" },
		{ "10.1.0.0/16", "10.1.1.0/24" }, { "192.0.2.0/24", "192.0.2.2/32" },
		{ "203.0.113.0/24", "203.0.113.128/25" }, { "10.2.1.0/24", "10.2.1.2/32" },
		{ "::/0", "fd00::/16" }, { "fd00:1::/32", "fd00:1::1:0/112" },
		{ "198.51.100.7/32", NULL }, { "10.1.0.1/32", NULL },
	};
	int i = any(10);

	peer->kind = MCIDR;
	peer->cidr = cidrs[i][0];
	peer->except = chance(50) ? cidrs[i][1] : NULL;
}

static void make_peer(struct mpeer *peer, enum mkind kind, int family, bool ingress)
{
	static const char *const entities[] = {
		"all", "world", "cluster", "host", "remote-node", "world-ipv4", "world-ipv6",
		"none", "init", "health",
	};

	memset(peer, 0, sizeof(*peer));
	peer->space = -1;
	if (kind == MNETPOL) {
		if (chance(20)) {
			make_cidr(peer);
			return;
		}
		peer->has_pods = chance(65);
		peer->has_spaces = !peer->has_pods || chance(40);
		make_selector(&peer->pods, false);
		make_selector(&peer->spaces, true);
		return;
	}
	switch (family) {
	case 0:
		peer->has_pods = true;
		make_selector(&peer->pods, false);
		if (chance(30)) {
			peer->has_spaces = true;
			make_selector(&peer->spaces, true);
			if (!peer->spaces.count)
				peer->has_spaces = false;
		} else if (chance(40)) {
			peer->space = any(3);
		}
		break;
	case 1:
		make_cidr(peer);
		peer->by_group = chance(30);
		break;
	case 2:
		peer->kind = MENTITY;
		peer->entity = entities[any(10)];
		break;
	default:
		if (ingress) {
			make_peer(peer, kind, 0, ingress);
			return;
		}
		peer->kind = MSERVICE;
		peer->service = any(3);
	}
}

static void make_rule(struct mrule *rule, enum mkind kind)
{
	int i, family = chance(60) ? 0 : any(4);

	memset(rule, 0, sizeof(*rule));
	rule->ingress = chance(55);
	rule->deny = kind != MNETPOL && chance(25);
	rule->icmp = -1;
	rule->has_peers = chance(85);
	rule->peers = rule->has_peers ? chance(93) ? 1 + any(2) : 0 : 0;
	/* An empty list of peers: only of endpoints. */
	for (i = 0; i < rule->peers; i++)
		make_peer(&rule->peer[i], kind, family, rule->ingress);
	rule->has_ports = chance(65);
	rule->ports = rule->has_ports ? 1 + any(3) : 0;
	for (i = 0; i < rule->ports; i++)
		make_port(&rule->port[i], kind != MNETPOL);
	if (kind != MNETPOL && !rule->has_ports && chance(15))
		rule->icmp = chance(50) ? 8 : 3;
}

static void make_policy(struct mpolicy *policy)
{
	int i;

	memset(policy, 0, sizeof(*policy));
	policy->kind = chance(60) ? MNETPOL : chance(70) ? MCNP : MCCNP;
	policy->ns = any(3);
	make_selector(&policy->subject, false);
	policy->has_types = chance(60);
	policy->type_in = chance(70);
	policy->type_out = !policy->type_in || chance(40);
	policy->deny_in = chance(80) ? -1 : (int)any(2);
	policy->deny_out = chance(80) ? -1 : (int)any(2);
	policy->rules = any(4);
	for (i = 0; i < policy->rules; i++)
		make_rule(&policy->rule[i], policy->kind);
	policy->list_in = chance(50);
	policy->list_out = chance(50);
}

void model_make(struct model *m, uint64_t seed)
{
	int i;

	memset(m, 0, sizeof(*m));
	state = seed * 0x9e3779b97f4a7c15 + 1;
	for (i = 0; i < 8; i++)
		any(2);
	for (i = 0; i < 3; i++) {
		add_label(&m->ns[i], "ns", mspaces[i]);
		if (chance(70))
			add_label(&m->ns[i], "team", tiers[any(3)]);
		add_label(&m->ns[i], "kubernetes.io/metadata.name", mspaces[i]);
	}
	m->pods = 9;
	for (i = 0; i < m->pods; i++)
		make_pod(&m->pod[i], i);
	/* Names of ports have to be somebody's. */
	m->pod[0].host = m->pod[0].done = false;
	m->pod[0].web = 80;
	m->pod[0].dns = 53;
	m->policies = any(7);
	for (i = 0; i < m->policies; i++)
		make_policy(&m->policy[i]);
}

/* ---- written: JSON, which is YAML too ---- */

static void write_labels(FILE *out, const struct mlabels *labels)
{
	int i;

	fputc('{', out);
	for (i = 0; i < labels->count; i++)
		fprintf(out, "%s\"%s\": \"%s\"", i ? ", " : "", labels->at[i].key,
			labels->at[i].value);
	fputc('}', out);
}

/* Requirements into one of the two lists of a selector. */
static int write_reqs(FILE *out, const struct mselector *sel, const char *prefix, bool labels,
		      int written)
{
	static const char *const ops[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	int i, j;

	for (i = 0; i < sel->count; i++) {
		const struct mreq *req = &sel->req[i];

		if (labels != (req->op == MIN && req->count == 1))
			continue;
		if (written++)
			fputs(", ", out);
		if (labels) {
			fprintf(out, "\"%s%s\": \"%s\"", prefix, req->key, req->value[0]);
			continue;
		}
		fprintf(out, "{\"key\": \"%s%s\", \"operator\": \"%s\"", prefix, req->key,
			ops[req->op]);
		for (j = 0; j < req->count; j++)
			fprintf(out, "%s\"%s\"", j ? ", " : ", \"values\": [", req->value[j]);
		fputs(req->count ? "]}" : "}", out);
	}
	return written;
}

static void write_selector(FILE *out, const struct mselector *sel)
{
	fputs("{\"matchLabels\": {", out);
	write_reqs(out, sel, "", true, 0);
	fputs("}, \"matchExpressions\": [", out);
	write_reqs(out, sel, "", false, 0);
	fputs("]}", out);
}

static void write_cilium_selector(FILE *out, const struct mpeer *peer)
{
	static const char ns[] = "k8s:io.cilium.k8s.namespace.labels.";
	int written;

	fputs("{\"matchLabels\": {", out);
	written = write_reqs(out, &peer->pods, peer->pods.count > 1 ? "k8s:" : "", true, 0);
	if (peer->has_spaces)
		written = write_reqs(out, &peer->spaces, ns, true, written);
	if (peer->space >= 0)
		fprintf(out, "%s\"k8s:io.kubernetes.pod.namespace\": \"%s\"", written ? ", " : "",
			mspaces[peer->space]);
	fputs("}, \"matchExpressions\": [", out);
	written = write_reqs(out, &peer->pods, peer->pods.count > 1 ? "any:" : "", false, 0);
	if (peer->has_spaces)
		write_reqs(out, &peer->spaces, ns, false, written);
	fputs("]}", out);
}

static void write_peer(FILE *out, const struct mpeer *peer)
{
	if (peer->kind == MCIDR) {
		fprintf(out, "{\"ipBlock\": {\"cidr\": \"%s\"", peer->cidr);
		if (peer->except)
			fprintf(out, ", \"except\": [\"%s\"]", peer->except);
		fputs("}}", out);
		return;
	}
	fputc('{', out);
	if (peer->has_pods) {
		fputs("\"podSelector\": ", out);
		write_selector(out, &peer->pods);
	}
	if (peer->has_spaces) {
		fputs(peer->has_pods ? ", \"namespaceSelector\": " : "\"namespaceSelector\": ", out);
		write_selector(out, &peer->spaces);
	}
	fputc('}', out);
}

static const char *proto_name(int proto)
{
	return proto == 6 ? "TCP" : proto == 17 ? "UDP" : proto == 132 ? "SCTP" : "ANY";
}

static void write_port(FILE *out, const struct mport *port, bool cilium)
{
	const char *quote = cilium || port->name ? "\"" : "";

	fprintf(out, "{\"protocol\": \"%s\"", proto_name(port->proto));
	if (port->name)
		fprintf(out, ", \"port\": \"%s\"", port->name);
	else if (port->min || cilium)
		fprintf(out, ", \"port\": %s%d%s", quote, port->min, quote);
	if (port->max > port->min)
		fprintf(out, ", \"endPort\": %d", port->max);
	fputc('}', out);
}

static void write_rule(FILE *out, const struct mrule *rule)
{
	int i;

	fputc('{', out);
	if (rule->has_peers) {
		fprintf(out, "\"%s\": [", rule->ingress ? "from" : "to");
		for (i = 0; i < rule->peers; i++) {
			fputs(i ? ", " : "", out);
			write_peer(out, &rule->peer[i]);
		}
		fputc(']', out);
	}
	if (rule->has_ports) {
		fprintf(out, "%s\"ports\": [", rule->has_peers ? ", " : "");
		for (i = 0; i < rule->ports; i++) {
			fputs(i ? ", " : "", out);
			write_port(out, &rule->port[i], false);
		}
		fputc(']', out);
	}
	fputc('}', out);
}

static void write_cilium_peer(FILE *out, const struct mpeer *peer)
{
	char group[64], *c;

	switch (peer->kind) {
	case MPODS:
		write_cilium_selector(out, peer);
		break;
	case MENTITY:
		fprintf(out, "\"%s\"", peer->entity);
		break;
	case MSERVICE:
		fprintf(out, "{\"k8sService\": {\"serviceName\": \"svc\", \"namespace\": \"%s\"}}",
			mspaces[peer->service]);
		break;
	case MCIDR:
		snprintf(group, sizeof(group), "g-%s", peer->cidr);
		for (c = group; *c; c++)
			*c = *c == '/' || *c == ':' ? '-' : *c;
		if (peer->by_group)
			fprintf(out, "{\"cidrGroupRef\": \"%s\"", group);
		else
			fprintf(out, "{\"cidr\": \"%s\"", peer->cidr);
		if (peer->except)
			fprintf(out, ", \"except\": [\"%s\"]", peer->except);
		fputc('}', out);
	}
}

static void write_cilium_rule(FILE *out, const struct mrule *rule)
{
	static const char *const lists[] = { "Endpoints", "CIDRSet", "Entities", "Services" };
	enum mpeer_kind kind = rule->peers ? rule->peer[0].kind : MPODS;
	int i, written = 0;

	fputc('{', out);
	if (rule->has_peers) {
		fprintf(out, "\"%s%s\": [", rule->ingress ? "from" : "to", lists[kind]);
		for (i = 0; i < rule->peers; i++) {
			fputs(i ? ", " : "", out);
			write_cilium_peer(out, &rule->peer[i]);
		}
		fputc(']', out);
		written++;
	}
	if (rule->has_ports) {
		fprintf(out, "%s\"toPorts\": [{\"ports\": [", written++ ? ", " : "");
		for (i = 0; i < rule->ports; i++) {
			fputs(i ? ", " : "", out);
			write_port(out, &rule->port[i], true);
		}
		fputs("]}]", out);
	}
	if (rule->icmp >= 0)
		fprintf(out, "%s\"icmps\": [{\"fields\": [{\"type\": %d, \"family\": \"IPv4\"}]}]",
			written ? ", " : "", rule->icmp);
	fputc('}', out);
}

static void write_section(FILE *out, const struct mpolicy *policy, const char *name,
			  bool ingress, bool deny, bool there)
{
	int i, written = 0;

	for (i = 0; i < policy->rules; i++)
		there |= policy->rule[i].ingress == ingress && policy->rule[i].deny == deny;
	if (!there)
		return;
	fprintf(out, ", \"%s\": [", name);
	for (i = 0; i < policy->rules; i++) {
		if (policy->rule[i].ingress != ingress || policy->rule[i].deny != deny)
			continue;
		fputs(written++ ? ", " : "", out);
		if (policy->kind == MNETPOL)
			write_rule(out, &policy->rule[i]);
		else
			write_cilium_rule(out, &policy->rule[i]);
	}
	fputc(']', out);
}

static void write_types(FILE *out, const struct mpolicy *policy)
{
	if (!policy->has_types)
		return;
	fprintf(out, ", \"policyTypes\": [%s%s%s]", policy->type_in ? "\"Ingress\"" : "",
		policy->type_in && policy->type_out ? ", " : "",
		policy->type_out ? "\"Egress\"" : "");
}

static void write_policy(FILE *out, const struct mpolicy *policy, int number)
{
	static const char *const kinds[] = {
		"NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"
	};
	bool v1 = policy->kind == MNETPOL;

	fprintf(out, "{\"apiVersion\": \"%s\", \"kind\": \"%s\", \"metadata\": {\"name\": \"p%d\"",
		v1 ? "networking.k8s.io/v1" : "cilium.io/v2", kinds[policy->kind], number);
	if (policy->kind != MCCNP)
		fprintf(out, ", \"namespace\": \"%s\"", mspaces[policy->ns]);
	fprintf(out, "}, \"spec\": {\"%s\": ", v1 ? "podSelector" : "endpointSelector");
	write_selector(out, &policy->subject);
	if (v1)
		write_types(out, policy);
	write_section(out, policy, "ingress", true, false, policy->list_in);
	write_section(out, policy, "egress", false, false, policy->list_out);
	write_section(out, policy, "ingressDeny", true, true, false);
	write_section(out, policy, "egressDeny", false, true, false);
	if (!v1 && (policy->deny_in >= 0 || policy->deny_out >= 0)) {
		fputs(", \"enableDefaultDeny\": {", out);
		if (policy->deny_in >= 0)
			fprintf(out, "\"ingress\": %s", policy->deny_in ? "true" : "false");
		if (policy->deny_out >= 0)
			fprintf(out, "%s\"egress\": %s", policy->deny_in >= 0 ? ", " : "",
				policy->deny_out ? "true" : "false");
		fputc('}', out);
	}
	fputs("}}\n", out);
}

static void write_pod(FILE *out, const struct mpod *pod)
{
	fprintf(out, "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\", \"labels\": ",
		pod->name, mspaces[pod->ns]);
	write_labels(out, &pod->labels);
	fprintf(out, "}, \"spec\": {\"nodeName\": \"n%d\", \"serviceAccountName\": \"%s\", \"hostNetwork\": %s, \"containers\": [{\"name\": \"c\", \"ports\": [{\"containerPort\": 9}",
		pod->node + 1, pod->account, pod->host ? "true" : "false");
	if (pod->web)
		fprintf(out, ", {\"name\": \"web\", \"containerPort\": %d}", pod->web);
	if (pod->dns)
		fprintf(out, ", {\"name\": \"dns\", \"containerPort\": %d, \"protocol\": \"UDP\"}",
			pod->dns);
	fprintf(out, "]}]}, \"status\": {\"phase\": \"%s\", \"podIP\": \"%s\", \"podIPs\": [{\"ip\": \"%s\"}, {\"ip\": \"%s\"}]}}\n",
		pod->done ? "Succeeded" : "Running", pod->host ? mnode_ip[pod->node] : pod->ip4,
		pod->host ? mnode_ip[pod->node] : pod->ip4, pod->ip6);
}

static void write_groups(const struct model *m, FILE *out)
{
	static const char *const cidrs[] = {
		"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "203.0.113.0/24",
		"10.2.1.0/24", "::/0", "fd00:1::/32", "198.51.100.7/32", "10.1.0.1/32",
	};
	const char *c;
	unsigned int i;

	(void)m;
	for (i = 0; i < 10; i++) {
		fputs("{\"apiVersion\": \"cilium.io/v2alpha1\", \"kind\": \"CiliumCIDRGroup\", \"metadata\": {\"name\": \"g-", out);
		for (c = cidrs[i]; *c; c++)
			fputc(*c == '/' || *c == ':' ? '-' : *c, out);
		fprintf(out, "\"}, \"spec\": {\"externalCIDRs\": [\"%s\"]}}\n", cidrs[i]);
	}
}

void model_write(const struct model *m, FILE *out)
{
	int i;

	for (i = 0; i < m->policies; i++)
		write_policy(out, &m->policy[i], i);
	for (i = 0; i < m->pods; i++)
		write_pod(out, &m->pod[i]);
	for (i = 0; i < 3; i++) {
		fprintf(out, "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"%s\", \"labels\": ",
			mspaces[i]);
		write_labels(out, &m->ns[i]);
		fputs("}}\n", out);
		fprintf(out, "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"svc\", \"namespace\": \"%s\"}, \"spec\": {\"selector\": {\"pod\": \"a\"}, \"clusterIP\": \"10.96.0.%d\", \"ports\": [{\"port\": 80}]}}\n",
			mspaces[i], i + 1);
	}
	for (i = 0; i < 2; i++)
		fprintf(out, "{\"apiVersion\": \"v1\", \"kind\": \"Node\", \"metadata\": {\"name\": \"n%d\"}, \"spec\": {\"podCIDRs\": [\"10.%d.0.0/16\", \"fd00:%d::/32\"]}, \"status\": {\"addresses\": [{\"type\": \"InternalIP\", \"address\": \"%s\"}]}}\n",
			i + 1, i + 1, i + 1, mnode_ip[i]);
	write_groups(m, out);
}
