/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

#include "conf_plan.h"

/* What differs between two configurations, object by object. */
static const char base[] =
	"{\"node\": \"a\", \"interfaces\": [{\"name\": \"lan\", \"device\": \"d0\", \"addresses\": "
	"[\"192.0.2.2/24\"]}, {\"name\": \"wan\", \"device\": \"d1\", \"addresses\": "
	"[\"198.51.100.2/24\"]}], \"carp\": {\"preempt\": true, \"groups\": [{\"name\": \"c0\", "
	"\"vhid\": 1, \"pass\": \"x\", \"addresses\": [\"192.0.2.1/24\"]}]}, \"routes\": "
	"[{\"prefix\": \"0.0.0.0/0\", \"via\": \"198.51.100.254\"}]}";

static struct conf *
changed(const char *from, const char *to)
{
	const char *at = from[0] != '\0' ? strstr(base, from) : base;
	struct conf_issues issues;
	struct conf *c;
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, to, at + strlen(from)) > 0);
	c = conf_parse(text, strlen(text), "t", 0, &issues);
	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	free(text);
	assert_non_null(c);
	return c;
}

static void
each_difference_has_its_object_and_key(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{"", "", ""},
		{"0.0.0.0/0", "10.0.0.0/8", ""}, /* routes are compared with those that run */
		{"\"a\"", "\"b\"", "box : changed: node\n"},
		{"\"preempt\": true", "\"preempt\": false, \"dscp\": 1",
			"carp : changed: preempt, dscp\n"},
		{"\"d0\"", "\"d2\", \"mtu\": 1400", "interface lan: changed: device, mtu\n"},
		{"192.0.2.2/24", "192.0.2.3/24", "interface lan: changed: addresses\n"},
		{"\"vhid\": 1", "\"vhid\": 2, \"advskew\": 9",
			"group c0: changed: vhid, advskew\n"},
		{"\"pass\": \"x\"", "\"pass\": \"y\"", "group c0: changed: pass\n"},
		{"\"c0\"", "\"c1\"", "group c0: removed: \ngroup c1: added: \n"},
		{"\"carp\"", "\"lcores\": {\"idle\": \"poll\"}, \"carp\"",
			"lcores : changed: idle\n"},
	};
	struct conf *now = changed("", "");

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf *next = changed(cases[i].from, cases[i].to);
		struct conf_plan plan;
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		assert_int_equal(conf_plan_make(&plan, now, next), 0);
		for (uint32_t k = 0; k < plan.n; k++) {
			const struct conf_plan_item *item = &plan.item[k];

			assert_int_equal(item->restart, item->action != CONF_PLAN_KEPT);
			if (item->action != CONF_PLAN_KEPT)
				fprintf(f, "%s %s: %s: %s\n", item->object, item->name,
					conf_plan_action_name(item->action), item->keys);
		}
		fclose(f);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(plan.restart, text[0] != '\0');
		free(text);
		conf_plan_free(&plan);
		conf_free(next);
	}
	conf_free(now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_has_its_object_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
