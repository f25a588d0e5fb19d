// SPDX-License-Identifier: GPL-2.0-only
/* Refusals: what the kernel said, in words. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

int wattle_error_set(struct wattle_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -code;
	memset(err, 0, sizeof(*err));
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -code;
}

static const char *wattle_error_words(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return "not permitted: this needs CAP_NET_ADMIN in the user namespace that owns the network namespace";
	case ENODEV:
		return "there is no wattle device in this network namespace";
	case EEXIST:
		return "exists already";
	case ENOENT:
		return "there is no such thing";
	case EBUSY:
		return "busy: somebody else has a transaction open";
	case ENOBUFS:
		return "more answers came than the socket holds";
	default:
		return strerror(code);
	}
}

/* Attributes of the extended acknowledgment, and how long they are. */
static const struct nlattr *wattle_error_attrs(const struct nlmsghdr *nlh, int *len)
{
	const struct nlmsgerr *e = NLMSG_DATA(nlh);
	size_t start;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (nlh->nlmsg_type == NLMSG_DONE) {
		start = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(int));
	} else {
		start = NLMSG_HDRLEN + sizeof(*e);
		if (start > nlh->nlmsg_len)
			return NULL;
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
			start += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (start >= nlh->nlmsg_len || nlh->nlmsg_len - start > INT_MAX)
		return NULL;
	*len = nlh->nlmsg_len - start;
	return (const void *)((const char *)nlh + start);
}

int wattle_error_parse(struct wattle_error *err, const struct nlmsghdr *nlh,
		       const struct nlmsghdr *request)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = {};
	const struct nlattr *attrs;
	int code, len;

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(code)))
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : wattle_error_set(err, EBADMSG, "answer cut short");
	memcpy(&code, NLMSG_DATA(nlh), sizeof(code));
	if (code >= 0)
		return 0;
	wattle_error_set(err, -code, "%s", wattle_error_words(-code));
	attrs = wattle_error_attrs(nlh, &len);
	if (!err || !attrs || nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)attrs, len, NULL))
		return code;
	if (tb[NLMSGERR_ATTR_MSG] && nla_len(tb[NLMSGERR_ATTR_MSG]) > 1)
		wattle_get_text(err->text, sizeof(err->text), tb[NLMSGERR_ATTR_MSG]);
	if (!request)
		return code;
	if (tb[NLMSGERR_ATTR_MISS_TYPE])
		err->missing = wattle_attr_missing(request,
						   wattle_get_u32(tb[NLMSGERR_ATTR_MISS_NEST]),
						   wattle_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]),
						   err->attr, sizeof(err->attr));
	if (!err->missing && tb[NLMSGERR_ATTR_OFFS])
		wattle_attr_at(request, wattle_get_u32(tb[NLMSGERR_ATTR_OFFS]), err->attr,
			       sizeof(err->attr));
	return code;
}
