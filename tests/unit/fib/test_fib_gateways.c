/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The routers that routes lead through: each once, as the routes are now, some at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fib.h"

#include "test_fib_eal.h"
#include "test_fib_routes.h"

#define ROUTERS_MAX 2048
#define MANY	    1000
#define CAP	    16

static char err[128];

/* A whole round. */
struct round {
	uint32_t n, calls;
	struct fib_gateway gw[ROUTERS_MAX];
};

static const struct round *
go_round(const struct fib *f)
{
	static struct round r;
	uint32_t cursor = 0;

	r.n = r.calls = 0;
	do {
		uint32_t n = fib_gateways(f, &cursor, &r.gw[r.n], CAP);

		assert_in_range(n, 0, CAP);
		r.n += n;
		r.calls++;
		assert_in_range(r.n, 0, ROUTERS_MAX - CAP);
	} while (cursor != 0);
	return &r;
}

static uint32_t
count_of(const struct round *r, uint16_t if_index, struct base_addr addr)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->gw[i].if_index == if_index &&
			memcmp(&r->gw[i].addr, &addr, sizeof(addr)) == 0;
	return n;
}

static uint32_t
count4(const struct round *r, uint32_t ip)
{
	return count_of(r, 1, base_addr_from_ip4(ip));
}

/* Whatever leads there: one route, many, one of several paths, either family. */
static void
each_router_is_told_once(void **state)
{
	const struct fib_nh paths[3] = {
		gateway(0, 0, 1).nh, gateway(0, 0, 2).nh, gateway(0, 0, 3).nh};
	const struct fib_route routes[] = {
		gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(11, 0, 0, 0), 8, 1),
		gateway(IP(12, 0, 0, 0), 8, 7),
		{P4(IP(13, 0, 0, 0), 8),
			{.type = FIB_NH_MULTI,
				.group = FIB_GROUP_NONE,
				.n_paths = 3,
				.paths = paths}},
		{P4(IP(14, 0, 0, 0), 8), {.type = FIB_NH_BLACKHOLE, .group = FIB_GROUP_NONE}},
		{P4(IP(15, 0, 0, 0), 8), {.type = FIB_NH_CONNECTED, .group = FIB_GROUP_NONE}},
		{P4(IP(16, 0, 0, 0), 8),
			{.type = FIB_NH_GATEWAY,
				.if_index = 2,
				.group = FIB_GROUP_NONE,
				.gateway = 1}},
		gateway6(&(struct base_prefix)P6(32, 0x20, 1), 5),
	};
	const struct base_addr router6 = {BASE_FAMILY_IP6, {0xfe, 0x80, [15] = 5}};
	struct fib *f = fib_build(routes, N_OF(routes), NULL, 0, err, sizeof(err));
	const struct round *r;

	(void)state;
	assert_non_null(f);
	r = go_round(f);
	assert_int_equal(r->n, 6);
	assert_int_equal(r->calls, 1);
	assert_int_equal(count4(r, 1), 1);
	assert_int_equal(count4(r, 2), 1);
	assert_int_equal(count4(r, 3), 1);
	assert_int_equal(count4(r, 7), 1);
	assert_int_equal(count_of(r, 2, base_addr_from_ip4(1)), 1);
	assert_int_equal(count_of(r, 1, router6), 1);
	fib_free(f);
}

/* The bytes of a router may be the same in both families: each is asked in its own. */
static void
families_are_told_apart(void **state)
{
	struct fib_route route4 = gateway(IP(10, 0, 0, 0), 8, IP(10, 0, 0, 1));
	struct fib_route route6 = gateway6(&(struct base_prefix)P6(32, 0x20, 1), 0);
	struct fib *f = fib_build(&route4, 1, NULL, 0, err, sizeof(err));
	const struct round *r;

	(void)state;
	assert_non_null(f);
	memset(route6.nh.gateway6, 0, sizeof(route6.nh.gateway6));
	memcpy(route6.nh.gateway6, &route4.nh.gateway, sizeof(route4.nh.gateway));
	command(f, FIB_SET, route6);
	r = go_round(f);
	assert_int_equal(r->n, 2);
	assert_int_equal(count4(r, IP(10, 0, 0, 1)), 1);
	assert_int_equal(count_of(r, 1, base_addr_from_ip6(route6.nh.gateway6)), 1);
	fib_free(f);
}

/* One that a command adds is told from then on, one that no route leads through is not any more. */
static void
routers_come_and_go_with_their_routes(void **state)
{
	struct fib_route route = gateway(IP(10, 0, 0, 0), 8, 1),
			 other = gateway(IP(11, 0, 0, 0), 8, 1);
	struct fib_replaced done;
	struct fib *f = fib_build(NULL, 0, NULL, 0, err, sizeof(err));

	(void)state;
	assert_non_null(f);
	assert_int_equal(go_round(f)->n, 0);
	command(f, FIB_SET, route);
	command(f, FIB_SET, other);
	assert_int_equal(count4(go_round(f), 1), 1);
	command(f, FIB_REMOVE, other);
	assert_int_equal(count4(go_round(f), 1), 1);
	command(f, FIB_REMOVE, route);
	assert_int_equal(go_round(f)->n, 0);
	/* in the place of the other one */
	other.nh.gateway = 2;
	command(f, FIB_SET, other);
	assert_int_equal(count4(go_round(f), 2), 1);
	assert_int_equal(go_round(f)->n, 1);
	/* and by a file */
	assert_int_equal(fib_replace(f, &route, 1, false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(count4(go_round(f), 1), 1);
	assert_int_equal(go_round(f)->n, 1);
	fib_free(f);
}

/* A call is short, however many there are, and however many were there. */
static void
a_round_takes_as_many_calls_as_it_needs(void **state)
{
	static struct fib_route routes[MANY];
	struct fib_gateway gw[CAP];
	struct fib *f = fib_build(NULL, 0, NULL, 0, err, sizeof(err));
	uint32_t cursor = 0, last;
	const struct round *r;

	(void)state;
	assert_non_null(f);
	for (uint32_t i = 0; i < MANY; i++) {
		routes[i] = gateway(IP(20, 0, 0, 0) + (i << 8), 24, i + 1);
		command(f, FIB_SET, routes[i]);
	}
	r = go_round(f);
	assert_int_equal(r->n, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(count4(r, i + 1), 1);
	assert_int_equal(r->calls, (MANY + CAP - 1) / CAP);
	for (uint32_t i = 0; i + 1 < MANY; i++)
		command(f, FIB_REMOVE, routes[i]);
	do {
		last = cursor;
		assert_in_range(fib_gateways(f, &cursor, gw, CAP), 0, 1);
		assert_true(cursor == 0 || cursor - last <= 256);
	} while (cursor != 0);
	assert_true(last > 0); /* it was not all looked at in one call */
	assert_int_equal(count4(go_round(f), MANY), 1);
	fib_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_router_is_told_once),
		cmocka_unit_test(families_are_told_apart),
		cmocka_unit_test(routers_come_and_go_with_their_routes),
		cmocka_unit_test(a_round_takes_as_many_calls_as_it_needs),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
