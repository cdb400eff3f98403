/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth_balance.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define SHA1_BLOCK_LEN 64
#define GOLDEN_RATIO   UINT32_C(0x9e3779b9)

/* The peers take words as a little-endian machine has them in memory. */
static uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int
auth_balance_init(struct auth_balance *b, const uint8_t key[AUTH_KEY_LEN])
{
	uint8_t block[SHA1_BLOCK_LEN + 2] = {0};
	uint8_t md[EVP_MAX_MD_SIZE];

	for (unsigned int i = 0; i < SHA1_BLOCK_LEN; i++)
		block[i] = (uint8_t)((i < AUTH_KEY_LEN ? key[i] : 0) ^ 0x36);
	block[SHA1_BLOCK_LEN] = 2; /* version, type */
	block[SHA1_BLOCK_LEN + 1] = 1;
	int ok = EVP_Digest(block, sizeof(block), md, NULL, EVP_sha1(), NULL);

	OPENSSL_cleanse(block, sizeof(block));
	if (ok != 1)
		return -EIO;
	b->k0 = word(md) ^ word(md + 4);
	b->k1 = word(md + 8) ^ word(md + 12);
	b->key = word(key);
	return 0;
}

uint32_t
auth_balance_hash(const struct auth_balance *b, const uint8_t mac[BASE_MAC_LEN])
{
	/* The 96-bit integer mix: positive shifts go left, negative ones right. */
	static const int8_t shift[9] = {-13, 8, -13, -12, 16, -5, -3, 10, -15};
	uint32_t w[3] = {
		GOLDEN_RATIO + word(mac),
		b->k0 + ((uint32_t)mac[4] | (uint32_t)mac[5] << 8),
		b->k1 + b->key,
	};

	for (unsigned int i = 0; i < 9; i++) {
		unsigned int at = i % 3, before = (i + 2) % 3, after = (i + 1) % 3;
		uint32_t mixed = w[before];

		w[at] -= w[after] + w[before];
		w[at] ^= shift[i] < 0 ? mixed >> -shift[i] : mixed << shift[i];
	}
	return w[2];
}
