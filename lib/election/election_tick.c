/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Deadlines that are due. */

#include "election_priv.h"

/* Room for one group's worth of actions and one ledger change. */
static bool
full(const struct election_actions *out)
{
	return out->cap - out->n < 2 * GROUP_ACTIONS_MAX;
}

static void
serve_timer(struct election *e, uint32_t id, base_ns_t now, struct election_actions *out)
{
	struct group *g = &e->groups[id % e->group_count];
	base_ns_t late = base_ns_since(now, base_heap_get(&e->timers, id));

	switch ((enum timer_kind)(id / e->group_count)) {
	case TIMER_ADVERT:
		if (late > g->late_max)
			g->late_max = late;
		group_advert_due(e, g, late, now, out);
		break;
	case TIMER_HANDOVER:
		group_handover_check(e, g, now, out);
		break;
	case TIMER_SEND_ERROR:
		demotion_send_error(e, g, false, now, out);
		break;
	case TIMER_ANNOUNCE:
		duel_serve(e, g, now, out);
		break;
	case TIMER_WATCH:
		watch_serve(e, g, now, out);
		break;
	case TIMER_KINDS:
		break;
	}
}

bool
election_tick(struct election *e, base_ns_t now, struct election_actions *out)
{
	for (; e->started < e->group_count; e->started++) {
		if (full(out))
			return true;
		group_start_if_runnable(e, &e->groups[e->started], now, out);
	}
	for (uint16_t i = 0; i < e->if_count; i++) {
		if (full(out))
			return true;
		hold_expire(e, i, now, out);
		demotion_stall(e, i, now, out);
	}
	/* Hand-overs also end when the horizon passes the successor's advert, at no fixed time. */
	for (uint16_t i = 0; e->handing > 0 && i < e->group_count; i++) {
		if (full(out))
			return true;
		group_handover_check(e, &e->groups[i], now, out);
	}
	while (base_heap_first(&e->timers) <= now) {
		if (full(out))
			return true;
		serve_timer(e, base_heap_first_id(&e->timers), now, out);
	}
	for (uint16_t i = 0; i < e->if_count; i++) {
		struct iface *f = &e->ifs[i];
		base_ns_t limit = f->horizon < now ? f->horizon : now;

		while (base_heap_first(&f->down) <= limit) {
			if (full(out))
				return true;
			struct group *g =
				&e->groups[e->slot_group[f->first + base_heap_first_id(&f->down)]];

			if (hold_is_over(e, g, now, out))
				group_become_master(e, g,
					g->put_off ? g->put_off : ELECTION_CAUSE_TIMEOUT,
					base_heap_first(&f->down), now, out);
		}
	}
	return false;
}
