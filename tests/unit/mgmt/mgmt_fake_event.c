/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Events of the fake box: tests append them, perhaps while threads follow. */
#include "mgmt_fake.h"

/* The next event, which nobody sees yet. */
static struct ctl_event *
next_event(enum ctl_event_kind kind)
{
	struct ctl_event *e = &fake.events[fake.n_events];

	*e = (struct ctl_event){
		.seq = fake.n_events + 1,
		/* 2026-05-01T12:00:00.123Z, one second apart */
		.wall_ns = 1777636800123 * BASE_NS_PER_MS + fake.n_events * BASE_NS_PER_S,
		.kind = kind,
		.group = ELECTION_NONE,
		.if_id = ELECTION_NONE,
		.since_heard = BASE_NS_NEVER,
	};
	return e;
}

static void
publish_event(void)
{
	__atomic_store_n(&fake.n_events, fake.n_events + 1, __ATOMIC_RELEASE);
}

struct ctl_event *
fake_event(enum ctl_event_kind kind)
{
	struct ctl_event *e = next_event(kind);

	publish_event();
	return e;
}

struct ctl_event *
fake_transition(uint16_t group, enum election_state from, enum election_cause cause)
{
	struct ctl_event *e = next_event(CTL_EVENT_STATE);
	struct election_group_info *info = &fake.groups[group].info;

	info->cause = cause;
	e->group = group;
	e->from = from;
	e->to = info->state;
	e->cause = cause;
	e->own = info->sent;
	e->peer = info->heard;
	e->src = info->heard_from;
	publish_event();
	return e;
}

uint32_t
ctl_events(const struct ctl *c, uint16_t group, uint64_t after, struct ctl_event *out, uint32_t cap,
	uint64_t *last)
{
	uint32_t have = __atomic_load_n(&fake.n_events, __ATOMIC_ACQUIRE), n = 0, of_group = 0;

	(void)c;
	*last = after;
	for (uint32_t i = 0; i < have; i++)
		of_group += fake.events[i].group == group;
	for (uint32_t i = 0; i < have && n < cap; i++) {
		const struct ctl_event *e = &fake.events[i];

		if (group != ELECTION_NONE) {
			/* older ones are not kept */
			if (e->group != group || of_group-- > CTL_DECISIONS_KEPT)
				continue;
		}
		if (e->seq <= after)
			continue;
		*last = e->seq;
		out[n++] = *e;
	}
	return n;
}

uint64_t
ctl_event_newest(const struct ctl *c)
{
	const uint32_t n = __atomic_load_n(&fake.n_events, __ATOMIC_ACQUIRE);

	(void)c;
	return n > 0 ? fake.events[n - 1].seq : 0;
}
