// SPDX-License-Identifier: GPL-2.0-only
/* Notes: names of pods and labels of identities, kept as rules of nobody. */
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

#define NOTE_MAX	255	/* of an origin */

/* A piece of the labels of an identity. */
struct piece {
	uint32_t id;
	uint16_t number;
	char *text;
};

struct notes {
	struct note_pod *pod;
	size_t pods;
	struct piece *piece;	/* after notes_sort(): one for each identity, whole */
	size_t pieces;
	struct wattle_error err;	/* why they could not be read; no code: they were */
};

static void *note_grow(void *array, size_t count, size_t size)
{
	if (count % 64)
		return array;
	array = realloc(array, (count + 64) * size);
	if (array)
		return array;
	report(NULL, NULL, "out of memory");
	exit(EXIT_REFUSED);
}

struct notes *notes_create(void)
{
	struct notes *notes = calloc(1, sizeof(*notes));

	if (notes)
		return notes;
	report(NULL, NULL, "out of memory");
	exit(EXIT_REFUSED);
}

void notes_release(struct notes *notes)
{
	size_t i;

	if (!notes)
		return;
	for (i = 0; i < notes->pods; i++)
		free((char *)notes->pod[i].name);
	for (i = 0; i < notes->pieces; i++)
		free(notes->piece[i].text);
	free(notes->pod);
	free(notes->piece);
	free(notes);
}

/* ---- out of rules ---- */

/* "NAMESPACE/NAME ADDR ADDR..." */
static void notes_add_pod(struct notes *notes, uint32_t id, bool local, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word = strsep(&rest, " ");
	struct note_pod *pod;

	if (!word)
		return;
	notes->pod = note_grow(notes->pod, notes->pods, sizeof(*notes->pod));
	pod = &notes->pod[notes->pods++];
	memset(pod, 0, sizeof(*pod));
	pod->name = strdup(word);
	pod->id = id;
	pod->local = local;
	while ((word = strsep(&rest, " ")) && pod->ip_count < ARRAY_SIZE(pod->ip))
		if (!wattle_addr_parse(&pod->ip[pod->ip_count], word))
			pod->ip_count++;
	free(copy);
}

void notes_add(struct notes *notes, uint32_t peer_id, uint8_t direction, uint16_t priority,
	       const char *text)
{
	struct piece *piece;

	if (direction == WATTLE_DIRECTION_EGRESS) {
		notes_add_pod(notes, peer_id, !priority, text);
		return;
	}
	notes->piece = note_grow(notes->piece, notes->pieces, sizeof(*notes->piece));
	piece = &notes->piece[notes->pieces++];
	piece->id = peer_id;
	piece->number = priority;
	piece->text = strdup(text);
}

static int compare_pods(const void *a, const void *b)
{
	return strcmp(((const struct note_pod *)a)->name, ((const struct note_pod *)b)->name);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->number - y->number;
}

static void join(struct piece *to, struct piece *from)
{
	char *text = NULL;

	if (asprintf(&text, "%s%s", to->text, from->text) < 0)
		return;
	free(to->text);
	free(from->text);
	to->text = text;
}

void notes_sort(struct notes *notes)
{
	size_t i, kept = 0;

	if (notes->pods)
		qsort(notes->pod, notes->pods, sizeof(*notes->pod), compare_pods);
	if (notes->pieces)
		qsort(notes->piece, notes->pieces, sizeof(*notes->piece), compare_pieces);
	for (i = 0; i < notes->pieces; i++) {
		if (kept && notes->piece[kept - 1].id == notes->piece[i].id)
			join(&notes->piece[kept - 1], &notes->piece[i]);
		else
			notes->piece[kept++] = notes->piece[i];
	}
	notes->pieces = kept;
}

static int note_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct wattle_rule rule;

	if (!wattle_rule_parse(nlh, &rule) && is_note(rule.id))
		notes_add(arg, rule.peer_id, rule.direction, rule.priority, rule.origin);
	return 0;
}

struct notes *notes_load(void)
{
	struct notes *notes = notes_create();
	struct wattle_sock *sock;
	struct nl_msg *msg;

	/* Only names are lost where there is nobody to ask. */
	if (wattle_open(&sock, &notes->err))
		return notes;
	/* Whoever asks may have begun another message in scratch(). */
	msg = wattle_msg_alloc();
	if (!msg) {
		report(NULL, NULL, "out of memory");
		exit(EXIT_REFUSED);
	}
	wattle_rule_ask(msg, NOTE_ID);
	/* What it took to get an answer does not matter. */
	if (wattle_dump(sock, msg, note_reply, notes, &notes->err) >= 0)
		notes->err.code = 0;
	nlmsg_free(msg);
	wattle_close(sock);
	notes_sort(notes);
	return notes;
}

static struct notes *notes_kept;

const struct notes *notes_known(void)
{
	if (!notes_kept)
		notes_kept = notes_load();
	return notes_kept;
}

void notes_forget(void)
{
	notes_release(notes_kept);
	notes_kept = NULL;
}

/* ---- asked ---- */

const struct note_pod *notes_pod(const struct notes *notes, const char *name)
{
	const struct note_pod want = { .name = name };

	return notes->pods ? bsearch(&want, notes->pod, notes->pods, sizeof(want),
				     compare_pods) : NULL;
}

const struct note_pod *notes_addr(const struct notes *notes, const struct wattle_addr *addr)
{
	unsigned int j;
	size_t i;

	for (i = 0; i < notes->pods; i++)
		for (j = 0; j < notes->pod[i].ip_count; j++)
			if (wattle_addr_equal(&notes->pod[i].ip[j], addr))
				return &notes->pod[i];
	return NULL;
}

const char *notes_labels(const struct notes *notes, uint32_t id)
{
	const struct piece want = { .id = id };
	size_t low = 0, high = notes->pieces;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (notes->piece[mid].id == want.id)
			return notes->piece[mid].text;
		if (notes->piece[mid].id < want.id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct wattle_error *notes_unread(const struct notes *notes)
{
	return notes->err.code ? &notes->err : NULL;
}

bool notes_told(const struct notes *notes)
{
	return notes->pods || notes->pieces;
}

size_t notes_count(const struct notes *notes)
{
	return notes->pods;
}

const struct note_pod *notes_at(const struct notes *notes, size_t i)
{
	return &notes->pod[i];
}

/* ---- into rules ---- */

static struct manifest_rule *note_rule(struct manifest_rule **rules, size_t *count, size_t *room,
				       uint32_t id, uint8_t direction, const char *text)
{
	struct manifest_rule *rule;

	if (*count == *room) {
		size_t bigger = *room ? *room * 2 : 256;
		void *at = realloc(*rules, bigger * sizeof(**rules));

		if (!at)
			return NULL;
		*rules = at;
		*room = bigger;
	}
	rule = &(*rules)[(*count)++];
	*rule = (struct manifest_rule){
		.subject = NOTE_ID, .direction = direction, .action = WATTLE_ACTION_DENY,
		.peer_kind = WATTLE_PEER_KIND_IDENTITY, .peer_id = id, .any_proto = true,
		.port_max = UINT16_MAX, .origin = text,
	};
	return rule;
}

static bool labels_make(struct manifest *m, const struct manifest_identity *identity,
			struct manifest_rule **rules, size_t *count, size_t *room)
{
	const char *at = identity->labels;
	struct manifest_rule *rule;
	char text[NOTE_MAX + 1];
	uint16_t number = 0;

	for (; *at; at += strlen(text)) {
		/* The kernel drops nothing of it, blanks at an end included. */
		snprintf(text, sizeof(text), "%s", at);
		rule = note_rule(rules, count, room, identity->id, WATTLE_DIRECTION_INGRESS,
				 manifest_text(m, text));
		if (!rule)
			return false;
		rule->priority = number++;
	}
	return true;
}

static const char *pod_text(struct manifest *m, const struct manifest_pod *pod)
{
	char text[NOTE_MAX + 1], addr[WATTLE_ADDR_STRLEN];
	unsigned int i;
	size_t len;

	len = snprintf(text, sizeof(text), "%s", pod->name);
	for (i = 0; i < pod->ip_count && len + WATTLE_ADDR_STRLEN < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, " %s",
				wattle_addr_text(addr, &pod->ip[i]));
	return manifest_text(m, text);
}

/* A number of the pod's own among those of its identity, that seldom moves: as a port. */
static uint16_t pod_slot(uint8_t *taken, const char *name)
{
	uint32_t hash = 2166136261u;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619;
	hash = hash % UINT16_MAX;
	while (taken[hash])
		hash = (hash + 1) % UINT16_MAX;
	taken[hash] = 1;
	return hash + 1;
}

bool notes_make(struct manifest *m, const char *node, struct manifest_rule **rules,
		size_t *count, size_t *room)
{
	static const struct manifest_identity unknown = {
		.id = NOTE_UNKNOWN_POD, .labels = "reserved:init",
	};
	uint8_t *taken = calloc(1, UINT16_MAX);
	struct manifest_identity identity;
	struct manifest_rule *rule;
	struct manifest_pod pod;
	bool fine = taken;
	size_t i;

	for (i = 0; fine && i < manifest_identity_count(m); i++) {
		manifest_identity(m, i, &identity);
		fine = labels_make(m, &identity, rules, count, room);
	}
	/* Pods that are all of the node's network tell as well that there are manifests. */
	if (fine && !i && manifest_pod_count(m))
		fine = labels_make(m, &unknown, rules, count, room);
	for (i = 0; fine && i < manifest_pod_count(m) && i < UINT16_MAX; i++) {
		manifest_pod(m, i, &pod);
		if (!pod.id)
			continue;
		rule = note_rule(rules, count, room, pod.id, WATTLE_DIRECTION_EGRESS,
				 pod_text(m, &pod));
		fine = rule;
		if (!rule)
			continue;
		rule->priority = !!strcmp(pod.node, node);
		rule->any_proto = false;
		rule->proto = IPPROTO_TCP;
		rule->port_min = rule->port_max = pod_slot(taken, pod.name);
	}
	free(taken);
	return fine;
}
