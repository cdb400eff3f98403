/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Routes and neighbours of the fake box, and what is loaded while it runs. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base_clock.h"

#include "mgmt_fake.h"

uint32_t
fib_route_count(const struct fib *f)
{
	(void)f;
	return fake.n_routes;
}

uint32_t
fib_runtime_count(const struct fib *f)
{
	(void)f;
	return fake.n_runtime;
}

bool
fib_route_get(const struct fib *f, uint32_t i, struct fib_route *out, bool *runtime)
{
	(void)f;
	if (i >= fake.n_routes)
		return false;
	*out = fake.routes[i];
	/* those of commands are the last ones */
	if (runtime)
		*runtime = i >= fake.n_routes - fake.n_runtime;
	return true;
}

uint32_t
fib_route_find(const struct fib *f, const struct base_prefix *p)
{
	uint32_t i = 0;

	(void)f;
	while (i < fake.n_routes && memcmp(&fake.routes[i].prefix, p, sizeof(*p)) < 0)
		i++;
	return i;
}

uint32_t
fib_route_match(const struct fib *f, const struct base_addr *a)
{
	(void)f;
	(void)a;
	return fake.route_match;
}

void
fib_memory(const struct fib *f, struct fib_memory *out)
{
	(void)f;
	*out = (struct fib_memory){.tables = 4096, .next_hops = 3, .nodes4 = 2, .rebuilt = 1};
}

const struct fib *
fib_builder_read(struct fib_builder *b)
{
	(void)b;
	fake.reading++;
	return NULL;
}

void
fib_builder_read_end(struct fib_builder *b)
{
	(void)b;
	fake.reading--;
}

void
fib_builder_stats(struct fib_builder *b, struct fib_builder_stats *out)
{
	(void)b;
	*out = (struct fib_builder_stats){
		.changes = 7, .batches = 5, .refused = 1, .longest_ns = 2000};
}

int
fib_builder_change(struct fib_builder *b, const struct fib_change *c, uint32_t n, char *err,
	unsigned int err_len)
{
	(void)b;
	fake.n_changes += n;
	fake.change = *c;
	if (fake.change_error != 0)
		snprintf(err, err_len, "no room in the table");
	return fake.change_error;
}

uint32_t
fib_nbr_rows(
	const struct fib_nbr_table *t, uint32_t *cursor, struct fib_nbr_row *rows, uint32_t cap)
{
	uint32_t n = 0;

	(void)t;
	while (*cursor < fake.n_nbrs && n < cap)
		rows[n++] = fake.nbrs[(*cursor)++];
	return n;
}

void
fib_nbr_stats(const struct fib_nbr_table *t, struct fib_nbr_stats *out)
{
	(void)t;
	*out = (struct fib_nbr_stats){.entries = fake.n_nbrs};
}

const char *
fib_nbr_state_name(enum fib_nbr_state s)
{
	static const char *const names[] = {
		"absent", "incomplete", "reachable", "stale", "probe", "failed", "static"};

	return names[s];
}

static int
load_plan(void *arg, const struct conf *next, struct fib_replaced *routes, char *err,
	unsigned int err_len)
{
	(void)arg;
	*routes = (struct fib_replaced){.kept = 1, .added = next->n_routes};
	if (fake.change_error != 0)
		snprintf(err, err_len, "no room in the table");
	return fake.change_error;
}

/* What is begun is the configuration itself. */
static struct mgmt_load *
load_begin(void *arg, const struct conf *now, const struct conf *next, struct fib_replaced *routes,
	char *err, unsigned int err_len)
{
	uint32_t n = __atomic_load_n(&fake.n_begins, __ATOMIC_RELAXED);

	(void)now;
	if (n < sizeof(fake.begun_at) / sizeof(fake.begun_at[0]))
		fake.begun_at[n] = base_clock_ns(CLOCK_MONOTONIC);
	__atomic_store_n(&fake.n_begins, n + 1, __ATOMIC_RELEASE);
	if (load_plan(arg, next, routes, err, err_len) != 0)
		return NULL;
	fake.n_loads++;
	return (struct mgmt_load *)(uintptr_t)next;
}

static int
load_apply(void *arg, struct mgmt_load *l, char *err, unsigned int err_len)
{
	(void)arg;
	snprintf(err, err_len, "%s", fake.note ? fake.note : "");
	fake.n_reloads++;
	if (fake.request_rc == 0)
		fake.reloaded = (const struct conf *)(const void *)l;
	return fake.request_rc;
}

static void
load_end(void *arg, struct mgmt_load *l, bool applied)
{
	(void)arg;
	(void)l;
	fake.n_loads -= applied == (fake.request_rc == 0);
}

const struct mgmt_loader fake_loader = {
	.plan = load_plan, .begin = load_begin, .apply = load_apply, .end = load_end};
