/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_CAPTURE_H
#define DP_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "dp.h"

/**
 * @file
 * Frames as they come from the devices and go to them, copied for somebody to look at. Each lcore
 * that receives or sends copies into a ring of its own, from which one reader takes; a full ring
 * loses frames to capture, never frames to forward. While nobody captures, a lcore has one branch
 * for it in each turn, burst, punt and drop, on a word of its own.
 */

/** Bytes of a lcore's ring. */
#define DP_CAPTURE_RING (UINT32_C(4) << 20)
/** Longest beginning of a frame that can be asked for. */
#define DP_CAPTURE_SNAP_MAX 65535

enum dp_capture_fate {
	DP_CAPTURE_PASSED = 0, /**< sent, or forwarded, or handled here: nothing is said of it */
	DP_CAPTURE_DROPPED,
	DP_CAPTURE_CONTROL, /**< received, and handed to the control lcore, which judges it */
	DP_CAPTURE_RESOLVE, /**< received, and waits until its next hop has a MAC */
};

struct dp_capture_frame {
	uint64_t wall_ns;  /**< CLOCK_REALTIME of the burst that it was in */
	uint16_t if_index; /**< DP_NONE: of no interface */
	uint16_t port_id;
	bool outbound;
	enum dp_capture_fate fate;
	enum dp_drop why;  /**< DROPPED */
	uint32_t len;	   /**< as on the wire, a tag that the device handles included */
	uint32_t captured; /**< of bytes, valid until dp_capture_next() with this lcore */
	const uint8_t *bytes;
};

/**
 * Copy frames from a millisecond later on; what the rings hold of before is forgotten. The
 * rings are made by the first call and stay.
 * @param if_index  only those of this interface; DP_NONE: all
 * @param snap_len  as many bytes of each frame at most, from 1 to DP_CAPTURE_SNAP_MAX
 * @return 0, -EINVAL, -ENOMEM
 * @thread the reader's; one at a time calls what is in this file
 */
int dp_capture_start(struct dp *dp, uint16_t if_index, uint32_t snap_len);
/** No lcore copies any more at its first turn a millisecond later. What is in the rings stays. */
void dp_capture_stop(struct dp *dp);

/** Rings to read: one for each worker and one for the control lcore. */
uint16_t dp_capture_rings(const struct dp *dp);
/** The oldest frame of a ring that was not taken yet. @return false: none */
bool dp_capture_peek(struct dp *dp, uint16_t ring, struct dp_capture_frame *out);
/** Take what dp_capture_peek() showed. */
void dp_capture_next(struct dp *dp, uint16_t ring);
/**
 * Frames that found a ring full since dp_capture_start().
 * @param if_index  of this interface; DP_NONE: of none
 * @thread any
 */
uint64_t dp_capture_lost(const struct dp *dp, uint16_t if_index);

#endif
