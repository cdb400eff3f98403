/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbour discovery: what is told to the neighbour table, and what it asks for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"
#include "wire6.h"

/* Whoever asks for an address of ours is told to the neighbour table, a VIP of which we are BACKUP
 * included, and no others: a solicitation for somebody else is none to us (RFC 4861 7.2.3). */
static void
askers_are_learnt(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint8_t frame[WIRE_ND_FRAME_MAX];

	(void)state;
	for (int master = 0; master < 2; master++) {
		if (master)
			rig_to_master(&r);
		fake.n_told = 0;
		rig_solicit(DP_PUNT_GROUP_ARP, rig_vip6);
		rig_turn(&r);
		rig_solicit(DP_PUNT_IF_ARP, rig_own6);
		rig_turn(&r);
		rig_solicit(DP_PUNT_IF_ARP, rig_host6); /* of somebody else: no reason to know it */
		rig_turn(&r);
		assert_int_equal(fake.n_told, 2);
		for (unsigned int i = 0; i < fake.n_told; i++) {
			assert_true(fake.told[i].asker);
			assert_memory_equal(fake.told[i].addr.bytes, rig_host6, 16);
			assert_memory_equal(fake.told[i].mac, rig_asker_mac, 6);
		}
	}
	/* A probe for duplicates, a claim of our address, and MACs of our own tell nothing. */
	fake.n_told = 0;
	{
		struct wire_nd nd = {.type = WIRE_ICMP6_NS};
		struct wire_nd_envelope env = {0};

		memcpy(nd.target, rig_own6, 16);
		wire_ip6_solicited_node(rig_own6, env.ip_dst);
		rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame,
			(uint16_t)wire_nd_frame_encode(&env, &nd, frame));
		rig_turn(&r);
	}
	wire_ns_frame_encode(rig_asker_mac, rig_vip6, rig_own6, NULL, frame);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, WIRE_ND_FRAME_LEN);
	rig_turn(&r);
	wire_ns_frame_encode(rig_vmac, rig_host6, rig_own6, NULL, frame);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, WIRE_ND_FRAME_LEN);
	rig_turn(&r);
	wire_ns_frame_encode(rig_if_mac, rig_host6, rig_own6, NULL, frame);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, WIRE_ND_FRAME_LEN);
	rig_turn(&r);
	assert_int_equal(fake.n_told, 0);
	rig_free(&r);
}

/* Flags and MAC reach the table as they are; what others say of our addresses does not. */
static void
advertisements_are_told(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_nd_envelope env = {0};
	uint8_t frame[WIRE_ND_FRAME_MAX];

	(void)state;
	memcpy(env.ip_src, rig_host6, 16);
	memcpy(env.ip_dst, rig_own6, 16);
	for (unsigned int i = 0; i < 8; i++) {
		struct wire_nd nd = {.type = WIRE_ICMP6_NA,
			.solicited = (i & 1) != 0,
			.override = (i & 2) != 0,
			.has_lladdr = (i & 4) != 0};

		memcpy(nd.target, rig_host6, 16);
		memcpy(nd.lladdr, rig_asker_mac, 6);
		fake.n_told = 0;
		rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame,
			(uint16_t)wire_nd_frame_encode(&env, &nd, frame));
		rig_turn(&r);
		assert_int_equal(fake.n_told, 1);
		assert_false(fake.told[0].asker);
		assert_int_equal(fake.told[0].solicited, (i & 1) != 0);
		assert_int_equal(fake.told[0].override, (i & 2) != 0);
		assert_int_equal(fake.told[0].has_mac, (i & 4) != 0);
		assert_memory_equal(fake.told[0].addr.bytes, rig_host6, 16);
	}
	for (unsigned int i = 0; i < 2; i++) {
		fake.n_told = 0;
		wire_na_announce_frame_encode(
			rig_asker_mac, rig_host6, i ? rig_own6 : rig_vip6, true, frame);
		rig_punt(i ? DP_PUNT_IF_ARP : DP_PUNT_GROUP_ARP, i ? DP_NONE : 0, frame,
			WIRE_ND_FRAME_LEN);
		rig_turn(&r);
		assert_int_equal(fake.n_told, 0);
	}
	rig_free(&r);
}

/* In the interface's own name in every state, to all who might be it. */
static void
resolver_solicits(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint8_t group[16], group_mac[6], link_local[16];
	struct wire_ip6 ip;

	(void)state;
	wire_ip6_solicited_node(rig_host6, group);
	wire_ip6_group_mac(group, group_mac);
	wire_ip6_link_local(rig_if_mac, link_local);
	rig_run(&r, RIG_START + 2 * BASE_NS_PER_S); /* the reports of the start are over */
	for (int master = 0; master < 2; master++) {
		if (master)
			rig_to_master(&r);
		rig_turn(&r);
		fake.n_frames = 0;
		fake.punt[fake.n_punts++] = (struct dp_punt){.m = dp_ctl_alloc(NULL),
			.cls = DP_PUNT_RESOLVE,
			.group = DP_NONE,
			.next_hop = base_addr_from_ip6(rig_host6)};
		rig_turn(&r);
		assert_int_equal(sent_ip6s(), 1);
		const struct fake_frame *f = sent_ip6(0);
		struct wire_nd nd = rig_nd(f, &ip);

		assert_int_equal(nd.type, WIRE_ICMP6_NS);
		assert_memory_equal(nd.target, rig_host6, 16);
		assert_memory_equal(nd.lladdr, rig_if_mac, 6);
		assert_memory_equal(f->bytes, group_mac, 6);
		assert_memory_equal(f->bytes + 6, rig_if_mac, 6);
		assert_memory_equal(ip.src, link_local, 16);
		assert_memory_equal(ip.dst, group, 16);
	}
	rig_free(&r);
}

/* A unicast peer of IPv6 is a neighbour like any other. */
static void
conformance_62_unicast_peer6(void **state)
{
	static const char json[] =
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":["
		"\"2001:db8:1::2/64\"]}],\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\","
		"\"vhid\":1,\"pass\":\"lanpasswd\",\"peer6\":\"2001:db8:1::64\",\"addresses\":["
		"\"2001:db8:1::1/64\"]}]}}";
	struct rig r = rig_make(json);
	struct ctl_box_view box;
	struct wire_ip6 ip;

	(void)state;
	rig_to_master(&r);
	/* Asked for, and no send error. */
	fake.n_frames = 0;
	rig_run(&r, fake.now + 3 * BASE_NS_PER_S);
	assert_true(sent_ip6s() > 0);
	for (uint32_t i = 0; i < sent_ip6s(); i++)
		assert_int_not_equal(sent_ip6(i)->bytes[WIRE_ETH_LEN + 6], WIRE_PROTO_CARP);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 0);
	fake.nbr_known = true;
	fake.n_frames = 0;
	rig_run(&r, fake.now + 3 * BASE_NS_PER_S / 2);
	const struct fake_frame *f = sent_ip6(0);

	assert_non_null(f);
	assert_int_equal(
		wire_ip6_decode(f->bytes + WIRE_ETH_LEN, f->len - (size_t)WIRE_ETH_LEN, &ip),
		WIRE_IP6_OK);
	assert_int_equal(ip.next, WIRE_PROTO_CARP);
	assert_memory_equal(ip.dst, rig_host6, 16);
	assert_memory_equal(f->bytes, rig_asker_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_if_mac, 6);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(askers_are_learnt),
		cmocka_unit_test(advertisements_are_told),
		cmocka_unit_test(resolver_solicits),
		cmocka_unit_test(conformance_62_unicast_peer6),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
