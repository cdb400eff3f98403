/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What a box can tell of others by listening: timing that does not fit, signs of a split. Healthy
 * backups are silent, so not hearing a peer is no sign of anything.
 */

#include <string.h>

#include "election_priv.h"

static base_ns_t
down_time(const struct group *g)
{
	return election_master_down(g->advbase, g->advskew);
}

_Static_assert(ELECTION_SPLIT_DUELS == 1u << SIGN_DUEL, "bits of the mask");
_Static_assert(ELECTION_SPLIT_TIES == 1u << SIGN_TIE, "bits of the mask");
_Static_assert(ELECTION_SPLIT_AUTH == 1u << SIGN_AUTH, "bits of the mask");

/* A reason ends when it has been quiet for so long. */
static base_ns_t
quiet_time(const struct group *g)
{
	base_ns_t t = 3 * down_time(g);

	return t > QUIET_MIN_NS ? t : QUIET_MIN_NS;
}

static base_ns_t
deaf_time(const struct election *e, const struct group *g)
{
	base_ns_t t = 3 * group_interval(e, g);

	return t > QUIET_MIN_NS ? t : QUIET_MIN_NS;
}

/* Since when there was no frame; BASE_NS_NEVER: not to be judged. */
static base_ns_t
silent_from(const struct iface *f)
{
	return f->frame_at != BASE_NS_NEVER ? f->frame_at : f->listen_at;
}

static void
watch_arm(struct election *e, struct group *g, base_ns_t now)
{
	const struct iface *f = &e->ifs[g->if_id];
	base_ns_t at = BASE_NS_NEVER;

	for (unsigned int k = 0; k < SIGN_KINDS; k++) {
		base_ns_t end = base_ns_add(g->sign[k].last, quiet_time(g));

		if (g->split & (1u << k) && end < at)
			at = end;
	}
	if (g->state == ELECTION_MASTER && silent_from(f) != BASE_NS_NEVER &&
		!(g->split & ELECTION_SPLIT_DEAF)) {
		base_ns_t deaf = base_ns_add(silent_from(f), deaf_time(e, g));

		/* due and not yet believed: the interface's horizon is behind */
		if (deaf <= now)
			deaf = base_ns_add(now, BASE_NS_PER_S);
		if (deaf < at)
			at = deaf;
	}
	if (g->warn != ELECTION_WARN_NONE && base_ns_add(g->warn_at, WARN_KEEP_NS) < at)
		at = base_ns_add(g->warn_at, WARN_KEEP_NS);
	/* overdue by a change of timing: the timers of this tick may have been served already */
	timer_set(e, g, TIMER_WATCH, at > now ? at : now + 1);
}

static void
split_set(struct election *e, struct group *g, uint8_t reasons, base_ns_t now,
	struct election_actions *out)
{
	struct iface *f = &e->ifs[g->if_id];

	if (reasons == g->split)
		return;
	if (g->split == 0)
		g->split_since = now;
	struct election_action *a = action_add(out, ELECTION_ACT_SPLIT, group_id(e, g));

	a->split.reasons = reasons;
	a->split.before = g->split;
	a->split.since = g->split_since;
	a->split.src =
		reasons & ~g->split & ELECTION_SPLIT_AUTH ? g->auth_failed_from : g->heard_from;
	if ((reasons ^ g->split) & ELECTION_SPLIT_DEAF)
		f->deaf = (uint16_t)(reasons & ELECTION_SPLIT_DEAF ? f->deaf + 1 : f->deaf - 1);
	g->split = reasons;
}

bool
watch_sign(struct election *e, struct group *g, enum sign_kind kind, base_ns_t now,
	struct election_actions *out)
{
	struct sign *s = &g->sign[kind];
	base_ns_t ago = base_ns_since(now, s->last);

	/* both families of one advert, doubled frames, the same moment: one sign */
	if (s->n > 0 && ago < group_interval(e, g) / 2)
		return false;
	if (s->n == 0 || ago > 2 * down_time(g))
		s->n = 1;
	else if (s->n < SIGN_STREAK)
		s->n++;
	s->last = now;
	if (s->n == SIGN_STREAK && !(g->split & (1u << kind))) {
		split_set(e, g, (uint8_t)(g->split | 1u << kind), now, out);
		watch_arm(e, g, now);
	}
	return true;
}

static void
warn_set(struct election *e, struct group *g, enum election_warn kind, bool silent, base_ns_t now,
	struct election_actions *out)
{
	struct election_action *a = action_add(out, ELECTION_ACT_WARN, group_id(e, g));

	g->warn = kind;
	g->warn_since = now;
	a->warn.kind = kind;
	a->warn.silent = silent;
	a->warn.peer = g->warn_peer;
	a->warn.src = g->warn_src;
}

void
watch_timing(struct election *e, struct group *g, const struct election_priority *peer,
	const struct base_addr *src, base_ns_t now, struct election_actions *out)
{
	enum election_warn kind = election_timing_fit(g->advbase, g->advskew, peer);

	if (kind == ELECTION_WARN_NONE && g->warn == ELECTION_WARN_NONE)
		return;
	/* a farewell says nothing of an interval; one peer is named as long as it is heard */
	if (is_bow_out(peer) ||
		(g->warn != ELECTION_WARN_NONE && memcmp(&g->warn_src, src, sizeof(*src)) != 0))
		return;
	g->warn_at = now;
	g->warn_peer = *peer;
	g->warn_src = *src;
	if (kind == g->warn)
		return;
	warn_set(e, g, kind, false, now, out);
	watch_arm(e, g, now);
}

void
watch_state(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	bool init = g->state == ELECTION_INIT;
	uint8_t reasons = init ? 0 : g->split;

	if (g->state != ELECTION_MASTER)
		reasons &= (uint8_t)~ELECTION_SPLIT_DEAF;
	split_set(e, g, reasons, now, out);
	if (init) {
		memset(g->sign, 0, sizeof(g->sign));
		g->auth_failed_from = (struct base_addr){.family = BASE_FAMILY_NONE};
	}
	if (init && g->warn != ELECTION_WARN_NONE)
		warn_set(e, g, ELECTION_WARN_NONE, true, now, out);
	watch_arm(e, g, now);
}

/* To be looked at in the tick of this turn: those that are MASTER, or of them the deaf ones. */
static void
look(struct election *e, const struct iface *f, bool deaf_only, base_ns_t now)
{
	for (uint16_t s = 0; s < f->n; s++) {
		struct group *g = &e->groups[e->slot_group[f->first + s]];

		if (g->state == ELECTION_MASTER && (!deaf_only || g->split & ELECTION_SPLIT_DEAF))
			timer_set(e, g, TIMER_WATCH, now);
	}
}

void
watch_frame(struct election *e, uint16_t if_id, bool told, base_ns_t now)
{
	struct iface *f = &e->ifs[if_id];
	bool first = f->frame_at == BASE_NS_NEVER;

	/* an advert counts where frames are told of; alone it would make quiet segments deaf */
	if (first && !told && !f->told)
		return;
	f->frame_at = now;
	if (first || f->deaf > 0)
		look(e, f, !first, now);
}

void
watch_serve(struct election *e, struct group *g, base_ns_t now, struct election_actions *out)
{
	const struct iface *f = &e->ifs[g->if_id];
	base_ns_t known = f->horizon < now ? f->horizon : now;
	uint8_t reasons = g->split & ELECTION_SPLIT_DEAF;

	for (unsigned int k = 0; k < SIGN_KINDS; k++)
		if (g->split & (1u << k) && base_ns_since(now, g->sign[k].last) < quiet_time(g))
			reasons |= (uint8_t)(1u << k);
	if (g->state == ELECTION_MASTER && silent_from(f) != BASE_NS_NEVER) {
		if (base_ns_since(now, silent_from(f)) < deaf_time(e, g))
			reasons &= (uint8_t)~ELECTION_SPLIT_DEAF;
		else if (base_ns_since(known, silent_from(f)) >= deaf_time(e, g))
			reasons |= ELECTION_SPLIT_DEAF;
	}
	split_set(e, g, reasons, now, out);
	if (g->warn != ELECTION_WARN_NONE && base_ns_since(now, g->warn_at) >= WARN_KEEP_NS)
		warn_set(e, g, ELECTION_WARN_NONE, true, now, out);
	watch_arm(e, g, now);
}
