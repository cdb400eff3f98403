/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Events: a ring that the control lcore writes and anybody reads. */

#include <string.h>

#include "base_wall.h"
#include "ctl_priv.h"

_Static_assert(sizeof(struct ctl_event) % sizeof(ctl_word) == 0, "copied by words");

struct ctl_event
ctl_event_new(enum ctl_event_kind kind)
{
	struct ctl_event ev = {
		.kind = kind,
		.group = ELECTION_NONE,
		.if_id = ELECTION_NONE,
		.since_heard = BASE_NS_NEVER,
	};

	return ev;
}

/*
 * What belongs to a group is kept for it too, so that a busy box does not push it out; and not what
 * anybody on the segment can make as many of as he likes.
 */
static bool
is_decision(const struct ctl_event *ev)
{
	return ev->group != ELECTION_NONE && ev->kind != CTL_EVENT_BAD_ADVERT;
}

void
ctl_event_write(struct ctl *c, struct ctl_event *ev)
{
	uint64_t seq = c->event_seq + 1;
	struct ctl_event_slot *slot = &c->events[seq % CTL_EVENT_SLOTS];

	ev->seq = seq;
	ev->wall_ns = base_wall_ns();
	ev->at = c->now;
	ctl_seq_write(&slot->seq, &slot->event, ev, sizeof(*ev));
	if (is_decision(ev)) {
		struct ctl_decisions *d = &c->decisions[ev->group];

		slot = &d->slot[d->written % CTL_DECISION_SLOTS];
		ctl_seq_write(&slot->seq, &slot->event, ev, sizeof(*ev));
		__atomic_store_n(&d->written, d->written + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&c->event_seq, seq, __ATOMIC_RELEASE);
}

static uint32_t
group_events(const struct ctl *c, uint16_t group, uint64_t after, struct ctl_event *out,
	uint32_t cap, uint64_t *last)
{
	const struct ctl_decisions *d = &c->decisions[group];
	uint64_t written = __atomic_load_n(&d->written, __ATOMIC_ACQUIRE);
	uint64_t first = written > CTL_DECISIONS_KEPT ? written - CTL_DECISIONS_KEPT : 0;
	uint32_t n = 0;

	*last = after;
	for (uint64_t i = first; i < written && n < cap; i++) {
		const struct ctl_event_slot *slot = &d->slot[i % CTL_DECISION_SLOTS];

		ctl_seq_read(&slot->seq, &out[n], &slot->event, sizeof(out[n]));
		/* older than asked for, or overwritten meanwhile by a newer one out of turn */
		if (out[n].seq <= *last)
			continue;
		*last = out[n++].seq;
	}
	return n;
}

uint32_t
ctl_events(const struct ctl *c, uint16_t group, uint64_t after, struct ctl_event *out, uint32_t cap,
	uint64_t *last)
{
	uint64_t newest = __atomic_load_n(&c->event_seq, __ATOMIC_ACQUIRE);
	uint32_t n = 0;

	if (group != ELECTION_NONE)
		return group < c->group_room ? group_events(c, group, after, out, cap, last) : 0;
	if (newest > CTL_EVENTS_KEPT && after < newest - CTL_EVENTS_KEPT)
		after = newest - CTL_EVENTS_KEPT;
	*last = after;
	for (uint64_t seq = after + 1; seq <= newest && n < cap; seq++) {
		const struct ctl_event_slot *slot = &c->events[seq % CTL_EVENT_SLOTS];

		ctl_seq_read(&slot->seq, &out[n], &slot->event, sizeof(out[n]));
		*last = seq;
		/* overwritten meanwhile by a newer one: it will come in its own turn */
		if (out[n].seq == seq)
			n++;
	}
	return n;
}

uint64_t
ctl_event_newest(const struct ctl *c)
{
	return __atomic_load_n(&c->event_seq, __ATOMIC_ACQUIRE);
}

static uint64_t
bad_key(uint16_t if_id, uint16_t group, enum ctl_stat stat, const struct base_addr *src)
{
	uint64_t key = (uint64_t)(stat + 1) << 32 |
		(group == ELECTION_NONE ? UINT64_C(1) << 16 | if_id : (uint64_t)group);

	for (unsigned int i = 0; i < sizeof(src->bytes); i++)
		key = (key ^ src->bytes[i]) * UINT64_C(0x100000001b3);
	return key;
}

/* At most one line per reason, group and source in 10 s, with the number suppressed (note 6). */
void
ctl_event_bad(struct ctl *c, uint16_t if_id, uint16_t group, enum ctl_stat stat,
	const struct base_addr *src)
{
	uint64_t key = bad_key(if_id, group, stat, src);
	/* A table of fixed size: who shares a slot is limited together, never unlimited. */
	struct ctl_bad *b = &c->bad[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 56];

	if (c->log < 2)
		return;
	if (b->key != 0 && c->now - b->at < CTL_BAD_QUIET_NS) {
		b->suppressed++;
		return;
	}
	struct ctl_event ev = ctl_event_new(CTL_EVENT_BAD_ADVERT);

	ev.if_id = if_id;
	ev.group = group;
	ev.stat = stat;
	ev.src = *src;
	ev.suppressed = b->suppressed;
	*b = (struct ctl_bad){.key = key, .at = c->now};
	ctl_event_write(c, &ev);
}
