/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Adverts that were sent twice, with two digests, and are told once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_pair.h"

#define MS	 BASE_NS_PER_MS
#define INTERVAL (1000 * MS)
#define START	 (5000 * MS)

static struct ctl_told told[CTL_TOLD_MAX];
static base_ns_t now;

static int
setup(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < CTL_TOLD_MAX; i++)
		told[i] = (struct ctl_told){0};
	now = START;
	return 0;
}

static bool
is_second(uint8_t box, uint8_t advskew, enum auth_identity which)
{
	struct ctl_advert a = {
		.src = base_addr_from_ip4(UINT32_C(0xc0000200) + box),
		.prio = {.advbase = 1, .advskew = advskew},
	};

	return ctl_pair_is_second(told, &a, which, INTERVAL, now);
}

static void
the_second_of_two_is_known(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		bool turned = i % 2 != 0; /* one overtakes the other */

		assert_false(is_second(1, 0, turned ? AUTH_OLD : AUTH_NEW));
		now += MS;
		assert_true(is_second(1, 0, turned ? AUTH_NEW : AUTH_OLD));
		now += INTERVAL;
	}
	/* with one digest alone each is told */
	for (unsigned int i = 0; i < 10; i++) {
		assert_false(is_second(1, 0, AUTH_NEW));
		now += INTERVAL;
	}
}

static void
only_what_is_alike_and_soon_is_one(void **state)
{
	(void)state;
	assert_false(is_second(1, 0, AUTH_NEW));
	now += INTERVAL / 2;
	assert_false(is_second(1, 0, AUTH_OLD));
	assert_false(is_second(1, 240, AUTH_NEW));
	assert_false(is_second(2, 240, AUTH_OLD));
	assert_true(is_second(1, 240, AUTH_OLD));
	assert_true(is_second(2, 240, AUTH_NEW));
}

/* Two masters that speak at once, each twice. */
static void
masters_may_speak_between_each_other(void **state)
{
	(void)state;
	assert_false(is_second(1, 0, AUTH_NEW));
	assert_false(is_second(2, 0, AUTH_NEW));
	assert_true(is_second(1, 0, AUTH_OLD));
	assert_true(is_second(2, 0, AUTH_OLD));
}

/* Who answers at once sends the next two before the first two have come. */
static void
several_wait_for_their_second(void **state)
{
	(void)state;
	assert_false(is_second(1, 0, AUTH_NEW));
	assert_false(is_second(1, 0, AUTH_NEW));
	assert_true(is_second(1, 0, AUTH_OLD));
	assert_true(is_second(1, 0, AUTH_OLD));
	assert_false(is_second(1, 0, AUTH_OLD));
}

static void
the_oldest_makes_room(void **state)
{
	(void)state;
	for (uint8_t i = 0; i <= CTL_TOLD_MAX; i++) {
		assert_false(is_second(i, 0, AUTH_NEW));
		now += MS;
	}
	for (uint8_t i = 1; i <= CTL_TOLD_MAX; i++)
		assert_true(is_second(i, 0, AUTH_OLD));
	assert_false(is_second(0, 0, AUTH_OLD));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_second_of_two_is_known, setup),
		cmocka_unit_test_setup(only_what_is_alike_and_soon_is_one, setup),
		cmocka_unit_test_setup(masters_may_speak_between_each_other, setup),
		cmocka_unit_test_setup(several_wait_for_their_second, setup),
		cmocka_unit_test_setup(the_oldest_makes_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
