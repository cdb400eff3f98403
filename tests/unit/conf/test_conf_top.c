/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* The document, its keys, and the objects that are no lists. */
static const struct conf_case cases[] = {
	{"document of another type", "[\"interfaces\"]",
		"t:1:1: expected an object, found an array\n", 0},
	{"document is a string", "\"koi\"", "t:1:1: expected an object, found a string\n", 0},
	{"no interfaces",
		"\n"
		" {}",
		"t:2:2: missing key \"interfaces\", expected an array of 1 to 128 objects"
		"\n",
		0},
	{"interfaces empty", "{\"interfaces\": []}",
		"t:1:16: /interfaces: expected an array of 1 to 128 objects, found 0 "
		"elements\n",
		0},
	{"interfaces of another type", "{\"interfaces\": {}}",
		"t:1:16: /interfaces: expected an array of 1 to 128 objects, found an "
		"object\n",
		0},
	{"interface of another type", "{\"interfaces\": [\"lan\"]}",
		"t:1:17: /interfaces/0: expected an object, found a string\n", 0},
	{"unknown key with suggestion", ROOT("\"node\": \"a\", \"rotues\": []"),
		"t:4:14: /rotues: unknown key \"rotues\", did you mean \"routes\"?\n", 0},
	{"unknown key with underscore", ROOT("\"lcores\": {\"rt_priority\": 3}"),
		"t:4:12: /lcores/rt_priority: unknown key \"rt_priority\", did you mean "
		"\"rt-priority\"?\n",
		0},
	{"unknown key with capitals", ROOT("\"Node\": \"a\""),
		"t:4:1: /Node: unknown key \"Node\", did you mean \"node\"?\n", 0},
	{"unknown key without suggestion", ROOT("\"firewall\": {}"),
		"t:4:1: /firewall: unknown key \"firewall\", allowed are \"node\", \"eal"
		"\", \"lcores\", \"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n",
		0},
	{"unknown key in lcores", ROOT("\"lcores\": {\"speed\": 1}"),
		"t:4:12: /lcores/speed: unknown key \"speed\", allowed are \"control\", "
		"\"workers\", \"idle\", \"rt-priority\"\n",
		0},
	{"unknown key of no characters", ROOT("\"\": 1"),
		"t:4:1: /: unknown key \"\", allowed are \"node\", \"eal\", \"lcores\", "
		"\"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n",
		0},
	{"duplicate key",
		ROOT("\"node\": \"a\",\n"
		     "  \"node\": \"b\""),
		"t:5:3: /node: duplicate key \"node\", it is given at line 4 column 1 "
		"already\n",
		0},
	{"duplicate key thrice",
		ROOT("\"node\": \"a\",\n"
		     "\"node\": \"b\",\n"
		     "\"\\u006eode\": \"c\""),
		"t:5:1: /node: duplicate key \"node\", it is given at line 4 column 1 "
		"already\n"
		"t:6:1: /node: duplicate key \"\\u006eode\", it is given at line 4 "
		"column 1 already\n",
		0},
	{"duplicate key inside",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"mtu\": 1500,\n"
		   " \"mtu\": 1400}"),
		"t:3:2: /interfaces/0/mtu: duplicate key \"mtu\", it is given at line 2 "
		"column 32 already\n",
		0},
	{"node too long", ROOT("\"node\": \"n2345678901234567890123456789012\""),
		"t:4:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \""
		"n2345678901234567890123456789012\"\n",
		0},
	{"node with a blank", ROOT("\"node\": \"fw 1\""),
		"t:4:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \"fw 1\"\n",
		0},
	{"node begins with a dash", ROOT("\"node\": \"-fw1\""),
		"t:4:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \"-fw1\"\n",
		0},
	{"node empty", ROOT("\"node\": \"\""),
		"t:4:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \"\"\n",
		0},
	{"node of another type", ROOT("\"node\": null"),
		"t:4:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found null\n",
		0},
	{"eal of another type", ROOT("\"eal\": \"--no-pci\""),
		"t:4:8: /eal: expected an array of at most 64 strings, found a string\n", 0},
	{"eal argument of another type", ROOT("\"eal\": [\"-m\", 64]"),
		"t:4:15: /eal/1: expected a string, found 64\n", 0},
	{"eal argument empty", ROOT("\"eal\": [\"\"]"),
		"t:4:9: /eal/0: an empty string is no argument\n", 0},
	{"eal with end of arguments", ROOT("\"eal\": [\"--no-pci\", \"--\", \"--check\"]"),
		"t:4:21: /eal/1: \"--\" ends the EAL's arguments, only such arguments "
		"stand here\n",
		0},
	{"eal asks for help", ROOT("\"eal\": [\"--help\"]"),
		"t:4:9: /eal/0: --help makes the EAL print and exit, give it on the "
		"command line\n",
		0},
	{"eal too long",
		ROOT("\"eal\": [\"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\""
		     ", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", "
		     "\"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \""
		     "a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a"
		     "\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\""
		     ", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", \"a\", "
		     "\"a\", \"a\", \"a\", \"a\", \"a\"]"),
		"t:4:8: /eal: expected an array of at most 64 strings, found 65 elements"
		"\n",
		0},
	{"lcores word", ROOT("\"lcores\": \"all\""),
		"t:4:11: /lcores: expected \"auto\" or an object, found \"all\"\n", 0},
	{"lcores of another type", ROOT("\"lcores\": 2"),
		"t:4:11: /lcores: expected \"auto\" or an object, found 2\n", 0},
	{"control of another type", ROOT("\"lcores\": {\"control\": \"1\"}"),
		"t:4:23: /lcores/control: expected a CPU number from 0 to 1023, found a "
		"string\n",
		0},
	{"control negative", ROOT("\"lcores\": {\"control\": -1}"),
		"t:4:23: /lcores/control: expected a CPU number from 0 to 1023, found -1"
		"\n",
		0},
	{"control out of range", ROOT("\"lcores\": {\"control\": 1024}"),
		"t:4:23: /lcores/control: expected a CPU number from 0 to 1023, found "
		"1024\n",
		0},
	{"workers empty", ROOT("\"lcores\": {\"workers\": []}"),
		"t:4:23: /lcores/workers: expected an array of 1 to 16 CPU numbers, "
		"found 0 elements\n",
		0},
	{"workers of another type", ROOT("\"lcores\": {\"workers\": 2}"),
		"t:4:23: /lcores/workers: expected an array of 1 to 16 CPU numbers, "
		"found 2\n",
		0},
	{"worker of another type", ROOT("\"lcores\": {\"workers\": [0, true]}"),
		"t:4:27: /lcores/workers/1: expected a CPU number from 0 to 1023, found "
		"true\n",
		0},
	{"too many workers", ROOT("\"lcores\": {\"workers\": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"),
		"t:4:23: /lcores/workers: expected an array of 1 to 16 CPU numbers, "
		"found 17 elements\n",
		0},
	{"idle word", ROOT("\"lcores\": {\"idle\": \"sleep\"}"),
		"t:4:20: /lcores/idle: expected one of \"adaptive\", \"poll\", found \""
		"sleep\"\n",
		0},
	{"idle of another type", ROOT("\"lcores\": {\"idle\": 0}"),
		"t:4:20: /lcores/idle: expected one of \"adaptive\", \"poll\", found 0\n", 0},
	{"rt-priority out of range", ROOT("\"lcores\": {\"rt-priority\": 99}"),
		"t:4:27: /lcores/rt-priority: expected an integer from 0 to 98, found 99"
		"\n",
		0},
	{"rt-priority polling on a shared CPU",
		ROOT("\"lcores\": {\"control\": 0, \"workers\": [0], \"idle\": \"poll\", \""
		     "rt-priority\": 1}"),
		"t:4:73: /lcores/rt-priority: rt-priority with idle \"poll\" needs a CPU "
		"for each role, but CPU 0 has several: one would starve the others\n",
		0},
	{"rt-priority polling, workers share",
		ROOT("\"lcores\": {\"workers\": [0, 0], \"idle\": \"poll\", \"rt-priority\": "
		     "1}"),
		"t:4:62: /lcores/rt-priority: rt-priority with idle \"poll\" needs a CPU "
		"for each role, but CPU 0 has several: one would starve the others\n",
		0},
	{"integer with a fraction", GROUP("\"vhid\": 1.0, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"1.0 (a fraction or exponent)\n",
		0},
	{"integer with an exponent", GROUP("\"vhid\": 1e2, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"1e2 (a fraction or exponent)\n",
		0},
	{"integer over 64 bits",
		GROUP("\"vhid\": 99999999999999999999, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"99999999999999999999\n",
		0},
	{"integer under 64 bits",
		GROUP("\"vhid\": -99999999999999999999, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"-99999999999999999999\n",
		0},
	{"integer over 64 bits and more errors",
		GROUP("\"vhid\": 18446744073709551617, \"advskew\": 1e999, \"addresses\": [\""
		      "192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"18446744073709551617\n"
		"t:5:73: /carp/groups/0/advskew: expected an integer from 0 to 254, "
		"found 1e999 (a fraction or exponent)\n",
		0},
};

static void
top_level_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(top_level_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
