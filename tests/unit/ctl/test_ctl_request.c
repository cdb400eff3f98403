/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Operators' requests, events, and the end. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

/* 54: key changed while MASTER: next advert signed with the new key; old-key adverts badauth. */
static void
conformance_54_new_key_signs_the_next_advert(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_request req = {.type = CTL_REQ_KEY, .group = 0};
	struct wire_carp carp;
	struct ctl_group_view v;
	char note[64];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(auth_key_from_pass("newpasswd", req.key), 0);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	fake.n_frames = 0;
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_non_null(sent_advert(0, &carp));
	assert_true(rig_signed(&carp, "newpasswd", RIG_VIP));
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_BADAUTH], 1);
	assert_int_equal(v.info.state, ELECTION_MASTER);
	rig_advert(&r, "newpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

static void
requests_check_their_ranges(void **state)
{
	static const struct {
		enum ctl_request_type type;
		uint16_t group;
		int64_t value;
		int result;
		const char *note;
	} rows[] = {
		{CTL_REQ_ADVBASE, 0, 0, -EINVAL, "advbase 0 is out of range: allowed is 1 to 255"},
		{CTL_REQ_ADVBASE, 0, 256, -EINVAL,
			"advbase 256 is out of range: allowed is 1 to 255"},
		{CTL_REQ_ADVBASE, 0, 100, 0,
			"advbase above 85: a bow-out is told from a slow master only by koi"},
		{CTL_REQ_ADVSKEW, 0, 255, -EINVAL,
			"advskew 255 is out of range: allowed is 0 to 254"},
		{CTL_REQ_ADVSKEW, 0, -1, -EINVAL,
			"advskew -1 is out of range: allowed is 0 to 254"},
		{CTL_REQ_ADVSKEW, 0, 254, 0, ""},
		{CTL_REQ_PREEMPT, 0, 2, -EINVAL, "preempt 2 is out of range: allowed is 0 to 1"},
		{CTL_REQ_ALLOW, 0, 2, -EINVAL, "allow 2 is out of range: allowed is 0 to 1"},
		{CTL_REQ_LOG, 0, 3, -EINVAL, "log 3 is out of range: allowed is 0 to 2"},
		{CTL_REQ_DEMOTION, 0, 256, -EINVAL,
			"demotion 256 is out of range: allowed is 0 to 255"},
		{CTL_REQ_ARPBALANCE, 0, 1, 0, ""},
		{CTL_REQ_ARPBALANCE, 0, 2, -EINVAL,
			"arpbalance 2 is out of range: allowed is 0 to 1"},
		{CTL_REQ_ARPBALANCE, 0, 0, 0, ""},
		{CTL_REQ_UP, 7, 0, -EINVAL, "there is no group with this number"},
		{CTL_REQ_STATE_INIT, 0, 0, 0, "state init has no effect, as in the BSDs; use down"},
		{CTL_REQ_STATE_BACKUP, 0, 0, 0,
			"preempt is on: this box takes over again when it hears a worse master; "
			"use down to stay out"},
	};
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_turn(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ctl_request req = {
			.type = rows[i].type, .group = rows[i].group, .value = rows[i].value};
		char note[160] = "";

		assert_int_equal(rig_request(&r, &req, note, sizeof(note)), rows[i].result);
		assert_string_equal(note, rows[i].note);
	}
	rig_free(&r);
}

static void
forced_states_in_init_are_refused(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_request req = {.type = CTL_REQ_DOWN, .group = 0};
	char note[160];

	(void)state;
	rig_turn(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	req.type = CTL_REQ_STATE_MASTER;
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), -EAGAIN);
	assert_string_equal(note, "carp0 is in INIT: not running, so there is no state to force");
	req.type = CTL_REQ_UP;
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

/* 55: allow 0: INIT, no adverts, no ARP answers; adverts count as disallowed. */
static void
conformance_55_allow_0(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_request req = {.type = CTL_REQ_ALLOW, .value = 0};
	struct ctl_box_view box;
	char note[160];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	fake.n_frames = 0;
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_false(fake.owned[0]);
	rig_ask(&r, RIG_ASKER, rig_asker_mac);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_run(&r, fake.now + 10 * BASE_NS_PER_S);
	assert_int_equal(fake.n_frames, 0);
	ctl_box_view(r.ctl, &box);
	assert_false(box.allow);
	assert_int_equal(box.stats[CTL_STAT_DISALLOWED], 1);
	rig_free(&r);
}

/* 53: skew changed while MASTER: stays MASTER, next advert carries it. */
static void
conformance_53_new_skew_goes_with_the_next_advert(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_request req = {.type = CTL_REQ_ADVSKEW, .group = 0, .value = 50};
	struct wire_carp carp;
	char note[160];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	fake.n_frames = 0;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_non_null(sent_advert(0, &carp));
	assert_int_equal(carp.advskew, 50);
	rig_free(&r);
}

static void
events_are_numbered_without_gaps_and_the_oldest_go(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_request req = {.type = CTL_REQ_LOG, .value = 1};
	static struct ctl_event ev[CTL_EVENTS_KEPT];
	uint64_t last;
	char note[160];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(ctl_events(r.ctl, 0, 0, ev, CTL_EVENTS_KEPT, &last), 2);
	assert_int_equal(ev[0].to, ELECTION_BACKUP);
	assert_int_equal(ev[1].to, ELECTION_MASTER);
	assert_int_equal(ev[1].cause, ELECTION_CAUSE_TIMEOUT);
	assert_true(ev[1].since_heard == BASE_NS_NEVER);
	for (unsigned int i = 0; i < CTL_EVENTS_KEPT + 10; i++)
		rig_request(&r, &req, note, sizeof(note));
	uint32_t n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, CTL_EVENTS_KEPT, &last);

	assert_int_equal(n, CTL_EVENTS_KEPT);
	for (uint32_t i = 1; i < n; i++)
		assert_int_equal(ev[i].seq, ev[i - 1].seq + 1);
	assert_int_equal(last, ev[n - 1].seq);
	assert_int_equal(ctl_events(r.ctl, ELECTION_NONE, last, ev, CTL_EVENTS_KEPT, &last), 0);
	rig_free(&r);
}

/* Of each group the last 256; forged adverts, however many, push none of them out. */
static void
a_group_keeps_its_decisions(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_request down = {.type = CTL_REQ_DOWN}, up = {.type = CTL_REQ_UP};
	static struct ctl_event ev[CTL_DECISIONS_KEPT + 1];
	uint64_t last;
	char note[160];

	(void)state;
	rig_to_master(&r);
	uint32_t n = ctl_events(r.ctl, 0, 0, ev, CTL_DECISIONS_KEPT + 1, &last);

	for (uint32_t i = 0; i < 4 * CTL_DECISIONS_KEPT; i++) {
		rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER + i, 1, 0, 0);
		fake.now += 50 * BASE_NS_PER_MS;
		rig_turn(&r);
	}
	assert_int_equal(
		ctl_events(r.ctl, 0, last, ev, CTL_DECISIONS_KEPT + 1, &last), 1); /* the split */
	assert_int_equal(ev[0].kind, CTL_EVENT_SPLIT);
	assert_int_equal(ctl_events(r.ctl, 0, 0, ev, CTL_DECISIONS_KEPT + 1, &last), n + 1);
	for (uint32_t i = 0; i < CTL_DECISIONS_KEPT; i++) {
		assert_int_equal(rig_request(&r, &down, note, sizeof(note)), 0);
		assert_int_equal(rig_request(&r, &up, note, sizeof(note)), 0);
	}
	n = ctl_events(r.ctl, 0, 0, ev, CTL_DECISIONS_KEPT + 1, &last);
	assert_int_equal(n, CTL_DECISIONS_KEPT);
	for (uint32_t i = 1; i < n; i++)
		assert_true(ev[i].seq > ev[i - 1].seq);
	assert_int_equal(last, ev[n - 1].seq);
	rig_free(&r);
}

static int
interface(struct rig *r, enum ctl_request_type type, uint16_t if_index, char note[160])
{
	struct ctl_request req = {.type = type, .group = ELECTION_NONE, .if_index = if_index};

	return rig_request(r, &req, note, 160);
}

/* The link of the first device, as its port tells it. */
static void
link_is(struct rig *r, bool up)
{
	fake.has_port_event = true;
	fake.port = 0;
	fake.port_link_up = up;
	rig_turn(r);
}

/* Bow-out first, then silence; other groups demoted; whatever the link does, until "up". */
static void
an_interface_goes_down_and_up(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct election_demotion_entry entry[4];
	struct wire_carp carp;
	struct ctl_event ev[64];
	char note[160];
	uint64_t last = 0;

	(void)state;
	rig_to_master(&r);
	(void)ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &last);
	fake.n_frames = 0;
	assert_int_equal(interface(&r, CTL_REQ_IF_DOWN, 0, note), 0);
	assert_string_equal(note, "");
	assert_true(fake.if_down[0]);
	assert_false(fake.if_down[1]);
	assert_non_null(sent_advert(0, &carp));
	assert_true(wire_carp_is_bow_out(&carp));
	assert_int_equal(sent_advert(0, &carp)->if_index, 0);
	assert_true(fake.frames_at_down > 0); /* it was sent while frames still go out */
	assert_false(fake.owned[0]);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	assert_int_equal(ctl_demotion_view(r.ctl, entry, 4), 1);
	assert_int_equal(entry[0].source, ELECTION_DEMOTION_LINK);
	assert_int_equal(entry[0].if_id, 0);
	uint64_t after = last;

	assert_int_equal(ctl_events(r.ctl, 0, after, ev, 64, &last), 1);
	assert_int_equal(ev[0].cause, ELECTION_CAUSE_IF_DOWN);
	assert_string_equal(ev[0].text, "interface down");
	uint32_t n = ctl_events(r.ctl, ELECTION_NONE, after, ev, 64, &last);

	assert_int_equal(ev[n - 1].kind, CTL_EVENT_REQUEST);
	assert_int_equal(ev[n - 1].if_id, 0);
	assert_int_equal(ev[n - 1].group, ELECTION_NONE);
	assert_int_equal(interface(&r, CTL_REQ_IF_DOWN, 0, note), 0);
	assert_string_equal(note, "em0 is down already");

	link_is(&r, false);
	link_is(&r, true);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(ctl_demotion_view(r.ctl, entry, 4), 1);
	assert_int_equal(interface(&r, CTL_REQ_IF_UP, 0, note), 0);
	assert_string_equal(note, "");
	assert_false(fake.if_down[0]);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(ctl_demotion_view(r.ctl, entry, 4), 0);
	assert_int_equal(interface(&r, CTL_REQ_IF_UP, 0, note), 0);
	assert_string_equal(note, "em0 is up already");
	rig_free(&r);
}

static void
an_interface_without_link_waits_for_it(void **state)
{
	struct rig r = rig_make(rig_pair);
	char note[160];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(interface(&r, CTL_REQ_IF_DOWN, 0, note), 0);
	link_is(&r, false);
	assert_int_equal(interface(&r, CTL_REQ_IF_UP, 0, note), 0);
	assert_string_equal(note, "em0 has no link");
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	link_is(&r, true);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(interface(&r, CTL_REQ_IF_UP, 9, note), -EINVAL);
	assert_string_equal(note, "there is no interface with this number");
	rig_free(&r);
}

/* Of two interfaces on a device one alone. */
static void
one_interface_of_a_device_goes_down(void **state)
{
	struct rig r = rig_make(rig_tagged);
	char note[160];

	(void)state;
	rig_to_master(&r);
	assert_int_equal(interface(&r, CTL_REQ_IF_DOWN, 0, note), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	assert_true(fake.link_up[0]);
	rig_free(&r);
}

/* SIGTERM: one bow-out, then owned without answering for 50 ms when no successor is heard. */
static void
shutdown_bows_out_and_hands_over(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct wire_carp carp;

	(void)state;
	rig_to_master(&r);
	fake.n_frames = 0;
	base_ns_t before = fake.now;

	ctl_shutdown(r.ctl);
	fake.step = BASE_NS_PER_MS;
	assert_int_equal(ctl_run(r.ctl), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(sent_adverts(), 1);
	sent_advert(0, &carp);
	assert_true(wire_carp_is_bow_out(&carp));
	assert_false(fake.owned[0]);
	assert_false(fake.answering[0]);
	assert_in_range(fake.now - before, 50 * BASE_NS_PER_MS, 60 * BASE_NS_PER_MS);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_54_new_key_signs_the_next_advert),
		cmocka_unit_test(requests_check_their_ranges),
		cmocka_unit_test(forced_states_in_init_are_refused),
		cmocka_unit_test(conformance_55_allow_0),
		cmocka_unit_test(conformance_53_new_skew_goes_with_the_next_advert),
		cmocka_unit_test(events_are_numbered_without_gaps_and_the_oldest_go),
		cmocka_unit_test(a_group_keeps_its_decisions),
		cmocka_unit_test(an_interface_goes_down_and_up),
		cmocka_unit_test(an_interface_without_link_waits_for_it),
		cmocka_unit_test(one_interface_of_a_device_goes_down),
		cmocka_unit_test(shutdown_bows_out_and_hands_over),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
