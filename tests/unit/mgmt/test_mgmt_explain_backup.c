/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What "explain carp NAME" says of a BACKUP, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
#define OTHER_WAYS                                                                     \
	"- a bow-out (255/255).\n"                                                     \
	"- an advert with a demotion above 0.\n"                                       \
	"- an advert of more than 1.000 s + 100/256 with a demotion of 0 or more, as " \
	"preempt is 1.\n"                                                              \
	"- an advert of more than 3.000 s + 100/256: too slow to wait for the next.\n" \
	"- by command: carp carp1 state master.\n"
#define OTHER_WAYS_DUAL                                                              \
	"- a bow-out (255/255).\n"                                                   \
	"- an advert with a demotion above 0.\n"                                     \
	"- an advert of more than 1.000 s + 0/256 with a demotion of 0 or more, as " \
	"preempt is 1.\n"                                                            \
	"- an advert of more than 3.000 s + 0/256: too slow to wait for the next.\n" \
	"- by command: carp carp0 state master.\n"
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
	fake.groups[1].info.sent = (struct election_priority){.advbase = 1, .advskew = 100};
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
backup_of_a_better_master(void **state)
{
	struct ctl_event *e;

	(void)state;
	e = fake_transition(1, ELECTION_MASTER, ELECTION_CAUSE_BETTER_PEER);
	e->since_heard = 0;
	expect_explained(1,
		"carp1 (wan vhid 2) has been BACKUP for 1 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: more frequent advertisement received; rule: the peer's timing is "
		"better and it is not more demoted.\n"
		"Numbers: own 1.000 s + 100/256 demotion 0 against 1.000 s + 0/256 demotion "
		"0 of 198.51.100.3.\n"
		"Heard last: 198.51.100.3, 500 ms ago by IPv4: 1.000 s + 0/256 demotion 0.\n"
		"Master-down time: 3.391 s = 3 * 1 s + 100/256 s; it ends in 2.891 s.\n"
		"Demotion: none, advskew is 100 as configured.\n"
		"It stays BACKUP: the master is better: own 1.000 s + 100/256 demotion 0 "
		"against 1.000 s + 0/256 demotion 0 of 198.51.100.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence for another 2.891 s.\n" OTHER_WAYS);
}

static void
backup_compares(void **state)
{
	static const struct {
		struct election_priority own, heard;
		bool preempt;
		const char *verdict;
	} cases[] = {
		{{1, 100, 0}, {1, 100, 0}, true,
			"It stays BACKUP: the master is as good and was first: own 1.000 s + 100/256 "
			"demotion 0 against 1.000 s + 100/256 demotion 0 of 198.51.100.3."},
		{{1, 240, 1}, {1, 250, 0}, true,
			"It stays BACKUP: the master is less demoted: own 1.000 s + 240/256 demotion "
			"1 against 1.000 s + 250/256 demotion 0 of 198.51.100.3."},
		{{1, 100, 0}, {1, 200, 0}, false,
			"It stays BACKUP: the master is worse, but preempt is 0 and it is alive: own "
			"1.000 s + 100/256 demotion 0 against 1.000 s + 200/256 demotion 0 of "
			"198.51.100.3."},
		{{1, 100, 0}, {1, 200, 0}, true,
			"It takes over with the next such advert: own 1.000 s + 100/256 demotion 0 "
			"against 1.000 s + 200/256 demotion 0 of 198.51.100.3."},
		{{1, 100, 0}, {1, 0, 1}, false,
			"It takes over with the next such advert: own 1.000 s + 100/256 demotion 0 "
			"against 1.000 s + 0/256 demotion 1 of 198.51.100.3."},
	};

	struct mgmt_args a = {.has_group = true, .group = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char verdict[300] = "";
		json_t *v, *item;
		size_t n;

		fake.groups[1].info.sent = cases[i].own;
		fake.groups[1].info.heard = cases[i].heard;
		fake.box.preempt = cases[i].preempt;
		v = mgmt_view_carp_explain(&fake.config, &a);
		json_array_foreach (json_object_get(v, "lines"), n, item) {
			const char *line = json_string_value(item);

			/* with the line that it goes on in */
			if (strncmp(line, "It stays BACKUP", 15) == 0 ||
				strncmp(line, "It takes over with", 18) == 0)
				snprintf(verdict, sizeof(verdict), "%s", line);
			else if (verdict[0] != '\0' && strncmp(line, "  ", 2) == 0)
				snprintf(verdict + strlen(verdict),
					sizeof(verdict) - strlen(verdict), "%s", line + 1);
		}
		assert_string_equal(verdict, cases[i].verdict);
		json_decref(v);
	}
}

static void
backup_without_a_master(void **state)
{
	struct election_group_info *info = &fake.groups[1].info;

	(void)state;
	info->heard_at = info->family[0].heard_at = BASE_NS_NEVER;
	info->heard_from = info->family[0].heard_from = info->master = none;
	info->master_down_deadline = FAKE_NOW - MS(1);
	fake.box.preempt = false;
	fake_transition(1, ELECTION_INIT, ELECTION_CAUSE_RUNNABLE);
	expect_explained(1,
		"carp1 (wan vhid 2) has been BACKUP for 1 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: initialization complete; rule: up, with link, address and allow.\n"
		"Heard last: no advert since it left INIT.\n"
		"Master-down time: 3.391 s = 3 * 1 s + 100/256 s; it is over.\n"
		"Demotion: none, advskew is 100 as configured.\n"
		"It stays BACKUP while it waits: no master is known.\n"
		"It becomes MASTER by one of these:\n"
		"- silence: it has lasted long enough.\n"
		"- a bow-out (255/255).\n"
		"- an advert with a demotion above 0.\n"
		"- not by a worse advert, as preempt is 0 (set carp preempt 1).\n"
		"- an advert of more than 3.000 s + 100/256: too slow to wait for the next.\n"
		"- by command: carp carp1 state master.\n");
}

static void
backup_holding(void **state)
{
	struct election_group_info *info = &fake.groups[1].info;

	(void)state;
	info->heard = (struct election_priority){1, 200, 0};
	info->hold_until[ELECTION_HOLD_STARTUP] = FAKE_NOW + MS(4200);
	info->hold_until[ELECTION_HOLD_LINKUP] = FAKE_NOW + MS(900);
	info->hold_until[ELECTION_HOLD_PREEMPT_DELAY] = FAKE_NOW + S(60);
	info->put_off = ELECTION_CAUSE_FORCED;
	expect_explained(1,
		"carp1 (wan vhid 2) has been BACKUP for 1 s.\n"
		"Cause: initialization complete; rule: up, with link, address and allow.\n"
		"Heard last: 198.51.100.3, 500 ms ago by IPv4: 1.000 s + 200/256 demotion "
		"0.\n"
		"Master-down time: 3.391 s = 3 * 1 s + 100/256 s; it ends in 2.891 s.\n"
		"Demotion: none, advskew is 100 as configured.\n"
		"Hold: startup-hold for another 4.2 s: it takes over only from who bows out, "
		"or by command.\n"
		"Hold: linkup-hold for another 900 ms: it takes over only from who bows out, "
		"or by command; a frame ends it.\n"
		"Hold: preempt-delay for another 60 s: it preempts no living master.\n"
		"A take-over waits: forced by operator.\n"
		"It stays BACKUP while startup-hold lasts: own 1.000 s + 100/256 demotion 0 "
		"against 1.000 s + 200/256 demotion 0 of\n"
		"  198.51.100.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence for another 4.2 s.\n" OTHER_WAYS);
}

static void
backup_after_a_tie(void **state)
{
	struct election_group_info *info = &fake.groups[1].info;

	(void)state;
	info->heard = (struct election_priority){1, 100, 0};
	fake_transition(1, ELECTION_MASTER, ELECTION_CAUSE_TIE);
	info->heard = (struct election_priority){1, 200, 0};
	info->hold_until[ELECTION_HOLD_TIE] = info->master_down_deadline =
		FAKE_NOW + 53100 * BASE_NS_PER_US;
	info->put_off = ELECTION_CAUSE_PREEMPT;
	info->handing_over = true;
	expect_explained(1,
		"carp1 (wan vhid 2) has been BACKUP for 1 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: equal advertisement received; rule: the peer's timing is equal and "
		"it is not more demoted.\n"
		"Numbers: own 1.000 s + 100/256 demotion 0 against 1.000 s + 100/256 "
		"demotion 0 of 198.51.100.3.\n"
		"It is handing over: it forwards on until the new master is heard, 50 ms at "
		"most.\n"
		"Heard last: 198.51.100.3, 500 ms ago by IPv4: 1.000 s + 200/256 demotion "
		"0.\n"
		"Master-down time: 3.391 s = 3 * 1 s + 100/256 s; it ends in 53.1 ms.\n"
		"Demotion: none, advskew is 100 as configured.\n"
		"Hold: tie-break for another 53.1 ms: its claim waits, so that equals do not "
		"move together.\n"
		"A take-over waits: preempting a slower master.\n"
		"It stays BACKUP while tie-break lasts: own 1.000 s + 100/256 demotion 0 "
		"against 1.000 s + 200/256 demotion 0 of 198.51.100.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence for another 53.1 ms.\n" OTHER_WAYS);
}

static void
backup_of_a_fast_group(void **state)
{
	struct election_group_info *info = &fake.groups[1].info;

	(void)state;
	info->advbase = 0;
	info->advskew = 1;
	info->sent = (struct election_priority){0, 1, 0};
	info->heard_at = FAKE_NOW - 1234567;
	info->interval = BASE_NS_PER_SKEW;
	info->master_down = 3 * BASE_NS_PER_SKEW;
	info->master_down_deadline = info->heard_at + info->master_down;
	info->warn = ELECTION_WARN_PEER_NOT_FAST;
	info->warn_peer = info->heard;
	info->warn_src = info->heard_from;
	info->warn_since = FAKE_NOW - S(80);
	fake_transition(1, ELECTION_MASTER, ELECTION_CAUSE_STALLED);
	fake.groups[1].published_at = FAKE_NOW - MS(2500);
	expect_explained(1,
		"carp1 (wan vhid 2) has been BACKUP for 1 s, since "
		"2026-05-01T12:00:00.123Z.\n"
		"Cause: stalled for longer than a peer waits; rule: silent for longer than a "
		"peer waits.\n"
		"Heard last: 198.51.100.3, 1.2 ms ago by IPv4: 1.000 s + 0/256 demotion 0.\n"
		"Master-down time: 11.7 ms = 3 * max(1, 1)/256 s; it ends in 10.5 ms.\n"
		"Demotion: none, advskew is 1 as configured.\n"
		"Timing does not fit: 198.51.100.3 advertises every 1 s: fast group, but the "
		"peer counts in seconds; for 80 s now.\n"
		"It takes over with the next such advert: own 0.000 s + 1/256 demotion 0 "
		"against 1.000 s + 0/256 demotion 0 of 198.51.100.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence for another 10.5 ms.\n"
		"- a bow-out (255/255).\n"
		"- an advert with a demotion above 0.\n"
		"- an advert of more than 0.000 s + 1/256 with a demotion of 0 or more, as "
		"preempt is 1.\n"
		"- by command: carp carp1 state master.\n"
		"All this is 2.5 s old: the control lcore has not run since (show lcores).\n");
}

static void
dual_stack_with_one_family_silent(void **state)
{
	struct election_group_info *info = &fake.groups[0].info;

	(void)state;
	info->state = ELECTION_BACKUP;
	info->cause = ELECTION_CAUSE_BETTER_PEER;
	info->heard = (struct election_priority){0, 200, 0};
	info->heard_at = info->family[0].heard_at = FAKE_NOW - MS(300);
	info->heard_from = info->master = base_addr_from_ip4(0xc0000203);
	info->family[0].heard_from = info->heard_from;
	info->family[0].deadline = info->master_down_deadline = FAKE_NOW + MS(2700);
	info->family[1].heard_at = FAKE_NOW - MS(4200);
	info->family[1].heard_from = fake_ip6("fe80::200:ff:fe00:3");
	info->family[1].deadline = FAKE_NOW - MS(1200);
	fake.n_peers = 1;
	fake.peers[0].addr = info->family[1].heard_from;
	expect_explained(0,
		"carp0 (lan vhid 1) has been BACKUP for 12.3 s.\n"
		"Cause: more frequent advertisement received; rule: the peer's timing is "
		"better and it is not more demoted.\n"
		"Heard last: 192.0.2.3, 300 ms ago by IPv4: 0.000 s + 200/256 demotion 0.\n"
		"- IPv4: last advert 300 ms ago from 192.0.2.3, master-down in 2.7 s.\n"
		"- IPv6: last advert 4.2 s ago from fe80::200:ff:fe00:3, silent: master-down "
		"since 1.2 s.\n"
		"- family-timers all: it takes over when each one waited for is silent.\n"
		"Counters of fe80::200:ff:fe00:3: not heard enough to know its counters: not "
		"checked.\n"
		"Master-down time: 3 s = 3 * 1 s + 0/256 s; it ends in 2.7 s.\n" NOT_DEMOTED
		"It stays BACKUP: the master is better: own 1.000 s + 0/256 demotion 0 "
		"against 0.000 s + 200/256 demotion 0 of 192.0.2.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence of each family waited for for another 2.7 s.\n" OTHER_WAYS_DUAL);
	/* the present master was never heard by it */
	info->family[1].deadline = BASE_NS_NEVER;
	expect_explained(0,
		"carp0 (lan vhid 1) has been BACKUP for 12.3 s.\n"
		"Cause: more frequent advertisement received; rule: the peer's timing is "
		"better and it is not more demoted.\n"
		"Heard last: 192.0.2.3, 300 ms ago by IPv4: 0.000 s + 200/256 demotion 0.\n"
		"- IPv4: last advert 300 ms ago from 192.0.2.3, master-down in 2.7 s.\n"
		"- IPv6: last advert 4.2 s ago from fe80::200:ff:fe00:3, not waited for.\n"
		"- family-timers all: it takes over when each one waited for is silent.\n"
		"Counters of fe80::200:ff:fe00:3: not heard enough to know its counters: not "
		"checked.\n"
		"Master-down time: 3 s = 3 * 1 s + 0/256 s; it ends in 2.7 s.\n" NOT_DEMOTED
		"It stays BACKUP: the master is better: own 1.000 s + 0/256 demotion 0 "
		"against 0.000 s + 200/256 demotion 0 of 192.0.2.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence of each family waited for for another 2.7 s.\n" OTHER_WAYS_DUAL);
	info->family[1].heard_at = BASE_NS_NEVER;
	info->family[1].deadline = info->master_down_deadline = FAKE_NOW + MS(500);
	info->family_timers = ELECTION_FAMILY_TIMERS_ANY;
	expect_explained(0,
		"carp0 (lan vhid 1) has been BACKUP for 12.3 s.\n"
		"Cause: more frequent advertisement received; rule: the peer's timing is "
		"better and it is not more demoted.\n"
		"Heard last: 192.0.2.3, 300 ms ago by IPv4: 0.000 s + 200/256 demotion 0.\n"
		"- IPv4: last advert 300 ms ago from 192.0.2.3, master-down in 2.7 s.\n"
		"- IPv6: no advert since it left INIT, master-down in 500 ms.\n"
		"- family-timers any: it takes over when one of them is silent.\n"
		"Counters of fe80::200:ff:fe00:3: not heard enough to know its counters: not "
		"checked.\n"
		"Master-down time: 3 s = 3 * 1 s + 0/256 s; it ends in 500 ms.\n" NOT_DEMOTED
		"It stays BACKUP: the master is better: own 1.000 s + 0/256 demotion 0 "
		"against 0.000 s + 200/256 demotion 0 of 192.0.2.3.\n"
		"It becomes MASTER by one of these:\n"
		"- silence of IPv4 or of IPv6 for another 500 ms.\n" OTHER_WAYS_DUAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name)	     cmocka_unit_test_setup_teardown(name, setup, fake_after)
#define T_DUAL(name) cmocka_unit_test_setup_teardown(name, setup_dual, fake_after)
		T(backup_of_a_better_master),
		T(backup_compares),
		T(backup_without_a_master),
		T(backup_holding),
		T(backup_after_a_tie),
		T(backup_of_a_fast_group),
		T_DUAL(dual_stack_with_one_family_silent),
#undef T
#undef T_DUAL
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
