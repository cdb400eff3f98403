/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* "on-change" and what belongs to it. */
#include "conf_cases.h"

#define ARRAY_OF \
	"t:5:14: /carp/on-change: expected an array of 1 to 16 strings, the first an absolute path, "
#define A_USER                                                                                    \
	"t:5:19: /carp/on-change-user: expected the name of a user, other than root, of 1 to 31 " \
	"letters, digits, \"_\", \".\" or \"-\", found "

static const struct conf_case cases[] = {
	{"a string", CARP("\n\"on-change\": \"/bin/true\""), ARRAY_OF "found a string\n", 0},
	{"empty", CARP("\n\"on-change\": []"), ARRAY_OF "found 0 elements\n", 0},
	{"seventeen",
		CARP("\n\"on-change\": [\"/bin/true\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", "
		     "\"\", \"\", \"\", \"\", \"\", \"\", \"\"]"),
		ARRAY_OF "found 17 elements\n", 0},
	{"no absolute path", CARP("\n\"on-change\": [\"true\"]"),
		"t:5:15: /carp/on-change/0: expected an absolute path, found \"true\"\n", 0},
	{"empty path", CARP("\n\"on-change\": [\"\"]"),
		"t:5:15: /carp/on-change/0: expected an absolute path, found \"\"\n", 0},
	{"an argument of another type", CARP("\n\"on-change\": [\"/bin/true\", 1]"),
		"t:5:28: /carp/on-change/1: expected a string, found 1\n", 0},
	{"user of another type", CARP("\n\"on-change-user\": 65534"), A_USER "65534\n", 0},
	{"root", CARP("\n\"on-change-user\": \"root\""), A_USER "\"root\"\n", 0},
	{"a user with a blank", CARP("\n\"on-change-user\": \"a b\""), A_USER "\"a b\"\n", 0},
	{"an empty user", CARP("\n\"on-change-user\": \"\""), A_USER "\"\"\n", 0},
	{"no time at all", CARP("\n\"on-change-timeout-s\": 0"),
		"t:5:24: /carp/on-change-timeout-s: expected an integer from 1 to 300, found 0\n",
		0},
	{"too long", CARP("\n\"on-change-timeout-s\": 301"),
		"t:5:24: /carp/on-change-timeout-s: expected an integer from 1 to 300, found 301\n",
		0},
};

static void
mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

/* @return what it says of a good document */
static char *
warnings_of(const char *text)
{
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", 0, &issues);
	char *lines = conf_case_lines(&issues);

	if (c == NULL)
		fail_msg("%s", lines);
	conf_free(c);
	conf_issues_free(&issues);
	return lines;
}

/* koi starts with a hook that is not there, but not without a word. */
static void
program_that_cannot_be_run(void **state)
{
	static const struct {
		const char *text, *lines;
	} rows[] = {
		{CARP("\n\"on-change\": [\"/nonexistent/hook\"]"),
			"t:5:15: /carp/on-change/0: warning: there is no hook to run: No such file or "
			"directory\n"},
		{CARP("\n\"on-change\": [\"/etc\"]"),
			"t:5:15: /carp/on-change/0: warning: the hook cannot be run: it is no file with "
			"execute permission\n"},
		{CARP("\n\"on-change\": [\"/etc/passwd\"]"),
			"t:5:15: /carp/on-change/0: warning: the hook cannot be run: it is no file with "
			"execute permission\n"},
		{CARP("\n\"on-change\": [\"/bin/sh\", \"-c\", \"\"]"), ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *lines = warnings_of(rows[i].text);

		assert_string_equal(lines, rows[i].lines);
		free(lines);
	}
}

static void
values(void **state)
{
	static const char text[] =
		CARP("\"on-change\": [\"/bin/sh\", \"-c\", \"\"], \"on-change-user\": \"_a.b-1\","
		     " \"on-change-timeout-s\": 300");
	static const char none[] = CARP("");
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", 0, &issues);

	(void)state;
	assert_non_null(c);
	conf_issues_free(&issues);
	assert_int_equal(c->n_on_change, 3);
	assert_string_equal(c->on_change[0], "/bin/sh");
	assert_string_equal(c->on_change[2], "");
	assert_null(c->on_change[3]);
	assert_string_equal(c->on_change_user, "_a.b-1");
	assert_int_equal(c->on_change_timeout_s, 300);
	conf_free(c);
	c = conf_parse(none, strlen(none), "t", 0, &issues);
	assert_non_null(c);
	conf_issues_free(&issues);
	assert_int_equal(c->n_on_change, 0);
	assert_int_equal(c->on_change_timeout_s, 10);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(program_that_cannot_be_run),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
