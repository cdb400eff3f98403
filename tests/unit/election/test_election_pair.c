/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Boxes that hear each other over a perfect wire (protocol note 10, cases 56 to 58). */
#include "election_net.h"

#include <string.h>

#define WIRE (50 * BASE_NS_PER_US)

static const uint8_t skew_0[][2] = {{1, 0}};
static const uint8_t skew_100[][2] = {{1, 100}};
static const uint8_t skew_128[][2] = {{1, 128}};
static const uint8_t fast_0[][2] = {{0, 0}};
static const uint8_t fast_1[][2] = {{0, 1}};

static void
conformance_56_two_equal_boxes_booted_together(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct net net;

		net_init(&net, seed);
		net_add(&net, net_box(skew_100, 1, seed & 1, 2 * seed + 1));
		net_add(&net, net_box(skew_100, 1, seed & 1, 2 * seed + 2));
		net_run(&net, T0 + SECS(10));
		assert_int_equal(net_masters(&net, 0), 1);
		assert_int_equal(net_owners(&net, 0), 1);
		base_ns_t settled = net.last_state;

		net_run(&net, T0 + SECS(70));
		assert_int_equal(net.last_state, settled);
		assert_int_equal(net_masters(&net, 0), 1);
		net_free(&net);
	}
}

/*
 * Each hears several equals at a tie, its own or that of others: none of them may undo the random
 * delay, and bystanders need one too, as their timers were restarted by the same advert.
 */
static void
three_or_four_equal_boxes_settle(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct net net;

		net_init(&net, seed);
		net.anonymous = seed & 8;
		for (unsigned int i = 0; i < 3 + (seed & 1); i++)
			net_add(&net, net_box(skew_100, 1, seed & 2, 4 * seed + i));
		/* two and two: each pair is a bystander at the tie of the other */
		for (unsigned int i = 2; i < net.n && (seed & 4); i++) {
			struct election_event ev = {.type = ELECTION_EV_DOWN};

			net_feed(&net, i, &ev);
			ev.type = ELECTION_EV_UP;
			net_run(&net, T0 + MSECS(1));
			net_feed(&net, i, &ev);
		}
		net_run(&net, T0 + SECS(12));
		assert_int_equal(net_masters(&net, 0), 1);
		base_ns_t settled = net.last_state;

		net_run(&net, T0 + SECS(70));
		assert_int_equal(net.last_state, settled);
		net_free(&net);
	}
}

static void
conformance_57_peer_takes_over_within_its_master_down(void **state)
{
	(void)state;
	/* no advert is on its way when it dies */
	for (unsigned int ms = 1; ms < 1000; ms += 37) {
		struct net net;

		net_init(&net, ms);
		net_add(&net, net_box(skew_0, 1, false, 1));
		net_add(&net, net_box(skew_128, 1, false, 2));
		net_run(&net, T0 + SECS(10) + MSECS(ms));
		assert_int_equal(box_state(net.at[0].box, 0), ELECTION_MASTER);
		base_ns_t heard = box_info(net.at[1].box, 0).heard_at;

		net.at[0].dead = true;
		box_forget(net.at[1].box);
		net_run(&net, T0 + SECS(20));
		/* to the nanosecond, from the last advert on */
		const struct election_action *a = box_take_claim(
			net.at[1].box, 0, ELECTION_CAUSE_TIMEOUT, heard + SECS(3) + SKEW(128));

		assert_int_equal(a->state.since_heard, SECS(3) + SKEW(128));
		assert_int_equal(a->state.peer.advskew, 0);
		net_free(&net);
	}
}

static void
the_fast_pair_fails_over_in_11_7_ms(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 1);
	net_add(&net, net_box(fast_0, 1, true, 1));
	net_add(&net, net_box(fast_1, 1, true, 2));
	net_run(&net, T0 + SECS(1));
	assert_int_equal(box_state(net.at[0].box, 0), ELECTION_MASTER);
	assert_int_equal(net_masters(&net, 0), 1);
	base_ns_t settled = net.last_state;

	net_run(&net, T0 + SECS(60) + MSECS(1));
	assert_int_equal(net.last_state, settled);
	base_ns_t heard = box_info(net.at[1].box, 0).heard_at;

	net.at[0].dead = true;
	box_forget(net.at[1].box);
	net_run(&net, T0 + SECS(61));
	box_take_claim(net.at[1].box, 0, ELECTION_CAUSE_TIMEOUT, heard + UINT64_C(11718750));
	net_free(&net);
}

/* A planned switch, with and without preemption: never nobody, never longer than a turn both. */
static void
a_planned_switch_takes_one_trip_over_the_wire(void **state)
{
	struct net net;
	struct election_event ev = {.type = ELECTION_EV_DOWN};

	(void)state;
	net_init(&net, 1);
	net.horizons = true;
	net_add(&net, net_box(skew_0, 1, true, 1));
	net_add(&net, net_box(skew_128, 1, true, 2));
	net_run(&net, T0 + SECS(10) + MSECS(333));
	box_forget(net.at[0].box);
	box_forget(net.at[1].box);
	base_ns_t t = net.now;

	net_feed(&net, 0, &ev);
	assert_int_equal(net_owners(&net, 0), 1);
	net_run(&net, t + WIRE);
	box_take_claim(net.at[1].box, 0, ELECTION_CAUSE_BOW_OUT, t + WIRE);
	/* the old one forwards until the new one's frames moved the switch */
	assert_int_equal(net_owners(&net, 0), 2);
	assert_int_equal(net_masters(&net, 0), 1);
	net_run(&net, t + 2 * WIRE);
	net_run(&net, t + 3 * WIRE);
	assert_int_equal(net_owners(&net, 0), 1);
	/* back again: preempted on the first advert heard */
	ev.type = ELECTION_EV_UP;
	net_feed(&net, 0, &ev);
	box_forget(net.at[0].box);
	base_ns_t next = box_info(net.at[1].box, 0).advert_deadline;

	net_run(&net, next + WIRE);
	box_take_claim(net.at[0].box, 0, ELECTION_CAUSE_PREEMPT, next + WIRE);
	assert_int_equal(net_owners(&net, 0), 2);
	net_run(&net, next + SECS(1));
	assert_int_equal(net_masters(&net, 0), 1);
	assert_int_equal(net_owners(&net, 0), 1);
	assert_int_equal(box_state(net.at[0].box, 0), ELECTION_MASTER);
	net_free(&net);
}

static void
a_demoted_master_is_replaced_within_a_trip_and_not_before(void **state)
{
	struct net net;
	struct election_event ev = {.type = ELECTION_EV_SET_DEMOTION, .amount = 1};

	(void)state;
	net_init(&net, 1);
	net_add(&net, net_box(skew_0, 1, false, 1));
	net_add(&net, net_box(skew_128, 1, false, 2));
	net_run(&net, T0 + SECS(10));
	box_forget(net.at[1].box);
	net_feed(&net, 0, &ev);
	base_ns_t t = net.now;

	net_run(&net, t + SECS(1));
	box_take_claim(net.at[1].box, 0, ELECTION_CAUSE_PEER_DEMOTED, t + WIRE);
	assert_int_equal(box_state(net.at[0].box, 0), ELECTION_BACKUP);
	/* both demoted alike: the one that leads stays */
	net_feed(&net, 1, &ev);
	net_run(&net, t + SECS(60));
	assert_int_equal(box_state(net.at[1].box, 0), ELECTION_MASTER);
	assert_int_equal(net_masters(&net, 0), 1);
	net_free(&net);
}

/*
 * Two equal backups behind a demoted box that waits less than they do: each of its adverts makes
 * both claim at the same moment, and the tie sends both back. Left to note 5.2 alone that goes on
 * for ever; after a tie the next claim waits for its random delay as well.
 */
static void
equal_backups_behind_a_demoted_master_settle(void **state)
{
	static const uint8_t fast_2[][2] = {{0, 2}};

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		bool fast = seed & 1;
		base_ns_t second = fast ? SKEW(1) : SECS(1);
		struct election_event ev = {.type = ELECTION_EV_SET_DEMOTION, .amount = 1};
		struct net net;

		net_init(&net, seed);
		net.delay_min = net.delay_max = 20 * BASE_NS_PER_US;
		net_add(&net, net_box(fast ? fast_0 : skew_0, 1, false, 3 * seed));
		net_add(&net, net_box(fast ? fast_2 : skew_100, 1, false, 3 * seed + 1));
		net_add(&net, net_box(fast ? fast_2 : skew_100, 1, false, 3 * seed + 2));
		net_run(&net, T0 + 10 * second);
		assert_int_equal(box_state(net.at[0].box, 0), ELECTION_MASTER);
		net_feed(&net, 0, &ev);
		net_run(&net, net.now + 10 * second);
		assert_int_equal(net_masters(&net, 0), 1);
		assert_int_equal(box_state(net.at[0].box, 0), ELECTION_BACKUP);
		base_ns_t settled = net.last_state;

		net_run(&net, net.now + 60 * second);
		assert_int_equal(net.last_state, settled);
		net_free(&net);
	}
}

/* Split and healed: the better one keeps the address within one interval. */
static void
a_healed_split_leaves_the_better_one(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 1);
	net_add(&net, net_box(skew_0, 1, false, 1));
	net_add(&net, net_box(skew_128, 1, false, 2));
	net.cut[0][1] = net.cut[1][0] = true;
	net_run(&net, T0 + SECS(10));
	assert_int_equal(net_masters(&net, 0), 2);
	net.cut[0][1] = net.cut[1][0] = false;
	base_ns_t next = box_info(net.at[0].box, 0).advert_deadline;

	net_run(&net, next + WIRE);
	assert_int_equal(net_masters(&net, 0), 1);
	assert_int_equal(box_state(net.at[0].box, 0), ELECTION_MASTER);
	net_free(&net);
}

/* One direction only: the deaf one leads as well, and nothing flaps. */
static void
a_one_way_split_does_not_flap(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 1);
	net_add(&net, net_box(skew_0, 1, true, 1));
	net_add(&net, net_box(skew_128, 1, true, 2));
	net.cut[0][1] = true;
	net_run(&net, T0 + SECS(10));
	assert_int_equal(net_masters(&net, 0), 2);
	base_ns_t settled = net.last_state;

	net_run(&net, T0 + SECS(70));
	assert_int_equal(net.last_state, settled);
	net_free(&net);
}

/*
 * ucarp 1.5.2 as notes 4 and 5 describe it: no preemption, no bow-out, byte 4 unread, ties by
 * address (ours is lower than its own: it stays), one last advert before it steps down.
 */
struct ucarp {
	bool master;
	base_ns_t timer;
	uint8_t advskew;
	bool preempt;
};

struct ucarp_wire {
	struct box *b;
	struct ucarp u;
	uint32_t read;
};

static base_ns_t
ucarp_down(const struct ucarp *u)
{
	return SECS(3) + SKEW(u->advskew);
}

static void
ucarp_sends(struct ucarp_wire *w)
{
	box_advert(w->b, 0, 1, w->u.advskew, 0);
}

static void
ucarp_hears(struct ucarp_wire *w, const struct election_priority *p)
{
	uint32_t own = 256u + w->u.advskew, ch = 256u * p->advbase + p->advskew;

	if (w->u.master) {
		if (own <= ch)
			return;
		ucarp_sends(w);
		w->u.master = false;
		w->u.timer = w->b->now + ucarp_down(&w->u);
	} else if ((w->u.preempt && own < ch) || 3 * 256u + w->u.advskew < ch) {
		w->u.master = true;
		w->u.timer = w->b->now + SECS(1) + SKEW(w->u.advskew);
		ucarp_sends(w);
	} else {
		w->u.timer = w->b->now + ucarp_down(&w->u);
	}
}

static void
ucarp_run(struct ucarp_wire *w, base_ns_t until)
{
	while (w->b->now < until) {
		base_ns_t koi = election_deadline(w->b->e);
		base_ns_t t = koi < w->u.timer ? koi : w->u.timer;

		if (t > until)
			t = until;
		box_run(w->b, t);
		if (t == w->u.timer) {
			w->u.master = true;
			w->u.timer = t + SECS(1) + SKEW(w->u.advskew);
			ucarp_sends(w);
		}
		for (; w->read < w->b->n; w->read++)
			if (w->b->log[w->read].act.type == ELECTION_ACT_ADVERT)
				ucarp_hears(w, &w->b->log[w->read].act.advert.prio);
	}
}

static void
conformance_58_with_ucarp_either_first(void **state)
{
	(void)state;
	for (int koi_first = 0; koi_first <= 1; koi_first++)
		for (int ucarp_preempts = 0; ucarp_preempts <= 1; ucarp_preempts++) {
			struct ucarp_wire w = {
				.b = box_one(1, 0, true),
				.u = {.advskew = 100,
					.preempt = ucarp_preempts,
					.timer = koi_first ? BASE_NS_NEVER : T0 - 1},
			};

			if (koi_first) {
				ucarp_run(&w, T0 + SECS(5));
				w.u.timer = w.b->now + ucarp_down(&w.u);
			} else {
				/* it leads since long */
				w.u.master = true;
				w.u.timer = T0 + MSECS(300);
			}
			ucarp_run(&w, T0 + SECS(10));
			assert_int_equal(box_state(w.b, 0), ELECTION_MASTER);
			assert_false(w.u.master);
			base_ns_t since = box_info(w.b, 0).state_since;

			assert_int_equal(since, koi_first ? T0 + SECS(3) : T0 + MSECS(300));
			ucarp_run(&w, T0 + SECS(70));
			assert_int_equal(box_info(w.b, 0).state_since, since);
			assert_false(w.u.master);
			/* koi goes: ucarp follows at once, the bow-out is slow enough for it */
			box_group(w.b, ELECTION_EV_DOWN, 0);
			ucarp_run(&w, w.b->now + MSECS(1));
			assert_true(w.u.master);
			box_free(w.b);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_56_two_equal_boxes_booted_together),
		cmocka_unit_test(three_or_four_equal_boxes_settle),
		cmocka_unit_test(conformance_57_peer_takes_over_within_its_master_down),
		cmocka_unit_test(the_fast_pair_fails_over_in_11_7_ms),
		cmocka_unit_test(a_planned_switch_takes_one_trip_over_the_wire),
		cmocka_unit_test(a_demoted_master_is_replaced_within_a_trip_and_not_before),
		cmocka_unit_test(equal_backups_behind_a_demoted_master_settle),
		cmocka_unit_test(a_healed_split_leaves_the_better_one),
		cmocka_unit_test(a_one_way_split_does_not_flap),
		cmocka_unit_test(conformance_58_with_ucarp_either_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
