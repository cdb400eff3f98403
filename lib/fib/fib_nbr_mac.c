/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * How many entries each MAC has: open addressing, linear probing, at most half full. Only the
 * control lcore comes here.
 */
#include <errno.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "base_assert.h"
#include "fib_nbr_priv.h"

int
fib_nbr_macs_init(struct nbr_macs *m, uint32_t max, int socket_id)
{
	uint32_t places = rte_align32pow2(2 * max);

	m->mac = rte_zmalloc_socket("fib_nbr", places * sizeof(*m->mac), 0, socket_id);
	m->mask = places - 1;
	m->mult = rte_rand() | 1;
	return m->mac != NULL ? 0 : -ENOMEM;
}

void
fib_nbr_macs_free(struct nbr_macs *m)
{
	rte_free(m->mac);
	m->mac = NULL;
}

static uint32_t
home(const struct nbr_macs *m, uint64_t key)
{
	return (uint32_t)(key * m->mult >> 32) & m->mask;
}

/* The place of a key, or the free one where it would go. */
static uint32_t
place_of(const struct nbr_macs *m, uint64_t key)
{
	uint32_t at = home(m, key);

	while (m->mac[at].key != 0 && m->mac[at].key != key)
		at = (at + 1) & m->mask;
	return at;
}

struct nbr_mac
fib_nbr_macs_get(const struct nbr_macs *m, uint64_t key)
{
	return m->mac[place_of(m, key)];
}

void
fib_nbr_macs_add(struct nbr_macs *m, uint64_t key, bool unproven)
{
	struct nbr_mac *mac = &m->mac[place_of(m, key)];

	mac->key = key;
	mac->entries++;
	mac->unproven += unproven;
}

/* Close the gap: whoever stands behind it and would not be found any more moves up. */
static void
place_free(struct nbr_macs *m, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & m->mask; m->mac[at].key != 0; at = (at + 1) & m->mask) {
		uint32_t from_home = (at - home(m, m->mac[at].key)) & m->mask;

		if (from_home < ((at - gap) & m->mask))
			continue;
		m->mac[gap] = m->mac[at];
		gap = at;
	}
	m->mac[gap] = (struct nbr_mac){0};
}

void
fib_nbr_macs_sub(struct nbr_macs *m, uint64_t key, bool unproven)
{
	uint32_t at = place_of(m, key);

	BASE_ASSERT(m->mac[at].entries > 0);
	m->mac[at].entries--;
	m->mac[at].unproven -= unproven;
	if (m->mac[at].entries == 0)
		place_free(m, at);
}
