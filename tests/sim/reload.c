/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Configurations that change, and boxes that load them one after another, as operators do it. A box
 * goes the way of ctl_reload.c: groups that are to go bow out, and when none of them hands over any
 * more all the rest happens in one turn.
 */

#include "sim.h"

/* What the next configuration changes of a group that stays. */
#define TIMING	 1u
#define IDENTITY 2u
#define TIMERS	 4u

void
reload_init(struct sim *s)
{
	struct sim_file *f = &s->file;

	f->version = 0;
	for (uint16_t g = 0; g < s->n_groups; g++) {
		f->has[g] = s->scenario != SCENARIO_RELOAD || sim_chance(s, 75);
		f->advbase[g] = s->group[g].advbase;
		f->key[g] = KEY_RIGHT;
		f->timers[g] = s->group[g].family_timers;
		for (uint8_t i = 0; i < s->n_nodes; i++)
			f->skew[i][g] = s->node[i].skew[g];
	}
	for (uint8_t i = 0; i < s->n_nodes; i++) {
		struct node *n = &s->node[i];

		n->file = *f;
		for (uint16_t g = 0; g < s->n_groups; g++) {
			n->has[g] = f->has[g];
			n->advbase[g] = f->advbase[g];
			n->timers[g] = f->timers[g];
		}
	}
	s->next_box = s->n_nodes;
}

/* What is another one in the configuration that a box loads. */
static unsigned int
changes_of(const struct node *n, uint16_t g)
{
	const struct sim_file *was = &n->file, *now = &n->next;
	unsigned int changes = 0;

	if (now->advbase[g] != was->advbase[g] || now->skew[n->id][g] != was->skew[n->id][g])
		changes |= TIMING;
	if (now->key[g] != was->key[g])
		changes |= IDENTITY;
	if (now->timers[g] != was->timers[g])
		changes |= TIMERS;
	return changes;
}

/* A box's configuration of a group from now on: what commands set stays unless the file changes it.
 */
static unsigned int
take(struct node *n, uint16_t g)
{
	const struct sim_file *now = &n->next;
	bool begins = now->has[g] && !n->has[g];
	unsigned int changes = begins ? TIMING | IDENTITY | TIMERS : changes_of(n, g);

	n->has[g] = now->has[g];
	if (begins)
		n->admin_up[g] = n->has_vip[g] = true;
	if (changes & TIMING) {
		n->advbase[g] = now->advbase[g];
		n->skew[g] = now->skew[n->id][g];
	}
	if (changes & IDENTITY)
		n->key[g] = now->key[g];
	if (changes & TIMERS)
		n->timers[g] = now->timers[g];
	return changes;
}

static void
loaded(struct node *n)
{
	n->file = n->next;
	n->reloading = false;
}

void
reload_crashed(struct node *n)
{
	if (!n->reloading)
		return;
	for (uint16_t g = 0; g < SIM_GROUPS; g++)
		(void)take(n, g);
	loaded(n);
}

/* An election's call and what it asks for, followed by the oracle. */
static void
set_group(struct sim *s, struct node *n, uint16_t g)
{
	const struct election_group_config config = box_group_config(s, n, g);
	struct oracle_call call;

	oracle_before(s, n, NULL, &call);
	if (election_group_set(n->e, g, &config, n->now, &n->out) != 0)
		sim_fail(s, CHECK_RUNNABLE, "box %u cannot set group %u", n->id, g);
	box_act(s, n);
	oracle_after(s, n, NULL, &call);
}

static void
end_group(struct sim *s, struct node *n, uint16_t g)
{
	struct oracle_call call;

	n->has[g] = false;
	oracle_before(s, n, NULL, &call);
	if (election_group_remove(n->e, g, n->now, &n->out) != 0)
		sim_fail(s, CHECK_RUNNABLE, "box %u cannot remove group %u", n->id, g);
	oracle_group_new(n, g);
	box_act(s, n);
	oracle_after(s, n, NULL, &call);
}

static void
begin_group(struct sim *s, struct node *n, uint16_t g)
{
	TRACE(s, n, "group %u is new", g);
	(void)take(n, g);
	box_group_begin(s, n, g);
	oracle_group_new(n, g);
	set_group(s, n, g);
}

static void
change_group(struct sim *s, struct node *n, uint16_t g)
{
	struct election_event ev = {.type = ELECTION_EV_VIPS, .group = g, .on = n->has_vip[g]};
	base_ns_t down = oracle_master_down(n->advbase[g], n->skew[g]);
	unsigned int changes = take(n, g);

	if (changes != 0)
		TRACE(s, n, "group %u is now %u/%u, identity %u", g, n->advbase[g], n->skew[g],
			n->key[g]);
	if (changes & TIMING)
		auth_replay_set_timing(&box_identity(s, n, g, false)->replay,
			election_master_down(n->advbase[g], n->skew[g]));
	if (changes & (TIMING | TIMERS))
		oracle_retimed(&n->koi[g].sh, down, oracle_master_down(n->advbase[g], n->skew[g]));
	if (changes & IDENTITY)
		box_rekey(s, n, g, (enum sim_key)n->key[g]);
	set_group(s, n, g);
	if (changes & IDENTITY)
		(void)box_feed(s, n, &ev);
}

static bool
leaves(const struct node *n, uint16_t g)
{
	return n->has[g] && !n->next.has[g];
}

static bool
stays_the_same(const struct node *n, uint16_t g)
{
	return n->has[g] && n->next.has[g] && changes_of(n, g) == 0;
}

static void
apply(struct sim *s, struct node *n)
{
	uint64_t before[SIM_GROUPS] = {0};
	bool same[SIM_GROUPS] = {false};
	uint32_t ledger = s->ledger;

	check_touch_node(s, n);
	for (uint16_t g = 0; g < s->n_groups; g++) {
		same[g] = stays_the_same(n, g);
		before[g] = oracle_digest_group(n, g);
	}
	for (uint16_t g = 0; g < s->n_groups; g++)
		if (leaves(n, g))
			end_group(s, n, g);
	for (uint16_t g = 0; g < s->n_groups && !s->failed; g++) {
		if (n->has[g])
			change_group(s, n, g);
		else if (n->next.has[g])
			begin_group(s, n, g);
	}
	loaded(n);
	/* with the first or the last group of an interface its link begins or ends to demote all */
	for (uint16_t g = 0; g < s->n_groups; g++)
		if (same[g] && ledger == s->ledger && before[g] != oracle_digest_group(n, g))
			sim_fail(s, CHECK_KEPT,
				"box %u: a reload that leaves group %u alone "
				"touches it",
				n->id, g);
}

void
reload_tick(struct sim *s, struct node *n)
{
	/* who is stopping begins with it next time */
	if (!n->reloading || n->stopping)
		return;
	for (uint16_t g = 0; g < s->n_groups; g++)
		if (leaves(n, g) && n->koi[g].owned)
			return;
	apply(s, n);
}

void
reload_box(struct sim *s, struct node *n)
{
	TRACE(s, n, "loads configuration %u", s->file.version);
	s->stats->reloads++;
	n->next = s->file;
	for (uint16_t g = 0; g < s->n_groups && n->alive; g++) {
		const struct election_event down = {.type = ELECTION_EV_DOWN, .group = g};

		if (leaves(n, g))
			box_request(s, n, &down);
	}
	n->reloading = true;
	if (!n->alive)
		reload_crashed(n);
	else
		box_turn(s, n);
}

/* @name What operators have in mind. @{ */

/* Another vhid is another group, in another slot. */
static void
move_group(struct sim *s, uint16_t g)
{
	s->file.has[g] = false;
	if (sim_chance(s, 50))
		return;
	for (uint16_t i = 0; i < s->n_groups; i++)
		if (i != g && !s->file.has[i] && s->group[i].seg == s->group[g].seg) {
			s->file.has[i] = true;
			return;
		}
}

static void
change_file(struct sim *s)
{
	struct sim_file *f = &s->file;
	uint16_t g = (uint16_t)sim_draw(s, s->n_groups);
	uint8_t i = (uint8_t)sim_draw(s, s->n_nodes);

	if (!f->has[g]) {
		f->has[g] = true;
		return;
	}
	switch (sim_draw(s, 6)) {
	case 0:
		move_group(s, g);
		break;
	case 1: /* longer ones would not fit the shortest master-down time */
		if (f->advbase[g] == 1 || f->advbase[g] == 2)
			f->advbase[g] = (uint8_t)(3 - f->advbase[g]);
		break;
	case 2:
		f->key[g] = f->key[g] == KEY_RIGHT ? KEY_OTHER : KEY_RIGHT;
		break;
	case 3:
		f->timers[g] = f->timers[g] == ELECTION_FAMILY_TIMERS_ALL
			? ELECTION_FAMILY_TIMERS_ANY
			: ELECTION_FAMILY_TIMERS_ALL;
		break;
	default:
		f->skew[i][g] = plan_skew(s, &s->node[i], g);
	}
}

static bool
is_busy(const struct node *n)
{
	return n->alive && (n->ctl_stalled || n->reloading || n->stopping);
}

/* No more ideas: every box gets the newest configuration. */
static void
reload_all(struct sim *s)
{
	for (uint8_t i = 0; i < s->n_nodes && !s->failed; i++) {
		struct node *n = &s->node[i];

		if (n->file.version == s->file.version)
			continue;
		if (is_busy(n))
			sim_at(s, HEAP_RELOAD, s->now + s->unit / 8);
		else
			reload_box(s, n);
	}
}

void
reload_next(struct sim *s)
{
	struct node *n;

	if (s->phase != PHASE_CHAOS) {
		reload_all(s);
		return;
	}
	if (s->next_box >= s->n_nodes) {
		s->file.version++;
		for (uint64_t i = sim_draw(s, 3) + 1; i > 0; i--)
			change_file(s);
		s->next_box = 0;
	}
	n = &s->node[s->next_box];
	if (is_busy(n)) {
		/* it does not answer now */
		sim_at(s, HEAP_RELOAD, s->now + 1 + sim_draw(s, s->unit / 2));
		return;
	}
	reload_box(s, n);
	s->next_box++;
	sim_at(s, HEAP_RELOAD,
		s->now + 1 + sim_draw(s, (s->next_box < s->n_nodes ? 3 : 5) * s->unit));
}
/* @} */
