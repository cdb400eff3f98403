/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

/**
 * @file
 * Time as koi's pure libraries see it: an argument, never a clock.
 * @thread any; nothing here has state
 */

/** Nanoseconds on a monotonic clock whose zero means nothing. */
typedef uint64_t base_ns_t;

#define BASE_NS_NEVER  UINT64_MAX
#define BASE_NS_PER_S  UINT64_C(1000000000)
#define BASE_NS_PER_MS UINT64_C(1000000)
#define BASE_NS_PER_US UINT64_C(1000)
/** One unit of advskew: 1/256 s, exact in nanoseconds. */
#define BASE_NS_PER_SKEW (BASE_NS_PER_S / 256)

/** t + d that saturates at BASE_NS_NEVER. */
static inline base_ns_t
base_ns_add(base_ns_t t, base_ns_t d)
{
	return d > BASE_NS_NEVER - t ? BASE_NS_NEVER : t + d;
}

/** How long ago t was at time now; 0 when t lies in the future. */
static inline base_ns_t
base_ns_since(base_ns_t now, base_ns_t t)
{
	return now > t ? now - t : 0;
}

#endif
