/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef TEST_FIB_NBR_RIG_H
#define TEST_FIB_NBR_RIG_H

/** @file What tests of the resolver share: packets, a record of its actions, words of hosts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "base_assert.h"
#include "base_bytes.h"
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

static inline struct rte_mbuf *
packet(char tag)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	BASE_ASSERT(m != NULL); /* unlike cmocka's, known not to return */
	m->data_len = 1;
	m->pkt_len = 1;
	*rte_pktmbuf_mtod(m, char *) = tag;
	return m;
}

static inline void
note(struct record *r, char c)
{
	if (r->len + 1 < sizeof(r->text)) {
		r->text[r->len++] = c;
		r->text[r->len] = '\0';
	}
}

static inline void
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

static inline struct fib_nbr_table *
make(uint32_t max, uint16_t if_count)
{
	struct fib_nbr_table *t = fib_nbr_create("t", max, if_count, NULL, 0);

	assert_non_null(t);
	return t;
}

/* End of a test: every packet is back. */
static inline void
unmake(struct fib_nbr_table *t)
{
	fib_nbr_destroy(t);
	assert_int_equal(rte_mempool_avail_count(pool), POOL_MBUFS);
}

static inline void
resolve(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, struct rte_mbuf *m, base_ns_t now,
	fib_nbr_act_fn act, void *arg)
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	fib_nbr_resolve(t, if_index, &addr, m, now, act, arg);
}

static inline enum fib_nbr_state
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

/* What ARP says of a host. */
static inline void
answer(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, const uint8_t *mac, base_ns_t now,
	fib_nbr_act_fn act, void *arg)
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	fib_nbr_advertised(t, if_index, &addr, mac, true, true, now, act, arg);
}

static inline void
asker(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, const uint8_t *mac, base_ns_t now,
	fib_nbr_act_fn act, void *arg)
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	fib_nbr_asker(t, if_index, &addr, mac, now, act, arg);
}

/* A host that answered us. */
static inline void
meet(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, const uint8_t *mac, base_ns_t now,
	fib_nbr_act_fn act, void *arg)
{
	asker(t, if_index, ip, mac, now, act, arg);
	answer(t, if_index, ip, mac, now, act, arg);
}

/* One MAC for each host. */
static inline const uint8_t *
mac_of(uint32_t ip)
{
	static uint8_t mac[BASE_MAC_LEN] = {0x02, 1};

	for (unsigned int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(ip >> (24 - 8 * i));
	return mac;
}

static inline int
setup(void **state)
{
	if (eal_setup(state) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create(
		"pool", POOL_MBUFS, 0, 0, RTE_PKTMBUF_HEADROOM + 64, SOCKET_ID_ANY);
	return pool == NULL ? -1 : 0;
}

static inline int
teardown(void **state)
{
	rte_mempool_free(pool);
	return eal_teardown(state);
}

#endif
