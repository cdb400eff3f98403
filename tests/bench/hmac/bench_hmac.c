/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */

/*
 * What an advert's HMAC-SHA1 costs, by how much of it is prepared once per group. All ways run in
 * one process and take turns in short rounds, so a busy machine slows all of them alike; the
 * figure of a way is its median round. The ways must agree on the digest or the run fails.
 */

/* The last way is only a yardstick; it needs what OpenSSL 3 calls deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "auth.h"
#include "base_bytes.h"

#define ROUNDS	  201
#define PER_ROUND 500
#define MSG_MAX	  (3 + 4 * 255 + 8)

struct bench {
	uint8_t key[AUTH_KEY_LEN];
	uint8_t msg[MSG_MAX];
	size_t prefix_len; /* of msg: all but the counter */
	uint8_t ipad[SHA_CBLOCK];
	uint8_t opad[SHA_CBLOCK];

	EVP_MAC_CTX *mac_keyed;	   /* key set */
	EVP_MAC_CTX *mac_prefixed; /* key set, prefix hashed */
	EVP_MD *sha1;
	EVP_MD_CTX *inner; /* ipad and prefix hashed */
	EVP_MD_CTX *outer; /* opad hashed */
	EVP_MD_CTX *work;
	SHA_CTX raw_inner;
	SHA_CTX raw_outer;
	struct auth_group *group;
};

typedef bool (*sign_fn)(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN]);

static bool
sign_one_shot(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	unsigned int len;

	base_store_be64(b->msg + b->prefix_len, counter);
	return HMAC(EVP_sha1(), b->key, AUTH_KEY_LEN, b->msg, b->prefix_len + 8, md, &len) != NULL;
}

static bool
sign_mac_rekey(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	size_t len;

	base_store_be64(b->msg + b->prefix_len, counter);
	return EVP_MAC_init(b->mac_keyed, b->key, AUTH_KEY_LEN, NULL) == 1 &&
		EVP_MAC_update(b->mac_keyed, b->msg, b->prefix_len + 8) == 1 &&
		EVP_MAC_final(b->mac_keyed, md, &len, AUTH_DIGEST_LEN) == 1;
}

static bool
sign_mac_reinit(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	size_t len;

	base_store_be64(b->msg + b->prefix_len, counter);
	return EVP_MAC_init(b->mac_keyed, NULL, 0, NULL) == 1 &&
		EVP_MAC_update(b->mac_keyed, b->msg, b->prefix_len + 8) == 1 &&
		EVP_MAC_final(b->mac_keyed, md, &len, AUTH_DIGEST_LEN) == 1;
}

static bool
sign_mac_dup(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	uint8_t be[8];
	size_t len;
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(b->mac_prefixed);
	bool ok;

	base_store_be64(be, counter);
	ok = ctx != NULL && EVP_MAC_update(ctx, be, sizeof(be)) == 1 &&
		EVP_MAC_final(ctx, md, &len, AUTH_DIGEST_LEN) == 1;
	EVP_MAC_CTX_free(ctx);
	return ok;
}

static bool
sign_md_copy(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	uint8_t be[8];

	base_store_be64(be, counter);
	return EVP_MD_CTX_copy_ex(b->work, b->inner) == 1 &&
		EVP_DigestUpdate(b->work, be, sizeof(be)) == 1 &&
		EVP_DigestFinal_ex(b->work, md, NULL) == 1 &&
		EVP_MD_CTX_copy_ex(b->work, b->outer) == 1 &&
		EVP_DigestUpdate(b->work, md, AUTH_DIGEST_LEN) == 1 &&
		EVP_DigestFinal_ex(b->work, md, NULL) == 1;
}

static bool
sign_md_whole(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	base_store_be64(b->msg + b->prefix_len, counter);
	return EVP_DigestInit_ex2(b->work, b->sha1, NULL) == 1 &&
		EVP_DigestUpdate(b->work, b->ipad, sizeof(b->ipad)) == 1 &&
		EVP_DigestUpdate(b->work, b->msg, b->prefix_len + 8) == 1 &&
		EVP_DigestFinal_ex(b->work, md, NULL) == 1 &&
		EVP_DigestInit_ex2(b->work, b->sha1, NULL) == 1 &&
		EVP_DigestUpdate(b->work, b->opad, sizeof(b->opad)) == 1 &&
		EVP_DigestUpdate(b->work, md, AUTH_DIGEST_LEN) == 1 &&
		EVP_DigestFinal_ex(b->work, md, NULL) == 1;
}

static bool
sign_raw_copy(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	uint8_t be[8];
	SHA_CTX c = b->raw_inner;

	base_store_be64(be, counter);
	SHA1_Update(&c, be, sizeof(be));
	SHA1_Final(md, &c);
	c = b->raw_outer;
	SHA1_Update(&c, md, AUTH_DIGEST_LEN);
	SHA1_Final(md, &c);
	return true;
}

static bool
sign_auth(struct bench *b, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	return auth_group_sign(b->group, counter, md) == 0;
}

static const struct {
	const char *name;
	sign_fn sign;
} ways[] = {
	{"HMAC() in one shot, nothing prepared", sign_one_shot},
	{"EVP_MAC_init() with the key", sign_mac_rekey},
	{"EVP_MAC_init() without key", sign_mac_reinit},
	{"EVP_MAC_CTX_dup(), prefix hashed", sign_mac_dup},
	{"EVP_MD_CTX_copy_ex(), prefix hashed", sign_md_copy},
	{"EVP_MD from ready pads, no copy", sign_md_whole},
	{"SHA_CTX struct copy (deprecated API)", sign_raw_copy},
	{"auth_group_sign()", sign_auth},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static void
fail(const char *what)
{
	fprintf(stderr, "bench_hmac: %s\n", what);
	exit(1);
}

static void
must(bool ok)
{
	if (!ok)
		fail("OpenSSL refused a call");
}

static void
bench_init(struct bench *b, uint16_t n_vips)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA1"}, 0),
		OSSL_PARAM_construct_end(),
	};
	struct base_addr vips[255];
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	memset(b, 0, sizeof(*b));
	must(auth_key_from_pass("lanpasswd", b->key) == 0);
	b->msg[0] = 2;
	b->msg[1] = 1;
	b->msg[2] = 1;
	b->prefix_len = 3;
	for (uint16_t i = 0; i < n_vips; i++) {
		uint32_t ip = UINT32_C(0xc0a80101) + i;

		vips[i] = base_addr_from_ip4(ip);
		base_store_be32(b->msg + b->prefix_len, ip);
		b->prefix_len += 4;
	}
	for (size_t i = 0; i < SHA_CBLOCK; i++) {
		uint8_t k = i < AUTH_KEY_LEN ? b->key[i] : 0;

		b->ipad[i] = k ^ 0x36;
		b->opad[i] = k ^ 0x5c;
	}

	must(hmac != NULL);
	b->mac_keyed = EVP_MAC_CTX_new(hmac);
	must(b->mac_keyed != NULL && EVP_MAC_init(b->mac_keyed, b->key, AUTH_KEY_LEN, params) == 1);
	b->mac_prefixed = EVP_MAC_CTX_dup(b->mac_keyed);
	must(b->mac_prefixed != NULL &&
		EVP_MAC_update(b->mac_prefixed, b->msg, b->prefix_len) == 1);
	EVP_MAC_free(hmac);

	b->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	b->inner = EVP_MD_CTX_new();
	b->outer = EVP_MD_CTX_new();
	b->work = EVP_MD_CTX_new();
	must(b->sha1 != NULL && b->inner != NULL && b->outer != NULL && b->work != NULL);
	must(EVP_DigestInit_ex2(b->inner, b->sha1, NULL) == 1 &&
		EVP_DigestUpdate(b->inner, b->ipad, sizeof(b->ipad)) == 1 &&
		EVP_DigestUpdate(b->inner, b->msg, b->prefix_len) == 1);
	must(EVP_DigestInit_ex2(b->outer, b->sha1, NULL) == 1 &&
		EVP_DigestUpdate(b->outer, b->opad, sizeof(b->opad)) == 1);

	SHA1_Init(&b->raw_inner);
	SHA1_Update(&b->raw_inner, b->ipad, sizeof(b->ipad));
	SHA1_Update(&b->raw_inner, b->msg, b->prefix_len);
	SHA1_Init(&b->raw_outer);
	SHA1_Update(&b->raw_outer, b->opad, sizeof(b->opad));

	b->group = auth_group_create(b->key, 1, vips, n_vips);
	must(b->group != NULL);
}

static void
bench_fini(struct bench *b)
{
	auth_group_destroy(b->group);
	EVP_MD_CTX_free(b->work);
	EVP_MD_CTX_free(b->outer);
	EVP_MD_CTX_free(b->inner);
	EVP_MD_free(b->sha1);
	EVP_MAC_CTX_free(b->mac_prefixed);
	EVP_MAC_CTX_free(b->mac_keyed);
}

static uint64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
run(uint16_t n_vips)
{
	static double ns[N_WAYS][ROUNDS];
	struct bench b;
	uint8_t want[AUTH_DIGEST_LEN], md[AUTH_DIGEST_LEN];
	uint64_t counter = 1;

	bench_init(&b, n_vips);
	for (uint64_t c = 1; c <= 3; c++) {
		must(sign_one_shot(&b, c, want));
		for (size_t w = 0; w < N_WAYS; w++) {
			must(ways[w].sign(&b, c, md));
			if (memcmp(md, want, sizeof(md)) != 0)
				fail(ways[w].name);
		}
	}

	for (size_t r = 0; r < ROUNDS; r++) {
		for (size_t w = 0; w < N_WAYS; w++) {
			uint64_t t = clock_ns();

			for (int i = 0; i < PER_ROUND; i++)
				must(ways[w].sign(&b, counter++, md));
			ns[w][r] = (double)(clock_ns() - t) / PER_ROUND;
		}
	}

	printf("%u VIP%s, message of %zu bytes\n", n_vips, n_vips == 1 ? "" : "s",
		b.prefix_len + 8);
	printf("  %-40s %9s %9s %9s\n", "way", "best ns", "median ns", "p95 ns");
	for (size_t w = 0; w < N_WAYS; w++) {
		qsort(ns[w], ROUNDS, sizeof(ns[w][0]), by_value);
		printf("  %-40s %9.0f %9.0f %9.0f\n", ways[w].name, ns[w][0], ns[w][ROUNDS / 2],
			ns[w][ROUNDS * 95 / 100]);
	}
	bench_fini(&b);
}

int
main(void)
{
	printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
	run(1);
	run(32);
	return 0;
}
