// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output. What is shown is a JSON object; a table is columns of it, so both tell
 * the same. Arrays are written as they come: there may be a million of objects.
 */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "wattlectl.h"

/**
 * struct show - a list on its way out
 * @columns: of the table; ends with a NULL head
 * @table: NULL where JSON is written
 * @rows: how many have come
 */
struct show {
	const struct column *columns;
	struct libscols_table *table;
	unsigned long rows;
};

static size_t json_flags(void)
{
	return JSON_ENCODE_ANY | (options.pretty ? JSON_INDENT(4) : JSON_COMPACT);
}

/* ---- tables ---- */

static bool show_columns(struct show *show)
{
	const struct column *column;

	scols_init_debug(0);
	show->table = scols_new_table();
	if (!show->table)
		return false;
	scols_table_enable_noheadings(show->table, 0);
	scols_table_set_column_separator(show->table, "  ");
	for (column = show->columns; column->head; column++)
		if (!scols_table_new_column(show->table, column->head, 0, 0))
			return false;
	return true;
}

/* A value as a cell has it; arrays are joined, of objects the first member. */
static void cell_append(FILE *out, const json_t *value)
{
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		fputs(json_string_value(value), out);
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_TRUE:
		fputs("yes", out);
		break;
	case JSON_FALSE:
		fputs("no", out);
		break;
	case JSON_ARRAY:
		if (!json_array_size(value))
			fputc('-', out);
		for (i = 0; i < json_array_size(value); i++) {
			if (i)
				fputc(',', out);
			cell_append(out, json_array_get(value, i));
		}
		break;
	case JSON_OBJECT:
		cell_append(out, json_object_iter_value(json_object_iter((json_t *)value)));
		break;
	default:
		fputc('-', out);
	}
}

static char *cell_text(const json_t *value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (value)
		cell_append(out, value);
	else
		fputc('-', out);
	fclose(out);
	return text;
}

static int show_cells(struct show *show, const json_t *object)
{
	struct libscols_line *line = scols_table_new_line(show->table, NULL);
	size_t i;

	if (!line)
		return -ENOMEM;
	for (i = 0; show->columns[i].head; i++) {
		char *text = cell_text(json_object_get(object, show->columns[i].key));

		if (!text || scols_line_refer_data(line, i, text))
			return -ENOMEM;
	}
	return 0;
}

/* ---- lists ---- */

struct show *show_begin(const struct column *columns)
{
	struct show *show = calloc(1, sizeof(*show));

	if (!show)
		return NULL;
	show->columns = columns;
	if (options.json) {
		putchar('[');
		return show;
	}
	if (!show_columns(show)) {
		scols_unref_table(show->table);
		free(show);
		return NULL;
	}
	return show;
}

/* One of many, its first line brought in as far as the others. */
static int show_element(struct show *show, const json_t *object)
{
	char *text = json_dumps(object, json_flags()), *line, *rest;

	if (!text)
		return -ENOMEM;
	if (show->rows)
		putchar(',');
	for (rest = text; (line = strsep(&rest, "\n"));) {
		if (options.pretty)
			fputs("\n    ", stdout);
		fputs(line, stdout);
	}
	free(text);
	return ferror(stdout) ? -EPIPE : 0;
}

int show_row(struct show *show, json_t *object)
{
	int err;

	if (!object)
		return -ENOMEM;
	err = show->table ? show_cells(show, object) : show_element(show, object);
	json_decref(object);
	show->rows++;
	return err;
}

int show_end(struct show *show)
{
	int err = 0;

	if (!show->table)
		fputs(options.pretty && show->rows ? "\n]\n" : "]\n", stdout);
	else if (show->rows)
		err = scols_print_table(show->table);
	scols_unref_table(show->table);
	free(show);
	return err;
}

/* ---- one object ---- */

static void show_pairs(const json_t *object)
{
	json_t *o = (json_t *)object;
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {
		char *text = cell_text(value);

		printf("%-12s %s\n", key, text ? text : "");
		free(text);
	}
}

int show_object(json_t *object)
{
	if (!object)
		return EXIT_REFUSED;
	if (options.json) {
		json_dumpf(object, stdout, json_flags());
		putchar('\n');
	} else {
		show_pairs(object);
	}
	json_decref(object);
	return EXIT_DONE;
}

int show_line(json_t *object)
{
	if (!object)
		return -ENOMEM;
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return fflush(stdout) ? -EPIPE : 0;
}

/* ---- what the kernel tells ---- */

/* @row: the last one, not shown yet: its @list may go on in the next message. */
struct shower {
	const struct column *columns;
	const char *list;
	struct show *show;
	row_fn *make;
	json_t *row;
	bool failed;
};

static void show_held(struct shower *shower)
{
	/* Begun late: a refusal must not leave half an array behind. */
	if (!shower->show)
		shower->show = show_begin(shower->columns);
	if (!shower->show)
		json_decref(shower->row);
	shower->failed |= !shower->show || (shower->row && show_row(shower->show, shower->row));
	shower->row = NULL;
}

static bool show_goes_on(const struct shower *shower, const json_t *more)
{
	const char *key = shower->columns[0].key;

	return shower->list && shower->row &&
	       json_equal(json_object_get(shower->row, key), json_object_get(more, key)) &&
	       !json_array_extend(json_object_get(shower->row, shower->list),
				  json_object_get(more, shower->list));
}

static int show_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct shower *shower = arg;
	json_t *row = shower->make(nlh);

	if (!row)
		return 0;
	if (show_goes_on(shower, row)) {
		json_decref(row);
		return 0;
	}
	if (shower->row)
		show_held(shower);
	shower->row = row;
	return shower->failed;
}

int show_dump_lists(struct call *call, struct nl_msg *msg, bool one,
		    const struct column *columns, row_fn *row, const char *list)
{
	struct wattle_sock *sock = family(call);
	struct shower shower = { .columns = columns, .make = row, .list = list };
	struct wattle_error err;
	int code;

	if (!sock)
		return EXIT_REFUSED;
	code = one ? wattle_call(sock, msg, show_reply, &shower, &err) :
		     wattle_dump(sock, msg, show_reply, &shower, &err);
	if (code < 0) {
		report_error(call, &err);
		return EXIT_REFUSED;
	}
	show_held(&shower);
	if (!shower.show || show_end(shower.show) || shower.failed) {
		if (!ferror(stdout))
			report(call, NULL, "out of memory");
		return EXIT_REFUSED;
	}
	if (code > 0)
		report(call, NULL, "the tables changed all the time: this may be no state that ever was");
	return EXIT_DONE;
}

int show_dump(struct call *call, struct nl_msg *msg, bool one, const struct column *columns,
	      row_fn *row)
{
	return show_dump_lists(call, msg, one, columns, row, NULL);
}

/* ---- values ---- */

json_t *json_addr(const struct wattle_addr *addr)
{
	char text[WATTLE_ADDR_STRLEN];

	return addr->len ? json_string(wattle_addr_text(text, addr)) : json_null();
}

json_t *json_prefix(const struct wattle_prefix *prefix)
{
	char text[WATTLE_PREFIX_STRLEN];

	return json_string(wattle_prefix_text(text, prefix));
}

json_t *json_sockaddr(const struct wattle_addr *addr, uint16_t port)
{
	char text[WATTLE_SOCKADDR_STRLEN];

	return addr->len ? json_string(wattle_sockaddr_text(text, addr, port)) : json_null();
}

json_t *json_frontend(const struct wattle_frontend *frontend)
{
	char text[WATTLE_FRONTEND_STRLEN];

	return frontend->addr.len ? json_string(wattle_frontend_text(text, frontend)) :
				    json_null();
}

void json_carried(json_t *object, const struct wattle_carried *in, const struct wattle_carried *out)
{
	json_object_set_new(object, "in_packets", json_integer(in->packets));
	json_object_set_new(object, "in_bytes", json_integer(in->bytes));
	json_object_set_new(object, "out_packets", json_integer(out->packets));
	json_object_set_new(object, "out_bytes", json_integer(out->bytes));
}

void json_backend_counted(json_t *object, const struct wattle_backend *backend)
{
	json_object_set_new(object, "connections", json_integer(backend->connections));
	json_object_set_new(object, "live", backend->has_live ? json_integer(backend->live) :
								json_null());
	json_carried(object, &backend->in, &backend->out);
}

json_t *json_proto(uint8_t proto)
{
	char text[WATTLE_PROTO_STRLEN];

	return json_string(wattle_proto_text(text, proto));
}

/* Names come from outside: what is not UTF-8 is shown without those bytes. */
json_t *json_text(const char *text)
{
	json_t *string;
	char *ascii, *c;

	if (!*text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	ascii = strdup(text);
	for (c = ascii; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return string;
}

json_t *json_dev(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	return ifindex && if_indextoname(ifindex, name) ? json_text(name) : json_null();
}
