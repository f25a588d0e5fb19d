/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small cluster and its policies, as random chance made them: written as manifests
 * for the compiler, and evaluated by naive.c straight from what the documents of
 * Kubernetes and Cilium say. The two share this description and nothing else.
 */
#ifndef TESTS_POLICY_MODEL_H
#define TESTS_POLICY_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LISTS		4

struct mlabel { const char *key, *value; };
struct mlabels { int count; struct mlabel at[6]; };

enum mop { MIN, MNOT_IN, MEXISTS, MNOT_EXISTS };

struct mreq { enum mop op; const char *key; int count; const char *value[3]; };
struct mselector { int count; struct mreq req[3]; };

struct mpod {
	char name[32];
	int ns, node;
	struct mlabels labels;
	const char *account;
	char ip4[32], ip6[40];
	int web, dns;			/* numbers of the named ports; 0: none */
	bool host, done;
};

struct mport {
	int proto;			/* 0: any protocol that has ports */
	int min, max;			/* 0: all of them */
	const char *name;
};

enum mpeer_kind { MPODS, MCIDR, MENTITY, MSERVICE };

/* @pods, @spaces: selectors, where they are there; in Cilium's kinds @space is a namespace. */
struct mpeer {
	enum mpeer_kind kind;
	bool has_pods, has_spaces;
	struct mselector pods, spaces;
	int space;			/* -1: none */
	const char *cidr, *except;
	bool by_group;			/* through a CiliumCIDRGroup */
	const char *entity;
	int service;			/* of namespace N: its pods "a" */
};

struct mrule {
	bool ingress, deny;
	bool has_peers, has_ports;
	int peers, ports;
	struct mpeer peer[LISTS];
	struct mport port[LISTS];
	int icmp;			/* type, or -1 */
};

enum mkind { MNETPOL, MCNP, MCCNP };

struct mpolicy {
	enum mkind kind;
	int ns;
	struct mselector subject;
	bool has_types, type_in, type_out;
	int deny_in, deny_out;		/* enableDefaultDeny; -1: not said */
	bool list_in, list_out;		/* the section is there, be it empty */
	int rules;
	struct mrule rule[6];
};

struct model {
	struct mlabels ns[3];
	int pods, policies;
	struct mpod pod[9];
	struct mpolicy policy[8];
};

extern const char *const mspaces[3];
extern const char *const mnode_ip[2];

void model_make(struct model *m, uint64_t seed);
void model_write(const struct model *m, FILE *out);

/* The other side of a conversation. */
enum mend_kind { MEND_POD, MEND_HOST, MEND_REMOTE, MEND_WORLD };
struct mend { enum mend_kind kind; int pod; const char *addr; };

#define MICMP	1000			/* port: MICMP + type */

bool naive_passes(const struct model *m, int subject, bool ingress, const struct mend *peer,
		  int proto, int port);

#endif /* TESTS_POLICY_MODEL_H */
