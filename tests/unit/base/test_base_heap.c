/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base_heap.h"
#include "base_rand.h"

#define CAP 67

static void
heap_make(struct base_heap *h, uint32_t cap)
{
	void *mem = malloc(base_heap_size(cap));

	assert_non_null(mem);
	base_heap_init(h, cap, mem);
}

static void
heap_free(struct base_heap *h)
{
	free(h->key);
}

static void
size_holds_one_key_and_two_indices_per_id(void **state)
{
	static const struct {
		uint32_t cap;
		uint64_t bytes;
	} rows[] = {{0, 0}, {1, 16}, {2, 32}, {255, 4080}, {3072, 49152},
		/* computed in 64 bits: no wrap for caps that nobody uses */
		{UINT32_MAX, UINT64_C(68719476720)}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(base_heap_size(rows[i].cap), rows[i].bytes);
		assert_int_equal(base_heap_size(rows[i].cap) % 8, 0);
	}
}

static void
empty_heap_has_no_deadline(void **state)
{
	struct base_heap h;
	uint64_t nothing;

	(void)state;
	base_heap_init(&h, 0, &nothing);
	assert_int_equal(base_heap_first(&h), BASE_NS_NEVER);
	heap_make(&h, 3);
	assert_int_equal(base_heap_first(&h), BASE_NS_NEVER);
	for (uint32_t id = 0; id < 3; id++) {
		assert_int_equal(base_heap_get(&h, id), BASE_NS_NEVER);
		/* taking out what is not there */
		base_heap_set(&h, id, BASE_NS_NEVER);
	}
	assert_int_equal(h.n, 0);
	heap_free(&h);
}

static void
an_id_is_in_once_and_moves_both_ways(void **state)
{
	struct base_heap h;

	(void)state;
	heap_make(&h, 4);
	base_heap_set(&h, 0, 10);
	base_heap_set(&h, 1, 20);
	base_heap_set(&h, 2, 30);
	base_heap_set(&h, 3, 40);
	assert_int_equal(base_heap_first_id(&h), 0);
	base_heap_set(&h, 3, 5);
	assert_int_equal(base_heap_first_id(&h), 3);
	base_heap_set(&h, 3, 50);
	assert_int_equal(base_heap_first_id(&h), 0);
	base_heap_set(&h, 0, 10);
	assert_int_equal(h.n, 4);
	base_heap_set(&h, 0, 60);
	assert_int_equal(base_heap_first_id(&h), 1);
	base_heap_set(&h, 1, BASE_NS_NEVER);
	assert_int_equal(base_heap_first_id(&h), 2);
	assert_int_equal(base_heap_get(&h, 1), BASE_NS_NEVER);
	assert_int_equal(h.n, 3);
	/* the largest time that is a time */
	base_heap_set(&h, 1, BASE_NS_NEVER - 1);
	base_heap_set(&h, 2, 0);
	assert_int_equal(base_heap_first(&h), 0);
	assert_int_equal(base_heap_get(&h, 1), BASE_NS_NEVER - 1);
	heap_free(&h);
}

static void
equal_deadlines_all_come_out(void **state)
{
	struct base_heap h;
	bool seen[CAP] = {false};

	(void)state;
	heap_make(&h, CAP);
	for (uint32_t id = 0; id < CAP; id++)
		base_heap_set(&h, id, 7);
	for (uint32_t i = 0; i < CAP; i++) {
		uint32_t id = base_heap_first_id(&h);

		assert_int_equal(base_heap_first(&h), 7);
		assert_false(seen[id]);
		seen[id] = true;
		base_heap_set(&h, id, BASE_NS_NEVER);
	}
	assert_int_equal(base_heap_first(&h), BASE_NS_NEVER);
	heap_free(&h);
}

static base_ns_t
model_first(const base_ns_t *model, uint32_t cap)
{
	base_ns_t first = BASE_NS_NEVER;

	for (uint32_t i = 0; i < cap; i++)
		if (model[i] < first)
			first = model[i];
	return first;
}

/* Every structural promise: an id and its place point at each other, no parent is later. */
static void
check_shape(const struct base_heap *h)
{
	uint32_t in = 0;

	for (uint32_t at = 0; at < h->n; at++) {
		assert_int_equal(h->pos[h->order[at]], at);
		if (at > 0)
			assert_true(h->key[h->order[(at - 1) / 2]] <= h->key[h->order[at]]);
	}
	for (uint32_t id = 0; id < h->cap; id++)
		in += h->pos[id] != BASE_HEAP_OUT;
	assert_int_equal(in, h->n);
}

static void
random_operations_match_a_plain_array(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct base_heap h;
		struct base_rand r;
		base_ns_t model[CAP];
		uint32_t cap = 1 + (uint32_t)seed % CAP;
		/* few distinct deadlines make many ties */
		uint64_t span = seed % 3 == 0 ? 4 : 100000;

		base_rand_init(&r, seed);
		heap_make(&h, cap);
		for (uint32_t i = 0; i < cap; i++)
			model[i] = BASE_NS_NEVER;
		for (uint32_t step = 0; step < 2000; step++) {
			uint32_t id = (uint32_t)base_rand_below(&r, cap);
			uint64_t what = base_rand_below(&r, 4);

			if (what == 0)
				model[id] = BASE_NS_NEVER;
			else if (what == 1 && h.n > 0)
				model[id = base_heap_first_id(&h)] = BASE_NS_NEVER;
			else
				model[id] = base_rand_below(&r, span);
			base_heap_set(&h, id, model[id]);
			assert_int_equal(base_heap_get(&h, id), model[id]);
			assert_int_equal(base_heap_first(&h), model_first(model, cap));
			if (h.n > 0)
				assert_int_equal(
					model[base_heap_first_id(&h)], base_heap_first(&h));
			if (step % 50 == 0)
				check_shape(&h);
		}
		for (uint32_t i = 0; i < cap; i++)
			assert_int_equal(base_heap_get(&h, i), model[i]);
		heap_free(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_holds_one_key_and_two_indices_per_id),
		cmocka_unit_test(empty_heap_has_no_deadline),
		cmocka_unit_test(an_id_is_in_once_and_moves_both_ways),
		cmocka_unit_test(equal_deadlines_all_come_out),
		cmocka_unit_test(random_operations_match_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
