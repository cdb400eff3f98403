/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What is suspected of others: timing that does not fit, a split. */
#include "election_test.h"

#define INTERVAL (SECS(1) + SKEW(100))
#define DOWN	 (SECS(3) + SKEW(100))
/* of a group with advbase 1, skew 100: three master-down times are longer than 10 s */
#define QUIET (3 * DOWN)

static void
skip_to(struct box *b, enum election_action_type type)
{
	while (b->read < b->n && b->log[b->read].act.type != type)
		b->read++;
}

static void
timing_that_does_not_fit(void **state)
{
	static const struct {
		uint8_t base, skew;
		struct election_priority peer;
		enum election_warn warn;
	} rows[] = {
		{1, 100, {1, 0, 0}, ELECTION_WARN_NONE},
		{1, 0, {1, 254, 0}, ELECTION_WARN_NONE},
		{1, 0, {1, 240, 5}, ELECTION_WARN_NONE},
		{1, 100, {2, 254, 0}, ELECTION_WARN_NONE},
		{1, 100, {3, 99, 0}, ELECTION_WARN_NONE},
		{1, 100, {3, 100, 0}, ELECTION_WARN_PEER_SLOW},
		{1, 0, {3, 0, 0}, ELECTION_WARN_PEER_SLOW},
		{1, 254, {255, 0, 0}, ELECTION_WARN_PEER_SLOW},
		{1, 0, {255, 255, 0}, ELECTION_WARN_NONE},
		{1, 0, {0, 0, 0}, ELECTION_WARN_PEER_FAST},
		{255, 254, {0, 254, 0}, ELECTION_WARN_PEER_FAST},
		{3, 0, {1, 0, 0}, ELECTION_WARN_SELF_SLOW},
		{3, 0, {1, 1, 0}, ELECTION_WARN_NONE},
		{4, 0, {1, 240, 1}, ELECTION_WARN_SELF_SLOW},
		{0, 0, {1, 0, 0}, ELECTION_WARN_PEER_NOT_FAST},
		{0, 254, {255, 0, 0}, ELECTION_WARN_PEER_NOT_FAST},
		{0, 0, {255, 255, 0}, ELECTION_WARN_NONE},
		{0, 0, {0, 1, 0}, ELECTION_WARN_NONE},
		{0, 1, {0, 0, 0}, ELECTION_WARN_NONE},
		{0, 1, {0, 2, 0}, ELECTION_WARN_NONE},
		{0, 1, {0, 3, 0}, ELECTION_WARN_PEER_SLOW},
		{0, 3, {0, 1, 0}, ELECTION_WARN_SELF_SLOW},
		/* what a demoted fast peer sends says nothing of its interval */
		{0, 0, {0, 240, 1}, ELECTION_WARN_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(election_timing_fit(rows[i].base, rows[i].skew, &rows[i].peer),
			rows[i].warn);
}

static void
a_warning_names_the_peer_once(void **state)
{
	struct box *b = box_one(0, 0, false);
	struct election_priority slow = {1, 0, 0}, fits = {0, 0, 0};

	(void)state;
	box_advert_from(b, 0, 4, 7, slow);
	const struct election_action *a = box_take_warn(b, 0, ELECTION_WARN_PEER_NOT_FAST, T0);

	assert_int_equal(a->warn.peer.advbase, 1);
	assert_int_equal(base_addr_ip4(&a->warn.src), UINT32_C(0xc0000207));
	for (unsigned int i = 0; i < 100; i++) {
		box_run(b, b->now + MSECS(5));
		box_advert_from(b, 0, 4, 7, slow);
		/* another one that does not fit, one that does: the first stays named */
		box_advert_from(b, 0, 4, 8, slow);
		box_advert_from(b, 0, 4, 9, fits);
		box_advert_from(b, 0, 4, 7, (struct election_priority){255, 255, 0});
		box_advert_from(b, 0, 4, 9, fits);
	}
	for (uint32_t i = b->read; i < b->n; i++)
		assert_int_not_equal(b->log[i].act.type, ELECTION_ACT_WARN);
	struct election_group_info info = box_info(b, 0);

	assert_int_equal(info.warn, ELECTION_WARN_PEER_NOT_FAST);
	assert_int_equal(base_addr_ip4(&info.warn_src), UINT32_C(0xc0000207));
	assert_int_equal(info.warn_since, T0);
	assert_int_equal(info.warn_peer.advbase, 1);
	/* otherwise wrong, then right */
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_forget(b);
	box_advert_from(b, 0, 4, 7, (struct election_priority){0, 9, 0});
	box_take_warn(b, 0, ELECTION_WARN_PEER_SLOW, b->now);
	box_advert_from(b, 0, 4, 7, fits);
	a = box_take_warn(b, 0, ELECTION_WARN_NONE, b->now);
	assert_false(a->warn.silent);
	assert_int_equal(base_addr_ip4(&a->warn.src), UINT32_C(0xc0000207));
	assert_int_equal(a->warn.peer.advbase, 0);
	assert_int_equal(box_info(b, 0).warn, ELECTION_WARN_NONE);
	/* now the other is named */
	box_advert_from(b, 0, 4, 8, slow);
	a = box_take_warn(b, 0, ELECTION_WARN_PEER_NOT_FAST, b->now);
	assert_int_equal(base_addr_ip4(&a->warn.src), UINT32_C(0xc0000208));
	box_free(b);
}

static void
a_warning_ends_without_its_peer(void **state)
{
	struct box *b = box_one(1, 0, false);

	(void)state;
	box_advert(b, 0, 0, 5, 0);
	box_take_warn(b, 0, ELECTION_WARN_PEER_FAST, T0);
	box_run(b, T0 + SECS(30));
	box_advert(b, 0, 0, 5, 0);
	base_ns_t last = b->now;

	box_run(b, last + SECS(60) - 1);
	assert_int_equal(box_info(b, 0).warn, ELECTION_WARN_PEER_FAST);
	box_forget(b);
	box_run(b, last + SECS(60));
	skip_to(b, ELECTION_ACT_WARN);
	assert_true(box_take_warn(b, 0, ELECTION_WARN_NONE, last + SECS(60))->warn.silent);
	/* with the membership too */
	box_advert(b, 0, 0, 5, 0);
	box_forget(b);
	box_group(b, ELECTION_EV_DOWN, 0);
	box_take_state(b, 0, ELECTION_INIT, ELECTION_CAUSE_ADMIN_DOWN, b->now);
	assert_true(box_take_warn(b, 0, ELECTION_WARN_NONE, b->now)->warn.silent);
	box_advert(b, 0, 0, 5, 0);
	box_run(b, b->now + SECS(100));
	box_quiet(b);
	box_free(b);
}

/* A MASTER that is not heard by its peer: one duel in each of the peer's intervals. */
static void
three_duels_in_a_row_are_suspicious(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	base_ns_t from = b->now;

	for (unsigned int i = 0; i < 3; i++) {
		box_run(b, from + SECS(2 * i));
		box_forget(b);
		box_advert(b, 0, 1, 200, 0);
		/* twice at one moment counts once */
		box_advert(b, 0, 1, 200, 0);
	}
	const struct election_action *a =
		box_take_split(b, 0, ELECTION_SPLIT_DUELS, from + SECS(4));

	assert_int_equal(a->split.before, 0);
	assert_int_equal(a->split.since, from + SECS(4));
	assert_int_equal(base_addr_ip4(&a->split.src), UINT32_C(0xc0000203));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DUELS);
	assert_int_equal(box_info(b, 0).split_since, from + SECS(4));
	/* it goes on: nothing new */
	for (unsigned int i = 3; i < 20; i++) {
		box_run(b, from + SECS(2 * i));
		box_advert(b, 0, 1, 200, 0);
	}
	base_ns_t last = b->now;

	box_run(b, last + QUIET - 1);
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DUELS);
	for (uint32_t i = b->read; i < b->n; i++)
		assert_int_not_equal(b->log[i].act.type, ELECTION_ACT_SPLIT);
	box_forget(b);
	box_run(b, last + QUIET);
	skip_to(b, ELECTION_ACT_SPLIT);
	a = box_take_split(b, 0, 0, last + QUIET);
	assert_int_equal(a->split.before, ELECTION_SPLIT_DUELS);
	assert_int_equal(a->split.since, from + SECS(4));
	assert_int_equal(box_info(b, 0).split_since, 0);
	box_free(b);
}

static void
single_duels_are_not(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	for (unsigned int i = 0; i < 10; i++) {
		/* two in a row, then a pause longer than two master-down times */
		box_advert(b, 0, 1, 200, 0);
		box_run(b, b->now + SECS(1));
		box_advert(b, 0, 1, 200, 0);
		box_run(b, b->now + 2 * DOWN + 1);
	}
	assert_int_equal(box_info(b, 0).split, 0);
	assert_int_equal(box_info(b, 0).duels, 20);
	box_free(b);
}

/* Lost duels count: it takes over and yields again and again. */
static void
a_flapping_pair_is_suspicious(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		box_make_master(b, 0);
		box_run(b, b->now + MSECS(500));
		assert_int_equal(box_info(b, 0).split, 0);
		box_advert(b, 0, 1, 0, 0);
		assert_int_equal(box_state(b, 0), ELECTION_BACKUP);
	}
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DUELS);
	box_free(b);
}

static void
repeated_ties_are_suspicious(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		box_make_master(b, 0);
		box_run(b, b->now + MSECS(500));
		box_forget(b);
		box_advert(b, 0, 1, 100, 0);
	}
	box_take_split(b, 0, ELECTION_SPLIT_TIES, b->now);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_TIE, b->now);
	base_ns_t last = b->now;

	box_run(b, last + QUIET - 1);
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_TIES);
	box_run(b, last + QUIET);
	assert_int_equal(box_info(b, 0).split, 0);
	box_free(b);
}

static void
failed_authentication_is_suspicious_in_any_role(void **state)
{
	(void)state;
	for (int master = 0; master <= 1; master++) {
		struct box *b = box_one(1, 100, false);

		if (master)
			box_make_master(b, 0);
		for (unsigned int i = 0; i < 2; i++) {
			box_auth_failed(b, 0, 9);
			box_auth_failed(b, 0, 9);
			box_run(b, b->now + SECS(1));
		}
		assert_int_equal(box_info(b, 0).split, 0);
		box_forget(b);
		box_auth_failed(b, 0, 9);
		const struct election_action *a = box_take_split(b, 0, ELECTION_SPLIT_AUTH, b->now);

		assert_int_equal(base_addr_ip4(&a->split.src), UINT32_C(0xc0000209));
		struct election_group_info info = box_info(b, 0);

		assert_int_equal(base_addr_ip4(&info.auth_failed_from), UINT32_C(0xc0000209));
		assert_int_equal(info.auth_failed_at, b->now);
		/* it changes nothing else */
		assert_int_equal(info.state, master ? ELECTION_MASTER : ELECTION_BACKUP);
		box_group(b, ELECTION_EV_DOWN, 0);
		assert_int_equal(box_info(b, 0).split, 0);
		assert_int_equal(box_info(b, 0).auth_failed_at, BASE_NS_NEVER);
		/* nor in INIT */
		for (unsigned int i = 0; i < 9; i++) {
			box_auth_failed(b, 0, 9);
			box_run(b, b->now + SECS(1));
		}
		assert_int_equal(box_info(b, 0).split, 0);
		assert_int_equal(box_info(b, 0).auth_failed_from.family, BASE_FAMILY_NONE);
		box_free(b);
	}
}

/*
 * A peer that changes its password sends each advert with the old digest and the new one. Here only
 * the old one is known, and there is no split.
 */
static void
failed_authentication_of_who_is_heard_is_none(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		box_run(b, b->now + SECS(1));
		if (i > 0)
			box_auth_failed(b, 0, 3);
		box_advert(b, 0, 1, 0, 0);
		assert_int_equal(box_info(b, 0).split, 0);
	}
	struct election_group_info info = box_info(b, 0);

	assert_int_equal(base_addr_ip4(&info.auth_failed_from), UINT32_C(0xc0000203));
	/* somebody else is */
	for (unsigned int i = 0; i < 3; i++) {
		box_run(b, b->now + SECS(1));
		box_auth_failed(b, 0, 9);
		box_advert(b, 0, 1, 0, 0);
	}
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_AUTH);
	box_free(b);
}

/* And once the peer is not understood any more it is one, by the time that this box takes over. */
static void
failed_authentication_alone_is_one_again(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 0, 0);
	for (unsigned int i = 0; i < 7; i++) {
		box_run(b, b->now + SECS(1));
		box_auth_failed(b, 0, 3);
	}
	assert_int_equal(box_info(b, 0).state, ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_AUTH);
	box_free(b);
}

static void
reasons_come_and_go_one_by_one(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	base_ns_t from = b->now;

	for (unsigned int i = 0; i < 6; i++) {
		box_run(b, from + SECS(i));
		box_auth_failed(b, 0, 9);
		if (i < 3)
			box_advert(b, 0, 1, 200, 0);
	}
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_AUTH | ELECTION_SPLIT_DUELS);
	assert_int_equal(box_info(b, 0).split_since, from + SECS(2));
	box_run(b, from + SECS(2) + QUIET);
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_AUTH);
	assert_int_equal(box_info(b, 0).split_since, from + SECS(2));
	box_run(b, from + SECS(5) + QUIET);
	assert_int_equal(box_info(b, 0).split, 0);
	box_free(b);
}

static void
a_master_without_any_frame_is_deaf(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_frame(b, 0);
	base_ns_t frame = b->now;

	/* as BACKUP it is no sign: it takes over because of it */
	box_run(b, T0 + DOWN);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).frame_at, frame);
	box_run(b, frame + SECS(10) - 1);
	assert_int_equal(box_info(b, 0).split, 0);
	box_forget(b);
	box_run(b, frame + SECS(10));
	box_take_split(b, 0, ELECTION_SPLIT_DEAF, frame + SECS(10));
	box_run(b, frame + SECS(1000));
	box_forget(b);
	/* the first frame ends it */
	box_frame(b, 0);
	box_take_split(b, 0, 0, b->now);
	frame = b->now;
	/* any frame: an advert, one that fails, and frames while they come */
	box_run(b, frame + SECS(9));
	box_advert(b, 0, 255, 255, 0);
	box_run(b, frame + SECS(18));
	box_auth_failed(b, 0, 3);
	box_run(b, frame + SECS(27));
	box_frame(b, 0);
	box_run(b, frame + SECS(36));
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, frame + SECS(37));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	/* over with the role */
	box_forget(b);
	box_group(b, ELECTION_EV_FORCE_BACKUP, 0);
	box_take_advert(b, 0, 255, 255, 0, b->now);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_FORCED, b->now);
	box_take_split(b, 0, 0, b->now);
	box_free(b);
}

static void
deafness_needs_to_be_told_of_frames(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_advert(b, 0, 1, 200, 0);
	box_run(b, T0 + SECS(1000));
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).split, 0);
	assert_int_equal(box_info(b, 0).frame_at, BASE_NS_NEVER);
	/* told for the first time as MASTER */
	box_frame(b, 0);
	box_run(b, b->now + SECS(10));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	box_free(b);
}

/* Who is told of every frame from the start knows that there never was one. */
static void
deaf_from_the_start(void **state)
{
	struct election_if_config ifs = {.link_up = true, .frames_told = true};
	struct election_group_config g = {
		.advbase = 1, .advskew = 100, .has_vip = true, .admin_up = true};
	struct election_config config = {.if_count = 1,
		.group_count = 1,
		.ifs = &ifs,
		.groups = &g,
		.allow = true,
		.seed = 1};
	struct box *b = box_new(&config);

	(void)state;
	box_run(b, T0 + SECS(10) - 1);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, T0 + SECS(10));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	assert_int_equal(box_info(b, 0).frame_at, BASE_NS_NEVER);
	/* as of the link, each time it comes up */
	box_link(b, 0, false);
	box_run(b, T0 + SECS(20));
	box_link(b, 0, true);
	box_run(b, T0 + SECS(30) - 1);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, T0 + SECS(30));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	/* an advert is a frame too */
	box_advert(b, 0, 255, 255, 0);
	box_run(b, b->now + 1);
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, b->now + SECS(10));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	box_free(b);
}

static void
slow_groups_are_deaf_after_three_intervals(void **state)
{
	struct box *b = box_one(10, 0, false);

	(void)state;
	box_make_master(b, 0);
	box_frame(b, 0);
	box_run(b, b->now + SECS(30) - 1);
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, b->now + 1);
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	box_free(b);
}

/* Frames that lie unread are not deafness; the demotion "worker-stalled" names that. */
static void
a_horizon_that_is_behind_is_not_deafness(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_make_master(b, 0);
	box_frame(b, 0);
	base_ns_t frame = b->now;

	box_horizon(b, 0, frame + SECS(5));
	box_run(b, frame + SECS(20));
	assert_int_equal(box_info(b, 0).split, 0);
	box_horizon(b, 0, frame + SECS(20));
	/* looked at once a second */
	box_run(b, frame + SECS(21));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	box_free(b);
}

static void
a_link_that_comes_up_is_not_deaf_at_once(void **state)
{
	struct box *b = box_one(1, 100, false);

	(void)state;
	box_frame(b, 0);
	box_link(b, 0, false);
	box_run(b, T0 + SECS(60));
	box_link(b, 0, true);
	box_run(b, T0 + SECS(60) + DOWN);
	assert_int_equal(box_state(b, 0), ELECTION_MASTER);
	box_run(b, T0 + SECS(70) - 1);
	assert_int_equal(box_info(b, 0).split, 0);
	box_run(b, T0 + SECS(70));
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	box_free(b);
}

static void
each_interface_listens_for_itself(void **state)
{
	struct box *b = box_many(2, 1, 100, false);

	(void)state;
	box_frame(b, 0);
	box_frame(b, 1);
	for (unsigned int i = 1; i < 20; i++) {
		box_run(b, T0 + SECS(i));
		box_frame(b, 1);
	}
	assert_int_equal(box_info(b, 0).split, ELECTION_SPLIT_DEAF);
	assert_int_equal(box_info(b, 1).split, 0);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timing_that_does_not_fit),
		cmocka_unit_test(a_warning_names_the_peer_once),
		cmocka_unit_test(a_warning_ends_without_its_peer),
		cmocka_unit_test(three_duels_in_a_row_are_suspicious),
		cmocka_unit_test(single_duels_are_not),
		cmocka_unit_test(a_flapping_pair_is_suspicious),
		cmocka_unit_test(repeated_ties_are_suspicious),
		cmocka_unit_test(failed_authentication_is_suspicious_in_any_role),
		cmocka_unit_test(failed_authentication_of_who_is_heard_is_none),
		cmocka_unit_test(failed_authentication_alone_is_one_again),
		cmocka_unit_test(reasons_come_and_go_one_by_one),
		cmocka_unit_test(a_master_without_any_frame_is_deaf),
		cmocka_unit_test(deafness_needs_to_be_told_of_frames),
		cmocka_unit_test(deaf_from_the_start),
		cmocka_unit_test(slow_groups_are_deaf_after_three_intervals),
		cmocka_unit_test(a_horizon_that_is_behind_is_not_deafness),
		cmocka_unit_test(a_link_that_comes_up_is_not_deaf_at_once),
		cmocka_unit_test(each_interface_listens_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
