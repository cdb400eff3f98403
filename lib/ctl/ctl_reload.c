/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Another configuration while koi runs: made ready by who asks, applied in one turn. Of each key
 * the file's old and new values are compared, not the value in use: what an operator set meanwhile
 * stays until the file says something else than it did.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl_priv.h"

/* Of who asks, before and after; the control lcore takes what is in it and leaves what it had. */
struct ctl_reload {
	const struct conf *conf;
	struct ctl_hop *hops; /* routers of its routes */
	uint32_t n_hops;
};

struct election_group_config
ctl_group_config(const struct ctl *c, uint16_t group)
{
	const struct ctl_group *g = &c->groups[group];
	const struct conf_group *conf = g->conf;

	return (struct election_group_config){
		.if_id = conf->if_index,
		.advbase = g->advbase,
		.advskew = g->advskew,
		.has_vip = g->families != 0,
		.families = g->families,
		.family_timers = conf->family_timers == CONF_FAMILY_TIMERS_ANY
			? ELECTION_FAMILY_TIMERS_ANY
			: ELECTION_FAMILY_TIMERS_ALL,
		.preempt_delay_ns = c->conf->preempt_delay_ms * BASE_NS_PER_MS,
		.admin_up = conf->state != CONF_STATE_INIT,
		.start_as_master = conf->state == CONF_STATE_MASTER,
	};
}

void
ctl_find_fast(struct ctl *c)
{
	c->fast = false;
	for (uint16_t i = 0; i < c->n_groups; i++)
		c->fast = c->fast || (!c->groups[i].conf->unused && c->groups[i].advbase == 0);
}

void
ctl_set_timing(struct ctl_group *g, uint8_t advbase, uint8_t advskew)
{
	g->advbase = advbase;
	g->advskew = advskew;
	auth_replay_set_timing(&g->id->replay, election_master_down(advbase, advskew));
	if (g->other != NULL)
		auth_replay_set_timing(&g->other->replay, election_master_down(advbase, advskew));
}

struct ctl_reload *
ctl_reload_prepare(struct ctl *c, const struct conf *next)
{
	struct ctl_reload *r = calloc(1, sizeof(*r));

	(void)c;
	if (r == NULL)
		return NULL;
	r->conf = next;
	if (ctl_hops_make(next, &r->hops, &r->n_hops) != 0) {
		ctl_reload_free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

void
ctl_reload_free(struct ctl_reload *r)
{
	if (r == NULL)
		return;
	free(r->hops);
	free(r);
}

static void
apply_switch(struct ctl *c, enum election_event_type type, bool was, bool wanted)
{
	struct election_event ev = {.type = type, .on = wanted};

	if (was != wanted)
		(void)ctl_feed(c, &ev);
}

static void
apply_box(struct ctl *c, const struct conf *was)
{
	const struct conf *now = c->conf;

	if (now->log != was->log)
		c->log = now->log;
	if (now->arpbalance != was->arpbalance)
		c->arpbalance = now->arpbalance;
	(void)election_refresh_set(c->election, now->announce_refresh_s * BASE_NS_PER_S, c->now);
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		(void)election_if_set(c->election, i, now->ifs[i].track,
			now->ifs[i].linkup_hold_ms * BASE_NS_PER_MS, c->now, &c->out);
		ctl_carry_out(c);
	}
	apply_switch(c, ELECTION_EV_SET_PREEMPT, was->preempt, now->preempt);
	apply_switch(c, ELECTION_EV_SET_ALLOW, was->allow, now->allow);
}

static void
apply_group(struct ctl *c, uint16_t i, const struct conf_group *was)
{
	struct ctl_group *g = &c->groups[i];
	const struct conf_group *now = g->conf;

	if (now->unused)
		return;
	if (now->advbase != was->advbase || now->advskew != was->advskew)
		ctl_set_timing(g, now->advbase != was->advbase ? now->advbase : g->advbase,
			now->advskew != was->advskew ? now->advskew : g->advskew);
	const struct election_group_config config = ctl_group_config(c, i);

	(void)election_group_set(c->election, i, &config, c->now, &c->out);
	ctl_carry_out(c);
	ctl_dirty(c, i);
}

int
ctl_reload_request(struct ctl *c, struct ctl_request_slot *s)
{
	struct ctl_reload *r = s->req.reload;
	const struct conf *was = c->conf;
	struct ctl_hop *hops = c->hops;

	if (__atomic_load_n(&c->shutdown, __ATOMIC_ACQUIRE)) {
		snprintf(s->note, sizeof(s->note), "koi is being stopped");
		return -EAGAIN;
	}
	c->conf = r->conf;
	c->hops = r->hops;
	c->n_hops = r->n_hops;
	c->hop_next = 0;
	r->hops = hops;
	for (uint16_t i = 0; i < c->n_groups; i++)
		c->groups[i].conf = &c->conf->groups[i];
	for (uint16_t i = 0; i < c->n_groups; i++)
		apply_group(c, i, &was->groups[i]);
	ctl_find_fast(c);
	apply_box(c, was);
	return 0;
}

int
ctl_reload(struct ctl *c, struct ctl_reload *r, char *note, size_t note_len)
{
	const struct ctl_request req = {
		.type = CTL_REQ_RELOAD, .group = ELECTION_NONE, .reload = r};

	return ctl_request(c, &req, note, note_len);
}
