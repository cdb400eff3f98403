/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* drain and undrain: what they ask for, wait for, say, and leave for the next start. */
#include <errno.h>
#include <fcntl.h>
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
#include "mgmt_session.h"

static int
setup(void **state)
{
	int ret = session_before(state);

	fake.step = BASE_NS_PER_MS;
	return ret;
}

static void
each_group_names_its_new_master(void **state)
{
	(void)state;
	fake.groups[1].info.state = ELECTION_MASTER;
	session_run("drain", MGMT_CLI_DONE,
		"carp0: master is 192.0.2.3, heard after 3 ms\n"
		"carp1: master is 198.51.100.3, heard after 3 ms\n"
		"drained in 3 ms\n");
	assert_int_equal(fake.request.type, CTL_REQ_DRAIN);
	assert_int_equal(fake.n_requests, 1);
	assert_int_not_equal(access(fake.drained_path, F_OK), 0);
}

/* carp1 is BACKUP; carp0 is down. */
static void
groups_that_were_not_master_have_nothing_to_give(void **state)
{
	(void)state;
	fake.groups[0].info.state = ELECTION_INIT;
	session_run("drain", MGMT_CLI_DONE,
		"carp0: INIT\n"
		"carp1: master is 198.51.100.3, as before\n"
		"drained, there was nothing to hand over\n");
}

static void
a_group_without_a_peer_is_named(void **state)
{
	(void)state;
	fake.successor[0].family = BASE_FAMILY_NONE;
	mgmt_cli_run(&session, "drain");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_non_null(strstr(session.text,
		"carp0: no peer was heard as master, this box has it again\n"
		"carp1: master is 198.51.100.3, as before\n"
		"not drained: 1 of 2 groups have no other master after "));
	assert_int_equal(fake.request.type, CTL_REQ_DRAIN);
}

/* Group 1 was BACKUP, and its master is not to be heard: it waits, for so long as was asked. */
static void
the_wait_ends(void **state)
{
	(void)state;
	fake.successor[1].family = BASE_FAMILY_NONE;
	fake.groups[1].info.state = ELECTION_INIT;
	fake.groups[0].info.state = ELECTION_BACKUP;
	fake.n_peers = 0;
	fake.successor[0].family = BASE_FAMILY_NONE;
	base_ns_t before = fake.now;

	mgmt_cli_run(&session, "drain 2");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_in_range(fake.now - before, 2 * BASE_NS_PER_S, 2100 * BASE_NS_PER_MS);
	assert_non_null(strstr(session.text, "carp0: no peer was heard as master\n"));
}

static void
a_peer_that_bowed_out_is_no_master(void **state)
{
	(void)state;
	fake.groups[1].info.state = ELECTION_INIT;
	fake.groups[0].info.state = ELECTION_BACKUP;
	fake.peers[0] = (struct ctl_peer){
		.addr = base_addr_from_ip4(0xc0000203), .last_heard = FAKE_NOW, .bowed_out = true};
	fake.n_peers = 1;
	fake.successor[0].family = BASE_FAMILY_NONE;
	mgmt_cli_run(&session, "drain 1");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
}

static void
persistence_outlives_and_ends(void **state)
{
	(void)state;
	mgmt_cli_run(&session, "drain --persist");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(access(fake.drained_path, F_OK), 0);
	/* again, with the file there */
	mgmt_cli_run(&session, "drain --persist");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	mgmt_cli_run(&session, "undrain");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(fake.request.type, CTL_REQ_UNDRAIN);
	assert_int_not_equal(access(fake.drained_path, F_OK), 0);
	/* and without */
	mgmt_cli_run(&session, "undrain");
	assert_int_equal(session.status, MGMT_CLI_DONE);
}

/* A directory that cannot be made: nothing is drained that would not stay so. */
static void
what_cannot_persist_is_not_done(void **state)
{
	int fd = open(fake.drained_dir, O_WRONLY | O_CREAT | O_EXCL, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	mgmt_cli_run(&session, "drain --persist");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_non_null(strstr(session.text, "refused, nothing was done: "));
	assert_non_null(strstr(session.text, fake.drained_path));
	assert_int_equal(fake.n_requests, 0);
	assert_int_equal(unlink(fake.drained_dir), 0);
}

/* Refused after all: the next start is as it would have been, marked before or not. */
static void
a_refused_request_changes_no_mark(void **state)
{
	(void)state;
	fake.request_rc = -ETIMEDOUT;
	session_run("drain --persist", MGMT_CLI_REFUSED,
		"refused: the control lcore did not answer within 2 s; it may still do it\n");
	assert_int_equal(fake.request.type, CTL_REQ_DRAIN);
	assert_int_not_equal(access(fake.drained_path, F_OK), 0);
	fake.request_rc = 0;
	mgmt_cli_run(&session, "drain --persist");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	fake.request_rc = -ETIMEDOUT;
	mgmt_cli_run(&session, "drain --persist");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_int_equal(access(fake.drained_path, F_OK), 0);
	mgmt_cli_run(&session, "undrain");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_int_equal(fake.request.type, CTL_REQ_UNDRAIN);
	assert_int_equal(access(fake.drained_path, F_OK), 0);
}

/* A reload took carp1 away: its slot is no group, and it makes nobody wait longer. */
static void
a_group_that_is_gone_does_not_count(void **state)
{
	const base_ns_t before = fake.now;

	(void)state;
	fake.conf->groups[1].unused = true;
	fake.groups[1].info.state = ELECTION_INIT;
	fake.groups[1].info.advbase = 200;
	/* carp0 is BACKUP, and its master is not to be heard */
	fake.groups[0].info.state = ELECTION_BACKUP;
	fake.successor[0].family = BASE_FAMILY_NONE;
	fake.step = 50 * BASE_NS_PER_MS;
	mgmt_cli_run(&session, "drain");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_non_null(strstr(session.text,
		"carp0: no peer was heard as master\n"
		"not drained: 1 of 1 groups have no other master after "));
	assert_in_range(fake.now - before, 5 * BASE_NS_PER_S, 6 * BASE_NS_PER_S);
}

static void
a_refused_request_is_said(void **state)
{
	(void)state;
	fake.request_rc = -ETIMEDOUT;
	fake.note = "the control lcore did not answer";
	session_run("drain", MGMT_CLI_REFUSED, "refused: the control lcore did not answer\n");
}

static void
undrain_says_what_stays(void **state)
{
	(void)state;
	fake.box.demotion = 2;
	fake.box.preempt = false;
	session_run("undrain", MGMT_CLI_DONE,
		"still demoted by 2: show carp demotion\n"
		"preempt is off: the present masters stay\n");
	fake.box.demotion = 0;
	fake.box.preempt = true;
	session_run("undrain", MGMT_CLI_DONE, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_group_names_its_new_master, setup, session_after),
		cmocka_unit_test_setup_teardown(
			groups_that_were_not_master_have_nothing_to_give, setup, session_after),
		cmocka_unit_test_setup_teardown(
			a_group_without_a_peer_is_named, setup, session_after),
		cmocka_unit_test_setup_teardown(the_wait_ends, setup, session_after),
		cmocka_unit_test_setup_teardown(
			a_peer_that_bowed_out_is_no_master, setup, session_after),
		cmocka_unit_test_setup_teardown(
			persistence_outlives_and_ends, setup, session_after),
		cmocka_unit_test_setup_teardown(
			what_cannot_persist_is_not_done, setup, session_after),
		cmocka_unit_test_setup_teardown(
			a_refused_request_changes_no_mark, setup, session_after),
		cmocka_unit_test_setup_teardown(
			a_group_that_is_gone_does_not_count, setup, session_after),
		cmocka_unit_test_setup_teardown(a_refused_request_is_said, setup, session_after),
		cmocka_unit_test_setup_teardown(undrain_says_what_stays, setup, session_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
