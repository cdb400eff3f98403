/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth_replay.h"

/* Counters that carry time, and the guard of groups made only of koi. */

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define MASTER_DOWN (3 * BASE_NS_PER_S)
/* 2026-11-24, 07:00 UTC, and a bit. */
#define T0     (UINT64_C(1795503600) * BASE_NS_PER_S + 123456000)
#define WINDOW AUTH_STRICT_WINDOW_NS
#define MS     BASE_NS_PER_MS
#define US     BASE_NS_PER_US

static struct base_addr
address_of(char who)
{
	struct base_addr a = {.family = BASE_FAMILY_IP4, .bytes = {10, 0, 0, (uint8_t)who}};

	return a;
}

static enum auth_replay_verdict
check(struct auth_replay *r, char who, uint64_t counter, uint64_t unix_ns,
	struct auth_replay_report *why)
{
	struct auth_replay_advert a = {
		.src = address_of(who), .shared_src = who == 'V', .counter = counter, .advbase = 1};

	return auth_replay_check(r, &a, unix_ns - T0 + 1000 * BASE_NS_PER_S, unix_ns, why);
}

static void
counter_carries_its_time(void **state)
{
	static const uint64_t times[] = {
		0, 999, 1000, 1001, T0, T0 + 999, T0 + 1000, UINT64_C(4102444800) * BASE_NS_PER_S};
	uint64_t us, untouched = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		uint64_t counter = auth_strict_counter(times[i]);

		assert_true(counter != 0);
		assert_true(auth_strict_time(counter, &us));
		assert_true(us == (times[i] < 1000 ? 1 : times[i] / 1000));
		/* What a NetBSD, FreeBSD or ucarp makes of it, for over an hour and back. */
		for (uint64_t k = 1; k < 4000; k++) {
			if (auth_strict_time(counter + k, &us))
				fail_msg("%zu and %u more", i, (unsigned int)k);
		}
	}
	assert_false(auth_strict_time(0, &untouched));
	assert_false(auth_strict_time(1, &untouched));
	assert_true(untouched == 77);
}

static void
later_counters_are_larger(void **state)
{
	uint64_t last = auth_strict_counter(T0);

	(void)state;
	for (uint64_t i = 1; i < 100000; i++) {
		uint64_t counter = auth_strict_counter(T0 + i * US);

		assert_true(counter > last);
		last = counter;
	}
}

static void
random_counters_carry_none(void **state)
{
	struct base_rand rand;
	unsigned int taken = 0;

	(void)state;
	base_rand_init(&rand, 5);
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t us;

		taken += auth_strict_time(base_rand_next(&rand), &us);
	}
	/* One in 4095 has the right bits, with a time of any century. */
	assert_true(taken > 0 && taken < 60);
}

static void
counters_that_we_send(void **state)
{
	struct auth_counters c = {0};
	uint64_t last, counter, us;

	(void)state;
	last = auth_counters_next_strict(&c, T0);
	assert_true(last == auth_strict_counter(T0));
	assert_true(auth_counters_own(&c, last));
	/* Two families at one time, a clock that stands, one that goes back a little. */
	for (unsigned int i = 1; i < 20; i++) {
		counter = auth_counters_next_strict(&c, T0 - i * 100 * MS);
		assert_true(counter == auth_strict_counter(T0 + i * US));
		assert_true(counter > last);
		last = counter;
		assert_true(auth_counters_own(&c, counter));
	}
	counter = auth_counters_next_strict(&c, T0 + BASE_NS_PER_S);
	assert_true(counter == auth_strict_counter(T0 + BASE_NS_PER_S));
	/* A clock that was put back by an hour: its time is the true one now. */
	counter = auth_counters_next_strict(&c, T0 - 3600 * BASE_NS_PER_S);
	assert_true(counter == auth_strict_counter(T0 - 3600 * BASE_NS_PER_S));
	/* After random ones, when the group became strict. */
	c.sent[(c.next + AUTH_COUNTER_MEMORY - 1) % AUTH_COUNTER_MEMORY] = UINT64_MAX;
	counter = auth_counters_next_strict(&c, T0);
	assert_true(auth_strict_time(counter, &us));
	assert_true(us == T0 / 1000);
}

struct step {
	uint64_t at;  /* our clock, after T0 */
	char who;     /* 0: end */
	int64_t sent; /* theirs, after T0 */
	enum auth_replay_verdict want;
};

#define OK     AUTH_REPLAY_OK
#define DUP    AUTH_REPLAY_DUPLICATE
#define REPLAY AUTH_REPLAY_REPLAY
#define STALE  AUTH_REPLAY_STALE
#define S(n)   ((n) * (int64_t)BASE_NS_PER_S)
#define M(n)   ((n) * (int64_t)BASE_NS_PER_MS)

static const struct {
	const char *name;
	struct step steps[12];
} stories[] = {
	{"one that sends, each advert once",
		{{S(1), 'A', S(1), OK}, {S(2), 'A', S(2), OK}, {S(2), 'A', S(2), DUP},
			{S(3), 'A', S(2), DUP}, {S(3) + M(100), 'A', S(2), REPLAY},
			{S(4), 'A', S(1), REPLAY}, {S(4), 'A', S(4), OK}}},
	{"under another address, whoever may have sent it",
		{{S(1), 'A', S(1), OK}, {S(1), 'X', S(1), REPLAY}, {S(2), 'V', S(1), REPLAY},
			{S(2), 'B', S(2), OK}, {S(2), 'A', S(2), REPLAY}}},
	{"clocks that differ by up to the window",
		{{S(10), 'A', S(15), OK}, {S(10), 'B', S(5), OK}, {S(11), 'A', S(16), OK},
			{S(11), 'B', S(6), OK}, {S(12), 'A', S(17) + M(1), STALE},
			{S(12), 'B', S(7) - M(1), STALE}}},
	{"reordered a little, and an older one that was never heard",
		{{S(10), 'A', S(10), OK}, {S(11), 'A', S(11), OK}, {S(11), 'A', S(11) - M(900), OK},
			{S(12), 'A', S(10) + M(50), OK}, {S(12), 'A', S(10) - M(50), REPLAY},
			{S(12), 'A', S(10) + M(50), DUP}}},
	{"an old one, when nothing of its sender is known",
		{{S(60), 'A', S(54), STALE}, {S(60), 'A', S(58), OK}, {S(60), 'V', S(55), OK},
			{S(60), 'V', S(59), OK}, {S(60), 'V', S(57), OK}}},
	{"a restarted peer goes on with the time",
		{{S(1), 'A', S(1), OK}, {S(2), 'A', S(2), OK}, {S(30), 'A', S(30), OK}}},
	{"all clocks put back by an hour",
		{{S(3600), 'A', S(3600), OK}, {S(3601), 'A', S(3601), OK}, {S(2), 'A', S(2), OK},
			{S(3), 'A', S(3), OK}, {S(4), 'A', S(3), DUP}}},
};

static void
stories_of_strict_peers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		struct auth_replay r;

		auth_replay_init(&r, true, MASTER_DOWN);
		for (size_t k = 0; k < COUNT(stories[i].steps) && stories[i].steps[k].who; k++) {
			const struct step *s = &stories[i].steps[k];
			struct auth_replay_report why;
			enum auth_replay_verdict got = check(&r, s->who,
				auth_strict_counter(T0 + (uint64_t)s->sent), T0 + s->at, &why);
			int64_t diff = ((int64_t)s->at - s->sent) / (int64_t)MS;

			if (got != s->want)
				fail_msg("%s, step %zu: %s", stories[i].name, k,
					auth_replay_name(got));
			/* A counter has whole microseconds. */
			assert_in_range(why.clock_diff_ms - diff + 1, 0, 2);
		}
	}
}

static void
mixed_peers_are_named(void **state)
{
	struct auth_replay r;
	struct base_rand rand;
	uint64_t counter = auth_strict_counter(T0);

	(void)state;
	auth_replay_init(&r, true, MASTER_DOWN);
	assert_int_equal(check(&r, 'A', counter, T0, NULL), OK);
	/* A NetBSD that heard it counts on from there. */
	for (uint64_t k = 1; k <= 100; k++)
		assert_int_equal(check(&r, 'B', counter + k, T0 + k * BASE_NS_PER_S, NULL),
			AUTH_REPLAY_NOT_STRICT);
	/* An OpenBSD, a koi that is not strict: random. */
	base_rand_init(&rand, 8);
	for (unsigned int i = 0; i < 1000; i++) {
		enum auth_replay_verdict got =
			check(&r, 'O', base_rand_next(&rand), T0 + i * BASE_NS_PER_S, NULL);

		assert_true(got == AUTH_REPLAY_NOT_STRICT || got == AUTH_REPLAY_STALE);
	}
}

static void
difference_of_clocks_is_said(void **state)
{
	static const int64_t behind[] = {0, S(2), S(-2), S(7), S(-7), S(86400), S(-86400)};
	struct auth_replay r;

	(void)state;
	auth_replay_init(&r, true, MASTER_DOWN);
	for (size_t i = 0; i < COUNT(behind); i++) {
		struct auth_replay_report why;
		uint64_t theirs = T0 - (uint64_t)behind[i];

		check(&r, 'A', auth_strict_counter(theirs), T0, &why);

		assert_in_range(why.clock_diff_ms - behind[i] / (int64_t)MS + 1, 0, 2);
	}
	/* A clock that was never set. */
	assert_int_equal(check(&r, 'A', auth_strict_counter(0), T0, NULL), STALE);
}

static void
our_own_are_never_taken(void **state)
{
	struct auth_replay r;
	struct auth_counters c = {0};
	uint64_t first = auth_counters_next_strict(&c, T0);

	(void)state;
	auth_replay_init(&r, true, MASTER_DOWN);
	auth_replay_sent(&r, first, 1000 * BASE_NS_PER_S);
	for (unsigned int i = 0; i < 20; i++)
		auth_replay_sent(
			&r, auth_counters_next_strict(&c, T0 + i * 10 * MS), 1000 * BASE_NS_PER_S);
	assert_false(auth_counters_own(&c, first));
	assert_int_equal(check(&r, 'A', first, T0 + BASE_NS_PER_S, NULL), REPLAY);
}

static void
nothing_is_taken_twice_at_any_rate(void **state)
{
	struct auth_replay r;
	struct base_rand rand;
	uint64_t sent[4000], now = T0;

	(void)state;
	auth_replay_init(&r, true, 12 * MS);
	base_rand_init(&rand, 6);
	/* Two masters of a fast group in both families: more in the window than memory holds. */
	for (size_t i = 0; i < COUNT(sent); i++) {
		now = T0 + i * MS;
		sent[i] = auth_strict_counter(now);
		assert_int_equal(check(&r, i & 1 ? 'A' : 'B', sent[i], now, NULL), OK);
		for (unsigned int k = 0; k < 4; k++) {
			size_t back = (size_t)base_rand_below(&rand, i + 1);
			char who = "ABX"[base_rand_below(&rand, 3)];

			if (check(&r, who, sent[back], now, NULL) == OK)
				fail_msg("%zu taken again after %zu", back, i);
		}
	}
}

static void
clock_put_back_after_much_was_forgotten(void **state)
{
	struct auth_replay r;
	uint64_t now = T0;

	(void)state;
	auth_replay_init(&r, true, MASTER_DOWN);
	for (unsigned int i = 0; i < 2 * AUTH_REPLAY_KEPT; i++) {
		now += BASE_NS_PER_S;
		assert_int_equal(check(&r, 'A', auth_strict_counter(now), now, NULL), OK);
	}
	/* All boxes follow the same server, and what was sent since is in the future now. */
	now -= 3600 * BASE_NS_PER_S;
	assert_int_equal(check(&r, 'B', auth_strict_counter(now), now, NULL), OK);
	assert_int_equal(check(&r, 'A', auth_strict_counter(now + US), now, NULL), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_carries_its_time),
		cmocka_unit_test(later_counters_are_larger),
		cmocka_unit_test(random_counters_carry_none),
		cmocka_unit_test(counters_that_we_send),
		cmocka_unit_test(stories_of_strict_peers),
		cmocka_unit_test(mixed_peers_are_named),
		cmocka_unit_test(difference_of_clocks_is_said),
		cmocka_unit_test(our_own_are_never_taken),
		cmocka_unit_test(nothing_is_taken_twice_at_any_rate),
		cmocka_unit_test(clock_put_back_after_much_was_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
