/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef AUTH_VIPS_PRIV_H
#define AUTH_VIPS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_addr.h"

/** @file The VIP list in the form and order in which it is hashed (protocol note 2.2). */

/** Which of the two digest variants: with IPv6 link-local VIPs, or without. */
enum auth_variant {
	AUTH_VARIANT_ORIG,
	AUTH_VARIANT_NOV6LL,
};

/** A walk over a VIP list in hashing order; start with {0}. */
struct auth_vips_walk {
	bool started;
	struct base_addr at;
};

/**
 * The next address to hash: IPv4 before IPv6, ascending, each once, without unspecified and
 * all-ones, and without link-local IPv6 in NOV6LL. Needs no memory and so cannot fail; O(n) a step.
 * @param out  IPv6 scope ids cleared; unused bytes zero
 * @return false at the end
 */
bool auth_vips_next(const struct base_addr *vips, uint16_t n_vips, enum auth_variant variant,
	struct auth_vips_walk *walk, struct base_addr *out);

/** Bytes of an address that enter the hash: 4 or 16. */
static inline size_t
auth_vips_len(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP4 ? 4 : 16;
}

#endif
