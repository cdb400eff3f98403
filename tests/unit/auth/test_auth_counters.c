/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"

static void
last_eight_are_ours(void **state)
{
	struct auth_counters c = {0};
	struct base_rand rand;
	uint64_t sent[3 * AUTH_COUNTER_MEMORY];
	const size_t n = sizeof(sent) / sizeof(sent[0]);

	(void)state;
	base_rand_init(&rand, 1);
	for (size_t i = 0; i < n; i++) {
		sent[i] = auth_counters_next(&c, &rand);
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(
				auth_counters_own(&c, sent[k]), i - k < AUTH_COUNTER_MEMORY);
	}
}

static void
zero_is_nobodys(void **state)
{
	struct auth_counters c = {0};
	struct base_rand rand;

	(void)state;
	assert_false(auth_counters_own(&c, 0));
	base_rand_init(&rand, 1);
	auth_counters_next(&c, &rand);
	assert_false(auth_counters_own(&c, 0));
}

static void
zero_is_never_sent(void **state)
{
	struct auth_counters c = {0};
	/* The output of xoshiro256** is a function of s[1]; from this state the first is 0. */
	struct base_rand rand = {.s = {1, 0, 2, 3}}, copy = rand;

	(void)state;
	assert_int_equal(base_rand_next(&copy), 0);
	uint64_t second = base_rand_next(&copy);

	assert_true(second != 0);
	assert_true(auth_counters_next(&c, &rand) == second);
	assert_true(auth_counters_own(&c, second));
}

static void
never_counts_upwards(void **state)
{
	struct auth_counters c = {0};
	struct base_rand rand;

	(void)state;
	base_rand_init(&rand, 7);
	for (int i = 0; i < 10000; i++) {
		uint64_t counter = auth_counters_next(&c, &rand);

		/* What a NetBSD, FreeBSD or ucarp peer will send next. */
		assert_false(auth_counters_own(&c, counter + 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_eight_are_ours),
		cmocka_unit_test(zero_is_nobodys),
		cmocka_unit_test(zero_is_never_sent),
		cmocka_unit_test(never_counts_upwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
