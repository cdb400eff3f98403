/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <inttypes.h>

#include "test_fib_nbr_rig.h"

enum op {
	OP_END,
	OP_PACKET, /* one tagged packet to resolve */
	OP_ANSWER, /* to us */
	OP_SEEN,   /* gratuitous, or among others */
	OP_ASKER,  /* it asked for an address of ours */
	OP_TICK,
	OP_QUIET, /* the same, and no worker looked since the step before */
};

struct step {
	uint64_t at_ms; /* since START */
	enum op op;
	char tag; /* packet's tag, or a/b for the MAC */
	const char *actions;
	enum fib_nbr_state state; /* afterwards */
	char mac;		  /* what a worker finds: a, b or 0; ? nobody looks */
	uint64_t deadline_ms;	  /* afterwards; 0: never */
};

#define I FIB_NBR_INCOMPLETE
#define R FIB_NBR_REACHABLE
#define S FIB_NBR_STALE
#define P FIB_NBR_PROBE
#define F FIB_NBR_FAILED
#define A FIB_NBR_ABSENT

static const struct {
	const char *name;
	struct step steps[20];
} machines[] = {
	{"answered at once",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {5, OP_PACKET, '2', "", I, 0, 1000},
			{7, OP_ANSWER, 'a', "S1S2", R, 'a', 60007},
			{8, OP_PACKET, '3', "S3", R, 'a', 60007},
			{60006, OP_TICK, 0, "", R, 'a', 60007},
			{60007, OP_TICK, 0, "r", P, 'a', 61007},
			{60050, OP_PACKET, '4', "S4", P, 'a', 61007},
			{60100, OP_ANSWER, 'a', "", R, 'a', 120100}, {0}}},
	{"never answered: three requests, then failed, then forgotten",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {999, OP_TICK, 0, "", I, 0, 1000},
			{1000, OP_TICK, 0, "R", I, 0, 2000}, {1500, OP_PACKET, '2', "", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000}, {2999, OP_TICK, 0, "", I, 0, 3000},
			{3000, OP_TICK, 0, "F1F2", F, 0, 6000},
			{3001, OP_PACKET, '3', "F3", F, 0, 6000},
			{5999, OP_TICK, 0, "", F, 0, 6000}, {6000, OP_TICK, 0, "", A, 0, 0},
			{6001, OP_PACKET, '4', "R", I, 0, 7001},
			{6002, OP_ANSWER, 'b', "S4", R, 'b', 66002}, {0}}},
	{"announced after the last request, then asked about",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {1000, OP_TICK, 0, "R", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000},
			{2900, OP_SEEN, 'a', "S1", S, 'a', 7900},
			{7900, OP_TICK, 0, "r", P, 'a', 8900},
			{7901, OP_ANSWER, 'a', "", R, 'a', 67901}, {0}}},
	{"answered after it had failed",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {1000, OP_TICK, 0, "R", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000}, {3000, OP_TICK, 0, "F1", F, 0, 6000},
			{4000, OP_ANSWER, 'a', "", R, 'a', 64000}, {0}}},
	{"gone: probed three times while still used, then removed",
		{{0, OP_ASKER, 'a', "", S, 'a', 5000}, {5000, OP_TICK, 0, "r", P, 'a', 6000},
			{6000, OP_TICK, 0, "r", P, 'a', 7000},
			{7000, OP_TICK, 0, "r", P, 'a', 8000},
			{7999, OP_PACKET, '1', "S1", P, 'a', 8000}, {8000, OP_TICK, 0, "", A, 0, 0},
			{8001, OP_PACKET, '2', "R", I, 0, 9001}, {0}}},
	{"probe answered, next round starts with three requests again",
		{{0, OP_ASKER, 'a', "", S, 'a', 5000}, {1, OP_ANSWER, 'a', "", R, 'a', 60001},
			{60001, OP_TICK, 0, "r", P, 'a', 61001},
			{61001, OP_TICK, 0, "r", P, 'a', 62001},
			{61500, OP_ANSWER, 'a', "", R, 'a', 121500},
			{121500, OP_TICK, 0, "r", P, 'a', 122500},
			{122500, OP_TICK, 0, "r", P, 'a', 123500},
			{123500, OP_TICK, 0, "r", P, 'a', 124500},
			{124500, OP_TICK, 0, "", A, 0, 0}, {0}}},
	{"MAC changes: used from then on, and asked about",
		{{0, OP_ASKER, 'a', "", S, 'a', 5000}, {1, OP_ANSWER, 'a', "", R, 'a', 60001},
			{2, OP_SEEN, 'a', "", R, 'a', 60001}, {3, OP_ASKER, 'a', "", R, 'a', 60001},
			{10, OP_SEEN, 'b', "", S, 'b', 5010},
			{20, OP_PACKET, '1', "S1", S, 'b', 5010},
			{5010, OP_TICK, 0, "r", P, 'b', 6010},
			{5020, OP_ANSWER, 'a', "", R, 'a', 65020},
			{5030, OP_ASKER, 'b', "", S, 'b', 10030}, {0}}},
	{"an unknown sender that did not ask us is not learned",
		{{0, OP_SEEN, 'a', "", A, 0, 0}, {1, OP_ANSWER, 'a', "", A, 0, 0},
			{2, OP_ASKER, 'a', "", S, 'a', 5002}, {0}}},
	{"served late: one request, not all that were missed",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {9000, OP_TICK, 0, "R", I, 0, 10000},
			{10000, OP_TICK, 0, "R", I, 0, 11000},
			{11000, OP_TICK, 0, "F1", F, 0, 14000}, {0}}},
	{"known and not used: not asked, forgotten after 20 minutes; used again: asked",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {1, OP_ANSWER, 'a', "S1", R, '?', 60001},
			{60001, OP_QUIET, 0, "", S, '?', 65001},
			{65001, OP_QUIET, 0, "", S, '?', 70001},
			{1255001, OP_QUIET, 0, "", S, 'a', 1260001},
			{1260001, OP_TICK, 0, "r", P, '?', 1261001},
			{1260002, OP_ANSWER, 'a', "", R, '?', 1320002},
			{1320002, OP_QUIET, 0, "", S, '?', 1325002},
			{2520001, OP_QUIET, 0, "", S, '?', 2525001},
			{2525001, OP_QUIET, 0, "", A, 0, 0}, {0}}},
	{"asked us, and nobody sends to it: forgotten after a minute, never asked",
		{{0, OP_ASKER, 'a', "", S, '?', 5000}, {5000, OP_QUIET, 0, "", S, '?', 10000},
			{59999, OP_QUIET, 0, "", S, '?', 64999}, {64999, OP_QUIET, 0, "", A, 0, 0},
			{0}}},
};

#undef I
#undef R
#undef S
#undef P
#undef F
#undef A

static void
run_step(struct fib_nbr_table *t, const struct step *s, struct record *rec)
{
	const struct base_addr host = base_addr_from_ip4(HOST);
	const uint8_t *mac = s->tag == 'b' ? mac_b : mac_a;
	base_ns_t now = START + MS(s->at_ms);

	switch (s->op) {
	case OP_PACKET:
		resolve(t, 1, HOST, packet(s->tag), now, record_act, rec);
		break;
	case OP_ANSWER:
		answer(t, 1, HOST, mac, now, record_act, rec);
		break;
	case OP_SEEN:
		fib_nbr_advertised(t, 1, &host, mac, false, true, now, record_act, rec);
		break;
	case OP_ASKER:
		asker(t, 1, HOST, mac, now, record_act, rec);
		break;
	case OP_TICK:
	case OP_QUIET:
		fib_nbr_tick(t, now, record_act, rec);
		break;
	case OP_END:
		break;
	}
}

static void
state_machine(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < N_OF(machines); k++) {
		struct fib_nbr_table *t = make(64, 2);
		uint8_t last = 0;

		for (const struct step *s = machines[k].steps; s->op != OP_END; s++) {
			struct record rec = {0};
			uint8_t mac[BASE_MAC_LEN] = {0};
			base_ns_t want =
				s->deadline_ms != 0 ? START + MS(s->deadline_ms) : BASE_NS_NEVER;
			long at = (long)(s - machines[k].steps);
			char found;

			run_step(t, s, &rec);
			if (strcmp(rec.text, s->actions) != 0)
				fail_msg("%s, step %ld: did %s, not %s", machines[k].name, at,
					rec.text, s->actions);
			if (state_of(t, 1, HOST) != s->state)
				fail_msg("%s, step %ld: state %s", machines[k].name, at,
					fib_nbr_state_name(state_of(t, 1, HOST)));
			found = s->mac;
			if (found != '?')
				found = fib_nbr_lookup(t, 1, HOST, mac) ? 'a' : 0;
			if (found == 'a' && memcmp(mac, mac_b, BASE_MAC_LEN) == 0)
				found = 'b';
			if (found != s->mac)
				fail_msg("%s, step %ld: MAC %c", machines[k].name, at,
					found != 0 ? found : '-');
			if (fib_nbr_deadline(t) != want)
				fail_msg("%s, step %ld: deadline %" PRIu64, machines[k].name, at,
					fib_nbr_deadline(t));
			if (rec.len > 0) {
				assert_int_equal(rec.if_index, 1);
				assert_int_equal(rec.ip, HOST);
			}
			if (rec.n_send > 0 || strchr(rec.text, 'r') != NULL) {
				last = s->mac == 'b' ? 0x0b : 0x0a;
				assert_int_equal(rec.mac[5], last);
			}
			/* the same address on another interface is another neighbour */
			assert_false(fib_nbr_lookup(t, 0, HOST, mac));
		}
		unmake(t);
	}
}

/* A printable mark for the n-th packet. */
static char
mark(unsigned int n)
{
	return (char)('!' + n);
}

static void
hold_queue_keeps_the_newest(void **state)
{
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;
	char want[2 * FIB_NBR_HOLD_MAX + 1];

	(void)state;
	for (unsigned int n = 0; n < FIB_NBR_HOLD_MAX + 3; n++)
		resolve(t, 0, HOST, packet(mark(n)), START, record_act, &rec);
	snprintf(want, sizeof(want), "RD%cD%cD%c", mark(0), mark(1), mark(2));
	assert_string_equal(rec.text, want);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, FIB_NBR_HOLD_MAX);
	assert_int_equal(st.hold_dropped, 3);
	rec = (struct record){0};
	answer(t, 0, HOST, mac_a, START + 1, record_act, &rec);
	for (unsigned int n = 0; n < FIB_NBR_HOLD_MAX; n++) {
		want[2 * n] = 'S';
		want[2 * n + 1] = mark(n + 3);
	}
	want[2 * FIB_NBR_HOLD_MAX] = '\0';
	assert_string_equal(rec.text, want);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, 0);
	unmake(t);
}

static void
hold_total_keeps_the_newest(void **state)
{
	const uint32_t hosts = FIB_NBR_HOLD_TOTAL / FIB_NBR_HOLD_MAX;
	struct fib_nbr_table *t = make(4096, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;

	(void)state;
	for (uint32_t i = 0; i < FIB_NBR_HOLD_TOTAL; i++)
		resolve(t, 0, HOST + i % hosts, packet('x'), START, record_act, &rec);
	assert_int_equal(rec.n_drop, 0);
	assert_int_equal(rec.n_requests, hosts);

	/* another next hop: its packet is held, the oldest of all goes, the first host's */
	rec = (struct record){0};
	resolve(t, 0, HOST + hosts, packet('y'), START, record_act, &rec);
	assert_string_equal(rec.text, "DxR");
	/* and then the second one's, though the first host asks for one more */
	rec = (struct record){0};
	resolve(t, 0, HOST, packet('z'), START, record_act, &rec);
	assert_string_equal(rec.text, "Dx");
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, FIB_NBR_HOLD_TOTAL);
	assert_int_equal(st.hold_dropped, 2);

	/* places that are given back are used again */
	rec = (struct record){0};
	answer(t, 0, HOST, mac_a, START, record_act, &rec);
	assert_int_equal(rec.n_send, FIB_NBR_HOLD_MAX);
	assert_string_equal(rec.text + 2 * FIB_NBR_HOLD_MAX - 4, "SxSz");
	rec = (struct record){0};
	resolve(t, 0, HOST + hosts, packet('y'), START, record_act, &rec);
	assert_string_equal(rec.text, "");
	rec = (struct record){0};
	answer(t, 0, HOST + 1, mac_a, START, record_act, &rec);
	assert_int_equal(rec.n_send, FIB_NBR_HOLD_MAX - 1);
	rec = (struct record){0};
	answer(t, 0, HOST + hosts, mac_a, START, record_act, &rec);
	assert_string_equal(rec.text, "SySy");
	unmake(t); /* with packets held */
}

static void
bad_senders_change_nothing(void **state)
{
	static const struct {
		uint32_t ip;
		uint8_t mac[BASE_MAC_LEN];
		uint16_t if_index;
	} cases[] = {
		{HOST, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0},
		{HOST, {0x01, 0, 0x5e, 0, 0, 0x12}, 0}, {HOST, {0}, 0},
		{0, {0x02, 0, 0, 0, 0, 1}, 0}, {UINT32_C(0xe0000012), {0x02, 0, 0, 0, 0, 1}, 0},
		{UINT32_MAX, {0x02, 0, 0, 0, 0, 1}, 0},
		{HOST + 1, {0x02, 0, 0, 0, 0, 1}, 1}, /* no such interface */
	};
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats before, after;

	(void)state;
	resolve(t, 0, HOST, packet('1'), START, record_act, &rec);
	rec = (struct record){0};
	fib_nbr_stats(t, &before);
	for (unsigned int i = 0; i < N_OF(cases); i++)
		meet(t, cases[i].if_index, cases[i].ip, cases[i].mac, START, record_act, &rec);
	fib_nbr_stats(t, &after);
	assert_string_equal(rec.text, "");
	assert_int_equal(after.entries, before.entries);
	assert_int_equal(after.learned, 0);
	assert_int_equal(after.table_full, 1);
	assert_int_equal(state_of(t, 0, HOST), FIB_NBR_INCOMPLETE);

	resolve(t, 1, HOST, packet('2'), START, record_act, &rec);
	assert_string_equal(rec.text, "D2");
	unmake(t);
}

static void
counters_count(void **state)
{
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	resolve(t, 0, HOST, packet('1'), START, record_act, &rec);
	answer(t, 0, HOST, mac_a, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST, mac));
	fib_nbr_tick(t, START + FIB_NBR_REACHABLE_NS, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.requests, 2);
	assert_int_equal(st.learned, 1);
	/* confirmed: nothing new; another MAC: news */
	answer(t, 0, HOST, mac_a, START + 1, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.learned, 1);
	answer(t, 0, HOST, mac_b, START + 2, record_act, &rec);
	resolve(t, 0, HOST + 1, packet('2'), START, record_act, &rec);
	for (uint64_t s = 1; s <= 3; s++)
		fib_nbr_tick(t, START + s * BASE_NS_PER_S, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.learned, 2);
	assert_int_equal(st.failed, 1);
	assert_int_equal(st.requests, 5);
	assert_int_equal(st.entries, 2);
	assert_int_equal(st.held, 0);
	assert_int_equal(st.held_ever, 2);
	assert_int_equal(st.hold_dropped, 0);
	assert_int_equal(st.table_full, 0);
	assert_int_equal(st.mac_full, 0);
	assert_int_equal(st.aged, 0);
	unmake(t);
}

static void
tick_is_bounded(void **state)
{
	struct fib_nbr_table *t = make(4096, 1);
	struct record rec = {0};
	unsigned int calls = 0;

	(void)state;
	fib_nbr_warm(t, 0, true);
	for (uint32_t i = 0; i < 1000; i++)
		meet(t, 0, HOST + i, mac_a, START, record_act, &rec);
	while (fib_nbr_deadline(t) <= START + FIB_NBR_REACHABLE_NS) {
		unsigned int before = rec.n_requests;

		fib_nbr_tick(t, START + FIB_NBR_REACHABLE_NS, record_act, &rec);
		assert_in_range(rec.n_requests - before, 1, 100);
		calls++;
	}
	assert_int_equal(rec.n_requests, 1000);
	assert_in_range(calls, 10, 1000);
	/* an idle clock at the end of time does not turn in circles */
	fib_nbr_tick(t, BASE_NS_NEVER, record_act, &rec);
	unmake(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_machine),
		cmocka_unit_test(hold_queue_keeps_the_newest),
		cmocka_unit_test(hold_total_keeps_the_newest),
		cmocka_unit_test(bad_senders_change_nothing),
		cmocka_unit_test(counters_count),
		cmocka_unit_test(tick_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
