/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_PACE_PRIV_H
#define MGMT_PACE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base_time.h"

/**
 * @file
 * What clients cost. Lcores may share their CPUs with the threads that serve clients, so these are
 * nice, and all clients of the command line and of telemetry together may use a fifth of one CPU:
 * who asks faster waits for its answers. Nobody waits who asks now and then.
 * @thread any that serves a client
 */

enum mgmt_client_count {
	MGMT_CLIENT_PACED = 0, /**< a request waited, because clients had used too much */
	MGMT_CLIENT_CUT,       /**< a client was cut off: it did not read what it had asked for */
	MGMT_CLIENT_REFUSED,   /**< a client found all places taken */
	MGMT_CLIENT_COUNTS
};
void mgmt_client_count(enum mgmt_client_count what);
uint64_t mgmt_client_counted(enum mgmt_client_count what);

/**
 * Before a request is served: charge what the calling thread has used since the last one, and wait
 * if that is too much.
 * @param stop_fd  readable: wait no more; or -1
 */
void mgmt_pace(int stop_fd);
/** The same after a request, which may be the last one of its thread; nobody waits. */
void mgmt_pace_spent(void);

/** The bookkeeping alone: so much CPU time was used. @return how long to wait, in ns */
base_ns_t mgmt_pace_owe(base_ns_t spent, base_ns_t now);

#endif
