/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Devices that ask for a reset, go, and come back. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

#define S BASE_NS_PER_S

static void *const no_pools[PORT_MAX];
static struct port_set *s;

static int
setup(void **state)
{
	struct port_config c[2];
	char err[256] = "";

	(void)state;
	fake_reset();
	c[0] = fake_config(0);
	c[1] = fake_config(1);
	s = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	port_set_stop(s);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(fake_devs[i].n_events, 0);
		assert_int_equal(fake_devs[i].n_macs, 0);
		assert_false(fake_devs[i].started);
	}
	return 0;
}

static void
expect_link(uint16_t port, bool up)
{
	struct port_event ev;

	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_LINK);
	assert_int_equal(ev.port_id, port);
	assert_int_equal(ev.link_up, up);
}

static void
expect_device(uint16_t port, bool attached, const char *reason)
{
	struct port_event ev;

	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_DEVICE);
	assert_int_equal(ev.port_id, port);
	assert_int_equal(ev.attached, attached);
	assert_string_equal(ev.reason, reason);
}

static void
expect_filter(uint16_t port, bool ok)
{
	struct port_event ev;

	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_int_equal(ev.port_id, port);
	assert_int_equal(ev.filter_ok, ok);
}

static void
expect_nothing(void)
{
	struct port_event ev;

	assert_false(port_set_event(s, &ev));
}

static void
expect_out(uint16_t i, const char *reason)
{
	struct port_info info;

	assert_int_equal(port_set_info(s, i, &info), 0);
	assert_string_equal(info.out_of_service, reason);
	if (reason[0] != '\0')
		assert_false(info.link_up);
}

static void
test_reset(void **state)
{
	struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};

	(void)state;
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	assert_int_equal(poll(&fd, 1, 0), 1);
	port_set_turn(s, 1 * S);
	/* It has no link, whatever it says; and it is left alone until the lcores have. */
	expect_link(0, false);
	expect_device(0, false, "the device asked for a reset");
	port_set_turn(s, 2 * S);
	expect_nothing();
	assert_int_equal(fake_devs[0].n_resets, 0);
	assert_true(fake_devs[0].started);
	expect_out(0, "the device asked for a reset");

	port_set_detached(s, 0);
	port_set_turn(s, 3 * S);
	assert_int_equal(fake_devs[0].n_resets, 1);
	assert_true(fake_devs[0].started);
	assert_int_equal(fake_devs[0].n_macs, 1);
	assert_true(fake_devs[0].multicast);
	assert_false(fake_devs[0].promiscuous);
	assert_int_equal(fake_devs[0].n_rxq, 1);
	assert_int_equal(fake_devs[0].n_txq, 2);
	assert_int_equal(fake_devs[0].n_rx_desc, 1024);
	expect_device(0, true, "");
	expect_filter(0, true);
	expect_link(0, true);
	expect_nothing();
	expect_out(0, "");
	/* The other one was not touched. */
	assert_int_equal(fake_devs[1].n_mac_adds, 1);

	/* And again. */
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	port_set_turn(s, 4 * S);
	expect_link(0, false);
	expect_device(0, false, "the device asked for a reset");
	port_set_detached(s, 0);
	port_set_turn(s, 5 * S);
	assert_int_equal(fake_devs[0].n_resets, 2);
	expect_device(0, true, "");
}

/* A driver that has no reset is stopped and started. */
static void
test_reset_not_supported(void **state)
{
	(void)state;
	fake_devs[0].reset_ret = -ENOTSUP;
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	port_set_turn(s, 1 * S);
	port_set_detached(s, 0);
	port_set_turn(s, 2 * S);
	assert_true(fake_devs[0].started);
	assert_int_equal(fake_devs[0].n_macs, 1);
	expect_out(0, "");
}

static void
test_reset_fails_for_a_while(void **state)
{
	base_ns_t at = 10 * S;

	(void)state;
	fake_devs[0].reset_ret = -EAGAIN;
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	port_set_turn(s, at);
	port_set_detached(s, 0);
	port_set_turn(s, at);
	assert_int_equal(fake_devs[0].n_resets, 1);
	expect_out(0, "reset: Resource temporarily unavailable");
	/* Tried after 1, 2, 4 s. */
	for (unsigned int k = 0; k < 3; k++) {
		at += (S << k) - 1;
		port_set_turn(s, at);
		assert_int_equal(fake_devs[0].n_resets, 1 + k);
		at++;
		port_set_turn(s, at);
		assert_int_equal(fake_devs[0].n_resets, 2 + k);
	}
	/* It resets, and then does not start. */
	fake_devs[0].reset_ret = 0;
	fake_devs[0].start_ret = -EIO;
	at += 8 * S;
	port_set_turn(s, at);
	expect_out(0, "net_fake0: start with 1 receive and 2 transmit queues: Input/output error");
	expect_link(0, false);
	expect_device(0, false, "the device asked for a reset");
	expect_nothing();
	fake_devs[0].start_ret = 0;
	at += 16 * S;
	port_set_turn(s, at);
	expect_out(0, "");
	expect_device(0, true, "");
	expect_filter(0, true);
	expect_link(0, true);
}

static void
test_removed_and_back(void **state)
{
	struct port_stats st;

	(void)state;
	fake_devs[0].probe_ret = -ENODEV;
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 1 * S);
	expect_link(0, false);
	expect_device(0, false, "the device was removed");
	port_set_turn(s, 2 * S);
	assert_int_equal(fake_devs[0].n_removes, 0);
	port_set_detached(s, 0);
	port_set_turn(s, 3 * S);
	assert_int_equal(fake_devs[0].n_removes, 1);
	expect_out(0, "the device was removed and is not back");
	port_set_turn(s, 4 * S);
	assert_int_equal(fake_devs[0].n_removes, 1);
	expect_nothing();
	(void)port_set_stats(s, 0, &st);

	fake_devs[0].probe_ret = 0;
	fake_devs[0].link_up = false;
	port_set_turn(s, 6 * S);
	assert_int_equal(fake_devs[0].n_probes, 1);
	assert_true(fake_devs[0].started);
	assert_int_equal(fake_devs[0].n_macs, 1);
	assert_true(fake_devs[0].multicast);
	expect_out(0, "");
	expect_device(0, true, "");
	expect_filter(0, true);
	expect_nothing(); /* no cable yet */
	fake_devs[0].link_up = true;
	port_set_turn(s, 7 * S);
	expect_link(0, true);
	/* Its events are heard again. */
	assert_int_not_equal(fake_devs[0].n_events, 0);
}

/* What does not come back is let go of at the end, once. */
static void
test_removed_for_good(void **state)
{
	(void)state;
	fake_devs[0].probe_ret = -ENODEV;
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 1 * S);
	port_set_detached(s, 0);
	port_set_turn(s, 2 * S);
	port_set_stop(s);
	assert_false(fake_devs[0].closed);
	assert_true(fake_devs[1].closed);
	assert_int_equal(fake_devs[0].n_removes, 1);
	s = NULL;
}

/* Two that went may come back with their numbers exchanged: nobody would poll the right one. */
static void
test_back_as_another(void **state)
{
	(void)state;
	fake_devs[0].probe_ret = -ENODEV;
	fake_devs[1].probe_ret = -ENODEV;
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	fake_event(1, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 1 * S);
	port_set_detached(s, 0);
	port_set_detached(s, 1);
	port_set_turn(s, 2 * S);
	assert_int_equal(fake_devs[1].n_removes, 1);
	/* The second one is there before the first. */
	fake_devs[0].probe_ret = 0;
	s->dev[0].repair_at = BASE_NS_NEVER;
	port_set_turn(s, 3 * S);
	expect_out(1, "the device came back as port 0, it was 1: restart koi");
	assert_null(fake_devs[0].name);
	expect_out(0, "the device was removed and is not back");
}

static void
test_removed_while_it_is_reset(void **state)
{
	(void)state;
	fake_devs[0].reset_ret = -EIO;
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	port_set_turn(s, 1 * S);
	port_set_detached(s, 0);
	port_set_turn(s, 2 * S);
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 3 * S);
	assert_int_equal(fake_devs[0].n_removes, 1);
	assert_int_equal(fake_devs[0].n_probes, 1);
	expect_out(0, "");
}

/* A removal that is told twice is one: what is left of it does not hit the device that is back. */
static int
tell_again(uint16_t id, enum fake_op op)
{
	if (op == FAKE_OP_REMOVE)
		port_device_event(id, RTE_ETH_EVENT_INTR_RMV, s, NULL);
	return 0;
}

static void
test_removal_told_twice(void **state)
{
	(void)state;
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 1 * S);
	expect_link(0, false);
	expect_device(0, false, "the device was removed");
	port_set_detached(s, 0);
	fake_hook = tell_again;
	port_set_turn(s, 2 * S);
	fake_hook = NULL;
	expect_device(0, true, "");
	expect_filter(0, true);
	expect_link(0, true);
	port_set_turn(s, 3 * S);
	expect_nothing();
	expect_out(0, "");
}

/* DPDK's interrupt thread is in the callback just then: it must not find a set that is gone. */
static void
test_stop_while_told(void **state)
{
	(void)state;
	fake_devs[0].callback_runs = 3;
	/* teardown stops, and finds no callback left */
}

/* It is back and deaf: told before its link, so that nobody takes it for healthy. */
static void
test_back_and_deaf(void **state)
{
	(void)state;
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	port_set_turn(s, 1 * S);
	expect_link(0, false);
	expect_device(0, false, "the device asked for a reset");
	fake_devs[0].mac_room = 0;
	fake_devs[0].mac_ret = -EIO;
	fake_devs[0].promiscuous_ret = -EIO;
	port_set_detached(s, 0);
	port_set_turn(s, 2 * S);
	expect_device(0, true, "");
	expect_filter(0, false);
	expect_link(0, true);
	fake_devs[0].promiscuous_ret = 0;
	port_set_turn(s, 3 * S);
	expect_filter(0, true);
	expect_nothing();
}

/* Where the ring is full, how things stand is told all the same. */
static void
test_overflow(void **state)
{
	struct port_event ev;

	(void)state;
	for (base_ns_t t = 1; t <= PORT_EVENTS; t++) {
		fake_devs[1].link_up = !fake_devs[1].link_up;
		port_set_turn(s, t);
	}
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	port_set_turn(s, 1 * S);
	while (port_set_event(s, &ev) && ev.port_id == 1)
		;
	assert_int_equal(ev.type, PORT_EV_DEVICE);
	assert_false(ev.attached);
	expect_link(0, false);
	while (port_set_event(s, &ev))
		assert_int_equal(ev.port_id, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_reset),
		T(test_reset_not_supported),
		T(test_reset_fails_for_a_while),
		T(test_removed_and_back),
		T(test_removed_for_good),
		T(test_back_as_another),
		T(test_removed_while_it_is_reset),
		T(test_removal_told_twice),
		T(test_stop_while_told),
		T(test_back_and_deaf),
		T(test_overflow),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
