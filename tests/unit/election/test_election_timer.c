/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Advert and master-down timers: phase, lateness, repeats (protocol note 4, 5.2 and 5.3). */
#include "election_test.h"

#define INTERVAL (SECS(1) + SKEW(100))
#define DOWN	 (SECS(3) + SKEW(100))

static void
conformance_47_announced_again_after_the_third_advert(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		base_ns_t t = box_info(b, 0).master_down_deadline;

		box_run(b, t + 10 * INTERVAL);
		box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, t);
		box_take_advert(b, 0, 1, 100, 0, t + INTERVAL);
		box_take_advert(b, 0, 1, 100, 0, t + 2 * INTERVAL);
		box_take(b, ELECTION_ACT_ANNOUNCE, 0, t + 2 * INTERVAL);
		for (unsigned int i = 3; i <= 10; i++)
			box_take_advert(b, 0, 1, 100, 0, t + i * INTERVAL);
		box_quiet(b);
		box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
		box_forget(b);
		/* the next take-over counts from one again */
		box_run(b, b->now + MSECS(50));
		box_forget(b);
	}
	box_free(b);
}

static void
leaving_cancels_the_second_announcement(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_run(b, b->now + INTERVAL);
	box_forget(b);
	box_advert(b, 0, 1, 0, 0);
	box_forget(b);
	box_run(b, b->now + DOWN - 1);
	box_quiet(b);
	box_free(b);
}

static void
a_little_late_keeps_the_phase(void **state)
{
	static const base_ns_t lates[] = {1, BASE_NS_PER_US, MSECS(1), MSECS(999), INTERVAL - 1};
	struct box *b = box_one(1, 100, false);
	base_ns_t due, late_max = 0;

	(void)state;
	box_make_master(b, 0);
	due = b->now;
	for (size_t i = 0; i < sizeof(lates) / sizeof(lates[0]); i++) {
		due += INTERVAL;
		box_run(b, due - 1);
		box_forget(b);
		box_sleep(b, 1 + lates[i]);
		box_tick(b);
		assert_int_equal(
			box_take(b, ELECTION_ACT_ADVERT, 0, b->now)->advert.late, lates[i]);
		late_max = lates[i];
		assert_int_equal(box_info(b, 0).late_max, late_max);
		assert_int_equal(box_info(b, 0).advert_deadline, due + INTERVAL);
	}
	/* the worst is remembered */
	box_run(b, due + 3 * INTERVAL);
	assert_int_equal(box_info(b, 0).late_max, late_max);
	box_free(b);
}

static void
very_late_sends_one_advert_not_a_burst(void **state)
{
	static const base_ns_t lates[] = {INTERVAL, INTERVAL + 1, 2 * INTERVAL, 100 * INTERVAL};

	(void)state;
	for (size_t i = 0; i < sizeof(lates) / sizeof(lates[0]); i++) {
		struct box *b = box_one(1, 100, false);

		box_make_master(b, 0);
		box_sleep(b, INTERVAL + lates[i]);
		/* nobody reported a stall: the core only sees a late timer */
		box_tick(b);
		box_take_advert(b, 0, 1, 100, 0, b->now);
		box_quiet(b);
		assert_int_equal(box_info(b, 0).advert_deadline, b->now + INTERVAL);
		box_free(b);
	}
}

static void
lateness_of_a_take_over_is_told(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	box_sleep(b, DOWN + MSECS(7));
	box_tick(b);
	const struct election_action *a =
		box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + DOWN + MSECS(7));

	assert_int_equal(a->state.late, MSECS(7));
	assert_int_equal(a->state.since_heard, DOWN + MSECS(7));
	box_free(b);
}

/* Master-down times after a tie, for one seed: they stay within the limit and differ. */
static void
tie_delays(uint8_t advbase, uint8_t advskew, uint64_t seed, base_ns_t limit, base_ns_t *out,
	unsigned int n)
{
	struct election_if_config ifs[] = {{.link_up = true}};
	struct election_group_config groups[] = {
		{.advbase = advbase, .advskew = advskew, .has_vip = true, .admin_up = true}};
	struct election_config config = {.if_count = 1,
		.group_count = 1,
		.ifs = ifs,
		.groups = groups,
		.allow = true,
		.seed = seed};
	struct box *b = box_new(&config);

	box_tick(b);
	for (unsigned int i = 0; i < n; i++) {
		box_make_master(b, 0);
		box_advert(b, 0, advbase, advskew, 0);
		/* the third in a row is suspicious */
		if (i == 2)
			box_take_split(b, 0, ELECTION_SPLIT_TIES, b->now);
		box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_TIE, b->now);
		out[i] = box_info(b, 0).master_down_deadline - b->now -
			election_master_down(advbase, advskew);
		assert_in_range(out[i], 0, limit);
	}
	box_free(b);
}

static void
a_tie_waits_a_seeded_random_time_longer(void **state)
{
	static const struct {
		uint8_t advbase, advskew;
		base_ns_t limit;
	} rows[] = {
		{1, 100, MSECS(100)},
		{0, 0, SKEW(1)},
		{0, 20, SKEW(20)},
		{0, 200, MSECS(100)},
		{255, 0, MSECS(100)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		base_ns_t a[200], again[200], other[200], max = 0, min = BASE_NS_NEVER;
		unsigned int same = 0;

		tie_delays(rows[i].advbase, rows[i].advskew, 5, rows[i].limit, a, 200);
		tie_delays(rows[i].advbase, rows[i].advskew, 5, rows[i].limit, again, 200);
		tie_delays(rows[i].advbase, rows[i].advskew, 6, rows[i].limit, other, 200);
		assert_memory_equal(a, again, sizeof(a));
		for (unsigned int n = 0; n < 200; n++) {
			max = a[n] > max ? a[n] : max;
			min = a[n] < min ? a[n] : min;
			same += a[n] == other[n];
		}
		assert_in_range(same, 0, 2);
		/* all of the range is used */
		assert_true(max > rows[i].limit * 9 / 10);
		assert_true(min < rows[i].limit / 10);
	}
}

static void
only_a_tie_waits_longer(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_advert(b, 0, 1, 99, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_make_master(b, 0);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_make_master(b, 0);
	box_advert(b, 0, 1, 100, 0);
	/* other equals that claimed at the same moment leave the delay as it is */
	base_ns_t extra = box_info(b, 0).master_down_deadline - b->now - DOWN;

	box_run(b, b->now + MSECS(100));
	box_advert(b, 0, 1, 100, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN + extra);
	/* an advert after that is a master's: the wait is over */
	box_run(b, b->now + 1);
	box_advert(b, 0, 1, 100, 0);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
	box_free(b);
}

/* See "equal backups behind a demoted master": after a tie a claim on hearing is random too. */
static void
a_claim_after_a_tie_is_put_off(void **state)
{
	static const struct {
		struct election_priority peer;
		enum election_cause cause;
	} rows[] = {
		{{1, 240, 1}, ELECTION_CAUSE_PEER_DEMOTED},
		{{255, 255, 0}, ELECTION_CAUSE_BOW_OUT},
		{{1, 200, 0}, ELECTION_CAUSE_PREEMPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct election_priority *p = &rows[i].peer;
		struct box *b = box_one(1, 100, true);

		box_make_master(b, 0);
		box_advert(b, 0, 1, 100, 0);
		box_run(b, b->now + MSECS(200));
		box_forget(b);
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		base_ns_t heard = b->now, at = box_info(b, 0).master_down_deadline;
		const struct election_action *a =
			box_take_put_off(b, 0, rows[i].cause, ELECTION_HOLD_TIE, heard);

		assert_int_equal(a->decision.until, at);
		assert_int_equal(a->decision.peer.demotion, p->demotion);
		assert_int_equal(box_info(b, 0).hold_until[ELECTION_HOLD_TIE], at);
		assert_int_equal(box_info(b, 0).put_off, rows[i].cause);
		box_quiet(b);
		assert_in_range(at, heard + 1, heard + MSECS(100));
		/* hearing it again neither hastens nor delays it */
		box_run(b, heard + 1);
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		assert_int_equal(box_info(b, 0).master_down_deadline, at);
		box_run(b, at);
		a = box_take_claim(b, 0, rows[i].cause, at);
		assert_int_equal(a->state.hold, ELECTION_HOLD_TIE);
		assert_int_equal(a->state.deadline, at);
		box_free(b);
		/* an equal box was faster: the claim is off, and the next is at once again */
		b = box_one(1, 100, true);
		box_make_master(b, 0);
		box_advert(b, 0, 1, 100, 0);
		box_run(b, b->now + MSECS(200));
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		box_forget(b);
		box_advert(b, 0, 1, 100, 0);
		assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
		assert_int_equal(box_info(b, 0).hold_until[ELECTION_HOLD_TIE], 0);
		assert_int_equal(box_info(b, 0).put_off, ELECTION_CAUSE_NONE);
		box_run(b, b->now + SECS(1));
		box_quiet(b);
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		box_take_claim(b, 0, rows[i].cause, b->now);
		box_free(b);
	}
}

/* A bystander of a tie: its equals' timers began at the same advert as its own. */
static void
two_masters_at_once_delay_a_bystander(void **state)
{
	static const struct {
		uint32_t src; /* of the second advert */
		base_ns_t after;
		bool settled; /* the first sender was heard an interval before */
		bool delayed;
	} rows[] = {
		{UINT32_C(0xc0000204), 0, true, true},
		{UINT32_C(0xc0000204), MSECS(50) - 1, true, true},
		/* too far apart for one moment */
		{UINT32_C(0xc0000204), MSECS(50), true, false},
		/* the same sender: doubled by the wire, or replayed */
		{UINT32_C(0xc0000203), 0, true, false},
		{UINT32_C(0xc0000203), MSECS(1), true, false},
		/* or two that begin at once and have no address of their own */
		{UINT32_C(0xc0000203), 0, false, true},
		{UINT32_C(0xc0000203), MSECS(1), false, true},
		{UINT32_C(0xc0000203), MSECS(50), false, false},
	};
	unsigned int delayed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_one(1, 100, true);
		struct election_event ev = {.type = ELECTION_EV_ADVERT};

		ev.advert.prio = (struct election_priority){1, 50, 0};
		if (rows[i].settled)
			box_advert(b, 0, 1, 50, 0);
		box_run(b, T0 + SECS(1));
		box_advert(b, 0, 1, 50, 0);
		assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
		box_run(b, b->now + rows[i].after);
		ev.advert.src = base_addr_from_ip4(rows[i].src);
		box_feed(b, &ev);
		base_ns_t at = box_info(b, 0).master_down_deadline;

		assert_in_range(at, b->now + DOWN, b->now + DOWN + MSECS(100));
		delayed += at > b->now + DOWN;
		assert_int_equal(at > b->now + DOWN, rows[i].delayed);
		/* it was no tie of its own: what makes it claim does so at once */
		box_quiet(b);
		box_bow_out(b, 0);
		box_take_claim(b, 0, ELECTION_CAUSE_BOW_OUT, b->now);
		box_free(b);
	}
	assert_int_equal(delayed, 4);
}

static void
a_tie_delay_survives_a_timing_change(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_advert(b, 0, 1, 100, 0);
	base_ns_t extra = box_info(b, 0).master_down_deadline - b->now - DOWN;

	box_run(b, b->now + MSECS(500));
	box_timing(b, 0, 1, 0);
	assert_int_equal(
		box_info(b, 0).master_down_deadline, b->now - MSECS(500) + SECS(3) + extra);
	box_free(b);
}

static void
info_tells_the_timers(void **state)
{
	struct box *b = box_one(2, 10, false);
	struct election_group_info i = box_info(b, 0);

	(void)state;
	assert_int_equal(i.interval, SECS(2) + SKEW(10));
	assert_int_equal(i.master_down, SECS(6) + SKEW(10));
	assert_int_equal(i.advert_deadline, BASE_NS_NEVER);
	assert_int_equal(i.master_down_deadline, T0 + SECS(6) + SKEW(10));
	assert_int_equal(i.state_since, T0);
	assert_int_equal(i.transitions, 0);
	assert_true(i.admin_up);
	assert_false(i.owned);
	assert_int_equal(election_deadline(b->e), T0 + SECS(6) + SKEW(10));
	box_demote(b, 1);
	/* the advert interval follows the demotion, master-down does not */
	i = box_info(b, 0);
	assert_int_equal(i.interval, SECS(2) + SKEW(240));
	assert_int_equal(i.master_down, SECS(6) + SKEW(10));
	assert_int_equal(i.sent.advskew, 240);
	assert_int_equal(i.advskew, 10);
	box_make_master(b, 0);
	i = box_info(b, 0);
	assert_int_equal(i.advert_deadline, b->now + SECS(2) + SKEW(240));
	assert_int_equal(i.master_down_deadline, BASE_NS_NEVER);
	assert_int_equal(election_deadline(b->e), b->now + SECS(2) + SKEW(240));
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_47_announced_again_after_the_third_advert),
		cmocka_unit_test(leaving_cancels_the_second_announcement),
		cmocka_unit_test(a_little_late_keeps_the_phase),
		cmocka_unit_test(very_late_sends_one_advert_not_a_burst),
		cmocka_unit_test(lateness_of_a_take_over_is_told),
		cmocka_unit_test(a_tie_waits_a_seeded_random_time_longer),
		cmocka_unit_test(only_a_tie_waits_longer),
		cmocka_unit_test(a_claim_after_a_tie_is_put_off),
		cmocka_unit_test(two_masters_at_once_delay_a_bystander),
		cmocka_unit_test(a_tie_delay_survives_a_timing_change),
		cmocka_unit_test(info_tells_the_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
