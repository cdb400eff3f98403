/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Unicast peers. */

/* A group with addresses of both families; what a case is about stands on line 7. */
#define DUAL(x)                                                                                   \
	"{\"interfaces\": [\n"                                                                    \
	"{\"name\": \"lan\", \"device\": \"net_tap0\", \"addresses\": [\"192.0.2.2/24\", "        \
	"\"2001:db8:1::2/64\"]},\n"                                                               \
	"{\"name\": \"wan\", \"device\": \"net_tap1\", \"addresses\": [\"198.51.100.2/24\", "     \
	"\"2001:db8:2::2/64\"]}],\n"                                                              \
	"\"carp\": {\"groups\": [\n"                                                              \
	"{\"name\": \"carp0\", \"pass\": \"x\", \"vhid\": 1, \"carpdev\": \"lan\", \"addresses\"" \
	": [\n\"192.0.2.1/24\", \"2001:db8:1::1/64\"],\n" x "}]}}"

static const struct conf_case mistakes[] = {
	{"peer of another type", DUAL("\"peer\": 7"),
		"t:7:9: /carp/groups/0/peer: expected an IPv4 address without prefix length, "
		"found 7\n",
		0},
	{"peer is a name", DUAL("\"peer\": \"fw2\""),
		"t:7:9: /carp/groups/0/peer: expected an IPv4 address without prefix length, "
		"found \"fw2\"\n",
		0},
	{"peer with a length", DUAL("\"peer\": \"192.0.2.3/24\""),
		"t:7:9: /carp/groups/0/peer: expected an IPv4 address without prefix length, "
		"found \"192.0.2.3/24\"\n",
		0},
	{"peer of the other family", DUAL("\"peer\": \"2001:db8:1::3\""),
		"t:7:9: /carp/groups/0/peer: expected an IPv4 address without prefix length, "
		"found \"2001:db8:1::3\"\n",
		0},
	{"peer6 of another type", DUAL("\"peer6\": [\"2001:db8:1::3\"]"),
		"t:7:10: /carp/groups/0/peer6: expected an IPv6 address without prefix length, "
		"found an array\n",
		0},
	{"peer6 of the other family", DUAL("\"peer6\": \"192.0.2.3\""),
		"t:7:10: /carp/groups/0/peer6: expected an IPv6 address without prefix length, "
		"found \"192.0.2.3\"\n",
		0},
	{"peer6 with a zone", DUAL("\"peer6\": \"fe80::3%lan\""),
		"t:7:10: /carp/groups/0/peer6: expected an IPv6 address without prefix length, "
		"found \"fe80::3%lan\"\n",
		0},
	{"peer6 misspelt", DUAL("\"peer-6\": \"fe80::3\""),
		"t:7:1: /carp/groups/0/peer-6: unknown key \"peer-6\", did you mean \"peer6\"?\n",
		0},
	{"peer is multicast", DUAL("\"peer\": \"224.0.0.18\""),
		"t:7:9: /carp/groups/0/peer: 224.0.0.18 is a multicast address, expected the "
		"address of a host\n",
		0},
	{"peer is the limited broadcast", DUAL("\"peer\": \"255.255.255.255\""),
		"t:7:9: /carp/groups/0/peer: 255.255.255.255 is the broadcast address, expected "
		"the address of a host\n",
		0},
	{"peer is loopback", DUAL("\"peer\": \"127.0.0.1\""),
		"t:7:9: /carp/groups/0/peer: 127.0.0.1 is a loopback address, expected the "
		"address of a host\n",
		0},
	{"peer is unspecified", DUAL("\"peer\": \"0.0.0.0\""),
		"t:7:9: /carp/groups/0/peer: 0.0.0.0 is the unspecified address, expected the "
		"address of a host\n",
		0},
	{"peer6 is multicast", DUAL("\"peer6\": \"ff02::12\""),
		"t:7:10: /carp/groups/0/peer6: ff02::12 is a multicast address, expected the "
		"address of a host\n",
		0},
	{"peer6 is loopback", DUAL("\"peer6\": \"::1\""),
		"t:7:10: /carp/groups/0/peer6: ::1 is the loopback address, expected the address "
		"of a host\n",
		0},
	{"peer6 is IPv4-mapped", DUAL("\"peer6\": \"::ffff:192.0.2.3\""),
		"t:7:10: /carp/groups/0/peer6: ::ffff:192.0.2.3 is an IPv4-mapped address, "
		"expected the address of a host\n",
		0},
	{"peer off the segment", DUAL("\"peer\": \"203.0.113.3\""),
		"t:7:9: /carp/groups/0/peer: 203.0.113.3 is on no subnet of the group's "
		"interface, there are 192.0.2.0/24 of \"lan\"\n",
		0},
	{"peer on another interface", DUAL("\"peer\": \"198.51.100.3\""),
		"t:7:9: /carp/groups/0/peer: 198.51.100.3 is on no subnet of the group's "
		"interface, there are 192.0.2.0/24 of \"lan\"\n",
		0},
	{"peer6 off the segment", DUAL("\"peer6\": \"2001:db8:3::3\""),
		"t:7:10: /carp/groups/0/peer6: 2001:db8:3::3 is on no subnet of the group's "
		"interface, there are 2001:db8:1::/64 of \"lan\"\n",
		0},
	{"peer6 on another interface", DUAL("\"peer6\": \"2001:db8:2::3\""),
		"t:7:10: /carp/groups/0/peer6: 2001:db8:2::3 is on no subnet of the group's "
		"interface, there are 2001:db8:1::/64 of \"lan\"\n",
		0},
	{"peer is the network's address", DUAL("\"peer\": \"192.0.2.0\""),
		"t:7:9: /carp/groups/0/peer: 192.0.2.0 is the network address of 192.0.2.0/24, "
		"expected the address of a host\n",
		0},
	{"peer is the network's broadcast address", DUAL("\"peer\": \"192.0.2.255\""),
		"t:7:9: /carp/groups/0/peer: 192.0.2.255 is the broadcast address of "
		"192.0.2.0/24, expected the address of a host\n",
		0},
	{"peer6 is the subnet-router anycast address", DUAL("\"peer6\": \"2001:db8:1::\""),
		"t:7:10: /carp/groups/0/peer6: 2001:db8:1:: is the subnet-router anycast address "
		"of 2001:db8:1::/64, expected the address of a host\n",
		0},
	{"peer is the own address", DUAL("\"peer\": \"192.0.2.2\""),
		"t:7:9: /carp/groups/0/peer: 192.0.2.2 is the address of interface \"lan\" "
		"itself, expected another host\n",
		0},
	{"peer is an own address elsewhere", DUAL("\"peer\": \"198.51.100.2\""),
		"t:7:9: /carp/groups/0/peer: 198.51.100.2 is the address of interface \"wan\" "
		"itself, expected another host\n",
		0},
	{"peer is the VIP", DUAL("\"peer\": \"192.0.2.1\""),
		"t:7:9: /carp/groups/0/peer: 192.0.2.1 is a shared address of group \"carp0\" "
		"itself, expected another host\n",
		0},
	{"peer6 is the own address", DUAL("\"peer6\": \"2001:db8:1::2\""),
		"t:7:10: /carp/groups/0/peer6: 2001:db8:1::2 is the address of interface \"lan\" "
		"itself, expected another host\n",
		0},
	{"peer6 is the VIP", DUAL("\"peer6\": \"2001:db8:1::1\""),
		"t:7:10: /carp/groups/0/peer6: 2001:db8:1::1 is a shared address of group "
		"\"carp0\" itself, expected another host\n",
		0},
	{"peer6 is the own link-local address",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "
		"[\"fe80::2/64\"]}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"pass\": \"x\", \"vhid\": 1, "
		"\"carpdev\": \"lan\",\n"
		"\"addresses\": [\"2001:db8::1/64\"], \"peer6\": \"fe80::2\"}]}}",
		"t:3:43: /carp/groups/0/peer6: fe80::2 is the address of interface \"lan\" "
		"itself, expected another host\n",
		0},
	{"peer6 is a link-local VIP",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"pass\": \"x\", \"vhid\": 1, "
		"\"carpdev\": \"lan\",\n"
		"\"addresses\": [\"fe80::1/64\"], \"peer6\": \"fe80::1\"}]}}",
		"t:3:39: /carp/groups/0/peer6: fe80::1 is a shared address of group \"carp0\" "
		"itself, expected another host\n",
		0},
	{"peer without a VIP of its family",
		GROUP("\"vhid\": 1, \"carpdev\": \"lan\", \"addresses\": [\"2001:db8::1/64\"],\n"
		      "\"peer\": \"192.0.2.3\""),
		"t:6:9: /carp/groups/0/peer: the group has no shared IPv4 address, so that no "
		"advert goes to this peer\n",
		0},
	{"peer6 without a VIP of its family",
		GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"],\n"
		      "\"peer6\": \"fe80::3\""),
		"t:6:10: /carp/groups/0/peer6: the group has no shared IPv6 address, so that no "
		"advert goes to this peer\n",
		0},
	{"peer where the interface has no subnet",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"pass\": \"x\", \"vhid\": 1, "
		"\"carpdev\": \"lan\",\n"
		"\"addresses\": [\"192.0.2.1/32\"], \"peer\": \"192.0.2.3\"}]}}",
		"t:3:40: /carp/groups/0/peer: 192.0.2.3 is on no subnet of the group's "
		"interface, there are 192.0.2.1/32 of \"lan\"\n",
		0},
	{"a refused VIP hides no peer",
		GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1\"],\n"
		      "\"peer\": \"192.0.2.3\""),
		"t:5:57: /carp/groups/0/addresses/0: 192.0.2.1 has no prefix length, expected "
		"ADDRESS/LENGTH such as 192.0.2.1/24\n",
		0},
	{"an unknown carpdev hides the peer",
		GROUP("\"vhid\": 1, \"carpdev\": \"dmz\", \"addresses\": [\"192.0.2.1/24\"],\n"
		      "\"peer\": \"203.0.113.3\""),
		"t:5:54: /carp/groups/0/carpdev: there is no interface \"dmz\", allowed are "
		"\"lan\", \"wan\"\n",
		0},
};

static void
peer_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(mistakes);
}

static void
peers_are_stored(void **state)
{
	static const struct {
		const char *text, *peer4, *peer6;
	} cases[] = {
		{DUAL("\"strict\": true"), "(none)", "(none)"},
		{DUAL("\"peer\": \"192.0.2.3\""), "192.0.2.3", "(none)"},
		{DUAL("\"peer6\": \"2001:DB8:1::3\""), "(none)", "2001:db8:1::3"},
		{DUAL("\"peer6\": \"2001:db8:1::3\", \"peer\": \"192.0.2.254\", \"strict\": true"),
			"192.0.2.254", "2001:db8:1::3"},
		/* a link-local peer is on the segment by its kind */
		{DUAL("\"peer6\": \"fe80::3\""), "(none)", "fe80::3"},
		/* the other end of a /31, and an address that only a shared one's prefix holds */
		{IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"10.0.0.0/31\"]}], "
		    "\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", "
		    "\"carpdev\": \"lan\", \"peer\": \"10.0.0.1\", "
		    "\"addresses\": [\"192.0.2.1/24\"]}]}, \"eal\": ["),
			"10.0.0.1", "(none)"},
		{IF("{\"name\": \"lan\", \"device\": \"d\"}], "
		    "\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", "
		    "\"carpdev\": \"lan\", \"peer\": \"192.0.2.3\", \"peer6\": \"2001:db8::3\", "
		    "\"addresses\": [\"192.0.2.1/24\", \"2001:db8::1/64\"]}]}, \"eal\": ["),
			"192.0.2.3", "2001:db8::3"},
		/* the same link-local address on another interface is another host */
		{IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"fe80::2/64\"]}, "
		    "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"fe80::3/64\"]}], "
		    "\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", "
		    "\"carpdev\": \"lan\", \"peer6\": \"fe80::3\", "
		    "\"addresses\": [\"fe80::1/64\"]}]}, \"eal\": ["),
			"(none)", "fe80::3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[CONF_ADDR_STR];
		struct conf_issues issues;
		struct conf *c = conf_parse(cases[i].text, strlen(cases[i].text), "t", 0, &issues);

		if (c == NULL)
			fail_msg("%zu: %s", i, conf_case_lines(&issues));
		assert_string_equal(conf_addr_str(&c->groups[0].peer4, buf), cases[i].peer4);
		assert_string_equal(conf_addr_str(&c->groups[0].peer6, buf), cases[i].peer6);
		conf_free(c);
		conf_issues_free(&issues);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_mistakes),
		cmocka_unit_test(peers_are_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
