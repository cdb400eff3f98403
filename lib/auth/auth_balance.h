/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef AUTH_BALANCE_H
#define AUTH_BALANCE_H

#include <stdint.h>

#include "auth.h"
#include "base_addr.h"

/**
 * @file
 * ARP balancing (protocol note 7.3): groups that share a VIP divide the askers among them by a hash
 * of the asker's MAC, keyed by the group's key, so that all boxes agree without a word.
 */

/** Prepared from a key; plain data. */
struct auth_balance {
	uint32_t k0, k1; /**< from SHA-1 over the key's inner pad block and version, type */
	uint32_t key;	 /**< the key's first four bytes */
};

/** @return 0, or -EIO when OpenSSL fails. @thread any; not a lcore */
int auth_balance_init(struct auth_balance *b, const uint8_t key[AUTH_KEY_LEN]);

/**
 * Hash of an asker; the group that answers is this modulo the number of groups that share the VIP,
 * in ascending order of vhid (or, for NetBSD peers, in the order of their configuration backwards).
 * @param mac  the ARP sender's, from the payload
 * @thread any
 */
uint32_t auth_balance_hash(const struct auth_balance *b, const uint8_t mac[BASE_MAC_LEN]);

#endif
