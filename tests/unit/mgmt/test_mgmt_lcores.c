/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What lcores are shown to do, and what remains of counters that were cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt_expect.h"
#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_marks_priv.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

static void
lcores(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.worker = (struct dp_worker_info){.n_rxq = 2,
		.turns = 10,
		.empty_turns = 4,
		.sleeps = 3,
		.busy_ns = BASE_NS_PER_S,
		.idle_ns = 2 * BASE_NS_PER_S,
		.bursts = {4, 1, 2, 0, 0, 0, 3},
		.longest_turn_ns = 55 * BASE_NS_PER_US,
		.last_turn = FAKE_NOW - 9 * BASE_NS_PER_US};
	fake.dp.rx_frames = 102;
	fake.box.turns = 12;
	fake.box.sleeps = 11;
	fake.box.stalls = 1;
	fake.box.longest_turn_ns = 44 * BASE_NS_PER_US;
	EXPECT(lcores, a,
		"lcore 0: main, any cpu, numa 0\n"
		"lcore 1: control, cpu 1, numa 0\n"
		"\tturns 12, sleeps 11, stalls 1, longest turn 44 us\n"
		"lcore 2: worker 0, cpu 2, numa 0, polls a device of node 1\n"
		"\trx queues 2, turns 10, empty 4, sleeps 3\n"
		"\tbusy 1.0 s (2.00 G cycles, 19607843 a packet), idle 2.0 s (4.00 G cycles)\n"
		"\tlongest turn 55 us, last turn 9 us ago\n"
		"\tpackets 102, 17.0 in a burst that had any; bursts of 0: 4, 1: 1, 2-3: 2, 4-7: 0, "
		"8-15: 0, 16-31: 0, 32: 3\n");
}

/* What counts goes on; what is shown begins anew, and only of what was cleared. */
static void
clearing_leaves_the_counters_alone(void **state)
{
	struct mgmt_args a = {0};
	json_t *v, *ports;

	(void)state;
	fake.port_stats[0].rx_missed = 7;
	fake.port_stats[1].rx_missed = 9;
	fake.dp.drops[DP_DROP_TTL] = 5;
	assert_int_equal(mgmt_clear_port(&fake.config, 1), 0);
	fake.port_stats[1].rx_missed = 11;
	v = mgmt_view_port_stats(&fake.config, &a);
	ports = json_object_get(v, "ports");
	assert_int_equal(get_u64(json_array_get(ports, 0), "rx_missed"), 7);
	assert_int_equal(get_u64(json_array_get(ports, 1), "rx_missed"), 2);
	json_decref(v);
	assert_int_equal(mgmt_clear_port(&fake.config, 0), 0);
	assert_int_equal(mgmt_clear_port(&fake.config, 1), 0);
	v = mgmt_view_port_stats(&fake.config, &a);
	ports = json_object_get(v, "ports");
	assert_int_equal(get_u64(json_array_get(ports, 0), "rx_missed"), 0);
	assert_int_equal(get_u64(json_array_get(ports, 1), "rx_missed"), 0);
	json_decref(v);
	fake.port_stats[0].rx_missed = 3; /* the device was reset */
	v = mgmt_view_port_stats(&fake.config, &a);
	ports = json_object_get(v, "ports");
	assert_int_equal(get_u64(json_array_get(ports, 0), "rx_missed"), 3);
	json_decref(v);

	mgmt_clear_drops(&fake.config);
	fake.dp.drops[DP_DROP_TTL] = 6;
	v = mgmt_view_drops(&fake.config, &a);
	assert_int_equal(get_u64(v, "ttl"), 1);
	json_decref(v);
	assert_int_equal(fake.n_forgets, 0);
	fake.worker.turns = 100;
	fake.box.turns = 50;
	mgmt_clear_lcores(&fake.config);
	assert_int_equal(fake.n_forgets, 1);
	fake.worker.turns = 130;
	fake.box.turns = 51;
	v = mgmt_view_lcores(&fake.config, &a);
	ports = json_object_get(v, "lcores");
	assert_int_equal(get_u64(json_array_get(ports, 1), "turns"), 1);
	assert_int_equal(get_u64(json_array_get(ports, 2), "turns"), 30);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lcores, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(
			clearing_leaves_the_counters_alone, fake_before, fake_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
