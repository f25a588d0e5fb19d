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
#include <time.h>
#include <unistd.h>

#include "manifests.h"
#include "watch.h"

#define HEALTH_CLIENTS	64	/* at once; others wait */
#define HEALTH_SECONDS	5	/* for a question */
#define HEALTH_QUIET	200	/* ms that files have to rest before they are read again, */
#define HEALTH_LATEST	2000	/* but no later than that */

static const struct param health_params[] = {
	{ SLOT_FILE, KIND_TEXT, PARAM_REQUIRED | PARAM_MANY, "-f", "FILE|DIR|-", NULL, 0, 4095 },
	{ SLOT_IGNORE, KIND_FLAG, 0, "--ignore-unknown", NULL, NULL, 0, 0 },
};

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

/* @fd: -1: a place that is free. */
struct client {
	int fd;
	const struct check *check;
	time_t until;
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

static volatile sig_atomic_t health_stopped;
static volatile sig_atomic_t health_told;

static void health_stop(int sig)
{
	if (sig == SIGHUP)
		health_told = 1;
	else
		health_stopped = 1;
}

/* ---- what there is ---- */

/*
 * Addresses of backends, each once: a pod may be behind several frontends. It has one of each
 * family, so the families are counted by themselves.
 */
struct counted {
	struct wattle_addr *addr;
	unsigned int count;
	unsigned int v4;
	bool full;
};

static int count_backend(const struct nlmsghdr *nlh, void *arg)
{
	struct counted *counted = arg;
	struct wattle_backend backend;
	unsigned int i;
	void *addr;

	if (wattle_backend_parse(nlh, &backend) || backend.state != WATTLE_BACKEND_STATE_ACTIVE ||
	    !backend.weight)
		return 0;
	for (i = 0; i < counted->count; i++)
		if (wattle_addr_equal(&counted->addr[i], &backend.addr))
			return 0;
	addr = realloc(counted->addr, (i + 1) * sizeof(*counted->addr));
	counted->full = !addr;
	if (!addr)
		return 1;
	counted->addr = addr;
	counted->addr[counted->count++] = backend.addr;
	counted->v4 += backend.addr.len == 4;
	return 0;
}

/* False: the kernel cannot say. A frontend that is not there has no backends. */
static bool count_backends(struct health *h, const struct check *check, unsigned int *count)
{
	struct wattle_sock *sock = family(h->call);
	struct counted counted = {};
	struct wattle_error err;
	bool fine = sock;
	unsigned int i;

	for (i = 0; fine && i < check->frontends; i++) {
		wattle_backend_ask(scratch(), &check->frontend[i]);
		if (wattle_dump(sock, scratch(), count_backend, &counted, &err) < 0 &&
		    err.code != ENOENT)
			fine = false;
	}
	*count = counted.count - counted.v4;
	if (*count < counted.v4)
		*count = counted.v4;
	free(counted.addr);
	return fine && !counted.full;
}

/* ---- answers ---- */

static void client_send(struct client *client, const char *status, const char *type,
			const char *extra, const char *body)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "HTTP/1.1 %s\r\nContent-Type: %s\r\nX-Content-Type-Options: nosniff\r\n%s"
			   "Content-Length: %zu\r\nConnection: close\r\n\r\n", status, type, extra,
			   strlen(body));
	struct iovec parts[] = {
		{ .iov_base = text, .iov_len = len },
		{ .iov_base = (void *)body,
		  .iov_len = strncmp(client->text, "HEAD ", 5) ? strlen(body) : 0 },
	};
	const struct msghdr msg = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };

	/* A new connection has room for that; who is not there any more has no use for it. */
	if (sendmsg(client->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		shutdown(client->fd, SHUT_WR);
}

/* To the byte as kube-proxy has it, for those who look for words in it. The caller frees it. */
static char *answer_body(const char *name, unsigned int count, bool fine)
{
	const char *slash = strchr(name, '/');
	json_t *ns = json_stringn(name, slash - name), *own = json_string(slash + 1);
	char *ns_text = json_dumps(ns, JSON_ENCODE_ANY);
	char *own_text = json_dumps(own, JSON_ENCODE_ANY);
	char *body = NULL;

	if (ns_text && own_text &&
	    asprintf(&body,
		     "{\n\t\"service\": {\n\t\t\"namespace\": %s,\n\t\t\"name\": %s\n\t},\n"
		     "\t\"localEndpoints\": %u,\n\t\"serviceProxyHealthy\": %s\n}",
		     ns_text, own_text, count, fine ? "true" : "false") < 0)
		body = NULL;
	free(own_text);
	free(ns_text);
	json_decref(own);
	json_decref(ns);
	return body;
}

static void client_answer(struct health *h, struct client *client)
{
	unsigned int count = 0;
	bool fine = count_backends(h, client->check, &count);
	char *body = answer_body(client->check->name, count, fine);
	char extra[80];

	snprintf(extra, sizeof(extra), "X-Load-Balancing-Endpoint-Weight: %u\r\n", count);
	if (body)
		client_send(client, fine && count ? "200 OK" : "503 Service Unavailable",
			    "application/json", extra, body);
	free(body);
}

static void client_close(struct health *h, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	h->clients--;
}

/* What has come of a question, whatever path it asks for. */
static void client_read(struct health *h, struct client *client)
{
	ssize_t len = recv(client->fd, client->text + client->len,
			   sizeof(client->text) - 1 - client->len, MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len > 0) {
		client->len += len;
		client->text[client->len] = '\0';
		if (!strstr(client->text, "\r\n\r\n") && !strstr(client->text, "\n\n")) {
			if (client->len < sizeof(client->text) - 1)
				return;
			client_send(client, "431 Request Header Fields Too Large", "text/plain", "",
				    "too long\n");
		} else if (strncmp(client->text, "GET ", 4) && strncmp(client->text, "HEAD ", 5)) {
			client_send(client, "405 Method Not Allowed", "text/plain",
				    "Allow: GET, HEAD\r\n", "only GET and HEAD\n");
		} else {
			client_answer(h, client);
		}
	}
	client_close(h, client);
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static time_t seconds(void)
{
	return milliseconds() / 1000;
}

static void client_accept(struct health *h, const struct check *check)
{
	int fd = accept4(check->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned int i;

	if (fd < 0)
		return;
	for (i = 0; h->client[i].fd >= 0; i++)
		;
	h->client[i] = (struct client){
		.fd = fd, .check = check, .until = seconds() + HEALTH_SECONDS,
	};
	h->clients++;
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
	fflush(stdout);
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
			.fd = h->clients < HEALTH_CLIENTS ? h->check[i].fd : -1, .events = POLLIN,
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
		else if (client->fd >= 0 && seconds() > client->until)
			client_close(h, client);
	}
	for (i = 0; !health_stopped && i < h->checks; i++)
		if (fds[POLL_CHECKS + i].revents && h->clients < HEALTH_CLIENTS)
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
	fflush(stdout);
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
