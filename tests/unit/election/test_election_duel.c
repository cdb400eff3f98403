/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* MASTER against MASTER: adverts at once, announcements afterwards. */
#include "election_test.h"

#define INTERVAL (SECS(1) + SKEW(100))
/* a peer of 1 s and skew 200 is given one and a half of its intervals to yield */
#define PEER	(SECS(1) + SKEW(200))
#define SETTLED (PEER * 3 / 2)

/* A MASTER that has announced all that a take-over owes; an advert was due just now. */
static struct box *
box_settled(base_ns_t refresh)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {
		{.advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true}};
	struct election_config config = {.if_count = 1,
		.group_count = 1,
		.ifs = ifs,
		.groups = groups,
		.allow = true,
		.announce_refresh_ns = refresh};
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_tick(b);
	box_make_master(b, 0);
	box_run(b, b->now + 5 * INTERVAL);
	box_forget(b);
	return b;
}

/* Times of all announcements on record, relative to from. */
static unsigned int
announced(struct box *b, base_ns_t from, base_ns_t *out, unsigned int max)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (b->log[i].act.type == ELECTION_ACT_ANNOUNCE && b->log[i].at >= from) {
			assert_in_range(n, 0, max - 1);
			out[n++] = b->log[i].at - from;
		}
	return n;
}

static void
the_winner_speaks_at_once_and_announces_after_an_interval(void **state)
{
	struct box *b = box_settled(0);
	base_ns_t t;

	(void)state;
	box_run(b, b->now + MSECS(300));
	t = b->now;
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_advert(b, 0, 1, 200, 0);
	assert_int_equal(box_take_advert(b, 0, 1, 100, 0, t)->advert.late, BASE_NS_NEVER);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).duels, 1);
	assert_int_equal(box_info(b, 0).duel_at, t);
	assert_int_equal(box_info(b, 0).announce_deadline, t + INTERVAL);
	/* the phase begins anew */
	assert_int_equal(box_info(b, 0).advert_deadline, t + INTERVAL);
	box_run(b, t + INTERVAL - 1);
	box_quiet(b);
	box_run(b, t + SECS(300));
	base_ns_t at[4];

	/* once: nothing was heard since */
	assert_int_equal(announced(b, t, at, 4), 1);
	assert_int_equal(at[0], INTERVAL);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_free(b);
}

static void
both_families_of_one_advert_are_one_duel(void **state)
{
	struct box *b = box_settled(0);

	(void)state;
	box_advert_from(b, 0, 4, 3, (struct election_priority){1, 200, 0});
	box_run(b, b->now + 20 * BASE_NS_PER_US);
	box_advert_from(b, 0, 6, 3, (struct election_priority){1, 200, 0});
	assert_int_equal(box_info(b, 0).duels, 1);
	box_take_advert(b, 0, 1, 100, 0, b->now - 20 * BASE_NS_PER_US);
	box_quiet(b);
	box_free(b);
}

/* Two that do not hear each other's answers must not storm: one answer in half an interval. */
static void
answers_do_not_storm(void **state)
{
	struct box *b = box_settled(0);
	unsigned int adverts = 0;
	base_ns_t from = b->now;

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		box_advert(b, 0, 1, 200, 0);
		box_run(b, b->now + MSECS(1));
	}
	for (uint32_t i = 0; i < b->n; i++)
		adverts += b->log[i].act.type == ELECTION_ACT_ADVERT;
	base_ns_t half = INTERVAL / 2;

	assert_in_range(adverts, 1, (b->now - from) / half + 1);
	assert_int_equal(box_info(b, 0).duels, adverts);
	box_free(b);
}

static void
announcements_back_off_while_it_goes_on(void **state)
{
	struct box *b = box_settled(0);
	base_ns_t from = b->now, at[32], end;
	unsigned int n;

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		box_advert(b, 0, 1, 200, 0);
		end = b->now;
		box_run(b, b->now + PEER);
	}
	n = announced(b, from, at, 32);
	/* after 1.4 s, then in distances that double up to 64 s */
	assert_int_equal(at[0], INTERVAL);
	base_ns_t wait = 2 * INTERVAL;

	for (unsigned int i = 1; i < n; i++) {
		assert_in_range(at[i] - at[i - 1], wait, wait + 1);
		wait = 2 * wait < SECS(64) ? 2 * wait : SECS(64);
	}
	assert_in_range(n, 13, 17);
	/* and once more soon after the last: a quarter of the distance by then */
	box_forget(b);
	box_run(b, end + SECS(300));
	assert_int_equal(announced(b, end, at, 32), 1);
	assert_in_range(at[0], PEER, SECS(16));
	/* forgotten after that quiet: at once again */
	box_forget(b);
	from = b->now;
	box_advert(b, 0, 1, 200, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, from + INTERVAL);
	box_free(b);
}

static void
the_last_word_is_after_the_last_advert(void **state)
{
	(void)state;
	/* the second advert of the other comes so long before our announcement */
	static const struct {
		base_ns_t before;
		unsigned int n;
	} rows[] = {
		{INTERVAL / 2 - 1, 2},
		{MSECS(1), 2},
		{INTERVAL / 2, 1},
		{MSECS(1000), 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_settled(0);
		base_ns_t from = b->now, at[4];

		box_advert(b, 0, 1, 200, 0);
		box_run(b, from + INTERVAL - rows[i].before);
		base_ns_t last = b->now;

		box_advert(b, 0, 1, 200, 0);
		box_run(b, from + SECS(300));
		assert_int_equal(announced(b, from, at, 4), rows[i].n);
		assert_int_equal(at[0], INTERVAL);
		if (rows[i].n == 2)
			assert_int_equal(from + at[1], last + SETTLED);
		box_free(b);
	}
}

static void
leaving_cancels_it(void **state)
{
	struct box *b = box_settled(0);

	(void)state;
	box_advert(b, 0, 1, 200, 0);
	box_run(b, b->now + SECS(1));
	box_forget(b);
	box_advert(b, 0, 1, 0, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, b->now);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	assert_int_equal(box_info(b, 0).duel_at, BASE_NS_NEVER);
	/* all told, also the one that was lost */
	assert_int_equal(box_info(b, 0).duels, 2);
	box_free(b);
}

static void
a_bow_out_is_no_duel(void **state)
{
	struct box *b = box_settled(0);

	(void)state;
	box_bow_out(b, 0);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).duels, 0);
	assert_int_equal(box_info(b, 0).duel_at, BASE_NS_NEVER);
	box_free(b);
}

/*
 * The bow-out of the other family has the vMAC as source, too, and may reach the switch after our
 * first announcement. However many come, they are answered once an interval and once a second.
 */
static void
last_words_are_followed_by_an_announcement(void **state)
{
	struct box *b = box_settled(0);
	base_ns_t first = b->now, at[16];

	(void)state;
	box_bow_out(b, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, first + MSECS(10));
	for (unsigned int i = 0; i < 9; i++) {
		box_run(b, b->now + MSECS(1));
		box_bow_out(b, 0);
	}
	assert_int_equal(announced(b, first, at, 16), 0);
	box_run(b, first + SECS(10));
	assert_int_equal(announced(b, first, at, 16), 1);
	assert_int_equal(at[0], MSECS(10));
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_forget(b);
	/* without end, as somebody may replay them */
	first = b->now;
	while (b->now < first + 3 * INTERVAL) {
		box_bow_out(b, 0);
		box_run(b, b->now + MSECS(1));
	}
	assert_int_equal(announced(b, first, at, 16), 3);
	assert_int_equal(at[1], at[0] + INTERVAL);
	/* who is MASTER no more has nothing to say */
	box_bow_out(b, 0);
	box_group(b, ELECTION_EV_DOWN, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_free(b);
	/* a fast group's own advert comes before that */
	b = box_one(0, 0, false);
	box_make_master(b, 0);
	box_run(b, b->now + SKEW(10));
	box_bow_out(b, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + SKEW(1));
	/* and many of them are no storm of announcements */
	box_forget(b);
	first = b->now;
	while (b->now < first + SECS(3)) {
		box_bow_out(b, 0);
		box_run(b, b->now + MSECS(1));
	}
	assert_int_equal(announced(b, first, at, 16), 3);
	assert_int_equal(at[0], SKEW(1));
	assert_int_equal(at[1], at[0] + SECS(1));
	box_free(b);
}

static void
a_fast_duel_has_fast_times(void **state)
{
	struct box *b = box_one(0, 0, false);

	(void)state;
	box_make_master(b, 0);
	box_run(b, b->now + SKEW(10));
	box_forget(b);
	box_advert(b, 0, 0, 1, 0);
	box_take_advert(b, 0, 0, 0, 0, b->now);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + SKEW(1));
	box_free(b);
}

static void
announcements_are_refreshed(void **state)
{
	struct box *b = box_settled(SECS(60));
	/* the last one was the third advert's, three intervals ago */
	base_ns_t last = b->now - 3 * INTERVAL, at[16];

	(void)state;
	assert_int_equal(box_info(b, 0).announce_deadline, last + SECS(60));
	box_run(b, last + SECS(600));
	assert_int_equal(announced(b, last, at, 16), 10);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(at[i], SECS(60) * (i + 1));
	/* any announcement counts */
	box_run(b, b->now + SECS(10));
	box_vips(b, 0, true);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + SECS(60));
	box_run(b, b->now + SECS(10));
	box_advert(b, 0, 1, 200, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + INTERVAL);
	box_run(b, b->now + INTERVAL);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + SECS(60));
	box_group(b, ELECTION_EV_DOWN, 0);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_free(b);
	b = box_settled(0);
	box_run(b, b->now + SECS(10000));
	assert_int_equal(announced(b, 0, at, 16), 0);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_winner_speaks_at_once_and_announces_after_an_interval),
		cmocka_unit_test(both_families_of_one_advert_are_one_duel),
		cmocka_unit_test(answers_do_not_storm),
		cmocka_unit_test(announcements_back_off_while_it_goes_on),
		cmocka_unit_test(the_last_word_is_after_the_last_advert),
		cmocka_unit_test(leaving_cancels_it),
		cmocka_unit_test(a_bow_out_is_no_duel),
		cmocka_unit_test(last_words_are_followed_by_an_announcement),
		cmocka_unit_test(a_fast_duel_has_fast_times),
		cmocka_unit_test(announcements_are_refreshed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
