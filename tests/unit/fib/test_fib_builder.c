/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The builder thread, and readers that look up while it changes routes: what a reader holds is not
 * used again before it reports, and routes that no change is about stay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "base_rand.h"
#include "fib_builder.h"

#include "test_fib_eal.h"
#include "test_fib_routes.h"

#define READERS 2
#define ROUNDS	600

struct box {
	struct fib *f;
	struct fib_builder *b;
	struct rte_rcu_qsbr *qsbr;
	atomic_bool stop;
	atomic_uint wrong;
	atomic_ulong lookups;
};

/* A gateway says by its address which prefix it may serve: 10.X/16 has gateways X<<16 | any. */
static void
steady_routes(struct fib_route routes[64])
{
	for (uint32_t i = 0; i < 64; i++)
		routes[i] = gateway(IP(10, i, 0, 0), 16, i << 16);
}

struct reader {
	struct box *box;
	unsigned int id;
};

/* A next hop that belongs to 10.X/16, and to no other. */
static bool
belongs(const struct fib_nh *nh, uint32_t x)
{
	if (nh->type == FIB_NH_GATEWAY)
		return nh->gateway >> 16 == x;
	if (nh->type != FIB_NH_MULTI)
		return false;
	for (unsigned int i = 0; i < nh->n_paths; i++)
		if (nh->paths[i].type != FIB_NH_GATEWAY || nh->paths[i].gateway >> 16 != x)
			return false;
	return true;
}

static void *
reader_main(void *arg)
{
	const struct reader *r = arg;
	struct box *box = r->box;
	struct base_rand rnd;

	base_rand_init(&rnd, r->id + 1);
	rte_rcu_qsbr_thread_register(box->qsbr, r->id);
	rte_rcu_qsbr_thread_online(box->qsbr, r->id);
	while (!atomic_load(&box->stop)) {
		const struct fib_nh *nhs[32];
		uint64_t serial[32];
		uint32_t dst[32];

		for (unsigned int i = 0; i < 32; i++)
			dst[i] = IP(10, base_rand_below(&rnd, 64), base_rand_below(&rnd, 3),
				base_rand_below(&rnd, 256));
		fib_lookup(box->f, dst, nhs, 32);
		for (unsigned int i = 0; i < 32; i++)
			serial[i] = nhs[i]->serial;
		/* the builder works on meanwhile */
		for (unsigned int again = 0; again < 50; again++) {
			for (unsigned int i = 0; i < 32; i++)
				if (!belongs(nhs[i], dst[i] >> 16 & 0xff) ||
					nhs[i]->serial != serial[i])
					atomic_fetch_add(&box->wrong, 1);
		}
		/* and the routers, each as a whole, in the middle of changes */
		for (uint32_t cursor = 0, first = 1; first || cursor != 0; first = 0) {
			struct fib_gateway gw[16];
			uint32_t n = fib_gateways(box->f, &cursor, gw, 16);

			for (uint32_t i = 0; i < n; i++)
				if (gw[i].if_index != 1 || gw[i].addr.family != BASE_FAMILY_IP4 ||
					base_addr_ip4(&gw[i].addr) >> 16 >= 64)
					atomic_fetch_add(&box->wrong, 1);
		}
		atomic_fetch_add(&box->lookups, 32);
		rte_rcu_qsbr_quiescent(box->qsbr, r->id);
		sched_yield(); /* the builder is to have its turn where there are few CPUs */
	}
	rte_rcu_qsbr_thread_offline(box->qsbr, r->id);
	rte_rcu_qsbr_thread_unregister(box->qsbr, r->id);
	return NULL;
}

static void
box_open(struct box *box)
{
	struct fib_route routes[64];
	char err[128] = "";

	memset(box, 0, sizeof(*box));
	box->qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(READERS), RTE_CACHE_LINE_SIZE);
	assert_non_null(box->qsbr);
	assert_int_equal(rte_rcu_qsbr_init(box->qsbr, READERS), 0);
	steady_routes(routes);
	box->f = fib_build(routes, 64, box->qsbr, 0, err, sizeof(err));
	assert_non_null(box->f);
	box->b = fib_builder_start(box->f);
	assert_non_null(box->b);
}

static void
box_close(struct box *box)
{
	fib_builder_stop(box->b);
	fib_free(box->f);
	rte_free(box->qsbr);
}

/* A change in 10.X/16 with a next hop of its own, often a new one: places are used again. */
static struct fib_change
random_change(struct base_rand *rnd, struct fib_nh paths[3])
{
	uint32_t x = (uint32_t)base_rand_below(rnd, 64);
	uint8_t plen = (uint8_t)(16 + base_rand_below(rnd, 17));
	uint32_t ip = IP(10, x, base_rand_below(rnd, 3), base_rand_below(rnd, 256));
	struct fib_change c = {.op = FIB_SET, .runtime = true};

	c.route = gateway(
		ip & base_ip4_mask(plen), plen, x << 16 | (uint32_t)base_rand_below(rnd, 0x10000));
	if (plen > 16 && base_rand_below(rnd, 3) == 0)
		c.op = FIB_REMOVE;
	if (base_rand_below(rnd, 4) == 0) {
		for (uint32_t i = 0; i < 3; i++)
			paths[i] = gateway(0, 0, x << 16 | i).nh;
		paths[2].gateway = c.route.nh.gateway | 4;
		c.route.nh = (struct fib_nh){.type = FIB_NH_MULTI,
			.group = FIB_GROUP_NONE,
			.n_paths = 3,
			.paths = paths};
	}
	return c;
}

static void
readers_never_see_what_is_not_theirs(void **state)
{
	struct reader readers[READERS];
	pthread_t thread[READERS];
	struct fib_builder_stats stats;
	struct fib_memory mem;
	struct base_rand rnd;
	struct box box;
	char err[128];

	(void)state;
	box_open(&box);
	for (unsigned int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){&box, i};
		assert_int_equal(pthread_create(&thread[i], NULL, reader_main, &readers[i]), 0);
	}
	while (atomic_load(&box.lookups) == 0)
		sched_yield();
	base_rand_init(&rnd, 77);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct fib_nh paths[3];
		struct fib_change c = random_change(&rnd, paths);
		int ret = fib_builder_change(box.b, &c, 1, err, sizeof(err));

		assert_true(ret == 0 || (ret == -ENOENT && c.op == FIB_REMOVE));
	}
	atomic_store(&box.stop, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&box.wrong), 0);
	fib_builder_stats(box.b, &stats);
	assert_true(stats.changes > ROUNDS / 2);
	assert_int_equal(stats.changes + stats.refused, ROUNDS);
	/* more next hops than one byte can name: the table was made larger under the readers */
	fib_memory(fib_builder_read(box.b), &mem);
	fib_builder_read_end(box.b);
	assert_true(mem.rebuilt >= 1);
	box_close(&box);
}

/* While a reader does not report, nothing that it may hold is used again. */
static void
places_wait_for_a_reader_that_stands_still(void **state)
{
	struct fib_route r = gateway(IP(10, 5, 0, 0), 16, 5 << 16);
	uint32_t dst = IP(10, 5, 1, 1);
	struct fib_change c = {.op = FIB_SET, .route = r};
	const struct fib_nh *held, *now;
	struct box box;
	char err[128];

	(void)state;
	box_open(&box);
	rte_rcu_qsbr_thread_register(box.qsbr, 0);
	rte_rcu_qsbr_thread_online(box.qsbr, 0);
	fib_lookup(box.f, &dst, &held, 1);
	for (uint32_t i = 1; i < 60; i++) {
		c.route.nh.gateway = 5 << 16 | i;
		assert_int_equal(fib_builder_change(box.b, &c, 1, err, sizeof(err)), 0);
		fib_lookup(box.f, &dst, &now, 1);
		assert_int_equal(now->gateway, 5 << 16 | i);
		assert_ptr_not_equal(now, held);
		assert_int_equal(held->gateway, 5 << 16);
	}
	/* It reports, and the place is used again: for one of as many next hops more. */
	rte_rcu_qsbr_quiescent(box.qsbr, 0);
	for (uint32_t i = 0; i < 60 && now != held; i++) {
		c.route = gateway(IP(10, 5, 1, i), 32, 5 << 16 | (1000 + i));
		assert_int_equal(fib_builder_change(box.b, &c, 1, err, sizeof(err)), 0);
		dst = IP(10, 5, 1, i);
		fib_lookup(box.f, &dst, &now, 1);
	}
	assert_ptr_equal(now, held);
	rte_rcu_qsbr_thread_offline(box.qsbr, 0);
	rte_rcu_qsbr_thread_unregister(box.qsbr, 0);
	box_close(&box);
}

static void *
asker_main(void *arg)
{
	struct reader *r = arg;
	char err[128];

	for (uint32_t i = 0; i < 100; i++) {
		struct fib_change c = {
			.op = FIB_SET, .route = gateway(IP(20, r->id, i >> 8, i), 32, 1 + i % 7)};

		if (fib_builder_change(r->box->b, &c, 1, err, sizeof(err)) != 0)
			atomic_fetch_add(&r->box->wrong, 1);
	}
	return NULL;
}

/* Several ask at once and get all that they asked for, each its own answer. */
static void
askers_share_a_batch(void **state)
{
	struct reader askers[8];
	pthread_t thread[8];
	struct fib_builder_stats stats;
	struct fib_route bad = gateway(0, 8, 1);
	struct fib_replaced done;
	struct fib_change c = {.op = FIB_REMOVE, .route = gateway(0, 9, 1)};
	struct box box;
	char err[128] = "";

	(void)state;
	box_open(&box);
	for (unsigned int i = 0; i < 8; i++) {
		askers[i] = (struct reader){&box, i};
		assert_int_equal(pthread_create(&thread[i], NULL, asker_main, &askers[i]), 0);
	}
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&box.wrong), 0);
	assert_int_equal(fib_route_count(fib_builder_read(box.b)), 64 + 8 * 100);
	fib_builder_read_end(box.b);
	fib_builder_stats(box.b, &stats);
	assert_int_equal(stats.changes, 8 * 100);
	assert_true(stats.batches <= stats.changes);
	assert_int_equal(fib_builder_change(box.b, &c, 1, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "there is no route to 0.0.0.0/9");
	bad.nh.type = 99;
	assert_int_equal(
		fib_builder_replace(box.b, &bad, 1, false, &done, NULL, err, sizeof(err)), -EINVAL);
	bad.nh.type = FIB_NH_BLACKHOLE;
	assert_int_equal(
		fib_builder_replace(box.b, &bad, 1, false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(done.removed, 64 + 8 * 100);
	/* of an address */
	bad.nh.type = FIB_NH_LOCAL;
	assert_int_equal(
		fib_builder_replace(box.b, &bad, 1, false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(fib_route_count(fib_builder_read(box.b)), 1);
	fib_builder_read_end(box.b);
	assert_int_equal(
		fib_builder_replace(box.b, NULL, 0, false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(fib_route_count(fib_builder_read(box.b)), 0);
	fib_builder_read_end(box.b);
	box_close(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_what_is_not_theirs),
		cmocka_unit_test(places_wait_for_a_reader_that_stands_still),
		cmocka_unit_test(askers_share_a_batch),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
