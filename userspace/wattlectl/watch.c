// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the files that "-f" names change. It is their directories that are watched, by name:
 * editors put another file in place, and Kubernetes swaps a link, "..data", beside those that
 * lead through it.
 */
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

/* A file that is being written is of no use yet: what counts is that it has been. */
#define WATCH_EVENTS	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
			 IN_DELETE_SELF | IN_MOVE_SELF)

/* @name: in the directory; NULL: any that may be a manifest. */
struct place {
	int wd;
	char *dir;
	char *name;
};

struct watch {
	int fd;
	struct place *place;
	size_t count;
};

/* Takes @name. What cannot be watched, a directory that is not there, is left out. */
static void watch_add(struct watch *watch, const char *dir, char *name)
{
	int wd = inotify_add_watch(watch->fd, dir, WATCH_EVENTS);
	struct place *place;

	if (wd < 0) {
		free(name);
		return;
	}
	place = realloc(watch->place, (watch->count + 1) * sizeof(*place));
	if (!place)
		exit(EXIT_REFUSED);
	watch->place = place;
	watch->place[watch->count++] = (struct place){ wd, strdup(dir), name };
}

static void watch_add_path(struct watch *watch, const char *path)
{
	char *copy = strdup(path), *again = strdup(path);

	if (!copy || !again)
		exit(EXIT_REFUSED);
	watch_add(watch, dirname(copy), strdup(basename(again)));
	free(copy);
	free(again);
}

struct watch *watch_create(const struct value *files)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	char real[PATH_MAX];
	struct stat st;

	if (!watch)
		exit(EXIT_REFUSED);
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		free(watch);
		return NULL;
	}
	for (; files; files = files->next) {
		watch_add_path(watch, files->text);
		if (realpath(files->text, real))
			watch_add_path(watch, real);
		if (!stat(files->text, &st) && S_ISDIR(st.st_mode))
			watch_add(watch, files->text, NULL);
	}
	return watch;
}

void watch_destroy(struct watch *watch)
{
	size_t i;

	if (!watch)
		return;
	for (i = 0; i < watch->count; i++) {
		free(watch->place[i].dir);
		free(watch->place[i].name);
	}
	free(watch->place);
	close(watch->fd);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

static bool place_concerns(const struct place *place, const struct inotify_event *event)
{
	char path[PATH_MAX];
	const char *dot;
	struct stat st;

	if (place->wd != event->wd)
		return false;
	/* The directory itself. */
	if (!event->len)
		return true;
	/* A link is all there is of it; a file has yet to be written. */
	if (event->mask & IN_CREATE) {
		snprintf(path, sizeof(path), "%s/%s", place->dir, event->name);
		if (lstat(path, &st) || !S_ISLNK(st.st_mode))
			return false;
	}
	if (!strncmp(event->name, "..", 2))
		return true;
	dot = strrchr(event->name, '.');
	return place->name ? !strcmp(event->name, place->name) :
	       dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

static bool watch_concerns(const struct watch *watch, const struct inotify_event *event)
{
	size_t i;

	/* Some were lost. */
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	for (i = 0; i < watch->count; i++)
		if (place_concerns(&watch->place[i], event))
			return true;
	return false;
}

bool watch_read(struct watch *watch)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	bool concerned = false;
	ssize_t len;
	char *at;

	while ((len = read(watch->fd, buf, sizeof(buf))) > 0) {
		for (at = buf; at < buf + len; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			concerned |= watch_concerns(watch, event);
		}
	}
	return concerned;
}
