/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Views and the text made from them, exactly. */
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
#include "mgmt_json_priv.h"
#include "mgmt_text_priv.h"
#include "mgmt_view_priv.h"

static void
group_looks_like_ifconfig(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	EXPECT(carp_all, a,
		"carp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
		"\tlladdr 00:00:5e:00:01:01\n"
		"\tcarp: MASTER carpdev lan vhid 1 advbase 1 advskew 0\n"
		"\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\n"
		"\tvips 1 fingerprint 0123456789abcdef\n"
		"\tsince 12.3 s, cause \"master timed out\", demotion 0, last master 192.0.2.3\n"
		"carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
		"\tlladdr 00:00:5e:00:01:02\n"
		"\tcarp: BACKUP carpdev wan vhid 2 advbase 1 advskew 100\n"
		"\tinet 198.51.100.1 netmask 0xffffff00 broadcast 198.51.100.255\n"
		"\tvips 1 fingerprint 000000000000feed\n"
		"\tsince 1.0 s, cause \"initialization complete\", "
		"demotion 1, master 198.51.100.3\n");
}

static void
group_flags_follow_state(void **state)
{
	static const struct {
		bool up;
		enum election_state state;
		const char *flags;
	} cases[] = {
		{true, ELECTION_MASTER, "flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>"},
		{true, ELECTION_INIT, "flags=8803<UP,BROADCAST,SIMPLEX,MULTICAST>"},
		{false, ELECTION_INIT, "flags=8802<BROADCAST,SIMPLEX,MULTICAST>"},
	};
	struct mgmt_args a = {.has_group = true};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);
		json_t *v;

		fake.groups[0].info.admin_up = cases[i].up;
		fake.groups[0].info.state = cases[i].state;
		v = mgmt_view_carp_group(&fake.config, &a);
		mgmt_text_carp_group(f, v);
		fclose(f);
		assert_non_null(strstr(text, cases[i].flags));
		free(text);
		json_decref(v);
	}
}

static void
group_view_has_the_contract(void **state)
{
	static const char *const keys[] = {"name", "carpdev", "vhid", "state", "advbase", "advskew",
		"demotion", "vmac", "addresses", "master_ip", "last_cause", "transitions",
		"state_since_ms", "heard_advbase", "heard_advskew", "takeover_us",
		"vip_fingerprint"};
	struct mgmt_args a = {.has_group = true};
	json_t *v;

	(void)state;
	v = mgmt_view_carp_group(&fake.config, &a);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_object_get(v, keys[i]))
			fail_msg("%s is missing", keys[i]);
	/* while MASTER our own address, as BACKUP the peer's, "" when unknown */
	assert_string_equal(get_str(v, "master_ip"), "192.0.2.2");
	assert_int_equal(get_u64(v, "state_since_ms"), 12300);
	assert_int_equal(get_u64(v, "takeover_us"), 38);
	json_decref(v);
	a.group = 1;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "master_ip"), "198.51.100.3");
	assert_int_equal(get_u64(v, "sent_advskew"), 240);
	json_decref(v);
	fake.groups[1].info.master.family = BASE_FAMILY_NONE;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "master_ip"), "");
	json_decref(v);
	a.group = 2;
	assert_null(mgmt_view_carp_group(&fake.config, &a));
}

static void
dual_stack_group(void **state)
{
	struct mgmt_args a = {.has_group = true};
	json_t *v;

	(void)state;
	EXPECT(carp_group, a,
		"carp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
		"\tlladdr 00:00:5e:00:01:01\n"
		"\tcarp: MASTER carpdev lan vhid 1 advbase 1 advskew 0\n"
		"\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\n"
		"\tinet6 2001:db8:1::1 prefixlen 64\n"
		"\tvips 2 fingerprint 0123456789abcdef\n"
		"\tsince 12.3 s, cause \"master timed out\", demotion 0, last master 192.0.2.3\n");
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "families"), "inet inet6");
	assert_string_equal(get_str(v, "master_ip"), "192.0.2.2");
	json_decref(v);
	/* IPv6 only: its adverts come from the link-local address of the interface */
	a.group = 1;
	fake.groups[1].info.state = ELECTION_MASTER;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "families"), "inet6");
	assert_string_equal(get_str(v, "master_ip"), "fe80::ff:fe00:2");
	json_decref(v);
	fake.groups[1].info.state = ELECTION_BACKUP;
	fake.groups[1].info.master = fake_ip6("fe80::ff:fe00:9");
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_string_equal(get_str(v, "master_ip"), "fe80::ff:fe00:9");
	json_decref(v);
}

static void
suspicions(void **state)
{
	struct election_group_info *info = &fake.groups[1].info;
	struct mgmt_args a = {.has_group = true, .group = 1};
	json_t *v;

	(void)state;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_true(json_is_false(json_object_get(v, "split_brain_suspected")));
	assert_string_equal(json_string_value(json_object_get(v, "split_reasons")), "");
	assert_string_equal(json_string_value(json_object_get(v, "warn")), "");
	assert_int_equal(json_integer_value(json_object_get(v, "duels")), 0);
	json_decref(v);
	info->split = ELECTION_SPLIT_TIES | ELECTION_SPLIT_DEAF;
	info->split_since = FAKE_NOW - 12300 * BASE_NS_PER_MS;
	info->warn = ELECTION_WARN_PEER_SLOW;
	info->warn_peer = (struct election_priority){3, 128, 0};
	info->warn_src = base_addr_from_ip4(0xc6336403);
	info->warn_since = FAKE_NOW - BASE_NS_PER_S;
	info->duels = 5;
	info->auth_failed_from = base_addr_from_ip4(0xc6336409);
	info->auth_failed_at = FAKE_NOW - 70 * BASE_NS_PER_MS;
	v = mgmt_view_carp_group(&fake.config, &a);
	assert_true(json_is_true(json_object_get(v, "split_brain_suspected")));
	assert_int_equal(get_u64(v, "split_since_ms"), 12300);
	assert_int_equal(get_u64(v, "duels"), 5);
	assert_string_equal(get_str(v, "auth_failed_from"), "198.51.100.9");
	assert_int_equal(get_u64(v, "auth_failed_ms_ago"), 70);
	json_decref(v);
	EXPECT(carp_group, a,
		"carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
		"\tlladdr 00:00:5e:00:01:02\n"
		"\tcarp: BACKUP carpdev wan vhid 2 advbase 1 advskew 100\n"
		"\tinet 198.51.100.1 netmask 0xffffff00 broadcast 198.51.100.255\n"
		"\tvips 1 fingerprint 000000000000feed\n"
		"\tsince 1.0 s, cause \"initialization complete\", "
		"demotion 1, master 198.51.100.3\n"
		"\tsplit brain suspected for 12.3 s: our adverts are answered by an equal claim "
		"again and again; master, and no frame at all is received\n"
		"\twarning for 1.0 s: 198.51.100.3 advertises every 3.5 s: the peer's interval "
		"reaches our master-down time\n");
}

static void
stats_look_like_netstat(void **state)
{
	struct mgmt_args a = {.has_group = true};

	(void)state;
	EXPECT(carp_stats, a,
		"carp carp0:\n"
		"\t1 packet received (IPv4)\n"
		"\t0 packets received (IPv6)\n"
		"\t\t0 packets discarded for bad interface\n"
		"\t\t0 packets discarded for wrong TTL\n"
		"\t\t0 packets shorter than header\n"
		"\t\t0 packets discarded for bad checksum\n"
		"\t\t0 packets discarded with a bad version\n"
		"\t\t0 packets discarded because packet too short\n"
		"\t\t2 packets discarded for bad authentication\n"
		"\t\t0 packets discarded for bad vhid\n"
		"\t\t0 packets discarded because of a bad address list\n"
		"\t20 packets sent (IPv4)\n"
		"\t0 packets sent (IPv6)\n"
		"\t\t0 sends failed due to mbuf memory error\n"
		"\t0 transitions to MASTER\n"
		"\t0 our own advert came back\n"
		"\t0 source address is our own\n"
		"\t0 dropped because allow is 0\n"
		"\t0 adverts not sent for any other reason: no link, queue full\n"
		"\t0 ARP requests for a VIP answered\n"
		"\t0 ARP requests for a VIP not answered: not MASTER\n"
		"\t0 gratuitous ARPs and unsolicited NAs sent\n"
		"\t0 an advert heard before came back, with changed timing or too late\n"
		"\t0 the same advert again at once, as networks deliver some\n"
		"\t0 strict group: the sender's counter carries no time\n"
		"\t0 strict group: the advert's time is too far from ours\n"
		"\t0 more adverts from unknown sources, or from one of them, than any group sends\n"
		"\t0 neighbour solicitations for a VIP answered\n"
		"\t0 neighbour solicitations for a VIP not answered: not MASTER\n"
		"\t0 neighbour discovery messages refused\n"
		"\t0 ARP requests left to another group that shares the VIP\n"
		"\t0 multicast membership reports sent\n"
		"\t0 router advertisements sent\n"
		"\t0 router advertisements sent with lifetime 0: not MASTER any more\n"
		"\t0 heard one with lifetime 0 in this group's name, which is answered\n"
		"\t0 router solicitations received as MASTER\n");
}

static void
peers(void **state)
{
	struct mgmt_args a = {.has_group = true};

	(void)state;
	EXPECT(carp_peers, a, "carp0: no peer heard\n");
	fake.n_peers = 2;
	fake.peers[0] = (struct ctl_peer){.addr = base_addr_from_ip4(0xc0000203),
		.prio = {1, 128, 0},
		.last_heard = FAKE_NOW - BASE_NS_PER_S,
		.adverts = 7,
		.counters = AUTH_REPLAY_CLASS_CHANGING};
	fake.peers[1] = (struct ctl_peer){.addr = base_addr_from_ip4(0xc0000204),
		.prio = {255, 255, 3},
		.last_heard = FAKE_NOW,
		.adverts = 1,
		.bowed_out = true};
	EXPECT(carp_peers, a,
		"192.0.2.3: advbase 1 advskew 128 demotion 0, 7 adverts, heard 1.0 s ago, "
		"counters changing\n"
		"192.0.2.4: advbase 255 advskew 255 demotion 3, 1 adverts, "
		"heard 0.0 s ago, bowed out, counters unknown\n");
	fake.n_peers = 1;
	fake.peers[0].addr = fake_ip6("fe80::ff:fe00:3");
	EXPECT(carp_peers, a,
		"fe80::ff:fe00:3: advbase 1 advskew 128 demotion 0, 7 adverts, heard 1.0 s ago, "
		"counters changing\n");
	fake.conf->groups[0].strict = true;
	EXPECT(carp_peers, a,
		"fe80::ff:fe00:3: advbase 1 advskew 128 demotion 0, 7 adverts, heard 1.0 s ago\n");
}

static void
demotion(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.box.demotion = 0;
	EXPECT(carp_demotion, a, "demotion 0\n");
	fake.box.demotion = 6;
	fake.n_demotions = 2;
	fake.demotions[0] = (struct election_demotion_entry){.source = ELECTION_DEMOTION_LINK,
		.if_id = 1,
		.group = ELECTION_NONE,
		.amount = 1,
		.since = FAKE_NOW - 2 * BASE_NS_PER_S,
		.expires = BASE_NS_NEVER};
	fake.demotions[1] = (struct election_demotion_entry){.source = ELECTION_DEMOTION_OPERATOR,
		.if_id = ELECTION_NONE,
		.group = ELECTION_NONE,
		.amount = 5,
		.since = FAKE_NOW,
		.expires = FAKE_NOW + BASE_NS_PER_S};
	EXPECT(carp_demotion, a,
		"demotion 6\n"
		"\t1 link interface wan since 2.0 s\n"
		"\t5 operator since 0.0 s ends in 1.0 s\n");
}

static void
interfaces(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	EXPECT(if_all, a,
		"lan: link up 10000 Mb/s mtu 1500\n"
		"\tlladdr 02:00:00:00:00:01\n"
		"\taddress 192.0.2.2/24\n"
		"\tdevice net_null0 driver net_null port 0 numa 0 queues "
		"rx 1 tx 2 (one of control)\n"
		"\tlink seen by poll, changed 0 times, tracked\n"
		"\tvmac filter (1 of 63 slots), multicast list\n"
		"\twarning vmac: it prunes\n"
		"\tgroups carp0\n"
		"wan: link down mtu 1500\n"
		"\tlladdr 02:00:00:00:00:02\n"
		"\taddress 198.51.100.2/24\n"
		"\tdevice net_null1 driver net_null port 1 numa -1 queues "
		"rx 1 tx 2 (one of control)\n"
		"\tdriver file /usr/lib/librte_net_null.so\n"
		"\tlink seen by poll, changed 1 times, tracked\n"
		"\tvmac promiscuous (no address filter), multicast list\n"
		"\twarning vmac: it prunes\n"
		"\tgroups carp1\n");
}

static void
interface_out_of_service(void **state)
{
	struct mgmt_args a = {.has_if = true, .if_index = 1};

	(void)state;
	snprintf(fake.ports[1].out_of_service, PORT_OUT_MAX, "the device was removed");
	EXPECT(if_one, a,
		"wan: link down mtu 1500\n"
		"\tlladdr 02:00:00:00:00:02\n"
		"\taddress 198.51.100.2/24\n"
		"\tdevice net_null1 driver net_null port 1 numa -1 queues "
		"rx 1 tx 2 (one of control)\n"
		"\tdriver file /usr/lib/librte_net_null.so\n"
		"\tlink seen by poll, changed 1 times, tracked\n"
		"\tout of service: the device was removed\n"
		"\tvmac promiscuous (no address filter), multicast list\n"
		"\twarning vmac: it prunes\n"
		"\tgroups carp1\n");
}

static void
preflight(void **state)
{
	struct mgmt_args a = {.has_if = true, .if_index = 1};

	(void)state;
	EXPECT(preflight, a,
		"wan\n"
		"\tok      mtu         1500 bytes: 68 to 9000\n"
		"\twarning vmac        known of net_x before DPDK 23.07: it prunes\n"
		"\t                    -> use another\n");
}

static void
port_stats(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.port_stats[0] = (struct port_stats){1, 2, 3, 4, 5, 6, 7, 8};
	EXPECT(port_stats, a,
		"net_null0 (port 0)\n"
		"\trx frames 1 bytes 3 missed 5 errors 6 nombuf 8\n"
		"\ttx frames 2 bytes 4 errors 7\n"
		"net_null1 (port 1)\n"
		"\trx frames 0 bytes 0 missed 0 errors 0 nombuf 0\n"
		"\ttx frames 0 bytes 0 errors 0\n");
}

static void
routes_and_neighbors(void **state)
{
	struct mgmt_args a = {0};

	(void)state;
	fake.n_routes = 3;
	fake.routes = calloc(3, sizeof(*fake.routes));
	fake.routes[0] = (struct fib_route){{base_addr_from_ip4(0), 0},
		{.type = FIB_NH_GATEWAY,
			.if_index = 1,
			.group = FIB_GROUP_NONE,
			.gateway = 0xc63364fe}};
	fake.routes[1] = (struct fib_route){{base_addr_from_ip4(0xc0000200), 24},
		{.type = FIB_NH_CONNECTED, .if_index = 0, .group = FIB_GROUP_NONE}};
	fake.routes[2] = (struct fib_route){{base_addr_from_ip4(0xc0000201), 32},
		{.type = FIB_NH_LOCAL, .if_index = 0, .group = 0}};
	EXPECT(routes, a,
		"prefix             type        origin    via             interface       group\n"
		"0.0.0.0/0          gateway     static    198.51.100.254  wan             -\n"
		"192.0.2.0/24       connected   connected -               lan             -\n"
		"192.0.2.1/32       local       connected -               lan             carp0\n");
	fake.routes[1] =
		(struct fib_route){{{BASE_FAMILY_IP6, {0x20, 0x01, 0x0d, 0xb8, 0, 0xff}}, 48},
			{.type = FIB_NH_GATEWAY,
				.if_index = 1,
				.group = FIB_GROUP_NONE,
				.gateway6 = {0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 0xfe}}};
	EXPECT(routes, a,
		"prefix             type        origin    via             interface       group\n"
		"0.0.0.0/0          gateway     static    198.51.100.254  wan             -\n"
		"2001:db8:ff::/48   gateway     static    2001:db8:2::fe  wan             -\n"
		"192.0.2.1/32       local       connected -               lan             carp0\n");
	fake.routes[1].prefix.addr.bytes[14] = 0x11;
	fake.routes[1].prefix.addr.bytes[15] = 0x11;
	fake.routes[1].prefix.plen = 128;
	EXPECT(routes, a,
		"prefix                type        origin    via             interface       group\n"
		"0.0.0.0/0             gateway     static    198.51.100.254  wan             -\n"
		"2001:db8:ff::1111/128 gateway     static    2001:db8:2::fe  wan             -\n"
		"192.0.2.1/32          local       connected -               lan             carp0\n");
	fake.n_nbrs = 2;
	fake.nbrs[0] = (struct fib_nbr_row){.if_index = 0,
		.addr = base_addr_from_ip4(0xc000020a),
		.state = FIB_NBR_REACHABLE,
		.mac = {2, 0, 0, 0, 0, 9},
		.updated = FAKE_NOW};
	fake.nbrs[1] = (struct fib_nbr_row){.if_index = 1,
		.addr = base_addr_from_ip4(0xc63364fe),
		.state = FIB_NBR_INCOMPLETE,
		.held = 3,
		.updated = FAKE_NOW - BASE_NS_PER_S};
	EXPECT(neighbors, a,
		"address         lladdr            interface       state      held age\n"
		"192.0.2.10      02:00:00:00:00:09 lan             reachable     0 0.0 s\n"
		"198.51.100.254  -                 wan             incomplete    3 1.0 s\n");
	fake.nbrs[1] = (struct fib_nbr_row){.if_index = 1,
		.addr = {BASE_FAMILY_IP6, {0xfe, 0x80, [8] = 2, [11] = 0xff, 0xfe, 0, 0, 1}},
		.state = FIB_NBR_STALE,
		.mac = {2, 0, 0, 0, 0, 1},
		.updated = FAKE_NOW};
	EXPECT(neighbors, a,
		"address             lladdr            interface       state      held age\n"
		"192.0.2.10          02:00:00:00:00:09 lan             reachable     0 0.0 s\n"
		"fe80::200:ff:fe00:1 02:00:00:00:00:01 wan             stale         0 0.0 s\n");
}

static void
drops_that_happened_come_first(void **state)
{
	struct mgmt_args a = {0};
	json_t *v;
	char *text = NULL;
	size_t len;
	FILE *f;

	(void)state;
	fake.dp.drops[DP_DROP_NOT_MASTER] = 5000000000;
	v = mgmt_view_drops(&fake.config, &a);
	f = open_memstream(&text, &len);
	mgmt_text_drops(f, v);
	fclose(f);
	assert_ptr_equal(
		strstr(text,
			"  5000000000 not_master         to a group's vMAC or VIP that this box "
			"does not own\n           0 truncated_eth "),
		text);
	assert_int_equal(json_object_size(v), DP_DROP_COUNT);
	json_decref(v);
	free(text);
}

static void
config_masks_secrets_and_loads_again(void **state)
{
	struct mgmt_args a = {0};
	struct conf_issues issues;
	struct conf *again;
	json_t *v;
	char *text;

	(void)state;
	fake.groups[1].info.advskew = 200; /* set at run time */
	fake.box.preempt = false;
	v = mgmt_view_config(&fake.config, &a);
	text = json_dumps(v, JSON_INDENT(2));
	assert_null(strstr(text, "passwd"));
	assert_non_null(strstr(text, "\"pass\": \"********\""));
	again = conf_parse(text, strlen(text), "again", 0, &issues);
	conf_issues_print(&issues, stderr);
	assert_non_null(again);
	assert_int_equal(again->groups[1].advskew, 200);
	assert_false(again->preempt);
	assert_string_equal(again->ifs[1].device, "net_null1");
	assert_int_equal(again->n_routes, 1);
	conf_free(again);
	conf_issues_free(&issues);
	free(text);
	json_decref(v);
}

static void
lists_are_paged(void **state)
{
	struct mgmt_args a = {.limit = 1};
	json_t *v;

	(void)state;
	v = mgmt_view_carp_list(&fake.config, &a);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(v, "groups"), 0)), "carp0");
	assert_int_equal(get_u64(v, "next"), 1);
	json_decref(v);
	a.offset = 1;
	v = mgmt_view_if_list(&fake.config, &a);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(v, "interfaces"), 0)), "wan");
	assert_int_equal(get_u64(v, "next"), 0);
	json_decref(v);
	fake.n_nbrs = 3;
	fake.nbrs[1].if_index = 1;
	a = (struct mgmt_args){.has_if = true, .limit = 1};
	v = mgmt_view_neighbors(&fake.config, &a);
	assert_int_equal(json_array_size(json_object_get(v, "neighbors")), 1);
	assert_int_equal(get_u64(v, "next"), 1);
	json_decref(v);
	a.offset = 1;
	v = mgmt_view_neighbors(&fake.config, &a);
	assert_int_equal(json_array_size(json_object_get(v, "neighbors")), 1);
	assert_int_equal(get_u64(v, "next"), 0);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_before, fake_after)
		T(group_looks_like_ifconfig),
		T(group_flags_follow_state),
		T(group_view_has_the_contract),
		cmocka_unit_test_setup_teardown(dual_stack_group, fake_before_dual, fake_after),
		T(suspicions),
		T(stats_look_like_netstat),
		T(peers),
		T(demotion),
		T(interfaces),
		T(interface_out_of_service),
		T(preflight),
		T(port_stats),
		T(routes_and_neighbors),
		T(drops_that_happened_come_first),
		T(config_masks_secrets_and_loads_again),
		T(lists_are_paged),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
