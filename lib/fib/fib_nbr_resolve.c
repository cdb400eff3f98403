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
emit(const struct sink *s, enum fib_nbr_action_type type, uint16_t if_index,
	const struct base_addr *addr, const uint8_t *mac, struct rte_mbuf *m)
{
	struct fib_nbr_action a = {
		.type = type,
		.if_index = if_index,
		.addr = *addr,
		.has_mac = mac != NULL,
		.m = m,
	};

	if (mac != NULL)
		memcpy(a.mac, mac, BASE_MAC_LEN);
	s->act(s->arg, &a);
}

/* The same about an entry. */
static void
emit_slot(const struct fib_nbr_table *t, uint32_t slot, const struct sink *s,
	enum fib_nbr_action_type type, const uint8_t *mac, struct rte_mbuf *m)
{
	const struct nbr_entry *e = &t->entry[slot];
	struct base_addr addr = nbr_addr(nbr_slot_family(t, slot), e->addr);

	emit(s, type, nbr_id_if(e->id), &addr, mac, m);
}

/* Ask once more, or for the first time in this state. */
static void
ask(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state, const struct sink *s)
{
	struct nbr_entry *e = &t->entry[slot];
	uint8_t mac[BASE_MAC_LEN];

	if (nbr_word_state(t->seen[slot].word) != state)
		e->asked = 0;
	e->asked++;
	fib_nbr_slot_publish(t, slot, state, NULL, s->now);
	base_heap_set(&t->heap, slot, base_ns_add(s->now, FIB_NBR_RETRY_NS));
	NBR_ADD(t->count.requests, 1);
	nbr_word_mac(t->seen[slot].word, mac);
	emit_slot(t, slot, s, FIB_NBR_ACT_REQUEST, state == FIB_NBR_PROBE ? mac : NULL, NULL);
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
		emit_slot(t, slot, s, type, mac, hold_pop(t, e));
}

void
fib_nbr_slot_flush(
	struct fib_nbr_table *t, uint32_t slot, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint8_t mac[BASE_MAC_LEN];

	nbr_word_mac(t->seen[slot].word, mac);
	hold_flush(t, slot, FIB_NBR_ACT_SEND, mac, &s);
}

void
fib_nbr_slot_fail(
	struct fib_nbr_table *t, uint32_t slot, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};

	hold_flush(t, slot, FIB_NBR_ACT_FAIL, NULL, &s);
}

/* The oldest packet of an entry makes room for a newer one. */
static void
hold_drop(struct fib_nbr_table *t, uint32_t slot, const struct sink *s)
{
	NBR_ADD(t->count.hold_dropped, 1);
	emit_slot(t, slot, s, FIB_NBR_ACT_DROP, NULL, hold_pop(t, &t->entry[slot]));
}

static void
hold(struct fib_nbr_table *t, uint32_t slot, struct rte_mbuf *m, const struct sink *s)
{
	struct nbr_entry *e = &t->entry[slot];
	uint16_t place;

	if (e->held == FIB_NBR_HOLD_MAX)
		hold_drop(t, slot, s);
	place = fib_nbr_hold_take(t, slot);
	if (place == NBR_HOLD_NONE) {
		/* Who is there answers in milliseconds: the oldest of all waits for nobody. */
		hold_drop(t, t->hold[t->hold_oldest].slot, s);
		place = fib_nbr_hold_take(t, slot);
	}
	NBR_ADD(t->count.held_ever, 1);
	t->hold[place].m = m;
	t->hold[place].next = NBR_HOLD_NONE;
	if (e->held == 0)
		e->hold_first = place;
	else
		t->hold[e->hold_last].next = place;
	e->hold_last = place;
	__atomic_store_n(&e->held, (uint16_t)(e->held + 1), __ATOMIC_RELEASE);
}

/* A scan must not keep those who are there from being found: who did not answer makes room. */
static void
make_room(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const struct sink *s)
{
	uint32_t slot = fib_nbr_slot_oldest(t, if_index, addr, s->now);

	if (slot == NBR_NONE)
		return;
	while (t->entry[slot].held > 0)
		hold_drop(t, slot, s);
	fib_nbr_slot_remove(t, slot);
}

void
fib_nbr_resolve(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	struct rte_mbuf *m, base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint32_t slot = fib_nbr_slot_find(t, if_index, addr);
	uint8_t mac[BASE_MAC_LEN];

	if (slot == NBR_NONE) {
		make_room(t, if_index, addr, &s);
		slot = fib_nbr_slot_add(t, if_index, addr, FIB_NBR_INCOMPLETE, NULL, now);
		/* Held before it is asked: an answer within the action would find it. */
		if (slot != NBR_NONE && m != NULL)
			hold(t, slot, m, &s);
		if (slot != NBR_NONE)
			ask(t, slot, FIB_NBR_INCOMPLETE, &s);
		else if (m != NULL)
			emit(&s, FIB_NBR_ACT_DROP, if_index, addr, NULL, m);
		return;
	}
	if (m == NULL)
		return;
	switch (nbr_word_state(t->seen[slot].word)) {
	case FIB_NBR_INCOMPLETE:
		hold(t, slot, m, &s);
		return;
	case FIB_NBR_REACHABLE:
	case FIB_NBR_STALE:
	case FIB_NBR_PROBE:
	case FIB_NBR_STATIC:
		/* The answer came while the packet was in the worker's ring. */
		nbr_word_mac(t->seen[slot].word, mac);
		emit(&s, FIB_NBR_ACT_SEND, if_index, addr, mac, m);
		return;
	case FIB_NBR_FAILED:
		emit(&s, FIB_NBR_ACT_FAIL, if_index, addr, NULL, m);
		return;
	case FIB_NBR_ABSENT:
		break;
	}
	BASE_ASSERT(false); /* a slot that is found has a state */
}

/* An entry has this MAC, or keeps its own (NULL), in one of the states in which it is used. */
static void
known(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state, const uint8_t *mac,
	const struct sink *s)
{
	uint64_t old = t->seen[slot].word;
	uint8_t now_mac[BASE_MAC_LEN];

	if (mac != NULL && !fib_nbr_slot_mac_fits(t, slot, mac))
		return;
	fib_nbr_slot_publish(t, slot, state, mac, s->now);
	if (!nbr_state_usable(nbr_word_state(old)) ||
		(old & NBR_MAC_MASK) != (t->seen[slot].word & NBR_MAC_MASK))
		NBR_ADD(t->count.learned, 1);
	base_heap_set(&t->heap, slot,
		base_ns_add(
			s->now, state == FIB_NBR_STALE ? FIB_NBR_STALE_NS : FIB_NBR_REACHABLE_NS));
	nbr_word_mac(t->seen[slot].word, now_mac);
	hold_flush(t, slot, FIB_NBR_ACT_SEND, now_mac, s);
}

static bool
has_mac(const struct fib_nbr_table *t, uint32_t slot, const uint8_t mac[BASE_MAC_LEN])
{
	return ((t->seen[slot].word ^ nbr_word(FIB_NBR_ABSENT, mac)) & NBR_MAC_MASK) == 0;
}

void
fib_nbr_asker(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint32_t slot;

	if (!nbr_is_station(mac) || !nbr_is_host(addr))
		return;
	slot = fib_nbr_slot_find(t, if_index, addr);
	if (slot == NBR_NONE) {
		slot = fib_nbr_slot_add(t, if_index, addr, FIB_NBR_STALE, mac, now);
		if (slot == NBR_NONE)
			return;
		NBR_ADD(t->count.learned, 1);
		base_heap_set(&t->heap, slot, base_ns_add(now, FIB_NBR_STALE_NS));
		return;
	}
	if (nbr_word_state(t->seen[slot].word) == FIB_NBR_STATIC)
		return;
	if (nbr_state_pending(nbr_word_state(t->seen[slot].word)) || !has_mac(t, slot, mac))
		known(t, slot, FIB_NBR_STALE, mac, &s);
}

void
fib_nbr_advertised(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t *mac, bool solicited, bool override, base_ns_t now, fib_nbr_act_fn act,
	void *arg)
{
	const struct sink s = {.act = act, .arg = arg, .now = now};
	uint32_t slot = fib_nbr_slot_find(t, if_index, addr);
	enum fib_nbr_state state;
	bool same;

	if (slot == NBR_NONE || (mac != NULL && !nbr_is_station(mac)))
		return;
	state = nbr_word_state(t->seen[slot].word);
	if (state == FIB_NBR_STATIC)
		return;
	if (nbr_state_pending(state)) {
		if (mac != NULL)
			known(t, slot, solicited ? FIB_NBR_REACHABLE : FIB_NBR_STALE, mac, &s);
		return;
	}
	same = mac == NULL || has_mac(t, slot, mac);
	if (!same && !override) {
		/* Somebody else says to be it: not believed, but a reason to ask. */
		if (state == FIB_NBR_REACHABLE)
			known(t, slot, FIB_NBR_STALE, NULL, &s);
	} else if (solicited) {
		known(t, slot, FIB_NBR_REACHABLE, mac, &s);
	} else if (!same) {
		known(t, slot, FIB_NBR_STALE, mac, &s);
	}
}

/* Somebody sends to it, or may have to at any moment. */
static bool
is_wanted(const struct fib_nbr_table *t, uint32_t slot)
{
	return t->warm[nbr_id_if(t->entry[slot].id)] ||
		__atomic_load_n(&t->seen[slot].used, __ATOMIC_RELAXED) != 0;
}

/* Nobody asked for it lately. */
static void
age(struct fib_nbr_table *t, uint32_t slot, const struct sink *s)
{
	const struct nbr_entry *e = &t->entry[slot];

	if (base_ns_since(s->now, e->updated) <
		(e->unproven ? FIB_NBR_UNPROVEN_NS : FIB_NBR_IDLE_NS)) {
		base_heap_set(&t->heap, slot, base_ns_add(s->now, FIB_NBR_STALE_NS));
		return;
	}
	NBR_ADD(t->count.aged, 1);
	fib_nbr_slot_remove(t, slot);
}

static void
serve(struct fib_nbr_table *t, uint32_t slot, const struct sink *s)
{
	switch (nbr_word_state(t->seen[slot].word)) {
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
		if (is_wanted(t, slot))
			ask(t, slot, FIB_NBR_PROBE, s);
		else
			known(t, slot, FIB_NBR_STALE, NULL, s);
		return;
	case FIB_NBR_STALE:
		if (is_wanted(t, slot))
			ask(t, slot, FIB_NBR_PROBE, s);
		else
			age(t, slot, s);
		return;
	case FIB_NBR_PROBE:
		if (t->entry[slot].asked < FIB_NBR_RETRIES) {
			ask(t, slot, FIB_NBR_PROBE, s);
			return;
		}
		/* Not FAILED: the next packet asks anew, all of them, and the host may have
		 * come back with another MAC. */
		NBR_ADD(t->count.failed, 1);
		fib_nbr_slot_remove(t, slot);
		return;
	case FIB_NBR_FAILED:
		fib_nbr_slot_remove(t, slot);
		return;
	case FIB_NBR_STATIC:
	case FIB_NBR_ABSENT:
		break;
	}
	BASE_ASSERT(false); /* a slot in the heap has a state that ends */
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
