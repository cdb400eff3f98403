/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A replacement that is taken back: the routes of the file, and those of commands. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "test_fib_eal.h"
#include "test_fib_routes.h"

#define MAX 32

static char err[128];

struct dump {
	uint32_t n, n_runtime;
	struct {
		struct base_prefix prefix;
		bool runtime;
		uint8_t n_paths;
		uint32_t gateway[3];
	} route[MAX];
};

static struct dump
dump(const struct fib *f)
{
	struct dump d = {.n = fib_route_count(f), .n_runtime = fib_runtime_count(f)};
	struct fib_route r;
	bool runtime;

	assert_in_range(d.n, 0, MAX);
	for (uint32_t i = 0; i < d.n; i++) {
		assert_true(fib_route_get(f, i, &r, &runtime));
		d.route[i].prefix = r.prefix;
		d.route[i].runtime = runtime;
		d.route[i].n_paths = r.nh.n_paths;
		d.route[i].gateway[0] = r.nh.n_paths == 0 ? r.nh.gateway : 0;
		for (unsigned int p = 0; p < r.nh.n_paths; p++)
			d.route[i].gateway[p] = r.nh.paths[p].gateway;
	}
	return d;
}

static void
assert_same(const struct dump *a, const struct dump *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->n_runtime, b->n_runtime);
	assert_memory_equal(a->route, b->route, sizeof(a->route));
}

static void
what_commands_set_comes_back(void **state)
{
	const struct fib_nh paths[] = {gateway(0, 0, 21).nh, gateway(0, 0, 22).nh};
	const struct fib_route first[] = {
		gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(11, 0, 0, 0), 8, 2),
		gateway(IP(12, 0, 0, 0), 8, 3),
	};
	const struct fib_route next[] = {
		gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(11, 0, 0, 0), 8, 12),
		gateway(IP(13, 0, 0, 0), 8, 4),
		gateway(IP(13, 1, 0, 0), 28, 5),
	};
	struct fib_route several = {.prefix = P4(IP(14, 0, 0, 0), 8),
		.nh = {.type = FIB_NH_MULTI,
			.group = FIB_GROUP_NONE,
			.n_paths = 2,
			.paths = paths}};
	struct fib *f = fib_build(first, N_OF(first), NULL, 0, err, sizeof(err));
	struct fib_memory memory[2];
	struct fib_replaced done;
	struct fib_undo *undo;
	struct dump before, after;

	(void)state;
	assert_non_null(f);
	/* as in the next file; in the place of the file's; beside it */
	command(f, FIB_SET, first[0]);
	command(f, FIB_SET, gateway(IP(11, 0, 0, 0), 8, 77));
	command(f, FIB_SET, several);
	command(f, FIB_SET, gateway(IP(12, 1, 1, 0), 28, 9));
	before = dump(f);
	assert_int_equal(before.n_runtime, 4);
	fib_memory(f, &memory[0]);
	for (unsigned int i = 0; i < 3; i++) {
		bool back = i < 2;

		assert_int_equal(
			fib_replace(f, next, N_OF(next), false, &done, &undo, err, sizeof(err)), 0);
		assert_non_null(undo);
		assert_int_equal(fib_runtime_count(f), 0);
		assert_int_equal(gateway_of(f, IP(11, 1, 1, 1)), 12);
		assert_int_equal(gateway_of(f, IP(12, 1, 1, 1)), 0);
		/* what a command does meanwhile elsewhere is none of its business */
		if (i == 1)
			command(f, FIB_SET, gateway(IP(15, 0, 0, 0), 8, 8));
		assert_int_equal(fib_undo(f, undo, back, err, sizeof(err)), 0);
		if (i == 1) {
			assert_int_equal(gateway_of(f, IP(15, 1, 1, 1)), 8);
			command(f, FIB_REMOVE, gateway(IP(15, 0, 0, 0), 8, 8));
		}
		if (!back)
			break;
		after = dump(f);
		assert_same(&after, &before);
		assert_int_equal(gateway_of(f, IP(11, 1, 1, 1)), 77);
		assert_int_equal(gateway_of(f, IP(12, 1, 1, 1)), 9);
		assert_int_equal(gateway_of(f, IP(13, 1, 0, 1)), 0);
		fib_memory(f, &memory[1]);
		assert_int_equal(memory[1].next_hops, memory[0].next_hops);
	}
	/* nothing is held of what was not taken back */
	fib_memory(f, &memory[1]);
	assert_int_equal(memory[1].next_hops, N_OF(next));
	fib_free(f);
}

static void
who_changes_nothing_has_nothing_to_take_back(void **state)
{
	const struct fib_route first = gateway(IP(10, 0, 0, 0), 8, 1), bad = gateway(0, 40, 1);
	struct fib *f = fib_build(&first, 1, NULL, 0, err, sizeof(err));
	struct fib_replaced done;
	struct fib_undo *undo;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fib_replace(f, &bad, 1, false, &done, &undo, err, sizeof(err)), -EINVAL);
	assert_null(undo);
	assert_int_equal(fib_replace(f, NULL, 0, true, &done, &undo, err, sizeof(err)), 0);
	assert_null(undo);
	assert_int_equal(fib_undo(f, undo, true, err, sizeof(err)), 0);
	assert_int_equal(fib_replace(f, NULL, 0, false, &done, &undo, err, sizeof(err)), 0);
	assert_int_equal(fib_route_count(f), 0);
	assert_int_equal(fib_undo(f, undo, true, err, sizeof(err)), 0);
	assert_int_equal(gateway_of(f, IP(10, 1, 1, 1)), 1);
	fib_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_commands_set_comes_back),
		cmocka_unit_test(who_changes_nothing_has_nothing_to_take_back),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
