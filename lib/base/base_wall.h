/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_WALL_H
#define BASE_WALL_H

#include <stdint.h>

#include "base_clock.h"

/** Nanoseconds since 1970, for people and for strict counters; by vDSO. @thread any */
static inline uint64_t
base_wall_ns(void)
{
	return base_clock_ns(CLOCK_REALTIME);
}

#endif
