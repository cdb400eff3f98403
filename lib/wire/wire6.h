/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE6_H
#define WIRE6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/**
 * @file
 * Codecs of IPv6: its header, CARP over it, ICMPv6 echo, neighbour discovery. Contract as in
 * wire.h. Addresses are 16 bytes in network order; numbers are in host order.
 * @thread any; nothing here has state
 */

#define WIRE_IP6_ADDR_LEN 16
#define WIRE_IP6_LEN	  40 /**< without extension headers */
#define WIRE_ICMP6_LEN	  8

/** @name Next headers: extension headers that have a length, fragment, ICMPv6 @{ */
#define WIRE_PROTO_HOPOPTS  0
#define WIRE_PROTO_ROUTING  43
#define WIRE_PROTO_FRAGMENT 44
#define WIRE_PROTO_AH	    51 /**< its length is in units of four bytes */
#define WIRE_PROTO_ICMP6    58
#define WIRE_PROTO_DSTOPTS  60
/** @} */

/** @name Well-known addresses @{ */
extern const uint8_t wire_ip6_unspecified[WIRE_IP6_ADDR_LEN];
extern const uint8_t wire_ip6_all_nodes[WIRE_IP6_ADDR_LEN];  /**< ff02::1 */
extern const uint8_t wire_carp_group_ip6[WIRE_IP6_ADDR_LEN]; /**< ff02::12 */
/** @} */

bool wire_ip6_is_unspecified(const uint8_t ip[WIRE_IP6_ADDR_LEN]);
static inline bool
wire_ip6_is_multicast(const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	return ip[0] == 0xff;
}
/** fe80::/10 */
static inline bool
wire_ip6_is_link_local(const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}
/** Any of ff02::1:ff00:0/104. */
bool wire_ip6_is_solicited_node(const uint8_t ip[WIRE_IP6_ADDR_LEN]);
/** The solicited-node group of an address, RFC 4291 2.7.1. */
void wire_ip6_solicited_node(const uint8_t ip[WIRE_IP6_ADDR_LEN], uint8_t out[WIRE_IP6_ADDR_LEN]);
/** The link-local address of a MAC by EUI-64, RFC 4291 appendix A (protocol note 3.1). */
void wire_ip6_link_local(const uint8_t mac[WIRE_MAC_LEN], uint8_t out[WIRE_IP6_ADDR_LEN]);
/** The Ethernet address of a multicast group, 33:33 and its last four bytes, RFC 2464. */
void wire_ip6_group_mac(const uint8_t group[WIRE_IP6_ADDR_LEN], uint8_t mac[WIRE_MAC_LEN]);

/** IPv6 header, RFC 8200. */
struct wire_ip6 {
	uint8_t tclass;
	uint32_t flow;	      /**< 20 bits */
	uint16_t payload_len; /**< bytes after the header; at most what was given to decode */
	uint8_t next; /**< next header, whatever it is: extension headers are not followed */
	uint8_t hop_limit;
	uint8_t src[WIRE_IP6_ADDR_LEN];
	uint8_t dst[WIRE_IP6_ADDR_LEN];
};
/** Why an IPv6 header was refused. */
enum wire_ip6_result {
	WIRE_IP6_OK = 0,
	WIRE_IP6_TRUNCATED,   /**< shorter than its header, or than its payload length */
	WIRE_IP6_BAD_VERSION, /**< version is not 6 */
};
/**
 * @param p    first byte of the IPv6 header
 * @param len  bytes from there to the end of the frame; padding after the payload is fine
 */
enum wire_ip6_result wire_ip6_decode(const uint8_t *p, size_t len, struct wire_ip6 *out);
void wire_ip6_encode(const struct wire_ip6 *h, uint8_t out[WIRE_IP6_LEN]);

/**
 * Sum of the pseudo-header, RFC 8200 8.1, to start wire_sum() over the upper-layer packet with.
 * @param len  bytes of the upper-layer packet
 */
uint32_t wire_ip6_pseudo_sum(const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN], uint32_t len, uint8_t next);

/** @name CARP over IPv6 (protocol note 1.3, 1.5) @{ */
#define WIRE_CARP6_FRAME_LEN (WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_CARP_LEN) /* 90 */

/** The Ethernet destination of multicast IPv6 adverts, 33:33:00:00:00:12. */
extern const uint8_t wire_carp_mac6[WIRE_MAC_LEN];

/**
 * What a checksum covers: NetBSD of 2023 sums the pseudo-header too, all others do not. From some
 * sources both agree.
 */
enum wire_carp_sum {
	WIRE_CARP_SUM_BAD = 0,
	WIRE_CARP_SUM_PLAIN = 1,
	WIRE_CARP_SUM_PSEUDO = 2,
	WIRE_CARP_SUM_BOTH = WIRE_CARP_SUM_PLAIN | WIRE_CARP_SUM_PSEUDO,
};
/** Which sums over the first 36 bytes verify. */
enum wire_carp_sum wire_carp6_sum_ok(const uint8_t p[WIRE_CARP_LEN],
	const uint8_t src[WIRE_IP6_ADDR_LEN], const uint8_t dst[WIRE_IP6_ADDR_LEN]);

/** What of an IPv6 advert's frame is not CARP header. */
struct wire_carp6_envelope {
	uint8_t eth_dst[WIRE_MAC_LEN];
	uint8_t eth_src[WIRE_MAC_LEN];
	uint8_t ip_src[WIRE_IP6_ADDR_LEN];
	uint8_t ip_dst[WIRE_IP6_ADDR_LEN];
	uint8_t tclass;
	enum wire_carp_sum sum; /**< PSEUDO: with the pseudo-header; anything else: plain */
};
/** Build a whole advert frame: Ethernet, IPv6 with hop limit 255, CARP. */
void wire_carp6_frame_encode(const struct wire_carp6_envelope *env, const struct wire_carp *carp,
	uint8_t out[WIRE_CARP6_FRAME_LEN]);
/** @} */

/** @name ICMPv6, RFC 4443 @{ */
#define WIRE_ICMP6_UNREACHABLE	   1
#define WIRE_ICMP6_TOO_BIG	   2
#define WIRE_ICMP6_TIME_EXCEEDED   3
#define WIRE_ICMP6_PARAMETER	   4
#define WIRE_ICMP6_INFORMATIONAL   128 /**< types from here on are no errors */
#define WIRE_ICMP6_REDIRECT	   137
#define WIRE_ICMP6_UNREACH_ROUTE   0
#define WIRE_ICMP6_UNREACH_ADMIN   1 /**< administratively prohibited */
#define WIRE_ICMP6_UNREACH_SCOPE   2 /**< the destination is beyond the scope of the source */
#define WIRE_ICMP6_UNREACH_ADDRESS 3
#define WIRE_ICMP6_ECHO_REQUEST	   128
#define WIRE_ICMP6_ECHO_REPLY	   129
#define WIRE_ICMP6_RS		   133
#define WIRE_ICMP6_RA		   134
#define WIRE_ICMP6_NS		   135
#define WIRE_ICMP6_NA		   136

/** First eight bytes of an ICMPv6 message. */
struct wire_icmp6 {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint32_t rest; /**< identifier and sequence, or what the type has there */
};
/** @return true and fills *out, or false when len < WIRE_ICMP6_LEN. The sum is not checked. */
bool wire_icmp6_decode(const uint8_t *p, size_t len, struct wire_icmp6 *out);
/** True when the checksum over len bytes and the pseudo-header verifies. */
bool wire_icmp6_sum_ok(const uint8_t *p, size_t len, const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN]);
/** Encode with the checksum over the pseudo-header, these eight bytes and the payload. */
void wire_icmp6_encode(const struct wire_icmp6 *h, const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN], const uint8_t *payload, size_t payload_len,
	uint8_t out[WIRE_ICMP6_LEN]);
/** @} */

/** @name Neighbour discovery, RFC 4861 and 4862 @{ */
#define WIRE_ND_LEN	  24 /**< without options */
#define WIRE_ND_NONCE_LEN 6
/** With a link-layer option, as all but some duplicate address probes are. */
#define WIRE_ND_FRAME_LEN (WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ND_LEN + 8) /* 86 */
/** With a nonce, too. */
#define WIRE_ND_FRAME_MAX (WIRE_ND_FRAME_LEN + 8) /* 94 */

/** A neighbour solicitation or advertisement. */
struct wire_nd {
	uint8_t type; /**< WIRE_ICMP6_NS or WIRE_ICMP6_NA */
	/** @name Flags of an advertisement; false in a solicitation. @{ */
	bool router;
	bool solicited;
	bool override;
	/** @} */
	uint8_t target[WIRE_IP6_ADDR_LEN];
	/** The option of this type: source link-layer address in NS, target's in NA. */
	bool has_lladdr;
	uint8_t lladdr[WIRE_MAC_LEN];
	/** Nonce of duplicate address detection, RFC 7527, when it has six bytes. */
	bool has_nonce;
	uint8_t nonce[WIRE_ND_NONCE_LEN];
};
/** Why a message was refused; RFC 4861 7.1.1 and 7.1.2. */
enum wire_nd_result {
	WIRE_ND_OK = 0,
	WIRE_ND_OTHER,	       /**< not ICMPv6, or neither NS nor NA */
	WIRE_ND_TRUNCATED,     /**< shorter than 24 bytes */
	WIRE_ND_BAD_HOP_LIMIT, /**< not 255: it came over a router */
	WIRE_ND_BAD_CHECKSUM,
	WIRE_ND_BAD_CODE,   /**< not 0 */
	WIRE_ND_BAD_TARGET, /**< multicast */
	WIRE_ND_BAD_OPTION, /**< length 0, or over the end */
	/** NS: unspecified source, not to a solicited-node group or with a link-layer option. */
	WIRE_ND_BAD_SOURCE,
	WIRE_ND_BAD_FLAGS, /**< NA: solicited, but sent to a group */
};
/**
 * @param ip   the packet's header, decoded
 * @param p    its payload, of ip->payload_len bytes
 * @param out  filled when OK, else left alone
 */
enum wire_nd_result wire_nd_decode(
	const struct wire_ip6 *ip, const uint8_t *p, struct wire_nd *out);

/** What of a frame is not ICMPv6 message. */
struct wire_nd_envelope {
	uint8_t eth_dst[WIRE_MAC_LEN];
	uint8_t eth_src[WIRE_MAC_LEN];
	uint8_t ip_src[WIRE_IP6_ADDR_LEN];
	uint8_t ip_dst[WIRE_IP6_ADDR_LEN];
};
/** Build a whole frame. @return its length: 78, and 8 for each option */
size_t wire_nd_frame_encode(const struct wire_nd_envelope *env, const struct wire_nd *nd,
	uint8_t out[WIRE_ND_FRAME_MAX]);

/**
 * Ask who has a target: to its solicited-node group, or, when eth_dst is not NULL, to the target
 * itself at this MAC (is it still there, RFC 4861 7.3.3).
 * @param ip_src  not unspecified; the link-layer option carries mac
 */
void wire_ns_frame_encode(const uint8_t mac[WIRE_MAC_LEN], const uint8_t ip_src[WIRE_IP6_ADDR_LEN],
	const uint8_t target[WIRE_IP6_ADDR_LEN], const uint8_t *eth_dst,
	uint8_t out[WIRE_ND_FRAME_LEN]);
/**
 * Answer a solicitation: Override set, link-layer option and Ethernet source mac. To the asker with
 * Solicited set; a duplicate address probe, which has no source, to ff02::1 with it clear.
 * @param eth_src  the asker's MAC in the Ethernet header, used when the NS has no option
 * @param ip_src   an address of ours; the target itself does where we have no other
 */
void wire_na_answer_frame_encode(const struct wire_ip6 *ns_ip, const struct wire_nd *ns,
	const uint8_t eth_src[WIRE_MAC_LEN], const uint8_t mac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], bool router, uint8_t out[WIRE_ND_FRAME_LEN]);
/**
 * Unsolicited advertisement of a VIP (protocol note 7.5): to ff02::1, Override set, Solicited
 * clear, the vMAC in the Ethernet header and in the option.
 */
void wire_na_announce_frame_encode(const uint8_t vmac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], const uint8_t vip[WIRE_IP6_ADDR_LEN], bool router,
	uint8_t out[WIRE_ND_FRAME_LEN]);
/** @} */

#endif
