/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Router advertisements. */
#define GROUP6                                                                         \
	"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", " \
	"\"carpdev\": \"lan\", \"addresses\": [\"2001:db8:1::1/64\"]}]}"
/* What a case is about begins in column 1 of line 2. */
#define RA(x) \
	"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"ra\":\n" x "}], " GROUP6 "}"
#define AT "t:2:"

static const struct conf_case cases[] = {
	{"of another type", RA("true"), AT "1: /interfaces/0/ra: expected an object, found true\n",
		0},
	{"unknown key", RA("{\"lifetime\": 1}"),
		AT "2: /interfaces/0/ra/lifetime: unknown key \"lifetime\", did you mean "
		   "\"lifetime-s\"?\n",
		0},
	{"no group with IPv6",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"ra\": {}}]}",
		"t:1:54: /interfaces/0/ra: no group of interface \"lan\" has an IPv6 address, and "
		"only the MASTER of one sends router advertisements\n",
		0},
	{"interval too long", RA("{\"max-interval-s\": 1801}"),
		AT "20: /interfaces/0/ra/max-interval-s: expected an integer from 4 to 1800, found "
		   "1801\n",
		0},
	{"intervals too close", RA("{\"max-interval-s\": 60, \"min-interval-s\": 46}"),
		AT "42: /interfaces/0/ra/min-interval-s: min-interval-s 46 is more than three "
		   "quarters of max-interval-s 60\n",
		0},
	{"interval of another type", RA("{\"min-interval-s\": \"46\"}"),
		AT
		"20: /interfaces/0/ra/min-interval-s: expected an integer from 3 to 1350, found a "
		"string\n",
		0},
	{"lifetime too short", RA("{\"max-interval-s\": 60, \"lifetime-s\": 59}"),
		AT "38: /interfaces/0/ra/lifetime-s: lifetime-s 59 ends before the next "
		   "advertisement: expected 0, or max-interval-s 60 or more\n",
		0},
	{"lifetime too long", RA("{\"lifetime-s\": 9001}"),
		AT "16: /interfaces/0/ra/lifetime-s: expected an integer from 0 to 9000, found "
		   "9001\n",
		0},
	{"preference", RA("{\"preference\": \"best\"}"),
		AT
		"16: /interfaces/0/ra/preference: expected one of \"medium\", \"high\", \"low\", "
		"found \"best\"\n",
		0},
	{"mtu over the interface's", RA("{\"mtu\": 1501}"),
		AT "9: /interfaces/0/ra/mtu: expected 0 or 1280 to 1500, the MTU of the interface, "
		   "found 1501\n",
		0},
	{"mtu under what IPv6 needs", RA("{\"mtu\": 1279}"),
		AT "9: /interfaces/0/ra/mtu: expected 0 or 1280 to 1500, the MTU of the interface, "
		   "found 1279\n",
		0},
	{"prefix of IPv4", RA("{\"prefixes\": [{\"prefix\": \"192.0.2.0/24\"}]}"),
		AT "26: /interfaces/0/ra/prefixes/0/prefix: 192.0.2.0/24 is no IPv6 prefix\n", 0},
	{"prefix with host bits", RA("{\"prefixes\": [{\"prefix\": \"2001:db8::1/64\"}]}"),
		AT "26: /interfaces/0/ra/prefixes/0/prefix: 2001:db8::1/64 has bits set after its "
		   "prefix length, expected 2001:db8::/64\n",
		0},
	{"prefix that is link-local", RA("{\"prefixes\": [{\"prefix\": \"fe80::/64\"}]}"),
		AT "26: /interfaces/0/ra/prefixes/0/prefix: fe80::/64 is link-local, expected a "
		   "prefix of hosts\n",
		0},
	{"prefix missing", RA("{\"prefixes\": [{}]}"),
		AT
		"15: /interfaces/0/ra/prefixes/0: missing key \"prefix\", expected a prefix such "
		"as 2001:db8:1::/64\n",
		0},
	{"autonomous of another length", RA("{\"prefixes\": [{\"prefix\": \"2001:db8::/56\"}]}"),
		AT "26: /interfaces/0/ra/prefixes/0/prefix: hosts make addresses of their own from "
		   "prefixes of length 64 only: give \"autonomous\": false for length 56\n",
		0},
	{"preferred for longer than valid",
		RA("{\"prefixes\": [{\"prefix\": \"2001:db8::/64\", \"valid-s\": 60, \"preferred-s\": "
		   "61}]}"),
		AT
		"73: /interfaces/0/ra/prefixes/0/preferred-s: preferred-s 61 is more than valid-s "
		"60\n",
		0},
	{"prefix twice",
		RA("{\"prefixes\": [{\"prefix\": \"2001:db8::/64\"},{\"prefix\": "
		   "\"2001:db8::/64\"}]}"),
		AT "54: /interfaces/0/ra/prefixes/1/prefix: the prefix is given already\n", 0},
	{"name server of IPv4", RA("{\"dns\": [\"192.0.2.53\"]}"),
		AT "10: /interfaces/0/ra/dns/0: expected the IPv6 address of a host, found "
		   "\"192.0.2.53\"\n",
		0},
	{"name server that is a number", RA("{\"dns\": [1]}"),
		AT "10: /interfaces/0/ra/dns/0: expected the IPv6 address of a host, found 1\n", 0},
	{"domain that is none", RA("{\"domains\": [\"a..b\"]}"),
		AT
		"14: /interfaces/0/ra/domains/0: expected a domain such as \"example.org\", all of "
		"them of at most 248 bytes, found \"a..b\"\n",
		0},
};

static void
mistakes(void **state)
{
	(void)state;
	conf_cases_run(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
defaults(void **state)
{
	struct conf *c = conf_case_good(
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", "
		"\"addresses\": [\"2001:db8:1::2/64\", \"fe80::5/64\", "
		"\"192.0.2.1/24\", \"2001:db8:2::2/56\"], \"ra\": {}}], " GROUP6 "}");
	const struct conf_ra *ra = c->ifs[0].ra;

	(void)state;
	assert_int_equal(ra->max_interval_s, 600);
	assert_int_equal(ra->min_interval_s, 200);
	assert_int_equal(ra->msg.lifetime_s, 1800);
	assert_int_equal(ra->msg.hop_limit, 64);
	assert_int_equal(ra->msg.mtu, 1500);
	assert_false(ra->msg.managed || ra->msg.other);
	assert_int_equal(ra->msg.preference, WIRE_RA_MEDIUM);
	assert_int_equal(ra->msg.n_prefixes, 2);
	assert_int_equal(ra->msg.prefix[0].plen, 64);
	assert_true(ra->msg.prefix[0].on_link && ra->msg.prefix[0].autonomous);
	assert_int_equal(ra->msg.prefix[0].valid_s, 2592000);
	assert_int_equal(ra->msg.prefix[1].plen, 56);
	assert_true(ra->msg.prefix[1].on_link && !ra->msg.prefix[1].autonomous);
	assert_int_equal(ra->msg.n_dns, 0);
	conf_free(c);
	c = conf_case_good(RA("{\"prefixes\": []}"));
	assert_int_equal(c->ifs[0].ra->msg.n_prefixes, 0);
	conf_free(c);
}

static void
values_are_stored(void **state)
{
	struct conf *c = conf_case_good(
		RA("{\"max-interval-s\": 9, \"min-interval-s\": 4, \"lifetime-s\": 0, "
		   "\"preference\": \"low\", \"managed\": true, \"other\": true, "
		   "\"hop-limit\": 0, \"reachable-ms\": 30000, \"retrans-ms\": 500, "
		   "\"mtu\": 0, \"prefixes\": [{\"prefix\": \"2001:db8:9::/64\", "
		   "\"valid-s\": 100, \"on-link\": false}], \"dns\": "
		   "[\"2001:db8::53\", \"fe80::1\"], \"dns-lifetime-s\": 5, "
		   "\"domains\": [\"example.org\"]}"));
	const struct conf_ra *ra = c->ifs[0].ra;

	(void)state;
	assert_int_equal(ra->max_interval_s, 9);
	assert_int_equal(ra->min_interval_s, 4);
	assert_int_equal(ra->msg.lifetime_s, 0);
	assert_int_equal(ra->msg.preference, WIRE_RA_LOW);
	assert_true(ra->msg.managed && ra->msg.other);
	assert_int_equal(ra->msg.hop_limit, 0);
	assert_int_equal(ra->msg.reachable_ms, 30000);
	assert_int_equal(ra->msg.retrans_ms, 500);
	assert_int_equal(ra->msg.mtu, 0);
	assert_int_equal(ra->msg.n_prefixes, 1);
	assert_int_equal(ra->msg.prefix[0].valid_s, 100);
	assert_int_equal(ra->msg.prefix[0].preferred_s, 100);
	assert_false(ra->msg.prefix[0].on_link);
	assert_int_equal(ra->msg.n_dns, 2);
	assert_int_equal(ra->msg.dns[1][0], 0xfe);
	assert_int_equal(ra->msg.dns_lifetime_s, 5);
	assert_memory_equal(ra->msg.domains, "\7example\3org", 13);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(defaults),
		cmocka_unit_test(values_are_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
