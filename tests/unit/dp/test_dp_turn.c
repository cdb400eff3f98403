/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The turn of a worker: how far in time it has read, what it counts, and its loop on a thread.
 */
#include <rte_ethdev.h>

#include "dp_rig.h"

#include <pthread.h>
#include <string.h>

#include <rte_rcu_qsbr.h>

static void
rx_many(struct rig *r, int port, uint16_t queue, unsigned int n)
{
	struct frame f = frame_udp(other_mac, CLIENT, SERVER);

	for (unsigned int i = 0; i < n; i++)
		rig_rx_queue(r, port, queue, &f);
}

static void
the_horizon_is_the_start_of_a_turn_that_emptied_the_queue(void **state)
{
	struct rig *r = *state;

	assert_int_equal(dp_rx_horizon(r->dp, LAN), 0);
	assert_int_equal(dp_rx_alive(r->dp, LAN), 0);
	rig_turn(r);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), r->now);
	assert_int_equal(dp_rx_horizon(r->dp, WAN), r->now);
	rx_many(r, LAN, 0, 31);
	rig_turn(r);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), r->now);
}

/* 256 descriptors are 8 full bursts: what was there when they began has been read then. */
static void
a_flooded_queue_moves_on_by_its_descriptors(void **state)
{
	struct rig *r = *state;
	base_ns_t emptied, start[40];

	rig_turn(r);
	emptied = r->now;
	for (unsigned int t = 0; t < 40; t++) {
		rx_many(r, LAN, 0, 32);
		rig_turn(r);
		start[t] = r->now;
		assert_int_equal(dp_rx_alive(r->dp, LAN), r->now);
		assert_int_equal(dp_rx_horizon(r->dp, WAN), r->now);
		if (t < 7)
			assert_int_equal(dp_rx_horizon(r->dp, LAN), emptied);
		else
			/* Never newer than 256 frames ago, never more than 512. */
			assert_in_range(dp_rx_horizon(r->dp, LAN),
				t >= 16 ? start[t - 16] : emptied, start[t - 7]);
	}
	rig_turn(r);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), r->now);
}

static void
a_queue_that_was_never_empty_has_a_horizon_too(void **state)
{
	struct rig *r = *state;
	base_ns_t first = 0;

	for (unsigned int t = 0; t < 8; t++) {
		assert_int_equal(dp_rx_horizon(r->dp, LAN), 0);
		rx_many(r, LAN, 0, 32);
		rig_turn(r);
		first = t == 0 ? r->now : first;
	}
	assert_int_equal(dp_rx_horizon(r->dp, LAN), first);
}

static void
the_horizon_is_that_of_the_slowest_worker(void **state)
{
	struct rig *r = *state;

	rig_configure(r, &(struct rig_options){.n_workers = 2});
	dp_worker_turn(r->dp, 0, 5000);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), 0);
	dp_worker_turn(r->dp, 1, 6000);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), 5000);
	dp_worker_turn(r->dp, 0, 7000);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), 6000);
	for (unsigned int i = 0; i < 10; i++)
		dp_worker_turn(r->dp, 0, 8000 + i);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), 6000);
	/* Only one of worker 1's queues is behind, the other interface is not held back by it. */
	rx_many(r, LAN, 1, 32);
	dp_worker_turn(r->dp, 1, 9000);
	assert_int_equal(dp_rx_horizon(r->dp, LAN), 6000);
	assert_int_equal(dp_rx_horizon(r->dp, WAN), 8009);
}

/* Once the horizon says so, the advert is in its ring. */
static void
what_the_horizon_covers_is_in_the_rings(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	base_ns_t arrived = r->now;
	struct dp_punt p;

	rx_many(r, LAN, 0, 200);
	rig_rx(r, LAN, &f);
	while (dp_rx_horizon(r->dp, LAN) < arrived) {
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
		rig_turn(r);
	}
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	rte_pktmbuf_free(p.m);
}

/* What another host sent is told from what we or the bridge sent. */
static void
the_last_frame_is_that_of_another_host(void **state)
{
	struct rig *r = *state;
	const struct {
		const char *what;
		uint8_t dst[6], src[6];
		uint16_t type;
		bool counts;
	} cases[] = {
		{"client", {0, 0, 0x5e, 0, 1, 1}, {2, 0, 0, 0, 1, 0x64}, 0x0800, true},
		{"BPDU", {1, 0x80, 0xc2, 0, 0, 0}, {2, 0, 0, 0, 9, 9}, 0x0026, false},
		{"LLDP", {1, 0x80, 0xc2, 0, 0, 0x0e}, {2, 0, 0, 0, 9, 9}, 0x88cc, false},
		{"last of those", {1, 0x80, 0xc2, 0, 0, 0x0f}, {2, 0, 0, 0, 9, 9}, 0x1234, false},
		{"the next one", {1, 0x80, 0xc2, 0, 0, 0x10}, {2, 0, 0, 0, 9, 9}, 0x1234, true},
		{"near it", {1, 0x80, 0xc2, 0, 1, 0}, {2, 0, 0, 0, 9, 9}, 0x1234, true},
		{"own MAC", {1, 0, 0x5e, 0, 0, 0x12}, {2, 0, 0, 0, 1, 2}, 0x0800, false},
		{"own MAC of the WAN", {2, 0, 0, 0, 1, 2}, {2, 0, 0, 0, 2, 2}, 0x0800, true},
		{"vMAC of ours", {1, 0, 0x5e, 0, 0, 0x12}, {0, 0, 0x5e, 0, 1, 7}, 0x0800, false},
		{"vMAC of the WAN", {1, 0, 0x5e, 0, 0, 0x12}, {0, 0, 0x5e, 0, 1, 9}, 0x0800, true},
		{"VRRP's IPv6 MAC", {1, 0, 0x5e, 0, 0, 0x12}, {0, 0, 0x5e, 0, 2, 7}, 0x0800, true},
		{"tagged", {2, 0, 0, 0, 1, 2}, {2, 0, 0, 0, 1, 0x64}, 0x8100, false},
		{"unknown type", {2, 0, 0, 0, 9, 9}, {2, 0, 0, 0, 1, 0x64}, 0x9999, true},
	};
	struct frame f = frame_good(), runt = f;
	base_ns_t last = 0;

	assert_int_equal(dp_last_frame(r->dp, LAN), 0);
	rig_turn(r);
	assert_int_equal(dp_last_frame(r->dp, LAN), 0);
	runt.len = 13;
	rig_take(r, LAN, &runt);
	assert_int_equal(dp_last_frame(r->dp, LAN), 0);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(f.b, cases[i].dst, 6);
		memcpy(f.b + 6, cases[i].src, 6);
		f.b[12] = (uint8_t)(cases[i].type >> 8);
		f.b[13] = (uint8_t)cases[i].type;
		rig_take(r, LAN, &f);
		if (cases[i].counts)
			last = r->now;
		if (dp_last_frame(r->dp, LAN) != last)
			fail_msg("%s", cases[i].what);
	}
	assert_int_equal(dp_last_frame(r->dp, WAN), 0);
}

/* One frame that counts is enough, wherever it stands in the burst, by whatever worker. */
static void
the_last_frame_is_looked_for_in_all_of_a_burst(void **state)
{
	struct rig *r = *state;
	struct frame other = frame_good(), own = frame_good();
	base_ns_t seen;

	rig_configure(r, &(struct rig_options){.n_workers = 2});
	memcpy(own.b + 6, lan_mac, 6);
	for (unsigned int i = 0; i < 31; i++)
		rig_rx_queue(r, LAN, 1, &own);
	rig_turn(r);
	assert_int_equal(dp_last_frame(r->dp, LAN), 0);
	for (unsigned int i = 0; i < 31; i++)
		rig_rx_queue(r, LAN, 1, &own);
	rig_rx_queue(r, LAN, 1, &other);
	rig_turn(r);
	seen = r->now;
	assert_int_equal(dp_last_frame(r->dp, LAN), seen);
	rig_turn(r);
	rig_rx_queue(r, LAN, 0, &own);
	rig_turn(r);
	assert_int_equal(dp_last_frame(r->dp, LAN), seen);
	rig_rx_queue(r, LAN, 0, &other);
	rig_turn(r);
	assert_int_equal(dp_last_frame(r->dp, LAN), r->now);
}

static void
turns_are_counted(void **state)
{
	struct rig *r = *state;
	struct dp_worker_info i;
	struct rte_mbuf *m;

	rig_turn(r);
	rig_turn(r);
	rx_many(r, LAN, 0, 3);
	assert_int_equal(rig_turn(r), 3);
	m = dp_ctl_alloc(r->dp);
	dp_ctl_send(r->dp, LAN, m, DP_NONE);
	assert_int_equal(rig_turn(r), 0); /* received nothing, but was not idle */
	dp_worker_info(r->dp, 0, &i);
	assert_int_equal(i.n_rxq, RIG_PORTS);
	assert_int_equal(i.turns, 4);
	assert_int_equal(i.empty_turns, 2);
	assert_int_equal(i.last_turn, r->now);
	assert_int_equal(dp_worker_count(r->dp), 1);
}

static void
bursts_are_counted_by_size(void **state)
{
	static const unsigned int sizes[] = {1, 2, 3, 4, 7, 8, 15, 16, 31, 32};
	static const uint64_t want[DP_BURST_SIZES] = {20, 1, 2, 2, 2, 2, 1};
	struct rig *r = *state;
	struct dp_worker_info i;

	for (unsigned int s = 0; s < RTE_DIM(sizes); s++) {
		rx_many(r, LAN, 0, sizes[s]);
		rig_turn(r); /* the two other ports have nothing */
	}
	dp_worker_info(r->dp, 0, &i);
	for (unsigned int b = 0; b < DP_BURST_SIZES; b++)
		assert_int_equal(i.bursts[b], want[b]);
}

static void
the_clock_is_monotonic(void **state)
{
	base_ns_t last = dp_clock();

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		base_ns_t now = dp_clock();

		assert_true(now >= last);
		last = now;
	}
}

struct loop {
	struct dp *dp;
	int ret;
};

static void *
loop_main(void *arg)
{
	struct loop *l = arg;

	l->ret = dp_worker_run(l->dp, 0);
	return NULL;
}

/* The loop on a thread of its own, with this one as the control lcore; ends by a deadline. */
static void
the_loop_runs_beside_control(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct loop l = {r->dp, -1};
	base_ns_t deadline = dp_clock() + 30 * BASE_NS_PER_S;
	uint32_t adverts = 0, sent = 0, rounds = 0;
	base_ns_t longest;
	struct dp_worker_info i;
	struct dp_punt p[8];
	pthread_t thread;
	uint64_t token;

	rig_master(r, LAN_VHID1);
	assert_int_equal(pthread_create(&thread, NULL, loop_main, &l), 0);
	for (; rounds < 200 && dp_clock() < deadline; rounds++) {
		base_ns_t arrived;
		uint32_t n;

		rig_rx(r, LAN, &advert);
		rig_rx(r, LAN, &f);
		arrived = dp_clock();
		/* The horizon passes by, also while the worker sleeps in between. */
		while (dp_rx_horizon(r->dp, LAN) < arrived && dp_clock() < deadline)
			;
		n = dp_poll_adverts(r->dp, p, 8, 8);
		adverts += n;
		while (n-- > 0)
			rte_pktmbuf_free(p[n].m);
		sent += rig_tx_count(r, WAN);
		/* So does a grace period. */
		token = rte_rcu_qsbr_start(dp_qsbr(r->dp));
		while (rte_rcu_qsbr_check(dp_qsbr(r->dp), token, false) == 0 &&
			dp_clock() < deadline)
			;
	}
	do {
		dp_worker_info(r->dp, 0, &i);
	} while (i.sleeps < 5 && dp_clock() < deadline);
	/* Nothing but forgetting makes the longest turn a shorter one. */
	longest = i.longest_turn_ns;
	do {
		dp_longest_turn_forget(r->dp);
		dp_worker_info(r->dp, 0, &i);
	} while (i.longest_turn_ns >= longest && dp_clock() < deadline);
	assert_true(i.longest_turn_ns < longest);
	dp_stop(r->dp);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(l.ret, 0);
	assert_int_equal(rounds, 200);
	assert_int_equal(adverts, 200);
	assert_int_equal(sent + rig_tx_count(r, WAN), 200);
	dp_worker_info(r->dp, 0, &i);
	assert_true(i.sleeps >= 5);
	assert_true(i.turns > i.empty_turns && i.empty_turns > i.sleeps);
	assert_true(i.busy_ns > 0 && i.idle_ns > 0 && i.longest_turn_ns > 0);
	/* Nobody is left to wait for. */
	token = rte_rcu_qsbr_start(dp_qsbr(r->dp));
	assert_int_equal(rte_rcu_qsbr_check(dp_qsbr(r->dp), token, false), 1);
}

static uint16_t
burst_seen(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, void *seen)
{
	(void)port;
	(void)queue;
	(void)pkts;
	if (n == 0)
		++*(unsigned int *)seen;
	return n;
}

/* A driver with frames of its own to send is called without any, one worker is enough. */
static void
drivers_are_nudged(void **state)
{
	struct rig *r = *state;
	unsigned int seen[2] = {0, 0};
	const struct rte_eth_rxtx_callback *cb[2];

	rig_configure(r, &(struct rig_options){.n_workers = 2, .nudge = true});
	for (uint16_t q = 0; q < 2; q++) {
		cb[q] = rte_eth_add_tx_callback(r->port_id[LAN], q, burst_seen, &seen[q]);
		assert_non_null(cb[q]);
	}
	rig_turn(r);
	assert_int_equal(seen[0], 1);
	rig_turn(r);
	assert_int_equal(seen[0], 1);
	/* Also without link, which the driver may want to make; not while it is out of service. */
	dp_link(r->dp, r->port_id[LAN], false);
	r->now += 50 * BASE_NS_PER_MS;
	rig_turn(r);
	assert_int_equal(seen[0], 2);
	dp_attach(r->dp, r->port_id[LAN], false);
	r->now += 50 * BASE_NS_PER_MS;
	rig_turn(r);
	assert_int_equal(seen[0], 2);
	rig_configure(r, &(struct rig_options){.n_workers = 2});
	r->now += 50 * BASE_NS_PER_MS;
	rig_turn(r);
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[1], 0);
	for (uint16_t q = 0; q < 2; q++)
		assert_int_equal(rte_eth_remove_tx_callback(r->port_id[LAN], q, cb[q]), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(drivers_are_nudged),
		T(the_horizon_is_the_start_of_a_turn_that_emptied_the_queue),
		T(a_flooded_queue_moves_on_by_its_descriptors),
		T(a_queue_that_was_never_empty_has_a_horizon_too),
		T(the_horizon_is_that_of_the_slowest_worker),
		T(what_the_horizon_covers_is_in_the_rings),
		T(the_last_frame_is_that_of_another_host),
		T(the_last_frame_is_looked_for_in_all_of_a_burst),
		T(turns_are_counted),
		T(bursts_are_counted_by_size),
		T(the_clock_is_monotonic),
		T(the_loop_runs_beside_control),
	};

	return cmocka_run_group_tests_name("dp_turn", tests, rig_group_setup, rig_group_teardown);
}
