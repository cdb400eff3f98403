/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include "base_bytes.h"

uint32_t
wire_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t acc = sum;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		acc += base_load_be16(p + i);
	/* RFC 1071: an odd last byte is the high half of a word. */
	if (i < len)
		acc += (uint64_t)p[i] << 8;
	/* 2^32 is 1 modulo 65535, so the high half may be added back at its own value. */
	while (acc >> 32)
		acc = (acc & UINT32_MAX) + (acc >> 32);
	return (uint32_t)acc;
}

uint16_t
wire_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}
