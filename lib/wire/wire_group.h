/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_GROUP_H
#define WIRE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base_addr.h"
#include "wire6.h"

/**
 * @file
 * Membership in multicast groups: IGMP versions 1 to 3 (RFC 1112, 2236, 3376) and MLD versions 1
 * and 2 (RFC 2710, 3810). What snooping switches want to hear, so that adverts reach us.
 * @thread any; nothing here has state
 */

/** Newest version of a family, to use where no querier was heard. */
#define WIRE_GROUP_IGMP_NEWEST 3
#define WIRE_GROUP_MLD_NEWEST  2

/** Ethernet, the IP header with its router alert, and one record of the newest version. */
#define WIRE_GROUP_FRAME_MAX (WIRE_ETH_LEN + WIRE_IP6_LEN + 8 + 28) /* 90; of IPv4 54 */

/** The Ethernet address of a multicast group of either family. */
void wire_group_mac(const struct base_addr *group, uint8_t mac[WIRE_MAC_LEN]);

/** Why a host reports; version 1 and 2 of IGMP and version 1 of MLD say the first two alike. */
enum wire_group_change {
	WIRE_GROUP_ANSWER, /**< a member, as a querier asked */
	WIRE_GROUP_JOIN,   /**< a member from now on */
	WIRE_GROUP_LEAVE,  /**< a member no more */
};

struct wire_group_report {
	struct base_addr group;
	/** Same family; of IPv6 link-local or unspecified (RFC 3810 5.2.13). */
	struct base_addr src;
	uint8_t eth_src[WIRE_MAC_LEN];
	uint8_t version; /**< of the querier that is answered, else the newest */
	enum wire_group_change change;
};
/**
 * Build a whole frame, not padded: hop limit 1, router alert.
 * @return its length; 0 for a version that there is not, and for leaving in IGMPv1, which has no
 *         such message
 */
size_t wire_group_frame_encode(
	const struct wire_group_report *r, uint8_t out[WIRE_GROUP_FRAME_MAX]);

struct wire_group_query {
	uint8_t version; /**< to answer in */
	bool general;	 /**< about all groups */
	struct base_addr group;
	uint32_t max_resp_ms; /**< answer at a random time within this */
	uint16_t n_sources;   /**< asked about these only; a member of all sources answers anyway */
	bool router_alert;
};
enum wire_group_result {
	WIRE_GROUP_OK = 0,
	WIRE_GROUP_OTHER,      /**< no whole IP packet, or not a query */
	WIRE_GROUP_BAD_LENGTH, /**< of no version, or shorter than its sources */
	WIRE_GROUP_BAD_CHECKSUM,
	/**
	 * Sent to another address than those a query goes to; or about no multicast group; or, in
	 * MLD, source not link-local, hop limit not 1 or no router alert (RFC 3810 6.2).
	 */
	WIRE_GROUP_BAD_ENVELOPE,
};
/**
 * Decode a query of either family. One of IGMP without the router alert is accepted, since not all
 * switches that query send it.
 * @param p    first byte of the IP header, of whose version the family is
 * @param len  bytes from there to the end of the frame
 * @param out  filled when OK, else left alone
 */
enum wire_group_result wire_group_query_decode(
	const uint8_t *p, size_t len, struct wire_group_query *out);

#endif
