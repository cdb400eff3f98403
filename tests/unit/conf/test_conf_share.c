/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Link-local shared addresses, and addresses that several groups share (protocol note 7.3). */

#define SHARE(x) "{" IFS ",\n\"carp\": {\"arpbalance\": true, \"groups\": [\n" x "]}}"

static const struct conf_case link_local[] = {
	{"link-local VIP without carpdev", GROUP("\"vhid\": 1, \"addresses\": [\"fe80::1/64\"]"),
		"t:5:57: /carp/groups/0/addresses/0: fe80::1 is link-local and on every "
		"interface: give the group a \"carpdev\"\n",
		0},
	{"link-local VIP after one that finds the carpdev",
		GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1/24\", \"192.0.2.5/24\",\n"
		      "\"fe80::1/64\", \"fe80::5/64\"]"),
		"t:6:1: /carp/groups/0/addresses/2: fe80::1 is link-local and on every "
		"interface: give the group a \"carpdev\"\n",
		0},
	{"link-local VIP, carpdev misspelt",
		GROUP("\"vhid\": 1, \"carpdve\": \"lan\", \"addresses\": [\"fe80::1/64\"]"),
		"t:5:43: /carp/groups/0/carpdve: unknown key \"carpdve\", did you mean "
		"\"carpdev\"?\n",
		0},
	{"link-local VIP with a short prefix",
		GROUP("\"vhid\": 1, \"carpdev\": \"lan\", \"addresses\": [\"fe80::1/9\"]"),
		"t:5:75: /carp/groups/0/addresses/0: expected a prefix length from 10 to 128 for "
		"a link-local address, found \"fe80::1/9\"\n",
		0},
	{"link-local VIP is the network's",
		GROUP("\"vhid\": 1, \"carpdev\": \"lan\", \"addresses\": [\"fe80::/64\"]"),
		"t:5:75: /carp/groups/0/addresses/0: fe80:: is the subnet-router anycast address "
		"of fe80::/64, expected the address of a host\n",
		0},
	{"link-local VIP is the own address",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "
		"[\"fe80::1/64\"]}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"pass\": \"x\", \"vhid\": 1, "
		"\"carpdev\": \"lan\",\n"
		"\"addresses\": [\"fe80::1/64\"]}]}}",
		"t:3:15: /carp/groups/0/addresses/0: fe80::1 is an address of interface \"lan\" "
		"at line 1 already\n",
		0},
};

static const struct conf_case shared[] = {
	{"shared with one passphrase",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp2\", \"vhid\": 3, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]}"),
		"", 0},
	{"shared with two passphrases",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\", \"192.0.2.5/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"y\", \"addresses\": "
		      "[\"192.0.2.1/24\", \"192.0.2.5/24\"]},\n"
		      "{\"name\": \"carp2\", \"vhid\": 3, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]}"),
		"t:6:57: /carp/groups/1/addresses/0: warning: 192.0.2.1 is shared with group "
		"\"carp0\" at line 5, which has another passphrase: some hosts that ask for it "
		"get two answers and some none\n",
		0},
	{"shared twice in one group",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\",\n"
		      "\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp2\", \"vhid\": 3, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\",\n"
		      "\"192.0.2.1/24\"]}"),
		"t:7:1: /carp/groups/1/addresses/1: 192.0.2.1 is a shared address of group "
		"\"carp1\" at line 6 already\n"
		"t:9:1: /carp/groups/2/addresses/1: 192.0.2.1 is a shared address of group "
		"\"carp2\" at line 8 already\n",
		0},
	{"shared on two interfaces",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"carpdev\": \"wan\", "
		      "\"addresses\": [\"192.0.2.1/24\"]}"),
		"t:6:75: /carp/groups/1/addresses/0: 192.0.2.1 is a shared address of group "
		"\"carp0\" at line 5 already: two groups share one only on the same interface\n",
		0},
	{"shared where a carpdev is unknown",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"carpdev\": \"dmz\", "
		      "\"addresses\": [\"192.0.2.1/24\"]}"),
		"t:6:54: /carp/groups/1/carpdev: there is no interface \"dmz\", allowed are "
		"\"lan\", \"wan\"\n",
		0},
	{"shared IPv6 address",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"carpdev\": \"lan\", "
		      "\"addresses\": [\"2001:db8::1/64\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"carpdev\": \"lan\", "
		      "\"addresses\": [\"2001:db8::1/64\"]}"),
		"t:6:75: /carp/groups/1/addresses/0: 2001:db8::1 is a shared address of group "
		"\"carp0\" at line 5 already: \"arpbalance\" shares IPv4 addresses only\n",
		0},
	{"shared and an own address",
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.2/24\"]},\n"
		      "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.2/24\"]}"),
		"t:5:57: /carp/groups/0/addresses/0: 192.0.2.2 is an address of interface "
		"\"lan\" at line 2 already\n"
		"t:6:57: /carp/groups/1/addresses/0: 192.0.2.2 is an address of interface "
		"\"lan\" at line 2 already\n",
		0},
	{"shared while arpbalance is refused",
		"{\"interfaces\": [\n"
		"{\"name\": \"lan\", \"device\": \"net_tap0\", \"addresses\": "
		"[\"192.0.2.2/24\"]},\n"
		"{\"name\": \"wan\", \"device\": \"net_tap1\", \"addresses\": "
		"[\"198.51.100.2/24\"]}],\n"
		"\"carp\": {\"arpbalance\": \"on\", \"groups\": [\n"
		"{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		"[\"192.0.2.1/24\"]},\n"
		"{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": "
		"[\"192.0.2.1/24\"]}]}}",
		"t:4:24: /carp/arpbalance: expected true or false (also 1 or 0), found a string\n",
		0},
	{"shared while arpbalance is misspelt",
		"{\"interfaces\": [\n"
		"{\"name\": \"lan\", \"device\": \"net_tap0\", \"addresses\": "
		"[\"192.0.2.2/24\"]},\n"
		"{\"name\": \"wan\", \"device\": \"net_tap1\", \"addresses\": "
		"[\"198.51.100.2/24\"]}],\n"
		"\"carp\": {\"arp-balance\": true, \"groups\": [\n"
		"{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		"[\"192.0.2.1/24\"]},\n"
		"{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": "
		"[\"192.0.2.1/24\"]}]}}",
		"t:4:10: /carp/arp-balance: unknown key \"arp-balance\", did you mean "
		"\"arpbalance\"?\n",
		0},
};

static void
link_local_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(link_local);
}

static void
sharing_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(shared);
}

/* A key that could not be read is no key that differs. */
static void
shared_with_an_absent_pass_file(void **state)
{
	static const char text[] =
		SHARE("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		      "[\"192.0.2.1/24\"]}, {\"name\": \"carp1\", \"vhid\": 2, \"pass-file\": "
		      "\"/nonexistent/koi.pass\", \"addresses\": [\"192.0.2.1/24\"]}");
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", CONF_CHECK_ONLY, &issues);
	char *lines = conf_case_lines(&issues);

	(void)state;
	assert_non_null(c);
	assert_string_equal(lines,
		"t:5:117: /carp/groups/1/pass-file: warning: \"/nonexistent/koi.pass\" cannot be "
		"opened: No such file or directory\n");
	free(lines);
	conf_free(c);
	conf_issues_free(&issues);
}

/* 255 groups on one interface, all with the same 255 addresses. */
static void
shared_at_the_limits(void **state)
{
	char *text = NULL, *lines;
	struct conf_issues issues;
	struct conf *c;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	fputs("{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"carp\": "
	      "{\"arpbalance\": true, \"groups\": [",
		f);
	for (unsigned int g = 1; g <= 255; g++) {
		fprintf(f,
			"%s{\"name\": \"g%u\", \"vhid\": %u, \"pass\": \"x\", \"carpdev\": "
			"\"lan\", \"addresses\": [",
			g == 1 ? "" : ",\n", g, g);
		for (unsigned int v = 1; v <= 255; v++)
			fprintf(f, "%s\"10.0.%u.1/16\"", v == 1 ? "" : ", ", v);
		fputs("]}", f);
	}
	fputs("]}}", f);
	assert_int_equal(fclose(f), 0);
	c = conf_parse(text, len, "t", 0, &issues);
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, "");
	assert_non_null(c);
	assert_int_equal(c->n_groups, 255);
	free(lines);
	free(text);
	conf_free(c);
	conf_issues_free(&issues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_local_mistakes),
		cmocka_unit_test(sharing_mistakes),
		cmocka_unit_test(shared_with_an_absent_pass_file),
		cmocka_unit_test(shared_at_the_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
