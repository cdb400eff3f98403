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

/* The check over IPv6, and what it does for groups with a unicast peer in both families. */

#define OFF_HOP_LIMIT (OFF_IP + 7)
#define OFF_DST	      (OFF_IP + 24)

static const char peer_ip6[] = "fe80::ff:fe00:b";
static const uint32_t peer_ip4 = UINT32_C(0xc0a80102);

/* Put the checksum right again after a change. */
static void
fix_sum6(uint8_t *frame, enum wire_carp_sum kind)
{
	uint8_t *p = frame + OFF_CARP6;
	uint32_t sum = 0;

	if (kind == WIRE_CARP_SUM_PSEUDO)
		sum = wire_ip6_pseudo_sum(
			frame + OFF_IP + 8, frame + OFF_DST, WIRE_CARP_LEN, WIRE_PROTO_CARP);
	base_store_be16(p + 6, 0);
	base_store_be16(p + 6, wire_sum_fold(wire_sum(p, WIRE_CARP_LEN, sum)));
}

static void
conformance_48_both_checksums_accepted(void **state)
{
	static const enum wire_carp_sum kinds[] = {WIRE_CARP_SUM_PLAIN, WIRE_CARP_SUM_PSEUDO};
	struct base_addr src = support_addr(peer_ip6);
	struct node n;

	(void)state;
	node_init_lan(&n);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		uint8_t frame[FRAME_MAX];
		struct ctl_advert a;
		size_t len = make_advert6(
			&n, 1, peer_ip6, UINT64_C(0x0123456789abcdef), kinds[i], frame);

		memset(&a, 0xa5, sizeof(a));
		assert_int_equal(check(&n, frame, len, &a), CTL_STAT_IPACKETS);
		assert_int_equal(a.sum, kinds[i]);
		assert_int_equal(a.group, 0);
		assert_int_equal(a.vhid, 1);
		assert_memory_equal(&a.src, &src, sizeof(src));
		assert_int_equal(a.prio.advbase, 1);
		assert_int_equal(a.prio.advskew, 100);
		assert_int_equal(a.prio.demotion, 3);
		assert_true(a.counter == UINT64_C(0x0123456789abcdef));
		assert_false(a.bow_out);

		/* Neither of them: one bit of the header, or an address under the pseudo-header. */
		frame[OFF_CARP6 + 5] ^= 1;
		assert_int_equal(check(&n, frame, len, &a), CTL_STAT_BADSUM);
		assert_int_equal(a.sum, WIRE_CARP_SUM_BAD);
		frame[OFF_CARP6 + 5] ^= 1;
		frame[OFF_IP + 23] ^= 1;
		assert_int_equal(check(&n, frame, len, NULL),
			kinds[i] == WIRE_CARP_SUM_PLAIN ? CTL_STAT_IPACKETS : CTL_STAT_BADSUM);
	}
	node_fini(&n);
}

static void
conformance_35_hop_limit(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame);
	for (unsigned int limit = 0; limit < 256; limit++) {
		frame[OFF_HOP_LIMIT] = (uint8_t)limit;
		assert_int_equal(check(&n, frame, len, NULL),
			limit == 255 ? CTL_STAT_IPACKETS : CTL_STAT_BADTTL);
	}
	node_fini(&n);
}

static void
conformance_62_unicast_peer_has_any_ttl(void **state)
{
	struct base_addr vip = support_addr("192.168.1.5");
	struct node n;
	uint8_t key[AUTH_KEY_LEN], frame4[FRAME_MAX], frame6[FRAME_MAX];
	size_t len4, len6;

	(void)state;
	node_init_lan(&n);
	assert_int_equal(auth_key_from_pass("lanpasswd", key), 0);
	assert_int_equal(node_add_group(&n, key, 200, &vip, 1), 1);
	len4 = make_advert(&n, 1, peer_ip4, 77, frame4);
	len6 = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame6);
	for (unsigned int ttl = 0; ttl < 256; ttl++) {
		enum ctl_stat strict = ttl == 255 ? CTL_STAT_IPACKETS : CTL_STAT_BADTTL;

		frame4[OFF_IP + 8] = (uint8_t)ttl;
		fix_ip_sum(frame4);
		frame6[OFF_HOP_LIMIT] = (uint8_t)ttl;
		n.unicast[0] = 0;
		n.unicast[1] = ELECTION_IP4 | ELECTION_IP6;
		assert_int_equal(check(&n, frame4, len4, NULL), strict);
		assert_int_equal(check(&n, frame6, len6, NULL), strict);
		n.unicast[0] = ELECTION_IP4 | ELECTION_IP6;
		assert_int_equal(check(&n, frame4, len4, NULL), CTL_STAT_IPACKETS);
		assert_int_equal(check(&n, frame6, len6, NULL), CTL_STAT_IPACKETS);
		/* A peer in one family says nothing of the other. */
		n.unicast[0] = ELECTION_IP4;
		assert_int_equal(check(&n, frame4, len4, NULL), CTL_STAT_IPACKETS);
		assert_int_equal(check(&n, frame6, len6, NULL), strict);
		n.unicast[0] = ELECTION_IP6;
		assert_int_equal(check(&n, frame4, len4, NULL), strict);
		assert_int_equal(check(&n, frame6, len6, NULL), CTL_STAT_IPACKETS);
		/* A scope that knows of no unicast peers. */
		n.scope.unicast = NULL;
		assert_int_equal(check(&n, frame4, len4, NULL), strict);
		assert_int_equal(check(&n, frame6, len6, NULL), strict);
		n.scope.unicast = n.unicast;
	}
	node_fini(&n);
}

static void
unicast_peer_changes_no_other_step(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	n.unicast[0] = ELECTION_IP4 | ELECTION_IP6;
	/* A header cut short names no vhid, so its TTL counts; with a right one its length does. */
	len = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame);
	frame[OFF_HOP_LIMIT] = 64;
	frame[OFF_IP + 5] = WIRE_CARP_LEN - 1;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADTTL);
	frame[OFF_HOP_LIMIT] = 255;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADLEN);
	/* A vhid that is not ours has no peer. */
	len = make_advert6(&n, 9, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame);
	frame[OFF_HOP_LIMIT] = 64;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADTTL);
	frame[OFF_HOP_LIMIT] = 255;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADVHID);
	/* Sum, version and digest as ever. */
	len = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame);
	frame[OFF_HOP_LIMIT] = 64;
	frame[OFF_CARP6 + 35] ^= 1;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADSUM);
	fix_sum6(frame, WIRE_CARP_SUM_PLAIN);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADAUTH);
	frame[OFF_CARP6] = 0x31;
	fix_sum6(frame, WIRE_CARP_SUM_PLAIN);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADVER);
	n.listening[0] = false;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADVHID);
	node_fini(&n);
}

static void
steps_are_taken_in_order(void **state)
{
	/* One frame with everything wrong at once, put right a step at a time. */
	static const enum ctl_stat want[] = {CTL_STAT_DISALLOWED, CTL_STAT_BADIF, CTL_STAT_HDROPS,
		CTL_STAT_BADTTL, CTL_STAT_BADLEN, CTL_STAT_BADSUM, CTL_STAT_BADVHID,
		CTL_STAT_BADVHID, CTL_STAT_SELF, CTL_STAT_BADVER, CTL_STAT_BADAUTH, CTL_STAT_LOOP,
		CTL_STAT_IPACKETS};
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	memcpy(n.own_ip6[1], support_addr(peer_ip6).bytes, WIRE_IP6_ADDR_LEN);
	n.scope.n_own_ip6 = 2;
	n.own[0].sent[5] = 77;
	n.vhid_group[1] = ELECTION_NONE;
	n.listening[0] = false;
	n.scope.allow = false;
	n.scope.vhid_group = NULL;
	len = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, frame);
	frame[OFF_DST + 15] = 0x13;
	frame[OFF_HOP_LIMIT] = 254;
	frame[OFF_IP + 5] = WIRE_CARP_LEN - 1;
	frame[OFF_CARP6] = 0x31;
	frame[OFF_CARP6 + 35] ^= 1;

	for (size_t step = 0; step < COUNT(want); step++) {
		enum ctl_stat got = check(&n, frame, len, NULL);

		if (got != want[step])
			fail_msg("step %zu: %d, not %d", step, (int)got, (int)want[step]);
		switch (step) {
		case 0:
			n.scope.allow = true;
			break;
		case 1:
			n.scope.vhid_group = n.vhid_group;
			break;
		case 2:
			frame[OFF_DST + 15] = 0x12;
			break;
		case 3:
			frame[OFF_HOP_LIMIT] = 255;
			break;
		case 4:
			frame[OFF_IP + 5] = WIRE_CARP_LEN;
			break;
		case 5:
			fix_sum6(frame, WIRE_CARP_SUM_PSEUDO);
			break;
		case 6:
			n.vhid_group[1] = 0;
			break;
		case 7:
			n.listening[0] = true;
			break;
		case 8:
			n.own_ip6[1][15] ^= 1;
			break;
		case 9:
			frame[OFF_CARP6] = 0x21;
			fix_sum6(frame, WIRE_CARP_SUM_PLAIN);
			break;
		case 10:
			frame[OFF_CARP6 + 35] ^= 1;
			fix_sum6(frame, WIRE_CARP_SUM_PLAIN);
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
where_from_and_where_to(void **state)
{
	static const struct {
		const char *what, *src, *dst;
		enum ctl_stat want;
	} rows[] = {
		{"from a global address", "fd00::2", "ff02::12", CTL_STAT_IPACKETS},
		{"from the neutral address", "fe80::1d6", "ff02::12", CTL_STAT_IPACKETS},
		{"from a box without an address", "::", "ff02::12", CTL_STAT_IPACKETS},
		{"to a unicast peer", "fd00::2", "fd00::1", CTL_STAT_IPACKETS},
		{"from a group", "ff02::12", "ff02::12", CTL_STAT_HDROPS},
		{"to all nodes", "fd00::2", "ff02::1", CTL_STAT_HDROPS},
		{"to the group of another scope", "fd00::2", "ff05::12", CTL_STAT_HDROPS},
		/* The kernels' interface index, which must not be on the wire. */
		{"to a group with an index in it", "fd00::2", "ff02:3::12", CTL_STAT_HDROPS},
	};
	struct node n;

	(void)state;
	node_init_lan(&n);
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t frame[FRAME_MAX];
		size_t len = make_advert6(&n, 1, rows[i].src, 77, WIRE_CARP_SUM_PLAIN, frame);

		memcpy(frame + OFF_DST, support_addr(rows[i].dst).bytes, WIRE_IP6_ADDR_LEN);
		for (int pseudo = 0; pseudo < 2; pseudo++) {
			fix_sum6(frame, pseudo ? WIRE_CARP_SUM_PSEUDO : WIRE_CARP_SUM_PLAIN);
			if (check(&n, frame, len, NULL) != rows[i].want)
				fail_msg("%s", rows[i].what);
		}
	}
	node_fini(&n);
}

static void
own_addresses_are_of_their_family(void **state)
{
	struct node n;
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	/* The first four bytes of the source are one of our IPv4 addresses. */
	len = make_advert6(&n, 1, "c0a8:103::1", 77, WIRE_CARP_SUM_PLAIN, frame);
	n.own_ip4[0] = UINT32_C(0xc0a80103);
	n.scope.n_own_ip4 = 1;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	memcpy(n.own_ip6[0], support_addr("c0a8:103::1").bytes, WIRE_IP6_ADDR_LEN);
	n.scope.n_own_ip6 = 1;
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_SELF);
	n.scope.n_own_ip4 = 0;
	len = make_advert(&n, 1, UINT32_C(0xc0a80103), 77, frame);
	assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	node_fini(&n);
}

static void
what_is_not_a_whole_ipv6_packet(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"EtherType of IPv4", 12, 0x08},
		{"IP version 4", OFF_IP, 0x45},
		{"IP version 7", OFF_IP, 0x70},
		{"next header 111", OFF_IP + 6, 111},
		{"hop-by-hop header", OFF_IP + 6, 0},
		{"fragment header", OFF_IP + 6, 44},
		{"payload length over the end", OFF_IP + 5, WIRE_CARP_LEN + 1},
	};
	static const uint8_t tag[] = {0x81, 0x00, 0x00, 0x1e};
	struct node n;
	struct ctl_advert a;
	uint8_t good[FRAME_MAX], frame[FRAME_MAX];
	size_t len;

	(void)state;
	node_init_lan(&n);
	len = make_advert6(&n, 1, peer_ip6, 77, WIRE_CARP_SUM_PLAIN, good);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(check(&n, good, cut, &a), CTL_STAT_HDROPS);
		assert_int_equal(a.group, ELECTION_NONE);
		assert_int_equal(a.src.family, BASE_FAMILY_NONE);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(frame, good, len);
		frame[rows[i].at] = rows[i].value;
		if (check(&n, frame, len, NULL) != CTL_STAT_HDROPS)
			fail_msg("%s", rows[i].what);
	}
	/* One tag is skipped. */
	memcpy(frame, good, 12);
	memcpy(frame + 12, tag, sizeof(tag));
	memcpy(frame + 16, good + 12, len - 12);
	assert_int_equal(check(&n, frame, len + sizeof(tag), NULL), CTL_STAT_IPACKETS);
	for (size_t cut = 0; cut < len + sizeof(tag); cut++)
		assert_int_equal(check(&n, frame, cut, NULL), CTL_STAT_HDROPS);
	node_fini(&n);
}

static void
trailing_bytes_and_short_payloads(void **state)
{
	static const enum wire_carp_sum kinds[] = {WIRE_CARP_SUM_PLAIN, WIRE_CARP_SUM_PSEUDO};
	struct node n;
	uint8_t frame[FRAME_MAX];

	(void)state;
	node_init_lan(&n);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		size_t len = make_advert6(&n, 1, peer_ip6, 77, kinds[i], frame);

		/* NetBSD sums 36 bytes and says 36 in the pseudo-header, whatever follows. */
		memset(frame + len, 0xde, sizeof(frame) - len);
		for (size_t more = 0; len + more <= sizeof(frame); more++) {
			frame[OFF_IP + 5] = WIRE_CARP_LEN;
			assert_int_equal(check(&n, frame, len + more, NULL), CTL_STAT_IPACKETS);
			frame[OFF_IP + 5] = (uint8_t)(WIRE_CARP_LEN + more);
			assert_int_equal(check(&n, frame, len + more, NULL), CTL_STAT_IPACKETS);
		}
		for (uint8_t payload = 0; payload < WIRE_CARP_LEN; payload++) {
			frame[OFF_IP + 5] = payload;
			assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_BADLEN);
			assert_int_equal(
				check(&n, frame, OFF_CARP6 + payload, NULL), CTL_STAT_BADLEN);
		}
	}
	node_fini(&n);
}

static void
conformance_38_own_advert_reflected(void **state)
{
	struct node n;
	struct base_rand rand;
	uint8_t frame[FRAME_MAX];

	(void)state;
	node_init_lan(&n);
	base_rand_init(&rand, 38);
	/* Sent over IPv4, say, and brought back over IPv6: the digest knows no family. */
	for (int i = 0; i < 20; i++) {
		uint64_t counter = auth_counters_next(&n.own[0], &rand);
		size_t len = make_advert6(&n, 1, peer_ip6, counter, WIRE_CARP_SUM_PLAIN, frame);

		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_LOOP);
		len = make_advert6(&n, 1, peer_ip6, counter + 1, WIRE_CARP_SUM_PLAIN, frame);
		assert_int_equal(check(&n, frame, len, NULL), CTL_STAT_IPACKETS);
	}
	node_fini(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_48_both_checksums_accepted),
		cmocka_unit_test(conformance_35_hop_limit),
		cmocka_unit_test(conformance_62_unicast_peer_has_any_ttl),
		cmocka_unit_test(unicast_peer_changes_no_other_step),
		cmocka_unit_test(steps_are_taken_in_order),
		cmocka_unit_test(where_from_and_where_to),
		cmocka_unit_test(own_addresses_are_of_their_family),
		cmocka_unit_test(what_is_not_a_whole_ipv6_packet),
		cmocka_unit_test(trailing_bytes_and_short_payloads),
		cmocka_unit_test(conformance_38_own_advert_reflected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
