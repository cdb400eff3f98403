/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What adverts are signed with, and how that is changed without a split (auth_stage.h). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

struct ctl_identity *
ctl_identity_new(const struct conf_group *g, const uint8_t key[AUTH_KEY_LEN])
{
	struct base_addr vips[CONF_VIP_MAX];
	struct ctl_identity *id = calloc(1, sizeof(*id));

	if (id == NULL)
		return NULL;
	for (uint16_t i = 0; i < g->n_addresses; i++)
		vips[i] = g->addresses[i].addr;
	id->auth = auth_group_create(key, g->vhid, vips, g->n_addresses);
	if (id->auth == NULL)
		goto fail;
	id->orig = g->hmac == CONF_HMAC_ORIG;
	id->strict = g->strict;
	auth_group_send_orig(id->auth, id->orig);
	if (auth_balance_init(&id->balance, key) != 0) {
		errno = EIO;
		goto fail;
	}
	id->fingerprint = auth_vip_fingerprint(vips, g->n_addresses);
	auth_replay_init(&id->replay, g->strict, election_master_down(g->advbase, g->advskew));
	return id;
fail:
	ctl_identity_free(id);
	return NULL;
}

void
ctl_identity_free(struct ctl_identity *id)
{
	if (id == NULL)
		return;
	auth_group_destroy(id->auth);
	explicit_bzero(&id->balance, sizeof(id->balance));
	free(id);
}

void
ctl_identity_spend(struct ctl *c, struct ctl_identity *id)
{
	if (id == NULL)
		return;
	id->next = __atomic_load_n(&c->spent, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(
		&c->spent, &id->next, id, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void
ctl_reap(struct ctl *c)
{
	struct ctl_identity *id = __atomic_exchange_n(&c->spent, NULL, __ATOMIC_ACQUIRE);

	while (id != NULL) {
		struct ctl_identity *next = id->next;

		ctl_identity_free(id);
		id = next;
	}
}

/* In the shape that the advert check wants. */
void
ctl_identity_use(struct ctl *c, uint16_t group)
{
	const struct ctl_group *g = &c->groups[group];

	c->auth[group] = g->id != NULL ? g->id->auth : NULL;
	c->counters[group] = g->id != NULL ? &g->id->counters : NULL;
	c->other_auth[group] = g->other != NULL ? g->other->auth : NULL;
	c->other_counters[group] = g->other != NULL ? &g->other->counters : NULL;
	ctl_dirty(c, group);
}

void
ctl_identity_time(const struct ctl_group *g, struct ctl_identity *id)
{
	auth_replay_set_timing(&id->replay, election_master_down(g->advbase, g->advskew));
}

/* Both make the same digest: the password is the one that is in use, and so are the addresses. */
static bool
is_same(const struct ctl_identity *a, const struct ctl_identity *b)
{
	uint8_t md[2][AUTH_DIGEST_LEN];

	return auth_group_sign(a->auth, 1, md[0]) == 0 && auth_group_sign(b->auth, 1, md[1]) == 0 &&
		memcmp(md[0], md[1], sizeof(md[0])) == 0;
}

void
ctl_identity_replace(struct ctl *c, uint16_t group, struct ctl_identity *id)
{
	struct ctl_group *g = &c->groups[group];

	if (g->id->orig == id->orig && g->id->strict == id->strict && is_same(g->id, id)) {
		g->id->key_set = id->key_set;
		ctl_identity_spend(c, id);
		ctl_dirty(c, group);
		return;
	}
	ctl_identity_spend(c, g->id);
	ctl_identity_time(g, id);
	g->id = id;
	ctl_identity_use(c, group);
}

struct ctl_identity *
ctl_stage_send(const struct ctl_group *g, unsigned int n)
{
	enum auth_identity which;

	if (!auth_stage_send(&g->stage, n, &which))
		return NULL;
	return which == g->stage.running ? g->id : g->other;
}

enum auth_identity
ctl_stage_identity(const struct ctl_group *g, bool other)
{
	return (enum auth_identity)(other ? AUTH_NEW - g->stage.running : g->stage.running);
}

bool
ctl_stage_heard(struct ctl *c, const struct ctl_advert *a)
{
	struct ctl_group *g = &c->groups[a->group];
	enum auth_identity which = ctl_stage_identity(g, a->other);
	bool second;

	if (g->other == NULL)
		return true;
	second = ctl_pair_is_second(
		g->told, a, which, election_interval(g->advbase, g->advskew, g->advskew), c->now);
	auth_stage_heard(&g->stage, which, second);
	return !second;
}

static enum auth_stage_place
place_of(const struct ctl_group *g)
{
	if (g->state == ELECTION_INIT)
		return AUTH_STAGE_INIT;
	return g->state == ELECTION_BACKUP ? AUTH_STAGE_BACKUP : AUTH_STAGE_MASTER;
}

/* Behind a master that was heard lately. */
static bool
is_behind(const struct ctl *c, const struct ctl_group *g)
{
	const struct ctl_peer *p = &g->peers[0];

	return g->state == ELECTION_BACKUP && p->addr.family != BASE_FAMILY_NONE && !p->bowed_out &&
		base_ns_since(c->now, p->last_heard) < election_master_down(g->advbase, g->advskew);
}

/* What runs and what g->id is are one; was: what ran before. */
static void
swap_from(struct ctl *c, uint16_t group, uint8_t was)
{
	struct ctl_group *g = &c->groups[group];

	if (g->stage.running != was) {
		struct ctl_identity *id = g->id;

		g->id = g->other;
		g->other = id;
	}
	if (g->by_reload)
		g->reloads = g->stage.running;
	ctl_identity_use(c, group);
}

static void
forget_other(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];

	g->stage.phase = AUTH_STAGE_NONE;
	ctl_identity_spend(c, g->other);
	g->other = NULL;
	g->by_reload = false;
	c->n_staged--;
	for (uint32_t i = 0; i < CTL_PEERS_MAX; i++)
		memset(g->peers[i].identity, 0, sizeof(g->peers[i].identity));
	ctl_identity_use(c, group);
}

void
ctl_stage_drop(struct ctl *c, uint16_t group)
{
	if (c->groups[group].other != NULL)
		forget_other(c, group);
}

static void
begin(struct ctl *c, uint16_t group, struct ctl_identity *id, base_ns_t window_ns)
{
	struct ctl_group *g = &c->groups[group];

	g->other = id;
	memset(g->told, 0, sizeof(g->told));
	ctl_identity_time(g, id);
	auth_stage_begin(&g->stage, is_behind(c, g), window_ns, c->now);
	c->n_staged++;
	ctl_identity_use(c, group);
}

static int
stage(struct ctl *c, struct ctl_request_slot *s)
{
	uint16_t group = s->req.group;
	struct ctl_group *g = &c->groups[group];

	if (g->other != NULL) {
		CTL_SAY(s, "a change of %s is staged already: commit now or abort now first",
			g->conf->name);
		return -EBUSY;
	}
	if (is_same(g->id, s->id)) {
		CTL_SAY(s, "%s uses this password already", g->conf->name);
		return -EALREADY;
	}
	begin(c, group, s->id, (base_ns_t)s->req.value * BASE_NS_PER_S);
	s->id = NULL;
	CTL_SAY(s,
		"staged: old and new are accepted; stage it on the other boxes, then commit on each "
		"within %lld s",
		(long long)s->req.value);
	return 0;
}

/* What commit would use, of what is staged. */
static struct ctl_identity *
staged_new(const struct ctl_group *g)
{
	return g->stage.running == AUTH_NEW ? g->id : g->other;
}

bool
ctl_stage_fits(const struct ctl *c, uint16_t group, const struct ctl_identity *id)
{
	const struct ctl_group *g = &c->groups[group];

	return g->other == NULL || is_same(staged_new(g), id);
}

static void
say_loaded(struct ctl *c, uint16_t group, base_ns_t window_ns)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_REQUEST);

	ev.group = group;
	ev.if_id = c->groups[group].conf->if_index;
	snprintf(ev.text, sizeof(ev.text), "reload: change staged, window %llu",
		(unsigned long long)(window_ns / BASE_NS_PER_S));
	ctl_event_write(c, &ev);
}

void
ctl_stage_load(struct ctl *c, uint16_t group, struct ctl_identity **id, base_ns_t window_ns)
{
	struct ctl_group *g = &c->groups[group];

	if (g->other != NULL) {
		staged_new(g)->key_set = false;
		g->by_reload = true;
		g->reloads = g->stage.running;
	} else if (is_same(g->id, *id)) {
		/* a command has set it before */
		g->id->key_set = false;
		g->reloads = AUTH_NEW;
	} else {
		begin(c, group, *id, window_ns);
		*id = NULL;
		g->by_reload = true;
		g->reloads = AUTH_OLD;
		say_loaded(c, group, window_ns);
	}
	ctl_dirty(c, group);
}

/* @return false: there was nothing to decide */
static bool
decide(struct ctl *c, uint16_t group, enum auth_identity which, bool now)
{
	struct ctl_group *g = &c->groups[group];
	uint8_t was = g->stage.running;

	if (g->other == NULL || (!auth_stage_decide(&g->stage, place_of(g), which) && !now))
		return false;
	if (now)
		g->stage.running = (uint8_t)which;
	swap_from(c, group, was);
	if (now)
		forget_other(c, group);
	return true;
}

int
ctl_stage_request(struct ctl *c, struct ctl_request_slot *s)
{
	enum auth_identity which = s->req.type == CTL_REQ_COMMIT ? AUTH_NEW : AUTH_OLD;
	uint16_t group = s->req.group, done = 0;

	if (s->req.type == CTL_REQ_STAGE)
		return stage(c, s);
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (group == ELECTION_NONE || group == i)
			done = (uint16_t)(done + decide(c, i, which, s->req.value != 0));
	if (done > 0)
		return 0;
	if (group == ELECTION_NONE)
		CTL_SAY(s, "nothing is staged that waits for a decision");
	else if (c->groups[group].other != NULL)
		CTL_SAY(s, "%s has decided for the %s one already; commit now or abort now ends it",
			c->groups[group].conf->name,
			c->groups[group].stage.running == AUTH_NEW ? "new" : "old");
	else
		CTL_SAY(s, "nothing is staged for %s", c->groups[group].conf->name);
	return -EALREADY;
}

static void
tick_group(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];
	uint8_t was = g->stage.running;
	enum auth_stage_step step = auth_stage_tick(&g->stage, place_of(g), c->now);
	struct ctl_event ev;

	if (step == AUTH_STAGE_STEP_NOTHING)
		return;
	swap_from(c, group, was);
	ev = ctl_event_new(CTL_EVENT_STAGE);
	ev.group = group;
	ev.if_id = g->conf->if_index;
	ev.stage = step;
	ev.src = g->peers[0].addr;
	ctl_event_write(c, &ev);
	if (g->stage.phase == AUTH_STAGE_NONE)
		forget_other(c, group);
}

void
ctl_stage_tick(struct ctl *c)
{
	for (uint16_t i = 0; c->n_staged > 0 && i < c->n_groups; i++)
		if (c->groups[i].other != NULL)
			tick_group(c, i);
}
