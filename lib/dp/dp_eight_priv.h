/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_EIGHT_PRIV_H
#define DP_EIGHT_PRIV_H

#include "dp_priv.h"

/** @file Classification of eight frames at once, where the processor has AVX2. */

#ifdef __x86_64__
#define DP_HAVE_EIGHT 1

/** Whether the processor has it. */
bool dp_eight_usable(void);

/**
 * Let through the frames of IPv4 at the beginning of a burst that need nothing but routing, eight
 * by eight, as dp_four() does it: lc->dst[] and what follows it are filled, padding is cut.
 * @param n      DP_BURST at most
 * @param ours   destination of plain frames, as dp_mac_word() reads it
 * @param bytes  their lengths as received are added to it
 * @return how many: where eight are not all plain it ends, and the rest was not touched
 */
uint32_t dp_eights(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint32_t n, uint64_t ours,
	uint64_t *bytes);
/** The same of IPv6, for a burst of which nothing was kept: lc->pkts6[] and its like are filled. */
uint32_t dp_eights6(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint32_t n, uint64_t ours,
	uint64_t *bytes);
#endif

#endif
