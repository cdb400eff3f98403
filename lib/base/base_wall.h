/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_WALL_H
#define BASE_WALL_H

#include <stdint.h>
#include <time.h>

#include "base_time.h"

/** Nanoseconds since 1970, for people and for strict counters; by vDSO. @thread any */
static inline uint64_t
base_wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * BASE_NS_PER_S + (uint64_t)ts.tv_nsec;
}

#endif
