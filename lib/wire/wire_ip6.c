/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire6.h"

#include <string.h>

#include "base_bytes.h"

/* Where the fields stand, RFC 8200 3. */
#define OFF_FIRST_WORD	0
#define OFF_PAYLOAD_LEN 4
#define OFF_NEXT	6
#define OFF_HOP_LIMIT	7
#define OFF_SRC		8
#define OFF_DST		24

/* Of a solicited-node group all but the last three bytes. */
#define SOLICITED_PREFIX_LEN 13

const uint8_t wire_ip6_unspecified[WIRE_IP6_ADDR_LEN] = {0};
const uint8_t wire_ip6_all_nodes[WIRE_IP6_ADDR_LEN] = {0xff, 0x02, [15] = 0x01};
const uint8_t wire_carp_group_ip6[WIRE_IP6_ADDR_LEN] = {0xff, 0x02, [15] = 0x12};
const uint8_t wire_carp_mac6[WIRE_MAC_LEN] = {0x33, 0x33, 0x00, 0x00, 0x00, 0x12};

static const uint8_t solicited_prefix[SOLICITED_PREFIX_LEN] = {
	0xff, 0x02, [11] = 0x01, [12] = 0xff};

bool
wire_ip6_is_unspecified(const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	return memcmp(ip, wire_ip6_unspecified, WIRE_IP6_ADDR_LEN) == 0;
}

bool
wire_ip6_is_solicited_node(const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	return memcmp(ip, solicited_prefix, SOLICITED_PREFIX_LEN) == 0;
}

void
wire_ip6_solicited_node(const uint8_t ip[WIRE_IP6_ADDR_LEN], uint8_t out[WIRE_IP6_ADDR_LEN])
{
	const size_t rest = WIRE_IP6_ADDR_LEN - SOLICITED_PREFIX_LEN;

	memmove(out + SOLICITED_PREFIX_LEN, ip + SOLICITED_PREFIX_LEN, rest);
	memcpy(out, solicited_prefix, SOLICITED_PREFIX_LEN);
}

void
wire_ip6_link_local(const uint8_t mac[WIRE_MAC_LEN], uint8_t out[WIRE_IP6_ADDR_LEN])
{
	memset(out, 0, WIRE_IP6_ADDR_LEN);
	out[0] = 0xfe;
	out[1] = 0x80;
	out[8] = mac[0] ^ 0x02;
	out[9] = mac[1];
	out[10] = mac[2];
	out[11] = 0xff;
	out[12] = 0xfe;
	memcpy(out + 13, mac + 3, 3);
}

void
wire_ip6_group_mac(const uint8_t group[WIRE_IP6_ADDR_LEN], uint8_t mac[WIRE_MAC_LEN])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

enum wire_ip6_result
wire_ip6_decode(const uint8_t *p, size_t len, struct wire_ip6 *out)
{
	uint32_t first;
	uint16_t payload_len;

	if (len < WIRE_IP6_LEN)
		return WIRE_IP6_TRUNCATED;
	first = base_load_be32(p + OFF_FIRST_WORD);
	if (first >> 28 != 6)
		return WIRE_IP6_BAD_VERSION;
	payload_len = base_load_be16(p + OFF_PAYLOAD_LEN);
	if (len - WIRE_IP6_LEN < payload_len)
		return WIRE_IP6_TRUNCATED;

	out->tclass = (uint8_t)(first >> 20);
	out->flow = first & 0xfffff;
	out->payload_len = payload_len;
	out->next = p[OFF_NEXT];
	out->hop_limit = p[OFF_HOP_LIMIT];
	memcpy(out->src, p + OFF_SRC, WIRE_IP6_ADDR_LEN);
	memcpy(out->dst, p + OFF_DST, WIRE_IP6_ADDR_LEN);
	return WIRE_IP6_OK;
}

void
wire_ip6_encode(const struct wire_ip6 *h, uint8_t out[WIRE_IP6_LEN])
{
	base_store_be32(out + OFF_FIRST_WORD,
		UINT32_C(6) << 28 | (uint32_t)h->tclass << 20 | (h->flow & 0xfffff));
	base_store_be16(out + OFF_PAYLOAD_LEN, h->payload_len);
	out[OFF_NEXT] = h->next;
	out[OFF_HOP_LIMIT] = h->hop_limit;
	memcpy(out + OFF_SRC, h->src, WIRE_IP6_ADDR_LEN);
	memcpy(out + OFF_DST, h->dst, WIRE_IP6_ADDR_LEN);
}

uint32_t
wire_ip6_pseudo_sum(const uint8_t src[WIRE_IP6_ADDR_LEN], const uint8_t dst[WIRE_IP6_ADDR_LEN],
	uint32_t len, uint8_t next)
{
	uint8_t tail[8] = {0};
	uint32_t sum;

	base_store_be32(tail, len);
	tail[7] = next;
	sum = wire_sum(src, WIRE_IP6_ADDR_LEN, 0);
	sum = wire_sum(dst, WIRE_IP6_ADDR_LEN, sum);
	return wire_sum(tail, sizeof(tail), sum);
}
