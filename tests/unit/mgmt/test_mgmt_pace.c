/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What clients together may use of a CPU. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_clock.h"

#include "mgmt_pace_priv.h"

#define MS BASE_NS_PER_MS

/* A fifth of a CPU over any longer time, a burst of 100 ms of work after a pause. */
static void
a_fifth_of_a_cpu(void **state)
{
	base_ns_t start = base_clock_ns(CLOCK_MONOTONIC) + 1000 * BASE_NS_PER_S, now = start;
	base_ns_t wait, spent = 0;

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

/* What the last request of a client costs has no request after it. */
static void *
ask_once(void *arg)
{
	const base_ns_t before = base_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	(void)arg;
	mgmt_pace(-1);
	while (base_clock_ns(CLOCK_THREAD_CPUTIME_ID) - before < 150 * MS)
		;
	mgmt_pace_spent();
	return NULL;
}

static void
who_leaves_has_paid(void **state)
{
	const base_ns_t before = base_clock_ns(CLOCK_MONOTONIC);
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, ask_once, NULL), 0);
	pthread_join(t, NULL);
	/* five times 150 ms, less the 500 that may be owed */
	assert_in_range(mgmt_pace_owe(0, before), 250 * MS, BASE_NS_PER_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_leaves_has_paid), cmocka_unit_test(a_fifth_of_a_cpu)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
