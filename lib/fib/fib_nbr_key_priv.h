/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_NBR_KEY_PRIV_H
#define FIB_NBR_KEY_PRIV_H

/**
 * @file
 * Keys of the neighbour table and what they hash to. Any thread.
 */

#include <stdint.h>

#include <rte_hash.h>

#include "base_bytes.h"
#include "fib_nbr_priv.h"

/* What a hash compares: of IPv4 the first word, interface and address; of IPv6 the interface, then
 * the address. */
struct nbr_key {
	uint64_t w[3];
};

static inline struct nbr_key
nbr_key4(uint16_t if_index, uint32_t ip)
{
	return (struct nbr_key){{(uint64_t)if_index << 32 | ip}};
}

static inline struct nbr_key
nbr_key6(uint16_t if_index, const uint8_t ip[16])
{
	return (struct nbr_key){{if_index, base_load_be64(ip), base_load_be64(ip + 8)}};
}

/*
 * The addresses of a LAN stand in a row, so what a sum of products makes of them does too, and for
 * some factors in so few buckets that they are full. Every bit changes about half of the others
 * here, and no two values become the same.
 */
static inline uint32_t
nbr_scatter(uint32_t h)
{
	h ^= h >> 16;
	h *= UINT32_C(0x9e3779b1);
	h ^= h >> 15;
	h *= UINT32_C(0x85ebca77);
	return h ^ h >> 16;
}

/* Multiply-shift with random factors (Dietzfelbinger et al. 1997): a host on the LAN picks the
 * addresses, so the hash must not let it pick the bucket. The hash keeps these 32 bits with the key
 * and never asks for them again. */
static inline hash_sig_t
nbr_sig4(const struct fib_nbr_table *t, const struct nbr_key *k)
{
	return nbr_scatter((uint32_t)(k->w[0] * t->hash_mult >> 32));
}

/* The same over words of 32 bits: the sum of their products with as many random numbers. */
static inline hash_sig_t
nbr_sig6(const struct fib_nbr_table *t, const struct nbr_key *k)
{
	const uint64_t *m = t->hash_mult6;

	return nbr_scatter(
		(uint32_t)((m[0] + k->w[0] * m[1] + (k->w[1] >> 32) * m[2] +
				   (k->w[1] & UINT32_MAX) * m[3] + (k->w[2] >> 32) * m[4] +
				   (k->w[2] & UINT32_MAX) * m[5]) >>
			32));
}

#endif /* FIB_NBR_KEY_PRIV_H */
