/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What all boxes together must hold to. Whatever happens to a group or to a box that has it -
 * a fault, a lost or late advert, an accepted replay, an operator - starts its bound again; what is
 * asserted is what must be so when nothing happened for that long, whether the whole network is
 * healthy or not.
 */

#include <string.h>

#include "sim.h"

#define TIE_MAX_NS  (100 * BASE_NS_PER_MS)
#define HANDOVER_NS (50 * BASE_NS_PER_MS)
/* Kernel timers are rounded up to a tick and one more. */
#define TICK_SLACK_NS (20 * BASE_NS_PER_MS)
/* Equals that tie again and again: each round parts them but for a coincidence. */
#define TIE_ROUNDS 20

void
check_init(struct sim *s)
{
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct group *g = &s->group[i];

		g->disturbed = s->now;
		g->odd_since = g->owners_odd_since = g->none_since = s->now;
		g->single_since = BASE_NS_NEVER;
		memset(g->lost, 0, sizeof(g->lost));
	}
}

void
check_touch_group(struct sim *s, uint16_t group)
{
	s->group[group].disturbed = s->now;
}

void
check_touch_node(struct sim *s, struct node *n)
{
	n->disturbed = s->now;
	for (uint16_t i = 0; i < s->n_groups; i++)
		check_touch_group(s, i);
}

void
check_lost(struct sim *s, uint16_t group, uint8_t from, uint8_t to)
{
	s->group[group].lost[from][to] = s->now;
	check_touch_group(s, group);
}

void
check_promise(struct node *n, uint16_t group, base_ns_t interval)
{
	n->promise_before[group] = n->promise[group];
	n->promise[group] = interval;
}

/* A box that is stalled disturbs for as long as that lasts. */
static base_ns_t
disturbed(const struct sim *s, uint16_t group)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (s->node[i].alive && (s->node[i].ctl_stalled || s->node[i].worker_stalled))
			return s->now;
	return s->group[group].disturbed;
}

bool
check_runnable(const struct node *n, const struct group *g, uint16_t group)
{
	const struct port *p = &n->port[g->seg];

	return n->alive && n->has[group] && n->admin_up[group] && n->has_vip[group] && n->allow &&
		!n->stopping && p->link && p->link_told;
}

struct election_priority
check_priority(const struct sim *s, const struct node *n, uint16_t group)
{
	if (n->kind != NODE_KOI)
		return peer_priority(s, n, group);
	return oracle_effective(n->advbase[group], n->skew[group], election_demotion_total(n->e));
}

static base_ns_t
span_slack(base_ns_t span)
{
	return span / 1000 + 2 * BASE_NS_PER_MS;
}

base_ns_t
check_bound(const struct sim *s, uint16_t group)
{
	const struct group *g = &s->group[group];
	const struct segment *seg = &s->seg[g->seg];
	base_ns_t down = 0, interval = 0, hold = 0, tie, bound;
	bool equal = seg->no_address;

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		const struct node *n = &s->node[i];
		uint8_t worst = n->skew[group] > 240 ? n->skew[group] : 240;
		base_ns_t d = n->kind == NODE_KOI
			? oracle_master_down(n->advbase[group], n->skew[group])
			: peer_master_down(s, n, group);
		base_ns_t t = oracle_interval(n->advbase[group], n->skew[group], worst);

		if (!n->alive)
			continue;
		down = d > down ? d : down;
		interval = t > interval ? t : interval;
		d = n->startup_hold + n->linkup_hold + n->preempt_delay;
		hold = d > hold ? d : hold;
		for (uint8_t j = 0; j < i; j++) {
			struct election_priority a, b;

			if (!s->node[j].alive)
				continue;
			a = check_priority(s, n, group);
			b = check_priority(s, &s->node[j], group);
			equal = equal ||
				(oracle_rank(&a) == oracle_rank(&b) && a.demotion == b.demotion);
		}
	}
	tie = interval > TIE_MAX_NS ? TIE_MAX_NS : interval;
	bound = hold + down + (interval > tie ? interval : tie) + interval;
	if (equal)
		bound += TIE_ROUNDS * (down + tie);
	if (s->mixed)
		bound = 2 * bound + TICK_SLACK_NS;
	return bound + seg->delay_max + 10 * s->latency + span_slack(bound);
}

/* Since when both have been MASTER and able to hear each other; BASE_NS_NEVER if they are not. */
static base_ns_t
facing_since(const struct sim *s, uint16_t group, const struct node *a, const struct node *b)
{
	const struct group *g = &s->group[group];
	base_ns_t t = 0,
		  all[] = {a->state_since[group], b->state_since[group], g->lost[a->id][b->id],
			  g->lost[b->id][a->id], a->disturbed, b->disturbed};

	if (a->state[group] != ELECTION_MASTER || b->state[group] != ELECTION_MASTER ||
		!box_running(a) || !box_running(b) || !box_hears(a, b, group) ||
		!box_hears(b, a, group) || !check_runnable(a, g, group) ||
		!check_runnable(b, g, group))
		return BASE_NS_NEVER;
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		t = all[i] > t ? all[i] : t;
	return t;
}

static base_ns_t
later(base_ns_t a, base_ns_t b)
{
	return a > b ? a : b;
}

/* The interval that may still be running, or just ended. */
static base_ns_t
promised(const struct node *n, uint16_t group)
{
	return later(n->promise[group], n->promise_before[group]);
}

static void
check_overlap(struct sim *s, uint16_t group, const struct node *a, const struct node *b)
{
	base_ns_t since = facing_since(s, group, a, b);
	base_ns_t longer = later(promised(a, group), promised(b, group));
	/* a guard may refuse a BSD until that has heard an advert of ours: one more interval */
	base_ns_t both = s->mixed ? promised(a, group) + promised(b, group) : longer;
	base_ns_t bound = both + s->seg[s->group[group].seg].delay_max + 2 * s->latency +
		span_slack(longer) + (s->mixed ? TICK_SLACK_NS : 0);

	if (since == BASE_NS_NEVER || since > s->now)
		return;
	sim_worst(
		&s->stats->overlap[s->mixed], &(struct sim_worst){s->now - since, bound, s->seed});
	if (s->now - since > bound)
		sim_fail(s, CHECK_OVERLAP,
			"boxes %u and %u have both been MASTER of group %u for %.6f s, may %.6f",
			a->id, b->id, group, (double)(s->now - since) / 1e9, (double)bound / 1e9);
}

static void
count(const struct sim *s, uint16_t group, unsigned int *masters, unsigned int *owners,
	unsigned int *runnable)
{
	*masters = *owners = *runnable = 0;
	for (uint8_t i = 0; i < s->n_nodes; i++) {
		const struct node *n = &s->node[i];
		const struct koi_group *k = &n->koi[group];

		if (!n->alive)
			continue;
		*runnable += check_runnable(n, &s->group[group], group);
		*masters += n->state[group] == ELECTION_MASTER;
		if (n->kind != NODE_KOI)
			*owners += n->state[group] == ELECTION_MASTER;
		else /* as the device does it, not as it was asked */
			*owners += k->owned ? s->now >= k->owned_from : s->now < k->disowned_from;
	}
}

static void
recount(struct sim *s, uint16_t group)
{
	struct group *g = &s->group[group];
	unsigned int masters, owners, runnable;

	count(s, group, &masters, &owners, &runnable);
	/* Exactly one for a moment, between the first and the second of a tie, is not settled. */
	if (masters != 1)
		g->single_since = BASE_NS_NEVER;
	else if (g->single_since == BASE_NS_NEVER)
		g->single_since = s->now;
	if (runnable == 0 || (masters == 1 && s->now - g->single_since >= g->unit / 4))
		g->odd_since = BASE_NS_NEVER;
	else if (g->odd_since == BASE_NS_NEVER && masters != 1)
		g->odd_since = s->now;
	if (runnable == 0 || owners == 1)
		g->owners_odd_since = BASE_NS_NEVER;
	else if (g->owners_odd_since == BASE_NS_NEVER)
		g->owners_odd_since = s->now;
	if (runnable == 0 || masters > 0)
		g->none_since = BASE_NS_NEVER;
	else if (g->none_since == BASE_NS_NEVER)
		g->none_since = s->now;
}

void
check_state(struct sim *s, struct node *n, uint16_t group, enum election_state to)
{
	struct group *g = &s->group[group];
	base_ns_t quiet = s->now - disturbed(s, group);
	bool master = to == ELECTION_MASTER, was = n->state[group] == ELECTION_MASTER;

	if (n->state[group] == to)
		return;
	if (master != was && quiet > check_bound(s, group))
		sim_fail(s, CHECK_SETTLED,
			"box %u goes to %s of group %u, to which nothing happened for %.6f s",
			n->id, election_state_name(to), group, (double)quiet / 1e9);
	if (was)
		for (uint8_t i = 0; i < s->n_nodes; i++)
			if (i != n->id)
				check_overlap(s, group, n, &s->node[i]);
	if (master && g->none_since != BASE_NS_NEVER) {
		base_ns_t gap = s->now - later(g->none_since, disturbed(s, group));

		sim_worst(&s->stats->gap, &(struct sim_worst){gap, check_bound(s, group), s->seed});
	}
	if (master) {
		s->stats->takeovers++;
		for (uint8_t i = 0; i < s->n_nodes; i++)
			s->stats->duels += i != n->id && s->node[i].alive &&
				s->node[i].state[group] == ELECTION_MASTER;
	}
	n->state[group] = to;
	n->state_since[group] = s->now;
	recount(s, group);
}

/* Nobody waits behind one that is worse by the rule. */
static void
check_order(struct sim *s, uint16_t group)
{
	const struct node *m = NULL;

	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (s->node[i].alive && s->node[i].state[group] == ELECTION_MASTER)
			m = &s->node[i];
	if (m == NULL)
		return;
	struct election_priority theirs = check_priority(s, m, group);

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		const struct node *n = &s->node[i];

		if (n == m || n->kind != NODE_KOI || !n->alive ||
			n->state[group] != ELECTION_BACKUP || !box_hears(n, m, group))
			continue;
		struct election_priority own = check_priority(s, n, group);

		if (theirs.demotion > own.demotion)
			sim_fail(s, CHECK_DEMOTED_LOSES,
				"box %u (demotion %u) waits behind box %u (%u) in group %u", n->id,
				own.demotion, m->id, theirs.demotion, group);
		if (n->preempt && oracle_rank(&own) < oracle_rank(&theirs) &&
			theirs.demotion >= own.demotion)
			sim_fail(s, CHECK_BETTER_WINS,
				"box %u (%u/%u) with preempt waits behind box %u (%u/%u) in group %u",
				n->id, own.advbase, own.advskew, m->id, theirs.advbase,
				theirs.advskew, group);
	}
}

/* When a device last did late what it was asked. */
static base_ns_t
device_since(const struct sim *s, uint16_t group)
{
	base_ns_t t = 0;

	for (uint8_t i = 0; i < s->n_nodes; i++)
		t = later(t,
			later(s->node[i].koi[group].owned_from,
				s->node[i].koi[group].disowned_from));
	return t < s->now ? t : s->now;
}

void
check_sweep(struct sim *s)
{
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct group *g = &s->group[i];
		base_ns_t bound = check_bound(s, i), since = disturbed(s, i);

		recount(s, i);
		if (g->odd_since != BASE_NS_NEVER &&
			s->now - later(g->odd_since, since) > bound + s->unit) {
			unsigned int masters, owners, runnable;

			count(s, i, &masters, &owners, &runnable);
			sim_fail(s, CHECK_ONE_MASTER,
				"group %u has %u masters of %u boxes, nothing happened for %.6f s, "
				"bound %.6f",
				i, masters, runnable, (double)(s->now - since) / 1e9,
				(double)bound / 1e9);
		}
		since = later(since, device_since(s, i));
		if (g->owners_odd_since != BASE_NS_NEVER &&
			s->now - later(g->owners_odd_since, since) > bound + HANDOVER_NS)
			sim_fail(s, CHECK_ONE_OWNER,
				"group %u has not exactly one owner, nothing happened for %.6f s",
				i, (double)(s->now - since) / 1e9);
		for (uint8_t a = 0; a < s->n_nodes; a++)
			for (uint8_t b = 0; b < a; b++)
				check_overlap(s, i, &s->node[a], &s->node[b]);
		if (g->odd_since == BASE_NS_NEVER && s->now - disturbed(s, i) > bound)
			check_order(s, i);
	}
}
