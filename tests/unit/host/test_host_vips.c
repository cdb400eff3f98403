/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Which VIPs the kernel is given and which are taken away, by states and by other lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_rand.h"
#include "host_priv.h"
#include "host_vips_priv.h"

#define IFS    2
#define GROUPS 4
#define ADDRS  5
#define VIPS   12

static struct host_if ifs[IFS];
static bool kernel[IFS][ADDRS]; /* what it has, address by its last byte */
static unsigned int n_set;

/* Never twice the same, or the kernel would refuse. */
static void
set(void *arg, struct host_if *f, const struct base_addr *addr, bool there)
{
	bool *has = &kernel[f - ifs][base_addr_ip4(addr) & 0xff];

	assert_ptr_equal(arg, kernel);
	assert_int_not_equal(*has, there);
	*has = there;
	n_set++;
}

static struct host_vip
vip(uint16_t group, unsigned int i, uint32_t addr)
{
	return (struct host_vip){
		.group = group, .f = &ifs[i], .addr = base_addr_from_ip4(0xc0000200 | addr)};
}

static int
setup(void **state)
{
	(void)state;
	memset(kernel, 0, sizeof(kernel));
	n_set = 0;
	return 0;
}

static void
follow(struct host_vips *v, bool first, bool second)
{
	host_vips_follow(v, (const bool[GROUPS]){first, second}, set, kernel);
}

static void
a_master_has_its_vips(void **state)
{
	struct host_vip list[] = {vip(0, 0, 1), vip(0, 0, 2), vip(1, 1, 1)};
	struct host_vips v = {3, list};

	(void)state;
	host_vips_sort(&v);
	follow(&v, true, false);
	assert_true(kernel[0][1] && kernel[0][2] && !kernel[1][1]);
	follow(&v, true, false);
	assert_int_equal(n_set, 2);
	follow(&v, false, true);
	assert_true(!kernel[0][1] && !kernel[0][2] && kernel[1][1]);
}

static void
a_shared_vip_is_there_while_one_has_it(void **state)
{
	struct host_vip list[] = {vip(0, 0, 1), vip(1, 0, 1)};
	struct host_vips v = {2, list};

	(void)state;
	host_vips_sort(&v);
	follow(&v, true, false);
	follow(&v, true, true);
	follow(&v, false, true);
	/* nor is it touched where it moves */
	follow(&v, true, false);
	assert_true(kernel[0][1]);
	assert_int_equal(n_set, 1);
	follow(&v, false, false);
	assert_false(kernel[0][1]);
}

static void
others_are_replaced(void **state)
{
	struct host_vip a[] = {vip(0, 0, 1), vip(0, 0, 2), vip(1, 0, 3)};
	struct host_vip b[] = {vip(1, 0, 1), vip(0, 0, 4), vip(2, 0, 2), vip(1, 0, 3)};
	const struct base_addr gone = a[1].addr, new = b[1].addr;
	struct host_vips was = {3, a}, now = {4, b}, none = {0};

	(void)state;
	host_vips_sort(&was);
	host_vips_sort(&now);
	follow(&was, true, true);
	n_set = 0;
	for (unsigned int i = 0; i < 4; i++)
		b[i].there = b[i].group < 2;
	host_vips_replace(&was, &now, set, kernel);
	/* .1 went to another master, .2 to a backup; .3 is as it was; .4 is new */
	assert_true(kernel[0][1] && !kernel[0][2] && kernel[0][3] && kernel[0][4]);
	assert_int_equal(n_set, 2);
	assert_true(host_vips_know(&now, &gone));
	assert_false(host_vips_know(&was, &new));
	host_vips_replace(&now, &none, set, kernel);
	for (unsigned int i = 0; i < ADDRS; i++)
		assert_false(kernel[0][i]);
}

static void
count(void *arg, struct host_if *f, const struct base_addr *addr, bool there)
{
	(void)arg;
	(void)f;
	(void)addr;
	(void)there;
	n_set++;
}

/* All that a configuration may have: where each were compared with each it would take minutes. */
static void
as_many_as_there_may_be(void **state)
{
	const uint32_t most = CONF_GROUP_MAX * CONF_VIP_MAX;
	struct host_vip *a = calloc(most, sizeof(*a)), *b = calloc(most, sizeof(*b));
	struct host_vips was = {most, a}, now = {most, b};
	static bool master[CONF_GROUP_MAX];
	uint32_t known = 0;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	/* from group to group, and half of the addresses are others */
	for (uint32_t i = 0; i < most; i++) {
		a[i] = vip((uint16_t)(i / CONF_VIP_MAX), 0, 0);
		b[i] = vip((uint16_t)((i + CONF_VIP_MAX) / CONF_VIP_MAX % CONF_GROUP_MAX), 0, 0);
		a[i].addr = base_addr_from_ip4(0x0a000000 + i);
		b[i].addr = base_addr_from_ip4(0x0a000000 + i + most / 2);
		b[i].there = true;
	}
	host_vips_sort(&was);
	host_vips_sort(&now);
	memset(master, true, sizeof(master));
	host_vips_follow(&was, master, count, NULL);
	assert_int_equal(n_set, most);
	n_set = 0;
	host_vips_replace(&was, &now, count, NULL);
	assert_int_equal(n_set, most);
	for (uint32_t i = 0; i < most; i++)
		known += host_vips_know(&was, &b[i].addr);
	assert_int_equal(known, most / 2);
	free(a);
	free(b);
}

/* The kernel has an address if and only if a MASTER has it, whatever came before. */
static void
random_lists_and_states(void **state)
{
	struct host_vip lists[2][VIPS];
	struct host_vips v[2] = {{0, lists[0]}, {0, lists[1]}};
	bool master[GROUPS] = {false};
	unsigned int at = 0;
	struct base_rand rnd;

	(void)state;
	base_rand_init(&rnd, 7);
	for (unsigned int round = 0; round < 20000; round++) {
		bool want[IFS][ADDRS] = {{false}};
		uint16_t g = (uint16_t)base_rand_below(&rnd, GROUPS);

		if (base_rand_below(&rnd, 3) == 0) {
			struct host_vips *next = &v[!at];

			next->n = (uint32_t)base_rand_below(&rnd, VIPS + 1);
			for (uint32_t i = 0; i < next->n; i++) {
				next->vip[i] = vip((uint16_t)base_rand_below(&rnd, GROUPS),
					(unsigned int)base_rand_below(&rnd, IFS),
					(uint32_t)base_rand_below(&rnd, ADDRS));
				next->vip[i].there = master[next->vip[i].group];
			}
			host_vips_sort(next);
			host_vips_replace(&v[at], next, set, kernel);
			at = !at;
		} else {
			/* one, or two at once */
			master[g] = !master[g];
			g = (uint16_t)base_rand_below(&rnd, GROUPS);
			master[g] ^= base_rand_below(&rnd, 2) != 0;
			host_vips_follow(&v[at], master, set, kernel);
		}
		for (uint32_t i = 0; i < v[at].n; i++)
			if (master[v[at].vip[i].group])
				want[v[at].vip[i].f - ifs]
				    [base_addr_ip4(&v[at].vip[i].addr) & 0xff] = true;
		assert_memory_equal(kernel, want, sizeof(want));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_master_has_its_vips, setup),
		cmocka_unit_test_setup(a_shared_vip_is_there_while_one_has_it, setup),
		cmocka_unit_test_setup(others_are_replaced, setup),
		cmocka_unit_test_setup(as_many_as_there_may_be, setup),
		cmocka_unit_test_setup(random_lists_and_states, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
