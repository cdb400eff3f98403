/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Another configuration, loaded while groups run. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"

#define IFS(more)                                                                               \
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"" more             \
	",\"addresses\":[\"192.0.2.2/24\"]},{\"name\":\"em1\",\"device\":\"d1\",\"addresses\":" \
	"[\"198.51.100.2/24\"]}],"
#define CARP0(more)                                                                  \
	"{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\"," \
	"\"addresses\":[\"192.0.2.1/24\"]" more "}"
#define CARP1(more)                                                                  \
	"{\"name\":\"carp1\",\"carpdev\":\"em1\",\"vhid\":2,\"pass\":\"wanpasswd\"," \
	"\"addresses\":[\"198.51.100.1/24\"]" more "}"
/* rig_pair with something else */
#define PAIR(carp, ifs, carp0, carp1)               \
	IFS(ifs)                                    \
	"\"carp\":{\"preempt\":true,\"log\":2" carp \
	",\"groups\":[" CARP0(carp0) "," CARP1(carp1) "]}}"

static char note[160];

static struct ctl_box_view
box(struct rig *r)
{
	struct ctl_box_view v;

	ctl_box_view(r->ctl, &v);
	return v;
}

static void
set(struct rig *r, enum ctl_request_type type, uint16_t i, int64_t value)
{
	const struct ctl_request req = {.type = type, .group = i, .value = value};

	assert_int_equal(rig_request(r, &req, note, sizeof(note)), 0);
}

/* The same in another order, and with another timing of the other group. */
static void
a_group_without_a_difference_does_not_notice(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view before, after;

	(void)state;
	rig_advert(&r, "wanpasswd", 2, 0xc6336401, 0xc6336403, 1, 200, 0);
	rig_to_master(&r);
	rig_run(&r, fake.now + BASE_NS_PER_S / 2);
	before = rig_group(&r, 0);
	fake.n_frames = 0;
	rig_load(&r,
		IFS("") "\"carp\":{\"preempt\":true,\"log\":2,\"groups\":[" CARP1(
			",\"advskew\":9") "," CARP0("") "]}}");
	after = rig_group(&r, 0);
	assert_memory_equal(&after.info, &before.info, sizeof(after.info));
	assert_memory_equal(after.stats, before.stats, sizeof(after.stats));
	assert_int_equal(sent_adverts(), 0);
	assert_int_equal(rig_group(&r, 1).info.advskew, 9);
	rig_run(&r, fake.now + BASE_NS_PER_S / 2);
	assert_int_equal(
		rig_group(&r, 0).info.advert_deadline, before.info.advert_deadline + BASE_NS_PER_S);
	rig_free(&r);
}

static void
timing_changes_while_master(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_carp carp;

	(void)state;
	rig_to_master(&r);
	fake.n_frames = 0;
	rig_load(&r, PAIR("", "", ",\"advbase\":2,\"advskew\":77", ""));
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	const struct fake_frame *f = sent_advert(0, &carp);

	for (uint32_t i = 1; f != NULL && f->group != 0; i++)
		f = sent_advert(i, &carp);
	assert_non_null(f);
	assert_int_equal(carp.advbase, 2);
	assert_int_equal(carp.advskew, 77);
	assert_int_equal(rig_group(&r, 0).info.transitions, 1);
	rig_free(&r);
}

/* What a command set stays, until the file says something else than it did before. */
static void
the_operators_values_stay_where_the_file_does(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	set(&r, CTL_REQ_ADVSKEW, 0, 50);
	set(&r, CTL_REQ_PREEMPT, 0, 0);
	set(&r, CTL_REQ_LOG, 0, 1);
	set(&r, CTL_REQ_DOWN, 1, 0);
	rig_load(&r, PAIR("", "", ",\"advbase\":3", ",\"state\":\"master\""));
	assert_int_equal(rig_group(&r, 0).info.advskew, 50);
	assert_int_equal(rig_group(&r, 0).info.advbase, 3);
	assert_false(box(&r).preempt);
	assert_int_equal(box(&r).log, 1);
	assert_int_equal(rig_state(&r, 1), ELECTION_INIT);
	rig_load(&r, PAIR(",\"arpbalance\":true", "", ",\"advskew\":60,\"advbase\":3", ""));
	assert_int_equal(rig_group(&r, 0).info.advskew, 60);
	assert_true(box(&r).arpbalance);
	assert_false(box(&r).preempt);
	rig_free(&r);
}

static void
switches_of_the_box_change(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_to_master(&r);
	fake.n_frames = 0;
	rig_load(&r,
		PAIR(",\"dscp\":46,\"announce-refresh-s\":7,\"preempt-delay-ms\":500", "", "", ""));
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_int_equal(sent_advert(0, &(struct wire_carp){0})->bytes[15], 46 << 2);
	assert_true(rig_group(&r, 0).info.announce_deadline <= fake.now + 7 * BASE_NS_PER_S);
	rig_load(&r, PAIR(",\"allow\":false", "", "", ""));
	assert_false(box(&r).allow);
	assert_int_equal(box(&r).inits, 2);
	rig_load(&r, PAIR("", "", "", ""));
	assert_int_equal(box(&r).backups, 2);
	assert_int_equal(rig_group(&r, 0).info.hold_until[ELECTION_HOLD_PREEMPT_DELAY], 0);
	rig_free(&r);
}

static void
the_interfaces_hold_is_for_the_next_link(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_load(&r, PAIR("", ",\"linkup-hold-ms\":2000,\"track\":true", "", ""));
	assert_int_equal(box(&r).demotion, 0);
	fake.has_port_event = true;
	fake.port_link_up = false;
	rig_turn(&r);
	fake.has_port_event = true;
	fake.port_link_up = true;
	rig_turn(&r);
	rig_run(&r, fake.now + 1999 * BASE_NS_PER_MS);
	assert_int_equal(box(&r).demotion, 1);
	rig_run(&r, fake.now + 2 * BASE_NS_PER_MS);
	assert_int_equal(box(&r).demotion, 0);
	rig_free(&r);
}

/* carp0 and, on the same interface, another one */
#define WITH(carp0, other) \
	IFS("")            \
	"\"carp\":{\"preempt\":true,\"log\":2,\"groups\":[" carp0 "," CARP1("") other "]}}"
#define OTHER                                                                 \
	",{\"name\":\"other\",\"carpdev\":\"em0\",\"vhid\":7,\"pass\":\"o\"," \
	"\"addresses\":[\"192.0.2.7/24\"]}"
#define OTHER6                                                                \
	",{\"name\":\"other\",\"carpdev\":\"em0\",\"vhid\":7,\"pass\":\"o\"," \
	"\"addresses\":[\"192.0.2.7/24\",\"2001:db8::7/64\"]}"
#define BARE(vhid, pass, vip)                                                              \
	"{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":" vhid ",\"pass\":\"" pass "\"," \
	"\"addresses\":[\"" vip "/24\"]}"

static void
a_group_comes_and_goes_while_another_is_master(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view before, v;
	struct wire_carp carp;
	uint64_t sum;

	(void)state;
	rig_to_master(&r);
	before = rig_group(&r, 0);
	rig_load(&r, WITH(CARP0(""), OTHER));
	assert_int_equal(rig_state(&r, 2), ELECTION_BACKUP);
	assert_int_equal(fake.n_rosters, 1);
	rig_run(&r, fake.now + RIG_DOWN + BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 2), ELECTION_MASTER);
	assert_true(fake.owned[2] && fake.answering[2]);
	/* adverts for it are heard, too */
	rig_advert(&r, "o", 7, 0xc0000207, RIG_PEER, 1, 200, 0);
	rig_turn(&r);
	assert_int_equal(rig_group(&r, 2).stats[CTL_STAT_IPACKETS], 1);
	sum = box(&r).stats[CTL_STAT_OPACKETS];
	/* it bows out before it is gone */
	fake.n_frames = 0;
	rig_load(&r, WITH(CARP0(""), ""));
	assert_non_null(sent_advert(0, &carp));
	assert_int_equal(carp.vhid, 7);
	assert_int_equal(carp.advbase, 255);
	assert_false(fake.owned[2] || fake.answering[2]);
	rig_run(&r, fake.now + 100 * BASE_NS_PER_MS);
	v = rig_group(&r, 2);
	assert_int_equal(v.info.state, ELECTION_INIT);
	assert_int_equal(v.stats[CTL_STAT_OPACKETS], 0);
	assert_true(box(&r).stats[CTL_STAT_OPACKETS] > sum);
	assert_int_equal(box(&r).inits, 0);
	/* nobody hears for it any more, nor can it be asked for */
	rig_advert(&r, "o", 7, 0xc0000207, RIG_PEER, 1, 200, 0);
	rig_run(&r, fake.now + 100 * BASE_NS_PER_MS);
	assert_int_equal(box(&r).no_group[CTL_STAT_BADVHID], 1);
	assert_int_equal(rig_request(&r, &(struct ctl_request){.type = CTL_REQ_UP, .group = 2},
				 note, sizeof(note)),
		-EINVAL);
	v = rig_group(&r, 0);
	assert_int_equal(v.info.state_since, before.info.state_since);
	assert_int_equal(v.info.transitions, before.info.transitions);
	rig_free(&r);
}

/* It would run on in a slot that the election holds and nobody else knows. */
static void
who_goes_is_not_called_back(void **state)
{
	const struct ctl_request up = {.type = CTL_REQ_UP, .group = 2};
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_to_master(&r);
	rig_load(&r, WITH(CARP0(""), OTHER));
	rig_run(&r, fake.now + RIG_DOWN + BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 2), ELECTION_MASTER);
	fake.meanwhile = &up;
	rig_load(&r, WITH(CARP0(""), ""));
	assert_null(fake.meanwhile);
	assert_int_equal(fake.meanwhile_result, -EBUSY);
	assert_int_equal(rig_group(&r, 2).info.state, ELECTION_INIT);
	/* there is room for another one at once */
	rig_load(&r, WITH(CARP0(""), OTHER));
	rig_run(&r, fake.now + RIG_DOWN + BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 2), ELECTION_MASTER);
	rig_free(&r);
}

/* Twice each, and nothing of those that a switch knows already. */
static void
a_switch_is_told_what_is_new(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint64_t told;

	(void)state;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	told = box(&r).stats[CTL_STAT_MEMBERSHIP];
	assert_int_equal(told, 2 * 2);
	rig_load(&r, WITH(CARP0(""), OTHER));
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_int_equal(box(&r).stats[CTL_STAT_MEMBERSHIP], told);
	/* ff02::12, and the solicited-node groups of VIP and link-local address */
	rig_load(&r, WITH(CARP0(""), OTHER6));
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_int_equal(box(&r).stats[CTL_STAT_MEMBERSHIP], told + 2 * 3);
	rig_load(&r, WITH(CARP0(""), OTHER));
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_int_equal(box(&r).stats[CTL_STAT_MEMBERSHIP], told + 2 * 3);
	rig_free(&r);
}

static void
a_new_password_and_address_are_used_at_once(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_arp arp;

	(void)state;
	rig_to_master(&r);
	rig_run(&r, fake.now + BASE_NS_PER_S / 2);
	fake.n_frames = 0;
	rig_load(&r, WITH(BARE("1", "newpasswd", "192.0.2.9"), ""));
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	rig_turn(&r);
	assert_non_null(sent_arp(0, &arp));
	assert_int_equal(arp.target_ip, 0xc0000209);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_BADAUTH], 1);
	rig_advert(&r, "newpasswd", 1, 0xc0000209, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(rig_group(&r, 0).info.transitions, 1);
	rig_free(&r);
}

/* Which of both is meant for the new addresses? */
static void
a_password_by_command_is_not_lost(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_request req = {.type = CTL_REQ_KEY, .group = 0};

	(void)state;
	assert_int_equal(auth_key_from_pass("newpasswd", req.key), 0);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(
		rig_reload(&r, WITH(BARE("1", "lanpasswd", "192.0.2.9"), ""), note, sizeof(note)),
		-EKEYREJECTED);
	rig_load(&r, PAIR("", "", ",\"advskew\":3", ""));
	assert_true(rig_group(&r, 0).key_set);
	rig_load(&r, WITH(BARE("1", "newpasswd", "192.0.2.9"), ""));
	assert_false(rig_group(&r, 0).key_set);
	rig_free(&r);
}

static void
another_vhid_is_another_group(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_to_master(&r);
	rig_load(&r, WITH(BARE("3", "lanpasswd", "192.0.2.1"), ""));
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(rig_state(&r, 2), ELECTION_BACKUP);
	rig_run(&r, fake.now + RIG_DOWN + BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 2), ELECTION_MASTER);
	rig_load(&r, rig_pair);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

static void
nothing_is_loaded_while_koi_ends(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	ctl_shutdown(r.ctl);
	assert_int_equal(
		rig_reload(&r, PAIR("", "", ",\"advskew\":7", ""), note, sizeof(note)), -EAGAIN);
	assert_string_equal(note, "koi is being stopped");
	assert_int_equal(rig_group(&r, 0).info.advskew, 0);
	rig_free(&r);
}

/* carp0, and one that shares its address */
#define TWIN                                                                 \
	",{\"name\":\"twin\",\"carpdev\":\"em0\",\"vhid\":7,\"pass\":\"o\"," \
	"\"addresses\":[\"192.0.2.1/24\"]}"
#define BALANCED(twin)                                                                             \
	IFS("")                                                                                    \
	"\"carp\":{\"preempt\":true,\"arpbalance\":true,\"groups\":[" CARP0("") "," CARP1("") twin \
		"]}}"

/* Neighbours have the other vMAC for it. */
static void
who_is_left_of_a_shared_address_announces_it(void **state)
{
	struct rig r = rig_make(BALANCED(TWIN));
	struct wire_arp arp;

	(void)state;
	rig_to_master(&r);
	rig_run(&r, fake.now + BASE_NS_PER_S / 2);
	assert_int_equal(rig_state(&r, 2), ELECTION_MASTER);
	fake.n_frames = 0;
	rig_load(&r, BALANCED(TWIN));
	rig_run(&r, fake.now + 10 * BASE_NS_PER_MS);
	assert_int_equal(sent_arps(), 0);
	rig_load(&r, BALANCED(""));
	rig_run(&r, fake.now + 10 * BASE_NS_PER_MS);
	assert_int_equal(sent_arps(), 1);
	assert_non_null(sent_arp(0, &arp));
	assert_int_equal(arp.sender_ip, RIG_VIP);
	assert_int_equal(arp.target_ip, RIG_VIP);
	assert_memory_equal(arp.sender_mac, rig_vmac, BASE_MAC_LEN);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	rig_free(&r);
}

/* Without it each MASTER would answer every asker; a command turned it off. */
static void
sharing_needs_arpbalance(void **state)
{
	struct rig r = rig_make(BALANCED(""));

	(void)state;
	set(&r, CTL_REQ_ARPBALANCE, 0, 0);
	assert_int_equal(rig_reload(&r, BALANCED(TWIN), note, sizeof(note)), -EINVAL);
	assert_string_equal(note,
		"carp0 and twin share a VIP, which needs arpbalance: set carp arpbalance 1 first");
	assert_int_equal(fake.n_rosters, 0);
	set(&r, CTL_REQ_ARPBALANCE, 0, 1);
	rig_load(&r, BALANCED(TWIN));
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_without_a_difference_does_not_notice),
		cmocka_unit_test(timing_changes_while_master),
		cmocka_unit_test(the_operators_values_stay_where_the_file_does),
		cmocka_unit_test(switches_of_the_box_change),
		cmocka_unit_test(the_interfaces_hold_is_for_the_next_link),
		cmocka_unit_test(a_group_comes_and_goes_while_another_is_master),
		cmocka_unit_test(who_goes_is_not_called_back),
		cmocka_unit_test(a_switch_is_told_what_is_new),
		cmocka_unit_test(a_new_password_and_address_are_used_at_once),
		cmocka_unit_test(a_password_by_command_is_not_lost),
		cmocka_unit_test(another_vhid_is_another_group),
		cmocka_unit_test(nothing_is_loaded_while_koi_ends),
		cmocka_unit_test(who_is_left_of_a_shared_address_announces_it),
		cmocka_unit_test(sharing_needs_arpbalance),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
