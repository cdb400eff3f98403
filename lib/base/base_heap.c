/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "base_heap.h"

#include "base_assert.h"

uint64_t
base_heap_size(uint32_t cap)
{
	/* key first: it wants the widest alignment */
	uint64_t bytes = (uint64_t)cap * (sizeof(base_ns_t) + 2 * sizeof(uint32_t));

	return (bytes + 7) & ~UINT64_C(7);
}

void
base_heap_init(struct base_heap *h, uint32_t cap, void *mem)
{
	h->n = 0;
	h->cap = cap;
	h->key = mem;
	h->order = (uint32_t *)(h->key + cap);
	h->pos = h->order + cap;
	for (uint32_t i = 0; i < cap; i++) {
		h->key[i] = BASE_NS_NEVER;
		h->pos[i] = BASE_HEAP_OUT;
	}
}

static void
place(struct base_heap *h, uint32_t at, uint32_t id)
{
	h->order[at] = id;
	h->pos[id] = at;
}

static void
sift_up(struct base_heap *h, uint32_t at, uint32_t id)
{
	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (h->key[h->order[parent]] <= h->key[id])
			break;
		place(h, at, h->order[parent]);
		at = parent;
	}
	place(h, at, id);
}

static void
sift_down(struct base_heap *h, uint32_t at, uint32_t id)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && h->key[h->order[child + 1]] < h->key[h->order[child]])
			child++;
		if (h->key[id] <= h->key[h->order[child]])
			break;
		place(h, at, h->order[child]);
		at = child;
	}
	place(h, at, id);
}

static void
take_out(struct base_heap *h, uint32_t id)
{
	uint32_t at = h->pos[id];

	h->pos[id] = BASE_HEAP_OUT;
	h->key[id] = BASE_NS_NEVER;
	h->n--;
	if (at == h->n)
		return;
	uint32_t last = h->order[h->n];

	if (at > 0 && h->key[h->order[(at - 1) / 2]] > h->key[last])
		sift_up(h, at, last);
	else
		sift_down(h, at, last);
}

void
base_heap_set(struct base_heap *h, uint32_t id, base_ns_t deadline)
{
	BASE_ASSERT(id < h->cap);
	if (deadline == BASE_NS_NEVER) {
		if (h->pos[id] != BASE_HEAP_OUT)
			take_out(h, id);
		return;
	}
	base_ns_t old = h->key[id];

	h->key[id] = deadline;
	if (h->pos[id] == BASE_HEAP_OUT)
		sift_up(h, h->n++, id);
	else if (deadline < old)
		sift_up(h, h->pos[id], id);
	else
		sift_down(h, h->pos[id], id);
}

base_ns_t
base_heap_get(const struct base_heap *h, uint32_t id)
{
	BASE_ASSERT(id < h->cap);
	return h->key[id];
}
