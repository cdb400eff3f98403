/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_CAPTURE_PRIV_H
#define DP_CAPTURE_PRIV_H

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>

#include "dp_priv.h"

/**
 * @file
 * Where lcores copy frames while somebody captures. All but the branches is out of the way, in
 * dp_capture.c.
 */

void dp_capture_rx_burst(
	struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf *const *pkts, uint16_t n);
uint16_t dp_capture_tx_burst(struct dp_lcore *lc, const struct dp_port *p, uint16_t queue,
	struct rte_mbuf **pkts, uint16_t n);
/** The frames of this turn are to be seen by the reader. */
void dp_capture_publish(struct dp_lcore *lc);

void dp_capture_free(struct dp *dp);

/** Of several frames at once, as dp_drop() says it of one. */
static inline void
dp_capture_dropped(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint16_t n, enum dp_drop why)
{
	for (uint16_t i = 0; unlikely(lc->capture != 0) && i < n; i++)
		dp_capture_settle(lc, pkts[i], DP_CAPTURE_DROPPED, why);
}

/** Frames that a device gave, tags and all. */
static inline void
dp_capture_rx(
	struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf *const *pkts, uint16_t n)
{
	if (unlikely(lc->capture != 0))
		dp_capture_rx_burst(lc, p, pkts, n);
}

/** Give frames to a device. @return how many it took, as rte_eth_tx_burst() */
static inline uint16_t
dp_capture_tx(struct dp_lcore *lc, const struct dp_port *p, uint16_t queue, struct rte_mbuf **pkts,
	uint16_t n)
{
	if (unlikely(lc->capture != 0))
		return dp_capture_tx_burst(lc, p, queue, pkts, n);
	return rte_eth_tx_burst(p->port_id, queue, pkts, n);
}

#endif
