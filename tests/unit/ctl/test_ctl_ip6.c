/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* IPv6: adverts, neighbour discovery, membership; and what both families share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"
#include "wire6.h"
#include "wire_group.h"

/* Two groups share a VIP. */
static const char shared[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":[\"192.0.2.2/24\"]}],"
	"\"carp\":{\"arpbalance\":true,\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,"
	"\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]},{\"name\":\"carp1\",\"carpdev\":\"em0\","
	"\"vhid\":2,\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]}]}}";

/* 46: take-over with an IPv6 VIP: NA to ff02::1, Override, Solicited clear. */
static void
conformance_46_takeover_announces_by_na(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_carp carp;
	struct wire_ip6 ip;

	(void)state;
	/* the reports of the start are over */
	rig_run(&r, RIG_START + 2 * BASE_NS_PER_S);
	fake.n_frames = 0;
	rig_to_master(&r);
	/* advert IPv4, advert IPv6, gratuitous ARP, NA; nothing before the adverts */
	assert_int_equal(sent_adverts(), 1);
	assert_int_equal(sent_arps(), 1);
	assert_ptr_equal(sent_advert(0, &carp), &fake.frame[0]);
	const struct fake_frame *advert6 = &fake.frame[1];

	assert_memory_equal(advert6->bytes, wire_carp_mac6, 6);
	assert_memory_equal(advert6->bytes + 6, rig_vmac, 6);
	assert_int_equal(advert6->len, WIRE_CARP6_FRAME_LEN);
	const struct fake_frame *na = sent_ip6(1);
	struct wire_nd nd = rig_nd(na, &ip);

	assert_int_equal(nd.type, WIRE_ICMP6_NA);
	assert_true(nd.override);
	assert_false(nd.solicited);
	assert_true(nd.router);
	assert_memory_equal(nd.target, rig_vip6, 16);
	assert_memory_equal(nd.lladdr, rig_vmac, 6);
	assert_memory_equal(na->bytes + 6, rig_vmac, 6);
	assert_memory_equal(ip.dst, wire_ip6_all_nodes, 16);
	rig_free(&r);
}

/* Both families' adverts carry counters of their own and the same digest for the same counter. */
static void
each_family_has_its_own_counter(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_carp four, six;
	struct ctl_group_view v;

	(void)state;
	rig_to_master(&r);
	sent_advert(0, &four);
	assert_true(wire_carp_decode(
		fake.frame[1].bytes + WIRE_ETH_LEN + WIRE_IP6_LEN, WIRE_CARP_LEN, &six));
	assert_true(four.counter != six.counter);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_OPACKETS], 1);
	assert_int_equal(v.stats[CTL_STAT_OPACKETS6], 1);
	rig_free(&r);
}

/* 45: MASTER, multicast NS for an IPv6 VIP: NA Solicited+Override, target option vMAC. */
static void
conformance_45_master_answers_ns_with_vmac(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_ip6 ip;

	(void)state;
	rig_to_master(&r);
	rig_solicit(DP_PUNT_GROUP_ARP, rig_vip6);
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 1);
	const struct fake_frame *f = sent_ip6(0);
	struct wire_nd nd = rig_nd(f, &ip);

	assert_int_equal(nd.type, WIRE_ICMP6_NA);
	assert_true(nd.solicited && nd.override);
	assert_memory_equal(nd.lladdr, rig_vmac, 6);
	assert_memory_equal(f->bytes, rig_asker_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_vmac, 6);
	assert_memory_equal(ip.dst, rig_host6, 16);
	rig_free(&r);
}

/* 42 for IPv6: BACKUP does not answer; for its own address it does. */
static void
conformance_42_backup_does_not_answer_ns(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_group_view v;
	struct wire_ip6 ip;

	(void)state;
	rig_solicit(DP_PUNT_GROUP_ARP, rig_vip6);
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 0);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_ND_NOT_MASTER], 1);
	rig_solicit(DP_PUNT_IF_ARP, rig_own6);
	rig_turn(&r);
	struct wire_nd nd = rig_nd(sent_ip6(0), &ip);

	assert_memory_equal(nd.lladdr, rig_if_mac, 6);
	rig_free(&r);
}

static void
malformed_nd_is_counted_and_not_answered(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint8_t frame[WIRE_ND_FRAME_LEN];
	struct ctl_group_view v;

	(void)state;
	rig_to_master(&r);
	wire_ns_frame_encode(rig_asker_mac, rig_host6, rig_vip6, NULL, frame);
	frame[WIRE_ETH_LEN + 7] = 64; /* came over a router */
	fake.n_frames = 0;
	rig_punt(DP_PUNT_GROUP_ARP, 0, frame, sizeof(frame));
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 0);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_ND_MALFORMED], 1);
	rig_free(&r);
}

/* Options of others (SEND's signatures, say) are skipped, up to what an Ethernet frame holds. */
static void
long_nd_is_answered_or_counted(void **state)
{
	static const uint16_t more[] = {512, 1424, 1432, 1600}; /* of one option each */
	struct rig r = rig_make(rig_dual);
	uint8_t frame[WIRE_ND_FRAME_LEN + 1600];
	struct ctl_group_view v;
	struct wire_icmp6 icmp;
	struct wire_ip6 ip;

	(void)state;
	rig_to_master(&r);
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t *p = frame + WIRE_ETH_LEN + WIRE_IP6_LEN;

		memset(frame, 0, sizeof(frame));
		wire_ns_frame_encode(rig_asker_mac, rig_host6, rig_vip6, NULL, frame);
		frame[WIRE_ND_FRAME_LEN] = 253;
		frame[WIRE_ND_FRAME_LEN + 1] = (uint8_t)(more[i] / 8);
		assert_int_equal(
			wire_ip6_decode(frame + WIRE_ETH_LEN, sizeof(frame) - WIRE_ETH_LEN, &ip),
			WIRE_IP6_OK);
		ip.payload_len = (uint16_t)(ip.payload_len + more[i]);
		wire_ip6_encode(&ip, frame + WIRE_ETH_LEN);
		icmp = (struct wire_icmp6){.type = WIRE_ICMP6_NS};
		wire_icmp6_encode(&icmp, ip.src, ip.dst, p + WIRE_ICMP6_LEN,
			(size_t)ip.payload_len - WIRE_ICMP6_LEN, p);
		fake.n_frames = 0;
		rig_punt(DP_PUNT_GROUP_ARP, 0, frame, (uint16_t)(WIRE_ND_FRAME_LEN + more[i]));
		rig_turn(&r);
		assert_int_equal(sent_ip6s(), i < 2);
		ctl_group_view(r.ctl, 0, &v);
		assert_int_equal(v.stats[CTL_STAT_ND_MALFORMED], i < 2 ? 0 : i - 1);
	}
	rig_free(&r);
}

/* An advert of a peer over IPv6, from a source that is known. */
static void
advert6(const char *pass, uint8_t advskew, uint64_t counter)
{
	static const uint8_t peer_ll[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
	uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP6_FRAME_LEN];
	struct base_addr vips[2] = {base_addr_from_ip4(RIG_VIP), {.family = BASE_FAMILY_IP6}};
	struct wire_carp carp = {.version = 2,
		.type = 1,
		.vhid = 1,
		.advskew = advskew,
		.authlen = 7,
		.advbase = 1,
		.counter = counter};
	struct wire_carp6_envelope env = {0};

	memcpy(vips[1].bytes, rig_vip6, 16);
	memcpy(env.eth_dst, wire_carp_mac6, 6);
	memcpy(env.ip_src, peer_ll, 16);
	memcpy(env.ip_dst, wire_carp_group_ip6, 16);
	assert_int_equal(auth_key_from_pass(pass, key), 0);
	struct auth_group *g = auth_group_create(key, 1, vips, 2);

	assert_int_equal(auth_group_sign(g, carp.counter, carp.digest), 0);
	auth_group_destroy(g);
	wire_carp6_frame_encode(&env, &carp, frame);
	fake.advert[fake.n_adverts++] = (struct dp_punt){
		.m = rig_mbuf(frame, sizeof(frame)), .group = 0, .known_source = true};
}

static void
advert_over_ipv6_reaches_the_election(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_group_view v;

	(void)state;
	rig_to_master(&r);
	advert6("lanpasswd", 0, 77);
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_IPACKETS6], 1);
	assert_int_equal(v.info.master.family, BASE_FAMILY_IP6);
	assert_int_equal(fake.n_known, 1);
	rig_free(&r);
}

/* A switch that snoops hears of our groups: at the start twice, and when it asks, in BACKUP too. */
static void
membership_is_told_and_told_again_when_asked(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_box_view box;

	(void)state;
	rig_run(&r, RIG_START + 2 * BASE_NS_PER_S);
	ctl_box_view(r.ctl, &box);
	/* 224.0.0.18, ff02::12, and the solicited-node groups of VIP, own and link-local, twice */
	assert_int_equal(box.stats[CTL_STAT_MEMBERSHIP] % 2, 0);
	uint64_t before = box.stats[CTL_STAT_MEMBERSHIP];

	assert_in_range(before, 2 * 4, 2 * 5);
	/* IGMPv2 general query, 100 ms at most */
	uint8_t query[WIRE_ETH_LEN + WIRE_IP4_LEN + 8] = {
		0x01, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0};
	struct wire_ip4 ip = {.total_len = WIRE_IP4_LEN + 8,
		.ttl = 1,
		.proto = 2,
		.src = RIG_ASKER,
		.dst = 0xe0000001};

	wire_ip4_encode(&ip, query + WIRE_ETH_LEN);
	query[WIRE_ETH_LEN + WIRE_IP4_LEN] = 0x11;
	query[WIRE_ETH_LEN + WIRE_IP4_LEN + 1] = 1;
	uint16_t sum = wire_sum_fold(wire_sum(query + WIRE_ETH_LEN + WIRE_IP4_LEN, 8, 0));

	query[WIRE_ETH_LEN + WIRE_IP4_LEN + 2] = (uint8_t)(sum >> 8);
	query[WIRE_ETH_LEN + WIRE_IP4_LEN + 3] = (uint8_t)sum;
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, query, sizeof(query));
	rig_run(&r, fake.now + 200 * BASE_NS_PER_MS);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.stats[CTL_STAT_MEMBERSHIP], before + 1);
	rig_free(&r);
}

/* 62: unicast peer: adverts go to the peer's MAC from the interface's, no group join. */
static void
conformance_62_unicast_peer(void **state)
{
	static const char json[] =
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":[\"192.0.2.2/24\"]}],"
		"\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\","
		"\"peer\":\"192.0.2.3\",\"addresses\":[\"192.0.2.1/24\"]}]}}";
	struct rig r = rig_make(json);
	struct wire_carp carp;
	struct ctl_box_view box;
	struct wire_ip4 ip;

	(void)state;
	/* it is asked for before there is anything to send it: the first advert is not lost */
	for (unsigned int up = 0; up < 2; up++) {
		fake.has_port_event = true;
		fake.port_link_up = up;
		rig_turn(&r);
	}
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(sent_arps(), 1);
	fake.nbr_known = true;
	rig_to_master(&r);
	const struct fake_frame *f = sent_advert(0, &carp);

	assert_non_null(f);
	assert_memory_equal(f->bytes, rig_asker_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_if_mac, 6);
	assert_int_equal(
		wire_ip4_decode(f->bytes + WIRE_ETH_LEN, f->len - (size_t)WIRE_ETH_LEN, &ip),
		WIRE_IP4_OK);
	assert_int_equal(ip.dst, RIG_PEER);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.stats[CTL_STAT_MEMBERSHIP], 0);
	/* a peer whose MAC is not known is asked for, and is no send error */
	fake.nbr_known = false;
	fake.n_frames = 0;
	rig_run(&r, fake.now + 5 * BASE_NS_PER_S);
	assert_int_equal(sent_adverts(), 0);
	assert_true(sent_arps() > 0);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 0);
	rig_free(&r);
}

/* 63: arpbalance, two vhids, both MASTER on one node: exactly one reply per asker. */
static void
conformance_63_one_reply_per_asker(void **state)
{
	struct rig r = rig_make(shared);
	uint32_t by_vhid[3] = {0};
	struct wire_arp reply;

	(void)state;
	rig_to_master(&r);
	for (uint8_t i = 0; i < 64; i++) {
		uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, i};

		rig_ask(&r, RIG_ASKER, mac);
		assert_int_equal(sent_arps(), 1);
		const struct fake_frame *f = sent_arp(0, &reply);

		assert_memory_equal(f->bytes + 6, reply.sender_mac, 6);
		assert_in_range(reply.sender_mac[5], 1, 2);
		by_vhid[reply.sender_mac[5]]++;
	}
	assert_true(by_vhid[1] > 10 && by_vhid[2] > 10);
	/* the vectors: with this key the index of 2 is 0 */
	static const uint8_t vector[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

	rig_ask(&r, RIG_ASKER, vector);
	sent_arp(0, &reply);
	assert_int_equal(reply.sender_mac[5], 1);
	rig_free(&r);
}

/*
 * A gratuitous ARP would move every neighbour to the vMAC of the group that announced last. So the
 * switches hear of a take-over from each vMAC, the neighbours keep the group that they were told.
 */
static void
shared_vips_are_announced_to_switches_only(void **state)
{
	struct rig r = rig_make(shared);
	const struct fake_frame *f;
	bool from[3] = {false};
	struct wire_arp arp;

	(void)state;
	rig_to_master(&r);
	rig_run(&r, fake.now + 5 * BASE_NS_PER_S);
	assert_true(sent_arps() >= 4); /* after the first and the third advert of both */
	for (uint32_t i = 0; (f = sent_arp(i, &arp)) != NULL; i++) {
		uint8_t vhid = arp.sender_mac[5];

		assert_int_equal(arp.op, WIRE_ARP_REQUEST);
		assert_int_equal(arp.sender_ip, 0);
		assert_int_equal(arp.target_ip, RIG_VIP);
		assert_memory_equal(f->bytes, wire_broadcast_mac, 6);
		assert_memory_equal(f->bytes + 6, arp.sender_mac, 6);
		assert_in_range(vhid, 1, 2);
		from[vhid] = true;
	}
	assert_true(from[1] && from[2]);
	rig_free(&r);
}

/* A replay with another priority is refused once its source is known to change counters. */
static void
replay_with_changed_priority_is_refused(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_group_view v;

	(void)state;
	for (uint64_t i = 0; i < 6; i++) {
		advert6("lanpasswd", 50, 1000 + i * 7919);
		rig_turn(&r);
		fake.now += BASE_NS_PER_S;
	}
	/* the first one again, now as a bow-out would be: lower priority, to make us take over */
	advert6("lanpasswd", 254, 1000);
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_REPLAY], 1);
	assert_int_equal(v.info.heard.advskew, 50);
	rig_free(&r);
}

static void
unknown_sources_are_policed_known_ones_are_not(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_group_view v;

	(void)state;
	for (unsigned int i = 0; i < 30; i++) {
		for (unsigned int n = 0; n < 50; n++) {
			rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER + n, 1, 0, 0);
			fake.advert[fake.n_adverts - 1].group = 0;
		}
		rig_turn(&r);
	}
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_POLICED], 500);
	assert_int_equal(v.stats[CTL_STAT_BADAUTH], 1000);
	advert6("lanpasswd", 50, 5);
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.info.heard.advskew, 50);
	rig_free(&r);
}

/* Whoever floods from one address spends his own share, not that of a peer that has just come. */
static void
one_unknown_source_leaves_room_for_others(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_group_view v;

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int n = 0; n < 50; n++) {
			rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
			fake.advert[fake.n_adverts - 1].group = 0;
		}
		rig_turn(&r);
	}
	ctl_group_view(r.ctl, 0, &v);
	assert_in_range(v.stats[CTL_STAT_BADAUTH], 50, 200);
	assert_int_equal(v.stats[CTL_STAT_BADAUTH] + v.stats[CTL_STAT_POLICED], 2000);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER + 1, 1, 50, 0);
	fake.advert[fake.n_adverts - 1].group = 0;
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.info.heard.advskew, 50);
	/* and a second later it has earned a share again */
	rig_run(&r, fake.now + BASE_NS_PER_S);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 60, 0);
	fake.advert[fake.n_adverts - 1].group = 0;
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.info.heard.advskew, 60);
	rig_free(&r);
}

static void
failed_filters_take_the_interface_out(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct ctl_event ev[64];
	uint64_t last, before;

	(void)state;
	rig_to_master(&r);
	ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &before);
	fake.filter_event = true;
	fake.filter_ok = false;
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_true(ctl_events(r.ctl, ELECTION_NONE, before, ev, 64, &last) > 0);
	assert_int_equal(ev[0].kind, CTL_EVENT_FILTER);
	assert_string_equal(ev[0].text, "the driver says so");
	fake.filter_event = true;
	fake.filter_ok = true;
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

/* Sharing needs it: it cannot be turned off then. */
static void
arpbalance_stays_while_groups_share(void **state)
{
	struct rig r = rig_make(shared);
	struct ctl_request req = {.type = CTL_REQ_ARPBALANCE, .value = 0};
	char note[160];

	(void)state;
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), -EINVAL);
	assert_string_equal(note, "carp0 and carp1 share a VIP, which needs arpbalance");
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_42_backup_does_not_answer_ns),
		cmocka_unit_test(conformance_45_master_answers_ns_with_vmac),
		cmocka_unit_test(conformance_46_takeover_announces_by_na),
		cmocka_unit_test(conformance_62_unicast_peer),
		cmocka_unit_test(conformance_63_one_reply_per_asker),
		cmocka_unit_test(arpbalance_stays_while_groups_share),
		cmocka_unit_test(shared_vips_are_announced_to_switches_only),
		cmocka_unit_test(each_family_has_its_own_counter),
		cmocka_unit_test(malformed_nd_is_counted_and_not_answered),
		cmocka_unit_test(long_nd_is_answered_or_counted),
		cmocka_unit_test(advert_over_ipv6_reaches_the_election),
		cmocka_unit_test(membership_is_told_and_told_again_when_asked),
		cmocka_unit_test(replay_with_changed_priority_is_refused),
		cmocka_unit_test(unknown_sources_are_policed_known_ones_are_not),
		cmocka_unit_test(one_unknown_source_leaves_room_for_others),
		cmocka_unit_test(failed_filters_take_the_interface_out),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
