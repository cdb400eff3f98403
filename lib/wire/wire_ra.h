/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_RA_H
#define WIRE_RA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire6.h"

/**
 * @file
 * Codecs of router discovery: solicitations and advertisements of RFC 4861, default router
 * preference of RFC 4191, name servers and search list of RFC 8106. Contract as in wire.h.
 * @thread any; nothing here has state
 */

extern const uint8_t wire_ip6_all_routers[WIRE_IP6_ADDR_LEN]; /**< ff02::2 */

#define WIRE_RA_PREFIX_MAX 16
#define WIRE_RA_DNS_MAX	   8
/** Bytes of a search list as names of RFC 1035; with its option's head and padding 256. */
#define WIRE_RA_DOMAINS_MAX 248

/** As in two bits of an advertisement; the reserved value is read as medium. */
enum wire_ra_preference {
	WIRE_RA_MEDIUM = 0,
	WIRE_RA_HIGH = 1,
	WIRE_RA_LOW = 3,
};

struct wire_ra_prefix {
	uint8_t prefix[WIRE_IP6_ADDR_LEN]; /**< bits after the length are zero */
	uint8_t plen;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /**< UINT32_MAX: without end */
};

struct wire_ra {
	uint8_t hop_limit; /**< of hosts; 0 = not said */
	bool managed, other;
	enum wire_ra_preference preference;
	uint16_t lifetime_s;		   /**< as default router; 0 = it is none */
	uint32_t reachable_ms, retrans_ms; /**< 0 = not said */
	bool has_lladdr;
	uint8_t lladdr[WIRE_MAC_LEN];
	uint32_t mtu; /**< 0 = not said */
	uint16_t n_prefixes;
	struct wire_ra_prefix prefix[WIRE_RA_PREFIX_MAX];
	uint32_t dns_lifetime_s; /**< of servers and search list */
	uint16_t n_dns;
	uint8_t dns[WIRE_RA_DNS_MAX][WIRE_IP6_ADDR_LEN];
	uint16_t domains_len;		      /**< 0 = no search list */
	uint8_t domains[WIRE_RA_DOMAINS_MAX]; /**< names as wire_ra_domain_add() writes them */
};
/** A solicitation. */
struct wire_rs {
	bool has_lladdr; /**< of the sender */
	uint8_t lladdr[WIRE_MAC_LEN];
};

/** Why a message was refused; RFC 4861 6.1.1 and 6.1.2. */
enum wire_ra_result {
	WIRE_RA_OK = 0,
	WIRE_RA_OTHER,	       /**< not such a message */
	WIRE_RA_TRUNCATED,     /**< shorter than its head */
	WIRE_RA_BAD_HOP_LIMIT, /**< not 255: it came over a router */
	WIRE_RA_BAD_CHECKSUM,
	WIRE_RA_BAD_CODE,   /**< not 0 */
	WIRE_RA_BAD_SOURCE, /**< RA: not link-local; RS: unspecified and with a link-layer option */
	WIRE_RA_BAD_OPTION, /**< length 0, over the end, or shorter than its kind is */
};
/**
 * What is more than the struct has room for is left out; options of other kinds are skipped.
 * @param ip   the packet's header, decoded
 * @param p    its payload, of ip->payload_len bytes
 * @param out  filled when OK, else left alone
 */
enum wire_ra_result wire_ra_decode(
	const struct wire_ip6 *ip, const uint8_t *p, struct wire_ra *out);
enum wire_ra_result wire_rs_decode(
	const struct wire_ip6 *ip, const uint8_t *p, struct wire_rs *out);

/** Ethernet and IPv6 header, 16 bytes, options at their most. */
#define WIRE_RA_FRAME_MAX                                                         \
	(WIRE_ETH_LEN + WIRE_IP6_LEN + 16 + 8 + 8 + 32 * WIRE_RA_PREFIX_MAX + 8 + \
		WIRE_IP6_ADDR_LEN * WIRE_RA_DNS_MAX + 8 + WIRE_RA_DOMAINS_MAX)
/**
 * Build a whole frame to all nodes.
 * @param mac     Ethernet source
 * @param ip_src  link-local
 * @return its length
 */
size_t wire_ra_frame_encode(const uint8_t mac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], const struct wire_ra *ra,
	uint8_t out[WIRE_RA_FRAME_MAX]);

/**
 * Add a domain such as "example.org" to the search list.
 * @return false, and nothing is changed: it is no name of letters, digits and hyphens in labels of
 *         1 to 63, or there is no room
 */
bool wire_ra_domain_add(struct wire_ra *ra, const char *name);

#endif
