/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Where metrics are served. */
#include "conf_cases.h"

#define LISTEN(x) ROOT("\"metrics\": {\"listen\": " x "}")
#define EXPECTED                                                                            \
	"t:4:23: /metrics/listen: expected an address and a port from 1 to 65535, such as " \
	"127.0.0.1:9568 or [::1]:9568, found "

static const struct conf_case cases[] = {
	{"metrics of another type", ROOT("\"metrics\": true"),
		"t:4:12: /metrics: expected an object, found true\n", 0},
	{"unknown key in metrics", ROOT("\"metrics\": {\"port\": 9568}"),
		"t:4:13: /metrics/port: unknown key \"port\", allowed are \"listen\"\n", 0},
	{"listen of another type", LISTEN("9568"), EXPECTED "9568\n", 0},
	{"listen empty", LISTEN("\"\""), EXPECTED "\"\"\n", 0},
	{"no port", LISTEN("\"127.0.0.1\""), EXPECTED "\"127.0.0.1\"\n", 0},
	{"empty port", LISTEN("\"127.0.0.1:\""), EXPECTED "\"127.0.0.1:\"\n", 0},
	{"port 0", LISTEN("\"127.0.0.1:0\""), EXPECTED "\"127.0.0.1:0\"\n", 0},
	{"port too large", LISTEN("\"127.0.0.1:65536\""), EXPECTED "\"127.0.0.1:65536\"\n", 0},
	{"port far too large", LISTEN("\"127.0.0.1:4294967297\""),
		EXPECTED "\"127.0.0.1:4294967297\"\n", 0},
	{"port with a sign", LISTEN("\"127.0.0.1:+1\""), EXPECTED "\"127.0.0.1:+1\"\n", 0},
	{"port with letters", LISTEN("\"127.0.0.1:95x\""), EXPECTED "\"127.0.0.1:95x\"\n", 0},
	{"a name", LISTEN("\"localhost:9568\""), EXPECTED "\"localhost:9568\"\n", 0},
	{"port alone", LISTEN("\":9568\""), EXPECTED "\":9568\"\n", 0},
	{"IPv6 without brackets", LISTEN("\"::1:9568\""), EXPECTED "\"::1:9568\"\n", 0},
	{"IPv4 in brackets", LISTEN("\"[127.0.0.1]:9568\""), EXPECTED "\"[127.0.0.1]:9568\"\n", 0},
	{"bracket not closed", LISTEN("\"[::1:9568\""), EXPECTED "\"[::1:9568\"\n", 0},
	{"bracket and no more", LISTEN("\"[:1\""), EXPECTED "\"[:1\"\n", 0},
	{"brackets around nothing", LISTEN("\"[]:1\""), EXPECTED "\"[]:1\"\n", 0},
	{"multicast", LISTEN("\"224.0.0.18:9568\""),
		"t:4:23: /metrics/listen: \"224.0.0.18:9568\" is a multicast address\n", 0},
	{"IPv6 multicast", LISTEN("\"[ff02::12]:9568\""),
		"t:4:23: /metrics/listen: \"[ff02::12]:9568\" is a multicast address\n", 0},
	{"broadcast", LISTEN("\"255.255.255.255:9568\""),
		"t:4:23: /metrics/listen: \"255.255.255.255:9568\" is the broadcast address\n", 0},
	{"link-local", LISTEN("\"[fe80::1]:9568\""),
		"t:4:23: /metrics/listen: \"[fe80::1]:9568\" is a link-local address, which means "
		"another host on each link\n",
		0},
};

static void
mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

static void
allowed(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port;
	} good[] = {
		{LISTEN("\"127.0.0.1:9568\""), "127.0.0.1", 9568},
		{LISTEN("\"0.0.0.0:1\""), "0.0.0.0", 1},
		{LISTEN("\"192.0.2.9:65535\""), "192.0.2.9", 65535},
		{LISTEN("\"[::1]:9568\""), "::1", 9568},
		{LISTEN("\"[::]:9568\""), "::", 9568},
		{ROOT("\"metrics\": {}"), "(none)", 0},
		{ROOT("\"node\": \"a\""), "(none)", 0},
	};
	char addr[CONF_ADDR_STR];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct conf_issues issues;
		struct conf *c = conf_parse(good[i].text, strlen(good[i].text), "t", 0, &issues);

		if (c == NULL)
			fail_msg("%s: %s", good[i].addr, issues.issue[0].text);
		assert_string_equal(conf_addr_str(&c->metrics.addr, addr), good[i].addr);
		assert_int_equal(c->metrics.port, good[i].port);
		conf_free(c);
		conf_issues_free(&issues);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
