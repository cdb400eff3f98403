/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The preflight table, before the start and after it, and what is known of drivers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

static struct port_check rows[PORT_CHECKS_MAX];
static unsigned int n_rows;
static void *const no_pools[PORT_MAX];

static struct port_facts
facts(const char *driver, unsigned int release, uint32_t max_macs)
{
	struct port_facts f = {
		.release = release,
		.max_rxq = 8,
		.max_txq = 8,
		.min_mtu = 68,
		.max_mtu = 9000,
		.rx_desc = {.nb_max = 4096, .nb_align = 1},
		.tx_desc = {.nb_max = 4096, .nb_min = 512, .nb_align = 32},
		.max_macs = max_macs,
		.lsc = true,
		.n_rxq = 2,
		.n_workers = 2,
		.n_rx_desc = 1024,
		.n_tx_desc = 1000,
		.mtu = 1500,
		.n_vmacs = 3,
		.n_mcasts = 2,
	};

	snprintf(f.driver, sizeof(f.driver), "%s", driver);
	return f;
}

static void
table(const struct port_facts *f, const struct port_info *got)
{
	n_rows = port_preflight_rows(f, got, "interrupt", rows);
	assert_in_range(n_rows, 1, PORT_CHECKS_MAX - 1);
}

static const struct port_check none = {.need = "no such row"};

/* The n-th row with a key; &none when there is none. */
static const struct port_check *
row(const char *key, unsigned int n)
{
	for (unsigned int i = 0; i < n_rows; i++)
		if (strcmp(rows[i].key, key) == 0 && n-- == 0)
			return &rows[i];
	return &none;
}

static void
expect(const char *key, unsigned int n, enum port_check_level level, const char *given,
	const char *consequence)
{
	const struct port_check *r = row(key, n);

	assert_ptr_not_equal(r, &none);
	if (r->level != level || strcmp(r->given, given) != 0 ||
		strcmp(r->consequence, consequence) != 0)
		fail_msg("%s: %s: %s -> %s", key, port_check_level_name(r->level), r->given,
			r->consequence);
}

static void
test_capacity_before_start(void **state)
{
	struct port_facts f = facts("net_x", 2211, 4);

	(void)state;
	table(&f, NULL);
	assert_string_equal(row("vmac", 0)->need, "frames to 3 vMACs");
	expect("vmac", 0, PORT_CHECK_OK, "3 filter slots (max_mac_addrs 4)",
		"a filter slot for each vMAC");
	f.max_macs = 2;
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_NOTE, "1 filter slot (max_mac_addrs 2)",
		"promiscuous mode and the software gate");
	f.policy = PORT_VMAC_REQUIRE;
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_FAIL, "1 filter slot (max_mac_addrs 2)",
		"refused: \"vmac-filter\" is \"require\"");
	/* One that filters nothing does for it, and is not asked for promiscuous mode. */
	snprintf(f.driver, sizeof(f.driver), "net_memif");
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_NOTE, "1 filter slot (max_mac_addrs 2)",
		"every frame arrives, the software gate decides");
	snprintf(f.driver, sizeof(f.driver), "net_x");
	f.max_macs = 0;
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_OK, "number of filter slots not told",
		"a filter slot for each vMAC");
	f.policy = PORT_VMAC_NEVER_FILTER;
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_OK, "number of filter slots not told",
		"promiscuous mode and the software gate, as configured");
	f.n_vmacs = 0;
	table(&f, NULL);
	expect("vmac", 0, PORT_CHECK_OK, "number of filter slots not told", "no group here");
}

static void
test_limits(void **state)
{
	struct port_facts f = facts("net_x", 2211, 4);

	(void)state;
	table(&f, NULL);
	expect("descriptors", 0, PORT_CHECK_NOTE, "0 to 4096 by 1, 512 to 4096 by 32",
		"1024 and 1024 are used");
	expect("queues", 0, PORT_CHECK_OK, "at most 8 and 8", "");
	expect("mtu", 0, PORT_CHECK_OK, "68 to 9000", "");
	expect("removal", 0, PORT_CHECK_NOTE, "the driver does not tell",
		"PCI tells of it; elsewhere a device that goes is a link that goes, if the "
		"driver sees that");
	f.max_txq = 2;
	f.rmv = true;
	f.mtu = 9001;
	f.n_tx_desc = 64;
	table(&f, NULL);
	expect("queues", 0, PORT_CHECK_NOTE, "at most 8 and 2",
		"adverts go by a worker's queue, ahead of its own frames");
	expect("mtu", 0, PORT_CHECK_FAIL, "68 to 9000", "refused");
	expect("removal", 0, PORT_CHECK_OK, "interrupt", "");
	expect("descriptors", 0, PORT_CHECK_NOTE, "0 to 4096 by 1, 512 to 4096 by 32",
		"1024 and 512 are used");
	f.vlan_mtu = 1500;
	table(&f, NULL);
	expect("vlan", 0, PORT_CHECK_NOTE, "neither", "koi does both itself");
	f.vlan_strip = true;
	table(&f, NULL);
	expect("vlan", 0, PORT_CHECK_NOTE, "out of them", "koi does the other itself");
	f.vlan_insert = true;
	table(&f, NULL);
	expect("vlan", 0, PORT_CHECK_OK, "both", "");
	f.max_rxq = 1;
	table(&f, NULL);
	expect("queues", 0, PORT_CHECK_NOTE, "at most 1 and 2",
		"workers share queues; frames are handed over between them");
}

/* Known faults come and go with the release and with what the driver can. */
static void
test_faults(void **state)
{
	struct port_facts f = facts("net_i40e", 2211, 64);

	(void)state;
	table(&f, NULL);
	assert_true(port_facts_prunes(&f));
	expect("vmac", 0, PORT_CHECK_NOTE, "63 filter slots (max_mac_addrs 64)",
		"promiscuous mode and the software gate");
	assert_string_equal(row("vmac", 1)->need, "known of net_i40e before DPDK 23.07");
	assert_int_equal(row("vmac", 1)->level, PORT_CHECK_WARN);
	f.release = 2307;
	table(&f, NULL);
	assert_false(port_facts_prunes(&f));
	assert_ptr_equal(row("vmac", 1), &none);

	f = facts("net_ice", 2411, 64);
	assert_true(port_facts_prunes(&f));
	f.release = 2503;
	assert_false(port_facts_prunes(&f));
	/* Stable releases got the cure later: Debian 12's has it. */
	f.release = 2211;
	f.point = 7;
	assert_true(port_facts_prunes(&f));
	f.point = 8;
	assert_false(port_facts_prunes(&f));
	table(&f, NULL);
	assert_ptr_equal(row("vmac", 1), &none);
	f.release = 2411;
	f.point = 1;
	assert_true(port_facts_prunes(&f));
	f.point = 2;
	assert_false(port_facts_prunes(&f));
	f.release = 2311;
	f.point = 9;
	assert_true(port_facts_prunes(&f));
	/* That of one driver is none of another's. */
	f = facts("net_i40e", 2211, 64);
	f.point = 11;
	assert_true(port_facts_prunes(&f));

	/* Its link is real since 24.11. */
	f = facts("net_af_packet", 2211, 1);
	table(&f, NULL);
	assert_string_equal(row("link", 1)->given, "the driver's link is always up");
	f.release = 2411;
	table(&f, NULL);
	assert_ptr_equal(row("link", 1), &none);

	/* With the patched driver its gaps are gone. */
	f = facts("net_af_packet", 2211, 1);
	table(&f, NULL);
	assert_ptr_not_equal(row("frames", 0), &none);
	f.max_macs = 64;
	table(&f, NULL);
	assert_ptr_equal(row("frames", 0), &none);
	assert_ptr_equal(row("transmit", 0), &none);

	f = facts("net_vmxnet3", 2411, 1);
	table(&f, NULL);
	assert_ptr_not_equal(row("multicast", 1), &none);
	assert_string_equal(row("multicast", 1)->need, "known of net_vmxnet3");
}

static void
test_of_devices(void **state)
{
	struct port_config c = fake_config(0);
	struct port_set *s;
	char err[256] = "";
	int n;

	(void)state;
	fake_reset();
	fake_devs[0].driver = "net_vmxnet3";
	fake_devs[0].max_macs = 1;
	fake_devs[0].multicast_ret = -ENOTSUP;
	n = port_preflight_ops(&fake_ops, &c, rows, err, sizeof(err));
	assert_true(n > 0);
	n_rows = (unsigned int)n;
	expect("vmac", 0, PORT_CHECK_NOTE, "0 filter slots (max_mac_addrs 1)",
		"promiscuous mode and the software gate");
	expect("multicast", 0, PORT_CHECK_OK, "known when it is tried",
		"a list, else all multicast, else promiscuous mode");
	/* Nothing was done to it. */
	assert_false(fake_devs[0].configured);
	assert_int_equal(fake_devs[0].n_mac_adds, 0);

	s = port_set_start_ops(&fake_ops, &c, 1, no_pools, err, sizeof(err));
	assert_non_null(s);
	n_rows = port_set_preflight(s, 0, rows);
	expect("vmac", 0, PORT_CHECK_NOTE, "0 filter slots (max_mac_addrs 1)",
		"promiscuous mode and the software gate: net_vmxnet3: 1 vMAC, 0 filter slots "
		"(max_mac_addrs 1)");
	expect("multicast", 0, PORT_CHECK_NOTE, "allmulticast", "more frames than needed arrive");
	expect("link", 0, PORT_CHECK_OK, "poll",
		"the link is read again and again, without waiting");
	assert_int_equal(fake_devs[0].n_mac_adds, 0);
	assert_int_equal(port_set_preflight(s, 1, rows), 0);
	port_set_stop(s);

	snprintf(c.device, sizeof(c.device), "net_none");
	assert_int_equal(port_preflight_ops(&fake_ops, &c, rows, err, sizeof(err)), -ENODEV);
	assert_string_equal(err, "net_none: no such device");
	c = fake_config(0);
	fake_devs[0].info_ret = -EIO;
	assert_int_equal(port_preflight_ops(&fake_ops, &c, rows, err, sizeof(err)), -EIO);
	assert_string_equal(err, "net_fake0: ask the driver: Input/output error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capacity_before_start),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_of_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
