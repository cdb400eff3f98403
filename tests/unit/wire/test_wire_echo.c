/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Echo requests and what comes back, whole and cut, of both families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "wire.h"
#include "wire6.h"
#include "wire_echo.h"

#define PAYLOAD 56
#define MAX	1500

static struct wire_echo
request(uint8_t family)
{
	static const uint8_t ours[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
	static const uint8_t theirs[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x64};
	struct wire_echo e = {.id = 0xabcd, .seq = 7, .ttl = 3, .payload = PAYLOAD};

	if (family == BASE_FAMILY_IP4) {
		e.src = base_addr_from_ip4(0xc0000202);
		e.dst = base_addr_from_ip4(0xc0000264);
	} else {
		e.src = base_addr_from_ip6(ours);
		e.dst = base_addr_from_ip6(theirs);
	}
	return e;
}

/* What a host sends back: ICMP of a type around payload, to who asked. */
static size_t
answer(const struct wire_echo *e, const struct base_addr *from, uint8_t type, uint8_t code,
	uint32_t rest, const uint8_t *payload, size_t len, uint8_t *out)
{
	if (e->dst.family == BASE_FAMILY_IP4) {
		struct wire_ip4 ip = {
			.total_len = (uint16_t)(WIRE_IP4_LEN + WIRE_ICMP_LEN + len),
			.ttl = 61,
			.proto = WIRE_PROTO_ICMP,
			.src = base_addr_ip4(from),
			.dst = base_addr_ip4(&e->src),
		};
		struct wire_icmp icmp = {.type = type, .code = code, .rest = rest};

		wire_ip4_encode(&ip, out);
		memcpy(out + WIRE_IP4_LEN + WIRE_ICMP_LEN, payload, len);
		wire_icmp_encode(&icmp, payload, len, out + WIRE_IP4_LEN);
		return ip.total_len;
	}
	struct wire_ip6 ip = {
		.payload_len = (uint16_t)(WIRE_ICMP6_LEN + len),
		.next = WIRE_PROTO_ICMP6,
		.hop_limit = 61,
	};
	struct wire_icmp6 icmp = {.type = type, .code = code, .rest = rest};

	memcpy(ip.src, from->bytes, 16);
	memcpy(ip.dst, e->src.bytes, 16);
	wire_ip6_encode(&ip, out);
	memcpy(out + WIRE_IP6_LEN + WIRE_ICMP6_LEN, payload, len);
	wire_icmp6_encode(&icmp, ip.src, ip.dst, payload, len, out + WIRE_IP6_LEN);
	return (size_t)WIRE_IP6_LEN + ip.payload_len;
}

static void
assert_same(const struct base_addr *a, const struct base_addr *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static const uint8_t families[] = {BASE_FAMILY_IP4, BASE_FAMILY_IP6};

static void
a_request_verifies(void **state)
{
	struct wire_ip4 ip4;
	struct wire_ip6 ip6;
	uint8_t p[MAX];

	(void)state;
	for (uint16_t payload = 0; payload < 200; payload++) {
		struct wire_echo e = request(BASE_FAMILY_IP4);

		e.payload = payload;
		assert_int_equal(wire_echo_encode(&e, p), 28u + payload);
		assert_int_equal(wire_ip4_decode(p, 28u + payload, &ip4), WIRE_IP4_OK);
		assert_int_equal(ip4.frag, WIRE_IP4_DF);
		assert_int_equal(ip4.ttl, 3);
		assert_int_equal(p[20], WIRE_ICMP_ECHO_REQUEST);
		assert_int_equal(base_load_be32(p + 24), 0xabcd0007);
		assert_int_equal(wire_sum_fold(wire_sum(p + 20, 8u + payload, 0)), 0);

		e = request(BASE_FAMILY_IP6);
		e.payload = payload;
		assert_int_equal(wire_echo_encode(&e, p), 48u + payload);
		assert_int_equal(wire_ip6_decode(p, 48u + payload, &ip6), WIRE_IP6_OK);
		assert_int_equal(ip6.hop_limit, 3);
		assert_int_equal(p[40], WIRE_ICMP6_ECHO_REQUEST);
		assert_true(wire_icmp6_sum_ok(p + 40, 8u + payload, ip6.src, ip6.dst));
	}
}

static void
a_reply_names_its_request(void **state)
{
	uint8_t p[MAX], payload[PAYLOAD] = {1, 2, 3};

	(void)state;
	for (unsigned int f = 0; f < 2; f++) {
		struct wire_echo e = request(families[f]);
		uint8_t type = f == 0 ? WIRE_ICMP_ECHO_REPLY : WIRE_ICMP6_ECHO_REPLY;
		size_t len = answer(&e, &e.dst, type, 0, 0xabcd0007, payload, PAYLOAD, p);
		struct wire_echo_answer a;

		assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_REPLY);
		assert_same(&a.src, &e.src);
		assert_same(&a.dst, &e.dst);
		assert_same(&a.from, &e.dst);
		assert_int_equal(a.id, 0xabcd);
		assert_int_equal(a.seq, 7);
		assert_int_equal(a.ttl, 61);
		assert_int_equal(a.bytes, 8 + PAYLOAD);
		/* what is not seen, or is padding, changes nothing */
		assert_int_equal(wire_echo_decode(p, wire_echo_overhead(families[f]), len, &a),
			WIRE_ECHO_REPLY);
		assert_int_equal(wire_echo_decode(p, len, len + 10, &a), WIRE_ECHO_REPLY);
		assert_int_equal(a.bytes, 8 + PAYLOAD);
		/* a request is no answer */
		len = wire_echo_encode(&e, p);
		assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_NONE);
	}
}

static void
an_error_quotes_its_request(void **state)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest, mtu;
	} cases[2][4] = {
		{{WIRE_ICMP_TIME_EXCEEDED, 0, 0, 0}, {WIRE_ICMP_UNREACHABLE, 1, 0, 0},
			{WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_FRAG, 1400, 1400},
			{WIRE_ICMP_PARAMETER, 0, 5, 0}},
		{{WIRE_ICMP6_TIME_EXCEEDED, 0, 0, 0}, {WIRE_ICMP6_UNREACHABLE, 3, 0, 0},
			{WIRE_ICMP6_TOO_BIG, 0, 1400, 1400}, {WIRE_ICMP6_PARAMETER, 0, 5, 0}},
	};
	uint8_t p[MAX], quoted[MAX];

	(void)state;
	for (unsigned int f = 0; f < 2; f++) {
		struct wire_echo e = request(families[f]);
		struct base_addr router = e.dst;
		size_t quote = wire_echo_encode(&e, quoted),
		       least = wire_echo_overhead(families[f]);

		router.bytes[3] = 0xfe;
		for (unsigned int i = 0; i < 4; i++) {
			size_t len = answer(&e, &router, cases[f][i].type, cases[f][i].code,
				cases[f][i].rest, quoted, quote, p);
			struct wire_echo_answer a;

			assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_ERROR);
			assert_same(&a.from, &router);
			assert_same(&a.to, &e.src);
			assert_same(&a.src, &e.src);
			assert_same(&a.dst, &e.dst);
			assert_int_equal(a.id, 0xabcd);
			assert_int_equal(a.seq, 7);
			assert_int_equal(a.type, cases[f][i].type);
			assert_int_equal(a.code, cases[f][i].code);
			assert_int_equal(a.mtu, cases[f][i].mtu);
			/* eight bytes of what was sent are enough (RFC 792), fewer are not */
			len = answer(&e, &router, cases[f][i].type, 0, 0, quoted, least, p);
			assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_ERROR);
			len = answer(&e, &router, cases[f][i].type, 0, 0, quoted, least - 1, p);
			assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_NONE);
		}
		/* about somebody's TCP, about a reply of ours, of a type that is no error */
		size_t len = answer(&e, &router, cases[f][0].type, 0, 0, quoted, quote, p);
		struct wire_echo_answer a;

		p[least + (f == 0 ? 9 : 6)] = WIRE_PROTO_TCP;
		assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_NONE);
		quoted[least - 8] = f == 0 ? WIRE_ICMP_ECHO_REPLY : WIRE_ICMP6_ECHO_REPLY;
		len = answer(&e, &router, cases[f][0].type, 0, 0, quoted, quote, p);
		assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_NONE);
		wire_echo_encode(&e, quoted);
		len = answer(
			&e, &router, f == 0 ? WIRE_ICMP_REDIRECT : 200, 0, 0, quoted, quote, p);
		assert_int_equal(wire_echo_decode(p, len, len, &a), WIRE_ECHO_NONE);
	}
}

/* However little is seen, nothing beyond is read; a sanitizer looks on. */
static void
cut_anywhere(void **state)
{
	uint8_t p[MAX], quoted[MAX];

	(void)state;
	for (unsigned int f = 0; f < 2; f++) {
		struct wire_echo e = request(families[f]);
		size_t quote = wire_echo_encode(&e, quoted);
		size_t len = answer(&e, &e.dst, f == 0 ? 11 : 3, 0, 0, quoted, quote, p);

		for (size_t seen = 0; seen < len; seen++) {
			uint8_t *copy = test_malloc(seen + 1);
			struct wire_echo_answer a;

			memcpy(copy, p, seen);
			(void)wire_echo_decode(copy, seen, len, &a);
			assert_int_equal(wire_echo_decode(copy, seen, seen, &a), WIRE_ECHO_NONE);
			test_free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_verifies),
		cmocka_unit_test(a_reply_names_its_request),
		cmocka_unit_test(an_error_quotes_its_request),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
