/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth_vips_priv.h"

#include <string.h>

#include <openssl/evp.h>

#include "auth.h"
#include "base_bytes.h"

static bool
is_link_scoped(const struct base_addr *a)
{
	if (a->family != BASE_FAMILY_IP6)
		return false;
	if (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80)
		return true;
	/* Multicast of interface-local or link-local scope. */
	return a->bytes[0] == 0xff && ((a->bytes[1] & 0x0f) == 1 || (a->bytes[1] & 0x0f) == 2);
}

static bool
all_bytes_are(const struct base_addr *a, uint8_t value)
{
	size_t len = auth_vips_len(a);

	for (size_t i = 0; i < len; i++)
		if (a->bytes[i] != value)
			return false;
	return true;
}

/* The address as it is hashed, or false when it never is. */
static bool
normalise(const struct base_addr *in, enum auth_variant variant, struct base_addr *out)
{
	if (in->family != BASE_FAMILY_IP4 && in->family != BASE_FAMILY_IP6)
		return false;
	memset(out, 0, sizeof(*out));
	out->family = in->family;
	memcpy(out->bytes, in->bytes, auth_vips_len(in));
	if (all_bytes_are(out, 0x00) || all_bytes_are(out, 0xff))
		return false;
	if (is_link_scoped(out)) {
		if (variant == AUTH_VARIANT_NOV6LL)
			return false;
		/* BSD kernels keep the interface index in these two bytes. */
		out->bytes[2] = 0;
		out->bytes[3] = 0;
	}
	return true;
}

static int
compare(const struct base_addr *a, const struct base_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool
auth_vips_next(const struct base_addr *vips, uint16_t n_vips, enum auth_variant variant,
	struct auth_vips_walk *walk, struct base_addr *out)
{
	struct base_addr best, a;
	bool found = false;

	for (uint16_t i = 0; i < n_vips; i++) {
		if (!normalise(&vips[i], variant, &a))
			continue;
		/* Strictly after the last one, so that duplicates come once. */
		if (walk->started && compare(&a, &walk->at) <= 0)
			continue;
		if (!found || compare(&a, &best) < 0)
			best = a;
		found = true;
	}
	if (!found)
		return false;
	walk->started = true;
	walk->at = best;
	*out = best;
	return true;
}

uint64_t
auth_vip_fingerprint(const struct base_addr *vips, uint16_t n_vips)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	struct auth_vips_walk walk = {0};
	struct base_addr a;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint64_t fingerprint = 0;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		goto out;
	while (auth_vips_next(vips, n_vips, AUTH_VARIANT_ORIG, &walk, &a))
		if (EVP_DigestUpdate(ctx, a.bytes, auth_vips_len(&a)) != 1)
			goto out;
	if (EVP_DigestFinal_ex(ctx, md, NULL) == 1)
		fingerprint = base_load_be64(md);
out:
	EVP_MD_CTX_free(ctx);
	return fingerprint;
}
