/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Routers that routes lead through: kept known in every state, as the routes are at the moment. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"

#define ROUND (5 * BASE_NS_PER_S)

static void
add(uint16_t if_index, const struct base_addr *addr)
{
	fake.gateway[fake.n_gateways++] = (struct fib_gateway){if_index, *addr};
}

static void
add4(uint32_t ip)
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	add(0, &addr);
}

static void
some_turns(struct rig *r)
{
	for (unsigned int i = 0; i < 8; i++) {
		rig_turn(r);
		fake.now += BASE_NS_PER_MS;
	}
}

/* The one before has ended. */
static void
next_round(struct rig *r)
{
	fake.n_frames = 0;
	fake.now += ROUND;
	some_turns(r);
}

static bool
asked(uint32_t ip)
{
	struct wire_arp arp;

	for (uint32_t i = 0; i < sent_arps(); i++) {
		(void)sent_arp(i, &arp);
		if (arp.op == WIRE_ARP_REQUEST && arp.target_ip == ip)
			return true;
	}
	return false;
}

/* Nothing but the routes says who is asked: one that comes is, one that goes is not any more. */
static void
routers_are_those_of_the_routes_now(void **state)
{
	struct rig r = rig_make(rig_dual);
	const struct base_addr router6 = base_addr_from_ip6(rig_host6);

	(void)state;
	next_round(&r);
	assert_int_equal(sent_arps(), 0);
	add4(RIG_ASKER);
	next_round(&r);
	assert_true(asked(RIG_ASKER));
	add4(RIG_PEER);
	next_round(&r);
	assert_true(asked(RIG_ASKER) && asked(RIG_PEER));
	fake.gateway[0] = fake.gateway[--fake.n_gateways];
	next_round(&r);
	assert_true(!asked(RIG_ASKER) && asked(RIG_PEER));
	fake.n_gateways = 0;
	add(0, &router6);
	next_round(&r);
	assert_int_equal(sent_arps(), 0);
	assert_non_null(sent_ip6(0));
	rig_free(&r);
}

/* Looked up once in a round, and asked only when nobody knows them. */
static void
routers_that_are_known_are_not_asked(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	add4(RIG_ASKER);
	fake.nbr_known = true;
	next_round(&r);
	assert_int_equal(sent_arps(), 0);
	fake.nbr_known = false;
	next_round(&r);
	assert_int_equal(sent_arps(), 1);
	rig_free(&r);
}

/* However many there are, a turn asks for some, and a round for each once. */
static void
many_routers_take_several_turns(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		add4(RIG_ASKER + i);
	fake.n_frames = 0;
	fake.now += ROUND;
	rig_turn(&r);
	assert_int_equal(sent_arps(), 16);
	some_turns(&r);
	for (uint32_t i = 0; i < 40; i++)
		assert_true(asked(RIG_ASKER + i));
	assert_int_equal(sent_arps(), 40);
	rig_free(&r);
}

static void
routers_behind_a_dead_link_are_left_alone(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	add4(RIG_ASKER);
	fake.has_port_event = true;
	fake.port_link_up = false;
	rig_turn(&r);
	next_round(&r);
	assert_int_equal(sent_arps(), 0);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routers_are_those_of_the_routes_now),
		cmocka_unit_test(routers_that_are_known_are_not_asked),
		cmocka_unit_test(many_routers_take_several_turns),
		cmocka_unit_test(routers_behind_a_dead_link_are_left_alone),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
