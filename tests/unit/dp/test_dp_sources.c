/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Adverts from sources that valid ones were heard from, and from others: what a flood of the latter
 * must not do to the former.
 */
#include "dp_rig.h"

#define PEER	 IP(192, 0, 2, 3)
#define ATTACKER IP(192, 0, 2, 66)

static struct frame
advert4(uint32_t src, uint8_t vhid)
{
	return frame_carp(wire_carp_mac4, src, WIRE_CARP_GROUP_IP4, vhid);
}

static struct frame
advert6(const uint8_t src[16], uint8_t vhid)
{
	return frame_carp6(wire_carp_mac6, src, wire_carp_group_ip6, vhid);
}

/* Take one advert and tell whether its source was known. */
static bool
is_known(struct rig *r, const struct frame *f)
{
	struct dp_punt p;
	bool known;

	rig_take(r, LAN, f);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_ADVERT);
	known = p.known_source;
	rte_pktmbuf_free(p.m);
	return known;
}

static void
sources_are_known_by_group_and_address(void **state)
{
	struct rig *r = *state;
	const struct base_addr known[] = {base_addr_from_ip4(PEER), base_addr_from_ip6(client_ll6)};
	struct frame peer = advert4(PEER, 1), attacker = advert4(ATTACKER, 1);
	struct frame peer6 = advert6(client_ll6, 1), attacker6 = advert6(client6, 1);
	struct frame unicast = frame_carp(lan_mac, PEER, LAN_OWN, 1);
	struct frame unicast6 = frame_carp6(lan_mac, client_ll6, lan_own6, 1);
	struct frame other_group = advert4(PEER, 7), no_group = advert4(PEER, 200);

	assert_false(is_known(r, &peer));
	assert_false(is_known(r, &peer6));
	dp_group_sources(r->dp, LAN_VHID1, known, 2);
	assert_true(is_known(r, &peer));
	assert_true(is_known(r, &peer6));
	assert_true(is_known(r, &unicast));
	assert_true(is_known(r, &unicast6));
	assert_false(is_known(r, &attacker));
	assert_false(is_known(r, &attacker6));
	assert_false(is_known(r, &other_group));
	assert_false(is_known(r, &no_group));
	dp_group_sources(r->dp, LAN_VHID1, known + 1, 1);
	assert_false(is_known(r, &peer));
	assert_true(is_known(r, &peer6));
	dp_group_sources(r->dp, LAN_VHID1, NULL, 0);
	assert_false(is_known(r, &peer6));
	/* What is waiting keeps what it was when it came. */
	dp_group_sources(r->dp, LAN_VHID1, known, 2);
	rig_take(r, LAN, &peer);
	dp_group_sources(r->dp, LAN_VHID1, NULL, 0);
	{
		struct dp_punt p;

		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
		assert_true(p.known_source);
		rte_pktmbuf_free(p.m);
	}
}

/* Sets that overlap, in any order, full and over-full, with repetitions and empty entries. */
static void
the_published_set_is_what_counts(void **state)
{
	struct rig *r = *state;
	uint32_t x = 1;

	for (unsigned int round = 0; round < 200; round++) {
		struct base_addr known[DP_KNOWN_MAX + 2];
		bool want[12] = {false};
		uint16_t n;

		x = x * 1103515245 + 12345;
		n = (uint16_t)((x >> 16) % (DP_KNOWN_MAX + 3));
		for (uint16_t i = 0; i < n; i++) {
			unsigned int host;

			x = x * 1103515245 + 12345;
			host = (x >> 16) % 13;
			if (host == 12) {
				known[i] = (struct base_addr){.family = BASE_FAMILY_NONE};
				continue;
			}
			known[i] = base_addr_from_ip4(IP(192, 0, 2, host));
			if (i < DP_KNOWN_MAX)
				want[host] = true;
		}
		dp_group_sources(r->dp, LAN_VHID1, known, n);
		for (unsigned int host = 0; host < 12; host++) {
			struct frame f = advert4(IP(192, 0, 2, host), 1);

			assert_int_equal(is_known(r, &f), want[host]);
		}
	}
	assert_int_equal(rig_drops_all(r), 0);
}

static void
a_flood_of_unknown_sources_does_not_push_out_known_ones(void **state)
{
	struct rig *r = *state;
	const struct base_addr known = base_addr_from_ip4(PEER);
	struct frame peer = advert4(PEER, 1);
	struct dp_punt p[128];
	unsigned int seen = 0;

	dp_group_sources(r->dp, LAN_VHID1, &known, 1);
	for (unsigned int i = 0; i < 100; i++) {
		for (unsigned int k = 0; k < 200; k++) {
			struct frame f = advert4(IP(192, 0, 2, 100) + k % 100, 1);
			struct frame f6 = advert6(client6, 1);

			f6.b[WIRE_ETH_LEN + 8 + 15] = (uint8_t)k;
			rig_rx(r, LAN, k % 2 ? &f : &f6);
			if (k == 150)
				rig_rx(r, LAN, &peer);
			if (k % 30 == 0)
				rig_turn(r);
		}
		while (rig_turn(r) != 0)
			;
		/* It comes first, though the others had filled their ring long before. */
		assert_int_equal(dp_poll_adverts(r->dp, p, 128, 64), 64);
		for (uint32_t k = 0; k < 64; k++) {
			assert_int_equal(p[k].known_source, k == 0);
			assert_int_equal(p[k].group, LAN_VHID1);
			seen += p[k].known_source;
			rte_pktmbuf_free(p[k].m);
		}
	}
	assert_int_equal(seen, 100);
	assert_int_equal(rig_drops(r, DP_DROP_ADVERT_UNKNOWN_RING_FULL), 100 * (200 - 63));
	assert_int_equal(rig_drops_all(r), 100 * (200 - 63));
}

/* A flood in the name of a known source must not shut out a peer that is new. */
static void
a_visit_takes_one_of_an_unknown_source(void **state)
{
	struct rig *r = *state;
	const struct base_addr known = base_addr_from_ip4(PEER);
	struct frame peer = advert4(PEER, 1), new_peer = advert4(CLIENT2, 1);
	struct dp_punt p[128];
	uint32_t n, total = 0, visits = 0;

	dp_group_sources(r->dp, LAN_VHID1, &known, 1);
	rig_rx(r, LAN, &new_peer);
	rig_rx(r, LAN, &new_peer);
	for (unsigned int i = 0; i < 255; i++)
		rig_rx(r, LAN, &peer);
	while (rig_turn(r) != 0)
		;
	while ((n = dp_poll_adverts(r->dp, p, 128, 64)) != 0) {
		assert_true(n <= 64);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(p[i].known_source, visits >= 2 || i < n - 1);
			rte_pktmbuf_free(p[i].m);
		}
		total += n;
		visits++;
	}
	assert_int_equal(total, 257);
	assert_int_equal(visits, 5);
	/* Room for one: a known source has it. */
	rig_rx(r, LAN, &new_peer);
	rig_rx(r, LAN, &peer);
	rig_turn(r);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(dp_poll_adverts(r->dp, p, 1, 64), 1);
		assert_int_equal(p[0].known_source, i == 0);
		rte_pktmbuf_free(p[0].m);
	}
	assert_int_equal(dp_poll_adverts(r->dp, p, 1, 64), 0);
}

/* What waited at a mark is told apart from what came after it, in every ring. */
static void
a_mark_is_passed_when_what_waited_is_out(void **state)
{
	struct rig *r = *state;
	const struct base_addr known = base_addr_from_ip4(PEER);
	struct frame peer = advert4(PEER, 1), other = advert4(CLIENT2, 1),
		     stray = advert4(CLIENT2, 99);
	struct dp_punt p[128];

	assert_true(dp_adverts_passed(r->dp));
	dp_group_sources(r->dp, LAN_VHID1, &known, 1);
	for (unsigned int i = 0; i < 3; i++) {
		rig_rx(r, LAN, &peer);
		rig_rx(r, LAN, &other);
		rig_rx(r, LAN, &stray);
	}
	while (rig_turn(r) != 0)
		;
	dp_adverts_mark(r->dp);
	assert_false(dp_adverts_passed(r->dp));
	for (unsigned int round = 0; round < 3; round++) {
		/* The flood goes on. */
		for (unsigned int i = 0; i < 20; i++) {
			rig_rx(r, LAN, &peer);
			rig_rx(r, LAN, &stray);
		}
		while (rig_turn(r) != 0)
			;
		assert_false(dp_adverts_passed(r->dp));
		uint32_t n = dp_poll_adverts(r->dp, p, 128, 2);

		assert_int_equal(n, 4);
		while (n-- > 0)
			rte_pktmbuf_free(p[n].m);
	}
	/* two strays and one of each source a round: three rounds for three of an unknown source */
	assert_true(dp_adverts_passed(r->dp));
	dp_adverts_mark(r->dp);
	assert_false(dp_adverts_passed(r->dp));
	for (uint32_t n; (n = dp_poll_adverts(r->dp, p, 128, 64)) != 0;)
		while (n-- > 0)
			rte_pktmbuf_free(p[n].m);
	assert_true(dp_adverts_passed(r->dp));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(sources_are_known_by_group_and_address),
		T(the_published_set_is_what_counts),
		T(a_flood_of_unknown_sources_does_not_push_out_known_ones),
		T(a_visit_takes_one_of_an_unknown_source),
		T(a_mark_is_passed_when_what_waited_is_out),
	};

	return cmocka_run_group_tests_name(
		"dp_sources", tests, rig_group_setup, rig_group_teardown);
}
