/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_FRAME_H
#define CTL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"

/**
 * @file
 * The last frames that the control lcore received (adverts, ARP, neighbour and router discovery,
 * membership queries) and sent, with what it made of them. Always there; for people who ask
 * afterwards what came by.
 */

enum ctl_verdict {
#define CTL_VERDICT(sym, text) CTL_VERDICT_##sym,
#include "ctl_verdicts.def"
#undef CTL_VERDICT
	CTL_VERDICT_COUNT
};
const char *ctl_verdict_text(enum ctl_verdict v);

/** How many of the newest frames are kept. */
#define CTL_FRAMES_KEPT 4096
/** Bytes of a frame that are kept. */
#define CTL_FRAME_BYTES 256

struct ctl_frame {
	uint64_t seq;	  /**< from 1, no gaps; a frame that was answered is before its answer */
	uint64_t wall_ns; /**< CLOCK_REALTIME, when the control lcore read or sent it */
	uint16_t if_id;
	uint16_t group;	   /**< whom it is about, or ELECTION_NONE */
	uint16_t len;	   /**< of the whole frame, without a VLAN tag */
	uint16_t captured; /**< of bytes[], as many as there are at most */
	bool sent;
	uint8_t verdict; /**< enum ctl_verdict */
	uint8_t stat;	 /**< the counter: why REFUSED or NOT_ANSWERED; else CTL_STAT_COUNT */
	/** States of the group before and after; different: this frame made it change. */
	uint8_t from, to;
	uint8_t cause; /**< enum election_cause, of the change */
	_Alignas(8) uint8_t bytes[CTL_FRAME_BYTES];
};

/**
 * Copy frames with seq > after, oldest first; what is too old is left out.
 * @return how many were written, at most cap; *last is the newest seq looked at
 * @thread any
 */
uint32_t ctl_frames(
	const struct ctl *c, uint64_t after, struct ctl_frame *out, uint32_t cap, uint64_t *last);
/** The seq of the newest frame, 0 if there is none. @thread any */
uint64_t ctl_frame_newest(const struct ctl *c);

#endif
