/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#define HEX_PREFIX     "hex:"
#define HEX_PREFIX_LEN (sizeof(HEX_PREFIX) - 1)
#define HEX_DIGITS     ((size_t)2 * AUTH_KEY_LEN)

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int
key_from_hex(const char *digits, uint8_t key[AUTH_KEY_LEN])
{
	uint8_t k[AUTH_KEY_LEN];
	int err = 0;

	if (strnlen(digits, HEX_DIGITS + 1) != HEX_DIGITS)
		return -EINVAL;
	for (size_t i = 0; i < AUTH_KEY_LEN; i++) {
		int high = hex_digit(digits[2 * i]);
		int low = hex_digit(digits[2 * i + 1]);

		if (high < 0 || low < 0) {
			err = -EINVAL;
			goto out;
		}
		k[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(key, k, AUTH_KEY_LEN);
out:
	OPENSSL_cleanse(k, sizeof(k));
	return err;
}

int
auth_key_from_pass(const char *pass, uint8_t key[AUTH_KEY_LEN])
{
	size_t len;

	if (strncmp(pass, HEX_PREFIX, HEX_PREFIX_LEN) == 0)
		return key_from_hex(pass + HEX_PREFIX_LEN, key);
	/*
	 * Longer text is refused, not cut as the BSDs do: two passphrases that differ only in
	 * their 20th byte would be the same key (note 2.1).
	 */
	len = strnlen(pass, AUTH_PASS_MAX_BYTES + 1);
	if (len > AUTH_PASS_MAX_BYTES)
		return -E2BIG;
	/* All 20 bytes, or the tail of an older key would stay, as in FreeBSD's ifconfig. */
	memset(key, 0, AUTH_KEY_LEN);
	memcpy(key, pass, len);
	return 0;
}
