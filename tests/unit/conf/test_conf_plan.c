/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

#include <errno.h>

#include "conf_plan.h"

/* What differs between two configurations, object by object. */
static const char base[] =
	"{\"node\": \"a\", \"interfaces\": [{\"name\": \"lan\", \"device\": \"d0\", \"addresses\": "
	"[\"192.0.2.2/24\"], \"ra\": {}}, {\"name\": \"wan\", \"device\": \"d1\", \"addresses\": "
	"[\"198.51.100.2/24\"]}], \"carp\": {\"preempt\": true, \"groups\": [{\"name\": \"c0\", "
	"\"vhid\": 1, \"pass\": \"x\", \"addresses\": [\"192.0.2.1/24\", "
	"\"2001:db8:1::1/64\"]}]}, \"routes\": "
	"[{\"prefix\": \"0.0.0.0/0\", \"via\": \"198.51.100.254\"}]}";

static struct conf *
changed(const char *from, const char *to)
{
	const char *at = from[0] != '\0' ? strstr(base, from) : base;
	struct conf *c;
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, to, at + strlen(from)) > 0);
	c = conf_case_good(text);
	free(text);
	return c;
}

static void
each_difference_has_its_object_and_key(void **state)
{
	static const struct {
		const char *from, *to, *want; /* with what it needs */
	} cases[] = {
		{"", "", ""},
		{"0.0.0.0/0", "10.0.0.0/8", ""}, /* routes are compared with those that run */
		{"\"a\"", "\"b\"", "box : changed: node (needs a restart)\n"},
		{"\"preempt\": true", "\"preempt\": false, \"dscp\": 1",
			"carp : changed: preempt, dscp\n"},
		{"\"preempt\": true", "\"preempt\": true, \"on-change\": [\"/x\"], \"log\": 2",
			"carp : changed: log, on-change (needs a restart)\n"},
		{"\"d1\"", "\"d1\", \"linkup-hold-ms\": 9, \"track\": true",
			"interface wan: changed: track, linkup-hold-ms\n"},
		{"\"vhid\": 1", "\"vhid\": 1, \"advskew\": 9, \"cksum6\": \"pseudo\"",
			"group c0: changed: advskew, cksum6\n"},
		{"\"d0\"", "\"d2\", \"mtu\": 1400",
			"interface lan: changed: device, mtu, ra (needs a restart)\n"},
		{"192.0.2.2/24", "192.0.2.3/24", "interface lan: changed: addresses\n"},
		{"\"ra\": {}", "\"ra\": {\"lifetime-s\": 0, \"dns\": [\"2001:db8::53\"]}",
			"interface lan: changed: ra\n"},
		{", \"ra\": {}", "", "interface lan: changed: ra\n"},
		{"\"d1\"",
			"\"d1\", \"rp-filter\": \"strict\", \"source-mac\": \"vmac\", "
			"\"neighbors\": "
			"[{\"address\": \"198.51.100.9\", \"mac\": \"02:00:00:00:00:09\"}]",
			"interface wan: changed: source-mac, rp-filter, neighbors\n"},
		{"\"d1\"", "\"d1\", \"host\": true",
			"interface wan: changed: host (needs a restart)\n"},
		{"\"vhid\": 1", "\"vhid\": 2, \"advskew\": 9",
			"group c0: changed: vhid, advskew (leaves and comes back)\n"},
		{"\"pass\": \"x\"", "\"pass\": \"y\"",
			"group c0: changed: pass (the same on all boxes)\n"},
		{"\"192.0.2.1/24\"", "\"192.0.2.1/24\", \"2001:db8:2::1/64\"",
			"group c0: changed: addresses (the same on all boxes)\n"},
		{"\"c0\"", "\"c1\"", "group c0: removed: \ngroup c1: added: \n"},
		{"\"carp\"", "\"lcores\": {\"idle\": \"poll\"}, \"carp\"",
			"lcores : changed: idle (needs a restart)\n"},
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

			if (item->action != CONF_PLAN_KEPT)
				fprintf(f, "%s %s: %s: %s%s%s%s\n", item->object, item->name,
					conf_plan_action_name(item->action), item->keys,
					item->need ? " (" : "", conf_plan_need_name(item->need),
					item->need ? ")" : "");
			else
				assert_int_equal(item->need, CONF_PLAN_NOTHING);
		}
		fclose(f);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(plan.restart, strstr(text, "restart") != NULL);
		free(text);
		conf_plan_free(&plan);
		conf_free(next);
	}
	conf_free(now);
}

/* Interfaces in the order of the text, groups "NAME IFACE VHID" each. */
static struct conf *
made(const char *ifs, const char *groups)
{
	char text[4096], *at = text, *end = text + sizeof(text), name[8], dev[8];
	unsigned int vhid;
	int used;

	at += snprintf(at, (size_t)(end - at), "{\"interfaces\": [");
	for (const char *p = ifs; *p != '\0'; p++)
		at += snprintf(at, (size_t)(end - at),
			"%s{\"name\": \"%c\", \"device\": \"d%c\", \"addresses\": "
			"[\"10.0.%d.2/24\"]}",
			p == ifs ? "" : ", ", *p, *p, *p);
	at += snprintf(at, (size_t)(end - at), "], \"carp\": {\"groups\": [");
	for (const char *p = groups; sscanf(p, "%7s %7s %u%n", name, dev, &vhid, &used) == 3;
		p += used)
		at += snprintf(at, (size_t)(end - at),
			"%s{\"name\": \"%s\", \"carpdev\": \"%s\", \"vhid\": %u, \"pass\": \"x\", "
			"\"addresses\": [\"10.0.%d.%u/24\"]}",
			p == groups ? "" : ", ", name, dev, vhid, dev[0], vhid + 100);
	snprintf(at, (size_t)(end - at),
		"]}, \"routes\": [{\"prefix\": \"10.9.0.0/16\", \"via\": [\"10.0.%d.9\", "
		"\"10.0.%d.9\"]}]}",
		'b', 'a');
	return conf_case_good(text);
}

/* What stands in each slot: "NAME IFACE VHID", "-NAME IFACE VHID" where it is unused. */
static char *
slots(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct conf_group *g = &c->groups[i];

		assert_int_equal(g->n_addresses, g->unused ? 0 : 1);
		fprintf(f, "%s%s%s %s %u", i > 0 ? ", " : "", g->unused ? "-" : "", g->name,
			c->ifs[g->if_index].name, g->vhid);
	}
	fclose(f);
	return text;
}

/* One reload after the other; slots of the start and of groups that are gone are the only room. */
static void
numbers_stay_over_reloads(void **state)
{
	static const struct {
		const char *ifs, *groups, *slots;
	} steps[] = {
		{"ab", "x a 1 y b 2 z a 3", "x a 1, y b 2, z a 3"},
		/* another order is the same configuration */
		{"ba", "z a 3 y b 2 x a 1", "x a 1, y b 2, z a 3"},
		/* one gone, one new */
		{"ab", "n a 9 x a 1 z a 3", "x a 1, -y b 2, z a 3, n a 9"},
		/* the one that is gone keeps its slot for as long as there is another one */
		{"ab", "x a 1 z a 3 m b 8 n a 9", "x a 1, -y b 2, z a 3, n a 9, m b 8"},
		{"ab", "x a 1 z a 3 m b 8 n a 9 l b 7", "x a 1, l b 7, z a 3, n a 9, m b 8"},
		/* another vhid or interface is another group, which needs another slot */
		{"ab", "x a 1 l b 7 z a 3", "x a 1, l b 7, z a 3, -n a 9, -m b 8"},
		{"ab", "x b 1 l b 5 z a 3", "-x a 1, -l b 7, z a 3, x b 1, l b 5"},
		/* and who comes back has its own again */
		{"ab", "l b 7 z a 3 x b 1", "-x a 1, l b 7, z a 3, x b 1, -l b 5"},
	};
	struct conf *now = NULL;

	(void)state;
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct conf *next = made(steps[i].ifs, steps[i].groups);
		char *text;

		if (now != NULL)
			assert_int_equal(conf_align(next, now), 0);
		else
			next->group_room = 5;
		text = slots(next);
		assert_string_equal(text, steps[i].slots);
		free(text);
		assert_string_equal(next->ifs[0].name, "a");
		assert_string_equal(next->ifs[next->device_if[1]].device, "db");
		assert_int_equal(next->ifs[1].device_index, 1);
		assert_int_equal(next->routes[0].hops[0].if_index, 1);
		assert_int_equal(next->routes[0].hops[1].if_index, 0);
		assert_int_equal(next->group_room, 5);
		conf_free(now);
		now = next;
	}
	conf_free(now);
}

static void
no_room_for_a_group_is_an_error(void **state)
{
	struct conf *now = made("ab", "x a 1 y b 2");
	struct conf *next = made("ab", "x a 1 y b 2 z a 3"), *other = made("ab", "x a 1 z a 3");

	(void)state;
	assert_int_equal(now->group_room, 2 + CONF_GROUP_SPARE);
	now->group_room = 2;
	assert_int_equal(conf_align(next, now), -ENOSPC);
	/* nor is the slot of one that goes with the same reload: it still hands over */
	assert_int_equal(conf_align(other, now), -ENOSPC);
	conf_free(now);
	conf_free(next);
	conf_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_has_its_object_and_key),
		cmocka_unit_test(numbers_stay_over_reloads),
		cmocka_unit_test(no_room_for_a_group_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
