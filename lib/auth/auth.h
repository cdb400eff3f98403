/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef AUTH_H
#define AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_rand.h"

/**
 * @file
 * Authentication of CARP adverts: HMAC-SHA1 over version, type, vhid, the VIP list
 * and the counter (protocol note 2), and the recognition of our own adverts.
 */

#define AUTH_KEY_LEN	    20
#define AUTH_PASS_MAX_BYTES 19
#define AUTH_DIGEST_LEN	    20

/**
 * The 20 key bytes of a passphrase: its bytes, zero padded (note 2.1).
 * @param pass  NUL-terminated text of at most 19 bytes, or "hex:" and exactly 40 digits
 * @param key   all 20 bytes are written, or none
 * @return 0; -E2BIG for text over 19 bytes; -EINVAL for "hex:" without 40 hexadecimal digits.
 * @thread any
 */
int auth_key_from_pass(const char *pass, uint8_t key[AUTH_KEY_LEN]);

/** Prepared state to sign and verify the adverts of one group; opaque. */
struct auth_group;

/**
 * Prepare a group's key state. All work that does not depend on the counter is done here.
 * @param vips  any order, duplicates hashed once, unspecified and all-ones never (note 2.2)
 * @return the state, or NULL with errno ENOMEM, or EIO when this OpenSSL offers no SHA-1.
 * @thread any; it allocates, so not the control lcore
 */
struct auth_group *auth_group_create(const uint8_t key[AUTH_KEY_LEN], uint8_t vhid,
	const struct base_addr *vips, uint16_t n_vips);

/** Wipe and free; NULL is fine. @thread as auth_group_create() */
void auth_group_destroy(struct auth_group *g);

/**
 * Which variant auth_group_sign() makes: with the group's IPv6 link-local VIPs (ORIG: NetBSD,
 * FreeBSD), or, as after auth_group_create(), without (NOV6LL: OpenBSD).
 * @thread as auth_group_sign()
 */
void auth_group_send_orig(struct auth_group *g, bool orig);

/**
 * Digest of an advert with this counter, in the variant that is to be sent.
 * @return 0, or -EIO when OpenSSL fails (digest untouched).
 * @thread one thread at a time per group
 * @cost about 150 ns whatever the number of VIPs, two small allocations inside OpenSSL included;
 *       tests/bench/hmac
 */
int auth_group_sign(struct auth_group *g, uint64_t counter, uint8_t digest[AUTH_DIGEST_LEN]);

/**
 * True when the digest is the group's for this counter, in either variant (ORIG or NOV6LL).
 * Compared in constant time. Without link-local VIPs the variants are one and computed once.
 * @thread as auth_group_sign()
 */
bool auth_group_verify(
	struct auth_group *g, uint64_t counter, const uint8_t digest[AUTH_DIGEST_LEN]);

/**
 * A short fingerprint of the VIP set alone (no key in it), equal on two boxes exactly when their
 * sets are: first 8 bytes of SHA-256 over the sorted set as hashed into adverts (ORIG).
 * @return 0 only when OpenSSL fails
 * @thread any
 */
uint64_t auth_vip_fingerprint(const struct base_addr *vips, uint16_t n_vips);

/** How many of our own counters are remembered (note 2.3). */
#define AUTH_COUNTER_MEMORY 8

/** The counters that we sent lately, so that our own advert is known when it comes back. */
struct auth_counters {
	uint64_t sent[AUTH_COUNTER_MEMORY]; /**< 0 = none yet; a counter is never 0 */
	uint8_t next;
};

/**
 * A fresh random non-zero counter, remembered as ours. Never counted upwards: NetBSD, FreeBSD
 * and ucarp answer our N with N+1, which would be our own next number (note 2.3).
 * @thread one thread per object
 */
uint64_t auth_counters_next(struct auth_counters *c, struct base_rand *rand);

/** True when this counter is among the last AUTH_COUNTER_MEMORY that we sent. */
bool auth_counters_own(const struct auth_counters *c, uint64_t counter);

#endif
