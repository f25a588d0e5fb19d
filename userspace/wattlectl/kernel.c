// SPDX-License-Identifier: GPL-2.0-only
/* The tool's one socket to the family, and changes by one request. */
#include <netlink/msg.h>
#include <stdlib.h>

#include "notes.h"

static struct wattle_sock *kernel_sock;
static struct nl_msg *kernel_msg;

struct wattle_sock *family(const struct call *call)
{
	struct wattle_error err;

	if (!kernel_sock && wattle_open(&kernel_sock, &err)) {
		report(call, NULL, "%s", err.text);
		return NULL;
	}
	return kernel_sock;
}

struct nl_msg *scratch(void)
{
	if (!kernel_msg)
		kernel_msg = wattle_msg_alloc();
	if (!kernel_msg) {
		report(NULL, NULL, "out of memory");
		exit(EXIT_REFUSED);
	}
	return kernel_msg;
}

void kernel_close(void)
{
	wattle_close(kernel_sock);
	nlmsg_free(kernel_msg);
	notes_forget();
	kernel_sock = NULL;
	kernel_msg = NULL;
}

int encode_call(struct call *call, struct nl_msg *msg)
{
	int code = call->verb->encode(call, msg);

	if (code >= 0)
		return code;
	report(call, NULL, "is too big for one request");
	return EXIT_REFUSED;
}

int change(struct call *call)
{
	struct wattle_error err;
	struct wattle_sock *sock;
	int code;

	code = encode_call(call, scratch());
	if (code)
		return code;
	sock = family(call);
	if (!sock)
		return EXIT_REFUSED;
	if (wattle_call(sock, scratch(), NULL, NULL, &err)) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	if (call->verb->routes)
		return routes_sync(call, false);
	return EXIT_DONE;
}
