/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Packets that few hosts send: with IPv4 options, with a routing header of IPv6, from where they
 * cannot come from.
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

/* RFC 1122 3.2.2: nor is an error sent about what went to all hosts of a subnet. */
static void
a_wrong_option_to_a_subnet_is_not_told(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, IP(192, 0, 2, 255));

	frame_options(&f, 4);
	f.b[OPTION_AT] = 7;
	f.b[OPTION_AT + 1] = 0;
	frame_sum(&f);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_IP4_OPTIONS);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
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

/* How many of one frame pass; it is counted as own_source when it does not. */
static void
assert_source(struct rig *r, int port, const struct frame *f, bool passes, const char *what)
{
	uint64_t own = rig_drops(r, DP_DROP_OWN_SOURCE), out = rig_stats(r).tx_frames;

	rig_take(r, port, f);
	if (rig_stats(r).tx_frames - out != passes ||
		rig_drops(r, DP_DROP_OWN_SOURCE) - own == passes)
		fail_msg("%s: expected to pass: %d", what, passes);
	while (rig_tx(r, LAN) != NULL || rig_tx(r, WAN) != NULL)
		;
}

/* A VIP is another box's while its group does not answer here. */
static void
what_comes_from_ourselves_is_refused(void **state)
{
	struct rig *r = *state;
	struct frame own = frame_udp(lan_mac, LAN_OWN, SERVER);
	struct frame vip = frame_udp(lan_mac, LAN_VIP, SERVER);
	struct frame same_byte = frame_udp(lan_mac, IP(10, 7, 7, 2), SERVER);
	struct frame echo = frame_echo(wan_mac, LAN_OWN, WAN_OWN, 8);
	struct frame own6 = frame_ip6(lan_mac, lan_own6, server6, 17, 30);
	struct frame vip6 = frame_ip6(lan_mac, lan_vip6, server6, 17, 30);
	struct frame same_byte6 = frame_ip6(lan_mac, far6, server6, 17, 30);

	same_byte6.b[UPPER_AT - 17] = 2;
	assert_source(r, LAN, &own, false, "own address");
	assert_source(r, WAN, &echo, false, "own address by another interface");
	assert_source(r, LAN, &own6, false, "own IPv6 address");
	assert_source(r, LAN, &same_byte, true, "another address with the last byte of ours");
	assert_source(r, LAN, &same_byte6, true, "the same of IPv6");
	assert_source(r, LAN, &vip, true, "VIP of a backup");
	assert_source(r, LAN, &vip6, true, "IPv6 VIP of a backup");
	rig_handing_over(r, LAN_VHID1);
	assert_source(r, LAN, &vip, true, "VIP that is handed over");
	assert_source(r, LAN, &vip6, true, "IPv6 VIP that is handed over");
	rig_master(r, LAN_VHID1);
	assert_source(r, LAN, &vip, false, "VIP");
	assert_source(r, LAN, &vip6, false, "IPv6 VIP");

	/* ARP balancing: of a shared VIP the peer may be master as well. */
	rig_configure(r, &(struct rig_options){.shared_vip = true});
	rig_master(r, LAN_VHID1);
	assert_source(r, LAN, &vip, true, "VIP that another box answers for too");
	rig_master(r, LAN_VHID7);
	assert_source(r, LAN, &vip, false, "VIP all of whose groups are ours");
}

/* 169.254/16 ends at this box, its neighbours are addresses like any other. */
static void
link_local_addresses_of_ip4_are_not_routed(void **state)
{
	struct rig *r = *state;
	static const uint32_t others[] = {
		IP(169, 253, 255, 255), IP(169, 255, 0, 0), IP(169, 0, 0, 1)};
	struct frame to_us = frame_udp(lan_mac, IP(169, 254, 3, 3), LAN_OWN);
	unsigned int passing = 0;

	for (unsigned int i = 0; i < N_OF(others); i++) {
		struct frame f = frame_udp(lan_mac, others[i], SERVER);

		rig_take(r, LAN, &f);
		assert_int_equal(rig_tx_count(r, WAN), 1);
	}
	rig_take(r, LAN, &to_us);
	rig_assert_one_drop(r, DP_DROP_LOCAL);

	/* In a burst of their like, and beside others. */
	for (unsigned int i = 0; i < 32; i++) {
		bool to = i < 16 ? i % 8 < 4 : i % 2;
		struct frame f = frame_udp(lan_mac, to ? CLIENT : IP(169, 254, 7, 7),
			to && i % 3 ? IP(169, 254, 8, 8) : SERVER);

		passing += to && i % 3 == 0;
		rig_rx(r, LAN, &f);
	}
	while (rig_turn(r) != 0)
		;
	assert_int_equal(rig_tx_count(r, WAN), passing);
	assert_int_equal(rig_drops(r, DP_DROP_IP4_SCOPE), 32 - passing);
}

/* Whoever claims an address of ours is control's to deal with. */
static void
what_is_about_our_addresses_reaches_control(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(lan_mac, LAN_VIP, LAN_OWN, 1);
	struct frame advert6 = frame_carp6(lan_mac, lan_vip6, lan_own6, 1);
	struct frame ns = frame_nd(lan_mac, WIRE_ICMP6_NS, lan_own6, lan_own6);
	struct frame echo6 = frame_echo6(lan_mac, lan_vip6, lan_own6, 8);
	struct dp_punt p[4];

	rig_master(r, LAN_VHID1);
	memcpy(ns.b + IP_AT + 8, lan_vip6, WIRE_IP6_ADDR_LEN);
	frame_sum6(&ns);
	rig_take(r, LAN, &advert);
	rig_take(r, LAN, &advert6);
	rig_take(r, LAN, &ns);
	assert_int_equal(rig_drops_all(r), 0);
	assert_int_equal(rig_stats(r).punted_adverts, 2);
	assert_int_equal(rig_stats(r).punted_arp, 1);
	rig_take(r, LAN, &echo6);
	rig_assert_one_drop(r, DP_DROP_OWN_SOURCE);
	for (uint32_t n = dp_poll_adverts(r->dp, p, N_OF(p), 4); n-- > 0;)
		rte_pktmbuf_free(p[n].m);
	for (uint32_t n = dp_poll_punts(r->dp, p, N_OF(p), 4); n-- > 0;)
		rte_pktmbuf_free(p[n].m);
}

/* Elsewhere nothing of that kind goes in our name, nor to the kernel. */
static void
in_our_name_none_of_that_goes_elsewhere(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(lan_mac, LAN_OWN, SERVER, 1);
	struct frame to_vip = frame_carp(vmac1, LAN_OWN, LAN_VIP, 1);
	struct frame to_wan = frame_carp(lan_mac, LAN_OWN, WAN_OWN, 1);
	struct frame advert6 = frame_carp6(lan_mac, lan_own6, server6, 1);
	struct frame to_vip6 = frame_carp6(vmac1, lan_own6, lan_vip6, 1);
	struct frame to_wan6 = frame_carp6(lan_mac, lan_own6, wan_own6, 1);
	struct frame na = frame_nd(lan_mac, WIRE_ICMP6_NA, server6, lan_own6);

	memcpy(na.b + IP_AT + 8, lan_own6, WIRE_IP6_ADDR_LEN);
	frame_sum6(&na);
	rig_configure(r, &(struct rig_options){.host = true});
	rig_master(r, LAN_VHID1);
	assert_source(r, LAN, &advert, false, "advert to a host beyond");
	assert_source(r, LAN, &to_vip, false, "advert to a VIP");
	assert_source(r, LAN, &to_wan, false, "advert to another interface's address");
	assert_source(r, LAN, &advert6, false, "IPv6 advert to a host beyond");
	assert_source(r, LAN, &to_vip6, false, "IPv6 advert to a VIP");
	assert_source(r, LAN, &to_wan6, false, "IPv6 advert to another interface's address");
	assert_source(r, LAN, &na, false, "advertisement to a host beyond");
}

struct rp_case {
	const char *what;
	int in;
	uint32_t src; /* 0: IPv6 */
	const uint8_t *src6;
	bool loose, strict; /* passes */
};

static void
sources_come_by_the_way_back_to_them(void **state)
{
	struct rig *r = *state;
	const struct rp_case cases[] = {
		{"host of the subnet", LAN, CLIENT, NULL, true, true},
		{"behind a router of the subnet", LAN, IP(10, 1, 2, 3), NULL, true, true},
		{"the same by another interface", WAN, IP(10, 1, 2, 3), NULL, true, false},
		{"from behind the WAN by the LAN", LAN, SERVER, NULL, true, false},
		{"without a route", LAN, IP(8, 8, 8, 8), NULL, false, false},
		{"subnet broadcast", LAN, IP(192, 0, 2, 255), NULL, false, false},
		{"network address", LAN, IP(192, 0, 2, 0), NULL, false, false},
		{"VIP of a backup on its segment", LAN, LAN_VIP7, NULL, true, true},
		{"VIP of a backup elsewhere", WAN, LAN_VIP7, NULL, true, false},
		{"host of the subnet", LAN, 0, client6, true, true},
		{"behind a router of the subnet", LAN, 0, far6, true, true},
		{"the same by another interface", WAN, 0, far6, true, false},
		{"from behind the WAN by the LAN", LAN, 0, server6, true, false},
		{"without a route", LAN, 0, (const uint8_t[16]){0x20, 3, 1}, false, false},
		{"VIP of a backup on its segment", LAN, 0, lan_vip7_6, true, true},
		{"VIP of a backup elsewhere", WAN, 0, lan_vip7_6, true, false},
	};

	for (unsigned int mode = DP_RP_OFF; mode <= DP_RP_STRICT; mode++) {
		uint64_t passed = 0, refused = 0;

		rig_configure(r, &(struct rig_options){.rp_filter = mode});
		for (unsigned int i = 0; i < N_OF(cases); i++) {
			const struct rp_case *c = &cases[i];
			const uint8_t *mac = c->in == LAN ? lan_mac : wan_mac;
			struct frame f = c->src != 0 ? frame_udp(mac, c->src, SERVER)
						     : frame_ip6(mac, c->src6, server6, 17, 30);
			bool passes =
				mode == DP_RP_OFF || (mode == DP_RP_LOOSE ? c->loose : c->strict);

			rig_take(r, c->in, &f);
			passed += passes;
			refused += !passes;
			if (rig_tx_count(r, WAN) != passes)
				fail_msg("mode %u, IPv%d, %s by %d: expected to pass: %d", mode,
					c->src != 0 ? 4 : 6, c->what, c->in, passes);
			assert_int_equal(rig_drops(r, DP_DROP_RP_FILTER), refused);
		}
		assert_int_equal(rig_drops_all(r), refused);
		assert_int_equal(rig_stats(r).forwarded, passed);
		rig_assert_silent(r);
	}
}

/* What is left of a burst goes where it should, in its order. */
static void
a_burst_loses_only_what_came_the_wrong_way(void **state)
{
	struct rig *r = *state;
	const uint32_t from[] = {CLIENT, SERVER}, to[] = {SERVER, IP(10, 1, 1, 1)};
	struct frame echo_ll = frame_echo6(lan_mac, client_ll6, own_ll6, 8);
	unsigned int n[2] = {0};

	rig_configure(r, &(struct rig_options){.rp_filter = DP_RP_STRICT});
	for (unsigned int i = 0; i < 32; i++) {
		struct frame f = frame_udp(lan_mac, from[i & 1], to[i >> 1 & 1]);
		struct frame f6 = frame_ip6(
			lan_mac, i & 1 ? server6 : client6, i >> 1 & 1 ? far6 : server6, 17, 30);

		if (i % 4 < 2)
			f.b[IP_AT + 5] = (uint8_t)i;
		frame_sum(&f);
		rig_rx(r, LAN, i % 8 < 4 ? &f : &f6);
	}
	while (rig_turn(r) != 0)
		;
	for (int port = LAN; port <= WAN; port++) {
		struct rte_mbuf *m;
		int last = -1;

		while ((m = rig_tx(r, port)) != NULL) {
			struct frame sent = frame_of(m);

			n[port]++;
			if (base_load_be16(sent.b + 12) != WIRE_ETHERTYPE_IP4)
				continue;
			assert_int_equal(base_load_be32(sent.b + IP_AT + 12), CLIENT);
			assert_int_equal(base_load_be32(sent.b + IP_AT + 16), to[port == LAN]);
			if (port == WAN) {
				assert_true(sent.b[IP_AT + 5] > last);
				last = sent.b[IP_AT + 5];
			}
		}
	}
	assert_int_equal(n[LAN], 8);
	assert_int_equal(n[WAN], 8);
	assert_int_equal(rig_drops(r, DP_DROP_RP_FILTER), 16);
	rig_take(r, LAN, &echo_ll);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

static unsigned int
kernel_gets(struct rig *r)
{
	struct rte_mbuf *m;
	uint32_t n = dp_host_poll(r->dp, LAN, 0, &m, 1);

	dp_host_done(r->dp, 0, &m, n);
	return n;
}

/* With a tap the kernel puts them together; a redirect in the first one ends here all the same. */
static void
fragments_of_icmp_to_us_are_the_kernels(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 64);

	rig_configure(r, &(struct rig_options){.host = true});
	base_store_be16(f.b + IP_AT + 6, WIRE_IP4_MF);
	frame_sum(&f);
	rig_take(r, LAN, &f);
	assert_int_equal(kernel_gets(r), 1);
	f.b[OPTION_AT] = WIRE_ICMP_REDIRECT;
	rig_take(r, LAN, &f);
	assert_int_equal(kernel_gets(r), 0);
	rig_assert_one_drop(r, DP_DROP_REDIRECT);
	base_store_be16(f.b + IP_AT + 6, 9);
	frame_sum(&f);
	rig_take(r, LAN, &f);
	assert_int_equal(kernel_gets(r), 1);
	rig_assert_one_drop(r, DP_DROP_REDIRECT);
	rig_assert_silent(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(options_pass_untouched),
		T(a_wrong_option_is_told_with_its_place),
		T(a_wrong_option_to_a_subnet_is_not_told),
		T(a_source_route_is_refused_in_silence),
		T(a_routing_header_to_us_is_refused),
		T(koi_sends_no_redirects),
		T(fragments_of_icmp_to_us_are_the_kernels),
		T(what_comes_from_ourselves_is_refused),
		T(link_local_addresses_of_ip4_are_not_routed),
		T(what_is_about_our_addresses_reaches_control),
		T(in_our_name_none_of_that_goes_elsewhere),
		T(sources_come_by_the_way_back_to_them),
		T(a_burst_loses_only_what_came_the_wrong_way),
	};

	return cmocka_run_group_tests_name("dp_edges", tests, rig_group_setup, rig_group_teardown);
}
