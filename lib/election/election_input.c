/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Events in (note 5.1). */

#include <errno.h>
#include <string.h>

#include "base_assert.h"
#include "election_priv.h"

static void
input_advert(struct election *e, struct group *g, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	const struct election_priority *peer = &ev->advert.prio;
	struct election_priority own = election_effective(g->advbase, g->advskew, e->demotion);
	base_ns_t other_ago = BASE_NS_NEVER;
	enum election_cause cause;

	if (g->state != ELECTION_INIT) {
		if (g->heard_at != BASE_NS_NEVER &&
			memcmp(&g->heard_from, &ev->advert.src, sizeof(g->heard_from)) != 0)
			other_ago = base_ns_since(now, g->heard_at);
		g->heard_at = now;
		g->heard = *peer;
		g->heard_from = ev->advert.src;
	}
	switch (g->state) {
	case ELECTION_MASTER:
		if (election_master_yields(&own, peer, &cause)) {
			g->peer_is_master = true;
			group_leave(e, g, ELECTION_BACKUP, cause, LEAVE_YIELD, now, out);
		}
		return;
	case ELECTION_BACKUP:
		/* first, so that taking back from a successor never gives up the vMAC */
		if (election_backup_claims(&own, peer, e->preempt, &cause)) {
			g->peer_is_master = !is_bow_out(peer);
			group_claim(e, g, cause, now, out);
			return;
		}
		group_master_heard(e, g, other_ago, now);
		break;
	case ELECTION_INIT:
		if (is_bow_out(peer))
			return;
		break;
	}
	group_successor_heard(e, g, now, out);
}

static void
input_link(struct election *e, uint16_t if_id, bool up, base_ns_t now, struct election_actions *out)
{
	struct iface *f = &e->ifs[if_id];

	if (f->link_up == up)
		return;
	f->link_up = up;
	for (uint16_t s = 0; s < f->n; s++) {
		struct group *g = &e->groups[e->slot_group[f->first + s]];

		if (up) {
			group_start_if_runnable(e, g, now, out);
			continue;
		}
		group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_LINK_DOWN, LEAVE_SILENT, now, out);
		/* a hand-over of a group that was not MASTER any more ends too */
		group_disown(e, g, out);
	}
	demotion_link(e, if_id, now, out);
}

static void
input_timing(struct election *e, struct group *g, uint8_t advbase, uint8_t advskew, base_ns_t now)
{
	g->advbase = advbase;
	g->advskew = advskew;
	if_timing_changed(e, g->if_id);
	if (g->state == ELECTION_MASTER) {
		uint8_t eff = election_effective(advbase, advskew, e->demotion).advskew;
		base_ns_t next =
			base_ns_add(g->advert_last, election_interval(advbase, advskew, eff));

		if (next < now)
			next = now;
		/* never later than planned: the one planned may be due because of a demotion */
		if (next < timer_get(e, g, TIMER_ADVERT))
			timer_set(e, g, TIMER_ADVERT, next);
	} else if (g->state == ELECTION_BACKUP) {
		group_arm_down(e, g, g->down_extra, g->down_from);
	}
}

static void
input_vips(
	struct election *e, struct group *g, bool any, base_ns_t now, struct election_actions *out)
{
	g->has_vip = any;
	if (!any)
		group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_NO_VIP, LEAVE_BOW_OUT, now, out);
	else if (g->state == ELECTION_MASTER)
		action_add(out, ELECTION_ACT_ANNOUNCE, group_id(e, g));
	else
		group_start_if_runnable(e, g, now, out);
}

static void
input_sent(
	struct election *e, struct group *g, bool ok, base_ns_t now, struct election_actions *out)
{
	if (g->state != ELECTION_MASTER)
		return;
	if (ok) {
		g->send_failed = 0;
		if (g->send_ok < SEND_STREAK && ++g->send_ok == SEND_STREAK)
			demotion_send_error(e, g, false, now, out);
	} else {
		g->send_ok = 0;
		if (g->send_failed < SEND_STREAK && ++g->send_failed == SEND_STREAK)
			demotion_send_error(e, g, true, now, out);
	}
}

/*
 * The shortest time of silence after which a peer may have taken over: its master-down time with
 * the same advbase and advskew 0. A fast master with a longer interval is silent for that long
 * as a rule, so there two units of lateness count.
 */
static base_ns_t
silence_limit(const struct group *g)
{
	if (g->advbase > 0)
		return 3 * (g->advbase * BASE_NS_PER_S);
	return election_interval(0, g->advskew, g->advskew) + 2 * BASE_NS_PER_SKEW;
}

static void
input_stall(struct election *e, base_ns_t gap, base_ns_t now, struct election_actions *out)
{
	for (uint16_t i = 0; i < e->group_count; i++) {
		struct group *g = &e->groups[i];
		struct base_heap *down = &e->ifs[g->if_id].down;

		if (g->state == ELECTION_MASTER) {
			if (gap > silence_limit(g) ||
				base_ns_since(now, g->advert_last) > silence_limit(g))
				group_leave(e, g, ELECTION_BACKUP, ELECTION_CAUSE_STALLED,
					LEAVE_SILENT, now, out);
		} else if (g->state == ELECTION_BACKUP &&
			gap > election_master_down(g->advbase, g->advskew)) {
			uint8_t eff =
				election_effective(g->advbase, g->advskew, e->demotion).advskew;
			base_ns_t listen = now + election_interval(g->advbase, g->advskew, eff);

			if (base_heap_get(down, g->slot) < listen)
				group_arm_down(e, g,
					listen - g->down_from -
						election_master_down(g->advbase, g->advskew),
					g->down_from);
		}
	}
}

/* Everything that stops or restarts every group at once. */
static void
input_box(struct election *e, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	if (ev->type == ELECTION_EV_SHUTDOWN)
		e->shutdown = true;
	else
		e->allow = ev->on;
	for (uint16_t i = 0; i < e->group_count; i++) {
		struct group *g = &e->groups[i];

		if (e->shutdown)
			group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_SHUTDOWN, LEAVE_BOW_OUT,
				now, out);
		else if (!e->allow)
			group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_DISALLOWED, LEAVE_SILENT,
				now, out);
		else
			group_start_if_runnable(e, g, now, out);
	}
}

static int
input_group(struct election *e, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	struct group *g = &e->groups[ev->group];

	switch (ev->type) {
	case ELECTION_EV_ADVERT:
		input_advert(e, g, ev, now, out);
		return 0;
	case ELECTION_EV_UP:
		g->admin_up = true;
		group_start_if_runnable(e, g, now, out);
		return 0;
	case ELECTION_EV_DOWN:
		g->admin_up = false;
		group_leave(
			e, g, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, LEAVE_BOW_OUT, now, out);
		return 0;
	case ELECTION_EV_FORCE_BACKUP:
		if (g->state == ELECTION_INIT)
			return -EAGAIN;
		group_leave(e, g, ELECTION_BACKUP, ELECTION_CAUSE_FORCED, LEAVE_BOW_OUT, now, out);
		return 0;
	case ELECTION_EV_FORCE_MASTER:
		if (g->state == ELECTION_INIT)
			return -EAGAIN;
		if (g->state == ELECTION_BACKUP)
			group_become_master(e, g, ELECTION_CAUSE_FORCED, 0, now, out);
		return 0;
	case ELECTION_EV_SET_TIMING:
		if (ev->timing.advskew > 254)
			return -EINVAL;
		input_timing(e, g, ev->timing.advbase, ev->timing.advskew, now);
		return 0;
	case ELECTION_EV_VIPS:
		input_vips(e, g, ev->on, now, out);
		return 0;
	case ELECTION_EV_SENT:
		input_sent(e, g, ev->on, now, out);
		return 0;
	case ELECTION_EV_LINK:
	case ELECTION_EV_SET_PREEMPT:
	case ELECTION_EV_SET_ALLOW:
	case ELECTION_EV_SET_DEMOTION:
	case ELECTION_EV_STALL:
	case ELECTION_EV_SHUTDOWN:
		break;
	}
	return -EINVAL;
}

uint32_t
election_input_room(const struct election *e, enum election_event_type type)
{
	switch (type) {
	case ELECTION_EV_LINK:
	case ELECTION_EV_SET_ALLOW:
	case ELECTION_EV_STALL:
	case ELECTION_EV_SHUTDOWN:
		return ELECTION_ACTIONS_MIN + (uint32_t)e->group_count * GROUP_ACTIONS_MAX;
	case ELECTION_EV_ADVERT:
	case ELECTION_EV_UP:
	case ELECTION_EV_DOWN:
	case ELECTION_EV_FORCE_BACKUP:
	case ELECTION_EV_FORCE_MASTER:
	case ELECTION_EV_SET_TIMING:
	case ELECTION_EV_VIPS:
	case ELECTION_EV_SET_PREEMPT:
	case ELECTION_EV_SET_DEMOTION:
	case ELECTION_EV_SENT:
		break;
	}
	return GROUP_ACTIONS_MAX;
}

static bool
after_shutdown(enum election_event_type type)
{
	return type == ELECTION_EV_ADVERT || type == ELECTION_EV_LINK || type == ELECTION_EV_SENT ||
		type == ELECTION_EV_STALL;
}

int
election_input(struct election *e, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	if (out->cap - out->n < election_input_room(e, ev->type))
		return -ENOSPC;
	if (e->shutdown && !after_shutdown(ev->type))
		return -EAGAIN;
	switch (ev->type) {
	case ELECTION_EV_LINK:
		if (ev->if_id >= e->if_count)
			return -EINVAL;
		input_link(e, ev->if_id, ev->on, now, out);
		return 0;
	case ELECTION_EV_SET_PREEMPT:
		e->preempt = ev->on;
		return 0;
	case ELECTION_EV_SET_ALLOW:
	case ELECTION_EV_SHUTDOWN:
		input_box(e, ev, now, out);
		return 0;
	case ELECTION_EV_SET_DEMOTION:
		demotion_operator(e, ev->amount, now, out);
		return 0;
	case ELECTION_EV_STALL:
		input_stall(e, ev->gap, now, out);
		return 0;
	case ELECTION_EV_ADVERT:
	case ELECTION_EV_UP:
	case ELECTION_EV_DOWN:
	case ELECTION_EV_FORCE_BACKUP:
	case ELECTION_EV_FORCE_MASTER:
	case ELECTION_EV_SET_TIMING:
	case ELECTION_EV_VIPS:
	case ELECTION_EV_SENT:
		break;
	}
	if (ev->group >= e->group_count)
		return -EINVAL;
	return input_group(e, ev, now, out);
}
