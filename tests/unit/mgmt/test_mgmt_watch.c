/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The event stream: what comes, from where on, for whom, and what happens to who does not read. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_watch_priv.h"

/* A wait for an answer that should come at once; only a failure takes so long. */
#define DEADLINE_MS 20000

static int ours = -1, theirs = -1;
static struct mgmt_watch what;
static unsigned int timeout_ms;
static pthread_t thread;
static bool running;
static char buf[1 << 20];
static size_t have;

static int
setup(void **state)
{
	int fd[2];

	(void)state;
	fake_setup();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return -1;
	ours = fd[0];
	theirs = fd[1];
	what = (struct mgmt_watch){.on = true};
	timeout_ms = DEADLINE_MS;
	have = 0;
	return 0;
}

static void *
watch_main(void *arg)
{
	(void)arg;
	mgmt_watch_run(&fake.config, &what, theirs, timeout_ms);
	shutdown(theirs, SHUT_RDWR);
	return NULL;
}

static void
start(void)
{
	assert_int_equal(pthread_create(&thread, NULL, watch_main, NULL), 0);
	running = true;
}

static void
join(void)
{
	if (running)
		pthread_join(thread, NULL);
	running = false;
}

static int
teardown(void **state)
{
	(void)state;
	shutdown(ours, SHUT_RDWR);
	join();
	close(ours);
	close(theirs);
	fake_teardown();
	return 0;
}

/* The next line; NULL at the end of the stream. */
static json_t *
next(void)
{
	struct pollfd p = {.fd = ours, .events = POLLIN};
	json_error_t err;
	char *nl;
	json_t *v;

	while (!(nl = memchr(buf, '\n', have))) {
		ssize_t n;

		if (poll(&p, 1, DEADLINE_MS) != 1)
			fail_msg("nothing came");
		n = recv(ours, buf + have, sizeof(buf) - have, 0);
		if (n <= 0)
			return NULL;
		have += (size_t)n;
	}
	v = json_loadb(buf, (size_t)(nl - buf), 0, &err);
	if (!v)
		fail_msg("no JSON: %.*s", (int)(nl - buf), buf);
	have -= (size_t)(nl + 1 - buf);
	memmove(buf, nl + 1, have);
	return v;
}

static void
expect(const char *kind, uint64_t seq)
{
	json_t *v = next();

	assert_non_null(v);
	assert_string_equal(get_str(v, "kind"), kind);
	assert_int_equal(get_u64(v, "seq"), seq);
	json_decref(v);
}

/* From now on: what was before is not told again, what comes is told as it does. */
static void
from_now_on(void **state)
{
	json_t *v;

	(void)state;
	fake_event(CTL_EVENT_LINK);
	start();
	v = next();
	assert_string_equal(get_str(v, "kind"), "hello");
	assert_int_equal(get_u64(v, "seq"), 1);
	assert_int_equal(get_u64(v, "newest"), 1);
	assert_string_equal(get_str(v, "node"), "fw1");
	assert_int_equal(strlen(get_str(v, "started")), 24);
	assert_false(get_bool(v, "restarted"));
	json_decref(v);
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	v = next();
	assert_string_equal(get_str(v, "kind"), "state");
	assert_string_equal(get_str(v, "group"), "carp0");
	assert_string_equal(get_str(v, "from"), "BACKUP");
	assert_string_equal(get_str(v, "to"), "MASTER");
	assert_int_equal(get_u64(v, "seq"), 2);
	json_decref(v);
	fake_event(CTL_EVENT_STALL);
	expect("stall", 3);
}

static void
after_a_number(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 40; i++)
		fake_event(CTL_EVENT_STALL);
	what.has_after = true;
	what.after = 7;
	start();
	expect("hello", 7);
	for (unsigned int i = 8; i <= 40; i++)
		expect("stall", i);
}

/* A number of an earlier life of koi: all of this one is new. */
static void
after_a_restart(void **state)
{
	json_t *v;

	(void)state;
	fake_event(CTL_EVENT_STALL);
	what.has_after = true;
	what.after = 500;
	start();
	v = next();
	assert_true(get_bool(v, "restarted"));
	assert_int_equal(get_u64(v, "seq"), 0);
	json_decref(v);
	expect("stall", 1);
}

static void
what_is_lost_is_told(void **state)
{
	json_t *v;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		fake_event(CTL_EVENT_STALL)->seq = 101 + i; /* 100 are not kept any more */
	what.has_after = true;
	what.after = 40;
	start();
	expect("hello", 40);
	v = next();
	assert_string_equal(get_str(v, "kind"), "lost");
	assert_int_equal(get_u64(v, "count"), 60);
	assert_int_equal(get_u64(v, "seq"), 100);
	json_decref(v);
	expect("stall", 101);
}

static void
of_one_group(void **state)
{
	struct ctl_event *e;

	(void)state;
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT); /* 1 */
	fake_transition(1, ELECTION_MASTER, ELECTION_CAUSE_TIMEOUT); /* 2 */
	e = fake_event(CTL_EVENT_LINK);				     /* 3: its interface */
	e->group = ELECTION_NONE;
	e->if_id = 1;
	e = fake_event(CTL_EVENT_LINK); /* 4: the other one's */
	e->group = ELECTION_NONE;
	e->if_id = 0;
	e = fake_event(CTL_EVENT_STALL); /* 5: the box */
	e->group = ELECTION_NONE;
	e->if_id = ELECTION_NONE;
	what.has_after = what.has_group = true;
	what.group = 1;
	start();
	expect("hello", 0);
	expect("state", 2);
	expect("link", 3);
	expect("stall", 5);
}

/* Who does not read is cut off, and finds a last line behind what it had been sent. */
static void
who_does_not_read_is_cut_off(void **state)
{
	uint64_t seq = 0;
	json_t *v;

	(void)state;
	for (unsigned int i = 0; i < 590; i++)
		fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	what.has_after = true;
	timeout_ms = 100;
	start();
	join(); /* ends by itself */
	expect("hello", 0);
	while ((v = next()) && strcmp(get_str(v, "kind"), "state") == 0) {
		assert_int_equal(get_u64(v, "seq"), ++seq);
		json_decref(v);
	}
	assert_non_null(v);
	assert_string_equal(get_str(v, "kind"), "cut_off");
	assert_int_equal(get_u64(v, "seq"), seq); /* where to go on */
	assert_true(seq > 10 && seq < 590);
	json_decref(v);
	assert_null(next());
}

/* A reader that is only slow gets everything. */
static void
who_reads_late_gets_all(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 590; i++)
		fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	what.has_after = true;
	start();
	expect("hello", 0);
	for (unsigned int i = 1; i <= 590; i++)
		expect("state", i);
}

static void
ends_when_spoken_to_or_left(void **state)
{
	(void)state;
	start();
	expect("hello", 0);
	assert_int_equal(send(ours, "q", 1, MSG_NOSIGNAL), 1);
	join();
	start();
	shutdown(ours, SHUT_WR);
	join();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_now_on, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_number, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_lost_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(of_one_group, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(who_reads_late_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_when_spoken_to_or_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
