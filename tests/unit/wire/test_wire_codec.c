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
#include "wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A copy of exactly len bytes, so that a sanitizer sees a read past them. */
static uint8_t *
exact(const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

static bool
is_filled_with(const void *p, size_t len, uint8_t value)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		if (b[i] != value)
			return false;
	return true;
}

static void
sum_of_rfc_1071_example(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(wire_sum_fold(wire_sum(data, sizeof(data), 0)), 0x220d);
	assert_int_equal(wire_sum_fold(wire_sum(NULL, 0, 0)), 0xffff);
	/* An odd last byte is the high half of a word. */
	assert_int_equal(wire_sum_fold(wire_sum(data, 3, 0)), (uint16_t) ~(0x0001 + 0xf200));
}

static void
sum_in_parts_is_sum_of_whole(void **state)
{
	uint8_t data[61];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 83 + 7);
	uint16_t whole = wire_sum_fold(wire_sum(data, sizeof(data), 0));

	for (size_t cut = 0; cut < sizeof(data); cut += 2) {
		uint32_t sum = wire_sum(data, cut, 0);

		sum = wire_sum(data + cut, sizeof(data) - cut, sum);
		assert_int_equal(wire_sum_fold(sum), whole);
	}
}

static void
sum_does_not_overflow(void **state)
{
	/* All ones add up to minus zero, however many there are and wherever the sum starts. */
	const size_t len = 1 << 20;
	uint8_t *ones = malloc(len);

	(void)state;
	assert_non_null(ones);
	memset(ones, 0xff, len);
	assert_int_equal(wire_sum_fold(wire_sum(ones, len, 0)), 0);
	assert_int_equal(wire_sum_fold(wire_sum(ones, len, UINT32_MAX)), 0);
	free(ones);
}

static void
eth_round_trip(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x06};
	uint8_t again[WIRE_ETH_LEN];
	struct wire_eth h;

	(void)state;
	for (size_t len = 0; len < WIRE_ETH_LEN; len++) {
		uint8_t *p = exact(bytes, len);

		memset(&h, 0xa5, sizeof(h));
		assert_false(wire_eth_decode(p, len, &h));
		assert_true(is_filled_with(&h, sizeof(h), 0xa5));
		free(p);
	}
	assert_true(wire_eth_decode(bytes, sizeof(bytes), &h));
	assert_memory_equal(h.dst, bytes, 6);
	assert_memory_equal(h.src, bytes + 6, 6);
	assert_int_equal(h.type, WIRE_ETHERTYPE_ARP);
	wire_eth_encode(&h, again);
	assert_memory_equal(again, bytes, sizeof(bytes));
}

/* A header with every field different, for tests that spoil it. */
static const struct wire_ip4 ip_sample = {
	.header_len = WIRE_IP4_LEN,
	.tos = 0x10,
	.total_len = 56,
	.id = 0x1234,
	.frag = WIRE_IP4_DF,
	.ttl = 255,
	.proto = WIRE_PROTO_CARP,
	.src = UINT32_C(0xc0a80102),
	.dst = WIRE_CARP_GROUP_IP4,
};

static void
ip4_round_trip(void **state)
{
	/* The header of vector v4-single's frame4_openbsd. */
	static const uint8_t want[] = {0x45, 0x10, 0x00, 0x38, 0x12, 0x34, 0x40, 0x00, 0xff, 0x70,
		0xc7, 0x54, 0xc0, 0xa8, 0x01, 0x02, 0xe0, 0x00, 0x00, 0x12};
	uint8_t p[70] = {0};
	struct wire_ip4 h;

	(void)state;
	wire_ip4_encode(&ip_sample, p);
	assert_memory_equal(p, want, sizeof(want));
	/* 56 bytes and 14 of padding. */
	assert_int_equal(wire_ip4_decode(p, sizeof(p), &h), WIRE_IP4_OK);
	assert_int_equal(h.header_len, 20);
	assert_int_equal(h.tos, ip_sample.tos);
	assert_int_equal(h.total_len, ip_sample.total_len);
	assert_int_equal(h.id, ip_sample.id);
	assert_int_equal(h.frag, ip_sample.frag);
	assert_int_equal(h.ttl, ip_sample.ttl);
	assert_int_equal(h.proto, ip_sample.proto);
	assert_int_equal(h.checksum, 0xc754);
	assert_int_equal(h.src, ip_sample.src);
	assert_int_equal(h.dst, ip_sample.dst);
}

static void
ip4_refuses(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		size_t at;
		uint8_t value;
		bool fix_checksum;
		enum wire_ip4_result want;
	} rows[] = {
		{"whole packet", 56, 1, 0x10, true, WIRE_IP4_OK},
		{"nothing", 0, 1, 0x10, false, WIRE_IP4_TRUNCATED},
		{"one byte short of a header", 19, 1, 0x10, false, WIRE_IP4_TRUNCATED},
		{"header only, total length more", 20, 1, 0x10, true, WIRE_IP4_TRUNCATED},
		{"one byte short of total length", 55, 1, 0x10, true, WIRE_IP4_TRUNCATED},
		{"version 6", 56, 0, 0x65, true, WIRE_IP4_BAD_VERSION},
		{"version 0", 56, 0, 0x05, true, WIRE_IP4_BAD_VERSION},
		{"header length 16", 56, 0, 0x44, true, WIRE_IP4_BAD_HEADER},
		{"header length 0", 56, 0, 0x40, true, WIRE_IP4_BAD_HEADER},
		{"header length 60 over total length", 56, 0, 0x4f, true, WIRE_IP4_BAD_HEADER},
		{"total length 19", 56, 3, 19, true, WIRE_IP4_BAD_HEADER},
		{"total length 0", 56, 3, 0, true, WIRE_IP4_BAD_HEADER},
		{"total length 20", 56, 3, 20, true, WIRE_IP4_OK},
		{"total length 57", 56, 3, 57, true, WIRE_IP4_TRUNCATED},
		{"checksum", 56, 1, 0x11, false, WIRE_IP4_BAD_CHECKSUM},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t whole[56] = {0};
		struct wire_ip4 h;
		uint8_t *p;

		wire_ip4_encode(&ip_sample, whole);
		whole[rows[i].at] = rows[i].value;
		if (rows[i].fix_checksum) {
			base_store_be16(whole + 10, 0);
			base_store_be16(whole + 10, wire_sum_fold(wire_sum(whole, 20, 0)));
		}
		p = exact(whole, rows[i].len);
		memset(&h, 0xa5, sizeof(h));
		enum wire_ip4_result got = wire_ip4_decode(p, rows[i].len, &h);

		if (got != rows[i].want)
			fail_msg("%s: %d, not %d", rows[i].what, (int)got, (int)rows[i].want);
		if (got != WIRE_IP4_OK)
			assert_true(is_filled_with(&h, sizeof(h), 0xa5));
		free(p);
	}
}

static void
ip4_honours_options(void **state)
{
	uint8_t p[60 + 4] = {0};
	struct wire_ip4 h;

	(void)state;
	for (uint8_t ihl = 6; ihl <= 15; ihl++) {
		size_t header_len = (size_t)ihl * 4;

		wire_ip4_encode(&ip_sample, p);
		p[0] = (uint8_t)(0x40 | ihl);
		memset(p + 20, 0x01, header_len - 20);
		base_store_be16(p + 2, (uint16_t)(header_len + 4));
		base_store_be16(p + 10, 0);
		base_store_be16(p + 10, wire_sum_fold(wire_sum(p, header_len, 0)));
		assert_int_equal(wire_ip4_decode(p, header_len + 4, &h), WIRE_IP4_OK);
		assert_int_equal(h.header_len, header_len);
		/* The checksum covers the options. */
		p[header_len - 1] ^= 0x80;
		assert_int_equal(wire_ip4_decode(p, header_len + 4, &h), WIRE_IP4_BAD_CHECKSUM);
	}
}

static const struct wire_carp carp_sample = {
	.version = WIRE_CARP_VERSION,
	.type = WIRE_CARP_TYPE,
	.vhid = 3,
	.advskew = 4,
	.authlen = WIRE_CARP_AUTHLEN,
	.demotion = 5,
	.advbase = 6,
	.counter = UINT64_C(0x0102030405060708),
	.digest = {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39},
};

static void
carp_fields_stand_where_the_note_says(void **state)
{
	static const uint8_t want[WIRE_CARP_LEN] = {0x21, 3, 4, 7, 5, 6, 0, 0, 1, 2, 3, 4, 5, 6, 7,
		8, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39};
	uint8_t p[WIRE_CARP_LEN];
	struct wire_carp h;

	(void)state;
	wire_carp_encode(&carp_sample, p);
	assert_memory_equal(p, want, 6);
	assert_memory_equal(p + 8, want + 8, sizeof(want) - 8);
	assert_true(wire_carp_sum_ok(p));
	assert_true(wire_carp_decode(p, sizeof(p), &h));
	assert_int_equal(h.checksum, base_load_be16(p + 6));
	h.checksum = 0;
	assert_int_equal(h.version, carp_sample.version);
	assert_int_equal(h.type, carp_sample.type);
	assert_int_equal(h.vhid, carp_sample.vhid);
	assert_int_equal(h.advskew, carp_sample.advskew);
	assert_int_equal(h.authlen, carp_sample.authlen);
	assert_int_equal(h.demotion, carp_sample.demotion);
	assert_int_equal(h.advbase, carp_sample.advbase);
	assert_true(h.counter == carp_sample.counter);
	assert_memory_equal(h.digest, carp_sample.digest, sizeof(h.digest));
}

static void
carp_refuses_what_is_short(void **state)
{
	uint8_t whole[WIRE_CARP_LEN];
	struct wire_carp h;

	(void)state;
	wire_carp_encode(&carp_sample, whole);
	for (size_t len = 0; len < WIRE_CARP_LEN; len++) {
		uint8_t *p = exact(whole, len);

		memset(&h, 0xa5, sizeof(h));
		assert_false(wire_carp_decode(p, len, &h));
		assert_true(is_filled_with(&h, sizeof(h), 0xa5));
		free(p);
	}
}

static void
carp_checksum_sees_every_bit(void **state)
{
	uint8_t p[WIRE_CARP_LEN];

	(void)state;
	wire_carp_encode(&carp_sample, p);
	for (size_t bit = 0; bit < 8 * WIRE_CARP_LEN; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(wire_carp_sum_ok(p));
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(wire_carp_sum_ok(p));
}

static void
bow_out_is_255_255_only(void **state)
{
	(void)state;
	for (unsigned int base = 0; base < 256; base++) {
		for (unsigned int skew = 0; skew < 256; skew++) {
			struct wire_carp h = {.advbase = (uint8_t)base, .advskew = (uint8_t)skew};

			assert_int_equal(wire_carp_is_bow_out(&h), base == 255 && skew == 255);
		}
	}
}

static void
arp_round_trip_and_refusals(void **state)
{
	static const struct wire_arp arp = {
		.op = WIRE_ARP_REPLY,
		.sender_mac = {1, 2, 3, 4, 5, 6},
		.sender_ip = UINT32_C(0x0a000001),
		.target_mac = {7, 8, 9, 10, 11, 12},
		.target_ip = UINT32_C(0x0a000002),
	};
	static const uint8_t dst[] = {0xd, 0xd, 0xd, 0xd, 0xd, 0xd},
			     src[] = {0xe, 0xe, 0xe, 0xe, 0xe, 0xe};
	static const uint8_t want[WIRE_ARP_FRAME_LEN] = {0xd, 0xd, 0xd, 0xd, 0xd, 0xd, 0xe, 0xe,
		0xe, 0xe, 0xe, 0xe, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0, 2, 1, 2, 3, 4, 5,
		6, 10, 0, 0, 1, 7, 8, 9, 10, 11, 12, 10, 0, 0, 2};
	/* Bytes 0 to 5 say Ethernet, IPv4 and the lengths; any other value is not ours. */
	uint8_t frame[WIRE_ARP_FRAME_LEN];
	struct wire_arp got;

	(void)state;
	wire_arp_frame_encode(dst, src, &arp, frame);
	assert_memory_equal(frame, want, sizeof(want));
	assert_true(wire_arp_decode(frame + WIRE_ETH_LEN, WIRE_ARP_LEN, &got));
	assert_int_equal(got.op, arp.op);
	assert_memory_equal(got.sender_mac, arp.sender_mac, 6);
	assert_int_equal(got.sender_ip, arp.sender_ip);
	assert_memory_equal(got.target_mac, arp.target_mac, 6);
	assert_int_equal(got.target_ip, arp.target_ip);

	for (size_t i = 0; i < 6; i++) {
		memset(&got, 0xa5, sizeof(got));
		frame[WIRE_ETH_LEN + i] ^= 0x01;
		assert_false(wire_arp_decode(frame + WIRE_ETH_LEN, WIRE_ARP_LEN, &got));
		assert_true(is_filled_with(&got, sizeof(got), 0xa5));
		frame[WIRE_ETH_LEN + i] ^= 0x01;
	}
	for (size_t len = 0; len < WIRE_ARP_LEN; len++) {
		uint8_t *p = exact(frame + WIRE_ETH_LEN, len);

		memset(&got, 0xa5, sizeof(got));
		assert_false(wire_arp_decode(p, len, &got));
		assert_true(is_filled_with(&got, sizeof(got), 0xa5));
		free(p);
	}
}

static void
gratuitous_arp_carries_the_vmac_twice(void **state)
{
	static const uint8_t vmac[] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x07};
	static const uint8_t want[WIRE_ARP_FRAME_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		0x00, 0x5e, 0x00, 0x01, 0x07, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0, 1, 0x00,
		0x00, 0x5e, 0x00, 0x01, 0x07, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
	uint8_t frame[WIRE_ARP_FRAME_LEN];

	(void)state;
	wire_garp_frame_encode(vmac, UINT32_C(0xc0000201), frame);
	assert_memory_equal(frame, want, sizeof(want));
}

static void
icmp_round_trip(void **state)
{
	static const uint8_t payload[] = {0xde, 0xad, 0xbe, 0xef, 0x01};
	static const struct wire_icmp echo = {
		.type = WIRE_ICMP_ECHO_REQUEST, .code = 0, .rest = UINT32_C(0x12340001)};
	uint8_t p[WIRE_ICMP_LEN + sizeof(payload)];
	struct wire_icmp got;

	(void)state;
	/* With an odd payload, with an even one, without any. */
	for (size_t n = 0; n <= sizeof(payload); n++) {
		memcpy(p + WIRE_ICMP_LEN, payload, n);
		wire_icmp_encode(&echo, n ? payload : NULL, n, p);
		assert_int_equal(wire_sum_fold(wire_sum(p, WIRE_ICMP_LEN + n, 0)), 0);
		assert_true(wire_icmp_decode(p, WIRE_ICMP_LEN + n, &got));
		assert_int_equal(got.type, echo.type);
		assert_int_equal(got.code, echo.code);
		assert_int_equal(got.rest, echo.rest);
		assert_int_equal(got.checksum, base_load_be16(p + 2));
	}
	for (size_t len = 0; len < WIRE_ICMP_LEN; len++) {
		uint8_t *q = exact(p, len);

		memset(&got, 0xa5, sizeof(got));
		assert_false(wire_icmp_decode(q, len, &got));
		assert_true(is_filled_with(&got, sizeof(got), 0xa5));
		free(q);
	}
	/* 08 00 .. 12 34 00 01: the complement of 0800 + 1234 + 0001. */
	wire_icmp_encode(&echo, NULL, 0, p);
	assert_int_equal(base_load_be16(p + 2), 0xe5ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_of_rfc_1071_example),
		cmocka_unit_test(sum_in_parts_is_sum_of_whole),
		cmocka_unit_test(sum_does_not_overflow),
		cmocka_unit_test(eth_round_trip),
		cmocka_unit_test(ip4_round_trip),
		cmocka_unit_test(ip4_refuses),
		cmocka_unit_test(ip4_honours_options),
		cmocka_unit_test(carp_fields_stand_where_the_note_says),
		cmocka_unit_test(carp_refuses_what_is_short),
		cmocka_unit_test(carp_checksum_sees_every_bit),
		cmocka_unit_test(bow_out_is_255_255_only),
		cmocka_unit_test(arp_round_trip_and_refusals),
		cmocka_unit_test(gratuitous_arp_carries_the_vmac_twice),
		cmocka_unit_test(icmp_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
