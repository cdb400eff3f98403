/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <time.h>

#include "base_time.h"

/** What a clock of the system says: CLOCK_MONOTONIC, what a thread has used. @thread any */
static inline base_ns_t
base_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (base_ns_t)ts.tv_sec * BASE_NS_PER_S + (base_ns_t)ts.tv_nsec;
}

#endif
