/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include <string.h>

#include "base_bytes.h"

#define HTYPE_ETHERNET 1

/* Where the fields stand, RFC 826 for Ethernet and IPv4. */
#define OFF_HTYPE      0
#define OFF_PTYPE      2
#define OFF_HLEN       4
#define OFF_PLEN       5
#define OFF_OP	       6
#define OFF_SENDER_MAC 8
#define OFF_SENDER_IP  14
#define OFF_TARGET_MAC 18
#define OFF_TARGET_IP  24

bool
wire_arp_decode(const uint8_t *p, size_t len, struct wire_arp *out)
{
	if (len < WIRE_ARP_LEN)
		return false;
	if (base_load_be16(p + OFF_HTYPE) != HTYPE_ETHERNET ||
		base_load_be16(p + OFF_PTYPE) != WIRE_ETHERTYPE_IP4 ||
		p[OFF_HLEN] != WIRE_MAC_LEN || p[OFF_PLEN] != 4)
		return false;
	out->op = base_load_be16(p + OFF_OP);
	memcpy(out->sender_mac, p + OFF_SENDER_MAC, WIRE_MAC_LEN);
	out->sender_ip = base_load_be32(p + OFF_SENDER_IP);
	memcpy(out->target_mac, p + OFF_TARGET_MAC, WIRE_MAC_LEN);
	out->target_ip = base_load_be32(p + OFF_TARGET_IP);
	return true;
}

void
wire_arp_frame_encode(const uint8_t eth_dst[WIRE_MAC_LEN], const uint8_t eth_src[WIRE_MAC_LEN],
	const struct wire_arp *arp, uint8_t out[WIRE_ARP_FRAME_LEN])
{
	uint8_t *p = out + WIRE_ETH_LEN;
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_ARP};

	memcpy(eth.dst, eth_dst, WIRE_MAC_LEN);
	memcpy(eth.src, eth_src, WIRE_MAC_LEN);
	wire_eth_encode(&eth, out);
	base_store_be16(p + OFF_HTYPE, HTYPE_ETHERNET);
	base_store_be16(p + OFF_PTYPE, WIRE_ETHERTYPE_IP4);
	p[OFF_HLEN] = WIRE_MAC_LEN;
	p[OFF_PLEN] = 4;
	base_store_be16(p + OFF_OP, arp->op);
	memcpy(p + OFF_SENDER_MAC, arp->sender_mac, WIRE_MAC_LEN);
	base_store_be32(p + OFF_SENDER_IP, arp->sender_ip);
	memcpy(p + OFF_TARGET_MAC, arp->target_mac, WIRE_MAC_LEN);
	base_store_be32(p + OFF_TARGET_IP, arp->target_ip);
}

void
wire_garp_frame_encode(
	const uint8_t vmac[WIRE_MAC_LEN], uint32_t vip, uint8_t out[WIRE_ARP_FRAME_LEN])
{
	/* The target MAC stays zero, as NetBSD sends it. */
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .sender_ip = vip, .target_ip = vip};

	memcpy(arp.sender_mac, vmac, WIRE_MAC_LEN);
	wire_arp_frame_encode(wire_broadcast_mac, vmac, &arp, out);
}
