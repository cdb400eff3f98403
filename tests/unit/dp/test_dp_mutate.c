/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * A million mutated frames from one seed: every one has exactly one fate, nothing leaks, and IPv4
 * headers are refused exactly as wire_ip4_decode() refuses them.
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"
#include "base_rand.h"

#define FRAMES	  1000000
#define PER_ROUND 256
#define IP_AT	  WIRE_ETH_LEN

static uint64_t
below(struct base_rand *rnd, uint64_t n)
{
	return base_rand_below(rnd, n);
}

static struct frame
frame_any(struct base_rand *rnd)
{
	static const uint8_t *const macs[] = {vmac1, vmac7, vmac9, lan_mac, wan_mac,
		wire_broadcast_mac, wire_carp_mac4, other_mac};
	static const uint32_t ips[] = {CLIENT, CLIENT2, LAN_OWN, LAN_VIP, LAN_VIP7, WAN_OWN,
		WAN_VIP, ROUTER, SERVER, STRANGER, WIRE_CARP_GROUP_IP4, 0, UINT32_MAX,
		IP(192, 0, 2, 255), IP(10, 0, 0, 1), IP(8, 8, 8, 8)};
	const uint8_t *mac = macs[below(rnd, 8)];
	uint32_t src = ips[below(rnd, 16)], dst = ips[below(rnd, 16)];
	uint16_t payload = (uint16_t)below(rnd, below(rnd, 8) == 0 ? 1600 : 80);
	struct frame f;

	switch (below(rnd, 6)) {
	case 0:
		f = frame_arp(mac, (uint16_t)(1 + below(rnd, 2)), src, dst);
		break;
	case 1:
		f = frame_carp(wire_carp_mac4, src, WIRE_CARP_GROUP_IP4, (uint8_t)below(rnd, 12));
		break;
	case 2:
		f = frame_carp(mac, src, dst, (uint8_t)below(rnd, 12));
		break;
	case 3:
		f = frame_echo(mac, src, dst, payload);
		break;
	default:
		f = frame_ip4(mac, src, dst, (uint8_t)(below(rnd, 2) ? 17 : 1), payload);
	}
	return f;
}

static void
frame_mutate(struct base_rand *rnd, struct frame *f)
{
	bool ip = base_load_be16(f->b + 12) == WIRE_ETHERTYPE_IP4;

	if (ip && below(rnd, 6) == 0)
		frame_options(f, (uint32_t)(4 * below(rnd, 11)));
	if (ip && below(rnd, 6) == 0) {
		f->b[IP_AT + 8] = (uint8_t)below(rnd, 3);
		frame_sum(f);
	}
	for (uint64_t n = below(rnd, 3) == 0 ? below(rnd, 4) : 0; n > 0; n--)
		f->b[below(rnd, f->len < 80 ? f->len : 80)] = (uint8_t)base_rand_next(rnd);
	/* A mutated header whose checksum is right gets further. */
	if (ip && below(rnd, 3) == 0)
		frame_sum(f);
	if (below(rnd, 12) == 0)
		f->len = (uint32_t)below(rnd, f->len + UINT64_C(1));
	if (below(rnd, 4) == 0)
		frame_pad(f, (uint32_t)below(rnd, 100));
}

static void
every_frame_has_one_fate(void **state)
{
	struct rig *r = *state;
	struct dp_punt p[PER_ROUND];
	struct base_rand rnd;
	struct frame f;

	rig_configure(r, &(struct rig_options){.icmp_per_s = 1000});
	rig_master(r, LAN_VHID1);
	base_rand_init(&rnd, 20260101);
	for (unsigned int done = 0; done < FRAMES; done += PER_ROUND) {
		for (unsigned int i = 0; i < PER_ROUND; i++) {
			int port = (int)below(&rnd, 16) == 0 ? BARE : (int)below(&rnd, 2);

			f = frame_any(&rnd);
			frame_mutate(&rnd, &f);
			if (below(&rnd, 8) == 0)
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
			if (p[n].cls == DP_PUNT_RESOLVE && below(&rnd, 2) == 0)
				dp_ctl_send_resolved(r->dp, p[n].if_index, p[n].m, other_mac);
			else if (p[n].cls == DP_PUNT_RESOLVE)
				dp_ctl_unreachable(r->dp, p[n].m);
			else
				rte_pktmbuf_free(p[n].m);
		}
		for (int port = 0; port < RIG_PORTS; port++) {
			struct rte_mbuf *m;

			while ((m = rig_tx(r, port)) != NULL) {
				struct frame sent = frame_of(m);
				struct wire_ip4 ip;

				assert_int_equal(
					wire_ip4_decode(sent.b + IP_AT, sent.len - IP_AT, &ip),
					WIRE_IP4_OK);
				assert_int_equal(ip.total_len, sent.len - IP_AT);
				/* The only vMAC owned here, and only on its own segment. */
				if (memcmp(sent.b + 6, vmac1, 6) == 0)
					assert_int_equal(port, LAN);
				else
					assert_memory_equal(
						sent.b + 6, port == LAN ? lan_mac : wan_mac, 6);
			}
		}
	}
	assert_int_equal(rig_stats(r).rx_frames, (FRAMES + PER_ROUND - 1) / PER_ROUND * PER_ROUND);
	assert_true(rig_stats(r).forwarded > FRAMES / 100);
	assert_true(rig_stats(r).echo_replies > 1000);
	assert_true(rig_stats(r).icmp_errors > 100);
}

static enum dp_drop
drop_of(enum wire_ip4_result v)
{
	switch (v) {
	case WIRE_IP4_TRUNCATED:
		return DP_DROP_IP4_TRUNCATED;
	case WIRE_IP4_BAD_VERSION:
		return DP_DROP_IP4_VERSION;
	case WIRE_IP4_BAD_HEADER:
		return DP_DROP_IP4_HEADER;
	case WIRE_IP4_BAD_CHECKSUM:
		return DP_DROP_IP4_CHECKSUM;
	case WIRE_IP4_OK:
	default:
		return DP_DROP_COUNT;
	}
}

static void
headers_are_judged_as_the_codec_judges_them(void **state)
{
	struct rig *r = *state;
	struct base_rand rnd;
	uint64_t want[DP_DROP_COUNT + 1] = {0};

	rig_master(r, LAN_VHID1);
	base_rand_init(&rnd, 42);
	for (unsigned int i = 0; i < 100000; i++) {
		struct frame f = frame_udp(vmac1, CLIENT, SERVER);
		struct wire_ip4 ip;
		struct dp_stats s;
		enum dp_drop why;

		if (below(&rnd, 4) == 0)
			frame_options(&f, (uint32_t)(4 * below(&rnd, 11)));
		if (below(&rnd, 3) == 0)
			frame_pad(&f, 90);
		for (uint64_t n = below(&rnd, 3); n > 0; n--)
			f.b[IP_AT + below(&rnd, below(&rnd, 2) ? 4 : 12)] =
				(uint8_t)base_rand_next(&rnd);
		if (below(&rnd, 2) == 0 && f.len >= IP_AT + 60)
			frame_sum(&f);
		else if (below(&rnd, 8) == 0)
			f.len = IP_AT + (uint32_t)below(&rnd, f.len - IP_AT + UINT64_C(1));
		why = drop_of(wire_ip4_decode(f.b + IP_AT, f.len - IP_AT, &ip));
		want[why]++;
		if (below(&rnd, 4) == 0 && f.len > IP_AT)
			rig_rx_segments(r, LAN, &f, (uint16_t)(1 + below(&rnd, 60)), 11);
		else
			rig_rx(r, LAN, &f);
		assert_int_equal(rig_turn(r), 1);
		while (rig_tx(r, WAN) != NULL || rig_tx(r, LAN) != NULL)
			;
		s = rig_stats(r);
		if (why != DP_DROP_COUNT && s.drops[why] != want[why])
			fail_msg("frame %u: expected %s", i, dp_drop_name(why));
		/* With these addresses a good header goes on, unless TTL or options end it. */
		if (why == DP_DROP_COUNT)
			assert_int_equal(s.forwarded + s.drops[DP_DROP_TTL] +
					s.drops[DP_DROP_IP4_OPTIONS] +
					s.drops[DP_DROP_IP4_SOURCE_ROUTE],
				want[DP_DROP_COUNT]);
	}
	assert_true(want[DP_DROP_COUNT] > 10000 && want[DP_DROP_IP4_CHECKSUM] > 10000);
	assert_true(want[DP_DROP_IP4_TRUNCATED] > 1000 && want[DP_DROP_IP4_HEADER] > 1000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_frame_has_one_fate),
		T(headers_are_judged_as_the_codec_judges_them),
	};

	return cmocka_run_group_tests_name("dp_mutate", tests, rig_group_setup, rig_group_teardown);
}
