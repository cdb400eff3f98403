/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Another configuration while koi runs: made ready by who asks, applied in one turn. Of each key
 * the file's old and new values are compared, not the value in use: what an operator set meanwhile
 * stays until the file says something else than it did.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_plan.h"
#include "conf_stage.h"
#include "ctl_priv.h"

/* What becomes of a slot. */
enum change {
	CHANGE_NONE = 0, /* it is unused and stays so, or is used and stays so */
	CHANGE_NEW,
	CHANGE_GONE,
	CHANGE_ADDRESSES, /* it stays, with other addresses, and its adverts are what they are */
	CHANGE_IDENTITY,  /* it stays, but its adverts are others */
};

/*
 * Of who asks, before and after. The control lcore takes what is in it and leaves what it had.
 */
struct ctl_reload {
	const struct conf *conf;
	struct dp *dp;
	struct dp_roster *roster;
	struct ctl_nbr_changes neighbors;
	uint16_t n_ifs;
	bool turns;		    /* it is about what was staged */
	uint16_t sharers[2];	    /* two groups that share a VIP; ELECTION_NONE: there are none */
	struct ctl_if_lists *lists; /* by interface */
	struct ctl_reload_slot {
		enum change change;
		bool new_key, new_addresses;
		bool alone; /* with an address that neighbours have another group's vMAC for */
		struct ctl_group *group;    /* what it is to be, and then what it was */
		struct ctl_identity *stage; /* what it is to stage */
	} * slot;			    /* as many as conf has */
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
	ctl_identity_time(g, g->id);
	if (g->other != NULL)
		ctl_identity_time(g, g->other);
}

/* The two sets of a staged change have changed places. */
static bool
is_turned(const struct conf_group *a, const struct conf_group *b)
{
	return a->staged != NULL && b->staged != NULL && a->staged->uses_new != b->staged->uses_new;
}

/* @return 0, or an errno */
static int
compare_kept(struct ctl *c, uint16_t i, const struct conf_group *a, const struct conf_group *b,
	struct ctl_reload_slot *s)
{
	const struct conf_digest was = conf_digest_of(a), is = conf_digest_of(b);
	const bool begins = b->staged != NULL && b->staged->begin;
	struct ctl_group_view v;

	s->new_key = memcmp(a->key, begins ? b->staged->other.key : b->key, sizeof(a->key)) != 0;
	s->new_addresses =
		!conf_prefixes_same(a->addresses, a->n_addresses, b->addresses, b->n_addresses);
	if (s->new_addresses)
		s->change = CHANGE_ADDRESSES;
	if ((!is_turned(a, b) && !conf_digest_same(&was, &is)) || a->hmac != b->hmac ||
		a->strict != b->strict)
		s->change = CHANGE_IDENTITY;
	if ((s->change != CHANGE_IDENTITY && !begins) || ctl_group_view(c, i, &v) != 0)
		return 0;
	if (s->change == CHANGE_IDENTITY && v.stage.phase != AUTH_STAGE_NONE)
		return EBUSY;
	return !s->new_key && v.key_set ? EKEYREJECTED : 0;
}

/* @return 0, or an errno */
static int
compare(struct ctl *c, const struct conf *next, uint16_t i, struct ctl_reload_slot *s)
{
	const struct conf *now = c->conf;
	const struct conf_group *a = i < now->n_groups ? &now->groups[i] : NULL;
	const struct conf_group *b = &next->groups[i];

	if (a == NULL || a->unused) {
		s->change = b->unused ? CHANGE_NONE : CHANGE_NEW;
		return 0;
	}
	if (b->unused) {
		s->change = CHANGE_GONE;
		return 0;
	}
	return compare_kept(c, i, a, b, s);
}

/* @return 0, or an errno */
static int
stage_make(const struct conf_group *g, struct ctl_reload_slot *s)
{
	struct conf_group other = *g;

	other.addresses = g->staged->other.addresses;
	other.n_addresses = g->staged->other.n_addresses;
	s->stage = ctl_identity_new(&other, g->staged->other.key);
	return s->stage != NULL ? 0 : errno;
}

/* Another group of its interface that has a VIP of a group too, or ELECTION_NONE. */
static uint16_t
sharer(const struct conf *conf, uint16_t group, const struct base_addr *vip)
{
	uint16_t if_index;

	if (!conf->arpbalance || vip->family != BASE_FAMILY_IP4 || group >= conf->n_groups)
		return ELECTION_NONE;
	if_index = conf->groups[group].if_index;
	for (uint16_t i = 0; i < conf->n_groups; i++) {
		const struct conf_group *g = &conf->groups[i];

		for (uint16_t a = 0; i != group && g->if_index == if_index && a < g->n_addresses;
			a++)
			if (memcmp(&g->addresses[a].addr, vip, sizeof(*vip)) == 0)
				return i;
	}
	return ELECTION_NONE;
}

static void
shares_find(const struct conf *now, struct ctl_reload *r, uint16_t i)
{
	const struct conf_group *g = &r->conf->groups[i];

	for (uint16_t a = 0; a < g->n_addresses; a++) {
		const struct base_addr *vip = &g->addresses[a].addr;
		uint16_t other = sharer(r->conf, i, vip);

		if (other == ELECTION_NONE) {
			r->slot[i].alone |= sharer(now, i, vip) != ELECTION_NONE;
		} else if (r->sharers[0] == ELECTION_NONE) {
			r->sharers[0] = i;
			r->sharers[1] = other;
		}
	}
}

/* @return 0, or an errno */
static int
slots_make(struct ctl *c, struct ctl_reload *r)
{
	for (uint16_t i = 0; i < r->conf->n_groups; i++) {
		struct ctl_reload_slot *s = &r->slot[i];
		const struct conf_group *g = &r->conf->groups[i];
		int ret = compare(c, r->conf, i, s);

		shares_find(c->conf, r, i);
		if (ret == 0 && s->change != CHANGE_NEW && g->staged != NULL && g->staged->begin)
			ret = stage_make(g, s);
		if (ret != 0)
			return ret;
		r->turns |= i < c->conf->n_groups && is_turned(&c->conf->groups[i], g);
		if (s->change == CHANGE_NONE)
			continue;
		s->group = calloc(1, sizeof(*s->group));
		if (s->group == NULL)
			return ENOMEM;
		if (s->change == CHANGE_GONE)
			continue;
		ret = ctl_group_make(r->conf, i, s->change != CHANGE_ADDRESSES, s->group);
		if (ret != 0)
			return -ret;
	}
	return 0;
}

struct ctl_reload *
ctl_reload_prepare(struct ctl *c, const struct conf *next, struct dp_roster *roster)
{
	struct ctl_reload *r = calloc(1, sizeof(*r));
	int ret = ENOMEM;

	if (r == NULL)
		return NULL;
	r->conf = next;
	r->dp = c->dp;
	r->sharers[0] = ELECTION_NONE;
	r->slot = calloc(next->n_groups + 1u, sizeof(*r->slot));
	r->lists = calloc(next->n_ifs, sizeof(*r->lists));
	if (r->slot == NULL || r->lists == NULL ||
		ctl_nbr_changes_make(c->conf, next, &r->neighbors) != 0)
		goto fail;
	for (; r->n_ifs < next->n_ifs; r->n_ifs++)
		if (ctl_lists_make(
			    next, r->n_ifs, c->ifs[r->n_ifs].link_local, &r->lists[r->n_ifs]) != 0)
			goto fail;
	ret = slots_make(c, r);
	if (ret == 0) {
		r->roster = roster;
		return r;
	}
fail:
	ctl_reload_free(r);
	errno = ret;
	return NULL;
}

void
ctl_reload_free(struct ctl_reload *r)
{
	if (r == NULL)
		return;
	for (uint16_t i = 0; r->slot != NULL && i < r->conf->n_groups; i++) {
		ctl_identity_free(r->slot[i].stage);
		if (r->slot[i].group == NULL)
			continue;
		ctl_group_free(r->slot[i].group);
		free(r->slot[i].group);
	}
	for (uint16_t i = 0; r->lists != NULL && i < r->n_ifs; i++)
		ctl_lists_free(&r->lists[i]);
	dp_roster_free(r->dp, r->roster);
	ctl_nbr_changes_free(&r->neighbors);
	free(r->lists);
	free(r->slot);
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
configure(struct ctl *c, uint16_t i)
{
	const struct election_group_config config = ctl_group_config(c, i);

	(void)election_group_set(c->election, i, &config, c->now, &c->out);
	ctl_carry_out(c);
	ctl_dirty(c, i);
}

static void
apply_gone(struct ctl *c, uint16_t i, struct ctl_group *left)
{
	(void)election_group_remove(c->election, i, c->now, &c->out);
	ctl_carry_out(c);
	ctl_group_end(c, i, left);
}

static void
apply_new(struct ctl *c, uint16_t i, struct ctl_group *made)
{
	c->groups[i] = *made;
	made->id = NULL;
	made->vips = NULL;
	made->vips6 = NULL;
	ctl_group_begin(c, i);
	configure(c, i);
}

static void
apply_kept(struct ctl *c, uint16_t i, const struct conf_group *was, struct ctl_reload_slot *s)
{
	struct ctl_group *g = &c->groups[i];
	const struct conf_group *now = g->conf;
	uint8_t families = g->families;

	if (now->advbase != was->advbase || now->advskew != was->advskew)
		ctl_set_timing(g, now->advbase != was->advbase ? now->advbase : g->advbase,
			now->advskew != was->advskew ? now->advskew : g->advskew);
	if (s->change == CHANGE_IDENTITY || s->change == CHANGE_ADDRESSES)
		ctl_group_take(c, i, s->group);
	if (s->stage != NULL)
		ctl_stage_load(c, i, &s->stage, c->conf->window_s * BASE_NS_PER_S);
	ctl_group_peers(c, i);
	configure(c, i);
	/* where the families are others the election has seen to it */
	if (s->new_addresses && families == g->families) {
		struct election_event ev = {
			.type = ELECTION_EV_VIPS, .group = i, .on = g->families != 0};

		(void)ctl_feed(c, &ev);
	}
}

static void
use_lists(struct ctl *c, struct ctl_reload *r)
{
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		struct ctl_if_lists was = c->ifs[i].lists;

		c->ifs[i].lists = r->lists[i];
		ctl_member_take_over(c, &c->ifs[i].lists, &was);
		r->lists[i] = was;
	}
}

/* Events of a group's past are those of the slot, unless it was another group's. */
static void
forget_events(struct ctl *c, uint16_t i, const struct conf *was)
{
	if (i < was->n_groups && conf_group_same(&was->groups[i], &c->conf->groups[i]))
		return;
	__atomic_store_n(&c->decisions[i].written, 0, __ATOMIC_RELEASE);
}

/* Who goes makes room first; the data plane knows who comes before the election may claim. */
static void
apply(struct ctl *c, struct ctl_reload *r)
{
	const struct conf *was = c->conf;

	for (uint16_t i = 0; i < was->n_groups; i++)
		if (r->slot[i].change == CHANGE_GONE)
			apply_gone(c, i, r->slot[i].group);
	ctl_ra_leave(c, r->conf);
	c->conf = r->conf;
	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		c->groups[i].conf = &c->conf->groups[i];
	c->n_groups = c->conf->n_groups;
	use_lists(c, r);
	if (r->roster != NULL)
		r->roster = dp_roster_publish(c->dp, r->roster);
	ctl_nbr_changes_apply(c, &r->neighbors);
	for (uint16_t i = 0; i < c->n_groups; i++) {
		if (r->slot[i].change == CHANGE_NEW) {
			forget_events(c, i, was);
			apply_new(c, i, r->slot[i].group);
		} else if (!c->groups[i].conf->unused) {
			apply_kept(c, i, &was->groups[i], &r->slot[i]);
			if (r->slot[i].alone && c->groups[i].state == ELECTION_MASTER)
				ctl_announce_begin(c, i);
		}
	}
	ctl_find_fast(c);
	ctl_ra_take(c, was);
	apply_box(c, was);
}

static bool
is_stopping(struct ctl *c, struct ctl_request_slot *s)
{
	if (!__atomic_load_n(&c->shutdown, __ATOMIC_ACQUIRE))
		return false;
	CTL_SAY(s, "koi is being stopped");
	return true;
}

static bool
hands_over(const struct ctl *c, const struct ctl_reload *r)
{
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (r->slot[i].change == CHANGE_GONE && c->groups[i].owned)
			return true;
	return false;
}

int
ctl_reload_request(struct ctl *c, struct ctl_request_slot *s)
{
	struct ctl_reload *r = s->req.reload;

	if (is_stopping(c, s))
		return -EAGAIN;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const char *name = c->groups[i].conf->name;

		if (r->slot[i].stage != NULL && !ctl_stage_fits(c, i, r->slot[i].stage)) {
			CTL_SAY(s, "another change of %s is staged: commit now or abort now first",
				name);
			return -EBUSY;
		}
		if (r->slot[i].change != CHANGE_IDENTITY)
			continue;
		if (c->groups[i].other != NULL) {
			CTL_SAY(s, "a change of %s is staged: commit now or abort now first", name);
			return -EBUSY;
		}
		/* since it was prepared */
		if (!r->slot[i].new_key && c->groups[i].id->key_set) {
			CTL_SAY(s, "a command changed the password of %s meanwhile", name);
			return -EBUSY;
		}
	}
	if (r->sharers[0] != ELECTION_NONE && !c->arpbalance && c->conf->arpbalance) {
		CTL_SAY(s,
			"%s and %s share a VIP, which needs arpbalance: set carp arpbalance 1 first",
			r->conf->groups[r->sharers[0]].name, r->conf->groups[r->sharers[1]].name);
		return -EINVAL;
	}
	if (ctl_nbr_changes_begin(c, &r->neighbors) != 0) {
		CTL_SAY(s, "an interface has no room for so many neighbours");
		return -ENOSPC;
	}
	for (uint16_t i = 0; i < c->n_groups; i++) {
		struct election_event down = {.type = ELECTION_EV_DOWN, .group = i};

		if (r->slot[i].change == CHANGE_GONE)
			(void)ctl_feed(c, &down);
	}
	c->reloading = s;
	return -EINPROGRESS;
}

void
ctl_reload_tick(struct ctl *c)
{
	struct ctl_request_slot *s = c->reloading;
	bool stopping = s != NULL && is_stopping(c, s);

	if (s == NULL || (!stopping && hands_over(c, s->req.reload)))
		return;
	c->reloading = NULL;
	c->asked = s->asked;
	if (!stopping)
		apply(c, s->req.reload);
	c->asked = NULL;
	ctl_request_done(c, s, stopping ? -EAGAIN : 0);
}

int
ctl_reload(struct ctl *c, struct ctl_reload *r, char *note, size_t note_len)
{
	struct ctl_request req = {.type = CTL_REQ_RELOAD, .group = ELECTION_NONE, .reload = r};

	if (r->turns)
		snprintf(req.text, sizeof(req.text), "addresses of a staged change");
	return ctl_request(c, &req, note, note_len);
}
