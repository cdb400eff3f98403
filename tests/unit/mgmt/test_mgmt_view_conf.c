/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The configuration in effect, key by key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_expect.h"
#include "mgmt_fake.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

/* Every key that is not at its default comes back as it was. */
static void
config_shows_each_key(void **state)
{
	static const char text[] =
		"{\"node\": \"fw1\", \"interfaces\": ["
		"{\"name\": \"lan\", \"device\": \"net_null0\", \"linkup-hold-ms\": 3000, \"vmac-filter\": \"require\", \"rp-filter\": \"loose\","
		" \"addresses\": [\"192.0.2.2/24\", \"2001:db8:1::2/64\"]},"
		"{\"name\": \"wan\", \"device\": \"net_null0\", \"vlan\": 4094}],"
		"\"carp\": {\"arpbalance-order\": \"netbsd\", \"startup-hold-ms\": 1,"
		" \"preempt-delay-ms\": 2, \"announce-refresh-s\": 3, \"dscp\": 56,"
		" \"on-change\": [\"/bin/sh\", \"-c\", \"x\"], \"on-change-user\": \"daemon\","
		" \"on-change-timeout-s\": 5, \"groups\": ["
		"{\"name\": \"carp0\", \"vhid\": 1, \"pass\": \"x\", \"carpdev\": \"lan\","
		" \"addresses\": [\"192.0.2.1/24\", \"fe80::1/64\"], \"peer\": \"192.0.2.3\","
		" \"peer6\": \"fe80::3\", \"strict\": true, \"family-timers\": \"any\","
		" \"hmac\": \"orig\", \"cksum6\": \"pseudo\", \"advert-source\": \"interface\"},"
		"{\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"x\", \"carpdev\": \"wan\","
		" \"addresses\": [\"198.51.100.1/24\"], \"hmac\": \"nov6ll\"}]}}";
	static const char carp[] =
		"\"arpbalance-order\": \"netbsd\", \"startup-hold-ms\": 1, "
		"\"preempt-delay-ms\": 2, \"announce-refresh-s\": 3, \"window-s\": 300, \"dscp\": 56, "
		"\"on-change\": [\"/bin/sh\", \"-c\", \"x\"], \"on-change-user\": \"daemon\", "
		"\"on-change-timeout-s\": 5, ";
	static const char set[] =
		"\"peer\": \"192.0.2.3\", \"peer6\": \"fe80::3\", \"strict\": true, "
		"\"family-timers\": \"any\", \"hmac\": \"orig\", \"cksum6\": \"pseudo\", "
		"\"advert-source\": \"interface\"}";
	static const char unset[] =
		"\"addresses\": [\"198.51.100.1/24\"], \"strict\": false, \"family-timers\": \"all\", "
		"\"hmac\": \"nov6ll\", \"cksum6\": \"plain\", \"advert-source\": \"vmac\"}";
	const struct conf *before = fake.config.conf;
	struct mgmt_args a = {0};
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", 0, &issues), *again;
	json_t *v;
	char *shown;

	(void)state;
	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	assert_non_null(c);
	fake.config.conf = c;
	v = mgmt_view_config(&fake.config, &a);
	fake.config.conf = before;
	shown = json_dumps(v, 0);
	assert_non_null(strstr(shown, "\"linkup-hold-ms\": 3000"));
	assert_non_null(strstr(shown, "\"linkup-hold-ms\": 0"));
	assert_non_null(strstr(shown, "\"device\": \"net_null0\", \"mtu\": 1500"));
	assert_non_null(strstr(shown, "\"device\": \"net_null0\", \"vlan\": 4094, \"mtu\": 1500"));
	assert_non_null(strstr(shown, "\"vmac-filter\": \"require\""));
	assert_non_null(strstr(shown, "\"rp-filter\": \"loose\""));
	assert_non_null(strstr(shown, "\"rp-filter\": \"off\""));
	assert_null(strstr(shown, "\"vmac-filter\": \"auto\"")); /* one for the device */
	assert_non_null(strstr(shown, carp));
	assert_non_null(strstr(shown, set));
	assert_non_null(strstr(shown, unset));
	again = conf_parse(shown, strlen(shown), "again", 0, &issues);
	assert_non_null(again);
	assert_memory_equal(&again->groups[0].peer6, &c->groups[0].peer6, sizeof(struct base_addr));
	assert_int_equal(again->groups[1].peer4.family, BASE_FAMILY_NONE);
	assert_int_equal(again->dscp, 56);
	conf_free(again);
	conf_issues_free(&issues);
	conf_free(c);
	free(shown);
	json_decref(v);
}

/* Which device an interface is on, with which tag, and who handles it. */
static void
interface_shows_its_tag(void **state)
{
	struct mgmt_args a = {.has_if = true, .if_index = 1};
	uint16_t before = fake.conf->ifs[1].vlan;

	(void)state;
	fake.conf->ifs[1].vlan = 20;
	fake.ports[1].mtu = 1504;
	fake.ports[1].vlan_strip = true;
	EXPECT(if_one, a,
		"wan: link down mtu 1500\n"
		"\tlladdr 02:00:00:00:00:02\n"
		"\taddress 198.51.100.2/24\n"
		"\tdevice net_null1 vlan 20 (tags out by device, in by koi) driver net_null port 1 "
		"numa -1 queues rx 1 tx 2 (one of control)\n"
		"\tdriver file /usr/lib/librte_net_null.so\n"
		"\tlink seen by poll, changed 1 times, tracked\n"
		"\tvmac promiscuous (no address filter), multicast list\n"
		"\twarning vmac: it prunes\n"
		"\tgroups carp1\n");
	fake.conf->ifs[1].vlan = before;
}

/* What commands did to static neighbours, and the operator's demotion, which no file has. */
static void
neighbors_and_demotion_are_told(void **state)
{
	struct mgmt_args a = {0};
	struct conf_neighbor of_file[2] = {
		{.addr = base_addr_from_ip4(0xc0000209)}, {.addr = base_addr_from_ip4(0xc000020a)}};
	struct conf_if *lan = &fake.conf->ifs[0];
	struct conf_neighbor *neighbors = lan->neighbors;
	uint16_t n = lan->n_neighbors;

	(void)state;
	of_file[0].mac[5] = 9;
	of_file[1].mac[5] = 10;
	lan->neighbors = of_file;
	lan->n_neighbors = 2;
	fake.box.allow = true;
	fake.box.preempt = true;
	fake.box.log = fake.conf->log;
	for (uint32_t i = 0; i < 2; i++) {
		fake.nbrs[i] = (struct fib_nbr_row){
			.if_index = 0, .addr = of_file[i].addr, .state = FIB_NBR_STATIC};
		memcpy(fake.nbrs[i].mac, of_file[i].mac, BASE_MAC_LEN);
	}
	fake.n_nbrs = 2;
	EXPECT(config_diff, a, "as in the file\n");
	/* another MAC; one gone, a learnt one in its place; one on another interface */
	fake.nbrs[0].mac[5] = 8;
	fake.nbrs[1].state = FIB_NBR_REACHABLE;
	fake.nbrs[2] = (struct fib_nbr_row){
		.if_index = 1, .addr = of_file[0].addr, .state = FIB_NBR_STATIC};
	fake.nbrs[2].mac[0] = 2;
	fake.n_nbrs = 3;
	fake.demotions[0] = (struct election_demotion_entry){
		.source = ELECTION_DEMOTION_LINK, .if_id = 0, .amount = 1};
	fake.demotions[1] = (struct election_demotion_entry){
		.source = ELECTION_DEMOTION_OPERATOR, .if_id = ELECTION_NONE, .amount = 5};
	fake.n_demotions = 2;
	EXPECT(config_diff, a,
		"set carp demotion 5\n"
		"neighbor lan add 192.0.2.9 00:00:00:00:00:08\n"
		"neighbor wan add 192.0.2.9 02:00:00:00:00:00\n"
		"neighbor lan del 192.0.2.10\n");
	lan->neighbors = neighbors;
	lan->n_neighbors = n;
}

/* What was set at run time stands in its place, and apart as commands; no key is shown. */
static void
changes_are_commands(void **state)
{
	struct mgmt_args a = {0};
	json_t *v;
	char *shown;

	(void)state;
	fake.box.allow = true;
	fake.box.preempt = true;
	fake.box.log = fake.conf->log;
	EXPECT(config_diff, a, "as in the file\n");
	fake.box.preempt = false;
	fake.box.log = 2;
	fake.box.arpbalance = true;
	fake.groups[0].info.advbase = 3;
	fake.groups[1].info.advskew = 7;
	fake.groups[1].key_set = true;
	fake.conf->groups[1].pass_file = strdup("/etc/koi/wan.pass");
	EXPECT(config_diff, a,
		"set carp preempt 0\n"
		"set carp log 2\n"
		"set carp arpbalance 1\n"
		"set carp carp0 advbase 3\n"
		"set carp carp1 advskew 7\n"
		"set carp carp1 pass-file ********\n");
	fake.box.allow = false;
	v = mgmt_view_config_diff(&fake.config, &a);
	assert_string_equal(json_string_value(json_array_get(json_object_get(v, "changes"), 0)),
		"set carp allow 0");
	json_decref(v);
	/* the file that the key was read from does not hold it any more */
	v = mgmt_view_config(&fake.config, &a);
	shown = json_dumps(v, 0);
	assert_non_null(strstr(shown, "\"pass\": \"********\", \"advbase\": 1, \"advskew\": 7"));
	assert_null(strstr(shown, "wan.pass"));
	free(shown);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config_shows_each_key, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(interface_shows_its_tag, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(
			neighbors_and_demotion_are_told, fake_before, fake_after),
		cmocka_unit_test_setup_teardown(changes_are_commands, fake_before, fake_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
