/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

#define HOST(x) IF("{\"name\": \"lan\", \"device\": \"d\", \"host\": " x "}")

/* Mistakes in "host". */
static const struct conf_case cases[] = {
	{"host of another type", HOST("1"),
		"t:2:40: /interfaces/0/host: expected true, false or an object, found 1\n", 0},
	{"host is no name of the tap", HOST("\"koi0\""),
		"t:2:40: /interfaces/0/host: expected true, false or an object, found a string\n",
		0},
	{"tap with a slash", HOST("{\"name\": \"a/b\"}"),
		"t:2:49: /interfaces/0/host/name: expected a name of 1 to 15 characters, a letter "
		"first, then letters, digits, \"_\", \".\" or \"-\", found \"a/b\"\n",
		0},
	{"tap with too long a name", HOST("{\"name\": \"tap4567890123456\"}"),
		"t:2:49: /interfaces/0/host/name: expected a name of 1 to 15 characters, a letter "
		"first, then letters, digits, \"_\", \".\" or \"-\", found \"tap4567890123456\"\n",
		0},
	{"rate of nothing", HOST("{\"rate-pps\": 0}"),
		"t:2:53: /interfaces/0/host/rate-pps: expected an integer from 1 to 1000000, found "
		"0\n",
		0},
	{"unknown key", HOST("{\"rate\": 5}"),
		"t:2:41: /interfaces/0/host/rate: unknown key \"rate\", allowed are \"name\", "
		"\"rate-pps\"\n",
		0},
	{"an interface whose name leaves no room",
		IF("{\"name\": \"lan456789012\", \"device\": \"d\", \"host\": true}"),
		"t:2:49: /interfaces/0/host: a tap \"koi-lan456789012\" would have more than the 15 "
		"characters of a netdev's name: give it one by \"host\": {\"name\": ...}\n",
		0},
};

static void
mistakes_are_named(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

/* Whether or not this machine has taps: that is but a warning here. */
static struct conf *
checked(const char *text, struct conf_issues *issues)
{
	return conf_parse(text, strlen(text), "t", CONF_CHECK_ONLY, issues);
}

static void
what_is_given_is_stored(void **state)
{
	static const char text[] =
		IF("{\"name\": \"lan\", \"device\": \"d\", \"host\": true},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"host\": {\"name\": \"uplink\", "
		   "\"rate-pps\": 7}},\n"
		   "{\"name\": \"dmz\", \"device\": \"f\", \"host\": {}},\n"
		   "{\"name\": \"a\", \"device\": \"g\", \"host\": false},\n"
		   "{\"name\": \"b\", \"device\": \"h\"}");
	struct conf_issues issues;
	struct conf *c = checked(text, &issues);

	(void)state;
	assert_int_equal(issues.n_errors, 0);
	assert_non_null(c);
	assert_true(c->ifs[0].host.on && c->ifs[1].host.on && c->ifs[2].host.on);
	assert_string_equal(c->ifs[0].host.tap, "koi-lan");
	assert_int_equal(c->ifs[0].host.rate_pps, CONF_HOST_PPS_DEFAULT);
	assert_string_equal(c->ifs[1].host.tap, "uplink");
	assert_int_equal(c->ifs[1].host.rate_pps, 7);
	assert_string_equal(c->ifs[2].host.tap, "koi-dmz");
	assert_int_equal(c->ifs[2].host.rate_pps, CONF_HOST_PPS_DEFAULT);
	for (unsigned int i = 3; i < 5; i++) {
		assert_false(c->ifs[i].host.on);
		assert_string_equal(c->ifs[i].host.tap, "");
	}
	conf_free(c);
	conf_issues_free(&issues);
}

static void
two_taps_have_two_names(void **state)
{
	static const char text[] =
		IF("{\"name\": \"lan\", \"device\": \"d\", \"host\": true},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"host\": {\"name\": \"koi-lan\"}}");
	struct conf_issues issues;
	struct conf *c = checked(text, &issues);
	char *lines = conf_case_lines(&issues);

	(void)state;
	assert_null(c);
	assert_int_equal(issues.n_errors, 1);
	assert_non_null(strstr(lines,
		"t:3:40: /interfaces/1/host: the tap \"koi-lan\" is that of interface \"lan\" at "
		"line 2 already\n"));
	free(lines);
	conf_issues_free(&issues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(what_is_given_is_stored),
		cmocka_unit_test(two_taps_have_two_names),
	};

	return cmocka_run_group_tests_name("conf_host", tests, NULL, NULL);
}
