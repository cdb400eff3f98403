/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What is shown of host paths. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mgmt_expect.h"
#include "mgmt_fake.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

static void
no_tap(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	EXPECT(host, a, "no interface has a host path\n");
}

static void
a_tap_and_its_counters(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.host = (struct host_if_view){.tap = "koi-lan",
		.rate_pps = 20000,
		.written = 9,
		.write_failed = 1,
		.read = 8,
		.vips = 2};
	fake.host_stats = (struct dp_host_stats){10, 3, 6, 2};
	EXPECT(host, a,
		"lan: tap koi-lan, VIPs there 2\n"
		"\tto the kernel 10, paced 3 (at most 20000/s), written 9, not taken 1\n"
		"\tfrom the kernel 8, let through 6, refused 2\n");
	snprintf(fake.host.netdev, sizeof(fake.host.netdev), "em0");
	fake.host.refused = 4;
	fake.host.last_error = EPERM;
	EXPECT(host, a,
		"lan: tap koi-lan, VIPs there 2\n"
		"\tthe kernel's em0 is kept out of it\n"
		"\tto the kernel 10, paced 3 (at most 20000/s), written 9, not taken 1\n"
		"\tfrom the kernel 8, let through 6, refused 2\n"
		"\tthe kernel did not take 4 addresses or rules: Operation not permitted\n");
}

static void
an_interface_names_its_tap(void **state)
{
	struct mgmt_args a = {.has_if = true, .if_index = 0};
	json_t *v;

	(void)state;
	v = mgmt_view_if_one(&fake.config, &a);
	assert_string_equal(json_string_value(json_object_get(v, "host")), "");
	json_decref(v);
	fake.host = (struct host_if_view){.tap = "koi-lan", .rate_pps = 1};
	v = mgmt_view_if_one(&fake.config, &a);
	assert_string_equal(json_string_value(json_object_get(v, "host")), "koi-lan");
	json_decref(v);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fake_before, fake_after)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_tap),
		T(a_tap_and_its_counters),
		T(an_interface_names_its_tap),
	};

	return cmocka_run_group_tests_name("mgmt_view_host", tests, NULL, NULL);
}
