/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_DRAIN_PRIV_H
#define MGMT_DRAIN_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/** @file Leaving service and coming back. @thread a session's */

struct mgmt_session;

/**
 * Every MASTER bows out, the box is demoted, and a peer is waited for in each group. Text and
 * status are left in the session; without a peer the box stays demoted all the same.
 * @param seconds  how long to wait; 0: what the slowest peer may need
 * @param persist  koi starts drained from now on, until mgmt_undrain()
 */
void mgmt_drain(struct mgmt_session *s, uint32_t seconds, bool persist);
/** Ends it, and what was to outlive a restart. */
void mgmt_undrain(struct mgmt_session *s);

#endif
