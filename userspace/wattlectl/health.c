// SPDX-License-Identifier: GPL-2.0-only
/*
 * "health serve": a load balancer asks each node, at a port of the service's own, whether it has
 * backends of it. The answer is what the kernel has at that moment, in the words of kube-proxy.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health.h"
#include "watch.h"

#define HEALTH_QUIET	200	/* ms that files have to rest before they are read again, */
#define HEALTH_LATEST	2000	/* but no later than that */

static const struct param health_params[] = {
	{ SLOT_FILE, KIND_TEXT, PARAM_REQUIRED | PARAM_MANY, "-f", "FILE|DIR|-", NULL, 0, 4095 },
	{ SLOT_IGNORE, KIND_FLAG, 0, "--ignore-unknown", NULL, NULL, 0, 0 },
};

static volatile sig_atomic_t health_stopped;
static volatile sig_atomic_t health_told;

static void health_stop(int sig)
{
	if (sig == SIGHUP)
		health_told = 1;
	else
		health_stopped = 1;
}

/* ---- services ---- */

static int check_listen(struct call *call, struct check *check)
{
	const struct sockaddr_in6 any6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(check->port),
	};
	const struct sockaddr_in any4 = {
		.sin_family = AF_INET, .sin_port = htons(check->port),
	};
	const struct sockaddr *any = (const struct sockaddr *)&any6;
	socklen_t len = sizeof(any6);
	int one = 1, zero = 0;

	check->fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (check->fd < 0) {
		any = (const struct sockaddr *)&any4;
		len = sizeof(any4);
		check->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} else {
		setsockopt(check->fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	}
	setsockopt(check->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (check->fd >= 0 && !bind(check->fd, any, len) && !listen(check->fd, 128))
		return EXIT_DONE;
	report(call, NULL, "Service %s: healthCheckNodePort %u: %s", check->name, check->port,
	       strerror(errno));
	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
	return EXIT_REFUSED;
}

static void health_add(struct health *h, const struct manifest_service *service)
{
	struct check *check;
	unsigned int i;

	for (i = 0; i < h->checks && strcmp(h->check[i].name, service->name); i++)
		;
	check = &h->check[i];
	if (i == h->checks) {
		check->name = service->name;
		check->port = service->health_port;
		check->fd = -1;
		h->checks++;
	}
	check->frontend = realloc(check->frontend,
				  (check->frontends + 1) * sizeof(*check->frontend));
	if (!check->frontend)
		exit(EXIT_REFUSED);
	check->frontend[check->frontends++] = service->frontend;
}

static void health_release(struct health *h)
{
	unsigned int i;

	for (i = 0; i < h->checks; i++) {
		free(h->check[i].frontend);
		if (h->check[i].fd >= 0)
			close(h->check[i].fd);
	}
	free(h->check);
	if (h->m)
		manifest_destroy(h->m);
}

/* What the files want now, at no port yet. False: what is wrong with them has been said. */
static bool health_load(struct health *h)
{
	struct manifest_service *services;
	size_t i, count;
	bool fine;

	h->m = manifests_load(h->call);
	if (!h->m)
		return false;
	/* Which frontends there are is the same everywhere. */
	fine = manifest_services(h->m, "", &services, &count);
	h->check = calloc(count + 1, sizeof(*h->check));
	if (!h->check)
		exit(EXIT_REFUSED);
	for (i = 0; fine && i < count; i++)
		if (services[i].health_port)
			health_add(h, &services[i]);
	manifest_services_free(services, count);
	return fine;
}

static void health_say(const struct check *check, const char *more)
{
	if (!options.json)
		printf("%s: port %u%s\n", check->name, check->port, more);
}

/* Whoever read that may have gone: the services go on. */
static void health_said(void)
{
	if (fflush(stdout))
		clearerr(stdout);
}

/* ---- files that change ---- */

static struct check *check_find(const struct health *h, const struct check *like)
{
	unsigned int i;

	for (i = 0; i < h->checks; i++)
		if (h->check[i].port == like->port && !strcmp(h->check[i].name, like->name))
			return &h->check[i];
	return NULL;
}

/* Who has asked @h is answered of what is in place of it, or not at all. */
static void clients_move(struct health *h, const struct health *new)
{
	unsigned int i;

	for (i = 0; i < HEALTH_CLIENTS; i++) {
		if (h->client[i].fd < 0)
			continue;
		h->client[i].check = check_find(new, h->client[i].check);
		if (!h->client[i].check)
			client_close(h, &h->client[i]);
	}
}

/* Listeners stay who they are; first the others let go, for a port may go from one to another. */
static void checks_move(struct health *h, struct health *new)
{
	struct check *old, *check;
	unsigned int i;

	for (i = 0; i < h->checks; i++) {
		old = &h->check[i];
		check = check_find(new, old);
		if (check) {
			check->fd = old->fd;
		} else {
			health_say(old, ": no longer");
			if (old->fd >= 0)
				close(old->fd);
		}
		old->fd = -1;
	}
	for (i = 0; i < new->checks; i++) {
		check = &new->check[i];
		if (check->fd < 0 && !check_listen(h->call, check))
			health_say(check, "");
	}
	health_said();
}

static bool health_has_input(const struct call *call)
{
	const struct value *file;

	for (file = value_of(call, SLOT_FILE); file; file = file->next)
		if (!strcmp(file->text, "-"))
			return true;
	return false;
}

/* Before they are read: what changes meanwhile is another change. */
static void health_watch(struct health *h)
{
	watch_destroy(h->watch);
	h->watch = watch_create(value_of(h->call, SLOT_FILE));
	if (!h->watch)
		report(h->call, NULL, "files are read again at SIGHUP only: inotify: %s",
		       strerror(errno));
}

/* Whatever is wrong, what there was stays. */
static void health_again(struct health *h)
{
	struct health new = { .call = h->call };

	h->changed = 0;
	if (health_has_input(h->call)) {
		report(h->call, NULL, "standard input cannot be read again: all stays as it was");
		return;
	}
	health_watch(h);
	if (!health_load(&new)) {
		report(h->call, NULL, "the services stay as they were");
		health_release(&new);
		return;
	}
	clients_move(h, &new);
	checks_move(h, &new);
	health_release(h);
	h->m = new.m;
	h->check = new.check;
	h->checks = new.checks;
}

static void health_changed(struct health *h)
{
	uint64_t now = milliseconds();

	if (!watch_read(h->watch))
		return;
	if (!h->changed)
		h->changed = now;
	h->due = now + HEALTH_QUIET;
	if (h->due > h->changed + HEALTH_LATEST)
		h->due = h->changed + HEALTH_LATEST;
}

/* ---- the loop ---- */

/* Places in what is polled: the files, the clients, the services. */
#define POLL_CLIENTS	1
#define POLL_CHECKS	(POLL_CLIENTS + HEALTH_CLIENTS)

static int health_poll(struct health *h, struct pollfd *fds, const sigset_t *waiting)
{
	struct timespec time = { .tv_sec = 1 };
	uint64_t now = milliseconds();
	unsigned int i;

	fds[0] = (struct pollfd){ .fd = h->watch ? watch_fd(h->watch) : -1, .events = POLLIN };
	for (i = 0; i < HEALTH_CLIENTS; i++)
		fds[POLL_CLIENTS + i] = (struct pollfd){
			.fd = h->client[i].fd, .events = POLLIN,
		};
	for (i = 0; i < h->checks; i++)
		fds[POLL_CHECKS + i] = (struct pollfd){
			.fd = h->check[i].fd, .events = POLLIN,
		};
	if (h->changed) {
		time.tv_sec = 0;
		time.tv_nsec = h->due > now ? (h->due - now) * 1000000 % 1000000000 : 0;
	}
	return ppoll(fds, POLL_CHECKS + h->checks, h->changed || h->clients ? &time : NULL,
		     waiting);
}

/* What @fds have, which are those of now. */
static void health_serve_some(struct health *h, const struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; !health_stopped && i < HEALTH_CLIENTS; i++) {
		struct client *client = &h->client[i];

		if (client->fd >= 0 && fds[POLL_CLIENTS + i].revents)
			client_read(h, client);
		else if (client->fd >= 0 && client_is_late(client))
			client_close(h, client);
	}
	for (i = 0; !health_stopped && i < h->checks; i++)
		if (fds[POLL_CHECKS + i].revents)
			client_accept(h, &h->check[i]);
	if (fds[0].revents)
		health_changed(h);
}

static int health_loop(struct health *h, const sigset_t *waiting)
{
	struct pollfd *fds = NULL;
	unsigned int i;
	int ready;

	for (i = 0; i < HEALTH_CLIENTS; i++)
		h->client[i].fd = -1;
	while (!health_stopped) {
		fds = realloc(fds, (POLL_CHECKS + h->checks) * sizeof(*fds));
		if (!fds)
			exit(EXIT_REFUSED);
		ready = health_poll(h, fds, waiting);
		if (ready < 0 && errno != EINTR) {
			report(h->call, NULL, "%s", strerror(errno));
			break;
		}
		if (ready >= 0)
			health_serve_some(h, fds);
		if (health_told || (h->changed && milliseconds() >= h->due)) {
			health_told = 0;
			health_again(h);
		}
	}
	free(fds);
	return health_stopped ? EXIT_DONE : EXIT_REFUSED;
}

static int health_start(struct health *h)
{
	const struct sigaction stop = { .sa_handler = health_stop };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t blocked, waiting;
	unsigned int i;
	int code;

	signal(SIGPIPE, SIG_IGN);
	/* They come while we wait, and only then. */
	sigemptyset(&blocked);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigdelset(&waiting, signals[i]);
		sigaction(signals[i], &stop, NULL);
	}
	for (i = 0; i < h->checks; i++)
		health_say(&h->check[i], "");
	health_said();
	code = health_loop(h, &waiting);
	for (i = 0; i < HEALTH_CLIENTS; i++)
		if (h->client[i].fd >= 0)
			client_close(h, &h->client[i]);
	return code;
}

static int health_serve(struct call *call)
{
	struct health h = { .call = call };
	int code = EXIT_DONE;
	unsigned int i;

	if (!health_has_input(call))
		health_watch(&h);
	if (!health_load(&h))
		code = EXIT_REFUSED;
	for (i = 0; !code && i < h.checks; i++)
		code = check_listen(call, &h.check[i]);
	if (!code && !h.checks) {
		report(call, NULL, "no service of type LoadBalancer has externalTrafficPolicy Local and a healthCheckNodePort");
		code = EXIT_REFUSED;
	}
	if (!code)
		code = health_start(&h);
	watch_destroy(h.watch);
	health_release(&h);
	return code;
}

static const struct verb health_verbs[] = {
	{
		.name = "serve", .help = "tell load balancers whether this node has backends",
		.params = health_params, .count = ARRAY_SIZE(health_params), .run = health_serve,
	},
};

const struct object health_object = {
	.name = "health", .help = "what load balancers ask: has this node backends of a service?",
	.verbs = health_verbs, .count = ARRAY_SIZE(health_verbs),
};
