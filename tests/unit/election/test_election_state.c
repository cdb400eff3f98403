/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* One box against adverts and links (protocol note 10, cases 7 to 30, 39, 40, 60 and 61). */
#include "election_test.h"

/* Note 10: "R", base 1 skew 100: interval and master-down to the nanosecond. */
#define INTERVAL (SECS(1) + SKEW(100))
#define DOWN	 (SECS(3) + SKEW(100))

static void
conformance_07_alone_it_becomes_master_after_master_down(void **state)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {
		{.if_id = 0, .advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true}};
	struct election_config config = {
		.if_count = 1, .group_count = 1, .ifs = ifs, .groups = groups, .allow = true};
	struct box *b = box_new(&config);
	const struct election_action *a;

	(void)state;
	assert_int_equal(box_state(b, 0), ELECTION_INIT);
	box_tick(b);
	a = box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0);
	assert_int_equal(a->state.from, ELECTION_INIT);
	assert_int_equal(a->state.since_heard, BASE_NS_NEVER);
	assert_int_equal(a->state.peer_src.family, BASE_FAMILY_NONE);
	box_run(b, T0 + DOWN - 1);
	box_quiet(b);
	box_run(b, T0 + DOWN);
	a = box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	assert_int_equal(a->state.from, ELECTION_BACKUP);
	assert_int_equal(a->state.late, 0);
	assert_int_equal(a->state.since_heard, BASE_NS_NEVER);
	assert_int_equal(a->state.own.advskew, 100);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).transitions, 1);
	assert_int_equal(box_info(b, 0).state_since, T0 + DOWN);
	box_free(b);
}

static void
conformance_08_master_adverts_every_interval(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	for (unsigned int i = 1; i <= 50; i++) {
		box_run(b, T0 + DOWN + i * INTERVAL);
		assert_int_equal(box_take_advert(b, 0, 1, 100, 0, b->now)->advert.late, 0);
		if (i == 2)
			box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now);
		box_quiet(b);
	}
	box_free(b);
}

static void
conformance_09_10_backup_is_silent_until_adverts_stop(void **state)
{
	struct box *b = box_one(1, 100, false);
	base_ns_t last = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		box_run(b, T0 + SECS(i));
		box_advert(b, 0, 1, 0, 0);
		last = b->now;
	}
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	assert_int_equal(box_info(b, 0).heard_at, last);
	struct base_addr master = box_info(b, 0).master;

	assert_int_equal(master.family, BASE_FAMILY_IP4);
	assert_int_equal(base_addr_ip4(&master), UINT32_C(0xc0000203));
	box_run(b, last + DOWN - 1);
	box_quiet(b);
	box_run(b, last + DOWN);
	const struct election_action *a = box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, last + DOWN);

	assert_int_equal(a->state.since_heard, DOWN);
	assert_int_equal(a->state.peer.advbase, 1);
	assert_int_equal(a->state.peer.advskew, 0);
	assert_int_equal(base_addr_ip4(&a->state.peer_src), UINT32_C(0xc0000203));
	box_free(b);
}

static void
conformance_11_without_preempt_a_worse_master_stays(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_run(b, T0 + SECS(2));
	box_advert(b, 0, 1, 200, 0);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(2) + DOWN);
	box_free(b);
}

static void
conformance_12_with_preempt_a_worse_master_is_replaced_at_once(void **state)
{
	struct box *b = box_one(1, 100, true);

	(void)state;
	box_run(b, T0 + SECS(2));
	box_advert(b, 0, 1, 200, 0);
	const struct election_action *a =
		box_take_claim(b, 0, ELECTION_CAUSE_PREEMPT, T0 + SECS(2));

	assert_int_equal(a->state.since_heard, 0);
	assert_int_equal(a->state.peer.advskew, 200);
	box_quiet(b);
	box_free(b);
}

static void
conformance_13_equal_master_stays_even_with_preempt(void **state)
{
	struct box *b = box_one(1, 100, true);

	(void)state;
	box_run(b, T0 + SECS(1));
	box_advert(b, 0, 1, 100, 0);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(1) + DOWN);
	box_free(b);
}

static void
conformance_14_15_16_master_yields_to_better_or_equal(void **state)
{
	static const struct {
		uint8_t skew;
		enum election_cause cause;
	} rows[] = {
		{0, ELECTION_CAUSE_BETTER_PEER},
		{100, ELECTION_CAUSE_TIE},
		{200, ELECTION_CAUSE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_one(1, 100, false);

		box_make_master(b, 0);
		box_run(b, b->now + MSECS(300));
		box_advert(b, 0, 1, rows[i].skew, 0);
		if (rows[i].cause == ELECTION_CAUSE_NONE) {
			/* it yields to our next advert: sent at once */
			box_take_advert(b, 0, 1, 100, 0, b->now);
			box_quiet(b);
			assert_int_equal(box_state(b, 0), ELECTION_MASTER);
			assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_NONE);
		} else {
			/* no packet is sent to give up (note 5.3) */
			box_take_state(b, 0, ELECTION_BACKUP, rows[i].cause, b->now);
			box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
			box_quiet(b);
			assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_IP4);
		}
		box_free(b);
	}
}

static void
conformance_17_18_bow_out_is_answered_at_once(void **state)
{
	static const uint8_t bases[] = {1, 85, 86, 100, 255, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(bases); i++) {
		struct box *b = box_one(bases[i], 100, false);

		box_run(b, T0 + MSECS(1));
		box_bow_out(b, 0);
		box_take_claim(b, 0, ELECTION_CAUSE_BOW_OUT, T0 + MSECS(1));
		box_quiet(b);
		box_free(b);
	}
}

static void
conformance_19_master_set_down_bows_out_once(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, b->now);
	box_quiet(b);
	base_ns_t down = b->now;

	box_run(b, down + SECS(60));
	/* only the end of the hand-over */
	box_take(b, ELECTION_ACT_DISOWN, 0, down + MSECS(50));
	box_quiet(b);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	/* up again: BACKUP, then by election */
	box_group(b, ELECTION_EV_UP, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, down + SECS(60));
	box_run(b, down + SECS(60) + DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, down + SECS(60) + DOWN);
	box_free(b);
}

static void
conformance_20_backup_set_down_is_silent(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, T0);
	box_run(b, T0 + SECS(60));
	box_quiet(b);
	/* again: nothing to do */
	assert_int_equal(box_group(b, ELECTION_EV_DOWN, 0), 0);
	box_quiet(b);
	box_free(b);
}

static void
conformance_21_22_a_master_that_is_too_slow(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 3, 0, 0);
	box_quiet(b);
	box_advert(b, 0, 3, 100, 0);
	/* as long as our master-down time: not slower, but too close */
	box_take_warn(b, 0, ELECTION_WARN_PEER_SLOW, T0);
	box_quiet(b);
	box_advert(b, 0, 4, 0, 0);
	box_take_claim(b, 0, ELECTION_CAUSE_SLOW_PEER, T0);
	box_free(b);
}

static void
conformance_29_30_link_down_and_back(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_run(b, T0 + DOWN);
	box_forget(b);
	box_link(b, 0, false);
	/* no bow-out is possible; the vMAC goes at once */
	box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_LINK_DOWN, b->now);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 1, 1, b->now);
	/* the box's other group says so in the same turn */
	box_take_advert(b, 1, 1, 240, 1, b->now);
	box_quiet(b);
	base_ns_t down = b->now;

	/* a repeated or unchanged report is no event (note 5.1) */
	box_link(b, 0, false);
	box_link(b, 1, true);
	box_quiet(b);
	box_run(b, down + SECS(1) + SKEW(240));
	box_take_advert(b, 1, 1, 240, 1, down + SECS(1) + SKEW(240));
	box_take(b, ELECTION_ACT_ANNOUNCE, 1, b->now);
	box_link(b, 0, true);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	box_take_advert(b, 1, 1, 100, 0, b->now);
	base_ns_t up = b->now;

	assert_int_equal(box_info(b, 0).master_down_deadline, up + DOWN);
	box_run(b, up + DOWN);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_free(b);
}

/* Taken down by the operator, an interface is as without link; its masters can still say so. */
static void
an_interface_that_is_taken_down_bows_out(void **state)
{
	struct box *b = box_many(2, 1, 100, false);
	struct election_event down = {.type = ELECTION_EV_LINK, .if_id = 0, .asked = true};

	(void)state;
	box_run(b, T0 + DOWN);
	box_forget(b);
	box_feed(b, &down);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_IF_DOWN, b->now);
	/* no hand-over: nothing is forwarded any more */
	box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 1, 1, b->now);
	box_take_advert(b, 1, 1, 240, 1, b->now);
	box_quiet(b);
	/* links that come and go under it are no event */
	box_feed(b, &down);
	box_quiet(b);
	box_link(b, 0, true);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	box_take_advert(b, 1, 1, 100, 0, b->now);
	box_forget(b);
	/* as BACKUP there is nothing to say */
	box_feed(b, &down);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_IF_DOWN, b->now);
	box_free(b);
}

/* Counters are not the election's: the same or an older one is just another advert. */
static void
conformance_39_40_40a_every_advert_of_a_peer_counts(void **state)
{
	struct box *b = box_one(1, 100, false);
	base_ns_t t = T0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		t += SECS(3);
		box_run(b, t);
		box_advert(b, 0, 1, 0, 0);
		assert_int_equal(box_info(b, 0).master_down_deadline, t + DOWN);
	}
	box_quiet(b);
	box_make_master(b, 0);
	/* as MASTER a peer's advert is compared, never taken for our own */
	box_advert(b, 0, 1, 200, 0);
	assert_int_equal(box_info(b, 0).heard_at, b->now);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_advert(b, 0, 1, 0, 0);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

static void
conformance_60_two_vhids_on_one_parent_are_independent(void **state)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[2];
	struct election_config config = {.if_count = 1,
		.group_count = 2,
		.ifs = ifs,
		.groups = groups,
		.preempt = true,
		.allow = true};

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		groups[i] = (struct election_group_config){
			.advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true};
	struct box *b = box_new(&config);

	box_tick(b);
	box_forget(b);
	/* group 0 has a better master, group 1 has none */
	for (unsigned int i = 1; i <= 10; i++) {
		box_run(b, T0 + SECS(i));
		box_advert(b, 0, 1, 0, 0);
	}
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	assert_int_equal(box_state(b, 1), ELECTION_MASTER);
	for (uint32_t i = 0; i < b->n; i++)
		assert_int_equal(b->log[i].act.group, 1);
	base_ns_t deadline = box_info(b, 1).advert_deadline;

	box_bow_out(b, 0);
	box_group(b, ELECTION_EV_DOWN, 0);
	assert_int_equal(box_state(b, 0), ELECTION_INIT);
	assert_int_equal(box_state(b, 1), ELECTION_MASTER);
	assert_int_equal(box_info(b, 1).advert_deadline, deadline);
	box_free(b);
}

static void
conformance_61_two_parents_are_independent(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_run(b, T0 + SECS(1));
	box_advert(b, 1, 1, 0, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	assert_int_equal(box_info(b, 0).heard_at, BASE_NS_NEVER);
	box_run(b, T0 + DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	box_quiet(b);
	assert_int_equal(box_state(b, 1), ELECTION_BACKUP);
	box_free(b);
}

static void
what_was_heard_ends_with_the_membership(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 50, 0);
	assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_IP4);
	box_group(b, ELECTION_EV_DOWN, 0);
	assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_NONE);
	box_forget(b);
	box_group(b, ELECTION_EV_UP, 0);
	assert_int_equal(box_info(b, 0).heard_at, BASE_NS_NEVER);
	assert_int_equal(box_info(b, 0).heard_from.family, BASE_FAMILY_NONE);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_make_master(b, 0);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	const struct election_action *a =
		box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, b->now);

	/* "zero if none", "family NONE if none" */
	assert_int_equal(a->state.peer.advskew, 0);
	assert_int_equal(a->state.peer.advbase, 0);
	assert_int_equal(a->state.peer_src.family, BASE_FAMILY_NONE);
	assert_int_equal(a->state.since_heard, BASE_NS_NEVER);
	box_free(b);
}

static void
a_silent_master_is_not_shown_as_master(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	/* a horizon holds the take-over back, yet who is master is no longer known */
	box_horizon(b, 0, T0);
	box_run(b, T0 + DOWN);
	assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_IP4);
	box_run(b, T0 + DOWN + 1);
	assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_NONE);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_07_alone_it_becomes_master_after_master_down),
		cmocka_unit_test(conformance_08_master_adverts_every_interval),
		cmocka_unit_test(conformance_09_10_backup_is_silent_until_adverts_stop),
		cmocka_unit_test(conformance_11_without_preempt_a_worse_master_stays),
		cmocka_unit_test(conformance_12_with_preempt_a_worse_master_is_replaced_at_once),
		cmocka_unit_test(conformance_13_equal_master_stays_even_with_preempt),
		cmocka_unit_test(conformance_14_15_16_master_yields_to_better_or_equal),
		cmocka_unit_test(conformance_17_18_bow_out_is_answered_at_once),
		cmocka_unit_test(conformance_19_master_set_down_bows_out_once),
		cmocka_unit_test(conformance_20_backup_set_down_is_silent),
		cmocka_unit_test(conformance_21_22_a_master_that_is_too_slow),
		cmocka_unit_test(conformance_29_30_link_down_and_back),
		cmocka_unit_test(an_interface_that_is_taken_down_bows_out),
		cmocka_unit_test(conformance_39_40_40a_every_advert_of_a_peer_counts),
		cmocka_unit_test(conformance_60_two_vhids_on_one_parent_are_independent),
		cmocka_unit_test(conformance_61_two_parents_are_independent),
		cmocka_unit_test(what_was_heard_ends_with_the_membership),
		cmocka_unit_test(a_silent_master_is_not_shown_as_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
