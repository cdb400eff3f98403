/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_rib_priv.h"

#include <stdlib.h>

#include "base_assert.h"
#include "base_bytes.h"

static unsigned int
bit_of(const struct base_prefix *p, unsigned int i)
{
	return p->addr.bytes[i / 8] >> (7 - i % 8) & 1;
}

/* How many bits two prefixes have in common. */
static unsigned int
common_bits(const struct base_prefix *a, const struct base_prefix *b)
{
	uint64_t hi = base_load_be64(a->addr.bytes) ^ base_load_be64(b->addr.bytes);
	uint64_t lo = base_load_be64(a->addr.bytes + 8) ^ base_load_be64(b->addr.bytes + 8);
	unsigned int same = 128, most = a->plen < b->plen ? a->plen : b->plen;

	if (hi != 0)
		same = (unsigned int)__builtin_clzll(hi);
	else if (lo != 0)
		same = 64 + (unsigned int)__builtin_clzll(lo);
	return same < most ? same : most;
}

bool
fib_rib_reserve(struct fib_rib *r, uint32_t n)
{
	/* a route may need the place where it parts from others, too */
	for (uint64_t want = 2 * (uint64_t)n; r->n_spare < want; r->n_spare++) {
		struct fib_rib_node *node = malloc(sizeof(*node));

		if (node == NULL)
			return false;
		node->child[0] = r->spare;
		r->spare = node;
	}
	return true;
}

void
fib_rib_trim(struct fib_rib *r)
{
	while (r->spare != NULL) {
		struct fib_rib_node *node = r->spare;

		r->spare = node->child[0];
		free(node);
	}
	r->n_spare = 0;
}

static void
subtree_free(struct fib_rib_node *n)
{
	if (n == NULL)
		return;
	subtree_free(n->child[0]);
	subtree_free(n->child[1]);
	free(n);
}

void
fib_rib_clear(struct fib_rib *r)
{
	for (unsigned int family = 0; family < FIB_FAMILIES; family++) {
		subtree_free(r->root[family]);
		r->root[family] = NULL;
	}
	fib_rib_trim(r);
}

static struct fib_rib_node *
node_take(struct fib_rib *r, const struct base_prefix *p, unsigned int plen)
{
	struct fib_rib_node *n = r->spare;

	BASE_ASSERT(n != NULL);
	r->spare = n->child[0];
	r->n_spare--;
	*n = (struct fib_rib_node){.prefix = {.addr = p->addr, .plen = (uint8_t)plen}};
	base_addr_mask(n->prefix.addr.bytes, n->prefix.plen);
	return n;
}

struct fib_rib_node *
fib_rib_add(struct fib_rib *r, const struct base_prefix *p)
{
	struct fib_rib_node **link = &r->root[fib_family(p)], *n;

	for (; (n = *link) != NULL; link = &n->child[bit_of(p, n->prefix.plen)]) {
		unsigned int same = common_bits(&n->prefix, p);
		struct fib_rib_node *above;

		if (same == n->prefix.plen) {
			n->count++;
			if (same == p->plen) {
				n->set = true;
				return n;
			}
			continue;
		}
		above = node_take(r, p, same);
		above->child[bit_of(&n->prefix, same)] = n;
		above->count = n->count + 1;
		*link = above;
		if (same == p->plen) {
			above->set = true;
			return above;
		}
		link = &above->child[bit_of(p, same)];
		break;
	}
	n = node_take(r, p, p->plen);
	n->set = true;
	n->count = 1;
	*link = n;
	return n;
}

/* Take a node out that is no route and parts nothing. */
static void
node_splice(struct fib_rib_node **link)
{
	struct fib_rib_node *n = *link;

	if (n->set || (n->child[0] != NULL && n->child[1] != NULL))
		return;
	*link = n->child[0] != NULL ? n->child[0] : n->child[1];
	free(n);
}

void
fib_rib_remove(struct fib_rib *r, const struct base_prefix *p)
{
	struct fib_rib_node **link = &r->root[fib_family(p)], **above = NULL;

	for (; (*link)->prefix.plen != p->plen;
		link = &(*link)->child[bit_of(p, (*link)->prefix.plen)]) {
		(*link)->count--;
		above = link;
	}
	(*link)->count--;
	(*link)->set = false;
	node_splice(link);
	if (above != NULL)
		node_splice(above);
}

/*
 * The first node at or below a prefix, or NULL; *parent is the last route on the way that is
 * shorter than it.
 */
static struct fib_rib_node *
descend(const struct fib_rib *r, const struct base_prefix *p, const struct fib_rib_node **parent)
{
	struct fib_rib_node *n = r->root[fib_family(p)];

	*parent = NULL;
	while (n != NULL && n->prefix.plen < p->plen) {
		if (common_bits(&n->prefix, p) != n->prefix.plen)
			return NULL;
		if (n->set)
			*parent = n;
		n = n->child[bit_of(p, n->prefix.plen)];
	}
	return n != NULL && common_bits(&n->prefix, p) == p->plen ? n : NULL;
}

struct fib_rib_node *
fib_rib_find(const struct fib_rib *r, const struct base_prefix *p)
{
	const struct fib_rib_node *parent;
	struct fib_rib_node *n = descend(r, p, &parent);

	return n != NULL && n->prefix.plen == p->plen && n->set ? n : NULL;
}

const struct fib_rib_node *
fib_rib_parent(const struct fib_rib *r, const struct base_prefix *p)
{
	const struct fib_rib_node *parent;

	(void)descend(r, p, &parent);
	return parent;
}

bool
fib_rib_holds_longer(const struct fib_rib *r, const struct base_prefix *p)
{
	const struct fib_rib_node *parent, *n = descend(r, p, &parent);

	return n != NULL && (n->prefix.plen > p->plen || n->count > n->set);
}

uint32_t
fib_rib_count(const struct fib_rib *r, unsigned int family)
{
	return r->root[family] != NULL ? r->root[family]->count : 0;
}

struct fib_rib_node *
fib_rib_get(const struct fib_rib *r, unsigned int family, uint32_t i)
{
	struct fib_rib_node *n = r->root[family];

	if (i >= fib_rib_count(r, family))
		return NULL;
	for (;;) {
		uint32_t low = n->child[0] != NULL ? n->child[0]->count : 0;

		if (n->set && i == 0)
			return n;
		i -= n->set;
		if (i < low) {
			n = n->child[0];
		} else {
			i -= low;
			n = n->child[1];
		}
	}
}

uint32_t
fib_rib_rank(const struct fib_rib *r, const struct base_prefix *p)
{
	const struct fib_rib_node *n = r->root[fib_family(p)];
	uint32_t rank = 0;

	while (n != NULL) {
		unsigned int same = common_bits(&n->prefix, p);

		if (same == p->plen)
			return rank; /* it is this one, or in it */
		if (same < n->prefix.plen)
			return rank + (bit_of(p, same) != 0 ? n->count : 0);
		rank += n->set;
		if (bit_of(p, same) != 0 && n->child[0] != NULL)
			rank += n->child[0]->count;
		n = n->child[bit_of(p, same)];
	}
	return rank;
}

static void
subtree_walk(struct fib_rib_node *n, void (*fn)(void *arg, struct fib_rib_node *n), void *arg)
{
	if (n == NULL)
		return;
	if (n->set)
		fn(arg, n);
	subtree_walk(n->child[0], fn, arg);
	subtree_walk(n->child[1], fn, arg);
}

void
fib_rib_walk(const struct fib_rib *r, unsigned int family,
	void (*fn)(void *arg, struct fib_rib_node *n), void *arg)
{
	subtree_walk(r->root[family], fn, arg);
}
