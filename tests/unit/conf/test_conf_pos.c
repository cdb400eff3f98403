/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <jansson.h>

#include "conf_cases.h"
#include "conf_keys_priv.h"
#include "conf_pos_priv.h"

static void
positions_and_pointers(void **state)
{
	static const char text[] = "\r\n{\t\"a\":\t[1, {\"\xc3\xa9\": null}],\n"
				   "  \"a/b~\" : \"\xf0\x9f\x90\x9f\", \"\\u0062\\n\":{}\n}";
	static const struct {
		const char *pointer;
		enum conf_pos_type type;
		uint32_t line, column, key_line, key_column, n;
	} expected[] = {
		{"", CONF_POS_OBJECT, 2, 1, 0, 0, 3},
		{"/a", CONF_POS_ARRAY, 2, 8, 2, 3, 2},
		{"/a/0", CONF_POS_INTEGER, 2, 9, 0, 0, 0},
		{"/a/1", CONF_POS_OBJECT, 2, 12, 0, 0, 1},
		{"/a/1/\xc3\xa9", CONF_POS_NULL, 2, 18, 2, 13, 0},
		{"/a~1b~0", CONF_POS_STRING, 3, 12, 3, 3, 0},
		{"/b\n", CONF_POS_OBJECT, 3, 28, 3, 17, 0},
	};
	struct conf_pos_error err;
	struct conf_pos p;

	(void)state;
	assert_int_equal(conf_pos_scan(&p, text, strlen(text), &err), 0);
	assert_int_equal(p.n, sizeof(expected) / sizeof(expected[0]));
	for (uint32_t i = 0; i < p.n; i++) {
		const struct conf_pos_node *n = &p.node[i];
		char *pointer = conf_pos_pointer(&p, i);

		assert_string_equal(pointer, expected[i].pointer);
		assert_int_equal(n->type, expected[i].type);
		assert_int_equal(n->line, expected[i].line);
		assert_int_equal(n->column, expected[i].column);
		assert_int_equal(n->key_line, expected[i].key_line);
		assert_int_equal(n->key_column, expected[i].key_column);
		assert_int_equal(n->n, expected[i].n);
		free(pointer);
	}
	assert_int_equal(conf_pos_member(&p, 0, "b\n"), 6);
	assert_int_equal(conf_pos_member(&p, 0, "a/b~"), 5);
	assert_int_equal(conf_pos_member(&p, 0, "\\u0062\\n"), CONF_POS_NONE);
	assert_int_equal(conf_pos_member(&p, 0, ""), CONF_POS_NONE);
	conf_pos_free(&p);
}

static void
collect(void *arg, uint32_t first, uint32_t again)
{
	char *text = arg;

	sprintf(text + strlen(text), "%u-%u ", first, again);
}

static void
duplicates(void **state)
{
	static const char text[] =
		"{\"a\": {\"x\": 1, \"x\": 2}, \"b\": 0, \"\\u0061\": [{\"y\": 1}, {\"y\": 1}], "
		"\"c\": 0, \"a\": 1, \"b\": 2}";
	struct conf_pos_error err;
	struct conf_pos p;
	char found[200] = "";

	(void)state;
	assert_int_equal(conf_pos_scan(&p, text, strlen(text), &err), 0);
	assert_int_equal(conf_pos_duplicates(&p, collect, found), 0);
	/* objects in the order of the text; the keys of one in that of their hashes */
	assert_non_null(strstr(found, "2-3 "));
	assert_non_null(strstr(found, "1-5 "));
	assert_non_null(strstr(found, "1-11 "));
	assert_non_null(strstr(found, "4-12 "));
	assert_int_equal(strlen(found), strlen("2-3 1-5 1-11 4-12 "));
	/* the last of them counts, as in Jansson */
	assert_int_equal(conf_pos_member(&p, 0, "a"), 11);
	conf_pos_free(&p);
}

/* Where the scanner says yes or no, Jansson says the same. */
static void
agrees_with_jansson(void **state)
{
	static const char *const texts[] = {"{}", "[]", "0", "-0", "1", "-1", "10", "1.5", "0.5",
		"1e5", "1E+5", "1e-05", "true", "false", "null", "\"\"", "\"a\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u00e9\"", "\"\\ud83d\\udc1f\"",
		"\"\xf0\x9f\x90\x9f\"", " [ 1 , 2 ] ", "{\"a\":{\"b\":[{}]}}", "\t\r\n{ }\n",
		"9223372036854775807", "-9223372036854775808", "\"\x7f\"", "\"\xc2\x80\"",
		"\"\xed\x9f\xbf\"", "\"\xee\x80\x80\"", "\"\xf4\x8f\xbf\xbf\"",
		/* from here on none is JSON */
		"", "{", "[", "]", "}", ",", ":", "{,}", "[,]", "[1,]", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{1:1}", "[1 2]", "+1", "01", "-", "-01", "1.", ".5", "1e", "1e+",
		"0x1", "NaN", "Infinity", "tru", "truee", "True", "nul", "\"", "\"\\\"", "\"\\a\"",
		"\"\\u\"", "\"\\u00g0\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
		"\"\\ud800x\"", "\"\\udc00\"", "\"\t\"", "\"\n\"", "\"\x1f\"", "\"\x80\"",
		"\"\xc1\xbf\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xf0\x8f\xbf\xbf\"",
		"\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xc3\"", "\xc3\xa9", "{} {}",
		"{}x", "[1]]", "// x\n1", "/* x */ 1", "\f1", "\v1", "'a'", "\xef\xbb\xbf{}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *v = json_loadb(texts[i], strlen(texts[i]), JSON_DECODE_ANY, NULL);
		struct conf_pos_error err = {0};
		struct conf_pos p;
		int ret = conf_pos_scan(&p, texts[i], strlen(texts[i]), &err);

		if ((ret == 0) != (v != NULL))
			fail_msg("%s: the scanner says %d (%s)", texts[i], ret, err.text);
		if (ret != 0) {
			assert_true(err.line >= 1 && err.column >= 1);
			assert_true(err.text[0] != '\0');
		}
		conf_pos_free(&p);
		json_decref(v);
	}
}

static void
findings_as_json(void **state)
{
	static const char text[] = GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"a\\n/\": 1, "
					  "\"addresses\": [\"192.0.2.1/24\"]}");
	struct conf_issues issues;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	json_t *o, *e;

	(void)state;
	assert_null(conf_parse(text, strlen(text), "/etc/k\xff.json", 0, &issues));
	conf_issues_print_json(&issues, f);
	fclose(f);
	conf_issues_free(&issues);
	o = json_loads(out, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "file")), "/etc/k?.json");
	assert_true(json_is_false(json_object_get(o, "valid")));
	assert_int_equal(json_array_size(json_object_get(o, "errors")), 1);
	e = json_array_get(json_object_get(o, "errors"), 0);
	assert_int_equal(json_integer_value(json_object_get(e, "line")), 5);
	assert_int_equal(json_integer_value(json_object_get(e, "column")), 30);
	assert_string_equal(
		json_string_value(json_object_get(e, "pointer")), "/carp/groups/0/a\n~1");
	assert_memory_equal(json_string_value(json_object_get(e, "message")),
		"unknown key \"a\\u000a/\", allowed are \"name\", ", 43);
	assert_string_equal(json_string_value(json_object_get(e, "file")), "/etc/k?.json");
	assert_memory_equal(json_string_value(json_object_get(e, "allowed")), "\"name\", ", 8);
	assert_true(json_is_null(json_object_get(e, "suggestion")));
	assert_int_equal(json_array_size(json_object_get(o, "warnings")), 1);
	json_decref(o);
	free(out);

	f = open_memstream(&out, &len);
	conf_free(conf_parse(IF("{\"name\": \"lan\", \"device\": \"d\"}"),
		strlen(IF("{\"name\": \"lan\", \"device\": \"d\"}")), "t", 0, &issues));
	conf_issues_print_json(&issues, f);
	fclose(f);
	conf_issues_free(&issues);
	o = json_loads(out, 0, NULL);
	assert_true(json_is_true(json_object_get(o, "valid")));
	assert_int_equal(json_array_size(json_object_get(o, "errors")), 0);
	json_decref(o);
	free(out);
}

/* What a program would put into a fix: beside the text, not in it. */
static void
hints_of_findings(void **state)
{
	static const struct {
		const char *text, *message, *allowed, *suggestion;
	} cases[] = {
		{ROOT("\"carp\": {\"preemt\": true}"),
			"unknown key \"preemt\", did you mean \"preempt\"?",
			NULL /* the list of keys, which grows */, "preempt"},
		{ROOT("\"lcores\": {\"idle\": \"Pol\"}"),
			"expected one of \"adaptive\", \"poll\", found \"Pol\", did you mean "
			"\"poll\"?",
			"one of \"adaptive\", \"poll\"", "poll"},
		{ROOT("\"lcores\": {\"rt-priority\": 99}"),
			"expected an integer from 0 to 98, found 99", "an integer from 0 to 98",
			NULL},
		{GROUP("\"vhid\": 1"),
			"missing key \"addresses\", expected an array of 1 to 255 addresses",
			"an array of 1 to 255 addresses", "addresses"},
		{GROUP("\"vhid\": 1, \"addresses\": [\"192.0.2.1\"]"),
			"192.0.2.1 has no prefix length, expected ADDRESS/LENGTH such as "
			"192.0.2.1/24",
			"ADDRESS/LENGTH", "192.0.2.1/24"},
		{GROUP("\"vhid\": 1, \"carpdev\": \"LAN\", \"addresses\": [\"192.0.2.1/24\"]"),
			"there is no interface \"LAN\", did you mean \"lan\"?", NULL, "lan"},
		{GROUP("\"vhid\": 1, \"carpdev\": \"mgmt\", \"addresses\": [\"192.0.2.1/24\"]"),
			"there is no interface \"mgmt\", allowed are \"lan\", \"wan\"",
			"\"lan\", \"wan\"", NULL},
		{ROUTES("{\"prefix\": \"10.1.0.1/16\", \"via\": \"192.0.2.9\"}"),
			"10.1.0.1/16 has bits set after its prefix length, expected 10.1.0.0/16",
			NULL, "10.1.0.0/16"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_issues issues;
		const struct conf_issue *is;

		assert_null(conf_parse(cases[i].text, strlen(cases[i].text), "t", 0, &issues));
		is = &issues.issue[0];
		assert_int_equal(issues.n_errors, 1);
		assert_string_equal(is->text, cases[i].message);
		if (cases[i].allowed != NULL)
			assert_string_equal(is->allowed, cases[i].allowed);
		if (cases[i].suggestion != NULL)
			assert_string_equal(is->suggestion, cases[i].suggestion);
		else
			assert_null(is->suggestion);
		conf_issues_free(&issues);
	}
}

static void
misspellings(void **state)
{
	static const struct {
		const char *a, *b;
		bool near;
	} cases[] = {
		{"advskw", "advskew", true},
		{"advksew", "advskew", true},
		{"ADVSKEW", "advskew", true},
		{"pass_file", "pass-file", true},
		{"passfile", "pass-file", true},
		{"adress", "addresses", false},
		{"addreses", "addresses", true},
		{"vid", "vhid", true},
		{"vlan", "lan", true},
		{"x", "y", false},
		{"", "a", false},
		{"em0", "em1", true},
		{"gateway", "via", false},
		{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "via", false},
	};
	unsigned int d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (conf_words_near(cases[i].a, cases[i].b, &d) != cases[i].near)
			fail_msg("%s, %s", cases[i].a, cases[i].b);
	}
}

/* The table holds what a generator of documents needs. */
static void
every_key_is_described(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		char buf[200];

		assert_true(strlen(k->help) > 10);
		assert_ptr_equal(conf_key_find(k->object, k->name), k);
		assert_true(strlen(conf_key_allowed(k, buf, sizeof(buf))) > 5);
		if (k->type == CONF_TYPE_INT && k->fallback != CONF_REQUIRED) {
			/* 0 is what no value given means where it is none itself */
			assert_true(k->fallback >= k->min || k->fallback == 0);
			assert_true(k->fallback <= k->max);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_and_pointers),
		cmocka_unit_test(hints_of_findings),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(agrees_with_jansson),
		cmocka_unit_test(findings_as_json),
		cmocka_unit_test(misspellings),
		cmocka_unit_test(every_key_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
