/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdint.h>

#include "base_time.h"

/**
 * @file
 * A heap of deadlines over small integer ids. Each id is in the heap at most once;
 * setting a deadline again moves it. The caller owns the memory, so nothing here
 * allocates.
 * @thread one heap, one thread
 */
struct base_heap {
	uint32_t n;	 /**< ids in the heap */
	uint32_t cap;	 /**< ids are in [0, cap) */
	uint32_t *order; /**< heap order: ids, the earliest deadline first */
	uint32_t *pos;	 /**< where an id stands in order, or BASE_HEAP_OUT */
	base_ns_t *key;	 /**< deadline of each id */
};

#define BASE_HEAP_OUT UINT32_MAX

/** Bytes of memory that a heap over cap ids needs, aligned to 8. */
uint64_t base_heap_size(uint32_t cap);

/** Make an empty heap in mem, which has base_heap_size(cap) bytes aligned to 8. */
void base_heap_init(struct base_heap *h, uint32_t cap, void *mem);

/** Set the deadline of id; BASE_NS_NEVER takes it out. O(log n). */
void base_heap_set(struct base_heap *h, uint32_t id, base_ns_t deadline);

/** The deadline of id, BASE_NS_NEVER when it is not in the heap. */
base_ns_t base_heap_get(const struct base_heap *h, uint32_t id);

/** The earliest deadline, BASE_NS_NEVER when the heap is empty. */
static inline base_ns_t
base_heap_first(const struct base_heap *h)
{
	return h->n ? h->key[h->order[0]] : BASE_NS_NEVER;
}

/** The id with the earliest deadline; only when the heap is not empty. */
static inline uint32_t
base_heap_first_id(const struct base_heap *h)
{
	return h->order[0];
}

#endif
