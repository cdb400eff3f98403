/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth_replay.h"

#define CHECK_BITS 12
#define CHECK_MASK ((UINT64_C(1) << CHECK_BITS) - 1)
/* 52 bits of microseconds last until 2112. */
#define TIME_MASK ((UINT64_C(1) << (64 - CHECK_BITS)) - 1)

/*
 * Never the largest value: the counter after a good one has the same time and so the wrong bits.
 * No secret is in this, the digest is what proves the counter.
 */
static uint64_t
check_bits(uint64_t us)
{
	return (us * UINT64_C(0x9e3779b97f4a7c15) >> 40) % CHECK_MASK;
}

static uint64_t
counter_of(uint64_t us)
{
	us &= TIME_MASK;
	/* An unset clock; 0 is no counter, and no time either. */
	if (us == 0)
		us = 1;
	return us << CHECK_BITS | check_bits(us);
}

uint64_t
auth_strict_counter(uint64_t unix_ns)
{
	return counter_of(unix_ns / BASE_NS_PER_US);
}

bool
auth_strict_time(uint64_t counter, uint64_t *unix_us)
{
	uint64_t us = counter >> CHECK_BITS;

	if (us == 0 || (counter & CHECK_MASK) != check_bits(us))
		return false;
	*unix_us = us;
	return true;
}

uint64_t
auth_counters_next_strict(struct auth_counters *c, uint64_t unix_ns)
{
	uint64_t last = c->sent[(c->next + AUTH_COUNTER_MEMORY - 1) % AUTH_COUNTER_MEMORY];
	uint64_t us = unix_ns / BASE_NS_PER_US, last_us, counter;

	if (auth_strict_time(last, &last_us) && last_us >= us &&
		last_us - us <= AUTH_STRICT_WINDOW_NS / BASE_NS_PER_US)
		us = last_us + 1;
	counter = counter_of(us);
	c->sent[c->next] = counter;
	c->next = (uint8_t)((c->next + 1) % AUTH_COUNTER_MEMORY);
	return counter;
}
