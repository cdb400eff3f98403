/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What operators ask: posted by any thread, carried out by the control lcore. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl_priv.h"

#define WAIT_NS	 (2 * BASE_NS_PER_S)
#define PAUSE_NS (200 * BASE_NS_PER_US)

/* About one group; some may be about all. */
static bool
is_group_request(enum ctl_request_type t)
{
	return t <= CTL_REQ_KEY || t == CTL_REQ_CLEAR_STATS || t == CTL_REQ_CLEAR_SOURCES ||
		(t >= CTL_REQ_STAGE && t <= CTL_REQ_ABORT);
}

static bool
is_for_all(enum ctl_request_type t)
{
	return t == CTL_REQ_CLEAR_STATS || t == CTL_REQ_COMMIT || t == CTL_REQ_ABORT;
}

/* About an interface; about a neighbour there where one is named. */
static bool
is_if_request(enum ctl_request_type t)
{
	return t >= CTL_REQ_NBR_SET && t <= CTL_REQ_IF_UP;
}

static int
out_of_range(struct ctl_request_slot *s, const char *what, int64_t lo, int64_t hi)
{
	if (s->req.value >= lo && s->req.value <= hi)
		return 0;
	CTL_SAY(s, "%s %lld is out of range: allowed is %lld to %lld", what,
		(long long)s->req.value, (long long)lo, (long long)hi);
	return -EINVAL;
}

static int
feed_group(struct ctl *c, struct ctl_request_slot *s, enum election_event_type type)
{
	struct election_event ev = {.type = type, .group = s->req.group};
	int ret = ctl_feed(c, &ev);

	if (ret == -EAGAIN)
		CTL_SAY(s, "%s is in INIT: not running, so there is no state to force",
			c->groups[s->req.group].conf->name);
	return ret;
}

static int
force_backup(struct ctl *c, struct ctl_request_slot *s)
{
	int ret = feed_group(c, s, ELECTION_EV_FORCE_BACKUP);

	if (ret == 0 && election_preempt(c->election))
		CTL_SAY(s,
			"preempt is on: this box takes over again when it hears a worse master; "
			"use down to stay out");
	return ret;
}

static int
set_timing(struct ctl *c, struct ctl_request_slot *s)
{
	struct ctl_group *g = &c->groups[s->req.group];
	bool base = s->req.type == CTL_REQ_ADVBASE;
	struct election_event ev = {.type = ELECTION_EV_SET_TIMING, .group = s->req.group};
	int ret = base ? out_of_range(s, "advbase", g->conf->fast ? 0 : 1, g->conf->fast ? 0 : 255)
		       : out_of_range(s, "advskew", 0, 254);

	if (ret != 0)
		return ret;
	ev.timing.advbase = base ? (uint8_t)s->req.value : g->advbase;
	ev.timing.advskew = base ? g->advskew : (uint8_t)s->req.value;
	ret = ctl_feed(c, &ev);
	if (ret == 0) {
		ctl_set_timing(g, ev.timing.advbase, ev.timing.advskew);
		if (base && g->advbase > 85)
			CTL_SAY(s,
				"advbase above 85: a bow-out is told from a slow master only by koi");
	}
	return ret;
}

static bool
share_vip(const struct ctl_group *a, const struct ctl_group *b)
{
	for (uint16_t i = 0; i < a->n_vips; i++)
		for (uint16_t n = 0; n < b->n_vips; n++)
			if (a->vips[i] == b->vips[n])
				return true;
	return false;
}

/* Without it every MASTER of a shared VIP would answer every asker. */
static int
set_arpbalance(struct ctl *c, struct ctl_request_slot *s)
{
	int ret = out_of_range(s, "arpbalance", 0, 1);

	if (ret != 0)
		return ret;
	for (uint16_t a = 0; s->req.value == 0 && a < c->n_groups; a++)
		for (uint16_t b = 0; b < a; b++)
			if (c->groups[a].conf->if_index == c->groups[b].conf->if_index &&
				share_vip(&c->groups[a], &c->groups[b])) {
				CTL_SAY(s, "%s and %s share a VIP, which needs arpbalance",
					c->groups[b].conf->name, c->groups[a].conf->name);
				return -EINVAL;
			}
	c->arpbalance = s->req.value != 0;
	return 0;
}

/* What was heard under the old key cannot come back under the new one. */
static int
set_key(struct ctl *c, struct ctl_request_slot *s)
{
	struct ctl_group *g = &c->groups[s->req.group];

	if (g->other != NULL) {
		CTL_SAY(s, "a change of %s is staged: commit now or abort now first",
			g->conf->name);
		return -EBUSY;
	}
	ctl_identity_replace(c, s->req.group, s->id);
	s->id = NULL;
	return 0;
}

/* Not by down and up, which are routine: whoever kept adverts would only have to wait for them. */
static int
clear_sources(struct ctl *c, struct ctl_request_slot *s)
{
	struct ctl_group *g = &c->groups[s->req.group];

	if (g->conf->strict) {
		CTL_SAY(s, "%s is strict: how a source counts means nothing there", g->conf->name);
		return -ENOTSUP;
	}
	CTL_SAY(s, "sources forgotten: %u", auth_replay_forget(&g->id->replay));
	if (g->other != NULL)
		(void)auth_replay_forget(&g->other->replay);
	for (uint32_t i = 0; i < CTL_PEERS_MAX; i++)
		g->peers[i].counters = AUTH_REPLAY_CLASS_UNKNOWN;
	memset(g->refused, 0, sizeof(g->refused));
	ctl_dirty(c, s->req.group);
	return 0;
}

static int
set_switch(
	struct ctl *c, struct ctl_request_slot *s, enum election_event_type type, const char *what)
{
	struct election_event ev = {.type = type};
	int ret = out_of_range(s, what, 0, 1);

	if (ret != 0)
		return ret;
	ev.on = s->req.value != 0;
	return ctl_feed(c, &ev);
}

static int
set_interface(struct ctl *c, struct ctl_request_slot *s)
{
	const bool up = s->req.type == CTL_REQ_IF_UP;

	if (s->req.if_index >= c->n_ifs) {
		CTL_SAY(s, "there is no interface with this number");
		return -EINVAL;
	}
	const struct ctl_if *f = &c->ifs[s->req.if_index];
	const char *name = c->conf->ifs[s->req.if_index].name;

	if (f->admin_down == !up)
		CTL_SAY(s, "%s is %s already", name, up ? "up" : "down");
	else if (up && !f->link_up)
		CTL_SAY(s, "%s has no link", name);
	if (f->admin_down == up)
		ctl_if_set(c, s->req.if_index, up);
	return 0;
}

static int
carry_out(struct ctl *c, struct ctl_request_slot *s)
{
	struct election_event ev = {0};
	int ret;

	/* What a reload looked at stays so until it is applied; above all, who goes stays down. */
	if (c->reloading != NULL &&
		(is_group_request(s->req.type) || s->req.type == CTL_REQ_RELOAD)) {
		CTL_SAY(s, "a reload waits for groups that hand over; try again");
		return -EBUSY;
	}
	if (is_group_request(s->req.type) &&
		(s->req.group >= c->n_groups || c->groups[s->req.group].conf->unused) &&
		(!is_for_all(s->req.type) || s->req.group != ELECTION_NONE)) {
		CTL_SAY(s, "there is no group with this number");
		return -EINVAL;
	}
	switch (s->req.type) {
	case CTL_REQ_UP:
		return feed_group(c, s, ELECTION_EV_UP);
	case CTL_REQ_DOWN:
		return feed_group(c, s, ELECTION_EV_DOWN);
	case CTL_REQ_STATE_INIT:
		CTL_SAY(s, "state init has no effect, as in the BSDs; use down");
		return 0;
	case CTL_REQ_STATE_BACKUP:
		return force_backup(c, s);
	case CTL_REQ_STATE_MASTER:
		return feed_group(c, s, ELECTION_EV_FORCE_MASTER);
	case CTL_REQ_ADVBASE:
	case CTL_REQ_ADVSKEW:
		return set_timing(c, s);
	case CTL_REQ_KEY:
		return set_key(c, s);
	case CTL_REQ_PREEMPT:
		return set_switch(c, s, ELECTION_EV_SET_PREEMPT, "preempt");
	case CTL_REQ_ALLOW:
		return set_switch(c, s, ELECTION_EV_SET_ALLOW, "allow");
	case CTL_REQ_ARPBALANCE:
		return set_arpbalance(c, s);
	case CTL_REQ_LOG:
		ret = out_of_range(s, "log", 0, 2);
		if (ret == 0)
			c->log = (uint8_t)s->req.value;
		return ret;
	case CTL_REQ_DEMOTION:
		ret = out_of_range(s, "demotion", 0, 255);
		if (ret != 0)
			return ret;
		ev.type = ELECTION_EV_SET_DEMOTION;
		ev.amount = (uint8_t)s->req.value;
		return ctl_feed(c, &ev);
	case CTL_REQ_DRAIN:
	case CTL_REQ_UNDRAIN:
		ev.type = ELECTION_EV_DRAIN;
		ev.on = s->req.type == CTL_REQ_DRAIN;
		return ctl_feed(c, &ev);
	case CTL_REQ_CLEAR_STATS:
		for (uint16_t i = 0; i < c->n_groups; i++) {
			if (s->req.group != ELECTION_NONE && s->req.group != i)
				continue;
			memset(c->groups[i].stats, 0, sizeof(c->groups[i].stats));
			ctl_dirty(c, i);
		}
		if (s->req.group == ELECTION_NONE)
			memset(c->box_stats, 0, sizeof(c->box_stats));
		return 0;
	case CTL_REQ_CLEAR_SOURCES:
		return clear_sources(c, s);
	case CTL_REQ_NBR_SET:
	case CTL_REQ_NBR_FORGET:
	case CTL_REQ_NBR_CLEAR:
		return ctl_nbr_request(c, s);
	case CTL_REQ_IF_DOWN:
	case CTL_REQ_IF_UP:
		return set_interface(c, s);
	case CTL_REQ_RELOAD:
		return ctl_reload_request(c, s);
	case CTL_REQ_STAGE:
		ret = out_of_range(s, "window", CONF_WINDOW_S_MIN, CONF_WINDOW_S_MAX);
		return ret != 0 ? ret : ctl_stage_request(c, s);
	case CTL_REQ_COMMIT:
	case CTL_REQ_ABORT:
		return ctl_stage_request(c, s);
	case CTL_REQ_NOTE:
		return 0;
	}
	return -EINVAL;
}

static const char *
request_text(enum ctl_request_type t)
{
	static const char *const texts[] = {"up", "down", "state init", "state backup",
		"state master", "advbase", "advskew", "new password", "preempt", "allow",
		"arpbalance", "log", "demotion", "drain", "undrain", "clear stats", "clear sources",
		"neighbor add", "neighbor del", "clear neighbor", "interface down", "interface up",
		"stage new password, window", "commit", "abort", "reload", "note"};

	return texts[t];
}

static void
say_asked(const struct ctl_request *req, char *buf, size_t len)
{
	bool has_value = req->type == CTL_REQ_ADVBASE || req->type == CTL_REQ_ADVSKEW ||
		(req->type >= CTL_REQ_PREEMPT && req->type <= CTL_REQ_DEMOTION) ||
		req->type == CTL_REQ_STAGE;
	char addr[CONF_ADDR_STR];

	if (has_value)
		snprintf(buf, len, "%s %lld", request_text(req->type), (long long)req->value);
	else if (req->text[0] != '\0')
		snprintf(buf, len, "%.*s", (int)sizeof(req->text), req->text);
	else if (req->type >= CTL_REQ_COMMIT && req->type <= CTL_REQ_ABORT && req->value != 0)
		snprintf(buf, len, "%s now", request_text(req->type));
	else if (is_if_request(req->type) && req->addr.family != BASE_FAMILY_NONE)
		snprintf(buf, len, "%s %s", request_text(req->type),
			conf_addr_str(&req->addr, addr));
	else
		snprintf(buf, len, "%s", request_text(req->type));
}

static void
report(struct ctl *c, const struct ctl_request_slot *s)
{
	bool note = s->req.type == CTL_REQ_NOTE;
	struct ctl_event ev = ctl_event_new(note ? CTL_EVENT_CAPTURE : CTL_EVENT_REQUEST);

	ev.link_up = note && s->req.value == 0;

	if (is_group_request(s->req.type))
		ev.group = s->req.group;
	if (ev.group != ELECTION_NONE)
		ev.if_id = c->groups[ev.group].conf->if_index;
	else if (is_if_request(s->req.type))
		ev.if_id = s->req.if_index;
	snprintf(ev.text, sizeof(ev.text), "%s", s->asked);
	ctl_event_write(c, &ev);
}

/* Before the asker hears of it event and view are in place. */
void
ctl_request_done(struct ctl *c, struct ctl_request_slot *s, int result)
{
	s->result = result;
	if (result == 0)
		report(c, s);
	c->box_dirty = true;
	ctl_publish(c);
	if (ctl_slot_move(&s->state, CTL_SLOT_TAKEN, CTL_SLOT_DONE))
		return;
	/* Nobody waits any more. */
	ctl_identity_spend(c, s->id);
	s->id = NULL;
	__atomic_store_n(&s->state, CTL_SLOT_FREE, __ATOMIC_RELEASE);
}

void
ctl_requests(struct ctl *c)
{
	if (__atomic_load_n(&c->posted, __ATOMIC_ACQUIRE) == 0)
		return;
	for (uint32_t i = 0; i < CTL_REQUEST_SLOTS; i++) {
		struct ctl_request_slot *s = &c->requests[i];
		int result;

		if (!ctl_slot_move(&s->state, CTL_SLOT_POSTED, CTL_SLOT_TAKEN))
			continue;
		__atomic_fetch_sub(&c->posted, 1, __ATOMIC_RELAXED);
		s->note[0] = '\0';
		say_asked(&s->req, s->asked, sizeof(s->asked));
		c->asked = s->asked;
		result = carry_out(c, s);
		c->asked = NULL;
		if (result != -EINPROGRESS)
			ctl_request_done(c, s, result);
	}
}

static struct ctl_request_slot *
slot_claim(struct ctl *c)
{
	for (uint32_t i = 0; i < CTL_REQUEST_SLOTS; i++)
		if (ctl_slot_move(&c->requests[i].state, CTL_SLOT_FREE, CTL_SLOT_FILLING))
			return &c->requests[i];
	return NULL;
}

/*
 * Give up waiting; false when it was carried out at the last moment. Who reloads has to know
 * whether that happened, so it waits on once the control lcore has begun.
 */
static bool
abandon(struct ctl *c, struct ctl_request_slot *s)
{
	if (ctl_slot_move(&s->state, CTL_SLOT_POSTED, CTL_SLOT_FILLING)) {
		/* taken back before anybody saw it */
		__atomic_fetch_sub(&c->posted, 1, __ATOMIC_RELAXED);
		ctl_identity_free(s->id);
		s->id = NULL;
		__atomic_store_n(&s->state, CTL_SLOT_FREE, __ATOMIC_RELEASE);
		return true;
	}
	return s->req.type != CTL_REQ_RELOAD &&
		ctl_slot_move(&s->state, CTL_SLOT_TAKEN, CTL_SLOT_ABANDONED);
}

int
ctl_request(struct ctl *c, const struct ctl_request *req, char *note, size_t note_len)
{
	struct ctl_identity *id = NULL;

	if (req->type == CTL_REQ_KEY || req->type == CTL_REQ_STAGE) {
		if (req->group >= c->n_groups)
			return -EINVAL;
		/* Allocates, so here and not on the control lcore. */
		id = ctl_identity_new(c->groups[req->group].conf, req->key);
		if (id == NULL)
			return -ENOMEM;
		id->key_set = true;
	}
	struct ctl_request_slot *s = slot_claim(c);

	if (s == NULL) {
		ctl_identity_free(id);
		snprintf(note, note_len, "too many requests at once; try again");
		return -EBUSY;
	}
	s->req = *req;
	explicit_bzero(s->req.key, sizeof(s->req.key));
	s->id = id;
	__atomic_fetch_add(&c->posted, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&s->state, CTL_SLOT_POSTED, __ATOMIC_RELEASE);

	const struct timespec pause = {.tv_nsec = (long)PAUSE_NS};

	for (base_ns_t waited = 0; __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != CTL_SLOT_DONE;
		waited += PAUSE_NS) {
		if (waited > WAIT_NS && abandon(c, s)) {
			snprintf(note, note_len, "the control lcore did not answer in 2 s%s",
				req->type == CTL_REQ_RELOAD ? "" : "; it may still happen");
			return -ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	int ret = s->result;

	snprintf(note, note_len, "%s", s->note);
	ctl_identity_free(s->id);
	s->id = NULL;
	__atomic_store_n(&s->state, CTL_SLOT_FREE, __ATOMIC_RELEASE);
	ctl_reap(c);
	return ret;
}
