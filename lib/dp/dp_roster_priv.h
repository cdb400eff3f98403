/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_ROSTER_PRIV_H
#define DP_ROSTER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "dp.h"

/** @file What a roster is made of: constant once it was published (dp_roster.c). */

/** An address of an interface; in a table that is sorted by address. */
struct dp_ip6 {
	uint64_t hi, lo;
	uint16_t group; /**< whose VIP it is, DP_NONE: the interface's own */
};

/** An IPv4 VIP that several groups of an interface have, once for each; sorted. */
struct dp_share {
	uint32_t ip;
	uint16_t group;
};

struct dp_group {
	uint16_t if_index;
	uint16_t next_in_if;
	uint8_t vhid; /**< 0: the slot is not in use, and never owned */
	bool has_ip6;
	uint32_t ip4;
	uint8_t ip6[16]; /**< the first VIP that is not link-local */
};

/** Addresses and groups of an interface, and what it does with packets for that. */
struct dp_if_addrs {
	uint64_t vhids[4]; /**< configured */
	uint16_t group_of_vhid[256];
	uint16_t first_group; /**< chain through dp_group.next_in_if, DP_NONE at its end */
	uint8_t rp_filter;    /**< enum dp_rp_filter */
	bool source_vmac;     /**< see dp_if_config */
	bool has_own6, has_link_local;
	uint32_t ip4;
	/** Own IPv6 addresses to send from: the first that is not link-local, and that is. */
	uint8_t own6[16], link_local[16];
	const struct dp_ip6 *ip6;
	const struct dp_share *share;
	uint32_t n_ip6, n_share;
};

struct dp_roster {
	/** By the last byte of an address, of either family: one of this box has it. */
	bool own_byte[256];
	struct dp_if_addrs *ifs;
	struct dp_group *groups; /**< as many as there are slots */
	struct dp_ip6 *ip6;	 /**< the tables of all interfaces */
	struct dp_share *share;	 /**< the same */
};

/** @name Fill the tables of the roster's interfaces; there is room for all addresses. @{ */
void dp_ip6_fill(struct dp_roster *r, const struct dp *dp, const struct dp_if_config *ifs,
	const struct dp_group_config *groups, uint16_t n_groups);
void dp_share_fill(struct dp_roster *r, const struct dp *dp, const struct dp_group_config *groups,
	uint16_t n_groups);
/** @} */

#endif
