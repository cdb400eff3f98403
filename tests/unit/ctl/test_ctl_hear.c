/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A peer that is heard on one interface and should be heard on another too. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"

#define S BASE_NS_PER_S

/* The peer is master on the first interface: adverts a second apart, from a time to a time. */
static void
run_with_peer(struct rig *r, base_ns_t first, base_ns_t until, uint8_t advskew, uint8_t demotion)
{
	base_ns_t next = first;

	while (fake.now < until) {
		rig_run(r, fake.now + 100 * BASE_NS_PER_MS);
		if (fake.now < next)
			continue;
		next += S;
		rig_advert(r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, advskew, demotion);
		rig_turn(r);
	}
}

/* It says so here as well, at last. */
static void
advert_on_second(struct rig *r)
{
	rig_advert(r, "wanpasswd", 2, UINT32_C(0xc6336401), UINT32_C(0xc6336403), 1, 0, 0);
	fake.advert[fake.n_adverts - 1].if_index = 1;
	rig_turn(r);
}

/* Events of that kind; the last one is copied. */
static uint32_t
unheard(struct rig *r, struct ctl_event *out)
{
	static struct ctl_event ev[512];
	uint64_t last = 0;
	uint32_t n = ctl_events(r->ctl, ELECTION_NONE, 0, ev, 512, &last), found = 0;

	for (uint32_t i = 0; i < n; i++)
		if (ev[i].kind == CTL_EVENT_UNHEARD) {
			*out = ev[i];
			found++;
		}
	return found;
}

static void
is_named_and_ends_when_it_is_heard(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view v;
	struct ctl_event e;

	(void)state;
	run_with_peer(&r, RIG_START + S / 2, RIG_START + 12 * S, 0, 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	/* No frame at all is another matter. */
	assert_int_equal(unheard(&r, &e), 0);
	fake.last_frame = fake.now;
	run_with_peer(&r, fake.now, RIG_START + 12900 * BASE_NS_PER_MS, 0, 0);
	assert_int_equal(unheard(&r, &e), 0);
	run_with_peer(&r, fake.now, RIG_START + 15 * S, 0, 0);
	assert_int_equal(unheard(&r, &e), 1);
	assert_int_equal(e.group, 1);
	assert_int_equal(e.if_id, 1);
	assert_int_equal(e.peer_if, 0);
	assert_false(e.link_up);
	assert_int_equal(base_addr_ip4(&e.src), RIG_PEER);
	ctl_group_view(r.ctl, 1, &v);
	assert_int_equal(v.unheard_if, 0);
	assert_int_equal(base_addr_ip4(&v.unheard_src), RIG_PEER);
	/* Once, not every second. */
	run_with_peer(&r, fake.now, RIG_START + 20 * S, 0, 0);
	assert_int_equal(unheard(&r, &e), 1);

	advert_on_second(&r);
	assert_int_equal(unheard(&r, &e), 2);
	assert_true(e.link_up);
	assert_int_equal(e.if_id, 1);
	assert_int_equal(base_addr_ip4(&e.src), UINT32_C(0xc6336403));
	ctl_group_view(r.ctl, 1, &v);
	assert_int_equal(v.unheard_if, ELECTION_NONE);
	/* Who was heard once may be a backup from then on. */
	fake.last_frame = fake.now;
	run_with_peer(&r, fake.now, fake.now + 30 * S, 0, 0);
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	assert_int_equal(unheard(&r, &e), 2);
	rig_free(&r);
}

struct quiet_case {
	const char *name;
	base_ns_t first; /* advert of the peer, after the start */
	uint8_t advskew, demotion;
};

static const struct quiet_case quiet_cases[] = {
	/* Started when we did: each took what it prefers, and is backup of the other. */
	{"load sharing", 3 * S, 0, 0},
	{"started later", 9 * S, 0, 0},
	{"has lost a link", S / 2, 240, 1},
	{"has lost a link, of NetBSD", S / 2, 240, 0},
};

static void
who_may_be_silent_is_not_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(quiet_cases) / sizeof(quiet_cases[0]); i++) {
		const struct quiet_case *c = &quiet_cases[i];
		struct rig r = rig_make(rig_pair);
		struct ctl_event e;

		for (unsigned int k = 0; k < 4; k++) {
			fake.last_frame = fake.now;
			run_with_peer(&r,
				fake.now > RIG_START + c->first ? fake.now : RIG_START + c->first,
				fake.now + 8 * S, c->advskew, c->demotion);
		}
		if (unheard(&r, &e) != 0)
			fail_msg("%s", c->name);
		rig_free(&r);
	}
}

/* Once it is healthy again it has to be so for a master-down time before anything follows. */
static void
health_counts_from_when_it_is_seen(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_event e;

	(void)state;
	run_with_peer(&r, RIG_START + S / 2, RIG_START + 2 * S, 240, 1);
	for (unsigned int k = 0; k < 4; k++) {
		fake.last_frame = fake.now;
		run_with_peer(&r, fake.now, fake.now + 8 * S, 0, 0);
	}
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	assert_int_equal(unheard(&r, &e), 0);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_named_and_ends_when_it_is_heard),
		cmocka_unit_test(who_may_be_silent_is_not_named),
		cmocka_unit_test(health_counts_from_when_it_is_seen),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
