/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

/**
 * @file
 * A small deterministic generator (xoshiro256**, Blackman and Vigna 2018; seeded
 * by splitmix64). The seed comes from outside, so that a run can be repeated. Not
 * for secrets: CARP's counters and tie-break delays need spread, not secrecy.
 * @thread one generator, one thread
 */
struct base_rand {
	uint64_t s[4];
};

/** Start a generator; every seed, 0 included, is good. */
void base_rand_init(struct base_rand *r, uint64_t seed);

/** The next 64 bits. */
uint64_t base_rand_next(struct base_rand *r);

/** A number in [0, bound), without modulo bias; 0 when bound is 0. */
uint64_t base_rand_below(struct base_rand *r, uint64_t bound);

#endif
