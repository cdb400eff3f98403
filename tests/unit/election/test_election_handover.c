/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Handing over: own, forward, say nothing (design, "Handing over"). */
#include "election_test.h"

#define DOWN  (SECS(3) + SKEW(100))
#define LIMIT MSECS(50)

/* A master whose interface has a horizon that is up to date. */
static struct box *
master_with_horizon(bool preempt)
{
	struct box *b = box_one(1, 100, preempt);

	box_horizon(b, 0, T0 + DOWN);
	box_make_master(b, 0);
	return b;
}

/* The horizon reaches now, and a turn looks. */
static void
turn(struct box *b, base_ns_t horizon)
{
	box_horizon(b, 0, horizon);
	box_tick(b);
}

static void
bow_out_owns_until_successor_and_horizon(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now;

	(void)state;
	assert_false(election_handing_over(b->e));
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_advert(b, 0, 255, 255, 0, t);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, t);
	assert_true(election_handing_over(b->e));
	assert_true(box_info(b, 0).handing_over);
	/* the horizon alone ends nothing: no successor yet */
	box_run(b, t + MSECS(5));
	turn(b, t + MSECS(5));
	box_quiet(b);
	/* the successor is heard, frames up to now may still be on their way */
	box_advert(b, 0, 1, 200, 0);
	box_quiet(b);
	box_run(b, t + MSECS(6));
	turn(b, t + MSECS(5));
	box_quiet(b);
	turn(b, t + MSECS(5) + 1);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + MSECS(6));
	box_quiet(b);
	assert_false(election_handing_over(b->e));
	assert_false(box_info(b, 0).owned);
	turn(b, t + SECS(10));
	box_run(b, t + SECS(10));
	box_quiet(b);
	box_free(b);
}

static void
bow_out_ends_after_50_ms_at_most(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now;

	(void)state;
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_forget(b);
	assert_int_equal(election_deadline(b->e), t + LIMIT);
	box_run(b, t + LIMIT - 1);
	box_quiet(b);
	box_run(b, t + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + LIMIT);
	box_free(b);
	/* successor heard, horizon stuck: the same bound, from the bow-out on */
	b = master_with_horizon(false);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_run(b, t + MSECS(40));
	box_advert(b, 0, 1, 200, 0);
	box_forget(b);
	box_run(b, t + LIMIT - 1);
	box_quiet(b);
	box_run(b, t + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + LIMIT);
	box_free(b);
}

static void
a_bow_out_is_no_successor(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now;

	(void)state;
	box_group(b, ELECTION_EV_DOWN, 0);
	box_forget(b);
	box_bow_out(b, 0);
	turn(b, t + MSECS(1));
	box_quiet(b);
	assert_true(election_handing_over(b->e));
	box_free(b);
}

static void
yield_owns_until_the_horizon_passes_the_advert(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now + MSECS(10);

	(void)state;
	box_run(b, t);
	box_horizon(b, 0, t);
	box_advert(b, 0, 1, 0, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, t);
	box_quiet(b);
	assert_true(box_info(b, 0).handing_over);
	box_run(b, t + MSECS(2));
	/* later adverts of the successor do not restart it */
	box_advert(b, 0, 1, 0, 0);
	box_quiet(b);
	turn(b, t + 1);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + MSECS(2));
	box_free(b);
	b = master_with_horizon(false);
	box_advert(b, 0, 1, 0, 0);
	box_forget(b);
	base_ns_t yielded = b->now;

	box_run(b, yielded + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 0, yielded + LIMIT);
	box_free(b);
}

static void
without_a_horizon_the_successor_is_enough(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_forget(b);
	box_run(b, b->now + MSECS(3));
	box_advert(b, 0, 1, 200, 0);
	box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
	box_quiet(b);
	box_free(b);
}

static void
link_loss_ends_it_at_once(void **state)
{
	static const enum election_event_type how[] = {ELECTION_EV_DOWN, ELECTION_EV_FORCE_BACKUP};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct box *b = master_with_horizon(false);

		box_group(b, how[i], 0);
		box_forget(b);
		box_run(b, b->now + MSECS(1));
		box_link(b, 0, false);
		box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
		assert_false(election_handing_over(b->e));
		box_free(b);
	}
}

static void
nothing_is_sent_while_handing_over(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now;

	(void)state;
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_take_advert(b, 0, 255, 255, 0, t);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_FORCED, t);
	/* each of these makes a MASTER speak */
	box_demote(b, 1);
	box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, 1, 1, t);
	box_timing(b, 0, 1, 0);
	box_vips(b, 0, true);
	box_sent(b, 0, false);
	box_sent(b, 0, false);
	box_sent(b, 0, false);
	box_quiet(b);
	/* down while handing over: no second bow-out, the hand-over goes on */
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, t);
	assert_true(election_handing_over(b->e));
	box_group(b, ELECTION_EV_UP, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, t);
	box_run(b, t + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + LIMIT);
	box_quiet(b);
	box_free(b);
}

static void
taken_back_while_handing_over(void **state)
{
	struct box *b = master_with_horizon(false);
	base_ns_t t = b->now;

	(void)state;
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_forget(b);
	box_run(b, t + MSECS(20));
	box_group(b, ELECTION_EV_FORCE_MASTER, 0);
	/* the same take-over as ever; ownership was never given up */
	box_take_claim(b, 0, ELECTION_CAUSE_FORCED, t + MSECS(20));
	assert_false(election_handing_over(b->e));
	assert_false(box_info(b, 0).handing_over);
	/* the old limit is forgotten, a successor does not count any more */
	box_run(b, t + SECS(1));
	box_advert(b, 0, 1, 200, 0);
	turn(b, t + SECS(1));
	box_take_advert(b, 0, 1, 100, 0, b->now);
	box_quiet(b);
	assert_true(box_info(b, 0).owned);
	/* and the next hand-over has its own 50 ms */
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_forget(b);
	turn(b, b->now);
	box_quiet(b);
	box_run(b, t + SECS(1) + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 0, t + SECS(1) + LIMIT);
	box_free(b);
}

/* With preemption the successor may be worse than we are: no gap in which nobody owns. */
static void
taken_back_on_the_successors_own_advert(void **state)
{
	(void)state;
	for (int horizon = 0; horizon <= 1; horizon++) {
		struct box *b = horizon ? master_with_horizon(true) : box_one(1, 100, true);

		if (!horizon)
			box_make_master(b, 0);
		box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
		box_forget(b);
		box_run(b, b->now + MSECS(1));
		box_advert(b, 0, 1, 200, 0);
		box_take_claim(b, 0, ELECTION_CAUSE_PREEMPT, b->now);
		box_quiet(b);
		box_free(b);
	}
}

static void
shutdown_bows_out_everywhere_and_hands_over(void **state)
{
	struct box *b = box_many(3, 1, 100, false);
	struct election_event ev = {.type = ELECTION_EV_SHUTDOWN};

	(void)state;
	box_run(b, T0 + SECS(1));
	box_advert(b, 2, 1, 0, 0);
	for (uint16_t i = 0; i < 3; i++)
		box_horizon(b, i, T0 + DOWN);
	box_run(b, T0 + DOWN);
	box_forget(b);
	assert_int_equal(box_feed(b, &ev), 0);
	base_ns_t t = b->now;

	for (uint16_t i = 0; i < 2; i++) {
		box_take_advert(b, i, 255, 255, 0, t);
		box_take_state(b, i, ELECTION_INIT, ELECTION_CAUSE_SHUTDOWN, t);
	}
	/* a BACKUP goes without a word */
	box_take_state(b, 2, ELECTION_INIT, ELECTION_CAUSE_SHUTDOWN, t);
	box_quiet(b);
	assert_true(election_handing_over(b->e));
	box_run(b, t + MSECS(1));
	box_advert(b, 0, 1, 200, 0);
	box_horizon(b, 0, t + MSECS(2));
	box_run(b, t + MSECS(2));
	box_take(b, ELECTION_ACT_DISOWN, 0, t + MSECS(2));
	assert_true(election_handing_over(b->e));
	box_run(b, t + LIMIT);
	box_take(b, ELECTION_ACT_DISOWN, 1, t + LIMIT);
	assert_false(election_handing_over(b->e));
	/* nothing comes up again */
	box_link(b, 0, false);
	box_link(b, 0, true);
	box_run(b, t + SECS(100));
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(box_state(b, i), ELECTION_INIT);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bow_out_owns_until_successor_and_horizon),
		cmocka_unit_test(bow_out_ends_after_50_ms_at_most),
		cmocka_unit_test(a_bow_out_is_no_successor),
		cmocka_unit_test(yield_owns_until_the_horizon_passes_the_advert),
		cmocka_unit_test(without_a_horizon_the_successor_is_enough),
		cmocka_unit_test(link_loss_ends_it_at_once),
		cmocka_unit_test(nothing_is_sent_while_handing_over),
		cmocka_unit_test(taken_back_while_handing_over),
		cmocka_unit_test(taken_back_on_the_successors_own_advert),
		cmocka_unit_test(shutdown_bows_out_everywhere_and_hands_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
