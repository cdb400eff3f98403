/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Answers to the control lcore's echo requests: whose they are, and the way to an address. */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"
#include "dp_probe.h"

#define ID 0x1c70

/* An echo reply of the client, or what it makes of a TTL that ended; the identifier is id. */
static struct frame
answer4(uint16_t id, bool error)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 80);
	uint8_t *icmp = f.b + WIRE_ETH_LEN + WIRE_IP4_LEN;

	icmp[0] = error ? WIRE_ICMP_TIME_EXCEEDED : WIRE_ICMP_ECHO_REPLY;
	base_store_be16(icmp + 4, error ? 0 : id);
	if (error) {
		struct frame quoted = frame_echo(router_mac, LAN_OWN, SERVER, 20);

		memcpy(icmp + 8, quoted.b + WIRE_ETH_LEN, 48);
		base_store_be16(icmp + 8 + WIRE_IP4_LEN + 4, id);
	}
	base_store_be16(icmp + 2, 0);
	base_store_be16(icmp + 2, wire_sum_fold(wire_sum(icmp, 88, 0)));
	return f;
}

static struct frame
answer6(uint16_t id)
{
	struct frame f = frame_icmp6(lan_mac, client6, lan_own6, WIRE_ICMP6_ECHO_REPLY, 88);

	base_store_be16(f.b + WIRE_ETH_LEN + WIRE_IP6_LEN + 4, id);
	frame_sum6(&f);
	return f;
}

/* What the worker handed over. @return how many, each a PROBE of the LAN */
static uint32_t
taken(struct rig *r)
{
	struct dp_punt p[8];
	uint32_t n = dp_poll_punts(r->dp, p, 8, 8);

	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(p[i].cls, DP_PUNT_PROBE);
		assert_int_equal(p[i].if_index, LAN);
		assert_int_equal(p[i].group, DP_NONE);
		rte_pktmbuf_free(p[i].m);
	}
	return n;
}

static void
only_expected_answers_are_handed_over(void **state)
{
	const struct base_addr client = base_addr_from_ip4(CLIENT);
	const struct base_addr server = base_addr_from_ip4(SERVER);
	const struct base_addr client_six = base_addr_from_ip6(client6);
	struct rig *r = *state;
	struct frame reply = answer4(ID, false), other = answer4(ID + 1, false);
	struct frame error = answer4(ID, true), reply6 = answer6(ID), bad;

	/* Nobody waits: they are for the kernel, which this interface does not have. */
	rig_take(r, LAN, &reply);
	rig_take(r, LAN, &error);
	rig_take(r, LAN, &reply6);
	assert_int_equal(rig_drops(r, DP_DROP_LOCAL), 3);
	assert_int_equal(taken(r), 0);

	dp_probe_expect(r->dp, 0, &client, ID);
	rig_take(r, LAN, &reply);
	assert_int_equal(taken(r), 1);
	rig_take(r, LAN, &other);  /* another identifier */
	rig_take(r, LAN, &error);  /* about a request to another host */
	rig_take(r, LAN, &reply6); /* of the other family */
	assert_int_equal(taken(r), 0);
	assert_int_equal(rig_drops(r, DP_DROP_LOCAL), 6);
	dp_probe_expect(r->dp, 3, &server, ID);
	dp_probe_expect(r->dp, 1, &client_six, ID);
	rig_take(r, LAN, &error);
	rig_take(r, LAN, &reply6);
	assert_int_equal(taken(r), 2);
	assert_int_equal(rig_stats(r).punted_probe, 3);

	/* A sum that does not verify is nobody's. */
	bad = reply;
	bad.b[bad.len - 1] ^= 1;
	rig_take(r, LAN, &bad);
	bad = reply6;
	bad.b[bad.len - 1] ^= 1;
	rig_take(r, LAN, &bad);
	assert_int_equal(rig_drops(r, DP_DROP_ECHO_MALFORMED), 2);
	/* Requests are answered as ever. */
	other = frame_echo(lan_mac, CLIENT, LAN_OWN, 20);
	rig_take(r, LAN, &other);
	assert_int_equal(rig_stats(r).echo_replies, 1);
	assert_int_equal(rig_tx_count(r, LAN), 1);

	dp_probe_expect(r->dp, 0, NULL, 0);
	rig_take(r, LAN, &reply);
	assert_int_equal(taken(r), 0);
}

static void
a_flood_of_answers_has_a_ring_of_its_own(void **state)
{
	const struct base_addr client = base_addr_from_ip4(CLIENT);
	struct rig *r = *state;
	struct frame reply = answer4(ID, false);
	struct dp_punt p[8];

	dp_probe_expect(r->dp, 2, &client, ID);
	for (unsigned int i = 0; i < 300; i++)
		rig_take(r, LAN, &reply);
	assert_int_equal(rig_stats(r).punted_probe, 255);
	assert_int_equal(rig_drops(r, DP_DROP_PUNT_RING_FULL), 45);
	/* Who asks for our MAC is heard nevertheless. */
	reply = frame_arp(lan_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);
	rig_take(r, LAN, &reply);
	assert_int_equal(rig_stats(r).punted_arp, 1);
	while (dp_poll_punts(r->dp, p, 1, 1) != 0)
		rte_pktmbuf_free(p[0].m);
}

static void
the_way_is_that_of_the_route(void **state)
{
	static const struct {
		uint32_t dst;
		uint8_t type;
		uint16_t if_index;
		uint32_t next_hop;
	} cases[] = {
		{CLIENT, FIB_NH_CONNECTED, LAN, CLIENT},
		{SERVER, FIB_NH_GATEWAY, WAN, ROUTER},
		{LAN_OWN, FIB_NH_LOCAL, LAN, 0},
		{LAN_VIP7, FIB_NH_LOCAL, LAN, 0},
		{IP(192, 0, 2, 255), FIB_NH_DROP, LAN, 0},
		{IP(203, 0, 120, 1), FIB_NH_BLACKHOLE, 0, 0},
		{IP(203, 0, 123, 1), FIB_NH_GATEWAY, WAN, ROUTER}, /* the only one with a MAC */
		{IP(172, 16, 0, 1), FIB_NH_NONE, 0, 0},
	};
	const struct base_addr six = base_addr_from_ip6(server6);
	struct rig *r = *state;
	struct dp_way way;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct base_addr dst = base_addr_from_ip4(cases[i].dst);

		dp_probe_way(r->dp, &dst, &way);
		assert_int_equal(way.type, cases[i].type);
		if (cases[i].next_hop == 0)
			continue;
		assert_int_equal(way.if_index, cases[i].if_index);
		assert_int_equal(base_addr_ip4(&way.next_hop), cases[i].next_hop);
	}
	dp_probe_way(r->dp, &six, &way);
	assert_int_equal(way.if_index, WAN);
	assert_memory_equal(way.next_hop.bytes, way.type == FIB_NH_GATEWAY ? router6 : server6, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			only_expected_answers_are_handed_over, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			a_flood_of_answers_has_a_ring_of_its_own, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			the_way_is_that_of_the_route, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
