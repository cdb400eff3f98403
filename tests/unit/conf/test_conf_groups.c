/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* The redundancy groups. */
static const struct conf_case cases[] = {
	{"carp of another type", ROOT("\"carp\": []"),
		"t:4:9: /carp: expected an object, found an array\n", 0},
	{"allow out of range", CARP("\"allow\": 2"),
		"t:4:19: /carp/allow: expected true or false (also 1 or 0), found 2\n", 0},
	{"preempt of another type", CARP("\"preempt\": \"yes\""),
		"t:4:21: /carp/preempt: expected true or false (also 1 or 0), found a "
		"string\n",
		0},
	{"log out of range", CARP("\"log\": 3"),
		"t:4:17: /carp/log: expected an integer from 0 to 2, found 3\n", 0},
	{"log of another type", CARP("\"log\": true"),
		"t:4:17: /carp/log: expected an integer from 0 to 2, found true\n", 0},
	{"arpbalance of another type", CARP("\"arpbalance\": \"on\""),
		"t:4:24: /carp/arpbalance: expected true or false (also 1 or 0), found a string\n",
		0},
	{"arpbalance-order word", CARP("\"arpbalance-order\": \"openbsd\""),
		"t:4:30: /carp/arpbalance-order: expected one of \"vhid\", \"netbsd\", found "
		"\"openbsd\"\n",
		0},
	{"arpbalance-order of another type", CARP("\"arpbalance-order\": 1"),
		"t:4:30: /carp/arpbalance-order: expected one of \"vhid\", \"netbsd\", found 1\n",
		0},
	{"startup-hold-ms out of range", CARP("\"startup-hold-ms\": 600001"),
		"t:4:29: /carp/startup-hold-ms: expected an integer from 0 to 600000, found "
		"600001\n",
		0},
	{"startup-hold-ms of another type", CARP("\"startup-hold-ms\": \"10s\""),
		"t:4:29: /carp/startup-hold-ms: expected an integer from 0 to 600000, found a "
		"string\n",
		0},
	{"preempt-delay-ms out of range", CARP("\"preempt-delay-ms\": 3600001"),
		"t:4:30: /carp/preempt-delay-ms: expected an integer from 0 to 3600000, found "
		"3600001\n",
		0},
	{"preempt-delay-ms negative", CARP("\"preempt-delay-ms\": -1"),
		"t:4:30: /carp/preempt-delay-ms: expected an integer from 0 to 3600000, found "
		"-1\n",
		0},
	{"preempt-delay without its unit", CARP("\"preempt-delay\": 1000"),
		"t:4:10: /carp/preempt-delay: unknown key \"preempt-delay\", did you mean "
		"\"preempt-delay-ms\"?\n",
		0},
	{"startup-hold with another unit", CARP("\"startup-hold-s\": 10"),
		"t:4:10: /carp/startup-hold-s: unknown key \"startup-hold-s\", did you mean "
		"\"startup-hold-ms\"?\n",
		0},
	{"announce-refresh-s out of range", CARP("\"announce-refresh-s\": 86401"),
		"t:4:32: /carp/announce-refresh-s: expected an integer from 0 to 86400, found "
		"86401\n",
		0},
	{"announce-refresh-s with a fraction", CARP("\"announce-refresh-s\": 0.5"),
		"t:4:32: /carp/announce-refresh-s: expected an integer from 0 to 86400, found "
		"0.5 (a fraction or exponent)\n",
		0},
	{"dscp out of range", CARP("\"dscp\": 64"),
		"t:4:18: /carp/dscp: expected an integer from 0 to 63, found 64\n", 0},
	{"dscp of another type", CARP("\"dscp\": \"ef\""),
		"t:4:18: /carp/dscp: expected an integer from 0 to 63, found a string\n", 0},
	{"strict of another type",
		GROUP("\"vhid\": 1, \"strict\": 1, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:53: /carp/groups/0/strict: expected true or false, found 1\n", 0},
	{"family-timers word",
		GROUP("\"vhid\": 1, \"family-timers\": \"both\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:60: /carp/groups/0/family-timers: expected one of \"all\", \"any\", found "
		"\"both\"\n",
		0},
	{"family-timers of another type",
		GROUP("\"vhid\": 1, \"family-timers\": true, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:60: /carp/groups/0/family-timers: expected one of \"all\", \"any\", found "
		"true\n",
		0},
	{"hmac word", GROUP("\"vhid\": 1, \"hmac\": \"sha256\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:51: /carp/groups/0/hmac: expected one of \"auto\", \"orig\", \"nov6ll\", "
		"found \"sha256\"\n",
		0},
	{"hmac of another type",
		GROUP("\"vhid\": 1, \"hmac\": 1, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:51: /carp/groups/0/hmac: expected one of \"auto\", \"orig\", \"nov6ll\", "
		"found 1\n",
		0},
	{"cksum6 word",
		GROUP("\"vhid\": 1, \"cksum6\": \"none\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:53: /carp/groups/0/cksum6: expected one of \"plain\", \"pseudo\", found "
		"\"none\"\n",
		0},
	{"cksum6 of another type",
		GROUP("\"vhid\": 1, \"cksum6\": false, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:53: /carp/groups/0/cksum6: expected one of \"plain\", \"pseudo\", found "
		"false\n",
		0},
	{"advert-source word",
		GROUP("\"vhid\": 1, \"advert-source\": \"parent\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:60: /carp/groups/0/advert-source: expected one of \"vmac\", \"interface\", "
		"found \"parent\"\n",
		0},
	{"advert-source of another type",
		GROUP("\"vhid\": 1, \"advert-source\": null, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:60: /carp/groups/0/advert-source: expected one of \"vmac\", \"interface\", "
		"found null\n",
		0},
	{"family-timers misspelt",
		GROUP("\"vhid\": 1, \"family_timer\": \"any\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:43: /carp/groups/0/family_timer: unknown key \"family_timer\", did you mean "
		"\"family-timers\"?\n",
		0},
	{"groups of another type", CARP("\"groups\": {}"),
		"t:4:20: /carp/groups: expected an array of at most 1024 objects, found "
		"an object\n",
		0},
	{"unknown key in carp", CARP("\"premept\": true"),
		"t:4:10: /carp/premept: unknown key \"premept\", did you mean \"preempt\""
		"?\n",
		0},
	{"group of another type", GROUPS("\"carp0\""),
		"t:5:1: /carp/groups/0: expected an object, found a string\n", 0},
	{"group without its keys", GROUPS("{\"pass\": \"x\"}"),
		"t:5:1: /carp/groups/0: missing key \"name\", expected a name of 1 to 15 "
		"characters, a letter first, then letters, digits, \"_\", \".\" or \"-\""
		"\n"
		"t:5:1: /carp/groups/0: missing key \"vhid\", expected an integer from 1 "
		"to 255\n"
		"t:5:1: /carp/groups/0: missing key \"addresses\", expected an array of "
		"1 to 255 addresses\n",
		0},
	{"group name twice",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.1/24\"]},\n"
		       "{\"name\": \"carp0\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.5/24\"]}"),
		"t:6:10: /carp/groups/1/name: group name \"carp0\" is taken at line 5 "
		"already\n",
		0},
	{"group name reserved",
		GROUPS("{\"name\": \"arpbalance\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": "
		       "[\"192.0.2.1/24\"]}"),
		"t:5:10: /carp/groups/0/name: \"arpbalance\" is a word of the command "
		"line and no name; such words are all stats peers events demotion "
		"preempt allow arpbalance log\n",
		0},
	{"unknown key in a group",
		GROUP("\"vhid\": 1, \"advskw\": 100, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:43: /carp/groups/0/advskw: unknown key \"advskw\", did you mean \""
		"advskew\"?\n",
		0},
	{"unknown key in a group, swapped", GROUP("\"vhdi\": 1, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:32: /carp/groups/0/vhdi: unknown key \"vhdi\", did you mean \"vhid\""
		"?\n",
		0},
	{"vhid missing", GROUP("\"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:1: /carp/groups/0: missing key \"vhid\", expected an integer from 1 "
		"to 255\n",
		0},
	{"vhid 0", GROUP("\"vhid\": 0, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found 0"
		"\n",
		0},
	{"vhid 256", GROUP("\"vhid\": 256, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found "
		"256\n",
		0},
	{"vhid of another type", GROUP("\"vhid\": \"1\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:40: /carp/groups/0/vhid: expected an integer from 1 to 255, found a "
		"string\n",
		0},
	{"vhid twice on an interface",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 7, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.1/24\"]},\n"
		       "{\"name\": \"carp1\", \"vhid\": 7, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.5/24\"]}"),
		"t:6:27: /carp/groups/1/vhid: vhid 7 on interface \"lan\" is taken by "
		"group \"carp0\" at line 5 already\n",
		0},
	{"carpdev unknown with suggestion",
		GROUP("\"vhid\": 1, \"carpdev\": \"lna\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/carpdev: there is no interface \"lna\", did you "
		"mean \"lan\"?\n",
		0},
	{"carpdev unknown",
		GROUP("\"vhid\": 1, \"carpdev\": \"dmz\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/carpdev: there is no interface \"dmz\", allowed "
		"are \"lan\", \"wan\"\n",
		0},
	{"carpdev of another type",
		GROUP("\"vhid\": 1, \"carpdev\": 0, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/carpdev: expected the name of an interface, "
		"found 0\n",
		0},
	{"carpdev not found by subnet", GROUP("\"vhid\": 1, \"addresses\": [\"203.0.113.1/24\"]"),
		"t:5:57: /carp/groups/0/addresses/0: 203.0.113.1 is on no interface's "
		"subnet (192.0.2.0/24 of \"lan\", 198.51.100.0/24 of \"wan\"): give the "
		"group a \"carpdev\"\n",
		0},
	{"carpdev not found by IPv6 subnet",
		GROUP("\"vhid\": 1, \"addresses\": [\"2001:db8::1/64\", \"192.0.2.1/24\"]"),
		"t:5:57: /carp/groups/0/addresses/0: 2001:db8::1 is on no interface's "
		"subnet (192.0.2.0/24 of \"lan\", 198.51.100.0/24 of \"wan\"): give the "
		"group a \"carpdev\"\n",
		0},
	{"advbase 0 without fast",
		GROUP("\"vhid\": 1, \"advbase\": 0, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advbase: advbase 0 goes only with \"fast\": "
		"true, expected an integer from 1 to 255\n",
		0},
	{"advbase 256", GROUP("\"vhid\": 1, \"advbase\": 256, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advbase: expected an integer from 1 to 255, or 0 "
		"with \"fast\": true, found 256\n",
		0},
	{"advbase of another type",
		GROUP("\"vhid\": 1, \"advbase\": \"1s\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advbase: expected an integer from 1 to 255, or 0 "
		"with \"fast\": true, found a string\n",
		0},
	{"fast with advbase 1",
		GROUP("\"vhid\": 1, \"advbase\": 1, \"fast\": true, \"addresses\": [\""
		      "192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advbase: \"fast\": true goes only with advbase "
		"0, found 1\n",
		0},
	{"fast of another type",
		GROUP("\"vhid\": 1, \"fast\": 1, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:51: /carp/groups/0/fast: expected true or false, found 1\n", 0},
	{"advbase above 85",
		GROUP("\"vhid\": 1, \"advbase\": 86, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advbase: warning: advbase 86 is above 85: three "
		"times that does not fit the protocol's one byte, and peers take this "
		"box for down\n",
		0},
	{"advskew 255", GROUP("\"vhid\": 1, \"advskew\": 255, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advskew: expected an integer from 0 to 254, "
		"found 255\n",
		0},
	{"advskew negative",
		GROUP("\"vhid\": 1, \"advskew\": -1, \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:54: /carp/groups/0/advskew: expected an integer from 0 to 254, "
		"found -1\n",
		0},
	{"state word",
		GROUP("\"vhid\": 1, \"state\": \"slave\", \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:52: /carp/groups/0/state: expected one of \"backup\", \"init\", \""
		"master\", found \"slave\"\n",
		0},
	{"state of another type",
		GROUP("\"vhid\": 1, \"state\": [], \"addresses\": [\"192.0.2.1/24\"]"),
		"t:5:52: /carp/groups/0/state: expected one of \"backup\", \"init\", \""
		"master\", found an array\n",
		0},
	{"pass too long",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"12345678901234567890\", "
		       "\"addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: the passphrase has 20 bytes, allowed are "
		"at most 19 (or \"hex:\" and 40 hexadecimal digits)\n",
		0},
	{"pass too long in bytes",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"\303\251\303\251\303\251"
		       "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\", \""
		       "addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: the passphrase has 22 bytes, allowed are "
		"at most 19 (or \"hex:\" and 40 hexadecimal digits)\n",
		0},
	{"pass of another type",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": 12345, \"addresses\": [\""
		       "192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: expected a string of at most 19 bytes, or "
		"\"hex:\" and 40 hexadecimal digits, found no string\n",
		0},
	{"hex key too short",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"hex:00112233\", \""
		       "addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: \"hex:\" must be followed by exactly 40 "
		"hexadecimal digits, found 8 characters\n",
		0},
	{"hex key with other characters",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \""
		       "hex:00112233445566778899aabbccddeeff0011223g\", \"addresses\": [\""
		       "192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: \"hex:\" must be followed by exactly 40 "
		"hexadecimal digits, found 40 characters, not all of them such digits\n",
		0},
	{"pass and pass-file",
		GROUP("\"vhid\": 1, \"pass-file\": \"/nonexistent/koi.pass\", \"addresses\": ["
		      "\"192.0.2.1/24\"]"),
		"t:5:56: /carp/groups/0/pass-file: \"pass\" and \"pass-file\" are both "
		"given, allowed is one of them\n",
		0},
	{"neither pass nor pass-file",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:1: /carp/groups/0: warning: neither \"pass\" nor \"pass-file\": the "
		"key is empty and anyone on the segment can forge adverts\n",
		0},
	{"pass empty",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"\", \"addresses\": [\""
		       "192.0.2.1/24\"]}"),
		"t:5:38: /carp/groups/0/pass: warning: the passphrase is empty: anyone "
		"on the segment can forge adverts\n",
		0},
	{"pass-file relative",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass-file\": \"koi.pass\", \""
		       "addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:43: /carp/groups/0/pass-file: expected an absolute path, found \""
		"koi.pass\"\n",
		0},
	{"pass-file of another type",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass-file\": true, \"addresses\": ["
		       "\"192.0.2.1/24\"]}"),
		"t:5:43: /carp/groups/0/pass-file: expected an absolute path, found true"
		"\n",
		0},
	{"pass-file missing",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass-file\": \""
		       "/nonexistent/koi.pass\", \"addresses\": [\"192.0.2.1/24\"]}"),
		"t:5:43: /carp/groups/0/pass-file: \"/nonexistent/koi.pass\" cannot be "
		"opened: No such file or directory\n",
		0},
	{"VIPs missing", GROUP("\"vhid\": 1"),
		"t:5:1: /carp/groups/0: missing key \"addresses\", expected an array of "
		"1 to 255 addresses\n",
		0},
	{"VIPs empty", VIPS(""),
		"t:5:74: /carp/groups/0/addresses: expected an array of 1 to 255 "
		"addresses, found 0 elements\n",
		0},
	{"VIP without length", VIPS("\"192.0.2.1\""),
		"t:5:75: /carp/groups/0/addresses/0: 192.0.2.1 has no prefix length, "
		"expected ADDRESS/LENGTH such as 192.0.2.1/24\n",
		0},
	{"VIP of another type", VIPS("\"192.0.2.1/24\", 7"),
		"t:5:91: /carp/groups/0/addresses/1: expected an address and its prefix "
		"length such as 192.0.2.2/24 or 2001:db8::2/64, found 7\n",
		0},
	{"VIP with the other family's length", VIPS("\"192.0.2.1/64\""),
		"t:5:75: /carp/groups/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.1/64\"\n",
		0},
	{"VIP is a broadcast address", VIPS("\"192.0.2.255/24\""),
		"t:5:75: /carp/groups/0/addresses/0: 192.0.2.255 is the broadcast "
		"address of 192.0.2.0/24, expected the address of a host\n",
		0},
	{"VIP twice in a group",
		VIPS("\"192.0.2.1/24\",\n"
		     "\"192.0.2.1/32\""),
		"t:6:1: /carp/groups/0/addresses/1: 192.0.2.1 is a shared address of "
		"group \"carp0\" at line 5 already\n",
		0},
	{"VIP is an own address", VIPS("\"192.0.2.2/24\""),
		"t:5:75: /carp/groups/0/addresses/0: 192.0.2.2 is an address of "
		"interface \"lan\" at line 2 already\n",
		0},
	{"VIP is an own address of another interface", VIPS("\"198.51.100.2/32\""),
		"t:5:75: /carp/groups/0/addresses/0: 198.51.100.2 is an address of "
		"interface \"wan\" at line 3 already\n",
		0},
	{"VIP in two groups",
		GROUPS("{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.1/24\"]},\n"
		       "{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"addresses\": [\""
		       "192.0.2.1/24\"]}"),
		"t:6:57: /carp/groups/1/addresses/0: 192.0.2.1 is a shared address of "
		"group \"carp0\" at line 5 already: two groups share one only with \"arpbalance\": true"
		"\n",
		0},
	{"own address after an equal VIP",
		"{\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \""
		"x\", \"addresses\": [\"192.0.2.1/24\"]}]},\n"
		"\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": ["
		"\"192.0.2.1/24\"]}]}",
		"t:2:61: /interfaces/0/addresses/0: 192.0.2.1 is a shared address of "
		"group \"carp0\" at line 1 already\n",
		0},
	{"VIP on another interface's subnet", VIPS("\"192.0.2.1/24\", \"198.51.100.1/24\""),
		"t:5:91: /carp/groups/0/addresses/1: subnet 198.51.100.0/24 of interface "
		"\"lan\" overlaps 198.51.100.0/24 of interface \"wan\" at line 3\n",
		0},
};

static void
group_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(group_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
