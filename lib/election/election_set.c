/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What is configured, at start and later: groups come, change and go, and all others stay. */

#include <errno.h>
#include <string.h>

#include "election_priv.h"

#define FAMILIES_ALL (ELECTION_IP4 | ELECTION_IP6)
/* As many as there are vhids. */
#define IF_GROUPS_MAX 255

bool
group_config_valid(const struct election *e, const struct election_group_config *g)
{
	return g->advskew <= 254 && g->if_id < e->if_count && g->families <= FAMILIES_ALL &&
		e->ifs[g->if_id].n < IF_GROUPS_MAX;
}

void
group_begin(const struct election *e, struct group *g, const struct election_group_config *config,
	base_ns_t now)
{
	*g = (struct group){
		.used = true,
		.if_id = config->if_id,
		.slot = NO_SLOT,
		.advbase = config->advbase,
		.advskew = config->advskew,
		.has_vip = config->has_vip,
		.admin_up = config->admin_up,
		.claim_at_start = config->start_as_master && !e->drained,
		.families = config->families ? config->families : ELECTION_IP4,
		.family_timers = config->family_timers,
		.preempt_delay = config->preempt_delay_ns,
		.state_since = now,
		.crowd_at = BASE_NS_NEVER,
		.heard_at = BASE_NS_NEVER,
		.successor_at = BASE_NS_NEVER,
		.family = {{.heard_at = BASE_NS_NEVER}, {.heard_at = BASE_NS_NEVER}},
	};
	duel_start(g);
}

static void
if_timing_changed(struct election *e, uint16_t if_id)
{
	struct iface *f = &e->ifs[if_id];

	f->min_down = BASE_NS_NEVER;
	for (uint16_t s = 0; s < f->n; s++) {
		const struct group *g = &e->groups[e->slot_group[f->first + s]];
		base_ns_t down = election_master_down(g->advbase, g->advskew);

		if (down < f->min_down)
			f->min_down = down;
	}
}

void
groups_place(struct election *e)
{
	uint8_t *at = e->down_mem;
	uint16_t first = 0;

	for (uint16_t i = 0; i < e->group_count; i++) {
		struct group *g = &e->groups[i];

		g->down_kept = g->slot == NO_SLOT ? BASE_NS_NEVER
						  : base_heap_get(&e->ifs[g->if_id].down, g->slot);
	}
	for (uint16_t i = 0; i < e->if_count; i++)
		e->ifs[i].n = 0;
	for (uint16_t i = 0; i < e->group_count; i++)
		e->groups[i].slot = e->groups[i].used ? e->ifs[e->groups[i].if_id].n++ : NO_SLOT;
	for (uint16_t i = 0; i < e->if_count; i++) {
		e->ifs[i].first = first;
		first = (uint16_t)(first + e->ifs[i].n);
		base_heap_init(&e->ifs[i].down, e->ifs[i].n, at);
		at += base_heap_size(e->ifs[i].n);
	}
	for (uint16_t i = 0; i < e->group_count; i++) {
		struct group *g = &e->groups[i];
		struct iface *f = &e->ifs[g->if_id];

		if (!g->used)
			continue;
		e->slot_group[f->first + g->slot] = i;
		base_heap_set(&f->down, g->slot, g->down_kept);
	}
	for (uint16_t i = 0; i < e->if_count; i++)
		if_timing_changed(e, i);
}

void
group_set_timing(
	struct election *e, struct group *g, uint8_t advbase, uint8_t advskew, base_ns_t now)
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
		group_arm_down_again(e, g);
	}
}

void
group_set_families(struct election *e, struct group *g, bool any, uint8_t families, base_ns_t now,
	struct election_actions *out)
{
	g->has_vip = any;
	if (!any) {
		group_leave(e, g, ELECTION_INIT, ELECTION_CAUSE_NO_VIP, LEAVE_BOW_OUT, now, out);
		return;
	}
	if (families != 0 && families != g->families) {
		for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
			if (families & ~(unsigned int)g->families & (1u << f))
				g->family[f].from = now;
		g->families = families;
		if (g->state == ELECTION_BACKUP)
			group_arm_down_again(e, g);
	}
	if (g->state == ELECTION_MASTER)
		duel_announce(e, g, now, out);
	else
		group_start_if_runnable(e, g, now, out);
}

static int
group_add(struct election *e, struct group *g, const struct election_group_config *config,
	base_ns_t now, struct election_actions *out)
{
	if (!group_config_valid(e, config))
		return -EINVAL;
	group_begin(e, g, config, now);
	groups_place(e);
	/* an interface without a group does not demote */
	demotion_link(e, g->if_id, now, out);
	group_start_if_runnable(e, g, now, out);
	return 0;
}

int
election_group_set(struct election *e, uint16_t group, const struct election_group_config *config,
	base_ns_t now, struct election_actions *out)
{
	uint8_t families = config->families ? config->families : ELECTION_IP4;

	if (e->shutdown)
		return -EAGAIN;
	if (group >= e->group_count)
		return -EINVAL;
	struct group *g = &e->groups[group];

	if (!g->used)
		return group_add(e, g, config, now, out);
	if (config->if_id != g->if_id || config->advskew > 254 || families > FAMILIES_ALL)
		return -EINVAL;
	g->preempt_delay = config->preempt_delay_ns;
	if (config->family_timers != g->family_timers) {
		g->family_timers = config->family_timers;
		if (g->state == ELECTION_BACKUP)
			group_arm_down_again(e, g);
	}
	if (config->advbase != g->advbase || config->advskew != g->advskew)
		group_set_timing(e, g, config->advbase, config->advskew, now);
	if (config->has_vip != g->has_vip || families != g->families)
		group_set_families(e, g, config->has_vip, families, now, out);
	return 0;
}

int
election_group_remove(
	struct election *e, uint16_t group, base_ns_t now, struct election_actions *out)
{
	if (e->shutdown)
		return -EAGAIN;
	if (group >= e->group_count || !e->groups[group].used)
		return -EINVAL;
	struct group *g = &e->groups[group];

	if (g->state != ELECTION_INIT || g->owned)
		return -EBUSY;
	demotion_send_error(e, g, false, now, out);
	for (unsigned int k = 0; k < TIMER_KINDS; k++)
		timer_set(e, g, (enum timer_kind)k, BASE_NS_NEVER);
	g->used = false;
	g->admin_up = g->has_vip = false;
	groups_place(e);
	demotion_link(e, g->if_id, now, out);
	return 0;
}

int
election_if_set(struct election *e, uint16_t if_id, bool track, base_ns_t linkup_hold_ns,
	base_ns_t now, struct election_actions *out)
{
	if (e->shutdown)
		return -EAGAIN;
	if (if_id >= e->if_count)
		return -EINVAL;
	e->ifs[if_id].track = track;
	e->ifs[if_id].hold = linkup_hold_ns;
	demotion_link(e, if_id, now, out);
	return 0;
}

int
election_refresh_set(struct election *e, base_ns_t announce_refresh_ns, base_ns_t now)
{
	if (e->shutdown)
		return -EAGAIN;
	if (announce_refresh_ns == e->refresh)
		return 0;
	e->refresh = announce_refresh_ns;
	for (uint16_t i = 0; i < e->group_count; i++)
		if (e->groups[i].state == ELECTION_MASTER)
			duel_refresh(e, &e->groups[i], now);
	return 0;
}
