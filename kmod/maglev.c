// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): each backend prefers the
 * slots of the table in an order of its own, and they take turns to choose. One that goes
 * leaves its slots to the others and disturbs few of theirs.
 *
 * All of it follows from the backends' addresses: the tables of two nodes are the
 * same. With weights, a backend takes a turn when it has saved up for one: each round gives
 * it its weight, and a turn costs the largest weight.
 */

#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/sched.h>
#include "service.h"
#include "alloc.h"

#define WATTLE_MAGLEV_SEED_OFFSET	0x57617474
#define WATTLE_MAGLEV_SEED_SKIP		0x6c652121

/* Where a backend stands in its order of slots. */
struct wattle_maglev_order {
	u32 slot;
	u32 skip;
	u32 saved;
};

static u32 wattle_maglev_hash(const struct wattle_backend *backend, u32 seed)
{
	u32 words[5];

	memcpy(words, &backend->addr, sizeof(backend->addr));
	words[4] = ntohs(backend->port);
	return jhash2(words, ARRAY_SIZE(words), seed);
}

static void wattle_maglev_set(void *table, u8 width, u32 slot, u32 value)
{
	switch (width) {
	case 1:
		((u8 *)table)[slot] = value;
		break;
	case 2:
		((u16 *)table)[slot] = value;
		break;
	default:
		((u32 *)table)[slot] = value;
	}
}

/* The next free slot in a backend's order; @size is a prime, so it comes by all. */
static u32 wattle_maglev_take(struct wattle_maglev_order *order, unsigned long *taken, u32 size)
{
	u32 slot = order->slot;

	while (__test_and_set_bit(slot, taken)) {
		slot += order->skip;
		if (slot >= size)
			slot -= size;
	}
	order->slot = slot + order->skip;
	if (order->slot >= size)
		order->slot -= size;
	return slot;
}

static void wattle_maglev_turns(void *table, u8 width, u32 size,
				const struct wattle_backend *backends, u32 count,
				struct wattle_maglev_order *orders, unsigned long *taken,
				u32 turn)
{
	u32 filled = 0, i;

	for (;;) {
		for (i = 0; i < count; i++) {
			orders[i].saved += backends[i].weight;
			if (orders[i].saved < turn)
				continue;
			orders[i].saved -= turn;
			wattle_maglev_set(table, width,
					  wattle_maglev_take(&orders[i], taken, size), i);
			if (++filled == size)
				return;
		}
		cond_resched();
	}
}

/**
 * wattle_maglev_fill() - make a look-up table
 * @table: to be filled
 * @width: bytes of an entry, 1, 2 or 4; @count indices have to fit
 * @size: entries; a prime
 * @backends: to choose from, each with a weight
 * @count: how many; not 0
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int wattle_maglev_fill(void *table, u8 width, u32 size, const struct wattle_backend *backends,
		       u32 count)
{
	struct wattle_maglev_order *orders;
	unsigned long *taken;
	u32 turn = 1, i;
	int err = -ENOMEM;

	orders = wattle_alloc_array(count, sizeof(*orders));
	taken = wattle_alloc_array(BITS_TO_LONGS(size), sizeof(*taken));
	if (!orders || !taken)
		goto out;
	for (i = 0; i < count; i++) {
		orders[i].slot = wattle_maglev_hash(&backends[i],
						    WATTLE_MAGLEV_SEED_OFFSET) % size;
		orders[i].skip = wattle_maglev_hash(&backends[i],
						    WATTLE_MAGLEV_SEED_SKIP) % (size - 1) + 1;
		turn = max_t(u32, turn, backends[i].weight);
	}
	wattle_maglev_turns(table, width, size, backends, count, orders, taken, turn);
	err = 0;
out:
	kvfree(taken);
	kvfree(orders);
	return err;
}
