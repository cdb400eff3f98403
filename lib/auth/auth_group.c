/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth_vips_priv.h"
#include "base_bytes.h"

#define SHA1_BLOCK_LEN 64

/* The two bytes that open the message: version and type, each in a byte of its own (note 2.2). */
#define MESSAGE_VERSION 2
#define MESSAGE_TYPE	1

/*
 * HMAC is SHA1(key^opad, SHA1(key^ipad, message)), and all of the message but the counter is known
 * beforehand. So a group keeps two SHA-1 states, one that has seen key^ipad and the message up to
 * the counter, one that has seen key^opad; a digest copies each and hashes a last block. Of the
 * ways OpenSSL 3.0 offers this is the cheapest and the only one whose cost does not grow with the
 * VIP list: EVP_MAC cannot be re-initialised to a point inside the message, and duplicating an
 * EVP_MAC_CTX costs more than the hashing. Figures: docs/design-notes/hmac.md.
 */
struct auth_group {
	EVP_MD_CTX *nov6ll; /* key^ipad and message, NOV6LL */
	EVP_MD_CTX *orig;   /* the same, ORIG; NULL when the two are equal */
	EVP_MD_CTX *sent;   /* one of the two: what we send */
	EVP_MD_CTX *outer;  /* key^opad */
	EVP_MD_CTX *work;
};

static bool
has_link_local(const struct base_addr *vips, uint16_t n_vips)
{
	struct auth_vips_walk orig = {0}, nov6ll = {0};
	struct base_addr a, b;
	bool more_a, more_b;

	do {
		more_a = auth_vips_next(vips, n_vips, AUTH_VARIANT_ORIG, &orig, &a);
		more_b = auth_vips_next(vips, n_vips, AUTH_VARIANT_NOV6LL, &nov6ll, &b);
		if (more_a != more_b)
			return true;
	} while (more_a);
	return false;
}

/* A state that has hashed the key xored with a pad. NULL on failure. */
static EVP_MD_CTX *
start(const EVP_MD *sha1, const uint8_t key[AUTH_KEY_LEN], uint8_t pad)
{
	uint8_t block[SHA1_BLOCK_LEN];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < AUTH_KEY_LEN; i++)
		block[i] ^= key[i];
	if (ctx != NULL &&
		(EVP_DigestInit_ex2(ctx, sha1, NULL) != 1 ||
			EVP_DigestUpdate(ctx, block, sizeof(block)) != 1)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ctx;
}

/* The inner state, up to the counter. NULL on failure. */
static EVP_MD_CTX *
start_inner(const EVP_MD *sha1, const uint8_t key[AUTH_KEY_LEN], uint8_t vhid,
	const struct base_addr *vips, uint16_t n_vips, enum auth_variant variant)
{
	const uint8_t head[] = {MESSAGE_VERSION, MESSAGE_TYPE, vhid};
	struct auth_vips_walk walk = {0};
	struct base_addr a;
	EVP_MD_CTX *ctx = start(sha1, key, 0x36);

	if (ctx == NULL)
		return NULL;
	if (EVP_DigestUpdate(ctx, head, sizeof(head)) != 1)
		goto fail;
	while (auth_vips_next(vips, n_vips, variant, &walk, &a))
		if (EVP_DigestUpdate(ctx, a.bytes, auth_vips_len(&a)) != 1)
			goto fail;
	return ctx;
fail:
	EVP_MD_CTX_free(ctx);
	return NULL;
}

struct auth_group *
auth_group_create(const uint8_t key[AUTH_KEY_LEN], uint8_t vhid, const struct base_addr *vips,
	uint16_t n_vips)
{
	EVP_MD *sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	struct auth_group *g = NULL;
	bool two_variants = has_link_local(vips, n_vips);

	if (sha1 == NULL) {
		errno = EIO;
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		goto out;
	g->nov6ll = start_inner(sha1, key, vhid, vips, n_vips, AUTH_VARIANT_NOV6LL);
	if (two_variants)
		g->orig = start_inner(sha1, key, vhid, vips, n_vips, AUTH_VARIANT_ORIG);
	g->sent = g->nov6ll;
	g->outer = start(sha1, key, 0x5c);
	g->work = EVP_MD_CTX_new();
	if (g->nov6ll == NULL || (two_variants && g->orig == NULL) || g->outer == NULL ||
		g->work == NULL) {
		auth_group_destroy(g);
		g = NULL;
	}
out:
	EVP_MD_free(sha1);
	if (g == NULL)
		errno = ENOMEM;
	return g;
}

void
auth_group_destroy(struct auth_group *g)
{
	if (g == NULL)
		return;
	/* OpenSSL wipes the state of a SHA-1 context when it frees it. */
	EVP_MD_CTX_free(g->nov6ll);
	EVP_MD_CTX_free(g->orig);
	EVP_MD_CTX_free(g->outer);
	EVP_MD_CTX_free(g->work);
	free(g);
}

static int
compute(struct auth_group *g, const EVP_MD_CTX *inner, uint64_t counter,
	uint8_t digest[AUTH_DIGEST_LEN])
{
	uint8_t be[8], md[AUTH_DIGEST_LEN];

	base_store_be64(be, counter);
	if (EVP_MD_CTX_copy_ex(g->work, inner) != 1 ||
		EVP_DigestUpdate(g->work, be, sizeof(be)) != 1 ||
		EVP_DigestFinal_ex(g->work, md, NULL) != 1 ||
		EVP_MD_CTX_copy_ex(g->work, g->outer) != 1 ||
		EVP_DigestUpdate(g->work, md, sizeof(md)) != 1 ||
		EVP_DigestFinal_ex(g->work, md, NULL) != 1)
		return -EIO;
	memcpy(digest, md, AUTH_DIGEST_LEN);
	return 0;
}

void
auth_group_send_orig(struct auth_group *g, bool orig)
{
	g->sent = orig && g->orig != NULL ? g->orig : g->nov6ll;
}

int
auth_group_sign(struct auth_group *g, uint64_t counter, uint8_t digest[AUTH_DIGEST_LEN])
{
	return compute(g, g->sent, counter, digest);
}

static bool
matches(struct auth_group *g, const EVP_MD_CTX *inner, uint64_t counter,
	const uint8_t digest[AUTH_DIGEST_LEN])
{
	uint8_t want[AUTH_DIGEST_LEN];

	return compute(g, inner, counter, want) == 0 &&
		CRYPTO_memcmp(want, digest, AUTH_DIGEST_LEN) == 0;
}

bool
auth_group_verify(struct auth_group *g, uint64_t counter, const uint8_t digest[AUTH_DIGEST_LEN])
{
	/* That one variant failed is no secret: whoever sent it knows which one it used. */
	return matches(g, g->nov6ll, counter, digest) ||
		(g->orig != NULL && matches(g, g->orig, counter, digest));
}
