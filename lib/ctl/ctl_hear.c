/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * A peer that should be heard and is not. CARP names no boxes: a peer has another address on each
 * segment, and a healthy backup is silent. So nobody is recognised; it is concluded. Whoever is
 * master on one interface, without demotion, is able to be on all of its interfaces. If it was
 * able for longer than a master-down time before we took over here, by silence and without ever
 * having heard anybody, then it was master here too and we did not hear it. Or it has no such
 * group, which a configuration of more than two boxes may want; so it is named, and no more.
 */
#include "ctl_priv.h"

#define LOOK_NS	  BASE_NS_PER_S
#define QUIET_NS  (10 * BASE_NS_PER_S)
#define MARGIN_NS (100 * BASE_NS_PER_MS)

void
ctl_hear_init(struct ctl_group *g)
{
	g->alone_since = BASE_NS_NEVER;
	g->able_since = BASE_NS_NEVER;
	g->unheard_if = ELECTION_NONE;
}

static void
tell(struct ctl *c, uint16_t group, bool heard, uint16_t peer_if, const struct base_addr *src)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_UNHEARD);

	ev.group = group;
	ev.if_id = c->groups[group].conf->if_index;
	ev.link_up = heard;
	ev.peer_if = peer_if;
	ev.src = *src;
	ctl_event_write(c, &ev);
	c->groups[group].unheard_if = heard ? ELECTION_NONE : peer_if;
	ctl_dirty(c, group);
}

static bool
is_able(const struct election_priority *prio)
{
	/* The BSDs without a demotion byte say it by advskew 240, and a bow-out by 255. */
	return prio->demotion == 0 && prio->advskew < 240;
}

void
ctl_hear_advert(struct ctl *c, uint16_t group, const struct election_priority *prio)
{
	struct ctl_group *g = &c->groups[group];
	const base_ns_t down = election_master_down(g->advbase, g->advskew);
	const base_ns_t waited = election_master_down(g->advbase, 0);

	if (g->unheard_if != ELECTION_NONE)
		tell(c, group, true, g->conf->if_index, &g->peers[0].addr);
	if (!is_able(prio))
		g->able_since = BASE_NS_NEVER;
	else if (!g->heard)
		/* It became master before, and for that it had to wait. */
		g->able_since = base_ns_since(c->now, waited);
	else if (g->able_since == BASE_NS_NEVER || base_ns_since(c->now, g->able_heard) > down)
		g->able_since = c->now;
	g->able_heard = c->now;
	g->heard = true;
	g->alone_since = BASE_NS_NEVER;
}

void
ctl_hear_state(struct ctl *c, uint16_t group, enum election_cause cause)
{
	struct ctl_group *g = &c->groups[group];
	const bool alone =
		g->state == ELECTION_MASTER && cause == ELECTION_CAUSE_TIMEOUT && !g->heard;

	g->alone_since = alone ? c->now : BASE_NS_NEVER;
	if (g->state != ELECTION_MASTER)
		g->unheard_if = ELECTION_NONE;
}

/* Is somebody master of o who must have been able to be master of g when g took over? */
static bool
should_be_heard(const struct ctl *c, const struct ctl_group *g, const struct ctl_group *o)
{
	/* Its advskew is not ours, so the slowest one. */
	const base_ns_t slowest = election_master_down(g->advbase, 254) + MARGIN_NS;

	return o->conf->if_index != g->conf->if_index && o->able_since != BASE_NS_NEVER &&
		base_ns_since(c->now, o->able_heard) <=
		election_master_down(o->advbase, o->advskew) &&
		g->alone_since > base_ns_add(o->able_since, slowest);
}

static void
look(struct ctl *c, uint16_t group)
{
	const struct ctl_group *g = &c->groups[group];
	const base_ns_t three = 3 * election_interval(g->advbase, g->advskew, g->advskew);
	const base_ns_t wait = three > QUIET_NS ? three : QUIET_NS;
	const base_ns_t frame = dp_last_frame(c->dp, g->conf->if_index);

	/* Where no frame arrives at all that is said, by the election, and not this. */
	if (base_ns_since(c->now, g->alone_since) < wait || frame == 0 ||
		base_ns_since(c->now, frame) > wait)
		return;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *o = &c->groups[i];

		if (!should_be_heard(c, g, o))
			continue;
		tell(c, group, false, o->conf->if_index, &o->peers[0].addr);
		return;
	}
}

void
ctl_hear_tick(struct ctl *c)
{
	if (c->now < c->hear_at)
		return;
	c->hear_at = c->now + LOOK_NS;
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (c->groups[i].alone_since != BASE_NS_NEVER &&
			c->groups[i].unheard_if == ELECTION_NONE)
			look(c, i);
}
