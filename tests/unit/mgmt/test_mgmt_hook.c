/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Hooks, with real processes: what they get, whose they are, and how they end. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_hook_priv.h"
#include "mgmt_json_priv.h"
#include "mgmt_view_priv.h"

/* A wait for something that comes at once; only a failure takes so long. */
#define DEADLINE_MS 20000

static char dir[] = "/tmp/koi-hook-XXXXXX";
static char out_path[64];
static struct mgmt_hook_process process;
static char *argv[5];

static int
setup(void **state)
{
	(void)state;
	fake_setup();
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	if (!mkdtemp(dir) || chmod(dir, 0777) != 0)
		return -1;
	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	process = (struct mgmt_hook_process){.fd = -1};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mgmt_hook_end(&process);
	unlink(out_path);
	rmdir(dir);
	fake.conf->n_on_change = 0; /* the array is ours */
	fake.conf->on_change = NULL;
	fake_teardown();
	return 0;
}

/* A hook of the shell's, $1 being the file that it may write. */
static void
configure(const char *script, uint16_t timeout_s)
{
	static char sh[] = "/bin/sh", c[] = "-c", name[] = "hook", text[1024];

	snprintf(text, sizeof(text), "%s", script);
	argv[0] = sh;
	argv[1] = c;
	argv[2] = text;
	argv[3] = name;
	argv[4] = out_path;
	fake.conf->on_change = argv;
	fake.conf->n_on_change = 5;
	fake.conf->on_change_timeout_s = timeout_s;
}

static void
launch(void)
{
	char err[256] = "";

	if (mgmt_hook_fork(fake.conf, &process, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_true(process.pid > 0);
	fake.config.hook_fd = process.fd;
}

static void
submit(uint64_t seq)
{
	const struct mgmt_hook_event e = {
		.seq = seq,
		.vhid = 7,
		.node = "fw1",
		.group = "carp0",
		.interface = "lan",
		.state = "MASTER",
		.old_state = "BACKUP",
		.reason = "master timed out",
		.time = "2026-05-01T12:00:00.123Z",
	};

	assert_int_equal(send(process.fd, &e, sizeof(e), 0), sizeof(e));
}

static struct mgmt_hook_result
result(void)
{
	struct pollfd p = {.fd = process.fd, .events = POLLIN};
	struct mgmt_hook_result r;

	if (poll(&p, 1, DEADLINE_MS) != 1)
		fail_msg("no result");
	assert_int_equal(recv(process.fd, &r, sizeof(r), 0), sizeof(r));
	return r;
}

static struct mgmt_hook_result
run_once(const char *script, uint16_t timeout_s)
{
	configure(script, timeout_s);
	launch();
	submit(5);
	return result();
}

/* @return the file's text, "" where there is none */
static const char *
output(void)
{
	static char text[4096];
	FILE *f = fopen(out_path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void
arguments_and_environment(void **state)
{
	struct mgmt_hook_result r = run_once("env | grep -v '^_=\\|^PWD=' | sort >$1", 10);

	(void)state;
	assert_int_equal(r.end, MGMT_HOOK_EXITED);
	assert_int_equal(r.value, 0);
	assert_int_equal(r.seq, 5);
	assert_string_equal(output(),
		"KOI_GROUP=carp0\nKOI_INTERFACE=lan\nKOI_NODE=fw1\nKOI_OLD_STATE=BACKUP\n"
		"KOI_REASON=master timed out\nKOI_SEQ=5\nKOI_STATE=MASTER\n"
		"KOI_TIME=2026-05-01T12:00:00.123Z\nKOI_VHID=7\n"
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

/*
 * No root, no way back to it, and no descriptor but the three to nowhere, of which 1 is the file
 * here. It is ls that counts them, with one of its own: the shell has others while it makes a pipe.
 */
static void
has_nothing_of_ours(void **state)
{
	const bool root = geteuid() == 0;
	const char *text;

	(void)state;
	run_once("{ id -u; id -g; id -G; grep NoNewPrivs: /proc/self/status; "
		 "readlink /proc/$$/fd/0 /proc/$$/fd/2; ls /proc/self/fd; "
		 "grep -c koi /proc/$$/maps; } >$1",
		10);
	text = strstr(output(), "NoNewPrivs:");
	assert_non_null(text);
	if (root)
		assert_int_equal(strncmp(output(), "65534\n65534\n65534\nNo", 20), 0);
	assert_string_equal(text, "NoNewPrivs:\t1\n/dev/null\n/dev/null\n0\n1\n2\n3\n0\n");
}

/* What does not end is killed, and with it all that it had started; the next hook runs. */
static void
killed_after_its_time(void **state)
{
	struct mgmt_hook_result r =
		run_once("[ $KOI_SEQ = 6 ] && exit 0; sleep 1000 & echo $! >$1; wait", 1);
	pid_t sleeper = (pid_t)atoi(output());

	(void)state;
	assert_int_equal(r.end, MGMT_HOOK_TIMEOUT);
	assert_true(sleeper > 1);
	assert_int_not_equal(kill(sleeper, 0), 0);
	submit(6);
	r = result();
	assert_int_equal(r.seq, 6);
	assert_int_equal(r.end, MGMT_HOOK_EXITED);
}

static void
left_behind_is_killed(void **state)
{
	struct mgmt_hook_result r = run_once("sleep 1000 & echo $! >$1; exit 3", 10);
	pid_t sleeper = (pid_t)atoi(output());

	(void)state;
	assert_int_equal(r.end, MGMT_HOOK_EXITED);
	assert_int_equal(r.value, 3);
	assert_true(sleeper > 1);
	assert_int_not_equal(kill(sleeper, 0), 0);
}

static void
ended_by_a_signal_or_not_there(void **state)
{
	struct mgmt_hook_result r = run_once("kill -9 $$", 10);

	(void)state;
	assert_int_equal(r.end, MGMT_HOOK_KILLED);
	assert_int_equal(r.value, SIGKILL);
	mgmt_hook_end(&process);
	configure("", 10);
	argv[0] = strcpy((char[32]){0}, "/nonexistent/hook");
	launch();
	submit(1);
	r = result();
	assert_int_equal(r.end, MGMT_HOOK_NOT_RUN);
	assert_int_equal(r.value, ENOENT);
}

/* One after the other, in the order of events. */
static void
one_at_a_time(void **state)
{
	(void)state;
	configure("echo begin $KOI_SEQ >>$1; sleep 0.05; echo end $KOI_SEQ >>$1", 10);
	launch();
	for (uint64_t i = 1; i <= 3; i++)
		submit(i);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(result().seq, i);
	assert_string_equal(output(), "begin 1\nend 1\nbegin 2\nend 2\nbegin 3\nend 3\n");
}

/* koi is gone: what it has sent is still done, then the process ends. */
static void
outlives_koi_for_what_it_was_given(void **state)
{
	int status = 1;

	(void)state;
	configure("echo $KOI_SEQ >>$1", 10);
	launch();
	submit(1);
	submit(2);
	close(process.fd);
	process.fd = -1;
	assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
	process.pid = 0;
	assert_int_equal(status, 0);
	assert_string_equal(output(), "1\n2\n");
}

static void
users(void **state)
{
	char err[256] = "";

	(void)state;
	assert_int_equal(mgmt_hook_fork(fake.conf, &process, err, sizeof(err)), 0);
	assert_int_equal(process.pid, 0);
	configure("", 10);
	snprintf(fake.conf->on_change_user, sizeof(fake.conf->on_change_user), "no-such-user");
	assert_int_equal(mgmt_hook_fork(fake.conf, &process, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/carp/on-change-user: "));
	assert_non_null(strstr(err, "\"no-such-user\""));
	assert_int_equal(process.fd, -1);
}

/* Wait until a count of the view is what it should be. */
static void
wait_count(const char *key, uint64_t want)
{
	json_t *v = NULL;

	for (unsigned int i = 0; i < DEADLINE_MS / 10; i++) {
		json_decref(v);
		v = mgmt_view_hooks(&fake.config, &(struct mgmt_args){0});
		if (get_u64(v, key) == want) {
			json_decref(v);
			return;
		}
		poll(NULL, 0, 10);
	}
	fail_msg("%s is %llu", key, (unsigned long long)get_u64(v, key));
}

/* From the ring of events to the hook: changes of state only; a burst drops the oldest. */
static void
changes_of_state_run_it(void **state)
{
	struct mgmt_hooks *h;
	int log[2];
	char text[512] = "";

	(void)state;
	assert_int_equal(pipe(log), 0);
	configure("[ $KOI_SEQ = 1 ] && : >$1 && while [ ! -e $1.go ]; do sleep 0.02; done; "
		  "echo $KOI_SEQ $KOI_GROUP $KOI_STATE >>$1; [ $KOI_SEQ != 3 ]",
		10);
	launch();
	h = mgmt_hooks_start(&fake.config, log[1]);
	assert_non_null(h);
	fake.config.hooks = h;
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	fake_event(CTL_EVENT_LINK);
	/* until the first one runs */
	for (unsigned int i = 0; i < DEADLINE_MS / 10 && access(out_path, F_OK) != 0; i++)
		poll(NULL, 0, 10);
	fake_transition(1, ELECTION_MASTER, ELECTION_CAUSE_TIMEOUT);
	for (unsigned int i = 0; i < MGMT_HOOK_QUEUE + 9; i++)
		fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	/* the first one runs; of 74 more 64 wait */
	wait_count("dropped", 10);
	wait_count("waiting", MGMT_HOOK_QUEUE);
	snprintf(text, sizeof(text), "%s.go", out_path);
	fclose(fopen(text, "w"));
	wait_count("run", MGMT_HOOK_QUEUE + 1);
	unlink(text);
	assert_int_equal(strncmp(output(), "1 carp0 MASTER\n13 carp0 MASTER\n", 31), 0);
	assert_non_null(strstr(output(), "\n76 carp0 MASTER\n"));
	mgmt_hooks_stop(h);
	fake.config.hooks = NULL;
	close(log[1]);
	assert_true(read(log[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(
		text, "carp: hook /bin/sh: too many changes wait for it, the oldest are dropped\n");
	close(log[0]);
}

static void
failures_are_named_in_the_log(void **state)
{
	struct mgmt_hooks *h;
	char text[512] = "";
	int log[2];

	(void)state;
	assert_int_equal(pipe(log), 0);
	configure("case $KOI_SEQ in 1) exit 4;; 2) kill -15 $$;; 3) sleep 100;; esac", 1);
	launch();
	h = mgmt_hooks_start(&fake.config, log[1]);
	fake.config.hooks = h;
	for (unsigned int i = 0; i < 4; i++)
		fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	wait_count("run", 4);
	wait_count("failed", 2);
	wait_count("timed_out", 1);
	mgmt_hooks_stop(h);
	fake.config.hooks = NULL;
	close(log[1]);
	assert_true(read(log[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text,
		"carp: hook /bin/sh: ended with exit code 4\n"
		"carp: hook /bin/sh: was ended by signal 15\n"
		"carp: hook /bin/sh: killed after 1 s\n");
	close(log[0]);
}

/* A path longer than a line of the log: cut, not written past its end. */
static void
a_long_path_is_cut_in_the_log(void **state)
{
	static char path[2000];
	struct mgmt_hooks *h;
	char text[4096] = "";
	int log[2];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "/x", 2);
	assert_int_equal(pipe(log), 0);
	configure("", 1);
	argv[0] = path;
	launch();
	h = mgmt_hooks_start(&fake.config, log[1]);
	fake.config.hooks = h;
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	wait_count("not_run", 1);
	mgmt_hooks_stop(h);
	fake.config.hooks = NULL;
	close(log[1]);
	assert_true(read(log[0], text, sizeof(text) - 1) > 0);
	assert_true(strlen(text) < 512);
	assert_non_null(strstr(text, "carp: hook /x/x/x"));
	assert_non_null(strstr(text, ": cannot be run: No such file or directory\n"));
	close(log[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(arguments_and_environment, setup, teardown),
		cmocka_unit_test_setup_teardown(has_nothing_of_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_after_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(left_behind_is_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_by_a_signal_or_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			outlives_koi_for_what_it_was_given, setup, teardown),
		cmocka_unit_test_setup_teardown(users, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_of_state_run_it, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_named_in_the_log, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_path_is_cut_in_the_log, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
