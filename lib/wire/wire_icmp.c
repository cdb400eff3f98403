/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include "base_bytes.h"

bool
wire_icmp_decode(const uint8_t *p, size_t len, struct wire_icmp *out)
{
	if (len < WIRE_ICMP_LEN)
		return false;
	out->type = p[0];
	out->code = p[1];
	out->checksum = base_load_be16(p + 2);
	out->rest = base_load_be32(p + 4);
	return true;
}

void
wire_icmp_encode(const struct wire_icmp *h, const uint8_t *payload, size_t payload_len,
	uint8_t out[WIRE_ICMP_LEN])
{
	uint32_t sum;

	out[0] = h->type;
	out[1] = h->code;
	base_store_be16(out + 2, 0);
	base_store_be32(out + 4, h->rest);
	/* Header first: only the last part may have an odd length. */
	sum = wire_sum(out, WIRE_ICMP_LEN, 0);
	base_store_be16(out + 2, wire_sum_fold(wire_sum(payload, payload_len, sum)));
}
