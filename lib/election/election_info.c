/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What a group shows. */

#include <errno.h>

#include "election_priv.h"

/* A master that fell silent is no longer known to be one. Of both families IPv4 is shown. */
static struct base_addr
known_master(const struct group *g, base_ns_t now, base_ns_t master_down)
{
	if (g->state != ELECTION_BACKUP || !g->peer_is_master ||
		base_ns_since(now, g->heard_at) > master_down)
		return (struct base_addr){.family = BASE_FAMILY_NONE};
	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
		if (g->family[f].present &&
			base_ns_since(now, g->family[f].heard_at) <= master_down)
			return g->family[f].heard_from;
	return g->heard_from;
}

static void
info_backup(const struct election *e, const struct group *g, base_ns_t now,
	struct election_group_info *out)
{
	base_ns_t linkup = e->ifs[g->if_id].hold_until, preempt = hold_preempt_until(e, g);

	if (g->state != ELECTION_BACKUP)
		return;
	if (now < e->startup_until)
		out->hold_until[ELECTION_HOLD_STARTUP] = e->startup_until;
	if (linkup != BASE_NS_NEVER)
		out->hold_until[ELECTION_HOLD_LINKUP] = linkup;
	if (e->preempt && now < preempt)
		out->hold_until[ELECTION_HOLD_PREEMPT_DELAY] = preempt;
	if (g->put_off != ELECTION_CAUSE_NONE && g->put_off != ELECTION_CAUSE_FORCED)
		out->hold_until[ELECTION_HOLD_TIE] = out->master_down_deadline;
	out->put_off = g->put_off;
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
		.sent = group_priority(e, g),
		.state_since = g->state_since,
		.transitions = g->transitions,
		.interval = group_interval(e, g),
		.master_down = election_master_down(g->advbase, g->advskew),
		.advert_deadline = timer_get(e, g, TIMER_ADVERT),
		.master_down_deadline =
			g->used ? base_heap_get(&e->ifs[g->if_id].down, g->slot) : BASE_NS_NEVER,
		.heard_at = g->heard_at,
		.heard = g->heard,
		.heard_from = g->heard_from,
		.late_max = g->late_max,
		.families = g->families,
		.family_timers = g->family_timers,
		.warn = g->warn,
		.duels = g->duels,
		.duel_at = g->duel_at,
		.announce_deadline = timer_get(e, g, TIMER_ANNOUNCE),
		.split = g->split,
		.auth_failed_from = g->auth_failed_from,
		.auth_failed_at = g->sign[SIGN_AUTH].n ? g->sign[SIGN_AUTH].last : BASE_NS_NEVER,
		.frame_at = e->ifs[g->if_id].frame_at,
	};
	out->master = known_master(g, now, out->master_down);
	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
		out->family[f] = (struct election_family_info){
			.heard_at = g->family[f].heard_at,
			.heard_from = g->family[f].heard_from,
			.deadline = group_family_deadline(g, f),
		};
	info_backup(e, g, now, out);
	if (g->warn != ELECTION_WARN_NONE) {
		out->warn_peer = g->warn_peer;
		out->warn_src = g->warn_src;
		out->warn_since = g->warn_since;
	}
	if (g->split != 0)
		out->split_since = g->split_since;
	return 0;
}
