/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Every drop reason is reached, by the frame or the state that it is named after, and nothing else
 * happens then. The last test looks whether a row of drops.def was forgotten.
 */
#include "dp_rig.h"

#include <errno.h>
#include <string.h>

#include <rte_mempool.h>

static void
every_bad_frame_is_dropped_with_its_reason(void **state)
{
	struct rig *r = *state;

	for (unsigned int i = 0; i < bad_frame_count + bad_frame6_count; i++) {
		const struct bad_frame *c =
			i < bad_frame_count ? &bad_frames[i] : &bad_frames6[i - bad_frame_count];
		struct frame f = c->make();
		struct dp_punt p;

		rig_configure(r, &(struct rig_options){.n_workers = 1});
		rig_master(r, LAN_VHID1);
		rig_take(r, LAN, &f);
		if (rig_drops(r, c->why) != 1 || rig_drops_all(r) != 1)
			print_error("case: %s\n", c->what);
		rig_assert_one_drop(r, c->why);
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
		/* Only these may be answered, by an ICMP error. */
		if (c->why != DP_DROP_TTL && c->why != DP_DROP_NO_ROUTE &&
			c->why != DP_DROP_IP4_OPTIONS && c->why != DP_DROP_TOO_BIG &&
			c->why != DP_DROP_IP6_ROUTING && c->why != DP_DROP_ROUTE_UNREACHABLE &&
			c->why != DP_DROP_ROUTE_PROHIBIT)
			rig_assert_silent(r);
		assert_int_equal(rig_stats(r).rx_frames, 1);
		assert_int_equal(rig_stats(r).rx_bytes, f.len);
	}
}

static void
a_port_without_interface_takes_nothing(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();

	rig_take(r, BARE, &f);
	rig_assert_one_drop(r, DP_DROP_NO_INTERFACE);
}

static void
an_interface_that_is_down_takes_nothing(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();

	dp_if_set(r->dp, LAN, false);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_IF_DOWN);
	assert_int_equal(rig_stats(r).rx_bytes, f.len);
}

static void
a_source_from_elsewhere_is_filtered(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, SERVER, CLIENT);

	rig_configure(r, &(struct rig_options){.rp_filter = DP_RP_STRICT});
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_RP_FILTER);
	rig_assert_silent(r);
}

static void
a_frame_without_room_for_its_tag(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();
	struct rte_mbuf *m;

	rig_configure(r, &(struct rig_options){.vlan = {0, 20}});
	rig_master(r, LAN_VHID1);
	for (uint16_t room = 3; room <= 4; room++) {
		m = rig_rx(r, LAN, &f);
		memcpy((char *)m->buf_addr + room, f.b, f.len);
		m->data_off = room;
		assert_int_equal(rig_turn(r), 1);
		rig_assert_one_drop(r, DP_DROP_NO_HEADROOM);
	}
	assert_int_equal(rig_tx_count(r, WAN), 1);
	assert_int_equal(rig_stats(r).tx_bytes, f.len + WIRE_VLAN_TAG_LEN);
}

static void
no_frame_is_sent_to_a_port_without_link(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();
	struct rte_mbuf *m;

	rig_master(r, LAN_VHID1);
	dp_link(r->dp, r->port_id[WAN], false);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_LINK_DOWN);
	rig_assert_silent(r);

	m = dp_ctl_alloc(r->dp);
	assert_int_equal(dp_ctl_send(r->dp, WAN, m, DP_NONE), -ENETDOWN);
	assert_int_equal(rig_drops(r, DP_DROP_LINK_DOWN), 2);

	dp_link(r->dp, r->port_id[WAN], true);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
}

static void
a_full_transmit_queue_drops_the_rest(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();
	uint64_t sent;
	unsigned int n;

	rig_master(r, LAN_VHID1);
	for (n = 0; n < 600; n++)
		rig_take(r, LAN, &f);
	sent = rig_stats(r).tx_frames;
	assert_int_equal(rig_drops(r, DP_DROP_TX_FULL), n - sent);
	assert_true(sent < n);
	assert_int_equal(rig_stats(r).forwarded, sent);
	assert_int_equal(rig_stats(r).tx_bytes, sent * f.len);
	assert_int_equal(rig_tx_count(r, WAN), sent);
}

static void
a_full_hand_off_ring_refuses(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m;
	unsigned int n;

	for (n = 0; n < 2000; n++) {
		m = dp_ctl_alloc(r->dp);
		if (dp_ctl_send(r->dp, WAN, m, DP_NONE) != 0)
			break;
	}
	rig_assert_one_drop(r, DP_DROP_HANDOFF_FULL);
	assert_true(n >= 512 && n < 2000);
	assert_int_equal(rig_stats(r).handed_over, n);
}

static void
a_full_advert_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);

	for (unsigned int i = 0; i < 64; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_ADVERT_UNKNOWN_RING_FULL);
	assert_int_equal(rig_stats(r).punted_adverts, 63);
}

static void
a_full_ring_of_known_sources_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);
	const struct base_addr known = base_addr_from_ip4(CLIENT);

	dp_group_sources(r->dp, LAN_VHID7, &known, 1);
	for (unsigned int i = 0; i < 256; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_ADVERT_RING_FULL);
	assert_int_equal(rig_stats(r).punted_adverts, 255);
}

static void
a_full_punt_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);

	for (unsigned int i = 0; i < 32; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_PUNT_RING_FULL);
	assert_int_equal(rig_stats(r).punted_arp, 31);
}

/* Memory is bounded: answers in a known name without end fill a ring, which is told by name. */
static void
a_full_ring_of_answers_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_arp(lan_mac, WIRE_ARP_REPLY, CLIENT, LAN_OWN);

	for (unsigned int i = 0; i < 256; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_ANSWER_RING_FULL);
	assert_int_equal(rig_stats(r).punted_arp, 255);
}

static void
a_group_goes_while_adverts_wait(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);
	struct rig_roster c;

	rig_roster(r, &c);
	rig_take(r, LAN, &f);
	/* vhid 1 of the LAN alone stays */
	dp_roster_free(
		r->dp, dp_roster_publish(r->dp, dp_roster_prepare(r->dp, c.ifs, c.groups, 1)));
	rig_assert_one_drop(r, DP_DROP_GROUP_GONE);
}

static void
a_full_resolve_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 256; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_RESOLVE_RING_FULL);
	assert_int_equal(rig_stats(r).punted_resolve, 255);
}

static struct rte_mbuf *
unresolved_packet(struct rig *r)
{
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	return p.m;
}

static void
a_packet_pushed_out_of_the_hold_queue(void **state)
{
	struct rig *r = *state;

	dp_ctl_hold_dropped(r->dp, unresolved_packet(r));
	rig_assert_one_drop(r, DP_DROP_HOLD_FULL);
}

static void
a_packet_whose_next_hop_is_silent(void **state)
{
	struct rig *r = *state;

	dp_ctl_unreachable(r->dp, unresolved_packet(r));
	rig_assert_one_drop(r, DP_DROP_UNREACHABLE);
}

static void
an_empty_mempool_is_counted(void **state)
{
	struct rig *r = *state;
	static struct rte_mbuf *all[8192];
	struct frame f = frame_good();
	unsigned int n = 0;

	f.b[WIRE_ETH_LEN + 8] = 1; /* TTL */
	frame_sum(&f);
	rig_master(r, LAN_VHID1);
	rig_rx(r, LAN, &f);
	while ((all[n] = rte_pktmbuf_alloc(r->pool)) != NULL)
		n++;
	assert_null(dp_ctl_alloc(r->dp));
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 1);
	/* The error about it is what cannot be made; the packet has its own reason. */
	rig_turn(r);
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 2);
	assert_int_equal(rig_drops(r, DP_DROP_TTL), 1);
	rte_pktmbuf_free_bulk(all, n);
}

static void
the_host_path_refuses(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, CLIENT, LAN_OWN, 6, 40);
	struct frame arp = frame_arp(lan_mac, WIRE_ARP_REQUEST, LAN_OWN, CLIENT);
	const struct {
		const struct frame *f;
		enum dp_drop why;
	} sent[] = {{&f, DP_DROP_HOST_SOURCE}, {&arp, DP_DROP_HOST_REFUSED}};

	rig_configure(r, &(struct rig_options){.host = true});
	for (unsigned int i = 0; i < DP_HOST_RING_SLOTS; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_HOST_PACED);
	for (unsigned int i = 0; i < RTE_DIM(sent); i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

		memcpy(rte_pktmbuf_append(m, (uint16_t)sent[i].f->len), sent[i].f->b,
			sent[i].f->len);
		assert_true(dp_host_send(r->dp, LAN, m));
		rig_turn(r);
		assert_int_equal(rig_drops(r, sent[i].why), 1);
	}
}

static void
names_and_texts(void **state)
{
	(void)state;
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++) {
		const char *name = dp_drop_name((enum dp_drop)d);

		assert_true(strlen(name) > 0 && strlen(name) < 32);
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		assert_true(strlen(dp_drop_text((enum dp_drop)d)) > 0);
		for (unsigned int e = 0; e < d; e++)
			assert_string_not_equal(name, dp_drop_name((enum dp_drop)e));
	}
	assert_string_equal(dp_drop_name(DP_DROP_NOT_MASTER), "not_master");
	assert_string_equal(dp_drop_name(DP_DROP_COUNT), "");
}

/* Runs last: each row of drops.def was counted by one of the tests above. */
static void
every_drop_reason_was_reached(void **state)
{
	(void)state;
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		if (rig_seen[d] == 0)
			fail_msg("no test reached %s", dp_drop_name((enum dp_drop)d));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_bad_frame_is_dropped_with_its_reason),
		T(a_port_without_interface_takes_nothing),
		T(an_interface_that_is_down_takes_nothing),
		T(a_source_from_elsewhere_is_filtered),
		T(a_frame_without_room_for_its_tag),
		T(no_frame_is_sent_to_a_port_without_link),
		T(a_full_transmit_queue_drops_the_rest),
		T(a_full_hand_off_ring_refuses),
		T(a_full_advert_ring_drops),
		T(a_full_ring_of_known_sources_drops),
		T(a_full_punt_ring_drops),
		T(a_full_ring_of_answers_drops),
		T(a_group_goes_while_adverts_wait),
		T(a_full_resolve_ring_drops),
		T(a_packet_pushed_out_of_the_hold_queue),
		T(a_packet_whose_next_hop_is_silent),
		T(an_empty_mempool_is_counted),
		T(the_host_path_refuses),
		cmocka_unit_test(names_and_texts),
		cmocka_unit_test(every_drop_reason_was_reached),
	};

	return cmocka_run_group_tests_name("dp_drops", tests, rig_group_setup, rig_group_teardown);
}
