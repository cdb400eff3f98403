/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * 200,000 mutated IPv6 frames from one seed: every one has exactly one fate, nothing leaks, what is
 * sent is whole, and headers are refused exactly as wire_ip6_decode() refuses them.
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"
#include "base_rand.h"

#define FRAMES	  200000
#define PER_ROUND 200
#define IP_AT	  WIRE_ETH_LEN
#define UPPER_AT  (WIRE_ETH_LEN + WIRE_IP6_LEN)

static uint64_t
below(struct base_rand *rnd, uint64_t n)
{
	return base_rand_below(rnd, n);
}

static struct frame
frame_any(struct base_rand *rnd)
{
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t loopback[16] = {[15] = 1};
	static const uint8_t *const macs[] = {vmac1, vmac7, vmac9, lan_mac, wan_mac,
		wire_broadcast_mac, wire_carp_mac6, all_nodes_mac};
	static const uint8_t *const ips[] = {client6, client_ll6, server6, router6, lan_own6,
		lan_vip6, lan_vip7_6, wan_own6, wan_vip6, own_ll6, vip_ll6, wire_ip6_unspecified,
		wire_ip6_all_nodes, wire_carp_group_ip6, loopback, client6};
	const uint8_t *mac = macs[below(rnd, 8)], *src = ips[below(rnd, 16)];
	const uint8_t *dst = ips[below(rnd, 16)];
	uint16_t payload = (uint16_t)below(rnd, below(rnd, 8) == 0 ? 1600 : 80);

	switch (below(rnd, 8)) {
	case 0:
		return frame_carp6(
			wire_carp_mac6, src, wire_carp_group_ip6, (uint8_t)below(rnd, 12));
	case 1:
		return frame_carp6(mac, src, dst, (uint8_t)below(rnd, 12));
	case 2:
		return frame_nd(mac, (uint8_t)(135 + below(rnd, 2)), NULL, dst);
	case 3:
		return frame_nd(mac, (uint8_t)(133 + below(rnd, 5)), dst, src);
	case 4:
		return below(rnd, 2)
			? frame_mld_query()
			: frame_igmp_query(below(rnd, 2) ? CLIENT : 0,
				  below(rnd, 2) ? WIRE_CARP_GROUP_IP4 : IP(224, 0, 0, 1));
	case 5:
		return frame_ip6(mac, src, dst, (uint8_t)below(rnd, 130), payload);
	default:
		return below(rnd, 2) ? frame_echo6(mac, src, dst, payload)
				     : frame_echo6(lan_mac, src, lan_own6, payload);
	}
}

static void
frame_mutate(struct base_rand *rnd, struct frame *f)
{
	for (uint64_t n = below(rnd, 3) == 0 ? below(rnd, 4) : 0; n > 0; n--)
		f->b[below(rnd, f->len < 100 ? f->len : 100)] = (uint8_t)base_rand_next(rnd);
	if (below(rnd, 16) == 0)
		f->b[IP_AT + 6] = below(rnd, 2) ? 0 : 58; /* next header */
	if (below(rnd, 16) == 0)
		base_store_be16(f->b + IP_AT + 4, (uint16_t)below(rnd, f->len - IP_AT));
	if (below(rnd, 12) == 0)
		f->len = (uint32_t)below(rnd, f->len + UINT64_C(1));
	if (below(rnd, 4) == 0)
		frame_pad(f, (uint32_t)below(rnd, 120));
}

static bool
is_ours(const uint8_t ip[16])
{
	static const uint8_t *const ours[] = {lan_own6, wan_own6, own_ll6, lan_vip6, vip_ll6};

	for (unsigned int i = 0; i < RTE_DIM(ours); i++)
		if (memcmp(ip, ours[i], 16) == 0)
			return true;
	return false;
}

static void
sent_check(const struct frame *f, int port)
{
	struct wire_ip6 ip;

	/* The only vMAC owned here, and only on its own segment. */
	if (memcmp(f->b + 6, vmac1, 6) == 0)
		assert_int_equal(port, LAN);
	else
		assert_memory_equal(f->b + 6, port == LAN ? lan_mac : wan_mac, 6);
	if (base_load_be16(f->b + 12) == WIRE_ETHERTYPE_IP4)
		return; /* an EtherType of chance */
	assert_int_equal(base_load_be16(f->b + 12), WIRE_ETHERTYPE_IP6);
	assert_int_equal(wire_ip6_decode(f->b + IP_AT, f->len - IP_AT, &ip), WIRE_IP6_OK);
	assert_int_equal(ip.payload_len, f->len - UPPER_AT);
	assert_false(wire_ip6_is_multicast(ip.dst) || wire_ip6_is_multicast(ip.src));
	if (ip.hop_limit != 64 || !is_ours(ip.src)) {
		/* Passed on, and so of no single link, and not in our name. */
		assert_false(wire_ip6_is_link_local(ip.src) || wire_ip6_is_link_local(ip.dst));
		assert_true(ip.hop_limit > 0 && ip.hop_limit < 255);
		assert_memory_not_equal(f->b + 6, vmac1, 6);
		return;
	}
	assert_true(wire_icmp6_sum_ok(f->b + UPPER_AT, ip.payload_len, ip.src, ip.dst));
	assert_true(f->b[UPPER_AT] == WIRE_ICMP6_ECHO_REPLY ||
		f->b[UPPER_AT] < WIRE_ICMP6_INFORMATIONAL);
}

static void
every_frame_has_one_fate(void **state)
{
	struct rig *r = *state;
	const struct base_addr known = base_addr_from_ip4(CLIENT);
	struct dp_punt p[PER_ROUND];
	struct dp_stats s;
	struct base_rand rnd;
	uint64_t fates;

	rig_master(r, LAN_VHID1);
	dp_group_sources(r->dp, LAN_VHID1, &known, 1);
	base_rand_init(&rnd, 20260202);
	/* At the end some rounds for what waits for its next hop. */
	for (unsigned int done = 0; done < FRAMES + 4 * PER_ROUND; done += PER_ROUND) {
		for (unsigned int i = 0; done < FRAMES && i < PER_ROUND; i++) {
			int port = (int)below(&rnd, 2);
			struct frame f = frame_any(&rnd);

			frame_mutate(&rnd, &f);
			if (below(&rnd, 6) == 0)
				rig_rx_segments(r, port, &f, (uint16_t)below(&rnd, 140),
					(uint16_t)(1 + below(&rnd, f.len > 200 ? 900 : 20)));
			else
				rig_rx(r, port, &f);
		}
		while (rig_turn(r) != 0)
			;
		for (uint32_t n = dp_poll_adverts(r->dp, p, PER_ROUND, 64); n-- > 0;) {
			assert_true(p[n].m->data_len >= IP_AT + 22);
			rte_pktmbuf_free(p[n].m);
		}
		for (uint32_t n = dp_poll_punts(r->dp, p, PER_ROUND, 256); n-- > 0;) {
			if (p[n].cls == DP_PUNT_RESOLVE && n % 2 == 0)
				dp_ctl_send_resolved(r->dp, p[n].if_index, p[n].m, other_mac);
			else if (p[n].cls == DP_PUNT_RESOLVE)
				dp_ctl_unreachable(r->dp, p[n].m);
			else
				rte_pktmbuf_free(p[n].m);
		}
		for (int port = 0; port < RIG_PORTS; port++) {
			struct rte_mbuf *m;

			while ((m = rig_tx(r, port)) != NULL) {
				struct frame f = frame_of(m);

				sent_check(&f, port);
			}
		}
	}
	s = rig_stats(r);
	fates = s.punted_adverts + s.punted_arp + s.tx_frames + rig_drops_all(r);
	assert_int_equal(s.rx_frames, FRAMES);
	assert_int_equal(fates, FRAMES + s.icmp_errors);
	assert_true(s.forwarded > 2000 && s.icmp_errors > 100 && s.punted_resolve > 300);
	assert_true(s.echo_replies > 1000 && s.punted_adverts > 10000 && s.punted_arp > 10000);
	assert_true(s.drops[DP_DROP_IP6_TRUNCATED] > 1000 && s.drops[DP_DROP_IP6_SOURCE] > 1000);
	assert_true(s.drops[DP_DROP_ECHO_MALFORMED] > 100 && s.drops[DP_DROP_ND_MALFORMED] > 100);
}

static void
headers_are_judged_as_the_codec_judges_them(void **state)
{
	struct rig *r = *state;
	uint64_t truncated = 0, version = 0, good = 0;
	struct base_rand rnd;

	base_rand_init(&rnd, 43);
	for (unsigned int i = 0; i < 50000; i++) {
		struct frame f =
			frame_ip6(lan_mac, client6, lan_own6, 17, (uint16_t)below(&rnd, 100));
		struct wire_ip6 ip;

		if (below(&rnd, 3) == 0)
			frame_pad(&f, 90);
		if (below(&rnd, 2) == 0)
			f.b[IP_AT + below(&rnd, 6)] = (uint8_t)base_rand_next(&rnd);
		if (below(&rnd, 8) == 0)
			f.len = IP_AT + (uint32_t)below(&rnd, f.len - IP_AT + UINT64_C(1));
		switch (wire_ip6_decode(f.b + IP_AT, f.len - IP_AT, &ip)) {
		case WIRE_IP6_OK:
			good++;
			break;
		case WIRE_IP6_BAD_VERSION:
			version++;
			break;
		case WIRE_IP6_TRUNCATED:
		default:
			truncated++;
			break;
		}
		if (below(&rnd, 4) == 0 && f.len > IP_AT)
			rig_rx_segments(r, LAN, &f, (uint16_t)(1 + below(&rnd, 60)), 11);
		else
			rig_rx(r, LAN, &f);
		assert_int_equal(rig_turn(r), 1);
		assert_int_equal(rig_drops(r, DP_DROP_IP6_TRUNCATED), truncated);
		assert_int_equal(rig_drops(r, DP_DROP_IP6_VERSION), version);
		assert_int_equal(rig_drops(r, DP_DROP_LOCAL), good);
	}
	assert_true(good > 10000 && version > 1000 && truncated > 1000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_frame_has_one_fate),
		T(headers_are_judged_as_the_codec_judges_them),
	};

	return cmocka_run_group_tests_name(
		"dp_mutate6", tests, rig_group_setup, rig_group_teardown);
}
