/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "election.h"

#include <errno.h>
#include <string.h>

#include "base_assert.h"
#include "election_priv.h"

#define ALIGN 16

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

size_t
election_size(uint16_t if_count, uint16_t group_count)
{
	return aligned(sizeof(struct election)) + aligned(if_count * sizeof(struct iface)) +
		aligned(group_count * sizeof(struct group)) +
		aligned(group_count * sizeof(uint16_t)) +
		aligned(base_heap_size((uint32_t)TIMER_KINDS * group_count)) +
		/* master-down heaps: the sum over interfaces; 16 bytes an id, no rounding */
		aligned(base_heap_size(group_count));
}

static void *
carve(uint8_t **at, size_t n)
{
	void *p = *at;

	*at += aligned(n);
	return p;
}

struct election *
election_init(void *mem, const struct election_config *c, base_ns_t now)
{
	uint16_t room = c->group_room > c->group_count ? c->group_room : c->group_count;
	uint8_t *at = mem;
	struct election *e = carve(&at, sizeof(*e));

	memset(mem, 0, election_size(c->if_count, room));
	e->if_count = c->if_count;
	e->group_count = room;
	e->preempt = c->preempt;
	e->allow = c->allow;
	e->drained = c->drained;
	e->drained_since = now;
	e->born = e->health_since = now;
	e->startup_until = base_ns_add(now, c->startup_hold_ns);
	e->refresh = c->announce_refresh_ns;
	e->ifs = carve(&at, c->if_count * sizeof(struct iface));
	e->groups = carve(&at, room * sizeof(struct group));
	e->slot_group = carve(&at, room * sizeof(uint16_t));
	base_rand_init(&e->rand, c->seed);
	base_heap_init(&e->timers, (uint32_t)TIMER_KINDS * room,
		carve(&at, base_heap_size((uint32_t)TIMER_KINDS * room)));
	e->down_mem = at;

	for (uint16_t i = 0; i < c->if_count; i++) {
		e->ifs[i].link_up = c->ifs[i].link_up;
		e->ifs[i].track = c->ifs[i].track;
		e->ifs[i].horizon = BASE_NS_NEVER;
		e->ifs[i].frame_at = BASE_NS_NEVER;
		e->ifs[i].told = c->ifs[i].frames_told;
		e->ifs[i].listen_at = c->ifs[i].frames_told ? now : BASE_NS_NEVER;
		e->ifs[i].hold = c->ifs[i].linkup_hold_ns;
		e->ifs[i].hold_until = c->ifs[i].link_up && c->ifs[i].linkup_hold_ns > 0
			? base_ns_add(now, c->ifs[i].linkup_hold_ns)
			: BASE_NS_NEVER;
	}
	for (uint16_t i = 0; i < room; i++)
		e->groups[i].slot = NO_SLOT;
	for (uint16_t i = 0; i < c->group_count; i++) {
		const struct election_group_config *g = &c->groups[i];

		if (!group_config_valid(e, g))
			return NULL;
		e->ifs[g->if_id].n++;
		group_begin(e, &e->groups[i], g, now);
	}
	groups_place(e);
	demotion_init(e, now);
	return e;
}

void
election_set_rx_horizon(struct election *e, uint16_t if_id, base_ns_t horizon)
{
	BASE_ASSERT(if_id < e->if_count);
	struct iface *f = &e->ifs[if_id];

	if (f->horizon == BASE_NS_NEVER || horizon > f->horizon)
		f->horizon = horizon;
}

void
election_set_rx_alive(struct election *e, uint16_t if_id, base_ns_t at)
{
	BASE_ASSERT(if_id < e->if_count);
	if (at > e->ifs[if_id].alive)
		e->ifs[if_id].alive = at;
}

base_ns_t
election_deadline(const struct election *e)
{
	base_ns_t first = e->started < e->group_count ? 0 : base_heap_first(&e->timers);

	for (uint16_t i = 0; i < e->if_count; i++) {
		base_ns_t down = base_heap_first(&e->ifs[i].down);
		base_ns_t stall = demotion_stall_at(e, &e->ifs[i]);

		if (down < first)
			first = down;
		if (stall < first)
			first = stall;
		if (e->ifs[i].hold_until < first)
			first = e->ifs[i].hold_until;
	}
	return first;
}

bool
election_preempt(const struct election *e)
{
	return e->preempt;
}

bool
election_allow(const struct election *e)
{
	return e->allow;
}

bool
election_drained(const struct election *e)
{
	return e->drained;
}

bool
election_handing_over(const struct election *e)
{
	return e->handing > 0;
}
