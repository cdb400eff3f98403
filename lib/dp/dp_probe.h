/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_PROBE_H
#define DP_PROBE_H

#include "dp.h"

/**
 * @file
 * Echo requests that the control lcore sends: where they go, and how the answers find their way
 * back to it. Workers hand it what answers a request that it said to expect answers to, as
 * DP_PUNT_PROBE; anything else goes on as if there were no requests.
 */

/** Who may be asked at once. */
#define DP_PROBES_MAX 4

/**
 * Hand over answers to requests to an address with an identifier, from the workers' next packet on.
 * @param n    0 to DP_PROBES_MAX - 1; what was expected there before is not any more
 * @param dst  NULL: expect nothing
 * @thread control lcore
 */
void dp_probe_expect(struct dp *dp, uint16_t n, const struct base_addr *dst, uint16_t id);

/** Where a packet to an address would go. */
struct dp_way {
	uint8_t type;		   /**< enum fib_nh_type, but MULTI: a path of it, or NONE */
	uint16_t if_index, group;  /**< as in struct fib_nh */
	struct base_addr next_hop; /**< of CONNECTED and GATEWAY */
};
/**
 * Look up the route to an address that is not link-local.
 * @thread control lcore
 */
void dp_probe_way(struct dp *dp, const struct base_addr *dst, struct dp_way *out);

#endif
