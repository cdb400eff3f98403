/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"

static const char text[] =
	"{\"interfaces\": ["
	"{\"name\": \"em0\", \"device\": \"d0\", \"vmac-filter\": \"promiscuous\","
	" \"addresses\": [\"192.0.2.2/24\"]},"
	"{\"name\": \"em1\", \"device\": \"d1\", \"mtu\": 1400, \"addresses\": [\"203.0.113.2/24\"]},"
	"{\"name\": \"em0.10\", \"device\": \"d0\", \"vlan\": 10, \"mtu\": 9000,"
	" \"addresses\": [\"198.51.100.2/24\", \"2001:db8:1::2/64\"]},"
	"{\"name\": \"em0.20\", \"device\": \"d0\", \"vlan\": 20,"
	" \"addresses\": [\"10.0.0.2/24\", \"2001:db8:2::2/64\"]}],"
	"\"carp\": {\"groups\": ["
	"{\"name\": \"a\", \"carpdev\": \"em0\", \"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"]},"
	"{\"name\": \"b\", \"carpdev\": \"em0.10\", \"vhid\": 1, \"addresses\": [\"198.51.100.1/24\"]},"
	"{\"name\": \"c\", \"carpdev\": \"em0.20\", \"vhid\": 2, \"addresses\": [\"10.0.0.1/24\"]},"
	"{\"name\": \"d\", \"carpdev\": \"em0.20\", \"vhid\": 1, \"addresses\": [\"10.0.0.3/24\"]},"
	"{\"name\": \"e\", \"carpdev\": \"em1\", \"vhid\": 9, \"addresses\": [\"203.0.113.1/24\"]}]}}";

static void
interfaces_of_a_device_need_one_filter(void **state)
{
	static const uint8_t vmac1[6] = {0, 0, 0x5e, 0, 1, 1}, vmac2[6] = {0, 0, 0x5e, 0, 1, 2};
	static const uint8_t vmac9[6] = {0, 0, 0x5e, 0, 1, 9};
	struct conf_issues issues;
	struct conf *conf = conf_parse(text, strlen(text), "t", 0, &issues);
	const struct port_config *c;
	struct devices d;
	char names[64];

	(void)state;
	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	assert_non_null(conf);
	assert_int_equal(devices_from_conf(conf, 3, &d), 0);
	assert_int_equal(d.n, 2);

	c = &d.config[0];
	assert_string_equal(c->device, "d0");
	assert_string_equal(devices_names(conf, 0, names, sizeof(names)), "em0, em0.10, em0.20");
	assert_int_equal(c->mtu, 1500);
	assert_int_equal(c->vlan_mtu, 9000);
	assert_int_equal(c->n_workers, 3);
	assert_int_equal(c->vmac_policy, PORT_VMAC_NEVER_FILTER);
	/* vhid 1 three times is one MAC. */
	assert_int_equal(c->n_vmacs, 2);
	assert_memory_equal(c->vmacs[0], vmac1, 6);
	assert_memory_equal(c->vmacs[1], vmac2, 6);
	/* Adverts and queries of IPv4 and IPv6, and two solicited-node groups that are one. */
	assert_int_equal(c->n_mcasts, 5);
	for (uint16_t i = 0; i < c->n_mcasts; i++)
		for (uint16_t k = 0; k < i; k++)
			assert_memory_not_equal(c->mcasts[i], c->mcasts[k], 6);

	c = &d.config[1];
	assert_string_equal(c->device, "d1");
	assert_string_equal(devices_names(conf, 1, names, sizeof(names)), "em1");
	assert_int_equal(c->mtu, 1400);
	assert_int_equal(c->vlan_mtu, 0);
	assert_int_equal(c->vmac_policy, PORT_VMAC_AUTO);
	assert_int_equal(c->n_vmacs, 1);
	assert_memory_equal(c->vmacs[0], vmac9, 6);
	assert_int_equal(c->n_mcasts, 2);
	devices_free(&d);
	conf_free(conf);
}

static void
names_are_cut(void **state)
{
	struct conf_issues issues;
	struct conf *conf = conf_parse(text, strlen(text), "t", 0, &issues);
	char names[8];

	(void)state;
	conf_issues_free(&issues);
	assert_non_null(conf);
	assert_string_equal(devices_names(conf, 0, names, sizeof(names)), "em0, em");
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_of_a_device_need_one_filter),
		cmocka_unit_test(names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
