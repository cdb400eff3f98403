/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Routes, several mistakes at once, and positions. */
static const struct conf_case cases[] = {
	{"routes of another type", ROOT("\"routes\": {}"),
		"t:4:11: /routes: expected an array of at most 1000000 objects, found an "
		"object\n",
		0},
	{"route of another type", ROUTES("\"default\""),
		"t:5:1: /routes/0: expected an object, found a string\n", 0},
	{"route without its keys", ROUTES("{}"),
		"t:5:1: /routes/0: missing key \"prefix\", expected a prefix such as "
		"203.0.113.0/24 or 2001:db8:ff::/48\n"
		"t:5:1: /routes/0: missing key \"via\", expected an address without prefix "
		"length, or an array of 1 to 16 of them; or a \"type\" that needs none: "
		"\"blackhole\", \"unreachable\", \"prohibit\"\n",
		0},
	{"unknown key in a route",
		ROUTES("{\"prefix\": \"0.0.0.0/0\", \"gateway\": \"192.0.2.254\"}"),
		"t:5:1: /routes/0: missing key \"via\", expected an address without prefix "
		"length, or an array of 1 to 16 of them; or a \"type\" that needs none: "
		"\"blackhole\", \"unreachable\", \"prohibit\"\n"
		"t:5:25: /routes/0/gateway: unknown key \"gateway\", allowed are \"prefix"
		"\", \"type\", \"via\", \"interface\"\n",
		0},
	{"prefix with host bits",
		ROUTES("{\"prefix\": \"203.0.113.5/24\", \"via\": \"192.0.2.254\"}"),
		"t:5:12: /routes/0/prefix: 203.0.113.5/24 has bits set after its prefix "
		"length, expected 203.0.113.0/24\n",
		0},
	{"prefix without length", ROUTES("{\"prefix\": \"203.0.113.0\", \"via\": \"192.0.2.254\"}"),
		"t:5:12: /routes/0/prefix: 203.0.113.0 has no prefix length, expected "
		"ADDRESS/LENGTH such as 203.0.113.0/24\n",
		0},
	{"prefix of another type", ROUTES("{\"prefix\": 0, \"via\": \"192.0.2.254\"}"),
		"t:5:12: /routes/0/prefix: expected a prefix such as "
		"203.0.113.0/24 or 2001:db8:ff::/48, found 0\n",
		0},
	{"prefix is no prefix", ROUTES("{\"prefix\": \"default\", \"via\": \"192.0.2.254\"}"),
		"t:5:12: /routes/0/prefix: expected an address and its prefix length "
		"such as 192.0.2.2/24 or 2001:db8::2/64, found \"default\"\n",
		0},
	{"prefix of multicast", ROUTES("{\"prefix\": \"224.0.0.0/4\", \"via\": \"192.0.2.254\"}"),
		"t:5:12: /routes/0/prefix: 224.0.0.0/4: 224.0.0.0 is a multicast "
		"address, expected a prefix of hosts\n",
		0},
	{"link-local prefix", ROUTES("{\"prefix\": \"fe80::/64\", \"via\": \"2001:db8:1::fe\"}"),
		"t:5:12: /routes/0/prefix: fe80::/64 is link-local, and that is never routed\n"
		"t:5:32: /routes/0/via: 2001:db8:1::fe is on no connected subnet, there are none\n",
		0},
	{"several next hops, each its own mistake",
		ROUTES("{\"prefix\": \"10.0.0.0/8\", \"via\": [\"192.0.2.254\", \"192.0.2.254\",\n"
		       "\"192.0.2.0\", \"8.8.8.8\", \"2001:db8::1\"]}"),
		"t:5:49: /routes/0/via/1: 192.0.2.254 is given as a next hop already\n"
		"t:6:1: /routes/0/via/2: 192.0.2.0 is the network address of 192.0.2.0/24, expected "
		"the address of a host\n"
		"t:6:14: /routes/0/via/3: 8.8.8.8 is on no connected subnet, there are "
		"192.0.2.0/24 of \"lan\", 198.51.100.0/24 of \"wan\"\n"
		"t:6:25: /routes/0/via/4: 2001:db8::1 is no IPv4 address, as that of a next hop to "
		"this prefix\n",
		0},
	{"next hops that are none",
		ROUTES("{\"prefix\": \"10.0.0.0/8\", \"via\": []},\n"
		       "{\"prefix\": \"11.0.0.0/8\", \"via\": [1, \"x\"]},\n"
		       "{\"prefix\": \"12.0.0.0/8\", \"via\": {}}"),
		"t:5:33: /routes/0/via: expected an address without prefix length, or an array of 1 "
		"to 16 of them, found 0 elements\n"
		"t:6:34: /routes/1/via/0: expected an address without prefix length, found 1\n"
		"t:6:37: /routes/1/via/1: expected an address without prefix length, found \"x\"\n"
		"t:7:33: /routes/2/via: expected an address without prefix length, or an array of 1 "
		"to 16 of them, found an object\n",
		0},
	{"types with what they have not",
		ROUTES("{\"prefix\": \"10.0.0.0/8\", \"type\": \"blackhole\", \"via\": "
		       "\"192.0.2.254\"},\n"
		       "{\"prefix\": \"11.0.0.0/8\", \"type\": \"prohibit\", \"interface\": "
		       "\"lan\"},\n"
		       "{\"prefix\": \"12.0.0.0/8\", \"type\": \"null\"},\n"
		       "{\"prefix\": \"13.0.0.0/8\", \"type\": \"via\"}"),
		"t:5:54: /routes/0/via: a route of type \"blackhole\" has no next hop\n"
		"t:6:59: /routes/1/interface: a route of type \"prohibit\" has no interface\n"
		"t:7:34: /routes/2/type: expected one of \"via\", \"blackhole\", \"unreachable\", "
		"\"prohibit\", found \"null\"\n"
		"t:8:1: /routes/3: missing key \"via\", expected an address without prefix length, or "
		"an array of 1 to 16 of them; or a \"type\" that needs none: \"blackhole\", "
		"\"unreachable\", \"prohibit\"\n",
		0},
	{"link-local via without its interface",
		ROUTES("{\"prefix\": \"2001:db8::/32\", \"via\": \"fe80::1\"}"),
		"t:5:36: /routes/0/via: fe80::1 is link-local: the route needs an \"interface\"\n",
		0},
	{"unknown interface",
		ROUTES("{\"prefix\": \"::/0\", \"via\": \"fe80::1\", \"interface\": \"wna\"}"),
		"t:5:51: /routes/0/interface: there is no interface \"wna\", did you mean \"wan\"?\n",
		0},
	{"interface of another type",
		ROUTES("{\"prefix\": \"::/0\", \"via\": \"fe80::1\", \"interface\": 1}"),
		"t:5:51: /routes/0/interface: expected the name of an interface, found 1\n", 0},
	{"interface is not that of via",
		ROUTES("{\"prefix\": \"0.0.0.0/0\", \"via\": \"192.0.2.254\", \"interface\": "
		       "\"wan\"}"),
		"t:5:60: /routes/0/interface: 192.0.2.254 is on a subnet of interface \"lan\", not "
		"of \"wan\"\n",
		0},
	{"families of prefix and via",
		ROUTES("{\"prefix\": \"::/0\", \"via\": \"192.0.2.254\"},\n"
		       "{\"prefix\": \"0.0.0.0/0\", \"via\": \"fe80::1\", \"interface\": \"lan\"}"),
		"t:5:27: /routes/0/via: 192.0.2.254 is no IPv6 address, as that of a next hop to "
		"this prefix\n"
		"t:6:32: /routes/1/via: fe80::1 is no IPv4 address, as that of a next hop to this "
		"prefix\n",
		0},
	{"via is a link-local VIP",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", "
		"\"carpdev\": \"lan\", \"addresses\": [\"fe80::1/64\"]}]},\n"
		"\"routes\": [{\"prefix\": \"::/0\", \"via\": \"fe80::1\", \"interface\": "
		"\"lan\"}]}",
		"t:3:38: /routes/0/via: fe80::1 is a shared address of group \"carp0\" itself, "
		"expected another host\n",
		0},
	{"IPv6 prefixes: host bits, multicast, connected, twice",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "
		"[\"2001:db8:1::2/64\"]}],\n"
		"\"routes\": [\n"
		"{\"prefix\": \"2001:db8:5::1/48\", \"via\": \"2001:db8:1::fe\"},\n"
		"{\"prefix\": \"ff00::/8\", \"via\": \"2001:db8:1::fe\"},\n"
		"{\"prefix\": \"2001:db8:1::/64\", \"via\": \"2001:db8:1::fe\"},\n"
		"{\"prefix\": \"2001:db8:6::/48\", \"via\": \"2001:db8:1::fe\"},\n"
		"{\"prefix\": \"2001:db8:6::/48\", \"via\": \"2001:db8:2::fe\"}]}",
		"t:3:12: /routes/0/prefix: 2001:db8:5::1/48 has bits set after its prefix length, "
		"expected 2001:db8:5::/48\n"
		"t:4:12: /routes/1/prefix: ff00::/8: ff00:: is a multicast address, expected a "
		"prefix of hosts\n"
		"t:5:12: /routes/2/prefix: 2001:db8:1::/64 is connected by interface \"lan\" (line "
		"1) and needs no route\n"
		"t:7:12: /routes/4/prefix: a route to 2001:db8:6::/48 is given at line 6 already\n"
		"t:7:38: /routes/4/via: 2001:db8:2::fe is on no connected subnet, there are "
		"2001:db8:1::/64 of \"lan\"\n",
		0},
	{"MTU too small for IPv6",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"mtu\": 1279, "
		"\"addresses\": [\"192.0.2.2/24\"]}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", "
		"\"carpdev\": \"lan\", \"addresses\": [\"2001:db8::1/64\", "
		"\"2001:db8::2/64\"]}]}}",
		"t:2:95: /carp/groups/0/addresses/0: IPv6 needs an MTU of 1280 or more, interface "
		"\"lan\" has 1279\n",
		0},
	{"via with a length",
		ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"192.0.2.254/24\"}"),
		"t:5:37: /routes/0/via: expected an address without prefix length, "
		"found \"192.0.2.254/24\"\n",
		0},
	{"via of another type", ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": true}"),
		"t:5:37: /routes/0/via: expected an address without prefix length, or an array of 1 "
		"to 16 of them, found true\n",
		0},
	{"via loopback", ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"127.0.0.1\"}"),
		"t:5:37: /routes/0/via: 127.0.0.1 is a loopback address, expected the "
		"address of a host\n",
		0},
	{"via on no subnet", ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"203.0.113.254\"}"),
		"t:5:37: /routes/0/via: 203.0.113.254 is on no connected subnet, there "
		"are 192.0.2.0/24 of \"lan\", 198.51.100.0/24 of \"wan\"\n",
		0},
	{"via is an own address",
		ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"192.0.2.2\"}"),
		"t:5:37: /routes/0/via: 192.0.2.2 is the address of interface \"lan\" "
		"itself, expected another host\n",
		0},
	{"via is a VIP",
		"{\"interfaces\": [\n"
		"{\"name\": \"lan\", \"device\": \"net_tap0\", \"addresses\": [\""
		"192.0.2.2/24\"]},\n"
		"{\"name\": \"wan\", \"device\": \"net_tap1\", \"addresses\": [\""
		"198.51.100.2/24\"]}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x"
		"\", \"addresses\": [\"192.0.2.1/24\"]}]},\n"
		"\"routes\": [{\"prefix\": \"0.0.0.0/0\", \"via\": \"192.0.2.1\"}]}",
		"t:5:43: /routes/0/via: 192.0.2.1 is a shared address of group \"carp0\" "
		"itself, expected another host\n",
		0},
	{"via is a broadcast address",
		ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"192.0.2.255\"}"),
		"t:5:37: /routes/0/via: 192.0.2.255 is the broadcast address of "
		"192.0.2.0/24, expected the address of a host\n",
		0},
	{"prefix twice",
		ROUTES("{\"prefix\": \"203.0.113.0/24\", \"via\": \"192.0.2.254\"},\n"
		       "{\"prefix\": \"203.0.113.0/24\", \"via\": \"192.0.2.253\"}"),
		"t:6:12: /routes/1/prefix: a route to 203.0.113.0/24 is given at line 5 "
		"already\n",
		0},
	{"prefix is connected",
		ROUTES("{\"prefix\": \"192.0.2.0/24\", \"via\": \"198.51.100.254\"}"),
		"t:5:12: /routes/0/prefix: 192.0.2.0/24 is connected by interface \"lan\""
		" (line 2) and needs no route\n",
		0},
	{"in order of position",
		"{\"interfaces\": [\n"
		"  {\"name\": \"lan\", \"device\": \"d\", \"mtu\": 1, \"addresses\": [\""
		"192.0.2.2\"]},\n"
		"  {\"device\": \"d\", \"nmae\": \"wan\"}\n"
		"],\n"
		"\"carp\": {\"log\": 9, \"groups\": [\n"
		"  {\"name\": \"carp0\", \"vhid\": 0, \"carpdev\": \"wan\", \"addresses\""
		": [\"192.0.2.1/24\"]}\n"
		"]},\n"
		"\"routes\": [{\"via\": \"192.0.2.254\", \"prefix\": \"1.2.3.4/8\"}],\n"
		"\"node\": \"?\"}",
		"t:2:41: /interfaces/0/mtu: expected an integer from 68 to 9216, found 1"
		"\n"
		"t:2:58: /interfaces/0/addresses/0: 192.0.2.2 has no prefix length, "
		"expected ADDRESS/LENGTH such as 192.0.2.2/24\n"
		"t:3:14: /interfaces/1/device: device \"d\" is taken by interface \"lan\""
		" at line 2 already: a further one needs a \"vlan\"\n"
		"t:3:19: /interfaces/1/nmae: unknown key \"nmae\", did you mean \"name\"?"
		"\n"
		"t:5:17: /carp/log: expected an integer from 0 to 2, found 9\n"
		"t:6:3: /carp/groups/0: warning: neither \"pass\" nor \"pass-file\": the "
		"key is empty and anyone on the segment can forge adverts\n"
		"t:6:29: /carp/groups/0/vhid: expected an integer from 1 to 255, found 0"
		"\n"
		"t:8:45: /routes/0/prefix: 1.2.3.4/8 has bits set after its prefix "
		"length, expected 1.0.0.0/8\n"
		"t:9:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \"?\"\n",
		0},
	{"a refused address hides no carpdev",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\", \"addresses\": "
		"[\"192.0.2.2/33\"]}],\n"
		"\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x"
		"\", \"addresses\": [\"192.0.2.1/24\"]}]},\n"
		"\"routes\": [{\"prefix\": \"0.0.0.0/0\", \"via\": \"192.0.2.254\"}]}",
		"t:1:62: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.2/33\"\n",
		0},
	{"tabs count once",
		"{\n"
		"\t\t\"node\":\t\t7, \"interfaces\": [{\"name\": \"lan\", \"device\": \"d"
		"\"}]}",
		"t:2:12: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found 7\n",
		0},
	{"carriage returns",
		"{\r\n"
		"\"node\": 7,\r\n"
		" \"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}]}",
		"t:2:9: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found 7\n",
		0},
	{"columns are characters",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"\303\251"
		"\342\202\254\360\220\215\210\": 1, \"node\": 7}",
		"t:1:50: /\303\251\342\202\254\360\220\215\210: unknown key \"\303\251"
		"\342\202\254\360\220\215\210\", allowed are \"node\", \"eal\", \"lcores"
		"\", \"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n"
		"t:1:68: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found 7\n",
		0},
	{"pointer escapes",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"a/b~c\": 1}",
		"t:1:50: /a~1b~0c: unknown key \"a/b~c\", allowed are \"node\", \"eal\", "
		"\"lcores\", \"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n",
		0},
	{"key with escapes",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"n\\u006fde"
		"\": 7, \"\\/\": 1}",
		"t:1:63: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found 7\n"
		"t:1:66: /~1: unknown key \"/\", allowed are \"node\", \"eal\", \"lcores"
		"\", \"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n",
		0},
	{"control characters are shown, not sent",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"a\\"
		"u001b[31m\": 1, \"node\": \"\342\200\256abc\177\"}",
		"t:1:50: /a\\u001b[31m: unknown key \"a\\u001b[31m\", allowed are \"node"
		"\", \"eal\", \"lcores\", \"interfaces\", \"carp\", \"routes\", \"metrics\", \"cli\"\n"
		"t:1:76: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \"\\u202eabc\\"
		"u007f\"\n",
		0},
	{"long values are cut",
		"{\"interfaces\": [{\"name\": \"lan\", \"device\": \"d\"}], \"node\": \""
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"}",
		"t:1:58: /node: expected a node name of 1 to 31 characters, a letter or "
		"digit first, then letters, digits, \"_\" or \"-\", found \""
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...\n",
		0},
};

static void
route_mistakes_and_positions(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

static void
routes_by_words(void **state)
{
	static const struct {
		const char *prefix, *via;
		enum conf_route_type type;
		const char *interface, *err;
	} words[] = {
		{"10.0.0.0/8", "192.0.2.254", CONF_ROUTE_VIA, NULL, NULL},
		{"10.0.0.0/8", "192.0.2.254,192.0.2.253", CONF_ROUTE_VIA, "lan", NULL},
		{"10.0.0.0/8", NULL, CONF_ROUTE_BLACKHOLE, NULL, NULL},
		{"2001:db8::/32", "fe80::1", CONF_ROUTE_VIA, "wan", NULL},
		{"10.0.0.1/8", "192.0.2.254", CONF_ROUTE_VIA, NULL,
			"10.0.0.1/8 has bits set after its prefix length, expected 10.0.0.0/8"},
		{"10.0.0.0/8", "192.0.2.254,", CONF_ROUTE_VIA, NULL,
			"expected an address without prefix length, found "},
		{"10.0.0.0/8", "192.0.2.254,192.0.2.254", CONF_ROUTE_VIA, NULL,
			"192.0.2.254 is given as a next hop already"},
		{"10.0.0.0/8", "8.8.8.8", CONF_ROUTE_VIA, NULL,
			"8.8.8.8 is on no connected subnet, there are 192.0.2.0/24 of \"lan\", "
			"198.51.100.0/24 of \"wan\""},
		{"10.0.0.0/8", "192.0.2.2", CONF_ROUTE_VIA, NULL,
			"192.0.2.2 is the address of interface \"lan\" itself, expected another "
			"host"},
		{"10.0.0.0/8", "192.0.2.254", CONF_ROUTE_VIA, "wan",
			"192.0.2.254 is on a subnet of interface \"lan\", not of \"wan\""},
		{"2001:db8::/32", "fe80::1", CONF_ROUTE_VIA, NULL,
			"fe80::1 is link-local: the route needs an \"interface\""},
		{"192.0.2.0/24", "198.51.100.254", CONF_ROUTE_VIA, NULL,
			"192.0.2.0/24 is connected by interface \"lan\" (line 1) and needs no "
			"route"},
		{"x", NULL, CONF_ROUTE_BLACKHOLE, NULL,
			"expected an address and its prefix length such as 192.0.2.2/24 or "
			"2001:db8::2/64, found x"},
	};
	static const char text[] = ROOT("\"routes\": []");
	struct conf_hop hops[CONF_HOPS_MAX];
	struct conf_issues issues;
	struct conf *c = conf_parse(text, sizeof(text) - 1, "t", 0, &issues);

	(void)state;
	assert_non_null(c);
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct conf_route r;
		char err[256] = "";
		int ret = conf_route_parse(c, words[i].prefix, words[i].via, words[i].type,
			words[i].interface, &r, hops, err, sizeof(err));

		assert_string_equal(err, words[i].err != NULL ? words[i].err : "");
		assert_int_equal(ret, words[i].err != NULL ? -1 : 0);
		if (ret != 0)
			continue;
		assert_int_equal(r.n_hops, i == 1 ? 2 : i != 2);
		assert_int_equal(r.type, i == 2 ? CONF_ROUTE_BLACKHOLE : CONF_ROUTE_VIA);
		if (r.n_hops != 0)
			assert_int_equal(hops[r.n_hops - 1].if_index, i == 3);
	}
	conf_free(c);
	conf_issues_free(&issues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_mistakes_and_positions),
		cmocka_unit_test(routes_by_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
