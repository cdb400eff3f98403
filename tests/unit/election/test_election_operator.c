/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What operators ask for (protocol note 10, cases 51 to 55). */
#include "election_test.h"

#include <errno.h>

/* Note 10: "R", base 1 skew 100: interval and master-down to the nanosecond. */
#define INTERVAL (SECS(1) + SKEW(100))
#define DOWN	 (SECS(3) + SKEW(100))

static void
conformance_51_forced_backup_bows_out(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	/* already there: accepted, nothing happens, the timer goes on */
	box_run(b, T0 + SECS(1));
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_BACKUP, 0), 0);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	box_make_master(b, 0);
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_BACKUP, 0), 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_FORCED, b->now);
	box_quiet(b);
	base_ns_t forced = b->now;

	box_run(b, forced + DOWN - 1);
	box_take(b, ELECTION_ACT_DISOWN, 0, forced + MSECS(50));
	box_quiet(b);
	/* nobody took it: it may win again */
	box_run(b, forced + DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, forced + DOWN);
	box_free(b);
}

static void
conformance_52_forced_master_holds_until_a_better_advert(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	box_run(b, T0 + MSECS(400));
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_MASTER, 0), 0);
	box_take_claim(b, 0, ELECTION_CAUSE_FORCED, b->now);
	/* already there */
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_MASTER, 0), 0);
	box_quiet(b);
	box_advert(b, 0, 1, 101, 0);
	box_take_advert(b, 0, 1, 100, 0, b->now);
	box_quiet(b);
	box_run(b, T0 + SECS(1));
	box_advert(b, 0, 1, 0, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, T0 + SECS(1));
	box_take(b, ELECTION_ACT_DISOWN, 0, T0 + SECS(1));
	box_quiet(b);
	box_free(b);
}

static void
forcing_a_group_in_init_is_refused(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_group(b, ELECTION_EV_DOWN, 0);
	box_forget(b);
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_MASTER, 0), -EAGAIN);
	assert_int_equal(box_group(b, ELECTION_EV_FORCE_BACKUP, 0), -EAGAIN);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_INIT);
	box_free(b);
}

static void
conformance_53_timing_changes_keep_the_state(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	base_ns_t master = b->now;

	box_run(b, master + MSECS(100));
	/* slower: the advert that is due comes when it is due, and carries it */
	assert_int_equal(box_timing(b, 0, 1, 200), 0);
	box_quiet(b);
	box_run(b, master + INTERVAL);
	box_take_advert(b, 0, 1, 200, 0, master + INTERVAL);
	/* faster: as if it had been so since the last advert */
	box_run(b, b->now + MSECS(100));
	box_timing(b, 0, 1, 0);
	box_run(b, master + INTERVAL + SECS(1));
	box_take_advert(b, 0, 1, 0, 0, master + INTERVAL + SECS(1));
	box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now);
	/* faster than the time that has passed already: now */
	box_run(b, b->now + MSECS(500));
	box_timing(b, 0, 0, 1);
	box_take_advert(b, 0, 0, 1, 0, master + INTERVAL + MSECS(1500));
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_free(b);
}

static void
timing_changes_move_a_backups_timer_from_where_it_began(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_run(b, T0 + SECS(1));
	box_advert(b, 0, 1, 0, 0);
	box_run(b, T0 + SECS(2));
	box_timing(b, 0, 2, 50);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(7) + SKEW(50));
	box_timing(b, 0, 1, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(4));
	box_quiet(b);
	/* shorter than what has passed: silence is silence */
	box_timing(b, 0, 0, 0);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + SECS(2));
	box_free(b);
}

static void
conformance_55_allow_0_is_init(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_make_master(b, 0);
	assert_true(election_allow(b->e));
	box_switch(b, ELECTION_EV_SET_ALLOW, false);
	assert_false(election_allow(b->e));
	for (uint16_t i = 0; i < 2; i++) {
		box_take(b, ELECTION_ACT_DISOWN, i, b->now);
		box_take_state(b, i, ELECTION_INIT, ELECTION_CAUSE_DISALLOWED, b->now);
	}
	box_switch(b, ELECTION_EV_SET_ALLOW, false);
	box_advert(b, 0, 1, 200, 0);
	box_bow_out(b, 1);
	/* nothing else starts it */
	box_group(b, ELECTION_EV_UP, 0);
	box_vips(b, 0, true);
	box_run(b, b->now + SECS(60));
	box_quiet(b);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_switch(b, ELECTION_EV_SET_ALLOW, true);
	for (uint16_t i = 0; i < 2; i++)
		box_take_state(b, i, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_switch(b, ELECTION_EV_SET_ALLOW, true);
	box_quiet(b);
	box_free(b);
}

static void
vips_keep_the_state_and_are_announced(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_vips(b, 0, true);
	box_quiet(b);
	box_make_master(b, 0);
	box_vips(b, 0, true);
	box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now);
	box_quiet(b);
	/* the last one gone: bow out while it can still be signed */
	box_vips(b, 0, false);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_NO_VIP, b->now);
	box_group(b, ELECTION_EV_UP, 0);
	box_quiet(b);
	box_vips(b, 0, true);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_free(b);
}

static void
start_as_master_claims_once(void **state)
{
	struct election_if_config ifs[] = {{.link_up = false}};
	struct election_group_config groups[] = {{.advbase = 1,
		.advskew = 100,
		.has_vip = true,
		.admin_up = true,
		.start_as_master = true}};
	struct election_config config = {
		.if_count = 1, .group_count = 1, .ifs = ifs, .groups = groups, .allow = true};
	struct box *b = box_new(&config);

	(void)state;
	box_tick(b);
	box_run(b, T0 + SECS(5));
	box_quiet(b);
	/* the first time it can run, not the first tick */
	box_link(b, 0, true);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0 + SECS(5));
	box_take_claim(b, 0, ELECTION_CAUSE_FORCED, T0 + SECS(5));
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, T0 + SECS(5));
	box_forget(b);
	box_link(b, 0, false);
	box_link(b, 0, true);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

/* The last word as master, then the demotion: no advert between the two. */
static void
drain_bows_out_and_demotes(void **state)
{
	struct box *b = box_many(2, 1, 100, true);

	(void)state;
	box_make_master(b, 0);
	box_advert(b, 1, 1, 0, 0);
	box_forget(b);
	base_ns_t t = b->now;

	assert_int_equal(box_switch(b, ELECTION_EV_DRAIN, true), 0);
	box_take_advert(b, 0, 255, 255, 0, t);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_DRAINED, t);
	box_take_demotion(
		b, ELECTION_DEMOTION_DRAIN, ELECTION_DRAIN_DEMOTION, ELECTION_DRAIN_DEMOTION, t);
	box_quiet(b);
	assert_true(election_drained(b->e));
	/* twice is once */
	assert_int_equal(box_switch(b, ELECTION_EV_DRAIN, true), 0);
	box_quiet(b);
	/* preempt or not, it does not take over from anybody who lives */
	box_take(b, ELECTION_ACT_DISOWN, 0, (box_run(b, t + MSECS(500)), t + MSECS(50)));
	box_advert(b, 0, 1, 254, 0);
	box_quiet(b);
	/* but it is the last resort */
	box_run(b, b->now + DOWN);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_forget(b);
	/* and gives up at the word of the operator again */
	assert_int_equal(box_switch(b, ELECTION_EV_DRAIN, true), 0);
	box_take_advert(b, 0, 255, 255, ELECTION_DRAIN_DEMOTION, b->now);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_free(b);
}

static void
undrain_changes_nothing_but_the_demotion(void **state)
{
	struct box *b = box_one(1, 100, true);

	(void)state;
	box_demote(b, 3);
	box_make_master(b, 0);
	box_switch(b, ELECTION_EV_DRAIN, true);
	box_advert(b, 0, 1, 200, 0);
	box_forget(b);
	assert_int_equal(box_switch(b, ELECTION_EV_DRAIN, false), 0);
	box_take_demotion(b, ELECTION_DEMOTION_DRAIN, 0, 3, b->now);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_demote(b, 0);
	box_forget(b);
	box_advert(b, 0, 1, 200, 0);
	box_take_claim(b, 0, ELECTION_CAUSE_PREEMPT, b->now);
	box_free(b);
}

static void
starts_drained(void **state)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {{.advbase = 1,
		.advskew = 100,
		.has_vip = true,
		.admin_up = true,
		.start_as_master = true}};
	struct election_config config = {.if_count = 1,
		.group_count = 1,
		.ifs = ifs,
		.groups = groups,
		.allow = true,
		.drained = true};
	struct box *b = box_new(&config);
	struct election_demotion_entry entry;

	(void)state;
	box_tick(b);
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	assert_int_equal(election_demotion_total(b->e), ELECTION_DRAIN_DEMOTION);
	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.source, ELECTION_DEMOTION_DRAIN);
	box_forget(b);
	assert_int_equal(box_switch(b, ELECTION_EV_DRAIN, false), 0);
	box_take_demotion(b, ELECTION_DEMOTION_DRAIN, 0, 0, T0);
	assert_false(election_demotion_entry(b->e, 0, &entry));
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_51_forced_backup_bows_out),
		cmocka_unit_test(conformance_52_forced_master_holds_until_a_better_advert),
		cmocka_unit_test(forcing_a_group_in_init_is_refused),
		cmocka_unit_test(conformance_53_timing_changes_keep_the_state),
		cmocka_unit_test(timing_changes_move_a_backups_timer_from_where_it_began),
		cmocka_unit_test(conformance_55_allow_0_is_init),
		cmocka_unit_test(vips_keep_the_state_and_are_announced),
		cmocka_unit_test(start_as_master_claims_once),
		cmocka_unit_test(drain_bows_out_and_demotes),
		cmocka_unit_test(undrain_changes_nothing_but_the_demotion),
		cmocka_unit_test(starts_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
