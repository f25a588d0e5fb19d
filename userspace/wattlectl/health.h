/* SPDX-License-Identifier: GPL-2.0-only */
/* What the halves of "health serve" share: its services (health.c), who asks (health_answer.c). */
#ifndef WATTLECTL_HEALTH_H
#define WATTLECTL_HEALTH_H

#include "manifests.h"

#define HEALTH_CLIENTS	64	/* at once; one more takes the place of the oldest */

/**
 * struct check - a service that is asked for
 * @name: NAMESPACE/NAME, of the manifest
 * @frontend: those that only have backends of this node
 * @fd: listens at @port; -1: cannot, which has been said
 */
struct check {
	const char *name;
	uint16_t port;
	struct wattle_frontend *frontend;
	unsigned int frontends;
	int fd;
};

/* @fd: -1: a place that is free; @until: in ms, the question is to be whole. */
struct client {
	int fd;
	const struct check *check;
	uint64_t until;
	size_t len;
	char text[2048];
};

/**
 * struct health - all of it
 * @m: what @check has its texts from
 * @watch: of the files, or NULL
 * @changed: when the first of their changes came that has not been read, in ms; 0: none
 * @due: when they are to be read
 */
struct health {
	struct call *call;
	struct manifest *m;
	struct check *check;
	unsigned int checks;
	struct client client[HEALTH_CLIENTS];
	unsigned int clients;
	struct watch *watch;
	uint64_t changed;
	uint64_t due;
};

/* A clock that nobody sets. */
uint64_t milliseconds(void);

/* Somebody asks of @check; who has been asking longest makes room where there is none. */
void client_accept(struct health *h, const struct check *check);
/* What has come of a question: once it is whole it is answered, and @client is closed. */
void client_read(struct health *h, struct client *client);
bool client_is_late(const struct client *client);
void client_close(struct health *h, struct client *client);

#endif /* WATTLECTL_HEALTH_H */
