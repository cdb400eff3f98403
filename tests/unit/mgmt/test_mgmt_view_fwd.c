/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What was forwarded, answered and not said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

/* Every counter of telemetry, by its name. */
static void
forwarding_is_told_as_telemetry_has_it(void **state)
{
	struct mgmt_args a = {0};
	char *text = NULL, line[64];
	const char *name;
	size_t len;
	json_t *v, *n;
	FILE *f;

	(void)state;
	fake.dp.forwarded = 5000000000;
	fake.dp.fragments = 7;
	fake.dp.icmp_limited = 9;
	v = mgmt_view_fwd_stats(&fake.config, &a);
	f = open_memstream(&text, &len);
	mgmt_text_fwd_stats(f, v);
	fclose(f);
	assert_non_null(strstr(text, "  5000000000 forwarded\n"));
	assert_non_null(strstr(text, "           7 fragments\n"));
	assert_non_null(strstr(text, "           9 icmp_limited\n"));
	json_object_foreach (v, name, n) {
		snprintf(line, sizeof(line), " %s\n", name);
		assert_non_null(strstr(text, line));
	}
	json_decref(v);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			forwarding_is_told_as_telemetry_has_it, fake_before, fake_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
