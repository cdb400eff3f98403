/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbours of IPv6: what RFC 4861 says about each message, and what the families share. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_random.h>

#include "base_assert.h"
#include "base_bytes.h"
#include "fib_nbr.h"

#include "test_fib_eal.h"

#define N_OF(a)	   (sizeof(a) / sizeof((a)[0]))
#define POOL_MBUFS 2047
#define START	   (1000 * BASE_NS_PER_S)
#define MS(n)	   ((n)*BASE_NS_PER_MS)

static const uint8_t mac_a[BASE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x0a};
static const uint8_t mac_b[BASE_MAC_LEN] = {0x02, 0, 0, 0, 0, 0x0b};
static const uint8_t group_mac[BASE_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};
static const struct base_addr host = {BASE_FAMILY_IP6, {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 0x64}};

static struct rte_mempool *pool;

/* Actions in their order, as in test_fib_nbr_resolve.c. */
struct record {
	char text[128];
	unsigned int n;
	uint8_t mac[BASE_MAC_LEN];
};

static void
record_act(void *arg, const struct fib_nbr_action *a)
{
	struct record *r = arg;
	static const char letters[] = {[FIB_NBR_ACT_REQUEST] = 'R',
		[FIB_NBR_ACT_SEND] = 'S',
		[FIB_NBR_ACT_FAIL] = 'F',
		[FIB_NBR_ACT_DROP] = 'D'};
	size_t len = strlen(r->text);

	if (len + 1 < sizeof(r->text))
		r->text[len] =
			a->type == FIB_NBR_ACT_REQUEST && a->has_mac ? 'r' : letters[a->type];
	r->n++;
	if (a->has_mac)
		memcpy(r->mac, a->mac, BASE_MAC_LEN);
	assert_int_equal(a->m != NULL, a->type != FIB_NBR_ACT_REQUEST);
	rte_pktmbuf_free(a->m);
}

static struct rte_mbuf *
packet(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	BASE_ASSERT(m != NULL);
	return m;
}

static struct fib_nbr_table *
make(uint32_t max, uint16_t if_count)
{
	struct fib_nbr_table *t = fib_nbr_create("t", max, if_count, NULL, 0);

	assert_non_null(t);
	return t;
}

static void
unmake(struct fib_nbr_table *t)
{
	fib_nbr_destroy(t);
	assert_int_equal(rte_mempool_avail_count(pool), POOL_MBUFS);
}

static enum fib_nbr_state
state_of(const struct fib_nbr_table *t, const struct base_addr *addr)
{
	struct fib_nbr_row row;
	uint32_t cursor = 0;

	while (fib_nbr_rows(t, &cursor, &row, 1) == 1)
		if (memcmp(&row.addr, addr, sizeof(*addr)) == 0)
			return row.state;
	return FIB_NBR_ABSENT;
}

enum op {
	OP_END,
	OP_PACKET, /* one to resolve */
	OP_ASK,	   /* resolve without a packet */
	OP_NS,	   /* the host asked for an address of ours */
	OP_NA,	   /* flags as below */
	OP_TICK,
};
enum { SOLICITED = 1, OVERRIDE = 2 };

struct step {
	uint64_t at_ms; /* since START */
	enum op op;
	char tag; /* the MAC, a or b; 0: none, g: a group's */
	unsigned int flags;
	const char *actions;
	enum fib_nbr_state state; /* afterwards */
	char mac;		  /* what a worker finds: a, b or 0 */
	uint64_t deadline_ms;	  /* afterwards; 0: never */
};

#define I  FIB_NBR_INCOMPLETE
#define R  FIB_NBR_REACHABLE
#define S  FIB_NBR_STALE
#define P  FIB_NBR_PROBE
#define F  FIB_NBR_FAILED
#define A  FIB_NBR_ABSENT
#define SO (SOLICITED | OVERRIDE)

static const struct {
	const char *name;
	struct step steps[16];
} machines[] = {
	{"asked, answered, probed, answered",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {4, OP_PACKET, 0, 0, "", I, 0, 1000},
			{7, OP_NA, 'a', SO, "SS", R, 'a', 60007},
			{60007, OP_TICK, 0, 0, "r", P, 'a', 61007},
			{60010, OP_PACKET, 0, 0, "S", P, 'a', 61007},
			{60020, OP_NA, 0, SOLICITED, "", R, 'a', 120020}, {0}}},
	{"asked three times in vain",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {1000, OP_TICK, 0, 0, "R", I, 0, 2000},
			{2000, OP_TICK, 0, 0, "R", I, 0, 3000},
			{3000, OP_TICK, 0, 0, "F", F, 0, 6000},
			{3001, OP_PACKET, 0, 0, "F", F, 0, 6000},
			{4000, OP_NA, 'a', SO, "", R, 'a', 64000}, {0}}},
	{"gone: probed three times, then forgotten",
		{{0, OP_NS, 'a', 0, "", S, 'a', 5000}, {5000, OP_TICK, 0, 0, "r", P, 'a', 6000},
			{6000, OP_TICK, 0, 0, "r", P, 'a', 7000},
			{7000, OP_TICK, 0, 0, "r", P, 'a', 8000},
			{8000, OP_TICK, 0, 0, "", A, 0, 0}, {0}}},
	{"an advertisement makes nobody known",
		{{0, OP_NA, 'a', SO, "", A, 0, 0}, {1, OP_NA, 'a', OVERRIDE, "", A, 0, 0}, {0}}},
	{"an answer without a MAC is none",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {1, OP_NA, 0, SO, "", I, 0, 1000},
			{2, OP_NA, 'g', SO, "", I, 0, 1000},
			{3, OP_NA, 'a', OVERRIDE, "S", S, 'a', 5003}, {0}}},
	{"unsolicited with override: the MAC is taken and asked about",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {1, OP_NA, 'a', SO, "S", R, 'a', 60001},
			{2, OP_NA, 'a', OVERRIDE, "", R, 'a', 60001},
			{3, OP_NA, 'b', OVERRIDE, "", S, 'b', 5003},
			{4, OP_PACKET, 0, 0, "S", S, 'b', 5003},
			{5003, OP_TICK, 0, 0, "r", P, 'b', 6003},
			{5010, OP_NA, 'b', SOLICITED, "", R, 'b', 65010}, {0}}},
	{"without override: the MAC stays, and is asked about",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {1, OP_NA, 'a', SO, "S", R, 'a', 60001},
			{2, OP_NA, 'b', SOLICITED, "", S, 'a', 5002},
			{3, OP_NA, 'b', 0, "", S, 'a', 5002},
			{4, OP_NA, 'a', SOLICITED, "", R, 'a', 60004}, {0}}},
	{"asking us makes it known",
		{{1, OP_NS, 'g', 0, "", A, 0, 0}, {2, OP_NS, 'a', 0, "", S, 'a', 5002},
			{3, OP_NA, 'a', SO, "", R, 'a', 60003},
			{4, OP_NS, 'a', 0, "", R, 'a', 60003}, {5, OP_NS, 'b', 0, "", S, 'b', 5005},
			{0}}},
	{"who asks is answered, held packets and all",
		{{0, OP_PACKET, 0, 0, "R", I, 0, 1000}, {1, OP_NS, 'a', 0, "S", S, 'a', 5001},
			{0}}},
	{"asked about without a packet",
		{{0, OP_ASK, 0, 0, "R", I, 0, 1000}, {1, OP_ASK, 0, 0, "", I, 0, 1000},
			{1000, OP_TICK, 0, 0, "R", I, 0, 2000},
			{1001, OP_NA, 'a', SO, "", R, 'a', 61001},
			{1002, OP_ASK, 0, 0, "", R, 'a', 61001}, {0}}},
};

#undef I
#undef R
#undef S
#undef P
#undef F
#undef A

static void
run_step(struct fib_nbr_table *t, const struct step *s, struct record *rec)
{
	const uint8_t *mac = s->tag == 'b' ? mac_b : s->tag == 'g' ? group_mac : mac_a;
	base_ns_t now = START + MS(s->at_ms);

	switch (s->op) {
	case OP_PACKET:
		fib_nbr_resolve(t, 1, &host, packet(), now, record_act, rec);
		break;
	case OP_ASK:
		fib_nbr_resolve(t, 1, &host, NULL, now, record_act, rec);
		break;
	case OP_NS:
		fib_nbr_asker(t, 1, &host, mac, now, record_act, rec);
		break;
	case OP_NA:
		fib_nbr_advertised(t, 1, &host, s->tag != 0 ? mac : NULL,
			(s->flags & SOLICITED) != 0, (s->flags & OVERRIDE) != 0, now, record_act,
			rec);
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
			if (state_of(t, &host) != s->state)
				fail_msg("%s, step %ld: state %s", machines[k].name, at,
					fib_nbr_state_name(state_of(t, &host)));
			found = fib_nbr_lookup6(t, 1, host.bytes, mac) ? 'a' : 0;
			if (found != 0 && memcmp(mac, mac_b, BASE_MAC_LEN) == 0)
				found = 'b';
			if (found != s->mac)
				fail_msg("%s, step %ld: MAC %c", machines[k].name, at,
					found != 0 ? found : '-');
			if (fib_nbr_deadline(t) != want)
				fail_msg("%s, step %ld: deadline %" PRIu64, machines[k].name, at,
					fib_nbr_deadline(t));
			if (strpbrk(rec.text, "rS") != NULL)
				assert_memory_equal(
					rec.mac, s->mac == 'b' ? mac_b : mac_a, BASE_MAC_LEN);
			assert_false(fib_nbr_lookup6(t, 0, host.bytes, mac));
		}
		unmake(t);
	}
}

/* Numbers that are the same in both families are not the same neighbour, and both are shown. */
static void
families_do_not_mix(void **state)
{
	struct fib_nbr_table *t = make(64, 2);
	struct record rec = {0};
	uint8_t ip6[16] = {0xc0, 0, 2, 9};
	const uint32_t ip4 = UINT32_C(0xc0000209);
	struct base_addr four = base_addr_from_ip4(ip4), six = base_addr_from_ip6(ip6);
	struct fib_nbr_stats st;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	fib_nbr_asker(t, 1, &four, mac_a, START, record_act, &rec);
	assert_false(fib_nbr_lookup6(t, 1, ip6, mac));
	fib_nbr_asker(t, 1, &six, mac_b, START, record_act, &rec);
	assert_true(fib_nbr_lookup(t, 1, ip4, mac));
	assert_memory_equal(mac, mac_a, BASE_MAC_LEN);
	assert_true(fib_nbr_lookup6(t, 1, ip6, mac));
	assert_memory_equal(mac, mac_b, BASE_MAC_LEN);
	assert_int_equal(state_of(t, &four), FIB_NBR_STALE);
	assert_int_equal(state_of(t, &six), FIB_NBR_STALE);
	fib_nbr_stats(t, &st);
	assert_int_equal(st.entries, 2);
	assert_int_equal(st.learned, 2);
	unmake(t);
}

/* All 16 bytes and the interface tell neighbours apart. */
static void
every_byte_of_an_address_counts(void **state)
{
	struct fib_nbr_table *t = make(1024, 3);
	struct record rec = {0};
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int bit = 0; bit < 128; bit++) {
			struct base_addr addr = host;
			const uint8_t own[BASE_MAC_LEN] = {2, [5] = (uint8_t)bit};

			addr.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (round == 0) {
				fib_nbr_asker(t, 2, &addr, own, START, record_act, &rec);
				continue;
			}
			assert_true(fib_nbr_lookup6(t, 2, addr.bytes, mac));
			assert_memory_equal(mac, own, sizeof(own));
			assert_false(fib_nbr_lookup6(t, 1, addr.bytes, mac));
		}
	}
	assert_false(fib_nbr_lookup6(t, 2, host.bytes, mac));
	unmake(t);
}

static struct base_addr
scanned(uint32_t i)
{
	struct base_addr addr = host;

	base_store_be32(addr.bytes + 8, i);
	return addr;
}

/* A scan of a /64, for ten minutes: live neighbours of either family stay, and new ones come. */
static void
a_scan_evicts_nobody(void **state)
{
	struct fib_nbr_table *t = make(256, 2);
	struct record rec = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	fib_nbr_asker(t, 0, &host, mac_a, now, record_act, &rec);
	for (uint32_t i = 0; i < 60000; i++, now += MS(10)) {
		const struct base_addr addr = scanned(i + 1);
		const struct base_addr live = scanned(0);

		fib_nbr_resolve(t, 0, &addr, packet(), now, record_act, &rec);
		fib_nbr_tick(t, now, record_act, &rec);
		/* The live one answers whoever asks. */
		fib_nbr_advertised(t, 0, &host, mac_a, true, true, now, record_act, &rec);
		assert_true(fib_nbr_lookup6(t, 0, host.bytes, mac));
		if (i != 30000)
			continue;
		fib_nbr_asker(t, 0, &live, mac_b, now, record_act, &rec);
		assert_true(fib_nbr_lookup6(t, 0, live.bytes, mac));
		/* IPv4 and the other interface have their own parts. */
		for (uint32_t k = 1; k <= 100; k++) {
			const struct base_addr four = base_addr_from_ip4(k);

			fib_nbr_resolve(t, 0, &four, NULL, now, record_act, &rec);
			fib_nbr_advertised(t, 0, &four, mac_a, true, true, now, record_act, &rec);
		}
		assert_true(fib_nbr_lookup(t, 0, 100, mac));
		fib_nbr_resolve(t, 1, &addr, packet(), now, record_act, &rec);
	}
	fib_nbr_stats(t, &st);
	assert_true(st.entries < 512 && st.hold_dropped > 1000);
	assert_true(st.held <= FIB_NBR_HOLD_TOTAL);
	unmake(t);
}

/* Who claims to be ever new hosts and answers for none keeps no place from who is asked for. */
static void
a_flood_of_askers_leaves_room(void **state)
{
	struct fib_nbr_table *t = make(256, 2);
	struct record rec = {0};
	struct fib_nbr_stats st;
	base_ns_t now = START;
	uint8_t mac[BASE_MAC_LEN] = {0};

	(void)state;
	for (uint32_t i = 0; i < 60000; i++, now += MS(1)) {
		const struct base_addr liar = scanned(i + 1);

		base_store_be32(mac, UINT32_C(0x02000000) + i);

		fib_nbr_asker(t, 0, &liar, mac, now, record_act, &rec);
		fib_nbr_tick(t, now, record_act, &rec);
		if (i % 1200 != 1199)
			continue;
		/* Answered from the first time on. */
		for (unsigned int iface = 0; iface < 2; iface++) {
			struct base_addr live = host;

			live.bytes[15] = (uint8_t)(i / 1200);
			fib_nbr_resolve(t, (uint16_t)iface, &live, packet(), now, record_act, &rec);
			fib_nbr_advertised(t, (uint16_t)iface, &live, mac_a, true, true, now,
				record_act, &rec);
			assert_true(fib_nbr_lookup6(t, (uint16_t)iface, live.bytes, mac));
		}
	}
	fib_nbr_stats(t, &st);
	assert_true(st.table_full > 1000 && st.hold_dropped == 0);
	/* Once the flood is over, askers are known again, and become neighbours like any other. */
	for (unsigned int k = 0; k < 700; k++, now += MS(100))
		fib_nbr_tick(t, now, record_act, &rec);
	for (uint32_t i = 0; i < 100; i++) {
		const struct base_addr asker = scanned(i);

		fib_nbr_asker(t, 1, &asker, mac_b, now, record_act, &rec);
		fib_nbr_advertised(t, 1, &asker, NULL, true, false, now, record_act, &rec);
		assert_true(fib_nbr_lookup6(t, 1, asker.bytes, mac));
	}
	unmake(t);
}

/* Addresses in a row are what LANs are made of: no choice of the random factors may crowd them. */
static void
hosts_in_a_row_find_room(void **state)
{
	/* with which a hash that keeps a row a row had no place left for some of them */
	static const uint64_t bad[] = {2727, 3353, 6814, 7207, 18528};
	struct record rec = {0};
	uint8_t mac[BASE_MAC_LEN];

	(void)state;
	for (uint64_t n = 0; n < N_OF(bad) + 400; n++) {
		const uint64_t seed = n < N_OF(bad) ? bad[n] : n;

		rte_srand(seed);
		for (unsigned int way = 0; way < 3; way++) {
			struct fib_nbr_table *t = make(256, 2);

			for (uint32_t i = 1; i <= 100; i++) {
				struct base_addr a = way == 0 ? scanned(i)
					: way == 1	      ? host
							      : base_addr_from_ip4(0xc0000200 + i);

				if (way == 1)
					a.bytes[15] = (uint8_t)i;
				fib_nbr_asker(t, 1, &a, mac_b, START, record_act, &rec);
				fib_nbr_advertised(
					t, 1, &a, NULL, true, false, START, record_act, &rec);
				if (way == 2 ? !fib_nbr_lookup(t, 1, base_addr_ip4(&a), mac)
					     : !fib_nbr_lookup6(t, 1, a.bytes, mac))
					fail_msg("seed %" PRIu64 ": the %u. of way %u found none",
						seed, i, way);
			}
			unmake(t);
		}
	}
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
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(every_byte_of_an_address_counts),
		cmocka_unit_test(a_scan_evicts_nobody),
		cmocka_unit_test(a_flood_of_askers_leaves_room),
		cmocka_unit_test(hosts_in_a_row_find_room),
	};

	return cmocka_run_group_tests_name("fib_nbr6", tests, setup, teardown);
}
