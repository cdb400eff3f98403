/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * Codecs between bytes and plain structs: Ethernet, IPv4, CARP, ARP, ICMP.
 *
 * Every decoder takes (bytes, length), proves the length before it reads, and
 * either fills its result or refuses and leaves it alone. Every encoder builds a
 * whole frame into a fresh buffer. Numbers in structs are in host order.
 * @thread any; nothing here has state
 */

#define WIRE_MAC_LEN	     6
#define WIRE_ETH_LEN	     14
#define WIRE_IP4_LEN	     20 /**< without options */
#define WIRE_CARP_LEN	     36
#define WIRE_CARP_DIGEST_LEN 20
#define WIRE_ARP_LEN	     28
#define WIRE_ICMP_LEN	     8
#define WIRE_CARP4_FRAME_LEN (WIRE_ETH_LEN + WIRE_IP4_LEN + WIRE_CARP_LEN) /* 70 */
#define WIRE_ARP_FRAME_LEN   (WIRE_ETH_LEN + WIRE_ARP_LEN)		   /* 42, before padding */

#define WIRE_ETHERTYPE_IP4  0x0800
#define WIRE_ETHERTYPE_ARP  0x0806
#define WIRE_ETHERTYPE_VLAN 0x8100
#define WIRE_ETHERTYPE_QINQ 0x88a8 /**< 802.1ad, a provider's tag */
#define WIRE_VLAN_TAG_LEN   4	   /**< 802.1Q, between the MACs and the type */
#define WIRE_VLAN_ID	    0x0fff /**< of its second half; the rest is a priority */
#define WIRE_ETHERTYPE_IP6  0x86dd

#define WIRE_PROTO_ICMP 1
#define WIRE_PROTO_TCP	6
#define WIRE_PROTO_UDP	17
#define WIRE_PROTO_CARP 112

#define WIRE_CARP_VERSION   2
#define WIRE_CARP_TYPE	    1
#define WIRE_CARP_AUTHLEN   7
#define WIRE_CARP_TTL	    255
#define WIRE_CARP_GROUP_IP4 UINT32_C(0xe0000012) /**< 224.0.0.18 */
#define WIRE_CARP_TOS	    0x10		 /**< low delay, as the BSDs' default */

/** The Ethernet destination of multicast IPv4 adverts, 01:00:5e:00:00:12. */
extern const uint8_t wire_carp_mac4[WIRE_MAC_LEN];
/** ff:ff:ff:ff:ff:ff */
extern const uint8_t wire_broadcast_mac[WIRE_MAC_LEN];

/**
 * Internet checksum, RFC 1071, of len bytes continued from a partial sum.
 * @param sum  0, or the return value of wire_sum() over bytes that come before;
 *             only the last part may have an odd length.
 * @return the unfolded sum; finish with wire_sum_fold().
 */
uint32_t wire_sum(const void *data, size_t len, uint32_t sum);
/** Fold and complement: the value to store (host order), 0 over data that verifies. */
uint16_t wire_sum_fold(uint32_t sum);

/** Ethernet II header. */
struct wire_eth {
	uint8_t dst[WIRE_MAC_LEN];
	uint8_t src[WIRE_MAC_LEN];
	uint16_t type;
};
/** @return true and fills *out, or false when len < WIRE_ETH_LEN. */
bool wire_eth_decode(const uint8_t *p, size_t len, struct wire_eth *out);
void wire_eth_encode(const struct wire_eth *h, uint8_t out[WIRE_ETH_LEN]);

/** IPv4 header, RFC 791. */
struct wire_ip4 {
	uint8_t header_len; /**< bytes, options included, 20 to 60 */
	uint8_t tos;
	uint16_t total_len; /**< bytes, header included; at most what was given to decode */
	uint16_t id;
	uint16_t frag; /**< flags and offset as on the wire: 0x4000 DF, 0x2000 MF, 0x1fff offset */
	uint8_t ttl;
	uint8_t proto;
	uint16_t checksum; /**< as received; encode computes it */
	uint32_t src;
	uint32_t dst;
};
#define WIRE_IP4_DF	0x4000
#define WIRE_IP4_MF	0x2000
#define WIRE_IP4_OFFSET 0x1fff

/** Why an IPv4 header was refused. */
enum wire_ip4_result {
	WIRE_IP4_OK = 0,
	WIRE_IP4_TRUNCATED,    /**< shorter than its header, or than its total length */
	WIRE_IP4_BAD_VERSION,  /**< version is not 4 */
	WIRE_IP4_BAD_HEADER,   /**< header length under 20, or total length under the header's */
	WIRE_IP4_BAD_CHECKSUM, /**< header checksum does not verify */
};
/**
 * @param p    first byte of the IPv4 header
 * @param len  bytes from there to the end of the frame; padding after total_len is fine
 */
enum wire_ip4_result wire_ip4_decode(const uint8_t *p, size_t len, struct wire_ip4 *out);
/** Encode a header without options (header_len is taken as 20), checksum included. */
void wire_ip4_encode(const struct wire_ip4 *h, uint8_t out[WIRE_IP4_LEN]);

/** CARP header (protocol note 1.4). */
struct wire_carp {
	uint8_t version; /**< high nibble; 2 */
	uint8_t type;	 /**< low nibble; 1, never checked on receipt */
	uint8_t vhid;
	uint8_t advskew;
	uint8_t authlen; /**< 7, never checked on receipt */
	uint8_t demotion;
	uint8_t advbase;
	uint16_t checksum; /**< as received; encode computes it */
	uint64_t counter;
	uint8_t digest[WIRE_CARP_DIGEST_LEN];
};
/** True when the header is the bow-out, advbase 255 and advskew 255. */
static inline bool
wire_carp_is_bow_out(const struct wire_carp *h)
{
	return h->advbase == 255 && h->advskew == 255;
}
/** @return true and fills *out, or false when len < WIRE_CARP_LEN. Bytes beyond are ignored. */
bool wire_carp_decode(const uint8_t *p, size_t len, struct wire_carp *out);
/** True when the checksum over the first 36 bytes verifies (IPv4 coverage, note 1.5). */
bool wire_carp_sum_ok(const uint8_t p[WIRE_CARP_LEN]);
/** Encode all 36 bytes, checksum computed after the digest is in place. */
void wire_carp_encode(const struct wire_carp *h, uint8_t out[WIRE_CARP_LEN]);

/** What of an IPv4 advert's frame is not CARP header. */
struct wire_carp4_envelope {
	uint8_t eth_dst[WIRE_MAC_LEN];
	uint8_t eth_src[WIRE_MAC_LEN];
	uint32_t ip_src;
	uint32_t ip_dst;
	uint16_t ip_id;
	uint8_t tos;
};
/** Build a whole advert frame: Ethernet, IPv4 with DF and TTL 255, CARP (note 1.2). */
void wire_carp4_frame_encode(const struct wire_carp4_envelope *env, const struct wire_carp *carp,
	uint8_t out[WIRE_CARP4_FRAME_LEN]);

#define WIRE_ARP_REQUEST 1
#define WIRE_ARP_REPLY	 2
/** ARP for IPv4 over Ethernet, RFC 826. */
struct wire_arp {
	uint16_t op;
	uint8_t sender_mac[WIRE_MAC_LEN];
	uint32_t sender_ip;
	uint8_t target_mac[WIRE_MAC_LEN];
	uint32_t target_ip;
};
/**
 * @return true and fills *out, or false when too short or not Ethernet and IPv4 (hardware and
 *         protocol type and length).
 */
bool wire_arp_decode(const uint8_t *p, size_t len, struct wire_arp *out);
/** Build a whole frame, not padded. */
void wire_arp_frame_encode(const uint8_t eth_dst[WIRE_MAC_LEN], const uint8_t eth_src[WIRE_MAC_LEN],
	const struct wire_arp *arp, uint8_t out[WIRE_ARP_FRAME_LEN]);
/** Gratuitous ARP request for a VIP: vMAC in the Ethernet header and in the payload (note 7.1). */
void wire_garp_frame_encode(
	const uint8_t vmac[WIRE_MAC_LEN], uint32_t vip, uint8_t out[WIRE_ARP_FRAME_LEN]);

#define WIRE_ICMP_ECHO_REPLY	0
#define WIRE_ICMP_UNREACHABLE	3
#define WIRE_ICMP_REDIRECT	5
#define WIRE_ICMP_ECHO_REQUEST	8
#define WIRE_ICMP_TIME_EXCEEDED 11
#define WIRE_ICMP_PARAMETER	12
#define WIRE_ICMP_UNREACH_NET	0
#define WIRE_ICMP_UNREACH_HOST	1
#define WIRE_ICMP_UNREACH_FRAG	4
#define WIRE_ICMP_UNREACH_ADMIN 13 /**< communication administratively prohibited */
/** First eight bytes of an ICMP message, RFC 792. */
struct wire_icmp {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint32_t rest; /**< identifier and sequence, or unused/next-hop MTU */
};
/** @return true and fills *out, or false when len < WIRE_ICMP_LEN. */
bool wire_icmp_decode(const uint8_t *p, size_t len, struct wire_icmp *out);
/** Encode with the checksum over these eight bytes and payload_len bytes of payload. */
void wire_icmp_encode(const struct wire_icmp *h, const uint8_t *payload, size_t payload_len,
	uint8_t out[WIRE_ICMP_LEN]);

#endif
