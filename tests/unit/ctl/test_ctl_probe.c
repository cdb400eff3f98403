/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The plan of a ping and of a traceroute, on a clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ctl_probe.h"

#define START	 (100 * BASE_NS_PER_S)
#define INTERVAL (10 * BASE_NS_PER_MS)
#define TIMEOUT	 (2 * BASE_NS_PER_S)
#define MS	 BASE_NS_PER_MS

static struct ctl_probe p;

static void
begin_ping(uint16_t count)
{
	const struct ctl_probe_plan plan = {
		.count = count, .interval_ns = INTERVAL, .timeout_ns = TIMEOUT};

	ctl_probe_begin(&p, &plan, START);
}

static void
begin_trace(uint8_t max_hops)
{
	const struct ctl_probe_plan plan = {
		.trace = true,
		.max_hops = max_hops,
		.per_hop = 3,
		.interval_ns = INTERVAL,
		.timeout_ns = TIMEOUT,
	};

	ctl_probe_begin(&p, &plan, START);
}

static void
send_at(base_ns_t at)
{
	assert_true(ctl_probe_due(&p, at));
	ctl_probe_sent(&p, at);
}

static void
a_ping_is_paced_and_counted(void **state)
{
	base_ns_t rtt;

	(void)state;
	begin_ping(3);
	for (uint16_t i = 0; i < 3; i++) {
		base_ns_t at = START + i * INTERVAL;

		assert_int_equal(ctl_probe_deadline(&p), at);
		assert_false(i > 0 && ctl_probe_due(&p, at - 1));
		send_at(at);
		assert_int_equal(ctl_probe_answer(&p, i, true, true, at + (i + 1u) * MS, &rtt),
			CTL_PROBE_WAITING);
		assert_int_equal(rtt, (i + 1u) * MS);
		assert_int_equal(ctl_probe_over(&p), i == 2);
	}
	assert_int_equal(ctl_probe_deadline(&p), BASE_NS_NEVER);
	assert_int_equal(p.sum.sent, 3);
	assert_int_equal(p.sum.received, 3);
	assert_int_equal(p.sum.min, MS);
	assert_int_equal(p.sum.max, 3 * MS);
	assert_int_equal(p.sum.total, 6 * MS);
}

static void
silence_ends_by_time(void **state)
{
	base_ns_t rtt;
	uint16_t seq;

	(void)state;
	begin_ping(2);
	send_at(START);
	send_at(START + INTERVAL);
	assert_int_equal(ctl_probe_deadline(&p), START + TIMEOUT);
	assert_false(ctl_probe_expire(&p, START + TIMEOUT - 1, &seq));
	assert_true(ctl_probe_expire(&p, START + TIMEOUT, &seq));
	assert_int_equal(seq, 0);
	assert_false(ctl_probe_expire(&p, START + TIMEOUT, &seq));
	/* Late, but it came. */
	assert_int_equal(
		ctl_probe_answer(&p, 0, true, true, START + TIMEOUT + 5, &rtt), CTL_PROBE_LOST);
	assert_int_equal(p.sum.received, 1);
	assert_false(ctl_probe_over(&p));
	assert_true(ctl_probe_expire(&p, START + TIMEOUT + INTERVAL, &seq));
	assert_int_equal(seq, 1);
	assert_true(ctl_probe_over(&p));
	assert_int_equal(p.sum.sent - p.sum.received, 1);
}

static void
answers_that_are_none(void **state)
{
	base_ns_t rtt = 77;

	(void)state;
	begin_ping(1000);
	assert_int_equal(ctl_probe_answer(&p, 0, true, true, START, &rtt), CTL_PROBE_NONE);
	for (uint16_t i = 0; i < 300; i++) {
		send_at(START + i * INTERVAL);
		if (i > 0)
			assert_int_equal(
				ctl_probe_answer(&p, i, true, true, START + i * INTERVAL, &rtt),
				CTL_PROBE_WAITING);
		if (i == 0)
			assert_int_equal(ctl_probe_answer(&p, 0, false, true, START, &rtt),
				CTL_PROBE_WAITING);
	}
	rtt = 77;
	/* not sent yet; forgotten long ago */
	assert_int_equal(ctl_probe_answer(&p, 300, true, true, START, &rtt), CTL_PROBE_NONE);
	assert_int_equal(ctl_probe_answer(&p, UINT16_MAX, true, true, START, &rtt), CTL_PROBE_NONE);
	assert_int_equal(ctl_probe_answer(&p, 43, true, true, START, &rtt), CTL_PROBE_NONE);
	assert_int_equal(rtt, 77);
	assert_int_equal(ctl_probe_answer(&p, 44, true, true, START + 400 * INTERVAL, &rtt),
		CTL_PROBE_ANSWERED);
	assert_int_equal(p.sum.duplicates, 1);
	assert_int_equal(p.sum.received, 299);
	assert_int_equal(p.sum.errors, 1);
}

/* Who answers nothing does not make it remember more than it can. */
static void
the_window_is_bounded(void **state)
{
	uint16_t seq;

	(void)state;
	begin_ping(1000);
	for (uint16_t i = 0; i < CTL_PROBE_WINDOW; i++)
		send_at(START + i * BASE_NS_PER_S);
	assert_false(ctl_probe_due(&p, START + 1000 * BASE_NS_PER_S));
	assert_int_equal(ctl_probe_deadline(&p), START + TIMEOUT);
	assert_true(ctl_probe_expire(&p, START + 1000 * BASE_NS_PER_S, &seq));
	assert_true(ctl_probe_due(&p, START + 1000 * BASE_NS_PER_S));
}

static void
what_could_not_be_sent_is_lost(void **state)
{
	(void)state;
	begin_ping(2);
	ctl_probe_unsent(&p, START);
	assert_int_equal(ctl_probe_deadline(&p), START + INTERVAL);
	ctl_probe_unsent(&p, START + INTERVAL);
	assert_true(ctl_probe_over(&p));
	assert_int_equal(p.sum.sent, 2);
	assert_int_equal(p.sum.received, 0);
}

static void
a_stop_waits_for_nobody(void **state)
{
	base_ns_t rtt;
	uint16_t seq;

	(void)state;
	begin_ping(1000);
	send_at(START);
	ctl_probe_stop(&p);
	assert_true(ctl_probe_over(&p));
	assert_false(ctl_probe_due(&p, START + TIMEOUT));
	assert_false(ctl_probe_expire(&p, START + TIMEOUT, &seq));
	assert_int_equal(ctl_probe_deadline(&p), BASE_NS_NEVER);
	assert_int_equal(ctl_probe_answer(&p, 0, true, true, START + MS, &rtt), CTL_PROBE_WAITING);
	assert_int_equal(p.sum.received, 1);
}

static void
a_trace_goes_hop_by_hop(void **state)
{
	base_ns_t now = START, rtt;
	uint16_t seq;

	(void)state;
	begin_trace(30);
	for (uint16_t i = 0; i < 3; i++, now += INTERVAL) {
		assert_int_equal(ctl_probe_ttl(&p, p.next), 1);
		send_at(now);
	}
	/* The next one waits for all three: two answers and a silence. */
	assert_false(ctl_probe_due(&p, now + MS));
	ctl_probe_answer(&p, 0, false, false, now, &rtt);
	ctl_probe_answer(&p, 2, false, false, now, &rtt);
	assert_false(ctl_probe_due(&p, now + MS));
	assert_int_equal(ctl_probe_deadline(&p), START + INTERVAL + TIMEOUT);
	now = START + INTERVAL + TIMEOUT;
	assert_true(ctl_probe_expire(&p, now, &seq));
	assert_int_equal(seq, 1);
	assert_int_equal(ctl_probe_ttl(&p, p.next), 2);
	for (uint16_t i = 3; i < 6; i++, now += INTERVAL) {
		send_at(now);
		/* the end was reached: the rest of this hop is sent still */
		ctl_probe_answer(&p, i, true, true, now + MS, &rtt);
	}
	assert_true(ctl_probe_over(&p));
	assert_int_equal(p.sum.sent, 6);
	assert_int_equal(p.sum.received, 3);
	assert_int_equal(p.sum.errors, 2);
}

static void
a_trace_ends_with_max_hops(void **state)
{
	base_ns_t now = START, rtt;

	(void)state;
	begin_trace(2);
	for (uint16_t i = 0; i < 6; i++, now += INTERVAL) {
		send_at(now);
		ctl_probe_answer(&p, i, false, false, now, &rtt);
	}
	assert_true(ctl_probe_over(&p));
	assert_int_equal(p.sum.received, 0);
}

/* Thirty lines that a next hop is silent say no more than one. */
static void
a_trace_ends_where_nothing_leaves(void **state)
{
	base_ns_t now = START, rtt;

	(void)state;
	begin_trace(30);
	for (uint16_t i = 0; i < 3; i++, now += INTERVAL) {
		assert_true(ctl_probe_due(&p, now));
		if (i == 1) {
			send_at(now);
			ctl_probe_answer(&p, i, false, false, now, &rtt);
		} else {
			ctl_probe_unsent(&p, now);
		}
	}
	assert_false(ctl_probe_over(&p));
	assert_int_equal(ctl_probe_ttl(&p, p.next), 2);
	send_at(now);
	ctl_probe_answer(&p, 3, false, false, now, &rtt);
	for (uint16_t i = 0; i < 3; i++) {
		now += INTERVAL;
		assert_true(ctl_probe_due(&p, now));
		ctl_probe_unsent(&p, now);
	}
	/* the hop that it met is gone through */
	assert_int_equal(p.next, 7);
	while (!ctl_probe_over(&p)) {
		now += INTERVAL;
		assert_true(ctl_probe_due(&p, now));
		ctl_probe_unsent(&p, now);
	}
	assert_int_equal(p.next, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_is_paced_and_counted),
		cmocka_unit_test(silence_ends_by_time),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(the_window_is_bounded),
		cmocka_unit_test(what_could_not_be_sent_is_lost),
		cmocka_unit_test(a_stop_waits_for_nobody),
		cmocka_unit_test(a_trace_goes_hop_by_hop),
		cmocka_unit_test(a_trace_ends_with_max_hops),
		cmocka_unit_test(a_trace_ends_where_nothing_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
