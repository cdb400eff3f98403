/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * IPv4 without DF that is longer than its way out takes: the receiver puts together again what was
 * sent, whatever it was (RFC 791 3.2).
 */
#include "dp_rig.h"

#include <string.h>

#include <rte_mempool.h>

#include "base_bytes.h"

#define IP_AT	WIRE_ETH_LEN
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* What a receiver has of a packet. */
struct whole {
	uint8_t b[65536];
	bool has[65536];
	uint32_t first,
		len; /* payload from first on; up to where, once the last fragment is there */
	bool more;   /* the last fragment says that there are more */
	unsigned int n;
};

static void
whole_add(struct whole *w, const struct frame *f, const struct frame *orig, uint16_t mtu)
{
	const uint8_t *ip = f->b + IP_AT;
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4, at;
	struct wire_ip4 h;

	assert_int_equal(wire_ip4_decode(ip, f->len - IP_AT, &h), WIRE_IP4_OK);
	assert_int_equal(h.total_len, f->len - IP_AT);
	assert_true(h.total_len <= mtu);
	assert_int_equal(h.src, base_load_be32(orig->b + IP_AT + 12));
	assert_int_equal(h.dst, base_load_be32(orig->b + IP_AT + 16));
	assert_int_equal(h.id, 0x1234);
	assert_int_equal(h.ttl, 63);
	assert_int_equal(h.proto, orig->b[IP_AT + 9]);
	assert_int_equal(h.tos, orig->b[IP_AT + 1]);
	assert_int_equal(h.frag & WIRE_IP4_DF, 0);
	at = (h.frag & WIRE_IP4_OFFSET) * UINT32_C(8);
	for (uint32_t i = header_len; i < h.total_len; i++, at++) {
		assert_false(w->has[at]);
		w->has[at] = true;
		w->b[at] = ip[i];
	}
	if (w->n++ == 0)
		w->first = (h.frag & WIRE_IP4_OFFSET) * UINT32_C(8);
	else
		assert_true(h.total_len > header_len);
	if (at > w->len) {
		w->len = at;
		w->more = (h.frag & WIRE_IP4_MF) != 0;
	}
	if (at != w->len || (h.frag & WIRE_IP4_MF))
		assert_int_equal((h.total_len - header_len) % 8, 0);
}

/* Everything of the original is there, once. */
static void
assert_whole(const struct whole *w, const struct frame *orig)
{
	const uint8_t *ip = orig->b + IP_AT;
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4;
	uint32_t payload = base_load_be16(ip + 2) - header_len;

	assert_int_equal(w->first, (base_load_be16(ip + 6) & WIRE_IP4_OFFSET) * UINT32_C(8));
	assert_int_equal(w->len - w->first, payload);
	assert_int_equal(w->more, (base_load_be16(ip + 6) & WIRE_IP4_MF) != 0);
	for (uint32_t i = 0; i < payload; i++)
		assert_true(w->has[w->first + i]);
	assert_memory_equal(w->b + w->first, ip + header_len, payload);
}

static unsigned int
take_and_put_together(struct rig *r, const struct frame *f, uint16_t seg, uint16_t mtu)
{
	static struct whole w;
	uint64_t made = rig_stats(r).fragments, cut = rig_stats(r).fragmented;
	struct rte_mbuf *m;

	memset(&w, 0, sizeof(w));
	if (seg != 0)
		rig_rx_segments(r, LAN, f, seg, seg);
	else
		rig_rx(r, LAN, f);
	assert_int_equal(rig_turn(r), 1);
	while ((m = rig_tx(r, WAN)) != NULL) {
		struct frame sent = frame_of(m);

		assert_memory_equal(sent.b, router_mac, 6);
		assert_memory_equal(sent.b + 6, wan_mac, 6);
		assert_int_equal(m->nb_segs, 1);
		whole_add(&w, &sent, f, mtu);
	}
	assert_whole(&w, f);
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).fragments - made, w.n);
	assert_int_equal(rig_stats(r).fragmented - cut, 1);
	return w.n;
}

static void
a_packet_is_put_together_as_it_was(void **state)
{
	struct rig *r = *state;
	static const uint16_t mtus[] = {68, 69, 77, 576, 1280, 1399, 1400};
	uint64_t fragments;

	for (unsigned int k = 0; k < N_OF(mtus); k++) {
		rig_configure(r, &(struct rig_options){.wan_mtu = mtus[k]});
		rig_master(r, LAN_VHID1);
		for (uint16_t payload = 1; payload < 1480;
			payload = (uint16_t)(payload * 5 / 4 + 1)) {
			struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, payload);

			if (f.len <= (uint32_t)WIRE_ETH_LEN + mtus[k])
				continue;
			assert_true(take_and_put_together(r, &f, 0, mtus[k]) > 1);
			(void)take_and_put_together(r, &f, (uint16_t)(7 + payload % 90), mtus[k]);
			/* It is a fragment itself, one of the middle, then the last one. */
			base_store_be16(f.b + IP_AT + 6, WIRE_IP4_MF | 185);
			frame_sum(&f);
			if (payload % 8 == 0)
				(void)take_and_put_together(r, &f, 0, mtus[k]);
			base_store_be16(f.b + IP_AT + 6, 1000);
			frame_sum(&f);
			(void)take_and_put_together(r, &f, 100, mtus[k]);
		}
		fragments = rig_stats(r).fragments;
		assert_int_equal(rig_stats(r).forwarded, fragments);
		assert_int_equal(rig_drops_all(r), 0);
	}
}

/* RFC 791: those with the copied bit go into every fragment, the others into the first one. */
static void
options_are_copied_by_their_bit(void **state)
{
	struct rig *r = *state;
	static const uint8_t options[12] = {7, 3, 4, 1, 148, 4, 0, 0, 68, 4, 5, 0};
	static const uint8_t rest[4] = {148, 4, 0, 0};
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1450), sent;
	unsigned int n = 0;
	struct rte_mbuf *m;

	rig_configure(r, &(struct rig_options){.wan_mtu = 576});
	rig_master(r, LAN_VHID1);
	frame_options(&f, sizeof(options));
	memcpy(f.b + IP_AT + WIRE_IP4_LEN, options, sizeof(options));
	frame_sum(&f);
	assert_int_equal(take_and_put_together(r, &f, 0, 576), 3);
	rig_take(r, LAN, &f);
	for (; (m = rig_tx(r, WAN)) != NULL; n++) {
		sent = frame_of(m);
		if (n == 0) {
			assert_int_equal(sent.b[IP_AT], 0x48);
			assert_memory_equal(
				sent.b + IP_AT + WIRE_IP4_LEN, options, sizeof(options));
		} else {
			assert_int_equal(sent.b[IP_AT], 0x46);
			assert_memory_equal(sent.b + IP_AT + WIRE_IP4_LEN, rest, sizeof(rest));
		}
	}
	assert_int_equal(n, 3);
}

/* Frames that came before it leave before it. */
static void
the_order_of_a_burst_stays(void **state)
{
	struct rig *r = *state;
	uint8_t last = 0;
	struct rte_mbuf *m;
	unsigned int n = 0;

	rig_master(r, LAN_VHID1);
	for (uint8_t i = 1; i <= 32; i++) {
		struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, i % 5 == 0 ? 1470 : 26);

		f.b[IP_AT + 5] = i;
		frame_sum(&f);
		rig_rx(r, LAN, &f);
	}
	assert_int_equal(rig_turn(r), 32);
	for (; (m = rig_tx(r, WAN)) != NULL; n++) {
		struct frame sent = frame_of(m);

		assert_true(sent.b[IP_AT + 5] >= last);
		last = sent.b[IP_AT + 5];
	}
	assert_int_equal(n, 32 + 6);
}

/* All fragments wait together, and leave together. */
static void
fragments_wait_for_a_mac(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, STRANGER, 17, 1470);
	static struct whole w;
	struct dp_punt p[8];
	struct rte_mbuf *m;
	uint32_t n;

	rig_master(r, LAN_VHID1);
	memset(&w, 0, sizeof(w));
	rig_take(r, LAN, &f);
	n = dp_poll_punts(r->dp, p, N_OF(p), 8);
	assert_int_equal(n, 2);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(p[i].cls, DP_PUNT_RESOLVE);
		dp_ctl_send_resolved(r->dp, p[i].if_index, p[i].m, other_mac);
	}
	rig_turn(r);
	while ((m = rig_tx(r, WAN)) != NULL) {
		struct frame sent = frame_of(m);

		assert_memory_equal(sent.b, other_mac, 6);
		whole_add(&w, &sent, &f, 1400);
	}
	assert_whole(&w, &f);
	assert_int_equal(rig_stats(r).forwarded, 2);
	assert_int_equal(rig_stats(r).fragmented, 1);
}

static void
what_cannot_be_cut_is_dropped_whole(void **state)
{
	struct rig *r = *state;
	static struct rte_mbuf *all[8192];
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1470), many;
	unsigned int n = 0;

	/* More fragments than one packet is worth. */
	rig_configure(r, &(struct rig_options){.wan_mtu = 68});
	rig_master(r, LAN_VHID1);
	many = frame_ip4(vmac1, CLIENT, SERVER, 17, 64 * 48);
	rig_rx_segments(r, LAN, &many, 2048, 2048);
	rig_turn(r);
	assert_int_equal(rig_tx_count(r, WAN), 64);
	many = frame_ip4(vmac1, CLIENT, SERVER, 17, 64 * 48 + 1);
	rig_rx_segments(r, LAN, &many, 2048, 2048);
	rig_turn(r);
	rig_assert_one_drop(r, DP_DROP_TOO_BIG);
	rig_assert_silent(r);

	/* It would end beyond the longest packet that there is. */
	base_store_be16(f.b + IP_AT + 6, WIRE_IP4_OFFSET - 100);
	frame_sum(&f);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_TOO_BIG), 2);
	rig_assert_silent(r);

	/* The mempool ends in the middle. */
	base_store_be16(f.b + IP_AT + 6, 0);
	frame_sum(&f);
	rig_rx(r, LAN, &f);
	while ((all[n] = rte_pktmbuf_alloc(r->pool)) != NULL)
		n++;
	for (unsigned int i = 0; i < 5; i++)
		rte_pktmbuf_free(all[--n]);
	rig_turn(r);
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 1);
	rig_assert_silent(r);
	rte_pktmbuf_free_bulk(all, n);
	assert_int_equal(rig_stats(r).fragmented, 1);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
}

/* An answer of ours, as any host sends it. */
static void
a_long_echo_reply_goes_in_fragments(void **state)
{
	struct rig *r = *state;
	struct frame req = frame_echo(vmac1, SERVER, LAN_OWN, 1460), reply = req;
	static struct whole w;
	struct rte_mbuf *m;

	rig_master(r, LAN_VHID1);
	memset(&w, 0, sizeof(w));
	rig_take(r, LAN, &req);
	base_store_be32(reply.b + IP_AT + 12, LAN_OWN);
	base_store_be32(reply.b + IP_AT + 16, SERVER);
	reply.b[IP_AT + WIRE_IP4_LEN] = WIRE_ICMP_ECHO_REPLY;
	/* Eight less in the high byte of the first word. */
	base_store_be16(reply.b + IP_AT + 22,
		(uint16_t)(base_load_be16(req.b + IP_AT + 22) + 0x0800 +
			(base_load_be16(req.b + IP_AT + 22) >= 0xf7ff)));
	while ((m = rig_tx(r, WAN)) != NULL) {
		struct frame sent = frame_of(m);

		assert_int_equal(sent.b[IP_AT + 8], 64);
		sent.b[IP_AT + 8] = 63;
		frame_sum(&sent);
		whole_add(&w, &sent, &reply, 1400);
	}
	assert_whole(&w, &reply);
	assert_int_equal(rig_stats(r).echo_replies, 1);
	assert_int_equal(rig_stats(r).fragments, 2);
	assert_int_equal(rig_stats(r).forwarded, 0);
	assert_int_equal(rig_stats(r).tx_frames, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_packet_is_put_together_as_it_was),
		T(options_are_copied_by_their_bit),
		T(the_order_of_a_burst_stays),
		T(fragments_wait_for_a_mac),
		T(what_cannot_be_cut_is_dropped_whole),
		T(a_long_echo_reply_goes_in_fragments),
	};

	return cmocka_run_group_tests_name(
		"dp_fragment", tests, rig_group_setup, rig_group_teardown);
}
