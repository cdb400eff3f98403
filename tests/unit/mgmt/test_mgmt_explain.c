/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What "explain carp NAME" says of a MASTER or in INIT, word for word, and the fields beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_expect.h"
#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

#define S(n)  ((n)*BASE_NS_PER_S)
#define MS(n) ((n)*BASE_NS_PER_MS)

/* What most of them end with. */
#define STAYS_MASTER                                                                 \
	"It stays MASTER until one of these:\n"                                      \
	"- an advert of 1.000 s + 0/256 or less, with a demotion of 0.\n"            \
	"- a demotion of this box, which then sends advskew 240 demotion 1: any "    \
	"advert with demotion 0.\n"                                                  \
	"- the link of lan goes down.\n"                                             \
	"- koi does not run for longer than a peer waits.\n"                         \
	"- by command: carp carp0 down, carp carp0 state backup, set carp allow 0, " \
	"or the end of koi.\n"
#define AFTER_INIT                                                    \
	"After that it is BACKUP, and MASTER after 3 s of silence.\n" \
	"Demotion: none, advskew is 0 as configured.\n"               \
	"Adverts refused: 2 badauth (show carp stats carp0).\n"
#define NOT_DEMOTED                                     \
	"Demotion: none, advskew is 0 as configured.\n" \
	"Adverts refused: 2 badauth (show carp stats carp0).\n"

static const struct base_addr none = {.family = BASE_FAMILY_NONE};

static int
setup(void **state)
{
	(void)state;
	fake_setup();
	fake.box.demotion = 0;
	return 0;
}

static int
setup_dual(void **state)
{
	(void)state;
	fake_setup_dual();
	fake.box.demotion = 0;
	return 0;
}

static void
expect_explained(uint16_t group, const char *want)
{
	struct mgmt_args a = {.has_group = true, .group = group};
	json_t *v = mgmt_view_carp_explain(&fake.config, &a), *line;
	size_t i;

	json_array_foreach (json_object_get(v, "lines"), i, line)
		assert_true(json_string_length(line) <= 127);
	expect_text(v, mgmt_text_carp_explain, want);
}

static void
master_by_timeout(void **state)
{
	struct ctl_event *e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);

	(void)state;
	e->since_heard = 3004100 * BASE_NS_PER_US;
	e->takeover_ns = 38 * BASE_NS_PER_US;
	e->late = 92 * BASE_NS_PER_US;
	e->family = BASE_FAMILY_IP4;
	fake.groups[0].info.advert_deadline = FAKE_NOW + MS(400);
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Numbers: the last advert, of 192.0.2.3, was 3.004 s old; it waits 3 s = 3 * "
		"1 s + 0/256 s.\n"
		"The first advert went out 38 us after the decision.\n"
		"The decision came 92 us after its time.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next in 400 ms, the "
		"latest yet by 42 us.\n" NOT_DEMOTED STAYS_MASTER);
}

static void
master_that_heard_nobody(void **state)
{
	struct ctl_event *e;

	(void)state;
	fake.groups[0].info.heard_at = BASE_NS_NEVER;
	fake.groups[0].info.heard_from = none;
	e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	e->hold = ELECTION_HOLD_STARTUP;
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Numbers: no advert at all for 3 s = 3 * 1 s + 0/256 s.\n"
		"It had been put off by startup-hold.\n"
		"Heard last: no advert since it left INIT; backups are silent.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n" NOT_DEMOTED STAYS_MASTER);
}

static void
master_by_preempt(void **state)
{
	(void)state;
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_PREEMPT);
	/* newer events that are no transition do not hide it */
	fake_event(CTL_EVENT_WARN)->group = 0;
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: preempting a slower master; rule: preempt, our timing is better and "
		"the peer is not less demoted.\n"
		"Numbers: own 1.000 s + 0/256 demotion 0 against 1.000 s + 128/256 demotion "
		"0 of 192.0.2.3.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n" NOT_DEMOTED STAYS_MASTER);
}

static void
master_forced(void **state)
{
	(void)state;
	struct ctl_event *e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_FORCED);

	snprintf(e->text, sizeof(e->text), "state master");
	fake.groups[0].info.announce_deadline = FAKE_NOW + S(30);
	/* how a peer counts says nothing in a strict group */
	fake.conf->groups[0].strict = true;
	fake.n_peers = 1;
	fake.peers[0].addr = fake.groups[0].info.heard_from;
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: forced by operator; rule: the operator said so.\n"
		"The command was: state master.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n"
		"It announces its addresses again in 30 s.\n" NOT_DEMOTED
		"The group is strict: each counter is taken once, and only with a time within 5 "
		"s of ours.\n" STAYS_MASTER);
}

static void
master_by_bow_out(void **state)
{
	struct ctl_event *e;

	(void)state;
	fake.groups[0].info.heard = (struct election_priority){255, 255, 0};
	e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_BOW_OUT);
	e->since_heard = 0;
	fake.n_peers = 2;
	fake.peers[0] = (struct ctl_peer){.addr = base_addr_from_ip4(0xc0000203),
		.prio = {255, 255, 0},
		.last_heard = FAKE_NOW - S(15),
		.counters = AUTH_REPLAY_CLASS_CONSTANT,
		.bowed_out = true};
	fake.peers[1] = (struct ctl_peer){.addr = base_addr_from_ip4(0xc0000204),
		.prio = {1, 200, 0},
		.last_heard = FAKE_NOW - S(99),
		.counters = AUTH_REPLAY_CLASS_CHANGING};
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: master down; rule: the peer said that it leaves (255/255).\n"
		"Numbers: 192.0.2.3 sent 255/255.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: bow-out (255/255).\n"
		"Counters of 192.0.2.3: repeats one counter, as OpenBSD does: not checked.\n"
		"Heard before: 192.0.2.4, 99 s ago: 1.000 s + 200/256 demotion 0.\n"
		"Counters of 192.0.2.4: changes its counters: replays are refused.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n" NOT_DEMOTED STAYS_MASTER);
}

static void
master_demoted(void **state)
{
	(void)state;
	fake.groups[0].info.sent = (struct election_priority){1, 240, 3};
	fake.groups[0].info.interval = S(1) + 240 * BASE_NS_PER_SKEW;
	fake.box.demotion = 3;
	fake.n_demotions = 3;
	fake.demotions[0] = (struct election_demotion_entry){.source = ELECTION_DEMOTION_LINK,
		.if_id = 1,
		.group = ELECTION_NONE,
		.amount = 1,
		.since = FAKE_NOW - S(2),
		.expires = BASE_NS_NEVER};
	fake.demotions[1] = (struct election_demotion_entry){.source = ELECTION_DEMOTION_SEND_ERROR,
		.if_id = ELECTION_NONE,
		.group = 1,
		.amount = 1,
		.since = FAKE_NOW - MS(1500),
		.expires = FAKE_NOW + S(42)};
	fake.demotions[2] = (struct election_demotion_entry){.source = ELECTION_DEMOTION_OPERATOR,
		.if_id = ELECTION_NONE,
		.group = ELECTION_NONE,
		.amount = 1,
		.since = FAKE_NOW - MS(7),
		.expires = BASE_NS_NEVER};
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 240/256 demotion 3 every 1.938 s; the next now, the "
		"latest yet by 42 us.\n"
		"Demotion: 3, therefore advskew 240 instead of 0.\n"
		"- 1 by interface down: wan for 2 s.\n"
		"- 1 by adverts not sent: carp1 for 1.5 s, ends in 42 s.\n"
		"- 1 by operator for 7 ms, until \"set carp demotion 0\".\n"
		"Adverts refused: 2 badauth (show carp stats carp0).\n"
		"It stays MASTER until one of these:\n"
		"- an advert of 1.000 s + 240/256 or less, with a demotion of 3 or less.\n"
		"- any other advert with a demotion below 3.\n"
		"- the link of lan goes down.\n"
		"- koi does not run for longer than a peer waits.\n"
		"- by command: carp carp0 down, carp carp0 state backup, set carp allow 0, "
		"or the end of koi.\n");
}

static void
master_with_a_split(void **state)
{
	struct election_group_info *info = &fake.groups[0].info;

	(void)state;
	info->split = ELECTION_SPLIT_DEAF;
	info->split_since = FAKE_NOW - S(20);
	fake.groups[0].unheard_if = 1;
	fake.groups[0].unheard_src = base_addr_from_ip4(0xc6336403);
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n"
		"Demotion: none, advskew is 0 as configured.\n"
		"Split brain suspected for 20 s:\n"
		"- master, and no frame at all is received: check cable, switch port and "
		"receive queues.\n"
		"- no frame ever came on lan.\n"
		"No peer was ever heard on lan, though 198.51.100.3 is master on wan and should be "
		"here too: check that multicast passes on this\n  segment, and that the peer has "
		"this group.\n"
		"Adverts refused: 2 badauth (show carp stats carp0).\n" STAYS_MASTER);
	fake.groups[0].unheard_if = ELECTION_NONE;

	info->split = ELECTION_SPLIT_DUELS | ELECTION_SPLIT_TIES | ELECTION_SPLIT_AUTH |
		ELECTION_SPLIT_DEAF;
	info->split_since = FAKE_NOW - S(20);
	info->duels = 4;
	info->duel_at = FAKE_NOW - S(2);
	info->frame_at = FAKE_NOW - MS(12500);
	info->auth_failed_from = base_addr_from_ip4(0xc0000209);
	info->auth_failed_at = FAKE_NOW - MS(900);
	fake.groups[0].stats[CTL_STAT_REPLAY] = 7;
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Heard last: 192.0.2.3, 15 s ago by IPv4: 1.000 s + 128/256 demotion 0.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n"
		"Demotion: none, advskew is 0 as configured.\n"
		"Split brain suspected for 20 s:\n"
		"- another master is heard again and again: it does not hear us; check the "
		"way from here to it.\n"
		"- our adverts are answered by an equal claim again and again: give one of "
		"the two another advskew.\n"
		"- a peer's adverts fail authentication: compare passwords and VIP lists.\n"
		"- master, and no frame at all is received: check cable, switch port and "
		"receive queues.\n"
		"- the last frame on lan came 12.5 s ago.\n"
		"As MASTER it heard another one 4 times, the last time 2 s ago.\n"
		"Authentication fails: 192.0.2.9, 900 ms ago: password or VIP list differs.\n"
		"- compare the fingerprint of \"show carp carp0\" on both boxes; here it is "
		"0123456789abcdef.\n"
		"Adverts refused: 2 badauth, 7 replay (show carp stats carp0).\n" STAYS_MASTER);
}

/* The numbers of what the guard refused. */
static void
refusals(void **state)
{
	static const char want[] =
		"[{\"kind\": \"replay\", \"us_ago\": 2100000, \"source\": \"192.0.2.3\", "
		"\"counters\": \"changing\", \"priority\": {\"advbase\": 255, \"advskew\": 255, "
		"\"demotion\": 0}, \"ours\": false, \"first_source\": \"192.0.2.4\", "
		"\"counter_us_before\": 30000000}, {\"kind\": \"not_strict\", \"us_ago\": 3000000, "
		"\"source\": \"192.0.2.5\", \"counters\": \"unknown\", \"priority\": {\"advbase\": 1, "
		"\"advskew\": 0, \"demotion\": 0}}, {\"kind\": \"stale\", \"us_ago\": 4000000, "
		"\"source\": \"192.0.2.6\", \"counters\": \"unknown\", \"priority\": {\"advbase\": 1, "
		"\"advskew\": 100, \"demotion\": 2}, \"clock_diff_ms\": -7012}]";
	struct ctl_refusal *r = fake.groups[0].refused;
	struct mgmt_args a = {.has_group = true};
	static const char *const more[] = {
		"- replay, last 2.1 s ago from 192.0.2.3, bow-out (255/255): its counter came "
		"first from 192.0.2.4 and was heard 30 s before.\n",
		"- not_strict, last 3 s ago from 192.0.2.5, 1.000 s + 0/256 demotion 0: its counter "
		"carries no time.\n",
		"- stale, last 4 s ago from 192.0.2.6, 1.000 s + 100/256 demotion 2: its time is "
		"7012 ms ahead of ours, 5000 ms are "
		"allowed.\n",
		"- if the box at that address was replaced: clear carp sources carp0.\n",
	};
	char text[8192] = "", *shown;
	json_t *v, *line;
	size_t i;

	(void)state;
	r[0] = (struct ctl_refusal){.at = FAKE_NOW - MS(2100),
		.src = base_addr_from_ip4(0xc0000203),
		.prio = {255, 255, 0},
		.why = {.cls = AUTH_REPLAY_CLASS_CHANGING,
			.first = base_addr_from_ip4(0xc0000204),
			.age = S(30)}};
	r[AUTH_REPLAY_NOT_STRICT - AUTH_REPLAY_REPLAY] = (struct ctl_refusal){
		.at = FAKE_NOW - S(3), .src = base_addr_from_ip4(0xc0000205), .prio = {1, 0, 0}};
	r[AUTH_REPLAY_STALE - AUTH_REPLAY_REPLAY] = (struct ctl_refusal){.at = FAKE_NOW - S(4),
		.src = base_addr_from_ip4(0xc0000206),
		.prio = {1, 100, 2},
		.why = {.clock_diff_ms = -7012}};
	v = mgmt_view_carp_explain(&fake.config, &a);
	json_array_foreach (json_object_get(v, "lines"), i, line) {
		strcat(text, json_string_value(line));
		strcat(text, "\n");
	}
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (!strstr(text, more[i]))
			fail_msg("%s is not in\n%s", more[i], text);
	shown = json_dumps(json_object_get(v, "refusals"), 0);
	assert_string_equal(shown, want);
	free(shown);
	json_decref(v);

	/* ours; from somebody who is forgotten; behind; a strict group has nothing to clear */
	r[0].why = (struct auth_replay_report){.ours = true, .age = MS(12)};
	r[2].why.clock_diff_ms = 5001;
	fake.conf->groups[0].strict = true;
	v = mgmt_view_carp_explain(&fake.config, &a);
	shown = json_dumps(v, 0);
	assert_non_null(strstr(shown, "its counter is one that this box sent 12 ms before."));
	assert_non_null(strstr(shown, "its time is 5001 ms behind ours"));
	assert_null(strstr(shown, "clear carp sources"));
	free(shown);
	json_decref(v);
	r[0].why = (struct auth_replay_report){.age = S(9)};
	v = mgmt_view_carp_explain(&fake.config, &a);
	shown = json_dumps(v, 0);
	assert_non_null(strstr(shown, "its counter was heard 9 s before."));
	free(shown);
	json_decref(v);
}

static void
init_for_each_reason(void **state)
{
	struct election_group_info *info = &fake.groups[0].info;
	struct conf_group *g = &fake.conf->groups[0];
	const uint16_t n_addresses = g->n_addresses;

	(void)state;
	info->state = ELECTION_INIT;
	fake.n_events = 0;

	info->admin_up = false;
	fake_transition(0, ELECTION_MASTER, ELECTION_CAUSE_ADMIN_DOWN);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: administratively down; rule: the operator took it down.\n"
		"In the way: it is administratively down. To do: carp carp0 up.\n" AFTER_INIT);
	info->admin_up = true;

	fake.ports[0].link_up = false;
	fake_transition(0, ELECTION_MASTER, ELECTION_CAUSE_LINK_DOWN);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:01.123Z.\n"
		"Cause: interface down; rule: the interface has no link.\n"
		"In the way: lan has no link. To do: check cable and switch port of lan.\n" AFTER_INIT);
	snprintf(fake.ports[0].link_source, sizeof(fake.ports[0].link_source), "netdev");
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:01.123Z.\n"
		"Cause: interface down; rule: the interface has no link.\n"
		"In the way: lan has no link. To do: check cable and switch port of lan, and that "
		"its netdev is up.\n" AFTER_INIT);
	snprintf(fake.ports[0].link_source, sizeof(fake.ports[0].link_source), "poll");
	snprintf(fake.ports[0].out_of_service, PORT_OUT_MAX, "the device was removed");
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:01.123Z.\n"
		"Cause: interface down; rule: the interface has no link.\n"
		"In the way: lan is out of service: the device was removed. To do: show interface "
		"lan.\n" AFTER_INIT);
	fake.ports[0].out_of_service[0] = '\0';
	fake.ports[0].link_up = true;

	snprintf(fake.ports[0].vmac_reason, sizeof(fake.ports[0].vmac_reason),
		"the driver refused promiscuous mode");
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:01.123Z.\n"
		"Cause: interface down; rule: the interface has no link.\n"
		"In the way: lan has link, but not yet for the election: the driver refused "
		"promiscuous mode. To do: show interface lan.\n" AFTER_INIT);

	fake.ports[0].vmac_reason[0] = '\0';
	fake.if_down[0] = true;
	fake_transition(0, ELECTION_MASTER, ELECTION_CAUSE_IF_DOWN);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:02.123Z.\n"
		"Cause: interface taken down by operator; rule: the operator took the interface "
		"down.\n"
		"In the way: lan is administratively down. To do: interface lan up.\n" AFTER_INIT);
	fake.if_down[0] = false;

	g->n_addresses = 0;
	fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_NO_VIP);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:03.123Z.\n"
		"Cause: no shared address; rule: there is no address to share.\n"
		"In the way: it has no shared address. To do: give it \"addresses\" in the "
		"configuration.\n" AFTER_INIT);
	g->n_addresses = n_addresses;

	fake.box.allow = false;
	fake_transition(0, ELECTION_MASTER, ELECTION_CAUSE_DISALLOWED);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:04.123Z.\n"
		"Cause: allow is 0; rule: allow is 0.\n"
		"In the way: allow is 0. To do: set carp allow 1.\n" AFTER_INIT);
	fake.box.allow = true;

	fake_transition(0, ELECTION_MASTER, ELECTION_CAUSE_SHUTDOWN);
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s, since "
		"2026-05-01T12:00:05.123Z.\n"
		"Cause: shutting down; rule: the process ends.\n"
		"In the way: koi is shutting down. To do: start koi again.\n" AFTER_INIT);

	/* as configured with "state": "init", on a link that is down, and not allowed */
	fake.n_events = 0;
	info->cause = ELECTION_CAUSE_NONE;
	info->admin_up = false;
	fake.box.allow = false;
	fake.ports[0].link_up = false;
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s.\n"
		"Cause: none, it has been so since koi started.\n"
		"In the way: it is administratively down. To do: carp carp0 up.\n"
		"In the way: allow is 0. To do: set carp allow 1.\n"
		"In the way: lan has no link. To do: check cable and switch port of lan.\n" AFTER_INIT);

	info->admin_up = fake.box.allow = fake.ports[0].link_up = true;
	expect_explained(0,
		"carp0 (lan vhid 1) has been INIT for 12.3 s.\n"
		"Cause: none, it has been so since koi started.\n"
		"Nothing is in the way now: it goes to BACKUP at once.\n" AFTER_INIT);
}

static void
dual_stack_master(void **state)
{
	struct election_group_info *info = &fake.groups[0].info;
	struct ctl_event *e;

	(void)state;
	info->family_timers = ELECTION_FAMILY_TIMERS_ANY;
	info->heard_from = info->family[1].heard_from = fake_ip6("fe80::200:ff:fe00:3");
	info->family[1].heard_at = info->heard_at;
	info->family[0].heard_at = BASE_NS_NEVER;
	e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);
	e->since_heard = S(3);
	e->family = BASE_FAMILY_IP6;
	expect_explained(0,
		"carp0 (lan vhid 1) has been MASTER for 12.3 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: master timed out; rule: no advert for 3 * advbase + advskew/256 s.\n"
		"Numbers: the last advert, of fe80::200:ff:fe00:3, was 3 s old; it waits 3 s "
		"= 3 * 1 s + 0/256 s.\n"
		"The IPv6 timer decided (family-timers any).\n"
		"Heard last: fe80::200:ff:fe00:3, 15 s ago by IPv6: 1.000 s + 128/256 "
		"demotion 0.\n"
		"- IPv4: no advert since it left INIT.\n"
		"- IPv6: last advert 15 s ago from fe80::200:ff:fe00:3.\n"
		"It advertises 1.000 s + 0/256 demotion 0 every 1 s; the next now, the "
		"latest yet by 42 us.\n" NOT_DEMOTED STAYS_MASTER);
}

/* What the sentences say, as numbers. */
static void
fields(void **state)
{
	static const char *const want[] = {
		"{\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"state\": \"MASTER\", "
		"\"state_since_ms\": 12300, \"cause\": \"master timed out\", \"rule\": \"no advert "
		"for 3 * advbase + advskew/256 s\", \"own\": {\"advbase\": 1, \"advskew\": 0, "
		"\"demotion\": 0}, \"preempt\": true, \"decision\": {\"seq\": 1, \"wall\": "
		"\"2026-05-01T12:00:00.123Z\", \"from\": \"BACKUP\", \"own\": {\"advbase\": 1, "
		"\"advskew\": 0, \"demotion\": 0}, \"peer\": {\"advbase\": 1, \"advskew\": 128, "
		"\"demotion\": 0}, \"source\": \"192.0.2.3\", \"since_heard_us\": 3004100, "
		"\"family\": \"IPv4\", \"hold\": \"linkup-hold\", \"late_us\": 92, "
		"\"takeover_us\": 38, \"command\": \"\"}, \"obstacles\": [], \"heard_from\": \"192.0.2.3\", "
		"\"heard_us_ago\": 15000000, \"heard\": {\"advbase\": 1, \"advskew\": 128, "
		"\"demotion\": 0}, \"families\": [], \"peers\": [], \"interval_us\": 1000000, \"advert_in_us\": "
		"400000, \"demotions\": [], \"holds\": [], \"warn\": \"\", "
		"\"split_brain_suspected\": false, \"split_reasons\": \"\", \"duels\": 0, \"refusals\": []}",
		"{\"name\": \"carp1\", \"carpdev\": \"wan\", \"vhid\": 2, \"state\": "
		"\"BACKUP\", \"state_since_ms\": 1000, \"cause\": \"initialization "
		"complete\", \"rule\": \"up, with link, address and allow\", \"own\": "
		"{\"advbase\": 1, \"advskew\": 240, \"demotion\": 1}, \"preempt\": true, "
		"\"obstacles\": [], \"heard_from\": \"198.51.100.3\", \"heard_us_ago\": "
		"500000, \"heard\": {\"advbase\": 1, \"advskew\": 0, \"demotion\": 0}, "
		"\"families\": [], \"peers\": [], \"master_down_us\": 3390625, \"master_down_in_us\": "
		"2890625, \"demotions\": [], \"holds\": [{\"hold\": \"startup-hold\", "
		"\"ends_in_us\": 60000000}], \"warn\": \"\", \"split_brain_suspected\": "
		"false, \"split_reasons\": \"\", \"duels\": 0, \"refusals\": [], \"takeover_in_us\": "
		"60000000}",
	};
	struct mgmt_args a = {.has_group = true};
	struct ctl_event *e = fake_transition(0, ELECTION_BACKUP, ELECTION_CAUSE_TIMEOUT);

	(void)state;
	e->since_heard = 3004100 * BASE_NS_PER_US;
	e->takeover_ns = 38 * BASE_NS_PER_US;
	e->late = 92 * BASE_NS_PER_US;
	e->family = BASE_FAMILY_IP4;
	e->hold = ELECTION_HOLD_LINKUP;
	fake.groups[0].info.advert_deadline = FAKE_NOW + MS(400);
	fake.groups[1].info.hold_until[ELECTION_HOLD_STARTUP] = FAKE_NOW + S(60);
	for (; a.group < 2; a.group++) {
		json_t *v = mgmt_view_carp_explain(&fake.config, &a);
		char *text;

		json_object_del(v, "lines");
		json_object_del(v, "count");
		json_object_del(v, "next");
		text = json_dumps(v, 0);
		assert_string_equal(text, want[a.group]);
		free(text);
		json_decref(v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name)	     cmocka_unit_test_setup_teardown(name, setup, fake_after)
#define T_DUAL(name) cmocka_unit_test_setup_teardown(name, setup_dual, fake_after)
		T(master_by_timeout),
		T(master_that_heard_nobody),
		T(master_by_preempt),
		T(master_forced),
		T(master_by_bow_out),
		T(master_demoted),
		T(master_with_a_split),
		T(refusals),
		T(init_for_each_reason),
		T_DUAL(dual_stack_master),
		T(fields),
#undef T
#undef T_DUAL
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
