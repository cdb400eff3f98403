/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

static void *const no_pools[PORT_MAX];

static struct port_set *
start(void)
{
	const struct port_config c[] = {fake_config(0), fake_config(1)};
	char err[256];
	struct port_set *s = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));

	assert_non_null(s);
	return s;
}

static int
reset(void **state)
{
	(void)state;
	fake_reset();
	/* Promiscuous, so that no filter events come between. */
	fake_devs[0].mac_room = 0;
	fake_devs[1].mac_room = 0;
	return 0;
}

static void
expect_link(struct port_set *s, uint16_t port, bool up, base_ns_t at)
{
	struct port_event ev;

	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_LINK);
	assert_int_equal(ev.port_id, port);
	assert_int_equal(ev.link_up, up);
	assert_int_equal(ev.at, at);
}

static void
expect_no_event(struct port_set *s)
{
	struct port_event ev;

	assert_false(port_set_event(s, &ev));
}

static void
test_initial_state_is_no_event(void **state)
{
	struct port_info info;
	struct port_set *s;

	(void)state;
	fake_devs[1].link_up = false;
	s = start();
	port_set_info(s, 0, &info);
	assert_true(info.link_up);
	port_set_info(s, 1, &info);
	assert_false(info.link_up);
	assert_int_equal(info.link_speed_mbps, 0);
	port_set_turn(s, 1);
	expect_no_event(s);
	port_set_stop(s);
}

static void
test_flow(void **state)
{
	struct port_set *s = start();
	struct port_info info;

	(void)state;
	fake_devs[1].link_up = false;
	port_set_turn(s, 10);
	port_set_turn(s, 11);
	expect_link(s, 1, false, 10);
	expect_no_event(s);
	port_set_info(s, 1, &info);
	assert_false(info.link_up);
	assert_int_equal(info.link_changes, 1);

	fake_devs[1].link_up = true;
	fake_devs[0].link_up = false;
	port_set_turn(s, 20);
	expect_link(s, 0, false, 20);
	expect_link(s, 1, true, 20);
	expect_no_event(s);

	/* A change of speed alone is for information. */
	fake_devs[1].speed = 1000;
	port_set_turn(s, 30);
	expect_no_event(s);
	port_set_info(s, 1, &info);
	assert_int_equal(info.link_speed_mbps, 1000);
	assert_int_equal(info.link_changes, 2);
	fake_devs[1].speed = RTE_ETH_SPEED_NUM_UNKNOWN;
	port_set_turn(s, 40);
	port_set_info(s, 1, &info);
	assert_int_equal(info.link_speed_mbps, 0);
	port_set_stop(s);
}

/* What does not fit is not told one by one, but how things stand at the end is. */
static void
test_overflow(void **state)
{
	struct port_set *s = start();
	struct port_event ev;
	unsigned int n = 0;
	bool last = true;

	(void)state;
	for (base_ns_t t = 1; t <= PORT_EVENTS + 7; t++) {
		fake_devs[0].link_up = !fake_devs[0].link_up;
		port_set_turn(s, t);
	}
	fake_devs[1].link_up = false;
	port_set_turn(s, 1000);
	assert_false(fake_devs[0].link_up); /* an odd number of changes */
	for (; n < PORT_EVENTS; n++) {
		assert_true(port_set_event(s, &ev));
		assert_int_equal(ev.port_id, 0);
		assert_int_equal(ev.at, n + 1);
		last = ev.link_up;
	}
	assert_true(last);
	expect_link(s, 0, false, PORT_EVENTS + 7);
	expect_link(s, 1, false, 1000);
	expect_no_event(s);

	/* Filter outcomes as well. */
	for (base_ns_t t = 1; t <= PORT_EVENTS; t++) {
		fake_devs[0].link_up = !fake_devs[0].link_up;
		port_set_turn(s, 1000 + t);
	}
	port_set_reprogram(s, 1);
	port_set_turn(s, 2000);
	for (n = 0; n < PORT_EVENTS; n++)
		assert_true(port_set_event(s, &ev));
	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_int_equal(ev.port_id, 1);
	assert_int_equal(ev.at, 2000);
	expect_no_event(s);
	port_set_stop(s);
}

static void
test_interrupt(void **state)
{
	struct pollfd fd = {.events = POLLIN};
	struct port_info info;
	struct port_set *s;

	(void)state;
	fake_devs[0].dev_flags = RTE_ETH_DEV_INTR_LSC;
	fake_devs[1].dev_flags = RTE_ETH_DEV_INTR_LSC;
	s = start();
	port_set_info(s, 0, &info);
	assert_string_equal(info.link_source, "interrupt");
	assert_true(fake_devs[0].lsc_on);
	fd.fd = s->wake_fd;
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(
		fake_devs[0].lsc_cb(0, RTE_ETH_EVENT_INTR_LSC, fake_devs[0].event_arg, NULL), 0);
	assert_int_equal(poll(&fd, 1, 0), 1);
	port_set_stop(s);
	assert_null(fake_devs[0].lsc_cb);

	/* One of them cannot after all. */
	fake_devs[1].lsc_ret = -EINVAL;
	s = start();
	assert_false(fake_devs[1].lsc_on);
	port_set_info(s, 1, &info);
	assert_string_equal(info.link_source, "poll");
	port_set_stop(s);
}

/* With the interrupt on, the ethdev layer would answer what the last one left: it stays off. */
static void
test_deaf_interrupt(void **state)
{
	static const char *const drivers[] = {"net_e1000_em", "net_vmxnet3"};
	struct port_info info;
	struct port_set *s;

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(drivers); i++) {
		fake_devs[0].dev_flags = RTE_ETH_DEV_INTR_LSC;
		fake_devs[0].driver = drivers[i];
		s = start();
		port_set_info(s, 0, &info);
		assert_string_equal(info.link_source, "poll");
		assert_false(fake_devs[0].lsc_on);
		assert_null(fake_devs[0].lsc_cb);
		port_set_stop(s);
	}
}

static void
test_netdev(void **state)
{
	struct port_info info;
	struct port_set *s;

	(void)state;
	fake_devs[0].driver = "net_af_packet";
	fake_devs[0].if_index = 7;
	fake_devs[0].netdev_up = false;
	fake_devs[0].max_rxq = 1;
	fake_devs[0].max_txq = 1;
	/* One that reports its link well is left to do so. */
	fake_devs[1].driver = "net_tap";
	fake_devs[1].if_index = 8;
	s = start();
	port_set_info(s, 0, &info);
	assert_string_equal(info.link_source, "netdev");
	assert_false(info.link_up);
	port_set_info(s, 1, &info);
	assert_string_equal(info.link_source, "poll");
	assert_true(info.link_up);

	fake_devs[0].netdev_up = true;
	port_set_turn(s, 1);
	expect_link(s, 0, true, 1);
	/* It vanishes. */
	fake_devs[0].netdev_ret = -ENODEV;
	port_set_turn(s, 2);
	expect_link(s, 0, false, 2);
	port_set_stop(s);
}

#define FLIPS 20001

static void *
flip(void *arg)
{
	struct port_set *s = arg;

	for (base_ns_t t = 1; t <= FLIPS; t++) {
		fake_devs[0].link_up = !fake_devs[0].link_up;
		/* Speed and state have to be seen together. */
		fake_devs[0].speed = fake_devs[0].link_up ? 10000 : 0;
		port_set_turn(s, t);
	}
	return NULL;
}

/* One thread writes, another reads: never a mix of two states, and the last one arrives. */
static void
test_two_threads(void **state)
{
	struct port_set *s = start();
	struct port_info info = {0};
	struct port_event ev = {.link_up = true};
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, flip, s), 0);
	while (info.link_changes < FLIPS) {
		port_set_info(s, 0, &info);
		if (info.link_up != (info.link_changes % 2 == 0) ||
			info.link_speed_mbps != (info.link_up ? 10000 : 0))
			fail_msg("mixed: %d %u after %lu", info.link_up, info.link_speed_mbps,
				(unsigned long)info.link_changes);
		if (info.link_changes % 3 == 0)
			port_set_event(s, &ev);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	while (port_set_event(s, &ev))
		;
	assert_false(ev.link_up);
	assert_int_equal(ev.at, FLIPS);
	port_set_stop(s);
}

static void
test_watch_arguments(void **state)
{
	struct port_set *s = start();

	(void)state;
	assert_int_equal(port_set_watch(s, 0), -EINVAL);
	assert_int_equal(port_set_watch(s, 60001), -EINVAL);
	port_set_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_initial_state_is_no_event, reset),
		cmocka_unit_test_setup(test_flow, reset),
		cmocka_unit_test_setup(test_overflow, reset),
		cmocka_unit_test_setup(test_interrupt, reset),
		cmocka_unit_test_setup(test_deaf_interrupt, reset),
		cmocka_unit_test_setup(test_netdev, reset),
		cmocka_unit_test_setup(test_two_threads, reset),
		cmocka_unit_test_setup(test_watch_arguments, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
