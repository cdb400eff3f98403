/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What puts a take-over off: just after the start of the box or of a link, silence proves nothing.
 */

#include "election_priv.h"

enum election_hold
hold_now(const struct election *e, const struct group *g, base_ns_t now, base_ns_t *until)
{
	base_ns_t linkup = e->ifs[g->if_id].hold_until;
	bool holds = linkup != BASE_NS_NEVER && now < linkup;

	*until = holds ? linkup : 0;
	if (now < e->startup_until && e->startup_until >= *until) {
		*until = e->startup_until;
		return ELECTION_HOLD_STARTUP;
	}
	return holds ? ELECTION_HOLD_LINKUP : ELECTION_HOLD_NONE;
}

/* Able without a break: neither another state nor another health of the box in between. */
base_ns_t
hold_preempt_until(const struct election *e, const struct group *g)
{
	base_ns_t able = g->state_since > e->health_since ? g->state_since : e->health_since;

	return base_ns_add(able, g->preempt_delay);
}

void
hold_put_off(struct election *e, struct group *g, enum election_cause cause,
	enum election_hold hold, base_ns_t until, struct election_actions *out)
{
	if (g->held == hold)
		return;
	g->held = hold;
	g->held_cause = cause;
	struct election_action *a = action_add(out, ELECTION_ACT_DECISION, group_id(e, g));

	a->decision.cause = cause;
	a->decision.hold = hold;
	a->decision.until = until;
	a->decision.own = group_priority(e, g);
	a->decision.peer = g->heard;
	a->decision.peer_src = g->heard_from;
}

bool
hold_is_over(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	base_ns_t until;
	enum election_hold hold = hold_now(e, g, now, &until);

	/* a bow-out is no silence: the address is nobody's */
	if (hold == ELECTION_HOLD_NONE || g->put_off == ELECTION_CAUSE_BOW_OUT)
		return true;
	hold_put_off(e, g, g->put_off ? g->put_off : ELECTION_CAUSE_TIMEOUT, hold, until, out);
	base_heap_set(&e->ifs[g->if_id].down, g->slot, until);
	return false;
}

void
hold_expire(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out)
{
	struct iface *f = &e->ifs[if_id];

	if (now < f->hold_until)
		return;
	f->hold_until = BASE_NS_NEVER;
	demotion_link(e, if_id, now, out);
}

void
hold_frame_seen(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out)
{
	struct iface *f = &e->ifs[if_id];

	if (f->hold_until == BASE_NS_NEVER)
		return;
	f->hold_until = BASE_NS_NEVER;
	demotion_link(e, if_id, now, out);
	/* once per link up */
	for (uint16_t s = 0; s < f->n; s++) {
		struct group *g = &e->groups[e->slot_group[f->first + s]];

		if (g->state != ELECTION_BACKUP)
			continue;
		bool forced = g->put_off == ELECTION_CAUSE_FORCED;

		group_arm_down(e, g, 0, now);
		if (forced) {
			g->put_off = ELECTION_CAUSE_FORCED;
			base_heap_set(&f->down, g->slot, now);
		}
	}
}
