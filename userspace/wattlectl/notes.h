/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names: which pod has an address, which labels an identity stands for.
 *
 * They are kept in the kernel, with the tables that they belong to, in rules of an
 * identity that nobody has: so they change with the tables at once, and go with the
 * device. The text is the origin of the rule.
 */
#ifndef WATTLECTL_NOTES_H
#define WATTLECTL_NOTES_H

#include "manifest/manifest.h"
#include "wattlectl.h"

#define NOTE_ID		0xffffffu

/* Of a pod that manifests have not told of yet: "init", as in Cilium. */
#define NOTE_UNKNOWN_POD	5

/* One pod; @ip: as many as fit; @local: it is to be on this node. */
struct note_pod {
	const char *name;
	uint32_t id;
	bool local;
	struct wattle_addr ip[8];
	unsigned int ip_count;
};

struct notes;

/* For "policy show" and the like: is it no rule, but a note? */
static inline bool is_note(uint32_t subject)
{
	return subject == NOTE_ID;
}

/* The notes that the kernel has; never NULL, but empty where there are none or notes_unread(). */
struct notes *notes_load(void);
/* The same, read once and kept until kernel_close(). */
const struct notes *notes_known(void);
void notes_forget(void);
struct notes *notes_create(void);
void notes_add(struct notes *notes, uint32_t peer_id, uint8_t direction, uint16_t priority,
	       const char *text);
void notes_sort(struct notes *notes);
void notes_release(struct notes *notes);
const struct note_pod *notes_pod(const struct notes *notes, const char *name);
const struct note_pod *notes_addr(const struct notes *notes, const struct wattle_addr *addr);
const char *notes_labels(const struct notes *notes, uint32_t id);
/* Why the kernel's could not be read; NULL: they were. */
const struct wattle_error *notes_unread(const struct notes *notes);
/* Have manifests told who the pods are? */
bool notes_told(const struct notes *notes);
size_t notes_count(const struct notes *notes);
const struct note_pod *notes_at(const struct notes *notes, size_t i);

/* Rules that hold the notes of @m for @node, appended to *@rules. False: out of memory. */
bool notes_make(struct manifest *m, const char *node, struct manifest_rule **rules,
		size_t *count, size_t *room);

#endif /* WATTLECTL_NOTES_H */
