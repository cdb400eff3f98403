/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What goes wrong, and what operators do. */

#include "sim.h"

enum act {
	ACT_LOSS,
	ACT_SLOW,
	ACT_DUP,
	ACT_FAMILY,
	ACT_REFLECT,
	ACT_CUT_ONE_WAY,
	ACT_CUT_NODE,
	ACT_CUT_SPLIT,
	ACT_LINK,
	ACT_BLOCKED,
	ACT_RING_FULL,
	ACT_TX_FAIL,
	ACT_FLOOD,
	ACT_STALL,
	ACT_STALL_CTL,
	ACT_STALL_WORKER,
	ACT_CRASH,
	ACT_STOP,
	ACT_VMAC,
	ACT_OPERATOR,
	ACT_ATTACK,
	ACT_COUNT,
};

/* How often, by scenario. */
static const uint8_t weights[SCENARIO_COUNT][ACT_COUNT] = {
	/* in the order of enum act */
	[SCENARIO_MIX] = {5, 4, 3, 3, 3, 4, 3, 3, 5, 4, 3, 3, 3, 5, 4, 5, 4, 3, 3, 8, 4},
	[SCENARIO_PAIR] = {5, 4, 3, 3, 3, 4, 3, 3, 5, 4, 3, 3, 3, 5, 4, 5, 4, 3, 3, 8, 4},
	[SCENARIO_EQUAL] = {6, 4, 3, 3, 2, 4, 4, 4, 4, 4, 0, 0, 0, 4, 2, 2, 8, 6, 0, 4, 0},
	[SCENARIO_FAST] = {5, 4, 3, 3, 3, 4, 3, 3, 5, 4, 3, 3, 3, 8, 6, 6, 3, 3, 3, 6, 4},
	[SCENARIO_FASTMIX] = {4, 3, 2, 3, 2, 2, 2, 2, 4, 2, 2, 2, 2, 6, 6, 6, 2, 2, 2, 5, 3},
	[SCENARIO_STALL] = {2, 2, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2, 15, 12, 15, 1, 1, 1, 4, 1},
	[SCENARIO_CRASH] = {2, 2, 1, 3, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 20, 15, 4, 3, 1},
	[SCENARIO_FLAP] = {2, 2, 1, 3, 1, 3, 3, 3, 25, 15, 1, 1, 1, 1, 1, 1, 2, 1, 2, 2, 1},
	[SCENARIO_OPERATOR] = {2, 2, 1, 3, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 40, 1},
	[SCENARIO_ATTACK] = {2, 2, 1, 3, 4, 2, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 2, 1, 1, 4, 40},
	[SCENARIO_PEERS] = {5, 4, 3, 3, 1, 4, 3, 3, 5, 4, 2, 2, 2, 3, 3, 3, 5, 3, 1, 8, 4},
	[SCENARIO_RELOAD] = {4, 3, 2, 3, 1, 3, 2, 2, 5, 3, 2, 2, 1, 4, 3, 4, 5, 4, 2, 5, 2},
	[SCENARIO_STAGE] = {6, 3, 2, 2, 1, 4, 4, 4, 3, 3, 1, 1, 1, 3, 2, 2, 3, 2, 1, 8, 2},
	[SCENARIO_CALM] = {1},
};

static base_ns_t
duration(struct sim *s)
{
	static const uint8_t units[] = {1, 1, 4, 4, 10};

	if (sim_chance(s, 25)) /* within an interval */
		return sim_draw(s, s->unit / 8) + 1;
	return sim_draw(s, units[sim_draw(s, sizeof(units))] * s->unit) + 1;
}

/* Stalls of the lengths at which something changes. */
static base_ns_t
stall_length(struct sim *s)
{
	switch (sim_draw(s, 4)) {
	case 0:
		return sim_draw(s, 20 * BASE_NS_PER_MS) + 1;
	case 1:
		return 3 * s->unit - s->unit / 10 + sim_draw(s, s->unit / 5) + 1;
	default:
		return duration(s);
	}
}

static struct node *
some_node(struct sim *s)
{
	return &s->node[sim_draw(s, s->n_nodes)];
}

uint8_t
plan_skew(struct sim *s, const struct node *n, uint16_t g)
{
	const struct group *group = &s->group[g];
	unsigned int spread = group->fast_min > 1 ? group->fast_min : 2;

	if (group->advbase == 0)
		return (uint8_t)(group->fast_min + sim_draw(s, spread));
	if (s->mixed) /* apart from the others', or ucarp and the BSDs never settle */
		return (uint8_t)(n->skew[g] / 20 * 20 + sim_draw(s, 10));
	return (uint8_t)sim_draw(s, s->scenario == SCENARIO_RELOAD ? RELOAD_SKEWS : 255);
}

static void
operate_peer(struct sim *s, struct node *n, uint16_t g)
{
	if (!n->alive)
		return;
	if (sim_chance(s, 50))
		peer_admin(s, n, g, !n->admin_up[g]);
	else
		peer_suppress(s, n, (uint32_t)sim_draw(s, 3) * (n->kind == NODE_FREEBSD ? 240 : 1));
}

static void
operate(struct sim *s, struct node *n)
{
	uint16_t g = (uint16_t)sim_draw(s, s->n_groups);
	struct election_event ev = {.group = g};

	s->stats->operator_acts++;
	if (n->kind != NODE_KOI) {
		operate_peer(s, n, g);
		return;
	}
	if (!n->alive || n->ctl_stalled || n->stopping || n->reloading || !n->has[g])
		return;
	switch (sim_draw(s, 13)) {
	case 12:
		ev.type = ELECTION_EV_DRAIN;
		ev.on = !n->drained;
		break;
	case 0:
	case 1:
		ev.type = n->admin_up[g] ? ELECTION_EV_DOWN : ELECTION_EV_UP;
		break;
	case 2:
		ev.type = ELECTION_EV_FORCE_BACKUP;
		break;
	case 3:
		ev.type = ELECTION_EV_FORCE_MASTER;
		break;
	case 4:
	case 5:
		ev.type = ELECTION_EV_SET_TIMING;
		ev.timing.advbase = n->advbase[g];
		ev.timing.advskew = plan_skew(s, n, g);
		break;
	case 6:
	case 7:
		ev.type = ELECTION_EV_SET_DEMOTION;
		ev.amount = (uint8_t)sim_draw(s, 3);
		break;
	case 8:
		ev.type = ELECTION_EV_SET_PREEMPT;
		ev.on = !n->preempt;
		break;
	case 9:
		ev.type = ELECTION_EV_SET_ALLOW;
		ev.on = !n->allow;
		break;
	case 10:
		ev.type = ELECTION_EV_VIPS;
		ev.on = sim_chance(s, 70);
		break;
	default: /* a new password, the others' still the old one */
		if (s->scenario == SCENARIO_STAGE)
			return;
		box_rekey(s, n, g, n->key[g] == KEY_RIGHT ? KEY_OTHER : KEY_RIGHT);
		check_touch_node(s, n);
		return;
	}
	TRACE(s, n, "operator: event %u, group %u", (unsigned int)ev.type, g);
	box_request(s, n, &ev);
}

static void
stop(struct sim *s, struct node *n)
{
	struct election_event ev = {.type = ELECTION_EV_SHUTDOWN};

	if (n->kind != NODE_KOI || !n->alive || n->ctl_stalled || n->stopping)
		return;
	TRACE(s, n, "SIGTERM");
	s->stats->crashes++;
	box_request(s, n, &ev);
}

static void
crash(struct sim *s, struct node *n, base_ns_t until)
{
	if (!n->alive)
		return;
	s->stats->crashes++;
	if (n->kind == NODE_KOI)
		box_crash(s, n);
	else
		peer_crash(s, n);
	n->stopping = false;
	sim_at(s, HEAP_RESTART + n->id, until);
}

static void
cut(struct sim *s, uint8_t seg, uint8_t from, uint8_t to, base_ns_t until)
{
	if (from != to)
		s->seg[seg].cut_until[from][to] = until;
}

static void
partition(struct sim *s, enum act act, uint8_t seg, base_ns_t until)
{
	uint8_t a = (uint8_t)sim_draw(s, s->n_nodes), b = (uint8_t)sim_draw(s, s->n_nodes);
	uint64_t sides = sim_draw(s, UINT64_C(1) << s->n_nodes);

	s->stats->partitions++;
	TRACE(s, NULL, "segment %u is cut", seg);
	if (act == ACT_CUT_ONE_WAY) {
		cut(s, seg, a, b, until);
		return;
	}
	for (uint8_t i = 0; i < s->n_nodes; i++)
		for (uint8_t j = 0; j < s->n_nodes; j++)
			if (act == ACT_CUT_NODE ? (i == a) != (j == a)
						: (sides >> i & 1) != (sides >> j & 1))
				cut(s, seg, i, j, until);
}

static void
wire_fault(struct sim *s, enum act act, uint8_t seg_id, base_ns_t until)
{
	struct segment *seg = &s->seg[seg_id];

	TRACE(s, NULL, "segment %u: wire fault %u", seg_id, (unsigned int)act);
	if (act == ACT_LOSS) {
		seg->loss_percent = (uint8_t)(5 + sim_draw(s, 90));
		seg->loss_until = until;
	} else if (act == ACT_SLOW) {
		seg->slow_max = seg->delay_max + duration(s);
		seg->slow_until = until;
	} else if (act == ACT_DUP) {
		seg->dup_percent = (uint8_t)(10 + sim_draw(s, 90));
		seg->dup_until = until;
	} else if (act == ACT_FAMILY) {
		seg->deaf_until[sim_draw(s, SIM_FAMILIES)] = until;
	} else {
		seg->reflect_until = until;
	}
}

static void
port_fault(struct sim *s, enum act act, struct node *n, uint8_t seg, base_ns_t until)
{
	struct port *p = &n->port[seg];

	TRACE(s, n, "segment %u: port fault %u", seg, (unsigned int)act);
	if (act == ACT_LINK) {
		s->stats->link_flaps++;
		plan_link(s, n, seg, false);
		sim_at(s, HEAP_LINK_UP + n->id * (unsigned int)SIM_SEGS + seg, until);
	} else if (act == ACT_BLOCKED) {
		p->blocked_until = until;
	} else if (act == ACT_RING_FULL) {
		p->full_until = until;
	} else if (act == ACT_TX_FAIL) {
		p->txfail_until = until;
	} else {
		p->flood_until = until;
	}
}

static void
node_fault(struct sim *s, enum act act, struct node *n)
{
	if (n->kind != NODE_KOI || !n->alive)
		return;
	if (act == ACT_VMAC) {
		n->vmac_slow_until = s->now + duration(s);
		return;
	}
	base_ns_t length = stall_length(s);

	TRACE(s, n, "stalls (%s) for %.3f ms",
		act == ACT_STALL	       ? "all of it"
			: act == ACT_STALL_CTL ? "control"
					       : "workers",
		(double)length / 1e6);
	box_stall(s, n, act != ACT_STALL_WORKER, act != ACT_STALL_CTL, s->now + length);
}

static enum act
draw_act(struct sim *s)
{
	const uint8_t *w = weights[s->scenario];
	unsigned int sum = 0, at;

	for (unsigned int i = 0; i < ACT_COUNT; i++)
		sum += w[i];
	at = (unsigned int)sim_draw(s, sum);
	for (unsigned int i = 0; i < ACT_COUNT; i++) {
		if (at < w[i])
			return (enum act)i;
		at -= w[i];
	}
	return ACT_LOSS;
}

void
plan_meddle(struct sim *s)
{
	enum act act = s->friendly ? ACT_OPERATOR : draw_act(s);
	struct node *n = some_node(s);
	uint8_t seg = (uint8_t)sim_draw(s, s->n_segs);

	sim_at(s, HEAP_MEDDLE, s->now + 1 + sim_draw(s, 2 * s->meddle_mean));
	switch (act) {
	case ACT_LOSS:
	case ACT_SLOW:
	case ACT_DUP:
	case ACT_FAMILY:
	case ACT_REFLECT:
		wire_fault(s, act, seg, s->now + duration(s));
		break;
	case ACT_CUT_ONE_WAY:
	case ACT_CUT_NODE:
	case ACT_CUT_SPLIT:
		partition(s, act, seg, s->now + duration(s));
		break;
	case ACT_LINK:
	case ACT_BLOCKED:
	case ACT_RING_FULL:
	case ACT_TX_FAIL:
	case ACT_FLOOD:
		port_fault(s, act, n, seg, s->now + duration(s));
		break;
	case ACT_STALL:
	case ACT_STALL_CTL:
	case ACT_STALL_WORKER:
	case ACT_VMAC:
		node_fault(s, act, n);
		break;
	case ACT_CRASH:
		crash(s, n, s->now + duration(s));
		break;
	case ACT_STOP:
		stop(s, n);
		break;
	case ACT_OPERATOR:
		operate(s, n);
		break;
	case ACT_ATTACK:
		attack_meddle(s);
		break;
	case ACT_COUNT:
		break;
	}
}

/* @name One event on a network where nothing else happens. @{ */

static struct node *
master_of(struct sim *s, uint16_t g)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		if (s->node[i].alive && s->node[i].state[g] == ELECTION_MASTER)
			return &s->node[i];
	return NULL;
}

static struct node *
idle_box(struct sim *s)
{
	uint8_t from = (uint8_t)sim_draw(s, s->n_nodes);

	for (uint8_t i = 0; i < s->n_nodes; i++) {
		struct node *n = &s->node[(from + i) % s->n_nodes];
		bool idle = n->alive && n->kind == NODE_KOI;

		for (uint16_t g = 0; g < s->n_groups; g++)
			idle = idle && n->state[g] == ELECTION_BACKUP;
		if (idle)
			return n;
	}
	return NULL;
}

void
plan_probe(struct sim *s)
{
	uint16_t g = (uint16_t)sim_draw(s, s->n_groups);
	struct node *m = master_of(s, g), *idle = idle_box(s);
	struct election_event ev = {.group = g};

	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct node *was = master_of(s, i);

		s->group[i].master_was = was != NULL ? was->id : SIM_NODES;
	}
	s->returning = NULL;
	s->ledger_was = s->ledger;
	if (idle != NULL && sim_chance(s, 50)) {
		s->returning = idle;
		crash(s, idle, s->now + 1 + sim_draw(s, 2 * s->unit));
		return;
	}
	if (m == NULL)
		return;
	switch (sim_draw(s, 6)) {
	case 4:
		ev.type = ELECTION_EV_DRAIN;
		ev.on = true;
		break;
	case 0:
		crash(s, m, BASE_NS_NEVER);
		return;
	case 1:
		stop(s, m);
		return;
	case 2:
		plan_link(s, m, s->group[g].seg, false);
		return;
	case 3:
		ev.type = ELECTION_EV_FORCE_BACKUP;
		break;
	default:
		ev.type = ELECTION_EV_SET_DEMOTION;
		ev.amount = 1;
	}
	if (m->kind == NODE_KOI && !m->stopping)
		box_request(s, m, &ev);
}

void
plan_probe_end(struct sim *s)
{
	struct node *n = s->returning;

	if (n == NULL || s->failed)
		return;
	for (uint16_t g = 0; g < s->n_groups; g++) {
		uint8_t was = s->group[g].master_was;
		struct node *m = master_of(s, g);
		struct election_priority own = check_priority(s, n, g), theirs;

		if (was == SIM_NODES || m == NULL || m->id == was || n->preempt ||
			n->start_as_master)
			continue;
		/* somebody else may preempt once it is no longer demoted */
		if (m != n && s->ledger != s->ledger_was)
			continue;
		theirs = check_priority(s, &s->node[was], g);
		if (theirs.demotion <= own.demotion)
			sim_fail(s, CHECK_NO_DISTURB,
				"box %u returned without preempt, and group %u went from box %u to "
				"box %u",
				n->id, g, was, m->id);
	}
}
/* @} */
