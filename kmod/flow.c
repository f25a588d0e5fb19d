// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpu.h>
#include <linux/random.h>
#include <linux/workqueue.h>

#include "flow.h"
#include "stats.h"
#include "vxlan.h"

#define WATTLE_FLOW_STEP	4		/* how much larger, or smaller, at a time */
#define WATTLE_FLOW_SWEEP	(2 * HZ)	/* how often dead entries are looked for */
#define WATTLE_FLOW_IDLE	(30 * HZ)	/* after which an unused entry is let go */
#define WATTLE_FLOW_BATCH	64		/* entries copied at a time for flow show */
#define WATTLE_FLOW_CHUNK	4096		/* entries looked at with BH disabled */

/*
 * Both buckets are full. That happens to some of a table that is not, so it grows only when half
 * of it is used; what is in it are connections, for their first packets are not remembered. The
 * memory is charged to nobody, so it is not for devices in namespaces that anybody may make.
 */
static u32 wattle_flow_evict(struct wattle *w, struct wattle_flows *flows, u32 hash)
{
	struct wattle_flow_table *table = &flows->table;

	wattle_count(w, WATTLE_COUNT_CACHE_EVICTED, 1, 0);
	if (!READ_ONCE(flows->crowded) && table->used > wattle_flow_table_size(table) / 2 &&
	    table->mask + 1 < WATTLE_FLOW_BUCKETS_MAX && w->net->user_ns == &init_user_ns) {
		WRITE_ONCE(flows->crowded, true);
		schedule_work(&w->flow_grow);
	}
	return wattle_flow_table_victim(table, hash, flows->victim++);
}

bool wattle_flow_insert(struct wattle *w, struct wattle_flow *flow, u32 hash)
{
	struct wattle_flows *flows = this_cpu_ptr(w->flows);
	struct wattle_flow_table *table = &flows->table;
	int index = wattle_flow_table_place(table, &flow->key, hash);

	if (index < 0) {
		index = wattle_flow_evict(w, flows, hash);
	} else if (wattle_flow_table_has(table, index)) {
		flow->packets += table->flows[index].packets;
		flow->bytes += table->flows[index].bytes;
	}
	return wattle_flow_table_put(table, index, flow, hash);
}

/* An entry, as flow show tells it later: what it points to is the CPU's. */
struct wattle_flow_copy {
	struct wattle_flow flow;
	struct wattle_flow_action action;
	u32 index;
};

/*
 * Caches belong to their CPU: others that want to read or sweep one run there for a moment. A
 * CPU that is offline uses its own as little as we do.
 */
struct wattle_flow_visit {
	struct wattle *w;
	struct wattle_flows *flows;
	unsigned long (*function)(struct wattle_flow_visit *visit);
	u32 index;
	u32 count;
	struct wattle_flow_copy *copies;
	struct wattle_flow_table *table;
};

static long wattle_flow_visit_here(void *arg)
{
	struct wattle_flow_visit *visit = arg;
	long ret;

	local_bh_disable();
	ret = visit->function(visit);
	local_bh_enable();
	return ret;
}

static long wattle_flow_visit_cpu(struct wattle_flow_visit *visit, unsigned int cpu)
{
	long ret;

	visit->flows = per_cpu_ptr(visit->w->flows, cpu);
	/* For a CPU that is offline two could be here at once. */
	mutex_lock(&visit->w->flow_lock);
	cpus_read_lock();
	if (cpu_online(cpu))
		ret = work_on_cpu(cpu, wattle_flow_visit_here, visit);
	else
		ret = wattle_flow_visit_here(visit);
	cpus_read_unlock();
	mutex_unlock(&visit->w->flow_lock);
	return ret;
}

/* The end of what one visit looks at. Where that is not all, there is another. */
static u32 wattle_flow_chunk(const struct wattle_flow_visit *visit)
{
	return min(wattle_flow_table_size(&visit->flows->table), visit->index + WATTLE_FLOW_CHUNK);
}

static unsigned long wattle_flow_flush(struct wattle_flow_visit *visit)
{
	u32 end = wattle_flow_chunk(visit);

	for (; visit->index < end && visit->flows->table.used; visit->index++)
		wattle_flow_table_clear(&visit->flows->table, visit->index);
	wattle_tally_flush(visit->flows->tallies);
	return visit->flows->table.used && end < wattle_flow_table_size(&visit->flows->table);
}

static unsigned long wattle_flow_bill_all(struct wattle_flow_visit *visit)
{
	struct wattle_flow_table *table = &visit->flows->table;
	u32 end = wattle_flow_chunk(visit);

	for (; visit->index < end && table->used; visit->index++)
		if (wattle_flow_table_has(table, visit->index))
			wattle_flow_table_bill(table, visit->index);
	wattle_tally_flush(visit->flows->tallies);
	return table->used && end < wattle_flow_table_size(table);
}

/* ---- as large as need be ---- */

static unsigned long wattle_flow_swap(struct wattle_flow_visit *visit)
{
	swap(visit->flows->table, *visit->table);
	return 0;
}

/* Give a CPU an empty table. Its flows are found anew, each by one packet on the long way. */
static bool wattle_flow_resize(struct wattle *w, unsigned int cpu, u32 buckets)
{
	struct wattle_flow_table table;
	struct wattle_flow_visit visit = {
		.w = w, .function = wattle_flow_swap, .table = &table,
	};

	if (!wattle_flow_table_alloc(&table, buckets, GFP_KERNEL | __GFP_NOWARN))
		return false;
	wattle_flow_visit_cpu(&visit, cpu);
	wattle_flow_table_clear_all(&table);
	wattle_flow_table_free(&table);
	return true;
}

static void wattle_flows_grow(struct work_struct *work)
{
	struct wattle *w = container_of(work, struct wattle, flow_grow);
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct wattle_flows *flows = per_cpu_ptr(w->flows, cpu);
		u32 buckets = READ_ONCE(flows->table.mask) + 1;

		/* Without memory the sweep lets it be tried again. */
		if (READ_ONCE(flows->crowded) &&
		    wattle_flow_resize(w, cpu, buckets * WATTLE_FLOW_STEP))
			WRITE_ONCE(flows->crowded, false);
	}
}

/* ---- let go ---- */

/* Let go of connections that have ended, and of what nobody used for a while. */
static unsigned long wattle_flow_sweep(struct wattle_flow_visit *visit)
{
	struct wattle_flow_table *table = &visit->flows->table;
	u32 now = jiffies, epoch = READ_ONCE(visit->w->config.epoch);
	u32 end = wattle_flow_chunk(visit);

	for (; visit->index < end; visit->index++) {
		u32 i = visit->index;
		const struct wattle_flow *flow = &table->flows[i];
		bool dead;

		if (!wattle_flow_table_has(table, i))
			continue;
		dead = (s32)(now - flow->expires) > 0 &&
		       (flow->epoch != epoch || (s32)(now - flow->expires) > WATTLE_FLOW_IDLE);
		if (dead || (flow->ct && nf_ct_is_dying(flow->ct)))
			wattle_flow_table_clear(table, i);
	}
	return end < wattle_flow_table_size(table);
}

/* Has a table been too large for as long as unused entries stay? One that grows begins empty. */
static bool wattle_flow_is_sparse(struct wattle_flows *flows, u32 buckets)
{
	if (buckets == WATTLE_FLOW_BUCKETS ||
	    READ_ONCE(flows->table.used) >= buckets / WATTLE_FLOW_STEP)
		flows->sparse = 0;
	else
		flows->sparse++;
	if (flows->sparse <= WATTLE_FLOW_IDLE / WATTLE_FLOW_SWEEP)
		return false;
	flows->sparse = 0;
	return true;
}

static void wattle_flows_sweep(struct work_struct *work)
{
	struct wattle *w = container_of(to_delayed_work(work), struct wattle, flow_sweep);
	struct wattle_flow_visit visit = { .w = w, .function = wattle_flow_sweep };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct wattle_flows *flows = per_cpu_ptr(w->flows, cpu);
		u32 buckets = READ_ONCE(flows->table.mask) + 1;

		visit.index = 0;
		while (READ_ONCE(flows->table.used) && wattle_flow_visit_cpu(&visit, cpu))
			;
		if (wattle_flow_is_sparse(flows, buckets))
			wattle_flow_resize(w, cpu, buckets / WATTLE_FLOW_STEP);
		if (READ_ONCE(flows->crowded))
			WRITE_ONCE(flows->crowded, false);
	}
	schedule_delayed_work(&w->flow_sweep, WATTLE_FLOW_SWEEP);
}

void wattle_flows_flush(struct wattle *w)
{
	struct wattle_flow_visit visit = { .w = w, .function = wattle_flow_flush };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		visit.index = 0;
		while (wattle_flow_visit_cpu(&visit, cpu))
			;
	}
}

void wattle_flows_bill(struct wattle *w)
{
	struct wattle_flow_visit visit = { .w = w, .function = wattle_flow_bill_all };
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		visit.index = 0;
		while (wattle_flow_visit_cpu(&visit, cpu))
			;
	}
}

static unsigned long wattle_flow_copy(struct wattle_flow_visit *visit)
{
	const struct wattle_flow_table *table = &visit->flows->table;
	u32 epoch = READ_ONCE(visit->w->config.epoch);

	visit->count = 0;
	while (visit->index < wattle_flow_table_size(table) && visit->count < WATTLE_FLOW_BATCH) {
		u32 i = visit->index++;
		const struct wattle_flow *flow = &table->flows[i];

		if (!wattle_flow_table_has(table, i) || flow->epoch != epoch)
			continue;
		visit->copies[visit->count++] = (struct wattle_flow_copy){
			.flow = *flow,
			.action = *flow->action,
			.index = i,
		};
	}
	return visit->count;
}

static void wattle_flow_describe(struct wattle *w, const struct wattle_flow_copy *copy,
				 unsigned int cpu, struct wattle_flow_info *info)
{
	const struct wattle_flow_action *action = &copy->action;
	const struct wattle_flow *flow = &copy->flow;
	const struct in6_addr *via;

	*info = (struct wattle_flow_info){
		.cpu = cpu,
		.key = flow->key,
		.verdict = WATTLE_VERDICT_ALLOW,
		.src_id = action->src_id,
		.dst_id = action->dst_id,
		.nat = flow->rewrite != WATTLE_REWRITE_NONE,
		.nat_saddr = flow->key.saddr,
		.nat_daddr = flow->key.daddr,
		.nat_sport = flow->key.sport,
		.nat_dport = flow->key.dport,
		.packets = flow->packets,
		.bytes = flow->bytes,
		.gen = wattle_generation(&w->config),
	};
	if (flow->rewrite == WATTLE_REWRITE_SOURCE) {
		info->nat_saddr = action->addr;
		info->nat_sport = flow->port;
	} else if (flow->rewrite == WATTLE_REWRITE_DESTINATION) {
		info->nat_daddr = action->addr;
		info->nat_dport = flow->port;
	}
	/* What it points to is only as good as the epoch: look again under RCU. */
	rcu_read_lock();
	if (flow->epoch == (u32)READ_ONCE(w->config.epoch)) {
		if (flow->next == WATTLE_TO_ENDPOINT && action->endpoint) {
			info->ifindex = action->endpoint->port->dev->ifindex;
		} else if (flow->next == WATTLE_TO_NODE) {
			via = wattle_vxlan_remote(w, action->node);
			if (via)
				info->via = *via;
		}
	}
	rcu_read_unlock();
}

int wattle_flows_walk(struct wattle *w, struct wattle_cursor *cursor,
		      int (*visit)(const struct wattle_flow_info *info, void *arg), void *arg)
{
	struct wattle_flow_visit v = { .w = w, .function = wattle_flow_copy };
	unsigned int cpu = cursor->pos[0];
	struct wattle_flow_info info;
	int err = 0;
	u32 i;

	v.copies = kvmalloc_array(WATTLE_FLOW_BATCH, sizeof(*v.copies), GFP_KERNEL);
	if (!v.copies)
		return -ENOMEM;
	v.index = cursor->pos[1];
	for (; cpu < nr_cpu_ids && !err; cpu++, v.index = 0) {
		if (!cpu_possible(cpu))
			continue;
		while (!err && wattle_flow_visit_cpu(&v, cpu)) {
			for (i = 0; i < v.count && !err; i++) {
				wattle_flow_describe(w, &v.copies[i], cpu, &info);
				err = visit(&info, arg);
				if (err) {
					cursor->pos[0] = cpu;
					cursor->pos[1] = v.copies[i].index;
				}
			}
		}
	}
	if (!err)
		cursor->pos[0] = cpu;
	kvfree(v.copies);
	return err;
}

static void wattle_flows_free(struct wattle *w)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct wattle_flows *flows = per_cpu_ptr(w->flows, cpu);

		kvfree(flows->memo);
		wattle_flow_table_free(&flows->table);
		kvfree(flows->tallies);
	}
	free_percpu(w->flows);
	w->flows = NULL;
}

int wattle_flows_init(struct wattle *w)
{
	unsigned int cpu;

	w->hash_seed = get_random_u64();
	mutex_init(&w->flow_lock);
	INIT_DELAYED_WORK(&w->flow_sweep, wattle_flows_sweep);
	INIT_WORK(&w->flow_grow, wattle_flows_grow);
	w->flows = alloc_percpu_gfp(struct wattle_flows, GFP_KERNEL_ACCOUNT);
	if (!w->flows)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct wattle_flows *flows = per_cpu_ptr(w->flows, cpu);

		/* Whoever makes devices in namespaces of his own pays for them. */
		flows->memo = kvzalloc(sizeof(*flows->memo), GFP_KERNEL_ACCOUNT);
		flows->tallies = kvcalloc(WATTLE_TALLY_SLOTS, sizeof(*flows->tallies),
					  GFP_KERNEL_ACCOUNT);
		if (!wattle_flow_table_alloc(&flows->table, WATTLE_FLOW_BUCKETS,
					     GFP_KERNEL_ACCOUNT) ||
		    !flows->memo || !flows->tallies) {
			wattle_flows_free(w);
			return -ENOMEM;
		}
		flows->memo->seed = get_random_u64();
	}
	schedule_delayed_work(&w->flow_sweep, WATTLE_FLOW_SWEEP);
	return 0;
}

void wattle_flows_exit(struct wattle *w)
{
	unsigned int cpu;

	cancel_delayed_work_sync(&w->flow_sweep);
	cancel_work_sync(&w->flow_grow);
	/* No packet comes any more, so no CPU touches its cache. */
	for_each_possible_cpu(cpu) {
		struct wattle_flows *flows = per_cpu_ptr(w->flows, cpu);

		wattle_flow_table_clear_all(&flows->table);
		wattle_tally_flush(flows->tallies);
	}
	wattle_flows_free(w);
}
