/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What devices are to receive while another configuration is loaded, before and after it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_plan.h"
#include "devices.h"
#include "devices_change.h"
#include "fake_dev.h"

static void *const no_pools[PORT_MAX];

/* Two interfaces of a device each; groups by interface and vhid. */
static struct conf *
parse(const char *policy, const uint8_t (*groups)[2], unsigned int n)
{
	struct conf_issues issues;
	struct conf *conf;
	char text[2048];
	size_t at;

	at = (size_t)snprintf(text, sizeof(text),
		"{\"interfaces\": ["
		"{\"name\": \"em0\", \"device\": \"net_fake0\", \"vmac-filter\": \"%s\","
		" \"addresses\": [\"192.0.2.2/24\"]},"
		"{\"name\": \"em1\", \"device\": \"net_fake1\","
		" \"addresses\": [\"203.0.113.2/24\"]}],"
		"\"carp\": {\"groups\": [",
		policy);
	for (unsigned int i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"%s{\"name\": \"g%u\", \"carpdev\": \"em%u\", \"vhid\": %u, \"addresses\": "
			"[\"%s.%u/24\"]}",
			i == 0 ? "" : ",", groups[i][0] * 100u + groups[i][1], groups[i][0],
			groups[i][1], groups[i][0] == 0 ? "192.0.2" : "203.0.113",
			100u + groups[i][1]);
	snprintf(text + at, sizeof(text) - at, "]}}");
	conf = conf_parse(text, strlen(text), "t", 0, &issues);
	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	assert_non_null(conf);
	return conf;
}
#define GROUPS(policy, ...)                              \
	parse(policy, (const uint8_t[][2]){__VA_ARGS__}, \
		sizeof((const uint8_t[][2]){__VA_ARGS__}) / 2)

static struct port_set *
start(const struct conf *conf, uint32_t max_macs)
{
	struct port_set *s;
	struct devices d;
	char err[256];

	fake_reset();
	fake_devs[0].max_macs = max_macs;
	fake_devs[0].mac_room = max_macs - 1;
	assert_int_equal(devices_from_conf(conf, 1, &d), 0);
	for (uint16_t i = 0; i < d.n; i++)
		d.config[i].n_rx_desc = d.config[i].n_tx_desc = 1024;
	s = port_set_start_ops(&fake_ops, d.config, d.n, no_pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	assert_int_equal(port_set_watch(s, 1000), 0);
	devices_free(&d);
	return s;
}

/* The vhids that a device has filters for are these. */
static void
has(unsigned int dev, const uint8_t *vhids, unsigned int n)
{
	const struct fake_dev *d = &fake_devs[dev];

	assert_int_equal(d->n_macs, n);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int k = 0;

		while (k < n && d->macs[k][5] != vhids[i])
			k++;
		assert_int_not_equal(k, n);
	}
}
#define HAS(dev, ...) \
	has(dev, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
groups_are_heard_before_and_after(void **state)
{
	struct conf *now = GROUPS("auto", {0, 1}, {0, 2}, {1, 3});
	struct conf *next = GROUPS("auto", {1, 5}, {0, 4}, {0, 1});
	struct port_set *s = start(now, 64);
	char err[256];

	(void)state;
	assert_int_equal(conf_align(next, now), 0);
	HAS(0, 1, 2);
	assert_int_equal(devices_change_begin(s, now, next, err, sizeof(err)), 0);
	HAS(0, 1, 2, 4);
	HAS(1, 3, 5);
	/* it was not loaded after all */
	devices_change_end(s, now);
	HAS(0, 1, 2);
	HAS(1, 3);
	assert_int_equal(devices_change_begin(s, now, next, err, sizeof(err)), 0);
	devices_change_end(s, next);
	HAS(0, 1, 4);
	HAS(1, 5);
	assert_int_equal(fake_devs[0].n_gaps + fake_devs[1].n_gaps, 0);
	port_set_stop(s);
	conf_free(now);
	conf_free(next);
}

static void
slots_that_do_not_do_for_both(void **state)
{
	struct conf *now = GROUPS("require", {0, 1}, {0, 2});
	struct conf *next = GROUPS("require", {0, 1}, {0, 4}, {1, 5});
	struct conf *over = GROUPS("require", {0, 1}, {0, 4}, {0, 6}, {1, 7});
	struct port_set *s = start(now, 3);
	char err[256] = "";

	(void)state;
	assert_int_equal(conf_align(over, now), 0);
	assert_int_equal(devices_change_begin(s, now, over, err, sizeof(err)), -1);
	assert_string_equal(err,
		"net_fake0: no filter for the groups' MACs, and \"vmac-filter\" is \"require\": "
		"net_fake: 3 vMACs, 2 filter slots (max_mac_addrs 3)");
	HAS(0, 1, 2);
	assert_int_equal(fake_devs[1].n_macs, 0);
	assert_int_equal(conf_align(next, now), 0);
	assert_int_equal(devices_change_begin(s, now, next, err, sizeof(err)), 0);
	HAS(0, 1, 4);
	HAS(1, 5);
	devices_change_end(s, next);
	HAS(0, 1, 4);
	assert_false(fake_devs[0].promiscuous);
	port_set_stop(s);
	conf_free(now);
	conf_free(next);
	conf_free(over);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_heard_before_and_after),
		cmocka_unit_test(slots_that_do_not_do_for_both),
	};

	return cmocka_run_group_tests(tests, fake_eal_start, fake_eal_stop);
}
