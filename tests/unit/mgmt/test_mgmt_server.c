/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The CLI socket from outside: requests, sessions, stalled clients, stale sockets. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_cli_priv.h"
#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

/* A wait for an answer that should come at once; only a failure takes so long. */
#define DEADLINE_MS 20000

static char dir[] = "/tmp/koi-mgmt-XXXXXX";
static char path[108];
static struct mgmt_cli *cli;
static struct mgmt_server *server;

static struct mgmt_server *
start(unsigned int send_timeout_ms, char *err, unsigned int err_len)
{
	return mgmt_server_start(&fake.config, cli, send_timeout_ms, err, err_len);
}

static int
setup(void **state)
{
	char err[256] = "";

	(void)state;
	fake_setup();
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/run/fw1/cli.sock", dir);
	fake.config.cli_socket = path;
	cli = mgmt_cli_new();
	server = start(MGMT_SEND_TIMEOUT_MS, err, sizeof(err));
	return server ? 0 : -1;
}

static int
teardown(void **state)
{
	char sub[128];

	(void)state;
	mgmt_server_stop(server);
	mgmt_cli_free(cli);
	unlink(path);
	snprintf(sub, sizeof(sub), "%s/run/fw1", dir);
	rmdir(sub);
	snprintf(sub, sizeof(sub), "%s/run", dir);
	rmdir(sub);
	rmdir(dir);
	fake_teardown();
	return 0;
}

static int
dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until the text ends with tail; "" at the end of the stream means read it all. */
static char *
hear(int fd, const char *tail)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t have = 0, cap = 1 << 20;
	char *buf = calloc(1, cap);

	while (have < cap - 1) {
		ssize_t n;

		if (poll(&p, 1, DEADLINE_MS) != 1)
			fail_msg("nothing came, have: %s", buf);
		n = recv(fd, buf + have, cap - 1 - have, 0);
		if (n <= 0) {
			if (*tail != '\0')
				fail_msg("closed, have: %s", buf);
			return buf;
		}
		have += (size_t)n;
		if (*tail != '\0' && have >= strlen(tail) &&
			strcmp(buf + have - strlen(tail), tail) == 0)
			return buf;
	}
	fail_msg("too much");
	return buf;
}

static json_t *
ask(int fd, const char *request)
{
	char *line;
	json_t *v;

	say(fd, request);
	say(fd, "\n");
	line = hear(fd, "\n");
	v = json_loads(line, 0, NULL);
	if (!v)
		fail_msg("no JSON: %s", line);
	free(line);
	return v;
}

static void
expect(int fd, const char *request, int status, const char *output)
{
	json_t *v = ask(fd, request);

	assert_string_equal(get_str(v, "output"), output);
	assert_int_equal(get_u64(v, "status"), status);
	json_decref(v);
}

static void
framed_requests(void **state)
{
	int fd = dial();
	json_t *v;

	(void)state;
	v = ask(fd, "{\"cmd\": \"show carp all\"}");
	assert_int_equal(get_u64(v, "status"), 0);
	assert_non_null(strstr(get_str(v, "output"), "carp: MASTER carpdev lan vhid 1"));
	json_decref(v);
	v = ask(fd, "{\"cmd\": \"show carp carp1\", \"json\": true}");
	assert_string_equal(get_str(json_object_get(v, "output"), "state"), "BACKUP");
	json_decref(v);
	expect(fd, "{\"cmd\": \"carp carp0 down\", \"json\": true}", 0, "");
	assert_int_equal(fake.request.type, CTL_REQ_DOWN);
	fake.request_rc = -EAGAIN;
	expect(fd, "{\"cmd\": \"carp carp0 state master\"}", 1, "refused: the group is in INIT\n");
	expect(fd, "{\"cmd\": \"carp carp9 down\"}", 2,
		"unknown group \"carp9\": groups are carp0, carp1\n");
	say(fd, "{\"cmd\": \"quit\"}\n");
	free(hear(fd, ""));
	close(fd);
}

static void
garbage(void **state)
{
	static const struct {
		const char *request, *output;
	} cases[] = {
		{"{\"cmd\": \"show}",
			"malformed request at column 14: premature end of input near "
			"'\"show}'"},
		{"{]", "malformed request at column 2: string or '}' expected near ']'"},
		{"[1]", "a request is an object"},
		{"{}", "\"cmd\" is missing"},
		{"{\"json\": true}", "\"cmd\" is missing"},
		{"{\"cmd\": 7}", "\"cmd\" must be a string"},
		{"{\"cmd\": \"help\", \"json\": 1}", "\"json\" must be true or false"},
		{"{\"cmd\": \"help\", \"jsn\": true}",
			"unknown key: a request has \"cmd\" and \"json\""},
		{"{\"cmd\": \"\"}", "empty command\n"},
		{"{\"cmd\": \"help\\nhelp\"}", "a command is one line of ASCII characters\n"},
	};
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(fd, cases[i].request, 2, cases[i].output);
	/* empty lines are nothing; several requests may come at once, or in pieces */
	say(fd, "\n\n{\"cmd\": \"carp carp0 up\"}\n{\"cmd\": \"carp carp0 ");
	{
		char *line = hear(fd, "\n");

		assert_string_equal(line, "{\"status\":0,\"output\":\"\"}\n");
		free(line);
	}
	expect(fd, "down\"}", 0, "");
	assert_int_equal(fake.request.type, CTL_REQ_DOWN);
	close(fd);
}

static void
long_requests(void **state)
{
	char line[3 * MGMT_REQUEST_MAX];
	int fd = dial();
	size_t n;

	(void)state;
	/* the longest that is read: 4096 bytes and a newline */
	n = (size_t)snprintf(line, sizeof(line), "{\"cmd\": \"carp carp0 up\"}");
	memset(line + n, ' ', MGMT_REQUEST_MAX - n);
	line[MGMT_REQUEST_MAX] = '\0';
	expect(fd, line, 0, "");
	memset(line, 'x', sizeof(line) - 1);
	line[0] = '{';
	line[sizeof(line) - 1] = '\0';
	expect(fd, line, 2, "a request is at most 4096 bytes");
	expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);
}

static void
sessions(void **state)
{
	int fd = dial();
	char *out;

	(void)state;
	/* koictl's newline asks for the prompt and is no empty command */
	say(fd, "\n");
	out = hear(fd, "fw1> ");
	assert_string_equal(out, "fw1> ");
	free(out);
	say(fd, "show carp demotion\n");
	out = hear(fd, "\r\ndemotion 1\nfw1> ");
	free(out);
	say(fd, "quit\n");
	free(hear(fd, ""));
	close(fd);
	/* a command at once is a person's too */
	fd = dial();
	say(fd, "carp carp0 up\n");
	free(hear(fd, "fw1> "));
	assert_int_equal(fake.request.type, CTL_REQ_UP);
	shutdown(fd, SHUT_WR);
	free(hear(fd, ""));
	close(fd);
}

static void
two_clients_at_once(void **state)
{
	int a = dial(), b = dial();
	char *out;

	(void)state;
	say(a, "\n");
	free(hear(a, "fw1> "));
	say(a, "show carp de");
	expect(b, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	say(a, "motion\n");
	out = hear(a, "fw1> ");
	assert_non_null(strstr(out, "demotion 1\n"));
	free(out);
	expect(b, "{\"cmd\": \"carp carp0 down\"}", 0, "");
	close(b);
	close(a);
}

/*
 * However long a program waits before its first byte, nothing is sent to it but its replies. There
 * is no time-out any more that could be waited for: this only shows that no prompt is owed.
 */
static void
late_requests_are_framed(void **state)
{
	int late = dial(), other = dial();
	struct pollfd p = {.fd = late, .events = POLLIN};
	char *out;

	(void)state;
	expect(other, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	say(other, "{\"cmd\": \"quit\"}\n");
	free(hear(other, ""));
	close(other);
	assert_int_equal(poll(&p, 1, 0), 0);
	say(late, "{");
	say(late, "\"cmd\": \"carp carp0 down\"}\n");
	out = hear(late, "\n");
	assert_string_equal(out, "{\"status\":0,\"output\":\"\"}\n");
	free(out);
	close(late);
}

/* Its answer, not just a prompt, which may come before the line was heard. */
static void
demotion_ask(int fd)
{
	say(fd, "show carp demotion\n");
	free(hear(fd, "demotion 1\nfw1> "));
}

/* In a full house the person who said nothing for the longest makes room; programs stay. */
static void
an_idle_session_makes_room(void **state)
{
	static const char bye[] = "\r\nsession ended: idle, and another client needs its place\r\n";
	int fds[MGMT_CLIENTS_MAX], more[2];
	char *out;

	(void)state;
	fds[0] = dial();
	expect(fds[0], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	for (unsigned int i = 1; i < MGMT_CLIENTS_MAX; i++) {
		fds[i] = dial();
		demotion_ask(fds[i]);
	}
	/* what is typed counts, a whole line or not */
	demotion_ask(fds[1]);
	say(fds[2], "x");
	free(hear(fds[2], "x"));
	for (unsigned int i = 0; i < 2; i++) {
		more[i] = dial();
		demotion_ask(more[i]);
		out = hear(fds[3 + i], "");
		assert_string_equal(out, bye);
		free(out);
	}
	expect(fds[0], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	demotion_ask(fds[1]);
	for (unsigned int i = 0; i < MGMT_CLIENTS_MAX; i++)
		close(fds[i]);
	close(more[0]);
	close(more[1]);
}

static void
too_many_clients(void **state)
{
	static const char req[] = "{\"cmd\": \"carp carp0 down\"}\n";
	int fds[MGMT_CLIENTS_MAX], one_more;
	char *out;

	(void)state;
	for (unsigned int i = 0; i < MGMT_CLIENTS_MAX; i++) {
		fds[i] = dial();
		expect(fds[i], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	}
	one_more = dial();
	out = hear(one_more, "");
	assert_string_equal(out, "too many sessions, try again later\n");
	free(out);
	close(one_more);
	/* a place that becomes free is given again */
	say(fds[3], "{\"cmd\": \"quit\"}\n");
	free(hear(fds[3], ""));
	close(fds[3]);
	for (;;) {
		/* its thread may still be on its last lines */
		one_more = dial();
		if (send(one_more, req, sizeof(req) - 1, MSG_NOSIGNAL) == sizeof(req) - 1) {
			out = hear(one_more, "\n");
			if (*out == '{')
				break;
			free(out);
		}
		close(one_more);
	}
	free(out);
	close(one_more);
	for (unsigned int i = 0; i < MGMT_CLIENTS_MAX; i++)
		if (i != 3)
			close(fds[i]);
}

static void
stalled_client_hurts_only_itself(void **state)
{
	char err[256];
	int stalled, fd;

	(void)state;
	mgmt_server_stop(server);
	server = start(100, err, sizeof(err));
	assert_non_null(server);
	stalled = dial();
	fd = dial();
	/* asks and never reads: the replies fill the socket, then the server gives it up */
	for (;;) {
		static const char req[] = "{\"cmd\": \"help\"}\n";
		ssize_t n = send(stalled, req, sizeof(req) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = {.fd = stalled, .events = POLLOUT};

		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
		if (n < 0)
			assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	}
	close(stalled);
	close(fd);
	/* the same in a session: cmdline's own writes must not block for ever */
	stalled = dial();
	say(stalled, "\n");
	for (;;) {
		ssize_t n = send(stalled, "help\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = {.fd = stalled, .events = POLLOUT};

		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	}
	close(stalled);
}

/* Mode and group are the configuration's; what cannot be is said, and no socket stays. */
static void
socket_of_a_group(void **state)
{
	struct conf_cli *cfg = &fake.conf->cli;
	char err[256], want[300];
	struct stat st;

	(void)state;
	mgmt_server_stop(server);
	cfg->mode = 0600;
	server = start(1000, err, sizeof(err));
	assert_non_null(server);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_gid, getegid());
	mgmt_server_stop(server);
	cfg->mode = 0666;
	if (geteuid() == 0) {
		struct group *g = getgrnam("daemon");

		assert_non_null(g);
		snprintf(cfg->group, sizeof(cfg->group), "daemon");
		server = start(1000, err, sizeof(err));
		assert_non_null(server);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0666);
		assert_int_equal(st.st_gid, g->gr_gid);
		mgmt_server_stop(server);
	}
	snprintf(cfg->group, sizeof(cfg->group), "no-such-group");
	server = start(1000, err, sizeof(err));
	assert_null(server);
	snprintf(want, sizeof(want),
		"CLI socket %s: /cli/group \"no-such-group\": there is no such group", path);
	assert_string_equal(err, want);
	assert_int_equal(stat(path, &st), -1);
}

static void
socket_file(void **state)
{
	char err[256], want[300], sub[128];
	struct stat st;
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);

	/* a live one is an error, and stays */
	assert_null(start(1000, err, sizeof(err)));
	snprintf(want, sizeof(want), "CLI socket %s: another koi answers there", path);
	assert_string_equal(err, want);
	fd = dial();
	expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);

	/* one that nobody answers goes */
	mgmt_server_stop(server);
	server = NULL;
	assert_int_equal(stat(path, &st), -1);
	{
		struct sockaddr_un addr = {.sun_family = AF_UNIX};
		int stale = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
		assert_int_equal(bind(stale, (struct sockaddr *)&addr, sizeof(addr)), 0);
		close(stale);
	}
	server = start(1000, err, sizeof(err));
	assert_non_null(server);
	fd = dial();
	expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);

	/* at the end only our own is removed */
	unlink(path);
	f = fopen(path, "w");
	fclose(f);
	mgmt_server_stop(server);
	assert_int_equal(stat(path, &st), 0);

	/* a file that is no socket is not touched */
	server = start(1000, err, sizeof(err));
	assert_null(server);
	snprintf(want, sizeof(want), "CLI socket %s: exists and is not a socket", path);
	assert_string_equal(err, want);
	assert_int_equal(stat(path, &st), 0);

	/* nowhere to put it */
	snprintf(sub, sizeof(sub), "%s/below", path);
	fake.config.cli_socket = sub;
	assert_null(start(1000, err, sizeof(err)));
	snprintf(want, sizeof(want), "CLI socket %s: Not a directory", sub);
	assert_string_equal(err, want);
	memset(sub, 'x', sizeof(sub));
	sub[0] = '/';
	sub[sizeof(sub) - 1] = '\0';
	assert_null(start(1000, err, sizeof(err)));
	assert_non_null(strstr(err, "File name too long"));
}

static void
stopping_ends_sessions(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "\n");
	free(hear(fd, "fw1> "));
	mgmt_server_stop(server);
	server = NULL;
	free(hear(fd, ""));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(framed_requests),
		T(garbage),
		T(long_requests),
		T(sessions),
		T(two_clients_at_once),
		T(late_requests_are_framed),
		T(an_idle_session_makes_room),
		T(too_many_clients),
		T(stalled_client_hurts_only_itself),
		T(socket_of_a_group),
		T(socket_file),
		T(stopping_ends_sessions),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
