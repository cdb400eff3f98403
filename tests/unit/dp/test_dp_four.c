/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Frames that come together, of which four or eight are looked at at once where the processor can,
 * fare as they do when they come one by one: the same ones leave, with the same bytes, and the same
 * is counted. Most are to be routed and a few have one thing about them that may be wrong.
 */
#include "dp_eight_priv.h"
#include "dp_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base_bytes.h"
#include "base_rand.h"

#define ROUNDS	 20000
#define OUT_MAX	 (3 * DP_BURST)
#define IP_AT	 WIRE_ETH_LEN
#define KINDS	 16
#define PADDED	 60
#define PUNT_MAX 64
#define WAN_MTU	 1300

struct out {
	int port;
	struct frame f;
};
/* What became of some frames. */
struct fate {
	struct dp_stats stats;
	uint32_t n_out, n_adverts, n_punts;
	struct out out[OUT_MAX];
};

static uint64_t
below(struct base_rand *rnd, uint64_t n)
{
	return base_rand_below(rnd, n);
}

/* To a router, and now and then to one on the link it came from, or to a host there. */
static struct frame
frame_plain(struct base_rand *rnd, bool ip6)
{
	static const uint32_t to4[] = {CLIENT2, IP(10, 0, 0, 1), SERVER};
	static const uint8_t *const to6[] = {client6, far6, server6};
	/* Half of them are padded, as short frames are. */
	uint16_t payload = (uint16_t)(below(rnd, 2) ? 26 + below(rnd, 20) : below(rnd, 26));
	size_t to = RTE_MIN(below(rnd, 16), UINT64_C(2));
	struct frame f;

	/* What is close to the MTU of the WAN. */
	if (below(rnd, 64) == 0)
		payload = (uint16_t)(WAN_MTU - 50 + below(rnd, 40));
	f = ip6 ? frame_ip6(vmac1, client6, to6[to], 17, payload)
		: frame_ip4(vmac1, CLIENT, to4[to], 17, payload);
	frame_pad(&f, PADDED);
	return f;
}

static const uint8_t *const macs[] = {
	vmac7, vmac9, lan_mac, wan_mac, wire_broadcast_mac, wire_carp_mac4};

/* Change one thing; mostly it is then no plain frame any more. */
static void
frame_spoil(struct base_rand *rnd, struct frame *f)
{
	static const uint8_t edges[] = {
		0, 1, 19, 20, 64, 126, 127, 128, 223, 224, 0xfd, 0xfe, 0xff};
	bool ip6 = base_load_be16(f->b + 12) == WIRE_ETHERTYPE_IP6;
	uint8_t *ip = f->b + IP_AT, edge = edges[below(rnd, RTE_DIM(edges))];

	switch (below(rnd, KINDS)) {
	case 0: /* any bit of the headers */
		f->b[below(rnd, IP_AT + 40)] ^= (uint8_t)(1 << below(rnd, 8));
		return;
	case 1: /* any bit, and a good checksum */
		f->b[IP_AT + below(rnd, 40)] ^= (uint8_t)(1 << below(rnd, 8));
		break;
	case 2:
		memcpy(f->b, macs[below(rnd, RTE_DIM(macs))], WIRE_MAC_LEN);
		return;
	case 3:
		ip[ip6 ? 8 : 12] = edge;
		break;
	case 4:
		ip[ip6 ? 24 : 16] = edge;
		break;
	case 14: /* from an address of ours, or one that ends like it */
		if (ip6)
			memcpy(ip + 8, below(rnd, 2) ? lan_own6 : lan_vip7_6, WIRE_IP6_ADDR_LEN);
		else
			base_store_be32(ip + 12, below(rnd, 2) ? LAN_OWN : LAN_VIP7);
		if (below(rnd, 3) == 0)
			ip[ip6 ? 16 : 13] ^= 1;
		break;
	case 13: /* link-local */
		if (ip6)
			memcpy(ip + (below(rnd, 2) ? 8 : 24), client_ll6, 2);
		else
			base_store_be16(
				ip + (below(rnd, 2) ? 12 : 16), (uint16_t)(0xa9fe + below(rnd, 2)));
		break;
	case 5: /* TTL */
		ip[ip6 ? 7 : 8] = (uint8_t)below(rnd, 3);
		break;
	case 6: /* the length it says */
		base_store_be16(ip + (ip6 ? 4 : 2),
			(uint16_t)(f->len - IP_AT - (ip6 ? WIRE_IP6_LEN : 0) + 2 - below(rnd, 5)));
		break;
	case 7:
		base_store_be16(ip + (ip6 ? 4 : 2), (uint16_t)below(rnd, 60));
		break;
	case 8: /* the length it has */
		f->len = (uint32_t)below(rnd, f->len + UINT64_C(1));
		return;
	case 9:
		frame_pad(f, f->len + (uint32_t)below(rnd, 9));
		return;
	case 10:
		if (!ip6)
			frame_options(f, 4);
		return;
	case 11: /* a checksum of all ones is none */
		memset(ip + 10, 0xff, 2);
		return;
	case 12: /* to the router's own address: not routed */
		if (!ip6)
			base_store_be32(ip + 16, below(rnd, 2) ? LAN_VIP : STRANGER);
		break;
	default:
		*f = frame_arp(wire_broadcast_mac, 1, CLIENT, LAN_VIP);
		return;
	}
	if (!ip6 && f->len >= IP_AT + 60)
		frame_sum(f);
	else if (!ip6 && (ip[0] & 15) == 5)
		frame_sum(f);
}

static int
out_compare(const void *pa, const void *pb)
{
	const struct out *a = pa, *b = pb;

	if (a->port != b->port)
		return a->port - b->port;
	if (a->f.len != b->f.len)
		return a->f.len < b->f.len ? -1 : 1;
	return memcmp(a->f.b, b->f.b, a->f.len);
}

static void
stats_since(const struct rig *r, const struct dp_stats *before, struct dp_stats *since)
{
	const struct dp_stats now = rig_stats(r);
	const uint64_t *a = (const uint64_t *)before, *b = (const uint64_t *)&now;
	uint64_t *d = (uint64_t *)since;

	for (size_t i = 0; i < sizeof(now) / sizeof(*d); i++)
		d[i] = b[i] - a[i];
}

/* Receive frames, `together` of them in one burst; first segments are of cut bytes, 0: whole. */
static void
receive(struct rig *r, const struct frame *frames, const uint16_t *cut, uint32_t n,
	uint32_t together, struct fate *fate)
{
	const struct dp_stats before = rig_stats(r);
	struct dp_punt p[PUNT_MAX];

	fate->n_out = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (cut[i] != 0)
			rig_rx_segments(r, LAN, &frames[i], cut[i], 20);
		else
			rig_rx(r, LAN, &frames[i]);
		if ((i + 1) % together == 0 || i + 1 == n)
			rig_turn(r);
	}
	for (int port = 0; port < RIG_PORTS; port++) {
		for (struct rte_mbuf *m; (m = rig_tx(r, port)) != NULL; fate->n_out++) {
			assert_true(fate->n_out < OUT_MAX);
			memset(&fate->out[fate->n_out].f, 0, sizeof(struct frame));
			fate->out[fate->n_out].port = port;
			fate->out[fate->n_out].f = frame_of(m);
			assert_true(m->nb_segs != 1 || m->pkt_len == m->data_len);
		}
	}
	qsort(fate->out, fate->n_out, sizeof(fate->out[0]), out_compare);
	fate->n_adverts = dp_poll_adverts(r->dp, p, PUNT_MAX, PUNT_MAX);
	for (uint32_t i = 0; i < fate->n_adverts; i++)
		rte_pktmbuf_free(p[i].m);
	fate->n_punts = dp_poll_punts(r->dp, p, PUNT_MAX, PUNT_MAX);
	for (uint32_t i = 0; i < fate->n_punts; i++)
		rte_pktmbuf_free(p[i].m);
	stats_since(r, &before, &fate->stats);
}

static void
fates_equal(const struct fate *a, const struct fate *b, unsigned int round)
{
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		if (a->stats.drops[d] != b->stats.drops[d])
			fail_msg("round %u: %s %" PRIu64 " and %" PRIu64, round, dp_drop_name(d),
				a->stats.drops[d], b->stats.drops[d]);
	if (memcmp(&a->stats, &b->stats, sizeof(a->stats)) != 0)
		fail_msg("round %u: counters differ", round);
	assert_int_equal(a->n_adverts, b->n_adverts);
	assert_int_equal(a->n_punts, b->n_punts);
	assert_int_equal(a->n_out, b->n_out);
	for (uint32_t i = 0; i < a->n_out; i++)
		if (out_compare(&a->out[i], &b->out[i]) != 0)
			fail_msg("round %u: frames that were sent differ", round);
}

static void
together_or_one_by_one_is_the_same(void **state)
{
	static struct frame frames[DP_BURST];
	static struct fate alone, fours, eights;
	struct rig *r = *state;
	struct base_rand rnd;
	uint64_t routed = 0, dropped = 0, long_ones = 0;
	bool has_eights;

	rig_configure(r, &(struct rig_options){.icmp_per_s = 1000000, .wan_mtu = WAN_MTU});
	rig_learn(r, LAN, CLIENT2, client_mac);
	rig_master(r, LAN_VHID1);
	has_eights = r->dp->lcores[0]->eights;
#ifdef DP_HAVE_EIGHT
	assert_int_equal(has_eights, dp_eight_usable());
#else
	assert_false(has_eights);
#endif
	base_rand_init(&rnd, 4);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint32_t n = 1 + (uint32_t)below(&rnd, DP_BURST), bad = (uint32_t)below(&rnd, 12);
		unsigned int families = (unsigned int)below(&rnd, 4);
		uint16_t cut[DP_BURST] = {0};

		for (uint32_t i = 0; i < n; i++) {
			/* 4, 6, either in runs, or mixed */
			bool ip6 = families == 0
				? false
				: families == 1 || (families == 2 ? i / 8 % 2 : below(&rnd, 2));

			frames[i] = frame_plain(&rnd, ip6);
			if (below(&rnd, 16) < bad)
				frame_spoil(&rnd, &frames[i]);
			if (below(&rnd, 64) == 0)
				cut[i] = (uint16_t)below(&rnd, frames[i].len + UINT64_C(1));
		}
		/* A burst that was not first: what is common to it was another MAC. */
		if (below(&rnd, 8) == 0)
			memcpy(frames[0].b, lan_mac, WIRE_MAC_LEN);
		/* A flood: all of them to a MAC that is nobody's, or another one of ours. */
		if (below(&rnd, 8) == 0) {
			const uint8_t *mac = macs[below(&rnd, RTE_DIM(macs))];

			for (uint32_t i = 0; i < n; i++)
				memcpy(frames[i].b, mac, WIRE_MAC_LEN);
		}
		receive(r, frames, cut, n, 1, &alone);
		r->dp->lcores[0]->eights = false;
		receive(r, frames, cut, n, DP_BURST, &fours);
		fates_equal(&alone, &fours, round);
		r->dp->lcores[0]->eights = has_eights;
		receive(r, frames, cut, n, DP_BURST, &eights);
		fates_equal(&alone, &eights, round);
		routed += alone.stats.forwarded;
		dropped += n - alone.stats.forwarded;
		long_ones += alone.stats.drops[DP_DROP_TOO_BIG];
	}
	assert_true(long_ones > 100);
	assert_true(routed > ROUNDS * 4 && dropped > ROUNDS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(together_or_one_by_one_is_the_same),
	};

	return cmocka_run_group_tests_name("dp_four", tests, rig_group_setup, rig_group_teardown);
}
