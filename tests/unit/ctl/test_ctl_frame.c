/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The ring of the last frames: what is in it, in what order, with which verdict. */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "base_bytes.h"
#include "base_wall.h"
#include "ctl_fake.h"
#include "ctl_frame.h"

static struct ctl_frame frames[CTL_FRAMES_KEPT];

/* The frames after a seq, all of them. */
static uint32_t
take(const struct rig *r, uint64_t after)
{
	uint64_t last;

	return ctl_frames(r->ctl, after, frames, CTL_FRAMES_KEPT, &last);
}

static void
assert_verdict(const struct ctl_frame *f, enum ctl_verdict v, enum ctl_stat stat, uint16_t group)
{
	assert_int_equal(f->verdict, v);
	assert_int_equal(f->stat, stat);
	assert_int_equal(f->group, group);
}

/* What is refused names its counter, and the frame is whole. */
static void
adverts_bear_what_became_of_them(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint64_t seq = ctl_frame_newest(r.ctl), before = base_wall_ns();

	(void)state;
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_advert(&r, "lanpasswd", 9, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(take(&r, seq), 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(frames[i].seq, seq + 1 + i);
		assert_false(frames[i].sent);
		assert_int_equal(frames[i].if_id, 0);
		assert_int_equal(frames[i].len, WIRE_CARP4_FRAME_LEN);
		assert_int_equal(frames[i].captured, WIRE_CARP4_FRAME_LEN);
		assert_int_equal(base_load_be32(frames[i].bytes + 26), RIG_PEER);
		assert_true(frames[i].wall_ns >= before && frames[i].wall_ns <= base_wall_ns());
	}
	assert_verdict(&frames[0], CTL_VERDICT_ACCEPTED, CTL_STAT_COUNT, 0);
	assert_int_equal(frames[0].from, ELECTION_BACKUP);
	assert_int_equal(frames[0].to, ELECTION_BACKUP);
	assert_verdict(&frames[1], CTL_VERDICT_REFUSED, CTL_STAT_BADAUTH, 0);
	assert_verdict(&frames[2], CTL_VERDICT_REFUSED, CTL_STAT_BADVHID, ELECTION_NONE);
	rig_free(&r);
}

/* The advert that makes a master step down says so, and stands before what it caused. */
static void
a_frame_that_changes_the_state_says_so(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint64_t seq;

	(void)state;
	rig_to_master(&r);
	seq = ctl_frame_newest(r.ctl);
	rig_advert(&r, "lanpasswd", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
	rig_turn(&r);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_true(take(&r, seq) >= 1);
	assert_verdict(&frames[0], CTL_VERDICT_ACCEPTED, CTL_STAT_COUNT, 0);
	assert_int_equal(frames[0].from, ELECTION_MASTER);
	assert_int_equal(frames[0].to, ELECTION_BACKUP);
	assert_int_not_equal(frames[0].cause, ELECTION_CAUSE_NONE);
	rig_free(&r);
}

static void
an_answer_stands_behind_its_question(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint64_t seq = ctl_frame_newest(r.ctl);

	(void)state;
	rig_ask(&r, RIG_ASKER, rig_asker_mac);
	assert_int_equal(take(&r, seq), 1);
	assert_verdict(&frames[0], CTL_VERDICT_NOT_ANSWERED, CTL_STAT_ARP_NOT_MASTER, 0);
	rig_to_master(&r);
	seq = ctl_frame_newest(r.ctl);
	rig_ask(&r, RIG_ASKER, rig_asker_mac);
	assert_int_equal(take(&r, seq), 2);
	assert_verdict(&frames[0], CTL_VERDICT_ANSWERED, CTL_STAT_COUNT, 0);
	assert_memory_equal(frames[0].bytes + BASE_MAC_LEN, rig_asker_mac, BASE_MAC_LEN);
	/* as the vMAC, so it is this group's, though nobody said so */
	assert_verdict(&frames[1], CTL_VERDICT_SENT, CTL_STAT_COUNT, 0);
	assert_true(frames[1].sent);
	assert_memory_equal(frames[1].bytes + BASE_MAC_LEN, rig_vmac, BASE_MAC_LEN);
	rig_ask(&r, RIG_ASKER, rig_if_mac);
	assert_int_equal(take(&r, seq + 2), 1);
	assert_verdict(&frames[0], CTL_VERDICT_OWN_MAC, CTL_STAT_COUNT, 0);
	rig_free(&r);
}

static void
neighbour_discovery_and_queries_have_verdicts(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint8_t query[60] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01, 2, 0, 0, 0, 0, 9, 0x08, 0x00, 0x46,
		0, 0, 32, 0, 0, 0, 0, 1, 2, 0, 0, 192, 0, 2, 9, 224, 0, 0, 1, 0x94, 4, 0, 0, 0x11,
		10, 0, 0};
	uint64_t seq;

	(void)state;
	rig_run(&r, RIG_START + 5 * BASE_NS_PER_S);
	seq = ctl_frame_newest(r.ctl);
	rig_solicit(DP_PUNT_GROUP_ARP, rig_vip6);
	rig_turn(&r);
	assert_int_equal(take(&r, seq), 2);
	assert_verdict(&frames[0], CTL_VERDICT_ANSWERED, CTL_STAT_COUNT, 0);
	assert_true(frames[1].sent);
	seq += 2;
	rig_solicit(DP_PUNT_IF_ARP, rig_host6);
	rig_turn(&r);
	assert_int_equal(take(&r, seq), 1);
	assert_verdict(&frames[0], CTL_VERDICT_NOTHING, CTL_STAT_COUNT, ELECTION_NONE);
	/* its checksum is wrong, then right */
	base_store_be16(query + 24, wire_sum_fold(wire_sum(query + 14, 24, 0)));
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, query, sizeof(query));
	rig_turn(&r);
	assert_int_equal(take(&r, seq + 1), 1);
	assert_verdict(&frames[0], CTL_VERDICT_MALFORMED, CTL_STAT_COUNT, ELECTION_NONE);
	base_store_be16(query + 40, 0xeef5);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, query, sizeof(query));
	rig_turn(&r);
	assert_true(take(&r, seq + 2) >= 1);
	assert_verdict(&frames[0], CTL_VERDICT_QUERY, CTL_STAT_COUNT, ELECTION_NONE);
	rig_free(&r);
}

/* Not more than a ring keeps, and of a long frame its beginning. */
static void
the_ring_wraps_and_long_frames_are_cut(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint8_t frame[1000] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x08, 0x06};
	uint64_t seq = ctl_frame_newest(r.ctl), last;

	(void)state;
	for (uint32_t i = 0; i < CTL_FRAMES_KEPT + 100; i++) {
		uint16_t len = (uint16_t)(60 + i % 900);

		base_store_be32(frame + len - 4, i);
		base_store_be32(frame + 50, i);
		rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, len);
		rig_turn(&r);
	}
	/* what koi itself sent meanwhile has places too */
	assert_true(ctl_frame_newest(r.ctl) >= seq + CTL_FRAMES_KEPT + 100);
	assert_int_equal(take(&r, seq), CTL_FRAMES_KEPT);
	assert_int_equal(frames[CTL_FRAMES_KEPT - 1].seq, ctl_frame_newest(r.ctl));
	for (uint32_t n = 0; n < CTL_FRAMES_KEPT; n++) {
		const struct ctl_frame *f = &frames[n];
		uint32_t i = base_load_be32(f->bytes + 50);

		assert_int_equal(f->seq, frames[0].seq + n);
		if (f->sent)
			continue;
		assert_int_equal(f->len, 60 + i % 900);
		assert_int_equal(f->captured, f->len < CTL_FRAME_BYTES ? f->len : CTL_FRAME_BYTES);
		if (f->len <= CTL_FRAME_BYTES)
			assert_int_equal(base_load_be32(f->bytes + f->len - 4), i);
	}
	/* in portions, from where the last ended */
	assert_int_equal(ctl_frames(r.ctl, 0, frames, 10, &last), 10);
	assert_int_equal(ctl_frames(r.ctl, last, frames + 10, 10, &last), 10);
	assert_int_equal(frames[10].seq, frames[9].seq + 1);
	rig_free(&r);
}

static void
what_could_not_be_sent_says_why(void **state)
{
	struct rig r = rig_make(rig_pair);
	static const struct {
		int error;
		enum ctl_verdict verdict;
	} cases[] = {
		{0, CTL_VERDICT_SENT},
		{-ENETDOWN, CTL_VERDICT_NO_LINK},
		{-ENOBUFS, CTL_VERDICT_NO_ROOM},
	};

	(void)state;
	rig_to_master(&r);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t seq = ctl_frame_newest(r.ctl);

		fake.send_error = cases[i].error;
		rig_run(&r, fake.now + BASE_NS_PER_S + BASE_NS_PER_MS);
		assert_true(take(&r, seq) >= 1);
		assert_true(frames[0].sent);
		assert_int_equal(frames[0].verdict, cases[i].verdict);
	}
	fake.send_error = 0;
	rig_free(&r);
}

/* 100 adverts of a source may come at once; of the rest one in 10 ms is shown. */
static void
a_flood_is_shown_and_does_not_fill_the_ring(void **state)
{
	struct rig r = rig_make(rig_pair);
	uint64_t seq = ctl_frame_newest(r.ctl);
	struct ctl_group_view v;
	uint32_t n, policed = 0;

	(void)state;
	for (unsigned int turn = 0; turn < 10; turn++) {
		for (unsigned int i = 0; i < 60; i++) {
			rig_advert(&r, "wrong", 1, RIG_VIP, RIG_PEER, 1, 0, 0);
			fake.advert[i].group = 0;
		}
		rig_turn(&r);
	}
	ctl_group_view(r.ctl, 0, &v);
	assert_true(v.stats[CTL_STAT_POLICED] >= 400);
	n = take(&r, seq);
	for (uint32_t i = 0; i < n; i++)
		policed += frames[i].stat == CTL_STAT_POLICED;
	assert_int_equal(policed, 1);
	assert_int_equal(n, 600 - v.stats[CTL_STAT_POLICED] + 1);
	rig_free(&r);
}

struct reader {
	const struct ctl *ctl;
	uint32_t done; /* atomic */
	uint64_t frames;
	bool torn, disordered;
};

/* A frame of which all bytes are the same, as the writer made them, is not torn. */
static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct ctl_frame *batch = calloc(64, sizeof(*batch));
	uint64_t last = 0, newest = 0;

	while (batch != NULL && !__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		uint32_t n = ctl_frames(r->ctl, last, batch, 64, &last);

		for (uint32_t i = 0; i < n; i++) {
			const struct ctl_frame *f = &batch[i];

			r->disordered |= f->seq <= newest;
			newest = f->seq;
			for (uint16_t b = 15; !f->sent && b < f->captured; b++)
				r->torn |= f->bytes[b] != f->bytes[14];
		}
		r->frames += n;
	}
	free(batch);
	return NULL;
}

static void
a_reader_sees_whole_frames_while_they_are_written(void **state)
{
	struct rig r = rig_make(rig_pair);
	struct reader reader = {.ctl = r.ctl};
	uint8_t frame[CTL_FRAME_BYTES] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xcc};
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, read_on, &reader), 0);
	for (uint32_t i = 0; i < 10 * CTL_FRAMES_KEPT; i++) {
		memset(frame + 14, (int)(i & 0xff), sizeof(frame) - 14);
		rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)(100 + i % 156));
		rig_turn(&r);
	}
	__atomic_store_n(&reader.done, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	assert_false(reader.torn);
	assert_false(reader.disordered);
	assert_int_not_equal(reader.frames, 0);
	rig_free(&r);
}

static int
whole(void **state)
{
	(void)state;
	fake_assert_no_leak();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(adverts_bear_what_became_of_them, whole),
		cmocka_unit_test_teardown(a_frame_that_changes_the_state_says_so, whole),
		cmocka_unit_test_teardown(an_answer_stands_behind_its_question, whole),
		cmocka_unit_test_teardown(neighbour_discovery_and_queries_have_verdicts, whole),
		cmocka_unit_test_teardown(the_ring_wraps_and_long_frames_are_cut, whole),
		cmocka_unit_test_teardown(what_could_not_be_sent_says_why, whole),
		cmocka_unit_test_teardown(a_flood_is_shown_and_does_not_fill_the_ring, whole),
		cmocka_unit_test_teardown(a_reader_sees_whole_frames_while_they_are_written, whole),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
