/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A staged password: what is sent, what is accepted, and how it ends. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

#define OLD "lanpasswd"
#define NEW "newpasswd"

static int
ask(struct rig *r, enum ctl_request_type type, uint16_t group, int64_t value, const char *pass,
	char note[160])
{
	struct ctl_request req = {.type = type, .group = group, .value = value};

	if (pass != NULL)
		assert_int_equal(auth_key_from_pass(pass, req.key), 0);
	return rig_request(r, &req, note, 160);
}

static void
stage(struct rig *r)
{
	char note[160];

	assert_int_equal(ask(r, CTL_REQ_STAGE, 0, 300, NEW, note), 0);
	assert_non_null(strstr(note, "commit on each within 300 s"));
}

static const char *
sent(struct rig *r, char buf[8])
{
	return rig_next_adverts(r, NEW, RIG_VIP, buf);
}

static void
hear(struct rig *r, const char *pass, uint8_t advbase, uint8_t advskew)
{
	rig_advert(r, pass, 1, RIG_VIP, RIG_PEER, advbase, advskew, 0);
	rig_turn(r);
}

static void
a_master_sends_both_and_then_the_new_one(void **state)
{
	struct rig r = rig_make(rig_bare);
	char note[160], buf[8];

	(void)state;
	rig_to_master(&r);
	rig_run(&r, fake.now + BASE_NS_PER_MS);
	assert_string_equal(sent(&r, buf), "o");
	stage(&r);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_STAGED);
	assert_string_equal(sent(&r, buf), "no");
	assert_string_equal(sent(&r, buf), "no");
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, 0, 0, NULL, note), 0);
	assert_string_equal(sent(&r, buf), "n");
	assert_true(rig_group(&r, 0).key_set);
	assert_int_equal(rig_group(&r, 0).info.transitions, 1); /* to MASTER, at the start */
	/* the old one is accepted up to the end of the second window */
	hear(&r, OLD, 1, 200);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 0);
	rig_run(&r, fake.now + 600 * BASE_NS_PER_S);
	assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_NONE);
	hear(&r, OLD, 1, 200);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
	hear(&r, NEW, 1, 200);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
	rig_free(&r);
}

/* A bow-out, and an advert while demoted, go out with both. */
static void
farewells_are_said_twice(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct wire_carp carp[2];
	char note[160];

	(void)state;
	rig_to_master(&r);
	stage(&r);
	assert_int_equal(ask(&r, CTL_REQ_DEMOTION, ELECTION_NONE, 7, NULL, note), 0);
	fake.n_frames = 0;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_non_null(sent_advert(1, &carp[1]));
	assert_true(rig_signed(&carp[1], OLD, RIG_VIP));
	assert_non_null(sent_advert(0, &carp[0]));
	assert_int_equal(carp[0].advskew, 240);
	assert_int_equal(carp[0].demotion, 7);
	fake.n_frames = 0;
	assert_int_equal(ask(&r, CTL_REQ_DOWN, 0, 0, NULL, note), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_non_null(sent_advert(i, &carp[i]));
		assert_int_equal(carp[i].advbase, 255);
		assert_int_equal(carp[i].advskew, 255);
	}
	assert_int_equal(sent_adverts(), 2);
	assert_true(rig_signed(&carp[0], NEW, RIG_VIP));
	assert_true(rig_signed(&carp[1], OLD, RIG_VIP));
	rig_free(&r);
}

static void
a_backup_hears_both_and_tells_who_sends_what(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_peer peers[CTL_PEERS_MAX];
	char note[160];

	(void)state;
	hear(&r, OLD, 1, 0);
	hear(&r, NEW, 1, 0);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
	stage(&r);
	for (unsigned int i = 0; i < 10; i++) {
		rig_run(&r, fake.now + BASE_NS_PER_S);
		hear(&r, NEW, 1, 0);
	}
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
	assert_true(ctl_peers(r.ctl, 0, peers) > 0);
	assert_int_equal(peers[0].identity[AUTH_OLD], 0);
	assert_true(peers[0].identity[AUTH_NEW] != 0);
	/* by neither: a forged one costs one HMAC more, and is counted as ever */
	hear(&r, "another", 1, 0);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 2);
	/* what is committed here is what the peer uses */
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, ELECTION_NONE, 0, NULL, note), 0);
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, ELECTION_NONE, 0, NULL, note), -EALREADY);
	assert_string_equal(note, "nothing is staged that waits for a decision");
	rig_free(&r);
}

/*
 * Two adverts of one moment are one for the election: after a silence, a second one from the same
 * address would be another box's, and put the master-down time off by a tie-break.
 */
static void
a_pair_counts_once_for_the_election(void **state)
{
	(void)state;
	for (unsigned int pair = 0; pair < 2; pair++) {
		struct rig r = rig_make(rig_bare);

		hear(&r, OLD, 1, 0);
		stage(&r);
		rig_run(&r, fake.now + 2900 * BASE_NS_PER_MS);
		if (pair)
			hear(&r, NEW, 1, 0);
		hear(&r, OLD, 1, 0);
		assert_int_equal(rig_group(&r, 0).info.master_down_deadline, fake.now + RIG_DOWN);
		assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_IPACKETS], 2 + pair);
		/* the first one lost: the second is as good */
		rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
		hear(&r, NEW, 1, 0);
		assert_int_equal(rig_group(&r, 0).info.master_down_deadline, fake.now + RIG_DOWN);
		/* another priority is news */
		hear(&r, OLD, 1, 77);
		assert_int_equal(rig_group(&r, 0).info.heard.advskew, 77);
		rig_free(&r);
	}
}

/* Each digest has its own memory of what was heard and sent. */
static void
replays_are_refused_with_both(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct wire_carp mine[2];
	struct wire_carp4_envelope env = {.ip_src = RIG_PEER, .ip_dst = WIRE_CARP_GROUP_IP4};
	uint8_t frame[WIRE_CARP4_FRAME_LEN];
	char buf[8];

	(void)state;
	memcpy(env.eth_dst, wire_carp_mac4, sizeof(env.eth_dst));
	rig_to_master(&r);
	stage(&r);
	assert_string_equal(sent(&r, buf), "no");
	assert_non_null(sent_advert(0, &mine[0]));
	assert_non_null(sent_advert(1, &mine[1]));
	assert_true(mine[0].counter != mine[1].counter);
	/* our own, back by an echo: known as such whichever digest it has */
	for (unsigned int i = 0; i < 2; i++) {
		wire_carp4_frame_encode(&env, &mine[i], frame);
		fake.advert[fake.n_adverts++] = (struct dp_punt){
			.m = rig_mbuf(frame, sizeof(frame)), .group = 0, .known_source = true};
		rig_turn(&r);
		assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_LOOP], i + 1);
	}
	/* a peer's */
	for (unsigned int i = 0; i < 2; i++) {
		const char *pass = i == 0 ? OLD : NEW;

		for (unsigned int n = 0; n < 5; n++) {
			rig_run(&r, fake.now + BASE_NS_PER_S);
			hear(&r, pass, 1, 100);
		}
		rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
		struct base_addr vip = base_addr_from_ip4(RIG_VIP);
		struct wire_carp carp = {.version = 2,
			.type = 1,
			.vhid = 1,
			.authlen = 7,
			.advbase = 1,
			.advskew = 100,
			.counter = UINT64_C(0x123456789abcdef) + i};
		uint8_t key[AUTH_KEY_LEN];

		assert_int_equal(auth_key_from_pass(pass, key), 0);
		struct auth_group *g = auth_group_create(key, 1, &vip, 1);

		for (unsigned int n = 0; n < 2; n++) {
			assert_int_equal(auth_group_sign(g, carp.counter, carp.digest), 0);
			wire_carp4_frame_encode(&env, &carp, frame);
			fake.advert[fake.n_adverts++] =
				(struct dp_punt){.m = rig_mbuf(frame, sizeof(frame)),
					.group = 0,
					.known_source = true};
			rig_turn(&r);
			assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_REPLAY], i + n);
			carp.advskew = 3;
			rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
		}
		auth_group_destroy(g);
	}
	rig_free(&r);
}

static enum auth_stage_step
last_step(struct rig *r, unsigned int *n_steps)
{
	struct ctl_event ev[128];
	uint64_t last;
	uint32_t n = ctl_events(r->ctl, 0, 0, ev, 128, &last);
	enum auth_stage_step step = AUTH_STAGE_STEP_NOTHING;

	*n_steps = 0;
	for (uint32_t i = 0; i < n; i++)
		if (ev[i].kind == CTL_EVENT_STAGE) {
			step = ev[i].stage;
			(*n_steps)++;
		}
	return step;
}

static void
an_open_window_reverts(void **state)
{
	struct rig r = rig_make(rig_bare);
	unsigned int n;
	char buf[8];

	(void)state;
	rig_to_master(&r);
	stage(&r);
	rig_run(&r, fake.now + 301 * BASE_NS_PER_S);
	assert_int_equal(last_step(&r, &n), AUTH_STAGE_STEP_REVERTED);
	assert_int_equal(n, 1);
	assert_string_equal(sent(&r, buf), "o");
	rig_run(&r, fake.now + 300 * BASE_NS_PER_S);
	assert_int_equal(last_step(&r, &n), AUTH_STAGE_STEP_END_OLD);
	assert_int_equal(n, 2);
	assert_false(rig_group(&r, 0).key_set);
	assert_int_equal(rig_group(&r, 0).info.transitions, 1);
	rig_free(&r);
}

/* The peer has committed and speaks with the new one alone: this box goes along. */
static void
a_peers_commit_is_followed(void **state)
{
	struct rig r = rig_make(rig_bare);
	unsigned int n;

	(void)state;
	hear(&r, OLD, 1, 0);
	stage(&r);
	for (unsigned int i = 0; i < 601; i++) {
		rig_run(&r, fake.now + BASE_NS_PER_S);
		hear(&r, NEW, 1, 0);
		if (i == 310)
			assert_int_equal(last_step(&r, &n), AUTH_STAGE_STEP_ADOPTED);
	}
	assert_int_equal(last_step(&r, &n), AUTH_STAGE_STEP_END_NEW);
	assert_int_equal(n, 2);
	assert_true(rig_group(&r, 0).key_set);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 0);
	rig_free(&r);
}

static void
now_ends_it_at_once(void **state)
{
	static const struct {
		enum ctl_request_type first, then;
		const char *sent;
	} cases[] = {
		{CTL_REQ_COMMIT, CTL_REQ_COMMIT, "n"},
		{CTL_REQ_COMMIT, CTL_REQ_ABORT, "o"},
		{CTL_REQ_ABORT, CTL_REQ_ABORT, "o"},
		{CTL_REQ_ABORT, CTL_REQ_COMMIT, "n"},
	};
	char note[160], buf[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int direct = 0; direct < 2; direct++) {
			struct rig r = rig_make(rig_bare);

			rig_to_master(&r);
			stage(&r);
			if (!direct)
				assert_int_equal(ask(&r, cases[i].first, 0, 0, NULL, note), 0);
			assert_int_equal(ask(&r, cases[i].then, 0, 1, NULL, note), 0);
			assert_int_equal(rig_group(&r, 0).stage.phase, AUTH_STAGE_NONE);
			assert_string_equal(sent(&r, buf), cases[i].sent);
			hear(&r, cases[i].sent[0] == 'n' ? OLD : NEW, 1, 200);
			assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
			assert_int_equal(ask(&r, cases[i].then, 0, 1, NULL, note), -EALREADY);
			assert_string_equal(note, "nothing is staged for carp0");
			/* and again, from there */
			assert_int_equal(ask(&r, CTL_REQ_STAGE, 0, 10,
						 cases[i].sent[0] == 'n' ? OLD : NEW, note),
				0);
			rig_free(&r);
		}
	}
}

static void
what_cannot_be_staged_changes_nothing(void **state)
{
	struct rig r = rig_make(rig_bare);
	char note[160], buf[8];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(ask(&r, CTL_REQ_STAGE, 0, 9, NEW, note), -EINVAL);
	assert_string_equal(note, "window 9 is out of range: allowed is 10 to 86400");
	assert_int_equal(ask(&r, CTL_REQ_STAGE, 0, 86401, NEW, note), -EINVAL);
	assert_int_equal(ask(&r, CTL_REQ_STAGE, 7, 300, NEW, note), -EINVAL);
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, 7, 0, NULL, note), -EINVAL);
	assert_int_equal(ask(&r, CTL_REQ_STAGE, 0, 300, OLD, note), -EALREADY);
	assert_string_equal(note, "carp0 uses this password already");
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, 0, 0, NULL, note), -EALREADY);
	assert_int_equal(ask(&r, CTL_REQ_ABORT, 0, 0, NULL, note), -EALREADY);
	assert_string_equal(sent(&r, buf), "o");
	stage(&r);
	assert_int_equal(ask(&r, CTL_REQ_STAGE, 0, 300, "third", note), -EBUSY);
	assert_int_equal(ask(&r, CTL_REQ_KEY, 0, 0, "third", note), -EBUSY);
	assert_non_null(strstr(note, "staged"));
	assert_string_equal(sent(&r, buf), "no");
	assert_int_equal(ask(&r, CTL_REQ_COMMIT, 0, 0, NULL, note), 0);
	assert_int_equal(ask(&r, CTL_REQ_ABORT, 0, 0, NULL, note), -EALREADY);
	assert_string_equal(
		note, "carp0 has decided for the new one already; commit now or abort now ends it");
	rig_free(&r);
}

static const char strict_json[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],\"carp\":"
	"{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\","
	"\"strict\":true,\"addresses\":[\"192.0.2.1/24\"]}]}}";

/* In a strict group every counter is newer than the last one, with each digest. */
static void
strict_counters_carry_the_time_with_both(void **state)
{
	struct rig r = rig_make(strict_json);
	uint64_t newest[2] = {0};
	char buf[8];

	(void)state;
	rig_to_master(&r);
	stage(&r);
	for (unsigned int i = 0; i < 5; i++) {
		assert_string_equal(sent(&r, buf), "no");
		for (uint32_t n = 0; n < 2; n++) {
			struct wire_carp carp;
			uint64_t us;

			assert_non_null(sent_advert(n, &carp));
			assert_true(auth_strict_time(carp.counter, &us));
			assert_true(carp.counter > newest[n]);
			newest[n] = carp.counter;
		}
	}
	rig_free(&r);
}

/* Of both families and both digests: each family's two stand together. */
static void
both_families_send_both(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint32_t n;

	(void)state;
	rig_to_master(&r);
	stage(&r);
	rig_run(&r, fake.now + 10 * BASE_NS_PER_MS);
	fake.n_frames = 0;
	n = fake.n_frames;
	rig_run(&r, fake.now + BASE_NS_PER_S);
	struct ctl_group_view v = rig_group(&r, 0);

	assert_int_equal(n, 0);
	assert_int_equal(sent_adverts(), 2);
	assert_true(v.stats[CTL_STAT_OPACKETS6] > 0);
	assert_int_equal(v.stats[CTL_STAT_OPACKETS], v.stats[CTL_STAT_OPACKETS6]);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_master_sends_both_and_then_the_new_one),
		cmocka_unit_test(farewells_are_said_twice),
		cmocka_unit_test(a_backup_hears_both_and_tells_who_sends_what),
		cmocka_unit_test(a_pair_counts_once_for_the_election),
		cmocka_unit_test(replays_are_refused_with_both),
		cmocka_unit_test(an_open_window_reverts),
		cmocka_unit_test(a_peers_commit_is_followed),
		cmocka_unit_test(now_ends_it_at_once),
		cmocka_unit_test(what_cannot_be_staged_changes_nothing),
		cmocka_unit_test(strict_counters_carry_the_time_with_both),
		cmocka_unit_test(both_families_send_both),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
