// SPDX-License-Identifier: GPL-2.0-only
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

static const struct param endpoint_params[] = {
	{ SLOT_DEV, KIND_DEV, PARAM_REQUIRED, NULL, NULL, NULL, 0, 0 },
	{ SLOT_POD, KIND_TEXT, 0, "pod", "NAMESPACE/NAME", NULL, 0, WATTLE_POD_MAX },
	{ SLOT_IP, KIND_ADDR, PARAM_MANY, "ip", NULL, NULL, 0, 0 },
	{ SLOT_ID, KIND_NUMBER, 0, "id", NULL, NULL, 0, UINT32_MAX },
	{ SLOT_ENFORCE, KIND_CHOICE, 0, "enforce", NULL, words_enforce, 0, 0 },
};

static const struct param endpoint_show_params[] = {
	{ SLOT_DEV, KIND_DEV, 0, NULL, NULL, NULL, 0, 0 },
};

static const struct column endpoint_columns[] = {
	{ "DEV", "dev" }, { "POD", "pod" }, { "IP", "ip" }, { "ID", "id" },
	{ "ENFORCE", "enforce" }, { NULL, NULL }
};

static int endpoint_ips(struct call *call, struct wattle_endpoint *endpoint)
{
	const struct value *value;
	unsigned int count = 1;

	for (value = value_of(call, SLOT_IP); value; value = value->next)
		count++;
	endpoint->ip = calloc(count, sizeof(*endpoint->ip));
	if (!endpoint->ip) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	for (value = value_of(call, SLOT_IP); value; value = value->next)
		endpoint->ip[endpoint->ip_count++] = value->addr;
	return EXIT_DONE;
}

static int endpoint_learn_ips(struct call *call, struct wattle_endpoint *endpoint,
			      const struct note_pod *pod)
{
	free(endpoint->ip);
	endpoint->ip = calloc(pod->ip_count + 1, sizeof(*endpoint->ip));
	if (!endpoint->ip) {
		report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	memcpy(endpoint->ip, pod->ip, pod->ip_count * sizeof(*endpoint->ip));
	endpoint->ip_count = pod->ip_count;
	return EXIT_DONE;
}

/*
 * Where manifests have told who the pods are, the name of one is enough; and one that they
 * have not told of gets nothing until they do.
 */
static int endpoint_learn(struct call *call, struct wattle_endpoint *endpoint)
{
	const struct note_pod *pod;

	if (call->verb->how == WATTLE_DEL || !endpoint->pod[0] || endpoint->has_id)
		return EXIT_DONE;
	if (notes_unread(notes_known())) {
		report_error(call, notes_unread(notes_known()));
		return EXIT_REFUSED;
	}
	if (!notes_told(notes_known()))
		return EXIT_DONE;
	pod = notes_pod(notes_known(), endpoint->pod);
	endpoint->has_id = true;
	if (!pod || !pod->local) {
		endpoint->id = NOTE_UNKNOWN_POD;
		endpoint->enforce = WATTLE_ENFORCE_INGRESS | WATTLE_ENFORCE_EGRESS;
		return EXIT_DONE;
	}
	endpoint->id = pod->id;
	return endpoint->ip_count ? EXIT_DONE : endpoint_learn_ips(call, endpoint, pod);
}

static int endpoint_encode(struct call *call, struct nl_msg *msg)
{
	struct wattle_endpoint endpoint = {
		.id = number_of(call, SLOT_ID, 0),
		.has_id = given(call, SLOT_ID),
		.enforce = number_of(call, SLOT_ENFORCE, 0),
	};
	const char *pod = given(call, SLOT_POD) ? value_of(call, SLOT_POD)->text : "";
	int code;

	strcpy(endpoint.ifname, value_of(call, SLOT_DEV)->text);
	snprintf(endpoint.pod, sizeof(endpoint.pod), "%s", pod);
	if (*pod && (!strchr(pod, '/') || *pod == '/' || !strchr(pod, '/')[1])) {
		report(call, "pod", "%s is not NAMESPACE/NAME", pod);
		return EXIT_REFUSED;
	}
	endpoint.ifindex = if_nametoindex(endpoint.ifname);
	if (!endpoint.ifindex && call->verb->how != WATTLE_DEL) {
		report(call, "DEV", "there is no such network device in this network namespace");
		return EXIT_REFUSED;
	}
	code = endpoint_ips(call, &endpoint);
	if (!code)
		code = endpoint_learn(call, &endpoint);
	if (!code)
		code = wattle_endpoint_encode(msg, call->verb->how, &endpoint);
	wattle_endpoint_release(&endpoint);
	return code;
}

static json_t *endpoint_row(const struct nlmsghdr *nlh)
{
	struct wattle_endpoint endpoint;
	json_t *ips = json_array(), *object;
	unsigned int i;

	wattle_endpoint_parse(nlh, &endpoint);
	for (i = 0; i < endpoint.ip_count; i++)
		json_array_append_new(ips, json_addr(&endpoint.ip[i]));
	object = json_pack("{s:o, s:I, s:o, s:o, s:I, s:s}", "dev", json_text(endpoint.ifname),
			   "ifindex", (json_int_t)endpoint.ifindex, "pod", json_text(endpoint.pod),
			   "ip", ips, "id", (json_int_t)endpoint.id,
			   "enforce", choice_text(words_enforce, endpoint.enforce));
	wattle_endpoint_release(&endpoint);
	return object;
}

static int endpoint_show(struct call *call)
{
	const struct value *dev = value_of(call, SLOT_DEV);
	uint32_t ifindex = dev ? if_nametoindex(dev->text) : 0;

	if (dev && !ifindex) {
		report(call, "DEV", "there is no such network device in this network namespace");
		return EXIT_REFUSED;
	}
	wattle_endpoint_ask(scratch(), ifindex);
	return show_dump_lists(call, scratch(), dev, endpoint_columns, endpoint_row, "ip");
}

static const struct verb endpoint_verbs[] = {
	{
		.name = "add", .help = "make a network device the host's side of a pod",
		.params = endpoint_params, .count = ARRAY_SIZE(endpoint_params),
		.how = WATTLE_ADD, .encode = endpoint_encode, .routes = true,
	},
	{
		.name = "replace", .help = "the same, in place of what there is",
		.params = endpoint_params, .count = ARRAY_SIZE(endpoint_params),
		.how = WATTLE_REPLACE, .encode = endpoint_encode, .routes = true,
	},
	{
		.name = "del", .alias = "delete", .help = "let a device go",
		.params = endpoint_params, .count = 1,
		.how = WATTLE_DEL, .encode = endpoint_encode, .routes = true,
	},
	{
		.name = "show", .alias = "list", .help = "the pods of this node",
		.params = endpoint_show_params, .count = ARRAY_SIZE(endpoint_show_params),
		.run = endpoint_show,
	},
};

const struct object endpoint_object = {
	.name = "endpoint", .help = "the pods of this node",
	.verbs = endpoint_verbs, .count = ARRAY_SIZE(endpoint_verbs),
};
