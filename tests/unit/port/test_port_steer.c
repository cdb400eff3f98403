/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A receive queue for adverts, ARP and neighbour discovery, where a device can tell them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

#define ALL  ((1u << PORT_STEER_COUNT) - 1)
#define CARP (1u << PORT_STEER_CARP4 | 1u << PORT_STEER_CARP6)

static char err[256];
static void *const no_pools[PORT_MAX];
static struct port_info info;

static int
reset(void **state)
{
	(void)state;
	fake_reset();
	err[0] = '\0';
	return 0;
}

static struct port_set *
start(uint16_t workers)
{
	struct port_config c = fake_config(0);
	struct port_set *s;

	c.n_rxq = workers;
	c.n_workers = workers;
	s = port_set_start_ops(&fake_ops, &c, 1, no_pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	assert_int_equal(port_set_info(s, 0, &info), 0);
	assert_true(fake_devs[0].started);
	assert_int_equal(fake_devs[0].n_rxq, info.n_rxq);
	return s;
}

/* The row of the table about it. */
static struct port_check
row(const struct port_set *s)
{
	struct port_check check[PORT_CHECKS_MAX];
	const unsigned int n = port_set_preflight(s, 0, check);

	for (unsigned int i = 0; i < n; i++)
		if (strcmp(check[i].key, "steering") == 0)
			return check[i];
	fail();
	return (struct port_check){0};
}

static void
a_device_that_can_has_a_queue_more(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = ALL;
	fake_devs[0].rss = RTE_ETH_RSS_IP;
	s = start(2);
	assert_int_equal(info.n_rxq, 3);
	assert_true(info.control_rxq);
	assert_int_equal(info.steered, ALL);
	assert_string_equal(info.steer_reason, "");
	assert_int_equal(fake_devs[0].steered, ALL);
	assert_int_equal(fake_devs[0].steer_queue, 2);
	/* Other flows keep to the workers' queues. */
	assert_true(fake_devs[0].rss_on);
	assert_int_equal(fake_devs[0].rss_first, 2);
	assert_int_equal(row(s).level, PORT_CHECK_OK);
	assert_string_equal(
		row(s).given, "IPv4 adverts, IPv6 adverts, ARP, solicitations, advertisements");
	port_set_stop(s);
}

static void
one_worker_has_one_too(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = ALL;
	s = start(1);
	assert_int_equal(info.n_rxq, 2);
	assert_int_equal(fake_devs[0].steer_queue, 1);
	assert_int_equal(fake_devs[0].rss_first, 0);
	port_set_stop(s);
}

static void
a_device_without_rules_is_as_it_was(void **state)
{
	struct port_set *s;

	(void)state;
	s = start(2);
	assert_int_equal(info.n_rxq, 2);
	assert_false(info.control_rxq);
	assert_int_equal(row(s).level, PORT_CHECK_NOTE);
	assert_string_equal(
		row(s).given, "none: the driver has no such rules: Function not implemented");
	assert_non_null(strstr(row(s).consequence, "rx_missed"));
	port_set_stop(s);
}

static void
some_rules_are_better_than_none(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = CARP;
	s = start(1);
	assert_int_equal(info.n_rxq, 2);
	assert_int_equal(info.steered, CARP);
	assert_int_equal(row(s).level, PORT_CHECK_NOTE);
	assert_string_equal(row(s).given,
		"IPv4 adverts, IPv6 adverts: the driver refused the others: Function not "
		"implemented");
	assert_non_null(strstr(row(s).consequence, "the others are lost"));
	port_set_stop(s);
}

/* A driver that says yes and then cannot, or has no queue for it, costs nothing. */
static void
promises_are_not_believed(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = ALL;
	fake_devs[0].steer_refused = ALL;
	s = start(2);
	assert_int_equal(info.n_rxq, 2);
	assert_int_equal(info.steered, 0);
	assert_string_equal(
		info.steer_reason, "the driver took the rules back: none could be made");
	port_set_stop(s);

	fake_reset();
	fake_devs[0].steer_kinds = ALL;
	fake_devs[0].max_rxq = 3;
	fake_devs[0].refuse_last_queue = true;
	s = start(2);
	assert_int_equal(info.n_rxq, 2);
	assert_string_equal(
		info.steer_reason, "the driver took the rules back: No space left on device");
	port_set_stop(s);

	fake_reset();
	fake_devs[0].steer_kinds = ALL;
	fake_devs[0].max_rxq = 2;
	s = start(2);
	assert_int_equal(info.n_rxq, 2);
	assert_string_equal(info.steer_reason, "no receive queue is left for them");
	port_set_stop(s);
}

/* A driver that needs as many queues of each kind keeps its pairs. */
static void
pairs_are_kept(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].driver = "net_tap";
	fake_devs[0].want_pairs = true;
	fake_devs[0].steer_kinds = ALL;
	s = start(1);
	assert_int_equal(info.n_rxq, 1);
	assert_int_equal(info.n_txq, 1);
	assert_false(info.control_rxq);
	port_set_stop(s);
}

static void
rules_come_back_with_the_device(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = ALL;
	s = start(1);
	for (unsigned int i = 0; i < 2; i++) {
		fake_event(0, RTE_ETH_EVENT_INTR_RESET);
		port_set_turn(s, (4 * i + 1) * BASE_NS_PER_S);
		fake_devs[0].steered = 0;
		fake_devs[0].steer_refused = i == 0 ? 0 : CARP;
		port_set_detached(s, 0);
		port_set_turn(s, (4 * i + 3) * BASE_NS_PER_S);
		assert_true(fake_devs[0].started);
		assert_int_equal(fake_devs[0].n_rxq, 2);
		assert_int_equal(fake_devs[0].steered, i == 0 ? ALL : ALL & ~CARP);
		assert_int_equal(fake_devs[0].steer_queue, 1);
		assert_int_equal(port_set_info(s, 0, &info), 0);
		assert_int_equal(info.steered, fake_devs[0].steered);
	}
	assert_int_equal(row(s).level, PORT_CHECK_NOTE);
	port_set_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, reset)
		T(a_device_that_can_has_a_queue_more),
		T(one_worker_has_one_too),
		T(a_device_without_rules_is_as_it_was),
		T(some_rules_are_better_than_none),
		T(promises_are_not_believed),
		T(pairs_are_kept),
		T(rules_come_back_with_the_device),
#undef T
	};

	return cmocka_run_group_tests_name("port_steer", tests, NULL, NULL);
}
