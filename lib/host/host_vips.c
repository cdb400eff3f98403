/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "host_vips_priv.h"

#include <stdlib.h>
#include <string.h>

/* By address, then by interface: whoever shares one stands side by side. */
static int
compare(const void *pa, const void *pb)
{
	const struct host_vip *a = pa, *b = pb;
	int by_addr = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	if (by_addr != 0)
		return by_addr;
	return ((uintptr_t)a->f > (uintptr_t)b->f) - ((uintptr_t)a->f < (uintptr_t)b->f);
}

void
host_vips_sort(struct host_vips *v)
{
	if (v->n > 0)
		qsort(v->vip, v->n, sizeof(*v->vip), compare);
}

/* Where those begin that are not before this one. */
static uint32_t
lower_bound(const struct host_vips *v, const struct host_vip *like)
{
	uint32_t from = 0, n = v->n;

	while (n > 0) {
		if (compare(&v->vip[from + n / 2], like) < 0) {
			from += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return from;
}

/* All entries from here on that are of one address on one interface. */
struct run {
	uint32_t end;
	bool there; /* for one of them */
};
static struct run
run_of(const struct host_vips *v, uint32_t from, const struct host_vip *like)
{
	struct run r = {.end = from};

	while (r.end < v->n && compare(&v->vip[r.end], like) == 0)
		r.there |= v->vip[r.end++].there;
	return r;
}

void
host_vips_follow(struct host_vips *v, const bool *master, host_vip_fn *set, void *arg)
{
	struct run r;

	for (uint32_t i = 0; i < v->n; i = r.end) {
		bool there = false;

		r = run_of(v, i, &v->vip[i]);
		for (uint32_t k = i; k < r.end; k++) {
			v->vip[k].there = master[v->vip[k].group];
			there |= v->vip[k].there;
		}
		if (there != r.there)
			set(arg, v->vip[i].f, &v->vip[i].addr, there);
	}
}

/* What is there in one list and not in the other, each once. */
static void
difference(const struct host_vips *of, const struct host_vips *not_in, bool there, host_vip_fn *set,
	void *arg)
{
	struct run r;

	for (uint32_t i = 0; i < of->n; i = r.end) {
		const struct host_vip *o = &of->vip[i];

		r = run_of(of, i, o);
		if (r.there && !run_of(not_in, lower_bound(not_in, o), o).there)
			set(arg, o->f, &o->addr, there);
	}
}

void
host_vips_replace(
	const struct host_vips *was, const struct host_vips *now, host_vip_fn *set, void *arg)
{
	difference(was, now, false, set, arg);
	difference(now, was, true, set, arg);
}

bool
host_vips_know(const struct host_vips *v, const struct base_addr *addr)
{
	/* no interface is before NULL */
	uint32_t i = lower_bound(v, &(struct host_vip){.addr = *addr});

	return i < v->n && memcmp(&v->vip[i].addr, addr, sizeof(*addr)) == 0;
}
