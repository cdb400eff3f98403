/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Events: their text, the same in log, CLI and telemetry, and how loud they are. */
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

#define EXPECT_EVENT(want) assert_string_equal(mgmt_event_text(&fake.config, e, buf), want)

static void
event_texts(void **state)
{
	char buf[MGMT_EVENT_TEXT];
	struct ctl_event *e;

	(void)state;
	e = fake_event(CTL_EVENT_STATE);
	e->group = 0;
	e->from = ELECTION_BACKUP;
	e->to = ELECTION_MASTER;
	e->cause = ELECTION_CAUSE_TIMEOUT;
	e->since_heard = 3004100 * BASE_NS_PER_US;
	e->takeover_ns = 38 * BASE_NS_PER_US;
	EXPECT_EVENT("carp: lan vhid 1: BACKUP -> MASTER (master timed out) "
		     "after 3004.1 ms, took 38 us");
	e->since_heard = BASE_NS_NEVER;
	EXPECT_EVENT("carp: lan vhid 1: BACKUP -> MASTER (master timed out), took 38 us");
	e->from = ELECTION_INIT;
	e->to = ELECTION_BACKUP;
	e->cause = ELECTION_CAUSE_RUNNABLE;
	EXPECT_EVENT("carp: lan vhid 1: INIT -> BACKUP (initialization complete)");
	/* how long nothing was heard is told of a time-out only; a command is named */
	e->from = ELECTION_MASTER;
	e->to = ELECTION_INIT;
	e->cause = ELECTION_CAUSE_SHUTDOWN;
	e->since_heard = 501500 * BASE_NS_PER_US;
	EXPECT_EVENT("carp: lan vhid 1: MASTER -> INIT (shutting down)");
	e->to = ELECTION_BACKUP;
	e->cause = ELECTION_CAUSE_FORCED;
	snprintf(e->text, sizeof(e->text), "state backup");
	EXPECT_EVENT("carp: lan vhid 1: MASTER -> BACKUP (forced by operator) by command: state "
		     "backup");

	e = fake_event(CTL_EVENT_DEMOTION);
	e->source = ELECTION_DEMOTION_LINK;
	e->if_id = 1;
	e->amount = 1;
	e->total = 1;
	EXPECT_EVENT("carp: demoted by 1 to 1 (interface down: wan)");
	e->amount = 0;
	e->total = 0;
	EXPECT_EVENT("carp: demotion ended: now 0 (interface down: wan)");
	e->source = ELECTION_DEMOTION_OPERATOR;
	e->if_id = ELECTION_NONE;
	e->amount = 5;
	e->total = 6;
	EXPECT_EVENT("carp: demoted by 5 to 6 (operator)");
	e->source = ELECTION_DEMOTION_SEND_ERROR;
	e->group = 1;
	EXPECT_EVENT("carp: demoted by 5 to 6 (adverts not sent: carp1)");

	e = fake_event(CTL_EVENT_LINK);
	e->if_id = 1;
	EXPECT_EVENT("interface wan: link down");
	e->link_up = true;
	EXPECT_EVENT("interface wan: link up");

	e = fake_event(CTL_EVENT_BAD_ADVERT);
	e->group = 0;
	e->src = base_addr_from_ip4(0xc0000209);
	e->stat = CTL_STAT_BADAUTH;
	e->suppressed = 17;
	EXPECT_EVENT(
		"carp: lan vhid 1: advert from 192.0.2.9 refused: badauth (digest does not match: "
		"password or VIP list differs), 17 more suppressed");
	e->group = ELECTION_NONE;
	e->if_id = 1;
	e->stat = CTL_STAT_BADVHID;
	e->suppressed = 0;
	EXPECT_EVENT(
		"carp: wan: advert from 192.0.2.9 refused: badvhid (vhid not configured or not "
		"running here)");

	e = fake_event(CTL_EVENT_STALL);
	e->gap = 12500 * BASE_NS_PER_US;
	EXPECT_EVENT("carp: control lcore did not run for 12.5 ms");

	e = fake_event(CTL_EVENT_REQUEST);
	e->group = 1;
	snprintf(e->text, sizeof(e->text), "down");
	EXPECT_EVENT("carp: wan vhid 2: operator: down");
}

static void
events(void **state)
{
	struct mgmt_args a = {0};
	struct ctl_event *e;
	json_t *v;

	(void)state;
	e = fake_event(CTL_EVENT_LINK);
	e->if_id = 0;
	e = fake_event(CTL_EVENT_STATE);
	e->group = 1;
	e->to = ELECTION_BACKUP;
	e->cause = ELECTION_CAUSE_RUNNABLE;
	EXPECT(carp_events, a,
		"2026-05-01T12:00:00.123Z interface lan: link down\n"
		"2026-05-01T12:00:01.123Z carp: wan vhid 2: INIT -> "
		"BACKUP (initialization complete)\n");
	a.has_group = true;
	a.group = 1;
	EXPECT(carp_events, a,
		"2026-05-01T12:00:01.123Z carp: wan vhid 2: INIT -> "
		"BACKUP (initialization complete)\n");
	a.has_group = false;
	a.offset = 1;
	v = mgmt_view_carp_events(&fake.config, &a);
	assert_int_equal(json_array_size(json_object_get(v, "events")), 1);
	assert_int_equal(get_u64(v, "next"), 2);
	json_decref(v);
}

static void
warnings(void **state)
{
	char buf[MGMT_EVENT_TEXT];
	struct ctl_event *e = fake_event(CTL_EVENT_WARN);

	(void)state;
	e->group = 0;
	e->src = base_addr_from_ip4(0xc0000203);
	e->peer = (struct election_priority){1, 0, 0};
	e->warn = ELECTION_WARN_PEER_NOT_FAST;
	EXPECT_EVENT("carp: lan vhid 1: 192.0.2.3 advertises every 1 s: fast group, but the peer "
		     "counts in seconds");
	e->peer = (struct election_priority){0, 2, 0};
	e->warn = ELECTION_WARN_PEER_FAST;
	EXPECT_EVENT("carp: lan vhid 1: 192.0.2.3 advertises every 7.8 ms: the peer is fast, this "
		     "group counts in seconds");
	e->peer = (struct election_priority){3, 128, 0};
	e->warn = ELECTION_WARN_PEER_SLOW;
	EXPECT_EVENT("carp: lan vhid 1: 192.0.2.3 advertises every 3.5 s: the peer's interval "
		     "reaches our master-down time");
	e->src = fake_ip6("fe80::1");
	e->warn = ELECTION_WARN_SELF_SLOW;
	EXPECT_EVENT("carp: lan vhid 1: fe80::1 advertises every 3.5 s: our interval reaches the "
		     "peer's master-down time");
	e->warn = ELECTION_WARN_NONE;
	EXPECT_EVENT("carp: lan vhid 1: timing fits again: fe80::1 advertises every 3.5 s");
	e->warn_silent = true;
	EXPECT_EVENT("carp: lan vhid 1: timing warning over: fe80::1 is not heard any more");
}

static void
splits(void **state)
{
	char buf[MGMT_EVENT_TEXT];
	struct ctl_event *e = fake_event(CTL_EVENT_SPLIT);

	(void)state;
	e->group = 0;
	e->split = ELECTION_SPLIT_DEAF;
	EXPECT_EVENT("carp: lan vhid 1: split brain suspected: master, and no frame at all is "
		     "received");
	e->src = fake_ip6("2001:db8:1111:2222:3333:4444:5555:6666");
	e->split = ELECTION_SPLIT_DUELS | ELECTION_SPLIT_TIES | ELECTION_SPLIT_AUTH |
		ELECTION_SPLIT_DEAF;
	EXPECT_EVENT(
		"carp: lan vhid 1: split brain suspected: another master is heard again and again; "
		"our adverts are answered by an equal claim again and again; a peer's adverts fail "
		"authentication; master, and no frame at all is received "
		"(2001:db8:1111:2222:3333:4444:5555:6666)");
	e->split_before = e->split;
	e->split = 0;
	EXPECT_EVENT("carp: lan vhid 1: split brain no longer suspected");
}

static void
decisions_and_filters(void **state)
{
	char buf[MGMT_EVENT_TEXT];
	struct ctl_event *e = fake_event(CTL_EVENT_DECISION);

	(void)state;
	e->group = 0;
	e->cause = ELECTION_CAUSE_TIMEOUT;
	e->hold = ELECTION_HOLD_STARTUP;
	e->hold_ns = 4200 * BASE_NS_PER_MS;
	EXPECT_EVENT("carp: lan vhid 1: take-over (master timed out) waits 4.2 s for startup-hold");
	e->cause = ELECTION_CAUSE_PREEMPT;
	e->hold = ELECTION_HOLD_TIE;
	e->hold_ns = 53110 * BASE_NS_PER_US;
	EXPECT_EVENT("carp: lan vhid 1: take-over (preempting a slower master) waits 53.1 ms for "
		     "tie-break");

	e = fake_event(CTL_EVENT_UNHEARD);
	e->group = 1;
	e->peer_if = 0;
	e->src = base_addr_from_ip4(0xc0000203);
	EXPECT_EVENT("carp: wan vhid 2: no peer was ever heard here, though 192.0.2.3 is master on "
		     "lan: adverts do not get through, or it has no such group");
	e->link_up = true;
	e->src = base_addr_from_ip4(0xc6336403);
	EXPECT_EVENT("carp: wan vhid 2: a peer is heard now (198.51.100.3)");

	e = fake_event(CTL_EVENT_DEVICE);
	e->if_id = 1;
	snprintf(e->text, sizeof(e->text), "the device was removed");
	EXPECT_EVENT("interface wan: its device is out of service: the device was removed");
	e->link_up = true;
	EXPECT_EVENT("interface wan: its device is in service again");

	e = fake_event(CTL_EVENT_STAGE);
	e->group = 1;
	e->if_id = 1;
	e->stage = AUTH_STAGE_STEP_REVERTED;
	EXPECT_EVENT("carp: wan vhid 2: staged change not committed within the window: the old one "
		     "goes on");
	e->stage = AUTH_STAGE_STEP_FOLLOWED_NEW;
	e->src = base_addr_from_ip4(0xc6336403);
	EXPECT_EVENT("carp: wan vhid 2: staged change over: a peer uses the new one alone, so that "
		     "stays (heard last: 198.51.100.3)");

	e = fake_event(CTL_EVENT_FILTER);
	e->if_id = 1;
	EXPECT_EVENT("interface wan: address filters failed, frames to the groups' MACs do not "
		     "reach us");
	e->link_up = true;
	EXPECT_EVENT("interface wan: frames to the groups' MACs reach us again");
	snprintf(e->text, sizeof(e->text), "net_tap1: promiscuous mode: %s",
		"Operation not supported");
	EXPECT_EVENT("interface wan: frames to the groups' MACs reach us again: net_tap1: "
		     "promiscuous mode: Operation not supported");
	e->link_up = false;
	EXPECT_EVENT("interface wan: address filters failed, frames to the groups' MACs do not "
		     "reach us: net_tap1: promiscuous mode: Operation not supported");
}

static void
loudness(void **state)
{
	static const struct {
		struct ctl_event e;
		const char *kind;
		uint8_t level;
		int syslog;
	} cases[] = {
		{{.kind = CTL_EVENT_STATE}, "state", 1, 5},
		{{.kind = CTL_EVENT_DEMOTION, .amount = 1}, "demotion", 1, 4},
		{{.kind = CTL_EVENT_DEMOTION}, "demotion", 1, 5},
		{{.kind = CTL_EVENT_LINK}, "link", 1, 4},
		{{.kind = CTL_EVENT_LINK, .link_up = true}, "link", 1, 5},
		{{.kind = CTL_EVENT_BAD_ADVERT}, "bad_advert", 2, 4},
		{{.kind = CTL_EVENT_REQUEST}, "request", 1, 6},
		{{.kind = CTL_EVENT_STALL}, "stall", 1, 4},
		{{.kind = CTL_EVENT_WARN, .warn = ELECTION_WARN_PEER_FAST}, "warn", 1, 4},
		{{.kind = CTL_EVENT_WARN}, "warn", 1, 5},
		{{.kind = CTL_EVENT_SPLIT, .split = ELECTION_SPLIT_AUTH}, "split", 1, 4},
		{{.kind = CTL_EVENT_SPLIT}, "split", 1, 5},
		{{.kind = CTL_EVENT_DECISION}, "decision", 1, 6},
		{{.kind = CTL_EVENT_UNHEARD}, "unheard", 1, 4},
		{{.kind = CTL_EVENT_UNHEARD, .link_up = true}, "unheard", 1, 5},
		{{.kind = CTL_EVENT_DEVICE}, "device", 1, 4},
		{{.kind = CTL_EVENT_DEVICE, .link_up = true}, "device", 1, 5},
		{{.kind = CTL_EVENT_STAGE, .stage = AUTH_STAGE_STEP_END_NEW}, "stage", 1, 5},
		{{.kind = CTL_EVENT_STAGE, .stage = AUTH_STAGE_STEP_REVERTED}, "stage", 1, 4},
		{{.kind = CTL_EVENT_FILTER}, "filter", 1, 4},
		{{.kind = CTL_EVENT_FILTER, .link_up = true}, "filter", 1, 5},
		{{.kind = CTL_EVENT_CAPTURE}, "capture", 1, 4},
		{{.kind = CTL_EVENT_CAPTURE, .link_up = true}, "capture", 1, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(mgmt_event_kind(&cases[i].e), cases[i].kind);
		assert_int_equal(mgmt_event_level(&cases[i].e), cases[i].level);
		assert_int_equal(mgmt_event_syslog(&cases[i].e), cases[i].syslog);
	}
}

/* What stands beside the text, for each kind that has something. */
static void
fields(void **state)
{
	static const char *const want[] = {
		"{\"from\": \"BACKUP\", \"to\": \"MASTER\", \"cause\": \"master timed out\", "
		"\"since_heard_us\": 3000000, \"takeover_us\": 38, \"own\": \"1/100/0\", "
		"\"peer\": \"1/0/2\", \"source\": \"192.0.2.3\", \"family\": \"IPv6\", "
		"\"hold\": \"linkup-hold\", \"late_us\": 7, \"command\": \"why\"}",
		"{\"warn\": \"the peer is fast, this group counts in seconds\", \"peer\": "
		"\"1/0/2\", \"source\": \"192.0.2.3\"}",
		"{\"split_brain_suspected\": true, \"split_reasons\": \"another master is heard "
		"again and again; a peer's adverts fail authentication\", \"split_before\": "
		"\"another master is heard again and again\", \"source\": \"192.0.2.3\"}",
		"{\"cause\": \"master timed out\", \"hold\": \"linkup-hold\", \"hold_us\": 900000, "
		"\"own\": \"1/100/0\", \"peer\": \"1/0/2\", \"source\": \"192.0.2.3\"}",
		"{\"filter_ok\": false, \"reason\": \"why\"}",
		"{\"warn\": \"timing fits\", \"silent\": true, \"peer\": \"1/0/2\", \"source\": "
		"\"192.0.2.3\"}",
		"{\"in_service\": false, \"reason\": \"why\"}",
		"{\"peer_heard\": false, \"source\": \"192.0.2.3\", \"peer_interface\": \"lan\"}",
		"{\"step\": \"adopted\", \"source\": \"192.0.2.3\"}",
	};
	static const enum ctl_event_kind kinds[] = {CTL_EVENT_STATE, CTL_EVENT_WARN,
		CTL_EVENT_SPLIT, CTL_EVENT_DECISION, CTL_EVENT_FILTER, CTL_EVENT_WARN,
		CTL_EVENT_DEVICE, CTL_EVENT_UNHEARD, CTL_EVENT_STAGE};
	static const char *const common[] = {"seq", "wall", "kind", "group", "interface", "text"};
	struct mgmt_args a = {0};
	json_t *v, *list;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ctl_event *e = fake_event(kinds[i]);

		e->from = ELECTION_BACKUP;
		e->to = ELECTION_MASTER;
		e->cause = ELECTION_CAUSE_TIMEOUT;
		e->since_heard = 3 * BASE_NS_PER_S;
		e->takeover_ns = 38 * BASE_NS_PER_US;
		e->late = 7 * BASE_NS_PER_US;
		e->own = (struct election_priority){1, 100, 0};
		e->peer = (struct election_priority){1, 0, 2};
		e->src = base_addr_from_ip4(0xc0000203);
		e->family = BASE_FAMILY_IP6;
		e->hold = ELECTION_HOLD_LINKUP;
		e->hold_ns = 900 * BASE_NS_PER_MS;
		e->warn = i == 5 ? ELECTION_WARN_NONE : ELECTION_WARN_PEER_FAST;
		e->warn_silent = true;
		snprintf(e->text, sizeof(e->text), "why");
		e->stage = AUTH_STAGE_STEP_ADOPTED;
		e->split = ELECTION_SPLIT_DUELS | ELECTION_SPLIT_AUTH;
		e->split_before = ELECTION_SPLIT_DUELS;
	}
	v = mgmt_view_carp_events(&fake.config, &a);
	list = json_object_get(v, "events");
	assert_int_equal(json_array_size(list), sizeof(kinds) / sizeof(kinds[0]));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_t *o = json_array_get(list, i);
		char *text;

		for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++)
			assert_int_equal(json_object_del(o, common[k]), 0);
		text = json_dumps(o, 0);
		assert_string_equal(text, want[i]);
		free(text);
	}
	json_decref(v);
}

/* A group's own events are kept apart, so that a busy box does not push them out. */
static void
group_reads_its_own(void **state)
{
	struct mgmt_args a = {.has_group = true, .group = 1};
	json_t *v, *list;

	(void)state;
	for (unsigned int i = 0; i < 300; i++)
		fake_event(CTL_EVENT_DECISION)->group = 1;
	fake_event(CTL_EVENT_LINK);
	v = mgmt_view_carp_events(&fake.config, &a);
	list = json_object_get(v, "events");
	assert_int_equal(json_array_size(list), CTL_DECISIONS_KEPT);
	assert_int_equal(get_u64(json_array_get(list, 0), "seq"), 45);
	assert_int_equal(get_u64(v, "next"), 300);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_before, fake_after)
		T(event_texts),
		T(events),
		T(warnings),
		T(splits),
		T(decisions_and_filters),
		T(loudness),
		T(fields),
		T(group_reads_its_own),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
