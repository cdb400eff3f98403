/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * A koi box: the election and what lib/ctl does around it, in the same order. What of lib/ctl is
 * free of DPDK is linked (ctl_advert); the rest is modelled here: rings, horizons, outcomes of
 * sending that arrive one advert later, ownership.
 */

#include <string.h>

#include "sim.h"

/* Between turns of a lcore that nothing wakes. */
#define IDLE_NS	     (500 * BASE_NS_PER_US)
#define IDLE_FAST_NS (50 * BASE_NS_PER_US)
/* How soon a box looks again that waits for something without a deadline. */
#define LOOK_AGAIN_NS	   (20 * BASE_NS_PER_MS)
#define LOOK_AGAIN_FAST_NS BASE_NS_PER_MS

bool
box_running(const struct node *n)
{
	return n->alive && !n->ctl_stalled && !n->worker_stalled;
}

void
box_wake(struct sim *s, struct node *n, base_ns_t t)
{
	if (n->alive && !n->ctl_stalled && t < base_heap_get(&s->heap, HEAP_TURN + n->id))
		sim_at(s, HEAP_TURN + n->id, t);
}

base_ns_t
box_soon(struct sim *s)
{
	return s->now + sim_draw(s, s->latency);
}

void
box_group_begin(struct sim *s, struct node *n, uint16_t group)
{
	struct koi_group *g = &n->koi[group];

	g->n_known = 0;
	g->outcome_open = false;
	g->owned = false;
	g->heard_at = 0;
	g->stage = (struct auth_stage){0};
	g->readdress_at = BASE_NS_NEVER;
	n->listening[group] = false;
	n->other[group] = KEY_NONE;
	box_identity_begin(s, n, group, false);
	box_identity_use(s, n, group);
}

struct identity *
box_identity(struct sim *s, const struct node *n, uint16_t group, bool other)
{
	return &s->identity[n->id][group][n->koi[group].runs ^ (uint8_t)other];
}

void
box_identity_begin(struct sim *s, struct node *n, uint16_t group, bool other)
{
	struct identity *id = box_identity(s, n, group, other);
	uint8_t key = other ? n->other[group] : n->key[group];

	id->counters = (struct auth_counters){0};
	auth_replay_init(&id->replay, s->group[group].strict,
		election_master_down(n->advbase[group], n->skew[group]));
	n->koi[group].sh.key[key] = (struct shadow_key){.begun = sim_local(n, s->now)};
}

void
box_identity_use(struct sim *s, struct node *n, uint16_t group)
{
	bool staged = n->other[group] != KEY_NONE;

	n->auth[group] = s->group[group].auth[n->key[group]];
	n->counters[group] = &box_identity(s, n, group, false)->counters;
	n->other_auth[group] = staged ? s->group[group].auth[n->other[group]] : NULL;
	n->other_counters[group] = &box_identity(s, n, group, true)->counters;
}

bool
box_hears(const struct node *n, const struct node *from, uint16_t group)
{
	return box_accepts(n, group, from->key[group]) ||
		(from->koi[group].stage.phase == AUTH_STAGE_STAGED &&
			box_accepts(n, group, from->other[group]));
}

struct election_group_config
box_group_config(const struct sim *s, const struct node *n, uint16_t group)
{
	return (struct election_group_config){
		.if_id = s->group[group].seg,
		.advbase = n->advbase[group],
		.advskew = n->skew[group],
		.has_vip = n->has_vip[group],
		.admin_up = n->admin_up[group],
		.families = s->group[group].families,
		.family_timers = n->timers[group],
		.preempt_delay_ns = n->preempt_delay,
	};
}

/* As ctl_create(): the election of a box that starts. */
void
box_start(struct sim *s, struct node *n)
{
	struct election_if_config ifs[SIM_SEGS];
	struct election_group_config groups[SIM_GROUPS];
	struct election_config config = {
		.if_count = s->n_segs,
		.group_count = s->n_groups,
		.ifs = ifs,
		.groups = groups,
		.preempt = n->preempt,
		.allow = n->allow,
		.seed = base_rand_next(&s->rand),
		.startup_hold_ns = n->startup_hold,
		.announce_refresh_ns = n->refresh,
	};

	n->alive = true;
	n->life++;
	n->stopping = n->ctl_stalled = n->worker_stalled = false;
	n->now = n->started = sim_local(n, s->now);
	n->stall_began = 0;
	n->operator_demotion = 0;
	n->drained = false;
	n->out.n = 0;
	for (uint16_t i = 0; i < s->n_segs; i++) {
		struct port *p = &n->port[i];

		p->link_told = p->link;
		p->link_tell_at = BASE_NS_NEVER;
		p->horizon = BASE_NS_NEVER;
		p->frame_seen = false;
		p->frame_told = p->hold_ended = 0;
		p->hold_until =
			p->link && n->linkup_hold > 0 ? n->now + n->linkup_hold : BASE_NS_NEVER;
		ifs[i] = (struct election_if_config){
			.link_up = p->link, .linkup_hold_ns = n->linkup_hold};
	}
	for (uint16_t i = 0; i < s->n_groups; i++) {
		groups[i] = box_group_config(s, n, i);
		groups[i].start_as_master = n->start_as_master;
		groups[i].admin_up = groups[i].admin_up && n->has[i];
		box_group_begin(s, n, i);
		n->koi[i].owned_from = n->koi[i].disowned_from = 0;
	}
	(void)election_init(n->e, &config, n->now);
	for (uint16_t i = 0; i < s->n_groups; i++)
		if (!n->has[i])
			(void)election_group_remove(n->e, i, n->now, &n->out);
	n->out.n = 0;
	oracle_start(s, n);
	check_touch_node(s, n);
	TRACE(s, n, "starts, preempt %d", n->preempt);
	box_wake(s, n, box_soon(s));
}

void
box_crash(struct sim *s, struct node *n)
{
	TRACE(s, n, "stops");
	check_touch_node(s, n);
	n->alive = false;
	reload_crashed(n);
	stage_crashed(s, n);
	for (uint16_t i = 0; i < s->n_groups; i++) {
		net_queue_clear(s, &n->koi[i].ring[0]);
		net_queue_clear(s, &n->koi[i].ring[1]);
		n->koi[i].owned = false;
		n->koi[i].sh.send_error = false;
		check_state(s, n, i, ELECTION_INIT);
	}
	for (uint16_t i = 0; i < s->n_segs; i++) {
		net_queue_clear(s, &n->port[i].nic);
		net_queue_clear(s, &n->port[i].held);
	}
	n->ctl_stalled = n->worker_stalled = false;
	sim_at(s, HEAP_TURN + n->id, BASE_NS_NEVER);
	sim_at(s, HEAP_CTL_RESUME + n->id, BASE_NS_NEVER);
	sim_at(s, HEAP_WORKER_RESUME + n->id, BASE_NS_NEVER);
}

/* What was heard under the old key cannot come back under the new one. */
void
box_rekey(struct sim *s, struct node *n, uint16_t group, enum sim_key key)
{
	n->key[group] = (uint8_t)key;
	box_identity_begin(s, n, group, false);
	box_identity_use(s, n, group);
}

/* When the box would look again if it turned as often as it does. */
static void
sleep_until_due(struct sim *s, struct node *n)
{
	base_ns_t due = election_deadline(n->e);
	base_ns_t look = s->quick ? LOOK_AGAIN_FAST_NS : LOOK_AGAIN_NS;

	if (due > n->now) {
		if (due != BASE_NS_NEVER)
			box_wake(s, n, sim_global(n, due) + sim_draw(s, s->latency / 4));
	} else {
		/* something waits for a horizon and hides the other deadlines */
		struct election_group_info info;

		due = n->now + look;
		for (uint16_t i = 0; i < s->n_groups; i++) {
			(void)election_group_info(n->e, i, n->now, &info);
			if (info.advert_deadline < due)
				due = info.advert_deadline;
			if (info.master_down_deadline > n->now && info.master_down_deadline < due)
				due = info.master_down_deadline;
		}
		if (!n->worker_stalled)
			due = n->now + s->latency;
		box_wake(s, n, sim_global(n, due > n->now ? due : n->now + s->latency));
	}
	if (election_handing_over(n->e) || n->reloading)
		box_wake(s, n,
			s->now + (s->quick ? 2 * s->latency : s->latency + 2 * BASE_NS_PER_MS));
}

/* What outlives a restart, and what the checker must know: as configured from now on. */
static void
configure(struct sim *s, struct node *n, const struct election_event *ev)
{
	switch ((unsigned int)ev->type) {
	case ELECTION_EV_UP:
	case ELECTION_EV_DOWN:
		n->admin_up[ev->group] = ev->type == ELECTION_EV_UP;
		break;
	case ELECTION_EV_SET_TIMING:
		n->skew_was = n->skew[ev->group];
		n->skew[ev->group] = ev->timing.advskew;
		for (unsigned int i = 0; i < AUTH_IDENTITIES; i++)
			auth_replay_set_timing(&box_identity(s, n, ev->group, i != 0)->replay,
				election_master_down(ev->timing.advbase, ev->timing.advskew));
		break;
	case ELECTION_EV_VIPS:
		n->has_vip[ev->group] = ev->on;
		break;
	case ELECTION_EV_SET_PREEMPT:
		n->preempt = ev->on;
		break;
	case ELECTION_EV_SET_ALLOW:
		n->allow = ev->on;
		break;
	case ELECTION_EV_SET_DEMOTION:
		n->operator_demotion = ev->amount;
		break;
	case ELECTION_EV_DRAIN:
		n->drained = ev->on;
		break;
	case ELECTION_EV_SHUTDOWN:
		n->stopping = true;
		break;
	default: /* what the network and the box itself tell */
		break;
	}
}

/* The order of ctl_turn(). */
static void
turn(struct sim *s, struct node *n, const struct election_event *request)
{
	if (!n->alive || n->ctl_stalled)
		return;
	n->now = sim_local(n, s->now);
	stage_tick(s, n);
	/* It turned all the time, as far as the election can tell, but for a stall. */
	if (n->stall_began != 0) {
		struct election_event ev = {
			.type = ELECTION_EV_STALL,
			.gap = n->now - n->stall_began +
				sim_draw(s, s->quick ? IDLE_FAST_NS : IDLE_NS),
		};

		n->stall_began = 0;
		if (ev.gap > ELECTION_STALL_MIN_NS) {
			TRACE(s, n, "was stalled for %.3f ms", (double)ev.gap / 1e6);
			(void)box_feed(s, n, &ev);
		}
	}
	for (uint16_t i = 0; i < s->n_segs; i++) {
		struct port *p = &n->port[i];
		struct election_event ev = {.type = ELECTION_EV_LINK, .if_id = i, .on = p->link};

		if (s->now < p->link_tell_at)
			continue;
		p->link_tell_at = BASE_NS_NEVER;
		if (p->link_told != p->link)
			p->hold_until = p->link && n->linkup_hold > 0 ? n->now + n->linkup_hold
								      : BASE_NS_NEVER;
		p->link_told = p->link;
		check_touch_node(s, n);
		(void)box_feed(s, n, &ev);
	}
	box_hear(s, n);
	box_tell_frames(s, n);
	if (request != NULL) {
		configure(s, n, request);
		(void)box_feed(s, n, request);
	}
	reload_tick(s, n);
	box_tick(s, n);
	stage_tick(s, n);
	oracle_turn_end(s, n);
	if (n->stopping && !election_handing_over(n->e))
		plan_stopped(s, n);
	else
		sleep_until_due(s, n);
}

void
box_turn(struct sim *s, struct node *n)
{
	turn(s, n, NULL);
}

void
box_request(struct sim *s, struct node *n, const struct election_event *ev)
{
	check_touch_node(s, n);
	if (n->alive)
		turn(s, n, ev);
	else
		configure(s, n, ev);
}

void
box_stall(struct sim *s, struct node *n, bool ctl, bool worker, base_ns_t until)
{
	check_touch_node(s, n);
	if (ctl && !n->ctl_stalled) {
		n->ctl_stalled = true;
		n->ctl_stall_from = s->now;
		sim_at(s, HEAP_TURN + n->id, BASE_NS_NEVER);
	}
	if (worker && !n->worker_stalled) {
		n->worker_stalled = true;
		n->worker_stall_from = s->now;
	}
	if (ctl)
		sim_at(s, HEAP_CTL_RESUME + n->id, until);
	if (worker) /* after a stall of both, either may run first */
		sim_at(s, HEAP_WORKER_RESUME + n->id,
			until + (ctl && sim_chance(s, 50) ? sim_draw(s, 20 * s->latency) : 0));
	s->stats->stalls++;
}

void
box_ctl_resume(struct sim *s, struct node *n)
{
	n->ctl_stalled = false;
	n->stall_began = sim_local(n, n->ctl_stall_from);
	check_touch_node(s, n);
	TRACE(s, n, "control runs again");
	box_wake(s, n, s->now);
}

void
box_worker_resume(struct sim *s, struct node *n)
{
	n->worker_stalled = false;
	check_touch_node(s, n);
	TRACE(s, n, "workers run again");
	for (uint16_t i = 0; i < s->n_segs; i++) {
		uint16_t d;

		while ((d = net_queue_take(s, &n->port[i].held)) != NONE) {
			s->frame[s->delivery[d].frame].refs++;
			box_transmit(s, n, s->delivery[d].frame);
			net_delivery_free(s, d);
		}
		while ((d = net_queue_take(s, &n->port[i].nic)) != NONE)
			box_to_ring(s, n, d);
	}
	box_wake(s, n, box_soon(s));
}
