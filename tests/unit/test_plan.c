// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the services that the kernel has to those that are wanted: what is a change, and that
 * what is the same in another order is none. TAP, no kernel.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "wattlectl/state.h"

/* A frontend; sources end with NULL. */
static struct wattle_service *add(struct state *state, const char *addr, uint8_t scope, ...)
{
	struct wattle_service *service = STATE_ADD(state->service);
	const char *text;
	va_list sources;

	memset(service, 0, sizeof(*service));
	wattle_addr_parse(&service->frontend.addr, addr);
	service->frontend.port = 80;
	service->frontend.proto = 6;
	service->frontend.scope = scope;
	service->source = calloc(8, sizeof(*service->source));
	va_start(sources, scope);
	while ((text = va_arg(sources, const char *)))
		wattle_prefix_parse(&service->source[service->source_count++], text);
	va_end(sources);
	return service;
}

static void share(struct wattle_service *service, const char *with)
{
	service->affinity = 30;
	service->affinity_with = service->frontend;
	wattle_addr_parse(&service->affinity_with.addr, with);
}

static void add_backend(struct state *state, const char *service, uint8_t scope, const char *to)
{
	struct wattle_backend *backend = STATE_ADD(state->backend);

	memset(backend, 0, sizeof(*backend));
	wattle_addr_parse(&backend->service.addr, service);
	backend->service.port = 80;
	backend->service.proto = 6;
	backend->service.scope = scope;
	wattle_addr_parse(&backend->addr, to);
	backend->port = 8080;
	backend->weight = 100;
}

/* Forgets both. @lines: of the plan, "SIGN TABLE WHAT\n" each. */
static void plans(struct state *now, struct state *want, const char *lines, const char *what)
{
	const struct plan_how how = { .told = true };
	struct plan plan;
	char text[4096] = "";
	size_t i, len = 0;

	state_sort(now);
	state_sort(want);
	plan_make(&plan, now, want, &how);
	for (i = 0; i < plan.line.count; i++)
		len += snprintf(text + len, sizeof(text) - len, "%c %s %s\n", plan.line.at[i].sign,
				plan.line.at[i].table, plan.line.at[i].text);
	ok(!plan.failed && wattle_batch_count(plan.batch) == plan.line.count &&
	   !strcmp(text, lines), "%s", what);
	if (strcmp(text, lines))
		fprintf(stderr, "wanted:\n%sgot:\n%s", lines, text);
	plan_release(&plan);
	state_release(now);
	state_release(want);
}

static void test_services(void)
{
	struct state now = {}, want = {};

	add(&now, "10.0.0.1", 0, "10.0.0.0/8", "192.0.2.0/24", NULL);
	add(&want, "10.0.0.1", 0, "192.0.2.0/24", "10.0.0.0/8", NULL);
	plans(&now, &want, "", "sources in another order are the same");
	add(&now, "10.0.0.1", 0, "10.0.0.0/8", NULL);
	add(&want, "10.0.0.1", 0, "10.0.0.0/9", NULL);
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random source-policy allow source 10.0.0.0/9\n",
	      "a source of another length is a change");
	add(&now, "10.0.0.1", 0, "10.0.0.0/8", "192.0.2.0/24", NULL);
	add(&want, "10.0.0.1", 0, NULL);
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random\n", "so is none in place of some");
	add(&now, "10.0.0.1", 0, "10.0.0.0/8", NULL);
	add(&want, "10.0.0.1", 0, "10.0.0.0/8", NULL)->source_policy = WATTLE_SOURCE_POLICY_DENY;
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random source-policy deny source 10.0.0.0/8\n",
	      "so is another policy");
	add(&now, "10.0.0.1", 0, NULL);
	add(&want, "10.0.0.1", 0, NULL)->source_policy = WATTLE_SOURCE_POLICY_DENY;
	plans(&now, &want, "", "but for nobody it is none");
	add(&now, "10.0.0.1", 0, NULL);
	add(&want, "10.0.0.1", 0, NULL)->dsr = true;
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random dsr on\n", "who answers");
	add(&now, "10.0.0.1", 0, NULL);
	add(&want, "10.0.0.1", 0, NULL)->empty = WATTLE_EMPTY_DROP;
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random empty drop\n",
	      "what becomes of connections that nobody takes");
	add(&now, "10.0.0.1", 0, NULL);
	add(&want, "10.0.0.1", 0, NULL)->affinity = 30;
	plans(&now, &want, "~ service 10.0.0.1:80/tcp alg random affinity 30\n", "affinity");
	share(add(&now, "10.0.0.1", 0, NULL), "10.0.0.2");
	share(add(&want, "10.0.0.1", 0, NULL), "10.0.0.2");
	plans(&now, &want, "", "affinity that is shared as before is not");
	share(add(&now, "10.0.0.1", 0, NULL), "10.0.0.2");
	share(add(&want, "10.0.0.1", 0, NULL), "10.0.0.3");
	plans(&now, &want,
	      "~ service 10.0.0.1:80/tcp alg random affinity 30 affinity-with 10.0.0.3:80/tcp\n",
	      "shared with another it is");
}

static void test_scopes(void)
{
	struct state now = {}, want = {};

	add(&now, "0.0.0.0", WATTLE_SCOPE_ANY, NULL);
	add(&want, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, NULL);
	plans(&now, &want, "- service 0.0.0.0:80/tcp\n+ service 0.0.0.0:80/tcp scope outside alg random\n",
	      "of another scope it is another one");
	add(&now, "::", WATTLE_SCOPE_ANY, NULL);
	add(&want, "::", WATTLE_SCOPE_OUTSIDE, NULL);
	add(&want, "::", WATTLE_SCOPE_ANY, NULL);
	add_backend(&now, "::", WATTLE_SCOPE_ANY, "fd00::1");
	add_backend(&want, "::", WATTLE_SCOPE_ANY, "fd00::1");
	add_backend(&want, "::", WATTLE_SCOPE_OUTSIDE, "fd00::1");
	plans(&now, &want, "+ service [::]:80/tcp scope outside alg random\n"
	      "+ backend [::]:80/tcp scope outside to [fd00::1]:8080 weight 100 state active\n",
	      "both have backends of their own");
	add(&now, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, NULL);
	add(&now, "0.0.0.0", WATTLE_SCOPE_ANY, NULL);
	add(&want, "0.0.0.0", WATTLE_SCOPE_ANY, NULL);
	add(&want, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, NULL);
	add_backend(&now, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, "10.0.0.2");
	add_backend(&now, "0.0.0.0", WATTLE_SCOPE_ANY, "10.0.0.2");
	add_backend(&want, "0.0.0.0", WATTLE_SCOPE_ANY, "10.0.0.2");
	plans(&now, &want, "- backend 0.0.0.0:80/tcp scope outside to 10.0.0.2:8080\n",
	      "and lose them each for itself");
	add(&now, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, NULL);
	add(&now, "0.0.0.0", WATTLE_SCOPE_ANY, NULL);
	add(&want, "0.0.0.0", WATTLE_SCOPE_ANY, NULL);
	add_backend(&now, "0.0.0.0", WATTLE_SCOPE_OUTSIDE, "10.0.0.2");
	plans(&now, &want, "- service 0.0.0.0:80/tcp scope outside\n", "or with their frontend");
}

/* A backend that gets no new connections, and one more if @there. */
static void want_idle(struct state *now, struct state *want, bool there)
{
	add(now, "10.0.0.1", WATTLE_SCOPE_ANY, NULL);
	add(want, "10.0.0.1", WATTLE_SCOPE_ANY, NULL);
	if (there)
		add_backend(now, "10.0.0.1", WATTLE_SCOPE_ANY, "10.0.0.2");
	add_backend(want, "10.0.0.1", WATTLE_SCOPE_ANY, "10.0.0.2");
	want->backend.at[0].weight = 0;
	want->backend.at[0].state = WATTLE_BACKEND_STATE_TERMINATING;
}

static void test_idle(void)
{
	struct state now = {}, want = {};

	want_idle(&now, &want, false);
	plans(&now, &want, "", "who gets nothing and has nothing does not come");
	want_idle(&now, &want, true);
	plans(&now, &want, "~ backend 10.0.0.1:80/tcp to 10.0.0.2:8080 weight 0 state terminating\n",
	      "who is there keeps what he has");
	want_idle(&now, &want, true);
	now.backend.at[0] = want.backend.at[0];
	plans(&now, &want, "", "and then stays so");
}

int main(void)
{
	test_services();
	test_scopes();
	test_idle();
	kernel_close();
	return tap_end();
}
