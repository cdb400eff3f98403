/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Every decoder of wire.h on any bytes, and what is decoded encodes to the same bytes again. */
#include "fuzz.h"

#include <string.h>

#include "base_assert.h"
#include "base_bytes.h"
#include "wire.h"

/* Two checksums that mean the same: zero has two forms in ones' complement. */
static bool
same_sum(uint16_t a, uint16_t b)
{
	return a == b || (a == 0 && b == UINT16_MAX) || (a == UINT16_MAX && b == 0);
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	while (len > 0 && p[len - 1] == 0)
		len--;
	return len == 0;
}

/*
 * Received data verifies exactly when its checksum is the one we would compute. The exception is
 * nothing but zeros: that sums to plus zero, which no checksum makes verify.
 */
static void
check_sum(const uint8_t *p, size_t len, uint16_t received, uint16_t computed)
{
	bool ok = wire_sum_fold(wire_sum(p, len, 0)) == 0;

	BASE_ASSERT(ok == (same_sum(received, computed) && !all_zero(p, len)));
}

static void
fuzz_sum(const uint8_t *p, size_t len)
{
	size_t cut = len ? (p[0] % (len + 1)) & ~(size_t)1 : 0;
	uint16_t whole = wire_sum_fold(wire_sum(p, len, 0));

	BASE_ASSERT(wire_sum_fold(wire_sum(p + cut, len - cut, wire_sum(p, cut, 0))) == whole);
}

static void
fuzz_carp(const uint8_t *p, size_t len)
{
	struct wire_carp h;
	uint8_t again[WIRE_CARP_LEN];

	if (!wire_carp_decode(p, len, &h)) {
		BASE_ASSERT(len < WIRE_CARP_LEN);
		return;
	}
	wire_carp_encode(&h, again);
	BASE_ASSERT(wire_carp_sum_ok(again));
	BASE_ASSERT(memcmp(again, p, 6) == 0);
	BASE_ASSERT(memcmp(again + 8, p + 8, WIRE_CARP_LEN - 8) == 0);
	BASE_ASSERT(wire_carp_sum_ok(p) == (wire_sum_fold(wire_sum(p, WIRE_CARP_LEN, 0)) == 0));
	check_sum(p, WIRE_CARP_LEN, h.checksum, base_load_be16(again + 6));
	BASE_ASSERT(wire_carp_is_bow_out(&h) == (p[2] == 255 && p[5] == 255));
}

static void
fuzz_icmp(const uint8_t *p, size_t len)
{
	struct wire_icmp h;
	uint8_t again[WIRE_ICMP_LEN];

	if (!wire_icmp_decode(p, len, &h)) {
		BASE_ASSERT(len < WIRE_ICMP_LEN);
		return;
	}
	wire_icmp_encode(&h, p + WIRE_ICMP_LEN, len - WIRE_ICMP_LEN, again);
	BASE_ASSERT(memcmp(again, p, 2) == 0);
	BASE_ASSERT(memcmp(again + 4, p + 4, 4) == 0);
	check_sum(p, len, h.checksum, base_load_be16(again + 2));
}

static void
fuzz_ip4(const uint8_t *p, size_t len)
{
	struct wire_ip4 h;
	uint8_t again[WIRE_IP4_LEN];

	switch (wire_ip4_decode(p, len, &h)) {
	case WIRE_IP4_TRUNCATED:
		BASE_ASSERT(len < WIRE_IP4_LEN || len < base_load_be16(p + 2));
		return;
	case WIRE_IP4_BAD_VERSION:
		BASE_ASSERT(p[0] >> 4 != 4);
		return;
	case WIRE_IP4_BAD_HEADER:
	case WIRE_IP4_BAD_CHECKSUM:
		return;
	case WIRE_IP4_OK:
		break;
	}
	BASE_ASSERT(h.header_len >= WIRE_IP4_LEN && h.header_len <= 60);
	BASE_ASSERT(h.header_len <= h.total_len && h.total_len <= len);
	if (h.header_len == WIRE_IP4_LEN) {
		wire_ip4_encode(&h, again);
		BASE_ASSERT(memcmp(again, p, 10) == 0);
		BASE_ASSERT(same_sum(base_load_be16(again + 10), h.checksum));
		BASE_ASSERT(memcmp(again + 12, p + 12, 8) == 0);
	}
	fuzz_carp(p + h.header_len, (size_t)(h.total_len - h.header_len));
	fuzz_icmp(p + h.header_len, (size_t)(h.total_len - h.header_len));
}

static void
fuzz_arp(const struct wire_eth *eth, const uint8_t *p, size_t len)
{
	struct wire_arp h;
	uint8_t again[WIRE_ARP_FRAME_LEN];

	if (!wire_arp_decode(p, len, &h))
		return;
	wire_arp_frame_encode(eth->dst, eth->src, &h, again);
	BASE_ASSERT(memcmp(again + WIRE_ETH_LEN, p, WIRE_ARP_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_eth nobody;
	struct wire_eth eth;
	uint8_t again[WIRE_ETH_LEN];

	fuzz_sum(data, size);
	/* As a frame, layer by layer. */
	if (wire_eth_decode(data, size, &eth)) {
		wire_eth_encode(&eth, again);
		BASE_ASSERT(memcmp(again, data, WIRE_ETH_LEN) == 0);
		fuzz_arp(&eth, data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
		fuzz_ip4(data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
	} else {
		BASE_ASSERT(size < WIRE_ETH_LEN);
	}
	/* And each decoder on the bare bytes. */
	fuzz_arp(&nobody, data, size);
	fuzz_ip4(data, size);
	fuzz_carp(data, size);
	fuzz_icmp(data, size);
	return 0;
}
