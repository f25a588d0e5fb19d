// SPDX-License-Identifier: GPL-2.0-only
/* The names of reasons and counters. */

#include "reason.h"

#define WATTLE_X_NAME(name, str, help) [WATTLE_REASON_##name] = str,
#define WATTLE_X_HELP(name, str, help) [WATTLE_REASON_##name] = help,
static const char *const wattle_reason_names[] = { WATTLE_REASONS(WATTLE_X_NAME) };
static const char *const wattle_reason_helps[] = { WATTLE_REASONS(WATTLE_X_HELP) };
#undef WATTLE_X_NAME
#undef WATTLE_X_HELP

#define WATTLE_X_NAME(name, str, help) [WATTLE_COUNT_##name] = str,
#define WATTLE_X_HELP(name, str, help) [WATTLE_COUNT_##name] = help,
static const char *const wattle_counter_names[] = { WATTLE_COUNTERS(WATTLE_X_NAME) };
static const char *const wattle_counter_helps[] = { WATTLE_COUNTERS(WATTLE_X_HELP) };
#undef WATTLE_X_NAME
#undef WATTLE_X_HELP

/**
 * wattle_reason_name() - name of a reason, as users see it
 * @reason: the reason
 *
 * Context: any.
 * Return: the name; "unknown" for what is none.
 */
const char *wattle_reason_name(enum wattle_reason reason)
{
	return reason < WATTLE_REASON_COUNT ? wattle_reason_names[reason] : "unknown";
}

/**
 * wattle_reason_help() - what a reason means
 * @reason: the reason
 *
 * Context: any.
 * Return: a few words.
 */
const char *wattle_reason_help(enum wattle_reason reason)
{
	return reason < WATTLE_REASON_COUNT ? wattle_reason_helps[reason] : "";
}

/**
 * wattle_counter_name() - name of a counter, as users see it
 * @counter: the counter
 *
 * Context: any.
 * Return: the name; "unknown" for what is none.
 */
const char *wattle_counter_name(enum wattle_counter counter)
{
	return counter < WATTLE_COUNT_COUNT ? wattle_counter_names[counter] : "unknown";
}

/**
 * wattle_counter_help() - what a counter counts
 * @counter: the counter
 *
 * Context: any.
 * Return: a few words.
 */
const char *wattle_counter_help(enum wattle_counter counter)
{
	return counter < WATTLE_COUNT_COUNT ? wattle_counter_helps[counter] : "";
}
