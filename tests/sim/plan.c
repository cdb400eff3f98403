/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Who is where, with what: the configuration that a seed draws, and its beginning and end. */

#include <string.h>

#include "sim.h"

static uint8_t
between(struct sim *s, uint8_t low, uint8_t high)
{
	return (uint8_t)(low + sim_draw(s, (uint64_t)(high - low) + 1));
}

static uint8_t
pick(struct sim *s, const uint8_t *list, size_t n)
{
	return list[sim_draw(s, n)];
}
#define PICK(s, ...) \
	pick((s), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
draw_size(struct sim *s)
{
	s->n_nodes = PICK(s, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4);
	s->n_segs = PICK(s, 1, 1, 2, 2, 3);
	s->n_vhids = PICK(s, 1, 1, 2, 2, 3);
	switch (s->scenario) {
	case SCENARIO_PAIR:
	case SCENARIO_FASTMIX:
		s->n_nodes = 2;
		s->n_segs = 1;
		s->n_vhids = s->scenario == SCENARIO_PAIR ? 1 : 2;
		break;
	case SCENARIO_EQUAL:
	case SCENARIO_PEERS:
	case SCENARIO_CALM:
		s->n_nodes = PICK(s, 2, 2, 3, 3, 4);
		break;
	case SCENARIO_FAST:
		s->n_vhids = PICK(s, 1, 1, 2);
		break;
	case SCENARIO_STAGE:
		s->n_nodes = PICK(s, 2, 2, 2, 2, 3, 3, 4);
		s->n_segs = 1;
		s->n_vhids = PICK(s, 1, 1, 2);
		break;
	case SCENARIO_MIX:
	case SCENARIO_STALL:
	case SCENARIO_CRASH:
	case SCENARIO_FLAP:
	case SCENARIO_OPERATOR:
	case SCENARIO_ATTACK:
	case SCENARIO_RELOAD:
	case SCENARIO_COUNT:
		break;
	}
	s->n_groups = (uint16_t)(s->n_segs * s->n_vhids);
	s->mixed = s->scenario == SCENARIO_PEERS;
	s->fast = s->scenario == SCENARIO_FAST;
	s->quick = s->fast || s->scenario == SCENARIO_FASTMIX;
	s->latency = (s->quick ? 60 : 500) * BASE_NS_PER_US;
}

static void
draw_segment(struct sim *s, uint8_t i)
{
	struct segment *seg = &s->seg[i];
	base_ns_t jitter = PICK(s, 1, 1, 1, 1, 1, 1, 5, 5, 5, 20) * 100 * BASE_NS_PER_US;

	memset(seg, 0, sizeof(*seg));
	seg->delay_min = between(s, 5, 100) * BASE_NS_PER_US;
	seg->delay_max = seg->delay_min +
		(s->quick ? sim_draw(s, 150 * BASE_NS_PER_US) : 1 + sim_draw(s, jitter * 5));
	if (s->lockstep) {
		seg->delay_min = (10 + sim_draw(s, 20)) * 100 * BASE_NS_PER_US;
		seg->delay_max = seg->delay_min + sim_draw(s, 500 * BASE_NS_PER_US);
	}
	seg->no_address = sim_chance(s, 12);
	seg->chatter = sim_chance(s, 50);
	for (unsigned int v = 0; v < 256; v++)
		seg->vhid_group[v] = ELECTION_NONE;
}

/* The advskews of a group: distinct, close, equal, or anything. */
static void
draw_skews(struct sim *s, uint16_t g)
{
	uint8_t kind = PICK(s, 0, 0, 0, 0, 1, 2, 3);
	uint8_t order[] = {0, 1, 2, 3, 4, 5, 6}, base = between(s, 0, 250), fast_min;

	if (s->scenario == SCENARIO_EQUAL)
		kind = s->lockstep ? 2 : PICK(s, 1, 2, 2, 2);
	if (s->mixed)
		kind = 4;
	if (s->scenario == SCENARIO_RELOAD) {
		kind = kind == 3 ? 0 : kind;
		base = base % RELOAD_SKEWS;
	}
	for (uint8_t i = 6; i > 0; i--) {
		uint8_t j = (uint8_t)sim_draw(s, i + 1u), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	fast_min = PICK(s, 0, 0, 0, 1, 2, 5);
	for (uint8_t i = 0; i < s->n_nodes; i++) {
		static const uint8_t apart[] = {0, 20, 50, 100, 140, 180, 220};
		uint8_t *skew = &s->node[i].skew[g];

		if (s->group[g].advbase == 0)
			/* a peer's master-down is longer than any interval */
			*skew = kind == 2
				? fast_min
				: (uint8_t)(fast_min + sim_draw(s, fast_min > 1 ? fast_min : 2));
		else if (kind == 1)
			*skew = (uint8_t)(base + i);
		else if (kind == 2)
			*skew = base;
		else if (kind == 3)
			*skew = PICK(s, 0, 0, 1, 100, 100, 200, 239, 240, 241, 254);
		else
			*skew = apart[order[i]];
	}
	s->group[g].fast_min = fast_min;
}

static void
draw_group(struct sim *s, uint16_t i)
{
	struct group *g = &s->group[i];
	bool fast = s->fast || (s->scenario == SCENARIO_FASTMIX && i == 0);

	g->seg = (uint8_t)(i / s->n_vhids);
	g->advbase = fast ? 0 : PICK(s, 1, 1, 1, 1, 2, 3);
	/* ucarp has no IPv6 */
	g->families = s->mixed && sim_chance(s, 50)
		? ELECTION_IP4
		: PICK(s, ELECTION_IP4, ELECTION_IP4, ELECTION_IP6, ELECTION_IP4 | ELECTION_IP6,
			  ELECTION_IP4 | ELECTION_IP6);
	s->with_ip6 = s->with_ip6 || g->families != ELECTION_IP4;
	g->family_timers =
		sim_chance(s, 70) ? ELECTION_FAMILY_TIMERS_ALL : ELECTION_FAMILY_TIMERS_ANY;
	g->auth = g->auth_of[g->families];
	g->strict = !s->mixed && sim_chance(s, 20);
	s->seg[g->seg].vhid_group[g->vhid] = i;
	draw_skews(s, i);
	g->unit =
		g->advbase > 0 ? g->advbase * BASE_NS_PER_S : (g->fast_min + 1u) * BASE_NS_PER_SKEW;
	if (g->unit > s->unit)
		s->unit = g->unit;
}

/* What puts a take-over off; most have none of it. */
static void
draw_holds(struct sim *s, struct node *n)
{
	if (sim_chance(s, 20))
		n->startup_hold = sim_draw(s, 3 * s->unit);
	if (sim_chance(s, 20))
		n->linkup_hold = sim_draw(s, 3 * s->unit);
	if (sim_chance(s, 20))
		n->preempt_delay = sim_draw(s, 5 * s->unit);
	if (sim_chance(s, 20))
		n->refresh = s->unit + sim_draw(s, 5 * s->unit);
}

static void
draw_node(struct sim *s, uint8_t i, uint8_t preempt, uint32_t drift)
{
	struct node *n = &s->node[i];
	struct election *e = n->e;
	struct election_actions out = n->out;
	uint8_t skew[SIM_GROUPS];

	memcpy(skew, n->skew, sizeof(skew));
	memset(n, 0, sizeof(*n));
	n->e = e;
	n->out = out;
	memcpy(n->skew, skew, sizeof(skew));
	n->id = i;
	n->ppb = (int32_t)sim_draw(s, 2 * drift + 1u) - (int32_t)drift;
	n->offset = 1 + sim_draw(s, 1000 * BASE_NS_PER_S);
	n->preempt = preempt == 2 ? sim_chance(s, 50) : preempt;
	n->allow = true;
	n->handoff = sim_chance(s, 50);
	for (uint8_t p = 0; p < s->n_segs; p++) {
		n->port[p].link = n->port[p].link_told = true;
		n->port[p].link_tell_at = BASE_NS_NEVER;
		if (!s->seg[p].no_address)
			n->port[p].addr[0] = net_address(p, 0, i);
		n->port[p].addr[1] = net_address(p, 1, i); /* the link-local one is always there */
	}
	for (uint16_t g = 0; g < s->n_groups; g++)
		n->admin_up[g] = n->has_vip[g] = true;
	memset(n->other, KEY_NONE, sizeof(n->other));
	if (s->mixed && i > 0)
		n->kind = (enum node_kind)between(s, i == 1 ? NODE_NETBSD : NODE_KOI,
			s->with_ip6 ? NODE_FREEBSD : NODE_UCARP);
	s->stats->peers += n->kind != NODE_KOI;
	n->tells_frames = sim_chance(s, 60);
	n->short_list = sim_chance(s, 30);
	/* what a guard remembers of a fast group is younger than a second */
	n->wall = UINT64_C(1700000000) * BASE_NS_PER_S +
		sim_draw(s, s->quick ? BASE_NS_PER_S / 5 : 4 * BASE_NS_PER_S);
	n->start_as_master = sim_chance(s, 10);
	draw_holds(s, n);
}

void
plan_build(struct sim *s)
{
	uint8_t preempt = PICK(s, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2);
	uint32_t drift = sim_chance(s, 50) ? 500000 : 20000;

	draw_size(s);
	s->lockstep = s->scenario == SCENARIO_EQUAL && sim_chance(s, 40);
	if (s->lockstep)
		drift = 0;
	s->unit = 0;
	s->with_ip6 = false;
	for (uint8_t i = 0; i < s->n_segs; i++)
		draw_segment(s, i);
	for (uint16_t i = 0; i < s->n_groups; i++)
		draw_group(s, i);
	for (uint8_t i = 0; i < s->n_nodes; i++)
		draw_node(s, i, preempt, drift);
	reload_init(s);
	stage_init(s);
	s->meddle_mean =
		s->fast ? between(s, 2, 8) * s->unit : between(s, 5, 20) * BASE_NS_PER_S / 10;
	s->phase_end = s->now +
		(s->fast ? between(s, 50, 200) * s->unit : between(s, 8, 20) * BASE_NS_PER_S);
	if (s->scenario == SCENARIO_FASTMIX)
		s->phase_end = s->now + between(s, 2, 5) * BASE_NS_PER_S;
	if (s->scenario == SCENARIO_CALM)
		s->phase_end = s->now + s->unit;
	if (s->scenario == SCENARIO_STAGE) {
		s->meddle_mean = between(s, 3, 12) * BASE_NS_PER_S;
		s->phase_end = s->now + between(s, 20, 60) * BASE_NS_PER_S;
	}
}

void
plan_start(struct sim *s)
{
	base_ns_t spread = PICK(s, 0, 0, 1, 2, 6) * s->unit + 1;

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		struct node *n = &s->node[i];

		/* in pairs: who does not take part in a tie hears all of it */
		sim_at(s, HEAP_RESTART + i,
			s->now + (s->lockstep ? i / 2 * (spread / 2) : sim_draw(s, spread)));
		TRACE(s, n, "%s, preempt %d, clock %+.1f ppm", peer_kind_name(n->kind), n->preempt,
			(double)n->ppb / 1000);
		for (uint16_t g = 0; g < s->n_groups; g++)
			TRACE(s, n, "group %u: segment %u vhid %u advbase %u advskew %u%s", g,
				s->group[g].seg, s->group[g].vhid, s->group[g].advbase, n->skew[g],
				s->seg[s->group[g].seg].no_address ? ", no address" : "");
	}
	if (s->scenario == SCENARIO_RELOAD || s->scenario == SCENARIO_STAGE)
		sim_at(s, HEAP_RELOAD, s->now + sim_draw(s, 4 * s->unit));
	if (s->scenario != SCENARIO_CALM && !(s->lockstep && sim_chance(s, 60)))
		sim_at(s, HEAP_MEDDLE, s->now + sim_draw(s, s->unit));
}

void
plan_restart(struct sim *s, struct node *n)
{
	if (n->alive)
		return;
	if (n->kind == NODE_KOI)
		box_start(s, n);
	else
		peer_start(s, n);
}

void
plan_stopped(struct sim *s, struct node *n)
{
	box_crash(s, n);
	n->stopping = false;
	sim_at(s, HEAP_RESTART + n->id,
		s->now + sim_draw(s, s->phase == PHASE_CHAOS ? 8 * s->unit : s->unit));
	if (s->phase == PHASE_PROBE)
		sim_at(s, HEAP_RESTART + n->id, BASE_NS_NEVER);
}

void
plan_link(struct sim *s, struct node *n, uint8_t seg, bool up)
{
	struct port *p = &n->port[seg];

	if (p->link == up)
		return;
	TRACE(s, n, "segment %u: link %s", seg, up ? "up" : "down");
	p->link = up;
	check_touch_node(s, n);
	if (!n->alive)
		return;
	if (n->kind != NODE_KOI) {
		peer_link(s, n, seg, up);
		return;
	}
	/* an interrupt, or what the port thread sees when it looks */
	p->link_tell_at = s->now + (sim_chance(s, 50) ? 1 : sim_draw(s, 200 * BASE_NS_PER_MS));
	box_wake(s, n, p->link_tell_at);
}

static void
request(struct sim *s, struct node *n, enum election_event_type type, uint16_t group)
{
	struct election_event ev = {.type = type, .group = group};

	/* of these only two have a value, and that is on */
	if (type == ELECTION_EV_VIPS || type == ELECTION_EV_SET_ALLOW)
		ev.on = true;
	box_request(s, n, &ev);
}

static void
heal_koi(struct sim *s, struct node *n)
{
	for (uint16_t g = 0; g < s->n_groups; g++) {
		n->koi[g].owned_from = n->koi[g].disowned_from = s->now;
		if (n->key[g] != s->file.key[g] && s->scenario != SCENARIO_STAGE)
			box_rekey(s, n, g, (enum sim_key)s->file.key[g]);
	}
	if (n->ctl_stalled) {
		sim_at(s, HEAP_CTL_RESUME + n->id, BASE_NS_NEVER);
		box_ctl_resume(s, n);
		box_turn(s, n);
	}
	if (n->worker_stalled) {
		sim_at(s, HEAP_WORKER_RESUME + n->id, BASE_NS_NEVER);
		box_worker_resume(s, n);
	}
	if (n->stopping)
		return;
	if (!n->allow) {
		request(s, n, ELECTION_EV_SET_ALLOW, 0);
	}
	if (n->operator_demotion != 0 && sim_chance(s, 70) && n->alive) {
		struct election_event ev = {.type = ELECTION_EV_SET_DEMOTION};

		box_request(s, n, &ev);
	}
	if (n->drained && sim_chance(s, 70) && n->alive) {
		struct election_event ev = {.type = ELECTION_EV_DRAIN};

		box_request(s, n, &ev);
	}
	for (uint16_t g = 0; g < s->n_groups; g++) {
		if (!n->has[g] || (n->reloading && !n->next.has[g]))
			continue;
		if (!n->has_vip[g]) {
			request(s, n, ELECTION_EV_VIPS, g);
		}
		if (!n->admin_up[g] && sim_chance(s, 85)) {
			request(s, n, ELECTION_EV_UP, g);
		}
	}
}

void
plan_heal(struct sim *s)
{
	TRACE(s, NULL, "everything is repaired");
	sim_at(s, HEAP_MEDDLE, BASE_NS_NEVER);
	if (s->scenario == SCENARIO_RELOAD)
		sim_at(s, HEAP_RELOAD, s->now + 1);
	for (uint8_t i = 0; i < s->n_segs; i++) {
		struct segment *seg = &s->seg[i];

		seg->loss_until = seg->dup_until = seg->slow_until = seg->reflect_until = 0;
		memset(seg->cut_until, 0, sizeof(seg->cut_until));
		memset(seg->deaf_until, 0, sizeof(seg->deaf_until));
	}
	for (uint8_t i = 0; i < s->n_nodes && !s->failed; i++) {
		struct node *n = &s->node[i];

		n->vmac_slow_until = 0;
		for (uint8_t p = 0; p < s->n_segs; p++) {
			struct port *port = &n->port[p];

			port->blocked_until = port->full_until = port->txfail_until = 0;
			port->flood_until = 0;
			sim_at(s, HEAP_LINK_UP + i * (unsigned int)SIM_SEGS + p, BASE_NS_NEVER);
			plan_link(s, n, p, true);
			if (port->link_tell_at != BASE_NS_NEVER) {
				port->link_tell_at = s->now;
				box_wake(s, n, s->now);
			}
		}
		if (n->kind == NODE_KOI) {
			heal_koi(s, n);
		} else if (n->alive) {
			peer_suppress(s, n, 0);
			for (uint16_t g = 0; g < s->n_groups; g++)
				if (!n->admin_up[g])
					peer_admin(s, n, g, true);
		}
		if (!n->alive) {
			bool stays = s->scenario != SCENARIO_CALM && sim_chance(s, 15);

			sim_at(s, HEAP_RESTART + i,
				stays ? BASE_NS_NEVER : s->now + sim_draw(s, s->unit));
		}
	}
}
