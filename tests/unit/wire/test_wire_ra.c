/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Router discovery, against bytes written out after RFC 4861, 4191 and 8106. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "support.h"
#include "wire_ra.h"

#define OFF_MSG (WIRE_ETH_LEN + WIRE_IP6_LEN)

static const uint8_t vmac[WIRE_MAC_LEN] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x01};
static const uint8_t router[16] = {
	0xfe, 0x80, [8] = 0x02, [10] = 0x5e, 0xff, 0xfe, 0x00, 0x01, 0x01};

static struct wire_ra
whole(void)
{
	struct wire_ra ra;

	memset(&ra, 0, sizeof(ra));
	ra = (struct wire_ra){
		.hop_limit = 64,
		.managed = true,
		.preference = WIRE_RA_HIGH,
		.lifetime_s = 1800,
		.reachable_ms = 60000,
		.retrans_ms = 1000,
		.has_lladdr = true,
		.mtu = 1500,
		.n_prefixes = 1,
		.dns_lifetime_s = 1800,
		.n_dns = 1,
	};
	memcpy(ra.lladdr, vmac, sizeof(vmac));
	ra.prefix[0] = (struct wire_ra_prefix){.prefix = {0x20, 0x01, 0x0d, 0xb8, 0, 1},
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 2592000,
		.preferred_s = 604800};
	memcpy(ra.dns[0], (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 0x53}, 16);
	assert_true(wire_ra_domain_add(&ra, "example.org"));
	return ra;
}

static void
every_field_has_its_place(void **state)
{
	static const uint8_t want[] = {134, 0, 0, 0, 64, 0x88, 0x07, 0x08, 0, 0, 0xea, 0x60, 0, 0,
		0x03, 0xe8,				  /* */
		1, 1, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x01, /* */
		5, 1, 0, 0, 0, 0, 0x05, 0xdc,		  /* */
		3, 4, 64, 0xc0, 0x00, 0x27, 0x8d, 0x00, 0x00, 0x09, 0x3a, 0x80, 0, 0, 0, 0, 0x20,
		0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* */
		25, 3, 0, 0, 0, 0, 0x07, 0x08, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0x53, /* */
		31, 3, 0, 0, 0, 0, 0x07, 0x08, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'o', 'r',
		'g', 0, 0, 0, 0};
	struct wire_ra ra = whole(), again;
	uint8_t frame[WIRE_RA_FRAME_MAX];
	struct wire_eth eth;
	struct wire_ip6 ip;
	size_t len = wire_ra_frame_encode(vmac, router, &ra, frame);

	(void)state;
	assert_int_equal(len, OFF_MSG + sizeof(want));
	assert_true(wire_eth_decode(frame, len, &eth));
	assert_memory_equal(eth.src, vmac, 6);
	assert_memory_equal(eth.dst, ((const uint8_t[6]){0x33, 0x33, 0, 0, 0, 1}), 6);
	assert_int_equal(
		wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip), WIRE_IP6_OK);
	assert_int_equal(ip.hop_limit, 255);
	assert_memory_equal(ip.src, router, 16);
	assert_memory_equal(ip.dst, wire_ip6_all_nodes, 16);
	assert_true(wire_icmp6_sum_ok(frame + OFF_MSG, ip.payload_len, ip.src, ip.dst));
	base_store_be16(frame + OFF_MSG + 2, 0);
	assert_memory_equal(frame + OFF_MSG, want, sizeof(want));
	len = wire_ra_frame_encode(vmac, router, &ra, frame);
	memset(&again, 0, sizeof(again));
	assert_int_equal(wire_ra_decode(&ip, frame + OFF_MSG, &again), WIRE_RA_OK);
	assert_memory_equal(&again, &ra, sizeof(ra));
}

/* A message from a source, its sum put right. */
static enum wire_ra_result
decode(uint8_t type, const uint8_t src[16], uint8_t hop_limit, const void *body, size_t len,
	struct wire_ra *ra, struct wire_rs *rs)
{
	struct wire_ip6 ip = {.next = WIRE_PROTO_ICMP6,
		.hop_limit = hop_limit,
		.payload_len = (uint16_t)(4 + len)};
	uint8_t *p = malloc(4 + len); /* exactly, so that a sanitizer sees a read past it */
	enum wire_ra_result ret;

	assert_non_null(p);
	memcpy(ip.src, src, 16);
	memcpy(ip.dst, wire_ip6_all_nodes, 16);
	base_store_be32(p, (uint32_t)type << 24);
	memcpy(p + 4, body, len);
	base_store_be16(p + 2,
		wire_sum_fold(wire_sum(p, 4 + len,
			wire_ip6_pseudo_sum(ip.src, ip.dst, (uint32_t)(4 + len), ip.next))));
	ret = type == WIRE_ICMP6_RS ? wire_rs_decode(&ip, p, rs) : wire_ra_decode(&ip, p, ra);
	free(p);
	return ret;
}

static void
refusals(void **state)
{
	static const uint8_t global[16] = {0x20, 0x01, [15] = 1};
	static const uint8_t none[16];
	uint8_t body[64] = {0};
	struct wire_ra ra;
	struct wire_rs rs;

	(void)state;
#define RA(src, hops, len) decode(WIRE_ICMP6_RA, src, hops, body, len, &ra, &rs)
#define RS(src, hops, len) decode(WIRE_ICMP6_RS, src, hops, body, len, &ra, &rs)
	assert_int_equal(RA(router, 255, 12), WIRE_RA_OK);
	assert_int_equal(RA(router, 255, 11), WIRE_RA_TRUNCATED);
	assert_int_equal(RA(router, 254, 12), WIRE_RA_BAD_HOP_LIMIT);
	assert_int_equal(RA(global, 255, 12), WIRE_RA_BAD_SOURCE);
	assert_int_equal(RA(none, 255, 12), WIRE_RA_BAD_SOURCE);
	assert_int_equal(RA(router, 255, 20), WIRE_RA_BAD_OPTION); /* of length 0 */
	body[12] = 3;
	body[13] = 1; /* a prefix needs four units */
	assert_int_equal(RA(router, 255, 20), WIRE_RA_BAD_OPTION);
	body[13] = 4;
	assert_int_equal(RA(router, 255, 20), WIRE_RA_BAD_OPTION); /* over the end */
	body[14] = 129; /* no such length: as if it were not there */
	assert_int_equal(RA(router, 255, 44), WIRE_RA_OK);
	assert_int_equal(ra.n_prefixes, 0);
	body[14] = 61;
	memset(body + 28, 0xff, 16);
	assert_int_equal(RA(router, 255, 44), WIRE_RA_OK);
	assert_int_equal(ra.prefix[0].prefix[7], 0xf8);
	assert_int_equal(ra.prefix[0].prefix[8], 0);
	body[1] = 0x10; /* the reserved preference */
	assert_int_equal(RA(router, 255, 44), WIRE_RA_OK);
	assert_int_equal(ra.preference, WIRE_RA_MEDIUM);
	body[1] = 0x18;
	assert_int_equal(RA(router, 255, 44), WIRE_RA_OK);
	assert_int_equal(ra.preference, WIRE_RA_LOW);

	memset(body, 0, sizeof(body));
	assert_int_equal(RS(none, 255, 4), WIRE_RA_OK);
	assert_false(rs.has_lladdr);
	assert_int_equal(RS(none, 255, 3), WIRE_RA_OTHER);
	assert_int_equal(RS(none, 64, 4), WIRE_RA_BAD_HOP_LIMIT);
	body[4] = 1;
	body[5] = 1;
	body[6] = 2;
	assert_int_equal(RS(none, 255, 12), WIRE_RA_BAD_SOURCE);
	assert_int_equal(RS(global, 255, 12), WIRE_RA_OK);
	assert_true(rs.has_lladdr);
	assert_int_equal(rs.lladdr[0], 2);
	assert_int_equal(decode(135, global, 255, body, 12, &ra, &rs), WIRE_RA_OTHER);
}

static void
code_and_sum_count(void **state)
{
	struct wire_ra ra = whole(), out;
	uint8_t frame[WIRE_RA_FRAME_MAX];
	struct wire_ip6 ip;
	size_t len = wire_ra_frame_encode(vmac, router, &ra, frame);

	(void)state;
	wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip);
	frame[OFF_MSG + 1] = 1;
	assert_int_equal(wire_ra_decode(&ip, frame + OFF_MSG, &out), WIRE_RA_BAD_CHECKSUM);
	frame[OFF_MSG + 3]--; /* the sum's lower byte with the code's */
	assert_int_equal(wire_ra_decode(&ip, frame + OFF_MSG, &out), WIRE_RA_BAD_CODE);
}

/* Every option at its most: the frame's bound holds, and all of it comes back. */
static void
the_longest_fits(void **state)
{
	static uint8_t frame[WIRE_RA_FRAME_MAX];
	struct wire_ra ra = whole(), again;
	struct wire_ip6 ip;
	size_t len;

	(void)state;
	for (; ra.n_prefixes < WIRE_RA_PREFIX_MAX; ra.n_prefixes++) {
		ra.prefix[ra.n_prefixes] = ra.prefix[0];
		ra.prefix[ra.n_prefixes].prefix[7] = (uint8_t)ra.n_prefixes;
	}
	for (; ra.n_dns < WIRE_RA_DNS_MAX; ra.n_dns++)
		ra.dns[ra.n_dns][0] = (uint8_t)ra.n_dns;
	while (wire_ra_domain_add(&ra, "a.very.long.name.of.a.domain"))
		;
	assert_true(ra.domains_len > WIRE_RA_DOMAINS_MAX - 30);
	len = wire_ra_frame_encode(vmac, router, &ra, frame);
	assert_true(len <= sizeof(frame) && len > sizeof(frame) - 32 && len < 1280);
	wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip);
	memset(&again, 0, sizeof(again));
	assert_int_equal(wire_ra_decode(&ip, frame + OFF_MSG, &again), WIRE_RA_OK);
	assert_memory_equal(&again, &ra, sizeof(ra));
}

static void
domains(void **state)
{
	static const char *const bad[] = {"", ".", "a..b", ".a", "a.", "a b", "a_b", "ü.de",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn.org"};
	struct wire_ra ra = {0};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(wire_ra_domain_add(&ra, bad[i]));
		assert_int_equal(ra.domains_len, 0);
	}
	assert_true(wire_ra_domain_add(&ra, "x"));
	assert_true(wire_ra_domain_add(&ra, "lan.example-1.org"));
	assert_int_equal(ra.domains_len, 3 + 19);
	assert_memory_equal(ra.domains, "\1x\0\3lan\11example-1\3org", 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_its_place),
		cmocka_unit_test(refusals),
		cmocka_unit_test(code_and_sum_count),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(domains),
	};

	return cmocka_run_group_tests_name("wire_ra", tests, NULL, NULL);
}
