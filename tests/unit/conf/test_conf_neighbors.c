/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Neighbours that are set. What a case is about begins in column 1 of line 2. */
#define NBRS(x)                                                                                  \
	"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "               \
	"[\"192.0.2.2/24\", \"2001:db8:1::2/64\"], \"neighbors\":\n" x "}, {\"name\": \"wan\", " \
	"\"device\": \"e\", \"addresses\": [\"198.51.100.2/24\"]}], \"carp\": {\"groups\": [{"   \
	"\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"carpdev\": \"lan\", "              \
	"\"addresses\": [\"192.0.2.1/24\"]}]}}"
#define ONE(a, m) NBRS("[{\"address\": \"" a "\", \"mac\": \"" m "\"}]")
#define GOOD	  "02:00:00:00:00:09"
#define ADDRESS	  "t:2:14: /interfaces/0/neighbors/0/address: "
#define A_MAC                                                                        \
	"/interfaces/0/neighbors/0/mac: expected the MAC address of a host such as " \
	"02:00:5e:10:00:01, found "

static const struct conf_case cases[] = {
	{"of another type", NBRS("{}"),
		"t:2:1: /interfaces/0/neighbors: expected an array of at most 1024 objects, found an "
		"object\n",
		0},
	{"keys missing", NBRS("[{}]"),
		"t:2:2: /interfaces/0/neighbors/0: missing key \"address\", expected an address "
		"without prefix length\n"
		"t:2:2: /interfaces/0/neighbors/0: missing key \"mac\", expected a MAC address such "
		"as 02:00:5e:10:00:01\n",
		0},
	{"with a prefix length", ONE("192.0.2.9/24", GOOD),
		ADDRESS "expected an address without prefix length, found \"192.0.2.9/24\"\n", 0},
	{"multicast", ONE("224.0.0.18", GOOD),
		ADDRESS "224.0.0.18 is a multicast address, expected the address of a host\n", 0},
	{"on another interface", ONE("198.51.100.9", GOOD),
		ADDRESS "198.51.100.9 is on no subnet of interface \"lan\", there are 192.0.2.0/24 "
			"of \"lan\"\n",
		0},
	{"on none", ONE("2001:db8:9::9", GOOD),
		ADDRESS "2001:db8:9::9 is on no subnet of interface \"lan\", there are "
			"2001:db8:1::/64 of \"lan\"\n",
		0},
	{"broadcast", ONE("192.0.2.255", GOOD),
		ADDRESS
		"192.0.2.255 is the broadcast address of 192.0.2.0/24, expected the address "
		"of a host\n",
		0},
	{"our own", ONE("192.0.2.2", GOOD),
		ADDRESS "192.0.2.2 is the address of interface \"lan\" itself, expected another "
			"host\n",
		0},
	{"a VIP", ONE("192.0.2.1", GOOD),
		ADDRESS "192.0.2.1 is a shared address of group \"carp0\" itself, expected another "
			"host\n",
		0},
	{"no MAC", ONE("192.0.2.9", "x"), "t:2:34: " A_MAC "\"x\"\n", 0},
	{"MAC with hyphens", ONE("192.0.2.9", "02-00-00-00-00-09"),
		"t:2:34: " A_MAC "\"02-00-00-00-00-09\"\n", 0},
	{"MAC too long", ONE("192.0.2.9", "02:00:00:00:00:09:01"),
		"t:2:34: " A_MAC "\"02:00:00:00:00:09:01\"\n", 0},
	{"MAC of a group", ONE("192.0.2.9", "01:00:5e:00:00:12"),
		"t:2:34: " A_MAC "\"01:00:5e:00:00:12\"\n", 0},
	{"MAC of nobody", ONE("192.0.2.9", "00:00:00:00:00:00"),
		"t:2:34: " A_MAC "\"00:00:00:00:00:00\"\n", 0},
	{"our vMAC", ONE("192.0.2.9", "00:00:5e:00:01:01"),
		"t:2:34: /interfaces/0/neighbors/0/mac: this is the shared MAC address of group "
		"\"carp0\"\n",
		0},
	{"twice",
		NBRS("[{\"address\": \"192.0.2.9\", \"mac\": \"" GOOD "\"},\n"
		     "{\"address\": \"192.0.2.9\", \"mac\": \"" GOOD "\"}]"),
		"t:3:13: /interfaces/0/neighbors/1/address: 192.0.2.9 is given at line 2 already\n",
		0},
};

static void
mistakes(void **state)
{
	(void)state;
	conf_cases_run(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
neighbors_are_stored(void **state)
{
	static const char text[] =
		NBRS("[{\"address\": \"fe80::9\", \"mac\": \"02:Ab:cD:00:00:09\"},"
		     "{\"address\": \"2001:db8:1::9\", \"mac\": \"" GOOD "\"},"
		     "{\"address\": \"192.0.2.9\", \"mac\": \"" GOOD "\"}]");
	static const uint8_t want[] = {2, 0xab, 0xcd, 0, 0, 9};
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", 0, &issues);
	char buf[CONF_ADDR_STR];

	(void)state;
	if (c == NULL)
		fail_msg("%s", conf_case_lines(&issues));
	assert_int_equal(c->ifs[0].n_neighbors, 3);
	assert_int_equal(c->ifs[1].n_neighbors, 0);
	/* by address */
	assert_string_equal(conf_addr_str(&c->ifs[0].neighbors[0].addr, buf), "192.0.2.9");
	assert_string_equal(conf_addr_str(&c->ifs[0].neighbors[2].addr, buf), "fe80::9");
	assert_memory_equal(c->ifs[0].neighbors[2].mac, want, sizeof(want));
	conf_free(c);
	conf_issues_free(&issues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(neighbors_are_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
