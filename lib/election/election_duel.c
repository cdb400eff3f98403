/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Announcements, and what a MASTER does that hears another one. Switches and neighbours follow
 * whoever spoke last: so the winner announces again once the loser has had time to yield, and who
 * hears a bow-out once that is over.
 */

#include "election_priv.h"

static void
announce_arm(struct election *e, struct group *g)
{
	base_ns_t due = g->duel_due < g->words_due ? g->duel_due : g->words_due;

	timer_set(e, g, TIMER_ANNOUNCE, due < g->refresh_at ? due : g->refresh_at);
}

void
duel_start(struct group *g)
{
	g->duel_at = g->extra_at = BASE_NS_NEVER;
	g->duel_due = g->words_due = g->refresh_at = BASE_NS_NEVER;
	g->words_next = 0;
}

void
duel_end(struct election *e, struct group *g)
{
	duel_start(g);
	announce_arm(e, g);
}

void
duel_refresh(struct election *e, struct group *g, base_ns_t now)
{
	g->refresh_at = e->refresh > 0 ? base_ns_add(now, e->refresh) : BASE_NS_NEVER;
	announce_arm(e, g);
}

void
duel_announce(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	action_add(out, ELECTION_ACT_ANNOUNCE, group_id(e, g))->families = g->families;
	duel_refresh(e, g, now);
}

/* After so long without a word of the other it has yielded; less sure while it goes on and on. */
static base_ns_t
settle_time(const struct election *e, const struct group *g)
{
	const struct election_priority *p = &g->heard;
	base_ns_t theirs = election_interval(p->advbase, p->advskew, p->advskew);
	base_ns_t own = group_interval(e, g);
	base_ns_t t = (theirs > own ? theirs : own) * 3 / 2;

	return t > g->duel_wait / 4 ? t : g->duel_wait / 4;
}

static void
due_set(const struct election *e, struct group *g)
{
	base_ns_t settled = base_ns_add(g->duel_at, settle_time(e, g));

	g->duel_due = g->duel_next < settled ? g->duel_next : settled;
}

void
duel_heard(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	base_ns_t step = group_interval(e, g);
	base_ns_t quiet = g->duel_wait > 3 * step ? g->duel_wait : 3 * step;

	/* The other yields to our next advert: let it have that at once, but never storm. */
	if (g->extra_at == BASE_NS_NEVER || base_ns_since(now, g->extra_at) >= step / 2) {
		g->extra_at = now;
		group_send_advert(e, g, BASE_NS_NEVER, now, out);
	}
	if (g->duel_at == BASE_NS_NEVER || base_ns_since(now, g->duel_at) > quiet) {
		g->duel_wait = step;
		g->duel_next = 0;
	}
	if (g->duel_due == BASE_NS_NEVER && g->duel_next < now + step)
		g->duel_next = now + step;
	g->duel_at = now;
	due_set(e, g);
	announce_arm(e, g);
}

/*
 * Of both families the bow-out of one makes us MASTER, and the other one may reach the switch after
 * our first announcement: the vMAC would be looked for there until our next advert. Somebody may
 * send them without end, and an announcement is a frame for each VIP: so they are answered once an
 * interval, and of fast groups, whose own adverts follow anyway, once a second.
 */
void
duel_last_words(struct election *e, struct group *g, base_ns_t now)
{
	base_ns_t step = group_interval(e, g);
	base_ns_t due = base_ns_add(now, step < LAST_WORDS_NS ? step : LAST_WORDS_NS);

	if (g->words_due != BASE_NS_NEVER)
		return;
	g->words_due = due > g->words_next ? due : g->words_next;
	g->words_next =
		base_ns_add(g->words_due, step > LAST_WORDS_REST_NS ? step : LAST_WORDS_REST_NS);
	announce_arm(e, g);
}

void
duel_serve(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	if (now >= g->duel_due) {
		g->duel_due = BASE_NS_NEVER;
		g->duel_wait =
			2 * g->duel_wait < DUEL_WAIT_MAX_NS ? 2 * g->duel_wait : DUEL_WAIT_MAX_NS;
		g->duel_next = now + g->duel_wait;
		/* heard so lately that it may not have yielded yet: once more, later */
		if (base_ns_since(now, g->duel_at) < group_interval(e, g) / 2)
			due_set(e, g);
	}
	if (now >= g->words_due)
		g->words_due = BASE_NS_NEVER;
	duel_announce(e, g, now, out);
}
