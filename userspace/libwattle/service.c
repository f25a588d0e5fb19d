// SPDX-License-Identifier: GPL-2.0-only
/* Services and their backends. */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int wattle_service_put_key(struct nl_msg *msg, const struct wattle_frontend *frontend)
{
	if (wattle_put_addr(msg, WATTLE_A_SERVICE_ADDR, &frontend->addr) ||
	    nla_put_u16(msg, WATTLE_A_SERVICE_PORT, frontend->port) ||
	    nla_put_u8(msg, WATTLE_A_SERVICE_PROTO, frontend->proto))
		return -EMSGSIZE;
	if (frontend->scope && nla_put_u8(msg, WATTLE_A_SERVICE_SCOPE, frontend->scope))
		return -EMSGSIZE;
	return 0;
}

static int wattle_service_put_affinity(struct nl_msg *msg, const struct wattle_service *service)
{
	const struct wattle_frontend *with = &service->affinity_with;

	if (service->has_affinity &&
	    nla_put_u32(msg, WATTLE_A_SERVICE_AFFINITY, service->affinity))
		return -EMSGSIZE;
	if (with->port && (wattle_put_addr(msg, WATTLE_A_SERVICE_AFFINITY_ADDR, &with->addr) ||
			   nla_put_u16(msg, WATTLE_A_SERVICE_AFFINITY_PORT, with->port)))
		return -EMSGSIZE;
	return 0;
}

int wattle_service_encode(struct nl_msg *msg, enum wattle_how how,
			  const struct wattle_service *service)
{
	unsigned int i;

	wattle_msg_change(msg, how, WATTLE_CMD_SERVICE_NEW, WATTLE_CMD_SERVICE_DEL);
	if (wattle_service_put_key(msg, &service->frontend))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	if ((service->has_alg && nla_put_u8(msg, WATTLE_A_SERVICE_ALG, service->alg)) ||
	    wattle_service_put_affinity(msg, service) ||
	    (service->maglev_size &&
	     nla_put_u32(msg, WATTLE_A_SERVICE_MAGLEV_SIZE, service->maglev_size)) ||
	    (service->has_empty && nla_put_u8(msg, WATTLE_A_SERVICE_EMPTY, service->empty)) ||
	    (service->has_source_policy &&
	     nla_put_u8(msg, WATTLE_A_SERVICE_SOURCE_POLICY, service->source_policy)) ||
	    (service->has_dsr && nla_put_u8(msg, WATTLE_A_SERVICE_DSR, service->dsr)))
		return -EMSGSIZE;
	for (i = 0; i < service->source_count; i++)
		if (wattle_put_prefix(msg, WATTLE_A_SERVICE_SOURCE, &service->source[i]))
			return -EMSGSIZE;
	return 0;
}

int wattle_service_ask(struct nl_msg *msg, const struct wattle_frontend *frontend)
{
	wattle_msg_begin(msg, WATTLE_CMD_SERVICE_GET, 0);
	return frontend ? wattle_service_put_key(msg, frontend) : 0;
}

int wattle_service_ask_counters(struct nl_msg *msg, const struct wattle_frontend *frontend)
{
	if (wattle_service_ask(msg, frontend))
		return -EMSGSIZE;
	return nla_put_flag(msg, WATTLE_A_SERVICE_COUNTERS) ? -EMSGSIZE : 0;
}

static int wattle_service_get_sources(const struct nlmsghdr *nlh, struct wattle_service *service)
{
	unsigned int count = 0;
	struct nlattr *attr;
	int rest;

	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest)
		count += nla_type(attr) == WATTLE_A_SERVICE_SOURCE;
	if (!count)
		return 0;
	service->source = calloc(count, sizeof(*service->source));
	if (!service->source)
		return -ENOMEM;
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, rest)
		if (nla_type(attr) == WATTLE_A_SERVICE_SOURCE)
			wattle_get_prefix(&service->source[service->source_count++], attr);
	return 0;
}

static void wattle_service_get_affinity(struct nlattr **tb, struct wattle_service *service)
{
	service->has_affinity = tb[WATTLE_A_SERVICE_AFFINITY];
	service->affinity = wattle_get_u32(tb[WATTLE_A_SERVICE_AFFINITY]);
	if (!tb[WATTLE_A_SERVICE_AFFINITY_PORT])
		return;
	wattle_get_addr(&service->affinity_with.addr, tb[WATTLE_A_SERVICE_AFFINITY_ADDR]);
	service->affinity_with.port = wattle_get_u16(tb[WATTLE_A_SERVICE_AFFINITY_PORT]);
	service->affinity_with.proto = service->frontend.proto;
}

int wattle_service_parse(const struct nlmsghdr *nlh, struct wattle_service *service)
{
	struct nlattr *tb[WATTLE_A_SERVICE_MAX + 1];

	memset(service, 0, sizeof(*service));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_SERVICE_MAX))
		return -EBADMSG;
	wattle_get_addr(&service->frontend.addr, tb[WATTLE_A_SERVICE_ADDR]);
	service->frontend.port = wattle_get_u16(tb[WATTLE_A_SERVICE_PORT]);
	service->frontend.proto = wattle_get_u8(tb[WATTLE_A_SERVICE_PROTO]);
	service->frontend.scope = wattle_get_u8(tb[WATTLE_A_SERVICE_SCOPE]);
	service->has_alg = tb[WATTLE_A_SERVICE_ALG];
	service->alg = wattle_get_u8(tb[WATTLE_A_SERVICE_ALG]);
	wattle_service_get_affinity(tb, service);
	service->maglev_size = wattle_get_u32(tb[WATTLE_A_SERVICE_MAGLEV_SIZE]);
	service->has_empty = tb[WATTLE_A_SERVICE_EMPTY];
	service->empty = wattle_get_u8(tb[WATTLE_A_SERVICE_EMPTY]);
	service->has_source_policy = tb[WATTLE_A_SERVICE_SOURCE_POLICY];
	service->source_policy = wattle_get_u8(tb[WATTLE_A_SERVICE_SOURCE_POLICY]);
	service->has_dsr = tb[WATTLE_A_SERVICE_DSR];
	service->dsr = wattle_get_u8(tb[WATTLE_A_SERVICE_DSR]);
	service->backends = wattle_get_u32(tb[WATTLE_A_SERVICE_BACKENDS]);
	service->usable = wattle_get_u32(tb[WATTLE_A_SERVICE_USABLE]);
	service->id = wattle_get_u32(tb[WATTLE_A_SERVICE_ID]);
	service->connections = wattle_get_u64(tb[WATTLE_A_SERVICE_CONNECTIONS]);
	service->refused = wattle_get_u64(tb[WATTLE_A_SERVICE_REFUSED]);
	service->in.packets = wattle_get_u64(tb[WATTLE_A_SERVICE_IN_PACKETS]);
	service->in.bytes = wattle_get_u64(tb[WATTLE_A_SERVICE_IN_BYTES]);
	service->out.packets = wattle_get_u64(tb[WATTLE_A_SERVICE_OUT_PACKETS]);
	service->out.bytes = wattle_get_u64(tb[WATTLE_A_SERVICE_OUT_BYTES]);
	service->time = wattle_get_u64(tb[WATTLE_A_SERVICE_TIME]);
	return wattle_service_get_sources(nlh, service);
}

void wattle_service_release(struct wattle_service *service)
{
	free(service->source);
	service->source = NULL;
	service->source_count = 0;
}

static int wattle_backend_put_service(struct nl_msg *msg, const struct wattle_frontend *service)
{
	if (wattle_put_addr(msg, WATTLE_A_BACKEND_SERVICE_ADDR, &service->addr) ||
	    nla_put_u16(msg, WATTLE_A_BACKEND_SERVICE_PORT, service->port) ||
	    nla_put_u8(msg, WATTLE_A_BACKEND_SERVICE_PROTO, service->proto))
		return -EMSGSIZE;
	if (service->scope && nla_put_u8(msg, WATTLE_A_BACKEND_SERVICE_SCOPE, service->scope))
		return -EMSGSIZE;
	return 0;
}

int wattle_backend_encode(struct nl_msg *msg, enum wattle_how how,
			  const struct wattle_backend *backend)
{
	wattle_msg_change(msg, how, WATTLE_CMD_BACKEND_NEW, WATTLE_CMD_BACKEND_DEL);
	if (wattle_backend_put_service(msg, &backend->service) ||
	    wattle_put_addr(msg, WATTLE_A_BACKEND_ADDR, &backend->addr) ||
	    nla_put_u16(msg, WATTLE_A_BACKEND_PORT, backend->port))
		return -EMSGSIZE;
	if (how == WATTLE_DEL)
		return 0;
	if ((backend->has_weight && nla_put_u16(msg, WATTLE_A_BACKEND_WEIGHT, backend->weight)) ||
	    (backend->has_state && nla_put_u8(msg, WATTLE_A_BACKEND_STATE, backend->state)))
		return -EMSGSIZE;
	return 0;
}

int wattle_backend_ask(struct nl_msg *msg, const struct wattle_frontend *service)
{
	wattle_msg_begin(msg, WATTLE_CMD_BACKEND_GET, 0);
	return service ? wattle_backend_put_service(msg, service) : 0;
}

int wattle_backend_ask_counters(struct nl_msg *msg, const struct wattle_frontend *service)
{
	if (wattle_backend_ask(msg, service))
		return -EMSGSIZE;
	return nla_put_flag(msg, WATTLE_A_BACKEND_COUNTERS) ? -EMSGSIZE : 0;
}

int wattle_backend_parse(const struct nlmsghdr *nlh, struct wattle_backend *backend)
{
	struct nlattr *tb[WATTLE_A_BACKEND_MAX + 1];

	memset(backend, 0, sizeof(*backend));
	if (wattle_attrs_parse(nlh, tb, WATTLE_A_BACKEND_MAX))
		return -EBADMSG;
	wattle_get_addr(&backend->service.addr, tb[WATTLE_A_BACKEND_SERVICE_ADDR]);
	backend->service.port = wattle_get_u16(tb[WATTLE_A_BACKEND_SERVICE_PORT]);
	backend->service.proto = wattle_get_u8(tb[WATTLE_A_BACKEND_SERVICE_PROTO]);
	backend->service.scope = wattle_get_u8(tb[WATTLE_A_BACKEND_SERVICE_SCOPE]);
	wattle_get_addr(&backend->addr, tb[WATTLE_A_BACKEND_ADDR]);
	backend->port = wattle_get_u16(tb[WATTLE_A_BACKEND_PORT]);
	backend->has_weight = tb[WATTLE_A_BACKEND_WEIGHT];
	backend->weight = wattle_get_u16(tb[WATTLE_A_BACKEND_WEIGHT]);
	backend->has_state = tb[WATTLE_A_BACKEND_STATE];
	backend->state = wattle_get_u8(tb[WATTLE_A_BACKEND_STATE]);
	backend->connections = wattle_get_u64(tb[WATTLE_A_BACKEND_CONNECTIONS]);
	backend->in.packets = wattle_get_u64(tb[WATTLE_A_BACKEND_IN_PACKETS]);
	backend->in.bytes = wattle_get_u64(tb[WATTLE_A_BACKEND_IN_BYTES]);
	backend->out.packets = wattle_get_u64(tb[WATTLE_A_BACKEND_OUT_PACKETS]);
	backend->out.bytes = wattle_get_u64(tb[WATTLE_A_BACKEND_OUT_BYTES]);
	backend->has_live = tb[WATTLE_A_BACKEND_LIVE];
	backend->live = wattle_get_u32(tb[WATTLE_A_BACKEND_LIVE]);
	return 0;
}
