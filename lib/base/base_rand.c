/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "base_rand.h"

static uint64_t
rotl(uint64_t x, unsigned int k)
{
	return x << k | x >> (64 - k);
}

void
base_rand_init(struct base_rand *r, uint64_t seed)
{
	for (unsigned int i = 0; i < 4; i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ z >> 31;
	}
}

uint64_t
base_rand_next(struct base_rand *r)
{
	uint64_t *s = r->s;
	uint64_t out = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

uint64_t
base_rand_below(struct base_rand *r, uint64_t bound)
{
	if (bound == 0)
		return 0;
	/* Values under this threshold would make low results more likely. */
	uint64_t threshold = (0 - bound) % bound;
	uint64_t x;

	do
		x = base_rand_next(r);
	while (x < threshold);
	return x % bound;
}
