/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* IPv6 through the box: what passes, what is told to the sender, what is answered from afar. */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	 WIRE_ETH_LEN
#define UPPER_AT (WIRE_ETH_LEN + WIRE_IP6_LEN)
#define HOP	 (IP_AT + 7)
#define SRC	 (IP_AT + 8)
#define N_OF(a)	 (sizeof(a) / sizeof((a)[0]))

static struct frame
udp6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16], uint16_t payload)
{
	struct frame f = frame_ip6(dst_mac, src, dst, 17, payload);

	f.b[HOP] = 64;
	return f;
}

/* sent is f without padding, with its hop limit one less and new Ethernet addresses. */
static void
assert_forwarded6(
	const struct frame *f, struct rte_mbuf *m, const uint8_t dst[6], const uint8_t src[6])
{
	struct frame want = *f, sent;

	assert_non_null(m);
	sent = frame_of(m);
	want.len = UPPER_AT + (uint32_t)base_load_be16(f->b + IP_AT + 4);
	memcpy(want.b, dst, 6);
	memcpy(want.b + 6, src, 6);
	want.b[HOP]--;
	assert_int_equal(sent.len, want.len);
	assert_memory_equal(sent.b, want.b, want.len);
}

static void
take_and_check(struct rig *r, int in, const struct frame *f, int out, const uint8_t dst[6],
	const uint8_t src[6])
{
	rig_take(r, in, f);
	assert_forwarded6(f, rig_tx(r, out), dst, src);
	rig_assert_silent(r);
}

static void
frames_leave_by_route_with_new_addresses(void **state)
{
	struct rig *r = *state;
	struct frame out = udp6(vmac1, client6, server6, 26),
		     back = udp6(vmac1, server6, client6, 26);
	struct frame via_ll = udp6(lan_mac, server6, far6, 26);

	rig_master(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	take_and_check(r, LAN, &out, WAN, router_mac, wan_mac);
	take_and_check(r, WAN, &back, LAN, client_mac, lan_mac);
	/* The next hop's link-local address is one of the interface that the route names. */
	take_and_check(r, LAN, &via_ll, LAN, client_mac, lan_mac);
	frame_pad(&out, 120);
	take_and_check(r, LAN, &out, WAN, router_mac, wan_mac);
	assert_int_equal(rig_stats(r).forwarded, 4);
	assert_int_equal(rig_stats(r).tx_frames, 4);
	assert_int_equal(rig_drops_all(r), 0);
	rig_backup(r, LAN_VHID1);
	rig_take(r, LAN, &out);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	rig_assert_silent(r);
}

/* Whatever it is called, and however it lies in memory. */
static void
extension_headers_pass_untouched(void **state)
{
	struct rig *r = *state;
	static const uint8_t nexts[] = {WIRE_PROTO_HOPOPTS, WIRE_PROTO_ROUTING, WIRE_PROTO_FRAGMENT,
		WIRE_PROTO_DSTOPTS, 51, 135, 59, 253, WIRE_PROTO_CARP, WIRE_PROTO_ICMP6};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(nexts); i++) {
		for (uint16_t payload = 0; payload < 40; payload = (uint16_t)(payload + 13)) {
			struct frame f = frame_ip6(vmac1, client6, server6, nexts[i], payload);

			/* A hop-by-hop header that leads beyond the end: no router's business. */
			if (payload > 1)
				f.b[UPPER_AT + 1] = 200;
			take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
			rig_rx_segments(r, LAN, &f, (uint16_t)(1 + 7 * i), (uint16_t)(3 + payload));
			assert_int_equal(rig_turn(r), 1);
			assert_forwarded6(&f, rig_tx(r, WAN), router_mac, wan_mac);
		}
	}
	assert_int_equal(rig_drops_all(r), 0);
}

/* Families take turns in one burst, and the ports, too. */
static void
a_mixed_burst_is_sent_whole(void **state)
{
	struct rig *r = *state;
	struct frame f6 = udp6(vmac1, client6, server6, 40), f4 = frame_udp(vmac1, CLIENT, SERVER);
	struct frame far = udp6(vmac1, client6, far6, 40);
	unsigned int n4 = 0, n6 = 0;
	struct rte_mbuf *m;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 96; i++)
		rig_rx(r, LAN, i % 3 == 0 ? &f6 : i % 3 == 1 ? &f4 : &far);
	while (rig_turn(r) != 0)
		;
	while ((m = rig_tx(r, WAN)) != NULL) {
		struct frame sent = frame_of(m);

		n4 += base_load_be16(sent.b + 12) == WIRE_ETHERTYPE_IP4;
		n6 += base_load_be16(sent.b + 12) == WIRE_ETHERTYPE_IP6;
		assert_memory_equal(sent.b, router_mac, 6);
	}
	assert_int_equal(n4, 32);
	assert_int_equal(n6, 32);
	assert_int_equal(rig_tx_count(r, LAN), 32);
	assert_int_equal(rig_stats(r).forwarded, 96);
}

static void
a_next_hop_without_a_mac_is_asked_for(void **state)
{
	struct rig *r = *state;
	struct frame f = udp6(vmac1, client6, stranger6, 26);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	assert_int_equal(p.if_index, WAN);
	assert_int_equal(p.next_hop.family, BASE_FAMILY_IP6);
	assert_memory_equal(p.next_hop.bytes, stranger6, 16);
	assert_int_equal(p.m->data_len, f.len - WIRE_ETH_LEN);
	assert_int_equal(rig_stats(r).punted_resolve, 1);

	dp_ctl_send_resolved(r->dp, WAN, p.m, other_mac);
	rig_turn(r);
	assert_forwarded6(&f, rig_tx(r, WAN), other_mac, wan_mac);
	assert_int_equal(rig_stats(r).forwarded, 1);

	rig_learn6(r, WAN, stranger6, other_mac);
	take_and_check(r, LAN, &f, WAN, other_mac, wan_mac);
	/* A change shows within a millisecond. */
	rig_learn6(r, WAN, stranger6, router_mac);
	r->now += BASE_NS_PER_MS;
	take_and_check(r, LAN, &f, WAN, router_mac, wan_mac);
}

/* What would not be sent is no reason to ask for a MAC. */
static void
a_next_hop_without_a_mac_does_not_hide_what_is_wrong(void **state)
{
	struct rig *r = *state;
	struct frame hops = udp6(vmac1, client6, stranger6, 26);
	struct frame big = udp6(vmac1, client6, stranger6, 1361);
	struct frame scope = udp6(vmac1, client_ll6, stranger6, 26);

	rig_master(r, LAN_VHID1);
	hops.b[HOP] = 1;
	rig_take(r, LAN, &hops);
	assert_int_equal(rig_drops(r, DP_DROP_TTL), 1);
	rig_take(r, LAN, &big);
	assert_int_equal(rig_drops(r, DP_DROP_TOO_BIG), 1);
	rig_take(r, LAN, &scope);
	assert_int_equal(rig_drops(r, DP_DROP_IP6_SCOPE), 1);
	assert_int_equal(rig_stats(r).punted_resolve, 0);
}

/* More next hops than the cache has places: each keeps its own MAC. */
static void
many_next_hops_are_told_apart(void **state)
{
	struct rig *r = *state;
	struct fib_nbr_table *nbr = fib_nbr_create("many", 8192, 2, NULL, SOCKET_ID_ANY);
	uint8_t ip[16], mac[6] = {2};

	assert_non_null(nbr);
	rig_master(r, LAN_VHID1);
	memcpy(ip, stranger6, 16);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 3000; i++) {
			struct frame f;

			base_store_be16(ip + 8, (uint16_t)(i * 7));
			base_store_be16(ip + 14, (uint16_t)i);
			base_store_be16(mac + 4, (uint16_t)i);
			if (round == 0) {
				const struct base_addr hop = base_addr_from_ip6(ip);

				fib_nbr_set(nbr, WAN, &hop, mac, r->now, NULL, NULL);
				continue;
			}
			dp_set_tables(r->dp, r->fib, nbr);
			f = udp6(vmac1, client6, ip, 8);
			take_and_check(r, LAN, &f, WAN, mac, wan_mac);
			take_and_check(r, LAN, &f, WAN, mac, wan_mac);
		}
	}
	dp_set_tables(r->dp, r->fib, r->nbr);
	rig_turn(r);
	fib_nbr_destroy(nbr);
}

static void
without_tables_nothing_is_routed(void **state)
{
	struct rig *r = *state;
	struct frame f = udp6(vmac1, client6, server6, 26);

	rig_master(r, LAN_VHID1);
	dp_set_tables(r->dp, NULL, NULL);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_NO_ROUTE);
	dp_set_tables(r->dp, r->fib, NULL);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_stats(r).punted_resolve, 1);
}

static void
assert_error6(struct rte_mbuf *m, const struct frame *f, uint8_t type, uint8_t code, uint32_t rest,
	const uint8_t src[16])
{
	uint32_t quoted = RTE_MIN(WIRE_IP6_LEN + (uint32_t)base_load_be16(f->b + IP_AT + 4), 1232u);
	struct wire_ip6 ip;
	struct frame e;

	assert_non_null(m);
	e = frame_of(m);
	assert_int_equal(wire_ip6_decode(e.b + IP_AT, e.len - IP_AT, &ip), WIRE_IP6_OK);
	assert_int_equal(e.len, UPPER_AT + WIRE_ICMP6_LEN + quoted);
	assert_true(e.len - IP_AT <= 1280);
	assert_int_equal(ip.payload_len, e.len - UPPER_AT);
	assert_int_equal(ip.next, WIRE_PROTO_ICMP6);
	assert_int_equal(ip.hop_limit, 64);
	assert_memory_equal(ip.src, src, 16);
	assert_memory_equal(ip.dst, f->b + SRC, 16);
	assert_int_equal(e.b[UPPER_AT], type);
	assert_int_equal(e.b[UPPER_AT + 1], code);
	assert_int_equal(base_load_be32(e.b + UPPER_AT + 4), rest);
	assert_true(wire_icmp6_sum_ok(e.b + UPPER_AT, e.len - UPPER_AT, ip.src, ip.dst));
	assert_memory_equal(e.b + UPPER_AT + WIRE_ICMP6_LEN, f->b + IP_AT, quoted);
}

static void
errors_tell_the_sender(void **state)
{
	struct rig *r = *state;
	static const uint8_t nowhere[16] = {0x20, 1, 0x0d, 0xb9};
	struct frame hops = udp6(vmac1, client6, server6, 1300);
	struct frame no_route = udp6(vmac1, client6, nowhere, 20);
	struct frame fits = udp6(vmac1, client6, server6, 1360);
	struct frame big = udp6(vmac1, client6, server6, 1361);
	struct frame scope = udp6(vmac1, client_ll6, server6, 20);
	struct frame silent = udp6(vmac1, client6, stranger6, 20);
	struct dp_punt p;
	struct rte_mbuf *m;
	struct frame e;

	rig_master(r, LAN_VHID1);
	hops.b[HOP] = 1;
	rig_take(r, LAN, &hops);
	m = rig_tx(r, LAN);
	assert_error6(m, &hops, WIRE_ICMP6_TIME_EXCEEDED, 0, 0, lan_own6);
	e = frame_of(m);
	assert_memory_equal(e.b, client_mac, 6);
	assert_memory_equal(e.b + 6, lan_mac, 6);
	assert_int_equal(base_load_be16(e.b + 12), WIRE_ETHERTYPE_IP6);

	rig_take(r, LAN, &no_route);
	assert_error6(rig_tx(r, LAN), &no_route, WIRE_ICMP6_UNREACHABLE, 0, 0, lan_own6);

	take_and_check(r, LAN, &fits, WAN, router_mac, wan_mac);
	rig_rx_segments(r, LAN, &big, 100, 700);
	rig_turn(r);
	assert_error6(rig_tx(r, LAN), &big, WIRE_ICMP6_TOO_BIG, 0, 1400, lan_own6);

	/* Its answer stays on its link. */
	rig_take(r, LAN, &scope);
	assert_error6(rig_tx(r, LAN), &scope, WIRE_ICMP6_UNREACHABLE, 2, 0, own_ll6);
	assert_int_equal(rig_drops(r, DP_DROP_IP6_SCOPE), 1);

	/* It was held with its hop limit counted down. */
	rig_take(r, LAN, &silent);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	dp_ctl_unreachable(r->dp, p.m);
	rig_turn(r);
	silent.b[HOP]--;
	assert_error6(rig_tx(r, LAN), &silent, WIRE_ICMP6_UNREACHABLE, 3, 0, lan_own6);
	assert_int_equal(rig_drops(r, DP_DROP_UNREACHABLE), 1);
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).icmp_errors, 5);
	assert_int_equal(rig_stats(r).forwarded, 1);
}

/* RFC 4443 2.4 (e); ext: extension headers before what is asked about. */
static void
errors_are_never_sent_about(void **state)
{
	struct rig *r = *state;
	static const uint8_t nowhere[16] = {0x20, 1, 0x0d, 0xb9};
	const struct {
		const char *what;
		const uint8_t *src;
		uint8_t ext[24];
		uint16_t n_ext;
		uint8_t next, type;
		bool error; /* expected */
	} cases[] = {
		{"UDP", client6, {0}, 0, 17, 0, true},
		{"echo request", client6, {0}, 0, 58, 128, true},
		{"neighbour advertisement", client6, {0}, 0, 58, 136, true},
		{"unreachable", client6, {0}, 0, 58, 1, false},
		{"too big", client6, {0}, 0, 58, 2, false},
		{"time exceeded", client6, {0}, 0, 58, 3, false},
		{"parameter problem", client6, {0}, 0, 58, 4, false},
		{"error of a later day", client6, {0}, 0, 58, 127, false},
		{"redirect", client6, {0}, 0, 58, 137, false},
		{"options, then an error", client6, {58, 0}, 8, 60, 3, false},
		{"options, then an echo", client6, {58, 0}, 8, 0, 128, true},
		{"16 bytes, then an error", client6, {58, 1}, 16, 43, 3, false},
		{"two headers, then an error", client6, {60, 0, [8] = 58, 0}, 16, 0, 3, false},
		{"two headers, then UDP", client6, {43, 0, [8] = 17, 0}, 16, 60, 3, true},
		{"authenticated error", client6, {58, 1}, 12, 51, 3, false},
		{"authenticated echo", client6, {58, 4}, 24, 51, 128, true},
		{"authenticated UDP", client6, {17, 4}, 24, 51, 3, true},
		{"first fragment of an error", client6, {58, 0, 0, 1}, 8, 44, 3, false},
		{"first fragment of an echo", client6, {58, 0, 0, 1}, 8, 44, 128, true},
		{"second fragment of ICMPv6", client6, {58, 0, 0, 8}, 8, 44, 128, false},
		{"second fragment, headers go on", client6, {60, 0, 0, 8}, 8, 44, 128, false},
		{"second fragment of UDP", client6, {17, 0, 0, 9}, 8, 44, 3, true},
		{"headers beyond what is seen", client6, {58, 9}, 8, 60, 128, false},
		{"VIP of another box", lan_vip7_6, {0}, 0, 17, 0, false},
		{"source without route", nowhere, {0}, 0, 17, 0, false},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		struct frame f = frame_ip6(vmac1, cases[i].src, server6, cases[i].next,
			(uint16_t)(cases[i].n_ext + 20));

		memcpy(f.b + UPPER_AT, cases[i].ext, cases[i].n_ext);
		f.b[UPPER_AT + cases[i].n_ext] = cases[i].type;
		f.b[HOP] = 1;
		r->now += BASE_NS_PER_S;
		rig_take(r, LAN, &f);
		if ((rig_tx_count(r, LAN) != 0) != cases[i].error)
			fail_msg("%s: error expected: %d", cases[i].what, cases[i].error);
		rig_assert_silent(r);
		assert_int_equal(rig_drops(r, DP_DROP_TTL), i + 1);
	}
}

static void
errors_come_from_a_vip_only_as_master(void **state)
{
	struct rig *r = *state;
	struct frame f = udp6(lan_mac, client6, server6, 20), e;
	struct rte_mbuf *m;

	f.b[HOP] = 1;
	rig_configure(r, &(struct rig_options){.no_addresses = true});
	rig_take(r, LAN, &f);
	rig_handing_over(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	rig_master(r, WAN_VHID1);
	rig_take(r, LAN, &f);
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &f);
	assert_error6(rig_tx(r, LAN), &f, WIRE_ICMP6_TIME_EXCEEDED, 0, 0, lan_vip7_6);
	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	m = rig_tx(r, LAN);
	assert_error6(m, &f, WIRE_ICMP6_TIME_EXCEEDED, 0, 0, lan_vip6);
	e = frame_of(m);
	assert_memory_equal(e.b + 6, vmac1, 6);
}

/* A flood of what IPv4 cannot forward takes nothing from IPv6, nor one cause from another. */
static void
each_family_and_cause_has_its_own_rate(void **state)
{
	struct rig *r = *state;
	struct frame f6 = udp6(lan_mac, client6, server6, 20),
		     big6 = udp6(lan_mac, client6, server6, 1400);
	struct frame f4 = frame_udp(lan_mac, CLIENT, SERVER),
		     nowhere4 = frame_udp(lan_mac, CLIENT, IP(8, 8, 8, 8));
	const struct frame *const frames[] = {&f4, &f6, &big6, &nowhere4};
	uint32_t n[N_OF(frames)] = {0};
	uint64_t limited;

	f6.b[HOP] = 1;
	f4.b[IP_AT + 8] = 1;
	frame_sum(&f4);
	for (unsigned int k = 0; k < N_OF(frames); k++) {
		for (unsigned int i = 0; i < 100; i++) {
			rig_take(r, LAN, frames[k]);
			n[k] += rig_tx_count(r, LAN);
		}
		assert_int_equal(n[k], 50);
		assert_int_equal(rig_stats(r).icmp_errors, 50 * (k + 1));
		assert_int_equal(rig_stats(r).icmp_limited, 50 * (k + 1));
	}
	r->now += BASE_NS_PER_S / 10;
	limited = rig_stats(r).icmp_limited;
	for (unsigned int i = 0; i < 50; i++) {
		rig_take(r, LAN, &f6);
		n[1] += rig_tx_count(r, LAN);
	}
	assert_in_range(n[1], 59, 61);
	assert_int_equal(rig_stats(r).icmp_limited - limited, 100 - n[1]);
	assert_int_equal(rig_stats(r).icmp_withheld, 0);
}

/* Any address of ours is answered by whatever interface, and by the table. */
static void
an_echo_from_afar_is_answered(void **state)
{
	struct rig *r = *state;
	const struct {
		const uint8_t *mac, *src, *dst, *reply_mac, *reply_src;
		int out;
	} cases[] = {
		{vmac1, client6, wan_own6, client_mac, lan_mac, LAN},
		{vmac1, client6, wan_vip6, client_mac, lan_mac, LAN}, /* not the WAN's vMAC */
		{vmac1, server6, lan_own6, router_mac, wan_mac, WAN},
		{vmac1, server6, lan_vip6, router_mac, wan_mac, WAN},
		{vmac1, far6, lan_vip6, client_mac, vmac1, LAN},
	};

	rig_master(r, LAN_VHID1);
	rig_master(r, WAN_VHID1);
	for (unsigned int i = 0; i < N_OF(cases); i++) {
		struct frame f = frame_echo6(cases[i].mac, cases[i].src, cases[i].dst, 16), reply;
		struct rte_mbuf *m;

		rig_take(r, LAN, &f);
		m = rig_tx(r, cases[i].out);
		assert_non_null(m);
		reply = frame_of(m);
		assert_memory_equal(reply.b, cases[i].reply_mac, 6);
		assert_memory_equal(reply.b + 6, cases[i].reply_src, 6);
		assert_int_equal(base_load_be16(reply.b + 12), WIRE_ETHERTYPE_IP6);
		assert_memory_equal(reply.b + SRC, cases[i].dst, 16);
		assert_memory_equal(reply.b + SRC + 16, cases[i].src, 16);
		assert_int_equal(reply.b[UPPER_AT], WIRE_ICMP6_ECHO_REPLY);
		rig_assert_silent(r);
	}
	assert_int_equal(rig_stats(r).echo_replies, N_OF(cases));
	/* A unicast advert is one of the interface whose address it is sent to. */
	{
		struct frame advert = frame_carp6(lan_mac, client6, wan_own6, 1);
		struct dp_punt p;

		rig_take(r, LAN, &advert);
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
		rig_assert_one_drop(r, DP_DROP_LOCAL);
	}
}

/* A reply that waits for its next hop is not sent for a group that is no longer MASTER. */
static void
a_held_reply_keeps_its_source(void **state)
{
	struct rig *r = *state;
	static const uint8_t client2[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 101};
	struct frame f = frame_echo6(vmac1, client2, lan_vip6, 16), reply;
	struct dp_punt p;
	struct rte_mbuf *m;

	for (unsigned int master = 0; master < 2; master++) {
		rig_master(r, LAN_VHID1);
		rig_take(r, LAN, &f);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.if_index, LAN);
		if (master == 0)
			rig_backup(r, LAN_VHID1);
		dp_ctl_send_resolved(r->dp, LAN, p.m, other_mac);
		rig_turn(r);
		m = rig_tx(r, LAN);
		if (master == 0) {
			assert_null(m);
			rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
			continue;
		}
		assert_non_null(m);
		reply = frame_of(m);
		assert_memory_equal(reply.b, other_mac, 6);
		assert_memory_equal(reply.b + 6, vmac1, 6);
	}
	assert_int_equal(rig_stats(r).forwarded, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_leave_by_route_with_new_addresses),
		T(extension_headers_pass_untouched),
		T(a_mixed_burst_is_sent_whole),
		T(a_next_hop_without_a_mac_is_asked_for),
		T(a_next_hop_without_a_mac_does_not_hide_what_is_wrong),
		T(many_next_hops_are_told_apart),
		T(without_tables_nothing_is_routed),
		T(errors_tell_the_sender),
		T(errors_are_never_sent_about),
		T(errors_come_from_a_vip_only_as_master),
		T(each_family_and_cause_has_its_own_rate),
		T(an_echo_from_afar_is_answered),
		T(a_held_reply_keeps_its_source),
	};

	return cmocka_run_group_tests_name(
		"dp_forward6", tests, rig_group_setup, rig_group_teardown);
}
