/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_addr.h"
#include "base_rand.h"
#include "fib.h"

#include "test_fib_eal.h"
#include "test_fib_routes.h"

static struct fib *
build(const struct fib_route *routes, uint32_t n)
{
	char err[128] = "";
	struct fib *f = fib_build(routes, n, NULL, 0, err, sizeof(err));

	assert_string_equal(err, "");
	assert_non_null(f);
	return f;
}

static const struct fib_nh *
lookup(const struct fib *f, uint32_t dst)
{
	const struct fib_nh *nh = NULL;

	fib_lookup(f, &dst, &nh, 1);
	assert_non_null(nh);
	return nh;
}

/* The usual table of a box with one LAN and a default route. */
static const struct fib_route box[] = {
	{P4(IP(192, 0, 2, 2), 32), {FIB_NH_LOCAL, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 1), 32), {FIB_NH_LOCAL, 0, 7, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 0), 32), {FIB_NH_DROP, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 255), 32), {FIB_NH_DROP, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 77), 24),
		{FIB_NH_CONNECTED, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}}, /* host bits */
	{P4(0, 0), {FIB_NH_GATEWAY, 1, FIB_GROUP_NONE, 0, 0, {IP(198, 51, 100, 254)}, 0}},
	{P4(IP(10, 0, 0, 0), 8), {FIB_NH_GATEWAY, 0, FIB_GROUP_NONE, 0, 0, {IP(192, 0, 2, 9)}, 0}},
	{P4(IP(10, 64, 0, 0), 10),
		{FIB_NH_GATEWAY, 0, FIB_GROUP_NONE, 0, 0, {IP(192, 0, 2, 10)}, 0}},
	{P4(IP(10, 64, 3, 128), 25),
		{FIB_NH_GATEWAY, 0, FIB_GROUP_NONE, 0, 0, {IP(192, 0, 2, 11)}, 0}},
	{P4(IP(10, 64, 3, 200), 30), {FIB_NH_NONE, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	/* the same prefix again: the first wins */
	{P4(IP(10, 200, 0, 0), 8), {FIB_NH_DROP, 3, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(1, 2, 3, 4), 0), {FIB_NH_DROP, 3, FIB_GROUP_NONE, 0, 0, {0}, 0}},
};

static void
longest_prefix_wins(void **state)
{
	static const struct {
		uint32_t dst;
		enum fib_nh_type type;
		uint16_t group;
		uint32_t gateway;
	} cases[] = {
		{IP(192, 0, 2, 1), FIB_NH_LOCAL, 7, 0},
		{IP(192, 0, 2, 2), FIB_NH_LOCAL, FIB_GROUP_NONE, 0},
		{IP(192, 0, 2, 3), FIB_NH_CONNECTED, FIB_GROUP_NONE, 0},
		{IP(192, 0, 2, 0), FIB_NH_DROP, FIB_GROUP_NONE, 0},
		{IP(192, 0, 2, 255), FIB_NH_DROP, FIB_GROUP_NONE, 0},
		{IP(192, 0, 3, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(198, 51, 100, 254)},
		{IP(0, 0, 0, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(198, 51, 100, 254)},
		{IP(255, 255, 255, 255), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(198, 51, 100, 254)},
		{IP(10, 0, 0, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 9)},
		{IP(10, 63, 255, 255), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 9)},
		{IP(10, 64, 0, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 10)},
		{IP(10, 64, 3, 127), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 10)},
		{IP(10, 64, 3, 128), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 11)},
		{IP(10, 64, 3, 199), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 11)},
		{IP(10, 64, 3, 201), FIB_NH_NONE, FIB_GROUP_NONE, 0},
		{IP(10, 64, 3, 204), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 11)},
		{IP(10, 127, 255, 255), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 10)},
		{IP(10, 128, 0, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(192, 0, 2, 9)},
		{IP(11, 0, 0, 0), FIB_NH_GATEWAY, FIB_GROUP_NONE, IP(198, 51, 100, 254)},
	};
	struct fib *f = build(box, N_OF(box));

	(void)state;
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		const struct fib_nh *nh = lookup(f, cases[i].dst);

		if (nh->type != cases[i].type || nh->group != cases[i].group ||
			nh->gateway != cases[i].gateway)
			fail_msg("%08x: type %u group %u gateway %08x", cases[i].dst, nh->type,
				nh->group, nh->gateway);
	}
	fib_free(f);
}

static void
routes_are_sorted_and_single(void **state)
{
	struct fib *f = build(box, N_OF(box));
	struct fib_route first;

	(void)state;
	assert_int_equal(fib_route_count(f), N_OF(box) - 2);
	for (uint32_t i = 1; i < fib_route_count(f); i++) {
		struct fib_route a, b;
		uint32_t pa, pb;

		assert_true(fib_route_get(f, i - 1, &a, NULL));
		assert_true(fib_route_get(f, i, &b, NULL));
		pa = base_addr_ip4(&a.prefix.addr);
		pb = base_addr_ip4(&b.prefix.addr);
		assert_true(pa < pb || (pa == pb && a.prefix.plen < b.prefix.plen));
		assert_int_equal(pb & ~base_ip4_mask(b.prefix.plen), 0);
		assert_int_equal(fib_route_find(f, &b.prefix), i);
	}
	assert_true(fib_route_get(f, 0, &first, NULL));
	assert_int_equal(first.nh.type, FIB_NH_GATEWAY);
	assert_false(fib_route_get(f, fib_route_count(f), &first, NULL));
	fib_free(f);
}

static void
equal_next_hops_are_one(void **state)
{
	const struct fib_route routes[] = {
		gateway(IP(10, 1, 0, 0), 16, 1),
		gateway(IP(10, 2, 0, 0), 16, 2),
		gateway(IP(10, 3, 0, 0), 16, 1),
	};
	struct fib *f = build(routes, N_OF(routes));

	(void)state;
	assert_ptr_equal(lookup(f, IP(10, 1, 1, 1)), lookup(f, IP(10, 3, 9, 9)));
	assert_ptr_not_equal(lookup(f, IP(10, 1, 1, 1)), lookup(f, IP(10, 2, 1, 1)));
	assert_int_equal(lookup(f, IP(10, 4, 1, 1))->type, FIB_NH_NONE);
	assert_int_equal(lookup(f, IP(10, 4, 1, 1))->group, FIB_GROUP_NONE);
	fib_free(f);
}

static void
empty_table_has_no_route(void **state)
{
	uint32_t dst[200];
	const struct fib_nh *nhs[200];
	struct fib *f = build(NULL, 0);

	(void)state;
	assert_int_equal(fib_route_count(f), 0);
	for (uint32_t i = 0; i < N_OF(dst); i++)
		dst[i] = i << 24;
	fib_lookup(f, dst, nhs, 0);
	fib_lookup(f, dst, nhs, N_OF(dst)); /* more than one bulk call's worth */
	for (uint32_t i = 0; i < N_OF(dst); i++)
		assert_int_equal(nhs[i]->type, FIB_NH_NONE);
	fib_free(f);
}

/* Random routes, half of them crowded into 10.0.0.0/12 so that they nest, against a scan of the
 * list; all lengths, duplicates, and destinations at and around both ends of the prefixes. */
static void
random_tables_match_a_linear_reference(void **state)
{
	static const struct {
		uint32_t n_routes, n_gateways;
	} cases[] = {{1, 1}, {100, 5}, {300, 127}, {300, 128}, {10000, 1000}};
	static struct fib_route routes[10000];
	struct base_rand rnd;

	(void)state;
	base_rand_init(&rnd, 20260101);
	for (unsigned int c = 0; c < N_OF(cases); c++) {
		uint32_t n = cases[c].n_routes;
		struct fib *f;

		for (uint32_t i = 0; i < n; i++) {
			uint32_t prefix = (uint32_t)base_rand_next(&rnd);

			if (i % 2 == 0)
				prefix = IP(10, 0, 0, 0) | (prefix & 0xfffff);
			routes[i] = gateway(prefix, (uint8_t)base_rand_below(&rnd, 33),
				1 + (uint32_t)base_rand_below(&rnd, cases[c].n_gateways));
		}
		f = build(routes, n);
		for (uint32_t i = 0; i < 1500; i++) {
			const struct fib_route *r = &routes[base_rand_below(&rnd, n)];
			uint32_t mask = base_ip4_mask(r->prefix.plen);
			uint32_t first = base_addr_ip4(&r->prefix.addr) & mask;
			uint32_t last = first | ~mask;
			uint32_t dst[] = {
				(uint32_t)base_rand_next(&rnd), first, last, first - 1, last + 1};
			const struct fib_nh *nhs[N_OF(dst)];

			fib_lookup(f, dst, nhs, N_OF(dst));
			for (unsigned int k = 0; k < N_OF(dst); k++)
				assert_true(same_way(nhs[k], reference(routes, n, dst[k])));
		}
		fib_free(f);
	}
}

/* Sizes on both sides of what one and two bytes can name, by next hops and by tbl8 groups. */
static void
entry_size_follows_the_contents(void **state)
{
	static const struct {
		uint32_t n;
		uint8_t plen;
		bool same_gateway;
	} cases[] = {{126, 24, false}, {127, 24, false}, {128, 24, false}, {32767, 24, false},
		{126, 25, true}, {127, 25, true}, {128, 25, true}, {5000, 25, true}};
	static struct fib_route routes[32767];

	(void)state;
	for (unsigned int c = 0; c < N_OF(cases); c++) {
		struct fib *f;

		for (uint32_t i = 0; i < cases[c].n; i++)
			routes[i] = gateway(IP(20, 0, 0, 0) + (i << 8), cases[c].plen,
				cases[c].same_gateway ? 1 : i + 1);
		f = build(routes, cases[c].n);
		for (uint32_t i = 0; i < cases[c].n; i++)
			assert_int_equal(lookup(f, base_addr_ip4(&routes[i].prefix.addr))->gateway,
				routes[i].nh.gateway);
		assert_int_equal(lookup(f, IP(20, 0, 0, 0) + (cases[c].n << 8))->type, FIB_NH_NONE);
		assert_int_equal(lookup(f, IP(20, 0, 0, 200))->type,
			cases[c].plen == 25 ? FIB_NH_NONE : FIB_NH_GATEWAY);
		fib_free(f);
	}
}

/* A box of both families: the same numbers mean different things, one list holds all. */
static void
families_do_not_mix(void **state)
{
	static const struct base_prefix prefixes[] = {P6(0, 0), P6(32, 0x20, 1, 0x0d, 0xb8),
		P6(64, 0x20, 1, 0x0d, 0xb8, 0, 1), P6(128, 0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 2)};
	static const struct {
		uint8_t dst[16];
		uint8_t gw; /* 0: the address of ours */
	} cases[] = {
		{{0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 2}, 0},
		{{0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 3}, 3},
		{{0x20, 1, 0x0d, 0xb8, 0, 2}, 2},
		{{0xc0, 0, 2, 2}, 1},
		{{0}, 1},
	};
	struct fib_route routes[N_OF(box) + N_OF(prefixes)], got;
	char err[128] = "";
	struct fib *f;

	(void)state;
	for (unsigned int i = 0; i < N_OF(prefixes); i++)
		routes[i] = gateway6(&prefixes[i], (uint8_t)(i + 1));
	routes[3].nh = (struct fib_nh){.type = FIB_NH_LOCAL, .group = 5};
	memcpy(&routes[N_OF(prefixes)], box, sizeof(box));
	f = fib_build(routes, N_OF(routes), NULL, 0, err, sizeof(err));
	assert_non_null(f);
	assert_int_equal(fib_route_count(f), N_OF(routes) - 2);
	assert_true(fib_route_get(f, N_OF(box) - 3, &got, NULL));
	assert_int_equal(got.prefix.addr.family, BASE_FAMILY_IP4);
	for (uint32_t i = 0; i < N_OF(prefixes); i++) {
		assert_true(fib_route_get(f, (uint32_t)N_OF(box) - 2 + i, &got, NULL));
		assert_memory_equal(&got.prefix, &prefixes[i], sizeof(prefixes[i]));
	}
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		const struct fib_nh *nh = NULL;

		fib_lookup6(f, &cases[i].dst, &nh, 1);
		assert_int_equal(nh->type, cases[i].gw != 0 ? FIB_NH_GATEWAY : FIB_NH_LOCAL);
		assert_int_equal(nh->gateway6[15], cases[i].gw);
	}
	assert_int_equal(lookup(f, IP(192, 0, 2, 2))->type, FIB_NH_LOCAL);
	assert_int_equal(lookup(f, IP(10, 0, 0, 1))->gateway, IP(192, 0, 2, 9));
	fib_free(f);

	/* Without IPv6 there is no table, and no route. */
	f = build(box, N_OF(box));
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		const struct fib_nh *nh = NULL;

		fib_lookup6(f, &cases[i].dst, &nh, 1);
		assert_int_equal(nh->type, FIB_NH_NONE);
	}
	fib_free(f);
}

/* As for IPv4: half of the routes crowded together so that they nest, all lengths, duplicates. */
static void
random_tables6_match_a_linear_reference(void **state)
{
	static const uint32_t sizes[] = {1, 30, 300, 2000};
	static struct fib_route routes[2000];
	struct base_rand rnd;

	(void)state;
	base_rand_init(&rnd, 20260606);
	for (unsigned int c = 0; c < N_OF(sizes); c++) {
		uint32_t n = sizes[c];
		struct fib *f;

		for (uint32_t i = 0; i < n; i++) {
			struct base_prefix p = P6(0, 0x20, 1, 0x0d, 0xb8);
			unsigned int from = i % 2 == 0 ? 4 : 0;

			for (unsigned int k = from; k < 16; k++)
				p.addr.bytes[k] =
					(uint8_t)base_rand_below(&rnd, from != 0 ? 2 : 256);
			p.plen = (uint8_t)base_rand_below(&rnd, 129);
			routes[i] = gateway6(&p, (uint8_t)(1 + base_rand_below(&rnd, 200)));
		}
		f = build(routes, n);
		for (uint32_t i = 0; i < 1000; i++) {
			const struct fib_route *r = &routes[base_rand_below(&rnd, n)];
			const struct fib_nh *nhs[5];
			uint8_t dst[N_OF(nhs)][16];

			ends6(&r->prefix, dst[0], dst[1]);
			ends6(&r->prefix, dst[2], dst[3]);
			step6(dst[2], false);
			step6(dst[3], true);
			for (unsigned int k = 0; k < 16; k++)
				dst[4][k] = (uint8_t)base_rand_next(&rnd);
			fib_lookup6(f, (const uint8_t(*)[16])dst, nhs, N_OF(dst));
			for (unsigned int k = 0; k < N_OF(dst); k++)
				assert_true(same_way(nhs[k], reference6(routes, n, dst[k])));
		}
		fib_free(f);
	}
}

static void
refused_tables_say_why(void **state)
{
	static struct fib_route routes[32768];
	struct fib_route bad = gateway(0, 33, 1);
	char err[128];

	(void)state;
	for (uint32_t i = 0; i < N_OF(routes); i++)
		routes[i] = gateway(i << 8, 24, i + 1);
	assert_null(fib_build(routes, N_OF(routes), NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "over 32767 distinct next hops");

	assert_null(fib_build(&bad, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "route 0: prefix length 33 is over 32");
	bad.prefix = (struct base_prefix)P6(129, 0x20, 1);
	assert_null(fib_build(&bad, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "route 0: prefix length 129 is over 128");
	bad.prefix.addr.family = BASE_FAMILY_NONE;
	assert_null(fib_build(&bad, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "route 0: no address family is 0");
	bad = gateway(0, 32, 1);
	bad.nh.type = FIB_NH_PROHIBIT + 1;
	assert_null(fib_build(&bad, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "route 0: no next hop has type 9");
	fib_free(NULL);
}

/* Tables until the memory is used up: the last is refused with its reason, and all that it took
 * is given back, or the second round would get fewer. */
static void
out_of_memory_is_clean(void **state)
{
	struct fib *f[16];
	unsigned int first_round = 0;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		unsigned int n = 0;
		char err[128] = "";

		for (; n < N_OF(f); n++) {
			f[n] = fib_build(box, N_OF(box), NULL, 0, err, sizeof(err));
			if (f[n] == NULL)
				break;
		}
		assert_in_range(n, 2, N_OF(f) - 1);
		assert_string_equal(err, "out of memory for 12 routes");
		if (round == 0)
			first_round = n;
		assert_int_equal(n, first_round);
		while (n > 0)
			fib_free(f[--n]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins),
		cmocka_unit_test(routes_are_sorted_and_single),
		cmocka_unit_test(equal_next_hops_are_one),
		cmocka_unit_test(empty_table_has_no_route),
		cmocka_unit_test(random_tables_match_a_linear_reference),
		cmocka_unit_test(entry_size_follows_the_contents),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(random_tables6_match_a_linear_reference),
		cmocka_unit_test(refused_tables_say_why),
		cmocka_unit_test(out_of_memory_is_clean),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
