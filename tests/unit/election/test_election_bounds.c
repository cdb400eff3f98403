/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Bounds: of values, of lists, of numbers of groups. */
#include "election_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1024

/* n groups, at most 255 on an interface. */
static struct box *
crowd(uint16_t n)
{
	struct election_if_config ifs[8];
	struct election_group_config *groups = calloc(n, sizeof(*groups));
	struct election_config config = {.if_count = 8,
		.group_count = n,
		.ifs = ifs,
		.groups = groups,
		.preempt = true,
		.allow = true,
		.seed = 3};

	for (unsigned int i = 0; i < 8; i++)
		ifs[i] = (struct election_if_config){.link_up = true};
	for (uint16_t i = 0; i < n; i++)
		groups[i] = (struct election_group_config){.if_id = i % 8,
			.advbase = 1,
			.advskew = (uint8_t)(i % 200),
			.has_vip = true,
			.admin_up = true};
	struct box *b = box_new(&config);

	assert_non_null(b);
	free(groups);
	return b;
}

static void
configurations_out_of_bounds_are_refused(void **state)
{
	struct election_if_config ifs[2] = {{.link_up = true}, {.link_up = true}};
	struct election_group_config groups[257];
	struct election_config config = {
		.if_count = 2, .group_count = 1, .ifs = ifs, .groups = groups, .allow = true};

	(void)state;
	memset(groups, 0, sizeof(groups));
	groups[0].advskew = 255;
	assert_null(box_new(&config));
	groups[0].advskew = 254;
	groups[0].if_id = 2;
	assert_null(box_new(&config));
	groups[0].if_id = ELECTION_NONE;
	assert_null(box_new(&config));
	groups[0].if_id = 1;
	groups[0].families = 4;
	assert_null(box_new(&config));
	groups[0].families = ELECTION_IP4 | ELECTION_IP6;
	struct box *b = box_new(&config);

	assert_non_null(b);
	box_free(b);
	/* 255 vhids on an interface are all there are */
	config.group_count = 255;
	b = box_new(&config);
	assert_non_null(b);
	box_free(b);
	groups[0].if_id = 0;
	config.group_count = 256;
	assert_null(box_new(&config));
	groups[255].if_id = 1;
	b = box_new(&config);
	assert_non_null(b);
	box_free(b);
}

static void
an_election_without_groups_or_interfaces_idles(void **state)
{
	struct election_config config = {.allow = true};
	struct box *b = box_new(&config);
	struct election_event ev = {.type = ELECTION_EV_SHUTDOWN};
	struct election_group_info info;

	(void)state;
	box_tick(b);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	assert_int_equal(election_group_info(b->e, 0, T0, &info), -EINVAL);
	assert_int_equal(box_advert(b, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(box_link(b, 0, true), -EINVAL);
	assert_int_equal(box_demote(b, 3), 0);
	assert_int_equal(election_demotion_total(b->e), 3);
	assert_int_equal(box_feed(b, &ev), 0);
	box_free(b);
}

static void
events_out_of_bounds_change_nothing(void **state)
{
	struct box *b = box_many(2, 1, 100, false);
	struct election_event rows[] = {
		{.type = ELECTION_EV_ADVERT, .group = 2, .advert.prio = {255, 255, 0}},
		{.type = ELECTION_EV_ADVERT, .group = ELECTION_NONE},
		{.type = ELECTION_EV_LINK, .if_id = 2, .on = false},
		{.type = ELECTION_EV_LINK, .if_id = ELECTION_NONE, .on = false},
		{.type = ELECTION_EV_UP, .group = 2},
		{.type = ELECTION_EV_DOWN, .group = 2},
		{.type = ELECTION_EV_FORCE_BACKUP, .group = 2},
		{.type = ELECTION_EV_FORCE_MASTER, .group = 2},
		{.type = ELECTION_EV_SET_TIMING, .group = 2, .timing = {1, 1}},
		{.type = ELECTION_EV_SET_TIMING, .group = 0, .timing = {1, 255}},
		{.type = ELECTION_EV_VIPS, .group = 2, .on = false},
		{.type = ELECTION_EV_SENT, .group = 2, .on = false},
		{.type = ELECTION_EV_VIPS, .group = 0, .on = true, .families = 4},
		{.type = ELECTION_EV_FRAME_SEEN, .if_id = 2},
		{.type = ELECTION_EV_AUTH_FAILED, .group = 2},
		{.type = (enum election_event_type)(ELECTION_EV_AUTH_FAILED + 1), .group = 0},
	};
	size_t size = election_size(2, 2);
	uint8_t *before = malloc(size);

	(void)state;
	box_run(b, T0 + SECS(1));
	memcpy(before, b->mem, size);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(box_input(b, &rows[i]), -EINVAL);
		box_quiet(b);
		assert_memory_equal(before, b->mem, size);
	}
	free(before);
	box_free(b);
}

static void
a_list_without_room_changes_nothing(void **state)
{
	struct box *b = box_many(2, 1, 100, false);
	size_t size = election_size(2, 2);
	uint8_t *before = malloc(size);

	(void)state;
	box_run(b, T0 + SECS(10));
	box_forget(b);
	memcpy(before, b->mem, size);
	for (int type = ELECTION_EV_ADVERT; type <= ELECTION_EV_AUTH_FAILED; type++) {
		struct election_event ev = {.type = (enum election_event_type)type};
		uint32_t room = election_input_room(b->e, ev.type);
		struct election_actions list = {.act = b->list.act, .n = 1, .cap = room};

		assert_in_range(room, 1, b->list.cap);
		assert_int_equal(election_input(b->e, &ev, b->now, &list), -ENOSPC);
		assert_int_equal(list.n, 1);
		assert_memory_equal(before, b->mem, size);
	}
	free(before);
	box_free(b);
}

static void
after_shutdown_only_the_world_is_heard(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_run(b, T0 + SECS(10));
	assert_int_equal(box_group(b, ELECTION_EV_SHUTDOWN, 0), 0);
	box_run(b, b->now + SECS(1));
	box_forget(b);
	for (int type = ELECTION_EV_ADVERT; type <= ELECTION_EV_AUTH_FAILED; type++) {
		struct election_event ev = {.type = (enum election_event_type)type, .on = true};
		bool world = type == ELECTION_EV_ADVERT || type == ELECTION_EV_LINK ||
			type == ELECTION_EV_SENT || type == ELECTION_EV_STALL ||
			type == ELECTION_EV_FRAME_SEEN || type == ELECTION_EV_AUTH_FAILED;

		assert_int_equal(box_feed(b, &ev), world ? 0 : -EAGAIN);
	}
	box_quiet(b);
	box_free(b);
}

static void
shutdown_before_the_first_tick(void **state)
{
	struct box *b = crowd(3);

	(void)state;
	assert_int_equal(election_deadline(b->e), 0);
	assert_int_equal(box_group(b, ELECTION_EV_SHUTDOWN, 0), 0);
	box_quiet(b);
	assert_int_equal(election_deadline(b->e), BASE_NS_NEVER);
	box_free(b);
}

/* box_tick() offers ELECTION_ACTIONS_MIN actions and comes again: everything must get served. */
static void
a_thousand_groups_through_a_small_list(void **state)
{
	struct box *b = crowd(MANY);
	unsigned int masters = 0;

	(void)state;
	box_tick(b);
	assert_int_equal(b->n, MANY);
	for (uint16_t i = 0; i < MANY; i++)
		box_take_state(b, i, ELECTION_BACKUP, ELECTION_CAUSE_RUNNABLE, T0);
	/* all at once, very late */
	box_sleep(b, SECS(10));
	box_tick(b);
	assert_int_equal(b->n, MANY * 5);
	for (uint16_t i = 0; i < MANY; i++) {
		masters += box_state(b, i) == ELECTION_MASTER;
		assert_int_equal(box_info(b, i).state_since, T0 + SECS(10));
	}
	assert_int_equal(masters, MANY);
	/* then each at its own pace */
	box_forget(b);
	base_ns_t from = b->now;

	box_run(b, from + SECS(20));
	unsigned int adverts[MANY] = {0};

	for (uint32_t i = 0; i < b->n; i++)
		if (b->log[i].act.type == ELECTION_ACT_ADVERT)
			adverts[b->log[i].act.group]++;
	for (uint16_t i = 0; i < MANY; i++)
		assert_int_equal(adverts[i], SECS(20) / (SECS(1) + SKEW(i % 200u)));
	box_free(b);
}

static void
events_about_the_whole_box_reach_every_group(void **state)
{
	struct box *b = crowd(MANY);

	(void)state;
	box_tick(b);
	/* past every second announcement, at a time when no advert is due */
	box_run(b, T0 + SECS(30) + 1);
	box_forget(b);
	box_link(b, 3, false);
	/* 128 groups leave; the other 896 say that they are demoted now */
	assert_int_equal(b->n, 128 * 2 + 1 + MANY - 128);
	box_link(b, 3, true);
	box_forget(b);
	box_stall(b, SECS(100));
	assert_int_equal(b->n, 2 * (MANY - 128));
	box_forget(b);
	box_switch(b, ELECTION_EV_SET_ALLOW, false);
	assert_int_equal(b->n, MANY);
	box_switch(b, ELECTION_EV_SET_ALLOW, true);
	box_run(b, b->now + SECS(5));
	box_forget(b);
	box_group(b, ELECTION_EV_SHUTDOWN, 0);
	assert_int_equal(b->n, 2 * MANY);
	assert_true(election_handing_over(b->e));
	box_run(b, b->now + MSECS(50));
	assert_int_equal(b->n, 3 * MANY);
	assert_false(election_handing_over(b->e));
	box_free(b);
}

/* Every group's sender fails in the same turn: the ledger keeps up with one step for each. */
static void
a_thousand_send_errors_in_one_turn(void **state)
{
	struct box *b = crowd(MANY);
	struct election_demotion_entry entry;

	(void)state;
	box_tick(b);
	box_run(b, T0 + SECS(5));
	for (unsigned int round = 0; round < 3; round++)
		for (uint16_t i = 0; i < MANY; i++) {
			struct election_event ev = {
				.type = ELECTION_EV_SENT, .group = i, .on = false};

			assert_int_equal(box_input(b, &ev), 0);
		}
	assert_int_equal(election_demotion_total(b->e), MANY);
	assert_true(election_demotion_entry(b->e, MANY - 1, &entry));
	assert_int_equal(entry.group, MANY - 1);
	assert_false(election_demotion_entry(b->e, MANY, &entry));
	for (unsigned int round = 0; round < 3; round++)
		for (uint16_t i = 0; i < MANY; i++)
			box_sent(b, i, true);
	assert_int_equal(election_demotion_total(b->e), 0);
	assert_false(election_demotion_entry(b->e, 0, &entry));
	box_free(b);
}

static void
switches_are_told(void **state)
{
	struct box *b = box_one(1, 100, true);

	(void)state;
	assert_true(election_preempt(b->e));
	box_switch(b, ELECTION_EV_SET_PREEMPT, false);
	assert_false(election_preempt(b->e));
	box_advert(b, 0, 1, 200, 0);
	box_quiet(b);
	/* it takes effect with the next advert */
	box_switch(b, ELECTION_EV_SET_PREEMPT, true);
	box_quiet(b);
	box_advert(b, 0, 1, 200, 0);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configurations_out_of_bounds_are_refused),
		cmocka_unit_test(an_election_without_groups_or_interfaces_idles),
		cmocka_unit_test(events_out_of_bounds_change_nothing),
		cmocka_unit_test(a_list_without_room_changes_nothing),
		cmocka_unit_test(after_shutdown_only_the_world_is_heard),
		cmocka_unit_test(shutdown_before_the_first_tick),
		cmocka_unit_test(a_thousand_groups_through_a_small_list),
		cmocka_unit_test(events_about_the_whole_box_reach_every_group),
		cmocka_unit_test(a_thousand_send_errors_in_one_turn),
		cmocka_unit_test(switches_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
