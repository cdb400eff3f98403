/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* IPv4 and IPv6 adverts of one group (protocol note 4, case 50). */
#include "election_test.h"

#define BOTH (ELECTION_IP4 | ELECTION_IP6)
#define DOWN (SECS(3) + SKEW(100))

static const struct election_priority better = {1, 50, 0};

/* A BACKUP since T0 with these families. */
static struct box *
box_families(uint8_t families, enum election_family_timers timers)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {{.advbase = 1,
		.advskew = 100,
		.has_vip = true,
		.admin_up = true,
		.families = families,
		.family_timers = timers}};
	struct election_config config = {
		.if_count = 1, .group_count = 1, .ifs = ifs, .groups = groups, .allow = true};
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_tick(b);
	box_forget(b);
	return b;
}

static int
hear(struct box *b, uint8_t family, uint8_t host)
{
	return box_advert_from(b, 0, family, host, better);
}

static base_ns_t
family_deadline(const struct box *b, unsigned int family)
{
	return box_info(b, 0).family[family].deadline;
}

static void
conformance_50_only_ipv4_heard_from_the_first(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ALL);

	(void)state;
	for (unsigned int i = 0; i < 30; i++) {
		box_run(b, T0 + SECS(i));
		hear(b, 4, 3);
	}
	box_quiet(b);
	base_ns_t last = b->now;

	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	/* IPv6 was never heard from this master: its silence means nothing */
	assert_int_equal(family_deadline(b, 0), last + DOWN);
	assert_int_equal(family_deadline(b, 1), BASE_NS_NEVER);
	box_run(b, last + DOWN);
	const struct election_action *a = box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, last + DOWN);

	assert_int_equal(a->state.family, BASE_FAMILY_NONE);
	assert_int_equal(a->state.deadline, last + DOWN);
	box_free(b);
	/* strict: the IPv6 timer runs from the beginning and takes over */
	b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ANY);
	for (unsigned int i = 0; i < 4; i++) {
		box_run(b, T0 + SECS(i));
		hear(b, 4, 3);
	}
	box_quiet(b);
	assert_int_equal(family_deadline(b, 0), T0 + SECS(3) + DOWN);
	assert_int_equal(family_deadline(b, 1), T0 + DOWN);
	box_run(b, T0 + DOWN);
	a = box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN);
	assert_int_equal(a->state.family, BASE_FAMILY_IP6);
	box_free(b);
}

static void
one_family_lost_later(void **state)
{
	(void)state;
	for (int any = 0; any <= 1; any++)
		for (uint8_t lost = 4; lost <= 6; lost = (uint8_t)(lost + 2)) {
			struct box *b = box_families(BOTH,
				any ? ELECTION_FAMILY_TIMERS_ANY : ELECTION_FAMILY_TIMERS_ALL);
			uint8_t left = lost == 4 ? 6 : 4;

			for (unsigned int i = 0; i <= 10; i++) {
				box_run(b, T0 + SECS(i));
				hear(b, 4, 3);
				hear(b, 6, 3);
			}
			base_ns_t last = b->now;

			for (unsigned int i = 11; i < 60 && !any; i++) {
				box_run(b, T0 + SECS(i));
				hear(b, left, 3);
				/* overdue, and shown so */
				assert_int_equal(family_deadline(b, lost == 6), last + DOWN);
			}
			for (unsigned int i = 11; i < 14 && any; i++) {
				box_run(b, T0 + SECS(i));
				hear(b, left, 3);
			}
			box_quiet(b);
			box_run(b, last + DOWN > b->now ? last + DOWN : b->now);
			assert_int_equal(box_state(b, 0), any ? ELECTION_MASTER : ELECTION_BACKUP);
			if (any)
				assert_int_equal(
					box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, last + DOWN)
						->state.family,
					lost);
			box_free(b);
		}
}

static void
all_waits_for_the_family_heard_last(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ALL);

	(void)state;
	box_run(b, T0 + SECS(1));
	hear(b, 6, 3);
	box_run(b, T0 + SECS(2));
	hear(b, 4, 3);
	assert_int_equal(family_deadline(b, 0), T0 + SECS(2) + DOWN);
	assert_int_equal(family_deadline(b, 1), T0 + SECS(1) + DOWN);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(2) + DOWN);
	/* whichever that is */
	box_run(b, T0 + SECS(3));
	hear(b, 6, 3);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(3) + DOWN);
	box_free(b);
}

static void
nothing_heard_takes_over_after_the_time_as_backup(void **state)
{
	static const struct {
		uint8_t families, family;
		enum election_family_timers timers;
	} rows[] = {
		{0, BASE_FAMILY_IP4, ELECTION_FAMILY_TIMERS_ALL},
		{ELECTION_IP4, BASE_FAMILY_IP4, ELECTION_FAMILY_TIMERS_ANY},
		{ELECTION_IP6, BASE_FAMILY_IP6, ELECTION_FAMILY_TIMERS_ALL},
		{ELECTION_IP6, BASE_FAMILY_IP6, ELECTION_FAMILY_TIMERS_ANY},
		{BOTH, BASE_FAMILY_NONE, ELECTION_FAMILY_TIMERS_ALL},
		{BOTH, BASE_FAMILY_IP4, ELECTION_FAMILY_TIMERS_ANY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_families(rows[i].families, rows[i].timers);
		uint8_t mask = rows[i].families ? rows[i].families : ELECTION_IP4;

		assert_int_equal(box_info(b, 0).families, mask);
		for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
			assert_int_equal(family_deadline(b, f),
				mask & (1u << f) ? T0 + DOWN : BASE_NS_NEVER);
		box_run(b, T0 + DOWN - 1);
		box_quiet(b);
		box_run(b, T0 + DOWN);
		box_take(b, ELECTION_ACT_OWN, 0, b->now);
		/* one action for all of them */
		assert_int_equal(box_take_advert(b, 0, 1, 100, 0, b->now)->families, mask);
		assert_int_equal(box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now)->families, mask);
		assert_int_equal(
			box_take_state(b, 0, ELECTION_MASTER, ELECTION_CAUSE_TIMEOUT, b->now)
				->state.family,
			rows[i].family);
		assert_int_equal(family_deadline(b, 0), BASE_NS_NEVER);
		box_group(b, ELECTION_EV_DOWN, 0);
		assert_int_equal(box_take_advert(b, 0, 255, 255, 0, b->now)->families, mask);
		box_free(b);
	}
}

/* Another master that is heard by IPv4 alone: what IPv6 said was another's. */
static void
a_new_master_is_waited_for_by_what_it_sends(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ALL);

	(void)state;
	hear(b, 4, 3);
	hear(b, 6, 3);
	box_run(b, T0 + SECS(1));
	hear(b, 4, 4);
	assert_int_equal(family_deadline(b, 0), T0 + SECS(1) + DOWN);
	assert_int_equal(family_deadline(b, 1), BASE_NS_NEVER);
	assert_int_equal(box_info(b, 0).family[1].heard_at, T0);
	box_run(b, T0 + SECS(2));
	hear(b, 6, 4);
	assert_int_equal(family_deadline(b, 1), T0 + SECS(2) + DOWN);
	/* the one it is waited for by now is the other's: forgotten again */
	hear(b, 6, 3);
	assert_int_equal(family_deadline(b, 0), BASE_NS_NEVER);
	box_free(b);
}

static void
an_advert_of_either_family_is_judged(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
		struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ANY);
		const struct election_action *a;

		box_advert_from(b, 0, family, 3, (struct election_priority){255, 255, 0});
		a = box_take_claim(b, 0, ELECTION_CAUSE_BOW_OUT, T0);
		assert_int_equal(a->state.family, family);
		assert_int_equal(a->state.deadline, BASE_NS_NEVER);
		/* the same bow-out by the other family */
		box_advert_from(
			b, 0, (uint8_t)(10 - family), 3, (struct election_priority){255, 255, 0});
		box_quiet(b);
		hear(b, family, 3);
		a = box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, T0);
		assert_int_equal(a->state.family, family);
		box_free(b);
	}
}

/* Two families are two addresses of one master, no crowd of masters. */
static void
both_families_at_one_moment_are_one_master(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ALL);

	(void)state;
	for (unsigned int i = 1; i < 20; i++) {
		box_run(b, T0 + SECS(i));
		hear(b, 4, 3);
		box_run(b, b->now + 10 * BASE_NS_PER_US);
		hear(b, 6, 3);
		assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
		/* shown by one address, not by whichever came last */
		struct base_addr master = box_info(b, 0).master;

		assert_int_equal(master.family, BASE_FAMILY_IP4);
		assert_int_equal(box_info(b, 0).heard_from.family, BASE_FAMILY_IP6);
	}
	/* IPv4 lost: the other address */
	box_run(b, T0 + SECS(22));
	hear(b, 6, 3);
	box_run(b, T0 + SECS(24));
	hear(b, 6, 3);
	assert_int_equal(box_info(b, 0).master.family, BASE_FAMILY_IP6);
	/* two at one moment are a crowd by IPv6 as well */
	box_run(b, T0 + SECS(25));
	hear(b, 6, 3);
	hear(b, 6, 4);
	assert_in_range(
		box_info(b, 0).master_down_deadline, b->now + DOWN + 1, b->now + DOWN + MSECS(100));
	box_free(b);
}

static void
an_address_without_family_is_ipv4(void **state)
{
	struct box *b = box_families(0, ELECTION_FAMILY_TIMERS_ANY);
	struct election_event ev = {.type = ELECTION_EV_ADVERT};

	(void)state;
	box_run(b, T0 + SECS(1));
	ev.advert.prio = better;
	box_feed(b, &ev);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(1) + DOWN);
	assert_int_equal(box_info(b, 0).family[0].heard_at, T0 + SECS(1));
	assert_int_equal(box_info(b, 0).family[1].heard_at, BASE_NS_NEVER);
	box_free(b);
}

static void
change_families(struct box *b, uint8_t families)
{
	struct election_event ev = {.type = ELECTION_EV_VIPS, .on = true, .families = families};

	assert_int_equal(box_feed(b, &ev), 0);
}

static void
families_change_with_the_vips(void **state)
{
	struct box *b = box_families(ELECTION_IP4, ELECTION_FAMILY_TIMERS_ANY);

	(void)state;
	box_run(b, T0 + SECS(1));
	hear(b, 4, 3);
	box_run(b, T0 + SECS(2));
	change_families(b, BOTH);
	box_quiet(b);
	/* the new one's timer begins now */
	assert_int_equal(family_deadline(b, 0), T0 + SECS(1) + DOWN);
	assert_int_equal(family_deadline(b, 1), T0 + SECS(2) + DOWN);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(1) + DOWN);
	hear(b, 4, 3);
	box_run(b, T0 + SECS(3));
	hear(b, 4, 3);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(2) + DOWN);
	change_families(b, 0);
	assert_int_equal(box_info(b, 0).families, BOTH);
	change_families(b, ELECTION_IP4);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(3) + DOWN);
	box_make_master(b, 0);
	change_families(b, ELECTION_IP6);
	assert_int_equal(box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->now)->families, ELECTION_IP6);
	/* the last VIP gone: bow out where it was */
	struct election_event none = {.type = ELECTION_EV_VIPS, .families = ELECTION_IP4};

	box_feed(b, &none);
	assert_int_equal(box_take_advert(b, 0, 255, 255, 0, b->now)->families, ELECTION_IP6);
	box_free(b);
}

/* What lay unread is read family by family: the first must not leave the other one overdue. */
static void
a_stalled_backup_listens_by_every_family(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ANY);

	(void)state;
	box_sleep(b, SECS(20));
	box_stall(b, SECS(20));
	base_ns_t listen = b->now + SECS(1) + SKEW(100);

	assert_int_equal(box_info(b, 0).master_down_deadline, listen);
	hear(b, 4, 3);
	box_quiet(b);
	assert_int_equal(family_deadline(b, 0), b->now + DOWN);
	assert_int_equal(family_deadline(b, 1), listen);
	box_run(b, listen);
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, listen);
	box_free(b);
}

/* What one family hears must not take the random delay from the other: that one may be overdue. */
static void
a_tie_delay_is_kept_by_each_family(void **state)
{
	struct box *b = box_families(BOTH, ELECTION_FAMILY_TIMERS_ANY);

	(void)state;
	box_make_master(b, 0);
	box_advert_from(b, 0, 4, 3, (struct election_priority){1, 100, 0});
	box_forget(b);
	base_ns_t extra = box_info(b, 0).master_down_deadline - b->now - DOWN;

	assert_true(extra > 0);
	box_advert_from(b, 0, 6, 3, (struct election_priority){1, 100, 0});
	box_run(b, b->now + DOWN + extra - 1);
	box_advert_from(b, 0, 4, 3, (struct election_priority){1, 100, 0});
	box_quiet(b);
	assert_int_equal(family_deadline(b, 0), b->now + DOWN);
	assert_int_equal(family_deadline(b, 1), b->now + 1);
	box_free(b);
}

/* Also when a claim of the operator waited for the hold, and is dropped for a better master. */
static void
a_hold_that_ends_restarts_every_family(void **state)
{
	(void)state;
	for (int forced = 0; forced <= 1; forced++) {
		struct election_if_config ifs[] = {{.link_up = true, .linkup_hold_ns = SECS(20)}};
		struct election_group_config groups[] = {{.advbase = 1,
			.advskew = 100,
			.has_vip = true,
			.admin_up = true,
			.start_as_master = forced,
			.families = BOTH,
			.family_timers = ELECTION_FAMILY_TIMERS_ANY}};
		struct election_config config = {.if_count = 1,
			.group_count = 1,
			.ifs = ifs,
			.groups = groups,
			.allow = true};
		struct box *b = box_new(&config);

		box_tick(b);
		box_run(b, T0 + SECS(10));
		if (forced)
			box_stall(b, SECS(9));
		hear(b, 4, 3);
		assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
		assert_int_equal(family_deadline(b, 0), b->now + DOWN);
		assert_int_equal(family_deadline(b, 1), b->now + DOWN);
		box_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_50_only_ipv4_heard_from_the_first),
		cmocka_unit_test(one_family_lost_later),
		cmocka_unit_test(all_waits_for_the_family_heard_last),
		cmocka_unit_test(nothing_heard_takes_over_after_the_time_as_backup),
		cmocka_unit_test(a_new_master_is_waited_for_by_what_it_sends),
		cmocka_unit_test(an_advert_of_either_family_is_judged),
		cmocka_unit_test(both_families_at_one_moment_are_one_master),
		cmocka_unit_test(an_address_without_family_is_ipv4),
		cmocka_unit_test(families_change_with_the_vips),
		cmocka_unit_test(a_stalled_backup_listens_by_every_family),
		cmocka_unit_test(a_tie_delay_is_kept_by_each_family),
		cmocka_unit_test(a_hold_that_ends_restarts_every_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
