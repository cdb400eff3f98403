/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Forwarding: rewriting, TTL, padding, segments, MTU, next hops, hand-off.
 */
#include "dp_rig.h"

#include <errno.h>
#include <string.h>

#include "base_bytes.h"
#include "base_rand.h"

#define IP_AT WIRE_ETH_LEN

/* sent is f with its TTL one less and new Ethernet addresses, and its checksum is right. */
static void
assert_forwarded(
	const struct frame *f, const struct frame *sent, const uint8_t dst[6], const uint8_t src[6])
{
	uint16_t total = base_load_be16(f->b + IP_AT + 2);
	struct frame want = *f;
	struct wire_ip4 ip;

	want.len = WIRE_ETH_LEN + (uint32_t)total;
	memcpy(want.b, dst, 6);
	memcpy(want.b + 6, src, 6);
	want.b[IP_AT + 8]--;
	frame_sum(&want);
	assert_int_equal(sent->len, want.len);
	assert_memory_equal(sent->b, want.b, want.len);
	assert_int_equal(wire_ip4_decode(sent->b + IP_AT, sent->len - IP_AT, &ip), WIRE_IP4_OK);
}

static void
take_and_check(struct rig *r, int in, const struct frame *f, int out, const uint8_t dst[6],
	const uint8_t src[6])
{
	struct rte_mbuf *m;
	struct frame sent;

	rig_take(r, in, f);
	m = rig_tx(r, out);
	assert_non_null(m);
	sent = frame_of(m);
	assert_forwarded(f, &sent, dst, src);
	rig_assert_silent(r);
}

static void
frames_leave_by_route_with_new_addresses(void **state)
{
	struct rig *r = *state;
	struct frame out = frame_udp(vmac1, CLIENT, SERVER);
	struct frame back = frame_udp(vmac1, SERVER, CLIENT);
	struct frame same = frame_udp(lan_mac, CLIENT, IP(10, 1, 2, 3));

	rig_master(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	take_and_check(r, LAN, &out, WAN, router_mac, wan_mac);
	take_and_check(r, WAN, &back, LAN, client_mac, lan_mac);
	/* Back out of the interface it came by. */
	take_and_check(r, LAN, &same, LAN, lan_router_mac, lan_mac);
	assert_int_equal(rig_stats(r).forwarded, 3);
	assert_int_equal(rig_stats(r).tx_frames, 3);
	assert_int_equal(rig_stats(r).tx_bytes, out.len + back.len + same.len);
	assert_int_equal(rig_drops_all(r), 0);
}

/* The checksum after one decrement equals one computed anew, whatever the header. */
static void
checksum_equals_recomputation(void **state)
{
	struct rig *r = *state;
	struct base_rand rnd;

	base_rand_init(&rnd, 7);
	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 20000; i++) {
		struct frame f = frame_udp(vmac1, CLIENT, SERVER);
		uint64_t v = base_rand_next(&rnd);

		f.b[IP_AT + 1] = (uint8_t)v;
		base_store_be16(f.b + IP_AT + 4, (uint16_t)(v >> 8));
		f.b[IP_AT + 8] = (uint8_t)(2 + (v >> 24) % 254);
		base_store_be32(f.b + IP_AT + 12, IP(1, 0, 0, 0) + (uint32_t)(v >> 40));
		frame_sum(&f);
		if (i % 4 == 0) {
			/* Walk through the places where the carry wraps. */
			uint16_t sum = base_load_be16(f.b + IP_AT + 10);
			uint16_t want = (uint16_t)(0xfe00 + i % 512);
			uint16_t id = base_load_be16(f.b + IP_AT + 4);
			uint32_t t = (uint32_t)id + sum + (uint16_t)~want;

			t = (t & 0xffff) + (t >> 16);
			t = (t & 0xffff) + (t >> 16);
			base_store_be16(f.b + IP_AT + 4, (uint16_t)t);
			frame_sum(&f);
		}
		take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
	}
}

static void
the_ttl_ends_here(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	rig_master(r, LAN_VHID1);
	f.b[IP_AT + 8] = 2;
	frame_sum(&f);
	take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	rig_take(r, LAN, &f);
	assert_null(rig_tx(r, WAN));
	rig_assert_one_drop(r, DP_DROP_TTL);
	/* To ourselves the TTL does not matter. */
	f = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);
	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	assert_int_equal(rig_tx_count(r, LAN), 1);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

static void
ethernet_padding_is_not_forwarded(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 8);

	rig_master(r, LAN_VHID1);
	frame_pad(&f, 60);
	take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
}

static void
packets_in_segments_are_forwarded_whole(void **state)
{
	struct rig *r = *state;
	static const struct {
		uint16_t payload, options, pad, first, seg;
	} cases[] = {
		{1000, 0, 0, 14, 100},
		{1000, 0, 0, 1, 1},
		{1000, 40, 0, 30, 7},
		{1000, 40, 0, 0, 50},
		{8, 0, 60, 40, 3},
		{8, 0, 60, 14, 20},
		{300, 0, 400, 200, 9},
		{300, 20, 400, 60, 300},
		{1300, 0, 0, 700, 700},
		{0, 0, 34, 33, 1},
		{0, 40, 80, 34, 2},
		{100, 0, 0, 127, 1},
		{100, 0, 0, 128, 1},
		{100, 0, 0, 129, 1},
		{90, 0, 200, 124, 1},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, cases[i].payload);
		struct rte_mbuf *m;
		struct frame sent;

		if (cases[i].options != 0)
			frame_options(&f, cases[i].options);
		frame_pad(&f, cases[i].pad);
		rig_rx_segments(r, LAN, &f, cases[i].first, cases[i].seg);
		assert_int_equal(rig_turn(r), 1);
		m = rig_tx(r, WAN);
		if (m == NULL)
			fail_msg("case %u was not forwarded", i);
		sent = frame_of(m);
		assert_forwarded(&f, &sent, router_mac, wan_mac);
	}
	/* Cut short all the same. */
	for (uint32_t len = 1; len < 54; len++) {
		struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 20);

		f.len = len;
		rig_rx_segments(r, LAN, &f, 1, 1);
		assert_int_equal(rig_turn(r), 1);
		rig_assert_silent(r);
	}
	assert_int_equal(rig_drops(r, DP_DROP_TRUNCATED_ETH), 13);
	assert_int_equal(rig_drops(r, DP_DROP_IP4_TRUNCATED), 40);
}

static void
control_frames_in_segments_are_punted(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct frame arp = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 501);
	struct rte_mbuf *m;
	struct dp_punt p;

	rig_rx_segments(r, LAN, &advert, 20, 10);
	rig_rx_segments(r, LAN, &arp, 3, 4);
	rig_rx_segments(r, LAN, &echo, 36, 33);
	rig_turn(r);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.m->data_len, advert.len);
	assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), advert.b, advert.len);
	rte_pktmbuf_free(p.m);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_GROUP_ARP);
	assert_int_equal(p.m->data_len, arp.len);
	rte_pktmbuf_free(p.m);
	m = rig_tx(r, LAN);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, echo.len);
}

static void
the_mtu_is_that_of_the_way_out(void **state)
{
	struct rig *r = *state;
	struct frame fits = frame_ip4(vmac1, CLIENT, SERVER, 17, 1380);
	struct frame big = frame_ip4(vmac1, CLIENT, SERVER, 17, 1381);
	struct frame lan = frame_ip4(vmac1, SERVER, CLIENT, 17, 1480);

	rig_master(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	take_and_check(r, LAN, &fits, WAN, router_mac, wan_mac);
	take_and_check(r, WAN, &lan, LAN, client_mac, lan_mac);
	rig_take(r, LAN, &big);
	assert_int_equal(rig_tx_count(r, WAN), 2);
	assert_int_equal(rig_stats(r).fragmented, 1);
	base_store_be16(big.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&big);
	rig_take(r, LAN, &big);
	rig_assert_one_drop(r, DP_DROP_TOO_BIG);
	assert_int_equal(rig_tx_count(r, LAN), 1);
	rig_assert_silent(r);
}

/* What would not be sent is no reason to ask for a MAC. */
static void
a_next_hop_without_a_mac_does_not_hide_what_is_wrong(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);
	struct frame big = frame_ip4(vmac1, CLIENT, STRANGER, 17, 1381);

	rig_master(r, LAN_VHID1);
	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_TTL), 1);
	base_store_be16(big.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&big);
	rig_take(r, LAN, &big);
	assert_int_equal(rig_drops(r, DP_DROP_TOO_BIG), 1);
	assert_int_equal(rig_stats(r).punted_resolve, 0);
}

static void
a_next_hop_without_a_mac_is_asked_for(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);
	struct rte_mbuf *m;
	struct frame sent;
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	assert_int_equal(p.if_index, WAN);
	assert_int_equal(p.group, DP_NONE);
	assert_int_equal(base_addr_ip4(&p.next_hop), STRANGER);
	assert_int_equal(p.m->data_len, f.len - WIRE_ETH_LEN);
	assert_int_equal(rte_pktmbuf_mtod(p.m, uint8_t *)[8], 63);
	assert_int_equal(rig_stats(r).punted_resolve, 1);
	assert_int_equal(rig_stats(r).forwarded, 0);

	/* Its MAC is known now: by the hand-off ring, and counted as forwarded. */
	dp_ctl_send_resolved(r->dp, WAN, p.m, other_mac);
	assert_null(rig_tx(r, WAN));
	rig_turn(r);
	m = rig_tx(r, WAN);
	assert_non_null(m);
	sent = frame_of(m);
	assert_forwarded(&f, &sent, other_mac, wan_mac);
	assert_int_equal(rig_stats(r).forwarded, 1);

	/* The next one needs no help. */
	rig_learn(r, WAN, STRANGER, other_mac);
	take_and_check(r, LAN, &f, WAN, other_mac, wan_mac);
}

static void
a_changed_neighbour_shows_within_a_millisecond(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	rig_master(r, LAN_VHID1);
	take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
	rig_learn(r, WAN, ROUTER, other_mac);
	r->now += BASE_NS_PER_MS;
	take_and_check(r, LAN, &f, WAN, other_mac, wan_mac);
	for (unsigned int i = 0; i < 1000; i++) {
		r->now += BASE_NS_PER_MS;
		rig_learn(r, WAN, ROUTER, i % 2 ? other_mac : router_mac);
		take_and_check(r, LAN, &f, WAN, i % 2 ? other_mac : router_mac, wan_mac);
	}
	/* Epochs have numbers of 15 bits, but for 0: so long ago it was the same number. */
	rig_learn(r, WAN, ROUTER, router_mac);
	for (unsigned int i = 1; i < (1 << 15) - 1; i++) {
		r->now += BASE_NS_PER_MS;
		rig_turn(r);
	}
	r->now += BASE_NS_PER_MS;
	take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
}

/* At once, wherever it lies; mostly it lies where the one before it lay. */
static void
another_table_is_no_match_for_what_was_known_of_the_first(void **state)
{
	const struct fib *rigs;
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct fib_route route = {
		.prefix = {base_addr_from_ip4(0), 0},
		.nh = {.type = FIB_NH_GATEWAY, .if_index = WAN, .group = FIB_GROUP_NONE},
	};
	char err[64];

	rig_master(r, LAN_VHID1);
	rig_learn(r, WAN, STRANGER, other_mac);
	rigs = r->fib;
	for (unsigned int i = 0; i < 6; i++) {
		struct fib *fib;

		route.nh.gateway = i % 2 ? STRANGER : ROUTER;
		fib = fib_build(&route, 1, NULL, SOCKET_ID_ANY, err, sizeof(err));
		assert_non_null(fib);
		dp_set_tables(r->dp, fib, r->nbr);
		take_and_check(r, LAN, &f, WAN, i % 2 ? other_mac : router_mac, wan_mac);
		dp_set_tables(r->dp, rigs, r->nbr);
		rig_turn(r);
		fib_free(fib);
	}
}

static void
without_tables_nothing_is_routed(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct frame arp = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	dp_set_tables(r->dp, NULL, NULL);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_NO_ROUTE);
	rig_take(r, LAN, &arp);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_IF_ARP);
	rte_pktmbuf_free(p.m);
	/* Routes, but no neighbours. */
	dp_set_tables(r->dp, r->fib, NULL);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_stats(r).punted_resolve, 1);
}

static void
a_worker_without_a_tx_queue_hands_over(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct dp_stats w0, w1;

	rig_configure(r, &(struct rig_options){.n_workers = 2, .n_txq = 1});
	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 40; i++)
		rig_rx_queue(r, LAN, 1, &f);
	rig_turn(r);
	rig_turn(r);
	dp_stats_worker(r->dp, 0, &w0);
	dp_stats_worker(r->dp, 1, &w1);
	assert_int_equal(w1.rx_frames, 40);
	assert_int_equal(w1.handed_over, 40);
	assert_int_equal(w1.tx_frames, 0);
	rig_turn(r);
	dp_stats_worker(r->dp, 0, &w0);
	assert_int_equal(w0.tx_frames, 40);
	assert_int_equal(w0.forwarded, 40);
	assert_int_equal(w0.tx_bytes, 40 * f.len);
	for (unsigned int i = 0; i < 40; i++)
		assert_non_null(rig_tx_queue(r, WAN, 0));
	rig_assert_silent(r);
}

static void
handed_over_frames_overflow_by_name(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	rig_configure(r, &(struct rig_options){.n_workers = 2, .n_txq = 1});
	rig_master(r, LAN_VHID1);
	/* Only worker 1 runs. */
	for (unsigned int i = 0; i < 1100; i++) {
		rig_rx_queue(r, LAN, 1, &f);
		dp_worker_turn(r->dp, 1, r->now);
	}
	assert_true(rig_drops(r, DP_DROP_HANDOFF_FULL) >= 1100 - 1024);
	assert_int_equal(rig_drops(r, DP_DROP_HANDOFF_FULL) + rig_stats(r).handed_over, 1100);
	/* Then worker 0 sends in portions, until its queue is full. */
	for (unsigned int i = 0; i < 8; i++)
		dp_worker_turn(r->dp, 0, r->now);
	assert_int_equal(
		rig_stats(r).tx_frames + rig_drops(r, DP_DROP_TX_FULL), rig_stats(r).handed_over);
	assert_true(rig_drops(r, DP_DROP_TX_FULL) > 0);
	assert_int_equal(rig_stats(r).forwarded, rig_stats(r).tx_frames);
}

static struct rte_mbuf *
ctl_frame(struct rig *r)
{
	struct rte_mbuf *m = dp_ctl_alloc(r->dp);

	assert_non_null(m);
	memset(rte_pktmbuf_append(m, 60), 0x55, 60);
	return m;
}

static void
control_sends_by_a_queue_of_its_own(void **state)
{
	struct rig *r = *state;
	unsigned int n = 0;

	rig_configure(r, &(struct rig_options){.n_workers = 2, .control_txq = true});
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), LAN_VHID1), 0);
	assert_non_null(rig_tx_queue(r, WAN, 2));
	assert_int_equal(rig_stats(r).tx_frames, 1);
	assert_int_equal(rig_stats(r).tx_bytes, 60);
	while (dp_ctl_send(r->dp, WAN, ctl_frame(r), LAN_VHID1) == 0)
		n++;
	assert_int_equal(n, 511);
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), LAN_VHID1), -ENOBUFS);
	assert_int_equal(rig_drops(r, DP_DROP_TX_FULL), 2);
	dp_link(r->dp, r->port_id[WAN], false);
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), LAN_VHID1), -ENETDOWN);
	/* The caller knows of these itself. */
	assert_int_equal(dp_advert_send_failures(r->dp, LAN_VHID1), 0);
}

static void
an_advert_lost_after_hand_off_is_counted_to_its_group(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	rig_master(r, LAN_VHID1);
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), WAN_VHID1), 0);
	rig_turn(r);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	assert_int_equal(dp_advert_send_failures(r->dp, WAN_VHID1), 0);

	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), WAN_VHID1), 0);
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), DP_NONE), 0);
	dp_link(r->dp, r->port_id[WAN], false);
	rig_turn(r);
	assert_int_equal(dp_advert_send_failures(r->dp, WAN_VHID1), 1);
	assert_int_equal(rig_drops(r, DP_DROP_LINK_DOWN), 2);
	dp_link(r->dp, r->port_id[WAN], true);

	for (unsigned int i = 0; i < 600; i++)
		rig_take(r, LAN, &f);
	assert_int_equal(dp_ctl_send(r->dp, WAN, ctl_frame(r), WAN_VHID1), 0);
	rig_turn(r);
	assert_int_equal(dp_advert_send_failures(r->dp, WAN_VHID1), 2);
	assert_int_equal(dp_advert_send_failures(r->dp, LAN_VHID1), 0);
}

static void
control_frames_go_first(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct rte_mbuf *m;

	rig_master(r, LAN_VHID1);
	rig_rx(r, LAN, &f);
	dp_ctl_send(r->dp, WAN, ctl_frame(r), WAN_VHID1);
	dp_ctl_send(r->dp, LAN, ctl_frame(r), LAN_VHID1);
	dp_ctl_send(r->dp, WAN, ctl_frame(r), WAN_VHID1);
	rig_turn(r);
	for (unsigned int i = 0; i < 2; i++) {
		m = rig_tx(r, WAN);
		assert_non_null(m);
		assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[0], 0x55);
	}
	m = rig_tx(r, WAN);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[0], router_mac[0]);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

/* More frames for one port in one turn than its buffer holds, from two queues. */
static void
a_turn_may_fill_a_port_more_than_once(void **state)
{
	struct rig *r = *state;
	struct frame out = frame_udp(vmac1, CLIENT, SERVER);
	struct frame same = frame_udp(wan_mac, CLIENT, SERVER);

	rig_master(r, LAN_VHID1);
	for (unsigned int n = 1; n <= 32; n++) {
		for (unsigned int i = 0; i < n; i++)
			rig_rx(r, LAN, &out);
		for (unsigned int i = 0; i < 20; i++)
			rig_rx(r, WAN, &same);
		assert_int_equal(rig_turn(r), n + 20);
		assert_int_equal(rig_tx_count(r, WAN), n + 20);
	}
}

/* What did not fit into the queue is neither sent nor forwarded, of both kinds. */
static void
a_full_queue_counts_only_what_was_sent(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, SERVER, CLIENT);
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);
	uint64_t replies = 0, routed = 0;
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int k = 0; k < 16; k++) {
			rig_rx(r, LAN, k % 3 ? &echo : &f);
			rig_rx(r, LAN, k % 3 ? &f : &echo);
		}
		rig_turn(r);
	}
	while ((m = rig_tx(r, LAN)) != NULL) {
		bool reply = rte_pktmbuf_mtod(m, uint8_t *)[IP_AT + 9] == WIRE_PROTO_ICMP;

		replies += reply;
		routed += !reply;
	}
	assert_true(replies > 0 && routed > 0);
	assert_int_equal(rig_stats(r).forwarded, routed);
	assert_int_equal(rig_stats(r).tx_frames, routed + replies);
	assert_int_equal(rig_drops(r, DP_DROP_TX_FULL), 40 * 32 - routed - replies);
	assert_int_equal(rig_stats(r).tx_bytes, routed * f.len + replies * echo.len);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_leave_by_route_with_new_addresses),
		T(checksum_equals_recomputation),
		T(the_ttl_ends_here),
		T(ethernet_padding_is_not_forwarded),
		T(packets_in_segments_are_forwarded_whole),
		T(control_frames_in_segments_are_punted),
		T(the_mtu_is_that_of_the_way_out),
		T(a_next_hop_without_a_mac_does_not_hide_what_is_wrong),
		T(a_next_hop_without_a_mac_is_asked_for),
		T(a_changed_neighbour_shows_within_a_millisecond),
		T(another_table_is_no_match_for_what_was_known_of_the_first),
		T(without_tables_nothing_is_routed),
		T(a_worker_without_a_tx_queue_hands_over),
		T(handed_over_frames_overflow_by_name),
		T(control_sends_by_a_queue_of_its_own),
		T(an_advert_lost_after_hand_off_is_counted_to_its_group),
		T(control_frames_go_first),
		T(a_turn_may_fill_a_port_more_than_once),
		T(a_full_queue_counts_only_what_was_sent),
	};

	return cmocka_run_group_tests_name(
		"dp_forward", tests, rig_group_setup, rig_group_teardown);
}
