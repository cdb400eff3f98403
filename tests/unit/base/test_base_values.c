/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The inline parts of base: bytes, addresses, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_addr.h"
#include "base_bytes.h"
#include "base_time.h"

static void
loads_are_big_endian_at_any_alignment(void **state)
{
	static const uint8_t buf[] = {0xff, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0xff};

	(void)state;
	assert_int_equal(base_load_be16(buf + 1), 0x0182);
	assert_int_equal(base_load_be32(buf + 1), 0x01820384);
	assert_int_equal(base_load_be64(buf + 1), UINT64_C(0x0182038405860788));
	/* the top bit of each width is only a bit */
	assert_int_equal(base_load_be16(buf + 2), 0x8203);
	assert_int_equal(base_load_be32(buf + 2), UINT32_C(0x82038405));
	assert_int_equal(base_load_be64(buf + 2), UINT64_C(0x82038405860788ff));
}

static void
stores_write_their_bytes_and_no_other(void **state)
{
	static const struct {
		unsigned int width;
		uint8_t bytes[10];
	} rows[] = {
		{2, {0xee, 0xf1, 0x02, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}},
		{4, {0xee, 0xf1, 0x02, 0xf3, 0x04, 0xee, 0xee, 0xee, 0xee, 0xee}},
		{8, {0xee, 0xf1, 0x02, 0xf3, 0x04, 0xf5, 0x06, 0xf7, 0x08, 0xee}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[10];

		memset(buf, 0xee, sizeof(buf));
		if (rows[i].width == 2)
			base_store_be16(buf + 1, 0xf102);
		else if (rows[i].width == 4)
			base_store_be32(buf + 1, UINT32_C(0xf102f304));
		else
			base_store_be64(buf + 1, UINT64_C(0xf102f304f506f708));
		assert_memory_equal(buf, rows[i].bytes, sizeof(buf));
	}
}

static void
ip4_goes_through_an_address_and_back(void **state)
{
	static const uint32_t ips[] = {
		0, 1, UINT32_C(0xc0000201), UINT32_C(0xe0000012), UINT32_C(0x80000000), UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		struct base_addr a = base_addr_from_ip4(ips[i]);
		uint8_t rest[12] = {0};

		assert_int_equal(a.family, BASE_FAMILY_IP4);
		assert_int_equal(base_load_be32(a.bytes), ips[i]);
		assert_int_equal(base_addr_ip4(&a), ips[i]);
		/* unused bytes are zero: addresses compare with memcmp */
		assert_memory_equal(a.bytes + 4, rest, sizeof(rest));
	}
}

static void
masks_of_every_prefix_length(void **state)
{
	uint64_t expect = UINT64_C(0xffffffff00000000);

	(void)state;
	for (unsigned int plen = 0; plen <= 32; plen++, expect >>= 1)
		assert_int_equal(base_ip4_mask((uint8_t)plen), (uint32_t)expect);
	assert_int_equal(base_ip4_mask(0), 0);
	assert_int_equal(base_ip4_mask(24), UINT32_C(0xffffff00));
	assert_int_equal(base_ip4_mask(32), UINT32_MAX);
}

/* Bit by bit, each length: what is after it goes, and does not matter. */
static void
networks_of_every_prefix_length(void **state)
{
	(void)state;
	for (unsigned int plen = 0; plen <= 128; plen++) {
		struct base_prefix p = {.addr.family = BASE_FAMILY_IP6, .plen = (uint8_t)plen};
		struct base_prefix net;

		memset(p.addr.bytes, 0xff, sizeof(p.addr.bytes));
		net = base_prefix_network(&p);
		assert_int_equal(net.plen, plen);
		for (unsigned int bit = 0; bit < 128; bit++) {
			struct base_addr other = p.addr;

			assert_int_equal(net.addr.bytes[bit / 8] >> (7 - bit % 8) & 1, bit < plen);
			other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			assert_int_equal(base_prefix_holds(&p, &other), bit >= plen);
		}
		assert_true(base_prefix_holds(&net, &p.addr));
	}
	const struct base_prefix any = {.addr.family = BASE_FAMILY_IP4};
	const struct base_addr ip6 = {.family = BASE_FAMILY_IP6};

	assert_false(base_prefix_holds(&any, &ip6));
}

static void
vmac_ends_in_the_vhid(void **state)
{
	(void)state;
	for (unsigned int vhid = 0; vhid <= 255; vhid++) {
		uint8_t expect[BASE_MAC_LEN] = {0x00, 0x00, 0x5e, 0x00, 0x01, (uint8_t)vhid};
		uint8_t mac[BASE_MAC_LEN];

		base_vmac((uint8_t)vhid, mac);
		assert_memory_equal(mac, expect, sizeof(mac));
	}
}

static void
time_saturates(void **state)
{
	(void)state;
	assert_int_equal(base_ns_add(5, 7), 12);
	assert_int_equal(base_ns_add(BASE_NS_NEVER, 0), BASE_NS_NEVER);
	assert_int_equal(base_ns_add(BASE_NS_NEVER, 1), BASE_NS_NEVER);
	assert_int_equal(base_ns_add(1, BASE_NS_NEVER), BASE_NS_NEVER);
	assert_int_equal(base_ns_add(BASE_NS_NEVER - 7, 7), BASE_NS_NEVER);
	assert_int_equal(base_ns_add(BASE_NS_NEVER - 7, 8), BASE_NS_NEVER);
	assert_int_equal(base_ns_since(12, 5), 7);
	assert_int_equal(base_ns_since(5, 5), 0);
	assert_int_equal(base_ns_since(5, 12), 0);
	assert_int_equal(base_ns_since(5, BASE_NS_NEVER), 0);
	/* 256 units of advskew are one second, to the nanosecond */
	assert_int_equal(256 * BASE_NS_PER_SKEW, BASE_NS_PER_S);
	assert_int_equal(1000 * BASE_NS_PER_MS, BASE_NS_PER_S);
	assert_int_equal(1000 * BASE_NS_PER_US, BASE_NS_PER_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_are_big_endian_at_any_alignment),
		cmocka_unit_test(stores_write_their_bytes_and_no_other),
		cmocka_unit_test(ip4_goes_through_an_address_and_back),
		cmocka_unit_test(masks_of_every_prefix_length),
		cmocka_unit_test(networks_of_every_prefix_length),
		cmocka_unit_test(vmac_ends_in_the_vhid),
		cmocka_unit_test(time_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
