/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The CLI socket from outside: requests, sessions, stalled clients. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_priv.h"
#include "mgmt_served.h"

static void
framed_requests(void **state)
{
	int fd = served_dial();
	json_t *v;

	(void)state;
	v = served_ask(fd, "{\"cmd\": \"show carp all\"}");
	assert_int_equal(get_u64(v, "status"), 0);
	assert_non_null(strstr(get_str(v, "output"), "carp: MASTER carpdev lan vhid 1"));
	json_decref(v);
	v = served_ask(fd, "{\"cmd\": \"show carp carp1\", \"json\": true}");
	assert_string_equal(get_str(json_object_get(v, "output"), "state"), "BACKUP");
	json_decref(v);
	served_expect(fd, "{\"cmd\": \"carp carp0 down\", \"json\": true}", 0, "");
	assert_int_equal(fake.request.type, CTL_REQ_DOWN);
	fake.request_rc = -EAGAIN;
	served_expect(
		fd, "{\"cmd\": \"carp carp0 state master\"}", 1, "refused: the group is in INIT\n");
	served_expect(fd, "{\"cmd\": \"carp carp9 down\"}", 2,
		"unknown group \"carp9\": groups are carp0, carp1\n");
	served_say(fd, "{\"cmd\": \"quit\"}\n");
	free(served_hear(fd, ""));
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
	int fd = served_dial();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		served_expect(fd, cases[i].request, 2, cases[i].output);
	/* empty lines are nothing; several requests may come at once, or in pieces */
	served_say(fd, "\n\n{\"cmd\": \"carp carp0 up\"}\n{\"cmd\": \"carp carp0 ");
	{
		char *line = served_hear(fd, "\n");

		assert_string_equal(line, "{\"status\":0,\"output\":\"\"}\n");
		free(line);
	}
	served_expect(fd, "down\"}", 0, "");
	assert_int_equal(fake.request.type, CTL_REQ_DOWN);
	close(fd);
}

static void
long_requests(void **state)
{
	char line[3 * MGMT_REQUEST_MAX];
	int fd = served_dial();
	size_t n;

	(void)state;
	/* the longest that is read: 4096 bytes and a newline */
	n = (size_t)snprintf(line, sizeof(line), "{\"cmd\": \"carp carp0 up\"}");
	memset(line + n, ' ', MGMT_REQUEST_MAX - n);
	line[MGMT_REQUEST_MAX] = '\0';
	served_expect(fd, line, 0, "");
	memset(line, 'x', sizeof(line) - 1);
	line[0] = '{';
	line[sizeof(line) - 1] = '\0';
	served_expect(fd, line, 2, "a request is at most 4096 bytes");
	served_expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	close(fd);
}

static void
sessions(void **state)
{
	int fd = served_dial();
	char *out;

	(void)state;
	/* koictl's newline asks for the prompt and is no empty command */
	served_say(fd, "\n");
	out = served_hear(fd, "fw1> ");
	assert_string_equal(out, "fw1> ");
	free(out);
	served_say(fd, "show carp demotion\n");
	out = served_hear(fd, "\r\ndemotion 1\nfw1> ");
	free(out);
	served_say(fd, "quit\n");
	free(served_hear(fd, ""));
	close(fd);
	/* a command at once is a person's too */
	fd = served_dial();
	served_say(fd, "carp carp0 up\n");
	free(served_hear(fd, "fw1> "));
	assert_int_equal(fake.request.type, CTL_REQ_UP);
	shutdown(fd, SHUT_WR);
	free(served_hear(fd, ""));
	close(fd);
}

static void
two_clients_at_once(void **state)
{
	int a = served_dial(), b = served_dial();
	char *out;

	(void)state;
	served_say(a, "\n");
	free(served_hear(a, "fw1> "));
	served_say(a, "show carp de");
	served_expect(b, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	served_say(a, "motion\n");
	out = served_hear(a, "fw1> ");
	assert_non_null(strstr(out, "demotion 1\n"));
	free(out);
	served_expect(b, "{\"cmd\": \"carp carp0 down\"}", 0, "");
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
	int late = served_dial(), other = served_dial();
	struct pollfd p = {.fd = late, .events = POLLIN};
	char *out;

	(void)state;
	served_expect(other, "{\"cmd\": \"carp carp0 up\"}", 0, "");
	served_say(other, "{\"cmd\": \"quit\"}\n");
	free(served_hear(other, ""));
	close(other);
	assert_int_equal(poll(&p, 1, 0), 0);
	served_say(late, "{");
	served_say(late, "\"cmd\": \"carp carp0 down\"}\n");
	out = served_hear(late, "\n");
	assert_string_equal(out, "{\"status\":0,\"output\":\"\"}\n");
	free(out);
	close(late);
}

/* Its answer, not just a prompt, which may come before the line was heard. */
static void
demotion_ask(int fd)
{
	served_say(fd, "show carp demotion\n");
	free(served_hear(fd, "demotion 1\nfw1> "));
}

static void
fill_with_people(int fds[MGMT_CLIENTS_MAX])
{
	for (unsigned int i = 1; i < MGMT_CLIENTS_MAX; i++) {
		fds[i] = served_dial();
		demotion_ask(fds[i]);
	}
}

static void
close_all(const int fds[MGMT_CLIENTS_MAX], const int more[2])
{
	for (unsigned int i = 0; i < MGMT_CLIENTS_MAX + 2; i++)
		close(i < 2 ? more[i] : fds[i - 2]);
}

static const char bye[] = "\r\nsession ended: idle, and another client needs its place\r\n";

/* In a full house the person who said nothing for the longest makes room; programs stay. */
static void
an_idle_session_makes_room(void **state)
{
	int fds[MGMT_CLIENTS_MAX], more[2];
	char *out;

	(void)state;
	fds[0] = served_dial();
	served_expect(fds[0], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	fill_with_people(fds);
	/* what is typed counts, a whole line or not */
	demotion_ask(fds[1]);
	served_say(fds[2], "x");
	free(served_hear(fds[2], "x"));
	for (unsigned int i = 0; i < 2; i++) {
		more[i] = served_dial();
		demotion_ask(more[i]);
		out = served_hear(fds[3 + i], "");
		assert_string_equal(out, bye);
		free(out);
	}
	served_expect(fds[0], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	demotion_ask(fds[1]);
	close_all(fds, more);
}

/* Who waits for a command is not idle, nor does anybody wait for its end. */
static void
a_running_command_is_not_idle(void **state)
{
	const struct timespec look = {.tv_nsec = (long)BASE_NS_PER_MS};
	int fds[MGMT_CLIENTS_MAX], more[2];

	(void)state;
	/* carp0 finds no master, and the clock stands still: that drain does not end */
	fake.groups[0].info.state = ELECTION_BACKUP;
	fake.successor[0].family = BASE_FAMILY_NONE;
	fds[0] = served_dial();
	served_say(fds[0], "drain 1\n");
	while (__atomic_load_n(&fake.n_requests, __ATOMIC_ACQUIRE) == 0)
		nanosleep(&look, NULL);
	fill_with_people(fds);
	more[0] = served_dial();
	demotion_ask(more[0]);
	free(served_hear(fds[1], bye));
	__atomic_fetch_add(&fake.now, 2 * BASE_NS_PER_S, __ATOMIC_RELEASE);
	free(served_hear(fds[0], "until \"undrain\"\nfw1> "));
	/* it begins to be idle with the end of its command */
	more[1] = served_dial();
	demotion_ask(more[1]);
	free(served_hear(fds[2], bye));
	demotion_ask(fds[0]);
	close_all(fds, more);
}

static void
too_many_clients(void **state)
{
	static const char req[] = "{\"cmd\": \"carp carp0 down\"}\n";
	int fds[MGMT_CLIENTS_MAX], one_more;
	char *out;

	(void)state;
	for (unsigned int i = 0; i < MGMT_CLIENTS_MAX; i++) {
		fds[i] = served_dial();
		served_expect(fds[i], "{\"cmd\": \"carp carp0 up\"}", 0, "");
	}
	one_more = served_dial();
	out = served_hear(one_more, "");
	assert_string_equal(out, "too many sessions, try again later\n");
	free(out);
	close(one_more);
	/* a place that becomes free is given again */
	served_say(fds[3], "{\"cmd\": \"quit\"}\n");
	free(served_hear(fds[3], ""));
	close(fds[3]);
	for (;;) {
		/* its thread may still be on its last lines */
		one_more = served_dial();
		if (send(one_more, req, sizeof(req) - 1, MSG_NOSIGNAL) == sizeof(req) - 1) {
			out = served_hear(one_more, "\n");
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
	mgmt_server_stop(served);
	served = served_start(100, err, sizeof(err));
	assert_non_null(served);
	stalled = served_dial();
	fd = served_dial();
	/* asks and never reads: the replies fill the socket, then the server gives it up */
	for (;;) {
		static const char req[] = "{\"cmd\": \"help\"}\n";
		ssize_t n = send(stalled, req, sizeof(req) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = {.fd = stalled, .events = POLLOUT};

		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		served_expect(fd, "{\"cmd\": \"carp carp0 up\"}", 0, "");
		if (n < 0)
			assert_int_equal(poll(&p, 1, SERVED_DEADLINE_MS), 1);
	}
	close(stalled);
	close(fd);
	/* the same in a session: cmdline's own writes must not block for ever */
	stalled = served_dial();
	served_say(stalled, "\n");
	for (;;) {
		ssize_t n = send(stalled, "help\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = {.fd = stalled, .events = POLLOUT};

		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			assert_int_equal(poll(&p, 1, SERVED_DEADLINE_MS), 1);
	}
	close(stalled);
}

static void
stopping_ends_sessions(void **state)
{
	int fd = served_dial();

	(void)state;
	served_say(fd, "\n");
	free(served_hear(fd, "fw1> "));
	mgmt_server_stop(served);
	served = NULL;
	free(served_hear(fd, ""));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, served_before, served_after)
		T(framed_requests),
		T(garbage),
		T(long_requests),
		T(sessions),
		T(two_clients_at_once),
		T(late_requests_are_framed),
		T(an_idle_session_makes_room),
		T(a_running_command_is_not_idle),
		T(too_many_clients),
		T(stalled_client_hurts_only_itself),
		T(stopping_ends_sessions),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
