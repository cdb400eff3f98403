/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The election on any events at any times, with the invariants of the unit tests' harness
 * (election_test.c) after every call.
 *
 * The first bytes are the configuration: interfaces and groups, switches, then three bytes a
 * group and two an interface. After that each byte is an operation: its low five bits say which,
 * bit 5 whether the tick waits, bits 6 and 7 which group and interface; what the operation needs
 * follows. What ends early ends the input.
 */
#include "fuzz.h"

#include <string.h>

#include "election_test.h"

#define IFS	2
#define GROUPS	3
#define OPS_MAX 256
/* Fast groups tick 256 times a second. */
#define RUN_MAX SECS(120)

/* Switches of the configuration. */
enum {
	CONF_PREEMPT = 1 << 0,
	CONF_DISALLOW = 1 << 1,
	CONF_STARTUP = 1 << 2,
	CONF_REFRESH = 1 << 3,
	CONF_HORIZON = 1 << 4,
};

enum op {
	OP_ADVERT = 0,
	OP_ADVERT6,
	OP_BOW_OUT,
	OP_RUN_MS,
	OP_RUN_TO_DEADLINE,
	OP_SLEEP_MS,
	OP_LINK,
	OP_UP,
	OP_DOWN,
	OP_FORCE_BACKUP,
	OP_FORCE_MASTER,
	OP_TIMING,
	OP_VIPS,
	OP_PREEMPT,
	OP_ALLOW,
	OP_DEMOTION,
	OP_SENT,
	OP_STALL,
	OP_FRAME,
	OP_AUTH_FAILED,
	OP_HORIZON,
	OP_ANY,
	OP_SHUTDOWN,
	OP_DRAIN,
	OP_COUNT
};

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t
take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static struct box *
build(struct input *in, bool *horizon)
{
	struct election_if_config ifs[IFS];
	struct election_group_config groups[GROUPS];
	uint8_t size = take(in), conf = take(in);
	struct election_config config = {
		.if_count = (uint16_t)(1 + size % IFS),
		.group_count = (uint16_t)(size / IFS % (GROUPS + 1)),
		.ifs = ifs,
		.groups = groups,
		.preempt = conf & CONF_PREEMPT,
		.allow = !(conf & CONF_DISALLOW),
		.seed = size,
		.startup_hold_ns = conf & CONF_STARTUP ? MSECS(100) * take(in) : 0,
		.announce_refresh_ns = conf & CONF_REFRESH ? MSECS(100) * (1 + take(in)) : 0,
	};

	*horizon = conf & CONF_HORIZON;
	for (uint16_t i = 0; i < config.if_count; i++) {
		uint8_t flags = take(in);

		ifs[i] = (struct election_if_config){
			.link_up = flags & 1,
			.track = flags & 2,
			.linkup_hold_ns = MSECS(100) * take(in),
		};
	}
	for (uint16_t i = 0; i < config.group_count; i++) {
		uint8_t flags = take(in);

		groups[i] = (struct election_group_config){
			.if_id = (uint16_t)((flags & 1) % config.if_count),
			.has_vip = !(flags & 2),
			.admin_up = !(flags & 4),
			.start_as_master = flags & 8,
			.families = flags >> 4 & 3,
			.family_timers = flags & 64 ? ELECTION_FAMILY_TIMERS_ANY
						    : ELECTION_FAMILY_TIMERS_ALL,
			.preempt_delay_ns = flags & 128 ? SECS(3) : 0,
			.advbase = take(in),
			.advskew = take(in),
		};
	}
	return box_new(&config);
}

/* An event of the type with its values from the input, in bounds or not. */
static void
feed(struct box *b, struct input *in, enum election_event_type type, uint8_t which, bool tick)
{
	struct election_event ev = {.type = type, .group = which, .if_id = which};

	switch (type) {
	case ELECTION_EV_ADVERT:
	case ELECTION_EV_AUTH_FAILED:
		ev.advert.prio.advbase = take(in);
		ev.advert.prio.advskew = take(in);
		ev.advert.prio.demotion = take(in);
		ev.advert.src = box_host(take(in) & 1 ? 6 : 4, take(in) % 4);
		break;
	case ELECTION_EV_VIPS:
		ev.families = take(in) % 5;
		ev.on = take(in) & 1;
		break;
	case ELECTION_EV_SET_TIMING:
		ev.timing.advbase = take(in);
		ev.timing.advskew = take(in);
		break;
	case ELECTION_EV_SET_DEMOTION:
		ev.amount = take(in);
		break;
	case ELECTION_EV_STALL:
		ev.gap = MSECS(16) * take(in);
		break;
	case ELECTION_EV_LINK:
	case ELECTION_EV_SENT:
	case ELECTION_EV_SET_PREEMPT:
	case ELECTION_EV_SET_ALLOW:
	case ELECTION_EV_DRAIN:
		ev.on = take(in) & 1;
		break;
	case ELECTION_EV_UP:
	case ELECTION_EV_DOWN:
	case ELECTION_EV_FORCE_BACKUP:
	case ELECTION_EV_FORCE_MASTER:
	case ELECTION_EV_SHUTDOWN:
	case ELECTION_EV_FRAME_SEEN:
		break;
	}
	(void)box_input(b, &ev);
	if (tick)
		box_tick(b);
}

static enum election_event_type
event_of(enum op op)
{
	static const enum election_event_type types[OP_COUNT] = {
		[OP_ADVERT] = ELECTION_EV_ADVERT,
		[OP_LINK] = ELECTION_EV_LINK,
		[OP_UP] = ELECTION_EV_UP,
		[OP_DOWN] = ELECTION_EV_DOWN,
		[OP_FORCE_BACKUP] = ELECTION_EV_FORCE_BACKUP,
		[OP_FORCE_MASTER] = ELECTION_EV_FORCE_MASTER,
		[OP_TIMING] = ELECTION_EV_SET_TIMING,
		[OP_VIPS] = ELECTION_EV_VIPS,
		[OP_PREEMPT] = ELECTION_EV_SET_PREEMPT,
		[OP_ALLOW] = ELECTION_EV_SET_ALLOW,
		[OP_DEMOTION] = ELECTION_EV_SET_DEMOTION,
		[OP_SENT] = ELECTION_EV_SENT,
		[OP_STALL] = ELECTION_EV_STALL,
		[OP_FRAME] = ELECTION_EV_FRAME_SEEN,
		[OP_AUTH_FAILED] = ELECTION_EV_AUTH_FAILED,
		[OP_SHUTDOWN] = ELECTION_EV_SHUTDOWN,
		[OP_DRAIN] = ELECTION_EV_DRAIN,
	};

	return types[op];
}

/* Ids of 3 are out of bounds more often than not. */
static void
operate(struct box *b, struct input *in, base_ns_t *budget, bool horizon)
{
	uint8_t byte = take(in), which = byte >> 6;
	bool tick = !(byte & 32);
	enum op op = (enum op)(byte % 32 % OP_COUNT);
	base_ns_t next, d;

	switch (op) {
	case OP_ADVERT6:
	case OP_BOW_OUT:
		if (which < b->group_count)
			box_advert_from(b, which, op == OP_ADVERT6 ? 6 : 4, which,
				op == OP_BOW_OUT ? (struct election_priority){255, 255, 0}
						 : (struct election_priority){1, take(in), 0});
		return;
	case OP_RUN_MS:
	case OP_SLEEP_MS:
		d = MSECS(8) * (1 + take(in));
		d = d < *budget ? d : *budget;
		*budget -= d;
		if (op == OP_RUN_MS)
			box_run(b, b->now + d);
		else
			box_sleep(b, d);
		return;
	case OP_RUN_TO_DEADLINE:
		next = election_deadline(b->e);
		if (next > b->now && next - b->now <= *budget) {
			*budget -= next - b->now;
			box_run(b, next);
		}
		return;
	case OP_HORIZON:
		if (horizon && which < IFS && which < b->if_count)
			box_horizon(b, which, b->now - MSECS(4) * take(in));
		return;
	case OP_ANY:
		feed(b, in, (enum election_event_type)(take(in) % (ELECTION_EV_AUTH_FAILED + 2)),
			which, tick);
		return;
	case OP_ADVERT:
	case OP_LINK:
	case OP_UP:
	case OP_DOWN:
	case OP_FORCE_BACKUP:
	case OP_FORCE_MASTER:
	case OP_TIMING:
	case OP_VIPS:
	case OP_PREEMPT:
	case OP_ALLOW:
	case OP_DEMOTION:
	case OP_SENT:
	case OP_STALL:
	case OP_FRAME:
	case OP_AUTH_FAILED:
	case OP_SHUTDOWN:
	case OP_DRAIN:
		feed(b, in, event_of(op), which, tick);
		return;
	case OP_COUNT:
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.p = data, .left = size};
	base_ns_t budget = RUN_MAX;
	bool horizon;
	struct box *b = build(&in, &horizon);

	if (b == NULL)
		return 0;
	box_tick(b);
	for (unsigned int i = 0; i < OPS_MAX && in.left > 0; i++)
		operate(b, &in, &budget, horizon);
	/* whatever happened, it comes to rest */
	box_run(b, b->now + SECS(1));
	box_free(b);
	return 0;
}
