/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * How adverts of a group are signed, counters of ours, and the guard against those that come a
 * second time (note 0, 2.2, 2.3).
 */

#include <string.h>

#include "base_wall.h"
#include "ctl_priv.h"

uint64_t
ctl_next_counter(struct ctl *c, const struct ctl_group *g, struct ctl_identity *id)
{
	uint64_t counter = g->conf->strict
		? auth_counters_next_strict(&id->counters, base_wall_ns())
		: auth_counters_next(&id->counters, &c->rand);

	auth_replay_sent(&id->replay, counter, c->now);
	return counter;
}

/* Boxes without an address of their own all send from the first VIP. */
static bool
is_shared(const struct ctl_group *g, const struct base_addr *src)
{
	for (uint16_t i = 0; i < g->conf->n_addresses; i++)
		if (memcmp(&g->conf->addresses[i].addr, src, sizeof(*src)) == 0)
			return true;
	return false;
}

enum ctl_stat
ctl_guard_check(struct ctl *c, const struct ctl_advert *a)
{
	struct ctl_group *g = &c->groups[a->group];
	struct auth_replay_advert advert = {
		.src = a->src,
		.shared_src = is_shared(g, &a->src),
		.counter = a->counter,
		.advbase = a->prio.advbase,
		.advskew = a->prio.advskew,
		.demotion = a->prio.demotion,
		.bow_out = a->bow_out,
	};

	struct ctl_identity *id = a->other ? g->other : g->id;
	struct auth_replay_report why;
	enum auth_replay_verdict v = auth_replay_check(
		&id->replay, &advert, c->now, g->conf->strict ? base_wall_ns() : 0, &why);

	if (v >= AUTH_REPLAY_REPLAY) {
		g->refused[v - AUTH_REPLAY_REPLAY] = (struct ctl_refusal){
			.at = c->now, .why = why, .src = a->src, .prio = a->prio};
		ctl_dirty(c, a->group);
	}
	switch (v) {
	case AUTH_REPLAY_OK:
		return CTL_STAT_IPACKETS;
	case AUTH_REPLAY_DUPLICATE:
		return CTL_STAT_DUPLICATE;
	case AUTH_REPLAY_REPLAY:
		return CTL_STAT_REPLAY;
	case AUTH_REPLAY_NOT_STRICT:
		return CTL_STAT_NOT_STRICT;
	case AUTH_REPLAY_STALE:
	case AUTH_REPLAY_COUNT:
		break;
	}
	return CTL_STAT_STALE;
}
