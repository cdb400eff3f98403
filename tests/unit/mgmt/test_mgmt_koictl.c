/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The program koictl against a real CLI socket over the fakes: exit codes, output, terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_priv.h"
#include "mgmt_served.h"

#define ARGS_MAX 10

struct run {
	int code; /**< of exit, or 1000 + signal */
	char out[65536], err[8192];
};

/* In the child: a /run of its own with these nodes. @return false without the right to do that */
static bool
private_run(const char *const *nodes)
{
	char p[128];

	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/koi", 0755) != 0)
		return false;
	for (; *nodes; nodes++) {
		snprintf(p, sizeof(p), "/run/koi/%s", *nodes);
		if (mkdir(p, 0755) != 0)
			return false;
		snprintf(p, sizeof(p), "/run/koi/%s/cli.sock", *nodes);
		if (symlink(served_path, p) != 0)
			return false;
	}
	return true;
}

#define NO_NAMESPACE 77

static void
collect(int fd, char *buf, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len - 1 && (n = read(fd, buf + have, len - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	close(fd);
}

static int
exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void
make_args(char *line, char *args[ARGS_MAX])
{
	unsigned int n = 0;

	args[n++] = (char *)(uintptr_t)KOICTL;
	for (char *save, *w = strtok_r(line, " ", &save); w && n < ARGS_MAX - 1;
		w = strtok_r(NULL, " ", &save))
		args[n++] = w;
	args[n] = NULL;
}

/* Run koictl with these arguments; input is its stdin. */
static void __attribute__((format(printf, 4, 5)))
run(struct run *r, const char *const *nodes, const char *input, const char *fmt, ...)
{
	char line[512], *args[ARGS_MAX];
	int in[2], out[2], err[2];
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	make_args(line, args);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		alarm(SERVED_DEADLINE_MS / 1000);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		if (nodes && !private_run(nodes))
			_exit(NO_NAMESPACE);
		execv(args[0], args);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	assert_int_equal(write(in[1], input, strlen(input)), strlen(input));
	close(in[1]);
	collect(out[0], r->out, sizeof(r->out));
	collect(err[0], r->err, sizeof(r->err));
	r->code = exit_code(pid);
}

static void
one_command(void **state)
{
	static const struct {
		const char *args;
		int code;
		const char *out, *err; /* how they begin; "" is nothing at all */
	} cases[] = {
		{"show carp demotion", 0, "demotion 1\n", ""},
		{"show carp carp0", 0, "carp0: flags=8843<", ""},
		{"carp carp0 down", 0, "", ""},
		{"--json show carp demotion", 0, "{\n  \"total\": 1,\n  \"entries\": []\n}\n", ""},
		{"--json carp carp0 up", 0, "\"\"\n", ""},
		{"explain carp carp0", 0,
			"carp0 (lan vhid 1) has been MASTER for 12.3 s.\nCause: master timed out; ",
			""},
		{"--json explain carp carp0", 0,
			"{\n  \"name\": \"carp0\",\n  \"carpdev\": \"lan\",\n  \"vhid\": 1,\n"
			"  \"state\": \"MASTER\",\n  \"state_since_ms\": 12300,\n"
			"  \"cause\": \"master timed out\",\n",
			""},
		{"explain carp carp9", 2, "", "unknown group \"carp9\": groups are carp0, carp1\n"},
		{"carp carp9 up", 2, "", "unknown group \"carp9\": groups are carp0, carp1\n"},
		{"--json show carp carp9", 2, "", "unknown group \"carp9\""},
		{"nonsense", 2, "", "unknown command \"nonsense\""},
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(&r, NULL, "", "--socket %s %s", served_path, cases[i].args);
		assert_int_equal(r.code, cases[i].code);
		if (*cases[i].out)
			r.out[strlen(cases[i].out)] = '\0';
		assert_string_equal(r.out, cases[i].out);
		if (*cases[i].err)
			r.err[strlen(cases[i].err)] = '\0';
		assert_string_equal(r.err, cases[i].err);
	}
	fake.request_rc = -EAGAIN;
	run(&r, NULL, "", "--socket %s carp carp0 state master", served_path);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.err, "refused: the group is in INIT\n");
	assert_string_equal(r.out, "");
}

static void
usage(void **state)
{
	struct run r;

	(void)state;
	run(&r, NULL, "", "--help");
	assert_int_equal(r.code, 0);
	assert_ptr_equal(strstr(r.out, "usage: koictl"), r.out);
	run(&r, NULL, "", "--version");
	assert_int_equal(r.code, 0);
	assert_ptr_equal(strstr(r.out, "koictl "), r.out);
	run(&r, NULL, "", "--nonsense");
	assert_int_equal(r.code, 2);
	assert_non_null(strstr(r.err, "usage: koictl"));
	run(&r, NULL, "", "--socket %s --json", served_path);
	assert_int_equal(r.code, 2);
	assert_string_equal(r.err, "koictl: --json needs a command\n");
}

static void
no_daemon(void **state)
{
	struct run r;
	char want[256];

	(void)state;
	run(&r, NULL, "", "--socket %s/none.sock show version", served_dir);
	assert_int_equal(r.code, 3);
	snprintf(want, sizeof(want),
		"koictl: no daemon answers at %s/none.sock: No such file or directory\n",
		served_dir);
	assert_string_equal(r.err, want);
	run(&r, NULL, "", "--node koi-test-none show version");
	assert_int_equal(r.code, 3);
	assert_non_null(strstr(r.err, "/run/koi/koi-test-none/cli.sock"));
	/* stale */
	mgmt_server_stop(served);
	served = NULL;
	served_stale();
	run(&r, NULL, "", "--socket %s show version", served_path);
	assert_int_equal(r.code, 3);
	assert_non_null(strstr(r.err, "Connection refused"));
}

/* A daemon that hangs up, or says it is full. */
static void
rude_daemon(void **state)
{
	static const char full[] = "too many sessions, try again later\n";
	char rude[80], line[160], *args[ARGS_MAX];
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(rude, sizeof(rude), "%s/rude.sock", served_dir);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", rude);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 1), 0);
	for (int say = 0; say < 2; say++) {
		pid_t pid;
		int fd;

		snprintf(line, sizeof(line), "--socket %s show version", rude);
		make_args(line, args);
		pid = fork();
		if (pid == 0) {
			alarm(SERVED_DEADLINE_MS / 1000);
			freopen("/dev/null", "w", stderr);
			execv(args[0], args);
			_exit(127);
		}
		fd = accept(listener, NULL, NULL);
		if (say)
			assert_int_equal(write(fd, full, sizeof(full) - 1), sizeof(full) - 1);
		close(fd);
		assert_int_equal(exit_code(pid), 3);
	}
	close(listener);
	unlink(rude);
}

static void
finds_the_node(void **state)
{
	static const char *const none[] = {NULL}, *const one[] = {"fw1", NULL};
	static const char *const two[] = {"fw1", "fw2", NULL};
	struct run r;

	(void)state;
	run(&r, one, "", "show carp demotion");
	if (r.code == NO_NAMESPACE)
		skip();
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "demotion 1\n");
	run(&r, none, "", "show carp demotion");
	assert_int_equal(r.code, 3);
	assert_string_equal(r.err, "koictl: no koi runs here: no /run/koi/*/cli.sock\n");
	run(&r, two, "", "show carp demotion");
	assert_int_equal(r.code, 2);
	assert_string_equal(
		r.err, "koictl: several nodes run here, choose one with --node:\n  fw1\n  fw2\n");
	run(&r, two, "", "--node fw2 show carp demotion");
	assert_int_equal(r.code, 0);
}

/* As with "koictl show carp all | head -n 1": its reader is gone, and that is no error to tell. */
static void
nobody_reads(void **state)
{
	char line[160], *args[ARGS_MAX], said[256];
	int out[2], err[2], status;
	pid_t pid;

	(void)state;
	snprintf(line, sizeof(line), "--socket %s show carp all", served_path);
	make_args(line, args);
	assert_int_equal(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	close(out[0]);
	pid = fork();
	if (pid == 0) {
		alarm(SERVED_DEADLINE_MS / 1000);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execv(args[0], args);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	collect(err[0], said, sizeof(said));
	assert_string_equal(said, "");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
}

static void
interactive_on_a_pipe(void **state)
{
	struct run r;

	(void)state;
	run(&r, NULL, "show carp demotion\ncarp carp1 down\n", "--socket %s", served_path);
	assert_int_equal(r.code, 0);
	assert_non_null(strstr(r.out, "fw1> show carp demotion\r\ndemotion 1\nfw1> "));
	assert_int_equal(fake.request.type, CTL_REQ_DOWN);
	run(&r, NULL, "quit\n", "--socket %s", served_path);
	assert_int_equal(r.code, 0);
}

/* Read from the terminal until text appears. */
static void
watch(int fd, const char *text)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[16384] = "";
	size_t have = 0;

	while (!strstr(buf, text)) {
		ssize_t n;

		if (poll(&p, 1, SERVED_DEADLINE_MS) != 1)
			fail_msg("no %s in: %s", text, buf);
		n = read(fd, buf + have, sizeof(buf) - 1 - have);
		if (n <= 0)
			fail_msg("no %s in: %s", text, buf);
		have += (size_t)n;
		buf[have] = '\0';
	}
}

static void
interactive_on_a_terminal(void **state)
{
	struct termios before, during, after;
	int master, slave;

	(void)state;
	for (int how = 0; how < 2; how++) {
		char line[128], *args[ARGS_MAX];
		pid_t pid;

		assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
		assert_int_equal(tcgetattr(slave, &before), 0);
		snprintf(line, sizeof(line), "--socket %s", served_path);
		make_args(line, args);
		pid = fork();
		if (pid == 0) {
			alarm(SERVED_DEADLINE_MS / 1000);
			dup2(slave, 0);
			dup2(slave, 1);
			execv(args[0], args);
			_exit(127);
		}
		watch(master, "fw1> ");
		assert_int_equal(tcgetattr(slave, &during), 0);
		assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
		/* completion of a name */
		assert_int_equal(write(master, "show interface w\t\n", 18), 18);
		watch(master, "net_null1");
		if (how == 0)
			assert_int_equal(write(master, "quit\n", 5), 5);
		else
			kill(pid, SIGTERM);
		assert_int_equal(exit_code(pid), how == 0 ? 0 : 128 + SIGTERM);
		assert_int_equal(tcgetattr(slave, &after), 0);
		assert_int_equal(after.c_lflag, before.c_lflag);
		close(master);
		close(slave);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, served_before, served_after)
		T(one_command),
		T(usage),
		T(no_daemon),
		T(rude_daemon),
		T(finds_the_node),
		T(nobody_reads),
		T(interactive_on_a_pipe),
		T(interactive_on_a_terminal),
#undef T
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
