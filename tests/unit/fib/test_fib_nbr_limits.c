/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What may not crowd out what, what a backup keeps, and what the operator sets. */
#include <errno.h>

#include "test_fib_nbr_rig.h"

static const uint8_t wire_group[BASE_MAC_LEN] = {0x01, 0, 0x5e, 0, 0, 0x12};

/* A /16 is scanned through interface 0 while it has live neighbours, a quiet one among them that
 * is in PROBE, and interface 1 resolves a new one. */
static void
scan_neither_evicts_nor_exhausts(void **state)
{
	const uint32_t max = 1024; /* of each interface's share 512, a quarter 128 may be pending */
	const uint32_t live = 300;
	struct fib_nbr_table *t = make(max, 4);
	struct record rec = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint32_t i = 0; i < live; i++) {
		meet(t, 0, HOST + i, mac_of(HOST + i), now, record_act, &rec);
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));
	}
	now += FIB_NBR_REACHABLE_NS;
	while (fib_nbr_deadline(t) <= now)
		fib_nbr_tick(t, now, record_act, &rec);
	assert_int_equal(rec.n_requests, live);
	for (uint32_t i = 1; i < live; i++) /* the first stays in PROBE */
		answer(t, 0, HOST + i, mac_of(HOST + i), now, record_act, &rec);

	rec = (struct record){0};
	for (uint32_t i = 0; i < 65536; i++) {
		resolve(t, 0, UINT32_C(0x0a000000) + i, packet('x'), now, record_act, &rec);
		fib_nbr_stats(t, &st);
		assert_true(st.entries <= live + 128);
		assert_true(st.held <= 128);
	}
	assert_int_equal(rec.n_requests, 128);
	assert_int_equal(rec.n_drop, 65536 - 128);
	assert_int_equal(st.table_full, 65536 - 128);
	for (uint32_t i = 0; i < live; i++)
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));

	/* a sender that means us is still learned, and the other interface still resolves */
	rec = (struct record){0};
	asker(t, 0, HOST + live, mac_b, now, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST + live, mac));
	resolve(t, 1, HOST, packet('y'), now, record_act, &rec);
	answer(t, 1, HOST, mac_b, now, record_act, &rec);
	assert_string_equal(rec.text, "RSy");

	/* it goes on for ten seconds: the places of who did not answer come free, the rest stays */
	rec = (struct record){0};
	for (uint32_t i = 0; i < 65536; i++) {
		now += 10 * BASE_NS_PER_S / 65536;
		fib_nbr_tick(t, now, record_act, &rec);
		if (i % 32768 == 0)
			answer(t, 0, HOST, mac_of(HOST), now, record_act, &rec);
		resolve(t, 0, UINT32_C(0x0a010000) + i, packet('x'), now, record_act, &rec);
	}
	assert_true(rec.n_requests >= 9 * 128);
	fib_nbr_stats(t, &st);
	assert_int_equal(rec.n_fail + rec.n_drop + st.held, 65536 + 128);
	for (uint32_t i = 0; i < live; i++)
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));
	unmake(t);
}

/*
 * Hosts that are there answer within a millisecond and are found, whoever is looked for beside: the
 * scan asks for three times as many a second as may be pending, and three seconds of retries and
 * three of failure would keep their places for six.
 */
static void
a_scan_keeps_nobody_from_being_found(void **state)
{
	struct fib_nbr_table *t = make(1024, 4); /* of each interface 128 may be pending */
	struct record rec = {0}, ignored = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		now += BASE_NS_PER_S / 400;
		fib_nbr_tick(t, now, record_act, &ignored);
		resolve(t, 0, UINT32_C(0x0a000000) + i, packet('x'), now, record_act, &ignored);
		fib_nbr_stats(t, &st);
		assert_true(st.entries <= 128 + i / 100);
		if (i % 100 != 99)
			continue;
		rec = (struct record){0};
		resolve(t, 0, HOST + i, packet('y'), now, record_act, &rec);
		now += BASE_NS_PER_MS;
		answer(t, 0, HOST + i, mac_of(HOST + i), now, record_act, &rec);
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));
		assert_int_equal(rec.n_send, 1);
	}
	/* Who was given up for others is one that had its time, never a new one. */
	rec = (struct record){0};
	for (uint32_t i = 0; i < 256; i++)
		resolve(t, 1, UINT32_C(0x0b000000) + i, NULL, now, record_act, &rec);
	answer(t, 1, UINT32_C(0x0b000000), mac_a, now, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 1, UINT32_C(0x0b000000), mac));
	assert_int_equal(rec.n_requests, 128);
	unmake(t);
}

/* Forged senders, each with its own MAC, fill a quarter of an interface's share and no other's;
 * those who are asked for still get a place, up to the whole share. */
static void
share_limits_learning(void **state)
{
	struct fib_nbr_table *t = make(1024, 4);
	struct record rec = {0};
	struct fib_nbr_stats st;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		asker(t, 0, HOST + i, mac_of(HOST + i), START, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 128);
	assert_int_equal(st.learned, 128);
	assert_int_equal(st.table_full, 2000 - 128);
	assert_true(fib_nbr_lookup(t, 0, HOST + 127, mac));
	assert_false(fib_nbr_lookup(t, 0, HOST + 128, mac));
	asker(t, 1, HOST + 512, mac_a, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 1, HOST + 512, mac));
	for (uint32_t i = 1000; i < 1500; i++) {
		resolve(t, 0, HOST + i, NULL, START, record_act, &rec);
		answer(t, 0, HOST + i, mac_of(HOST + i), START, record_act, &rec);
	}
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 512 + 1);
	assert_true(fib_nbr_lookup(t, 0, HOST + 1000 + 383, mac));
	unmake(t);
}

/* One MAC with many sender addresses gets few places, one that answers for all that is asked half
 * of the share; what it loses is free again. */
static void
one_mac_has_its_limit(void **state)
{
	struct fib_nbr_table *t = make(1024, 4);
	struct record rec = {0};
	struct fib_nbr_stats st;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		asker(t, 0, HOST + i, mac_a, START, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, FIB_NBR_MAC_UNPROVEN);
	assert_int_equal(st.mac_full, 2000 - FIB_NBR_MAC_UNPROVEN);
	/* nor does it take the names of those who are known */
	asker(t, 0, HOST + 5000, mac_b, START, record_act, &rec);
	asker(t, 0, HOST + 5000, mac_a, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST + 5000, mac));
	assert_memory_equal(mac, mac_b, BASE_MAC_LEN);
	/* it is known on the other interface all the same */
	asker(t, 1, HOST, mac_a, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 1, HOST, mac));

	for (uint32_t i = 10000; i < 10400; i++) {
		resolve(t, 0, HOST + i, packet('x'), START, record_act, &rec);
		answer(t, 0, HOST + i, mac_a, START, record_act, &rec);
	}
	assert_int_equal(rec.n_send, 256 - FIB_NBR_MAC_UNPROVEN);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.learned, 256 + 2);
	/* those it may not have fail like any without answer; then others find the other half */
	for (uint64_t k = 1; k < 10; k++)
		while (fib_nbr_deadline(t) <= START + k * BASE_NS_PER_S)
			fib_nbr_tick(t, START + k * BASE_NS_PER_S, record_act, &rec);
	for (uint32_t i = 20000; i < 20200; i++) {
		resolve(t, 0, HOST + i, NULL, START, record_act, &rec);
		answer(t, 0, HOST + i, mac_of(HOST + i), START, record_act, &rec);
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));
	}
	/* aged out, it may come again */
	for (base_ns_t now = START; now < START + 2 * FIB_NBR_IDLE_NS; now += BASE_NS_PER_S)
		while (fib_nbr_deadline(t) <= now)
			fib_nbr_tick(t, now, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 0);
	asker(t, 0, HOST, mac_a, START + 2 * FIB_NBR_IDLE_NS, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST, mac));
	unmake(t);
}

/* Of a thousand hosts with ten MACs, counts are right whatever comes and goes. */
static void
macs_are_counted(void **state)
{
	struct fib_nbr_table *t = make(4096, 2);
	struct record rec = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 1000; i++) {
			uint32_t host = HOST + (i * 7919 + round * 104729) % 3000;

			resolve(t, 0, host, NULL, now, record_act, &rec);
			answer(t, 0, host, mac_of(host * (round + 1) % 1000), now, record_act,
				&rec);
		}
		now += FIB_NBR_IDLE_NS / 8;
		while (fib_nbr_deadline(t) <= now)
			fib_nbr_tick(t, now, record_act, &rec);
	}
	fib_nbr_stats(t, &st);
	assert_int_equal(st.mac_full, 0);
	assert_in_range(st.entries, 1000, 3000);
	for (unsigned int k = 0; k < 1000; k++) {
		now += FIB_NBR_IDLE_NS / 8;
		while (fib_nbr_deadline(t) <= now)
			fib_nbr_tick(t, now, record_act, &rec);
	}
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 0);
	assert_true(st.aged > 1000);
	/* all of them are free: the whole limit of one */
	for (uint32_t i = 0; i < 2000; i++)
		asker(t, 0, HOST + i, mac_of(77), now, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, FIB_NBR_MAC_UNPROVEN);
	unmake(t);
}

/* A backup asks again though nobody uses anybody, and forgets who is gone. */
static void
warm_neighbours_stay_fresh(void **state)
{
	struct fib_nbr_table *t = make(64, 2);
	struct record rec = {0};

	(void)state;
	fib_nbr_warm(t, 1, true);
	asker(t, 1, HOST, mac_a, START, record_act, &rec);
	asker(t, 0, HOST, mac_a, START, record_act, &rec);
	for (uint64_t s = 5; s < 3600; s++) {
		unsigned int asked = rec.n_requests;

		fib_nbr_tick(t, START + s * BASE_NS_PER_S, record_act, &rec);
		if (rec.n_requests == asked)
			continue;
		assert_int_equal(rec.if_index, 1);
		answer(t, 1, HOST, mac_a, START + s * BASE_NS_PER_S, record_act, &rec);
	}
	assert_int_equal(rec.n_requests, 1 + 3594 / 60);
	assert_int_equal(state_of(t, 1, HOST), FIB_NBR_REACHABLE);
	assert_int_equal(state_of(t, 0, HOST), FIB_NBR_ABSENT);
	for (uint64_t s = 3600; s < 3700; s++)
		fib_nbr_tick(t, START + s * BASE_NS_PER_S, record_act, &rec);
	assert_int_equal(state_of(t, 1, HOST), FIB_NBR_ABSENT);
	/* not warm any more: left to age */
	asker(t, 1, HOST, mac_a, START + MS(3700000), record_act, &rec);
	fib_nbr_warm(t, 1, false);
	rec = (struct record){0};
	fib_nbr_tick(t, START + MS(3705000), record_act, &rec);
	assert_int_equal(rec.n_requests, 0);
	unmake(t);
}

/* What the operator set stands, whatever is heard, until he takes it away. */
static void
static_entries_stand(void **state)
{
	const struct base_addr host = base_addr_from_ip4(HOST),
			       other = base_addr_from_ip4(HOST + 1);
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;
	uint32_t cursor = 0;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	resolve(t, 0, HOST, packet('1'), START, record_act, &rec);
	assert_int_equal(fib_nbr_set(t, 0, &host, mac_a, START, record_act, &rec), 0);
	assert_string_equal(rec.text, "RS1");
	assert_int_equal(fib_nbr_deadline(t), BASE_NS_NEVER);
	asker(t, 0, HOST, mac_b, START, record_act, &rec);
	answer(t, 0, HOST, mac_b, START, record_act, &rec);
	fib_nbr_tick(t, START + 10 * FIB_NBR_IDLE_NS, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST, mac));
	assert_memory_equal(mac, mac_a, BASE_MAC_LEN);
	assert_int_equal(state_of(t, 0, HOST), FIB_NBR_STATIC);
	assert_true(fib_nbr_is_static(t, 0, &host));
	assert_false(fib_nbr_is_static(t, 0, &other));
	/* a packet that was on its way to control */
	resolve(t, 0, HOST, packet('2'), START, record_act, &rec);
	assert_string_equal(rec.text, "RS1S2");
	/* another MAC, and a new entry */
	assert_int_equal(fib_nbr_set(t, 0, &host, mac_b, START, record_act, &rec), 0);
	assert_int_equal(fib_nbr_set(t, 0, &other, mac_b, START, record_act, &rec), 0);
	assert_true(fib_nbr_lookup(t, 0, HOST, mac));
	assert_memory_equal(mac, mac_b, BASE_MAC_LEN);
	/* nonsense changes nothing */
	assert_int_equal(fib_nbr_set(t, 0, &host, wire_group, START, record_act, &rec), -EINVAL);
	assert_int_equal(fib_nbr_set(t, 0, &(struct base_addr){.family = BASE_FAMILY_IP4}, mac_a,
				 START, record_act, &rec),
		-EINVAL);
	assert_int_equal(fib_nbr_set(t, 1, &host, mac_a, START, record_act, &rec), -ENOSPC);

	/* clearing leaves it and who is being asked for; the others go */
	asker(t, 0, HOST + 2, mac_a, START, record_act, &rec);
	resolve(t, 0, HOST + 3, packet('3'), START, record_act, &rec);
	while (fib_nbr_clear(t, 1, &cursor))
		;
	assert_int_equal(state_of(t, 0, HOST + 2), FIB_NBR_STALE);
	cursor = 0;
	while (fib_nbr_clear(t, FIB_NBR_IF_ALL, &cursor))
		;
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 3);
	assert_int_equal(state_of(t, 0, HOST + 2), FIB_NBR_ABSENT);
	assert_int_equal(state_of(t, 0, HOST + 3), FIB_NBR_INCOMPLETE);

	rec = (struct record){0};
	assert_int_equal(fib_nbr_forget(t, 0, &host, START, record_act, &rec), 0);
	assert_int_equal(fib_nbr_forget(t, 0, &host, START, record_act, &rec), -ENOENT);
	assert_false(fib_nbr_lookup(t, 0, HOST, mac));
	const struct base_addr asked = base_addr_from_ip4(HOST + 3);

	assert_int_equal(fib_nbr_forget(t, 0, &asked, START, record_act, &rec), 0);
	assert_string_equal(rec.text, "F3");
	unmake(t);
}

/*
 * An accomplice on a segment answers for all that is looked for there, each time with another MAC:
 * whoever is on the others, the way out among them, still finds room, and no more than theirs is
 * kept from it.
 */
static void
an_interface_leaves_the_others_their_part(void **state)
{
	const uint32_t max = 1024, kept = 256; /* half of an interface's part of it, of two */
	struct fib_nbr_table *t = make(max, 2);
	struct record rec = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 2 * max; i++) {
			resolve(t, 0, HOST + i, NULL, now, record_act, &rec);
			answer(t, 0, HOST + i, mac_of(HOST + i), now, record_act, &rec);
		}
		fib_nbr_stats(t, &st);
		assert_int_equal(st.entries, max - kept);
		for (uint32_t i = 0; i < kept; i++) {
			resolve(t, 1, HOST + i, NULL, now, record_act, &rec);
			answer(t, 1, HOST + i, mac_of(HOST + i), now, record_act, &rec);
			assert_true(fib_nbr_lookup(t, 1, HOST + i, mac));
		}
		fib_nbr_stats(t, &st);
		assert_int_equal(st.entries, max);
		resolve(t, 1, HOST + kept, NULL, now, record_act, &rec);
		assert_int_equal(state_of(t, 1, HOST + kept), FIB_NBR_ABSENT);
		/* forgotten, all of it is there again, for either */
		for (base_ns_t end = now + 2 * FIB_NBR_IDLE_NS; now < end; now += BASE_NS_PER_S)
			while (fib_nbr_deadline(t) <= now)
				fib_nbr_tick(t, now, record_act, &rec);
		fib_nbr_stats(t, &st);
		assert_int_equal(st.entries, 0);
	}
	unmake(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_neither_evicts_nor_exhausts),
		cmocka_unit_test(a_scan_keeps_nobody_from_being_found),
		cmocka_unit_test(share_limits_learning),
		cmocka_unit_test(one_mac_has_its_limit),
		cmocka_unit_test(an_interface_leaves_the_others_their_part),
		cmocka_unit_test(macs_are_counted),
		cmocka_unit_test(warm_neighbours_stay_fresh),
		cmocka_unit_test(static_entries_stand),
	};

	return cmocka_run_group_tests_name("fib_nbr_limits", tests, setup, teardown);
}
