/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_TTL_PRIV_H
#define DP_TTL_PRIV_H

#include <rte_byteorder.h>

#include "dp_priv.h"

/** @file Counting the TTL of IPv4 down, with the header's checksum. */

/** TTL, protocol and checksum of a header, as a number of which the TTL is the lowest byte. */
static inline uint32_t
dp_ttl_load(const uint8_t *ip)
{
	uint32_t v;

	memcpy(&v, ip + 8, sizeof(v));
	return rte_le_to_cpu_32(v);
}

static inline void
dp_ttl_store(uint8_t *ip, uint32_t v)
{
	v = rte_cpu_to_le_32(v);
	memcpy(ip + 8, &v, sizeof(v));
}

/**
 * RFC 1624: one less in the high byte of a word is 0x0100 more in the complement's sum, which is 1
 * more in its low byte here; bytes may be swapped (RFC 1071 2). The carry goes around, and 0xffff
 * is 0.
 */
static inline uint32_t
dp_ttl_less(uint32_t v)
{
	return v + (v >= UINT32_C(0xfffe0000) ? UINT32_C(0x1ffff) : UINT32_C(0xffff));
}

static inline void
dp_ttl_decrement(uint8_t *ip)
{
	dp_ttl_store(ip, dp_ttl_less(dp_ttl_load(ip)));
}

/** Note what dp_forward() is to know of packet i of those that classification lets through. */
static inline void
dp_ttl_note(struct dp_lcore *lc, uint32_t i, const struct rte_mbuf *m)
{
	uint32_t v = dp_ttl_load(rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN));

	lc->need[i] = (uint8_t)v <= 1 ? UINT32_MAX : m->pkt_len;
	lc->ttl[i] = dp_ttl_less(v);
}

#endif
