/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/** Sizes of a document that is valid in every other respect. */
struct sizes {
	unsigned int ifs, addresses, groups, vips, routes, devices;
};

static void
write_interfaces(FILE *f, const struct sizes *s)
{
	fputs("{\"interfaces\": [", f);
	for (unsigned int i = 0; i < s->ifs; i++) {
		fprintf(f,
			"%s{\"name\": \"if%u\", \"device\": \"net_tap%u\", \"vlan\": %u, "
			"\"addresses\": [",
			i == 0 ? "" : ",\n", i, i % s->devices, i + 1);
		for (unsigned int a = 0; a < s->addresses; a++)
			fprintf(f, "%s\"10.%u.0.%u/16\"", a == 0 ? "" : ", ", i, a + 1);
		fputs("]}", f);
	}
}

static char *
document(const struct sizes *s, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	assert_non_null(f);
	write_interfaces(f, s);
	fputs("],\n\"carp\": {\"groups\": [", f);
	for (unsigned int g = 0; g < s->groups; g++) {
		fprintf(f, "%s{\"name\": \"g%u\", \"vhid\": %u, \"pass\": \"x\", \"addresses\": [",
			g == 0 ? "" : ",\n", g, g / s->ifs + 1);
		for (unsigned int v = 0; v < s->vips; v++)
			fprintf(f, "%s\"10.%u.%u.%u/16\"", v == 0 ? "" : ", ", g % s->ifs,
				g / s->ifs + 1, v);
		fputs("]}", f);
	}
	fputs("]},\n\"routes\": [", f);
	for (unsigned int i = 0; i < s->routes; i++)
		fprintf(f, "%s{\"prefix\": \"20.%u.%u.%u/32\", \"via\": \"10.%u.99.9\"}",
			i == 0 ? "" : ",\n", i >> 16, i >> 8 & 255, i & 255, i % s->ifs);
	fputs("]}", f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
at_the_limits(void **state)
{
	static const struct sizes s = {CONF_IF_MAX, CONF_ADDRESS_MAX, CONF_GROUP_MAX, CONF_VIP_MAX,
		CONF_ROUTE_MAX, CONF_PORT_MAX};
	size_t len;
	char *text = document(&s, &len), *lines;
	struct conf_issues issues;
	struct conf *c = conf_parse(text, len, "t", 0, &issues);

	(void)state;
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, "");
	assert_non_null(c);
	assert_int_equal(c->n_ifs, CONF_IF_MAX);
	assert_int_equal(c->n_devices, CONF_PORT_MAX);
	for (uint16_t i = 0; i < CONF_IF_MAX; i++)
		assert_int_equal(c->ifs[i].device_index, i % CONF_PORT_MAX);
	assert_int_equal(c->device_if[CONF_PORT_MAX - 1], CONF_PORT_MAX - 1);
	assert_int_equal(c->ifs[CONF_IF_MAX - 1].n_addresses, CONF_ADDRESS_MAX);
	assert_int_equal(c->n_groups, CONF_GROUP_MAX);
	assert_int_equal(c->groups[1023].n_addresses, CONF_VIP_MAX);
	assert_int_equal(c->groups[1023].if_index, CONF_IF_MAX - 1);
	assert_int_equal(c->n_routes, CONF_ROUTE_MAX);
	assert_int_equal(
		c->routes[CONF_ROUTE_MAX - 1].hops[0].if_index, (CONF_ROUTE_MAX - 1) % CONF_IF_MAX);
	free(lines);
	free(text);
	conf_free(c);
	conf_issues_free(&issues);
}

static void
over_each_limit(void **state)
{
	static const struct {
		struct sizes s;
		const char *line; /* the end of it: the start is the position */
	} cases[] = {
		{{CONF_IF_MAX + 1, 1, 0, 0, 0, 1},
			"t:1:16: /interfaces: expected an array of 1 to 128 objects, found "
			"129 elements\n"},
		{{CONF_PORT_MAX + 2, 1, 0, 0, 0, CONF_PORT_MAX + 2},
			"t:33:28: /interfaces/32/device: \"net_tap32\" is one device more than the "
			"32 that are possible\n"},
		{{1, CONF_ADDRESS_MAX + 1, 0, 0, 0, 1},
			"t:1:79: /interfaces/0/addresses: expected an array of at most 64 "
			"addresses, "
			"found 65 elements\n"},
		{{1, 1, CONF_GROUP_MAX + 1, 1, 0, 1},
			"t:2:20: /carp/groups: expected an array of at most 1024 objects, "
			"found 1025 "
			"elements\n"},
		{{1, 1, 1, CONF_VIP_MAX + 1, 0, 1},
			"t:2:73: /carp/groups/0/addresses: expected an array of 1 to 255 "
			"addresses, "
			"found 256 elements\n"},
		{{1, 1, 0, 0, CONF_ROUTE_MAX + 1, 1},
			"t:3:11: /routes: expected an array of at most 1000000 objects, found 1000001 "
			"elements\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len;
		char *text = document(&cases[i].s, &len), *lines;
		struct conf_issues issues;

		assert_null(conf_parse(text, len, "t", 0, &issues));
		lines = conf_case_lines(&issues);
		assert_string_equal(lines, cases[i].line);
		free(lines);
		free(text);
		conf_issues_free(&issues);
	}
}

static void
too_many_values(void **state)
{
	size_t n = 1u << 23;
	char *text = malloc(2 * n + 1), *lines;
	struct conf_issues issues;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i, i == 0 ? "[0" : ",0", 2);
	text[2 * n] = ']';
	assert_null(conf_parse(text, 2 * n + 1, "t", 0, &issues));
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, "t:1:16777216: more than 8388608 values\n");
	free(lines);
	free(text);
	conf_issues_free(&issues);
}

static void
key_too_long(void **state)
{
	char text[300] = "{\"", *lines;
	struct conf_issues issues;

	(void)state;
	memset(text + 2, 'k', 257);
	strcpy(text + 259, "\": 1}");
	assert_null(conf_parse(text, strlen(text), "t", 0, &issues));
	lines = conf_case_lines(&issues);
	assert_string_equal(lines, "t:1:2: a key of more than 256 bytes\n");
	free(lines);
	conf_issues_free(&issues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_limits),
		cmocka_unit_test(over_each_limit),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(key_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
