/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PAIR_H
#define CTL_PAIR_H

#include <stdbool.h>

#include "auth_stage.h"
#include "base_time.h"
#include "ctl_advert.h"

/**
 * @file
 * A MASTER with a staged change sends each advert twice, once with each digest. The election is
 * to be told of it once: heard twice it would look like another box. Pure.
 */

/** So many are remembered of a group: of some boxes, two families, and what they said before. */
#define CTL_TOLD_MAX 16

/** An advert that the election was told; all zero: none. */
struct ctl_told {
	base_ns_t at;
	struct base_addr src;
	struct election_priority prio;
	uint8_t which; /**< enum auth_identity; not what runs, which may change between the two */
	uint8_t alone; /**< so many with it, in short order, that have not met their second */
};

/**
 * Whether a good advert is the second of two that were sent as one: from where one came within
 * half an interval, the same but for the digest. If it is not it is remembered as told. In a duel
 * adverts follow each other at once, so there may be several that wait for theirs.
 * @param told      CTL_TOLD_MAX of them
 * @param interval  the group's
 * @thread one thread per object: the control lcore
 */
bool ctl_pair_is_second(struct ctl_told *told, const struct ctl_advert *a, enum auth_identity which,
	base_ns_t interval, base_ns_t now);

#endif
