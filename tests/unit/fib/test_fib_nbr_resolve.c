/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "base_assert.h"
#include "fib_nbr.h"

#include "test_fib_eal.h"

#define N_OF(a)	   (sizeof(a) / sizeof((a)[0]))
#define POOL_MBUFS 2047
#define START	   (1000 * BASE_NS_PER_S)
#define HOST	   UINT32_C(0xc0000209)
#define MS(n)	   ((n)*BASE_NS_PER_MS)

static const uint8_t mac_a[BASE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x0a};
static const uint8_t mac_b[BASE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x0b};

static struct rte_mempool *pool;

/* Actions in their order, one letter each: R request to all, r request to one, S<tag> send,
 * F<tag> fail, D<tag> drop; the packets go back to the pool. */
struct record {
	char text[256];
	size_t len;
	uint16_t if_index;
	uint32_t ip;
	uint8_t mac[BASE_MAC_LEN];
	unsigned int n_requests, n_send, n_fail, n_drop;
};

static struct rte_mbuf *
packet(char tag)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	BASE_ASSERT(m != NULL); /* unlike cmocka's, known not to return */
	m->data_len = 1;
	m->pkt_len = 1;
	*rte_pktmbuf_mtod(m, char *) = tag;
	return m;
}

static void
note(struct record *r, char c)
{
	if (r->len + 1 < sizeof(r->text)) {
		r->text[r->len++] = c;
		r->text[r->len] = '\0';
	}
}

static void
record_act(void *arg, const struct fib_nbr_action *a)
{
	struct record *r = arg;
	char letter = '?';

	switch (a->type) {
	case FIB_NBR_ACT_REQUEST:
		letter = a->has_mac ? 'r' : 'R';
		r->n_requests++;
		break;
	case FIB_NBR_ACT_SEND:
		assert_true(a->has_mac);
		letter = 'S';
		r->n_send++;
		break;
	case FIB_NBR_ACT_FAIL:
		letter = 'F';
		r->n_fail++;
		break;
	case FIB_NBR_ACT_DROP:
		letter = 'D';
		r->n_drop++;
		break;
	}
	note(r, letter);
	r->if_index = a->if_index;
	r->ip = base_addr_ip4(&a->addr);
	if (a->has_mac)
		memcpy(r->mac, a->mac, BASE_MAC_LEN);
	if (a->type == FIB_NBR_ACT_REQUEST) {
		assert_null(a->m);
		return;
	}
	assert_non_null(a->m);
	note(r, *rte_pktmbuf_mtod(a->m, char *));
	rte_pktmbuf_free(a->m);
}

static struct fib_nbr_table *
make(uint32_t max, uint16_t if_count)
{
	struct fib_nbr_table *t = fib_nbr_create("t", max, if_count, NULL, 0);

	assert_non_null(t);
	return t;
}

/* End of a test: every packet is back. */
static void
unmake(struct fib_nbr_table *t)
{
	fib_nbr_destroy(t);
	assert_int_equal(rte_mempool_avail_count(pool), POOL_MBUFS);
}

static void
resolve(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, struct rte_mbuf *m, base_ns_t now,
	fib_nbr_act_fn act, void *arg)
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	fib_nbr_resolve(t, if_index, &addr, m, now, act, arg);
}

static enum fib_nbr_state
state_of(const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip)
{
	struct fib_nbr_row rows[64];
	uint32_t cursor = 0;
	uint32_t n;

	while ((n = fib_nbr_rows(t, &cursor, rows, N_OF(rows))) > 0) {
		for (uint32_t i = 0; i < n; i++) {
			if (rows[i].if_index == if_index && base_addr_ip4(&rows[i].addr) == ip)
				return rows[i].state;
		}
	}
	return FIB_NBR_ABSENT;
}

enum op {
	OP_END,
	OP_PACKET, /* one tagged packet to resolve */
	OP_ANSWER, /* learn, create */
	OP_SEEN,   /* learn, do not create */
	OP_TICK,
};

struct step {
	uint64_t at_ms; /* since START */
	enum op op;
	char tag; /* packet's tag, or a/b for the MAC */
	const char *actions;
	enum fib_nbr_state state; /* afterwards */
	char mac;		  /* what a worker finds: a, b or 0 */
	uint64_t deadline_ms;	  /* afterwards; 0: never */
};

#define I FIB_NBR_INCOMPLETE
#define R FIB_NBR_REACHABLE
#define P FIB_NBR_PROBE
#define F FIB_NBR_FAILED
#define A FIB_NBR_ABSENT

static const struct {
	const char *name;
	struct step steps[20];
} machines[] = {
	{"answered at once",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {5, OP_PACKET, '2', "", I, 0, 1000},
			{7, OP_ANSWER, 'a', "S1S2", R, 'a', 60007},
			{8, OP_PACKET, '3', "S3", R, 'a', 60007},
			{60006, OP_TICK, 0, "", R, 'a', 60007},
			{60007, OP_TICK, 0, "r", P, 'a', 61007},
			{60050, OP_PACKET, '4', "S4", P, 'a', 61007},
			{60100, OP_ANSWER, 'a', "", R, 'a', 120100}, {0}}},
	{"never answered: three requests, then failed, then forgotten",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {999, OP_TICK, 0, "", I, 0, 1000},
			{1000, OP_TICK, 0, "R", I, 0, 2000}, {1500, OP_PACKET, '2', "", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000}, {2999, OP_TICK, 0, "", I, 0, 3000},
			{3000, OP_TICK, 0, "F1F2", F, 0, 6000},
			{3001, OP_PACKET, '3', "F3", F, 0, 6000},
			{5999, OP_TICK, 0, "", F, 0, 6000}, {6000, OP_TICK, 0, "", A, 0, 0},
			{6001, OP_PACKET, '4', "R", I, 0, 7001},
			{6002, OP_ANSWER, 'b', "S4", R, 'b', 66002}, {0}}},
	{"answered to the last request",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {1000, OP_TICK, 0, "R", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000},
			{2900, OP_SEEN, 'a', "S1", R, 'a', 62900}, {0}}},
	{"answered after it had failed",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {1000, OP_TICK, 0, "R", I, 0, 2000},
			{2000, OP_TICK, 0, "R", I, 0, 3000}, {3000, OP_TICK, 0, "F1", F, 0, 6000},
			{4000, OP_SEEN, 'a', "", R, 'a', 64000}, {0}}},
	{"gone: probed three times while still used, then removed",
		{{0, OP_ANSWER, 'a', "", R, 'a', 60000}, {60000, OP_TICK, 0, "r", P, 'a', 61000},
			{61000, OP_TICK, 0, "r", P, 'a', 62000},
			{62000, OP_TICK, 0, "r", P, 'a', 63000},
			{62999, OP_PACKET, '1', "S1", P, 'a', 63000},
			{63000, OP_TICK, 0, "", A, 0, 0}, {63001, OP_PACKET, '2', "R", I, 0, 64001},
			{0}}},
	{"probe answered, next round starts with three requests again",
		{{0, OP_ANSWER, 'a', "", R, 'a', 60000}, {60000, OP_TICK, 0, "r", P, 'a', 61000},
			{61000, OP_TICK, 0, "r", P, 'a', 62000},
			{61500, OP_SEEN, 'a', "", R, 'a', 121500},
			{121500, OP_TICK, 0, "r", P, 'a', 122500},
			{122500, OP_TICK, 0, "r", P, 'a', 123500},
			{123500, OP_TICK, 0, "r", P, 'a', 124500},
			{124500, OP_TICK, 0, "", A, 0, 0}, {0}}},
	{"MAC changes: used from then on",
		{{0, OP_ANSWER, 'a', "", R, 'a', 60000}, {10, OP_SEEN, 'b', "", R, 'b', 60010},
			{20, OP_PACKET, '1', "S1", R, 'b', 60010},
			{60010, OP_TICK, 0, "r", P, 'b', 61010},
			{60020, OP_ANSWER, 'a', "", R, 'a', 120020}, {0}}},
	{"an unknown sender that did not mean us is not learned",
		{{0, OP_SEEN, 'a', "", A, 0, 0}, {1, OP_ANSWER, 'a', "", R, 'a', 60001}, {0}}},
	{"served late: one request, not all that were missed",
		{{0, OP_PACKET, '1', "R", I, 0, 1000}, {9000, OP_TICK, 0, "R", I, 0, 10000},
			{10000, OP_TICK, 0, "R", I, 0, 11000},
			{11000, OP_TICK, 0, "F1", F, 0, 14000}, {0}}},
};

#undef I
#undef R
#undef P
#undef F
#undef A

static void
run_step(struct fib_nbr_table *t, const struct step *s, struct record *rec)
{
	const uint8_t *mac = s->tag == 'b' ? mac_b : mac_a;
	base_ns_t now = START + MS(s->at_ms);

	switch (s->op) {
	case OP_PACKET:
		resolve(t, 1, HOST, packet(s->tag), now, record_act, rec);
		break;
	case OP_ANSWER:
	case OP_SEEN:
		fib_nbr_learn(t, 1, HOST, mac, s->op == OP_ANSWER, now, record_act, rec);
		break;
	case OP_TICK:
		fib_nbr_tick(t, now, record_act, rec);
		break;
	case OP_END:
		break;
	}
}

static void
state_machine(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < N_OF(machines); k++) {
		struct fib_nbr_table *t = make(64, 2);
		uint8_t last = 0;

		for (const struct step *s = machines[k].steps; s->op != OP_END; s++) {
			struct record rec = {0};
			uint8_t mac[BASE_MAC_LEN] = {0};
			base_ns_t want =
				s->deadline_ms != 0 ? START + MS(s->deadline_ms) : BASE_NS_NEVER;
			long at = (long)(s - machines[k].steps);
			char found;

			run_step(t, s, &rec);
			if (strcmp(rec.text, s->actions) != 0)
				fail_msg("%s, step %ld: did %s, not %s", machines[k].name, at,
					rec.text, s->actions);
			if (state_of(t, 1, HOST) != s->state)
				fail_msg("%s, step %ld: state %s", machines[k].name, at,
					fib_nbr_state_name(state_of(t, 1, HOST)));
			found = fib_nbr_lookup(t, 1, HOST, mac) ? 'a' : 0;
			if (found != 0 && memcmp(mac, mac_b, BASE_MAC_LEN) == 0)
				found = 'b';
			if (found != s->mac)
				fail_msg("%s, step %ld: MAC %c", machines[k].name, at,
					found != 0 ? found : '-');
			if (fib_nbr_deadline(t) != want)
				fail_msg("%s, step %ld: deadline %" PRIu64, machines[k].name, at,
					fib_nbr_deadline(t));
			if (rec.len > 0) {
				assert_int_equal(rec.if_index, 1);
				assert_int_equal(rec.ip, HOST);
			}
			if (rec.n_send > 0 || strchr(rec.text, 'r') != NULL) {
				last = s->mac == 'b' ? 0x0b : 0x0a;
				assert_int_equal(rec.mac[5], last);
			}
			/* the same address on another interface is another neighbour */
			assert_false(fib_nbr_lookup(t, 0, HOST, mac));
		}
		unmake(t);
	}
}

/* A printable mark for the n-th packet. */
static char
mark(unsigned int n)
{
	return (char)('!' + n);
}

static void
hold_queue_keeps_the_newest(void **state)
{
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;
	char want[2 * FIB_NBR_HOLD_MAX + 1];

	(void)state;
	for (unsigned int n = 0; n < FIB_NBR_HOLD_MAX + 3; n++)
		resolve(t, 0, HOST, packet(mark(n)), START, record_act, &rec);
	snprintf(want, sizeof(want), "RD%cD%cD%c", mark(0), mark(1), mark(2));
	assert_string_equal(rec.text, want);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, FIB_NBR_HOLD_MAX);
	assert_int_equal(st.hold_dropped, 3);
	rec = (struct record){0};
	fib_nbr_learn(t, 0, HOST, mac_a, false, START + 1, record_act, &rec);
	for (unsigned int n = 0; n < FIB_NBR_HOLD_MAX; n++) {
		want[2 * n] = 'S';
		want[2 * n + 1] = mark(n + 3);
	}
	want[2 * FIB_NBR_HOLD_MAX] = '\0';
	assert_string_equal(rec.text, want);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, 0);
	unmake(t);
}

static void
hold_total_drops_the_new_packet(void **state)
{
	const uint32_t hosts = FIB_NBR_HOLD_TOTAL / FIB_NBR_HOLD_MAX;
	struct fib_nbr_table *t = make(4096, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;

	(void)state;
	for (uint32_t i = 0; i < FIB_NBR_HOLD_TOTAL; i++)
		resolve(t, 0, HOST + i % hosts, packet('x'), START, record_act, &rec);
	assert_int_equal(rec.n_drop, 0);
	assert_int_equal(rec.n_requests, hosts);

	/* another next hop: asked for all the same, its packet is not held */
	rec = (struct record){0};
	resolve(t, 0, HOST + hosts, packet('y'), START, record_act, &rec);
	assert_string_equal(rec.text, "DyR");
	/* one with a full queue makes room by its own oldest packet */
	rec = (struct record){0};
	resolve(t, 0, HOST, packet('z'), START, record_act, &rec);
	assert_string_equal(rec.text, "Dx");
	fib_nbr_stats(t, &st);
	assert_int_equal(st.held, FIB_NBR_HOLD_TOTAL);
	assert_int_equal(st.hold_dropped, 2);

	/* places that are given back are used again */
	rec = (struct record){0};
	fib_nbr_learn(t, 0, HOST, mac_a, false, START, record_act, &rec);
	assert_int_equal(rec.n_send, FIB_NBR_HOLD_MAX);
	assert_string_equal(rec.text + 2 * FIB_NBR_HOLD_MAX - 4, "SxSz");
	rec = (struct record){0};
	resolve(t, 0, HOST + hosts, packet('y'), START, record_act, &rec);
	assert_string_equal(rec.text, "");
	unmake(t); /* with packets held */
}

static void
bad_senders_change_nothing(void **state)
{
	static const struct {
		uint32_t ip;
		uint8_t mac[BASE_MAC_LEN];
		uint16_t if_index;
	} cases[] = {
		{HOST, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0},
		{HOST, {0x01, 0, 0x5e, 0, 0, 0x12}, 0}, {HOST, {0}, 0},
		{0, {0x02, 0, 0, 0, 0, 1}, 0}, {UINT32_C(0xe0000012), {0x02, 0, 0, 0, 0, 1}, 0},
		{UINT32_MAX, {0x02, 0, 0, 0, 0, 1}, 0},
		{HOST + 1, {0x02, 0, 0, 0, 0, 1}, 1}, /* no such interface */
	};
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats before, after;

	(void)state;
	resolve(t, 0, HOST, packet('1'), START, record_act, &rec);
	rec = (struct record){0};
	fib_nbr_stats(t, &before);
	for (unsigned int i = 0; i < N_OF(cases); i++)
		fib_nbr_learn(t, cases[i].if_index, cases[i].ip, cases[i].mac, true, START,
			record_act, &rec);
	fib_nbr_stats(t, &after);
	assert_string_equal(rec.text, "");
	assert_int_equal(after.entries, before.entries);
	assert_int_equal(after.learned, 0);
	assert_int_equal(after.table_full, 1);
	assert_int_equal(state_of(t, 0, HOST), FIB_NBR_INCOMPLETE);

	resolve(t, 1, HOST, packet('2'), START, record_act, &rec);
	assert_string_equal(rec.text, "D2");
	unmake(t);
}

static void
counters_count(void **state)
{
	struct fib_nbr_table *t = make(64, 1);
	struct record rec = {0};
	struct fib_nbr_stats st;

	(void)state;
	resolve(t, 0, HOST, packet('1'), START, record_act, &rec);
	fib_nbr_learn(t, 0, HOST, mac_a, false, START, record_act, &rec);
	fib_nbr_tick(t, START + FIB_NBR_REACHABLE_NS, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.requests, 2);
	assert_int_equal(st.learned, 1);
	/* confirmed: nothing new; another MAC: news */
	fib_nbr_learn(t, 0, HOST, mac_a, false, START + 1, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.learned, 1);
	fib_nbr_learn(t, 0, HOST, mac_b, false, START + 2, record_act, &rec);
	resolve(t, 0, HOST + 1, packet('2'), START, record_act, &rec);
	for (uint64_t s = 1; s <= 3; s++)
		fib_nbr_tick(t, START + s * BASE_NS_PER_S, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.learned, 2);
	assert_int_equal(st.failed, 1);
	assert_int_equal(st.requests, 5);
	assert_int_equal(st.entries, 2);
	assert_int_equal(st.held, 0);
	assert_int_equal(st.hold_dropped, 0);
	assert_int_equal(st.table_full, 0);
	unmake(t);
}

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
	for (uint32_t i = 0; i < live; i++)
		fib_nbr_learn(t, 0, HOST + i, mac_a, true, now, record_act, &rec);
	now += FIB_NBR_REACHABLE_NS;
	while (fib_nbr_deadline(t) <= now)
		fib_nbr_tick(t, now, record_act, &rec);
	assert_int_equal(rec.n_requests, live);
	for (uint32_t i = 1; i < live; i++) /* the first stays in PROBE */
		fib_nbr_learn(t, 0, HOST + i, mac_a, false, now, record_act, &rec);

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
	fib_nbr_learn(t, 0, HOST + live, mac_b, true, now, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 0, HOST + live, mac));
	resolve(t, 1, HOST, packet('y'), now, record_act, &rec);
	fib_nbr_learn(t, 1, HOST, mac_b, false, now, record_act, &rec);
	assert_string_equal(rec.text, "RSy");

	/* it goes on for ten seconds: the places of the failed come free, the rest stays */
	rec = (struct record){0};
	for (uint32_t i = 0; i < 65536; i++) {
		now += 10 * BASE_NS_PER_S / 65536;
		fib_nbr_tick(t, now, record_act, &rec);
		if (i % 32768 == 0)
			fib_nbr_learn(t, 0, HOST, mac_a, false, now, record_act, &rec);
		resolve(t, 0, UINT32_C(0x0a010000) + i, packet('x'), now, record_act, &rec);
	}
	assert_true(rec.n_fail >= 128);
	fib_nbr_stats(t, &st);
	assert_int_equal(rec.n_fail + rec.n_drop + st.held, 65536 + 128);
	for (uint32_t i = 0; i < live; i++)
		assert_true(fib_nbr_lookup(t, 0, HOST + i, mac));
	unmake(t);
}

/* Forged senders fill an interface's share and no other's. */
static void
share_limits_learning(void **state)
{
	struct fib_nbr_table *t = make(1024, 4);
	struct record rec = {0};
	struct fib_nbr_stats st;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		fib_nbr_learn(t, 0, HOST + i, mac_a, true, START, record_act, &rec);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 512);
	assert_int_equal(st.learned, 512);
	assert_int_equal(st.table_full, 2000 - 512);
	assert_true(fib_nbr_lookup(t, 0, HOST + 511, mac));
	assert_false(fib_nbr_lookup(t, 0, HOST + 512, mac));
	fib_nbr_learn(t, 1, HOST + 512, mac_a, true, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 1, HOST + 512, mac));
	unmake(t);
}

static void
tick_is_bounded(void **state)
{
	struct fib_nbr_table *t = make(4096, 1);
	struct record rec = {0};
	unsigned int calls = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		fib_nbr_learn(t, 0, HOST + i, mac_a, true, START, record_act, &rec);
	while (fib_nbr_deadline(t) <= START + FIB_NBR_REACHABLE_NS) {
		unsigned int before = rec.n_requests;

		fib_nbr_tick(t, START + FIB_NBR_REACHABLE_NS, record_act, &rec);
		assert_in_range(rec.n_requests - before, 1, 100);
		calls++;
	}
	assert_int_equal(rec.n_requests, 1000);
	assert_in_range(calls, 10, 1000);
	/* an idle clock at the end of time does not turn in circles */
	fib_nbr_tick(t, BASE_NS_NEVER, record_act, &rec);
	unmake(t);
}

static int
setup(void **state)
{
	if (eal_setup(state) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create(
		"pool", POOL_MBUFS, 0, 0, RTE_PKTMBUF_HEADROOM + 64, SOCKET_ID_ANY);
	return pool == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	rte_mempool_free(pool);
	return eal_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_machine),
		cmocka_unit_test(hold_queue_keeps_the_newest),
		cmocka_unit_test(hold_total_drops_the_new_packet),
		cmocka_unit_test(bad_senders_change_nothing),
		cmocka_unit_test(counters_count),
		cmocka_unit_test(scan_neither_evicts_nor_exhausts),
		cmocka_unit_test(share_limits_learning),
		cmocka_unit_test(tick_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
