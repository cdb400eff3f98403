/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Which sources of a group's adverts are known. An address is published as one 64-bit fingerprint,
 * so that a worker never sees half of one. That of an IPv6 address is a keyed mix: whoever does not
 * know the key cannot make an address that passes for a known one, and if one does by chance it has
 * only won a place in the other ring.
 */
#include "dp_priv.h"

/* The finaliser of splitmix64. */
static uint64_t
mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

uint64_t
dp_known_ip6(const struct dp *dp, const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	uint64_t v = mix(mix(dp->seed ^ base_load_be64(ip)) + base_load_be64(ip + 8) + dp->seed);

	return (v & ~(UINT64_C(1) << 63)) | 1;
}

bool
dp_group_knows(const struct dp *dp, uint16_t group, uint64_t source)
{
	const struct dp_slot *g = &dp->slots[group];

	for (unsigned int i = 0; i < DP_KNOWN_MAX; i++)
		if (atomic_load_explicit(&g->known[i], memory_order_relaxed) == source)
			return true;
	return false;
}

void
dp_group_sources(struct dp *dp, uint16_t group, const struct base_addr *known, uint16_t n)
{
	struct dp_slot *g = &dp->slots[group];
	uint64_t want[DP_KNOWN_MAX] = {0};
	unsigned int k = 0;

	for (uint16_t i = 0; i < n && i < DP_KNOWN_MAX; i++) {
		if (known[i].family == BASE_FAMILY_IP4)
			want[i] = dp_known_ip4(base_addr_ip4(&known[i]));
		else if (known[i].family == BASE_FAMILY_IP6)
			want[i] = dp_known_ip6(dp, known[i].bytes);
	}
	/* What stays known keeps its place: at no time is it missing. */
	for (unsigned int i = 0; i < DP_KNOWN_MAX; i++) {
		uint64_t have = atomic_load_explicit(&g->known[i], memory_order_relaxed);
		bool stays = false;

		for (unsigned int j = 0; j < DP_KNOWN_MAX; j++) {
			if (want[j] != 0 && want[j] == have) {
				want[j] = 0;
				stays = true;
			}
		}
		if (have != 0 && !stays)
			atomic_store_explicit(&g->known[i], 0, memory_order_relaxed);
	}
	for (unsigned int i = 0; i < DP_KNOWN_MAX; i++) {
		if (atomic_load_explicit(&g->known[i], memory_order_relaxed) != 0)
			continue;
		while (k < DP_KNOWN_MAX && want[k] == 0)
			k++;
		if (k == DP_KNOWN_MAX)
			break;
		atomic_store_explicit(&g->known[i], want[k++], memory_order_relaxed);
	}
}
