/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What telemetry makes of views: shape, limits, paging, parameters. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_telemetry.h>

#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_tel_priv.h"

static const char *const names[] = {
#define MGMT_TEL(name, view, params, list, help) name,
#include "tel_cmds.def"
#undef MGMT_TEL
};
static const char *const helps[] = {
#define MGMT_TEL(name, view, params, list, help) help,
#include "tel_cmds.def"
#undef MGMT_TEL
};

/* The limits of 22.11, all the way down. */
static void
assert_carried(const json_t *v)
{
	json_t *item;
	const char *key;
	size_t i;

	if (json_is_object(v)) {
		assert_true(json_object_size(v) <= RTE_TEL_MAX_DICT_ENTRIES);
		json_object_foreach ((json_t *)(uintptr_t)v, key, item) {
			assert_true(strlen(key) < RTE_TEL_MAX_STRING_LEN);
			for (const char *p = key; *p != '\0'; p++)
				if (!isalnum((unsigned char)*p) && *p != '_' && *p != '/')
					fail_msg("key %s", key);
			assert_carried(item);
		}
	} else if (json_is_array(v)) {
		assert_true(json_array_size(v) <= RTE_TEL_MAX_ARRAY_ENTRIES);
		json_array_foreach (v, i, item)
			assert_true(json_is_string(item) || json_is_integer(item));
	} else if (json_is_string(v)) {
		assert_true(json_string_length(v) < RTE_TEL_MAX_STRING_LEN);
	} else {
		assert_true(json_is_integer(v));
	}
}

static void
assert_reply_fits(const json_t *v)
{
	assert_carried(v);
	assert_true(json_dumpb(v, NULL, 0, JSON_COMPACT) + 60 < 16384);
}

static json_t *
reply(const char *cmd, const char *params)
{
	json_t *v = mgmt_tel_reply(&fake.config, cmd, params);

	assert_non_null(v);
	assert_reply_fits(v);
	return v;
}

static void
expect_error(const char *cmd, const char *params, const char *text)
{
	json_t *v = reply(cmd, params);

	assert_string_equal(get_str(v, "error"), text);
	json_decref(v);
}

static void
commands_fit_the_registry(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(strlen(names[i]) < 56);
		assert_true(strlen(helps[i]) < 64);
	}
	assert_int_equal(mgmt_tel_start(&fake.config), 0);
	assert_int_equal(mgmt_tel_start(&fake.config), 0);
	mgmt_tel_stop();
	assert_null(mgmt_tel_reply(&fake.config, "/koi/none", NULL));
}

static void
every_command_answers(void **state)
{
	static const char *const params[] = {NULL, "carp0", "lan", "192.0.2.1"};

	(void)state;
	fake_event(CTL_EVENT_LINK)->if_id = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool answered = false;

		for (size_t p = 0; p < 4 && !answered; p++) {
			json_t *v = reply(names[i], params[p]);

			answered = !json_object_get(v, "error");
			json_decref(v);
		}
		if (!answered)
			fail_msg("%s", names[i]);
	}
}

static void
parameters(void **state)
{
	json_t *v;

	(void)state;
	expect_error("/carp/info", NULL, "the name of a group is needed");
	expect_error("/carp/info", "", "the name of a group is needed");
	expect_error("/carp/info", "carp9", "unknown group \"carp9\"");
	expect_error("/carp/info", "carp0,1", "unexpected parameter \"1\"");
	expect_error("/interface/info", "carp0", "unknown interface \"carp0\"");
	expect_error("/neighbor/list", "lan,x", "unexpected parameter \"x\"");
	expect_error("/koi/info", "x", "unexpected parameter \"x\"");
	expect_error("/route/list", "x", "unexpected parameter \"x\"");
	v = reply("/carp/stats", NULL);
	assert_null(json_object_get(v, "name"));
	json_decref(v);
	v = reply("/carp/stats", "carp0");
	assert_int_equal(get_u64(v, "opackets"), 20);
	json_decref(v);
	v = reply("/carp/list", "1");
	assert_int_equal(json_array_size(json_object_get(v, "groups")), 1);
	json_decref(v);
}

static void
fitting(void **state)
{
	static const struct {
		const char *view, *want;
	} cases[] = {
		{"{\"a\":true,\"b\":false,\"c\":null}", "{\"a\":1,\"b\":0,\"c\":\"\"}"},
		{"{\"a\":[{\"x\":1},{\"x\":2}]}", "{\"a\":{\"e0\":{\"x\":1},\"e1\":{\"x\":2}}}"},
		{"{\"a\":[{\"seq\":7},{\"seq\":9}]}",
			"{\"a\":{\"e7\":{\"seq\":7},\"e9\":{\"seq\":9}}}"},
		{"{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,2]}}"},
		{"{\"a\":[]}", "{\"a\":[]}"},
		{"{\"a\":5000000000}", "{\"a\":5000000000}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *view = json_loads(cases[i].view, 0, NULL);
		json_t *v = mgmt_tel_fit(view, "", 0);
		char *text = json_dumps(v, JSON_COMPACT);

		assert_string_equal(text, cases[i].want);
		free(text);
		json_decref(v);
		json_decref(view);
	}
}

static void
long_strings_go_on(void **state)
{
	char s[301];
	json_t *view = json_object(), *v;

	(void)state;
	memset(s, 'a', 300);
	s[300] = '\0';
	memcpy(s + 126, "\303\266", 2); /* must not be cut in two */
	put_str(view, "text", s);
	v = mgmt_tel_fit(view, "", 0);
	assert_reply_fits(v);
	assert_int_equal(json_string_length(json_object_get(v, "text")), 126);
	assert_int_equal(json_string_length(json_object_get(v, "text_2")), 127);
	assert_int_equal(json_string_length(json_object_get(v, "text_3")), 47);
	json_decref(v);
	json_decref(view);
}

static void
wide_dictionaries_and_arrays_are_cut(void **state)
{
	json_t *view = json_object(), *list = json_array(), *v;
	char key[16];

	(void)state;
	for (int i = 0; i < 600; i++)
		json_array_append_new(list, json_integer(i));
	json_object_set_new(view, "list", list);
	for (int i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put_u64(view, key, 1);
	}
	v = mgmt_tel_fit(view, "", 0);
	assert_carried(v);
	assert_int_equal(json_object_size(v), RTE_TEL_MAX_DICT_ENTRIES);
	assert_int_equal(json_array_size(json_object_get(v, "list")), RTE_TEL_MAX_ARRAY_ENTRIES);
	json_decref(v);
	json_decref(view);
}

static void
routes_page_by_page(void **state)
{
	uint64_t next = 0, seen = 0, pages = 0;
	char offset[24];

	(void)state;
	fake.n_routes = 3000;
	fake.routes = calloc(fake.n_routes, sizeof(*fake.routes));
	for (uint32_t i = 0; i < fake.n_routes; i++)
		fake.routes[i] = (struct fib_route){{base_addr_from_ip4(i << 8), 24},
			{.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = 0xc63364fe}};
	do {
		json_t *v, *list, *item;
		const char *key;

		snprintf(offset, sizeof(offset), "%llu", (unsigned long long)next);
		v = reply("/route/list", offset);
		list = json_object_get(v, "routes");
		json_object_foreach (list, key, item) {
			char want[24];

			snprintf(want, sizeof(want), "e%llu", (unsigned long long)seen);
			assert_string_equal(key, want);
			seen++;
		}
		next = get_u64(v, "next");
		assert_true(next == 0 || next == seen);
		assert_int_equal(get_u64(v, "count"), 3000);
		json_decref(v);
		pages++;
	} while (next != 0 && pages < 3000);
	assert_int_equal(seen, 3000);
	assert_true(pages < 40);
}

static void
events_page_by_page(void **state)
{
	uint64_t next = 0, seen = 0;
	size_t n;
	char params[40];

	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		struct ctl_event *e = fake_event(CTL_EVENT_BAD_ADVERT);

		e->group = i % 2;
		e->stat = CTL_STAT_BADAUTH;
		e->src = base_addr_from_ip4(0xc0000209);
		e->suppressed = i;
	}
	do {
		json_t *v;

		snprintf(params, sizeof(params), "carp0,%llu", (unsigned long long)next);
		v = reply("/carp/events", params);
		n = json_object_size(json_object_get(v, "events"));
		seen += n;
		assert_true(get_u64(v, "next") >= next);
		next = get_u64(v, "next");
		json_decref(v);
	} while (n > 0);
	assert_int_equal(seen, 250);
	/* "next" goes on where new events come, without a gap */
	fake_event(CTL_EVENT_LINK)->group = 0;
	snprintf(params, sizeof(params), "%llu", (unsigned long long)next);
	{
		json_t *v = reply("/carp/events", params);

		assert_non_null(json_object_get(json_object_get(v, "events"), "e501"));
		json_decref(v);
	}
}

static void
explanations_page_by_page(void **state)
{
	uint64_t total, seen = 0;
	json_t *v, *all, *item;
	struct mgmt_args a = {.has_group = true, .offset = 3, .limit = 2};
	size_t i;

	(void)state;
	all = reply("/carp/explain", "carp1");
	total = get_u64(all, "count");
	assert_int_equal(json_array_size(json_object_get(all, "lines")), total);
	assert_int_equal(get_u64(all, "next"), 0);
	/* fields are strings, numbers and dictionaries, lists of objects too */
	assert_string_equal(get_str(all, "state"), "BACKUP");
	assert_int_equal(get_u64(all, "split_brain_suspected"), 0);
	assert_int_equal(get_u64(json_object_get(all, "own"), "advskew"), 240);
	json_array_foreach (json_object_get(all, "lines"), i, item) {
		char params[32];

		snprintf(params, sizeof(params), "carp1,%llu", (unsigned long long)seen);
		v = reply("/carp/explain", params);
		assert_string_equal(
			json_string_value(json_array_get(json_object_get(v, "lines"), 0)),
			json_string_value(item));
		json_decref(v);
		seen++;
	}
	assert_int_equal(seen, total);
	json_decref(all);
	v = reply("/carp/explain", "carp1,1000");
	assert_int_equal(json_array_size(json_object_get(v, "lines")), 0);
	assert_int_equal(get_u64(v, "next"), 0);
	json_decref(v);
	v = mgmt_view_carp_explain(&fake.config, &a);
	assert_int_equal(json_array_size(json_object_get(v, "lines")), 2);
	assert_int_equal(get_u64(v, "next"), 5);
	json_decref(v);
	expect_error("/carp/explain", NULL, "the name of a group is needed");
}

static void
suspicion_is_a_number(void **state)
{
	json_t *v = reply("/carp/info", "carp0");

	(void)state;
	assert_true(json_is_integer(json_object_get(v, "split_brain_suspected")));
	assert_int_equal(get_u64(v, "split_brain_suspected"), 0);
	json_decref(v);
	fake.groups[0].info.split = ELECTION_SPLIT_DUELS | ELECTION_SPLIT_TIES |
		ELECTION_SPLIT_AUTH | ELECTION_SPLIT_DEAF;
	v = reply("/carp/info", "carp0");
	assert_int_equal(get_u64(v, "split_brain_suspected"), 1);
	/* longer than one string may be: it goes on */
	assert_non_null(json_object_get(v, "split_reasons_2"));
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_before, fake_after)
		T(commands_fit_the_registry),
		T(every_command_answers),
		T(parameters),
		T(fitting),
		T(long_strings_go_on),
		T(wide_dictionaries_and_arrays_are_cut),
		T(routes_page_by_page),
		T(events_page_by_page),
		T(explanations_page_by_page),
		T(suspicion_is_a_number),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
