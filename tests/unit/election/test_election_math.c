/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The golden election table and the protocol's arithmetic (tests/data/carp-hmac.json). */
#include "election_test.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

static json_t *vectors;

static int
load_vectors(void **state)
{
	json_error_t err;

	(void)state;
	vectors = json_load_file(TEST_DATA "/carp-hmac.json", 0, &err);
	if (vectors == NULL)
		fprintf(stderr, "%s:%d: %s\n", err.source, err.line, err.text);
	return vectors ? 0 : -1;
}

static int
free_vectors(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static uint8_t
number(const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);

	assert_true(json_is_integer(v));
	assert_in_range(json_integer_value(v), 0, 255);
	return (uint8_t)json_integer_value(v);
}

static const char *
text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	assert_non_null(s);
	return s;
}

/* A box in the row's state, brought there by real events only. */
static struct box *
box_for(const json_t *row)
{
	bool preempt = json_is_true(json_object_get(row, "preempt"));
	struct box *b = box_one(number(row, "advbase"), number(row, "advskew"), preempt);

	assert_int_equal(box_demote(b, number(row, "demote")), 0);
	if (strcmp(text(row, "state"), "MASTER") == 0)
		box_make_master(b, 0);
	else if (strcmp(text(row, "state"), "INIT") == 0)
		box_group(b, ELECTION_EV_DOWN, 0);
	assert_string_equal(election_state_name(box_state(b, 0)), text(row, "state"));
	box_forget(b);
	return b;
}

static void
conformance_05_every_row_of_the_election_table(void **state)
{
	const json_t *rows = json_object_get(vectors, "election");

	(void)state;
	assert_int_equal(json_array_size(rows), 46);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct box *b = box_for(row);

		box_advert(b, 0, number(row, "rx_advbase"), number(row, "rx_advskew"),
			number(row, "rx_demote"));
		const char *now = election_state_name(box_state(b, 0));

		if (strcmp(now, text(row, "recommended")) != 0)
			fail_msg("row %zu: %s, expected %s", i, now, text(row, "recommended"));
		box_free(b);
	}
}

/* The counterpart to the table: 255/255 never makes a master yield, however demoted it is. */
static void
a_master_never_yields_to_a_bow_out(void **state)
{
	static const uint8_t demotions[] = {0, 1, 2, 255};
	enum election_cause cause = ELECTION_CAUSE_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof(demotions); i++)
		for (unsigned int d = 0; d < 256; d++) {
			struct election_priority own = {1, 240, demotions[i]};
			struct election_priority peer = {255, 255, (uint8_t)d};

			assert_false(election_master_yields(&own, &peer, &cause));
			assert_true(election_backup_claims(&own, &peer, false, &cause));
			assert_int_equal(cause, ELECTION_CAUSE_BOW_OUT);
		}
}

static void
wire_values_of_every_case(void **state)
{
	const json_t *cases = json_object_get(vectors, "cases");
	size_t timed = 0;

	(void)state;
	assert_int_equal(json_array_size(cases), 34);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		const json_t *us = json_object_get(c, "advert_interval_us");
		uint8_t advbase = number(c, "advbase"), advskew = number(c, "advskew");
		struct election_priority p =
			election_effective(advbase, advskew, number(c, "demote"));

		if (json_is_true(json_object_get(c, "bow_out")))
			continue;
		assert_int_equal(p.advbase, number(c, "wire_advbase"));
		assert_int_equal(
			p.advskew, number(json_object_get(c, "wire_advskew"), "recommended"));
		assert_int_equal(
			p.demotion, number(json_object_get(c, "wire_demote"), "recommended"));
		if (json_object_get(us, "netbsd") == NULL)
			continue;
		json_int_t interval = json_integer_value(json_object_get(us, "netbsd"));
		json_int_t down = json_integer_value(
			json_object_get(json_object_get(c, "master_down_us"), "netbsd_freebsd"));

		/* the kernels truncate to microseconds */
		assert_int_equal(
			election_interval(advbase, advskew, p.advskew) / BASE_NS_PER_US, interval);
		assert_int_equal(election_master_down(advbase, advskew) / BASE_NS_PER_US, down);
		timed++;
	}
	assert_in_range(timed, 20, 34);
}

static void
timers_to_the_nanosecond(void **state)
{
	static const struct {
		uint8_t advbase, skew, effective;
		base_ns_t interval, down;
	} rows[] = {
		{1, 0, 0, UINT64_C(1000000000), UINT64_C(3000000000)},
		{1, 1, 1, UINT64_C(1003906250), UINT64_C(3003906250)},
		{1, 100, 100, UINT64_C(1390625000), UINT64_C(3390625000)},
		{1, 128, 240, UINT64_C(1937500000), UINT64_C(3500000000)},
		{1, 254, 254, UINT64_C(1992187500), UINT64_C(3992187500)},
		{2, 128, 128, UINT64_C(2500000000), UINT64_C(6500000000)},
		{255, 254, 254, UINT64_C(255992187500), UINT64_C(765992187500)},
		/* fast groups count in the configured skew, 0 as 1 */
		{0, 0, 0, UINT64_C(3906250), UINT64_C(11718750)},
		{0, 1, 1, UINT64_C(3906250), UINT64_C(11718750)},
		{0, 2, 2, UINT64_C(7812500), UINT64_C(23437500)},
		{0, 0, 240, UINT64_C(3906250), UINT64_C(11718750)},
		{0, 254, 254, UINT64_C(992187500), UINT64_C(2976562500)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			election_interval(rows[i].advbase, rows[i].skew, rows[i].effective),
			rows[i].interval);
		assert_int_equal(election_master_down(rows[i].advbase, rows[i].skew), rows[i].down);
	}
}

static void
demotion_on_the_wire(void **state)
{
	static const struct {
		uint8_t skew;
		uint32_t demotion;
		uint8_t wire_skew, wire_demotion;
	} rows[] = {
		{0, 0, 0, 0},
		{0, 1, 240, 1},
		{239, 1, 240, 1},
		{240, 1, 240, 1},
		{241, 1, 241, 1},
		{254, 3, 254, 3},
		{100, 255, 240, 255},
		{100, 256, 240, 255},
		{100, UINT32_MAX, 240, 255},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct election_priority p = election_effective(7, rows[i].skew, rows[i].demotion);

		assert_int_equal(p.advbase, 7);
		assert_int_equal(p.advskew, rows[i].wire_skew);
		assert_int_equal(p.demotion, rows[i].wire_demotion);
	}
}

/* Which of several reasons is given; the decision itself is the table's. */
static void
causes_name_the_reason(void **state)
{
	static const struct {
		enum election_state role;
		struct election_priority own, peer;
		bool preempt;
		enum election_cause cause; /* NONE: nothing happens */
	} rows[] = {
		{ELECTION_MASTER, {1, 100, 0}, {1, 99, 0}, false, ELECTION_CAUSE_BETTER_PEER},
		{ELECTION_MASTER, {1, 100, 0}, {1, 100, 0}, false, ELECTION_CAUSE_TIE},
		{ELECTION_MASTER, {1, 100, 0}, {1, 101, 0}, false, ELECTION_CAUSE_NONE},
		{ELECTION_MASTER, {1, 240, 1}, {1, 250, 0}, false, ELECTION_CAUSE_PEER_HEALTHIER},
		{ELECTION_MASTER, {1, 240, 1}, {1, 240, 1}, false, ELECTION_CAUSE_TIE},
		{ELECTION_MASTER, {1, 0, 0}, {0, 0, 1}, false, ELECTION_CAUSE_NONE},
		{ELECTION_BACKUP, {1, 0, 0}, {1, 100, 0}, true, ELECTION_CAUSE_PREEMPT},
		{ELECTION_BACKUP, {1, 0, 0}, {1, 100, 0}, false, ELECTION_CAUSE_NONE},
		{ELECTION_BACKUP, {1, 100, 0}, {1, 0, 1}, false, ELECTION_CAUSE_PEER_DEMOTED},
		{ELECTION_BACKUP, {1, 100, 0}, {1, 240, 1}, true, ELECTION_CAUSE_PEER_DEMOTED},
		{ELECTION_BACKUP, {1, 0, 0}, {3, 1, 0}, false, ELECTION_CAUSE_SLOW_PEER},
		{ELECTION_BACKUP, {1, 0, 0}, {3, 1, 0}, true, ELECTION_CAUSE_PREEMPT},
		{ELECTION_BACKUP, {1, 240, 1}, {1, 250, 0}, true, ELECTION_CAUSE_NONE},
		{ELECTION_BACKUP, {1, 0, 0}, {255, 255, 0}, true, ELECTION_CAUSE_BOW_OUT},
		/* a fast group has no "too slow": a slower master times out by itself */
		{ELECTION_BACKUP, {0, 0, 0}, {85, 0, 0}, false, ELECTION_CAUSE_NONE},
		{ELECTION_BACKUP, {0, 1, 0}, {255, 255, 0}, false, ELECTION_CAUSE_BOW_OUT},
		/* 255 alone is no bow-out */
		{ELECTION_BACKUP, {255, 0, 0}, {255, 254, 0}, false, ELECTION_CAUSE_NONE},
		{ELECTION_BACKUP, {254, 0, 0}, {254, 255, 0}, false, ELECTION_CAUSE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum election_cause cause = ELECTION_CAUSE_NONE;
		bool acts = rows[i].role == ELECTION_MASTER
			? election_master_yields(&rows[i].own, &rows[i].peer, &cause)
			: election_backup_claims(
				  &rows[i].own, &rows[i].peer, rows[i].preempt, &cause);

		assert_int_equal(acts, rows[i].cause != ELECTION_CAUSE_NONE);
		assert_string_equal(election_cause_text(cause), election_cause_text(rows[i].cause));
	}
}

static void
every_enumerator_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(election_state_name(ELECTION_INIT), "INIT");
	assert_string_equal(election_state_name(ELECTION_BACKUP), "BACKUP");
	assert_string_equal(election_state_name(ELECTION_MASTER), "MASTER");
	for (unsigned int c = 0; c < ELECTION_CAUSE_COUNT; c++)
		for (unsigned int d = 0; d < c; d++)
			assert_string_not_equal(election_cause_text((enum election_cause)c),
				election_cause_text((enum election_cause)d));
	assert_string_equal(election_demotion_source_name(ELECTION_DEMOTION_LINK), "link");
	assert_string_equal(
		election_demotion_source_name(ELECTION_DEMOTION_SEND_ERROR), "send-error");
	assert_string_equal(
		election_demotion_source_name(ELECTION_DEMOTION_WORKER_STALLED), "worker-stalled");
	assert_string_equal(election_demotion_source_name(ELECTION_DEMOTION_OPERATOR), "operator");
	for (unsigned int c = 1; c < ELECTION_CAUSE_COUNT; c++)
		assert_true(election_cause_rule((enum election_cause)c)[0] != '\0');
	assert_string_equal(election_hold_name(ELECTION_HOLD_NONE), "none");
	assert_string_equal(election_hold_name(ELECTION_HOLD_STARTUP), "startup-hold");
	assert_string_equal(election_hold_name(ELECTION_HOLD_LINKUP), "linkup-hold");
	assert_string_equal(election_hold_name(ELECTION_HOLD_PREEMPT_DELAY), "preempt-delay");
	assert_string_equal(election_hold_name(ELECTION_HOLD_TIE), "tie-break");
	assert_string_equal(election_warn_text(ELECTION_WARN_NONE), "timing fits");
	for (unsigned int w = 1; w < ELECTION_WARN_COUNT; w++)
		assert_string_not_equal(election_warn_text((enum election_warn)w), "timing fits");
	assert_string_equal(election_split_text(0), "none");
	for (unsigned int i = 0; i < ELECTION_SPLIT_COUNT; i++)
		assert_string_not_equal(election_split_text(1u << i), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_05_every_row_of_the_election_table),
		cmocka_unit_test(a_master_never_yields_to_a_bow_out),
		cmocka_unit_test(wire_values_of_every_case),
		cmocka_unit_test(timers_to_the_nanosecond),
		cmocka_unit_test(demotion_on_the_wire),
		cmocka_unit_test(causes_name_the_reason),
		cmocka_unit_test(every_enumerator_has_a_name),
	};

	return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
