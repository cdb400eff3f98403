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

/* The default mode, by small stories: who sent which counter when, and what the guard says. */

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define STEPS_MAX   24
#define MASTER_DOWN (3 * BASE_NS_PER_S + 100 * BASE_NS_PER_SKEW)

/* Counters: what a random one looks like, and where others count on from. */
#define R1 UINT64_C(0x7701470395a6ea2d)
#define R2 UINT64_C(0xad9e8a718393ddba)
#define R3 UINT64_C(0xb17103827c5c6961)
#define R4 UINT64_C(0x331e3f2f4ef67165)
#define R5 UINT64_C(0xce420e817221da95)
#define N  UINT64_C(0x434faca06891f600)
#define C  UINT64_C(0x0123456789abcdef)

enum { NONE = 0xffff };

struct step {
	unsigned int ms;
	char who; /* 0: end; V: a VIP, so any box; 0.0.0.0 is 'z'; K: we ourselves send */
	uint64_t counter;
	uint16_t prio; /* advbase << 8 | advskew; 0: 1/0 */
	uint16_t want; /* enum auth_replay_verdict */
	uint16_t cls;  /* enum auth_replay_class of the source afterwards, or NONE: whichever */
};

#define BOW_OUT 0xffff
#define OK	AUTH_REPLAY_OK
#define DUP	AUTH_REPLAY_DUPLICATE
#define REPLAY	AUTH_REPLAY_REPLAY
#define U	AUTH_REPLAY_CLASS_UNKNOWN
#define CONST	AUTH_REPLAY_CLASS_CONSTANT
#define MIXED	AUTH_REPLAY_CLASS_MIXED
#define CHANGE	AUTH_REPLAY_CLASS_CHANGING

static struct base_addr
address_of(char who)
{
	struct base_addr a = {.family = BASE_FAMILY_IP4, .bytes = {10, 0, 0, (uint8_t)who}};

	/* A small letter is the IPv6 address of the box with the capital. */
	if (who >= 'a' && who <= 'y') {
		a.family = BASE_FAMILY_IP6;
		a.bytes[0] = 0xfe;
	} else if (who == 'z') {
		memset(a.bytes, 0, sizeof(a.bytes));
	}
	return a;
}

static void
play(const char *name, const struct step *steps, size_t n)
{
	struct auth_replay *r = malloc(sizeof(*r));

	assert_non_null(r);
	auth_replay_init(r, false, MASTER_DOWN);
	for (size_t i = 0; i < n && steps[i].who != 0; i++) {
		uint16_t prio = steps[i].prio ? steps[i].prio : 0x0100;
		base_ns_t now = 1000 * BASE_NS_PER_S + steps[i].ms * BASE_NS_PER_MS;
		struct auth_replay_advert a = {
			.src = address_of(steps[i].who),
			.shared_src = steps[i].who == 'V',
			.counter = steps[i].counter,
			.advbase = (uint8_t)(prio >> 8),
			.advskew = (uint8_t)prio,
			.bow_out = prio == BOW_OUT,
		};
		struct auth_replay_report why;
		enum auth_replay_verdict got;

		if (steps[i].who == 'K') {
			auth_replay_sent(r, steps[i].counter, now);
			continue;
		}
		got = auth_replay_check(r, &a, now, 0, &why);
		if (got != steps[i].want)
			fail_msg("%s, step %zu: %s", name, i, auth_replay_name(got));
		if (steps[i].cls != NONE && why.cls != steps[i].cls)
			fail_msg("%s, step %zu: %s", name, i, auth_replay_class_name(why.cls));
		assert_int_equal(auth_replay_class_of(r, &a.src), why.cls);
	}
	free(r);
}

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
} stories[] = {
	{"OpenBSD repeats one counter, demotes and bows out with it, and may be replayed",
		{{0, 'O', C, 0, OK, U}, {1000, 'O', C, 0, OK, U}, {2000, 'O', C, 0, OK, CONST},
			{3000, 'O', C, 0x01f0, OK, CONST}, {4000, 'O', C, BOW_OUT, OK, CONST},
			{90000, 'O', C, 0, OK, CONST}, {90001, 'X', C, 0x0200, OK, U}}},
	{"OpenBSD in both families, and one frame delivered thrice",
		{{0, 'O', C, 0, OK, U}, {0, 'o', C, 0, OK, U}, {0, 'o', C, 0, OK, U},
			{0, 'o', C, 0, OK, U}, {1000, 'O', C, 0, OK, U}, {1000, 'o', C, 0, OK, U},
			{2000, 'O', C, 0, OK, CONST}, {2000, 'o', C, 0, OK, U}}},
	{"OpenBSD restarts, known or not known well, and again",
		{{0, 'O', R1, 0, OK, U}, {20000, 'O', R2, 0, OK, U}, {21000, 'O', R2, 0, OK, U},
			{22000, 'O', R2, BOW_OUT, OK, CONST}, {60000, 'O', R3, 0, OK, CONST},
			{61000, 'O', R3, 0, OK, CONST}, {62000, 'O', R3, 0, OK, CONST},
			{70000, 'O', R4, 0, OK, CONST}, {80000, 'O', R5, 0, OK, CONST},
			{81000, 'O', R5, 0, OK, CONST}}},
	{"OpenBSD restarts twice before it repeats anything",
		{{0, 'O', R1, 0, OK, U}, {20000, 'O', R2, 0, OK, U}, {40000, 'O', R3, 0, OK, U},
			{41000, 'O', R3, 0, OK, U}, {42000, 'O', R3, 0, OK, CONST}}},
	{"a box that was an OpenBSD is a koi now",
		{{0, 'O', C, 0, OK, U}, {1000, 'O', C, 0, OK, U}, {2000, 'O', C, 0, OK, CONST},
			{90000, 'O', R1, 0, OK, CONST}, {91000, 'O', R2, 0, OK, CONST},
			{92000, 'O', R3, 0, OK, MIXED}, {93000, 'O', R3, 0, OK, MIXED}}},
	{"koi, or a NetBSD that heard nobody, is known after three counters",
		{{0, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U}, {2000, 'A', R3, 0, OK, CHANGE},
			{3000, 'A', R4, 0, OK, CHANGE}, {9000, 'A', R5, 0, OK, CHANGE}}},
	{"a NetBSD that counts on is known after two",
		{{0, 'A', N, 0, OK, U}, {1000, 'A', N + 1, 0, OK, CHANGE}}},
	{"and after two of its own where it took over from another",
		{{0, 'A', R1, 0, OK, U}, {3400, 'B', R1 + 1, 0, OK, U},
			{4400, 'B', R1 + 2, 0, OK, CHANGE}}},
	{"what came before its source was known is guarded as well",
		{{0, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U}, {2000, 'A', R3, 0, OK, CHANGE},
			{3000, 'A', R1, 0, REPLAY, CHANGE}, {3000, 'A', R2, 0, REPLAY, CHANGE}}},
	{"never back to constant, whatever is replayed",
		{{0, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U}, {2000, 'A', R3, 0, OK, CHANGE},
			{5000, 'A', R3, 0, REPLAY, CHANGE}, {6000, 'A', R3, 0, REPLAY, CHANGE},
			{7000, 'A', R3, 0, REPLAY, CHANGE}, {8000, 'A', R4, 0, OK, CHANGE},
			{10000, 'A', R4, 0, REPLAY, CHANGE}, {11000, 'A', R4, 0, REPLAY, CHANGE},
			{12000, 'A', R4, 0, REPLAY, CHANGE}}},
	{"another priority or a bow-out with a digest heard before, at once or later",
		{{0, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U}, {2000, 'A', R3, 0, OK, CHANGE},
			{2000, 'A', R3, 0x0101, REPLAY, CHANGE},
			{2000, 'A', R3, BOW_OUT, REPLAY, CHANGE},
			{2500, 'A', R2, BOW_OUT, REPLAY, CHANGE},
			{2600, 'A', R1, 0x0001, REPLAY, CHANGE},
			{400000, 'A', R3, BOW_OUT, REPLAY, CHANGE},
			/* What was refused left no trace. */
			{400100, 'A', R3, 0x0101, REPLAY, CHANGE},
			{400200, 'A', R4, 0, OK, CHANGE}}},
	{"a frame that the network delivers twice, and one that keeps a dead master alive",
		{{0, 'A', N, 0, OK, U}, {1000, 'A', N + 1, 0, OK, CHANGE},
			{1000, 'A', N + 1, 0, DUP, CHANGE}, {1500, 'A', N + 1, 0, DUP, CHANGE},
			{2000, 'A', N + 2, 0, OK, CHANGE}, {2100, 'A', N + 1, 0, DUP, CHANGE},
			/* The third of a master-down time is over. */
			{2200, 'A', N + 1, 0, REPLAY, CHANGE}, {3000, 'A', N + 2, 0, DUP, CHANGE},
			{3200, 'A', N + 2, 0, REPLAY, CHANGE},
			{4300, 'A', N + 2, 0, REPLAY, CHANGE},
			{5400, 'A', N + 2, 0, REPLAY, CHANGE}}},
	{"two backups answer a bow-out with one digest",
		{{0, 'A', N, 0, OK, U}, {1000, 'A', N + 1, 0, OK, CHANGE},
			{1300, 'A', N + 2, BOW_OUT, OK, CHANGE}, {1301, 'B', N + 3, 0x0164, OK, U},
			{1301, 'D', N + 3, 0x01c8, OK, U}, {2700, 'B', N + 4, 0x0164, OK, CHANGE},
			{4100, 'B', N + 5, 0x0164, OK, CHANGE}}},
	{"and when both are known",
		{{0, 'B', N, 0, OK, U}, {1000, 'B', N + 1, 0, OK, CHANGE},
			{2000, 'D', N + 2, 0, OK, U}, {3000, 'D', N + 3, 0, OK, CHANGE},
			{3500, 'A', R4, 0, OK, U}, {4000, 'A', R1, 0, OK, U},
			{5000, 'A', R2, BOW_OUT, OK, CHANGE},
			{5001, 'B', R2 + 1, 0x0164, OK, CHANGE},
			{5001, 'D', R2 + 1, 0x01c8, OK, CHANGE},
			/* The network doubles them. */
			{5002, 'D', R2 + 1, 0x01c8, OK, CHANGE},
			{5002, 'B', R2 + 1, 0x0164, DUP, CHANGE},
			/* Too late for the other family's bow-out, and for a coincidence. */
			{6500, 'D', R2 + 1, BOW_OUT, REPLAY, CHANGE},
			{11000, 'D', R2 + 1, 0x01c8, OK, CHANGE},
			{12000, 'D', R2 + 1, 0x01c8, REPLAY, CHANGE}}},
	{"a box bows out in both families, and a backup answers in between",
		{{0, 'A', N, 0, OK, U}, {0, 'a', N + 1, 0, OK, U},
			{1000, 'A', N + 2, 0, OK, CHANGE}, {1000, 'a', N + 3, 0, OK, CHANGE},
			{1500, 'B', N + 4, 0x0164, OK, U}, {1501, 'A', N + 5, BOW_OUT, OK, CHANGE},
			{1501, 'B', N + 6, 0x0164, OK, CHANGE},
			{1502, 'a', N + 6, BOW_OUT, OK, CHANGE},
			{2902, 'B', N + 7, 0x0164, OK, CHANGE},
			/* Nobody bowed out before this one. */
			{2903, 'a', N + 7, BOW_OUT, REPLAY, CHANGE},
			{4000, 'A', N + 6, BOW_OUT, REPLAY, CHANGE}}},
	{"two backups that nothing is known of answer with a counter of before",
		{{0, 'A', N + 10, 0, OK, U}, {1000, 'A', N + 11, 0, OK, CHANGE},
			{2000, 'D', R1, 0, OK, U}, {3000, 'D', R2, 0, OK, U},
			{4000, 'D', R3, 0, OK, CHANGE}, {15000, 'D', N + 9, BOW_OUT, OK, CHANGE},
			{15001, 'B', N + 10, 0x0164, OK, U}, {15001, 'E', N + 10, 0x01c8, OK, U},
			{30000, 'E', N + 10, 0x01c8, REPLAY, U}}},
	{"ucarp and NetBSD time out together, as captured",
		{{0, 'A', R1, 0, OK, U}, {1010, 'A', N, 0, OK, U}, {1020, 'U', R2, 0, OK, U},
			{1996, 'U', N + 1, 0, OK, CHANGE}, {5000, 'A', N + 2, 0, OK, CHANGE},
			{5010, 'U', N + 2, 0, OK, CHANGE}, {5996, 'U', N + 3, 0, OK, CHANGE}}},
	{"koi's digest under another address is no coincidence",
		{{0, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U}, {2000, 'A', R3, 0, OK, CHANGE},
			{2000, 'X', R3, 0, REPLAY, U}, {2001, 'X', R3, 0x0001, REPLAY, U},
			{2002, 'a', R3, 0, REPLAY, U}, {2003, 'V', R3, 0, REPLAY, U},
			{2004, 'z', R3, BOW_OUT, REPLAY, U}}},
	{"the two families of a box count together",
		{{0, 'A', N, 0, OK, U}, {0, 'a', N + 1, 0, OK, U},
			{1000, 'A', N + 2, 0, OK, CHANGE}, {1000, 'a', N + 3, 0, OK, CHANGE},
			{8000, 'a', N + 2, 0, REPLAY, CHANGE},
			{8000, 'A', N + 3, 0, REPLAY, CHANGE}}},
	{"an OpenBSD puts a NetBSD back to where it was",
		{{0, 'O', C, 0x0101, OK, U}, {1000, 'A', C + 1, 0, OK, U},
			{2000, 'A', C + 2, 0, OK, CHANGE}, {3000, 'A', C + 3, 0, OK, CHANGE},
			{4000, 'A', C + 4, BOW_OUT, OK, CHANGE}, {4001, 'O', C, 0x0101, OK, U},
			{5001, 'O', C, 0x0101, OK, CONST}, {5500, 'A', C + 1, 0x0105, OK, CHANGE},
			{6500, 'A', C + 2, BOW_OUT, OK, CHANGE}, {6501, 'O', C, 0x0101, OK, CONST},
			/* From there B, too; one was lost. So near a constant all may come. */
			{9900, 'B', C + 2, 0, OK, U}, {10900, 'B', C + 3, 0, OK, U},
			{11900, 'B', C + 4, 0x0164, OK, U}, {11950, 'B', C + 4, BOW_OUT, OK, U},
			{12900, 'B', C + 5, 0, OK, U}, {13900, 'B', C + 6, 0, OK, CHANGE},
			{14900, 'B', C + 40, 0, OK, CHANGE}, {15900, 'B', C + 41, 0, OK, CHANGE},
			{19900, 'B', C + 40, 0x0165, REPLAY, CHANGE}}},
	{"counters jump backwards, wrap and start anew",
		{{0, 'A', 500, 0, OK, U}, {1000, 'A', 501, 0, OK, CHANGE},
			{2000, 'A', 3, 0, OK, CHANGE}, {3000, 'A', 4, 0, OK, CHANGE},
			{4000, 'A', UINT64_MAX, 0, OK, CHANGE}, {5000, 'A', 0, 0, OK, CHANGE},
			{6000, 'A', 1, 0, OK, CHANGE}, {7000, 'A', 2, 0, OK, CHANGE},
			/* 3 was known, but it follows on what came since. */
			{8000, 'A', 3, 0, OK, CHANGE}, {9000, 'A', R1, 0, OK, CHANGE},
			{10000, 'A', R2, 0, OK, CHANGE}, {16000, 'A', 0, 0, REPLAY, CHANGE},
			{17000, 'A', 3, 0, REPLAY, CHANGE}}},
	{"what a peer makes of our counters, and what nobody else has",
		{{0, 'K', R1, 0, 0, 0}, {1000, 'K', R2, 0, 0, 0}, {1001, 'A', R2 + 1, 0, OK, U},
			{2000, 'A', R2 + 2, 0, OK, CHANGE}, {3000, 'X', R1, 0, REPLAY, U},
			{3001, 'X', R1, BOW_OUT, REPLAY, U}, {3002, 'A', R2, 0, REPLAY, CHANGE},
			{300000, 'A', R1, 0, REPLAY, CHANGE}}},
	{"boxes that share an address are not told apart",
		{{0, 'V', R1, 0, OK, U}, {1000, 'V', R2, 0, OK, U}, {2000, 'V', R3, 0, OK, U},
			{3000, 'V', C, 0, OK, U}, {4000, 'V', C, 0, OK, U},
			{5000, 'V', C, 0, OK, U}, {6000, 'V', R1, 0x0101, OK, U},
			{7000, 'z', R4, 0, OK, U}, {7000, 'z', R4, 0x0164, OK, U},
			{7000, 'z', R4, BOW_OUT, OK, U}}},
	{"a replay before its source is known does not make it constant",
		{{0, 'A', R1, 0, OK, U}, {10, 'A', R1, 0, OK, U}, {20, 'A', R1, 0, OK, U},
			{30, 'A', R1, 0, OK, U}, {1000, 'A', R2, 0, OK, U},
			{1010, 'A', R1, 0, OK, U}, {1020, 'A', R2, 0, OK, U},
			{2000, 'A', R3, 0, OK, CHANGE}, {2500, 'A', R1, 0, REPLAY, CHANGE}}},
};

static void
stories_of_peers_and_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++)
		play(stories[i].name, stories[i].steps, STEPS_MAX);
}

static enum auth_replay_verdict
check_at(struct auth_replay *r, const struct base_addr *src, uint64_t counter, base_ns_t now,
	struct auth_replay_report *why)
{
	struct auth_replay_advert a = {.src = *src, .counter = counter, .advbase = 1};

	return auth_replay_check(r, &a, now, 0, why);
}

static struct base_addr
numbered(unsigned int i)
{
	struct base_addr a = {
		.family = BASE_FAMILY_IP4, .bytes = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}};

	return a;
}

/*
 * Whom a coincidence is believed: peers that count send no demotion, and all of a group the same
 * advbase. With another one a backup would take over at once.
 */
static void
no_coincidence_demotes_or_slows_a_master(void **state)
{
	struct auth_replay_advert a = {.src = address_of('A'), .advbase = 1, .advskew = 10};
	struct auth_replay r;
	base_ns_t now = 0;

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (a.counter = N; a.counter < N + 4; a.counter++, now += BASE_NS_PER_S)
		assert_int_equal(auth_replay_check(&r, &a, now, 0, NULL), AUTH_REPLAY_OK);
	a.counter--;
	a.src = address_of('X');
	a.demotion = 1;
	assert_int_equal(auth_replay_check(&r, &a, now, 0, NULL), AUTH_REPLAY_REPLAY);
	a.demotion = 0;
	a.advbase = 4;
	assert_int_equal(auth_replay_check(&r, &a, now, 0, NULL), AUTH_REPLAY_REPLAY);
	a.advbase = 1;
	a.advskew = 100;
	assert_int_equal(auth_replay_check(&r, &a, now, 0, NULL), AUTH_REPLAY_OK);
}

static void
conformance_39_one_advert_a_hundred_times(void **state)
{
	struct auth_replay r;
	struct base_addr o = address_of('O');

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (base_ns_t i = 0; i < 100; i++)
		assert_int_equal(check_at(&r, &o, C, i * BASE_NS_PER_S, NULL), AUTH_REPLAY_OK);
}

static void
memory_holds_what_the_header_says(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A');
	base_ns_t now = 0;

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 3 * AUTH_REPLAY_KEPT; i++) {
		now += BASE_NS_PER_S;
		assert_int_equal(check_at(&r, &a, N + i, now, NULL), AUTH_REPLAY_OK);
		if (i < AUTH_REPLAY_KEPT)
			continue;
		/* The oldest that is kept, and a few between. */
		now += 10 * MASTER_DOWN;
		for (uint64_t back = AUTH_REPLAY_KEPT - 1; back > 0; back /= 3)
			assert_int_equal(
				check_at(&r, &a, N + i - back, now, NULL), AUTH_REPLAY_REPLAY);
	}
	/* One older is new again: memory has an end. */
	assert_int_equal(check_at(&r, &a, N + 2 * AUTH_REPLAY_KEPT - 1, now, NULL), AUTH_REPLAY_OK);
}

static void
replays_do_not_fill_memory(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A');

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(check_at(&r, &a, N + i, i * BASE_NS_PER_S, NULL), AUTH_REPLAY_OK);
	/* From anywhere, taken or not, in any number. */
	for (unsigned int i = 0; i < 100000; i++) {
		struct base_addr x = numbered(i);

		check_at(&r, &x, N + i % 10, 10 * BASE_NS_PER_S, NULL);
	}
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_CHANGING);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(
			check_at(&r, &a, N + i, 60 * BASE_NS_PER_S, NULL), AUTH_REPLAY_REPLAY);
}

static void
shared_sources_take_no_place(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A'), unnumbered = address_of('z');
	struct base_rand rand;

	(void)state;
	base_rand_init(&rand, 4);
	auth_replay_init(&r, false, MASTER_DOWN);
	check_at(&r, &a, R1, 0, NULL);
	check_at(&r, &a, R2, BASE_NS_PER_S, NULL);
	for (unsigned int i = 0; i < 2 * AUTH_REPLAY_SOURCES; i++)
		check_at(&r, &unnumbered, base_rand_next(&rand), BASE_NS_PER_S, NULL);
	check_at(&r, &a, R3, 2 * BASE_NS_PER_S, NULL);
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_CHANGING);
}

static void
sources_that_are_known_go_last(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A'), o = address_of('O');
	struct base_rand rand;

	(void)state;
	base_rand_init(&rand, 3);
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 3; i++) {
		check_at(&r, &a, N + i, i * BASE_NS_PER_S, NULL);
		check_at(&r, &o, C, i * BASE_NS_PER_S, NULL);
	}
	for (unsigned int i = 0; i < 1000; i++) {
		struct base_addr x = numbered(i);

		check_at(&r, &x, base_rand_next(&rand), (10 + i) * BASE_NS_PER_S, NULL);
	}
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_CHANGING);
	assert_int_equal(auth_replay_class_of(&r, &o), AUTH_REPLAY_CLASS_CONSTANT);
}

static void
what_a_forgotten_source_sent_stays_guarded(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A');
	base_ns_t now = 0;

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 3; i++)
		check_at(&r, &a, N + i, now += BASE_NS_PER_S, NULL);
	/* Sixteen others that change their counters, too. */
	for (unsigned int i = 0; i < AUTH_REPLAY_SOURCES; i++) {
		struct base_addr x = numbered(i);

		for (uint64_t k = 0; k < 3; k++)
			check_at(&r, &x, R1 + 1000 * i + k, now += BASE_NS_PER_S, NULL);
		assert_int_equal(auth_replay_class_of(&r, &x), AUTH_REPLAY_CLASS_CHANGING);
	}
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_UNKNOWN);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(check_at(&r, &a, N + i, now, NULL), AUTH_REPLAY_REPLAY);
}

static void
operator_says_the_box_is_another(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A');

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 3; i++)
		check_at(&r, &a, N + i, i * BASE_NS_PER_S, NULL);
	/* An OpenBSD under the address of a NetBSD looks like a replay. */
	assert_int_equal(check_at(&r, &a, C, 100 * BASE_NS_PER_S, NULL), AUTH_REPLAY_OK);
	assert_int_equal(check_at(&r, &a, C, 103 * BASE_NS_PER_S, NULL), AUTH_REPLAY_REPLAY);
	assert_int_equal(auth_replay_forget(&r), 1);
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_UNKNOWN);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(
			check_at(&r, &a, C, (104 + i) * BASE_NS_PER_S, NULL), AUTH_REPLAY_OK);
	/* What was kept of the box before is as refused as ever. */
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(
			check_at(&r, &a, N + i, 115 * BASE_NS_PER_S, NULL), AUTH_REPLAY_REPLAY);
	assert_int_equal(auth_replay_forget(&r), 0);
}

static void
report_says_why(void **state)
{
	struct auth_replay r;
	struct auth_replay_report why;
	struct base_addr a = address_of('A'), x = address_of('X');

	(void)state;
	auth_replay_init(&r, false, MASTER_DOWN);
	for (uint64_t i = 0; i < 3; i++) {
		memset(&why, 0xa5, sizeof(why));
		check_at(&r, &a, N + i, i * BASE_NS_PER_S, &why);
		assert_int_equal(why.first.family, BASE_FAMILY_NONE);
		assert_true(why.age == 0);
		assert_false(why.ours);
	}
	assert_int_equal(check_at(&r, &x, N + 1, 31 * BASE_NS_PER_S, &why), AUTH_REPLAY_REPLAY);
	assert_int_equal(why.cls, AUTH_REPLAY_CLASS_UNKNOWN);
	assert_memory_equal(&why.first, &a, sizeof(a));
	assert_true(why.age == 30 * BASE_NS_PER_S);
	assert_false(why.ours);
	auth_replay_sent(&r, R1, 40 * BASE_NS_PER_S);
	assert_int_equal(check_at(&r, &a, R1, 42 * BASE_NS_PER_S, &why), AUTH_REPLAY_REPLAY);
	assert_int_equal(why.cls, AUTH_REPLAY_CLASS_CHANGING);
	assert_true(why.ours);
	assert_true(why.age == 2 * BASE_NS_PER_S);
}

static void
timing_follows_the_group(void **state)
{
	struct auth_replay r;
	struct base_addr a = address_of('A');
	base_ns_t ms = BASE_NS_PER_MS;

	(void)state;
	/* A fast group, whose adverts come every 4 ms. */
	auth_replay_init(&r, false, 12 * ms);
	check_at(&r, &a, R1, 0, NULL);
	check_at(&r, &a, R2, 4 * ms, NULL);
	check_at(&r, &a, R3, 8 * ms, NULL);
	assert_int_equal(auth_replay_class_of(&r, &a), AUTH_REPLAY_CLASS_CHANGING);
	assert_int_equal(check_at(&r, &a, R3, 12 * ms, NULL), AUTH_REPLAY_DUPLICATE);
	assert_int_equal(check_at(&r, &a, R3, 13 * ms, NULL), AUTH_REPLAY_REPLAY);
	auth_replay_set_timing(&r, MASTER_DOWN);
	assert_int_equal(check_at(&r, &a, R3, 13 * ms, NULL), AUTH_REPLAY_DUPLICATE);
}

static void
names_and_texts(void **state)
{
	(void)state;
	for (int v = 0; v < AUTH_REPLAY_COUNT; v++)
		assert_true(strlen(auth_replay_name((enum auth_replay_verdict)v)) > 0);
	for (int c = 0; c < AUTH_REPLAY_CLASS_COUNT; c++) {
		assert_true(strlen(auth_replay_class_name((enum auth_replay_class)c)) > 0);
		assert_true(strlen(auth_replay_class_text((enum auth_replay_class)c)) > 0);
	}
	assert_string_equal(auth_replay_name(AUTH_REPLAY_NOT_STRICT), "not_strict");
	assert_string_equal(auth_replay_class_name(AUTH_REPLAY_CLASS_CHANGING), "changing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_of_peers_and_others),
		cmocka_unit_test(no_coincidence_demotes_or_slows_a_master),
		cmocka_unit_test(conformance_39_one_advert_a_hundred_times),
		cmocka_unit_test(memory_holds_what_the_header_says),
		cmocka_unit_test(replays_do_not_fill_memory),
		cmocka_unit_test(shared_sources_take_no_place),
		cmocka_unit_test(sources_that_are_known_go_last),
		cmocka_unit_test(what_a_forgotten_source_sent_stays_guarded),
		cmocka_unit_test(operator_says_the_box_is_another),
		cmocka_unit_test(report_says_why),
		cmocka_unit_test(timing_follows_the_group),
		cmocka_unit_test(names_and_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
