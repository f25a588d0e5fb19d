// SPDX-License-Identifier: GPL-2.0-only
/* Sockets: opening, one request and its answer, dumps, events. */
#include <errno.h>
#include <fcntl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define WATTLE_RCVBUF		(8 * 1024 * 1024)
/* The kernel doubles it, and refuses a datagram that leaves less than 32 bytes of that. */
#define WATTLE_SNDBUF		WATTLE_MSG_SIZE
#define WATTLE_PATIENCE_MS	5000
#define WATTLE_DUMP_TRIES	16

int wattle_netns_enter(const char *name, struct wattle_error *err)
{
	char path[4096];
	int fd, code = 0;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return wattle_error_set(err, EINVAL, "\"%s\" names no network namespace", name);
	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return wattle_error_set(err, errno, "network namespace \"%s\": %s", name,
					errno == ENOENT ? "there is none of that name" : strerror(errno));
	if (setns(fd, CLONE_NEWNET))
		code = wattle_error_set(err, errno, "network namespace \"%s\": %s", name,
					errno == EPERM ? "entering it needs CAP_SYS_ADMIN" : strerror(errno));
	close(fd);
	return code;
}

static int wattle_sock_create(struct wattle_sock **out, int protocol, struct wattle_error *err)
{
	const struct timeval patience = { .tv_sec = 60 };
	struct wattle_sock *sock = calloc(1, sizeof(*sock));
	int fd, one = 1, size = WATTLE_RCVBUF, send = WATTLE_SNDBUF;

	if (!sock)
		return wattle_error_set(err, ENOMEM, "out of memory");
	sock->nl = nl_socket_alloc();
	sock->buf = malloc(WATTLE_RECV_SIZE);
	if (!sock->nl || !sock->buf) {
		wattle_close(sock);
		return wattle_error_set(err, ENOMEM, "out of memory");
	}
	if (nl_connect(sock->nl, protocol)) {
		wattle_close(sock);
		return wattle_error_set(err, EPROTONOSUPPORT, "netlink: no socket to the kernel");
	}
	fd = nl_socket_get_fd(sock->nl);
	/* Without these, less is told, and long answers to a flood are lost: so what. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* Where that is not permitted, net.core.wmem_max is still more than a chunk of a batch. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	sock->seq = time(NULL);
	*out = sock;
	return 0;
}

static int wattle_not_loaded(struct wattle_error *err)
{
	return wattle_error_set(err, ENODEV, "the wattle module is not loaded (modprobe wattle)");
}

int wattle_open(struct wattle_sock **out, struct wattle_error *err)
{
	struct wattle_sock *sock;
	int code;

	code = wattle_sock_create(&sock, NETLINK_GENERIC, err);
	if (code)
		return code;
	sock->family = genl_ctrl_resolve(sock->nl, WATTLE_GENL_NAME);
	if (sock->family <= 0) {
		wattle_close(sock);
		return wattle_not_loaded(err);
	}
	*out = sock;
	return 0;
}

int wattle_open_route(struct wattle_sock **out, struct wattle_error *err)
{
	return wattle_sock_create(out, NETLINK_ROUTE, err);
}

void wattle_close(struct wattle_sock *sock)
{
	if (!sock)
		return;
	nl_socket_free(sock->nl);
	free(sock->buf);
	free(sock);
}

int wattle_sock_fd(const struct wattle_sock *sock)
{
	return nl_socket_get_fd(sock->nl);
}

/* ---- in and out ---- */

int wattle_send(struct wattle_sock *sock, const void *data, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do {
		n = sendto(wattle_sock_fd(sock), data, len, 0, (void *)&kernel, sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int wattle_recv(struct wattle_sock *sock, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { sock->buf, WATTLE_RECV_SIZE };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &from };
	ssize_t n;

	for (;;) {
		msg.msg_namelen = sizeof(from);
		n = recvmsg(wattle_sock_fd(sock), &msg, flags);
		if (n < 0 && errno == EINTR && !flags)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid)
			continue;	/* not from the kernel */
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

static int wattle_recv_failed(struct wattle_error *err, int code)
{
	return wattle_error_set(err, -code, "netlink: %s", strerror(-code));
}

/* Walk what came for request @seq. 1: go on, else the end. */
static int wattle_answer(struct wattle_sock *sock, int len, const struct nlmsghdr *request,
			 wattle_reply_fn *fn, void *arg, struct wattle_error *err)
{
	struct nlmsghdr *nlh;

	for (nlh = (void *)sock->buf; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_seq != request->nlmsg_seq)
			continue;
		switch (nlh->nlmsg_type) {
		case NLMSG_NOOP:
			break;
		case NLMSG_ERROR:
		case NLMSG_DONE:
			return wattle_error_parse(err, nlh, request);
		default:
			if (fn && fn(nlh, arg))
				fn = NULL;
		}
	}
	return 1;
}

static int wattle_call_once(struct wattle_sock *sock, struct nlmsghdr *nlh, wattle_reply_fn *fn,
			    void *arg, struct wattle_error *err)
{
	int code;

	wattle_msg_finish(sock, nlh);
	code = wattle_send(sock, nlh, nlh->nlmsg_len);
	if (code)
		return wattle_recv_failed(err, code);
	do {
		code = wattle_recv(sock, 0);
		if (code < 0)
			return wattle_recv_failed(err, code);
		code = wattle_answer(sock, code, nlh, fn, arg, err);
	} while (code > 0);
	return code;
}

/* Somebody's transaction will end; a port that is in use will not. */
static bool wattle_will_pass(const struct wattle_sock *sock, const struct wattle_error *err)
{
	return sock->family && err->code == EBUSY && !err->attr[0] &&
	       strstr(err->text, "transaction");
}

/* The number that the family has; 0: none. From the list of all: to ask for it loads the module. */
static int wattle_family_number(struct wattle_sock *sock)
{
	struct genl_family *family;
	struct nl_cache *all;
	int number = 0;

	if (genl_ctrl_alloc_cache(sock->nl, &all))
		return 0;
	family = genl_ctrl_search_by_name(all, WATTLE_GENL_NAME);
	if (family) {
		number = genl_family_get_id(family);
		genl_family_put(family);
	}
	nl_cache_free(all);
	return number;
}

/* A module that was loaded again has another number, and nothing is at the old one. */
static bool wattle_family_moved(struct wattle_sock *sock, struct wattle_error *err)
{
	struct wattle_sock *fresh;
	int number;

	if (!sock->family || err->code != ENOENT ||
	    wattle_sock_create(&fresh, NETLINK_GENERIC, err))
		return false;
	number = wattle_family_number(fresh);
	wattle_close(fresh);
	if (!number)
		wattle_not_loaded(err);
	if (!number || number == sock->family)
		return false;
	sock->family = number;
	return true;
}

int wattle_call(struct wattle_sock *sock, struct nl_msg *msg, wattle_reply_fn *fn, void *arg,
		struct wattle_error *err)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct wattle_error local;
	int code, waited = 0, pause = 5;

	if (!err)
		err = &local;
	nlh->nlmsg_flags |= NLM_F_ACK;
	for (;;) {
		struct timespec ts = { .tv_nsec = pause * 1000000L };

		code = wattle_call_once(sock, nlh, fn, arg, err);
		if (code && wattle_family_moved(sock, err))
			continue;
		if (!code || !wattle_will_pass(sock, err) || waited >= WATTLE_PATIENCE_MS)
			return code;
		nanosleep(&ts, NULL);
		waited += pause;
		if (pause < 200)
			pause *= 2;
	}
}

/* ---- dumps ---- */

struct wattle_heap {
	char *data;
	size_t len;
	size_t size;
	bool changed;
	bool full;
};

static int wattle_heap_add(struct wattle_heap *heap, const struct nlmsghdr *nlh)
{
	size_t len = NLMSG_ALIGN(nlh->nlmsg_len);
	char *data;

	if (heap->len + len > heap->size) {
		size_t size = (heap->size + len) * 2;

		data = realloc(heap->data, size);
		if (!data) {
			heap->full = true;
			return 1;
		}
		heap->data = data;
		heap->size = size;
	}
	memcpy(heap->data + heap->len, nlh, nlh->nlmsg_len);
	heap->len += len;
	return 0;
}

static int wattle_heap_reply(const struct nlmsghdr *nlh, void *arg)
{
	return wattle_heap_add(arg, nlh);
}

static int wattle_dump_once(struct wattle_sock *sock, struct nlmsghdr *request,
			    struct wattle_heap *heap, struct wattle_error *err)
{
	struct nlmsghdr *nlh;
	int code, len, rest;

	heap->len = 0;
	heap->changed = false;
	wattle_msg_finish(sock, request);
	code = wattle_send(sock, request, request->nlmsg_len);
	if (code)
		return wattle_recv_failed(err, code);
	do {
		len = wattle_recv(sock, 0);
		if (len < 0)
			return wattle_recv_failed(err, len);
		rest = len;
		for (nlh = (void *)sock->buf; NLMSG_OK(nlh, (unsigned int)rest);
		     nlh = NLMSG_NEXT(nlh, rest))
			heap->changed |= nlh->nlmsg_seq == request->nlmsg_seq &&
					 (nlh->nlmsg_flags & NLM_F_DUMP_INTR);
		code = wattle_answer(sock, len, request, wattle_heap_reply, heap, err);
	} while (code > 0);
	if (!code && heap->full)
		return wattle_error_set(err, ENOMEM, "out of memory");
	return code;
}

int wattle_dump(struct wattle_sock *sock, struct nl_msg *msg, wattle_reply_fn *fn, void *arg,
		struct wattle_error *err)
{
	struct nlmsghdr *request = nlmsg_hdr(msg);
	struct wattle_heap heap = {};
	int code, tries = 0;
	size_t pos;

	request->nlmsg_flags = (request->nlmsg_flags & ~NLM_F_ACK) | NLM_F_DUMP;
	do {
		code = wattle_dump_once(sock, request, &heap, err);
		if (code && wattle_family_moved(sock, err))
			code = wattle_dump_once(sock, request, &heap, err);
	} while (!code && heap.changed && ++tries < WATTLE_DUMP_TRIES);
	for (pos = 0; !code && pos < heap.len;) {
		const struct nlmsghdr *nlh = (const void *)(heap.data + pos);

		if (fn(nlh, arg))
			break;
		pos += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	free(heap.data);
	return code ? code : heap.changed;
}

/* ---- events ---- */

static int wattle_join(struct wattle_sock *sock, int group)
{
	return setsockopt(wattle_sock_fd(sock), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			  sizeof(group)) ? -errno : 0;
}

/* By a socket of its own: events would come between question and answer. */
static int wattle_group(const char *family, const char *group)
{
	struct wattle_sock *fresh;
	int id;

	if (wattle_sock_create(&fresh, NETLINK_GENERIC, NULL))
		return -1;
	id = genl_ctrl_resolve_grp(fresh->nl, family, group);
	wattle_close(fresh);
	return id;
}

int wattle_subscribe(struct wattle_sock *sock, const char *group, struct wattle_error *err)
{
	int id = wattle_group(WATTLE_GENL_NAME, group);
	unsigned int i = 0;
	int code;

	if (id < 0)
		return wattle_error_set(err, ENOENT, "the module sends no events \"%s\"", group);
	code = wattle_join(sock, id);
	if (code == -EPERM)
		return wattle_error_set(err, EPERM,
					"not permitted: events need CAP_NET_ADMIN in the user namespace that owns the network namespace");
	if (code)
		return wattle_error_set(err, -code, "events \"%s\": %s", group, strerror(-code));
	while (i < WATTLE_GROUPS_MAX - 1 && sock->groups[i])
		i++;
	sock->groups[i] = group;
	/* Families that come, in case that ours goes. */
	if (!i) {
		id = wattle_group("nlctrl", "notify");
		if (id >= 0)
			wattle_join(sock, id);
	}
	return 0;
}

static void wattle_rejoin(struct wattle_sock *sock, const char *group, int id)
{
	unsigned int i;

	for (i = 0; i < WATTLE_GROUPS_MAX; i++)
		if (sock->groups[i] && !strcmp(sock->groups[i], group))
			wattle_join(sock, id);
}

/* The module was loaded anew: its family and groups have other numbers. */
static void wattle_family_event(struct wattle_sock *sock, struct nlmsghdr *nlh)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1], *of[CTRL_ATTR_MCAST_GRP_MAX + 1], *group;
	int rest;

	if (wattle_msg_cmd(nlh) != CTRL_CMD_NEWFAMILY ||
	    genlmsg_parse(nlh, 0, tb, CTRL_ATTR_MAX, NULL) || !tb[CTRL_ATTR_FAMILY_NAME] ||
	    strcmp(nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]), WATTLE_GENL_NAME) ||
	    !tb[CTRL_ATTR_FAMILY_ID] || !tb[CTRL_ATTR_MCAST_GROUPS])
		return;
	sock->family = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	nla_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS], rest)
		if (!nla_parse_nested(of, CTRL_ATTR_MCAST_GRP_MAX, group, NULL) &&
		    of[CTRL_ATTR_MCAST_GRP_NAME] && of[CTRL_ATTR_MCAST_GRP_ID])
			wattle_rejoin(sock, nla_get_string(of[CTRL_ATTR_MCAST_GRP_NAME]),
				      nla_get_u32(of[CTRL_ATTR_MCAST_GRP_ID]));
}

int wattle_events(struct wattle_sock *sock, wattle_reply_fn *fn, void *arg)
{
	struct nlmsghdr *nlh;
	int len;

	len = wattle_recv(sock, MSG_DONTWAIT);
	if (len < 0)
		return len;
	for (nlh = (void *)sock->buf; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == GENL_ID_CTRL)
			wattle_family_event(sock, nlh);
		else if (nlh->nlmsg_type == sock->family && fn(nlh, arg))
			break;
	}
	return 0;
}
