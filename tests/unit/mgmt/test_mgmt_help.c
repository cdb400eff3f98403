/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* "help", and what it says of a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_session.h"

static void
help_lists_every_command(void **state)
{
	char usage[128];

	(void)state;
	mgmt_cli_run(&session, "help");
	for (unsigned int i = 0; i < mgmt_cli_n_rows; i++) {
		mgmt_cli_usage(mgmt_cli_rows[i].grammar, usage, sizeof(usage));
		assert_non_null(strstr(session.text, usage));
	}
	assert_non_null(strstr(session.text, "set carp NAME pass-file PATH|hex:DIGITS"));
}

static void
help_tells_of_commands_that_begin_so(void **state)
{
	static const struct {
		const char *about, *text;
	} cases[] = {
		{"help show version",
			"show version\n\tversion and node\n\texample: show version\n"},
		{"help  dra",
			"drain\n\tleave service: every master bows out, until \"undrain\"\n"
			"\texample: drain\n"
			"drain 1-600\n\tthe same, waiting so many seconds for peers\n"
			"\texample: drain 10\n"
			"drain --persist\n\tthe same, and start drained after a restart\n"
			"\texample: drain --persist\n"},
		{"help undrain # that one",
			"undrain\n\tcome back as before \"drain\"\n\texample: undrain\n"},
		/* a name is any name */
		{"help carp carp7 up",
			"carp NAME up\n\ttake part in the election\n\texample: carp carp0 up\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mgmt_cli_run(&session, cases[i].about);
		assert_int_equal(session.status, MGMT_CLI_DONE);
		assert_string_equal(session.text, cases[i].text);
	}
	mgmt_cli_run(&session, "help nix");
	assert_int_equal(session.status, MGMT_CLI_USAGE);
}

/* Each command is found by its own words. */
static void
help_knows_every_command(void **state)
{
	char line[160], usage[128];

	(void)state;
	for (unsigned int i = 0; i < mgmt_cli_n_rows; i++) {
		snprintf(line, sizeof(line), "help %s", mgmt_cli_rows[i].example);
		mgmt_cli_run(&session, line);
		assert_int_equal(session.status, MGMT_CLI_DONE);
		mgmt_cli_usage(mgmt_cli_rows[i].grammar, usage, sizeof(usage));
		assert_non_null(strstr(session.text, usage));
		snprintf(line, sizeof(line), "example: %s\n", mgmt_cli_rows[i].example);
		assert_non_null(strstr(session.text, line));
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, session_before, session_after)
	const struct CMUnitTest tests[] = {
		T(help_lists_every_command),
		T(help_tells_of_commands_that_begin_so),
		T(help_knows_every_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
