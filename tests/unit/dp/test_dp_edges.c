/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Packets that few hosts send: with IPv4 options, with a routing header of IPv6.
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	  WIRE_ETH_LEN
#define OPTION_AT (WIRE_ETH_LEN + WIRE_IP4_LEN)
#define UPPER_AT  (WIRE_ETH_LEN + WIRE_IP6_LEN)
#define N_OF(a)	  (sizeof(a) / sizeof((a)[0]))

/* Options that pass, as they are but for TTL and sum. */
static void
options_pass_untouched(void **state)
{
	struct rig *r = *state;
	static const uint8_t options[][12] = {
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		{148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0},		 /* router alert, record route */
		{68, 12, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8},		 /* timestamps */
		{1, 130, 11, 131, 137, 131, 137, 7, 7, 7, 7, 7}, /* security, and its bytes */
		{7, 2, 0, 131, 11, 4, 0, 0, 0, 0, 0, 0},	 /* nothing counts behind the end */
		{0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{7, 11, 4, 1, 1, 1, 1, 1, 1, 1, 1, 0},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(options); i++) {
		struct frame f = frame_udp(vmac1, CLIENT, SERVER), sent;
		struct rte_mbuf *m;

		frame_options(&f, 12);
		memcpy(f.b + OPTION_AT, options[i], 12);
		frame_sum(&f);
		if (i % 2)
			rig_rx_segments(r, LAN, &f, 36, 5);
		else
			rig_rx(r, LAN, &f);
		assert_int_equal(rig_turn(r), 1);
		m = rig_tx(r, WAN);
		if (m == NULL)
			fail_msg("options %u did not pass", i);
		sent = frame_of(m);
		f.b[IP_AT + 8]--;
		frame_sum(&f);
		assert_int_equal(sent.len, f.len);
		assert_memory_equal(sent.b + IP_AT, f.b + IP_AT, f.len - IP_AT);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

/* RFC 792: the pointer tells which byte is wrong. */
static void
a_wrong_option_is_told_with_its_place(void **state)
{
	struct rig *r = *state;
	static const struct {
		uint8_t option[4];
		uint8_t pointer;
	} cases[] = {
		{{7, 0, 0, 0}, 21},
		{{7, 1, 0, 0}, 21},
		{{1, 7, 4, 0}, 22},
		{{1, 1, 7, 255}, 23},
		{{1, 1, 1, 7}, 23},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		struct frame f = frame_udp(vmac1, CLIENT, SERVER), e;
		const uint8_t *icmp = e.b + OPTION_AT;
		struct rte_mbuf *m;

		frame_options(&f, 4);
		memcpy(f.b + OPTION_AT, cases[i].option, 4);
		frame_sum(&f);
		frame_pad(&f, 90);
		rig_take(r, LAN, &f);
		m = rig_tx(r, LAN);
		assert_non_null(m);
		e = frame_of(m);
		assert_int_equal(e.b[IP_AT + 9], WIRE_PROTO_ICMP);
		assert_int_equal(icmp[0], WIRE_ICMP_PARAMETER);
		assert_int_equal(icmp[1], 0);
		assert_int_equal(base_load_be32(icmp + 4), (uint32_t)cases[i].pointer << 24);
		/* The packet is quoted without the frame's padding. */
		assert_int_equal(e.len, OPTION_AT + WIRE_ICMP_LEN + 50);
		assert_memory_equal(icmp + WIRE_ICMP_LEN, f.b + IP_AT, 50);
		rig_assert_silent(r);
		assert_int_equal(rig_drops(r, DP_DROP_IP4_OPTIONS), i + 1);
	}
}

/* Who chose the route learns nothing, whoever it is sent to. */
static void
a_source_route_is_refused_in_silence(void **state)
{
	struct rig *r = *state;
	const uint32_t to[] = {SERVER, LAN_OWN, LAN_VIP};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(to) * 2; i++) {
		struct frame f = frame_echo(vmac1, CLIENT, to[i / 2], 8);

		frame_options(&f, 8);
		f.b[OPTION_AT] = i % 2 ? 131 : 137;
		f.b[OPTION_AT + 1] = 7;
		f.b[OPTION_AT + 2] = 4;
		frame_sum(&f);
		rig_take(r, LAN, &f);
		rig_assert_silent(r);
		assert_int_equal(rig_drops(r, DP_DROP_IP4_SOURCE_ROUTE), i + 1);
	}
	assert_int_equal(rig_stats(r).icmp_errors, 0);
}

/* RFC 5095 3, RFC 8200 4.4: to us refused with the place of the type, to others none of ours. */
static void
a_routing_header_to_us_is_refused(void **state)
{
	struct rig *r = *state;
	const struct {
		const uint8_t *mac, *src, *dst;
		uint16_t options; /* bytes before it */
		bool answered;
	} cases[] = {
		{lan_mac, client6, lan_own6, 0, true}, {vmac1, client6, lan_vip6, 8, true},
		{lan_mac, client_ll6, own_ll6, 16, true}, {vmac1, client6, wan_own6, 0, true},
		{lan_mac, client6, lan_vip7_6, 0, false}, /* of a BACKUP */
	};
	uint64_t refused = 0;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		const uint16_t n = cases[i].options;
		struct frame f = frame_ip6(cases[i].mac, cases[i].src, cases[i].dst,
			n != 0 ? WIRE_PROTO_HOPOPTS : WIRE_PROTO_ROUTING, (uint16_t)(n + 24 + 8));
		uint8_t *h = f.b + UPPER_AT + n;
		struct rte_mbuf *m;

		memset(f.b + UPPER_AT, 0, n);
		if (n != 0) {
			f.b[UPPER_AT] = WIRE_PROTO_ROUTING;
			f.b[UPPER_AT + 1] = (uint8_t)(n / 8 - 1);
		}
		memcpy(h, (const uint8_t[]){WIRE_PROTO_ICMP6, 2, 0, 1}, 4);
		h[24] = WIRE_ICMP6_ECHO_REQUEST;
		rig_take(r, LAN, &f);
		m = rig_tx(r, LAN);
		assert_int_equal(m != NULL, cases[i].answered);
		if (m != NULL) {
			struct frame e = frame_of(m);

			refused++;
			assert_int_equal(e.b[UPPER_AT], WIRE_ICMP6_PARAMETER);
			assert_int_equal(e.b[UPPER_AT + 1], 0);
			assert_int_equal(base_load_be32(e.b + UPPER_AT + 4), WIRE_IP6_LEN + n + 2);
		}
		rig_assert_silent(r);
		assert_int_equal(rig_drops(r, DP_DROP_IP6_ROUTING), refused);
	}
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 1);
}

/* Out by the interface that it came in by: others would tell the host of a better way. */
static void
koi_sends_no_redirects(void **state)
{
	struct rig *r = *state;
	struct frame f4 = frame_udp(lan_mac, CLIENT, IP(10, 1, 1, 1));
	struct frame f6 = frame_ip6(lan_mac, client6, far6, 17, 30);

	rig_take(r, LAN, &f4);
	rig_take(r, LAN, &f6);
	assert_int_equal(rig_tx_count(r, LAN), 2);
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).forwarded, 2);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
	assert_int_equal(rig_stats(r).icmp_withheld, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(options_pass_untouched),
		T(a_wrong_option_is_told_with_its_place),
		T(a_source_route_is_refused_in_silence),
		T(a_routing_header_to_us_is_refused),
		T(koi_sends_no_redirects),
	};

	return cmocka_run_group_tests_name("dp_edges", tests, rig_group_setup, rig_group_teardown);
}
