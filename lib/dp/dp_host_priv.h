/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_HOST_PRIV_H
#define DP_HOST_PRIV_H

#include "dp_priv.h"

/** @file The host path as other stages see it (dp_host.c). */

/** @return 0 or -ENOMEM */
int dp_host_init(struct dp *dp, const struct dp_config *c);
void dp_host_free(struct dp *dp);
/** The kernel of this box has the address that a LOCAL next hop is. */
static inline bool
dp_host_has(const struct dp_lcore *lc, const struct fib_nh *nh)
{
	return lc->host != NULL && lc->dp->ifs[nh->if_index].host &&
		(nh->group >= lc->dp->n_groups || dp_group_answering(lc->dp, nh->group));
}
/** A turn of a worker whose lc->host is not NULL. @return packets from the kernel */
uint32_t dp_host_turn(struct dp_lcore *lc);
/**
 * A packet to an address of ours that nobody else wants: to the kernel, where the interface has
 * that, else dropped.
 * @param if_index  whose address it is
 * @param group     whose VIP it is, DP_NONE or beyond when it is none
 */
void dp_host_up(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group);
/**
 * A packet received by multicast or broadcast, for the kernel if that is on the interface and it is
 * one that stays on its link. @return false: it is not, m stays
 */
bool dp_host_up_group4(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t src, uint32_t dst);
bool dp_host_up_group6(struct dp_lcore *lc, struct rte_mbuf *m, const uint8_t dst[16]);

#endif
