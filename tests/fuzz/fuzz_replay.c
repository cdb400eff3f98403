/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The guard against replays on any story. The first byte says the mode; each further four bytes are
 * an advert: who sends it, with which counter (new, following on one, or one from before), with
 * which priority, and when.
 */
#include "fuzz.h"

#include <string.h>

#include "auth_replay.h"
#include "base_assert.h"
#include "base_bytes.h"

#define HISTORY	    64
#define STORY_MAX   4000
#define SOURCES	    32
#define MASTER_DOWN (3 * BASE_NS_PER_S)
#define UNIX_START  (UINT64_C(1795503600) * BASE_NS_PER_S)

/** What happened so far, kept apart from the guard. */
struct story {
	struct auth_replay guard;
	bool strict;
	bool crowded; /* more sources than are remembered: any of them may be forgotten */
	base_ns_t now;
	uint64_t unix_ns;
	uint64_t history[HISTORY]; /* counters of late */
	uint32_t n_history;
	uint64_t known[STORY_MAX]; /* all that were taken or sent by us */
	bool ours[STORY_MAX];
	uint32_t n_known;
	uint8_t cls[SOURCES];
	struct base_rand rand;
};

static struct base_addr
address_of(uint8_t source)
{
	struct base_addr a = {.family = source & 1 ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4,
		.bytes = {10, 0, 0, (uint8_t)(source + 1)}};

	return a;
}

static uint64_t
pick_counter(struct story *s, uint8_t how)
{
	uint64_t past = s->n_history ? s->history[(how >> 3) % s->n_history % HISTORY] : 0;
	uint64_t last = s->n_history ? s->history[(s->n_history - 1) % HISTORY] : 0;

	switch (how & 7) {
	case 0:
		return base_rand_next(&s->rand);
	case 1:
		return last + 1;
	case 2:
		return last;
	case 3:
		return past;
	case 4:
		return past + 1 + (how >> 6);
	case 5:
		return past - 1;
	case 6:
		/* Their clock, up to seven seconds off to either side. */
		return auth_strict_counter(
			s->unix_ns + (how >> 3) * (BASE_NS_PER_S / 2) - 7 * BASE_NS_PER_S);
	default:
		return UINT64_C(0x0123456789abcdef);
	}
}

static bool
is_known(const struct story *s, uint64_t counter, bool *ours)
{
	bool found = false;

	*ours = false;
	for (uint32_t i = 0; i < s->n_known; i++) {
		if (s->known[i] != counter)
			continue;
		found = true;
		*ours = *ours || s->ours[i];
	}
	return found;
}

static void
know(struct story *s, uint64_t counter, bool ours)
{
	s->known[s->n_known] = counter;
	s->ours[s->n_known++] = ours;
}

/* Every place of memory that is in use is in exactly one chain, that of its counter. */
static void
check_memory(const struct auth_replay *r)
{
	uint32_t chained = 0, used = 0;

	for (size_t h = 0; h < sizeof(r->head) / sizeof(r->head[0]); h++)
		for (uint16_t i = r->head[h]; i != UINT16_MAX; i = r->seen[i].next) {
			BASE_ASSERT(i < AUTH_REPLAY_KEPT && r->seen[i].order != 0);
			chained++;
			BASE_ASSERT(chained <= AUTH_REPLAY_KEPT);
		}
	for (size_t i = 0; i < AUTH_REPLAY_KEPT; i++)
		used += r->seen[i].order != 0;
	BASE_ASSERT(used == chained);
}

static void
check_class(struct story *s, uint8_t source, enum auth_replay_class cls)
{
	enum auth_replay_class was = (enum auth_replay_class)s->cls[source];

	BASE_ASSERT(cls == was || was == AUTH_REPLAY_CLASS_UNKNOWN ||
		(was == AUTH_REPLAY_CLASS_CONSTANT && cls == AUTH_REPLAY_CLASS_MIXED));
	s->cls[source] = (uint8_t)cls;
}

static void
advert(struct story *s, const uint8_t in[4])
{
	static struct auth_replay before;
	uint8_t source = in[0] % SOURCES;
	struct auth_replay_advert a = {
		.src = address_of(source),
		.shared_src = (in[0] & 0x40) != 0,
		.counter = pick_counter(s, in[1]),
		.advbase = in[2] & 0x80 ? 255 : 1,
		.advskew = in[2] & 0x80 ? 255 : in[2] & 3,
		.demotion = in[2] >> 2 & 1,
		.bow_out = (in[2] & 0x80) != 0,
	};
	struct auth_replay_report why;
	enum auth_replay_verdict v;
	bool ours, known = is_known(s, a.counter, &ours);

	s->crowded = s->crowded || source >= AUTH_REPLAY_SOURCES;
	before = s->guard;
	v = auth_replay_check(&s->guard, &a, s->now, s->unix_ns, &why);
	s->history[s->n_history++ % HISTORY] = a.counter;
	if (s->strict) {
		uint64_t us;

		/* Taken once, and only with a time that is about now. */
		BASE_ASSERT(v != AUTH_REPLAY_OK || !known);
		BASE_ASSERT((v == AUTH_REPLAY_NOT_STRICT) == !auth_strict_time(a.counter, &us));
		BASE_ASSERT(v != AUTH_REPLAY_OK ||
			(why.clock_diff_ms >= -5000 && why.clock_diff_ms <= 5000));
	} else {
		BASE_ASSERT(v <= AUTH_REPLAY_REPLAY);
		BASE_ASSERT(known || v == AUTH_REPLAY_OK);
		/* Memory is larger than a story is for what we sent. */
		BASE_ASSERT(v != AUTH_REPLAY_OK || !ours || s->n_known > AUTH_REPLAY_KEPT);
		if (!a.shared_src && !s->crowded)
			check_class(s, source, why.cls);
	}
	/* A refused advert leaves no trace, but that a clock put back is noticed in strict mode. */
	if (v != AUTH_REPLAY_OK && !s->strict)
		BASE_ASSERT(memcmp(&before, &s->guard, sizeof(before)) == 0);
	if (v == AUTH_REPLAY_OK && !known)
		know(s, a.counter, false);
}

static void
other(struct story *s, const uint8_t in[4])
{
	uint64_t counter;
	bool ours;

	if (in[1] & 0x80) {
		unsigned int had = 0, forgot = auth_replay_forget(&s->guard);

		for (unsigned int i = 0; i < SOURCES; i++) {
			struct base_addr a = address_of((uint8_t)i);

			had += s->cls[i] != AUTH_REPLAY_CLASS_UNKNOWN;
			s->cls[i] = AUTH_REPLAY_CLASS_UNKNOWN;
			BASE_ASSERT(
				auth_replay_class_of(&s->guard, &a) == AUTH_REPLAY_CLASS_UNKNOWN);
		}
		BASE_ASSERT(forgot >= had || s->crowded);
		return;
	}
	counter = s->strict ? auth_strict_counter(s->unix_ns) : base_rand_next(&s->rand);
	if (is_known(s, counter, &ours))
		return;
	auth_replay_sent(&s->guard, counter, s->now);
	s->history[s->n_history++ % HISTORY] = counter;
	know(s, counter, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct story s;

	if (size == 0 || size > 4 * (STORY_MAX - 1))
		return 0;
	memset(&s, 0, sizeof(s));
	s.strict = data[0] & 1;
	s.now = 1000 * BASE_NS_PER_S;
	s.unix_ns = UNIX_START;
	base_rand_init(&s.rand, data[0]);
	auth_replay_init(&s.guard, s.strict, MASTER_DOWN);
	for (size_t i = 1; i + 4 <= size; i += 4) {
		/* Up to three master-down times between two. */
		base_ns_t gap = data[i + 3] * (MASTER_DOWN / 85);

		s.now += gap;
		s.unix_ns += gap;
		if (data[i] & 0x80)
			other(&s, data + i);
		else
			advert(&s, data + i);
	}
	check_memory(&s.guard);
	return 0;
}
