/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include "base_bytes.h"

enum wire_ip4_result
wire_ip4_decode(const uint8_t *p, size_t len, struct wire_ip4 *out)
{
	uint8_t header_len;
	uint16_t total_len;

	if (len < WIRE_IP4_LEN)
		return WIRE_IP4_TRUNCATED;
	if (p[0] >> 4 != 4)
		return WIRE_IP4_BAD_VERSION;
	header_len = (uint8_t)((p[0] & 0x0f) * 4);
	total_len = base_load_be16(p + 2);
	if (header_len < WIRE_IP4_LEN || total_len < header_len)
		return WIRE_IP4_BAD_HEADER;
	/* Covers the header too, so options may be read from here on. */
	if (len < total_len)
		return WIRE_IP4_TRUNCATED;
	if (wire_sum_fold(wire_sum(p, header_len, 0)) != 0)
		return WIRE_IP4_BAD_CHECKSUM;

	out->header_len = header_len;
	out->tos = p[1];
	out->total_len = total_len;
	out->id = base_load_be16(p + 4);
	out->frag = base_load_be16(p + 6);
	out->ttl = p[8];
	out->proto = p[9];
	out->checksum = base_load_be16(p + 10);
	out->src = base_load_be32(p + 12);
	out->dst = base_load_be32(p + 16);
	return WIRE_IP4_OK;
}

void
wire_ip4_encode(const struct wire_ip4 *h, uint8_t out[WIRE_IP4_LEN])
{
	out[0] = 0x45;
	out[1] = h->tos;
	base_store_be16(out + 2, h->total_len);
	base_store_be16(out + 4, h->id);
	base_store_be16(out + 6, h->frag);
	out[8] = h->ttl;
	out[9] = h->proto;
	base_store_be16(out + 10, 0);
	base_store_be32(out + 12, h->src);
	base_store_be32(out + 16, h->dst);
	base_store_be16(out + 10, wire_sum_fold(wire_sum(out, WIRE_IP4_LEN, 0)));
}
