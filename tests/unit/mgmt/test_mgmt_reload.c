/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Reloading: what is told, what everybody sees from then on, and that it is all or nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_priv.h"
#include "mgmt_session.h"

#define LAN "{\"name\": \"lan\", \"device\": \"net_null0\", \"addresses\": [\"192.0.2.2/24\"]}"
#define WAN "{\"name\": \"wan\", \"device\": \"net_null1\", \"addresses\": [\"198.51.100.2/24\"]}"
#define CARP0                                                                                \
	"{\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": \"lanpasswd\", " \
	"\"addresses\": [\"192.0.2.1/24\"]}"
#define CARP1(more)                                                              \
	"{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"wanpasswd\", " more ", " \
	"\"addresses\": [\"198.51.100.1/24\"]}"
#define ROUTE "{\"prefix\": \"0.0.0.0/0\", \"via\": \"198.51.100.254\"}"
#define FILE_TEXT(ifs, carp, groups)                                                          \
	"{\"node\": \"fw1\", \"eal\": [\"--no-pci\"], \"interfaces\": [" ifs "], \"carp\": {" \
	"\"preempt\": true, " carp "\"groups\": [" groups "]}, \"routes\": [" ROUTE "]}"
#define SAME CARP1("\"advskew\": 100")

#define IFS ", interface lan, interface wan"

static void
the_plan_names_objects_and_keys(void **state)
{
	static const struct {
		const char *text, *plan;
		enum mgmt_cli_status status;
	} rows[] = {
		{FILE_TEXT(LAN "," WAN, "", CARP0 "," SAME),
			"7 of 7 objects kept: box, carp, lcores" IFS ", group carp0, group carp1\n"
			"routes: 1 kept, 0 changed, 1 added, 0 removed\n",
			MGMT_CLI_DONE},
		{FILE_TEXT(WAN "," LAN, "\"dscp\": 7, ", SAME "," CARP0),
			"carp: changed: dscp\n6 of 7 objects kept: box, lcores" IFS
			", group carp0, group carp1\n"
			"routes: 1 kept, 0 changed, 1 added, 0 removed\n",
			MGMT_CLI_DONE},
		{FILE_TEXT(LAN "," WAN, "", CARP0 "," CARP1("\"advskew\": 9, \"state\": \"init\"")),
			"group carp1: changed: advskew, state\n6 of 7 objects kept: box, carp, lcores" IFS
			", group carp0\n"
			"routes: 1 kept, 0 changed, 1 added, 0 removed\n",
			MGMT_CLI_DONE},
		{FILE_TEXT(LAN ", {\"name\": \"wan\", \"device\": \"net_null1\", \"mtu\": 1400, "
			       "\"track\": true, \"addresses\": [\"198.51.100.2/24\"]}",
			 "", CARP0 "," CARP1("\"advskew\": 9")),
			"interface wan: changed: mtu, track (needs a restart)\n"
			"group carp1: changed: advskew\n5 of 7 objects kept: box, carp, lcores, "
			"interface lan, group carp0\n",
			MGMT_CLI_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
			session_reload("reload plan", rows[i].text, rows[i].status), rows[i].plan);
	assert_int_equal(fake.n_reloads, 0);
	assert_int_equal(fake.n_loads, 0);
	assert_ptr_equal(fake.config.conf, fake.conf);
}

static void
everybody_sees_what_was_loaded(void **state)
{
	(void)state;
	session_reload("reload", FILE_TEXT(WAN "," LAN, "", CARP1("\"advskew\": 9") "," CARP0),
		MGMT_CLI_DONE);
	assert_int_equal(fake.n_reloads, 1);
	assert_int_equal(fake.n_loads, 0);
	assert_ptr_equal(fake.reloaded, fake.config.conf);
	assert_ptr_not_equal(fake.config.conf, fake.conf);
	/* by the numbers that run */
	assert_string_equal(fake.config.conf->groups[1].name, "carp1");
	assert_string_equal(fake.config.conf->ifs[1].name, "wan");
	assert_int_equal(fake.config.conf->groups[1].if_index, 1);
	session_run("show config diff", MGMT_CLI_DONE, "set carp carp1 advskew 100\n");
	/* and back */
	assert_non_null(strstr(
		session_reload("reload", FILE_TEXT(LAN "," WAN, "", CARP0 "," SAME), MGMT_CLI_DONE),
		"group carp1: changed: advskew\n"));
	mgmt_cli_run(&session, "show config diff");
	assert_string_equal(session.text, "as in the file\n");
}

static void
what_cannot_be_applied_changes_nothing(void **state)
{
	const char *good = FILE_TEXT(LAN "," WAN, "", CARP0 "," CARP1("\"advskew\": 9"));

	(void)state;
	assert_non_null(strstr(session_reload("reload", "{\"node\": 7}", MGMT_CLI_REFUSED),
		"is not valid; nothing was changed\n"));
	fake.change_error = -ENOSPC;
	assert_string_equal(session_reload("reload", good, MGMT_CLI_REFUSED),
		"refused: no room in the table; nothing was changed\n");
	assert_int_equal(fake.n_reloads, 0);
	fake.change_error = 0;
	fake.request_rc = -ETIMEDOUT;
	fake.note = "the control lcore did not answer in 2 s";
	assert_string_equal(session_reload("reload", good, MGMT_CLI_REFUSED),
		"refused: the control lcore did not answer in 2 s; nothing was changed\n");
	/* and who made ready was told so */
	assert_int_equal(fake.n_reloads, 1);
	assert_int_equal(fake.n_loads, 0);
	assert_ptr_equal(fake.config.conf, fake.conf);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, session_file_before, session_file_after)
	const struct CMUnitTest tests[] = {
		T(the_plan_names_objects_and_keys),
		T(everybody_sees_what_was_loaded),
		T(what_cannot_be_applied_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
