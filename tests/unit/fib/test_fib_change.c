/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Changing routes one by one and all at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base_rand.h"
#include "fib.h"

#include "test_fib_eal.h"
#include "test_fib_routes.h"

#define MODEL_MAX 600

static char err[128];

static struct fib *
build(const struct fib_route *routes, uint32_t n)
{
	struct fib *f = fib_build(routes, n, NULL, 0, err, sizeof(err));

	assert_non_null(f);
	return f;
}

static int
set(struct fib *f, const struct fib_route *r)
{
	const struct fib_change c = {.op = FIB_SET, .runtime = true, .route = *r};

	err[0] = '\0';
	return fib_change(f, &c, 1, err, sizeof(err));
}

static int
unset(struct fib *f, const struct fib_route *r)
{
	const struct fib_change c = {.op = FIB_REMOVE, .route = {.prefix = r->prefix}};

	err[0] = '\0';
	return fib_change(f, &c, 1, err, sizeof(err));
}

/* The routes that should be there, and a table to which the same was done. */
struct model {
	struct fib *f;
	struct base_rand rnd;
	bool ip6;
	uint32_t n;
	struct fib_route route[MODEL_MAX];
};

/* Prefixes that nest: few values for each byte, all lengths. */
static struct base_prefix
random_prefix(struct model *m)
{
	struct base_prefix p = {.addr.family = m->ip6 ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4};
	unsigned int bytes = m->ip6 ? 16 : 4;

	for (unsigned int i = 0; i < bytes; i++)
		p.addr.bytes[i] = (uint8_t)(base_rand_below(&m->rnd, 3) * (i == 3 ? 0x55 : 0x80));
	p.plen = (uint8_t)base_rand_below(&m->rnd, bytes * 8 + 1);
	for (unsigned int bit = p.plen; bit < 128; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return p;
}

static uint32_t
find(const struct model *m, const struct base_prefix *p)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (memcmp(&m->route[i].prefix, p, sizeof(*p)) == 0)
			return i;
	return m->n;
}

/* A change to the model, not to the table yet; false when it is none. */
static bool
random_change(struct model *m, struct fib_change *c)
{
	struct base_prefix p = random_prefix(m);
	bool full = m->n == MODEL_MAX;
	uint32_t at;

	if (m->n > 0 && (full || base_rand_below(&m->rnd, 5) < 2)) {
		at = (uint32_t)base_rand_below(&m->rnd, m->n);
		*c = (struct fib_change){.op = FIB_REMOVE, .route.prefix = m->route[at].prefix};
		m->route[at] = m->route[--m->n];
		return true;
	}
	at = find(m, &p);
	*c = (struct fib_change){.op = FIB_SET, .runtime = true};
	c->route = m->ip6 ? gateway6(&p, (uint8_t)(1 + base_rand_below(&m->rnd, 250)))
			  : gateway(base_addr_ip4(&p.addr), p.plen,
				    1 + (uint32_t)base_rand_below(&m->rnd, 300));
	m->route[at] = c->route;
	m->n += at == m->n;
	return true;
}

static void
check_at(const struct model *m, const uint8_t ip[16])
{
	const struct fib_nh *nh, *want;
	uint32_t dst = (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];

	if (m->ip6)
		fib_lookup6(m->f, (const uint8_t(*)[16])(uintptr_t)ip, &nh, 1);
	else
		fib_lookup(m->f, &dst, &nh, 1);
	want = m->ip6 ? reference6(m->route, m->n, ip) : reference(m->route, m->n, dst);
	assert_true(same_way(nh, want));
}

/* Both ends of some prefixes, and the addresses beside them. */
static void
check(struct model *m, const struct base_prefix *changed)
{
	for (unsigned int i = 0; i < 8; i++) {
		struct base_prefix p = i == 0 ? *changed : random_prefix(m);
		uint8_t ends[2][16];

		ends6(&p, ends[0], ends[1]);
		if (!m->ip6)
			memset(&ends[1][4], 0, 12);
		for (unsigned int e = 0; e < 2; e++) {
			uint8_t beside[16];

			check_at(m, ends[e]);
			memcpy(beside, ends[e], 16);
			step6(beside, e == 1);
			check_at(m, beside);
		}
	}
}

/* Nothing is left of what was taken out: as many nodes and next hops as in a table made anew. */
static void
check_nothing_is_left(const struct model *m)
{
	struct fib *fresh = build(m->route, m->n);
	struct fib_memory have, want;

	fib_memory(m->f, &have);
	fib_memory(fresh, &want);
	assert_int_equal(have.nodes4, want.nodes4);
	assert_int_equal(have.nodes6, want.nodes6);
	assert_int_equal(have.next_hops, want.next_hops);
	assert_int_equal(fib_route_count(m->f), m->n);
	assert_int_equal(fib_runtime_count(m->f), m->n);
	for (uint32_t i = 0; i < m->n; i++) {
		struct fib_route a, b;

		assert_true(fib_route_get(m->f, i, &a, NULL));
		assert_true(fib_route_get(fresh, i, &b, NULL));
		assert_memory_equal(&a.prefix, &b.prefix, sizeof(a.prefix));
		assert_true(same_way(&a.nh, &b.nh));
	}
	fib_free(fresh);
}

static void
random_changes_match_a_table_made_anew(void **state)
{
	static struct fib_change c[32];
	static struct model m;

	(void)state;
	for (unsigned int run = 0; run < 6; run++) {
		memset(&m, 0, sizeof(m));
		base_rand_init(&m.rnd, 505 + run);
		m.ip6 = run % 2 == 1;
		m.f = build(NULL, 0);
		for (unsigned int i = 0; i < 1500; i++) {
			uint32_t n = 0,
				 want = i % 8 == 0 ? (uint32_t)base_rand_below(&m.rnd, 32) : 1;

			while (n < want && random_change(&m, &c[n])) {
				bool again = false;

				/* each prefix once in a list of changes */
				for (uint32_t k = 0; k < n; k++)
					again |= memcmp(&c[k].route.prefix, &c[n].route.prefix,
							 sizeof(c[k].route.prefix)) == 0;
				n++;
				if (again) {
					assert_int_equal(
						fib_change(m.f, c, n - 1, err, sizeof(err)), 0);
					c[0] = c[n - 1];
					n = 1;
					want = 1;
				}
			}
			assert_int_equal(fib_change(m.f, c, n, err, sizeof(err)), 0);
			if (n > 0)
				check(&m, &c[n - 1].route.prefix);
			if (i % 500 == 0)
				check_nothing_is_left(&m);
		}
		while (m.n > 0) {
			assert_int_equal(unset(m.f, &m.route[--m.n]), 0);
			if (m.n % 50 == 0)
				check_nothing_is_left(&m);
		}
		fib_free(m.f);
	}
}

static void
a_route_that_is_set_again_leads_elsewhere(void **state)
{
	struct fib_route r = gateway(IP(10, 0, 0, 0), 8, 1);
	struct fib *f = build(&r, 1);
	struct fib_route got;
	bool runtime = true;

	(void)state;
	assert_true(fib_route_get(f, 0, &got, &runtime));
	assert_false(runtime);
	r.nh.gateway = 2;
	assert_int_equal(set(f, &r), 0);
	assert_int_equal(gateway_of(f, IP(10, 9, 9, 9)), 2);
	assert_int_equal(fib_route_count(f), 1);
	assert_true(fib_route_get(f, 0, &got, &runtime));
	assert_true(runtime);
	assert_int_equal(fib_runtime_count(f), 1);
	fib_free(f);
}

/* The first route of a family, next hops and nodes beyond one byte: the table is made larger. */
static void
a_table_grows_with_its_contents(void **state)
{
	static const struct base_prefix p6 = P6(48, 0x20, 1, 0x0d, 0xb8, 0, 7);
	struct fib_route r6 = gateway6(&p6, 9), r = gateway(IP(10, 0, 0, 0), 8, 1);
	struct fib *f = build(&r, 1);
	const uint8_t dst6[16] = {0x20, 1, 0x0d, 0xb8, 0, 7, 1};
	const struct fib_nh *nh;
	struct fib_memory mem;

	(void)state;
	fib_memory(f, &mem);
	assert_int_equal(mem.rebuilt, 0);
	assert_int_equal(set(f, &r6), 0);
	fib_lookup6(f, &dst6, &nh, 1);
	assert_int_equal(nh->gateway6[15], 9);
	for (uint32_t i = 0; i < 2000; i++) {
		r = gateway(IP(20, 0, 0, 0) + (i << 8), 25, i + 1);
		assert_int_equal(set(f, &r), 0);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		assert_int_equal(gateway_of(f, IP(20, 0, 0, 0) + (i << 8)), i + 1);
		assert_int_equal(gateway_of(f, IP(20, 0, 0, 128) + (i << 8)), 0);
	}
	assert_int_equal(gateway_of(f, IP(10, 1, 1, 1)), 1);
	fib_memory(f, &mem);
	assert_int_equal(mem.nodes4, 2000);
	assert_in_range(mem.rebuilt, 2, 20);
	fib_free(f);
}

/* Changes until the memory is used up: the one too many is refused, and changes nothing. */
static void
out_of_memory_changes_nothing(void **state)
{
	struct fib_route r = gateway(IP(10, 0, 0, 0), 8, 1);
	struct fib *f = build(&r, 1);
	uint32_t i = 0, count;
	struct fib_memory before, after;
	static struct fib_change c[20000];
	int ret = 0;

	(void)state;
	for (i = 0; ret == 0; i++) {
		for (uint32_t k = 0; k < N_OF(c); k++)
			c[k] = (struct fib_change){.op = FIB_SET,
				.route = gateway(
					IP(20, 0, 0, 0) + ((i * (uint32_t)N_OF(c) + k) << 8), 26,
					5 + i)};
		count = fib_route_count(f);
		fib_memory(f, &before);
		ret = fib_change(f, c, N_OF(c), err, sizeof(err));
		assert_in_range(i, 0, 20);
	}
	assert_int_equal(ret, -ENOMEM);
	assert_string_equal(err, "out of memory for 20000 routes");
	assert_int_equal(fib_route_count(f), count);
	fib_memory(f, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(gateway_of(f, IP(20, 0, 0, 0)), 5);
	assert_int_equal(gateway_of(f, base_addr_ip4(&c[0].route.prefix.addr)), 0);
	/* and what fits still goes */
	assert_int_equal(unset(f, &r), 0);
	r = gateway(IP(11, 0, 0, 0), 8, 3);
	assert_int_equal(set(f, &r), 0);
	assert_int_equal(gateway_of(f, IP(11, 1, 1, 1)), 3);
	fib_free(f);
}

static void
refused_changes_say_why_and_change_nothing(void **state)
{
	const struct fib_route box[] = {
		{P4(IP(192, 0, 2, 2), 32), {FIB_NH_LOCAL, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
		{P4(IP(192, 0, 2, 0), 24), {FIB_NH_CONNECTED, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
		{P4(IP(192, 0, 2, 0), 32), {FIB_NH_DROP, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	};
	static struct fib_change many[32768];
	const struct fib_nh gw = gateway(0, 0, 7).nh;
	struct fib_route r = gateway(IP(10, 0, 0, 0), 8, 1);
	struct fib_change c[2] = {{.op = FIB_SET, .route = r}, {.op = FIB_REMOVE}};
	struct fib *f = build(box, N_OF(box));
	struct fib_memory before, after;

	(void)state;
	fib_memory(f, &before);
	for (unsigned int i = 0; i < N_OF(box); i++) {
		r.prefix = box[i].prefix;
		assert_int_equal(set(f, &r), -EPERM);
		assert_int_equal(unset(f, &r), -EPERM);
	}
	assert_string_equal(err, "192.0.2.0/32 is connected, and stays");
	r = gateway(IP(10, 0, 0, 0), 8, 1);
	assert_int_equal(unset(f, &r), -ENOENT);
	assert_string_equal(err, "there is no route to 10.0.0.0/8");
	r.prefix.plen = 33;
	assert_int_equal(set(f, &r), -EINVAL);
	assert_string_equal(err, "route 0: prefix length 33 is over 32");
	r = gateway(IP(10, 0, 0, 0), 8, 1);
	r.nh = (struct fib_nh){.type = FIB_NH_MULTI, .n_paths = 1, .paths = &gw};
	assert_int_equal(set(f, &r), -EINVAL);
	assert_string_equal(err, "route 0: several next hops are 2 to 16 gateways");

	/* A list with one bad change is refused as a whole. */
	c[1].route.prefix = (struct base_prefix)P4(IP(11, 0, 0, 0), 8);
	assert_int_equal(fib_change(f, c, 2, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "there is no route to 11.0.0.0/8");
	for (uint32_t i = 0; i < N_OF(many); i++)
		many[i] = (struct fib_change){
			.op = FIB_SET, .route = gateway(IP(20, 0, 0, 0) + (i << 8), 24, i + 1)};
	assert_int_equal(fib_change(f, many, N_OF(many), err, sizeof(err)), -E2BIG);
	assert_string_equal(err, "over 32767 distinct next hops");
	assert_int_equal(fib_route_count(f), N_OF(box));
	assert_int_equal(gateway_of(f, IP(10, 1, 1, 1)), 0);
	fib_memory(f, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	fib_free(f);
}

static void
several_next_hops_are_shared_and_given_back(void **state)
{
	struct fib_nh paths[3] = {gateway(0, 0, 1).nh, gateway(0, 0, 2).nh, gateway(0, 0, 3).nh};
	struct fib_route r = gateway(IP(10, 0, 0, 0), 8, 1);
	const uint32_t dst[2] = {IP(10, 1, 1, 1), IP(11, 1, 1, 1)};
	const struct fib_nh *nh[2];
	struct fib *f = build(&r, 1);
	struct fib_memory mem;

	(void)state;
	r.nh = (struct fib_nh){
		.type = FIB_NH_MULTI, .group = FIB_GROUP_NONE, .n_paths = 3, .paths = paths};
	assert_int_equal(set(f, &r), 0);
	r.prefix = (struct base_prefix)P4(IP(11, 0, 0, 0), 8);
	assert_int_equal(set(f, &r), 0);
	fib_lookup(f, dst, nh, 2);
	assert_ptr_equal(nh[0], nh[1]);
	assert_int_equal(nh[0]->n_paths, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(same_way(&nh[0]->paths[i], &paths[i]));
		for (unsigned int k = 0; k < i; k++)
			assert_int_not_equal(nh[0]->paths[i].serial, nh[0]->paths[k].serial);
	}
	/* one route with several, and those of it */
	fib_memory(f, &mem);
	assert_int_equal(mem.next_hops, 4);
	assert_int_equal(unset(f, &r), 0);
	r = gateway(IP(10, 0, 0, 0), 8, 3);
	assert_int_equal(set(f, &r), 0);
	fib_memory(f, &mem);
	assert_int_equal(mem.next_hops, 1);
	fib_free(f);
}

static void
a_list_replaces_all_but_what_stays(void **state)
{
	const struct fib_route first[] = {
		{P4(IP(192, 0, 2, 0), 24), {FIB_NH_CONNECTED, 0, FIB_GROUP_NONE, 0, 0, {0}, 0}},
		gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(11, 0, 0, 0), 8, 2),
		gateway(IP(12, 0, 0, 0), 8, 3),
	};
	const struct fib_route second[] = {
		first[0], gateway(IP(10, 0, 0, 0), 8, 1), gateway(IP(11, 0, 0, 0), 8, 9),
		gateway(IP(13, 0, 0, 0), 8, 4),
		gateway(IP(192, 0, 2, 0), 24, 6), /* the earlier one wins */
	};
	struct fib_route bad = gateway(0, 40, 1), r = gateway(IP(14, 0, 0, 0), 8, 8);
	struct fib *f = build(first, N_OF(first));
	struct fib_replaced done;

	(void)state;
	assert_int_equal(set(f, &r), 0);
	r = gateway(IP(10, 0, 0, 0), 8, 1);
	assert_int_equal(set(f, &r), 0);
	assert_int_equal(fib_runtime_count(f), 2);
	assert_int_equal(fib_replace(f, &bad, 1, false, &done, NULL, err, sizeof(err)), -EINVAL);
	assert_int_equal(fib_route_count(f), 5);
	assert_int_equal(
		fib_replace(f, second, N_OF(second), true, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(done.kept + done.changed + done.added, 3);
	assert_int_equal(done.removed, 2);
	assert_int_equal(fib_runtime_count(f), 2);
	assert_int_equal(gateway_of(f, IP(13, 1, 1, 1)), 0);
	assert_int_equal(
		fib_replace(f, second, N_OF(second), false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(done.kept, 1);
	assert_int_equal(done.changed, 1);
	assert_int_equal(done.added, 1);
	assert_int_equal(done.removed, 2);
	assert_int_equal(fib_runtime_count(f), 0);
	assert_int_equal(fib_route_count(f), 4);
	assert_int_equal(gateway_of(f, IP(10, 1, 1, 1)), 1);
	assert_int_equal(gateway_of(f, IP(11, 1, 1, 1)), 9);
	assert_int_equal(gateway_of(f, IP(12, 1, 1, 1)), 0);
	assert_int_equal(gateway_of(f, IP(13, 1, 1, 1)), 4);
	assert_int_equal(gateway_of(f, IP(14, 1, 1, 1)), 0);
	assert_int_equal(gateway_of(f, IP(192, 0, 2, 1)), 0);
	assert_int_equal(fib_replace(f, first, 1, false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(done.removed, 3);
	assert_int_equal(fib_route_count(f), 1);
	fib_free(f);
}

#define LOCAL(ip, group)                                     \
	{                                                    \
		P4(ip, 32),                                  \
		{                                            \
			FIB_NH_LOCAL, 0, group, 0, 0, {0}, 0 \
		}                                            \
	}
#define OF_SUBNET(ip, len, type)                              \
	{                                                     \
		P4(ip, len),                                  \
		{                                             \
			type, 0, FIB_GROUP_NONE, 0, 0, {0}, 0 \
		}                                             \
	}

static struct fib_nh
found(const struct fib *f, uint32_t dst)
{
	const struct fib_nh *nh;

	fib_lookup(f, &dst, &nh, 1);
	return *nh;
}

/* VIPs come, go and move to another group, their subnets with them; what is in both stays. */
static void
a_list_replaces_routes_of_addresses(void **state)
{
	const struct fib_route first[] = {
		LOCAL(IP(192, 0, 2, 1), 0),
		LOCAL(IP(192, 0, 2, 2), FIB_GROUP_NONE),
		LOCAL(IP(192, 0, 2, 3), 1),
		LOCAL(IP(198, 51, 100, 1), 1),
		OF_SUBNET(IP(192, 0, 2, 255), 32, FIB_NH_DROP),
		OF_SUBNET(IP(192, 0, 2, 0), 24, FIB_NH_CONNECTED),
		OF_SUBNET(IP(198, 51, 100, 0), 24, FIB_NH_CONNECTED),
		gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(203, 0, 113, 1), 32, 5),
	};
	const struct fib_route second[] = {
		LOCAL(IP(192, 0, 2, 1), 1), /* of another group */
		LOCAL(IP(192, 0, 2, 2), FIB_GROUP_NONE),
		LOCAL(IP(203, 0, 113, 1), 0), /* instead of a route of the file */
		OF_SUBNET(IP(192, 0, 2, 255), 32, FIB_NH_DROP),
		OF_SUBNET(IP(192, 0, 2, 0), 24, FIB_NH_CONNECTED), gateway(IP(10, 0, 0, 0), 8, 1),
		gateway(IP(198, 51, 100, 0), 24, 7), /* instead of a subnet */
		gateway(IP(192, 0, 2, 1), 32, 9),    /* the earlier one wins */
	};
	struct fib_route bad[N_OF(second)], r = gateway(IP(192, 0, 2, 3), 32, 9);
	struct fib *f = build(first, N_OF(first));
	struct fib_nh own = found(f, IP(192, 0, 2, 2)), net = found(f, IP(192, 0, 2, 77));
	struct fib_replaced done;

	(void)state;
	memcpy(bad, second, sizeof(second));
	bad[N_OF(bad) - 1].nh.type = 99;
	assert_int_equal(
		fib_replace(f, bad, N_OF(bad), false, &done, NULL, err, sizeof(err)), -EINVAL);
	assert_int_equal(
		fib_replace(f, second, N_OF(second), true, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(found(f, IP(192, 0, 2, 1)).group, 0);
	assert_int_equal(fib_route_count(f), N_OF(first));
	assert_int_equal(
		fib_replace(f, second, N_OF(second), false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(done.kept, 1); /* of routes of the file */
	assert_int_equal(done.changed, 1);
	assert_int_equal(done.added, 0);
	assert_int_equal(done.removed, 0);
	assert_int_equal(fib_route_count(f), N_OF(second) - 1);
	assert_int_equal(found(f, IP(192, 0, 2, 1)).type, FIB_NH_LOCAL);
	assert_int_equal(found(f, IP(192, 0, 2, 1)).group, 1);
	assert_int_equal(found(f, IP(203, 0, 113, 1)).type, FIB_NH_LOCAL);
	assert_int_equal(found(f, IP(192, 0, 2, 3)).type, FIB_NH_CONNECTED);
	assert_int_equal(gateway_of(f, IP(198, 51, 100, 1)), 7);
	assert_int_equal(found(f, IP(192, 0, 2, 2)).serial, own.serial);
	assert_int_equal(found(f, IP(192, 0, 2, 77)).serial, net.serial);
	/* a command cannot change what is of an address now, and can what is not any more */
	assert_int_equal(set(f, &r), 0);
	r = gateway(IP(203, 0, 113, 1), 32, 9);
	assert_int_equal(set(f, &r), -EPERM);
	/* back again, the command's route goes */
	assert_int_equal(
		fib_replace(f, first, N_OF(first), false, &done, NULL, err, sizeof(err)), 0);
	assert_int_equal(fib_route_count(f), N_OF(first));
	assert_int_equal(fib_runtime_count(f), 0);
	for (unsigned int i = 0; i < N_OF(first); i++) {
		struct fib_nh nh = found(f,
			base_addr_ip4(&first[i].prefix.addr) |
				(first[i].prefix.plen < 32 ? 77 : 0));

		assert_true(same_way(&nh, &first[i].nh));
	}
	fib_free(f);
}

static void
routes_are_found_by_prefix_and_address(void **state)
{
	static const struct base_prefix p6 = P6(32, 0x20, 1, 0x0d, 0xb8);
	const struct fib_route routes[] = {gateway(0, 0, 1), gateway(IP(10, 0, 0, 0), 8, 2),
		gateway(IP(10, 1, 0, 0), 16, 3), gateway(IP(12, 0, 0, 0), 8, 4), gateway6(&p6, 5)};
	const struct base_prefix between = P4(IP(11, 0, 0, 0), 8), last = P4(IP(13, 0, 0, 0), 8);
	const struct base_addr in6 = {BASE_FAMILY_IP6, {0x20, 1, 0x0d, 0xb8, 1}};
	const struct base_addr out6 = {BASE_FAMILY_IP6, {0x20, 2}};
	struct base_addr a = base_addr_from_ip4(IP(10, 1, 2, 3));
	struct fib *f = build(routes, N_OF(routes));

	(void)state;
	for (uint32_t i = 0; i < N_OF(routes); i++)
		assert_int_equal(fib_route_find(f, &routes[i].prefix), i);
	assert_int_equal(fib_route_find(f, &between), 3);
	assert_int_equal(fib_route_find(f, &last), 4);
	assert_int_equal(fib_route_match(f, &a), 2);
	a = base_addr_from_ip4(IP(10, 2, 2, 3));
	assert_int_equal(fib_route_match(f, &a), 1);
	a = base_addr_from_ip4(IP(99, 2, 2, 3));
	assert_int_equal(fib_route_match(f, &a), 0);
	assert_int_equal(fib_route_match(f, &in6), 4);
	assert_int_equal(fib_route_match(f, &out6), 5);
	fib_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_match_a_table_made_anew),
		cmocka_unit_test(a_route_that_is_set_again_leads_elsewhere),
		cmocka_unit_test(a_table_grows_with_its_contents),
		cmocka_unit_test(out_of_memory_changes_nothing),
		cmocka_unit_test(refused_changes_say_why_and_change_nothing),
		cmocka_unit_test(several_next_hops_are_shared_and_given_back),
		cmocka_unit_test(a_list_replaces_all_but_what_stays),
		cmocka_unit_test(a_list_replaces_routes_of_addresses),
		cmocka_unit_test(routes_are_found_by_prefix_and_address),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
