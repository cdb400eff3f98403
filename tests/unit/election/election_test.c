/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "election_test.h"

#include <stdlib.h>
#include <string.h>

struct box *
box_new(const struct election_config *config)
{
	struct box *b = calloc(1, sizeof(*b));
	uint16_t room =
		config->group_room > config->group_count ? config->group_room : config->group_count;
	size_t size = election_size(config->if_count, room);

	assert_non_null(b);
	/* exactly as much as asked for, so that a sanitizer sees one byte too many */
	b->mem = aligned_alloc(16, size);
	assert_non_null(b->mem);
	assert_int_equal(size % 16, 0);
	memset(b->mem, 0xa5, size);
	b->e = election_init(b->mem, config, T0);
	if (b->e == NULL) {
		free(b->mem);
		free(b);
		return NULL;
	}
	b->now = T0;
	b->startup_until = T0 + config->startup_hold_ns;
	b->if_count = config->if_count;
	b->group_count = room;
	b->seen = calloc(room + 1u, sizeof(*b->seen));
	assert_non_null(b->seen);
	for (uint16_t i = config->group_count; i < room; i++)
		b->seen[i].gone = true;
	b->list.cap = election_input_room(b->e, ELECTION_EV_SHUTDOWN) + ELECTION_ACTIONS_MIN;
	b->list.act = calloc(b->list.cap, sizeof(*b->list.act));
	assert_non_null(b->list.act);
	return b;
}

struct box *
box_many(uint16_t n, uint8_t advbase, uint8_t advskew, bool preempt)
{
	struct election_if_config ifs[16];
	struct election_group_config groups[16];
	struct election_config config = {.if_count = n,
		.group_count = n,
		.ifs = ifs,
		.groups = groups,
		.preempt = preempt,
		.allow = true,
		.seed = 1};

	assert_in_range(n, 1, 16);
	for (uint16_t i = 0; i < n; i++) {
		ifs[i] = (struct election_if_config){.link_up = true};
		groups[i] = (struct election_group_config){.if_id = i,
			.advbase = advbase,
			.advskew = advskew,
			.has_vip = true,
			.admin_up = true};
	}
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_tick(b);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(box_state(b, i), ELECTION_BACKUP);
	box_forget(b);
	return b;
}

struct box *
box_one(uint8_t advbase, uint8_t advskew, bool preempt)
{
	return box_many(1, advbase, advskew, preempt);
}

void
box_free(struct box *b)
{
	free(b->list.act);
	free(b->seen);
	free(b->log);
	free(b->mem);
	free(b);
}

static bool
is_bow_out(const struct election_priority *p)
{
	return p->advbase == 255 && p->advskew == 255;
}

/* What no action may do, whatever the test is about (design, "Invariants"). */
static void
check_action(struct box *b, const struct election_action *a)
{
	struct seen *s = &b->seen[a->group < b->group_count ? a->group : b->group_count];

	if (a->type != ELECTION_ACT_DEMOTION)
		assert_true(a->group < b->group_count);
	assert_false(s->gone);
	switch (a->type) {
	case ELECTION_ACT_OWN:
		/* once per take-over; again only when taken back while handing over */
		assert_int_not_equal(s->state, ELECTION_MASTER);
		assert_false(s->claiming);
		s->owned = true;
		s->claiming = true;
		break;
	case ELECTION_ACT_DISOWN:
		assert_true(s->owned);
		assert_false(s->claiming);
		s->owned = false;
		break;
	case ELECTION_ACT_ADVERT:
		assert_true(s->owned);
		assert_true(s->state == ELECTION_MASTER || s->claiming);
		if (is_bow_out(&a->advert.prio))
			assert_false(s->claiming);
		else
			assert_in_range(a->advert.prio.advskew, 0, 254);
		break;
	case ELECTION_ACT_ANNOUNCE:
		assert_true(s->owned);
		assert_true(s->state == ELECTION_MASTER || s->claiming);
		break;
	case ELECTION_ACT_STATE:
		assert_int_equal(a->state.from, s->state);
		assert_int_not_equal(a->state.to, s->state);
		assert_int_equal(s->claiming, a->state.to == ELECTION_MASTER);
		if (a->state.to == ELECTION_MASTER)
			assert_int_equal(a->state.from, ELECTION_BACKUP);
		assert_in_range(a->state.cause, ELECTION_CAUSE_NONE + 1, ELECTION_CAUSE_COUNT - 1);
		assert_true(a->state.deadline == BASE_NS_NEVER || a->state.deadline <= b->now);
		s->state = a->state.to;
		s->cause = a->state.cause;
		s->claiming = false;
		break;
	case ELECTION_ACT_DEMOTION:
		break;
	case ELECTION_ACT_WARN:
		assert_int_not_equal(a->warn.kind, s->warn);
		assert_in_range(a->warn.kind, 0, ELECTION_WARN_COUNT - 1);
		s->warn = a->warn.kind;
		break;
	case ELECTION_ACT_SPLIT:
		assert_int_equal(a->split.before, s->split);
		assert_int_not_equal(a->split.reasons, s->split);
		assert_in_range(a->split.reasons, 0, (1u << ELECTION_SPLIT_COUNT) - 1);
		s->split = a->split.reasons;
		break;
	case ELECTION_ACT_DECISION:
		assert_int_equal(s->state, ELECTION_BACKUP);
		assert_in_range(a->decision.cause, 1, ELECTION_CAUSE_COUNT - 1);
		assert_in_range(a->decision.hold, 1, ELECTION_HOLD_COUNT - 1);
		assert_true(a->decision.until >= b->now);
		break;
	}
}

/* What a group shows agrees with the actions it asked for. */
static void
check_group(const struct box *b, uint16_t group)
{
	const struct seen *s = &b->seen[group];
	struct election_group_info info = box_info(b, group);

	assert_false(s->claiming);
	assert_int_equal(info.state, s->state);
	assert_int_equal(info.owned, s->owned);
	assert_int_equal(info.handing_over, s->owned && s->state != ELECTION_MASTER);
	if (s->state == ELECTION_MASTER)
		assert_true(s->owned);
	assert_int_equal(info.advert_deadline != BASE_NS_NEVER, s->state == ELECTION_MASTER);
	assert_int_equal(info.master_down_deadline != BASE_NS_NEVER, s->state == ELECTION_BACKUP);
	if (info.handing_over)
		assert_true(election_handing_over(b->e));
	assert_int_equal(info.warn, s->warn);
	assert_int_equal(info.split, s->split);
	if (s->state == ELECTION_INIT)
		assert_true(info.warn == ELECTION_WARN_NONE && info.split == 0);
	if (info.split & ELECTION_SPLIT_DEAF)
		assert_int_equal(s->state, ELECTION_MASTER);
	if (s->state != ELECTION_MASTER)
		assert_int_equal(info.announce_deadline, BASE_NS_NEVER);
}

/* Who became MASTER just now was free to, unless asked, or for an address that is nobody's. */
static void
check_holds(const struct box *b, const struct election_action *a)
{
	if (a->type != ELECTION_ACT_STATE || a->state.to != ELECTION_MASTER ||
		a->state.cause == ELECTION_CAUSE_FORCED || a->state.cause == ELECTION_CAUSE_BOW_OUT)
		return;
	assert_true(b->now >= b->startup_until);
	for (uint32_t i = 0; i < UINT32_MAX; i++) {
		struct election_demotion_entry entry;

		if (!election_demotion_entry(b->e, i, &entry))
			break;
		if (entry.source == ELECTION_DEMOTION_LINK)
			assert_int_not_equal(entry.if_id, box_info(b, a->group).if_id);
	}
}

static void
record(struct box *b)
{
	if (b->n + b->list.n > b->cap) {
		b->cap = 2 * (b->n + b->list.n);
		b->log = realloc(b->log, b->cap * sizeof(*b->log));
		assert_non_null(b->log);
	}
	for (uint32_t i = 0; i < b->list.n; i++) {
		check_action(b, &b->list.act[i]);
		check_holds(b, &b->list.act[i]);
		b->log[b->n++] = (struct step){.at = b->now, .act = b->list.act[i]};
	}
	for (uint32_t i = 0; i < b->list.n; i++)
		if (b->list.act[i].group < b->group_count)
			check_group(b, b->list.act[i].group);
	b->list.n = 0;
}

int
box_input(struct box *b, const struct election_event *ev)
{
	uint32_t room = election_input_room(b->e, ev->type);
	struct election_actions all = b->list;
	int ret;

	/* no more room than promised to be enough */
	b->list.cap = room;
	ret = election_input(b->e, ev, b->now, &b->list);
	assert_true(b->list.n <= room);
	if (ret != 0)
		assert_int_equal(b->list.n, 0);
	record(b);
	b->list.cap = all.cap;
	return ret;
}

void
box_tick(struct box *b)
{
	uint32_t cap = b->list.cap, turns = 0;
	bool more;

	b->list.cap = ELECTION_ACTIONS_MIN;
	do {
		more = election_tick(b->e, b->now, &b->list);
		assert_true(b->list.n <= ELECTION_ACTIONS_MIN);
		/* full is the only reason to come again, so every turn makes headway */
		if (more)
			assert_true(b->list.n > 0);
		record(b);
		assert_true(++turns < 10000);
	} while (more);
	b->list.cap = cap;
	if (!b->lagging)
		assert_true(election_deadline(b->e) > b->now);
}

int
box_feed(struct box *b, const struct election_event *ev)
{
	int ret = box_input(b, ev);

	box_tick(b);
	return ret;
}

void
box_run(struct box *b, base_ns_t t)
{
	assert_true(t >= b->now);
	for (;;) {
		base_ns_t next = election_deadline(b->e);

		if (next > t)
			break;
		/* what waits for a horizon stays due: no use in coming back for it */
		if (b->lagging && next <= b->now)
			break;
		b->now = next > b->now ? next : b->now;
		box_tick(b);
	}
	b->now = t;
	box_tick(b);
}

void
box_sleep(struct box *b, base_ns_t d)
{
	b->now += d;
}

int
box_advert(struct box *b, uint16_t group, uint8_t advbase, uint8_t advskew, uint8_t demotion)
{
	return box_advert_from(b, group, BASE_FAMILY_IP4, 3,
		(struct election_priority){advbase, advskew, demotion});
}

struct base_addr
box_host(uint8_t family, uint8_t n)
{
	struct base_addr a = {.family = BASE_FAMILY_IP6, .bytes = {0xfe, 0x80, [15] = n}};

	return family == BASE_FAMILY_IP6 ? a : base_addr_from_ip4(UINT32_C(0xc0000200) + n);
}

int
box_advert_from(
	struct box *b, uint16_t group, uint8_t family, uint8_t host, struct election_priority prio)
{
	struct election_event ev = {.type = ELECTION_EV_ADVERT, .group = group};

	ev.advert.prio = prio;
	ev.advert.src = box_host(family, host);
	return box_feed(b, &ev);
}

int
box_bow_out(struct box *b, uint16_t group)
{
	return box_advert(b, group, 255, 255, 0);
}

int
box_group(struct box *b, enum election_event_type type, uint16_t group)
{
	struct election_event ev = {.type = type, .group = group};

	return box_feed(b, &ev);
}

int
box_switch(struct box *b, enum election_event_type type, bool on)
{
	struct election_event ev = {.type = type, .on = on};

	return box_feed(b, &ev);
}

int
box_link(struct box *b, uint16_t if_id, bool up)
{
	struct election_event ev = {.type = ELECTION_EV_LINK, .if_id = if_id, .on = up};

	return box_feed(b, &ev);
}

int
box_vips(struct box *b, uint16_t group, bool any)
{
	struct election_event ev = {.type = ELECTION_EV_VIPS, .group = group, .on = any};

	return box_feed(b, &ev);
}

int
box_sent(struct box *b, uint16_t group, bool ok)
{
	struct election_event ev = {.type = ELECTION_EV_SENT, .group = group, .on = ok};

	return box_feed(b, &ev);
}

int
box_timing(struct box *b, uint16_t group, uint8_t advbase, uint8_t advskew)
{
	struct election_event ev = {.type = ELECTION_EV_SET_TIMING, .group = group};

	ev.timing.advbase = advbase;
	ev.timing.advskew = advskew;
	return box_feed(b, &ev);
}

int
box_demote(struct box *b, uint8_t amount)
{
	struct election_event ev = {.type = ELECTION_EV_SET_DEMOTION, .amount = amount};

	return box_feed(b, &ev);
}

int
box_stall(struct box *b, base_ns_t gap)
{
	struct election_event ev = {.type = ELECTION_EV_STALL, .gap = gap};

	return box_feed(b, &ev);
}

int
box_frame(struct box *b, uint16_t if_id)
{
	struct election_event ev = {.type = ELECTION_EV_FRAME_SEEN, .if_id = if_id};

	return box_feed(b, &ev);
}

int
box_auth_failed(struct box *b, uint16_t group, uint8_t host)
{
	struct election_event ev = {.type = ELECTION_EV_AUTH_FAILED, .group = group};

	ev.advert.src = box_host(BASE_FAMILY_IP4, host);
	return box_feed(b, &ev);
}

/* A group is there from the first action on that is about it, and until the last one. */
int
box_set(struct box *b, uint16_t group, const struct election_group_config *g)
{
	struct election_actions all = b->list;
	bool gone = b->seen[group].gone;
	int ret;

	b->list.cap = ELECTION_ACTIONS_MIN;
	ret = election_group_set(b->e, group, g, b->now, &b->list);
	b->seen[group].gone = gone && ret != 0;
	record(b);
	b->list.cap = all.cap;
	box_tick(b);
	return ret;
}

int
box_remove(struct box *b, uint16_t group)
{
	struct election_actions all = b->list;
	int ret;

	b->list.cap = ELECTION_ACTIONS_MIN;
	ret = election_group_remove(b->e, group, b->now, &b->list);
	record(b);
	b->list.cap = all.cap;
	if (ret == 0)
		b->seen[group] = (struct seen){.gone = true};
	box_tick(b);
	return ret;
}

void
box_horizon(struct box *b, uint16_t if_id, base_ns_t horizon)
{
	b->lagging = true;
	election_set_rx_horizon(b->e, if_id, horizon);
}

struct election_group_info
box_info(const struct box *b, uint16_t group)
{
	struct election_group_info info;

	assert_int_equal(election_group_info(b->e, group, b->now, &info), 0);
	return info;
}

enum election_state
box_state(const struct box *b, uint16_t group)
{
	return box_info(b, group).state;
}

const struct election_action *
box_take(struct box *b, enum election_action_type type, uint16_t group, base_ns_t at)
{
	const struct step *s;

	if (b->read >= b->n)
		fail_msg("no action left, expected type %d of group %u", (int)type, group);
	s = &b->log[b->read++];
	assert_int_equal(s->act.type, type);
	assert_int_equal(s->act.group, group);
	assert_int_equal(s->at, at);
	return &s->act;
}

const struct election_action *
box_take_advert(struct box *b, uint16_t group, uint8_t advbase, uint8_t advskew, uint8_t demotion,
	base_ns_t at)
{
	const struct election_action *a = box_take(b, ELECTION_ACT_ADVERT, group, at);

	assert_int_equal(a->advert.prio.advbase, advbase);
	assert_int_equal(a->advert.prio.advskew, advskew);
	assert_int_equal(a->advert.prio.demotion, demotion);
	return a;
}

const struct election_action *
box_take_state(struct box *b, uint16_t group, enum election_state to, enum election_cause cause,
	base_ns_t at)
{
	const struct election_action *a = box_take(b, ELECTION_ACT_STATE, group, at);

	assert_int_equal(a->state.to, to);
	assert_string_equal(election_cause_text(a->state.cause), election_cause_text(cause));
	return a;
}

const struct election_action *
box_take_claim(struct box *b, uint16_t group, enum election_cause cause, base_ns_t at)
{
	const struct election_action *advert;

	box_take(b, ELECTION_ACT_OWN, group, at);
	advert = box_take(b, ELECTION_ACT_ADVERT, group, at);
	assert_int_equal(advert->advert.late, BASE_NS_NEVER);
	box_take(b, ELECTION_ACT_ANNOUNCE, group, at);
	return box_take_state(b, group, ELECTION_MASTER, cause, at);
}

const struct election_action *
box_take_demotion(struct box *b, enum election_demotion_source source, uint16_t amount,
	uint32_t total, base_ns_t at)
{
	const struct election_action *a;

	if (b->read >= b->n)
		fail_msg("no action left, expected a demotion");
	a = box_take(b, ELECTION_ACT_DEMOTION, b->log[b->read].act.group, at);
	assert_int_equal(a->demotion.source, source);
	assert_int_equal(a->demotion.amount, amount);
	assert_int_equal(a->demotion.total, total);
	return a;
}

const struct election_action *
box_take_split(struct box *b, uint16_t group, uint8_t reasons, base_ns_t at)
{
	const struct election_action *a = box_take(b, ELECTION_ACT_SPLIT, group, at);

	assert_int_equal(a->split.reasons, reasons);
	return a;
}

const struct election_action *
box_take_warn(struct box *b, uint16_t group, enum election_warn kind, base_ns_t at)
{
	const struct election_action *a = box_take(b, ELECTION_ACT_WARN, group, at);

	assert_int_equal(a->warn.kind, kind);
	return a;
}

const struct election_action *
box_take_put_off(struct box *b, uint16_t group, enum election_cause cause, enum election_hold hold,
	base_ns_t at)
{
	const struct election_action *a = box_take(b, ELECTION_ACT_DECISION, group, at);

	assert_string_equal(election_cause_text(a->decision.cause), election_cause_text(cause));
	assert_string_equal(election_hold_name(a->decision.hold), election_hold_name(hold));
	return a;
}

void
box_quiet(const struct box *b)
{
	if (b->read < b->n)
		fail_msg("action of type %d left for group %u", (int)b->log[b->read].act.type,
			b->log[b->read].act.group);
}

void
box_forget(struct box *b)
{
	b->n = b->read = 0;
}

void
box_make_master(struct box *b, uint16_t group)
{
	box_run(b, box_info(b, group).master_down_deadline);
	assert_int_equal(box_state(b, group), ELECTION_MASTER);
	box_forget(b);
}
