/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* Interfaces and their addresses. */
static const struct conf_case cases[] = {
	{"interface without name and device", IF("{}"),
		"t:2:1: /interfaces/0: missing key \"name\", expected a name of 1 to 15 "
		"characters, a letter first, then letters, digits, \"_\", \".\" or \"-\""
		"\n"
		"t:2:1: /interfaces/0: missing key \"device\", expected a DPDK device "
		"name of 1 to 63 printable characters without blanks or commas\n",
		0},
	{"interface name with a digit first", IF("{\"name\": \"0lan\", \"device\": \"d\"}"),
		"t:2:10: /interfaces/0/name: expected a name of 1 to 15 characters, a "
		"letter first, then letters, digits, \"_\", \".\" or \"-\", found \"0lan"
		"\"\n",
		0},
	{"interface name too long", IF("{\"name\": \"lan4567890123456\", \"device\": \"d\"}"),
		"t:2:10: /interfaces/0/name: expected a name of 1 to 15 characters, a "
		"letter first, then letters, digits, \"_\", \".\" or \"-\", found \""
		"lan4567890123456\"\n",
		0},
	{"interface name empty", IF("{\"name\": \"\", \"device\": \"d\"}"),
		"t:2:10: /interfaces/0/name: expected a name of 1 to 15 characters, a "
		"letter first, then letters, digits, \"_\", \".\" or \"-\", found \"\"\n",
		0},
	{"interface name of another type", IF("{\"name\": 1, \"device\": \"d\"}"),
		"t:2:10: /interfaces/0/name: expected a name of 1 to 15 characters, a "
		"letter first, then letters, digits, \"_\", \".\" or \"-\", found 1\n",
		0},
	{"interface name reserved", IF("{\"name\": \"stats\", \"device\": \"d\"}"),
		"t:2:10: /interfaces/0/name: \"stats\" is a word of the command line and "
		"no name; such words are all stats peers events demotion preempt allow "
		"arpbalance log\n",
		0},
	{"interface name twice",
		IF("{\"name\": \"lan\", \"device\": \"d\"},\n"
		   "{\"name\": \"lan\", \"device\": \"e\"}"),
		"t:3:10: /interfaces/1/name: interface name \"lan\" is taken at line 2 "
		"already\n",
		0},
	{"device twice",
		IF("{\"name\": \"lan\", \"device\": \"d\"},\n"
		   "{\"name\": \"wan\", \"device\": \"d\"}"),
		"t:3:27: /interfaces/1/device: device \"d\" is taken by interface \"lan\""
		" at line 2 already: a further one needs a \"vlan\"\n",
		0},
	{"device with a blank", IF("{\"name\": \"lan\", \"device\": \"net tap\"}"),
		"t:2:27: /interfaces/0/device: expected a DPDK device name of 1 to 63 "
		"printable characters without blanks or commas, found \"net tap\"\n",
		0},
	{"device with arguments", IF("{\"name\": \"lan\", \"device\": \"net_tap0,iface=x\"}"),
		"t:2:27: /interfaces/0/device: expected a DPDK device name of 1 to 63 "
		"printable characters without blanks or commas, found \"net_tap0,iface=x"
		"\"\n",
		0},
	{"device empty", IF("{\"name\": \"lan\", \"device\": \"\"}"),
		"t:2:27: /interfaces/0/device: expected a DPDK device name of 1 to 63 "
		"printable characters without blanks or commas, found \"\"\n",
		0},
	{"device too long",
		IF("{\"name\": \"lan\", \"device\": \""
		   "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"}"),
		"t:2:27: /interfaces/0/device: expected a DPDK device name of 1 to 63 "
		"printable characters without blanks or commas, found \""
		"ddddddddddddddddddddddddddddddddddddddd...\n",
		0},
	{"device of another type", IF("{\"name\": \"lan\", \"device\": []}"),
		"t:2:27: /interfaces/0/device: expected a DPDK device name of 1 to 63 "
		"printable characters without blanks or commas, found an array\n",
		0},
	{"vlan 0", IF("{\"name\": \"lan\", \"device\": \"d\", \"vlan\": 0}"),
		"t:2:40: /interfaces/0/vlan: expected an integer from 1 to 4094, found 0\n", 0},
	{"vlan 4095", IF("{\"name\": \"lan\", \"device\": \"d\", \"vlan\": 4095}"),
		"t:2:40: /interfaces/0/vlan: expected an integer from 1 to 4094, found 4095\n", 0},
	{"vlan of another type", IF("{\"name\": \"lan\", \"device\": \"d\", \"vlan\": \"10\"}"),
		"t:2:40: /interfaces/0/vlan: expected an integer from 1 to 4094, found a string\n",
		0},
	{"vlans refused on one device",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"vlan\": 0},\n"
		   "{\"name\": \"wan\", \"device\": \"d\", \"vlan\": true},\n"
		   "{\"name\": \"dmz\", \"device\": \"d\"}"),
		"t:2:40: /interfaces/0/vlan: expected an integer from 1 to 4094, found 0\n"
		"t:3:40: /interfaces/1/vlan: expected an integer from 1 to 4094, found true\n",
		0},
	{"vlan twice on one device",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"vlan\": 10},\n"
		   "{\"name\": \"dmz\", \"device\": \"d\", \"vlan\": 20},\n"
		   "{\"name\": \"wan\", \"device\": \"d\", \"vlan\": 10}"),
		"t:4:40: /interfaces/2/vlan: VLAN 10 of device \"d\" is taken by interface \"lan\" "
		"at line 2 already\n",
		0},
	{"two untagged interfaces beside a vlan",
		IF("{\"name\": \"lan\", \"device\": \"d\"},\n"
		   "{\"name\": \"dmz\", \"device\": \"d\", \"vlan\": 20},\n"
		   "{\"name\": \"wan\", \"device\": \"d\"}"),
		"t:4:27: /interfaces/2/device: device \"d\" is taken by interface \"lan\" at line 2 "
		"already: a further one needs a \"vlan\"\n",
		0},
	{"vlans with vmac-filters that differ",
		IF("{\"name\": \"lan\", \"device\": \"d\"},\n"
		   "{\"name\": \"dmz\", \"device\": \"d\", \"vlan\": 20, \"vmac-filter\": \"require\"},\n"
		   "{\"name\": \"wan\", \"device\": \"d\", \"vlan\": 10, \"vmac-filter\": \"auto\"}"),
		"t:4:59: /interfaces/2/vmac-filter: interface \"dmz\" at line 3 has another one for "
		"the same device \"d\", which has one filter\n",
		0},
	{"mtu too small", IF("{\"name\": \"lan\", \"device\": \"d\", \"mtu\": 67}"),
		"t:2:39: /interfaces/0/mtu: expected an integer from 68 to 9216, found 67"
		"\n",
		0},
	{"mtu too large", IF("{\"name\": \"lan\", \"device\": \"d\", \"mtu\": 9217}"),
		"t:2:39: /interfaces/0/mtu: expected an integer from 68 to 9216, found "
		"9217\n",
		0},
	{"mtu of another type", IF("{\"name\": \"lan\", \"device\": \"d\", \"mtu\": \"1500\"}"),
		"t:2:39: /interfaces/0/mtu: expected an integer from 68 to 9216, found a "
		"string\n",
		0},
	{"track of another type", IF("{\"name\": \"lan\", \"device\": \"d\", \"track\": 1}"),
		"t:2:41: /interfaces/0/track: expected true or false, found 1\n", 0},
	{"linkup-hold-ms out of range",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"linkup-hold-ms\": 600001}"),
		"t:2:50: /interfaces/0/linkup-hold-ms: expected an integer from 0 to 600000, "
		"found 600001\n",
		0},
	{"linkup-hold-ms negative",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"linkup-hold-ms\": -1}"),
		"t:2:50: /interfaces/0/linkup-hold-ms: expected an integer from 0 to 600000, "
		"found -1\n",
		0},
	{"linkup-hold-ms of another type",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"linkup-hold-ms\": true}"),
		"t:2:50: /interfaces/0/linkup-hold-ms: expected an integer from 0 to 600000, "
		"found true\n",
		0},
	{"vmac-filter unknown",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"vmac-filter\": \"promisc\"}"),
		"t:2:47: /interfaces/0/vmac-filter: expected one of \"auto\", \"require\", "
		"\"promiscuous\", found \"promisc\"\n",
		0},
	{"vmac-filter of another type",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"vmac-filter\": true}"),
		"t:2:47: /interfaces/0/vmac-filter: expected one of \"auto\", \"require\", "
		"\"promiscuous\", found true\n",
		0},
	{"rp-filter unknown",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"rp-filter\": \"feasible\"}"),
		"t:2:45: /interfaces/0/rp-filter: expected one of \"off\", \"loose\", "
		"\"strict\", found \"feasible\"\n",
		0},
	{"rp-filter as a number", IF("{\"name\": \"lan\", \"device\": \"d\", \"rp-filter\": 1}"),
		"t:2:45: /interfaces/0/rp-filter: expected one of \"off\", \"loose\", "
		"\"strict\", found 1\n",
		0},
	{"source-mac unknown",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"source-mac\": \"own\"}"),
		"t:2:46: /interfaces/0/source-mac: expected one of \"interface\", \"vmac\", found "
		"\"own\"\n",
		0},
	{"link-local address with a short prefix",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"fe80::1/9\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 10 to 128 for "
		"a link-local address, found \"fe80::1/9\"\n",
		0},
	{"addresses of another type",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": \"192.0.2.2/24\"}"),
		"t:2:45: /interfaces/0/addresses: expected an array of at most 64 "
		"addresses, found a string\n",
		0},
	{"address of another type",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [24]}"),
		"t:2:46: /interfaces/0/addresses/0: expected an address and its prefix "
		"length such as 192.0.2.2/24 or 2001:db8::2/64, found 24\n",
		0},
	{"address without length",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 192.0.2.2 has no prefix length, "
		"expected ADDRESS/LENGTH such as 192.0.2.2/24\n",
		0},
	{"IPv6 address without length",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"2001:db8::2\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 2001:db8::2 has no prefix length, "
		"expected ADDRESS/LENGTH such as 2001:db8::2/64\n",
		0},
	{"address with a mask",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\""
		   "192.0.2.2/255.255.255.0\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.2/255.255.255.0\"\n",
		0},
	{"address with a leading zero",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.02/24\""
		   "]}"),
		"t:2:46: /interfaces/0/addresses/0: expected an address and its prefix "
		"length such as 192.0.2.2/24 or 2001:db8::2/64, found \"192.0.2.02/24\"\n",
		0},
	{"address with a host name",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"fw1.example/24"
		   "\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected an address and its prefix "
		"length such as 192.0.2.2/24 or 2001:db8::2/64, found \"fw1.example/24\""
		"\n",
		0},
	{"address with a zone",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"fe80::1%lan/64"
		   "\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected an address and its prefix "
		"length such as 192.0.2.2/24 or 2001:db8::2/64, found \"fe80::1%lan/64\""
		"\n",
		0},
	{"address with an empty length",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.2/\"\n",
		0},
	{"length of an IPv6 prefix",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.1/64\""
		   "]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.1/64\"\n",
		0},
	{"length 0", IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.1/0\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.1/0\"\n",
		0},
	{"length over 128",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"2001:db8::1/129"
		   "\"]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"128 for an IPv6 address, found \"2001:db8::1/129\"\n",
		0},
	{"length with a leading zero",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/024\""
		   "]}"),
		"t:2:46: /interfaces/0/addresses/0: expected a prefix length from 1 to "
		"32 for an IPv4 address, found \"192.0.2.2/024\"\n",
		0},
	{"unspecified address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"0.0.0.0/24\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 0.0.0.0 is the unspecified address, "
		"expected the address of a host\n",
		0},
	{"loopback address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"127.0.0.1/8\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 127.0.0.1 is a loopback address, "
		"expected the address of a host\n",
		0},
	{"multicast address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"224.0.0.18/4\""
		   "]}"),
		"t:2:46: /interfaces/0/addresses/0: 224.0.0.18 is a multicast address, "
		"expected the address of a host\n",
		0},
	{"limited broadcast",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\""
		   "255.255.255.255/32\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 255.255.255.255 is the broadcast "
		"address, expected the address of a host\n",
		0},
	{"broadcast address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.255/24"
		   "\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 192.0.2.255 is the broadcast address "
		"of 192.0.2.0/24, expected the address of a host\n",
		0},
	{"network address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.128/25"
		   "\"]}"),
		"t:2:46: /interfaces/0/addresses/0: 192.0.2.128 is the network address "
		"of 192.0.2.128/25, expected the address of a host\n",
		0},
	{"IPv6 multicast address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"ff02::1/64\"]}"),
		"t:2:46: /interfaces/0/addresses/0: ff02::1 is a multicast address, "
		"expected the address of a host\n",
		0},
	{"IPv6 unspecified address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"::/64\"]}"),
		"t:2:46: /interfaces/0/addresses/0: :: is the unspecified address, "
		"expected the address of a host\n",
		0},
	{"IPv6 loopback address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"::1/128\"]}"),
		"t:2:46: /interfaces/0/addresses/0: ::1 is the loopback address, "
		"expected the address of a host\n",
		0},
	{"IPv4-mapped address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\""
		   "::ffff:192.0.2.1/128\"]}"),
		"t:2:46: /interfaces/0/addresses/0: ::ffff:192.0.2.1 is an IPv4-mapped "
		"address, expected the address of a host\n",
		0},
	{"subnet-router anycast address",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"2001:db8::/64\""
		   "]}"),
		"t:2:46: /interfaces/0/addresses/0: 2001:db8:: is the subnet-router "
		"anycast address of 2001:db8::/64, expected the address of a host\n",
		0},
	{"address twice on an interface",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/24\","
		   "\n"
		   "\"192.0.2.2/25\"]}"),
		"t:3:1: /interfaces/0/addresses/1: 192.0.2.2 is an address of interface "
		"\"lan\" at line 2 already\n",
		0},
	{"address on two interfaces",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/24\""
		   "]},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"192.0.2.2/24\""
		   "]}"),
		"t:3:46: /interfaces/1/addresses/0: 192.0.2.2 is an address of interface "
		"\"lan\" at line 2 already\n",
		0},
	{"subnets overlap",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/24\""
		   "]},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"192.0.2.130/25"
		   "\"]}"),
		"t:3:46: /interfaces/1/addresses/0: subnet 192.0.2.128/25 of interface \""
		"wan\" overlaps 192.0.2.0/24 of interface \"lan\" at line 2\n",
		0},
	{"subnets overlap, wider one later",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"10.1.0.2/16\""
		   "]},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"10.0.0.2/8\"]}"),
		"t:3:46: /interfaces/1/addresses/0: subnet 10.0.0.0/8 of interface \"wan"
		"\" overlaps 10.1.0.0/16 of interface \"lan\" at line 2\n",
		0},
	{"subnet equal",
		IF("{\"name\": \"lan\", \"device\": \"d\", \"addresses\": [\"192.0.2.2/24\""
		   ", \"192.0.2.4/24\"]},\n"
		   "{\"name\": \"wan\", \"device\": \"e\", \"addresses\": [\"192.0.2.3/24\""
		   ", \"192.0.2.5/24\"]}"),
		"t:3:46: /interfaces/1/addresses/0: subnet 192.0.2.0/24 of interface \""
		"wan\" overlaps 192.0.2.0/24 of interface \"lan\" at line 2\n",
		0},
};

static void
interface_mistakes(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interface_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
