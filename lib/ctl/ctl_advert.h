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
#include "wire6.h"

/**
 * @file
 * Receive validation of one advert of either family, steps 2 to 12 of protocol note 6, column
 * "Recommended". Pure: bytes and a scope in, a verdict out; no clock, no DPDK, nothing changed.
 * Step 1, counting every advert, and step 13, the election, are the caller's; so is the guard
 * against replays between them (auth_replay.h).
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
	/** The second ones, of groups with a staged change; NULL: no group has one. */
	struct auth_group *const *other_auth;
	const struct auth_counters *const *other_counters;
	/**
	 * Mask of families with a unicast peer: its adverts may come over a router. NULL: no group
	 * has one.
	 */
	const uint8_t *unicast;
	/** @} */
	/**
	 * @name The interface's own addresses without the VIPs.
	 * May be empty: boxes without an address of their own all send from the first VIP, and must
	 * still hear each other. @{
	 */
	const uint32_t *own_ip4;
	uint16_t n_own_ip4;
	const uint8_t (*own_ip6)[WIRE_IP6_ADDR_LEN];
	uint16_t n_own_ip6;
	/** @} */
};

/** What an advert said, filled as far as the check came. */
struct ctl_advert {
	uint16_t group;	      /**< ELECTION_NONE until the vhid is known to be one of ours */
	uint8_t vhid;	      /**< 0 until the CARP header was read */
	struct base_addr src; /**< family NONE until the IP header was read */
	/** What its checksum covers: in IPv6, peers differ. BAD until the sum was checked. */
	enum wire_carp_sum sum;
	struct election_priority prio;
	uint64_t counter;
	bool bow_out;
	bool other; /**< the digest is that of the group's second identity */
};

/**
 * Check an advert over IPv4 or IPv6.
 *
 * Bytes after the CARP header are accepted, inside the IP packet and after it. One 802.1Q tag is
 * skipped; which interface it means was decided before. IPv6 extension headers are not followed.
 * Over IPv6 a checksum with or without the pseudo-header is right (note 1.5).
 * @param frame  from the Ethernet header on
 * @param out    always filled; what was not reached is zero or "none". When the verdict is not
 *               IPACKETS its group and source say where to count and what to log, no more
 * @return CTL_STAT_IPACKETS when it is a peer's good advert, of either family: out->src.family
 *         says where to count it. Else the counter of the first step that refuses, in this order:
 *         DISALLOWED; BADIF; HDROPS (not a whole IP packet of protocol 112; IPv4: a fragment,
 *         header checksum wrong; IPv6: from a group, or to another group than ff02::12); BADTTL,
 *         unless the whole CARP header names a group with a unicast peer of this family; BADLEN;
 *         BADSUM; BADVHID; SELF; BADVER; BADAUTH; LOOP
 * @thread as auth_group_verify()
 */
enum ctl_stat ctl_advert_check(const uint8_t *frame, size_t len,
	const struct ctl_advert_scope *scope, struct ctl_advert *out);

#endif
