/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_PROBE_PRIV_H
#define DP_PROBE_PRIV_H

#include "dp_priv.h"

/** @file Answers to the control lcore's echo requests, as the ICMP stages see them. */

/**
 * An ICMP message to an address of ours: hand it to the control lcore if that waits for it.
 * @return true: m is gone; false: it is something else
 */
bool dp_probe_take(struct dp_lcore *lc, struct rte_mbuf *m);

#endif
