/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Groups that change, come and go while others run. */
#include "election_test.h"

#include <errno.h>

#define DOWN (SECS(3) + SKEW(100))

static struct election_group_config
group_on(uint16_t if_id)
{
	return (struct election_group_config){
		.if_id = if_id, .advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true};
}

/* Two interfaces, a group on the first one in slot 0, room for three more. */
static struct box *
box_roomy(bool preempt)
{
	const struct election_if_config ifs[2] = {{.link_up = true}, {.link_up = true}};
	const struct election_group_config group = group_on(0);
	const struct election_config config = {.if_count = 2,
		.group_count = 1,
		.group_room = 4,
		.ifs = ifs,
		.groups = &group,
		.preempt = preempt,
		.allow = true,
		.seed = 1};
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_tick(b);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0);
	box_quiet(b);
	return b;
}

static void
timing_changes_in_place(void **state)
{
	struct box *b = box_roomy(true);
	struct election_group_config g = group_on(0);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	base_ns_t heard = b->now;

	box_run(b, T0 + SECS(1));
	g.advskew = 200;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_quiet(b);
	/* from the advert that was heard, with the new time */
	assert_int_equal(box_info(b, 0).master_down_deadline, heard + SECS(3) + SKEW(200));
	box_run(b, heard + SECS(3) + SKEW(200));
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, b->now);
	box_forget(b);
	/* sooner than planned: from the last advert on */
	g.advskew = 0;
	base_ns_t master = b->now;

	box_run(b, master + MSECS(500));
	assert_int_equal(box_set(b, 0, &g), 0);
	box_quiet(b);
	box_run(b, master + SECS(1));
	box_take_advert(b, 0, 1, 0, 0, master + SECS(1));
	assert_int_equal(box_info(b, 0).transitions, 1);
	box_free(b);
}

static void
families_and_their_timers_change_in_place(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(0);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	g.families = ELECTION_IP4 | ELECTION_IP6;
	g.family_timers = ELECTION_FAMILY_TIMERS_ANY;
	box_run(b, T0 + SECS(1));
	assert_int_equal(box_set(b, 0, &g), 0);
	/* IPv6 is waited for from now on, IPv4 since it was heard */
	assert_int_equal(box_info(b, 0).family[1].deadline, b->now + DOWN);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	box_make_master(b, 0);
	g.families = ELECTION_IP6;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now);
	box_quiet(b);
	/* without any address there is nothing to be master of */
	g.has_vip = false;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_NO_VIP, b->now);
	box_quiet(b);
	g.has_vip = true;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_free(b);
}

/* What an operator brought down stays down; what is configured for the start is not for now. */
static void
the_operators_word_stays(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(0);

	(void)state;
	box_group(b, ELECTION_EV_DOWN, 0);
	box_forget(b);
	g.start_as_master = true;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_quiet(b);
	assert_int_equal(box_state(b, 0), ELECTION_INIT);
	box_free(b);
}

static void
a_group_comes_while_others_run(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(0);

	(void)state;
	box_run(b, T0 + SECS(1));
	assert_int_equal(box_set(b, 2, &g), 0);
	box_take_state(b, 2, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	box_quiet(b);
	/* the deadline of the one that was there is where it was */
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	assert_int_equal(box_info(b, 2).master_down_deadline, T0 + SECS(1) + DOWN);
	box_run(b, T0 + DOWN);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	box_run(b, T0 + SECS(1) + DOWN);
	box_forget(b);
	assert_int_equal(box_state(b, 2), ELECTION_MASTER);
	/* slots without a group are none */
	assert_int_equal(box_group(b, ELECTION_EV_UP, 1), -EINVAL);
	assert_int_equal(box_advert(b, 3, 1, 0, 0), -EINVAL);
	box_quiet(b);
	box_free(b);
}

static void
a_group_that_goes_hands_over_first(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(0);

	(void)state;
	assert_int_equal(box_set(b, 1, &g), 0);
	box_make_master(b, 0);
	box_forget(b);
	assert_int_equal(box_remove(b, 0), -EBUSY);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, b->now);
	assert_int_equal(box_remove(b, 0), -EBUSY);
	box_run(b, b->now + MSECS(50));
	box_take(b, ELECTION_ACT_DISOWN, 0, b->now);
	base_ns_t other = box_info(b, 1).advert_deadline;

	assert_int_equal(box_remove(b, 0), 0);
	assert_int_equal(box_remove(b, 0), -EINVAL);
	box_quiet(b);
	assert_int_equal(box_info(b, 1).advert_deadline, other);
	assert_int_equal(box_state(b, 1), ELECTION_MASTER);
	/* another one in its slot begins with nothing of it */
	g.if_id = 1;
	assert_int_equal(box_set(b, 0, &g), 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, b->now);
	assert_int_equal(box_info(b, 0).transitions, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_free(b);
}

/* What it did not get sent is nobody's fault any more; nor is the link of an interface without. */
static void
a_group_that_goes_takes_its_demotion_along(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(1);

	(void)state;
	box_link(b, 1, false);
	box_quiet(b);
	assert_int_equal(box_set(b, 1, &g), 0);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 1, 1, b->now);
	box_quiet(b);
	assert_int_equal(box_remove(b, 1), 0);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	box_make_master(b, 0);
	box_forget(b);
	for (unsigned int i = 0; i < 3; i++)
		box_sent(b, 0, false);
	box_take_demotion(b, ELECTION_DEMOTION_SEND_ERROR, 1, 1, b->now);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_run(b, b->now + MSECS(50));
	box_forget(b);
	assert_int_equal(box_remove(b, 0), 0);
	box_take_demotion(b, ELECTION_DEMOTION_SEND_ERROR, 0, 0, b->now);
	box_quiet(b);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_free(b);
}

static void
what_is_out_of_bounds_changes_nothing(void **state)
{
	struct box *b = box_roomy(false);
	struct election_group_config g = group_on(1);

	(void)state;
	assert_int_equal(box_set(b, 0, &g), -EINVAL); /* another interface is another group */
	g.if_id = 2;
	assert_int_equal(box_set(b, 1, &g), -EINVAL);
	g = group_on(0);
	g.advskew = 255;
	assert_int_equal(box_set(b, 0, &g), -EINVAL);
	assert_int_equal(box_set(b, 1, &g), -EINVAL);
	g = group_on(0);
	g.families = 4;
	assert_int_equal(box_set(b, 0, &g), -EINVAL);
	assert_int_equal(election_group_set(b->e, 4, &g, b->now, &b->list), -EINVAL);
	assert_int_equal(election_group_remove(b->e, 4, b->now, &b->list), -EINVAL);
	assert_int_equal(election_if_set(b->e, 2, true, 0, b->now, &b->list), -EINVAL);
	box_quiet(b);
	assert_int_equal(box_info(b, 0).advskew, 100);
	box_group(b, ELECTION_EV_SHUTDOWN, 0);
	g = group_on(0);
	assert_int_equal(box_set(b, 0, &g), -EAGAIN);
	assert_int_equal(election_group_remove(b->e, 0, b->now, &b->list), -EAGAIN);
	assert_int_equal(election_if_set(b->e, 0, true, 0, b->now, &b->list), -EAGAIN);
	assert_int_equal(election_refresh_set(b->e, SECS(1), b->now), -EAGAIN);
	box_free(b);
}

static void
interfaces_and_refresh_change_in_place(void **state)
{
	struct box *b = box_roomy(false);

	(void)state;
	box_link(b, 1, false);
	box_quiet(b);
	assert_int_equal(election_if_set(b->e, 1, true, SECS(5), b->now, &b->list), 0);
	assert_int_equal(election_demotion_total(b->e), 1);
	b->list.n = 0;
	/* the hold is for the link that comes up from now on */
	box_link(b, 1, true);
	assert_int_equal(election_demotion_total(b->e), 1);
	box_run(b, b->now + SECS(5));
	assert_int_equal(election_demotion_total(b->e), 0);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_run(b, b->now + SECS(60));
	box_forget(b);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	assert_int_equal(election_refresh_set(b->e, SECS(7), b->now), 0);
	assert_int_equal(box_info(b, 0).announce_deadline, b->now + SECS(7));
	assert_int_equal(election_refresh_set(b->e, 0, b->now), 0);
	assert_int_equal(box_info(b, 0).announce_deadline, BASE_NS_NEVER);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timing_changes_in_place),
		cmocka_unit_test(families_and_their_timers_change_in_place),
		cmocka_unit_test(the_operators_word_stays),
		cmocka_unit_test(a_group_comes_while_others_run),
		cmocka_unit_test(a_group_that_goes_hands_over_first),
		cmocka_unit_test(a_group_that_goes_takes_its_demotion_along),
		cmocka_unit_test(what_is_out_of_bounds_changes_nothing),
		cmocka_unit_test(interfaces_and_refresh_change_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
