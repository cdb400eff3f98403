/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Addresses and passwords that a reload stages, and what a configuration made of it changes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf_plan.h"
#include "conf_stage.h"
#include "ctl_fake.h"

#define WINDOW_S 300
#define FILE_OF(pass, vip, more)                                                               \
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],\"carp\":{"    \
	"\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"" pass "\"" \
	",\"addresses\":[\"" vip "/24\"]" more "}]}}"
#define OLD	 "lanpasswd"
#define NEW	 "newpasswd"
#define VIP	 "192.0.2.1"
#define NEW_VIP	 "192.0.2.9"
#define NEW_VIP4 0xc0000209u

static char note[160];

/* As management does. */
static int
stage(struct rig *r, const char *json)
{
	struct conf *next = rig_parse(json);

	assert_int_equal(conf_align(next, r->conf), 0);
	assert_true(conf_stage_group(&next->groups[0], &r->conf->groups[0],
			    rig_group(r, 0).by_reload) <= CONF_STAGE_KEPT);
	return rig_replace(r, next, note, sizeof(note));
}

static void
turn(struct rig *r)
{
	const bool which[] = {true};
	struct conf *last = r->conf, *next = conf_stage_turn(last, which);

	assert_non_null(next);
	assert_int_equal(rig_take(r, next, note, sizeof(note)), 0);
	conf_stage_leave(last, which);
	r->conf = next;
}

static int
ask(struct rig *r, enum ctl_request_type type, const char *pass, int64_t value)
{
	struct ctl_request req = {.type = type, .group = 0, .value = value};

	if (pass != NULL)
		assert_int_equal(auth_key_from_pass(pass, req.key), 0);
	return rig_request(r, &req, note, sizeof(note));
}

static const char *
sent(struct rig *r, char buf[8])
{
	return rig_next_adverts(r, NEW, NEW_VIP4, buf);
}

/* Both digests, and the old address until the other configuration comes. */
static void
addresses_follow_the_digest_that_runs(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct wire_arp arp;
	char buf[8];

	(void)state;
	rig_to_master(&r);
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	fake.n_frames = 0;
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_STAGED);
	assert_int_equal(rig_group(&r, 0).stage.until, fake.now + WINDOW_S * BASE_NS_PER_S);
	assert_true(rig_group(&r, 0).by_reload);
	assert_string_equal(sent(&r, buf), "no");
	assert_null(sent_arp(0, &arp));
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, NULL, 0), 0);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_NEW);
	assert_string_equal(sent(&r, buf), "n");
	assert_null(sent_arp(0, &arp));
	fake.n_frames = 0;
	turn(&r);
	rig_turn(&r);
	assert_non_null(sent_arp(0, &arp));
	assert_int_equal(arp.target_ip, NEW_VIP4);
	/* neither adverts nor what is staged have changed by it */
	assert_string_equal(sent(&r, buf), "n");
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_DECIDED);
	rig_advert(&r, OLD, 1, RIG_VIP, RIG_PEER, 1, 200, 0);
	rig_turn(&r);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 0);
	rig_run(&r, fake.now + 2 * WINDOW_S * BASE_NS_PER_S);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_NONE);
	assert_false(rig_group(&r, 0).by_reload || rig_group(&r, 0).key_set);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_NEW);
	assert_int_equal(rig_group(&r, 0).info.transitions, 1);
	rig_free(&r);
}

static void
abort_and_the_end_of_the_window_go_back(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	assert_int_equal(ask(&r, CTL_REQ_ABORT, NULL, 1), 0);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_OLD);
	assert_false(rig_group(&r, 0).by_reload);
	conf_stage_over(&r.conf->groups[0]);
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	rig_run(&r, fake.now + WINDOW_S * BASE_NS_PER_S);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_DECIDED);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_OLD);
	/* what a command stages is none of the configuration's business */
	assert_int_equal(ask(&r, CTL_REQ_ABORT, NULL, 1), 0);
	conf_stage_over(&r.conf->groups[0]);
	assert_int_equal(ask(&r, CTL_REQ_STAGE, NEW, WINDOW_S), 0);
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, NULL, 1), 0);
	assert_false(rig_group(&r, 0).by_reload);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_OLD);
	rig_free(&r);
}

static void
another_reload_leaves_what_is_staged(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_group_view v;
	base_ns_t until;

	(void)state;
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	until = rig_group(&r, 0).stage.until;
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, ",\"advskew\":7")), 0);
	assert_int_equal(stage(&r, FILE_OF(OLD, VIP, ",\"advskew\":8")), 0);
	v = rig_group(&r, 0);
	assert_int_equal(v.info.advskew, 8);
	assert_int_equal(v.stage.until, until);
	/* the same with what makes other adverts at once */
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, ",\"strict\":true")), -EBUSY);
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, NULL, 1), 0);
	turn(&r);
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, ",\"strict\":true")), 0);
	rig_free(&r);
}

/* How the peer counts was learnt from its adverts, and is worth more than a file. */
static void
learn(struct rig *r, const char *pass)
{
	for (unsigned int i = 0; i < 5; i++) {
		rig_advert(r, pass, 1, RIG_VIP, RIG_PEER, 1, 0, 0);
		rig_run(r, fake.now + BASE_NS_PER_S);
	}
}

static uint16_t
known(struct rig *r)
{
	unsigned int n = 0;

	assert_int_equal(ask(r, CTL_REQ_CLEAR_SOURCES, NULL, 0), 0);
	assert_int_equal(sscanf(note, "sources forgotten: %u", &n), 1);
	return (uint16_t)n;
}

static void
a_password_in_use_begins_nothing_anew(void **state)
{
	(void)state;
	for (unsigned int at_once = 0; at_once < 2; at_once++) {
		struct rig r = rig_make(rig_bare);

		assert_int_equal(ask(&r, CTL_REQ_KEY, NEW, 0), 0);
		assert_true(rig_group(&r, 0).key_set);
		learn(&r, NEW);
		if (at_once)
			assert_int_equal(
				rig_reload(&r, FILE_OF(NEW, VIP, ""), note, sizeof(note)), 0);
		else
			assert_int_equal(stage(&r, FILE_OF(NEW, VIP, "")), 0);
		assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_NONE);
		assert_false(rig_group(&r, 0).key_set);
		if (!at_once) {
			assert_int_equal(rig_group(&r, 0).reloads, AUTH_NEW);
			turn(&r);
		}
		assert_int_equal(known(&r), 1);
		rig_free(&r);
	}
}

/* Staged by a command, and then in the file. */
static void
the_file_says_what_a_command_has_staged(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	assert_int_equal(ask(&r, CTL_REQ_STAGE, NEW, WINDOW_S), 0);
	assert_int_equal(stage(&r, FILE_OF("third", VIP, "")), -EBUSY);
	assert_non_null(strstr(note, "another change of carp0 is staged"));
	assert_int_equal(stage(&r, FILE_OF(NEW, VIP, "")), 0);
	assert_true(rig_group(&r, 0).by_reload);
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, NULL, 1), 0);
	assert_int_equal(rig_group(&r, 0).reloads, AUTH_NEW);
	assert_false(rig_group(&r, 0).key_set);
	rig_free(&r);
}

/* Which password is meant for the new addresses? */
static void
a_password_by_command_is_not_lost(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	assert_int_equal(ask(&r, CTL_REQ_KEY, NEW, 0), 0);
	assert_int_equal(stage(&r, FILE_OF(OLD, NEW_VIP, "")), -EKEYREJECTED);
	assert_int_equal(stage(&r, FILE_OF(NEW, NEW_VIP, "")), 0);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_STAGED);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_follow_the_digest_that_runs),
		cmocka_unit_test(abort_and_the_end_of_the_window_go_back),
		cmocka_unit_test(another_reload_leaves_what_is_staged),
		cmocka_unit_test(a_password_in_use_begins_nothing_anew),
		cmocka_unit_test(the_file_says_what_a_command_has_staged),
		cmocka_unit_test(a_password_by_command_is_not_lost),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
