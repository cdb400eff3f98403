/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	 WIRE_ETH_LEN
#define UPPER_AT (WIRE_ETH_LEN + WIRE_IP6_LEN)

#define LAN6(host)                                          \
	{                                                   \
		0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = (host) \
	}
#define WAN6(host)                                          \
	{                                                   \
		0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = (host) \
	}
#define LL6(host)                         \
	{                                 \
		0xfe, 0x80, [15] = (host) \
	}

const uint8_t lan_own6[16] = LAN6(2);
const uint8_t lan_vip6[16] = LAN6(1);
const uint8_t lan_vip7_6[16] = LAN6(7);
const uint8_t client6[16] = LAN6(100);
const uint8_t wan_own6[16] = WAN6(2);
const uint8_t wan_vip6[16] = WAN6(1);
const uint8_t router6[16] = WAN6(254);
const uint8_t server6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xff, [15] = 10};
const uint8_t far6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xfe, [15] = 10};
const uint8_t stranger6[16] = WAN6(77);
const uint8_t own_ll6[16] = LL6(2);
const uint8_t vip_ll6[16] = LL6(1);
const uint8_t client_ll6[16] = LL6(100);

struct frame
frame_ip6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16], uint8_t next,
	uint16_t payload_len)
{
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_IP6};
	struct wire_ip6 ip = {.payload_len = payload_len, .next = next, .hop_limit = 255};
	struct frame f = {.len = UPPER_AT + (uint32_t)payload_len};

	memcpy(eth.dst, dst_mac, 6);
	memcpy(eth.src, client_mac, 6);
	memcpy(ip.src, src, 16);
	memcpy(ip.dst, dst, 16);
	wire_eth_encode(&eth, f.b);
	wire_ip6_encode(&ip, f.b + IP_AT);
	for (uint16_t i = 0; i < payload_len; i++)
		f.b[UPPER_AT + i] = (uint8_t)i;
	return f;
}

struct frame
frame_carp6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16], uint8_t vhid)
{
	const struct wire_carp h = {
		.version = 2, .type = 1, .vhid = vhid, .authlen = 7, .advbase = 1};
	struct frame f = frame_ip6(dst_mac, src, dst, WIRE_PROTO_CARP, WIRE_CARP_LEN);

	wire_carp_encode(&h, f.b + UPPER_AT);
	return f;
}

void
frame_sum6(struct frame *f)
{
	const uint8_t *ip = f->b + IP_AT;
	uint32_t len = base_load_be16(ip + 4);
	uint8_t *icmp = f->b + UPPER_AT;
	uint32_t sum = wire_ip6_pseudo_sum(ip + 8, ip + 24, len, WIRE_PROTO_ICMP6);

	base_store_be16(icmp + 2, 0);
	base_store_be16(icmp + 2, wire_sum_fold(wire_sum(icmp, len, sum)));
}

struct frame
frame_icmp6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16], uint8_t type,
	uint16_t len)
{
	struct frame f = frame_ip6(dst_mac, src, dst, WIRE_PROTO_ICMP6, len);

	f.b[UPPER_AT] = type;
	f.b[UPPER_AT + 1] = 0;
	frame_sum6(&f);
	return f;
}

struct frame
frame_echo6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16],
	uint16_t payload_len)
{
	return frame_icmp6(dst_mac, src, dst, WIRE_ICMP6_ECHO_REQUEST,
		(uint16_t)(WIRE_ICMP6_LEN + payload_len));
}

struct frame
frame_nd(const uint8_t dst_mac[6], uint8_t type, const uint8_t *dst, const uint8_t target[16])
{
	struct wire_nd_envelope env;
	struct wire_nd nd = {.type = type, .has_lladdr = true};
	struct frame f;

	memcpy(env.eth_dst, dst_mac, 6);
	memcpy(env.eth_src, client_mac, 6);
	memcpy(env.ip_src, client6, 16);
	if (dst != NULL)
		memcpy(env.ip_dst, dst, 16);
	else if (type == WIRE_ICMP6_NS)
		wire_ip6_solicited_node(target, env.ip_dst);
	else
		memcpy(env.ip_dst, wire_ip6_all_nodes, 16);
	memcpy(nd.target, target, 16);
	memcpy(nd.lladdr, client_mac, 6);
	f.len = (uint32_t)wire_nd_frame_encode(&env, &nd, f.b);
	return f;
}

struct frame
frame_mld_query(void)
{
	static const uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t options[8] = {WIRE_PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0};
	struct frame f = frame_ip6(mac, client_ll6, wire_ip6_all_nodes, WIRE_PROTO_HOPOPTS, 8 + 28);
	uint8_t *mld = f.b + UPPER_AT + 8;
	uint32_t sum;

	f.b[IP_AT + 7] = 1;
	memcpy(f.b + UPPER_AT, options, sizeof(options));
	memset(mld, 0, 28);
	mld[0] = 130;
	base_store_be16(mld + 4, 10000);
	sum = wire_ip6_pseudo_sum(client_ll6, wire_ip6_all_nodes, 28, WIRE_PROTO_ICMP6);
	base_store_be16(mld + 2, wire_sum_fold(wire_sum(mld, 28, sum)));
	return f;
}

struct frame
frame_igmp_query(uint32_t src, uint32_t dst)
{
	const uint8_t mac[6] = {
		1, 0, 0x5e, (uint8_t)(dst >> 16 & 0x7f), (uint8_t)(dst >> 8), (uint8_t)dst};
	struct frame f = frame_ip4(mac, src, dst, 2, 12);
	uint8_t *igmp = f.b + IP_AT + WIRE_IP4_LEN;

	memset(igmp, 0, 12);
	igmp[0] = 0x11;
	igmp[1] = 100;
	base_store_be16(igmp + 2, wire_sum_fold(wire_sum(igmp, 12, 0)));
	f.b[IP_AT + 8] = 1;
	frame_options(&f, 4);
	base_store_be32(f.b + IP_AT + WIRE_IP4_LEN, 0x94040000);
	frame_sum(&f);
	return f;
}

void
frame_tag(struct frame *f, uint16_t type, uint16_t tci)
{
	memmove(f->b + 16, f->b + 12, f->len - 12);
	base_store_be16(f->b + 12, type);
	base_store_be16(f->b + 14, tci);
	f->len += WIRE_VLAN_TAG_LEN;
}
