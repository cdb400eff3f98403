/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The control lcore's turn on fakes: what goes out, in which order, and what comes of frames. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

static void
taking_over_sends_advert_then_announces(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_carp carp;
	struct wire_arp arp;

	(void)state;
	rig_run(&r, RIG_START + RIG_DOWN - 1);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(sent_adverts(), 0);
	assert_int_equal(sent_arps(), 0);
	fake.n_frames = 0;
	assert_false(fake.owned[0]);
	rig_run(&r, RIG_START + RIG_DOWN);
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
	assert_memory_equal(f->bytes + 6, rig_vmac, 6);
	assert_int_equal(f->group, 0);
	assert_int_equal(carp.vhid, 1);
	assert_int_equal(carp.advbase, 1);
	assert_int_equal(carp.advskew, 0);
	f = sent_arp(0, &arp);
	assert_memory_equal(f->bytes, wire_broadcast_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_vmac, 6);
	assert_int_equal(arp.op, WIRE_ARP_REQUEST);
	assert_memory_equal(arp.sender_mac, rig_vmac, 6);
	assert_int_equal(arp.sender_ip, RIG_VIP);
	assert_int_equal(arp.target_ip, RIG_VIP);
	rig_free(&r);
}

static void
good_advert_reaches_the_election(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view v;
	struct ctl_peer peers[CTL_PEERS_MAX];

	(void)state;
	rig_to_master(&r);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
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
	assert_int_equal(base_addr_ip4(&v.info.master), RIG_PEER);
	assert_int_equal(ctl_peers(r.ctl, 0, peers), 1);
	assert_int_equal(base_addr_ip4(&peers[0].addr), RIG_PEER);
	assert_int_equal(peers[0].adverts, 1);
	rig_free(&r);
}

/* 32: wrong key: badauth, no change of state; log lines limited. */
static void
conformance_32_wrong_key_is_counted_and_lines_are_limited(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_group_view v;
	struct ctl_event ev[64];
	uint64_t last = 0;
	uint32_t lines = 0, n;

	(void)state;
	rig_to_master(&r);
	for (int i = 0; i < 25; i++) {
		rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
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
			assert_int_equal(base_addr_ip4(&ev[i].src), RIG_PEER);
			assert_int_equal(ev[i].suppressed, lines == 0 ? 0 : 19);
			lines++;
		}
	/* 12.5 s: one at the start, one after 10 s */
	assert_int_equal(lines, 2);
	rig_free(&r);
}

/* 38: own advert reflected by the switch: ignored, no state change. */
static void
conformance_38_reflected_advert_is_ignored(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_group_view v;
	struct wire_carp carp;

	(void)state;
	rig_to_master(&r);
	struct rte_mbuf *m = dp_ctl_alloc(NULL);

	assert_non_null(m);
	const struct fake_frame *f = sent_advert(0, &carp);

	assert_non_null(f);
	memcpy(rte_pktmbuf_append(m, f->len), f->bytes, f->len);
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
	struct rig r = rig_make(rig_pair);
	struct ctl_box_view box;
	struct wire_carp carp;

	(void)state;
	rig_to_master(&r);
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
	struct rig r = rig_make(rig_bare);
	struct ctl_box_view box;

	(void)state;
	rig_to_master(&r);
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
	struct rig r = rig_make(rig_bare);

	(void)state;
	rig_run(&r, RIG_START + 100 * BASE_NS_PER_MS);
	assert_int_equal(fake.horizon_reads_after_drain, 0);
	/* a worker that stands still: no takeover, and a demotion */
	fake.horizon = fake.now;
	rig_run(&r, RIG_START + 10 * BASE_NS_PER_S);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	struct ctl_box_view box;

	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 1);
	/* it comes back with the adverts that lay unread */
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	fake.horizon = fake.now;
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.demotion, 0);
	rig_free(&r);
}

/* Adverts that come faster than they are read leave the rings never empty. */
static void
a_flood_keeps_no_backup_waiting(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	rig_run(&r, RIG_START + RIG_DOWN - 5 * BASE_NS_PER_MS);
	fake.flood = 10000;
	rig_run(&r, RIG_START + RIG_DOWN);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	/* all that waited at a mark is out after three turns: the horizon is so old at most */
	rig_run(&r, RIG_START + RIG_DOWN + 7 * BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 0), ELECTION_MASTER);
	assert_in_range(fake.n_marks, 6, 10);
	rig_free(&r);
}

static void
a_flood_hides_no_advert(void **state)
{
	struct rig r = rig_make(rig_bare);

	(void)state;
	rig_run(&r, RIG_START + RIG_DOWN - 5 * BASE_NS_PER_MS);
	fake.flood = 10000;
	rig_turn(&r);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_run(&r, RIG_START + RIG_DOWN + 7 * BASE_NS_PER_MS);
	assert_int_equal(fake.n_adverts, 0);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	rig_free(&r);
}

static void
link_down_stops_the_group_and_demotes_the_other(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct wire_carp carp;

	(void)state;
	rig_to_master(&r);
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

/* The port thread gets the device once the workers have let go of it, and not before. */
static void
the_longest_turn_is_forgotten_when_asked(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_box_view v;
	base_ns_t longest;

	(void)state;
	fake.step = BASE_NS_PER_MS;
	rig_turn(&r);
	fake.step = BASE_NS_PER_US;
	fake.now += BASE_NS_PER_S; /* views are published now and then */
	rig_turn(&r);
	ctl_box_view(r.ctl, &v);
	longest = v.longest_turn_ns;
	assert_true(longest >= BASE_NS_PER_MS);
	fake.forgets++;
	rig_turn(&r);
	fake.now += BASE_NS_PER_S;
	rig_turn(&r); /* a turn is told by one after it */
	ctl_box_view(r.ctl, &v);
	assert_in_range(v.longest_turn_ns, BASE_NS_PER_US, BASE_NS_PER_MS - 1);
	rig_free(&r);
}

static void
device_is_let_go_of_and_taken_back(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct ctl_event ev[64];
	uint64_t last = 0;
	uint32_t n, seen = 0;

	(void)state;
	rig_to_master(&r);
	fake.device_event = true;
	rig_turn(&r);
	assert_false(fake.attached[0]);
	assert_true(fake.attached[1]);
	rig_run(&r, fake.now + 5 * BASE_NS_PER_MS);
	assert_int_equal(fake.n_detached, 0);
	fake.detached = true;
	rig_run(&r, fake.now + 5 * BASE_NS_PER_MS);
	assert_int_equal(fake.n_detached, 1);
	fake.device_event = true;
	fake.device_attached = true;
	rig_turn(&r);
	assert_true(fake.attached[0]);
	n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &last);
	for (uint32_t i = 0; i < n; i++) {
		if (ev[i].kind != CTL_EVENT_DEVICE)
			continue;
		assert_int_equal(ev[i].if_id, 0);
		assert_int_equal(ev[i].link_up, seen++ == 1);
		assert_string_equal(ev[i].text, "the device was removed");
	}
	assert_int_equal(seen, 2);
	rig_free(&r);
}

/* A device is told of once, and each of its interfaces hears of it. */
static void
interfaces_of_a_device_share_its_fate(void **state)
{
	struct rig r = rig_make(rig_tagged);
	struct ctl_event ev[64];
	uint64_t last = 0;
	uint32_t n, device = 0, link = 0;

	(void)state;
	rig_to_master(&r);
	fake.device_event = true;
	fake.has_port_event = true;
	fake.detached = true;
	rig_turn(&r);
	assert_false(fake.attached[0]);
	assert_false(fake.link_up[0]);
	assert_int_equal(rig_state(&r, 0), ELECTION_INIT);
	assert_int_equal(rig_state(&r, 1), ELECTION_INIT);
	rig_run(&r, fake.now + 5 * BASE_NS_PER_MS);
	assert_int_equal(fake.n_detached, 1);
	n = ctl_events(r.ctl, ELECTION_NONE, 0, ev, 64, &last);
	for (uint32_t i = 0; i < n; i++) {
		device += ev[i].kind == CTL_EVENT_DEVICE && ev[i].if_id == device;
		link += ev[i].kind == CTL_EVENT_LINK && ev[i].if_id == link;
	}
	assert_int_equal(device, 2);
	assert_int_equal(link, 2);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_over_sends_advert_then_announces),
		cmocka_unit_test(good_advert_reaches_the_election),
		cmocka_unit_test(conformance_32_wrong_key_is_counted_and_lines_are_limited),
		cmocka_unit_test(conformance_38_reflected_advert_is_ignored),
		cmocka_unit_test(conformance_31_send_errors_demote),
		cmocka_unit_test(failure_in_the_worker_counts_as_send_error),
		cmocka_unit_test(horizon_is_read_before_the_rings_are_drained),
		cmocka_unit_test(a_flood_keeps_no_backup_waiting),
		cmocka_unit_test(a_flood_hides_no_advert),
		cmocka_unit_test(link_down_stops_the_group_and_demotes_the_other),
		cmocka_unit_test(the_longest_turn_is_forgotten_when_asked),
		cmocka_unit_test(device_is_let_go_of_and_taken_back),
		cmocka_unit_test(interfaces_of_a_device_share_its_fate),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
