/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire6.h"

#include "base_bytes.h"

bool
wire_icmp6_decode(const uint8_t *p, size_t len, struct wire_icmp6 *out)
{
	if (len < WIRE_ICMP6_LEN)
		return false;
	out->type = p[0];
	out->code = p[1];
	out->checksum = base_load_be16(p + 2);
	out->rest = base_load_be32(p + 4);
	return true;
}

bool
wire_icmp6_sum_ok(const uint8_t *p, size_t len, const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN])
{
	uint32_t sum = wire_ip6_pseudo_sum(src, dst, (uint32_t)len, WIRE_PROTO_ICMP6);

	return wire_sum_fold(wire_sum(p, len, sum)) == 0;
}

void
wire_icmp6_encode(const struct wire_icmp6 *h, const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN], const uint8_t *payload, size_t payload_len,
	uint8_t out[WIRE_ICMP6_LEN])
{
	uint32_t sum = wire_ip6_pseudo_sum(
		src, dst, (uint32_t)(WIRE_ICMP6_LEN + payload_len), WIRE_PROTO_ICMP6);

	out[0] = h->type;
	out[1] = h->code;
	base_store_be16(out + 2, 0);
	base_store_be32(out + 4, h->rest);
	/* Header first: only the last part may have an odd length. */
	sum = wire_sum(out, WIRE_ICMP6_LEN, sum);
	base_store_be16(out + 2, wire_sum_fold(wire_sum(payload, payload_len, sum)));
}
