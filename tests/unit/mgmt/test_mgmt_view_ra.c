/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Router advertisements: who sends them, and the configuration that comes back as it was. */
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
routers_and_what_they_say(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.groups[0].ra_next = FAKE_NOW + 2500 * BASE_NS_PER_MS;
	fake.groups[0].stats[CTL_STAT_RA_SENT] = 7;
	fake.groups[0].stats[CTL_STAT_RS_HEARD] = 3;
	EXPECT(ra, a,
		"carp0: MASTER on lan, from fe80::200:5eff:fe00:101 (00:00:5e:00:01:01), next in "
		"2.5 s\n"
		"\tevery 20 to 60 s, lifetime 180 s, preference medium\n"
		"\tprefixes 2001:db8:1::/64 on-link autonomous\n"
		"\tsent 7, with lifetime 0 0, repeated 0, solicitations 3\n");
	fake.groups[0].info.state = ELECTION_BACKUP;
	fake.groups[0].ra_next = BASE_NS_NEVER;
	fake.groups[0].stats[CTL_STAT_RA_FINAL] = 1;
	EXPECT(ra, a,
		"carp0: BACKUP on lan, from fe80::200:5eff:fe00:101 (00:00:5e:00:01:01)\n"
		"\tevery 20 to 60 s, lifetime 180 s, preference medium\n"
		"\tprefixes 2001:db8:1::/64 on-link autonomous\n"
		"\tsent 7, with lifetime 0 1, repeated 0, solicitations 3\n");
	fake_teardown();
	fake_setup();
	EXPECT(ra, a, "no interface sends router advertisements\n");
}

/* What "show config" says of them is taken again, and means the same. */
static void
config_comes_back(void **state)
{
	struct mgmt_args a = {0};
	json_t *v = mgmt_view_config(&fake.config, &a);
	const json_t *ra =
		json_object_get(json_array_get(json_object_get(v, "interfaces"), 0), "ra");
	char *text = json_dumps(v, 0);
	struct conf_issues issues;
	struct conf *again;

	(void)state;
	assert_non_null(ra);
	assert_int_equal(get_u64(ra, "lifetime-s"), 180);
	assert_int_equal(json_array_size(json_object_get(ra, "prefixes")), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(ra, "dns"), 0)), "2001:db8::53");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(ra, "domains"), 1)), "b.example");
	again = conf_parse(text, strlen(text), "again", CONF_CHECK_ONLY, &issues);
	assert_non_null(again);
	assert_memory_equal(
		&again->ifs[0].ra->msg, &fake.conf->ifs[0].ra->msg, sizeof(again->ifs[0].ra->msg));
	assert_int_equal(again->ifs[0].n_neighbors, 1);
	assert_memory_equal(&again->ifs[0].neighbors[0].addr, &fake.conf->ifs[0].neighbors[0].addr,
		sizeof(struct base_addr));
	assert_memory_equal(
		again->ifs[0].neighbors[0].mac, fake.conf->ifs[0].neighbors[0].mac, BASE_MAC_LEN);
	conf_free(again);
	conf_issues_free(&issues);
	free(text);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			routers_and_what_they_say, fake_before_dual, fake_after),
		cmocka_unit_test_setup_teardown(config_comes_back, fake_before_dual, fake_after),
	};

	return cmocka_run_group_tests_name("mgmt_view_ra", tests, NULL, NULL);
}
