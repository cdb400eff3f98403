/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Changes of passwords and addresses that are staged, as ctl_stage.c does it, and the operators who
 * go from box to box with them: in any order, some not at all, some with something else in mind.
 * What is staged, committed or over is no disturbance: the group is to notice nothing of it.
 */

#include <string.h>

#include "sim.h"

/* An operator comes back to a box that did not answer. */
#define AGAIN_NS (500 * BASE_NS_PER_MS)
/* koi looks ten times a second whether addresses are to follow what is decided. */
#define READDRESS_NS (100 * BASE_NS_PER_MS)
#define WINDOW_MIN_S 10
/* Who is deaf to a master takes over and is heard within this. */
#define WINDOW_UNITS 12

void
stage_init(struct sim *s)
{
	s->friendly = s->scenario == SCENARIO_STAGE && sim_chance(s, 50);
	for (uint16_t g = 0; g < s->n_groups; g++) {
		s->group[g].campaign = (struct campaign){0};
		for (uint8_t i = 0; i < SIM_NODES; i++)
			s->group[g].campaign.box[i].step = STAGING_DONE;
	}
}

/* @name As ctl_stage.c. @{ */

static enum auth_stage_place
place_of(const struct node *n, uint16_t g)
{
	if (n->state[g] == ELECTION_INIT)
		return AUTH_STAGE_INIT;
	return n->state[g] == ELECTION_BACKUP ? AUTH_STAGE_BACKUP : AUTH_STAGE_MASTER;
}

/* Addresses are those of what runs. */
static void
readdress(struct sim *s, struct node *n, uint16_t g)
{
	const struct election_event ev = {
		.type = ELECTION_EV_VIPS, .group = g, .on = n->has_vip[g]};

	n->koi[g].readdress_at = BASE_NS_NEVER;
	(void)box_feed(s, n, &ev);
}

/* was: what of the two ran before */
static void
swap_from(struct sim *s, struct node *n, uint16_t g, uint8_t was)
{
	struct koi_group *k = &n->koi[g];
	uint8_t key = n->key[g];

	if (k->stage.running != was) {
		n->key[g] = n->other[g];
		n->other[g] = key;
		k->runs ^= 1;
		if (n->key[g] == KEY_VIPS || key == KEY_VIPS)
			k->readdress_at = n->now + 1 + sim_draw(s, READDRESS_NS);
	}
	box_identity_use(s, n, g);
}

static void
forget_other(struct sim *s, struct node *n, uint16_t g, bool now)
{
	oracle_stage_over(s, n, g, now);
	TRACE(s, n, "group %u: staged change over, identity %u stays", g, n->key[g]);
	n->koi[g].stage.phase = AUTH_STAGE_NONE;
	n->other[g] = KEY_NONE;
	box_identity_use(s, n, g);
}

static void
begin(struct sim *s, struct node *n, uint16_t g, uint8_t key, base_ns_t window)
{
	struct koi_group *k = &n->koi[g];
	bool behind = n->state[g] == ELECTION_BACKUP && k->heard_at != 0 &&
		n->now - k->heard_at < election_master_down(n->advbase[g], n->skew[g]);

	TRACE(s, n, "group %u: stages identity %u beside %u for %.3f s", g, key, n->key[g],
		(double)window / 1e9);
	s->stats->stagings++;
	n->other[g] = key;
	memset(k->told, 0, sizeof(k->told));
	box_identity_begin(s, n, g, true);
	auth_stage_begin(&k->stage, behind, window, n->now);
	box_identity_use(s, n, g);
	oracle_staged(n, g, behind, window);
}

static bool
decide(struct sim *s, struct node *n, uint16_t g, enum auth_identity which)
{
	struct koi_group *k = &n->koi[g];
	uint8_t was = k->stage.running;

	if (!auth_stage_decide(&k->stage, place_of(n, g), which))
		return false;
	swap_from(s, n, g, was);
	TRACE(s, n, "group %u: %s, runs identity %u", g,
		which == AUTH_NEW ? "committed" : "aborted", n->key[g]);
	oracle_decided(n, g);
	return true;
}

static void
end_now(struct sim *s, struct node *n, uint16_t g, enum auth_identity which)
{
	uint8_t was = n->koi[g].stage.running;

	n->koi[g].stage.running = (uint8_t)which;
	swap_from(s, n, g, was);
	forget_other(s, n, g, true);
}

bool
stage_heard(struct node *n, const struct ctl_advert *a)
{
	struct koi_group *k = &n->koi[a->group];
	uint8_t runs = k->stage.running;
	enum auth_identity which = (enum auth_identity)(a->other ? AUTH_NEW - runs : runs);
	bool second;

	k->heard_at = a->bow_out ? 0 : n->now;
	if (n->other[a->group] == KEY_NONE)
		return true;
	second = ctl_pair_is_second(k->told, a, which,
		election_interval(n->advbase[a->group], n->skew[a->group], n->skew[a->group]),
		n->now);
	auth_stage_heard(&k->stage, which, second);
	return !second;
}

static bool
somebody_is_down(const struct sim *s, uint16_t g)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (s->node[i].state[g] == ELECTION_INIT)
			return true;
	return false;
}

static void
tick_group(struct sim *s, struct node *n, uint16_t g)
{
	struct koi_group *k = &n->koi[g];
	uint8_t was = k->stage.running;
	if (place_of(n, g) == AUTH_STAGE_INIT)
		k->sh.row = 0;
	enum auth_stage_step step = auth_stage_tick(&k->stage, place_of(n, g), n->now);

	if (step == AUTH_STAGE_STEP_NOTHING)
		return;
	swap_from(s, n, g, was);
	TRACE(s, n, "group %u: %s, runs identity %u", g, auth_stage_step_text(step), n->key[g]);
	if (k->stage.phase != AUTH_STAGE_NONE) {
		oracle_decided(n, g);
		return;
	}
	s->group[g].campaign.ended_apart += somebody_is_down(s, g);
	forget_other(s, n, g, false);
}
/* @} */

/* @name Campaigns. @{ */

static bool
is_staged(const struct node *n, uint16_t g)
{
	return n->other[g] != KEY_NONE;
}

/* When the last box was staged; 0: not all were, or not within one window. */
static base_ns_t
all_staged_at(const struct sim *s, const struct campaign *c)
{
	base_ns_t first = BASE_NS_NEVER, last = 0;

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		base_ns_t at = c->box[i].staged_at;

		if (at == 0)
			return 0;
		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	/* clocks differ a little */
	return last - first < c->window - c->window / 100 ? last : 0;
}

/* Nothing has parted the boxes: neither faults nor mistakes, nor that they were up in turns. */
static bool
is_fair(const struct sim *s, const struct campaign *c)
{
	uint8_t committed = 0;

	for (uint8_t i = 0; i < s->n_nodes; i++)
		committed = (uint8_t)(committed + (c->box[i].committed_at != 0));
	/* two of which one was down meet later; of three, two may meet without the third */
	if (!s->friendly || !c->clean || all_staged_at(s, c) == 0)
		return false;
	if (s->n_nodes > 2)
		return committed == 0 || (c->ended_apart == 0 && !c->decided_apart);
	return committed == 0 || c->ended_apart < 2 || committed == s->n_nodes;
}

/* What must have come of it then (docs/change.md). */
static void
check_outcome(struct sim *s, uint16_t g)
{
	const struct campaign *c = &s->group[g].campaign;
	uint8_t key = s->node[0].key[g], committed = 0, late = 0;

	if (!is_fair(s, c))
		return;
	s->stats->clean++;
	for (uint8_t i = 0; i < s->n_nodes; i++) {
		base_ns_t at = c->box[i].committed_at;

		committed = (uint8_t)(committed + (at != 0));
		/* the others have heard by then that the master is staged */
		late = (uint8_t)(late +
			(at > all_staged_at(s, c) + 3 * s->unit && !c->decided_apart));
		if (s->node[i].key[g] != key)
			sim_fail(s, CHECK_AGREED,
				"of a change staged on all boxes box 0 has identity %u of group %u, "
				"box %u has %u",
				key, g, i, s->node[i].key[g]);
	}
	if ((late == s->n_nodes && key != c->to) || (committed == 0 && key != c->from))
		sim_fail(s, CHECK_AGREED,
			"%u of %u boxes have committed identity %u of group %u, before %u, and "
			"it is %u",
			committed, s->n_nodes, c->to, g, c->from, key);
}

/* Is it over on all boxes? */
static void
look(struct sim *s, uint16_t g)
{
	struct campaign *c = &s->group[g].campaign;

	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (c->box[i].step != STAGING_DONE || is_staged(&s->node[i], g))
			return;
	if (c->on)
		check_outcome(s, g);
	c->on = false;
}

/* Somebody who commits as MASTER what another box does not have is not heard by that any more. */
static bool
is_mistake(const struct sim *s, const struct node *n, uint16_t g, uint8_t to)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (n->state[g] == ELECTION_MASTER && !box_accepts(&s->node[i], g, to))
			return true;
	return false;
}

static void
one_step(struct sim *s, struct node *n, uint16_t g)
{
	struct campaign *c = &s->group[g].campaign;
	struct staging *b = &c->box[n->id];
	enum auth_identity which = b->commits ? AUTH_NEW : AUTH_OLD;

	switch (b->step++) {
	case STAGING_BEGIN:
		if (is_staged(n, g) || n->key[g] == b->to)
			break;
		begin(s, n, g, b->to, c->window);
		b->staged_at = s->now;
		break;
	case STAGING_DECIDE:
		if (!b->decides || !is_staged(n, g))
			break;
		c->decided_apart = c->decided_apart || somebody_is_down(s, g);
		if (b->commits && is_mistake(s, n, g, b->to))
			c->clean = false;
		if (decide(s, n, g, which) && b->commits)
			b->committed_at = s->now;
		break;
	case STAGING_NOW:
		if (!b->now || !is_staged(n, g))
			break;
		c->clean = false;
		end_now(s, n, g, which);
		break;
	case STAGING_DONE:
		break;
	}
}

void
stage_step(struct sim *s, struct node *n, uint16_t g)
{
	struct campaign *c = &s->group[g].campaign;
	struct staging *b = &c->box[n->id];
	unsigned int id = HEAP_STAGE + n->id * (unsigned int)SIM_GROUPS + g;

	if (n->alive && !n->ctl_stalled && !n->stopping)
		box_turn(s, n);
	if (!n->alive) {
		c->clean = false;
		b->step = STAGING_DONE;
	} else if (n->ctl_stalled || n->stopping) {
		sim_at(s, id, s->now + AGAIN_NS);
	} else {
		one_step(s, n, g);
		if (b->step != STAGING_DONE)
			sim_at(s, id, s->now + b->wait[b->step]);
		box_wake(s, n, s->now);
	}
	look(s, g);
}

static void
draw_staging(struct sim *s, struct campaign *c, struct staging *b, base_ns_t spread)
{
	b->to = c->to;
	b->wait[STAGING_BEGIN] = 1 + sim_draw(s, spread);
	b->wait[STAGING_DECIDE] = 1 + sim_draw(s, c->window - c->window / 50);
	b->wait[STAGING_NOW] = 1 + sim_draw(s, c->window);
	b->now = sim_chance(s, 5);
	if (sim_chance(s, 5)) /* another one has something else in mind */
		b->to = (uint8_t)(KEY_RIGHT + KEY_OTHER + KEY_VIPS - c->from - c->to);
	else if (sim_chance(s, 5)) /* nobody tells this one */
		b->step = STAGING_DONE;
	else if (sim_chance(s, 5)) /* or too late */
		b->wait[STAGING_BEGIN] += 2 * c->window;
	if (b->to != c->to)
		c->clean = false;
}

static void
draw_campaign(struct sim *s, struct campaign *c, uint8_t from)
{
	static const uint8_t spreads[] = {2, 25, 95}; /* percent of the window */
	uint64_t all = sim_draw(s, 10);
	base_ns_t spread;

	*c = (struct campaign){.on = true, .clean = true, .from = from};
	c->to = (uint8_t)((from + 1 + sim_draw(s, 2)) % KEY_FORGED);
	c->in_file = sim_chance(s, 50);
	c->window = WINDOW_UNITS * s->unit;
	if (c->window < WINDOW_MIN_S * BASE_NS_PER_S)
		c->window = WINDOW_MIN_S * BASE_NS_PER_S;
	c->window += sim_draw(s, 10 * BASE_NS_PER_S);
	spread = c->window * spreads[sim_draw(s, sizeof(spreads))] / 100;
	for (uint8_t i = 0; i < s->n_nodes; i++) {
		struct staging *b = &c->box[i];

		/* all commit, all abort, nobody does anything, or each as it likes */
		b->decides = all != 5 && (all < 5 || sim_chance(s, 65));
		b->commits = all < 4 || (all > 4 && sim_chance(s, 60));
		draw_staging(s, c, b, spread);
	}
}

/* Who parted by mistakes or by faults is given one key again, at once. */
static void
repair(struct sim *s, uint16_t g)
{
	const struct node *first = NULL;

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		struct node *n = &s->node[i];

		if (is_staged(n, g))
			continue;
		first = first != NULL ? first : n;
		if (n->key[g] == first->key[g])
			continue;
		TRACE(s, n, "group %u: identity %u at once", g, first->key[g]);
		check_touch_node(s, n);
		n->key[g] = first->key[g];
		if (n->alive)
			box_rekey(s, n, g, (enum sim_key)n->key[g]);
	}
}

void
stage_next(struct sim *s)
{
	uint16_t g = (uint16_t)sim_draw(s, s->n_groups);
	struct campaign *c = &s->group[g].campaign;

	if (s->phase != PHASE_CHAOS)
		return;
	sim_at(s, HEAP_RELOAD, s->now + 1 + sim_draw(s, 5 * BASE_NS_PER_S));
	if (c->on)
		return;
	repair(s, g);
	draw_campaign(s, c, s->node[0].key[g]);
	s->stats->campaigns++;
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (c->box[i].step != STAGING_DONE)
			sim_at(s, HEAP_STAGE + i * (unsigned int)SIM_GROUPS + g,
				s->now + c->box[i].wait[STAGING_BEGIN]);
	look(s, g);
}
/* @} */

void
stage_tick(struct sim *s, struct node *n)
{
	for (uint16_t g = 0; g < s->n_groups && !s->failed; g++) {
		struct koi_group *k = &n->koi[g];

		if (n->now >= k->readdress_at)
			readdress(s, n, g);
		else if (k->readdress_at != BASE_NS_NEVER)
			box_wake(s, n, sim_global(n, k->readdress_at));
		if (!is_staged(n, g))
			continue;
		tick_group(s, n, g);
		if (k->stage.until > n->now)
			box_wake(s, n, sim_global(n, k->stage.until));
		look(s, g);
	}
}

void
stage_crashed(struct sim *s, struct node *n)
{
	for (uint16_t g = 0; g < s->n_groups; g++) {
		struct campaign *c = &s->group[g].campaign;

		c->clean = false;
		if (!is_staged(n, g))
			continue;
		/* its file has the new ones, or a command had set them */
		if (c->in_file == (n->koi[g].stage.running == AUTH_OLD))
			n->key[g] = n->other[g];
		n->other[g] = KEY_NONE;
		n->koi[g].stage = (struct auth_stage){0};
		look(s, g);
	}
}

static bool
is_busy(const struct sim *s, uint16_t g)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (s->group[g].campaign.box[i].step != STAGING_DONE ||
			(is_staged(&s->node[i], g) && s->node[i].state[g] != ELECTION_INIT))
			return true;
	return false;
}

bool
stage_busy(const struct sim *s)
{
	for (uint16_t g = 0; g < s->n_groups; g++)
		if (is_busy(s, g))
			return true;
	return false;
}

void
stage_end(struct sim *s)
{
	for (uint16_t g = 0; g < s->n_groups && !s->failed; g++) {
		const struct campaign *c = &s->group[g].campaign;

		/* a BACKUP waits for a last word as long as there are two masters that differ */
		if (c->on && is_fair(s, c) && is_busy(s, g))
			sim_fail(s, CHECK_AGREED, "the staged change of group %u does not end", g);
		for (uint8_t i = 0; i < s->n_nodes; i++) {
			struct node *n = &s->node[i];

			if (!is_staged(n, g))
				continue;
			n->now = sim_local(n, s->now);
			end_now(s, n, g, (enum auth_identity)n->koi[g].stage.running);
		}
		repair(s, g);
	}
}
