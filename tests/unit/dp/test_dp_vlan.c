/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Interfaces with a tag: LAN with 10 and WAN with 20, on one device or on two. Each test runs with
 * tags that the device takes out and puts in, and with those that are in the frames.
 */
#include <string.h>

#include "base_bytes.h"
#include "dp_rig.h"

#define TAG_LAN 10
#define TAG_WAN 20

/* How the tag is there: in the frame, or beside it as a device leaves it. */
static void
give(struct rig *r, int port, const struct frame *f, uint16_t tci, bool strip)
{
	struct frame tagged = *f;
	struct rte_mbuf *m;

	if (!strip)
		frame_tag(&tagged, WIRE_ETHERTYPE_VLAN, tci);
	m = rig_rx(r, port, &tagged);
	if (strip) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = tci;
	}
}

/* The next frame of a port without its tag, which must be this one. */
static struct frame
taken(struct rig *r, int port, uint16_t vlan)
{
	struct rte_mbuf *m = rig_tx(r, port);
	struct frame f;

	assert_non_null(m);
	f = frame_of(m);
	if (r->opt.vlan_insert && vlan != 0) {
		assert_true((m->ol_flags & RTE_MBUF_F_TX_VLAN) != 0);
		assert_int_equal(m->vlan_tci, vlan);
		assert_int_not_equal(base_load_be16(f.b + 12), WIRE_ETHERTYPE_VLAN);
		return f;
	}
	assert_true((m->ol_flags & RTE_MBUF_F_TX_VLAN) == 0);
	if (vlan == 0) {
		assert_int_not_equal(base_load_be16(f.b + 12), WIRE_ETHERTYPE_VLAN);
		return f;
	}
	assert_int_equal(base_load_be16(f.b + 12), WIRE_ETHERTYPE_VLAN);
	assert_int_equal(base_load_be16(f.b + 14), vlan);
	f.len -= WIRE_VLAN_TAG_LEN;
	memmove(f.b + 12, f.b + 16, f.len - 12);
	return f;
}

/* What forwarding makes of a frame. */
static void
assert_forwarded(const struct frame *in, const struct frame *out, const uint8_t *dst)
{
	assert_int_equal(out->len, in->len);
	assert_memory_equal(out->b, dst, 6);
	assert_memory_equal(out->b + 6, wan_mac, 6);
	assert_memory_equal(out->b + 12, in->b + 12, 10);
	assert_int_equal(out->b[22], in->b[22] - 1);
	assert_memory_equal(out->b + 26, in->b + 26, in->len - 26);
}

/* One of two offloads, on one device or two, either interface or both with a tag. */
static void
frames_go_from_tag_to_tag(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good(), out;

	for (unsigned int i = 0; i < 32; i++) {
		const struct rig_options opt = {
			.vlan = {i & 1 ? TAG_LAN : 0, i & 2 ? TAG_WAN : 0},
			.one_port = i & 4,
			.vlan_insert = i & 8,
		};
		bool strip = i & 16;
		uint32_t in = 0;

		if (opt.one_port && opt.vlan[LAN] == opt.vlan[WAN])
			continue;
		rig_configure(r, &opt);
		rig_master(r, LAN_VHID1);
		if (opt.vlan[LAN] != 0)
			give(r, LAN, &f, (uint16_t)(5 << 13 | TAG_LAN), strip);
		else
			rig_rx(r, LAN, &f);
		in = opt.vlan[LAN] != 0 && !strip ? WIRE_VLAN_TAG_LEN : 0;
		assert_int_equal(rig_turn(r), 1);
		assert_int_equal(rig_drops_all(r), 0);
		out = taken(r, opt.one_port ? LAN : WAN, opt.vlan[WAN]);
		assert_forwarded(&f, &out, router_mac);
		assert_null(rig_tx(r, LAN));
		assert_int_equal(rig_stats(r).forwarded, 1);
		assert_int_equal(rig_stats(r).rx_frames, 1);
		assert_int_equal(rig_stats(r).rx_bytes, f.len + in);
		assert_int_equal(rig_stats(r).tx_bytes,
			f.len + (opt.vlan[WAN] && !opt.vlan_insert ? WIRE_VLAN_TAG_LEN : 0));
	}
}

static void
frames_of_ipv6_have_tags_too(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip6(vmac1, client6, server6, 17, 26), out;

	for (unsigned int i = 0; i < 4; i++) {
		rig_configure(r,
			&(struct rig_options){.vlan = {TAG_LAN, TAG_WAN},
				.one_port = true,
				.vlan_insert = i & 1});
		rig_master(r, LAN_VHID1);
		give(r, LAN, &f, TAG_LAN, i & 2);
		assert_int_equal(rig_turn(r), 1);
		out = taken(r, LAN, TAG_WAN);
		assert_int_equal(out.len, f.len);
		assert_memory_equal(out.b, router_mac, 6);
		assert_int_equal(out.b[WIRE_ETH_LEN + 7], 254);
	}
}

/* vhid 1 is on both: one shared MAC, and two owners. */
static void
each_tag_has_its_own_gate(void **state)
{
	struct rig *r = *state;
	struct frame to_wan = frame_udp(vmac1, CLIENT, SERVER), to_lan, out;

	to_lan = frame_udp(vmac1, ROUTER, CLIENT);
	rig_configure(r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
	rig_master(r, LAN_VHID1);
	give(r, LAN, &to_wan, TAG_LAN, false);
	give(r, LAN, &to_lan, TAG_WAN, false);
	assert_int_equal(rig_turn(r), 2);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	out = taken(r, LAN, TAG_WAN);
	assert_memory_equal(out.b, router_mac, 6);

	rig_backup(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	give(r, LAN, &to_wan, TAG_LAN, false);
	give(r, LAN, &to_lan, TAG_WAN, false);
	assert_int_equal(rig_turn(r), 2);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 2);
	out = taken(r, LAN, TAG_LAN);
	assert_memory_equal(out.b, client_mac, 6);
	rig_assert_silent(r);
}

static void
unknown_tags_are_counted(void **state)
{
	static const uint16_t unknown[] = {0, 1, 9, 11, 4094, 4095, 7 << 13};
	struct rig *r = *state;
	struct frame f = frame_good();
	uint64_t bytes = 0;

	for (unsigned int strip = 0; strip < 2; strip++) {
		rig_configure(
			r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
		rig_master(r, LAN_VHID1);
		for (unsigned int i = 0; i < RTE_DIM(unknown); i++)
			give(r, LAN, &f, unknown[i], strip);
		bytes = RTE_DIM(unknown) * (f.len + (strip ? 0 : WIRE_VLAN_TAG_LEN));
		assert_int_equal(rig_turn(r), RTE_DIM(unknown));
		/* Priority tags are no tags, and there is no untagged interface. */
		assert_int_equal(rig_drops(r, DP_DROP_NO_INTERFACE), 2);
		assert_int_equal(rig_drops(r, DP_DROP_VLAN_UNKNOWN), RTE_DIM(unknown) - 2);
		assert_int_equal(rig_stats(r).rx_frames, RTE_DIM(unknown));
		assert_int_equal(rig_stats(r).rx_bytes, bytes);
		assert_int_equal(dp_last_frame(r->dp, LAN), 0);
		rig_assert_silent(r);
	}
}

static void
a_priority_tag_is_no_tag(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good(), out;

	for (unsigned int i = 0; i < 4; i++) {
		/* With tagged interfaces beside it, and without. */
		rig_configure(r,
			&(struct rig_options){.vlan = {0, i & 1 ? TAG_WAN : 0}, .one_port = i & 1});
		rig_master(r, LAN_VHID1);
		give(r, LAN, &f, 3 << 13, i & 2);
		assert_int_equal(rig_turn(r), 1);
		assert_int_equal(rig_drops_all(r), 0);
		out = taken(r, i & 1 ? LAN : WAN, i & 1 ? TAG_WAN : 0);
		assert_forwarded(&f, &out, router_mac);
		assert_int_equal(dp_last_frame(r->dp, LAN), r->now);
	}
}

static void
double_tags_are_dropped(void **state)
{
	static const uint16_t types[][2] = {{WIRE_ETHERTYPE_VLAN, WIRE_ETHERTYPE_VLAN},
		{WIRE_ETHERTYPE_QINQ, WIRE_ETHERTYPE_VLAN},
		{WIRE_ETHERTYPE_VLAN, WIRE_ETHERTYPE_QINQ},
		{WIRE_ETHERTYPE_QINQ, WIRE_ETHERTYPE_QINQ}};
	struct rig *r = *state;
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(types); i++) {
		rig_configure(
			r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
		rig_master(r, LAN_VHID1);
		f = frame_good();
		frame_tag(&f, types[i][1], TAG_LAN);
		give(r, LAN, &f, TAG_LAN, true);
		frame_tag(&f, types[i][0], TAG_LAN);
		rig_rx(r, LAN, &f);
		assert_int_equal(rig_turn(r), 2);
		assert_int_equal(rig_drops(r, DP_DROP_VLAN_DOUBLE), 2);
		assert_int_equal(rig_drops_all(r), 2);
	}
}

/* Shorter than its tag and what must follow that. */
static void
a_cut_tag_is_refused(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good();

	frame_tag(&f, WIRE_ETHERTYPE_VLAN, TAG_LAN);
	for (unsigned int i = 0; i < 2; i++) {
		rig_configure(r, &(struct rig_options){.vlan = {i ? TAG_LAN : 0, 0}});
		rig_master(r, LAN_VHID1);
		for (f.len = 14; f.len < 18; f.len++)
			rig_rx(r, LAN, &f);
		assert_int_equal(rig_turn(r), 4);
		assert_int_equal(rig_drops(r, DP_DROP_TRUNCATED_ETH), 4);
		assert_int_equal(rig_drops_all(r), 4);
	}
}

/* A tag that lies in more than one segment is one all the same. */
static void
tags_are_found_in_segments(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good(), tagged = f, out;

	frame_tag(&tagged, WIRE_ETHERTYPE_VLAN, TAG_LAN);
	for (uint16_t first = 1; first < 40; first++) {
		rig_configure(
			r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
		rig_master(r, LAN_VHID1);
		rig_rx_segments(r, LAN, &tagged, first, 7);
		assert_int_equal(rig_turn(r), 1);
		out = taken(r, LAN, TAG_WAN);
		assert_forwarded(&f, &out, router_mac);
	}
}

/* Each interface's frames stay in their order, however they are mixed. */
static void
a_mixed_burst_is_parted(void **state)
{
	struct rig *r = *state;
	struct frame f, out;
	uint8_t next = 0;

	rig_configure(r, &(struct rig_options){.vlan = {0, TAG_WAN}, .one_port = true});
	rig_master(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	for (uint8_t i = 0; i < 32; i++) {
		bool from_wan = i % 3 == 1;

		f = from_wan ? frame_udp(vmac1, ROUTER, CLIENT) : frame_good();
		f.b[f.len - 1] = i;
		if (i % 7 == 6)
			give(r, LAN, &f, 99, false);
		else if (from_wan)
			give(r, LAN, &f, TAG_WAN, i & 1);
		else
			rig_rx(r, LAN, &f);
	}
	assert_int_equal(rig_turn(r), 32);
	assert_int_equal(rig_drops(r, DP_DROP_VLAN_UNKNOWN), 4);
	assert_int_equal(rig_stats(r).forwarded, 28);
	assert_int_equal(rig_stats(r).rx_frames, 32);
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (next = 0; next < 32; next++) {
			if ((next % 3 == 1) != (pass == 1) || next % 7 == 6)
				continue;
			out = taken(r, LAN, pass == 0 ? TAG_WAN : 0);
			assert_memory_equal(out.b, pass == 0 ? router_mac : client_mac, 6);
			assert_int_equal(out.b[out.len - 1], next);
		}
	}
	rig_assert_silent(r);
}

/* What koi sends itself: echo, an error, what control sends, a packet that was held. */
static void
what_koi_sends_has_the_tag(void **state)
{
	struct rig *r = *state;
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 32), out;
	struct frame lost = frame_udp(lan_mac, CLIENT, IP(172, 16, 0, 1));
	struct frame held = frame_udp(lan_mac, CLIENT, STRANGER);
	struct frame arp = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);
	struct dp_punt p;
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < 8; i++) {
		rig_configure(r,
			&(struct rig_options){.vlan = {TAG_LAN, TAG_WAN},
				.one_port = true,
				.control_txq = i & 1,
				.vlan_insert = i & 2});
		give(r, LAN, &echo, TAG_LAN, i & 4);
		give(r, LAN, &lost, TAG_LAN, i & 4);
		give(r, LAN, &held, TAG_LAN, i & 4);
		give(r, LAN, &arp, TAG_LAN, i & 4);
		assert_int_equal(rig_turn(r), 4);
		out = taken(r, LAN, TAG_LAN);
		assert_int_equal(out.b[WIRE_ETH_LEN + WIRE_IP4_LEN], WIRE_ICMP_ECHO_REPLY);
		out = taken(r, LAN, TAG_LAN);
		assert_int_equal(out.b[WIRE_ETH_LEN + WIRE_IP4_LEN], WIRE_ICMP_UNREACHABLE);

		/* Punts are without a tag, and name the interface. */
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_IF_ARP);
		assert_int_equal(p.if_index, LAN);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, uint8_t *), arp.b, arp.len);
		assert_int_equal(dp_ctl_send(r->dp, LAN, p.m, DP_NONE), 0);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_RESOLVE);
		assert_int_equal(p.if_index, WAN);
		dp_ctl_send_resolved(r->dp, WAN, p.m, other_mac);
		m = dp_ctl_alloc(r->dp);
		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)arp.len), arp.b, arp.len);
		assert_int_equal(dp_ctl_send(r->dp, LAN, m, LAN_VHID1), 0);
		assert_int_equal(rig_turn(r), 0); /* from the hand-off ring */
		out = taken(r, LAN, TAG_LAN);
		assert_memory_equal(out.b, arp.b, arp.len);
		out = taken(r, LAN, TAG_WAN);
		assert_memory_equal(out.b, other_mac, 6);
		out = taken(r, LAN, TAG_LAN);
		assert_memory_equal(out.b, arp.b, arp.len);
		rig_assert_silent(r);
	}
}

/* An interface's MTU is without the tag. */
static void
a_tag_is_no_part_of_the_mtu(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1400 - WIRE_IP4_LEN);

	rig_configure(r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
	rig_master(r, LAN_VHID1);
	give(r, LAN, &f, TAG_LAN, false);
	assert_int_equal(rig_turn(r), 1);
	assert_int_equal(rig_drops_all(r), 0);
	assert_int_equal(rig_tx(r, LAN)->pkt_len, WIRE_ETH_LEN + WIRE_VLAN_TAG_LEN + 1400);
	f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1401 - WIRE_IP4_LEN);
	f.b[WIRE_ETH_LEN + 6] = WIRE_IP4_DF >> 8;
	frame_sum(&f);
	give(r, LAN, &f, TAG_LAN, false);
	assert_int_equal(rig_turn(r), 1);
	rig_assert_one_drop(r, DP_DROP_TOO_BIG);
}

/* Fragments are frames like others. */
static void
fragments_have_tags(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1500 - WIRE_IP4_LEN), out;

	for (unsigned int i = 0; i < 2; i++) {
		rig_configure(r,
			&(struct rig_options){
				.vlan = {TAG_LAN, TAG_WAN}, .one_port = true, .vlan_insert = i});
		rig_master(r, LAN_VHID1);
		give(r, LAN, &f, TAG_LAN, false);
		assert_int_equal(rig_turn(r), 1);
		assert_int_equal(rig_drops_all(r), 0);
		out = taken(r, LAN, TAG_WAN);
		assert_true(out.len <= WIRE_ETH_LEN + 1400);
		assert_memory_equal(out.b, router_mac, 6);
		assert_int_equal(out.b[WIRE_ETH_LEN + 6], WIRE_IP4_MF >> 8);
		out = taken(r, LAN, TAG_WAN);
		assert_memory_equal(out.b, router_mac, 6);
		assert_int_equal(out.b[WIRE_ETH_LEN + 6] & WIRE_IP4_MF >> 8, 0);
		rig_assert_silent(r);
	}
}

/* Who hears frames of one tag is not known to hear those of another. */
static void
last_frames_and_adverts_are_told_apart(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct dp_punt p;

	rig_configure(r, &(struct rig_options){.vlan = {TAG_LAN, TAG_WAN}, .one_port = true});
	give(r, LAN, &f, TAG_WAN, false);
	assert_int_equal(rig_turn(r), 1);
	assert_int_equal(dp_last_frame(r->dp, LAN), 0);
	assert_int_equal(dp_last_frame(r->dp, WAN), r->now);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), r->now);
	assert_int_equal(dp_rx_horizon(r->dp, WAN), r->now);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.group, WAN_VHID1);
	assert_int_equal(p.if_index, WAN);
	rte_pktmbuf_free(p.m);
}

/* A worker without a TX queue hands tagged frames over as they are. */
static void
tagged_frames_are_handed_over(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_good(), tagged = f, out;

	frame_tag(&tagged, WIRE_ETHERTYPE_VLAN, TAG_LAN);
	for (unsigned int i = 0; i < 2; i++) {
		rig_configure(r,
			&(struct rig_options){.vlan = {TAG_LAN, TAG_WAN},
				.one_port = true,
				.n_workers = 2,
				.n_txq = 1,
				.vlan_insert = i});
		rig_master(r, LAN_VHID1);
		rig_rx_queue(r, LAN, 1, &tagged);
		assert_int_equal(rig_turn(r), 1);
		assert_int_equal(rig_turn(r), 0);
		assert_int_equal(rig_stats(r).handed_over, 1);
		assert_int_equal(rig_stats(r).forwarded, 1);
		out = taken(r, LAN, TAG_WAN);
		assert_forwarded(&f, &out, router_mac);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_go_from_tag_to_tag),
		T(frames_of_ipv6_have_tags_too),
		T(each_tag_has_its_own_gate),
		T(unknown_tags_are_counted),
		T(a_priority_tag_is_no_tag),
		T(double_tags_are_dropped),
		T(a_cut_tag_is_refused),
		T(tags_are_found_in_segments),
		T(a_mixed_burst_is_parted),
		T(what_koi_sends_has_the_tag),
		T(a_tag_is_no_part_of_the_mtu),
		T(fragments_have_tags),
		T(last_frames_and_adverts_are_told_apart),
		T(tagged_frames_are_handed_over),
	};

	return cmocka_run_group_tests_name("dp_vlan", tests, rig_group_setup, rig_group_teardown);
}
