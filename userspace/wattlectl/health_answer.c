// SPDX-License-Identifier: GPL-2.0-only
/* Who asks whether this node has backends of a service, and what he is told, over HTTP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "health.h"

#define HEALTH_PATIENCE	5000	/* ms for a question */

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

void client_close(struct health *h, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	h->clients--;
}

/* Whatever path it asks for. */
void client_read(struct health *h, struct client *client)
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

uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* A place that is free, or that of who has been asking longest. */
static struct client *client_place(struct health *h)
{
	struct client *oldest = &h->client[0];
	unsigned int i;

	for (i = 0; i < HEALTH_CLIENTS; i++) {
		if (h->client[i].fd < 0)
			return &h->client[i];
		if (h->client[i].until < oldest->until)
			oldest = &h->client[i];
	}
	client_close(h, oldest);
	return oldest;
}

void client_accept(struct health *h, const struct check *check)
{
	int fd = accept4(check->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	*client_place(h) = (struct client){
		.fd = fd, .check = check, .until = milliseconds() + HEALTH_PATIENCE,
	};
	h->clients++;
}

bool client_is_late(const struct client *client)
{
	return milliseconds() > client->until;
}
