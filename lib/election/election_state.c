/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A group's transitions and what they ask of the outside (note 5.3, design "Taking over"). */

#include "election_priv.h"

static struct election_priority
priority(const struct election *e, const struct group *g)
{
	return election_effective(g->advbase, g->advskew, e->demotion);
}

static base_ns_t
interval(const struct election *e, const struct group *g)
{
	return election_interval(g->advbase, g->advskew, priority(e, g).advskew);
}

static void
set_state(struct election *e, struct group *g, enum election_state to, enum election_cause cause,
	base_ns_t late, base_ns_t now, struct election_actions *out)
{
	struct election_action *a = action_add(out, ELECTION_ACT_STATE, group_id(e, g));

	a->state.from = g->state;
	a->state.to = to;
	a->state.cause = cause;
	a->state.late = late;
	a->state.own = priority(e, g);
	a->state.peer = g->heard;
	a->state.peer_src = g->heard_from;
	a->state.since_heard =
		g->heard_at == BASE_NS_NEVER ? BASE_NS_NEVER : base_ns_since(now, g->heard_at);
	g->state = to;
	g->cause = cause;
	g->state_since = now;
}

void
group_arm_down(struct election *e, struct group *g, base_ns_t extra, base_ns_t now)
{
	g->down_from = now;
	g->down_extra = extra;
	g->put_off = ELECTION_CAUSE_NONE;
	base_heap_set(&e->ifs[g->if_id].down, g->slot,
		now + election_master_down(g->advbase, g->advskew) + extra);
}

void
group_start_if_runnable(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	if (g->state != ELECTION_INIT || !g->admin_up || !g->has_vip || !e->allow || e->shutdown ||
		!e->ifs[g->if_id].link_up)
		return;
	g->heard_at = BASE_NS_NEVER;
	g->heard = (struct election_priority){0};
	g->heard_from = (struct base_addr){.family = BASE_FAMILY_NONE};
	g->peer_is_master = false;
	g->tied = false;
	g->crowd_at = BASE_NS_NEVER;
	set_state(e, g, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, 0, now, out);
	group_arm_down(e, g, 0, now);
	if (g->claim_at_start) {
		g->claim_at_start = false;
		group_become_master(e, g, ELECTION_CAUSE_FORCED, 0, now, out);
	}
}

void
group_send_advert(struct election *e, struct group *g, base_ns_t late, base_ns_t now,
	struct election_actions *out)
{
	struct election_action *a = action_add(out, ELECTION_ACT_ADVERT, group_id(e, g));
	base_ns_t step = interval(e, g);
	base_ns_t next = base_ns_add(now, step);

	a->advert.prio = priority(e, g);
	a->advert.late = late;
	/* Keep the phase when served a little late; never send a burst to catch up. */
	if (late != BASE_NS_NEVER && late < step)
		next -= late;
	timer_set(e, g, TIMER_ADVERT, next);
	g->advert_last = now;
	if (g->adverts < ANNOUNCE_AGAIN_AT && ++g->adverts == ANNOUNCE_AGAIN_AT)
		action_add(out, ELECTION_ACT_ANNOUNCE, group_id(e, g));
}

static void
handover_end(struct election *e, struct group *g)
{
	if (!g->handing_over)
		return;
	g->handing_over = false;
	g->successor_at = BASE_NS_NEVER;
	e->handing--;
	timer_set(e, g, TIMER_HANDOVER, BASE_NS_NEVER);
}

void
group_become_master(struct election *e, struct group *g, enum election_cause cause, base_ns_t late,
	base_ns_t now, struct election_actions *out)
{
	base_heap_set(&e->ifs[g->if_id].down, g->slot, BASE_NS_NEVER);
	handover_end(e, g);
	g->owned = true;
	g->put_off = ELECTION_CAUSE_NONE;
	g->adverts = 0;
	g->send_failed = g->send_ok = 0;
	g->transitions++;
	if (g->send_error)
		timer_set(e, g, TIMER_SEND_ERROR, BASE_NS_NEVER);
	action_add(out, ELECTION_ACT_OWN, group_id(e, g));
	group_send_advert(e, g, BASE_NS_NEVER, now, out);
	action_add(out, ELECTION_ACT_ANNOUNCE, group_id(e, g));
	set_state(e, g, ELECTION_MASTER, cause, late, now, out);
	g->peer_is_master = false;
}

static base_ns_t
tie_limit(const struct election *e, const struct group *g)
{
	base_ns_t step = interval(e, g);

	return step < TIE_DELAY_MAX_NS ? step : TIE_DELAY_MAX_NS;
}

/* Equal boxes that move in lock-step part ways by this (note 5.2). */
static base_ns_t
tie_delay(struct election *e, const struct group *g)
{
	return base_rand_below(&e->rand, tie_limit(e, g) + 1);
}

/*
 * Equal backups hear one advert at one moment. When that makes them all claim, they tie, and step
 * down together; where the advert is that of a demoted box with a shorter master-down time, it
 * comes again before their own timers, and again. So after a tie this claim is delayed too.
 */
void
group_claim(struct election *e, struct group *g, enum election_cause cause, base_ns_t now,
	struct election_actions *out)
{
	if (!g->tied) {
		group_become_master(e, g, cause, 0, now, out);
	} else if (g->put_off == ELECTION_CAUSE_NONE) {
		g->put_off = cause;
		base_heap_set(&e->ifs[g->if_id].down, g->slot, now + tie_delay(e, g));
	}
}

/*
 * A settled master is alone. Adverts of two within less than any interval are of some that claimed
 * at the same moment; equals among them step down all together, and among those that only listen
 * all timers begin at the same advert. So each keeps a random delay until a lone advert says that a
 * master is settled on.
 */
void
group_master_heard(struct election *e, struct group *g, base_ns_t other_ago, base_ns_t now)
{
	base_ns_t limit = tie_limit(e, g), extra = g->down_extra;

	if (g->crowd_at == BASE_NS_NEVER || base_ns_since(now, g->crowd_at) > limit) {
		bool crowd = other_ago < limit / 2;

		g->tied = g->tied && crowd;
		g->crowd_at = crowd ? now : BASE_NS_NEVER;
		extra = crowd ? tie_delay(e, g) : 0;
	}
	g->peer_is_master = true;
	group_arm_down(e, g, extra, now);
}

void
group_disown(struct election *e, struct group *g, struct election_actions *out)
{
	handover_end(e, g);
	if (!g->owned)
		return;
	g->owned = false;
	action_add(out, ELECTION_ACT_DISOWN, group_id(e, g));
}

void
group_handover_check(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	if (!g->handing_over)
		return;
	bool complete =
		g->successor_at != BASE_NS_NEVER && e->ifs[g->if_id].horizon > g->successor_at;

	if (complete || now >= timer_get(e, g, TIMER_HANDOVER))
		group_disown(e, g, out);
}

void
group_successor_heard(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	if (!g->handing_over)
		return;
	if (g->successor_at == BASE_NS_NEVER)
		g->successor_at = now;
	group_handover_check(e, g, now, out);
}

void
group_leave(struct election *e, struct group *g, enum election_state to, enum election_cause cause,
	enum leave_how how, base_ns_t now, struct election_actions *out)
{
	bool was_master = g->state == ELECTION_MASTER;

	if (g->state == to)
		return;
	timer_set(e, g, TIMER_ADVERT, BASE_NS_NEVER);
	base_heap_set(&e->ifs[g->if_id].down, g->slot, BASE_NS_NEVER);
	if (was_master && how == LEAVE_BOW_OUT) {
		struct election_action *a = action_add(out, ELECTION_ACT_ADVERT, group_id(e, g));

		a->advert.prio = priority(e, g);
		a->advert.prio.advbase = 255;
		a->advert.prio.advskew = 255;
		a->advert.late = BASE_NS_NEVER;
	}
	if (was_master && how != LEAVE_SILENT) {
		g->handing_over = true;
		e->handing++;
		timer_set(e, g, TIMER_HANDOVER, now + HANDOVER_NS);
	} else if (how == LEAVE_SILENT) {
		group_disown(e, g, out);
	}
	if (was_master && g->send_error)
		timer_set(e, g, TIMER_SEND_ERROR, now + SEND_ERROR_KEEP_NS);
	set_state(e, g, to, cause, 0, now, out);
	if (to == ELECTION_BACKUP) {
		g->tied = cause == ELECTION_CAUSE_TIE;
		g->crowd_at = g->tied ? now : BASE_NS_NEVER;
		group_arm_down(e, g, g->tied ? tie_delay(e, g) : 0, now);
	}
	if (was_master && how == LEAVE_YIELD)
		group_successor_heard(e, g, now, out);
}
