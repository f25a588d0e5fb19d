// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong, on stderr: object, attribute, reason. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

/* What names the object of a call: the first value that stands without a key. */
static const struct value *call_key(const struct call *call)
{
	unsigned int i;

	if (!call->verb)
		return NULL;
	for (i = 0; i < call->verb->count; i++) {
		const struct param *param = &call->verb->params[i];

		if (!param->key && param->kind != KIND_CHOICE)
			return call->first[param->slot];
	}
	return NULL;
}

static size_t report_where(const struct call *call, char *text, size_t size)
{
	const struct value *key;
	size_t len;

	if (call && call->file)
		len = snprintf(text, size, "%.200s:%u: ", call->file, call->line);
	else
		len = snprintf(text, size, "wattlectl: ");
	if (!call || !call->object)
		return len;
	len += snprintf(text + len, size - len, "%s", call->object->name);
	key = call_key(call);
	if (key)
		len += snprintf(text + len, size - len, " %.128s", key->text);
	if (key && key->param->kind == KIND_PEER && key->peer.id)
		len += snprintf(text + len, size - len, " %u", key->peer.id);
	if (!key && given(call, SLOT_ID))
		len += snprintf(text + len, size - len, " id %.16s",
				value_of(call, SLOT_ID)->text);
	return len + snprintf(text + len, size - len, ": ");
}

void report(const struct call *call, const char *attr, const char *fmt, ...)
{
	char text[1024], *c;
	va_list args;
	size_t len;

	len = report_where(call, text, sizeof(text));
	if (attr && *attr)
		len += snprintf(text + len, sizeof(text) - len, "%.80s: ", attr);
	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	/* Words of the input may be in it: nothing that a terminal obeys. */
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "%s\n", text);
}

/* The last word of a path of attributes that this call has a key for, else the path. */
static const char *report_attr(const struct wattle_error *err)
{
	return strncmp(err->attr, "rule.", 5) ? err->attr : err->attr + 5;
}

void report_error(const struct call *call, const struct wattle_error *err)
{
	const char *hint = "";

	if (err->code == ENODEV && strstr(err->text, "no wattle device"))
		hint = " (wattlectl device add NAME)";
	report(call, report_attr(err), "%s%s%s", err->text, hint,
	       err->missing && !strstr(err->text, "missing") ? " (it is missing)" : "");
}
