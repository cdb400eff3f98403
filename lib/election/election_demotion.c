/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The demotion ledger: named sources, one sum for the box (note 5.4). */

#include "election_priv.h"

static bool
counts(const struct iface *i)
{
	return i->n > 0 || i->track;
}

/*
 * An entry came, changed or went: count, report, and let every MASTER say so at once. The sum is
 * kept, not recounted: a thousand groups may fail to send in one turn.
 */
static void
ledger_change(struct election *e, enum election_demotion_source source, uint16_t if_id,
	uint16_t group, uint8_t was, uint8_t amount, base_ns_t now, struct election_actions *out)
{
	uint32_t before = e->demotion;

	e->demotion = before - was + amount;
	struct election_action *a = action_add(out, ELECTION_ACT_DEMOTION, group);

	a->demotion.source = source;
	a->demotion.if_id = if_id;
	a->demotion.amount = amount;
	a->demotion.total = e->demotion;
	if ((before == 0) == (e->demotion == 0))
		return;
	e->health_since = now;
	/* The adverts themselves come from the tick of this turn. */
	for (uint16_t i = 0; i < e->group_count; i++)
		if (e->groups[i].state == ELECTION_MASTER)
			timer_set(e, &e->groups[i], TIMER_ADVERT, now);
}

/* While it holds after link up it is not known to work. */
static bool
link_counts_down(const struct iface *i)
{
	return counts(i) && (!i->link_up || i->hold_until != BASE_NS_NEVER);
}

void
demotion_link(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out)
{
	struct iface *i = &e->ifs[if_id];
	bool want = link_counts_down(i);

	if (want == i->link_entry)
		return;
	i->link_entry = want;
	i->link_since = now;
	ledger_change(e, ELECTION_DEMOTION_LINK, if_id, ELECTION_NONE, !want, want, now, out);
}

static base_ns_t
last_alive(const struct iface *i)
{
	return i->horizon > i->alive ? i->horizon : i->alive;
}

/*
 * After how long without a finished turn. Not at once for a fast group: a peer that takes over and
 * gives back costs more than a pause shorter than a hand-over may take.
 */
static base_ns_t
stall_time(const struct iface *i)
{
	return i->min_down > HANDOVER_NS ? i->min_down : HANDOVER_NS;
}

/* A worker's horizon is 0 until its first turn. */
static base_ns_t
stall_from(const struct election *e, const struct iface *i)
{
	base_ns_t alive = last_alive(i);

	return alive > e->born ? alive : e->born;
}

base_ns_t
demotion_stall_at(const struct election *e, const struct iface *i)
{
	if (i->n == 0 || i->stall_entry || i->horizon == BASE_NS_NEVER)
		return BASE_NS_NEVER;
	return base_ns_add(stall_from(e, i), stall_time(i) + 1);
}

/*
 * Where all of the process stood still, a worker may be later to go on than we are, and it still
 * has to end the turn that it was in: what it did not do in our absence is no sign of a stall.
 */
void
demotion_absent(struct election *e, base_ns_t gap, base_ns_t now)
{
	for (uint16_t n = 0; n < e->if_count; n++) {
		struct iface *i = &e->ifs[n];

		if (i->horizon == BASE_NS_NEVER || i->stall_entry)
			continue;
		base_ns_t alive = base_ns_add(stall_from(e, i), gap);

		i->alive = alive < now ? alive : now;
	}
}

void
demotion_stall(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out)
{
	struct iface *i = &e->ifs[if_id];
	bool want = i->stall_entry ? base_ns_since(now, last_alive(i)) > stall_time(i)
				   : now >= demotion_stall_at(e, i);

	if (want == i->stall_entry)
		return;
	i->stall_entry = want;
	i->stall_since = now;
	ledger_change(
		e, ELECTION_DEMOTION_WORKER_STALLED, if_id, ELECTION_NONE, !want, want, now, out);
}

void
demotion_operator(struct election *e, uint8_t amount, base_ns_t now, struct election_actions *out)
{
	if (amount == e->operator_amount)
		return;
	uint8_t was = e->operator_amount;

	e->operator_amount = amount;
	e->operator_since = now;
	ledger_change(
		e, ELECTION_DEMOTION_OPERATOR, ELECTION_NONE, ELECTION_NONE, was, amount, now, out);
}

void
demotion_drain(struct election *e, bool on, base_ns_t now, struct election_actions *out)
{
	if (on == e->drained)
		return;
	e->drained = on;
	e->drained_since = now;
	ledger_change(e, ELECTION_DEMOTION_DRAIN, ELECTION_NONE, ELECTION_NONE,
		on ? 0 : ELECTION_DRAIN_DEMOTION, on ? ELECTION_DRAIN_DEMOTION : 0, now, out);
}

void
demotion_send_error(struct election *e, struct group *g, bool active, base_ns_t now,
	struct election_actions *out)
{
	if (active == g->send_error)
		return;
	g->send_error = active;
	g->send_error_since = now;
	if (!active)
		timer_set(e, g, TIMER_SEND_ERROR, BASE_NS_NEVER);
	ledger_change(e, ELECTION_DEMOTION_SEND_ERROR, ELECTION_NONE, group_id(e, g), !active,
		active, now, out);
}

void
demotion_init(struct election *e, base_ns_t now)
{
	for (uint16_t i = 0; i < e->if_count; i++) {
		e->ifs[i].link_entry = link_counts_down(&e->ifs[i]);
		e->ifs[i].link_since = now;
		e->demotion += e->ifs[i].link_entry;
	}
	e->demotion += e->drained ? ELECTION_DRAIN_DEMOTION : 0;
}

static bool
nth(uint32_t *i)
{
	return (*i)-- == 0;
}

bool
election_demotion_entry(const struct election *e, uint32_t i, struct election_demotion_entry *out)
{
	*out = (struct election_demotion_entry){
		.if_id = ELECTION_NONE,
		.group = ELECTION_NONE,
		.amount = 1,
		.expires = BASE_NS_NEVER,
	};
	for (uint16_t n = 0; n < e->if_count; n++) {
		const struct iface *f = &e->ifs[n];

		out->if_id = n;
		if (f->link_entry && nth(&i)) {
			out->source = ELECTION_DEMOTION_LINK;
			out->since = f->link_since;
			out->expires = f->hold_until;
			return true;
		}
		if (f->stall_entry && nth(&i)) {
			out->source = ELECTION_DEMOTION_WORKER_STALLED;
			out->since = f->stall_since;
			return true;
		}
	}
	out->if_id = ELECTION_NONE;
	if (e->operator_amount > 0 && nth(&i)) {
		out->source = ELECTION_DEMOTION_OPERATOR;
		out->amount = e->operator_amount;
		out->since = e->operator_since;
		return true;
	}
	if (e->drained && nth(&i)) {
		out->source = ELECTION_DEMOTION_DRAIN;
		out->amount = ELECTION_DRAIN_DEMOTION;
		out->since = e->drained_since;
		return true;
	}
	for (uint16_t n = 0; n < e->group_count; n++) {
		const struct group *g = &e->groups[n];

		if (g->send_error && nth(&i)) {
			out->source = ELECTION_DEMOTION_SEND_ERROR;
			out->group = n;
			out->since = g->send_error_since;
			out->expires = timer_get(e, g, TIMER_SEND_ERROR);
			return true;
		}
	}
	return false;
}

uint32_t
election_demotion_total(const struct election *e)
{
	return e->demotion;
}
