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

#include "base_bytes.h"
#include "support.h"
#include "wire6.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define OFF_IP	WIRE_ETH_LEN
#define OFF_MSG (WIRE_ETH_LEN + WIRE_IP6_LEN)

static const uint8_t vmac[WIRE_MAC_LEN] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x06};
static const uint8_t asker_mac[WIRE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x50};

/* A copy of exactly len bytes, so that a sanitizer sees a read past them. */
static uint8_t *
exact(const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

static void
addr(const char *text, uint8_t out[WIRE_IP6_ADDR_LEN])
{
	struct base_addr a = support_addr(text);

	assert_int_equal(a.family, BASE_FAMILY_IP6);
	memcpy(out, a.bytes, WIRE_IP6_ADDR_LEN);
}

static void
assert_addr(const uint8_t ip[WIRE_IP6_ADDR_LEN], const char *text)
{
	uint8_t want[WIRE_IP6_ADDR_LEN];

	addr(text, want);
	assert_memory_equal(ip, want, sizeof(want));
}

static void
ip6_round_trip_and_refusals(void **state)
{
	/* Class and flow label do not end on byte borders. */
	static const uint8_t want[8] = {0x6e, 0x1a, 0xbc, 0xde, 0x00, 0x05, 112, 255};
	struct wire_ip6 h = {
		.tclass = 0xe1, .flow = 0xabcde, .payload_len = 5, .next = 112, .hop_limit = 255};
	uint8_t p[WIRE_IP6_LEN + 8] = {0};
	struct wire_ip6 got, untouched;

	(void)state;
	addr("fe80::1", h.src);
	addr("ff02::12", h.dst);
	wire_ip6_encode(&h, p);
	assert_memory_equal(p, want, sizeof(want));
	assert_memory_equal(p + 8, h.src, 16);
	assert_memory_equal(p + 24, h.dst, 16);
	/* Five bytes of payload and three of padding. */
	assert_int_equal(wire_ip6_decode(p, sizeof(p), &got), WIRE_IP6_OK);
	assert_int_equal(got.tclass, h.tclass);
	assert_int_equal(got.flow, h.flow);
	assert_int_equal(got.payload_len, h.payload_len);
	assert_int_equal(got.next, h.next);
	assert_int_equal(got.hop_limit, h.hop_limit);
	assert_memory_equal(got.src, h.src, 16);
	assert_memory_equal(got.dst, h.dst, 16);

	memset(&untouched, 0xa5, sizeof(untouched));
	got = untouched;
	for (size_t len = 0; len < WIRE_IP6_LEN + 5; len++) {
		uint8_t *q = exact(p, len);

		assert_int_equal(wire_ip6_decode(q, len, &got), WIRE_IP6_TRUNCATED);
		free(q);
	}
	for (unsigned int version = 0; version < 16; version++) {
		p[0] = (uint8_t)(version << 4);
		if (version != 6)
			assert_int_equal(wire_ip6_decode(p, sizeof(p), &got), WIRE_IP6_BAD_VERSION);
	}
	assert_memory_equal(&got, &untouched, sizeof(got));
}

static void
addresses_made_of_addresses(void **state)
{
	static const struct {
		const char *ip;
		const char *solicited;
		uint8_t mac[WIRE_MAC_LEN];
	} rows[] = {
		{"fd00::100", "ff02::1:ff00:100", {0x33, 0x33, 0xff, 0x00, 0x01, 0x00}},
		{"2001:db8::aabb:ccdd", "ff02::1:ffbb:ccdd", {0x33, 0x33, 0xff, 0xbb, 0xcc, 0xdd}},
		{"fe80::ff:fe00:a", "ff02::1:ff00:a", {0x33, 0x33, 0xff, 0x00, 0x00, 0x0a}},
	};
	uint8_t ip[WIRE_IP6_ADDR_LEN], group[WIRE_IP6_ADDR_LEN], mac[WIRE_MAC_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		addr(rows[i].ip, ip);
		assert_false(wire_ip6_is_solicited_node(ip));
		assert_false(wire_ip6_is_multicast(ip));
		wire_ip6_solicited_node(ip, group);
		assert_addr(group, rows[i].solicited);
		assert_true(wire_ip6_is_solicited_node(group));
		assert_true(wire_ip6_is_multicast(group));
		wire_ip6_group_mac(group, mac);
		assert_memory_equal(mac, rows[i].mac, sizeof(mac));
		/* In place, too. */
		wire_ip6_solicited_node(ip, ip);
		assert_memory_equal(ip, group, sizeof(ip));
	}
	wire_ip6_group_mac(wire_carp_group_ip6, mac);
	assert_memory_equal(mac, wire_carp_mac6, sizeof(mac));
	assert_addr(wire_carp_group_ip6, "ff02::12");
	assert_addr(wire_ip6_all_nodes, "ff02::1");

	/* Protocol note 3.1: vhid 5. */
	base_vmac(5, mac);
	wire_ip6_link_local(mac, ip);
	assert_addr(ip, "fe80::200:5eff:fe00:105");
	wire_ip6_link_local(asker_mac, ip);
	assert_addr(ip, "fe80::ff:fe00:50");

	static const struct {
		const char *ip;
		bool link_local, unspecified;
	} kinds[] = {
		{"fe80::1", true, false},
		{"febf::1", true, false},
		{"fec0::1", false, false},
		{"fd00::1", false, false},
		{"::", false, true},
		{"::1", false, false},
	};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		addr(kinds[i].ip, ip);
		assert_int_equal(wire_ip6_is_link_local(ip), kinds[i].link_local);
		assert_int_equal(wire_ip6_is_unspecified(ip), kinds[i].unspecified);
	}
}

static void
pseudo_header_of_an_advert(void **state)
{
	uint8_t src[WIRE_IP6_ADDR_LEN];

	(void)state;
	/* Protocol note 1.5: these three parts sum to ffa8, and fe80::1d6 makes it minus zero. */
	memset(src, 0, sizeof(src));
	assert_int_equal((uint16_t)~wire_sum_fold(wire_ip6_pseudo_sum(
				 src, wire_carp_group_ip6, WIRE_CARP_LEN, WIRE_PROTO_CARP)),
		0xffa8);
	addr("fe80::1d6", src);
	assert_int_equal(wire_sum_fold(wire_ip6_pseudo_sum(
				 src, wire_carp_group_ip6, WIRE_CARP_LEN, WIRE_PROTO_CARP)),
		0);
	/* The length has 32 bits. */
	assert_int_equal(wire_sum_fold(wire_ip6_pseudo_sum(
				 wire_ip6_unspecified, wire_ip6_unspecified, 0x10000, 1)),
		(uint16_t)~2);
}

static void
icmp6_echo_round_trip(void **state)
{
	static const uint8_t payload[] = {0xde, 0xad, 0xbe, 0xef, 0x01};
	static const struct wire_icmp6 echo = {
		.type = WIRE_ICMP6_ECHO_REQUEST, .rest = UINT32_C(0x12340001)};
	uint8_t src[WIRE_IP6_ADDR_LEN], dst[WIRE_IP6_ADDR_LEN];
	uint8_t p[WIRE_ICMP6_LEN + sizeof(payload)];
	struct wire_icmp6 got;

	(void)state;
	addr("fd00::50", src);
	addr("fd00::100", dst);
	for (size_t n = 0; n <= sizeof(payload); n++) {
		memcpy(p + WIRE_ICMP6_LEN, payload, n);
		wire_icmp6_encode(&echo, src, dst, n ? payload : NULL, n, p);
		assert_true(wire_icmp6_sum_ok(p, WIRE_ICMP6_LEN + n, src, dst));
		/* The addresses are covered; which of them is which, no sum can see. */
		assert_false(wire_icmp6_sum_ok(p, WIRE_ICMP6_LEN + n, src, src));
		assert_true(wire_icmp6_decode(p, WIRE_ICMP6_LEN + n, &got));
		assert_int_equal(got.type, echo.type);
		assert_int_equal(got.code, 0);
		assert_int_equal(got.rest, echo.rest);
	}
	for (size_t len = 0; len < WIRE_ICMP6_LEN; len++) {
		uint8_t *q = exact(p, len);

		assert_false(wire_icmp6_decode(q, len, &got));
		free(q);
	}
}

/* A solicitation of fd00::100 by fd00::50, as captured, to spoil. */
static void
make_ns(uint8_t out[WIRE_ND_FRAME_LEN])
{
	uint8_t src[WIRE_IP6_ADDR_LEN], target[WIRE_IP6_ADDR_LEN];

	addr("fd00::50", src);
	addr("fd00::100", target);
	wire_ns_frame_encode(asker_mac, src, target, NULL, out);
}

static void
make_na(uint8_t out[WIRE_ND_FRAME_LEN])
{
	struct wire_nd ns = {.type = WIRE_ICMP6_NS};
	struct wire_ip6 ns_ip = {0};
	uint8_t src[WIRE_IP6_ADDR_LEN];

	addr("fd00::50", ns_ip.src);
	addr("fd00::100", ns.target);
	addr("fd00::1", src);
	wire_na_answer_frame_encode(&ns_ip, &ns, asker_mac, vmac, src, true, out);
}

static void
fix_sum(uint8_t *frame)
{
	uint8_t *p = frame + OFF_MSG;
	uint16_t len = base_load_be16(frame + OFF_IP + 4);
	uint32_t sum =
		wire_ip6_pseudo_sum(frame + OFF_IP + 8, frame + OFF_IP + 24, len, WIRE_PROTO_ICMP6);

	base_store_be16(p + 2, 0);
	base_store_be16(p + 2, wire_sum_fold(wire_sum(p, len, sum)));
}

/* Decode a copy of just the packet. */
static enum wire_nd_result
decode(const uint8_t *frame, size_t len, struct wire_ip6 *ip, struct wire_nd *nd)
{
	uint8_t *copy = exact(frame + OFF_IP, len - OFF_IP);
	enum wire_nd_result r;

	assert_int_equal(wire_ip6_decode(copy, len - OFF_IP, ip), WIRE_IP6_OK);
	r = wire_nd_decode(ip, copy + WIRE_IP6_LEN, nd);
	free(copy);
	return r;
}

struct change {
	size_t at; /* in the frame */
	uint8_t value;
};

static void
nd_is_refused_for_each_reason(void **state)
{
	static const struct {
		const char *what;
		bool na;
		struct change change[4]; /* up to the first at 0 */
		bool keep_sum;
		enum wire_nd_result want;
	} rows[] = {
		{"NS as it is", false, {{0}}, false, WIRE_ND_OK},
		{"NA as it is", true, {{0}}, false, WIRE_ND_OK},
		{"not ICMPv6", false, {{OFF_IP + 6, 17}}, false, WIRE_ND_OTHER},
		{"a redirect", false, {{OFF_MSG, 137}}, false, WIRE_ND_OTHER},
		{"a router advertisement", false, {{OFF_MSG, 134}}, false, WIRE_ND_OTHER},
		{"seven bytes", false, {{OFF_IP + 5, 7}}, false, WIRE_ND_OTHER},
		{"eight bytes", false, {{OFF_IP + 5, 8}}, false, WIRE_ND_TRUNCATED},
		{"23 bytes", true, {{OFF_IP + 5, 23}}, false, WIRE_ND_TRUNCATED},
		{"24 bytes", false, {{OFF_IP + 5, 24}}, false, WIRE_ND_OK},
		{"hop limit 254", false, {{OFF_IP + 7, 254}}, false, WIRE_ND_BAD_HOP_LIMIT},
		{"hop limit 254", true, {{OFF_IP + 7, 254}}, false, WIRE_ND_BAD_HOP_LIMIT},
		{"checksum", false, {{OFF_MSG + 23, 9}}, true, WIRE_ND_BAD_CHECKSUM},
		{"checksum", true, {{OFF_MSG + 4, 0}}, true, WIRE_ND_BAD_CHECKSUM},
		{"code 1", false, {{OFF_MSG + 1, 1}}, false, WIRE_ND_BAD_CODE},
		{"code 1", true, {{OFF_MSG + 1, 1}}, false, WIRE_ND_BAD_CODE},
		{"target multicast", false, {{OFF_MSG + 8, 0xff}}, false, WIRE_ND_BAD_TARGET},
		{"target multicast", true, {{OFF_MSG + 8, 0xff}}, false, WIRE_ND_BAD_TARGET},
		{"option of length 0", false, {{OFF_MSG + 25, 0}}, false, WIRE_ND_BAD_OPTION},
		{"option of length 0", true, {{OFF_MSG + 25, 0}}, false, WIRE_ND_BAD_OPTION},
		{"option over the end", false, {{OFF_MSG + 25, 2}}, false, WIRE_ND_BAD_OPTION},
		{"half an option", false, {{OFF_IP + 5, 28}}, false, WIRE_ND_BAD_OPTION},
		{"one byte of option", false, {{OFF_IP + 5, 25}}, false, WIRE_ND_BAD_OPTION},
		/* fd00::50 becomes :: */
		{"probe with an option", false, {{OFF_IP + 8, 0}, {OFF_IP + 23, 0}}, false,
			WIRE_ND_BAD_SOURCE},
		{"probe", false, {{OFF_IP + 8, 0}, {OFF_IP + 23, 0}, {OFF_IP + 5, 24}}, false,
			WIRE_ND_OK},
		/* To ff02::1:fe00:100, which is no solicited-node group. */
		{"probe to another group", false,
			{{OFF_IP + 8, 0}, {OFF_IP + 23, 0}, {OFF_IP + 5, 24}, {OFF_IP + 36, 0xfe}},
			false, WIRE_ND_BAD_SOURCE},
		{"source option in a solicitation to another group", false, {{OFF_IP + 36, 0xfe}},
			false, WIRE_ND_OK},
		{"NA from ::", true, {{OFF_IP + 8, 0}, {OFF_IP + 23, 0}}, false, WIRE_ND_OK},
		{"solicited NA to a group", true, {{OFF_IP + 24, 0xff}}, false, WIRE_ND_BAD_FLAGS},
		{"unsolicited NA to a group", true, {{OFF_IP + 24, 0xff}, {OFF_MSG + 4, 0xa0}},
			false, WIRE_ND_OK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t frame[WIRE_ND_FRAME_LEN];
		struct wire_ip6 ip;
		struct wire_nd nd, untouched;
		enum wire_nd_result got;

		if (rows[i].na)
			make_na(frame);
		else
			make_ns(frame);
		for (size_t k = 0; k < COUNT(rows[i].change) && rows[i].change[k].at != 0; k++)
			frame[rows[i].change[k].at] = rows[i].change[k].value;
		if (!rows[i].keep_sum)
			fix_sum(frame);
		memset(&untouched, 0xa5, sizeof(untouched));
		nd = untouched;
		got = decode(frame, OFF_MSG + base_load_be16(frame + OFF_IP + 4), &ip, &nd);
		if (got != rows[i].want)
			fail_msg("%s: %d, not %d", rows[i].what, (int)got, (int)rows[i].want);
		if (got != WIRE_ND_OK)
			assert_memory_equal(&nd, &untouched, sizeof(nd));
	}
}

static void
options_that_are_not_ours_are_skipped(void **state)
{
	/* A nonce, an address of another length, the other link-layer option, and a second one. */
	static const uint8_t options[] = {14, 1, 1, 2, 3, 4, 5, 6, 1, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9,
		9, 9, 9, 9, 9, 2, 1, 7, 7, 7, 7, 7, 7, 1, 1, 2, 0, 0, 0, 0, 0x50, 1, 1, 8, 8, 8, 8,
		8, 8, 200, 1, 0, 0, 0, 0, 0, 0};
	uint8_t frame[OFF_MSG + WIRE_ND_LEN + sizeof(options)];
	struct wire_ip6 ip;
	struct wire_nd nd;

	(void)state;
	make_ns(frame);
	memcpy(frame + OFF_MSG + WIRE_ND_LEN, options, sizeof(options));
	base_store_be16(frame + OFF_IP + 4, WIRE_ND_LEN + sizeof(options));
	fix_sum(frame);
	assert_int_equal(decode(frame, sizeof(frame), &ip, &nd), WIRE_ND_OK);
	assert_true(nd.has_lladdr);
	assert_memory_equal(nd.lladdr, asker_mac, sizeof(asker_mac));
	assert_true(nd.has_nonce);
	assert_memory_equal(nd.nonce, options + 2, WIRE_ND_NONCE_LEN);
	assert_false(nd.router || nd.solicited || nd.override);
}

static void
conformance_45_answer_to_a_solicitation(void **state)
{
	uint8_t frame[WIRE_ND_FRAME_LEN], answer[WIRE_ND_FRAME_LEN], src[WIRE_IP6_ADDR_LEN];
	struct wire_ip6 ns_ip, ip;
	struct wire_nd ns, nd;
	struct wire_eth eth;

	(void)state;
	addr("fe80::2", src);
	make_ns(frame);
	assert_int_equal(decode(frame, sizeof(frame), &ns_ip, &ns), WIRE_ND_OK);
	for (unsigned int router = 0; router < 2; router++) {
		for (unsigned int option = 0; option < 2; option++) {
			static const uint8_t other[WIRE_MAC_LEN] = {2, 9, 9, 9, 9, 9};

			ns.has_lladdr = option != 0;
			wire_na_answer_frame_encode(
				&ns_ip, &ns, other, vmac, src, router != 0, answer);
			assert_true(wire_eth_decode(answer, sizeof(answer), &eth));
			/* To the MAC of the option, else to where the frame came from. */
			assert_memory_equal(eth.dst, option ? asker_mac : other, WIRE_MAC_LEN);
			assert_memory_equal(eth.src, vmac, WIRE_MAC_LEN);
			assert_int_equal(decode(answer, sizeof(answer), &ip, &nd), WIRE_ND_OK);
			assert_memory_equal(ip.src, src, sizeof(src));
			assert_memory_equal(ip.dst, ns_ip.src, sizeof(ip.dst));
			assert_int_equal(nd.type, WIRE_ICMP6_NA);
			assert_int_equal(nd.router, router);
			assert_true(nd.solicited && nd.override && nd.has_lladdr);
			assert_memory_equal(nd.lladdr, vmac, sizeof(vmac));
			assert_memory_equal(nd.target, ns.target, sizeof(nd.target));
		}
	}

	/* Is that address free? It is not, and all shall know: the asker has no address yet. */
	memset(ns_ip.src, 0, sizeof(ns_ip.src));
	ns.has_lladdr = false;
	wire_na_answer_frame_encode(&ns_ip, &ns, asker_mac, vmac, src, true, answer);
	assert_int_equal(decode(answer, sizeof(answer), &ip, &nd), WIRE_ND_OK);
	assert_addr(ip.dst, "ff02::1");
	assert_true(!nd.solicited && nd.override && nd.router);
	assert_memory_equal(nd.lladdr, vmac, sizeof(vmac));
	assert_memory_equal(answer, "\x33\x33\x00\x00\x00\x01", WIRE_MAC_LEN);
}

static void
conformance_46_announcement_of_a_vip(void **state)
{
	/* What the patched NetBSD sent, but for the Ethernet source, which is the vMAC here. */
	static const char want[] =
		"33330000000100005e00010686dd6000000000203afffe80000000000000000000fffe00000a"
		"ff0200000000000000000000000000018800fc0d20000000fd000000000000000000000000000100"
		"020100005e000106";
	uint8_t frame[WIRE_ND_FRAME_LEN], bytes[WIRE_ND_FRAME_LEN];
	uint8_t src[WIRE_IP6_ADDR_LEN], vip[WIRE_IP6_ADDR_LEN];
	struct wire_ip6 ip;
	struct wire_nd nd;

	(void)state;
	addr("fe80::ff:fe00:a", src);
	addr("fd00::100", vip);
	assert_int_equal(support_hex(want, bytes, sizeof(bytes)), 86);
	wire_na_announce_frame_encode(vmac, src, vip, false, frame);
	assert_memory_equal(frame, bytes, sizeof(frame));

	wire_na_announce_frame_encode(vmac, src, vip, true, frame);
	assert_int_equal(decode(frame, sizeof(frame), &ip, &nd), WIRE_ND_OK);
	assert_int_equal(nd.type, WIRE_ICMP6_NA);
	assert_true(nd.router && nd.override && !nd.solicited && nd.has_lladdr && !nd.has_nonce);
	assert_int_equal(ip.hop_limit, 255);
}

static void
solicitations_that_we_send(void **state)
{
	uint8_t frame[WIRE_ND_FRAME_LEN], src[WIRE_IP6_ADDR_LEN], target[WIRE_IP6_ADDR_LEN];
	struct wire_ip6 ip;
	struct wire_nd nd;

	(void)state;
	addr("fe80::1", src);
	addr("fd00::50", target);
	wire_ns_frame_encode(vmac, src, target, NULL, frame);
	assert_memory_equal(frame, "\x33\x33\xff\x00\x00\x50", WIRE_MAC_LEN);
	assert_memory_equal(frame + WIRE_MAC_LEN, vmac, WIRE_MAC_LEN);
	assert_int_equal(decode(frame, sizeof(frame), &ip, &nd), WIRE_ND_OK);
	assert_addr(ip.dst, "ff02::1:ff00:50");
	assert_memory_equal(ip.src, src, sizeof(src));
	assert_int_equal(nd.type, WIRE_ICMP6_NS);
	assert_memory_equal(nd.target, target, sizeof(target));
	assert_memory_equal(nd.lladdr, vmac, sizeof(vmac));

	wire_ns_frame_encode(vmac, src, target, asker_mac, frame);
	assert_memory_equal(frame, asker_mac, WIRE_MAC_LEN);
	assert_int_equal(decode(frame, sizeof(frame), &ip, &nd), WIRE_ND_OK);
	assert_memory_equal(ip.dst, target, sizeof(target));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip6_round_trip_and_refusals),
		cmocka_unit_test(addresses_made_of_addresses),
		cmocka_unit_test(pseudo_header_of_an_advert),
		cmocka_unit_test(icmp6_echo_round_trip),
		cmocka_unit_test(nd_is_refused_for_each_reason),
		cmocka_unit_test(options_that_are_not_ours_are_skipped),
		cmocka_unit_test(conformance_45_answer_to_a_solicitation),
		cmocka_unit_test(conformance_46_announcement_of_a_vip),
		cmocka_unit_test(solicitations_that_we_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
