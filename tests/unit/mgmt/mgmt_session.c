/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_priv.h"
#include "mgmt_session.h"

struct mgmt_session session;

static struct mgmt_cli *cli;
static char path[] = "/tmp/koi-reload-XXXXXX";

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

int
session_file_before(void **state)
{
	int ret = session_before(state), fd;

	fake.config.file = mgmt_file_new(&fake.config);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	return fd >= 0 && close(fd) == 0 ? ret : -1;
}

int
session_file_after(void **state)
{
	unlink(path);
	mgmt_file_free(fake.config.file);
	return session_after(state);
}

const char *
session_say(const char *line, enum mgmt_cli_status status)
{
	mgmt_cli_run(&session, line);
	if (session.status != status)
		fail_msg("%s", session.text);
	return session.text;
}

const char *
session_reload(const char *command, const char *text, enum mgmt_cli_status status)
{
	char line[96];
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	snprintf(line, sizeof(line), "%s %s", command, path);
	return session_say(line, status);
}

void
session_run(const char *line, enum mgmt_cli_status status, const char *text)
{
	mgmt_cli_run(&session, line);
	assert_string_equal(session.text, text);
	assert_int_equal(session.status, status);
}
