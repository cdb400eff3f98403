/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Answers to what this box asked of its neighbours, and what anybody sends: a flood of the latter
 * must not keep the former from the control lcore.
 */
#include "dp_rig.h"

#include <string.h>

static void
no_action(void *arg, const struct fib_nbr_action *a)
{
	(void)arg;
	assert_int_equal(a->type, FIB_NBR_ACT_REQUEST);
}

/* The box has asked a host that nobody knows. */
static void
ask(struct rig *r, uint16_t if_index, const struct base_addr *addr)
{
	fib_nbr_resolve(r->nbr, if_index, addr, NULL, r->now, no_action, NULL);
}

static bool
same(const struct rte_mbuf *m, const struct frame *f)
{
	return m->pkt_len == f->len && memcmp(rte_pktmbuf_mtod(m, void *), f->b, f->len) == 0;
}

/*
 * Receive more of a flood than any ring holds and then one frame, and make one visit of the
 * control lcore. @return whether that frame was among what it got
 */
static bool
heard_in_flood(struct rig *r, int port, const struct frame *flood, const struct frame *f)
{
	struct dp_punt p[64];
	bool heard = false;

	for (unsigned int i = 0; i < 600; i++) {
		rig_rx(r, port, flood);
		if (i % 30 == 0)
			rig_turn(r);
	}
	rig_rx(r, port, f);
	while (rig_turn(r) != 0)
		;
	for (bool first = true;; first = false) {
		uint32_t n = dp_poll_punts(r->dp, p, 64, 16);

		for (uint32_t i = 0; i < n; i++) {
			if (first && same(p[i].m, f)) {
				heard = true;
				assert_int_equal(p[i].cls, DP_PUNT_IF_ARP);
				assert_int_equal(p[i].if_index, port);
				assert_int_equal(p[i].group, DP_NONE);
			}
			rte_pktmbuf_free(p[i].m);
		}
		if (n == 0)
			return heard;
	}
}

static void
a_flood_of_requests_leaves_answers_their_ring(void **state)
{
	struct rig *r = *state;
	const struct base_addr stranger = base_addr_from_ip4(STRANGER);
	struct frame flood = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, ROUTER, WAN_OWN);
	struct frame reply = frame_arp(wan_mac, WIRE_ARP_REPLY, STRANGER, WAN_OWN);

	ask(r, WAN, &stranger);
	assert_true(heard_in_flood(r, WAN, &flood, &reply));
	assert_true(rig_drops(r, DP_DROP_PUNT_RING_FULL) > 0);
	assert_int_equal(rig_drops_all(r), rig_drops(r, DP_DROP_PUNT_RING_FULL));
}

/* Where an interface has no address its MASTER asks in the VIP's name. */
static void
an_answer_to_a_vip_has_that_ring_too(void **state)
{
	struct rig *r = *state;
	const struct base_addr stranger = base_addr_from_ip4(STRANGER);
	struct frame flood = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, ROUTER, WAN_VIP);
	struct frame reply = frame_arp(vmac1, WIRE_ARP_REPLY, STRANGER, WAN_VIP);

	rig_master(r, WAN_VHID1);
	ask(r, WAN, &stranger);
	assert_true(heard_in_flood(r, WAN, &flood, &reply));
}

static void
a_flood_of_solicitations_leaves_answers_their_ring(void **state)
{
	struct rig *r = *state;
	const struct base_addr stranger = base_addr_from_ip6(stranger6);
	struct frame flood = frame_nd(wan_mac, WIRE_ICMP6_NS, wan_own6, wan_own6);
	struct frame reply = frame_nd(wan_mac, WIRE_ICMP6_NA, wan_own6, stranger6);

	ask(r, WAN, &stranger);
	assert_true(heard_in_flood(r, WAN, &flood, &reply));
}

/* A host that proves to be there again is heard as one that is new. */
static void
a_known_neighbour_has_that_ring(void **state)
{
	struct rig *r = *state;
	struct frame flood = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT2, LAN_OWN);
	struct frame reply = frame_arp(lan_mac, WIRE_ARP_REPLY, CLIENT, LAN_OWN);
	struct frame reply6 = frame_nd(lan_mac, WIRE_ICMP6_NA, lan_own6, client6);

	assert_true(heard_in_flood(r, LAN, &flood, &reply));
	assert_true(heard_in_flood(r, LAN, &flood, &reply6));
}

/* What looks like an answer and is none waits with the others. */
static void
answers_that_nobody_asked_for_do_not(void **state)
{
	struct rig *r = *state;
	const struct base_addr stranger = base_addr_from_ip4(STRANGER);
	struct frame flood = frame_arp(wan_mac, WIRE_ARP_REPLY, STRANGER + 1, WAN_OWN);
	struct frame flood6 = frame_nd(wan_mac, WIRE_ICMP6_NA, wan_own6, far6);
	struct frame to_all = frame_arp(wire_broadcast_mac, WIRE_ARP_REPLY, ROUTER, ROUTER);
	struct frame reply = frame_arp(wan_mac, WIRE_ARP_REPLY, STRANGER, WAN_OWN);

	ask(r, WAN, &stranger);
	assert_true(heard_in_flood(r, WAN, &flood, &reply));
	assert_true(heard_in_flood(r, WAN, &flood6, &reply));
	assert_true(heard_in_flood(r, WAN, &to_all, &reply));
	assert_int_equal(rig_drops(r, DP_DROP_ANSWER_RING_FULL), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_of_requests_leaves_answers_their_ring),
		T(an_answer_to_a_vip_has_that_ring_too),
		T(a_flood_of_solicitations_leaves_answers_their_ring),
		T(a_known_neighbour_has_that_ring),
		T(answers_that_nobody_asked_for_do_not),
	};

	return cmocka_run_group_tests_name(
		"dp_answers", tests, rig_group_setup, rig_group_teardown);
}
