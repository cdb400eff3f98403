/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Expected values were computed by an independent Python transcription of the two published
 * algorithms, itself checked against the authors' reference outputs (splitmix64 of 1234567;
 * xoshiro256** from state 1, 2, 3, 4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_rand.h"

static void
state_comes_from_splitmix64(void **state)
{
	static const uint64_t expect[4] = {UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
		UINT64_C(0x3fbef740e9177b3f)};
	struct base_rand r;

	(void)state;
	base_rand_init(&r, 1234567);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(r.s[i], expect[i]);
}

static void
output_is_xoshiro256_starstar(void **state)
{
	static const uint64_t expect[6] = {11520, 0, 1509978240, UINT64_C(1215971899390074240),
		UINT64_C(1216172134540287360), UINT64_C(607988272756665600)};
	struct base_rand r = {.s = {1, 2, 3, 4}};

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(base_rand_next(&r), expect[i]);
}

static void
seeded_sequences(void **state)
{
	static const struct {
		uint64_t seed;
		uint64_t first[4];
		uint64_t thousandth;
	} rows[] = {
		{0,
			{UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a),
				UINT64_C(0x1a5f849d4933e6e0), UINT64_C(0x6aa594f1262d2d2c)},
			UINT64_C(0x7aac8c483a2edd2f)},
		{1,
			{UINT64_C(0xb3f2af6d0fc710c5), UINT64_C(0x853b559647364cea),
				UINT64_C(0x92f89756082a4514), UINT64_C(0x642e1c7bc266a3a7)},
			UINT64_C(0xb8517c33c344d153)},
		{UINT64_C(0xdeadbeefcafef00d),
			{UINT64_C(0x9e32cfb5bb93eebb), UINT64_C(0x16006bd9d4ac0014),
				UINT64_C(0x8ada5d6d34b6538e), UINT64_C(0x7c327ca32346a238)},
			UINT64_C(0x8e97d4c49d6ddf2f)},
		{UINT64_MAX,
			{UINT64_C(0x8f5520d52a7ead08), UINT64_C(0xc476a018caa1802d),
				UINT64_C(0x81de31c0d260469e), UINT64_C(0xbf658d7e065f3c2f)},
			UINT64_C(0xc3c93ea5cde434cc)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct base_rand r;
		uint64_t x = 0;

		base_rand_init(&r, rows[i].seed);
		for (unsigned int n = 0; n < 1000; n++) {
			x = base_rand_next(&r);
			if (n < 4)
				assert_int_equal(x, rows[i].first[n]);
		}
		assert_int_equal(x, rows[i].thousandth);
	}
}

static void
same_seed_same_sequence_other_seed_another(void **state)
{
	struct base_rand a, b, c;
	unsigned int same = 0;

	(void)state;
	base_rand_init(&a, 42);
	base_rand_init(&b, 42);
	base_rand_init(&c, 43);
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t x = base_rand_next(&a);

		assert_int_equal(x, base_rand_next(&b));
		same += x == base_rand_next(&c);
	}
	assert_int_equal(same, 0);
}

static void
below_rejects_what_would_bias(void **state)
{
	/* With bound 2^63 + 1 nearly half of all draws are under the threshold: five here. */
	static const uint64_t expect[6] = {UINT64_C(0x3358faf74ef97659),
		UINT64_C(0x56f1d349952c7995), UINT64_C(0x7b2938731e80723f),
		UINT64_C(0x7da904ec7e540317), UINT64_C(0x5f6e1ce3b6218c48),
		UINT64_C(0x0a971122d61f6196)};
	static const uint64_t digits[12] = {4, 4, 8, 4, 4, 1, 6, 6, 8, 9, 3, 6};
	struct base_rand r;

	(void)state;
	base_rand_init(&r, 7);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(base_rand_below(&r, (UINT64_C(1) << 63) + 1), expect[i]);
	base_rand_init(&r, 7);
	for (unsigned int i = 0; i < 12; i++)
		assert_int_equal(base_rand_below(&r, 10), digits[i]);
}

static void
below_stays_below_and_reaches_all(void **state)
{
	static const uint64_t bounds[] = {1, 2, 3, 7, 100, 256};
	struct base_rand r, before;

	(void)state;
	base_rand_init(&r, 99);
	for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
		unsigned int seen[256] = {0};
		unsigned int draws = 400 * (unsigned int)bounds[b];

		for (unsigned int i = 0; i < draws; i++) {
			uint64_t x = base_rand_below(&r, bounds[b]);

			assert_true(x < bounds[b]);
			seen[x]++;
		}
		/* 400 expected of each; 6 sigma are 120 */
		for (uint64_t x = 0; x < bounds[b]; x++)
			assert_in_range(seen[x], 280, 520);
	}
	/* nothing to choose from: 0, and the sequence does not move */
	before = r;
	assert_int_equal(base_rand_below(&r, 0), 0);
	assert_memory_equal(&r, &before, sizeof(r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_comes_from_splitmix64),
		cmocka_unit_test(output_is_xoshiro256_starstar),
		cmocka_unit_test(seeded_sequences),
		cmocka_unit_test(same_seed_same_sequence_other_seed_another),
		cmocka_unit_test(below_rejects_what_would_bias),
		cmocka_unit_test(below_stays_below_and_reaches_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
