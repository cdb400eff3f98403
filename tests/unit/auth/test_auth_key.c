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

#define DIGITS_40 "00112233445566778899aabbccddeeff01234567"

static void
conformance_59_passphrase_of_19_and_20_characters(void **state)
{
	static const char pass[] = "abcdefghijklmnopqrst";
	uint8_t key[AUTH_KEY_LEN], before[AUTH_KEY_LEN];
	char text[sizeof(pass)];

	(void)state;
	for (size_t n = 0; n <= AUTH_PASS_MAX_BYTES; n++) {
		uint8_t want[AUTH_KEY_LEN] = {0};

		memcpy(text, pass, n);
		memcpy(want, pass, n);
		text[n] = '\0';
		/* No byte of an older key stays. */
		memset(key, 0xff, sizeof(key));
		assert_int_equal(auth_key_from_pass(text, key), 0);
		assert_memory_equal(key, want, sizeof(key));
	}
	memcpy(before, key, sizeof(key));
	assert_int_equal(auth_key_from_pass(pass, key), -E2BIG);
	assert_memory_equal(key, before, sizeof(key));
}

static void
key_of_hexadecimal_digits(void **state)
{
	static const struct {
		const char *pass;
		int want;
	} rows[] = {
		{"hex:" DIGITS_40, 0},
		{"hex:00112233445566778899AABBCCDDEEFF01234567", 0},
		{"hex:", -EINVAL},
		{"hex:00", -EINVAL},
		{"hex:00112233445566778899aabbccddeeff0123456", -EINVAL},
		{"hex:" DIGITS_40 "8", -EINVAL},
		{"hex:" DIGITS_40 "00", -EINVAL},
		{"hex:00112233445566778899aabbccddeeff0123456g", -EINVAL},
		{"hex:00112233445566778899aabbccddeeff012345 7", -EINVAL},
		{"hex:-0112233445566778899aabbccddeeff01234567", -EINVAL},
		{"hex:0x112233445566778899aabbccddeeff01234567", -EINVAL},
		/* Digits without the word are text, and too long. */
		{DIGITS_40, -E2BIG},
		{"HEX:" DIGITS_40, -E2BIG},
		/* Text that only begins like the word. */
		{"hex", 0},
		{"HEX:00", 0},
	};
	static const uint8_t want_hex[AUTH_KEY_LEN] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
		0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x23, 0x45, 0x67};
	uint8_t key[AUTH_KEY_LEN], untouched[AUTH_KEY_LEN];

	(void)state;
	memset(untouched, 0xa5, sizeof(untouched));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(key, 0xa5, sizeof(key));
		int got = auth_key_from_pass(rows[i].pass, key);

		if (got != rows[i].want)
			fail_msg("\"%s\": %d, not %d", rows[i].pass, got, rows[i].want);
		if (got != 0)
			assert_memory_equal(key, untouched, sizeof(key));
		else if (rows[i].pass[0] == 'h' && rows[i].pass[3] == ':')
			assert_memory_equal(key, want_hex, sizeof(key));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_59_passphrase_of_19_and_20_characters),
		cmocka_unit_test(key_of_hexadecimal_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
