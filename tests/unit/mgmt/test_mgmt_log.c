/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The log of events: what is written, at which level, and what is said to be left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_priv.h"

static void
expect_log(int fd, const char *want)
{
	char line[512];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

	assert_true(n > 0);
	line[n] = '\0';
	assert_string_equal(line, want);
}

static void
event_log(void **state)
{
	struct timeval patience = {.tv_sec = 20};
	struct mgmt_log *log;
	char rest;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	/* only a failure takes so long */
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	fake.events[0] = (struct ctl_event){.if_id = 1};
	fake_event(CTL_EVENT_LINK)->if_id = 1;
	log = mgmt_log_start(&fake.config, fds[1]);
	assert_non_null(log);
	expect_log(fds[0], "interface wan: link down\n");
	/* stop writes what remains */
	mgmt_log_stop(log);

	fake.n_events = 0;
	fake.box.log = 1;
	fake.config.syslog_prefix = true;
	fake_event(CTL_EVENT_BAD_ADVERT)->stat = CTL_STAT_BADTTL; /* not at this level */
	fake_event(CTL_EVENT_STATE)->group = 0;
	fake_event(CTL_EVENT_LINK)->if_id = 0;
	log = mgmt_log_start(&fake.config, fds[1]);
	mgmt_log_stop(log);
	expect_log(fds[0], "<5>carp: lan vhid 1: INIT -> INIT (none)\n");
	expect_log(fds[0], "<4>interface lan: link down\n");

	fake.box.log = 2;
	log = mgmt_log_start(&fake.config, fds[1]);
	mgmt_log_stop(log);
	expect_log(fds[0], "<4>carp: advert from ? refused: badttl (TTL is not 255)\n");
	expect_log(fds[0], "<5>carp: lan vhid 1: INIT -> INIT (none)\n");
	expect_log(fds[0], "<4>interface lan: link down\n");

	/* the ring turned over before we came */
	fake.events[0].seq = 11;
	fake.events[1].seq = 12;
	fake.events[2].seq = 13;
	fake.box.log = 1;
	log = mgmt_log_start(&fake.config, fds[1]);
	mgmt_log_stop(log);
	expect_log(fds[0], "<4>carp: 10 events lost: too many at once\n");
	expect_log(fds[0], "<5>carp: lan vhid 1: INIT -> INIT (none)\n");
	expect_log(fds[0], "<4>interface lan: link down\n");

	/* stalls: one line in 10 s, with the number left out */
	fake.n_events = 0;
	fake.box.log = 1;
	for (unsigned int i = 0; i < 4; i++) {
		struct ctl_event *e = fake_event(CTL_EVENT_STALL);

		e->at = (i == 3 ? 21 : 10 + i) * BASE_NS_PER_S;
		e->gap = 12 * BASE_NS_PER_MS;
	}
	log = mgmt_log_start(&fake.config, fds[1]);
	mgmt_log_stop(log);
	expect_log(fds[0], "<4>carp: control lcore did not run for 12.0 ms\n");
	expect_log(fds[0], "<4>carp: control lcore did not run for 12.0 ms, 2 more suppressed\n");

	fake.box.log = 0;
	log = mgmt_log_start(&fake.config, fds[1]);
	mgmt_log_stop(log);
	close(fds[1]);
	assert_int_equal(recv(fds[0], &rest, 1, 0), 0);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(event_log, fake_before, fake_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
