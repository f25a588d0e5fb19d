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

#define HEALTH_CLIENTS	64	/* at once; others wait */
#define HEALTH_SECONDS	5	/* for a question */

static const struct param health_params[] = {
	{ SLOT_FILE, KIND_TEXT, PARAM_REQUIRED | PARAM_MANY, "-f", "FILE|DIR|-", NULL, 0, 4095 },
	{ SLOT_IGNORE, KIND_FLAG, 0, "--ignore-unknown", NULL, NULL, 0, 0 },
};

/**
 * struct check - a service that is asked for
 * @name: NAMESPACE/NAME, of the manifest
 * @frontend: those that only have backends of this node
 * @fd: listens at @port
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

struct health {
	struct call *call;
	struct check *check;
	unsigned int checks;
	struct client client[HEALTH_CLIENTS];
	unsigned int clients;
};

static volatile sig_atomic_t health_stopped;

static void health_stop(int sig)
{
	(void)sig;
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

static void client_answer(struct health *h, struct client *client)
{
	const char *name = client->check->name, *slash = strchr(name, '/');
	unsigned int count = 0;
	bool fine = count_backends(h, client->check, &count);
	char extra[80];
	char *body;
	json_t *json;

	json = json_pack("{s:{s:s#, s:s}, s:i, s:b}", "service", "namespace", name,
			 (int)(slash - name), "name", slash + 1, "localEndpoints", count,
			 "serviceProxyHealthy", fine);
	body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
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

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
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

static int health_checks(struct health *h, struct manifest *m)
{
	struct manifest_service *services;
	int code = EXIT_REFUSED;
	size_t i, count;

	/* Which frontends there are is the same everywhere. */
	if (manifest_services(m, "", &services, &count)) {
		code = EXIT_DONE;
		h->check = calloc(count + 1, sizeof(*h->check));
		if (!h->check)
			exit(EXIT_REFUSED);
	}
	for (i = 0; !code && i < count; i++)
		if (services[i].health_port)
			health_add(h, &services[i]);
	manifest_services_free(services, count);
	for (i = 0; !code && i < h->checks; i++)
		code = check_listen(h->call, &h->check[i]);
	return code;
}

/* ---- the loop ---- */

static int health_poll(struct health *h, struct pollfd *fds, const sigset_t *waiting)
{
	const struct timespec second = { .tv_sec = 1 };
	unsigned int i;

	for (i = 0; i < h->checks; i++)
		fds[i] = (struct pollfd){
			.fd = h->clients < HEALTH_CLIENTS ? h->check[i].fd : -1, .events = POLLIN,
		};
	for (i = 0; i < HEALTH_CLIENTS; i++)
		fds[h->checks + i] = (struct pollfd){ .fd = h->client[i].fd, .events = POLLIN };
	return ppoll(fds, h->checks + HEALTH_CLIENTS, h->clients ? &second : NULL, waiting);
}

static int health_loop(struct health *h, const sigset_t *waiting)
{
	struct pollfd *fds = calloc(h->checks + HEALTH_CLIENTS, sizeof(*fds));
	unsigned int i;

	if (!fds)
		exit(EXIT_REFUSED);
	for (i = 0; i < HEALTH_CLIENTS; i++)
		h->client[i].fd = -1;
	while (!health_stopped) {
		if (health_poll(h, fds, waiting) < 0 && errno != EINTR) {
			report(h->call, NULL, "%s", strerror(errno));
			break;
		}
		for (i = 0; !health_stopped && i < HEALTH_CLIENTS; i++) {
			struct client *client = &h->client[i];

			if (client->fd >= 0 && fds[h->checks + i].revents)
				client_read(h, client);
			else if (client->fd >= 0 && seconds() > client->until)
				client_close(h, client);
		}
		for (i = 0; !health_stopped && i < h->checks; i++)
			if (fds[i].revents && h->clients < HEALTH_CLIENTS)
				client_accept(h, &h->check[i]);
	}
	free(fds);
	return health_stopped ? EXIT_DONE : EXIT_REFUSED;
}

static int health_start(struct health *h)
{
	const struct sigaction stop = { .sa_handler = health_stop };
	sigset_t blocked, waiting;
	unsigned int i;
	int code;

	/* They come while we wait, and only then. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	sigdelset(&waiting, SIGINT);
	sigdelset(&waiting, SIGTERM);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	for (i = 0; i < h->checks && !options.json; i++)
		printf("%s: port %u\n", h->check[i].name, h->check[i].port);
	fflush(stdout);
	code = health_loop(h, &waiting);
	for (i = 0; i < HEALTH_CLIENTS; i++)
		if (h->client[i].fd >= 0)
			client_close(h, &h->client[i]);
	return code;
}

static int health_serve(struct call *call)
{
	struct manifest *m = manifests_load(call);
	struct health h = { .call = call };
	unsigned int i;
	int code;

	if (!m)
		return EXIT_REFUSED;
	code = health_checks(&h, m);
	if (!code && !h.checks) {
		report(call, NULL, "no service of type LoadBalancer has externalTrafficPolicy Local and a healthCheckNodePort");
		code = EXIT_REFUSED;
	}
	if (!code)
		code = health_start(&h);
	for (i = 0; i < h.checks; i++) {
		free(h.check[i].frontend);
		if (h.check[i].fd >= 0)
			close(h.check[i].fd);
	}
	free(h.check);
	manifest_destroy(m);
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
