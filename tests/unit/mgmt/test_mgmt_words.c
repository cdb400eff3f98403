/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Numbers in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mgmt_view_priv.h"

static void
spans(void **state)
{
	static const struct {
		base_ns_t ns;
		const char *want;
	} cases[] = {
		{0, "0 s"},
		{499, "0 s"},
		{500, "1 us"},
		{38 * BASE_NS_PER_US, "38 us"},
		{999499, "999 us"},
		{999500, "1 ms"},
		{BASE_NS_PER_SKEW, "3.9 ms"},
		{500 * BASE_NS_PER_MS, "500 ms"},
		{999949 * BASE_NS_PER_US, "999.9 ms"},
		{999950 * BASE_NS_PER_US, "1 s"},
		{BASE_NS_PER_S, "1 s"},
		{1034 * BASE_NS_PER_MS, "1.034 s"},
		{3 * BASE_NS_PER_S + 100 * BASE_NS_PER_SKEW, "3.391 s"},
		{12300 * BASE_NS_PER_MS, "12.3 s"},
		{99999 * BASE_NS_PER_MS, "99.999 s"},
		{100 * BASE_NS_PER_S, "100 s"},
		{3599 * BASE_NS_PER_S, "3599 s"},
		{3600 * BASE_NS_PER_S, "1 h 0 min"},
		{93784 * BASE_NS_PER_S, "26 h 3 min"},
	};
	char buf[MGMT_SPAN_STR];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(mgmt_span_str(cases[i].ns, buf), cases[i].want);
}

static void
priorities(void **state)
{
	char buf[MGMT_PRIORITY_STR];

	(void)state;
#define P(...) mgmt_priority_str(&(struct election_priority){__VA_ARGS__}, buf)
	assert_string_equal(P(1, 128, 0), "1.000 s + 128/256 demotion 0");
	assert_string_equal(P(0, 1, 255), "0.000 s + 1/256 demotion 255");
	assert_string_equal(P(255, 255, 3), "bow-out (255/255)");
	assert_string_equal(P(255, 254, 3), "255.000 s + 254/256 demotion 3");
#undef P
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
