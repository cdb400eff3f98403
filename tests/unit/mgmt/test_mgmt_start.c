/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* mgmt_start(), the prompt on stdin, mgmt_stop(): each case in a process of its own. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"

static char dir[] = "/tmp/koi-start-XXXXXX";
static char path[64];
static bool quit_called;

static void
on_quit(void *arg)
{
	*(bool *)arg = true;
}

static int
setup(void **state)
{
	(void)state;
	fake_setup();
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/cli.sock", dir);
	fake.config.cli_socket = path;
	fake.config.on_quit = on_quit;
	fake.config.arg = &quit_called;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	fake_teardown();
	return 0;
}

static void *
interrupt_main(void *arg)
{
	mgmt_interrupt(arg);
	return NULL;
}

/* In the child. @return exit code: 10, and 1 more when quit was reported */
static int
box(bool interrupt)
{
	char err[256];
	struct mgmt *m = mgmt_start(&fake.config, err, sizeof(err));
	pthread_t t;

	if (!m)
		return 1;
	if (interrupt && pthread_create(&t, NULL, interrupt_main, m) != 0)
		return 1;
	mgmt_interactive(m);
	if (interrupt)
		pthread_join(t, NULL);
	mgmt_stop(m);
	fake_teardown();
	return access(path, F_OK) == 0 ? 2 : 10 + quit_called;
}

/* Run a box on these keys; without keys stdin stays open and silent. */
static int
run(const char *keys, char *out, char *log, size_t len)
{
	int in[2], o[2], e[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(o, O_CLOEXEC) | pipe2(e, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		dup2(in[0], 0);
		dup2(o[1], 1);
		dup2(e[1], 2);
		close(in[1]);
		_exit(box(keys == NULL));
	}
	close(o[1]);
	close(e[1]);
	if (keys) {
		assert_int_equal(write(in[1], keys, strlen(keys)), strlen(keys));
		close(in[1]);
	}
	for (size_t have = 0; (n = read(o[0], out + have, len - 1 - have)) > 0; out[have] = '\0')
		have += (size_t)n;
	for (size_t have = 0; (n = read(e[0], log + have, len - 1 - have)) > 0; log[have] = '\0')
		have += (size_t)n;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!keys)
		close(in[1]);
	close(in[0]);
	close(o[0]);
	close(e[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
prompt_on_stdin(void **state)
{
	char out[16384] = "", log[1024] = "";

	(void)state;
	fake_event(CTL_EVENT_LINK)->if_id = 1;
	assert_int_equal(run("show carp demotion\nquit\n", out, log, sizeof(log)), 11);
	assert_string_equal(out, "fw1> show carp demotion\r\ndemotion 1\nfw1> quit\r\n");
	assert_string_equal(log, "interface wan: link down\n");
	/* the end of the input ends the prompt, and is no "quit" */
	out[0] = '\0';
	assert_int_equal(run("carp carp9 up\n", out, log, sizeof(log)), 10);
	assert_non_null(strstr(out, "unknown group \"carp9\": groups are carp0, carp1\nfw1> "));
	assert_int_equal(run(NULL, out, log, sizeof(log)), 10);
}

static void
start_fails_whole(void **state)
{
	char err[256] = "", want[128];
	struct mgmt *m = mgmt_start(&fake.config, err, sizeof(err));

	(void)state;
	assert_non_null(m);
	assert_null(mgmt_start(&fake.config, err, sizeof(err)));
	snprintf(want, sizeof(want), "CLI socket %s: another koi answers there", path);
	assert_string_equal(err, want);
	mgmt_stop(m);
	/* a box without a CLI socket is fine */
	fake.config.cli_socket = NULL;
	m = mgmt_start(&fake.config, err, sizeof(err));
	assert_non_null(m);
	mgmt_stop(m);
	mgmt_stop(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prompt_on_stdin, setup, teardown),
		cmocka_unit_test_setup_teardown(start_fails_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
