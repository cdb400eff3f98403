/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What the service manager hears, by a socket of ours in its place and a clock moved by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

#define S  BASE_NS_PER_S
#define MS BASE_NS_PER_MS

static int manager = -1;

static int
manager_listens(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char name[64];
	int len = snprintf(name, sizeof(name), "@koi-test-notify-%d", (int)getpid());

	(void)state;
	memcpy(a.sun_path, name, (size_t)len);
	a.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (manager < 0 ||
		bind(manager, (struct sockaddr *)&a,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) != 0)
		return -1;
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "4000000", 1);
	snprintf(name, sizeof(name), "%d", (int)getpid());
	setenv("WATCHDOG_PID", name, 1);
	return 0;
}

static int
manager_ends(void **state)
{
	(void)state;
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

/** The next message, "" when there is none. */
static const char *
heard(void)
{
	static char text[512];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
a_life_is_told(void **state)
{
	struct notify_state s = {.beat = 10 * S, .backups = 2};
	struct notify n;

	(void)state;
	assert_int_equal(notify_open(&n), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	/* not ready: an early end is no STOPPING of what never ran */
	notify_stopping(&n);
	assert_string_equal(heard(), "");
	notify_ready(&n, 10 * S, &s);
	assert_string_equal(heard(), "READY=1\nSTATUS=0 MASTER, 2 BACKUP, 0 INIT");
	assert_string_equal(heard(), "");

	s.masters = 1;
	s.backups = 1;
	s.beat += MS;
	notify_turn(&n, 10 * S + MS, &s);
	assert_string_equal(heard(), "STATUS=1 MASTER, 1 BACKUP, 0 INIT");
	notify_turn(&n, 10 * S + 2 * MS, &s);
	assert_string_equal(heard(), "");
	s.demotion = 240;
	notify_turn(&n, 10 * S + 3 * MS, &s);
	assert_string_equal(heard(), "STATUS=1 MASTER, 1 BACKUP, 0 INIT, demoted by 240");

	notify_reloading(&n);
	assert_int_equal(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_ready(&n, 10 * S + 4 * MS, &s);
	assert_string_equal(heard(), "READY=1\nSTATUS=1 MASTER, 1 BACKUP, 0 INIT, demoted by 240");

	notify_stopping(&n);
	assert_string_equal(heard(), "STOPPING=1");
	notify_stopping(&n);
	assert_string_equal(heard(), "");
	notify_close(&n);
}

/* WATCHDOG_USEC is 4 s: fed every second, and only while the control lcore's beat goes on. */
static void
a_stalled_control_lcore_starves_the_watchdog(void **state)
{
	struct notify_state s = {.beat = 5 * S};
	base_ns_t now = 5 * S;
	unsigned int fed = 0;
	struct notify n;

	(void)state;
	assert_int_equal(notify_open(&n), 0);
	notify_ready(&n, now, &s);
	heard();
	for (unsigned int i = 0; i < 200; i++, now += 20 * MS) {
		s.beat = now;
		notify_turn(&n, now, &s);
		fed += strcmp(heard(), "WATCHDOG=1") == 0;
	}
	assert_in_range(fed, 3, 4);
	/* one more, due for what was heard before the stall, then none while it lasts */
	fed = 0;
	for (unsigned int i = 0; i < 5000; i++, now += 20 * MS) {
		notify_turn(&n, now, &s);
		fed += strcmp(heard(), "WATCHDOG=1") == 0;
	}
	assert_in_range(fed, 0, 1);
	s.beat = now;
	notify_turn(&n, now, &s);
	assert_string_equal(heard(), "WATCHDOG=1");
	notify_close(&n);
}

/* Hear what there is. @return whether it was of the watchdog alone */
static bool
only_watchdogs(void)
{
	bool only = true;

	for (const char *text = heard(); *text != '\0'; text = heard())
		only = only && strcmp(text, "WATCHDOG=1") == 0;
	return only;
}

/* Who has no room for a message gets it later: nobody sends a reload's begin or end again. */
static void
a_slow_manager_misses_nothing(void **state)
{
	struct notify_state s = {.beat = 5 * S, .masters = 1};
	struct notify n;

	(void)state;
	assert_int_equal(notify_open(&n), 0);
	notify_ready(&n, 5 * S, &s);
	heard();
	for (unsigned int round = 0; round < 3; round++) {
		/* its socket is full of the watchdog */
		for (unsigned int i = 0; i < 5000; i++) {
			s.beat += 2 * S;
			notify_turn(&n, s.beat, &s);
		}
		if (round == 0) {
			notify_reloading(&n);
			assert_true(only_watchdogs());
			notify_turn(&n, s.beat, &s);
			assert_int_equal(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
		} else if (round == 1) {
			/* the end, with another begin and end: the last ones are what counts */
			notify_ready(&n, s.beat, &s);
			notify_reloading(&n);
			notify_ready(&n, s.beat, &s);
			assert_true(only_watchdogs());
			s.masters = 2;
			notify_turn(&n, s.beat, &s);
			assert_int_equal(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
			assert_string_equal(heard(), "READY=1\nSTATUS=2 MASTER, 0 BACKUP, 0 INIT");
		} else {
			s.masters = 0;
			notify_turn(&n, s.beat, &s);
			notify_stopping(&n);
			assert_true(only_watchdogs());
			notify_turn(&n, s.beat, &s);
			assert_string_equal(heard(), "STOPPING=1");
			assert_string_equal(heard(), "STATUS=0 MASTER, 0 BACKUP, 0 INIT");
		}
		assert_string_equal(heard(), "");
	}
	notify_stopping(&n);
	assert_string_equal(heard(), "");
	notify_close(&n);
}

static void
another_process_watchdog_is_not_ours(void **state)
{
	struct notify_state s = {.beat = S};
	struct notify n;

	(void)state;
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_open(&n), 0);
	notify_ready(&n, S, &s);
	heard();
	s.beat = 100 * S;
	notify_turn(&n, 100 * S, &s);
	assert_string_equal(heard(), "");
	notify_close(&n);
}

static void
without_a_manager_nothing_happens(void **state)
{
	static const char *const bad[] = {"", "relative", "/", "@"};
	struct notify_state s = {.beat = S};
	struct notify n;
	char path[300];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&n), 0);
	notify_ready(&n, S, &s);
	notify_turn(&n, 100 * S, &s);
	notify_stopping(&n);
	notify_close(&n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		assert_int_equal(notify_open(&n), -EINVAL);
		notify_ready(&n, S, &s);
		notify_close(&n);
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_open(&n), -EINVAL);
	/* nobody there: told into the void, without a signal */
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	assert_int_equal(notify_open(&n), 0);
	notify_ready(&n, S, &s);
	notify_close(&n);
}

#define IN_SERVICE(test) cmocka_unit_test_setup_teardown(test, manager_listens, manager_ends)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SERVICE(a_life_is_told),
		IN_SERVICE(a_stalled_control_lcore_starves_the_watchdog),
		IN_SERVICE(a_slow_manager_misses_nothing),
		IN_SERVICE(another_process_watchdog_is_not_ours),
		IN_SERVICE(without_a_manager_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
