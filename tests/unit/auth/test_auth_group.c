/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "support.h"

#define VIPS_MAX 40

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

struct material {
	uint8_t key[AUTH_KEY_LEN];
	uint8_t vhid;
	uint64_t counter;
	struct base_addr vips[VIPS_MAX];
	uint16_t n_vips;
};

static struct material
material_of(const json_t *c)
{
	struct material m = {
		.vhid = (uint8_t)support_int(c, "vhid"),
		.counter = support_counter_of(c, "counter"),
	};

	support_hex_of(c, "key_hex", m.key, sizeof(m.key));
	m.n_vips = support_addrs_of(c, "addrs4", m.vips, 0, VIPS_MAX);
	m.n_vips = support_addrs_of(c, "addrs6", m.vips, m.n_vips, VIPS_MAX);
	return m;
}

static struct auth_group *
group_of(const struct material *m)
{
	struct auth_group *g = auth_group_create(m->key, m->vhid, m->vips, m->n_vips);

	assert_non_null(g);
	return g;
}

static const json_t *
case_by_id(const char *id)
{
	size_t i;
	json_t *c;

	json_array_foreach (support_get(vectors, "cases"), i, c)
		if (strcmp(support_str(c, "id"), id) == 0)
			return c;
	fail_msg("no case %s", id);
	return NULL;
}

static void
conformance_01_digests_of_every_case(void **state)
{
	unsigned int differ = 0;
	size_t i;
	json_t *c;

	(void)state;
	json_array_foreach (support_get(vectors, "cases"), i, c) {
		struct material m = material_of(c);
		struct auth_group *g = group_of(&m);
		uint8_t orig[AUTH_DIGEST_LEN], nov6ll[AUTH_DIGEST_LEN], md[AUTH_DIGEST_LEN];

		support_hex_of(c, "md_orig", orig, sizeof(orig));
		support_hex_of(c, "md_nov6ll", nov6ll, sizeof(nov6ll));
		differ += memcmp(orig, nov6ll, sizeof(orig)) != 0;
		assert_int_equal(auth_group_sign(g, m.counter, md), 0);
		if (memcmp(md, nov6ll, sizeof(md)) != 0)
			fail_msg("%s: digest differs", support_str(c, "id"));
		auth_group_send_orig(g, true);
		assert_int_equal(auth_group_sign(g, m.counter, md), 0);
		if (memcmp(md, orig, sizeof(md)) != 0)
			fail_msg("%s: digest with link-local addresses differs",
				support_str(c, "id"));
		/* Whatever is sent, both are accepted. */
		assert_true(auth_group_verify(g, m.counter, nov6ll));
		assert_true(auth_group_verify(g, m.counter, orig));
		auth_group_send_orig(g, false);
		assert_int_equal(auth_group_sign(g, m.counter, md), 0);
		assert_memory_equal(md, nov6ll, sizeof(md));
		assert_true(auth_group_verify(g, m.counter, nov6ll));
		assert_true(auth_group_verify(g, m.counter, orig));
		/* And again: a digest leaves the prepared state as it was. */
		assert_true(auth_group_verify(g, m.counter, nov6ll));
		assert_false(auth_group_verify(g, m.counter ^ 1, nov6ll));
		assert_false(auth_group_verify(g, m.counter ^ 1, orig));
		auth_group_destroy(g);
	}
	assert_int_equal(i, 34);
	/* Cases with a link-local VIP, where the two variants are not one. */
	assert_int_equal(differ, 3);
}

static void
every_bit_of_a_digest_counts(void **state)
{
	static const char *const ids[] = {"v4-single", "mixed-linklocal"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const json_t *c = case_by_id(ids[i]);
		struct material m = material_of(c);
		struct auth_group *g = group_of(&m);
		static const char *const variants[] = {"md_orig", "md_nov6ll"};

		for (size_t v = 0; v < 2; v++) {
			uint8_t md[AUTH_DIGEST_LEN];

			support_hex_of(c, variants[v], md, sizeof(md));
			for (size_t bit = 0; bit < 8 * AUTH_DIGEST_LEN; bit++) {
				md[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_false(auth_group_verify(g, m.counter, md));
				md[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			assert_true(auth_group_verify(g, m.counter, md));
		}
		auth_group_destroy(g);
	}
}

static void
keys_of_the_cases(void **state)
{
	unsigned int refused = 0;
	size_t i;
	json_t *c;

	(void)state;
	json_array_foreach (support_get(vectors, "cases"), i, c) {
		struct material m = material_of(c);
		const char *pass = support_str(c, "pass");
		uint8_t key[AUTH_KEY_LEN];

		if (strlen(pass) > AUTH_PASS_MAX_BYTES) {
			/* The BSDs cut it (the digest is that of 19 characters); we refuse it. */
			assert_int_equal(auth_key_from_pass(pass, key), -E2BIG);
			refused++;
			continue;
		}
		assert_int_equal(auth_key_from_pass(pass, key), 0);
		assert_memory_equal(key, m.key, sizeof(key));
	}
	assert_int_equal(refused, 2);
}

static void
conformance_06_vips_in_any_order_or_twice(void **state)
{
	const json_t *c = case_by_id("v4-32-addresses");
	struct material m = material_of(c);
	struct base_rand rand;
	uint8_t want[AUTH_DIGEST_LEN], md[AUTH_DIGEST_LEN];
	uint64_t fingerprint = auth_vip_fingerprint(m.vips, m.n_vips);

	(void)state;
	support_hex_of(c, "md_orig", want, sizeof(want));
	base_rand_init(&rand, 6);
	assert_int_equal(m.n_vips, 32);
	for (int round = 0; round < 50; round++) {
		struct auth_group *g;

		for (uint16_t i = (uint16_t)(m.n_vips - 1); i > 0; i--) {
			uint16_t k = (uint16_t)base_rand_below(&rand, i + 1u);
			struct base_addr t = m.vips[i];

			m.vips[i] = m.vips[k];
			m.vips[k] = t;
		}
		/* Six of them a second time, one every eighth round. */
		if (round % 8 == 7) {
			m.vips[m.n_vips] = m.vips[base_rand_below(&rand, m.n_vips)];
			m.n_vips++;
		}
		g = group_of(&m);
		assert_int_equal(auth_group_sign(g, m.counter, md), 0);
		assert_memory_equal(md, want, sizeof(md));
		assert_true(auth_vip_fingerprint(m.vips, m.n_vips) == fingerprint);
		auth_group_destroy(g);
	}
	assert_true(m.n_vips == 38);
}

static void
conformance_33_extra_vip_on_one_node(void **state)
{
	struct material a = material_of(case_by_id("v4-three-unsorted")), b = a;
	struct auth_group *ga, *gb;
	uint8_t md[AUTH_DIGEST_LEN];

	(void)state;
	b.vips[b.n_vips++] = support_addr("192.168.1.77");
	ga = group_of(&a);
	gb = group_of(&b);
	assert_int_equal(auth_group_sign(ga, a.counter, md), 0);
	assert_true(auth_group_verify(ga, a.counter, md));
	assert_false(auth_group_verify(gb, a.counter, md));
	assert_int_equal(auth_group_sign(gb, a.counter, md), 0);
	assert_false(auth_group_verify(ga, a.counter, md));
	/* The operator can see why: the sets have different fingerprints. */
	assert_true(
		auth_vip_fingerprint(a.vips, a.n_vips) != auth_vip_fingerprint(b.vips, b.n_vips));
	auth_group_destroy(ga);
	auth_group_destroy(gb);
}

static void
conformance_54_key_changed(void **state)
{
	const json_t *c = case_by_id("v4-single");
	struct material m = material_of(c);
	struct auth_group *old_group = group_of(&m), *new_group;
	uint8_t old_md[AUTH_DIGEST_LEN], new_md[AUTH_DIGEST_LEN];

	(void)state;
	assert_int_equal(auth_key_from_pass("abc", m.key), 0);
	new_group = group_of(&m);
	assert_int_equal(auth_group_sign(old_group, m.counter, old_md), 0);
	assert_int_equal(auth_group_sign(new_group, m.counter, new_md), 0);
	assert_true(auth_group_verify(new_group, m.counter, new_md));
	assert_false(auth_group_verify(new_group, m.counter, old_md));
	assert_false(auth_group_verify(old_group, m.counter, new_md));
	auth_group_destroy(old_group);
	auth_group_destroy(new_group);
}

static void
vhid_is_part_of_the_digest(void **state)
{
	struct material m = material_of(case_by_id("v4-single"));
	struct auth_group *one = group_of(&m), *two;
	uint8_t md[AUTH_DIGEST_LEN];

	(void)state;
	m.vhid++;
	two = group_of(&m);
	assert_int_equal(auth_group_sign(one, m.counter, md), 0);
	assert_false(auth_group_verify(two, m.counter, md));
	auth_group_destroy(one);
	auth_group_destroy(two);
}

static void
variants_of_other_systems(void **state)
{
	size_t i;
	json_t *v;

	(void)state;
	json_array_foreach (support_get(vectors, "variants"), i, v) {
		struct material m = material_of(case_by_id(support_str(v, "base_case")));
		struct auth_group *g;
		uint8_t md[AUTH_DIGEST_LEN];
		bool lladdr = json_object_get(v, "lladdr") != NULL;

		support_hex_of(v, "md", md, sizeof(md));
		if (!lladdr) {
			/* Another key than the typed one; "hex:" can give it. */
			g = group_of(&m);
			assert_false(auth_group_verify(g, m.counter, md));
			auth_group_destroy(g);
			support_hex_of(v, "key_hex", m.key, sizeof(m.key));
		}
		/* A digest over a hand-set link address is for OpenBSD alone. */
		g = group_of(&m);
		assert_int_equal(auth_group_verify(g, m.counter, md), !lladdr);
		auth_group_destroy(g);
	}
	assert_int_equal(i, 3);
}

static void
addresses_that_are_never_hashed(void **state)
{
	static const char *const never[] = {
		"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	struct material m = material_of(case_by_id("mixed-v4-v6"));
	uint64_t fingerprint = auth_vip_fingerprint(m.vips, m.n_vips);
	struct auth_group *g = group_of(&m);
	uint8_t want[AUTH_DIGEST_LEN], md[AUTH_DIGEST_LEN];

	(void)state;
	assert_int_equal(auth_group_sign(g, m.counter, want), 0);
	auth_group_destroy(g);
	for (size_t i = 0; i < 4; i++)
		m.vips[m.n_vips++] = support_addr(never[i]);
	m.vips[m.n_vips++] = (struct base_addr){.family = BASE_FAMILY_NONE, .bytes = {1}};
	g = group_of(&m);
	assert_int_equal(auth_group_sign(g, m.counter, md), 0);
	assert_memory_equal(md, want, sizeof(md));
	assert_true(auth_group_verify(g, m.counter, md));
	assert_true(auth_vip_fingerprint(m.vips, m.n_vips) == fingerprint);
	auth_group_destroy(g);
}

static void
scope_ids_and_unused_bytes_are_cleared(void **state)
{
	const json_t *c = case_by_id("mixed-linklocal");
	struct material m = material_of(c);
	struct auth_group *g;
	uint8_t orig[AUTH_DIGEST_LEN];

	(void)state;
	for (uint16_t i = 0; i < m.n_vips; i++) {
		if (m.vips[i].family == BASE_FAMILY_IP4)
			memset(m.vips[i].bytes + 4, 0xee, 12);
		else if (m.vips[i].bytes[0] == 0xfe)
			m.vips[i].bytes[3] = 5;
	}
	g = group_of(&m);
	support_hex_of(c, "md_orig", orig, sizeof(orig));
	assert_true(auth_group_verify(g, m.counter, orig));
	auth_group_destroy(g);
}

static void
fingerprint_tells_sets_apart(void **state)
{
	struct base_addr one = support_addr("192.0.2.1"), two[] = {one, support_addr("192.0.2.2")};

	(void)state;
	/* The first bytes of SHA-256 over nothing, and over c0 00 02 01. */
	assert_true(auth_vip_fingerprint(NULL, 0) == UINT64_C(0xe3b0c44298fc1c14));
	assert_true(auth_vip_fingerprint(&one, 1) == UINT64_C(0x4b8feb9364512928));
	assert_true(auth_vip_fingerprint(two, 2) != auth_vip_fingerprint(&one, 1));
	assert_true(auth_vip_fingerprint(two, 1) == auth_vip_fingerprint(&one, 1));
}

static void
destroy_takes_null(void **state)
{
	(void)state;
	auth_group_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_01_digests_of_every_case),
		cmocka_unit_test(every_bit_of_a_digest_counts),
		cmocka_unit_test(keys_of_the_cases),
		cmocka_unit_test(conformance_06_vips_in_any_order_or_twice),
		cmocka_unit_test(conformance_33_extra_vip_on_one_node),
		cmocka_unit_test(conformance_54_key_changed),
		cmocka_unit_test(vhid_is_part_of_the_digest),
		cmocka_unit_test(variants_of_other_systems),
		cmocka_unit_test(addresses_that_are_never_hashed),
		cmocka_unit_test(scope_ids_and_unused_bytes_are_cleared),
		cmocka_unit_test(fingerprint_tells_sets_apart),
		cmocka_unit_test(destroy_takes_null),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
