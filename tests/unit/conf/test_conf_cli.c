/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Who may use the socket of the command line. */
#include "conf_cases.h"

#define CLI_MODE(x)  ROOT("\"cli\": {\"mode\": " x "}")
#define CLI_GROUP(x) ROOT("\"cli\": {\"group\": " x "}")
#define EXPECTED                                                                                  \
	"t:4:17: /cli/mode: expected a string of four octal digits that lets the owner read and " \
	"write and nobody execute, such as \"0660\", found "
#define NO_NAME                                                                          \
	"t:4:18: /cli/group: expected the name of a group, of 1 to 31 letters, digits, " \
	"\"_\", \".\" or \"-\", found "

static const struct conf_case cases[] = {
	{"cli of another type", ROOT("\"cli\": 660"),
		"t:4:8: /cli: expected an object, found 660\n", 0},
	{"unknown key in cli", ROOT("\"cli\": {\"mod\": \"0660\"}"),
		"t:4:9: /cli/mod: unknown key \"mod\", did you mean \"mode\"?\n", 0},
	{"mode as a number", CLI_MODE("660"), EXPECTED "660\n", 0},
	{"three digits", CLI_MODE("\"660\""), EXPECTED "\"660\"\n", 0},
	{"no octal digit", CLI_MODE("\"0680\""), EXPECTED "\"0680\"\n", 0},
	{"a sign", CLI_MODE("\"+660\""), EXPECTED "\"+660\"\n", 0},
	{"the owner cannot write", CLI_MODE("\"0460\""), EXPECTED "\"0460\"\n", 0},
	{"execute", CLI_MODE("\"0661\""), EXPECTED "\"0661\"\n", 0},
	{"set-group-id", CLI_MODE("\"2660\""), EXPECTED "\"2660\"\n", 0},
	{"group of another type", CLI_GROUP("12"), NO_NAME "12\n", 0},
	{"group empty", CLI_GROUP("\"\""), NO_NAME "\"\"\n", 0},
	{"group with a blank", CLI_GROUP("\"a b\""), NO_NAME "\"a b\"\n", 0},
	{"group that looks like an option", CLI_GROUP("\"-a\""), NO_NAME "\"-a\"\n", 0},
};

static void
mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

static void
allowed(void **state)
{
	static const struct {
		const char *text, *group;
		uint16_t mode;
		uint32_t warnings;
	} good[] = {
		{CLI_MODE("\"0600\""), "", 0600, 0},
		{CLI_MODE("\"0660\""), "", 0660, 0},
		{CLI_MODE("\"0666\""), "", 0666, 0},
		{CLI_GROUP("\"root\""), "root", 0660, 0},
		{ROOT("\"cli\": {}"), "", 0660, 0},
		{ROOT("\"node\": \"a\""), "", 0660, 0},
		/* a file is checked on other machines too */
		{CLI_GROUP("\"no-such-group\""), "no-such-group", 0660, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct conf_issues issues;
		struct conf *c = conf_parse(good[i].text, strlen(good[i].text), "t", 0, &issues);

		if (c == NULL)
			fail_msg("%s: %s", good[i].text, issues.issue[0].text);
		assert_int_equal(c->cli.mode, good[i].mode);
		assert_string_equal(c->cli.group, good[i].group);
		assert_int_equal(issues.n_warnings, good[i].warnings);
		conf_free(c);
		conf_issues_free(&issues);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
