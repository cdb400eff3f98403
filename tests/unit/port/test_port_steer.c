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

#define ALL	   ((1u << PORT_STEER_COUNT) - 1)
#define CARP	   (1u << PORT_STEER_CARP4 | 1u << PORT_STEER_CARP6)
#define TAGGED(of) ((of) << 8)

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
start_with(uint16_t workers, uint16_t vlan_mtu)
{
	struct port_config c = fake_config(0);
	struct port_set *s;

	c.vlan_mtu = vlan_mtu;
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

static struct port_set *
start(uint16_t workers)
{
	return start_with(workers, 0);
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

/* Frames with a tag are told by rules of their own, where the device has such interfaces. */
static void
tagged_frames_have_rules_of_their_own(void **state)
{
	static const struct {
		uint16_t can, steered;
		enum port_check_level level;
		const char *given;
	} cases[] = {
		{ALL | TAGGED(ALL), ALL | TAGGED(ALL), PORT_CHECK_OK,
			"IPv4 adverts, IPv6 adverts, ARP, solicitations, advertisements, tagged "
			"ones too"},
		{ALL, ALL, PORT_CHECK_NOTE,
			"IPv4 adverts, IPv6 adverts, ARP, solicitations, advertisements: the "
			"driver refused the others: Function not implemented"},
		{CARP | TAGGED(1u << PORT_STEER_ARP), CARP | TAGGED(1u << PORT_STEER_ARP),
			PORT_CHECK_NOTE,
			"IPv4 adverts, IPv6 adverts; tagged: ARP: the driver refused the others: "
			"Function not implemented"},
		{TAGGED(CARP), TAGGED(CARP), PORT_CHECK_NOTE,
			"tagged: IPv4 adverts, IPv6 adverts: the driver refused the others: "
			"Function not implemented"},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct port_set *s;

		fake_reset();
		fake_devs[0].steer_kinds = cases[i].can;
		s = start_with(1, 1500);
		assert_int_equal(info.steered, cases[i].steered);
		assert_int_equal(fake_devs[0].steered, cases[i].steered);
		assert_int_equal(row(s).level, cases[i].level);
		assert_string_equal(row(s).given, cases[i].given);
		port_set_stop(s);
	}
}

static void
without_tagged_interfaces_there_are_no_rules_for_them(void **state)
{
	struct port_set *s;

	(void)state;
	fake_devs[0].steer_kinds = ALL | TAGGED(ALL);
	s = start(1);
	assert_int_equal(info.steered, ALL);
	assert_int_equal(fake_devs[0].steered, ALL);
	assert_int_equal(row(s).level, PORT_CHECK_OK);
	port_set_stop(s);
}

/* What the drivers are asked for, item by item. */
static void
patterns_name_what_a_frame_is_made_of(void **state)
{
	enum {
		E = RTE_FLOW_ITEM_TYPE_ETH,
		V = RTE_FLOW_ITEM_TYPE_VLAN,
		I4 = RTE_FLOW_ITEM_TYPE_IPV4,
		I6 = RTE_FLOW_ITEM_TYPE_IPV6,
		END = RTE_FLOW_ITEM_TYPE_END
	};
	static const int inner[PORT_STEER_COUNT][3] = {
		[PORT_STEER_CARP4] = {I4, END},
		[PORT_STEER_CARP6] = {I6, END},
		[PORT_STEER_ARP] = {END},
		[PORT_STEER_NS] = {I6, RTE_FLOW_ITEM_TYPE_ICMP6_ND_NS, END},
		[PORT_STEER_NA] = {I6, RTE_FLOW_ITEM_TYPE_ICMP6_ND_NA, END},
	};

	(void)state;
	for (unsigned int k = 0; k < 2 * PORT_STEER_COUNT; k++) {
		const enum port_steer what = (enum port_steer)(k % PORT_STEER_COUNT);
		const bool tagged = k >= PORT_STEER_COUNT;
		struct rte_flow_item items[PORT_STEER_ITEMS];
		unsigned int at = 0;

		port_steer_pattern(what, tagged, items);
		assert_int_equal(items[at++].type, E);
		if (tagged)
			assert_int_equal(items[at++].type, V);
		/* the type of ARP is in whatever comes right before it */
		for (unsigned int i = 0; i < at; i++)
			assert_int_equal(
				items[i].spec != NULL, what == PORT_STEER_ARP && i == at - 1);
		for (unsigned int i = 0; i == 0 || inner[what][i - 1] != END; i++)
			assert_int_equal(items[at + i].type, inner[what][i]);
		if (what == PORT_STEER_CARP4 || what == PORT_STEER_CARP6) {
			const unsigned int proto = what == PORT_STEER_CARP4
				? ((const struct rte_flow_item_ipv4 *)items[at].spec)
					  ->hdr.next_proto_id
				: ((const struct rte_flow_item_ipv6 *)items[at].spec)->hdr.proto;

			assert_int_equal(proto, 112);
		}
	}
	/* as bytes on the wire */
	{
		struct rte_flow_item items[PORT_STEER_ITEMS];

		port_steer_pattern(PORT_STEER_ARP, false, items);
		assert_memory_equal((const uint8_t *)items[0].spec + 12, "\x08\x06", 2);
		assert_memory_equal((const uint8_t *)items[0].mask + 12, "\xff\xff", 2);
		port_steer_pattern(PORT_STEER_ARP, true, items);
		assert_memory_equal(items[1].spec, "\0\0\x08\x06", 4);
		assert_memory_equal(items[1].mask, "\0\0\xff\xff", 4);
	}
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
		T(tagged_frames_have_rules_of_their_own),
		T(without_tagged_interfaces_there_are_no_rules_for_them),
		T(patterns_name_what_a_frame_is_made_of),
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
