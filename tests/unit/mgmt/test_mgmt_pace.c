/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What clients together may use of a CPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt_pace_priv.h"

#define MS BASE_NS_PER_MS

/* A fifth of a CPU over any longer time, a burst of 100 ms of work after a pause. */
static void
a_fifth_of_a_cpu(void **state)
{
	base_ns_t start = 1000 * BASE_NS_PER_S, now = start, wait, spent = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(mgmt_pace_owe(MS, now), 0);
	assert_int_equal(mgmt_pace_owe(MS, now), 5 * MS);
	/* who goes on as soon as it may gets a fifth */
	now += 5 * MS;
	start = now;
	while (now < start + 10 * BASE_NS_PER_S) {
		wait = mgmt_pace_owe(2 * MS, now);
		spent += 2 * MS;
		assert_int_equal(wait, 10 * MS);
		now += wait;
	}
	assert_int_equal(spent, 2 * BASE_NS_PER_S);
	/* one order, however large, makes nobody wait for more than a second */
	assert_int_equal(mgmt_pace_owe(60 * BASE_NS_PER_S, now), BASE_NS_PER_S);
	/* who asks now and then never waits */
	now += 1000 * BASE_NS_PER_S;
	for (unsigned int i = 0; i < 100; i++, now += BASE_NS_PER_S)
		assert_int_equal(mgmt_pace_owe(50 * MS, now), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_fifth_of_a_cpu)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
