/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The demotion ledger and what it does to the election (protocol note 4.1 and 5.4). */
#include "election_test.h"

#define INTERVAL (SECS(1) + SKEW(100))
#define DEMOTED	 (SECS(1) + SKEW(240))
#define STALLED	 (50 * BASE_NS_PER_MS)

static void
conformance_23_25_demoted_and_back(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	base_ns_t t = b->now;

	box_run(b, t + MSECS(200));
	box_demote(b, 1);
	box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, 1, 1, t + MSECS(200));
	box_take_advert(b, 0, 1, 240, 1, t + MSECS(200));
	box_quiet(b);
	t += MSECS(200);
	/* from there on at the slower interval */
	box_run(b, t + DEMOTED);
	box_take_advert(b, 0, 1, 240, 1, t + DEMOTED);
	box_take(b, ELECTION_ACT_ANNOUNCE, 0, t + DEMOTED);
	box_run(b, t + DEMOTED + MSECS(1));
	box_demote(b, 0);
	box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, 0, 0, b->now);
	box_take_advert(b, 0, 1, 100, 0, b->now);
	t = b->now;
	box_run(b, t + INTERVAL);
	box_take_advert(b, 0, 1, 100, 0, t + INTERVAL);
	box_quiet(b);
	box_free(b);
}

static void
conformance_24_skew_above_240_stays(void **state)
{
	struct box *b = box_one(1, 250, false);

	(void)state;
	box_make_master(b, 0);
	box_demote(b, 1);
	box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, 1, 1, b->now);
	box_take_advert(b, 0, 1, 250, 1, b->now);
	box_free(b);
}

static void
conformance_26_27_28_byte_4_counts_before_the_timing(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	/* 27: BACKUP, D = 0, preempt off */
	box_advert(b, 0, 1, 0, 1);
	box_take_claim(b, 0, ELECTION_CAUSE_PEER_DEMOTED, T0);
	/* 26: MASTER, D = 0, equal timing */
	box_advert(b, 0, 1, 100, 1);
	box_advert(b, 0, 1, 0, 1);
	/* but tells it at once who leads */
	box_take_advert(b, 0, 1, 100, 0, T0);
	box_quiet(b);
	box_free(b);
	/* 28: BACKUP, D = 2, worse skew, preempt on */
	b = box_one(1, 100, true);
	box_demote(b, 2);
	box_forget(b);
	box_advert(b, 0, 1, 250, 1);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

static void
a_demoted_master_yields_to_a_healthy_one_but_not_to_its_farewell(void **state)
{
	struct box *b = box_one(1, 0, false);

	(void)state;
	box_demote(b, 3);
	box_make_master(b, 0);
	box_bow_out(b, 0);
	box_advert(b, 0, 255, 255, 2);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).heard_at, b->now);
	box_advert(b, 0, 1, 254, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_PEER_HEALTHIER, b->now);
	box_free(b);
}

static void
conformance_31_three_errors_demote_three_successes_undo(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_sent(b, 0, false);
	box_sent(b, 0, false);
	/* one success below the threshold starts over */
	box_sent(b, 0, true);
	box_sent(b, 0, false);
	box_sent(b, 0, false);
	box_quiet(b);
	box_sent(b, 0, false);
	const struct election_action *a =
		box_take_demotion(b, ELECTION_DEMOTION_SEND_ERROR, 1, 1, b->now);

	assert_int_equal(a->group, 0);
	assert_int_equal(a->demotion.if_id, ELECTION_NONE);
	box_take_advert(b, 0, 1, 240, 1, b->now);
	/* more of the same is nothing new */
	for (unsigned int i = 0; i < 300; i++)
		box_sent(b, 0, false);
	box_sent(b, 0, true);
	box_sent(b, 0, true);
	box_sent(b, 0, false);
	box_sent(b, 0, true);
	box_sent(b, 0, true);
	box_quiet(b);
	box_sent(b, 0, true);
	box_take_demotion(b, ELECTION_DEMOTION_SEND_ERROR, 0, 0, b->now);
	box_take_advert(b, 0, 1, 100, 0, b->now);
	box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now);
	for (unsigned int i = 0; i < 300; i++)
		box_sent(b, 0, true);
	box_quiet(b);
	box_free(b);
}

static void
fail_to_send(struct box *b, uint16_t group)
{
	for (unsigned int i = 0; i < 3; i++)
		box_sent(b, group, false);
}

static void
send_error_ends_60_s_after_leaving_master(void **state)
{
	struct box *b = box_one(1, 100, false);
	struct election_demotion_entry entry;

	(void)state;
	box_make_master(b, 0);
	fail_to_send(b, 0);
	box_run(b, b->now + SECS(100));
	/* while MASTER it ends only by success */
	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.source, ELECTION_DEMOTION_SEND_ERROR);
	assert_int_equal(entry.group, 0);
	assert_int_equal(entry.if_id, ELECTION_NONE);
	assert_int_equal(entry.expires, BASE_NS_NEVER);
	box_forget(b);
	box_advert(b, 0, 1, 0, 0);
	base_ns_t left = b->now;

	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.expires, left + SECS(60));
	box_forget(b);
	/* outcomes that come after leaving say nothing any more */
	for (unsigned int i = 0; i < 6; i++)
		box_sent(b, 0, true);
	box_quiet(b);
	for (unsigned int i = 1; i < 60; i++) {
		box_run(b, left + SECS(i));
		box_advert(b, 0, 1, 0, 0);
	}
	box_run(b, left + SECS(60) - 1);
	box_quiet(b);
	box_run(b, left + SECS(60));
	box_take_demotion(b, ELECTION_DEMOTION_SEND_ERROR, 0, 0, left + SECS(60));
	assert_false(election_demotion_entry(b->e, 0, &entry));
	box_free(b);
}

static void
send_error_of_a_group_that_leads_again_waits_for_success(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	fail_to_send(b, 0);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_run(b, b->now + SECS(30));
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_run(b, b->now + SECS(120));
	assert_int_equal(election_demotion_total(b->e), 1);
	/* streaks begin anew with each take-over */
	box_sent(b, 0, true);
	box_sent(b, 0, true);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_group(b, ELECTION_EV_FORCE_MASTER, 0);
	box_sent(b, 0, true);
	assert_int_equal(election_demotion_total(b->e), 1);
	box_sent(b, 0, true);
	box_sent(b, 0, true);
	assert_int_equal(election_demotion_total(b->e), 0);
	box_free(b);
}

static void
operator_demotion_from_0_to_255(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	for (unsigned int v = 0; v < 256; v++) {
		box_forget(b);
		box_demote(b, (uint8_t)v);
		assert_int_equal(election_demotion_total(b->e), v);
		if (v == 0) {
			box_quiet(b);
			continue;
		}
		box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, (uint16_t)v, v, b->now);
		/* at once only between zero and non-zero */
		if (v == 1)
			box_take_advert(b, 0, 1, 240, 1, b->now);
		box_quiet(b);
		assert_int_equal(box_info(b, 0).sent.demotion, v);
		/* the same value again is nothing */
		box_demote(b, (uint8_t)v);
		box_quiet(b);
	}
	box_free(b);
}

static void
byte_4_stops_at_255(void **state)
{
	struct box *b = box_many(4, 1, 100, false);

	(void)state;
	box_demote(b, 255);
	box_link(b, 1, false);
	box_link(b, 2, false);
	assert_int_equal(election_demotion_total(b->e), 257);
	box_make_master(b, 0);
	box_run(b, b->now + DEMOTED);
	box_take_advert(b, 0, 1, 240, 255, b->now);
	box_free(b);
}

/* A queue that is never empty holds the horizon back; who reads it all the time does not stand. */
static void
a_busy_receive_side_is_no_stalled_one(void **state)
{
	struct box *b = box_many(1, 0, 0, true);
	base_ns_t down = 3 * SKEW(1), turn;

	(void)state;
	box_run(b, T0 + down);
	assert_int_equal(box_info(b, 0).state, ELECTION_MASTER);
	for (turn = b->now; b->now < T0 + SECS(2);) {
		box_horizon(b, 0, b->now - 2 * down);
		turn = b->now;
		election_set_rx_alive(b->e, 0, turn);
		box_run(b, b->now + SKEW(1) / 4);
		assert_int_equal(election_demotion_total(b->e), 0);
	}
	/*
	 * Now it stands; that is told when it has stood for as long as a hand-over may take: the
	 * peer would take over and give back for a pause of 12 ms.
	 */
	box_run(b, turn + STALLED);
	assert_int_equal(election_demotion_total(b->e), 0);
	box_run(b, turn + STALLED + 1);
	assert_int_equal(election_demotion_total(b->e), 1);
	/* and goes on, behind as before */
	box_horizon(b, 0, b->now - 2 * down);
	election_set_rx_alive(b->e, 0, b->now);
	box_run(b, b->now + SKEW(1));
	assert_int_equal(election_demotion_total(b->e), 0);
	box_free(b);
}

static void
ledger_lists_every_entry_once(void **state)
{
	struct box *b = box_many(3, 1, 100, false);
	struct election_demotion_entry entry;
	uint32_t sum = 0, kinds = 0;

	(void)state;
	assert_false(election_demotion_entry(b->e, 0, &entry));
	box_run(b, T0 + SECS(3) + SKEW(100));
	box_horizon(b, 0, b->now);
	fail_to_send(b, 0);
	fail_to_send(b, 1);
	box_run(b, b->now + SECS(1));
	box_demote(b, 7);
	box_link(b, 2, false);
	box_run(b, b->now + SECS(10));
	base_ns_t drained = b->now;

	box_switch(b, ELECTION_EV_DRAIN, true);
	for (uint32_t i = 0; election_demotion_entry(b->e, i, &entry); i++) {
		sum += entry.amount;
		kinds |= 1u << entry.source;
		switch (entry.source) {
		case ELECTION_DEMOTION_LINK:
			assert_int_equal(entry.if_id, 2);
			assert_int_equal(entry.group, ELECTION_NONE);
			assert_int_equal(entry.since, T0 + SECS(4) + SKEW(100));
			break;
		case ELECTION_DEMOTION_WORKER_STALLED:
			assert_int_equal(entry.if_id, 0);
			assert_int_equal(entry.group, ELECTION_NONE);
			assert_true(entry.since > T0 + SECS(6) + SKEW(200));
			break;
		case ELECTION_DEMOTION_OPERATOR:
			assert_int_equal(entry.if_id, ELECTION_NONE);
			assert_int_equal(entry.group, ELECTION_NONE);
			assert_int_equal(entry.amount, 7);
			assert_int_equal(entry.since, T0 + SECS(4) + SKEW(100));
			break;
		case ELECTION_DEMOTION_DRAIN:
			assert_int_equal(entry.if_id, ELECTION_NONE);
			assert_int_equal(entry.group, ELECTION_NONE);
			assert_int_equal(entry.amount, ELECTION_DRAIN_DEMOTION);
			assert_int_equal(entry.since, drained);
			break;
		case ELECTION_DEMOTION_SEND_ERROR:
			assert_in_range(entry.group, 0, 1);
			assert_int_equal(entry.if_id, ELECTION_NONE);
			break;
		case ELECTION_DEMOTION_SOURCE_COUNT:
			fail();
		}
		if (entry.source != ELECTION_DEMOTION_OPERATOR &&
			entry.source != ELECTION_DEMOTION_DRAIN)
			assert_int_equal(entry.amount, 1);
	}
	assert_int_equal(kinds, 31);
	assert_int_equal(sum, 11 + ELECTION_DRAIN_DEMOTION);
	assert_int_equal(election_demotion_total(b->e), 11 + ELECTION_DRAIN_DEMOTION);
	box_free(b);
}

static void
interfaces_that_count(void **state)
{
	/* a group, tracked only, neither; all down from the beginning */
	struct election_if_config ifs[] = {{.link_up = false}, {.link_up = false, .track = true},
		{.link_up = false}, {.link_up = true}};
	struct election_group_config groups[] = {
		{.if_id = 0, .advbase = 1, .has_vip = true, .admin_up = true},
		{.if_id = 3, .advbase = 1, .has_vip = true, .admin_up = true}};
	struct election_config config = {
		.if_count = 4, .group_count = 2, .ifs = ifs, .groups = groups, .allow = true};
	struct box *b = box_new(&config);

	(void)state;
	/* counted from the start, so that the first advert is demoted already */
	assert_int_equal(election_demotion_total(b->e), 2);
	box_tick(b);
	box_take_state(b, 1, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0);
	box_run(b, T0 + SECS(3));
	box_take(b, ELECTION_ACT_OWN, 1, b->now);
	box_take_advert(b, 1, 1, 240, 2, b->now);
	box_forget(b);
	box_link(b, 2, true);
	box_link(b, 2, false);
	box_quiet(b);
	box_link(b, 1, true);
	const struct election_action *a =
		box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 1, b->now);

	assert_int_equal(a->demotion.if_id, 1);
	assert_int_equal(a->group, ELECTION_NONE);
	box_quiet(b);
	box_link(b, 0, true);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	box_take_advert(b, 1, 1, 0, 0, b->now);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_run(b, b->now + SECS(10) + 1);
	box_forget(b);
	box_link(b, 1, false);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 1, 1, b->now);
	box_take_advert(b, 1, 1, 240, 1, b->now);
	box_quiet(b);
	box_free(b);
}

static void
a_change_of_timing_does_not_swallow_the_advert_at_once(void **state)
{
	struct box *b = box_one(1, 100, false);
	struct election_event demote = {.type = ELECTION_EV_SET_DEMOTION, .amount = 1};

	(void)state;
	box_make_master(b, 0);
	box_run(b, b->now + MSECS(10));
	/* both in one turn */
	assert_int_equal(box_input(b, &demote), 0);
	box_timing(b, 0, 1, 50);
	box_take_demotion(b, ELECTION_DEMOTION_OPERATOR, 1, 1, b->now);
	box_take_advert(b, 0, 1, 240, 1, b->now);
	box_quiet(b);
	box_free(b);
}

/* Own demotion applies whatever preempt says (design 4.2); a peer's reaction is the peer's. */
static void
demotion_needs_no_preempt(void **state)
{
	(void)state;
	for (int preempt = 0; preempt <= 1; preempt++) {
		struct box *b = box_one(1, 0, preempt);

		box_demote(b, 1);
		box_make_master(b, 0);
		assert_int_equal(box_info(b, 0).sent.advskew, 240);
		box_advert(b, 0, 1, 200, 0);
		box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, b->now);
		box_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_23_25_demoted_and_back),
		cmocka_unit_test(conformance_24_skew_above_240_stays),
		cmocka_unit_test(conformance_26_27_28_byte_4_counts_before_the_timing),
		cmocka_unit_test(a_demoted_master_yields_to_a_healthy_one_but_not_to_its_farewell),
		cmocka_unit_test(conformance_31_three_errors_demote_three_successes_undo),
		cmocka_unit_test(send_error_ends_60_s_after_leaving_master),
		cmocka_unit_test(send_error_of_a_group_that_leads_again_waits_for_success),
		cmocka_unit_test(operator_demotion_from_0_to_255),
		cmocka_unit_test(byte_4_stops_at_255),
		cmocka_unit_test(a_busy_receive_side_is_no_stalled_one),
		cmocka_unit_test(ledger_lists_every_entry_once),
		cmocka_unit_test(interfaces_that_count),
		cmocka_unit_test(a_change_of_timing_does_not_swallow_the_advert_at_once),
		cmocka_unit_test(demotion_needs_no_preempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
