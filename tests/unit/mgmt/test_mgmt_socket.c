/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The file of the CLI socket: its mode and group, stale ones, those of others. */
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_priv.h"
#include "mgmt_served.h"

/* Mode and group are the configuration's; what cannot be is said, and no socket stays. */
static void
socket_of_a_group(void **state)
{
	struct conf_cli *cfg = &fake.conf->cli;
	char err[256], want[300];
	struct stat st;

	(void)state;
	mgmt_server_stop(served);
	cfg->mode = 0600;
	served = served_start(1000, err, sizeof(err));
	assert_non_null(served);
	assert_int_equal(stat(served_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_gid, getegid());
	mgmt_server_stop(served);
	cfg->mode = 0666;
	if (geteuid() == 0) {
		struct group *g = getgrnam("daemon");

		assert_non_null(g);
		snprintf(cfg->group, sizeof(cfg->group), "daemon");
		served = served_start(1000, err, sizeof(err));
		assert_non_null(served);
		assert_int_equal(stat(served_path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0666);
		assert_int_equal(st.st_gid, g->gr_gid);
		mgmt_server_stop(served);
	}
	snprintf(cfg->group, sizeof(cfg->group), "no-such-group");
	served = served_start(1000, err, sizeof(err));
	assert_null(served);
	snprintf(want, sizeof(want),
		"CLI socket %s: /cli/group \"no-such-group\": there is no such group", served_path);
	assert_string_equal(err, want);
	assert_int_equal(stat(served_path, &st), -1);
}

static void
socket_file(void **state)
{
	char err[256], want[300], sub[128];
	struct stat st;
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(stat(served_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);

	/* a live one is an error, and stays */
	assert_null(served_start(1000, err, sizeof(err)));
	snprintf(want, sizeof(want), "CLI socket %s: another koi answers there", served_path);
	assert_string_equal(err, want);
	fd = served_dial();
	served_expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);

	/* one that nobody answers goes */
	mgmt_server_stop(served);
	served = NULL;
	assert_int_equal(stat(served_path, &st), -1);
	served_stale();
	served = served_start(1000, err, sizeof(err));
	assert_non_null(served);
	fd = served_dial();
	served_expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);

	/* at the end only our own is removed */
	unlink(served_path);
	f = fopen(served_path, "w");
	fclose(f);
	mgmt_server_stop(served);
	assert_int_equal(stat(served_path, &st), 0);

	/* a file that is no socket is not touched */
	served = served_start(1000, err, sizeof(err));
	assert_null(served);
	snprintf(want, sizeof(want), "CLI socket %s: exists and is not a socket", served_path);
	assert_string_equal(err, want);
	assert_int_equal(stat(served_path, &st), 0);

	/* nowhere to put it */
	snprintf(sub, sizeof(sub), "%s/below", served_path);
	fake.config.cli_socket = sub;
	assert_null(served_start(1000, err, sizeof(err)));
	snprintf(want, sizeof(want), "CLI socket %s: Not a directory", sub);
	assert_string_equal(err, want);
	memset(sub, 'x', sizeof(sub));
	sub[0] = '/';
	sub[sizeof(sub) - 1] = '\0';
	assert_null(served_start(1000, err, sizeof(err)));
	assert_non_null(strstr(err, "File name too long"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, served_before, served_after)
		T(socket_of_a_group),
		T(socket_file),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
