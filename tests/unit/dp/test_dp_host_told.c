/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What the host path tells the kernel of what it cannot send. */
#include "dp_rig_host.h"

#include <string.h>

#include <rte_common.h>

#include "base_bytes.h"

/* Path MTU discovery works for the kernel too, and it is told what has no route. */
static void
the_kernel_is_told_what_cannot_be_sent(void **state)
{
	struct rig *r = *state;
	struct frame big = frame_ip4(lan_mac, LAN_OWN, SERVER, TCP, 1381);
	struct frame big6 = frame_ip6(lan_mac, lan_own6, server6, TCP, 1361);
	struct frame lost = frame_ip4(lan_mac, LAN_OWN, IP(8, 8, 8, 8), TCP, 40);
	struct frame lost6 = frame_ip6(lan_mac, lan_own6, (const uint8_t[16]){0x30, 1}, TCP, 40);
	struct frame f;

	base_store_be16(big.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&big);
	assert_refused(r, LAN, &big, DP_DROP_TOO_BIG);
	assert_true(kernel_gets(r, LAN, &f));
	assert_memory_equal(f.b, lan_mac, 6);
	assert_int_equal(base_load_be32(f.b + IP_AT + 12), DUMMY);
	assert_int_equal(base_load_be32(f.b + IP_AT + 16), LAN_OWN);
	assert_int_equal(f.b[IP_AT + 20], WIRE_ICMP_UNREACHABLE);
	assert_int_equal(f.b[IP_AT + 21], WIRE_ICMP_UNREACH_FRAG);
	assert_int_equal(base_load_be16(f.b + IP_AT + 26), 1400);
	assert_refused(r, LAN, &big6, DP_DROP_TOO_BIG);
	assert_true(kernel_gets(r, LAN, &f));
	assert_memory_equal(f.b + IP_AT + 24, lan_own6, 16);
	assert_int_equal(f.b[IP_AT + 40], WIRE_ICMP6_TOO_BIG);
	assert_int_equal(base_load_be32(f.b + IP_AT + 44), 1400);
	assert_refused(r, LAN, &lost, DP_DROP_NO_ROUTE);
	assert_true(kernel_gets(r, LAN, &f));
	assert_int_equal(f.b[IP_AT + 20], WIRE_ICMP_UNREACHABLE);
	assert_int_equal(f.b[IP_AT + 21], WIRE_ICMP_UNREACH_NET);
	assert_refused(r, LAN, &lost6, DP_DROP_NO_ROUTE);
	assert_true(kernel_gets(r, LAN, &f));
	assert_int_equal(f.b[IP_AT + 40], WIRE_ICMP6_UNREACHABLE);
	assert_kernel_gets_nothing(r);
}

/* Of a route to nowhere it hears what any sender hears: of a blackhole nothing. */
static void
the_kernel_is_told_of_nowhere_as_others_are(void **state)
{
	static const struct {
		uint8_t net, net6, code, code6;
		enum dp_drop why;
	} cases[] = {
		{120, 0x20, 0, 0, DP_DROP_BLACKHOLE},
		{121, 0x21, WIRE_ICMP_UNREACH_HOST, WIRE_ICMP6_UNREACH_ROUTE,
			DP_DROP_ROUTE_UNREACHABLE},
		{122, 0x22, WIRE_ICMP_UNREACH_ADMIN, WIRE_ICMP6_UNREACH_ADMIN,
			DP_DROP_ROUTE_PROHIBIT},
	};
	struct rig *r = *state;

	for (unsigned int i = 0; i < 3; i++) {
		const uint8_t dst6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xfd, cases[i].net6, [15] = 1};
		struct frame four =
			frame_ip4(lan_mac, LAN_OWN, IP(203, 0, cases[i].net, 9), TCP, 40);
		struct frame six = frame_ip6(lan_mac, lan_own6, dst6, TCP, 40);
		struct frame f;

		assert_refused(r, LAN, &four, cases[i].why);
		if (cases[i].why != DP_DROP_BLACKHOLE) {
			assert_true(kernel_gets(r, LAN, &f));
			assert_int_equal(f.b[IP_AT + 20], WIRE_ICMP_UNREACHABLE);
			assert_int_equal(f.b[IP_AT + 21], cases[i].code);
		}
		assert_kernel_gets_nothing(r);
		assert_refused(r, LAN, &six, cases[i].why);
		if (cases[i].why != DP_DROP_BLACKHOLE) {
			assert_true(kernel_gets(r, LAN, &f));
			assert_int_equal(f.b[IP_AT + 40], WIRE_ICMP6_UNREACHABLE);
			assert_int_equal(f.b[IP_AT + 41], cases[i].code6);
		}
		assert_kernel_gets_nothing(r);
	}
}

/* Nobody is asked for the subnet-router anycast address; whoever sends to it, it has one name. */
static void
an_anycast_address_is_named(void **state)
{
	struct rig *r = *state;
	uint8_t anycast[16];
	struct frame f;

	memcpy(anycast, lan_own6, sizeof(anycast));
	anycast[15] = 0;
	f = frame_ip6(lan_mac, lan_own6, anycast, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_SUBNET_ANYCAST);
	assert_kernel_gets_nothing(r);
}

/*
 * A raw socket sends options that nobody made right, and fragments are to have them: the packet
 * is refused as anybody's would be, and so is one whose sender chose the route.
 */
static void
options_of_the_kernel_are_looked_at(void **state)
{
	static const struct {
		uint8_t type, len;
		enum dp_drop why;
	} cases[] = {
		{0x82, 0, DP_DROP_IP4_OPTIONS},	  /* leads nowhere, for ever */
		{0x82, 200, DP_DROP_IP4_OPTIONS}, /* beyond the header */
		{131, 3, DP_DROP_IP4_SOURCE_ROUTE},
	};
	struct rig *r = *state;

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		struct frame big = frame_ip4(lan_mac, LAN_OWN, SERVER, TCP, 1500), f;

		frame_options(&big, 4);
		big.b[IP_AT + 20] = cases[i].type;
		big.b[IP_AT + 21] = cases[i].len;
		frame_sum(&big);
		assert_refused(r, LAN, &big, cases[i].why);
		if (cases[i].why == DP_DROP_IP4_OPTIONS) {
			assert_true(kernel_gets(r, LAN, &f));
			assert_int_equal(f.b[IP_AT + 20], WIRE_ICMP_PARAMETER);
			assert_int_equal(f.b[IP_AT + 24], 21);
		}
		assert_kernel_gets_nothing(r);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, host_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_kernel_is_told_what_cannot_be_sent),
		T(the_kernel_is_told_of_nowhere_as_others_are),
		T(an_anycast_address_is_named),
		T(options_of_the_kernel_are_looked_at),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
