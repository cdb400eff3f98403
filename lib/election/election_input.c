/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Events in (note 5.1). */

#include <errno.h>
#include <string.h>

#include "base_assert.h"
#include "election_priv.h"

/*
 * Boxes without an address of their own all send from the same one. So an advert that follows
 * another one at once is of another box when the address differs, and may be when a new master has
 * just begun to speak. In the middle of a master's adverts it is a copy.
 * @return how long ago another box was heard by this family; BASE_NS_NEVER if none was
 */
static base_ns_t
note_heard(struct group *g, const struct election_priority *peer, const struct base_addr *src,
	base_ns_t now)
{
	struct family *f = &g->family[family_of(src)];
	base_ns_t ago = f->heard_at == BASE_NS_NEVER ? BASE_NS_NEVER : now - f->heard_at;
	base_ns_t down = election_master_down(g->advbase, g->advskew), other_ago = BASE_NS_NEVER;

	if (ago != BASE_NS_NEVER && memcmp(&f->heard_from, src, sizeof(*src)) != 0)
		other_ago = ago;
	else if (f->fresh && ago < down / 8)
		other_ago = ago;
	f->fresh = ago > down * 3 / 4;
	f->heard_at = g->heard_at = now;
	f->heard_from = g->heard_from = *src;
	g->heard = *peer;
	return other_ago;
}

/* @return true when a BACKUP claims because of this advert, or will after a tie-break delay */
static bool
backup_claims(struct election *e, struct group *g, const struct election_priority *own,
	const struct election_priority *peer, base_ns_t now, struct election_actions *out)
{
	base_ns_t preempt_until = hold_preempt_until(e, g), until;
	bool early = e->preempt && now < preempt_until;
	enum election_cause cause;

	if (election_backup_claims(own, peer, e->preempt && !early, &cause)) {
		enum election_hold hold = hold_now(e, g, now, &until);

		if (hold == ELECTION_HOLD_NONE || cause == ELECTION_CAUSE_BOW_OUT) {
			/* first, so that taking back from a successor never gives up the vMAC */
			g->peer_is_master = !is_bow_out(peer);
			group_claim(e, g, cause, now, out);
			return true;
		}
		hold_put_off(e, g, cause, hold, until, out);
	} else if (early && election_backup_claims(own, peer, true, &cause)) {
		hold_put_off(e, g, cause, ELECTION_HOLD_PREEMPT_DELAY, preempt_until, out);
	}
	/* a claim that the operator asked for waits for a hold, but not to yield at once */
	if (g->put_off == ELECTION_CAUSE_FORCED && election_master_yields(own, peer, &cause))
		g->put_off = ELECTION_CAUSE_NONE;
	return false;
}

static void
input_advert(struct election *e, struct group *g, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	const struct election_priority *peer = &ev->advert.prio;
	const struct base_addr *src = &ev->advert.src;
	base_ns_t other_ago = BASE_NS_NEVER;
	struct election_priority own;
	enum election_cause cause;

	watch_frame(e, g->if_id, false, now);
	hold_frame_seen(e, g->if_id, now, out);
	own = group_priority(e, g);
	if (g->state != ELECTION_INIT) {
		other_ago = note_heard(g, peer, src, now);
		watch_timing(e, g, peer, src, now, out);
	}
	switch (g->state) {
	case ELECTION_MASTER:
		if (is_bow_out(peer)) {
			duel_last_words(e, g, now);
			return;
		}
		if (election_master_yields(&own, peer, &cause)) {
			g->duels += watch_sign(
				e, g, cause == ELECTION_CAUSE_TIE ? SIGN_TIE : SIGN_DUEL, now, out);
			g->peer_is_master = true;
			group_leave(e, g, ELECTION_BACKUP, cause, LEAVE_YIELD, now, out);
		} else {
			g->duels += watch_sign(e, g, SIGN_DUEL, now, out);
			duel_heard(e, g, now, out);
		}
		return;
	case ELECTION_BACKUP:
		if (backup_claims(e, g, &own, peer, now, out))
			return;
		group_master_heard(e, g, family_of(src), other_ago, now);
		break;
	case ELECTION_INIT:
		if (is_bow_out(peer))
			return;
		break;
	}
	group_successor_heard(e, g, now, out);
}

static void
input_auth_failed(struct election *e, struct group *g, const struct base_addr *src, base_ns_t now,
	struct election_actions *out)
{
	const struct family *f = &g->family[family_of(src)];

	watch_frame(e, g->if_id, false, now);
	hold_frame_seen(e, g->if_id, now, out);
	if (g->state == ELECTION_INIT)
		return;
	g->auth_failed_from = *src;
	/* Who is understood as well is changing its password or VIPs, and that is no split. */
	if (memcmp(src, &f->heard_from, sizeof(*src)) == 0 &&
		base_ns_since(now, f->heard_at) < election_master_down(g->advbase, g->advskew))
		return;
	watch_sign(e, g, SIGN_AUTH, now, out);
}

static void
input_link(struct election *e, const struct election_event *ev, base_ns_t now,
	struct election_actions *out)
{
	const uint16_t if_id = ev->if_id;
	const bool up = ev->on;
	struct iface *f = &e->ifs[if_id];

	if (f->link_up == up)
		return;
	f->link_up = up;
	f->hold_until = up && f->hold > 0 ? base_ns_add(now, f->hold) : BASE_NS_NEVER;
	/* deaf it is judged from here on */
	if (up && f->frame_at != BASE_NS_NEVER)
		watch_frame(e, if_id, false, now);
	if (up && f->told)
		f->listen_at = now;
	for (uint16_t s = 0; s < f->n; s++) {
		struct group *g = &e->groups[e->slot_group[f->first + s]];

		if (up) {
			group_start_if_runnable(e, g, now, out);
			continue;
		}
		if (ev->asked)
			group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_IF_DOWN, LEAVE_BOW_OUT, now,
				out);
		else
			group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_LINK_DOWN, LEAVE_SILENT,
				now, out);
		/* nothing is forwarded any more, so a hand-over ends at once, an older one too */
		group_disown(e, g, out);
	}
	demotion_link(e, if_id, now, out);
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

/* Who may have missed adverts listens for one more interval before it believes the silence. */
static void
stalled_backup(struct election *e, struct group *g, base_ns_t now)
{
	base_ns_t wait = election_master_down(g->advbase, g->advskew);
	base_ns_t listen = now + group_interval(e, g);

	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
		if (g->family[f].from + wait < listen)
			g->family[f].from = listen - wait;
	/* what waits for a hold is later anyway */
	if (base_heap_get(&e->ifs[g->if_id].down, g->slot) < listen)
		group_arm_down_again(e, g);
}

static void
input_stall(struct election *e, base_ns_t gap, base_ns_t now, struct election_actions *out)
{
	demotion_absent(e, gap, now);
	for (uint16_t i = 0; i < e->group_count; i++) {
		struct group *g = &e->groups[i];

		if (g->state == ELECTION_MASTER) {
			if (gap > silence_limit(g) ||
				base_ns_since(now, g->advert_last) > silence_limit(g))
				group_leave(e, g, ELECTION_BACKUP, ELECTION_CAUSE_STALLED,
					LEAVE_SILENT, now, out);
		} else if (g->state == ELECTION_BACKUP &&
			gap > election_master_down(g->advbase, g->advskew)) {
			stalled_backup(e, g, now);
		}
	}
}

/* The operator's: a MASTER bows out, and a claim that waits is dropped. */
static void
group_to_backup(struct election *e, struct group *g, enum election_cause cause, base_ns_t now,
	struct election_actions *out)
{
	if (g->state == ELECTION_INIT)
		return;
	if (g->state == ELECTION_BACKUP && g->put_off == ELECTION_CAUSE_FORCED) {
		g->put_off = ELECTION_CAUSE_NONE;
		group_arm_down_again(e, g);
	}
	group_leave(e, g, ELECTION_BACKUP, cause, LEAVE_BOW_OUT, now, out);
}

/* First the last word as master, then the demotion: it has no more adverts to change. */
static void
input_drain(struct election *e, bool on, base_ns_t now, struct election_actions *out)
{
	for (uint16_t i = 0; on && i < e->group_count; i++)
		group_to_backup(e, &e->groups[i], ELECTION_CAUSE_DRAINED, now, out);
	demotion_drain(e, on, now, out);
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
		group_to_backup(e, g, ELECTION_CAUSE_FORCED, now, out);
		return 0;
	case ELECTION_EV_FORCE_MASTER:
		if (g->state == ELECTION_INIT)
			return -EAGAIN;
		if (g->state == ELECTION_BACKUP)
			group_become_master(e, g, ELECTION_CAUSE_FORCED, BASE_NS_NEVER, now, out);
		return 0;
	case ELECTION_EV_SET_TIMING:
		if (ev->timing.advskew > 254)
			return -EINVAL;
		group_set_timing(e, g, ev->timing.advbase, ev->timing.advskew, now);
		return 0;
	case ELECTION_EV_VIPS:
		if (ev->families > (ELECTION_IP4 | ELECTION_IP6))
			return -EINVAL;
		group_set_families(e, g, ev->on, ev->families, now, out);
		return 0;
	case ELECTION_EV_SENT:
		input_sent(e, g, ev->on, now, out);
		return 0;
	case ELECTION_EV_AUTH_FAILED:
		input_auth_failed(e, g, &ev->advert.src, now, out);
		return 0;
	case ELECTION_EV_LINK:
	case ELECTION_EV_SET_PREEMPT:
	case ELECTION_EV_SET_ALLOW:
	case ELECTION_EV_SET_DEMOTION:
	case ELECTION_EV_DRAIN:
	case ELECTION_EV_STALL:
	case ELECTION_EV_SHUTDOWN:
	case ELECTION_EV_FRAME_SEEN:
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
	case ELECTION_EV_DRAIN:
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
	case ELECTION_EV_FRAME_SEEN:
	case ELECTION_EV_AUTH_FAILED:
		break;
	}
	return GROUP_ACTIONS_MAX;
}

static bool
after_shutdown(enum election_event_type type)
{
	return type == ELECTION_EV_ADVERT || type == ELECTION_EV_LINK || type == ELECTION_EV_SENT ||
		type == ELECTION_EV_STALL || type == ELECTION_EV_FRAME_SEEN ||
		type == ELECTION_EV_AUTH_FAILED;
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
		input_link(e, ev, now, out);
		return 0;
	case ELECTION_EV_FRAME_SEEN:
		if (ev->if_id >= e->if_count)
			return -EINVAL;
		watch_frame(e, ev->if_id, true, now);
		hold_frame_seen(e, ev->if_id, now, out);
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
	case ELECTION_EV_DRAIN:
		input_drain(e, ev->on, now, out);
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
	case ELECTION_EV_AUTH_FAILED:
		break;
	}
	if (ev->group >= e->group_count || !e->groups[ev->group].used)
		return -EINVAL;
	return input_group(e, ev, now, out);
}
