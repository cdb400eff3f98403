/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * IPv6: what goes to control and by which ring, what is answered, and what a backup must not do.
 * Frames to be dropped are in dp_bad_frames6.c.
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	 WIRE_ETH_LEN
#define UPPER_AT (WIRE_ETH_LEN + WIRE_IP6_LEN)

static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

/* The Ethernet address of a target's solicited-node group. */
static const uint8_t *
solicited_mac(const uint8_t target[16])
{
	static uint8_t mac[6];
	uint8_t group[16];

	wire_ip6_solicited_node(target, group);
	wire_ip6_group_mac(group, mac);
	return mac;
}

static void
adverts_find_their_ring(void **state)
{
	struct rig *r = *state;
	static const uint8_t from_group[16] = {0xff, 2, [15] = 1};
	const struct {
		const char *what;
		const uint8_t *mac, *src, *dst;
		uint8_t vhid;
		int port;
		uint16_t group; /* expected */
	} cases[] = {
		{"multicast", wire_carp_mac6, client_ll6, wire_carp_group_ip6, 1, LAN, LAN_VHID1},
		{"second group", wire_carp_mac6, client_ll6, wire_carp_group_ip6, 7, LAN,
			LAN_VHID7},
		{"other interface", wire_carp_mac6, client_ll6, wire_carp_group_ip6, 1, WAN,
			WAN_VHID1},
		{"from a box without address", wire_carp_mac6, wire_ip6_unspecified,
			wire_carp_group_ip6, 1, LAN, LAN_VHID1},
		{"vhid of the other interface", wire_carp_mac6, client_ll6, wire_carp_group_ip6, 9,
			LAN, DP_NONE},
		{"vhid 0", wire_carp_mac6, client_ll6, wire_carp_group_ip6, 0, LAN, DP_NONE},
		{"multicast that an access point made unicast", lan_mac, client_ll6,
			wire_carp_group_ip6, 1, LAN, LAN_VHID1},
		{"unicast", lan_mac, client6, lan_own6, 7, LAN, LAN_VHID7},
		{"unicast, link-local", wan_mac, client_ll6, own_ll6, 9, WAN, WAN_VHID9},
		{"unicast, unknown vhid", lan_mac, client6, lan_own6, 9, LAN, DP_NONE},
	};
	struct frame bad = frame_carp6(wire_carp_mac6, from_group, wire_carp_group_ip6, 1);

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f =
			frame_carp6(cases[i].mac, cases[i].src, cases[i].dst, cases[i].vhid);
		struct dp_punt p;

		/* What is wrong with the CARP header or the hop limit is for control. */
		f.b[IP_AT + 7] = 1;
		frame_pad(&f, i % 2 ? 100 : 0);
		if (i % 3 == 0)
			rig_rx_segments(r, cases[i].port, &f, (uint16_t)(1 + 11 * i), 7);
		else
			rig_rx(r, cases[i].port, &f);
		rig_turn(r);
		if (dp_poll_adverts(r->dp, &p, 1, 1) != 1 || p.group != cases[i].group)
			fail_msg("%s: group %u", cases[i].what, p.group);
		assert_int_equal(p.cls, DP_PUNT_ADVERT);
		assert_int_equal(p.if_index, cases[i].port);
		/* Padding goes where a packet may have to be routed. */
		if (!wire_ip6_is_multicast(cases[i].dst))
			f.len = WIRE_CARP6_FRAME_LEN;
		assert_int_equal(p.m->data_len, f.len);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), f.b, f.len);
		rte_pktmbuf_free(p.m);
	}
	assert_int_equal(rig_drops_all(r), 0);
	rig_take(r, LAN, &bad);
	rig_assert_one_drop(r, DP_DROP_IP6_SOURCE);
}

static void
neighbour_discovery_finds_its_ring(void **state)
{
	struct rig *r = *state;
	static const uint8_t nobody[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 0x99};
	const struct {
		const char *what;
		const uint8_t *mac, *dst, *target;
		uint8_t type;
		int port;
		uint16_t group; /* expected */
	} cases[] = {
		{"VIP", NULL, NULL, lan_vip6, WIRE_ICMP6_NS, LAN, LAN_VHID1},
		{"VIP of a backup", NULL, NULL, lan_vip7_6, WIRE_ICMP6_NS, LAN, LAN_VHID7},
		{"link-local VIP", NULL, NULL, vip_ll6, WIRE_ICMP6_NS, LAN, LAN_VHID1},
		{"link-local VIP of the WAN", NULL, NULL, vip_ll6, WIRE_ICMP6_NS, WAN, WAN_VHID1},
		{"VIP, unicast to the owned vMAC", vmac1, lan_vip6, lan_vip6, WIRE_ICMP6_NS, LAN,
			LAN_VHID1},
		{"VIP of a backup, by our MAC", lan_mac, lan_vip7_6, lan_vip7_6, WIRE_ICMP6_NS, LAN,
			LAN_VHID7},
		{"VIP announced by another", all_nodes_mac, NULL, lan_vip6, WIRE_ICMP6_NA, LAN,
			LAN_VHID1},
		{"own address", NULL, NULL, lan_own6, WIRE_ICMP6_NS, LAN, DP_NONE},
		{"own link-local address", lan_mac, own_ll6, own_ll6, WIRE_ICMP6_NS, LAN, DP_NONE},
		{"VIP of the other interface", NULL, NULL, wan_vip6, WIRE_ICMP6_NS, LAN, DP_NONE},
		{"nobody's", NULL, NULL, nobody, WIRE_ICMP6_NS, LAN, DP_NONE},
		{"answer to us", lan_mac, lan_own6, client6, WIRE_ICMP6_NA, LAN, DP_NONE},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *mac = cases[i].mac ? cases[i].mac : solicited_mac(cases[i].target);
		struct frame f = frame_nd(mac, cases[i].type, cases[i].dst, cases[i].target);
		struct dp_punt p;

		if (i % 2 != 0)
			rig_rx_segments(r, cases[i].port, &f, (uint16_t)(1 + 9 * i), 5);
		else
			rig_rx(r, cases[i].port, &f);
		rig_turn(r);
		if (dp_poll_punts(r->dp, &p, 1, 1) != 1 || p.group != cases[i].group)
			fail_msg("%s: group %u", cases[i].what, p.group);
		assert_int_equal(
			p.cls, cases[i].group == DP_NONE ? DP_PUNT_IF_ARP : DP_PUNT_GROUP_ARP);
		assert_int_equal(p.if_index, cases[i].port);
		assert_false(p.known_source);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), f.b, f.len);
		rte_pktmbuf_free(p.m);
	}
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).punted_arp, sizeof(cases) / sizeof(cases[0]));
	assert_int_equal(rig_drops_all(r), 0);
}

/* A duplicate address probe has no source and no option. */
static void
a_probe_for_a_vip_is_punted(void **state)
{
	struct rig *r = *state;
	struct frame f;
	struct dp_punt p;
	uint8_t group[16];

	wire_ip6_solicited_node(lan_vip6, group);
	f = frame_icmp6(solicited_mac(lan_vip6), wire_ip6_unspecified, group, WIRE_ICMP6_NS, 24);
	memcpy(f.b + UPPER_AT + 8, lan_vip6, 16);
	frame_sum6(&f);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.group, LAN_VHID1);
	rte_pktmbuf_free(p.m);
}

/* Who asks for routers, and who says to be one, is for control to judge. */
static void
router_discovery_is_punted(void **state)
{
	static const uint8_t all_routers[16] = {0xff, 0x02, [15] = 2};
	static const uint8_t routers_mac[6] = {0x33, 0x33, 0, 0, 0, 2};
	static const uint8_t nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct rig *r = *state;
	struct frame f[] = {
		frame_icmp6(routers_mac, client_ll6, all_routers, WIRE_ICMP6_RS, 8),
		frame_icmp6(routers_mac, wire_ip6_unspecified, all_routers, WIRE_ICMP6_RS, 8),
		frame_icmp6(nodes_mac, client_ll6, wire_ip6_all_nodes, WIRE_ICMP6_RA, 16),
		frame_icmp6(lan_mac, client_ll6, own_ll6, WIRE_ICMP6_RS, 8),
	};
	struct dp_punt p;

	for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
		rig_take(r, LAN, &f[i]);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_IF_ARP);
		assert_int_equal(p.if_index, LAN);
		rte_pktmbuf_free(p.m);
	}
}

static void
membership_queries_are_punted(void **state)
{
	struct rig *r = *state;
	struct frame v1 =
		frame_ip4((const uint8_t[6]){1, 0, 0x5e, 0, 0, 1}, CLIENT, IP(224, 0, 0, 1), 2, 8);
	struct frame mld_unicast = frame_mld_query();
	struct frame frames[] = {
		frame_igmp_query(CLIENT, IP(224, 0, 0, 1)),
		frame_igmp_query(0, IP(224, 0, 0, 1)),
		frame_igmp_query(CLIENT, WIRE_CARP_GROUP_IP4),
		v1,
		frame_mld_query(),
		mld_unicast,
	};
	struct dp_punt p;

	/* Without router alert or maximum response time. */
	memset(frames[3].b + IP_AT + WIRE_IP4_LEN, 0, 8);
	frames[3].b[IP_AT + WIRE_IP4_LEN] = 0x11;
	frames[3].b[IP_AT + 8] = 1;
	frame_sum(&frames[3]);
	memcpy(frames[5].b, lan_mac, 6);
	memcpy(frames[5].b + IP_AT + 24, lan_own6, 16);
	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		frame_pad(&frames[i], 60);
		if (i % 2 != 0)
			rig_rx_segments(r, LAN, &frames[i], 30, 9);
		else
			rig_rx(r, LAN, &frames[i]);
		rig_turn(r);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_IF_ARP);
		assert_int_equal(p.group, DP_NONE);
		assert_int_equal(p.if_index, LAN);
		assert_memory_equal(rte_pktmbuf_mtod(p.m, void *), frames[i].b, frames[i].len);
		rte_pktmbuf_free(p.m);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

static void
other_igmp_is_not_punted(void **state)
{
	struct rig *r = *state;
	const uint32_t igmp_at = IP_AT + WIRE_IP4_LEN + 4;
	struct frame f[6];
	struct dp_punt p;

	for (unsigned int i = 0; i < 6; i++)
		f[i] = frame_igmp_query(CLIENT, IP(224, 0, 0, 1));
	f[0].b[igmp_at] = 0x22; /* a report */
	f[1].b[IP_AT + 8] = 2;
	base_store_be32(f[2].b + IP_AT + 16, IP(224, 0, 0, 22));
	base_store_be16(f[3].b + IP_AT + 6, WIRE_IP4_MF);
	base_store_be16(f[4].b + IP_AT + 2, WIRE_IP4_LEN + 4 + 7);
	base_store_be32(f[5].b + IP_AT + 16, IP(224, 0, 0, 5));
	for (unsigned int i = 0; i < 6; i++) {
		frame_sum(&f[i]);
		rig_take(r, LAN, &f[i]);
		assert_int_equal(rig_drops(r, DP_DROP_MULTICAST), i + 1);
	}
	assert_int_equal(rig_drops_all(r), 6);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
}

/* In BACKUP nothing is answered here; control, which knows the state, gets the solicitation. */
static void
conformance_42_ip6_solicitation_and_echo_in_backup(void **state)
{
	struct rig *r = *state;
	struct frame ns = frame_nd(solicited_mac(lan_vip6), WIRE_ICMP6_NS, NULL, lan_vip6);
	struct frame echo = frame_echo6(lan_mac, client6, lan_vip6, 16);
	struct dp_punt p;

	for (unsigned int i = 0; i < 3; i++) {
		if (i == 0)
			rig_backup(r, LAN_VHID1);
		else if (i == 1)
			rig_handing_over(r, LAN_VHID1);
		else
			rig_master(r, LAN_VHID1);
		rig_take(r, LAN, &ns);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_GROUP_ARP);
		assert_int_equal(p.group, LAN_VHID1);
		rte_pktmbuf_free(p.m);
		rig_assert_silent(r);
		rig_take(r, LAN, &echo);
		assert_int_equal(rig_tx_count(r, LAN), i == 2 ? 1 : 0);
	}
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 2);
	assert_int_equal(rig_drops_all(r), 2);
}

static void
conformance_44_ip6_frame_to_the_vmac_in_backup(void **state)
{
	struct rig *r = *state;
	struct frame frames[] = {
		frame_echo6(vmac1, client6, lan_vip6, 16),
		frame_echo6(vmac1, client6, lan_own6, 16),
		frame_echo6(vmac1, client6, server6, 16),
		frame_nd(vmac1, WIRE_ICMP6_NS, lan_vip6, lan_vip6),
		frame_carp6(vmac1, client6, lan_own6, 1),
	};
	struct dp_punt p;

	rig_backup(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		rig_take(r, LAN, &frames[i]);
		assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), i + 1);
	}
	assert_int_equal(rig_drops_all(r), sizeof(frames) / sizeof(frames[0]));
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
	rig_assert_silent(r);
}

static void
assert_reply(const struct frame *req, struct rte_mbuf *m, const uint8_t *src_mac, uint16_t payload)
{
	struct frame f;
	struct wire_ip6 ip;
	const uint8_t *icmp = f.b + UPPER_AT;

	assert_non_null(m);
	f = frame_of(m);
	assert_int_equal(f.len, UPPER_AT + WIRE_ICMP6_LEN + payload);
	assert_memory_equal(f.b, req->b + 6, 6);
	assert_memory_equal(f.b + 6, src_mac, 6);
	assert_int_equal(base_load_be16(f.b + 12), WIRE_ETHERTYPE_IP6);
	assert_int_equal(wire_ip6_decode(f.b + IP_AT, f.len - IP_AT, &ip), WIRE_IP6_OK);
	assert_int_equal(ip.payload_len, WIRE_ICMP6_LEN + payload);
	assert_int_equal(ip.next, WIRE_PROTO_ICMP6);
	assert_int_equal(ip.hop_limit, 64);
	assert_int_equal(ip.tclass, 0xb8);
	assert_int_equal(ip.flow, 0);
	assert_memory_equal(ip.src, req->b + IP_AT + 24, 16);
	assert_memory_equal(ip.dst, req->b + IP_AT + 8, 16);
	assert_int_equal(icmp[0], WIRE_ICMP6_ECHO_REPLY);
	assert_int_equal(icmp[1], 0);
	assert_true(wire_icmp6_sum_ok(icmp, f.len - UPPER_AT, ip.src, ip.dst));
	assert_memory_equal(icmp + 4, req->b + UPPER_AT + 4, (size_t)(4 + payload));
}

static void
an_echo_is_answered(void **state)
{
	struct rig *r = *state;
	const struct {
		const uint8_t *mac, *src, *dst, *reply_mac;
	} cases[] = {
		{lan_mac, client6, lan_own6, lan_mac},
		{lan_mac, client_ll6, own_ll6, lan_mac},
		{vmac1, client6, lan_vip6, vmac1},
		{vmac1, client_ll6, vip_ll6, vmac1},
		{lan_mac, client6, lan_vip6, vmac1},
	};
	static const uint16_t payloads[] = {0, 1, 7, 56, 57, 1400, 1452};
	unsigned int n = 0;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int k = 0; k < sizeof(payloads) / sizeof(payloads[0]); k++) {
			for (unsigned int v = 0; v < 6; v++) {
				struct frame f = frame_echo6(
					cases[i].mac, cases[i].src, cases[i].dst, payloads[k]);

				base_store_be32(f.b + IP_AT, 0x6b812345); /* class, flow label */
				f.b[UPPER_AT + 1] = v == 5 ? 3 : 0;	  /* code */
				/* Near the sums that wrap. */
				base_store_be16(f.b + UPPER_AT + 4, (uint16_t)(0xfffe + v + n));
				frame_sum6(&f);
				if (v % 3 == 1)
					frame_pad(&f, f.len + 9);
				if (v % 2 != 0)
					rig_rx_segments(r, LAN, &f, (uint16_t)(1 + 13 * v), 701);
				else
					rig_rx(r, LAN, &f);
				rig_turn(r);
				assert_reply(&f, rig_tx(r, LAN), cases[i].reply_mac, payloads[k]);
				n++;
			}
		}
	}
	assert_int_equal(rig_stats(r).echo_replies, n);
	assert_int_equal(rig_stats(r).tx_frames, n);
	assert_int_equal(rig_stats(r).forwarded, 0);
	assert_int_equal(rig_drops_all(r), 0);
	rig_assert_silent(r);
}

/* A worker without a transmit queue hands its reply over. */
static void
an_echo_is_answered_by_whichever_worker(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_echo6(lan_mac, client6, lan_own6, 56);

	rig_configure(r, &(struct rig_options){.n_workers = 2, .n_txq = 1});
	base_store_be32(f.b + IP_AT, 0x6b800000);
	rig_rx_queue(r, LAN, 1, &f);
	rig_turn(r);
	rig_turn(r);
	assert_reply(&f, rig_tx(r, LAN), lan_mac, 56);
	assert_int_equal(rig_stats(r).handed_over, 1);
}

/* Every VIP of groups with as many as there can be is found, and its neighbours are not. */
static void
every_vip_is_found(void **state)
{
	enum { GROUPS = 3, VIPS = 255 };
	struct rig *r = *state;
	static uint8_t vips[GROUPS][VIPS][16];
	const struct dp_queue q = {r->port_id[LAN], 2, 256};
	const struct dp_worker_config w = {1, &q, SOCKET_ID_ANY};
	const struct dp_port_config port = {r->port_id[LAN], 1, false, false, false};
	const struct dp_if_config lan = {
		.port_id = r->port_id[LAN], .mtu = 1500, .n_ip6 = 1, .ip6 = &vips[0][9]};
	struct dp_group_config groups[GROUPS];
	struct dp_config c = {
		.n_workers = 1,
		.n_ports = 1,
		.n_ifs = 1,
		.n_groups = GROUPS,
		.workers = &w,
		.ports = &port,
		.ifs = &lan,
		.groups = groups,
		.pool = r->pool,
	};
	struct dp_if_config bad_if = lan;
	struct dp *dp;

	for (uint16_t g = 0; g < GROUPS; g++) {
		groups[g] = (struct dp_group_config){
			.vhid = (uint8_t)(g + 1), .n_ip6 = VIPS, .ip6 = vips[g]};
		for (unsigned int i = 0; i < VIPS; i++) {
			memcpy(vips[g][i], lan_own6, 16);
			/* Even numbers, in an order that is not the sorted one. */
			vips[g][i][(i + g) % 2 ? 6 : 14] = (uint8_t)(2 * (i * 37 % 127) + 2);
			vips[g][i][15] = (uint8_t)(2 * g + (i > 127 ? 0x80 : 0));
		}
	}
	memcpy(vips[2][0], vips[1][3], 16); /* of two groups */
	dp = dp_create(&c);
	assert_non_null(dp);
	for (uint16_t g = 0; g < GROUPS; g++) {
		for (unsigned int i = 0; i < VIPS; i++) {
			for (unsigned int other = 0; other < 2; other++) {
				struct frame f;
				struct dp_punt p;
				uint8_t target[16];

				memcpy(target, vips[g][i], 16);
				target[15] |= (uint8_t)other;
				f = frame_nd(all_nodes_mac, WIRE_ICMP6_NA, NULL, target);
				rig_rx_queue(r, LAN, 2, &f);
				assert_int_equal(dp_worker_turn(dp, 0, 1), 1);
				assert_int_equal(dp_poll_punts(dp, &p, 1, 1), 1);
				if (other)
					assert_int_equal(p.group, DP_NONE);
				else
					assert_int_equal(p.group, g == 2 && i == 0 ? 1 : g);
				rte_pktmbuf_free(p.m);
			}
		}
	}
	dp_destroy(dp);

	groups[1].ip6 = NULL;
	assert_null(dp_create(&c));
	groups[1].n_ip6 = 0;
	dp = dp_create(&c);
	assert_non_null(dp);
	dp_destroy(dp);
	bad_if.ip6 = NULL;
	c.ifs = &bad_if;
	assert_null(dp_create(&c));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(adverts_find_their_ring),
		T(neighbour_discovery_finds_its_ring),
		T(a_probe_for_a_vip_is_punted),
		T(router_discovery_is_punted),
		T(membership_queries_are_punted),
		T(other_igmp_is_not_punted),
		T(conformance_42_ip6_solicitation_and_echo_in_backup),
		T(conformance_44_ip6_frame_to_the_vmac_in_backup),
		T(an_echo_is_answered),
		T(an_echo_is_answered_by_whichever_worker),
		T(every_vip_is_found),
	};

	return cmocka_run_group_tests_name("dp_ip6", tests, rig_group_setup, rig_group_teardown);
}
