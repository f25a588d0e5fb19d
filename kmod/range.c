// SPDX-License-Identifier: GPL-2.0-only
/* Service ranges: prefixes that the addresses of services are from. */

#include "range.h"
#include "alloc.h"

static struct wattle_range *wattle_range_of(struct wattle_lpm_entry *entry)
{
	return entry ? container_of(entry, struct wattle_range, entry) : NULL;
}

bool wattle_range_has(const struct wattle_ranges *ranges, const struct in6_addr *addr, u64 gen)
{
	return wattle_lpm_lookup(&ranges->by_prefix, addr, gen);
}

static void wattle_range_unlink(void *table, void *object)
{
	struct wattle_ranges *ranges = table;
	struct wattle_range *range = object;

	wattle_lpm_remove(&ranges->by_prefix, &range->prefix, &range->entry);
}

static void wattle_range_revive(void *table, void *object)
{
	struct wattle_range *range = object;

	WRITE_ONCE(range->entry.life.died, WATTLE_FOREVER);
}

static void wattle_range_free(void *table, void *object)
{
	kfree(object);
}

static const struct wattle_kind_ops wattle_range_ops = {
	.withdraw = wattle_range_unlink,
	.revive = wattle_range_revive,
	.unlink = wattle_range_unlink,
	.free = wattle_range_free,
};

/**
 * wattle_ranges_init() - make an empty table
 * @ranges: the table
 * @log: logs its changes
 *
 * Context: any.
 */
void wattle_ranges_init(struct wattle_ranges *ranges, struct wattle_log *log)
{
	wattle_lpm_init(&ranges->by_prefix, log->lock);
	wattle_log_kind(log, WATTLE_KIND_RANGE, &wattle_range_ops, ranges);
}

static void wattle_range_destroy(struct wattle_lpm_entry *entry)
{
	kfree(wattle_range_of(entry));
}

/**
 * wattle_ranges_exit() - free a table that nobody reads any more
 * @ranges: the table
 *
 * Context: may sleep; nothing is in the log, nor waits for reclaim.
 */
void wattle_ranges_exit(struct wattle_ranges *ranges)
{
	wattle_lpm_exit(&ranges->by_prefix, wattle_range_destroy);
}

static int wattle_range_check(const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	int err = wattle_prefix_check(prefix, WATTLE_FIELD_CIDR, 0, why);

	if (err)
		return err;
	if (prefix->len == (wattle_addr_is_v4(&prefix->addr) ? 96 : 0))
		return wattle_refuse(why, -EINVAL, WATTLE_FIELD_CIDR,
				     "a range of all addresses leaves none to anybody else");
	return 0;
}

static struct wattle_range *wattle_range_find(const struct wattle_ranges *ranges,
					      const struct wattle_prefix *prefix, u64 gen)
{
	return wattle_range_of(wattle_lpm_find(&ranges->by_prefix, prefix, gen));
}

/**
 * wattle_range_add() - stage a range
 * @ranges: table
 * @log: the change
 * @prefix: the range
 * @replace: it may be there already
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_range_add(struct wattle_ranges *ranges, struct wattle_log *log,
		     const struct wattle_prefix *prefix, bool replace, struct wattle_refusal *why)
{
	struct wattle_range *range;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_range_check(prefix, why);
	if (err)
		return err;
	if (wattle_range_find(ranges, prefix, log->next))
		return replace ? 0 : wattle_refuse(why, -EEXIST, WATTLE_FIELD_CIDR,
						   "there is that range already");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	range = wattle_alloc(sizeof(*range));
	if (!range)
		return wattle_refuse_nomem(why);
	range->entry.life.born = log->next;
	range->entry.life.died = WATTLE_FOREVER;
	range->prefix = *prefix;
	if (wattle_lpm_insert(&ranges->by_prefix, prefix, &range->entry)) {
		kfree(range);
		return wattle_refuse_nomem(why);
	}
	wattle_log_push(log, WATTLE_OP_ADD, WATTLE_KIND_RANGE, range);
	return 0;
}

/**
 * wattle_range_del() - stage the end of a range
 * @ranges: table
 * @log: the change
 * @prefix: that very prefix
 * @why: why not
 *
 * Context: writer.
 * Return: 0 or a negative errno.
 */
int wattle_range_del(struct wattle_ranges *ranges, struct wattle_log *log,
		     const struct wattle_prefix *prefix, struct wattle_refusal *why)
{
	struct wattle_range *range;
	int err;

	lockdep_assert_held(log->lock);

	err = wattle_range_check(prefix, why);
	if (err)
		return err;
	range = wattle_range_find(ranges, prefix, log->next);
	if (!range)
		return wattle_refuse(why, -ENOENT, WATTLE_FIELD_CIDR,
				     "there is no such range");
	if (wattle_log_reserve(log))
		return wattle_refuse_nomem(why);
	WRITE_ONCE(range->entry.life.died, log->next);
	wattle_log_push(log, WATTLE_OP_DEL, WATTLE_KIND_RANGE, range);
	return 0;
}
