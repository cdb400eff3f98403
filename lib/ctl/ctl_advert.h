/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_ADVERT_H
#define CTL_ADVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "base_addr.h"
#include "ctl.h"
#include "election_types.h"

/**
 * @file
 * Receive validation of one advert, steps 2 to 12 of protocol note 6, "Recommended" column. Pure:
 * bytes and a scope in, a verdict out; no clock, no DPDK, nothing changed. Step 1, counting
 * IPACKETS for every advert, and step 13, the election, are the caller's.
 */

/** What an advert is judged against: the interface that it came in on. */
struct ctl_advert_scope {
	bool allow;
	/** Group of each vhid of this interface, or ELECTION_NONE; 256 entries. NULL: no groups. */
	const uint16_t *vhid_group;
	/** @name By group. @{ */
	/** Takes part: state not INIT, or still handing over and waiting to hear the new master. */
	const bool *listening;
	struct auth_group *const *auth;
	const struct auth_counters *const *counters;
	/** @} */
	/**
	 * The interface's own addresses without the VIPs. May be empty: boxes without an address of
	 * their own all send from the first VIP, and must still hear each other.
	 */
	const uint32_t *own_ip4;
	uint16_t n_own_ip4;
};

/** What an advert said, filled as far as the check came. */
struct ctl_advert {
	uint16_t group;	      /**< ELECTION_NONE until the vhid is known to be one of ours */
	uint8_t vhid;	      /**< 0 until the CARP header was read */
	struct base_addr src; /**< family NONE until the IPv4 header was read */
	struct election_priority prio;
	uint64_t counter;
	bool bow_out;
};

/**
 * Check an IPv4 advert.
 *
 * Bytes after the CARP header are accepted, inside the IPv4 total length and after it. One 802.1Q
 * tag is skipped; which interface it means was decided before.
 * @param frame  from the Ethernet header on
 * @param out    always filled; what was not reached is zero or "none". When the verdict is not
 *               IPACKETS its group and source say where to count and what to log, no more
 * @return CTL_STAT_IPACKETS when it is a peer's good advert. Else the counter of the first step
 *         that refuses, in this order: DISALLOWED, BADIF, HDROPS (not a whole IPv4 packet of
 *         protocol 112, a fragment, header checksum wrong), BADTTL, BADLEN, BADSUM, BADVHID, SELF,
 *         BADVER, BADAUTH, LOOP
 * @thread as auth_group_verify()
 */
enum ctl_stat ctl_advert_check(const uint8_t *frame, size_t len,
	const struct ctl_advert_scope *scope, struct ctl_advert *out);

#endif
