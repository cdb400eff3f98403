/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The election's actions carried out, as ctl_act.c. */

#include <string.h>

#include "sim.h"

static void
feed_sent(struct sim *s, struct node *n, uint16_t group, bool ok)
{
	struct election_event ev = {.type = ELECTION_EV_SENT, .group = group, .on = ok};

	oracle_sent(s, n, group, ok);
	(void)election_input(n->e, &ev, n->now, &n->out);
}

static void
settle_outcome(struct sim *s, struct node *n, uint16_t group)
{
	struct koi_group *g = &n->koi[group];

	if (!g->outcome_open)
		return;
	g->outcome_open = false;
	feed_sent(s, n, group, !g->outcome_bad);
}

/* A worker's burst on the device. */
void
box_transmit(struct sim *s, struct node *n, uint16_t frame)
{
	struct port *p = &n->port[s->group[s->frame[frame].group].seg];
	struct koi_group *g = &n->koi[s->frame[frame].group];

	if (s->now < p->txfail_until) {
		TRACE(s, n, "advert of group %u not sent", s->frame[frame].group);
		g->outcome_bad = true;
		for (uint8_t to = 0; to < s->n_nodes; to++)
			check_lost(s, s->frame[frame].group, n->id, to);
		net_frame_put(s, frame);
		return;
	}
	net_send(s, n, frame);
}

/* One advert of a family, signed with each identity that is to be. */
struct round {
	uint8_t family, keys;
	uint32_t pair;
};

/* @return false when it was refused at once */
static bool
send_one(struct sim *s, struct node *n, const struct election_action *a, const struct round *r,
	bool other)
{
	struct koi_group *g = &n->koi[a->group];
	struct identity *id = box_identity(s, n, a->group, other);
	struct port *p = &n->port[s->group[a->group].seg];
	uint64_t counter = s->group[a->group].strict
		? auth_counters_next_strict(&id->counters, n->wall + s->now)
		: auth_counters_next(&id->counters, &s->rand);

	auth_replay_sent(&id->replay, counter, n->now);
	uint16_t frame = net_advert(s, a->group, r->family,
		(enum sim_key)(other ? n->other[a->group] : n->key[a->group]), &p->addr[r->family],
		&a->advert.prio, counter);

	if (frame == NONE || s->now < p->full_until) {
		TRACE(s, n, "advert of group %u refused", a->group);
		for (uint8_t to = 0; to < s->n_nodes; to++)
			check_lost(s, a->group, n->id, to);
		if (frame != NONE)
			net_frame_put(s, frame);
		return false;
	}
	s->frame[frame].from = n->id;
	s->frame[frame].life = n->life;
	s->frame[frame].keys = r->keys;
	s->frame[frame].pair = r->pair;
	s->frame[frame].seq = ++g->sh.own_seq;
	if (n->handoff && n->worker_stalled) {
		uint16_t d = net_delivery_new(s, frame, n->id);

		if (d != NONE)
			net_queue_add(s, &p->held, d);
		net_frame_put(s, frame);
	} else {
		box_transmit(s, n, frame);
	}
	return true;
}

/* With which of its identities a group sends an advert as its i-th, as ctl_stage_send(). */
static bool
sends_other(const struct koi_group *g, unsigned int i, bool *other)
{
	enum auth_identity which;
	bool more = auth_stage_send(&g->stage, i, &which);

	*other = more && which != g->stage.running;
	return more;
}

static bool
send_family(struct sim *s, struct node *n, const struct election_action *a, uint8_t family)
{
	const struct koi_group *g = &n->koi[a->group];
	struct round r = {.family = family, .pair = s->next_id % ADVERT_IDS};
	uint8_t last = KEY_NONE;
	bool ok = true, other;

	for (unsigned int i = 0; sends_other(g, i, &other); i++) {
		last = other ? n->other[a->group] : n->key[a->group];
		r.keys |= (uint8_t)(1u << last);
	}
	oracle_sent_keys(s, n, a->group, r.keys, last);
	for (unsigned int i = 0; sends_other(g, i, &other); i++)
		ok = send_one(s, n, a, &r, other) && ok;
	return ok;
}

static void
act_advert(struct sim *s, struct node *n, const struct election_action *a)
{
	struct koi_group *g = &n->koi[a->group];
	bool ok = true;

	settle_outcome(s, n, a->group);
	TRACE(s, n, "group %u advertises %u/%u/%u", a->group, a->advert.prio.advbase,
		a->advert.prio.advskew, a->advert.prio.demotion);
	g->outcome_bad = false;
	for (uint8_t f = 0; f < SIM_FAMILIES; f++)
		if (a->families >> f & 1)
			ok = send_family(s, n, a, f) && ok;
	if (ok)
		g->outcome_open = true;
	else
		feed_sent(s, n, a->group, false);
}

static void
set_listening(struct node *n, uint16_t group)
{
	n->listening[group] = n->state[group] != ELECTION_INIT || n->koi[group].owned;
}

static void
act_own(struct sim *s, struct node *n, uint16_t group, bool owned)
{
	struct koi_group *g = &n->koi[group];
	base_ns_t at = s->now;

	/* the port thread tries again until the device has the address, or has not */
	if (s->now < n->vmac_slow_until)
		at += sim_draw(s, n->vmac_slow_until - s->now + 1);
	g->owned = owned;
	if (owned)
		g->owned_from = at;
	else
		g->disowned_from = at;
	set_listening(n, group);
}

static void
act(struct sim *s, struct node *n, const struct election_action *a)
{
	oracle_action(s, n, a);
	switch (a->type) {
	case ELECTION_ACT_OWN:
		act_own(s, n, a->group, true);
		break;
	case ELECTION_ACT_DISOWN:
		act_own(s, n, a->group, false);
		break;
	case ELECTION_ACT_ADVERT:
		act_advert(s, n, a);
		break;
	case ELECTION_ACT_STATE:
		TRACE(s, n, "group %u: %s -> %s (%s)", a->group, election_state_name(a->state.from),
			election_state_name(a->state.to), election_cause_text(a->state.cause));
		check_state(s, n, a->group, a->state.to);
		set_listening(n, a->group);
		break;
	case ELECTION_ACT_DEMOTION:
		TRACE(s, n, "demotion %s is %u, sum %u",
			election_demotion_source_name(a->demotion.source), a->demotion.amount,
			a->demotion.total);
		s->ledger++;
		check_touch_node(s, n);
		break;
	case ELECTION_ACT_ANNOUNCE:
	case ELECTION_ACT_WARN:
	case ELECTION_ACT_SPLIT:
	case ELECTION_ACT_DECISION:
		break;
	}
}

/* Carrying out one action may append more. */
void
box_act(struct sim *s, struct node *n)
{
	for (uint32_t i = 0; i < n->out.n; i++) {
		struct election_action a = n->out.act[i];

		act(s, n, &a);
	}
	n->out.n = 0;
}

int
box_feed(struct sim *s, struct node *n, const struct election_event *ev)
{
	struct oracle_call call;

	oracle_before(s, n, ev, &call);
	int ret = election_input(n->e, ev, n->now, &n->out);

	box_act(s, n);
	oracle_after(s, n, ev, &call);
	return ret;
}

void
box_tick(struct sim *s, struct node *n)
{
	struct oracle_call call;
	uint32_t cap = n->out.cap;
	bool more;

	do {
		oracle_before(s, n, NULL, &call);
		/* a short list comes in pieces */
		n->out.cap = n->short_list ? ELECTION_ACTIONS_MIN : cap;
		more = election_tick(n->e, n->now, &n->out);
		n->out.cap = cap;
		box_act(s, n);
		oracle_after(s, n, NULL, &call);
	} while (more);
}
