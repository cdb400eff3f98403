/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_session.h"

struct mgmt_session session;

static struct mgmt_cli *cli;

int
session_before(void **state)
{
	(void)state;
	fake_setup();
	cli = mgmt_cli_new();
	session = (struct mgmt_session){.cli = cli, .config = &fake.config, .out_fd = -1};
	return cli ? 0 : -1;
}

int
session_after(void **state)
{
	(void)state;
	mgmt_cli_clear(&session);
	mgmt_cli_free(cli);
	fake_teardown();
	return 0;
}

void
session_run(const char *line, enum mgmt_cli_status status, const char *text)
{
	mgmt_cli_run(&session, line);
	assert_string_equal(session.text, text);
	assert_int_equal(session.status, status);
}
