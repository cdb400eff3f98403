/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* ARP: who is answered, with which MAC, what is learnt, and how often is announced. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

/* 47: GARP repeated once, after the third advert. */
static void
conformance_47_announcement_repeated_after_third_advert(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	rig_to_master(&r);
	assert_int_equal(sent_arps(), 1);
	rig_run(&r, RIG_START + RIG_DOWN + 2 * BASE_NS_PER_S - 1);
	assert_int_equal(sent_adverts(), 2);
	assert_int_equal(sent_arps(), 1);
	rig_run(&r, RIG_START + RIG_DOWN + 2 * BASE_NS_PER_S);
	assert_int_equal(sent_adverts(), 3);
	assert_int_equal(sent_arps(), 2);
	rig_run(&r, RIG_START + RIG_DOWN + 6 * BASE_NS_PER_S);
	assert_int_equal(sent_arps(), 2);
	rig_free(&r);
}

/* 41: MASTER, ARP request for the VIP: one reply, Ethernet source and sender MAC = vMAC. */
static void
conformance_41_master_answers_arp_with_vmac(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_arp reply;

	(void)state;
	rig_to_master(&r);
	rig_ask(&r, RIG_ASKER, rig_asker_mac);
	assert_int_equal(sent_arps(), 1);
	const struct fake_frame *f = sent_arp(0, &reply);

	assert_memory_equal(f->bytes, rig_asker_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_vmac, 6);
	assert_int_equal(reply.op, WIRE_ARP_REPLY);
	assert_memory_equal(reply.sender_mac, rig_vmac, 6);
	assert_int_equal(reply.sender_ip, RIG_VIP);
	assert_memory_equal(reply.target_mac, rig_asker_mac, 6);
	assert_int_equal(reply.target_ip, RIG_ASKER);
	assert_int_equal(fake.n_told, 1);
	assert_int_equal(base_addr_ip4(&fake.told[0].addr), RIG_ASKER);
	assert_true(fake.told[0].asker);
	rig_free(&r);
}

/* 42: BACKUP, same: no reply. Nor while INIT. */
static void
conformance_42_backup_does_not_answer(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view v;

	(void)state;
	rig_run(&r, RIG_START + BASE_NS_PER_S);
	rig_ask(&r, RIG_ASKER, rig_asker_mac);
	assert_int_equal(fake.n_frames, 0);
	/* known all the same: it may have to be sent to at any moment */
	assert_true(fake.told[0].asker);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_ARP_NOT_MASTER], 1);
	rig_free(&r);
}

/* 43: MASTER, ARP probe (sender 0.0.0.0): reply. */
static void
conformance_43_master_answers_probe(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_to_master(&r);
	rig_ask(&r, 0, rig_asker_mac);
	assert_int_equal(sent_arps(), 1);
	/* the table refuses such an address, and it is on no subnet: nobody is made known */
	assert_int_equal(fake.n_told, 1);
	assert_false(fake.told[0].asker);
	rig_free(&r);
}

static void
own_or_vip_claims_are_never_learnt(void **state)
{
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_to_master(&r);
	/* the other master's announcement, and our own reflected */
	rig_ask(&r, RIG_VIP, rig_vmac);
	assert_int_equal(fake.n_frames, 0);
	assert_int_equal(fake.n_told, 0);
	/* somebody says to have our MAC: what goes to him would come back to us */
	rig_ask(&r, RIG_ASKER, rig_if_mac);
	assert_int_equal(fake.n_told, 0);
	/* somebody claims the VIP or our own address with a MAC of his */
	rig_ask(&r, RIG_VIP, rig_asker_mac);
	assert_int_equal(fake.n_told, 0);
	rig_ask(&r, RIG_OWN, rig_asker_mac);
	assert_int_equal(fake.n_told, 0);
	rig_free(&r);
}

/* Who asks us under an address of no subnet of ours is not made known; nor who only speaks. Words
 * to us count as answers, those to others and to all do not. */
static void
senders_are_told_by_how_they_speak(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t sender, target;
		const uint8_t *target_mac;
		bool asker, solicited;
	} cases[] = {
		{WIRE_ARP_REQUEST, RIG_ASKER, RIG_OWN, NULL, true, false},
		{WIRE_ARP_REQUEST, UINT32_C(0x0a000005), RIG_OWN, NULL, false, false},
		{WIRE_ARP_REQUEST, UINT32_C(0xc00002ff), RIG_OWN, NULL, false, false},
		{WIRE_ARP_REQUEST, UINT32_C(0xc0000200), RIG_OWN, NULL, false, false},
		{WIRE_ARP_REQUEST, RIG_ASKER, RIG_ASKER, NULL, false, false},
		{WIRE_ARP_REQUEST, RIG_ASKER, RIG_PEER, NULL, false, false},
		{WIRE_ARP_REPLY, RIG_ASKER, RIG_OWN, rig_if_mac, false, true},
		{WIRE_ARP_REPLY, RIG_ASKER, RIG_VIP, rig_vmac, false, true},
		{WIRE_ARP_REPLY, RIG_ASKER, 0, rig_if_mac, false, true},
		{WIRE_ARP_REPLY, RIG_ASKER, RIG_OWN, wire_broadcast_mac, false, false},
		{WIRE_ARP_REPLY, RIG_ASKER, RIG_PEER, rig_asker_mac, false, false},
	};
	struct rig r = rig_make(rig_pair);

	(void)state;
	rig_turn(&r);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_arp arp = {.op = cases[i].op,
			.sender_ip = cases[i].sender,
			.target_ip = cases[i].target};

		memcpy(arp.sender_mac, rig_asker_mac, 6);
		if (cases[i].target_mac != NULL)
			memcpy(arp.target_mac, cases[i].target_mac, 6);
		fake.n_told = 0;
		rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
		rig_turn(&r);
		if (fake.n_told != 1 || fake.told[0].asker != cases[i].asker ||
			fake.told[0].solicited != cases[i].solicited)
			fail_msg("case %u", i);
		if (!cases[i].asker)
			assert_true(fake.told[0].override);
	}
	rig_free(&r);
}

/* A BACKUP keeps its neighbours fresh, and asks for whom its master asks: in its own name. */
static void
backup_knows_whom_its_master_needs(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_arp arp =
				{
					.op = WIRE_ARP_REQUEST,
					.sender_ip = RIG_VIP,
					.target_ip = RIG_ASKER,
				},
			asked;

	(void)state;
	assert_true(fake.warm[0]);
	rig_turn(&r);
	/* the master with its vMAC, or with the address of its adverts */
	for (unsigned int i = 0; i < 2; i++) {
		if (i == 1) {
			rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
			rig_turn(&r);
			arp.sender_ip = RIG_PEER;
		}
		memcpy(arp.sender_mac, i == 0 ? rig_vmac : rig_asker_mac, 6);
		fake.n_frames = 0;
		rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
		rig_turn(&r);
		assert_int_equal(sent_arps(), 1);
		sent_arp(0, &asked);
		assert_int_equal(asked.op, WIRE_ARP_REQUEST);
		assert_int_equal(asked.target_ip, RIG_ASKER);
		assert_int_equal(asked.sender_ip, RIG_OWN);
		assert_memory_equal(asked.sender_mac, rig_if_mac, 6);
	}
	/* nobody else makes us ask, nor for what is on no subnet of ours */
	fake.n_frames = 0;
	arp.sender_ip = RIG_ASKER;
	rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
	arp.sender_ip = RIG_PEER;
	arp.target_ip = UINT32_C(0x0a000005);
	rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
	rig_turn(&r);
	assert_int_equal(sent_arps(), 0);

	/* a MASTER asks for whom its packets go to, and for no others */
	rig_to_master(&r);
	assert_false(fake.warm[0]);
	fake.n_frames = 0;
	arp.target_ip = RIG_ASKER;
	rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
	rig_turn(&r);
	assert_int_equal(sent_arps(), 0);
	rig_free(&r);
}

static void
own_address_is_answered_in_every_state(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST,
				.sender_ip = RIG_ASKER,
				.target_ip = RIG_OWN},
			reply;

	(void)state;
	memcpy(arp.sender_mac, rig_asker_mac, 6);
	rig_turn(&r);
	rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &arp);
	rig_turn(&r);
	assert_int_equal(sent_arps(), 1);
	sent_arp(0, &reply);
	assert_memory_equal(reply.sender_mac, rig_if_mac, 6);
	assert_int_equal(reply.sender_ip, RIG_OWN);
	rig_free(&r);
}

/* Without an own address: BACKUP asks as 0.0.0.0, MASTER as VIP with the vMAC. */
static void
resolver_asks_in_an_allowed_name(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct wire_arp arp;

	(void)state;
	rig_turn(&r);
	for (int master = 0; master < 2; master++) {
		if (master)
			rig_to_master(&r);
		fake.n_frames = 0;
		fake.punt[fake.n_punts++] = (struct dp_punt){.m = dp_ctl_alloc(NULL),
			.cls = DP_PUNT_RESOLVE,
			.group = DP_NONE,
			.next_hop = base_addr_from_ip4(RIG_ASKER)};
		rig_turn(&r);
		assert_int_equal(sent_arps(), 1);
		const struct fake_frame *f = sent_arp(0, &arp);

		assert_int_equal(arp.op, WIRE_ARP_REQUEST);
		assert_int_equal(arp.target_ip, RIG_ASKER);
		assert_int_equal(arp.sender_ip, master ? RIG_VIP : 0);
		assert_memory_equal(arp.sender_mac, master ? rig_vmac : rig_if_mac, 6);
		assert_memory_equal(f->bytes + 6, master ? rig_vmac : rig_if_mac, 6);
	}
	rig_free(&r);
}

static void
announcements_are_paced_and_stop_with_the_role(void **state)
{
	char json[8192];
	int at = snprintf(json, sizeof(json),
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],\"carp\":{\"groups\":"
		"[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\",\"addresses\":[");

	(void)state;
	for (int i = 1; i <= 100; i++)
		at += snprintf(json + at, sizeof(json) - (size_t)at, "%s\"192.0.2.%d/24\"",
			i > 1 ? "," : "", i);
	snprintf(json + at, sizeof(json) - (size_t)at, "]}]}}");
	struct rig r = rig_make(json);

	rig_to_master(&r);
	assert_int_equal(sent_adverts(), 1);
	assert_int_equal(sent_arps(), 16);
	for (int i = 0; i < 10; i++)
		rig_turn(&r);
	assert_int_equal(sent_arps(), 100);

	struct ctl_request req = {.type = CTL_REQ_STATE_BACKUP, .group = 0};
	char note[160];

	rig_request(&r, &req, note, sizeof(note));
	req.type = CTL_REQ_STATE_MASTER;
	fake.n_frames = 0;
	rig_request(&r, &req, note, sizeof(note));
	req.type = CTL_REQ_DOWN;
	rig_request(&r, &req, note, sizeof(note));
	uint32_t n = sent_arps();

	for (int i = 0; i < 10; i++)
		rig_turn(&r);
	assert_int_equal(sent_arps(), n);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_47_announcement_repeated_after_third_advert),
		cmocka_unit_test(conformance_41_master_answers_arp_with_vmac),
		cmocka_unit_test(conformance_42_backup_does_not_answer),
		cmocka_unit_test(conformance_43_master_answers_probe),
		cmocka_unit_test(own_or_vip_claims_are_never_learnt),
		cmocka_unit_test(senders_are_told_by_how_they_speak),
		cmocka_unit_test(backup_knows_whom_its_master_needs),
		cmocka_unit_test(own_address_is_answered_in_every_state),
		cmocka_unit_test(resolver_asks_in_an_allowed_name),
		cmocka_unit_test(announcements_are_paced_and_stop_with_the_role),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
