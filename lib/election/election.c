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

void
if_timing_changed(struct election *e, uint16_t if_id)
{
	struct iface *f = &e->ifs[if_id];

	f->min_down = BASE_NS_NEVER;
	for (uint16_t s = 0; s < f->n; s++) {
		const struct group *g = &e->groups[e->slot_group[f->first + s]];
		base_ns_t down = election_master_down(g->advbase, g->advskew);

		if (down < f->min_down)
			f->min_down = down;
	}
}

struct election *
election_init(void *mem, const struct election_config *c, base_ns_t now)
{
	uint8_t *at = mem;
	struct election *e = carve(&at, sizeof(*e));

	memset(mem, 0, election_size(c->if_count, c->group_count));
	e->if_count = c->if_count;
	e->group_count = c->group_count;
	e->preempt = c->preempt;
	e->allow = c->allow;
	e->born = now;
	e->ifs = carve(&at, c->if_count * sizeof(struct iface));
	e->groups = carve(&at, c->group_count * sizeof(struct group));
	e->slot_group = carve(&at, c->group_count * sizeof(uint16_t));
	base_rand_init(&e->rand, c->seed);
	base_heap_init(&e->timers, (uint32_t)TIMER_KINDS * c->group_count,
		carve(&at, base_heap_size((uint32_t)TIMER_KINDS * c->group_count)));

	for (uint16_t i = 0; i < c->if_count; i++) {
		e->ifs[i].link_up = c->ifs[i].link_up;
		e->ifs[i].track = c->ifs[i].track;
		e->ifs[i].horizon = BASE_NS_NEVER;
	}
	for (uint16_t i = 0; i < c->group_count; i++) {
		const struct election_group_config *g = &c->groups[i];

		if (g->advskew > 254 || g->if_id >= c->if_count || e->ifs[g->if_id].n == 255)
			return NULL;
		e->groups[i] = (struct group){
			.if_id = g->if_id,
			.slot = e->ifs[g->if_id].n++,
			.advbase = g->advbase,
			.advskew = g->advskew,
			.has_vip = g->has_vip,
			.admin_up = g->admin_up,
			.claim_at_start = g->start_as_master,
			.state_since = now,
			.crowd_at = BASE_NS_NEVER,
			.heard_at = BASE_NS_NEVER,
			.successor_at = BASE_NS_NEVER,
		};
	}
	uint16_t first = 0;

	for (uint16_t i = 0; i < c->if_count; i++) {
		e->ifs[i].first = first;
		first = (uint16_t)(first + e->ifs[i].n);
		base_heap_init(&e->ifs[i].down, e->ifs[i].n, at);
		at += base_heap_size(e->ifs[i].n);
	}
	for (uint16_t i = 0; i < c->group_count; i++)
		e->slot_group[e->ifs[e->groups[i].if_id].first + e->groups[i].slot] = i;
	for (uint16_t i = 0; i < c->if_count; i++)
		if_timing_changed(e, i);
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
	}
	return first;
}

int
election_group_info(
	const struct election *e, uint16_t group, base_ns_t now, struct election_group_info *out)
{
	if (group >= e->group_count)
		return -EINVAL;
	const struct group *g = &e->groups[group];

	*out = (struct election_group_info){
		.if_id = g->if_id,
		.state = g->state,
		.cause = g->cause,
		.admin_up = g->admin_up,
		.owned = g->owned,
		.handing_over = g->handing_over,
		.advbase = g->advbase,
		.advskew = g->advskew,
		.sent = election_effective(g->advbase, g->advskew, e->demotion),
		.state_since = g->state_since,
		.transitions = g->transitions,
		.master_down = election_master_down(g->advbase, g->advskew),
		.advert_deadline = timer_get(e, g, TIMER_ADVERT),
		.master_down_deadline = base_heap_get(&e->ifs[g->if_id].down, g->slot),
		.heard_at = g->heard_at,
		.heard = g->heard,
		.heard_from = g->heard_from,
		.late_max = g->late_max,
	};
	out->interval = election_interval(g->advbase, g->advskew, out->sent.advskew);
	/* A master that fell silent is no longer known to be one. */
	if (g->state == ELECTION_BACKUP && g->peer_is_master &&
		base_ns_since(now, g->heard_at) <= out->master_down)
		out->master = g->heard_from;
	return 0;
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
election_handing_over(const struct election *e)
{
	return e->handing > 0;
}
