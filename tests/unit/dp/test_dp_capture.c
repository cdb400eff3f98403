/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Captured frames: each way once, as on the wire, with what became of them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "dp_capture.h"
#include "dp_rig.h"

/* One turn later every lcore has seen it. */
static void
start(struct rig *r, uint16_t if_index, uint32_t snap)
{
	assert_int_equal(dp_capture_start(r->dp, if_index, snap), 0);
	r->now += 2 * BASE_NS_PER_MS;
	rig_turn(r);
}

static struct dp_capture_frame seen;

/* The next frame of any ring. @return its ring; -1: there is none */
static int
next(struct rig *r)
{
	for (uint16_t i = 0; i < dp_capture_rings(r->dp); i++)
		if (dp_capture_peek(r->dp, i, &seen))
			return i;
	return -1;
}

static void
assert_none(struct rig *r)
{
	assert_int_equal(next(r), -1);
}

/* The next frame is this one, whole. */
static void
assert_next(struct rig *r, const struct frame *f, uint16_t if_index, bool outbound,
	enum dp_capture_fate fate)
{
	int ring = next(r);

	assert_true(ring >= 0);
	assert_int_equal(seen.len, f->len);
	assert_int_equal(seen.captured, f->len);
	assert_memory_equal(seen.bytes, f->b, f->len);
	assert_int_equal(seen.if_index, if_index);
	assert_int_equal(seen.outbound, outbound);
	assert_int_equal(seen.fate, fate);
	assert_true(seen.wall_ns > UINT64_C(1600000000) * BASE_NS_PER_S);
	dp_capture_next(r->dp, (uint16_t)ring);
}

static struct frame
sent(struct rig *r, int port)
{
	struct rte_mbuf *m = rig_tx(r, port);

	assert_non_null(m);
	return frame_of(m);
}

static void
a_forwarded_frame_is_seen_once_each_way(void **state)
{
	struct rig *r = *state;
	struct frame in = frame_good(), out;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &in);
	assert_none(r); /* nobody asked */
	rig_tx_count(r, WAN);
	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	rig_take(r, LAN, &in);
	out = sent(r, WAN);
	assert_next(r, &in, LAN, false, DP_CAPTURE_PASSED);
	assert_int_equal(seen.port_id, r->port_id[LAN]);
	assert_next(r, &out, WAN, true, DP_CAPTURE_PASSED);
	assert_int_equal(seen.port_id, r->port_id[WAN]);
	assert_none(r);
	dp_capture_stop(r->dp);
	r->now += 2 * BASE_NS_PER_MS;
	rig_take(r, LAN, &in);
	assert_none(r);
	rig_tx_count(r, WAN);
}

static void
a_dropped_frame_bears_its_reason(void **state)
{
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	for (unsigned int i = 0; i < bad_frame_count + bad_frame6_count; i++) {
		const struct bad_frame *bad =
			i < bad_frame_count ? &bad_frames[i] : &bad_frames6[i - bad_frame_count];
		struct frame f = bad->make();

		rig_take(r, LAN, &f);
		assert_true(next(r) >= 0);
		/* one with a tag is of no interface */
		assert_next(r, &f, seen.if_index, false, DP_CAPTURE_DROPPED);
		if (seen.why != bad->why)
			fail_msg("%s: %s", bad->what, dp_drop_name(seen.why));
		/* an ICMP error about it */
		while (next(r) >= 0) {
			assert_true(seen.outbound);
			dp_capture_next(r->dp, (uint16_t)next(r));
		}
		for (int port = 0; port < RIG_PORTS; port++)
			rig_tx_count(r, port);
	}
}

/* An error for which there is no buffer is no frame that came in: those keep their reasons. */
static void
what_was_never_there_changes_no_reason(void **state)
{
	struct rig *r = *state;
	struct frame arp = frame_arp(wire_broadcast_mac, 1, CLIENT, LAN_VIP), late = frame_good();
	struct dp_punt p;
	struct rte_mbuf *all[16384];
	unsigned int n = 0;

	late.b[WIRE_ETH_LEN + 8] = 1; /* TTL */
	frame_sum(&late);
	rig_master(r, LAN_VHID1);
	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	rig_rx(r, LAN, &arp);
	rig_rx(r, LAN, &late);
	while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(r->pool)) != NULL)
		n++;
	assert_true(n < RTE_DIM(all));
	rig_turn(r);
	rte_pktmbuf_free_bulk(all, n);
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 1);
	assert_next(r, &arp, LAN, false, DP_CAPTURE_CONTROL);
	assert_next(r, &late, LAN, false, DP_CAPTURE_DROPPED);
	assert_int_equal(seen.why, DP_DROP_TTL);
	assert_none(r);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	rte_pktmbuf_free(p.m);
}

static void
what_goes_to_control_says_so(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(client_mac, CLIENT, IP(224, 0, 0, 18), 1), arp;
	struct dp_punt punts[8];
	uint32_t n;

	base_store_be32(advert.b, 0x01005e00);
	base_store_be16(advert.b + 4, 0x0012);
	arp = frame_arp((const uint8_t *)"\xff\xff\xff\xff\xff\xff", 1, CLIENT, LAN_VIP);
	rig_master(r, LAN_VHID1);
	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	rig_take(r, LAN, &advert);
	assert_next(r, &advert, LAN, false, DP_CAPTURE_CONTROL);
	rig_take(r, LAN, &arp);
	assert_next(r, &arp, LAN, false, DP_CAPTURE_CONTROL);
	struct frame lost = frame_udp(vmac1, CLIENT, STRANGER);

	rig_take(r, LAN, &lost);
	assert_next(r, &lost, LAN, false, DP_CAPTURE_RESOLVE);
	assert_none(r);
	n = dp_poll_adverts(r->dp, punts, 8, 8);
	n += dp_poll_punts(r->dp, punts + n, 8 - n, 8);
	assert_int_equal(n, 3);
	for (uint32_t i = 0; i < n; i++)
		rte_pktmbuf_free(punts[i].m);
}

/* Answers of neighbours have a ring of their own, and wait for nobody. */
static void
answers_go_to_control_too(void **state)
{
	struct rig *r = *state;
	struct frame arp = frame_arp(lan_mac, WIRE_ARP_REPLY, CLIENT, LAN_OWN);
	struct frame na = frame_nd(lan_mac, WIRE_ICMP6_NA, lan_own6, client6);
	struct dp_punt p;

	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	for (unsigned int i = 0; i < 2; i++) {
		const struct frame *f = i == 0 ? &arp : &na;

		rig_take(r, LAN, f);
		assert_next(r, f, LAN, false, DP_CAPTURE_CONTROL);
		assert_none(r);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_IF_ARP);
		assert_int_equal(p.if_index, LAN);
		rte_pktmbuf_free(p.m);
	}
}

/* Without link nothing is sent, and nothing is captured as sent. */
static void
what_is_not_sent_is_dropped_where_it_came_in(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();

	rig_master(r, LAN_VHID1);
	start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
	dp_link(r->dp, r->port_id[WAN], false);
	rig_take(r, LAN, &f);
	assert_next(r, &f, LAN, false, DP_CAPTURE_DROPPED);
	assert_int_equal(seen.why, DP_DROP_LINK_DOWN);
	assert_none(r);
	dp_link(r->dp, r->port_id[WAN], true);
}

/* A device that takes half of a burst: the other half is dropped, and each frame is seen so. */
static void
what_a_full_queue_refuses_is_not_sent(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();
	uint32_t in = 0, out = 0, full = 0, given = 0;
	int ring;

	rig_master(r, LAN_VHID1);
	start(r, DP_NONE, 64);
	for (uint64_t before = 0; before == rig_drops(r, DP_DROP_TX_FULL); given++) {
		before = rig_drops(r, DP_DROP_TX_FULL);
		for (unsigned int i = 0; i < 20; i++)
			rig_rx(r, LAN, &f);
		rig_turn(r);
		assert_true(given < 1000);
	}
	while ((ring = next(r)) >= 0) {
		in += !seen.outbound;
		out += seen.outbound;
		full += seen.fate == DP_CAPTURE_DROPPED && seen.why == DP_DROP_TX_FULL;
		assert_true(seen.fate == DP_CAPTURE_PASSED || !seen.outbound);
		dp_capture_next(r->dp, (uint16_t)ring);
	}
	assert_int_equal(in, 20 * given);
	assert_int_equal(full, rig_drops(r, DP_DROP_TX_FULL));
	assert_int_equal(out, in - full);
	assert_int_equal(rig_tx_count(r, WAN), out);
}

static void
only_one_interface_is_seen_when_asked(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good(), out;

	rig_master(r, LAN_VHID1);
	start(r, WAN, 60);
	rig_take(r, LAN, &f);
	out = sent(r, WAN);
	assert_true(next(r) >= 0);
	assert_int_equal(seen.if_index, WAN);
	assert_int_equal(seen.len, out.len);
	assert_int_equal(seen.captured, out.len < 60 ? out.len : 60);
	dp_capture_next(r->dp, (uint16_t)next(r));
	assert_none(r);
	assert_int_equal(dp_capture_start(r->dp, 7, 60), -EINVAL);
	assert_int_equal(dp_capture_start(r->dp, DP_NONE, 0), -EINVAL);
	assert_int_equal(dp_capture_start(r->dp, DP_NONE, 65536), -EINVAL);
}

/* Tags in the frame and beside it, both ways; of no interface; and cut everywhere. */
static void
tags_are_as_on_the_wire(void **state)
{
	struct rig *r = *state;

	for (unsigned int way = 0; way < 4; way++) {
		bool strip = (way & 1) != 0;
		const struct rig_options opt = {
			.vlan = {10, 20}, .one_port = true, .vlan_insert = (way & 2) != 0};
		struct frame f = frame_good(), in = f, out, foreign;
		struct rte_mbuf *m;

		rig_configure(r, &opt);
		rig_master(r, LAN_VHID1);
		frame_tag(&in, WIRE_ETHERTYPE_VLAN, 0x600a); /* with a priority */
		for (uint32_t snap = 1; snap < 70; snap += snap < 24 ? 1 : 45) {
			start(r, DP_NONE, snap);
			m = rig_rx(r, LAN, strip ? &f : &in);
			if (strip) {
				m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
				m->vlan_tci = 0x600a;
			}
			rig_turn(r);
			out = sent(r, LAN);
			if (opt.vlan_insert)
				frame_tag(&out, WIRE_ETHERTYPE_VLAN, 20);
			for (unsigned int n = 0; n < 2; n++) {
				const struct frame *is = n == 0 ? &in : &out;

				assert_true(next(r) >= 0);
				assert_int_equal(seen.outbound, n == 1);
				assert_int_equal(seen.if_index, n == 0 ? LAN : WAN);
				assert_int_equal(seen.len, is->len);
				assert_int_equal(seen.captured, snap < is->len ? snap : is->len);
				assert_memory_equal(seen.bytes, is->b, seen.captured);
				dp_capture_next(r->dp, (uint16_t)next(r));
			}
			assert_none(r);
		}
		start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
		foreign = frame_good();
		frame_tag(&foreign, WIRE_ETHERTYPE_VLAN, 77);
		rig_take(r, LAN, &foreign);
		assert_next(r, &foreign, DP_NONE, false, DP_CAPTURE_DROPPED);
		assert_int_equal(seen.why, DP_DROP_VLAN_UNKNOWN);
	}
}

static void
segments_are_one_frame(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 700);

	rig_master(r, LAN_VHID1);
	for (uint16_t seg = 1; seg < 200; seg = (uint16_t)(seg * 3)) {
		start(r, LAN, DP_CAPTURE_SNAP_MAX);
		rig_rx_segments(r, LAN, &f, 150, (uint16_t)(seg + 100));
		rig_turn(r);
		assert_next(r, &f, LAN, false, DP_CAPTURE_PASSED);
		start(r, LAN, 401);
		rig_rx_segments(r, LAN, &f, 150, (uint16_t)(seg + 100));
		rig_turn(r);
		assert_true(next(r) >= 0);
		assert_int_equal(seen.captured, 401);
		assert_int_equal(seen.len, f.len);
		assert_memory_equal(seen.bytes, f.b, 401);
		dp_capture_next(r->dp, (uint16_t)next(r));
		rig_tx_count(r, WAN);
	}
}

/* What the control lcore sends is seen where it goes to a device: once. */
static void
frames_of_the_control_lcore_are_seen_once(void **state)
{
	struct rig *r = *state;

	for (unsigned int own = 0; own < 2; own++) {
		const struct rig_options opt = {.control_txq = own != 0};
		struct frame f = frame_arp(client_mac, 2, LAN_VIP, CLIENT);
		struct rte_mbuf *m;

		rig_configure(r, &opt);
		start(r, DP_NONE, DP_CAPTURE_SNAP_MAX);
		m = dp_ctl_alloc(r->dp);
		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)f.len), f.b, f.len);
		assert_int_equal(dp_ctl_send(r->dp, LAN, m, DP_NONE), 0);
		rig_turn(r);
		assert_next(r, &f, LAN, true, DP_CAPTURE_PASSED);
		assert_none(r);
		rig_tx_count(r, LAN);
	}
}

/* Frames beyond what the ring holds are counted, others whole, and all are forwarded. */
static void
a_full_ring_loses_to_capture_only(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1300);
	uint64_t forwarded = rig_stats(r).forwarded;
	uint32_t given = 0, got = 0;
	int ring;

	rig_master(r, LAN_VHID1);
	start(r, LAN, DP_CAPTURE_SNAP_MAX);
	while (dp_capture_lost(r->dp, LAN) < 100) {
		for (unsigned int i = 0; i < 16; i++, given++) {
			base_store_be32(f.b + 60, given);
			rig_rx(r, LAN, &f);
		}
		rig_turn(r);
		rig_tx_count(r, WAN);
		assert_true(given < 100000);
	}
	assert_int_equal(rig_stats(r).forwarded - forwarded, given);
	while ((ring = next(r)) >= 0) {
		assert_int_equal(base_load_be32(seen.bytes + 60), got);
		got++;
		dp_capture_next(r->dp, (uint16_t)ring);
	}
	assert_int_equal(got + dp_capture_lost(r->dp, LAN), given);
	assert_true(got > DP_CAPTURE_RING / 1500);
	assert_int_equal(dp_capture_lost(r->dp, WAN), 0);
	start(r, LAN, 100);
	assert_int_equal(dp_capture_lost(r->dp, LAN), 0);
}

struct reader {
	struct dp *dp;
	uint32_t done; /* atomic */
	uint64_t frames;
	bool torn;
};

static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct dp_capture_frame f;
	uint32_t newest = 0;
	bool last;

	do {
		last = __atomic_load_n(&r->done, __ATOMIC_ACQUIRE) != 0;
		while (dp_capture_peek(r->dp, 0, &f)) {
			uint32_t n = base_load_be32(f.bytes + 50);

			r->torn |= n <= newest || f.captured != f.len;
			for (uint32_t i = 54; i + 4 <= f.len; i += 4)
				r->torn |= base_load_be32(f.bytes + i) != n;
			newest = n;
			r->frames++;
			dp_capture_next(r->dp, 0);
		}
	} while (!last);
	return NULL;
}

static void
a_reader_sees_whole_frames_while_they_are_written(void **state)
{
	struct rig *r = *state;
	struct reader reader = {.dp = r->dp};
	pthread_t t;

	rig_master(r, LAN_VHID1);
	start(r, LAN, DP_CAPTURE_SNAP_MAX);
	assert_int_equal(pthread_create(&t, NULL, read_on, &reader), 0);
	for (uint32_t n = 1; n <= 30000; n++) {
		uint16_t payload = (uint16_t)(20 + n % 300 * 4);
		struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, payload);

		for (uint32_t i = 50; i + 4 <= f.len; i += 4)
			base_store_be32(f.b + i, n);
		rig_rx(r, LAN, &f);
		if (n % 8 == 0) {
			rig_turn(r);
			rig_tx_count(r, WAN);
		}
	}
	rig_turn(r);
	__atomic_store_n(&reader.done, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	assert_false(reader.torn);
	assert_int_equal(reader.frames + dp_capture_lost(r->dp, LAN), 30000);
	rig_tx_count(r, WAN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_forwarded_frame_is_seen_once_each_way, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			a_dropped_frame_bears_its_reason, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_never_there_changes_no_reason, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			what_goes_to_control_says_so, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(answers_go_to_control_too, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_sent_is_dropped_where_it_came_in, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			what_a_full_queue_refuses_is_not_sent, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			only_one_interface_is_seen_when_asked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(tags_are_as_on_the_wire, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(segments_are_one_frame, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			frames_of_the_control_lcore_are_seen_once, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			a_full_ring_loses_to_capture_only, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			a_reader_sees_whole_frames_while_they_are_written, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
