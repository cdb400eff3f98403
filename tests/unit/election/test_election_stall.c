/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The two horizons of time and what a stalled box does (design 3). */
#include "election_test.h"

#define INTERVAL (SECS(1) + SKEW(100))
#define DOWN	 (SECS(3) + SKEW(100))

static void
unread_adverts_are_not_silence(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, T0 + SECS(1));
	box_run(b, T0 + DOWN + MSECS(5));
	box_quiet(b);
	/* the worker comes back: it read an advert that had lain there */
	box_horizon(b, 0, b->now);
	box_advert(b, 0, 1, 0, 0);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_free(b);
}

static void
a_horizon_that_catches_up_without_an_advert_is_silence(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, T0 + DOWN - 1);
	box_run(b, T0 + DOWN + MSECS(5));
	box_quiet(b);
	/* due, and waiting: a caller is told to look again soon */
	assert_int_equal(election_deadline(b->e), T0 + DOWN);
	box_horizon(b, 0, T0 + DOWN);
	box_tick(b);
	const struct election_action *a =
		box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN + MSECS(5));

	assert_int_equal(a->state.late, MSECS(5));
	box_free(b);
}

static void
a_horizon_never_goes_back(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, T0 + SECS(2));
	box_horizon(b, 0, T0 + SECS(1));
	box_horizon(b, 0, 0);
	box_timing(b, 0, 0, 100); /* master-down 300/256 s: due at T0 + 1.17 s */
	box_run(b, T0 + SECS(3));
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_free(b);
}

static void
a_horizon_ahead_of_now_is_not_ahead_of_time(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, T0 + SECS(100));
	box_run(b, T0 + DOWN - 1);
	box_quiet(b);
	box_run(b, T0 + DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	box_free(b);
}

static void
each_interface_has_its_own_horizon(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_horizon(b, 0, T0 + SECS(3));
	box_horizon(b, 1, T0 + DOWN);
	box_run(b, T0 + DOWN);
	box_take_claim(b, 1, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

static void
adverts_go_out_whatever_the_horizon(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	base_ns_t t = b->now;

	box_horizon(b, 0, t);
	box_run(b, t + INTERVAL);
	box_take_advert(b, 0, 1, 100, 0, t + INTERVAL);
	box_run(b, t + 2 * INTERVAL);
	box_take_advert(b, 0, 1, 100, 0, t + 2 * INTERVAL);
	box_free(b);
}

static void
worker_stalled_comes_and_goes(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_timing(b, 1, 2, 0); /* master-down 6 s */
	/* in no state that needs a horizon; the interface counts all the same */
	box_group(b, ELECTION_EV_DOWN, 1);
	box_horizon(b, 0, T0 + DOWN);
	box_horizon(b, 1, T0 + DOWN);
	box_make_master(b, 0);
	/* as old as the master-down time is not older */
	assert_int_equal(election_deadline(b->e), T0 + DOWN + INTERVAL);
	box_run(b, T0 + DOWN + DOWN);
	assert_int_equal(election_demotion_total(b->e), 0);
	box_forget(b);
	assert_int_equal(election_deadline(b->e), T0 + DOWN + DOWN + 1);
	box_run(b, T0 + DOWN + DOWN + 1);
	const struct election_action *a =
		box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 1, 1, b->now);

	assert_int_equal(a->demotion.if_id, 0);
	assert_int_equal(a->group, ELECTION_NONE);
	box_take_advert(b, 0, 1, 240, 1, b->now);
	/* the other interface's only group waits longer */
	box_run(b, T0 + DOWN + SECS(6) + 1);
	assert_int_equal(election_demotion_total(b->e), 2);
	box_forget(b);
	/* one comes back */
	box_horizon(b, 0, b->now);
	box_tick(b);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 0, 1, b->now);
	box_quiet(b);
	box_horizon(b, 1, b->now - SECS(6));
	box_tick(b);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 0, 0, b->now);
	box_take_advert(b, 0, 1, 100, 0, b->now);
	box_quiet(b);
	box_free(b);
}

static void
the_shortest_master_down_of_an_interface_counts(void **state)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {{.advbase = 5, .has_vip = true, .admin_up = true},
		{.advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true}};
	struct election_config config = {
		.if_count = 1, .group_count = 2, .ifs = ifs, .groups = groups, .allow = true};
	struct box *b = box_new(&config);

	(void)state;
	box_tick(b);
	box_horizon(b, 0, T0);
	box_forget(b);
	box_run(b, T0 + DOWN);
	box_quiet(b);
	/* it changes with the timing */
	box_timing(b, 1, 1, 110);
	box_run(b, T0 + SECS(3) + SKEW(110));
	box_quiet(b);
	box_run(b, b->now + 1);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 1, 1, b->now);
	box_timing(b, 1, 6, 0);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 0, 0, b->now);
	box_quiet(b);
	box_free(b);
}

/* A worker's horizon is 0 before its first turn: that holds take-overs back and is no stall. */
static void
a_worker_that_has_not_begun_is_not_stalled_at_once(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, 0);
	box_tick(b);
	box_run(b, T0 + DOWN);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_run(b, T0 + DOWN + 1);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 1, 1, T0 + DOWN + 1);
	box_free(b);
}

/* When a whole process goes on, its worker may go on last, in the turn in which it was stopped. */
static void
who_was_absent_blames_no_worker(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_horizon(b, 0, T0);
	box_run(b, T0 + SECS(1));
	b->now = T0 + SECS(11);
	box_stall(b, SECS(10));
	box_tick(b);
	assert_int_equal(election_demotion_total(b->e), 0);
	/* an old horizon tells nothing new */
	box_horizon(b, 0, T0 + SECS(1) / 2);
	box_run(b, T0 + SECS(10) + DOWN);
	assert_int_equal(election_demotion_total(b->e), 0);
	/* it does stand still while we run */
	box_forget(b);
	box_run(b, T0 + SECS(10) + DOWN + 1);
	box_take_demotion(b, ELECTION_DEMOTION_WORKER_STALLED, 1, 1, b->now);
	/* and is not forgiven for our absence */
	b->now += SECS(100);
	box_stall(b, SECS(100));
	box_tick(b);
	assert_int_equal(election_demotion_total(b->e), 1);
	box_horizon(b, 0, b->now);
	box_tick(b);
	assert_int_equal(election_demotion_total(b->e), 0);
	box_free(b);
}

static void
an_interface_without_groups_cannot_stall(void **state)
{
	struct election_if_config ifs[] = {{.link_up = true, .track = true}};
	struct election_config config = {.if_count = 1, .ifs = ifs, .allow = true};
	struct box *b = box_new(&config);

	(void)state;
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_horizon(b, 0, T0);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_run(b, T0 + SECS(1000));
	box_quiet(b);
	box_link(b, 0, false);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 1, 1, b->now);
	box_quiet(b);
	box_free(b);
}

static void
a_stalled_backup_listens_one_more_interval(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_sleep(b, DOWN + 1);
	box_stall(b, DOWN + 1);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + INTERVAL);
	base_ns_t listen = b->now + INTERVAL;

	box_run(b, listen - 1);
	box_quiet(b);
	box_run(b, listen);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, listen);
	box_free(b);
}

static void
an_advert_ends_the_listening(void **state)
{
	struct box *b = box_one(1, 100, false);
	struct election_event stall = {.type = ELECTION_EV_STALL, .gap = SECS(20)};

	(void)state;
	box_sleep(b, SECS(20));
	/* fed before anything else of the turn */
	box_input(b, &stall);
	box_advert(b, 0, 1, 0, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_sleep(b, SECS(20));
	box_stall(b, SECS(20));
	box_run(b, b->now + MSECS(900));
	box_advert(b, 0, 1, 0, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_quiet(b);
	box_free(b);
}

static void
listening_survives_a_timing_change(void **state)
{
	struct box *b = box_one(1, 100, false);
	struct election_event stall = {.type = ELECTION_EV_STALL, .gap = SECS(20)};

	(void)state;
	box_sleep(b, SECS(20));
	box_input(b, &stall);
	box_timing(b, 0, 1, 100);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + INTERVAL);
	box_free(b);
}

static void
a_gap_within_master_down_changes_nothing(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_sleep(b, DOWN);
	box_stall(b, DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	box_free(b);
	/* a deadline that is further away than an interval stays */
	b = box_one(1, 100, false);
	box_stall(b, SECS(20));
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	box_free(b);
}

static void
a_stalled_master_steps_down_without_a_word(void **state)
{
	static const struct {
		base_ns_t before; /* since the last advert when it stalls */
		base_ns_t gap;
		bool leaves;
	} rows[] = {
		{0, SECS(3), false},
		{0, SECS(3) + 1, true},
		{0, SECS(1000), true},
		/* the silence that peers saw is longer than the gap */
		{SECS(1), SECS(2), false},
		{SECS(1), SECS(2) + 1, true},
		{INTERVAL - 1, MSECS(1600), false},
		{INTERVAL - 1, MSECS(1610), true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_one(1, 100, false);

		box_make_master(b, 0);
		box_run(b, b->now + rows[i].before);
		box_sleep(b, rows[i].gap);
		box_stall(b, rows[i].gap);
		if (!rows[i].leaves) {
			box_take_advert(b, 0, 1, 100, 0, b->now);
			box_quiet(b);
			box_free(b);
			continue;
		}
		/* nothing claimed, nothing held: a peer has it by now */
		box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
		box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_STALLED, b->now);
		box_quiet(b);
		assert_false(election_handing_over(b->e));
		base_ns_t left = b->now;

		box_run(b, left + DOWN - 1);
		box_quiet(b);
		box_run(b, left + DOWN);
		box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, left + DOWN);
		box_free(b);
	}
}

static void
fast_groups_stall_by_their_own_times(void **state)
{
	static const struct {
		uint8_t skew;
		base_ns_t master_limit, backup_limit;
	} rows[] = {
		{0, SKEW(3), SKEW(3)},
		{1, SKEW(3), SKEW(3)},
		/* silent for an interval as a rule: 2/256 s beyond it are a peer's shortest wait */
		{2, SKEW(4), SKEW(6)},
		{20, SKEW(22), SKEW(60)},
		{254, SKEW(256), SKEW(762)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (base_ns_t over = 0; over <= 1; over++) {
			struct box *b = box_one(0, rows[i].skew, false);

			box_sleep(b, rows[i].backup_limit + over);
			box_stall(b, rows[i].backup_limit + over);
			assert_int_equal(box_state(b, 0), over ? ELECTION_BACKUP : ELECTION_MASTER);
			box_free(b);
			b = box_one(0, rows[i].skew, false);
			box_make_master(b, 0);
			box_sleep(b, rows[i].master_limit + over);
			box_stall(b, rows[i].master_limit + over);
			assert_int_equal(box_state(b, 0), over ? ELECTION_BACKUP : ELECTION_MASTER);
			box_free(b);
		}
	}
}

/* Both kinds of group on one box: the same gap is a stall for one only. */
static void
a_gap_is_judged_for_each_group(void **state)
{
	struct box *b = box_many(4, 1, 100, false);

	(void)state;
	box_timing(b, 1, 0, 0);
	box_advert(b, 2, 1, 0, 0);
	box_run(b, T0 + DOWN - 1);
	box_group(b, ELECTION_EV_FORCE_MASTER, 0);
	box_advert(b, 2, 1, 0, 0);
	box_group(b, ELECTION_EV_DOWN, 3);
	box_forget(b);
	assert_int_equal(box_state(b, 1), ELECTION_MASTER);
	box_sleep(b, MSECS(20));
	box_stall(b, MSECS(20));
	box_take(b, ELECTION_ACT_DISOWN, 1, b->now);
	box_take_state(b, 1, ELECTION_BACKUP, ELECTION_CAUSE_STALLED, b->now);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_state(b, 2), ELECTION_BACKUP);
	assert_int_equal(box_state(b, 3), ELECTION_INIT);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unread_adverts_are_not_silence),
		cmocka_unit_test(a_horizon_that_catches_up_without_an_advert_is_silence),
		cmocka_unit_test(a_horizon_never_goes_back),
		cmocka_unit_test(a_horizon_ahead_of_now_is_not_ahead_of_time),
		cmocka_unit_test(each_interface_has_its_own_horizon),
		cmocka_unit_test(adverts_go_out_whatever_the_horizon),
		cmocka_unit_test(worker_stalled_comes_and_goes),
		cmocka_unit_test(the_shortest_master_down_of_an_interface_counts),
		cmocka_unit_test(a_worker_that_has_not_begun_is_not_stalled_at_once),
		cmocka_unit_test(who_was_absent_blames_no_worker),
		cmocka_unit_test(an_interface_without_groups_cannot_stall),
		cmocka_unit_test(a_stalled_backup_listens_one_more_interval),
		cmocka_unit_test(an_advert_ends_the_listening),
		cmocka_unit_test(listening_survives_a_timing_change),
		cmocka_unit_test(a_gap_within_master_down_changes_nothing),
		cmocka_unit_test(a_stalled_master_steps_down_without_a_word),
		cmocka_unit_test(fast_groups_stall_by_their_own_times),
		cmocka_unit_test(a_gap_is_judged_for_each_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
