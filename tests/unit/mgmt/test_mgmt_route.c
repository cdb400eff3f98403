/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_expect.h"
#include "mgmt_fake.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

static void
routes_of_all_kinds(void **state)
{
	const struct fib_nh paths[2] = {
		{.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = 0xc63364fe},
		{.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = 0xc63364fd},
	};
	struct mgmt_args a = {0}, at = {.has_prefix = true, .value = 2}, one = {.is_address = true};

	(void)state;
	fake.n_routes = 4;
	fake.n_runtime = 1;
	fake.routes = calloc(4, sizeof(*fake.routes));
	for (uint32_t i = 0; i < 4; i++)
		fake.routes[i] = (struct fib_route){{base_addr_from_ip4((10 + i) << 24), 8},
			{.type = (uint8_t)(FIB_NH_MULTI + i), .group = FIB_GROUP_NONE}};
	fake.routes[0].nh.paths = paths;
	fake.routes[0].nh.n_paths = 2;
	EXPECT(routes, a,
		"prefix             type        origin    via                           "
		"interface       group\n"
		"10.0.0.0/8         multipath   static    198.51.100.254,198.51.100.253 "
		"wan             -\n"
		"11.0.0.0/8         blackhole   static    -                             "
		"-               -\n"
		"12.0.0.0/8         unreachable static    -                             "
		"-               -\n"
		"13.0.0.0/8         prohibit    runtime   -                             "
		"-               -\n");
	at.prefix = fake.routes[1].prefix;
	EXPECT(routes, at,
		"prefix             type        origin    via             interface       group\n"
		"11.0.0.0/8         blackhole   static    -               -               -\n"
		"12.0.0.0/8         unreachable static    -               -               -\n"
		"(of 4 routes; go on with: show route from 13.0.0.0/8)\n");
	fake.nbrs[0] = (struct fib_nbr_row){
		.if_index = 1, .addr = base_addr_from_ip4(0xc63364fd), .state = FIB_NBR_REACHABLE};
	fake.n_nbrs = 1;
	one.prefix.addr = base_addr_from_ip4(0x0a010101);
	EXPECT(route_one, one,
		"10.0.0.0/8: multipath, static, interface wan\n"
		"\tvia 198.51.100.254 interface wan: neighbor absent, link down\n"
		"\tvia 198.51.100.253 interface wan: neighbor reachable, link down\n");
	fake.route_match = 4;
	EXPECT(route_one, one, "no route to 10.1.1.1\n");
	one.is_address = false;
	one.prefix = fake.routes[3].prefix;
	EXPECT(route_one, one, "13.0.0.0/8: prohibit, runtime\n");
	one.prefix.plen = 9;
	EXPECT(route_one, one, "no route to 13.0.0.0/9\n");
	EXPECT(route_summary, a,
		"routes 4, set at run time 1\n"
		"\tnext hops 3 trie nodes IPv4 2 IPv6 0 memory 4 KiB, made larger 1 times\n"
		"\tchanges 7 in 5 batches, refused 1, longest batch 2 us\n");
	assert_int_equal(fake.reading, 0);
}

static void
prefixes_and_addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		bool good, address;
		uint8_t plen;
	} cases[] = {
		{"10.0.0.0/8", true, false, 8},
		{"10.0.0.0", true, true, 32},
		{"::/0", true, false, 0},
		{"2001:db8::1", true, true, 128},
		{"10.0.0.0/33", false, false, 0},
		{"10.0.0.0/", false, false, 0},
		{"10.0.0.0/-1", false, false, 0},
		{"10.0.0/8", false, false, 0},
		{"::/129", false, false, 0},
		{"from", false, false, 0},
		{"", false, false, 0},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mgmt_args a = {0};

		assert_int_equal(
			mgmt_prefix_parse(cases[i].text, strlen(cases[i].text), &a), cases[i].good);
		assert_int_equal(a.has_prefix, cases[i].good);
		if (cases[i].good) {
			assert_int_equal(a.is_address, cases[i].address);
			assert_int_equal(a.prefix.plen, cases[i].plen);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(routes_of_all_kinds, fake_before, fake_after),
		cmocka_unit_test(prefixes_and_addresses_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
