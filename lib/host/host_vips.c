/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "host_vips_priv.h"

#include <string.h>

/* One of the first n of a list has the same address on the same interface there. */
static bool
is_there(const struct host_vips *v, uint32_t n, const struct host_vip *like)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct host_vip *o = &v->vip[i];

		if (o != like && o->there && o->f == like->f &&
			memcmp(&o->addr, &like->addr, sizeof(o->addr)) == 0)
			return true;
	}
	return false;
}

void
host_vips_follow(struct host_vips *v, uint16_t group, bool master, host_vip_fn *set, void *arg)
{
	for (uint32_t i = 0; i < v->n; i++) {
		struct host_vip *o = &v->vip[i];

		if (o->group != group || o->there == master)
			continue;
		o->there = master;
		if (!is_there(v, v->n, o))
			set(arg, o->f, &o->addr, master);
	}
}

/* What is there in one list and not in the other, each once. */
static void
difference(const struct host_vips *of, const struct host_vips *not_in, bool there, host_vip_fn *set,
	void *arg)
{
	for (uint32_t i = 0; i < of->n; i++) {
		const struct host_vip *o = &of->vip[i];

		if (o->there && !is_there(of, i, o) && !is_there(not_in, not_in->n, o))
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
	for (uint32_t i = 0; i < v->n; i++)
		if (memcmp(&v->vip[i].addr, addr, sizeof(*addr)) == 0)
			return true;
	return false;
}
