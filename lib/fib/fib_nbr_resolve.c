/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <string.h>

#include "base_assert.h"
#include "fib_nbr_priv.h"

/* Where actions go, and when. */
struct sink {
	fib_nbr_act_fn act;
	void *arg;
	base_ns_t now;
};

static void
emit(const struct sink *s, enum fib_nbr_action_type type, uint16_t if_index, uint32_t ip,
	const uint8_t *mac, struct rte_mbuf *m)
{
	struct fib_nbr_action a = {
		.type = type,
		.if_index = if_index,
		.ip = ip,
		.has_mac = mac != NULL,
		.m = m,
	};

	if (mac != NULL)
		memcpy(a.mac, mac, BASE_MAC_LEN);
	s->act(s->arg, &a);
}

/* Ask once more, or for the first time in this state. */
static void
ask(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state, const struct sink *s)
{
	struct nbr_entry *e = &t->entry[slot];
	uint8_t mac[BASE_MAC_LEN];

	if (nbr_word_state(t->word[slot]) != state)
		e->asked = 0;
	e->asked++;
	fib_nbr_slot_publish(t, slot, state, NULL, s->now);
	base_heap_set(&t->heap, slot, base_ns_add(s->now, FIB_NBR_RETRY_NS));
	NBR_ADD(t->count.requests, 1);
	nbr_word_mac(t->word[slot], mac);
	emit(s, FIB_NBR_ACT_REQUEST, nbr_id_if(e->id), (uint32_t)e->id,
		state == FIB_NBR_PROBE ? mac : NULL, NULL);
}

/* The oldest packet of an entry that holds at least one. */
static struct rte_mbuf *
hold_pop(struct fib_nbr_table *t, struct nbr_entry *e)
{
	uint16_t place = e->hold_first;
	struct rte_mbuf *m = t->hold[place].m;

	e->hold_first = t->hold[place].next;
	__atomic_store_n(&e->held, (uint16_t)(e->held - 1), __ATOMIC_RELEASE);
	fib_nbr_hold_give(t, place);
	return m;
}

static void
hold_flush(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_action_type type,
	const uint8_t *mac, const struct sink *s)
{
	struct nbr_entry *e = &t->entry[slot];

	while (e->held > 0)
		emit(s, type, nbr_id_if(e->id), (uint32_t)e->id, mac, hold_pop(t, e));
}

static void
hold(struct fib_nbr_table *t, uint32_t slot, struct rte_mbuf *m, const struct sink *s)
{
	struct nbr_entry *e = &t->entry[slot];
	uint16_t place;

	if (e->held == FIB_NBR_HOLD_MAX) {
		NBR_ADD(t->count.hold_dropped, 1);
		emit(s, FIB_NBR_ACT_DROP, nbr_id_if(e->id), (uint32_t)e->id, NULL, hold_pop(t, e));
	}
	place = fib_nbr_hold_take(t);
	if (place == NBR_HOLD_NONE) {
		NBR_ADD(t->count.hold_dropped, 1);
		emit(s, FIB_NBR_ACT_DROP, nbr_id_if(e->id), (uint32_t)e->id, NULL, m);
		return;
	}
	t->hold[place].m = m;
	t->hold[place].next = NBR_HOLD_NONE;
	if (e->held == 0)
		e->hold_first = place;
	else
		t->hold[e->hold_last].next = place;
	e->hold_last = place;
	__atomic_store_n(&e->held, (uint16_t)(e->held + 1), __ATOMIC_RELEASE);
}

void
fib_nbr_resolve(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, struct rte_mbuf *m,
	base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint32_t slot = fib_nbr_slot_find(t, if_index, ip);
	uint8_t mac[BASE_MAC_LEN];

	if (slot == NBR_NONE) {
		slot = fib_nbr_slot_add(t, if_index, ip, FIB_NBR_INCOMPLETE, NULL, now);
		if (slot == NBR_NONE) {
			emit(&s, FIB_NBR_ACT_DROP, if_index, ip, NULL, m);
			return;
		}
		/* Held before it is asked: an answer within the action would find it. */
		hold(t, slot, m, &s);
		ask(t, slot, FIB_NBR_INCOMPLETE, &s);
		return;
	}
	switch (nbr_word_state(t->word[slot])) {
	case FIB_NBR_INCOMPLETE:
		hold(t, slot, m, &s);
		return;
	case FIB_NBR_REACHABLE:
	case FIB_NBR_PROBE:
		/* The answer came while the packet was in the worker's ring. */
		nbr_word_mac(t->word[slot], mac);
		emit(&s, FIB_NBR_ACT_SEND, if_index, ip, mac, m);
		return;
	case FIB_NBR_FAILED:
		emit(&s, FIB_NBR_ACT_FAIL, if_index, ip, NULL, m);
		return;
	case FIB_NBR_ABSENT:
		break;
	}
	BASE_ASSERT(false); /* a slot that is found has a state */
}

static bool
is_station(const uint8_t mac[BASE_MAC_LEN])
{
	static const uint8_t zero[BASE_MAC_LEN];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, BASE_MAC_LEN) != 0;
}

/* 0.0.0.0 is the sender of an ARP probe (RFC 5227); 224.0.0.0 and above belong to no host. */
static bool
is_host(uint32_t ip)
{
	return ip != 0 && ip < UINT32_C(0xe0000000);
}

void
fib_nbr_learn(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip,
	const uint8_t mac[BASE_MAC_LEN], bool create, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint64_t word = nbr_word(FIB_NBR_REACHABLE, mac);
	uint32_t slot;

	if (!is_station(mac) || !is_host(ip))
		return;
	slot = fib_nbr_slot_find(t, if_index, ip);
	if (slot == NBR_NONE) {
		if (!create)
			return;
		slot = fib_nbr_slot_add(t, if_index, ip, FIB_NBR_REACHABLE, mac, now);
		if (slot == NBR_NONE)
			return;
		NBR_ADD(t->count.learned, 1);
	} else {
		uint64_t old = t->word[slot];

		if (!nbr_state_usable(nbr_word_state(old)) ||
			(old & NBR_MAC_MASK) != (word & NBR_MAC_MASK))
			NBR_ADD(t->count.learned, 1);
		fib_nbr_slot_publish(t, slot, FIB_NBR_REACHABLE, mac, now);
	}
	base_heap_set(&t->heap, slot, base_ns_add(now, FIB_NBR_REACHABLE_NS));
	hold_flush(t, slot, FIB_NBR_ACT_SEND, mac, &s);
}

static void
serve(struct fib_nbr_table *t, uint32_t slot, const struct sink *s)
{
	switch (nbr_word_state(t->word[slot])) {
	case FIB_NBR_INCOMPLETE:
		if (t->entry[slot].asked < FIB_NBR_RETRIES) {
			ask(t, slot, FIB_NBR_INCOMPLETE, s);
			return;
		}
		NBR_ADD(t->count.failed, 1);
		fib_nbr_slot_publish(t, slot, FIB_NBR_FAILED, NULL, s->now);
		base_heap_set(&t->heap, slot, base_ns_add(s->now, FIB_NBR_FAILED_NS));
		hold_flush(t, slot, FIB_NBR_ACT_FAIL, NULL, s);
		return;
	case FIB_NBR_REACHABLE:
		ask(t, slot, FIB_NBR_PROBE, s);
		return;
	case FIB_NBR_PROBE:
		if (t->entry[slot].asked < FIB_NBR_RETRIES) {
			ask(t, slot, FIB_NBR_PROBE, s);
			return;
		}
		/* Not FAILED: the next packet asks anew, by broadcast, and the host may have
		 * come back with another MAC. */
		NBR_ADD(t->count.failed, 1);
		fib_nbr_slot_remove(t, slot);
		return;
	case FIB_NBR_FAILED:
		fib_nbr_slot_remove(t, slot);
		return;
	case FIB_NBR_ABSENT:
		break;
	}
	BASE_ASSERT(false); /* a slot in the heap has a state */
}

void
fib_nbr_tick(struct fib_nbr_table *t, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};

	for (uint32_t n = 0; n < NBR_TICK_MAX && base_heap_first(&t->heap) <= now; n++) {
		if (base_heap_first(&t->heap) == BASE_NS_NEVER)
			return;
		serve(t, base_heap_first_id(&t->heap), &s);
	}
}

base_ns_t
fib_nbr_deadline(const struct fib_nbr_table *t)
{
	return base_heap_first(&t->heap);
}
