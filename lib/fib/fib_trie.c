/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_trie_priv.h"

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "base_assert.h"
#include "base_bytes.h"

#define NODE_ENTRIES 256
#define LEVELS_MAX   15
/* So that 32 bits number all entries, which lookups count on. */
#define NODES_MAX ((UINT32_MAX - (UINT32_C(1) << 24)) / NODE_ENTRIES)

/* A part of the trie: the entries for the bits from one place to another of an address. */
struct level {
	uint32_t base; /* of its entries */
	unsigned int begin, end;
};

static uint32_t
root_entries(const struct fib_trie *t)
{
	return UINT32_C(1) << t->root_bits;
}

static struct level
root(const struct fib_trie *t)
{
	return (struct level){.end = t->root_bits};
}

static uint32_t
node_base(const struct fib_trie *t, uint32_t entry)
{
	return root_entries(t) + (entry & ~t->flag) * NODE_ENTRIES;
}

static struct level
below(const struct fib_trie *t, const struct level *l, uint32_t entry)
{
	return (struct level){
		.base = node_base(t, entry),
		.begin = l->end,
		.end = l->end + 8,
	};
}

/* The entry of an address's bits. */
static uint32_t
entry_of(const struct level *l, const struct base_prefix *p)
{
	if (l->begin == 0)
		return base_load_be32(p->addr.bytes) >> (32 - l->end);
	return l->base + p->addr.bytes[l->begin / 8];
}

static uint32_t
get(const struct fib_trie *t, uint32_t at)
{
	switch (t->width) {
	case 1:
		return ((const uint8_t *)t->entry)[at];
	case 2:
		return ((const uint16_t *)t->entry)[at];
	default:
		return ((const uint32_t *)t->entry)[at];
	}
}

/* Release: who sees the entry sees the node or the next hop that it names. */
static void
put(struct fib_trie *t, uint32_t at, uint32_t n, uint32_t v)
{
	switch (t->width) {
	case 1:
		for (; n > 0; n--, at++)
			__atomic_store_n((uint8_t *)t->entry + at, (uint8_t)v, __ATOMIC_RELEASE);
		break;
	case 2:
		for (; n > 0; n--, at++)
			__atomic_store_n((uint16_t *)t->entry + at, (uint16_t)v, __ATOMIC_RELEASE);
		break;
	default:
		for (; n > 0; n--, at++)
			__atomic_store_n((uint32_t *)t->entry + at, v, __ATOMIC_RELEASE);
		break;
	}
}

struct fib_trie *
fib_trie_create(unsigned int family, uint8_t width, uint32_t max_nodes, struct rte_rcu_qsbr *qsbr,
	int socket_id)
{
	struct fib_trie *t = max_nodes <= NODES_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (t == NULL)
		return NULL;
	t->root_bits = family == FIB_IP4 ? 24 : 16;
	t->width = width;
	t->flag = UINT32_C(1) << (8 * width - 1);
	if (fib_places_init(&t->places, max_nodes, qsbr) == 0)
		t->entry = rte_zmalloc_socket("fib_trie",
			(root_entries(t) + (size_t)max_nodes * NODE_ENTRIES) * width,
			RTE_CACHE_LINE_SIZE, socket_id);
	if (t->entry == NULL) {
		fib_trie_free(t);
		return NULL;
	}
	return t;
}

struct fib_trie *
fib_trie_copy(const struct fib_trie *t, uint8_t width, uint32_t max_nodes, int socket_id)
{
	struct fib_trie *c = fib_trie_create(t->root_bits == 24 ? FIB_IP4 : FIB_IP6, width,
		max_nodes, t->places.qsbr, socket_id);
	uint32_t n = root_entries(t) + t->places.fresh * NODE_ENTRIES;

	if (c == NULL)
		return NULL;
	memcpy(c->places.place, t->places.place, t->places.max * sizeof(*t->places.place));
	c->places = (struct fib_places){
		.qsbr = t->places.qsbr,
		.place = c->places.place,
		.max = max_nodes,
		.n_used = t->places.n_used,
		.n_free = t->places.n_free + max_nodes - t->places.max,
		.fresh = t->places.fresh,
		.free = t->places.free,
		.retired_first = t->places.retired_first,
		.retired_last = t->places.retired_last,
	};
	for (uint32_t at = 0; at < n; at++) {
		uint32_t e = get(t, at);

		put(c, at, 1, e & t->flag ? (e & ~t->flag) | c->flag : e);
	}
	return c;
}

size_t
fib_trie_bytes(const struct fib_trie *t)
{
	return (root_entries(t) + (size_t)t->places.max * NODE_ENTRIES) * t->width;
}

void
fib_trie_free(struct fib_trie *t)
{
	if (t == NULL)
		return;
	rte_free(t->entry);
	fib_places_fini(&t->places);
	free(t);
}

/* The first bits of two prefixes, a multiple of eight, are the same. */
static bool
same_head(const struct base_prefix *a, const struct base_prefix *b, unsigned int bits)
{
	return memcmp(a->addr.bytes, b->addr.bytes, bits / 8) == 0;
}

uint32_t
fib_trie_missing(const struct fib_trie *t, struct fib_trie_count *c, const struct base_prefix *p)
{
	unsigned int root_bits = p->addr.family == BASE_FAMILY_IP4 ? 24 : 16;
	struct level l = {0};
	uint32_t n = 0;

	if (t != NULL)
		l = root(t);
	for (unsigned int bits = root_bits; bits < p->plen; bits += 8) {
		const struct base_prefix **last = &c->last[bits / 8];

		if (l.end == bits) {
			uint32_t e = get(t, entry_of(&l, p));

			if (e & t->flag)
				l = below(t, &l, e);
		}
		if (l.end != bits + 8 && (*last == NULL || !same_head(*last, p, bits)))
			n++;
		*last = p;
	}
	return n;
}

/* The node behind an entry; where there is none, one that says the same as the entry did. */
static struct level
node_of(struct fib_trie *t, const struct level *l, uint32_t at)
{
	uint32_t e = get(t, at), place;
	struct level node;

	if (e & t->flag)
		return below(t, l, e);
	place = fib_places_take(&t->places);
	BASE_ASSERT(place != FIB_PLACE_NONE);
	node = below(t, l, place);
	put(t, node.base, NODE_ENTRIES, e);
	put(t, at, 1, t->flag | place);
	return node;
}

/* The level that tells a prefix from others of its length; made where it is not there. */
static struct level
level_of(struct fib_trie *t, const struct base_prefix *p)
{
	struct level l = root(t);

	while (p->plen > l.end)
		l = node_of(t, &l, entry_of(&l, p));
	return l;
}

void
fib_trie_fill(struct fib_trie *t, const struct base_prefix *p, uint32_t number)
{
	struct level l = level_of(t, p);

	put(t, entry_of(&l, p), UINT32_C(1) << (l.end - p->plen), number);
}

/* A brush that goes over the entries of a level and leaves out those of longer prefixes. */
struct paint {
	struct fib_trie *t;
	struct level l;
	uint32_t at, number;
};

static void
paint_to(struct paint *w, uint32_t end)
{
	if (end > w->at)
		put(w->t, w->at, end - w->at, w->number);
	w->at = end;
}

static void
paint_around(struct paint *w, const struct fib_rib_node *n)
{
	uint32_t at;

	if (n == NULL)
		return;
	at = entry_of(&w->l, &n->prefix);
	if (n->set && n->prefix.plen <= w->l.end) {
		paint_to(w, at);
		w->at = at + (UINT32_C(1) << (w->l.end - n->prefix.plen));
	} else if (n->prefix.plen >= w->l.end) {
		/* all of it lies behind one entry, which is a node because of it */
		struct paint in = {
			.t = w->t, .l = below(w->t, &w->l, get(w->t, at)), .number = w->number};

		in.at = in.l.base;
		paint_to(w, at);
		paint_around(&in, n);
		paint_to(&in, in.l.base + NODE_ENTRIES);
		w->at = at + 1;
	} else {
		paint_around(w, n->child[0]);
		paint_around(w, n->child[1]);
	}
}

void
fib_trie_set(struct fib_trie *t, const struct fib_rib_node *route, uint32_t number)
{
	struct paint w = {.t = t, .l = level_of(t, &route->prefix), .number = number};
	uint32_t end;

	w.at = entry_of(&w.l, &route->prefix);
	end = w.at + (UINT32_C(1) << (w.l.end - route->prefix.plen));
	/* one entry, and a node because of longer ones: what is the route's own is in there */
	if (route->prefix.plen == w.l.end && route->count > 1) {
		w.l = below(t, &w.l, get(t, w.at));
		w.at = w.l.base;
		end = w.at + NODE_ENTRIES;
	}
	paint_around(&w, route->child[0]);
	paint_around(&w, route->child[1]);
	paint_to(&w, end);
}

void
fib_trie_prune(struct fib_trie *t, const struct fib_rib *rib, const struct base_prefix *p)
{
	uint32_t at[LEVELS_MAX];
	struct level l = root(t);
	struct base_prefix head = *p;
	unsigned int n = 0;

	for (; p->plen > l.end; n++) {
		at[n] = entry_of(&l, p);
		l = below(t, &l, get(t, at[n]));
	}
	while (n-- > 0) {
		uint32_t e = get(t, at[n]);

		head.plen = (uint8_t)(t->root_bits + 8 * n);
		for (unsigned int i = head.plen / 8; i < sizeof(head.addr.bytes); i++)
			head.addr.bytes[i] = 0;
		if (fib_rib_holds_longer(rib, &head))
			return;
		/* its entries are all the same now */
		put(t, at[n], 1, get(t, node_base(t, e)));
		fib_places_retire(&t->places, e & ~t->flag);
	}
}
