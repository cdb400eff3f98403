/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The ownership gate and the rings: what a box that is not MASTER must not do, and what one group
 * must not do to another.
 */
#include "dp_rig.h"

#include <errno.h>
#include <string.h>

#include "base_bytes.h"

/* A frame to the vMAC in BACKUP is dropped, not forwarded, not answered (protocol note 3). */
static void
conformance_44_frame_to_the_vmac_in_backup(void **state)
{
	struct rig *r = *state;
	struct frame frames[] = {
		frame_udp(vmac1, CLIENT, SERVER),
		frame_udp(vmac1, CLIENT, CLIENT2),
		frame_echo(vmac1, CLIENT, LAN_VIP, 16),
		frame_echo(vmac1, CLIENT, LAN_OWN, 16),
		frame_arp(vmac1, WIRE_ARP_REQUEST, CLIENT, LAN_VIP),
	};
	struct dp_punt p;

	rig_backup(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		rig_take(r, LAN, &frames[i]);
		assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), i + 1);
	}
	assert_int_equal(rig_drops_all(r), sizeof(frames) / sizeof(frames[0]));
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	rig_assert_silent(r);
}

static void
a_flood_to_a_vmac_that_is_not_owned_forwards_nothing(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac7, CLIENT, SERVER);
	struct frame mine = frame_udp(vmac1, CLIENT, SERVER);

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 1000; i++) {
		for (unsigned int k = 0; k < 31; k++)
			rig_rx(r, LAN, &f);
		rig_rx(r, LAN, &mine);
		assert_int_equal(rig_turn(r), 32);
		assert_int_equal(rig_tx_count(r, WAN), 1);
	}
	rig_assert_silent(r);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 31000);
	assert_int_equal(rig_drops_all(r), 31000);
	assert_int_equal(rig_stats(r).forwarded, 1000);
}

/* What one frame's destination proved is no proof for the next one's. */
static void
each_frame_of_a_burst_is_let_in_by_its_own_destination(void **state)
{
	static const uint8_t zero[6];
	const uint8_t *const to[] = {zero, vmac1, vmac7, other_mac, lan_mac, vmac1, vmac7, zero};
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct frame f = frame_udp(to[i], CLIENT, SERVER);

		rig_rx(r, LAN, &f);
	}
	rig_turn(r);
	assert_int_equal(rig_tx_count(r, WAN), 3);
	assert_int_equal(rig_drops(r, DP_DROP_OTHER_MAC), 3);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 2);
	assert_int_equal(rig_drops_all(r), 5);
}

static void
ownership_changes_with_the_next_frame(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	for (unsigned int i = 0; i < 3; i++) {
		rig_take(r, LAN, &f);
		assert_int_equal(rig_tx_count(r, WAN), 0);
		rig_master(r, LAN_VHID1);
		rig_take(r, LAN, &f);
		assert_int_equal(rig_tx_count(r, WAN), 1);
		rig_backup(r, LAN_VHID1);
	}
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 3);
}

static void
handing_over_forwards_but_does_not_answer(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct frame echo = frame_echo(vmac1, CLIENT, LAN_VIP, 16);

	rig_handing_over(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	rig_take(r, LAN, &echo);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	rig_assert_silent(r);
}

static void
our_own_mac_needs_no_group(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);

	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
}

/* The same vhid on two interfaces, two vhids on one (protocol note 10, cases 60 and 61). */
static void
conformance_60_two_vhids_on_one_parent_have_rings_of_their_own(void **state)
{
	struct rig *r = *state;
	struct frame one = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct frame seven = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);
	struct frame to1 = frame_udp(vmac1, CLIENT, SERVER);
	struct frame to7 = frame_udp(vmac7, CLIENT, SERVER);
	struct dp_punt p[4];

	rig_rx(r, LAN, &one);
	rig_rx(r, LAN, &seven);
	rig_turn(r);
	assert_int_equal(dp_poll_adverts(r->dp, p, 4, 4), 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct frame *sent = p[i].group == LAN_VHID1 ? &one : &seven;

		assert_int_equal(p[i].cls, DP_PUNT_ADVERT);
		assert_int_equal(p[i].if_index, LAN);
		assert_true(p[i].group == LAN_VHID1 || p[i].group == LAN_VHID7);
		assert_int_equal(p[i].m->data_len, sent->len);
		assert_memory_equal(rte_pktmbuf_mtod(p[i].m, void *), sent->b, sent->len);
		rte_pktmbuf_free(p[i].m);
	}
	assert_int_not_equal(p[0].group, p[1].group);

	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &to1);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	rig_take(r, LAN, &to7);
	assert_int_equal(rig_tx_count(r, WAN), 1);
}

static void
conformance_61_the_same_vhid_on_two_parents_is_independent(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(wire_carp_mac4, ROUTER, WIRE_CARP_GROUP_IP4, 1);
	struct frame from_lan = frame_udp(vmac1, CLIENT, SERVER);
	struct frame from_wan = frame_udp(vmac1, SERVER, CLIENT);
	struct dp_punt p;

	rig_take(r, WAN, &advert);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.group, WAN_VHID1);
	assert_int_equal(p.if_index, WAN);
	rte_pktmbuf_free(p.m);

	rig_master(r, WAN_VHID1);
	rig_take(r, WAN, &from_wan);
	assert_int_equal(rig_tx_count(r, LAN), 1);
	rig_take(r, LAN, &from_lan);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
}

static void
a_flood_of_one_group_leaves_the_others_their_rings(void **state)
{
	struct rig *r = *state;
	struct frame flood = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct frame unknown = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 200);
	struct frame arp = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);
	struct frame other = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);
	struct dp_punt p[8];
	uint32_t n, seen = 0, none = 0;

	for (unsigned int i = 0; i < 10000; i++) {
		rig_rx(r, LAN, &flood);
		rig_rx(r, LAN, &unknown);
		rig_rx(r, LAN, &arp);
		if (i % 100 == 0)
			rig_rx(r, LAN, &other);
		rig_turn(r);
		if (i % 1000 != 999)
			continue;
		/* Ten adverts of the quiet group came; all are here, one visit takes four. */
		for (seen = 0, none = 0; seen < 10;) {
			n = dp_poll_adverts(r->dp, p, 8, 4);
			assert_true(n > 0);
			for (uint32_t k = 0; k < n; k++) {
				seen += p[k].group == LAN_VHID7;
				none += p[k].group == DP_NONE;
				rte_pktmbuf_free(p[k].m);
			}
		}
		assert_true(none > 0);
	}
	assert_int_equal(rig_drops(r, DP_DROP_ADVERT_RING_FULL) +
			rig_drops(r, DP_DROP_ADVERT_UNKNOWN_RING_FULL) +
			rig_drops(r, DP_DROP_PUNT_RING_FULL),
		rig_drops_all(r));
}

/* One frame a call, while every ring is full: each ring gets its turn. */
static void
a_round_continues_where_the_last_one_ended(void **state)
{
	struct rig *r = *state;
	static const uint8_t vhids[] = {1, 7, 200};
	uint32_t count[RIG_GROUPS + 1] = {0};
	struct dp_punt p;

	for (unsigned int i = 0; i < 63; i++) {
		for (unsigned int v = 0; v < 3; v++) {
			struct frame f =
				frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, vhids[v]);

			rig_take(r, LAN, &f);
		}
	}
	for (unsigned int i = 0; i < 60; i++) {
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 10), 1);
		count[p.group == DP_NONE ? RIG_GROUPS : p.group]++;
		rte_pktmbuf_free(p.m);
	}
	assert_int_equal(count[LAN_VHID1], 20);
	assert_int_equal(count[LAN_VHID7], 20);
	assert_int_equal(count[RIG_GROUPS], 20);
}

static void
what_is_left_in_a_ring_is_found_again(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct dp_punt p[64];
	uint32_t n, total = 0;

	for (unsigned int i = 0; i < 63; i++)
		rig_take(r, LAN, &f);
	while ((n = dp_poll_adverts(r->dp, p, 64, 10)) != 0) {
		assert_true(n <= 10);
		for (uint32_t k = 0; k < n; k++)
			rte_pktmbuf_free(p[k].m);
		total += n;
	}
	assert_int_equal(total, 63);
	/* No room, nothing taken. */
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_adverts(r->dp, p, 0, 10), 0);
	assert_int_equal(dp_poll_adverts(r->dp, p, 64, 0), 0);
	assert_int_equal(dp_poll_adverts(r->dp, p, 64, 64), 1);
	rte_pktmbuf_free(p[0].m);
}

struct advert_case {
	const char *what;
	const uint8_t *mac;
	uint32_t src, dst;
	uint8_t vhid;
	int port;
	uint16_t group; /**< expected */
};

static void
adverts_find_their_ring(void **state)
{
	struct rig *r = *state;
	const struct advert_case cases[] = {
		{"multicast", wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1, LAN, LAN_VHID1},
		{"from a box without address", wire_carp_mac4, 0, WIRE_CARP_GROUP_IP4, 1, LAN,
			LAN_VHID1},
		{"from a multicast source", wire_carp_mac4, IP(224, 0, 0, 1), WIRE_CARP_GROUP_IP4,
			1, LAN, LAN_VHID1},
		{"vhid of the other interface", wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 9, LAN,
			DP_NONE},
		{"vhid 0", wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 0, LAN, DP_NONE},
		{"vhid 255", wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 255, WAN, DP_NONE},
		{"unicast to our address", lan_mac, CLIENT, LAN_OWN, 7, LAN, LAN_VHID7},
		{"unicast, unknown vhid", wan_mac, ROUTER, WAN_OWN, 7, WAN, DP_NONE},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct advert_case *c = &cases[i];
		struct frame f = frame_carp(c->mac, c->src, c->dst, c->vhid);
		struct dp_punt p;

		/* What is wrong with the CARP header or the TTL is for the control lcore. */
		f.b[WIRE_ETH_LEN + 8] = 1;
		frame_sum(&f);
		if (i % 2 != 0)
			frame_options(&f, 8);
		frame_pad(&f, 100);
		rig_take(r, c->port, &f);
		if (dp_poll_adverts(r->dp, &p, 1, 1) != 1 || p.group != c->group)
			fail_msg("%s: expected group %u, got %u", c->what, c->group, p.group);
		assert_int_equal(p.if_index, c->port);
		/* Padding may stay, the packet is whole. */
		assert_in_range(
			p.m->pkt_len, WIRE_ETH_LEN + base_load_be16(f.b + WIRE_ETH_LEN + 2), f.len);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), f.b, p.m->pkt_len);
		rte_pktmbuf_free(p.m);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

static void
arp_finds_its_ring(void **state)
{
	struct rig *r = *state;
	const struct {
		const char *what;
		const uint8_t *mac;
		uint32_t target;
		int port;
		uint16_t group;
	} cases[] = {
		{"VIP", wire_broadcast_mac, LAN_VIP, LAN, LAN_VHID1},
		{"VIP of the second group, unowned", wire_broadcast_mac, LAN_VIP7, LAN, LAN_VHID7},
		{"VIP by our own MAC", lan_mac, LAN_VIP7, LAN, LAN_VHID7},
		{"VIP by the owned vMAC", vmac1, LAN_VIP, LAN, LAN_VHID1},
		{"own address", wire_broadcast_mac, LAN_OWN, LAN, DP_NONE},
		{"somebody else", wire_broadcast_mac, CLIENT2, LAN, DP_NONE},
		{"no route", wire_broadcast_mac, IP(8, 8, 8, 8), LAN, DP_NONE},
		{"VIP of the other interface", wire_broadcast_mac, LAN_VIP, WAN, DP_NONE},
		{"VIP of the WAN", wire_broadcast_mac, WAN_VIP, WAN, WAN_VHID1},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = frame_arp(cases[i].mac, i % 2 ? WIRE_ARP_REPLY : WIRE_ARP_REQUEST,
			IP(192, 0, 2, 55), cases[i].target);
		struct dp_punt p = {0};

		frame_pad(&f, 60);
		rig_take(r, cases[i].port, &f);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		if (p.group != cases[i].group)
			fail_msg("%s: group %u", cases[i].what, p.group);
		assert_int_equal(
			p.cls, cases[i].group == DP_NONE ? DP_PUNT_IF_ARP : DP_PUNT_GROUP_ARP);
		assert_int_equal(p.if_index, cases[i].port);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), f.b, f.len);
		rte_pktmbuf_free(p.m);
	}
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).punted_arp, sizeof(cases) / sizeof(cases[0]));
}

/* Frames are dropped with what dp_create() was told to be out of bounds, and nothing is made. */
static void
bad_configurations_are_refused(void **state)
{
	struct rig *r = *state;
	struct dp_queue q[2] = {{r->port_id[LAN], 0, 256}, {r->port_id[LAN], 0, 256}};
	struct dp_worker_config w = {1, q, SOCKET_ID_ANY};
	struct dp_port_config ports[2] = {{r->port_id[LAN], 1, false, false, false},
		{r->port_id[LAN], 1, false, false, false}};
	struct dp_if_config ifs[2] = {{.port_id = r->port_id[LAN], .mtu = 1500},
		{.port_id = r->port_id[LAN], .mtu = 1500}};
	struct dp_group_config groups[2] = {{.vhid = 1}, {.vhid = 1}};
	const struct dp_config good = {
		.n_workers = 1,
		.n_ports = 1,
		.n_ifs = 1,
		.n_groups = 1,
		.workers = &w,
		.ports = ports,
		.ifs = ifs,
		.groups = groups,
		.pool = r->pool,
	};
	struct dp_config bad[14];
	unsigned int n = 0;
	struct dp_worker_config two_queues = {2, q, SOCKET_ID_ANY}, foreign = {1, q + 1, 0};
	struct dp_group_config no_if = {.if_index = 1, .vhid = 1},
			       no_vhid = {.n_ip4 = 1, .ip4 = &(uint32_t){LAN_VIP}};
	struct dp_if_config small = {.port_id = r->port_id[LAN], .mtu = 67};
	struct dp_port_config no_txq = {r->port_id[LAN], 0, false, false, false};
	struct dp_if_config same_tag[2] = {{.port_id = r->port_id[LAN], .mtu = 1500, .vlan = 7},
		{.port_id = r->port_id[LAN], .mtu = 1500, .vlan = 7}};
	struct dp_if_config no_tag = {.port_id = r->port_id[LAN], .mtu = 1500, .vlan = 4095};
	struct dp *dp = dp_create(&good);

	assert_non_null(dp);
	assert_int_equal(dp_worker_count(dp), 1);
	dp_destroy(dp);
	dp_destroy(NULL);

	for (unsigned int i = 0; i < 14; i++)
		bad[i] = good;
	bad[n++].n_workers = 0;
	bad[n++].n_workers = DP_WORKER_MAX + 1;
	bad[n++].n_groups = 2; /* the same vhid twice */
	bad[n++].n_ports = 2;  /* the same port twice */
	bad[n++].n_ifs = 2;    /* two untagged interfaces on one port */
	bad[n].n_ifs = 2;      /* two with the same tag */
	bad[n++].ifs = same_tag;
	bad[n++].ifs = &no_tag;
	bad[n++].pool = NULL;
	bad[n++].workers = &two_queues; /* the same queue twice */
	bad[n++].groups = &no_if;
	bad[n++].groups = &no_vhid;
	bad[n++].ifs = &small;
	bad[n++].ports = &no_txq;
	q[1].port_id = r->port_id[WAN];
	bad[n++].workers = &foreign; /* a port that is not among ports */
	for (unsigned int i = 0; i < n; i++) {
		errno = 0;
		if (dp_create(&bad[i]) != NULL || errno != EINVAL)
			fail_msg("configuration %u was taken", i);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(conformance_44_frame_to_the_vmac_in_backup),
		T(a_flood_to_a_vmac_that_is_not_owned_forwards_nothing),
		T(each_frame_of_a_burst_is_let_in_by_its_own_destination),
		T(ownership_changes_with_the_next_frame),
		T(handing_over_forwards_but_does_not_answer),
		T(our_own_mac_needs_no_group),
		T(conformance_60_two_vhids_on_one_parent_have_rings_of_their_own),
		T(conformance_61_the_same_vhid_on_two_parents_is_independent),
		T(a_flood_of_one_group_leaves_the_others_their_rings),
		T(a_round_continues_where_the_last_one_ended),
		T(what_is_left_in_a_ring_is_found_again),
		T(adverts_find_their_ring),
		T(arp_finds_its_ring),
		T(bad_configurations_are_refused),
	};

	return cmocka_run_group_tests_name("dp_gate", tests, rig_group_setup, rig_group_teardown);
}
