/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_RIB_PRIV_H
#define FIB_RIB_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"

/**
 * @file
 * The list of routes, as a binary trie of prefixes for each family: a node is a route, or the place
 * where two subtrees part and has both of them. Its order, a node before what it holds, the lower
 * addresses first, is that of prefix, then length.
 */

enum { FIB_IP4 = 0, FIB_IP6, FIB_FAMILIES };

struct fib_rib_node {
	struct fib_rib_node *child[2];
	struct base_prefix prefix;
	bool set;	/**< a route */
	bool runtime;	/**< of a route: from a command, not from the file */
	uint32_t nh;	/**< of a route: number of its next hop */
	uint32_t count; /**< routes from here on, this one included */
	uint32_t stamp; /**< the caller's */
};

struct fib_rib {
	struct fib_rib_node *root[FIB_FAMILIES];
	struct fib_rib_node *spare; /**< by child[0] */
	uint32_t n_spare;
};

static inline unsigned int
fib_family(const struct base_prefix *p)
{
	return p->addr.family == BASE_FAMILY_IP4 ? FIB_IP4 : FIB_IP6;
}

/** Have room for n more routes. @return false: no memory */
bool fib_rib_reserve(struct fib_rib *r, uint32_t n);
/** Give back the room that is left. */
void fib_rib_trim(struct fib_rib *r);
void fib_rib_clear(struct fib_rib *r);

/** Make the route to a prefix (host bits zero) that has none, with room reserved. */
struct fib_rib_node *fib_rib_add(struct fib_rib *r, const struct base_prefix *p);
/** The route to a prefix is there. */
void fib_rib_remove(struct fib_rib *r, const struct base_prefix *p);
/** The route to exactly this prefix, or NULL. */
struct fib_rib_node *fib_rib_find(const struct fib_rib *r, const struct base_prefix *p);
/** The longest route that holds a prefix and is shorter than it, or NULL. */
const struct fib_rib_node *fib_rib_parent(const struct fib_rib *r, const struct base_prefix *p);
/** A prefix holds a route longer than itself. */
bool fib_rib_holds_longer(const struct fib_rib *r, const struct base_prefix *p);

uint32_t fib_rib_count(const struct fib_rib *r, unsigned int family);
/** The i-th route of a family, or NULL. */
struct fib_rib_node *fib_rib_get(const struct fib_rib *r, unsigned int family, uint32_t i);
/** How many routes of its family come before a prefix. */
uint32_t fib_rib_rank(const struct fib_rib *r, const struct base_prefix *p);
/** Call for each route of a family in order. */
void fib_rib_walk(const struct fib_rib *r, unsigned int family,
	void (*fn)(void *arg, struct fib_rib_node *n), void *arg);

#endif
