/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include <string.h>

#include "base_bytes.h"

const uint8_t wire_carp_mac4[WIRE_MAC_LEN] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};
const uint8_t wire_broadcast_mac[WIRE_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

bool
wire_eth_decode(const uint8_t *p, size_t len, struct wire_eth *out)
{
	if (len < WIRE_ETH_LEN)
		return false;
	memcpy(out->dst, p, WIRE_MAC_LEN);
	memcpy(out->src, p + WIRE_MAC_LEN, WIRE_MAC_LEN);
	out->type = base_load_be16(p + 12);
	return true;
}

void
wire_eth_encode(const struct wire_eth *h, uint8_t out[WIRE_ETH_LEN])
{
	memcpy(out, h->dst, WIRE_MAC_LEN);
	memcpy(out + WIRE_MAC_LEN, h->src, WIRE_MAC_LEN);
	base_store_be16(out + 12, h->type);
}
