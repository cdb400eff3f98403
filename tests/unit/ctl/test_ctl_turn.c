/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The control lcore's turn on fakes: what goes out, in which order, and what it makes of what comes in. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

#define VIP    UINT32_C(0xc0000201) /* 192.0.2.1 */
#define OWN    UINT32_C(0xc0000202)
#define PEER   UINT32_C(0xc0000203)
#define ASKER  UINT32_C(0xc0000264)
#define START  (1000 * BASE_NS_PER_S)
#define DOWN_S (3 * BASE_NS_PER_S)

static const uint8_t vmac[BASE_MAC_LEN] = {0, 0, 0x5e, 0, 1, 1};
static const uint8_t if_mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 1};
static const uint8_t asker_mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 0x64};
static const uint8_t broadcast[BASE_MAC_LEN] = {255, 255, 255, 255, 255, 255};

static const char pair[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":[\"192.0.2.2/24\"]},"
	"{\"name\":\"em1\",\"device\":\"d1\",\"addresses\":[\"198.51.100.2/24\"]}],"
	"\"carp\":{\"preempt\":true,\"log\":2,\"groups\":["
	"{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]},"
	"{\"name\":\"carp1\",\"carpdev\":\"em1\",\"vhid\":2,\"pass\":\"wanpasswd\",\"addresses\":[\"198.51.100.1/24\"]}]}}";

static const char bare[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],"
	"\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,"
	"\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]}]}}";

static void
to_master(struct rig *r)
{
	rig_run(r, START + DOWN_S);
	assert_int_equal(rig_state(r, 0), ELECTION_MASTER);
}

static void
taking_over_sends_advert_then_announces(void **state)
{
	struct rig r = rig_make(pair);
	struct wire_carp carp;
	struct wire_arp arp;

	(void)state;
	rig_run(&r, START + DOWN_S - 1);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(fake.n_frames, 0);
	assert_false(fake.owned[0]);
	rig_run(&r, START + DOWN_S);
	assert_true(fake.owned[0]);
	assert_true(fake.answering[0]);
	assert_int_equal(sent_adverts(), 2);
	assert_int_equal(sent_arps(), 2);
	const struct fake_frame *f = sent_advert(0, &carp);

	/* the adverts of both groups come before any announcement */
	assert_ptr_equal(f, &fake.frame[0]);
	assert_ptr_equal(sent_advert(1, &carp), &fake.frame[1]);
	sent_advert(0, &carp);
	assert_memory_equal(f->bytes, wire_carp_mac4, 6);
	assert_memory_equal(f->bytes + 6, vmac, 6);
	assert_int_equal(f->group, 0);
	assert_int_equal(carp.vhid, 1);
	assert_int_equal(carp.advbase, 1);
	assert_int_equal(carp.advskew, 0);
	f = sent_arp(0, &arp);
	assert_memory_equal(f->bytes, broadcast, 6);
	assert_memory_equal(f->bytes + 6, vmac, 6);
	assert_int_equal(arp.op, WIRE_ARP_REQUEST);
	assert_memory_equal(arp.sender_mac, vmac, 6);
	assert_int_equal(arp.sender_ip, VIP);
	assert_int_equal(arp.target_ip, VIP);
	rig_free(&r);
}

/* 47: GARP repeated once, after the third advert. */
static void
conformance_47_announcement_repeated_after_third_advert(void **state)
{
	struct rig r = rig_make(bare);

	(void)state;
	to_master(&r);
	assert_int_equal(sent_arps(), 1);
	rig_run(&r, START + DOWN_S + 2 * BASE_NS_PER_S - 1);
	assert_int_equal(sent_adverts(), 2);
	assert_int_equal(sent_arps(), 1);
	rig_run(&r, START + DOWN_S + 2 * BASE_NS_PER_S);
	assert_int_equal(sent_adverts(), 3);
	assert_int_equal(sent_arps(), 2);
	rig_run(&r, START + DOWN_S + 6 * BASE_NS_PER_S);
	assert_int_equal(sent_arps(), 2);
	rig_free(&r);
}

static void
ask_for(struct rig *r, uint32_t sender, const uint8_t *mac)
{
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .sender_ip = sender, .target_ip = VIP};

	memcpy(arp.sender_mac, mac, 6);
	fake.n_frames = 0;
	fake.n_learnt = 0;
	rig_arp(r, DP_PUNT_GROUP_ARP, 0, broadcast, &arp);
	rig_turn(r);
}

/* 41: MASTER, ARP request for the VIP: one reply, Ethernet source and sender MAC = vMAC. */
static void
conformance_41_master_answers_arp_with_vmac(void **state)
{
	struct rig r = rig_make(pair);
	struct wire_arp reply;

	(void)state;
	to_master(&r);
	ask_for(&r, ASKER, asker_mac);
	assert_int_equal(sent_arps(), 1);
	const struct fake_frame *f = sent_arp(0, &reply);

	assert_memory_equal(f->bytes, asker_mac, 6);
	assert_memory_equal(f->bytes + 6, vmac, 6);
	assert_int_equal(reply.op, WIRE_ARP_REPLY);
	assert_memory_equal(reply.sender_mac, vmac, 6);
	assert_int_equal(reply.sender_ip, VIP);
	assert_memory_equal(reply.target_mac, asker_mac, 6);
	assert_int_equal(reply.target_ip, ASKER);
	assert_int_equal(fake.n_learnt, 1);
	assert_int_equal(fake.learnt[0].ip, ASKER);
	assert_true(fake.learnt[0].create);
	rig_free(&r);
}

/* 42: BACKUP, same: no reply. Nor while INIT. */
static void
conformance_42_backup_does_not_answer(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_group_view v;

	(void)state;
	rig_run(&r, START + BASE_NS_PER_S);
	ask_for(&r, ASKER, asker_mac);
	assert_int_equal(fake.n_frames, 0);
	assert_false(fake.learnt[0].create);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_ARP_NOT_MASTER], 1);
	rig_free(&r);
}

/* 43: MASTER, ARP probe (sender 0.0.0.0): reply. */
static void
conformance_43_master_answers_probe(void **state)
{
	struct rig r = rig_make(pair);

	(void)state;
	to_master(&r);
	ask_for(&r, 0, asker_mac);
	assert_int_equal(sent_arps(), 1);
	assert_int_equal(fake.n_learnt, 0);
	rig_free(&r);
}

static void
own_or_vip_claims_are_never_learnt(void **state)
{
	struct rig r = rig_make(pair);

	(void)state;
	to_master(&r);
	/* the other master's announcement, and our own reflected */
	ask_for(&r, VIP, vmac);
	assert_int_equal(fake.n_frames, 0);
	assert_int_equal(fake.n_learnt, 0);
	/* somebody claims the VIP or our own address with a MAC of his */
	ask_for(&r, VIP, asker_mac);
	assert_int_equal(fake.n_learnt, 0);
	ask_for(&r, OWN, asker_mac);
	assert_int_equal(fake.n_learnt, 0);
	/* a multicast MAC is nobody's */
	ask_for(&r, ASKER, broadcast);
	assert_int_equal(fake.n_learnt, 0);
	rig_free(&r);
}

static void
own_address_is_answered_in_every_state(void **state)
{
	struct rig r = rig_make(pair);
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .sender_ip = ASKER, .target_ip = OWN}, reply;

	(void)state;
	memcpy(arp.sender_mac, asker_mac, 6);
	rig_turn(&r);
	rig_arp(&r, DP_PUNT_IF_ARP, DP_NONE, broadcast, &arp);
	rig_turn(&r);
	assert_int_equal(sent_arps(), 1);
	sent_arp(0, &reply);
	assert_memory_equal(reply.sender_mac, if_mac, 6);
	assert_int_equal(reply.sender_ip, OWN);
	rig_free(&r);
}

/* Without an own address: BACKUP asks as 0.0.0.0, MASTER as VIP with the vMAC. */
static void
resolver_asks_in_an_allowed_name(void **state)
{
	struct rig r = rig_make(bare);
	struct wire_arp arp;

	(void)state;
	rig_turn(&r);
	for (int master = 0; master < 2; master++) {
		if (master)
			to_master(&r);
		fake.n_frames = 0;
		fake.punt[fake.n_punts++] = (struct dp_punt){.m = dp_ctl_alloc(NULL),
			.cls = DP_PUNT_RESOLVE,
			.group = DP_NONE,
			.next_hop = ASKER};
		rig_turn(&r);
		assert_int_equal(sent_arps(), 1);
		const struct fake_frame *f = sent_arp(0, &arp);

		assert_int_equal(arp.op, WIRE_ARP_REQUEST);
		assert_int_equal(arp.target_ip, ASKER);
		assert_int_equal(arp.sender_ip, master ? VIP : 0);
		assert_memory_equal(arp.sender_mac, master ? vmac : if_mac, 6);
		assert_memory_equal(f->bytes + 6, master ? vmac : if_mac, 6);
	}
	rig_free(&r);
}

static void
good_advert_reaches_the_election(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_group_view v;
	struct ctl_peer peers[CTL_PEERS_MAX];

	(void)state;
	to_master(&r);
	rig_advert(&r, "lanpasswd", 1, VIP, PEER, 1, 0, 0);
	rig_turn(&r);
	/* equal: steps down; hands over until the horizon has passed the advert */
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_false(fake.answering[0]);
	assert_int_equal(rig_state(&r, 1), ELECTION_MASTER);
	fake.now++;
	rig_turn(&r);
	assert_false(fake.owned[0]);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_IPACKETS], 1);
	assert_int_equal(v.info.cause, ELECTION_CAUSE_TIE);
	assert_int_equal(base_addr_ip4(&v.info.master), PEER);
	assert_int_equal(ctl_peers(r.ctl, 0, peers), 1);
	assert_int_equal(base_addr_ip4(&peers[0].addr), PEER);
	assert_int_equal(peers[0].adverts, 1);
	rig_free(&r);
}

/* 32: wrong key: badauth, no change of state; log lines limited. */
static void
conformance_32_wrong_key_is_counted_and_lines_are_limited(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_group_view v;
	struct ctl_event ev[64];
	uint64_t last = 0;
	uint32_t lines = 0, n;

	(void)state;
	to_master(&r);
	for (int i = 0; i < 25; i++) {
		rig_advert(&r, "wrong", 1, VIP, PEER, 1, 0, 0);
		fake.now += BASE_NS_PER_S / 2;
		rig_turn(&r);
	}
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_BADAUTH], 25);
	n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &last);
	for (uint32_t i = 0; i < n; i++)
		if (ev[i].kind == CTL_EVENT_BAD_ADVERT) {
			assert_int_equal(ev[i].stat, CTL_STAT_BADAUTH);
			assert_int_equal(base_addr_ip4(&ev[i].src), PEER);
			assert_int_equal(ev[i].suppressed, lines == 0 ? 0 : 19);
			lines++;
		}
	/* 12.5 s: one at the start, one after 10 s */
	assert_int_equal(lines, 2);
	rig_free(&r);
}

/* 54: key changed while MASTER: next advert signed with the new key; old-key adverts badauth. */
static void
conformance_54_new_key_signs_the_next_advert(void **state)
{
	struct rig r = rig_make(bare);
	struct ctl_request req = {.type = CTL_REQ_KEY, .group = 0};
	struct wire_carp carp;
	struct base_addr vip = base_addr_from_ip4(VIP);
	struct ctl_group_view v;
	char note[64];

	(void)state;
	to_master(&r);
	assert_int_equal(auth_key_from_pass("newpasswd", req.key), 0);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	fake.n_frames = 0;
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_non_null(sent_advert(0, &carp));
	struct auth_group *g = auth_group_create(req.key, 1, &vip, 1);

	assert_true(auth_group_verify(g, carp.counter, carp.digest));
	auth_group_destroy(g);
	rig_advert(&r, "lanpasswd", 1, VIP, PEER, 1, 0, 0);
	rig_turn(&r);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_BADAUTH], 1);
	assert_int_equal(v.info.state, ELECTION_MASTER);
	rig_advert(&r, "newpasswd", 1, VIP, PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

/* 38: own advert reflected by the switch: ignored, no state change. */
static void
conformance_38_reflected_advert_is_ignored(void **state)
{
	struct rig r = rig_make(bare);
	struct ctl_group_view v;

	(void)state;
	to_master(&r);
	struct rte_mbuf *m = dp_ctl_alloc(NULL);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, fake.frame[0].len), fake.frame[0].bytes, fake.frame[0].len);
	fake.advert[fake.n_adverts++] = (struct dp_punt){.m = m, .group = DP_NONE};
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_LOOP], 1);
	rig_free(&r);
}

/* 31: three send errors: demoted; three successes undo it. */
static void
conformance_31_send_errors_demote(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_box_view box;
	struct wire_carp carp;

	(void)state;
	to_master(&r);
	fake.send_error = -ENOBUFS;
	rig_run(&r, fake.now + 3 * BASE_NS_PER_S);
	fake.n_frames = 0;
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 2); /* an entry for each of the two groups */
	fake.send_error = 0;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_non_null(sent_advert(0, &carp));
	assert_int_equal(carp.advskew, 240);
	assert_int_equal(carp.demotion, 2);
	rig_run(&r, fake.now + 8 * BASE_NS_PER_S);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 0);
	rig_free(&r);
}

static void
failure_in_the_worker_counts_as_send_error(void **state)
{
	struct rig r = rig_make(bare);
	struct ctl_box_view box;

	(void)state;
	to_master(&r);
	for (int i = 0; i < 5; i++) {
		fake.send_failures++;
		rig_run(&r, fake.now + BASE_NS_PER_S);
	}
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 1);
	rig_free(&r);
}

static void
horizon_is_read_before_the_rings_are_drained(void **state)
{
	struct rig r = rig_make(bare);

	(void)state;
	rig_run(&r, START + 100 * BASE_NS_PER_MS);
	assert_int_equal(fake.horizon_reads_after_drain, 0);
	/* a worker that stands still: no takeover, and a demotion */
	fake.horizon = fake.now;
	rig_run(&r, START + 10 * BASE_NS_PER_S);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	struct ctl_box_view box;

	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 1);
	/* it comes back with the adverts that lay unread */
	rig_advert(&r, "lanpasswd", 1, VIP, PEER, 1, 0, 0);
	fake.horizon = fake.now;
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 0);
	rig_free(&r);
}

static void
link_down_stops_the_group_and_demotes_the_other(void **state)
{
	struct rig r = rig_make(pair);
	struct wire_carp carp;

	(void)state;
	to_master(&r);
	fake.n_frames = 0;
	fake.has_port_event = true;
	fake.port_link_up = false;
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_false(fake.owned[0]);
	assert_false(fake.link_up[0]);
	assert_int_equal(sent_adverts(), 1);
	sent_advert(0, &carp);
	assert_int_equal(carp.vhid, 2);
	assert_int_equal(carp.advskew, 240);
	assert_int_equal(carp.demotion, 1);
	rig_free(&r);
}

static void
requests_check_their_ranges(void **state)
{
	static const struct {
		enum ctl_request_type type;
		uint16_t group;
		int64_t value;
		int result;
		const char *note;
	} rows[] = {
		{CTL_REQ_ADVBASE, 0, 0, -EINVAL, "advbase 0 is out of range: allowed is 1 to 255"},
		{CTL_REQ_ADVBASE, 0, 256, -EINVAL,
			"advbase 256 is out of range: allowed is 1 to 255"},
		{CTL_REQ_ADVBASE, 0, 100, 0,
			"advbase above 85: a bow-out is told from a slow master only by koi"},
		{CTL_REQ_ADVSKEW, 0, 255, -EINVAL,
			"advskew 255 is out of range: allowed is 0 to 254"},
		{CTL_REQ_ADVSKEW, 0, -1, -EINVAL,
			"advskew -1 is out of range: allowed is 0 to 254"},
		{CTL_REQ_ADVSKEW, 0, 254, 0, ""},
		{CTL_REQ_PREEMPT, 0, 2, -EINVAL, "preempt 2 is out of range: allowed is 0 to 1"},
		{CTL_REQ_ALLOW, 0, 2, -EINVAL, "allow 2 is out of range: allowed is 0 to 1"},
		{CTL_REQ_LOG, 0, 3, -EINVAL, "log 3 is out of range: allowed is 0 to 2"},
		{CTL_REQ_DEMOTION, 0, 256, -EINVAL,
			"demotion 256 is out of range: allowed is 0 to 255"},
		{CTL_REQ_ARPBALANCE, 0, 1, -ENOTSUP, "arpbalance is not supported by this version"},
		{CTL_REQ_ARPBALANCE, 0, 0, 0, ""},
		{CTL_REQ_UP, 7, 0, -EINVAL, "there is no group with this number"},
		{CTL_REQ_STATE_INIT, 0, 0, 0, "state init has no effect, as in the BSDs; use down"},
		{CTL_REQ_STATE_BACKUP, 0, 0, 0,
			"preempt is on: this box takes over again when it hears a worse master; "
			"use down to stay out"},
	};
	struct rig r = rig_make(pair);

	(void)state;
	rig_turn(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ctl_request req = {
			.type = rows[i].type, .group = rows[i].group, .value = rows[i].value};
		char note[160] = "";

		assert_int_equal(rig_request(&r, &req, note, sizeof(note)), rows[i].result);
		assert_string_equal(note, rows[i].note);
	}
	rig_free(&r);
}

static void
forced_states_in_init_are_refused(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_request req = {.type = CTL_REQ_DOWN, .group = 0};
	char note[160];

	(void)state;
	rig_turn(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	req.type = CTL_REQ_STATE_MASTER;
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), -EAGAIN);
	assert_string_equal(note, "carp0 is in INIT: not running, so there is no state to force");
	req.type = CTL_REQ_UP;
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

/* 55: allow 0: INIT, no adverts, no ARP answers; adverts count as disallowed. */
static void
conformance_55_allow_0(void **state)
{
	struct rig r = rig_make(pair);
	struct ctl_request req = {.type = CTL_REQ_ALLOW, .value = 0};
	struct ctl_box_view box;
	char note[160];

	(void)state;
	to_master(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	fake.n_frames = 0;
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_false(fake.owned[0]);
	ask_for(&r, ASKER, asker_mac);
	rig_advert(&r, "lanpasswd", 1, VIP, PEER, 1, 0, 0);
	rig_run(&r, fake.now + 10 * BASE_NS_PER_S);
	assert_int_equal(fake.n_frames, 0);
	ctl_box_view(r.ctl, &box);
	assert_false(box.allow);
	assert_int_equal(box.stats[CTL_STAT_DISALLOWED], 1);
	rig_free(&r);
}

/* 53: skew changed while MASTER: stays MASTER, next advert carries it. */
static void
conformance_53_new_skew_goes_with_the_next_advert(void **state)
{
	struct rig r = rig_make(bare);
	struct ctl_request req = {.type = CTL_REQ_ADVSKEW, .group = 0, .value = 50};
	struct wire_carp carp;
	char note[160];

	(void)state;
	to_master(&r);
	assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	fake.n_frames = 0;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_non_null(sent_advert(0, &carp));
	assert_int_equal(carp.advskew, 50);
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

	to_master(&r);
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

static void
events_are_numbered_without_gaps_and_the_oldest_go(void **state)
{
	struct rig r = rig_make(bare);
	struct ctl_request req = {.type = CTL_REQ_LOG, .value = 1};
	static struct ctl_event ev[CTL_EVENTS_KEPT];
	uint64_t last;
	char note[160];

	(void)state;
	to_master(&r);
	assert_int_equal(ctl_events(r.ctl, 0, 0, ev, CTL_EVENTS_KEPT, &last), 2);
	assert_int_equal(ev[0].to, ELECTION_BACKUP);
	assert_int_equal(ev[1].to, ELECTION_MASTER);
	assert_int_equal(ev[1].cause, ELECTION_CAUSE_TIMEOUT);
	assert_true(ev[1].since_heard == BASE_NS_NEVER);
	for (unsigned int i = 0; i < CTL_EVENTS_KEPT + 10; i++)
		rig_request(&r, &req, note, sizeof(note));
	uint32_t n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, CTL_EVENTS_KEPT, &last);

	assert_int_equal(n, CTL_EVENTS_KEPT - 1);
	for (uint32_t i = 1; i < n; i++)
		assert_int_equal(ev[i].seq, ev[i - 1].seq + 1);
	assert_int_equal(last, ev[n - 1].seq);
	assert_int_equal(ctl_events(r.ctl, ELECTION_NONE, last, ev, CTL_EVENTS_KEPT, &last), 0);
	rig_free(&r);
}

/* SIGTERM: one bow-out, then owned without answering for 50 ms when no successor is heard. */
static void
shutdown_bows_out_and_hands_over(void **state)
{
	struct rig r = rig_make(bare);
	struct wire_carp carp;

	(void)state;
	to_master(&r);
	fake.n_frames = 0;
	base_ns_t before = fake.now;

	ctl_shutdown(r.ctl);
	fake.step = BASE_NS_PER_MS;
	assert_int_equal(ctl_run(r.ctl), 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(sent_adverts(), 1);
	sent_advert(0, &carp);
	assert_true(wire_carp_is_bow_out(&carp));
	assert_false(fake.owned[0]);
	assert_false(fake.answering[0]);
	assert_in_range(fake.now - before, 50 * BASE_NS_PER_MS, 60 * BASE_NS_PER_MS);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_over_sends_advert_then_announces),
		cmocka_unit_test(conformance_31_send_errors_demote),
		cmocka_unit_test(conformance_32_wrong_key_is_counted_and_lines_are_limited),
		cmocka_unit_test(conformance_38_reflected_advert_is_ignored),
		cmocka_unit_test(conformance_41_master_answers_arp_with_vmac),
		cmocka_unit_test(conformance_42_backup_does_not_answer),
		cmocka_unit_test(conformance_43_master_answers_probe),
		cmocka_unit_test(conformance_47_announcement_repeated_after_third_advert),
		cmocka_unit_test(conformance_53_new_skew_goes_with_the_next_advert),
		cmocka_unit_test(conformance_54_new_key_signs_the_next_advert),
		cmocka_unit_test(conformance_55_allow_0),
		cmocka_unit_test(own_or_vip_claims_are_never_learnt),
		cmocka_unit_test(own_address_is_answered_in_every_state),
		cmocka_unit_test(resolver_asks_in_an_allowed_name),
		cmocka_unit_test(good_advert_reaches_the_election),
		cmocka_unit_test(failure_in_the_worker_counts_as_send_error),
		cmocka_unit_test(horizon_is_read_before_the_rings_are_drained),
		cmocka_unit_test(link_down_stops_the_group_and_demotes_the_other),
		cmocka_unit_test(requests_check_their_ranges),
		cmocka_unit_test(forced_states_in_init_are_refused),
		cmocka_unit_test(announcements_are_paced_and_stop_with_the_role),
		cmocka_unit_test(events_are_numbered_without_gaps_and_the_oldest_go),
		cmocka_unit_test(shutdown_bows_out_and_hands_over),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
