/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "advert_node_priv.h"
#include "base_rand.h"

static const uint32_t peer_ip = UINT32_C(0xc0a80102);

static void
says_what_the_advert_said(void **state)
{
	struct node n;
	struct ctl_advert a;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, UINT64_C(0x0123456789abcdef), frame);
	memset(&a, 0xa5, sizeof(a));
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_IPACKETS);
	assert_int_equal(a.group, 0);
	assert_int_equal(a.vhid, 1);
	assert_int_equal(a.src.family, BASE_FAMILY_IP4);
	assert_int_equal(base_addr_ip4(&a.src), peer_ip);
	assert_int_equal(a.prio.advbase, 1);
	assert_int_equal(a.prio.advskew, 100);
	assert_int_equal(a.prio.demotion, 3);
	assert_true(a.counter == UINT64_C(0x0123456789abcdef));
	assert_false(a.bow_out);

	frame[OFF_CARP + 2] = 255;
	frame[OFF_CARP + 5] = 255;
	fix_carp_sum(frame);
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_IPACKETS);
	assert_true(a.bow_out);
	assert_int_equal(a.prio.advbase, 255);
	assert_int_equal(a.prio.advskew, 255);
	node_fini(&n);
}

static void
conformance_34_vhid_not_configured(void **state)
{
	struct node n;
	struct ctl_advert a;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 9, peer_ip, 77, frame);
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_BADVHID);
	assert_int_equal(a.group, ELECTION_NONE);
	assert_int_equal(a.vhid, 9);
	/* A wrong version for an unknown vhid counts the vhid (note 6). */
	frame[OFF_CARP] = 0x31;
	fix_carp_sum(frame);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADVHID);
	node_fini(&n);
}

static void
group_that_takes_no_part(void **state)
{
	struct node n;
	struct ctl_advert a;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, frame);
	n.listening[0] = false;
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_BADVHID);
	/* Unlike an unknown vhid it has a group to count to. */
	assert_int_equal(a.group, 0);
	n.listening[0] = true;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	node_fini(&n);
}

static void
conformance_35_ttl(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, frame);
	for (unsigned int ttl = 0; ttl < 256; ttl++) {
		frame[OFF_IP + 8] = (uint8_t)ttl;
		fix_ip_sum(frame);
		assert_int_equal(check(&n, frame, len, NULL),
			ttl == 255 ? CTL_STAT_IPACKETS : CTL_STAT_BADTTL);
	}
	node_fini(&n);
}

static void
conformance_36_payload_of_35_bytes(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, frame);
	for (uint16_t payload = 0; payload < WIRE_CARP_LEN; payload++) {
		base_store_be16(frame + OFF_IP + 2, (uint16_t)(WIRE_IP4_LEN + payload));
		fix_ip_sum(frame);
		/* Cut there, and with the rest after it as Ethernet padding. */
		assert_int_equal(
			check(&n, frame, (size_t)OFF_CARP + payload, NULL), CTL_STAT_BADLEN);
		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADLEN);
	}
	node_fini(&n);
}

static void
conformance_37_trailing_bytes_and_padding(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, frame);
	memset(frame + len, 0xde, sizeof(frame) - len);
	for (size_t more = 1; len + more <= sizeof(frame); more++) {
		base_store_be16(frame + OFF_IP + 2, WIRE_IP4_LEN + WIRE_CARP_LEN);
		fix_ip_sum(frame);
		assert_int_equal(check(&n, frame, len + more, NULL), CTL_STAT_IPACKETS);
		base_store_be16(
			frame + OFF_IP + 2, (uint16_t)(WIRE_IP4_LEN + WIRE_CARP_LEN + more));
		fix_ip_sum(frame);
		assert_int_equal(check(&n, frame, len + more, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

static void
conformance_38_own_advert_reflected(void **state)
{
	struct node n;
	struct ctl_advert a;
	struct base_rand rand;
	uint8_t frames[AUTH_COUNTER_MEMORY + 1][FRAME_MAX];
	size_t len = 0;

	(void)state;
	/* By counter: without an address of its own a node cannot tell by the source. */
	node_init_lan(&n);
	base_rand_init(&rand, 38);
	for (size_t i = 0; i < COUNT(frames); i++) {
		uint64_t counter = auth_counters_next(&n.own[0], &rand);

		len = make_advert(&n, 1, support_ip4("192.168.1.1"), counter, frames[i]);
		assert_int_equal(check(&n, frames[i], len, &a), CTL_STAT_LOOP);
		assert_int_equal(a.group, 0);
	}
	for (size_t i = 1; i < COUNT(frames); i++)
		assert_int_equal(check(&n, frames[i], len, NULL), CTL_STAT_LOOP);

	/* By source, which costs no digest and needs no memory of counters. */
	n.own_ip4[0] = UINT32_C(0x0a0a0a0a);
	n.own_ip4[1] = support_ip4("192.168.1.3");
	n.scope.n_own_ip4 = 2;
	len = make_advert(&n, 1, support_ip4("192.168.1.3"), 1234, frames[0]);
	assert_int_equal(check(&n, frames[0], len, &a), CTL_STAT_SELF);
	assert_int_equal(a.group, 0);
	node_fini(&n);
}

static void
peer_with_our_source_address_is_heard(void **state)
{
	/*
	 * Two boxes without addresses of their own send from the same VIP and vMAC. NetBSD
	 * before 2023 and FreeBSD send from 0.0.0.0 then.
	 */
	static const char *const sources[] = {"192.168.1.1", "0.0.0.0"};
	struct node n;
	struct base_rand rand;
	uint8_t frame[FRAME_MAX];

	(void)state;
	node_init_lan(&n);
	base_rand_init(&rand, 1);
	auth_counters_next(&n.own[0], &rand);
	for (size_t i = 0; i < COUNT(sources); i++) {
		size_t len = make_advert(&n, 1, support_ip4(sources[i]), 77, frame);

		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

static void
conformance_40_counter_jumps_backwards(void **state)
{
	static const uint64_t counters[] = {500, 501, 3, 3, 3, UINT64_MAX, 0, 0, 1, 500};
	struct node n;
	uint8_t frame[FRAME_MAX];

	(void)state;
	node_init_lan(&n);
	for (size_t i = 0; i < COUNT(counters); i++) {
		size_t len = make_advert(&n, 1, peer_ip, counters[i], frame);

		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

static void
conformance_40a_peer_answers_our_counter_plus_one(void **state)
{
	struct node n;
	struct base_rand rand;
	uint8_t frame[FRAME_MAX];

	(void)state;
	node_init_lan(&n);
	base_rand_init(&rand, 40);
	for (int i = 0; i < 100; i++) {
		uint64_t ours = auth_counters_next(&n.own[0], &rand);
		size_t len = make_advert(&n, 1, peer_ip, ours + 1, frame);

		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

static void
steps_are_taken_in_order(void **state)
{
	/* One frame with everything wrong at once, put right a step at a time. */
	enum ctl_stat want[] = {CTL_STAT_DISALLOWED, CTL_STAT_BADIF, CTL_STAT_HDROPS,
		CTL_STAT_BADTTL, CTL_STAT_BADLEN, CTL_STAT_BADSUM, CTL_STAT_BADVHID,
		CTL_STAT_BADVHID, CTL_STAT_SELF, CTL_STAT_BADVER, CTL_STAT_BADAUTH, CTL_STAT_LOOP,
		CTL_STAT_IPACKETS};
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	n.own_ip4[0] = peer_ip;
	n.scope.n_own_ip4 = 1;
	n.own[0].sent[5] = 77;
	n.vhid_group[1] = ELECTION_NONE;
	n.listening[0] = false;
	n.scope.allow = false;
	n.scope.vhid_group = NULL;
	len = make_advert(&n, 1, peer_ip, 77, frame);
	frame[OFF_IP + 8] = 254;
	base_store_be16(frame + OFF_IP + 2, WIRE_IP4_LEN + WIRE_CARP_LEN - 1);
	frame[OFF_CARP] = 0x31;
	frame[OFF_CARP + 35] ^= 1;

	for (size_t step = 0; step < COUNT(want); step++) {
		enum ctl_stat got = check(&n, frame, len, NULL);

		if (got != want[step])
			fail_msg("step %zu: %d, not %d", step, (int)got, (int)want[step]);
		/* Repair what was just found. The other checksums stay wrong until their turn. */
		switch (step) {
		case 0:
			n.scope.allow = true;
			break;
		case 1:
			n.scope.vhid_group = n.vhid_group;
			break;
		case 2:
			fix_ip_sum(frame);
			break;
		case 3:
			frame[OFF_IP + 8] = 255;
			fix_ip_sum(frame);
			break;
		case 4:
			base_store_be16(frame + OFF_IP + 2, WIRE_IP4_LEN + WIRE_CARP_LEN);
			fix_ip_sum(frame);
			break;
		case 5:
			fix_carp_sum(frame);
			break;
		case 6:
			n.vhid_group[1] = 0;
			break;
		case 7:
			n.listening[0] = true;
			break;
		case 8:
			n.scope.n_own_ip4 = 0;
			break;
		case 9:
			frame[OFF_CARP] = 0x21;
			fix_carp_sum(frame);
			break;
		case 10:
			frame[OFF_CARP + 35] ^= 1;
			fix_carp_sum(frame);
			break;
		case 11:
			n.own[0].sent[5] = 78;
			break;
		default:
			break;
		}
	}
	node_fini(&n);
}

static void
what_is_not_a_whole_ipv4_packet(void **state)
{
	struct node n;
	struct ctl_advert a;
	uint8_t good[FRAME_MAX], frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, good);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(check(&n, good, cut, &a), CTL_STAT_HDROPS);
		assert_int_equal(a.group, ELECTION_NONE);
		assert_int_equal(a.src.family, BASE_FAMILY_NONE);
	}

	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"EtherType of IPv6", 12, 0x86},
		{"protocol 111", OFF_IP + 9, 111},
		{"more fragments", OFF_IP + 6, 0x20},
		{"fragment offset, high bits", OFF_IP + 6, 0x01},
		{"fragment offset, low bits", OFF_IP + 7, 0x01},
		{"IP version 6", OFF_IP, 0x65},
		{"IP header length 16", OFF_IP, 0x44},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(frame, good, len);
		frame[rows[i].at] = rows[i].value;
		fix_ip_sum(frame);
		if (check(&n, frame, len, NULL) != CTL_STAT_HDROPS)
			fail_msg("%s", rows[i].what);
	}
	node_fini(&n);
}

static void
header_with_options(void **state)
{
	struct node n;
	uint8_t good[FRAME_MAX], frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, good);
	for (uint8_t ihl = 5; ihl <= 15; ihl++) {
		size_t extra = (size_t)(ihl - 5) * 4;

		memcpy(frame, good, OFF_CARP);
		memset(frame + OFF_CARP, 0x01, extra);
		memcpy(frame + OFF_CARP + extra, good + OFF_CARP, WIRE_CARP_LEN);
		frame[OFF_IP] = (uint8_t)(0x40 | ihl);
		base_store_be16(
			frame + OFF_IP + 2, (uint16_t)(WIRE_IP4_LEN + WIRE_CARP_LEN + extra));
		fix_ip_sum(frame);
		assert_int_equal(check(&n, frame, len + extra, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

static void
tagged_frame(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x00, 0x1e};
	struct node n;
	uint8_t good[FRAME_MAX], frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert(&n, 1, peer_ip, 77, good);
	memcpy(frame, good, 12);
	memcpy(frame + 12, tag, sizeof(tag));
	memcpy(frame + 16, good + 12, len - 12);
	len += sizeof(tag);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(check(&n, frame, cut, NULL), CTL_STAT_HDROPS);
	/* A second tag, and a tag before something else. */
	memcpy(frame + 16, tag, 2);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_HDROPS);
	node_fini(&n);
}

static void
groups_of_an_interface_do_not_mix(void **state)
{
	struct base_addr vip = support_addr("192.168.1.5");
	struct node n;
	struct ctl_advert a;
	uint8_t key[AUTH_KEY_LEN], frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	assert_int_equal(auth_key_from_pass("other", key), 0);
	assert_int_equal(node_add_group(&n, key, 200, &vip, 1), 1);

	/* Signed as group 0 but for group 1's vhid. */
	len = make_advert(&n, 200, peer_ip, 77, frame);
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_BADAUTH);
	assert_int_equal(a.group, 1);
	/* A counter that group 1 sent says nothing about group 0. */
	n.own[1].sent[0] = 77;
	len = make_advert(&n, 1, peer_ip, 77, frame);
	assert_int_equal(check(&n, frame, len, &a), CTL_STAT_IPACKETS);
	assert_int_equal(a.group, 0);
	node_fini(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_advert_said),
		cmocka_unit_test(conformance_34_vhid_not_configured),
		cmocka_unit_test(group_that_takes_no_part),
		cmocka_unit_test(conformance_35_ttl),
		cmocka_unit_test(conformance_36_payload_of_35_bytes),
		cmocka_unit_test(conformance_37_trailing_bytes_and_padding),
		cmocka_unit_test(conformance_38_own_advert_reflected),
		cmocka_unit_test(peer_with_our_source_address_is_heard),
		cmocka_unit_test(conformance_40_counter_jumps_backwards),
		cmocka_unit_test(conformance_40a_peer_answers_our_counter_plus_one),
		cmocka_unit_test(steps_are_taken_in_order),
		cmocka_unit_test(what_is_not_a_whole_ipv4_packet),
		cmocka_unit_test(header_with_options),
		cmocka_unit_test(tagged_frame),
		cmocka_unit_test(groups_of_an_interface_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
