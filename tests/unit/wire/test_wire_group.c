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
#include "wire_group.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t mac[WIRE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x0a};

/* Frames written out by hand from the RFCs; IGMP has its checksum in the message alone. */
static void
reports_of_every_version(void **state)
{
	static const struct {
		const char *group, *src;
		uint8_t version;
		enum wire_group_change change;
		const char *eth_dst, *ip_dst; /* ip_dst as text of either family */
		const char *message;	      /* with its checksum */
	} rows[] = {
		{"224.0.0.18", "10.0.0.1", 1, WIRE_GROUP_JOIN, "01005e000012", "224.0.0.18",
			"12000dede0000012"},
		{"224.0.0.18", "10.0.0.1", 2, WIRE_GROUP_JOIN, "01005e000012", "224.0.0.18",
			"160009ede0000012"},
		{"224.0.0.18", "10.0.0.1", 2, WIRE_GROUP_ANSWER, "01005e000012", "224.0.0.18",
			"160009ede0000012"},
		{"224.0.0.18", "10.0.0.1", 2, WIRE_GROUP_LEAVE, "01005e000002", "224.0.0.2",
			"170008ede0000012"},
		/* The next two are what FreeBSD and ucarp hosts sent in the captures. */
		{"224.0.0.18", "10.0.0.1", 3, WIRE_GROUP_JOIN, "01005e000016", "224.0.0.22",
			"2200f9eb0000000104000000e0000012"},
		{"224.0.0.18", "10.0.0.1", 3, WIRE_GROUP_LEAVE, "01005e000016", "224.0.0.22",
			"2200faeb0000000103000000e0000012"},
		{"224.0.0.18", "10.0.0.1", 3, WIRE_GROUP_ANSWER, "01005e000016", "224.0.0.22",
			"2200fbeb0000000102000000e0000012"},
		{"ff02::12", "fe80::1", 1, WIRE_GROUP_JOIN, "333300000012", "ff02::12", NULL},
		{"ff02::12", "fe80::1", 1, WIRE_GROUP_LEAVE, "333300000002", "ff02::2", NULL},
		{"ff02::12", "fe80::1", 2, WIRE_GROUP_JOIN, "333300000016", "ff02::16", NULL},
		{"ff02::12", "::", 2, WIRE_GROUP_ANSWER, "333300000016", "ff02::16", NULL},
		/* A captured one. */
		{"ff02::1:ff00:1", "::", 1, WIRE_GROUP_JOIN, "3333ff000001", "ff02::1:ff00:1",
			"830080a100000000ff0200000000000000000001ff000001"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct wire_group_report r = {
			.group = support_addr(rows[i].group),
			.src = support_addr(rows[i].src),
			.version = rows[i].version,
			.change = rows[i].change,
		};
		struct base_addr dst = support_addr(rows[i].ip_dst);
		uint8_t frame[WIRE_GROUP_FRAME_MAX], want[64], eth_dst[WIRE_MAC_LEN];
		size_t len, want_len;
		const uint8_t *ip = frame + WIRE_ETH_LEN, *message;

		memcpy(r.eth_src, mac, sizeof(mac));
		len = wire_group_frame_encode(&r, frame);
		support_hex(rows[i].eth_dst, eth_dst, sizeof(eth_dst));
		assert_memory_equal(frame, eth_dst, sizeof(eth_dst));
		assert_memory_equal(frame + 6, mac, sizeof(mac));
		if (r.group.family == BASE_FAMILY_IP4) {
			struct wire_ip4 h;

			assert_int_equal(base_load_be16(frame + 12), WIRE_ETHERTYPE_IP4);
			assert_int_equal(wire_ip4_decode(ip, len - WIRE_ETH_LEN, &h), WIRE_IP4_OK);
			assert_int_equal(h.total_len, len - WIRE_ETH_LEN);
			assert_int_equal(h.header_len, 24);
			assert_int_equal(h.ttl, 1);
			assert_int_equal(h.proto, 2);
			assert_int_equal(h.src, base_addr_ip4(&r.src));
			assert_int_equal(h.dst, base_addr_ip4(&dst));
			assert_memory_equal(ip + 20, "\x94\x04\x00\x00", 4);
			message = ip + 24;
			want_len = len - WIRE_ETH_LEN - 24;
		} else {
			struct wire_ip6 h;

			assert_int_equal(base_load_be16(frame + 12), WIRE_ETHERTYPE_IP6);
			assert_int_equal(wire_ip6_decode(ip, len - WIRE_ETH_LEN, &h), WIRE_IP6_OK);
			assert_int_equal(h.payload_len, len - WIRE_ETH_LEN - WIRE_IP6_LEN);
			assert_int_equal(h.hop_limit, 1);
			assert_int_equal(h.next, WIRE_PROTO_HOPOPTS);
			assert_memory_equal(h.src, r.src.bytes, 16);
			assert_memory_equal(h.dst, dst.bytes, 16);
			assert_memory_equal(
				ip + WIRE_IP6_LEN, "\x3a\x00\x01\x00\x05\x02\x00\x00", 8);
			message = ip + WIRE_IP6_LEN + 8;
			want_len = len - WIRE_ETH_LEN - WIRE_IP6_LEN - 8;
			assert_true(wire_icmp6_sum_ok(message, want_len, h.src, h.dst));
		}
		if (rows[i].message == NULL)
			continue;
		assert_int_equal(support_hex(rows[i].message, want, sizeof(want)), want_len);
		if (memcmp(message, want, want_len) != 0)
			fail_msg("row %zu differs", i);
	}
}

static void
records_of_mld2(void **state)
{
	static const struct {
		enum wire_group_change change;
		uint8_t record;
	} rows[] = {{WIRE_GROUP_ANSWER, 2}, {WIRE_GROUP_JOIN, 4}, {WIRE_GROUP_LEAVE, 3}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct wire_group_report r = {.group = support_addr("ff02::12"),
			.src = support_addr("fe80::1"),
			.version = 2,
			.change = rows[i].change};
		uint8_t frame[WIRE_GROUP_FRAME_MAX];
		const uint8_t *p = frame + WIRE_ETH_LEN + WIRE_IP6_LEN + 8;

		assert_int_equal(wire_group_frame_encode(&r, frame), sizeof(frame));
		assert_int_equal(p[0], 143);
		assert_int_equal(base_load_be16(p + 6), 1);
		assert_int_equal(p[8], rows[i].record);
		assert_int_equal(base_load_be16(p + 10), 0);
		assert_memory_equal(p + 12, r.group.bytes, 16);
	}
}

static void
what_there_is_no_message_for(void **state)
{
	static const struct {
		const char *group;
		uint8_t version;
		enum wire_group_change change;
	} rows[] = {
		{"224.0.0.18", 0, WIRE_GROUP_JOIN},
		{"224.0.0.18", 1, WIRE_GROUP_LEAVE},
		{"224.0.0.18", 4, WIRE_GROUP_JOIN},
		{"ff02::12", 0, WIRE_GROUP_JOIN},
		{"ff02::12", 3, WIRE_GROUP_LEAVE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct wire_group_report r = {.group = support_addr(rows[i].group),
			.version = rows[i].version,
			.change = rows[i].change};
		uint8_t frame[WIRE_GROUP_FRAME_MAX];

		r.src.family = r.group.family;
		assert_int_equal(wire_group_frame_encode(&r, frame), 0);
	}
}

/* An IP packet with a query, built apart from the encoder. Returns its length. */
static size_t
make_query(const char *src, const char *dst, const char *message, uint8_t hop_limit, bool alert,
	uint8_t out[256])
{
	struct base_addr s = support_addr(src), d = support_addr(dst);
	uint8_t msg[128];
	size_t len = support_hex(message, msg, sizeof(msg)), header_len;
	uint32_t sum = 0;

	base_store_be16(msg + 2, 0);
	if (s.family == BASE_FAMILY_IP4) {
		struct wire_ip4 ip = {.ttl = hop_limit,
			.proto = 2,
			.src = base_addr_ip4(&s),
			.dst = base_addr_ip4(&d)};

		header_len = alert ? 28 : 20;
		ip.total_len = (uint16_t)(header_len + len);
		wire_ip4_encode(&ip, out);
		/* After an option that says nothing and one that is not ours. */
		if (alert)
			memcpy(out + 20, "\x01\x99\x03\x00\x94\x04\x00\x00", 8);
		out[0] = (uint8_t)(0x40 | header_len / 4);
		base_store_be16(out + 10, 0);
		base_store_be16(out + 10, wire_sum_fold(wire_sum(out, header_len, 0)));
	} else {
		struct wire_ip6 ip = {.hop_limit = hop_limit};

		header_len = 48;
		ip.payload_len = (uint16_t)(8 + len);
		memcpy(ip.src, s.bytes, 16);
		memcpy(ip.dst, d.bytes, 16);
		wire_ip6_encode(&ip, out);
		memcpy(out + 40,
			alert ? "\x3a\x00\x05\x02\x00\x00\x00\x00"
			      : "\x3a\x00\x01\x04\x00\x00\x00\x00",
			8);
		sum = wire_ip6_pseudo_sum(s.bytes, d.bytes, (uint32_t)len, WIRE_PROTO_ICMP6);
	}
	base_store_be16(msg + 2, wire_sum_fold(wire_sum(msg, len, sum)));
	memcpy(out + header_len, msg, len);
	return header_len + len;
}

#define G4 "e0000012"
#define G6 "ff020000000000000000000000000012"
#define Z4 "00000000"
#define Z6 "00000000000000000000000000000000"

static void
queries_of_every_version(void **state)
{
	static const struct {
		const char *src, *dst, *message;
		uint8_t hop_limit;
		bool alert;
		enum wire_group_result want;
		uint8_t version;
		const char *group; /* NULL: general */
		uint32_t max_resp_ms;
		uint16_t n_sources;
	} rows[] = {
		/* IGMP: general and about a group, in three versions. */
		{"10.0.0.9", "224.0.0.1", "11000000" Z4, 1, false, WIRE_GROUP_OK, 1, NULL, 10000,
			0},
		{"10.0.0.9", "224.0.0.1", "11640000" Z4, 1, true, WIRE_GROUP_OK, 2, NULL, 10000, 0},
		{"10.0.0.9", "224.0.0.18", "110a0000" G4, 1, true, WIRE_GROUP_OK, 2, "224.0.0.18",
			1000, 0},
		{"0.0.0.0", "224.0.0.1", "11ff0000" Z4, 1, false, WIRE_GROUP_OK, 2, NULL, 25500, 0},
		{"10.0.0.9", "224.0.0.1", "11640000" Z4 "02140000", 1, true, WIRE_GROUP_OK, 3, NULL,
			10000, 0},
		{"10.0.0.9", "224.0.0.1", "117f0000" Z4 "02140000", 1, true, WIRE_GROUP_OK, 3, NULL,
			12700, 0},
		{"10.0.0.9", "224.0.0.1", "11800000" Z4 "02140000", 1, true, WIRE_GROUP_OK, 3, NULL,
			12800, 0},
		{"10.0.0.9", "224.0.0.1", "11ff0000" Z4 "02140000", 1, true, WIRE_GROUP_OK, 3, NULL,
			3174400, 0},
		/* With two sources and something after them. */
		{"10.0.0.9", "224.0.0.18", "110a0000" G4 "02140002" G4 G4 "00", 1, true,
			WIRE_GROUP_OK, 3, "224.0.0.18", 1000, 2},
		{"10.0.0.9", "224.0.0.1", "110a0000" G4, 1, true, WIRE_GROUP_OK, 2, "224.0.0.18",
			1000, 0},
		{"10.0.0.9", "224.0.0.18", "110a0000" G4 "02140002" G4 "000000", 1, true,
			WIRE_GROUP_BAD_LENGTH, 0, NULL, 0, 0},
		{"10.0.0.9", "224.0.0.1", "11640000" Z4 "02", 1, true, WIRE_GROUP_BAD_LENGTH, 0,
			NULL, 0, 0},
		{"10.0.0.9", "224.0.0.1", "11640000", 1, true, WIRE_GROUP_BAD_LENGTH, 0, NULL, 0,
			0},
		{"10.0.0.9", "224.0.0.1", "16640000" G4, 1, true, WIRE_GROUP_OTHER, 0, NULL, 0, 0},
		{"10.0.0.9", "224.0.0.5", "11640000" Z4, 1, true, WIRE_GROUP_BAD_ENVELOPE, 0, NULL,
			0, 0},
		{"10.0.0.9", "224.0.0.5", "11640000" G4, 1, true, WIRE_GROUP_BAD_ENVELOPE, 0, NULL,
			0, 0},
		{"10.0.0.9", "10.0.0.1", "11640000" G4, 1, true, WIRE_GROUP_BAD_ENVELOPE, 0, NULL,
			0, 0},
		{"10.0.0.9", "10.0.0.1", "116400000a000001", 1, true, WIRE_GROUP_BAD_ENVELOPE, 0,
			NULL, 0, 0},
		/* MLD. */
		{"fe80::9", "ff02::1", "8200000003e80000" Z6, 1, true, WIRE_GROUP_OK, 1, NULL, 1000,
			0},
		{"fe80::9", "ff02::12", "82000000ffff0000" G6, 1, true, WIRE_GROUP_OK, 1,
			"ff02::12", 65535, 0},
		{"fe80::9", "ff02::1", "8200000027100000" Z6 "027d0000", 1, true, WIRE_GROUP_OK, 2,
			NULL, 10000, 0},
		{"fe80::9", "ff02::1", "82000000ffff0000" Z6 "027d0000", 1, true, WIRE_GROUP_OK, 2,
			NULL, 8387584, 0},
		{"fe80::9", "ff02::1", "8200000080000000" Z6 "027d0000", 1, true, WIRE_GROUP_OK, 2,
			NULL, 32768, 0},
		{"fe80::9", "ff02::12", "8200000003e80000" G6 "027d0001" G6, 1, true, WIRE_GROUP_OK,
			2, "ff02::12", 1000, 1},
		{"fe80::9", "ff02::12", "8200000003e80000" G6 "027d0002" G6, 1, true,
			WIRE_GROUP_BAD_LENGTH, 0, NULL, 0, 0},
		{"fe80::9", "ff02::1", "8200000003e80000" Z6 "0000", 1, true, WIRE_GROUP_BAD_LENGTH,
			0, NULL, 0, 0},
		{"fd00::9", "ff02::1", "8200000003e80000" Z6, 1, true, WIRE_GROUP_BAD_ENVELOPE, 0,
			NULL, 0, 0},
		{"fe80::9", "ff02::1", "8200000003e80000" Z6, 2, true, WIRE_GROUP_BAD_ENVELOPE, 0,
			NULL, 0, 0},
		{"fe80::9", "ff02::1", "8200000003e80000" Z6, 1, false, WIRE_GROUP_BAD_ENVELOPE, 0,
			NULL, 0, 0},
		{"fe80::9", "ff02::2", "8200000003e80000" Z6, 1, true, WIRE_GROUP_BAD_ENVELOPE, 0,
			NULL, 0, 0},
		{"fe80::9", "fe80::1", "8200000003e80000fe800000000000000000000000000001", 1, true,
			WIRE_GROUP_BAD_ENVELOPE, 0, NULL, 0, 0},
		{"fe80::9", "ff02::1", "8300000000000000" G6, 1, true, WIRE_GROUP_OTHER, 0, NULL, 0,
			0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t packet[256];
		struct wire_group_query q, untouched;
		size_t len = make_query(rows[i].src, rows[i].dst, rows[i].message,
			rows[i].hop_limit, rows[i].alert, packet);
		uint8_t *copy = malloc(len);
		enum wire_group_result got;

		memset(&untouched, 0xa5, sizeof(untouched));
		q = untouched;
		assert_non_null(copy);
		memcpy(copy, packet, len);
		got = wire_group_query_decode(copy, len, &q);
		if (got != rows[i].want)
			fail_msg("row %zu: %d, not %d", i, (int)got, (int)rows[i].want);
		free(copy);
		if (got != WIRE_GROUP_OK) {
			assert_memory_equal(&q, &untouched, sizeof(q));
			continue;
		}
		assert_int_equal(q.version, rows[i].version);
		assert_int_equal(q.general, rows[i].group == NULL);
		assert_int_equal(q.max_resp_ms, rows[i].max_resp_ms);
		assert_int_equal(q.n_sources, rows[i].n_sources);
		assert_int_equal(q.router_alert, rows[i].alert);
		if (rows[i].group != NULL) {
			struct base_addr group = support_addr(rows[i].group);

			assert_memory_equal(&q.group, &group, sizeof(group));
		}
		/* Any one bit of the message flipped makes its sum wrong. */
		packet[len - 1] ^= 1;
		assert_int_not_equal(wire_group_query_decode(packet, len, &q), WIRE_GROUP_OK);
	}
}

static void
query_cut_anywhere(void **state)
{
	static const char *const messages[] = {
		"8200000003e80000" G6 "027d0001" G6, "110a0000" G4 "02140002" G4 G4};

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		uint8_t packet[256];
		struct wire_group_query q;
		size_t len = make_query(i == 0 ? "fe80::9" : "10.0.0.9",
			i == 0 ? "ff02::12" : "224.0.0.18", messages[i], 1, true, packet);

		assert_int_equal(wire_group_query_decode(packet, len, &q), WIRE_GROUP_OK);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);

			assert_non_null(copy);
			memcpy(copy, packet, cut);
			assert_int_equal(wire_group_query_decode(copy, cut, &q), WIRE_GROUP_OTHER);
			free(copy);
		}
	}
}

static void
hop_by_hop_header_that_lies(void **state)
{
	static const struct {
		const char *what;
		const char *hopopts;
		enum wire_group_result want;
	} rows[] = {
		{"router alert after padding", "3a00010005020000", WIRE_GROUP_OK},
		{"single pads", "3a00000005020000", WIRE_GROUP_OK},
		{"next header UDP", "1100050200000100", WIRE_GROUP_OTHER},
		{"longer than the packet", "3a09050200000100", WIRE_GROUP_OTHER},
		{"router alert of other length", "3a00050300000000", WIRE_GROUP_BAD_ENVELOPE},
		{"option over the end", "3a000163050200ff", WIRE_GROUP_BAD_ENVELOPE},
		{"half an option", "3a00000000000005", WIRE_GROUP_BAD_ENVELOPE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t packet[256];
		struct wire_group_query q;
		size_t len =
			make_query("fe80::9", "ff02::1", "8200000003e80000" Z6, 1, true, packet);

		support_hex(rows[i].hopopts, packet + WIRE_IP6_LEN, 8);
		if (wire_group_query_decode(packet, len, &q) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

static void
fragments_and_options_of_ipv4(void **state)
{
	uint8_t packet[256];
	struct wire_group_query q;
	size_t len = make_query("10.0.0.9", "224.0.0.1", "11640000" Z4, 1, true, packet);

	(void)state;
	/* An option of length 0 ends the search, no more. */
	packet[22] = 0;
	base_store_be16(packet + 10, 0);
	base_store_be16(packet + 10, wire_sum_fold(wire_sum(packet, 28, 0)));
	assert_int_equal(wire_group_query_decode(packet, len, &q), WIRE_GROUP_OK);
	assert_false(q.router_alert);
	packet[6] = 0x20;
	base_store_be16(packet + 10, 0);
	base_store_be16(packet + 10, wire_sum_fold(wire_sum(packet, 28, 0)));
	assert_int_equal(wire_group_query_decode(packet, len, &q), WIRE_GROUP_OTHER);
}

static void
macs_of_groups(void **state)
{
	static const struct {
		const char *group;
		const char *mac;
	} rows[] = {
		{"224.0.0.18", "01:00:5e:00:00:12"},
		{"239.255.255.250", "01:00:5e:7f:ff:fa"},
		{"ff02::12", "33:33:00:00:00:12"},
		{"ff02::1:ff01:203", "33:33:ff:01:02:03"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct base_addr group = support_addr(rows[i].group);
		uint8_t want[WIRE_MAC_LEN], got[WIRE_MAC_LEN];

		support_mac(rows[i].mac, want);
		wire_group_mac(&group, got);
		assert_memory_equal(got, want, sizeof(got));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_of_every_version),
		cmocka_unit_test(records_of_mld2),
		cmocka_unit_test(what_there_is_no_message_for),
		cmocka_unit_test(queries_of_every_version),
		cmocka_unit_test(query_cut_anywhere),
		cmocka_unit_test(hop_by_hop_header_that_lies),
		cmocka_unit_test(fragments_and_options_of_ipv4),
		cmocka_unit_test(macs_of_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
