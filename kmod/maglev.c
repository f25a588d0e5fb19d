// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): each backend prefers the
 * slots of the table in an order of its own, and they take turns to choose. One that goes
 * leaves its slots to the others and disturbs few of theirs.
 *
 * There, a backend that comes to a slot of another looks for its next free one at once. Who
 * has which slot then hangs on who came by first, all through the table: what one that goes
 * disturbs grows with the square of their number. Here its turn is over, and a slot goes to
 * the one that has it earliest in its order, whoever else there is. What chance makes of
 * the shares is bounded by the room of each, see wattle_maglev_make_room().
 *
 * All of it follows from the backends' addresses: the tables of two nodes are the
 * same. With weights, a backend takes a turn when it has saved up for one: each round gives
 * it its weight, and a turn costs the largest weight.
 */

#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include "service.h"
#include "alloc.h"

#define WATTLE_MAGLEV_SEED_OFFSET	0x57617474
#define WATTLE_MAGLEV_SEED_SKIP		0x6c652121

/* Where a backend stands in its order of slots. */
struct wattle_maglev_order {
	u32 backend;	/* index */
	u32 weight;
	u32 slot;
	u32 skip;
	u32 saved;
	u32 room;	/* slots that it may still take */
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

/*
 * How many slots each backend may take: its share of @size, and with many backends more.
 * One of N that goes leaves M/N^2 of M slots to each of the others. Where that is much, shares
 * are exact. Where it is little, exact shares would have to be evened out again by moving
 * slots between the others, so there a share may grow by N^2/M sixteenths, up to an eighth.
 */
static void wattle_maglev_make_room(struct wattle_maglev_order *orders, u32 count, u32 size,
				    u64 total_weight)
{
	u64 more = min_t(u64, (u64)count * count, 2 * size);
	u32 left = size, i;

	for (i = 0; i < count; i++) {
		orders[i].room = div64_u64((u64)size * orders[i].weight, total_weight);
		left -= orders[i].room;
	}
	for (i = 0; i < count; i++)
		orders[i].room += div_u64(orders[i].room * more, 16 * size) + (i < left);
}

/* A turn: the next slot in a backend's order, if it is free. @size is a prime: it comes by all. */
static bool wattle_maglev_take(struct wattle_maglev_order *order, unsigned long *taken, u32 size,
			       u32 *slot)
{
	*slot = order->slot;
	order->slot += order->skip;
	if (order->slot >= size)
		order->slot -= size;
	if (__test_and_set_bit(*slot, taken))
		return false;
	order->room--;
	return true;
}

/* Who has no room any more leaves @orders, and turns are as the heaviest of the others needs. */
static void wattle_maglev_turns(void *table, u8 width, u32 size,
				struct wattle_maglev_order *orders, u32 count,
				unsigned long *taken, u32 turn)
{
	u32 filled = 0, heaviest, left, slot, i;

	for (;;) {
		heaviest = 1;
		left = 0;
		for (i = 0; i < count; i++) {
			struct wattle_maglev_order *order = &orders[i];

			if (!order->room)
				continue;
			order->saved += order->weight;
			if (order->saved >= turn) {
				order->saved -= turn;
				if (wattle_maglev_take(order, taken, size, &slot)) {
					wattle_maglev_set(table, width, slot, order->backend);
					if (++filled == size)
						return;
				}
			}
			heaviest = max(heaviest, order->weight);
			orders[left++] = *order;
		}
		count = left;
		turn = heaviest;
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
	u64 total_weight = 0;
	u32 turn = 1, i;
	int err = -ENOMEM;

	orders = wattle_alloc_array(count, sizeof(*orders));
	taken = wattle_alloc_array(BITS_TO_LONGS(size), sizeof(*taken));
	if (!orders || !taken)
		goto out;
	for (i = 0; i < count; i++) {
		orders[i].backend = i;
		orders[i].weight = backends[i].weight;
		orders[i].slot = wattle_maglev_hash(&backends[i],
						    WATTLE_MAGLEV_SEED_OFFSET) % size;
		orders[i].skip = wattle_maglev_hash(&backends[i],
						    WATTLE_MAGLEV_SEED_SKIP) % (size - 1) + 1;
		turn = max_t(u32, turn, backends[i].weight);
		total_weight += backends[i].weight;
	}
	wattle_maglev_make_room(orders, count, size, total_weight);
	wattle_maglev_turns(table, width, size, orders, count, taken, turn);
	err = 0;
out:
	kvfree(taken);
	kvfree(orders);
	return err;
}
