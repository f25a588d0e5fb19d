// SPDX-License-Identifier: GPL-2.0-only
/* Events, as they come, until somebody says enough. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "because.h"
#include "event.h"
#include "notes.h"

#define NAMES_SECONDS	10	/* that names of pods are believed */

static const struct param monitor_params[] = {
	{ SLOT_DROP, KIND_FLAG, 0, "drop", NULL, NULL, 0, 0 },
	{ SLOT_VERDICT, KIND_FLAG, 0, "verdict", NULL, NULL, 0, 0 },
	{ SLOT_FLOW, KIND_FLAG, 0, "flow", NULL, NULL, 0, 0 },
	{ SLOT_SERVICE, KIND_FLAG, 0, "service", NULL, NULL, 0, 0 },
};

static volatile sig_atomic_t monitor_stopped;

static void monitor_stop(int signal)
{
	(void)signal;
	monitor_stopped = 1;
}

static const char *event_name(const struct nlmsghdr *nlh)
{
	switch (wattle_msg_cmd(nlh)) {
	case WATTLE_CMD_DROP_NTF:
		return "drop";
	case WATTLE_CMD_VERDICT_NTF:
		return "verdict";
	case WATTLE_CMD_FLOW_NTF:
		return "flow";
	default:
		return NULL;
	}
}

/* RFC 3339, in UTC. */
static char *event_time(char *text, size_t size, uint64_t ns)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, size - len, ".%06uZ", (unsigned int)(ns % 1000000000 / 1000));
	return text;
}

static json_t *event_json(const char *name, const struct wattle_explain *e)
{
	json_t *object, *how = explain_json(e);
	char time[40], words[BECAUSE_STRLEN];

	object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:i}", "event", name,
			   "time", event_time(time, sizeof(time), e->time),
			   "src", json_addr(&e->src), "dst", json_addr(&e->dst),
			   "proto", json_proto(e->proto), "sport", e->sport, "dport", e->dport);
	if (!object || !how) {
		json_decref(object);
		json_decref(how);
		return NULL;
	}
	json_object_update(object, how);
	json_decref(how);
	json_object_set_new(object, "because", json_text(because(words, sizeof(words), e)));
	json_object_set_new(object, "node", json_text(e->node));
	json_object_set_new(object, "dev", json_dev(e->ifindex));
	json_object_set_new(object, "ifindex", json_integer(e->ifindex));
	json_object_set_new(object, "length", json_integer(e->length));
	json_object_set_new(object, "lost", json_integer(e->lost));
	return object;
}

/* ICMP has a type and a code in place of ports. */
static void event_packet(const struct wattle_explain *e)
{
	char src[WATTLE_SOCKADDR_STRLEN], dst[WATTLE_SOCKADDR_STRLEN], proto[WATTLE_PROTO_STRLEN];

	wattle_proto_text(proto, e->proto);
	if (wattle_proto_is_icmp(e->proto))
		printf("%s -> %s %s type %u code %u", wattle_addr_text(src, &e->src),
		       wattle_addr_text(dst, &e->dst), proto, e->dport >> 8, e->dport & 0xff);
	else
		printf("%s -> %s %s", wattle_sockaddr_text(src, &e->src, e->sport),
		       wattle_sockaddr_text(dst, &e->dst, e->dport), proto);
}

static void event_text(const char *name, const struct wattle_explain *e)
{
	char backend[WATTLE_SOCKADDR_STRLEN], dev[IF_NAMESIZE], time[40], words[BECAUSE_STRLEN];

	printf("%s %-7s ", event_time(time, sizeof(time), e->time), name);
	event_packet(e);
	if (e->backend_addr.len)
		printf(" to %s", wattle_sockaddr_text(backend, &e->backend_addr, e->backend_port));
	printf(" identity %u -> %u: %s", e->src_identity, e->dst_identity,
	       choice_text(words_verdict, e->verdict));
	if (e->verdict != WATTLE_VERDICT_ALLOW)
		printf(" (%s)", e->reason_name);
	if (because(words, sizeof(words), e)[0])
		printf(" %s", words);
	if (e->via.len)
		printf(" via %s", wattle_addr_text(backend, &e->via));
	if (e->ifindex && if_indextoname(e->ifindex, dev))
		printf(" dev %s", dev);
	if (e->length)
		printf(" length %u", e->length);
	if (e->lost)
		printf(", %llu events before it were lost", (unsigned long long)e->lost);
	putchar('\n');
}

/* ---- a frontend that takes no connections any more, or takes them again ---- */

static json_t *service_json(const struct wattle_service *s, const char *health)
{
	char time[40];

	return json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:s, s:I, s:s, s:I, s:I}",
			 "event", "service", "time", event_time(time, sizeof(time), s->time),
			 "frontend", json_frontend(&s->frontend),
			 "addr", json_addr(&s->frontend.addr), "port", s->frontend.port,
			 "proto", json_proto(s->frontend.proto),
			 "scope", choice_text(words_scope, s->frontend.scope),
			 "id", (json_int_t)s->id, "health", health,
			 "usable", (json_int_t)s->usable, "backends", (json_int_t)s->backends);
}

static void service_text(const struct wattle_service *s, const char *health)
{
	char time[40], frontend[WATTLE_FRONTEND_STRLEN];

	printf("%s %-7s %s scope %s: %s, %u of %u backends take connections\n",
	       event_time(time, sizeof(time), s->time), "service",
	       wattle_frontend_text(frontend, &s->frontend),
	       choice_text(words_scope, s->frontend.scope), health, s->usable, s->backends);
}

static int service_event(const struct nlmsghdr *nlh)
{
	struct wattle_service service;
	const char *health;
	int err;

	if (wattle_service_parse(nlh, &service))
		return 0;
	health = service.usable ? "up" : "down";
	if (options.json) {
		err = show_line(service_json(&service, health));
	} else {
		service_text(&service, health);
		err = fflush(stdout) ? -EPIPE : 0;
	}
	wattle_service_release(&service);
	return err;
}

/* ---- what has come ---- */

static int event_answer(const struct nlmsghdr *nlh, void *arg)
{
	wattle_explain_parse(nlh, arg);
	return 1;
}

/*
 * A drop may be told out of a cache, which knows the reason and not the rule any more. The
 * tables are asked again, and believed where they still say the same.
 */
static void event_complete(struct wattle_sock *asker, struct wattle_explain *e)
{
	struct wattle_explain answer = {};

	if (!asker || e->verdict != WATTLE_VERDICT_DENY || e->egress.present ||
	    e->ingress.present)
		return;
	if (!wattle_explain_ask(scratch(), e) &&
	    !wattle_call(asker, scratch(), event_answer, &answer, NULL) &&
	    answer.verdict == e->verdict && !strcmp(answer.reason_name, e->reason_name)) {
		e->egress = answer.egress;
		e->ingress = answer.ingress;
		e->backend_addr = answer.backend_addr;
		e->backend_port = answer.backend_port;
	}
}

/* Pods come and go while we watch. */
static void event_names(void)
{
	static time_t read;
	time_t now = time(NULL);

	if (now - read < NAMES_SECONDS)
		return;
	read = now;
	notes_forget();
}

/* @arg: a socket to ask by. */
static int event_show(const struct nlmsghdr *nlh, void *arg)
{
	const char *name = event_name(nlh);
	struct wattle_explain explain;

	if (wattle_msg_cmd(nlh) == WATTLE_CMD_SERVICE_NTF)
		return service_event(nlh);
	if (!name || wattle_explain_parse(nlh, &explain))
		return 0;
	event_names();
	event_complete(arg, &explain);
	if (options.json)
		return show_line(event_json(name, &explain));
	event_text(name, &explain);
	return fflush(stdout) ? -EPIPE : 0;
}

static int monitor_subscribe(struct call *call, struct wattle_sock *sock)
{
	static const struct {
		enum slot slot;
		const char *group;
	} groups[] = {
		{ SLOT_DROP, WATTLE_MCGRP_DROP },
		{ SLOT_VERDICT, WATTLE_MCGRP_VERDICT },
		{ SLOT_FLOW, WATTLE_MCGRP_FLOW },
		{ SLOT_SERVICE, WATTLE_MCGRP_SERVICE },
	};
	struct wattle_error err;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (call->count && !given(call, groups[i].slot))
			continue;
		if (wattle_subscribe(sock, groups[i].group, &err)) {
			report_error(call, &err);
			return EXIT_REFUSED;
		}
	}
	return EXIT_DONE;
}

static int monitor_loop(struct call *call, struct wattle_sock *sock, struct wattle_sock *asker,
			const sigset_t *waiting)
{
	/* No events asked of stdout: a pipe that nobody reads any more says so by itself. */
	struct pollfd fds[] = {
		{ .fd = wattle_sock_fd(sock), .events = POLLIN }, { .fd = STDOUT_FILENO },
	};
	int code;

	while (!monitor_stopped) {
		if (ppoll(fds, 2, NULL, waiting) < 0 && errno != EINTR) {
			report(call, NULL, "%s", strerror(errno));
			return EXIT_REFUSED;
		}
		if (monitor_stopped || fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			break;
		do {
			code = wattle_events(sock, event_show, asker);
			if (code == -ENOBUFS)
				report(call, NULL, "too many events at once: some were lost");
		} while ((!code || code == -ENOBUFS) && !ferror(stdout) && !monitor_stopped);
		if (ferror(stdout))
			break;
		if (code != -EAGAIN && code != -EINTR) {
			report(call, NULL, "%s", strerror(-code));
			return EXIT_REFUSED;
		}
	}
	return EXIT_DONE;
}

static int monitor_run(struct call *call)
{
	const struct sigaction stop = { .sa_handler = monitor_stop };
	struct wattle_sock *sock = family(call), *asker;
	sigset_t blocked, waiting;
	int code;

	if (!sock)
		return EXIT_REFUSED;
	/* They come while we wait, and only then. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGPIPE);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	sigdelset(&waiting, SIGINT);
	sigdelset(&waiting, SIGTERM);
	sigdelset(&waiting, SIGPIPE);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &stop, NULL);
	if (wattle_open(&asker, NULL))
		asker = NULL;
	code = monitor_subscribe(call, sock);
	if (!code)
		code = monitor_loop(call, sock, asker, &waiting);
	wattle_close(asker);
	return code;
}

static const struct verb monitor_verbs[] = {
	{
		.name = "", .help = "show events as they come; of every kind where none is named",
		.params = monitor_params, .count = ARRAY_SIZE(monitor_params),
		.run = monitor_run,
	},
};

const struct object monitor_object = {
	.name = "monitor", .help = "drops, verdicts, new flows, and services that run dry as they come",
	.verbs = monitor_verbs, .count = ARRAY_SIZE(monitor_verbs),
};
