/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A staged change of password or VIPs, as it is shown. */

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

static void
staged_changes(void **state)
{
	struct auth_stage *s = &fake.groups[1].stage;
	struct mgmt_args a = {.has_group = true, .group = 1};
	json_t *v;

	(void)state;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "stage"), "none");
	assert_int_equal(get_u64(v, "staged_left_ms"), 0);
	json_decref(v);
	auth_stage_begin(s, true, 300 * BASE_NS_PER_S, FAKE_NOW - 20 * BASE_NS_PER_S);
#define HEAD                                                                   \
	"carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n" \
	"\tlladdr 00:00:5e:00:01:02\n"                                         \
	"\tcarp: BACKUP carpdev wan vhid 2 advbase 1 advskew 100\n"            \
	"\tinet 198.51.100.1 netmask 0xffffff00 broadcast 198.51.100.255\n"    \
	"\tvips 1 fingerprint 000000000000feed\n"                              \
	"\tsince 1.0 s, cause \"initialization complete\", demotion 1, master 198.51.100.3\n"
	EXPECT(carp_group, a,
		HEAD
		"\tchange staged: pass; the old digest and the new one are accepted, and sent as "
		"MASTER; commit or abort within 280 s\n");
	assert_true(auth_stage_decide(s, AUTH_STAGE_BACKUP, AUTH_NEW));
	EXPECT(carp_group, a,
		HEAD
		"\tchange committed: pass; the new digest is used, and both are sent, since others "
		"use the old one alone; the old one is accepted for 580 s\n");
	auth_stage_heard(s, AUTH_NEW, false);
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "stage"), "decided");
	assert_string_equal(get_str(v, "stage_uses"), "new");
	assert_string_equal(get_str(v, "stage_sends"), "new");
	assert_int_equal(get_u64(v, "staged_left_ms"), 580000);
	json_decref(v);
	/* past its end, while the master sends both */
	s->until = FAKE_NOW - BASE_NS_PER_S;
	EXPECT(carp_group, a,
		HEAD
		"\tchange committed: pass; the new digest is used; the old one is accepted as long "
		"as the master sends both\n");
#undef HEAD
}

static void
who_sends_which_digest(void **state)
{
	const base_ns_t t = FAKE_NOW;
	const struct {
		base_ns_t old, new;
		const char *want;
	} cases[] = {
		{0, 0, ""},
		{t, 0, "old"},
		{0, t, "new"},
		{t, t + 1000, "both"},
		{t, t - BASE_NS_PER_S, "both"},
		{t, t - 2 * BASE_NS_PER_S, "old"},
		{t - 2 * BASE_NS_PER_S, t, "new"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctl_peer p = {.prio = {.advbase = 1},
			.identity = {[AUTH_OLD] = cases[i].old, [AUTH_NEW] = cases[i].new}};

		assert_string_equal(mgmt_stage_peer(&p), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(staged_changes, fake_before, fake_after),
		cmocka_unit_test(who_sends_which_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
