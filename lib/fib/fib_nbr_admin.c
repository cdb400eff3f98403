/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What operators want of the neighbour table: entries that stay, and others gone. */
#include <errno.h>

#include "fib_nbr_priv.h"

/* Slots that one call of fib_nbr_clear() looks at, and entries that it removes. */
#define CLEAR_LOOKS_MAX	  4096
#define CLEAR_REMOVES_MAX NBR_TICK_MAX

void
fib_nbr_warm(struct fib_nbr_table *t, uint16_t if_index, bool warm)
{
	t->warm[if_index] = warm;
}

int
fib_nbr_set(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	uint32_t slot;

	if (!nbr_is_station(mac) || !nbr_is_host(addr))
		return -EINVAL;
	slot = fib_nbr_slot_find(t, if_index, addr);
	if (slot == NBR_NONE)
		slot = fib_nbr_slot_add(t, if_index, addr, FIB_NBR_STATIC, mac, now);
	if (slot == NBR_NONE)
		return -ENOSPC;
	fib_nbr_slot_publish(t, slot, FIB_NBR_STATIC, mac, now);
	base_heap_set(&t->heap, slot, BASE_NS_NEVER);
	fib_nbr_slot_flush(t, slot, now, act, arg);
	return 0;
}

int
fib_nbr_forget(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	uint32_t slot = fib_nbr_slot_find(t, if_index, addr);

	if (slot == NBR_NONE)
		return -ENOENT;
	fib_nbr_slot_fail(t, slot, now, act, arg);
	fib_nbr_slot_remove(t, slot);
	return 0;
}

enum fib_nbr_state
fib_nbr_state_of(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr)
{
	uint32_t slot = fib_nbr_slot_find(t, if_index, addr);

	return slot != NBR_NONE ? nbr_word_state(t->seen[slot].word) : FIB_NBR_ABSENT;
}

bool
fib_nbr_is_static(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr)
{
	return fib_nbr_state_of(t, if_index, addr) == FIB_NBR_STATIC;
}

/* What was learnt, and nobody waits for. */
static bool
is_cleared(const struct fib_nbr_table *t, uint32_t slot, uint16_t if_index)
{
	enum fib_nbr_state state = nbr_word_state(t->seen[slot].word);

	return state != FIB_NBR_ABSENT && state != FIB_NBR_INCOMPLETE && state != FIB_NBR_STATIC &&
		(if_index == FIB_NBR_IF_ALL || nbr_id_if(t->entry[slot].id) == if_index);
}

bool
fib_nbr_clear(struct fib_nbr_table *t, uint16_t if_index, uint32_t *cursor)
{
	uint32_t removed = 0;

	for (uint32_t looks = 0; looks < CLEAR_LOOKS_MAX && removed < CLEAR_REMOVES_MAX; looks++) {
		if (*cursor >= t->n_slots)
			return false;
		if (is_cleared(t, *cursor, if_index)) {
			fib_nbr_slot_remove(t, *cursor);
			removed++;
		}
		++*cursor;
	}
	return true;
}
