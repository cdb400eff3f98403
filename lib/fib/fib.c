/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "base_assert.h"
#include "compat_fib.h"
#include "fib_trie6_priv.h"

#define NAME_MAX_BYTES 20
/* What a stored next hop can name beside "none", by its size. DIR24_8 keeps either a next hop or
 * the number of a tbl8 there, next to one flag bit. */
#define IDS_1_BYTE   127
#define IDS_2_BYTES  32767
#define LOOKUP_CHUNK 64

struct fib {
	struct compat_fib *table;
	struct fib_trie6 *table6; /* NULL without a route of IPv6 */
	struct fib_nh *nh;	  /* by id; 0 is FIB_NH_NONE */
	uint32_t n_nh, n_routes;
	struct fib_route *routes; /* by family, prefix, then length */
};

/* A route and what fib_build works out about it. */
struct item {
	struct fib_route r;
	uint32_t order; /* place in the caller's list */
	uint32_t id;
};

static void __attribute__((format(printf, 3, 4)))
complain(char *err, unsigned int err_len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, err_len, fmt, ap);
	va_end(ap);
}

static int
cmp_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int
cmp_prefix(const struct base_prefix *a, const struct base_prefix *b)
{
	int c = cmp_u32(a->addr.family, b->addr.family);

	if (c == 0)
		c = memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
	return c != 0 ? c : cmp_u32(a->plen, b->plen);
}

static int
cmp_item(const void *pa, const void *pb)
{
	const struct item *a = pa;
	const struct item *b = pb;
	int c = cmp_prefix(&a->r.prefix, &b->r.prefix);

	return c != 0 ? c : cmp_u32(a->order, b->order);
}

static int
cmp_nh(const struct fib_nh *a, const struct fib_nh *b)
{
	int c = cmp_u32(a->type, b->type);

	if (c == 0)
		c = cmp_u32(a->if_index, b->if_index);
	if (c == 0)
		c = cmp_u32(a->group, b->group);
	if (c == 0)
		c = cmp_u32(a->gateway, b->gateway);
	return c != 0 ? c : memcmp(a->gateway6, b->gateway6, sizeof(a->gateway6));
}

static int
cmp_item_nh(const void *pa, const void *pb)
{
	const struct item *const *a = pa;
	const struct item *const *b = pb;

	return cmp_nh(&(*a)->r.nh, &(*b)->r.nh);
}

/* Clear the host bits, and what an IPv4 address does not use. */
static void
prefix_mask(struct base_prefix *p)
{
	for (unsigned int i = 0; i < sizeof(p->addr.bytes); i++) {
		unsigned int kept = p->plen > i * 8 ? p->plen - i * 8U : 0;

		if (kept < 8)
			p->addr.bytes[i] &= (uint8_t)(0xff00U >> kept);
	}
}

/* Copy, mask, sort; of routes with the same prefix keep the one that came first.
 * Returns how many are left. */
static uint32_t
items_make(struct item *items, const struct fib_route *routes, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		items[i] = (struct item){.r = routes[i], .order = i};
		prefix_mask(&items[i].r.prefix);
	}
	qsort(items, n, sizeof(*items), cmp_item);
	for (uint32_t i = 0; i < n; i++) {
		if (kept > 0 && cmp_prefix(&items[kept - 1].r.prefix, &items[i].r.prefix) == 0)
			continue;
		items[kept++] = items[i];
	}
	return kept;
}

/* Number the distinct next hops from 1. */
static int
ids_make(struct fib *f, struct item *items, uint32_t n, int socket_id)
{
	struct item **by_nh = calloc(n + 1, sizeof(struct item *));
	uint32_t id = 0;

	if (by_nh == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		by_nh[i] = &items[i];
	qsort(by_nh, n, sizeof(struct item *), cmp_item_nh);
	for (uint32_t i = 0; i < n; i++) {
		if (by_nh[i]->r.nh.type == FIB_NH_NONE)
			continue; /* id 0 */
		if (id == 0 || cmp_nh(&by_nh[i - 1]->r.nh, &by_nh[i]->r.nh) != 0)
			id++;
		by_nh[i]->id = id;
	}
	f->n_nh = id + 1;
	if (id > IDS_2_BYTES) {
		free(by_nh);
		return -E2BIG;
	}
	f->nh = rte_zmalloc_socket(
		"fib_nh", f->n_nh * sizeof(*f->nh), RTE_CACHE_LINE_SIZE, socket_id);
	if (f->nh != NULL) {
		f->nh[0].group = FIB_GROUP_NONE;
		for (uint32_t i = 0; i < n; i++) {
			if (by_nh[i]->id != 0)
				f->nh[by_nh[i]->id] = by_nh[i]->r.nh;
		}
	}
	free(by_nh);
	return f->nh != NULL ? 0 : -ENOMEM;
}

/* Whether the first `bits` bits, a multiple of eight, of two items' prefixes are the same. */
static bool
same_head(const struct item *a, const struct item *b, unsigned int bits)
{
	return memcmp(a->r.prefix.addr.bytes, b->r.prefix.addr.bytes, bits / 8) == 0;
}

/* A tbl8 serves one prefix of `bits` bits that has longer ones in it. */
static uint32_t
count_tbl8(const struct item *items, uint32_t n, unsigned int bits)
{
	const struct item *last = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (items[i].r.prefix.plen <= bits)
			continue;
		if (last == NULL || !same_head(last, &items[i], bits))
			count++;
		last = &items[i];
	}
	return count;
}

/* The first level has 2^24 entries and all of it is written: its entries are as small as the
 * next hops allow, and a default route is what the table is filled with at first. */
static int
table4_make(struct fib *f, const char *name, const struct item *items, uint32_t n, int socket_id)
{
	uint32_t num_tbl8 = count_tbl8(items, n, 24) + 1;
	uint32_t ids = RTE_MAX(f->n_nh - 1, num_tbl8);
	uint8_t nh_bytes = ids <= IDS_1_BYTE ? 1 : ids <= IDS_2_BYTES ? 2 : 4;
	bool has_default = n > 0 && items[0].r.prefix.plen == 0;

	errno = 0;
	f->table = compat_fib_create(
		name, RTE_MAX(n, 1U), nh_bytes, num_tbl8, has_default ? items[0].id : 0, socket_id);
	if (f->table == NULL)
		return errno != 0 ? -errno : -ENOMEM;
	for (uint32_t i = has_default ? 1 : 0; i < n; i++) {
		const struct base_prefix *p = &items[i].r.prefix;
		int ret = compat_fib_add(f->table, base_addr_ip4(&p->addr), p->plen, items[i].id);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Nodes for a multiple of eight bits are tbl8s by another name. */
static int
table6_make(struct fib *f, const struct item *items, uint32_t n, int socket_id)
{
	uint32_t nodes = 0;

	if (n == 0)
		return 0;
	for (unsigned int bits = FIB_TRIE6_ROOT_BITS; bits < 128; bits += 8)
		nodes += count_tbl8(items, n, bits);
	f->table6 = fib_trie6_create(nodes, socket_id);
	if (f->table6 == NULL)
		return -ENOMEM;
	/* A prefix comes before all that it holds. */
	for (uint32_t i = 0; i < n; i++)
		fib_trie6_add(f->table6, &items[i].r.prefix, items[i].id);
	return 0;
}

static int
tables_make(struct fib *f, const char *name, const struct item *items, uint32_t n, int socket_id)
{
	uint32_t n4 = 0;
	int ret;

	while (n4 < n && items[n4].r.prefix.addr.family == BASE_FAMILY_IP4)
		n4++;
	ret = table4_make(f, name, items, n4, socket_id);
	return ret < 0 ? ret : table6_make(f, items + n4, n - n4, socket_id);
}

static bool
routes_ok(const struct fib_route *routes, uint32_t n, char *err, unsigned int err_len)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct base_prefix *p = &routes[i].prefix;
		unsigned int bits = p->addr.family == BASE_FAMILY_IP4 ? 32 : 128;

		if (p->addr.family != BASE_FAMILY_IP4 && p->addr.family != BASE_FAMILY_IP6) {
			complain(err, err_len, "route %u: no address family is %u", i,
				p->addr.family);
			return false;
		}
		if (p->plen > bits) {
			complain(err, err_len, "route %u: prefix length %u is over %u", i, p->plen,
				bits);
			return false;
		}
		if (routes[i].nh.type > FIB_NH_DROP) {
			complain(err, err_len, "route %u: no next hop has type %u", i,
				routes[i].nh.type);
			return false;
		}
	}
	return true;
}

struct fib *
fib_build(const char *name, const struct fib_route *routes, uint32_t n, int socket_id, char *err,
	unsigned int err_len)
{
	struct fib *f = NULL;
	struct item *items;
	int ret = -ENOMEM;

	if (strlen(name) > NAME_MAX_BYTES) {
		complain(err, err_len, "table name %s is over %d bytes", name, NAME_MAX_BYTES);
		return NULL;
	}
	if (!routes_ok(routes, n, err, err_len))
		return NULL;
	items = calloc((size_t)n + 1, sizeof(*items));
	f = calloc(1, sizeof(*f));
	if (items == NULL || f == NULL)
		goto fail;
	n = items_make(items, routes, n);
	f->routes = calloc((size_t)n + 1, sizeof(*f->routes));
	if (f->routes == NULL)
		goto fail;
	f->n_routes = n;
	for (uint32_t i = 0; i < n; i++)
		f->routes[i] = items[i].r;
	ret = ids_make(f, items, n, socket_id);
	if (ret < 0)
		goto fail;
	ret = tables_make(f, name, items, n, socket_id);
	if (ret < 0)
		goto fail;
	free(items);
	return f;
fail:
	if (ret == -E2BIG)
		complain(err, err_len, "%u distinct next hops, at most %d are possible",
			f->n_nh - 1, IDS_2_BYTES);
	else if (ret == -ENOMEM)
		complain(err, err_len, "out of memory for %u routes", n);
	else
		complain(err, err_len, "table of %u routes: %s", n, strerror(-ret));
	free(items);
	fib_free(f);
	return NULL;
}

void
fib_free(struct fib *f)
{
	if (f == NULL)
		return;
	compat_fib_free(f->table);
	fib_trie6_free(f->table6);
	rte_free(f->nh);
	free(f->routes);
	free(f);
}

void
fib_lookup(const struct fib *f, const uint32_t *dst, const struct fib_nh **nhs, uint32_t n)
{
	uint64_t ids[LOOKUP_CHUNK];

	while (n > 0) {
		uint32_t k = RTE_MIN(n, (uint32_t)LOOKUP_CHUNK);

		BASE_ASSERT(compat_fib_lookup(f->table, dst, ids, k) == 0);
		for (uint32_t i = 0; i < k; i++)
			nhs[i] = &f->nh[ids[i]];
		dst += k;
		nhs += k;
		n -= k;
	}
}

void
fib_lookup6(const struct fib *f, const uint8_t (*dst)[16], const struct fib_nh **nhs, uint32_t n)
{
	if (f->table6 == NULL) {
		for (uint32_t i = 0; i < n; i++)
			nhs[i] = &f->nh[0];
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		nhs[i] = &f->nh[fib_trie6_get(f->table6, dst[i])];
}

uint32_t
fib_route_count(const struct fib *f)
{
	return f->n_routes;
}

const struct fib_route *
fib_route_get(const struct fib *f, uint32_t i)
{
	return i < f->n_routes ? &f->routes[i] : NULL;
}
