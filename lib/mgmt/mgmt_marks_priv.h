/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_MARKS_PRIV_H
#define MGMT_MARKS_PRIV_H

#include "ctl.h"
#include "dp.h"
#include "mgmt.h"
#include "port.h"

/**
 * @file
 * What counters were when an operator cleared them. Nobody writes the counters of a lcore or a
 * device but itself: they go on, and what is shown is what was counted since.
 * @thread any
 */

/** @return NULL without memory */
struct mgmt_marks *mgmt_marks_new(void);
void mgmt_marks_free(struct mgmt_marks *m);

/** @name Begin anew. @{ */
void mgmt_clear_drops(const struct mgmt_config *c);
/** Workers, control lcore and their longest turns. */
void mgmt_clear_lcores(const struct mgmt_config *c);
/** @param i  index into the port set. @return as port_set_stats() */
int mgmt_clear_port(const struct mgmt_config *c, uint16_t i);
/** @} */

/** @name What was counted since, or ever. @{ */
void mgmt_since_drops(const struct mgmt_config *c, uint64_t drops[DP_DROP_COUNT]);
/** @param rx_frames  that it received */
void mgmt_since_worker(const struct mgmt_config *c, uint16_t worker, struct dp_worker_info *info,
	uint64_t *rx_frames);
/** turns, sleeps and stalls of the control lcore. */
void mgmt_since_box(const struct mgmt_config *c, struct ctl_box_view *box);
int mgmt_since_port(const struct mgmt_config *c, uint16_t i, struct port_stats *out);
/** @} */

#endif
