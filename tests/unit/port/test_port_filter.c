/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compat_version.h"
#include "fake_dev.h"

static const uint8_t vmacs[4][BASE_MAC_LEN] = {
	{0x00, 0x00, 0x5e, 0x00, 0x01, 1},
	{0x00, 0x00, 0x5e, 0x00, 0x01, 2},
	{0x00, 0x00, 0x5e, 0x00, 0x01, 1},
	{0x00, 0x00, 0x5e, 0x00, 0x01, 3},
};
static void *const no_pools[PORT_MAX];

struct filter_case {
	const char *name;
	/* the device */
	unsigned int room;
	int mac_ret, promiscuous_ret, multicast_ret, allmulticast_ret;
	unsigned int if_index;
	int netdev_ret;
	bool promiscuous_before;
	/* expected */
	const char *says; /* the error; NULL: starts */
	enum port_vmac_mode mode;
	const char *reason, *multicast;
	bool promiscuous, netdev_promiscuous, allmulticast;
	/* where it matters: policy, max_mac_addrs, driver */
	enum port_vmac_policy policy;
	uint32_t max_macs;
	const char *driver;
};

#define NO	  -ENOTSUP
#define NO_FILTER "net_af_packet: mac_addr_add: not supported"
#define FILTER	  PORT_VMAC_FILTER
#define PROMISC	  PORT_VMAC_PROMISCUOUS
#define OPEN	  PORT_VMAC_UNFILTERED
#define REQUIRED  "net_fake0: no filter for the groups' MACs, and \"vmac-filter\" is \"require\": "

static const struct filter_case filter_cases[] = {
	{"can all", 8, NO, 0, 0, 0, 0, 0, false, NULL, FILTER, "", "list", false, false, false, 0,
		0, NULL},
	{"no filter", 0, NO, 0, 0, 0, 0, 0, false, NULL, PROMISC, NO_FILTER, "list", true, false,
		false, 0, 0, NULL},
	{"the third is too many", 2, -ENOSPC, 0, 0, 0, 0, 0, false, NULL, PROMISC,
		"net_af_packet: mac_addr_add: No space left on device after 2 of 3 addresses",
		"list", true, false, false, 0, 0, NULL},
	{"neither, and it may filter", 0, NO, NO, NO, NO, 0, 0, false,
		"net_fake0: no way to receive the groups' MACs: " NO_FILTER
		"; promiscuous mode: not supported",
		PROMISC, NULL, NULL, false, false, false, 0, 0, NULL},
	{"promiscuous fails", 0, NO, -EIO, 0, 0, 0, 0, false,
		"net_fake0: no way to receive the groups' MACs: " NO_FILTER
		"; promiscuous mode: Input/output error",
		PROMISC, NULL, NULL, false, false, false, 0, 0, NULL},
	{"no multicast list", 8, NO, 0, NO, 0, 0, 0, false, NULL, FILTER, "", "allmulticast", false,
		false, true, 0, 0, NULL},
	{"no multicast but promiscuous", 8, NO, 0, NO, NO, 0, 0, false, NULL, FILTER, "",
		"promiscuous", true, false, false, 0, 0, NULL},
	{"netdev: by a membership", 0, NO, 0, NO, NO, 7, 0, false, NULL, PROMISC, NO_FILTER,
		"promiscuous", false, true, false, 0, 0, NULL},
	{"netdev: membership refused", 0, NO, 0, NO, NO, 7, -EPERM, false, NULL, PROMISC, NO_FILTER,
		"promiscuous", true, false, false, 0, 0, NULL},
	{"was promiscuous before", 0, NO, 0, 0, 0, 0, 0, true, NULL, PROMISC, NO_FILTER, "list",
		true, false, false, 0, 0, NULL},
	{"neither, nothing there filters", 0, NO, NO, NO, NO, 0, 0, false, NULL, OPEN,
		"net_memif: mac_addr_add: not supported", "unfiltered", false, false, false, 0, 0,
		"net_memif"},
	{"no multicast at all", 8, NO, NO, NO, -EIO, 0, 0, false,
		"net_fake0: no way to receive multicast: all multicast: Input/output error; "
		"promiscuous mode: not supported",
		FILTER, NULL, NULL, false, false, false, 0, 0, NULL},
	{"fewer slots than vMACs", 8, NO, 0, 0, 0, 0, 0, false, NULL, PROMISC,
		"net_af_packet: 3 vMACs, 2 filter slots (max_mac_addrs 3)", "list", true, false,
		false, 0, 3, NULL},
	{"just enough slots", 8, NO, 0, 0, 0, 0, 0, false, NULL, FILTER, "", "list", false, false,
		false, 0, 4, NULL},
	{"slots not told", 8, NO, 0, 0, 0, 0, 0, false, NULL, FILTER, "", "list", false, false,
		false, 0, UINT32_MAX, NULL},
	{"a faulty filter is left alone", 8, NO, 0, 0, 0, 0, 0, false, NULL, PROMISC, NULL, "list",
		true, false, false, 0, 0, "net_i40e"},
	{"a faulty filter is required", 8, NO, 0, 0, 0, 0, 0, false, NULL, FILTER, "", "list",
		false, false, false, PORT_VMAC_REQUIRE, 0, "net_i40e"},
	{"required, there", 8, NO, 0, 0, 0, 0, 0, false, NULL, FILTER, "", "list", false, false,
		false, PORT_VMAC_REQUIRE, 0, NULL},
	{"required, refused", 0, NO, 0, 0, 0, 0, 0, false, REQUIRED NO_FILTER, FILTER, NULL, NULL,
		false, false, false, PORT_VMAC_REQUIRE, 0, NULL},
	{"required, too few", 8, NO, 0, 0, 0, 0, 0, false,
		REQUIRED "net_af_packet: 3 vMACs, 0 filter slots (max_mac_addrs 1)", FILTER, NULL,
		NULL, false, false, false, PORT_VMAC_REQUIRE, 1, NULL},
	{"required, nothing there filters", 0, NO, NO, NO, 0, 0, 0, false, NULL, OPEN,
		"net_ring: mac_addr_add: not supported", "allmulticast", false, false, true,
		PORT_VMAC_REQUIRE, 0, "net_ring"},
	{"not wanted", 8, NO, 0, 0, 0, 0, 0, false, NULL, PROMISC,
		"\"vmac-filter\" is \"promiscuous\"", "list", true, false, false,
		PORT_VMAC_NEVER_FILTER, 0, NULL},
	{"not wanted, nor anything else", 8, NO, NO, 0, 0, 0, 0, false,
		"net_fake0: no way to receive the groups' MACs: \"vmac-filter\" is "
		"\"promiscuous\"; promiscuous mode: not supported",
		PROMISC, NULL, NULL, false, false, false, PORT_VMAC_NEVER_FILTER, 0, NULL},
};

static struct port_set *
start(const struct filter_case *c, char *err, unsigned int err_len)
{
	struct port_config pc;

	fake_reset();
	fake_devs[0].driver = c->driver != NULL ? c->driver : "net_af_packet";
	if (c->max_macs != 0)
		fake_devs[0].max_macs = c->max_macs == UINT32_MAX ? 0 : c->max_macs;
	fake_devs[0].mac_room = c->room;
	fake_devs[0].mac_ret = c->mac_ret;
	fake_devs[0].promiscuous_ret = c->promiscuous_ret;
	fake_devs[0].multicast_ret = c->multicast_ret;
	fake_devs[0].allmulticast_ret = c->allmulticast_ret;
	fake_devs[0].if_index = c->if_index;
	fake_devs[0].netdev_promiscuous_ret = c->netdev_ret;
	fake_devs[0].promiscuous = c->promiscuous_before;
	pc = fake_config(0);
	pc.vmac_policy = c->policy;
	pc.n_vmacs = 4;
	pc.vmacs = vmacs;
	return port_set_start_ops(&fake_ops, &pc, 1, no_pools, err, err_len);
}

static void
test_apply_and_undo(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(filter_cases) / sizeof(filter_cases[0]); i++) {
		const struct filter_case *c = &filter_cases[i];
		struct port_info info;
		char err[256] = "";
		struct port_set *s;

		/* It is not faulty with every DPDK. */
		if (c->driver != NULL && strcmp(c->driver, "net_i40e") == 0 &&
			compat_dpdk_release() >= 2307)
			continue;
		s = start(c, err, sizeof(err));

		if ((s != NULL) != (c->says == NULL) ||
			(c->says != NULL && strcmp(err, c->says) != 0))
			fail_msg("%s: %s", c->name, err);
		if (s != NULL) {
			port_set_info(s, 0, &info);
			if (info.vmac_mode != c->mode ||
				(c->reason != NULL && strcmp(info.vmac_reason, c->reason) != 0) ||
				strcmp(info.multicast_mode, c->multicast) != 0)
				fail_msg("%s: %d, %s, %s", c->name, info.vmac_mode,
					info.vmac_reason, info.multicast_mode);
			/* The vMAC that was named twice is there once. */
			assert_int_equal(fake_devs[0].n_macs, c->mode == PORT_VMAC_FILTER ? 3 : 0);
			assert_int_equal(fake_devs[0].promiscuous, c->promiscuous);
			assert_int_equal(fake_devs[0].netdev_promiscuous, c->netdev_promiscuous);
			assert_int_equal(fake_devs[0].allmulticast, c->allmulticast);
		}
		port_set_stop(s);
		assert_int_equal(fake_devs[0].n_macs, 0);
		assert_int_equal(fake_devs[0].promiscuous, c->promiscuous_before);
		assert_false(fake_devs[0].netdev_promiscuous);
		assert_false(fake_devs[0].allmulticast);
		assert_false(fake_devs[0].multicast);
		assert_false(fake_devs[0].started);
	}
}

static void
test_nothing_wanted(void **state)
{
	struct port_config pc;
	struct port_info info;
	struct port_set *s;
	char err[256];

	(void)state;
	fake_reset();
	pc = fake_config(0);
	pc.n_vmacs = 0;
	pc.n_mcasts = 0;
	s = port_set_start_ops(&fake_ops, &pc, 1, no_pools, err, sizeof(err));
	assert_non_null(s);
	port_set_info(s, 0, &info);
	assert_string_equal(info.multicast_mode, "");
	assert_int_equal(info.vmac_mode, PORT_VMAC_FILTER);
	assert_false(fake_devs[0].promiscuous);
	assert_false(fake_devs[0].multicast);
	port_set_stop(s);
}

/* A driver that lost its filters gets them again, and is promiscuous meanwhile. */
static void
test_reprogram(void **state)
{
	struct port_event ev;
	char err[256];
	struct port_set *s = start(&filter_cases[0], err, sizeof(err));

	(void)state;
	assert_non_null(s);
	assert_int_equal(port_set_reprogram(s, 1), -EINVAL);
	fake_devs[0].n_mac_adds = 0;
	assert_int_equal(port_set_reprogram(s, 0), 0);
	assert_false(port_set_event(s, &ev)); /* the port thread's work */
	assert_int_equal(fake_devs[0].n_mac_adds, 0);
	port_set_turn(s, 5);
	assert_int_equal(fake_devs[0].n_mac_adds, 3);
	assert_int_equal(fake_devs[0].n_macs, 3);
	assert_int_equal(fake_devs[0].n_gaps, 0);
	assert_false(fake_devs[0].promiscuous);
	assert_true(fake_devs[0].multicast);
	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_true(ev.filter_ok);
	assert_string_equal(ev.reason, "");
	assert_int_equal(ev.at, 5);
	assert_false(port_set_event(s, &ev));
	port_set_turn(s, 6);
	assert_false(port_set_event(s, &ev));
	port_set_stop(s);
}

static void
test_reprogram_fails(void **state)
{
	struct port_info info;
	struct port_event ev;
	char err[256];
	struct port_set *s = start(&filter_cases[0], err, sizeof(err));

	(void)state;
	assert_non_null(s);
	/* It takes one now: promiscuous mode takes over, and stays. */
	fake_devs[0].mac_room = 1;
	fake_devs[0].mac_ret = -ENOSPC;
	port_set_reprogram(s, 0);
	port_set_turn(s, 5);
	assert_true(fake_devs[0].promiscuous);
	assert_int_equal(fake_devs[0].n_macs, 0);
	assert_int_equal(fake_devs[0].n_gaps, 0);
	assert_true(port_set_event(s, &ev));
	assert_true(ev.filter_ok);
	assert_string_equal(ev.reason,
		"net_af_packet: mac_addr_add: No space left on device after 1 of 3 addresses");
	port_set_info(s, 0, &info);
	assert_int_equal(info.vmac_mode, PORT_VMAC_PROMISCUOUS);
	assert_string_equal(info.vmac_reason, ev.reason);

	/* And if the device then loses that, it is said so. */
	fake_devs[0].promiscuous_ret = -EIO;
	port_set_reprogram(s, 0);
	port_set_turn(s, 6);
	assert_true(port_set_event(s, &ev));
	assert_false(ev.filter_ok);
	assert_string_equal(ev.reason, "net_fake0: promiscuous mode: Input/output error");

	/* It is tried again by itself, in silence until it works. */
	port_set_turn(s, 6 + BASE_NS_PER_S);
	assert_false(port_set_event(s, &ev));
	fake_devs[0].promiscuous_ret = 0;
	port_set_turn(s, 6 + 2 * BASE_NS_PER_S - 1);
	assert_false(port_set_event(s, &ev));
	port_set_turn(s, 6 + 2 * BASE_NS_PER_S);
	assert_true(port_set_event(s, &ev));
	assert_true(ev.filter_ok);
	port_set_turn(s, 6 + 9 * BASE_NS_PER_S);
	assert_false(port_set_event(s, &ev));
	port_set_stop(s);
}

/* Without promiscuous mode to fall back to, what is lost is told and not papered over. */
static void
test_reprogram_required(void **state)
{
	struct filter_case c = filter_cases[0];
	struct port_event ev;
	char err[256];
	struct port_set *s;

	(void)state;
	c.policy = PORT_VMAC_REQUIRE;
	s = start(&c, err, sizeof(err));
	assert_non_null(s);
	fake_devs[0].mac_room = 0;
	fake_devs[0].mac_ret = -EIO;
	port_set_reprogram(s, 0);
	port_set_turn(s, 5);
	assert_true(port_set_event(s, &ev));
	assert_false(ev.filter_ok);
	assert_string_equal(ev.reason, REQUIRED "net_af_packet: mac_addr_add: Input/output error");
	assert_false(fake_devs[0].promiscuous);
	fake_devs[0].mac_room = 8;
	port_set_turn(s, 5 + BASE_NS_PER_S);
	assert_true(port_set_event(s, &ev));
	assert_true(ev.filter_ok);
	assert_int_equal(fake_devs[0].n_macs, 3);
	assert_false(fake_devs[0].promiscuous);
	port_set_stop(s);
}

static void
test_reprogram_promiscuous(void **state)
{
	struct port_event ev;
	char err[256];
	/* By a membership: the kernel keeps it, nothing is touched. */
	struct port_set *s = start(&filter_cases[7], err, sizeof(err));

	(void)state;
	assert_non_null(s);
	port_set_reprogram(s, 0);
	port_set_turn(s, 5);
	assert_int_equal(fake_devs[0].n_gaps, 0);
	assert_true(fake_devs[0].netdev_promiscuous);
	assert_true(port_set_event(s, &ev));
	assert_true(ev.filter_ok);
	port_set_stop(s);

	/* At the device: off and on, since ethdev would not ask the driver otherwise. */
	s = start(&filter_cases[1], err, sizeof(err));
	assert_non_null(s);
	port_set_reprogram(s, 0);
	port_set_turn(s, 5);
	assert_true(fake_devs[0].promiscuous);
	assert_true(port_set_event(s, &ev));
	assert_true(ev.filter_ok);
	assert_string_equal(ev.reason, NO_FILTER);
	port_set_stop(s);
}

/* Filters come back with the link; the link is told first. */
static void
test_link_brings_filters(void **state)
{
	struct port_event ev;
	char err[256];
	struct port_set *s = start(&filter_cases[0], err, sizeof(err));

	(void)state;
	assert_non_null(s);
	fake_devs[0].link_up = false;
	port_set_turn(s, 1);
	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_LINK);
	assert_false(port_set_event(s, &ev));
	fake_devs[0].link_up = true;
	fake_devs[0].n_mac_adds = 0;
	port_set_turn(s, 2);
	assert_int_equal(fake_devs[0].n_mac_adds, 3);
	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_LINK);
	assert_true(ev.link_up);
	assert_true(port_set_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_true(ev.filter_ok);
	port_set_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply_and_undo),
		cmocka_unit_test(test_nothing_wanted),
		cmocka_unit_test(test_reprogram),
		cmocka_unit_test(test_reprogram_fails),
		cmocka_unit_test(test_reprogram_required),
		cmocka_unit_test(test_reprogram_promiscuous),
		cmocka_unit_test(test_link_brings_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
