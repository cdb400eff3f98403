/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Fast groups, advbase 0 (protocol note 4.2, design "Fast groups"). */
#include "election_test.h"

static void
conformance_64_interval_3_9_ms_master_down_11_7_ms(void **state)
{
	struct box *b = box_one(0, 0, false);
	base_ns_t t = T0 + UINT64_C(11718750);

	(void)state;
	box_run(b, t + 8 * UINT64_C(3906250));
	box_take_claim(b, 0, ELECTION_CAUSE_TIMEOUT, t);
	for (unsigned int i = 1; i <= 8; i++) {
		box_take_advert(b, 0, 0, 0, 0, t + i * UINT64_C(3906250));
		if (i == 2)
			box_take(b, ELECTION_ACT_ANNOUNCE, 0, b->log[b->read - 1].at);
	}
	box_quiet(b);
	box_free(b);
}

static void
times_come_from_the_configured_skew(void **state)
{
	static const struct {
		uint8_t skew;
		base_ns_t unit;
	} rows[] = {{0, SKEW(1)}, {1, SKEW(1)}, {2, SKEW(2)}, {100, SKEW(100)}, {254, SKEW(254)}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct box *b = box_one(0, rows[i].skew, false);
		uint8_t demoted = rows[i].skew > 240 ? rows[i].skew : 240;

		/* a demotion is seen on the wire and in comparisons, not in the times */
		box_demote(b, 1);
		box_forget(b);
		box_run(b, T0 + 3 * rows[i].unit - 1);
		box_quiet(b);
		box_run(b, T0 + 3 * rows[i].unit);
		box_take(b, ELECTION_ACT_OWN, 0, b->now);
		box_take_advert(b, 0, 0, demoted, 1, b->now);
		box_forget(b);
		base_ns_t t = b->now;

		box_run(b, t + rows[i].unit);
		box_take_advert(b, 0, 0, demoted, 1, t + rows[i].unit);
		box_quiet(b);
		box_free(b);
	}
}

static void
a_demoted_fast_master_yields_like_any_other(void **state)
{
	struct box *b = box_one(0, 0, false);

	(void)state;
	box_make_master(b, 0);
	box_advert(b, 0, 0, 1, 0);
	box_take_advert(b, 0, 0, 0, 0, b->now);
	box_quiet(b);
	box_demote(b, 1);
	box_forget(b);
	box_advert(b, 0, 0, 1, 0);
	box_take_state(b, 0, ELECTION_BACKUP, ELECTION_CAUSE_BETTER_PEER, b->now);
	assert_int_equal(box_info(b, 0).master_down_deadline, b->now + SKEW(3));
	box_free(b);
}

static void
fast_and_slow_groups_on_one_box(void **state)
{
	struct box *b = box_many(2, 1, 0, false);

	(void)state;
	box_timing(b, 1, 0, 0);
	box_run(b, T0 + SECS(4));
	unsigned int adverts[2] = {0};

	for (uint32_t i = 0; i < b->n; i++)
		if (b->log[i].act.type == ELECTION_ACT_ADVERT)
			adverts[b->log[i].act.group]++;
	assert_int_equal(adverts[0], 2);
	/* 1,024 intervals in 4 s, the first three of them listening */
	assert_int_equal(adverts[1], 1024 - 3 + 1);
	assert_int_equal(box_info(b, 1).late_max, 0);
	box_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_64_interval_3_9_ms_master_down_11_7_ms),
		cmocka_unit_test(times_come_from_the_configured_skew),
		cmocka_unit_test(a_demoted_fast_master_yields_like_any_other),
		cmocka_unit_test(fast_and_slow_groups_on_one_box),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
