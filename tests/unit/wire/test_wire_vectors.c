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

#include "base_addr.h"
#include "support.h"
#include "wire6.h"

/* The golden vectors, as far as they need no digest to be computed: its bytes are given there. */

static json_t *vectors;

static int
load(void **state)
{
	(void)state;
	vectors = support_json(TEST_DATA "/carp-hmac.json");
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

/* Some members differ by system; then they are an object with a column each. */
static const json_t *
column(const json_t *obj, const char *key, const char *system)
{
	const json_t *v = support_get(obj, key);

	return json_is_object(v) ? support_get(v, system) : v;
}

/* The header of a case as a system sends it. */
static struct wire_carp
header_of(const json_t *c, const char *system, const char *digest)
{
	struct wire_carp h = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = (uint8_t)support_int(c, "vhid"),
		.advskew = (uint8_t)json_integer_value(column(c, "wire_advskew", system)),
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = (uint8_t)json_integer_value(column(c, "wire_demote", system)),
		.advbase = (uint8_t)support_int(c, "wire_advbase"),
		.counter = support_counter_of(c, "counter"),
	};

	support_hex_of(c, digest, h.digest, sizeof(h.digest));
	return h;
}

static void
assert_same_header(const struct wire_carp *a, const struct wire_carp *b)
{
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->vhid, b->vhid);
	assert_int_equal(a->advskew, b->advskew);
	assert_int_equal(a->authlen, b->authlen);
	assert_int_equal(a->demotion, b->demotion);
	assert_int_equal(a->advbase, b->advbase);
	assert_true(a->counter == b->counter);
	assert_memory_equal(a->digest, b->digest, WIRE_CARP_DIGEST_LEN);
}

static void
conformance_02_header_and_checksum_of_every_case(void **state)
{
	size_t i;
	json_t *c;

	(void)state;
	json_array_foreach (support_get(vectors, "cases"), i, c) {
		struct wire_carp h = header_of(c, "recommended", "md_nov6ll"), got;
		uint8_t want[WIRE_CARP_LEN], p[WIRE_CARP_LEN], sum[2];
		const char *hex = json_string_value(column(c, "header", "recommended"));

		assert_int_equal(support_hex(hex, want, sizeof(want)), sizeof(want));
		wire_carp_encode(&h, p);
		if (memcmp(p, want, sizeof(p)) != 0)
			fail_msg("%s: header differs", support_str(c, "id"));
		hex = json_string_value(column(c, "checksum", "recommended"));
		assert_int_equal(support_hex(hex, sum, sizeof(sum)), sizeof(sum));
		assert_memory_equal(p + 6, sum, sizeof(sum));
		assert_true(wire_carp_sum_ok(want));
		assert_true(wire_carp_decode(want, sizeof(want), &got));
		assert_int_equal(got.checksum, sum[0] << 8 | sum[1]);
		assert_same_header(&got, &h);
	}
	assert_int_equal(i, 34);
}

/* Which digest and which columns the frame of a system has. */
static const struct {
	const char *key;
	const char *system;
	const char *digest;
	uint16_t ip_id;
	uint8_t tos;
	unsigned int n;
} frames[] = {
	{"frame4", "netbsd", "md_orig", 0, 0x10, 28},
	{"frame4_openbsd", "openbsd", "md_nov6ll", 0x1234, 0x10, 4},
	{"frame4_freebsd_dscp56", "freebsd", "md_orig", 0, 0xe0, 4},
};

static void
frames_of_three_systems_byte_for_byte(void **state)
{
	(void)state;
	for (size_t f = 0; f < sizeof(frames) / sizeof(frames[0]); f++) {
		unsigned int n = 0;
		size_t i;
		json_t *c;

		json_array_foreach (support_get(vectors, "cases"), i, c) {
			const json_t *frame = json_object_get(c, frames[f].key);
			uint8_t want[WIRE_CARP4_FRAME_LEN], p[WIRE_CARP4_FRAME_LEN];
			struct wire_carp h;
			struct wire_carp4_envelope env = {
				.ip_dst = WIRE_CARP_GROUP_IP4,
				.ip_id = frames[f].ip_id,
				.tos = frames[f].tos,
			};

			if (frame == NULL)
				continue;
			h = header_of(c, frames[f].system, frames[f].digest);
			env.ip_src = support_ip4(support_str(frame, "ip_source"));
			memcpy(env.eth_dst, wire_carp_mac4, WIRE_MAC_LEN);
			base_vmac(h.vhid, env.eth_src);
			support_hex_of(frame, "hex", want, sizeof(want));
			wire_carp4_frame_encode(&env, &h, p);
			if (memcmp(p, want, sizeof(p)) != 0)
				fail_msg("%s: %s differs", support_str(c, "id"), frames[f].key);
			n++;
		}
		assert_int_equal(n, frames[f].n);
	}
}

static void
frames_from_the_wire_byte_for_byte(void **state)
{
	static const struct {
		const char *list;
		size_t n;
		bool ucarp;
	} lists[] = {{"netbsd_wire", 11, false}, {"ucarp_wire", 14, true}};

	(void)state;
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		size_t i;
		json_t *c;

		json_array_foreach (support_get(vectors, lists[l].list), i, c) {
			uint8_t want[WIRE_CARP4_FRAME_LEN], p[WIRE_CARP4_FRAME_LEN];
			struct wire_ip4 ip;
			struct wire_carp got,
				h = {
					.version = WIRE_CARP_VERSION,
					.type = WIRE_CARP_TYPE,
					.vhid = (uint8_t)support_int(c, "vhid"),
					.advskew = (uint8_t)support_int(c, "advskew"),
					.authlen = WIRE_CARP_AUTHLEN,
					.advbase = (uint8_t)support_int(c, "advbase"),
					.counter = support_counter_of(c, "counter"),
				};
			struct wire_carp4_envelope env = {
				.ip_src = support_ip4(support_str(c, "ip_source")),
				.ip_dst = WIRE_CARP_GROUP_IP4,
				.tos = WIRE_CARP_TOS,
			};

			support_hex_of(c, "md", h.digest, sizeof(h.digest));
			support_hex_of(c, "frame", want, sizeof(want));
			assert_int_equal(wire_ip4_decode(want + WIRE_ETH_LEN,
						 sizeof(want) - WIRE_ETH_LEN, &ip),
				WIRE_IP4_OK);
			memcpy(env.eth_dst, wire_carp_mac4, WIRE_MAC_LEN);
			base_vmac(h.vhid, env.eth_src);
			/* ucarp's identification is random, and its fifth MAC byte 0. */
			if (lists[l].ucarp) {
				env.eth_src[4] = 0;
				env.ip_id = ip.id;
			}
			wire_carp4_frame_encode(&env, &h, p);
			if (memcmp(p, want, sizeof(p)) != 0)
				fail_msg("%s differs", support_str(c, "id"));
			assert_true(wire_carp_decode(p + 34, WIRE_CARP_LEN, &got));
			assert_same_header(&got, &h);
		}
		assert_int_equal(i, lists[l].n);
	}
}

/* Which digest, sum and columns the IPv6 frame of a system has. */
static const struct {
	const char *key;
	const char *system;
	const char *digest;
	enum wire_carp_sum sum;
	unsigned int n;
} frames6[] = {
	{"frame6", "netbsd", "md_orig", WIRE_CARP_SUM_PLAIN, 8},
	{"frame6_pseudo", "netbsd", "md_orig", WIRE_CARP_SUM_PSEUDO, 8},
	{"frame6_openbsd", "openbsd", "md_nov6ll", WIRE_CARP_SUM_PLAIN, 3},
};

static void
frames_over_ipv6_byte_for_byte(void **state)
{
	(void)state;
	for (size_t f = 0; f < sizeof(frames6) / sizeof(frames6[0]); f++) {
		unsigned int n = 0;
		size_t i;
		json_t *c;

		json_array_foreach (support_get(vectors, "cases"), i, c) {
			const json_t *frame = json_object_get(c, frames6[f].key);
			uint8_t want[WIRE_CARP6_FRAME_LEN], p[WIRE_CARP6_FRAME_LEN];
			uint8_t pseudo[WIRE_CARP_LEN];
			const uint8_t *carp = want + WIRE_ETH_LEN + WIRE_IP6_LEN;
			struct wire_carp6_envelope env = {.sum = frames6[f].sum};
			struct wire_carp h, got;
			struct wire_eth eth;
			struct wire_ip6 ip;
			struct base_addr src;
			enum wire_carp_sum sum;

			if (frame == NULL)
				continue;
			n++;
			h = header_of(c, frames6[f].system, frames6[f].digest);
			support_hex_of(frame, "hex", want, sizeof(want));
			src = support_addr(support_str(support_get(c, "frame6"), "ip_source"));
			memcpy(env.eth_dst, wire_carp_mac6, WIRE_MAC_LEN);
			base_vmac(h.vhid, env.eth_src);
			memcpy(env.ip_src, src.bytes, sizeof(env.ip_src));
			memcpy(env.ip_dst, wire_carp_group_ip6, sizeof(env.ip_dst));
			wire_carp6_frame_encode(&env, &h, p);
			if (memcmp(p, want, sizeof(p)) != 0)
				fail_msg("%s: %s differs", support_str(c, "id"), frames6[f].key);

			assert_true(wire_eth_decode(want, sizeof(want), &eth));
			assert_int_equal(eth.type, WIRE_ETHERTYPE_IP6);
			assert_int_equal(wire_ip6_decode(want + WIRE_ETH_LEN,
						 sizeof(want) - WIRE_ETH_LEN, &ip),
				WIRE_IP6_OK);
			assert_int_equal(ip.payload_len, WIRE_CARP_LEN);
			assert_int_equal(ip.next, WIRE_PROTO_CARP);
			assert_int_equal(ip.hop_limit, WIRE_CARP_TTL);
			assert_memory_equal(ip.src, src.bytes, sizeof(ip.src));
			assert_memory_equal(ip.dst, wire_carp_group_ip6, sizeof(ip.dst));
			sum = wire_carp6_sum_ok(carp, ip.src, ip.dst);
			if (json_is_true(support_get(c, "v6_checksums_equal")))
				assert_int_equal(sum, WIRE_CARP_SUM_BOTH);
			else
				assert_int_equal(sum, frames6[f].sum);
			assert_true(wire_carp_decode(carp, WIRE_CARP_LEN, &got));
			assert_same_header(&got, &h);
			if (frames6[f].sum == WIRE_CARP_SUM_PSEUDO) {
				support_hex_of(c, "header_v6_pseudo", pseudo, sizeof(pseudo));
				assert_memory_equal(carp, pseudo, sizeof(pseudo));
			}
		}
		assert_int_equal(n, frames6[f].n);
	}
}

static void
gratuitous_arp_of_ucarp(void **state)
{
	static const uint8_t node[] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x0a};
	uint8_t want[WIRE_ARP_FRAME_LEN], p[WIRE_ARP_FRAME_LEN];
	struct wire_eth eth;
	struct wire_arp arp;

	(void)state;
	support_hex_of(vectors, "ucarp_gratuitous_arp", want, sizeof(want));
	assert_true(wire_eth_decode(want, sizeof(want), &eth));
	assert_memory_equal(eth.dst, wire_broadcast_mac, WIRE_MAC_LEN);
	assert_memory_equal(eth.src, node, WIRE_MAC_LEN);
	assert_int_equal(eth.type, WIRE_ETHERTYPE_ARP);
	assert_true(wire_arp_decode(want + WIRE_ETH_LEN, sizeof(want) - WIRE_ETH_LEN, &arp));
	assert_int_equal(arp.op, WIRE_ARP_REQUEST);
	assert_memory_equal(arp.sender_mac, node, WIRE_MAC_LEN);
	assert_memory_equal(arp.target_mac, node, WIRE_MAC_LEN);
	assert_int_equal(arp.sender_ip, support_ip4("192.168.1.1"));
	assert_int_equal(arp.target_ip, arp.sender_ip);
	wire_arp_frame_encode(eth.dst, eth.src, &arp, p);
	assert_memory_equal(p, want, sizeof(p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_02_header_and_checksum_of_every_case),
		cmocka_unit_test(frames_of_three_systems_byte_for_byte),
		cmocka_unit_test(frames_from_the_wire_byte_for_byte),
		cmocka_unit_test(frames_over_ipv6_byte_for_byte),
		cmocka_unit_test(gratuitous_arp_of_ucarp),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
