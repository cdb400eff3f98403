/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A group's transitions and what they ask of the outside (note 5.3, design "Taking over"). */

#include "election_priv.h"

static uint8_t
cause_family(const struct group *g, enum election_cause cause)
{
	switch (cause) {
	case ELECTION_CAUSE_TIMEOUT:
		return group_silent_family(g);
	case ELECTION_CAUSE_PREEMPT:
	case ELECTION_CAUSE_PEER_DEMOTED:
	case ELECTION_CAUSE_BOW_OUT:
	case ELECTION_CAUSE_SLOW_PEER:
	case ELECTION_CAUSE_BETTER_PEER:
	case ELECTION_CAUSE_TIE:
	case ELECTION_CAUSE_PEER_HEALTHIER:
		return family_of(&g->heard_from) ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4;
	case ELECTION_CAUSE_NONE:
	case ELECTION_CAUSE_RUNNABLE:
	case ELECTION_CAUSE_FORCED:
	case ELECTION_CAUSE_DRAINED:
	case ELECTION_CAUSE_ADMIN_DOWN:
	case ELECTION_CAUSE_LINK_DOWN:
	case ELECTION_CAUSE_IF_DOWN:
	case ELECTION_CAUSE_NO_VIP:
	case ELECTION_CAUSE_DISALLOWED:
	case ELECTION_CAUSE_SHUTDOWN:
	case ELECTION_CAUSE_STALLED:
	case ELECTION_CAUSE_COUNT:
		break;
	}
	return BASE_FAMILY_NONE;
}

static void
set_state(struct election *e, struct group *g, enum election_state to, enum election_cause cause,
	base_ns_t deadline, base_ns_t now, struct election_actions *out)
{
	struct election_action *a = action_add(out, ELECTION_ACT_STATE, group_id(e, g));

	a->state.from = g->state;
	a->state.to = to;
	a->state.cause = cause;
	a->state.late = base_ns_since(now, deadline);
	a->state.own = group_priority(e, g);
	a->state.peer = g->heard;
	a->state.peer_src = g->heard_from;
	a->state.since_heard =
		g->heard_at == BASE_NS_NEVER ? BASE_NS_NEVER : base_ns_since(now, g->heard_at);
	a->state.family = cause_family(g, cause);
	a->state.hold = g->held_cause == cause ? g->held : ELECTION_HOLD_NONE;
	a->state.deadline = deadline;
	g->state = to;
	g->cause = cause;
	g->state_since = now;
	g->held = ELECTION_HOLD_NONE;
	watch_state(e, g, now, out);
}

/*
 * "any": the family with VIPs that is silent for longest. "all": the one heard last, whichever that
 * is, as then every family is silent (note 4). An advert of a family without VIPs is a sign of life
 * as well.
 */
static const struct family *
silent_family(const struct group *g)
{
	const struct family *four = &g->family[0], *six = &g->family[1];

	if (g->family_timers == ELECTION_FAMILY_TIMERS_ALL)
		return six->from > four->from ? six : four;
	if (g->families == (ELECTION_IP4 | ELECTION_IP6))
		return six->from < four->from ? six : four;
	return g->families == ELECTION_IP6 ? six : four;
}

uint8_t
group_silent_family(const struct group *g)
{
	if (g->families == ELECTION_IP4)
		return BASE_FAMILY_IP4;
	if (g->families == ELECTION_IP6)
		return BASE_FAMILY_IP6;
	if (g->family_timers == ELECTION_FAMILY_TIMERS_ALL)
		return BASE_FAMILY_NONE;
	return silent_family(g) == &g->family[1] ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4;
}

base_ns_t
group_family_deadline(const struct group *g, unsigned int family)
{
	const struct family *f = &g->family[family];
	bool any_present = g->family[0].present || g->family[1].present;
	bool vips = g->families & (1u << family);

	if (g->state != ELECTION_BACKUP)
		return BASE_NS_NEVER;
	if (g->family_timers == ELECTION_FAMILY_TIMERS_ANY ? !vips
							   : !(any_present ? f->present : vips))
		return BASE_NS_NEVER;
	return f->from + election_master_down(g->advbase, g->advskew);
}

static void
down_set(struct election *e, struct group *g)
{
	base_heap_set(&e->ifs[g->if_id].down, g->slot,
		silent_family(g)->from + election_master_down(g->advbase, g->advskew));
}

static void
put_off_end(struct group *g)
{
	g->put_off = ELECTION_CAUSE_NONE;
	if (g->held == ELECTION_HOLD_TIE)
		g->held = ELECTION_HOLD_NONE;
}

void
group_arm_down(struct election *e, struct group *g, base_ns_t extra, base_ns_t now)
{
	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++) {
		g->family[f].from = now + extra;
		g->family[f].present = false;
	}
	g->down_extra = extra;
	put_off_end(g);
	down_set(e, g);
}

void
group_arm_down_again(struct election *e, struct group *g)
{
	if (g->put_off == ELECTION_CAUSE_FORCED)
		return;
	put_off_end(g);
	down_set(e, g);
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
	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
		g->family[f] = (struct family){.heard_at = BASE_NS_NEVER};
	g->peer_is_master = false;
	g->tied = false;
	g->crowd_at = BASE_NS_NEVER;
	set_state(e, g, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, BASE_NS_NEVER, now, out);
	group_arm_down(e, g, 0, now);
	if (!g->claim_at_start)
		return;
	g->claim_at_start = false;
	g->put_off = ELECTION_CAUSE_FORCED;
	if (hold_is_over(e, g, now, out))
		group_become_master(e, g, ELECTION_CAUSE_FORCED, BASE_NS_NEVER, now, out);
}

void
group_send_advert(struct election *e, struct group *g, base_ns_t late, base_ns_t now,
	struct election_actions *out)
{
	struct election_action *a = action_add(out, ELECTION_ACT_ADVERT, group_id(e, g));
	base_ns_t step = group_interval(e, g);
	base_ns_t next = base_ns_add(now, step);

	a->advert.prio = group_priority(e, g);
	a->advert.late = late;
	a->families = g->families;
	/* Keep the phase when served a little late; never send a burst to catch up. */
	if (late != BASE_NS_NEVER && late < step)
		next -= late;
	timer_set(e, g, TIMER_ADVERT, next);
	g->advert_last = now;
}

void
group_advert_due(struct election *e, struct group *g, base_ns_t late, base_ns_t now,
	struct election_actions *out)
{
	group_send_advert(e, g, late, now, out);
	if (g->adverts < ANNOUNCE_AGAIN_AT && ++g->adverts == ANNOUNCE_AGAIN_AT)
		duel_announce(e, g, now, out);
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
group_become_master(struct election *e, struct group *g, enum election_cause cause,
	base_ns_t deadline, base_ns_t now, struct election_actions *out)
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
	duel_start(g);
	action_add(out, ELECTION_ACT_OWN, group_id(e, g));
	group_advert_due(e, g, BASE_NS_NEVER, now, out);
	duel_announce(e, g, now, out);
	set_state(e, g, ELECTION_MASTER, cause, deadline, now, out);
	g->peer_is_master = false;
}

static base_ns_t
tie_limit(const struct election *e, const struct group *g)
{
	base_ns_t step = group_interval(e, g);

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
		group_become_master(e, g, cause, BASE_NS_NEVER, now, out);
	} else if (g->put_off == ELECTION_CAUSE_NONE) {
		base_ns_t until = now + tie_delay(e, g);

		g->put_off = cause;
		base_heap_set(&e->ifs[g->if_id].down, g->slot, until);
		hold_put_off(e, g, cause, ELECTION_HOLD_TIE, until, out);
	}
}

/*
 * A settled master is alone. Adverts of two within less than any interval are of some that claimed
 * at the same moment; equals among them step down all together, and among those that only listen
 * all timers begin at the same advert. So each keeps a random delay until a lone advert says that a
 * master is settled on.
 */
void
group_master_heard(struct election *e, struct group *g, unsigned int family, base_ns_t other_ago,
	base_ns_t now)
{
	/* another address than before: another master, and of that one only this was heard */
	if (other_ago != BASE_NS_NEVER)
		g->family[!family].present = false;
	g->family[family].present = true;
	base_ns_t limit = tie_limit(e, g), extra = g->down_extra;

	if (g->crowd_at == BASE_NS_NEVER || base_ns_since(now, g->crowd_at) > limit) {
		bool crowd = other_ago < limit / 2;

		g->tied = g->tied && crowd;
		g->crowd_at = crowd ? now : BASE_NS_NEVER;
		extra = crowd ? tie_delay(e, g) : 0;
	}
	g->peer_is_master = true;
	g->down_extra = extra;
	g->family[family].from = now + extra;
	group_arm_down_again(e, g);
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

		a->families = g->families;
		a->advert.prio = group_priority(e, g);
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
	if (was_master)
		duel_end(e, g);
	set_state(e, g, to, cause, BASE_NS_NEVER, now, out);
	if (to == ELECTION_BACKUP) {
		g->tied = cause == ELECTION_CAUSE_TIE;
		g->crowd_at = g->tied ? now : BASE_NS_NEVER;
		group_arm_down(e, g, g->tied ? tie_delay(e, g) : 0, now);
	}
	if (was_master && how == LEAVE_YIELD) {
		g->family[family_of(&g->heard_from)].present = true;
		group_successor_heard(e, g, now, out);
	}
}
