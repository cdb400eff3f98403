/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Take-overs that are put off: after start, after link up, before preempting. */
#include "election_test.h"

#define DOWN (SECS(3) + SKEW(100))

struct holds {
	base_ns_t startup, linkup, preempt;
	bool link_down, start_as_master, no_preempt;
};

/* Two interfaces with a group each; the first has the link-up hold. */
static struct box *
box_held(const struct holds *h)
{
	struct election_if_config ifs[] = {
		{.link_up = !h->link_down, .linkup_hold_ns = h->linkup}, {.link_up = true}};
	struct election_group_config groups[2];
	struct election_config config = {.if_count = 2,
		.group_count = 2,
		.ifs = ifs,
		.groups = groups,
		.preempt = !h->no_preempt,
		.allow = true,
		.startup_hold_ns = h->startup};

	for (uint16_t i = 0; i < 2; i++)
		groups[i] = (struct election_group_config){.if_id = i,
			.advbase = 1,
			.advskew = 100,
			.has_vip = true,
			.admin_up = true,
			.start_as_master = h->start_as_master && i == 0,
			.preempt_delay_ns = h->preempt};
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_tick(b);
	return b;
}

static base_ns_t
until(const struct box *b, enum election_hold hold)
{
	return box_info(b, 0).hold_until[hold];
}

static void
startup_hold_puts_silence_off(void **state)
{
	struct box *b = box_held(&(struct holds){.startup = SECS(10)});
	const struct election_action *a;

	(void)state;
	box_forget(b);
	assert_int_equal(until(b, ELECTION_HOLD_STARTUP), T0 + SECS(10));
	box_run(b, T0 + DOWN);
	for (uint16_t i = 0; i < 2; i++) {
		a = box_take_put_off(
			b, i, ELECTION_CAUSE_TIMEOUT, ELECTION_HOLD_STARTUP, T0 + DOWN);
		assert_int_equal(a->decision.until, T0 + SECS(10));
		assert_int_equal(a->decision.own.advskew, 100);
		assert_int_equal(a->decision.peer_src.family, BASE_FAMILY_NONE);
	}
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + SECS(10));
	box_run(b, T0 + SECS(10) - 1);
	box_quiet(b);
	box_run(b, T0 + SECS(10));
	a = box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, T0 + SECS(10));
	assert_int_equal(a->state.hold, ELECTION_HOLD_STARTUP);
	assert_int_equal(until(b, ELECTION_HOLD_STARTUP), 0);
	box_free(b);
}

static void
startup_hold_leaves_a_living_master_in_place(void **state)
{
	static const struct {
		struct election_priority peer;
		enum election_cause cause;
	} rows[] = {
		{{1, 200, 0}, ELECTION_CAUSE_PREEMPT},
		{{1, 240, 1}, ELECTION_CAUSE_PEER_DEMOTED},
		{{5, 0, 0}, ELECTION_CAUSE_PREEMPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct election_priority *p = &rows[i].peer;
		struct box *b = box_held(&(struct holds){.startup = SECS(10)});

		box_forget(b);
		for (unsigned int s = 1; s < 10; s++) {
			box_run(b, T0 + SECS(s));
			box_advert(b, 0, p->advbase, p->advskew, p->demotion);
			if (s == 1 && p->advbase == 5)
				box_take_warn(b, 0, ELECTION_WARN_PEER_SLOW, b->now);
			/* once, not for every advert */
			if (s == 1)
				box_take_put_off(
					b, 0, rows[i].cause, ELECTION_HOLD_STARTUP, T0 + SECS(1));
			if (s == 4)
				box_take_put_off(b, 1, ELECTION_CAUSE_TIMEOUT,
					ELECTION_HOLD_STARTUP, T0 + DOWN);
			box_quiet(b);
			assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
		}
		box_run(b, T0 + SECS(10));
		box_take_claim(b, 1, ELECTION_CAUSE_TIMEOUT, T0 + SECS(10));
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		assert_int_equal(box_take_claim(b, 0, rows[i].cause, T0 + SECS(10))->state.hold,
			ELECTION_HOLD_STARTUP);
		box_free(b);
	}
}

static void
a_bow_out_ends_waiting(void **state)
{
	struct box *b = box_held(&(struct holds){.startup = SECS(10), .linkup = SECS(20)});

	(void)state;
	box_forget(b);
	box_run(b, T0 + SECS(1));
	box_bow_out(b, 0);
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	assert_int_equal(box_take_claim(b, 0, ELECTION_CAUSE_BOW_OUT, b->now)->state.hold,
		ELECTION_HOLD_NONE);
	box_free(b);
}

static void
the_operator_waits_for_nothing(void **state)
{
	struct box *b = box_held(
		&(struct holds){.startup = SECS(10), .linkup = SECS(20), .preempt = SECS(30)});

	(void)state;
	box_forget(b);
	box_group(b, ELECTION_EV_FORCE_MASTER, 0);
	box_take(b, ELECTION_ACT_OWN, 0, T0);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(until(b, ELECTION_HOLD_STARTUP), 0);
	box_free(b);
}

static void
linkup_hold_begins_with_the_link(void **state)
{
	struct box *b = box_held(&(struct holds){.linkup = SECS(20), .link_down = true});
	struct election_demotion_entry entry;

	(void)state;
	box_forget(b);
	assert_int_equal(until(b, ELECTION_HOLD_LINKUP), 0);
	box_run(b, T0 + SECS(1));
	box_link(b, 0, true);
	base_ns_t up = b->now;

	/* BACKUP at once, and listening; the interface counts as down on */
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, up);
	box_quiet(b);
	assert_int_equal(until(b, ELECTION_HOLD_LINKUP), up + SECS(20));
	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.source, ELECTION_DEMOTION_LINK);
	assert_int_equal(entry.if_id, 0);
	assert_int_equal(entry.since, T0);
	assert_int_equal(entry.expires, up + SECS(20));
	box_run(b, up + SECS(20) - 1);
	box_forget(b);
	box_run(b, up + SECS(20));
	box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
	box_take_advert(b, 1, 1, 100, 0, b->now);
	/* all of the hold was silence */
	assert_int_equal(box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, b->now)->state.hold,
		ELECTION_HOLD_LINKUP);
	assert_false(election_demotion_entry(b->e, 0, &entry));
	/* down while it holds: an entry without an end again */
	box_link(b, 0, false);
	box_link(b, 0, true);
	box_link(b, 0, true);
	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.expires, b->now + SECS(20));
	box_link(b, 0, false);
	assert_true(election_demotion_entry(b->e, 0, &entry));
	assert_int_equal(entry.expires, BASE_NS_NEVER);
	assert_int_equal(election_demotion_total(b->e), 1);
	box_free(b);
}

/* Who could not hear has heard no silence. */
static void
the_first_frame_ends_linkup_hold_and_restarts_the_timer(void **state)
{
	(void)state;
	for (unsigned int how = 0; how < 3; how++) {
		struct box *b = box_held(&(struct holds){.linkup = SECS(30), .no_preempt = true});

		/* the link is up from the beginning: it came up when the device was started */
		assert_int_equal(election_demotion_total(b->e), 1);
		box_run(b, T0 + SECS(10));
		box_forget(b);
		assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
		if (how == 0)
			box_frame(b, 0);
		else if (how == 1)
			box_advert(b, 0, 1, 200, 0);
		else
			box_auth_failed(b, 0, 9);
		box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, b->now);
		box_take_advert(b, 1, 1, 100, 0, b->now);
		box_quiet(b);
		assert_int_equal(until(b, ELECTION_HOLD_LINKUP), 0);
		assert_int_equal(box_info(b, 0).master_down_deadline, b->now + DOWN);
		/* the next frames are nothing */
		base_ns_t first = b->now;

		box_run(b, first + SECS(1));
		box_frame(b, 0);
		assert_int_equal(box_info(b, 0).master_down_deadline, first + DOWN);
		box_run(b, first + DOWN);
		assert_int_equal(box_state(b, 0), ELECTION_MASTER);
		box_free(b);
	}
	/* of another interface it says nothing */
	struct box *b = box_held(&(struct holds){.linkup = SECS(30)});

	box_frame(b, 1);
	assert_int_equal(until(b, ELECTION_HOLD_LINKUP), T0 + SECS(30));
	box_free(b);
}

static void
a_tracked_interface_holds_too(void **state)
{
	struct election_if_config ifs[] = {
		{.link_up = true, .track = true, .linkup_hold_ns = SECS(5)},
		{.link_up = true, .linkup_hold_ns = SECS(5)}};
	struct election_config config = {.if_count = 2, .ifs = ifs, .allow = true};
	struct box *b = box_new(&config);

	(void)state;
	assert_int_equal(election_demotion_total(b->e), 1);
	assert_int_equal(election_deadline(b->e), T0 + SECS(5));
	box_run(b, T0 + SECS(5));
	const struct election_action *a =
		box_take_demotion(b, ELECTION_DEMOTION_LINK, 0, 0, T0 + SECS(5));

	assert_int_equal(a->demotion.if_id, 0);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_free(b);
}

static void
the_longer_hold_counts(void **state)
{
	struct box *b = box_held(&(struct holds){.startup = SECS(10), .linkup = SECS(6)});

	(void)state;
	box_forget(b);
	box_run(b, T0 + DOWN);
	box_take_put_off(b, 0, ELECTION_CAUSE_TIMEOUT, ELECTION_HOLD_STARTUP, b->now);
	box_free(b);
	b = box_held(&(struct holds){.startup = SECS(5), .linkup = SECS(6)});
	box_forget(b);
	box_run(b, T0 + DOWN);
	assert_int_equal(
		box_take_put_off(b, 0, ELECTION_CAUSE_TIMEOUT, ELECTION_HOLD_LINKUP, b->now)
			->decision.until,
		T0 + SECS(6));
	box_take_put_off(b, 1, ELECTION_CAUSE_TIMEOUT, ELECTION_HOLD_STARTUP, b->now);
	box_run(b, T0 + SECS(6));
	assert_int_equal(box_info(b, 1).state_since, T0 + SECS(5));
	assert_int_equal(box_info(b, 0).state_since, T0 + SECS(6));
	box_free(b);
}

static void
start_as_master_waits_for_holds(void **state)
{
	struct holds h = {.startup = SECS(10), .start_as_master = true, .no_preempt = true};
	struct box *b = box_held(&h);

	(void)state;
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0);
	box_take_put_off(b, 0, ELECTION_CAUSE_FORCED, ELECTION_HOLD_STARTUP, T0);
	assert_int_equal(box_info(b, 0).put_off, ELECTION_CAUSE_FORCED);
	box_forget(b);
	/* a worse master is no reason to drop it, though without preempt it would stay */
	box_run(b, T0 + SECS(1));
	box_advert(b, 0, 1, 200, 0);
	box_timing(b, 0, 1, 50);
	box_stall(b, SECS(100));
	box_run(b, T0 + SECS(9));
	box_forget(b);
	box_run(b, T0 + SECS(10));
	box_take(b, ELECTION_ACT_OWN, 0, b->now);
	assert_int_equal(box_info(b, 0).cause, ELECTION_CAUSE_FORCED);
	box_free(b);
	/* a better one is: it would yield to its next advert */
	b = box_held(&h);
	box_advert(b, 0, 1, 0, 0);
	assert_int_equal(box_info(b, 0).put_off, ELECTION_CAUSE_NONE);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	box_free(b);
	/* so is the operator */
	b = box_held(&h);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	assert_int_equal(box_info(b, 0).put_off, ELECTION_CAUSE_NONE);
	assert_int_equal(box_info(b, 0).master_down_deadline, T0 + DOWN);
	box_free(b);
	/* a link-up hold that a frame ends */
	b = box_held(&(struct holds){.linkup = SECS(10), .start_as_master = true});
	box_run(b, T0 + SECS(2));
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_frame(b, 0);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).cause, ELECTION_CAUSE_FORCED);
	box_free(b);
}

static void
preempt_delay_counts_from_backup(void **state)
{
	struct box *b = box_held(&(struct holds){.preempt = SECS(60)});
	const struct election_action *a;

	(void)state;
	box_forget(b);
	for (unsigned int s = 1; s < 60; s++) {
		box_run(b, T0 + SECS(s));
		box_advert(b, 0, 1, 200, 0);
		box_advert(b, 1, 1, 0, 0);
		if (s == 1) {
			a = box_take_put_off(
				b, 0, ELECTION_CAUSE_PREEMPT, ELECTION_HOLD_PREEMPT_DELAY, b->now);
			assert_int_equal(a->decision.until, T0 + SECS(60));
			assert_int_equal(a->decision.peer.advskew, 200);
		}
		box_quiet(b);
		assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), T0 + SECS(60));
	}
	box_run(b, T0 + SECS(60));
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), 0);
	box_quiet(b);
	/* with the next advert */
	box_advert(b, 0, 1, 200, 0);
	a = box_take_claim(b, 0, ELECTION_CAUSE_PREEMPT, b->now);
	assert_int_equal(a->state.hold, ELECTION_HOLD_PREEMPT_DELAY);
	box_free(b);
}

static void
other_causes_do_not_wait_for_preempt_delay(void **state)
{
	static const struct {
		struct election_priority peer;
		enum election_cause cause;
	} rows[] = {
		{{255, 255, 0}, ELECTION_CAUSE_BOW_OUT},
		{{1, 200, 1}, ELECTION_CAUSE_PEER_DEMOTED},
		{{5, 0, 0}, ELECTION_CAUSE_SLOW_PEER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct election_priority *p = &rows[i].peer;
		struct box *b = box_held(&(struct holds){.preempt = SECS(60)});

		box_advert(b, 0, 1, 200, 0);
		box_forget(b);
		box_advert(b, 0, p->advbase, p->advskew, p->demotion);
		assert_int_equal(box_state(b, 0), ELECTION_MASTER);
		assert_int_equal(box_info(b, 0).cause, rows[i].cause);
		/* what waited was another claim */
		for (uint32_t n = 0; n < b->n; n++)
			if (b->log[n].act.type == ELECTION_ACT_STATE)
				assert_int_equal(b->log[n].act.state.hold, ELECTION_HOLD_NONE);
		box_free(b);
	}
	struct box *b = box_held(&(struct holds){.preempt = SECS(60)});

	box_run(b, T0 + DOWN);
	assert_int_equal(box_info(b, 0).cause, ELECTION_CAUSE_TIMEOUT);
	/* not BACKUP, nothing to wait for */
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), 0);
	box_free(b);
}

static void
preempt_delay_begins_again_with_health_and_state(void **state)
{
	struct box *b = box_held(&(struct holds){.preempt = SECS(60)});

	(void)state;
	box_run(b, T0 + SECS(1));
	box_demote(b, 1);
	box_run(b, T0 + SECS(2));
	box_demote(b, 2);
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), T0 + SECS(61));
	box_demote(b, 0);
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), T0 + SECS(62));
	box_group(b, ELECTION_EV_DOWN, 0);
	box_run(b, T0 + SECS(3));
	box_group(b, ELECTION_EV_UP, 0);
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), T0 + SECS(63));
	/* without preempt there is nothing to delay */
	box_switch(b, ELECTION_EV_SET_PREEMPT, false);
	assert_int_equal(until(b, ELECTION_HOLD_PREEMPT_DELAY), 0);
	box_free(b);
}

static void
a_horizon_and_a_hold(void **state)
{
	struct box *b = box_held(&(struct holds){.startup = SECS(10)});

	(void)state;
	box_horizon(b, 0, T0 + SECS(9));
	box_horizon(b, 1, T0 + SECS(9));
	box_run(b, T0 + SECS(11));
	assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	box_horizon(b, 0, T0 + SECS(10));
	box_tick(b);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).state_since, T0 + SECS(11));
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_hold_puts_silence_off),
		cmocka_unit_test(startup_hold_leaves_a_living_master_in_place),
		cmocka_unit_test(a_bow_out_ends_waiting),
		cmocka_unit_test(the_operator_waits_for_nothing),
		cmocka_unit_test(linkup_hold_begins_with_the_link),
		cmocka_unit_test(the_first_frame_ends_linkup_hold_and_restarts_the_timer),
		cmocka_unit_test(a_tracked_interface_holds_too),
		cmocka_unit_test(the_longer_hold_counts),
		cmocka_unit_test(start_as_master_waits_for_holds),
		cmocka_unit_test(preempt_delay_counts_from_backup),
		cmocka_unit_test(other_causes_do_not_wait_for_preempt_delay),
		cmocka_unit_test(preempt_delay_begins_again_with_health_and_state),
		cmocka_unit_test(a_horizon_and_a_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
