/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <unistd.h>

#include "conf_cases.h"

static struct conf *
parse(const char *text, unsigned int flags, unsigned int warnings)
{
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", flags, &issues);

	if (issues.n_errors != 0 || issues.n_warnings != warnings)
		fail_msg("%s", conf_case_lines(&issues));
	conf_issues_free(&issues);
	assert_non_null(c);
	return c;
}

static void
assert_prefix(const struct base_prefix *p, const char *expected)
{
	char buf[CONF_ADDR_STR];

	assert_string_equal(conf_prefix_str(p, buf), expected);
}

static void
assert_key(const uint8_t key[AUTH_KEY_LEN], const char *bytes, size_t len)
{
	uint8_t expected[AUTH_KEY_LEN] = {0};

	memcpy(expected, bytes, len);
	assert_memory_equal(key, expected, AUTH_KEY_LEN);
}

static void
every_field_is_stored(void **state)
{
	static const char text[] =
		"{\n"
		"  \"node\": \"fw1\",\n"
		"  \"eal\": [\"--no-pci\", \"--vdev=net_af_packet0,iface=em0\"],\n"
		"  \"lcores\": {\"control\": 0, \"workers\": [0, 0], \"idle\": \"poll\"},\n"
		"  \"interfaces\": [\n"
		"    {\"name\": \"lan\", \"device\": \"net_af_packet0\", \"track\": true, \"linkup-hold-ms\": 600000, \"vmac-filter\": \"require\",\n"
		"     \"addresses\": [\"192.0.2.2/24\", \"2001:db8:1::2/64\"]},\n"
		"    {\"name\": \"wan\", \"device\": \"0000:03:00.1\", \"mtu\": 9216, \"source-mac\": \"vmac\", \"rp-filter\": \"strict\",\n"
		"     \"addresses\": [\"198.51.100.2/31\"]},\n"
		"    {\"name\": \"d-m_z.0\", \"device\": \"net_tap0\", \"mtu\": 68}\n"
		"  ],\n"
		"  \"carp\": {\n"
		"    \"allow\": false, \"preempt\": 1, \"log\": 2, \"arpbalance\": 1,\n"
		"    \"arpbalance-order\": \"netbsd\", \"startup-hold-ms\": 30000,\n"
		"    \"preempt-delay-ms\": 3600000, \"announce-refresh-s\": 86400, \"dscp\": 56,\n"
		"    \"groups\": [\n"
		"      {\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": "
		"\"lanpasswd\",\n"
		"       \"advbase\": 85, \"advskew\": 254, \"state\": \"init\",\n"
		"       \"addresses\": [\"192.0.2.1/24\", \"2001:db8:1::1/64\", "
		"\"fe80::1/10\"],\n"
		"       \"peer\": \"192.0.2.3\", \"peer6\": \"fe80::3\", \"strict\": true,\n"
		"       \"family-timers\": \"any\", \"hmac\": \"orig\", \"cksum6\": "
		"\"pseudo\",\n"
		"       \"advert-source\": \"interface\"},\n"
		"      {\"name\": \"carp1\", \"hmac\": \"nov6ll\", \"vhid\": 255, \"fast\": true, \"advskew\": 1, "
		"\"state\": "
		"\"master\",\n"
		"       \"pass\": \"hex:00112233445566778899aabbccddeeff00112233\",\n"
		"       \"addresses\": [\"198.51.100.3/31\"]},\n"
		"      {\"name\": \"lan\", \"carpdev\": \"d-m_z.0\", \"vhid\": 1, \"fast\": true, "
		"\"advbase\": 0,\n"
		"       \"pass\": \"\", \"state\": \"backup\", \"addresses\": [\"203.0.113.1/32\", "
		"\"203.0.113.65/26\"]}\n"
		"    ]\n"
		"  },\n"
		"  \"routes\": [\n"
		"    {\"prefix\": \"0.0.0.0/0\", \"via\": \"192.0.2.254\"},\n"
		"    {\"prefix\": \"10.0.0.0/8\", \"via\": \"203.0.113.126\"},\n"
		"    {\"prefix\": \"::/0\", \"via\": \"fe80::fe\", \"interface\": \"d-m_z.0\"}\n"
		"  ]\n"
		"}\n";
	struct conf *c = parse(text, 0, 1); /* an empty passphrase */

	(void)state;
	assert_string_equal(c->path, "t");
	assert_string_equal(c->node, "fw1");
	assert_int_equal(c->n_eal, 2);
	assert_string_equal(c->eal[0], "--no-pci");
	assert_string_equal(c->eal[1], "--vdev=net_af_packet0,iface=em0");
	assert_int_equal(c->lcores.control, 0);
	assert_int_equal(c->lcores.n_workers, 2);
	assert_int_equal(c->lcores.workers[1], 0);
	assert_int_equal(c->lcores.idle, CONF_IDLE_POLL);
	assert_int_equal(c->lcores.rt_priority, 0);

	assert_int_equal(c->n_ifs, 3);
	assert_string_equal(c->ifs[0].name, "lan");
	assert_string_equal(c->ifs[0].device, "net_af_packet0");
	assert_int_equal(c->ifs[0].mtu, 1500);
	assert_true(c->ifs[0].track);
	assert_int_equal(c->ifs[0].linkup_hold_ms, 600000);
	assert_int_equal(c->ifs[1].linkup_hold_ms, 0);
	assert_int_equal(c->ifs[0].vmac_filter, CONF_VMAC_FILTER_REQUIRE);
	assert_int_equal(c->ifs[1].vmac_filter, CONF_VMAC_FILTER_AUTO);
	assert_int_equal(c->ifs[0].rp_filter, CONF_RP_FILTER_OFF);
	assert_int_equal(c->ifs[1].rp_filter, CONF_RP_FILTER_STRICT);
	assert_false(c->ifs[0].source_mac_vmac);
	assert_true(c->ifs[1].source_mac_vmac);
	assert_int_equal(c->ifs[0].n_addresses, 2);
	assert_prefix(&c->ifs[0].addresses[0], "192.0.2.2/24");
	assert_prefix(&c->ifs[0].addresses[1], "2001:db8:1::2/64");
	assert_string_equal(c->ifs[1].device, "0000:03:00.1");
	assert_int_equal(c->ifs[1].mtu, 9216);
	assert_false(c->ifs[1].track);
	assert_prefix(&c->ifs[1].addresses[0], "198.51.100.2/31");
	assert_string_equal(c->ifs[2].name, "d-m_z.0");
	assert_int_equal(c->ifs[2].mtu, 68);
	assert_int_equal(c->ifs[2].n_addresses, 0);

	assert_false(c->allow);
	assert_true(c->preempt);
	assert_true(c->arpbalance);
	assert_int_equal(c->log, 2);
	assert_true(c->arpbalance_netbsd_order);
	assert_int_equal(c->startup_hold_ms, 30000);
	assert_int_equal(c->preempt_delay_ms, 3600000);
	assert_int_equal(c->announce_refresh_s, 86400);
	assert_int_equal(c->dscp, 56);
	assert_int_equal(c->n_groups, 3);
	assert_string_equal(c->groups[0].name, "carp0");
	assert_int_equal(c->groups[0].if_index, 0);
	assert_false(c->groups[0].carpdev_found);
	assert_int_equal(c->groups[0].vhid, 1);
	assert_int_equal(c->groups[0].advbase, 85);
	assert_int_equal(c->groups[0].advskew, 254);
	assert_false(c->groups[0].fast);
	assert_int_equal(c->groups[0].state, CONF_STATE_INIT);
	assert_key(c->groups[0].key, "lanpasswd", 9);
	assert_null(c->groups[0].pass_file);
	assert_int_equal(c->groups[0].n_addresses, 3);
	assert_prefix(&c->groups[0].addresses[0], "192.0.2.1/24");
	assert_prefix(&c->groups[0].addresses[1], "2001:db8:1::1/64");
	assert_prefix(&c->groups[0].addresses[2], "fe80::1/10");
	assert_int_equal(base_addr_ip4(&c->groups[0].peer4), 0xc0000203);
	assert_int_equal(c->groups[0].peer6.family, BASE_FAMILY_IP6);
	assert_true(c->groups[0].strict);
	assert_int_equal(c->groups[0].family_timers, CONF_FAMILY_TIMERS_ANY);
	assert_int_equal(c->groups[0].hmac, CONF_HMAC_ORIG);
	assert_int_equal(c->groups[0].cksum6, CONF_CKSUM6_PSEUDO);
	assert_true(c->groups[0].advert_source_interface);
	assert_int_equal(c->groups[1].hmac, CONF_HMAC_NOV6LL);
	assert_int_equal(c->groups[1].if_index, 1);
	assert_true(c->groups[1].carpdev_found);
	assert_int_equal(c->groups[1].vhid, 255);
	assert_int_equal(c->groups[1].advbase, 0);
	assert_true(c->groups[1].fast);
	assert_int_equal(c->groups[1].advskew, 1);
	assert_int_equal(c->groups[1].state, CONF_STATE_MASTER);
	assert_key(c->groups[1].key,
		"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33",
		20);
	assert_string_equal(c->groups[2].name, "lan");
	assert_int_equal(c->groups[2].if_index, 2);
	assert_int_equal(c->groups[2].advbase, 0);
	assert_int_equal(c->groups[2].state, CONF_STATE_BACKUP);
	assert_key(c->groups[2].key, "", 0);

	assert_int_equal(c->n_routes, 3);
	assert_prefix(&c->routes[0].prefix, "0.0.0.0/0");
	assert_int_equal(base_addr_ip4(&c->routes[0].hops[0].via), 0xc00002fe);
	assert_int_equal(c->routes[0].hops[0].if_index, 0);
	/* through the subnet of a shared address */
	assert_int_equal(c->routes[1].hops[0].if_index, 2);
	assert_prefix(&c->routes[2].prefix, "::/0");
	assert_int_equal(c->routes[2].hops[0].via.family, BASE_FAMILY_IP6);
	assert_int_equal(c->routes[2].hops[0].via.bytes[15], 0xfe);
	assert_int_equal(c->routes[2].hops[0].if_index, 2);
	conf_free(c);
}

static void
defaults(void **state)
{
	struct conf *c = parse(IF("{\"name\": \"lan\", \"device\": \"d\"}"), 0, 0);
	char host[256] = "";

	(void)state;
	assert_true(strlen(c->node) > 0);
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	if (strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(host) &&
		strlen(host) <= CONF_NODE_MAX)
		assert_string_equal(c->node, host[0] == '\0' ? "koi" : host);
	assert_int_equal(c->n_eal, 0);
	assert_int_equal(c->lcores.control, CONF_CPU_AUTO);
	assert_int_equal(c->lcores.n_workers, 0);
	assert_int_equal(c->lcores.idle, CONF_IDLE_ADAPTIVE);
	assert_int_equal(c->lcores.rt_priority, 0);
	assert_int_equal(c->ifs[0].mtu, 1500);
	assert_false(c->ifs[0].track);
	assert_true(c->allow);
	assert_false(c->preempt);
	assert_false(c->arpbalance);
	assert_int_equal(c->log, 1);
	assert_false(c->arpbalance_netbsd_order);
	assert_int_equal(c->startup_hold_ms, 0);
	assert_int_equal(c->preempt_delay_ms, 0);
	assert_int_equal(c->announce_refresh_s, 0);
	assert_int_equal(c->dscp, 4);
	assert_int_equal(c->ifs[0].linkup_hold_ms, 0);
	assert_int_equal(c->n_groups, 0);
	assert_int_equal(c->n_routes, 0);
	conf_free(c);

	c = parse(GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"]"), 0, 0);
	assert_true(c->allow);
	assert_int_equal(c->log, 1);
	assert_int_equal(c->groups[0].advbase, 1);
	assert_int_equal(c->groups[0].advskew, 0);
	assert_false(c->groups[0].fast);
	assert_int_equal(c->groups[0].state, CONF_STATE_BACKUP);
	assert_int_equal(c->groups[0].peer4.family, BASE_FAMILY_NONE);
	assert_int_equal(c->groups[0].peer6.family, BASE_FAMILY_NONE);
	assert_false(c->groups[0].strict);
	assert_int_equal(c->groups[0].family_timers, CONF_FAMILY_TIMERS_ALL);
	assert_int_equal(c->groups[0].hmac, CONF_HMAC_AUTO);
	assert_int_equal(c->groups[0].cksum6, CONF_CKSUM6_PLAIN);
	assert_false(c->groups[0].advert_source_interface);
	conf_free(c);

	c = parse(ROOT("\"lcores\": \"auto\""), 0, 0);
	assert_int_equal(c->lcores.control, CONF_CPU_AUTO);
	conf_free(c);
	c = parse(ROOT("\"lcores\": {\"rt-priority\": 98}"), 0, 0);
	assert_int_equal(c->lcores.control, CONF_CPU_AUTO);
	assert_int_equal(c->lcores.rt_priority, 98);
	conf_free(c);
}

/* What looks like a mistake and is none. */
static void
allowed(void **state)
{
	static const struct {
		const char *text;
		unsigned int warnings;
	} cases[] = {
		/* the same vhid and names on different interfaces, no own address at all */
		{"{\"interfaces\": [{\"name\": \"a\", \"device\": \"d\"}, {\"name\": \"b\", "
		 "\"device\": \"e\"}], \"carp\": {\"groups\": ["
		 "{\"name\": \"a\", \"carpdev\": \"a\", \"vhid\": 1, \"pass\": \"x\", "
		 "\"addresses\": [\"192.0.2.1/24\"]}, {\"name\": \"b\", \"carpdev\": \"b\", "
		 "\"vhid\": 1, \"pass\": \"x\", \"addresses\": [\"198.51.100.1/24\"]}]}}",
			0},
		/* two groups on one subnet, host routes within it */
		{GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
			"[\"192.0.2.1/24\"]}, {\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", "
			"\"addresses\": [\"192.0.2.5/32\", \"192.0.2.6/32\"]}"),
			0},
		/* several own subnets, one inside the other, on the same interface */
		{IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"10.0.0.2/8\", "
		    "\"10.1.0.2/16\", \"10.1.0.3/32\"]}"),
			0},
		/* link-local addresses mean another thing on each interface */
		{IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"fe80::1/64\"]}, "
		    "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"fe80::1/64\"]}"),
			0},
		/* shared ones too, when the interface is given */
		{GROUPS("{\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": "
			"\"x\", \"addresses\": [\"fe80::1/64\"]}, {\"name\": \"carp1\", "
			"\"carpdev\": \"wan\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
			"[\"198.51.100.1/24\", \"fe80::1/128\"]}"),
			0},
		/* a group of IPv6 alone finds its interface as any other */
		{"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "
		 "[\"2001:db8::2/64\"]}], \"carp\": {\"groups\": [{\"name\": \"carp0\", "
		 "\"vhid\": 1, \"pass\": \"x\", \"addresses\": [\"2001:db8::1/64\"]}]}}",
			0},
		/* words and timers that have no effect on this group */
		{GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"], \"strict\": true, "
		       "\"hmac\": \"orig\", \"family-timers\": \"any\", \"cksum6\": "
		       "\"pseudo\", \"peer\": \"192.0.2.3\", \"advert-source\": "
		       "\"interface\""),
			0},
		{CARP("\"dscp\": 0, \"arpbalance\": true, \"arpbalance-order\": \"vhid\""), 0},
		/* both ends of a /31, a host alone, classes that koi has no business refusing */
		{IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"10.0.0.0/31\", "
		    "\"10.0.0.3/31\", \"10.0.1.255/32\", \"240.0.0.1/24\", "
		    "\"2001:db8::/127\"]}"),
			0},
		/* names that only begin with a reserved word */
		{IF("{\"name\": \"all0\", \"device\": \"d\"}, {\"name\": \"Log\", \"device\": "
		    "\"e\"}"),
			0},
		{IF("{\"name\": \"a234567890.-_45\", \"device\": \"d\"}"), 0},
		/* 19 bytes of passphrase, in any script */
		{GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"1234567890123456789\", "
			"\"addresses\": [\"192.0.2.1/24\"]}, {\"name\": \"carp1\", \"vhid\": 2, "
			"\"pass\": \"\\u00e9\\u00e9\\u00e9\\u00e9"
			"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9!\", "
			"\"addresses\": [\"192.0.2.5/24\"]}"),
			0},
		{ROOT("\"n\\u006fde\": \"k\""), 0},
		{ROOT("\"routes\": []"), 0},
		{ROOT("\"carp\": {}"), 0},
		{ROOT("\"lcores\": {\"control\": 0, \"workers\": [0], \"idle\": \"adaptive\", "
		      "\"rt-priority\": 50}"),
			0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		conf_free(parse(cases[i].text, 0, cases[i].warnings));
}

/* CPU numbers of another machine: an error here, a warning for who only checks. */
static void
absent_cpus(void **state)
{
	static const char text[] = ROOT("\"lcores\": {\"control\": 1023, \"workers\": [0]}");
	char expected[128];
	struct conf_issues issues;
	char *lines;
	struct conf *c;

	(void)state;
	if (sysconf(_SC_NPROCESSORS_CONF) > 1023)
		skip();
	c = conf_parse(text, strlen(text), "t", 0, &issues);
	assert_null(c);
	snprintf(expected, sizeof(expected),
		"t:4:23: /lcores/control: there is no CPU 1023, this machine has 0 to %ld\n",
		sysconf(_SC_NPROCESSORS_CONF) - 1);
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, expected);
	free(lines);
	conf_issues_free(&issues);

	c = conf_parse(text, strlen(text), "t", CONF_CHECK_ONLY, &issues);
	assert_non_null(c);
	assert_int_equal(c->lcores.control, 1023);
	snprintf(expected, sizeof(expected),
		"t:4:23: /lcores/control: warning: there is no CPU 1023 here, this machine "
		"has 0 to "
		"%ld\n",
		sysconf(_SC_NPROCESSORS_CONF) - 1);
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, expected);
	free(lines);
	conf_issues_free(&issues);
	conf_free(c);
}

static void
names(void **state)
{
	(void)state;
	assert_true(conf_name_valid("a"));
	assert_true(conf_name_valid("carp0"));
	assert_true(conf_name_valid("Z.9_-"));
	assert_true(conf_name_valid("a23456789012345"));
	assert_false(conf_name_valid("a234567890123456"));
	assert_false(conf_name_valid(""));
	assert_false(conf_name_valid("9a"));
	assert_false(conf_name_valid("-a"));
	assert_false(conf_name_valid("a b"));
	assert_false(conf_name_valid("a\n"));
	assert_false(conf_name_valid("\xc3\xa9"));
	assert_false(conf_name_valid("all"));
	assert_false(conf_name_valid("log"));
	assert_true(conf_name_valid("logs"));
}

static void
interfaces_share_devices_by_their_tags(void **state)
{
	static const struct {
		const char *device;
		uint16_t device_index, vlan;
		enum conf_vmac_filter filter;
	} expected[] = {
		{"d", 0, 1, CONF_VMAC_FILTER_REQUIRE},
		{"e", 1, 1, CONF_VMAC_FILTER_AUTO},
		{"d", 0, 0, CONF_VMAC_FILTER_REQUIRE},
		{"d", 0, 4094, CONF_VMAC_FILTER_REQUIRE},
		{"e", 1, 4094, CONF_VMAC_FILTER_AUTO},
	};
	struct conf *c = parse(
		"{\"interfaces\": ["
		"{\"name\": \"a\", \"device\": \"d\", \"vlan\": 1, \"mtu\": 9216},"
		"{\"name\": \"b\", \"device\": \"e\", \"vlan\": 1},"
		"{\"name\": \"c\", \"device\": \"d\"},"
		"{\"name\": \"d\", \"device\": \"d\", \"vlan\": 4094, \"vmac-filter\": \"require\"},"
		"{\"name\": \"e\", \"device\": \"e\", \"vlan\": 4094}],"
		"\"carp\": {\"groups\": ["
		"{\"name\": \"g\", \"carpdev\": \"a\", \"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"]},"
		"{\"name\": \"h\", \"carpdev\": \"d\", \"vhid\": 1, \"addresses\": [\"198.51.100.1/24\"]}]}}",
		0, 2);

	(void)state;
	assert_int_equal(c->n_ifs, 5);
	for (uint16_t i = 0; i < 5; i++) {
		assert_string_equal(c->ifs[i].device, expected[i].device);
		assert_int_equal(c->ifs[i].device_index, expected[i].device_index);
		assert_int_equal(c->ifs[i].vlan, expected[i].vlan);
		assert_int_equal(c->ifs[i].vmac_filter, expected[i].filter);
	}
	assert_int_equal(c->n_devices, 2);
	assert_int_equal(c->device_if[0], 0);
	assert_int_equal(c->device_if[1], 1);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_share_devices_by_their_tags),
		cmocka_unit_test(every_field_is_stored),
		cmocka_unit_test(defaults),
		cmocka_unit_test(allowed),
		cmocka_unit_test(absent_cpus),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
