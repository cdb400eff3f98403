/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "auth.h"

uint64_t
auth_counters_next(struct auth_counters *c, struct base_rand *rand)
{
	uint64_t counter;

	/* 0 marks an empty place of the memory, and OpenBSD reads it as "not yet chosen". */
	do
		counter = base_rand_next(rand);
	while (counter == 0);
	c->sent[c->next] = counter;
	c->next = (uint8_t)((c->next + 1) % AUTH_COUNTER_MEMORY);
	return counter;
}

bool
auth_counters_own(const struct auth_counters *c, uint64_t counter)
{
	/* A peer may well send 0: NetBSD, FreeBSD and ucarp count across it. */
	if (counter == 0)
		return false;
	for (unsigned int i = 0; i < AUTH_COUNTER_MEMORY; i++)
		if (c->sent[i] == counter)
			return true;
	return false;
}
