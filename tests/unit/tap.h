/* SPDX-License-Identifier: GPL-2.0-only */
/* For the programs in tests/unit: results as TAP. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_results, tap_failures;

/* The next result. */
static __attribute__((format(printf, 2, 3))) void ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++tap_results);
	tap_failures += !good;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* There are no more: what main() returns. */
static int tap_end(void)
{
	printf("1..%u\n", tap_results);
	return tap_failures ? 1 : 0;
}

#endif /* TAP_H */
