/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

static void
ip4_put(struct frame *f, uint32_t src, uint32_t dst, uint8_t proto, uint16_t total_len)
{
	const struct wire_ip4 h = {
		.header_len = 20,
		.total_len = total_len,
		.id = 0x1234,
		.ttl = 64,
		.proto = proto,
		.src = src,
		.dst = dst,
	};

	wire_ip4_encode(&h, f->b + WIRE_ETH_LEN);
}

struct frame
frame_ip4(const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint8_t proto, uint16_t payload_len)
{
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_IP4};
	struct frame f = {.len = WIRE_ETH_LEN + WIRE_IP4_LEN + (uint32_t)payload_len};

	memcpy(eth.dst, dst_mac, 6);
	memcpy(eth.src, client_mac, 6);
	wire_eth_encode(&eth, f.b);
	ip4_put(&f, src, dst, proto, (uint16_t)(WIRE_IP4_LEN + payload_len));
	for (uint16_t i = 0; i < payload_len; i++)
		f.b[WIRE_ETH_LEN + WIRE_IP4_LEN + i] = (uint8_t)i;
	return f;
}

struct frame
frame_udp(const uint8_t dst_mac[6], uint32_t src, uint32_t dst)
{
	return frame_ip4(dst_mac, src, dst, 17, 26);
}

struct frame
frame_echo(const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint16_t payload_len)
{
	struct frame f = frame_ip4(
		dst_mac, src, dst, WIRE_PROTO_ICMP, (uint16_t)(WIRE_ICMP_LEN + payload_len));
	const struct wire_icmp h = {.type = WIRE_ICMP_ECHO_REQUEST, .rest = 0x00070001};
	uint8_t *icmp = f.b + WIRE_ETH_LEN + WIRE_IP4_LEN;

	wire_icmp_encode(&h, icmp + WIRE_ICMP_LEN, payload_len, icmp);
	return f;
}

struct frame
frame_arp(const uint8_t dst_mac[6], uint16_t op, uint32_t sender, uint32_t target)
{
	struct wire_arp arp = {.op = op, .sender_ip = sender, .target_ip = target};
	struct frame f = {.len = WIRE_ARP_FRAME_LEN};

	memcpy(arp.sender_mac, client_mac, 6);
	wire_arp_frame_encode(dst_mac, client_mac, &arp, f.b);
	return f;
}

struct frame
frame_carp(const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint8_t vhid)
{
	const struct wire_carp h = {
		.version = 2, .type = 1, .vhid = vhid, .authlen = 7, .advbase = 1};
	struct frame f = frame_ip4(dst_mac, src, dst, WIRE_PROTO_CARP, WIRE_CARP_LEN);

	wire_carp_encode(&h, f.b + WIRE_ETH_LEN + WIRE_IP4_LEN);
	return f;
}

void
frame_sum(struct frame *f)
{
	uint8_t *ip = f->b + WIRE_ETH_LEN;
	size_t len = (size_t)(ip[0] & 0x0f) * 4;

	base_store_be16(ip + 10, 0);
	base_store_be16(ip + 10, wire_sum_fold(wire_sum(ip, len, 0)));
}

void
frame_options(struct frame *f, uint32_t n)
{
	uint8_t *ip = f->b + WIRE_ETH_LEN;

	memmove(ip + WIRE_IP4_LEN + n, ip + WIRE_IP4_LEN, f->len - WIRE_ETH_LEN - WIRE_IP4_LEN);
	memset(ip + WIRE_IP4_LEN, 1, n);
	f->len += n;
	ip[0] = (uint8_t)(0x45 + n / 4);
	base_store_be16(ip + 2, (uint16_t)(base_load_be16(ip + 2) + n));
	frame_sum(f);
}

void
frame_pad(struct frame *f, uint32_t len)
{
	if (f->len < len) {
		memset(f->b + f->len, 0xee, len - f->len);
		f->len = len;
	}
}
