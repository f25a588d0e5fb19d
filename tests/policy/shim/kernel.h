/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as the policy table needs, for one thread: so that tests of
 * millions of decisions run the module's own source without a kernel.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint16_t __be16;
typedef uint32_t __be32;

#define __rcu
#define __force
#define __aligned(n)		__attribute__((aligned(n)))
#define __maybe_unused		__attribute__((unused))
#define U8_MAX			UINT8_MAX
#define U16_MAX			UINT16_MAX
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define PAGE_SIZE		4096ul
#define SZ_1G			(1u << 30)
#define BIT(n)			(1u << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, v)	((x) = (v))
#define WARN_ON_ONCE(x)		(x)
#define likely(x)		(x)
#define unlikely(x)		(x)
#define min(a, b)		((a) < (b) ? (a) : (b))
#define min3(a, b, c)		min(min(a, b), c)
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof((p)->member[0]) * (n))
#define static_assert		_Static_assert
#define cond_resched()		do { } while (0)
#define msleep(n)		((void)(n))

static inline int fls(u32 x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return 1ul << fls64(n - 1);
}

static inline u32 reciprocal_scale(u32 n, u32 end)
{
	return (u64)n * end >> 32;
}

/* Always the same: what fails can be repeated. */
static inline u32 get_random_u32(void)
{
	return 4711;
}

#define for_each_set_bit(bit, word, size) \
	for ((bit) = 0; (bit) < (size); (bit)++) \
		if (*(word) >> (bit) & 1)

/* ---- byte order, addresses ---- */

#define be32_to_cpu(x)	be32toh(x)
#define cpu_to_be32(x)	htobe32(x)
#define be64_to_cpu(x)	be64toh(x)
#define be64_to_cpup(p)	be64toh(*(p))
#define be32_to_cpup(p)	be32toh(*(p))

static inline bool ipv6_addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool ipv6_addr_any(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a);
}

static inline bool ipv6_addr_v4mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

static inline void ipv6_addr_set_v4mapped(__be32 v4, struct in6_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->s6_addr[10] = a->s6_addr[11] = 0xff;
	memcpy(&a->s6_addr[12], &v4, sizeof(v4));
}

static inline bool ipv6_addr_is_multicast(const struct in6_addr *a)
{
	return a->s6_addr[0] == 0xff;
}

static inline bool ipv6_addr_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a);
}

static inline void ipv6_addr_prefix(struct in6_addr *to, const struct in6_addr *from, int len)
{
	int i;

	*to = *from;
	for (i = len; i < 128; i++)
		to->s6_addr[i / 8] &= ~(0x80 >> i % 8);
}

static inline bool ipv4_is_loopback(__be32 a) { return ntohl(a) >> 24 == 127; }
static inline bool ipv4_is_zeronet(__be32 a) { return !(ntohl(a) >> 24); }
static inline bool ipv4_is_lbcast(__be32 a) { return a == 0xffffffff; }
static inline bool ipv4_is_multicast(__be32 a) { return ntohl(a) >> 28 == 14; }

/* ---- memory, locks ---- */

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_ZERO		0
#define kzalloc(size, gfp)	calloc(1, size)
#define kvmalloc_array(n, size, gfp) calloc(n, size)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))
#define array_size(n, size)	((n) * (size))

struct rcu_head { void *unused[2]; };
struct mutex { int unused; };

#define DEFINE_MUTEX(lock)	struct mutex lock
#define mutex_lock(lock)	((void)(lock))
#define mutex_unlock(lock)	((void)(lock))

#define SLAB_ACCOUNT		0

struct kmem_cache { size_t size; };

static inline struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
						   int flags, void *ctor)
{
	struct kmem_cache *slab = malloc(sizeof(*slab));

	(void)name, (void)align, (void)flags, (void)ctor;
	if (slab)
		slab->size = size;
	return slab;
}

#define kmem_cache_zalloc(slab, gfp) calloc(1, (slab)->size)
#define kmem_cache_free(slab, p) ((void)(slab), free(p))
#define kmem_cache_destroy(slab) free(slab)

#define kfree_rcu(p, member)	free(p)
#define kvfree_rcu(p, member)	free(p)
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define lockdep_is_held(lock)	((void)(lock), true)
#define lockdep_assert_held(lock) ((void)(lock))
#define rcu_dereference(p)	(p)
#define rcu_dereference_check(p, c) (p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_access_pointer(p)	(p)
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v)	((p) = (v))

/* ---- lists ---- */

struct list_head { struct list_head *next, *prev; };

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->prev = list->prev;
	entry->next = list;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_last_entry(list, type, member) list_entry((list)->prev, type, member)
#define list_for_each_entry(pos, list, member) \
	for (pos = list_entry((list)->next, __typeof__(*pos), member); &pos->member != (list); \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_reverse(pos, list, member) \
	for (pos = list_entry((list)->prev, __typeof__(*pos), member); &pos->member != (list); \
	     pos = list_entry(pos->member.prev, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, list, member) \
	for (pos = list_entry((list)->next, __typeof__(*pos), member), \
	     n = list_entry(pos->member.next, __typeof__(*pos), member); &pos->member != (list); \
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))
#define list_for_each_entry_safe_reverse(pos, n, list, member) \
	for (pos = list_entry((list)->prev, __typeof__(*pos), member), \
	     n = list_entry(pos->member.prev, __typeof__(*pos), member); &pos->member != (list); \
	     pos = n, n = list_entry(n->member.prev, __typeof__(*n), member))

/* ---- hashes of fixed size ---- */

static inline u32 jhash(const void *key, u32 len, u32 seed)
{
	const u8 *c = key;
	u32 hash = 2166136261u ^ seed;

	while (len--)
		hash = (hash ^ *c++) * 16777619;
	return hash ^ hash >> 15;
}

static inline u32 jhash_2words(u32 a, u32 b, u32 seed)
{
	const u32 words[] = { a, b };

	return jhash(words, sizeof(words), seed);
}

struct rhash_head { struct rhash_head *next; };
struct rhlist_head {
	struct rhash_head rhead;
	struct rhlist_head *next;
};

struct rhashtable_compare_arg {
	void *ht;
	const void *key;
};

struct rhashtable_params {
	u16 key_len;
	u16 key_offset;
	u16 head_offset;
	bool automatic_shrinking;
	u32 (*hashfn)(const void *key, u32 len, u32 seed);
	u32 (*obj_hashfn)(const void *object, u32 len, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *object);
};

#define SHIM_BUCKETS	4096

struct rhashtable {
	struct rhash_head *bucket[SHIM_BUCKETS];
	struct rhashtable_params params;
};

struct rhltable { struct rhashtable ht; };

static inline int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params)
{
	memset(ht, 0, sizeof(*ht));
	ht->params = *params;
	return 0;
}

static inline const void *shim_object(const struct rhashtable_params *p,
				      const struct rhash_head *head)
{
	return (const char *)head - p->head_offset;
}

static inline u32 shim_hash(const struct rhashtable_params *p, const void *key)
{
	return (p->hashfn ? p->hashfn(key, p->key_len, 0) : jhash(key, p->key_len, 0)) %
	       SHIM_BUCKETS;
}

static inline u32 shim_object_hash(const struct rhashtable_params *p, const void *object)
{
	if (p->obj_hashfn)
		return p->obj_hashfn(object, p->key_len, 0) % SHIM_BUCKETS;
	return shim_hash(p, (const char *)object + p->key_offset);
}

static inline bool shim_is(const struct rhashtable_params *p, const void *key,
			   const struct rhash_head *head)
{
	struct rhashtable_compare_arg arg = { .key = key };
	const void *object = shim_object(p, head);

	return p->obj_cmpfn ? !p->obj_cmpfn(&arg, object) :
	       !memcmp((const char *)object + p->key_offset, key, p->key_len);
}

static inline struct rhash_head **shim_find(struct rhashtable *ht, const void *key,
					    const struct rhashtable_params *p)
{
	struct rhash_head **at = &ht->bucket[shim_hash(p, key)];

	while (*at && !shim_is(p, key, *at))
		at = &(*at)->next;
	return at;
}

static inline void *rhashtable_lookup_fast(struct rhashtable *ht, const void *key,
					   const struct rhashtable_params params)
{
	struct rhash_head *head = *shim_find(ht, key, &params);

	return head ? (void *)shim_object(&params, head) : NULL;
}

static inline int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *head,
					 const struct rhashtable_params params)
{
	struct rhash_head **bucket =
		&ht->bucket[shim_object_hash(&params, shim_object(&params, head))];

	head->next = *bucket;
	*bucket = head;
	return 0;
}

static inline int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *head,
					 const struct rhashtable_params params)
{
	struct rhash_head **at =
		&ht->bucket[shim_object_hash(&params, shim_object(&params, head))];

	while (*at != head)
		at = &(*at)->next;
	*at = head->next;
	return 0;
}

static inline void rhashtable_free_and_destroy(struct rhashtable *ht,
					       void (*fn)(void *object, void *arg), void *arg)
{
	struct rhash_head *head, *next;
	unsigned int i;

	for (i = 0; i < SHIM_BUCKETS; i++) {
		for (head = ht->bucket[i]; head; head = next) {
			next = head->next;
			fn((void *)shim_object(&ht->params, head), arg);
		}
	}
}

/* Several of one key: in the bucket like others; a look-up strings them together. */
#define rhltable_init(t, p)	rhashtable_init(&(t)->ht, p)
#define rhltable_destroy(t)	((void)(t))
#define rhltable_free_and_destroy(t, fn, arg) rhashtable_free_and_destroy(&(t)->ht, fn, arg)
#define rhltable_insert(t, list, p) rhashtable_insert_fast(&(t)->ht, &(list)->rhead, p)
#define rhltable_remove(t, list, p) rhashtable_remove_fast(&(t)->ht, &(list)->rhead, p)

static inline struct rhlist_head *rhltable_lookup(struct rhltable *t, const void *key,
						  const struct rhashtable_params params)
{
	struct rhash_head *head = t->ht.bucket[shim_hash(&params, key)];
	struct rhlist_head *first = NULL, *list;

	for (; head; head = head->next) {
		if (!shim_is(&params, key, head))
			continue;
		list = container_of(head, struct rhlist_head, rhead);
		list->next = first;
		first = list;
	}
	return first;
}

#define rhl_for_each_entry_rcu(pos, at, list, member) \
	for (at = list; at && (pos = container_of(at, __typeof__(*pos), member)); at = at->next)

/* ---- arrays by number ---- */

struct xarray {
	void **slot;
	u32 size;
};

#define XA_FLAGS_ALLOC		0
#define XA_FLAGS_ALLOC1		1
#define XA_LIMIT(low, high)	low, high

static inline void xa_init_flags(struct xarray *xa, int flags)
{
	(void)flags;
	memset(xa, 0, sizeof(*xa));
}

static inline void *xa_load(const struct xarray *xa, unsigned long i)
{
	return i < xa->size ? xa->slot[i] : NULL;
}

static inline int shim_xa_alloc(struct xarray *xa, u32 *number, void *object, u32 low, u32 high)
{
	u32 i, size;

	for (i = low; i <= high && i < xa->size && xa->slot[i]; i++)
		;
	if (i > high)
		return -EBUSY;
	if (i >= xa->size) {
		size = i * 2 + 16;
		xa->slot = realloc(xa->slot, size * sizeof(*xa->slot));
		memset(xa->slot + xa->size, 0, (size - xa->size) * sizeof(*xa->slot));
		xa->size = size;
	}
	xa->slot[i] = object;
	*number = i;
	return 0;
}

#define xa_alloc(xa, number, object, limit, gfp) shim_xa_alloc(xa, number, object, limit)

static inline void xa_erase(struct xarray *xa, unsigned long i)
{
	xa->slot[i] = NULL;
}

static inline void xa_destroy(struct xarray *xa)
{
	free(xa->slot);
}

#endif /* SHIM_KERNEL_H */
